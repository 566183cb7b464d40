// What retry.h promises, with a clock and random numbers of the test's own.

extern "C" {
#include "clients/c/retry.h"
}

#include <gtest/gtest.h>

#include <cstring>

namespace {

class RetryTest : public testing::Test {
 protected:
  RetryTest() { cxc_retry_init(&retry_, now_ms_, 10000); }

  // Fails at the present time. Moves the clock on by the wait that it returns.
  int64_t Next(uint32_t random) {
    int64_t wait = cxc_retry_next(&retry_, &error_, now_ms_, random);
    if (wait > 0) now_ms_ += wait;
    return wait;
  }

  void Overloaded(int64_t retry_delay_ms) {
    error_.code = CXC_RESOURCE_EXHAUSTED;
    strcpy(error_.reason, "OVERLOADED");
    error_.retry_delay_ms = retry_delay_ms;
  }

  int64_t now_ms_ = 1000000;
  cxc_retry retry_;
  cxc_error error_ = {CXC_UNAVAILABLE, "", "", 0, 0, {}};
};

TEST_F(RetryTest, DoublesTheWaitUpToASecond) {
  int64_t expected[] = {12, 25, 50, 100, 200, 400, 500, 500};
  for (int64_t wait : expected) EXPECT_EQ(wait, Next(0));
}

TEST_F(RetryTest, MakesHalfOfTheWaitRandom) {
  EXPECT_EQ(12 + 12, Next(12));
  EXPECT_EQ(25 + 25, Next(25));
  EXPECT_EQ(50 + 0, Next(51));
}

TEST_F(RetryTest, WaitsAtLeastAsLongAsTheServerAsks) {
  Overloaded(100);
  EXPECT_EQ(100, Next(0));
  EXPECT_EQ(100 + 25, Next(25));
}

TEST_F(RetryTest, EndsBeforeTheTimeIsUp) {
  int64_t begin_ms = now_ms_;
  int repeats = 0;
  while (Next(7) >= 0) repeats++;
  EXPECT_LT(now_ms_ - begin_ms, 10000);
  EXPECT_GT(repeats, 10);
}

TEST_F(RetryTest, DoesNotBeginAWaitThatWouldOutlastTheCall) {
  Overloaded(10000);
  EXPECT_EQ(-1, Next(0));
}

TEST_F(RetryTest, WaitsForWhatItIsToldIsWorthItHoweverLittleTimeIsLeft) {
  error_.code = CXC_ABORTED;
  now_ms_ += 20000;
  for (int64_t wait : {12, 25, 50}) EXPECT_EQ(wait, cxc_retry_wait(&retry_, &error_, 0));
}

TEST_F(RetryTest, LeavesLastingErrorsAlone) {
  for (int code = CXC_CANCELLED; code <= CXC_UNAUTHENTICATED; code++) {
    SCOPED_TRACE(code);
    error_.code = static_cast<cxc_code>(code);
    EXPECT_EQ(code == CXC_UNAVAILABLE, cxc_retry_next(&retry_, &error_, now_ms_, 0) >= 0);
  }
}

}  // namespace
