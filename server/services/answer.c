#include "server/services/answer.h"

#include <assert.h>
#include <stddef.h>

#include "core/engine/engine.h"

static void on_durable(struct cx_call *call, enum cx_status status)
{
    const struct cx_answer *answer = cx_call_state(call);

    if (status == CX_OK) {
        answer->reply(call);
        return;
    }
    if (answer->release != NULL) {
        answer->release(call);
    }
    cx_answer_storage_failed(call);
}

void cx_answer_when_durable(struct cx_call *call, uint64_t revision)
{
    struct cx_waiter *waiter = cx_call_wait(call, on_durable);

    if (cx_engine_wait(cx_answer_app(call)->engine, revision, waiter)) {
        cx_call_unwait(call);
        on_durable(call, CX_OK);
    } /* Else the call may be gone already. */
}

/* ---- Errors. ---------------------------------------------------------------- */

struct error_state {
    struct cx_answer answer;
    struct cx_error error;
};

static void reply_error(struct cx_call *call)
{
    const struct error_state *state = cx_call_state(call);

    cx_call_fail(call, &state->error);
}

void cx_answer_error(struct cx_call *call, uint64_t revision, const struct cx_error *error)
{
    struct error_state *state = cx_call_alloc(call, sizeof *state);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    state->answer = (struct cx_answer){.reply = reply_error};
    state->error = *error;
    cx_call_set_state(call, state);
    cx_answer_when_durable(call, revision);
}

void cx_answer_out_of_memory(struct cx_call *call)
{
    struct cx_error error;

    (void)cx_error_out_of_memory(&error);
    cx_call_fail(call, &error);
}

void cx_answer_storage_failed(struct cx_call *call)
{
    struct cx_error error;

    cx_error_set(&error, CX_REASON_STORAGE_FAILED,
                 "the server's disk failed, and the server is about to end; whether the request "
                 "took effect shows after its restart");
    cx_call_fail(call, &error);
}
