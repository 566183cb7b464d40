#include "clients/c/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/credentials.h"
#include "clients/c/error.h"
#include "clients/c/local.h"

static const char ADDRESS_DEFAULT[] = "127.0.0.1:7420";

enum {
    TIMEOUT_DEFAULT_MS = 10000,
    CONNECT_TIMEOUT_MS = 10000,
    RECONNECT_MIN_MS = 50,
    RECONNECT_MAX_MS = 1000,
    KEEPALIVE_TIME_MS = 30000, /* While a call waits, so that one without a deadline ends, too. */
    KEEPALIVE_TIMEOUT_MS = 20000,
    METADATA_SIZE_MAX = 32 * 1024, /* An error's message and details come as metadata. */
};

static grpc_arg integer_arg(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static const char *address_of(const struct cxc_options *options)
{
    return options->address != NULL ? options->address : ADDRESS_DEFAULT;
}

enum cxc_code cxc_options_check(const struct cxc_options *options, struct cxc_error *ret_error)
{
    const char *address = address_of(options);

    if (options->token != NULL && options->tls == NULL && !cxc_address_is_local(address)) {
        return cxc_error_set(ret_error, CXC_INVALID_ARGUMENT,
                             "the token would go to %s in plain text", address);
    }
    return CXC_OK;
}

/* NULL when out of memory. */
static grpc_channel *channel_new(const struct cxc_options *options)
{
    const char *address = address_of(options);
    const char *server_name = options->tls != NULL ? options->tls->server_name : NULL;
    grpc_channel_credentials *credentials = cxc_credentials_new(options);
    grpc_channel *channel;
    grpc_arg args[] = {
        integer_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1), /* A connection of its own. */
        integer_arg(GRPC_ARG_ENABLE_RETRIES, 0),            /* They are made here. */
        integer_arg(GRPC_ARG_ENABLE_HTTP_PROXY, 0), /* `http_proxy` is not for a loopback. */
        integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
        integer_arg(GRPC_ARG_MAX_METADATA_SIZE, METADATA_SIZE_MAX),
        integer_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_TIME_MS),
        integer_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
        integer_arg(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
        integer_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_MIN_MS),
        /* In spite of its name: how long one attempt to connect may take. */
        integer_arg(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_TIMEOUT_MS),
        integer_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MAX_MS),
        {
            .type = GRPC_ARG_STRING,
            .key = (char *)GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
            .value.string = (char *)server_name,
        },
    };
    size_t count = sizeof args / sizeof args[0];
    const grpc_channel_args channel_args = {server_name != NULL ? count : count - 1, args};

    if (credentials == NULL) {
        return NULL;
    }
    channel = grpc_channel_create(address, credentials, &channel_args);
    grpc_channel_credentials_release(credentials);
    return channel;
}

struct cxc_client *cxc_client_new(const struct cxc_options *options)
{
    struct cxc_client *client = calloc(1, sizeof *client);
    struct cxc_error refusal;

    if (client == NULL) {
        return NULL;
    }
    assert(options->timeout_ms >= 0);
    grpc_init();
    if (cxc_options_check(options, &refusal) == CXC_OK) {
        client->channel = channel_new(options);
    } else {
        client->channel = grpc_lame_client_channel_create(
            address_of(options), (grpc_status_code)refusal.code, refusal.message);
    }
    if (client->channel == NULL) {
        grpc_shutdown();
        free(client);
        return NULL;
    }
    client->timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS;
    client->no_repeats = options->no_repeats;
    client->tls = options->tls != NULL;
    pthread_mutex_init(&client->mutex, NULL);
    return client;
}

void cxc_client_free(struct cxc_client *client)
{
    if (client == NULL) {
        return;
    }
    grpc_channel_destroy(client->channel);
    while (client->methods != NULL) {
        struct cxc_method *next = client->methods->next;

        free(client->methods);
        client->methods = next;
    }
    pthread_mutex_destroy(&client->mutex);
    free(client);
    grpc_shutdown();
}

static struct cxc_method *method_find_locked(const struct cxc_client *client, const char *path)
{
    for (struct cxc_method *method = client->methods; method != NULL; method = method->next) {
        if (method->path == path || strcmp(method->path, path) == 0) {
            return method;
        }
    }
    return NULL;
}

static struct cxc_method *method_add_locked(struct cxc_client *client, const char *path)
{
    struct cxc_method *method = malloc(sizeof *method);

    if (method != NULL) {
        method->client = client;
        method->path = path;
        method->registration = grpc_channel_register_call(client->channel, path, NULL, NULL);
        method->next = client->methods;
        client->methods = method;
    }
    return method;
}

struct cxc_method *cxc_client_method(struct cxc_client *client, const char *path)
{
    struct cxc_method *method;

    pthread_mutex_lock(&client->mutex);
    method = method_find_locked(client, path);
    if (method == NULL) {
        method = method_add_locked(client, path);
    }
    pthread_mutex_unlock(&client->mutex);
    return method;
}

void cxc_response_free(void *response)
{
    if (response != NULL) {
        protobuf_c_message_free_unpacked(response, NULL);
    }
}
