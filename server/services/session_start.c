/* StartSession. */

#include "server/services/convert_session.h"
#include "server/services/session_answer.h"
#include "server/services/tracker.h"

static void reply(struct cx_call *call)
{
    StartSessionResponse response = CONTEXTD__V1__START_SESSION_RESPONSE__INIT;
    WriteResult write;

    if (cx_session_answer_fill(call, &response.session, &write)) {
        response.write = &write;
        cx_call_reply(call, &response.base);
    }
}

void cx_tracker_start_session(struct cx_call *call, const ProtobufCMessage *message)
{
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_session_start_request request;
    struct cx_session_answer *state;

    if (cx_convert_session_start(&conversion, (const StartSessionRequest *)message, &request) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    state = cx_session_answer_begin(call, reply);
    if (state != NULL) {
        cx_session_answer_end(call,
                              cx_engine_start_session(cx_answer_app(call)->engine, &request,
                                                      &state->outcome, &state->session, &error),
                              &error);
    }
}
