/* ListContexts. */

#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/convert_request.h"
#include "server/services/convert_response.h"
#include "server/services/cursor.h"
#include "server/services/page.h"

/* Room for the page token and the cursor beside the contexts. */
enum { TOKENS_SIZE_MAX = 1024 };

struct list_state {
    struct cx_answer answer;
    struct cx_list_query query;
    enum cx_view view;
    struct cx_token_scope scope;
    struct cx_token token; /* Where the page begins; then where the next one does. */
    struct cx_list_page page;
};

static void release(struct cx_call *call)
{
    struct list_state *state = cx_call_state(call);

    cx_list_page_done(&state->page);
}

/* ---- The answer. ------------------------------------------------------------ */

/* Adds rows until there are no more, or the message is full: *ret_count of them. Fails
 * when not even the first one fits. */
static enum cx_status add_rows(struct cx_call *call, const struct list_state *state,
                               Context **contexts, size_t *ret_count, struct cx_error *error)
{
    const struct cx_allocator allocator = cx_allocator_of_call(call);
    const struct cx_get_query query = {.view = state->view};
    uint64_t room = cx_call_message_size_max(call) - TOKENS_SIZE_MAX;
    size_t count = 0;

    for (; count < state->page.count; count++) {
        uint64_t size = 0;
        enum cx_status status = cx_context_message_full(
            &allocator, &state->page.rows[count], &query, room, &contexts[count], &size, error);

        if (status == CX_OK && cx_message_field_size(size) > room) {
            status = cx_error_response_too_large(error, size, room);
        }
        if (status != CX_OK && error->reason == CX_REASON_RESPONSE_TOO_LARGE && count > 0) {
            break;
        }
        if (status != CX_OK) {
            return status;
        }
        room -= cx_message_field_size(size);
    }
    *ret_count = count;
    return CX_OK;
}

/* Names the place behind the last row that was shown. False when out of memory. */
static bool add_tokens(struct cx_call *call, const struct list_state *state,
                       ListContextsResponse *response)
{
    const struct cx_allocator allocator = cx_allocator_of_call(call);
    const struct cx_list_page *page = &state->page;
    const struct cx_token_scope cursors = cx_cursor_scope(cx_answer_app(call)->engine);
    const struct cx_cursor cursor = {.position = {state->token.position + 1, 0}};
    struct cx_token place = state->token;

    place.key = (struct cx_bytes){0};
    response->cursor = cx_cursor_encode(&allocator, &cursors, 0, &cursor);
    if (response->cursor == NULL) {
        return false;
    }
    if (response->n_contexts == page->count && !page->more) {
        return true;
    }
    place.key = response->n_contexts == page->count ? page->last_id
                                                    : page->rows[response->n_contexts - 1].id;
    response->next_page_token = cx_token_encode(&allocator, &state->scope, &place);
    return response->next_page_token != NULL;
}

static void send_page(struct cx_call *call)
{
    const struct list_state *state = cx_call_state(call);
    struct cx_list_page page = state->page; /* Outlives the call. */
    ListContextsResponse response = CONTEXTD__V1__LIST_CONTEXTS_RESPONSE__INIT;
    struct cx_error error;
    enum cx_status status;

    response.contexts = cx_call_alloc(call, (page.count + 1) * sizeof *response.contexts);
    if (response.contexts == NULL) {
        status = cx_error_out_of_memory(&error);
    } else {
        status = add_rows(call, state, response.contexts, &response.n_contexts, &error);
    }
    if (status == CX_OK && !add_tokens(call, state, &response)) {
        status = cx_error_out_of_memory(&error);
    }
    if (status == CX_OK) {
        cx_call_reply(call, &response.base);
    } else {
        cx_call_fail(call, &error);
    }
    cx_list_page_done(&page);
}

static void reply(struct cx_call *call)
{
    const struct list_state *state = cx_call_state(call);
    const struct cx_get_query query = {.view = state->view};
    uint64_t cost = 0;

    for (size_t i = 0; i < state->page.count; i++) {
        cost += cx_context_cost(&state->page.rows[i], &query);
    }
    if (cost > CX_OFFLOAD_ITEMS / 2) { /* A context is worth more than one entry. */
        cx_call_offload(call, send_page);
    } else {
        send_page(call);
    }
}

/* ---- The request. ----------------------------------------------------------- */

static void list(struct cx_call *call)
{
    struct list_state *state = cx_call_state(call);
    bool first = state->query.after_id.size == 0;
    struct cx_error error;
    uint64_t wait_for;

    if (cx_engine_list(cx_answer_app(call)->engine, &state->query, &state->page, &wait_for,
                       &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    if (first) {
        state->token.epoch = state->scope.epoch;
        state->token.position = state->page.position;
    }
    cx_answer_when_durable(call, wait_for);
}

static enum cx_status convert_token(struct cx_call *call, const char *text,
                                    struct list_state *state, struct cx_error *error)
{
    struct cx_conversion conversion = cx_conversion_of_call(call, error);
    enum cx_status status;

    state->scope = cx_token_scope_of(cx_answer_app(call)->engine, CX_TOKEN_CONTEXTS,
                                     cx_token_filters(&state->query));
    status = cx_page_resume(&conversion, &state->scope, text, &state->token);
    state->query.after_id = state->token.key;
    return status;
}

/* Whether the engine may look at many more rows than it returns. */
static bool is_selective(const struct cx_list_query *query)
{
    return query->label_count > 0 || query->type.size > 0 || query->parent_id.size > 0 ||
           query->deleted || query->count_max > CX_PAGE_SIZE_DEFAULT;
}

void cx_context_list(struct cx_call *call, const ProtobufCMessage *message)
{
    const ListContextsRequest *request = (const ListContextsRequest *)message;
    struct list_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct list_state){.answer = {.reply = reply, .release = release}};
    if (cx_convert_list(&conversion, request, &state->query, &state->view) != CX_OK ||
        convert_token(call, request->page_token, state, &error) != CX_OK) {
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
