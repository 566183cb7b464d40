/* Staging of the tables that typed activities feed. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/state/file.h"
#include "core/state/stage_tracking.h"

enum cx_status cx_stage_stamp(struct cx_stage *stage, const struct cx_tree_class *kind,
                              struct cx_tree_item *item, int64_t *time_us)
{
    struct cx_stamp *stamp = cx_arena_calloc(stage->arena, sizeof *stamp);

    if (stamp == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    *stamp = (struct cx_stamp){
        .next = stage->stamps,
        .time_us = time_us,
        .kind = kind,
        .item = cx_tree_item_ref(item),
    };
    stage->stamps = stamp;
    return CX_OK;
}

/* ---- Files. ----------------------------------------------------------------- */

enum cx_status cx_stage_file(struct cx_stage *stage, const struct cx_tracked *tracked,
                             struct cx_staged_tracking *result,
                             const struct cx_file_operation *operation)
{
    struct cx_tree_item *before;
    struct cx_tree_item *replaced;
    struct cx_file_row *file;
    enum cx_status status;

    if (!result->files_change) {
        result->files_change = true;
        result->files = cx_tree_copy(&tracked->files);
        result->file_count = tracked->file_count;
    }
    before = cx_tree_get(&cx_file_class, &result->files, operation->path);
    if (before == NULL && cx_stage_is_planning(stage) && result->file_count == CX_FILES_MAX) {
        return cx_error_limit(stage->error, "files_max", CX_FILES_MAX);
    }
    status = cx_file_new(operation, before != NULL ? cx_file_of(before) : NULL, &file);
    if (status != CX_OK) {
        return status;
    }
    status = cx_stage_stamp(stage, &cx_file_class, &file->item, &file->time_us);
    if (status == CX_OK) {
        status = cx_tree_put(&cx_file_class, &result->files, NULL, &file->item, &replaced);
    }
    if (status != CX_OK) {
        cx_tree_item_unref(&cx_file_class, &file->item);
        return status;
    }
    result->file_count += before == NULL;
    cx_tree_item_unref(&cx_file_class, replaced);
    return CX_OK;
}

/* ---- Usage. ----------------------------------------------------------------- */

static enum cx_status too_many_totals(struct cx_stage *stage)
{
    return cx_error_limit(stage->error, "usage_totals_max", CX_USAGE_TOTALS_MAX);
}

/* The namespace's row, where the same is added. */
static enum cx_status stage_namespace_usage(struct cx_stage *stage, struct cx_namespace *totals,
                                            struct cx_staged_tracking *result,
                                            const struct cx_usage_key *key,
                                            const struct cx_usage_sums *sums)
{
    struct cx_staged_usage *usage = cx_arena_calloc(stage->arena, sizeof *usage);
    enum cx_status status;

    if (usage == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    status = cx_namespace_usage_get(
        totals, key, cx_stage_is_planning(stage) ? CX_USAGE_TOTALS_MAX : SIZE_MAX, &usage->row);
    if (status != CX_OK) {
        return status == CX_OUT_OF_RANGE ? too_many_totals(stage) : status;
    }
    usage->sums = *sums;
    usage->next = result->usages;
    result->usages = usage;
    return CX_OK;
}

enum cx_status cx_stage_usage(struct cx_stage *stage, const struct cx_context *context,
                              struct cx_staged_tracking *result, const struct cx_model_usage *call)
{
    struct cx_usage_sums sums = cx_usage_sums_of(call);
    struct cx_tree_item *before;
    struct cx_tree_item *replaced;
    struct cx_usage_key key;
    struct cx_usage *usage;
    enum cx_status status;

    if (!result->usage_changes) {
        result->usage_changes = true;
        result->usage = cx_tree_copy(&context->tracked->usage);
        result->usage_count = context->tracked->usage_count;
    }
    cx_usage_key_init(&key, call);
    status = stage_namespace_usage(stage, context->totals, result, &key, &sums);
    if (status != CX_OK) {
        return status;
    }
    before = cx_tree_get(&cx_usage_class, &result->usage, (struct cx_bytes){key.bytes, key.size});
    if (before != NULL) {
        cx_usage_add(&sums, &cx_usage_of(before)->sums);
    } else if (cx_stage_is_planning(stage) && result->usage_count == CX_USAGE_TOTALS_MAX) {
        return too_many_totals(stage);
    }
    status = cx_usage_new(&key, &sums, &usage);
    if (status != CX_OK) {
        return status;
    }
    status = cx_tree_put(&cx_usage_class, &result->usage, NULL, &usage->item, &replaced);
    if (status != CX_OK) {
        cx_tree_item_unref(&cx_usage_class, &usage->item);
        return status;
    }
    result->usage_count += before == NULL;
    cx_tree_item_unref(&cx_usage_class, replaced);
    return CX_OK;
}
