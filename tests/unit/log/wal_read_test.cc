// Reading the log back: any range, while others write, and never a wrong record.

#include "tests/unit/log/damage_fixture.h"

#include <atomic>
#include <thread>

namespace {

using WalReadTest = FilledLog;
using WalReadDamagedTest = DamagedLog;

TEST_F(WalReadTest, ReadsAnyRange) {
  ASSERT_EQ(CX_OK, wal_.Open());
  AppendSome(20, 1000);
  for (uint64_t from = 1; from <= 20; from++) {
    for (uint64_t to = from - 1; to <= 20; to++) {
      Records records;
      ASSERT_EQ(CX_OK, wal_.Read(from, to, &records));
      EXPECT_EQ(Records(appended_.begin() + (from - 1), appended_.begin() + to), records);
    }
  }
}

TEST_F(WalReadTest, StopsReadingWhenToldTo) {
  ASSERT_EQ(CX_OK, wal_.Open());
  ASSERT_EQ(CX_OK, wal_.Append({"one", "two", "three"}));
  int calls = 0;
  cx_status status = wal_.log->ops->read(
      wal_.log, 1, 3,
      [](void *arg, const cx_log_record *record) {
        ++*static_cast<int *>(arg);
        return record->revision == 2 ? CX_CANCELLED : CX_OK;
      },
      &calls);
  EXPECT_EQ(CX_CANCELLED, status);
  EXPECT_EQ(2, calls);
}

TEST_F(WalReadTest, ReadsAndPreparesWhileItAppends) {
  ASSERT_EQ(CX_OK, wal_.Open());
  std::atomic<bool> stop{false};
  std::thread preparing([&] {
    while (!stop) EXPECT_EQ(CX_OK, wal_.Prepare());
  });
  std::thread reading([&] {
    Wal *wal = &wal_;
    while (!stop) {
      uint64_t count = 0;
      uint64_t tail = wal->Tail().revision;
      EXPECT_EQ(CX_OK, wal->log->ops->read(
                           wal->log, 1, tail,
                           [](void *arg, const cx_log_record *record) {
                             EXPECT_EQ(++*static_cast<uint64_t *>(arg), record->revision);
                             return CX_OK;
                           },
                           &count));
      EXPECT_EQ(tail, count);
    }
  });
  for (int i = 0; i < 300; i++) {
    std::string payload = Payload(504, i);
    while (wal_.log->ops->admit(wal_.log, 504) == CX_REASON_OVERLOADED) std::this_thread::yield();
    Batch batch(static_cast<uint64_t>(i) + 1, {payload});
    cx_log_position tail;
    ASSERT_EQ(CX_OK, wal_.log->ops->append(wal_.log, wal_.Tail(), batch.get(), &tail));
    appended_.push_back(payload);
  }
  stop = true;
  preparing.join();
  reading.join();
  EXPECT_EQ(appended_, wal_.ReadAll());
}

TEST_F(WalReadDamagedTest, RefusesARecordThatDecaysWhileTheLogIsOpen) {
  Fill(5);
  Flip(LogName(1), At(2) + 100);
  Records records;
  EXPECT_EQ(CX_DATA_LOSS, wal_.Read(1, 5, &records));
  EXPECT_EQ(First(2), records);
}

}  // namespace
