// Restores, undeletes, forks and syncs, as clients meet them.

#include "tests/unit/engine/recovery_fixture.h"

namespace {

class EngineRestoreTest : public RecoveryFixture {
 protected:
  EngineRestoreTest() { EXPECT_EQ(CX_OK, Open()); }

  // Versions 1 to `count` of a context, "k" holding the number of each.
  void Versions(const std::string &context, int count) {
    for (int i = 1; i <= count; i++) {
      Upsert(context, Mutations().Put("k", std::to_string(i)).Put("v" + std::to_string(i), "x"));
      times_.push_back(clock_.now_us);
      clock_.now_us += kSecond;
    }
  }

  std::vector<int64_t> times_;
};

// ---- Restores. -----------------------------------------------------------------------

TEST_F(EngineRestoreTest, SetsBackAsANewVersionAndLosesNothingBetween) {
  Upsert("c", Mutations().Put("k", "1").Put("same", "x").SetLabel("l", "1"));
  MakePoint("c", "p");
  Update("c", Mutations().Put("k", "2").Put("new", "y").SetLabel("l", "2").SetLabel("m", "2"));
  Restored restored = Restore("c", At::Point("p"));
  ASSERT_EQ(CX_OK, restored.status) << restored.error.message;
  EXPECT_EQ(3u, restored.write.version);
  EXPECT_EQ(3u, restored.state.version);
  EXPECT_EQ(2u, restored.changed) << "k and new";
  EXPECT_EQ("", restored.safety_id);
  Found head = Get("c");
  EXPECT_EQ((Texts{{"k", "1"}, {"same", "x"}}), head.entries);
  EXPECT_EQ((Texts{{"l", "1"}}), head.labels);
  EXPECT_EQ((Texts{{"k", "2"}, {"new", "y"}, {"same", "x"}}), GetVersion("c", 2).entries);
  EXPECT_EQ(restored.write.revision, restored.write.wait_for);
  ReopenTheSame();
  EXPECT_EQ(head.entries, Get("c").entries);
}

TEST_F(EngineRestoreTest, WithoutATargetTheNewestPointComesBack) {
  Versions("c", 1);
  EXPECT_EQ("NO_RECOVERY_POINTS", Restore("c").reason());
  MakePoint("c", "a");
  Versions("c", 1);
  Upsert("c", Mutations().Put("k", "2"));
  MakePoint("c", NewPoint("b").Ttl(kSecond));
  Upsert("c", Mutations().Put("k", "3"));
  EXPECT_EQ("2", Restore("c").state.entries["k"]);
  clock_.now_us += kSecond;
  EXPECT_EQ("1", Restore("c").state.entries["k"]) << "the newest whose time is not over";
}

TEST_F(EngineRestoreTest, ComesBackToVersionsAndTimesThatAreKept) {
  Versions("c", 4);
  EXPECT_EQ("2", Restore("c", At::Version(2)).state.entries["k"]);
  EXPECT_EQ("3", Restore("c", At::Time(times_[2] + 1)).state.entries["k"]);
  Restored gone = Restore("c", At::Version(1));
  EXPECT_EQ("STATE_NOT_RETAINED", gone.reason());
  EXPECT_EQ("3", gone.detail("oldest_version"));
  EXPECT_EQ("6", gone.detail("newest_version"));
  EXPECT_EQ("STATE_NOT_RETAINED", Restore("c", At::Version(9)).reason());
  EXPECT_EQ("STATE_NOT_RETAINED", Restore("c", At::Time(1)).reason());
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", Restore("c", At::Point("x")).reason());
  EXPECT_EQ("CONTEXT_NOT_FOUND", Restore("none", At::Version(1)).reason());
  EXPECT_EQ(6u, Get("c").version) << "what failed changed nothing";
  ReopenTheSame();
}

TEST_F(EngineRestoreTest, APointsVersionStaysWhenItsUndoRecordIsGone) {
  Versions("c", 2);
  MakePoint("c", "p");
  Versions("c", 6);
  EXPECT_EQ("2", GetVersion("c", 2).entries["k"]);
  EXPECT_EQ("2", Restore("c", At::Version(2)).state.entries["k"]);
  EXPECT_EQ((Texts{{"k", "2"}, {"v1", "x"}, {"v2", "x"}}), Get("c").entries);
}

TEST_F(EngineRestoreTest, AVersionIsKeptByAnotherPointWhereTheTimeOfOneIsOver) {
  Versions("c", 1);
  MakePoint("c", "a");
  MakePoint("c", NewPoint("b").Ttl(100 * kSecond));
  Versions("c", 6);
  clock_.now_us += 100 * kSecond;
  EXPECT_EQ("1", GetVersion("c", 1).entries["k"]);
  EXPECT_EQ("1", Restore("c", At::Version(1)).state.entries["k"]);
}

TEST_F(EngineRestoreTest, TheSafetyPointKeepsTheStateBefore) {
  Versions("c", 1);
  MakePoint("c", "p");
  Versions("c", 2);
  RestoreOptions options;
  options.safety = true;
  options.request_id = "r";
  Restored restored = Restore("c", At::Point("p"), options);
  ASSERT_EQ(CX_OK, restored.status) << restored.error.message;
  ASSERT_EQ(32u, restored.safety_id.size());
  Pointed safety = GetPoint("c", restored.safety_id);
  EXPECT_EQ(CX_ORIGIN_SAFETY, safety.point.origin);
  EXPECT_EQ("2", safety.point.state.entries["k"]);
  EXPECT_EQ(3u, safety.point.state.version);
  Restored again = Restore("c", At::Point("p"), options);
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(restored.safety_id, again.safety_id);
  EXPECT_EQ(restored.write.version, again.write.version);
  Reopen();
  again = Restore("c", At::Point("p"), options);
  EXPECT_TRUE(again.write.replayed) << "also after a restart";
  EXPECT_EQ(restored.safety_id, again.safety_id);
  EXPECT_EQ(4u, Get("c").version);
  EXPECT_EQ("2", Restore("c", At::Point(restored.safety_id)).state.entries["k"]);
}

TEST_F(EngineRestoreTest, AVersionIsBackWithThePointThatItCameFrom) {
  Upsert("c", Mutations().Put("k", "1"));
  MakePoint("c", "p");
  Update("c", Mutations().Put("k", "2"));
  MakePoint("c", "gone");
  MakePoint("c", "q");
  MakePoint("c", "gone too");
  Update("c", Mutations().Put("k", "3"));
  ASSERT_EQ(CX_OK, Restore("c", At::Point("p")).status);
  ASSERT_EQ(CX_OK, DropPoint("c", "gone too").status);
  ASSERT_EQ(CX_OK, Restore("c", At::Version(3)).status);
  EXPECT_EQ("q", MakePoint("c", "r").point.parent_id) << "3 was made after q, and not from p";
  ASSERT_EQ(CX_OK, Restore("c", At::Version(4)).status);
  EXPECT_EQ("p", MakePoint("c", "s").point.parent_id);
  ReopenTheSame();
  ForkOptions options;
  options.points = true;
  ASSERT_EQ(CX_OK, Fork("c", "f", At::Version(5), options).status);
  EXPECT_EQ("r", MakePoint("f", "of r").point.parent_id);
  cx_retention newest = {};
  newest.keep_last = 1;
  ASSERT_EQ(4u, Prune("c", newest).removed);
  ASSERT_EQ(CX_OK, Restore("c", At::Version(5)).status);
  EXPECT_EQ("", MakePoint("c", "t").point.parent_id) << "what it came from is gone";
  ReopenTheSame();
}

TEST_F(EngineRestoreTest, AVersionFromBeforeADeleteHasItsPointAgain) {
  Upsert("c", Mutations().Put("k", "1"));
  MakePoint("c", "p");
  Upsert("d", Mutations().Put("k", "d"));
  MakePoint("d", "other");
  for (const char *id : {"made", "forked"}) {
    ASSERT_EQ(CX_OK, Delete("c").status);
    ForkOptions options;
    options.points = true;
    const bool made = std::string(id) == "made";
    ASSERT_EQ(CX_OK, made ? Upsert("c", Mutations().Put("k", "2")).status
                          : Fork("d", "c", {}, options).status);
    ASSERT_EQ(CX_OK, Restore("c", At::Version(1)).status);
    EXPECT_EQ(made ? "p" : "", MakePoint("c", id).point.parent_id);
    ReopenTheSame();
  }
}

TEST_F(EngineRestoreTest, HoldsToItsPreconditions) {
  Versions("c", 2);
  RestoreOptions options;
  options.if_version = 1;
  EXPECT_EQ("VERSION_CONFLICT", Restore("c", At::Version(1), options).reason());
  options.if_version = 2;
  EXPECT_EQ(CX_OK, Restore("c", At::Version(1), options).status);
}

TEST_F(EngineRestoreTest, ARestoreToTheHeadChangesNothing) {
  Versions("c", 2);
  Restored restored = Restore("c", At::Version(2));
  EXPECT_EQ(CX_OK, restored.status);
  EXPECT_EQ(0u, restored.write.revision);
  EXPECT_EQ(0u, restored.changed);
  EXPECT_EQ(2u, restored.write.version);
  EXPECT_EQ("2", restored.state.entries["k"]);
}

// ---- Undeletes. ------------------------------------------------------------------------

TEST_F(EngineRestoreTest, AnUndeleteBringsBackTheLastStateWithItsPoints) {
  cx_new_context properties = {};
  properties.ttl_us = 1000 * kSecond;
  Create("c", properties, Mutations().Put("k", "1").SetLabel("l", "1"));
  MakePoint("c", "p");
  Update("c", Mutations().Put("k", "2"));
  Delete("c");
  EXPECT_EQ("CONTEXT_NOT_FOUND", Restore("c").reason());
  Restored back = Undelete("c");
  ASSERT_EQ(CX_OK, back.status) << back.error.message;
  EXPECT_EQ("2", back.state.entries["k"]);
  EXPECT_EQ("1", back.state.labels["l"]);
  EXPECT_EQ(0, back.state.expire_time_us) << "without expiry";
  EXPECT_GT(back.write.version, 2u);
  EXPECT_EQ(Ids{"p"}, PointsOf("c"));
  Undelete("c");
  Restored there = Undelete("c");
  EXPECT_EQ("CONTEXT_EXISTS", there.reason());
  ReopenTheSame();
  EXPECT_EQ("2", Get("c").entries["k"]);
}

TEST_F(EngineRestoreTest, AnUndeleteMayNameAnEarlierState) {
  Versions("c", 1);
  MakePoint("c", "p");
  Versions("c", 1);
  Upsert("c", Mutations().Put("k", "9"));
  Delete("c");
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", Undelete("c", At::Point("x")).reason());
  Restored back = Undelete("c", At::Point("p"), true);
  ASSERT_EQ(CX_OK, back.status) << back.error.message;
  EXPECT_EQ("1", back.state.entries["k"]);
  EXPECT_EQ("9", GetPoint("c", back.safety_id).point.state.entries["k"]);
  ReopenTheSame();
}

TEST_F(EngineRestoreTest, AnUndeleteCountsWhatDiffersFromTheLastState) {
  Versions("c", 3);
  Delete("c");
  EXPECT_EQ(2u, Undelete("c", At::Version(2)).changed) << "k and v3";
  Delete("c");
  EXPECT_EQ(0u, Undelete("c").changed);
}

TEST_F(EngineRestoreTest, AnUndeleteNeedsTheParent) {
  Create("p");
  CreateBelow("c", "p");
  Delete("p", true);
  Restored orphan = Undelete("c");
  EXPECT_EQ("PARENT_NOT_FOUND", orphan.reason());
  EXPECT_EQ("p", orphan.detail("parent_id"));
  EXPECT_EQ(CX_OK, Undelete("p").status);
  EXPECT_EQ(CX_OK, Undelete("c").status);
  ReopenTheSame();
}

TEST_F(EngineRestoreTest, WhatIsPurgedOrTooOldDoesNotComeBack) {
  Versions("c", 1);
  Delete("c", false, true);
  EXPECT_EQ("CONTEXT_NOT_FOUND", Undelete("c").reason());
  Versions("d", 1);
  Delete("d");
  clock_.now_us += options_.settings.undelete_window_us + 1;
  Step();
  EXPECT_EQ("CONTEXT_NOT_FOUND", Undelete("d").reason());
}

TEST_F(EngineRestoreTest, ARepeatIsToldThatItsContextIsForgottenOnceThatIsDurable) {
  options_.settings.tombstone_window_us = options_.settings.undelete_window_us = kSecond;
  Reopen();
  Versions("c", 2);
  RestoreOptions options;
  options.request_id = "r";
  ASSERT_EQ(CX_OK, Restore("c", At::Version(1), options).status);
  uint64_t forgotten = Lose("c");
  Restored again = Restore("c", At::Version(1), options);
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ("", again.id);
  EXPECT_EQ(forgotten, again.write.wait_for);
}

// ---- Forks. ----------------------------------------------------------------------------

TEST_F(EngineRestoreTest, AForkOfAnyStateHasItAndGoesItsOwnWay) {
  Versions("c", 2);
  MakePoint("c", "p");
  Versions("c", 4);
  Update("c", Mutations().Put("k", "head").SetLabel("l", "1"));
  const std::pair<At, const char *> states[] = {
      {At(), "head"}, {At::Point("p"), "2"}, {At::Version(6), "4"}, {At::Time(times_[5]), "4"}};
  int number = 0;
  for (const auto &[at, value] : states) {
    const std::string id = "f" + std::to_string(number++);
    Restored forked = Fork("c", id, at);
    ASSERT_EQ(CX_OK, forked.status) << id << ": " << forked.error.message;
    EXPECT_EQ(value, forked.state.entries["k"]) << id;
    EXPECT_EQ(id, forked.id);
    Update(id, Mutations().Put("k", "own"));
    EXPECT_EQ("own", Get(id).entries["k"]);
  }
  EXPECT_EQ("1", Get("f0").labels["l"]);
  EXPECT_EQ("head", Get("c").entries["k"]);
  Update("c", Mutations().Put("k", "later"));
  EXPECT_EQ("own", Get("f0").entries["k"]);
  ReopenTheSame();
}

TEST_F(EngineRestoreTest, AForkRefusesWhatIsNotThereOrThereAlready) {
  Versions("c", 5);
  EXPECT_EQ("CONTEXT_NOT_FOUND", Fork("none", "f").reason());
  EXPECT_EQ("STATE_NOT_RETAINED", Fork("c", "f", At::Version(1)).reason());
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", Fork("c", "f", At::Point("p")).reason());
  EXPECT_EQ("CONTEXT_EXISTS", Fork("c", "c").reason());
  cx_new_context properties = {};
  properties.parent_id = cx_bytes_of("none");
  ForkOptions options;
  options.properties = &properties;
  EXPECT_EQ("PARENT_NOT_FOUND", Fork("c", "f", {}, options).reason());
  EXPECT_EQ("CONTEXT_NOT_FOUND", GetVersion("f", 0).reason());
}

TEST_F(EngineRestoreTest, AForkIsRepeatedByItsRequestAndMakesUpTheSameId) {
  Versions("c", 1);
  ForkOptions options;
  options.request_id = "r";
  Restored forked = Fork("c", "", {}, options);
  ASSERT_EQ(CX_OK, forked.status) << forked.error.message;
  EXPECT_EQ(32u, forked.id.size());
  Reopen();
  Restored again = Fork("c", "", {}, options);
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(forked.id, again.id);
}

TEST_F(EngineRestoreTest, AForkTakesPointsUpToItsStateAlong) {
  Versions("c", 1);
  MakePoint("c", NewPoint("a").Label("x", "1").Attach("y", "1"));
  Versions("c", 1);
  MakePoint("c", "b");
  MakePoint("c", NewPoint("a2").From("a").With(Mutations().Put("k", "a2")));
  Versions("c", 1);
  MakePoint("c", "d");
  ForkOptions options;
  options.points = true;
  EXPECT_EQ(CX_OK, Fork("c", "f", {}, options).status);
  EXPECT_EQ((Ids{"d", "a2", "b", "a"}), PointsOf("f"));
  EXPECT_EQ((Texts{{"y", "1"}}), GetPoint("f", "a").point.attachments);
  EXPECT_EQ("a", GetPoint("f", "a2").point.parent_id);
  EXPECT_EQ("a2", GetPoint("f", "a2").point.state.entries["k"]);
  EXPECT_EQ(CX_OK, Fork("c", "g", At::Point("b"), options).status);
  EXPECT_EQ((Ids{"b", "a"}), PointsOf("g"));
  EXPECT_EQ(CX_OK, Fork("c", "h").status);
  EXPECT_EQ(Ids{}, PointsOf("h"));
  EXPECT_EQ(CX_OK, DropPoint("c", "a").status);
  EXPECT_EQ((Ids{"b", "a"}), PointsOf("g")) << "they are the fork's own";
  MakePoint("g", "e");
  EXPECT_EQ("b", GetPoint("g", "e").point.parent_id);
  ReopenTheSame();
  Update("g", Mutations().Put("k", "changed"));
  EXPECT_EQ(CX_OK, Restore("g", At::Point("a")).status);
  EXPECT_EQ("1", Get("g").entries["k"]);
}

TEST_F(EngineRestoreTest, AForkTakesTheHistoryOfItsStateAlong) {
  Upsert("c", Mutations().Put("k", "1").Record(Activity("message", "one")));
  MakePoint("c", "p");
  Update("c", Mutations().Put("k", "2").Record(Activity("message", "two")));
  ForkOptions options;
  options.history = true;
  EXPECT_EQ(CX_OK, Fork("c", "f", At::Point("p"), options).status);
  EXPECT_EQ(CX_OK, Fork("c", "g", At::Point("p")).status);
  for (const auto &[id, count] : Texts{{"c", "2"}, {"f", "1"}, {"g", "0"}}) {
    cx_activity_query query = {};
    cx_activity_page page = {};
    cx_error error;
    uint64_t wait_for;
    query.name = Name(id);
    query.count_max = 10;
    ASSERT_EQ(CX_OK, cx_engine_list_activities(engine_, &query, &page, &wait_for, &error));
    EXPECT_EQ(count, std::to_string(page.count)) << id;
    cx_activity_page_done(&page);
  }
  ReopenTheSame();
}

// ---- Syncs. ------------------------------------------------------------------------------

TEST_F(EngineRestoreTest, ASyncGivesBothStatesWhereTheOlderOneIsKept) {
  Versions("c", 6);
  Synced synced = Sync("c", 4);
  ASSERT_EQ(CX_OK, synced.status) << synced.error.message;
  EXPECT_FALSE(synced.full);
  EXPECT_EQ(4u, synced.before.version);
  EXPECT_EQ("4", synced.before.entries["k"]);
  EXPECT_EQ(6u, synced.after.version);
  EXPECT_EQ(Get("c").entries, synced.after.entries);
  EXPECT_GE(synced.write.wait_for, Get("c").revision);
  synced = Sync("c", 6);
  EXPECT_FALSE(synced.full);
  EXPECT_EQ(synced.before.entries, synced.after.entries);
}

TEST_F(EngineRestoreTest, ASyncIsFullWhereTheClientsVersionIsNotKeptOrNeverWas) {
  Versions("c", 6);
  for (uint64_t have : {0, 1, 7, 99}) {
    Synced synced = Sync("c", have);
    ASSERT_EQ(CX_OK, synced.status) << synced.error.message;
    EXPECT_TRUE(synced.full) << have;
    EXPECT_EQ((Texts{}), synced.before.entries);
    EXPECT_EQ("6", synced.after.entries["k"]);
  }
  Synced none = Sync("none", 1);
  EXPECT_EQ("CONTEXT_NOT_FOUND", none.reason());
}

TEST_F(EngineRestoreTest, ASyncKnowsAVersionThatOnlyAPointKeeps) {
  Versions("c", 1);
  MakePoint("c", "p");
  Versions("c", 6);
  Synced synced = Sync("c", 1);
  EXPECT_FALSE(synced.full);
  EXPECT_EQ("1", synced.before.entries["k"]);
}

}  // namespace
