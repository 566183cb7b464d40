/* TruncateHistory. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_history.h"
#include "server/services/convert_response.h"
#include "server/services/tracker.h"

struct truncate_state {
    struct cx_answer answer;
    struct cx_truncate_request request;
    struct cx_write_outcome outcome;
};

static void reply(struct cx_call *call)
{
    const struct truncate_state *state = cx_call_state(call);
    TruncateHistoryResponse response = CONTEXTD__V1__TRUNCATE_HISTORY_RESPONSE__INIT;
    WriteResult write;

    cx_write_result_init(&write, &state->outcome);
    response.removed_count = state->outcome.count;
    response.write = &write;
    cx_call_reply(call, &response.base);
}

static void run_truncate(struct cx_call *call)
{
    struct truncate_state *state = cx_call_state(call);
    struct cx_error error;

    if (cx_engine_truncate_history(cx_answer_app(call)->engine, &state->request, &state->outcome,
                                   &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_tracker_truncate_history(struct cx_call *call, const ProtobufCMessage *message)
{
    struct truncate_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct truncate_state){.answer = {.reply = reply}};
    if (cx_convert_truncate(&conversion, (const TruncateHistoryRequest *)message,
                            &state->request) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    cx_call_offload(call, run_truncate);
}
