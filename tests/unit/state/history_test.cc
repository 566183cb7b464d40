// What history.h promises, held against plain lists: random histories with gaps, several
// activities of one time, and repeats.

extern "C" {
#include "core/state/history.h"
#include "core/base/limits.h"
#include "tests/support/fail_nth.h"
}

#include <algorithm>
#include <cinttypes>
#include <random>

#include "tests/support/seed.h"
#include "tests/unit/state/activity_fixture.h"

namespace {

// What the tests know of one activity.
struct Row {
  uint64_t sequence;
  int64_t time_us;
  std::string type;
  std::string content;  // Type, data and detail.
  uint64_t weight;
};

class HistoryTest : public ActivityFixture {
 protected:
  HistoryTest() : seed_(TestSeed()), random_(seed_) {}
  ~HistoryTest() override {
    if (HasFailure()) printf("CONTEXTD_SEED=%" PRIu64 "\n", seed_);
  }

  size_t Random(size_t below) { return random_() % below; }

  // Adds one with `size` bytes of data, the same in all of the same size and variant.
  void AddRow(uint64_t sequence, int64_t time_us, const std::string &type, size_t size,
              size_t variant = 0) {
    static const char *paths[] = {"", "a", "b"};
    ActivityParts parts;
    parts.type = type;
    parts.data = Noise(size);
    parts.time_us = time_us;
    if (variant > 0) parts.detail = FileDetail(paths[variant]);
    if (Random(3) == 0) parts.labels = {{"label", std::to_string(sequence)}};
    Add(sequence, parts);
    uint64_t weight = size;
    for (const auto &label : parts.labels) weight += label.first.size() + label.second.size();
    rows_.push_back(
        {sequence, time_us, type, type + " " + paths[variant] + " " + parts.data, weight});
  }

  // A history anew, of up to `count_max` activities.
  void Fill(size_t count_max) {
    static const size_t sizes[] = {0, 1, 10, 2000};
    uint64_t sequence = Random(2) == 0 ? 0 : Random(1000);
    int64_t time_us = 100;
    Clear();
    rows_.clear();
    for (size_t i = Random(count_max + 1); i > 0; i--) {
      sequence += Random(3) == 0 ? 1 + Random(5) : 1;
      time_us += static_cast<int64_t>(Random(2) * Random(4));
      AddRow(sequence, time_us, std::string(1, "xyz"[Random(3)]), sizes[Random(4)], Random(3));
    }
  }

  uint64_t seed_;
  std::mt19937 random_;
  std::vector<Row> rows_;
};

// ---- Finding. ----------------------------------------------------------------

TEST_F(HistoryTest, FindsTheFirstOfATime) {
  EXPECT_EQ(UINT64_MAX, cx_history_find_time(&history_, 0));
  for (int round = 0; round < 50; round++) {
    Fill(300);
    int64_t last_us = rows_.empty() ? 100 : rows_.back().time_us;
    for (int64_t time_us = 98; time_us < last_us + 3; time_us++) {
      auto found = std::find_if(rows_.begin(), rows_.end(),
                                [time_us](const Row &row) { return row.time_us >= time_us; });
      ASSERT_EQ(found != rows_.end() ? found->sequence : UINT64_MAX,
                cx_history_find_time(&history_, time_us));
    }
  }
}

TEST_F(HistoryTest, FindsTimesOverTheLargestGap) {
  AddRow(1, -5, "x", 0);
  AddRow(UINT64_MAX - 1, 5, "x", 0);
  EXPECT_EQ(1u, cx_history_find_time(&history_, INT64_MIN));
  EXPECT_EQ(1u, cx_history_find_time(&history_, -5));
  EXPECT_EQ(UINT64_MAX - 1, cx_history_find_time(&history_, -4));
  EXPECT_EQ(UINT64_MAX, cx_history_find_time(&history_, 6));
}

TEST_F(HistoryTest, TakesTheBeginningOfWhatIsWithinARun) {
  for (int round = 0; round < 2000; round++) {
    Fill(20);
    uint64_t end = rows_.empty() ? 5 : rows_.back().sequence + 2;
    cx_run within = {Random(end), Random(4) == 0 ? UINT64_MAX : Random(end)};
    if (within.first > within.last) std::swap(within.first, within.last);
    size_t count_max = 1 + Random(10);
    std::vector<uint64_t> wanted;
    for (const Row &row : rows_) {
      if (row.sequence >= within.first && row.sequence <= within.last) {
        wanted.push_back(row.sequence);
      }
    }
    cx_run run = {};
    bool more;
    uint64_t count = cx_history_take(&history_, &within, count_max, &run, &more);
    ASSERT_EQ(wanted.size() > count_max, more);
    wanted.resize(std::min(wanted.size(), count_max));
    ASSERT_EQ(wanted.size(), count);
    if (count == 0) continue;
    ASSERT_EQ(wanted.front(), run.first);
    ASSERT_EQ(wanted.back(), run.last);
  }
}

// ---- Lists. ------------------------------------------------------------------

class HistoryListTest : public HistoryTest {
 protected:
  // One page, as sequences.
  std::vector<uint64_t> Page(const cx_activity_query &query, bool *ret_more, uint64_t *ret_next) {
    cx_activity_page page = {};
    page.history = cx_tree_copy(&history_);
    EXPECT_EQ(CX_OK, cx_history_list(&query, &page));
    std::vector<uint64_t> sequences;
    for (size_t i = 0; i < page.count; i++) sequences.push_back(page.rows[i].sequence);
    *ret_more = page.more;
    *ret_next = page.next_sequence;
    cx_activity_page_done(&page);
    return sequences;
  }

