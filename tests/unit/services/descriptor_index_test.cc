// Files and symbols of a descriptor set: what server/services/descriptor_index.h
// promises.

#include <gtest/gtest.h>

#include <string>

extern "C" {
#include "server/services/descriptor_index.h"
#include "tests/support/fail_nth.h"
}

namespace {

// Wire format by hand: a length-delimited field.
std::string Field(int number, const std::string &value) {
  std::string field(1, static_cast<char>(number << 3 | 2));
  size_t size = value.size();
  for (; size >= 0x80; size >>= 7) field += static_cast<char>(size | 0x80);
  return field + static_cast<char>(size) + value;
}

std::string Named(const std::string &name) { return Field(1, name); }

// b.proto imports a.proto, c.proto imports both.
std::string Set() {
  std::string nested = Field(3, Named("Inner") + Field(4, Named("Kind")));
  std::string a =
      Named("a.proto") + Field(2, "p") + Field(4, Named("A") + nested) + Field(5, Named("Color"));
  std::string b = Named("b.proto") + Field(2, "p") + Field(3, "a.proto") +
                  Field(6, Named("S") + Field(2, Named("Call")));
  std::string c = Named("c.proto") + Field(3, "a.proto") + Field(3, "b.proto") +
                  Field(4, Named("C")) + Field(4, Named(std::string(200, 'L')));
  return Field(1, a) + Field(1, b) + Field(1, c);
}

class DescriptorIndexTest : public testing::Test {
 protected:
  cx_status Build() {
    return cx_descriptor_index_new({reinterpret_cast<const uint8_t *>(set_.data()), set_.size()},
                                   &index_);
  }

  void TearDown() override { cx_descriptor_index_free(index_); }

  std::string FileOf(const std::string &symbol) {
    const cx_descriptor_file *file = cx_descriptor_index_symbol(index_, symbol.c_str());
    return file != nullptr ? file->name : "";
  }

  const std::string set_ = Set();
  cx_descriptor_index *index_ = nullptr;
};

TEST_F(DescriptorIndexTest, FindsWhatAFileDeclares) {
  ASSERT_EQ(CX_OK, Build());
  for (const char *symbol : {"p.A", "p.A.Inner", "p.A.Inner.Kind", "p.Color"}) {
    EXPECT_EQ("a.proto", FileOf(symbol)) << symbol;
  }
  EXPECT_EQ("b.proto", FileOf("p.S"));
  EXPECT_EQ("b.proto", FileOf("p.S.Call"));
  EXPECT_EQ("c.proto", FileOf("C"));
  EXPECT_EQ("c.proto", FileOf(std::string(200, 'L')));
  for (const char *symbol : {"", "p", "A", "p.", "p.A.", "p.S.Other", ".p.A"}) {
    EXPECT_EQ("", FileOf(symbol)) << symbol;
  }
}

TEST_F(DescriptorIndexTest, GivesAFileAndEachImportOnce) {
  ASSERT_EQ(CX_OK, Build());
  EXPECT_EQ(1u, cx_descriptor_index_file(index_, "a.proto")->closure_count);
  EXPECT_EQ(2u, cx_descriptor_index_file(index_, "b.proto")->closure_count);
  const cx_descriptor_file *c = cx_descriptor_index_file(index_, "c.proto");
  ASSERT_EQ(3u, c->closure_count);
  EXPECT_EQ(Named("c.proto"), std::string(reinterpret_cast<char *>(c->closure[0].data), 9));
  EXPECT_EQ(nullptr, cx_descriptor_index_file(index_, "d.proto"));
}

TEST_F(DescriptorIndexTest, FailsCleanlyWithoutMemory) {
  fail_nth fail;
  for (size_t nth = 1;; nth++) {
    fail_nth_begin(&fail, nth);
    cx_status status = Build();
    if (!fail_nth_end(&fail)) break;
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status) << nth;
    EXPECT_EQ(nullptr, index_);
  }
  EXPECT_EQ("b.proto", FileOf("p.S"));
}

}  // namespace
