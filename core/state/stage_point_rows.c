#include "core/state/stage_point_rows.h"

#include "core/state/stage_lists.h"

/* A key in the arena, where it outlives the stage. */
static enum cx_status pair_key(struct cx_stage *stage, uint64_t first, uint64_t second,
                               struct cx_bytes *ret_key)
{
    struct cx_number_pair_key *key = cx_arena_alloc(stage->arena, sizeof *key);

    if (key == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    *ret_key = cx_number_pair_key(key, first, second);
    return CX_OK;
}

enum cx_status cx_stage_point_pair_row(struct cx_stage *stage, struct cx_tree *tree, uint64_t first,
                                       uint64_t second, bool add)
{
    struct cx_point_row *row;
    struct cx_bytes key;
    enum cx_status status = pair_key(stage, first, second, &key);

    if (status == CX_OK && !add) {
        return cx_stage_list_remove(stage, tree, &cx_point_row_class, key);
    }
    if (status == CX_OK) {
        status = cx_point_row_new(key, second, &row);
    }
    return status == CX_OK ? cx_stage_list_add(stage, tree, &cx_point_row_class, &row->item)
                           : status;
}

enum cx_status cx_stage_point_list_row(struct cx_stage *stage, const struct cx_staged_item *staged,
                                       const struct cx_point *point, bool add)
{
    struct cx_point_list_id id;
    struct cx_row_names names = {
        .names = {cx_context_namespace(staged->context)},
        .count = 1,
    };

    cx_point_list_id_init(&id, point->revision, cx_context_id(staged->context), point->sequence);
    names.id = (struct cx_bytes){id.bytes, id.size};
    return cx_stage_row(stage, &cx_stage_shard(stage, staged->key)->points, &names, add);
}

enum cx_status cx_stage_point_rows(struct cx_stage *stage, const struct cx_staged_item *staged,
                                   const struct cx_recovery *recovery, bool add)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&cx_point_class, &recovery->points, (struct cx_bytes){0}, &cursor);
    enum cx_status status = CX_OK;

    for (; item != NULL && status == CX_OK; item = cx_tree_next(&cursor)) {
        status = cx_stage_point_list_row(stage, staged, cx_point_of(item), add);
    }
    return status;
}

enum cx_status cx_stage_point_expiry_row(struct cx_stage *stage, struct cx_recovery *recovery,
                                         const struct cx_point *before,
                                         const struct cx_point *point)
{
    struct cx_tree *expiring = &recovery->expiring;
    int64_t time_us = before != NULL ? before->expire_time_us : 0;
    enum cx_status status = CX_OK;

    if (time_us == point->expire_time_us) {
        return CX_OK;
    }
    if (time_us != 0) {
        status =
            cx_stage_point_pair_row(stage, expiring, (uint64_t)time_us, point->sequence, false);
    }
    if (status == CX_OK && point->expire_time_us != 0) {
        status = cx_stage_point_pair_row(stage, expiring, (uint64_t)point->expire_time_us,
                                         point->sequence, true);
    }
    return status;
}

enum cx_status cx_stage_point_new_rows(struct cx_stage *stage, const struct cx_staged_item *staged,
                                       struct cx_recovery *recovery, struct cx_staged_point *made)
{
    const struct cx_point *point = made->point;
    struct cx_point_list_id id;
    struct cx_row_names names = {
        .names = {cx_context_namespace(staged->context)},
        .count = 1,
    };
    struct cx_point_row *row;
    enum cx_status status = cx_point_row_new(cx_point_id(point), point->sequence, &row);

    if (status == CX_OK) {
        status = cx_stage_list_add(stage, &recovery->ids, &cx_point_row_class, &row->item);
    }
    if (status == CX_OK && point->parent_sequence != 0) {
        status = cx_stage_point_pair_row(stage, &recovery->children, point->parent_sequence,
                                         point->sequence, true);
    }
    if (status != CX_OK) {
        return status;
    }
    cx_point_list_id_init(&id, UINT64_MAX, cx_context_id(staged->context), point->sequence);
    names.id = (struct cx_bytes){id.bytes, id.size};
    status = cx_row_new(&names, &made->row);
    return status == CX_OK ? cx_stage_list_add(stage, &cx_stage_shard(stage, staged->key)->points,
                                               &cx_row_class, &made->row->item)
                           : status;
}
