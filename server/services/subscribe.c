/* Subscribe: what happens to contexts and sessions, as fast as the client reads.
 *
 *   pump: ask the engine --> events | a context | caught up | progress --> send --> sent --> pump
 *                       \--> nothing: parked, until the engine wakes the call --> pump
 *
 * What always holds:
 *
 *  (1) At most one message is on its way, and nothing waits behind it: what comes next is asked
 *      for when it has gone out.
 *  (2) While a snapshot goes on, it is the workers who ask and pack. A context of it that is too
 *      large for one message is told in parts, whose cursor leads to its beginning.
 *  (3) A reader of a snapshot is limited by `stream_stall_max`, since it keeps states in memory;
 *      one of events by `subscription_stall_max`, if there is such a limit. */

#include <stdio.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/limits.h"
#include "core/engine/subscription.h"
#include "server/services/answer.h"
#include "server/services/convert_subscribe.h"
#include "server/services/draft.h"
#include "server/services/event_frame.h"
#include "server/services/snapshot_message.h"
#include "server/services/tracker.h"

struct subscription {
    struct cx_engine_subscription *engine;
    struct cx_token_scope cursors;
    uint64_t filter_digest;
    bool without_values;
    bool in_snapshot; /* Something of a snapshot is left to tell. */
    bool parked;
    struct cx_snapshot_part part;             /* Of a context that is told in parts. */
    struct cx_arena arena;                    /* Of one message. */
    char cursor[CX_CURSOR_TEXT_SIZE_MAX + 1]; /* Of the message before. */
};

static void pump(struct cx_call *call);

/* ---- The end. --------------------------------------------------------------- */

static void release(struct subscription *subscription)
{
    cx_arena_done(&subscription->arena);
}

static void fail(struct cx_call *call, const struct cx_error *error)
{
    struct subscription *subscription = cx_call_state(call);

    (void)cx_engine_unsubscribe(subscription->engine);
    release(subscription);
    cx_call_fail(call, error);
}

static void fail_out_of_memory(struct cx_call *call)
{
    struct cx_error error;

    (void)cx_error_out_of_memory(&error);
    fail(call, &error);
}

/* Says where to begin anew, where that is what is wrong. */
static void add_oldest(struct cx_call *call, const struct cx_allocator *allocator,
                       struct cx_error *error)
{
    const struct subscription *subscription = cx_call_state(call);
    const struct cx_cursor cursor = {.position = cx_engine_oldest(cx_answer_app(call)->engine)};
    const char *text;

    if (error->reason != CX_REASON_CURSOR_COMPACTED) {
        return;
    }
    text = cx_cursor_encode(allocator, &subscription->cursors, 0, &cursor);
    if (text != NULL) {
        cx_error_detail(error, "oldest_cursor", cx_bytes_of(text));
    }
}

void cx_tracker_subscribe_left(struct cx_call *call)
{
    struct subscription *subscription = cx_call_state(call);

    if (cx_engine_unsubscribe(subscription->engine) && subscription->parked) {
        cx_call_unpark(call);
    }
    release(subscription);
    cx_call_finish(call);
}

/* ---- What is sent. ---------------------------------------------------------- */

static char *cursor_text(struct subscription *subscription, const struct cx_told *told)
{
    const struct cx_allocator allocator = cx_allocator_of_arena(&subscription->arena);
    const struct cx_cursor cursor = {told->next, told->in_snapshot, told->place};

    return cx_cursor_encode(&allocator, &subscription->cursors, subscription->filter_digest,
                            &cursor);
}

/* Sets what is told of a reader that stalls: the last cursor before this message. */
static void prepare_send(struct cx_call *call, const char *cursor)
{
    struct subscription *subscription = cx_call_state(call);
    const struct cx_app *app = cx_answer_app(call);

    cx_call_set_stall_limit(call, subscription->in_snapshot ? app->stream_stall_max_us
                                                            : app->subscription_stall_max_us);
    if (subscription->cursor[0] != '\0') {
        cx_call_set_progress(call, "cursor", cx_bytes_of(subscription->cursor));
    }
    snprintf(subscription->cursor, sizeof subscription->cursor, "%s", cursor);
}

