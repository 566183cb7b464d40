/* SyncContext: what a client that has one version needs to have the newest, message by
 * message, as fast as the client reads.
 *
 * The context itself is on the last message: that of the last entries, where it fits, or
 * one of its own. */

#include <string.h>

#include "core/base/limits.h"
#include "core/engine/recovery.h"
#include "server/services/convert_recovery.h"
#include "server/services/convert_response.h"
#include "server/services/diff_stream.h"
#include "server/services/recovery.h"

/* Room for the fields before the entries, and tags and sizes around one. */
enum { HEAD_SIZE_MAX = 48 };

/* The client has the values before. */
static const struct cx_diff_view view = {.rule = CX_DIFFERS_WHEN_SET, .after_values = true};

struct sync_state {
    struct cx_diff_stream stream; /* `before` is zeroed where it begins from nothing. */
    bool full;
    bool told;         /* The context went out: nothing follows. */
    uint64_t size_max; /* Of all but the head of a message. */
};

/* Adds the context where the entries are all told, and there is room beside these, which
 * take `size` bytes. */
static void add_context(struct cx_draft *draft, struct sync_state *state, uint64_t size,
                        SyncContextResponse *response)
{
    Context *context;

    if (!state->stream.part.ended) {
        return;
    }
    context = cx_context_message(&draft->memory, &state->stream.after);
    if (context == NULL) {
        draft->failed = true;
        return;
    }
    size += cx_message_field_size(protobuf_c_message_get_packed_size(&context->base));
    if (size <= state->size_max || response->n_entries == 0) {
        response->context = context;
        state->told = true;
    }
}

static void send_next(struct cx_call *call)
{
    struct sync_state *state = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_arena(&state->stream.arena)};
    SyncContextResponse response = CONTEXTD__V1__SYNC_CONTEXT_RESPONSE__INIT;
    uint64_t room =
        state->size_max < CX_STREAM_MESSAGE_SIZE ? state->size_max : CX_STREAM_MESSAGE_SIZE;
    uint64_t size = 0;

    if (!state->stream.part.ended) {
        response.entries =
            cx_diff_part_make(&draft, &state->stream.part, room, true, &response.n_entries, &size);
    }
    if (!draft.failed) {
        add_context(&draft, state, size, &response);
    }
    if (draft.failed) {
        cx_diff_stream_out_of_memory(call);
        return;
    }
    response.from_version = state->stream.before.version;
    response.to_version = state->stream.after.version;
    response.full = state->full;
    cx_diff_stream_send(call, &response.base);
}

void cx_recovery_sync_context_sent(struct cx_call *call)
{
    const struct sync_state *state = cx_call_state(call);

    if (state->told) {
        cx_diff_stream_end(call);
    } else {
        cx_diff_stream_go_on(call);
    }
}

/* ---- The request. ----------------------------------------------------------- */

static void begin(struct cx_call *call)
{
    struct sync_state *state = cx_call_state(call);

    state->size_max = cx_call_message_size_max(call) - HEAD_SIZE_MAX;
    cx_diff_stream_begin(call, &view, state->size_max);
}

void cx_recovery_sync_context(struct cx_call *call, const ProtobufCMessage *message)
{
    const SyncContextRequest *request = (const SyncContextRequest *)message;
    struct sync_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_context_name name;
    uint64_t wait_for;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct sync_state){
        .stream = {.answer = {begin, cx_diff_stream_release}, .send_next = send_next},
    };
    if (cx_convert_sync(&conversion, request, &name) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_sync(cx_answer_app(call)->engine, &name, request->have_version,
                       &state->stream.before, &state->stream.after, &state->full, &wait_for,
                       &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}
