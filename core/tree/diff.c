#include "core/tree/diff.h"

#include <assert.h>

#include "core/tree/tree_cursor.h"
#include "core/tree/tree_node.h"

/* Each cursor stands at an entry: an item, or a child with all that is below it. What is
 * in front of both has been told. The cursor whose first key is smaller goes on: past an
 * item, which the other tree does not have, or down into a child. At the same key, what is
 * one and the same in both trees is passed, and else the cursor that stands higher goes
 * down, both where they stand equally high.
 *
 * So a node that is gone into is not in the other tree: either its first key is not, or
 * that key lies in another node of the same level there. Where a node hangs does not
 * matter, as a shared one changes neither its level nor what is below it. */

static const struct cx_tree_node *node_of(const struct cx_tree_cursor *cursor)
{
    return cursor->path[cursor->height - 1].node;
}

static size_t index_of(const struct cx_tree_cursor *cursor)
{
    return cursor->path[cursor->height - 1].index;
}

/* The child, or the item. */
static const void *entry_of(const struct cx_tree_cursor *cursor)
{
    const struct cx_tree_node *node = node_of(cursor);

    if (node->level > 0) {
        return cx_tree_node_child(node, index_of(cursor));
    }
    return cx_tree_node_item(node, index_of(cursor));
}

/* At the end of a node goes on behind it, in the one above. */
static void settle(struct cx_tree_cursor *cursor)
{
    while (cursor->height > 0 && index_of(cursor) == node_of(cursor)->count) {
        cursor->height--;
        if (cursor->height > 0) {
            cursor->path[cursor->height - 1].index++;
        }
    }
}

static void step_over(struct cx_tree_cursor *cursor)
{
    cursor->path[cursor->height - 1].index++;
    settle(cursor);
}

static void leave_node(struct cx_tree_cursor *cursor)
{
    cursor->path[cursor->height - 1].index = node_of(cursor)->count;
    settle(cursor);
}

/* Passes the item that the cursor stands at, and returns it, or goes down into the child:
 * NULL. */
static struct cx_tree_item *go_on(struct cx_tree_cursor *cursor)
{
    const struct cx_tree_node *node = node_of(cursor);
    struct cx_tree_item *item;

    if (node->level > 0) {
        cx_tree_path_push(cursor, cx_tree_node_child(node, index_of(cursor)), 0);
        return NULL;
    }
    item = cx_tree_node_item(node, index_of(cursor));
    step_over(cursor);
    return item;
}

/* Whether both stood at something that the trees share, and are behind it now. Within the
 * same node, where only the way to the first key leads, all the rest of it is the same. */
static bool pass_shared(struct cx_tree_cursor *before, struct cx_tree_cursor *after)
{
    const struct cx_tree_node *a = node_of(before);
    const struct cx_tree_node *b = node_of(after);

    if (a == b) {
        assert(index_of(before) == index_of(after));
        leave_node(before);
        leave_node(after);
        return true;
    }
    if (a->level != b->level || entry_of(before) != entry_of(after)) {
        return false;
    }
    step_over(before);
    step_over(after);
    return true;
}

/* Compares the first keys, without a look at the items where that is possible: nodes that
 * skip nothing have comparable prefixes, as all nodes of short keys do. */
static int compare_first(const struct cx_tree_class *kind, const struct cx_tree_cursor *before,
                         const struct cx_tree_cursor *after)
{
    const struct cx_tree_node *a = node_of(before);
    const struct cx_tree_node *b = node_of(after);
    const struct cx_tree_item *item_a = cx_tree_node_item(a, index_of(before));
    const struct cx_tree_item *item_b = cx_tree_node_item(b, index_of(after));
    uint64_t prefix_a = a->slots[index_of(before)].prefix;
    uint64_t prefix_b = b->slots[index_of(after)].prefix;

    if (item_a == item_b) {
        return 0;
    }
    if (a->skip == 0 && b->skip == 0 && prefix_a != prefix_b) {
        return prefix_a < prefix_b ? -1 : 1;
    }
    return cx_bytes_compare(cx_tree_item_key(kind, item_a), cx_tree_item_key(kind, item_b));
}

/* Which go on: negative, the one before; positive, the one after; 0, both. They do both
 * only where they stand equally high. */
static int compare(const struct cx_tree_diff *diff)
{
    int order;

    if (diff->before.height == 0 || diff->after.height == 0) {
        return diff->before.height > 0 ? -1 : 1;
    }
    order = compare_first(diff->kind, &diff->before, &diff->after);
    return order != 0 ? order : node_of(&diff->after)->level - node_of(&diff->before)->level;
}

/* ---- Public interface. ----------------------------------------------------- */

void cx_tree_diff_begin(struct cx_tree_diff *diff, const struct cx_tree_class *kind,
                        const struct cx_tree *before, const struct cx_tree *after,
                        struct cx_bytes from_key)
{
    diff->kind = kind;
    diff->step_count = 0;
    cx_tree_path_find(kind, before, from_key, &diff->before);
    cx_tree_path_find(kind, after, from_key, &diff->after);
    settle(&diff->before);
    settle(&diff->after);
}

bool cx_tree_diff_next(struct cx_tree_diff *diff, struct cx_tree_item **ret_before,
                       struct cx_tree_item **ret_after)
{
    while (diff->before.height > 0 || diff->after.height > 0) {
        struct cx_tree_item *before = NULL;
        struct cx_tree_item *after = NULL;
        int order;

        diff->step_count++;
        if (diff->before.height > 0 && diff->after.height > 0 &&
            pass_shared(&diff->before, &diff->after)) {
            continue;
        }
        order = compare(diff);
        if (order <= 0) {
            before = go_on(&diff->before);
        }
        if (order >= 0) {
            after = go_on(&diff->after);
        }
        if (before != NULL || after != NULL) {
            *ret_before = before;
            *ret_after = after;
            return true;
        }
    }
    return false;
}
