// Where a test's seed comes from.

#include "tests/support/seed.h"

#include <gtest/gtest.h>

#include <set>

namespace {

TEST(SeedTest, IsTheOneThatIsGiven) {
  setenv("CONTEXTD_SEED", "18446744073709551615", 1);
  EXPECT_EQ(UINT64_MAX, TestSeed());
  EXPECT_EQ(UINT64_MAX, TestSeed());
}

TEST(SeedTest, IsAnotherEachTimeWhereNoneIsGiven) {
  for (const char *none : {"", static_cast<const char *>(nullptr)}) {
    none != nullptr ? setenv("CONTEXTD_SEED", none, 1) : unsetenv("CONTEXTD_SEED");
    std::set<uint64_t> seeds;
    for (int i = 0; i < 10; i++) seeds.insert(TestSeed());
    EXPECT_LT(1u, seeds.size());
  }
}

}  // namespace
