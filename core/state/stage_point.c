#include "core/state/stage_point.h"

#include "core/state/earlier.h"
#include "core/state/stage_entries.h"
#include "core/state/stage_lists.h"
#include "core/state/stage_point_drops.h"
#include "core/state/stage_point_rows.h"
#include "core/state/stage_tracking.h"

/* The points of one item on their way. */
struct pointing {
    struct cx_stage *stage;
    struct cx_change_item *item;
    struct cx_staged_item *staged;
    struct cx_recovery *recovery;
    struct cx_staged_points *result;
    struct cx_staged_point **points_end;
    struct cx_point_drops drops;
};

/* The recovery that the context will have. */
static struct cx_recovery *recovery_of(struct cx_staged_item *staged)
{
    return staged->recovery != NULL ? staged->recovery : cx_context_recovery(staged->context);
}

/* ---- What lies beside the state. -------------------------------------------- */

static enum cx_status stage_attachments(struct pointing *pointing, const struct cx_point_step *step,
                                        const struct cx_tree *before, uint64_t count_before,
                                        struct cx_tree *ret_attachments, uint64_t *ret_count)
{
    struct cx_stage *stage = pointing->stage;
    struct cx_entries_copy copy = {.entry_count = count_before};
    enum cx_status status =
        cx_stage_entries_copy(stage, before, step->attachments, step->attachment_count, 0, &copy);

    if (status != CX_OK) {
        return status;
    }
    if (cx_stage_is_planning(stage) && copy.entry_count > CX_ATTACHMENTS_MAX) {
        cx_tree_done(&cx_entry_class, &copy.entries);
        return cx_error_limit(stage->error, "attachments_max", CX_ATTACHMENTS_MAX);
    }
    *ret_attachments = copy.entries;
    *ret_count = copy.entry_count;
    return CX_OK;
}

/* ---- New ones. -------------------------------------------------------------- */

/* The point that the head came from before the item. One that is made anew comes from none of the
 * points that are left of one that was deleted. */
static uint64_t head_point_before(const struct pointing *pointing)
{
    return pointing->staged->recovery == NULL ? pointing->recovery->head_point : 0;
}

/* The same once the item has set it back. */
static uint64_t head_point_of(const struct pointing *pointing)
{
    const struct cx_base_ref *base = &pointing->item->base;
    const struct cx_state_at at = {.version = base->number};
    const struct cx_undo *undo;
    const struct cx_point *point;
    uint64_t sequence;

    if (base->kind == CX_BASE_POINT) {
        return base->number;
    }
    if (base->kind != CX_BASE_VERSION) {
        return head_point_before(pointing);
    }
    undo = cx_context_find_undo(pointing->staged->context, &at);
    sequence = undo != NULL ? undo->head_point : 0;
    /* Before what was replaced by states behind that version. */
    while (sequence != 0) {
        point = cx_recovery_find(pointing->recovery, sequence);
        if (point->state.version <= base->number) {
            break;
        }
        sequence = point->parent_sequence;
    }
    return sequence;
}

/* A version for a state of its own: the next one of all that were handed out. */
static uint64_t version_behind(const struct pointing *pointing)
{
    uint64_t last = cx_context_version_last(pointing->staged->context);

    last = pointing->item->version > last ? pointing->item->version : last;
    return (pointing->result->version_last > last ? pointing->result->version_last : last) + 1;
}

/* Its state is a point's, or the head's before the change, with steps on top. */
static enum cx_status stage_state_aside(struct pointing *pointing, struct cx_point_step *step,
                                        struct cx_point *point)
{
    struct cx_stage *stage = pointing->stage;
    struct cx_context *context = pointing->staged->context;
    struct cx_kept_state *state = &point->state;
    struct cx_entries_copy copy;
    struct cx_kept_state base;
    enum cx_status status = cx_earlier_take(context, &step->base, &base);

