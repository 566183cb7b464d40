#include "core/feed/event.h"

#include <assert.h>

#include "core/base/limits.h"
#include "core/state/table.h"

/* Where the events go. Without a place they are counted. */
struct making {
    const struct cx_change *change;
    struct cx_event *events; /* NULL: just count. */
    size_t count;
    struct cx_event common; /* What the events of an item have in common. */
};

static void add(struct making *making, const struct cx_event *event)
{
    if (making->events != NULL) {
        struct cx_event *added = &making->events[making->count];

        *added = *event;
        added->index = (uint32_t)making->count;
    }
    making->count++;
}

static void add_simple(struct making *making, enum cx_event_type type)
{
    struct cx_event event = making->common;

    event.type = type;
    add(making, &event);
}

/* ---- Mutations. ------------------------------------------------------------- */

static uint64_t labels_weight(const struct cx_label *labels, size_t count)
{
    uint64_t weight = 0;

    for (size_t i = 0; i < count; i++) {
        weight += labels[i].key.size + labels[i].value.size;
    }
    return weight;
}

/* What a mutation weighs in an event, more or less. It decides where events are cut, so it
 * may never come out differently. */
static uint64_t op_weight(const struct cx_op *op)
{
    const struct cx_activity_content *activity = op->activity;

    if (op->kind == CX_MUTATION_RECORD) {
        return CX_EVENT_OP_WEIGHT + activity->data.size +
               labels_weight(activity->labels, activity->label_count);
    }
    return CX_EVENT_OP_WEIGHT + op->key.size + op->content_type.size + op->value.size;
}

/* Whether what was done is not told: it is not known, as the state came from elsewhere, or
 * it is too large. */
static bool is_reset(const struct cx_change_item *item)
{
    uint64_t weight = 0;

    if (item->untold || item->source.id.size > 0) {
        return true;
    }
    for (size_t i = 0; i < item->op_count && weight <= CX_EVENT_SIZE_MAX; i++) {
        weight += op_weight(&item->ops[i]);
    }
    return weight > CX_EVENT_SIZE_MAX;
}

static size_t activity_count(const struct cx_op *ops, size_t count)
{
    size_t activities = 0;

    for (size_t i = 0; i < count; i++) {
        activities += ops[i].kind == CX_MUTATION_RECORD;
    }
    return activities;
}

/* How many of the mutations come in one part; at least one. */
static size_t part_size(const struct cx_op *ops, size_t count)
{
    uint64_t weight = op_weight(&ops[0]);
    size_t size = 1;

    while (size < count && weight + op_weight(&ops[size]) <= CX_EVENT_PART_SIZE) {
        weight += op_weight(&ops[size++]);
    }
    return size;
}

/* An event with the mutations of its item, in as many parts as it takes. */
static void add_mutations(struct making *making, enum cx_event_type type)
{
    const struct cx_change_item *item = making->common.item;
    struct cx_event event = making->common;
    uint64_t sequence = item->first_sequence;
    size_t at = 0;

    event.type = type;
    event.reset = is_reset(item);
    if (event.reset || item->op_count == 0) {
        add(making, &event);
        return;
    }
    while (at < item->op_count) {
        size_t activities;

        event.ops = item->ops + at;
        event.op_count = part_size(event.ops, item->op_count - at);
        at += event.op_count;
        activities = activity_count(event.ops, event.op_count);
        event.first_sequence = activities > 0 ? sequence : 0;
        event.more = at < item->op_count;
        add(making, &event);
        sequence += activities;
    }
}

/* ---- Items. ----------------------------------------------------------------- */

static void add_activations(struct making *making)
{
    const struct cx_change_item *item = making->common.item;

    for (size_t i = 0; i < item->activation_count; i++) {
        struct cx_event event = making->common;

        event.activation = &item->activations[i];
        event.type = event.activation->active ? CX_EVENT_ACTIVATED : CX_EVENT_DEACTIVATED;
        add(making, &event);
    }
}

static enum cx_event_type point_type(const struct cx_point_step *step)
{
    switch (step->kind) {
    case CX_POINT_CHANGE:
        return CX_EVENT_POINT_UPDATED;
    case CX_POINT_DROP:
        return CX_EVENT_POINT_DELETED;
    default:
        return CX_EVENT_POINT_CREATED;
    }
}

