// What the commands about sessions, activations, histories and resources promise: the
// request that the words of a command line become, and what is shown of the answer.
// The server is made of answers; tests/integration/ctxctl_test.py has a real one.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/unit/ctxctl/command_fixture.h"

namespace {

class TrackerCommandsTest : public CommandFixture {
 protected:
  TrackerCommandsTest() : CommandFixture("Tracker") {}
};

const char kSession[] =
    "session { namespace: 'space' id: 's1' owner: 'ada' metadata { key: 'k' value: 'v' }"
    " create_time { seconds: 1763722398 } expire_time { seconds: 1763722458 }"
    " activations { context_id: 'a' time { seconds: 1763722399 } }"
    " activations { context_id: 'b' fence: 7 exclusive: true time { seconds: 1763722400 } }"
    " current_context_id: 'a' }";

// ---- Sessions. ---------------------------------------------------------------

TEST_F(TrackerCommandsTest, SessionStartPrintsTheIdAlone) {
  Answer("StartSession", kSession);
  ASSERT_EQ(CTL_OK, Run(ctl_session_start, {}));
  EXPECT_EQ("s1\n", out_);
  EXPECT_EQ("", err_);
  EXPECT_EQ("namespace: \"space\" write { }", Request());
}

TEST_F(TrackerCommandsTest, SessionStartSaysWhatItsOptionsSay) {
  Answer("StartSession", kSession);
  ASSERT_EQ(CTL_OK, Run(ctl_session_start,
                        {"--owner", "ada", "--label", "k=v", "--label", "l=", "--ttl", "1m500ms",
                         "--default-context", "a", "--create", "--max-active", "9"}));
  EXPECT_EQ(
      "namespace: \"space\" owner: \"ada\" metadata { key: \"k\" value: \"v\" } "
      "metadata { key: \"l\" value: \"\" } ttl { seconds: 60 nanos: 500000000 } "
      "default_context_id: \"a\" create_if_missing { } max_active_contexts: 9 write { }",
      Request());
  for (const auto &words : std::vector<std::vector<std::string>>{
           {"--ttl", "0s"}, {"--ttl", "never"}, {"--max-active", "0"}, {"--label", "k"}}) {
    EXPECT_EQ(CTL_USAGE, Run(ctl_session_start, words)) << words[0] << words[1];
  }
}

TEST_F(TrackerCommandsTest, SessionsAreShownForPeopleAndForScripts) {
  Answer("GetSession", kSession);
  ASSERT_EQ(CTL_OK, Run(ctl_session_get, {"s1"}));
  EXPECT_EQ("namespace: \"space\" session_id: \"s1\"", Request());
  EXPECT_EQ(
      "id        s1\n"
      "namespace space\n"
      "owner     ada\n"
      "started   2025-11-21 10:53:18Z\n"
      "expires   2025-11-21 10:54:18Z\n"
      "labels    k=v\n"
      "current   a\n"
      "\n"
      "CONTEXT  HOW        FENCE  SINCE\n"
      "a        shared            2025-11-21 10:53:19Z\n"
      "b        exclusive      7  2025-11-21 10:53:20Z\n",
      out_);
  ASSERT_EQ(CTL_OK, Run(ctl_session_get, {"s1", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"namespace": "space", "id": "s1", "owner": "ada", "metadata": {"k": "v"},
      "create_time": "2025-11-21T10:53:18.000000Z", "expire_time": "2025-11-21T10:54:18.000000Z",
      "activations": [
        {"context_id": "a", "exclusive": false, "time": "2025-11-21T10:53:19.000000Z"},
        {"context_id": "b", "exclusive": true, "fence": 7, "time": "2025-11-21T10:53:20.000000Z"}],
      "current_context_id": "a"})"),
            Normal(out_));
}

TEST_F(TrackerCommandsTest, SessionRenewStopsAtTheFirstThatIsLost) {
  Answer("RenewSession", "expire_time { seconds: 1763722458 }");
  ASSERT_EQ(CTL_OK, Run(ctl_session_renew, {"s1", "s2"}));
  EXPECT_EQ("s1 lives until 2025-11-21 10:54:18Z\ns2 lives until 2025-11-21 10:54:18Z\n", out_);
  Refuse("RenewSession", CXC_NOT_FOUND, "SESSION_NOT_FOUND", {{"session_id", "s1"}});
  EXPECT_EQ(CTL_NOT_FOUND, Run(ctl_session_renew, {"s1", "s2"}));
  EXPECT_NE(std::string::npos, err_.find("cannot renew the session s1: "));
  EXPECT_NE(std::string::npos, err_.find("`ctxctl session start` begins another"));
  EXPECT_EQ(3u, requests_.size());
}

TEST_F(TrackerCommandsTest, SessionEndTellsWhetherTheSessionWasAlive) {
  Answer("EndSession", "write { revision: 7 }");
  Answer("EndSession", "write { }");
  ASSERT_EQ(CTL_OK, Run(ctl_session_end, {"s1", "s2"}));
  EXPECT_EQ("s1 has ended\ns2 was not alive\n", out_);
  ASSERT_EQ(CTL_OK, Run(ctl_session_end, {"s2", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"id": "s2", "ended": false})"), Normal(out_));
}

TEST_F(TrackerCommandsTest, ListsReadAsManyPagesAsTheyNeed) {
  Answer("ListSessions", "sessions { id: 's1' } sessions { id: 's2' } next_page_token: 'two'");
  Answer("ListSessions", "sessions { id: 's3' } next_page_token: 'three'");
  ASSERT_EQ(CTL_OK, Run(ctl_session_list, {"--owner", "ada", "--limit", "3"}));
  EXPECT_EQ("namespace: \"space\" page_size: 3 owner: \"ada\"", requests_[0]);
  EXPECT_EQ("namespace: \"space\" page_size: 1 page_token: \"two\" owner: \"ada\"", requests_[1]);
  EXPECT_EQ(
      "SESSION  OWNER  STARTED  EXPIRES  ACTIVE  CURRENT  LABELS\n"
      "s1                                     0\n"
      "s2                                     0\n"
      "s3                                     0\n",
      out_);
  EXPECT_EQ("There are more: --all shows them, --limit so many.\n", err_);
}

TEST_F(TrackerCommandsTest, ListsSayWhereTheyEnd) {
  Answer("ListResources", "resources { name: 'r1' } next_page_token: 'two'");
  Answer("ListResources", "resources { name: 'r2' }");
  ASSERT_EQ(CTL_OK, Run(ctl_resources, {"a", "--all", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"resources": [{"name": "r1", "metadata": {}},
                                     {"name": "r2", "metadata": {}}], "more": false})"),
            Normal(out_));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" page_size: 1000 page_token: \"two\"",
            Request());
}

// ---- Activation. -------------------------------------------------------------

TEST_F(TrackerCommandsTest, ActivatePrintsTheFenceAlone) {
  Answer("ActivateContext", "activation { context_id: 'a' exclusive: true fence: 7 }");
  ASSERT_EQ(CTL_OK, Run(ctl_activate, {"a", "--session", "s1", "--exclusive"}));
  EXPECT_EQ("7\n", out_);
  EXPECT_EQ("namespace: \"space\" session_id: \"s1\" context_id: \"a\" exclusive: true write { }",
            Request());
  ASSERT_EQ(CTL_OK,
            Run(ctl_activate, {"a", "--session=s1", "--exclusive", "--takeover", "--guard"}));
  EXPECT_EQ(
      "namespace: \"space\" session_id: \"s1\" context_id: \"a\" exclusive: true "
      "takeover: true guard: true write { }",
      Request());
}

TEST_F(TrackerCommandsTest, ActivateTellsWhatIsShared) {
  Answer("ActivateContext",
         "activation { context_id: 'a' } context { id: 'a' version: 3 } write { replayed: true }");
  ASSERT_EQ(CTL_OK, Run(ctl_activate, {"a", "--session", "s1"}));
  EXPECT_EQ("a is active\n", out_);
  ASSERT_EQ(CTL_OK, Run(ctl_activate, {"a", "--session", "s1", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"activation": {"context_id": "a", "exclusive": false},
      "context": {"id": "a", "metadata": {}, "version": 3, "revision": 0, "entry_count": 0,
                  "size_bytes": 0},
      "replayed": true})"),
            Normal(out_));
}

TEST_F(TrackerCommandsTest, ActivateTellsWhoIsInTheWay) {
  Refuse("ActivateContext", CXC_FAILED_PRECONDITION, "CONTEXT_BUSY", {{"session_id", "s2"}});
  EXPECT_EQ(CTL_REFUSED, Run(ctl_activate, {"a", "--session", "s1", "--exclusive"}));
  EXPECT_NE(std::string::npos, err_.find("cannot activate a: refused (CONTEXT_BUSY). "
                                         "`ctxctl session get s2` tells who has it"));
}

TEST_F(TrackerCommandsTest, TakeoverAndGuardNeedExclusive) {
  for (const char *option : {"--takeover", "--guard"}) {
    EXPECT_EQ(CTL_USAGE, Run(ctl_activate, {"a", "--session", "s1", option}));
    EXPECT_EQ("ctxctl: " + std::string(option) + " needs --exclusive\n", err_);
  }
}

TEST_F(TrackerCommandsTest, SwitchAndDeactivateTellTheCurrentContext) {
  Answer("SwitchContext", kSession);
  Answer("DeactivateContext", kSession);
  Answer("DeactivateContext", "session { id: 's1' }");
  const char *request = "namespace: \"space\" session_id: \"s1\" context_id: \"b\" write { }";
  ASSERT_EQ(CTL_OK, Run(ctl_switch, {"b", "--session", "s1"}));
  EXPECT_EQ("b is the current context\n", out_);
  EXPECT_EQ(request, Request());
  ASSERT_EQ(CTL_OK, Run(ctl_deactivate, {"b", "--session", "s1"}));
  EXPECT_EQ("b is deactivated, a is the current context\n", out_);
  EXPECT_EQ(request, Request());
  ASSERT_EQ(CTL_OK, Run(ctl_deactivate, {"b", "--session", "s1"}));
  EXPECT_EQ("b is deactivated\n", out_);
}

TEST_F(TrackerCommandsTest, StatusTellsWhoHasAContextActive) {
  Answer("GetContextStatus",
         "status: STATUS_ACTIVE version: 3 fence: 7 session_ids: 's1' session_ids: 's2'"
         " exclusive_session_id: 's2' guarded: true");
  Answer("GetContextStatus", "status: STATUS_ACTIVE version: 3 session_ids: 's1'");
  Answer("GetContextStatus", "status: STATUS_NON_EXISTENT");
  ASSERT_EQ(CTL_OK, Run(ctl_status, {"a"}));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\"", Request());
  EXPECT_EQ(
      "id        a\n"
      "status    active\n"
      "version   3\n"
      "fence     7\n"
      "session   s1\n"
      "session   s2 exclusive, guarded\n",
      out_);
  ASSERT_EQ(CTL_OK, Run(ctl_status, {"a", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"id": "a", "status": "active", "version": 3, "fence": 0,
                       "session_ids": ["s1"], "guarded": false})"),
            Normal(out_));
  ASSERT_EQ(CTL_OK, Run(ctl_status, {"a"}));
  EXPECT_EQ("id        a\nstatus    non_existent\n", out_);
}

