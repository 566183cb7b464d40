#include "server/rpc/ending.h"

#include <assert.h>

#include <grpc/slice.h>

#include "server/rpc/status_details.h"

#define SAME(ours, theirs) static_assert((int)(ours) == (int)(theirs), "see core/base/status.h")

SAME(CX_OK, GRPC_STATUS_OK);
SAME(CX_CANCELLED, GRPC_STATUS_CANCELLED);
SAME(CX_UNKNOWN, GRPC_STATUS_UNKNOWN);
SAME(CX_INVALID_ARGUMENT, GRPC_STATUS_INVALID_ARGUMENT);
SAME(CX_DEADLINE_EXCEEDED, GRPC_STATUS_DEADLINE_EXCEEDED);
SAME(CX_NOT_FOUND, GRPC_STATUS_NOT_FOUND);
SAME(CX_ALREADY_EXISTS, GRPC_STATUS_ALREADY_EXISTS);
SAME(CX_PERMISSION_DENIED, GRPC_STATUS_PERMISSION_DENIED);
SAME(CX_RESOURCE_EXHAUSTED, GRPC_STATUS_RESOURCE_EXHAUSTED);
SAME(CX_FAILED_PRECONDITION, GRPC_STATUS_FAILED_PRECONDITION);
SAME(CX_ABORTED, GRPC_STATUS_ABORTED);
SAME(CX_OUT_OF_RANGE, GRPC_STATUS_OUT_OF_RANGE);
SAME(CX_UNIMPLEMENTED, GRPC_STATUS_UNIMPLEMENTED);
SAME(CX_INTERNAL, GRPC_STATUS_INTERNAL);
SAME(CX_UNAVAILABLE, GRPC_STATUS_UNAVAILABLE);
SAME(CX_DATA_LOSS, GRPC_STATUS_DATA_LOSS);

struct cx_ending cx_ending_ok(void)
{
    return (struct cx_ending){.code = GRPC_STATUS_OK, .text = grpc_empty_slice()};
}

struct cx_ending cx_ending_plain(enum cx_status status, const char *text)
{
    assert(status != CX_OK);
    return (struct cx_ending){
        .code = (grpc_status_code)status,
        .text = grpc_slice_from_static_string(text),
    };
}

struct cx_ending cx_ending_error(const struct cx_error *error)
{
    uint8_t details[CX_STATUS_DETAILS_SIZE_MAX];
    size_t size = cx_status_details_pack(error, details);

    return (struct cx_ending){
        .code = (grpc_status_code)cx_reason_status(error->reason),
        .text = grpc_slice_from_copied_string(error->message),
        .detail =
            {
                .key = grpc_slice_from_static_string("grpc-status-details-bin"),
                .value = grpc_slice_from_copied_buffer((const char *)details, size),
            },
        .detail_count = 1,
    };
}

void cx_ending_done(struct cx_ending *ending)
{
    grpc_slice_unref(ending->text);
    if (ending->detail_count > 0) {
        grpc_slice_unref(ending->detail.value);
    }
}
