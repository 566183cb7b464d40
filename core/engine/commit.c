#include "core/engine/commit.h"

#include <assert.h>

#include "core/base/container_of.h"
#include "core/base/limits.h"

/* Memory that an empty buffer keeps. */
#define BUFFER_KEPT_MAX (8 * CX_MIB)

void cx_commit_init(struct cx_commit *commit, struct cx_log *log, int64_t time_us)
{
    *commit = (struct cx_commit){.log = log, .written = log->ops->tail(log), .time_us = time_us};
    commit->revision = commit->written.revision;
    commit->durable = commit->written.revision;
    commit->waiters_end = &commit->waiters;
    pthread_mutex_init(&commit->mutex, NULL);
    pthread_cond_init(&commit->filled, NULL);
}

void cx_commit_done(struct cx_commit *commit)
{
    assert(commit->waiters == NULL);
    cx_buffer_done(&commit->filling.frames);
    cx_buffer_done(&commit->writing.frames);
    pthread_cond_destroy(&commit->filled);
    pthread_mutex_destroy(&commit->mutex);
}

/* Whether a frame may be added, with room for it in the buffer. */
static enum cx_reason admit_locked(struct cx_commit *commit, size_t frame_size)
{
    if (commit->failed || commit->stopping) {
        return CX_REASON_STORAGE_FAILED;
    }
    if (commit->pending_bytes + frame_size > CX_LOG_PENDING_BYTES_MAX &&
        commit->pending_bytes > 0) {
        return CX_REASON_OVERLOADED;
    }
    if (cx_buffer_reserve(&commit->filling.frames, frame_size) != CX_OK) {
        return CX_REASON_LIMIT_REACHED;
    }
    return commit->log->ops->admit(commit->log, frame_size);
}

static void append_locked(struct cx_commit *commit, struct cx_bytes payload, size_t frame_size)
{
    struct cx_commit_buffer *filling = &commit->filling;
    uint8_t *frame = filling->frames.data + filling->frames.size;

    if (filling->count++ == 0) {
        filling->first = commit->revision + 1;
    }
    __atomic_store_n(&commit->revision, commit->revision + 1, __ATOMIC_RELEASE);
    cx_log_frame_begin(frame, commit->revision, commit->time_us, payload.size);
    memcpy(frame + CX_LOG_HEADER_SIZE, payload.data, payload.size);
    filling->frames.size += frame_size;
    commit->pending_bytes += frame_size;
}

enum cx_reason cx_commit_append(struct cx_commit *commit, struct cx_bytes payload, int64_t now_us,
                                uint64_t *ret_revision, int64_t *ret_time_us)
{
    size_t frame_size = cx_log_frame_size(payload.size);
    bool wake = false;
    enum cx_reason reason;

    pthread_mutex_lock(&commit->mutex);
    reason = admit_locked(commit, frame_size);
    if (reason == CX_REASON_NONE) {
        commit->time_us = now_us > commit->time_us ? now_us : commit->time_us;
        append_locked(commit, payload, frame_size);
        *ret_revision = commit->revision;
        *ret_time_us = commit->time_us;
        wake = commit->idle;
        commit->idle = false;
    }
    pthread_mutex_unlock(&commit->mutex);
    if (wake) {
        pthread_cond_signal(&commit->filled);
    }
    return reason;
}

bool cx_commit_wait(struct cx_commit *commit, uint64_t revision, struct cx_waiter *waiter,
                    bool *ret_failed)
{
    bool durable;

    *ret_failed = false;
    if (revision <= cx_commit_durable(commit)) {
        return true;
    }
    pthread_mutex_lock(&commit->mutex);
    assert(revision <= commit->revision);
    durable = revision <= commit->durable;
    if (!durable && commit->failed) {
        waiter->status = CX_UNAVAILABLE;
        *ret_failed = true;
    } else if (!durable) {
        waiter->revision = revision;
        waiter->work.next = NULL;
        *commit->waiters_end = &waiter->work;
        commit->waiters_end = &waiter->work.next;
    }
    pthread_mutex_unlock(&commit->mutex);
    return durable;
}

bool cx_commit_await(struct cx_commit *commit)
{
    bool more;

    pthread_mutex_lock(&commit->mutex);
    while (commit->filling.count == 0 && !commit->stopping && !commit->failed) {
        commit->idle = true;
        pthread_cond_wait(&commit->filled, &commit->mutex);
    }
    commit->idle = false;
    more = commit->filling.count > 0 && !commit->failed;
    pthread_mutex_unlock(&commit->mutex);
    return more;
}

/* Moves the waiters whose revisions are durable, or all after a failure, to *ret_done.
 * Those that stay keep their order. */
static void waiters_take_locked(struct cx_commit *commit, struct cx_work **ret_done)
{
    struct cx_work **done_end = ret_done;
    struct cx_work **link = &commit->waiters;

    while (*link != NULL) {
        struct cx_work *work = *link;
        struct cx_waiter *waiter = CX_CONTAINER_OF(work, struct cx_waiter, work);
        bool durable = waiter->revision <= commit->durable;

        if (!durable && !commit->failed) {
            link = &work->next;
            continue;
        }
        waiter->status = durable ? CX_OK : CX_UNAVAILABLE;
        *link = work->next;
        *done_end = work;
        done_end = &work->next;
    }
    *done_end = NULL;
    commit->waiters_end = link;
}

/* Takes what was appended, and leaves the empty buffer in its place. */
static void buffers_swap(struct cx_commit *commit)
{
    struct cx_commit_buffer empty = commit->writing;

    if (empty.frames.capacity > BUFFER_KEPT_MAX) {
        cx_buffer_done(&empty.frames);
    }
    empty.frames.size = 0;
    empty.count = 0;
    pthread_mutex_lock(&commit->mutex);
    commit->writing = commit->filling;
    commit->filling = empty;
    pthread_mutex_unlock(&commit->mutex);
}

enum cx_status cx_commit_step(struct cx_commit *commit, struct cx_work **ret_done)
{
    struct cx_log_position tail = commit->written;
    enum cx_status status = CX_OK;

    buffers_swap(commit);
    if (commit->writing.count > 0) {
        struct cx_log_batch batch = {
            .data = commit->writing.frames.data,
            .size = commit->writing.frames.size,
            .first = commit->writing.first,
            .count = commit->writing.count,
        };

        status = commit->log->ops->append(commit->log, commit->written, &batch, &tail);
        assert(status != CX_OK || tail.revision == batch.first + batch.count - 1);
    }
    if (status != CX_OK) {
        cx_commit_fail(commit, ret_done);
        return CX_UNAVAILABLE;
    }
    commit->written = tail;
    pthread_mutex_lock(&commit->mutex);
    commit->pending_bytes -= commit->writing.frames.size;
    __atomic_store_n(&commit->durable, tail.revision, __ATOMIC_RELEASE);
    waiters_take_locked(commit, ret_done);
    pthread_mutex_unlock(&commit->mutex);
    return CX_OK;
}

void cx_commit_stop(struct cx_commit *commit)
{
    pthread_mutex_lock(&commit->mutex);
    commit->stopping = true;
    pthread_mutex_unlock(&commit->mutex);
    pthread_cond_signal(&commit->filled);
}

void cx_commit_fail(struct cx_commit *commit, struct cx_work **ret_done)
{
    pthread_mutex_lock(&commit->mutex);
    commit->failed = true;
    waiters_take_locked(commit, ret_done);
    pthread_mutex_unlock(&commit->mutex);
    pthread_cond_signal(&commit->filled);
}
