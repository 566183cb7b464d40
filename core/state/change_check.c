#include "core/state/change_check.h"

#include "core/base/limits.h"
#include "core/state/settings.h"

/* Keys of the lists are joined with NUL, so that no name may hold one. */
static bool is_name(struct cx_bytes bytes, size_t size_max)
{
    return bytes.size <= size_max &&
           (bytes.size == 0 || memchr(bytes.data, '\0', bytes.size) == NULL);
}

static bool is_duration(int64_t duration_us)
{
    return duration_us >= 0 && duration_us <= CX_TTL_US_MAX;
}

static bool labels_are_well_formed(struct cx_label_list list)
{
    if (list.count > CX_LABELS_MAX) {
        return false;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (!is_name(list.items[i].key, CX_LABEL_KEY_SIZE_MAX) ||
            !is_name(list.items[i].value, CX_LABEL_VALUE_SIZE_MAX)) {
            return false;
        }
        if (i > 0 && cx_bytes_compare(list.items[i - 1].key, list.items[i].key) >= 0) {
            return false;
        }
    }
    return true;
}

/* Its detail was checked when it was decoded. */
static bool activity_is_well_formed(const struct cx_activity_content *activity)
{
    const struct cx_label_list labels = {activity->labels, activity->label_count};

    return activity->type.size >= 1 && is_name(activity->type, CX_ACTIVITY_TYPE_SIZE_MAX) &&
           activity->content_type.size <= CX_CONTENT_TYPE_SIZE_MAX &&
           activity->data.size <= UINT32_MAX && labels_are_well_formed(labels);
}

static bool policy_is_well_formed(const struct cx_recovery_policy *policy)
{
    return is_duration(policy->retention.keep_within_us) && is_duration(policy->point_every_us);
}

static bool op_is_well_formed(const struct cx_op *op)
{
    switch (op->kind) {
    case CX_MUTATION_PUT:
    case CX_MUTATION_APPEND:
        return op->key.size >= 1 && op->key.size <= CX_ENTRY_KEY_SIZE_MAX &&
               op->content_type.size <= CX_CONTENT_TYPE_SIZE_MAX;
    case CX_MUTATION_SET_EXPIRY:
        return is_duration(op->ttl_us);
    case CX_MUTATION_RECORD:
        return activity_is_well_formed(op->activity);
    case CX_MUTATION_SET_POLICY:
        return policy_is_well_formed(op->policy);
    default:
        return op->key.size <= CX_ENTRY_KEY_SIZE_MAX;
    }
}

static bool is_session_id(struct cx_bytes id)
{
    return id.size >= 1 && is_name(id, CX_SESSION_ID_SIZE);
}

/* Activities have sequences; only live contexts are touched by them. */
static bool tracked_is_well_formed(const struct cx_change_item *item)
{
    bool lives = item->kind == CX_ITEM_CREATE || item->kind == CX_ITEM_UPDATE ||
                 item->kind == CX_ITEM_TOUCH || item->kind == CX_ITEM_UNDELETE;
    size_t activity_count = 0;

    for (size_t i = 0; i < item->op_count; i++) {
        activity_count += item->ops[i].kind == CX_MUTATION_RECORD;
    }
    for (size_t i = 0; i < item->activation_count; i++) {
        const struct cx_activation_step *step = &item->activations[i];

        if (!is_session_id(step->session_id) || (step->active && !lives) ||
            (!step->active && step->fence != 0) || (step->guard && step->fence == 0)) {
            return false;
        }
    }
    return (activity_count > 0) == (item->first_sequence != 0) &&
           item->first_sequence <= UINT64_MAX - activity_count &&
           (lives || (activity_count == 0 && item->trimmed.count == 0)) &&
           (item->session_id.size == 0 || is_session_id(item->session_id)) &&
           (item->kind != CX_ITEM_TOUCH ||
            (activity_count == item->op_count && !item->labels_changed));
}

