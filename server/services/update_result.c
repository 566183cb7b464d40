#include "server/services/update_result.h"

#include "server/services/convert_request.h"
#include "server/services/convert_response.h"

static enum cx_status apply(const struct cx_update_source *source, const struct cx_field *at,
                            const UpdateContextRequest *message,
                            struct cx_write_outcome *ret_outcome, struct cx_error *error)
{
    struct cx_conversion conversion = {source->scratch, error, source->message_size_max};
    struct cx_update_request request;
    enum cx_status status;

    status = cx_write_order_check(source->order, error);
    if (status != CX_OK) {
        return status;
    }
    if (!cx_convert_same_namespace(message->namespace_, source->namespace_id)) {
        return cx_field_invalid(at, "namespace", error, CX_RULE_ONE_NAMESPACE);
    }
    status = cx_convert_update(&conversion, at, message, &request);
    if (status != CX_OK) {
        return status;
    }
    return cx_engine_update(source->engine, &request, ret_outcome, error);
}

bool cx_update_result_make(const struct cx_update_source *source, const struct cx_field *at,
                           const UpdateContextRequest *message, struct cx_update_result *ret_result)
{
    struct cx_write_outcome outcome = {0};
    struct cx_update_result result = {0};
    struct cx_error error;

    if (apply(source, at, message, &outcome, &error) != CX_OK) {
        cx_write_order_failed(source->order, &error);
        result.failure = cx_failure_message(&source->failures, &error, &result.failure_size);
        if (result.failure == NULL) {
            return false;
        }
    }
    result.wait_for = outcome.wait_for;
    result.version = outcome.version;
    result.revision = outcome.revision;
    result.replayed = outcome.replayed;
    *ret_result = result;
    return true;
}

/* ---- Looking ahead. --------------------------------------------------------- */

static struct cx_bytes first_key(const UpdateContextRequest *message)
{
    const Mutation *mutation = message->n_mutations > 0 ? message->mutations[0] : NULL;

    if (mutation == NULL) {
        return (struct cx_bytes){0};
    }
    switch (mutation->kind_case) {
    case CONTEXTD__V1__MUTATION__KIND_PUT_ENTRY:
        return cx_bytes_of(mutation->put_entry->key);
    case CONTEXTD__V1__MUTATION__KIND_APPEND_ENTRY:
        return cx_bytes_of(mutation->append_entry->key);
    default:
        return (struct cx_bytes){0};
    }
}

void cx_update_foresee(struct cx_engine *engine, struct cx_foresight *foresight,
                       const UpdateContextRequest *message)
{
    struct cx_context_name name;

    if (message == NULL) {
        cx_engine_foresee(engine, foresight, NULL, (struct cx_bytes){0});
        return;
    }
    name.namespace_id = cx_convert_namespace(message->namespace_);
    name.id = cx_bytes_of(message->context_id);
    cx_engine_foresee(engine, foresight, &name, first_key(message));
}

/* ---- Messages. -------------------------------------------------------------- */

struct cx_update_result_parts {
    UpdateResult result;
    UpdateContextResponse response;
    WriteResult write;
};

bool cx_update_result_block_init(struct cx_update_result_block *ret_block,
                                 const struct cx_allocator *allocator, size_t count)
{
    struct cx_update_result_parts *parts =
        cx_allocator_alloc(allocator, count * (sizeof *parts + sizeof(UpdateResult *)));

    if (parts == NULL) {
        return false;
    }
    *ret_block = (struct cx_update_result_block){
        .messages = (UpdateResult **)(void *)(parts + count),
        .parts = parts,
    };
    return true;
}

void cx_update_result_block_add(struct cx_update_result_block *block,
                                const struct cx_update_result *result)
{
    struct cx_update_result_parts *parts = &block->parts[block->count];

    parts->result = (UpdateResult)CONTEXTD__V1__UPDATE_RESULT__INIT;
    if (result->failure != NULL) {
        parts->result.outcome_case = CONTEXTD__V1__UPDATE_RESULT__OUTCOME_FAILURE;
        parts->result.failure = result->failure;
    } else {
        cx_update_response_init(&parts->response, &parts->write, result->version, result->revision,
                                result->replayed);
        parts->result.outcome_case = CONTEXTD__V1__UPDATE_RESULT__OUTCOME_RESPONSE;
        parts->result.response = &parts->response;
    }
    block->messages[block->count++] = &parts->result;
}

void cx_update_response_init(UpdateContextResponse *ret_response, WriteResult *ret_write,
                             uint64_t version, uint64_t revision, bool replayed)
{
    *ret_write = (WriteResult)CONTEXTD__V1__WRITE_RESULT__INIT;
    ret_write->revision = revision;
    ret_write->replayed = replayed;
    *ret_response = (UpdateContextResponse)CONTEXTD__V1__UPDATE_CONTEXT_RESPONSE__INIT;
    ret_response->version = version;
    ret_response->write = ret_write;
}
