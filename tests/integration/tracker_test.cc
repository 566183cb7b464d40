// contextd.v1.Tracker through a port: what its methods promise, and what becomes of bad
// input. The last tests are against the real binary. Each method in detail is tested in
// tests/unit/services.

#include "tests/integration/port_fixture.h"

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/pattern.h"
#include "tests/support/server_process.h"

namespace {

using Strings = std::vector<std::string>;

std::string FindOne(const std::string &text, const std::string &pattern) {
  Strings found = FindAll(text, pattern);
  EXPECT_EQ(1u, found.size()) << text;
  return found.empty() ? "" : found[0];
}

std::string SessionOf(const std::string &text) {
  return FindOne(text, "session \\{ namespace: \"[^\"]*\" id: \"([0-9a-f]{32})\"");
}

std::string On(const std::string &session, const std::string &context,
               const std::string &more = "") {
  return "session_id: '" + session + "' context_id: '" + context + "' " + more;
}

std::string Write(const std::string &session, const std::string &fence = "0") {
  return "write { session_id: '" + session + "' fence: " + fence + " } ";
}

class TrackerTest : public PortFixture {
 protected:
  std::string Start(const std::string &request = "create_if_missing {}") {
    return SessionOf(Ask("StartSession", request));
  }

  std::string Activate(const std::string &session, const std::string &context,
                       const std::string &more = "") {
    return Ask("ActivateContext", On(session, context, more));
  }

  // The fence of an exclusive activation.
  std::string Take(const std::string &session, const std::string &context,
                   const std::string &more = "") {
    std::string text = Activate(session, context, "exclusive: true " + more);
    return FindOne(text, "activation \\{ context_id: \"[^\"]*\" fence: ([0-9]+)");
  }

  std::string Put(const std::string &context, const std::string &value, const std::string &more) {
    return Ask("UpdateContext", "context_id: '" + context +
                                    "' create_if_missing {} mutations { put_entry { key: 'k' "
                                    "value: '" +
                                    value + "' } } " + more);
  }

  std::string Record(const std::string &context, const std::string &activity,
                     const std::string &more = "") {
    return Ask("RecordActivities", "context_id: '" + context +
                                       "' create_if_missing {} activities { " + activity + " } " +
                                       more);
  }

  static std::string Invalid(const std::string &field, const std::string &rule) {
    return "INVALID_FIELD field=" + field + " rule=" + rule;
  }

