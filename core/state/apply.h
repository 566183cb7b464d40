/* The one place that changes the state. The same for a live change and for replay.
 *
 * What always holds:
 *
 *  (1) It cannot fail, and looks at nothing but the state, the change, its revision and
 *      its time.
 *  (2) The same changes in the same order give the same state (cx_state_digest()) on
 *      every machine.
 *
 * Threads: under the locks of all shards that the change touches; settings, alone. */

#ifndef CX_STATE_APPLY_H
#define CX_STATE_APPLY_H

#include "core/state/stage.h"

/* Applies a staged change, which has become record `revision` of the log. What nobody
 * needs any more goes to *garbage, to be freed outside the locks with
 * cx_undo_free_list(). */
void cx_apply(struct cx_stage *stage, const struct cx_change *change, uint64_t revision,
              int64_t time_us, struct cx_undo **garbage);

#endif /* CX_STATE_APPLY_H */
