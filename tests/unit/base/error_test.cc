// What errors promise in error.h.

extern "C" {
#include "core/base/error.h"
}

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace {

std::string Text(cx_bytes bytes) {
  return std::string(reinterpret_cast<const char *>(bytes.data), bytes.size);
}

class ErrorTest : public testing::Test {
 protected:
  cx_error error_ = {};
};

TEST_F(ErrorTest, TheReasonDecidesTheStatus) {
  std::set<std::string> names;

  for (int i = CX_REASON_NONE + 1; i < CX_REASON_COUNT; i++) {
    auto reason = static_cast<cx_reason>(i);
    EXPECT_NE(CX_OK, cx_reason_status(reason)) << i;
    EXPECT_EQ(cx_reason_status(reason), cx_error_set(&error_, reason, "text"));
    EXPECT_TRUE(names.insert(cx_reason_name(reason)).second) << "two reasons of one name";
    EXPECT_NE("", *names.begin());
  }
  EXPECT_EQ(CX_OK, cx_reason_status(CX_REASON_NONE));
}

TEST_F(ErrorTest, CarriesItsMessageAndDetails) {
  cx_error_set(&error_, CX_REASON_VERSION_CONFLICT, "version is %d", 7);
  cx_error_detail(&error_, "context", cx_bytes_of("id"));
  cx_error_detail_number(&error_, "version", UINT64_MAX);

  EXPECT_STREQ("version is 7", error_.message);
  EXPECT_EQ("id", Text(cx_error_detail_get(&error_, "context")));
  EXPECT_EQ("18446744073709551615", Text(cx_error_detail_get(&error_, "version")));
  EXPECT_EQ(0u, cx_error_detail_get(&error_, "other").size);
}

TEST_F(ErrorTest, SetAgainForgetsWhatItWas) {
  cx_error_limit(&error_, "keys", 10);
  error_.retry_delay_us = 5;
  cx_error_set(&error_, CX_REASON_DAMAGED, "damaged");

  EXPECT_EQ(0, error_.retry_delay_us);
  EXPECT_EQ(0u, error_.detail_count);
  EXPECT_EQ(0u, cx_error_detail_get(&error_, "limit").size);
}

TEST_F(ErrorTest, CutsWhatIsTooLongAtAWholeCharacter) {
  // An odd byte in front, so that the limit is in the middle of a character.
  std::string text = "x";
  while (text.size() < 3 * CX_ERROR_TEXT_MAX) text += "\u00e4";

  cx_error_set(&error_, CX_REASON_INVALID_FIELD, "%s", text.c_str());
  EXPECT_EQ(text.substr(0, CX_ERROR_MESSAGE_MAX - 1), error_.message);
  cx_error_set(&error_, CX_REASON_INVALID_FIELD, "%s", text.c_str() + 1);
  EXPECT_EQ(text.substr(1, CX_ERROR_MESSAGE_MAX - 2), error_.message);

  cx_error_detail(&error_, "value", {reinterpret_cast<const uint8_t *>(text.data()), text.size()});
  EXPECT_EQ(text.substr(0, CX_ERROR_TEXT_MAX - 1), Text(cx_error_detail_get(&error_, "value")));
  cx_error_detail(&error_, "more", cx_bytes_of("abc"));
  EXPECT_EQ("a", Text(cx_error_detail_get(&error_, "more")));
}

TEST_F(ErrorTest, OfALimitNamesIt) {
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_error_limit(&error_, "keys", 10));
  EXPECT_EQ(CX_REASON_LIMIT_REACHED, error_.reason);
  EXPECT_EQ("keys", Text(cx_error_detail_get(&error_, "limit")));
  EXPECT_EQ("10", Text(cx_error_detail_get(&error_, "value")));

  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_error_out_of_memory(&error_));
  EXPECT_EQ(CX_REASON_LIMIT_REACHED, error_.reason);
  EXPECT_EQ("memory", Text(cx_error_detail_get(&error_, "limit")));
}

}  // namespace
