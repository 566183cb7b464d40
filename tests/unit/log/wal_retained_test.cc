// What a retention by age and bytes keeps, held against a look at every record.

#include "tests/unit/log/wal_fixture.h"

namespace {

cx_log_retained Retained(Wal *wal, int64_t since_us, uint64_t bytes_max) {
  return wal->log->ops->retained(wal->log, since_us, bytes_max);
}

uint64_t FrameSize(const RandomRecords &made, uint64_t revision) {
  return cx_log_frame_size(made.payloads[revision - 1].size());
}

// The first record that is kept, to the record.
uint64_t Exact(const RandomRecords &made, int64_t since_us, uint64_t bytes_max) {
  uint64_t behind = 0;
  uint64_t first = made.payloads.size() + 1;

  while (first > 1 && made.times_us[first - 2] >= since_us && behind <= bytes_max) {
    first--;
    behind += FrameSize(made, first);
  }
  return first;
}

uint64_t BytesFrom(const RandomRecords &made, uint64_t first, uint64_t end) {
  uint64_t bytes = 0;
  for (uint64_t i = first; i < end; i++) bytes += FrameSize(made, i);
  return bytes;
}

// As kept exactly, or from a milestone before it, behind which there is no other one.
void ExpectRetained(Wal *wal, const RandomRecords &made, int64_t since_us, uint64_t bytes_max) {
  uint64_t end = made.payloads.size() + 1;
  uint64_t exact = Exact(made, since_us, bytes_max);
  cx_log_retained retained = Retained(wal, since_us, bytes_max);

  SCOPED_TRACE("since " + std::to_string(since_us) + ", bytes " + std::to_string(bytes_max));
  ASSERT_LE(retained.first, exact);
  ASSERT_EQ(BytesFrom(made, retained.first, end), retained.bytes);
  if (exact == end) {
    ASSERT_EQ(exact, retained.first);
  } else if (retained.first < exact) {
    EXPECT_LT(made.times_us[exact - 1] - made.times_us[retained.first - 1], CX_SECOND_US);
    EXPECT_LT(BytesFrom(made, retained.first, exact), 64 * CX_KIB);
  }
}

void ExpectRetainedForAll(Wal *wal, RandomRecords *made) {
  uint64_t all = BytesFrom(*made, 1, made->payloads.size() + 1);
  for (int64_t time_us : made->times_us) {
    for (int64_t since_us : {time_us, time_us + 1}) {
      ExpectRetained(wal, *made, since_us, UINT64_MAX);
      ExpectRetained(wal, *made, since_us, made->random() % all);
    }
    ExpectRetained(wal, *made, INT64_MIN, made->random() % all);
  }
  for (size_t i = 1, bytes = 0; i <= 50; i++) {
    bytes += FrameSize(*made, made->payloads.size() + 1 - i);
    ExpectRetained(wal, *made, INT64_MIN, bytes - 1);
    ExpectRetained(wal, *made, INT64_MIN, bytes);
  }
}

TEST(WalRetainedTest, FindsThemAsALookAtEveryRecordDoes) {
  for (unsigned seed = 1; seed <= 4; seed++) {
    for (uint64_t segment_size : {80 * CX_KIB, 256 * CX_KIB, 4 * CX_MIB}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", segments of " +
                   std::to_string(segment_size));
      SimDisk disk;
      Wal wal(disk, segment_size);
      RandomRecords made(seed, 500);
      ASSERT_EQ(CX_OK, wal.Open());
      made.AppendTo(&wal);
      ASSERT_NO_FATAL_FAILURE(ExpectRetainedForAll(&wal, &made));
      wal.Close(seed % 2 == 0);
      ASSERT_EQ(CX_OK, wal.Open());
      ASSERT_NO_FATAL_FAILURE(ExpectRetainedForAll(&wal, &made));
    }
  }
}

TEST(WalRetainedTest, SaysTheSameAfterEveryRestart) {
  SimDisk disk;
  Wal wal(disk, 80 * CX_KIB);
  RandomRecords made(11, 400);
  wal.time_of = made.time_of();
  ASSERT_EQ(CX_OK, wal.Open());
  for (size_t i = 0; i < made.payloads.size(); i++) {
    ASSERT_EQ(CX_OK, wal.Append({made.payloads[i]}));
    if (i % 5 != 0) continue;
    int64_t since_us = made.times_us[made.random() % (i + 1)];
    uint64_t bytes_max = made.random() % 1000000;
    cx_log_retained before = Retained(&wal, since_us, bytes_max);
    wal.Close(i % 2 == 0);
    ASSERT_EQ(CX_OK, wal.Open());
    cx_log_retained after = Retained(&wal, since_us, bytes_max);
    ASSERT_EQ(before.first, after.first);
    ASSERT_EQ(before.bytes, after.bytes);
  }
}

