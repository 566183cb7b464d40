// What opening a log makes of what a crash, a failing medium or a person has left in
// its directory: it cuts what was torn, refuses what is damaged, and changes nothing
// then.

#include "tests/unit/log/damage_fixture.h"

namespace {

using WalRecoveryTest = DamagedLog;

// ---- Torn or damaged. ----------------------------------------------------------

TEST_F(WalRecoveryTest, CutsATornLastBatch) {
  Fill(5);
  wal_.Close(false);
  Flip(LogName(1), At(4) + 100);
  ExpectWhole(4);
}

TEST_F(WalRecoveryTest, ReportsHowMuchWasTorn) {
  Fill(5);
  wal_.Close(false);
  Flip(LogName(1), At(4) + 100);
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_EQ(kFrame, wal_.report.torn_bytes);
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_EQ(0u, wal_.report.torn_bytes);
}

TEST_F(WalRecoveryTest, RefusesDamageThatALaterBatchProves) {
  Fill(5);
  wal_.Close(false);
  Flip(LogName(1), At(3) + 100);
  ExpectDamage(1, At(3));
  EXPECT_EQ("context-3, context-4", Detail(wal_.error, "contexts"));
}

TEST_F(WalRecoveryTest, RefusesDamageToTheLastBatchOfALogThatWasClosed) {
  Fill(5);
  wal_.Close(true);
  Flip(LogName(1), At(4) + 100);
  ExpectDamage(1, At(4));
}

TEST_F(WalRecoveryTest, RefusesDamageInASegmentBehindWhichTheLogGoesOn) {
  Fill(9);  // Eight in the first segment, one in the second.
  wal_.Close(false);
  Flip(LogName(1), At(6) + 100);
  ExpectDamage(1, At(6));
}

TEST_F(WalRecoveryTest, RefusesASegmentWithoutItsEndWhenTheNextWasBegun) {
  Fill(9);
  wal_.Close(false);
  Flip(LogName(1), At(7) + 100);             // The last record of the first segment, and
  Flip(LogName(2), CX_SEGMENT_HEADER_SIZE);  // the only one of the second.
  ExpectDamage(1, At(7));
}

TEST_F(WalRecoveryTest, RefusesALostMarkInFrontOfAWholeRecord) {
  Fill(3);
  wal_.Close(true);
  Fill(1);
  wal_.Close(false);
  Flip(LogName(1), At(3) + 4);
  ExpectDamage(1, At(3));
}

TEST_F(WalRecoveryTest, CutsABatchTornInAFreshSegment) {
  Fill(9);
  wal_.Close(false);
  Flip(LogName(2), At(0) + 100);
  ExpectWhole(8);
}

TEST_F(WalRecoveryTest, NeverBringsBackWhatItCut) {
  Fill(2);
  std::string one = Payload(2), two = Payload(3);
  ASSERT_EQ(CX_OK, wal_.Append({one, two}));
  wal_.Close(false);
  Flip(LogName(1), At(2) + 100);  // The first of the batch; the second is whole.
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_EQ(2u, wal_.Tail().revision);
  // The same bytes again: with them, the left-over would chain.
  ASSERT_EQ(CX_OK, wal_.Append({one}));
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_EQ(3u, wal_.Tail().revision);
}

TEST_F(WalRecoveryTest, DoesNotCountOnWhatAFailedSyncHasLeftInTheCache) {
  {
    Wal wal(disk_);
    ASSERT_EQ(CX_OK, wal.Open());
    ASSERT_EQ(CX_OK, wal.Append({"durable"}));
    sim_disk_set_sync_loss(disk_, SIM_SYNC_KEPT);
    sim_disk_fail(disk_, 2, CX_UNAVAILABLE);  // The sync behind the write.
    ASSERT_EQ(CX_UNAVAILABLE, wal.Append({"in the cache alone"}));
  }
  sim_disk_kill(disk_);
  {
    Wal wal(disk_);
    ASSERT_EQ(CX_OK, wal.Open());
    EXPECT_EQ(1u, wal.report.tail.revision);
    ASSERT_EQ(CX_OK, wal.Append({"told"}));
  }
  sim_disk_power_off(disk_);
  sim_disk_restart(disk_, &sim_survive_none);
  Wal wal(disk_);
  ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
  EXPECT_EQ((Records{"durable", "told"}), wal.ReadAll());
}

TEST_F(WalRecoveryTest, CutsAgainWhatAFailedSyncOfTheZerosHasLeft) {
  constexpr uint64_t kLarge = 65536;  // Its pages are written one by one.
  {
    Wal wal(disk_, kLarge);
    ASSERT_EQ(CX_OK, wal.Open());
    ASSERT_EQ(CX_OK, wal.Append({"durable"}));
    sim_disk_crash(disk_, 1);
    ASSERT_EQ(CX_UNAVAILABLE, wal.Append({std::string(6000, 'a'), std::string(6000, 'b')}));
  }
  // The beginning of the batch is lost, its second record is there.
  sim_survival survival = {};
  survival.piece_size = 512;
  survival.piece = [](void *, size_t, size_t, size_t piece, size_t) { return piece > 0; };
  sim_disk_restart(disk_, &survival);
  sim_disk_set_sync_loss(disk_, SIM_SYNC_KEPT);
  uint64_t nth = 1;
  cx_status status;
  do {  // Every operation of a start fails once, the sync of the zeros among them.
    Wal wal(disk_, kLarge);
    sim_disk_fail(disk_, nth++, CX_UNAVAILABLE);
    status = wal.Open();
  } while (status != CX_OK);
  {
    Wal wal(disk_, kLarge);
    sim_disk_fail(disk_, 0, CX_OK);
    ASSERT_EQ(CX_OK, wal.Open());
    ASSERT_EQ(CX_OK, wal.Append({"told"}));
  }
  sim_disk_power_off(disk_);
  sim_disk_restart(disk_, &sim_survive_none);
  Wal wal(disk_, kLarge);
  ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
  EXPECT_EQ((Records{"durable", "told"}), wal.ReadAll());
}

TEST_F(WalRecoveryTest, TakesNoBytesOfAValueForARecord) {
  // The same log, id and salt included, lived on: its records would prove a fourth one.
  SimDisk other_disk;
  Wal other(other_disk);
  ASSERT_EQ(CX_OK, other.Open());
  for (size_t i = 0; i < 7; i++) ASSERT_EQ(CX_OK, other.Append({Payload(i)}));
  size_t size;
  const uint8_t *data = sim_disk_content(other_disk, LogName(1).c_str(), &size);
  std::string records(data + At(4), data + At(6));

  // A client puts them into a value, whose batch is torn.
  Fill(3);
  ASSERT_EQ(CX_OK, wal_.Append({records}));
  wal_.Close(false);
  Flip(LogName(1), At(3) + 8);
  ExpectWhole(3);
}

TEST_F(WalRecoveryTest, TakesRecordsThatAreNotInAValueAsProof) {
  // The counterpart: in their place, the same bytes do prove the fourth record.
  SimDisk other_disk;
  Wal other(other_disk);
  ASSERT_EQ(CX_OK, other.Open());
  for (size_t i = 0; i < 7; i++) ASSERT_EQ(CX_OK, other.Append({Payload(i)}));
  size_t size;
  const uint8_t *data = sim_disk_content(other_disk, LogName(1).c_str(), &size);
  Fill(3);
  wal_.Close(false);
  Damage(1, At(5), std::string(data + At(5), data + At(6)));
  ExpectDamage(1, At(3));
}

TEST_F(WalRecoveryTest, TakesNoRecordOfAnotherUseOfTheFile) {
  // Two logs with the same records, lengths and times: only id and salt differ.
  Fill(4);
  wal_.Close(false);
  Files files = Snapshot();
  SimDisk other_disk;
  Wal other(other_disk);
  CountingRandom random;
  random.state = 99;
  other.options.random = &random.base;
  ASSERT_EQ(CX_OK, other.Open());
  ASSERT_EQ(CX_OK, other.Append({Payload(0)}));
  ASSERT_EQ(CX_OK, other.Append({Payload(1)}));
  other.Close(false);
  sim_disk_damage(other_disk, LogName(1).c_str(), At(2),
                  BytesOf(files[LogName(1)].substr(At(2), 2 * kFrame)));
  ASSERT_EQ(CX_OK, other.Open());
  EXPECT_EQ(First(2), other.ReadAll());
}

TEST_F(WalRecoveryTest, CutsWhateverAnUnwrittenTailHolds) {
  Fill(3);
  wal_.Close(false);
  Damage(1, 4096 - 8, "12345678");
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_EQ(4096 - At(3), wal_.report.torn_bytes);
  ExpectWhole(3);
}

TEST_F(WalRecoveryTest, EveryByteMatters) {
  for (bool clean : {false, true}) {
    SCOPED_TRACE(clean);
    SimDisk pristine;
    Records records;
    {
      Wal wal(pristine, 1024);
      ASSERT_EQ(CX_OK, wal.Open());
      for (int i = 0; i < 12; i++) {
        records.push_back(Payload(static_cast<size_t>(i), 200));
        ASSERT_EQ(CX_OK, wal.Append({records.back()}));
      }
      ASSERT_EQ(CX_OK, wal.Prepare());
      wal.Close(clean);
    }
    size_t refused = 0, cut = 0, whole = 0;
    for (uint64_t number = 1; number <= 5; number++) {
      for (uint64_t offset = 0; offset < 1024; offset++) {
        SCOPED_TRACE(LogName(number) + " at " + std::to_string(offset));
        SimDisk disk(sim_disk_copy(pristine));
        size_t size;
        const uint8_t *data = sim_disk_content(disk, LogName(number).c_str(), &size);
        ASSERT_NE(nullptr, data);
        uint8_t flipped = data[offset] ^ static_cast<uint8_t>(1u << (offset % 8));
        sim_disk_damage(disk, LogName(number).c_str(), offset, {&flipped, 1});
        Wal wal(disk, 1024);
        cx_status status = wal.Open();
        if (status != CX_OK) {
          ASSERT_EQ(CX_DATA_LOSS, status) << wal.error.message;
          // A byte in a segment that was only prepared shows the one before to be cut off.
          bool prepared = number > 3 && offset >= CX_SEGMENT_HEADER_SIZE;
          ASSERT_EQ(LogName(prepared ? 3 : number), Detail(wal.error, "file"));
          refused++;
          continue;
        }
        Records read = wal.ReadAll();
        ASSERT_GE(read.size() + (clean ? 0 : 1), records.size());
        ASSERT_EQ(Records(records.begin(), records.begin() + read.size()), read);
        (read.size() == records.size() ? whole : cut)++;
      }
    }
    EXPECT_GT(refused, 2000u);
    EXPECT_EQ(clean ? 0u : 200u, cut) << "the last batch only";
    EXPECT_GT(whole, 300u) << "the unused rest";
  }
}

TEST_F(WalRecoveryTest, RefusesSegmentsOfTwoHistories) {
  // Two copies of a log went on differently, and somebody mixes their files.
  Fill(9);
  wal_.Close(true);
  SimDisk other_disk;
  Wal other(other_disk);
  ASSERT_EQ(CX_OK, other.Open());
  for (size_t i = 0; i < 9; i++) {
    ASSERT_EQ(CX_OK, other.Append({i == 7 ? Payload(99) : Payload(i)}));
  }
  other.Close(true);
  size_t size;
  const uint8_t *data = sim_disk_content(other_disk, LogName(2).c_str(), &size);
  sim_disk_put(disk_, LogName(2).c_str(), {data, size});
  ExpectDamage(2, At(0));
}

TEST_F(WalRecoveryTest, BeginsNoLogOnAFullDisk) {
  sim_disk_set_capacity(disk_, 1000);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, wal_.Open());
  EXPECT_EQ(CX_REASON_STORAGE_FULL, wal_.error.reason);
  EXPECT_EQ(Files{}, Snapshot());
  sim_disk_set_capacity(disk_, 5000);
  EXPECT_EQ(CX_OK, wal_.Open());
  EXPECT_TRUE(wal_.report.created);
}

TEST_F(WalRecoveryTest, OpensOnAFullDisk) {
  Fill(3);
  wal_.Close(false);
  sim_disk_set_capacity(disk_, 0);
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_EQ(appended_, wal_.ReadAll());
}

}  // namespace
