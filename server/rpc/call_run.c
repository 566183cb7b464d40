/* How a call moves. Everything that gRPC does for it, and everything that its handler
 * is told, happens on the poller of its queue:
 *
 *   a wish    what the handler asks for: `send`, `receive`, an end. Its thread gets it
 *             ready (packing is the expensive part) and the poller starts it: at once
 *             when it asks itself, else by way of the queue's list.
 *   an event  what the handler has to be told: `sent`, `received`, `left`, a resumed
 *             wait. Told at once, unless the call is on a worker: then when it is back.
 *             `left` also waits until the call does not wait, because it may end it.
 *
 * A call that is parked may be ended, and forgotten by all but whoever has its waiter:
 * that one's return is the last thing that it stays for, and resumes nothing any more.
 *
 * A unary call that is answered where it came in uses none of that: it is two steps,
 * cx_call_begin() and one batch. */

#include "server/rpc/call_state.h"

#include <assert.h>

#include <grpc/grpc.h>

#include "core/base/clock.h"
#include "core/base/container_of.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "server/rpc/endpoint.h"
#include "server/rpc/message.h"
#include "server/rpc/queue.h"
#include "server/rpc/service.h"

enum call_event {
    EVENT_RESUMED = 1 << 0,
    EVENT_STALLED = 1 << 1, /* Becomes EVENT_LEFT. */
    EVENT_LEFT = 1 << 2,
    EVENT_SENT = 1 << 3,
    EVENT_RECEIVED = 1 << 4,
};

#define STALLED "the client has not read this stream for too long"

/* Calls that are kept for the next ones. */
enum { FREE_CALLS_MAX = 1024 };

/* The call that the calling worker has. */
static _Thread_local const struct cx_call *offloaded_here;

/* ---- Life. ------------------------------------------------------------------ */

static void on_closed(struct cx_tag *tag, bool ok);
static void on_sent(struct cx_tag *tag, bool ok);
static void on_received(struct cx_tag *tag, bool ok);
static void on_ended(struct cx_tag *tag, bool ok);
static void on_posted(struct cx_work *work);
static void on_job(struct cx_work *work);
static void on_waited(struct cx_work *work);
static void on_deferred(struct cx_work *work);

struct cx_call *cx_call_new(struct cx_queue *queue)
{
    struct cx_call *call = cx_queue_take_call(queue);

    if (call == NULL) {
        call = cx_calloc(sizeof *call);
        if (call == NULL) {
            return NULL;
        }
    }
    *call = (struct cx_call){
        .queue = queue,
        .closed.done = on_closed,
        .sent.done = on_sent,
        .received.done = on_received,
        .ended.done = on_ended,
        .posted.run = on_posted,
        .job.run = on_job,
        .deferred.run = on_deferred,
        .waiter.work.run = on_waited,
        .holds = 1,
        .arena = call->arena,
        .message_arena = call->message_arena,
        .progress = call->progress,
    };
    cx_queue_call_began(queue);
    return call;
}

void cx_call_free(struct cx_call *call)
{
    cx_arena_done(&call->arena);
    cx_arena_done(&call->message_arena);
    cx_buffer_done(&call->progress);
    cx_free(call);
}

/* Makes the call ready for the next one. */
static void call_recycle(struct cx_call *call)
{
    struct cx_queue *queue = call->queue;

    assert(!call->stall.watched && !call->offloaded && call->outgoing == NULL);
    grpc_call_unref(call->grpc);
    grpc_byte_buffer_destroy(call->incoming);
    if (call->broken_set) {
        cx_ending_done(&call->broken);
    }
    cx_quota_return(&call->endpoint->calls->bytes, &call->charge);
    if (queue->free_count < FREE_CALLS_MAX) {
        cx_arena_reset(&call->arena);
        cx_arena_reset(&call->message_arena);
        call->progress.size = 0;
        call->next_free = queue->free_calls;
        queue->free_calls = call;
        queue->free_count++;
    } else {
        cx_call_free(call);
    }
    cx_queue_call_gone(queue);
}

