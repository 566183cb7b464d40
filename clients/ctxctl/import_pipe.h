/* The stream of an import: steps of many jobs out, their answers back to the jobs.
 *
 * What always holds:
 *
 *  (1) Answers come in the order of the steps, so those of a job come in its order.
 *  (2) At most a window of steps is in flight.
 *  (3) When the stream breaks, each job stands at its last answered step; the next
 *      flush opens a new stream. */

#ifndef CTL_IMPORT_PIPE_H
#define CTL_IMPORT_PIPE_H

#include "clients/c/contextd_async.h"
#include "clients/c/retry.h"
#include "clients/ctxctl/import_job.h"

enum {
    CTL_WINDOW_UPDATES = 1024,
    CTL_WINDOW_BYTES = 4 * 1024 * 1024,
    CTL_BATCH_UPDATES = 100,
    CTL_BATCH_BYTES = 512 * 1024,
};

/* A step that was sent. */
struct ctl_flight {
    struct ctl_job *job;
    size_t size;
};

struct ctl_pipe {
    const struct ctl *ctl;
    struct cxc_loop *loop;
    struct cxc_stream *stream;                     /* NULL when there is none at the moment. */
    struct ctl_flight flights[CTL_WINDOW_UPDATES]; /* A ring. */
    size_t flight_first;
    size_t flight_count;
    size_t flight_bytes;
    uint64_t update_count; /* Changes that were made, repeats not counted. */

    /* Troubles are waited out, each longer than the one before, until `--timeout` has
     * passed since the last step that was done, or since there was nothing to do. */
    struct cxc_retry retry;
    bool troubled;          /* No step was done since the last trouble. */
    int64_t heard_ms;       /* When the server was heard last, or when it was asked. */
    bool heard;             /* The stream at hand has answered something. */
    bool broken;            /* For good. */
    struct cxc_error error; /* Why the stream ended last. */

    /* The message that is being put together. */
    struct ctl_pool batch_pool;
    UpdateContextRequest *batch[CTL_BATCH_UPDATES];
    size_t batch_count;
    size_t batch_bytes;
    bool closing;
};

/* Opens nothing yet. The client of `ctl` must outlive the pipe. */
void ctl_pipe_init(struct ctl_pipe *pipe, const struct ctl *ctl);

/* Whether the window has no room for another step. */
bool ctl_pipe_is_full(const struct ctl_pipe *pipe);

/* Sends the next step of a job, with others in a message. Not when full. */
void ctl_pipe_send(struct ctl_pipe *pipe, struct ctl_job *job);

/* Something was done: whatever the trouble was, it is over. */
void ctl_pipe_advance(struct ctl_pipe *pipe);

/* How long to wait before what failed with a transient error is done again; -1 when that
 * has gone on for too long. */
int64_t ctl_pipe_trouble(struct ctl_pipe *pipe, const struct cxc_error *error);

/* Sends what has been put together so far. */
void ctl_pipe_flush(struct ctl_pipe *pipe);

/* Waits a little for answers. A break that may mend is waited out here; one that lasts
 * longer than `--timeout`, and silence of that length, make the pipe `broken`. */
void ctl_pipe_poll(struct ctl_pipe *pipe);

/* Ends the stream, by force when the server does not. Safe on a pipe that was never
 * used. */
void ctl_pipe_close(struct ctl_pipe *pipe);

#endif /* CTL_IMPORT_PIPE_H */
