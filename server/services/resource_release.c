/* ReleaseResource. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_response.h"
#include "server/services/convert_session.h"
#include "server/services/tracker.h"

struct release_state {
    struct cx_answer answer;
    struct cx_resource_request request;
    struct cx_write_outcome outcome;
};

static void reply(struct cx_call *call)
{
    const struct release_state *state = cx_call_state(call);
    ReleaseResourceResponse response = CONTEXTD__V1__RELEASE_RESOURCE_RESPONSE__INIT;
    WriteResult write;

    cx_write_result_init(&write, &state->outcome);
    response.write = &write;
    cx_call_reply(call, &response.base);
}

static void run_release(struct cx_call *call)
{
    struct release_state *state = cx_call_state(call);
    struct cx_error error;

    if (cx_engine_release_resource(cx_answer_app(call)->engine, &state->request, &state->outcome,
                                   &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_tracker_release_resource(struct cx_call *call, const ProtobufCMessage *message)
{
    struct release_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct release_state){.answer = {.reply = reply}};
    if (cx_convert_release(&conversion, (const ReleaseResourceRequest *)message, &state->request) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    run_release(call);
}
