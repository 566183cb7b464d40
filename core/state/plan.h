/* Planning: a request is checked against the state and becomes a staged change, or an
 * answer. The only place that decides.
 *
 * What always holds:
 *
 *  (1) Planning changes nothing that anybody can see; any error leaves no trace.
 *  (2) What is told is derived from states up to `wait_for`, which must be durable
 *      before a client hears of it.
 *  (3) Only shards whose locks are held are looked at; where another one is needed, the
 *      plan says so and is to be made again.
 *
 * A plan is used like this (the engine does):
 *
 *   cx_plan_begin(), cx_plan_<request>() -> CX_PLAN_CHANGE
 *   encode plan.change into the log, then cx_apply(&plan.stage, ...)
 *   cx_plan_end(), also after every other result
 *
 * Threads: under the locks of the shards in `held`. */

#ifndef CX_STATE_PLAN_H
#define CX_STATE_PLAN_H

#include "core/state/recovery.h"
#include "core/state/stage.h"

enum cx_plan_result {
    CX_PLAN_CHANGE,       /* There is a change to be logged and applied. */
    CX_PLAN_NOTHING,      /* There is nothing to do: a repeat, or a missing one that may be. */
    CX_PLAN_FAILED,       /* The error says why. */
    CX_PLAN_NEEDS_SHARDS, /* Again, with the locks of `needed` too. */
    CX_PLAN_NEEDS_EXPIRY, /* Again, after `expired`, a context or session, was ended. */
    CX_PLAN_NEEDS_TRIM,   /* Again, after the history of the context `expired` was trimmed. */
};

#define CX_PLAN_WAIT_FOR_ALL UINT64_MAX

struct cx_plan {
    struct cx_state *state; /* Borrowed, like the arena and the error. */
    struct cx_arena *arena;
    struct cx_error *error;
    uint64_t value_size_max;
    uint64_t change_size_max;
    uint64_t history_count_max;
    uint64_t history_bytes_max;
    uint64_t recovery_points_max;
    int64_t now_us;       /* What counts as expired. */
    int64_t lease_now_us; /* The same for sessions, on the steady clock. */
    uint64_t held;        /* A bit for each shard. */

    uint64_t needed;
    uint64_t wait_for; /* CX_PLAN_WAIT_FOR_ALL: whatever was the last change. */
    struct cx_name_key expired;
    uint64_t trim_count_max; /* CX_PLAN_NEEDS_TRIM: the bounds that leave room for what is new. */
    uint64_t trim_bytes_max;
    bool expired_is_session;
    bool replayed;                   /* CX_PLAN_NOTHING: an earlier request made the change. */
    struct cx_request_record record; /* Which, then. */
    const size_t *part_items;        /* Of updates: the item of each. In the arena. */
    uint64_t count;                  /* Contexts that end, activities or points that are dropped. */
    uint64_t kept;                   /* Points that stay. */
    uint64_t dropped_count;          /* Steps that drop points so far, */
    uint64_t dropped_weight;         /* and what they take in the log. */
    bool more;                       /* It needs further changes: plan again after this one. */
    struct cx_change change;
    struct cx_stage stage;
};

/* Begins, for the locks in plan->held. The fields down to `held` are set by the caller. */
void cx_plan_begin(struct cx_plan *plan);

/* Releases what was not applied, and forgets the result but for `needed`, `wait_for`
 * and `expired`. */
void cx_plan_end(struct cx_plan *plan);

/* Plans a create. */
CX_MUST_CHECK enum cx_plan_result cx_plan_create(struct cx_plan *plan,
                                                 const struct cx_create_request *request);

/* Plans one update, or with `atomic` several as one change. *ret_index is the request
 * that failed; `count` when it was none of them. `request_id` is that of the whole. */
CX_MUST_CHECK enum cx_plan_result cx_plan_update(struct cx_plan *plan,
                                                 const struct cx_update_request *requests,
                                                 size_t count, bool atomic,
                                                 struct cx_bytes request_id, size_t *ret_index);

/* Plans a delete. `again`: an earlier round of the same recursive delete was applied,
 * and preconditions are not looked at again. */
