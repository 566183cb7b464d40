#include "core/state/stage_point_drops.h"

#include <assert.h>

#include "core/base/memory.h"
#include "core/state/stage_lists.h"
#include "core/state/stage_point.h"
#include "core/state/stage_point_rows.h"

/* The points of one item on their way out. */
struct dropping {
    struct cx_stage *stage;
    const struct cx_change_item *item;
    struct cx_staged_item *staged;
    struct cx_recovery *recovery;
    struct cx_point_drops *drops;
};

const struct cx_point_drop *cx_point_drops_find(const struct cx_point_drops *drops,
                                                uint64_t sequence)
{
    size_t low = 0;
    size_t high = drops->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (drops->items[middle].sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < drops->count && drops->items[low].sequence == sequence ? &drops->items[low] : NULL;
}

uint64_t cx_point_drops_that_stays(const struct cx_point_drops *drops, uint64_t sequence)
{
    const struct cx_point_drop *drop = cx_point_drops_find(drops, sequence);

    return drop != NULL ? drop->heir : sequence;
}

/* Puts a copy with another parent in the place of a point. */
static enum cx_status relink(struct dropping *dropping, uint64_t sequence, uint64_t parent)
{
    struct cx_point *point = cx_recovery_find(dropping->recovery, sequence);
    struct cx_point *copy;
    enum cx_status status;

    assert(point != NULL);
    status = cx_point_copy(point, &copy);
    if (status != CX_OK) {
        return status;
    }
    copy->parent_sequence = parent;
    status = cx_stage_list_add(dropping->stage, &dropping->recovery->points, &cx_point_class,
                               &copy->item);
    if (status == CX_OK && parent != 0) {
        status = cx_stage_point_pair_row(dropping->stage, &dropping->recovery->children, parent,
                                         sequence, true);
    }
    return status;
}

/* Hands the children of one that is dropped to its heir. */
static enum cx_status pass_children(struct dropping *dropping, const struct cx_point_drop *drop)
{
    struct cx_tree *children = &dropping->recovery->children;
    struct cx_number_pair_key first;
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = cx_tree_seek(
        &cx_point_row_class, children, cx_number_pair_key(&first, drop->sequence, 0), &cursor);
    struct cx_bytes prefix = {first.bytes, 8};
    enum cx_status status = CX_OK;

    while (item != NULL && status == CX_OK &&
           cx_bytes_has_prefix(cx_tree_item_key(&cx_point_row_class, item), prefix)) {
        uint64_t child = ((struct cx_point_row *)item)->sequence;

        status = cx_stage_point_pair_row(dropping->stage, children, drop->sequence, child, false);
        if (status == CX_OK && cx_point_drops_find(dropping->drops, child) == NULL) {
            status = relink(dropping, child, drop->heir);
        }
        item = cx_tree_next(&cursor);
    }
    return status;
}

static enum cx_status stage_drop(struct dropping *dropping, const struct cx_point_drop *drop)
{
    struct cx_recovery *recovery = dropping->recovery;
    struct cx_stage *stage = dropping->stage;
    struct cx_point *point = drop->point;
    enum cx_status status = cx_stage_list_remove(stage, &recovery->points, &cx_point_class,
                                                 cx_tree_item_key(&cx_point_class, &point->item));

    if (status == CX_OK) {
        status =
            cx_stage_list_remove(stage, &recovery->ids, &cx_point_row_class, cx_point_id(point));
    }
    if (status == CX_OK && point->parent_sequence != 0 &&
        cx_point_drops_find(dropping->drops, point->parent_sequence) == NULL) {
        status = cx_stage_point_pair_row(stage, &recovery->children, point->parent_sequence,
                                         point->sequence, false);
    }
    if (status == CX_OK && point->expire_time_us != 0) {
        status = cx_stage_point_pair_row(stage, &recovery->expiring,
                                         (uint64_t)point->expire_time_us, point->sequence, false);
    }
    if (status == CX_OK) {
        status = cx_stage_point_list_row(stage, dropping->staged, point, false);
    }
    return status == CX_OK ? pass_children(dropping, drop) : status;
}

void cx_stage_point_carry(struct cx_staged_item *staged, struct cx_point *point)
{
    struct cx_dropped_points *dropped = staged->carrier->dropped_points;

    cx_tree_item_ref(&point->item);
    dropped->points[dropped->count++] = point;
}

/* Finds what is dropped, and who takes the children. Leaves room for what is replaced. */
static enum cx_status find_drops(struct dropping *dropping)
{
    const struct cx_change_item *item = dropping->item;
    struct cx_staged_item *staged = dropping->staged;
    struct cx_point_drops *drops = dropping->drops;
    struct cx_dropped_points *dropped;
    size_t count = 0;

    for (size_t i = 0; i < item->point_count; i++) {
        enum cx_point_step_kind kind = item->points[i].kind;

        count += kind == CX_POINT_DROP || kind == CX_POINT_REPLACE;
    }
    if (count == 0) {
        return CX_OK;
    }
    drops->items = cx_arena_calloc(dropping->stage->arena, count * sizeof *drops->items);
    if (drops->items == NULL || cx_stage_carrier(staged) != CX_OK) {
        return CX_RESOURCE_EXHAUSTED;
    }
    dropped = cx_calloc(sizeof *dropped + count * sizeof(struct cx_point *));
    staged->carrier->dropped_points = dropped;
    if (dropped == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < item->point_count; i++) {
        const struct cx_point_step *step = &item->points[i];
        struct cx_point *point;

        if (step->kind != CX_POINT_DROP) {
            continue;
        }
        point = cx_recovery_find(dropping->recovery, step->sequence);
        if (point == NULL || !cx_bytes_equal(cx_point_id(point), step->id)) {
            return CX_DATA_LOSS;
        }
        /* They come by sequence, parents before children. */
        drops->items[drops->count] = (struct cx_point_drop){
            .sequence = step->sequence,
            .heir = cx_point_drops_that_stays(drops, point->parent_sequence),
            .point = point,
        };
        drops->count++;
        cx_stage_point_carry(staged, point);
    }
    staged->points->drop_count = drops->count;
    return CX_OK;
}

enum cx_status cx_stage_point_drops(struct cx_stage *stage, const struct cx_change_item *item,
                                    struct cx_staged_item *staged, struct cx_recovery *recovery,
                                    struct cx_point_drops *drops)
{
    struct dropping dropping = {stage, item, staged, recovery, drops};
    enum cx_status status = find_drops(&dropping);

    for (size_t i = 0; i < drops->count && status == CX_OK; i++) {
        status = stage_drop(&dropping, &drops->items[i]);
    }
    staged->points->point_count -= drops->count;
    return status;
}
