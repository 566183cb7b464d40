/* StreamUpdates: as many updates in flight as the client likes.
 *
 *   received --> apply --> [ unanswered results, oldest first ] --> send
 *                                 wait for the oldest one's revision
 *
 * What always holds:
 *
 *  (1) Results go out in the order of their updates, each when its revision is
 *      durable; all that became durable while a message was on its way go into the
 *      next one. So the slower the disk or the reader, the larger the messages.
 *  (2) While more than CX_STREAM_UNANSWERED_MAX results (or their failures' bytes)
 *      are held, nothing more is received: gRPC's flow control stops the client.
 *  (3) What ends the stream, a half-close or a request that is malformed as a whole,
 *      ends it after the last result. */

#include <assert.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine.h"
#include "server/services/answer.h"
#include "server/services/context_manager.h"
#include "server/services/update_result.h"

struct stream {
    struct cx_update_result *ring; /* Unanswered results: `count` from `first` on. */
    size_t capacity;               /* Of the ring; a power of two, or 0. */
    size_t first;
    size_t count;
    size_t failure_bytes;
    uint64_t durable; /* A revision that is known to be durable. */
    bool receiving;
    bool received_all; /* Nothing more is asked for. */
    bool sending;
    bool waiting;          /* For the first result's revision. */
    bool failed;           /* The unanswered results cannot be told any more. */
    struct cx_error error; /* How the stream ends. */
    struct cx_arena arena; /* Of one request, or one response. */
};

static struct cx_update_result *stream_result(const struct stream *stream, size_t index)
{
    assert(index < stream->count);
    return &stream->ring[(stream->first + index) & (stream->capacity - 1)];
}

/* Drops the oldest results. */
static void stream_drop(struct stream *stream, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct cx_update_result *result = stream_result(stream, i);

        stream->failure_bytes -= result->failure_size;
        cx_free(result->failure);
    }
    stream->first += count;
    stream->count -= count;
}

static void stream_done(struct stream *stream)
{
    stream_drop(stream, stream->count);
    cx_free(stream->ring);
    cx_arena_done(&stream->arena);
}

/* Makes room for `added` more results. False when out of memory. */
static bool stream_reserve(struct stream *stream, size_t added)
{
    size_t capacity = stream->capacity > 0 ? stream->capacity : 16;
    struct cx_update_result *ring;

    if (stream->count + added <= stream->capacity) {
        return true;
    }
    while (capacity < stream->count + added) {
        capacity *= 2;
    }
    ring = cx_alloc(capacity * sizeof *ring);
    if (ring == NULL) {
        return false;
    }
    for (size_t i = 0; i < stream->count; i++) {
        ring[i] = *stream_result(stream, i);
    }
    cx_free(stream->ring);
    stream->ring = ring;
    stream->capacity = capacity;
    stream->first = 0;
    return true;
}

/* ---- Sending. --------------------------------------------------------------- */

static void pump(struct cx_call *call);

static void on_durable(struct cx_call *call, enum cx_status status)
{
    struct stream *stream = cx_call_state(call);

    stream->waiting = false;
    if (status != CX_OK) {
        stream_done(stream);
        cx_answer_storage_failed(call);
        return;
    }
    stream->durable = stream_result(stream, 0)->wait_for;
    pump(call);
}

/* Whether a result may be told. If not, on_durable() follows when it may. */
static bool is_durable(struct cx_call *call, struct stream *stream, uint64_t revision)
{
    if (revision <= stream->durable) {
        return true;
    }
    if (!cx_engine_wait(cx_answer_app(call)->engine, revision, cx_call_wait(call, on_durable))) {
        stream->waiting = true;
        return false;
    }
    cx_call_unwait(call);
    stream->durable = revision;
    return true;
}

/* How many of the oldest results may be told in one message. */
static size_t count_ready(struct cx_call *call, struct stream *stream)
{
    size_t size_max = cx_call_message_size_max(call);
    size_t size = 0;
    size_t count = 0;

    if (size_max > CX_STREAM_MESSAGE_SIZE) {
        size_max = CX_STREAM_MESSAGE_SIZE;
    }
    for (; count < stream->count; count++) {
        const struct cx_update_result *result = stream_result(stream, count);

        size += CX_UPDATE_RESULT_SIZE_MAX + result->failure_size;
        if ((count > 0 && size > size_max) || !is_durable(call, stream, result->wait_for)) {
            break;
        }
    }
    return count;
}

