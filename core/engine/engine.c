/* Opening and closing. */

#include "core/engine/engine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/engine/engine_internal.h"
#include "core/log/wal.h"
#include "core/state/replay.h"

/* ---- Opening. --------------------------------------------------------------- */

static void describe(void *arg, struct cx_bytes payload, char *text, size_t size)
{
    (void)arg;
    cx_change_describe(payload, text, size);
}

static void on_wake_prepare(void *arg)
{
    struct cx_engine *engine = arg;

    pthread_mutex_lock(&engine->mutex);
    engine->prepare = true;
    pthread_mutex_unlock(&engine->mutex);
    pthread_cond_signal(&engine->prepare_wanted);
}

/* What a change may weigh, and a segment that holds several of them. */
static void sizes_settle(struct cx_engine *engine)
{
    uint64_t segment_size = engine->options.segment_size;

    engine->change_size_max = 2 * engine->options.message_size_max;
    if (segment_size == 0) {
        segment_size = CX_SEGMENT_SIZE_MIN;
    }
    if (segment_size < 4 * (engine->change_size_max + CX_KIB)) {
        segment_size = 4 * (engine->change_size_max + CX_KIB);
    }
    engine->options.segment_size = segment_size;
    engine->end_size_max = segment_size / 2 - CX_KIB;
}

struct recovery {
    struct cx_replay *replay;
    struct cx_purges *purges;
    bool out_of_memory;
    int64_t time_us; /* Of the last record. */
};

static void on_purge(void *arg, uint64_t hash, uint64_t revision)
{
    struct recovery *recovery = arg;

    if (cx_purges_reserve(recovery->purges, 1)) {
        cx_purges_add(recovery->purges, hash, revision, revision);
    } else {
        recovery->out_of_memory = true;
    }
}

static enum cx_status on_record(void *arg, const struct cx_log_record *record)
{
    struct recovery *recovery = arg;

    recovery->time_us = record->time_us;
    return cx_replay_add(recovery->replay, record->payload, record->revision, record->time_us);
}

static enum cx_status replay_explain(const struct cx_replay *replay, enum cx_status status,
                                     struct cx_error *error)
{
    if (status == CX_DATA_LOSS && cx_replay_failed_revision(replay) == 0) {
        cx_error_set(error, CX_REASON_DAMAGED,
                     "the log was whole a moment ago and cannot be read back now; check the disk");
    } else if (status == CX_DATA_LOSS) {
        cx_error_set(error, CX_REASON_DAMAGED,
                     "record %" PRIu64 " of the log is whole, but does not fit what comes before "
                     "it; was it written by another program?",
                     cx_replay_failed_revision(replay));
    } else if (status == CX_RESOURCE_EXHAUSTED) {
        cx_error_set(error, CX_REASON_NOT_READY,
                     "out of memory while replaying the log; the server needs more memory");
    } else if (status != CX_OK) {
        cx_error_set(error, CX_REASON_NOT_READY, "the log could not be read back");
    }
    return status;
}

/* Applies the whole log. *ret_time_us is that of its last record. */
static enum cx_status engine_replay(struct cx_engine *engine, int64_t *ret_time_us,
                                    struct cx_error *error)
{
    uint64_t tail = engine->log->ops->tail(engine->log).revision;
    struct recovery recovery = {.purges = &engine->purges};
    enum cx_status status = cx_replay_new(&engine->state, &recovery.replay);

    if (status == CX_OK) {
        cx_replay_on_purge(recovery.replay, on_purge, &recovery);
    }
    if (status == CX_OK && tail > 0) {
        status = engine->log->ops->read(engine->log, 1, tail, on_record, &recovery);
    }
    if (status == CX_OK) {
        status = cx_replay_finish(recovery.replay);
    }
    if (status == CX_OK && recovery.out_of_memory) {
        status = CX_RESOURCE_EXHAUSTED;
    }
    status = replay_explain(recovery.replay, status, error);
    cx_replay_free(recovery.replay);
    *ret_time_us = recovery.time_us;
    return status;
}

