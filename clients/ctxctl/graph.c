#include "clients/ctxctl/graph.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX

/* ---- Who is whose parent. ---------------------------------------------------- */

struct name {
    const char *id;
    size_t node;
};

static int name_compare(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->id, ((const struct name *)b)->id);
}

/* The index of each node's parent; NONE for those without, which `ret_lost` tells from those
 * whose parent is not there. */
static size_t *parents_find(struct ctl_pool *pool, const struct ctl_graph_node *nodes, size_t count,
                            bool **ret_lost)
{
    struct name *names = ctl_pool_alloc(pool, count * sizeof *names);
    size_t *parents = ctl_pool_alloc(pool, count * sizeof *parents);

    *ret_lost = ctl_pool_alloc(pool, count * sizeof **ret_lost);
    for (size_t i = 0; i < count; i++) {
        names[i] = (struct name){nodes[i].id, i};
    }
    if (count > 0) {
        qsort(names, count, sizeof *names, name_compare);
    }
    for (size_t i = 0; i < count; i++) {
        const struct name wanted = {nodes[i].parent_id, 0};
        const struct name *found = wanted.id[0] != '\0'
                                       ? bsearch(&wanted, names, count, sizeof *names, name_compare)
                                       : NULL;

        parents[i] = found != NULL ? found->node : NONE;
        (*ret_lost)[i] = found == NULL && wanted.id[0] != '\0';
    }
    return parents;
}

/* ---- Order. ------------------------------------------------------------------ */

/* One pass over the nodes: takes each whose children are all taken, or just the first where
 * `force`. Returns how many it took. */
static size_t order_pass(const size_t *parents, size_t count, size_t *children_left, bool *taken,
                         size_t *order, bool force)
{
    size_t added = 0;

    for (size_t i = 0; i < count && !(force && added > 0); i++) {
        if (taken[i] || (children_left[i] > 0 && !force)) {
            continue;
        }
        taken[i] = true;
        order[added++] = i;
        if (parents[i] != NONE) {
            children_left[parents[i]]--;
        }
    }
    return added;
}

/* The nodes in the order in which they are drawn. */
static size_t *order_make(struct ctl_pool *pool, const size_t *parents, size_t count)
{
    size_t *order = ctl_pool_alloc(pool, count * sizeof *order);
    size_t *children_left = ctl_pool_alloc(pool, count * sizeof *children_left);
    bool *taken = ctl_pool_alloc(pool, count * sizeof *taken);
    size_t done = 0;

    for (size_t i = 0; i < count; i++) {
        if (parents[i] != NONE) {
            children_left[parents[i]]++;
        }
    }
    while (done < count) {
        size_t added = order_pass(parents, count, children_left, taken, order + done, false);

        if (added == 0) { /* They are their own ancestors. */
            added = order_pass(parents, count, children_left, taken, order + done, true);
        }
        done += added;
    }
    return order;
}

/* ---- Rows. ------------------------------------------------------------------- */

struct drawing {
    struct ctl_pool *pool;
    struct ctl_graph_row *rows;
    size_t row_count;
    size_t row_capacity;
    size_t *lanes; /* The parent that each leads to; NONE: it is not there. */
    size_t lane_count;
};

/* A row that is blank yet, with room for all lanes. */
static char *row_begin(struct drawing *drawing)
{
    size_t size = 2 * drawing->lane_count + 2;
    char *text = ctl_pool_alloc(drawing->pool, size);

    memset(text, ' ', size - 1);
    return text;
}

static void row_end(struct drawing *drawing, char *text, size_t node)
{
    size_t size = strlen(text);

    while (size > 0 && text[size - 1] == ' ') {
        text[--size] = '\0';
    }
    if (drawing->row_count == drawing->row_capacity) {
        size_t capacity = drawing->row_capacity > 0 ? 2 * drawing->row_capacity : 64;

        drawing->rows = ctl_realloc(drawing->rows, capacity * sizeof *drawing->rows);
        drawing->row_capacity = capacity;
    }
    drawing->rows[drawing->row_count++] = (struct ctl_graph_row){text, node};
}

