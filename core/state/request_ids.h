/* The requests that one shard has answered lately, so that a repeat is known.
 *
 * What always holds:
 *
 *  (1) A request is remembered for the window, or until there are more than the bound
 *      allows: then the oldest is forgotten first.
 *  (2) What is forgotten depends on the changes alone (their order and their times), so
 *      that replay forgets the same.
 *  (3) They outlive their context: a repeat after a delete is still known.
 *
 * Threads: belongs to the shard's lock. */

#ifndef CX_STATE_REQUEST_IDS_H
#define CX_STATE_REQUEST_IDS_H

#include "core/base/bytes.h"
#include "core/base/hash.h"

struct cx_request_record {
    struct cx_hash128 id;  /* Of namespace, context and request id. */
    uint64_t content_hash; /* Of what was asked for. */
    uint64_t version;      /* What the change made. */
    uint64_t revision;
    int64_t time_us;
};

/* A ring of records, oldest first, and a hash table of their places. Zeroed: empty.
 * Released with cx_request_ids_done(). */
struct cx_request_ids {
    struct cx_request_record *ring;
    uint32_t *places; /* 1 + a place in the ring; 0: free. Twice the capacity. */
    size_t capacity;  /* Of the ring: a power of two, or 0. */
    size_t first;
    size_t count;
};

/* The record of a request, borrowed, or NULL. O(1). */
const struct cx_request_record *cx_request_ids_find(const struct cx_request_ids *ids,
                                                    struct cx_hash128 id);

/* Makes room for `count` more. CX_RESOURCE_EXHAUSTED when out of memory. Amortized
 * O(1). */
CX_MUST_CHECK enum cx_status cx_request_ids_reserve(struct cx_request_ids *ids, size_t count);

/* Adds a record, for which there is room, and forgets those made before `keep_after_us`
 * and the oldest beyond `count_max`. One of the same id is found no more: parts of an
 * atomic batch may be remembered longer than the batch. Returns how many more records
 * there are now. */
int64_t cx_request_ids_add(struct cx_request_ids *ids, const struct cx_request_record *record,
                           int64_t keep_after_us, size_t count_max);

void cx_request_ids_done(struct cx_request_ids *ids);

#endif /* CX_STATE_REQUEST_IDS_H */
