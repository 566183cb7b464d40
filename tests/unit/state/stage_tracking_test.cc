// What stage_tracking.h promises of activities, activations and resources: nobody sees what is
// staged, and what does not fit the state is refused.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class StageTrackingTest : public TrackerFixture {
 protected:
  StageTrackingTest() {
    Create("a");
    Create("b");
    Begin("s");
    Begin("t");
  }

  // Whether the steps on one context fit.
  cx_status Resources(const char *session, const std::vector<Activity> &steps) {
    return Stage({Touch("a", steps, session)});
  }
  cx_status Activations(const std::vector<cx_activation_step> &steps) {
    return Stage({Touch("a", steps)});
  }

  const Activity take_ = Activity().Resource("tool", CX_RESOURCE_ACQUIRED);
  const Activity give_ = Activity().Resource("tool", CX_RESOURCE_RELEASED);
  const Activity lose_ = Activity().Resource("tool", CX_RESOURCE_RECLAIMED);
};

TEST_F(StageTrackingTest, WantsSequencesThatFollowTheLast) {
  Record("a", Activity());
  for (uint64_t first = 1; first < 4; first++) {
    std::vector<Activity> activities(2);
    cx_change_item item = Touch("a", activities);
    item.first_sequence = first;
    EXPECT_EQ(first == 2 ? CX_OK : CX_DATA_LOSS, Stage({item})) << first;
  }
}

TEST_F(StageTrackingTest, DropsWhatIsThereOfARun) {
  for (int i = 0; i < 5; i++) Record("a", Activity());
  const cx_run runs[] = {{2, 3}, {5, 900}};
  cx_change_item item = Touch("a");
  item.trimmed = {runs, 2};
  EXPECT_EQ(CX_OK, Stage({item}));
  EXPECT_EQ(CX_OK, Stage({item})) << "and again, since nothing was dropped yet";
  EXPECT_EQ(5u, History("a").size());
  item.id = cx_bytes_of("b");
  EXPECT_EQ(CX_OK, Stage({item})) << "of nothing";
}

TEST_F(StageTrackingTest, RefusesAResourceThatIsTakenTwice) {
  EXPECT_EQ(CX_OK, Resources("s", {take_}));
  EXPECT_EQ(CX_DATA_LOSS, Resources("s", {take_, take_}));
  EXPECT_EQ(CX_DATA_LOSS, Resources("s", {take_, give_})) << "nor is it given back yet";
  Acquire("t", "a", "tool");
  EXPECT_EQ(CX_DATA_LOSS, Resources("s", {take_}));
  EXPECT_EQ(CX_DATA_LOSS, Resources("t", {take_}));
  EXPECT_EQ(CX_DATA_LOSS, Resources("t", {give_, take_}));
}

TEST_F(StageTrackingTest, RefusesAResourceThatItsHolderDoesNotGiveBack) {
  EXPECT_EQ(CX_DATA_LOSS, Resources("s", {give_}));
  Acquire("s", "a", "tool");
  EXPECT_EQ(CX_OK, Resources("s", {give_}));
  EXPECT_EQ(CX_OK, Resources("s", {lose_}));
  EXPECT_EQ(CX_DATA_LOSS, Resources("t", {give_}));
  EXPECT_EQ(CX_DATA_LOSS, Resources("s", {give_, lose_}));
  EXPECT_EQ(CX_OK, Resources("s", {give_})) << "which leaves no mark";
}

TEST_F(StageTrackingTest, RefusesAResourceOfNobody) {
  EXPECT_EQ(CX_DATA_LOSS, Resources("", {take_}));
  EXPECT_EQ(CX_DATA_LOSS, Resources("nobody", {take_}));
}

TEST_F(StageTrackingTest, RefusesAnActivationOfNobody) {
  EXPECT_EQ(CX_OK, Activations({Step("s", true)}));
  EXPECT_EQ(CX_DATA_LOSS, Activations({Step("nobody", true)}));
  EXPECT_EQ(CX_DATA_LOSS, Activations({Step("nobody", false)}));
}

TEST_F(StageTrackingTest, WantsAFenceThatFollowsTheLast) {
  Activate("s", "a", Exclusive);
  EXPECT_EQ(CX_DATA_LOSS, Activations({Step("s", true, 1)}));
  EXPECT_EQ(CX_OK, Activations({Step("s", true, 2)}));
  EXPECT_EQ(CX_DATA_LOSS, Activations({Step("s", true, 3)}));
}

