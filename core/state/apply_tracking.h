/* The part of applying that concerns the tracker. For apply.c alone.
 *
 * What always holds: see apply.h. Threads: as there. */

#ifndef CX_STATE_APPLY_TRACKING_H
#define CX_STATE_APPLY_TRACKING_H

#include "core/state/stage_tracking.h"

/* The moment of a change. */
struct cx_moment {
    uint64_t revision;
    int64_t time_us;
};

/* Tells what is new the time of the change, and a session that starts its revision: before
 * anything comes into a list. */
void cx_apply_stamps(struct cx_stage *stage, struct cx_moment moment);

/* What an item says of the tracker. */
void cx_apply_tracking(struct cx_staged_item *staged, struct cx_moment moment);

/* What is left to be done to the session, after the items. */
void cx_apply_session(struct cx_stage *stage, enum cx_session_step step, struct cx_moment moment);

#endif /* CX_STATE_APPLY_TRACKING_H */
