/* PruneRecoveryPoints. */

#include "core/engine/recovery.h"
#include "server/services/answer.h"
#include "server/services/convert_point.h"
#include "server/services/convert_response.h"
#include "server/services/recovery.h"

struct prune_state {
    struct cx_answer answer;
    struct cx_prune_request request;
    struct cx_write_outcome outcome;
    uint64_t removed_count;
    uint64_t kept_count;
};

static void reply(struct cx_call *call)
{
    const struct prune_state *state = cx_call_state(call);
    PruneRecoveryPointsResponse response = CONTEXTD__V1__PRUNE_RECOVERY_POINTS_RESPONSE__INIT;
    WriteResult write;

    cx_write_result_init(&write, &state->outcome);
    response.removed_count = state->removed_count;
    response.kept_count = state->kept_count;
    response.write = &write;
    cx_call_reply(call, &response.base);
}

static void prune(struct cx_call *call)
{
    struct prune_state *state = cx_call_state(call);
    struct cx_error error;

    if (cx_engine_prune_points(cx_answer_app(call)->engine, &state->request, &state->outcome,
                               &state->removed_count, &state->kept_count, &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_recovery_prune_points(struct cx_call *call, const ProtobufCMessage *message)
{
    struct prune_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct prune_state){.answer = {.reply = reply}};
    if (cx_convert_point_prune(&conversion, (const PruneRecoveryPointsRequest *)message,
                               &state->request) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    cx_call_offload(call, prune);
}
