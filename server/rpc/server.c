#include "server/rpc/server.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/log.h>

#include "core/base/container_of.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "server/rpc/call_state.h"
#include "server/rpc/connections.h"
#include "server/rpc/credentials.h"
#include "server/rpc/endpoint.h"
#include "server/rpc/handshakes.h"
#include "server/rpc/queue.h"
#include "server/rpc/service.h"
#include "server/rpc/tag.h"

enum {
    PATH_SIZE_MAX = 256, /* The longest "/package.Service/Method". */
    POLLERS_MAX = 64,
    WORKERS_DEFAULT = 2,
};

/* How long a server that stops goes on refusing calls: until none has come for the one,
 * or for the other. */
enum {
    TURN_AWAY_STEP_US = 10 * 1000,
    TURN_AWAY_US_MAX = 500 * 1000,
};

/* How gRPC treats a connection. */
enum {
    METADATA_SIZE_MAX = 16 * 1024,
    CONCURRENT_STREAMS_MAX = 1024, /* Of one connection; the client queues what is above. */
    KEEPALIVE_TIME_MS = 60 * 1000,
    KEEPALIVE_TIMEOUT_MS = 20 * 1000,
    PING_INTERVAL_MIN_MS = 10 * 1000, /* A client that pings more often is cut off. */
    HANDSHAKE_MS_DEFAULT = 20 * 1000, /* gRPC's own two minutes let anybody take all places. */
};

/* Bounds what gRPC itself holds, whatever our own count says. */
#define RESOURCE_QUOTA_MIN (64 * CX_MIB)

struct cx_rpc_server {
    char *listen; /* Owned. */
    uint64_t connections_max;
    size_t worker_count;
    void *app;
    struct cx_calls calls;
    struct cx_queue *queues; /* Owned. */
    size_t queue_count;
    struct cx_endpoint *endpoints; /* Owned. */
    struct cx_connections *connections;
    struct cx_credentials *credentials; /* Owned. NULL: without TLS. */
    bool listening;                     /* gRPC has to be shut down. */

    struct cx_tag shut_down;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_shut_down; /* Under the mutex: no connection is left. */
};

/* ---- Making a server. ------------------------------------------------------- */

static void on_log(gpr_log_func_args *args)
{
    cx_handshakes_note(args->message);
}

/* gRPC writes to standard error what it also returns, but for handshakes that fail. Who wants to
 * read it says so. */
static void silence_grpc(void)
{
    if (getenv("GRPC_VERBOSITY") == NULL) {
        gpr_set_log_function(on_log);
    }
}

static grpc_arg integer_arg(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static int int_from(uint64_t value)
{
    return value < INT32_MAX ? (int)value : INT32_MAX;
}

static grpc_server *grpc_new(const struct cx_rpc_options *options)
{
    grpc_resource_quota *quota = grpc_resource_quota_create("server");
    uint64_t quota_size = 2 * options->in_flight_bytes_max;
    unsigned handshake_ms =
        options->handshake_ms != 0 ? options->handshake_ms : HANDSHAKE_MS_DEFAULT;
    grpc_arg args[] = {
        /* With it, two servers share a port without a word. */
        integer_arg(GRPC_ARG_ALLOW_REUSEPORT, 0),
        integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, int_from(options->message_size_max)),
        integer_arg(GRPC_ARG_MAX_METADATA_SIZE, METADATA_SIZE_MAX),
        integer_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, CONCURRENT_STREAMS_MAX),
        integer_arg(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, (int)handshake_ms),
        integer_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_TIME_MS),
        integer_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
        integer_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        integer_arg(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
        integer_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, PING_INTERVAL_MIN_MS),
        {
            .type = GRPC_ARG_POINTER,
            .key = (char *)GRPC_ARG_RESOURCE_QUOTA,
            .value.pointer = {quota, grpc_resource_quota_arg_vtable()},
        },
    };
    const grpc_channel_args channel_args = {sizeof args / sizeof args[0], args};
    grpc_server *server;

    grpc_resource_quota_resize(quota,
                               quota_size > RESOURCE_QUOTA_MIN ? quota_size : RESOURCE_QUOTA_MIN);
    server = grpc_server_create(&channel_args, NULL);
    grpc_resource_quota_unref(quota);
    return server;
}

