/* What clients ask for, in the core's own words. All of it is borrowed from the
 * caller for the length of a call, and its form is right: names, sizes and counts
 * were checked against core/base/limits.h before (the core asserts what it relies
 * on).
 *
 * Threads: plain data. */

#ifndef CX_STATE_REQUEST_H
#define CX_STATE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

struct cx_context_name {
    struct cx_bytes namespace_id; /* Never empty. */
    struct cx_bytes id;
};

struct cx_label {
    struct cx_bytes key;
    struct cx_bytes value;
};

enum cx_mutation_kind {
    CX_MUTATION_PUT = 1,       /* key, value, content_type */
    CX_MUTATION_APPEND,        /* the same; expected_size */
    CX_MUTATION_DELETE,        /* key */
    CX_MUTATION_DELETE_PREFIX, /* key: the prefix, may be empty */
    CX_MUTATION_SET_LABEL,     /* key, value */
    CX_MUTATION_DELETE_LABEL,  /* key */
    CX_MUTATION_SET_EXPIRY,    /* ttl_us, sliding */
};

struct cx_mutation {
    enum cx_mutation_kind kind;
    bool has_expected_size;
    bool sliding; /* The time begins again with every change. */
    struct cx_bytes key;
    struct cx_bytes value;
    struct cx_bytes content_type;
    uint64_t expected_size;
    int64_t ttl_us; /* 0: for ever. */
};

enum cx_precondition_kind {
    CX_PRECONDITION_CONTEXT_VERSION = 1,
    CX_PRECONDITION_ENTRY_VERSION,
};

struct cx_precondition {
    enum cx_precondition_kind kind;
    struct cx_bytes key; /* Of the entry. */
    uint64_t version;    /* 0: must not exist. */
};

/* How a context begins. */
struct cx_new_context {
    struct cx_bytes type;
    struct cx_bytes parent_id; /* Empty: none. */
    bool create_parent;
    const struct cx_label *labels; /* By key, no key twice. */
    size_t label_count;
    int64_t ttl_us; /* 0: for ever. */
    bool sliding;
};

struct cx_create_request {
    struct cx_context_name name; /* An empty id: made up, from the request id if there is one. */
    struct cx_new_context properties;
    const struct cx_mutation *mutations;
    size_t mutation_count;
    struct cx_bytes request_id; /* Empty: none. */
};

struct cx_update_request {
    struct cx_context_name name;
    const struct cx_mutation *mutations; /* At least one. */
    size_t mutation_count;
    const struct cx_precondition *preconditions;
    size_t precondition_count;
    const struct cx_new_context *create_if_missing; /* NULL: do not. */
    struct cx_bytes request_id;
};

struct cx_delete_request {
    struct cx_context_name name;
    const struct cx_precondition *preconditions;
    size_t precondition_count;
    bool allow_missing;
    bool recursive;
    bool purge;
    struct cx_bytes request_id;
};

/* Which state of a context. */
struct cx_state_at {
    uint64_t version; /* 0: the newest. */
    int64_t time_us;  /* The newest that was made until then. 0: not asked for. Not both. */
};

struct cx_list_query {
    struct cx_bytes namespace_id;
    struct cx_bytes id_prefix; /* These four select all when empty. */
    struct cx_bytes type;
    struct cx_bytes parent_id;
    const struct cx_label *labels; /* All of them must be there. */
    size_t label_count;
    bool deleted;             /* Those that can still be brought back, instead. */
    struct cx_bytes after_id; /* Only ids behind this one. Empty: from the first. */
    size_t count_max;         /* 1 to CX_PAGE_SIZE_MAX. */
};

#endif /* CX_STATE_REQUEST_H */
