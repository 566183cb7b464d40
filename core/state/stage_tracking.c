#include "core/state/stage_tracking.h"

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/file.h"
#include "core/state/stage_lists.h"

/* One item on its way. */
struct tracking {
    struct cx_stage *stage;
    struct cx_change_item *item;
    struct cx_staged_item *staged;
    struct cx_tracked *tracked;        /* As it is. */
    struct cx_staged_tracking *result; /* As it will be. */
};

/* ---- Sessions. -------------------------------------------------------------- */

/* The session of this id: one that is there, or the one that the change starts. NULL when
 * there is none. */
static struct cx_session *find_session(const struct tracking *tracking, struct cx_bytes id)
{
    struct cx_session *starting = tracking->stage->session.session;
    struct cx_name_key key;

    if (starting != NULL && cx_bytes_equal(cx_session_id(starting), id)) {
        return starting;
    }
    cx_name_key_init(&key, cx_context_namespace(tracking->staged->context), id);
    return cx_state_find_session(tracking->stage->state, &key);
}

/* Counts what ends of the session that ends. */
static void count_ended(struct tracking *tracking, const struct cx_session *session,
                        size_t activations, size_t resources)
{
    struct cx_staged_session *ending = &tracking->stage->session;

    if (ending->session == session) {
        ending->ended_activations += activations;
        ending->ended_resources += resources;
    }
}

/* ---- Resources. ------------------------------------------------------------- */

static enum cx_status hold_add(struct tracking *tracking, struct cx_resource *resource, bool begins)
{
    struct cx_staged_hold *hold = cx_arena_calloc(tracking->stage->arena, sizeof *hold);

    if (hold == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    cx_tree_item_ref(&resource->item);
    *hold = (struct cx_staged_hold){tracking->result->holds, resource, begins};
    tracking->result->holds = hold;
    if (!begins) {
        resource->staged = true;
        count_ended(tracking, resource->session, 0, 1);
    }
    return CX_OK;
}

static bool is_being_taken(const struct tracking *tracking, struct cx_bytes name)
{
    for (const struct cx_staged_hold *hold = tracking->result->holds; hold != NULL;
         hold = hold->next) {
        if (hold->begins &&
            cx_bytes_equal(name, cx_tree_item_key(&cx_resource_class, &hold->resource->item))) {
            return true;
        }
    }
    return false;
}

static enum cx_status stage_acquire(struct tracking *tracking, struct cx_session *session,
                                    const struct cx_activity_content *content)
{
    struct cx_resource *resource;
    enum cx_status status;

    if (session->ending || is_being_taken(tracking, content->detail.resource.name)) {
        return CX_DATA_LOSS;
    }
    status = cx_resource_new(session, tracking->staged->context, content, &resource);
    if (status != CX_OK) {
        return status;
    }
    status = cx_stage_list_add(tracking->stage, &tracking->tracked->resources, &cx_resource_class,
                               &resource->item);
    if (status == CX_OK) {
        status = cx_stage_stamp(tracking->stage, &cx_resource_class, &resource->item,
                                &resource->time_us);
    }
    return status == CX_OK ? hold_add(tracking, resource, true) : status;
}

static enum cx_status stage_resource(struct tracking *tracking,
                                     const struct cx_activity_content *content)
{
    const struct cx_resource_event *event = &content->detail.resource;
    struct cx_bytes session_id = tracking->item->session_id;
    struct cx_session *session = session_id.size > 0 ? find_session(tracking, session_id) : NULL;
    struct cx_tree_item *found =
        cx_tree_get(&cx_resource_class, &tracking->tracked->resources, event->name);
    enum cx_status status;

    if (session == NULL || (found != NULL) != (event->step != CX_RESOURCE_ACQUIRED)) {
        return CX_DATA_LOSS;
    }
    if (found == NULL) {
        return stage_acquire(tracking, session, content);
    }
    if (cx_resource_of(found)->session != session || cx_resource_of(found)->staged) {
        return CX_DATA_LOSS;
    }
    status = cx_stage_list_remove(tracking->stage, &tracking->tracked->resources,
                                  &cx_resource_class, cx_tree_item_key(&cx_resource_class, found));
    return status == CX_OK ? hold_add(tracking, cx_resource_of(found), false) : status;
}

/* Gives back whatever is held of a context that ends. */
static enum cx_status stage_resources_end(struct tracking *tracking)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = cx_tree_seek(&cx_resource_class, &tracking->tracked->resources,
                                             (struct cx_bytes){0}, &cursor);
    enum cx_status status = CX_OK;

    for (; item != NULL && status == CX_OK; item = cx_tree_next(&cursor)) {
        status = hold_add(tracking, cx_resource_of(item), false);
    }
    return status;
}

/* ---- The history. ----------------------------------------------------------- */

