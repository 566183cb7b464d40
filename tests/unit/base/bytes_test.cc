// What runs of bytes and growing buffers promise in bytes.h.

extern "C" {
#include "core/base/bytes.h"
#include "core/base/memory.h"
#include "tests/support/fail_nth.h"
}

#include <gtest/gtest.h>

#include <string>

namespace {

cx_bytes Bytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

TEST(BytesTest, OrderByTheirBytesAndAPrefixComesFirst) {
  const std::string ordered[] = {
      "", std::string(1, '\0'), "a", "a" + std::string(1, '\0'), "aa", "b", "\x7f", "\x80", "\xff"};
  const size_t count = sizeof ordered / sizeof ordered[0];

  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < count; j++) {
      int order = cx_bytes_compare(Bytes(ordered[i]), Bytes(ordered[j]));
      EXPECT_EQ(i < j, order < 0);
      EXPECT_EQ(i > j, order > 0);
      EXPECT_EQ(i == j, cx_bytes_equal(Bytes(ordered[i]), Bytes(ordered[j])));
    }
  }
}

TEST(BytesTest, KnowTheirPrefixes) {
  EXPECT_TRUE(cx_bytes_has_prefix(Bytes("abc"), Bytes("")));
  EXPECT_TRUE(cx_bytes_has_prefix(Bytes("abc"), Bytes("abc")));
  EXPECT_FALSE(cx_bytes_has_prefix(Bytes("abc"), Bytes("abcd")));
  EXPECT_FALSE(cx_bytes_has_prefix(Bytes("abc"), Bytes("b")));
  EXPECT_TRUE(cx_bytes_has_prefix({nullptr, 0}, {nullptr, 0}));
}

TEST(BytesTest, OfACStringHaveNoNulAndOfNullAreEmpty) {
  EXPECT_TRUE(cx_bytes_equal(Bytes("abc"), cx_bytes_of("abc")));
  EXPECT_EQ(0u, cx_bytes_of(nullptr).size);
}

TEST(BytesTest, ArePutBehindEachOther) {
  uint8_t memory[8] = {};
  uint8_t *at = memory;
  cx_bytes first = cx_bytes_put(&at, Bytes("abc"));
  cx_bytes none = cx_bytes_put(&at, {nullptr, 0});
  cx_bytes second = cx_bytes_put(&at, Bytes("de"));
  EXPECT_EQ(memory, first.data);
  EXPECT_EQ(memory + 3, none.data);
  EXPECT_EQ(memory + 3, second.data);
  EXPECT_EQ(memory + 5, at);
  EXPECT_TRUE(cx_bytes_equal(Bytes("abc"), first));
  EXPECT_EQ(0u, none.size);
  EXPECT_TRUE(cx_bytes_equal(Bytes("abcde"), {memory, 5}));
  EXPECT_EQ(0, memory[5]);
}

TEST(BufferTest, HoldsWhatWasAppended) {
  int64_t before = cx_memory_used();
  cx_buffer buffer = {};
  std::string expected;

  for (int i = 0; i < 3000; i++) {
    std::string part = std::to_string(i);
    ASSERT_EQ(CX_OK, cx_buffer_append(&buffer, Bytes(part)));
    expected += part;
  }
  ASSERT_EQ(CX_OK, cx_buffer_append(&buffer, {nullptr, 0}));
  EXPECT_TRUE(cx_bytes_equal(Bytes(expected), cx_buffer_bytes(&buffer)));
  cx_buffer_done(&buffer);
  EXPECT_EQ(before, cx_memory_used());
}

TEST(BufferTest, WhatWasReservedNeedsNoMemoryLater) {
  cx_buffer buffer = {};
  fail_nth none;

  ASSERT_EQ(CX_OK, cx_buffer_append(&buffer, Bytes("there")));
  ASSERT_EQ(CX_OK, cx_buffer_reserve(&buffer, 5000));
  fail_nth_begin(&none, 1);
  EXPECT_EQ(CX_OK, cx_buffer_append(&buffer, Bytes(std::string(5000, 'x'))));
  EXPECT_FALSE(fail_nth_end(&none));
  cx_buffer_done(&buffer);
}

TEST(BufferTest, IsAsItWasWhenMemoryRunsOut) {
  cx_buffer buffer = {};
  fail_nth fail;

  ASSERT_EQ(CX_OK, cx_buffer_append(&buffer, Bytes("there")));
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_buffer_append(&buffer, Bytes(std::string(5000, 'x'))));
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_buffer_reserve(&buffer, SIZE_MAX - 2));
  EXPECT_TRUE(cx_bytes_equal(Bytes("there"), cx_buffer_bytes(&buffer)));
  cx_buffer_done(&buffer);
}

}  // namespace
