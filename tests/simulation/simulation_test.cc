// A few seeds, so that sanitizers see the simulation too, and what seeds promise.

#include "tests/simulation/simulation.h"

#include <gtest/gtest.h>

namespace simulation {
namespace {

#if defined(__SANITIZE_THREAD__)
#define SKIP_UNDER_TSAN GTEST_SKIP() << "one thread, whose fibers the sanitizer cannot follow"
#else
#define SKIP_UNDER_TSAN (void)0
#endif

TEST(SimulationTest, GivesTheSameRunFromTheSameSeed) {
  SKIP_UNDER_TSAN;
  for (uint64_t seed : {1, 2, 3}) {
    Result first = RunSeed(seed, Trace::kHash);
    Result second = RunSeed(seed, Trace::kHash);
    EXPECT_EQ("", first.failure) << "seed " << seed;
    EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << seed;
    EXPECT_EQ(first.turns, second.turns) << "seed " << seed;
  }
}

TEST(SimulationTest, IsTheSameWhetherItIsTracedOrNot) {
  SKIP_UNDER_TSAN;
  Result traced = RunSeed(5, Trace::kHash);
  Result silent = RunSeed(5, Trace::kOff);
  EXPECT_EQ(traced.turns, silent.turns);
  EXPECT_EQ(traced.virtual_us, silent.virtual_us);
}

TEST(SimulationTest, FindsNothingWrong) {
  SKIP_UNDER_TSAN;
  for (uint64_t seed = 1000; seed < 1030; seed++) {
    EXPECT_EQ("", RunSeed(seed, Trace::kOff).failure) << "seed " << seed;
  }
}

}  // namespace
}  // namespace simulation
