/* BatchGetContexts. */

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/convert_request.h"
#include "server/services/convert_response.h"

/* One part: found, or not. */
struct batch_part {
    struct cx_get_query query;
    struct cx_snapshot snapshot; /* Zeroed when there is a failure. */
    Failure *failure;            /* In the call's memory. */
    size_t failure_size;
};

struct batch_state {
    struct cx_answer answer;
    const BatchGetContextsRequest *request;
    struct batch_part *parts; /* Of the heap: they outlive the call. */
    size_t count;
};

static void parts_free(struct batch_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cx_snapshot_done(&parts[i].snapshot);
    }
    cx_free(parts);
}

static void release(struct cx_call *call)
{
    struct batch_state *state = cx_call_state(call);

    parts_free(state->parts, state->count);
}

/* ---- The answer. ------------------------------------------------------------ */

struct batch_result {
    BatchGetResult result;
    GetContextResponse response;
};

static bool fail_part(struct batch_part *part, const struct cx_allocator *allocator,
                      const struct cx_error *error)
{
    part->failure = cx_failure_message(allocator, error, &part->failure_size);
    return part->failure != NULL;
}

/* Makes the response of a part that was found. One that does not fit into the message
 * any more becomes a failure. False when out of memory. */
static bool make_response(struct batch_part *part, const struct cx_allocator *allocator,
                          uint64_t room, GetContextResponse *ret_response, uint64_t *ret_size)
{
    struct cx_error error;

    *ret_response = (GetContextResponse)CONTEXTD__V1__GET_CONTEXT_RESPONSE__INIT;
    *ret_size = 2;
    if (part->snapshot.version <= part->query.if_newer_than) {
        ret_response->unchanged = true;
        return true;
    }
    if (cx_context_message_full(allocator, &part->snapshot, &part->query, room,
                                &ret_response->context, ret_size, &error) == CX_OK) {
        return true;
    }
    return error.reason == CX_REASON_RESPONSE_TOO_LARGE && fail_part(part, allocator, &error);
}

/* Makes results in the order of the parts. False when out of memory. */
static bool make_results(struct cx_call *call, const struct batch_state *state,
                         struct batch_result *results, BatchGetResult **pointers)
{
    enum { WRAPPING_SIZE = 24 }; /* Tags and sizes of the messages around a context. */
    const struct cx_allocator allocator = cx_allocator_of_call(call);
    uint64_t room = cx_call_message_size_max(call);

    for (size_t i = 0; i < state->count; i++) {
        struct batch_part *part = &state->parts[i];
        BatchGetResult *result = &results[i].result;
        uint64_t size = 0;

        if (part->failure == NULL &&
            !make_response(part, &allocator, room > WRAPPING_SIZE ? room - WRAPPING_SIZE : 0,
                           &results[i].response, &size)) {
            return false;
        }
        *result = (BatchGetResult)CONTEXTD__V1__BATCH_GET_CONTEXTS_RESPONSE__RESULT__INIT;
        if (part->failure != NULL) {
            result->outcome_case =
                CONTEXTD__V1__BATCH_GET_CONTEXTS_RESPONSE__RESULT__OUTCOME_FAILURE;
            result->failure = part->failure;
            size = part->failure_size;
        } else {
            result->outcome_case =
                CONTEXTD__V1__BATCH_GET_CONTEXTS_RESPONSE__RESULT__OUTCOME_RESPONSE;
            result->response = &results[i].response;
        }
        room -= size + WRAPPING_SIZE < room ? size + WRAPPING_SIZE : room;
        pointers[i] = result;
    }
    return true;
}

static void send_results(struct cx_call *call)
{
    const struct batch_state *state = cx_call_state(call);
    struct batch_part *parts = state->parts;
    size_t count = state->count;
    struct batch_result *results =
        cx_call_alloc(call, count * (sizeof *results + sizeof(BatchGetResult *)));
    BatchGetContextsResponse response = CONTEXTD__V1__BATCH_GET_CONTEXTS_RESPONSE__INIT;

    if (results != NULL) {
        response.results = (BatchGetResult **)(void *)(results + count);
    }
    if (results == NULL || !make_results(call, state, results, response.results)) {
        cx_answer_out_of_memory(call);
    } else {
        response.n_results = count;
        cx_call_reply(call, &response.base);
    }
    parts_free(parts, count);
}

static void reply(struct cx_call *call)
{
    const struct batch_state *state = cx_call_state(call);
    uint64_t cost = 0;

    for (size_t i = 0; i < state->count; i++) {
        if (state->parts[i].failure == NULL) {
            cost += cx_context_cost(&state->parts[i].snapshot, &state->parts[i].query);
        }
    }
    if (cost > CX_OFFLOAD_ITEMS) {
        cx_call_offload(call, send_results);
    } else {
        send_results(call);
    }
}

/* ---- The request. ----------------------------------------------------------- */

static enum cx_status get_part(struct cx_call *call, const BatchGetContextsRequest *request,
                               size_t index, struct batch_part *part, uint64_t *ret_wait_for,
                               struct cx_error *error)
{
    const struct cx_field field = cx_field_at(NULL, "requests", index);
    const StateRef *first = request->requests[0]->state;
    const StateRef *state = request->requests[index]->state;
    struct cx_conversion conversion = cx_conversion_of_call(call, error);
    enum cx_status status =
        cx_convert_get(&conversion, &field, request->requests[index], &part->query);

    *ret_wait_for = 0;
    if (status != CX_OK) {
        return status;
    }
    if (first != NULL && !cx_convert_same_namespace(state->namespace_, first->namespace_)) {
        return cx_field_invalid(&field, "state.namespace", error, CX_RULE_ONE_NAMESPACE);
    }
    return cx_engine_get(cx_answer_app(call)->engine, &part->query.name, &part->query.at,
                         &part->snapshot, ret_wait_for, error);
}

static void get_parts(struct cx_call *call)
{
    struct batch_state *state = cx_call_state(call);
    const struct cx_allocator allocator = cx_allocator_of_call(call);
    uint64_t wait_for_all = 0;
    struct cx_error error;

    for (size_t i = 0; i < state->count; i++) {
        struct batch_part *part = &state->parts[i];
        uint64_t wait_for;

        if (get_part(call, state->request, i, part, &wait_for, &error) != CX_OK &&
            !fail_part(part, &allocator, &error)) {
            release(call);
            cx_answer_out_of_memory(call);
            return;
        }
        wait_for_all = wait_for > wait_for_all ? wait_for : wait_for_all;
    }
    cx_answer_when_durable(call, wait_for_all);
}

void cx_context_batch_get(struct cx_call *call, const ProtobufCMessage *message)
{
    const BatchGetContextsRequest *request = (const BatchGetContextsRequest *)message;
    struct batch_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;

    if (cx_field_check_count(NULL, "requests", request->n_requests, 1, CX_BATCH_MAX, &error) !=
        CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct batch_state){
        .answer = {.reply = reply, .release = release},
        .request = request,
        .parts = cx_calloc(request->n_requests * sizeof *state->parts),
        .count = request->n_requests,
    };
    if (state->parts == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_call_set_state(call, state);
    get_parts(call);
}
