/* Where converters take memory from: a call, or an arena that is used again. What
 * they take is never freed on its own.
 *
 * Threads: one at a time. */

#ifndef CX_SERVICES_ALLOCATOR_H
#define CX_SERVICES_ALLOCATOR_H

#include <stddef.h>

struct cx_arena;
struct cx_call;

struct cx_allocator {
    void *(*alloc)(void *arg, size_t size); /* Not zeroed. NULL when out of memory. */
    void *arg;
};

static inline void *cx_allocator_alloc(const struct cx_allocator *allocator, size_t size)
{
    return allocator->alloc(allocator->arg, size);
}

/* Memory that lives as long as the call. */
struct cx_allocator cx_allocator_of_call(struct cx_call *call);

/* Memory that lives until the arena is reset or done. */
struct cx_allocator cx_allocator_of_arena(struct cx_arena *arena);

/* Memory of the heap: each piece is the caller's, to be freed with cx_free(). */
struct cx_allocator cx_allocator_of_heap(void);

/* A copy of `size` bytes with a NUL behind it. NULL when out of memory. */
char *cx_allocator_text(const struct cx_allocator *allocator, const void *bytes, size_t size);

#endif /* CX_SERVICES_ALLOCATOR_H */