CX_MUST_CHECK enum cx_plan_result
cx_plan_delete(struct cx_plan *plan, const struct cx_delete_request *request, bool again);

/* Plans what is due for a context by its time: it expires with what is below it, its
 * states are dropped, or it is forgotten. CX_PLAN_NOTHING when nothing is due. */
CX_MUST_CHECK enum cx_plan_result cx_plan_due(struct cx_plan *plan, const struct cx_name_key *key);

/* ---- The tracker. ----------------------------------------------------------- */

/* A session starts, with its default context; or ends: CX_PLAN_NOTHING when it is not
 * there. */
CX_MUST_CHECK enum cx_plan_result
cx_plan_start_session(struct cx_plan *plan, const struct cx_session_start_request *request);
CX_MUST_CHECK enum cx_plan_result cx_plan_end_session(struct cx_plan *plan,
                                                      const struct cx_session_end_request *request);

/* Plans the loss of a session whose term is over. CX_PLAN_NOTHING when it is not. */
CX_MUST_CHECK enum cx_plan_result cx_plan_lapse(struct cx_plan *plan,
                                                const struct cx_name_key *key);

/* Whether a session that a plan came upon is alive: CX_PLAN_CHANGE, or CX_PLAN_NEEDS_EXPIRY when
 * its term is over. */
CX_MUST_CHECK enum cx_plan_result cx_plan_check_lease(struct cx_plan *plan,
                                                      const struct cx_session *session);

/* CX_PLAN_NOTHING, without `replayed`: it is so already. The repeat of an exclusive activation
 * that is not in force any more is STALE_FENCE. */
CX_MUST_CHECK enum cx_plan_result cx_plan_activate(struct cx_plan *plan,
                                                   const struct cx_activation_request *request);
CX_MUST_CHECK enum cx_plan_result cx_plan_switch(struct cx_plan *plan,
                                                 const struct cx_activation_request *request);
CX_MUST_CHECK enum cx_plan_result cx_plan_deactivate(struct cx_plan *plan,
                                                     const struct cx_activation_request *request);
CX_MUST_CHECK enum cx_plan_result cx_plan_acquire(struct cx_plan *plan,
                                                  const struct cx_resource_request *request);
CX_MUST_CHECK enum cx_plan_result cx_plan_release(struct cx_plan *plan,
                                                  const struct cx_resource_request *request);

/* Plans a round of a truncate. *from_sequence is the first to keep, 0 before the first round,
 * which finds it out. */
CX_MUST_CHECK enum cx_plan_result cx_plan_truncate(struct cx_plan *plan,
                                                   const struct cx_truncate_request *request,
                                                   uint64_t *from_sequence);

/* Plans a round that drops the oldest of a history that is above the plan's bounds, never the
 * newest: at most CX_TRIM_MAX. CX_PLAN_NOTHING when it is not. */
CX_MUST_CHECK enum cx_plan_result cx_plan_trim(struct cx_plan *plan, const struct cx_name_key *key);

/* An optimize on its way through several rounds. */
struct cx_optimizing {
    const struct cx_optimize_request *request;
    struct cx_history_cut cut; /* What is to be dropped, once `has_cut`. The caller's. */
    bool has_cut;
    uint64_t cut_revision; /* Of the history that the cut was made for. Appends since then stay;
                              anything removed since then spoils the first round. */
    size_t next_run;       /* What is to be dropped next: in this run, */
    uint64_t next_first;   /* from here on. 0: from its beginning. */
    bool again;            /* A round was applied. */
};

/* Plans a round. CX_PLAN_NOTHING with !optimizing->has_cut: make the cut outside the lock
 * for the history as it is now; with it: nothing is to be dropped, or the request was a
 * repeat. Progress is noted: for a round that is not applied after all, nothing follows. */
CX_MUST_CHECK enum cx_plan_result cx_plan_optimize(struct cx_plan *plan,
                                                   struct cx_optimizing *optimizing);

/* ---- Recovery. -------------------------------------------------------------- */

/* Plan what makes, changes or drops one point. Where one whose time is over is in the way,
 * CX_PLAN_NEEDS_EXPIRY. */
