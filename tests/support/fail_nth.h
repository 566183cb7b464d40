/* Makes the n-th allocation fail, and those behind it, for loops over every n:
 *
 *     for (size_t nth = 1; ; nth++) {
 *         fail_nth_begin(&fail, nth);
 *         status = what_is_tested();
 *         if (!fail_nth_end(&fail)) break;   // It needed fewer allocations.
 *         ... status must be a failure, and nothing changed ...
 *     }
 *
 * Threads: no other thread may allocate between begin and end. */

#ifndef CX_TESTS_SUPPORT_FAIL_NTH_H
#define CX_TESTS_SUPPORT_FAIL_NTH_H

#include "core/base/memory.h"

struct fail_nth {
    size_t nth;   /* The first that fails; 1 is the next one. */
    size_t count; /* Allocations that were asked for. */
};

static inline bool fail_nth_hook(void *arg, size_t size)
{
    struct fail_nth *fail = (struct fail_nth *)arg;

    (void)size;
    fail->count++;
    return fail->count < fail->nth;
}

static inline void fail_nth_begin(struct fail_nth *fail, size_t nth)
{
    fail->nth = nth;
    fail->count = 0;
    cx_memory_set_hook(fail_nth_hook, fail);
}

/* Returns whether any allocation failed. */
static inline bool fail_nth_end(struct fail_nth *fail)
{
    cx_memory_set_hook(NULL, NULL);
    return fail->count >= fail->nth;
}

#endif /* CX_TESTS_SUPPORT_FAIL_NTH_H */
