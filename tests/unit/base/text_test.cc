// What text from outside may be: text.h.

extern "C" {
#include "core/base/text.h"
}

#include <gtest/gtest.h>

#include <string>

namespace {

cx_bytes Bytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

std::string Utf8(uint32_t point) {
  auto tail = [&](int shift) { return static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0 | point >> 6), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xe0 | point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | point >> 18), tail(12), tail(6), tail(0)};
}

TEST(TextTest, IsUtf8ForEveryCharacterButTheSurrogates) {
  for (uint32_t point = 0; point < 0x110000; point++) {
    bool surrogate = point >= 0xd800 && point < 0xe000;
    ASSERT_EQ(!surrogate, cx_text_is_utf8(Bytes("a" + Utf8(point) + "z"))) << point;
  }
}

TEST(TextTest, IsNotUtf8WhenMalformed) {
  for (const char *text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xc3", "\xc3(",
                           "\xe2\x82", "\xf0\x9f\x98", "\xed\xa0\x80"}) {
    EXPECT_FALSE(cx_text_is_utf8(cx_bytes_of(text))) << text;
    EXPECT_FALSE(cx_text_is_utf8(Bytes(std::string("ok") + text))) << text;
  }
  EXPECT_TRUE(cx_text_is_utf8({nullptr, 0}));
}

TEST(TextTest, WholeSizeEndsBehindTheLastWholeCharacter) {
  std::string text = "a" + Utf8(0xe4) + Utf8(0x20ac) + Utf8(0x1f600);
  const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};

  for (size_t size = 0; size <= text.size(); size++) {
    EXPECT_EQ(whole[size], cx_text_whole_size(Bytes(text.substr(0, size)))) << size;
  }
}

TEST(TextTest, NamesHaveNoControlCharactersAndKeepTheirSize) {
  for (uint32_t point = 0; point < 0x120; point++) {
    bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
    const char *rule = cx_name_check(Bytes("a" + Utf8(point)), 1, 10);
    EXPECT_EQ(control, rule != nullptr) << point;
  }
  EXPECT_EQ(nullptr, cx_name_check(Bytes("abc"), 3, 3));
  EXPECT_NE(nullptr, cx_name_check(Bytes(""), 1, 3));
  EXPECT_NE(nullptr, cx_name_check(Bytes("abcd"), 1, 3));
  EXPECT_NE(nullptr, cx_name_check(Bytes("\xff"), 1, 3));
  EXPECT_EQ(nullptr, cx_name_check(Bytes(""), 0, 3));
}

TEST(TextTest, NamespacesAreLowerCaseNamesThatBeginWithALetterOrDigit) {
  for (const char *good : {"default", "a", "0", "team-1.prod_eu"}) {
    EXPECT_EQ(nullptr, cx_namespace_check(cx_bytes_of(good))) << good;
  }
  for (const char *bad : {"", "-a", ".a", "_a", "A", "a b", "a/b", "\xc3\xa4"}) {
    EXPECT_NE(nullptr, cx_namespace_check(cx_bytes_of(bad))) << bad;
  }
  EXPECT_EQ(nullptr, cx_namespace_check(Bytes(std::string(63, 'a'))));
  EXPECT_NE(nullptr, cx_namespace_check(Bytes(std::string(64, 'a'))));
}

TEST(TextTest, FreeTextIsUtf8WithoutNul) {
  EXPECT_EQ(nullptr, cx_text_check(Bytes("two\nlines"), 9));
  EXPECT_NE(nullptr, cx_text_check(Bytes("two\nlines"), 8));
  EXPECT_NE(nullptr, cx_text_check(Bytes(std::string("a\0b", 3)), 9));
  EXPECT_NE(nullptr, cx_text_check(Bytes("\xff"), 9));
  EXPECT_EQ(nullptr, cx_text_check({nullptr, 0}, 0));
}

}  // namespace
