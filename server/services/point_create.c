/* CreateRecoveryPoint. */

#include "core/base/limits.h"
#include "core/engine/recovery.h"
#include "server/services/answer.h"
#include "server/services/convert_point.h"
#include "server/services/convert_response.h"
#include "server/services/point_message.h"
#include "server/services/recovery.h"

struct create_state {
    struct cx_answer answer;
    const CreateRecoveryPointRequest *request;
    struct cx_write_outcome outcome;
    struct cx_point_view point;
};

static void release(struct cx_call *call)
{
    struct create_state *state = cx_call_state(call);

    cx_point_view_done(&state->point);
}

static void reply(struct cx_call *call)
{
    const struct create_state *state = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    CreateRecoveryPointResponse response = CONTEXTD__V1__CREATE_RECOVERY_POINT_RESPONSE__INIT;
    WriteResult write;

    if (cx_point_is_there(&state->point)) {
        response.recovery_point = cx_point_message(&draft, &state->point);
    }
    release(call); /* The message holds copies. */
    if (draft.failed) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_write_result_init(&write, &state->outcome);
    response.version = state->outcome.version;
    response.write = &write;
    cx_call_reply(call, &response.base);
}

static void create(struct cx_call *call)
{
    struct create_state *state = cx_call_state(call);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_create_point_request request;

    if (cx_convert_point_create(&conversion, NULL, state->request, &request) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    if (cx_engine_create_point(cx_answer_app(call)->engine, &request, &state->outcome,
                               &state->point, &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}

void cx_recovery_create_point(struct cx_call *call, const ProtobufCMessage *message)
{
    const CreateRecoveryPointRequest *request = (const CreateRecoveryPointRequest *)message;
    struct create_state *state = cx_call_alloc(call, sizeof *state);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct create_state){
        .answer = {.reply = reply, .release = release},
        .request = request,
    };
    cx_call_set_state(call, state);
    if (cx_point_create_cost(request) > CX_OFFLOAD_ITEMS) {
        cx_call_offload(call, create);
    } else {
        create(call);
    }
}
