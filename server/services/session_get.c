/* GetSession. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_session.h"
#include "server/services/convert_tracking.h"
#include "server/services/tracker.h"

struct get_state {
    struct cx_answer answer;
    struct cx_session_view *session;
};

static void release(struct cx_call *call)
{
    const struct get_state *state = cx_call_state(call);

    cx_session_view_free(state->session);
}

static void reply(struct cx_call *call)
{
    const struct get_state *state = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    GetSessionResponse response = CONTEXTD__V1__GET_SESSION_RESPONSE__INIT;

    response.session = cx_session_message(&draft, state->session);
    cx_session_view_free(state->session); /* The message holds copies. */
    if (draft.failed) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_call_reply(call, &response.base);
}

void cx_tracker_get_session(struct cx_call *call, const ProtobufCMessage *message)
{
    const GetSessionRequest *request = (const GetSessionRequest *)message;
    struct get_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_session_name name;
    uint64_t wait_for;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct get_state){.answer = {.reply = reply, .release = release}};
    if (cx_convert_session_name(&conversion, request->namespace_, request->session_id, &name) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_get_session(cx_answer_app(call)->engine, &name, &state->session, &wait_for,
                              &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}
