// What detail.h promises: a detail comes back as it was, and what is none is refused.

#include <gtest/gtest.h>

extern "C" {
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/detail.h"
#include "tests/support/fail_nth.h"
}

#include <random>

#include "tests/support/seed.h"
#include "tests/unit/state/activity_fixture.h"

namespace {

std::string Encode(const cx_detail &detail) {
  cx_buffer buffer = {};
  cx_wire_writer writer = {&buffer, CX_OK};
  cx_detail_put(&writer, &detail);
  EXPECT_EQ(CX_OK, writer.status);
  std::string text = Text(cx_buffer_bytes(&buffer));
  cx_buffer_done(&buffer);
  return text;
}

// False: refused, with an empty detail. What is decoded points into `text`.
bool Decode(const std::string &text, cx_detail *ret_detail, size_t *ret_rest = nullptr) {
  cx_wire_reader reader = {Bytes(text), false};
  memset(ret_detail, 0xff, sizeof *ret_detail);
  cx_detail_get(&reader, ret_detail);
  if (ret_rest != nullptr) *ret_rest = reader.rest.size;
  EXPECT_TRUE(!reader.bad || ret_detail->kind == CX_DETAIL_NONE);
  return !reader.bad;
}

bool Decodes(const cx_detail &detail) {
  cx_detail decoded;
  return Decode(Encode(detail), &decoded);
}

// Some of each kind, with the smallest and the largest of everything.
class Details {
 public:
  Details()
      : path_(CX_FILE_PATH_SIZE_MAX, 'p'),
        name_(CX_MODEL_NAME_SIZE_MAX, 'n'),
        short_(CX_FILE_OPERATION_SIZE_MAX, 's') {
    list.push_back({});
    list.push_back(FileDetail("p"));
    list.push_back(FileDetail("path", "write", "tool"));
    list.push_back(FileDetail(path_.c_str(), short_.c_str(), name_.c_str()));
    list.push_back(ModelDetail("", "", "", "USD"));
    list.push_back(ModelDetail("provider", "model", "mode", "EUR", 200));
    list.push_back(ModelDetail(name_.c_str(), name_.c_str(), name_.c_str(), "ZZZ"));
    list.back().model.input_tokens = list.back().model.output_tokens = UINT64_MAX;
    list.back().model.cached_tokens = list.back().model.cost_micros = UINT64_MAX;
    list.back().model.latency_us = INT64_MAX;
    list.push_back(ResourceDetail("r", "", CX_RESOURCE_ACQUIRED));
    list.push_back(ResourceDetail("r", "type", CX_RESOURCE_RELEASED));
    list.push_back(ResourceDetail(name_.c_str(), short_.c_str(), CX_RESOURCE_RECLAIMED));
  }

  std::vector<cx_detail> list;

