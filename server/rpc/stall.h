/* Sends that must be gone by a certain time: which of them are late.
 *
 * Threads: one at a time. */

#ifndef CX_RPC_STALL_H
#define CX_RPC_STALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One send, embedded in its call. Zeroed: not watched. */
struct cx_stall {
    struct cx_stall *next;
    struct cx_stall *prev;
    int64_t limit_us;
    int64_t late_at_us;
    bool watched;
};

/* What is watched on one queue. */
struct cx_stalls {
    struct cx_stall *first;
    int64_t check_at_us; /* Nothing is late before. Meaningless while there is nothing. */
};

/* Watches a send that began at `now_us` and is late `limit_us` after that. O(1). */
void cx_stalls_add(struct cx_stalls *stalls, struct cx_stall *stall, int64_t now_us,
                   int64_t limit_us);

/* Stops watching. Fine for one that is not watched. O(1). */
void cx_stalls_remove(struct cx_stalls *stalls, struct cx_stall *stall);

/* Removes and returns one that is late at `now_us`, or NULL. O(1) before
 * `check_at_us`, else O(watched). */
struct cx_stall *cx_stalls_take_late(struct cx_stalls *stalls, int64_t now_us);

#endif /* CX_RPC_STALL_H */
