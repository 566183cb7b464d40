// Room first: segments are ready before they are needed, and who asks is told when they
// are not.

#include "tests/unit/log/wal_fixture.h"

namespace {

using WalPrepareTest = FilledLog;

TEST_F(WalPrepareTest, IsOverloadedWhileTheNextSegmentIsNotReady) {
  ASSERT_EQ(CX_OK, wal_.Open());
  int admitted = 0;
  while (wal_.log->ops->admit(wal_.log, 1000) == CX_REASON_NONE) admitted++;
  EXPECT_EQ(3, admitted);
  EXPECT_EQ(CX_REASON_OVERLOADED, wal_.log->ops->admit(wal_.log, 1000));
  ASSERT_EQ(CX_OK, wal_.Prepare());
  EXPECT_EQ(CX_REASON_NONE, wal_.log->ops->admit(wal_.log, 1000));
}

TEST_F(WalPrepareTest, AdmitsAgainWhenRoomIsGivenBack) {
  ASSERT_EQ(CX_OK, wal_.Open());
  sim_disk_set_capacity(disk_, 4096 + 1000);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, wal_.Prepare());
  EXPECT_EQ(2u, sim_disk_file_count(disk_)) << "the lock and the first segment";
  AppendSome(3, 1000);
  EXPECT_EQ(CX_REASON_STORAGE_FULL, wal_.log->ops->admit(wal_.log, 1000));
  EXPECT_EQ(appended_, wal_.ReadAll());

  sim_disk_set_capacity(disk_, 2 * 4096);
  EXPECT_EQ(CX_OK, wal_.Prepare());
  AppendSome(3, 1000);
  EXPECT_EQ(appended_, wal_.ReadAll());
}

TEST_F(WalPrepareTest, AppendsWhatItAdmittedToAFullDisk) {
  ASSERT_EQ(CX_OK, wal_.Open());
  ASSERT_EQ(CX_OK, wal_.Prepare());
  sim_disk_set_capacity(disk_, 2 * 4096);
  Records payloads;
  for (int i = 0;; i++) {
    std::string payload = Payload(48 + 8 * static_cast<size_t>(i % 50), i);
    if (wal_.log->ops->admit(wal_.log, cx_log_frame_size(payload.size())) != CX_REASON_NONE) break;
    payloads.push_back(payload);
  }
  Batch batch(1, payloads);
  cx_log_position tail;
  ASSERT_EQ(CX_OK, wal_.log->ops->append(wal_.log, {0, 0}, batch.get(), &tail));
  EXPECT_EQ(payloads, wal_.ReadAll());
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, wal_.Prepare());
  wal_.Close(true);
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_TRUE(wal_.report.clean);
  EXPECT_EQ(payloads, wal_.ReadAll());
}

TEST_F(WalPrepareTest, KeepsMoreSegmentsInHandTheMoreItFills) {
  ASSERT_EQ(CX_OK, wal_.Open());
  for (size_t filled = 0; filled < 8; filled++) {
    ASSERT_EQ(CX_OK, wal_.Prepare());
    size_t ahead = filled < 3 ? filled + 1 : 4;
    EXPECT_EQ(filled + 1 + ahead, sim_disk_file_count(disk_) - 1) << "segments, and the lock";
    sim_counts before = sim_disk_counts(disk_);
    ASSERT_EQ(CX_OK, wal_.Prepare());
    EXPECT_EQ(before.operations, sim_disk_counts(disk_).operations) << "nothing to do";
    AppendSome(filled == 0 ? 4 : 3, 1000);  // Into the next segment.
  }
}

TEST_F(WalPrepareTest, WakesThePreparationWhenItHasWork) {
  ASSERT_EQ(CX_OK, wal_.Open());
  ASSERT_EQ(CX_OK, wal_.Prepare());
  AppendSome(3, 1000);
  EXPECT_EQ(0, wal_.wakes);
  AppendSome(1, 1000);
  EXPECT_EQ(1, wal_.wakes);
}

TEST_F(WalPrepareTest, PrepareTakesOnceAsMuchRoomAsItSays) {
  ASSERT_EQ(CX_OK, wal_.Open());
  ASSERT_EQ(CX_OK, wal_.Prepare());
  ASSERT_EQ(CX_OK, wal_.Open());
  size_t files = sim_disk_file_count(disk_);
  ASSERT_EQ(CX_OK, wal_.Prepare());
  EXPECT_EQ(files, sim_disk_file_count(disk_)) << "a prepared segment is used again";
}

TEST_F(WalPrepareTest, TakesLargerFramesAfterASegmentSizeHasGrown) {
  ASSERT_EQ(CX_OK, wal_.Open());
  ASSERT_EQ(CX_OK, wal_.Prepare());
  AppendSome(1, 1000);
  wal_.options.segment_size = 65536;
  ASSERT_EQ(CX_OK, wal_.Open());
  AppendSome(20, 16384);
  AppendSome(5, 1000);
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_EQ(appended_, wal_.ReadAll());
}

}  // namespace
