/* A block: the events of a run of records, in memory, to be read by any number of
 * subscriptions.
 *
 * What always holds:
 *
 *  (1) A block is built by one thread, record after record. What it holds does not change
 *      once it was added, and does not move.
 *  (2) An event is encoded at most once for each form (with values and without), by whoever
 *      wants it first.
 *
 * Threads: cx_block_add() and cx_block_seal() belong to the builder. Others read the events
 * that the builder has published to them, by a lock of its own. */

#ifndef CX_FEED_BLOCK_H
#define CX_FEED_BLOCK_H

#include <pthread.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/feed/event.h"
#include "core/feed/filter.h"
#include "core/log/log.h"

/* An event of a sealed block, in the order of the names' hashes. */
struct cx_block_place {
    uint64_t hash;
    uint32_t event;
};

struct cx_block {
    uint64_t first; /* The first revision. */
    uint64_t next;  /* Behind the last one that was added. */
    struct cx_event *events;
    size_t event_count;
    size_t event_capacity;
    uint64_t payload_bytes;
    struct cx_arena arena;         /* Payloads and changes. */
    struct cx_block_place *places; /* Atomic. NULL: not sealed. */

    /* The feed's, under its lock: what others may see, and who holds it. */
    size_t shown_count;
    uint64_t shown_next;
    size_t holds;
    struct cx_block *garbage_next; /* Once nobody can find it any more. */
    uint64_t weight;               /* What it takes up, more or less, */
    uint64_t encoded_weight;       /* and how much of that is encoded. */
    uint64_t used;                 /* When it was looked at last, as a number that grows. */

    pthread_mutex_t encoding; /* Guards what follows. */
    struct cx_arena encoded_arena;
    struct cx_buffer scratch;
    const struct cx_bytes **encoded[2]; /* By event. Atomic; NULL: not encoded yet. */
    uint64_t encoded_bytes;             /* Atomic. */
};

/* Makes an empty block that begins with `first`. NULL when out of memory. */
struct cx_block *cx_block_new(uint64_t first);
void cx_block_free(struct cx_block *block); /* NULL is fine. */

/* Adds the next record: copies it. CX_OUT_OF_RANGE when the block is full (an empty one
 * never is), CX_DATA_LOSS when the record is no change, CX_RESOURCE_EXHAUSTED. */
CX_MUST_CHECK enum cx_status cx_block_add(struct cx_block *block,
                                          const struct cx_log_record *record);

/* Says that no more is added, so that events of one context are found without a look at the
 * others. Out of memory, they are found all the same. O(n log n). */
void cx_block_seal(struct cx_block *block);

/* The first event from `from` on, of the first `count`, that the filter selects; `count` when
 * there is none. */
size_t cx_block_find(const struct cx_block *block, const struct cx_event_filter *filter,
                     size_t from, size_t count);

/* The place of the first event at or behind this position; the number of events when there is
 * none. O(log n). */
size_t cx_block_seek(const struct cx_block *block, size_t count, uint64_t revision, uint32_t index);

/* The encoded event: valid as long as the block. Its data is NULL when out of memory. */
struct cx_bytes cx_block_encoded(struct cx_block *block, const struct cx_event_encoder *encoder,
                                 size_t event, bool without_values);

#endif /* CX_FEED_BLOCK_H */
