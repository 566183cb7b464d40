/* Bytes into changes. */

#include "core/state/change.h"

#include <stdio.h>

#include "core/base/limits.h"
#include "core/state/change_check.h"
#include "core/state/change_format.h"
#include "core/state/detail.h"
#include "core/state/recovery.h"
#include "core/state/settings.h"
#include "core/state/wire.h"

struct cx_hash128 cx_request_mark_id_of(const struct cx_request_mark *mark,
                                        struct cx_bytes context_key)
{
    return cx_hash128(context_key, mark->id.low ^ mark->id.high);
}

uint64_t cx_change_item_last_sequence(const struct cx_change_item *item)
{
    uint64_t next = item->first_sequence;

    for (size_t i = 0; i < item->op_count; i++) {
        next += item->ops[i].kind == CX_MUTATION_RECORD;
    }
    return next > 0 ? next - 1 : 0;
}

/* ---- Decoding. -------------------------------------------------------------- */

/* A reader and where its arrays go. */
struct decoder {
    struct cx_wire_reader reader;
    struct cx_arena *arena;
    bool out_of_memory;
};

/* Reads a number from `min` to `max`. */
static unsigned get_bounded(struct decoder *decoder, unsigned min, unsigned max)
{
    uint64_t number = cx_wire_get_number(&decoder->reader);

    if (number < min || number > max) {
        decoder->reader.bad = true;
        return min;
    }
    return (unsigned)number;
}

/* Reads the size of an array whose elements take at least one byte each, and makes
 * room for it. Returns NULL when there are none, or on a failure. */
static void *get_array(struct decoder *decoder, size_t element_size, size_t *ret_count)
{
    uint64_t count = cx_wire_get_number(&decoder->reader);
    void *array;

    *ret_count = 0;
    if (count > decoder->reader.rest.size) {
        decoder->reader.bad = true;
    }
    if (count == 0 || decoder->reader.bad) {
        return NULL;
    }
    array = cx_arena_calloc(decoder->arena, count * element_size);
    if (array == NULL) {
        decoder->out_of_memory = true;
        decoder->reader.bad = true;
        return NULL;
    }
    *ret_count = count;
    return array;
}

static struct cx_label_list get_labels(struct decoder *decoder)
{
    struct cx_label_list list;
    struct cx_label *items = get_array(decoder, sizeof *items, &list.count);

    for (size_t i = 0; i < list.count; i++) {
        items[i].key = cx_wire_get_bytes(&decoder->reader);
        items[i].value = cx_wire_get_bytes(&decoder->reader);
    }
    list.items = items;
    return list;
}

/* Makes room for one of something. */
static void *get_room(struct decoder *decoder, size_t size)
{
    void *memory = cx_arena_calloc(decoder->arena, size);

    if (memory == NULL) {
        decoder->out_of_memory = true;
        decoder->reader.bad = true;
    }
    return memory;
}

static const struct cx_activity_content *get_activity(struct decoder *decoder)
{
    struct cx_wire_reader *reader = &decoder->reader;
    struct cx_activity_content *activity = get_room(decoder, sizeof *activity);
    struct cx_label_list labels;

    if (activity == NULL) {
        return NULL;
    }
    activity->type = cx_wire_get_bytes(reader);
    activity->content_type = cx_wire_get_bytes(reader);
    labels = get_labels(decoder);
    activity->labels = labels.items;
    activity->label_count = labels.count;
    cx_detail_get(reader, &activity->detail);
    activity->data = cx_wire_get_bytes(reader);
    return activity;
}

static void get_policy(struct cx_wire_reader *reader, struct cx_recovery_policy *policy)
{
    uint64_t is_set = cx_wire_get_number(reader);

    reader->bad |= is_set > 1;
    policy->is_set = is_set == 1;
    if (!policy->is_set) {
        return;
    }
    policy->retention.keep_last = cx_wire_get_number(reader);
    policy->retention.keep_every = cx_wire_get_number(reader);
    policy->retention.keep_within_us = (int64_t)cx_wire_get_number(reader);
    policy->point_every_changes = cx_wire_get_number(reader);
    policy->point_every_us = (int64_t)cx_wire_get_number(reader);
}

static const struct cx_recovery_policy *get_new_policy(struct decoder *decoder)
{
    struct cx_recovery_policy *policy = get_room(decoder, sizeof *policy);

    if (policy != NULL) {
        get_policy(&decoder->reader, policy);
    }
    return policy;
}

