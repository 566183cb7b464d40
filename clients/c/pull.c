#include "clients/c/pull.h"

#include <assert.h>

#include <grpc/byte_buffer.h>

void cxc_pull_open(struct cxc_pull *pull, const struct cxc_method *method,
                   const ProtobufCMessage *request, bool wait_for_server)
{
    grpc_op opening[CXC_OPENING_OPS];
    grpc_byte_buffer *message;
    grpc_slice packed;
    grpc_op status;

    assert(pull->queue == NULL);
    pull->queue = grpc_completion_queue_create_for_pluck(NULL);
    cxc_exchange_init(&pull->exchange, method, pull->queue, 0);
    packed = cxc_message_pack(request);
    message = grpc_raw_byte_buffer_create(&packed, 1);
    cxc_exchange_opening(&pull->exchange, message, opening);
    opening[0] = cxc_exchange_send_metadata(wait_for_server);
    cxc_start_batch(pull->exchange.call, opening, CXC_OPENING_OPS, &pull->opened);
    status = cxc_exchange_receive_status(&pull->exchange);
    cxc_start_batch(pull->exchange.call, &status, 1, &pull->closed);
    grpc_byte_buffer_destroy(message);
    grpc_slice_unref(packed);
}

static void pull_end(struct cxc_pull *pull)
{
    if (!pull->ended) {
        pull->ended = true;
        cxc_pluck(pull->queue, &pull->closed);
    }
}

enum cxc_pulled cxc_pull_next(struct cxc_pull *pull, int64_t timeout_ms)
{
    assert(pull->queue != NULL && !pull->ended);
    if (!pull->receiving) {
        grpc_op op = cxc_exchange_receive_message(&pull->exchange);

        pull->receiving = true;
        cxc_start_batch(pull->exchange.call, &op, 1, &pull->received);
    }
    if (!cxc_pluck_for(pull->queue, &pull->received, timeout_ms)) {
        return CXC_PULLED_NOTHING;
    }
    pull->receiving = false;
    if (pull->exchange.message != NULL) {
        return CXC_PULLED_ANSWER;
    }
    pull_end(pull);
    return CXC_PULLED_END;
}

void cxc_pull_close(struct cxc_pull *pull)
{
    if (pull->queue == NULL) {
        return;
    }
    if (!pull->ended) {
        grpc_call_cancel(pull->exchange.call, NULL);
    }
    pull_end(pull);
    cxc_pluck(pull->queue, &pull->opened);
    if (pull->receiving) {
        cxc_pluck(pull->queue, &pull->received);
    }
    cxc_exchange_done(&pull->exchange);
    grpc_completion_queue_shutdown(pull->queue);
    grpc_completion_queue_destroy(pull->queue);
    *pull = (struct cxc_pull){0};
}
