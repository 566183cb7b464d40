/* The form of a change: what every change that was planned keeps to, so that whatever
 * else is decoded can be refused before it reaches the state.
 *
 * Threads: plain data. */

#ifndef CX_STATE_CHANGE_CHECK_H
#define CX_STATE_CHANGE_CHECK_H

#include "core/state/change.h"

/* Whether names, sizes, counts and times are within core/base/limits.h, labels are in
 * their order, and settings make sense. O(names, labels and steps). */
bool cx_change_is_well_formed(const struct cx_change *change);

#endif /* CX_STATE_CHANGE_CHECK_H */