// ---- Who writes. -------------------------------------------------------------

struct Write {
  const ctl_command *command;
  std::vector<std::string> words;
  bool fence; /* Whether it takes one. */
};

const Write kWrites[] = {
    {&ctl_create, {"a"}, false},
    {&ctl_put, {"a", "k", "v"}, true},
    {&ctl_append, {"a", "k", "v"}, true},
    {&ctl_delete_entry, {"a", "k"}, true},
    {&ctl_update, {"a", "--put", "k=v"}, true},
    {&ctl_delete, {"a"}, true},
    {&ctl_record, {"a", "--type", "note"}, true},
    {&ctl_history_truncate, {"a", "--keep-from", "2"}, true},
    {&ctl_history_optimize, {"a", "--deduplicate"}, true},
};

TEST_F(TrackerCommandsTest, EveryWriteSaysWhoWrites) {
  for (const char *method : {"CreateContext", "UpdateContext", "DeleteContext"}) {
    Answer(method, std::string(method) == "CreateContext" ? "context { }" : "", "ContextManager");
  }
  for (const char *method : {"RecordActivities", "TruncateHistory", "OptimizeHistory"}) {
    Answer(method, "");
  }
  for (const Write &write : kWrites) {
    SCOPED_TRACE(write.command->name);
    std::vector<std::string> words = write.words;
    words.insert(words.end(), {"--session", "s1"});
    if (write.fence) words.insert(words.end(), {"--fence", "7"});
    ASSERT_EQ(CTL_OK, Run(*write.command, words)) << err_;
    const char *said =
        write.fence ? "write { session_id: \"s1\" fence: 7 }" : "write { session_id: \"s1\" }";
    EXPECT_NE(std::string::npos, Request().find(said)) << Request();
    ASSERT_EQ(CTL_OK, Run(*write.command, write.words));
    EXPECT_NE(std::string::npos, Request().find("write { }")) << Request();
  }
}

