/* What is due when: the contexts of one shard that a timer will have to change, as a
 * binary heap.
 *
 * Threads: belongs to the shard's lock. */

#ifndef CX_STATE_DUE_H
#define CX_STATE_DUE_H

#include "core/base/bytes.h"

struct cx_context;

struct cx_due_slot {
    int64_t time_us;
    struct cx_context *context; /* Its `due_index` is the slot's place, from 1. */
};

/* Zeroed: empty. Released with cx_due_done(). */
struct cx_due {
    struct cx_due_slot *slots;
    size_t capacity;
    size_t count;
};

/* Makes room for `count` more. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_due_reserve(struct cx_due *due, size_t count);

/* Says when a context is due, instead of what was said before; 0: never. Room was
 * reserved for one that was not there. O(log n). */
void cx_due_set(struct cx_due *due, struct cx_context *context, int64_t time_us);

/* The context that is due first and its time, or NULL. O(1). */
struct cx_context *cx_due_first(const struct cx_due *due, int64_t *ret_time_us);

void cx_due_done(struct cx_due *due);

#endif /* CX_STATE_DUE_H */
