/* The null server of the benchmark: contextd's own network layer with nothing behind it.
 * Each unary method of ContextManager unpacks its request and answers at once with an
 * empty message; Subscribe sends one event over and over, as fast as it is read. What a call
 * or a message costs here is what gRPC and the kernel cost.
 *
 * Usage: null_server PORT-FILE; ends with SIGTERM. */

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "contextd/v1/context_manager.pb-c.h"
#include "contextd/v1/tracker.pb-c.h"
#include "core/base/limits.h"
#include "server/port_file.h"
#include "server/rpc/call.h"
#include "server/rpc/server.h"
#include "server/rpc/service.h"

enum { ANSWER_SIZE_MAX = 256 };

/* What a method that takes such a request answers. */
static const ProtobufCMessageDescriptor *response_type(const ProtobufCMessage *request)
{
    const ProtobufCServiceDescriptor *services[] = {&contextd__v1__context_manager__descriptor,
                                                    &contextd__v1__tracker__descriptor};

    for (unsigned s = 0; s < 2; s++) {
        for (unsigned i = 0; i < services[s]->n_methods; i++) {
            if (services[s]->methods[i].input == request->descriptor) {
                return services[s]->methods[i].output;
            }
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

/* ---- One event, over and over. ---------------------------------------------- */

static struct cx_bytes packed_event;

/* One like that of an update of one entry of 200 bytes. */
static void pack_event(void)
{
    static uint8_t bytes[1024];
    static uint8_t value[200];
    Contextd__V1__SubscribeResponse response = CONTEXTD__V1__SUBSCRIBE_RESPONSE__INIT;
    Contextd__V1__EventBatch batch = CONTEXTD__V1__EVENT_BATCH__INIT;
    Contextd__V1__Event event = CONTEXTD__V1__EVENT__INIT;
    Contextd__V1__Context context = CONTEXTD__V1__CONTEXT__INIT;
    Contextd__V1__Mutation mutation = CONTEXTD__V1__MUTATION__INIT;
    Contextd__V1__PutEntry put = CONTEXTD__V1__PUT_ENTRY__INIT;
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Contextd__V1__Event *events[] = {&event};
    Contextd__V1__Mutation *mutations[] = {&mutation};

    time.seconds = 1800000000;
    time.nanos = 123456000;
    put.key = "key-007";
    put.value = (ProtobufCBinaryData){sizeof value, value};
    mutation.kind_case = CONTEXTD__V1__MUTATION__KIND_PUT_ENTRY;
    mutation.put_entry = &put;
    context.namespace_ = "default";
    context.id = "context-000000000042";
    context.version = context.revision = 1000000;
    context.create_time = context.update_time = &time;
    context.entry_count = 10;
    context.size_bytes = 2070;
    event.type = CONTEXTD__V1__EVENT_TYPE__EVENT_TYPE_UPDATED;
    event.namespace_ = "default";
    event.cursor = "AwAAAAAAAAAAAQAAAAAAAAAGAAAAAAAAAED6DFK3jPqH";
    event.revision = 1000000;
    event.time = &time;
    event.context = &context;
    event.mutations = mutations;
    event.n_mutations = 1;
    batch.events = events;
    batch.n_events = 1;
    response.events = &batch;
    response.kind_case = CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_EVENTS;
    assert(contextd__v1__subscribe_response__get_packed_size(&response) <= sizeof bytes);
    packed_event =
        (struct cx_bytes){bytes, contextd__v1__subscribe_response__pack(&response, bytes)};
}

static void subscribe_sent(struct cx_call *call)
{
    cx_call_send_bytes(call, &packed_event, 1);
}

/* It has caught up from the beginning. */
static void subscribe(struct cx_call *call, const ProtobufCMessage *request)
{
    Contextd__V1__SubscribeResponse response = CONTEXTD__V1__SUBSCRIBE_RESPONSE__INIT;
    Contextd__V1__CaughtUp caught_up = CONTEXTD__V1__CAUGHT_UP__INIT;

    (void)request;
    response.caught_up = &caught_up;
    response.kind_case = CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_CAUGHT_UP;
    cx_call_send(call, &response.base);
}

static void subscribe_left(struct cx_call *call)
{
    cx_call_finish(call);
}

/* ---- The methods. ----------------------------------------------------------- */

static const struct cx_method tracker_methods[] = {
    {.name = "StartSession", .handle = answer},
    {.name = "RenewSession", .handle = answer},
    {.name = "EndSession", .handle = answer},
    {.name = "GetSession", .handle = answer},
    {.name = "ListSessions", .handle = answer},
    {.name = "ActivateContext", .handle = answer},
    {.name = "SwitchContext", .handle = answer},
    {.name = "DeactivateContext", .handle = answer},
    {.name = "GetContextStatus", .handle = answer},
    {.name = "RecordActivities", .handle = answer},
    {.name = "ListActivities", .handle = answer},
    {.name = "OptimizeHistory", .handle = answer},
    {.name = "TruncateHistory", .handle = answer},
    {.name = "ListFiles", .handle = answer},
    {.name = "SummarizeUsage", .handle = answer},
    {.name = "AcquireResource", .handle = answer},
    {.name = "ReleaseResource", .handle = answer},
    {.name = "ListResources", .handle = answer},
    {.name = "Subscribe",
     .kind = CX_METHOD_SERVER_STREAM,
     .handle = subscribe,
     .sent = subscribe_sent,
     .left = subscribe_left},
};

static const struct cx_service tracker = {
    .descriptor = &contextd__v1__tracker__descriptor,
    .methods = tracker_methods,
    .method_count = sizeof tracker_methods / sizeof tracker_methods[0],
};

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
    pack_event();
    if (cx_rpc_server_new(&options, &server) != CX_OK ||
        cx_rpc_server_add(server, &service) != CX_OK ||
        cx_rpc_server_add(server, &tracker) != CX_OK ||
        cx_rpc_server_start(server, &port, &error) != CX_OK ||
        cx_port_file_write(argv[1], port) != CX_OK) {
        fprintf(stderr, "null_server: cannot start\n");
        return 1;
    }
    for (;;) {
        pause();
    }
}
