// Every allocation of every operation fails once, and nothing is left half done. What else
// goes wrong around the engine is in tests/simulation/exhaustive.

#include "tests/unit/engine/tracking_fixture.h"

extern "C" {
#include "tests/support/fail_nth.h"
}

namespace {

class EngineFaultTest : public TrackingFixture {
 protected:
  EngineFaultTest() {
    options_.message_size_max = 80 * CX_KIB;
    before_ = cx_memory_used();
  }

  ~EngineFaultTest() override {
    Close();
    EXPECT_EQ(before_, cx_memory_used()) << "everything is given back";
  }

  // Runs an operation until it gets all the memory that it asks for.
  void FailEveryAllocation(const std::string &what, const std::function<Outcome()> &operation) {
    SCOPED_TRACE(what);
    for (size_t nth = 1;; nth++) {
      struct fail_nth fail;
      uint64_t digest = Digest();
      uint64_t revision = Statistics().revision;
      fail_nth_begin(&fail, nth);
      Outcome outcome = operation();
      if (!fail_nth_end(&fail)) {
        EXPECT_EQ(CX_OK, outcome.status) << outcome.error.message;
        EXPECT_GT(nth, 1u) << "asked for no memory at all";
        return;
      }
      ASSERT_EQ(CX_RESOURCE_EXHAUSTED, outcome.status) << nth;
      ASSERT_EQ("memory", outcome.detail("limit")) << nth;
      ASSERT_EQ(digest, Digest()) << nth;
      ASSERT_EQ(revision, Statistics().revision) << nth;
    }
  }

  Outcome Read(const std::string &id, uint64_t version) {
    Found found = GetVersion(id, version);
    return {found.status, {}, found.error};
  }

  Outcome ListOnce(const char *type) {
    Outcome outcome = {};
    cx_list_query query = {};
    cx_list_page page;
    uint64_t wait_for;
    query.namespace_id = Bytes(namespace_);
    query.type = cx_bytes_of(type);
    query.count_max = 10;
    outcome.status = cx_engine_list(engine_, &query, &page, &wait_for, &outcome.error);
    if (outcome.status == CX_OK) cx_list_page_done(&page);
    return outcome;
  }

  Outcome Atomic(const std::string &request_id) {
    cx_new_context create = {};
    Mutations put = Mutations().Put("k", std::string(5000, 'k')).SetLabel("x", "y");
    Outcome outcome = {};
    cx_update_request requests[3] = {};
    cx_write_outcome outcomes[3];
    size_t index;
    const char *ids[] = {"x", "y", "z"};
    create.parent_id = cx_bytes_of("top");
    create.create_parent = true;
    for (int i = 0; i < 3; i++) {
      requests[i].name = {Bytes(namespace_), cx_bytes_of(ids[i])};
      requests[i].mutations = put.list().data();
      requests[i].mutation_count = put.list().size();
      requests[i].create_if_missing = &create;
    }
    outcome.status = cx_engine_update_atomic(engine_, requests, 3, Bytes(request_id), outcomes,
                                             &index, &outcome.error);
    outcome.write = outcomes[0];
    return outcome;
  }

  // A batch whose first part names its second as the parent.
  Outcome AtomicFamily() {
    cx_new_context child = {}, parent = {};
    Mutations put = Mutations().Put("k", "v");
    Outcome outcome = {};
    cx_update_request requests[2] = {};
    cx_write_outcome outcomes[2];
    size_t index;
    child.parent_id = cx_bytes_of("the parent");
    requests[0].name = {Bytes(namespace_), cx_bytes_of("the child")};
    requests[0].create_if_missing = &child;
    requests[1].name = {Bytes(namespace_), child.parent_id};
    requests[1].create_if_missing = &parent;
    for (cx_update_request &request : requests) {
      request.mutations = put.list().data();
      request.mutation_count = put.list().size();
    }
    outcome.status =
        cx_engine_update_atomic(engine_, requests, 2, {}, outcomes, &index, &outcome.error);
    outcome.write = outcomes[0];
    return outcome;
  }

  Outcome Summarize(const std::string &id) {
    Outcome outcome = {};
    cx_usage_summary summary;
    cx_context_name name = {Bytes(namespace_), Bytes(id)};
    outcome.status = cx_engine_summarize_usage(engine_, &name, &summary, &outcome.write.wait_for,
                                               &outcome.error);
    if (outcome.status == CX_OK) cx_usage_summary_done(&summary);
    return outcome;
  }

  Outcome Files(const std::string &id) {
    Outcome outcome = {};
    cx_file_page page;
    cx_tracked_query query = Tracked(id.c_str());
    outcome.status =
        cx_engine_list_files(engine_, &query, &page, &outcome.write.wait_for, &outcome.error);
    if (outcome.status == CX_OK) cx_file_page_done(&page);
    return outcome;
  }

