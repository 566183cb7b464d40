/* The engine: everything the service does, without the network. The only door into
 * core/.
 *
 * What always holds:
 *
 *  (1) A write has happened in memory when its function returns, and can be seen by
 *      others; it is on stable storage when the revision in `wait_for` is durable.
 *  (2) Nothing that a function returned, errors and absences included, may be told to
 *      a client before `wait_for` is durable: see cx_engine_wait().
 *  (3) A function that fails has changed nothing of what it was asked for, but for those that
 *      say that they go in several changes: then a part may be done. Sessions and contexts
 *      whose time was over may have ended.
 *  (4) Where several things are wrong, the first in this order is told: a repeated
 *      request id, existence, session, fence, preconditions, limits. Where the request
 *      itself is about a session, its existence comes before the context's.
 *  (5) Nothing blocks but short locks, and cx_engine_open(), _stop() and _close().
 *
 * Threads: all functions may be called by any thread between cx_engine_start() and
 * cx_engine_stop(), unless they say otherwise. */

#ifndef CX_ENGINE_ENGINE_H
#define CX_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/status.h"
#include "core/base/work.h"
#include "core/feed/event.h"
#include "core/state/request.h"
#include "core/state/settings.h"
#include "core/state/snapshot.h"
#include "core/state/tracking.h"

struct cx_clock;
struct cx_disk;
struct cx_engine;
struct cx_random;

struct cx_engine_options {
    struct cx_disk *disk; /* Borrowed, like the next two; all outlive the engine. */
    const struct cx_clock *clock;
    const struct cx_random *random;
    struct cx_settings settings;
    uint64_t value_size_max;
    uint64_t message_size_max;    /* Bounds what one change can weigh. */
    uint64_t memory_limit;        /* Bytes; 0: none. */
    uint64_t history_count_max;   /* Activities of a context. */
    uint64_t history_bytes_max;   /* Their data and labels. */
    uint64_t recovery_points_max; /* Kept of a context whose policy has no retention. */
    uint64_t segment_size;        /* Of the log; 0: the usual. */
    uint64_t subscriptions_max;
    uint64_t feed_retention_bytes;        /* How far back events are told, in bytes of the log, */
    int64_t feed_retention_age_us;        /* and in time; 0: no such bound. Both hold. */
    struct cx_event_encoder encode_event; /* For subscriptions. Its `arg` outlives the engine. */
    bool sync;                            /* false: nothing is ever synced; for caches and tests. */
    bool accept_data_loss;                /* Goes on after damage, in a new epoch. */
};

/* What the start found. */
struct cx_engine_report {
    bool created; /* There was nothing. */
    bool clean;   /* The last stop was a clean one. */
    bool data_lost;
    char data_loss[1024]; /* Which file, offset and contexts, then. */
    uint64_t torn_bytes;  /* Of writes that were never answered. */
    uint64_t revision;    /* The last change. */
    uint64_t context_count;
    uint64_t log_bytes;
    int64_t replay_us;
};

/* Opens what `options->disk` holds, creating it when it is empty, and replays it.
 * On success the caller owns *ret_engine: cx_engine_close(). On failure *ret_error
 * says what is wrong and what to do, and nothing was changed: CX_DATA_LOSS/DAMAGED,
 * CX_FAILED_PRECONDITION (in use, newer format), or what the disk said. */
CX_MUST_CHECK enum cx_status cx_engine_open(const struct cx_engine_options *options,
                                            struct cx_engine **ret_engine,
                                            struct cx_engine_report *ret_report,
                                            struct cx_error *ret_error);

/* Where the engine hands over what it finished. */
struct cx_engine_events {
    /* A list of struct cx_waiter, linked by `work`, whose revisions are durable (or will
     * never be: their `status`). Runs on the thread that found
     * out, mostly the log's: it must not block, and may come in the middle of
     * cx_engine_wait() after a failure. */
    void (*complete)(void *arg, struct cx_work *list);

    /* The disk failed: nothing is accepted any more, what was pending has failed. The
     * process must end. Runs once, on the thread that met it. */
    void (*failed)(void *arg, const char *message);

    /* The disk has no room for the next segment, or has room again. May be NULL. */
    void (*disk_full)(void *arg, bool full);
    void *arg;
};

