#include "core/state/apply_tracking.h"

#include <assert.h>

#include "core/base/memory.h"
#include "core/state/file.h"

void cx_apply_stamps(struct cx_stage *stage, struct cx_moment moment)
{
    struct cx_session *session = stage->session.session;

    for (const struct cx_stamp *stamp = stage->stamps; stamp != NULL; stamp = stamp->next) {
        *stamp->time_us = moment.time_us;
    }
    if (stage->session.row != NULL) {
        cx_session_row_set_start(stage->session.row, moment.revision);
        session->start_revision = moment.revision;
        session->create_time_us = moment.time_us;
    }
}

/* ---- Items. ----------------------------------------------------------------- */

static void swap_trees(struct cx_tree *a, struct cx_tree *b)
{
    struct cx_tree before = *a;

    *a = *b;
    *b = before; /* Dropped with the stage. */
}

static void tables_apply(struct cx_staged_tracking *staged, struct cx_tracked *tracked)
{
    if (staged->files_change) {
        swap_trees(&tracked->files, &staged->files);
        tracked->file_count = staged->file_count;
    }
    if (staged->usage_changes) {
        swap_trees(&tracked->usage, &staged->usage);
        tracked->usage_count = staged->usage_count;
    }
    for (struct cx_staged_usage *usage = staged->usages; usage != NULL; usage = usage->next) {
        cx_namespace_usage_add(usage->row, &usage->sums);
    }
}

static void holds_apply(struct cx_staged_tracking *staged, struct cx_moment moment)
{
    for (struct cx_staged_hold *hold = staged->holds; hold != NULL; hold = hold->next) {
        struct cx_resource *resource = hold->resource;

        if (hold->begins) {
            cx_session_hold(resource->session, resource);
        } else {
            cx_session_let_go(resource);
        }
        resource->session->revision = moment.revision;
    }
}

static void activations_apply(struct cx_staged_tracking *staged, struct cx_tracked *tracked,
                              struct cx_moment moment)
{
    struct cx_staged_activation *each = staged->activations;

    for (; each != NULL; each = each->next) {
        each->activation->session->revision = moment.revision;
        if (each->begins) {
            each->activation->time_us = moment.time_us;
            cx_activation_begin(tracked, each->activation);
        } else {
            cx_activation_end(tracked, each->activation);
        }
    }
    staged->activations = NULL; /* The tracker's now. */
}

void cx_apply_tracking(struct cx_staged_item *staged, struct cx_moment moment)
{
    struct cx_tracked *tracked = staged->context->tracked;
    struct cx_staged_tracking *tracking = staged->tracking;

    if (tracking == NULL) {
        return;
    }
    if (tracking->history_changes) {
        cx_tracked_move_on(tracked);
        tracked->last_sequence = tracking->last_sequence;
        tracked->history_count = tracking->history_count;
        tracked->history_bytes = tracking->history_bytes;
        tracked->history_revision = moment.revision;
        tracked->trim_revision =
            tracking->history_shrinks ? moment.revision : tracked->trim_revision;
    }
    tables_apply(tracking, tracked);
    holds_apply(tracking, moment);
    activations_apply(tracking, tracked, moment);
    if (tracking->ends) {
        cx_tree_done(&cx_resource_class, &tracked->resources);
    }
}

/* ---- The session. ----------------------------------------------------------- */

void cx_apply_session(struct cx_stage *stage, enum cx_session_step step, struct cx_moment moment)
{
    struct cx_staged_session *staged = &stage->session;
    struct cx_session *session = staged->session;
    struct cx_shard *shard;

    if (session == NULL) {
        return;
    }
    shard = &stage->state->shards[staged->key.shard];
    session->revision = moment.revision;
    switch (step) {
    case CX_SESSION_START:
        cx_due_set(&shard->leases, &session->lease, INT64_MAX);
        __atomic_fetch_add(&stage->state->session_count, 1, __ATOMIC_RELAXED);
        break;
    case CX_SESSION_SWITCH:
        session->current = staged->current;
        break;
    case CX_SESSION_PART:
        break;
    default:
        assert(session->activation_count == 0 && session->resource_count == 0);
        cx_due_set(&shard->leases, &session->lease, 0);
        __atomic_fetch_sub(&stage->state->session_count, 1, __ATOMIC_RELAXED);
        shard->session_end_revision = moment.revision;
        break;
    }
}
