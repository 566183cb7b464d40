/* One RPC, from the request to the last byte of the answer.
 *
 *   unary          handle -> reply | fail
 *   server stream  handle -> send -> sent -> send -> ... -> finish | fail
 *   bidi stream    handle -> receive -> received -> ...   and sends as above,
 *                  both at the same time
 *
 * What always holds:
 *
 *  (1) A call is ended exactly once, by reply, finish or fail; whoever ended it must
 *      not touch it again.
 *  (2) At most one send and one receive are under way.
 *  (3) What a handler allocates from the call lives until the call is gone, and is
 *      never freed on its own.
 *  (4) A request counts towards `in_flight_bytes_max` from its arrival until the call
 *      has ended, or cx_call_request_done(), or on a bidi stream until `received` has
 *      returned.
 *  (5) A call, its memory included, outlives the waiter that it has lent. Whether it is
 *      told that its client left meanwhile is the difference between the two ways to
 *      wait: cx_call_wait(), for what is soon over, tells it afterwards, cx_call_park()
 *      at once.
 *
 * Threads: the functions of a method, and what resumes a call that waited, run on the
 * thread of the call's queue, and never while the call is on a worker by way of
 * cx_call_offload(): what happens meanwhile is told afterwards. The functions below
 * may run on any thread, unless they say otherwise, one at a time for each call. A
 * thread of its own that ends a stream must expect `left` at the same time, and settle
 * with it who ends the call. */

#ifndef CX_RPC_CALL_H
#define CX_RPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "core/base/error.h"
#include "core/base/work.h"

struct cx_call;

/* What the service was given, or else the server for its services. Borrowed. */
void *cx_call_app(const struct cx_call *call);

/* Memory that lives as long as the call, not zeroed. NULL when out of memory. */
void *cx_call_alloc(struct cx_call *call, size_t size);

/* Gives back the request of a server stream, and what it counts towards
 * `in_flight_bytes_max`: for one that goes on for long and has taken what it needs. */
void cx_call_request_done(struct cx_call *call);

/* What a call remembers from one of its functions to the next. NULL at first. */
void *cx_call_state(const struct cx_call *call);
void cx_call_set_state(struct cx_call *call, void *state);

/* Sends one message of a stream: `sent` follows. The message is the caller's again on
 * return. One above the limit of a message is not sent: `left` follows, and the call
 * ends with RESPONSE_TOO_LARGE. */
void cx_call_send(struct cx_call *call, const ProtobufCMessage *message);

/* Like cx_call_send(), for a message that was packed before: `pieces`, one behind the
 * other, are its bytes. They are copied once. */
void cx_call_send_bytes(struct cx_call *call, const struct cx_bytes *pieces, size_t count);

/* Asks a bidi stream for its next request: `received` follows. */
void cx_call_receive(struct cx_call *call);

/* Ends a unary call with its response, the caller's again on return. A response
 * above the limit of a message becomes RESPONSE_TOO_LARGE. */
void cx_call_reply(struct cx_call *call, const ProtobufCMessage *response);

/* Ends a stream; nothing may be on its way out. */
void cx_call_finish(struct cx_call *call);

/* Ends any call with an error: its status and message, and a google.rpc.Status with
 * ErrorInfo (domain `contextd`, the reason, the details) and, where a delay is set,
 * RetryInfo. On a stream, a message that is still on its way goes out first. */
void cx_call_fail(struct cx_call *call, const struct cx_error *error);

/* Ends any call with a status alone: for protocols that are not ours and know no reasons.
 * `message` is a literal. */
void cx_call_fail_plain(struct cx_call *call, enum cx_status status, const char *message);

/* Prepares to go on later: hand the waiter to whoever completes it, by way of
 * cx_rpc_server_complete(). `resume` then runs once, with the waiter's status. One at
 * a time per call, those of cx_call_park() included. The call must not be ended while it
 * waits; a client that leaves meanwhile is noticed afterwards. */
struct cx_waiter *cx_call_wait(struct cx_call *call,
                               void (*resume)(struct cx_call *call, enum cx_status status));

/* Takes back a waiter that nobody took over, because there was nothing to wait for, so
 * that a client that leaves is noticed again. Streams need it; a call that is ended
 * next does not. */
void cx_call_unwait(struct cx_call *call);

/* Like cx_call_wait(), for waits without an end in sight: `left` is told meanwhile, and
 * the call may be ended while it is parked; `resume` then does not run any more. The
 * waiter must be completed once, or taken back with cx_call_unpark(), all the same: the
 * call's memory stays, and the server does not stop, until then. Streams only. On the
 * thread of the call's queue, or the worker that has it. */
struct cx_waiter *cx_call_park(struct cx_call *call,
                               void (*resume)(struct cx_call *call, enum cx_status status));

/* Takes back the waiter of a parked call that nobody will complete: whoever took it over
 * has let go of it. The call may be parked again, or may have ended: then it is gone. On
 * the thread of the call's queue, or the worker that has it. */
void cx_call_unpark(struct cx_call *call);

/* Runs `run` on a worker: for work that would keep other calls waiting. The call is
 * `run`'s until it returns. */
void cx_call_offload(struct cx_call *call, void (*run)(struct cx_call *call));

/* Whether nobody waits for the answer any more: past its deadline, or cancelled. That a
 * client cancelled is known of streams and of what is offloaded. Worth a look in long
 * work. */
bool cx_call_abandoned(const struct cx_call *call);

/* The largest message that may be sent, in bytes. */
size_t cx_call_message_size_max(const struct cx_call *call);

/* Limits a stream's reader: a send that has not gone out when `stall_us` have passed
 * ends the call with STREAM_STALLED, and what cx_call_set_progress() was told: `left` is
 * told, and the status waits behind that message. When as much time has passed again, the
 * call is cancelled (ABORTED, without details). Streams only, from a function of the
 * method or on a worker; 0 turns it off for the sends that follow. */
void cx_call_set_stall_limit(struct cx_call *call, int64_t stall_us);

/* The detail of STREAM_STALLED, none unless this was called: up to where the client has
 * had all messages. `name` is a literal, such as "after_key"; the position is copied. */
void cx_call_set_progress(struct cx_call *call, const char *name, struct cx_bytes position);

#endif /* CX_RPC_CALL_H */
