/* DeactivateContext. */

#include "server/services/convert_session.h"
#include "server/services/session_answer.h"
#include "server/services/tracker.h"

static void reply(struct cx_call *call)
{
    DeactivateContextResponse response = CONTEXTD__V1__DEACTIVATE_CONTEXT_RESPONSE__INIT;
    WriteResult write;

    if (cx_session_answer_fill(call, &response.session, &write)) {
        response.write = &write;
        cx_call_reply(call, &response.base);
    }
}

void cx_tracker_deactivate_context(struct cx_call *call, const ProtobufCMessage *message)
{
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_activation_request request;
    struct cx_session_answer *state;

    if (cx_convert_deactivate(&conversion, (const DeactivateContextRequest *)message, &request) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    state = cx_session_answer_begin(call, reply);
    if (state != NULL) {
        cx_session_answer_end(call,
                              cx_engine_deactivate(cx_answer_app(call)->engine, &request,
                                                   &state->outcome, &state->session, &error),
                              &error);
    }
}
