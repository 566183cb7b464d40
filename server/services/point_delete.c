/* DeleteRecoveryPoint. */

#include "core/engine/recovery.h"
#include "server/services/answer.h"
#include "server/services/convert_point.h"
#include "server/services/convert_response.h"
#include "server/services/recovery.h"

struct delete_state {
    struct cx_answer answer;
    struct cx_write_outcome outcome;
};

static void reply(struct cx_call *call)
{
    const struct delete_state *state = cx_call_state(call);
    DeleteRecoveryPointResponse response = CONTEXTD__V1__DELETE_RECOVERY_POINT_RESPONSE__INIT;
    WriteResult write;

    cx_write_result_init(&write, &state->outcome);
    response.write = &write;
    cx_call_reply(call, &response.base);
}

void cx_recovery_delete_point(struct cx_call *call, const ProtobufCMessage *message)
{
    struct delete_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_delete_point_request request;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct delete_state){.answer = {.reply = reply}};
    if (cx_convert_point_delete(&conversion, NULL, (const DeleteRecoveryPointRequest *)message,
                                &request) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_delete_point(cx_answer_app(call)->engine, &request, &state->outcome, &error) !=
        CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}
