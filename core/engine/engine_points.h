/* What the files about recovery share. For core/engine alone.
 *
 * Threads: as engine_internal.h says. */

#ifndef CX_ENGINE_ENGINE_POINTS_H
#define CX_ENGINE_ENGINE_POINTS_H

#include "core/engine/engine_change.h"
#include "core/state/point.h"

/* A view of a point, under the lock of its context's shard. */
void cx_engine_view_point(struct cx_context *context, struct cx_point *point,
                          struct cx_point_view *ret_view);

/* Finds a context that has, or may have, points: also a deleted one that can be brought back.
 * *ret_wait_for is also set on failure: CONTEXT_NOT_FOUND. Under the lock of its shard. */
CX_MUST_CHECK enum cx_status cx_engine_find_recovery_locked(struct cx_engine *engine,
                                                            const struct cx_name_key *key,
                                                            struct cx_context **ret_context,
                                                            uint64_t *ret_wait_for,
                                                            struct cx_error *ret_error);

/* Writes the id of the safety point that a change has made, or that of a repeated request; a C
 * string, empty where there is none. Under the lock. */
void cx_engine_set_safety_id(const struct cx_engine_write *write, const struct cx_plan *plan,
                             const struct cx_context *context, char *ret_id);

/* HEAD_MOVED. */
enum cx_status cx_engine_head_moved(struct cx_error *error, uint64_t version);

#endif /* CX_ENGINE_ENGINE_POINTS_H */
