// The log over a disk and a memory that refuse: each operation of the disk once, and
// each allocation from some point on. Nothing that was acknowledged is lost, what was
// refused is told, and the log ends when its promises could not hold any more.

#include "tests/unit/log/wal_fixture.h"

extern "C" {
#include "tests/support/fail_nth.h"
}

namespace {

constexpr uint64_t kSegment = 1024;

std::string Payload(size_t number) {
  std::string text = "record " + std::to_string(number) + " ";
  text.resize(150, static_cast<char>('a' + number % 26));
  return text;
}

// What became of a run.
struct Outcome {
  Records appended;  // All that were tried, in order, ...
  size_t acknowledged = 0;
  bool append_failed = false;
  bool open_failed = false;
};

// One batch of two records; false when the log refuses to go on.
bool AppendTwo(Wal *wal, Outcome *outcome) {
  Records batch = {Payload(outcome->appended.size()), Payload(outcome->appended.size() + 1)};
  for (const std::string &payload : batch) {
    cx_reason reason = wal->Admit(payload);
    if (reason != CX_REASON_NONE) return false;
  }
  outcome->appended.insert(outcome->appended.end(), batch.begin(), batch.end());
  cx_log_position prev = wal->Tail();
  Batch frames(prev.revision + 1, batch);
  cx_log_position tail;
  cx_status status = wal->log->ops->append(wal->log, prev, frames.get(), &tail);
  outcome->append_failed = status != CX_OK;
  if (status == CX_OK) {
    outcome->acknowledged = outcome->appended.size();
  } else {
    EXPECT_EQ(CX_UNAVAILABLE, status) << "whatever the disk said";
  }
  return status == CX_OK;
}

// Opens a log that holds something, fills three segments, and closes it.
Outcome RunScript(Wal *wal, const Outcome &before) {
  Outcome outcome = before;
  cx_status status = wal->Open();
  if (status != CX_OK) {
    outcome.open_failed = true;
    EXPECT_NE('\0', wal->error.message[0]);
    return outcome;
  }
  for (int i = 0; i < 5 && AppendTwo(wal, &outcome); i++) {
    if (wal->Prepare() == CX_UNAVAILABLE) break;
  }
  return outcome;
}

// A disk with four records and a torn tail.
Outcome MakeLog(sim_disk *disk) {
  Outcome outcome;
  Wal wal(disk, kSegment);
  EXPECT_EQ(CX_OK, wal.Open());
  EXPECT_TRUE(AppendTwo(&wal, &outcome) && AppendTwo(&wal, &outcome));
  wal.Close(false);
  uint8_t torn[48];
  std::memset(torn, 0x5a, sizeof torn);
  sim_disk_damage(disk, LogName(1).c_str(), 64 + 4 * 192 + 16, {torn, sizeof torn});
  return outcome;
}

void ExpectHolds(sim_disk *disk, const Outcome &outcome) {
  Wal wal(disk, kSegment);
  ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
  Records read = wal.ReadAll();
  ASSERT_GE(read.size(), outcome.acknowledged);
  ASSERT_LE(read.size(), outcome.appended.size());
  ASSERT_EQ(Records(outcome.appended.begin(), outcome.appended.begin() + read.size()), read);
}

TEST(WalFaultTest, SurvivesTheFailureOfAnyOperationOfTheDisk) {
  for (cx_status failure : {CX_UNAVAILABLE, CX_RESOURCE_EXHAUSTED, CX_PERMISSION_DENIED}) {
    for (const sim_survival *survival : {&sim_survive_none, &sim_survive_all}) {
      for (uint64_t nth = 1;; nth++) {
        SCOPED_TRACE("operation " + std::to_string(nth) + " fails with " + std::to_string(failure));
        SimDisk disk;
        Outcome before = MakeLog(disk);
        uint64_t operations = sim_disk_counts(disk).operations;
        Outcome outcome;
        sim_disk_fail(disk, nth, failure);
        {
          Wal wal(disk, kSegment);
          outcome = RunScript(&wal, before);
          wal.Close(true);
        }
        if (sim_disk_counts(disk).operations - operations < nth) {
          ASSERT_EQ(14u, outcome.acknowledged);
          ASSERT_GT(nth, 50u);
          break;
        }
        sim_disk_restart(disk, survival);
        ASSERT_NO_FATAL_FAILURE(ExpectHolds(disk, outcome));
      }
    }
  }
}

TEST(WalFaultTest, BeginsALogWhateverFailedTheFirstTime) {
  for (uint64_t nth = 1;; nth++) {
    SCOPED_TRACE(nth);
    SimDisk disk;
    Wal wal(disk, kSegment);
    sim_disk_fail(disk, nth, CX_UNAVAILABLE);
    if (wal.Open() == CX_OK) {
      ASSERT_GT(nth, 5u);
      break;
    }
    ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
    ASSERT_EQ(CX_OK, wal.Append({"one"}));
  }
}

TEST(WalFaultTest, AcceptsNothingMoreAfterAFailedAppend) {
  for (uint64_t nth : {1, 2}) {  // The write and the sync.
    for (cx_status failure : {CX_UNAVAILABLE, CX_RESOURCE_EXHAUSTED}) {
      SimDisk disk;
      Wal wal(disk, kSegment);
      Outcome outcome;
      ASSERT_EQ(CX_OK, wal.Open());
      ASSERT_TRUE(AppendTwo(&wal, &outcome));
      ASSERT_EQ(CX_REASON_NONE, wal.log->ops->admit(wal.log, 192));
      sim_disk_fail(disk, nth, failure);
      Batch batch(3, {Payload(2)});
      cx_log_position tail = {77, 77};
      cx_log_position prev = wal.Tail();
      ASSERT_EQ(CX_UNAVAILABLE, wal.log->ops->append(wal.log, prev, batch.get(), &tail));
      EXPECT_EQ(77u, tail.revision);

      sim_counts before = sim_disk_counts(disk);
      Batch again(3, {Payload(2)});
      EXPECT_EQ(CX_UNAVAILABLE, wal.log->ops->append(wal.log, prev, again.get(), &tail));
      EXPECT_EQ(CX_REASON_STORAGE_FAILED, wal.log->ops->admit(wal.log, 192));
      EXPECT_EQ(CX_UNAVAILABLE, wal.Prepare());
      EXPECT_EQ(2u, wal.Tail().revision);
      wal.Close(true);
      sim_counts after = sim_disk_counts(disk);
      EXPECT_EQ(before.operations, after.operations) << "the disk is left alone";
    }
  }
}

TEST(WalFaultTest, EndsWhenAPreparationFails) {
  for (uint64_t nth = 1;; nth++) {
    SCOPED_TRACE(nth);
    SimDisk disk;
    Wal wal(disk, kSegment);
    ASSERT_EQ(CX_OK, wal.Open());
    sim_disk_fail(disk, nth, CX_UNAVAILABLE);
    if (wal.Prepare() == CX_OK) {
      ASSERT_GT(nth, 5u);
      break;
    }
    EXPECT_EQ(CX_REASON_STORAGE_FAILED, wal.log->ops->admit(wal.log, 192));
    ASSERT_EQ(CX_OK, wal.Open());
    EXPECT_EQ(CX_OK, wal.Prepare());
  }
}

TEST(WalFaultTest, GoesOnWhenAPreparationFoundNoRoomAnywhere) {
  for (uint64_t nth = 1; nth <= 5; nth++) {  // Open, allocate, two writes, the sync.
    SCOPED_TRACE(nth);
    SimDisk disk;
    Wal wal(disk, kSegment);
    Outcome outcome;
    ASSERT_EQ(CX_OK, wal.Open());
    sim_disk_fail(disk, nth, CX_RESOURCE_EXHAUSTED);
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, wal.Prepare());
    EXPECT_EQ(2u, sim_disk_file_count(disk)) << "nothing is left behind";
    for (int i = 0; i < 10; i++) ASSERT_TRUE(AppendTwo(&wal, &outcome));
    EXPECT_EQ(outcome.appended, wal.ReadAll());
  }
}