TEST_F(TrackerCommandsTest, AVariableThatWasNeverSetIsNoSessionAndNoFence) {
  for (const Write &write : kWrites) {
    SCOPED_TRACE(write.command->name);
    std::vector<std::vector<std::string>> wrong = {{"--session", ""}};
    if (write.fence) wrong.insert(wrong.end(), {{"--fence", ""}, {"--fence", "0"}});
    for (const auto &option : wrong) {
      std::vector<std::string> words = write.words;
      words.insert(words.end(), option.begin(), option.end());
      EXPECT_EQ(CTL_USAGE, Run(*write.command, words));
    }
  }
  for (const ctl_command *command : {&ctl_activate, &ctl_switch, &ctl_deactivate}) {
    EXPECT_EQ(CTL_USAGE, Run(*command, {"a", "--session", ""}));
    EXPECT_EQ(CTL_USAGE, Run(*command, {"a"}));
  }
  for (const ctl_command *command : {&ctl_resources_acquire, &ctl_resources_release}) {
    EXPECT_EQ(CTL_USAGE, Run(*command, {"a", "r", "--session", ""}));
    EXPECT_EQ(CTL_USAGE, Run(*command, {"a", "r", "--session", "s1", "--fence", "0"}));
  }
  EXPECT_TRUE(requests_.empty());
}

