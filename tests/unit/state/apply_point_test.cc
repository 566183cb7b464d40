// Applying what a change says of points and earlier states: what nobody knew before is told then.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class ApplyPointTest : public RecoveryFixture {
 protected:
  ApplyPointTest() { Create("a", {}, Mutations().Put("k", "1").SetLabel("l", "1")); }
  ~ApplyPointTest() override { cx_undo_free_list(garbage_); }

  // Logs and applies what was planned, but keeps what is to be freed outside the locks.
  void FinishButForGarbage(cx_plan_result result) {
    cx_buffer encoded = {};
    ASSERT_EQ(CX_PLAN_CHANGE, result);
    ASSERT_EQ(CX_OK, cx_change_encode(&plan_.change, &encoded));
    log_.push_back({Text(cx_buffer_bytes(&encoded)), ++revision_, plan_.now_us});
    cx_buffer_done(&encoded);
    cx_apply(&plan_.stage, &plan_.change, revision_, plan_.now_us, &garbage_);
    cx_plan_end(&plan_);
    ASSERT_NE(nullptr, garbage_);
  }

  // The points that nothing but the garbage holds.
  List LastHolds() const {
    List points;
    for (const cx_undo *each = garbage_; each != nullptr; each = each->newer) {
      for (size_t i = 0; each->dropped_points != nullptr && i < each->dropped_points->count; i++) {
        const cx_point *point = each->dropped_points->points[i];
        if (point->item.refs == 1) points.push_back(Text(cx_point_id(point)));
      }
    }
    return points;
  }

  cx_undo *garbage_ = nullptr;
};

TEST_F(ApplyPointTest, ANewPointHasTheRevisionAndTimeOfItsChange) {
  plan_.now_us += 5;
  MakePoint("a", "p");
  uint64_t revision = revision_;
  int64_t time_us = plan_.now_us;
  EXPECT_EQ(revision, Point("a", "p")->revision);
  EXPECT_EQ(time_us, Point("a", "p")->create_time_us);
  plan_.now_us += 5;
  ChangePoint("a", "p", [](Change *request) { request->pin = CX_PIN_ON; });
  EXPECT_EQ(revision, Point("a", "p")->revision) << "those of its creation";
  EXPECT_EQ(time_us, Point("a", "p")->create_time_us);
}

TEST_F(ApplyPointTest, APointOfTheHeadHasItAsItIsAfterTheChange) {
  SetPolicy("a", Policy(9, 0, 0, 1));
  plan_.now_us += 5;
  Record("a", Activity("one").File("path", "read"));
  WriteTo("a", Mutations().Put("k", "2").Put("x", "3").SetLabel("l", "2"));
  const cx_context *head = Find("a");
  const cx_point *point = cx_recovery_newest(&Recovery("a"));
  ASSERT_NE(nullptr, point);
  EXPECT_EQ(head->entries.root, point->state.entries.root);
  EXPECT_EQ("k=2 x=3", Entries(point->state.entries));
  EXPECT_EQ("l=2", Labels(point->state.labels));
  EXPECT_EQ(head->version, point->state.version);
  EXPECT_EQ(2u, point->state.entry_count);
  EXPECT_EQ(head->size_bytes, point->state.size_bytes);
  EXPECT_EQ(head->create_time_us, point->state.create_time_us);
  EXPECT_EQ(plan_.now_us, point->state.update_time_us);
  ASSERT_NE(nullptr, point->state.past);
  EXPECT_EQ(1u, point->state.past->history_count);
  EXPECT_EQ(1u, point->state.past->file_count);
}

TEST_F(ApplyPointTest, AStateOfItsOwnIsMadeAtTheTimeOfTheChange) {
  int64_t created_us = plan_.now_us;
  plan_.now_us += 5;
  MakePoint("a", "own", Mutations().Put("k", "2"));
  EXPECT_EQ(plan_.now_us, Point("a", "own")->state.update_time_us);
  EXPECT_EQ(created_us, Point("a", "own")->state.create_time_us);
  plan_.now_us += 5;
  MakePoint("a", "same", From("own"));
  EXPECT_EQ(plan_.now_us - 5, Point("a", "same")->state.update_time_us) << "what it shares is not";
  EXPECT_EQ(plan_.now_us, Point("a", "same")->create_time_us);
  EXPECT_EQ(created_us, Find("a")->update_time_us) << "nor is the head";
}

TEST_F(ApplyPointTest, ChangesAreCountedFromTheLastPointOfTheHead) {
  EXPECT_EQ(1u, Find("a")->change_count) << "its first state";
  MakePoint("a", "p");
  int64_t time_us = plan_.now_us;
  plan_.now_us += 5;
  Update("a", Mutations().Put("k", "2"));
  Update("a", Mutations().Put("k", "3"));
  Record("a", Activity("one"));
  MakePoint("a", "aside", Mutations().Put("k", "4"));
  EXPECT_EQ(2u, Find("a")->change_count) << "states of the head alone";
  EXPECT_EQ(time_us, Recovery("a").last_point_time_us);
  MakePoint("a", "q");
  EXPECT_EQ(0u, Find("a")->change_count);
  EXPECT_EQ(plan_.now_us, Recovery("a").last_point_time_us);
}