static void call_release(struct cx_call *call)
{
    assert(call->holds > 0);
    if (--call->holds == 0 && !call->parked) {
        call_recycle(call);
    }
}

/* Starts a batch. From here on, `tag` runs once, whatever happens, and releases. */
static void call_start(struct cx_call *call, const grpc_op *ops, size_t count, struct cx_tag *tag)
{
    grpc_call_error error;

    call->holds++;
    error = grpc_call_start_batch(call->grpc, ops, count, cx_tag_give(tag), NULL);
    assert(error == GRPC_CALL_OK); /* Else the call was ended twice, or sent on too early. */
    (void)error;
}

/* ---- The end. --------------------------------------------------------------- */

/* Adds the operation that opens the answer, once. Returns how many were added. */
static size_t call_open_answer(struct cx_call *call, grpc_op *ops)
{
    if (call->opened) {
        return 0;
    }
    call->opened = true;
    ops->op = GRPC_OP_SEND_INITIAL_METADATA;
    return 1;
}

static void call_start_close(struct cx_call *call)
{
    const grpc_op close = {
        .op = GRPC_OP_RECV_CLOSE_ON_SERVER,
        .data.recv_close_on_server.cancelled = &call->cancelled,
    };

    if (!call->watched) {
        call->watched = true;
        call_start(call, &close, 1, &call->closed);
    }
}

/* Sends all that is left to send, in one batch: `outgoing` of a unary call, and the
 * status. The handler's hold goes. */
static void call_start_end(struct cx_call *call)
{
    struct cx_ending *ending = call->broken_set ? &call->broken : &call->ending;
    grpc_op ops[4] = {0};
    size_t count = call_open_answer(call, ops);

    assert(!call->ended_started);
    call->ended_started = true;
    if (call->outgoing != NULL) {
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count++].data.send_message.send_message = call->outgoing;
    }
    ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[count].data.send_status_from_server.status = ending->code;
    ops[count].data.send_status_from_server.status_details = &ending->text;
    ops[count].data.send_status_from_server.trailing_metadata = &ending->detail;
    ops[count++].data.send_status_from_server.trailing_metadata_count = ending->detail_count;
    if (!call->watched) {
        ops[count].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
        ops[count++].data.recv_close_on_server.cancelled = &call->cancelled;
    }
    call_start(call, ops, count, &call->ended);
    grpc_byte_buffer_destroy(call->outgoing);
    call->outgoing = NULL;
    cx_ending_done(&call->ending);
    call_release(call);
}

static void on_ended(struct cx_tag *tag, bool ok)
{
    (void)ok; /* Whether the client got it or not, the call is over. */
    call_release(CX_CONTAINER_OF(tag, struct cx_call, ended));
}

/* ---- Events. ---------------------------------------------------------------- */

/* Decides how the call will end, whatever its handler says, and tells the handler that
 * it is over. The first decision counts. Takes over `ending`. */
static void call_break(struct cx_call *call, struct cx_ending ending)
{
    if (call->broken_set || call->left_told) {
        cx_ending_done(&ending);
        return;
    }
    call->broken_set = true;
    call->broken = ending;
    call->events |= EVENT_LEFT;
}

static struct cx_ending stalled_ending(const struct cx_call *call)
{
    struct cx_error error;

    if (call->progress_name == NULL) {
        cx_error_set(&error, CX_REASON_STREAM_STALLED, STALLED);
    } else {
        cx_error_set(&error, CX_REASON_STREAM_STALLED, STALLED "; go on behind `%s`",
                     call->progress_name);
        cx_error_detail(&error, call->progress_name, cx_buffer_bytes(&call->progress));
    }
    return cx_ending_error(&error);
}

static struct cx_ending unpack_ending(enum cx_reason reason)
{
    struct cx_error error;

    switch (reason) {
    case CX_REASON_OVERLOADED:
        cx_error_set(&error, reason, "the server works on as many bytes as it may; try again");
        error.retry_delay_us = CX_OVERLOADED_RETRY_US;
        break;
    case CX_REASON_LIMIT_REACHED:
        cx_error_out_of_memory(&error);
        break;
    default:
        assert(reason == CX_REASON_MALFORMED_REQUEST);
        cx_error_set(&error, reason, "the request is not a message of the type that it should be");
    }
    return cx_ending_error(&error);
}