TEST_F(TrackerCommandsTest, AFenceIsForOneContext) {
  EXPECT_EQ(CTL_USAGE, Run(ctl_delete, {"a", "b", "--fence", "7"}));
  EXPECT_EQ("ctxctl: --fence is for one context at a time\n", err_);
}

TEST_F(TrackerCommandsTest, AStaleFenceIsNotReplacedByTheCurrentOne) {
  Refuse("RecordActivities", CXC_FAILED_PRECONDITION, "STALE_FENCE", {{"current_fence", "8"}});
  EXPECT_EQ(CTL_REFUSED, Run(ctl_record, {"a", "--type", "note", "--fence", "7"}));
  EXPECT_NE(std::string::npos, err_.find("(STALE_FENCE)"));
  EXPECT_EQ(std::string::npos, err_.find("8"));
}

// ---- Histories. --------------------------------------------------------------

TEST_F(TrackerCommandsTest, RecordSaysWhatItsOptionsSay) {
  const std::pair<std::vector<std::string>, const char *> cases[] = {
      {{"--type", "note", "text", "--label", "k=v", "--content-type", "text/plain"},
       "type: \"note\" data: \"text\" content_type: \"text/plain\" "
       "metadata { key: \"k\" value: \"v\" }"},
      {{"--type", "note", "--", "-5"}, "type: \"note\" data: \"-5\""},
      {{"--path", "src/a.c"}, "file { path: \"src/a.c\" }"},
      {{"--path", "a", "--operation", "write", "--source", "ed", "--type", "edit"},
       "type: \"edit\" file { path: \"a\" operation: \"write\" source: \"ed\" }"},
      {{"--model", "large"}, "model { model: \"large\" }"},
      {{"--provider", "acme", "--mode", "batch", "--input-tokens", "1", "--output-tokens", "2",
        "--cached-tokens", "3", "--cost", "0.0125", "--currency", "EUR", "--latency", "1s5ms"},
       "model { provider: \"acme\" mode: \"batch\" input_tokens: 1 output_tokens: 2 "
       "cached_tokens: 3 cost_micros: 12500 currency: \"EUR\" "
       "latency { seconds: 1 nanos: 5000000 } }"}};
  Answer("RecordActivities", "first_sequence: 9 last_sequence: 9");
  for (const auto &[words, expected] : cases) {
    SCOPED_TRACE(expected);
    std::vector<std::string> all = words;
    all.insert(all.begin(), "a");
    ASSERT_EQ(CTL_OK, Run(ctl_record, all)) << err_;
    EXPECT_EQ("a has activity 9\n", out_);
    EXPECT_EQ(std::string("namespace: \"space\" context_id: \"a\" activities { ") + expected +
                  " } write { }",
              Request());
  }
  ASSERT_EQ(CTL_OK, Run(ctl_record, {"a", "--type", "note", "--create", "-o", "json"}));
  EXPECT_NE(std::string::npos, Request().find("create_if_missing { }"));
  EXPECT_EQ(Normal(R"({"id": "a", "sequence": 9, "replayed": false})"), Normal(out_));
}

