/* What a change tells of a context besides its names, labels and version. Part of stage.c's
 * work.
 *
 * Threads: as stage.h says. */

#ifndef CX_STATE_STAGE_HEAD_H
#define CX_STATE_STAGE_HEAD_H

#include "core/state/stage.h"

/* Works out the head of an item, all else of which is staged: sets it while planning. In a
 * replay, CX_DATA_LOSS when it is not what the item says. */
CX_MUST_CHECK enum cx_status cx_stage_head(const struct cx_stage *stage,
                                           const struct cx_staged_item *staged,
                                           struct cx_change_item *item);

#endif /* CX_STATE_STAGE_HEAD_H */