/* Starts the threads: the log's writer, the preparer of segments, the timers. Until
 * then, and instead, cx_engine_step() does their work. */
CX_MUST_CHECK enum cx_status cx_engine_start(struct cx_engine *engine,
                                             const struct cx_engine_events *events);

/* One round of what the threads do, on the calling thread: for tests that own every
 * step. Not together with cx_engine_start(). `events` as there. */
void cx_engine_step(struct cx_engine *engine, const struct cx_engine_events *events);

/* Makes everything durable, completes every waiter, ends the threads. No other
 * function but cx_engine_close() may be called after. */
void cx_engine_stop(struct cx_engine *engine);

/* Releases the engine, with a mark of a clean stop in the log if it was stopped and
 * had not failed. NULL is fine. */
void cx_engine_close(struct cx_engine *engine);

/* ---- Waiting. --------------------------------------------------------------- */

/* True when everything up to `revision` is durable. Else takes over `waiter` until it
 * is: `complete` then gets it, once. O(1). */
bool cx_engine_wait(struct cx_engine *engine, uint64_t revision, struct cx_waiter *waiter);

/* ---- Writing. --------------------------------------------------------------- */

struct cx_write_outcome {
    uint64_t wait_for; /* Also set on failure. */
    uint64_t revision; /* 0: nothing was changed. */
    uint64_t version;  /* Of the context, after the change. */
    uint64_t sequence; /* Of the last activity that the change recorded, if it was wanted. */
    uint64_t count;    /* Contexts that a delete removed, activities that a truncate did. */
    bool replayed;     /* An earlier request of this id made the change. */
};

/* Creates a context. *ret_snapshot is the caller's: cx_snapshot_done(). For a
 * replay whose context is gone by now, only names and version are set (and not even
 * the names when nothing of it is left).
 * Fails with CONTEXT_EXISTS, PARENT_NOT_FOUND, SIZE_MISMATCH, REQUEST_ID_REUSED,
 * LIMIT_REACHED, STORAGE_FULL, OVERLOADED. */
CX_MUST_CHECK enum cx_status cx_engine_create(struct cx_engine *engine,
                                              const struct cx_create_request *request,
                                              struct cx_write_outcome *ret_outcome,
                                              struct cx_snapshot *ret_snapshot,
                                              struct cx_error *ret_error);

/* Changes a context: all the mutations or none, as one version; activities alone make
 * none. Fails with CONTEXT_NOT_FOUND, SESSION_NOT_FOUND, STALE_FENCE, VERSION_CONFLICT,
 * ENTRY_CONFLICT, and as above. */
CX_MUST_CHECK enum cx_status cx_engine_update(struct cx_engine *engine,
                                              const struct cx_update_request *request,
                                              struct cx_write_outcome *ret_outcome,
                                              struct cx_error *ret_error);

/* Changes several contexts of one namespace in one change: all or none. No context may
 * be named twice, and the parts' own request ids are not looked at. `ret_outcomes` has
 * `count` places. On failure *ret_index is the part that failed, or `count` when it
 * was the whole, and ret_outcomes[0].wait_for is set. */
CX_MUST_CHECK enum cx_status cx_engine_update_atomic(struct cx_engine *engine,
                                                     const struct cx_update_request *requests,
                                                     size_t count, struct cx_bytes request_id,
                                                     struct cx_write_outcome *ret_outcomes,
                                                     size_t *ret_index, struct cx_error *ret_error);

/* Deletes a context, with what is below it if `recursive`, in several changes where
 * that is much. Fails with CONTEXT_NOT_FOUND, HAS_CHILDREN, CONTEXT_BUSY (a child that
 * another session guards), and as above. May take a while when recursive. */
CX_MUST_CHECK enum cx_status cx_engine_delete(struct cx_engine *engine,
                                              const struct cx_delete_request *request,
                                              struct cx_write_outcome *ret_outcome,
                                              struct cx_error *ret_error);

/* ---- Sessions. -------------------------------------------------------------- *
 *
 * A session whose term is over is lost, whether or not a timer has come by: whatever comes upon it,
 * reads too, ends it first, so that nothing is told of its loss that is not in the log. A read that
 * cannot end it (the disk is full, say) shows it as it still is. */