TEST_F(TrackerCommandsTest, RecordRefusesWhatIsNoActivity) {
  const std::pair<std::vector<std::string>, const char *> cases[] = {
      {{"text"}, "what was it?"},
      {{"--operation", "write"}, "--operation needs --path"},
      {{"--path", "a", "--cost", "1"}, "--path and --cost need one each"},
      {{"--type", "x", "text", "--file", "f"}, "the value is given twice"},
      {{"--model", "m", "--cost", "1e3"}, "--cost takes an amount"},
      {{"--model", "m", "--latency", "5"}, "--latency takes a time"},
      {{"--model", "m", "--input-tokens", "-5"}, "--input-tokens takes a number"}};
  for (const auto &[words, expected] : cases) {
    SCOPED_TRACE(expected);
    std::vector<std::string> all = words;
    all.insert(all.begin(), "a");
    EXPECT_EQ(CTL_USAGE, Run(ctl_record, all));
    EXPECT_NE(std::string::npos, err_.find(expected)) << err_;
  }
  EXPECT_EQ(CTL_INPUT, Run(ctl_record, {"a", "--type", "x", "--file", "/no/such/file"}));
  EXPECT_TRUE(requests_.empty());
}

// Newest first, as a server answers it.
const char kActivities[] =
    "activities { sequence: 9 time { seconds: 1763722401 nanos: 59603000 } type: 'resource'"
    " session_id: 's1' resource { name: 'db' type: 'lock' kind: KIND_RECLAIMED } }"
    "activities { sequence: 8 time { seconds: 1763722400 } type: 'model_usage' model {"
    " provider: 'acme' model: 'large' input_tokens: 12 output_tokens: 3 cost_micros: 12500"
    " currency: 'USD' latency { nanos: 850000000 } } }"
    "activities { sequence: 7 time { seconds: 1763722399 } type: 'file_operation'"
    " file { path: 'src/a.c' operation: 'write' source: 'ed' } }"
    "activities { sequence: 4 time { seconds: 1763722398 } type: 'note' data: 'one\\ntwo'"
    " content_type: 'text/plain' metadata { key: 'k' value: 'v' } session_id: 's1' }";

