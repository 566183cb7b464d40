/* DeleteContext. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/convert_request.h"
#include "server/services/convert_response.h"

struct delete_state {
    struct cx_answer answer;
    struct cx_delete_request request;
    struct cx_write_outcome outcome;
};

static void reply(struct cx_call *call)
{
    const struct delete_state *state = cx_call_state(call);
    DeleteContextResponse response = CONTEXTD__V1__DELETE_CONTEXT_RESPONSE__INIT;
    WriteResult write;

    cx_write_result_init(&write, &state->outcome);
    response.deleted_count = state->outcome.count;
    response.write = &write;
    cx_call_reply(call, &response.base);
}

static void run_delete(struct cx_call *call)
{
    struct delete_state *state = cx_call_state(call);
    struct cx_error error;

    if (cx_engine_delete(cx_answer_app(call)->engine, &state->request, &state->outcome, &error) !=
        CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_context_delete(struct cx_call *call, const ProtobufCMessage *message)
{
    const DeleteContextRequest *request = (const DeleteContextRequest *)message;
    struct delete_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct delete_state){.answer = {.reply = reply}};
    if (cx_convert_delete(&conversion, request, &state->request) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (request->recursive) {
        cx_call_offload(call, run_delete);
    } else {
        run_delete(call);
    }
}
