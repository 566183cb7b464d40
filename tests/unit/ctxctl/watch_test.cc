// What `ctxctl watch` promises: the request that its words become, what is shown of each
// event, and how it ends. The server is made of answers; tests/integration/ctxctl_test.py
// has a real one.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <deque>
#include <mutex>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/text_message.h"
#include "tests/unit/clients_c/fake_server.h"
#include "tests/unit/clients_c/wire.h"
#include "tests/unit/ctxctl/command_runner.h"

namespace {

using Answer = FakeServer::Answer;

const char kTime[] = "time { seconds: 1763722398 }";

// A stream of these messages in the text format, which then stays open.
Answer Open(const std::vector<std::string> &messages) {
  Answer answer;
  answer.silent = true;
  for (const std::string &message : messages) {
    answer.messages.push_back(TextEncode("SubscribeResponse", message));
  }
  return answer;
}

// The same, which then ends.
Answer Ending(const std::vector<std::string> &messages, const Answer &end) {
  Answer answer = end;
  answer.messages = Open(messages).messages;
  return answer;
}

std::string Event(const std::string &event) { return "events { events { " + event + " } }"; }

class WatchTest : public testing::Test {
 protected:
  WatchTest() {
    server_.Method("/contextd.v1.Tracker/Subscribe", [this](const std::string &packed) {
      std::lock_guard<std::mutex> lock(mutex_);
      requests_.push_back(TextDecode("SubscribeRequest", packed));
      Answer answer = answers_.front();
      if (answers_.size() > 1) answers_.pop_front();
      if (requests_.size() > 1 && raise_ != 0) kill(getpid(), raise_);
      return answer;
    });
  }

  // How the next streams are answered, the last one and all after alike.
  void Answers(const std::vector<Answer> &answers) {
    std::lock_guard<std::mutex> lock(mutex_);
    answers_.assign(answers.begin(), answers.end());
    requests_.clear();
  }

  ctl_exit Watch(const std::vector<std::string> &words) {
    ctl_exit exit = runner_.Run(ctl_watch, server_.address(), words);
    out_ = runner_.out();
    err_ = runner_.err();
    return exit;
  }

  // Watches with a file as stdout, which is closed after.
  ctl_exit WatchInto(int file) {
    static int out;
    ctl_command command = ctl_watch;
    out = file;
    command.run = [](ctl *ctl, const ctl_args *args) {
      int captured = dup(STDOUT_FILENO);
      dup2(out, STDOUT_FILENO);
      close(out);
      ctl_exit exit = ctl_watch.run(ctl, args);
      dup2(captured, STDOUT_FILENO);
      close(captured);
      clearerr(stdout);
      return exit;
    };
    ctl_exit exit = runner_.Run(command, server_.address(), {"--from", "c0"});
    err_ = runner_.err();
    return exit;
  }

  // What a watch prints of one event, or of one part.
  std::string Shown(const std::string &event, std::vector<std::string> words = {}) {
    Answers({Open({Event(event), "caught_up { cursor: 'end' }"})});
    words.push_back("--until-caught-up");
    EXPECT_EQ(CTL_OK, Watch(words)) << err_;
    return out_;
  }

  std::string Json(const std::string &event, std::vector<std::string> words = {}) {
    words.insert(words.end(), {"-o", "json"});
    return Normal(Shown(event, words));
  }

  // The words about a change of a context that was changed by these steps.
  std::string Steps(const std::string &mutations, const std::vector<std::string> &words = {}) {
    std::string line =
        Shown("type: EVENT_TYPE_UPDATED context { id: 'a' version: 7 } " + mutations, words);
    size_t at = line.find("v7 r0  ");
    return at != std::string::npos ? line.substr(at + 14, line.size() - at - 15) : line;
  }

