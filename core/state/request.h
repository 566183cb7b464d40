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

/* Who writes. Zeroed: nobody says. */
struct cx_author {
    struct cx_bytes session_id; /* Empty: none. */
    uint64_t fence;             /* 0: not checked, unless an activation guards the context. */
};

/* ---- Activities. ------------------------------------------------------------ */

struct cx_file_operation {
    struct cx_bytes path; /* Never empty. */
    struct cx_bytes operation;
    struct cx_bytes source;
};

struct cx_model_usage {
    struct cx_bytes provider;
    struct cx_bytes model;
    struct cx_bytes mode;
    struct cx_bytes currency; /* Never empty. */
    uint64_t input_tokens;
    uint64_t output_tokens;
    uint64_t cached_tokens;
    uint64_t cost_micros;
    int64_t latency_us; /* Not negative. */
};

enum cx_resource_step {
    CX_RESOURCE_ACQUIRED = 1,
    CX_RESOURCE_RELEASED,
    CX_RESOURCE_RECLAIMED, /* The session ended without giving it back. */
};

struct cx_resource_event {
    struct cx_bytes name; /* Never empty. */
    struct cx_bytes type;
    enum cx_resource_step step;
};

enum cx_detail_kind {
    CX_DETAIL_NONE = 0,
    CX_DETAIL_FILE,
    CX_DETAIL_MODEL,
    CX_DETAIL_RESOURCE, /* Only the server's own activities. */
};

struct cx_detail {
    enum cx_detail_kind kind;
    union {
        struct cx_file_operation file;
        struct cx_model_usage model;
        struct cx_resource_event resource;
    };
};

/* What an activity says. */
struct cx_activity_content {
    struct cx_bytes type; /* Never empty. */
    struct cx_bytes content_type;
    struct cx_bytes data;
    const struct cx_label *labels; /* By key, no key twice. */
    size_t label_count;
    struct cx_detail detail;
};

/* ---- Contexts. -------------------------------------------------------------- */

/* Which recovery points to keep: those that any rule keeps. */
struct cx_retention {
    uint64_t keep_last;     /* The newest so many. 0, like the next two: no rule. */
    uint64_t keep_every;    /* Whose sequence is a multiple. */
    int64_t keep_within_us; /* Younger ones. */
};

static inline bool cx_retention_is_set(const struct cx_retention *retention)
{
    return retention->keep_last != 0 || retention->keep_every != 0 ||
           retention->keep_within_us != 0;
}

/* Which points a context gets by itself, and which it keeps. Zeroed: the server's. */
struct cx_recovery_policy {
    bool is_set;
    struct cx_retention retention; /* No rule: the server's. */
    uint64_t point_every_changes;  /* 0: never, like the next. */
    int64_t point_every_us;
};

enum cx_mutation_kind {
    CX_MUTATION_PUT = 1,       /* key, value, content_type */
    CX_MUTATION_APPEND,        /* the same; expected_size */
    CX_MUTATION_DELETE,        /* key */
    CX_MUTATION_DELETE_PREFIX, /* key: the prefix, may be empty */
    CX_MUTATION_SET_LABEL,     /* key, value */
    CX_MUTATION_DELETE_LABEL,  /* key */
    CX_MUTATION_SET_EXPIRY,    /* ttl_us, sliding */
    CX_MUTATION_RECORD,        /* activity */
    CX_MUTATION_SET_POLICY,    /* policy */
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
    const struct cx_activity_content *activity;
    const struct cx_recovery_policy *policy;
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
    struct cx_recovery_policy policy;
};

struct cx_create_request {
    struct cx_context_name name; /* An empty id: made up, from the request id if there is one. */
    struct cx_new_context properties;
    const struct cx_mutation *mutations;
    size_t mutation_count;
    struct cx_author author;    /* Without a fence. */
    struct cx_bytes request_id; /* Empty: none. */
};

struct cx_update_request {
    struct cx_context_name name;
    const struct cx_mutation *mutations; /* At least one. */
    size_t mutation_count;
    const struct cx_precondition *preconditions;
    size_t precondition_count;
    const struct cx_new_context *create_if_missing; /* NULL: do not. */
    bool wants_sequence; /* The answer is the last sequence, instead of the version. */
    struct cx_author author;
    struct cx_bytes request_id;
};

