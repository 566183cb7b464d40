#include "server/services/event_message.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/base/limits.h"
#include "server/services/convert_activity.h"
#include "server/services/convert_policy.h"
#include "server/services/convert_response.h"
#include "server/services/convert_time.h"
#include "server/services/convert_tracking.h"
#include "server/services/cursor.h"
#include "server/services/draft.h"

/* Room in a message for what stands around its only event, another cursor included. */
enum { AROUND_SIZE = 1024 };

#define SAME_NUMBER(type)                                                                          \
    static_assert((int)CX_EVENT_##type == (int)CONTEXTD__V1__EVENT_TYPE__EVENT_TYPE_##type,        \
                  "the types have the numbers of the API")
#define SAME_NUMBER_OF_POINT(type)                                                                 \
    static_assert((int)CX_EVENT_POINT_##type ==                                                    \
                      (int)CONTEXTD__V1__EVENT_TYPE__EVENT_TYPE_RECOVERY_POINT_##type,             \
                  "the types have the numbers of the API")
SAME_NUMBER(CREATED);
SAME_NUMBER(UPDATED);
SAME_NUMBER(DELETED);
SAME_NUMBER(EXPIRED);
SAME_NUMBER(RESTORED);
SAME_NUMBER(FORKED);
SAME_NUMBER(MERGED);
SAME_NUMBER(ACTIVITY);
SAME_NUMBER(ACTIVATED);
SAME_NUMBER(DEACTIVATED);
SAME_NUMBER(SESSION_STARTED);
SAME_NUMBER(SESSION_ENDED);
SAME_NUMBER(SESSION_LOST);
SAME_NUMBER(HISTORY_TRIMMED);
SAME_NUMBER(SESSION_SWITCHED);
SAME_NUMBER_OF_POINT(CREATED);
SAME_NUMBER_OF_POINT(UPDATED);
SAME_NUMBER_OF_POINT(DELETED);

/* ---- Mutations. ------------------------------------------------------------- */

static ProtobufCBinaryData data_of(struct cx_bytes bytes, bool without_values)
{
    return without_values ? (ProtobufCBinaryData){0, NULL}
                          : (ProtobufCBinaryData){bytes.size, (uint8_t *)bytes.data};
}

static void set_put(struct cx_draft *draft, const struct cx_op *op, bool without_values,
                    Mutation *mutation)
{
    PutEntry *put = cx_draft_alloc(draft, sizeof *put);

    if (put != NULL) {
        *put = (PutEntry)CONTEXTD__V1__PUT_ENTRY__INIT;
        put->key = cx_draft_text(draft, op->key);
        put->value = data_of(op->value, without_values);
        put->content_type = cx_draft_text(draft, op->content_type);
    }
    mutation->put_entry = put;
    mutation->kind_case = CONTEXTD__V1__MUTATION__KIND_PUT_ENTRY;
}

static void set_splice(struct cx_draft *draft, const struct cx_op *op, bool without_values,
                       Mutation *mutation)
{
    SpliceEntry *splice = cx_draft_alloc(draft, sizeof *splice);

    if (splice != NULL) {
        *splice = (SpliceEntry)CONTEXTD__V1__SPLICE_ENTRY__INIT;
        splice->key = cx_draft_text(draft, op->key);
        splice->kept_size = op->kept;
        splice->value = data_of(op->value, without_values);
        splice->content_type = cx_draft_text(draft, op->content_type);
    }
    mutation->splice_entry = splice;
    mutation->kind_case = CONTEXTD__V1__MUTATION__KIND_SPLICE_ENTRY;
}

static void set_append(struct cx_draft *draft, const struct cx_op *op, bool without_values,
                       Mutation *mutation)
{
    AppendEntry *append = cx_draft_alloc(draft, sizeof *append);

    if (append != NULL) {
        *append = (AppendEntry)CONTEXTD__V1__APPEND_ENTRY__INIT;
        append->key = cx_draft_text(draft, op->key);
        append->value = data_of(op->value, without_values);
        append->content_type = cx_draft_text(draft, op->content_type);
    }
    mutation->append_entry = append;
    mutation->kind_case = CONTEXTD__V1__MUTATION__KIND_APPEND_ENTRY;
}

