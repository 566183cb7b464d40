/* Opaque texts that name a place: page tokens and cursors.
 *
 * What always holds:
 *
 *  (1) A token is taken back only by the kind of list, with the filters, of the
 *      server's log that it was made for; one that was made up is not.
 *  (2) It survives a restart: its key is the log's id.
 *
 * Format, in base64url without padding: kind (1 byte), filters (8), epoch (8),
 * position (8), key (rest), checksum of all before it (8); numbers with the lowest
 * byte first.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_TOKEN_H
#define CX_SERVICES_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/state/recovery.h"
#include "core/state/request.h"
#include "server/services/allocator.h"

struct cx_engine;

enum cx_token_kind {
    CX_TOKEN_CONTEXTS = 1,
    CX_TOKEN_NAMESPACES = 2,
    CX_TOKEN_CURSOR = 3,
    CX_TOKEN_SESSIONS = 4,
    CX_TOKEN_ACTIVITIES = 5,
    CX_TOKEN_FILES = 6,
    CX_TOKEN_RESOURCES = 7,
    CX_TOKEN_SNAPSHOT = 8, /* A cursor in the middle of a snapshot. */
    CX_TOKEN_POINTS = 9,
};

enum {
    CX_TOKEN_KEY_SIZE_MAX = CX_FILE_PATH_SIZE_MAX, /* The longest of what lists go by. */
    CX_TOKEN_TEXT_SIZE_MAX = 2800,                 /* Of a token with such a key. */
};

/* What makes a list what it is. */
struct cx_token_scope {
    enum cx_token_kind kind;
    uint64_t filters; /* A hash of the query. */
    uint64_t log;     /* Names the log. */
    uint64_t epoch;   /* Of the log, now. */
};

/* The scope of a list of this engine's log. */
struct cx_token_scope cx_token_scope_of(const struct cx_engine *engine, enum cx_token_kind kind,
                                        uint64_t filters);

/* Hashes of everything that decides which rows a list shows, in which order. */
uint64_t cx_token_filters(const struct cx_list_query *query);
uint64_t cx_token_session_filters(const struct cx_session_query *query);
uint64_t cx_token_activity_filters(const struct cx_activity_query *query);
uint64_t cx_token_tracked_filters(const struct cx_tracked_query *query);
uint64_t cx_token_point_filters(const struct cx_point_query *query);

struct cx_token {
    uint64_t epoch;      /* Of `position`. */
    uint64_t position;   /* The revision before the first page; where lists without keys go on. */
    struct cx_bytes key; /* The list goes on behind it. At most CX_TOKEN_KEY_SIZE_MAX bytes. */
};

/* NULL when out of memory. */
char *cx_token_encode(const struct cx_allocator *allocator, const struct cx_token_scope *scope,
                      const struct cx_token *token);

/* False for a text that is no token of this scope, or when out of memory. The key
 * lies in the allocator's memory. */
bool cx_token_decode(const struct cx_allocator *allocator, const struct cx_token_scope *scope,
                     struct cx_bytes text, struct cx_token *ret_token);

#endif /* CX_SERVICES_TOKEN_H */
