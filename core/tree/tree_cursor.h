/* Ways from the root down to a leaf. For the files of this folder alone. */

#ifndef CX_TREE_TREE_CURSOR_H
#define CX_TREE_TREE_CURSOR_H

#include "core/tree/tree.h"

/* Goes down one step: to an entry of `node`, which is the root or where the path stood. */
void cx_tree_path_push(struct cx_tree_cursor *path, const struct cx_tree_node *node, size_t index);

/* Goes to where `key` is or belongs: *ret_path ends in its leaf, at the first item
 * that is not before it, or behind the last. Returns whether the item is the key's.
 * The height of an empty tree is 0. */
bool cx_tree_path_find(const struct cx_tree_class *kind, const struct cx_tree *tree,
                       struct cx_bytes key, struct cx_tree_cursor *ret_path);

#endif /* CX_TREE_TREE_CURSOR_H */
