#include "server/services/session_answer.h"

#include "server/services/convert_response.h"
#include "server/services/convert_tracking.h"

static void release(struct cx_call *call)
{
    const struct cx_session_answer *state = cx_call_state(call);

    cx_session_view_free(state->session);
}

struct cx_session_answer *cx_session_answer_begin(struct cx_call *call,
                                                  void (*reply)(struct cx_call *call))
{
    struct cx_session_answer *state = cx_call_alloc(call, sizeof *state);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return NULL;
    }
    *state = (struct cx_session_answer){.answer = {.reply = reply, .release = release}};
    cx_call_set_state(call, state);
    return state;
}

bool cx_session_answer_fill(struct cx_call *call, Session **ret_session, WriteResult *ret_write)
{
    const struct cx_session_answer *state = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};

    cx_write_result_init(ret_write, &state->outcome);
    *ret_session = cx_session_message(&draft, state->session);
    cx_session_view_free(state->session); /* The message holds copies. */
    if (draft.failed) {
        cx_answer_out_of_memory(call);
    }
    return !draft.failed;
}

void cx_session_answer_end(struct cx_call *call, enum cx_status status,
                           const struct cx_error *error)
{
    const struct cx_session_answer *state = cx_call_state(call);

    if (status != CX_OK) {
        cx_answer_error(call, state->outcome.wait_for, error);
    } else {
        cx_answer_when_durable(call, state->outcome.wait_for);
    }
}
