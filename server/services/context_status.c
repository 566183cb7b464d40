/* GetContextStatus. */

#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_part.h"
#include "server/services/draft.h"
#include "server/services/page.h"
#include "server/services/tracker.h"

struct status_state {
    struct cx_answer answer;
    struct cx_context_status status;
};

static void release(struct cx_call *call)
{
    struct status_state *state = cx_call_state(call);

    cx_context_status_done(&state->status);
}

static Contextd__V1__GetContextStatusResponse__Status
summary_of(const struct cx_context_status *status)
{
    if (!status->exists) {
        return CONTEXTD__V1__GET_CONTEXT_STATUS_RESPONSE__STATUS__STATUS_NON_EXISTENT;
    }
    return status->session_count > 0
               ? CONTEXTD__V1__GET_CONTEXT_STATUS_RESPONSE__STATUS__STATUS_ACTIVE
               : CONTEXTD__V1__GET_CONTEXT_STATUS_RESPONSE__STATUS__STATUS_INACTIVE;
}

static void add_sessions(struct cx_draft *draft, const struct cx_context_status *status,
                         GetContextStatusResponse *response)
{
    char **ids = cx_draft_alloc(draft, status->session_count * sizeof *ids);

    if (ids == NULL) {
        return;
    }
    for (size_t i = 0; i < status->session_count; i++) {
        ids[i] = cx_draft_text(draft, status->session_ids[i]);
    }
    response->session_ids = ids;
    response->n_session_ids = status->session_count;
    response->exclusive_session_id = cx_draft_text(draft, status->exclusive_session_id);
}

static void send_status(struct cx_call *call)
{
    const struct status_state *state = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    GetContextStatusResponse response = CONTEXTD__V1__GET_CONTEXT_STATUS_RESPONSE__INIT;

    response.status = summary_of(&state->status);
    response.version = state->status.version;
    response.fence = state->status.fence;
    response.guarded = state->status.guarded;
    add_sessions(&draft, &state->status, &response);
    release(call); /* The message holds copies. */
    if (draft.failed) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_call_reply(call, &response.base);
}

static void reply(struct cx_call *call)
{
    const struct status_state *state = cx_call_state(call);

    cx_page_send(call, state->status.session_count, 0, send_status);
}

void cx_tracker_get_context_status(struct cx_call *call, const ProtobufCMessage *message)
{
    const GetContextStatusRequest *request = (const GetContextStatusRequest *)message;
    struct status_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_context_name name;
    uint64_t wait_for;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct status_state){.answer = {.reply = reply, .release = release}};
    if (cx_convert_name(&conversion, NULL, request->namespace_, request->context_id, 1, &name) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_status(cx_answer_app(call)->engine, &name, &state->status, &wait_for, &error) !=
        CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}