    if (status != CX_OK) {
        return status;
    }
    *state = base;
    if (state->head_version == 0) { /* With its context. */
        state->head_version = pointing->item->version;
    }
    if (step->op_count == 0) {
        step->version = state->version;
        return CX_OK;
    }
    step->version = version_behind(pointing);
    copy = (struct cx_entries_copy){
        .entry_count = state->entry_count,
        .size_bytes = state->size_bytes,
    };
    status = cx_stage_entries_copy(stage, &state->entries, step->ops, step->op_count, step->version,
                                   &copy);
    if (status != CX_OK) {
        return status;
    }
    cx_tree_done(&cx_entry_class, &state->entries);
    cx_labels_unref(state->labels);
    state->labels = NULL;
    state->entries = copy.entries;
    state->entry_count = copy.entry_count;
    state->size_bytes = copy.size_bytes;
    state->version = step->version;
    state->update_time_us = 0; /* That of the change. */
    pointing->result->version_last = step->version;
    return cx_labels_new(step->state_labels, &state->labels);
}

static enum cx_status stage_state(struct pointing *pointing, struct cx_point_step *step,
                                  struct cx_staged_point *staged)
{
    uint64_t logged = step->version;
    enum cx_status status = CX_OK;

    if (step->aside) {
        status = stage_state_aside(pointing, step, staged->point);
    } else {
        step->version = pointing->item->version;
        staged->past = cx_past_new();
        status = staged->past != NULL ? CX_OK : CX_RESOURCE_EXHAUSTED;
    }
    if (status == CX_OK && !cx_stage_is_planning(pointing->stage) && step->version != logged) {
        return CX_DATA_LOSS;
    }
    return status;
}

/* What was kept for one that was still to be made. */
static struct cx_pending_point *find_pending(const struct pointing *pointing, struct cx_bytes id)
{
    struct cx_tree_item *item = cx_tree_get(&cx_pending_class, &pointing->recovery->pending, id);

    return item != NULL ? cx_pending_of(item) : NULL;
}

static enum cx_status drop_pending(struct pointing *pointing, const struct cx_point_step *step)
{
    pointing->result->pending_count--;
    return cx_stage_list_remove(pointing->stage, &pointing->recovery->pending, &cx_pending_class,
                                step->id);
}

static enum cx_status take_pending(struct pointing *pointing, const struct cx_point_step *step,
                                   struct cx_point *point)
{
    static const struct cx_tree none;
    const struct cx_pending_point *pending = find_pending(pointing, step->id);
    enum cx_status status =
        stage_attachments(pointing, step, pending != NULL ? &pending->attachments : &none,
                          pending != NULL ? pending->attachment_count : 0, &point->attachments,
                          &point->attachment_count);

    return status == CX_OK && pending != NULL ? drop_pending(pointing, step) : status;
}

/* Makes the object and sets what all steps that make or change one have in common. */
static enum cx_status begin_point(struct pointing *pointing, const struct cx_point_step *step,
                                  const struct cx_point *before,
                                  struct cx_staged_point **ret_staged)
{
    struct cx_staged_point *staged = cx_arena_calloc(pointing->stage->arena, sizeof *staged);
    struct cx_point *point;
    enum cx_status status;

    if (staged == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    status = step->kind == CX_POINT_CHANGE ? cx_point_copy(before, &point)
                                           : cx_point_new(step->sequence, step->id, &point);
    if (status != CX_OK) {
        return status;
    }
    staged->point = point;
    staged->step = step;
    staged->is_new = before == NULL;
    staged->unpins = before != NULL && before->pinned && !step->pinned;
    *pointing->points_end = staged;
    pointing->points_end = &staged->next;
    point->pinned = step->pinned;
    point->expire_time_us = step->expire_time_us;
    cx_labels_unref(point->labels);
    point->labels = NULL;
    *ret_staged = staged;
    status = cx_labels_new(step->labels, &point->labels);
    if (status == CX_OK) {
        status = cx_stage_point_expiry_row(pointing->stage, pointing->recovery, before, point);
    }
    if (status != CX_OK) {
        cx_point_unref(point);
        return status;
    }
    return cx_stage_list_add(pointing->stage, &pointing->recovery->points, &cx_point_class,
                             &point->item);
}

/* Whether a step before makes or changes a point of the same id, or what is kept for it. */
static bool is_named(const struct pointing *pointing, const struct cx_point_step *step)
{
    const struct cx_point_step *each = pointing->item->points;

    while (each < step && (each->kind == CX_POINT_DROP || !cx_bytes_equal(each->id, step->id))) {
        each++;
    }
    return each < step;
}

/* What a new one comes from. */
static uint64_t parent_of(const struct pointing *pointing, const struct cx_point_step *step)
{
    if (!step->aside) {
        return pointing->result->head_point;
    }
    return step->base.kind == CX_BASE_POINT ? step->base.number : head_point_before(pointing);
}

static enum cx_status stage_make(struct pointing *pointing, struct cx_point_step *step)
{
    struct cx_staged_points *result = pointing->result;
    const struct cx_point *there = cx_recovery_find_id(pointing->recovery, step->id);
    struct cx_staged_point *staged;
    enum cx_status status;

