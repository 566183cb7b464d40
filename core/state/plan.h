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

#include "core/state/stage.h"

enum cx_plan_result {
    CX_PLAN_CHANGE,       /* There is a change to be logged and applied. */
    CX_PLAN_NOTHING,      /* There is nothing to do: a repeat, or a missing one that may be. */
    CX_PLAN_FAILED,       /* The error says why. */
    CX_PLAN_NEEDS_SHARDS, /* Again, with the locks of `needed` too. */
    CX_PLAN_NEEDS_EXPIRY, /* Again, after the expired context `expired` was deleted. */
};

#define CX_PLAN_WAIT_FOR_ALL UINT64_MAX

struct cx_plan {
    struct cx_state *state; /* Borrowed, like the arena and the error. */
    struct cx_arena *arena;
    struct cx_error *error;
    uint64_t value_size_max;
    uint64_t change_size_max;
    int64_t now_us; /* What counts as expired. */
    uint64_t held;  /* A bit for each shard. */

    uint64_t needed;
    uint64_t wait_for; /* CX_PLAN_WAIT_FOR_ALL: whatever was the last change. */
    struct cx_name_key expired;
    bool replayed;                   /* CX_PLAN_NOTHING: an earlier request made the change. */
    struct cx_request_record record; /* Which, then. */
    const size_t *part_items;        /* Of updates: the item of each. In the arena. */
    bool more; /* A recursive end that needs further changes: plan again after this one. */
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

/* The id under which a request is remembered, and the hash of what it asks for. */
struct cx_hash128 cx_request_id_hash(const struct cx_name_key *key, struct cx_bytes request_id);
uint64_t cx_create_request_hash(const struct cx_create_request *request);
uint64_t cx_update_request_hash(const struct cx_update_request *requests, size_t count);
uint64_t cx_delete_request_hash(const struct cx_delete_request *request);

#endif /* CX_STATE_PLAN_H */
