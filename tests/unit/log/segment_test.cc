// Files of a log: names, headers, and reading through a window.

#include "tests/unit/log/wal_fixture.h"

namespace {

class SegmentTest : public testing::Test {
 protected:
  ~SegmentTest() override { cx_segment_close(&segment_); }

  void Create(uint64_t size) {
    cx_log_identity identity = {{1, 2, 3}, 4};
    cx_segment_init(&segment_, &identity, 5, size, &random_.base);
    ASSERT_EQ(CX_OK, cx_segment_create(&segment_, sim_disk_base(disk_), "file", true));
  }

  SimDisk disk_;
  CountingRandom random_;
  cx_segment segment_ = {};
};

TEST_F(SegmentTest, NamesSortAsTheirNumbers) {
  EXPECT_EQ("log-0000000000000001", LogName(1));
  EXPECT_EQ("log-00000000000000ff", LogName(255));
  EXPECT_EQ("log-ffffffffffffffff", LogName(UINT64_MAX));
}

TEST_F(SegmentTest, ReadsItsOwnNamesAndNoOthers) {
  for (auto kind : {CX_SEGMENT_NAME_LOG, CX_SEGMENT_NAME_NEW, CX_SEGMENT_NAME_ACCEPT}) {
    for (uint64_t number : {uint64_t{1}, uint64_t{0xabcdef}, UINT64_MAX}) {
      char name[CX_SEGMENT_NAME_SIZE];
      enum cx_segment_name kind_read;
      uint64_t number_read;
      cx_segment_name(kind, number, name);
      ASSERT_TRUE(cx_segment_name_parse(name, &kind_read, &number_read));
      EXPECT_EQ(kind, kind_read);
      EXPECT_EQ(number, number_read);
    }
  }
  for (const char *name :
       {"", "log", "log-", "log-1", "log-000000000000000A", "LOCK", "log-00000000000000001",
        "log-000000000000000 ", "old-0000000000000001"}) {
    enum cx_segment_name kind;
    uint64_t number;
    EXPECT_FALSE(cx_segment_name_parse(name, &kind, &number)) << name;
  }
}

TEST_F(SegmentTest, ReadsTheHeaderThatItWrote) {
  Create(2048);
  cx_segment read = {};
  enum cx_segment_header header;
  ASSERT_EQ(CX_OK, cx_segment_open(&read, sim_disk_base(disk_), "file", &header));
  cx_segment_close(&read);
  EXPECT_EQ(CX_SEGMENT_HEADER_GOOD, header);
  EXPECT_EQ(0, std::memcmp(&segment_.identity, &read.identity, sizeof read.identity));
  EXPECT_EQ(5u, read.number);
  EXPECT_EQ(2048u, read.size);
  EXPECT_EQ(segment_.salt, read.salt);
  EXPECT_EQ(segment_.seed, read.seed);
}

TEST_F(SegmentTest, IsDurableAndZeroWhenCreated) {
  Create(2048);
  cx_disk *base = sim_disk_base(disk_);
  ASSERT_EQ(CX_OK, base->ops->sync_directory(base));
  cx_segment_close(&segment_);
  sim_disk_restart(disk_, &sim_survive_none);
  size_t size;
  const uint8_t *data = sim_disk_content(disk_, "file", &size);
  ASSERT_EQ(2048u, size);
  EXPECT_EQ(std::string(2048 - 64, '\0'), std::string(data + 64, data + 2048));
  EXPECT_EQ(0, std::memcmp("CXLOG\r\n\x1a", data, 8));
}

TEST_F(SegmentTest, NoticesEveryBitOfItsHeader) {
  Create(1024);
  for (size_t bit = 0; bit < 8 * CX_SEGMENT_HEADER_SIZE; bit++) {
    SimDisk disk(sim_disk_copy(disk_));
    sim_disk_restart(disk, &sim_survive_all);
    size_t size;
    uint8_t flipped = sim_disk_content(disk, "file", &size)[bit / 8];
    flipped ^= static_cast<uint8_t>(1u << bit % 8);
    sim_disk_damage(disk, "file", bit / 8, {&flipped, 1});
    cx_segment read = {};
    enum cx_segment_header header;
    ASSERT_EQ(CX_OK, cx_segment_open(&read, sim_disk_base(disk), "file", &header));
    EXPECT_EQ(CX_SEGMENT_HEADER_BAD, header) << bit;
    cx_segment_close(&read);
  }
}

TEST_F(SegmentTest, EachUseHasASaltOfItsOwn) {
  cx_log_identity identity = {{1, 2, 3}, 4};
  cx_segment one, two;
  cx_segment_init(&one, &identity, 5, 1024, &random_.base);
  cx_segment_init(&two, &identity, 5, 1024, &random_.base);
  EXPECT_NE(one.salt, two.salt);
  EXPECT_NE(one.seed, two.seed);
}

TEST_F(SegmentTest, FindsNoFrameThatEndsBehindTheSegment) {
  Create(1024);
  cx_window window = {};
  for (size_t payload_size : {size_t{880}, size_t{881}}) {  // A frame of 920 and one of 928.
    std::string frame(cx_log_frame_size(payload_size), '\0');
    auto *bytes = reinterpret_cast<uint8_t *>(&frame[0]);
    cx_log_frame_begin(bytes, 1, 1000, payload_size);
    cx_record_seal(bytes, segment_.seed, 104, 0, 0);
    ASSERT_EQ(CX_OK, segment_.file->ops->write(segment_.file, 104, BytesOf(frame)));
    cx_record record;
    const uint8_t *found;
    cx_window_reset(&window);
    ASSERT_EQ(CX_OK, cx_segment_frame(&segment_, &window, 104, &record, &found));
    EXPECT_EQ(payload_size == 880, found != nullptr) << payload_size;
    ASSERT_EQ(CX_OK, cx_segment_frame(&segment_, &window, 1024 - 32, &record, &found));
    EXPECT_EQ(nullptr, found) << "no room for a header";
  }
  cx_window_done(&window);
}

TEST_F(SegmentTest, WindowGivesEveryPieceOfALargeFile) {
  Create(3 * CX_SEGMENT_WINDOW + 512);
  std::string content(segment_.size, '\0');
  for (size_t i = 0; i < content.size(); i++) content[i] = static_cast<char>(i * 31 >> 7);
  ASSERT_EQ(CX_OK, segment_.file->ops->write(segment_.file, 0, BytesOf(content)));
  cx_window window = {};
  for (size_t size : {size_t{1}, size_t{40}, size_t{CX_SEGMENT_WINDOW}, size_t{2500000}}) {
    for (uint64_t offset = 0; offset + size <= content.size(); offset += 99991) {
      const uint8_t *data;
      ASSERT_EQ(CX_OK, cx_window_at(&window, &segment_, offset, size, &data));
      ASSERT_EQ(0, std::memcmp(content.data() + offset, data, size));
    }
  }
  const uint8_t *data;
  EXPECT_EQ(CX_OUT_OF_RANGE, cx_window_at(&window, &segment_, content.size() - 3, 4, &data));
  cx_window_done(&window);
}

}  // namespace
