/* ForkContext. */

#include "core/engine/recovery.h"
#include "server/services/answer.h"
#include "server/services/convert_recovery.h"
#include "server/services/convert_response.h"
#include "server/services/recovery.h"

struct fork_state {
    struct cx_answer answer;
    struct cx_fork_request request;
    struct cx_write_outcome outcome;
    struct cx_snapshot snapshot;
};

static void release(struct cx_call *call)
{
    struct fork_state *state = cx_call_state(call);

    cx_snapshot_done(&state->snapshot);
}

static void reply(struct cx_call *call)
{
    const struct fork_state *state = cx_call_state(call);
    const struct cx_allocator allocator = cx_allocator_of_call(call);
    ForkContextResponse response = CONTEXTD__V1__FORK_CONTEXT_RESPONSE__INIT;
    bool is_live = cx_snapshot_shows_live(&state->snapshot); /* Of a late repeat not always. */
    WriteResult write;

    if (is_live) {
        response.context =
            cx_context_written_message(&allocator, &state->snapshot, &state->outcome);
    }
    release(call); /* The message holds copies. */
    if (is_live && response.context == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_write_result_init(&write, &state->outcome);
    response.write = &write;
    cx_call_reply(call, &response.base);
}

static void fork_context(struct cx_call *call)
{
    struct fork_state *state = cx_call_state(call);
    struct cx_error error;

    if (cx_engine_fork(cx_answer_app(call)->engine, &state->request, &state->outcome,
                       &state->snapshot, &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_recovery_fork_context(struct cx_call *call, const ProtobufCMessage *message)
{
    struct fork_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct fork_state){.answer = {.reply = reply, .release = release}};
    if (cx_convert_fork(&conversion, (const ForkContextRequest *)message, &state->request) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (state->request.with_points) {
        cx_call_offload(call, fork_context);
    } else {
        fork_context(call);
    }
}