/* Starts a session. *ret_session is the caller's: cx_session_view_free(). For a replay
 * whose session is gone by now it is NULL. Fails with CONTEXT_NOT_FOUND and
 * PARENT_NOT_FOUND (of the default context), REQUEST_ID_REUSED, LIMIT_REACHED,
 * STORAGE_FULL, OVERLOADED. */
CX_MUST_CHECK enum cx_status cx_engine_start_session(struct cx_engine *engine,
                                                     const struct cx_session_start_request *request,
                                                     struct cx_write_outcome *ret_outcome,
                                                     struct cx_session_view **ret_session,
                                                     struct cx_error *ret_error);

/* Gives a session a full term from now on, and says when it ends. Writes nothing. Fails
 * with SESSION_NOT_FOUND. O(log n). */
CX_MUST_CHECK enum cx_status cx_engine_renew_session(struct cx_engine *engine,
                                                     const struct cx_session_name *name,
                                                     int64_t *ret_expire_time_us,
                                                     uint64_t *ret_wait_for,
                                                     struct cx_error *ret_error);

/* Ends a session: its contexts are deactivated, its resources reclaimed; in several changes where
 * that is more than one holds. Changes nothing when there is none. */
CX_MUST_CHECK enum cx_status cx_engine_end_session(struct cx_engine *engine,
                                                   const struct cx_session_end_request *request,
                                                   struct cx_write_outcome *ret_outcome,
                                                   struct cx_error *ret_error);

/* *ret_session is the caller's: cx_session_view_free(). Fails with SESSION_NOT_FOUND,
 * LIMIT_REACHED (memory). */
CX_MUST_CHECK enum cx_status cx_engine_get_session(struct cx_engine *engine,
                                                   const struct cx_session_name *name,
                                                   struct cx_session_view **ret_session,
                                                   uint64_t *ret_wait_for,
                                                   struct cx_error *ret_error);

/* Lists live sessions, oldest first. Looks at up to CX_PAGE_ROWS_MAX. The caller owns the
 * page: cx_session_page_done(). Fails with LIMIT_REACHED (memory). */
CX_MUST_CHECK enum cx_status cx_engine_list_sessions(struct cx_engine *engine,
                                                     const struct cx_session_query *query,
                                                     struct cx_session_page *ret_page,
                                                     uint64_t *ret_wait_for,
                                                     struct cx_error *ret_error);

/* ---- Activation. ------------------------------------------------------------ */

/* Activates a context. *ret_activation borrows from *ret_session, which is the caller's,
 * like *ret_snapshot. For a replay, what is there now: NULL session, or a zeroed
 * activation or snapshot where it is gone. Fails with SESSION_NOT_FOUND,
 * CONTEXT_NOT_FOUND, CONTEXT_BUSY, STALE_FENCE, LIMIT_REACHED (max_active_contexts), and
 * as above. */
CX_MUST_CHECK enum cx_status
cx_engine_activate(struct cx_engine *engine, const struct cx_activation_request *request,
                   struct cx_write_outcome *ret_outcome, struct cx_activation_view *ret_activation,
                   struct cx_session_view **ret_session, struct cx_snapshot *ret_snapshot,
                   struct cx_error *ret_error);

/* Makes a context the current one of its session, activating it where it is not. Fails
 * like cx_engine_activate(). */
CX_MUST_CHECK enum cx_status cx_engine_switch(struct cx_engine *engine,
                                              const struct cx_activation_request *request,
                                              struct cx_write_outcome *ret_outcome,
                                              struct cx_session_view **ret_session,
                                              struct cx_error *ret_error);

/* Deactivates a context. Fails with SESSION_NOT_FOUND, NOT_ACTIVE, STALE_FENCE, and as
 * above. */
CX_MUST_CHECK enum cx_status cx_engine_deactivate(struct cx_engine *engine,
                                                  const struct cx_activation_request *request,
                                                  struct cx_write_outcome *ret_outcome,
                                                  struct cx_session_view **ret_session,
                                                  struct cx_error *ret_error);

