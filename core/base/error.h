/* A failure that the client should understand: a reason and its values.
 *
 * What always holds:
 *
 *  (1) The reason decides the status: a reason never travels with another one.
 *  (2) Setting an error never fails and never allocates; what is too long for it
 *      is cut at a whole character.
 *
 * The reasons and their details are those that the head of
 * proto/contextd/v1/resources.proto lists; docs/errors.md says what to do about
 * each.
 * Threads: an error belongs to whoever declared it. */

#ifndef CX_BASE_ERROR_H
#define CX_BASE_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

enum cx_reason {
    CX_REASON_NONE,
    CX_REASON_MALFORMED_REQUEST,
    CX_REASON_INVALID_FIELD,
    CX_REASON_CONTEXT_NOT_FOUND,
    CX_REASON_CONTEXT_EXISTS,
    CX_REASON_VERSION_CONFLICT,
    CX_REASON_ENTRY_CONFLICT,
    CX_REASON_HEAD_MOVED,
    CX_REASON_STREAM_STALLED,
    CX_REASON_SIZE_MISMATCH,
    CX_REASON_HAS_CHILDREN,
    CX_REASON_PARENT_NOT_FOUND,
    CX_REASON_REQUEST_ID_REUSED,
    CX_REASON_SESSION_NOT_FOUND,
    CX_REASON_STALE_FENCE,
    CX_REASON_CONTEXT_BUSY,
    CX_REASON_NOT_ACTIVE,
    CX_REASON_RESOURCE_HELD,
    CX_REASON_RESOURCE_NOT_HELD,
    CX_REASON_RECOVERY_POINT_NOT_FOUND,
    CX_REASON_NO_RECOVERY_POINTS,
    CX_REASON_RECOVERY_POINT_EXISTS,
    CX_REASON_RECOVERY_POINT_PINNED,
    CX_REASON_NO_COMMON_ANCESTOR,
    CX_REASON_LIMIT_REACHED,
    CX_REASON_RESPONSE_TOO_LARGE,
    CX_REASON_STORAGE_FULL,
    CX_REASON_OVERLOADED,
    CX_REASON_STATE_NOT_RETAINED,
    CX_REASON_CURSOR_COMPACTED,
    CX_REASON_DAMAGED,
    CX_REASON_NOT_SUPPORTED,
    CX_REASON_NOT_READY,
    CX_REASON_STOPPING,
    CX_REASON_STORAGE_FAILED, /* The disk refused; the process is about to end. */
    CX_REASON_COUNT,
};

enum {
    CX_ERROR_DETAILS_MAX = 4,
    CX_ERROR_TEXT_MAX = 2048,
    CX_ERROR_MESSAGE_MAX = 1024,
};

struct cx_error {
    enum cx_reason reason;  /* CX_REASON_NONE: no error, and the rest is not set. */
    int64_t retry_delay_us; /* When to try again. 0: not said. */
    size_t detail_count;
    struct {
        const char *key; /* A literal. */
        size_t start;    /* In `text`. */
        size_t size;
    } details[CX_ERROR_DETAILS_MAX];
    size_t text_size;
    char text[CX_ERROR_TEXT_MAX];       /* The values of the details, in a row. */
    char message[CX_ERROR_MESSAGE_MAX]; /* For people, a C string. */
};

/* The status that goes with a reason; CX_OK for CX_REASON_NONE. */
enum cx_status cx_reason_status(enum cx_reason reason);

/* The name on the wire, such as "VERSION_CONFLICT". */
const char *cx_reason_name(enum cx_reason reason);

/* Begins an error without details. Returns the reason's status, so that
 * `return cx_error_set(...)` reads well. */
enum cx_status cx_error_set(struct cx_error *error, enum cx_reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a value. `key` must be a literal. */
void cx_error_detail(struct cx_error *error, const char *key, struct cx_bytes value);
void cx_error_detail_number(struct cx_error *error, const char *key, uint64_t value);

/* The value of a detail, borrowed from the error; empty when there is none. */
struct cx_bytes cx_error_detail_get(const struct cx_error *error, const char *key);

/* LIMIT_REACHED {limit, value}: `limit` is the name of a limit or of a key of the
 * configuration. */
enum cx_status cx_error_limit(struct cx_error *error, const char *limit, uint64_t value);

/* Out of memory is a limit like any other: LIMIT_REACHED {limit: "memory"}. */
enum cx_status cx_error_out_of_memory(struct cx_error *error);

#endif /* CX_BASE_ERROR_H */