static void tell_received(struct cx_call *call)
{
    const struct cx_endpoint *endpoint = call->endpoint;
    grpc_byte_buffer *incoming = call->incoming;
    struct cx_charge charge = {0};
    ProtobufCMessage *request = NULL;
    enum cx_reason reason;

    call->incoming = NULL; /* The handler may receive the next meanwhile. */
    if (incoming == NULL) {
        endpoint->method->received(call, NULL);
        return;
    }
    reason = cx_message_unpack(incoming, endpoint->input, &call->message_arena,
                               &endpoint->calls->bytes, &charge, &request);
    grpc_byte_buffer_destroy(incoming);
    if (reason == CX_REASON_NONE) {
        endpoint->method->received(call, request);
    } else {
        call_break(call, unpack_ending(reason));
    }
    cx_quota_return(&endpoint->calls->bytes, &charge);
    cx_arena_reset(&call->message_arena);
}

/* Takes the next event that the handler may be told now; 0: none. */
static unsigned call_take_event(struct cx_call *call)
{
    unsigned event;

    if (call->events == 0 || call->offloaded || call->ended_started ||
        (atomic_load(&call->asked) & CX_WISH_END) != 0) {
        return 0;
    }
    if (call->events & EVENT_RESUMED) {
        event = EVENT_RESUMED;
    } else if (call->events & EVENT_STALLED) {
        event = EVENT_STALLED;
    } else if (call->events & EVENT_LEFT || call->left_told) {
        /* What else has happened does not matter to a client that is gone. */
        event = call->waiting || call->left_told ? 0 : EVENT_LEFT;
    } else {
        event = call->events & EVENT_SENT ? EVENT_SENT : EVENT_RECEIVED;
    }
    call->events &= ~event;
    return event;
}

static void call_tell(struct cx_call *call, unsigned event)
{
    switch (event) {
    case EVENT_RESUMED:
        call->waiting = false;
        call->resume(call, call->waiter.status);
        break;
    case EVENT_STALLED:
        call_break(call, stalled_ending(call));
        break;
    case EVENT_LEFT:
        call->left_told = true;
        call->endpoint->method->left(call);
        break;
    case EVENT_SENT:
        call->endpoint->method->sent(call);
        break;
    default:
        tell_received(call);
    }
}

/* Tells the handler what it may be told, and lets go of a hold. */
static void call_tell_all(struct cx_call *call)
{
    unsigned event;

    while ((event = call_take_event(call)) != 0) {
        call_tell(call, event);
    }
    call_release(call);
}

/* ---- What gRPC tells us. ---------------------------------------------------- */

static void on_closed(struct cx_tag *tag, bool ok)
{
    struct cx_call *call = CX_CONTAINER_OF(tag, struct cx_call, closed);

    (void)ok; /* Always true for this operation. */
    atomic_store(&call->gone, true);
    if (call->endpoint->method != NULL && call->endpoint->method->left != NULL) {
        call->events |= EVENT_LEFT;
    }
    call_tell_all(call);
}

static void on_sent(struct cx_tag *tag, bool ok)
{
    struct cx_call *call = CX_CONTAINER_OF(tag, struct cx_call, sent);

    call->sending = false;
    cx_stalls_remove(&call->queue->stalls, &call->stall);
    if (!ok) { /* The client left: on_closed() follows. */
        call_release(call);
    } else if (cx_queue_send_went(call->queue)) {
        cx_queue_defer(call->queue, &call->deferred);
    } else {
        on_deferred(&call->deferred);
    }
}

static void on_deferred(struct cx_work *work)
{
    struct cx_call *call = CX_CONTAINER_OF(work, struct cx_call, deferred);

    call->events |= EVENT_SENT;
    call_tell_all(call);
}