/* Of a purge, the state knows. */
static bool head_is_well_formed(const struct cx_change_item *item)
{
    const struct cx_change_head *head = &item->head;
    bool never_told = item->kind == CX_ITEM_DROP_STATES || item->kind == CX_ITEM_FORGET;

    return (item->kind == CX_ITEM_PURGE || head->told != never_told) &&
           is_name(head->parent_id, CX_CONTEXT_ID_SIZE_MAX) &&
           policy_is_well_formed(&head->policy) &&
           is_name(head->forked_from_id, CX_CONTEXT_ID_SIZE_MAX) &&
           (!head->expires_from_now ||
            (head->told && head->expire_us != 0 && is_duration(head->expire_us)));
}

static bool are_entry_steps(const struct cx_op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool fits = ops[i].kind != CX_MUTATION_RECORD && ops[i].kind != CX_MUTATION_SET_EXPIRY &&
                    ops[i].kind != CX_MUTATION_SET_POLICY;

        if (!fits || !op_is_well_formed(&ops[i])) {
            return false;
        }
    }
    return true;
}

static bool are_attachments(const struct cx_op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind != CX_MUTATION_PUT && ops[i].kind != CX_MUTATION_DELETE) {
            return false;
        }
    }
    return are_entry_steps(ops, count);
}

static bool source_is_well_formed(const struct cx_source_ref *source)
{
    return is_name(source->id, CX_CONTEXT_ID_SIZE_MAX);
}

static bool point_is_well_formed(const struct cx_point_step *step)
{
    bool makes = step->kind == CX_POINT_MAKE || step->kind == CX_POINT_REPLACE;

    return step->id.size >= 1 && is_name(step->id, CX_POINT_ID_SIZE_MAX) &&
           (step->kind == CX_POINT_PENDING) == (step->sequence == 0) && (makes || !step->aside) &&
           (step->kind == CX_POINT_DROP || !step->expired) &&
           (!step->aside || step->base.kind == CX_BASE_POINT || step->base.kind == CX_BASE_HEAD) &&
           (step->kind == CX_POINT_MAKE || step->kind == CX_POINT_REPLACE ||
            step->kind == CX_POINT_CHANGE || !step->pinned) &&
           step->expire_time_us >= 0 && are_entry_steps(step->ops, step->op_count) &&
           are_attachments(step->attachments, step->attachment_count) &&
           labels_are_well_formed(step->state_labels) && labels_are_well_formed(step->labels);
}

/* At most so many steps on points that stay: a safety point and one of the client's. */
enum { POINTS_MADE_MAX = 4 };

/* Those that are dropped come by their sequence, behind all others. */
static bool points_are_well_formed(const struct cx_change_item *item)
{
    uint64_t dropped = 0;
    size_t made = 0;

    for (size_t i = 0; i < item->point_count; i++) {
        const struct cx_point_step *step = &item->points[i];
        bool drops = step->kind == CX_POINT_DROP;

        made += !drops;
        if (!point_is_well_formed(step) || made > POINTS_MADE_MAX ||
            (drops ? step->sequence <= dropped : dropped != 0)) {
            return false;
        }
        dropped = drops ? step->sequence : dropped;
    }
    return item->point_count <= CX_CHANGE_ITEMS_MAX + POINTS_MADE_MAX;
}

/* What begins from where, and which points there may be. */
static bool recovery_is_well_formed(const struct cx_change_item *item)
{
    bool ends = item->kind >= CX_ITEM_DELETE && item->kind <= CX_ITEM_FORGET;
    bool revives = item->kind == CX_ITEM_UPDATE || item->kind == CX_ITEM_UNDELETE;

    return (revives || (item->base.kind == CX_BASE_NONE && !item->untold)) &&
           item->base.kind != CX_BASE_HEAD && is_name(item->base_id, CX_POINT_ID_SIZE_MAX) &&
           (item->base.kind == CX_BASE_POINT) == (item->base_id.size > 0) &&
           are_entry_steps(item->base_ops, item->base_op_count) &&
           (item->kind == CX_ITEM_CREATE || item->source.id.size == 0) &&
           (item->source.id.size == 0 ? !item->with_history && !item->with_points
                                      : item->op_count == 0) &&
           (item->kind == CX_ITEM_UPDATE || item->merged.id.size == 0) &&
           (item->kind == CX_ITEM_TOUCH || !item->by_timer) &&
           source_is_well_formed(&item->source) && source_is_well_formed(&item->merged) &&
           (!ends || item->point_count == 0) && points_are_well_formed(item);
}

