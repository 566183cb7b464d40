// docs/errors.md and the comments of the API tell of every reason, with its status.

extern "C" {
#include "core/base/error.h"
}

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace {

std::string Content(const char *path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

const char *StatusName(cx_status status) {
  switch (status) {
    case CX_INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case CX_NOT_FOUND:
      return "NOT_FOUND";
    case CX_ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case CX_RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case CX_FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case CX_ABORTED:
      return "ABORTED";
    case CX_OUT_OF_RANGE:
      return "OUT_OF_RANGE";
    case CX_UNIMPLEMENTED:
      return "UNIMPLEMENTED";
    case CX_UNAVAILABLE:
      return "UNAVAILABLE";
    case CX_DATA_LOSS:
      return "DATA_LOSS";
    default:
      return "?";
  }
}

TEST(ErrorsDocTest, TheTableHasARowForEachReasonWithItsStatus) {
  std::string text = Content("docs/errors.md");
  for (int i = CX_REASON_NONE + 1; i < CX_REASON_COUNT; i++) {
    auto reason = static_cast<cx_reason>(i);
    std::string row = "| `" + std::string(cx_reason_name(reason)) + "` | `" +
                      StatusName(cx_reason_status(reason)) + "` |";
    EXPECT_NE(std::string::npos, text.find(row)) << row;
  }
}

TEST(ErrorsDocTest, TheApiNamesEveryReason) {
  std::string text = Content("proto/contextd/v1/resources.proto") +
                     Content("proto/contextd/v1/tracker.proto") +
                     Content("proto/contextd/v1/recovery.proto");
  for (int i = CX_REASON_NONE + 1; i < CX_REASON_COUNT; i++) {
    const char *name = cx_reason_name(static_cast<cx_reason>(i));
    EXPECT_NE(std::string::npos, text.find(name)) << name;
  }
}

}  // namespace
