/* Changes into bytes. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/state/change.h"
#include "core/state/change_format.h"
#include "core/state/detail.h"
#include "core/state/settings.h"
#include "core/state/wire.h"

static void put_labels(struct cx_wire_writer *writer, struct cx_label_list list)
{
    cx_wire_put_number(writer, list.count);
    for (size_t i = 0; i < list.count; i++) {
        cx_wire_put_bytes(writer, list.items[i].key);
        cx_wire_put_bytes(writer, list.items[i].value);
    }
}

static void put_activity(struct cx_wire_writer *writer, const struct cx_activity_content *activity)
{
    cx_wire_put_bytes(writer, activity->type);
    cx_wire_put_bytes(writer, activity->content_type);
    put_labels(writer, (struct cx_label_list){activity->labels, activity->label_count});
    cx_detail_put(writer, &activity->detail);
    cx_wire_put_bytes(writer, activity->data);
}

static void put_policy(struct cx_wire_writer *writer, const struct cx_recovery_policy *policy)
{
    cx_wire_put_number(writer, policy->is_set);
    if (!policy->is_set) {
        return;
    }
    cx_wire_put_number(writer, policy->retention.keep_last);
    cx_wire_put_number(writer, policy->retention.keep_every);
    cx_wire_put_number(writer, (uint64_t)policy->retention.keep_within_us);
    cx_wire_put_number(writer, policy->point_every_changes);
    cx_wire_put_number(writer, (uint64_t)policy->point_every_us);
}

static void put_op(struct cx_wire_writer *writer, const struct cx_op *op)
{
    cx_wire_put_number(writer, op->kind);
    switch (op->kind) {
    case CX_MUTATION_PUT:
        cx_wire_put_bytes(writer, op->key);
        cx_wire_put_bytes(writer, op->content_type);
        cx_wire_put_number(writer, op->kept);
        cx_wire_put_bytes(writer, op->value);
        break;
    case CX_MUTATION_APPEND:
        cx_wire_put_bytes(writer, op->key);
        cx_wire_put_bytes(writer, op->content_type);
        cx_wire_put_bytes(writer, op->value);
        break;
    case CX_MUTATION_DELETE:
    case CX_MUTATION_DELETE_PREFIX:
    case CX_MUTATION_DELETE_LABEL:
        cx_wire_put_bytes(writer, op->key);
        break;
    case CX_MUTATION_SET_LABEL:
        cx_wire_put_bytes(writer, op->key);
        cx_wire_put_bytes(writer, op->value);
        break;
    case CX_MUTATION_SET_EXPIRY:
        cx_wire_put_number(writer, (uint64_t)op->ttl_us);
        cx_wire_put_number(writer, op->sliding);
        break;
    case CX_MUTATION_RECORD:
        put_activity(writer, op->activity);
        break;
    case CX_MUTATION_SET_POLICY:
        put_policy(writer, op->policy);
        break;
    }
}

static void put_ops(struct cx_wire_writer *writer, const struct cx_op *ops, size_t count)
{
    cx_wire_put_number(writer, count);
    for (size_t i = 0; i < count; i++) {
        put_op(writer, &ops[i]);
    }
}

/* Each number is how far it is from the one before. */
static void put_runs(struct cx_wire_writer *writer, struct cx_run_list runs)
{
    uint64_t last = 0;

    cx_wire_put_number(writer, runs.count);
    for (size_t i = 0; i < runs.count; i++) {
        cx_wire_put_number(writer, runs.items[i].first - last);
        cx_wire_put_number(writer, runs.items[i].last - runs.items[i].first);
        last = runs.items[i].last;
    }
}

static void put_activation(struct cx_wire_writer *writer, const struct cx_activation_step *step)
{
    cx_wire_put_number(writer, (step->active ? FLAG_ACTIVE : 0) | (step->guard ? FLAG_GUARD : 0) |
                                   (step->fence != 0 ? FLAG_EXCLUSIVE : 0));
    cx_wire_put_bytes(writer, step->session_id);
    if (step->fence != 0) {
        cx_wire_put_number(writer, step->fence);
    }
}

static unsigned item_flags(const struct cx_change_item *item)
{
    return (item->labels_changed ? FLAG_LABELS_CHANGED : 0u) | (item->sliding ? FLAG_SLIDING : 0u) |
           (item->session_id.size > 0 ? FLAG_AUTHOR : 0u) |
           (item->first_sequence != 0 ? FLAG_ACTIVITIES : 0u) |
           (item->trimmed.count > 0 ? FLAG_TRIMMED : 0u) |
           (item->activation_count > 0 ? FLAG_ACTIVATIONS : 0u) |
           (item->head.told ? FLAG_TOLD : 0u) | (item->head.expires_from_now ? FLAG_FROM_NOW : 0u) |
           (item->head.policy.is_set ? FLAG_POLICY : 0u) |
           (item->head.forked_from_id.size > 0 ? FLAG_FORKED : 0u) |
           (item->base.kind != CX_BASE_NONE ? FLAG_BASE : 0u) | (item->untold ? FLAG_UNTOLD : 0u) |
           (item->source.id.size > 0 ? FLAG_SOURCE : 0u) |
           (item->with_history ? FLAG_WITH_HISTORY : 0u) |
           (item->with_points ? FLAG_WITH_POINTS : 0u) |
           (item->merged.id.size > 0 ? FLAG_MERGED : 0u) |
           (item->point_count > 0 ? FLAG_POINTS : 0u) | (item->by_timer ? FLAG_BY_TIMER : 0u);
}