  FakeServer server_;
  std::mutex mutex_;  // Guards the next three.
  std::deque<Answer> answers_;
  std::vector<std::string> requests_;
  int raise_ = 0;  // A signal that comes with the second stream and all after.
  CommandRunner runner_;
  std::string out_;
  std::string err_;
};

// ---- Events, for people. -----------------------------------------------------

TEST_F(WatchTest, ShowsWhenWhatWhereAndHow) {
  EXPECT_EQ(
      "2025-11-21 10:53:18Z  updated                 trip-42           v7 r1203      "
      "put goal=a quiet hotel (13 B), label stage=draft by s1\n",
      Shown(std::string("type: EVENT_TYPE_UPDATED cursor: 'c1' revision: 1203 ") + kTime +
            " context { id: 'trip-42' version: 7 } session_id: 's1'"
            " mutations { put_entry { key: 'goal' value: 'a quiet hotel' } }"
            " mutations { set_metadata { key: 'stage' value: 'draft' } }"));
}

TEST_F(WatchTest, HasWordsForEveryType) {
  const std::pair<std::string, std::string> cases[] = {
      {"type: EVENT_TYPE_CREATED revision: 1 context { id: 'a' version: 1 type: 'chat'"
       " parent_id: 'p' metadata { key: 'l' value: '1' } metadata { key: 'm' value: '' } }"
       " mutations { put_entry { key: 'k' value: 'v' } }"
       " mutations { set_metadata { key: 'm' value: '' } }"
       " mutations { delete_metadata { key: 'n' } }",
       "created                 a                 v1 r1         type chat, below p, label l=1, "
       "label m=, "
       "put k=v (1 B)"},
      {"type: EVENT_TYPE_UPDATED revision: 2 context { id: 'a' version: 2 }",
       "updated                 a                 v2 r2"},
      {"type: EVENT_TYPE_DELETED revision: 3 context { id: 'a' version: 2 entry_count: 1"
       " size_bytes: 2048 }",
       "deleted                 a                 v2 r3         1 entry, 2.0 KiB"},
      {"type: EVENT_TYPE_EXPIRED revision: 4 context { id: 'a' version: 2 entry_count: 3 }",
       "expired                 a                 v2 r4         3 entries, 0 B"},
      {"type: EVENT_TYPE_ACTIVITY revision: 5 context { id: 'a' version: 2 } session_id: 's1'"
       " mutations { record_activity { sequence: 12 type: 'note' data: 'hi' } }",
       "activity                a                 v2 r5         record 12 note hi by s1"},
      {"type: EVENT_TYPE_HISTORY_TRIMMED revision: 6 context { id: 'a' version: 2 }"
       " trimmed { first: 1 last: 9 } trimmed { first: 11 last: 11 }",
       "history_trimmed         a                 v2 r6         1-9, 11"},
      {"type: EVENT_TYPE_ACTIVATED revision: 7 context { id: 'a' version: 2 } session_id: 's1'"
       " activation { context_id: 'a' exclusive: true fence: 4 }",
       "activated               a                 v2 r7         exclusive, fence 4 by s1"},
      {"type: EVENT_TYPE_ACTIVATED revision: 8 context { id: 'a' version: 2 } session_id: 's1'"
       " activation { context_id: 'a' }",
       "activated               a                 v2 r8         shared by s1"},
      {"type: EVENT_TYPE_DEACTIVATED revision: 9 context { id: 'a' version: 2 }"
       " session_id: 's1' activation { context_id: 'a' }",
       "deactivated             a                 v2 r9         by s1"},
      {"type: EVENT_TYPE_SESSION_STARTED revision: 10 session_id: 's1'"
       " session { id: 's1' owner: 'ada' }",
       "session_started         s1                r10           owner ada"},
      {"type: EVENT_TYPE_SESSION_SWITCHED revision: 11 session_id: 's1'"
       " session { id: 's1' owner: 'ada' current_context_id: 'a' }",
       "session_switched        s1                r11           to a"},
      {"type: EVENT_TYPE_SESSION_SWITCHED revision: 12 session { id: 's1' }",
       "session_switched        s1                r12           to none"},
      {"type: EVENT_TYPE_SESSION_ENDED revision: 13 session { id: 's1' }",
       "session_ended           s1                r13"},
      {"type: EVENT_TYPE_SESSION_LOST revision: 14 session { id: 's1' owner: 'ada' }",
       "session_lost            s1                r14           owner ada"},
      {"type: EVENT_TYPE_SNAPSHOT revision: 15 context { id: 'a' version: 2 entry_count: 2"
       " size_bytes: 4 metadata { key: 'l' value: '1' } } entries { key: 'k' value: 'v' } entries "
       "{ key: 'l' value: 'w' }",
       "snapshot                a                 v2 r15        2 entries, 4 B, label l=1, k=v (1 "
       "B), "
       "l=w (1 B)"},
      {"type: EVENT_TYPE_RESTORED revision: 16 context { id: 'a' version: 3 }"
       " recovery_point_id: 'p1' mutations { delete_entry { key: 'k' } }",
       "restored                a                 v3 r16        delete k, recovery point p1"},
      {"type: EVENT_TYPE_FORKED revision: 17 context { id: 'b' version: 4 entry_count: 1"
       " size_bytes: 2 forked_from { context_id: 'a' version: 3 } metadata { key: 'l' value: '1' } "
       "}"
       " reset: true",
       "forked                  b                 v4 r17        from a@3, 1 entry, 2 B, label l=1, "
       "reset: read it anew"},
      {"type: EVENT_TYPE_MERGED revision: 17 context { id: 'a' version: 5 }"
       " mutations { put_entry { key: 'k' value: 'v' } }",
       "merged                  a                 v5 r17        put k=v (1 B)"},
      {"type: EVENT_TYPE_RECOVERY_POINT_UPDATED revision: 18 context { id: 'a' version: 4 }"
       " recovery_point_id: 'p1'",
       "recovery_point_updated  a                 v4 r18        recovery point p1"},
      {"type: 99 revision: 19 activation { context_id: 'a' }",
       "type_99                 a                 r19"}};
  for (const auto &[event, expected] : cases) EXPECT_EQ("  " + expected + "\n", Shown(event));
}

TEST_F(WatchTest, HasWordsForEveryStep) {
  const std::pair<std::string, std::string> cases[] = {
      {"mutations { put_entry { key: 'k' } }", "put k= (0 B)"},
      {"mutations { append_entry { key: 'log' value: 'more' } }", "append log=more (4 B)"},
      {"mutations { splice_entry { key: 'k' kept_size: 8192 value: 'end' } }",
       "put k=end (3 B) behind its first 8.0 KiB"},
      {"mutations { delete_entry { key: 'k' } }", "delete k"},
      {"mutations { delete_entries { prefix: 'tmp/' } }", "delete-prefix tmp/"},
      {"mutations { delete_entries { } }", "delete all"},
      {"mutations { set_metadata { key: 'k' value: 'v' } }", "label k=v"},
      {"mutations { delete_metadata { key: 'k' } }", "unlabel k"},
      {"mutations { set_expiry { ttl { seconds: 600 } sliding: true } }", "ttl 10m00s sliding"},
      {"mutations { set_expiry { } }", "ttl never"},
      {"mutations { record_activity { sequence: 3 type: 'file_operation'"
       " file { path: 'a' operation: 'read' } } }",
       "record 3 file_operation read a"},
      {"mutations { record_activity { sequence: 4 type: 'mark' } }", "record 4 mark"},
      {"mutations { set_recovery_policy { } }", "policy of the server"},
      {"mutations { set_recovery_policy { policy { retention { keep_last: 3 } } } }",
       "policy keep-last=3"},
      {"mutations { }", "a step that this ctxctl does not know"}};
  for (const auto &[mutations, expected] : cases) EXPECT_EQ(expected, Steps(mutations));
}

TEST_F(WatchTest, ShowsStoredTextInOneLineAndShortened) {
  EXPECT_EQ(
      "put k=" + std::string(57, 'x') + "... (97.7 KiB)",
      Steps("mutations { put_entry { key: 'k' value: '" + std::string(100000, 'x') + "' } }"));
  EXPECT_EQ("put k=\\x1b[2J\\n (5 B), label \\x1b=\\n, record 1 \\x1b \\n by \\x1b",
            Steps("mutations { put_entry { key: 'k' value: '\\033[2J\\n' } }"
                  " mutations { set_metadata { key: '\\033' value: '\\n' } }"
                  " mutations { record_activity { sequence: 1 type: '\\033' data: '\\n' } }"
                  " session_id: '\\033'"));
  std::string shown = Shown(
      "type: EVENT_TYPE_CREATED context { id: '\\033' type: '\\n' parent_id: '\\r'"
      " metadata { key: '\\033' value: '\\033' } }"
      " recovery_point_id: '\\t'");
  EXPECT_NE(std::string::npos,
            shown.find("type \\n, below \\r, label \\x1b=\\x1b, recovery point \\t"))
      << shown;
  EXPECT_EQ(std::string::npos, shown.find('\033'));
}

TEST_F(WatchTest, CountsTheStepsThatAreTooManyForALine) {
  std::string mutations;
  for (int i = 0; i < 20; i++) mutations += "mutations { delete_entry { key: 'k' } } ";
  EXPECT_EQ(
      "delete k, delete k, delete k, delete k, delete k, delete k, delete k, delete k and 12 more",
      Steps(mutations));
}

TEST_F(WatchTest, MarksAPartThatIsNotTheLast) {
  EXPECT_EQ("delete k ...", Steps("mutations { delete_entry { key: 'k' } } more: true"));
}

TEST_F(WatchTest, SaysNothingOfValuesThatWereLeftOut) {
  EXPECT_EQ("put k, append l, put m behind its first 4.0 KiB",
            Steps("mutations { put_entry { key: 'k' } } mutations { append_entry { key: 'l' } }"
                  " mutations { splice_entry { key: 'm' kept_size: 4096 } }",
                  {"--no-values"}));
  EXPECT_EQ("namespace: \"space\" without_values: true", requests_[0]);
  EXPECT_EQ(Normal(R"({"type": "updated", "revision": 0,
                       "mutations": [{"put_entry": {"key": "k"}}]})"),
            Json("type: EVENT_TYPE_UPDATED mutations { put_entry { key: 'k' } }", {"--no-values"}));
}

