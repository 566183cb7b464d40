// What goes wrong around the engine: every allocation of every operation fails once, every
// operation of the disk does, and the power goes at every change of the disk. Nothing is
// left half done, and whatever was told is there after the next start.

#include "tests/support/engine_fixture.h"

extern "C" {
#include "tests/support/fail_nth.h"
}

#include <functional>

namespace {

class EngineFaultTest : public EngineFixture {
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

  // A few changes of every kind, over more than one segment. After each, the writer may
  // run; what was told to be durable is noted.
  void RunScript() {
    const std::vector<std::function<Outcome()>> steps = {
        [&] { return Upsert("a", Mutations().Put("k", std::string(50000, 'a')), "r1"); },
        [&] { return CreateBelow("b", "p", true); },
        [&] { return Update("a", Mutations().Append("k", "tail").SetLabel("l", "v")); },
        [&] { return Upsert("a", Mutations().Put("j", std::string(60000, 'j'))); },
        [&] { return Atomic("r2"); },
        [&] { return Delete("p", true); },
        [&] { return Upsert("a", Mutations().Put("i", std::string(60000, 'i'))); },
        [&] { return Upsert("b", Mutations().Put("h", std::string(60000, 'h'))); },
        [&] { return Delete("a", false, true); },
        [&] { return Upsert("d", Mutations().Put("g", std::string(60000, 'g'))); },
        [&] { return Upsert("d", Mutations().Put("g", std::string(60000, 'f'))); },
        [&] { return Upsert("d", Mutations().Put("g", std::string(60000, 'e'))); },
    };
    std::vector<cx_waiter> waiters(steps.size());
    for (size_t i = 0; i < steps.size(); i++) {
      Outcome outcome = steps[i]();
      if (outcome.status != CX_OK) continue;
      digests_[outcome.write.revision] = Digest();
      if (cx_engine_wait(engine_, outcome.write.wait_for, &waiters[i])) {
        told_ = std::max(told_, outcome.write.wait_for);
      }
      if (i % 3 == 2) Step();
    }
    Step();
    Step();
    for (const cx_waiter *waiter : completed_) {
      if (waiter->status == CX_OK) told_ = std::max(told_, waiter->revision);
    }
    completed_.clear();
  }

  // Starts again, and finds what was told and a whole number of changes.
  void CheckAfterwards(const std::map<uint64_t, uint64_t> &digests) {
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    EXPECT_GE(report_.revision, told_);
    if (report_.revision > 1) {
      ASSERT_EQ(1u, digests.count(report_.revision));
      EXPECT_EQ(digests.at(report_.revision), Digest());
    }
    EXPECT_EQ(CX_OK, Upsert("after", Mutations().Put("k", "v")).status);
    Close();
  }

  void BeginAnew() {
    Close();
    sim_disk_free(disk_);
    disk_ = sim_disk_new();
    options_.disk = sim_disk_base(disk_);
    random_.next = 1;
    told_ = 0;
    failures_.clear();
    digests_.clear();
  }

  // What a run without any fault gives.
  std::map<uint64_t, uint64_t> Reference() {
    BeginAnew();
    EXPECT_EQ(CX_OK, Open());
    digests_[1] = Digest();
    RunScript();
    return digests_;
  }

  int64_t before_;
  uint64_t told_ = 0;
  std::map<uint64_t, uint64_t> digests_;
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

TEST_F(EngineFaultTest, ReplaysAllOrDoesNotOpenForWantOfMemory) {
  std::map<uint64_t, uint64_t> digests = Reference();
  options_.settings.version_retention++;  // To be written at the start.
  Close();
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    int64_t used = cx_memory_used();
    fail_nth_begin(&fail, nth);
    cx_status status = Open();
    if (!fail_nth_end(&fail)) {
      ASSERT_EQ(CX_OK, status);
      break;
    }
    ASSERT_NE(CX_OK, status) << nth;
    ASSERT_NE(CX_REASON_NONE, open_error_.reason) << nth;
    ASSERT_EQ(used, cx_memory_used()) << nth;
  }
  EXPECT_EQ(digests.rbegin()->first, report_.revision);
  EXPECT_EQ(report_.revision + 1, Statistics().revision);
}

TEST_F(EngineFaultTest, KeepsWhatItToldWhicheverOperationOfTheDiskFails) {
  std::map<uint64_t, uint64_t> digests = Reference();
  uint64_t count = sim_disk_counts(disk_).operations;
  for (uint64_t nth = 1; nth <= count; nth++) {
    for (cx_status status : {CX_UNAVAILABLE, CX_RESOURCE_EXHAUSTED}) {
      SCOPED_TRACE("operation " + std::to_string(nth) + ", status " + std::to_string(status));
      BeginAnew();
      sim_disk_fail(disk_, nth, status);
      if (Open() == CX_OK) {
        RunScript();
        if (!failures_.empty()) {
          EXPECT_EQ(1u, failures_.size()) << "told once";
          EXPECT_EQ("STORAGE_FAILED", Upsert("x", Mutations().Put("k", "v")).reason());
          Kill();
        }
      } else {
        ASSERT_NE(CX_REASON_NONE, open_error_.reason);
      }
      Close();
      sim_disk_fail(disk_, 0, CX_OK);
      ASSERT_NO_FATAL_FAILURE(CheckAfterwards(digests));
      if (HasFailure()) return;
    }
  }
}

TEST_F(EngineFaultTest, KeepsWhatItToldWheneverThePowerGoes) {
  std::map<uint64_t, uint64_t> digests = Reference();
  uint64_t count = sim_disk_counts(disk_).changes;
  for (uint64_t nth = 1; nth <= count; nth++) {
    for (const sim_survival *survival : {&sim_survive_none, &sim_survive_all}) {
      SCOPED_TRACE("change " + std::to_string(nth));
      BeginAnew();
      sim_disk_crash(disk_, nth);
      if (Open() == CX_OK) {
        RunScript();
        Kill();
      }
      sim_disk_restart(disk_, survival);
      ASSERT_NO_FATAL_FAILURE(CheckAfterwards(digests));
      if (HasFailure()) return;
    }
  }
}

}  // namespace
