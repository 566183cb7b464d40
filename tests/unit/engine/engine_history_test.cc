// What engine.h promises of histories, files and usage: lists, and what makes histories
// shorter, in one change or several, also while others write.

#include "tests/unit/engine/tracking_fixture.h"

extern "C" {
#include "core/base/memory.h"
}

#include <thread>

namespace {

class EngineHistoryTest : public TrackingFixture {
 protected:
  void SetUp() override { ASSERT_EQ(CX_OK, Open()) << open_error_.message; }

  // The numbers from `first` to `last`.
  static Sequences Range(uint64_t first, uint64_t last) {
    Sequences range;
    for (uint64_t i = first; i <= last; i++) range.push_back(i);
    return range;
  }

  static cx_activity_query Newest(size_t count) {
    cx_activity_query query = {};
    query.newest_first = true;
    query.count_max = count;
    return query;
  }

  // Lets `meddle` run in the middle of `operation`, whenever that allocates memory and does not
  // hold the lock of the context "c".
  template <typename Operation>
  auto Interrupt(std::function<void()> meddle, Operation operation) {
    cx_name_key key;
    cx_name_key_init(&key, Bytes(namespace_), cx_bytes_of("c"));
    meddle_ = meddle;
    lock_ = &engine_->locks[key.shard];
    cx_memory_set_hook(OnAllocation, this);
    auto outcome = operation();
    cx_memory_set_hook(nullptr, nullptr);
    return outcome;
  }

  static bool OnAllocation(void *arg, size_t) {
    auto *self = static_cast<EngineHistoryTest *>(arg);
    if (pthread_mutex_trylock(self->lock_) != 0) return true;
    pthread_mutex_unlock(self->lock_);
    cx_memory_set_hook(nullptr, nullptr);
    self->meddle_();
    cx_memory_set_hook(OnAllocation, self);
    return true;
  }