 private:
  std::string path_, name_, short_;
};

TEST(DetailTest, ComesBackAsItWas) {
  for (const cx_detail &detail : Details().list) {
    std::string text = Encode(detail);
    EXPECT_LE(text.size(), size_t{CX_DETAIL_SIZE_MAX});
    text += "rest";
    cx_detail decoded;
    size_t rest;
    ASSERT_TRUE(Decode(text, &decoded, &rest));
    EXPECT_TRUE(cx_detail_equal(&detail, &decoded));
    EXPECT_EQ(4u, rest) << "what is behind it stays";
  }
}

TEST(DetailTest, IsRefusedWhenItIsCutShort) {
  for (const cx_detail &detail : Details().list) {
    std::string text = Encode(detail);
    for (size_t size = 0; size < text.size(); size++) {
      cx_detail decoded;
      EXPECT_FALSE(Decode(text.substr(0, size), &decoded)) << size;
    }
  }
}

TEST(DetailTest, IsRefusedWithAKindThatThereIsNot) {
  cx_detail decoded;
  EXPECT_FALSE(Decode(std::string("\x04\x01p\x00\x00", 5), &decoded));
}

TEST(DetailTest, IsRefusedWithANameOfTheWrongSizeOrWithANul) {
  std::string longs[] = {std::string(CX_FILE_PATH_SIZE_MAX + 1, 'x'),
                         std::string(CX_FILE_OPERATION_SIZE_MAX + 1, 'x'),
                         std::string(CX_FILE_SOURCE_SIZE_MAX + 1, 'x'),
                         std::string(CX_MODEL_NAME_SIZE_MAX + 1, 'x'),
                         std::string(CX_RESOURCE_NAME_SIZE_MAX + 1, 'x'),
                         std::string(CX_RESOURCE_TYPE_SIZE_MAX + 1, 'x')};
  EXPECT_FALSE(Decodes(FileDetail("")));
  EXPECT_FALSE(Decodes(FileDetail(longs[0].c_str())));
  EXPECT_FALSE(Decodes(FileDetail("p", longs[1].c_str())));
  EXPECT_FALSE(Decodes(FileDetail("p", "", longs[2].c_str())));
  EXPECT_FALSE(Decodes(ModelDetail(longs[3].c_str(), "", "", "USD")));
  EXPECT_FALSE(Decodes(ModelDetail("", longs[3].c_str(), "", "USD")));
  EXPECT_FALSE(Decodes(ModelDetail("", "", longs[3].c_str(), "USD")));
  for (const char *currency : {"", "US", "USDD"}) {
    EXPECT_FALSE(Decodes(ModelDetail("", "", "", currency)));
  }
  EXPECT_FALSE(Decodes(ResourceDetail("", "", CX_RESOURCE_ACQUIRED)));
  EXPECT_FALSE(Decodes(ResourceDetail(longs[4].c_str(), "", CX_RESOURCE_ACQUIRED)));
  EXPECT_FALSE(Decodes(ResourceDetail("r", longs[5].c_str(), CX_RESOURCE_ACQUIRED)));

  std::string nul("a\0b", 3);
  cx_detail detail = ModelDetail("", "", "", "USD");
  detail.model.model = Bytes(nul);
  EXPECT_FALSE(Decodes(detail));
  detail = FileDetail("p");
  detail.file.path = Bytes(nul);
  EXPECT_FALSE(Decodes(detail));
}

TEST(DetailTest, IsRefusedWithANumberOutOfBounds) {
  EXPECT_FALSE(Decodes(ResourceDetail("r", "", static_cast<cx_resource_step>(0))));
  EXPECT_FALSE(Decodes(ResourceDetail("r", "", static_cast<cx_resource_step>(4))));
  std::string text = Encode(ModelDetail("", "", "", "USD"));
  text.pop_back();
  cx_detail decoded;
  EXPECT_TRUE(Decode(text + "\xff\xff\xff\xff\xff\xff\xff\xff\x7f", &decoded));
  EXPECT_EQ(INT64_MAX, decoded.model.latency_us);
  EXPECT_FALSE(Decode(text + "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", &decoded));
}

TEST(DetailTest, IsNeverHalfADetailWhateverTheBytesAre) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("CONTEXTD_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  Details details;
  size_t decoded_count = 0;
  for (int round = 0; round < 20000; round++) {
    std::string text = Encode(details.list[random() % details.list.size()]);
    for (unsigned i = random() % 3; i > 0; i--) {
      text[random() % std::min<size_t>(text.size(), 20)] = static_cast<char>(random());
    }
    cx_detail decoded, again;
    if (Decode(text, &decoded)) {
      std::string encoded = Encode(decoded);
      ASSERT_TRUE(Decode(encoded, &again));
      ASSERT_TRUE(cx_detail_equal(&decoded, &again));
      decoded_count++;
    }
  }
  EXPECT_LT(100u, decoded_count);
}

TEST(DetailTest, EqualsOnlyTheSame) {
  std::vector<cx_detail> different = {{},
                                      FileDetail("p", "o", "s"),
                                      FileDetail("x", "o", "s"),
                                      FileDetail("p", "x", "s"),
                                      FileDetail("p", "o", "x"),
                                      ResourceDetail("n", "t", CX_RESOURCE_ACQUIRED),
                                      ResourceDetail("x", "t", CX_RESOURCE_ACQUIRED),
                                      ResourceDetail("n", "x", CX_RESOURCE_ACQUIRED),
                                      ResourceDetail("n", "t", CX_RESOURCE_RELEASED),
                                      ModelDetail("p", "m", "o", "USD", 5),
                                      ModelDetail("x", "m", "o", "USD", 5),
                                      ModelDetail("p", "x", "o", "USD", 5),
                                      ModelDetail("p", "m", "x", "USD", 5),
                                      ModelDetail("p", "m", "o", "EUR", 5)};
  for (int field = 0; field < 5; field++) {
    cx_model_usage *model = &different.emplace_back(ModelDetail("p", "m", "o", "USD", 5)).model;
    if (field == 0) model->input_tokens = 1;
    if (field == 1) model->output_tokens = 1;
    if (field == 2) model->cached_tokens = 1;
    if (field == 3) model->cost_micros = 1;
    if (field == 4) model->latency_us = 1;
  }
  for (const cx_detail &a : different) {
    for (const cx_detail &b : different) {
      EXPECT_EQ(&a == &b, cx_detail_equal(&a, &b))
          << &a - &different[0] << " " << &b - &different[0];
    }
  }
}

TEST(DetailTest, SaysWhenThereIsNoMemory) {
  struct fail_nth fail;
  cx_buffer buffer = {};
  cx_wire_writer writer = {&buffer, CX_OK};
  cx_detail detail = FileDetail("path");
  fail_nth_begin(&fail, 1);
  cx_detail_put(&writer, &detail);
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, writer.status);
  cx_buffer_done(&buffer);
}

}  // namespace
