#include "core/state/apply_point.h"

#include <assert.h>

#include "core/state/tracked.h"

static void stamp_points(const struct cx_staged_item *staged, struct cx_moment moment)
{
    for (struct cx_staged_point *each = staged->points->points; each != NULL; each = each->next) {
        struct cx_point *point = each->point;

        if (each->is_new) {
            point->revision = moment.revision;
            point->create_time_us = moment.time_us;
        }
        if (each->row != NULL) {
            uint8_t *id = each->row->bytes + each->row->item.key_size - each->row->item.extra;

            cx_point_list_id_stamp(id, moment.revision);
        }
        if (point->aside && point->state.update_time_us == 0) {
            point->state.update_time_us = moment.time_us;
        }
        if (point->aside && point->state.head_revision == 0) { /* With its context. */
            point->state.create_time_us = moment.time_us;
            point->state.head_revision = moment.revision;
            point->state.birth = cx_birth_of(moment.revision, cx_context_id(staged->context));
        }
    }
}

void cx_apply_point_stamps(struct cx_stage *stage, struct cx_moment moment)
{
    for (size_t i = 0; i < stage->item_count; i++) {
        struct cx_staged_item *staged = &stage->items[i];

        if (staged->points != NULL) {
            stamp_points(staged, moment);
        }
        if (staged->forked_from != NULL) {
            staged->forked_from->revision = moment.revision;
        }
    }
}

/* ---- What a context begins with. -------------------------------------------- */

static void swap_bases(struct cx_base **a, struct cx_base **b)
{
    struct cx_base *before = *a;

    *a = *b;
    *b = before; /* Goes with the carrier. */
}

static void swap_merged(struct cx_staged_item *staged, struct cx_recovery *recovery)
{
    struct cx_merged *before = recovery->merged;

    recovery->merged = staged->merged;
    staged->merged = before; /* Goes with the carrier. */
}

/* Notes that nothing was there for a while. A struct that a refused change has left behind says
 * nothing: one that never had a point stays as it is. */
static void revive(struct cx_recovery *recovery, struct cx_moment moment)
{
    if (recovery->last_sequence != 0) {
        recovery->revived_revision = moment.revision;
    }
}

void cx_apply_origin(struct cx_staged_item *staged, struct cx_moment moment)
{
    struct cx_recovery *recovery = staged->context->recovery;

    if (recovery == NULL) {
        return;
    }
    swap_bases(&recovery->forked_from, &staged->forked_from);
    swap_merged(staged, recovery);
    recovery->policy = staged->policy;
    recovery->version_last = 0;
    recovery->settled = 0;
    revive(recovery, moment);
    if (staged->recovery != NULL) { /* Of one that was deleted. */
        recovery->head_point = 0;
        recovery->last_point_time_us = 0;
    }
}

/* ---- Points. ---------------------------------------------------------------- */

/* A point that was made of the head: as it is now. */
static void take_head(struct cx_staged_point *staged, const struct cx_context *context)
{
    struct cx_kept_state *state = &staged->point->state;

    state->entries = cx_tree_copy(&context->entries);
    state->labels = cx_labels_ref(context->labels);
    state->version = context->version;
    state->head_version = context->version;
    state->head_revision = context->state_revision;
    state->birth = cx_context_birth(context);
    state->entry_count = context->entry_count;
    state->size_bytes = context->size_bytes;
    state->create_time_us = context->create_time_us;
    state->update_time_us = context->update_time_us;
    if (cx_past_is_worth(context->tracked)) {
        cx_past_fill(staged->past, context->tracked);
        state->past = staged->past;
        staged->past = NULL;
    }
}

static void note_drops(const struct cx_staged_item *staged, struct cx_recovery *recovery)
{
    if (staged->points->drop_count > 0) {
        cx_context_note_drops(staged->context, staged->carrier->dropped_points->points,
                              staged->points->drop_count);
    }
    for (size_t i = 0; i < staged->points->drop_count; i++) {
        cx_recovery_note_drop(recovery, staged->carrier->dropped_points->points[i]->sequence);
    }
}

/* Moves what the context has no more to the garbage. */
static void carry_off(struct cx_staged_item *staged, struct cx_undo **garbage)
{
    struct cx_undo *carrier = staged->carrier;

    if (carrier == NULL) {
        return;
    }
    if (carrier->dropped_recovery != NULL) {
        carrier->dropped_recovery->forked_from = staged->forked_from;
        carrier->dropped_recovery->merged = staged->merged;
        staged->forked_from = NULL;
        staged->merged = NULL;
    }
    carrier->newer = *garbage;
    *garbage = carrier;
    staged->carrier = NULL;
}

static void count_change(struct cx_context *context, const struct cx_staged_points *points,
                         enum cx_item_kind kind, int64_t time_us)
{
    if (kind == CX_ITEM_CREATE || kind == CX_ITEM_UPDATE || kind == CX_ITEM_UNDELETE) {
        context->change_count++;
    }
    if (points != NULL && points->head_kept) {
        context->change_count = 0;
        context->recovery->last_point_time_us = time_us;
    }
}

static void points_apply(struct cx_staged_item *staged, const struct cx_change_item *item,
                         struct cx_moment moment)
{
    struct cx_recovery *recovery = staged->context->recovery;
    struct cx_staged_points *points = staged->points;

    count_change(staged->context, points, item->kind, moment.time_us);
    if (recovery == NULL) {
        assert(points == NULL);
        return;
    }
    if (staged->policy_set && item->kind != CX_ITEM_CREATE) {
        recovery->policy = staged->policy;
        recovery->settled = 0;
    }
    if (item->kind == CX_ITEM_UNDELETE) {
        revive(recovery, moment);
    }
    if (item->merged.id.size > 0 && staged->merged != NULL) {
        staged->merged->base->revision = moment.revision;
        swap_merged(staged, recovery);
    }
    if (points == NULL) {
        return;
    }
    for (struct cx_staged_point *each = points->points; each != NULL; each = each->next) {
        if (each->step->kind != CX_POINT_CHANGE && !each->step->aside) {
            take_head(each, staged->context);
        }
        if (each->unpins) {
            recovery->settled = 0;
        }
    }
    recovery->point_count = points->point_count;
    recovery->pending_count = points->pending_count;
    recovery->last_sequence = points->last_sequence;
    recovery->head_point = points->head_point;
    recovery->version_last = points->version_last;
    note_drops(staged, recovery);
}

void cx_apply_points(struct cx_staged_item *staged, const struct cx_change_item *item,
                     struct cx_moment moment, struct cx_undo **garbage)
{
    points_apply(staged, item, moment);
    carry_off(staged, garbage);
}
