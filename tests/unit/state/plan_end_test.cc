// Plans of what ends contexts: deletes, and what is due by time.

#include "tests/unit/state/tracker_fixture.h"

namespace {

using PlanEndTest = TrackerFixture;

TEST_F(PlanEndTest, DeletesNoContextThatHasChildren) {
  Create("a");
  CreateBelow("b", "a");
  EXPECT_EQ(CX_PLAN_FAILED, Delete("a"));
  EXPECT_EQ("HAS_CHILDREN", reason());
  EXPECT_EQ("1", detail("child_count"));
}

TEST_F(PlanEndTest, DeletesWhatIsBelowFirst) {
  Create("a");
  CreateBelow("b", "a");
  CreateBelow("c", "b");
  EXPECT_EQ(CX_PLAN_CHANGE, Delete("a", /*recursive=*/true));
  EXPECT_EQ(3u, items_.size());
  EXPECT_EQ(CX_CONTEXT_DELETED, Find("c")->life);
  EXPECT_EQ(Find("a")->revision, Find("c")->revision);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanEndTest, MakesSeveralChangesOfWhatOneCannotTake) {
  Create("a");
  for (int i = 0; i < 40; i++) CreateBelow("b" + std::to_string(i), "a");
  plan_.change_size_max = 1000;

  EXPECT_EQ(CX_PLAN_CHANGE, Delete("a", true));
  EXPECT_TRUE(more_);
  EXPECT_EQ(CX_CONTEXT_LIVE, Find("a")->life);
  while (more_) ASSERT_EQ(CX_PLAN_CHANGE, Delete("a", true, false, /*again=*/true));
  EXPECT_EQ(CX_CONTEXT_DELETED, Find("a")->life);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanEndTest, PurgesLiveAndDeletedOnesDownToTheirVersion) {
  Create("live", {}, Mutations().Put("k", "v"));
  Create("deleted", {}, Mutations().Put("k", "v"));
  Delete("deleted");
  EXPECT_EQ(CX_PLAN_CHANGE, Delete("live", false, /*purge=*/true));
  EXPECT_EQ(CX_PLAN_CHANGE, Delete("deleted", false, true));
  for (const char *id : {"live", "deleted"}) {
    EXPECT_EQ(CX_CONTEXT_BARE, Find(id)->life);
    EXPECT_EQ(nullptr, Find(id)->entries.root);
    EXPECT_EQ(nullptr, Find(id)->undo_oldest);
    EXPECT_EQ(1u, Find(id)->version);
  }
  EXPECT_EQ(CX_PLAN_FAILED, Delete("live", false, true));
}

TEST_F(PlanEndTest, ChecksThePreconditionsOfAPurgeOfADeletedContextToo) {
  cx_precondition precondition = {CX_PRECONDITION_CONTEXT_VERSION, {}, 77};
  cx_delete_request request = {};
  request.name = {cx_bytes_of("default"), cx_bytes_of("a")};
  request.purge = true;
  request.preconditions = &precondition;
  request.precondition_count = 1;
  Create("a");
  Delete("a");
  cx_plan_begin(&plan_);
  EXPECT_EQ(CX_PLAN_FAILED, Finish(cx_plan_delete(&plan_, &request, false)));
  EXPECT_EQ("VERSION_CONFLICT", reason());
  EXPECT_EQ(CX_CONTEXT_DELETED, Find("a")->life);
}

TEST_F(PlanEndTest, EndsNothingBeforeItsTime) {
  Create("a");
  EXPECT_EQ(CX_PLAN_NOTHING, Due("a"));
  EXPECT_EQ(CX_PLAN_NOTHING, Due("nobody"));
  Delete("a");
  plan_.now_us += settings_.undelete_window_us - 1;
  EXPECT_EQ(CX_PLAN_NOTHING, Due("a"));
}

TEST_F(PlanEndTest, DropsTheStatesAndThenForgets) {
  Create("a", {}, Mutations().Put("k", "v"));
  Delete("a");
  plan_.now_us += settings_.undelete_window_us;
  EXPECT_EQ(CX_PLAN_CHANGE, Due("a"));
  EXPECT_EQ(CX_CONTEXT_BARE, Find("a")->life);
  EXPECT_EQ(CX_PLAN_NOTHING, Due("a"));
  plan_.now_us += settings_.tombstone_window_us - settings_.undelete_window_us;
  EXPECT_EQ(CX_PLAN_CHANGE, Due("a"));
  EXPECT_EQ(nullptr, Find("a"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanEndTest, EndsActivationsAndGivesResourcesBackInTheSameChange) {
  for (const char *way : {"delete", "purge", "expiry"}) {
    Create("a", {}, Mutations().SetExpiry(10));
    Begin("s");
    Begin("t");
    Activate("s", "a", Guarding);
    Activate("t", "a");
    Acquire("t", "a", "tool");
    uint64_t last = Tracked("a").last_sequence;
    if (std::string(way) == "expiry") {
      plan_.now_us += 10;
      EXPECT_EQ(CX_PLAN_CHANGE, Due("a"));
    } else {
      Deactivate("s", "a");
      Activate("s", "a", Exclusive);
      EXPECT_EQ(CX_PLAN_CHANGE, Delete("a", false, std::string(way) == "purge"));
    }
    EXPECT_EQ(1u, items_.size());
    EXPECT_EQ(List{}, Active("s")) << way;
    EXPECT_EQ(List{}, Active("t")) << way;
    EXPECT_EQ(List{}, Sessions("a")) << way;
    EXPECT_EQ(List{}, Held("a")) << way;
    EXPECT_EQ(0u, Session("t")->resource_count) << way;
    EXPECT_EQ(revision_, Session("s")->revision) << way;
    EXPECT_EQ(last, Tracked("a").last_sequence) << "no activity tells it";
    End("s");
    End("t");
  }
  ExpectReplayGivesTheSame();
}

TEST_F(PlanEndTest, AChildThatAnotherSessionGuardsIsInTheWay) {
  Create("a");
  CreateBelow("b", "a");
  CreateBelow("c", "b");
  Begin("s", [](Start *start) { start->owner = cx_bytes_of("sam"); });
  Begin("t");
  Activate("s", "c", Exclusive);
  Activate("s", "b", Guarding);
  uint64_t digest = cx_state_digest(&state_);
  EXPECT_EQ(CX_PLAN_FAILED, Delete("a", /*recursive=*/true));
  EXPECT_EQ("CONTEXT_BUSY", reason());
  EXPECT_EQ("s", detail("session_id"));
  EXPECT_EQ("sam", detail("owner"));
  EXPECT_EQ(digest, cx_state_digest(&state_));

  cx_delete_request request = {};
  request.name = {cx_bytes_of("default"), cx_bytes_of("a")};
  request.recursive = true;
  request.author.session_id = cx_bytes_of("t");
  cx_plan_begin(&plan_);
  EXPECT_EQ(CX_PLAN_FAILED, Finish(cx_plan_delete(&plan_, &request, false)));
  EXPECT_EQ("CONTEXT_BUSY", reason());
  request.author.session_id = cx_bytes_of("s");
  cx_plan_begin(&plan_);
  EXPECT_EQ(CX_PLAN_CHANGE, Finish(cx_plan_delete(&plan_, &request, false)));
  EXPECT_EQ(CX_CONTEXT_DELETED, Find("b")->life);
  EXPECT_EQ(List{}, Active("s"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanEndTest, AnExclusiveChildWithoutAGuardIsNotInTheWay) {
  Create("a");
  CreateBelow("b", "a");
  Begin("s");
  Activate("s", "b", Exclusive);
  EXPECT_EQ(CX_PLAN_CHANGE, Delete("a", true));
  EXPECT_EQ(List{}, Active("s"));
}

TEST_F(PlanEndTest, AGuardWhoseTermIsOverIsEndedFirst) {
  Create("a");
  CreateBelow("b", "a");
  Begin("s");
  Activate("s", "b", Guarding);
  LetLapse("s");
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Delete("a", true));
  EXPECT_TRUE(plan_.expired_is_session);
  EXPECT_EQ(NameKey("s").hash, plan_.expired.hash);
}

TEST_F(PlanEndTest, AContextExpiresWhoeverGuardsIt) {
  Create("a", {}, Mutations().SetExpiry(10));
  CreateBelow("b", "a");
  Begin("s");
  Activate("s", "a", Guarding);
  Activate("s", "b", Guarding);
  plan_.now_us += 10;
  EXPECT_EQ(CX_PLAN_CHANGE, Due("a"));
  EXPECT_EQ(List{}, Active("s"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanEndTest, AsksForTheShardsOfAllSessionsAtOnce) {
  Create("a");
  uint64_t shards = 1ull << NameKey("a").shard;
  for (const char *id : {"s", "t", "u", "v"}) {
    Begin(id);
    shards |= 1ull << NameKey(id).shard;
  }
  Activate("s", "a");
  Activate("t", "a", Exclusive);
  Acquire("u", "a", "tool");
  Acquire("v", "a", "another");
  plan_.held = 1ull << NameKey("a").shard;
  EXPECT_EQ(CX_PLAN_NEEDS_SHARDS, Delete("a"));
  EXPECT_EQ(shards, plan_.held | plan_.needed);
  plan_.held = shards;
  EXPECT_EQ(CX_PLAN_CHANGE, Delete("a"));
}

TEST_F(PlanEndTest, KeepsFenceAndSequenceAsLongAsTheVersion) {
  Create("a");
  Begin("s");
  Activate("s", "a", Exclusive);
  Record("a", Activity("x").File("path", "read"));
  Delete("a");
  EXPECT_EQ(1u, History("a").size()) << "the states are still there";
  plan_.now_us += settings_.undelete_window_us;
  Due("a");
  EXPECT_EQ(CX_CONTEXT_BARE, Find("a")->life);
  EXPECT_EQ(List{}, History("a"));
  EXPECT_EQ(List{}, Files("a"));
  EXPECT_EQ(1u, Tracked("a").fence);
  EXPECT_EQ(1u, Tracked("a").last_sequence);
  plan_.now_us += settings_.tombstone_window_us;
  Due("a");
  EXPECT_EQ(nullptr, Find("a"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanEndTest, LeavesNoTraceWithoutMemory) {
  Create("a");
  CreateBelow("b", "a");
  Begin("s");
  Activate("s", "b", Guarding);
  Acquire("s", "a", "tool");
  cx_delete_request request = {};
  request.name = {cx_bytes_of("default"), cx_bytes_of("a")};
  request.recursive = true;
  request.author.session_id = cx_bytes_of("s");
  request.request_id = cx_bytes_of("id");
  for (bool purge : {false, true}) {
    request.purge = purge;
    ExpectNoTraceWithoutMemory([&] {
      cx_plan_begin(&plan_);
      return cx_plan_delete(&plan_, &request, false);
    });
  }
}

}  // namespace