static void send_mark(struct cx_call *call, enum cx_told_kind kind, char *cursor)
{
    SubscribeResponse response = CONTEXTD__V1__SUBSCRIBE_RESPONSE__INIT;
    CaughtUp caught_up = CONTEXTD__V1__CAUGHT_UP__INIT;
    Progress progress = CONTEXTD__V1__PROGRESS__INIT;

    if (kind == CX_TOLD_CAUGHT_UP) {
        caught_up.cursor = cursor;
        response.caught_up = &caught_up;
        response.kind_case = CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_CAUGHT_UP;
    } else {
        progress.cursor = cursor;
        response.progress = &progress;
        response.kind_case = CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_PROGRESS;
    }
    prepare_send(call, cursor);
    cx_call_send(call, &response.base);
}

static char *event_cursor(struct subscription *subscription, const struct cx_told *told,
                          const struct cx_event *event)
{
    const struct cx_told behind = {
        .next = cx_feed_behind(event), .in_snapshot = true, .place = told->place};

    return cursor_text(subscription, &behind);
}

static void send_events(struct cx_call *call, struct cx_told *told, char *cursor)
{
    struct subscription *subscription = cx_call_state(call);
    struct cx_event_frame frame;
    bool ok = true;

    cx_event_frame_begin(&frame);
    for (size_t i = 0; i < told->batch.count && ok; i++) {
        const struct cx_feed_piece *piece = &told->batch.pieces[i];
        char *own = told->in_snapshot ? event_cursor(subscription, told, piece->event) : NULL;

        ok = own != NULL || !told->in_snapshot;
        cx_event_frame_add(&frame, piece->encoded, own);
    }
    cx_event_frame_end(&frame);
    if (ok) {
        prepare_send(call, cursor);
        cx_call_send_bytes(call, frame.pieces, frame.count);
    }
    cx_feed_batch_done(&told->batch);
    if (!ok) {
        fail_out_of_memory(call);
    }
}

/* ---- Snapshots. ------------------------------------------------------------- */

/* Makes the event of the context that is told, or its next part. NULL when out of memory. */
static EventMessage *next_part(struct cx_call *call, struct cx_draft *draft, uint64_t room)
{
    struct subscription *subscription = cx_call_state(call);

    return cx_snapshot_part_message(draft, &subscription->part, subscription->without_values,
                                    cx_engine_filter(subscription->engine)->key_prefix, room);
}

/* False when out of memory. */
static bool part_begin(struct subscription *subscription, const struct cx_told *told)
{
    const struct cx_told before = {.next = told->next, .in_snapshot = true, .place = told->before};
    const char *start = cursor_text(subscription, &before);
    const char *end = cursor_text(subscription, told);

    if (start == NULL || end == NULL) {
        return false;
    }
    cx_snapshot_part_begin(&subscription->part, told->context,
                           cx_engine_filter(subscription->engine)->key_prefix, start, end);
    return true;
}

/* Sends as many contexts of the page as fill a message, or the next part of a large one. */
static void send_contexts(struct cx_call *call, struct cx_told *told)
{
    struct subscription *subscription = cx_call_state(call);
    struct cx_draft draft = {.memory = cx_allocator_of_arena(&subscription->arena)};
    SubscribeResponse response = CONTEXTD__V1__SUBSCRIBE_RESPONSE__INIT;
    EventBatch batch = CONTEXTD__V1__EVENT_BATCH__INIT;
    EventMessage *events[CX_SNAPSHOT_ROWS];
    uint64_t room = CX_FEED_MESSAGE_SIZE;
    struct cx_error error;

    batch.events = events;
    do {
        EventMessage *event = next_part(call, &draft, room);
        uint64_t size;

        if (event == NULL || draft.failed) {
            fail_out_of_memory(call);
            return;
        }
        events[batch.n_events++] = event;
        size = protobuf_c_message_get_packed_size(&event->base);
        room = size < room ? room - size : 0;
        if (event->more || room == 0 || !cx_engine_has_context(subscription->engine)) {
            break;
        }
        cx_engine_next(subscription->engine, 0, NULL, told, &error);
        if (told->kind != CX_TOLD_SNAPSHOT) {
            break; /* It is over: why is asked for when this has gone out. */
        }
        if (!part_begin(subscription, told)) {
            fail_out_of_memory(call);
            return;
        }
    } while (batch.n_events < CX_SNAPSHOT_ROWS);
    response.events = &batch;
    response.kind_case = CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_EVENTS;
    prepare_send(call, events[batch.n_events - 1]->cursor);
    cx_call_send(call, &response.base);
}

/* ---- Pumping. --------------------------------------------------------------- */

