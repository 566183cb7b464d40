// A log whose files tests damage, and what it must make of them.

#ifndef CX_TESTS_UNIT_LOG_DAMAGE_FIXTURE_H
#define CX_TESTS_UNIT_LOG_DAMAGE_FIXTURE_H

#include "tests/unit/log/wal_fixture.h"

#include <map>

using Files = std::map<std::string, std::string>;

class DamagedLog : public testing::Test {
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
    wal_.Close(false);
    int64_t used = cx_memory_used();
    ASSERT_EQ(CX_DATA_LOSS, wal_.Open());
    EXPECT_EQ(used, cx_memory_used());
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

#endif  // CX_TESTS_UNIT_LOG_DAMAGE_FIXTURE_H
