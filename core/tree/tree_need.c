/* How many nodes changes can take.
 *
 * A change takes nodes for what it copies and for what it splits. Every node that
 * was there at first is copied at most once, if it is shared, and charged for one
 * split, when the first change counts it.
 *
 * A split or a merge leaves nodes that take several insertions before they split
 * again, and several times that on each higher level, so that one node more for each
 * put covers all later splits, and another one the new root that it may grow.
 *
 * Changes move keys to other leaves. A key belongs into the leaf of the item before
 * it, or into the first leaf. Where that item was put by one of the changes, its leaf
 * is counted or new; where it comes next because those between were removed, the
 * removal of the last of these has counted its neighbours. */

#include <assert.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/tree/tree_cursor.h"
#include "core/tree/tree_node.h"

/* ---- What was counted. ----------------------------------------------------- */

/* The place of a node in a table that is not full: where it is, or a free one. The
 * capacity is a power of two. */
static struct cx_tree_place *table_find(struct cx_tree_place *table, size_t capacity,
                                        struct cx_tree_place place)
{
    size_t at = (size_t)cx_hash64((struct cx_bytes){(const uint8_t *)&place, sizeof place}, 0);

    for (;; at++) {
        struct cx_tree_place *each = &table[at & (capacity - 1)];

        if (each->tree == NULL || (each->tree == place.tree && each->node == place.node)) {
            return each;
        }
    }
}

static struct cx_tree_place *need_table(struct cx_tree_need *need)
{
    return need->seen != NULL ? need->seen : need->few;
}

static size_t need_capacity(const struct cx_tree_need *need)
{
    return need->seen != NULL ? need->seen_capacity : CX_TREE_NEED_FEW;
}

static enum cx_status need_grow(struct cx_tree_need *need)
{
    struct cx_tree_place *old = need_table(need);
    size_t old_capacity = need_capacity(need);
    struct cx_tree_place *table = cx_calloc(2 * old_capacity * sizeof *table);

    if (table == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].tree != NULL) {
            *table_find(table, 2 * old_capacity, old[i]) = old[i];
        }
    }
    cx_free(need->seen);
    need->seen = table;
    need->seen_capacity = 2 * old_capacity;
    return CX_OK;
}

/* Counts a node, once. */
static enum cx_status need_node(struct cx_tree_need *need, struct cx_tree_place place, bool shared)
{
    struct cx_tree_place *found = table_find(need_table(need), need_capacity(need), place);

    if (found->tree != NULL) {
        return CX_OK;
    }
    if (4 * (need->seen_count + 1) > 3 * need_capacity(need)) {
        enum cx_status status = need_grow(need);

        if (status != CX_OK) {
            return status;
        }
        found = table_find(need_table(need), need_capacity(need), place);
    }
    *found = place;
    need->seen_count++;
    need->count += shared ? 2 : 1;
    return CX_OK;
}

/* ---- Ways. ----------------------------------------------------------------- */

static enum cx_status need_path(struct cx_tree_need *need, const struct cx_tree *tree,
                                const struct cx_tree_cursor *path)
{
    enum cx_status status = CX_OK;
    bool shared = false;

    for (size_t i = 0; i < path->height && status == CX_OK; i++) {
        shared = shared || cx_tree_node_shared(path->path[i].node);
        status = need_node(need, (struct cx_tree_place){tree, path->path[i].node}, shared);
    }
    return status;
}

enum cx_status cx_tree_need_put(struct cx_tree_need *need, const struct cx_tree_class *kind,
                                const struct cx_tree *tree, struct cx_bytes key)
{
    struct cx_tree_cursor path;

    assert(tree != NULL);
    cx_tree_path_find(kind, tree, key, &path);
    need->count += 2;
    return need_path(need, tree, &path);
}

enum cx_status cx_tree_need_remove(struct cx_tree_need *need, const struct cx_tree_class *kind,
                                   const struct cx_tree *tree, struct cx_bytes key)
{
    struct cx_tree_cursor path;
    struct cx_tree_cursor neighbour;
    enum cx_status status;

    assert(tree != NULL);
    cx_tree_path_find(kind, tree, key, &path);
    status = need_path(need, tree, &path);
    neighbour = path;
    if (status == CX_OK && cx_tree_previous(&neighbour) != NULL) {
        status = need_path(need, tree, &neighbour);
    }
    neighbour = path;
    if (status == CX_OK && cx_tree_next(&neighbour) != NULL) {
        status = need_path(need, tree, &neighbour);
    }
    return status;
}

void cx_tree_need_done(struct cx_tree_need *need)
{
    cx_free(need->seen);
    *need = (struct cx_tree_need){0};
}