static void set_delete(struct cx_draft *draft, const struct cx_op *op, Mutation *mutation)
{
    DeleteEntry *delete = cx_draft_alloc(draft, sizeof *delete);

    if (delete != NULL) {
        *delete = (DeleteEntry)CONTEXTD__V1__DELETE_ENTRY__INIT;
        delete->key = cx_draft_text(draft, op->key);
    }
    mutation->delete_entry = delete;
    mutation->kind_case = CONTEXTD__V1__MUTATION__KIND_DELETE_ENTRY;
}

static void set_delete_prefix(struct cx_draft *draft, const struct cx_op *op, Mutation *mutation)
{
    DeleteEntries *delete = cx_draft_alloc(draft, sizeof *delete);

    if (delete != NULL) {
        *delete = (DeleteEntries)CONTEXTD__V1__DELETE_ENTRIES__INIT;
        delete->prefix = cx_draft_text(draft, op->key);
    }
    mutation->delete_entries = delete;
    mutation->kind_case = CONTEXTD__V1__MUTATION__KIND_DELETE_ENTRIES;
}

static void set_label(struct cx_draft *draft, const struct cx_op *op, Mutation *mutation)
{
    SetMetadata *set = cx_draft_alloc(draft, sizeof *set);

    if (set != NULL) {
        *set = (SetMetadata)CONTEXTD__V1__SET_METADATA__INIT;
        set->key = cx_draft_text(draft, op->key);
        set->value = cx_draft_text(draft, op->value);
    }
    mutation->set_metadata = set;
    mutation->kind_case = CONTEXTD__V1__MUTATION__KIND_SET_METADATA;
}

static void set_delete_label(struct cx_draft *draft, const struct cx_op *op, Mutation *mutation)
{
    DeleteMetadata *delete = cx_draft_alloc(draft, sizeof *delete);

    if (delete != NULL) {
        *delete = (DeleteMetadata)CONTEXTD__V1__DELETE_METADATA__INIT;
        delete->key = cx_draft_text(draft, op->key);
    }
    mutation->delete_metadata = delete;
    mutation->kind_case = CONTEXTD__V1__MUTATION__KIND_DELETE_METADATA;
}

static void set_expiry(struct cx_draft *draft, const struct cx_op *op, Mutation *mutation)
{
    SetExpiry *expiry = cx_draft_alloc(draft, sizeof *expiry);
    Duration *ttl = cx_draft_alloc(draft, sizeof *ttl);

    if (expiry != NULL && ttl != NULL) {
        *expiry = (SetExpiry)CONTEXTD__V1__SET_EXPIRY__INIT;
        expiry->ttl = cx_duration_message(ttl, (uint64_t)op->ttl_us);
        expiry->sliding = op->sliding;
    }
    mutation->set_expiry = expiry;
    mutation->kind_case = CONTEXTD__V1__MUTATION__KIND_SET_EXPIRY;
}

static void set_policy(struct cx_draft *draft, const struct cx_op *op, Mutation *mutation)
{
    SetRecoveryPolicy *set = cx_draft_alloc(draft, sizeof *set);
    struct cx_policy_parts *policy = cx_draft_alloc(draft, sizeof *policy);

    if (set != NULL && policy != NULL) {
        *set = (SetRecoveryPolicy)CONTEXTD__V1__SET_RECOVERY_POLICY__INIT;
        set->policy = cx_policy_message(policy, op->policy);
    }
    mutation->set_recovery_policy = set;
    mutation->kind_case = CONTEXTD__V1__MUTATION__KIND_SET_RECOVERY_POLICY;
}

static void set_activity(struct cx_draft *draft, const struct cx_event *event,
                         const struct cx_op *op, uint64_t sequence, bool without_values,
                         Mutation *mutation)
{
    const struct cx_activity_content *content = op->activity;
    const struct cx_activity_view view = {
        .sequence = sequence,
        .time_us = event->time_us,
        .session_id = event->item->session_id,
        .type = content->type,
        .content_type = content->content_type,
        .labels = content->labels,
        .label_count = content->label_count,
        .detail = content->detail,
    };
    ActivityMessage *activity = cx_activity_message(draft, &view);

    if (activity != NULL) {
        activity->data = data_of(content->data, without_values);
    }
    mutation->record_activity = activity;
    mutation->kind_case = CONTEXTD__V1__MUTATION__KIND_RECORD_ACTIVITY;
}

