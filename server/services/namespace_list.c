/* ListNamespaces. */

#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/convert_request.h"
#include "server/services/page.h"

struct list_state {
    struct cx_answer answer;
    struct cx_token_scope scope;
    size_t count_max;
    size_t count;
    bool more;
    struct cx_namespace_row *rows;
};

static bool add_rows(struct cx_call *call, const struct list_state *state,
                     ListNamespacesResponse *response)
{
    Namespace *messages =
        cx_call_alloc(call, state->count * (sizeof *messages + sizeof(Namespace *)) + 1);

    if (messages == NULL) {
        return false;
    }
    response->namespaces = (Namespace **)(void *)(messages + state->count);
    response->n_namespaces = state->count;
    for (size_t i = 0; i < state->count; i++) {
        messages[i] = (Namespace)CONTEXTD__V1__LIST_NAMESPACES_RESPONSE__NAMESPACE__INIT;
        messages[i].name = state->rows[i].name;
        messages[i].context_count = state->rows[i].context_count;
        messages[i].size_bytes = state->rows[i].size_bytes;
        response->namespaces[i] = &messages[i];
    }
    return true;
}

static void reply(struct cx_call *call)
{
    const struct list_state *state = cx_call_state(call);
    const struct cx_allocator allocator = cx_allocator_of_call(call);
    ListNamespacesResponse response = CONTEXTD__V1__LIST_NAMESPACES_RESPONSE__INIT;
    bool ok = add_rows(call, state, &response);

    if (ok && state->more) {
        const struct cx_token token = {
            .epoch = state->scope.epoch,
            .key = cx_bytes_of(state->rows[state->count - 1].name),
        };

        response.next_page_token = cx_token_encode(&allocator, &state->scope, &token);
        ok = response.next_page_token != NULL;
    }
    if (!ok) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_call_reply(call, &response.base);
}

static enum cx_status convert(struct cx_call *call, const ListNamespacesRequest *request,
                              struct list_state *state, struct cx_bytes *ret_after,
                              struct cx_error *error)
{
    struct cx_conversion conversion = cx_conversion_of_call(call, error);
    struct cx_token token;
    enum cx_status status =
        cx_convert_page_size(&conversion, request->page_size, &state->count_max);

    if (status != CX_OK) {
        return status;
    }
    state->scope = cx_token_scope_of(cx_answer_app(call)->engine, CX_TOKEN_NAMESPACES, 0);
    status = cx_page_resume(&conversion, &state->scope, request->page_token, &token);
    *ret_after = token.key;
    return status;
}

void cx_namespace_list(struct cx_call *call, const ProtobufCMessage *message)
{
    struct list_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_bytes after;
    struct cx_error error;
    uint64_t wait_for;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct list_state){.answer = {.reply = reply}};
    if (convert(call, (const ListNamespacesRequest *)message, state, &after, &error) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    state->rows = cx_call_alloc(call, state->count_max * sizeof *state->rows);
    if (state->rows == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_call_set_state(call, state);
    if (cx_engine_list_namespaces(cx_answer_app(call)->engine, after, state->count_max, state->rows,
                                  &state->count, &state->more, &wait_for) != CX_OK) {
        (void)cx_error_out_of_memory(&error);
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}
