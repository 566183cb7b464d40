// What apply_tracking.h promises: what is new has the time of its change, and applying it
// takes no memory.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class ApplyTrackingTest : public TrackerFixture {
 protected:
  ApplyTrackingTest() {
    for (const char *id : {"a", "b"}) Create(id);
  }

  // The list by start of the shard that a session is in: revisions and ids.
  List ByStart(const std::string &session) {
    List list;
    cx_tree_cursor cursor;
    const cx_tree *rows = &state_.shards[NameKey(session).shard].sessions_by_start;
    cx_tree_item *item = cx_tree_seek(&cx_row_class, rows, {}, &cursor);
    for (; item != nullptr; item = cx_tree_next(&cursor)) {
      const auto *row = reinterpret_cast<const cx_row *>(item);
      list.push_back(std::to_string(cx_session_row_start(row)) + " " +
                     Text(cx_session_row_session(row)));
    }
    return list;
  }
};

TEST_F(ApplyTrackingTest, EverythingNewHasTheTimeOfItsChange) {
  plan_.now_us = 2000;
  Begin("s");
  EXPECT_EQ(2000, Session("s")->create_time_us);
  plan_.now_us = 3000;
  Activate("s", "a");
  EXPECT_EQ(3000, Session("s")->activation_newest->time_us);
  plan_.now_us = 4000;
  Acquire("s", "a", "tool");
  EXPECT_EQ(4000, Session("s")->resource_newest->time_us);
  plan_.now_us = 5000;
  WriteTo("a", Mutations().Record(Activity()).Record(Activity().File("p", "read")));
  EXPECT_EQ((List{"p read 5000 1"}), Files("a"));
  cx_tree_cursor cursor;
  cx_tree_item *item = cx_tree_seek(&cx_activity_class, &Tracked("a").history, {}, &cursor);
  for (int64_t time_us : {4000, 5000, 5000}) {
    ASSERT_NE(nullptr, item);
    EXPECT_EQ(time_us, cx_activity_of(item)->time_us);
    item = cx_tree_next(&cursor);
  }
}

TEST_F(ApplyTrackingTest, ListsASessionByTheRevisionOfItsStart) {
  Begin("s");
  std::string row = std::to_string(revision_) + " s";
  EXPECT_EQ((List{row}), ByStart("s"));
  Activate("s", "a");
  EXPECT_EQ((List{row}), ByStart("s"));
  End("s");
  EXPECT_EQ(List{}, ByStart("s"));
}

TEST_F(ApplyTrackingTest, ASessionHasALeaseFromItsStartToItsEnd) {
  const cx_due &leases = state_.shards[NameKey("s").shard].leases;
  int64_t time_us;
  Begin("s");
  EXPECT_EQ(&Session("s")->lease, cx_due_first(&leases, &time_us));
  EXPECT_EQ(INT64_MAX, time_us) << "until the engine says when";
  Activate("s", "a");
  Switch("s", "b");
  EXPECT_EQ(1u, leases.count);
  End("s");
  EXPECT_EQ(0u, leases.count);
}

TEST_F(ApplyTrackingTest, NotesTheRevisionOfWhateverChangesASession) {
  Begin("s");
  auto expect_noted = [&](cx_plan_result result) {
    EXPECT_EQ(CX_PLAN_CHANGE, result);
    EXPECT_EQ(revision_, Session("s")->revision);
  };
  expect_noted(Activate("s", "a", Exclusive));
  expect_noted(Switch("s", "b"));
  expect_noted(Switch("s", "a"));
  expect_noted(Deactivate("s", "b"));
  expect_noted(Acquire("s", "a", "tool"));
  expect_noted(Release("s", "a", "tool"));
  Acquire("s", "b", "tool");
  expect_noted(Delete("b"));
  Begin("t");
  EXPECT_LT(Session("s")->revision, revision_);
  expect_noted(Activate("t", "a", Taking));
  uint64_t before = Session("s")->revision;
  Record("a", Activity(), By("s"));
  EXPECT_EQ(before, Session("s")->revision) << "what it writes does not change it";
  End("s");
  EXPECT_EQ(revision_, state_.shards[NameKey("s").shard].session_end_revision);
}

TEST_F(ApplyTrackingTest, CountsSessions) {
  for (const char *id : {"s", "t", "u"}) Begin(id);
  EXPECT_EQ(3, state_.session_count);
  End("s");
  LetLapse("t");
  Lapse("t");
  EXPECT_EQ(1, state_.session_count);
}

TEST_F(ApplyTrackingTest, TakesNoMemoryForSessions) {
  cx_new_context create = {};
  create.parent_id = cx_bytes_of("above");
  create.create_parent = true;
  ApplyWithoutMemory(PlanStart("s", [&](Start *start) {
    start->default_context_id = cx_bytes_of("home");
    start->create_if_missing = &create;
    start->request_id = cx_bytes_of("id");
  }));
  for (int i = 0; i < 200; i++) ApplyWithoutMemory(PlanStart("x" + std::to_string(i)));
  ApplyWithoutMemory(Plan(cx_plan_activate, "s", "a", Guarding));
  ApplyWithoutMemory(Plan(cx_plan_activate, "x0", "a", Taking));
  ApplyWithoutMemory(Plan(cx_plan_switch, "s", "new", [](Activation *request) {
    request->request_id = cx_bytes_of("another id");
  }));
  ApplyWithoutMemory(Plan(cx_plan_deactivate, "s", "home"));
  for (int i = 0; i < 100; i++) {
    ApplyWithoutMemory(Plan(cx_plan_acquire, "s", i % 2 == 0 ? "a" : "b", std::to_string(i)));
  }
  ApplyWithoutMemory(Plan(cx_plan_release, "s", "a", "50"));
  for (int i = 0; i < 200; i++) ApplyWithoutMemory(PlanEnd("x" + std::to_string(i), "id"));
  ApplyWithoutMemory(PlanEnd("s", "a third id"));
  EXPECT_EQ(0, state_.session_count);
  ExpectReplayGivesTheSame();
}

TEST_F(ApplyTrackingTest, TakesNoMemoryForHistoriesThatAreTrimmed) {
  std::vector<Mutations> writes(4);
  for (int i = 0; i < 500; i++) {
    writes[i % 4].Record(
        Activity("n", std::string(i % 7 * 300, 'x')).File(std::to_string(i % 50), "read"));
    writes[i % 4].Record(Activity().Model(std::to_string(i % 30), 1, 1));
  }
  plan_.history_count_max = 600;
  for (int round = 0; round < 12; round++) {
    ApplyWithoutMemory(PlanWrite("a", writes[round % 4]));
    EXPECT_LE(Tracked("a").history_count, 600u);
  }
  plan_.history_count_max = 1;
  ApplyWithoutMemory(PlanWrite("a", Mutations().Record(Activity())));
  EXPECT_EQ(1u, History("a").size());
  ExpectReplayGivesTheSame();
}

}  // namespace
