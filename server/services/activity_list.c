/* ListActivities. */

#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/convert_activity.h"
#include "server/services/convert_history.h"
#include "server/services/page.h"
#include "server/services/tracker.h"

struct list_state {
    struct cx_answer answer;
    struct cx_activity_query query;
    struct cx_token_scope scope;
    struct cx_activity_page page;
};

static void release(struct cx_call *call)
{
    struct list_state *state = cx_call_state(call);

    cx_activity_page_done(&state->page);
}

/* ---- The answer. ------------------------------------------------------------ */

static ProtobufCMessage *row(struct cx_draft *draft, const void *page, size_t index)
{
    const struct cx_activity_page *activities = page;
    ActivityMessage *message = cx_activity_message(draft, &activities->rows[index]);

    return message != NULL ? &message->base : NULL;
}

static void fill(struct cx_draft *draft, const void *page, size_t index, ProtobufCMessage *row)
{
    const struct cx_activity_page *activities = page;

    cx_activity_message_fill(draft, &activities->rows[index], (ActivityMessage *)row);
}

static void place(const void *page, size_t shown, struct cx_token *place)
{
    const struct cx_activity_page *activities = page;

    place->position =
        shown == activities->count ? activities->next_sequence : activities->rows[shown].sequence;
}

static void send_page(struct cx_call *call)
{
    const struct list_state *state = cx_call_state(call);
    const struct cx_page_source source = {
        .page = &state->page,
        .count = state->page.count,
        .more = state->page.more,
        .row = row,
        .fill = fill,
        .place = place,
    };
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    ListActivitiesResponse response = CONTEXTD__V1__LIST_ACTIVITIES_RESPONSE__INIT;

    response.activities = cx_page_make(call, &draft, &source, &state->scope, &response.n_activities,
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
    uint64_t size = 0;

    for (size_t i = 0; i < state->page.count; i++) {
        size += state->page.rows[i].data_size;
    }
    cx_page_send(call, state->page.count, size, send_page);
}

/* ---- The request. ----------------------------------------------------------- */

static void list(struct cx_call *call)
{
    struct list_state *state = cx_call_state(call);
    struct cx_error error;
    uint64_t wait_for;

    if (cx_engine_list_activities(cx_answer_app(call)->engine, &state->query, &state->page,
                                  &wait_for, &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}

static enum cx_status convert(struct cx_call *call, const ListActivitiesRequest *request,
                              struct list_state *state, struct cx_error *error)
{
    struct cx_conversion conversion = cx_conversion_of_call(call, error);
    struct cx_token token;
    enum cx_status status = cx_convert_activity_list(&conversion, request, &state->query);

    if (status != CX_OK) {
        return status;
    }
    state->scope = cx_token_scope_of(cx_answer_app(call)->engine, CX_TOKEN_ACTIVITIES,
                                     cx_token_activity_filters(&state->query));
    status = cx_page_resume(&conversion, &state->scope, request->page_token, &token);
    if (token.position > 0) {
        state->query.from_sequence = token.position;
    }
    return status;
}

/* Whether the engine may look at many more rows than it returns. */
static bool is_selective(const struct cx_activity_query *query)
{
    return query->type_count > 0 || query->count_max > CX_PAGE_SIZE_DEFAULT;
}

void cx_tracker_list_activities(struct cx_call *call, const ProtobufCMessage *message)
{
    struct list_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct list_state){.answer = {.reply = reply, .release = release}};
    if (convert(call, (const ListActivitiesRequest *)message, state, &error) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_set_state(call, state);
    if (is_selective(&state->query)) {
        cx_call_offload(call, list);
    } else {
        list(call);
    }
}
