/* The nodes of a tree, one at a time. For the files of this folder alone.
 *
 * What always holds:
 *
 *  (1) The entries of a node are in order, and no two are the same.
 *  (2) In a leaf an entry is an item, and the leaf holds a reference of it. In an
 *      inner node it is a child, with a reference, and the first item below that
 *      child, borrowed: the child keeps it alive.
 *  (3) The keys of a node begin with the same `skip` bytes, and beside each entry
 *      stand the 8 bytes behind those, as a number that orders like them. Two keys
 *      are compared only where these are the same.
 *  (4) Only a leaf that is the root may be small; every other node is of full size.
 *
 * Threads: a node that one thread holds alone is that thread's; a shared one may be
 * read and counted by any. */

#ifndef CX_TREE_TREE_NODE_H
#define CX_TREE_TREE_NODE_H

#include "core/tree/tree.h"

/* A full node is 504 bytes, which fills a block of the allocator. */
enum {
    CX_TREE_LEAF_MAX = 31,
    CX_TREE_INNER_MAX = 20,
    CX_TREE_SLOTS = 2 * CX_TREE_LEAF_MAX,
};

union cx_tree_slot {
    uint64_t prefix;
    struct cx_tree_item *item;
    struct cx_tree_node *child;
};

struct cx_tree_node {
    uint32_t refs;    /* Atomic. */
    uint8_t level;    /* 0: a leaf. */
    uint8_t count;    /* Of entries. */
    uint8_t capacity; /* For entries. */
    uint8_t skip;     /* See (3). May be smaller than it could be. */

    /* `capacity` prefixes, then as many items, then, in an inner node, children. In a
     * pool the first slot is the next node. */
    union cx_tree_slot slots[];
};

static inline struct cx_tree_item *cx_tree_node_item(const struct cx_tree_node *node, size_t index)
{
    return node->slots[node->capacity + index].item;
}

static inline struct cx_tree_node *cx_tree_node_child(const struct cx_tree_node *node, size_t index)
{
    return node->slots[2 * node->capacity + index].child;
}

/* Whether somebody else holds it too. What was read through a reference that is
 * given up meanwhile has been read when this says no. */
static inline bool cx_tree_node_shared(const struct cx_tree_node *node)
{
    return __atomic_load_n(&node->refs, __ATOMIC_ACQUIRE) > 1;
}

static inline struct cx_tree_node *cx_tree_node_ref(struct cx_tree_node *node)
{
    __atomic_fetch_add(&node->refs, 1, __ATOMIC_RELAXED);
    return node;
}

/* NULL is fine. */
void cx_tree_node_unref(const struct cx_tree_class *kind, struct cx_tree_node *node);

/* Adds a small leaf that has room for `count` items to a pool. CX_RESOURCE_EXHAUSTED
 * when out of memory. */
CX_MUST_CHECK enum cx_status cx_tree_pool_add_leaf(struct cx_tree_pool *pool, size_t count);

/* Takes a node, which must be there, and makes it an empty one of this level. */
struct cx_tree_node *cx_tree_pool_take(struct cx_tree_pool *pool, uint8_t level);

/* A copy, with references of its own, in a node of the pool. */
struct cx_tree_node *cx_tree_node_copy(struct cx_tree_pool *pool, const struct cx_tree_node *node);

/* The index of the first entry whose key is `key` or behind it; `count` when there is
 * none. *ret_found: whether it is the key. */
size_t cx_tree_node_search(const struct cx_tree_class *kind, const struct cx_tree_node *node,
                           struct cx_bytes key, bool *ret_found);

/* What cx_tree_node_search() probably returns, without a look at any item. */
size_t cx_tree_node_guess(const struct cx_tree_node *node, struct cx_bytes key);

/* ---- Changes, of nodes that nobody else holds. References move along. ------- */

/* Sets the item of an entry. Gives up no reference of the one before. */
void cx_tree_node_set(const struct cx_tree_class *kind, struct cx_tree_node *node, size_t index,
                      struct cx_tree_item *item);

/* Sets the item of an entry to one of the same key. Looks at no other item, which may be
 * far away in memory. */
static inline void cx_tree_node_replace(struct cx_tree_node *node, size_t index,
                                        struct cx_tree_item *item)
{
    node->slots[node->capacity + index].item = item;
}

/* Sets the child of an entry, whose first item is that of the one before, which is
 * not given up. */
static inline void cx_tree_node_set_child(struct cx_tree_node *node, size_t index,
                                          struct cx_tree_node *child)
{
    node->slots[2 * node->capacity + index].child = child;
}

/* Inserts an entry. A full node is split into itself and a new neighbour behind it
 * from the pool, which is returned; else NULL. `child` is NULL in a leaf. */
struct cx_tree_node *cx_tree_node_insert(const struct cx_tree_class *kind,
                                         struct cx_tree_node *node, struct cx_tree_pool *pool,
                                         size_t index, struct cx_tree_item *item,
                                         struct cx_tree_node *child);

/* Takes an entry out. Gives up no reference. */
void cx_tree_node_remove(struct cx_tree_node *node, size_t index);

/* When the child at `index` is nearly empty and fits well into one node with a
 * neighbour, it takes over what the neighbour has, and the neighbour goes. */
void cx_tree_node_mend(const struct cx_tree_class *kind, struct cx_tree_node *node, size_t index);

#endif /* CX_TREE_TREE_NODE_H */
