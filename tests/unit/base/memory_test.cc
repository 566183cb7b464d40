// What the counted memory promises in memory.h.

extern "C" {
#include "core/base/memory.h"
#include "tests/support/fail_nth.h"
}

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace {

TEST(MemoryTest, CountsWhatIsThereUntilItIsFreed) {
  int64_t before = cx_memory_used();
  void *memory[3] = {cx_alloc(1000), cx_calloc(500), cx_realloc(nullptr, 10)};

  EXPECT_LE(before + 1510, cx_memory_used());
  EXPECT_GT(before + 2000, cx_memory_used());
  memory[0] = cx_realloc(memory[0], 5000);
  EXPECT_LE(before + 5510, cx_memory_used());
  for (void *each : memory) cx_free(each);
  cx_free(nullptr);
  EXPECT_EQ(before, cx_memory_used());
}

TEST(MemoryTest, ZeroesOnRequest) {
  auto *memory = static_cast<unsigned char *>(cx_alloc(700));
  memset(memory, 0xff, 700);
  cx_free(memory);
  memory = static_cast<unsigned char *>(cx_calloc(700));
  for (size_t i = 0; i < 700; i++) ASSERT_EQ(0, memory[i]);
  cx_free(memory);
}

TEST(MemoryTest, TheHookDecidesAboutEveryAllocation) {
  int64_t before = cx_memory_used();
  void *block = cx_alloc(100);
  memset(block, 7, 100);
  fail_nth fail;

  fail_nth_begin(&fail, 2);
  void *first = cx_alloc(1);
  EXPECT_NE(nullptr, first);
  EXPECT_EQ(nullptr, cx_alloc(1));
  EXPECT_EQ(nullptr, cx_calloc(1));
  EXPECT_EQ(nullptr, cx_realloc(block, 200));
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(4u, fail.count);

  EXPECT_EQ(7, static_cast<char *>(block)[99]);
  cx_free(first);
  cx_free(block);
  EXPECT_EQ(before, cx_memory_used());
}

TEST(MemoryTest, MayBeFreedByAnotherThreadThanTheOneThatAllocatedIt) {
  int64_t before = cx_memory_used();

  for (int round = 0; round < 20; round++) {
    std::vector<void *> blocks[4];
    std::vector<std::thread> threads;
    for (auto &each : blocks) {
      threads.emplace_back([&each] {
        for (size_t i = 0; i < 50; i++) each.push_back(cx_alloc(i));
      });
    }
    // This thread counts meanwhile, and again once the others have ended.
    for (int i = 0; i < 50; i++) cx_free(cx_alloc(10));
    for (std::thread &thread : threads) thread.join();
    EXPECT_LT(before, cx_memory_used());
    for (auto &each : blocks) {
      for (void *block : each) cx_free(block);
    }
    EXPECT_EQ(before, cx_memory_used());
  }
}

}  // namespace
