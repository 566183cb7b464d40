/* What the plans of all requests have in common. For core/state/plan_*.c alone.
 *
 * Functions that return an enum cx_plan_result return CX_PLAN_CHANGE to go on; any
 * other result is the plan's.
 *
 * Threads: as plan.h says. */

#ifndef CX_STATE_PLAN_COMMON_H
#define CX_STATE_PLAN_COMMON_H

#include "core/state/plan.h"

/* A name's key, in the plan's arena. NULL when out of memory. */
const struct cx_name_key *cx_plan_key(struct cx_plan *plan, struct cx_bytes namespace_id,
                                      struct cx_bytes id);

/* Out of memory, as an error. */
enum cx_plan_result cx_plan_out_of_memory(struct cx_plan *plan);

/* Asks for the lock of a shard, if it is not held. */
enum cx_plan_result cx_plan_need_shard(struct cx_plan *plan, unsigned shard);

/* Looks a context up in whatever life, NULL if there is none, and notes what the answer
 * is derived from. One that has expired must be deleted first. */
enum cx_plan_result cx_plan_look(struct cx_plan *plan, const struct cx_name_key *key,
                                 struct cx_context **ret_context);

/* Knows a repeated request: CX_PLAN_NOTHING with the record, or REQUEST_ID_REUSED. */
enum cx_plan_result cx_plan_check_request(struct cx_plan *plan, const struct cx_name_key *key,
                                          struct cx_hash128 id, uint64_t content_hash);

/* Checks what must hold. `context` is NULL when it does not exist. */
enum cx_plan_result cx_plan_check_preconditions(struct cx_plan *plan,
                                                const struct cx_context *context,
                                                const struct cx_precondition *preconditions,
                                                size_t count);

/* CONTEXT_NOT_FOUND, with the last version of a tombstone. */
enum cx_plan_result cx_plan_not_found(struct cx_plan *plan, const struct cx_context *tombstone);

/* Begins the change, with room for up to `item_count` items. */
enum cx_plan_result cx_plan_change_begin(struct cx_plan *plan, struct cx_bytes namespace_id,
                                         size_t item_count);

/* Adds an item, which is copied, and stages it. */
enum cx_plan_result cx_plan_add_item(struct cx_plan *plan, const struct cx_name_key *key,
                                     const struct cx_change_item *item);

/* Sets aside what applying the change takes. */
enum cx_plan_result cx_plan_change_finish(struct cx_plan *plan);

#endif /* CX_STATE_PLAN_COMMON_H */
