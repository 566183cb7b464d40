#include "server/tls/trial.h"

#include <stddef.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

/* A handshake has a few flights each way; long chains take some more turns. */
enum { TURNS_MAX = 1000 };

/* ---- The server's side, as gRPC sets it up. ---------------------------------- */

static bool use_chain(SSL_CTX *context, BIO *pem)
{
    X509 *own = PEM_read_bio_X509(pem, NULL, NULL, NULL);
    bool ok = own != NULL && SSL_CTX_use_certificate(context, own) == 1;
    X509 *next = NULL;

    X509_free(own);
    while (ok && (next = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL) {
        ok = SSL_CTX_add_extra_chain_cert(context, next) == 1;
        if (!ok) {
            X509_free(next); /* Else it belongs to the context. */
        }
    }
    if (ok) {
        ERR_clear_error(); /* The text has ended. */
    }
    return ok;
}

static bool use_key(SSL_CTX *context, BIO *pem)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL);
    bool ok = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;

    EVP_PKEY_free(key);
    return ok;
}

static SSL_CTX *server_new(const char *certificates, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    BIO *chain_pem = BIO_new_mem_buf(certificates, -1);
    BIO *key_pem = BIO_new_mem_buf(key, -1);
    bool ok = context != NULL && chain_pem != NULL && key_pem != NULL &&
              SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
              SSL_CTX_set1_groups_list(context, "P-256") == 1 && use_chain(context, chain_pem) &&
              use_key(context, key_pem);

    BIO_free(key_pem);
    BIO_free(chain_pem);
    if (!ok) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

/* ---- The handshake. ----------------------------------------------------------- */

static SSL *end_new(SSL_CTX *context, BIO *wire)
{
    SSL *end = context != NULL ? SSL_new(context) : NULL;

    if (end == NULL) {
        BIO_free(wire);
        return NULL;
    }
    SSL_set_bio(end, wire, wire); /* Takes it. */
    return end;
}

/* Lets both go on in turn until both are done. */
static bool shake_hands(SSL *server, SSL *client)
{
    SSL *const ends[] = {client, server};
    bool done[] = {false, false};

    for (int i = 0; i < TURNS_MAX && !(done[0] && done[1]); i++) {
        int result = SSL_do_handshake(ends[i % 2]);
        int error = SSL_get_error(ends[i % 2], result);

        if (result != 1 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
            return false;
        }
        done[i % 2] = result == 1;
    }
    return done[0] && done[1];
}

static bool meet(SSL_CTX *server_context)
{
    SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
    BIO *wires[2] = {NULL, NULL};
    SSL *server = NULL;
    SSL *client = NULL;
    bool ok = client_context != NULL && BIO_new_bio_pair(&wires[0], 0, &wires[1], 0) == 1;

    if (ok) {
        SSL_CTX_set_verify(client_context, SSL_VERIFY_NONE, NULL);
        server = end_new(server_context, wires[0]);
        client = end_new(client_context, wires[1]);
        ok = server != NULL && client != NULL;
    }
    if (ok) {
        SSL_set_accept_state(server);
        SSL_set_connect_state(client);
        ok = shake_hands(server, client);
    }
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(client_context);
    return ok;
}

bool cx_trial_handshake(const char *certificates, const char *key,
                        char ret_reason[CX_TRIAL_REASON_MAX])
{
    SSL_CTX *context = NULL;
    const char *reason = NULL;
    bool ok;

    ERR_clear_error();
    context = server_new(certificates, key);
    ok = context != NULL && meet(context);
    if (!ok) {
        reason = ERR_reason_error_string(ERR_peek_error()); /* The first, whence the others. */
        snprintf(ret_reason, CX_TRIAL_REASON_MAX, "%s", reason != NULL ? reason : "unknown reason");
    }
    SSL_CTX_free(context);
    ERR_clear_error();
    return ok;
}
