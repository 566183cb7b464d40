/* Which recovery points a policy keeps.
 *
 * A point is kept when any rule keeps it, when it is pinned, or when it is the newest. Its own
 * expiry is no rule.
 *
 * Threads: under the lock of the context's shard. */

#ifndef CX_STATE_RETENTION_H
#define CX_STATE_RETENTION_H

#include "core/state/context.h"
#include "core/state/point.h"

/* Rules, at a time. */
struct cx_keeping {
    struct cx_retention rules;
    int64_t now_us;
    uint64_t window; /* Points from this sequence on are the newest `keep_last`, */
    uint64_t newest; /* and this is the newest. UINT64_MAX: it is still to be made. */
    bool other;      /* These are not the rules that the context has had: what it remembers of
                        those does not hold. */
};

/* Of a context's policy; without one of its own, the newest `points_max`. */
void cx_keeping_init(struct cx_keeping *keeping, const struct cx_recovery_policy *policy,
                     uint64_t points_max, int64_t now_us);

/* Looks where the newest begin, when `more` points will have been made. Like
 * cx_recovery_window(). */
void cx_keeping_set_window(struct cx_keeping *keeping, struct cx_recovery *recovery, uint64_t more);

/* Whether a point stays. */
bool cx_keeping_keeps(const struct cx_keeping *keeping, const struct cx_point *point);

/* Walks the points that are not kept, oldest first. It remembers, in the context, up to where
 * all stay for good, so that they are not looked at again. */
struct cx_keep_walk {
    struct cx_recovery *recovery;
    struct cx_keeping keeping;
    struct cx_tree_cursor cursor;
    struct cx_tree_item *next;
    bool settling;
};

void cx_keep_walk_begin(struct cx_keep_walk *walk, struct cx_recovery *recovery,
                        const struct cx_keeping *keeping, uint64_t more);

/* Begins again, at the oldest, and remembers nothing: for rules that the context does not have
 * yet, and may never get. */
void cx_keep_walk_from_oldest(struct cx_keep_walk *walk);

/* The next one, by sequence, or NULL. */
const struct cx_point *cx_keep_walk_next(struct cx_keep_walk *walk);

/* When the last point of the head was made; of a context without one, when it was created. */
int64_t cx_recovery_point_since(const struct cx_context *context);

/* When a timer has to look at the points of a live context; 0: never. O(log n). */
int64_t cx_recovery_due_time(const struct cx_context *context);

#endif /* CX_STATE_RETENTION_H */
