/* What clients ask of recovery points, forks, merges and earlier states, in the core's own
 * words, and what they are told.
 *
 * What always holds:
 *
 *  (1) Requests are borrowed from the caller for the length of a call, and their form is
 *      right, as request.h says.
 *  (2) Views never change, whatever happens to what they were taken from. They hold no lock;
 *      they hold memory until their _done().
 *
 * Threads: plain data; a view is used by one thread at a time, any. */

#ifndef CX_STATE_RECOVERY_H
#define CX_STATE_RECOVERY_H

#include "core/state/request.h"
#include "core/state/snapshot.h"

/* ---- Requests. -------------------------------------------------------------- */

/* Something that lies beside the state of a point. */
struct cx_attachment {
    struct cx_bytes key; /* Never empty. */
    struct cx_bytes content_type;
    struct cx_bytes value;
};

struct cx_create_point_request {
    struct cx_context_name name;
    struct cx_bytes point_id;      /* Empty: made up, from the request id if there is one. */
    struct cx_bytes from_point_id; /* Empty: from the head. */
    const struct cx_mutation *mutations;
    size_t mutation_count;
    bool move_head;
    bool pinned;
    bool replace;
    const struct cx_label *labels; /* By key, no key twice. */
    size_t label_count;
    const struct cx_attachment *attachments; /* No key twice. */
    size_t attachment_count;
    int64_t ttl_us;                                 /* 0: for ever. */
    const struct cx_new_context *create_if_missing; /* NULL: do not. */
    const struct cx_precondition *preconditions;
    size_t precondition_count;
    struct cx_author author;
    struct cx_bytes request_id;
};

enum cx_pin { CX_PIN_AS_IT_IS = 0, CX_PIN_ON, CX_PIN_OFF };

struct cx_update_point_request {
    struct cx_context_name name;
    struct cx_bytes point_id;
    const struct cx_label *set_labels; /* By key, no key twice. */
    size_t set_label_count;
    const struct cx_bytes *delete_labels; /* Keys. */
    size_t delete_label_count;
    const struct cx_attachment *put_attachments; /* No key twice, also not among the next. */
    size_t put_attachment_count;
    const struct cx_attachment *add_attachments;
    size_t add_attachment_count;
    const struct cx_bytes *delete_attachments; /* Keys. */
    size_t delete_attachment_count;
    int64_t ttl_us; /* 0: as it is, unless clear_expiry. */
    bool clear_expiry;
    enum cx_pin pin;
    bool allow_missing;
    struct cx_author author;
    struct cx_bytes request_id;
};

struct cx_delete_point_request {
    struct cx_context_name name;
    struct cx_bytes point_id;
    struct cx_author author;
    struct cx_bytes request_id;
};

struct cx_prune_request {
    struct cx_bytes namespace_id;
    struct cx_bytes context_id;    /* Empty: all whose ids begin with */
    struct cx_bytes id_prefix;     /* this. */
    const struct cx_label *labels; /* Drop those with all of these. None: no such rule. */
    size_t label_count;
    struct cx_retention policy; /* Drop what no rule of it keeps. No rule: nothing for that. */
    bool dry_run;
    struct cx_author author;
    struct cx_bytes request_id;
};

struct cx_restore_request {
    struct cx_context_name name;
    struct cx_state_at at; /* Nothing: the newest point; of a deleted context, its last state. */
    bool safety_point;
    bool undelete;
    const struct cx_precondition *preconditions;
    size_t precondition_count;
    struct cx_author author;
    struct cx_bytes request_id;
};

struct cx_fork_request {
    struct cx_context_name source;
    struct cx_state_at at;
    struct cx_bytes id; /* Of the fork. Empty: made up, from the request id if there is one. */
    bool with_history;
    bool with_points;
    const struct cx_new_context *properties; /* NULL: those of the source. */
    struct cx_author author;                 /* Without a fence. */
    struct cx_bytes request_id;
};

enum cx_on_conflict { CX_CONFLICT_REPORT = 0, CX_CONFLICT_TAKE_TARGET, CX_CONFLICT_TAKE_SOURCE };

struct cx_conflict_rule {
    struct cx_bytes key; /* Of an entry. */
    enum cx_on_conflict rule;
};

