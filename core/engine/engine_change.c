/* How a request becomes a change: plan, log, apply, under the locks of its shards. */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/base/limits.h"
#include "core/engine/engine_change.h"
#include "core/state/apply.h"

/* Encoded changes up to this size keep their buffer. */
#define ENCODED_KEPT_MAX (1 * CX_MIB)

void cx_engine_lock(struct cx_engine *engine, uint64_t mask)
{
    for (uint64_t rest = mask; rest != 0; rest &= rest - 1) {
        pthread_mutex_lock(&engine->locks[__builtin_ctzll(rest)]);
    }
}

void cx_engine_unlock(struct cx_engine *engine, uint64_t mask)
{
    for (uint64_t rest = mask; rest != 0; rest &= rest - 1) {
        pthread_mutex_unlock(&engine->locks[__builtin_ctzll(rest)]);
    }
}

uint64_t cx_engine_shard_of(const struct cx_context_name *name)
{
    struct cx_name_key key;

    cx_name_key_init(&key, name->namespace_id, name->id);
    return 1ULL << key.shard;
}

uint64_t cx_engine_shard_of_session(struct cx_bytes namespace_id, struct cx_bytes session_id)
{
    const struct cx_session_name name = {namespace_id, session_id};
    struct cx_name_key key;

    return cx_session_key(&key, &name) ? 1ULL << key.shard : 0;
}

uint64_t cx_engine_shards_of(const struct cx_context_name *name, struct cx_bytes session_id)
{
    return cx_engine_shard_of(name) | cx_engine_shard_of_session(name->namespace_id, session_id);
}