TEST_F(TrackerCommandsTest, HistoryShowsTheNewestAsTheyHappened) {
  Answer("ListActivities", kActivities);
  ASSERT_EQ(CTL_OK, Run(ctl_history, {"a"}));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" page_size: 100 newest_first: true", Request());
  EXPECT_EQ(
      "SEQUENCE  TIME                  TYPE            SESSION  LABELS  WHAT\n"
      "       4  2025-11-21 10:53:18Z  note            s1       k=v     one\\ntwo\n"
      "       7  2025-11-21 10:53:19Z  file_operation                   write src/a.c (ed)\n"
      "       8  2025-11-21 10:53:20Z  model_usage                      "
      "acme large 12 in 3 out 0.012500 USD 850ms\n"
      "       9  2025-11-21 10:53:21Z  resource        s1               reclaimed lock db\n",
      out_);
  ASSERT_EQ(CTL_OK, Run(ctl_history, {"a", "-o", "json"}));
  EXPECT_LT(out_.find("\"sequence\": 4"), out_.find("\"sequence\": 7"));
  EXPECT_LT(out_.find("\"sequence\": 8"), out_.find("\"sequence\": 9"));
  EXPECT_NE(std::string::npos, out_.find("\"sequence\": 9"));
}

TEST_F(TrackerCommandsTest, HistoryGivesScriptsAllThereIs) {
  Answer("ListActivities", kActivities);
  ASSERT_EQ(CTL_OK, Run(ctl_history, {"a", "--newest-first", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"activities": [
      {"sequence": 9, "time": "2025-11-21T10:53:21.059603Z", "type": "resource", "metadata": {},
       "session_id": "s1", "resource": {"name": "db", "type": "lock", "kind": "reclaimed"}},
      {"sequence": 8, "time": "2025-11-21T10:53:20.000000Z", "type": "model_usage", "metadata": {},
       "model": {"provider": "acme", "model": "large", "input_tokens": 12, "output_tokens": 3,
                 "cached_tokens": 0, "cost_micros": 12500, "currency": "USD",
                 "latency_us": 850000}},
      {"sequence": 7, "time": "2025-11-21T10:53:19.000000Z", "type": "file_operation",
       "metadata": {}, "file": {"path": "src/a.c", "operation": "write", "source": "ed"}},
      {"sequence": 4, "time": "2025-11-21T10:53:18.000000Z", "type": "note", "data": "one\ntwo",
       "content_type": "text/plain", "metadata": {"k": "v"}, "session_id": "s1"}],
      "more": false})"),
            Normal(out_));
}

TEST_F(TrackerCommandsTest, HistoryBeginsWhereItIsTold) {
  const std::pair<std::vector<std::string>, const char *> cases[] = {
      {{"--from", "7"}, "page_size: 100 from_sequence: 7"},
      {{"--from", "7", "--newest-first"}, "page_size: 100 newest_first: true from_sequence: 7"},
      {{"--all"}, "page_size: 1000"},
      {{"--all", "--newest-first"}, "page_size: 1000 newest_first: true"},
      {{"--type", "x", "--type", "y", "--limit", "9"},
       "page_size: 9 types: \"x\" types: \"y\" newest_first: true"},
      {{"--since", "2025-11-21T10:53:21.059603Z", "--until", "2025-11-21 10:54:00Z", "--all"},
       "page_size: 1000 start_time { seconds: 1763722401 nanos: 59603000 } "
       "end_time { seconds: 1763722440 }"}};
  Answer("ListActivities", "");
  for (const auto &[words, expected] : cases) {
    SCOPED_TRACE(expected);
    std::vector<std::string> all = words;
    all.insert(all.begin(), "a");
    ASSERT_EQ(CTL_OK, Run(ctl_history, all)) << err_;
    EXPECT_EQ(std::string("namespace: \"space\" context_id: \"a\" ") + expected, Request());
  }
  EXPECT_EQ(CTL_USAGE, Run(ctl_history, {"a", "--since", "yesterday"}));
  EXPECT_EQ(CTL_USAGE, Run(ctl_history, {"a", "--limit", "0"}));
}