  // All pages, each going on where the one before it ended.
  std::vector<uint64_t> Pages(cx_activity_query query) {
    std::vector<uint64_t> sequences;
    bool more = true;
    for (size_t i = 0; more; i++) {
      uint64_t next;
      std::vector<uint64_t> page = Page(query, &more, &next);
      EXPECT_GE(query.count_max, page.size());
      EXPECT_TRUE(!more || page.size() == query.count_max) << "fewer than 10,000 were looked at";
      sequences.insert(sequences.end(), page.begin(), page.end());
      query.from_sequence = next;
      if (i > rows_.size()) {
        ADD_FAILURE() << "goes on for ever";
        break;
      }
    }
    return sequences;
  }

  // What the pages must add up to.
  std::vector<uint64_t> Wanted(const cx_activity_query &query) {
    std::vector<uint64_t> sequences;
    for (const Row &row : rows_) {
      bool typed = query.type_count == 0;
      for (size_t i = 0; i < query.type_count; i++) typed |= Text(query.types[i]) == row.type;
      bool early = query.start_time_us != 0 && row.time_us < query.start_time_us;
      bool late = query.end_time_us != 0 && row.time_us >= query.end_time_us;
      bool outside =
          query.from_sequence != 0 && (query.newest_first ? row.sequence > query.from_sequence
                                                          : row.sequence < query.from_sequence);
      if (typed && !early && !late && !outside) sequences.push_back(row.sequence);
    }
    if (query.newest_first) std::reverse(sequences.begin(), sequences.end());
    return sequences;
  }

  // A sequence to begin with: of an activity, in a gap, or outside of all.
  uint64_t From() {
    if (rows_.empty() || Random(8) == 0) return Random(3) == 0 ? UINT64_MAX : 1 + Random(3000);
    return std::max<uint64_t>(1, rows_[Random(rows_.size())].sequence + Random(3) - 1);
  }

  int64_t Time() {
    return rows_.empty()
               ? 5
               : rows_[Random(rows_.size())].time_us + static_cast<int64_t>(Random(3)) - 1;
  }
};

TEST_F(HistoryListTest, GivesEverythingThatWasAskedForOnceInEitherDirection) {
  cx_bytes types[] = {cx_bytes_of("x"), cx_bytes_of("none"), cx_bytes_of("z")};
  for (int round = 0; round < 200; round++) {
    Fill(round % 10 == 0 ? 2000 : 30);
    for (int choice = 0; choice < 32; choice++) {
      cx_activity_query query = {};
      query.newest_first = (choice & 1) != 0;
      if ((choice & 2) != 0) query.start_time_us = Time();
      if ((choice & 4) != 0) query.end_time_us = Time();
      if ((choice & 8) != 0) query.from_sequence = From();
      if ((choice & 16) != 0) {
        query.types = types;
        query.type_count = 1 + Random(3);
      }
      query.count_max = Random(3) == 0 ? CX_PAGE_SIZE_MAX : 1 + Random(10);
      ASSERT_EQ(Wanted(query), Pages(query)) << "choice " << choice;
    }
  }
}

TEST_F(HistoryListTest, ShowsWhatActivitiesSay) {
  AddRow(7, 100, "type", 2000, 1);
  cx_activity_query query = {};
  query.count_max = 1;
  cx_activity_page page = {};
  page.history = cx_tree_copy(&history_);
  ASSERT_EQ(CX_OK, cx_history_list(&query, &page));
  ASSERT_EQ(1u, page.count);
  EXPECT_EQ(7u, page.rows[0].sequence);
  EXPECT_EQ("type", Text(page.rows[0].type));
  EXPECT_EQ("a", Text(page.rows[0].detail.file.path));
  EXPECT_EQ(2000u, page.rows[0].data_size);
  cx_activity_page_done(&page);
}

TEST_F(HistoryListTest, LooksAtSoManyActivitiesAndGoesOnBehindThem) {
  cx_bytes type = cx_bytes_of("rare");
  for (uint64_t i = 1; i <= CX_PAGE_ROWS_MAX; i++) AddRow(i, 1, "common", 0);
  AddRow(CX_PAGE_ROWS_MAX + 1, 1, "rare", 0);
  cx_activity_query query = {};
  query.types = &type;
  query.type_count = 1;
  query.count_max = 5;
  bool more;
  uint64_t next;
  EXPECT_EQ(std::vector<uint64_t>{}, Page(query, &more, &next));
  EXPECT_TRUE(more);
  EXPECT_EQ(CX_PAGE_ROWS_MAX + 1, next);
  query.from_sequence = next;
  EXPECT_EQ(std::vector<uint64_t>{CX_PAGE_ROWS_MAX + 1}, Page(query, &more, &next));
  EXPECT_FALSE(more);
  query.from_sequence = 0;
  query.newest_first = true;
  EXPECT_EQ(std::vector<uint64_t>{CX_PAGE_ROWS_MAX + 1}, Page(query, &more, &next));
  EXPECT_TRUE(more);
  EXPECT_EQ(1u, next);
}

TEST_F(HistoryListTest, CanBeReleasedWhenThereIsNoMemory) {
  AddRow(1, 1, "x", 10);
  cx_activity_query query = {};
  query.count_max = 10;
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_activity_page page = {};
    page.history = cx_tree_copy(&history_);
    fail_nth_begin(&fail, nth);
    cx_status status = cx_history_list(&query, &page);
    bool failed = fail_nth_end(&fail);
    EXPECT_EQ(failed ? CX_RESOURCE_EXHAUSTED : CX_OK, status);
    cx_activity_page_done(&page);
    if (!failed) break;
  }
}

