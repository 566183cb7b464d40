/* Events: what one change did to one context or session, for those who subscribe.
 *
 * What always holds:
 *
 *  (1) The events of a change follow from the change alone, whoever asks and whenever:
 *      so that a place among them, an index, names the same event for ever.
 *  (2) They come in the order that docs/events.md gives.
 *  (3) Replaying the mutations of its events on a context as it was makes it as the change
 *      left it, unless one of them says `reset`. (Of a restore, but for the versions that its
 *      entries have again.)
 *
 * An event with many mutations is made of parts, each with an index of its own.
 * Threads: plain data, borrowed from the change. */

#ifndef CX_FEED_EVENT_H
#define CX_FEED_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/state/change.h"

/* The numbers are those of the API: they are stored in no place, but filters are sets of
 * them. */
enum cx_event_type {
    CX_EVENT_CREATED = 1,
    CX_EVENT_UPDATED = 2,
    CX_EVENT_DELETED = 3,
    CX_EVENT_EXPIRED = 4,
    CX_EVENT_RESTORED = 5,
    CX_EVENT_FORKED = 6,
    CX_EVENT_MERGED = 7,
    CX_EVENT_ACTIVITY = 8,
    CX_EVENT_ACTIVATED = 9,
    CX_EVENT_DEACTIVATED = 10,
    CX_EVENT_POINT_CREATED = 11,
    CX_EVENT_POINT_DELETED = 12,
    CX_EVENT_SESSION_STARTED = 14,
    CX_EVENT_SESSION_ENDED = 15,
    CX_EVENT_SESSION_LOST = 16,
    CX_EVENT_HISTORY_TRIMMED = 17,
    CX_EVENT_POINT_UPDATED = 18,
    CX_EVENT_SESSION_SWITCHED = 19,
};

struct cx_event {
    enum cx_event_type type;
    bool last;      /* Of its change. */
    bool more;      /* The next one is a further part of it. */
    bool reset;     /* Its mutations are not told: too large, or not known. */
    uint32_t index; /* Among the events of the change, from 0. */
    uint64_t revision;
    int64_t time_us;
    struct cx_bytes namespace_id;
    uint64_t hash; /* Of the context's name, as in cx_name_key. Of a session: 0. */
    const struct cx_change_item *item;           /* The context's. NULL: of a session. */
    const struct cx_session_change *session;     /* NULL: of a context. */
    const struct cx_activation_step *activation; /* Of the two types that it belongs to. */
    const struct cx_point_step *point;           /* Of the three types that it belongs to. */
    const struct cx_op *ops;                     /* The mutations of this part. */
    size_t op_count;
    uint64_t first_sequence; /* Of the activities among them. 0: there are none. */
};

/* How many events a change makes. O(mutations + steps on points). */
size_t cx_event_count(const struct cx_change *change);

/* Makes them: `ret_events` has room for cx_event_count(). */
void cx_event_make(const struct cx_change *change, uint64_t revision, int64_t time_us,
                   struct cx_event *ret_events);

/* Turns events into what subscribers get. */
struct cx_event_encoder {
    /* Appends an event, encoded. CX_RESOURCE_EXHAUSTED when out of memory. Called by any
     * thread. */
    enum cx_status (*encode)(void *arg, const struct cx_event *event, bool without_values,
                             struct cx_buffer *buffer);
    void *arg;
};

#endif /* CX_FEED_EVENT_H */
