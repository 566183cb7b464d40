// What server/rpc/wire_nul.h promises.

extern "C" {
#include "server/rpc/wire_nul.h"
#include "tests/unit/rpc/echo.pb-c.h"
}

#include <gtest/gtest.h>

#include <string>

namespace {

std::string Field(int number, const std::string &bytes) {
  std::string field(1, static_cast<char>(number << 3 | 2));
  for (size_t rest = bytes.size();; rest >>= 7) {
    if (rest < 0x80) {
      field += static_cast<char>(rest);
      return field + bytes;
    }
    field += static_cast<char>(0x80 | (rest & 0x7f));
  }
}

bool HasNul(const std::string &packed) {
  return cx_wire_has_nul(&cx__test__echo_request__descriptor,
                         reinterpret_cast<const uint8_t *>(packed.data()), packed.size());
}

std::string Marked(std::string packed) {
  cx_wire_mark_nul(&cx__test__echo_request__descriptor, reinterpret_cast<uint8_t *>(&packed[0]),
                   packed.size());
  return packed;
}

const std::string kNul("a\0b\0", 4);
const std::string kMarked(
    "a\xff"
    "b\xff",
    4);
const std::string kZero("\x18\x00", 2);  // number: 0

TEST(WireNulTest, FindsAndMarksItInAString) {
  std::string packed = kZero + Field(1, "text") + Field(2, kNul);
  EXPECT_TRUE(HasNul(packed));
  EXPECT_EQ(kZero + Field(1, "text") + Field(2, kMarked), Marked(packed));
}

TEST(WireNulTest, FindsAndMarksItInAMessageWithin) {
  std::string packed = Field(4, Field(1, "a")) + Field(4, kZero + Field(3, kNul)) + Field(1, "b");
  EXPECT_TRUE(HasNul(packed));
  EXPECT_EQ(Field(4, Field(1, "a")) + Field(4, kZero + Field(3, kMarked)) + Field(1, "b"),
            Marked(packed));
}

TEST(WireNulTest, MindsNoneElsewhere) {
  for (const std::string &packed : {std::string(), kZero, Field(1, "text"), Field(15, kNul),
                                    Field(4, Field(9, kNul)), Field(1, "text") + kZero}) {
    EXPECT_FALSE(HasNul(packed));
    EXPECT_EQ(packed, Marked(packed));
  }
}

TEST(WireNulTest, StopsWhereTheMessageIsMalformed) {
  std::string good = kZero + Field(2, kNul);
  for (size_t size = 0; size < good.size(); size++) {
    std::string cut = good.substr(0, size);
    EXPECT_FALSE(HasNul(cut));
    EXPECT_EQ(cut, Marked(cut));
  }
  for (const std::string &bad :
       {std::string("\x0b\x00", 2),  // A group.
        std::string("\x08") + std::string(11, '\xff'),
        std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 12),
        std::string("\x09\x00\x00", 3), std::string("\x0d\x00\x00", 3)}) {
    EXPECT_FALSE(HasNul(bad + Field(2, kNul)));
    EXPECT_EQ(bad + Field(2, kNul), Marked(bad + Field(2, kNul)));
  }
}

TEST(WireNulTest, SkipsNumbersOfEverySize) {
  std::string packed = std::string(
                           "\x09"
                           "12345678"
                           "\x0d"
                           "1234"
                           "\x18\xff\x01",
                           17) +
                       Field(2, kNul);
  EXPECT_TRUE(HasNul(packed));
}

}  // namespace
