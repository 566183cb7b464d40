/* ReadEntries, pulled: the next part is asked for when the caller wants it. */

#include "clients/c/contextd.h"

#include <assert.h>
#include <stdlib.h>

#include <grpc/byte_buffer.h>

#include "clients/c/client.h"

struct cxc_reader {
    struct cxc_exchange exchange;
    grpc_completion_queue *queue;
    bool ended; /* The status is there. */

    /* Their addresses are the tags of the batches. */
    char opened;
    char received;
    char closed;
};

struct cxc_reader *cxc_reader_new(struct cxc_client *client,
                                  const Contextd__V1__ReadEntriesRequest *request)
{
    const struct cxc_method *method =
        cxc_client_method(client, "/contextd.v1.ContextManager/ReadEntries");
    struct cxc_reader *reader = calloc(1, sizeof *reader);
    grpc_op opening[CXC_OPENING_OPS];
    grpc_byte_buffer *message;
    grpc_slice packed;
    grpc_op status;

    if (method == NULL || reader == NULL) {
        free(reader);
        return NULL;
    }
    reader->queue = grpc_completion_queue_create_for_pluck(NULL);
    cxc_exchange_init(&reader->exchange, method, reader->queue, 0);
    packed = cxc_message_pack(&request->base);
    message = grpc_raw_byte_buffer_create(&packed, 1);
    cxc_exchange_opening(&reader->exchange, message, opening);
    cxc_start_batch(reader->exchange.call, opening, CXC_OPENING_OPS, &reader->opened);
    status = cxc_exchange_receive_status(&reader->exchange);
    cxc_start_batch(reader->exchange.call, &status, 1, &reader->closed);
    grpc_byte_buffer_destroy(message);
    grpc_slice_unref(packed);
    return reader;
}

static void reader_end(struct cxc_reader *reader)
{
    if (!reader->ended) {
        reader->ended = true;
        cxc_pluck(reader->queue, &reader->closed);
    }
}

enum cxc_code cxc_reader_next(struct cxc_reader *reader,
                              Contextd__V1__ReadEntriesResponse **ret_part,
                              struct cxc_error *ret_error)
{
    struct cxc_error ignored;
    struct cxc_error *error = ret_error != NULL ? ret_error : &ignored;
    enum cxc_code code;
    grpc_op op;

    assert(!reader->ended);
    op = cxc_exchange_receive_message(&reader->exchange);
    cxc_start_batch(reader->exchange.call, &op, 1, &reader->received);
    cxc_pluck(reader->queue, &reader->received);
    if (reader->exchange.message != NULL) {
        return cxc_exchange_unpack(&reader->exchange,
                                   &contextd__v1__read_entries_response__descriptor,
                                   (ProtobufCMessage **)ret_part, error);
    }
    reader_end(reader);
    code = cxc_exchange_result(&reader->exchange, error);
    if (code == CXC_OK) {
        *ret_part = NULL;
    }
    return code;
}

void cxc_reader_free(struct cxc_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (!reader->ended) {
        grpc_call_cancel(reader->exchange.call, NULL);
    }
    reader_end(reader);
    cxc_pluck(reader->queue, &reader->opened);
    cxc_exchange_done(&reader->exchange);
    grpc_completion_queue_shutdown(reader->queue);
    grpc_completion_queue_destroy(reader->queue);
    free(reader);
}