/* Waits on it are timed by a clock that nobody sets. */
static void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct cx_engine *engine_new(const struct cx_engine_options *options)
{
    struct cx_engine *engine = cx_calloc(sizeof *engine);

    if (engine == NULL) {
        return NULL;
    }
    engine->options = *options;
    for (size_t i = 0; i < CX_SHARDS; i++) {
        pthread_mutex_init(&engine->locks[i], NULL);
    }
    pthread_mutex_init(&engine->garbage_mutex, NULL);
    cx_purges_init(&engine->purges);
    pthread_mutex_init(&engine->mutex, NULL);
    condition_init(&engine->prepare_wanted);
    condition_init(&engine->stop_wanted);
    engine->prepare = true; /* Look at once. */
    sizes_settle(engine);
    return engine;
}

static void engine_free(struct cx_engine *engine)
{
    for (size_t i = 0; i < CX_SHARDS; i++) {
        cx_arena_done(&engine->workspaces[i].arena);
        cx_buffer_done(&engine->workspaces[i].encoded);
        pthread_mutex_destroy(&engine->locks[i]);
    }
    cx_feed_free(engine->feed);
    cx_purges_done(&engine->purges);
    cx_undo_free_list(engine->garbage);
    cx_state_done(&engine->state);
    pthread_mutex_destroy(&engine->garbage_mutex);
    pthread_mutex_destroy(&engine->mutex);
    pthread_cond_destroy(&engine->prepare_wanted);
    pthread_cond_destroy(&engine->stop_wanted);
    cx_free(engine);
}

static enum cx_status engine_open_log(struct cx_engine *engine, struct cx_wal_report *ret_report,
                                      struct cx_error *error)
{
    const struct cx_wal_options options = {
        .disk = engine->options.disk,
        .random = engine->options.random,
        .segment_size = engine->options.segment_size,
        .sync = engine->options.sync,
        .accept_data_loss = engine->options.accept_data_loss,
        .describe = describe,
        .wake_prepare = on_wake_prepare,
        .arg = engine,
    };
    enum cx_status status = cx_wal_open(&options, &engine->log, ret_report, error);

    if (status == CX_OK) {
        engine->identity = ret_report->identity;
    }
    return status;
}

static void report_fill(const struct cx_engine *engine, const struct cx_wal_report *wal,
                        struct cx_engine_report *ret_report)
{
    *ret_report = (struct cx_engine_report){
        .created = wal->created,
        .clean = wal->clean,
        .data_lost = wal->data_lost,
        .torn_bytes = wal->torn_bytes,
        .revision = wal->tail.revision,
        .log_bytes = wal->bytes,
    };
    snprintf(ret_report->data_loss, sizeof ret_report->data_loss, "%s", wal->data_loss);
    for (size_t i = 0; i < CX_SHARDS; i++) {
        const struct cx_table *contexts = &engine->state.shards[i].contexts;

        for (size_t place = 0; place < contexts->capacity; place++) {
            const struct cx_context *context = cx_table_at(contexts, place);

            ret_report->context_count += cx_context_is_live(context);
        }
    }
}

static enum cx_status open_feed(struct cx_engine *engine, struct cx_error *error)
{
    const struct cx_feed_options options = {
        .log = engine->log,
        .clock = engine->options.clock,
        .purges = &engine->purges,
        .encoder = engine->options.encode_event,
        .subscriptions_max = engine->options.subscriptions_max,
        .durable = cx_commit_durable(&engine->commit),
        .floor = engine->state.feed_floor,
    };

    cx_purges_forget(&engine->purges, engine->state.feed_floor);
    return cx_feed_new(&options, &engine->feed) == CX_OK ? CX_OK : cx_error_out_of_memory(error);
}

/* Opens the log, replays it, and makes sure of the settings. */
static enum cx_status engine_recover(struct cx_engine *engine, struct cx_engine_report *ret_report,
                                     struct cx_error *error)
{
    const struct cx_clock *clock = engine->options.clock;
    int64_t last_time_us;
    struct cx_wal_report wal;
    struct cx_work *done;
    enum cx_status status = engine_open_log(engine, &wal, error);
    int64_t start_us = clock->monotonic_us(clock);