TEST(WalFaultTest, SurvivesTheFailureOfAnyAllocation) {
  int64_t used = cx_memory_used();
  for (size_t nth = 1;; nth++) {
    SCOPED_TRACE("allocation " + std::to_string(nth) + " and later ones fail");
    SimDisk disk;
    Outcome outcome = MakeLog(disk);
    fail_nth fail;
    fail_nth_begin(&fail, nth);
    {
      Wal wal(disk, kSegment);
      outcome = RunScript(&wal, outcome);
      if (wal.log == nullptr) {
        EXPECT_EQ(CX_RESOURCE_EXHAUSTED,
                  wal.error.reason == CX_REASON_NONE ? CX_OK : cx_reason_status(wal.error.reason));
      } else {
        Records records;
        cx_status status = wal.Read(1, wal.Tail().revision, &records);
        EXPECT_TRUE(status == CX_OK || status == CX_RESOURCE_EXHAUSTED);
      }
      wal.Close(true);
    }
    bool failed = fail_nth_end(&fail);
    EXPECT_FALSE(outcome.append_failed) << "appending needs no memory";
    EXPECT_EQ(used, cx_memory_used());
    ASSERT_NO_FATAL_FAILURE(ExpectHolds(disk, outcome));
    if (!failed) {
      ASSERT_GE(nth, 5u);
      break;
    }
  }
}

TEST(WalFaultTest, TellsDamageEvenWithoutMemory) {
  for (size_t nth = 1;; nth++) {
    SCOPED_TRACE(nth);
    SimDisk disk;
    MakeLog(disk);
    sim_disk_damage(disk, LogName(1).c_str(), 64 + 192 + 50, BytesOf("damage"));
    fail_nth fail;
    fail_nth_begin(&fail, nth);
    Wal wal(disk, kSegment);
    cx_status status = wal.Open();
    if (!fail_nth_end(&fail)) {
      EXPECT_EQ(CX_DATA_LOSS, status);
      break;
    }
    EXPECT_TRUE(status == CX_RESOURCE_EXHAUSTED || status == CX_DATA_LOSS);
  }
}

}  // namespace
