/* The outcome of an operation that can fail.
 *
 * The values are those of the gRPC status codes (server/rpc asserts it), so that
 * a status crosses the wire unchanged. */

#ifndef CX_BASE_STATUS_H
#define CX_BASE_STATUS_H

enum cx_status {
    CX_OK = 0,
    CX_CANCELLED = 1,
    CX_UNKNOWN = 2,
    CX_INVALID_ARGUMENT = 3,
    CX_DEADLINE_EXCEEDED = 4,
    CX_NOT_FOUND = 5,
    CX_ALREADY_EXISTS = 6,
    CX_PERMISSION_DENIED = 7,
    CX_RESOURCE_EXHAUSTED = 8, /* Out of memory, disk or quota. */
    CX_FAILED_PRECONDITION = 9,
    CX_ABORTED = 10, /* Lost a race; the caller may retry. */
    CX_OUT_OF_RANGE = 11,
    CX_UNIMPLEMENTED = 12,
    CX_INTERNAL = 13,
    CX_UNAVAILABLE = 14,
    CX_DATA_LOSS = 15, /* Stored bytes are damaged. */
};

/* A failure that nobody looks at does not compile. */
#define CX_MUST_CHECK __attribute__((warn_unused_result))

#endif /* CX_BASE_STATUS_H */
