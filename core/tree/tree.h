/* A persistent ordered map: a B+tree with path copying.
 *
 * What always holds:
 *
 *  (1) Keys order by their bytes, and each stands for one item.
 *  (2) A copy of a tree is O(1), and neither ever sees a change of the other: nodes
 *      are counted, immutable once shared, and changed in place while nobody else
 *      holds them.
 *  (3) A change fails only for want of memory, and then the tree is as it was. With
 *      a pool that holds what cx_tree_need_*() asked for it cannot fail, nor allocates.
 *
 * Items are the caller's objects: counted, immutable (as far as the key goes),
 * with the key inside. The tree holds one reference of each item per leaf that
 * names it. A tree of few items that took no node from a pool is small itself.
 *
 * Threads: a tree belongs to whoever holds the lock of what it is in. Copies share
 * nodes through atomic counters, so each may live and be dropped on a thread of its
 * own. */

#ifndef CX_TREE_TREE_H
#define CX_TREE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

struct cx_tree_node;

/* The head of every item. */
struct cx_tree_item {
    uint32_t refs; /* 1 when made. Atomic from then on; not _Atomic, which C++ cannot read. */
    uint16_t key_size;
    uint16_t extra; /* The owner's. */
};

/* What a tree needs to know about its items. One constant per kind of tree. */
struct cx_tree_class {
    size_t key_offset;                            /* From the item to its key's bytes. */
    void (*free_item)(struct cx_tree_item *item); /* Its last reference is gone. */

    /* No key has more than 8 bytes, so that a tree can be searched, and added to, without a
     * look at the items that it has. */
    bool keys_are_short;
};

/* Zeroed: empty. Released with cx_tree_done(). */
struct cx_tree {
    struct cx_tree_node *root;
};

static inline struct cx_bytes cx_tree_item_key(const struct cx_tree_class *kind,
                                               const struct cx_tree_item *item)
{
    return (struct cx_bytes){(const uint8_t *)item + kind->key_offset, item->key_size};
}

static inline struct cx_tree_item *cx_tree_item_ref(struct cx_tree_item *item)
{
    __atomic_fetch_add(&item->refs, 1, __ATOMIC_RELAXED);
    return item;
}

/* NULL is fine. */
void cx_tree_item_unref(const struct cx_tree_class *kind, struct cx_tree_item *item);

/* ---- Nodes set aside, for changes that must not fail. ---------------------- */

/* Zeroed: empty. Released with cx_tree_pool_done(). */
struct cx_tree_pool {
    struct cx_tree_node *free; /* Linked through the nodes. */
    size_t count;
};

/* Adds nodes until there are at least `count`. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_tree_pool_fill(struct cx_tree_pool *pool, size_t count);

/* Frees nodes until there are at most `count`. */
void cx_tree_pool_trim(struct cx_tree_pool *pool, size_t count);
void cx_tree_pool_done(struct cx_tree_pool *pool);

enum { CX_TREE_NEED_FEW = 32 };

/* A node of a tree, the tree by its address. */
struct cx_tree_place {
    const struct cx_tree *tree; /* NULL: a free place of the table. */
    const struct cx_tree_node *node;
};

/* Adds up the nodes that several changes can take at most, made one after the other
 * in any order. Zeroed at first; released with cx_tree_need_done(). */
struct cx_tree_need {
    size_t count;               /* What the pool must hold. */
    struct cx_tree_place *seen; /* What was counted already: a hash set. NULL: it is in `few`. */
    size_t seen_count;
    size_t seen_capacity;
    struct cx_tree_place few[CX_TREE_NEED_FEW];
};

/* Adds what putting, or removing, this key may take. O(log n). Out of memory:
 * CX_RESOURCE_EXHAUSTED. The tree stays where it is in memory, and neither changes
 * nor is copied before the change, but for the changes that were added to `need`. */
CX_MUST_CHECK enum cx_status cx_tree_need_put(struct cx_tree_need *need,
                                              const struct cx_tree_class *kind,
                                              const struct cx_tree *tree, struct cx_bytes key);
