/* Unary calls with a callback: one batch there and back. */

#include <stdlib.h>

#include <grpc/byte_buffer.h>

#include "clients/c/client.h"
#include "clients/c/error.h"
#include "clients/c/loop.h"

struct call {
    struct cxc_tag tag; /* First: a tag is its call. */
    struct cxc_exchange exchange;
    cxc_done_fn done;
    void *arg;
};

static void call_free(struct call *call)
{
    cxc_exchange_done(&call->exchange);
    free(call);
}

static void call_fail(struct call *call, const struct cxc_error *error)
{
    call->done(call->arg, (struct cxc_bytes){0}, error);
    call_free(call);
}

static void on_done(struct cxc_tag *tag, bool ok)
{
    struct call *call = (struct call *)tag;
    struct cxc_error error;
    grpc_slice slice;

    (void)ok; /* A batch that receives the status always happens. */
    if (cxc_exchange_result(&call->exchange, &error) != CXC_OK) {
        call_fail(call, &error);
        return;
    }
    if (!cxc_exchange_take(&call->exchange, &slice)) {
        cxc_error_set(&error, CXC_INTERNAL, "the server answered OK without a message");
        call_fail(call, &error);
        return;
    }
    call->done(call->arg, (struct cxc_bytes){GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice)},
               NULL);
    grpc_slice_unref(slice);
    call_free(call);
}

void cxc_start(struct cxc_loop *loop, struct cxc_method *method, struct cxc_bytes request,
               int64_t timeout_ms, cxc_done_fn done, void *arg)
{
    struct call *call = cxc_must_alloc(sizeof *call);
    grpc_byte_buffer *message = cxc_message_copy(request);
    grpc_op ops[CXC_OPENING_OPS + 2];

    call->tag.done = on_done;
    call->done = done;
    call->arg = arg;
    cxc_exchange_init(&call->exchange, method, loop->queue, timeout_ms);
    cxc_exchange_opening(&call->exchange, message, ops);
    ops[CXC_OPENING_OPS] = cxc_exchange_receive_message(&call->exchange);
    ops[CXC_OPENING_OPS + 1] = cxc_exchange_receive_status(&call->exchange);
    cxc_loop_start(loop, call->exchange.call, ops, CXC_OPENING_OPS + 2, &call->tag);
    grpc_byte_buffer_destroy(message);
}
