/* BatchUpdateContexts: each part on its own, or all or none. */

#include <stdlib.h>

#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/convert_request.h"
#include "server/services/convert_response.h"
#include "server/services/update_result.h"

struct batch_state {
    struct cx_answer answer;
    const BatchUpdateContextsRequest *request;
    struct cx_update_result *results;
    size_t count;
};

/* Drops what failures tell beside code and reason, from the last one on, until the answer
 * fits into a message: what was applied must not look as if it was not. */
static void shorten(BatchUpdateContextsResponse *response, size_t size_max)
{
    size_t size = protobuf_c_message_get_packed_size(&response->base);

    for (size_t i = response->n_results; i > 0 && size > size_max; i--) {
        const UpdateResult *result = response->results[i - 1];

        if (result->outcome_case == CONTEXTD__V1__UPDATE_RESULT__OUTCOME_FAILURE) {
            size -= cx_failure_shorten(result->failure);
        }
    }
}

static void reply(struct cx_call *call)
{
    const struct batch_state *state = cx_call_state(call);
    const struct cx_allocator allocator = cx_allocator_of_call(call);
    BatchUpdateContextsResponse response = CONTEXTD__V1__BATCH_UPDATE_CONTEXTS_RESPONSE__INIT;
    struct cx_update_result_block block;

    if (!cx_update_result_block_init(&block, &allocator, state->count)) {
        cx_answer_out_of_memory(call);
        return;
    }
    for (size_t i = 0; i < state->count; i++) {
        cx_update_result_block_add(&block, &state->results[i]);
    }
    response.results = block.messages;
    response.n_results = block.count;
    shorten(&response, cx_call_message_size_max(call));
    cx_call_reply(call, &response.base);
}

/* ---- Each on its own. ------------------------------------------------------- */

static void update_each(struct cx_call *call)
{
    struct batch_state *state = cx_call_state(call);
    struct cx_write_order order = {0};
    const struct cx_update_source source = {
        .engine = cx_answer_app(call)->engine,
        .namespace_id = state->request->requests[0]->namespace_,
        .scratch = cx_allocator_of_call(call),
        .failures = cx_allocator_of_call(call),
        .message_size_max = cx_call_message_size_max(call),
        .order = &order,
    };
    UpdateContextRequest **requests = state->request->requests;
    size_t ahead = cx_update_foresight(state->count);
    struct cx_foresight foresight = {0};
    uint64_t wait_for = 0;

    for (size_t i = 0; i < ahead; i++) {
        cx_update_foresee(source.engine, &foresight, i < state->count ? requests[i] : NULL);
    }
    for (size_t i = 0; i < state->count; i++) {
        const struct cx_field field = cx_field_at(NULL, "requests", i);
        struct cx_update_result *result = &state->results[i];

        if (ahead > 0) {
            cx_update_foresee(source.engine, &foresight,
                              i + ahead < state->count ? requests[i + ahead] : NULL);
        }
        if (!cx_update_result_make(&source, &field, requests[i], result)) {
            cx_answer_out_of_memory(call);
            return;
        }
        wait_for = result->wait_for > wait_for ? result->wait_for : wait_for;
    }
    cx_answer_when_durable(call, wait_for);
}

/* ---- All or none. ----------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    const struct cx_update_request *left = *(const struct cx_update_request *const *)a;
    const struct cx_update_request *right = *(const struct cx_update_request *const *)b;
    int order = cx_bytes_compare(left->name.id, right->name.id);

    return order != 0 ? order : (left > right) - (left < right);
}

/* Finds the first context that is named a second time. */
static enum cx_status check_distinct(struct cx_conversion *conversion,
                                     const struct cx_update_request *requests, size_t count)
{
    const struct cx_update_request **sorted =
        cx_allocator_alloc(&conversion->memory, count * sizeof *sorted);
    size_t repeated = count;

    if (sorted == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &requests[i];
    }
    qsort(sorted, count, sizeof *sorted, compare_ids);
    for (size_t i = 1; i < count; i++) {
        size_t index = (size_t)(sorted[i] - requests);

        if (cx_bytes_equal(sorted[i - 1]->name.id, sorted[i]->name.id) && index < repeated) {
            repeated = index;
        }
    }
    if (repeated < count) {
        const struct cx_field field = cx_field_at(NULL, "requests", repeated);

        return cx_field_invalid(&field, "context_id", conversion->error,
                                "must not be named twice where `atomic`");
    }
    return CX_OK;
}

static enum cx_status convert_part(struct cx_conversion *conversion,
                                   const BatchUpdateContextsRequest *message, size_t index,
                                   struct cx_update_request *ret_request)
{
    const struct cx_field field = cx_field_at(NULL, "requests", index);
    const UpdateContextRequest *part = message->requests[index];
    enum cx_status status;

