// Plans of what makes histories longer or shorter: sequences, bounds, truncates, optimizes.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class PlanHistoryTest : public TrackerFixture {
 protected:
  PlanHistoryTest() { Create("a"); }

  // So many activities, at most 5,000 in a change.
  void Fill(size_t count) {
    while (count > 0) {
      Mutations many;
      size_t part = count < 5000 ? count : 5000;
      for (size_t i = 0; i < part; i++) many.Record(Activity("n"));
      ASSERT_EQ(CX_PLAN_CHANGE, WriteTo("a", many));
      count -= part;
    }
  }

  // What is left, from the first to the last.
  std::pair<uint64_t, uint64_t> Left() {
    cx_tree_cursor cursor;
    cx_tree_item *first = cx_tree_seek(&cx_activity_class, &Tracked("a").history, {}, &cursor);
    cx_tree_item *last = cx_tree_last(&Tracked("a").history, &cursor);
    if (first == nullptr) return {0, 0};
    return {cx_activity_sequence(cx_activity_of(first)),
            cx_activity_sequence(cx_activity_of(last))};
  }

  cx_plan_result Truncate(uint64_t from_sequence, bool again = false,
                          const Set<cx_truncate_request> &set = {}) {
    cx_truncate_request request = {};
    request.name = {cx_bytes_of("default"), cx_bytes_of("a")};
    request.from_sequence = from_sequence;
    if (set) set(&request);
    cx_plan_begin(&plan_);
    from_sequence_ = again ? from_sequence_ : 0;
    cx_plan_result result = cx_plan_truncate(&plan_, &request, &from_sequence_);
    count_ = plan_.count;
    return Finish(result);
  }

  cx_plan_result TruncateBefore(int64_t time_us) {
    return Truncate(0, false,
                    [=](cx_truncate_request *request) { request->from_time_us = time_us; });
  }

  cx_plan_result PlanOptimize() {
    cx_plan_begin(&plan_);
    optimizing_.request = &optimize_;
    optimize_.name = {cx_bytes_of("default"), cx_bytes_of("a")};
    cx_plan_result result = cx_plan_optimize(&plan_, &optimizing_);
    count_ = plan_.count;
    return result;
  }

  // Plans and applies one round.
  cx_plan_result Optimize() { return Finish(PlanOptimize()); }

  void Forget() {
    cx_history_cut_done(&optimizing_.cut);
    optimizing_ = {};
  }

  ~PlanHistoryTest() override { Forget(); }

  cx_optimize_request optimize_ = {};
  cx_optimizing optimizing_ = {};
  uint64_t count_ = 0;
  uint64_t from_sequence_ = 0;
};

