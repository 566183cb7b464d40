/* Staging what begins from an earlier state, or from another context's. */

#include <assert.h>

#include "core/base/memory.h"
#include "core/state/ancestor.h"
#include "core/state/earlier.h"
#include "core/state/stage_entries.h"
#include "core/state/stage_lists.h"
#include "core/state/stage_point.h"
#include "core/state/stage_point_rows.h"
#include "core/state/tracked.h"

enum cx_status cx_stage_base(struct cx_stage *stage, struct cx_change_item *item,
                             struct cx_staged_item *staged)
{
    const struct cx_point *point =
        item->base.kind == CX_BASE_POINT
            ? cx_recovery_find(staged->context->recovery, item->base.number)
            : NULL;
    struct cx_kept_state state;
    struct cx_entries_copy copy;
    enum cx_status status = cx_earlier_take(staged->context, &item->base, &state);

    if (status != CX_OK) {
        return status;
    }
    if (point != NULL && !cx_bytes_equal(cx_point_id(point), item->base_id)) {
        cx_kept_state_done(&state);
        return CX_DATA_LOSS;
    }
    copy = (struct cx_entries_copy){
        .entry_count = state.entry_count,
        .size_bytes = state.size_bytes,
    };
    status = cx_stage_entries_copy(stage, &state.entries, item->base_ops, item->base_op_count,
                                   item->version, &copy);
    cx_kept_state_done(&state);
    staged->edit = CX_UNDO_ROOT;
    staged->entries = copy.entries;
    staged->entry_count = copy.entry_count;
    staged->size_bytes = copy.size_bytes;
    return status;
}

/* ---- What a fork takes along. ----------------------------------------------- */

static enum cx_status fork_history(struct cx_context *context, const struct cx_past *past)
{
    struct cx_tracked *tracked;

    if (past == NULL) {
        return CX_OK;
    }
    tracked = cx_context_tracked(context);
    if (tracked == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    tracked->last_sequence =
        past->last_sequence > tracked->last_sequence ? past->last_sequence : tracked->last_sequence;
    tracked->history = cx_tree_copy(&past->history);
    tracked->history_count = past->history_count;
    tracked->history_bytes = past->history_bytes;
    tracked->files = cx_tree_copy(&past->files);
    tracked->file_count = past->file_count;
    tracked->usage = cx_tree_copy(&past->usage);
    tracked->usage_count = past->usage_count;
    return CX_OK;
}

static enum cx_status tree_drop(const struct cx_tree_class *kind, struct cx_tree *tree,
                                struct cx_bytes key)
{
    struct cx_tree_item *removed;
    enum cx_status status = cx_tree_remove(kind, tree, NULL, key, &removed);

    cx_tree_item_unref(kind, status == CX_OK ? removed : NULL);
    return status;
}

/* Takes the newest point out of trees that nobody sees yet: it has no children there. */
static enum cx_status fork_drop_newest(struct cx_recovery *recovery, struct cx_point *point)
{
    struct cx_number_pair_key key;
    enum cx_status status = tree_drop(&cx_point_row_class, &recovery->ids, cx_point_id(point));