    if (!cx_convert_same_namespace(part->namespace_, message->requests[0]->namespace_)) {
        return cx_field_invalid(&field, "namespace", conversion->error, CX_RULE_ONE_NAMESPACE);
    }
    status = cx_convert_update(conversion, &field, part, ret_request);
    if (status == CX_OK && ret_request->request_id.size > 0) {
        return cx_field_invalid(&field, "write.request_id", conversion->error,
                                "must be empty where `atomic`: the whole has one");
    }
    return status;
}

/* A failure of one part says which, in the metadata. */
static enum cx_status convert_parts(struct cx_conversion *conversion,
                                    const BatchUpdateContextsRequest *message,
                                    struct cx_update_request *requests)
{
    for (size_t i = 0; i < message->n_requests; i++) {
        enum cx_status status = convert_part(conversion, message, i, &requests[i]);

        if (status != CX_OK) {
            cx_error_detail_number(conversion->error, "index", i);
            return status;
        }
    }
    return check_distinct(conversion, requests, message->n_requests);
}

static void update_all(struct cx_call *call)
{
    struct batch_state *state = cx_call_state(call);
    struct cx_error error;
    struct cx_conversion conversion = cx_conversion_of_call(call, &error);
    struct cx_update_request *requests = cx_call_alloc(call, state->count * sizeof *requests);
    struct cx_write_outcome *outcomes = cx_call_alloc(call, state->count * sizeof *outcomes);
    struct cx_write write;
    size_t failed;

    if (requests == NULL || outcomes == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    if (cx_convert_write(&conversion, NULL, state->request->write, &write) != CX_OK ||
        convert_parts(&conversion, state->request, requests) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    if (cx_engine_update_atomic(cx_answer_app(call)->engine, requests, state->count,
                                write.request_id, outcomes, &failed, &error) != CX_OK) {
        if (failed < state->count) {
            cx_error_detail_number(&error, "index", failed);
        }
        cx_answer_error(call, outcomes[0].wait_for, &error);
        return;
    }
    for (size_t i = 0; i < state->count; i++) {
        state->results[i] = (struct cx_update_result){
            .version = outcomes[i].version,
            .revision = outcomes[i].revision,
            .replayed = outcomes[i].replayed,
        };
    }
    cx_answer_when_durable(call, outcomes[0].wait_for);
}

/* ---- The request. ----------------------------------------------------------- */

static enum cx_status check_write(const BatchUpdateContextsRequest *request, struct cx_error *error)
{
    struct cx_conversion conversion = {.error = error};
    struct cx_write write;
    enum cx_status status = cx_convert_write(&conversion, NULL, request->write, &write);

    if (status != CX_OK) {
        return status;
    }
    if (write.request_id.size > 0 && !request->atomic) {
        return cx_field_invalid(NULL, "write.request_id", error,
                                "must be empty unless `atomic`: each part has its own");
    }
    if (write.author.session_id.size > 0) {
        return cx_field_invalid(NULL, "write.session_id", error,
                                "must be empty: each part has its own");
    }
    if (write.author.fence != 0) {
        return cx_field_invalid(NULL, "write.fence", error, "must be 0: each part has its own");
    }
    return CX_OK;
}

static enum cx_status check(const BatchUpdateContextsRequest *request, struct cx_error *error)
{
    enum cx_status status =
        cx_field_check_count(NULL, "requests", request->n_requests, 1, CX_BATCH_MAX, error);

    return status != CX_OK ? status : check_write(request, error);
}

static size_t mutation_count(const BatchUpdateContextsRequest *request)
{
    size_t count = 0;

    for (size_t i = 0; i < request->n_requests; i++) {
        count += request->requests[i]->n_mutations;
    }
    return count;
}

void cx_context_batch_update(struct cx_call *call, const ProtobufCMessage *message)
{
    const BatchUpdateContextsRequest *request = (const BatchUpdateContextsRequest *)message;
    struct batch_state *state = cx_call_alloc(call, sizeof *state);
    struct cx_error error;

    if (check(request, &error) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    if (state == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    *state = (struct batch_state){
        .answer = {.reply = reply},
        .request = request,
        .results = cx_call_alloc(call, request->n_requests * sizeof *state->results),
        .count = request->n_requests,
    };
    if (state->results == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    cx_call_set_state(call, state);
    if (mutation_count(request) > CX_OFFLOAD_ITEMS) {
        cx_call_offload(call, request->atomic ? update_all : update_each);
    } else if (request->atomic) {
        update_all(call);
    } else {
        update_each(call);
    }
}
