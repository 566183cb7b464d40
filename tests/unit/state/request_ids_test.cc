// What request_ids.h promises: a request is known for the window, or until there are too
// many, and the oldest is forgotten first.

#include <gtest/gtest.h>

extern "C" {
#include "core/state/request_ids.h"
#include "tests/support/fail_nth.h"
}

#include <deque>
#include <random>

namespace {

class RequestIdsTest : public testing::Test {
 protected:
  ~RequestIdsTest() override { cx_request_ids_done(&ids_); }

  static cx_request_record Record(uint64_t id, int64_t time_us = 0, uint64_t version = 0) {
    return {{id, ~id}, id * 3, version, 0, time_us};
  }

  int64_t Add(const cx_request_record &record, int64_t keep_after_us = INT64_MIN,
              size_t count_max = 1000) {
    EXPECT_EQ(CX_OK, cx_request_ids_reserve(&ids_, 1));
    return cx_request_ids_add(&ids_, &record, keep_after_us, count_max);
  }

  const cx_request_record *Find(uint64_t id) { return cx_request_ids_find(&ids_, {id, ~id}); }

  cx_request_ids ids_ = {};
};

TEST_F(RequestIdsTest, KnowsWhatWasAdded) {
  EXPECT_EQ(nullptr, Find(1));
  EXPECT_EQ(1, Add(Record(1)));
  ASSERT_NE(nullptr, Find(1));
  EXPECT_EQ(3u, Find(1)->content_hash);
  EXPECT_EQ(nullptr, Find(2));
  EXPECT_EQ(nullptr, cx_request_ids_find(&ids_, {1, 5})) << "half of an id is not it";
}

TEST_F(RequestIdsTest, ForgetsWhatIsOlderThanTheWindow) {
  for (uint64_t i = 1; i <= 5; i++) Add(Record(i, static_cast<int64_t>(i)));
  EXPECT_EQ(1 - 3, Add(Record(6, 6), 4));
  for (uint64_t i = 1; i <= 6; i++) EXPECT_EQ(i >= 4, Find(i) != nullptr) << i;
}

TEST_F(RequestIdsTest, ForgetsTheOldestBeyondTheBound) {
  for (uint64_t i = 1; i <= 20; i++) Add(Record(i), INT64_MIN, 7);
  for (uint64_t i = 1; i <= 20; i++) EXPECT_EQ(i > 13, Find(i) != nullptr) << i;
  EXPECT_EQ(7u, ids_.count);
  EXPECT_EQ(-4, Add(Record(21), INT64_MIN, 3));
}

TEST_F(RequestIdsTest, FindsTheLaterOfTwoRecordsOfOneId) {
  Add(Record(1, 1, 10));
  Add(Record(2, 2));
  Add(Record(1, 3, 30));
  ASSERT_NE(nullptr, Find(1));
  EXPECT_EQ(30u, Find(1)->version);
  Add(Record(3, 4), 2);  // The earlier one is forgotten.
  ASSERT_NE(nullptr, Find(1));
  EXPECT_EQ(30u, Find(1)->version);
  Add(Record(4, 5), 4);
  EXPECT_EQ(nullptr, Find(1));
}

TEST_F(RequestIdsTest, IsWhatAQueueWouldBeThroughAnyAdditions) {
  const unsigned seed = 5;
  std::mt19937 random(seed);
  std::deque<cx_request_record> queue;
  for (int round = 0; round < 5000; round++) {
    cx_request_record record = Record(random() % 150 * 64, round, static_cast<uint64_t>(round));
    int64_t keep_after_us = round - static_cast<int64_t>(random() % 400);
    size_t count_max = 1 + random() % 200, before = queue.size();
    while (!queue.empty() && (queue.front().time_us < keep_after_us || queue.size() >= count_max)) {
      queue.pop_front();
    }
    queue.push_back(record);
    EXPECT_EQ(static_cast<int64_t>(queue.size()) - static_cast<int64_t>(before),
              Add(record, keep_after_us, count_max));
    for (uint64_t id = 0; id < 150; id++) {
      const cx_request_record *expected = nullptr;
      for (const cx_request_record &each : queue) {
        if (each.id.low == id * 64) expected = &each;
      }
      const cx_request_record *found = Find(id * 64);
      ASSERT_EQ(expected != nullptr, found != nullptr) << "seed " << seed;
      if (found != nullptr) {
        ASSERT_EQ(expected->version, found->version) << "seed " << seed;
      }
    }
  }
}

TEST_F(RequestIdsTest, AddsWithoutMemoryOnceItIsReserved) {
  struct fail_nth fail;
  ASSERT_EQ(CX_OK, cx_request_ids_reserve(&ids_, 200));
  fail_nth_begin(&fail, 1);
  for (uint64_t i = 1; i <= 200; i++) {
    cx_request_record record = Record(i);
    cx_request_ids_add(&ids_, &record, INT64_MIN, 1000);
  }
  EXPECT_FALSE(fail_nth_end(&fail));
  for (size_t nth : {1, 2}) {
    fail_nth_begin(&fail, nth);
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_request_ids_reserve(&ids_, 1000));
    fail_nth_end(&fail);
  }
  for (uint64_t i = 1; i <= 200; i++) EXPECT_NE(nullptr, Find(i));
}

}  // namespace
