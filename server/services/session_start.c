/* StartSession. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_response.h"
#include "server/services/convert_session.h"
#include "server/services/convert_tracking.h"
#include "server/services/tracker.h"

struct start_state {
    struct cx_answer answer;
    struct cx_write_outcome outcome;
    struct cx_session_view *session;
};

static void release(struct cx_call *call)
{
    const struct start_state *state = cx_call_state(call);

    cx_session_view_free(state->session);
}

static void reply(struct cx_call *call)
{
    const struct start_state *state = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    StartSessionResponse response = CONTEXTD__V1__START_SESSION_RESPONSE__INIT;
    WriteResult write;

    cx_write_result_init(&write, &state->outcome);
    response.session = cx_session_message(&draft, state->session);
    response.write = &write;
    cx_session_view_free(state->session); /* The message holds copies. */
    if (draft.failed) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_call_reply(call, &response.base);
}

void cx_tracker_start_session(struct cx_call *call, const ProtobufCMessage *message)
{
    struct start_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_session_start_request request;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct start_state){.answer = {.reply = reply, .release = release}};
    if (cx_convert_session_start(&conversion, (const StartSessionRequest *)message, &request) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_start_session(cx_answer_app(call)->engine, &request, &state->outcome,
                                &state->session, &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}