TEST(WalRetainedTest, KeepsNothingOfAnEmptyLog) {
  SimDisk disk;
  Wal wal(disk);
  for (int i = 0; i < 3; i++) {
    ASSERT_EQ(CX_OK, wal.Open());
    for (int64_t since_us : {INT64_MIN, int64_t{0}, INT64_MAX}) {
      cx_log_retained retained = Retained(&wal, since_us, UINT64_MAX);
      EXPECT_EQ(1u, retained.first);
      EXPECT_EQ(0u, retained.bytes);
    }
    wal.Close(i == 1);
  }
}

class WalRetainedSlowTest : public FilledLog {
 protected:
  // Records of 1,000 bytes in the log, each a second after the one before.
  void Fill(int count) {
    wal_.time_of = [](uint64_t revision) { return static_cast<int64_t>(revision) * CX_SECOND_US; };
    ASSERT_EQ(CX_OK, wal_.Open());
    AppendSome(count, 1000);
  }
};

TEST_F(WalRetainedSlowTest, DropsByAgeToTheRecord) {
  Fill(20);
  EXPECT_EQ(1u, Retained(&wal_, 0, UINT64_MAX).first);
  for (uint64_t first = 1; first <= 20; first++) {
    int64_t since_us = static_cast<int64_t>(first) * CX_SECOND_US;
    EXPECT_EQ(first, Retained(&wal_, since_us, UINT64_MAX).first);
    EXPECT_EQ(first, Retained(&wal_, since_us - CX_SECOND_US + 1, UINT64_MAX).first);
    EXPECT_EQ((21 - first) * 1000, Retained(&wal_, since_us, UINT64_MAX).bytes);
  }
  EXPECT_EQ(21u, Retained(&wal_, 20 * CX_SECOND_US + 1, UINT64_MAX).first);
}

TEST_F(WalRetainedSlowTest, KeepsTheNewestBytesAndTheRecordInWhichTheyBegin) {
  Fill(20);
  EXPECT_EQ(20u, Retained(&wal_, 0, 0).first);
  EXPECT_EQ(20u, Retained(&wal_, 0, 999).first);
  EXPECT_EQ(19u, Retained(&wal_, 0, 1000).first);
  EXPECT_EQ(19u, Retained(&wal_, 0, 1999).first);
  EXPECT_EQ(2u, Retained(&wal_, 0, 18999).first);
  EXPECT_EQ(1u, Retained(&wal_, 0, 19000).first);
}

TEST_F(WalRetainedSlowTest, DropsWhatEitherDrops) {
  Fill(20);
  EXPECT_EQ(10u, Retained(&wal_, 10 * CX_SECOND_US, 15000).first);
  EXPECT_EQ(15u, Retained(&wal_, 10 * CX_SECOND_US, 5000).first);
}

TEST_F(WalRetainedSlowTest, SaysNothingOfRecordsThatAreNotDurable) {
  Fill(2);
  Batch batch(3, Records(6, "not stored"), wal_.time_of);
  for (int i = 0; i < 6; i++) ASSERT_EQ(CX_REASON_NONE, wal_.log->ops->admit(wal_.log, 56));
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  cx_log_position tail;
  ASSERT_EQ(CX_UNAVAILABLE, wal_.log->ops->append(wal_.log, wal_.Tail(), batch.get(), &tail));
  EXPECT_EQ(2u, Retained(&wal_, 0, 0).first);
  EXPECT_EQ(1000u, Retained(&wal_, 0, 0).bytes);
  EXPECT_EQ(2u, Retained(&wal_, 2 * CX_SECOND_US, UINT64_MAX).first);
  EXPECT_EQ(3u, Retained(&wal_, 3 * CX_SECOND_US, UINT64_MAX).first);
}

TEST(WalRetainedTest, KeepsMoreWhereThereWasNoMemoryToKnowBetter) {
  SimDisk disk;
  Wal wal(disk, CX_MIB);
  wal.time_of = [](uint64_t revision) { return static_cast<int64_t>(revision) * CX_SECOND_US; };
  ASSERT_EQ(CX_OK, wal.Open());
  fail_nth fail;
  for (uint64_t i = 1; i <= 40; i++) {
    ASSERT_EQ(CX_OK, wal.Append({"one"}, i <= 10 || i > 20 ? &fail : nullptr));
  }
  for (uint64_t first = 1; first <= 40; first++) {
    uint64_t retained =
        Retained(&wal, static_cast<int64_t>(first) * CX_SECOND_US, UINT64_MAX).first;
    EXPECT_LE(retained, first);
    if (first < 11) {
      EXPECT_EQ(1u, retained);
    } else if (first <= 20) {
      EXPECT_EQ(first, retained);
    }
  }
  EXPECT_EQ(41u, Retained(&wal, 41 * CX_SECOND_US, UINT64_MAX).first);
}

}  // namespace