static bool send_results(struct cx_call *call, struct stream *stream, size_t count)
{
    const struct cx_allocator allocator = cx_allocator_of_arena(&stream->arena);
    StreamUpdatesResponse response = CONTEXTD__V1__STREAM_UPDATES_RESPONSE__INIT;
    struct cx_update_result_block block;

    if (!cx_update_result_block_init(&block, &allocator, count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        cx_update_result_block_add(&block, stream_result(stream, i));
    }
    response.results = block.messages;
    response.n_results = block.count;
    stream->sending = true;
    cx_call_send(call, &response.base);
    stream_drop(stream, count);
    cx_arena_reset(&stream->arena);
    return true;
}

static void end(struct cx_call *call, struct stream *stream)
{
    stream_done(stream);
    if (stream->error.reason != CX_REASON_NONE) {
        cx_call_fail(call, &stream->error);
    } else {
        cx_call_finish(call);
    }
}

static void receive_if_wanted(struct cx_call *call, struct stream *stream)
{
    if (stream->receiving || stream->received_all || stream->count >= CX_STREAM_UNANSWERED_MAX ||
        stream->failure_bytes >= CX_STREAM_UNANSWERED_BYTES_MAX) {
        return;
    }
    stream->receiving = true;
    cx_call_receive(call);
}

/* Does whatever can be done now. The call may be gone afterwards. */
static void pump(struct cx_call *call)
{
    struct stream *stream = cx_call_state(call);
    size_t count;

    if (!stream->sending && !stream->waiting && !stream->failed) {
        count = count_ready(call, stream);
        if (count > 0 && !send_results(call, stream, count)) {
            (void)cx_error_out_of_memory(&stream->error);
            stream->received_all = true;
            stream->failed = true;
        }
    }
    if (!stream->sending && !stream->waiting && stream->received_all &&
        (stream->count == 0 || stream->failed)) {
        end(call, stream);
        return;
    }
    receive_if_wanted(call, stream);
}

void cx_context_stream_sent(struct cx_call *call)
{
    struct stream *stream = cx_call_state(call);

    stream->sending = false;
    pump(call);
}

/* ---- Receiving. ------------------------------------------------------------- */

static bool apply_update(struct cx_call *call, struct stream *stream,
                         const StreamUpdatesRequest *request, size_t index,
                         struct cx_write_order *order)
{
    const struct cx_field field = cx_field_at(NULL, "updates", index);
    const struct cx_update_source source = {
        .engine = cx_answer_app(call)->engine,
        .namespace_id = request->updates[0]->namespace_,
        .scratch = cx_allocator_of_arena(&stream->arena),
        .failures = cx_allocator_of_heap(),
        .message_size_max = cx_call_message_size_max(call),
        .order = order,
    };
    struct cx_update_result result;

    if (!cx_update_result_make(&source, &field, request->updates[index], &result)) {
        (void)cx_error_out_of_memory(&stream->error);
        return false;
    }
    stream->count++;
    *stream_result(stream, stream->count - 1) = result;
    stream->failure_bytes += result.failure_size;
    return true;
}

/* False when the stream has to end, after what is unanswered: its error is set. */
static bool apply_updates(struct cx_call *call, struct stream *stream,
                          const StreamUpdatesRequest *request)
{
    size_t ahead = cx_update_foresight(request->n_updates);
    struct cx_foresight foresight = {0};
    struct cx_write_order order = {0};
    bool ok = true;

    if (cx_field_check_count(NULL, "updates", request->n_updates, 1, CX_BATCH_MAX,
                             &stream->error) != CX_OK) {
        return false;
    }
    if (!stream_reserve(stream, request->n_updates)) {
        (void)cx_error_out_of_memory(&stream->error);
        return false;
    }
    for (size_t i = 0; ok && i < request->n_updates + ahead; i++) {
        if (ahead > 0) {
            cx_update_foresee(cx_answer_app(call)->engine, &foresight,
                              i < request->n_updates ? request->updates[i] : NULL);
        }
        if (i >= ahead) {
            ok = apply_update(call, stream, request, i - ahead, &order);
        }
    }
    cx_arena_reset(&stream->arena);
    return ok;
}

void cx_context_stream_received(struct cx_call *call, const ProtobufCMessage *message)
{
    struct stream *stream = cx_call_state(call);

    stream->receiving = false;
    if (message == NULL || !apply_updates(call, stream, (const StreamUpdatesRequest *)message)) {
        stream->received_all = true;
    }
    pump(call);
}

void cx_context_stream_left(struct cx_call *call)
{
    assert(!((const struct stream *)cx_call_state(call))->waiting);
    stream_done(cx_call_state(call));
    cx_call_finish(call);
}

void cx_context_stream(struct cx_call *call, const ProtobufCMessage *message)
{
    struct stream *stream = cx_call_alloc(call, sizeof *stream);

    (void)message; /* A bidi stream begins without one. */
    if (stream == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    memset(stream, 0, sizeof *stream);
    cx_call_set_state(call, stream);
    cx_call_set_stall_limit(call, cx_answer_app(call)->stream_stall_max_us);
    receive_if_wanted(call, stream);
}
