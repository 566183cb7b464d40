#include "core/base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <string.h>

#include "core/base/memory.h"

enum { CHUNK_SIZE_USUAL = 4096 };

struct cx_arena_chunk {
    struct cx_arena_chunk *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

static struct cx_arena_chunk *chunk_new(size_t size_min)
{
    size_t size = size_min > CHUNK_SIZE_USUAL ? size_min : CHUNK_SIZE_USUAL;
    struct cx_arena_chunk *chunk;

    if (size > SIZE_MAX - sizeof *chunk) {
        return NULL;
    }
    chunk = cx_alloc(sizeof *chunk + size);
    if (chunk == NULL) {
        return NULL;
    }
    *chunk = (struct cx_arena_chunk){.size = size};
    return chunk;
}

void *cx_arena_alloc(struct cx_arena *arena, size_t size)
{
    struct cx_arena_chunk *chunk = arena->chunks;
    size_t padded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);

    if (padded < size) {
        return NULL;
    }
    if (chunk == NULL || chunk->size - chunk->used < padded) {
        chunk = chunk_new(padded);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }

    void *memory = chunk->bytes + chunk->used;
    chunk->used += padded;
    assert(chunk->used <= chunk->size);
    return memory;
}

void *cx_arena_calloc(struct cx_arena *arena, size_t size)
{
    void *memory = cx_arena_alloc(arena, size);

    return memory != NULL ? memset(memory, 0, size) : NULL;
}

void cx_arena_reset(struct cx_arena *arena)
{
    struct cx_arena_chunk *kept = NULL;

    while (arena->chunks != NULL) {
        struct cx_arena_chunk *chunk = arena->chunks;

        arena->chunks = chunk->next;
        if (kept == NULL && chunk->size == CHUNK_SIZE_USUAL) {
            kept = chunk;
        } else {
            cx_free(chunk);
        }
    }
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
        arena->chunks = kept;
    }
}

void cx_arena_done(struct cx_arena *arena)
{
    while (arena->chunks != NULL) {
        struct cx_arena_chunk *next = arena->chunks->next;

        cx_free(arena->chunks);
        arena->chunks = next;
    }
}
