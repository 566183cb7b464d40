/* The part of staging that drops recovery points: who takes their children, and what goes to the
 * garbage. For stage*.c alone.
 *
 * What always holds: see stage.h. Threads: as there. */

#ifndef CX_STATE_STAGE_POINT_DROPS_H
#define CX_STATE_STAGE_POINT_DROPS_H

#include "core/state/point.h"
#include "core/state/stage.h"

/* One that is dropped, and whose children its own take. */
struct cx_point_drop {
    uint64_t sequence;
    uint64_t heir; /* 0: none. */
    struct cx_point *point;
};

/* In the stage's arena. Zeroed: none. */
struct cx_point_drops {
    struct cx_point_drop *items; /* By sequence. */
    size_t count;
};

/* Stages all drops of an item, before its other steps: `staged->points`, which counts the points
 * that there are in `recovery`, counts those that are left, and those that are dropped. The
 * item's carrier has the latter, and room for those that the item replaces. *drops is zeroed
 * before. Fails like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_point_drops(struct cx_stage *stage,
                                                  const struct cx_change_item *item,
                                                  struct cx_staged_item *staged,
                                                  struct cx_recovery *recovery,
                                                  struct cx_point_drops *drops);

/* Hands a point that is dropped or replaced to the item's carrier, to be freed when none of the
 * locks is held. */
void cx_stage_point_carry(struct cx_staged_item *staged, struct cx_point *point);

/* The drop of a point, or NULL: it stays. O(log n). */
const struct cx_point_drop *cx_point_drops_find(const struct cx_point_drops *drops,
                                                uint64_t sequence);

/* The point itself, or the nearest of its ancestors that stays; 0: none does. */
uint64_t cx_point_drops_that_stays(const struct cx_point_drops *drops, uint64_t sequence);

#endif /* CX_STATE_STAGE_POINT_DROPS_H */
