/* What the plans of all requests have in common. For core/state/plan_*.c alone.
 *
 * Functions that return an enum cx_plan_result return CX_PLAN_CHANGE to go on; any
 * other result is the plan's.
 *
 * Threads: as plan.h says. */

#ifndef CX_STATE_PLAN_COMMON_H
#define CX_STATE_PLAN_COMMON_H

#include "core/base/limits.h"
#include "core/state/plan.h"
#include "core/state/point.h"
#include "core/state/tracked.h"

/* What the end of one activation takes in the log, at most. */
enum { CX_PLAN_STEP_WEIGHT = CX_SESSION_ID_SIZE + 8 };

/* A name's key, in the plan's arena. NULL when out of memory. */
const struct cx_name_key *cx_plan_key(struct cx_plan *plan, struct cx_bytes namespace_id,
                                      struct cx_bytes id);

/* Out of memory, as an error. */
enum cx_plan_result cx_plan_out_of_memory(struct cx_plan *plan);

/* Notes that the answer is derived from what this revision made. */
void cx_plan_note(struct cx_plan *plan, uint64_t revision);

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

/* Finds a session that must be there: SESSION_NOT_FOUND. One whose term is over must be
 * ended first. */
enum cx_plan_result cx_plan_session(struct cx_plan *plan, struct cx_bytes namespace_id,
                                    struct cx_bytes session_id, struct cx_session **ret_session);

/* Checks a fence. `context` is NULL when there is none, not even a tombstone. `guarded`: a
 * guard counts when there is no fence. */
enum cx_plan_result cx_plan_check_fence(struct cx_plan *plan, const struct cx_context *context,
                                        uint64_t fence, bool guarded);

/* STALE_FENCE, with this message. `context` as above. */
enum cx_plan_result cx_plan_stale(struct cx_plan *plan, const struct cx_context *context,
                                  const char *message);

/* Checks who writes: the session, then the fence or the guard. */
enum cx_plan_result cx_plan_check_author(struct cx_plan *plan, struct cx_bytes namespace_id,
                                         const struct cx_context *context,
                                         const struct cx_author *author);

/* Another session is in the way: CONTEXT_BUSY. */
enum cx_plan_result cx_plan_busy(struct cx_plan *plan, const struct cx_session *session);

/* Numbers the activities among the item's ops, behind what `before` (or NULL) has, and drops
 * the oldest that the bounds leave no room for. Where those are more than one change drops,
 * CX_PLAN_NEEDS_TRIM. */
enum cx_plan_result cx_plan_set_history(struct cx_plan *plan, struct cx_bytes namespace_id,
                                        const struct cx_tracked *before,
                                        struct cx_change_item *item);

/* The activity that a resource is taken or given back, in the arena. */
enum cx_plan_result cx_plan_add_resource_step(struct cx_plan *plan,
                                              const struct cx_resource_event *event,
                                              struct cx_label_list labels, struct cx_op *ret_op);

/* Whether one more session may have the context (or NULL: a new one) active, so that the
 * context's end fits into one change: LIMIT_REACHED {context_sessions_max}. */
enum cx_plan_result cx_plan_check_sessions(struct cx_plan *plan, const struct cx_context *context);

/* What labels weigh in the log, at most. */
uint64_t cx_plan_labels_weight(struct cx_label_list labels);

/* What an item that ends a context, or so many activations of it, weighs in the log, at most and
 * apart from its ops. */
uint64_t cx_plan_item_weight(const struct cx_context *context, size_t activation_count);

/* An item that changes nothing of its context's state yet. */
struct cx_change_item cx_plan_touch(const struct cx_context *context);

/* CONTEXT_NOT_FOUND, with the last version of a tombstone. */
enum cx_plan_result cx_plan_not_found(struct cx_plan *plan, const struct cx_context *tombstone);

