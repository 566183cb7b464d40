// Reading the log back: any range, while others write, and never a wrong record.

#include "tests/unit/log/damage_fixture.h"

#include <atomic>
#include <thread>

namespace {

using WalReadTest = FilledLog;
using WalReadDamagedTest = DamagedLog;

void ExpectReadsAnyRange(Wal *wal, const Records &all) {
  for (uint64_t from = 1; from <= all.size(); from++) {
    for (uint64_t to = from - 1; to <= all.size(); to++) {
      Records records;
      ASSERT_EQ(CX_OK, wal->Read(from, to, &records));
      ASSERT_EQ(Records(all.begin() + (from - 1), all.begin() + to), records);
    }
  }
}

TEST_F(WalReadTest, ReadsAnyRange) {
  ASSERT_EQ(CX_OK, wal_.Open());
  AppendSome(20, 1000);
  ExpectReadsAnyRange(&wal_, appended_);
}

// Some segments have milestones, others none, and one has them from its middle on.
TEST_F(WalReadTest, ReadsAnyRangeWhereverThereWasNoMemoryForMilestones) {
  wal_.time_of = [](uint64_t revision) { return static_cast<int64_t>(revision) * CX_SECOND_US; };
  ASSERT_EQ(CX_OK, wal_.Open());
  fail_nth fail;
  AppendSome(5, 1000, &fail);
  AppendSome(16, 1000);
  AppendSome(10, 1000, &fail);
  AppendSome(5, 1000);
  ExpectReadsAnyRange(&wal_, appended_);
}

// Reads from every revision on, a random number of records.
void ExpectReadsFromEverywhere(Wal *wal, RandomRecords *made) {
  const Records &all = made->payloads;
  ASSERT_EQ(all, wal->ReadAll());
  for (size_t from = 1; from <= all.size(); from++) {
    size_t to = std::min(all.size(), from + made->random() % 40);
    Records records;
    ASSERT_EQ(CX_OK, wal->Read(from, to, &records));
    ASSERT_EQ(Records(all.begin() + (from - 1), all.begin() + to), records) << from;
  }
}

TEST(WalReadRandomTest, ReadsTheSameFromEveryRevision) {
  for (unsigned seed = 1; seed <= 2; seed++) {
    for (uint64_t segment_size : {80 * CX_KIB, 1 * CX_MIB}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", segments of " +
                   std::to_string(segment_size));
      SimDisk disk;
      Wal wal(disk, segment_size);
      RandomRecords made(seed, 400);
      ASSERT_EQ(CX_OK, wal.Open());
      made.AppendTo(&wal);
      ASSERT_NO_FATAL_FAILURE(ExpectReadsFromEverywhere(&wal, &made));
      wal.Close(seed % 2 == 0);
      ASSERT_EQ(CX_OK, wal.Open());
      ASSERT_NO_FATAL_FAILURE(ExpectReadsFromEverywhere(&wal, &made));
    }
  }
}

// A log of one segment of 1,000 records of 1 KiB.
class WalReadLongTest : public testing::Test {
 protected:
  void Fill(fail_nth *fail = nullptr) {
    ASSERT_EQ(CX_OK, wal_.Open());
    for (int i = 0; i < 1000; i++) ASSERT_EQ(CX_OK, wal_.Append({kPayload}, fail));
  }

  // The bytes that the disk is asked for to read these.
  uint64_t BytesRead(uint64_t from, uint64_t to) {
    uint64_t before = sim_disk_counts(disk_).bytes_read;
    Records records;
    EXPECT_EQ(CX_OK, wal_.Read(from, to, &records));
    EXPECT_EQ(to - from + 1, records.size());
    return sim_disk_counts(disk_).bytes_read - before;
  }

  const std::string kPayload = std::string(1024 - CX_LOG_HEADER_SIZE, 'x');
  SimDisk disk_;
  Wal wal_{disk_, 2 * CX_MIB};
};

TEST_F(WalReadLongTest, ReadsNotMuchMoreThanWhatIsWanted) {
  Fill();
  for (bool reopen : {false, true}) {
    if (reopen) {
      ASSERT_EQ(CX_OK, wal_.Open());
    }
    for (uint64_t from : {1, 64, 65, 500, 900, 991}) {
      EXPECT_LE(BytesRead(from, from + 9), 192 * CX_KIB) << from;
      EXPECT_LE(BytesRead(from, 1000), (1000 - from) * CX_KIB + 192 * CX_KIB) << from;
    }
  }
}

