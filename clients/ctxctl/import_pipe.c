#include "clients/ctxctl/import_pipe.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "clients/ctxctl/timing.h"

enum { POLL_MS = 20 };

static int64_t now_ms(void)
{
    return ctl_now_us() / 1000;
}

static void wait_ms(int64_t ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

void ctl_pipe_init(struct ctl_pipe *pipe, const struct ctl *ctl)
{
    *pipe = (struct ctl_pipe){.ctl = ctl, .loop = cxc_loop_new()};
    cxc_retry_init(&pipe->retry, now_ms(), ctl->timeout_ms);
}

/* Ends the stream for good. */
static void pipe_break(struct ctl_pipe *pipe, const struct cxc_error *error)
{
    pipe->broken = true;
    pipe->error = *error;
    cxc_stream_cancel(pipe->stream);
}

/* ---- Answers. -------------------------------------------------------------- */

void ctl_pipe_advance(struct ctl_pipe *pipe)
{
    pipe->troubled = false;
    cxc_retry_init(&pipe->retry, now_ms(), pipe->ctl->timeout_ms);
}

int64_t ctl_pipe_trouble(struct ctl_pipe *pipe, const struct cxc_error *error)
{
    pipe->troubled = true;
    return cxc_retry_next(&pipe->retry, error, now_ms(), (uint32_t)ctl_now_us());
}

static void job_answer(struct ctl_pipe *pipe, struct ctl_job *job, const UpdateResult *result)
{
    static const Contextd__V1__Failure nothing = CONTEXTD__V1__FAILURE__INIT;

    if (job->failed) {
        return; /* The steps behind a refused one are refused too, and sent again. */
    }
    if (result->outcome_case == CONTEXTD__V1__UPDATE_RESULT__OUTCOME_RESPONSE) {
        const UpdateContextResponse *response = result->response;
        bool replayed = response->write != NULL && response->write->replayed;

        job->acked++;
        job->anchored = job->anchored || !replayed;
        job->rounds = 0;
        job->replayed = job->replayed || replayed;
        job->changed = job->changed || !replayed;
        pipe->update_count += replayed ? 0 : 1;
        ctl_pipe_advance(pipe);
        return;
    }
    job->failed = true;
    cxc_error_from_failure(result->outcome_case == CONTEXTD__V1__UPDATE_RESULT__OUTCOME_FAILURE
                               ? result->failure
                               : &nothing,
                           &job->error);
}

static void on_received(void *arg, struct cxc_bytes bytes)
{
    static const struct cxc_error nonsense = {.code = CXC_INTERNAL,
                                              .message = "the answer makes no sense"};
    struct ctl_pipe *pipe = arg;
    StreamUpdatesResponse *message =
        contextd__v1__stream_updates_response__unpack(NULL, bytes.size, bytes.data);

    pipe->heard = true;
    pipe->heard_ms = now_ms();
    if (message == NULL || message->n_results > pipe->flight_count) {
        pipe_break(pipe, &nonsense);
        cxc_response_free(message);
        return;
    }
    for (size_t i = 0; i < message->n_results; i++) {
        struct ctl_flight flight = pipe->flights[pipe->flight_first];

        pipe->flight_first = (pipe->flight_first + 1) % CTL_WINDOW_UPDATES;
        pipe->flight_count--;
        pipe->flight_bytes -= flight.size;
        flight.job->in_flight--;
        job_answer(pipe, flight.job, message->results[i]);
    }
    cxc_response_free(message);
}

/* What was in flight has no answer: it is sent again, as the same requests. */
static void flights_forget(struct ctl_pipe *pipe)
{
    for (size_t i = 0; i < pipe->flight_count; i++) {
        size_t slot = (pipe->flight_first + i) % CTL_WINDOW_UPDATES;
        struct ctl_job *job = pipe->flights[slot].job;

        job->in_flight = 0;
        job->sent = job->acked;
    }
    pipe->flight_count = 0;
    pipe->flight_bytes = 0;
}

static void on_ended(void *arg, const struct cxc_error *error)
{
    static const struct cxc_error closed = {.code = CXC_UNAVAILABLE,
                                            .message = "the server ended the stream"};
    struct ctl_pipe *pipe = arg;
    int64_t wait;

    pipe->stream = NULL;
    flights_forget(pipe);
    if (pipe->closing || pipe->broken) {
        return;
    }
    pipe->error = error != NULL ? *error : closed;
    wait = ctl_pipe_trouble(pipe, &pipe->error);
    if (wait >= 0) {
        wait_ms(wait);
    } else {
        pipe->broken = true;
    }
}

static const struct cxc_stream_events first_events = {.received = on_received, .ended = on_ended};
static const struct cxc_stream_events again_events = {
    .received = on_received, .ended = on_ended, .wait_for_server = true};

/* ---- Sending. -------------------------------------------------------------- */

bool ctl_pipe_is_full(const struct ctl_pipe *pipe)
{
    return pipe->flight_count == CTL_WINDOW_UPDATES || pipe->flight_bytes >= CTL_WINDOW_BYTES;
}

static void pipe_open(struct ctl_pipe *pipe)
{
    struct cxc_method *method =
        cxc_method_get(pipe->ctl->client, "/contextd.v1.ContextManager/StreamUpdates");
    bool again = pipe->error.code != CXC_OK;

    pipe->stream = cxc_stream_new(pipe->loop, method, again ? &again_events : &first_events, pipe);
    pipe->heard = false;
}

void ctl_pipe_flush(struct ctl_pipe *pipe)
{
    StreamUpdatesRequest message = CONTEXTD__V1__STREAM_UPDATES_REQUEST__INIT;
    uint8_t *packed;
    size_t size;

    if (pipe->batch_count == 0) {
        return;
    }
    if (pipe->stream == NULL) {
        pipe_open(pipe);
    }
    message.updates = pipe->batch;
    message.n_updates = pipe->batch_count;
    size = contextd__v1__stream_updates_request__get_packed_size(&message);
    packed = ctl_realloc(NULL, size);
    contextd__v1__stream_updates_request__pack(&message, packed);
    cxc_stream_send(pipe->stream, (struct cxc_bytes){packed, size});
    free(packed);
    ctl_pool_done(&pipe->batch_pool);
    pipe->batch_count = 0;
    pipe->batch_bytes = 0;
}

void ctl_pipe_send(struct ctl_pipe *pipe, struct ctl_job *job)
{
    UpdateContextRequest *request = ctl_job_request(pipe->ctl, job, job->sent, &pipe->batch_pool);
    size_t size = contextd__v1__update_context_request__get_packed_size(request);
    size_t slot = (pipe->flight_first + pipe->flight_count) % CTL_WINDOW_UPDATES;

    assert(!ctl_pipe_is_full(pipe));
    if (pipe->flight_count == 0) {
        pipe->heard_ms = now_ms();
    }
    if (pipe->flight_count == 0 && !pipe->troubled) {
        ctl_pipe_advance(pipe);
    }
    pipe->flights[slot] = (struct ctl_flight){job, size};
    pipe->flight_count++;
    pipe->flight_bytes += size;
    pipe->batch[pipe->batch_count++] = request;
    pipe->batch_bytes += size;
    job->sent++;
    job->in_flight++;
    if (pipe->batch_count == CTL_BATCH_UPDATES || pipe->batch_bytes >= CTL_BATCH_BYTES) {
        ctl_pipe_flush(pipe);
    }
}

/* ---- Waiting and ending. --------------------------------------------------- */

void ctl_pipe_poll(struct ctl_pipe *pipe)
{
    static const struct cxc_error silence = {.code = CXC_DEADLINE_EXCEEDED,
                                             .message = "the server does not answer"};

    if (!cxc_loop_poll(pipe->loop, POLL_MS)) {
        wait_ms(POLL_MS); /* No stream: what there is to do waits for its time. */
    }
    if (pipe->flight_count > 0 && !pipe->broken &&
        now_ms() - pipe->heard_ms > pipe->ctl->timeout_ms) {
        bool unreached = !pipe->heard && pipe->error.code != CXC_OK;
        struct cxc_error error = unreached ? pipe->error : silence;

        pipe_break(pipe, &error);
    }
}

void ctl_pipe_close(struct ctl_pipe *pipe)
{
    int64_t deadline_ms = now_ms() + pipe->ctl->timeout_ms;

    pipe->closing = true;
    if (pipe->stream != NULL) {
        cxc_stream_finish(pipe->stream);
    }
    while (cxc_loop_poll(pipe->loop, POLL_MS)) {
        if (pipe->stream != NULL && (pipe->broken || now_ms() > deadline_ms)) {
            cxc_stream_cancel(pipe->stream);
        }
    }
    cxc_loop_free(pipe->loop);
    ctl_pool_done(&pipe->batch_pool);
}