static void on_received(struct cx_tag *tag, bool ok)
{
    struct cx_call *call = CX_CONTAINER_OF(tag, struct cx_call, received);

    call->receiving = false;
    /* A stream that breaks off looks like one that ends, but for this: */
    if (call->incoming != NULL || (ok && !grpc_call_failed_before_recv_message(call->grpc))) {
        call->events |= EVENT_RECEIVED;
    }
    call_tell_all(call);
}

void cx_call_stalled(struct cx_call *call, int64_t now_us)
{
    if (call->ended_started || call->left_told) {
        /* The status is stuck behind the message. */
        grpc_call_cancel_with_status(call->grpc, GRPC_STATUS_ABORTED, STALLED, NULL);
        return;
    }
    cx_stalls_add(&call->queue->stalls, &call->stall, now_us, call->stall.limit_us);
    call->events |= EVENT_STALLED;
    call->holds++;
    call_tell_all(call);
}

static void on_waited(struct cx_work *work)
{
    struct cx_waiter *waiter = CX_CONTAINER_OF(work, struct cx_waiter, work);
    struct cx_call *call = CX_CONTAINER_OF(waiter, struct cx_call, waiter);

    if (!call->parked || !call->left_told) { /* Else the handler is done with it. */
        call->events |= EVENT_RESUMED;
    }
    call->holds++;
    call->parked = false;
    call_tell_all(call);
}

/* ---- Wishes, on the poller. ------------------------------------------------- */

static void call_start_send(struct cx_call *call)
{
    grpc_op ops[2] = {0};
    size_t count = call_open_answer(call, ops);

    assert(!call->sending);
    call->sending = true;
    ops[count].op = GRPC_OP_SEND_MESSAGE;
    ops[count++].data.send_message.send_message = call->outgoing;
    if (call->stall_us > 0) {
        cx_stalls_add(&call->queue->stalls, &call->stall,
                      cx_clock_system.monotonic_us(&cx_clock_system), call->stall_us);
    }
    call_start(call, ops, count, &call->sent);
    grpc_byte_buffer_destroy(call->outgoing);
    call->outgoing = NULL;
}

static void call_start_receive(struct cx_call *call)
{
    const grpc_op receive = {
        .op = GRPC_OP_RECV_MESSAGE,
        .data.recv_message.recv_message = &call->incoming,
    };

    assert(!call->receiving && call->incoming == NULL);
    call->receiving = true;
    call_start(call, &receive, 1, &call->received);
}

static void call_start_offload(struct cx_call *call)
{
    call->holds++;
    call->offloaded = true;
    call_start_close(call); /* So that long work can see that it is for nobody. */
    cx_workers_add(&call->endpoint->calls->workers, &call->job);
}

static void call_fulfil(struct cx_call *call, unsigned wishes)
{
    if (wishes & CX_WISH_SEND) {
        call_start_send(call);
    }
    if (wishes & CX_WISH_RECEIVE) {
        call_start_receive(call);
    }
    if (wishes & CX_WISH_REFUSE) {
        call_break(call, call->refusal);
    }
    if (wishes & CX_WISH_OFFLOAD) {
        call_start_offload(call);
    }
    if (wishes & CX_WISH_END) {
        call_start_end(call);
    }
}

/* Another thread asked for something, or a worker is done. */
static void on_posted(struct cx_work *work)
{
    struct cx_call *call = CX_CONTAINER_OF(work, struct cx_call, posted);
    unsigned wishes = atomic_exchange(&call->asked, 0);

    if (wishes & CX_WISH_RETURN) {
        call->offloaded = false; /* Its hold becomes ours. */
    } else {
        call->holds++;
    }
    call_fulfil(call, wishes);
    call_tell_all(call);
}

static void call_post(struct cx_call *call)
{
    cx_queue_post(call->queue, &(struct cx_work_list){&call->posted, &call->posted});
}

static void on_job(struct cx_work *work)
{
    struct cx_call *call = CX_CONTAINER_OF(work, struct cx_call, job);

    offloaded_here = call;
    call->run(call);
    offloaded_here = NULL;
    atomic_fetch_or(&call->asked, CX_WISH_RETURN);
    call_post(call);
}

