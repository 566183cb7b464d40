#include "core/base/error.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"

static const struct {
    enum cx_status status;
    const char *name;
} reasons[CX_REASON_COUNT] = {
    [CX_REASON_NONE] = {CX_OK, ""},
    [CX_REASON_MALFORMED_REQUEST] = {CX_INVALID_ARGUMENT, "MALFORMED_REQUEST"},
    [CX_REASON_INVALID_FIELD] = {CX_INVALID_ARGUMENT, "INVALID_FIELD"},
    [CX_REASON_CONTEXT_NOT_FOUND] = {CX_NOT_FOUND, "CONTEXT_NOT_FOUND"},
    [CX_REASON_CONTEXT_EXISTS] = {CX_ALREADY_EXISTS, "CONTEXT_EXISTS"},
    [CX_REASON_VERSION_CONFLICT] = {CX_ABORTED, "VERSION_CONFLICT"},
    [CX_REASON_ENTRY_CONFLICT] = {CX_ABORTED, "ENTRY_CONFLICT"},
    [CX_REASON_HEAD_MOVED] = {CX_ABORTED, "HEAD_MOVED"},
    [CX_REASON_STREAM_STALLED] = {CX_ABORTED, "STREAM_STALLED"},
    [CX_REASON_SIZE_MISMATCH] = {CX_FAILED_PRECONDITION, "SIZE_MISMATCH"},
    [CX_REASON_HAS_CHILDREN] = {CX_FAILED_PRECONDITION, "HAS_CHILDREN"},
    [CX_REASON_PARENT_NOT_FOUND] = {CX_FAILED_PRECONDITION, "PARENT_NOT_FOUND"},
    [CX_REASON_REQUEST_ID_REUSED] = {CX_FAILED_PRECONDITION, "REQUEST_ID_REUSED"},
    [CX_REASON_SESSION_NOT_FOUND] = {CX_NOT_FOUND, "SESSION_NOT_FOUND"},
    [CX_REASON_STALE_FENCE] = {CX_FAILED_PRECONDITION, "STALE_FENCE"},
    [CX_REASON_CONTEXT_BUSY] = {CX_FAILED_PRECONDITION, "CONTEXT_BUSY"},
    [CX_REASON_NOT_ACTIVE] = {CX_FAILED_PRECONDITION, "NOT_ACTIVE"},
    [CX_REASON_RESOURCE_HELD] = {CX_FAILED_PRECONDITION, "RESOURCE_HELD"},
    [CX_REASON_RESOURCE_NOT_HELD] = {CX_FAILED_PRECONDITION, "RESOURCE_NOT_HELD"},
    [CX_REASON_RECOVERY_POINT_NOT_FOUND] = {CX_NOT_FOUND, "RECOVERY_POINT_NOT_FOUND"},
    [CX_REASON_NO_RECOVERY_POINTS] = {CX_NOT_FOUND, "NO_RECOVERY_POINTS"},
    [CX_REASON_RECOVERY_POINT_EXISTS] = {CX_ALREADY_EXISTS, "RECOVERY_POINT_EXISTS"},
    [CX_REASON_RECOVERY_POINT_PINNED] = {CX_FAILED_PRECONDITION, "RECOVERY_POINT_PINNED"},
    [CX_REASON_NO_COMMON_ANCESTOR] = {CX_FAILED_PRECONDITION, "NO_COMMON_ANCESTOR"},
    [CX_REASON_LIMIT_REACHED] = {CX_RESOURCE_EXHAUSTED, "LIMIT_REACHED"},
    [CX_REASON_RESPONSE_TOO_LARGE] = {CX_RESOURCE_EXHAUSTED, "RESPONSE_TOO_LARGE"},
    [CX_REASON_STORAGE_FULL] = {CX_RESOURCE_EXHAUSTED, "STORAGE_FULL"},
    [CX_REASON_OVERLOADED] = {CX_RESOURCE_EXHAUSTED, "OVERLOADED"},
    [CX_REASON_STATE_NOT_RETAINED] = {CX_OUT_OF_RANGE, "STATE_NOT_RETAINED"},
    [CX_REASON_CURSOR_COMPACTED] = {CX_OUT_OF_RANGE, "CURSOR_COMPACTED"},
    [CX_REASON_DAMAGED] = {CX_DATA_LOSS, "DAMAGED"},
    [CX_REASON_NOT_SUPPORTED] = {CX_UNIMPLEMENTED, "NOT_SUPPORTED"},
    [CX_REASON_NOT_READY] = {CX_UNAVAILABLE, "NOT_READY"},
    [CX_REASON_STOPPING] = {CX_UNAVAILABLE, "STOPPING"},
    [CX_REASON_STORAGE_FAILED] = {CX_UNAVAILABLE, "STORAGE_FAILED"},
};

enum cx_status cx_reason_status(enum cx_reason reason)
{
    assert(reason < CX_REASON_COUNT);
    return reasons[reason].status;
}

const char *cx_reason_name(enum cx_reason reason)
{
    assert(reason < CX_REASON_COUNT);
    return reasons[reason].name;
}

enum cx_status cx_error_set(struct cx_error *error, enum cx_reason reason, const char *format, ...)
{
    va_list args;
    int size;

    assert(reason != CX_REASON_NONE && reason < CX_REASON_COUNT);
    error->reason = reason;
    error->retry_delay_us = 0;
    error->detail_count = 0;
    error->text_size = 0;
    va_start(args, format);
    size = vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    if (size >= (int)sizeof error->message) {
        struct cx_bytes cut = {(const uint8_t *)error->message, sizeof error->message - 1};

        error->message[cx_text_whole_size(cut)] = '\0';
    }
    return cx_reason_status(reason);
}

void cx_error_detail(struct cx_error *error, const char *key, struct cx_bytes value)
{
    size_t room = sizeof error->text - error->text_size;
    size_t size =
        value.size <= room ? value.size : cx_text_whole_size((struct cx_bytes){value.data, room});

    assert(error->reason != CX_REASON_NONE);
    assert(error->detail_count < CX_ERROR_DETAILS_MAX);
    if (size > 0) {
        memcpy(error->text + error->text_size, value.data, size);
    }
    error->details[error->detail_count].key = key;
    error->details[error->detail_count].start = error->text_size;
    error->details[error->detail_count].size = size;
    error->detail_count++;
    error->text_size += size;
}

void cx_error_detail_number(struct cx_error *error, const char *key, uint64_t value)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%" PRIu64, value);
    cx_error_detail(error, key, cx_bytes_of(digits));
}

struct cx_bytes cx_error_detail_get(const struct cx_error *error, const char *key)
{
    for (size_t i = 0; i < error->detail_count; i++) {
        if (strcmp(error->details[i].key, key) == 0) {
            return (struct cx_bytes){(const uint8_t *)error->text + error->details[i].start,
                                     error->details[i].size};
        }
    }
    return (struct cx_bytes){0};
}

enum cx_status cx_error_limit(struct cx_error *error, const char *limit, uint64_t value)
{
    enum cx_status status = cx_error_set(error, CX_REASON_LIMIT_REACHED,
                                         "the limit %s of %" PRIu64 " is reached", limit, value);

    cx_error_detail(error, "limit", cx_bytes_of(limit));
    cx_error_detail_number(error, "value", value);
    return status;
}

enum cx_status cx_error_out_of_memory(struct cx_error *error)
{
    enum cx_status status = cx_error_set(error, CX_REASON_LIMIT_REACHED,
                                         "the server is out of memory; try again later");

    cx_error_detail(error, "limit", cx_bytes_of("memory"));
    return status;
}