    if (status == CX_OK && point->parent_sequence != 0) {
        status = tree_drop(&cx_point_row_class, &recovery->children,
                           cx_number_pair_key(&key, point->parent_sequence, point->sequence));
    }
    if (status == CX_OK && point->expire_time_us != 0) {
        status =
            tree_drop(&cx_point_row_class, &recovery->expiring,
                      cx_number_pair_key(&key, (uint64_t)point->expire_time_us, point->sequence));
    }
    if (status == CX_OK) {
        cx_tree_item_ref(&point->item); /* Its key must outlive its removal. */
        status = tree_drop(&cx_point_class, &recovery->points,
                           cx_tree_item_key(&cx_point_class, &point->item));
        cx_point_unref(point);
    }
    recovery->point_count--;
    return status;
}

/* Whether a point was there already when the state was the newest. */
static bool is_upto(const struct cx_point *point, const struct cx_base_ref *ref,
                    uint64_t end_revision)
{
    return ref->kind == CX_BASE_POINT ? point->sequence <= ref->number
                                      : point->revision <= end_revision;
}

/* The point that the forked state came from. */
static uint64_t fork_head_point(const struct cx_recovery *recovery, const struct cx_context *source,
                                const struct cx_base_ref *ref)
{
    const struct cx_recovery *from = source->recovery;
    const struct cx_state_at at = {.version = ref->number};
    const struct cx_undo *undo =
        ref->kind == CX_BASE_VERSION ? cx_context_find_undo(source, &at) : NULL;
    uint64_t sequence = ref->kind == CX_BASE_POINT ? ref->number
                        : undo != NULL             ? undo->head_point
                                                   : from->head_point;

    while (sequence != 0 && cx_recovery_find(recovery, sequence) == NULL) {
        sequence = cx_recovery_find(from, sequence)->parent_sequence;
    }
    return sequence;
}

/* A version that no state of a point has. */
static uint64_t version_behind(const struct cx_recovery *recovery, uint64_t version)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&cx_point_class, &recovery->points, (struct cx_bytes){0}, &cursor);

    for (; item != NULL; item = cx_tree_next(&cursor)) {
        uint64_t used = cx_point_of(item)->state.version;

        version = used >= version ? used + 1 : version;
    }
    return version;
}

static enum cx_status fork_points(struct cx_stage *stage, struct cx_change_item *item,
                                  struct cx_staged_item *staged, const struct cx_context *source)
{
    const struct cx_base_ref *ref = &item->source.base;
    struct cx_recovery *recovery = staged->context->recovery;
    const struct cx_recovery *from = source->recovery;
    uint64_t end_revision = cx_earlier_end_revision(source, ref);
    struct cx_point *newest;
    enum cx_status status = CX_OK;

    staged->context->change_count = source->change_count;
    if (from == NULL) {
        return CX_OK;
    }
    recovery->points = cx_tree_copy(&from->points);
    recovery->ids = cx_tree_copy(&from->ids);
    recovery->children = cx_tree_copy(&from->children);
    recovery->expiring = cx_tree_copy(&from->expiring);
    recovery->point_count = from->point_count;
    recovery->last_sequence = from->last_sequence;
    recovery->last_point_time_us = from->last_point_time_us;
    newest = cx_recovery_newest(recovery);
    while (status == CX_OK && newest != NULL && !is_upto(newest, ref, end_revision)) {
        status = fork_drop_newest(recovery, newest);
        newest = cx_recovery_newest(recovery);
    }
    if (status != CX_OK) {
        return status;
    }
    recovery->head_point = fork_head_point(recovery, source, ref);
    item->version = version_behind(recovery, item->version);
    return cx_stage_point_rows(stage, staged, recovery, true);
}

/* ---- Where it came from. ---------------------------------------------------- */

static enum cx_status base_of(const struct cx_context *context, const struct cx_kept_state *state,
                              struct cx_base **ret_base)
{
    struct cx_base *base;
    enum cx_status status = cx_base_new(cx_context_id(context), &base);

    if (status != CX_OK) {
        return status;
    }
    base->birth = cx_context_birth(context);
    base->state_birth = state->birth;
    base->version = state->version;
    base->head_version = state->head_version;
    base->entries = cx_tree_copy(&state->entries);
    base->entry_count = state->entry_count;
    base->labels = cx_labels_ref(state->labels);
    *ret_base = base;
    return CX_OK;
}

/* The newest of the states that a context came from, without the oldest: copies, as those that are
 * there lead on to it. */
static enum cx_status newest_of_lineage(const struct cx_base *base, uint32_t depth,
                                        struct cx_base **ret_newest)
{
    struct cx_base **end = ret_newest;

