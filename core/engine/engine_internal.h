/* What the files of the engine share. For core/engine alone.
 *
 * The order of locks: shards by index, then the namespaces' table, then the commit's.
 * The garbage's lock is taken with none of them. See docs/locking.md. */

#ifndef CX_ENGINE_ENGINE_INTERNAL_H
#define CX_ENGINE_ENGINE_INTERNAL_H

#include <pthread.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/engine/commit.h"
#include "core/engine/engine.h"
#include "core/feed/feed.h"
#include "core/state/plan.h"
#include "core/state/session.h"

/* What a change is planned and encoded in: that of the first shard whose lock is held. */
struct cx_engine_workspace {
    struct cx_arena arena;
    struct cx_buffer encoded;
};

struct cx_engine {
    struct cx_engine_options options;
    struct cx_engine_events events; /* From cx_engine_start(). */
    struct cx_log *log;             /* Owned. */
    struct cx_log_identity identity;
    struct cx_commit commit;
    struct cx_feed *feed; /* Owned. */
    struct cx_purges purges;
    struct cx_state state;
    pthread_mutex_t locks[CX_SHARDS];
    struct cx_engine_workspace workspaces[CX_SHARDS];
    uint64_t change_size_max;
    uint64_t end_size_max; /* Of a change that ends something: what a segment holds twice. */
    bool memory_full;      /* Atomic: more is used than memory_limit. Looked at now and then. */

    pthread_mutex_t garbage_mutex;
    struct cx_undo *garbage; /* What is too large to be freed by who dropped it. */

    /* The threads. Under `mutex`: */
    pthread_mutex_t mutex;
    pthread_cond_t prepare_wanted;
    pthread_cond_t stop_wanted; /* What the timers sleep on. */
    bool prepare;               /* The log has a segment to prepare. */
    bool stopping;

    bool started;
    bool stopped;
    bool failed;    /* Atomic: the disk failed. */
    bool disk_full; /* Of the preparer: said so. */
    pthread_t writer;
    pthread_t preparer;
    pthread_t timers;
    pthread_t feed_tail;
    pthread_t feed_loader;
};

/* Takes, and releases, the locks of all shards in the mask, in order. */
void cx_engine_lock(struct cx_engine *engine, uint64_t mask);
void cx_engine_unlock(struct cx_engine *engine, uint64_t mask);

/* Deletes, drops or forgets the context if that is due at `now_us`. What keeps it from
 * doing so (a full disk, say) is in *ret_error. */
CX_MUST_CHECK enum cx_status cx_engine_run_due(struct cx_engine *engine,
                                               const struct cx_name_key *key, int64_t now_us,
                                               struct cx_error *ret_error);

/* How many sessions whose terms are over a read ends at most. What it finds beyond that, or
 * cannot end, it shows as it still is: their loss is in no log yet. */
enum { CX_ENGINE_LAPSES_MAX = 100 };

/* Ends a session whose term is over, if it still is. Fails like cx_engine_run_due(). */
CX_MUST_CHECK enum cx_status cx_engine_lapse(struct cx_engine *engine,
                                             const struct cx_name_key *key,
                                             struct cx_error *ret_error);

/* Gives every session a full term. For cx_engine_open(), which is alone. */
void cx_engine_start_leases(struct cx_engine *engine);

/* Ends the sessions of a shard whose terms are over. */
void cx_engine_run_leases(struct cx_engine *engine, unsigned shard);

/* Finds a context that can be seen, under the lock of its shard. *ret_wait_for is also set on
 * failure: CONTEXT_NOT_FOUND. */
CX_MUST_CHECK enum cx_status cx_engine_find_locked(struct cx_engine *engine,
                                                   const struct cx_name_key *key,
                                                   struct cx_context **ret_context,
                                                   uint64_t *ret_wait_for,
                                                   struct cx_error *ret_error);

/* Copies a session as it is, into memory that cx_session_view_room() is enough for. */
void cx_engine_view_session(const struct cx_engine *engine, const struct cx_session *session,
                            struct cx_session_view *ret_view);

/* Drops the oldest of a history, so that there is room for what a plan wants to add
 * (CX_PLAN_NEEDS_TRIM). Fails like cx_engine_run_due(). */
CX_MUST_CHECK enum cx_status cx_engine_trim(struct cx_engine *engine, const struct cx_plan *wanted,
                                            struct cx_error *ret_error);

/* Writes the settings of the options into the log and the state, if they differ. For
 * cx_engine_open(), which is alone. */
CX_MUST_CHECK enum cx_status cx_engine_write_settings(struct cx_engine *engine,
                                                      struct cx_error *ret_error);

/* Tells subscriptions no more of what is past its retention: writes that into the log, and
 * lets it take effect once that is durable. Called by the timers alone. */
void cx_engine_step_retention(struct cx_engine *engine);

/* Hands over what is finished. NULL is fine. */
void cx_engine_complete(struct cx_engine *engine, struct cx_work *done);

/* Frees what a change dropped, or leaves it to the timers' thread if it is large. */
void cx_engine_free_garbage(struct cx_engine *engine, struct cx_undo *garbage);

/* One round of each thread. */
void cx_engine_step_writer(struct cx_engine *engine);
void cx_engine_step_preparer(struct cx_engine *engine);
void cx_engine_step_timers(struct cx_engine *engine);

/* Everything that the feed has to do now. */
void cx_engine_step_feed(struct cx_engine *engine);

#endif /* CX_ENGINE_ENGINE_INTERNAL_H */