static bool item_is_well_formed(const struct cx_change_item *item)
{
    if (item->id.size == 0 || !is_name(item->id, CX_CONTEXT_ID_SIZE_MAX) ||
        !is_name(item->type, CX_CONTEXT_TYPE_SIZE_MAX) || !head_is_well_formed(item) ||
        !labels_are_well_formed(item->labels) || !is_duration(item->ttl_us) ||
        ((item->kind == CX_ITEM_CREATE || item->kind == CX_ITEM_UNDELETE) &&
         !item->labels_changed)) {
        return false;
    }
    for (size_t i = 0; i < item->op_count; i++) {
        if (!op_is_well_formed(&item->ops[i])) {
            return false;
        }
    }
    return tracked_is_well_formed(item) && recovery_is_well_formed(item);
}

static bool settings_are_well_formed(const struct cx_settings *settings)
{
    return settings->version_retention >= 1 && is_duration(settings->undelete_window_us) &&
           is_duration(settings->tombstone_window_us) &&
           is_duration(settings->request_id_window_us) &&
           settings->tombstone_window_us >= settings->undelete_window_us;
}

/* What every step but a part tells. */
static bool told_session_is_well_formed(const struct cx_session_start_request *start)
{
    const struct cx_label_list labels = {start->labels, start->label_count};

    return is_name(start->owner, CX_OWNER_SIZE_MAX) && labels_are_well_formed(labels) &&
           start->ttl_us >= CX_SESSION_TTL_US_MIN && start->ttl_us <= CX_SESSION_TTL_US_MAX;
}

static bool start_is_well_formed(const struct cx_session_start_request *start)
{
    const struct cx_new_context *create = start->create_if_missing;
    const struct cx_label_list new_labels = {
        create != NULL ? create->labels : NULL,
        create != NULL ? create->label_count : 0,
    };

    return is_name(start->default_context_id, CX_CONTEXT_ID_SIZE_MAX) &&
           labels_are_well_formed(new_labels) &&
           (create == NULL ||
            (is_name(create->type, CX_CONTEXT_TYPE_SIZE_MAX) &&
             is_name(create->parent_id, CX_CONTEXT_ID_SIZE_MAX) && is_duration(create->ttl_us) &&
             policy_is_well_formed(&create->policy)));
}

static bool session_is_well_formed(const struct cx_session_change *session)
{
    const struct cx_session_start_request *start = &session->start;

    if (session->step == CX_SESSION_NONE) {
        return true;
    }
    return is_session_id(start->name.id) &&
           (session->step == CX_SESSION_PART || told_session_is_well_formed(start)) &&
           (session->step != CX_SESSION_START || start_is_well_formed(start)) &&
           (session->step != CX_SESSION_SWITCH ||
            (session->current_id.size >= 1 &&
             is_name(session->current_id, CX_CONTEXT_ID_SIZE_MAX)));
}

/* Somebody keeps it: a session, or the context of an item. */
static bool request_is_well_formed(const struct cx_change *change)
{
    const struct cx_request_mark *mark = &change->request;

    if (mark->of_session) {
        return change->session.step != CX_SESSION_NONE && !mark->each && mark->owner == 0;
    }
    return mark->owner < change->item_count || (mark->owner == 0 && !cx_request_mark_is_set(mark));
}

bool cx_change_is_well_formed(const struct cx_change *change)
{
    if (change->kind == CX_CHANGE_SETTINGS) {
        return settings_are_well_formed(change->settings);
    }
    if (change->kind == CX_CHANGE_FLOOR) {
        return change->floor > 0;
    }
    if (change->namespace_id.size == 0 || !is_name(change->namespace_id, CX_NAMESPACE_SIZE_MAX) ||
        (change->item_count == 0 && change->session.step == CX_SESSION_NONE) ||
        change->item_count > CX_CHANGE_ITEMS_MAX || !session_is_well_formed(&change->session) ||
        !request_is_well_formed(change)) {
        return false;
    }
    for (size_t i = 0; i < change->item_count; i++) {
        if (!item_is_well_formed(&change->items[i])) {
            return false;
        }
    }
    return true;
}