  // Expects the same of every call that names a session.
  void ExpectGone(const std::string &session, const std::string &more = "") {
    const std::string gone = "SESSION_NOT_FOUND session_id=" + session;
    const std::string name = more + "session_id: '" + session + "' ";
    for (const char *method : {"RenewSession", "GetSession"}) EXPECT_EQ(gone, Ask(method, name));
    for (const char *method : {"ActivateContext", "SwitchContext", "DeactivateContext"}) {
      EXPECT_EQ(gone, Ask(method, name + "context_id: 'a'")) << method;
    }
    for (const char *method : {"AcquireResource", "ReleaseResource"}) {
      EXPECT_EQ(gone, Ask(method, name + "context_id: 'a' name: 'r'")) << method;
    }
    const std::string write = more + "context_id: 'a' " + Write(session);
    EXPECT_EQ(gone, Ask("RecordActivities", write + "activities { type: 't' }"));
    EXPECT_EQ(gone, Ask("TruncateHistory", write + "from_sequence: 1"));
    EXPECT_EQ(gone, Ask("OptimizeHistory", write));
    EXPECT_EQ(gone, Ask("UpdateContext", write + "mutations { delete_entry { key: 'k' } }"));
    EXPECT_EQ(gone, Ask("DeleteContext", write));
  }
};

// ---- Sessions. --------------------------------------------------------------------------

TEST_F(TrackerTest, RefusesWhateverNamesAnUnknownSession) {
  Put("a", "v", "");
  ExpectGone("none");
  EXPECT_EQ("write { }", Ask("EndSession", "session_id: 'none'"));
}

TEST_F(TrackerTest, RefusesWhateverNamesASessionThatHasEnded) {
  Put("a", "v", "");
  std::string id = Start();
  Ask("EndSession", "session_id: '" + id + "'");
  ExpectGone(id);
  EXPECT_EQ("write { }", Ask("EndSession", "session_id: '" + id + "'"));
}

TEST_F(TrackerTest, RefusesWhateverNamesASessionWhoseTimeIsOver) {
  Put("a", "v", "");
  std::string id = Start("ttl { seconds: 5 }");
  clock_.now_us += 5 * CX_SECOND_US;
  ExpectGone(id);
}

TEST_F(TrackerTest, RefusesASessionOfAnotherNamespace) {
  Put("a", "v", "");
  std::string id = Start("namespace: 'n'");
  ExpectGone(id);
  EXPECT_EQ("write { }", Ask("EndSession", "session_id: '" + id + "'"));
  EXPECT_EQ(id, SessionOf(Ask("GetSession", "namespace: 'n' session_id: '" + id + "'")));
}

TEST_F(TrackerTest, KeepsASessionThatIsRenewed) {
  std::string id = Start("ttl { seconds: 5 }");
  for (int i = 0; i < 5; i++) {
    clock_.now_us += 4 * CX_SECOND_US;
    EXPECT_EQ(0u, Ask("RenewSession", "session_id: '" + id + "'").find("expire_time {"));
  }
}

TEST_F(TrackerTest, EndsASessionWithAllThatItHolds) {
  std::string id = Start();
  Take(id, "a");
  Activate(id, "b");
  Ask("AcquireResource", On(id, "a", "name: 'gpu'"));
  EXPECT_EQ(0u, Ask("EndSession", "session_id: '" + id + "'").find("write { revision: "));
  for (const char *context : {"a", "b"}) {
    std::string text = Ask("GetContextStatus", "context_id: '" + std::string(context) + "'");
    EXPECT_EQ(0u, text.find("status: STATUS_INACTIVE")) << text;
  }
  EXPECT_EQ("", Ask("ListResources", "context_id: 'a'"));
}

TEST_F(TrackerTest, GivesBackWhatALostSessionHeld) {
  std::string lost = Start("create_if_missing {} ttl { seconds: 5 }"), other = Start();
  std::string fence = Take(lost, "a", "guard: true");
  Ask("AcquireResource", On(lost, "a", "name: 'gpu' " + Write(lost, fence)));
  clock_.now_us += 5 * CX_SECOND_US;
  EXPECT_EQ("2", Take(other, "a"));
  EXPECT_EQ(0u, Ask("AcquireResource", On(other, "a", "name: 'gpu'")).find("resource {"));
  Strings steps = FindAll(Ask("ListActivities", "context_id: 'a'"), "kind: (KIND_[A-Z]+)");
  EXPECT_EQ((Strings{"KIND_ACQUIRED", "KIND_RECLAIMED", "KIND_ACQUIRED"}), steps);
}

TEST_F(TrackerTest, ListsSessionsPageByPage) {
  Strings ids, found;
  std::string token;
  for (int i = 0; i < 25; i++) ids.push_back(Start());
  do {
    std::string text = Ask("ListSessions", "page_size: 10 page_token: '" + token + "'");
    for (const auto &id : FindAll(text, "sessions \\{ namespace: \"default\" id: \"([^\"]*)\"")) {
      found.push_back(id);
    }
    Strings tokens = FindAll(text, "next_page_token: \"([^\"]*)\"");
    token = tokens.empty() ? "" : tokens[0];
  } while (!token.empty());
  EXPECT_EQ(ids, found);
}

// ---- Activation. ------------------------------------------------------------------------

TEST_F(TrackerTest, ActivatesAMissingContextOnlyWhereItMayCreateIt) {
  std::string plain = Start(""), creates = Start("create_if_missing { type: 'chat' }");
  EXPECT_EQ("CONTEXT_NOT_FOUND", Activate(plain, "a"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("SwitchContext", On(plain, "a")));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("StartSession", "default_context_id: 'a'"));
  EXPECT_NE(std::string::npos, Activate(creates, "a").find("type: \"chat\""));
  EXPECT_EQ(0u, Activate(plain, "a").find("activation {"));
  std::string orphans = Start("create_if_missing { parent_id: 'none' }");
  EXPECT_EQ("PARENT_NOT_FOUND parent_id=none", Activate(orphans, "b"));
}

TEST_F(TrackerTest, DoesNotCreateAContextBelowItself) {
  std::string id = Start("create_if_missing { parent_id: 'p' create_parent: true }");
  EXPECT_EQ("PARENT_NOT_FOUND parent_id=p", Activate(id, "p"));
  EXPECT_EQ(0u, Activate(id, "a").find("activation {"));
}

TEST_F(TrackerTest, NamesTheLimitOfActiveContexts) {
  std::string id = Start("create_if_missing {} max_active_contexts: 1");
  Activate(id, "a");
  EXPECT_EQ("LIMIT_REACHED limit=max_active_contexts value=1", Activate(id, "b"));
  EXPECT_EQ("LIMIT_REACHED limit=max_active_contexts value=1", Ask("SwitchContext", On(id, "b")));
}

TEST_F(TrackerTest, LetsOneOfTwoHaveAContextExclusively) {
  std::string first = Start("owner: 'ann' create_if_missing {}"), second = Start();
  Take(first, "a");
  EXPECT_EQ("CONTEXT_BUSY owner=ann session_id=" + first, Activate(second, "a", "exclusive: true"));
  EXPECT_EQ("2", Take(second, "a", "takeover: true"));
  EXPECT_EQ("NOT_ACTIVE", Ask("DeactivateContext", On(first, "a")));
}

TEST_F(TrackerTest, LetsExactlyOneOfManyWin) {
  constexpr int kSessions = 8;
  Put("a", "v", "");
  Strings ids;
  for (int i = 0; i < kSessions; i++) ids.push_back(Start());
  std::atomic<int> won{0}, busy{0};
  std::vector<std::thread> threads;
  for (const std::string &id : ids) {
    threads.emplace_back([&, id] {
      std::string text = Activate(id, "a", "exclusive: true");
      if (text.find("activation {") == 0) won++;
      if (text.find("CONTEXT_BUSY") == 0) busy++;
    });
  }
  for (auto &thread : threads) thread.join();
  EXPECT_EQ(1, won);
  EXPECT_EQ(kSessions - 1, busy);
}

TEST_F(TrackerTest, SwitchesAndFallsBack) {
  std::string id = Start("create_if_missing {} default_context_id: 'home'");
  for (const char *context : {"a", "b"}) Activate(id, context);
  auto current = [](const std::string &text) {
    return FindOne(text, "current_context_id: \"([^\"]*)\"");
  };
  EXPECT_EQ("home", current(Ask("GetSession", "session_id: '" + id + "'")));
  EXPECT_EQ("b", current(Ask("SwitchContext", On(id, "b"))));
  EXPECT_EQ("a", current(Ask("SwitchContext", On(id, "a"))));
  EXPECT_EQ("home", current(Ask("DeactivateContext", On(id, "a"))));
  EXPECT_EQ("b", current(Ask("DeactivateContext", On(id, "home"))));
}

// ---- Fences. ----------------------------------------------------------------------------

TEST_F(TrackerTest, RefusesAPausedWriterAfterATakeover) {
  Put("a", "before", "");
  std::string paused = Start(), other = Start();
  std::string stale = Take(paused, "a"), fence = Take(other, "a", "takeover: true");
  EXPECT_EQ(0u, Put("a", "theirs", Write(other, fence)).find("version: 2"));
  EXPECT_EQ("STALE_FENCE current_fence=2", Put("a", "mine", Write(paused, stale)));
  EXPECT_EQ("STALE_FENCE current_fence=2", Record("a", "type: 'mine'", Write(paused, stale)));
  EXPECT_NE(std::string::npos,
            Ask("GetContext", "state { context_id: 'a' }").find("value: \"theirs\" version: 2"));
  EXPECT_EQ("", Ask("ListActivities", "context_id: 'a'"));
}

TEST_F(TrackerTest, RefusesAFenceWhoseActivationIsOver) {
  std::string id = Start("create_if_missing {} ttl { seconds: 5 }");
  std::string fence = Take(id, "a");
  Ask("DeactivateContext", On(id, "a"));
  EXPECT_EQ("STALE_FENCE current_fence=1", Put("a", "v", "write { fence: " + fence + " }"));
  fence = Take(id, "a");
  clock_.now_us += 5 * CX_SECOND_US;
  EXPECT_EQ("STALE_FENCE current_fence=2", Put("a", "v", "write { fence: " + fence + " }"));
}

TEST_F(TrackerTest, RefusesAWriteWithoutAFenceWhereAContextIsGuarded) {
  std::string id = Start();
  std::string fence = Take(id, "a", "guard: true");
  EXPECT_EQ("STALE_FENCE current_fence=1", Put("a", "v", ""));
  EXPECT_EQ("STALE_FENCE current_fence=1", Ask("DeleteContext", "context_id: 'a'"));
  EXPECT_EQ("STALE_FENCE current_fence=1", Ask("OptimizeHistory", "context_id: 'a'"));
  EXPECT_EQ("STALE_FENCE current_fence=1", Record("a", "type: 't'"));
  EXPECT_EQ(0u, Put("a", "v", Write(id, fence)).find("version: "));
  EXPECT_EQ(0u, Ask("DeactivateContext", On(id, "a")).find("session {"));
  EXPECT_EQ(0u, Put("a", "w", "").find("version: "));
}

TEST_F(TrackerTest, ShowsTheFenceOfAContext) {
  std::string id = Start();
  Take(id, "a");
  EXPECT_EQ("1", FindOne(Ask("GetContext", "state { context_id: 'a' }"), " fence: ([0-9]+)"));
  EXPECT_EQ("1", FindOne(Ask("ListContexts"), " fence: ([0-9]+)"));
}

// ---- Histories. -------------------------------------------------------------------------

TEST_F(TrackerTest, RefusesTimesInTheWrongOrder) {
  EXPECT_EQ(
      Invalid("end_time", "must not be before start_time"),
      Ask("ListActivities", "context_id: 'a' start_time { seconds: 2 } end_time { seconds: 1 }"));
}

TEST_F(TrackerTest, RefusesNegativeZeroAndAbsurdDurations) {
  for (const char *ttl : {"seconds: -1", "", "nanos: 1"}) {
    EXPECT_EQ(Invalid("ttl", "must be at least 1 seconds"),
              Ask("StartSession", std::string("ttl { ") + ttl + " }"));
  }
  EXPECT_EQ(Invalid("ttl", "must be at most 86400 seconds"),
            Ask("StartSession", "ttl { seconds: 9223372036854775807 }"));
  EXPECT_EQ(Invalid("activities[0].model.latency", "must not be negative"),
            Record("a", "model { latency { seconds: -1 } }"));
  EXPECT_EQ(Invalid("activities[0].model.latency", "must be at most 3153600000 seconds"),
            Record("a", "model { latency { seconds: 3153600001 } }"));
}

TEST_F(TrackerTest, RefusesATypeThatIsEmptyOrTooLong) {
  EXPECT_EQ(Invalid("activities[0].type", "must not be empty without a detail"),
            Record("a", "data: 'd'"));
  EXPECT_EQ(Invalid("activities[0].type", "must have at most 64 bytes"),
            Record("a", "type: '" + std::string(65, 't') + "'"));
}

TEST_F(TrackerTest, RefusesActivitiesThatDoNotFitIntoAMessage) {
  EXPECT_EQ("LIMIT_REACHED limit=value_size_max value=1048576",
            Record("a", "type: 't' data: '" + std::string(CX_MIB + 1, 'd') + "'"));
  EXPECT_EQ(
      0u,
      Record("a", "type: 't' data: '" + std::string(CX_MIB, 'd') + "'").find("first_sequence: 1 "));
  EXPECT_EQ(GRPC_STATUS_RESOURCE_EXHAUSTED,
            Send("RecordActivities", std::string(5 * CX_MIB, '\0')).code);
}

TEST_F(TrackerTest, RefusesAnActivityThatWouldNotFitIntoAnAnswer) {
  constexpr size_t kMessage = 67 * CX_KIB, kLargest = kMessage - 4 * CX_KIB;
  Stop();
  options_.message_size_max = kMessage;
  options_.value_size_max = CX_KIB;
  PortFixture::Start();
  auto labels = [](int count) {
    std::string text;
    for (int i = 10; i < 10 + count; i++) {
      text +=
          "metadata { key: 'k" + std::to_string(i) + "' value: '" + std::string(1024, 'v') + "' } ";
    }
    return text;
  };
  auto activity = [&](size_t size) {
    return "type: 't' data: '" + std::string(size, 'd') + "' " + labels(62);
  };
  size_t size = 200;
  size += kLargest - TextEncode("Activity", activity(size)).size();
  ASSERT_EQ(kLargest, TextEncode("Activity", activity(size)).size());
  EXPECT_EQ("LIMIT_REACHED limit=message_size_max value=68608", Record("a", activity(size + 1)));
  EXPECT_EQ("LIMIT_REACHED limit=message_size_max value=68608",
            Put("a", "v", "mutations { record_activity { " + activity(size + 1) + " } }"));
  EXPECT_EQ("LIMIT_REACHED limit=message_size_max value=68608",
            Ask("AcquireResource", On("s", "a", "name: 'r' " + labels(63))));
  EXPECT_EQ(0u, Record("a", activity(size)).find("first_sequence: 1 "));
  EXPECT_EQ(0u, Ask("ListActivities", "context_id: 'a'").find("activities {"));
}

TEST_F(TrackerTest, RecordsInTheChangeOfAnUpdate) {
  EXPECT_EQ("version: 1 write { revision: 2 }",
            Put("a", "v", "mutations { record_activity { type: 't' data: 'd' } }"));
  EXPECT_EQ("1", FindOne(Ask("ListActivities", "context_id: 'a'"), "sequence: ([0-9]+)"));
}

TEST_F(TrackerTest, ListsTheNewestOfALongHistoryAndFromTheMiddle) {
  std::string activities;
  for (int i = 0; i < 1000; i++) activities += "activities { type: 't' } ";
  for (int i = 0; i < 5; i++) {
    Ask("RecordActivities", "context_id: 'a' create_if_missing {} " + activities);
  }
  auto list = [&](const std::string &more) {
    return FindAll(Ask("ListActivities", "context_id: 'a' page_size: 3 " + more),
                   "sequence: ([0-9]+)");
  };
  EXPECT_EQ((Strings{"5000", "4999", "4998"}), list("newest_first: true"));
  EXPECT_EQ((Strings{"2500", "2501", "2502"}), list("from_sequence: 2500"));
  EXPECT_EQ((Strings{"2500", "2499", "2498"}), list("from_sequence: 2500 newest_first: true"));
}

TEST_F(TrackerTest, DropsTheOldestBeyondABound) {
  Stop();
  options_.history_count_max = 3;
  PortFixture::Start();
  for (int i = 0; i < 5; i++) Record("a", "type: 't'");
  EXPECT_EQ((Strings{"3", "4", "5"}),
            FindAll(Ask("ListActivities", "context_id: 'a'"), "sequence: ([0-9]+)"));
}

TEST_F(TrackerTest, TruncatesAndOptimizes) {
  for (int i = 0; i < 6; i++) Record("a", "type: 't' data: '" + std::to_string(i % 3) + "'");
  EXPECT_EQ(0u, Ask("TruncateHistory", "context_id: 'a' from_sequence: 2")
                    .find("removed_count: 1 write { revision: "));
  EXPECT_EQ(0u, Ask("OptimizeHistory", "context_id: 'a' deduplicate: true")
                    .find("removed_count: 2 removed_bytes: 2 kept_count: 3 kept_bytes: 3 "));
  EXPECT_EQ((Strings{"4", "5", "6"}),
            FindAll(Ask("ListActivities", "context_id: 'a'"), "sequence: ([0-9]+)"));
}

TEST_F(TrackerTest, SumsUpFilesAndUsage) {
  for (int i = 0; i < 3; i++) {
    Record("a", "file { path: '/f' operation: 'read' }");
    Record("b", "model { provider: 'p' model: 'm' input_tokens: 2 cost_micros: 3 }");
  }
  EXPECT_NE(std::string::npos,
            Ask("ListFiles", "context_id: 'a' path_prefix: '/'").find("operation_count: 3"));
  EXPECT_EQ(
      "totals { provider: \"p\" model: \"m\" currency: \"USD\" call_count: 3 input_tokens: 6 "
      "cost_micros: 9 }",
      Ask("SummarizeUsage"));
}

// ---- Resources. -------------------------------------------------------------------------

TEST_F(TrackerTest, RefusesToReleaseAResourceThatAnotherHolds) {
  Put("a", "v", "");
  std::string first = Start(), second = Start();
  Ask("AcquireResource", On(first, "a", "name: 'gpu'"));
  EXPECT_EQ("RESOURCE_HELD session_id=" + first,
            Ask("AcquireResource", On(second, "a", "name: 'gpu'")));
  EXPECT_EQ("RESOURCE_NOT_HELD session_id=" + first,
            Ask("ReleaseResource", On(second, "a", "name: 'gpu'")));
  EXPECT_EQ("RESOURCE_NOT_HELD", Ask("ReleaseResource", On(second, "a", "name: 'free'")));
}

// ---- The wire. --------------------------------------------------------------------------

TEST_F(TrackerTest, SaysOfEachErrorItsStatus) {
  Put("a", "v", "");
  std::string first = Start(), second = Start();
  Take(first, "a");
  Ask("AcquireResource", On(first, "a", "name: 'gpu'"));
  struct {
    const char *method;
    std::string request;
    grpc_status_code code;
    const char *reason;
  } rows[] = {
      {"GetSession", "session_id: 's'", GRPC_STATUS_NOT_FOUND, "SESSION_NOT_FOUND"},
      {"ActivateContext", On(second, "a", "exclusive: true"), GRPC_STATUS_FAILED_PRECONDITION,
       "CONTEXT_BUSY"},
      {"DeactivateContext", On(second, "a"), GRPC_STATUS_FAILED_PRECONDITION, "NOT_ACTIVE"},
      {"RecordActivities", "context_id: 'a' activities { type: 't' } write { fence: 9 }",
       GRPC_STATUS_FAILED_PRECONDITION, "STALE_FENCE"},
      {"AcquireResource", On(second, "a", "name: 'gpu'"), GRPC_STATUS_FAILED_PRECONDITION,
       "RESOURCE_HELD"},
      {"ReleaseResource", On(second, "a", "name: 'gpu'"), GRPC_STATUS_FAILED_PRECONDITION,
       "RESOURCE_NOT_HELD"},
  };
  for (const auto &row : rows) {
    GrpcOutcome outcome =
        Send(row.method, TextEncode(std::string(row.method) + "Request", row.request));
    EXPECT_EQ(row.code, outcome.code) << outcome.message;
    EXPECT_EQ(row.reason, outcome.Reason());
  }
}

TEST_F(TrackerTest, RefusesMalformedRequests) {
  const ProtobufCServiceDescriptor *type = cx_tracker_service.descriptor;
  for (unsigned i = 0; i < type->n_methods; i++) {
    GrpcOutcome outcome = Send(type->methods[i].name, "\x0a\xff");
    EXPECT_EQ("MALFORMED_REQUEST", outcome.Reason()) << type->methods[i].name;
  }
}

TEST_F(TrackerTest, RefusesNulWhereProtobufCWouldCutTheString) {
  EXPECT_EQ(Invalid("activities[0].type", "must be UTF-8 without NUL"),
            Record("a", "type: 't\\000u'"));
  EXPECT_EQ(Invalid("session_id", "must be UTF-8 without NUL"),
            Ask("GetSession", "session_id: 's\\000'"));
}

TEST_F(TrackerTest, RepeatsRequestIdsOverARestart) {
  const std::string start = "owner: 'o' write { request_id: 'r' }";
  std::string id = SessionOf(Ask("StartSession", start));
  const std::string record =
      "context_id: 'a' create_if_missing {} activities { type: 't' } activities { type: 't' } "
      "write { request_id: 'r' }";
  EXPECT_EQ("first_sequence: 1 last_sequence: 2 write { revision: 3 }",
            Ask("RecordActivities", record));
  Restart();
  std::string again = Ask("StartSession", start);
  EXPECT_EQ(id, SessionOf(again));
  EXPECT_NE(std::string::npos, again.find("write { revision: 2 replayed: true }")) << again;
  EXPECT_EQ("first_sequence: 1 last_sequence: 2 write { revision: 3 replayed: true }",
            Ask("RecordActivities", record));
}

// ---- The real binary. -------------------------------------------------------------------

class TrackerProcessTest : public testing::Test {
 protected:
  void SetUp() override { Start(); }