// ---- Events, for scripts. ----------------------------------------------------

const char kContextJson[] =
    R"({"namespace": "space", "id": "a", "metadata": {"k": "v"}, "version": 7, "revision": 9,
        "entry_count": 0, "size_bytes": 0})";

TEST_F(WatchTest, GivesScriptsEveryFieldOfAnEvent) {
  EXPECT_EQ(
      Normal(std::string(R"({"type": "updated", "cursor": "c1", "revision": 9,
          "time": "2025-11-21T10:53:18.000000Z", "context": )") +
             kContextJson + R"(, "mutations": [{"delete_entry": {"key": "k"}}],
          "trimmed": [{"first": 1, "last": 2}], "session_id": "s1", "recovery_point_id": "p1",
          "reset": true, "more": true})"),
      Json(std::string("type: EVENT_TYPE_UPDATED namespace: 'space' cursor: 'c1' revision: 9 ") +
           kTime +
           " context { namespace: 'space' id: 'a' metadata { key: 'k' value: 'v' } version: 7"
           " revision: 9 } mutations { delete_entry { key: 'k' } } trimmed { first: 1 last: 2 }"
           " session_id: 's1' recovery_point_id: 'p1' reset: true more: true"));
  EXPECT_EQ(Normal(R"({"type": "session_lost", "revision": 0, "session_id": "s1",
                       "session": {"id": "s1", "metadata": {}, "activations": []}})"),
            Json("type: EVENT_TYPE_SESSION_LOST session_id: 's1' session { id: 's1' }"));
  EXPECT_EQ(Normal(R"({"type": "activated", "revision": 0,
                       "activation": {"context_id": "a", "exclusive": true, "fence": 4}})"),
            Json("type: EVENT_TYPE_ACTIVATED"
                 " activation { context_id: 'a' exclusive: true fence: 4 }"));
  EXPECT_EQ(Normal(R"({"type": "deactivated", "revision": 0, "activation": {"context_id": "a"}})"),
            Json("type: EVENT_TYPE_DEACTIVATED activation { context_id: 'a' }"));
  EXPECT_EQ(Normal(R"({"type": "snapshot", "revision": 0, "entries": [
                       {"key": "k", "value": {"base64": "/wA="}, "content_type": "t",
                        "version": 3}]})"),
            Json("type: EVENT_TYPE_SNAPSHOT"
                 " entries { key: 'k' value: '\\377\\000' content_type: 't' version: 3 }"));
}

