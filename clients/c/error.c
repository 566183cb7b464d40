#include "clients/c/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

static const char *const code_names[] = {
    [CXC_OK] = "OK",
    [CXC_CANCELLED] = "CANCELLED",
    [CXC_UNKNOWN] = "UNKNOWN",
    [CXC_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
    [CXC_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
    [CXC_NOT_FOUND] = "NOT_FOUND",
    [CXC_ALREADY_EXISTS] = "ALREADY_EXISTS",
    [CXC_PERMISSION_DENIED] = "PERMISSION_DENIED",
    [CXC_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
    [CXC_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
    [CXC_ABORTED] = "ABORTED",
    [CXC_OUT_OF_RANGE] = "OUT_OF_RANGE",
    [CXC_UNIMPLEMENTED] = "UNIMPLEMENTED",
    [CXC_INTERNAL] = "INTERNAL",
    [CXC_UNAVAILABLE] = "UNAVAILABLE",
    [CXC_DATA_LOSS] = "DATA_LOSS",
    [CXC_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

const char *cxc_code_name(enum cxc_code code)
{
    size_t index = (size_t)code;

    return index < sizeof code_names / sizeof code_names[0] ? code_names[index] : "UNKNOWN";
}

/* Copies what fits, cut at a whole character, with a NUL. */
static void text_copy(char *to, size_t capacity, const char *from, size_t size)
{
    assert(capacity > 0);
    if (size >= capacity) {
        size = capacity - 1;
        while (size > 0 && ((unsigned char)from[size] & 0xC0) == 0x80) {
            size--;
        }
    }
    memcpy(to, from, size);
    to[size] = '\0';
}

static void string_copy(char *to, size_t capacity, const char *from)
{
    text_copy(to, capacity, from, strlen(from));
}

static void error_add_value(struct cxc_error *error, const char *key, const char *value)
{
    if (error->value_count == CXC_VALUES_MAX) {
        return;
    }
    string_copy(error->values[error->value_count].key, CXC_VALUE_KEY_SIZE, key);
    string_copy(error->values[error->value_count].value, CXC_VALUE_SIZE, value);
    error->value_count++;
}

/* Rounded up, so that nobody comes back too early. */
static int64_t duration_ms(const Google__Protobuf__Duration *duration)
{
    return duration->seconds * 1000 + (duration->nanos + 999999) / 1000000;
}

/* Begins an error; what is not set is zero. */
static void error_begin(struct cxc_error *error, enum cxc_code code)
{
    error->code = code;
    error->reason[0] = '\0';
    error->message[0] = '\0';
    error->retry_delay_ms = 0;
    error->value_count = 0;
}

enum cxc_code cxc_error_set(struct cxc_error *error, enum cxc_code code, const char *format, ...)
{
    va_list args;

    error_begin(error, code);
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return code;
}

const char *cxc_error_value(const struct cxc_error *error, const char *key)
{
    for (size_t i = 0; i < error->value_count; i++) {
        if (strcmp(error->values[i].key, key) == 0) {
            return error->values[i].value;
        }
    }
    return NULL;
}

bool cxc_error_is_transient(const struct cxc_error *error)
{
    bool for_good = strcmp(error->reason, "CERTIFICATE_REJECTED") == 0 ||
                    strcmp(error->reason, "WRONG_SERVER") == 0;

    return (error->code == CXC_UNAVAILABLE && !for_good) ||
           strcmp(error->reason, "OVERLOADED") == 0;
}

void cxc_error_from_failure(const Contextd__V1__Failure *failure, struct cxc_error *ret_error)
{
    error_begin(ret_error, (enum cxc_code)failure->code);
    string_copy(ret_error->reason, sizeof ret_error->reason, failure->reason);
    string_copy(ret_error->message, sizeof ret_error->message, failure->message);
    for (size_t i = 0; i < failure->n_metadata; i++) {
        error_add_value(ret_error, failure->metadata[i]->key, failure->metadata[i]->value);
    }
    if (failure->retry_delay != NULL) {
        ret_error->retry_delay_ms = duration_ms(failure->retry_delay);
    }
}

/* ---- google.rpc.Status. ---------------------------------------------------- */

static void add_error_info(struct cxc_error *error, const ProtobufCBinaryData *packed)
{
    Google__Rpc__ErrorInfo *info = google__rpc__error_info__unpack(NULL, packed->len, packed->data);

    if (info == NULL) {
        return;
    }
    if (strcmp(info->domain, "contextd") == 0) {
        string_copy(error->reason, sizeof error->reason, info->reason);
        for (size_t i = 0; i < info->n_metadata; i++) {
            error_add_value(error, info->metadata[i]->key, info->metadata[i]->value);
        }
    }
    google__rpc__error_info__free_unpacked(info, NULL);
}

static void add_retry_info(struct cxc_error *error, const ProtobufCBinaryData *packed)
{
    Google__Rpc__RetryInfo *info = google__rpc__retry_info__unpack(NULL, packed->len, packed->data);

    if (info == NULL) {
        return;
    }
    if (info->retry_delay != NULL) {
        error->retry_delay_ms = duration_ms(info->retry_delay);
    }
    google__rpc__retry_info__free_unpacked(info, NULL);
}

static void add_detail(struct cxc_error *error, const Google__Protobuf__Any *any)
{
    const char *slash = strrchr(any->type_url, '/');
    const char *type = slash != NULL ? slash + 1 : any->type_url;

    if (strcmp(type, google__rpc__error_info__descriptor.name) == 0) {
        add_error_info(error, &any->value);
    } else if (strcmp(type, google__rpc__retry_info__descriptor.name) == 0) {
        add_retry_info(error, &any->value);
    }
}

void cxc_error_from_status(enum cxc_code code, const char *text, size_t text_size,
                           const uint8_t *details, size_t details_size, struct cxc_error *ret_error)
{
    Google__Rpc__Status *status;

    assert(code != CXC_OK);
    error_begin(ret_error, code);
    text_copy(ret_error->message, sizeof ret_error->message, text, text_size);
    if (details_size == 0) {
        return;
    }
    status = google__rpc__status__unpack(NULL, details_size, details);
    if (status == NULL) {
        return;
    }
    for (size_t i = 0; i < status->n_details; i++) {
        add_detail(ret_error, status->details[i]);
    }
    google__rpc__status__free_unpacked(status, NULL);
}
