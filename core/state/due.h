/* What is due when: what a timer of one shard will have to look at, as a binary heap.
 *
 * Threads: belongs to the shard's lock. */

#ifndef CX_STATE_DUE_H
#define CX_STATE_DUE_H

#include "core/base/bytes.h"
#include "core/base/container_of.h"

/* A part of whatever can be due: where it is in the heap, from 1. 0: it is not. */
struct cx_due_mark {
    uint32_t place;
};

struct cx_due_slot {
    int64_t time_us;
    struct cx_due_mark *mark;
};

/* Zeroed: empty. Released with cx_due_done(). */
struct cx_due {
    struct cx_due_slot *slots;
    size_t capacity;
    size_t count;
};

/* Makes room for `count` more. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_due_reserve(struct cx_due *due, size_t count);

/* Says when something is due, instead of what was said before; 0: never. Room was
 * reserved for one that was not there. O(log n). */
void cx_due_set(struct cx_due *due, struct cx_due_mark *mark, int64_t time_us);

/* What is due first and its time, or NULL. O(1). */
struct cx_due_mark *cx_due_first(const struct cx_due *due, int64_t *ret_time_us);

void cx_due_done(struct cx_due *due);

#endif /* CX_STATE_DUE_H */