/* Sets a mutation; the next activity has *sequence. */
static void set_mutation(struct cx_draft *draft, const struct cx_event *event,
                         const struct cx_op *op, uint64_t *sequence, bool without_values,
                         Mutation *mutation)
{
    *mutation = (Mutation)CONTEXTD__V1__MUTATION__INIT;
    switch (op->kind) {
    case CX_MUTATION_PUT:
        if (op->kept > 0) {
            set_splice(draft, op, without_values, mutation);
        } else {
            set_put(draft, op, without_values, mutation);
        }
        break;
    case CX_MUTATION_APPEND:
        set_append(draft, op, without_values, mutation);
        break;
    case CX_MUTATION_DELETE:
        set_delete(draft, op, mutation);
        break;
    case CX_MUTATION_DELETE_PREFIX:
        set_delete_prefix(draft, op, mutation);
        break;
    case CX_MUTATION_SET_LABEL:
        set_label(draft, op, mutation);
        break;
    case CX_MUTATION_DELETE_LABEL:
        set_delete_label(draft, op, mutation);
        break;
    case CX_MUTATION_SET_EXPIRY:
        set_expiry(draft, op, mutation);
        break;
    case CX_MUTATION_RECORD:
        set_activity(draft, event, op, (*sequence)++, without_values, mutation);
        break;
    case CX_MUTATION_SET_POLICY:
        set_policy(draft, op, mutation);
        break;
    }
}

static void add_mutations(struct cx_draft *draft, const struct cx_event *event, bool without_values,
                          EventMessage *message)
{
    Mutation *mutations = cx_draft_alloc(draft, event->op_count * sizeof *mutations);
    Mutation **pointers = cx_draft_alloc(draft, event->op_count * sizeof(Mutation *));
    uint64_t sequence = event->first_sequence;

    if (mutations == NULL || pointers == NULL) {
        return;
    }
    for (size_t i = 0; i < event->op_count; i++) {
        set_mutation(draft, event, &event->ops[i], &sequence, without_values, &mutations[i]);
        pointers[i] = &mutations[i];
    }
    message->mutations = pointers;
    message->n_mutations = event->op_count;
}

/* ---- Contexts. -------------------------------------------------------------- */

static int64_t time_or(int64_t time_us, int64_t otherwise_us)
{
    return time_us != 0 ? time_us : otherwise_us;
}

static void add_context(struct cx_draft *draft, const struct cx_event *event, EventMessage *message)
{
    const struct cx_change_item *item = event->item;
    const struct cx_change_head *head = &item->head;
    const struct cx_snapshot context = {
        .namespace_id = event->namespace_id,
        .id = item->id,
        .type = item->type,
        .parent_id = head->parent_id,
        .labels = item->labels.items,
        .label_count = item->kind != CX_ITEM_PURGE ? item->labels.count : 0,
        .version = item->version,
        .revision = event->revision,
        .entry_count = head->entry_count,
        .size_bytes = head->size_bytes,
        .create_time_us = time_or(head->create_time_us, event->time_us),
        .update_time_us = time_or(head->update_time_us, event->time_us),
        .expire_time_us = head->expires_from_now && head->expire_us != 0
                              ? event->time_us + head->expire_us
                              : head->expire_us,
        .fence = head->fence,
        .policy = head->policy,
        .forked_from_id = head->forked_from_id,
        .forked_from_version = head->forked_from_version,
    };

    message->context = cx_context_message(&draft->memory, &context);
    draft->failed = draft->failed || message->context == NULL;
}

static void add_trimmed(struct cx_draft *draft, const struct cx_run_list *runs,
                        EventMessage *message)
{
    SequenceRange *ranges = cx_draft_alloc(draft, runs->count * sizeof *ranges);
    SequenceRange **pointers = cx_draft_alloc(draft, runs->count * sizeof(SequenceRange *));

    if (ranges == NULL || pointers == NULL) {
        return;
    }
    for (size_t i = 0; i < runs->count; i++) {
        ranges[i] = (SequenceRange)CONTEXTD__V1__SEQUENCE_RANGE__INIT;
        ranges[i].first = runs->items[i].first;
        ranges[i].last = runs->items[i].last;
        pointers[i] = &ranges[i];
    }
    message->trimmed = pointers;
    message->n_trimmed = runs->count;
}

static void add_activation(struct cx_draft *draft, const struct cx_event *event,
                           EventMessage *message)
{
    const struct cx_activation_step *step = event->activation;
    const struct cx_activation_view view = {
        .context_id = event->item->id,
        .fence = step->fence,
        .exclusive = step->fence != 0,
        .time_us = step->active ? event->time_us : 0,
    };

    message->activation = cx_activation_message(draft, &view);
    message->session_id = cx_draft_text(draft, step->session_id);
}

