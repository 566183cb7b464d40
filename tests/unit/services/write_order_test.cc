// What server/services/write_order.h promises. That the services keep to it is shown by
// the tests of each.

#include <gtest/gtest.h>

extern "C" {
#include "server/services/write_order.h"
}

namespace {

class WriteOrderTest : public testing::Test {
 protected:
  void Fail(cx_reason reason, int64_t retry_delay_us = 0) {
    cx_error error;
    cx_error_set(&error, reason, "no");
    error.retry_delay_us = retry_delay_us;
    cx_write_order_failed(&order_, &error);
  }

  cx_write_order order_ = {};
  cx_error error_ = {};
};

TEST_F(WriteOrderTest, RefusesNothingWhileNothingWasOverloaded) {
  EXPECT_EQ(CX_OK, cx_write_order_check(&order_, &error_));
  Fail(CX_REASON_VERSION_CONFLICT);
  Fail(CX_REASON_STORAGE_FULL);
  EXPECT_EQ(CX_OK, cx_write_order_check(&order_, &error_));
}

TEST_F(WriteOrderTest, RefusesAllBehindWhatWasOverloadedWithItsDelay) {
  Fail(CX_REASON_OVERLOADED, 7);
  for (int i = 0; i < 2; i++) {
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_write_order_check(&order_, &error_));
    EXPECT_EQ(CX_REASON_OVERLOADED, error_.reason);
    EXPECT_EQ(7, error_.retry_delay_us);
    cx_write_order_failed(&order_, &error_);
    Fail(CX_REASON_OVERLOADED, 9);
  }
}

}  // namespace
