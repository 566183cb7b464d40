/* What is told of sessions, histories, files, usage and resources: copies and shared
 * pieces, to be read at leisure.
 *
 * What always holds:
 *
 *  (1) None of it changes, whatever happens to what it was taken from.
 *  (2) It holds no lock; it holds memory until its _done() or _free().
 *  (3) What a row points at is borrowed from its page or view.
 *
 * Threads: each is used by one thread at a time, any. */

#ifndef CX_STATE_TRACKING_H
#define CX_STATE_TRACKING_H

#include "core/state/request.h"
#include "core/tree/tree.h"

/* ---- Sessions. -------------------------------------------------------------- */

struct cx_activation_view {
    struct cx_bytes context_id;
    uint64_t fence; /* 0: shared. */
    bool exclusive;
    int64_t time_us;
};

/* One session as it was. One piece of memory. */
struct cx_session_view {
    struct cx_bytes namespace_id;
    struct cx_bytes id;
    struct cx_bytes owner;
    const struct cx_label *labels;
    size_t label_count;
    int64_t create_time_us;
    int64_t expire_time_us;
    uint64_t start_revision;
    const struct cx_activation_view *activations; /* Oldest first. */
    size_t activation_count;
    struct cx_bytes current_context_id; /* Empty: none. */
};

/* NULL is fine. */
void cx_session_view_free(struct cx_session_view *view);

/* Some of the live sessions of a namespace, oldest first. */
struct cx_session_page {
    struct cx_session_view **rows;
    size_t count;
    bool more;                    /* There may be more behind `last_start_revision`. */
    uint64_t last_start_revision; /* Of the last one that was looked at. */
};

/* Safe on a zeroed one. */
void cx_session_page_done(struct cx_session_page *page);

/* Who has a context active. */
struct cx_context_status {
    bool exists;
    uint64_t version;
    uint64_t fence;
    bool guarded;
    struct cx_bytes *session_ids; /* Oldest activation first. */
    size_t session_count;
    struct cx_bytes exclusive_session_id; /* Empty: none. One of them. */
    void *memory;                         /* The status' own. */
};

/* Safe on a zeroed one. */
void cx_context_status_done(struct cx_context_status *status);

/* ---- Histories. ------------------------------------------------------------- */

struct cx_activity;

/* One activity of a page. */
struct cx_activity_view {
    uint64_t sequence;
    int64_t time_us;
    struct cx_bytes session_id; /* Empty: nobody said. */
    struct cx_bytes type;
    struct cx_bytes content_type;
    const struct cx_label *labels;
    size_t label_count;
    struct cx_detail detail;
    uint64_t data_size;
    const struct cx_activity *activity;
};

/* Copies the data into `memory`, which has room for `data_size` bytes. */
void cx_activity_data_copy(const struct cx_activity_view *view, uint8_t *memory);

/* Some activities of one history. */
struct cx_activity_page {
    struct cx_activity_view *rows;
    size_t count;
    bool more;              /* There may be more from `next_sequence` on. */
    uint64_t next_sequence; /* The first that was not looked at. */
    struct cx_tree history; /* The page's own. */
};

/* Safe on a zeroed one. */
void cx_activity_page_done(struct cx_activity_page *page);

/* What an optimize drops and keeps. Bytes are those of data and labels. */
struct cx_optimize_result {
    uint64_t removed_count;
    uint64_t removed_bytes;
    uint64_t kept_count;
    uint64_t kept_bytes;
};

/* ---- Tables. ---------------------------------------------------------------- */

struct cx_file_view {
    struct cx_file_operation last;
    int64_t time_us;
    uint64_t operation_count;
};

/* Some of the files of a context, by path. */
struct cx_file_page {
    struct cx_file_view *rows;
    size_t count;
    bool more;            /* There are more behind the last row. */
    struct cx_tree files; /* The page's own. */
};

/* Safe on a zeroed one. */
void cx_file_page_done(struct cx_file_page *page);

struct cx_resource_view {
    struct cx_bytes name;
    struct cx_bytes type;
    struct cx_bytes session_id;
    const struct cx_label *labels;
    size_t label_count;
    int64_t time_us;
};

/* Some of the resources of a context that are held, by name. */
struct cx_resource_page {
    struct cx_resource_view *rows;
    size_t count;
    bool more;                /* There are more behind the last row. */
    struct cx_tree resources; /* The page's own. */
};

/* Safe on a zeroed one. */
void cx_resource_page_done(struct cx_resource_page *page);

/* The sums of the calls of one model. */
struct cx_usage_total {
    struct cx_bytes provider;
    struct cx_bytes model;
    struct cx_bytes mode;
    struct cx_bytes currency;
    uint64_t call_count;
    uint64_t input_tokens;
    uint64_t output_tokens;
    uint64_t cached_tokens;
    uint64_t cost_micros;
    uint64_t latency_us;
};

/* What was used, by provider, model, mode and currency. One piece of memory. */
struct cx_usage_summary {
    struct cx_usage_total *totals;
    size_t count;
};

/* Safe on a zeroed one. */
void cx_usage_summary_done(struct cx_usage_summary *summary);

#endif /* CX_STATE_TRACKING_H */
