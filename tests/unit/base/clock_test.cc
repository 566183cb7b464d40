// What the machine's clocks promise in clock.h.

extern "C" {
#include "core/base/clock.h"
}

#include <gtest/gtest.h>

#include <ctime>

namespace {

TEST(ClockTest, TellsTheTimeInMicrosecondsSince1970) {
  int64_t before = static_cast<int64_t>(time(nullptr)) - 1;
  int64_t now = cx_clock_system.wall_us(&cx_clock_system);
  int64_t after = static_cast<int64_t>(time(nullptr)) + 1;

  EXPECT_LE(before * 1000000, now);
  EXPECT_GE(after * 1000000, now);
}

TEST(ClockTest, MonotonicTimeNeverGoesBack) {
  int64_t last = cx_clock_system.monotonic_us(&cx_clock_system);

  for (int i = 0; i < 10000; i++) {
    int64_t now = cx_clock_system.monotonic_us(&cx_clock_system);
    ASSERT_LE(last, now);
    last = now;
  }
}

}  // namespace
