/* Walking what a query of files or resources asks for: items whose keys begin with its prefix,
 * behind the one where the page before ended.
 *
 * Threads: those of the tree. */

#ifndef CX_STATE_TRACKED_QUERY_H
#define CX_STATE_TRACKED_QUERY_H

#include "core/state/request.h"
#include "core/tree/tree.h"

/* `item`, or NULL when it is not asked for any more. */
static inline struct cx_tree_item *cx_tracked_query_check(const struct cx_tracked_query *query,
                                                          const struct cx_tree_class *kind,
                                                          struct cx_tree_item *item)
{
    bool wanted = item != NULL && cx_bytes_has_prefix(cx_tree_item_key(kind, item), query->prefix);

    return wanted ? item : NULL;
}

/* The first item, or NULL. O(log n). */
static inline struct cx_tree_item *cx_tracked_query_first(const struct cx_tracked_query *query,
                                                          const struct cx_tree_class *kind,
                                                          const struct cx_tree *tree,
                                                          struct cx_tree_cursor *ret_cursor)
{
    bool goes_on = cx_bytes_compare(query->after, query->prefix) >= 0;
    struct cx_tree_item *item =
        cx_tree_seek(kind, tree, goes_on ? query->after : query->prefix, ret_cursor);

    if (item != NULL && query->after.size > 0 &&
        cx_bytes_equal(cx_tree_item_key(kind, item), query->after)) {
        item = cx_tree_next(ret_cursor);
    }
    return cx_tracked_query_check(query, kind, item);
}

/* The item behind the last one, or NULL. Amortized O(1). */
static inline struct cx_tree_item *cx_tracked_query_next(const struct cx_tracked_query *query,
                                                         const struct cx_tree_class *kind,
                                                         struct cx_tree_cursor *cursor)
{
    return cx_tracked_query_check(query, kind, cx_tree_next(cursor));
}

#endif /* CX_STATE_TRACKED_QUERY_H */
