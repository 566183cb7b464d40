/* The threads: the log's writer, the preparer of its segments, the timers. Each is a
 * loop around a step, so that a test can make the steps instead. */

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine_internal.h"
#include "core/state/point.h"
#include "core/state/tracked.h"

enum {
    TIMERS_PERIOD_MS = 100,    /* How late an expiry may be noticed. */
    PREPARE_RETRY_MS = 1000,   /* How often a full disk is tried again. */
    DUE_PER_STEP_MAX = 10000,  /* Contexts that one round of a shard's timers ends. */
    GARBAGE_INLINE_MAX = 1000, /* Entries and activities that whoever dropped them frees at once. */
};

/* ---- The writer. ------------------------------------------------------------ */

void cx_engine_complete(struct cx_engine *engine, struct cx_work *done)
{
    if (done != NULL) {
        engine->events.complete(engine->events.arg, done);
    }
}

/* The disk has failed: everybody is told, once. */
static void engine_fail(struct cx_engine *engine, struct cx_work *done, const char *message)
{
    bool first = !__atomic_exchange_n(&engine->failed, true, __ATOMIC_ACQ_REL);

    cx_engine_complete(engine, done);
    if (first) {
        done = NULL;
        cx_feed_end(engine->feed, CX_REASON_STORAGE_FAILED, &done);
        cx_engine_complete(engine, done);
        engine->events.failed(engine->events.arg, message);
    }
}

void cx_engine_step_writer(struct cx_engine *engine)
{
    struct cx_commit_buffer *written = &engine->commit.writing;
    struct cx_work *done = NULL;

    if (cx_commit_step(&engine->commit, &done) == CX_OK) {
        cx_engine_complete(engine, done);
        if (written->count > 0) {
            cx_feed_hand_over(engine->feed, &written->frames, written->first, written->count);
        }
    } else {
        engine_fail(engine, done, "the log could not be written to the disk");
    }
}

static void *writer_run(void *arg)
{
    struct cx_engine *engine = arg;

    while (cx_commit_await(&engine->commit)) {
        cx_engine_step_writer(engine);
    }
    return NULL;
}

bool cx_engine_wait(struct cx_engine *engine, uint64_t revision, struct cx_waiter *waiter)
{
    bool failed;
    bool durable = cx_commit_wait(&engine->commit, revision, waiter, &failed);

    if (failed) {
        waiter->work.next = NULL;
        cx_engine_complete(engine, &waiter->work);
    }
    return durable;
}

/* ---- The preparer of segments. ---------------------------------------------- */

static void tell_full(struct cx_engine *engine, bool full)
{
    engine->disk_full = full;
    if (engine->events.disk_full != NULL) {
        engine->events.disk_full(engine->events.arg, full);
    }
}

void cx_engine_step_preparer(struct cx_engine *engine)
{
    enum cx_status status = engine->log->ops->prepare(engine->log);
    struct cx_work *done = NULL;
    bool full = status == CX_RESOURCE_EXHAUSTED;

    if (status == CX_UNAVAILABLE) {
        cx_commit_fail(&engine->commit, &done);
        engine_fail(engine, done, "the next segment of the log could not be written to the disk");
    } else if (full != engine->disk_full) {
        tell_full(engine, full);
    }
}

static struct timespec deadline_in_ms(int64_t ms)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += ms / 1000;
    deadline.tv_nsec += ms % 1000 * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return deadline;
}

/* Waits until there is something to prepare, or time to try again. */
static bool preparer_await(struct cx_engine *engine)
{
    struct timespec deadline = deadline_in_ms(PREPARE_RETRY_MS);
    bool stopping;
    int error = 0;

    pthread_mutex_lock(&engine->mutex);
    while (!engine->prepare && !engine->stopping && error == 0) {
        if (engine->disk_full) {
            error = pthread_cond_timedwait(&engine->prepare_wanted, &engine->mutex, &deadline);
        } else {
            pthread_cond_wait(&engine->prepare_wanted, &engine->mutex);
        }
    }
    engine->prepare = false;
    stopping = engine->stopping;
    pthread_mutex_unlock(&engine->mutex);
    return !stopping && !__atomic_load_n(&engine->failed, __ATOMIC_ACQUIRE);
}

