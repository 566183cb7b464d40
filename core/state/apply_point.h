/* The part of applying that concerns recovery points and earlier states. For apply.c alone.
 *
 * What always holds: see apply.h. Threads: as there. */

#ifndef CX_STATE_APPLY_POINT_H
#define CX_STATE_APPLY_POINT_H

#include "core/state/apply_tracking.h"
#include "core/state/stage_point.h"

/* Tells new points the revision and the time of the change: before anything comes into a
 * list. */
void cx_apply_point_stamps(struct cx_stage *stage, struct cx_moment moment);

/* Gives a context that is made what it has of earlier states: after it took the place of a
 * tombstone. */
void cx_apply_origin(struct cx_staged_item *staged, struct cx_moment moment);

/* What an item says of points, after the rest of it. What is dropped or replaced goes to *garbage,
 * and so does what the context came from, or was merged into it, and is no more remembered. */
void cx_apply_points(struct cx_staged_item *staged, const struct cx_change_item *item,
                     struct cx_moment moment, struct cx_undo **garbage);

#endif /* CX_STATE_APPLY_POINT_H */
