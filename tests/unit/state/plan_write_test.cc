// Plans of create and update: what becomes of parents, labels, and repeats.

#include "tests/unit/state/state_fixture.h"

namespace {

using PlanWriteTest = StateFixture;

TEST_F(PlanWriteTest, MakesAMissingParentInTheSameChange) {
  cx_new_context properties = {};
  properties.parent_id = cx_bytes_of("parent");
  properties.create_parent = true;

  EXPECT_EQ(CX_PLAN_CHANGE, Create("child", properties));
  ASSERT_EQ(2u, items_.size());
  ASSERT_NE(nullptr, Find("parent"));
  EXPECT_EQ(1u, Find("parent")->child_count);
  EXPECT_EQ(2u, Find("child")->depth);
  EXPECT_EQ(Find("parent")->revision, Find("child")->revision);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanWriteTest, RefusesAContextBelowTheDeepestLevel) {
  EXPECT_EQ(CX_PLAN_CHANGE, Create("level-1"));
  for (unsigned level = 2; level <= CX_CONTEXT_DEPTH_MAX; level++) {
    ASSERT_EQ(CX_PLAN_CHANGE,
              CreateBelow("level-" + std::to_string(level), "level-" + std::to_string(level - 1)));
  }
  EXPECT_EQ(CX_PLAN_FAILED, CreateBelow("deeper", "level-" + std::to_string(CX_CONTEXT_DEPTH_MAX)));
  EXPECT_EQ("LIMIT_REACHED", reason());
}

TEST_F(PlanWriteTest, RefusesMoreLabelsThanAllowed) {
  Mutations mutations;
  for (unsigned i = 0; i < CX_LABELS_MAX; i++) mutations.SetLabel("l" + std::to_string(i), "v");
  EXPECT_EQ(CX_PLAN_CHANGE, Create("a", {}, mutations));
  EXPECT_EQ(CX_PLAN_FAILED, Update("a", Mutations().SetLabel("one more", "v")));
  EXPECT_EQ("LIMIT_REACHED", reason());
  EXPECT_EQ(CX_PLAN_CHANGE, Update("a", Mutations().DeleteLabel("l0").SetLabel("another", "v")));
}

TEST_F(PlanWriteTest, KnowsARepeatAndRefusesAnotherRequestOfTheSameId) {
  EXPECT_EQ(CX_PLAN_CHANGE, Create("a", {}, Mutations().Put("k", "v"), "id"));
  EXPECT_EQ(CX_PLAN_NOTHING, Create("a", {}, Mutations().Put("k", "v"), "id"));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(1u, plan_.record.version);
  EXPECT_EQ(CX_PLAN_FAILED, Create("a", {}, Mutations().Put("k", "w"), "id"));
  EXPECT_EQ("REQUEST_ID_REUSED", reason());
}

TEST_F(PlanWriteTest, KnowsARepeatAfterTheDelete) {
  Create("a");
  Update("a", Mutations().Put("k", "v"), "id");
  Delete("a");
  EXPECT_EQ(CX_PLAN_NOTHING, Update("a", Mutations().Put("k", "v"), "id"));
  EXPECT_EQ(2u, plan_.record.version);
}

TEST_F(PlanWriteTest, MakesAVersionEvenWhereNothingDiffers) {
  Create("a");
  EXPECT_EQ(CX_PLAN_CHANGE, Update("a", Mutations().Delete("missing")));
  EXPECT_EQ(2u, Find("a")->version);
}

}  // namespace