TEST_F(WatchTest, GivesScriptsEveryStep) {
  const std::pair<std::string, std::string> cases[] = {
      {"put_entry { key: 'k' value: '\\377\\000' content_type: 't' }",
       R"({"put_entry": {"key": "k", "value": {"base64": "/wA="}, "content_type": "t"}})"},
      {"append_entry { key: 'k' value: 'v' }", R"({"append_entry": {"key": "k", "value": "v"}})"},
      {"splice_entry { key: 'k' kept_size: 4096 value: 'v' content_type: 't' }",
       R"({"splice_entry": {"key": "k", "kept_size": 4096, "value": "v", "content_type": "t"}})"},
      {"delete_entry { key: 'k' }", R"({"delete_entry": {"key": "k"}})"},
      {"delete_entries { }", R"({"delete_entries": {"prefix": ""}})"},
      {"set_metadata { key: 'k' value: 'v' }", R"({"set_metadata": {"key": "k", "value": "v"}})"},
      {"delete_metadata { key: 'k' }", R"({"delete_metadata": {"key": "k"}})"},
      {"set_expiry { ttl { seconds: 2 nanos: 5000 } sliding: true }",
       R"({"set_expiry": {"ttl_us": 2000005, "sliding": true}})"},
      {"set_expiry { }", R"({"set_expiry": {"sliding": false}})"},
      {"record_activity { sequence: 3 type: 'note' data: 'd' session_id: 's1' }",
       R"({"record_activity": {"sequence": 3, "type": "note", "data": "d", "metadata": {},
           "session_id": "s1"}})"},
      {"set_recovery_policy { }", R"({"set_recovery_policy": {}})"},
      {"set_recovery_policy { policy { point_every_changes: 5 } }",
       R"({"set_recovery_policy": {"policy": {"point_every_changes": 5}}})"},
      {"", R"({"unknown": {}})"}};
  for (const auto &[mutation, expected] : cases) {
    EXPECT_EQ(Normal(R"({"type": "updated", "revision": 0, "mutations": [)" + expected + "]}"),
              Json("type: EVENT_TYPE_UPDATED mutations { " + mutation + " }"));
  }
}

