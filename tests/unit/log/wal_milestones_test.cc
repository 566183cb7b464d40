// Which records become milestones, and finding them.

#include "tests/unit/log/wal_fixture.h"

extern "C" {
#include "core/log/wal_milestones.h"
}

namespace {

using Revisions = std::vector<uint64_t>;

// Lets records pass, as append() and recovery do.
class WalMilestonesTest : public testing::Test {
 protected:
  ~WalMilestonesTest() override { cx_milestones_done(&milestones_); }

  void Pass(size_t frame_size, int64_t time_us) {
    cx_record record = {};
    record.kind = CX_RECORD_DATA;
    record.crc = static_cast<uint32_t>(1000 + tail_.position.revision);
    record.payload_size = static_cast<uint32_t>(frame_size - CX_LOG_HEADER_SIZE);
    record.revision = tail_.position.revision + 1;
    record.time_us = time_us;
    if (cx_milestones_due(&milestones_, segment_first_, &tail_, &record)) {
      cx_milestones_add(&milestones_, &tail_, &record, offset_);
    }
    cx_wal_tail_move(&tail_, &record);
    offset_ += frame_size;
  }

  void NextSegment() {
    segment_first_ = tail_.position.revision + 1;
    offset_ = CX_SEGMENT_HEADER_SIZE;
  }

  Revisions Made() {
    Revisions revisions;
    for (size_t i = 0; i < milestones_.count; i++) {
      revisions.push_back(cx_milestone_revision(&milestones_.items[i]));
    }
    return revisions;
  }

  cx_milestones milestones_ = {};
  cx_wal_tail tail_ = {};
  uint64_t segment_first_ = 1;
  uint64_t offset_ = CX_SEGMENT_HEADER_SIZE;
};

TEST_F(WalMilestonesTest, TheFirstRecordOfASegmentIsOne) {
  for (int segment = 0; segment < 3; segment++) {
    for (int i = 0; i < 10; i++) Pass(104, 5);
    NextSegment();
  }
  EXPECT_EQ((Revisions{1, 11, 21}), Made());
}

TEST_F(WalMilestonesTest, SoIsTheFirstThatBeginsFarEnoughBehindTheLast) {
  Pass(CX_MILESTONE_BYTES, 5);
  Pass(CX_MILESTONE_BYTES - 8, 5);
  Pass(48, 5);
  Pass(2 * CX_MILESTONE_BYTES, 5);
  Pass(48, 5);
  EXPECT_EQ((Revisions{1, 2, 4, 5}), Made());
}

TEST_F(WalMilestonesTest, SoIsTheFirstThatIsLateEnough) {
  for (int64_t time_us : {7, 999999, 1000006, 1000007, 1000008, 2000006, 9000000}) {
    Pass(104, time_us);
  }
  EXPECT_EQ((Revisions{1, 4, 7}), Made());
}

TEST_F(WalMilestonesTest, BearsAnyTimes) {
  for (int64_t time_us : {INT64_MIN, INT64_MAX, INT64_MIN, int64_t{0}}) Pass(104, time_us);
  EXPECT_EQ((Revisions{1, 2}), Made());
}

TEST_F(WalMilestonesTest, EachSaysWhatIsBeforeItsRecordAndWhereItIs) {
  Pass(104, 5);
  NextSegment();
  Pass(48, 6);
  Pass(112, 7);
  Pass(56, 8 + CX_SECOND_US);
  ASSERT_EQ((Revisions{1, 2, 4}), Made());
  const cx_milestone *first = &milestones_.items[0];
  EXPECT_EQ(0u, first->before.position.identity);
  EXPECT_EQ(0u, first->before.bytes);
  EXPECT_EQ(static_cast<uint64_t>(CX_SEGMENT_HEADER_SIZE), first->offset);
  const cx_milestone *last = &milestones_.items[2];
  EXPECT_EQ(1002u, last->before.position.identity);
  EXPECT_EQ(7, last->before.time_us);
  EXPECT_EQ(104u + 48 + 112, last->before.bytes);
  EXPECT_EQ(CX_SEGMENT_HEADER_SIZE + 48u + 112, last->offset);
}

TEST_F(WalMilestonesTest, TakeALittleOfALogThatGrowsSlowly) {
  constexpr size_t kFrame = 104;
  int64_t time_us = 0;
  for (int i = 0; i < 200000; i++) Pass(kFrame, time_us += CX_SECOND_US);
  uint64_t bytes = 200000 * kFrame;
  EXPECT_LE(milestones_.count, CX_MILESTONES_FREE + bytes / CX_MILESTONE_BYTES_MIN);
  EXPECT_LT(milestones_.count * sizeof(cx_milestone), bytes / 50 + 200 * CX_KIB);
  for (size_t i = 1; i < milestones_.count; i++) {
    uint64_t apart = milestones_.items[i].before.bytes - milestones_.items[i - 1].before.bytes;
    ASSERT_LE(apart, i < CX_MILESTONES_FREE ? kFrame : CX_MILESTONE_BYTES_MIN + kFrame);
  }
}

TEST_F(WalMilestonesTest, FindsTheLastThatPasses) {
  auto is_not_behind = [](const void *arg, const cx_milestone *milestone) {
    return cx_milestone_revision(milestone) <= *static_cast<const uint64_t *>(arg);
  };
  uint64_t revision = 7;
  EXPECT_EQ(nullptr, cx_milestones_last(&milestones_, is_not_behind, &revision));
  for (uint64_t count = 1; count <= 40; count++) {
    Pass(104, static_cast<int64_t>(count) * CX_SECOND_US);
    revision = 0;
    EXPECT_EQ(nullptr, cx_milestones_last(&milestones_, is_not_behind, &revision));
    for (revision = 1; revision <= count + 1; revision++) {
      const cx_milestone *last = cx_milestones_last(&milestones_, is_not_behind, &revision);
      ASSERT_NE(nullptr, last);
      EXPECT_EQ(std::min(revision, count), cx_milestone_revision(last));
    }
  }
}

TEST_F(WalMilestonesTest, WithoutMemoryOneIsLeftOutAndTheNextRecordIsDue) {
  int64_t used = cx_memory_used();
  fail_nth fail;
  fail_nth_begin(&fail, 1);
  for (int i = 0; i < 3; i++) Pass(104, 5);
  fail_nth_end(&fail);
  EXPECT_EQ(used, cx_memory_used());
  for (int i = 0; i < 3; i++) Pass(104, 5);
  EXPECT_EQ((Revisions{4}), Made());
  EXPECT_LT(used, cx_memory_used());
  while (milestones_.count < milestones_.capacity) Pass(CX_MILESTONE_BYTES, 5);
  Revisions before = Made();
  NextSegment();
  fail_nth_begin(&fail, 1);
  for (int i = 0; i < 2; i++) Pass(104, 5);
  fail_nth_end(&fail);
  EXPECT_EQ(before, Made());
  Pass(104, 5);
  Pass(104, 5);
  before.push_back(segment_first_ + 2);
  EXPECT_EQ(before, Made());
}

}  // namespace