    for (; depth > 0; depth--, base = base->older) {
        enum cx_status status = cx_base_copy(base, end);

        if (status != CX_OK) {
            return status; /* What there is is released with the stage. */
        }
        (*end)->depth = depth;
        end = &(*end)->older;
    }
    return CX_OK;
}

static enum cx_status fork_origin(struct cx_staged_item *staged, const struct cx_context *source,
                                  const struct cx_kept_state *state)
{
    struct cx_base *older = source->recovery != NULL ? source->recovery->forked_from : NULL;
    enum cx_status status = base_of(source, state, &staged->forked_from);

    if (status != CX_OK || older == NULL) {
        return status;
    }
    staged->forked_from->depth = older->depth + 1;
    if (older->depth < CX_LINEAGE_MAX) {
        staged->forked_from->older = cx_base_ref(older);
        return CX_OK;
    }
    staged->forked_from->depth = CX_LINEAGE_MAX;
    return newest_of_lineage(older, CX_LINEAGE_MAX - 1, &staged->forked_from->older);
}

/* A second list, without one of it (or NULL) or those from behind a revision. */
static enum cx_status merged_copy(const struct cx_merged *list, const struct cx_base *but,
                                  uint64_t revision_max, size_t count_max,
                                  struct cx_merged **ret_list)
{
    struct cx_merged **end = ret_list;

    *end = NULL;
    for (; list != NULL && count_max > 0; list = list->next) {
        if (list->base == but || list->base->revision > revision_max) {
            continue;
        }
        *end = cx_alloc(sizeof **end);
        if (*end == NULL) {
            return CX_RESOURCE_EXHAUSTED; /* What there is is released with the stage. */
        }
        **end = (struct cx_merged){.base = cx_base_ref(list->base)};
        end = &(*end)->next;
        count_max--;
    }
    return CX_OK;
}

static struct cx_context *find_source(struct cx_stage *stage, struct cx_bytes namespace_id,
                                      const struct cx_source_ref *ref)
{
    struct cx_context *source;
    struct cx_name_key key;

    cx_name_key_init(&key, namespace_id, ref->id);
    source = cx_state_find(stage->state, &key);
    return cx_context_is_live(source) && source->staged == 0 ? source : NULL;
}

static enum cx_status fork_state(struct cx_stage *stage, struct cx_context *source,
                                 struct cx_change_item *item, struct cx_staged_item *staged,
                                 struct cx_kept_state *state)
{
    uint64_t used = staged->replaced != NULL ? cx_context_version_last(staged->replaced) : 0;
    enum cx_status status;

    item->version = (state->version > used ? state->version : used) + 1;
    staged->edit = CX_UNDO_ROOT;
    staged->entries = cx_tree_copy(&state->entries);
    staged->entry_count = state->entry_count;
    staged->size_bytes = state->size_bytes;
    status = fork_origin(staged, source, state);
    if (status == CX_OK && source->recovery != NULL && cx_ancestor_is_of(source, state)) {
        status = merged_copy(source->recovery->merged, NULL, state->head_revision,
                             CX_MERGE_BASES_MAX, &staged->merged);
    }
    if (status == CX_OK && item->with_history) {
        status = fork_history(staged->context, state->past);
    }
    if (status == CX_OK && item->with_points) {
        status = fork_points(stage, item, staged, source);
    }
    return status;
}

static bool sets_policy(const struct cx_change_item *item)
{
    bool sets = item->head.policy.is_set;

    for (size_t i = 0; i < item->op_count; i++) {
        sets |= item->ops[i].kind == CX_MUTATION_SET_POLICY;
    }
    return sets;
}

enum cx_status cx_stage_carrier(struct cx_staged_item *staged)
{
    return staged->carrier != NULL ? CX_OK : cx_undo_new_carrier(&staged->carrier);
}

