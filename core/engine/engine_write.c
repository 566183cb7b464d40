/* How a request becomes a change: plan, log, apply, under the locks of its shards. */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/base/limits.h"
#include "core/engine/engine_internal.h"
#include "core/state/apply.h"

/* Encoded changes up to this size keep their buffer. */
#define ENCODED_KEPT_MAX (1 * CX_MIB)

/* One request on its way. */
struct write {
    struct cx_engine *engine;
    struct cx_error *error;
    int64_t now_us;
    uint64_t mask; /* The shards whose locks it takes. */
    bool grows;    /* It may take more memory: refused above memory_limit. */

    /* Plans it. */
    enum cx_plan_result (*plan)(struct write *write, struct cx_plan *plan);

    /* Runs under the locks after a change was applied, or a repeat recognised. May be
     * NULL. */
    void (*done)(struct write *write, struct cx_plan *plan);

    /* What came of it. */
    uint64_t wait_for;
    uint64_t revision;
    uint64_t version;
    uint64_t count;
    bool replayed;
    bool more;
};

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

static uint64_t shard_bit(const struct cx_context_name *name)
{
    struct cx_name_key key;

    cx_name_key_init(&key, name->namespace_id, name->id);
    return 1ULL << key.shard;
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
static enum cx_status change_log(struct write *write, struct cx_plan *plan, int64_t *ret_time_us)
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
    if (encoded->size > engine->change_size_max) {
        return cx_error_limit(write->error, "change_size_max", engine->change_size_max);
    }
    reason = cx_commit_append(&engine->commit, cx_buffer_bytes(encoded), write->now_us,
                              &write->revision, ret_time_us);
    return reason == CX_REASON_NONE ? CX_OK : refuse(reason, write->error);
}

static enum cx_plan_result change_make(struct write *write, struct cx_plan *plan,
                                       struct cx_undo **garbage)
{
    int64_t time_us;

    if (change_log(write, plan, &time_us) != CX_OK) {
        return CX_PLAN_FAILED;
    }
    cx_apply(&plan->stage, &plan->change, write->revision, time_us, garbage);
    write->wait_for = write->revision;
    write->version = plan->change.items[plan->change.request.owner].version;
    write->count += plan->change.item_count;
    write->more = plan->more;
    return CX_PLAN_CHANGE;
}

/* ---- One round under the locks. --------------------------------------------- */

static enum cx_plan_result write_round(struct write *write, struct cx_plan *plan)
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
    }
    if (result <= CX_PLAN_NOTHING && write->done != NULL) {
        write->done(write, plan);
    }
    cx_plan_end(plan);
    cx_engine_unlock(write->engine, write->mask);
    cx_engine_free_garbage(write->engine, garbage);
    return result;
}

/* Makes rounds until there is an answer. */
static enum cx_status write_run(struct write *write)
{
    struct cx_engine *engine = write->engine;
    struct cx_plan plan = {
        .state = &engine->state,
        .error = write->error,
        .value_size_max = engine->options.value_size_max,
        .change_size_max = engine->change_size_max,
        .now_us = write->now_us,
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
            status = cx_engine_run_due(engine, &plan.expired, write->now_us, write->error);
            if (status != CX_OK) {
                return status;
            }
            break;
        }
    }
}

static struct write write_begin(struct cx_engine *engine, uint64_t mask, struct cx_error *error)
{
    return (struct write){
        .engine = engine,
        .error = error,
        .now_us = engine->options.clock->wall_us(engine->options.clock),
        .mask = mask,
    };
}

static struct cx_write_outcome write_outcome(const struct write *write)
{
    return (struct cx_write_outcome){
        .wait_for = write->wait_for,
        .revision = write->revision,
        .version = write->version,
        .count = write->count,
        .replayed = write->replayed,
    };
}

/* ---- Create. ---------------------------------------------------------------- */

enum { MADE_UP_ID_SIZE = 32 };

struct write_create {
    struct write base;
    const struct cx_create_request *request;
    struct cx_snapshot *snapshot;
};

