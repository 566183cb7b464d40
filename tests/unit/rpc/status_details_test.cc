// Errors as bytes: what server/rpc/status_details.h promises.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/grpc_client.h"

extern "C" {
#include "server/rpc/status_details.h"
}

namespace {

GrpcOutcome Pack(const cx_error &error) {
  uint8_t memory[CX_STATUS_DETAILS_SIZE_MAX];
  GrpcOutcome outcome;
  size_t size = cx_status_details_pack(&error, memory);
  outcome.details.assign(reinterpret_cast<char *>(memory), size);
  return outcome;
}

cx_bytes Bytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

TEST(StatusDetails, TellsReasonDomainAndValues) {
  cx_error error;
  cx_error_set(&error, CX_REASON_INVALID_FIELD, "bad");
  cx_error_detail(&error, "field", cx_bytes_of("context_id"));
  cx_error_detail(&error, "rule", cx_bytes_of("is too long"));
  GrpcOutcome outcome = Pack(error);
  EXPECT_EQ("INVALID_FIELD", outcome.Reason());
  EXPECT_EQ("contextd", outcome.Domain());
  std::map<std::string, std::string> expected = {{"field", "context_id"}, {"rule", "is too long"}};
  EXPECT_EQ(expected, outcome.Metadata());
  EXPECT_EQ(0, outcome.RetryDelayUs());
}

TEST(StatusDetails, TellsWhenToTryAgain) {
  cx_error error;
  cx_error_set(&error, CX_REASON_OVERLOADED, "busy");
  error.retry_delay_us = 2000001;
  EXPECT_EQ(2000001, Pack(error).RetryDelayUs());
}

TEST(StatusDetails, FitsWhateverAnErrorCanHold) {
  cx_error error;
  std::string longest(CX_ERROR_TEXT_MAX, 'x');
  cx_error_set(&error, CX_REASON_REQUEST_ID_REUSED, "%s", longest.c_str());
  error.retry_delay_us = INT64_MAX;
  cx_error_detail(&error, "current_version", Bytes(longest.substr(0, 2000)));
  cx_error_detail(&error, "oldest_version", Bytes(longest));
  cx_error_detail(&error, "deleted_version", Bytes(longest));
  cx_error_detail(&error, "newest_version", Bytes(longest));
  GrpcOutcome outcome = Pack(error);
  EXPECT_EQ(4u, outcome.Metadata().size());
  EXPECT_EQ(std::string(2000, 'x'), outcome.Metadata()["current_version"]);
}

TEST(StatusDetails, ReplacesWhatIsNotUtf8) {
  cx_error error;
  cx_error_set(&error, CX_REASON_ENTRY_CONFLICT, "key \xff");
  cx_error_detail(&error, "key", Bytes("a\xffz\xc3\xa9\xc3"));
  EXPECT_EQ("a?z\xc3\xa9?", Pack(error).Metadata()["key"]);
}

TEST(StatusDetails, EndsAValueAtANul) {
  cx_error error;
  cx_error_set(&error, CX_REASON_ENTRY_CONFLICT, "key");
  cx_error_detail(&error, "key", Bytes(std::string("a\0b", 3)));
  cx_error_detail(&error, "current_version", Bytes("7"));
  EXPECT_EQ("a", Pack(error).Metadata()["key"]);
  EXPECT_EQ("7", Pack(error).Metadata()["current_version"]);
}

}  // namespace