  void Start() {
    ASSERT_TRUE(server_.Start({"--data-dir", directory_ + "/data"})) << server_.output();
    std::string port = server_.address().substr(server_.address().rfind(':') + 1);
    client_ = std::make_unique<GrpcClient>(std::stoi(port));
  }

  std::string Ask(const std::string &method, const std::string &request) {
    GrpcOutcome outcome =
        client_->Unary("/contextd.v1.Tracker/" + method, TextEncode(method + "Request", request));
    return outcome.code == GRPC_STATUS_OK ? TextDecode(method + "Response", outcome.messages[0])
                                          : outcome.Reason();
  }

  // All that the tracker tells of context `a` and of a session; but for when that ends.
  std::string Everything(const std::string &session) {
    std::string all = Ask("GetSession", "session_id: '" + session + "'");
    all = ReplaceAll(all, "expire_time \\{[^}]*\\}", "");
    for (const char *method :
         {"GetContextStatus", "ListActivities", "ListFiles", "SummarizeUsage", "ListResources"}) {
      all += "\n" + Ask(method, "context_id: 'a'");
    }
    return all + "\n" + Ask("SummarizeUsage", "");
  }

  std::string directory_ = TestDirectory();
  ServerProcess server_;
  std::unique_ptr<GrpcClient> client_;
};

TEST_F(TrackerProcessTest, KeepsEverythingThroughAKill) {
  std::string id = SessionOf(Ask("StartSession", "owner: 'ann' create_if_missing {}"));
  Ask("ActivateContext", On(id, "a", "exclusive: true guard: true"));
  Ask("ActivateContext", On(id, "b"));
  EXPECT_EQ(0u, Ask("AcquireResource", On(id, "a", "name: 'gpu' write { fence: 1 }")).find("res"));
  EXPECT_EQ(0u, Ask("RecordActivities",
                    "context_id: 'a' activities { file { path: 'f' } } "
                    "activities { model { model: 'm' cost_micros: 5 } } write { fence: 1 }")
                    .find("first_sequence: 2 last_sequence: 3 "));
  std::string before = Everything(id);
  server_.Kill();
  Start();
  EXPECT_EQ(before, Everything(id));
  EXPECT_EQ("STALE_FENCE", Ask("RecordActivities", "context_id: 'a' activities { type: 't' }"));
  EXPECT_EQ(0, server_.Stop());
}

TEST_F(TrackerProcessTest, LosesASessionThatIsNotRenewed) {
  std::string id, taken = "SESSION_NOT_FOUND";  // Lost before that: the next lives longer.
  for (int ttl_s = 1; taken == "SESSION_NOT_FOUND"; ttl_s *= 2) {
    id = SessionOf(
        Ask("StartSession", "create_if_missing {} ttl { seconds: " + std::to_string(ttl_s) + " }"));
    taken = Ask("ActivateContext", On(id, "a", "exclusive: true guard: true"));
  }
  while (Ask("GetSession", "session_id: '" + id + "'") != "SESSION_NOT_FOUND") {
    std::this_thread::yield();
  }
  EXPECT_EQ(0u, Ask("RecordActivities", "context_id: 'a' activities { type: 't' }")
                    .find("first_sequence: 1 "));
}

}  // namespace