CX_MUST_CHECK enum cx_plan_result
cx_plan_create_point(struct cx_plan *plan, const struct cx_create_point_request *request);
CX_MUST_CHECK enum cx_plan_result
cx_plan_update_point(struct cx_plan *plan, const struct cx_update_point_request *request);
CX_MUST_CHECK enum cx_plan_result
cx_plan_delete_point(struct cx_plan *plan, const struct cx_delete_point_request *request);

/* Plans a round of what a prune drops of one context: plan->count and plan->kept say how many
 * points. CX_PLAN_NOTHING where nothing is to be dropped, and of a dry run. */
CX_MUST_CHECK enum cx_plan_result cx_plan_prune(struct cx_plan *plan,
                                                const struct cx_prune_request *request,
                                                const struct cx_name_key *key);

/* What was worked out for a restore or a merge, outside the locks, from the states that it names:
 * it holds while they are the same. */
struct cx_prepared {
    bool is_set;
    uint64_t target_version; /* Of the head that is changed. */
    struct cx_base_ref ref;  /* The state that is brought back, or merged: of a plan that says
                                that it moved, the one to prepare with. */
    uint64_t state_version;  /* Of that state: a point may be replaced. */
    struct cx_op *ops;       /* What it comes to. The caller's. */
    size_t op_count;
    bool untold;  /* They are too many to be told. */
    bool decided; /* To be remembered, also where nothing is taken: a rule decided about conflicts,
                     or both sides had come to the same. */
    bool moved;   /* Set by the plan: prepare again. */
};

/* Plans a restore. CX_PLAN_NOTHING with prepared->moved: prepare again, for the states as they
 * are now; without: there was nothing to do, or the request was a repeat. */
CX_MUST_CHECK enum cx_plan_result cx_plan_restore(struct cx_plan *plan,
                                                  const struct cx_restore_request *request,
                                                  struct cx_prepared *prepared);

/* Plans a fork: the locks of both contexts are taken. O(1); of a version O(entries undone), with
 * points O(points). */
CX_MUST_CHECK enum cx_plan_result cx_plan_fork(struct cx_plan *plan,
                                               const struct cx_fork_request *request);

/* Plans a merge, like a restore. */
CX_MUST_CHECK enum cx_plan_result cx_plan_merge(struct cx_plan *plan,
                                                const struct cx_merge_request *request,
                                                struct cx_prepared *prepared);

/* The id under which a request is remembered, and the hash of what it asks for. */
struct cx_hash128 cx_request_id_hash(const struct cx_name_key *key, struct cx_bytes request_id);
uint64_t cx_create_request_hash(const struct cx_create_request *request);
uint64_t cx_update_request_hash(const struct cx_update_request *requests, size_t count);
uint64_t cx_delete_request_hash(const struct cx_delete_request *request);
uint64_t cx_session_start_request_hash(const struct cx_session_start_request *request);
uint64_t cx_session_end_request_hash(const struct cx_session_end_request *request);
uint64_t cx_truncate_request_hash(const struct cx_truncate_request *request);
uint64_t cx_optimize_request_hash(const struct cx_optimize_request *request);
uint64_t cx_create_point_request_hash(const struct cx_create_point_request *request);
uint64_t cx_update_point_request_hash(const struct cx_update_point_request *request);
uint64_t cx_delete_point_request_hash(const struct cx_delete_point_request *request);
uint64_t cx_prune_request_hash(const struct cx_prune_request *request);
uint64_t cx_restore_request_hash(const struct cx_restore_request *request);
uint64_t cx_fork_request_hash(const struct cx_fork_request *request);
uint64_t cx_merge_request_hash(const struct cx_merge_request *request);

/* These are asked for in several ways. */
enum cx_activation_way { CX_WAY_ACTIVATE = 1, CX_WAY_SWITCH, CX_WAY_DEACTIVATE };
enum cx_resource_way { CX_WAY_ACQUIRE = 1, CX_WAY_RELEASE };
uint64_t cx_activation_request_hash(const struct cx_activation_request *request,
                                    enum cx_activation_way way);
uint64_t cx_resource_request_hash(const struct cx_resource_request *request,
                                  enum cx_resource_way way);

#endif /* CX_STATE_PLAN_H */
