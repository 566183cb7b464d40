// What opening a log makes of the names and headers in its directory: files that are
// missing, too many, of another log, of a newer format, or refused by the disk.

#include "tests/unit/log/damage_fixture.h"

namespace {

using WalListTest = DamagedLog;

TEST_F(WalListTest, RefusesANewerFormat) {
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

TEST_F(WalListTest, RefusesAFileOfAnotherLog) {
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

TEST_F(WalListTest, RefusesAMissingSegment) {
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

TEST_F(WalListTest, RefusesAllMissingBehindAnEndMark) {
  Fill(30);
  wal_.Close(true);
  for (const auto &file : Snapshot()) {
    if (file.first > LogName(2)) sim_disk_remove(disk_, file.first.c_str());
  }
  ExpectDamage(3, 0);
}

TEST_F(WalListTest, RefusesACopyUnderAnotherNumber) {
  Fill(9);
  wal_.Close(true);
  Files files = Snapshot();
  sim_disk_put(disk_, LogName(2).c_str(), BytesOf(files[LogName(1)]));
  ExpectDamage(2, 0);
}

TEST_F(WalListTest, RefusesNamesThatAreAlmostRight) {
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

TEST_F(WalListTest, RefusesAFileThatIsTooShortOrTooLong) {
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

TEST_F(WalListTest, RemovesLeftOversOfAPreparation) {
  Fill(3);
  wal_.Close(false);
  sim_disk_put(disk_, "new-0000000000000002", BytesOf("half"));
  sim_disk_put(disk_, "new-0000000000000007", BytesOf(""));
  ExpectWhole(3);
  EXPECT_EQ(0u, Snapshot().count("new-0000000000000002"));
  EXPECT_EQ(0u, Snapshot().count("new-0000000000000007"));
}

TEST_F(WalListTest, SaysWhatTheDiskRefused) {
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

}  // namespace
