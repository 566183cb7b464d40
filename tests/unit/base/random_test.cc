// What the kernel's generator promises in random.h.

extern "C" {
#include "core/base/random.h"
}

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace {

TEST(RandomTest, FillsAllOfTheMemoryAndNothingElse) {
  // A byte that stays 0 in 40 fillings was not filled.
  for (size_t size : {1, 16, 257, 5000}) {
    std::vector<unsigned char> memory(size + 1, 0);
    std::vector<bool> seen(size, false);
    for (int i = 0; i < 40; i++) {
      cx_random_system.fill(&cx_random_system, memory.data(), size);
      for (size_t at = 0; at < size; at++) {
        if (memory[at] != 0) seen[at] = true;
      }
    }
    for (size_t at = 0; at < size; at++) ASSERT_TRUE(seen[at]) << at << " of " << size;
    EXPECT_EQ(0, memory[size]);
  }
}

TEST(RandomTest, NeverGivesTheSameTwice) {
  unsigned char one[16];
  unsigned char two[16];
  cx_random_system.fill(&cx_random_system, one, sizeof one);
  cx_random_system.fill(&cx_random_system, two, sizeof two);

  EXPECT_NE(0, memcmp(one, two, sizeof one));
}

}  // namespace