TEST_F(ApplyPointTest, WhatIsDroppedGoesToTheGarbage) {
  MakePoint("a", "p1");
  MakePoint("a", "p2");
  MakePoint("a", "p3");
  FinishButForGarbage(PlanPrune("a", {1, 0, 0}));
  EXPECT_EQ((List{"3 p3 < v1"}), Points("a"));
  EXPECT_EQ((List{"p1", "p2"}), LastHolds());
}

TEST_F(ApplyPointTest, WhatIsReplacedGoesToTheGarbage) {
  MakePoint("a", "p");
  MakePoint("a", "q");
  Update("a", Mutations().Put("k", "2"));
  FinishButForGarbage(PlanMake("a", "p", {}, Replacing));
  EXPECT_EQ((List{"1 p < v2", "2 q <p v1"}), Points("a"));
  EXPECT_EQ((List{"p"}), LastHolds());
}

TEST_F(ApplyPointTest, WhatAMergeTakesThePlaceOfGoesToTheGarbage) {
  Create("b", {}, Mutations().Put("k", "b"));
  MergeInto("b", "a", "x");
  Update("b", Mutations().Put("k", "c"));
  const cx_base *before = Recovery("a").merged->base;
  FinishButForGarbage(PlanMerge("b", "a", "x"));
  EXPECT_NE(before, Recovery("a").merged->base);
  ASSERT_NE(nullptr, garbage_->dropped_recovery);
  ASSERT_NE(nullptr, garbage_->dropped_recovery->merged);
  EXPECT_EQ(before, garbage_->dropped_recovery->merged->base);
  EXPECT_EQ(1u, before->refs) << "the last one";
  EXPECT_EQ(1u, before->entry_count);
}

TEST_F(ApplyPointTest, WhatATombstoneCameFromGoesToTheGarbage) {
  ForkFrom("a", "b");
  MakePoint("b", "p");
  Delete("b");
  const cx_base *before = Recovery("b").forked_from;
  FinishButForGarbage(PlanFork("a", "b"));
  EXPECT_NE(before, Recovery("b").forked_from);
  ASSERT_NE(nullptr, garbage_->dropped_recovery);
  EXPECT_EQ(before, garbage_->dropped_recovery->forked_from);
  EXPECT_EQ(1u, before->refs) << "the last one";
}

TEST_F(ApplyPointTest, AForkIsToldWhenItBecameCommon) {
  MakePoint("a", "p");
  plan_.now_us += 5;
  ForkFrom("a", "b", [](Fork *request) { request->with_points = true; });
  EXPECT_EQ(revision_, Recovery("b").forked_from->revision);
  EXPECT_EQ(revision_, Recovery("b").revived_revision);
  uint64_t revision = revision_;
  Update("b", Mutations().Put("k", "2"));
  ForkFrom("b", "c");
  EXPECT_EQ(revision_, Recovery("c").forked_from->revision);
  EXPECT_EQ(revision, Recovery("c").forked_from->older->revision);
}

TEST_F(ApplyPointTest, OneThatTakesThePlaceOfATombstoneComesFromNoneOfItsPoints) {
  MakePoint("a", "p");
  Update("a", Mutations().Put("k", "2"));
  MakePoint("a", "aside", Mutations().Put("k", "3"));
  uint64_t version = cx_context_version_last(Find("a"));
  Delete("a");
  Create("a", {}, Mutations().Put("k", "new"));
  EXPECT_EQ(2u, Recovery("a").point_count);
  EXPECT_EQ(0u, Recovery("a").head_point);
  EXPECT_EQ(0, Recovery("a").last_point_time_us);
  EXPECT_EQ(revision_, Recovery("a").revived_revision);
  EXPECT_EQ(version + 1, cx_context_version_last(Find("a")));
  EXPECT_EQ(version + 1, Find("a")->version);
  EXPECT_EQ(1u, Find("a")->change_count) << "its first state";
}

TEST_F(ApplyPointTest, AnUndeletedContextIsToldWhenItWasThereAgain) {
  MakePoint("a", "p");
  Delete("a");
  RestoreTo("a", Undeleting);
  EXPECT_EQ(revision_, Recovery("a").revived_revision);
  EXPECT_EQ(CX_CONTEXT_LIVE, Find("a")->life);
}

TEST_F(ApplyPointTest, AMergeIsRememberedWithItsRevision) {
  Create("b");
  Create("c");
  MergeInto("b", "a", "x");
  uint64_t revision = revision_;
  MergeInto("c", "a", "y");
  const cx_merged *merged = Recovery("a").merged;
  ASSERT_NE(nullptr, merged);
  ASSERT_NE(nullptr, merged->next);
  EXPECT_EQ(revision_, merged->base->revision);
  EXPECT_EQ(revision, merged->next->base->revision);
  EXPECT_EQ(nullptr, merged->next->next);
}

TEST_F(ApplyPointTest, TakesNoMemory) {
  CreateWith("b", Policy(2, 0, 0, 1), Mutations().Put("k", "1"));
  Record("b", Activity("one"));
  for (int i = 0; i < 4; i++) {
    ApplyWithoutMemory(PlanWrite("b", Mutations().Put("k", "v" + std::to_string(i))));
  }
  ApplyWithoutMemory(PlanMake("b", "p", {}, Living(50)));
  ApplyWithoutMemory(PlanRestore("b", ToPoint("p", true)));
  ApplyWithoutMemory(PlanFork("b", "c", [](Fork *request) { request->with_points = true; }));
  ApplyWithoutMemory(PlanMerge("c", "b", "x"));
  ApplyWithoutMemory(PlanDrop("c", "p"));
}

}  // namespace
