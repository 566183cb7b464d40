#include "clients/ctxctl/fail.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clients/ctxctl/connect.h"
#include "clients/ctxctl/output.h"

static const struct {
    enum cxc_code code;
    enum ctl_exit exit;
} exits[] = {
    {CXC_INVALID_ARGUMENT, CTL_USAGE},   {CXC_NOT_FOUND, CTL_NOT_FOUND},
    {CXC_OUT_OF_RANGE, CTL_NOT_FOUND},   {CXC_ALREADY_EXISTS, CTL_REFUSED},
    {CXC_ABORTED, CTL_REFUSED},          {CXC_FAILED_PRECONDITION, CTL_REFUSED},
    {CXC_UNAVAILABLE, CTL_UNAVAILABLE},  {CXC_DEADLINE_EXCEEDED, CTL_UNAVAILABLE},
    {CXC_RESOURCE_EXHAUSTED, CTL_LIMIT},
};

/* `{key}` stands for a value of the error; of several for a reason, the first whose values the
 * error has. */
static const struct {
    const char *reason;
    const char *advice;
} advices[] = {
    {"CONTEXT_NOT_FOUND", "It had version {deleted_version}: while that is kept, `ctxctl restore "
                          "--undelete` brings it back"},
    {"CONTEXT_NOT_FOUND", "`ctxctl list` shows what there is, `ctxctl create` makes it"},
    {"CONTEXT_EXISTS", "Change it with `ctxctl update`, or choose another id"},
    {"VERSION_CONFLICT", "`--if-version {current_version}` would hold now"},
    {"ENTRY_CONFLICT", "`--if-entry {key}={current_version}` would hold now"},
    {"SIZE_MISMATCH", "`--if-size {current_size}` would hold now"},
    {"HAS_CHILDREN", "--recursive deletes them too"},
    {"PARENT_NOT_FOUND", "`ctxctl create {parent_id}` makes it, --create-parent too"},
    {"SESSION_NOT_FOUND", "`ctxctl session start` begins another"},
    {"CONTEXT_BUSY", "`ctxctl session get {session_id}` tells who has it, `ctxctl activate "
                     "--exclusive --takeover` takes it away"},
    {"NOT_ACTIVE", "`ctxctl session get` tells what is"},
    {"STALE_FENCE", "`ctxctl activate --exclusive` gives a new fence"},
    {"RESOURCE_HELD", "`ctxctl session get {session_id}` tells who has it"},
    {"RESOURCE_NOT_HELD", "`ctxctl resources` tells who holds what"},
    {"HEAD_MOVED", "Repeat it, or wait until less is written to it"},
    {"CURSOR_COMPACTED",
     "`--from {oldest_cursor}` or `--from oldest` begins with the oldest that is "
     "retained, `--snapshot` with the contexts as they are"},
    {"RECOVERY_POINT_NOT_FOUND", "`ctxctl points` shows those there are"},
    {"NO_RECOVERY_POINTS", "`ctxctl point create` makes one"},
    {"RECOVERY_POINT_EXISTS", "--replace gives it the new state, or choose another id"},
    {"RECOVERY_POINT_PINNED", "`ctxctl point update --unpin` lets go of it"},
    {"NO_COMMON_ANCESTOR", "--ancestor names the state that both came from"},
    {"STATE_NOT_RETAINED", "`ctxctl points` shows which recovery points there are"},
    {"LIMIT_REACHED",
     "The limit is {limit}: {value}; where it is a setting, the operator can change it"},
    {"RESPONSE_TOO_LARGE", "Ask for less: name a key or a prefix"},
    {"STORAGE_FULL", "The server's operator must make room"},
    {"OVERLOADED", "Repeat it later, or allow more time with --timeout"},
    {"NOT_READY", "Repeat it in a moment"},
    {"STOPPING", "Repeat it when the server is back"},
    {"CERTIFICATE_REJECTED", "--ca names the authorities to trust, --cert and --cert-key what to "
                             "show, --server-name what to expect; without any of them and without "
                             "--tls there is no TLS"},
    {"WRONG_SERVER", "--address or $CONTEXTD_ADDRESS names another; one that takes TLS only wants "
                     "--ca or --tls"},
    {"DAMAGED", "The server's operator must look at {file}"},
};

enum ctl_exit ctl_error_exit(const struct cxc_error *error)
{
    if (cxc_error_is_transient(error)) {
        return CTL_UNAVAILABLE;
    }
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++) {
        if (exits[i].code == error->code) {
            return exits[i].exit;
        }
    }
    return CTL_FAILED;
}

