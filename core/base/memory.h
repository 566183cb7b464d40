/* The memory of core/: counted, and able to fail on demand.
 *
 * What always holds:
 *
 *  (1) Whatever these functions gave is counted until it is freed, in the size
 *      that the allocator really set aside.
 *  (2) With a hook in place, the hook decides about every allocation first: so
 *      that a test can fail the n-th.
 *
 * Threads: any. Memory may be freed by another thread than the one that
 * allocated it. Counting touches only memory of the calling thread. */

#ifndef CX_BASE_MEMORY_H
#define CX_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

/* Returns NULL when out of memory or refused by the hook. Freed with cx_free(). */
void *cx_alloc(size_t size);

/* Like cx_alloc(), zeroed. */
void *cx_calloc(size_t size);

/* Like realloc(): on NULL the old block is as it was. */
void *cx_realloc(void *memory, size_t size);

/* Frees what the functions above gave. NULL is fine. */
void cx_free(void *memory);

/* Bytes that are allocated now, over all threads. O(threads); a sum of counters
 * that are read one after the other, exact when no other thread allocates. */
int64_t cx_memory_used(void);

/* Decides whether an allocation may happen. */
typedef bool (*cx_memory_hook)(void *arg, size_t size);

/* Puts a hook in place; NULL removes it. For tests: no other thread may allocate
 * meanwhile. */
void cx_memory_set_hook(cx_memory_hook hook, void *arg);

#endif /* CX_BASE_MEMORY_H */
