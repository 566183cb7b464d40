/* StreamUpdates, with a window of messages that are not answered yet. */

#include <assert.h>
#include <stdlib.h>

#include "tests/bench/messages.h"
#include "tests/bench/workload.h"

struct streamer {
    const struct workload_options *options;
    struct workload_result *result;
    struct cxc_stream *stream;
    struct message *message; /* Shared by all streams. */
    uint64_t *seed;
    uint64_t window;   /* Messages. */
    uint64_t begun;    /* Messages. */
    uint64_t answered; /* Updates, which are answered in the order they were sent in. */
    double *starts;    /* Of the messages in flight: a ring of `window` places. */
    bool finished;
};

static void streamer_send(struct streamer *streamer)
{
    uint64_t done = streamer->answered / streamer->options->per_request;

    while (!streamer->finished && streamer->begun - done < streamer->window) {
        if (!workload_goes_on(streamer->result, streamer->options, streamer->begun)) {
            streamer->finished = true;
            cxc_stream_finish(streamer->stream);
            break;
        }
        streamer->starts[streamer->begun++ % streamer->window] = workload_now();
        cxc_stream_send(streamer->stream,
                        message_random(streamer->message, streamer->options, streamer->seed));
    }
}

static void on_received(void *arg, struct cxc_bytes response)
{
    struct streamer *streamer = arg;
    unsigned per_request = streamer->options->per_request;
    uint64_t before = streamer->answered / per_request;
    double now = workload_now();
    uint64_t failed;
    uint64_t count = message_results(response, &failed);

    if (failed > 0) {
        workload_fail(streamer->result, "%llu updates of a stream failed",
                      (unsigned long long)failed);
    }
    streamer->answered += count;
    streamer->result->bytes += response.size;
    workload_count(streamer->result, count - (failed < count ? failed : count), now);
    for (uint64_t done = before; done < streamer->answered / per_request; done++) {
        workload_note(streamer->result, streamer->starts[done % streamer->window], now);
    }
    streamer_send(streamer);
}

static void on_ended(void *arg, const struct cxc_error *error)
{
    struct streamer *streamer = arg;
    uint64_t sent = streamer->begun * streamer->options->per_request;

    streamer->finished = true;
    if (error != NULL) {
        workload_fail(streamer->result, "%s %s: %s", cxc_code_name(error->code), error->reason,
                      error->message);
    } else if (streamer->answered != sent) {
        workload_fail(streamer->result, "of %llu updates of a stream, %llu were answered",
                      (unsigned long long)sent, (unsigned long long)streamer->answered);
    }
}

static void streamer_start(struct streamer *streamer, struct cxc_loop *loop,
                           struct cxc_method *method)
{
    static const struct cxc_stream_events events = {.received = on_received, .ended = on_ended};
    const struct workload_options *options = streamer->options;

    assert(options->in_flight >= options->streams);
    streamer->window = options->in_flight / options->streams;
    streamer->starts = calloc(streamer->window, sizeof *streamer->starts);
    assert(streamer->starts != NULL);
    streamer->stream = cxc_stream_new(loop, method, &events, streamer);
    streamer_send(streamer);
}

bool workload_stream(const struct workload_options *options, struct workload_result *result)
{
    struct cxc_client *client = cxc_client_new(&(struct cxc_options){.address = options->address});
    struct streamer *streamers = calloc(options->streams, sizeof *streamers);
    struct cxc_loop *loop = cxc_loop_new();
    struct message *message = message_new_stream(options);
    uint64_t seed = options->seed;
    struct cxc_method *method;

    assert(client != NULL && streamers != NULL);
    method = cxc_method_get(client, "/contextd.v1.ContextManager/StreamUpdates");
    workload_begin(result, options);
    for (unsigned i = 0; i < options->streams; i++) {
        streamers[i] = (struct streamer){
            .options = options, .result = result, .message = message, .seed = &seed};
        streamer_start(&streamers[i], loop, method);
    }
    while (cxc_loop_poll(loop, -1)) {
    }
    for (unsigned i = 0; i < options->streams; i++) {
        free(streamers[i].starts);
    }
    message_free(message);
    cxc_loop_free(loop);
    cxc_client_free(client);
    free(streamers);
    return true;
}