  Outcome ListSessions() {
    Outcome outcome = {};
    cx_session_page page;
    cx_session_query query = {Bytes(namespace_), {}, 0, 10};
    outcome.status =
        cx_engine_list_sessions(engine_, &query, &page, &outcome.write.wait_for, &outcome.error);
    if (outcome.status == CX_OK) cx_session_page_done(&page);
    return outcome;
  }

  int64_t before_;
};

TEST_F(EngineFaultTest, LeavesNoTraceOfAnOperationThatRunsOutOfMemory) {
  std::string large(20000, 'x');
  ASSERT_EQ(CX_OK, Open());
  FailEveryAllocation("create", [&] {
    cx_new_context properties = {};
    cx_label label = {cx_bytes_of("l"), cx_bytes_of("v")};
    properties.type = cx_bytes_of("chat");
    properties.parent_id = cx_bytes_of("p");
    properties.create_parent = true;
    properties.labels = &label;
    properties.label_count = 1;
    properties.ttl_us = 1000 * CX_SECOND_US;
    return Create("c", properties, Mutations().Put("k", large).SetLabel("m", "w"), "r1");
  });
  FailEveryAllocation("put", [&] { return Update("c", Mutations().Put("s", "v")); });
  FailEveryAllocation("put again",
                      [&] { return Update("c", Mutations().Put("k", large + "more")); });
  FailEveryAllocation("append", [&] { return Update("c", Mutations().Append("k", large)); });
  FailEveryAllocation("labels", [&] {
    return Update("c", Mutations().SetLabel("n", "1").DeleteLabel("l").SetExpiry(0));
  });
  FailEveryAllocation("several", [&] {
    return Update("c", Mutations().Put("a", large).DeletePrefix("s").Delete("none"), {}, nullptr,
                  "r2");
  });
  FailEveryAllocation("delete entry", [&] { return Update("c", Mutations().Delete("a")); });
  FailEveryAllocation("batch", [&] { return Atomic("r3"); });
  FailEveryAllocation("batch of a child and its parent", [&] { return AtomicFamily(); });
  FailEveryAllocation("get an earlier state", [&] { return Read("c", 5); });
  FailEveryAllocation("list", [&] { return ListOnce(""); });
  FailEveryAllocation("list by type", [&] { return ListOnce("chat"); });
  FailEveryAllocation("delete", [&] { return Delete("x", false, false, "r4"); });
  FailEveryAllocation("create again", [&] { return Create("x", {}, Mutations().Put("k", "v")); });
  FailEveryAllocation("purge", [&] { return Delete("x", false, true); });
  FailEveryAllocation("delete a tree", [&] { return Delete("p", true, false, "r5"); });
  Step();
}

TEST_F(EngineFaultTest, LeavesNoTraceOfASessionOrActivationThatRunsOutOfMemory) {
  cx_label label = {cx_bytes_of("l"), cx_bytes_of("v")};
  cx_new_context create = {};
  cx_session_start_request start = Term();
  std::string id;
  create.parent_id = cx_bytes_of("p");
  create.create_parent = true;
  create.labels = &label;
  create.label_count = 1;
  start.owner = cx_bytes_of("agent");
  start.labels = &label;
  start.label_count = 1;
  start.default_context_id = cx_bytes_of("home");
  start.create_if_missing = &create;
  ASSERT_EQ(CX_OK, Open());
  std::string other = Session();
  FailEveryAllocation("start", [&] {
    Shown shown = Start(start, "r1");
    id = shown.session.id;
    return shown;
  });
  FailEveryAllocation("start again", [&] { return Start(start, "r1"); });
  FailEveryAllocation("activate", [&] { return Activate(id, "home", kGuard, "r2"); });
  FailEveryAllocation("activate what is missing", [&] { return Activate(id, "a", kExclusive); });
  FailEveryAllocation("activate again", [&] { return Activate(id, "a"); });
  FailEveryAllocation("activate in vain", [&] { return Activate(id, "a"); });
  FailEveryAllocation("take over", [&] { return Activate(other, "home", kTakeover, "r3"); });
  FailEveryAllocation("switch", [&] { return Switch(id, "home", "r4"); });
  FailEveryAllocation("switch to what is active", [&] { return Switch(id, "a"); });
  FailEveryAllocation("switch to what is missing", [&] { return Switch(id, "b"); });
  FailEveryAllocation("status", [&] { return GetStatus("home"); });
  FailEveryAllocation("get", [&] { return GetSession(id); });
  FailEveryAllocation("list", [&] { return ListSessions(); });
  FailEveryAllocation("deactivate", [&] { return Deactivate(id, "b", "r5"); });
  FailEveryAllocation("acquire", [&] { return Acquire(id, "a", "tool", "r6"); });
  FailEveryAllocation("acquire again", [&] { return Acquire(id, "a", "tool"); });
  FailEveryAllocation("acquire another", [&] { return Acquire(id, "b", "other"); });
  FailEveryAllocation("list resources", [&] { return Resources("a"); });
  FailEveryAllocation("release", [&] { return Release(id, "b", "other", "r7"); });
  FailEveryAllocation("delete what is active and held", [&] { return Delete("a"); });
  FailEveryAllocation("acquire a third", [&] { return Acquire(id, "home", "third"); });
  FailEveryAllocation("end", [&] { return End(id, "r8"); });
  FailEveryAllocation("delete a tree", [&] { return Delete("p", true); });
  Step();
  ReopenTheSame();
}

TEST_F(EngineFaultTest, LeavesNoTraceOfAHistoryThatRunsOutOfMemory) {
  std::string large(20000, 'x');
  ASSERT_EQ(CX_OK, Open());
  FailEveryAllocation("record", [&] {
    return Record("c",
                  {Activity("m", large).Label("k", "v"), Activity("f").File("path", "write"),
                   Activity("u").Model("model", 1, 2)},
                  {}, "r1");
  });
  FailEveryAllocation("record again", [&] {
    return Record("c", {Activity("f").File("path", "read"), Activity("u").Model("other", 1, 2)});
  });
  FailEveryAllocation("update", [&] {
    return Update("c", Mutations().Put("k", large).Record(Activity("m", large)));
  });
  FailEveryAllocation("list", [&] { return Activities("c"); });
  FailEveryAllocation("list files", [&] { return Files("c"); });
  FailEveryAllocation("summarize", [&] { return Summarize("c"); });
  FailEveryAllocation("summarize all", [&] { return Summarize(""); });
  FailEveryAllocation("optimize", [&] { return Optimize("c", Keep(2), "r3"); });
  RecordMany("c", 2 * CX_OPTIMIZE_INLINE_MAX);
  FailEveryAllocation("truncate", [&] { return Truncate("c", 800, 0, {}, "r2"); });
  cx_optimize_request request = NoRepeats();
  request.max_count = 100;
  request.dry_run = true;
  FailEveryAllocation("try an optimize", [&] { return Optimize("c", request); });
  request.dry_run = false;
  FailEveryAllocation("optimize many", [&] { return Optimize("c", request, "r4"); });
  FailEveryAllocation("purge", [&] { return Delete("c", false, true); });
  Step();
  ReopenTheSame();
}

TEST_F(EngineFaultTest, EndsALapsedSessionOnceThereIsMemory) {
  ASSERT_EQ(CX_OK, Open());
  std::string id = Session(kSecond);
  Create("c");
  Activate(id, "c", kGuard);
  Acquire(id, "c", "tool", "", 1);
  Step();
  uint64_t revision = Statistics().revision;
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    clock_.now_us += 10 * kSecond;
    fail_nth_begin(&fail, nth);
    Outcome refused = UpdateAs(Fenced(1), "c", Mutations().Put("k", "v"));
    Outcome renewed = Renew(id);
    Step();
    if (!fail_nth_end(&fail)) break;
    ASSERT_NE(CX_OK, refused.status) << nth;
    ASSERT_NE(CX_OK, renewed.status) << nth;
  }
  EXPECT_EQ(revision + 1, Statistics().revision);
  EXPECT_EQ(0u, Statistics().session_count);
}