    if (status != CX_OK) {
        return status;
    }
    status = engine_replay(engine, &last_time_us, error);
    cx_commit_init(&engine->commit, engine->log, last_time_us);
    if (status == CX_OK) {
        report_fill(engine, &wal, ret_report);
        ret_report->replay_us = clock->monotonic_us(clock) - start_us;
        status = cx_engine_write_settings(engine, error);
    }
    if (status == CX_OK) {
        status = cx_commit_step(&engine->commit, &done);
        if (status != CX_OK) {
            cx_error_set(error, CX_REASON_STORAGE_FAILED, "the log could not be written");
        }
    }
    if (status == CX_OK) {
        status = open_feed(engine, error);
    }
    if (status != CX_OK) {
        cx_commit_done(&engine->commit);
        engine->log->ops->close(engine->log, false);
        return status;
    }
    cx_engine_start_leases(engine); /* The last thing: a slow disk takes nothing from a term. */
    return CX_OK;
}

enum cx_status cx_engine_open(const struct cx_engine_options *options,
                              struct cx_engine **ret_engine, struct cx_engine_report *ret_report,
                              struct cx_error *ret_error)
{
    struct cx_engine *engine = engine_new(options);
    enum cx_status status;

    assert(options->settings.tombstone_window_us >= options->settings.undelete_window_us);
    assert(options->settings.version_retention >= 1);
    if (engine == NULL) {
        return cx_error_out_of_memory(ret_error);
    }
    status = cx_state_init(&engine->state);
    if (status != CX_OK) {
        status = cx_error_out_of_memory(ret_error);
    } else {
        status = engine_recover(engine, ret_report, ret_error);
    }
    if (status != CX_OK) {
        engine_free(engine);
        return status;
    }
    *ret_engine = engine;
    return CX_OK;
}

/* ---- Closing. --------------------------------------------------------------- */

void cx_engine_close(struct cx_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    assert(!engine->started); /* cx_engine_stop() comes first. */
    engine->log->ops->close(engine->log, engine->stopped && !engine->failed);
    cx_commit_done(&engine->commit);
    engine_free(engine);
}

/* ---- What it is like. ------------------------------------------------------- */

static bool count_contexts(void *arg, struct cx_bytes name, uint64_t context_count,
                           uint64_t size_bytes)
{
    uint64_t *sum = arg;

    (void)name;
    (void)size_bytes;
    *sum += context_count;
    return true;
}

void cx_engine_statistics(struct cx_engine *engine, struct cx_engine_statistics *ret_statistics)
{
    struct cx_feed_statistics feed;

    *ret_statistics = (struct cx_engine_statistics){
        .revision = cx_commit_revision(&engine->commit),
        .durable_revision = cx_commit_durable(&engine->commit),
        .memory_bytes = cx_memory_used(),
    };
    ret_statistics->request_id_count =
        (uint64_t)__atomic_load_n(&engine->state.request_id_count, __ATOMIC_RELAXED);
    ret_statistics->session_count =
        (uint64_t)__atomic_load_n(&engine->state.session_count, __ATOMIC_RELAXED);
    cx_namespaces_walk(&engine->state.namespaces, (struct cx_bytes){0}, count_contexts,
                       &ret_statistics->context_count);
    cx_feed_statistics(engine->feed, &feed);
    ret_statistics->subscription_count = feed.subscriptions;
    pthread_mutex_lock(&engine->commit.mutex);
    ret_statistics->log_pending_bytes = engine->commit.pending_bytes;
    pthread_mutex_unlock(&engine->commit.mutex);
}

void cx_engine_identity(const struct cx_engine *engine, uint8_t ret_log_id[16], uint64_t *ret_epoch)
{
    memcpy(ret_log_id, engine->identity.log_id, sizeof engine->identity.log_id);
    *ret_epoch = engine->identity.epoch;
}
