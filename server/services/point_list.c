/* ListRecoveryPoints.
 *
 * A page token's position is the sequence of the last point that was shown; in a list of many
 * contexts it is that point's revision, and the token's key is its sequence (8 bytes, the lowest
 * first) and the context's id. */

#include <assert.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/engine/recovery.h"
#include "server/services/answer.h"
#include "server/services/convert_point.h"
#include "server/services/convert_response.h"
#include "server/services/page.h"
#include "server/services/point_message.h"
#include "server/services/recovery.h"

enum { SEQUENCE_SIZE = 8, KEY_SIZE_MAX = SEQUENCE_SIZE + CX_CONTEXT_ID_SIZE_MAX };

static_assert((int)KEY_SIZE_MAX <= (int)CX_TOKEN_KEY_SIZE_MAX, "any place fits into a token");

struct list_state {
    struct cx_answer answer;
    struct cx_point_query query;
    struct cx_point_view_query view;
    struct cx_token_scope scope;
    struct cx_point_page page;
};

static void release(struct cx_call *call)
{
    struct list_state *state = cx_call_state(call);

    cx_point_page_done(&state->page);
}

/* ---- The answer. ------------------------------------------------------------ */

/* Names the place behind a point. NULL when out of memory. */
static char *make_token(struct cx_call *call, const struct list_state *state, uint64_t sequence,
                        uint64_t revision, struct cx_bytes context_id)
{
    const struct cx_allocator allocator = cx_allocator_of_call(call);
    struct cx_token place = {.epoch = state->scope.epoch, .position = sequence};
    uint8_t key[KEY_SIZE_MAX];

    if (state->query.context_id.size == 0) {
        assert(context_id.size <= CX_CONTEXT_ID_SIZE_MAX);
        for (unsigned i = 0; i < SEQUENCE_SIZE; i++) {
            key[i] = (uint8_t)(sequence >> (8 * i));
        }
        memcpy(key + SEQUENCE_SIZE, context_id.data, context_id.size);
        place.position = revision;
        place.key = (struct cx_bytes){key, SEQUENCE_SIZE + context_id.size};
    }
    return cx_token_encode(&allocator, &state->scope, &place);
}

/* The token of the next page, "" when there is none. NULL when out of memory. */
static char *next_token(struct cx_call *call, const struct list_state *state, size_t shown)
{
    const struct cx_point_page *page = &state->page;
    const struct cx_point_view *last;

    if (shown == page->count && !page->more) {
        return (char *)protobuf_c_empty_string;
    }
    if (shown == page->count) {
        return make_token(call, state, page->last_sequence, page->last_revision,
                          page->last_context_id);
    }
    last = &page->rows[shown - 1];
    return make_token(call, state, last->sequence, last->revision, last->state.id);
}

/* Adds rows until there are no more, or the message is full: *ret_count of them. Fails
 * when not even the first one fits. */
static enum cx_status add_rows(struct cx_call *call, const struct list_state *state,
                               GetRecoveryPointResponse **rows, size_t *ret_count,
                               struct cx_error *error)
{
    struct cx_draft draft = {.memory = cx_allocator_of_call(call)};
    struct cx_page filled;
    size_t count = 0;

    cx_page_init(&filled, call);
    for (; count < state->page.count; count++) {
        uint64_t size = 0;
        enum cx_status status =
            cx_point_message_full(&draft, &state->page.rows[count], &state->view, filled.room,
                                  &rows[count], &size, error);

        if (status == CX_OK && cx_message_field_size(size) > filled.room) {
            status = cx_error_response_too_large(error, size, filled.room);
        }
        if (status != CX_OK && error->reason == CX_REASON_RESPONSE_TOO_LARGE && count > 0) {
            break;
        }
        if (status != CX_OK) {
            return status;
        }
        filled.room -= cx_message_field_size(size);
    }
    *ret_count = count;
    return CX_OK;
}