static enum cx_status stage_append(struct tracking *tracking, uint64_t sequence,
                                   const struct cx_activity_content *content)
{
    struct cx_stage *stage = tracking->stage;
    struct cx_activity *activity;
    enum cx_status status = cx_activity_new(stage->state->chunks, sequence,
                                            tracking->item->session_id, content, &activity);

    if (status != CX_OK) {
        return status;
    }
    tracking->result->history_count++;
    tracking->result->history_bytes += cx_activity_weight(activity);
    status = cx_stage_stamp(stage, &cx_activity_class, &activity->item, &activity->time_us);
    if (status != CX_OK) {
        cx_activity_unref(activity);
        return status;
    }
    return cx_stage_list_add(stage, &tracking->tracked->history, &cx_activity_class,
                             &activity->item);
}

/* Drops what is there of a run. */
static enum cx_status stage_drop(struct tracking *tracking, const struct cx_run *run)
{
    struct cx_tree *history = &tracking->tracked->history;
    struct cx_sequence_key key;
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item;
    enum cx_status status = CX_OK;

    cx_sequence_key_init(&key, run->first);
    item = cx_tree_seek(&cx_activity_class, history, cx_sequence_key_bytes(&key), &cursor);
    while (item != NULL && status == CX_OK) {
        const struct cx_activity *activity = cx_activity_of(item);

        if (cx_activity_sequence(activity) > run->last) {
            break;
        }
        tracking->result->history_count--;
        tracking->result->history_bytes -= cx_activity_weight(activity);
        status = cx_stage_list_remove(tracking->stage, history, &cx_activity_class,
                                      cx_tree_item_key(&cx_activity_class, item));
        item = cx_tree_next(&cursor);
    }
    return status;
}

static enum cx_status stage_detail(struct tracking *tracking,
                                   const struct cx_activity_content *content)
{
    switch (content->detail.kind) {
    case CX_DETAIL_NONE:
        return CX_OK;
    case CX_DETAIL_FILE:
        return cx_stage_file(tracking->stage, tracking->tracked, tracking->result,
                             &content->detail.file);
    case CX_DETAIL_MODEL:
        return cx_stage_usage(tracking->stage, tracking->staged->context, tracking->result,
                              &content->detail.model);
    case CX_DETAIL_RESOURCE:
        return stage_resource(tracking, content);
    }
    return CX_DATA_LOSS;
}

static enum cx_status stage_activity(struct tracking *tracking, uint64_t sequence,
                                     uint64_t trimmed_upto,
                                     const struct cx_activity_content *content)
{
    struct cx_stage *stage = tracking->stage;
    enum cx_status status = CX_OK;

    if (cx_stage_is_planning(stage) && content->data.size > stage->value_size_max) {
        return cx_error_limit(stage->error, "value_size_max", stage->value_size_max);
    }
    if (sequence > trimmed_upto) {
        status = stage_append(tracking, sequence, content);
    }
    return status == CX_OK ? stage_detail(tracking, content) : status;
}

/* Gives those that need it the history as it stands, before the change counts what it takes. */
static enum cx_status keep_history(const struct tracking *tracking)
{
    const struct cx_change_item *item = tracking->item;
    enum cx_status status = CX_OK;
    uint64_t added = 0;

    for (size_t i = 0; i < item->op_count; i++) {
        added += item->ops[i].kind == CX_MUTATION_RECORD;
    }
    cx_past_prepare(tracking->tracked, added, item->trimmed.count > 0);
    for (size_t i = 0; i < item->point_count && status == CX_OK; i++) {
        if (item->points[i].aside) { /* It begins from an earlier state. */
            struct cx_past *past;

            status = cx_past_take(tracking->tracked, &past);
            cx_past_unref(status == CX_OK ? past : NULL);
        }
    }
    return status;
}

/* The activities of a change that a bound drops at once are told, and never added. */
static enum cx_status stage_history(struct tracking *tracking)
{
    const struct cx_change_item *item = tracking->item;
    const struct cx_run_list *trimmed = &item->trimmed;
    uint64_t trimmed_upto = trimmed->count > 0 ? trimmed->items[trimmed->count - 1].last : 0;
    uint64_t sequence = item->first_sequence;
    enum cx_status status = CX_OK;

    tracking->result->last_sequence = tracking->tracked->last_sequence;
    tracking->result->history_count = tracking->tracked->history_count;
    tracking->result->history_bytes = tracking->tracked->history_bytes;
    tracking->result->history_changes = sequence != 0 || trimmed->count > 0;
    tracking->result->history_shrinks = trimmed->count > 0;
    if (sequence != 0 && sequence != tracking->tracked->last_sequence + 1) {
        return CX_DATA_LOSS;
    }
    if (tracking->result->history_changes) {
        status = keep_history(tracking);
    }
    for (size_t i = 0; i < trimmed->count && status == CX_OK; i++) {
        status = stage_drop(tracking, &trimmed->items[i]);
    }
    for (size_t i = 0; i < item->op_count && status == CX_OK; i++) {
        if (item->ops[i].kind == CX_MUTATION_RECORD) {
            tracking->result->last_sequence = sequence;
            status = stage_activity(tracking, sequence++, trimmed_upto, item->ops[i].activity);
        }
    }
    return status;
}

