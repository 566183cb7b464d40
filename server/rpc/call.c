/* What handlers do with a call: they prepare it here, on whichever thread, and the poller
 * starts it (call_run.c). */

#include "server/rpc/call.h"

#include <assert.h>

#include "server/rpc/call_state.h"
#include "server/rpc/endpoint.h"
#include "server/rpc/message.h"
#include "server/rpc/service.h"

void *cx_call_app(const struct cx_call *call)
{
    return call->endpoint->app;
}

void *cx_call_alloc(struct cx_call *call, size_t size)
{
    return cx_arena_alloc(&call->arena, size);
}

void cx_call_request_done(struct cx_call *call)
{
    assert(call->endpoint->method->kind == CX_METHOD_SERVER_STREAM);
    cx_arena_done(&call->message_arena);
    cx_quota_return(&call->endpoint->calls->bytes, &call->charge);
}

void *cx_call_state(const struct cx_call *call)
{
    return call->state;
}

void cx_call_set_state(struct cx_call *call, void *state)
{
    call->state = state;
}

size_t cx_call_message_size_max(const struct cx_call *call)
{
    return call->endpoint->calls->message_size_max;
}

bool cx_call_abandoned(const struct cx_call *call)
{
    return atomic_load(&call->gone) || cx_call_is_late(call);
}

static bool call_is_unary(const struct cx_call *call)
{
    return call->endpoint->method->kind == CX_METHOD_UNARY;
}

static struct cx_ending too_large_ending(const struct cx_call *call, size_t size)
{
    struct cx_error error;

    cx_error_set(&error, CX_REASON_RESPONSE_TOO_LARGE,
                 "the answer has %zu bytes, and a message at most %zu: ask for less at a time",
                 size, cx_call_message_size_max(call));
    cx_error_detail_number(&error, "size", size);
    cx_error_detail_number(&error, "limit", cx_call_message_size_max(call));
    return cx_ending_error(&error);
}

/* Whether a message of this size may be sent now. If it is too large, the stream ends. */
static bool call_may_send(struct cx_call *call, size_t size)
{
    assert(!call_is_unary(call));
    assert(call->outgoing == NULL); /* The last one has been sent. */
    if (size > cx_call_message_size_max(call)) {
        call->refusal = too_large_ending(call, size);
        cx_call_ask(call, CX_WISH_REFUSE);
        return false;
    }
    return true;
}

void cx_call_send(struct cx_call *call, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);

    if (call_may_send(call, size)) {
        call->outgoing = cx_message_pack(message, size);
        cx_call_ask(call, CX_WISH_SEND);
    }
}

void cx_call_send_bytes(struct cx_call *call, const struct cx_bytes *pieces, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        size += pieces[i].size;
    }
    if (call_may_send(call, size)) {
        call->outgoing = cx_message_join(pieces, count, size);
        cx_call_ask(call, CX_WISH_SEND);
    }
}

void cx_call_receive(struct cx_call *call)
{
    assert(call->endpoint->method->kind == CX_METHOD_BIDI_STREAM);
    cx_call_ask(call, CX_WISH_RECEIVE);
}

static void call_end(struct cx_call *call, struct cx_ending ending)
{
    call->ending = ending;
    call->waiting = false;
    cx_call_ask(call, CX_WISH_END);
}

void cx_call_reply(struct cx_call *call, const ProtobufCMessage *response)
{
    size_t size = protobuf_c_message_get_packed_size(response);

    assert(call_is_unary(call));
    if (size > cx_call_message_size_max(call)) {
        call_end(call, too_large_ending(call, size));
        return;
    }
    call->outgoing = cx_message_pack(response, size);
    call_end(call, cx_ending_ok());
}

void cx_call_finish(struct cx_call *call)
{
    assert(!call_is_unary(call));
    call_end(call, cx_ending_ok());
}

void cx_call_fail(struct cx_call *call, const struct cx_error *error)
{
    assert(error->reason != CX_REASON_NONE);
    call_end(call, cx_ending_error(error));
}

void cx_call_fail_plain(struct cx_call *call, enum cx_status status, const char *message)
{
    call_end(call, cx_ending_plain(status, message));
}

/* Checks that the waiter is at home. */
static struct cx_waiter *call_lend_waiter(struct cx_call *call)
{
    assert(!call->waiting && !call->parked);
    return &call->waiter;
}

struct cx_waiter *cx_call_wait(struct cx_call *call,
                               void (*resume)(struct cx_call *call, enum cx_status status))
{
    struct cx_waiter *waiter = call_lend_waiter(call);

    call->resume = resume;
    call->waiting = true;
    return waiter;
}

struct cx_waiter *cx_call_park(struct cx_call *call,
                               void (*resume)(struct cx_call *call, enum cx_status status))
{
    struct cx_waiter *waiter = call_lend_waiter(call);

    assert(!call_is_unary(call));
    assert(!call->left_told); /* `resume` would never run. */
    call->resume = resume;
    call->parked = true;
    return waiter;
}

void cx_call_offload(struct cx_call *call, void (*run)(struct cx_call *call))
{
    call->run = run;
    cx_call_ask(call, CX_WISH_OFFLOAD);
}

void cx_call_set_stall_limit(struct cx_call *call, int64_t stall_us)
{
    assert(!call_is_unary(call));
    call->stall_us = stall_us;
}

void cx_call_set_progress(struct cx_call *call, const char *name, struct cx_bytes position)
{
    call->progress_name = name;
    call->progress.size = 0;
    if (cx_buffer_append(&call->progress, position) != CX_OK) {
        call->progress.size = 0; /* Out of memory: the client goes by what it has read. */
    }
}
