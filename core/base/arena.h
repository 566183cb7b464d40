/* Bump allocator: many small allocations, one release.
 *
 * Threads: one at a time. */

#ifndef CX_BASE_ARENA_H
#define CX_BASE_ARENA_H

#include <stddef.h>

struct cx_arena {
    struct cx_arena_chunk *chunks; /* Newest first. NULL while nothing was allocated. */
};

/* Allocates `size` bytes, not zeroed, aligned for any type. Returns NULL when out
 * of memory.
 *
 * The memory stays valid until cx_arena_done(); it is never freed on its own. */
void *cx_arena_alloc(struct cx_arena *arena, size_t size);

/* Like cx_arena_alloc(), zeroed. */
void *cx_arena_calloc(struct cx_arena *arena, size_t size);

/* Forgets everything it handed out and keeps one chunk of the usual size for
 * what comes next, so that an arena that is used again costs no allocation. */
void cx_arena_reset(struct cx_arena *arena);

/* Releases everything the arena handed out. Safe on a zeroed arena. */
void cx_arena_done(struct cx_arena *arena);

#endif /* CX_BASE_ARENA_H */
