/* ListSessions. */

#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_session.h"
#include "server/services/convert_tracking.h"
#include "server/services/page.h"
#include "server/services/tracker.h"

struct list_state {
    struct cx_answer answer;
    struct cx_session_query query;
    struct cx_token_scope scope;
    struct cx_session_page page;
};

static void release(struct cx_call *call)
{
    struct list_state *state = cx_call_state(call);

    cx_session_page_done(&state->page);
}

/* ---- The answer. ------------------------------------------------------------ */

static ProtobufCMessage *row(struct cx_draft *draft, const void *page, size_t index)
{
    const struct cx_session_page *sessions = page;
    Session *message = cx_session_message(draft, sessions->rows[index]);

    return message != NULL ? &message->base : NULL;
}

static void place(const void *page, size_t shown, struct cx_token *place)
{
    const struct cx_session_page *sessions = page;

    place->position = shown == sessions->count ? sessions->last_start_revision
                                               : sessions->rows[shown - 1]->start_revision;
}

static void send_page(struct cx_call *call)
{
    const struct list_state *state = cx_call_state(call);
    const struct cx_page_source source = {
        .page = &state->page,
        .count = state->page.count,
        .more = state->page.more,
        .row = row,
        .place = place,
    };
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    ListSessionsResponse response = CONTEXTD__V1__LIST_SESSIONS_RESPONSE__INIT;

    response.sessions = cx_page_make(call, &draft, &source, &state->scope, &response.n_sessions,
                                     &response.next_page_token);
    release(call); /* The message holds copies. */
    if (draft.failed) {
        cx_answer_out_of_memory(call);
    } else {
        cx_call_reply(call, &response.base);
    }
}

static void reply(struct cx_call *call)
{
    const struct list_state *state = cx_call_state(call);
    size_t count = state->page.count;

    for (size_t i = 0; i < state->page.count; i++) {
        count += state->page.rows[i]->activation_count;
    }
    cx_page_send(call, count, 0, send_page);
}

/* ---- The request. ----------------------------------------------------------- */

static void list(struct cx_call *call)
{
    struct list_state *state = cx_call_state(call);
    struct cx_error error;
    uint64_t wait_for;

    if (cx_engine_list_sessions(cx_answer_app(call)->engine, &state->query, &state->page, &wait_for,
                                &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}

static enum cx_status convert(struct cx_call *call, const ListSessionsRequest *request,
                              struct list_state *state, struct cx_error *error)
{
    struct cx_conversion conversion = cx_conversion_of_call(call, error);
    struct cx_token token;
    enum cx_status status = cx_convert_session_list(&conversion, request, &state->query);

    if (status != CX_OK) {
        return status;
    }
    state->scope = cx_token_scope_of(cx_answer_app(call)->engine, CX_TOKEN_SESSIONS,
                                     cx_token_session_filters(&state->query));
    status = cx_page_resume(&conversion, &state->scope, request->page_token, &token);
    state->query.after_start_revision = token.position;
    return status;
}

void cx_tracker_list_sessions(struct cx_call *call, const ProtobufCMessage *message)
{
    struct list_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct list_state){.answer = {.reply = reply, .release = release}};
    if (convert(call, (const ListSessionsRequest *)message, state, &error) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (state->query.owner.size > 0 || state->query.count_max > CX_PAGE_SIZE_DEFAULT) {
        cx_call_offload(call, list);
    } else {
        list(call);
    }
}
