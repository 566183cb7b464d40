// Where the newest so many points of a context begin, which is remembered from one question to
// the next: the same as counting them, whatever comes and goes in between.

extern "C" {
#include "core/base/limits.h"
#include "core/state/point.h"
}

#include <gtest/gtest.h>

#include <random>
#include <set>

class PointWindowTest : public testing::Test {
 protected:
  PointWindowTest() : recovery_(cx_recovery_new()) {}
  ~PointWindowTest() override { cx_recovery_free(recovery_); }

  void Add() {
    cx_point *point;
    cx_tree_item *old;
    uint64_t sequence = ++recovery_->last_sequence;
    ASSERT_EQ(CX_OK, cx_point_new(sequence, {}, &point));
    ASSERT_EQ(CX_OK, cx_tree_put(&cx_point_class, &recovery_->points, nullptr, &point->item, &old));
    recovery_->point_count++;
    there_.insert(sequence);
  }

  void Drop(uint64_t sequence) {
    cx_tree_item *old;
    cx_point *point = cx_recovery_find(recovery_, sequence);
    cx_bytes key = cx_tree_item_key(&cx_point_class, &point->item);
    cx_tree_item_ref(&point->item);
    ASSERT_EQ(CX_OK, cx_tree_remove(&cx_point_class, &recovery_->points, nullptr, key, &old));
    cx_tree_item_unref(&cx_point_class, old);
    cx_point_unref(point);
    recovery_->point_count--;
    there_.erase(sequence);
    cx_recovery_note_drop(recovery_, sequence);
  }

  uint64_t Counted(uint64_t keep_last, uint64_t more) const {
    if (more >= keep_last) return UINT64_MAX;
    if (there_.size() + more <= keep_last) return 0;
    return *std::next(there_.begin(), static_cast<long>(there_.size() + more - keep_last));
  }

  cx_recovery *recovery_;
  std::set<uint64_t> there_;
};

TEST_F(PointWindowTest, BeginsAtTheOldestOfTheNewest) {
  for (int i = 0; i < 5; i++) Add();
  EXPECT_EQ(0u, cx_recovery_window(recovery_, 5, 0));
  EXPECT_EQ(2u, cx_recovery_window(recovery_, 5, 1));
  EXPECT_EQ(3u, cx_recovery_window(recovery_, 3, 0));
  EXPECT_EQ(5u, cx_recovery_window(recovery_, 1, 0));
  EXPECT_EQ(UINT64_MAX, cx_recovery_window(recovery_, 1, 1));
}

TEST_F(PointWindowTest, IsWhatCountingGivesWhateverComesAndGoes) {
  for (unsigned seed = 1; seed <= 20; seed++) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    for (int i = 0; i < 500; i++) {
      uint64_t keep_last = 1 + random() % 40;
      uint64_t more = random() % 3;
      if (random() % 5 < 3 || there_.empty()) {
        Add();
      } else {
        Drop(*std::next(there_.begin(), static_cast<long>(random() % there_.size())));
      }
      if (random() % 2 == 0) {
        ASSERT_EQ(Counted(keep_last, more), cx_recovery_window(recovery_, keep_last, more));
      }
    }
  }
}
