/* MergeContext. */

#include "core/base/limits.h"
#include "core/engine/recovery.h"
#include "server/services/answer.h"
#include "server/services/convert_recovery.h"
#include "server/services/convert_response.h"
#include "server/services/draft.h"
#include "server/services/entry_block.h"
#include "server/services/recovery.h"

/* Room for all but the conflicts. */
enum { HEAD_SIZE_MAX = 256 };

struct merge_state {
    struct cx_answer answer;
    struct cx_merge_request request;
    struct cx_write_outcome outcome;
    struct cx_merge_result result;
    char safety_id[CX_POINT_ID_ROOM];
};

static void release(struct cx_call *call)
{
    struct merge_state *state = cx_call_state(call);

    cx_merge_result_done(&state->result);
}

/* ---- Conflicts. ------------------------------------------------------------- */

/* One side of a conflict; NULL where there was nothing. */
static Entry *side_message(struct cx_draft *draft, const struct cx_merge_conflict *conflict,
                           bool with_value, bool is_there, const struct cx_entry_view *entry,
                           struct cx_bytes label)
{
    struct cx_entry_measure size = {0};
    struct cx_entry_block block;
    Entry *message;

    if (!is_there) {
        return NULL;
    }
    if (!conflict->in_labels) {
        cx_entry_measure_add(&size, entry, with_value);
        if (!cx_entry_block_init(&block, &draft->memory, &size, with_value)) {
            draft->failed = true;
            return NULL;
        }
        cx_entry_block_add(&block, entry);
        return block.messages[0];
    }
    message = cx_draft_alloc(draft, sizeof *message);
    if (message != NULL) {
        *message = (Entry)CONTEXTD__V1__ENTRY__INIT;
        message->key = cx_draft_text(draft, conflict->key);
        message->value = (ProtobufCBinaryData){label.size, (uint8_t *)label.data};
    }
    return message;
}

/* What the values of a conflict weigh: with little beside them, all that it is packed into. */
static uint64_t conflict_weight(const struct cx_merge_conflict *conflict)
{
    uint64_t weight = 0;

    if (conflict->in_labels) {
        return conflict->ancestor_label.size + conflict->target_label.size +
               conflict->source_label.size;
    }
    weight += conflict->has_ancestor ? conflict->ancestor.value_size : 0;
    weight += conflict->has_target ? conflict->target.value_size : 0;
    weight += conflict->has_source ? conflict->source.value_size : 0;
    return weight;
}

static MergeConflict *conflict_message(struct cx_draft *draft,
                                       const struct cx_merge_conflict *conflict, bool with_values)
{
    MergeConflict *message = cx_draft_alloc(draft, sizeof *message);

    if (message == NULL) {
        return NULL;
    }
    *message = (MergeConflict)CONTEXTD__V1__MERGE_CONFLICT__INIT;
    message->key = cx_draft_text(draft, conflict->key);
    message->in_metadata = conflict->in_labels;
    message->ancestor = side_message(draft, conflict, with_values, conflict->has_ancestor,
                                     &conflict->ancestor, conflict->ancestor_label);
    message->target = side_message(draft, conflict, with_values, conflict->has_target,
                                   &conflict->target, conflict->target_label);
    message->source = side_message(draft, conflict, with_values, conflict->has_source,
                                   &conflict->source, conflict->source_label);
    return draft->failed ? NULL : message;
}

static uint64_t conflict_size(const MergeConflict *message)
{
    return cx_message_field_size(protobuf_c_message_get_packed_size(&message->base));
}

/* The message of a conflict, and what it takes, unless that is more than `room`: then NULL, without
 * a copy of large values. One that does not fit into `room_max`, all that a message has, comes
 * without its values, and then fits. */
static MergeConflict *fit_conflict(struct cx_draft *draft, const struct cx_merge_conflict *conflict,
                                   uint64_t room, uint64_t room_max, uint64_t *ret_size)
{
    uint64_t weight = conflict_weight(conflict);
    MergeConflict *message;

    if (weight > room && weight <= room_max) {
        return NULL;
    }
    message = conflict_message(draft, conflict, weight <= room_max);
    if (message != NULL && conflict_size(message) > room_max) {
        message = conflict_message(draft, conflict, false);
    }
    if (message == NULL || conflict_size(message) > room) {
        return NULL;
    }
    *ret_size = conflict_size(message);
    return message;
}

/* Tells conflicts until there are no more, or the message is full. */
static void add_conflicts(struct cx_draft *draft, const struct cx_merge_result *result,
                          uint64_t room_max, MergeContextResponse *response)
{
    MergeConflict **conflicts = cx_draft_alloc(draft, result->told_count * sizeof(MergeConflict *));
    uint64_t room = room_max;
    size_t count = 0;

    for (; count < result->told_count && !draft->failed; count++) {
        uint64_t size;

        conflicts[count] = fit_conflict(draft, &result->conflicts[count], room, room_max, &size);
        if (conflicts[count] == NULL) {
            break;
        }
        room -= size;
    }
    response->conflicts = conflicts;
    response->n_conflicts = draft->failed ? 0 : count;
}

/* ---- The answer. ------------------------------------------------------------ */

static void send_result(struct cx_call *call)
{
    const struct merge_state *state = cx_call_state(call);
    struct cx_merge_result result = state->result; /* Outlives the call. */
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    MergeContextResponse response = CONTEXTD__V1__MERGE_CONTEXT_RESPONSE__INIT;
    WriteResult write;

    add_conflicts(&draft, &result, cx_call_message_size_max(call) - HEAD_SIZE_MAX, &response);
    if (draft.failed) {
        cx_answer_out_of_memory(call);
    } else {
        cx_write_result_init(&write, &state->outcome);
        response.applied = result.applied;
        response.version = state->outcome.version;
        response.changed_entry_count = result.changed_count;
        response.conflict_count = result.conflict_count;
        response.safety_point_id = (char *)state->safety_id;
        response.write = &write;
        cx_call_reply(call, &response.base);
    }
    cx_merge_result_done(&result);
}

static void reply(struct cx_call *call)
{
    const struct merge_state *state = cx_call_state(call);

    if (state->result.told_count > 0) {
        cx_call_offload(call, send_result);
    } else {
        send_result(call);
    }
}

/* ---- The request. ----------------------------------------------------------- */

static void merge(struct cx_call *call)
{
    struct merge_state *state = cx_call_state(call);
    struct cx_error error;

    if (cx_engine_merge(cx_answer_app(call)->engine, &state->request, &state->outcome,
                        &state->result, state->safety_id, &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_recovery_merge_context(struct cx_call *call, const ProtobufCMessage *message)
{
    struct merge_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct merge_state){.answer = {.reply = reply, .release = release}};
    if (cx_convert_merge(&conversion, (const MergeContextRequest *)message, &state->request) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    cx_call_offload(call, merge); /* It compares three states. */
}