/* Says who has a context active; one that does not exist is no error. The caller owns
 * *ret_status: cx_context_status_done(). Fails with LIMIT_REACHED (memory). */
CX_MUST_CHECK enum cx_status cx_engine_status(struct cx_engine *engine,
                                              const struct cx_context_name *name,
                                              struct cx_context_status *ret_status,
                                              uint64_t *ret_wait_for, struct cx_error *ret_error);

/* ---- Histories, files, usage, resources. ------------------------------------ */

/* Lists activities by sequence. Looks at up to CX_PAGE_ROWS_MAX. The caller owns the
 * page: cx_activity_page_done(). Fails with CONTEXT_NOT_FOUND, LIMIT_REACHED (memory).
 * O(log n + rows). */
CX_MUST_CHECK enum cx_status cx_engine_list_activities(struct cx_engine *engine,
                                                       const struct cx_activity_query *query,
                                                       struct cx_activity_page *ret_page,
                                                       uint64_t *ret_wait_for,
                                                       struct cx_error *ret_error);

/* Drops the activities before a sequence or time, in several changes where there are more
 * than CX_TRIM_MAX. Fails with CONTEXT_NOT_FOUND, SESSION_NOT_FOUND, STALE_FENCE, and as
 * above. */
CX_MUST_CHECK enum cx_status cx_engine_truncate_history(struct cx_engine *engine,
                                                        const struct cx_truncate_request *request,
                                                        struct cx_write_outcome *ret_outcome,
                                                        struct cx_error *ret_error);

/* Drops repeats, then all but the newest that fit: in several changes where there are more
 * than CX_TRIM_MAX runs. Of a history of more than CX_OPTIMIZE_INLINE_MAX activities it is worked
 * out outside the locks, for the history as it was some moment of the call: what is appended
 * meanwhile stays, and when something was dropped meanwhile it begins again, a few times. Fails
 * like a truncate, and with HEAD_MOVED. O(activities). */
CX_MUST_CHECK enum cx_status cx_engine_optimize_history(struct cx_engine *engine,
                                                        const struct cx_optimize_request *request,
                                                        struct cx_write_outcome *ret_outcome,
                                                        struct cx_optimize_result *ret_result,
                                                        struct cx_error *ret_error);

/* The next three: the caller owns what is returned, and releases it with its _done().
 * They fail with CONTEXT_NOT_FOUND, LIMIT_REACHED (memory). */
CX_MUST_CHECK enum cx_status cx_engine_list_files(struct cx_engine *engine,
                                                  const struct cx_tracked_query *query,
                                                  struct cx_file_page *ret_page,
                                                  uint64_t *ret_wait_for,
                                                  struct cx_error *ret_error);
CX_MUST_CHECK enum cx_status cx_engine_list_resources(struct cx_engine *engine,
                                                      const struct cx_tracked_query *query,
                                                      struct cx_resource_page *ret_page,
                                                      uint64_t *ret_wait_for,
                                                      struct cx_error *ret_error);

/* An empty id: of the whole namespace. */
CX_MUST_CHECK enum cx_status cx_engine_summarize_usage(struct cx_engine *engine,
                                                       const struct cx_context_name *name,
                                                       struct cx_usage_summary *ret_summary,
                                                       uint64_t *ret_wait_for,
                                                       struct cx_error *ret_error);

/* Takes a resource for a session. *ret_page holds its one row, as it is now (none, for a
 * replay that has been given back since). Fails with SESSION_NOT_FOUND,
 * CONTEXT_NOT_FOUND, STALE_FENCE, RESOURCE_HELD, LIMIT_REACHED (session_resources_max),
 * and as above. */
CX_MUST_CHECK enum cx_status cx_engine_acquire_resource(struct cx_engine *engine,
                                                        const struct cx_resource_request *request,
                                                        struct cx_write_outcome *ret_outcome,
                                                        struct cx_resource_page *ret_page,
                                                        struct cx_error *ret_error);

/* Gives it back. Fails with SESSION_NOT_FOUND, CONTEXT_NOT_FOUND, STALE_FENCE,
 * RESOURCE_NOT_HELD, and as above. */
