// What the bump allocator promises in arena.h.

extern "C" {
#include "core/base/arena.h"
#include "core/base/memory.h"
#include "tests/support/fail_nth.h"
}

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

class ArenaTest : public testing::Test {
 protected:
  ArenaTest() : memory_before_(cx_memory_used()) {}
  ~ArenaTest() override {
    cx_arena_done(&arena_);
    EXPECT_EQ(memory_before_, cx_memory_used());
  }

  cx_arena arena_ = {};
  int64_t memory_before_;
};

TEST_F(ArenaTest, KeepsEveryAllocationApartAndAligned) {
  std::vector<unsigned char *> memory;
  std::vector<size_t> sizes;

  for (size_t size : {1, 7, 16, 4000, 4096, 4097, 100000, 3, 0, 200}) {
    memory.push_back(static_cast<unsigned char *>(cx_arena_alloc(&arena_, size)));
    sizes.push_back(size);
    ASSERT_NE(nullptr, memory.back());
    EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(memory.back()) % alignof(std::max_align_t));
    memset(memory.back(), static_cast<int>(memory.size()), size);
  }
  for (size_t i = 0; i < memory.size(); i++) {
    for (size_t at = 0; at < sizes[i]; at++) ASSERT_EQ(i + 1, memory[i][at]);
  }
}

TEST_F(ArenaTest, ZeroesOnRequest) {
  memset(cx_arena_alloc(&arena_, 3000), 0xff, 3000);
  cx_arena_reset(&arena_);
  auto *memory = static_cast<unsigned char *>(cx_arena_calloc(&arena_, 3000));
  for (size_t i = 0; i < 3000; i++) ASSERT_EQ(0, memory[i]);
}

TEST_F(ArenaTest, UsedAgainCostsNoAllocation) {
  cx_arena_alloc(&arena_, 100);
  cx_arena_alloc(&arena_, 100000);
  fail_nth none;

  cx_arena_reset(&arena_);
  fail_nth_begin(&none, 1);
  EXPECT_NE(nullptr, cx_arena_alloc(&arena_, 4096));
  EXPECT_FALSE(fail_nth_end(&none));
}

TEST_F(ArenaTest, SaysWhenMemoryRunsOut) {
  fail_nth fail;

  fail_nth_begin(&fail, 1);
  EXPECT_EQ(nullptr, cx_arena_alloc(&arena_, 1));
  EXPECT_EQ(nullptr, cx_arena_calloc(&arena_, 1));
  EXPECT_TRUE(fail_nth_end(&fail));
}

TEST_F(ArenaTest, AsksForNoLessThanWhatWasAskedOfIt) {
  // A size that wraps around would be a small one: nothing is asked for, or everything.
  for (size_t less = 0; less < 100; less++) {
    size_t asked = SIZE_MAX;
    cx_memory_set_hook(
        [](void *arg, size_t size) {
          *static_cast<size_t *>(arg) = size;
          return false;
        },
        &asked);
    EXPECT_EQ(nullptr, cx_arena_alloc(&arena_, SIZE_MAX - less));
    cx_memory_set_hook(nullptr, nullptr);
    EXPECT_GE(asked, SIZE_MAX - less);
  }
}

}  // namespace
