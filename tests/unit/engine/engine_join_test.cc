// Merges, as clients meet them: what is taken over, what is a conflict, and where the common state
// is found.

#include "tests/unit/engine/recovery_fixture.h"

namespace {

class EngineJoinTest : public RecoveryFixture {
 protected:
  EngineJoinTest() { EXPECT_EQ(CX_OK, Open()); }

  // "c" and its fork "f", from a state with "a" to "e" and the labels "l" and "m".
  void Branch() {
    Upsert("c", Mutations()
                    .Put("a", "0")
                    .Put("b", "0")
                    .Put("c", "0")
                    .Put("d", "0")
                    .Put("e", "0")
                    .SetLabel("l", "0")
                    .SetLabel("m", "0"));
    ASSERT_EQ(CX_OK, Fork("c", "f").status);
  }

  static MergeOptions Rule(cx_on_conflict rule) {
    MergeOptions options;
    options.on_conflict = rule;
    return options;
  }
};

TEST_F(EngineJoinTest, LeavesALargeStateThatItForgetsToTheTimers) {
  Branch();
  Mutations many;
  for (int i = 0; i < 2000; i++) many.Put("k" + std::to_string(i), "v");
  Update("f", many);
  ASSERT_EQ(CX_OK, Merge("f", "c").status);
  Update("f", Mutations().Put("a", "f"));
  EXPECT_EQ(nullptr, engine_->garbage);
  ASSERT_EQ(CX_OK, Merge("f", "c").status);
  EXPECT_NE(nullptr, engine_->garbage) << "what the first one remembered";
  Step();
  EXPECT_EQ(nullptr, engine_->garbage);
}

TEST_F(EngineJoinTest, BringsWhatOnlyTheSourceChanged) {
  Branch();
  Update("f", Mutations()
                  .Put("a", "f")
                  .Delete("b")
                  .Put("new", "f")
                  .SetLabel("l", "f")
                  .DeleteLabel("m")
                  .SetLabel("n", "f"));
  Update("c", Mutations().Put("c", "c").Delete("d").Put("own", "c"));
  Merged merged = Merge("f", "c");
  ASSERT_EQ(CX_OK, merged.status) << merged.error.message;
  EXPECT_TRUE(merged.applied);
  EXPECT_EQ(3u, merged.changed);
  EXPECT_EQ(0u, merged.conflict_count);
  EXPECT_EQ(3u, merged.write.version);
  EXPECT_EQ(merged.write.revision, merged.write.wait_for);
  EXPECT_EQ("", merged.safety_id);
  EXPECT_EQ((Texts{{"a", "f"}, {"c", "c"}, {"e", "0"}, {"new", "f"}, {"own", "c"}}),
            Get("c").entries);
  EXPECT_EQ((Texts{{"l", "f"}, {"n", "f"}}), Get("c").labels);
  EXPECT_EQ("0", Get("f").entries["c"]) << "the source stays as it is";
  ReopenTheSame();
}

TEST_F(EngineJoinTest, WhatBothChangedTheSameWayIsNoConflict) {
  Branch();
  for (const char *id : {"c", "f"}) {
    Update(id, Mutations().Put("a", "x").Delete("b").Put("new", "x").SetLabel("l", "x"));
  }
  Merged merged = Merge("f", "c");
  EXPECT_TRUE(merged.applied);
  EXPECT_EQ(0u, merged.changed);
  EXPECT_EQ(0u, merged.conflict_count);
}

TEST_F(EngineJoinTest, TellsConflictsAndChangesNothing) {
  Branch();
  Update("f", Mutations()
                  .Put("a", "f")
                  .Put("b", "f")
                  .Delete("c")
                  .Put("new", "f")
                  .Put("d", "f")
                  .SetLabel("l", "f"));
  Update("c", Mutations().Put("a", "c").Delete("b").Put("c", "c").Put("new", "c").DeleteLabel("l"));
  Merged merged = Merge("f", "c");
  ASSERT_EQ(CX_OK, merged.status) << merged.error.message;
  EXPECT_FALSE(merged.applied);
  EXPECT_EQ(5u, merged.conflict_count);
  ASSERT_EQ(5u, merged.conflicts.size());
  const Conflict expected[] = {{"a", false, "0", "c", "f"},
                               {"b", false, "0", "-", "f"},
                               {"c", false, "0", "c", "-"},
                               {"new", false, "-", "c", "f"},
                               {"l", true, "0", "-", "f"}};
  for (size_t i = 0; i < 5; i++) {
    EXPECT_EQ(expected[i].key, merged.conflicts[i].key);
    EXPECT_EQ(expected[i].in_labels, merged.conflicts[i].in_labels);
    EXPECT_EQ(expected[i].ancestor, merged.conflicts[i].ancestor) << expected[i].key;
    EXPECT_EQ(expected[i].target, merged.conflicts[i].target) << expected[i].key;
    EXPECT_EQ(expected[i].source, merged.conflicts[i].source) << expected[i].key;
  }
  EXPECT_EQ(0u, merged.changed);
  EXPECT_EQ(2u, merged.write.version);
  EXPECT_EQ(0u, merged.write.revision);
  EXPECT_EQ(2u, Get("c").version);
  EXPECT_GE(merged.write.wait_for, Get("c").revision);
  EXPECT_GE(merged.write.wait_for, Get("f").revision);
}

TEST_F(EngineJoinTest, RulesResolveConflictsAllOrByKey) {
  Branch();
  Update("f", Mutations().Put("a", "f").Put("b", "f").Put("e", "f").SetLabel("l", "f"));
  Update("c", Mutations().Put("a", "c").Put("b", "c").SetLabel("l", "c"));
  MergeOptions options = Rule(CX_CONFLICT_TAKE_SOURCE);
  options.rules = {{"b", CX_CONFLICT_TAKE_TARGET}, {"x", CX_CONFLICT_REPORT}};
  options.dry_run = true;
  Merged merged = Merge("f", "c", options);
  EXPECT_FALSE(merged.applied);
  EXPECT_EQ(2u, merged.changed) << "what it would change";
  EXPECT_EQ(2u, Get("c").version);
  options.dry_run = false;
  merged = Merge("f", "c", options);
  EXPECT_TRUE(merged.applied);
  EXPECT_EQ(2u, merged.changed);
  EXPECT_EQ("f", Get("c").entries["a"]);
  EXPECT_EQ("c", Get("c").entries["b"]);
  EXPECT_EQ("f", Get("c").entries["e"]);
  EXPECT_EQ("f", Get("c").labels["l"]);

  ASSERT_EQ(CX_OK, Fork("c", "g").status);
  Update("g", Mutations().Put("a", "g").Put("b", "g").SetLabel("l", "g"));
  Update("c", Mutations().Put("a", "d").Put("b", "d").SetLabel("l", "d"));
  options = Rule(CX_CONFLICT_TAKE_TARGET);
  options.rules = {{"b", CX_CONFLICT_REPORT}};
  merged = Merge("g", "c", options);
  EXPECT_FALSE(merged.applied);
  ASSERT_EQ(1u, merged.conflicts.size());
  EXPECT_EQ("b", merged.conflicts[0].key);
  options.rules = {{"b", CX_CONFLICT_TAKE_SOURCE}};
  merged = Merge("g", "c", options);
  EXPECT_TRUE(merged.applied);
  EXPECT_EQ("d", Get("c").entries["a"]);
  EXPECT_EQ("g", Get("c").entries["b"]);
  EXPECT_EQ("d", Get("c").labels["l"]);
  ReopenTheSame();
}

TEST_F(EngineJoinTest, TellsTheFirstOfManyConflictsAndCountsAll) {
  constexpr int kCount = static_cast<int>(CX_CONFLICTS_TOLD_MAX) + 50;
  Mutations first, of_source, of_target;
  for (int i = 0; i < kCount; i++) {
    const std::string key = "k" + std::to_string(10000 + i);
    first.Put(key, "0");
    of_source.Put(key, "f");
    of_target.Put(key, "c");
  }
  Upsert("c", first);
  Fork("c", "f");
  Update("f", of_source);
  Update("c", of_target);
  Merged merged = Merge("f", "c");
  EXPECT_FALSE(merged.applied);
  EXPECT_EQ(static_cast<uint64_t>(kCount), merged.conflict_count);
  ASSERT_EQ(CX_CONFLICTS_TOLD_MAX, merged.conflicts.size());
  EXPECT_EQ("k10000", merged.conflicts.front().key);
  EXPECT_EQ("k10999", merged.conflicts.back().key);
  merged = Merge("f", "c", Rule(CX_CONFLICT_TAKE_SOURCE));
  EXPECT_EQ(static_cast<uint64_t>(kCount), merged.changed);
  EXPECT_EQ(Get("f").entries, Get("c").entries);
}

TEST_F(EngineJoinTest, ASecondMergeOfTheSameTwoHasNothingToDo) {
  Branch();
  Update("f", Mutations().Put("a", "f"));
  EXPECT_TRUE(Merge("f", "c").applied);
  Update("c", Mutations().Put("a", "c"));
  Merged merged = Merge("f", "c");
  EXPECT_TRUE(merged.applied);
  EXPECT_EQ(0u, merged.changed);
  EXPECT_EQ(0u, merged.write.revision);
  EXPECT_EQ("c", Get("c").entries["a"]) << "what the target did since stays";
  Update("f", Mutations().Put("b", "f"));
  EXPECT_EQ(1u, Merge("f", "c").changed) << "only what is new";
  Reopen();
  EXPECT_EQ(0u, Merge("f", "c").changed);
}

TEST_F(EngineJoinTest, MergesBackAndForth) {
  Branch();
  Update("f", Mutations().Put("a", "f1"));
  EXPECT_EQ(1u, Merge("f", "c").changed);
  Update("c", Mutations().Put("b", "c1"));
  EXPECT_EQ(1u, Merge("c", "f").changed);
  Update("f", Mutations().Put("a", "f2").Put("b", "f2"));
  Merged merged = Merge("f", "c");
  EXPECT_EQ(0u, merged.conflict_count) << "both began from what was merged";
  EXPECT_EQ(2u, merged.changed);
  EXPECT_EQ(Get("f").entries, Get("c").entries);
  Update("c", Mutations().Put("a", "c3"));
  Reopen();
  merged = Merge("c", "f");
  EXPECT_EQ(0u, merged.conflict_count);
  EXPECT_EQ("c3", Get("f").entries["a"]);
}

TEST_F(EngineJoinTest, MergesTwoForksOfOneState) {
  Branch();
  Fork("c", "g");
  Update("f", Mutations().Put("a", "f"));
  Update("g", Mutations().Put("b", "g"));
  EXPECT_EQ(1u, Merge("f", "g").changed);
  EXPECT_EQ("f", Get("g").entries["a"]);
  EXPECT_EQ(2u, Merge("g", "c").changed);
  Fork("f", "ff");
  Update("ff", Mutations().Put("c", "ff"));
  EXPECT_EQ(1u, Merge("ff", "g").changed) << "through a fork of a fork";
  EXPECT_EQ("ff", Get("g").entries["c"]);
  ReopenTheSame();
}

TEST_F(EngineJoinTest, TheForksSourceMayBeGone) {
  Branch();
  Fork("c", "g");
  Update("f", Mutations().Put("a", "f"));
  Delete("c", false, true);
  EXPECT_EQ(1u, Merge("f", "g").changed);
  Create("c");
  EXPECT_EQ("NO_COMMON_ANCESTOR", Merge("f", "c").reason()) << "another of the same name";
  Reopen();
  EXPECT_EQ("NO_COMMON_ANCESTOR", Merge("f", "c").reason());
}

TEST_F(EngineJoinTest, WithoutACommonStateOneMustBeNamed) {
  Upsert("c", Mutations().Put("a", "c").Put("b", "0"));
  Upsert("d", Mutations().Put("a", "0").Put("b", "d"));
  Upsert("base", Mutations().Put("a", "0").Put("b", "0"));
  EXPECT_EQ("NO_COMMON_ANCESTOR", Merge("d", "c").reason());
  MergeOptions options;
  options.ancestor = "base";
  Merged merged = Merge("d", "c", options);
  ASSERT_EQ(CX_OK, merged.status) << merged.error.message;
  EXPECT_EQ((Texts{{"a", "c"}, {"b", "d"}}), Get("c").entries);
  options.ancestor = "none";
  EXPECT_EQ("CONTEXT_NOT_FOUND", Merge("d", "c", options).reason());
  options.ancestor = "base";
  options.ancestor_at = At::Point("p");
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", Merge("d", "c", options).reason());
  options.ancestor_at = At::Version(9);
  EXPECT_EQ("STATE_NOT_RETAINED", Merge("d", "c", options).reason());
  EXPECT_EQ(0u, Merge("d", "c").changed) << "they were merged since";
}

TEST_F(EngineJoinTest, WithinOneContextTheAncestorMustBeNamed) {
  Upsert("c", Mutations().Put("k", "1").Put("l", "1"));
  MakePoint("c", "old");
  Update("c", Mutations().Put("k", "2"));
  MakePoint("c", NewPoint("beside").From("old").With(Mutations().Put("l", "2")));
  MergeOptions options;
  options.source_at = At::Point("beside");
  Merged merged = Merge("c", "c", options);
  EXPECT_EQ("NO_COMMON_ANCESTOR", merged.reason());
  EXPECT_NE(nullptr, strstr(merged.error.message, "one context")) << merged.error.message;
  options.ancestor = "c";
  options.ancestor_at = At::Point("old");
  merged = Merge("c", "c", options);
  ASSERT_EQ(CX_OK, merged.status) << merged.error.message;
  EXPECT_EQ((Texts{{"k", "2"}, {"l", "2"}}), Get("c").entries);
}

TEST_F(EngineJoinTest, WhatIsToldIsDerivedFromTheNamedAncestorToo) {
  Upsert("c", Mutations().Put("a", "0"));
  Upsert("d", Mutations().Put("a", "0").Put("b", "d"));
  Outcome ancestor = Upsert("base", Mutations().Put("a", "0"));
  MergeOptions options;
  options.ancestor = "base";
  options.dry_run = true;
  EXPECT_GE(Merge("d", "c", options).write.wait_for, ancestor.write.revision);
  options.dry_run = false;
  Merge("d", "c", options);
  ancestor = Update("base", Mutations().Put("b", "d"));
  Merged merged = Merge("d", "c", options);
  EXPECT_EQ(0u, merged.write.revision) << "there is nothing to do";
  EXPECT_GE(merged.write.wait_for, ancestor.write.revision);
}

TEST_F(EngineJoinTest, ARepeatIsToldThatItsTargetIsForgottenOnceThatIsDurable) {
  options_.settings.tombstone_window_us = options_.settings.undelete_window_us = kSecond;
  Reopen();
  Branch();
  Update("f", Mutations().Put("a", "f"));
  MergeOptions options;
  options.safety = true;
  options.request_id = "r";
  ASSERT_NE("", Merge("f", "c", options).safety_id);
  uint64_t forgotten = Lose("c");
  Merged again = Merge("f", "c", options);
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ("", again.safety_id);
  EXPECT_EQ(forgotten, again.write.wait_for);
}

TEST_F(EngineJoinTest, MergesAnEarlierStateOfTheSource) {
  Branch();
  Update("f", Mutations().Put("a", "f1"));
  MakePoint("f", "p");
  Update("f", Mutations().Put("a", "f2").Put("b", "f2"));
  MergeOptions options;
  options.source_at = At::Point("p");
  EXPECT_EQ(1u, Merge("f", "c", options).changed);
  EXPECT_EQ("f1", Get("c").entries["a"]);
  EXPECT_EQ("0", Get("c").entries["b"]);
  EXPECT_EQ(0u, Merge("f", "c", options).changed);
  EXPECT_EQ(2u, Merge("f", "c").changed);
  EXPECT_EQ(1u, Merge("f", "c", options).conflict_count) << "it is older than what was merged";
  EXPECT_EQ("f2", Get("c").entries["a"]);
  ReopenTheSame();
}

TEST_F(EngineJoinTest, AStateFromBeforeTheForkNeedsAnAncestorThatIsNamed) {
  Upsert("c", Mutations().Put("a", "1"));
  MakePoint("c", "p");
  Update("c", Mutations().Put("a", "2"));
  Fork("c", "f");
  MergeOptions options;
  options.source_at = At::Point("p");
  EXPECT_EQ("NO_COMMON_ANCESTOR", Merge("c", "f", options).reason());
  options.ancestor = "c";
  options.ancestor_at = At::Point("p");
  EXPECT_EQ(0u, Merge("c", "f", options).changed);
  EXPECT_EQ("2", Get("f").entries["a"]);
}

TEST_F(EngineJoinTest, TheSafetyPointKeepsTheTargetAsItWas) {
  Branch();
  Update("f", Mutations().Put("a", "f"));
  MergeOptions options;
  options.safety = true;
  options.request_id = "r";
  Merged merged = Merge("f", "c", options);
  ASSERT_EQ(32u, merged.safety_id.size());
  EXPECT_EQ("0", GetPoint("c", merged.safety_id).point.state.entries["a"]);
  Update("f", Mutations().Put("b", "f"));
  Reopen();
  Merged again = Merge("f", "c", options);
  EXPECT_TRUE(again.write.replayed);
  EXPECT_TRUE(again.applied);
  EXPECT_EQ(merged.safety_id, again.safety_id);
  EXPECT_EQ(merged.write.version, again.write.version);
  EXPECT_EQ("0", Get("c").entries["b"]) << "a repeat merges nothing";
  EXPECT_EQ(CX_OK, Restore("c", At::Point(merged.safety_id)).status);
  EXPECT_EQ("0", Get("c").entries["a"]);
}

TEST_F(EngineJoinTest, WhatTheTargetWonInAMergeIsNoConflictLater) {
  Branch();
  Update("f", Mutations().Put("a", "f"));
  Update("c", Mutations().Put("a", "c"));
  Merged merged = Merge("f", "c", Rule(CX_CONFLICT_TAKE_TARGET));
  EXPECT_TRUE(merged.applied);
  EXPECT_EQ(0u, merged.changed);
  EXPECT_EQ(3u, merged.write.version) << "it is remembered, as a version";
  ReopenTheSame();
  Update("f", Mutations().Put("b", "f"));
  merged = Merge("f", "c");
  EXPECT_TRUE(merged.applied) << "it was resolved then";
  EXPECT_EQ(1u, merged.changed);
  EXPECT_EQ("c", Get("c").entries["a"]);
  ReopenTheSame();
}

TEST_F(EngineJoinTest, WhatBothHadMadeTheSameInAMergeIsNoConflictLater) {
  Branch();
  Update("f", Mutations().Put("a", "1").SetLabel("l", "1"));
  Update("c", Mutations().Put("a", "1").SetLabel("l", "1"));
  Merged merged = Merge("f", "c");
  EXPECT_EQ(0u, merged.changed);
  EXPECT_EQ(3u, merged.write.version) << "it is remembered, as a version";
  ReopenTheSame();
  EXPECT_EQ(0u, Merge("f", "c").write.revision) << "once";
  EXPECT_EQ(0u, Merge("c", "f").write.revision) << "on both sides";
  Update("f", Mutations().Put("a", "2"));
  merged = Merge("f", "c");
  EXPECT_TRUE(merged.applied);
  EXPECT_EQ(1u, merged.changed);
  EXPECT_EQ("2", Get("c").entries["a"]);
  ReopenTheSame();
}

TEST_F(EngineJoinTest, FailsAsItSaysAndInTheOrderOfTheRules) {
  Branch();
  EXPECT_EQ("CONTEXT_NOT_FOUND", Merge("none", "c").reason());
  EXPECT_EQ("CONTEXT_NOT_FOUND", Merge("f", "none").reason());
  MergeOptions options;
  options.source_at = At::Version(7);
  EXPECT_EQ("STATE_NOT_RETAINED", Merge("f", "c", options).reason());
  options.source_at = At::Point("p");
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", Merge("f", "c", options).reason());
  EXPECT_EQ(1u, Get("c").version);
}

}  // namespace
