/* What a service implements, as data. */

#ifndef CX_RPC_SERVICE_H
#define CX_RPC_SERVICE_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "core/base/status.h"

struct cx_call;

enum cx_method_kind {
    CX_METHOD_UNARY,         /* One request, one response. */
    CX_METHOD_SERVER_STREAM, /* One request, many messages. */
    CX_METHOD_BIDI_STREAM,   /* Many requests, many messages. */
};

/* One method of the .proto file. Its message types come from the descriptor;
 * protobuf-c does not tell which methods stream, so the row does. All functions
 * run on the thread of the call's queue. */
struct cx_method {
    const char *name;
    enum cx_method_kind kind;

    /* Starts answering. `request` lives as long as the call; NULL for a bidi stream,
     * which asks for its requests with cx_call_receive(). */
    void (*handle)(struct cx_call *call, const ProtobufCMessage *request);

    /* Bidi streams: the request that cx_call_receive() asked for. It lives until this
     * returns. NULL: the client has sent all. */
    void (*received)(struct cx_call *call, const ProtobufCMessage *request);

    /* Streams: the last message is on its way, so the next may be sent. */
    void (*sent)(struct cx_call *call);

    /* Streams: the client left, or the server is stopping for good. Runs at most once,
     * never after the call was ended. Detach whatever feeds the call, then end it. */
    void (*left)(struct cx_call *call);
};

struct cx_service {
    const ProtobufCServiceDescriptor *descriptor;
    const struct cx_method *methods; /* One for each method of the descriptor. */
    size_t method_count;
    void *app; /* For cx_call_app(), instead of the server's. Borrowed; NULL: the server's. */
};

#endif /* CX_RPC_SERVICE_H */