/* Begins the change, with room for up to `item_count` items. */
enum cx_plan_result cx_plan_change_begin(struct cx_plan *plan, struct cx_bytes namespace_id,
                                         size_t item_count);

/* Says which request the change answers; `owner` is the item that it named. */
void cx_plan_mark(struct cx_plan *plan, struct cx_hash128 id, uint64_t content_hash, size_t owner);

/* A context to be made where it is missing, by a request that is about something else. */
struct cx_plan_creation {
    const struct cx_name_key *key;
    struct cx_context_name name;
    const struct cx_new_context *properties;
    struct cx_bytes session_id; /* Who makes it. */
    const struct cx_activation_step *activations;
    size_t activation_count;
    const struct cx_mutation *mutations;
    size_t mutation_count;
    struct cx_source_ref source; /* What it is forked from. */
    bool with_history;
    bool with_points;
    const struct cx_point_step *points; /* The first of its own. */
    size_t point_count;
};

/* Whether its parent is there, or is to be made with it: PARENT_NOT_FOUND. For a request that has
 * more to check before it is made, so that existence is told first; behind cx_plan_change_begin().
 */
enum cx_plan_result cx_plan_check_missing(struct cx_plan *plan,
                                          const struct cx_plan_creation *creation);

/* Adds its creation, and that of its parent where that is asked for: up to two items.
 * `tombstone` may be NULL. */
enum cx_plan_result cx_plan_create_missing(struct cx_plan *plan,
                                           const struct cx_plan_creation *creation,
                                           const struct cx_context *tombstone);

/* Whether labels, with these mutations of them, are still few enough: works out what results.
 * *labels is what they begin with. */
enum cx_plan_result cx_plan_set_labels(struct cx_plan *plan, const struct cx_mutation *mutations,
                                       size_t count, struct cx_label_list *labels);

/* Copies labels, with their bytes, into the arena; there is room for CX_LABELS_MAX more. NULL when
 * out of memory. */
struct cx_label *cx_plan_copy_labels(struct cx_plan *plan, struct cx_label_list list);

/* Copies mutations as the steps that will be logged: all, or only those on entries and labels. */
enum cx_plan_result cx_plan_copy_ops(struct cx_plan *plan, const struct cx_mutation *mutations,
                                     size_t count, struct cx_op **ret_ops);

/* Puts what mutations do into an item: steps, labels, history. `before` is what the tracker knows
 * of the context so far, or NULL. */
enum cx_plan_result cx_plan_set_mutations(struct cx_plan *plan, const struct cx_mutation *mutations,
                                          size_t count, const struct cx_tracked *before,
                                          struct cx_change_item *item);

/* Adds, behind the steps on points that an item has, the point that the policy wants of what the
 * item makes, and what is not kept any more then. `context` is as it was before; of one that is
 * created NULL, or its tombstone. */
enum cx_plan_result cx_plan_set_points(struct cx_plan *plan, const struct cx_context *context,
                                       struct cx_change_item *item);

/* Plans what is due for the points of a live context. CX_PLAN_NOTHING when nothing is. */
enum cx_plan_result cx_plan_recovery_due(struct cx_plan *plan, const struct cx_name_key *key,
                                         const struct cx_context *context);

/* A safety point, or one of a lost session: of the head as it is. */
enum cx_plan_result cx_plan_add_own_point(struct cx_plan *plan, const struct cx_context *context,
                                          enum cx_point_origin origin, struct cx_change_item *item);

/* Adds what happens to a session, before the first item. */
enum cx_plan_result cx_plan_add_session(struct cx_plan *plan,
                                        const struct cx_session_change *session);

/* Adds an item, which is copied, and stages it. */
enum cx_plan_result cx_plan_add_item(struct cx_plan *plan, const struct cx_name_key *key,
                                     const struct cx_change_item *item);

/* Sets aside what applying the change takes. */
enum cx_plan_result cx_plan_change_finish(struct cx_plan *plan);

#endif /* CX_STATE_PLAN_COMMON_H */
