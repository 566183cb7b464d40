#include "server/rpc/endpoint.h"

#include <assert.h>

#include "core/base/container_of.h"
#include "core/base/memory.h"
#include "server/rpc/call_state.h"
#include "server/rpc/queue.h"
#include "server/rpc/service.h"

/* Seats of a queue, for each method. gRPC keeps calls that find none until there is one,
 * so a few are enough. More cost every call: Debian builds gRPC with its assertions on,
 * and these look for each tag among all that the queue has still to bring, the seats of
 * methods that nobody calls included. */
enum {
    SEATS_UNARY = 16,
    SEATS_OTHER = 4,
};

/* Waits for one call after the other. Only a call that has come takes a call object,
 * the one that was used last and is still in the processor's cache. */
struct cx_seat {
    struct cx_tag arrived;
    const struct cx_endpoint *endpoint;
    struct cx_queue *queue;

    /* Written by gRPC. */
    grpc_call *grpc;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_call_details details; /* Only without a method. */
    grpc_byte_buffer *payload; /* The first message; not for bidi streams. */
};

static bool endpoint_takes_payload(const struct cx_endpoint *endpoint)
{
    return endpoint->method->kind != CX_METHOD_BIDI_STREAM;
}

static void seat_wait(struct cx_seat *seat)
{
    const struct cx_endpoint *endpoint = seat->endpoint;
    grpc_completion_queue *queue = seat->queue->grpc;
    grpc_call_error error;

    seat->payload = NULL;
    grpc_metadata_array_init(&seat->metadata);
    if (endpoint->method != NULL) {
        error = grpc_server_request_registered_call(
            endpoint->calls->grpc, endpoint->registration, &seat->grpc, &seat->deadline,
            &seat->metadata, endpoint_takes_payload(endpoint) ? &seat->payload : NULL, queue, queue,
            cx_tag_give(&seat->arrived));
    } else {
        grpc_call_details_init(&seat->details);
        error =
            grpc_server_request_call(endpoint->calls->grpc, &seat->grpc, &seat->details,
                                     &seat->metadata, queue, queue, cx_tag_give(&seat->arrived));
    }
    assert(error == GRPC_CALL_OK); /* A server that stops says so by the tag. */
    (void)error;
}

/* Takes the call that has come, and lets the next one come. NULL: there was no memory
 * for it, and it was cancelled. */
static struct cx_call *seat_take(struct cx_seat *seat)
{
    struct cx_call *call = cx_call_new(seat->queue);

    if (call != NULL) {
        call->endpoint = seat->endpoint;
        call->grpc = seat->grpc;
        call->deadline = seat->deadline;
    } else {
        grpc_call_unref(seat->grpc);
    }
    seat_wait(seat);
    return call;
}

static void on_arrived(struct cx_tag *tag, bool ok)
{
    struct cx_seat *seat = CX_CONTAINER_OF(tag, struct cx_seat, arrived);
    grpc_byte_buffer *payload = seat->payload;
    struct cx_call *call;

    grpc_metadata_array_destroy(&seat->metadata);
    if (!ok) {
        return; /* The server is stopping: nobody sits here any more. */
    }
    call = seat_take(seat);
    if (call != NULL) {
        cx_call_begin(call, payload);
    } else {
        grpc_byte_buffer_destroy(payload);
    }
}

static struct cx_ending unknown_method(grpc_slice path)
{
    struct cx_bytes name = {GRPC_SLICE_START_PTR(path), GRPC_SLICE_LENGTH(path)};
    struct cx_error error;

    cx_error_set(&error, CX_REASON_NOT_SUPPORTED, "this server has no method %.*s", (int)name.size,
                 (const char *)name.data);
    cx_error_detail(&error, "field", name);
    return cx_ending_error(&error);
}

static void on_unknown(struct cx_tag *tag, bool ok)
{
    struct cx_seat *seat = CX_CONTAINER_OF(tag, struct cx_seat, arrived);
    struct cx_ending ending = {0};
    struct cx_call *call;

    if (ok) {
        ending = unknown_method(seat->details.method);
        seat->deadline = seat->details.deadline;
    }
    grpc_metadata_array_destroy(&seat->metadata);
    grpc_call_details_destroy(&seat->details);
    if (!ok) {
        return;
    }
    call = seat_take(seat);
    if (call != NULL) {
        cx_call_refuse(call, ending);
    } else {
        cx_ending_done(&ending);
    }
}

enum cx_status cx_endpoint_open(struct cx_endpoint *endpoint, struct cx_queue *queues,
                                size_t queue_count)
{
    bool unary = endpoint->method != NULL && endpoint->method->kind == CX_METHOD_UNARY;
    size_t each = unary ? SEATS_UNARY : SEATS_OTHER;

    endpoint->seats = cx_calloc(queue_count * each * sizeof *endpoint->seats);
    if (endpoint->seats == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    endpoint->seat_count = queue_count * each;
    for (size_t i = 0; i < endpoint->seat_count; i++) {
        struct cx_seat *seat = &endpoint->seats[i];

        seat->arrived.done = endpoint->method != NULL ? on_arrived : on_unknown;
        seat->endpoint = endpoint;
        seat->queue = &queues[i % queue_count];
        seat_wait(seat);
    }
    return CX_OK;
}

void cx_endpoint_free(struct cx_endpoint *endpoint)
{
    if (endpoint == NULL) {
        return;
    }
    cx_free(endpoint->seats);
    cx_free(endpoint);
}