static void send_page(struct cx_call *call)
{
    const struct list_state *state = cx_call_state(call);
    struct cx_point_page page = state->page; /* Outlives the call. */
    ListRecoveryPointsResponse response = CONTEXTD__V1__LIST_RECOVERY_POINTS_RESPONSE__INIT;
    struct cx_error error;
    enum cx_status status;

    response.recovery_points =
        cx_call_alloc(call, (page.count + 1) * sizeof *response.recovery_points);
    if (response.recovery_points == NULL) {
        status = cx_error_out_of_memory(&error);
    } else {
        status =
            add_rows(call, state, response.recovery_points, &response.n_recovery_points, &error);
    }
    if (status == CX_OK) {
        response.next_page_token = next_token(call, state, response.n_recovery_points);
    }
    if (status == CX_OK && response.next_page_token == NULL) {
        status = cx_error_out_of_memory(&error);
    }
    if (status == CX_OK) {
        cx_call_reply(call, &response.base);
    } else {
        cx_call_fail(call, &error);
    }
    cx_point_page_done(&page);
}

static void reply(struct cx_call *call)
{
    const struct list_state *state = cx_call_state(call);
    uint64_t cost = 0;

    for (size_t i = 0; i < state->page.count && cost <= CX_OFFLOAD_ITEMS; i++) {
        cost += cx_point_cost(&state->page.rows[i], &state->view);
    }
    if (cost > CX_OFFLOAD_ITEMS / 2) { /* A point is worth more than one entry. */
        cx_call_offload(call, send_page);
    } else {
        send_page(call);
    }
}

/* ---- The request. ----------------------------------------------------------- */

static void list(struct cx_call *call)
{
    struct list_state *state = cx_call_state(call);
    struct cx_error error;
    uint64_t wait_for;

    if (cx_engine_list_points(cx_answer_app(call)->engine, &state->query, &state->page, &wait_for,
                              &error) != CX_OK) {
        cx_answer_error(call, wait_for, &error);
        return;
    }
    cx_answer_when_durable(call, wait_for);
}

/* Goes on where a token says. False for one that was made up. */
static bool resume(const struct cx_token *token, struct cx_point_query *query)
{
    if (token->position == 0) {
        return token->key.size == 0; /* The first page. */
    }
    if (query->context_id.size > 0) {
        query->after_sequence = token->position;
        return token->key.size == 0;
    }
    if (token->key.size <= SEQUENCE_SIZE || token->key.size > KEY_SIZE_MAX) {
        return false;
    }
    query->after_revision = token->position;
    for (unsigned i = 0; i < SEQUENCE_SIZE; i++) {
        query->after_sequence |= (uint64_t)token->key.data[i] << (8 * i);
    }
    query->after_context_id =
        (struct cx_bytes){token->key.data + SEQUENCE_SIZE, token->key.size - SEQUENCE_SIZE};
    return true;
}

static enum cx_status convert(struct cx_call *call, const ListRecoveryPointsRequest *request,
                              struct list_state *state, struct cx_error *error)
{
    struct cx_conversion conversion = cx_conversion_of_call(call, error);
    struct cx_token token;
    enum cx_status status =
        cx_convert_point_list(&conversion, request, &state->query, &state->view);

    if (status != CX_OK) {
        return status;
    }
    state->scope = cx_token_scope_of(cx_answer_app(call)->engine, CX_TOKEN_POINTS,
                                     cx_token_point_filters(&state->query));
    status = cx_page_resume(&conversion, &state->scope, request->page_token, &token);
    if (status == CX_OK && !resume(&token, &state->query)) {
        status = cx_page_refuse_token(&conversion);
    }
    return status;
}

/* Whether the engine may look at many more rows than it returns. */
static bool is_selective(const struct cx_point_query *query)
{
    return query->context_id.size == 0 || query->label_count > 0 || query->ancestors_of.size > 0 ||
           query->count_max > CX_PAGE_SIZE_DEFAULT;
}

void cx_recovery_list_points(struct cx_call *call, const ProtobufCMessage *message)
{
    struct list_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;

    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct list_state){.answer = {.reply = reply, .release = release}};
    if (convert(call, (const ListRecoveryPointsRequest *)message, state, &error) != CX_OK) {
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
