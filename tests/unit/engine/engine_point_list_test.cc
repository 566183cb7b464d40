// Lists of recovery points and prunes: order, filters, pages that go on while points come and go,
// and prunes over many contexts.

#include "tests/unit/engine/recovery_fixture.h"

namespace {

class EnginePointListTest : public RecoveryFixture {
 protected:
  EnginePointListTest() { EXPECT_EQ(CX_OK, Open()); }

  // Points "1" to "count", of one state.
  void Make(const std::string &context, int count) {
    Upsert(context, Mutations().Put("k", "v"));
    for (int i = 1; i <= count; i++) {
      ASSERT_EQ(CX_OK, MakePoint(context, std::to_string(i)).status);
      if (i % 1000 == 0) Step();
    }
  }

  static cx_point_query Of(const char *context) {
    cx_point_query query = {};
    query.context_id = cx_bytes_of(context);
    return query;
  }

  PointPage First(cx_point_query query) {
    query.count_max = 10;
    return PageOfPoints(query);
  }
};

// ---- Of one context. ---------------------------------------------------------------

TEST_F(EnginePointListTest, ComesNewestFirstInPagesOfAnySize) {
  Make("c", 7);
  const Ids all = {"7", "6", "5", "4", "3", "2", "1"};
  for (size_t count = 1; count <= 8; count++) EXPECT_EQ(all, PointsOf("c", count));
  Upsert("d", Mutations().Put("k", "v"));
  EXPECT_EQ(Ids{}, PointsOf("d"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", First(Of("none")).reason());
}

TEST_F(EnginePointListTest, ShowsOnlyThoseWithAllLabels) {
  Upsert("c", Mutations().Put("k", "v"));
  MakePoint("c", NewPoint("1").Label("a", "x").Label("b", "y"));
  MakePoint("c", NewPoint("2").Label("a", "x"));
  MakePoint("c", NewPoint("3").Label("a", "z").Label("b", "y"));
  const cx_label labels[] = {{cx_bytes_of("a"), cx_bytes_of("x")},
                             {cx_bytes_of("b"), cx_bytes_of("y")}};
  cx_point_query query = Of("c");
  query.labels = labels;
  query.label_count = 1;
  EXPECT_EQ((Ids{"2", "1"}), AllPoints(query, 1));
  query.label_count = 2;
  EXPECT_EQ((Ids{"1"}), AllPoints(query, 1));
}

TEST_F(EnginePointListTest, ShowsOnlyThoseBeforeOne) {
  Make("c", 5);
  cx_point_query query = Of("c");
  query.before_id = cx_bytes_of("4");
  EXPECT_EQ((Ids{"3", "2", "1"}), AllPoints(query, 2));
  query.before_id = cx_bytes_of("1");
  EXPECT_EQ(Ids{}, AllPoints(query, 2));
  query.before_id = cx_bytes_of("none");
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", First(query).reason());
}

TEST_F(EnginePointListTest, ShowsAncestorsNearestFirst) {
  Make("c", 4);
  MakePoint("c", NewPoint("2b").From("2"));
  MakePoint("c", NewPoint("2c").From("2b"));
  cx_point_query query = Of("c");
  query.ancestors_of = cx_bytes_of("2c");
  for (size_t count = 1; count <= 4; count++) {
    EXPECT_EQ((Ids{"2b", "2", "1"}), AllPoints(query, count));
  }
  query.ancestors_of = cx_bytes_of("1");
  EXPECT_EQ(Ids{}, AllPoints(query));
  query.ancestors_of = cx_bytes_of("none");
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", First(query).reason());
}

TEST_F(EnginePointListTest, GoesOnWhilePointsComeAndGo) {
  Make("c", 8);
  int round = 0;
  auto between = [&] {
    if (round++ != 0) return;
    MakePoint("c", "9");
    DropPoint("c", "6");
    DropPoint("c", "5");
  };
  EXPECT_EQ((Ids{"8", "7", "6", "4", "3", "2", "1"}), AllPoints(Of("c"), 3, between));
}

TEST_F(EnginePointListTest, GoesOnWhereThePointThatThePageEndedWithIsGone) {
  Make("c", 6);
  cx_point_query query = Of("c");
  query.before_id = cx_bytes_of("6");
  EXPECT_EQ((Ids{"5", "4", "3", "2", "1"}), AllPoints(query, 2, [&] { DropPoint("c", "4"); }));
  query = Of("c");
  query.ancestors_of = cx_bytes_of("6");
  EXPECT_EQ((Ids{"5", "3", "2", "1"}), AllPoints(query, 2, [&] { DropPoint("c", "3"); }));
}

TEST_F(EnginePointListTest, GoesOnWhereThePointThatTheQueryNamesIsGone) {
  Make("c", 6);
  cx_point_query query = Of("c");
  query.before_id = cx_bytes_of("6");
  EXPECT_EQ((Ids{"5", "4", "3", "2", "1"}), AllPoints(query, 2, [&] { DropPoint("c", "6"); }));
  Make("d", 6);
  query = Of("d");
  query.ancestors_of = cx_bytes_of("6");
  EXPECT_EQ((Ids{"5", "4", "3", "2", "1"}), AllPoints(query, 2, [&] { DropPoint("d", "6"); }));
}

TEST_F(EnginePointListTest, DoesNotShowThoseWhoseTimeIsOver) {
  Make("c", 2);
  MakePoint("c", NewPoint("3").Ttl(kSecond));
  MakePoint("c", "4");
  clock_.now_us += kSecond;
  EXPECT_EQ((Ids{"4", "2", "1"}), PointsOf("c"));
  cx_point_query query = Of("c");
  query.before_id = cx_bytes_of("3");
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", First(query).reason()) << "as when it is got";
  query = Of("c");
  query.ancestors_of = cx_bytes_of("3");
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", First(query).reason());
  Step();
  EXPECT_EQ((Ids{"4", "2", "1"}), PointsOf("c"));
}

TEST_F(EnginePointListTest, IsToldWithARevisionAtLeastThatOfWhatItShows) {
  Make("c", 3);
  PointPage page = First(Of("c"));
  for (const Point &row : page.rows) EXPECT_GE(page.write.wait_for, row.revision);
  Outcome last = DropPoint("c", "1");
  EXPECT_GE(First(Of("c")).write.wait_for, last.write.revision);
  last = Delete("c", false, true);
  page = First(Of("c"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", page.reason());
  EXPECT_GE(page.write.wait_for, last.write.revision);
}

// ---- Of many. ------------------------------------------------------------------------

TEST_F(EnginePointListTest, OfManyContextsTheNewestComeFirst) {
  for (const char *context : {"a1", "a2", "b1", "a3"}) Upsert(context, Mutations().Put("k", "v"));
  Ids all, of_a;
  for (int i = 1; i <= 12; i++) {
    const std::string context = i % 4 == 0 ? "b1" : "a" + std::to_string(i % 4);
    const std::string id = context + "/" + std::to_string(i);
    MakePoint(context, id);
    all.insert(all.begin(), id);
    if (context[0] == 'a') of_a.insert(of_a.begin(), id);
  }
  for (size_t count : {1, 2, 5, 100}) {
    cx_point_query query = {};
    EXPECT_EQ(all, AllPoints(query, count));
    query.id_prefix = cx_bytes_of("a");
    EXPECT_EQ(of_a, AllPoints(query, count));
    query.id_prefix = cx_bytes_of("x");
    EXPECT_EQ(Ids{}, AllPoints(query, count));
  }
  namespace_ = "other";
  EXPECT_EQ(Ids{}, AllPoints({}));
  namespace_ = "default";
  Reopen();
  EXPECT_EQ(all, AllPoints({}));
}

TEST_F(EnginePointListTest, OfManyContextsPagesGoOnWhilePointsAndContextsComeAndGo) {
  for (const char *context : {"a", "b"}) {
    Upsert(context, Mutations().Put("k", "v"));
    for (int i = 1; i <= 3; i++) MakePoint(context, context + std::to_string(i));
  }
  int round = 0;
  EXPECT_EQ((Ids{"b3", "b2", "a3", "a1"}), AllPoints({}, 2, [&] {
              if (round++ != 0) return;
              DropPoint("b", "b2");
              Delete("b");
              DropPoint("a", "a2");
              MakePoint("a", "a4");
            }));
  EXPECT_EQ((Ids{"a4", "a3", "a1"}), AllPoints({}));
  EXPECT_EQ(CX_OK, Undelete("b").status);
  EXPECT_EQ((Ids{"a4", "b3", "b1", "a3", "a1"}), AllPoints({}));
}

TEST_F(EnginePointListTest, OfManyContextsAReplacedPointStaysWhereItWas) {
  for (const char *context : {"a", "b"}) {
    Upsert(context, Mutations().Put("k", "v"));
    MakePoint(context, context);
  }
  MakePoint("a", NewPoint("a").Replace());
  EXPECT_EQ((Ids{"b", "a"}), AllPoints({}));
}

// ---- Prunes. -------------------------------------------------------------------------

TEST_F(EnginePointListTest, APruneDropsWhatNoRuleKeeps) {
  Make("c", 10);
  PointUpdate pin;
  pin.pin = CX_PIN_ON;
  UpdatePoint("c", "2", pin);
  Pruned dry = Prune("c", {2, 5, 0}, {}, true);
  ASSERT_EQ(CX_OK, dry.status) << dry.error.message;
  EXPECT_EQ(6u, dry.removed);
  EXPECT_EQ(4u, dry.kept);
  EXPECT_EQ(0u, dry.write.revision);
  EXPECT_EQ(10u, PointsOf("c").size()) << "a dry run drops nothing";
  Pruned pruned = Prune("c", {2, 5, 0}, {}, false, "r");
  EXPECT_EQ(6u, pruned.removed);
  EXPECT_EQ(4u, pruned.kept);
  EXPECT_EQ((Ids{"10", "9", "5", "2"}), PointsOf("c"));
  EXPECT_TRUE(Prune("c", {2, 5, 0}, {}, false, "r").write.replayed);
  EXPECT_EQ("CONTEXT_NOT_FOUND", Prune("none", KeepLast(1)).reason());
  ReopenTheSame();
}

TEST_F(EnginePointListTest, APruneByLabelsDropsThoseWithAllOfThemAndTheNewestToo) {
  Upsert("c", Mutations().Put("k", "v"));
  MakePoint("c", NewPoint("1").Label("a", "x").Label("b", "y"));
  MakePoint("c", NewPoint("2").Label("a", "x"));
  MakePoint("c", NewPoint("3").Label("a", "x").Label("b", "y").Pinned());
  MakePoint("c", NewPoint("4").Label("a", "x").Label("b", "y"));
  Pruned pruned = Prune("c", {}, {{"a", "x"}, {"b", "y"}});
  EXPECT_EQ(2u, pruned.removed);
  EXPECT_EQ(2u, pruned.kept);
  EXPECT_EQ((Ids{"3", "2"}), PointsOf("c"));
}

TEST_F(EnginePointListTest, APruneKeepsTheYoungAndTheNewest) {
  Upsert("c", Mutations().Put("k", "v"));
  for (const char *id : {"1", "2", "3"}) {
    MakePoint("c", id);
    clock_.now_us += kSecond;
  }
  Prune("c", {0, 0, 2 * kSecond + 1});
  EXPECT_EQ((Ids{"3", "2"}), PointsOf("c"));
  clock_.now_us += 100 * kSecond;
  Prune("c", {0, 0, kSecond});
  EXPECT_EQ((Ids{"3"}), PointsOf("c"));
}

TEST_F(EnginePointListTest, APruneGoesOverAllContextsOfAPrefix) {
  for (int i = 0; i < 30; i++) Make("a" + std::to_string(i), 3);
  Make("b", 3);
  Pruned dry = Prune("", KeepLast(1), {}, true, "", "a");
  EXPECT_EQ(60u, dry.removed);
  EXPECT_EQ(30u, dry.kept);
  Pruned pruned = Prune("", KeepLast(1), {}, false, "", "a");
  ASSERT_EQ(CX_OK, pruned.status) << pruned.error.message;
  EXPECT_EQ(60u, pruned.removed);
  EXPECT_EQ(30u, pruned.kept);
  EXPECT_EQ(pruned.write.wait_for, Statistics().revision);
  EXPECT_EQ((Ids{"3", "2", "1"}), PointsOf("b"));
  EXPECT_EQ(33u, AllPoints({}, 100).size());
  pruned = Prune("", KeepLast(1), {}, false, "", "a");
  EXPECT_EQ(0u, pruned.removed) << "nothing is left to drop";
  EXPECT_EQ(30u, pruned.kept);
  ReopenTheSame();
}

TEST_F(EnginePointListTest, APruneOfManyDropsThemInRoundsAndCountsThemOnce) {
  constexpr int kCount = 2 * static_cast<int>(CX_CHANGE_ITEMS_MAX) + 500;
  options_.recovery_points_max = kCount + 10;
  Reopen();
  Make("c", kCount);
  uint64_t before = Statistics().revision;
  Pruned dry = Prune("c", KeepLast(3), {}, true);
  EXPECT_EQ(static_cast<uint64_t>(kCount - 3), dry.removed);
  Pruned pruned = Prune("c", KeepLast(3), {}, false, "r");
  ASSERT_EQ(CX_OK, pruned.status) << pruned.error.message;
  EXPECT_EQ(static_cast<uint64_t>(kCount - 3), pruned.removed);
  EXPECT_EQ(3u, pruned.kept);
  EXPECT_EQ(before + 3, Statistics().revision) << "10,000 in a change";
  EXPECT_TRUE(Prune("c", KeepLast(3), {}, false, "r").write.replayed);
  EXPECT_EQ(3u, PointsOf("c").size());
  ReopenTheSame();
}

TEST_F(EnginePointListTest, ASmallerPolicyDropsManyInRoundsToo) {
  constexpr int kCount = static_cast<int>(CX_CHANGE_ITEMS_MAX) + 500;
  options_.recovery_points_max = kCount + 10;
  Reopen();
  Make("c", kCount);
  options_.recovery_points_max = 5;
  Reopen();
  for (int i = 0; i < 3; i++) Update("c", Mutations().Put("k", std::to_string(i)));
  EXPECT_EQ(5u, PointsOf("c").size());
  ReopenTheSame();
}

TEST_F(EnginePointListTest, AnotherPolicyDropsTheOldestFirstInAsManyChangesAsItTakes) {
  constexpr size_t kCount = CX_CHANGE_ITEMS_MAX + 5000;
  cx_recovery_policy policy = {true, {kCount, 0, 0}, 0, 0};
  Create("c", {}, Mutations().SetPolicy(policy));
  Make("c", static_cast<int>(kCount));
  policy.retention.keep_last = 5;
  Mutations mutations = Mutations().SetPolicy(policy);
  size_t count = kCount, changes = 0;
  for (; count > 5; changes++) {
    ASSERT_EQ(CX_OK, Update("c", mutations).status);
    size_t left = PointsOf("c", 1000).size();
    ASSERT_LT(left, count) << "each change goes on";
    EXPECT_LE(count - left, CX_CHANGE_ITEMS_MAX) << "and is bounded";
    count = left;
    EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", GetPoint("c", std::to_string(kCount - count)).reason());
    EXPECT_EQ(CX_OK, GetPoint("c", std::to_string(kCount - count + 1)).status);
    EXPECT_EQ(std::to_string(kCount), GetPoint("c").point.id) << "the newest stays";
    Step();
    Kill();
    ASSERT_EQ(CX_OK, Open());
    EXPECT_EQ(count, PointsOf("c", 1000).size());
    mutations = Mutations().Put("k", std::to_string(changes));
  }
  EXPECT_EQ(5u, count);
  EXPECT_GT(changes, 1u);
}

}  // namespace