TEST_F(TrackerCommandsTest, HistoryCountsATimeAgoFromNow) {
  Answer("ListActivities", "");
  auto now_s = [] {
    auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
  };
  int64_t before = now_s() - 600;
  ASSERT_EQ(CTL_OK, Run(ctl_history, {"a", "--since", "10m"}));
  int64_t after = now_s() - 600;
  static const std::regex seconds("start_time \\{ seconds: ([0-9]+)");
  std::smatch found;
  std::string request = Request();
  ASSERT_TRUE(std::regex_search(request, found, seconds)) << request;
  EXPECT_GE(std::stoll(found[1]), before);
  EXPECT_LE(std::stoll(found[1]), after);
}

TEST_F(TrackerCommandsTest, TruncateSaysWhatToKeep) {
  Answer("TruncateHistory", "removed_count: 1");
  Answer("TruncateHistory", "removed_count: 12");
  ASSERT_EQ(CTL_OK, Run(ctl_history_truncate, {"a", "--keep-from", "7"}));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" from_sequence: 7 write { }", Request());
  EXPECT_EQ("a has lost 1 activity\n", out_);
  ASSERT_EQ(CTL_OK, Run(ctl_history_truncate, {"a", "--keep-since", "2025-11-21T10:53:21Z"}));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" from_time { seconds: 1763722401 } write { }",
            Request());
  EXPECT_EQ("a has lost 12 activities\n", out_);
  EXPECT_EQ(CTL_USAGE, Run(ctl_history_truncate, {"a"}));
  EXPECT_EQ(CTL_USAGE, Run(ctl_history_truncate, {"a", "--keep-from", "7", "--keep-since", "1d"}));
}

TEST_F(TrackerCommandsTest, OptimizeTellsWhatWasDroppedOrWouldBe) {
  Answer("OptimizeHistory", "removed_count: 3 removed_bytes: 2048 kept_count: 5 kept_bytes: 9");
  ASSERT_EQ(CTL_OK, Run(ctl_history_optimize,
                        {"a", "--deduplicate", "--max-count", "5", "--max-bytes", "10"}));
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" max_bytes: 10 max_count: 5 deduplicate: true "
      "write { }",
      Request());
  EXPECT_EQ("a has lost 3 activities (2.0 KiB), and keeps 5 (9 B)\n", out_);
  ASSERT_EQ(CTL_OK, Run(ctl_history_optimize, {"a", "--max-count", "5", "--dry-run"}));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" max_count: 5 dry_run: true write { }",
            Request());
  EXPECT_EQ("a would lose 3 activities (2.0 KiB), and keep 5 (9 B)\n", out_);
  EXPECT_EQ(CTL_USAGE, Run(ctl_history_optimize, {"a", "--dry-run"}));
  EXPECT_EQ(CTL_USAGE, Run(ctl_history_optimize, {"a", "--max-count", "0"}));
}

// ---- Files, usage, resources. ------------------------------------------------

