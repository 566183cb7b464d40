/* Earlier states of a context: which of what is kept is the one that is meant, and taking it.
 *
 * What always holds:
 *
 *  (1) What is found by time was the newest at that time: where that cannot be told, nothing
 *      is found.
 *  (2) Where both have it, the states right before the head come before the points.
 *
 * Threads: under the lock of the context's shard. */

#ifndef CX_STATE_EARLIER_H
#define CX_STATE_EARLIER_H

#include "core/state/change.h"
#include "core/state/context.h"
#include "core/state/point.h"

/* Finds a state: CX_BASE_HEAD, _VERSION or _POINT. `now_us` is what points expire by. Fails
 * with STATE_NOT_RETAINED, RECOVERY_POINT_NOT_FOUND. O(log n) of a point by its id; else
 * O(states and points). */
CX_MUST_CHECK enum cx_status cx_earlier_find(const struct cx_context *context,
                                             const struct cx_state_at *at, int64_t now_us,
                                             struct cx_base_ref *ret_ref, struct cx_error *error);

/* Takes it: the caller owns what *ret_state holds. Fails with CX_RESOURCE_EXHAUSTED when out of
 * memory, CX_DATA_LOSS when there is no such state. O(1), of a version O(entries undone). */
CX_MUST_CHECK enum cx_status cx_earlier_take(struct cx_context *context,
                                             const struct cx_base_ref *ref,
                                             struct cx_kept_state *ret_state);

/* RECOVERY_POINT_NOT_FOUND, with the oldest that is there. */
enum cx_status cx_point_not_found(const struct cx_context *context, struct cx_error *error);

/* The version of a state that was found. */
uint64_t cx_earlier_version(const struct cx_context *context, const struct cx_base_ref *ref);

/* The revision up to which a state was the newest, or UINT64_MAX: it is. */
uint64_t cx_earlier_end_revision(const struct cx_context *context, const struct cx_base_ref *ref);

#endif /* CX_STATE_EARLIER_H */