static void put_head(struct cx_wire_writer *writer, const struct cx_change_head *head)
{
    cx_wire_put_bytes(writer, head->parent_id);
    cx_wire_put_number(writer, (uint64_t)head->create_time_us);
    cx_wire_put_number(writer, (uint64_t)head->update_time_us);
    cx_wire_put_number(writer, (uint64_t)head->expire_us);
    cx_wire_put_number(writer, head->entry_count);
    cx_wire_put_number(writer, head->size_bytes);
    cx_wire_put_number(writer, head->fence);
}

/* What the tracker is to know. */
static void put_tracked(struct cx_wire_writer *writer, const struct cx_change_item *item)
{
    if (item->session_id.size > 0) {
        cx_wire_put_bytes(writer, item->session_id);
    }
    if (item->first_sequence != 0) {
        cx_wire_put_number(writer, item->first_sequence);
    }
    if (item->trimmed.count > 0) {
        put_runs(writer, item->trimmed);
    }
    if (item->activation_count > 0) {
        cx_wire_put_number(writer, item->activation_count);
    }
    for (size_t i = 0; i < item->activation_count; i++) {
        put_activation(writer, &item->activations[i]);
    }
}

/* ---- Earlier states. -------------------------------------------------------- */

static void put_base(struct cx_wire_writer *writer, const struct cx_base_ref *base)
{
    cx_wire_put_number(writer, base->kind);
    cx_wire_put_number(writer, base->number);
}

static void put_source(struct cx_wire_writer *writer, const struct cx_source_ref *source)
{
    cx_wire_put_bytes(writer, source->id);
    put_base(writer, &source->base);
}

static void put_point_state(struct cx_wire_writer *writer, const struct cx_point_step *step)
{
    cx_wire_put_number(writer, step->origin);
    cx_wire_put_number(writer, step->version);
    if (step->aside) {
        put_base(writer, &step->base);
        put_ops(writer, step->ops, step->op_count);
        put_labels(writer, step->state_labels);
    }
}

static void put_point(struct cx_wire_writer *writer, const struct cx_point_step *step)
{
    cx_wire_put_number(writer, step->kind);
    cx_wire_put_number(writer, (step->pinned ? FLAG_PINNED : 0u) | (step->aside ? FLAG_ASIDE : 0u) |
                                   (step->expired ? FLAG_EXPIRED : 0u));
    cx_wire_put_bytes(writer, step->id);
    cx_wire_put_number(writer, step->sequence);
    if (step->kind == CX_POINT_DROP) {
        return;
    }
    if (step->kind == CX_POINT_MAKE || step->kind == CX_POINT_REPLACE) {
        put_point_state(writer, step);
    }
    put_ops(writer, step->attachments, step->attachment_count);
    if (step->kind != CX_POINT_PENDING) {
        put_labels(writer, step->labels);
        cx_wire_put_number(writer, (uint64_t)step->expire_time_us);
    }
}

/* What there is of forks, restores, merges and points. */
static void put_recovery(struct cx_wire_writer *writer, const struct cx_change_item *item)
{
    if (item->head.policy.is_set) {
        put_policy(writer, &item->head.policy);
    }
    if (item->head.forked_from_id.size > 0) {
        cx_wire_put_bytes(writer, item->head.forked_from_id);
        cx_wire_put_number(writer, item->head.forked_from_version);
    }
    if (item->base.kind != CX_BASE_NONE) {
        put_base(writer, &item->base);
        cx_wire_put_bytes(writer, item->base_id);
        put_ops(writer, item->base_ops, item->base_op_count);
    }
    if (item->source.id.size > 0) {
        put_source(writer, &item->source);
    }
    if (item->merged.id.size > 0) {
        put_source(writer, &item->merged);
    }
    if (item->point_count > 0) {
        cx_wire_put_number(writer, item->point_count);
    }
    for (size_t i = 0; i < item->point_count; i++) {
        put_point(writer, &item->points[i]);
    }
}

static void put_item(struct cx_wire_writer *writer, const struct cx_change_item *item)
{
    cx_wire_put_number(writer, item->kind);
    cx_wire_put_number(writer, item_flags(item));
    cx_wire_put_bytes(writer, item->id);
    cx_wire_put_number(writer, item->version);
    cx_wire_put_bytes(writer, item->type);
    put_labels(writer, item->labels);
    if (item->labels_changed) {
        put_labels(writer, item->labels_before);
    }
    if (item->head.told) {
        put_head(writer, &item->head);
    }
    if (item->kind == CX_ITEM_CREATE) {
        cx_wire_put_number(writer, (uint64_t)item->ttl_us);
    }
    put_ops(writer, item->ops, item->op_count);
    put_tracked(writer, item);
    put_recovery(writer, item);
}