static void get_op(struct decoder *decoder, struct cx_op *op)
{
    struct cx_wire_reader *reader = &decoder->reader;

    op->kind = (enum cx_mutation_kind)get_bounded(decoder, CX_MUTATION_PUT, CX_MUTATION_SET_POLICY);
    switch (op->kind) {
    case CX_MUTATION_PUT:
        op->key = cx_wire_get_bytes(reader);
        op->content_type = cx_wire_get_bytes(reader);
        op->kept = cx_wire_get_number(reader);
        op->value = cx_wire_get_bytes(reader);
        break;
    case CX_MUTATION_APPEND:
        op->key = cx_wire_get_bytes(reader);
        op->content_type = cx_wire_get_bytes(reader);
        op->value = cx_wire_get_bytes(reader);
        break;
    case CX_MUTATION_DELETE:
    case CX_MUTATION_DELETE_PREFIX:
    case CX_MUTATION_DELETE_LABEL:
        op->key = cx_wire_get_bytes(reader);
        break;
    case CX_MUTATION_SET_LABEL:
        op->key = cx_wire_get_bytes(reader);
        op->value = cx_wire_get_bytes(reader);
        break;
    case CX_MUTATION_SET_EXPIRY:
        op->ttl_us = (int64_t)cx_wire_get_number(reader);
        op->sliding = get_bounded(decoder, 0, 1) != 0;
        break;
    case CX_MUTATION_RECORD:
        op->activity = get_activity(decoder);
        break;
    case CX_MUTATION_SET_POLICY:
        op->policy = get_new_policy(decoder);
        break;
    }
}

static struct cx_op *get_ops(struct decoder *decoder, size_t *ret_count)
{
    struct cx_op *ops = get_array(decoder, sizeof *ops, ret_count);

    for (size_t i = 0; i < *ret_count && !decoder->reader.bad; i++) {
        get_op(decoder, &ops[i]);
    }
    return ops;
}

static struct cx_run_list get_runs(struct decoder *decoder)
{
    struct cx_wire_reader *reader = &decoder->reader;
    uint64_t last = 0;
    struct cx_run_list list;
    struct cx_run *runs = get_array(decoder, sizeof *runs, &list.count);

    for (size_t i = 0; i < list.count && !reader->bad; i++) {
        uint64_t gap = cx_wire_get_number(reader);
        uint64_t length = cx_wire_get_number(reader);

        if (gap == 0 || gap > UINT64_MAX - last || length > UINT64_MAX - last - gap) {
            reader->bad = true;
            break;
        }
        runs[i] = (struct cx_run){last + gap, last + gap + length};
        last = runs[i].last;
    }
    list.items = runs;
    return list;
}

static void get_activation(struct decoder *decoder, struct cx_activation_step *step)
{
    unsigned flags = get_bounded(decoder, 0, FLAGS_ACTIVATION);

    step->active = (flags & FLAG_ACTIVE) != 0;
    step->guard = (flags & FLAG_GUARD) != 0;
    step->session_id = cx_wire_get_bytes(&decoder->reader);
    if ((flags & FLAG_EXCLUSIVE) != 0) {
        step->fence = cx_wire_get_number(&decoder->reader);
    }
    if ((step->fence != 0) != ((flags & FLAG_EXCLUSIVE) != 0)) {
        decoder->reader.bad = true; /* One that is 0 is not stored. */
    }
}

/* What a flag announces is not empty. */
static void get_tracked(struct decoder *decoder, unsigned flags, struct cx_change_item *item)
{
    struct cx_wire_reader *reader = &decoder->reader;

    if ((flags & FLAG_AUTHOR) != 0) {
        item->session_id = cx_wire_get_bytes(reader);
        reader->bad |= item->session_id.size == 0;
    }
    if ((flags & FLAG_ACTIVITIES) != 0) {
        item->first_sequence = cx_wire_get_number(reader);
        reader->bad |= item->first_sequence == 0;
    }
    if ((flags & FLAG_TRIMMED) != 0) {
        item->trimmed = get_runs(decoder);
        reader->bad |= item->trimmed.count == 0;
    }
    if ((flags & FLAG_ACTIVATIONS) != 0) {
        struct cx_activation_step *steps =
            get_array(decoder, sizeof *steps, &item->activation_count);

        for (size_t i = 0; i < item->activation_count && !reader->bad; i++) {
            get_activation(decoder, &steps[i]);
        }
        item->activations = steps;
        reader->bad |= item->activation_count == 0;
    }
}

