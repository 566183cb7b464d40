// Staging what begins from another state: what stage_point.h promises of bases, forks and merges.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class StageStateTest : public RecoveryFixture {
 protected:
  StageStateTest() { Create("a", {}, Mutations().Put("k", "1").SetLabel("l", "1")); }

  const cx_staged_item &Staged() const { return plan_.stage.items[0]; }

  static void WithPoints(Fork *request) { request->with_points = true; }

  static cx_change_item From(const char *id, struct cx_base_ref base) {
    cx_change_item item = Touch(id);
    item.kind = CX_ITEM_UPDATE;
    item.labels_changed = true;
    item.base = base;
    return item;
  }

  static cx_change_item ForkOf(const char *source, struct cx_base_ref base) {
    cx_change_item item = Touch("fork");
    item.kind = CX_ITEM_CREATE;
    item.labels_changed = true;
    item.source = {cx_bytes_of(source), base};
    return item;
  }

  static List Names(const cx_merged *merged) {
    List list;
    for (; merged != nullptr; merged = merged->next) {
      list.push_back(Text(cx_base_id(merged->base)) + "@" + std::to_string(merged->base->version));
    }
    return list;
  }
};

TEST_F(StageStateTest, ABaseGivesTheEntriesAndWhatCountsThem) {
  MakePoint("a", "p", Mutations().Put("x", "22").Put("y", "333"));
  const cx_kept_state &state = Point("a", "p")->state;
  uint64_t digest = cx_state_digest(&state_);
  cx_plan_result result = PlanRestore("a", ToPoint("p"));
  EXPECT_EQ(CX_UNDO_ROOT, Staged().edit);
  EXPECT_EQ(state.entries.root, Staged().entries.root) << "shared";
  EXPECT_EQ(3u, Staged().entry_count);
  EXPECT_EQ(state.size_bytes, Staged().size_bytes);
  EXPECT_EQ(digest, cx_state_digest(&state_)) << "nobody sees it yet";
  Finish(result);
  EXPECT_EQ("v3 k=1 x=22 y=333", Head("a"));
}

TEST_F(StageStateTest, ABaseHasTheStepsOnTop) {
  MakePoint("a", "p", Mutations().Put("x", "2"));
  Update("a", Mutations().Put("k", "3"));
  cx_plan_result result =
      PlanMake("a", "q", Mutations().Put("y", "4").Delete("k"), RecoveryFixture::From("p", true));
  EXPECT_EQ("x=2 y=4", Entries(Staged().entries));
  EXPECT_EQ(2u, Staged().entry_count);
  Finish(result);
  EXPECT_EQ("v4 x=2 y=4", Head("a"));
  EXPECT_EQ("k=1 x=2", Entries(Point("a", "p")->state.entries)) << "what it began from stays";
}

TEST_F(StageStateTest, ABaseThatIsNotThereFitsNothing) {
  MakePoint("a", "p");
  Update("a", Mutations().Put("k", "2"));
  const struct cx_base_ref bases[] = {{CX_BASE_POINT, 2}, {CX_BASE_VERSION, 7}};
  for (const auto &base : bases) {
    EXPECT_EQ(CX_DATA_LOSS, Stage({From("a", base)}));
  }
  cx_change_item item = From("a", {CX_BASE_POINT, 1});
  item.base_id = cx_bytes_of("other");
  EXPECT_EQ(CX_DATA_LOSS, Stage({item})) << "the point has another id";
}

TEST_F(StageStateTest, AForkRemembersTheStateThatItCameFrom) {
  Update("a", Mutations().Put("k", "2"));
  cx_plan_result result = PlanFork("a", "b", [](Fork *request) { request->at.version = 1; });
  const cx_base *base = Staged().forked_from;
  ASSERT_NE(nullptr, base);
  EXPECT_EQ("a", Text(cx_base_id(base)));
  EXPECT_EQ(1u, base->version);
  EXPECT_EQ(cx_context_birth(Find("a")), base->birth);
  EXPECT_EQ("k=1", Entries(base->entries));
  EXPECT_EQ("l=1", Labels(base->labels));
  EXPECT_EQ(1u, base->depth);
  Finish(result);
  result = PlanFork("b", "c");
  EXPECT_EQ(Recovery("b").forked_from, Staged().forked_from->older);
  EXPECT_EQ(2u, Staged().forked_from->depth);
  Finish(result);
}

TEST_F(StageStateTest, AForkTakesThePointsUpToItsStateOverAndNoOthers) {
  MakePoint("a", "p1");
  MakePoint("a", "p2", RecoveryFixture::Living(50));
  Update("a", Mutations().Put("k", "2"));
  MakePoint("a", "p3");
  cx_plan_result result = PlanFork("a", "b", [](Fork *request) {
    request->at.point_id = cx_bytes_of("p2");
    request->with_points = true;
  });
  const cx_recovery *recovery = Staged().context->recovery;
  ASSERT_NE(nullptr, recovery);
  EXPECT_EQ(2u, recovery->point_count);
  EXPECT_EQ(2u, recovery->head_point);
  EXPECT_EQ(3u, recovery->last_sequence) << "sequences go on";
  EXPECT_EQ(nullptr, cx_recovery_find_id(recovery, cx_bytes_of("p3")));
  EXPECT_EQ(Point("a", "p2"), cx_recovery_find(recovery, 2)) << "they are shared";
  Finish(result);
  EXPECT_EQ(3u, Points("a").size());
}