TEST_F(TrackerCommandsTest, FilesShowTheirLastOperation) {
  Answer("ListFiles",
         "files { last_operation { path: 'a\\tb' operation: 'write' source: 'ed' }"
         " time { seconds: 1763722398 } operation_count: 12 }");
  ASSERT_EQ(CTL_OK, Run(ctl_files, {"a", "--prefix", "src/"}));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" page_size: 100 path_prefix: \"src/\"",
            Request());
  EXPECT_EQ(
      "PATH  COUNT  LAST   SOURCE  TIME\n"
      "a\\tb     12  write  ed      2025-11-21 10:53:18Z\n",
      out_);
  ASSERT_EQ(CTL_OK, Run(ctl_files, {"a", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"files": [{"path": "a\tb", "operation": "write", "source": "ed",
                       "time": "2025-11-21T10:53:18.000000Z", "operation_count": 12}],
                       "more": false})"),
            Normal(out_));
}

TEST_F(TrackerCommandsTest, UsageOfAnEmptyIdIsNotThatOfTheNamespace) {
  EXPECT_EQ(CTL_USAGE, Run(ctl_usage, {""}));
}

TEST_F(TrackerCommandsTest, UsageIsOfAContextOrOfTheNamespace) {
  Answer("SummarizeUsage",
         "totals { provider: 'acme' model: 'large' mode: 'batch' currency: 'USD' call_count: 2"
         " input_tokens: 18446744073709551615 output_tokens: 7 cached_tokens: 1"
         " cost_micros: 1500000 latency { seconds: 61 } }");
  ASSERT_EQ(CTL_OK, Run(ctl_usage, {}));
  EXPECT_EQ("namespace: \"space\"", Request());
  EXPECT_EQ(
      "PROVIDER  MODEL  MODE   CALLS                 INPUT  OUTPUT  CACHED          COST  LATENCY\n"
      "acme      large  batch      2  18446744073709551615       7       1  1.500000 USD    "
      "1m01s\n",
      out_);
  ASSERT_EQ(CTL_OK, Run(ctl_usage, {"a", "-o", "json"}));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\"", Request());
  EXPECT_EQ(Normal(R"({"totals": [{"provider": "acme", "model": "large", "mode": "batch",
      "currency": "USD", "call_count": 2, "input_tokens": 18446744073709551615.0,
      "output_tokens": 7, "cached_tokens": 1, "cost_micros": 1500000,
      "latency_us": 61000000}]})"),
            Normal(out_));
}

TEST_F(TrackerCommandsTest, ResourcesAreTakenAndGivenBack) {
  Answer("AcquireResource",
         "resource { name: 'db' type: 'lock' session_id: 's1' time { seconds: 1763722398 } }");
  Answer("ReleaseResource", "write { revision: 7 }");
  ASSERT_EQ(CTL_OK, Run(ctl_resources_acquire, {"a", "db", "--session", "s1", "--type", "lock",
                                                "--label", "k=v", "--fence", "7"}));
  EXPECT_EQ("db of a is held\n", out_);
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" session_id: \"s1\" name: \"db\" type: \"lock\" "
      "metadata { key: \"k\" value: \"v\" } write { fence: 7 }",
      Request());
  ASSERT_EQ(CTL_OK, Run(ctl_resources_acquire, {"a", "db", "--session", "s1", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"name": "db", "type": "lock", "session_id": "s1", "metadata": {},
                       "time": "2025-11-21T10:53:18.000000Z"})"),
            Normal(out_));
  ASSERT_EQ(CTL_OK, Run(ctl_resources_release, {"a", "db", "--session", "s1"}));
  EXPECT_EQ("db of a is released\n", out_);
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" session_id: \"s1\" name: \"db\" write { }",
            Request());
}

TEST_F(TrackerCommandsTest, WhatIsHeldIsShownWithItsHolder) {
  Answer("ListResources",
         "resources { name: 'db' type: 'lock' session_id: 's1' time { seconds: 1763722398 }"
         " metadata { key: 'k' value: 'v' } }");
  ASSERT_EQ(CTL_OK, Run(ctl_resources, {"a"}));
  EXPECT_EQ(
      "NAME  TYPE  SESSION  SINCE                 LABELS\n"
      "db    lock  s1       2025-11-21 10:53:18Z  k=v\n",
      out_);
}

}  // namespace