struct cx_merge_request {
    struct cx_context_name source;
    struct cx_state_at source_at;
    struct cx_context_name target;
    struct cx_context_name ancestor; /* An empty id: found from forks and merges. */
    struct cx_state_at ancestor_at;
    enum cx_on_conflict on_conflict;
    const struct cx_conflict_rule *rules; /* By key, no key twice. */
    size_t rule_count;
    bool dry_run;
    bool safety_point;
    const struct cx_precondition *preconditions;
    size_t precondition_count;
    struct cx_author author;
    struct cx_bytes request_id;
};

/* Some of the points of one context, or of all whose ids begin with a prefix; newest
 * first. */
struct cx_point_query {
    struct cx_bytes namespace_id;
    struct cx_bytes context_id; /* Empty: many contexts. */
    struct cx_bytes id_prefix;
    const struct cx_label *labels; /* All of them must be the point's. */
    size_t label_count;
    struct cx_bytes before_id;    /* Only those before this point. Of one context. */
    struct cx_bytes ancestors_of; /* Only its ancestors, nearest first. Of one context. */

    /* Where to go on, from cx_point_page. Zeroed: from the first. */
    uint64_t after_sequence;
    uint64_t after_revision; /* These two: of many contexts. */
    struct cx_bytes after_context_id;
    size_t count_max; /* 1 to CX_PAGE_SIZE_MAX. */
};

/* ---- Answers. --------------------------------------------------------------- */

enum cx_point_origin {
    CX_ORIGIN_CLIENT = 1, /* The numbers are those of the API, and stored. */
    CX_ORIGIN_POLICY = 2,
    CX_ORIGIN_SAFETY = 3,
    CX_ORIGIN_SESSION_LOSS = 4,
};

struct cx_point;

/* One recovery point, with its state. */
struct cx_point_view {
    struct cx_bytes id;
    struct cx_bytes parent_id; /* Empty: none. */
    uint64_t sequence;
    uint64_t revision; /* Of its creation. */
    int64_t create_time_us;
    int64_t expire_time_us; /* 0: never. */
    bool pinned;
    enum cx_point_origin origin;
    const struct cx_label *labels;
    size_t label_count;
    uint64_t attachment_count;

    /* The state that it keeps: `version`, `entry_count` and `size_bytes` are the point's. */
    struct cx_snapshot state;

    /* The view's own. */
    struct cx_tree attachments; /* Entries of version 0. */
    struct cx_point *point;
    struct cx_point *parent;
};

/* Safe on a zeroed one, and twice. */
void cx_point_view_done(struct cx_point_view *view);

/* The attachments as a walk: like cx_snapshot_walk(). */
void cx_point_walk_attachments(const struct cx_point_view *view, struct cx_bytes key,
                               struct cx_entry_walk *ret_walk);

struct cx_point_page {
    struct cx_point_view *rows;
    size_t count;
    bool more; /* There may be more behind the last one that was looked at: */
    uint64_t last_sequence;
    uint64_t last_revision;
    struct cx_bytes last_context_id; /* Borrowed from the page. */
    uint8_t last_context_id_held[256];
};

/* Safe on a zeroed one. */
void cx_point_page_done(struct cx_point_page *page);

/* What both sides of a merge changed, each in its own way. */
struct cx_merge_conflict {
    struct cx_bytes key;
    bool in_labels;
    bool has_ancestor; /* Which of these three exist. Of a label: only the values. */
    bool has_target;
    bool has_source;
    struct cx_entry_view ancestor;
    struct cx_entry_view target;
    struct cx_entry_view source;
    struct cx_bytes ancestor_label;
    struct cx_bytes target_label;
    struct cx_bytes source_label;
};

struct cx_merge_result {
    bool applied;           /* Or there was nothing to do; false while conflicts are left. */
    uint64_t changed_count; /* Entries. */
    const struct cx_merge_conflict *conflicts; /* The first CX_CONFLICTS_TOLD_MAX. */
    size_t told_count;
    uint64_t conflict_count;
    struct cx_snapshot states[3]; /* Ancestor, target, source: what the conflicts point into. */
    void *memory;                 /* The result's own. */
};

/* Safe on a zeroed one. */
void cx_merge_result_done(struct cx_merge_result *result);

#endif /* CX_STATE_RECOVERY_H */