/* Whether a point is dropped whose id another one takes: steps that drop come last. */
static bool is_replaced(const struct cx_change_item *item, const struct cx_point_step *step)
{
    for (size_t i = 0; step->kind == CX_POINT_DROP && item->points[i].kind != CX_POINT_DROP; i++) {
        if (cx_bytes_equal(item->points[i].id, step->id)) {
            return true;
        }
    }
    return false;
}

/* One for each step. Attachments for a point that is still to be made are no event: there is
 * nothing yet that they belong to. Neither is the drop of one whose place another takes. */
static void add_points(struct making *making)
{
    const struct cx_change_item *item = making->common.item;

    for (size_t i = 0; i < item->point_count; i++) {
        struct cx_event event = making->common;

        if (item->points[i].kind == CX_POINT_PENDING || is_replaced(item, &item->points[i])) {
            continue;
        }
        event.point = &item->points[i];
        event.type = point_type(event.point);
        add(making, &event);
    }
}

/* Of one that is there afterwards, in a state of its own. */
static enum cx_event_type state_type(const struct cx_change_item *item)
{
    if (item->kind == CX_ITEM_CREATE) {
        return item->source.id.size > 0 ? CX_EVENT_FORKED : CX_EVENT_CREATED;
    }
    if (item->kind == CX_ITEM_UNDELETE || item->base.kind != CX_BASE_NONE) {
        return CX_EVENT_RESTORED; /* Whatever comes on top of the earlier state. */
    }
    return item->merged.id.size > 0 ? CX_EVENT_MERGED : CX_EVENT_UPDATED;
}

static void add_item(struct making *making, const struct cx_change_item *item)
{
    struct cx_name_key key;

    if (!item->head.told) {
        return;
    }
    making->common.item = item;
    if (making->events != NULL) {
        cx_name_key_init(&key, making->change->namespace_id, item->id);
        making->common.hash = key.hash;
    }
    switch (item->kind) {
    case CX_ITEM_CREATE:
    case CX_ITEM_UPDATE:
    case CX_ITEM_UNDELETE:
        add_mutations(making, state_type(item));
        break;
    case CX_ITEM_TOUCH:
        if (item->op_count > 0) {
            add_mutations(making, CX_EVENT_ACTIVITY);
        }
        break;
    default: /* It ends the context: with what was active first. */
        add_activations(making);
        add_simple(making, item->kind == CX_ITEM_EXPIRE ? CX_EVENT_EXPIRED : CX_EVENT_DELETED);
        return;
    }
    if (item->trimmed.count > 0) {
        add_simple(making, CX_EVENT_HISTORY_TRIMMED);
    }
    add_activations(making);
    add_points(making);
}

/* ---- The change. ------------------------------------------------------------ */

static void add_session(struct making *making, enum cx_event_type type)
{
    making->common.item = NULL;
    making->common.hash = 0;
    making->common.session = &making->change->session;
    add_simple(making, type);
    making->common.session = NULL;
}

static void make(struct making *making)
{
    const struct cx_change *change = making->change;

    if (change->kind != CX_CHANGE_CONTEXTS) {
        return;
    }
    if (change->session.step == CX_SESSION_START) {
        add_session(making, CX_EVENT_SESSION_STARTED);
    }
    for (size_t i = 0; i < change->item_count; i++) {
        add_item(making, &change->items[i]);
    }
    switch (change->session.step) {
    case CX_SESSION_SWITCH:
        add_session(making, CX_EVENT_SESSION_SWITCHED);
        break;
    case CX_SESSION_END:
        add_session(making, CX_EVENT_SESSION_ENDED);
        break;
    case CX_SESSION_LOSE:
        add_session(making, CX_EVENT_SESSION_LOST);
        break;
    default: /* Of a part, its items are told. */
        break;
    }
}

size_t cx_event_count(const struct cx_change *change)
{
    struct making making = {.change = change};

    make(&making);
    return making.count;
}

void cx_event_make(const struct cx_change *change, uint64_t revision, int64_t time_us,
                   struct cx_event *ret_events)
{
    struct making making = {
        .change = change,
        .events = ret_events,
        .common = {.revision = revision, .time_us = time_us, .namespace_id = change->namespace_id},
    };

    make(&making);
    if (making.count > 0) {
        ret_events[making.count - 1].last = true;
    }
}
