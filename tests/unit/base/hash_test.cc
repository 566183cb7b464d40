// The hashes against published values: they are stable over machines and releases.

extern "C" {
#include "core/base/hash.h"
}

#include <gtest/gtest.h>

#include <vector>

namespace {

uint32_t Crc(const std::vector<uint8_t> &bytes) { return cx_crc32c(0, bytes.data(), bytes.size()); }

TEST(HashTest, Crc32cIsThatOfRfc3720) {
  std::vector<uint8_t> up;
  for (uint8_t i = 0; i < 32; i++) up.push_back(i);

  EXPECT_EQ(0x8a9136aau, Crc(std::vector<uint8_t>(32, 0)));
  EXPECT_EQ(0x62a8ab43u, Crc(std::vector<uint8_t>(32, 0xff)));
  EXPECT_EQ(0x46dd794eu, Crc(up));
  EXPECT_EQ(0xe3069283u, cx_crc32c(0, "123456789", 9));
  EXPECT_EQ(0u, cx_crc32c(0, nullptr, 0));
}

TEST(HashTest, Crc32cGoesOnWhereItStopped) {
  const char *digits = "123456789";

  for (size_t first = 0; first <= 9; first++) {
    uint32_t crc = cx_crc32c(0, digits, first);
    EXPECT_EQ(0xe3069283u, cx_crc32c(crc, digits + first, 9 - first));
  }
}

TEST(HashTest, Xxh3IsThatOfItsSpecification) {
  cx_bytes nothing = {nullptr, 0};

  EXPECT_EQ(0x2d06800538d394c2u, cx_hash64(nothing, 0));
  EXPECT_EQ(0x6001c324468d497fu, cx_hash128(nothing, 0).low);
  EXPECT_EQ(0x99aa06d3014798d8u, cx_hash128(nothing, 0).high);
}

TEST(HashTest, SeedsAndBytesChangeIt) {
  EXPECT_EQ(cx_hash64(cx_bytes_of("abc"), 1), cx_hash64(cx_bytes_of("abc"), 1));
  EXPECT_NE(cx_hash64(cx_bytes_of("abc"), 1), cx_hash64(cx_bytes_of("abc"), 2));
  EXPECT_NE(cx_hash64(cx_bytes_of("abc"), 1), cx_hash64(cx_bytes_of("abd"), 1));
  EXPECT_NE(cx_hash128(cx_bytes_of("abc"), 1).high, cx_hash128(cx_bytes_of("abc"), 2).high);
}

}  // namespace
