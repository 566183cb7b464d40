#include "clients/ctxctl/connect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/request.h"

bool ctl_is_tls(const struct ctl *ctl)
{
    const struct ctl_security *security = &ctl->security;

    return security->tls || security->ca != NULL || security->cert != NULL ||
           security->server_name != NULL;
}

static enum ctl_exit check(const struct ctl *ctl, const struct cxc_options *options)
{
    const struct ctl_security *security = &ctl->security;
    struct cxc_error error;

    if ((security->cert != NULL) != (security->cert_key != NULL)) {
        return ctl_complain(ctl, CTL_USAGE,
                            "a certificate and its key come together: --cert and --cert-key");
    }
    if (cxc_options_check(options, &error) != CXC_OK) {
        return ctl_complain(ctl, CTL_USAGE, "%s: add --tls or --ca", error.message);
    }
    return CTL_OK;
}

/* Reads a file of PEM; NULL for none. */
static enum ctl_exit read_pem(struct ctl *ctl, const char *option, const char *path,
                              const char **ret_pem)
{
    struct ctl_bytes bytes;
    enum ctl_exit exit;

    *ret_pem = NULL;
    if (path == NULL) {
        return CTL_OK;
    }
    exit = ctl_read_file(ctl, path, &bytes);
    if (exit != CTL_OK) {
        return exit;
    }
    if (strstr(bytes.data, "-----BEGIN ") == NULL) {
        return ctl_complain(ctl, CTL_INPUT, "%s %s is no PEM file: one begins with -----BEGIN",
                            option, path);
    }
    *ret_pem = bytes.data;
    return CTL_OK;
}

static enum ctl_exit read_files(struct ctl *ctl, struct cxc_tls *tls)
{
    const struct ctl_security *security = &ctl->security;
    enum ctl_exit exit = read_pem(ctl, "--ca", security->ca, &tls->ca);

    if (exit == CTL_OK) {
        exit = read_pem(ctl, "--cert", security->cert, &tls->certificate);
    }
    if (exit == CTL_OK) {
        exit = read_pem(ctl, "--cert-key", security->cert_key, &tls->key);
    }
    return exit;
}

/* ---- Tokens. ---------------------------------------------------------------- */

/* Leaves the reason in `text` when there is no token in the file. */
static bool token_read(FILE *file, const char *path, char text[CXC_TOKEN_SIZE])
{
    size_t size = fread(text, 1, CXC_TOKEN_SIZE, file);
    const char *problem = "";

    while (size > 0 && strchr(" \r\n", text[size - 1]) != NULL) {
        size--;
    }
    if (size == 0) {
        problem = "is empty";
    } else if (size == CXC_TOKEN_SIZE) {
        problem = "is too long for a token";
    } else {
        text[size] = '\0';
        for (size_t i = 0; i < size; i++) {
            problem = text[i] <= ' ' || text[i] > '~' ? "must be one word of ASCII" : problem;
        }
    }
    if (problem[0] != '\0') {
        snprintf(text, CXC_TOKEN_SIZE, "the token file %s %s", path, problem);
    }
    return problem[0] == '\0';
}

/* Read anew each time, so that a token may be replaced while a command runs. */
static bool on_token(void *arg, char text[CXC_TOKEN_SIZE])
{
    const char *path = arg;
    FILE *file = fopen(path, "rb");
    bool ok;

    if (file == NULL) {
        snprintf(text, CXC_TOKEN_SIZE, "cannot open the token file %s: %s", path, strerror(errno));
        return false;
    }
    ok = token_read(file, path, text);
    fclose(file);
    return ok;
}

enum ctl_exit ctl_connect(struct ctl *ctl, bool no_repeats, struct cxc_client **ret_client)
{
    struct cxc_tls tls = {.server_name = ctl->security.server_name};
    struct cxc_options options = {
        .address = ctl->address,
        .timeout_ms = ctl->timeout_ms,
        .no_repeats = no_repeats,
        .tls = ctl_is_tls(ctl) ? &tls : NULL,
        .token = ctl->security.token_file != NULL ? on_token : NULL,
        .token_arg = (void *)ctl->security.token_file,
    };
    enum ctl_exit exit = check(ctl, &options);

    if (exit == CTL_OK) {
        exit = read_files(ctl, &tls);
    }
    if (exit == CTL_OK) {
        *ret_client = ctl_require(cxc_client_new(&options));
    }
    return exit;
}