TEST_F(WatchTest, PrintsOneObjectForEachEventOfAMessage) {
  Answers({Open({"events { events { cursor: 'c1' } events { cursor: 'c2' } }",
                 Event("cursor: 'c3'"), "caught_up { cursor: 'c4' }"})});
  ASSERT_EQ(CTL_OK, Watch({"-o", "json", "--until-caught-up"}));
  std::istringstream lines(out_);
  std::string line;
  for (std::string cursor : {"c1", "c2", "c3"}) {
    std::getline(lines, line);
    EXPECT_EQ(Normal(R"({"type": "unspecified", "revision": 0, "cursor": ")" + cursor + "\"}"),
              Normal(line));
  }
  EXPECT_FALSE(std::getline(lines, line));
  EXPECT_EQ(Normal(R"({"watch": "ended", "cursor": "c4"})"), Normal(err_));
}

// ---- What is asked for. ------------------------------------------------------

TEST_F(WatchTest, AsksForWhatItsWordsSay) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{}, ""},
      {{"a", "b"}, " context_ids: \"a\" context_ids: \"b\""},
      {{"--prefix", "p", "--type", "t", "--label", "k=v", "--label", "l="},
       " id_prefix: \"p\" type: \"t\" metadata { key: \"k\" value: \"v\" }"
       " metadata { key: \"l\" value: \"\" }"},
      {{"--event", "updated", "--event", "recovery_point_created"},
       " event_types: EVENT_TYPE_UPDATED event_types: EVENT_TYPE_RECOVERY_POINT_CREATED"},
      {{"--event", "session_lost"}, " event_types: EVENT_TYPE_SESSION_LOST"},
      {{"--key-prefix", "k/", "--from", "c7"}, " key_prefix: \"k/\" cursor: \"c7\""},
      {{"--from", "oldest"}, " from_oldest: true"},
      {{"--from", "oldest", "--from", "now"}, ""},
      {{"--snapshot"}, " with_snapshot: true"}};
  for (auto [words, expected] : cases) {
    Answers({Open({"caught_up { cursor: 'c1' }"})});
    words.push_back("--until-caught-up");
    ASSERT_EQ(CTL_OK, Watch(words)) << err_;
    EXPECT_EQ("namespace: \"space\"" + expected, requests_[0]);
  }
}