static void on_woken(struct cx_call *call, enum cx_status status)
{
    struct subscription *subscription = cx_call_state(call);

    (void)status; /* Why it was woken is asked for. */
    subscription->parked = false;
    pump(call);
}

/* Asks for what comes next. False: the call is parked until there is something. */
static bool ask(struct cx_call *call, struct cx_told *ret_told, struct cx_error *error)
{
    struct subscription *subscription = cx_call_state(call);
    struct cx_waiter *waiter = cx_call_park(call, on_woken);

    subscription->parked = true;
    cx_engine_next(subscription->engine, CX_FEED_MESSAGE_SIZE, waiter, ret_told, error);
    if (ret_told->kind == CX_TOLD_NOTHING) {
        return false; /* By now, the call may be anywhere. */
    }
    subscription->parked = false;
    cx_call_unpark(call);
    return true;
}

static void tell(struct cx_call *call, struct cx_told *told, struct cx_error *error)
{
    struct subscription *subscription = cx_call_state(call);
    const struct cx_allocator allocator = cx_allocator_of_arena(&subscription->arena);
    char *cursor;

    if (told->kind == CX_TOLD_END) {
        add_oldest(call, &allocator, error);
        fail(call, error);
        return;
    }
    subscription->in_snapshot = told->in_snapshot;
    if (told->kind == CX_TOLD_SNAPSHOT) {
        if (part_begin(subscription, told)) {
            send_contexts(call, told);
        } else {
            fail_out_of_memory(call);
        }
        return;
    }
    cursor = cursor_text(subscription, told);
    if (cursor == NULL) {
        cx_feed_batch_done(&told->batch);
        fail_out_of_memory(call);
    } else if (told->kind == CX_TOLD_EVENTS) {
        send_events(call, told, cursor);
    } else {
        send_mark(call, told->kind, cursor);
    }
}

static void pump_now(struct cx_call *call)
{
    struct subscription *subscription = cx_call_state(call);
    struct cx_told told;
    struct cx_error error;

    cx_arena_reset(&subscription->arena);
    if (cx_snapshot_part_is_open(&subscription->part)) {
        send_contexts(call, &told);
    } else if (ask(call, &told, &error)) {
        if (told.kind == CX_TOLD_LATER && cx_call_abandoned(call)) {
            return; /* `left` follows. */
        }
        if (told.kind == CX_TOLD_LATER) {
            cx_call_offload(call, pump_now);
        } else {
            tell(call, &told, &error);
        }
    }
}

static void pump(struct cx_call *call)
{
    const struct subscription *subscription = cx_call_state(call);

    if (subscription->in_snapshot) {
        cx_call_offload(call, pump_now);
    } else {
        pump_now(call);
    }
}

void cx_tracker_subscribe_sent(struct cx_call *call)
{
    pump(call);
}

/* ---- The request. ----------------------------------------------------------- */

static enum cx_status begin(struct cx_call *call, const SubscribeRequest *message,
                            struct subscription *subscription, struct cx_error *error)
{
    struct cx_engine *engine = cx_answer_app(call)->engine;
    struct cx_conversion conversion = cx_conversion_of_call(call, error);
    struct cx_event_filter filter;
    struct cx_subscribe_request request;
    enum cx_status status =
        cx_convert_subscribe(&conversion, message, &subscription->cursors, &filter, &request);

    if (status == CX_OK) {
        subscription->filter_digest = cx_event_filter_digest(&filter);
        subscription->without_values = request.feed.without_values;
        subscription->in_snapshot = request.with_snapshot;
        status = cx_engine_subscribe(engine, &request, &subscription->engine, error);
    }
    if (status != CX_OK) {
        add_oldest(call, &conversion.memory, error);
    }
    return status;
}

void cx_tracker_subscribe(struct cx_call *call, const ProtobufCMessage *message)
{
    struct subscription *subscription = cx_call_alloc(call, sizeof *subscription);
    struct cx_error error;

    if (subscription == NULL) {
        cx_answer_out_of_memory(call);
        return;
    }
    memset(subscription, 0, sizeof *subscription);
    subscription->cursors = cx_cursor_scope(cx_answer_app(call)->engine);
    cx_call_set_state(call, subscription);
    if (begin(call, (const SubscribeRequest *)message, subscription, &error) != CX_OK) {
        cx_call_fail(call, &error);
        return;
    }
    cx_call_request_done(call); /* What selects was copied. */
    pump(call);
}