/* The same where what the context came from, or what was merged into it, changes. */
static enum cx_status carry_origin(struct cx_staged_item *staged, const struct cx_recovery *before)
{
    if (before->forked_from == NULL && before->merged == NULL) {
        return CX_OK;
    }
    if (cx_stage_carrier(staged) != CX_OK) {
        return CX_RESOURCE_EXHAUSTED;
    }
    staged->carrier->dropped_recovery = cx_recovery_new();
    return staged->carrier->dropped_recovery != NULL ? CX_OK : CX_RESOURCE_EXHAUSTED;
}

/* Points that a tombstone still has go on with the context, unless the fork brings its own. */
static enum cx_status begin_recovery(const struct cx_change_item *item,
                                     struct cx_staged_item *staged)
{
    struct cx_recovery *left = staged->replaced != NULL ? staged->replaced->recovery : NULL;

    if (left != NULL && !item->with_points) {
        staged->recovery = left;
        return carry_origin(staged, left);
    }
    if (item->source.id.size == 0 && item->point_count == 0 && !sets_policy(item)) {
        return CX_OK;
    }
    return cx_context_recovery(staged->context) != NULL ? CX_OK : CX_RESOURCE_EXHAUSTED;
}

/* The rows of points that a tombstone has, and a fork does not take over. */
static enum cx_status drop_left_rows(struct cx_stage *stage, const struct cx_staged_item *staged)
{
    const struct cx_recovery *left =
        staged->replaced != NULL && staged->recovery == NULL ? staged->replaced->recovery : NULL;

    return left != NULL ? cx_stage_point_rows(stage, staged, left, false) : CX_OK;
}

enum cx_status cx_stage_fork(struct cx_stage *stage, struct cx_bytes namespace_id,
                             struct cx_change_item *item, struct cx_staged_item *staged)
{
    enum cx_status status = begin_recovery(item, staged);
    struct cx_kept_state state;
    struct cx_context *source;

    if (status == CX_OK) {
        status = drop_left_rows(stage, staged);
    }
    if (status != CX_OK || item->source.id.size == 0) {
        return status;
    }
    source = find_source(stage, namespace_id, &item->source);
    if (source == NULL) {
        return CX_DATA_LOSS;
    }
    status = cx_earlier_take(source, &item->source.base, &state);
    if (status != CX_OK) {
        return status;
    }
    status = fork_state(stage, source, item, staged, &state);
    cx_kept_state_done(&state);
    return status;
}

static enum cx_status remember(const struct cx_recovery *recovery, const struct cx_context *source,
                               const struct cx_kept_state *state, struct cx_staged_item *staged)
{
    const struct cx_base *before = cx_merged_find(staged->context, source);
    enum cx_status status;

    staged->merged = cx_calloc(sizeof *staged->merged);
    if (staged->merged == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    status = base_of(source, state, &staged->merged->base);
    if (status == CX_OK) {
        status = merged_copy(recovery->merged, before, UINT64_MAX, CX_MERGE_BASES_MAX - 1,
                             &staged->merged->next);
    }
    return status == CX_OK ? carry_origin(staged, recovery) : status;
}

enum cx_status cx_stage_merged(struct cx_stage *stage, struct cx_bytes namespace_id,
                               const struct cx_change_item *item, struct cx_staged_item *staged)
{
    struct cx_context *source;
    struct cx_recovery *recovery;
    struct cx_kept_state state;
    enum cx_status status;

    if (item->merged.id.size == 0) {
        return CX_OK;
    }
    source = find_source(stage, namespace_id, &item->merged);
    if (source == NULL || source == staged->context) {
        return CX_DATA_LOSS;
    }
    recovery = cx_context_recovery(staged->context);
    if (recovery == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    status = cx_earlier_take(source, &item->merged.base, &state);
    if (status != CX_OK) {
        return status;
    }
    if (cx_merged_says_more(staged->context, source, &state)) {
        status = remember(recovery, source, &state, staged);
    }
    cx_kept_state_done(&state);
    return status;
}
