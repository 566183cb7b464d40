#include "core/tree/tree.h"

#include <assert.h>

#include "core/base/prefetch.h"
#include "core/tree/tree_cursor.h"
#include "core/tree/tree_node.h"

/* Of an item: what lies in front of most values. Of a node: its first prefixes. */
enum { PREFETCH_SIZE = 3 * CX_CACHE_LINE };

/* ---- What a change takes. -------------------------------------------------- */

static bool is_small(const struct cx_tree_node *node)
{
    return node->level == 0 && node->capacity < CX_TREE_LEAF_MAX;
}

/* A small leaf does not split: it is replaced by a larger one. */
static bool outgrows(const struct cx_tree_node *node, size_t added)
{
    return is_small(node) && node->count + added > node->capacity;
}

/* How many nodes of the path must be copied, as they are shared or lie below one that
 * is. */
static size_t count_copies(const struct cx_tree_cursor *path)
{
    for (size_t i = 0; i < path->height; i++) {
        if (cx_tree_node_shared(path->path[i].node)) {
            return path->height - i;
        }
    }
    return 0;
}

/* How many nodes the splits take, from the leaf upwards, when an item is inserted. */
static size_t count_splits(const struct cx_tree_cursor *path)
{
    size_t count = 0;

    while (count < path->height) {
        const struct cx_tree_node *node = path->path[path->height - 1 - count].node;

        if (node->count < node->capacity) {
            return count;
        }
        count++;
    }
    return count + 1; /* A new root: also of an empty tree. */
}

/* Sets aside what a change takes that adds so many items, and adds nothing but the
 * memory that it really needs to a tree of few items. */
static enum cx_status reserve(struct cx_tree_pool *pool, const struct cx_tree_cursor *path,
                              size_t added)
{
    size_t items = added + (path->height > 0 ? path->path[0].node->count : 0);
    size_t copies = count_copies(path);

    if (path->height > 1 || items > CX_TREE_LEAF_MAX) {
        return cx_tree_pool_fill(pool, copies + (added > 0 ? count_splits(path) : 0));
    }
    if (path->height == 0 || copies > 0 || outgrows(path->path[0].node, added)) {
        return cx_tree_pool_add_leaf(pool, items);
    }
    return CX_OK;
}

/* ---- In place, or a copy. -------------------------------------------------- */

/* A node of a path that own_path() made ours. */
static struct cx_tree_node *owned(const struct cx_tree_cursor *path, size_t depth)
{
    struct cx_tree_node *node = (struct cx_tree_node *)path->path[depth].node;

    assert(!cx_tree_node_shared(node));
    return node;
}

/* Makes sure that nobody else holds a node of the path, and that a small leaf has room.
 * Copying a node adds references to its children, so that all below a shared node is
 * shared from then on. */
static void own_path(const struct cx_tree_class *kind, struct cx_tree *tree,
                     struct cx_tree_pool *pool, struct cx_tree_cursor *path, size_t added)
{
    if (path->height == 0) {
        tree->root = cx_tree_pool_take(pool, 0);
        path->path[0].node = tree->root;
        path->path[0].index = 0;
        path->height = 1;
    }
    for (size_t i = 0; i < path->height; i++) {
        struct cx_tree_node *node = (struct cx_tree_node *)path->path[i].node;
        struct cx_tree_node *copy;

        if (!cx_tree_node_shared(node) && !outgrows(node, added)) {
            continue;
        }
        copy = cx_tree_node_copy(pool, node);
        if (i == 0) {
            tree->root = copy;
        } else {
            cx_tree_node_set_child(owned(path, i - 1), path->path[i - 1].index, copy);
        }
        path->path[i].node = copy;
        cx_tree_node_unref(kind, node);
    }
}

/* ---- Changes along a path that is ours. ------------------------------------ */

/* Replaces the item at the end of the path. Where it is the first one below a node,
 * the nodes above name it too. */
static struct cx_tree_item *replace_item(const struct cx_tree_cursor *path,
                                         struct cx_tree_item *item)
{
    size_t depth = path->height - 1u;
    struct cx_tree_item *old = cx_tree_node_item(owned(path, depth), path->path[depth].index);

    cx_tree_node_replace(owned(path, depth), path->path[depth].index, item);
    while (depth > 0 && path->path[depth].index == 0) {
        depth--;
        cx_tree_node_replace(owned(path, depth), path->path[depth].index, item);
    }
    return old;
}

static void insert_item(const struct cx_tree_class *kind, struct cx_tree *tree,
                        struct cx_tree_pool *pool, const struct cx_tree_cursor *path,
                        struct cx_tree_item *item)
{
    size_t depth = path->height - 1u;
    struct cx_tree_node *node = owned(path, depth);
    struct cx_tree_node *right =
        cx_tree_node_insert(kind, node, pool, path->path[depth].index, item, NULL);

    while (depth-- > 0) {
        struct cx_tree_node *parent = owned(path, depth);
        size_t index = path->path[depth].index;

        if (cx_tree_node_item(parent, index) != cx_tree_node_item(node, 0)) {
            cx_tree_node_set(kind, parent, index, cx_tree_node_item(node, 0));
        }
        if (right != NULL) {
            right = cx_tree_node_insert(kind, parent, pool, index + 1, cx_tree_node_item(right, 0),
                                        right);
        }
        node = parent;
    }
    if (right != NULL) {
        struct cx_tree_node *root = cx_tree_pool_take(pool, (uint8_t)(node->level + 1));

        cx_tree_node_insert(kind, root, NULL, 0, cx_tree_node_item(node, 0), node);
        cx_tree_node_insert(kind, root, NULL, 1, cx_tree_node_item(right, 0), right);
        tree->root = root;
    }
}

