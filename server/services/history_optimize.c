/* OptimizeHistory. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_history.h"
#include "server/services/convert_response.h"
#include "server/services/tracker.h"

struct optimize_state {
    struct cx_answer answer;
    struct cx_optimize_request request;
    struct cx_write_outcome outcome;
    struct cx_optimize_result result;
};

static void reply(struct cx_call *call)
{
    const struct optimize_state *state = cx_call_state(call);
    OptimizeHistoryResponse response = CONTEXTD__V1__OPTIMIZE_HISTORY_RESPONSE__INIT;
    WriteResult write;

    cx_write_result_init(&write, &state->outcome);
    response.removed_count = state->result.removed_count;
    response.removed_bytes = state->result.removed_bytes;
    response.kept_count = state->result.kept_count;
    response.kept_bytes = state->result.kept_bytes;
    response.write = &write;
    cx_call_reply(call, &response.base);
}

static void run_optimize(struct cx_call *call)
{
    struct optimize_state *state = cx_call_state(call);
    struct cx_error error;

    if (cx_engine_optimize_history(cx_answer_app(call)->engine, &state->request, &state->outcome,
                                   &state->result, &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_tracker_optimize_history(struct cx_call *call, const ProtobufCMessage *message)
{
    struct optimize_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct optimize_state){.answer = {.reply = reply}};
    if (cx_convert_optimize(&conversion, (const OptimizeHistoryRequest *)message,
                            &state->request) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    cx_call_offload(call, run_optimize);
}