    if (step->sequence != result->last_sequence + 1 || is_named(pointing, step) ||
        (there != NULL && cx_point_drops_find(&pointing->drops, there->sequence) == NULL)) {
        return CX_DATA_LOSS;
    }
    status = begin_point(pointing, step, NULL, &staged);
    if (status != CX_OK) {
        return status;
    }
    staged->point->aside = step->aside;
    staged->point->origin = step->origin;
    staged->point->parent_sequence =
        cx_point_drops_that_stays(&pointing->drops, parent_of(pointing, step));
    result->last_sequence = step->sequence;
    result->point_count++;
    if (!step->aside) {
        result->head_point = step->sequence;
        result->head_kept = true;
    }
    status = stage_state(pointing, step, staged);
    if (status == CX_OK) {
        status = take_pending(pointing, step, staged->point);
    }
    return status == CX_OK ? cx_stage_point_new_rows(pointing->stage, pointing->staged,
                                                     pointing->recovery, staged)
                           : status;
}

/* One that is there and is not dropped. */
static struct cx_point *find_named(const struct pointing *pointing,
                                   const struct cx_point_step *step)
{
    struct cx_point *point = cx_recovery_find(pointing->recovery, step->sequence);

    return point != NULL && cx_bytes_equal(cx_point_id(point), step->id) &&
                   cx_point_drops_find(&pointing->drops, step->sequence) == NULL &&
                   !is_named(pointing, step)
               ? point
               : NULL;
}

static enum cx_status stage_replace(struct pointing *pointing, struct cx_point_step *step)
{
    struct cx_point *before = find_named(pointing, step);
    struct cx_staged_point *staged;
    struct cx_point *point;
    enum cx_status status;

    if (before == NULL) {
        return CX_DATA_LOSS;
    }
    cx_stage_point_carry(pointing->staged, before);
    status = begin_point(pointing, step, before, &staged);
    if (status != CX_OK) {
        return status;
    }
    point = staged->point;
    point->aside = step->aside;
    point->origin = step->origin;
    point->revision = before->revision;
    point->create_time_us = before->create_time_us;
    point->parent_sequence = cx_point_drops_that_stays(&pointing->drops, before->parent_sequence);
    if (!step->aside) {
        pointing->result->head_point = step->sequence;
        pointing->result->head_kept = true;
    }
    status = stage_state(pointing, step, staged);
    return status == CX_OK
               ? stage_attachments(pointing, step, &before->attachments, before->attachment_count,
                                   &point->attachments, &point->attachment_count)
               : status;
}

static enum cx_status stage_change(struct pointing *pointing, struct cx_point_step *step)
{
    struct cx_point *before = find_named(pointing, step);
    struct cx_tree attachments;
    struct cx_staged_point *staged;
    enum cx_status status;