TEST_F(WalReadLongTest, ReadsTheWholeSegmentWhereThereWasNoMemoryForMilestones) {
  fail_nth fail;
  Fill(&fail);
  EXPECT_GE(BytesRead(900, 910), 900 * CX_KIB);
  EXPECT_LE(BytesRead(1, 10), 192 * CX_KIB);
  ASSERT_EQ(CX_OK, wal_.Append({kPayload}));
  EXPECT_LE(BytesRead(1001, 1001), 192 * CX_KIB) << "there is memory again";
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

// Appends one after the other while others read from anywhere, and ask what is retained.
TEST_F(WalReadTest, ReadsFromAnywhereWhileItAppends) {
  RandomRecords made(7, 600);
  SimDisk disk;
  Wal wal(disk, 96 * CX_KIB);
  wal.time_of = made.time_of();
  ASSERT_EQ(CX_OK, wal.Open());
  std::atomic<bool> stop{false};
  auto read = [&](unsigned seed) {
    std::mt19937 random(seed);
    while (!stop) {
      uint64_t tail = wal.Tail().revision;
      if (tail == 0) continue;
      using Next = std::pair<uint64_t, const RandomRecords *>;
      Next next = {1 + random() % tail, &made};
      EXPECT_EQ(CX_OK, wal.log->ops->read(
                           wal.log, next.first, tail,
                           [](void *arg, const cx_log_record *record) {
                             auto *next = static_cast<Next *>(arg);
                             EXPECT_EQ(next->first++, record->revision);
                             EXPECT_EQ(next->second->payloads[record->revision - 1].size(),
                                       record->payload.size);
                             return CX_OK;
                           },
                           &next));
      EXPECT_EQ(tail + 1, next.first);
      cx_log_retained retained = wal.log->ops->retained(wal.log, INT64_MIN, random() % 1000000);
      EXPECT_LE(retained.first, wal.Tail().revision);
    }
  };
  std::thread one(read, 1), other(read, 2);
  made.AppendTo(&wal);
  stop = true;
  one.join();
  other.join();
  EXPECT_EQ(made.payloads, wal.ReadAll());
}

TEST_F(WalReadDamagedTest, RefusesARecordThatDecaysWhileTheLogIsOpen) {
  Fill(5);
  Flip(LogName(1), At(2) + 100);
  Records records;
  EXPECT_EQ(CX_DATA_LOSS, wal_.Read(1, 5, &records));
  EXPECT_EQ(First(2), records);
}

TEST_F(WalReadDamagedTest, ReadsAnyRangeAfterALossWasAccepted) {
  Fill(20);
  wal_.Close(true);
  Flip(LogName(2), At(3) + 100);
  wal_.options.accept_data_loss = true;
  ASSERT_EQ(CX_OK, wal_.Open());
  appended_.resize(11);
  ExpectReadsAnyRange(&wal_, appended_);
}

TEST_F(WalReadDamagedTest, RefusesAFileThatWasCutWhileTheLogIsOpen) {
  Fill(5);
  size_t size;
  const uint8_t *data = sim_disk_content(disk_, LogName(1).c_str(), &size);
  std::string cut(data, data + At(3) + 8);
  sim_disk_put(disk_, LogName(1).c_str(), BytesOf(cut));
  Records records;
  EXPECT_EQ(CX_DATA_LOSS, wal_.Read(1, 5, &records));
  EXPECT_EQ(First(3), records);
}

// Two logs have the same place for their second record, but another one in front of it.
TEST_F(WalReadDamagedTest, RefusesAValidRecordThatDoesNotFollowTheOneBeforeItsMilestone) {
  SimDisk other_disk;
  Wal other(other_disk);
  for (Wal *wal : {&wal_, &other}) {
    wal->time_of = [](uint64_t revision) { return static_cast<int64_t>(revision) * CX_SECOND_US; };
    ASSERT_EQ(CX_OK, wal->Open());
    ASSERT_EQ(CX_OK, wal->Append({wal == &other ? "other" : "first"}));
    ASSERT_EQ(CX_OK, wal->Append({"second"}));
  }
  size_t size;
  const uint8_t *data = sim_disk_content(other_disk, LogName(1).c_str(), &size);
  std::string content(data, data + size);
  Records records;
  EXPECT_EQ(CX_OK, wal_.Read(2, 2, &records));
  sim_disk_put(disk_, LogName(1).c_str(), BytesOf(content));
  EXPECT_EQ(CX_DATA_LOSS, wal_.Read(2, 2, &records));
}

}  // namespace