TEST_F(PlanHistoryTest, NumbersActivitiesConsecutively) {
  Record("a", Activity("one"));
  WriteTo("a", Mutations().Record(Activity("two")).Put("k", "v").Record(Activity("three")));
  EXPECT_EQ(2u, items_[0].first_sequence);
  EXPECT_EQ((List{"1 one  ", "2 two  ", "3 three  "}), History("a"));
  EXPECT_EQ(3u, Tracked("a").last_sequence);
  EXPECT_EQ(revision_, Tracked("a").history_revision);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, GoesOnCountingWhereAContextIsMadeAgain) {
  Record("a", Activity("one"));
  Record("a", Activity("two"));
  for (bool purge : {false, true}) {
    uint64_t last = Tracked("a").last_sequence;
    Delete("a", false, purge);
    Create("a", {}, Mutations().Record(Activity("again")));
    EXPECT_EQ((List{std::to_string(last + 1) + " again  "}), History("a"));
  }
  Delete("a");
  Create("a");
  EXPECT_EQ(List{}, History("a"));
  EXPECT_EQ(4u, Tracked("a").last_sequence);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, ABoundOfTheCountDropsTheOldest) {
  plan_.history_count_max = 3;
  for (int i = 1; i <= 5; i++) Record("a", Activity(std::to_string(i)));
  EXPECT_EQ((List{"3 3  ", "4 4  ", "5 5  "}), History("a"));
  plan_.history_count_max = 1;
  ASSERT_EQ(CX_PLAN_CHANGE, PlanWrite("a", Mutations().Record(Activity("6"))));
  ASSERT_EQ(1u, plan_.change.items[0].trimmed.count);
  EXPECT_EQ(3u, plan_.change.items[0].trimmed.items[0].first);
  EXPECT_EQ(5u, plan_.change.items[0].trimmed.items[0].last);
  Finish(CX_PLAN_CHANGE);
  EXPECT_EQ((List{"6 6  "}), History("a"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, ABoundOfTheBytesCountsDataAndLabels) {
  plan_.history_bytes_max = 10;
  Record("a", Activity("one", "12345"));
  Record("a", Activity("two", "12").Label("k", "v1"));
  EXPECT_EQ(2u, History("a").size()) << "just fits";
  EXPECT_EQ(10u, Tracked("a").history_bytes);
  Record("a", Activity("three", "1"));
  EXPECT_EQ((List{"2 two  12", "3 three  1"}), History("a"));
  EXPECT_EQ(6u, Tracked("a").history_bytes);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, NeverDropsTheNewest) {
  plan_.history_bytes_max = 3;
  plan_.history_count_max = 0;
  Record("a", Activity("one", "12345"));
  EXPECT_EQ((List{"1 one  12345"}), History("a"));
  Record("a", Activity("two", "123456"));
  EXPECT_EQ((List{"2 two  123456"}), History("a"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, TellsButNeverAddsWhatABoundDropsAtOnce) {
  plan_.history_count_max = 2;
  Record("a", Activity("0"));
  ASSERT_EQ(CX_PLAN_CHANGE, PlanWrite("a", Mutations()
                                               .Record(Activity("1").File("path", "read"))
                                               .Record(Activity("2").Model("m", 7, 1))
                                               .Record(Activity("3"))
                                               .Record(Activity("4"))));
  ASSERT_EQ(1u, plan_.change.items[0].trimmed.count);
  EXPECT_EQ(1u, plan_.change.items[0].trimmed.items[0].first);
  EXPECT_EQ(3u, plan_.change.items[0].trimmed.items[0].last);
  EXPECT_EQ(4u, plan_.change.items[0].op_count);
  Finish(CX_PLAN_CHANGE);
  EXPECT_EQ((List{"4 3  ", "5 4  "}), History("a"));
  EXPECT_EQ((List{"path read 1000 1"}), Files("a")) << "what happened is counted";
  EXPECT_EQ((List{"m 1 7"}), Usage("a"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, BoundsWhatANewContextBeginsWith) {
  plan_.history_count_max = 1;
  Create("b", {}, Mutations().Record(Activity("one")).Record(Activity("two")));
  EXPECT_EQ((List{"2 two  "}), History("b"));
  Delete("b");
  Create("b", {}, Mutations().Record(Activity("three")).Record(Activity("four")));
  EXPECT_EQ((List{"4 four  "}), History("b"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, HasAHistoryTrimmedFirstThatIsFarAboveItsBounds) {
  cx_name_key key = NameKey("a");
  Fill(CX_TRIM_MAX + 10);
  plan_.history_count_max = 5;
  EXPECT_EQ(CX_PLAN_NEEDS_TRIM, Record("a", Activity("n")));
  EXPECT_EQ(key.hash, plan_.expired.hash);
  cx_plan_begin(&plan_);
  EXPECT_EQ(CX_PLAN_CHANGE, Finish(cx_plan_trim(&plan_, &key)));
  EXPECT_EQ((std::pair<uint64_t, uint64_t>{CX_TRIM_MAX + 1, CX_TRIM_MAX + 10}), Left());
  EXPECT_EQ(CX_PLAN_CHANGE, Record("a", Activity("n")));
  EXPECT_EQ((std::pair<uint64_t, uint64_t>{CX_TRIM_MAX + 7, CX_TRIM_MAX + 11}), Left());
  EXPECT_EQ(5u, Tracked("a").history_count);
  cx_plan_begin(&plan_);
  EXPECT_EQ(CX_PLAN_NOTHING, Finish(cx_plan_trim(&plan_, &key))) << "within its bounds";
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, RefusesDataThatAreTooLarge) {
  plan_.value_size_max = 10;
  EXPECT_EQ(CX_PLAN_CHANGE, Record("a", Activity("n", "1234567890")));
  EXPECT_EQ(CX_PLAN_FAILED, Record("a", Activity("n", "12345678901")));
  EXPECT_EQ("value_size_max", detail("limit"));
  EXPECT_EQ("10", detail("value"));
}

TEST_F(PlanHistoryTest, TruncatesBeforeASequence) {
  Fill(10);
  Update("a", Mutations().Put("k", "v"));
  uint64_t version = Find("a")->version;
  EXPECT_EQ(CX_PLAN_CHANGE, Truncate(4));
  EXPECT_EQ(3u, count_);
  EXPECT_FALSE(more_);
  EXPECT_EQ((std::pair<uint64_t, uint64_t>{4, 10}), Left());
  EXPECT_EQ(version, Find("a")->version);
  EXPECT_EQ(CX_PLAN_NOTHING, Truncate(4));
  EXPECT_EQ(CX_PLAN_NOTHING, Truncate(1));
  EXPECT_EQ(CX_PLAN_CHANGE, Truncate(UINT64_MAX)) << "all of it may go";
  EXPECT_EQ(7u, count_);
  EXPECT_EQ(List{}, History("a"));
  Record("a", Activity("next"));
  EXPECT_EQ((List{"11 next  "}), History("a"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, TruncatesBeforeATime) {
  for (int i = 0; i < 4; i++, plan_.now_us += 10) Record("a", Activity("n"));
  EXPECT_EQ(CX_PLAN_NOTHING, TruncateBefore(1000));
  EXPECT_EQ(CX_PLAN_CHANGE, TruncateBefore(1001));
  EXPECT_EQ((std::pair<uint64_t, uint64_t>{2, 4}), Left());
  EXPECT_EQ(CX_PLAN_CHANGE, TruncateBefore(1030));
  EXPECT_EQ((std::pair<uint64_t, uint64_t>{4, 4}), Left());
  EXPECT_EQ(CX_PLAN_CHANGE, TruncateBefore(5000));
  EXPECT_EQ(List{}, History("a"));
  EXPECT_EQ(CX_PLAN_NOTHING, TruncateBefore(5000));
}

TEST_F(PlanHistoryTest, TruncatesInRoundsTheOldestFirst) {
  auto with_id = [](cx_truncate_request *request) { request->request_id = cx_bytes_of("id"); };
  Fill(2 * CX_TRIM_MAX + 5);
  EXPECT_EQ(CX_PLAN_CHANGE, Truncate(2 * CX_TRIM_MAX + 3, false, with_id));
  EXPECT_TRUE(more_);
  EXPECT_EQ(CX_TRIM_MAX, count_);
  EXPECT_EQ(CX_TRIM_MAX + 1, Left().first);
  EXPECT_EQ(CX_PLAN_CHANGE, Truncate(2 * CX_TRIM_MAX + 3, true, with_id));
  EXPECT_TRUE(more_);
  EXPECT_EQ(CX_PLAN_CHANGE, Truncate(2 * CX_TRIM_MAX + 3, true, with_id));
  EXPECT_FALSE(more_);
  EXPECT_EQ(2u, count_);
  EXPECT_EQ(3u, Tracked("a").history_count);
  EXPECT_EQ(CX_PLAN_NOTHING, Truncate(2 * CX_TRIM_MAX + 3, false, with_id));
  EXPECT_TRUE(replayed_) << "the last round keeps the request";
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, LooksAtTheAuthorOfEveryRound) {
  Fill(3);
  Begin("s");
  Activate("s", "a", Guarding);
  EXPECT_EQ(CX_PLAN_FAILED, Truncate(2));
  EXPECT_EQ("STALE_FENCE", reason());
  EXPECT_EQ(CX_PLAN_CHANGE, Truncate(2, false, [](cx_truncate_request *request) {
              request->author = {cx_bytes_of("s"), 1};
            }));
  EXPECT_EQ("s", Text(items_[0].session_id));
  EXPECT_EQ(CX_PLAN_FAILED, Truncate(2, /*again=*/true));
  EXPECT_EQ("STALE_FENCE", reason());
  optimize_.max_count = 1;
  Record("a", Activity("n"));
  EXPECT_EQ(CX_PLAN_FAILED, Optimize());
  EXPECT_EQ("STALE_FENCE", reason());
}

TEST_F(PlanHistoryTest, ShortensNothingThatIsMissing) {
  Delete("a");
  EXPECT_EQ(CX_PLAN_FAILED, Truncate(4));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  EXPECT_EQ("1", detail("deleted_version"));
  EXPECT_EQ(CX_PLAN_FAILED, Optimize());
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  Create("a");
  EXPECT_EQ(CX_PLAN_NOTHING, Truncate(4)) << "of nothing";
  EXPECT_EQ(CX_PLAN_NOTHING, Optimize());
  EXPECT_TRUE(optimizing_.has_cut);
}

TEST_F(PlanHistoryTest, LeavesFilesAndUsageAsTheyAre) {
  Record("a", Activity("n").File("path", "read"));
  Record("a", Activity("n").Model("m", 7, 1));
  EXPECT_EQ(CX_PLAN_CHANGE, Truncate(UINT64_MAX));
  EXPECT_EQ((List{"path read 1000 1"}), Files("a"));
  EXPECT_EQ((List{"m 1 7"}), Usage("a"));
}

TEST_F(PlanHistoryTest, OptimizesASmallHistoryInOneRound) {
  for (const char *data : {"x", "y", "x", "z", "y"}) Record("a", Activity("n", data));
  optimize_.deduplicate = true;
  optimize_.max_count = 2;
  optimize_.request_id = cx_bytes_of("id");
  EXPECT_EQ(CX_PLAN_CHANGE, Optimize());
  EXPECT_FALSE(more_);
  EXPECT_EQ((List{"4 n  z", "5 n  y"}), History("a"));
  EXPECT_EQ(3u, optimizing_.cut.result.removed_count);
  EXPECT_EQ(2u, optimizing_.cut.result.kept_bytes);
  Forget();
  EXPECT_EQ(CX_PLAN_NOTHING, Optimize());
  EXPECT_TRUE(replayed_);
  EXPECT_FALSE(optimizing_.has_cut);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, ADryRunDropsNothing) {
  Fill(5);
  optimize_.max_count = 2;
  optimize_.dry_run = true;
  optimize_.request_id = cx_bytes_of("id");
  for (int i = 0; i < 2; i++) {
    EXPECT_EQ(CX_PLAN_NOTHING, Optimize());
    EXPECT_FALSE(replayed_);
    EXPECT_TRUE(optimizing_.has_cut);
    EXPECT_EQ(3u, optimizing_.cut.result.removed_count);
    Forget();
  }
  EXPECT_EQ(5u, Tracked("a").history_count);
}

TEST_F(PlanHistoryTest, AsksForTheCutOfALargeHistoryOutsideTheLock) {
  Fill(CX_OPTIMIZE_INLINE_MAX);
  optimize_.max_count = 10;
  EXPECT_EQ(CX_PLAN_CHANGE, PlanOptimize()) << "not yet large";
  cx_plan_end(&plan_);
  Forget();
  Fill(1);
  EXPECT_EQ(CX_PLAN_NOTHING, Optimize());
  EXPECT_FALSE(optimizing_.has_cut);

  Truncate(2);
  Fill(1);
  uint64_t made_for = Tracked("a").trim_revision;
  ASSERT_EQ(CX_OK, cx_history_optimize(&Tracked("a").history, &optimize_, &optimizing_.cut));
  optimizing_.has_cut = true;
  optimizing_.cut_revision = made_for - 1;
  EXPECT_EQ(CX_PLAN_NOTHING, Optimize());
  EXPECT_FALSE(optimizing_.has_cut) << "something was removed since then";

  ASSERT_EQ(CX_OK, cx_history_optimize(&Tracked("a").history, &optimize_, &optimizing_.cut));
  optimizing_.has_cut = true;
  optimizing_.cut_revision = made_for;
  EXPECT_EQ(CX_PLAN_CHANGE, Optimize());
  EXPECT_EQ(10u, Tracked("a").history_count);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, OptimizesInRoundsWhateverOthersDoMeanwhile) {
  const uint64_t kCount = 2 * CX_TRIM_MAX + 100;
  Fill(kCount);
  optimize_.max_count = 50;
  optimize_.request_id = cx_bytes_of("id");
  ASSERT_EQ(CX_OK, cx_history_optimize(&Tracked("a").history, &optimize_, &optimizing_.cut));
  optimizing_.has_cut = true;
  optimizing_.cut_revision = Tracked("a").history_revision;
  EXPECT_EQ(CX_PLAN_CHANGE, Optimize());
  EXPECT_TRUE(more_);
  EXPECT_EQ(CX_TRIM_MAX, count_);
  EXPECT_EQ(CX_TRIM_MAX + 1, Left().first);
  optimizing_.again = true;
  Fill(3);
  Truncate(CX_TRIM_MAX + 8);
  EXPECT_EQ(CX_PLAN_CHANGE, Optimize());
  EXPECT_TRUE(more_);
  EXPECT_EQ(2 * CX_TRIM_MAX + 8, Left().first);
  EXPECT_EQ(CX_PLAN_CHANGE, Optimize());
  EXPECT_FALSE(more_);
  EXPECT_EQ((std::pair<uint64_t, uint64_t>{kCount - 49, kCount + 3}), Left());
  Forget();
  EXPECT_EQ(CX_PLAN_NOTHING, Optimize());
  EXPECT_TRUE(replayed_);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, DropsManyRunsWithHolesBetweenThem) {
  Mutations many;
  for (int i = 0; i < 400; i++) many.Record(Activity("n", i % 2 == 0 ? "x" : std::to_string(i)));
  WriteTo("a", many);
  optimize_.deduplicate = true;
  ASSERT_EQ(CX_PLAN_CHANGE, PlanOptimize());
  EXPECT_EQ(199u, plan_.change.items[0].trimmed.count);
  Finish(CX_PLAN_CHANGE);
  EXPECT_EQ(201u, History("a").size());
  EXPECT_EQ(400u, Tracked("a").last_sequence);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanHistoryTest, ShortensInAChangeOfItsAuthorThatSlidesAnExpiry) {
  Update("a", Mutations().SetExpiry(500, /*sliding=*/true));
  Fill(3);
  Begin("s");
  int64_t update_us = Find("a")->update_time_us;
  plan_.now_us += 100;
  Truncate(2, false,
           [](cx_truncate_request *request) { request->author.session_id = cx_bytes_of("s"); });
  EXPECT_EQ(plan_.now_us + 500, Find("a")->end_time_us);
  EXPECT_EQ(update_us, Find("a")->update_time_us);
  EXPECT_EQ(revision_, Find("a")->revision);
}

TEST_F(PlanHistoryTest, LeavesNoTraceWithoutMemory) {
  plan_.history_count_max = 30;
  Begin("s");
  Fill(30);
  Mutations mixed = Mutations()
                        .Record(Activity("n", std::string(5000, 'x')).Label("k", "v"))
                        .Record(Activity("n").File("path", "read"))
                        .Record(Activity("n").File("path", "write"))
                        .Record(Activity("n").Model("m", 1, 1))
                        .Put("k", "v");
  ExpectNoTraceWithoutMemory([&] { return PlanWrite("a", mixed, By("s")); });
  cx_truncate_request request = {};
  request.name = {cx_bytes_of("default"), cx_bytes_of("a")};
  request.from_sequence = 20;
  request.request_id = cx_bytes_of("id");
  ExpectNoTraceWithoutMemory([&] {
    cx_plan_begin(&plan_);
    from_sequence_ = 0;
    return cx_plan_truncate(&plan_, &request, &from_sequence_);
  });
  optimize_.max_count = 3;
  optimize_.deduplicate = true;
  ExpectNoTraceWithoutMemory([&] {
    Forget();
    return PlanOptimize();
  });
}

}  // namespace