CX_MUST_CHECK enum cx_status cx_engine_release_resource(struct cx_engine *engine,
                                                        const struct cx_resource_request *request,
                                                        struct cx_write_outcome *ret_outcome,
                                                        struct cx_error *ret_error);

/* ---- Looking ahead. --------------------------------------------------------- *
 *
 * Where many updates follow one another, most of their time is spent waiting for memory.
 * Who knows which ones come says so, and the engine asks for that memory meanwhile. */

enum {
    CX_FORESIGHT = 12, /* How many updates ahead. */
    CX_FORESIGHT_PLACES = 16,
};

/* What has been foreseen. Zeroed at first. */
struct cx_foresight {
    uint64_t hashes[CX_FORESIGHT_PLACES]; /* 0: nothing. */
    struct cx_bytes keys[CX_FORESIGHT_PLACES];
    unsigned count;
};

/* Says that CX_FORESIGHT updates from now on it will be this context's turn, and the entry
 * `key` the first that changes (or none: empty), which stays until then. NULL: nothing
 * comes. To be called once before each update. A hint: it changes nothing, need not come
 * true, and the name may be none. */
void cx_engine_foresee(struct cx_engine *engine, struct cx_foresight *foresight,
                       const struct cx_context_name *name, struct cx_bytes key);

/* ---- Reading. --------------------------------------------------------------- */

/* Takes a snapshot of one state. The caller owns it: cx_snapshot_done(). *ret_wait_for
 * is also set on failure. Fails with CONTEXT_NOT_FOUND, STATE_NOT_RETAINED,
 * LIMIT_REACHED (memory). O(1) for the newest state. */
CX_MUST_CHECK enum cx_status cx_engine_get(struct cx_engine *engine,
                                           const struct cx_context_name *name,
                                           const struct cx_state_at *at,
                                           struct cx_snapshot *ret_snapshot, uint64_t *ret_wait_for,
                                           struct cx_error *ret_error);

/* One page of a list, in the order of ids. */
struct cx_list_page {
    struct cx_snapshot *rows;
    size_t count;
    bool more;                 /* There may be more behind `last_id`. */
    struct cx_bytes last_id;   /* The last one that was looked at. Borrowed from the page. */
    uint64_t position;         /* The revision that was the last when the page was begun. */
    uint8_t last_id_held[256]; /* The page's own. */
};

/* Lists contexts. Looks at up to CX_PAGE_ROWS_MAX rows, so a page may be empty and
 * still not be the last. The caller owns the page: cx_list_page_done(). Fails with
 * LIMIT_REACHED (memory). */
CX_MUST_CHECK enum cx_status cx_engine_list(struct cx_engine *engine,
                                            const struct cx_list_query *query,
                                            struct cx_list_page *ret_page, uint64_t *ret_wait_for,
                                            struct cx_error *ret_error);
void cx_list_page_done(struct cx_list_page *page);

struct cx_namespace_row {
    char name[64]; /* A C string. */
    uint64_t context_count;
    uint64_t size_bytes;
};

/* Lists up to `count_max` namespaces that hold contexts, by name, behind `after`.
 * *ret_count is how many of `rows` were set; *ret_more whether there are more. */
CX_MUST_CHECK enum cx_status cx_engine_list_namespaces(struct cx_engine *engine,
                                                       struct cx_bytes after, size_t count_max,
                                                       struct cx_namespace_row *rows,
                                                       size_t *ret_count, bool *ret_more,
                                                       uint64_t *ret_wait_for);

struct cx_engine_statistics {
    uint64_t revision;         /* The last change. */
    uint64_t durable_revision; /* The last one on stable storage. */
    uint64_t context_count;    /* Over all namespaces. */
    uint64_t session_count;
    uint64_t request_id_count;
    uint64_t log_pending_bytes;
    uint64_t subscription_count;
    int64_t memory_bytes;
};

/* What the engine holds now. The numbers are read one after the other. */
void cx_engine_statistics(struct cx_engine *engine, struct cx_engine_statistics *ret_statistics);

/* Names the log: 16 bytes, and the epoch. Constant while the engine is open. */
void cx_engine_identity(const struct cx_engine *engine, uint8_t ret_log_id[16],
                        uint64_t *ret_epoch);

#endif /* CX_ENGINE_ENGINE_H */
