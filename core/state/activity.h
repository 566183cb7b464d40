/* One activity of a history: immutable, counted, an item of the context's history.
 *
 * Small data lie in the activity itself; larger ones are made of chunks, shared with
 * the values of entries that hold the same.
 *
 * Threads: any number may hold references. */

#ifndef CX_STATE_ACTIVITY_H
#define CX_STATE_ACTIVITY_H

#include "core/state/labels.h"
#include "core/state/tracking.h"
#include "core/tree/tree.h"
#include "core/tree/value.h"

struct cx_activity {
    struct cx_tree_item item; /* The key: the sequence, its highest byte first. */
    int64_t time_us;          /* Of its change. Set when that is applied; 0 before. */
    struct cx_labels *labels; /* A reference. */
    struct cx_value *value;   /* NULL: the data are inline. */
    uint32_t inline_size;
    uint16_t detail_size; /* Encoded. */
    uint8_t session_size;
    uint8_t type_size;
    uint8_t content_type_size;
    uint8_t bytes[]; /* The key, session id, type, content type, detail, inline data. */
};

extern const struct cx_tree_class cx_activity_class;

static inline struct cx_activity *cx_activity_of(struct cx_tree_item *item)
{
    return (struct cx_activity *)item; /* Its first member. */
}

/* The key of a sequence, to look for. */
struct cx_sequence_key {
    uint8_t bytes[8];
};

void cx_sequence_key_init(struct cx_sequence_key *key, uint64_t sequence);
struct cx_bytes cx_sequence_key_bytes(const struct cx_sequence_key *key);

/* The caller owns a reference of *ret_activity. CX_RESOURCE_EXHAUSTED when out of
 * memory. */
CX_MUST_CHECK enum cx_status cx_activity_new(struct cx_chunk_table *table, uint64_t sequence,
                                             struct cx_bytes session_id,
                                             const struct cx_activity_content *content,
                                             struct cx_activity **ret_activity);

void cx_activity_unref(struct cx_activity *activity); /* NULL is fine. */

/* Its number in the history. */
uint64_t cx_activity_sequence(const struct cx_activity *activity);

/* Bytes of data and labels: what counts for the bounds of a history. */
uint64_t cx_activity_weight(const struct cx_activity *activity);
uint64_t cx_activity_content_weight(const struct cx_activity_content *content);

/* What it says, borrowed from it. O(size of the detail). */
void cx_activity_view(const struct cx_activity *activity, struct cx_activity_view *ret_view);
struct cx_bytes cx_activity_type(const struct cx_activity *activity);

/* Copies the data into `memory`, which has room for them. */
void cx_activity_read(const struct cx_activity *activity, uint8_t *memory);

/* Whether two of the same chunk table have the same type, data and detail: one repeats the
 * other. O(what is not in chunks). */
bool cx_activity_repeats(const struct cx_activity *a, const struct cx_activity *b);

/* A number that is the same for those that repeat each other; only within a process. O(what
 * is not in chunks). */
uint64_t cx_activity_hash(const struct cx_activity *activity);

/* Continues a digest over all of it. O(size). */
uint64_t cx_activity_mix(uint64_t digest, const struct cx_activity *activity);

#endif /* CX_STATE_ACTIVITY_H */
