/* A path on which calls come in, and the seats that wait for them. */

#ifndef CX_RPC_ENDPOINT_H
#define CX_RPC_ENDPOINT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

#include "core/base/status.h"
#include "server/rpc/quota.h"
#include "server/rpc/tag.h"
#include "server/rpc/workers.h"

struct cx_method;
struct cx_queue;
struct cx_seat;

/* What all calls of a server have in common. */
struct cx_calls {
    grpc_server *grpc;
    struct cx_workers workers;
    struct cx_quota bytes;   /* Of requests that are being worked on. */
    size_t message_size_max; /* In both directions. */
    atomic_bool stopping;    /* Calls that come in are refused. */
};

struct cx_endpoint {
    struct cx_endpoint *next;                /* In the server's list. */
    const struct cx_method *method;          /* NULL: every path without a method. */
    const ProtobufCMessageDescriptor *input; /* NULL likewise. */
    void *registration;                      /* gRPC's name for the path. NULL likewise. */
    void *app;
    struct cx_calls *calls;
    struct cx_seat *seats; /* Owned. A part of them for each queue. */
    size_t seat_count;
};

/* Waits for calls on this path, on every queue. Fails with CX_RESOURCE_EXHAUSTED when
 * out of memory. */
CX_MUST_CHECK enum cx_status cx_endpoint_open(struct cx_endpoint *endpoint, struct cx_queue *queues,
                                              size_t queue_count);

/* Releases an endpoint that waits no more. NULL is fine. */
void cx_endpoint_free(struct cx_endpoint *endpoint);

#endif /* CX_RPC_ENDPOINT_H */
