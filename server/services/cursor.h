/* Cursors: texts that name a position among the events, or in the middle of a snapshot.
 *
 * What always holds:
 *
 *  (1) A cursor is taken back only by the log that it was made for; one of a snapshot only with
 *      the filter that it was made with.
 *  (2) Cursors of positions are the same for everybody: events are encoded with them once.
 *
 * They are tokens (token.h): kind CX_TOKEN_CURSOR, the position's revision, and as key its index
 * (4 bytes) unless that is 0; or kind CX_TOKEN_SNAPSHOT, the filter's digest, the revision, and as
 * key the index, the shard (1 byte) and the id. Numbers with the lowest byte first.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CURSOR_H
#define CX_SERVICES_CURSOR_H

#include "core/engine/subscription.h"
#include "server/services/convert_request.h"
#include "server/services/token.h"

struct cx_cursor {
    struct cx_feed_position position; /* {0, 0}: before the log's epoch. */
    bool in_snapshot;
    struct cx_snapshot_place place; /* Then. */
};

/* What the cursors of an engine's log have in common. */
struct cx_token_scope cx_cursor_scope(const struct cx_engine *engine);

/* A C string. NULL when out of memory. `filter_digest` matters in a snapshot alone. */
char *cx_cursor_encode(const struct cx_allocator *allocator, const struct cx_token_scope *scope,
                       uint64_t filter_digest, const struct cx_cursor *cursor);

/* Takes the field `cursor` of a request. One of an earlier epoch has the position {0, 0}: what it
 * named may be lost. Fails with INVALID_FIELD. What it points at is in the conversion's
 * memory. */
CX_MUST_CHECK enum cx_status cx_cursor_decode(struct cx_conversion *conversion,
                                              const struct cx_token_scope *scope,
                                              uint64_t filter_digest, const char *text,
                                              struct cx_cursor *ret_cursor);

#endif /* CX_SERVICES_CURSOR_H */