/* Copies the advice with its values in place. One that lacks a value says nothing. */
static bool advice_fill(const char *advice, const struct cxc_error *error,
                        char text[CTL_ADVICE_SIZE])
{
    size_t size = 0;

    while (*advice != '\0' && size + 1 < CTL_ADVICE_SIZE) {
        const char *end = *advice == '{' ? strchr(advice, '}') : NULL;
        char key[CXC_VALUE_KEY_SIZE];
        const char *value;

        if (end == NULL) {
            text[size++] = *advice++;
            continue;
        }
        snprintf(key, sizeof key, "%.*s", (int)(end - advice - 1), advice + 1);
        value = cxc_error_value(error, key);
        if (value == NULL) {
            return false;
        }
        size += (size_t)snprintf(text + size, CTL_ADVICE_SIZE - size, "%s", value);
        size = size < CTL_ADVICE_SIZE ? size : CTL_ADVICE_SIZE - 1;
        advice = end + 1;
    }
    text[size] = '\0';
    return true;
}

const char *ctl_error_advice(const struct ctl *ctl, const struct cxc_error *error,
                             char text[CTL_ADVICE_SIZE])
{
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
        if (strcmp(advices[i].reason, error->reason) == 0 &&
            advice_fill(advices[i].advice, error, text)) {
            return text;
        }
    }
    if (error->code == CXC_UNAVAILABLE && error->reason[0] == '\0') {
        snprintf(text, CTL_ADVICE_SIZE,
                 "Is contextd running at %s? --address or $CONTEXTD_ADDRESS names another%s",
                 ctl->address,
                 ctl_is_tls(ctl) ? "" : "; one that takes TLS only wants --ca or --tls");
        return text;
    }
    if (error->code == CXC_DEADLINE_EXCEEDED) {
        snprintf(text, CTL_ADVICE_SIZE,
                 "Allow more than %" PRId64 " ms with --timeout, or see whether it is contextd "
                 "that runs at %s",
                 ctl->timeout_ms, ctl->address);
        return text;
    }
    return "";
}

static void print_json(const char *what, const struct cxc_error *error)
{
    struct ctl_pool pool = {0};
    json_t *values = json_object();

    for (size_t i = 0; i < error->value_count; i++) {
        json_object_set_new(values, error->values[i].key, json_string(error->values[i].value));
    }
    ctl_json_print(json_pack("{s:{s:s, s:s, s:s, s:s, s:o}}", "error", "what",
                             ctl_text_escape(&pool, what, strlen(what), 0), "code",
                             cxc_code_name(error->code), "reason", error->reason, "message",
                             error->message, "metadata", values),
                   stderr);
    ctl_pool_done(&pool);
}

enum ctl_exit ctl_fail(const struct ctl *ctl, const struct cxc_error *error, const char *format,
                       ...)
{
    struct ctl_pool pool = {0};
    char text[CTL_ADVICE_SIZE];
    const char *advice = ctl_error_advice(ctl, error, text);
    char what[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (ctl->json) {
        print_json(what, error);
        return ctl_error_exit(error);
    }
    fprintf(stderr, "%sctxctl: %s:%s %s%s(%s)%s%s\n", ctl_color_on(ctl, stderr, CTL_RED),
            ctl_text_escape(&pool, what, strlen(what), 0), ctl_color_off(ctl, stderr),
            ctl_text_escape(&pool, error->message, strlen(error->message), 0),
            error->message[0] != '\0' ? " " : "",
            error->reason[0] != '\0' ? error->reason : cxc_code_name(error->code),
            advice[0] != '\0' ? ". " : "", ctl_text_escape(&pool, advice, strlen(advice), 0));
    ctl_pool_done(&pool);
    return ctl_error_exit(error);
}

enum ctl_exit ctl_complain(const struct ctl *ctl, enum ctl_exit code, const char *format, ...)
{
    struct ctl_pool pool = {0};
    char what[2048];
    const char *shown;
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    shown = ctl_text_escape(&pool, what, strlen(what), 0);
    if (ctl->json) {
        ctl_json_print(json_pack("{s:{s:s}}", "error", "what", shown), stderr);
    } else {
        fprintf(stderr, "%sctxctl:%s %s\n", ctl_color_on(ctl, stderr, CTL_RED),
                ctl_color_off(ctl, stderr), shown);
    }
    ctl_pool_done(&pool);
    return code;
}
