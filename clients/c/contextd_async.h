/* The C client of contextd: calls and streams with callbacks, many in flight at
 * once on one connection.
 *
 * A loop runs the callbacks, on the thread that polls it. Messages are packed
 * bytes here: the generated `..._pack()` and `..._unpack()` make and read them, so
 * that a request can be prepared once and sent often.
 *
 *     static void on_done(void *arg, struct cxc_bytes response, const struct cxc_error *error)
 *     {
 *         ... error is NULL on success; the next call may be started from here ...
 *     }
 *
 *     struct cxc_loop *loop = cxc_loop_new();
 *     struct cxc_method *update =
 *         cxc_method_get(client, "/contextd.v1.ContextManager/UpdateContext");
 *     for (size_t i = 0; i < 64; i++)
 *         cxc_start(loop, update, request, 10000, on_done, arg);
 *     while (cxc_loop_poll(loop, -1))
 *         ;
 *     cxc_loop_free(loop);
 *
 * What always holds:
 *
 *  (1) Each call and each stream that was started ends exactly once, by its last
 *      callback, and only while the loop is polled.
 *  (2) Bytes given to a call or stream are copied before the function returns.
 *      Bytes given to a callback are valid until the callback returns.
 *  (3) Nothing is repeated and no request id is made here; a caller that repeats a
 *      write gives it the same `request_id`. cxc_error_is_transient() says what is
 *      worth repeating.
 *
 * Out of memory is the end of the process here, as it is in gRPC itself.
 * Threads: a loop, and all that was started on it, belongs to one thread at a
 * time. Several loops may share a client. */

#ifndef CONTEXTD_ASYNC_H
#define CONTEXTD_ASYNC_H

#include "clients/c/contextd.h"

/* Borrowed bytes. */
struct cxc_bytes {
    const uint8_t *data;
    size_t size;
};

/* ---- Loops. ---------------------------------------------------------------- */

struct cxc_loop;

/* The caller owns the loop. */
struct cxc_loop *cxc_loop_new(void);

/* Waits up to `timeout_ms` (negative: for ever; 0: not at all) for something to
 * happen and runs its callback. Returns false, at once, when nothing is in flight;
 * otherwise true, also when the time was up. */
bool cxc_loop_poll(struct cxc_loop *loop, int64_t timeout_ms);

/* Nothing may be in flight. Does nothing on NULL. */
void cxc_loop_free(struct cxc_loop *loop);

/* ---- Unary calls. ---------------------------------------------------------- */

struct cxc_method;

/* The method at `path`, such as "/contextd.v1.ContextManager/GetContext". Lives as
 * long as the client; so must `path`. The same again for the same path. */
struct cxc_method *cxc_method_get(struct cxc_client *client, const char *path);

/* Ends a call. `error` is NULL on success, else `response` is empty. */
typedef void (*cxc_done_fn)(void *arg, struct cxc_bytes response, const struct cxc_error *error);

/* Starts a call with one request, which has `timeout_ms` to be answered (0: for
 * ever). Costs one allocation and a copy of the request. */
void cxc_start(struct cxc_loop *loop, struct cxc_method *method, struct cxc_bytes request,
               int64_t timeout_ms, cxc_done_fn done, void *arg);

/* ---- Streams in both directions, such as StreamUpdates. -------------------- *
 *
 *     const struct cxc_stream_events events = {.received = on_results, .ended = on_ended};
 *     struct cxc_stream *stream = cxc_stream_new(
 *         loop, cxc_method_get(client, "/contextd.v1.ContextManager/StreamUpdates"), &events, arg);
 *     cxc_stream_send(stream, packed_updates);  // as often as the window allows
 *     cxc_stream_finish(stream);                // on_results() counts; on_ended() is the last
 *     while (cxc_loop_poll(loop, -1))
 *         ;
 *
 * The window is the caller's: StreamUpdates answers in the order of the updates, so
 * counting what was sent and what was answered is enough. */

struct cxc_stream;

struct cxc_stream_events {
    /* A message has arrived. */
    void (*received)(void *arg, struct cxc_bytes message);

    /* The last event: the stream must not be used any more. `error` is NULL when the
     * server ended it as OK. */
    void (*ended)(void *arg, const struct cxc_error *error);

    /* Wait for a server that cannot be reached, instead of ending as UNAVAILABLE. For
     * opening a stream again that broke. */
    bool wait_for_server;
};

/* Opens a stream without a deadline. `events` must live as long as the stream. */
struct cxc_stream *cxc_stream_new(struct cxc_loop *loop, struct cxc_method *method,
                                  const struct cxc_stream_events *events, void *arg);

/* Sends a message after those sent before. What the connection does not take yet
 * waits in memory: bound it by a window. Not after cxc_stream_finish(). */
void cxc_stream_send(struct cxc_stream *stream, struct cxc_bytes message);

/* Says that nothing more will be sent, once all before has been. */
void cxc_stream_finish(struct cxc_stream *stream);

/* Gives up: the stream ends soon, as CANCELLED unless it has ended already. */
void cxc_stream_cancel(struct cxc_stream *stream);

#endif /* CONTEXTD_ASYNC_H */
