// What server/services/field.h promises: exact paths, and rules.

extern "C" {
#include "server/services/field.h"
}

#include <gtest/gtest.h>

#include <string>

namespace {

std::string Detail(const cx_error &error, const char *key) {
  cx_bytes value = cx_error_detail_get(&error, key);
  return std::string(reinterpret_cast<const char *>(value.data), value.size);
}

cx_bytes Bytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

class FieldTest : public testing::Test {
 protected:
  const cx_field request_ = cx_field_at(nullptr, "requests", 3);
  const cx_field mutation_ = cx_field_at(&request_, "mutations", 2);
  const cx_field put_ = cx_field_of(&mutation_, "put_entry");
  cx_error error_;
};

TEST_F(FieldTest, NamesTheFieldByItsPathFromTheMessageThatTheClientSent) {
  EXPECT_EQ(CX_INVALID_ARGUMENT, cx_field_invalid(&put_, "key", &error_, "must be %d", 7));
  EXPECT_EQ(CX_REASON_INVALID_FIELD, error_.reason);
  EXPECT_EQ("requests[3].mutations[2].put_entry.key", Detail(error_, "field"));
  EXPECT_EQ("must be 7", Detail(error_, "rule"));
  EXPECT_STREQ("requests[3].mutations[2].put_entry.key must be 7", error_.message);
}

TEST_F(FieldTest, NamesAFieldOfTheMessageItself) {
  EXPECT_EQ(CX_INVALID_ARGUMENT, cx_field_invalid(nullptr, "namespace", &error_, "is wrong"));
  EXPECT_EQ("namespace", Detail(error_, "field"));
}

TEST_F(FieldTest, NamesTheParentWhereNoNameIsGiven) {
  EXPECT_EQ(CX_INVALID_ARGUMENT, cx_field_invalid(&mutation_, nullptr, &error_, "is wrong"));
  EXPECT_EQ("requests[3].mutations[2]", Detail(error_, "field"));
}

TEST_F(FieldTest, CutsAPathThatIsTooLong) {
  std::string name(1000, 'x');
  char path[16];
  cx_field long_field = cx_field_of(nullptr, name.c_str());
  cx_field_path(&long_field, "leaf", path, sizeof path);
  EXPECT_EQ(std::string(15, 'x'), path);
}

TEST_F(FieldTest, ChecksNames) {
  struct {
    std::string value;
    const char *rule;
  } rows[] = {
      {"good", nullptr},
      {"1234567", nullptr},
      {"", "must not be empty"},
      {"12345678", "must have at most 7 bytes"},
      {"a\001", "must not contain control characters"},
      {"a\x7f", "must not contain control characters"},
      {"\xff", "must be UTF-8 without NUL"},
      {std::string("a\0b", 3), "must not contain control characters"},
  };
  for (const auto &row : rows) {
    SCOPED_TRACE(row.value);
    cx_status status = cx_field_check_name(&put_, "key", Bytes(row.value), 1, 7, &error_);
    EXPECT_EQ(row.rule == nullptr ? CX_OK : CX_INVALID_ARGUMENT, status);
    if (row.rule != nullptr) {
      EXPECT_EQ(row.rule, Detail(error_, "rule"));
    }
  }
}

TEST_F(FieldTest, ChecksOtherStrings) {
  struct {
    std::string value;
    const char *rule;
  } rows[] = {
      {"", nullptr},
      {"a\n\t", nullptr},
      {"12345678", "must have at most 7 bytes"},
      {"\xc3", "must be UTF-8 without NUL"},
      {std::string("a\0b", 3), "must not contain NUL"},
  };
  for (const auto &row : rows) {
    SCOPED_TRACE(row.value);
    cx_status status = cx_field_check_text(&put_, "key", Bytes(row.value), 7, &error_);
    EXPECT_EQ(row.rule == nullptr ? CX_OK : CX_INVALID_ARGUMENT, status);
    if (row.rule != nullptr) {
      EXPECT_EQ(row.rule, Detail(error_, "rule"));
    }
  }
}

TEST_F(FieldTest, ChecksCounts) {
  EXPECT_EQ(CX_OK, cx_field_check_count(nullptr, "keys", 1, 1, 2, &error_));
  EXPECT_EQ(CX_OK, cx_field_check_count(nullptr, "keys", 2, 1, 2, &error_));
  EXPECT_EQ(CX_INVALID_ARGUMENT, cx_field_check_count(nullptr, "keys", 0, 1, 2, &error_));
  EXPECT_EQ("must not be empty", Detail(error_, "rule"));
  EXPECT_EQ(CX_INVALID_ARGUMENT, cx_field_check_count(nullptr, "keys", 3, 1, 2, &error_));
  EXPECT_EQ("must have at most 2 elements", Detail(error_, "rule"));
}

}  // namespace
