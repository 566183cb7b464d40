/* Recovery: points of contexts, and what is done with earlier states. A part of the door into
 * core/, beside engine.h, whose rules hold here too.
 *
 * What always holds:
 *
 *  (1) A point, a fork and every other state that is kept cost what differs from the others,
 *      whatever the context's size.
 *  (2) What compares or joins whole states works on snapshots, outside of all locks.
 *
 * Threads: as engine.h says. */

#ifndef CX_ENGINE_RECOVERY_H
#define CX_ENGINE_RECOVERY_H

#include "core/engine/engine.h"
#include "core/state/recovery.h"

/* Makes a point. *ret_point is the caller's: cx_point_view_done(). For a replay whose point is
 * gone by now, it is zeroed. outcome->version is the context's, after the change. Fails with
 * CONTEXT_NOT_FOUND, RECOVERY_POINT_NOT_FOUND (the one to begin from), RECOVERY_POINT_EXISTS,
 * RECOVERY_POINT_PINNED (the one to replace), and as cx_engine_update(). */
CX_MUST_CHECK enum cx_status cx_engine_create_point(struct cx_engine *engine,
                                                    const struct cx_create_point_request *request,
                                                    struct cx_write_outcome *ret_outcome,
                                                    struct cx_point_view *ret_point,
                                                    struct cx_error *ret_error);

/* Takes a point, also of a deleted context; an empty id: the newest. *ret_point is the
 * caller's. Fails with CONTEXT_NOT_FOUND, RECOVERY_POINT_NOT_FOUND, NO_RECOVERY_POINTS. */
CX_MUST_CHECK enum cx_status
cx_engine_get_point(struct cx_engine *engine, const struct cx_context_name *name,
                    struct cx_bytes point_id, struct cx_point_view *ret_point,
                    uint64_t *ret_wait_for, struct cx_error *ret_error);

/* Lists points, newest first; ancestors, nearest first. Looks at up to CX_PAGE_ROWS_MAX. The
 * caller owns the page: cx_point_page_done(). Fails with CONTEXT_NOT_FOUND and
 * RECOVERY_POINT_NOT_FOUND (what the query names), LIMIT_REACHED (memory). */
CX_MUST_CHECK enum cx_status cx_engine_list_points(struct cx_engine *engine,
                                                   const struct cx_point_query *query,
                                                   struct cx_point_page *ret_page,
                                                   uint64_t *ret_wait_for,
                                                   struct cx_error *ret_error);

/* Changes what lies beside the state of a point. *ret_point is the caller's; zeroed where only
 * attachments are kept for a point that is still to be made. Fails with CONTEXT_NOT_FOUND,
 * RECOVERY_POINT_NOT_FOUND, SESSION_NOT_FOUND, STALE_FENCE, LIMIT_REACHED. */
CX_MUST_CHECK enum cx_status cx_engine_update_point(struct cx_engine *engine,
                                                    const struct cx_update_point_request *request,
                                                    struct cx_write_outcome *ret_outcome,
                                                    struct cx_point_view *ret_point,
                                                    struct cx_error *ret_error);

/* Drops a point, pinned or not; its children take its parent. Fails as the former. */
CX_MUST_CHECK enum cx_status cx_engine_delete_point(struct cx_engine *engine,
                                                    const struct cx_delete_point_request *request,
                                                    struct cx_write_outcome *ret_outcome,
                                                    struct cx_error *ret_error);

/* Drops the points that the request does not keep, context by context, in several changes where
 * they are many. *ret_removed and *ret_kept count points; of a dry run, what would be. Fails with
 * CONTEXT_NOT_FOUND (the one named), and as the former. A repeat is known by the request id where
 * a single context is named; elsewhere it finds nothing left to drop. */
CX_MUST_CHECK enum cx_status cx_engine_prune_points(struct cx_engine *engine,
                                                    const struct cx_prune_request *request,
                                                    struct cx_write_outcome *ret_outcome,
                                                    uint64_t *ret_removed, uint64_t *ret_kept,
                                                    struct cx_error *ret_error);

/* Sets a context back. *ret_snapshot is the context now, the caller's. ret_safety_id is the id
 * of the safety point, or "". Fails with CONTEXT_NOT_FOUND, CONTEXT_EXISTS (an undelete of one
 * that is there), STATE_NOT_RETAINED, RECOVERY_POINT_NOT_FOUND, NO_RECOVERY_POINTS,
 * PARENT_NOT_FOUND (of an undelete), HEAD_MOVED, and as cx_engine_update(). */
enum { CX_POINT_ID_ROOM = 129 };

CX_MUST_CHECK enum cx_status
cx_engine_restore(struct cx_engine *engine, const struct cx_restore_request *request,
                  struct cx_write_outcome *ret_outcome, struct cx_snapshot *ret_snapshot,
                  uint64_t *ret_changed_count, char ret_safety_id[CX_POINT_ID_ROOM],
                  struct cx_error *ret_error);

/* Makes a context from a state of another. *ret_snapshot is the fork, the caller's. Fails with
 * CONTEXT_NOT_FOUND (the source), CONTEXT_EXISTS, STATE_NOT_RETAINED, RECOVERY_POINT_NOT_FOUND,
 * PARENT_NOT_FOUND, and as cx_engine_create(). O(1) of a head or a point; with points,
 * O(points). */
CX_MUST_CHECK enum cx_status cx_engine_fork(struct cx_engine *engine,
                                            const struct cx_fork_request *request,
                                            struct cx_write_outcome *ret_outcome,
                                            struct cx_snapshot *ret_snapshot,
                                            struct cx_error *ret_error);

/* Brings what changed in one context since a common state into another. *ret_result is the
 * caller's: cx_merge_result_done(). outcome->version is the target's, afterwards.
 * ret_safety_id as for a restore. Fails with CONTEXT_NOT_FOUND, STATE_NOT_RETAINED,
 * RECOVERY_POINT_NOT_FOUND, NO_COMMON_ANCESTOR, HEAD_MOVED, and as cx_engine_update(). */
CX_MUST_CHECK enum cx_status
cx_engine_merge(struct cx_engine *engine, const struct cx_merge_request *request,
                struct cx_write_outcome *ret_outcome, struct cx_merge_result *ret_result,
                char ret_safety_id[CX_POINT_ID_ROOM], struct cx_error *ret_error);

/* Takes a newer state of a context, and the older one that a client has, to be compared.
 * *ret_full: the older one is not there any more, and `before` is empty (zeroed). Fails with
 * CONTEXT_NOT_FOUND. The snapshots are the caller's. */
CX_MUST_CHECK enum cx_status cx_engine_sync(struct cx_engine *engine,
                                            const struct cx_context_name *name,
                                            uint64_t have_version, struct cx_snapshot *ret_before,
                                            struct cx_snapshot *ret_after, bool *ret_full,
                                            uint64_t *ret_wait_for, struct cx_error *ret_error);

#endif /* CX_ENGINE_RECOVERY_H */
