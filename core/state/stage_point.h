/* The part of staging that concerns recovery points and earlier states. For stage*.c and
 * apply*.c alone.
 *
 * What always holds: see stage.h. Threads: as there. */

#ifndef CX_STATE_STAGE_POINT_H
#define CX_STATE_STAGE_POINT_H

#include "core/state/point.h"
#include "core/state/stage.h"

/* A point that comes into its trees when the change is applied, and is told then what nobody
 * knew before. */
struct cx_staged_point {
    struct cx_staged_point *next;
    const struct cx_point_step *step;
    struct cx_point *point; /* The list edit's. */
    struct cx_past *past;   /* Of one that takes the head's state: to be filled. A reference. */
    struct cx_row *row;     /* In the list by revision. The list edit's; NULL: none. */
    bool is_new;            /* Else it takes the place of one, */
    bool unpins;            /* which was pinned, and it is not. */
};

/* What becomes of a context's struct cx_recovery, apart from the edits of its trees. */
struct cx_staged_points {
    struct cx_staged_point *points; /* First to last. */
    size_t drop_count;              /* How many of those with the carrier go without another in
                                     * their place: its first ones. */
    uint64_t point_count;           /* All of these: afterwards. */
    uint64_t pending_count;
    uint64_t last_sequence;
    uint64_t head_point;
    uint64_t version_last;
    bool head_kept; /* A point has the state that the head has now. */
};

/* Stages the steps on points of an item, after the rest of it. Fails like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_points(struct cx_stage *stage, struct cx_change_item *item,
                                             struct cx_staged_item *staged);

/* Sets the entries, and what counts them, to those of the state that the item begins from, with
 * its steps on top. Fails like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_base(struct cx_stage *stage, struct cx_change_item *item,
                                           struct cx_staged_item *staged);

/* What a new context takes over from the one that it is forked from, and from the tombstone
 * before it. Fails like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_fork(struct cx_stage *stage, struct cx_bytes namespace_id,
                                           struct cx_change_item *item,
                                           struct cx_staged_item *staged);

/* Gives the item what takes to the garbage what its context has no more, so that it is not freed
 * under the lock. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_stage_carrier(struct cx_staged_item *staged);

/* Remembers what was merged. Fails like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_merged(struct cx_stage *stage, struct cx_bytes namespace_id,
                                             const struct cx_change_item *item,
                                             struct cx_staged_item *staged);

/* Releases what was not applied. NULL is fine. */
void cx_staged_points_done(struct cx_staged_points *points);

#endif /* CX_STATE_STAGE_POINT_H */
