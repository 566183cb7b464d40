// What clients/c/error.h promises: errors from the wire, also from a wire that lies.

extern "C" {
#include "clients/c/error.h"
}

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/support/seed.h"
#include "tests/unit/clients_c/wire.h"

namespace {

cxc_error Decode(cxc_code code, const std::string &text, const std::string &details) {
  cxc_error error;
  memset(&error, 0x55, sizeof error);
  cxc_error_from_status(code, text.data(), text.size(),
                        reinterpret_cast<const uint8_t *>(details.data()), details.size(), &error);
  return error;
}

TEST(ErrorTest, HasReasonValuesAndDelay) {
  cxc_error error =
      Decode(CXC_RESOURCE_EXHAUSTED, "busy",
             StatusDetails("contextd", "OVERLOADED", {{"limit", "log"}, {"value", "3"}}, 1500));
  EXPECT_EQ(CXC_RESOURCE_EXHAUSTED, error.code);
  EXPECT_STREQ("OVERLOADED", error.reason);
  EXPECT_STREQ("busy", error.message);
  EXPECT_STREQ("log", cxc_error_value(&error, "limit"));
  EXPECT_STREQ("3", cxc_error_value(&error, "value"));
  EXPECT_EQ(nullptr, cxc_error_value(&error, "other"));
  EXPECT_EQ(1500, error.retry_delay_ms);
}

TEST(ErrorTest, HasNoReasonFromAnotherDomain) {
  cxc_error error =
      Decode(CXC_ABORTED, "", StatusDetails("example.com", "REASON", {{"a", "b"}}, 0));
  EXPECT_STREQ("", error.reason);
  EXPECT_EQ(0u, error.value_count);
}

TEST(ErrorTest, KeepsCodeAndTextWithoutDetails) {
  cxc_error error = Decode(CXC_UNAVAILABLE, "connection refused", "");
  EXPECT_EQ(CXC_UNAVAILABLE, error.code);
  EXPECT_STREQ("connection refused", error.message);
  EXPECT_EQ(0, error.retry_delay_ms);
}

TEST(ErrorTest, CutsWhatDoesNotFitAtAWholeCharacter) {
  std::string text;
  while (text.size() <= CXC_MESSAGE_SIZE) text += "\xE2\x82\xAC";  // The euro sign.
  cxc_error error = Decode(CXC_INTERNAL, text, "");
  EXPECT_EQ((CXC_MESSAGE_SIZE - 1) / 3 * 3, static_cast<int>(strlen(error.message)));
}

TEST(ErrorTest, KeepsAtMostSoManyValues) {
  std::map<std::string, std::string> values;
  for (int i = 0; i < 100; i++) values[std::to_string(i)] = "x";
  cxc_error error = Decode(CXC_ABORTED, "", StatusDetails("contextd", "REASON", values, 0));
  EXPECT_EQ(static_cast<size_t>(CXC_VALUES_MAX), error.value_count);
}

TEST(ErrorTest, SurvivesDetailsThatAreCutOrChanged) {
  std::string details = StatusDetails("contextd", "OVERLOADED", {{"limit", "log"}}, 1500);
  uint64_t seed = TestSeed();
  std::mt19937 random(seed);
  SCOPED_TRACE("CONTEXTD_SEED=" + std::to_string(seed));
  for (size_t size = 0; size < details.size(); size++) {
    EXPECT_EQ(CXC_ABORTED, Decode(CXC_ABORTED, "", details.substr(0, size)).code);
  }
  for (int i = 0; i < 2000; i++) {
    std::string changed = details;
    changed[random() % changed.size()] ^= static_cast<char>(1 << random() % 8);
    EXPECT_EQ(CXC_ABORTED, Decode(CXC_ABORTED, "", changed).code);
  }
}

TEST(ErrorTest, ComesFromAPartOfABatchToo) {
  Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
  delay.nanos = 1;
  Contextd__V1__Failure__MetadataEntry entry = CONTEXTD__V1__FAILURE__METADATA_ENTRY__INIT;
  entry.key = const_cast<char *>("key");
  entry.value = const_cast<char *>("value");
  Contextd__V1__Failure__MetadataEntry *entries[] = {&entry};
  Contextd__V1__Failure failure = CONTEXTD__V1__FAILURE__INIT;
  failure.code = CXC_ABORTED;
  failure.reason = const_cast<char *>("ENTRY_CONFLICT");
  failure.message = const_cast<char *>("no");
  failure.n_metadata = 1;
  failure.metadata = entries;
  failure.retry_delay = &delay;

  cxc_error error;
  cxc_error_from_failure(&failure, &error);
  EXPECT_EQ(CXC_ABORTED, error.code);
  EXPECT_STREQ("ENTRY_CONFLICT", error.reason);
  EXPECT_STREQ("no", error.message);
  EXPECT_STREQ("value", cxc_error_value(&error, "key"));
  EXPECT_EQ(1, error.retry_delay_ms);
}

TEST(ErrorTest, NamesEveryCode) {
  EXPECT_STREQ("OK", cxc_code_name(CXC_OK));
  EXPECT_STREQ("UNAUTHENTICATED", cxc_code_name(CXC_UNAUTHENTICATED));
  EXPECT_STREQ("UNKNOWN", cxc_code_name(static_cast<cxc_code>(17)));
  EXPECT_STREQ("UNKNOWN", cxc_code_name(static_cast<cxc_code>(-1)));
}

TEST(RequestIdTest, IsARandomUuid) {
  char one[CXC_REQUEST_ID_SIZE];
  char other[CXC_REQUEST_ID_SIZE];
  cxc_request_id(one);
  cxc_request_id(other);
  EXPECT_EQ(36u, strlen(one));
  EXPECT_EQ('4', one[14]);
  EXPECT_NE(nullptr, strchr("89ab", one[19]));
  EXPECT_STRNE(one, other);
}

}  // namespace
