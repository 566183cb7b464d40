// What fail.h promises: exit codes and advice for what a server answers.

extern "C" {
#include "clients/ctxctl/fail.h"
}

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

namespace {

cxc_error Error(cxc_code code, const char *reason,
                const std::map<std::string, std::string> &values = {}) {
  cxc_error error = {};
  error.code = code;
  strcpy(error.reason, reason);
  for (const auto &[key, value] : values) {
    strcpy(error.values[error.value_count].key, key.c_str());
    strcpy(error.values[error.value_count++].value, value.c_str());
  }
  return error;
}

std::string Advice(const cxc_error &error) {
  ctl ctl = {};
  char text[CTL_ADVICE_SIZE];
  ctl.address = "host:1";
  ctl.timeout_ms = 500;
  return ctl_error_advice(&ctl, &error, text);
}

TEST(FailTest, HasAnExitCodeForEveryFailure) {
  const std::pair<cxc_error, ctl_exit> cases[] = {
      {Error(CXC_ABORTED, "VERSION_CONFLICT"), CTL_REFUSED},
      {Error(CXC_ALREADY_EXISTS, "CONTEXT_EXISTS"), CTL_REFUSED},
      {Error(CXC_FAILED_PRECONDITION, "HAS_CHILDREN"), CTL_REFUSED},
      {Error(CXC_FAILED_PRECONDITION, "STALE_FENCE"), CTL_REFUSED},
      {Error(CXC_INVALID_ARGUMENT, "INVALID_FIELD"), CTL_USAGE},
      {Error(CXC_NOT_FOUND, "CONTEXT_NOT_FOUND"), CTL_NOT_FOUND},
      {Error(CXC_NOT_FOUND, "SESSION_NOT_FOUND"), CTL_NOT_FOUND},
      {Error(CXC_OUT_OF_RANGE, "STATE_NOT_RETAINED"), CTL_NOT_FOUND},
      {Error(CXC_OUT_OF_RANGE, "CURSOR_COMPACTED"), CTL_NOT_FOUND},
      {Error(CXC_UNAVAILABLE, ""), CTL_UNAVAILABLE},
      {Error(CXC_DEADLINE_EXCEEDED, ""), CTL_UNAVAILABLE},
      {Error(CXC_RESOURCE_EXHAUSTED, "OVERLOADED"), CTL_UNAVAILABLE},
      {Error(CXC_RESOURCE_EXHAUSTED, "STORAGE_FULL"), CTL_LIMIT},
      {Error(CXC_UNIMPLEMENTED, "NOT_SUPPORTED"), CTL_FAILED},
      {Error(CXC_DATA_LOSS, "DAMAGED"), CTL_FAILED},
      {Error(CXC_INTERNAL, ""), CTL_FAILED}};
  for (const auto &[error, expected] : cases) {
    SCOPED_TRACE(std::string(cxc_code_name(error.code)) + error.reason);
    EXPECT_EQ(expected, ctl_error_exit(&error));
  }
}

TEST(FailTest, PutsTheValuesIntoTheAdvice) {
  EXPECT_EQ("`--if-version 7` would hold now",
            Advice(Error(CXC_ABORTED, "VERSION_CONFLICT", {{"current_version", "7"}})));
  EXPECT_EQ("`--if-entry k=7` would hold now",
            Advice(Error(CXC_ABORTED, "ENTRY_CONFLICT", {{"current_version", "7"}, {"key", "k"}})));
}

TEST(FailTest, KnowsADeletedContextFromOneThatNeverWas) {
  EXPECT_EQ("It had version 7: while that is kept, `ctxctl restore --undelete` brings it back",
            Advice(Error(CXC_NOT_FOUND, "CONTEXT_NOT_FOUND", {{"deleted_version", "7"}})));
  EXPECT_EQ("`ctxctl list` shows what there is, `ctxctl create` makes it",
            Advice(Error(CXC_NOT_FOUND, "CONTEXT_NOT_FOUND")));
}

TEST(FailTest, SaysNothingWhereAValueIsMissing) {
  EXPECT_EQ("", Advice(Error(CXC_ABORTED, "VERSION_CONFLICT")));
  EXPECT_EQ("", Advice(Error(CXC_INTERNAL, "")));
}

TEST(FailTest, NamesTheAddressOfAServerThatIsNotThere) {
  EXPECT_EQ(
      "Is contextd running at host:1? --address or $CONTEXTD_ADDRESS names another; one that takes "
      "TLS "
      "only wants --ca or --tls",
      Advice(Error(CXC_UNAVAILABLE, "")));
  EXPECT_EQ(
      "Allow more than 500 ms with --timeout, or see whether it is contextd that runs at host:1",
      Advice(Error(CXC_DEADLINE_EXCEEDED, "")));
}

TEST(FailTest, CutsAnAdviceThatDoesNotFit) {
  std::string advice = Advice(Error(CXC_FAILED_PRECONDITION, "PARENT_NOT_FOUND",
                                    {{"parent_id", std::string(CXC_VALUE_SIZE - 1, 'x')}}));
  EXPECT_LT(advice.size(), static_cast<size_t>(CTL_ADVICE_SIZE));
}

}  // namespace