TEST_F(EngineFaultTest, OpensWithAllTheMemoryThatItNeedsOrNotAtAll) {
  ASSERT_EQ(CX_OK, Open());
  std::string id = Session();
  Create("c");
  Activate(id, "c", kGuard);
  Acquire(id, "c", "tool", "", 1);
  Record("c", {Activity("f").File("path", "write"), Activity("u").Model("model", 1, 2)}, Fenced(1));
  Switch(id, "c");
  Truncate("c", 2, 0, Fenced(1));
  uint64_t digest = Digest();
  Close();
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    fail_nth_begin(&fail, nth);
    cx_status status = Open();
    if (!fail_nth_end(&fail)) break;
    ASSERT_NE(CX_OK, status) << nth;
    engine_ = nullptr;
  }
  EXPECT_EQ(digest, Digest());
}

TEST_F(EngineFaultTest, ShowsNoExpiredContextForWantOfMemoryAndDeletesItLater) {
  ASSERT_EQ(CX_OK, Open());
  Upsert("c", Mutations().Put("k", "v").SetExpiry(CX_SECOND_US));
  Step();
  clock_.now_us += CX_SECOND_US;
  uint64_t revision = Statistics().revision;
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    fail_nth_begin(&fail, nth);
    Step();
    if (!fail_nth_end(&fail)) break;
    EXPECT_EQ(revision, Statistics().revision);
    EXPECT_EQ("CONTEXT_NOT_FOUND", Get("c").reason());
  }
  EXPECT_EQ(revision + 1, Statistics().revision);
}

}  // namespace
