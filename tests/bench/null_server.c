/* The null server of the benchmark: contextd's own network layer with nothing behind it.
 * Each unary method of ContextManager unpacks its request and answers at once with an
 * empty message. What a call costs here is what gRPC and the kernel cost.
 *
 * Usage: null_server PORT-FILE; ends with SIGTERM. */

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "contextd/v1/context_manager.pb-c.h"
#include "core/base/limits.h"
#include "server/port_file.h"
#include "server/rpc/call.h"
#include "server/rpc/server.h"
#include "server/rpc/service.h"

enum { ANSWER_SIZE_MAX = 256 };

/* What a method that takes such a request answers. */
static const ProtobufCMessageDescriptor *response_type(const ProtobufCMessage *request)
{
    const ProtobufCServiceDescriptor *service = &contextd__v1__context_manager__descriptor;

    for (unsigned i = 0; i < service->n_methods; i++) {
        if (service->methods[i].input == request->descriptor) {
            return service->methods[i].output;
        }
    }
    assert(!"a request of another service");
    return NULL;
}

static void answer(struct cx_call *call, const ProtobufCMessage *request)
{
    const ProtobufCMessageDescriptor *type = response_type(request);
    _Alignas(max_align_t) uint8_t response[ANSWER_SIZE_MAX];

    assert(type->sizeof_message <= sizeof response);
    protobuf_c_message_init(type, response);
    cx_call_reply(call, (const ProtobufCMessage *)response);
}

static void refuse(struct cx_call *call, const ProtobufCMessage *request)
{
    (void)request;
    cx_call_fail_plain(call, CX_UNIMPLEMENTED, "there is no such thing as a null stream");
}

/* A stream has ended before any of these could happen. */
static void ignore(struct cx_call *call)
{
    (void)call;
}

static const struct cx_method methods[] = {
    {.name = "CreateContext", .handle = answer},
    {.name = "GetContext", .handle = answer},
    {.name = "ReadEntries",
     .kind = CX_METHOD_SERVER_STREAM,
     .handle = refuse,
     .sent = ignore,
     .left = ignore},
    {.name = "ListContexts", .handle = answer},
    {.name = "UpdateContext", .handle = answer},
    {.name = "DeleteContext", .handle = answer},
    {.name = "BatchGetContexts", .handle = answer},
    {.name = "BatchUpdateContexts", .handle = answer},
    {.name = "StreamUpdates",
     .kind = CX_METHOD_BIDI_STREAM,
     .handle = refuse,
     .received = refuse,
     .sent = ignore,
     .left = ignore},
    {.name = "ListNamespaces", .handle = answer},
    {.name = "GetServerInfo", .handle = answer},
};

static const struct cx_service service = {
    .descriptor = &contextd__v1__context_manager__descriptor,
    .methods = methods,
    .method_count = sizeof methods / sizeof methods[0],
};

int main(int argc, char **argv)
{
    const struct cx_rpc_options options = {
        .listen = "127.0.0.1:0",
        .message_size_max = 4 * CX_MIB,
        .in_flight_bytes_max = 256 * CX_MIB,
        .connections_max = 20000,
    };
    struct cx_rpc_server *server;
    struct cx_error error;
    int port;

    if (argc != 2) {
        fprintf(stderr, "usage: null_server PORT-FILE\n");
        return 2;
    }
    if (cx_rpc_server_new(&options, &server) != CX_OK ||
        cx_rpc_server_add(server, &service) != CX_OK ||
        cx_rpc_server_start(server, &port, &error) != CX_OK ||
        cx_port_file_write(argv[1], port) != CX_OK) {
        fprintf(stderr, "null_server: cannot start\n");
        return 1;
    }
    for (;;) {
        pause();
    }
}
