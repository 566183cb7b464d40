/* Streams in both directions. Four batches can be pending: the one that opens the
 * stream, one message out, one message in, and the status. The stream has ended when
 * none is: by then every message that came has been handed over. */

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>

#include "clients/c/client.h"
#include "clients/c/error.h"
#include "clients/c/loop.h"

/* A message that waits for the one before it to be sent. */
struct outgoing {
    grpc_byte_buffer *message;
    struct outgoing *next;
};

struct cxc_stream {
    struct cxc_loop *loop;
    const struct cxc_stream_events *events;
    void *arg;
    struct cxc_exchange exchange;
    struct cxc_tag opened;
    struct cxc_tag sent;
    struct cxc_tag received;
    struct cxc_tag closed;
    unsigned pending; /* Batches, of the four. */
    bool sending;     /* A message is on its way out. */
    bool broken;      /* What is sent from now on goes nowhere. */
    bool finishing;   /* Nothing more will be given to send. */
    bool finished;    /* The end itself has been sent. */
    struct outgoing *first;
    struct outgoing **last; /* Where the next one is linked in. */
};

#define STREAM_OF(tag_pointer, member)                                                             \
    ((struct cxc_stream *)((char *)(tag_pointer)-offsetof(struct cxc_stream, member)))

static void stream_start(struct cxc_stream *stream, const grpc_op *ops, size_t count,
                         struct cxc_tag *tag)
{
    stream->pending++;
    cxc_loop_start(stream->loop, stream->exchange.call, ops, count, tag);
}

static void outgoing_drop(struct cxc_stream *stream)
{
    while (stream->first != NULL) {
        struct outgoing *next = stream->first->next;

        grpc_byte_buffer_destroy(stream->first->message);
        free(stream->first);
        stream->first = next;
    }
    stream->last = &stream->first;
}

/* Counts a batch that has come back; the last one ends the stream. */
static void stream_release(struct cxc_stream *stream)
{
    struct cxc_error error;
    bool failed;

    if (--stream->pending > 0) {
        return;
    }
    failed = cxc_exchange_result(&stream->exchange, &error) != CXC_OK;
    outgoing_drop(stream);
    stream->events->ended(stream->arg, failed ? &error : NULL);
    cxc_exchange_done(&stream->exchange);
    free(stream);
}

/* ---- Sending. -------------------------------------------------------------- */

/* Takes the message that waits first. */
static grpc_byte_buffer *outgoing_take(struct cxc_stream *stream)
{
    struct outgoing *taken = stream->first;
    grpc_byte_buffer *message = taken->message;

    stream->first = taken->next;
    if (stream->first == NULL) {
        stream->last = &stream->first;
    }
    free(taken);
    return message;
}

/* Sends the next message, or the end of all, unless one is still on its way. */
static void stream_push(struct cxc_stream *stream)
{
    grpc_byte_buffer *message = NULL;
    grpc_op op = {0};

    if (stream->sending || stream->broken) {
        return;
    }
    if (stream->first != NULL) {
        message = outgoing_take(stream);
        op.op = GRPC_OP_SEND_MESSAGE;
        op.data.send_message.send_message = message;
    } else if (stream->finishing && !stream->finished) {
        stream->finished = true;
        op.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    } else {
        return;
    }
    stream->sending = true;
    stream_start(stream, &op, 1, &stream->sent);
    grpc_byte_buffer_destroy(message);
}

static void on_sent(struct cxc_tag *tag, bool ok)
{
    struct cxc_stream *stream = STREAM_OF(tag, sent);

    stream->sending = false;
    stream->broken = stream->broken || !ok;
    if (stream->broken) {
        outgoing_drop(stream);
    }
    stream_push(stream);
    stream_release(stream);
}

void cxc_stream_send(struct cxc_stream *stream, struct cxc_bytes message)
{
    struct outgoing *outgoing;

    assert(!stream->finishing);
    if (stream->broken) {
        return; /* `ended` is on its way. */
    }
    outgoing = cxc_must_alloc(sizeof *outgoing);
    outgoing->message = cxc_message_copy(message);
    *stream->last = outgoing;
    stream->last = &outgoing->next;
    stream_push(stream);
}

void cxc_stream_finish(struct cxc_stream *stream)
{
    stream->finishing = true;
    stream_push(stream);
}

void cxc_stream_cancel(struct cxc_stream *stream)
{
    grpc_call_cancel(stream->exchange.call, NULL);
}

/* ---- Receiving. ------------------------------------------------------------ */

static void stream_receive(struct cxc_stream *stream)
{
    grpc_op op = cxc_exchange_receive_message(&stream->exchange);

    stream_start(stream, &op, 1, &stream->received);
}

static void on_received(struct cxc_tag *tag, bool ok)
{
    struct cxc_stream *stream = STREAM_OF(tag, received);
    grpc_slice slice;

    if (ok && cxc_exchange_take(&stream->exchange, &slice)) {
        /* Before the callback, so that the next one comes in meanwhile. */
        stream_receive(stream);
        stream->events->received(
            stream->arg, (struct cxc_bytes){GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice)});
        grpc_slice_unref(slice);
    }
    stream_release(stream);
}

/* ---- Opening and ending. --------------------------------------------------- */

static void on_opened(struct cxc_tag *tag, bool ok)
{
    struct cxc_stream *stream = STREAM_OF(tag, opened);

    stream->broken = stream->broken || !ok;
    stream_release(stream);
}

static void on_closed(struct cxc_tag *tag, bool ok)
{
    struct cxc_stream *stream = STREAM_OF(tag, closed);

    (void)ok; /* Always true for this operation. */
    stream->broken = true;
    outgoing_drop(stream);
    stream_release(stream);
}

static void stream_open(struct cxc_stream *stream)
{
    const grpc_op opening[] = {
        cxc_exchange_send_metadata(stream->events->wait_for_server),
        {
            .op = GRPC_OP_RECV_INITIAL_METADATA,
            .data.recv_initial_metadata.recv_initial_metadata = &stream->exchange.initial,
        },
    };
    const grpc_op status = cxc_exchange_receive_status(&stream->exchange);

    stream_start(stream, opening, 2, &stream->opened);
    stream_start(stream, &status, 1, &stream->closed);
    stream_receive(stream);
}

struct cxc_stream *cxc_stream_new(struct cxc_loop *loop, struct cxc_method *method,
                                  const struct cxc_stream_events *events, void *arg)
{
    struct cxc_stream *stream = cxc_must_alloc(sizeof *stream);

    stream->loop = loop;
    stream->events = events;
    stream->arg = arg;
    stream->opened.done = on_opened;
    stream->sent.done = on_sent;
    stream->received.done = on_received;
    stream->closed.done = on_closed;
    stream->last = &stream->first;
    cxc_exchange_init(&stream->exchange, method, loop->queue, 0);
    stream_open(stream);
    return stream;
}