static size_t poller_count(unsigned wanted)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = wanted != 0 ? wanted : (size_t)(cores > 1 ? cores : 1) / 2;

    count = count > 0 ? count : 1;
    return count < POLLERS_MAX ? count : POLLERS_MAX;
}

static enum cx_status server_add_queues(struct cx_rpc_server *server, size_t count)
{
    server->queues = cx_calloc(count * sizeof *server->queues);
    if (server->queues == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < count; i++) {
        enum cx_status status = cx_queue_init(&server->queues[i]);

        if (status != CX_OK) {
            return status;
        }
        server->queue_count++;
        grpc_server_register_completion_queue(server->calls.grpc, server->queues[i].grpc, NULL);
    }
    return CX_OK;
}

static enum cx_status server_add_endpoint(struct cx_rpc_server *server,
                                          const struct cx_endpoint *template)
{
    struct cx_endpoint *endpoint = cx_alloc(sizeof *endpoint);

    if (endpoint == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    *endpoint = *template;
    endpoint->calls = &server->calls;
    endpoint->next = server->endpoints;
    server->endpoints = endpoint;
    return CX_OK;
}

static enum cx_status server_fill(struct cx_rpc_server *server,
                                  const struct cx_rpc_options *options)
{
    size_t listen_size = strlen(options->listen) + 1;
    enum cx_status status;

    server->listen = cx_alloc(listen_size);
    if (server->listen == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    memcpy(server->listen, options->listen, listen_size);
    if (options->certificates != NULL) {
        status = cx_credentials_new(options->certificates, &server->credentials);
        if (status != CX_OK) {
            return status;
        }
    }
    status = server_add_queues(server, poller_count(options->pollers));
    if (status != CX_OK) {
        return status;
    }
    /* Without it, calls to unknown methods would wait for their deadline. */
    return server_add_endpoint(server, &(struct cx_endpoint){.app = options->app});
}

static void on_shut_down(struct cx_tag *tag, bool ok)
{
    struct cx_rpc_server *server = CX_CONTAINER_OF(tag, struct cx_rpc_server, shut_down);

    (void)ok; /* Always true for this operation. */
    pthread_mutex_lock(&server->mutex);
    server->is_shut_down = true;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

enum cx_status cx_rpc_server_new(const struct cx_rpc_options *options,
                                 struct cx_rpc_server **ret_server)
{
    struct cx_rpc_server *server = cx_calloc(sizeof *server);
    pthread_condattr_t monotonic;
    enum cx_status status;

    if (server == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    silence_grpc();
    grpc_init();
    server->connections_max = options->connections_max;
    server->worker_count = options->workers != 0 ? options->workers : WORKERS_DEFAULT;
    server->app = options->app;
    server->calls.message_size_max = (size_t)options->message_size_max;
    server->calls.bytes.max = options->in_flight_bytes_max;
    server->calls.grpc = grpc_new(options);
    server->shut_down.done = on_shut_down;
    pthread_mutex_init(&server->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);

    status = server_fill(server, options);
    if (status != CX_OK) {
        cx_rpc_server_free(server);
        return status;
    }
    *ret_server = server;
    return CX_OK;
}

/* ---- Services. -------------------------------------------------------------- */

/* Each kind has the functions that it needs, and no other. */
static void assert_method(const struct cx_method *method)
{
    bool streams = method->kind != CX_METHOD_UNARY;

    assert(method->handle != NULL);
    assert((method->sent != NULL) == streams);
    assert((method->left != NULL) == streams);
    assert((method->received != NULL) == (method->kind == CX_METHOD_BIDI_STREAM));
    (void)streams;
}

static enum cx_status server_add_method(struct cx_rpc_server *server,
                                        const struct cx_service *service,
                                        const struct cx_method *method)
{
    const ProtobufCMethodDescriptor *declared =
        protobuf_c_service_descriptor_get_method_by_name(service->descriptor, method->name);
    bool bidi = method->kind == CX_METHOD_BIDI_STREAM;
    char path[PATH_SIZE_MAX];
    int size = snprintf(path, sizeof path, "/%s/%s", service->descriptor->name, method->name);

    assert(declared != NULL); /* None misspelled. */
    assert(size < (int)sizeof path);
    (void)size;
    assert_method(method);
    return server_add_endpoint(
        server,
        &(struct cx_endpoint){
            .method = method,
            .input = declared->input,
            .app = service->app != NULL ? service->app : server->app,
            .registration = grpc_server_register_method(
                server->calls.grpc, path, NULL,
                bidi ? GRPC_SRM_PAYLOAD_NONE : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0),
        });
}

enum cx_status cx_rpc_server_add(struct cx_rpc_server *server, const struct cx_service *service)
{
    assert(service->method_count == service->descriptor->n_methods); /* None forgotten. */

    for (size_t i = 0; i < service->method_count; i++) {
        enum cx_status status = server_add_method(server, service, &service->methods[i]);

        if (status != CX_OK) {
            return status;
        }
    }
    return CX_OK;
}

/* ---- Start. ----------------------------------------------------------------- */

/* Binds the port and limits its connections. */
static enum cx_status server_listen(struct cx_rpc_server *server, int *ret_port,
                                    struct cx_error *ret_error)
{
    grpc_server_credentials *credentials = cx_credentials_grpc(server->credentials);
    int port = grpc_server_add_http2_port(server->calls.grpc, server->listen, credentials);

    grpc_server_credentials_release(credentials);
    if (port == 0) {
        return cx_error_set(ret_error, CX_REASON_NOT_READY,
                            "cannot listen on %s: the port is in use, perhaps by another server, "
                            "or this is no address of this machine%s",
                            server->listen,
                            server->credentials != NULL ? ", or gRPC does not take the certificates"
                                                        : "");
    }
    server->listening = true;
    server->connections = cx_connections_limit(port, server->connections_max);
    if (server->connections == NULL) {
        return cx_error_limit(ret_error, "servers of one process", 0);
    }
    *ret_port = port;
    return CX_OK;
}

static enum cx_status server_start_threads(struct cx_rpc_server *server)
{
    enum cx_status status = cx_workers_start(&server->calls.workers, server->worker_count);

    for (size_t i = 0; status == CX_OK && i < server->queue_count; i++) {
        status = cx_queue_start(&server->queues[i]);
    }
    return status;
}

static enum cx_status server_open_endpoints(struct cx_rpc_server *server)
{
    enum cx_status status = CX_OK;

    for (struct cx_endpoint *endpoint = server->endpoints; status == CX_OK && endpoint != NULL;
         endpoint = endpoint->next) {
        status = cx_endpoint_open(endpoint, server->queues, server->queue_count);
    }
    return status;
}

enum cx_status cx_rpc_server_start(struct cx_rpc_server *server, int *ret_port,
                                   struct cx_error *ret_error)
{
    int port = 0;
    enum cx_status status = server_start_threads(server);

    if (status != CX_OK) {
        cx_error_out_of_memory(ret_error);
        goto out;
    }
    status = server_listen(server, &port, ret_error);
    if (status != CX_OK) {
        goto out;
    }
    grpc_server_start(server->calls.grpc);
    status = server_open_endpoints(server);
    if (status != CX_OK) {
        cx_error_out_of_memory(ret_error);
        goto out;
    }
    *ret_port = port;

out:
    if (status != CX_OK) {
        cx_rpc_server_stop(server, 0);
    }
    return status;
}

enum cx_status cx_rpc_server_set_certificates(struct cx_rpc_server *server,
                                              const struct cx_rpc_certificates *certificates)
{
    assert(server->credentials != NULL);
    return cx_credentials_set(server->credentials, certificates);
}

/* ---- Finished calls. -------------------------------------------------------- */

void cx_rpc_server_complete(void *arg, struct cx_work *list)
{
    struct cx_rpc_server *server = arg;
    struct cx_work_list parts[POLLERS_MAX];

    memset(parts, 0, server->queue_count * sizeof parts[0]);
    while (list != NULL) {
        struct cx_work *next = list->next;
        struct cx_waiter *waiter = CX_CONTAINER_OF(list, struct cx_waiter, work);
        struct cx_call *call = CX_CONTAINER_OF(waiter, struct cx_call, waiter);

        cx_work_list_append(&parts[call->queue - server->queues], list, list);
        list = next;
    }
    for (size_t i = 0; i < server->queue_count; i++) {
        cx_queue_post(&server->queues[i], &parts[i]);
    }
}

/* ---- Stop. ------------------------------------------------------------------ */

/* Waits until gRPC has shut down, for `grace_us` or for ever. Returns whether it has. */
static bool server_wait(struct cx_rpc_server *server, const int64_t *grace_us)
{
    struct timespec until;
    bool done;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    if (grace_us != NULL) {
        int64_t nanos = until.tv_nsec + *grace_us % CX_SECOND_US * 1000;

        until.tv_sec += *grace_us / CX_SECOND_US + nanos / 1000000000;
        until.tv_nsec = nanos % 1000000000;
    }
    pthread_mutex_lock(&server->mutex);
    while (!server->is_shut_down && error == 0) {
        error = grace_us != NULL ? pthread_cond_timedwait(&server->changed, &server->mutex, &until)
                                 : pthread_cond_wait(&server->changed, &server->mutex);
    }
    done = server->is_shut_down;
    pthread_mutex_unlock(&server->mutex);
    return done;
}

static uint64_t server_count_began(const struct cx_rpc_server *server)
{
    uint64_t count = 0;

    for (size_t i = 0; i < server->queue_count; i++) {
        count += cx_queue_count(&server->queues[i].began_count);
    }
    return count;
}

/* Waits until no more calls come in, but not for long. When gRPC shuts down it cancels
 * those that are just arriving, which looks to the client as if it had done so itself;
 * until then they are refused in words. */
static void server_turn_away(struct cx_rpc_server *server, int64_t grace_us)
{
    int64_t left_us = grace_us / 4 < TURN_AWAY_US_MAX ? grace_us / 4 : TURN_AWAY_US_MAX;
    uint64_t before;

    if (left_us <= 0) {
        return;
    }
    do {
        const struct timespec pause = {.tv_nsec = TURN_AWAY_STEP_US * 1000};

        before = server_count_began(server);
        nanosleep(&pause, NULL);
        left_us -= TURN_AWAY_STEP_US;
    } while (left_us > 0 && server_count_began(server) != before);
}

static void server_shut_down(struct cx_rpc_server *server, int64_t grace_us)
{
    grpc_server_shutdown_and_notify(server->calls.grpc, server->queues[0].grpc,
                                    cx_tag_give(&server->shut_down));
    if (!server_wait(server, &grace_us)) {
        grpc_server_cancel_all_calls(server->calls.grpc);
        server_wait(server, NULL);
    }
}

void cx_rpc_server_stop(struct cx_rpc_server *server, int64_t grace_us)
{
    atomic_store(&server->calls.stopping, true);
    if (server->listening) {
        server_turn_away(server, grace_us);
        server_shut_down(server, grace_us);
    }
    /* No call comes in any more; those that wait for their handlers are still there. */
    for (size_t i = 0; i < server->queue_count; i++) {
        cx_queue_drain(&server->queues[i]);
    }
    for (size_t i = 0; i < server->queue_count; i++) {
        cx_queue_join(&server->queues[i]);
    }
    cx_workers_stop(&server->calls.workers);
}

void cx_rpc_server_statistics(const struct cx_rpc_server *server,
                              struct cx_rpc_statistics *ret_statistics)
{
    struct cx_rpc_statistics statistics = {
        .bytes_in_flight = cx_quota_used(&server->calls.bytes),
    };

    if (server->connections != NULL) {
        statistics.connections = cx_connections_open(server->connections);
        statistics.connections_refused = cx_connections_refused(server->connections);
    }
    for (size_t i = 0; i < server->queue_count; i++) {
        statistics.calls_in_flight += cx_queue_count(&server->queues[i].call_count);
    }
    statistics.handshakes_failed = cx_handshakes_failed(statistics.handshake_reason);
    *ret_statistics = statistics;
}

void cx_rpc_server_free(struct cx_rpc_server *server)
{
    if (server == NULL) {
        return;
    }
    grpc_server_destroy(server->calls.grpc);
    for (size_t i = 0; i < server->queue_count; i++) {
        cx_queue_done(&server->queues[i]);
    }
    while (server->endpoints != NULL) {
        struct cx_endpoint *next = server->endpoints->next;

        cx_endpoint_free(server->endpoints);
        server->endpoints = next;
    }
    cx_connections_unlimit(server->connections);
    cx_credentials_free(server->credentials);
    cx_workers_stop(&server->calls.workers);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    cx_free(server->queues);
    cx_free(server->listen);
    cx_free(server);
    grpc_shutdown();
}
