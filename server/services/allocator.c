#include "server/services/allocator.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/memory.h"
#include "server/rpc/call.h"

static void *call_alloc(void *call, size_t size)
{
    return cx_call_alloc(call, size);
}

static void *arena_alloc(void *arena, size_t size)
{
    return cx_arena_alloc(arena, size);
}

static void *heap_alloc(void *arg, size_t size)
{
    (void)arg;
    return cx_alloc(size);
}

struct cx_allocator cx_allocator_of_call(struct cx_call *call)
{
    return (struct cx_allocator){call_alloc, call};
}

struct cx_allocator cx_allocator_of_arena(struct cx_arena *arena)
{
    return (struct cx_allocator){arena_alloc, arena};
}

struct cx_allocator cx_allocator_of_heap(void)
{
    return (struct cx_allocator){heap_alloc, NULL};
}

char *cx_allocator_text(const struct cx_allocator *allocator, const void *bytes, size_t size)
{
    char *text = cx_allocator_alloc(allocator, size + 1);

    if (text == NULL) {
        return NULL;
    }
    if (size > 0) {
        memcpy(text, bytes, size);
    }
    text[size] = '\0';
    return text;
}