TEST_F(StageTrackingTest, RefusesASecondExclusiveActivation) {
  Activate("s", "a", Exclusive);
  EXPECT_EQ(CX_DATA_LOSS, Activations({Step("t", true, 2)}));
  EXPECT_EQ(CX_OK, Activations({Step("s", false), Step("t", true, 2)}));
  EXPECT_EQ(CX_OK, Activations({Step("t", true)})) << "shared";
}

TEST_F(StageTrackingTest, RefusesAnEndOfWhatIsNotActive) {
  EXPECT_EQ(CX_DATA_LOSS, Activations({Step("s", false)}));
  Activate("s", "a");
  EXPECT_EQ(CX_OK, Activations({Step("s", false)}));
  EXPECT_EQ(CX_DATA_LOSS, Activations({Step("s", false), Step("s", false)}));
  EXPECT_EQ(CX_OK, Activations({Step("s", false)})) << "which leaves no mark";
}

TEST_F(StageTrackingTest, LetsOneBeginAndThatLast) {
  Activate("s", "a");
  EXPECT_EQ(CX_OK, Activations({Step("s", false), Step("t", true)}));
  EXPECT_EQ(CX_OK, Activations({Step("s", false), Step("s", true)}));
  EXPECT_EQ(CX_DATA_LOSS, Activations({Step("t", true), Step("s", false)}));
  EXPECT_EQ(CX_DATA_LOSS, Activations({Step("t", true), Step("t", true)}));
  EXPECT_EQ(CX_DATA_LOSS, Activations({Step("t", true), Step("t", false)}));
}

TEST_F(StageTrackingTest, AContextThatEndsEndsAllItsActivations) {
  Activate("s", "a");
  Activate("t", "a");
  cx_change_item item = Touch("a", {Step("s", false), Step("t", false)});
  for (cx_item_kind kind : {CX_ITEM_DELETE, CX_ITEM_EXPIRE, CX_ITEM_PURGE}) {
    item.kind = kind;
    item.activation_count = 2;
    EXPECT_EQ(CX_OK, Stage({item}));
    item.activation_count = 1;
    EXPECT_EQ(CX_DATA_LOSS, Stage({item}));
    item.activation_count = 0;
    EXPECT_EQ(CX_DATA_LOSS, Stage({item}));
  }
}

TEST_F(StageTrackingTest, ASessionThatEndsTakesNothingMore) {
  const cx_session_change end = SessionChange(CX_SESSION_END, "s");
  EXPECT_EQ(CX_OK, Stage(end, {Touch("a", {Step("t", true)})}));
  EXPECT_EQ(CX_DATA_LOSS, Stage(end, {Touch("a", {Step("s", true)})}));
  const std::vector<Activity> take = {take_};
  EXPECT_EQ(CX_DATA_LOSS, Stage(end, {Touch("a", take, "s")}));
  EXPECT_EQ(CX_OK, Stage(end, {Touch("a", take, "t")}));
  EXPECT_FALSE(Session("s")->ending);
}

TEST_F(StageTrackingTest, ASessionThatStartsIsFoundByTheItems) {
  cx_session_change start = SessionChange(CX_SESSION_START, "new");
  EXPECT_EQ(CX_OK, Stage(start, {Touch("a", {Step("new", true, 1)})}));
  const std::vector<Activity> take = {take_};
  EXPECT_EQ(CX_OK, Stage(start, {Touch("a", take, "new")}));
  EXPECT_EQ(nullptr, Session("new"));
}

TEST_F(StageTrackingTest, TouchesOnlyWhatLives) {
  Delete("b");
  EXPECT_EQ(CX_DATA_LOSS, Stage({Touch("b")}));
  EXPECT_EQ(CX_DATA_LOSS, Stage({Touch("missing")}));
  EXPECT_EQ(CX_DATA_LOSS, Stage({Touch("a"), Touch("a")}));
}

TEST_F(StageTrackingTest, LeavesNoMarkOnWhatItWouldHaveEnded) {
  Activate("s", "a", Exclusive);
  Acquire("s", "a", "tool");
  ASSERT_EQ(CX_PLAN_CHANGE, PlanEnd("s"));
  EXPECT_TRUE(Session("s")->ending);
  EXPECT_TRUE(Session("s")->activation_oldest->staged);
  EXPECT_TRUE(Session("s")->resource_newest->staged);
  cx_plan_end(&plan_);
  EXPECT_FALSE(Session("s")->ending);
  EXPECT_FALSE(Session("s")->activation_oldest->staged);
  EXPECT_FALSE(Session("s")->resource_newest->staged);
  EXPECT_EQ(CX_PLAN_CHANGE, Deactivate("s", "a"));
  EXPECT_EQ(CX_PLAN_CHANGE, Release("s", "a", "tool"));
  EXPECT_EQ(CX_PLAN_CHANGE, End("s"));
}

}  // namespace
