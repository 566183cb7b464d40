/* Contexts of a snapshot as events, those that are too large for one message in parts.
 *
 * What always holds:
 *
 *  (1) All parts but the last say `more`, and their cursor leads to the context's beginning.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_SNAPSHOT_MESSAGE_H
#define CX_SERVICES_SNAPSHOT_MESSAGE_H

#include "core/state/snapshot.h"
#include "server/services/draft.h"
#include "server/services/token.h"

enum { CX_CURSOR_TEXT_SIZE_MAX = 511 };

/* How much of a context was told. */
struct cx_snapshot_part {
    const struct cx_snapshot *context; /* Borrowed. NULL: all of it. */
    struct cx_entry_walk walk;
    char start[CX_CURSOR_TEXT_SIZE_MAX + 1]; /* The cursor before it, and behind it. */
    char end[CX_CURSOR_TEXT_SIZE_MAX + 1];
};

/* Begins a context, of which the entries with this prefix are told. */
void cx_snapshot_part_begin(struct cx_snapshot_part *part, const struct cx_snapshot *context,
                            struct cx_bytes key_prefix, const char *start, const char *end);

/* Whether there is a part left to tell. */
static inline bool cx_snapshot_part_is_open(const struct cx_snapshot_part *part)
{
    return part->context != NULL;
}

/* Makes the next part: as many entries as fill `room` bytes, at least one. NULL, with
 * draft->failed, when out of memory. */
EventMessage *cx_snapshot_part_message(struct cx_draft *draft, struct cx_snapshot_part *part,
                                       bool without_values, struct cx_bytes key_prefix,
                                       uint64_t room);

#endif /* CX_SERVICES_SNAPSHOT_MESSAGE_H */
