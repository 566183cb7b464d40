#include "server/services/diff_stream.h"

void cx_diff_stream_begin(struct cx_call *call, const struct cx_diff_view *view, uint64_t size_max)
{
    struct cx_diff_stream *stream = cx_call_state(call);

    cx_diff_part_begin(&stream->part, &stream->before, &stream->after, view, size_max);
    cx_call_set_stall_limit(call, cx_answer_app(call)->stream_stall_max_us);
    cx_diff_stream_go_on(call);
}

void cx_diff_stream_go_on(struct cx_call *call)
{
    const struct cx_diff_stream *stream = cx_call_state(call);

    if (cx_diff_is_heavy(&stream->before, &stream->after)) {
        cx_call_offload(call, stream->send_next);
    } else {
        stream->send_next(call);
    }
}

void cx_diff_stream_send(struct cx_call *call, const ProtobufCMessage *message)
{
    struct cx_diff_stream *stream = cx_call_state(call);

    cx_call_send(call, message);
    cx_arena_reset(&stream->arena);
}

void cx_diff_stream_release(struct cx_call *call)
{
    struct cx_diff_stream *stream = cx_call_state(call);

    cx_snapshot_done(&stream->before);
    cx_snapshot_done(&stream->after);
    cx_arena_done(&stream->arena);
}

void cx_diff_stream_end(struct cx_call *call)
{
    cx_diff_stream_release(call);
    cx_call_finish(call);
}

void cx_diff_stream_out_of_memory(struct cx_call *call)
{
    cx_diff_stream_release(call);
    cx_answer_out_of_memory(call);
}
