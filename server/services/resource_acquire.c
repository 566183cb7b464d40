/* AcquireResource. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_response.h"
#include "server/services/convert_session.h"
#include "server/services/convert_tracking.h"
#include "server/services/tracker.h"

struct acquire_state {
    struct cx_answer answer;
    struct cx_write_outcome outcome;
    struct cx_resource_page page; /* Of the one, or none. */
};

static void release(struct cx_call *call)
{
    struct acquire_state *state = cx_call_state(call);

    cx_resource_page_done(&state->page);
}

static void reply(struct cx_call *call)
{
    const struct acquire_state *state = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    AcquireResourceResponse response = CONTEXTD__V1__ACQUIRE_RESOURCE_RESPONSE__INIT;
    WriteResult write;

    cx_write_result_init(&write, &state->outcome);
    response.write = &write;
    if (state->page.count > 0) {
        response.resource = cx_resource_message(&draft, &state->page.rows[0]);
    }
    release(call); /* The message holds copies. */
    if (draft.failed) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_call_reply(call, &response.base);
}

void cx_tracker_acquire_resource(struct cx_call *call, const ProtobufCMessage *message)
{
    struct acquire_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_resource_request request;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct acquire_state){.answer = {.reply = reply, .release = release}};
    if (cx_convert_acquire(&conversion, (const AcquireResourceRequest *)message, &request) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_acquire_resource(cx_answer_app(call)->engine, &request, &state->outcome,
                                   &state->page, &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}
