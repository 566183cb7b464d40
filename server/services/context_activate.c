/* ActivateContext. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_response.h"
#include "server/services/convert_session.h"
#include "server/services/convert_tracking.h"
#include "server/services/tracker.h"

struct activate_state {
    struct cx_answer answer;
    struct cx_write_outcome outcome;
    struct cx_activation_view activation; /* Borrowed from `session`. */
    struct cx_session_view *session;
    struct cx_snapshot snapshot;
};

static void release(struct cx_call *call)
{
    struct activate_state *state = cx_call_state(call);

    cx_session_view_free(state->session);
    cx_snapshot_done(&state->snapshot);
}

/* Adds what there is now: for a repeat, both may be gone. */
static bool add_parts(struct cx_call *call, const struct activate_state *state,
                      ActivateContextResponse *response)
{
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};

    response->activation = cx_activation_message(&draft, &state->activation);
    if (state->snapshot.id.size > 0) {
        response->context = cx_context_message(&draft.memory, &state->snapshot);
        draft.failed = draft.failed || response->context == NULL;
    }
    return !draft.failed;
}

static void reply(struct cx_call *call)
{
    const struct activate_state *state = cx_call_state(call);
    ActivateContextResponse response = CONTEXTD__V1__ACTIVATE_CONTEXT_RESPONSE__INIT;
    bool ok = add_parts(call, state, &response);
    WriteResult write;

    release(call); /* The message holds copies. */
    if (!ok) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_write_result_init(&write, &state->outcome);
    response.write = &write;
    cx_call_reply(call, &response.base);
}

void cx_tracker_activate_context(struct cx_call *call, const ProtobufCMessage *message)
{
    struct activate_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_activation_request request;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct activate_state){.answer = {.reply = reply, .release = release}};
    if (cx_convert_activate(&conversion, (const ActivateContextRequest *)message, &request) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_activate(cx_answer_app(call)->engine, &request, &state->outcome,
                           &state->activation, &state->session, &state->snapshot,
                           &error) != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, state->outcome.wait_for);
}
