/* Recovery points, one by one. */

#include <stdio.h>

#include "core/base/limits.h"
#include "core/engine/engine_change.h"
#include "core/engine/engine_points.h"
#include "core/engine/recovery.h"
#include "core/state/earlier.h"

void cx_engine_view_point(struct cx_context *context, struct cx_point *point,
                          struct cx_point_view *ret_view)
{
    cx_point_view_init(ret_view, context, point,
                       cx_recovery_find(context->recovery, point->parent_sequence));
}

/* A write that is about one point. */
struct write_point {
    struct cx_engine_write base;
    const struct cx_create_point_request *create;
    const struct cx_update_point_request *update;
    const struct cx_delete_point_request *delete;
    const struct cx_context_name *name;
    struct cx_bytes point_id;
    struct cx_point_view *view; /* NULL: nobody wants it. */
};

static enum cx_plan_result point_plan(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_point *point = (struct write_point *)write;

    if (point->create != NULL) {
        return cx_plan_create_point(plan, point->create);
    }
    return point->update != NULL ? cx_plan_update_point(plan, point->update)
                                 : cx_plan_delete_point(plan, point->delete);
}

/* Whether a point is what the write was about: a repeated create made the one of its revision, or
 * replaced one from before, and what has that id by now may have been made later. */
static bool is_its_own(const struct write_point *point, const struct cx_point *found)
{
    return point->create == NULL || !point->base.replayed ||
           found->revision <= point->base.revision;
}

/* Shows the point as it is now. */
static void point_done(struct cx_engine_write *write, struct cx_plan *plan)
{
    struct write_point *point = (struct write_point *)write;
    struct cx_name_key key;
    struct cx_context *context;
    struct cx_point *found;

    cx_name_key_init(&key, point->name->namespace_id, point->name->id);
    context = cx_state_find(plan->state, &key);
    cx_engine_write_note(write, cx_state_derived_from(plan->state, &key, context));
    if (context == NULL) {
        return;
    }
    found = cx_recovery_find_id(context->recovery, point->point_id);
    if (found != NULL && !cx_point_is_expired(found, write->now_us) && is_its_own(point, found)) {
        cx_engine_view_point(context, found, point->view);
    }
}

static enum cx_status run_point(struct write_point *point, struct cx_write_outcome *ret_outcome)
{
    enum cx_status status;

    point->base.plan = point_plan;
    point->base.done = point->view != NULL ? point_done : NULL;
    if (point->view != NULL) {
        *point->view = (struct cx_point_view){0};
    }
    status = cx_engine_write_run(&point->base);
    *ret_outcome = cx_engine_write_outcome(&point->base);
    return status;
}

enum cx_status cx_engine_create_point(struct cx_engine *engine,
                                      const struct cx_create_point_request *request,
                                      struct cx_write_outcome *ret_outcome,
                                      struct cx_point_view *ret_point, struct cx_error *ret_error)
{
    struct cx_create_point_request named = *request;
    char made_up[CX_MADE_UP_ID_SIZE + 1];
    struct write_point point = {.create = &named, .name = &named.name, .view = ret_point};

    if (named.point_id.size == 0) {
        cx_engine_make_up_id(engine, CX_MADE_UP_POINT, request->name.namespace_id,
                             request->request_id, made_up);
        named.point_id = cx_bytes_of(made_up);
    }
    point.point_id = named.point_id;
    point.base = cx_engine_write_begin(
        engine, cx_engine_shards_of(&named.name, named.author.session_id), ret_error);
    point.base.grows = true;
    return run_point(&point, ret_outcome);
}

enum cx_status cx_engine_update_point(struct cx_engine *engine,
                                      const struct cx_update_point_request *request,
                                      struct cx_write_outcome *ret_outcome,
                                      struct cx_point_view *ret_point, struct cx_error *ret_error)
{
    struct write_point point = {
        .base = cx_engine_write_begin(
            engine, cx_engine_shards_of(&request->name, request->author.session_id), ret_error),
        .update = request,
        .name = &request->name,
        .point_id = request->point_id,
        .view = ret_point,
    };

    point.base.grows = request->set_label_count > 0 || request->put_attachment_count > 0 ||
                       request->add_attachment_count > 0;
    return run_point(&point, ret_outcome);
}

enum cx_status cx_engine_delete_point(struct cx_engine *engine,
                                      const struct cx_delete_point_request *request,
                                      struct cx_write_outcome *ret_outcome,
                                      struct cx_error *ret_error)
{
    struct write_point point = {
        .base = cx_engine_write_begin(
            engine, cx_engine_shards_of(&request->name, request->author.session_id), ret_error),
        .delete = request,
        .name = &request->name,
        .point_id = request->point_id,
    };

    return run_point(&point, ret_outcome);
}

/* ---- Reading one. ----------------------------------------------------------- */

enum cx_status cx_engine_find_recovery_locked(struct cx_engine *engine,
                                              const struct cx_name_key *key,
                                              struct cx_context **ret_context,
                                              uint64_t *ret_wait_for, struct cx_error *ret_error)
{
    int64_t now_us = engine->options.clock->wall_us(engine->options.clock);
    struct cx_context *context = cx_state_find(&engine->state, key);

    *ret_wait_for = cx_state_derived_from(&engine->state, key, context);
    if (context == NULL || context->life == CX_CONTEXT_BARE ||
        cx_context_is_expired(context, now_us)) {
        return cx_context_not_found(ret_error, context);
    }
    *ret_context = context;
    return CX_OK;
}

static enum cx_status get_locked(struct cx_engine *engine, struct cx_context *context,
                                 struct cx_bytes id, struct cx_point_view *ret_point,
                                 struct cx_error *error)
{
    int64_t now_us = engine->options.clock->wall_us(engine->options.clock);
    struct cx_point *point = id.size > 0 ? cx_recovery_find_id(context->recovery, id)
                                         : cx_recovery_newest(context->recovery);

    while (id.size == 0 && point != NULL && cx_point_is_expired(point, now_us)) {
        point = cx_recovery_before(context->recovery, point->sequence);
    }
    if (point == NULL || cx_point_is_expired(point, now_us)) {
        return id.size > 0 ? cx_point_not_found(context, error)
                           : cx_error_set(error, CX_REASON_NO_RECOVERY_POINTS,
                                          "the context has no recovery points");
    }
    cx_engine_view_point(context, point, ret_point);
    return CX_OK;
}

enum cx_status cx_engine_get_point(struct cx_engine *engine, const struct cx_context_name *name,
                                   struct cx_bytes point_id, struct cx_point_view *ret_point,
                                   uint64_t *ret_wait_for, struct cx_error *ret_error)
{
    struct cx_context *context;
    struct cx_name_key key;
    enum cx_status status;

    cx_name_key_init(&key, name->namespace_id, name->id);
    pthread_mutex_lock(&engine->locks[key.shard]);
    status = cx_engine_find_recovery_locked(engine, &key, &context, ret_wait_for, ret_error);
    if (status == CX_OK) {
        status = get_locked(engine, context, point_id, ret_point, ret_error);
    }
    pthread_mutex_unlock(&engine->locks[key.shard]);
    return status;
}
