/* GetRecoveryPoint. */

#include "core/base/limits.h"
#include "core/engine/recovery.h"
#include "server/services/answer.h"
#include "server/services/convert_point.h"
#include "server/services/point_message.h"
#include "server/services/recovery.h"

struct get_state {
    struct cx_answer answer;
    struct cx_point_get_query query;
    struct cx_point_view point;
};

static void release(struct cx_call *call)
{
    struct get_state *state = cx_call_state(call);

    cx_point_view_done(&state->point);
}

static void send_point(struct cx_call *call)
{
    const struct get_state *state = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    struct cx_point_view point = state->point; /* Outlives the call. */
    GetRecoveryPointResponse *response;
    struct cx_error error;
    uint64_t size;

    if (cx_point_message_full(&draft, &point, &state->query.view, cx_call_message_size_max(call),
                              &response, &size, &error) != CX_OK) {
        cx_call_fail(call, &error);
    } else {
        cx_call_reply(call, &response->base);
    }
    cx_point_view_done(&point);
}

static void reply(struct cx_call *call)
{
    const struct get_state *state = cx_call_state(call);

    if (cx_point_cost(&state->point, &state->query.view) > CX_OFFLOAD_ITEMS) {
        cx_call_offload(call, send_point);
    } else {
        send_point(call);
    }
}

void cx_recovery_get_point(struct cx_call *call, const ProtobufCMessage *message)
{
    struct get_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    uint64_t wait_for;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct get_state){.answer = {.reply = reply, .release = release}};
    if (cx_convert_point_get(&conversion, NULL, (const GetRecoveryPointRequest *)message,
                             &state->query) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_get_point(cx_answer_app(call)->engine, &state->query.name, state->query.point_id,
                            &state->point, &wait_for, &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}