static void *preparer_run(void *arg)
{
    struct cx_engine *engine = arg;

    while (preparer_await(engine)) {
        cx_engine_step_preparer(engine);
    }
    return NULL;
}

/* ---- The feed. -------------------------------------------------------------- */

static void step_tail(struct cx_engine *engine)
{
    struct cx_work *done = NULL;

    while (cx_feed_step_tail(engine->feed, &done)) {
        cx_engine_complete(engine, done);
        done = NULL;
    }
}

static void step_loader(struct cx_engine *engine)
{
    struct cx_work *done = NULL;

    while (cx_feed_step_load(engine->feed, &done)) {
        cx_engine_complete(engine, done);
        done = NULL;
    }
}

void cx_engine_step_feed(struct cx_engine *engine)
{
    step_tail(engine);
    step_loader(engine);
}

static void *feed_tail_run(void *arg)
{
    struct cx_engine *engine = arg;

    while (cx_feed_await_tail(engine->feed)) {
        step_tail(engine);
    }
    return NULL;
}

static void *feed_loader_run(void *arg)
{
    struct cx_engine *engine = arg;

    while (cx_feed_await_load(engine->feed)) {
        step_loader(engine);
    }
    return NULL;
}

/* ---- The timers. ------------------------------------------------------------ */

/* Entries of the states that a context came from, and of those merged into it. */
static uint64_t count_bases(const struct cx_recovery *recovery)
{
    uint64_t count = 0;

    for (const struct cx_base *base = recovery->forked_from; base != NULL; base = base->older) {
        count += base->entry_count;
    }
    for (const struct cx_merged *each = recovery->merged; each != NULL; each = each->next) {
        count += each->base->entry_count;
    }
    return count;
}

static bool is_large(const struct cx_undo *garbage)
{
    uint64_t count = garbage->kind == CX_UNDO_ROOT ? garbage->entry_count : 0;

    for (size_t i = 0; garbage->dropped_points != NULL && i < garbage->dropped_points->count; i++) {
        count += garbage->dropped_points->points[i]->state.entry_count;
    }
    if (garbage->dropped_recovery != NULL) {
        count += garbage->dropped_recovery->point_count + count_bases(garbage->dropped_recovery);
    }
    if (garbage->dropped != NULL) {
        count += garbage->dropped->history_count + garbage->dropped->file_count;
    }
    return count > GARBAGE_INLINE_MAX;
}

void cx_engine_free_garbage(struct cx_engine *engine, struct cx_undo *garbage)
{
    while (garbage != NULL) {
        struct cx_undo *next = garbage->newer;

        if (is_large(garbage)) {
            pthread_mutex_lock(&engine->garbage_mutex);
            garbage->newer = engine->garbage;
            engine->garbage = garbage;
            pthread_mutex_unlock(&engine->garbage_mutex);
        } else {
            cx_undo_unref(garbage);
        }
        garbage = next;
    }
}

static void garbage_collect(struct cx_engine *engine)
{
    struct cx_undo *garbage;

    pthread_mutex_lock(&engine->garbage_mutex);
    garbage = engine->garbage;
    engine->garbage = NULL;
    pthread_mutex_unlock(&engine->garbage_mutex);
    cx_undo_free_list(garbage);
}

/* The name of the context of a shard that is due first, if it is by now. */
static bool shard_first_due(struct cx_engine *engine, unsigned shard, int64_t now_us,
                            struct cx_name_key *ret_key)
{
    const struct cx_due_mark *first;
    int64_t time_us = 0;
    bool due;

    pthread_mutex_lock(&engine->locks[shard]);
    first = cx_due_first(&engine->state.shards[shard].due, &time_us);
    due = first != NULL && time_us <= now_us;
    if (due) {
        const struct cx_context *context = CX_CONTAINER_OF(first, struct cx_context, due);

        cx_name_key_init(ret_key, cx_context_namespace(context), cx_context_id(context));
    }
    pthread_mutex_unlock(&engine->locks[shard]);
    return due;
}

