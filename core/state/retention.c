#include "core/state/retention.h"

#include "core/base/limits.h"

void cx_keeping_init(struct cx_keeping *keeping, const struct cx_recovery_policy *policy,
                     uint64_t points_max, int64_t now_us)
{
    *keeping = (struct cx_keeping){
        .rules = policy->retention,
        .now_us = now_us,
        .newest = UINT64_MAX,
    };
    if (!cx_retention_is_set(&keeping->rules)) {
        keeping->rules.keep_last = points_max;
    }
}

void cx_keeping_set_window(struct cx_keeping *keeping, struct cx_recovery *recovery, uint64_t more)
{
    const struct cx_point *newest = cx_recovery_newest(recovery);

    keeping->window = cx_recovery_window(recovery, keeping->rules.keep_last, more);
    keeping->newest = more == 0 && newest != NULL ? newest->sequence : UINT64_MAX;
}

/* Whether a point stays, whatever else is made. */
static bool keeps_for_good(const struct cx_retention *rules, const struct cx_point *point)
{
    return point->pinned || (rules->keep_every != 0 && point->sequence % rules->keep_every == 0);
}

static bool is_young(const struct cx_keeping *keeping, const struct cx_point *point)
{
    return keeping->rules.keep_within_us != 0 &&
           point->create_time_us > keeping->now_us - keeping->rules.keep_within_us;
}

bool cx_keeping_keeps(const struct cx_keeping *keeping, const struct cx_point *point)
{
    return point->sequence >= keeping->window || point->sequence == keeping->newest ||
           keeps_for_good(&keeping->rules, point) || is_young(keeping, point);
}

static struct cx_tree_item *seek_behind(const struct cx_recovery *recovery, uint64_t sequence,
                                        struct cx_tree_cursor *cursor)
{
    struct cx_number_pair_key key;
    struct cx_bytes pair = cx_number_pair_key(&key, sequence + 1, 0);

    return cx_tree_seek(&cx_point_class, &recovery->points, (struct cx_bytes){pair.data, 8},
                        cursor);
}

void cx_keep_walk_begin(struct cx_keep_walk *walk, struct cx_recovery *recovery,
                        const struct cx_keeping *keeping, uint64_t more)
{
    walk->recovery = recovery;
    walk->keeping = *keeping;
    cx_keeping_set_window(&walk->keeping, recovery, more);
    walk->next = seek_behind(recovery, keeping->other ? 0 : recovery->settled, &walk->cursor);
    walk->settling = !keeping->other;
}

void cx_keep_walk_from_oldest(struct cx_keep_walk *walk)
{
    walk->next = seek_behind(walk->recovery, 0, &walk->cursor);
    walk->settling = false;
}

const struct cx_point *cx_keep_walk_next(struct cx_keep_walk *walk)
{
    while (walk->next != NULL) {
        const struct cx_point *point = cx_point_of(walk->next);

        if (point->sequence >= walk->keeping.window || point->sequence == walk->keeping.newest) {
            break;
        }
        if (keeps_for_good(&walk->keeping.rules, point)) {
            if (walk->settling) {
                walk->recovery->settled = point->sequence;
            }
            walk->next = cx_tree_next(&walk->cursor);
            continue;
        }
        if (is_young(&walk->keeping, point)) {
            break; /* Those behind are younger still. */
        }
        walk->settling = false;
        walk->next = cx_tree_next(&walk->cursor);
        return point;
    }
    walk->next = NULL;
    return NULL;
}

int64_t cx_recovery_point_since(const struct cx_context *context)
{
    const struct cx_recovery *recovery = context->recovery;

    return recovery != NULL && recovery->last_point_time_us != 0 ? recovery->last_point_time_us
                                                                 : context->create_time_us;
}

/* When the first point is to go of those that the rules do not keep for good: once it is too old,
 * or at once, where a change did something else to it or had no room for its drop. Without rules
 * of its own a context leaves such to its next change. */
static int64_t first_to_go(struct cx_recovery *recovery)
{
    const struct cx_retention *rules = &recovery->policy.retention;
    struct cx_keeping keeping = {.rules = *rules};
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item;

    if (!cx_retention_is_set(rules) || recovery->point_count <= 1) {
        return 0;
    }
    cx_keeping_set_window(&keeping, recovery, 0);
    item = seek_behind(recovery, recovery->settled, &cursor);
    while (item != NULL && keeps_for_good(rules, cx_point_of(item))) {
        recovery->settled = cx_point_of(item)->sequence;
        item = cx_tree_next(&cursor);
    }
    if (item == NULL || cx_point_of(item)->sequence >= keeping.window ||
        cx_point_of(item)->sequence == keeping.newest) {
        return 0;
    }
    return cx_point_of(item)->create_time_us + rules->keep_within_us;
}

static int64_t first_to_expire(const struct cx_recovery *recovery)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *row =
        cx_tree_seek(&cx_point_row_class, &recovery->expiring, (struct cx_bytes){0}, &cursor);

    return row != NULL
               ? cx_recovery_find(recovery, ((struct cx_point_row *)row)->sequence)->expire_time_us
               : 0;
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us == 0 || (b_us != 0 && b_us < a_us) ? b_us : a_us;
}

int64_t cx_recovery_due_time(const struct cx_context *context)
{
    struct cx_recovery *recovery = context->recovery;
    int64_t due_us = 0;

    if (recovery == NULL) {
        return 0;
    }
    if (recovery->policy.point_every_us != 0 && context->change_count > 0 &&
        recovery->point_count < CX_POINTS_MAX) {
        due_us = cx_recovery_point_since(context) + recovery->policy.point_every_us;
    }
    return earlier(due_us, earlier(first_to_expire(recovery), first_to_go(recovery)));
}
