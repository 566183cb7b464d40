// What becomes of the session of a change while it is staged: whether it fits, and that
// nobody sees it.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class StageSessionTest : public TrackerFixture {
 protected:
  StageSessionTest() {
    Create("a");
    Create("b");
    Begin("s");
  }

  static cx_session_change SwitchTo(const char *context) {
    cx_session_change change = SessionChange(CX_SESSION_SWITCH, "s");
    change.current_id = cx_bytes_of(context);
    return change;
  }
};

TEST_F(StageSessionTest, StartsOnlyWhatIsNotThereAndTheRestOnlyWhatIs) {
  EXPECT_EQ(CX_DATA_LOSS, Stage(SessionChange(CX_SESSION_START, "s"), {}));
  EXPECT_EQ(CX_OK, Stage(SessionChange(CX_SESSION_START, "new"), {}));
  for (cx_session_step step : {CX_SESSION_END, CX_SESSION_LOSE, CX_SESSION_PART}) {
    EXPECT_EQ(CX_OK, Stage(SessionChange(step, "s"), {}));
    EXPECT_EQ(CX_DATA_LOSS, Stage(SessionChange(step, "new"), {}));
  }
  EXPECT_EQ(CX_DATA_LOSS, Stage(SessionChange(CX_SESSION_SWITCH, "new"), {}));
}

TEST_F(StageSessionTest, TellsOfASessionWhatItWasStartedWithAndWhen) {
  cx_label label = {cx_bytes_of("l"), cx_bytes_of("v")};
  plan_.now_us += 7;
  Begin("t", [&](Start *start) {
    start->ttl_us = 5 * CX_SECOND_US;
    start->labels = &label;
    start->label_count = 1;
  });
  plan_.now_us += 7;
  Create("c");
  auto expect_told = [&](cx_plan_result result, cx_session_step step) {
    const cx_session_change &session = plan_.change.session;
    ASSERT_EQ(CX_PLAN_CHANGE, result);
    EXPECT_EQ(step, session.step);
    EXPECT_EQ("owner", Text(session.start.owner));
    ASSERT_EQ(1u, session.start.label_count);
    EXPECT_EQ("l", Text(session.start.labels[0].key));
    EXPECT_EQ(5 * CX_SECOND_US, session.start.ttl_us);
    EXPECT_EQ(1007, session.create_time_us);
    cx_plan_end(&plan_);
  };
  expect_told(Plan(cx_plan_switch, "t", "c"), CX_SESSION_SWITCH);
  expect_told(PlanEnd("t"), CX_SESSION_END);
  LetLapse("t");
  expect_told(PlanLapse("t"), CX_SESSION_LOSE);
}

TEST_F(StageSessionTest, RefusesInAReplayWhatASessionIsNot) {
  static const cx_label other[] = {{cx_bytes_of("l"), cx_bytes_of("w")},
                                   {cx_bytes_of("m"), cx_bytes_of("v")}};
  cx_label label = {cx_bytes_of("l"), cx_bytes_of("v")};
  Begin("t", [&](Start *start) {
    start->labels = &label;
    start->label_count = 1;
  });
  const std::vector<Set<cx_session_change>> sets = {
      [](cx_session_change *session) { session->start.owner = cx_bytes_of("other"); },
      [](cx_session_change *session) { session->start.ttl_us++; },
      [](cx_session_change *session) { session->create_time_us++; },
      [](cx_session_change *session) { session->create_time_us = 0; },
      [](cx_session_change *session) { session->start.label_count = 0; },
      [](cx_session_change *session) { session->start.labels = other; },
      [](cx_session_change *session) { session->start.labels = &other[1]; },
      [](cx_session_change *session) {
        static const cx_label more[] = {{cx_bytes_of("l"), cx_bytes_of("v")}, other[1]};
        session->start.labels = more;
        session->start.label_count = 2;
      },
  };
  Activate("t", "a");
  Activate("t", "b");
  Deactivate("t", "b");
  cx_change_item a = Touch("a", {Step("t", false)}), b = Touch("b", {Step("t", true)});
  cx_session_change to_b = SessionChange(CX_SESSION_SWITCH, "t");
  to_b.current_id = cx_bytes_of("b");
  ASSERT_EQ(CX_OK, Stage(to_b, {b}));
  for (size_t i = 0; i < sets.size(); i++) {
    EXPECT_EQ(CX_DATA_LOSS, Stage(to_b, {b}, sets[i])) << i;
    EXPECT_EQ(CX_DATA_LOSS, Stage(SessionChange(CX_SESSION_END, "t"), {a}, sets[i])) << i;
    EXPECT_EQ(CX_DATA_LOSS, Stage(SessionChange(CX_SESSION_LOSE, "t"), {a}, sets[i])) << i;
    EXPECT_EQ(CX_OK, Stage(SessionChange(CX_SESSION_PART, "t"), {a}, sets[i])) << "tells nothing";
  }
}

