#include "clients/c/client.h"

#include <assert.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/time.h>

#include "clients/c/error.h"
#include "clients/c/reach.h"

static_assert((int)CXC_UNAVAILABLE == (int)GRPC_STATUS_UNAVAILABLE, "the codes are gRPC's");
static_assert((int)CXC_UNAUTHENTICATED == (int)GRPC_STATUS_UNAUTHENTICATED, "and end with it");

void cxc_exchange_init(struct cxc_exchange *exchange, const struct cxc_method *method,
                       grpc_completion_queue *queue, int64_t timeout_ms)
{
    *exchange = (struct cxc_exchange){
        .tls = method->client->tls,
        .status_text = grpc_empty_slice(),
    };
    grpc_metadata_array_init(&exchange->initial);
    grpc_metadata_array_init(&exchange->trailing);
    exchange->call = grpc_channel_create_registered_call(
        method->client->channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue, method->registration,
        cxc_wait_deadline(timeout_ms != 0 ? timeout_ms : -1), NULL);
}

void cxc_exchange_done(struct cxc_exchange *exchange)
{
    if (exchange->call == NULL) {
        return;
    }
    grpc_byte_buffer_destroy(exchange->message);
    grpc_metadata_array_destroy(&exchange->initial);
    grpc_metadata_array_destroy(&exchange->trailing);
    grpc_slice_unref(exchange->status_text);
    grpc_call_unref(exchange->call);
}

grpc_op cxc_exchange_send_metadata(bool wait_for_server)
{
    const uint32_t waiting =
        GRPC_INITIAL_METADATA_WAIT_FOR_READY | GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET;

    return (grpc_op){
        .op = GRPC_OP_SEND_INITIAL_METADATA,
        .flags = wait_for_server ? waiting : 0,
    };
}

void cxc_exchange_opening(struct cxc_exchange *exchange, grpc_byte_buffer *message,
                          grpc_op ops[CXC_OPENING_OPS])
{
    memset(ops, 0, CXC_OPENING_OPS * sizeof ops[0]);
    ops[0] = cxc_exchange_send_metadata(false);
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = message;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &exchange->initial;
}

grpc_op cxc_exchange_receive_message(struct cxc_exchange *exchange)
{
    assert(exchange->message == NULL);
    return (grpc_op){
        .op = GRPC_OP_RECV_MESSAGE,
        .data.recv_message.recv_message = &exchange->message,
    };
}

grpc_op cxc_exchange_receive_status(struct cxc_exchange *exchange)
{
    return (grpc_op){
        .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
        .data.recv_status_on_client.trailing_metadata = &exchange->trailing,
        .data.recv_status_on_client.status = &exchange->status,
        .data.recv_status_on_client.status_details = &exchange->status_text,
    };
}

/* The value of `grpc-status-details-bin`, borrowed; empty when there is none. */
static grpc_slice status_details(const struct cxc_exchange *exchange)
{
    for (size_t i = 0; i < exchange->trailing.count; i++) {
        const grpc_metadata *metadata = &exchange->trailing.metadata[i];

        if (grpc_slice_str_cmp(metadata->key, "grpc-status-details-bin") == 0) {
            return metadata->value;
        }
    }
    return grpc_empty_slice();
}

enum cxc_code cxc_exchange_result(const struct cxc_exchange *exchange, struct cxc_error *ret_error)
{
    enum cxc_code code = (enum cxc_code)exchange->status;

    if (code != CXC_OK) {
        grpc_slice details = status_details(exchange);

        cxc_error_from_status(code, (const char *)GRPC_SLICE_START_PTR(exchange->status_text),
                              GRPC_SLICE_LENGTH(exchange->status_text),
                              GRPC_SLICE_START_PTR(details), GRPC_SLICE_LENGTH(details), ret_error);
        cxc_error_explain(ret_error, exchange->tls);
        code = ret_error->code;
    }
    return code;
}

bool cxc_exchange_take(struct cxc_exchange *exchange, grpc_slice *ret_slice)
{
    grpc_byte_buffer *message = exchange->message;
    grpc_byte_buffer_reader reader;
    bool readable;

    exchange->message = NULL;
    readable = message != NULL && grpc_byte_buffer_reader_init(&reader, message);
    if (readable) {
        *ret_slice = grpc_byte_buffer_reader_readall(&reader);
        grpc_byte_buffer_reader_destroy(&reader);
    }
    grpc_byte_buffer_destroy(message);
    return readable;
}

enum cxc_code cxc_exchange_unpack(struct cxc_exchange *exchange,
                                  const ProtobufCMessageDescriptor *type,
                                  ProtobufCMessage **ret_message, struct cxc_error *ret_error)
{
    ProtobufCMessage *message = NULL;
    grpc_slice slice;

    if (cxc_exchange_take(exchange, &slice)) {
        message = protobuf_c_message_unpack(type, NULL, GRPC_SLICE_LENGTH(slice),
                                            GRPC_SLICE_START_PTR(slice));
        grpc_slice_unref(slice);
    }
    if (message == NULL) {
        return cxc_error_set(ret_error, CXC_INTERNAL, "the answer is not a %s", type->name);
    }
    *ret_message = message;
    return CXC_OK;
}

grpc_slice cxc_message_pack(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    return slice;
}

gpr_timespec cxc_wait_deadline(int64_t timeout_ms)
{
    if (timeout_ms < 0) {
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    }
    if (timeout_ms == 0) {
        return gpr_inf_past(GPR_CLOCK_MONOTONIC);
    }
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
}

bool cxc_pluck_for(grpc_completion_queue *queue, void *tag, int64_t timeout_ms)
{
    grpc_event event = grpc_completion_queue_pluck(queue, tag, cxc_wait_deadline(timeout_ms), NULL);

    return event.type == GRPC_OP_COMPLETE;
}

void cxc_pluck(grpc_completion_queue *queue, void *tag)
{
    bool done = cxc_pluck_for(queue, tag, -1);

    assert(done);
    (void)done;
}

void cxc_start_batch(grpc_call *call, const grpc_op *ops, size_t count, void *tag)
{
    grpc_call_error error = grpc_call_start_batch(call, ops, count, tag, NULL);

    assert(error == GRPC_CALL_OK);
    (void)error;
}
