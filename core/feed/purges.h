/* Which contexts were purged, and when: nothing of them is told any more, not even by earlier
 * events.
 *
 * What always holds:
 *
 *  (1) An event of a context is hidden from when a later purge of it is durable. (Who asks does
 *      not ask of those that end the context.)
 *  (2) What is remembered lies above the floor of the feed: below, nothing is told at all.
 *
 * Contexts go by the hashes of their names (64 bits).
 * Threads: any. */

#ifndef CX_FEED_PURGES_H
#define CX_FEED_PURGES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cx_purge {
    uint64_t hash;
    uint64_t revision; /* 0: nothing is here. */
};

struct cx_purges {
    uint64_t newest; /* The last purge's revision. Atomic; 0: there is none. */
    pthread_mutex_t mutex;
    struct cx_purge *slots; /* Open addressing. */
    size_t capacity;        /* A power of two, or 0. */
    size_t count;
    size_t reserved; /* Places that are kept for those to come. */
};

void cx_purges_init(struct cx_purges *purges);
void cx_purges_done(struct cx_purges *purges);

/* Keeps places for `count` more, or gives them back. False when out of memory. Amortized O(1). */
bool cx_purges_reserve(struct cx_purges *purges, size_t count);
void cx_purges_release(struct cx_purges *purges, size_t count);

/* Remembers a purge by the change of this revision, in a place that was kept. An earlier one of
 * the same context stays until this one is durable; `durable` is what is by now. O(1). */
void cx_purges_add(struct cx_purges *purges, uint64_t hash, uint64_t revision, uint64_t durable);

/* Whether an event of this context and revision is hidden, by a purge up to `durable`. O(1). */
bool cx_purges_hide(struct cx_purges *purges, uint64_t hash, uint64_t revision, uint64_t durable);

/* Forgets the purges up to the floor. O(purges). */
void cx_purges_forget(struct cx_purges *purges, uint64_t floor);

#endif /* CX_FEED_PURGES_H */
