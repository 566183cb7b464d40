// What opening a log makes of what a crash, a failing medium or a person has left in
// its directory: it cuts what was torn, refuses what is damaged, and changes nothing
// then; and goes on behind a damage when it is told to.

#include "tests/unit/log/wal_fixture.h"

#include <map>

namespace {

using Files = std::map<std::string, std::string>;

class WalRecoveryTest : public testing::Test {
 protected:
  static constexpr size_t kFrame = 488;  // Eight of them fill a segment.

  static std::string Payload(size_t number, size_t frame_size = kFrame) {
    std::string text = "context-" + std::to_string(number) + " ";
    text.resize(frame_size - CX_LOG_HEADER_SIZE, static_cast<char>('a' + number % 26));
    return text;
  }

  // A log of `count` records, one batch each.
  void Fill(size_t count) {
    ASSERT_EQ(CX_OK, wal_.Open());
    for (size_t i = 0; i < count; i++) {
      appended_.push_back(Payload(appended_.size()));
      ASSERT_EQ(CX_OK, wal_.Append({appended_.back()}));
    }
  }

  // What the directory holds but for the lock.
  Files Snapshot() {
    std::vector<std::string> names;
    cx_disk *base = sim_disk_base(disk_);
    EXPECT_EQ(CX_OK, base->ops->list(
                         base,
                         [](void *arg, const char *name) {
                           static_cast<std::vector<std::string> *>(arg)->push_back(name);
                         },
                         &names));
    Files files;
    for (const std::string &name : names) {
      size_t size;
      const uint8_t *data = sim_disk_content(disk_, name.c_str(), &size);
      if (name != "LOCK") files[name] = std::string(data, data + size);
    }
    return files;
  }

  void Damage(uint64_t number, uint64_t offset, const std::string &bytes) {
    sim_disk_damage(disk_, LogName(number).c_str(), offset, BytesOf(bytes));
  }

  // Changes one byte, whatever it was.
  void Flip(const std::string &name, uint64_t offset, uint8_t mask = 0x10) {
    size_t size;
    const uint8_t *data = sim_disk_content(disk_, name.c_str(), &size);
    ASSERT_LT(offset, size);
    uint8_t flipped = data[offset] ^ mask;
    sim_disk_damage(disk_, name.c_str(), offset, {&flipped, 1});
  }

  // The offset of the n-th record of a segment, from 0.
  static uint64_t At(size_t n) { return CX_SEGMENT_HEADER_SIZE + n * kFrame; }

  Records First(size_t count) { return Records(appended_.begin(), appended_.begin() + count); }

  void ExpectRefused(cx_status status, const std::string &text) {
    Files before = Snapshot();
    EXPECT_EQ(status, wal_.Open());
    EXPECT_NE(std::string::npos, std::string(wal_.error.message).find(text))
        << wal_.error.message;
    EXPECT_EQ(before, Snapshot()) << "nothing was changed";
  }

  void ExpectDamage(uint64_t number, uint64_t offset) {
    Files before = Snapshot();
    ASSERT_EQ(CX_DATA_LOSS, wal_.Open());
    EXPECT_EQ(CX_REASON_DAMAGED, wal_.error.reason);
    EXPECT_EQ(LogName(number), Detail(wal_.error, "file"));
    EXPECT_EQ(std::to_string(offset), Detail(wal_.error, "offset"));
    EXPECT_EQ(before, Snapshot()) << "nothing was changed";
  }

  // The log opens with the first `count` records, and takes more.
  void ExpectWhole(size_t count) {
    ASSERT_EQ(CX_OK, wal_.Open()) << wal_.error.message;
    ASSERT_EQ(First(count), wal_.ReadAll());
    ASSERT_EQ(CX_OK, wal_.Append({"more"}));
    ASSERT_EQ(CX_OK, wal_.Open()) << wal_.error.message;
    Records expected = First(count);
    expected.push_back("more");
    ASSERT_EQ(expected, wal_.ReadAll());
  }