/* ---- Earlier states. -------------------------------------------------------- */

static void get_base(struct decoder *decoder, struct cx_base_ref *base)
{
    base->kind = (enum cx_base_kind)get_bounded(decoder, CX_BASE_POINT, CX_BASE_HEAD);
    base->number = cx_wire_get_number(&decoder->reader);
}

static void get_source(struct decoder *decoder, struct cx_source_ref *source)
{
    source->id = cx_wire_get_bytes(&decoder->reader);
    decoder->reader.bad |= source->id.size == 0;
    get_base(decoder, &source->base);
}

static void get_point_state(struct decoder *decoder, struct cx_point_step *step)
{
    step->origin = (uint8_t)get_bounded(decoder, CX_ORIGIN_CLIENT, CX_ORIGIN_SESSION_LOSS);
    step->version = cx_wire_get_number(&decoder->reader);
    if (step->aside) {
        get_base(decoder, &step->base);
        step->ops = get_ops(decoder, &step->op_count);
        step->state_labels = get_labels(decoder);
    }
}

static void get_point(struct decoder *decoder, struct cx_point_step *step)
{
    struct cx_wire_reader *reader = &decoder->reader;
    unsigned flags;

    step->kind = (enum cx_point_step_kind)get_bounded(decoder, CX_POINT_MAKE, CX_POINT_PENDING);
    flags = get_bounded(decoder, 0, FLAGS_POINT);
    step->pinned = (flags & FLAG_PINNED) != 0;
    step->aside = (flags & FLAG_ASIDE) != 0;
    step->expired = (flags & FLAG_EXPIRED) != 0;
    step->id = cx_wire_get_bytes(reader);
    step->sequence = cx_wire_get_number(reader);
    if (step->kind == CX_POINT_DROP) {
        return;
    }
    if (step->kind == CX_POINT_MAKE || step->kind == CX_POINT_REPLACE) {
        get_point_state(decoder, step);
    }
    step->attachments = get_ops(decoder, &step->attachment_count);
    if (step->kind != CX_POINT_PENDING) {
        step->labels = get_labels(decoder);
        step->expire_time_us = (int64_t)cx_wire_get_number(reader);
    }
}

/* What a flag announces is not empty. */
static void get_recovery(struct decoder *decoder, unsigned flags, struct cx_change_item *item)
{
    struct cx_wire_reader *reader = &decoder->reader;

    if ((flags & FLAG_POLICY) != 0) {
        get_policy(reader, &item->head.policy);
        reader->bad |= !item->head.policy.is_set;
    }
    if ((flags & FLAG_FORKED) != 0) {
        item->head.forked_from_id = cx_wire_get_bytes(reader);
        item->head.forked_from_version = cx_wire_get_number(reader);
        reader->bad |= item->head.forked_from_id.size == 0;
    }
    if ((flags & FLAG_BASE) != 0) {
        get_base(decoder, &item->base);
        item->base_id = cx_wire_get_bytes(reader);
        item->base_ops = get_ops(decoder, &item->base_op_count);
    }
    if ((flags & FLAG_SOURCE) != 0) {
        get_source(decoder, &item->source);
    }
    if ((flags & FLAG_MERGED) != 0) {
        get_source(decoder, &item->merged);
    }
    if ((flags & FLAG_POINTS) != 0) {
        item->points = get_array(decoder, sizeof *item->points, &item->point_count);
        reader->bad |= item->point_count == 0;
    }
    for (size_t i = 0; i < item->point_count && !reader->bad; i++) {
        get_point(decoder, &item->points[i]);
    }
}

static void get_head(struct cx_wire_reader *reader, struct cx_change_head *head)
{
    head->told = true;
    head->parent_id = cx_wire_get_bytes(reader);
    head->create_time_us = (int64_t)cx_wire_get_number(reader);
    head->update_time_us = (int64_t)cx_wire_get_number(reader);
    head->expire_us = (int64_t)cx_wire_get_number(reader);
    head->entry_count = cx_wire_get_number(reader);
    head->size_bytes = cx_wire_get_number(reader);
    head->fence = cx_wire_get_number(reader);
}

