/* Everything the server knows, in memory: contexts in shards, and the lists that find
 * them.
 *
 * What always holds:
 *
 *  (1) Only apply changes it (core/state/apply.h), and it decides nothing.
 *  (2) A context lives in the shard that its name's hash says, and so does a session.
 *      `children` of a context are listed in its own shard, whatever shard they live in.
 *  (3) Every live context is in `by_id`, in `by_type` if it has a type, and in
 *      `by_label` once for each label; every deleted one that can be brought back in
 *      `deleted`. All of them, bare ones included, are in `contexts`. Their recovery points
 *      are in `points`, the newest first.
 *  (4) Every session is in `sessions`, `sessions_by_start` and `leases`.
 *
 * Threads: a shard belongs to its lock, which the engine has; see docs/locking.md. The
 * settings are written only while nobody else is there. */

#ifndef CX_STATE_STATE_H
#define CX_STATE_STATE_H

#include "core/base/arena.h"
#include "core/state/context.h"
#include "core/state/due.h"
#include "core/state/namespaces.h"
#include "core/state/request_ids.h"
#include "core/state/session.h"
#include "core/state/settings.h"
#include "core/state/table.h"

struct cx_shard {
    struct cx_table contexts; /* A reference each. */
    struct cx_tree by_id;     /* The contexts themselves, like `deleted`. */
    struct cx_tree deleted;
    struct cx_tree by_type;  /* Rows: namespace, type, id. */
    struct cx_tree by_label; /* Rows: namespace, key, value, id. */
    struct cx_tree children; /* Rows: namespace, parent, id. */
    struct cx_tree points;   /* Rows: namespace, then as struct cx_point_list_id says. */
    struct cx_due due;       /* Contexts. */

    struct cx_tree sessions;          /* The sessions themselves, by namespace and id. */
    struct cx_tree sessions_by_start; /* Rows: namespace, then as cx_session_row_id() says. */
    struct cx_due leases;             /* Sessions; the times are the engine's. */
    uint64_t session_end_revision;    /* Of the last session that ended. */

    struct cx_request_ids request_ids;

    /* The last change that left no trace of a context: what a client is told about one
     * that is not there is derived from it. */
    uint64_t forgotten_revision;

    struct cx_tree_pool pool; /* Nodes for the change that is being made. */
};

struct cx_state {
    struct cx_shard shards[CX_SHARDS];
    struct cx_namespaces namespaces;
    struct cx_chunk_table *chunks;
    struct cx_settings settings;
    uint64_t feed_floor;          /* No event up to this revision is told any more. The timers'. */
    uint64_t feed_floor_revision; /* Of the change that said so. */
    int64_t request_id_count;     /* Over all shards, like the next. Atomic. */
    int64_t session_count;
};

/* CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_state_init(struct cx_state *state);

/* Releases everything. Snapshots must be gone. Safe on a state whose init failed. */
void cx_state_done(struct cx_state *state);

/* The context of this name, in whatever life, or NULL. */
struct cx_context *cx_state_find(const struct cx_state *state, const struct cx_name_key *key);

/* The revision that whatever is told of this name is derived from, and that must be durable before:
 * of the last change of its context or, where cx_state_find() gives none (NULL), of the last one
 * that left no trace of any. */
static inline uint64_t cx_state_derived_from(const struct cx_state *state,
                                             const struct cx_name_key *key,
                                             const struct cx_context *context)
{
    return context != NULL ? context->revision : state->shards[key->shard].forgotten_revision;
}

/* Makes the key of a session of this name. False for a name that no session can have. */
bool cx_session_key(struct cx_name_key *key, const struct cx_session_name *name);

/* The session of this name, or NULL. O(log n). */
struct cx_session *cx_state_find_session(const struct cx_state *state,
                                         const struct cx_name_key *key);

/* When a timer has to look at a context; 0: never. */
int64_t cx_state_due_time(const struct cx_state *state, const struct cx_context *context);

/* Brings all contexts in line with the settings, which have changed: when they are due,
 * and how many of their states are kept. What is not goes to *garbage. O(contexts). */
void cx_state_settle(struct cx_state *state, struct cx_undo **garbage);

/* A hash of everything that changes have made: equal states have equal digests, however
 * they came to be. For tests and checks. O(everything). */
uint64_t cx_state_digest(const struct cx_state *state);

/* ---- Rows of the lists. ----------------------------------------------------- */

/* A key and nothing else: names joined by NUL, the id last. */
struct cx_row {
    struct cx_tree_item item; /* `extra`: the id's size. */
    uint8_t bytes[];
};

extern const struct cx_tree_class cx_row_class;

/* What a row's key is joined from; an empty id gives the prefix of many rows. */
struct cx_row_names {
    struct cx_bytes names[3];
    size_t count;
    struct cx_bytes id;
};

/* Joins a key, in the arena. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_row_key(struct cx_arena *arena, const struct cx_row_names *names,
                                        struct cx_bytes *ret_key);

/* Makes a row. The caller owns a reference. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_row_new(const struct cx_row_names *names, struct cx_row **ret_row);

/* The id that a row names. */
struct cx_bytes cx_row_id(const struct cx_row *row);

/* The id under which a session is in the list by start: the revision, its highest byte
 * first, then the session's id. Rows are made with UINT64_MAX, which orders like any
 * revision that is still to come, and told the right one when the change is applied. */
struct cx_session_row_id {
    size_t size;
    uint8_t bytes[8 + CX_SESSION_ID_SIZE];
};

void cx_session_row_id_init(struct cx_session_row_id *id, uint64_t start_revision,
                            struct cx_bytes session_id);
void cx_session_row_set_start(struct cx_row *row, uint64_t start_revision);
uint64_t cx_session_row_start(const struct cx_row *row);
struct cx_bytes cx_session_row_session(const struct cx_row *row);

#endif /* CX_STATE_STATE_H */
