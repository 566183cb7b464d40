// What server/services/allocator.h promises.

extern "C" {
#include "server/services/allocator.h"
#include "core/base/arena.h"
#include "core/base/memory.h"
#include "tests/support/fail_nth.h"
}

#include <gtest/gtest.h>

#include "tests/unit/services/service_fixture.h"

namespace {

TEST(AllocatorTest, TakesMemoryThatLivesUntilTheArenaIsDone) {
  cx_arena arena = {};
  cx_allocator allocator = cx_allocator_of_arena(&arena);
  EXPECT_NE(nullptr, cx_allocator_alloc(&allocator, 10000));
  EXPECT_NE(nullptr, arena.chunks);
  cx_arena_done(&arena);
}

TEST(AllocatorTest, TakesMemoryThatLivesAsLongAsTheCall) {
  cx_app app = {};
  cx_call call(cx_context_manager_service, "GetContext", &app);
  cx_allocator allocator = cx_allocator_of_call(&call);
  EXPECT_NE(nullptr, cx_allocator_alloc(&allocator, 100));
  EXPECT_NE(nullptr, call.arena.chunks);
  call.End();
}

TEST(AllocatorTest, TakesMemoryOfTheHeapThatIsTheCallers) {
  cx_allocator allocator = cx_allocator_of_heap();
  void *memory = cx_allocator_alloc(&allocator, 100);
  EXPECT_NE(nullptr, memory);
  cx_free(memory);
}

TEST(AllocatorTest, CopiesATextWithANulBehindIt) {
  cx_arena arena = {};
  cx_allocator allocator = cx_allocator_of_arena(&arena);
  EXPECT_STREQ("abc", cx_allocator_text(&allocator, "abcdef", 3));
  EXPECT_STREQ("", cx_allocator_text(&allocator, nullptr, 0));
  cx_arena_done(&arena);
}

TEST(AllocatorTest, GivesNullWhenOutOfMemory) {
  cx_allocator allocator = cx_allocator_of_heap();
  fail_nth fail;
  fail_nth_begin(&fail, 1);
  char *text = cx_allocator_text(&allocator, "abc", 3);
  fail_nth_end(&fail);
  EXPECT_EQ(nullptr, text);
}

}  // namespace