void cx_engine_step_timers(struct cx_engine *engine)
{
    const struct cx_clock *clock = engine->options.clock;
    uint64_t memory_limit = engine->options.memory_limit;
    int64_t now_us = clock->wall_us(clock);
    struct cx_work *done = NULL;
    struct cx_name_key key;

    for (unsigned shard = 0; shard < CX_SHARDS; shard++) {
        for (size_t i = 0; i < DUE_PER_STEP_MAX && shard_first_due(engine, shard, now_us, &key);
             i++) {
            struct cx_error error;

            if (cx_engine_run_due(engine, &key, now_us, &error) != CX_OK) {
                break; /* Nothing is shown late for that; the next round tries again. */
            }
        }
        cx_engine_run_leases(engine, shard);
    }
    garbage_collect(engine);
    cx_engine_step_retention(engine);
    cx_feed_step_timers(engine->feed, &done);
    cx_engine_complete(engine, done);
    __atomic_store_n(&engine->memory_full,
                     memory_limit > 0 && cx_memory_used() > (int64_t)memory_limit,
                     __ATOMIC_RELAXED);
}

static bool timers_await(struct cx_engine *engine)
{
    struct timespec deadline = deadline_in_ms(TIMERS_PERIOD_MS);
    bool stopping;

    pthread_mutex_lock(&engine->mutex);
    if (!engine->stopping) {
        pthread_cond_timedwait(&engine->stop_wanted, &engine->mutex, &deadline);
    }
    stopping = engine->stopping;
    pthread_mutex_unlock(&engine->mutex);
    return !stopping;
}

static void *timers_run(void *arg)
{
    struct cx_engine *engine = arg;

    while (timers_await(engine)) {
        cx_engine_step_timers(engine);
    }
    return NULL;
}

/* ---- Starting and stopping. ------------------------------------------------- */

enum cx_status cx_engine_start(struct cx_engine *engine, const struct cx_engine_events *events)
{
    engine->events = *events;
    if (pthread_create(&engine->writer, NULL, writer_run, engine) != 0) {
        return CX_RESOURCE_EXHAUSTED;
    }
    if (pthread_create(&engine->preparer, NULL, preparer_run, engine) != 0 ||
        pthread_create(&engine->timers, NULL, timers_run, engine) != 0 ||
        pthread_create(&engine->feed_tail, NULL, feed_tail_run, engine) != 0 ||
        pthread_create(&engine->feed_loader, NULL, feed_loader_run, engine) != 0) {
        abort(); /* Half a server is worse than none, and nothing was promised yet. */
    }
    engine->started = true;
    return CX_OK;
}

void cx_engine_step(struct cx_engine *engine, const struct cx_engine_events *events)
{
    bool prepare;

    assert(!engine->started);
    engine->events = *events;
    if (__atomic_load_n(&engine->failed, __ATOMIC_ACQUIRE)) {
        return;
    }
    cx_engine_step_writer(engine);
    pthread_mutex_lock(&engine->mutex);
    prepare = engine->prepare || engine->disk_full;
    engine->prepare = false;
    pthread_mutex_unlock(&engine->mutex);
    if (prepare) {
        cx_engine_step_preparer(engine);
    }
    cx_engine_step_timers(engine);
    cx_engine_step_feed(engine);
}

void cx_engine_stop(struct cx_engine *engine)
{
    if (engine->started) {
        pthread_mutex_lock(&engine->mutex);
        engine->stopping = true;
        pthread_mutex_unlock(&engine->mutex);
        pthread_cond_signal(&engine->prepare_wanted);
        pthread_cond_signal(&engine->stop_wanted);
        pthread_join(engine->timers, NULL);
        pthread_join(engine->preparer, NULL);
        cx_commit_stop(&engine->commit);
        pthread_join(engine->writer, NULL);
        cx_feed_stop(engine->feed);
        pthread_join(engine->feed_tail, NULL);
        pthread_join(engine->feed_loader, NULL);
        engine->started = false;
    } else if (!engine->failed) {
        cx_engine_step_writer(engine);
    }
    engine->stopped = true;
}