// ---- Optimizing. -------------------------------------------------------------

class HistoryOptimizeTest : public HistoryTest {
 protected:
  // Which activities go, by the words of OptimizeHistory.
  std::vector<bool> Dropped(const cx_optimize_request &request) {
    std::vector<bool> dropped(rows_.size(), false);
    if (request.deduplicate) {
      for (size_t i = 0; i < rows_.size(); i++) {
        for (size_t newer = i + 1; newer < rows_.size(); newer++) {
          if (rows_[i].content == rows_[newer].content) dropped[i] = true;
        }
      }
    }
    uint64_t count = 0, bytes = 0;
    bool ended = false;
    for (size_t i = rows_.size(); i-- > 0;) {
      if (dropped[i]) continue;
      bool over = (request.max_count != 0 && count + 1 > request.max_count) ||
                  (request.max_bytes != 0 && bytes + rows_[i].weight > request.max_bytes);
      ended = ended || (over && i + 1 != rows_.size());
      dropped[i] = ended;
      count++;
      bytes += rows_[i].weight;
    }
    return dropped;
  }

  // Holds a cut against the model.
  void Check(const cx_optimize_request &request) {
    std::vector<bool> dropped = Dropped(request);
    cx_optimize_result wanted = {};
    std::vector<std::pair<uint64_t, uint64_t>> runs, cut_runs;
    for (size_t i = 0; i < rows_.size(); i++) {
      (dropped[i] ? wanted.removed_count : wanted.kept_count)++;
      (dropped[i] ? wanted.removed_bytes : wanted.kept_bytes) += rows_[i].weight;
      if (!dropped[i]) continue;
      if (i == 0 || !dropped[i - 1]) runs.emplace_back(rows_[i].sequence, 0);
      runs.back().second = rows_[i].sequence;
    }
    cx_history_cut cut = {};
    ASSERT_EQ(CX_OK, cx_history_optimize(&history_, &request, &cut));
    for (size_t i = 0; i < cut.count; i++) {
      cut_runs.emplace_back(cut.runs[i].first, cut.runs[i].last);
    }
    EXPECT_EQ(runs, cut_runs);
    EXPECT_EQ(wanted.removed_count, cut.result.removed_count);
    EXPECT_EQ(wanted.removed_bytes, cut.result.removed_bytes);
    EXPECT_EQ(wanted.kept_count, cut.result.kept_count);
    EXPECT_EQ(wanted.kept_bytes, cut.result.kept_bytes);
    cx_history_cut_done(&cut);
  }

  // What is kept, with runs of it cut out.
  std::vector<uint64_t> Kept(const cx_optimize_request &request) {
    std::vector<uint64_t> kept;
    cx_history_cut cut = {};
    EXPECT_EQ(CX_OK, cx_history_optimize(&history_, &request, &cut));
    for (const Row &row : rows_) {
      bool gone = false;
      for (size_t i = 0; i < cut.count; i++) {
        gone |= row.sequence >= cut.runs[i].first && row.sequence <= cut.runs[i].last;
      }
      if (!gone) kept.push_back(row.sequence);
    }
    cx_history_cut_done(&cut);
    return kept;
  }
};