static enum cx_plan_result create_plan(struct write *write, struct cx_plan *plan)
{
    return cx_plan_create(plan, ((struct write_create *)write)->request);
}

static void create_done(struct write *write, struct cx_plan *plan)
{
    struct write_create *create = (struct write_create *)write;
    const struct cx_context_name *name = &create->request->name;
    struct cx_name_key key;
    struct cx_context *context;
    uint64_t seen;

    cx_name_key_init(&key, name->namespace_id, name->id);
    context = cx_state_find(plan->state, &key);
    seen = context != NULL ? context->revision : plan->state->shards[key.shard].forgotten_revision;
    write->wait_for = seen > write->wait_for ? seen : write->wait_for;
    if (context != NULL && context->life == CX_CONTEXT_LIVE &&
        !cx_context_is_expired(context, write->now_us)) {
        cx_context_snapshot(context, create->snapshot);
        return;
    }
    *create->snapshot = (struct cx_snapshot){.version = write->version};
    if (context != NULL) {
        cx_tree_item_ref(&context->item);
        create->snapshot->context = context;
        create->snapshot->namespace_id = cx_context_namespace(context);
        create->snapshot->id = cx_context_id(context);
    }
}

/* Makes up an id: from the request id, so that a repeat finds it, or at random. */
static void id_make_up(struct cx_engine *engine, const struct cx_create_request *request,
                       char text[MADE_UP_ID_SIZE + 1])
{
    struct cx_hash128 hash;

    if (request->request_id.size > 0) {
        hash = cx_hash128(request->request_id, cx_hash64(request->name.namespace_id, 0));
    } else {
        engine->options.random->fill(engine->options.random, &hash, sizeof hash);
    }
    snprintf(text, MADE_UP_ID_SIZE + 1, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
}

enum cx_status cx_engine_create(struct cx_engine *engine, const struct cx_create_request *request,
                                struct cx_write_outcome *ret_outcome,
                                struct cx_snapshot *ret_snapshot, struct cx_error *ret_error)
{
    struct cx_create_request named = *request;
    char made_up[MADE_UP_ID_SIZE + 1];
    struct write_create create = {.request = &named, .snapshot = ret_snapshot};
    enum cx_status status;

    if (named.name.id.size == 0) {
        id_make_up(engine, request, made_up);
        named.name.id = cx_bytes_of(made_up);
    }
    create.base = write_begin(engine, shard_bit(&named.name), ret_error);
    create.base.grows = true;
    create.base.plan = create_plan;
    create.base.done = create_done;
    status = write_run(&create.base);
    *ret_outcome = write_outcome(&create.base);
    return status;
}

/* ---- Updates. --------------------------------------------------------------- */

struct write_update {
    struct write base;
    const struct cx_update_request *requests;
    size_t count;
    bool atomic;
    struct cx_bytes request_id;
    size_t index;                      /* The part that failed. */
    struct cx_write_outcome *outcomes; /* Of an atomic one. */
};

static enum cx_plan_result update_plan(struct write *write, struct cx_plan *plan)
{
    struct write_update *update = (struct write_update *)write;

    return cx_plan_update(plan, update->requests, update->count, update->atomic, update->request_id,
                          &update->index);
}

/* Whether an update may take more memory than it gives back. */
static bool update_grows(const struct cx_update_request *request)
{
    bool grows = request->create_if_missing != NULL;

    for (size_t i = 0; i < request->mutation_count; i++) {
        enum cx_mutation_kind kind = request->mutations[i].kind;

        grows |=
            kind == CX_MUTATION_PUT || kind == CX_MUTATION_APPEND || kind == CX_MUTATION_SET_LABEL;
    }
    return grows;
}

enum cx_status cx_engine_update(struct cx_engine *engine, const struct cx_update_request *request,
                                struct cx_write_outcome *ret_outcome, struct cx_error *ret_error)
{
    struct write_update update = {
        .base = write_begin(engine, shard_bit(&request->name), ret_error),
        .requests = request,
        .count = 1,
        .request_id = request->request_id,
    };
    enum cx_status status;

    update.base.grows = update_grows(request);
    update.base.plan = update_plan;
    status = write_run(&update.base);
    *ret_outcome = write_outcome(&update.base);
    return status;
}

/* The version that a part of an atomic batch made, from the records of the parts. */
static uint64_t part_replayed_version(const struct cx_plan *plan, size_t index,
                                      const struct cx_context_name *name)
{
    const struct cx_request_mark mark = {.id = plan->record.id};
    const struct cx_request_record *record;
    const struct cx_context *context;
    struct cx_name_key key;

    if (index == 0) {
        return plan->record.version;
    }
    cx_name_key_init(&key, name->namespace_id, name->id);
    record =
        cx_request_ids_find(&plan->state->shards[key.shard].request_ids,
                            cx_request_mark_id_of(&mark, (struct cx_bytes){key.bytes, key.size}));
    if (record != NULL) {
        return record->version;
    }
    /* Its shard has forgotten it, for want of room: the context may still know. */
    context = cx_state_find(plan->state, &key);
    return context != NULL ? cx_context_version_of(context, plan->record.revision) : 0;
}

/* Fills in the outcomes of the parts. */
static void atomic_done(struct write *write, struct cx_plan *plan)
{
    struct write_update *update = (struct write_update *)write;

    for (size_t i = 0; i < update->count; i++) {
        struct cx_write_outcome *outcome = &update->outcomes[i];

        *outcome = write_outcome(write);
        outcome->version = write->replayed
                               ? part_replayed_version(plan, i, &update->requests[i].name)
                               : plan->change.items[plan->part_items[i]].version;
    }
}

enum cx_status cx_engine_update_atomic(struct cx_engine *engine,
                                       const struct cx_update_request *requests, size_t count,
                                       struct cx_bytes request_id,
                                       struct cx_write_outcome *ret_outcomes, size_t *ret_index,
                                       struct cx_error *ret_error)
{
    struct write_update update = {
        .base = write_begin(engine, shard_bit(&requests[0].name), ret_error),
        .requests = requests,
        .count = count,
        .atomic = true,
        .request_id = request_id,
        .outcomes = ret_outcomes,
    };
    enum cx_status status;

    update.base.grows = true;
    update.base.plan = update_plan;
    update.base.done = atomic_done;
    status = write_run(&update.base);
    *ret_index = update.index;
    if (status != CX_OK) {
        ret_outcomes[0] = write_outcome(&update.base);
    }
    return status;
}

/* ---- Ends. ------------------------------------------------------------------ */

struct write_delete {
    struct write base;
    const struct cx_delete_request *request;
    bool again;
};

static enum cx_plan_result delete_plan(struct write *write, struct cx_plan *plan)
{
    struct write_delete *delete = (struct write_delete *)write;

    return cx_plan_delete(plan, delete->request, delete->again);
}

enum cx_status cx_engine_delete(struct cx_engine *engine, const struct cx_delete_request *request,
                                struct cx_write_outcome *ret_outcome, struct cx_error *ret_error)
{
    struct write_delete delete = {
        .base = write_begin(engine, shard_bit(&request->name), ret_error),
        .request = request,
    };
    enum cx_status status;

    delete.base.plan = delete_plan;
    do {
        delete.base.more = false;
        status = write_run(&delete.base);
        delete.again = true;
    } while (status == CX_OK && delete.base.more);
    *ret_outcome = write_outcome(&delete.base);
    return status;
}

struct write_due {
    struct write base;
    const struct cx_name_key *key;
};

static enum cx_plan_result due_plan(struct write *write, struct cx_plan *plan)
{
    return cx_plan_due(plan, ((struct write_due *)write)->key);
}

enum cx_status cx_engine_run_due(struct cx_engine *engine, const struct cx_name_key *key,
                                 int64_t now_us, struct cx_error *ret_error)
{
    struct write_due due = {
        .base = write_begin(engine, 1ULL << key->shard, ret_error),
        .key = key,
    };
    enum cx_status status;

    due.base.now_us = now_us;
    due.base.plan = due_plan;
    do {
        due.base.more = false;
        status = write_run(&due.base);
    } while (status == CX_OK && due.base.more);
    return status;
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
