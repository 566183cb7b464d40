/* Restores, forks, and what a client needs to have a newer state. */

#include "core/base/limits.h"
#include "core/engine/engine_change.h"
#include "core/engine/engine_points.h"
#include "core/engine/engine_prepare.h"
#include "core/engine/recovery.h"
#include "core/state/earlier.h"

/* Writes the id of the safety point of a change, or that of a repeated request made. */
void cx_engine_set_safety_id(const struct cx_engine_write *write, const struct cx_plan *plan,
                             const struct cx_context *context, char *ret_id)
{
    const struct cx_point *point = cx_recovery_newest(context->recovery);
    struct cx_bytes id = {0};

    for (size_t i = 0; plan->change.item_count > 0 && i < plan->change.items[0].point_count; i++) {
        const struct cx_point_step *step = &plan->change.items[0].points[i];

        id = step->kind == CX_POINT_MAKE && step->origin == CX_ORIGIN_SAFETY ? step->id : id;
    }
    while (write->replayed && point != NULL && point->revision >= write->revision) {
        if (point->revision == write->revision && point->origin == CX_ORIGIN_SAFETY) {
            id = cx_point_id(point);
        }
        point = cx_recovery_before(context->recovery, point->sequence);
    }
    if (id.size > 0) {
        memcpy(ret_id, id.data, id.size);
    }
    ret_id[id.size] = '\0';
}

/* ---- Restores. -------------------------------------------------------------- */

struct write_restore {
    struct cx_engine_write base;
    const struct cx_restore_request *request;
    struct cx_prepared prepared;
    struct cx_step_list steps;
    struct cx_snapshot *snapshot; /* What is told at last; before, the head to compare with. */
    struct cx_kept_state state;   /* And the state that is to come back. */
    bool out_of_memory;
    char *safety_id;
};

static enum cx_plan_result restore_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_restore *restore = (struct write_restore *)write;

    return cx_plan_restore(plan, restore->request, &restore->prepared);
}

static void restore_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_restore *restore = (struct write_restore *)write;
    const struct cx_context_name *name = &restore->request->name;
    struct cx_context *context;
    struct cx_name_key key;

    cx_name_key_init(&key, name->namespace_id, name->id);
    context = cx_state_find(plan->state, &key);
    cx_engine_write_note(write, cx_state_derived_from(plan->state, &key, context));
    if (context == NULL) {
        return; /* A repeat, and nothing is left of it. */
    }
    cx_context_snapshot(context, restore->snapshot);
    if (restore->prepared.moved) {
        restore->out_of_memory =
            cx_earlier_take(context, &restore->prepared.ref, &restore->state) != CX_OK;
        return;
    }
    if (plan->change.item_count > 0 && plan->change.items[0].base.kind == CX_BASE_NONE) {
        restore->steps.changed_count = 0; /* Brought back as it was, whatever was prepared. */
    }
    write->version = write->version != 0 ? write->version : context->version;
    cx_engine_set_safety_id(write, plan, context, restore->safety_id);
}

/* Works out what the restore comes to. */
static enum cx_status restore_prepare(struct write_restore *restore)
{
    enum cx_status status = restore->out_of_memory ? CX_RESOURCE_EXHAUSTED : CX_OK;

    cx_steps_reset(&restore->steps);
    if (status == CX_OK) {
        status = cx_steps_between(&restore->steps, restore->snapshot, &restore->state);
    }
    restore->prepared.is_set = true;
    restore->prepared.target_version = restore->snapshot->version;
    restore->prepared.ops = restore->steps.ops;
    restore->prepared.op_count = restore->steps.count;
    restore->prepared.untold = restore->steps.too_large;
    cx_snapshot_done(restore->snapshot);
    cx_kept_state_done(&restore->state);
    return status == CX_OK ? status : cx_error_out_of_memory(restore->base.error);
}

enum cx_status cx_engine_head_moved(struct cx_error *error, uint64_t version)
{
    enum cx_status status = cx_error_set(
        error, CX_REASON_HEAD_MOVED, "the context changed again and again meanwhile; try again");

    cx_error_detail_number(error, "current_version", version);
    return status;
}

static enum cx_status restore_run(struct write_restore *restore)
{
    unsigned attempts = 0;
    enum cx_status status;

