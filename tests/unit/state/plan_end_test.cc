// Plans of what ends contexts: deletes, and what is due by time.

#include "tests/unit/state/state_fixture.h"

namespace {

using PlanEndTest = StateFixture;

TEST_F(PlanEndTest, DeletesNoContextThatHasChildren) {
  Create("a");
  CreateBelow("b", "a");
  EXPECT_EQ(CX_PLAN_FAILED, Delete("a"));
  EXPECT_EQ("HAS_CHILDREN", reason());
  EXPECT_EQ("1", Text(cx_error_detail_get(&error_, "child_count")));
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

}  // namespace
