/* GetContext. */

#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/convert_request.h"
#include "server/services/convert_response.h"

struct get_state {
    struct cx_answer answer;
    struct cx_get_query query;
    struct cx_snapshot snapshot;
};

static void release(struct cx_call *call)
{
    struct get_state *state = cx_call_state(call);

    cx_snapshot_done(&state->snapshot);
}

static void send_context(struct cx_call *call)
{
    const struct get_state *state = cx_call_state(call);
    const struct cx_allocator allocator = cx_allocator_of_call(call);
    struct cx_snapshot snapshot = state->snapshot; /* Outlives the call. */
    GetContextResponse response = CONTEXTD__V1__GET_CONTEXT_RESPONSE__INIT;
    struct cx_error error;
    uint64_t size;

    if (cx_context_message_full(&allocator, &snapshot, &state->query,
                                cx_call_message_size_max(call), &response.context, &size,
                                &error) != CX_OK) {
        cx_call_fail(call, &error);
    } else {
        cx_call_reply(call, &response.base);
    }
    cx_snapshot_done(&snapshot);
}

static void reply(struct cx_call *call)
{
    struct get_state *state = cx_call_state(call);
    GetContextResponse response = CONTEXTD__V1__GET_CONTEXT_RESPONSE__INIT;

    if (state->snapshot.version <= state->query.if_newer_than) {
        cx_snapshot_done(&state->snapshot);
        response.unchanged = true;
        cx_call_reply(call, &response.base);
    } else if (cx_context_cost(&state->snapshot, &state->query) > CX_OFFLOAD_ITEMS) {
        cx_call_offload(call, send_context);
    } else {
        send_context(call);
    }
}

void cx_context_get(struct cx_call *call, const ProtobufCMessage *message)
{
    const GetContextRequest *request = (const GetContextRequest *)message;
    struct get_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    uint64_t wait_for;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    state->answer = (struct cx_answer){.reply = reply, .release = release};
    if (cx_convert_get(&conversion, NULL, request, &state->query) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_get(cx_answer_app(call)->engine, &state->query.name, &state->query.at,
                      &state->snapshot, &wait_for, &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}
