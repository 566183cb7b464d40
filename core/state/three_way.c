#include "core/state/three_way.h"

#include <assert.h>

static enum cx_three_way_kind judge(bool target_is_source, bool target_is_ancestor)
{
    if (target_is_source) {
        return CX_THREE_WAY_SAME;
    }
    return target_is_ancestor ? CX_THREE_WAY_TAKE : CX_THREE_WAY_CONFLICT;
}

/* ---- Entries. -------------------------------------------------------------- */

static bool entries_same(const struct cx_entry *a, const struct cx_entry *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return a == b || (cx_bytes_equal(cx_entry_content_type(a), cx_entry_content_type(b)) &&
                      cx_entry_values_equal(a, b));
}

void cx_three_way_begin(struct cx_three_way *walk, const struct cx_tree *ancestor,
                        const struct cx_tree *target, const struct cx_tree *source)
{
    walk->target = target;
    cx_tree_diff_begin(&walk->changes, &cx_entry_class, ancestor, source, (struct cx_bytes){0});
}

bool cx_three_way_next(struct cx_three_way *walk, struct cx_three_way_step *ret_step)
{
    struct cx_tree_item *ancestor;
    struct cx_tree_item *source;

    while (cx_tree_diff_next(&walk->changes, &ancestor, &source)) {
        struct cx_three_way_step step = {
            .key = cx_tree_item_key(&cx_entry_class, source != NULL ? source : ancestor),
            .ancestor = cx_entry_of(ancestor),
            .source = cx_entry_of(source),
        };

        assert(step.ancestor != step.source);
        if (entries_same(step.ancestor, step.source)) {
            continue;
        }
        step.target = cx_entry_of(cx_tree_get(&cx_entry_class, walk->target, step.key));
        step.kind =
            judge(entries_same(step.target, step.source), entries_same(step.target, step.ancestor));
        *ret_step = step;
        return true;
    }
    return false;
}

/* ---- Labels. --------------------------------------------------------------- */

static bool labels_same(const struct cx_label *a, const struct cx_label *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return cx_bytes_equal(a->value, b->value);
}

/* Orders the first labels of two lists, not both empty, by their keys. */
static int compare_first(struct cx_label_list a, struct cx_label_list b)
{
    if (a.count == 0 || b.count == 0) {
        return a.count > 0 ? -1 : 1;
    }
    return cx_bytes_compare(a.items[0].key, b.items[0].key);
}

static const struct cx_label *take_first(struct cx_label_list *list)
{
    list->count--;
    return list->items++;
}

void cx_three_way_labels_begin(struct cx_three_way_labels *walk, struct cx_label_list ancestor,
                               struct cx_label_list target, struct cx_label_list source)
{
    *walk = (struct cx_three_way_labels){ancestor, target, source};
}

bool cx_three_way_labels_next(struct cx_three_way_labels *walk,
                              struct cx_three_way_label_step *ret_step)
{
    while (walk->ancestor.count > 0 || walk->source.count > 0) {
        struct cx_three_way_label_step step = {0};
        int order = compare_first(walk->ancestor, walk->source);

        if (order <= 0) {
            step.ancestor = take_first(&walk->ancestor);
        }
        if (order >= 0) {
            step.source = take_first(&walk->source);
        }
        if (labels_same(step.ancestor, step.source)) {
            continue;
        }
        step.key = step.source != NULL ? step.source->key : step.ancestor->key;
        step.target = cx_label_find(walk->target, step.key);
        step.kind =
            judge(labels_same(step.target, step.source), labels_same(step.target, step.ancestor));
        *ret_step = step;
        return true;
    }
    return false;
}