/* ---- Sessions. -------------------------------------------------------------- */

static void add_session(struct cx_draft *draft, const struct cx_event *event, EventMessage *message)
{
    const struct cx_session_change *change = event->session;
    const struct cx_session_start_request *start = &change->start;
    const struct cx_session_view view = {
        .namespace_id = event->namespace_id,
        .id = start->name.id,
        .owner = start->owner,
        .labels = start->labels,
        .label_count = start->label_count,
        .create_time_us = time_or(change->create_time_us, event->time_us),
        .expire_time_us = change->step == CX_SESSION_START ? event->time_us + start->ttl_us : 0,
        .current_context_id = change->step == CX_SESSION_START    ? start->default_context_id
                              : change->step == CX_SESSION_SWITCH ? change->current_id
                                                                  : (struct cx_bytes){0},
    };

    message->session = cx_session_message(draft, &view);
    message->session_id = message->session != NULL ? message->session->id : message->session_id;
}

/* ---- Events. ---------------------------------------------------------------- */

static char *cursor_behind(struct cx_draft *draft, const struct cx_event_coding *coding,
                           const struct cx_event *event)
{
    const struct cx_cursor cursor = {.position = cx_feed_behind(event)};
    char *text = cx_cursor_encode(&draft->memory, &coding->cursors, 0, &cursor);

    draft->failed = draft->failed || text == NULL;
    return text;
}

/* Of an event of a point; of a restore, where it came from. */
static struct cx_bytes point_id_of(const struct cx_event *event)
{
    if (event->point != NULL) {
        return event->point->id;
    }
    return event->type == CX_EVENT_RESTORED ? event->item->base_id : (struct cx_bytes){0};
}

static void make_message(struct cx_draft *draft, const struct cx_event_coding *coding,
                         const struct cx_event *event, bool without_values, EventMessage *message)
{
    *message = (EventMessage)CONTEXTD__V1__EVENT__INIT;
    message->type = (Contextd__V1__EventType)event->type;
    message->namespace_ = cx_draft_text(draft, event->namespace_id);
    message->cursor = cursor_behind(draft, coding, event);
    message->revision = event->revision;
    message->time = cx_draft_time(draft, event->time_us);
    message->more = event->more;
    message->reset = event->reset;
    if (event->session != NULL) {
        add_session(draft, event, message);
        return;
    }
    message->session_id = cx_draft_text(draft, event->item->session_id);
    message->recovery_point_id = cx_draft_text(draft, point_id_of(event));
    add_context(draft, event, message);
    if (event->activation != NULL) {
        add_activation(draft, event, message);
    } else if (event->type == CX_EVENT_HISTORY_TRIMMED) {
        add_trimmed(draft, &event->item->trimmed, message);
    } else if (event->op_count > 0) {
        add_mutations(draft, event, without_values, message);
    }
}

static enum cx_status encode(void *arg, const struct cx_event *event, bool without_values,
                             struct cx_buffer *buffer)
{
    const struct cx_event_coding *coding = arg;
    struct cx_arena arena = {0};
    struct cx_draft draft = {.memory = cx_allocator_of_arena(&arena)};
    enum cx_status status = CX_RESOURCE_EXHAUSTED;
    EventMessage message;
    size_t size = 0;

    make_message(&draft, coding, event, without_values, &message);
    if (!draft.failed) {
        size = protobuf_c_message_get_packed_size(&message.base);
        if (size + AROUND_SIZE > coding->message_size_max) {
            message.n_mutations = 0;
            message.reset = true;
            size = protobuf_c_message_get_packed_size(&message.base);
        }
        status = cx_buffer_reserve(buffer, size);
    }
    if (status == CX_OK) {
        protobuf_c_message_pack(&message.base, buffer->data + buffer->size);
        buffer->size += size;
    }
    cx_arena_done(&arena);
    return status;
}

struct cx_event_encoder cx_event_encoder_of(struct cx_event_coding *coding)
{
    return (struct cx_event_encoder){encode, coding};
}

void cx_event_coding_init(struct cx_event_coding *coding, const struct cx_engine *engine,
                          uint64_t message_size_max)
{
    coding->cursors = cx_cursor_scope(engine);
    coding->message_size_max = message_size_max;
}
