/* How a request becomes a change: plan, log, apply, under the locks of its shards. For
 * core/engine alone.
 *
 * Threads: any; a write belongs to whoever made it. */

#ifndef CX_ENGINE_ENGINE_CHANGE_H
#define CX_ENGINE_ENGINE_CHANGE_H

#include "core/engine/engine_internal.h"
#include "core/state/plan.h"

/* One request on its way. */
struct cx_engine_write {
    struct cx_engine *engine;
    struct cx_error *error;
    int64_t now_us;
    int64_t lease_now_us;
    uint64_t mask; /* The shards whose locks it takes. */
    bool grows;    /* It may take more memory: refused above memory_limit. */
    bool ends;     /* It ends something: whatever was begun, also under larger limits, can end. */

    /* Plans it. */
    enum cx_plan_result (*plan)(struct cx_engine_write *write, struct cx_plan *plan);

    /* Runs under the locks after a change was applied, or none was to be made. May be
     * NULL. */
    void (*done)(struct cx_engine_write *write, struct cx_plan *plan);

    /* What came of it. */
    uint64_t wait_for;
    uint64_t revision;
    uint64_t version; /* What the request is remembered by. */
    uint64_t sequence;
    uint64_t count;
    bool replayed;
    bool more;
};

/* The lock of the shard of a name, as a mask. */
uint64_t cx_engine_shard_of(const struct cx_context_name *name);

/* The same of a session; 0 for a name that no session can have. */
uint64_t cx_engine_shard_of_session(struct cx_bytes namespace_id, struct cx_bytes session_id);

/* Those of a context and of a session that does something to it, or of none. */
uint64_t cx_engine_shards_of(const struct cx_context_name *name, struct cx_bytes session_id);

/* An id that the server makes up: from the request id if there is one, so that a repeat finds
 * it, else at random. A C string. */
enum cx_made_up { CX_MADE_UP_CONTEXT = 0, CX_MADE_UP_SESSION = 1, CX_MADE_UP_POINT = 2 };
enum { CX_MADE_UP_ID_SIZE = 32 };
void cx_engine_make_up_id(struct cx_engine *engine, enum cx_made_up made_up,
                          struct cx_bytes namespace_id, struct cx_bytes request_id,
                          char ret_id[CX_MADE_UP_ID_SIZE + 1]);

/* Begins a write that takes the locks in `mask` at first; `plan` is to be set. */
struct cx_engine_write cx_engine_write_begin(struct cx_engine *engine, uint64_t mask,
                                             struct cx_error *error);

/* Makes rounds until there is an answer. */
CX_MUST_CHECK enum cx_status cx_engine_write_run(struct cx_engine_write *write);

/* Takes a snapshot of a context that a write has made; of a replay whose context is gone by now,
 * only names and version. Under the lock of its shard. */
void cx_engine_show_created(struct cx_engine_write *write, const struct cx_plan *plan,
                            const struct cx_context_name *name, struct cx_snapshot *ret_snapshot);

/* Notes that the answer is derived from what this revision made: in `done`. */
static inline void cx_engine_write_note(struct cx_engine_write *write, uint64_t revision)
{
    write->wait_for = revision > write->wait_for ? revision : write->wait_for;
}

/* What came of it. */
struct cx_write_outcome cx_engine_write_outcome(const struct cx_engine_write *write);

#endif /* CX_ENGINE_ENGINE_CHANGE_H */
