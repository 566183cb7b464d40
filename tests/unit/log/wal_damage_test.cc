// A damage that is accepted: the log goes on in front of it, in a new epoch, and nothing
// is deleted. (That no crash on the way gets in between is in wal_crash_test.cc.)

#include "tests/unit/log/damage_fixture.h"

namespace {

using WalDamageTest = DamagedLog;

TEST_F(WalDamageTest, GoesOnInANewEpochWhenTheLossIsAccepted) {
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
  for (const std::string &part :
       {LogName(2), "offset " + std::to_string(At(3)), std::string("context-11"),
        std::string("revision 11"), std::string("up to 30")}) {
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

TEST_F(WalDamageTest, KeepsTheEpochOverManySegments) {
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

TEST_F(WalDamageTest, AcceptsEveryKindOfDamage) {
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

TEST_F(WalDamageTest, NamesAsManyContextsAsFitAndSaysThatThereAreMore) {
  ASSERT_EQ(CX_OK, wal_.Open());
  for (char c = 'a'; c < 'i'; c++) {
    ASSERT_EQ(CX_OK, wal_.Append({std::string(200, c) + std::string(248, ' ')}));
  }
  Flip(LogName(1), At(2) + 400);
  ExpectDamage(1, At(2));
  EXPECT_EQ(std::string(200, 'c') + ", " + std::string(200, 'd') + " and more",
            Detail(wal_.error, "contexts"));
  wal_.options.describe = nullptr;
  ExpectDamage(1, At(2));
  EXPECT_EQ("", Detail(wal_.error, "contexts"));
}

TEST_F(WalDamageTest, RefusesADamagedSegmentThatWasToReplaceOthers) {
  Fill(10);
  wal_.Close(true);
  const std::string accept = "accept-0000000000000002";
  sim_disk_put(disk_, accept.c_str(), BytesOf("short"));
  for (bool accepts : {false, true}) {
    wal_.options.accept_data_loss = accepts;
    ExpectRefused(CX_DATA_LOSS, accept);
    EXPECT_EQ(CX_REASON_DAMAGED, wal_.error.reason);
    EXPECT_EQ(accept, Detail(wal_.error, "file"));
  }
  sim_disk_remove(disk_, accept.c_str());
  ExpectWhole(10);
}

TEST_F(WalDamageTest, IsAnotherLogWhenNothingTellsWhichItWas) {
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

}  // namespace