TEST_F(StageStateTest, TheTombstonesPointsGoOnUnlessTheForkBringsItsOwn) {
  Create("b");
  MakePoint("b", "old");
  MakePoint("a", "p");
  Delete("b");
  cx_recovery *left = Find("b")->recovery;
  PlanFork("a", "b");
  EXPECT_EQ(left, Staged().recovery);
  cx_plan_end(&plan_);
  cx_plan_result result = PlanFork("a", "b", WithPoints);
  EXPECT_EQ(nullptr, Staged().recovery);
  EXPECT_NE(left, Staged().context->recovery);
  Finish(result);
  EXPECT_EQ((List{"1 p < v1"}), Points("b"));
}

TEST_F(StageStateTest, AForkHasAVersionAboveAllThatAreTaken) {
  MakePoint("a", "p", Mutations().Put("k", "aside"));
  PlanFork("a", "b");
  EXPECT_EQ(2u, plan_.change.items[0].version);
  cx_plan_end(&plan_);
  PlanFork("a", "b", WithPoints);
  EXPECT_EQ(3u, plan_.change.items[0].version) << "a point has 2";
  cx_plan_end(&plan_);
  Create("b");
  for (int i = 0; i < 6; i++) Update("b", Mutations().Put("k", std::to_string(i)));
  Delete("b");
  PlanFork("a", "b");
  EXPECT_EQ(8u, plan_.change.items[0].version) << "the tombstone had 7";
  cx_plan_end(&plan_);
}

TEST_F(StageStateTest, WhatIsForkedOrMergedIsAliveAndNotOfTheSameChange) {
  Create("deleted");
  Delete("deleted");
  EXPECT_EQ(CX_DATA_LOSS, Stage({ForkOf("missing", {CX_BASE_HEAD, 1})}));
  EXPECT_EQ(CX_DATA_LOSS, Stage({ForkOf("deleted", {CX_BASE_HEAD, 1})}));
  EXPECT_EQ(CX_DATA_LOSS, Stage({Touch("a"), ForkOf("a", {CX_BASE_HEAD, 1})}));
  EXPECT_EQ(CX_DATA_LOSS, Stage({ForkOf("a", {CX_BASE_VERSION, 7})}));
  for (const char *source : {"a", "missing", "deleted"}) {
    cx_change_item merge = From("a", {});
    merge.merged = {cx_bytes_of(source), {CX_BASE_HEAD, 1}};
    EXPECT_EQ(CX_DATA_LOSS, Stage({merge})) << source;
  }
}

TEST_F(StageStateTest, AMergeComesBeforeThoseThatWereRememberedAndOncePerContext) {
  for (const char *source : {"b", "c"}) {
    Create(source, {}, Mutations().Put("k", source));
    MergeInto(source, "a", source);
  }
  Update("b", Mutations().Put("k", "2"));
  cx_plan_result result = PlanMerge("b", "a", "x");
  EXPECT_EQ((List{"b@2", "c@1"}), Names(Staged().merged));
  EXPECT_EQ(cx_context_birth(Find("b")), Staged().merged->base->birth);
  EXPECT_EQ("k=2", Entries(Staged().merged->base->entries));
  EXPECT_EQ((List{"c@1", "b@1"}), Names(Recovery("a").merged)) << "nobody sees it yet";
  Finish(result);
  EXPECT_EQ((List{"b@2", "c@1"}), Names(Recovery("a").merged));
}

TEST_F(StageStateTest, AMergeOfAStateAsideOrAnOlderOneIsNotRemembered) {
  Create("b", {}, Mutations().Put("k", "1"));
  MakePoint("b", "old");
  MakePoint("b", "aside", Mutations().Put("k", "2"));
  auto of = [](const char *id) {
    return [=](Merge *request) { request->source_at.point_id = cx_bytes_of(id); };
  };
  MergeInto("b", "a", "x", of("aside"));
  EXPECT_EQ(List{}, Names(Recovery("a").merged)) << "the heads do not go on from there";
  Update("b", Mutations().Put("k", "3"));
  MergeInto("b", "a", "y");
  EXPECT_EQ((List{"b@3"}), Names(Recovery("a").merged));
  EXPECT_EQ(CX_PLAN_CHANGE, MergeInto("b", "a", "z", of("old")));
  EXPECT_EQ((List{"b@3"}), Names(Recovery("a").merged)) << "the newer one says more";
}

TEST_F(StageStateTest, WithoutMemoryThereIsNoTrace) {
  Record("a", Activity("one").File("path", "read"));
  MakePoint("a", "p", Mutations().Put("x", "1"));
  MakePoint("a", "q", RecoveryFixture::Living(50));
  ForkFrom("a", "b", WithPoints);
  MergeInto("b", "a", "m");
  ExpectNoTraceWithoutMemory([&] { return PlanRestore("a", ToPoint("p")); });
  ExpectNoTraceWithoutMemory([&] {
    return PlanFork("a", "c", [](Fork *request) {
      request->at.point_id = cx_bytes_of("p");
      request->with_points = request->with_history = true;
    });
  });
  ExpectNoTraceWithoutMemory([&] { return PlanMerge("b", "a", "x"); });
}

}  // namespace
