/* RenewSession. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_session.h"
#include "server/services/convert_time.h"
#include "server/services/tracker.h"

struct renew_state {
    struct cx_answer answer;
    int64_t expire_time_us;
};

static void reply(struct cx_call *call)
{
    const struct renew_state *state = cx_call_state(call);
    RenewSessionResponse response = CONTEXTD__V1__RENEW_SESSION_RESPONSE__INIT;
    Timestamp time;

    response.expire_time = cx_time_message(&time, state->expire_time_us);
    cx_call_reply(call, &response.base);
}

void cx_tracker_renew_session(struct cx_call *call, const ProtobufCMessage *message)
{
    const RenewSessionRequest *request = (const RenewSessionRequest *)message;
    struct renew_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_session_name name;
    uint64_t wait_for;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct renew_state){.answer = {.reply = reply}};
    if (cx_convert_session_name(&conversion, request->namespace_, request->session_id, &name) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_renew_session(cx_answer_app(call)->engine, &name, &state->expire_time_us,
                                &wait_for, &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}
