// Staging of the tables that typed activities feed: files, and the usage of contexts and
// namespaces.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class StageTablesTest : public TrackerFixture {
 protected:
  StageTablesTest() { Create("a"); }
};

TEST_F(StageTablesTest, KeepsTheLastOperationOfEachFileAndCountsThem) {
  Record("a", Activity().File("p", "read"));
  Record("a", Activity().File("q", "read"));
  plan_.now_us = 2000;
  WriteTo("a", Mutations()
                   .Record(Activity().File("p", "write"))
                   .Record(Activity().File("r", "read"))
                   .Record(Activity().File("p", "delete")));
  EXPECT_EQ((List{"p delete 2000 3", "q read 1000 1", "r read 2000 1"}), Files("a"));
  ExpectReplayGivesTheSame();
}

TEST_F(StageTablesTest, AddsUpCallsInContextAndNamespace) {
  Create("b");
  Record("a", Activity().Model("m", 3, 1));
  WriteTo("a", Mutations().Record(Activity().Model("m", 4, 1)).Record(Activity().Model("n", 5, 1)));
  WriteTo("b", Mutations().Record(Activity().Model("m", 6, 1)));
  EXPECT_EQ((List{"m 2 7", "n 1 5"}), Usage("a"));
  EXPECT_EQ((List{"m 1 6"}), Usage("b"));
  EXPECT_EQ((List{"m 3 13", "n 1 5"}), Usage(""));
  EXPECT_EQ(2u, Tracked("a").usage_count);
  ExpectReplayGivesTheSame();
}

TEST_F(StageTablesTest, SumsStopAtTheLargestNumber) {
  Record("a", Activity().Model("m", UINT64_MAX - 1, 1));
  Record("a", Activity().Model("m", 5, 1));
  EXPECT_EQ((List{"m 2 18446744073709551615"}), Usage("a"));
  EXPECT_EQ((List{"m 2 18446744073709551615"}), Usage(""));
}

TEST_F(StageTablesTest, BeginAnewWithTheContextWhileTheNamespacesStay) {
  Record("a", Activity().Model("m", 3, 1));
  Record("a", Activity().File("p", "read"));
  Delete("a");
  Create("a");
  EXPECT_EQ(List{}, Usage("a"));
  EXPECT_EQ(List{}, Files("a"));
  EXPECT_EQ(0u, Tracked("a").usage_count);
  EXPECT_EQ((List{"m 1 3"}), Usage(""));
  Record("a", Activity().Model("m", 3, 1));
  EXPECT_EQ((List{"m 1 3"}), Usage("a"));
  EXPECT_EQ((List{"m 2 6"}), Usage(""));
  ExpectReplayGivesTheSame();
}

TEST_F(StageTablesTest, ChangesNothingThatAnybodySees) {
  Record("a", Activity().File("p", "read"));
  Record("a", Activity().Model("m", 1, 1));
  cx_tree files = cx_tree_copy(&Tracked("a").files);
  uint64_t digest = cx_state_digest(&state_);
  Mutations both =
      Mutations().Record(Activity().File("p", "write")).Record(Activity().Model("new", 1, 1));
  ASSERT_EQ(CX_PLAN_CHANGE, PlanWrite("a", both));
  EXPECT_EQ(digest, cx_state_digest(&state_));
  EXPECT_EQ((List{"m 1 1"}), Usage(""));
  cx_plan_end(&plan_);
  EXPECT_EQ(digest, cx_state_digest(&state_));

  WriteTo("a", both);
  struct cx_file_view view;
  cx_file_view(cx_file_of(cx_tree_get(&cx_file_class, &files, cx_bytes_of("p"))), &view);
  EXPECT_EQ("read", Text(view.last.operation)) << "a copy stays as it was";
  EXPECT_EQ(1u, view.operation_count);
  cx_tree_done(&cx_file_class, &files);
}

TEST_F(StageTablesTest, LeavesNoRowInTheNamespaceOfWhatWasNotApplied) {
  Mutations many;
  for (unsigned i = 0; i < CX_USAGE_TOTALS_MAX; i++) {
    many.Record(Activity().Model(std::to_string(i), 1, 1));
  }
  ASSERT_EQ(CX_PLAN_CHANGE, PlanWrite("a", many));
  cx_plan_end(&plan_);
  EXPECT_EQ(CX_PLAN_CHANGE, Record("a", Activity().Model("another", 1, 1)));
  EXPECT_EQ((List{"another 1 1"}), Usage(""));
}

TEST_F(StageTablesTest, AReplayKnowsNoBoundOfTheTotals) {
  std::vector<Activity> more;
  for (unsigned i = 0; i <= CX_USAGE_TOTALS_MAX; i++) {
    more.push_back(Activity().Model(std::to_string(i), 1, 1));
  }
  EXPECT_EQ(CX_OK, Stage({Touch("a", more)}));
  Mutations many;
  for (const Activity &activity : more) many.Record(activity);
  EXPECT_EQ(CX_PLAN_FAILED, WriteTo("a", many));
  EXPECT_EQ("usage_totals_max", detail("limit"));
}

}  // namespace
