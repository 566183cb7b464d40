#include "server/rpc/credentials.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/base/memory.h"

/* Copies, owned. */
struct texts {
    char *certificate;
    char *key;
    char *client_ca; /* NULL: none. */
};

struct cx_credentials {
    bool mutual; /* Clients need certificates, too. */
    pthread_mutex_t mutex;
    struct texts texts; /* Guarded by `mutex`. */
    bool fetched;       /* By gRPC, since they were set. Likewise. */
};

static char *text_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = cx_alloc(size);

    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

static void texts_done(struct texts *texts)
{
    if (texts->key != NULL) {
        explicit_bzero(texts->key, strlen(texts->key));
    }
    cx_free(texts->certificate);
    cx_free(texts->key);
    cx_free(texts->client_ca);
}

static enum cx_status texts_copy(const struct cx_rpc_certificates *certificates,
                                 struct texts *ret_texts)
{
    bool mutual = certificates->client_ca != NULL;
    struct texts texts = {
        .certificate = text_copy(certificates->certificate),
        .key = text_copy(certificates->key),
        .client_ca = mutual ? text_copy(certificates->client_ca) : NULL,
    };

    if (texts.certificate == NULL || texts.key == NULL || (mutual && texts.client_ca == NULL)) {
        texts_done(&texts);
        return CX_RESOURCE_EXHAUSTED;
    }
    *ret_texts = texts;
    return CX_OK;
}

enum cx_status cx_credentials_new(const struct cx_rpc_certificates *certificates,
                                  struct cx_credentials **ret_credentials)
{
    struct cx_credentials *credentials = cx_calloc(sizeof *credentials);
    enum cx_status status;

    if (credentials == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    status = texts_copy(certificates, &credentials->texts);
    if (status != CX_OK) {
        cx_free(credentials);
        return status;
    }
    credentials->mutual = certificates->client_ca != NULL;
    pthread_mutex_init(&credentials->mutex, NULL);
    *ret_credentials = credentials;
    return CX_OK;
}

enum cx_status cx_credentials_set(struct cx_credentials *credentials,
                                  const struct cx_rpc_certificates *certificates)
{
    struct texts before;
    struct texts texts;
    enum cx_status status = texts_copy(certificates, &texts);

    if (status != CX_OK) {
        return status;
    }
    pthread_mutex_lock(&credentials->mutex);
    before = credentials->texts;
    credentials->texts = texts;
    credentials->fetched = false;
    pthread_mutex_unlock(&credentials->mutex);
    texts_done(&before);
    return CX_OK;
}

/* Asked by gRPC for each new connection. It aborts where there are no authorities, also
 * where clients are asked for no certificate and nothing looks at them: it gets the
 * server's own then.
 *
 * gRPC frees what it had before without looking whether another thread is about to use it. The
 * connections of one socket are taken one after the other, so that this needs two sockets
 * (localhost has them: IPv4 and IPv6), and a thread that stands still between two steps
 * for as long as it takes to load the new ones. */
static grpc_ssl_certificate_config_reload_status
on_fetch(void *arg, grpc_ssl_server_certificate_config **ret_config)
{
    struct cx_credentials *credentials = arg;
    grpc_ssl_certificate_config_reload_status status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;

    pthread_mutex_lock(&credentials->mutex);
    if (!credentials->fetched) {
        const grpc_ssl_pem_key_cert_pair pair = {
            .private_key = credentials->texts.key,
            .cert_chain = credentials->texts.certificate,
        };

        *ret_config = grpc_ssl_server_certificate_config_create(
            credentials->mutual ? credentials->texts.client_ca : credentials->texts.certificate,
            &pair, 1);
        credentials->fetched = true;
        status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
    }
    pthread_mutex_unlock(&credentials->mutex);
    return status;
}

grpc_server_credentials *cx_credentials_grpc(struct cx_credentials *credentials)
{
    if (credentials == NULL) {
        return grpc_insecure_server_credentials_create();
    }
    return grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            credentials->mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
            on_fetch, credentials));
}

void cx_credentials_free(struct cx_credentials *credentials)
{
    if (credentials == NULL) {
        return;
    }
    texts_done(&credentials->texts);
    pthread_mutex_destroy(&credentials->mutex);
    cx_free(credentials);
}
