// Time that only the test moves, also while other threads look at it.

#ifndef CX_TESTS_SUPPORT_FAKE_CLOCK_H
#define CX_TESTS_SUPPORT_FAKE_CLOCK_H

extern "C" {
#include "core/base/clock.h"
}

#include <atomic>

struct FakeClock {
  cx_clock base = {Wall, Monotonic};  // First, so that the casts below hold.
  std::atomic<int64_t> now_us{1'700'000'000'000'000};
  std::atomic<int64_t> wall_shift_us{0};  // Somebody sets the clock on the wall.

  static int64_t Wall(const cx_clock *clock) {
    return Monotonic(clock) + reinterpret_cast<const FakeClock *>(clock)->wall_shift_us;
  }
  static int64_t Monotonic(const cx_clock *clock) {
    return reinterpret_cast<const FakeClock *>(clock)->now_us;
  }
};

#endif  // CX_TESTS_SUPPORT_FAKE_CLOCK_H