TEST_F(WatchTest, RefusesWhatMakesNoSense) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"--event", "nonsense"}, "--event is one of created, updated, deleted, "},
      {{"--event", "unspecified"}, "not 'unspecified'"},
      {{"--event", ""}, "not ''"},
      {{"--from", ""}, "--from is empty"},
      {{"--from", "oldest", "--snapshot"}, "--snapshot or --from: not both"},
      {{"--count", "0"}, "--count is above 0"},
      {{"--count", "x"}, "--count takes a number"},
      {{"--label", "k"}, "--label takes KEY=VALUE"},
      {{"a", "--event", "session_started"}, "events of sessions are shown where no contexts"},
      {{"--type", "t", "--event", "session_ended"}, "events of sessions are shown where"},
      {{"--prefix", "p", "--event", "updated", "--event", "session_lost"}, "events of sessions"},
      {{"--label", "k=v", "--event", "session_switched"}, "events of sessions are shown where"}};
  for (const auto &[words, expected] : cases) {
    EXPECT_EQ(CTL_USAGE, Watch(words)) << expected;
    EXPECT_NE(std::string::npos, err_.find(expected)) << err_;
  }
  EXPECT_EQ(0u, requests_.size());
}

// ---- How it goes on. ---------------------------------------------------------

TEST_F(WatchTest, ShowsPositionsWhereItIsAskedTo) {
  const std::vector<std::string> messages = {"progress { cursor: 'c1' }", Event("cursor: 'c2'"),
                                             "progress { cursor: 'c3' }",
                                             "caught_up { cursor: 'c4' }"};
  Answers({Open(messages)});
  ASSERT_EQ(CTL_OK, Watch({"--until-caught-up", "--progress"}));
  EXPECT_EQ(
      "progress c1\n"
      "  unspecified                               r0\n"
      "progress c3\n"
      "caught_up c4\n",
      out_);
  ASSERT_EQ(CTL_OK, Watch({"--until-caught-up", "--progress", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"type": "progress", "cursor": "c1"})"),
            Normal(out_.substr(0, out_.find('\n'))));
  ASSERT_EQ(CTL_OK, Watch({"--until-caught-up"}));
  EXPECT_EQ("  unspecified                               r0\n", out_);
  EXPECT_EQ("watch: to go on: --from c4\n", err_);
}

TEST_F(WatchTest, TellsThatItLostTheServerAndRepeatsNothing) {
  Answer stopping = Refusal(CXC_UNAVAILABLE, "STOPPING", {});
  std::vector<Answer> answers = {
      Ending({Event("cursor: 'c1' revision: 1")}, stopping), stopping, stopping,
      Open({Event("cursor: 'c2' revision: 2"), "caught_up { cursor: 'c3' }"})};
  Answers(answers);
  ASSERT_EQ(CTL_OK, Watch({"--from", "oldest", "--until-caught-up"}));
  EXPECT_EQ(
      "  unspecified                               r1\n"
      "  unspecified                               r2\n",
      out_);
  EXPECT_EQ(
      "watch: connection lost, resuming behind c1 (STOPPING)\n"
      "watch: resumed\n"
      "watch: to go on: --from c3\n",
      err_);
  EXPECT_EQ("namespace: \"space\" cursor: \"c1\"", requests_.back());
  Answers(answers);
  ASSERT_EQ(CTL_OK, Watch({"--from", "oldest", "--until-caught-up", "-o", "json"}));
  std::istringstream lines(err_);
  std::string line;
  for (std::string expected :
       {R"({"watch": "lost", "cursor": "c1", "reason": "STOPPING"})", R"({"watch": "resumed"})",
        R"({"watch": "ended", "cursor": "c3"})"}) {
    std::getline(lines, line);
    EXPECT_EQ(Normal(expected), Normal(line));
  }
}

TEST_F(WatchTest, TellsThatItBeginsAgainWhereThereIsNoPosition) {
  Answers(
      {Ending({"events { }"}, Answer{{}, CXC_UNAVAILABLE}), Open({"caught_up { cursor: 'c1' }"})});
  ASSERT_EQ(CTL_OK, Watch({"--until-caught-up"}));
  EXPECT_EQ(
      "watch: connection lost, beginning again (UNAVAILABLE)\n"
      "watch: resumed\n"
      "watch: to go on: --from c1\n",
      err_);
}

