/* What streams of differences have in common: two states are taken once, and told message by
 * message, as fast as the client reads.
 *
 * What always holds:
 *
 *  (1) The stream owns both snapshots and the arena. They are released once, when it ends,
 *      however it ends.
 *  (2) A message is made when the one before it has gone out, in the arena, which is empty
 *      then: on a worker where the states are large.
 *
 * Threads: those of server/rpc/call.h. */

#ifndef CX_SERVICES_DIFF_STREAM_H
#define CX_SERVICES_DIFF_STREAM_H

#include "core/base/arena.h"
#include "server/services/answer.h"
#include "server/services/diff_part.h"

/* The head of a call's state (cx_call_state()). Zeroed but for `answer` and `send_next`, it
 * holds nothing; `answer.release` is cx_diff_stream_release(). */
struct cx_diff_stream {
    struct cx_answer answer;
    void (*send_next)(struct cx_call *call); /* Makes one message and sends it, or ends. */
    struct cx_snapshot before;
    struct cx_snapshot after;
    struct cx_diff_part part;
    struct cx_arena arena; /* Of one message. */
};

/* Begins with what differs between both snapshots, and goes on to the first message. `view` is
 * borrowed as long as the call lives, `size_max` what a single difference may be packed
 * into. */
void cx_diff_stream_begin(struct cx_call *call, const struct cx_diff_view *view, uint64_t size_max);

/* Has the next message made. It may be sent, and the call be gone, when this returns. */
void cx_diff_stream_go_on(struct cx_call *call);

/* Sends a message that was made in the arena, which is empty afterwards. */
void cx_diff_stream_send(struct cx_call *call, const ProtobufCMessage *message);

/* Releases what the stream holds. The call goes on, to be failed. */
void cx_diff_stream_release(struct cx_call *call);

/* Releases what the stream holds, and ends the call: after the last message, or when the
 * client left. */
void cx_diff_stream_end(struct cx_call *call);

/* The same, out of memory. */
void cx_diff_stream_out_of_memory(struct cx_call *call);

#endif /* CX_SERVICES_DIFF_STREAM_H */