static void put_start(struct cx_wire_writer *writer, const struct cx_session_start_request *start)
{
    const struct cx_new_context *create = start->create_if_missing;

    cx_wire_put_bytes(writer, start->default_context_id);
    cx_wire_put_number(writer, start->max_active_contexts);
    if (create == NULL) {
        cx_wire_put_number(writer, start->point_on_loss ? FLAG_POINT_ON_LOSS : 0);
        return;
    }
    cx_wire_put_number(writer, FLAG_MAY_CREATE | (create->create_parent ? FLAG_CREATE_PARENT : 0u) |
                                   (create->sliding ? FLAG_CREATE_SLIDING : 0u) |
                                   (create->policy.is_set ? FLAG_CREATE_POLICY : 0u) |
                                   (start->point_on_loss ? FLAG_POINT_ON_LOSS : 0u));
    cx_wire_put_bytes(writer, create->type);
    cx_wire_put_bytes(writer, create->parent_id);
    put_labels(writer, (struct cx_label_list){create->labels, create->label_count});
    cx_wire_put_number(writer, (uint64_t)create->ttl_us);
    if (create->policy.is_set) {
        put_policy(writer, &create->policy);
    }
}

static void put_session(struct cx_wire_writer *writer, const struct cx_session_change *session)
{
    const struct cx_session_start_request *start = &session->start;

    cx_wire_put_number(writer, session->step);
    cx_wire_put_bytes(writer, start->name.id);
    if (session->step == CX_SESSION_PART) {
        return;
    }
    cx_wire_put_bytes(writer, start->owner);
    put_labels(writer, (struct cx_label_list){start->labels, start->label_count});
    cx_wire_put_number(writer, (uint64_t)start->ttl_us);
    if (session->step == CX_SESSION_START) {
        put_start(writer, start);
        return;
    }
    cx_wire_put_number(writer, (uint64_t)session->create_time_us);
    if (session->step == CX_SESSION_SWITCH) {
        cx_wire_put_bytes(writer, session->current_id);
    }
}

static void put_settings(struct cx_wire_writer *writer, const struct cx_settings *settings)
{
    cx_wire_put_number(writer, settings->version_retention);
    cx_wire_put_number(writer, (uint64_t)settings->undelete_window_us);
    cx_wire_put_number(writer, (uint64_t)settings->tombstone_window_us);
    cx_wire_put_number(writer, (uint64_t)settings->request_id_window_us);
    cx_wire_put_number(writer, settings->request_ids_max);
}

static void put_request(struct cx_wire_writer *writer, const struct cx_request_mark *mark)
{
    cx_wire_put_fixed64(writer, mark->id.low);
    cx_wire_put_fixed64(writer, mark->id.high);
    cx_wire_put_fixed64(writer, mark->content_hash);
    if (!mark->of_session) {
        cx_wire_put_number(writer, mark->owner);
    }
    if (mark->has_answer) {
        cx_wire_put_number(writer, mark->answer);
    }
}

static unsigned change_flags(const struct cx_change *change)
{
    const struct cx_request_mark *mark = &change->request;
    unsigned flags = change->session.step != CX_SESSION_NONE ? FLAG_SESSION : 0;

    if (cx_request_mark_is_set(mark)) {
        flags |= FLAG_REQUEST | (mark->each ? FLAG_EACH : 0u) |
                 (mark->of_session ? FLAG_OF_SESSION : 0u) | (mark->has_answer ? FLAG_ANSWER : 0u);
    }
    return flags;
}

enum cx_status cx_change_encode(const struct cx_change *change, struct cx_buffer *buffer)
{
    struct cx_wire_writer writer = {.buffer = buffer};

    cx_wire_put_number(&writer, change->kind);
    if (change->kind == CX_CHANGE_SETTINGS) {
        put_settings(&writer, change->settings);
        return writer.status;
    }
    if (change->kind == CX_CHANGE_FLOOR) {
        cx_wire_put_number(&writer, change->floor);
        return writer.status;
    }
    assert(change->item_count >= 1 || change->session.step != CX_SESSION_NONE);
    assert(change->item_count <= CX_CHANGE_ITEMS_MAX);
    cx_wire_put_number(&writer, change_flags(change));
    cx_wire_put_bytes(&writer, change->namespace_id);
    if (cx_request_mark_is_set(&change->request)) {
        put_request(&writer, &change->request);
    }
    if (change->session.step != CX_SESSION_NONE) {
        put_session(&writer, &change->session);
    }
    cx_wire_put_number(&writer, change->item_count);
    for (size_t i = 0; i < change->item_count; i++) {
        put_item(&writer, &change->items[i]);
    }
    return writer.status;
}