/* An end must not overtake what another thread has asked for: a client may leave while
 * a message is on its way to this thread. */
static bool must_queue_up(const struct cx_call *call, unsigned wish)
{
    return (wish & CX_WISH_END) != 0 && atomic_load(&call->asked) != 0;
}

void cx_call_ask(struct cx_call *call, unsigned wish)
{
    if (offloaded_here == call) {
        atomic_fetch_or(&call->asked, wish); /* Handed over when `run` returns. */
    } else if (cx_queue_current() != call->queue || must_queue_up(call, wish)) {
        if (atomic_fetch_or(&call->asked, wish) == 0) {
            call_post(call);
        }
    } else {
        call->holds++;
        call_fulfil(call, wish);
        call_release(call);
    }
}

/* A client that left may have been waiting for this. */
void cx_call_unwait(struct cx_call *call)
{
    bool here = cx_queue_current() == call->queue && (call->events & EVENT_LEFT) == 0;

    call->waiting = false;
    if (!here && offloaded_here != call && atomic_fetch_or(&call->asked, CX_WISH_LOOK) == 0) {
        call_post(call);
    }
}

void cx_call_unpark(struct cx_call *call)
{
    assert(call->parked);
    call->parked = false;
    /* On a worker it has a hold; else it may be over, and have stayed for this alone. */
    if (offloaded_here != call) {
        assert(cx_queue_current() == call->queue);
        if (call->holds == 0) {
            call_recycle(call);
        }
    }
}

/* ---- A call comes in. ------------------------------------------------------- */

void cx_call_refuse(struct cx_call *call, struct cx_ending ending)
{
    call->ending = ending;
    call_start_end(call);
}

bool cx_call_is_late(const struct cx_call *call)
{
    return gpr_time_cmp(call->deadline, gpr_inf_future(call->deadline.clock_type)) != 0 &&
           gpr_time_cmp(call->deadline, gpr_now(call->deadline.clock_type)) <= 0;
}

/* The reason why there is no first message. */
static enum cx_reason call_missing_payload(const struct cx_call *call)
{
    /* gRPC had no memory for it, or the client is gone and does not mind. */
    return grpc_call_failed_before_recv_message(call->grpc) ? CX_REASON_OVERLOADED
                                                            : CX_REASON_MALFORMED_REQUEST;
}

static void call_begin_with_request(struct cx_call *call, grpc_byte_buffer *payload)
{
    const struct cx_endpoint *endpoint = call->endpoint;
    ProtobufCMessage *request = NULL;
    enum cx_reason reason;

    if (payload == NULL) {
        cx_call_refuse(call, unpack_ending(call_missing_payload(call)));
        return;
    }
    reason = cx_message_unpack(
        payload, endpoint->input,
        endpoint->method->kind == CX_METHOD_SERVER_STREAM ? &call->message_arena : &call->arena,
        &endpoint->calls->bytes, &call->charge, &request);
    if (reason != CX_REASON_NONE) {
        cx_call_refuse(call, unpack_ending(reason));
        return;
    }
    endpoint->method->handle(call, request);
}

void cx_call_begin(struct cx_call *call, grpc_byte_buffer *payload)
{
    const struct cx_method *method = call->endpoint->method;

    if (atomic_load_explicit(&call->endpoint->calls->stopping, memory_order_relaxed)) {
        struct cx_error error;

        cx_error_set(&error, CX_REASON_STOPPING, "the server is stopping");
        cx_call_refuse(call, cx_ending_error(&error));
    } else if (cx_call_is_late(call)) {
        cx_call_refuse(call, cx_ending_plain(CX_DEADLINE_EXCEEDED, "too late on arrival"));
    } else {
        call->holds++;
        if (method->kind != CX_METHOD_UNARY) {
            call_start_close(call);
        }
        if (method->kind == CX_METHOD_BIDI_STREAM) {
            method->handle(call, NULL);
        } else {
            call_begin_with_request(call, payload);
        }
        call_tell_all(call);
    }
    grpc_byte_buffer_destroy(payload);
}