    if (before == NULL) {
        return CX_DATA_LOSS;
    }
    status = begin_point(pointing, step, before, &staged);
    if (status != CX_OK) {
        return status;
    }
    staged->point->parent_sequence =
        cx_point_drops_that_stays(&pointing->drops, before->parent_sequence);
    status = stage_attachments(pointing, step, &before->attachments, before->attachment_count,
                               &attachments, &staged->point->attachment_count);
    if (status == CX_OK) {
        cx_tree_done(&cx_entry_class, &staged->point->attachments);
        staged->point->attachments = attachments;
    }
    return status;
}

/* What is kept for a point that is still to be made; nothing is kept where nothing is left. */
static enum cx_status stage_pending(struct pointing *pointing, struct cx_point_step *step)
{
    static const struct cx_tree none;
    const struct cx_pending_point *before = find_pending(pointing, step->id);
    struct cx_pending_point *pending;
    struct cx_tree attachments;
    uint64_t count;
    enum cx_status status;

    if (cx_recovery_find_id(pointing->recovery, step->id) != NULL || is_named(pointing, step)) {
        return CX_DATA_LOSS;
    }
    status = stage_attachments(pointing, step, before != NULL ? &before->attachments : &none,
                               before != NULL ? before->attachment_count : 0, &attachments, &count);
    if (status != CX_OK) {
        return status;
    }
    if (count == 0) {
        cx_tree_done(&cx_entry_class, &attachments);
        return before != NULL ? drop_pending(pointing, step) : CX_OK;
    }
    status = cx_pending_new(step->id, &pending);
    if (status != CX_OK) {
        cx_tree_done(&cx_entry_class, &attachments);
        return status;
    }
    pending->attachments = attachments;
    pending->attachment_count = count;
    pointing->result->pending_count += before == NULL;
    return cx_stage_list_add(pointing->stage, &pointing->recovery->pending, &cx_pending_class,
                             &pending->item);
}

/* ---- The item. -------------------------------------------------------------- */

static enum cx_status stage_step(struct pointing *pointing, struct cx_point_step *step)
{
    switch (step->kind) {
    case CX_POINT_MAKE:
        return stage_make(pointing, step);
    case CX_POINT_REPLACE:
        return stage_replace(pointing, step);
    case CX_POINT_CHANGE:
        return stage_change(pointing, step);
    case CX_POINT_PENDING:
        return stage_pending(pointing, step);
    case CX_POINT_DROP:
        return CX_OK; /* Done before. */
    }
    return CX_DATA_LOSS;
}

/* Whether the item sets the head back to where other points may be the ones it comes from. */
static bool moves_head_point(const struct cx_change_item *item, const struct cx_recovery *recovery)
{
    return (item->base.kind != CX_BASE_NONE || item->kind == CX_ITEM_CREATE) &&
           recovery->point_count > 0;
}

enum cx_status cx_stage_points(struct cx_stage *stage, struct cx_change_item *item,
                               struct cx_staged_item *staged)
{
    struct pointing pointing = {.stage = stage, .item = item, .staged = staged};
    const struct cx_recovery *there =
        staged->recovery != NULL ? staged->recovery : staged->context->recovery;
    enum cx_status status;

    if (item->point_count == 0 && (there == NULL || !moves_head_point(item, there))) {
        return CX_OK;
    }
    pointing.recovery = recovery_of(staged);
    pointing.result = cx_arena_calloc(stage->arena, sizeof *pointing.result);
    if (pointing.recovery == NULL || pointing.result == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    staged->points = pointing.result;
    pointing.points_end = &pointing.result->points;
    pointing.result->point_count = pointing.recovery->point_count;
    pointing.result->pending_count = pointing.recovery->pending_count;
    pointing.result->last_sequence = pointing.recovery->last_sequence;
    pointing.result->version_last = pointing.recovery->version_last;
    pointing.result->head_point = head_point_of(&pointing);
    status = cx_stage_point_drops(stage, item, staged, pointing.recovery, &pointing.drops);
    for (size_t i = 0; i < item->point_count && status == CX_OK; i++) {
        status = stage_step(&pointing, &item->points[i]);
    }
    pointing.result->head_point =
        cx_point_drops_that_stays(&pointing.drops, pointing.result->head_point);
    return status;
}

void cx_staged_points_done(struct cx_staged_points *points)
{
    if (points == NULL) {
        return;
    }
    for (struct cx_staged_point *each = points->points; each != NULL; each = each->next) {
        cx_past_unref(each->past);
    }
    points->points = NULL;
}