    for (;;) {
        uint64_t version;

        status = cx_engine_write_run(&restore->base);
        if (status != CX_OK || !restore->prepared.moved) {
            return status;
        }
        version = restore->snapshot->version;
        status = restore_prepare(restore);
        if (status == CX_OK && attempts++ == CX_PREPARE_ATTEMPTS_MAX) {
            status = cx_engine_head_moved(restore->base.error, version);
        }
        if (status != CX_OK) {
            return status;
        }
    }
}

enum cx_status cx_engine_restore(struct cx_engine *engine, const struct cx_restore_request *request,
                                 struct cx_write_outcome *ret_outcome,
                                 struct cx_snapshot *ret_snapshot, uint64_t *ret_changed_count,
                                 char ret_safety_id[CX_POINT_ID_ROOM], struct cx_error *ret_error)
{
    struct write_restore restore = {
        .base = cx_engine_write_begin(
            engine, cx_engine_shards_of(&request->name, request->author.session_id), ret_error),
        .request = request,
        .steps.weight_max = CX_EVENT_SIZE_MAX,
        .snapshot = ret_snapshot,
        .safety_id = ret_safety_id,
    };
    enum cx_status status;

    *ret_snapshot = (struct cx_snapshot){0};
    ret_safety_id[0] = '\0';
    restore.base.plan = restore_plan;
    restore.base.done = restore_done;
    restore.base.grows = request->safety_point;
    status = restore_run(&restore);
    *ret_outcome = cx_engine_write_outcome(&restore.base);
    *ret_changed_count =
        restore.base.revision != 0 && !restore.base.replayed ? restore.steps.changed_count : 0;
    cx_steps_done(&restore.steps);
    if (status != CX_OK) {
        cx_snapshot_done(ret_snapshot);
    }
    return status;
}

/* ---- Forks. ----------------------------------------------------------------- */

struct write_fork {
    struct cx_engine_write base;
    const struct cx_fork_request *request;
    struct cx_snapshot *snapshot;
};

static enum cx_plan_result fork_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    return cx_plan_fork(plan, ((struct write_fork *)write)->request);
}

static void fork_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_fork *fork = (struct write_fork *)write;
    const struct cx_context_name name = {fork->request->source.namespace_id, fork->request->id};

    cx_engine_show_created(write, plan, &name, fork->snapshot);
}

enum cx_status cx_engine_fork(struct cx_engine *engine, const struct cx_fork_request *request,
                              struct cx_write_outcome *ret_outcome,
                              struct cx_snapshot *ret_snapshot, struct cx_error *ret_error)
{
    struct cx_fork_request named = *request;
    char made_up[CX_MADE_UP_ID_SIZE + 1];
    struct write_fork fork = {.request = &named, .snapshot = ret_snapshot};
    enum cx_status status;

    if (named.id.size == 0) {
        cx_engine_make_up_id(engine, CX_MADE_UP_CONTEXT, request->source.namespace_id,
                             request->request_id, made_up);
        named.id = cx_bytes_of(made_up);
    }
    fork.base = cx_engine_write_begin(
        engine, cx_engine_shards_of(&named.source, named.author.session_id), ret_error);
    fork.base.grows = true;
    fork.base.plan = fork_plan;
    fork.base.done = fork_done;
    status = cx_engine_write_run(&fork.base);
    *ret_outcome = cx_engine_write_outcome(&fork.base);
    return status;
}

/* ---- Syncs. ----------------------------------------------------------------- */

enum cx_status cx_engine_sync(struct cx_engine *engine, const struct cx_context_name *name,
                              uint64_t have_version, struct cx_snapshot *ret_before,
                              struct cx_snapshot *ret_after, bool *ret_full, uint64_t *ret_wait_for,
                              struct cx_error *ret_error)
{
    const struct cx_state_at newest = {0};
    const struct cx_state_at had = {.version = have_version};
    struct cx_error no_such_state;
    uint64_t wait_for;
    enum cx_status status =
        cx_engine_get(engine, name, &newest, ret_after, ret_wait_for, ret_error);

    *ret_before = (struct cx_snapshot){0};
    *ret_full = have_version == 0;
    if (status != CX_OK || have_version == 0) {
        return status;
    }
    status = cx_engine_get(engine, name, &had, ret_before, &wait_for, &no_such_state);
    *ret_full = status != CX_OK;
    if (*ret_full) {
        *ret_before = (struct cx_snapshot){0};
    }
    *ret_wait_for = wait_for > *ret_wait_for ? wait_for : *ret_wait_for;
    return CX_OK;
}