CX_MUST_CHECK enum cx_status cx_tree_need_remove(struct cx_tree_need *need,
                                                 const struct cx_tree_class *kind,
                                                 const struct cx_tree *tree, struct cx_bytes key);
void cx_tree_need_done(struct cx_tree_need *need);

/* ---- The map. -------------------------------------------------------------- */

/* A second tree of the same content. O(1). */
struct cx_tree cx_tree_copy(const struct cx_tree *tree);

/* Drops the tree; it is empty then. O(nodes that nobody else holds). */
void cx_tree_done(const struct cx_tree_class *kind, struct cx_tree *tree);

/* Gives a tree of few items, which shares its only node, a node of its own with room for one
 * more, so that a change with a pool does not copy it into a node of full size. The content is as
 * it was, also on failure: CX_RESOURCE_EXHAUSTED. O(items), of which there are few. */
CX_MUST_CHECK enum cx_status cx_tree_own_few(const struct cx_tree_class *kind,
                                             struct cx_tree *tree);

/* The item of this key, borrowed until the tree changes, or NULL. O(log n). */
struct cx_tree_item *cx_tree_get(const struct cx_tree_class *kind, const struct cx_tree *tree,
                                 struct cx_bytes key);

/* Asks for the memory one step below the root on the way to a key, which is probably
 * its item: a hint, that looks at the root alone. */
void cx_tree_prefetch(const struct cx_tree *tree, struct cx_bytes key);

/* Sets the item of its key. The tree takes over the caller's reference; *ret_old is
 * the item that it replaced, with its reference, or NULL. `pool` is where nodes come
 * from; NULL: from the allocator, and CX_RESOURCE_EXHAUSTED when that has none, with
 * the tree and the reference as they were. O(log n), in place while unshared. */
CX_MUST_CHECK enum cx_status cx_tree_put(const struct cx_tree_class *kind, struct cx_tree *tree,
                                         struct cx_tree_pool *pool, struct cx_tree_item *item,
                                         struct cx_tree_item **ret_old);

/* Removes a key. *ret_old is its item, with its reference, or NULL when there was
 * none. Otherwise like cx_tree_put(). */
CX_MUST_CHECK enum cx_status cx_tree_remove(const struct cx_tree_class *kind, struct cx_tree *tree,
                                            struct cx_tree_pool *pool, struct cx_bytes key,
                                            struct cx_tree_item **ret_old);

/* ---- Walking in order. ----------------------------------------------------- */

enum { CX_TREE_HEIGHT_MAX = 16 };

/* A place in a tree, which must not change or be dropped while it is in use. */
struct cx_tree_cursor {
    struct {
        const struct cx_tree_node *node;
        uint32_t index;
    } path[CX_TREE_HEIGHT_MAX];
    uint32_t height;
};

/* The first item whose key is `key` or behind it (cx_tree_seek), the last one whose
 * key is before it (cx_tree_seek_before), or the very last (cx_tree_last). Borrowed;
 * NULL when there is none. O(log n). */
struct cx_tree_item *cx_tree_seek(const struct cx_tree_class *kind, const struct cx_tree *tree,
                                  struct cx_bytes key, struct cx_tree_cursor *ret_cursor);
struct cx_tree_item *cx_tree_seek_before(const struct cx_tree_class *kind,
                                         const struct cx_tree *tree, struct cx_bytes key,
                                         struct cx_tree_cursor *ret_cursor);
struct cx_tree_item *cx_tree_last(const struct cx_tree *tree, struct cx_tree_cursor *ret_cursor);

/* The item behind, or before, the one that the cursor is at. NULL at the end; the
 * cursor must not be used again then. Amortized O(1). */
struct cx_tree_item *cx_tree_next(struct cx_tree_cursor *cursor);
struct cx_tree_item *cx_tree_previous(struct cx_tree_cursor *cursor);

#endif /* CX_TREE_TREE_H */
