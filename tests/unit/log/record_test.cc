// Frames as bytes: what record.h and log.h promise without a disk.

extern "C" {
#include "core/log/record.h"
}

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

constexpr uint32_t kSeed = 0x1234567;
constexpr uint64_t kOffset = 4096;

std::vector<uint8_t> Frame(const std::string &payload) {
  std::vector<uint8_t> frame(cx_log_frame_size(payload.size()), 0xee);
  std::copy(payload.begin(), payload.end(), frame.begin() + CX_LOG_HEADER_SIZE);
  cx_log_frame_begin(frame.data(), 7, -5, payload.size());
  return frame;
}

std::vector<uint8_t> Sealed(const std::string &payload) {
  std::vector<uint8_t> frame = Frame(payload);
  cx_record_seal(frame.data(), kSeed, kOffset, 0xabcdef, 6);
  return frame;
}

bool IsWhole(const std::vector<uint8_t> &frame, uint32_t seed, uint64_t offset) {
  cx_record record;
  return cx_record_find(frame.data(), seed, offset, &record) &&
         cx_log_frame_size(record.payload_size) == frame.size() &&
         cx_record_verify(frame.data(), seed, offset);
}

TEST(RecordTest, KeepsWhatWasWritten) {
  std::vector<uint8_t> frame = Frame("payload");
  uint32_t crc = cx_record_seal(frame.data(), kSeed, kOffset, 0xabcdef, 6);
  cx_record record;
  ASSERT_TRUE(cx_record_find(frame.data(), kSeed, kOffset, &record));
  EXPECT_EQ(crc, record.crc);
  EXPECT_EQ(0xabcdefu, record.prev_crc);
  EXPECT_EQ(7u, record.payload_size);
  EXPECT_EQ(CX_RECORD_DATA, record.kind);
  EXPECT_EQ(7u, record.revision);
  EXPECT_EQ(-5, record.time_us);
  EXPECT_EQ(6u, record.durable_upto);
  EXPECT_TRUE(cx_record_verify(frame.data(), kSeed, kOffset));
}

TEST(RecordTest, LiesOnDiskAsTheSpecificationSays) {
  std::vector<uint8_t> frame = Sealed("payload");
  EXPECT_EQ(std::vector<uint8_t>({0xef, 0xcd, 0xab, 0, 7, 0, 0, 0, 1}),
            std::vector<uint8_t>(frame.begin() + 4, frame.begin() + 13));
  EXPECT_EQ(std::vector<uint8_t>({7,    0,    0,    0,    0, 0, 0, 0, 0xfb, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 6, 0, 0, 0, 0,    0,    0,    0}),
            std::vector<uint8_t>(frame.begin() + 16, frame.begin() + 40));
}

TEST(RecordTest, NoticesEveryBit) {
  std::vector<uint8_t> frame = Sealed("some payload");
  ASSERT_TRUE(IsWhole(frame, kSeed, kOffset));
  for (size_t bit = 0; bit < 8 * frame.size(); bit++) {
    frame[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_FALSE(IsWhole(frame, kSeed, kOffset)) << bit;
    frame[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
}

TEST(RecordTest, NoticesEveryBitOfAHeaderFromTheHeaderAlone) {
  std::vector<uint8_t> frame = Sealed("some payload");
  for (size_t bit = 8 * sizeof(uint32_t); bit < 8 * CX_LOG_HEADER_SIZE; bit++) {
    frame[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    cx_record record;
    EXPECT_FALSE(cx_record_find(frame.data(), kSeed, kOffset, &record)) << bit;
    frame[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
}

TEST(RecordTest, IsValidInItsPlaceOnly) {
  std::vector<uint8_t> frame = Sealed("some payload");
  EXPECT_FALSE(IsWhole(frame, kSeed + 1, kOffset));
  for (uint64_t offset = 0; offset < 3 * kOffset; offset += CX_LOG_ALIGNMENT) {
    EXPECT_EQ(offset == kOffset, IsWhole(frame, kSeed, offset)) << offset;
  }
}

TEST(RecordTest, ZerosAreNoRecord) {
  std::vector<uint8_t> zeros(CX_LOG_HEADER_SIZE);
  cx_record record;
  for (uint64_t offset = 0; offset < 1 << 20; offset += CX_LOG_ALIGNMENT) {
    EXPECT_FALSE(cx_record_find(zeros.data(), kSeed, offset, &record));
  }
}

}  // namespace