void cx_engine_make_up_id(struct cx_engine *engine, enum cx_made_up made_up,
                          struct cx_bytes namespace_id, struct cx_bytes request_id,
                          char ret_id[CX_MADE_UP_ID_SIZE + 1])
{
    struct cx_hash128 hash;

    if (request_id.size > 0) {
        hash = cx_hash128(request_id, cx_hash64(namespace_id, made_up));
    } else {
        engine->options.random->fill(engine->options.random, &hash, sizeof hash);
    }
    snprintf(ret_id, CX_MADE_UP_ID_SIZE + 1, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
}

/* ---- Logging. --------------------------------------------------------------- */

static enum cx_status refuse(enum cx_reason reason, struct cx_error *error)
{
    enum cx_status status;

    switch (reason) {
    case CX_REASON_OVERLOADED:
        status = cx_error_set(error, reason, "the disk cannot keep up; try again a little later");
        error->retry_delay_us = CX_OVERLOADED_RETRY_US;
        return status;
    case CX_REASON_STORAGE_FULL:
        return cx_error_set(error, reason,
                            "the server's disk is full; reads go on, and writes will again when "
                            "there is room");
    case CX_REASON_LIMIT_REACHED:
        return cx_error_out_of_memory(error);
    default:
        return cx_error_set(error, CX_REASON_STORAGE_FAILED,
                            "the server's disk has failed; nothing more can be written");
    }
}

/* Encodes a planned change and gives it to the log. Nothing has happened on failure. */
static enum cx_status change_log(struct cx_engine_write *write, struct cx_plan *plan,
                                 int64_t *ret_time_us)
{
    struct cx_engine *engine = write->engine;
    struct cx_buffer *encoded = &engine->workspaces[__builtin_ctzll(write->mask)].encoded;
    enum cx_reason reason;

    if (write->grows && __atomic_load_n(&engine->memory_full, __ATOMIC_RELAXED)) {
        return cx_error_limit(write->error, "memory_limit", engine->options.memory_limit);
    }
    if (encoded->capacity > ENCODED_KEPT_MAX) {
        cx_buffer_done(encoded);
    }
    encoded->size = 0;
    if (cx_change_encode(&plan->change, encoded) != CX_OK) {
        return cx_error_out_of_memory(write->error);
    }
    if (encoded->size > (write->ends ? engine->end_size_max : engine->change_size_max)) {
        return cx_error_limit(write->error, "change_size_max", engine->change_size_max);
    }
    reason = cx_commit_append(&engine->commit, cx_buffer_bytes(encoded), write->now_us,
                              &write->revision, ret_time_us);
    return reason == CX_REASON_NONE ? CX_OK : refuse(reason, write->error);
}

static size_t count_purges(const struct cx_change *change)
{
    size_t count = 0;

    for (size_t i = 0; i < change->item_count; i++) {
        count += change->items[i].kind == CX_ITEM_PURGE;
    }
    return count;
}

/* What is purged is not told any more. */
static void note_purges(struct cx_engine *engine, const struct cx_plan *plan, uint64_t revision)
{
    for (size_t i = 0; i < plan->change.item_count; i++) {
        if (plan->change.items[i].kind == CX_ITEM_PURGE) {
            cx_purges_add(&engine->purges, plan->stage.items[i].key->hash, revision,
                          cx_commit_durable(&engine->commit));
        }
    }
}

static enum cx_plan_result change_make(struct cx_engine_write *write, struct cx_plan *plan,
                                       struct cx_undo **garbage)
{
    size_t purge_count = count_purges(&plan->change);
    int64_t time_us;

    if (!cx_purges_reserve(&write->engine->purges, purge_count)) {
        (void)cx_error_out_of_memory(write->error);
        return CX_PLAN_FAILED;
    }
    if (change_log(write, plan, &time_us) != CX_OK) {
        cx_purges_release(&write->engine->purges, purge_count);
        return CX_PLAN_FAILED;
    }
    cx_apply(&plan->stage, &plan->change, write->revision, time_us, garbage);
    note_purges(write->engine, plan, write->revision);
    write->wait_for = write->revision;
    if (plan->change.item_count > 0) {
        const struct cx_change_item *owner = &plan->change.items[plan->change.request.owner];

        write->version = owner->version;
        write->sequence = cx_change_item_last_sequence(owner);
    }
    write->count += plan->count;
    write->more = plan->more;
    return CX_PLAN_CHANGE;
}

/* ---- One round under the locks. --------------------------------------------- */

static enum cx_plan_result write_round(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct cx_undo *garbage = NULL;
    enum cx_plan_result result;

    cx_engine_lock(write->engine, write->mask);
    plan->arena = &write->engine->workspaces[__builtin_ctzll(write->mask)].arena;
    plan->held = write->mask;
    cx_plan_begin(plan);
    result = write->plan(write, plan);
    write->wait_for = plan->wait_for != CX_PLAN_WAIT_FOR_ALL
                          ? plan->wait_for
                          : cx_commit_revision(&write->engine->commit);
    if (result == CX_PLAN_CHANGE) {
        result = change_make(write, plan, &garbage);
    }
    if (result == CX_PLAN_NOTHING && plan->replayed) {
        write->replayed = true;
        write->revision = plan->record.revision;
        write->version = plan->record.version;
        write->sequence = plan->record.version;
    }
    if (result <= CX_PLAN_NOTHING && write->done != NULL) {
        write->done(write, plan);
    }
    cx_plan_end(plan);
    cx_engine_unlock(write->engine, write->mask);
    cx_engine_free_garbage(write->engine, garbage);
    return result;
}

enum cx_status cx_engine_write_run(struct cx_engine_write *write)
{
    struct cx_engine *engine = write->engine;
    struct cx_plan plan = {
        .state = &engine->state,
        .error = write->error,
        .value_size_max = engine->options.value_size_max,
        .change_size_max = engine->change_size_max,
        .history_count_max = engine->options.history_count_max,
        .history_bytes_max = engine->options.history_bytes_max,
        .recovery_points_max = engine->options.recovery_points_max,
        .now_us = write->now_us,
        .lease_now_us = write->lease_now_us,
    };

    for (;;) {
        enum cx_plan_result result = write_round(write, &plan);
        enum cx_status status;

        switch (result) {
        case CX_PLAN_CHANGE:
        case CX_PLAN_NOTHING:
            return CX_OK;
        case CX_PLAN_FAILED:
            return cx_reason_status(write->error->reason);
        case CX_PLAN_NEEDS_SHARDS:
            write->mask |= plan.needed;
            break;
        case CX_PLAN_NEEDS_EXPIRY:
            status = plan.expired_is_session
                         ? cx_engine_lapse(engine, &plan.expired, write->error)
                         : cx_engine_run_due(engine, &plan.expired, write->now_us, write->error);
            if (status != CX_OK) {
                return status;
            }
            break;
        case CX_PLAN_NEEDS_TRIM:
            status = cx_engine_trim(engine, &plan, write->error);
            if (status != CX_OK) {
                return status;
            }
            break;
        }
    }
}

struct cx_engine_write cx_engine_write_begin(struct cx_engine *engine, uint64_t mask,
                                             struct cx_error *error)
{
    return (struct cx_engine_write){
        .engine = engine,
        .error = error,
        .now_us = engine->options.clock->wall_us(engine->options.clock),
        .lease_now_us = engine->options.clock->monotonic_us(engine->options.clock),
        .mask = mask,
    };
}

struct cx_write_outcome cx_engine_write_outcome(const struct cx_engine_write *write)
{
    return (struct cx_write_outcome){
        .wait_for = write->wait_for,
        .revision = write->revision,
        .version = write->version,
        .sequence = write->sequence,
        .count = write->count,
        .replayed = write->replayed,
    };
}

/* ---- The floor of the feed. ------------------------------------------------- */

/* A little slack, so that the floor moves now and then and not with every change. */
enum { RETENTION_SLACK = 64 };

/* What is past both bounds, made larger by one part of so many; 0: as they are. */
static uint64_t find_past(const struct cx_engine *engine, int64_t now_us, int parts)
{
    uint64_t bytes = engine->options.feed_retention_bytes;
    int64_t age_us = engine->options.feed_retention_age_us;

    if (parts > 0) {
        bytes += bytes / (uint64_t)parts;
        age_us += age_us / parts;
    }
    return engine->log->ops
               ->retained(engine->log, age_us > 0 ? now_us - age_us : INT64_MIN,
                          bytes > 0 ? bytes : UINT64_MAX)
               .first -
           1;
}

/* The newest revision that is past its retention, or 0. */
static uint64_t find_floor(const struct cx_engine *engine, int64_t now_us)
{
    uint64_t floor = engine->state.feed_floor;
    uint64_t found;

    if (find_past(engine, now_us, RETENTION_SLACK) <= floor) {
        return 0;
    }
    found = find_past(engine, now_us, 0);
    /* What only says where the floor is need not be told of. */
    if (found <= floor || (found == engine->state.feed_floor_revision && found == floor + 1)) {
        return 0;
    }
    return found;
}

static void write_floor(struct cx_engine *engine, uint64_t floor, int64_t now_us)
{
    const struct cx_change change = {.kind = CX_CHANGE_FLOOR, .floor = floor};
    struct cx_stage stage = {.state = &engine->state};
    struct cx_buffer encoded = {0};
    struct cx_undo *garbage = NULL;
    uint64_t revision;
    int64_t time_us;

    /* If it cannot be written now, it is tried again soon. */
    if (cx_change_encode(&change, &encoded) == CX_OK &&
        cx_commit_append(&engine->commit, cx_buffer_bytes(&encoded), now_us, &revision, &time_us) ==
            CX_REASON_NONE) {
        cx_apply(&stage, &change, revision, time_us, &garbage);
    }
    cx_buffer_done(&encoded);
}

void cx_engine_step_retention(struct cx_engine *engine)
{
    int64_t now_us = engine->options.clock->wall_us(engine->options.clock);
    uint64_t floor;

    if (engine->state.feed_floor_revision > cx_commit_durable(&engine->commit)) {
        return;
    }
    cx_feed_set_floor(engine->feed, engine->state.feed_floor);
    floor = find_floor(engine, now_us);
    if (floor > 0) {
        write_floor(engine, floor, now_us);
    }
}

/* ---- Settings. -------------------------------------------------------------- */

/* Gives the encoded change to the log, while nobody else prepares its segments. */
static enum cx_reason settings_log(struct cx_engine *engine, struct cx_bytes encoded,
                                   uint64_t *ret_revision, int64_t *ret_time_us)
{
    int64_t now_us = engine->options.clock->wall_us(engine->options.clock);
    enum cx_reason reason =
        cx_commit_append(&engine->commit, encoded, now_us, ret_revision, ret_time_us);

    if (reason == CX_REASON_OVERLOADED) {
        engine->log->ops->prepare(engine->log); /* Should it fail, the next one says so. */
        reason = cx_commit_append(&engine->commit, encoded, now_us, ret_revision, ret_time_us);
    }
    return reason;
}

enum cx_status cx_engine_write_settings(struct cx_engine *engine, struct cx_error *ret_error)
{
    const struct cx_change change = {
        .kind = CX_CHANGE_SETTINGS,
        .settings = &engine->options.settings,
    };
    struct cx_buffer *encoded = &engine->workspaces[0].encoded;
    struct cx_stage stage = {.state = &engine->state};
    struct cx_undo *garbage = NULL;
    enum cx_reason reason;
    uint64_t revision;
    int64_t time_us;

    if (cx_settings_equal(&engine->state.settings, change.settings)) {
        return CX_OK;
    }
    if (cx_change_encode(&change, encoded) != CX_OK) {
        return cx_error_out_of_memory(ret_error);
    }
    reason = settings_log(engine, cx_buffer_bytes(encoded), &revision, &time_us);
    if (reason != CX_REASON_NONE) {
        return refuse(reason, ret_error);
    }
    cx_apply(&stage, &change, revision, time_us, &garbage);
    cx_engine_free_garbage(engine, garbage);
    return CX_OK;
}
