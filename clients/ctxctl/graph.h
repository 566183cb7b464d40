/* A tree drawn with characters, one row for each node, children above their parents:
 *
 *     *  five            Each node that is under way to its parent has a lane. Where
 *     | *  four          several lanes lead to the same parent, the right ones turn into
 *     |/                 the left one in a row of their own. A lane whose parent is not
 *     *  two             among the nodes goes on to the bottom. */

#ifndef CTL_GRAPH_H
#define CTL_GRAPH_H

#include "clients/ctxctl/pool.h"

struct ctl_graph_node {
    const char *id;        /* No two have the same. */
    const char *parent_id; /* "": none. */
};

struct ctl_graph_row {
    const char *lanes; /* Such as "| *", without blanks at its end. */
    size_t node;       /* Its index, or SIZE_MAX: only lanes. */
};

/* Draws the nodes in their order, but each behind its children. Nodes that are their own
 * ancestors are drawn too, as if the first of them had no children. The rows are of the pool.
 * O(n log n + n * lanes) where children come before their parents. */
void ctl_graph_draw(struct ctl_pool *pool, const struct ctl_graph_node *nodes, size_t count,
                    struct ctl_graph_row **ret_rows, size_t *ret_row_count);

#endif /* CTL_GRAPH_H */