/* An inner root with one child goes, and so does an empty one. */
static void lower_root(const struct cx_tree_class *kind, struct cx_tree *tree)
{
    while (tree->root->level > 0 && tree->root->count == 1) {
        struct cx_tree_node *child = cx_tree_node_ref(cx_tree_node_child(tree->root, 0));

        cx_tree_node_unref(kind, tree->root);
        tree->root = child;
    }
    if (tree->root->count == 0) {
        cx_tree_node_unref(kind, tree->root);
        tree->root = NULL;
    }
}

static struct cx_tree_item *remove_item(const struct cx_tree_class *kind, struct cx_tree *tree,
                                        const struct cx_tree_cursor *path)
{
    size_t depth = path->height - 1u;
    struct cx_tree_node *node = owned(path, depth);
    struct cx_tree_item *old = cx_tree_node_item(node, path->path[depth].index);

    cx_tree_node_remove(node, path->path[depth].index);
    while (depth-- > 0) {
        struct cx_tree_node *parent = owned(path, depth);
        size_t index = path->path[depth].index;

        if (node->count == 0) {
            cx_tree_node_remove(parent, index);
            cx_tree_node_unref(kind, node);
        } else {
            if (cx_tree_node_item(parent, index) != cx_tree_node_item(node, 0)) {
                cx_tree_node_set(kind, parent, index, cx_tree_node_item(node, 0));
            }
            cx_tree_node_mend(kind, parent, index);
        }
        node = parent;
    }
    lower_root(kind, tree);
    return old;
}

/* ---- Public interface. ----------------------------------------------------- */

struct cx_tree cx_tree_copy(const struct cx_tree *tree)
{
    return (struct cx_tree){tree->root != NULL ? cx_tree_node_ref(tree->root) : NULL};
}

void cx_tree_done(const struct cx_tree_class *kind, struct cx_tree *tree)
{
    cx_tree_node_unref(kind, tree->root);
    tree->root = NULL;
}

enum cx_status cx_tree_own_few(const struct cx_tree_class *kind, struct cx_tree *tree)
{
    struct cx_tree_node *root = tree->root;
    struct cx_tree_pool pool = {0};
    enum cx_status status;

    if (root == NULL || root->level > 0 || root->count >= CX_TREE_LEAF_MAX / 2 ||
        !cx_tree_node_shared(root)) {
        return CX_OK;
    }
    status = cx_tree_pool_add_leaf(&pool, root->count + 1u);
    if (status == CX_OK) {
        tree->root = cx_tree_node_copy(&pool, root);
        cx_tree_node_unref(kind, root);
    }
    return status;
}

struct cx_tree_item *cx_tree_get(const struct cx_tree_class *kind, const struct cx_tree *tree,
                                 struct cx_bytes key)
{
    struct cx_tree_cursor path;

    if (!cx_tree_path_find(kind, tree, key, &path)) {
        return NULL;
    }
    return cx_tree_node_item(path.path[path.height - 1].node, path.path[path.height - 1].index);
}

void cx_tree_prefetch(const struct cx_tree *tree, struct cx_bytes key)
{
    const struct cx_tree_node *root = tree->root;
    size_t index = root != NULL ? cx_tree_node_guess(root, key) : 0;

    if (root == NULL || index == root->count) {
        return;
    }
    if (root->level > 0) {
        cx_prefetch(cx_tree_node_child(root, index), PREFETCH_SIZE);
    } else {
        cx_prefetch(cx_tree_node_item(root, index), PREFETCH_SIZE);
    }
}

enum cx_status cx_tree_put(const struct cx_tree_class *kind, struct cx_tree *tree,
                           struct cx_tree_pool *pool, struct cx_tree_item *item,
                           struct cx_tree_item **ret_old)
{
    struct cx_tree_pool own = {0};
    struct cx_tree_cursor path;
    bool found = cx_tree_path_find(kind, tree, cx_tree_item_key(kind, item), &path);
    size_t added = found ? 0 : 1;

    if (pool == NULL) {
        if (reserve(&own, &path, added) != CX_OK) {
            cx_tree_pool_done(&own);
            return CX_RESOURCE_EXHAUSTED;
        }
        pool = &own;
    }
    own_path(kind, tree, pool, &path, added);
    if (found) {
        *ret_old = replace_item(&path, item);
    } else {
        insert_item(kind, tree, pool, &path, item);
        *ret_old = NULL;
    }
    cx_tree_pool_done(&own);
    return CX_OK;
}

enum cx_status cx_tree_remove(const struct cx_tree_class *kind, struct cx_tree *tree,
                              struct cx_tree_pool *pool, struct cx_bytes key,
                              struct cx_tree_item **ret_old)
{
    struct cx_tree_pool own = {0};
    struct cx_tree_cursor path;

    if (!cx_tree_path_find(kind, tree, key, &path)) {
        *ret_old = NULL;
        return CX_OK;
    }
    if (pool == NULL) {
        if (reserve(&own, &path, 0) != CX_OK) {
            cx_tree_pool_done(&own);
            return CX_RESOURCE_EXHAUSTED;
        }
        pool = &own;
    }
    own_path(kind, tree, pool, &path, 0);
    *ret_old = remove_item(kind, tree, &path);
    cx_tree_pool_done(&own);
    return CX_OK;
}
