#include "core/state/state_diff.h"

#include "core/state/entry.h"

/* Whether two entries hold the same, whenever they were set. */
static bool holds_the_same(const struct cx_entry *a, const struct cx_entry *b)
{
    return cx_bytes_equal(cx_entry_content_type(a), cx_entry_content_type(b)) &&
           cx_entry_values_equal(a, b);
}

static bool has_prefix(const struct cx_tree_item *item, struct cx_bytes prefix)
{
    return cx_bytes_has_prefix(cx_tree_item_key(&cx_entry_class, item), prefix);
}

void cx_state_diff_walk_begin(struct cx_state_diff_walk *walk, const struct cx_snapshot *before,
                              const struct cx_snapshot *after, struct cx_bytes key_prefix,
                              enum cx_state_diff_rule rule)
{
    walk->rule = rule;
    walk->key_prefix = key_prefix;
    walk->equal_left = UINT64_MAX;
    cx_tree_diff_begin(&walk->diff, &cx_entry_class, &before->entries, &after->entries, key_prefix);
}

bool cx_state_diff_walk_next(struct cx_state_diff_walk *walk,
                             struct cx_state_difference *ret_difference)
{
    struct cx_state_difference difference = {0};
    struct cx_tree_item *before;
    struct cx_tree_item *after;

    for (;;) {
        if (walk->equal_left == 0 || !cx_tree_diff_next(&walk->diff, &before, &after) ||
            !has_prefix(before != NULL ? before : after, walk->key_prefix)) {
            return false;
        }
        if (walk->rule == CX_DIFFERS_WHEN_SET || before == NULL || after == NULL ||
            !holds_the_same(cx_entry_of(before), cx_entry_of(after))) {
            break;
        }
        walk->equal_left--;
    }
    difference.has_before = before != NULL;
    difference.has_after = after != NULL;
    if (before != NULL) {
        difference.before = cx_entry_view_of(cx_entry_of(before));
    }
    if (after != NULL) {
        difference.after = cx_entry_view_of(cx_entry_of(after));
    }
    *ret_difference = difference;
    return true;
}