  std::function<void()> meddle_;
  pthread_mutex_t *lock_ = nullptr;
};

// ---- Recording. --------------------------------------------------------------

TEST_F(EngineHistoryTest, NumbersActivitiesWithoutANewVersion) {
  Upsert("c", Mutations().Put("k", "v"));
  Found before = Get("c");
  clock_.now_us += kSecond;
  std::string session = Session();
  Outcome recorded = Record("c", {Activity("a"), Activity("b")}, By(session));
  EXPECT_EQ(2u, recorded.write.sequence);
  EXPECT_EQ(1u, recorded.write.version);
  EXPECT_EQ(3u, Record("c", {Activity("c")}).write.sequence);
  EXPECT_EQ(1u, Get("c").version);
  EXPECT_EQ(recorded.write.revision + 1, Get("c").revision);
  History history = Activities("c");
  EXPECT_EQ(Range(1, 3), history.sequences());
  EXPECT_EQ(session, history.rows[0].session);
  EXPECT_EQ("", history.rows[2].session);
  EXPECT_EQ(clock_.now_us, history.rows[0].time_us);
  EXPECT_EQ(recorded.write.revision + 1, history.write.wait_for);
  EXPECT_EQ(before.entries, Get("c").entries);
}

TEST_F(EngineHistoryTest, RecordsInTheSameChangeAsAnUpdate) {
  Outcome mixed = Upsert(
      "c", Mutations().Put("k", "v").Record(Activity("a")).Put("l", "w").Record(Activity("b")));
  EXPECT_EQ(1u, mixed.write.version);
  EXPECT_EQ(mixed.write.revision, Get("c").revision);
  EXPECT_EQ(Range(1, 2), Activities("c").sequences());
  EXPECT_EQ(2u, Get("c").entries.size());
  std::string large(options_.value_size_max + 1, 'x');
  Outcome refused = Update("c", Mutations().Put("k", "w").Record(Activity("a", large)));
  EXPECT_EQ("value_size_max", refused.detail("limit"));
  EXPECT_EQ("v", Get("c").entries["k"]) << "all or none";
}

TEST_F(EngineHistoryTest, KnowsARepeatedRecordAlsoAfterARestart) {
  Record("c", {Activity("a")});
  Outcome first = Record("c", {Activity("b"), Activity("c")}, {}, "r");
  Record("c", {Activity("d")});
  for (int round = 0; round < 2; round++) {
    Outcome again = Record("c", {Activity("b"), Activity("c")}, {}, "r");
    EXPECT_TRUE(again.write.replayed);
    EXPECT_EQ(3u, again.write.sequence);
    EXPECT_EQ(first.write.revision, again.write.revision);
    EXPECT_EQ("REQUEST_ID_REUSED", Record("c", {Activity("b")}, {}, "r").reason());
    EXPECT_EQ(4u, Activities("c").rows.size());
    Reopen();
  }
}

TEST_F(EngineHistoryTest, DropsTheOldestWhereABoundIsReached) {
  Close();
  options_.history_count_max = 3;
  options_.history_bytes_max = 100;
  ASSERT_EQ(CX_OK, Open());
  for (int i = 0; i < 5; i++) Record("c", {Activity("m", "x")});
  EXPECT_EQ(Range(3, 5), Activities("c").sequences());
  Record("c", {Activity("m", std::string(90, 'y'))});
  EXPECT_EQ(Range(4, 6), Activities("c").sequences());
  Record("c", {Activity("m", std::string(500, 'z'))});
  EXPECT_EQ(Range(7, 7), Activities("c").sequences()) << "never the newest";
  EXPECT_EQ(12u,
            Record("c", {Activity("1"), Activity("2"), Activity("3"), Activity("4"), Activity("5")})
                .write.sequence);
  EXPECT_EQ(Range(10, 12), Activities("c").sequences());
  ReopenTheSame();
  options_.history_count_max = 2;
  ReopenTheSame();
  EXPECT_EQ(Range(10, 12), Activities("c").sequences()) << "a bound drops with the next change";
  Record("c", {Activity("6")});
  EXPECT_EQ(Range(12, 13), Activities("c").sequences());
}

TEST_F(EngineHistoryTest, ComesDownToALoweredBoundInSeveralChangesBeforeItRecords) {
  RecordMany("c", 2 * CX_TRIM_MAX + 100);
  Close();
  options_.history_count_max = 10;
  ASSERT_EQ(CX_OK, Open());
  uint64_t last = Record("c", {Activity()}).write.sequence;
  EXPECT_EQ(2u * CX_TRIM_MAX + 101, last);
  EXPECT_EQ(Range(last - 9, last), AllSequences("c"));
  ReopenTheSame();
}

// ---- Lists. ------------------------------------------------------------------

TEST_F(EngineHistoryTest, ListsByTypeTimeSequenceAndPageInBothDirections) {
  int64_t start = clock_.now_us;
  for (int i = 1; i <= 9; i++) {
    ASSERT_EQ(CX_OK, Record("c", {Activity(i % 3 == 0 ? "fizz" : "buzz", "x")}).status);
    clock_.now_us += kSecond;
  }
  cx_bytes types[] = {cx_bytes_of("fizz"), cx_bytes_of("none")};
  cx_activity_query query = {};
  query.types = types;
  query.type_count = 2;
  EXPECT_EQ((Sequences{3, 6, 9}), Activities("c", query).sequences());
  query.newest_first = true;
  query.from_sequence = 8;
  EXPECT_EQ((Sequences{6, 3}), Activities("c", query).sequences());
  query = {};
  query.start_time_us = start + 2 * kSecond;
  query.end_time_us = start + 5 * kSecond;
  EXPECT_EQ(Range(3, 5), Activities("c", query).sequences()) << "without the end";
  query.from_sequence = 4;
  EXPECT_EQ(Range(4, 5), Activities("c", query).sequences());
  query.newest_first = true;
  EXPECT_EQ((Sequences{4, 3}), Activities("c", query).sequences());
  query = {};
  query.count_max = 4;
  History page = Activities("c", query);
  EXPECT_EQ(Range(1, 4), page.sequences());
  EXPECT_TRUE(page.more);
  EXPECT_EQ(5u, page.next);
  page = Activities("c", Newest(4));
  EXPECT_EQ((Sequences{9, 8, 7, 6}), page.sequences());
  EXPECT_EQ(5u, page.next);
  query.count_max = 9;
  EXPECT_FALSE(Activities("c", query).more);
}

TEST_F(EngineHistoryTest, ShowsAPageThatNoLaterChangeTouches) {
  RecordMany("c", 3);
  cx_activity_page page;
  cx_activity_query query = {};
  cx_error error;
  uint64_t wait_for;
  query.name = {Bytes(namespace_), cx_bytes_of("c")};
  query.count_max = 10;
  ASSERT_EQ(CX_OK, cx_engine_list_activities(engine_, &query, &page, &wait_for, &error));
  Delete("c", false, true);
  Step();
  ASSERT_EQ(3u, page.count);
  char data;
  cx_activity_data_copy(&page.rows[2], reinterpret_cast<uint8_t *>(&data));
  EXPECT_EQ('2', data);
  cx_activity_page_done(&page);
}

TEST_F(EngineHistoryTest, TellsOfAContextThatIsNotThere) {
  uint64_t deleted = 0;
  for (const char *id : {"never", "gone"}) {
    EXPECT_EQ("CONTEXT_NOT_FOUND", Activities(id).reason());
    EXPECT_EQ(deleted, Activities(id).write.wait_for);
    EXPECT_EQ("CONTEXT_NOT_FOUND", Resources(id).reason());
    EXPECT_EQ("CONTEXT_NOT_FOUND", Truncate(id, 1).reason());
    EXPECT_EQ("CONTEXT_NOT_FOUND", Optimize(id, Keep(1)).reason());
    Create("gone");
    deleted = Delete("gone").write.revision;
  }
}

// ---- Files and usage. --------------------------------------------------------

TEST_F(EngineHistoryTest, ListsFilesByPathWithTheirLastOperation) {
  for (const char *path : {"src/b", "src/a", "doc/x", "src/b"}) {
    clock_.now_us += 1;
    Record("c", {Activity("file").File(path, "write")});
  }
  Record("c", {Activity("file").File("src/a", "delete")});
  cx_tracked_query query = Tracked("c", "", 2, "src/");
  cx_file_page page;
  cx_error error;
  uint64_t wait_for;
  ASSERT_EQ(CX_OK, cx_engine_list_files(engine_, &query, &page, &wait_for, &error));
  ASSERT_EQ(2u, page.count);
  EXPECT_FALSE(page.more);
  EXPECT_EQ("src/a", Text(page.rows[0].last.path));
  EXPECT_EQ("delete", Text(page.rows[0].last.operation));
  EXPECT_EQ(2u, page.rows[0].operation_count);
  EXPECT_EQ(clock_.now_us, page.rows[1].time_us);
  EXPECT_EQ(Statistics().revision, wait_for);
  cx_file_page_done(&page);
  Truncate("c", UINT64_MAX);
  ASSERT_EQ(CX_OK, cx_engine_list_files(engine_, &query, &page, &wait_for, &error));
  EXPECT_EQ(2u, page.count) << "files tell what happened, not what is kept";
  cx_file_page_done(&page);
  query = Tracked("missing");
  EXPECT_EQ(CX_NOT_FOUND, cx_engine_list_files(engine_, &query, &page, &wait_for, &error));
}

TEST_F(EngineHistoryTest, SumsUsageOfAContextAndOfItsNamespace) {
  Record("c", {Activity("call").Model("large", 10, 5), Activity("call").Model("large", 1, 2)});
  Record("d", {Activity("call").Model("large", 100, 50), Activity("call").Model("small", 7, 1)});
  auto tokens = [&](const char *id) {
    std::map<std::string, uint64_t> sums;
    cx_usage_summary summary;
    cx_context_name name = {Bytes(namespace_), cx_bytes_of(id)};
    cx_error error;
    uint64_t wait_for;
    cx_status status = cx_engine_summarize_usage(engine_, &name, &summary, &wait_for, &error);
    EXPECT_EQ(CX_OK, status);
    EXPECT_LE(wait_for, Statistics().revision);
    for (size_t i = 0; i < summary.count; i++) {
      sums[Text(summary.totals[i].model)] = summary.totals[i].input_tokens;
    }
    cx_usage_summary_done(&summary);
    return sums;
  };
  using Sums = std::map<std::string, uint64_t>;
  EXPECT_EQ((Sums{{"large", 11}}), tokens("c"));
  EXPECT_EQ((Sums{{"large", 111}, {"small", 7}}), tokens(""));
  Delete("d", false, true);
  EXPECT_EQ((Sums{{"large", 111}, {"small", 7}}), tokens("")) << "whether or not it is there";
  ReopenTheSame();
  EXPECT_EQ((Sums{{"large", 111}, {"small", 7}}), tokens(""));
  namespace_ = "other";
  EXPECT_EQ(Sums{}, tokens(""));
}

// ---- Truncating. -------------------------------------------------------------

TEST_F(EngineHistoryTest, TruncatesBySequenceAndByTime) {
  int64_t start = clock_.now_us;
  for (int i = 0; i < 6; i++) {
    Record("c", {Activity()});
    clock_.now_us += kSecond;
  }
  Outcome truncated = Truncate("c", 3);
  EXPECT_EQ(2u, truncated.write.count);
  EXPECT_EQ(1u, truncated.write.version);
  EXPECT_EQ(truncated.write.revision, Get("c").revision);
  EXPECT_EQ(Range(3, 6), Activities("c").sequences());
  EXPECT_EQ(2u, Truncate("c", 0, start + 4 * kSecond).write.count);
  EXPECT_EQ(Range(5, 6), Activities("c").sequences());
  Outcome nothing = Truncate("c", 5);
  EXPECT_EQ(0u, nothing.write.count);
  EXPECT_EQ(0u, nothing.write.revision);
  EXPECT_EQ(2u, Truncate("c", 0, clock_.now_us).write.count) << "all of them";
  EXPECT_EQ(7u, Record("c", {Activity()}).write.sequence) << "the numbers go on";
  ReopenTheSame();
}

TEST_F(EngineHistoryTest, TruncatesManyInSeveralChangesAndKeepsTheRequestWithTheLast) {
  RecordMany("c", 2 * CX_TRIM_MAX + 5);
  uint64_t before = Statistics().revision;
  Outcome truncated = Truncate("c", 2 * CX_TRIM_MAX + 2, 0, {}, "r");
  EXPECT_EQ(2u * CX_TRIM_MAX + 1, truncated.write.count);
  EXPECT_EQ(before + 3, truncated.write.revision);
  EXPECT_EQ(before + 3, truncated.write.wait_for);
  EXPECT_EQ(Range(2 * CX_TRIM_MAX + 2, 2 * CX_TRIM_MAX + 5), AllSequences("c"));
  ReopenTheSame();
  Outcome again = Truncate("c", 2 * CX_TRIM_MAX + 2, 0, {}, "r");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(truncated.write.revision, again.write.revision);
  EXPECT_EQ(0u, again.write.count);
}

TEST_F(EngineHistoryTest, TruncatesWhenThereIsRoomOnTheDiskAgain) {
  RecordMany("c", CX_TRIM_MAX + 5);
  Step();
  FillDisk();
  EXPECT_EQ("STORAGE_FULL", Truncate("c", UINT64_MAX, 0, {}, "r").reason());
  EmptyDisk();
  EXPECT_EQ(CX_TRIM_MAX + 5u, Truncate("c", UINT64_MAX, 0, {}, "r").write.count);
  EXPECT_EQ(Sequences{}, AllSequences("c"));
}

TEST_F(EngineHistoryTest, LooksAtTheAuthorOfWhatMakesAHistoryShorter) {
  RecordMany("c", 10);
  std::string session = Session();
  uint64_t fence = Activate(session, "c", kGuard).activation.fence;
  cx_optimize_request optimize = Keep(1);
  const std::string nobody = "nobody";
  for (bool dry_run : {false, true}) {
    optimize.dry_run = dry_run;
    EXPECT_EQ("STALE_FENCE", Optimize("c", optimize).reason()) << dry_run;
    optimize.author = By(nobody, fence);
    EXPECT_EQ("SESSION_NOT_FOUND", Optimize("c", optimize).reason()) << dry_run;
    optimize.author = {};
  }
  EXPECT_EQ("STALE_FENCE", Truncate("c", 5).reason());
  EXPECT_EQ("SESSION_NOT_FOUND", Truncate("c", 5, 0, By("nobody", fence)).reason());
  EXPECT_EQ("STALE_FENCE", Truncate("c", 5, 0, By(session, fence + 1)).reason());
  EXPECT_EQ(4u, Truncate("c", 5, 0, By(session, fence)).write.count);
  optimize = Keep(1);
  optimize.author = Fenced(fence);
  EXPECT_EQ(5u, Optimize("c", optimize).result.removed_count);
}

// ---- Optimizing. -------------------------------------------------------------

TEST_F(EngineHistoryTest, OptimizesAndSaysByHowMuch) {
  for (const char *data : {"a", "b", "a", "ccc", "b"}) Record("c", {Activity("m", data)});
  cx_optimize_request request = NoRepeats();
  request.max_bytes = 4;
  request.dry_run = true;
  uint64_t revision = Statistics().revision;
  Optimized dry = Optimize("c", request, "r");
  EXPECT_EQ(0u, dry.write.revision);
  EXPECT_EQ(revision, dry.write.wait_for);
  EXPECT_EQ(revision, Statistics().revision);
  request.dry_run = false;
  Optimized done = Optimize("c", request, "r");
  EXPECT_FALSE(done.write.replayed);
  for (const Optimized &each : {dry, done}) {
    EXPECT_EQ(3u, each.result.removed_count);
    EXPECT_EQ(3u, each.result.removed_bytes);
    EXPECT_EQ(2u, each.result.kept_count);
    EXPECT_EQ(4u, each.result.kept_bytes);
  }
  EXPECT_EQ(revision + 1, done.write.revision);
  EXPECT_EQ(Range(4, 5), Activities("c").sequences());
  Optimized again = Optimize("c", request);
  EXPECT_EQ(0u, again.write.revision) << "there is nothing left to do";
  EXPECT_EQ(2u, again.result.kept_count);
  ReopenTheSame();
}

TEST_F(EngineHistoryTest, AnswersARepeatedOptimizeWithWhatIsKeptNow) {
  RecordMany("c", 10);
  Optimized first = Optimize("c", Keep(4), "r");
  Record("c", {Activity("m", "more")});
  Reopen();
  Optimized again = Optimize("c", Keep(4), "r");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(first.write.revision, again.write.revision);
  EXPECT_EQ(first.write.revision + 1, again.write.wait_for);
  EXPECT_EQ(0u, again.result.removed_count);
  EXPECT_EQ(5u, again.result.kept_count);
  EXPECT_EQ(8u, again.result.kept_bytes);
  EXPECT_EQ("REQUEST_ID_REUSED", Optimize("c", Keep(3), "r").reason());
}

TEST_F(EngineHistoryTest, TellsARepeatedOptimizeThatNothingIsKeptOnceTheEndIsDurable) {
  RecordMany("c", 10);
  Optimize("c", Keep(4), "r");
  Outcome ended = Delete("c");
  Optimized again = Optimize("c", Keep(4), "r");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(0u, again.result.kept_count);
  EXPECT_EQ(ended.write.revision, again.write.wait_for);
}

TEST_F(EngineHistoryTest, OptimizesAnEmptyHistory) {
  Create("c");
  EXPECT_EQ(CX_OK, Optimize("c", Keep(1)).status);
  EXPECT_EQ(0u, Optimize("c", Keep(1)).result.kept_count);
}

TEST_F(EngineHistoryTest, OptimizesManyRunsInSeveralChanges) {
  const uint64_t count = 2 * (CX_TRIM_MAX + 7);
  for (uint64_t done = 0; done < count;) {  // Every other one repeats: each is a run.
    std::vector<Activity> activities;
    for (int i = 0; i < 500; i++, done += 2) {
      activities.emplace_back("m", "same");
      activities.emplace_back("m", std::to_string(done));
    }
    ASSERT_EQ(CX_OK, Record("c", activities).status);
    Step();
  }
  History last = Activities("c", Newest(1));
  uint64_t total = last.rows[0].sequence;
  uint64_t before = Statistics().revision;
  Optimized optimized = Optimize("c", NoRepeats(), "r");
  EXPECT_EQ(total / 2 - 1, optimized.result.removed_count);
  EXPECT_EQ(before + 1 + (total / 2 - 2) / CX_TRIM_MAX, optimized.write.revision);
  Sequences all = AllSequences("c");
  ASSERT_EQ(total / 2 + 1, all.size());
  EXPECT_EQ(2u, all[0]);
  EXPECT_EQ(total - 1, all[all.size() - 2]);
  ReopenTheSame();
  EXPECT_TRUE(Optimize("c", NoRepeats(), "r").write.replayed);
}

TEST_F(EngineHistoryTest, OptimizesOneLongRunInSeveralChanges) {
  RecordMany("c", 2 * CX_TRIM_MAX + 100);
  uint64_t before = Statistics().revision;
  Optimized optimized = Optimize("c", Keep(50), "r");
  EXPECT_EQ(2u * CX_TRIM_MAX + 50, optimized.result.removed_count);
  EXPECT_EQ(before + 3, optimized.write.revision);
  EXPECT_EQ(Range(2 * CX_TRIM_MAX + 51, 2 * CX_TRIM_MAX + 100), AllSequences("c"));
}

TEST_F(EngineHistoryTest, KeepsWhatIsRecordedMeanwhile) {
  const uint64_t count = CX_OPTIMIZE_INLINE_MAX + 100;
  RecordMany("c", count);
  uint64_t last = 0;
  Optimized optimized =
      Interrupt([&] { last = Record("c", {Activity("m", "late")}).write.sequence; },
                [&] { return Optimize("c", Keep(10)); });
  ASSERT_EQ(CX_OK, optimized.status) << optimized.error.message;
  ASSERT_GT(last, count) << "it was interrupted";
  EXPECT_EQ(10u, optimized.result.kept_count) << "of some moment of the call";
  EXPECT_EQ(Range(optimized.result.removed_count + 1, last), AllSequences("c"));
}

TEST_F(EngineHistoryTest, BeginsAgainWhereSomethingIsDroppedMeanwhile) {
  const uint64_t count = CX_OPTIMIZE_INLINE_MAX + 100;
  RecordMany("c", count);
  uint64_t from = 1;
  Optimized optimized = Interrupt(
      [&] {
        if (from < 4) Truncate("c", ++from);
      },
      [&] { return Optimize("c", Keep(10)); });
  ASSERT_EQ(CX_OK, optimized.status) << optimized.error.message;
  ASSERT_EQ(4u, from) << "it was interrupted";
  EXPECT_EQ(count - 3 - 10, optimized.result.removed_count) << "what others dropped is theirs";
  EXPECT_EQ(Range(count - 9, count), AllSequences("c"));
}

TEST_F(EngineHistoryTest, GivesUpWhereTheHistoryMovesAgainAndAgain) {
  const uint64_t count = CX_OPTIMIZE_INLINE_MAX + 100;
  RecordMany("c", count);
  uint64_t from = 1;
  Optimized optimized =
      Interrupt([&] { Truncate("c", ++from); }, [&] { return Optimize("c", Keep(10)); });
  EXPECT_EQ("HEAD_MOVED", optimized.reason());
  EXPECT_EQ("1", optimized.detail("current_version"));
  EXPECT_EQ(Get("c").revision, optimized.write.wait_for);
  EXPECT_EQ(Range(from, count), AllSequences("c")) << "nothing is dropped by it";
  EXPECT_EQ(CX_OK, Optimize("c", Keep(10)).status);
}

TEST_F(EngineHistoryTest, TellsWhereTheContextGoesMeanwhile) {
  RecordMany("c", CX_OPTIMIZE_INLINE_MAX + 100);
  uint64_t deleted = 0;
  Optimized optimized = Interrupt(
      [&] {
        if (deleted == 0) deleted = Delete("c").write.revision;
      },
      [&] { return Optimize("c", Keep(10)); });
  EXPECT_EQ("CONTEXT_NOT_FOUND", optimized.reason());
  EXPECT_EQ(deleted, optimized.write.wait_for);
}

TEST_F(EngineHistoryTest, IsRightOrGivesUpUnderConcurrentRecords) {
  const uint64_t count = 2 * CX_TRIM_MAX + 100;
  uint64_t last = count;
  RecordMany("c", count);
  std::thread recorder([&] {
    for (int i = 0; i < 300; i++) last = Record("c", {Activity("m", "late")}).write.sequence;
  });
  uint64_t removed = 0;
  for (int i = 0; i < 20; i++) {
    Optimized optimized = Optimize("c", Keep(50));
    if (optimized.status == CX_OK) {
      EXPECT_EQ(50u, optimized.result.kept_count);
      removed += optimized.result.removed_count;
    } else {
      EXPECT_EQ("HEAD_MOVED", optimized.reason());
    }
  }
  recorder.join();
  EXPECT_EQ(Range(removed + 1, last), AllSequences("c")) << "no hole, and nothing new is dropped";
  ReopenTheSame();
}

}  // namespace
