/* Requests that make, change and end contexts. */

#include <inttypes.h>
#include <stdio.h>

#include "core/base/limits.h"
#include "core/engine/engine_change.h"

/* ---- Create. ---------------------------------------------------------------- */

struct write_create {
    struct cx_engine_write base;
    const struct cx_create_request *request;
    struct cx_snapshot *snapshot;
};

static enum cx_plan_result create_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    return cx_plan_create(plan, ((struct write_create *)write)->request);
}

void cx_engine_show_created(struct cx_engine_write *write, const struct cx_plan *plan,
                            const struct cx_context_name *name, struct cx_snapshot *ret_snapshot)
{
    struct cx_name_key key;
    struct cx_context *context;

    cx_name_key_init(&key, name->namespace_id, name->id);
    context = cx_state_find(plan->state, &key);
    cx_engine_write_note(write, cx_state_derived_from(plan->state, &key, context));
    if (cx_context_is_live(context) && !cx_context_is_expired(context, write->now_us)) {
        cx_context_snapshot(context, ret_snapshot);
        return;
    }
    *ret_snapshot = (struct cx_snapshot){.version = write->version};
    if (context != NULL) {
        cx_tree_item_ref(&context->item);
        ret_snapshot->context = context;
        ret_snapshot->namespace_id = cx_context_namespace(context);
        ret_snapshot->id = cx_context_id(context);
    }
}

static void create_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_create *create = (struct write_create *)write;

    cx_engine_show_created(write, plan, &create->request->name, create->snapshot);
}

enum cx_status cx_engine_create(struct cx_engine *engine, const struct cx_create_request *request,
                                struct cx_write_outcome *ret_outcome,
                                struct cx_snapshot *ret_snapshot, struct cx_error *ret_error)
{
    struct cx_create_request named = *request;
    char made_up[CX_MADE_UP_ID_SIZE + 1];
    struct write_create create = {.request = &named, .snapshot = ret_snapshot};
    enum cx_status status;

    if (named.name.id.size == 0) {
        cx_engine_make_up_id(engine, CX_MADE_UP_CONTEXT, request->name.namespace_id,
                             request->request_id, made_up);
        named.name.id = cx_bytes_of(made_up);
    }
    create.base = cx_engine_write_begin(
        engine, cx_engine_shards_of(&named.name, named.author.session_id), ret_error);
    create.base.grows = true;
    create.base.plan = create_plan;
    create.base.done = create_done;
    status = cx_engine_write_run(&create.base);
    *ret_outcome = cx_engine_write_outcome(&create.base);
    return status;
}

/* ---- Updates. --------------------------------------------------------------- */

struct write_update {
    struct cx_engine_write base;
    const struct cx_update_request *requests;
    size_t count;
    bool atomic;
    struct cx_bytes request_id;
    size_t index;                      /* The part that failed. */
    struct cx_write_outcome *outcomes; /* Of an atomic one. */
};

static enum cx_plan_result update_plan(struct cx_engine_write *write, struct cx_plan *plan)
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

        grows |= kind == CX_MUTATION_PUT || kind == CX_MUTATION_APPEND ||
                 kind == CX_MUTATION_SET_LABEL || kind == CX_MUTATION_RECORD;
    }
    return grows;
}

enum cx_status cx_engine_update(struct cx_engine *engine, const struct cx_update_request *request,
                                struct cx_write_outcome *ret_outcome, struct cx_error *ret_error)
{
    struct write_update update = {
        .base = cx_engine_write_begin(
            engine, cx_engine_shards_of(&request->name, request->author.session_id), ret_error),
        .requests = request,
        .count = 1,
        .request_id = request->request_id,
    };
    enum cx_status status;

    update.base.grows = update_grows(request);
    update.base.plan = update_plan;
    status = cx_engine_write_run(&update.base);
    *ret_outcome = cx_engine_write_outcome(&update.base);
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
static void atomic_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_update *update = (struct write_update *)write;

    for (size_t i = 0; i < update->count; i++) {
        struct cx_write_outcome *outcome = &update->outcomes[i];

        *outcome = cx_engine_write_outcome(write);
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
        .base = cx_engine_write_begin(engine, cx_engine_shard_of(&requests[0].name), ret_error),
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
    status = cx_engine_write_run(&update.base);
    *ret_index = update.index;
    if (status != CX_OK) {
        ret_outcomes[0] = cx_engine_write_outcome(&update.base);
    }
    return status;
}

/* ---- Ends. ------------------------------------------------------------------ */

struct write_delete {
    struct cx_engine_write base;
    const struct cx_delete_request *request;
    bool again;
};

static enum cx_plan_result delete_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_delete *delete = (struct write_delete *)write;

    return cx_plan_delete(plan, delete->request, delete->again);
}

enum cx_status cx_engine_delete(struct cx_engine *engine, const struct cx_delete_request *request,
                                struct cx_write_outcome *ret_outcome, struct cx_error *ret_error)
{
    struct write_delete delete = {
        .base = cx_engine_write_begin(
            engine, cx_engine_shards_of(&request->name, request->author.session_id), ret_error),
        .request = request,
    };
    enum cx_status status;

    delete.base.plan = delete_plan;
    delete.base.ends = true;
    do {
        delete.base.more = false;
        status = cx_engine_write_run(&delete.base);
        delete.again = true;
    } while (status == CX_OK && delete.base.more);
    *ret_outcome = cx_engine_write_outcome(&delete.base);
    return status;
}

struct write_due {
    struct cx_engine_write base;
    const struct cx_name_key *key;
};

static enum cx_plan_result due_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    return cx_plan_due(plan, ((struct write_due *)write)->key);
}

enum cx_status cx_engine_run_due(struct cx_engine *engine, const struct cx_name_key *key,
                                 int64_t now_us, struct cx_error *ret_error)
{
    struct write_due due = {
        .base = cx_engine_write_begin(engine, 1ULL << key->shard, ret_error),
        .key = key,
    };
    enum cx_status status;

    due.base.now_us = now_us;
    due.base.plan = due_plan;
    due.base.ends = true;
    do {
        due.base.more = false;
        status = cx_engine_write_run(&due.base);
    } while (status == CX_OK && due.base.more);
    return status;
}
