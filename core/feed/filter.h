/* Which events a subscription is about.
 *
 * What always holds:
 *
 *  (1) A filter selects events, never parts of them: it selects all parts of an event or
 *      none.
 *  (2) Whether it does follows from the event alone.
 *
 * Threads: plain data that does not change. */

#ifndef CX_FEED_FILTER_H
#define CX_FEED_FILTER_H

#include "core/feed/event.h"

/* All conditions must hold; one that is empty always does. */
struct cx_event_filter {
    struct cx_bytes namespace_id;
    const struct cx_bytes *context_ids;
    size_t context_id_count;
    struct cx_bytes id_prefix;
    struct cx_bytes type;
    const struct cx_label *labels; /* All of them, before the change or after it. */
    size_t label_count;
    uint32_t event_types;       /* A bit for each enum cx_event_type. 0: all. */
    struct cx_bytes key_prefix; /* Of an entry, if the event touches any. */

    /* Made by cx_event_filter_copy(): the hashes of the ids' names, sorted, each with the
     * place of its id. */
    const struct cx_filter_id *ids;
};

struct cx_filter_id {
    uint64_t hash;
    size_t place; /* In context_ids. */
};

/* Whether just some contexts are selected; then sessions are not. */
static inline bool cx_event_filter_selects_contexts(const struct cx_event_filter *filter)
{
    return filter->context_id_count > 0 || filter->id_prefix.size > 0 || filter->type.size > 0 ||
           filter->label_count > 0;
}

/* Copies a filter with all that it points at, as one piece of memory: cx_free(). NULL when
 * out of memory. */
struct cx_event_filter *cx_event_filter_copy(const struct cx_event_filter *filter);

/* Whether the filter selects the event. O(log ids + labels + mutations). */
bool cx_event_filter_match(const struct cx_event_filter *filter, const struct cx_event *event);

/* Whether it selects contexts of this type, with these labels. */
bool cx_event_filter_match_kind(const struct cx_event_filter *filter, struct cx_bytes type,
                                struct cx_label_list labels);

/* Of the context ids, those of contexts of this shard: the first one behind `after`, in the
 * order of bytes. NULL: there is none. O(ids of the shard). */
const struct cx_bytes *cx_event_filter_next_id(const struct cx_event_filter *filter, unsigned shard,
                                               struct cx_bytes after);

/* A digest of what decides which contexts are selected, and how much of them a snapshot
 * shows. Takes a filter that was not copied too. */
uint64_t cx_event_filter_digest(const struct cx_event_filter *filter);

#endif /* CX_FEED_FILTER_H */
