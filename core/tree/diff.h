/* What differs between two trees of one class.
 *
 * What always holds:
 *
 *  (1) Each key at which the trees hold different items is told once, in order. Items
 *      are different when they are different objects, whatever is in them.
 *  (2) A node that both trees share is not looked into, wherever it hangs in either,
 *      but for those on the way to the first key. So two trees that came from one by
 *      a number of changes are compared in O(changes * log n), and copies in O(log n).
 *  (3) Nothing is allocated, and no reference is taken.
 *
 * Threads: a walk is used by one thread at a time, which holds both trees. */

#ifndef CX_TREE_DIFF_H
#define CX_TREE_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/tree/tree.h"

/* A place in each of two trees, neither of which may change or be dropped while it is
 * in use. Nothing to release. */
struct cx_tree_diff {
    const struct cx_tree_class *kind;

    /* Unlike other cursors, they may stand at a child as a whole. Height 0: at the end. */
    struct cx_tree_cursor before;
    struct cx_tree_cursor after;

    uint64_t step_count; /* Entries of nodes that were looked at: what it has cost. */
};

/* Begins at the first key that is `from_key` or behind it; empty: at the first of all.
 * The key is not needed afterwards. O(log n). */
void cx_tree_diff_begin(struct cx_tree_diff *diff, const struct cx_tree_class *kind,
                        const struct cx_tree *before, const struct cx_tree *after,
                        struct cx_bytes from_key);

/* The items of the next key at which the trees hold different ones, borrowed from the
 * trees; NULL for the tree that has none. False, with nothing written, at the end. O(1)
 * for every entry of the nodes that only one of the trees has, all in all. */
bool cx_tree_diff_next(struct cx_tree_diff *diff, struct cx_tree_item **ret_before,
                       struct cx_tree_item **ret_after);

#endif /* CX_TREE_DIFF_H */
