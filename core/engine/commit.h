/* Group commit: changes go into a buffer in memory, one writer makes whatever is there
 * durable at once, and then completes those who wait for it.
 *
 * What always holds:
 *
 *  (1) Revisions are handed out in the order of the appends, without gaps, and times
 *      never go back from one to the next.
 *  (2) A waiter is completed once: with CX_OK when its revision is durable, with
 *      CX_UNAVAILABLE when it never will be.
 *  (3) An append never waits for the disk: while one buffer is written, the next one
 *      fills.
 *  (4) After a failure nothing is accepted any more.
 *
 * Threads: append, wait and the numbers from any thread; step from one at a time (the
 * writer). The commit's lock is the innermost of all. */

#ifndef CX_ENGINE_COMMIT_H
#define CX_ENGINE_COMMIT_H

#include <pthread.h>
#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/work.h"
#include "core/log/log.h"

/* A run of frames on its way to the log. */
struct cx_commit_buffer {
    struct cx_buffer frames;
    uint64_t first;
    size_t count;
};

struct cx_commit {
    struct cx_log *log;              /* Borrowed. */
    struct cx_log_position written;  /* Of the writer: the last durable record. */
    struct cx_commit_buffer writing; /* Of the writer. */

    pthread_mutex_t mutex; /* Guards what follows. */
    pthread_cond_t filled; /* Something is there to be written, or stopping. */
    struct cx_commit_buffer filling;
    uint64_t revision;       /* The last one handed out. Atomic; written under the mutex. */
    uint64_t durable;        /* Atomic; written under the mutex. */
    int64_t time_us;         /* Of the last one. */
    size_t pending_bytes;    /* In both buffers. */
    struct cx_work *waiters; /* First come, first. */
    struct cx_work **waiters_end;
    bool idle;     /* The writer waits for `filled`. */
    bool stopping; /* The writer is to end when all is written. */
    bool failed;
};

/* Begins behind the log's last record, whose time is `time_us`. */
void cx_commit_init(struct cx_commit *commit, struct cx_log *log, int64_t time_us);
void cx_commit_done(struct cx_commit *commit);

/* Appends a record. Never waits. Returns CX_REASON_NONE with its revision and time, or
 * OVERLOADED, STORAGE_FULL, STORAGE_FAILED, LIMIT_REACHED (out of memory), and then
 * nothing has happened. */
CX_MUST_CHECK enum cx_reason cx_commit_append(struct cx_commit *commit, struct cx_bytes payload,
                                              int64_t now_us, uint64_t *ret_revision,
                                              int64_t *ret_time_us);

/* True when `revision` is durable. Else the waiter is taken over, or, after a failure,
 * handed back by *ret_failed, to be completed by the caller. */
bool cx_commit_wait(struct cx_commit *commit, uint64_t revision, struct cx_waiter *waiter,
                    bool *ret_failed);

/* Waits until there is something to write. False: stopping, and nothing is left. */
bool cx_commit_await(struct cx_commit *commit);

/* Makes everything that was appended durable. *ret_done are the waiters that it
 * completes, linked by `work`, first come first. CX_UNAVAILABLE: the log has failed,
 * and all waiters are among them. Blocks. */
CX_MUST_CHECK enum cx_status cx_commit_step(struct cx_commit *commit, struct cx_work **ret_done);

/* Tells the writer to end: cx_commit_await() returns false once all is written. */
void cx_commit_stop(struct cx_commit *commit);

/* Ends everything after a failure elsewhere. *ret_done as in cx_commit_step(). */
void cx_commit_fail(struct cx_commit *commit, struct cx_work **ret_done);

static inline uint64_t cx_commit_revision(const struct cx_commit *commit)
{
    return __atomic_load_n(&commit->revision, __ATOMIC_ACQUIRE);
}

static inline uint64_t cx_commit_durable(const struct cx_commit *commit)
{
    return __atomic_load_n(&commit->durable, __ATOMIC_ACQUIRE);
}

#endif /* CX_ENGINE_COMMIT_H */
