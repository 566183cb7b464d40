// What wire.h promises: what is written is read again, and nothing that is not whole is read.

#include <gtest/gtest.h>

extern "C" {
#include "core/state/wire.h"
#include "tests/support/fail_nth.h"
}

#include "tests/support/requests.h"

namespace {

struct Writer {
  cx_buffer buffer = {};
  cx_wire_writer base = {&buffer, CX_OK};
  ~Writer() { cx_buffer_done(&buffer); }
  std::string text() const { return Text(cx_buffer_bytes(&buffer)); }
};

TEST(WireTest, ReadsTheNumbersThatWereWritten) {
  for (int bit = 0; bit < 64; bit++) {
    for (uint64_t number : {(uint64_t{1} << bit) - 1, uint64_t{1} << bit, UINT64_MAX >> bit}) {
      Writer writer;
      cx_wire_put_number(&writer.base, number);
      cx_wire_put_fixed64(&writer.base, number);
      cx_wire_put_number(&writer.base, number);  // Now there is room for it.
      std::string text = writer.text();
      cx_wire_reader reader = {Bytes(text), false};
      EXPECT_EQ(number, cx_wire_get_number(&reader));
      EXPECT_EQ(number, cx_wire_get_fixed64(&reader));
      EXPECT_EQ(number, cx_wire_get_number(&reader));
      EXPECT_FALSE(reader.bad);
      EXPECT_EQ(0u, reader.rest.size);
    }
  }
}

TEST(WireTest, WritesSevenBitsAByteTheLowestFirst) {
  Writer writer;
  cx_wire_put_number(&writer.base, 300);
  cx_wire_put_bytes(&writer.base, cx_bytes_of("ab"));
  cx_wire_put_fixed64(&writer.base, 1);
  EXPECT_EQ(std::string("\xac\x02\x02"
                        "ab\x01\0\0\0\0\0\0\0",
                        13),
            writer.text());
}

TEST(WireTest, ReadsNothingBehindWhatIsNotWhole) {
  Writer writer;
  cx_wire_put_number(&writer.base, 70000);
  cx_wire_put_bytes(&writer.base, cx_bytes_of("content"));
  cx_wire_put_fixed64(&writer.base, 7);
  std::string whole = writer.text();
  for (size_t size = 0; size < whole.size(); size++) {
    std::string cut = whole.substr(0, size);
    cx_wire_reader reader = {Bytes(cut), false};
    cx_wire_get_number(&reader);
    cx_wire_get_bytes(&reader);
    EXPECT_EQ(0u, cx_wire_get_fixed64(&reader)) << size;
    EXPECT_TRUE(reader.bad) << size;
    EXPECT_EQ(0u, cx_wire_get_number(&reader));
    EXPECT_EQ(0u, cx_wire_get_bytes(&reader).size);
  }
}

TEST(WireTest, RefusesNumbersOfMoreThan64Bits) {
  std::string most = std::string(9, '\xff') + "\x01";
  std::string more = std::string(9, '\xff') + "\x02";
  std::string longer = std::string(10, '\xff') + "\x01";
  cx_wire_reader reader = {Bytes(most), false};
  EXPECT_EQ(UINT64_MAX, cx_wire_get_number(&reader));
  for (const std::string &text : {more, longer}) {
    reader = {Bytes(text), false};
    EXPECT_EQ(0u, cx_wire_get_number(&reader));
    EXPECT_TRUE(reader.bad);
  }
}

TEST(WireTest, KeepsTheFirstFailure) {
  struct fail_nth fail;
  Writer writer;
  std::string large(100000, 'x');
  cx_wire_put_number(&writer.base, 1);
  fail_nth_begin(&fail, 1);
  cx_wire_put_bytes(&writer.base, Bytes(large));
  fail_nth_end(&fail);
  for (uint64_t number : {2, 200}) cx_wire_put_number(&writer.base, number);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, writer.base.status);
  EXPECT_EQ("\x01", writer.text()) << "also where there is room";
}

}  // namespace