TEST_F(StageSessionTest, EndsASessionOnlyWithAllThatItHasActive) {
  Activate("s", "a");
  Activate("s", "b");
  cx_change_item a = Touch("a", {Step("s", false)}), b = Touch("b", {Step("s", false)});
  for (cx_session_step step : {CX_SESSION_END, CX_SESSION_LOSE}) {
    EXPECT_EQ(CX_OK, Stage(SessionChange(step, "s"), {a, b}));
    EXPECT_EQ(CX_OK, Stage(SessionChange(step, "s"), {b, a}));
    EXPECT_EQ(CX_DATA_LOSS, Stage(SessionChange(step, "s"), {a}));
    EXPECT_EQ(CX_DATA_LOSS, Stage(SessionChange(step, "s"), {}));
  }
  EXPECT_EQ(CX_OK, Stage(SessionChange(CX_SESSION_PART, "s"), {a}));
}

TEST_F(StageSessionTest, EndsASessionOnlyWithAllThatItHolds) {
  Acquire("s", "a", "tool");
  EXPECT_EQ(CX_DATA_LOSS, Stage(SessionChange(CX_SESSION_END, "s"), {}));
  const std::vector<Activity> steps = {Activity().Resource("tool", CX_RESOURCE_RECLAIMED)};
  EXPECT_EQ(CX_OK, Stage(SessionChange(CX_SESSION_END, "s"), {Touch("a", steps, "s")}));
  cx_change_item gone = Touch("a");
  gone.kind = CX_ITEM_DELETE;
  EXPECT_EQ(CX_OK, Stage(SessionChange(CX_SESSION_END, "s"), {gone})) << "with its context";
}

TEST_F(StageSessionTest, CountsOnlyWhatIsOfTheSessionThatEnds) {
  Begin("t");
  Activate("s", "a");
  Activate("t", "a");
  EXPECT_EQ(CX_DATA_LOSS,
            Stage(SessionChange(CX_SESSION_END, "s"), {Touch("a", {Step("t", false)})}));
}

TEST_F(StageSessionTest, SwitchesOnlyToWhatIsActiveAfterwards) {
  Activate("s", "a");
  EXPECT_EQ(CX_OK, Stage(SwitchTo("a"), {}));
  EXPECT_EQ(CX_DATA_LOSS, Stage(SwitchTo("b"), {}));
  EXPECT_EQ(CX_DATA_LOSS, Stage(SwitchTo("missing"), {}));
  EXPECT_EQ(CX_OK, Stage(SwitchTo("b"), {Touch("b", {Step("s", true)})}));
  EXPECT_EQ(CX_OK, Stage(SwitchTo("a"), {Touch("b", {Step("s", true)})}));
  EXPECT_EQ(CX_DATA_LOSS, Stage(SwitchTo("a"), {Touch("a", {Step("s", false)})}));
  EXPECT_EQ(CX_OK, Stage(SwitchTo("a"), {Touch("a", {Step("s", false), Step("s", true)})}));
  cx_change_item gone = Touch("a", {Step("s", false)});
  gone.kind = CX_ITEM_DELETE;
  EXPECT_EQ(CX_DATA_LOSS, Stage(SwitchTo("a"), {gone}));
  Begin("t");
  EXPECT_EQ(CX_DATA_LOSS, Stage(SwitchTo("b"), {Touch("b", {Step("t", true)})}))
      << "in another session";
}

TEST_F(StageSessionTest, SwitchesToAnActivationThatTakesThePlaceOfAnother) {
  Activate("s", "a");
  Activate("s", "b");
  cx_change change = {};
  cx_stage stage;
  cx_undo *garbage = nullptr;
  cx_change_item items[] = {Touch("b", {Step("s", true, 1)})};
  cx_name_key key = NameKey("b");
  items[0].version = 1;
  change.kind = CX_CHANGE_CONTEXTS;
  change.namespace_id = cx_bytes_of("default");
  change.session = SwitchTo("b");
  change.items = items;
  change.item_count = 1;
  TellChange(&state_, &change);
  ASSERT_EQ(CX_OK, cx_stage_begin(&stage, &state_, &arena_, nullptr, 1));
  ASSERT_EQ(CX_OK, cx_stage_session(&stage, &change.session));
  ASSERT_EQ(CX_OK, cx_stage_item(&stage, change.namespace_id, &key, items));
  ASSERT_EQ(CX_OK, cx_stage_finish(&stage, &change));
  cx_apply(&stage, &change, ++revision_, plan_.now_us, &garbage);
  cx_stage_done(&stage);
  EXPECT_EQ((List{"a", "b:1*"}), Active("s"));
}

TEST_F(StageSessionTest, NobodySeesASessionThatIsStaged) {
  uint64_t digest = cx_state_digest(&state_);
  ASSERT_EQ(CX_PLAN_CHANGE, PlanStart("new"));
  EXPECT_EQ(nullptr, Session("new"));
  EXPECT_EQ(1, state_.session_count);
  EXPECT_EQ(digest, cx_state_digest(&state_));
  cx_plan_end(&plan_);
  ASSERT_EQ(CX_PLAN_CHANGE, PlanEnd("s"));
  EXPECT_NE(nullptr, Session("s"));
  EXPECT_EQ(digest, cx_state_digest(&state_));
  cx_plan_end(&plan_);
  EXPECT_EQ(digest, cx_state_digest(&state_));
}

}  // namespace