static void get_item(struct decoder *decoder, struct cx_change_item *item)
{
    struct cx_wire_reader *reader = &decoder->reader;
    unsigned flags;

    item->kind = (enum cx_item_kind)get_bounded(decoder, CX_ITEM_CREATE, CX_ITEM_UNDELETE);
    flags = get_bounded(decoder, 0, FLAGS_ITEM);
    item->labels_changed = (flags & FLAG_LABELS_CHANGED) != 0;
    item->sliding = (flags & FLAG_SLIDING) != 0;
    item->id = cx_wire_get_bytes(reader);
    item->version = cx_wire_get_number(reader);
    item->type = cx_wire_get_bytes(reader);
    item->labels = get_labels(decoder);
    if (item->labels_changed) {
        item->labels_before = get_labels(decoder);
    }
    if ((flags & FLAG_TOLD) != 0) {
        get_head(reader, &item->head);
    }
    item->head.expires_from_now = (flags & FLAG_FROM_NOW) != 0;
    if (item->kind == CX_ITEM_CREATE) {
        item->ttl_us = (int64_t)cx_wire_get_number(reader);
    }
    item->untold = (flags & FLAG_UNTOLD) != 0;
    item->by_timer = (flags & FLAG_BY_TIMER) != 0;
    item->with_history = (flags & FLAG_WITH_HISTORY) != 0;
    item->with_points = (flags & FLAG_WITH_POINTS) != 0;
    item->ops = get_ops(decoder, &item->op_count);
    get_tracked(decoder, flags, item);
    get_recovery(decoder, flags, item);
}

static void get_start(struct decoder *decoder, struct cx_session_start_request *start)
{
    struct cx_wire_reader *reader = &decoder->reader;
    struct cx_new_context *create;
    struct cx_label_list labels;
    unsigned flags;

    start->default_context_id = cx_wire_get_bytes(reader);
    start->max_active_contexts = cx_wire_get_number(reader);
    flags = get_bounded(decoder, 0, FLAGS_START);
    start->point_on_loss = (flags & FLAG_POINT_ON_LOSS) != 0;
    if ((flags & FLAG_MAY_CREATE) == 0) {
        reader->bad |= (flags & ~(unsigned)FLAG_POINT_ON_LOSS) != 0;
        return;
    }
    create = get_room(decoder, sizeof *create);
    if (create == NULL) {
        return;
    }
    create->create_parent = (flags & FLAG_CREATE_PARENT) != 0;
    create->sliding = (flags & FLAG_CREATE_SLIDING) != 0;
    create->type = cx_wire_get_bytes(reader);
    create->parent_id = cx_wire_get_bytes(reader);
    labels = get_labels(decoder);
    create->labels = labels.items;
    create->label_count = labels.count;
    create->ttl_us = (int64_t)cx_wire_get_number(reader);
    if ((flags & FLAG_CREATE_POLICY) != 0) {
        get_policy(reader, &create->policy);
        reader->bad |= !create->policy.is_set;
    }
    start->create_if_missing = create;
}

static void get_session(struct decoder *decoder, struct cx_session_change *session)
{
    struct cx_session_start_request *start = &session->start;
    struct cx_wire_reader *reader = &decoder->reader;
    struct cx_label_list labels;

    session->step = (enum cx_session_step)get_bounded(decoder, CX_SESSION_START, CX_SESSION_PART);
    start->name.id = cx_wire_get_bytes(reader);
    if (session->step == CX_SESSION_PART) {
        return;
    }
    start->owner = cx_wire_get_bytes(reader);
    labels = get_labels(decoder);
    start->labels = labels.items;
    start->label_count = labels.count;
    start->ttl_us = (int64_t)cx_wire_get_number(reader);
    if (session->step == CX_SESSION_START) {
        get_start(decoder, start);
        return;
    }
    session->create_time_us = (int64_t)cx_wire_get_number(reader);
    if (session->step == CX_SESSION_SWITCH) {
        session->current_id = cx_wire_get_bytes(reader);
    }
}

