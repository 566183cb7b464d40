/* UpdateContext. */

#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/convert_request.h"
#include "server/services/update_result.h"

struct update_state {
    struct cx_answer answer;
    const UpdateContextRequest *request;
    struct cx_write_outcome outcome;
};

static void reply(struct cx_call *call)
{
    const struct update_state *state = cx_call_state(call);
    UpdateContextResponse response;
    WriteResult write;

    cx_update_response_init(&response, &write, state->outcome.version, state->outcome.revision,
                            state->outcome.replayed);
    cx_call_reply(call, &response.base);
}

static void update(struct cx_call *call)
{
    struct update_state *state = cx_call_state(call);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_update_request request;

    if (cx_convert_update(&conversion, NULL, state->request, &request) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    if (cx_engine_update(cx_answer_app(call)->engine, &request, &state->outcome, &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_context_update(struct cx_call *call, const ProtobufCMessage *message)
{
    const UpdateContextRequest *request = (const UpdateContextRequest *)message;
    struct update_state *state = cx_call_alloc(call, sizeof *state);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct update_state){.answer = {.reply = reply}, .request = request};
    cx_call_set_state(call, state);
    if (request->n_mutations > CX_OFFLOAD_ITEMS) {
        cx_call_offload(call, update);
    } else {
        update(call);
    }
}