TEST_F(HistoryOptimizeTest, DropsRepeatsFirstAndThenKeepsTheNewestThatFit) {
  for (int round = 0; round < 300; round++) {
    Fill(round % 10 == 0 ? 400 : 12);
    for (int choice = 0; choice < 8; choice++) {
      cx_optimize_request request = {};
      request.deduplicate = (choice & 1) != 0;
      if ((choice & 2) != 0) request.max_count = 1 + Random(rows_.size() + 2);
      if ((choice & 4) != 0) request.max_bytes = 1 + Random(500 * rows_.size() + 2);
      Check(request);
      ASSERT_FALSE(HasFailure()) << "round " << round << " choice " << choice;
    }
  }
}

TEST_F(HistoryOptimizeTest, DropsNothingOfNothing) {
  cx_optimize_request request = {};
  request.deduplicate = true;
  request.max_bytes = request.max_count = 1;
  Check(request);
}

TEST_F(HistoryOptimizeTest, KeepsWhatFitsExactly) {
  for (uint64_t i = 1; i <= 3; i++) AddRow(i, 1, "x", 10, i - 1);
  uint64_t newest_two = rows_[1].weight + rows_[2].weight;
  cx_optimize_request request = {};
  request.max_bytes = newest_two;
  EXPECT_EQ((std::vector<uint64_t>{2, 3}), Kept(request));
  request.max_bytes = newest_two - 1;
  EXPECT_EQ(std::vector<uint64_t>{3}, Kept(request));
  request.max_bytes = 0;
  request.max_count = 2;
  EXPECT_EQ((std::vector<uint64_t>{2, 3}), Kept(request));
}

TEST_F(HistoryOptimizeTest, KeepsTheNewestEvenWhenItAloneDoesNotFit) {
  AddRow(1, 1, "empty", 0);
  AddRow(2, 1, "x", 2000);
  cx_optimize_request request = {};
  request.max_bytes = 1;
  EXPECT_EQ(std::vector<uint64_t>{2}, Kept(request));
  request.max_bytes = 0;
  request.max_count = 1;
  EXPECT_EQ(std::vector<uint64_t>{2}, Kept(request));
}

TEST_F(HistoryOptimizeTest, EndsWithTheFirstThatDoesNotFit) {
  AddRow(1, 1, "x", 1);
  AddRow(2, 1, "x", 2000);
  AddRow(3, 1, "y", 1);
  cx_optimize_request request = {};
  request.max_bytes = 100;
  EXPECT_EQ(std::vector<uint64_t>{3}, Kept(request)) << "without a hole";
}

TEST_F(HistoryOptimizeTest, DoesNotCountRepeatsAmongWhatIsKept) {
  AddRow(1, 1, "y", 1);
  AddRow(2, 1, "x", 1);
  AddRow(5, 1, "x", 1);
  AddRow(6, 1, "x", 1);
  cx_optimize_request request = {};
  request.deduplicate = true;
  request.max_count = 2;
  EXPECT_EQ((std::vector<uint64_t>{1, 6}), Kept(request));
}

TEST_F(HistoryOptimizeTest, TellsNeighboursAsOneRunAcrossAGap) {
  AddRow(2, 1, "x", 1);
  AddRow(9, 1, "x", 1);
  AddRow(11, 1, "x", 1);
  cx_optimize_request request = {};
  request.deduplicate = true;
  cx_history_cut cut = {};
  ASSERT_EQ(CX_OK, cx_history_optimize(&history_, &request, &cut));
  ASSERT_EQ(1u, cut.count);
  EXPECT_EQ(2u, cut.runs[0].first);
  EXPECT_EQ(9u, cut.runs[0].last);
  cx_history_cut_done(&cut);
  cx_history_cut_done(&cut);
}

TEST_F(HistoryOptimizeTest, GivesEverythingBackWhenThereIsNoMemory) {
  // Every other one is a repeat: many runs, and many that are seen once.
  for (uint64_t i = 1; i <= 1200; i++) {
    AddRow(i, 1, i % 2 == 0 ? "x" : "y" + std::to_string(i), 1);
  }
  cx_optimize_request request = {};
  request.deduplicate = true;
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_history_cut cut = {};
    int64_t used = cx_memory_used();
    fail_nth_begin(&fail, nth);
    cx_status status = cx_history_optimize(&history_, &request, &cut);
    if (!fail_nth_end(&fail)) {
      EXPECT_EQ(CX_OK, status);
      EXPECT_EQ(599u, cut.count);
      EXPECT_LT(5u, nth) << "the table and the runs grew";
      cx_history_cut_done(&cut);
      break;
    }
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status);
    EXPECT_EQ(nullptr, cut.runs);
    EXPECT_EQ(used, cx_memory_used());
  }
}

}  // namespace