static const struct cx_settings *get_settings(struct decoder *decoder)
{
    struct cx_settings *settings = cx_arena_alloc(decoder->arena, sizeof *settings);

    if (settings == NULL) {
        decoder->out_of_memory = true;
        decoder->reader.bad = true;
        return NULL;
    }
    settings->version_retention = cx_wire_get_number(&decoder->reader);
    settings->undelete_window_us = (int64_t)cx_wire_get_number(&decoder->reader);
    settings->tombstone_window_us = (int64_t)cx_wire_get_number(&decoder->reader);
    settings->request_id_window_us = (int64_t)cx_wire_get_number(&decoder->reader);
    settings->request_ids_max = cx_wire_get_number(&decoder->reader);
    return settings;
}

static void get_request(struct decoder *decoder, unsigned flags, struct cx_request_mark *mark)
{
    struct cx_wire_reader *reader = &decoder->reader;

    mark->id.low = cx_wire_get_fixed64(reader);
    mark->id.high = cx_wire_get_fixed64(reader);
    mark->content_hash = cx_wire_get_fixed64(reader);
    mark->each = (flags & FLAG_EACH) != 0;
    mark->of_session = (flags & FLAG_OF_SESSION) != 0;
    mark->has_answer = (flags & FLAG_ANSWER) != 0;
    if (!mark->of_session) {
        mark->owner = cx_wire_get_number(reader);
    }
    if (mark->has_answer) {
        mark->answer = cx_wire_get_number(reader);
    }
    if (!cx_request_mark_is_set(mark)) {
        reader->bad = true; /* One that is not set is not stored. */
    }
}

static void get_contexts(struct decoder *decoder, struct cx_change *change)
{
    struct cx_wire_reader *reader = &decoder->reader;
    unsigned flags = get_bounded(decoder, 0, FLAGS_CHANGE);

    if ((flags & FLAG_REQUEST) == 0 && (flags & (FLAG_EACH | FLAG_OF_SESSION | FLAG_ANSWER)) != 0) {
        reader->bad = true;
    }
    change->namespace_id = cx_wire_get_bytes(reader);
    if ((flags & FLAG_REQUEST) != 0) {
        get_request(decoder, flags, &change->request);
    }
    if ((flags & FLAG_SESSION) != 0) {
        get_session(decoder, &change->session);
        change->session.start.name.namespace_id = change->namespace_id;
    }
    change->items = get_array(decoder, sizeof *change->items, &change->item_count);
    for (size_t i = 0; i < change->item_count && !reader->bad; i++) {
        get_item(decoder, &change->items[i]);
    }
}

enum cx_status cx_change_decode(struct cx_bytes bytes, struct cx_arena *arena,
                                struct cx_change *ret_change)
{
    struct decoder decoder = {.reader.rest = bytes, .arena = arena};
    struct cx_change change = {0};

    change.kind = (enum cx_change_kind)get_bounded(&decoder, CX_CHANGE_CONTEXTS, CX_CHANGE_FLOOR);
    switch (change.kind) {
    case CX_CHANGE_CONTEXTS:
        get_contexts(&decoder, &change);
        break;
    case CX_CHANGE_SETTINGS:
        change.settings = get_settings(&decoder);
        break;
    case CX_CHANGE_FLOOR:
        change.floor = cx_wire_get_number(&decoder.reader);
        break;
    }
    if (decoder.out_of_memory) {
        return CX_RESOURCE_EXHAUSTED;
    }
    if (decoder.reader.bad || decoder.reader.rest.size != 0 || !cx_change_is_well_formed(&change)) {
        return CX_DATA_LOSS;
    }
    *ret_change = change;
    return CX_OK;
}

void cx_change_describe(struct cx_bytes bytes, char *text, size_t size)
{
    struct decoder decoder = {.reader.rest = bytes, .arena = &(struct cx_arena){0}};
    struct cx_change change = {0};
    size_t used = 0;

    text[0] = '\0';
    if (cx_wire_get_number(&decoder.reader) == CX_CHANGE_CONTEXTS) {
        get_contexts(&decoder, &change);
    }
    for (size_t i = 0; i < change.item_count && change.items[i].id.size > 0; i++) {
        int added = snprintf(text + used, size - used, "%s%.*s/%.*s", i == 0 ? "" : ", ",
                             (int)change.namespace_id.size, (const char *)change.namespace_id.data,
                             (int)change.items[i].id.size, (const char *)change.items[i].id.data);

        if (added < 0 || (size_t)added >= size - used) {
            break;
        }
        used += (size_t)added;
    }
    cx_arena_done(decoder.arena);
}