  SimDisk disk_;
  Wal wal_{disk_};
  Records appended_;
};

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
  Flip(LogName(1), At(7) + 100);            // The last record of the first segment, and
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

// ---- Names and headers. --------------------------------------------------------

TEST_F(WalRecoveryTest, RefusesANewerFormat) {
  Fill(3);
  wal_.Close(true);
  size_t size;
  const uint8_t *data = sim_disk_content(disk_, LogName(1).c_str(), &size);
  std::string header(data, data + CX_SEGMENT_HEADER_SIZE);
  header[8] = 2;
  header.replace(12, 4, 4, '\0');
  uint32_t crc = cx_crc32c(0, header.data(), header.size());
  std::memcpy(&header[12], &crc, sizeof crc);
  Damage(1, 0, header);
  ExpectRefused(CX_FAILED_PRECONDITION, "newer contextd");
  wal_.options.accept_data_loss = true;
  ExpectRefused(CX_FAILED_PRECONDITION, "newer contextd");
}

TEST_F(WalRecoveryTest, RefusesAFileOfAnotherLog) {
  Fill(9);
  wal_.Close(true);
  SimDisk other_disk;
  Wal other(other_disk);
  CountingRandom random;
  random.state = 99;
  other.options.random = &random.base;
  ASSERT_EQ(CX_OK, other.Open());
  for (size_t i = 0; i < 9; i++) ASSERT_EQ(CX_OK, other.Append({Payload(i)}));
  size_t size;
  const uint8_t *data = sim_disk_content(other_disk, LogName(2).c_str(), &size);
  sim_disk_put(disk_, LogName(2).c_str(), {data, size});
  ExpectRefused(CX_FAILED_PRECONDITION, "another log");
}

TEST_F(WalRecoveryTest, RefusesAMissingSegment) {
  Fill(30);
  wal_.Close(true);
  Files files = Snapshot();
  for (uint64_t number = 1; number <= 4; number++) {
    std::string name = LogName(number);
    sim_disk_remove(disk_, name.c_str());
    ExpectDamage(number, 0);
    EXPECT_NE(nullptr, std::strstr(wal_.error.message, "is missing"));
    sim_disk_put(disk_, name.c_str(), BytesOf(files[name]));
  }
  ExpectWhole(30);
}

TEST_F(WalRecoveryTest, RefusesAllMissingBehindAnEndMark) {
  Fill(30);
  wal_.Close(true);
  for (const auto &file : Snapshot()) {
    if (file.first > LogName(2)) sim_disk_remove(disk_, file.first.c_str());
  }
  ExpectDamage(3, 0);
}

TEST_F(WalRecoveryTest, RefusesACopyUnderAnotherNumber) {
  Fill(9);
  wal_.Close(true);
  Files files = Snapshot();
  sim_disk_put(disk_, LogName(2).c_str(), BytesOf(files[LogName(1)]));
  ExpectDamage(2, 0);
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

TEST_F(WalRecoveryTest, RefusesNamesThatAreAlmostRight) {
  Fill(3);
  wal_.Close(true);
  for (const char *name : {"log-000000000000000A", "log-2", "log-0000000000000001.bak",
                           "log-00000000000000001", "log-0000000000000000", "log-"}) {
    sim_disk_put(disk_, name, BytesOf("anything"));
    ExpectRefused(CX_FAILED_PRECONDITION, name);
    sim_disk_remove(disk_, name);
  }
  for (const char *name : {"lost+found", "notes.txt", "lost-0", "LOG-1"}) {
    sim_disk_put(disk_, name, BytesOf("anything"));
  }
  ExpectWhole(3);
}

TEST_F(WalRecoveryTest, RefusesAFileThatIsTooShortOrTooLong) {
  Fill(9);
  wal_.Close(true);
  Files files = Snapshot();
  for (size_t size : {size_t{0}, size_t{63}, size_t{64}, size_t{4000}, size_t{5000}}) {
    SCOPED_TRACE(size);
    std::string content = files[LogName(1)];
    content.resize(size);
    sim_disk_put(disk_, LogName(1).c_str(), BytesOf(content));
    ExpectDamage(1, 0);
  }
}

TEST_F(WalRecoveryTest, RemovesLeftOversOfAPreparation) {
  Fill(3);
  wal_.Close(false);
  sim_disk_put(disk_, "new-0000000000000002", BytesOf("half"));
  sim_disk_put(disk_, "new-0000000000000007", BytesOf(""));
  ExpectWhole(3);
  EXPECT_EQ(0u, Snapshot().count("new-0000000000000002"));
  EXPECT_EQ(0u, Snapshot().count("new-0000000000000007"));
}

TEST_F(WalRecoveryTest, SaysWhatTheDiskRefused) {
  Fill(3);
  wal_.Close(false);
  struct {
    cx_status disk, open;
    const char *text;
  } cases[] = {
      {CX_PERMISSION_DENIED, CX_PERMISSION_DENIED, "rights"},
      {CX_UNAVAILABLE, CX_UNAVAILABLE, "failed"},
      {CX_RESOURCE_EXHAUSTED, CX_RESOURCE_EXHAUSTED, "no space"},
  };
  for (const std::string &name : {LogName(1), std::string("LOCK")}) {
    for (const auto &each : cases) {
      sim_disk_refuse(disk_, name.c_str(), each.disk);
      ExpectRefused(each.open, each.text);
      EXPECT_NE(nullptr, std::strstr(wal_.error.message, name.c_str()));
    }
  }
  sim_disk_refuse(disk_, nullptr, CX_OK);
  ExpectWhole(3);
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

// ---- Damage that is accepted. ---------------------------------------------------

TEST_F(WalRecoveryTest, GoesOnInANewEpochWhenTheLossIsAccepted) {
  Fill(30);
  wal_.Close(true);
  cx_log_identity before = wal_.report.identity;
  Flip(LogName(2), At(3) + 100);  // Record 12 of 30.
  ExpectDamage(2, At(3));
  Files files = Snapshot();

  wal_.options.accept_data_loss = true;
  ASSERT_EQ(CX_OK, wal_.Open()) << wal_.error.message;
  EXPECT_TRUE(wal_.report.data_lost);
  EXPECT_EQ(11u, wal_.report.tail.revision);
  EXPECT_EQ(before.epoch + 1, wal_.report.identity.epoch);
  EXPECT_EQ(0, std::memcmp(before.log_id, wal_.report.identity.log_id, sizeof before.log_id));
  for (const std::string &part : {LogName(2), "offset " + std::to_string(At(3)),
                                  std::string("context-11"), std::string("revision 11"),
                                  std::string("up to 30")}) {
    EXPECT_NE(nullptr, std::strstr(wal_.report.data_loss, part.c_str())) << wal_.report.data_loss;
  }
  EXPECT_EQ(First(11), wal_.ReadAll());
  ASSERT_EQ(CX_OK, wal_.Append({"more"}));

  // What was there is set aside, byte for byte.
  Files after = Snapshot();
  for (const auto &file : files) {
    if (file.first == LogName(1)) continue;
    std::string lost = "lost-0000000000000002-" + file.first.substr(4);
    EXPECT_EQ(file.second, after[lost]) << lost;
  }

  wal_.options.accept_data_loss = false;
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_FALSE(wal_.report.data_lost);
  EXPECT_EQ(before.epoch + 1, wal_.report.identity.epoch);
  EXPECT_EQ(12u, wal_.Tail().revision);
}

TEST_F(WalRecoveryTest, KeepsTheEpochOverManySegments) {
  Fill(30);
  wal_.Close(true);
  Flip(LogName(1), At(3) + 100);
  wal_.options.accept_data_loss = true;
  ASSERT_EQ(CX_OK, wal_.Open());
  appended_.resize(3);
  Fill(30);
  Fill(0);
  EXPECT_EQ(2u, wal_.report.identity.epoch);
  EXPECT_EQ(appended_, wal_.ReadAll());
  wal_.Close(true);

  Flip(LogName(2), At(2) + 100);
  ASSERT_EQ(CX_OK, wal_.Open());
  EXPECT_EQ(3u, wal_.report.identity.epoch);
}

TEST_F(WalRecoveryTest, AcceptsEveryKindOfDamage) {
  for (uint64_t number = 1; number <= 4; number++) {
    for (int kind = 0; kind < 4; kind++) {
      SCOPED_TRACE(std::to_string(number) + " kind " + std::to_string(kind));
      SimDisk disk;
      Wal wal(disk);
      Records records;
      ASSERT_EQ(CX_OK, wal.Open());
      for (size_t i = 0; i < 30; i++) {
        records.push_back(Payload(i));
        ASSERT_EQ(CX_OK, wal.Append({records.back()}));
      }
      wal.Close(true);
      std::string name = LogName(number);
      if (kind == 0) sim_disk_remove(disk, name.c_str());
      if (kind == 1) sim_disk_put(disk, name.c_str(), BytesOf("short"));
      if (kind == 2) sim_disk_damage(disk, name.c_str(), 20, BytesOf("header"));
      if (kind == 3) sim_disk_damage(disk, name.c_str(), At(2), BytesOf("record"));
      ASSERT_EQ(CX_DATA_LOSS, wal.Open());
      wal.options.accept_data_loss = true;
      ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
      size_t whole = (number - 1) * 8 + (kind == 3 ? 2 : 0);
      EXPECT_EQ(Records(records.begin(), records.begin() + whole), wal.ReadAll());
      EXPECT_GE(wal.report.identity.epoch, 2u);
      wal.options.accept_data_loss = false;
      ASSERT_EQ(CX_OK, wal.Append({"more"}));
      ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
      EXPECT_EQ(whole + 1, wal.Tail().revision);
    }
  }
}

TEST_F(WalRecoveryTest, IsAnotherLogWhenNothingTellsWhichItWas) {
  Fill(3);
  cx_log_identity before = wal_.report.identity;
  wal_.Close(true);
  Flip(LogName(1), 0);
  wal_.options.accept_data_loss = true;
  for (uint64_t epoch = 1; epoch <= 2; epoch++) {
    ASSERT_EQ(CX_OK, wal_.Open()) << wal_.error.message;
    EXPECT_EQ(epoch, wal_.report.identity.epoch);
    EXPECT_NE(0, std::memcmp(before.log_id, wal_.report.identity.log_id, sizeof before.log_id));
    EXPECT_EQ(0u, wal_.Tail().revision);
    wal_.Close(true);
    Flip(LogName(1), 0);
  }
  EXPECT_EQ(3u, Snapshot().size()) << "nothing that was set aside was overwritten";
}

TEST_F(WalRecoveryTest, ReadRefusesARecordThatDecaysWhileTheLogIsOpen) {
  Fill(5);
  Flip(LogName(1), At(2) + 100);
  Records records;
  EXPECT_EQ(CX_DATA_LOSS, wal_.Read(1, 5, &records));
  EXPECT_EQ(First(2), records);
}

}  // namespace
