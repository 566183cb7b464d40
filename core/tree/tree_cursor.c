#include "core/tree/tree_cursor.h"

#include <assert.h>

#include "core/tree/tree_node.h"

void cx_tree_path_push(struct cx_tree_cursor *path, const struct cx_tree_node *node, size_t index)
{
    assert(path->height < CX_TREE_HEIGHT_MAX);
    path->path[path->height].node = node;
    path->path[path->height].index = (uint32_t)index;
    path->height++;
}

static struct cx_tree_item *item_here(const struct cx_tree_cursor *cursor)
{
    return cx_tree_node_item(cursor->path[cursor->height - 1].node,
                             cursor->path[cursor->height - 1].index);
}

bool cx_tree_path_find(const struct cx_tree_class *kind, const struct cx_tree *tree,
                       struct cx_bytes key, struct cx_tree_cursor *ret_path)
{
    const struct cx_tree_node *node = tree->root;
    bool found = false;
    size_t index;

    ret_path->height = 0;
    if (node == NULL) {
        return false;
    }
    for (; node->level > 0; node = cx_tree_node_child(node, index)) {
        index = cx_tree_node_search(kind, node, key, &found);
        if (!found && index > 0) {
            index--; /* The last child that does not begin behind the key. */
        }
        cx_tree_path_push(ret_path, node, index);
    }
    cx_tree_path_push(ret_path, node, cx_tree_node_search(kind, node, key, &found));
    return found;
}

/* Goes down to the first, or the last, item below `node`. */
static struct cx_tree_item *go_down(struct cx_tree_cursor *cursor, const struct cx_tree_node *node,
                                    bool last)
{
    while (node->level > 0) {
        size_t index = last ? node->count - 1u : 0;

        cx_tree_path_push(cursor, node, index);
        node = cx_tree_node_child(node, index);
    }
    cx_tree_path_push(cursor, node, last ? node->count - 1u : 0);
    return item_here(cursor);
}

struct cx_tree_item *cx_tree_last(const struct cx_tree *tree, struct cx_tree_cursor *ret_cursor)
{
    ret_cursor->height = 0;
    return tree->root != NULL ? go_down(ret_cursor, tree->root, true) : NULL;
}

struct cx_tree_item *cx_tree_next(struct cx_tree_cursor *cursor)
{
    for (; cursor->height > 0; cursor->height--) {
        const struct cx_tree_node *node = cursor->path[cursor->height - 1].node;
        size_t index = cursor->path[cursor->height - 1].index + 1u;

        if (index < node->count) {
            cursor->path[cursor->height - 1].index = (uint32_t)index;
            return node->level == 0 ? item_here(cursor)
                                    : go_down(cursor, cx_tree_node_child(node, index), false);
        }
    }
    return NULL;
}

struct cx_tree_item *cx_tree_previous(struct cx_tree_cursor *cursor)
{
    for (; cursor->height > 0; cursor->height--) {
        const struct cx_tree_node *node = cursor->path[cursor->height - 1].node;
        size_t index = cursor->path[cursor->height - 1].index;

        if (index > 0) {
            cursor->path[cursor->height - 1].index = (uint32_t)index - 1;
            return node->level == 0 ? item_here(cursor)
                                    : go_down(cursor, cx_tree_node_child(node, index - 1), true);
        }
    }
    return NULL;
}

struct cx_tree_item *cx_tree_seek(const struct cx_tree_class *kind, const struct cx_tree *tree,
                                  struct cx_bytes key, struct cx_tree_cursor *ret_cursor)
{
    cx_tree_path_find(kind, tree, key, ret_cursor);
    if (ret_cursor->height == 0) {
        return NULL;
    }
    if (ret_cursor->path[ret_cursor->height - 1].index ==
        ret_cursor->path[ret_cursor->height - 1].node->count) {
        return cx_tree_next(ret_cursor); /* It belongs at the end of this leaf. */
    }
    return item_here(ret_cursor);
}

struct cx_tree_item *cx_tree_seek_before(const struct cx_tree_class *kind,
                                         const struct cx_tree *tree, struct cx_bytes key,
                                         struct cx_tree_cursor *ret_cursor)
{
    cx_tree_path_find(kind, tree, key, ret_cursor);
    return cx_tree_previous(ret_cursor);
}
