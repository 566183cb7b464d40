// What all plans have in common: what they look at, what they tell, and that an error
// leaves no trace.

#include "tests/unit/state/state_fixture.h"

namespace {

class PlanTest : public StateFixture {
 protected:
  cx_plan_result UpdateIf(const std::string &id, const cx_precondition &precondition) {
    Mutations mutations = Mutations().Put("k", "v");
    cx_update_request request = {};
    size_t index;
    request.name = {cx_bytes_of("default"), Bytes(id)};
    request.mutations = mutations.list().data();
    request.mutation_count = 1;
    request.preconditions = &precondition;
    request.precondition_count = 1;
    cx_plan_begin(&plan_);
    return Finish(cx_plan_update(&plan_, &request, 1, false, {}, &index));
  }

  std::string detail(const char *key) { return Text(cx_error_detail_get(&error_, key)); }
};

TEST_F(PlanTest, LooksOnlyAtShardsThatAreHeld) {
  plan_.held = 0;
  EXPECT_EQ(CX_PLAN_NEEDS_SHARDS, Create("a"));
  EXPECT_EQ(1ull << NameKey("a").shard, plan_.needed);
  plan_.held = plan_.needed;
  EXPECT_EQ(CX_PLAN_CHANGE, Create("a"));
}

TEST_F(PlanTest, AnErrorLeavesNoTrace) {
  Create("a", {}, Mutations().Put("k", "v"));
  uint64_t digest = cx_state_digest(&state_);

  EXPECT_EQ(CX_PLAN_FAILED, Create("a"));
  EXPECT_EQ(CX_PLAN_FAILED, Update("b", Mutations().Put("k", "v")));
  EXPECT_EQ(CX_PLAN_FAILED, Update("a", Mutations().Put("x", "y").AppendAt("k", "v", 9)));
  EXPECT_EQ(CX_PLAN_FAILED, CreateBelow("c", "nobody"));
  EXPECT_EQ(CX_PLAN_FAILED, Delete("b"));
  EXPECT_EQ(digest, cx_state_digest(&state_));
}

TEST_F(PlanTest, TellsWhatTheAnswerIsDerivedFrom) {
  Create("a");
  uint64_t created = revision_;
  Create("b");
  EXPECT_EQ(CX_PLAN_FAILED, Create("a"));
  EXPECT_EQ(created, wait_for_);

  Delete("a");
  EXPECT_EQ(CX_PLAN_FAILED, Update("a", Mutations().Put("k", "v")));
  EXPECT_EQ(revision_, wait_for_);
}

TEST_F(PlanTest, WaitsForTheChangeThatForgotAContext) {
  Create("a");
  Delete("a");
  plan_.now_us += 1000;
  EXPECT_EQ(CX_PLAN_CHANGE, Due("a"));
  EXPECT_EQ(CX_PLAN_CHANGE, Due("a"));
  ASSERT_EQ(nullptr, Find("a"));
  EXPECT_EQ(CX_PLAN_FAILED, Update("a", Mutations().Put("k", "v")));
  EXPECT_EQ(revision_, wait_for_);
  EXPECT_EQ("", detail("deleted_version"));
}

TEST_F(PlanTest, ChecksTheVersionOfTheContext) {
  Create("a");
  EXPECT_EQ(CX_PLAN_FAILED, UpdateIf("a", {CX_PRECONDITION_CONTEXT_VERSION, {}, 7}));
  EXPECT_EQ("VERSION_CONFLICT", reason());
  EXPECT_EQ("1", detail("current_version"));
  EXPECT_EQ(CX_PLAN_CHANGE, UpdateIf("a", {CX_PRECONDITION_CONTEXT_VERSION, {}, 1}));
}

TEST_F(PlanTest, ChecksTheVersionOfAnEntry) {
  Create("a", {}, Mutations().Put("k", "v"));
  EXPECT_EQ(CX_PLAN_FAILED, UpdateIf("a", {CX_PRECONDITION_ENTRY_VERSION, cx_bytes_of("k"), 0}));
  EXPECT_EQ("ENTRY_CONFLICT", reason());
  EXPECT_EQ("k", detail("key"));
  EXPECT_EQ("1", detail("current_version"));
  EXPECT_EQ(CX_PLAN_CHANGE, UpdateIf("a", {CX_PRECONDITION_ENTRY_VERSION, cx_bytes_of("none"), 0}));
}

TEST_F(PlanTest, AsksForTheEndOfAnExpiredContextFirst) {
  cx_new_context properties = {};
  properties.ttl_us = 10;
  Create("a", properties);
  plan_.now_us += 10;
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Update("a", Mutations().Put("k", "v")));
  EXPECT_EQ(NameKey("a").hash, plan_.expired.hash);
}

}  // namespace