static void node_row(struct drawing *drawing, size_t lane, size_t node)
{
    char *text = row_begin(drawing);

    for (size_t i = 0; i < drawing->lane_count; i++) {
        text[2 * i] = i == lane ? '*' : '|';
    }
    row_end(drawing, text, node);
}

/* Removes a lane; those right of it come one to the left, in a row that is drawn. `into` is
 * the lane that it turns into, or NONE when it ends. */
static void lane_remove(struct drawing *drawing, size_t lane, size_t into)
{
    bool far = into != NONE && lane - into > 1;
    size_t left = drawing->lane_count - lane - 1;
    char *text = row_begin(drawing);

    assert(into == NONE || into < lane);
    for (size_t i = 0; i < drawing->lane_count; i++) {
        if (i < lane) {
            text[2 * i] = '|';
        } else if (i > lane || into != NONE) {
            text[2 * i - 1] = '/';
        }
        if (far && i > into + 1 && i < lane) {
            text[2 * i - 1] = '_';
        }
    }
    if (into != NONE || left > 0) {
        row_end(drawing, text, NONE);
    }
    memmove(drawing->lanes + lane, drawing->lanes + lane + 1, left * sizeof *drawing->lanes);
    drawing->lane_count--;
    if (far) { /* It has come as far as the lane next to its own. */
        text = row_begin(drawing);
        for (size_t i = 0; i < drawing->lane_count; i++) {
            text[2 * i] = '|';
        }
        text[2 * into + 1] = '/';
        row_end(drawing, text, NONE);
    }
}

/* The first lane from `from` on that leads to a node, or NONE. */
static size_t lane_find(const struct drawing *drawing, size_t node, size_t from)
{
    for (size_t i = from; i < drawing->lane_count; i++) {
        if (drawing->lanes[i] == node) {
            return i;
        }
    }
    return NONE;
}

/* Draws a node in the lane that leads to it, or else in a new one on the right, and leads the
 * lane on to its parent. `ends`: there is none below. */
static void node_draw(struct drawing *drawing, size_t node, size_t parent, bool ends)
{
    size_t lane = lane_find(drawing, node, 0);
    size_t other;

    if (lane == NONE) {
        lane = drawing->lane_count++;
    }
    node_row(drawing, lane, node);
    if (ends) {
        lane_remove(drawing, lane, NONE);
        return;
    }
    drawing->lanes[lane] = NONE;
    other = parent != NONE ? lane_find(drawing, parent, 0) : NONE;
    drawing->lanes[lane] = parent;
    if (other != NONE) {
        lane_remove(drawing, lane > other ? lane : other, lane > other ? other : lane);
    }
}

void ctl_graph_draw(struct ctl_pool *pool, const struct ctl_graph_node *nodes, size_t count,
                    struct ctl_graph_row **ret_rows, size_t *ret_row_count)
{
    struct drawing drawing = {.pool = pool};
    bool *lost;
    size_t *parents = parents_find(pool, nodes, count, &lost);
    size_t *order = order_make(pool, parents, count);
    bool *drawn = ctl_pool_alloc(pool, count * sizeof *drawn);

    drawing.lanes = ctl_pool_alloc(pool, (count + 1) * sizeof *drawing.lanes);
    for (size_t i = 0; i < count; i++) {
        size_t node = order[i];
        size_t parent = parents[node];

        drawn[node] = true;
        node_draw(&drawing, node, parent, parent != NONE ? drawn[parent] : !lost[node]);
    }
    *ret_rows = ctl_pool_alloc(pool, drawing.row_count * sizeof **ret_rows);
    if (drawing.row_count > 0) {
        memcpy(*ret_rows, drawing.rows, drawing.row_count * sizeof **ret_rows);
    }
    *ret_row_count = drawing.row_count;
    free(drawing.rows);
}
