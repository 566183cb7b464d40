// Every allocation of every operation fails once, and nothing is left half done. What else
// goes wrong around the engine is in tests/simulation/exhaustive.

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
