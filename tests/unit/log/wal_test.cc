// What the log promises in log.h and wal.h while nothing goes wrong.

#include "tests/unit/log/wal_fixture.h"

namespace {

using WalTest = FilledLog;

TEST_F(WalTest, BeginsAnEmptyLogInAnEmptyDirectory) {
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_TRUE(wal_.report.created);
  EXPECT_EQ(0u, wal_.report.tail.revision);
  EXPECT_EQ(0u, wal_.report.tail.identity);
  EXPECT_EQ(1u, wal_.report.identity.epoch);
  EXPECT_EQ(Records{}, wal_.ReadAll());
}

TEST_F(WalTest, ReadsWhatWasAppended) {
  ASSERT_EQ(CX_OK, wal_.Open());
  ASSERT_EQ(CX_OK, wal_.Append({"one", "", "three"}));
  ASSERT_EQ(CX_OK, wal_.Append({std::string(900, 'x')}));
  EXPECT_EQ((Records{"one", "", "three", std::string(900, 'x')}), wal_.ReadAll());
}

TEST_F(WalTest, KeepsRecordsAndIdentityOverReopening) {
  ASSERT_EQ(CX_OK, wal_.Open());
  cx_wal_report first = wal_.report;
  ASSERT_EQ(CX_OK, wal_.Append({"one", "two"}));
  cx_log_position tail = wal_.Tail();

  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_FALSE(wal_.report.created);
  EXPECT_FALSE(wal_.report.clean);
  EXPECT_EQ(tail.revision, wal_.report.tail.revision);
  EXPECT_EQ(tail.identity, wal_.report.tail.identity);
  EXPECT_EQ(0, std::memcmp(&first.identity, &wal_.report.identity, sizeof first.identity));
  EXPECT_EQ((Records{"one", "two"}), wal_.ReadAll());
}

TEST_F(WalTest, FillsManySegments) {
  ASSERT_EQ(CX_OK, wal_.Open());
  AppendSome(100, 504);
  EXPECT_EQ(appended_, wal_.ReadAll());
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_GT(wal_.report.segment_count, 10u);
  EXPECT_EQ(wal_.report.segment_count * 4096, wal_.report.bytes);
  EXPECT_EQ(appended_, wal_.ReadAll());
  AppendSome(20, 1024);
  EXPECT_EQ(appended_, wal_.ReadAll());
}

TEST_F(WalTest, SpreadsOneBatchOverSeveralSegments) {
  ASSERT_EQ(CX_OK, wal_.Open());
  AppendSome(30, 1000);  // Lets the log keep more segments in hand.
  ASSERT_EQ(CX_OK, wal_.Prepare());
  Records batch;
  for (int i = 0; i < 12; i++) batch.push_back(Payload(1000, 100 + i));
  ASSERT_EQ(CX_OK, wal_.Append(batch));
  appended_.insert(appended_.end(), batch.begin(), batch.end());
  EXPECT_EQ(appended_, wal_.ReadAll());
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_EQ(appended_, wal_.ReadAll());
}

TEST_F(WalTest, LeavesPayloadsAsTheyWere) {
  ASSERT_EQ(CX_OK, wal_.Open());
  AppendSome(7, 1000);
  ASSERT_EQ(CX_OK, wal_.Prepare());
  std::string one = Payload(1000, 1), two = Payload(1000, 2);
  ASSERT_EQ(CX_REASON_NONE, wal_.Admit(one));
  ASSERT_EQ(CX_REASON_NONE, wal_.Admit(two));
  Batch batch(8, {one, two});
  cx_log_position tail;
  ASSERT_EQ(CX_OK, wal_.log->ops->append(wal_.log, wal_.Tail(), batch.get(), &tail));
  EXPECT_EQ(one, std::string(batch.get()->data + 40, batch.get()->data + 1000));
  EXPECT_EQ(two, std::string(batch.get()->data + 1040, batch.get()->data + 2000));
}

TEST_F(WalTest, PaysForABatchWithOneWriteAndOneSync) {
  ASSERT_EQ(CX_OK, wal_.Open());
  ASSERT_EQ(CX_OK, wal_.Append({"warm"}));
  for (const char *text : {"one", "two", "three"}) {
    ASSERT_EQ(CX_REASON_NONE, wal_.Admit(text));
  }
  Batch batch(2, {"one", "two", "three"});
  cx_log_position tail;
  sim_counts before = sim_disk_counts(disk_);
  ASSERT_EQ(CX_OK, wal_.log->ops->append(wal_.log, wal_.Tail(), batch.get(), &tail));
  sim_counts after = sim_disk_counts(disk_);
  EXPECT_EQ(before.writes + 1, after.writes);
  EXPECT_EQ(before.syncs + 1, after.syncs);
  EXPECT_EQ(before.operations + 2, after.operations);
}

TEST_F(WalTest, PaysOnceMoreForEachFurtherSegment) {
  ASSERT_EQ(CX_OK, wal_.Open());
  ASSERT_EQ(CX_OK, wal_.Prepare());
  Records payloads;
  for (int i = 0; i < 6; i++) {
    payloads.push_back(Payload(1000, i));
    ASSERT_EQ(CX_REASON_NONE, wal_.Admit(payloads.back()));
  }
  Batch batch(1, payloads);
  cx_log_position tail;
  sim_counts before = sim_disk_counts(disk_);
  ASSERT_EQ(CX_OK, wal_.log->ops->append(wal_.log, wal_.Tail(), batch.get(), &tail));
  sim_counts after = sim_disk_counts(disk_);
  EXPECT_EQ(before.writes + 2, after.writes);
  EXPECT_EQ(before.syncs + 2, after.syncs);
}

TEST_F(WalTest, StoresABatchOnlyBehindTheRecordItNames) {
  ASSERT_EQ(CX_OK, wal_.Open());
  ASSERT_EQ(CX_OK, wal_.Append({"one"}));
  cx_log_position prev = wal_.Tail();
  for (cx_log_position wrong : {cx_log_position{0, 0}, cx_log_position{2, prev.identity},
                                cx_log_position{1, prev.identity + 1}}) {
    Batch batch(wrong.revision + 1, {"two"});
    cx_log_position tail = {77, 77};
    EXPECT_EQ(CX_ABORTED, wal_.log->ops->append(wal_.log, wrong, batch.get(), &tail));
    EXPECT_EQ(77u, tail.revision);
  }
  ASSERT_EQ(CX_OK, wal_.Append({"two"}));
  EXPECT_EQ((Records{"one", "two"}), wal_.ReadAll());
}

TEST_F(WalTest, IdentityStandsForAllRecordsBefore) {
  cx_log_position tails[2];
  for (int i = 0; i < 2; i++) {
    SimDisk disk;
    Wal wal(disk);
    ASSERT_EQ(CX_OK, wal.Open());
    ASSERT_EQ(CX_OK, wal.Append({i == 0 ? "this" : "that"}));
    ASSERT_EQ(CX_OK, wal.Append({"same"}));
    tails[i] = wal.Tail();
  }
  EXPECT_EQ(tails[0].revision, tails[1].revision);
  EXPECT_NE(tails[0].identity, tails[1].identity);
}

TEST_F(WalTest, RemembersACleanStop) {
  ASSERT_EQ(CX_OK, wal_.Open());
  ASSERT_EQ(CX_OK, wal_.Append({"one"}));
  wal_.Close(true);
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_TRUE(wal_.report.clean);
  ASSERT_EQ(CX_OK, wal_.Append({"two"}));
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_FALSE(wal_.report.clean);
  EXPECT_EQ((Records{"one", "two"}), wal_.ReadAll());
}

TEST_F(WalTest, StopsCleanlyWhereverASegmentIsFilled) {
  for (size_t frame_size = 48; frame_size <= 1024; frame_size += 8) {
    SCOPED_TRACE(frame_size);
    SimDisk disk;
    Wal wal(disk);
    Records appended;
    ASSERT_EQ(CX_OK, wal.Open());
    while (wal.report.segment_count < 3) {
      for (int i = 0; i < 3; i++) {
        appended.push_back(Payload(frame_size, static_cast<int>(appended.size())));
        ASSERT_EQ(CX_OK, wal.Append({appended.back()}));
      }
      for (int i = 0; i < 3; i++) {
        wal.Close(true);
        ASSERT_EQ(CX_OK, wal.Open());
        ASSERT_TRUE(wal.report.clean);
      }
    }
    EXPECT_EQ(appended, wal.ReadAll());
  }
}

TEST_F(WalTest, NeverSyncsWhenToldNotTo) {
  wal_.options.sync = false;
  ASSERT_EQ(CX_OK, wal_.Open());
  AppendSome(30, 1000);
  wal_.Close(true);
  EXPECT_EQ(0u, sim_disk_counts(disk_).syncs);
  EXPECT_EQ(0u, sim_disk_counts(disk_).directory_syncs);

  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_TRUE(wal_.report.clean);
  EXPECT_EQ(appended_, wal_.ReadAll());
}

TEST_F(WalTest, MakesDurableWhatAnUnsyncedLogHasLeft) {
  wal_.options.sync = false;
  ASSERT_EQ(CX_OK, wal_.Open());
  AppendSome(30, 1000);
  wal_.options.sync = true;
  ASSERT_EQ(CX_OK, wal_.Open());
  wal_.Close(false);

  sim_disk_restart(disk_, &sim_survive_none);
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_EQ(appended_, wal_.ReadAll());
}

TEST_F(WalTest, RefusesASecondProcess) {
  ASSERT_EQ(CX_OK, wal_.Open());
  Wal second(disk_);
  EXPECT_EQ(CX_FAILED_PRECONDITION, second.Open());
  EXPECT_EQ(CX_REASON_NOT_READY, second.error.reason);
  EXPECT_NE(nullptr, std::strstr(second.error.message, "in use by another contextd"));
  wal_.Close(true);
  EXPECT_EQ(CX_OK, second.Open());
}

}  // namespace
