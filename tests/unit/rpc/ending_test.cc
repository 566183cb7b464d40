// How calls end: what server/rpc/ending.h promises.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/grpc_client.h"

extern "C" {
#include "server/rpc/ending.h"
}

namespace {

std::string Text(const grpc_slice &slice) {
  return std::string(reinterpret_cast<const char *>(GRPC_SLICE_START_PTR(slice)),
                     GRPC_SLICE_LENGTH(slice));
}

TEST(Ending, IsGoodWithoutAWord) {
  cx_ending ending = cx_ending_ok();
  EXPECT_EQ(GRPC_STATUS_OK, ending.code);
  EXPECT_EQ("", Text(ending.text));
  EXPECT_EQ(0u, ending.detail_count);
  cx_ending_done(&ending);
}

TEST(Ending, IsPlainWithoutDetails) {
  cx_ending ending = cx_ending_plain(CX_NOT_FOUND, "gone");
  EXPECT_EQ(GRPC_STATUS_NOT_FOUND, ending.code);
  EXPECT_EQ("gone", Text(ending.text));
  EXPECT_EQ(0u, ending.detail_count);
  cx_ending_done(&ending);
}

TEST(Ending, CarriesAllThatAnErrorSays) {
  cx_error error;
  cx_error_set(&error, CX_REASON_HEAD_MOVED, "it moved");
  cx_error_detail_number(&error, "current_version", 9);
  cx_ending ending = cx_ending_error(&error);
  EXPECT_EQ(GRPC_STATUS_ABORTED, ending.code);
  EXPECT_EQ("it moved", Text(ending.text));
  ASSERT_EQ(1u, ending.detail_count);
  EXPECT_EQ("grpc-status-details-bin", Text(ending.detail.key));
  GrpcOutcome outcome;
  outcome.details = Text(ending.detail.value);
  EXPECT_EQ("HEAD_MOVED", outcome.Reason());
  EXPECT_EQ("9", outcome.Metadata()["current_version"]);
  cx_ending_done(&ending);
}

}  // namespace
