#include "clients/c/credentials.h"

#include <stdlib.h>
#include <string.h>

#include <grpc/slice.h>
#include <grpc/support/string_util.h>

static grpc_channel_credentials *connection_credentials(const struct cxc_tls *tls)
{
    if (tls == NULL) {
        return grpc_insecure_credentials_create();
    }
    grpc_ssl_pem_key_cert_pair own = {.private_key = tls->key, .cert_chain = tls->certificate};

    return grpc_ssl_credentials_create(tls->ca, tls->certificate != NULL ? &own : NULL, NULL, NULL);
}

/* ---- Tokens. ---------------------------------------------------------------- */

struct token_source {
    cxc_token_fn give;
    void *arg;
};

/* Asked by gRPC for each call. */
static int on_metadata(void *state, grpc_auth_metadata_context context,
                       grpc_credentials_plugin_metadata_cb done, void *user_data,
                       grpc_metadata metadata[GRPC_METADATA_CREDENTIALS_PLUGIN_SYNC_MAX],
                       size_t *ret_count, grpc_status_code *ret_status, const char **ret_text)
{
    const struct token_source *source = state;
    char value[CXC_TOKEN_SIZE + sizeof "Bearer "] = "Bearer ";
    char *token = value + strlen(value);

    (void)context;
    (void)done;
    (void)user_data;
    *ret_count = 0;
    *ret_text = NULL;
    if (!source->give(source->arg, token)) {
        token[CXC_TOKEN_SIZE - 1] = '\0';
        *ret_status = GRPC_STATUS_UNAUTHENTICATED;
        *ret_text = gpr_strdup(token);
        return 1;
    }
    metadata[0] = (grpc_metadata){
        .key = grpc_slice_from_static_string("authorization"),
        .value = grpc_slice_from_copied_string(value),
    };
    *ret_count = 1;
    *ret_status = GRPC_STATUS_OK;
    return 1; /* It is done already. */
}

static grpc_call_credentials *token_credentials(const struct cxc_options *options)
{
    struct token_source *source = malloc(sizeof *source);

    if (source == NULL) {
        return NULL;
    }
    *source = (struct token_source){.give = options->token, .arg = options->token_arg};
    const grpc_metadata_credentials_plugin plugin = {
        .get_metadata = on_metadata,
        .destroy = free,
        .state = source,
        .type = "contextd-token",
    };

    return grpc_metadata_credentials_create_from_plugin(
        plugin, options->tls != NULL ? GRPC_PRIVACY_AND_INTEGRITY : GRPC_SECURITY_NONE, NULL);
}

grpc_channel_credentials *cxc_credentials_new(const struct cxc_options *options)
{
    grpc_channel_credentials *connection = connection_credentials(options->tls);
    grpc_channel_credentials *both;
    grpc_call_credentials *token;

    if (options->token == NULL) {
        return connection;
    }
    token = token_credentials(options);
    if (token == NULL) {
        grpc_channel_credentials_release(connection);
        return NULL;
    }
    both = grpc_composite_channel_credentials_create(connection, token, NULL);
    grpc_channel_credentials_release(connection);
    grpc_call_credentials_release(token);
    return both;
}
