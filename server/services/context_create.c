/* CreateContext. */

#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/convert_request.h"
#include "server/services/convert_response.h"

struct create_state {
    struct cx_answer answer;
    const CreateContextRequest *request;
    struct cx_write_outcome outcome;
    struct cx_snapshot snapshot;
};

static void release(struct cx_call *call)
{
    struct create_state *state = cx_call_state(call);

    cx_snapshot_done(&state->snapshot);
}

static void reply(struct cx_call *call)
{
    struct create_state *state = cx_call_state(call);
    const struct cx_allocator allocator = cx_allocator_of_call(call);
    CreateContextResponse response = CONTEXTD__V1__CREATE_CONTEXT_RESPONSE__INIT;
    WriteResult write;
    Context *context = cx_context_written_message(&allocator, &state->snapshot, &state->outcome);

    cx_snapshot_done(&state->snapshot); /* The message holds copies. */
    if (context == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_write_result_init(&write, &state->outcome);
    response.context = context;
    response.write = &write;
    cx_call_reply(call, &response.base);
}

static void create(struct cx_call *call)
{
    struct create_state *state = cx_call_state(call);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_create_request request;

    if (cx_convert_create(&conversion, state->request, &request) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    if (cx_engine_create(cx_answer_app(call)->engine, &request, &state->outcome, &state->snapshot,
                         &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_context_create(struct cx_call *call, const ProtobufCMessage *message)
{
    const CreateContextRequest *request = (const CreateContextRequest *)message;
    struct create_state *state = cx_call_alloc(call, sizeof *state);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct create_state){
        .answer = {.reply = reply, .release = release},
        .request = request,
    };
    cx_call_set_state(call, state);
    if (request->n_mutations > CX_OFFLOAD_ITEMS) {
        cx_call_offload(call, create);
    } else {
        create(call);
    }
}
