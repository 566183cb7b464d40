/* Blocking calls. Each attempt has a queue of its own, so that the calling thread
 * itself waits for the network and no other has to wake it. */

#include "clients/c/contextd.h"

#include <stdlib.h>

#include <grpc/byte_buffer.h>

#include "clients/c/client.h"
#include "clients/c/clock.h"
#include "clients/c/error.h"
#include "clients/c/request_id.h"
#include "clients/c/retry.h"

/* A call and what it is to answer. */
struct attempt {
    const struct cxc_method *method;
    grpc_slice request;
    const ProtobufCMessageDescriptor *response_type;
    bool wait_for_server;
};

/* Makes the call once. Sending empties a byte buffer, so each attempt makes its own
 * over the same bytes. */
static enum cxc_code attempt_make(const struct attempt *attempt, int64_t timeout_ms,
                                  ProtobufCMessage **ret_response, struct cxc_error *ret_error)
{
    grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_slice request = attempt->request;
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&request, 1);
    struct cxc_exchange exchange;
    grpc_op ops[CXC_OPENING_OPS + 2];
    enum cxc_code code;

    cxc_exchange_init(&exchange, attempt->method, queue, timeout_ms);
    cxc_exchange_opening(&exchange, message, ops);
    ops[0] = cxc_exchange_send_metadata(attempt->wait_for_server);
    ops[CXC_OPENING_OPS] = cxc_exchange_receive_message(&exchange);
    ops[CXC_OPENING_OPS + 1] = cxc_exchange_receive_status(&exchange);
    cxc_start_batch(exchange.call, ops, CXC_OPENING_OPS + 2, &exchange);
    cxc_pluck(queue, &exchange);

    code = cxc_exchange_result(&exchange, ret_error);
    if (code == CXC_OK) {
        code = cxc_exchange_unpack(&exchange, attempt->response_type, ret_response, ret_error);
    }
    cxc_exchange_done(&exchange);
    grpc_byte_buffer_destroy(message);
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_destroy(queue);
    return code;
}

/* Makes the call until it ends otherwise than for the moment, or its time is up. Only the
 * first attempt fails at once where nobody listens; the others wait for the server. */
static enum cxc_code call_repeatedly(const struct cxc_client *client, struct attempt *attempt,
                                     ProtobufCMessage **ret_response, struct cxc_error *ret_error)
{
    struct cxc_error transient = {0};
    struct cxc_retry retry;

    cxc_retry_init(&retry, cxc_now_ms(), client->timeout_ms);
    for (;;) {
        int64_t left = retry.deadline_ms - cxc_now_ms();
        enum cxc_code code = attempt_make(attempt, left > 0 ? left : 1, ret_response, ret_error);
        int64_t wait;

        if (code == CXC_OK || client->no_repeats) {
            return code;
        }
        if (code == CXC_DEADLINE_EXCEEDED && attempt->wait_for_server) {
            *ret_error = transient;
            return transient.code;
        }
        wait = cxc_retry_next(&retry, ret_error, cxc_now_ms(), cxc_random());
        if (wait < 0) {
            return code;
        }
        transient = *ret_error;
        attempt->wait_for_server = true;
        cxc_sleep_ms(wait);
    }
}

enum cxc_code cxc_call(struct cxc_client *client, const char *path, const ProtobufCMessage *request,
                       const ProtobufCMessageDescriptor *response_type,
                       ProtobufCMessage **ret_response, struct cxc_error *ret_error)
{
    struct attempt attempt = {
        .method = cxc_client_method(client, path),
        .response_type = response_type,
    };
    ProtobufCMessage *identified = NULL;
    struct cxc_error ignored;
    struct cxc_error *error = ret_error != NULL ? ret_error : &ignored;
    enum cxc_code code;

    if (attempt.method == NULL || cxc_request_identify(request, &identified) != CXC_OK) {
        return cxc_error_set(error, CXC_RESOURCE_EXHAUSTED, "the client is out of memory");
    }
    attempt.request = cxc_message_pack(identified != NULL ? identified : request);
    code = call_repeatedly(client, &attempt, ret_response, error);
    grpc_slice_unref(attempt.request);
    free(identified);
    return code;
}

/* ---- ContextManager. ------------------------------------------------------- */

enum cxc_code cxc_create_context(struct cxc_client *client,
                                 const Contextd__V1__CreateContextRequest *request,
                                 Contextd__V1__CreateContextResponse **ret_response,
                                 struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.ContextManager/CreateContext", &request->base,
                    &contextd__v1__create_context_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_get_context(struct cxc_client *client,
                              const Contextd__V1__GetContextRequest *request,
                              Contextd__V1__GetContextResponse **ret_response,
                              struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.ContextManager/GetContext", &request->base,
                    &contextd__v1__get_context_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_list_contexts(struct cxc_client *client,
                                const Contextd__V1__ListContextsRequest *request,
                                Contextd__V1__ListContextsResponse **ret_response,
                                struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.ContextManager/ListContexts", &request->base,
                    &contextd__v1__list_contexts_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_update_context(struct cxc_client *client,
                                 const Contextd__V1__UpdateContextRequest *request,
                                 Contextd__V1__UpdateContextResponse **ret_response,
                                 struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.ContextManager/UpdateContext", &request->base,
                    &contextd__v1__update_context_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_delete_context(struct cxc_client *client,
                                 const Contextd__V1__DeleteContextRequest *request,
                                 Contextd__V1__DeleteContextResponse **ret_response,
                                 struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.ContextManager/DeleteContext", &request->base,
                    &contextd__v1__delete_context_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_batch_get_contexts(struct cxc_client *client,
                                     const Contextd__V1__BatchGetContextsRequest *request,
                                     Contextd__V1__BatchGetContextsResponse **ret_response,
                                     struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.ContextManager/BatchGetContexts", &request->base,
                    &contextd__v1__batch_get_contexts_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_batch_update_contexts(struct cxc_client *client,
                                        const Contextd__V1__BatchUpdateContextsRequest *request,
                                        Contextd__V1__BatchUpdateContextsResponse **ret_response,
                                        struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.ContextManager/BatchUpdateContexts", &request->base,
                    &contextd__v1__batch_update_contexts_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_list_namespaces(struct cxc_client *client,
                                  const Contextd__V1__ListNamespacesRequest *request,
                                  Contextd__V1__ListNamespacesResponse **ret_response,
                                  struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.ContextManager/ListNamespaces", &request->base,
                    &contextd__v1__list_namespaces_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}

enum cxc_code cxc_get_server_info(struct cxc_client *client,
                                  const Contextd__V1__GetServerInfoRequest *request,
                                  Contextd__V1__GetServerInfoResponse **ret_response,
                                  struct cxc_error *ret_error)
{
    return cxc_call(client, "/contextd.v1.ContextManager/GetServerInfo", &request->base,
                    &contextd__v1__get_server_info_response__descriptor,
                    (ProtobufCMessage **)ret_response, ret_error);
}