// ---- How it ends. ------------------------------------------------------------

TEST_F(WatchTest, CountsWholeEventsAndEndsBehindTheLast) {
  Answers({Open({Event("cursor: 'c1' more: true"), Event("cursor: 'c2'"),
                 "events { events { cursor: 'c3' more: true } events { cursor: 'c4' }"
                 " events { cursor: 'c5' } }"})});
  ASSERT_EQ(CTL_OK, Watch({"--count", "2"}));
  EXPECT_EQ("watch: to go on: --from c4\n", err_);
  EXPECT_EQ(
      "  unspecified                               r0            ...\n"
      "  unspecified                               r0\n"
      "  unspecified                               r0            ...\n"
      "  unspecified                               r0\n",
      out_);
}

TEST_F(WatchTest, ASignalEndsItWithThePositionToGoOnWith) {
  for (int number : {SIGINT, SIGTERM}) {
    for (const auto &[words, before, expected] :
         std::vector<std::tuple<std::vector<std::string>, std::string, std::string>>{
             {{}, "events { }", ""},
             {{"--from", "c0"}, "", "watch: to go on: --from c0\n"},
             {{"--from", "c0"}, "progress { cursor: 'c1' }", "watch: to go on: --from c1\n"},
             {{}, Event("cursor: 'c1'"), "watch: to go on: --from c1\n"}}) {
      signal(number, SIG_DFL);
      Answers({Ending(before.empty() ? std::vector<std::string>{} : std::vector{before},
                      Answer{{}, CXC_UNAVAILABLE}),
               Open({})});
      raise_ = number;  // With the second stream.
      EXPECT_EQ(CTL_OK, Watch(words));
      if (!before.empty()) err_.erase(0, err_.find('\n') + 1);  // That the first was lost.
      EXPECT_EQ(expected, err_);
      EXPECT_EQ(SIG_DFL, signal(number, SIG_DFL));
    }
  }
}

TEST_F(WatchTest, EndsQuietlyWhenNobodyReads) {
  for (bool says_something : {false, true}) {
    SCOPED_TRACE(says_something ? "an event" : "a server that says nothing");
    Answers({Open(says_something ? std::vector<std::string>{Event("cursor: 'c1'")}
                                 : std::vector<std::string>{})});
    int ends[2];
    ASSERT_EQ(0, pipe(ends));
    close(ends[0]);
    EXPECT_EQ(CTL_OK, WatchInto(ends[1]));
    EXPECT_EQ("", err_);
  }
}

TEST_F(WatchTest, ComplainsWhenItCannotWrite) {
  Answers({Open({Event("cursor: 'c1'")})});
  EXPECT_EQ(CTL_INPUT, WatchInto(open("/dev/full", O_WRONLY)));
  EXPECT_EQ("ctxctl: cannot write the output\n", err_);
}

TEST_F(WatchTest, TellsWhereToBeginWhenEventsAreGone) {
  Answers({Refusal(CXC_OUT_OF_RANGE, "CURSOR_COMPACTED", {{"oldest_cursor", "c9"}})});
  EXPECT_EQ(CTL_NOT_FOUND, Watch({"--from", "c1"}));
  EXPECT_EQ(
      "ctxctl: cannot watch: refused (CURSOR_COMPACTED). `--from c9` or `--from oldest` begins "
      "with "
      "the oldest that is retained, `--snapshot` with the contexts as they are\n",
      err_);
  EXPECT_EQ("", out_);
}

TEST_F(WatchTest, HasTheExitCodesOfOtherCommands) {
  const std::pair<Answer, ctl_exit> cases[] = {
      {Refusal(CXC_INVALID_ARGUMENT, "INVALID_FIELD", {{"field", "cursor"}}), CTL_USAGE},
      {Refusal(CXC_RESOURCE_EXHAUSTED, "LIMIT_REACHED", {}), CTL_LIMIT},
      {Refusal(CXC_UNIMPLEMENTED, "NOT_SUPPORTED", {}), CTL_FAILED}};
  for (const auto &[answer, expected] : cases) {
    Answers({answer});
    EXPECT_EQ(expected, Watch({})) << err_;
    EXPECT_EQ(1u, requests_.size());
  }
}

}  // namespace