/* ---- Activations. ----------------------------------------------------------- */

static enum cx_status activation_add(struct tracking *tracking, struct cx_activation *activation,
                                     bool begins)
{
    struct cx_staged_activation *staged = cx_arena_calloc(tracking->stage->arena, sizeof *staged);

    if (staged == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    *staged = (struct cx_staged_activation){.activation = activation, .begins = begins};
    *tracking->result->activations_end = staged;
    tracking->result->activations_end = &staged->next;
    return CX_OK;
}

static enum cx_status stage_activate(struct tracking *tracking, struct cx_session *session,
                                     const struct cx_activation_step *step)
{
    const struct cx_activation *exclusive = tracking->tracked->exclusive;
    struct cx_activation *activation;
    enum cx_status status;

    if (session->ending || (step->fence != 0 && (step->fence != tracking->tracked->fence + 1 ||
                                                 (exclusive != NULL && !exclusive->staged &&
                                                  exclusive->session != session)))) {
        return CX_DATA_LOSS;
    }
    activation = cx_calloc(sizeof *activation);
    if (activation == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    activation->session = session;
    activation->context = tracking->staged->context;
    activation->fence = step->fence;
    activation->guard = step->guard;
    status = activation_add(tracking, activation, true);
    if (status != CX_OK) {
        cx_free(activation);
    }
    return status;
}

static enum cx_status stage_deactivate(struct tracking *tracking, const struct cx_session *session)
{
    struct cx_activation *activation = cx_session_find(session, tracking->staged->context);
    enum cx_status status;

    if (activation == NULL || activation->staged) {
        return CX_DATA_LOSS;
    }
    status = activation_add(tracking, activation, false);
    if (status == CX_OK) {
        activation->staged = true;
        count_ended(tracking, session, 1, 0);
    }
    return status;
}

/* At most one begins, and it comes last: so that none begins twice, nor ends again. */
static enum cx_status stage_activations(struct tracking *tracking)
{
    const struct cx_change_item *item = tracking->item;
    enum cx_status status = CX_OK;

    for (size_t i = 0; i < item->activation_count && status == CX_OK; i++) {
        const struct cx_activation_step *step = &item->activations[i];
        struct cx_session *session = find_session(tracking, step->session_id);

        if (session == NULL || (step->active && i + 1 < item->activation_count)) {
            return CX_DATA_LOSS;
        }
        status = step->active ? stage_activate(tracking, session, step)
                              : stage_deactivate(tracking, session);
    }
    return status;
}

/* ---- The item. -------------------------------------------------------------- */

static bool concerns_tracking(const struct cx_change_item *item, const struct cx_context *context,
                              bool ends)
{
    return item->first_sequence != 0 || item->trimmed.count > 0 || item->activation_count > 0 ||
           (ends && context->tracked != NULL);
}

enum cx_status cx_stage_tracking(struct cx_stage *stage, struct cx_change_item *item,
                                 struct cx_staged_item *staged, bool ends)
{
    struct tracking tracking = {.stage = stage, .item = item, .staged = staged};
    enum cx_status status;

    if (!concerns_tracking(item, staged->context, ends)) {
        return CX_OK;
    }
    tracking.tracked = cx_context_tracked(staged->context);
    tracking.result = cx_arena_calloc(stage->arena, sizeof *tracking.result);
    if (tracking.tracked == NULL || tracking.result == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    tracking.result->activations_end = &tracking.result->activations;
    tracking.result->ends = ends;
    staged->tracking = tracking.result;
    status = stage_history(&tracking);
    if (status == CX_OK) {
        status = stage_activations(&tracking);
    }
    if (status == CX_OK && ends) {
        status = item->activation_count == tracking.tracked->activation_count
                     ? stage_resources_end(&tracking)
                     : CX_DATA_LOSS;
    }
    return status;
}

void cx_staged_tracking_done(struct cx_staged_tracking *tracking)
{
    if (tracking == NULL) {
        return;
    }
    cx_tree_done(&cx_file_class, &tracking->files);
    cx_tree_done(&cx_usage_class, &tracking->usage);
    for (struct cx_staged_usage *usage = tracking->usages; usage != NULL; usage = usage->next) {
        cx_namespace_usage_unref(usage->row);
    }
    for (struct cx_staged_activation *each = tracking->activations; each != NULL;
         each = each->next) {
        if (each->begins) {
            cx_free(each->activation);
        } else {
            each->activation->staged = false;
        }
    }
    for (struct cx_staged_hold *hold = tracking->holds; hold != NULL; hold = hold->next) {
        hold->resource->staged = false;
        cx_tree_item_unref(&cx_resource_class, &hold->resource->item);
    }
}
