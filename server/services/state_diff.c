/* DiffStates: two states compared, message by message, as fast as the client reads.
 *
 * Labels come first, then entries. */

#include <string.h>

#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/convert_recovery.h"
#include "server/services/convert_response.h"
#include "server/services/diff_stream.h"
#include "server/services/recovery.h"

/* Tags and sizes around a difference. */
enum { AROUND_SIZE = 16 };

struct diff_state {
    struct cx_diff_stream stream;
    struct cx_diff_query query;
    struct cx_diff_view view;
    size_t before_label; /* The next labels of both to be compared. */
    size_t after_label;
    uint64_t message_size; /* What a message is filled up to. */
};

/* ---- Labels. ---------------------------------------------------------------- */

/* Moves past the next label that differs; NULL for the state that has none. False at the
 * end. */
static bool next_label(struct diff_state *state, const struct cx_label **ret_before,
                       const struct cx_label **ret_after)
{
    while (state->before_label < state->stream.before.label_count ||
           state->after_label < state->stream.after.label_count) {
        const struct cx_label *before = NULL;
        const struct cx_label *after = NULL;
        int order = -1;

        if (state->before_label < state->stream.before.label_count) {
            before = &state->stream.before.labels[state->before_label];
        }
        if (state->after_label < state->stream.after.label_count) {
            after = &state->stream.after.labels[state->after_label];
            order = before != NULL ? cx_bytes_compare(before->key, after->key) : 1;
        }
        *ret_before = order <= 0 ? before : NULL;
        *ret_after = order >= 0 ? after : NULL;
        state->before_label += order <= 0;
        state->after_label += order >= 0;
        if (order != 0 || !cx_bytes_equal(before->value, after->value)) {
            return true;
        }
    }
    return false;
}

static MetadataDiffLabel *label_message(struct cx_draft *draft, const struct cx_label *label)
{
    MetadataDiffLabel *message;

    if (label == NULL) {
        return NULL;
    }
    message = cx_draft_alloc(draft, sizeof *message);
    if (message != NULL) {
        *message = (MetadataDiffLabel)CONTEXTD__V1__METADATA_DIFF__LABEL__INIT;
        message->value = cx_draft_text(draft, label->value);
    }
    return message;
}

static MetadataDiff *metadata_message(struct cx_draft *draft, const struct cx_label *before,
                                      const struct cx_label *after)
{
    MetadataDiff *message = cx_draft_alloc(draft, sizeof *message);

    if (message != NULL) {
        *message = (MetadataDiff)CONTEXTD__V1__METADATA_DIFF__INIT;
        message->key = cx_draft_text(draft, before != NULL ? before->key : after->key);
        message->before = label_message(draft, before);
        message->after = label_message(draft, after);
    }
    return message;
}

/* Adds labels until there are no more, or the message is full. Returns the room that is
 * left, 0 when there are more. */
static uint64_t add_labels(struct cx_draft *draft, struct diff_state *state,
                           DiffStatesResponse *response)
{
    MetadataDiff **messages = cx_draft_alloc(draft, 2 * CX_LABELS_MAX * sizeof(MetadataDiff *));
    uint64_t room = state->message_size;

    response->metadata = messages;
    while (!draft->failed) {
        size_t before_label = state->before_label;
        size_t after_label = state->after_label;
        const struct cx_label *before;
        const struct cx_label *after;
        MetadataDiff *message;
        uint64_t size;

        if (!next_label(state, &before, &after)) {
            return room;
        }
        message = metadata_message(draft, before, after);
        if (draft->failed) {
            break;
        }
        size = cx_message_field_size(protobuf_c_message_get_packed_size(&message->base));
        if (size > room && response->n_metadata > 0) {
            state->before_label = before_label;
            state->after_label = after_label;
            break;
        }
        messages[response->n_metadata++] = message;
        room -= size < room ? size : room;
    }
    return 0;
}

/* ---- Messages. -------------------------------------------------------------- */

static void send_next(struct cx_call *call)
{
    struct diff_state *state = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_arena(&state->stream.arena)};
    DiffStatesResponse response = CONTEXTD__V1__DIFF_STATES_RESPONSE__INIT;
    uint64_t room = add_labels(&draft, state, &response);
    uint64_t size;

    while (room > 0 && !draft.failed && !state->stream.part.ended && response.n_entries == 0) {
        if (cx_call_abandoned(call)) {
            return; /* `left` follows. */
        }
        response.entries = cx_diff_part_make(&draft, &state->stream.part, room,
                                             response.n_metadata == 0, &response.n_entries, &size);
        if (response.n_metadata > 0) {
            break; /* They are worth a message, whether or not there was room. */
        }
    }
    if (draft.failed) {
        cx_diff_stream_out_of_memory(call);
    } else if (response.n_entries == 0 && response.n_metadata == 0) {
        cx_diff_stream_end(call);
    } else {
        cx_diff_stream_send(call, &response.base);
    }
}

void cx_recovery_diff_states_sent(struct cx_call *call)
{
    const struct diff_state *state = cx_call_state(call);

    if (state->stream.part.ended) {
        cx_diff_stream_end(call);
    } else {
        cx_diff_stream_go_on(call);
    }
}

/* ---- The request. ----------------------------------------------------------- */

static void begin(struct cx_call *call)
{
    struct diff_state *state = cx_call_state(call);
    uint64_t size_max = cx_call_message_size_max(call) - AROUND_SIZE;

    state->message_size = size_max < CX_STREAM_MESSAGE_SIZE ? size_max : CX_STREAM_MESSAGE_SIZE;
    state->view = (struct cx_diff_view){
        .rule = CX_DIFFERS_IN_VALUE,
        .key_prefix = state->query.key_prefix,
        .before_values = !state->query.without_values,
        .after_values = !state->query.without_values,
    };
    cx_diff_stream_begin(call, &state->view, size_max);
}

/* Takes both states. */
static enum cx_status take(struct cx_call *call, struct diff_state *state, uint64_t *ret_wait_for,
                           struct cx_error *error)
{
    struct cx_engine *engine = cx_answer_app(call)->engine;
    const struct cx_diff_query *query = &state->query;
    uint64_t wait_for;
    enum cx_status status = cx_engine_get(engine, &query->before, &query->before_at,
                                          &state->stream.before, ret_wait_for, error);

    if (status != CX_OK) {
        return status;
    }
    status = cx_engine_get(engine, &query->after, &query->after_at, &state->stream.after, &wait_for,
                           error);
    *ret_wait_for = wait_for > *ret_wait_for ? wait_for : *ret_wait_for;
    return status;
}

void cx_recovery_diff_states(struct cx_call *call, const ProtobufCMessage *message)
{
    struct diff_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    uint64_t wait_for;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct diff_state){
        .stream = {.answer = {begin, cx_diff_stream_release}, .send_next = send_next},
    };
    if (cx_convert_diff(&conversion, (const DiffStatesRequest *)message, &state->query) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (take(call, state, &wait_for, &error) != CX_OK) {
        cx_diff_stream_release(call);
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}
