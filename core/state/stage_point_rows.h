/* The part of staging that edits what leads to recovery points by something else than their
 * sequence: by id, parent, time of expiry, and revision. For stage*.c alone.
 *
 * All of these fail with CX_RESOURCE_EXHAUSTED when out of memory.
 *
 * What always holds: see stage.h. Threads: as there. */

#ifndef CX_STATE_STAGE_POINT_ROWS_H
#define CX_STATE_STAGE_POINT_ROWS_H

#include "core/state/point.h"
#include "core/state/stage.h"
#include "core/state/stage_point.h"

/* Adds, or removes, a row of `children` or `expiring`. `second` is a point's sequence. */
CX_MUST_CHECK enum cx_status cx_stage_point_pair_row(struct cx_stage *stage, struct cx_tree *tree,
                                                     uint64_t first, uint64_t second, bool add);

/* Adds, or removes, the row of a point in the list by revision. */
CX_MUST_CHECK enum cx_status cx_stage_point_list_row(struct cx_stage *stage,
                                                     const struct cx_staged_item *staged,
                                                     const struct cx_point *point, bool add);

/* The same of all points. O(points). */
CX_MUST_CHECK enum cx_status cx_stage_point_rows(struct cx_stage *stage,
                                                 const struct cx_staged_item *staged,
                                                 const struct cx_recovery *recovery, bool add);

/* Edits the row in `expiring` of a point that takes the place of `before` (NULL: of none). */
CX_MUST_CHECK enum cx_status cx_stage_point_expiry_row(struct cx_stage *stage,
                                                       struct cx_recovery *recovery,
                                                       const struct cx_point *before,
                                                       const struct cx_point *point);

/* Adds the other rows of a point that is new: `made->row` is the one in the list by revision,
 * which is not known before the change is applied. */
CX_MUST_CHECK enum cx_status cx_stage_point_new_rows(struct cx_stage *stage,
                                                     const struct cx_staged_item *staged,
                                                     struct cx_recovery *recovery,
                                                     struct cx_staged_point *made);

#endif /* CX_STATE_STAGE_POINT_ROWS_H */
