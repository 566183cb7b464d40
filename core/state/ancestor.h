/* The state that two contexts have in common: from forks, and from earlier merges of the two.
 *
 * What always holds: where that state is not kept, none is found. A state aside, with changes that
 * no head has, is common only to those that were forked from it. A state counts as one of the
 * context that it was made in, under whatever name it is kept: of a point that came along with a
 * fork, that is one that the fork came from; of what was kept when the name was taken again, one
 * that nothing leads to, so that what it was forked from is not known.
 *
 * Threads: under the locks of both contexts' shards. */

#ifndef CX_STATE_ANCESTOR_H
#define CX_STATE_ANCESTOR_H

#include "core/state/context.h"
#include "core/state/point.h"

/* The newest state that both a state of `source` and the head of `target` came from: a reference
 * for the caller. NULL: there is none. O(forks of forks, squared, and merges remembered). */
struct cx_base *cx_ancestor_find(const struct cx_context *source, const struct cx_kept_state *state,
                                 const struct cx_context *target);

/* Whether a state that a context keeps is its own, or of one that it was forked from: not of one
 * that had its name before. */
bool cx_ancestor_is_of(const struct cx_context *context, const struct cx_kept_state *state);

/* What of a context was merged into another one last, or NULL: borrowed. */
struct cx_base *cx_merged_find(const struct cx_context *target, const struct cx_context *source);

/* Whether `target` has to remember that this state of `source` was merged into it. What was merged
 * of a state aside, or from before its context was made, is not what the heads of that go on from,
 * and an older head says less than the newer one that is remembered. */
bool cx_merged_says_more(const struct cx_context *target, const struct cx_context *source,
                         const struct cx_kept_state *state);

#endif /* CX_STATE_ANCESTOR_H */