struct cx_delete_request {
    struct cx_context_name name;
    const struct cx_precondition *preconditions;
    size_t precondition_count;
    bool allow_missing;
    bool recursive;
    bool purge;
    struct cx_author author;
    struct cx_bytes request_id;
};

/* Which state of a context. Zeroed: the newest; else one of these. */
struct cx_state_at {
    uint64_t version;
    int64_t time_us; /* The one that was the newest at that time. */
    struct cx_bytes point_id;
};

static inline bool cx_state_at_is_newest(const struct cx_state_at *at)
{
    return at->version == 0 && at->time_us == 0 && at->point_id.size == 0;
}

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

/* ---- Sessions and activation. ----------------------------------------------- */

/* The session ids are the server's: those that are no such id are just not found. */
struct cx_session_name {
    struct cx_bytes namespace_id; /* Never empty. */
    struct cx_bytes id;
};

struct cx_session_start_request {
    struct cx_session_name name; /* An empty id: made up, from the request id if there is one. */
    struct cx_bytes owner;
    const struct cx_label *labels; /* By key, no key twice. */
    size_t label_count;
    int64_t ttl_us;
    struct cx_bytes default_context_id;             /* Empty: none. */
    const struct cx_new_context *create_if_missing; /* NULL: contexts must be there. */
    uint64_t max_active_contexts;
    bool point_on_loss; /* Its exclusive contexts get a recovery point when it is lost. */
    struct cx_bytes request_id;
};

struct cx_session_end_request {
    struct cx_session_name name;
    struct cx_bytes request_id;
};

/* Activates, switches to, or deactivates a context. */
struct cx_activation_request {
    struct cx_context_name name;
    struct cx_bytes session_id;
    bool exclusive; /* These three: only of one that activates. */
    bool takeover;
    bool guard;
    uint64_t fence; /* 0: not checked. */
    struct cx_bytes request_id;
};

/* Takes a resource of a context, or gives it back. */
struct cx_resource_request {
    struct cx_context_name name;
    struct cx_bytes session_id;
    struct cx_bytes resource; /* Never empty. */
    struct cx_bytes type;     /* These: only of one that takes it. */
    const struct cx_label *labels;
    size_t label_count;
    uint64_t fence;
    struct cx_bytes request_id;
};

struct cx_session_query {
    struct cx_bytes namespace_id;
    struct cx_bytes owner;         /* Empty: all. */
    uint64_t after_start_revision; /* Only those that were started later. 0: all. */
    size_t count_max;              /* 1 to CX_PAGE_SIZE_MAX. */
};

/* ---- Histories. ------------------------------------------------------------- */

struct cx_truncate_request {
    struct cx_context_name name;
    uint64_t from_sequence; /* The first to keep. 0: from_time_us says so. */
    int64_t from_time_us;
    struct cx_author author;
    struct cx_bytes request_id;
};

struct cx_optimize_request {
    struct cx_context_name name;
    uint64_t max_bytes; /* 0: no bound. */
    uint64_t max_count; /* 0: no bound. */
    bool deduplicate;
    bool dry_run;
    struct cx_author author;
    struct cx_bytes request_id;
};

struct cx_activity_query {
    struct cx_context_name name;
    const struct cx_bytes *types; /* None: all. */
    size_t type_count;
    int64_t start_time_us; /* From here on. 0: from the first. */
    int64_t end_time_us;   /* Before this. 0: to the last. */
    bool newest_first;
    uint64_t from_sequence; /* In the order of the list. 0: from where it begins. */
    size_t count_max;       /* 1 to CX_PAGE_SIZE_MAX. */
};

/* The files of a context, or the resources that are held, by path or name. */
struct cx_tracked_query {
    struct cx_context_name name;
    struct cx_bytes prefix;
    struct cx_bytes after; /* Only those behind this one. Empty: from the first. */
    size_t count_max;      /* 1 to CX_PAGE_SIZE_MAX. */
};

#endif /* CX_STATE_REQUEST_H */
