/* Plans of what brings earlier states back: restores, undeletes. */

#include <inttypes.h>

#include "core/base/limits.h"
#include "core/state/earlier.h"
#include "core/state/plan_common.h"

/* A restore on its way. */
struct restoring {
    struct cx_plan *plan;
    const struct cx_restore_request *request;
    const struct cx_name_key *key;
    struct cx_context *context;
    const struct cx_context *parent; /* Of one to be brought back. NULL: none. */
    struct cx_prepared *prepared;
    struct cx_base_ref ref; /* CX_BASE_HEAD: the state that the context has, or had last. */
};

/* The newest point whose time is not over: those of a context that was deleted may have expired
 * meanwhile; those of a live one are dropped by now, or will be soon. */
static const struct cx_point *find_newest(const struct restoring *restoring)
{
    const struct cx_recovery *recovery = restoring->context->recovery;
    const struct cx_point *point = cx_recovery_newest(recovery);

    while (point != NULL && cx_point_is_expired(point, restoring->plan->now_us)) {
        point = cx_recovery_before(recovery, point->sequence);
    }
    return point;
}

static enum cx_plan_result find_ref(struct restoring *restoring)
{
    struct cx_plan *plan = restoring->plan;
    const struct cx_context *context = restoring->context;
    const struct cx_state_at *at = &restoring->request->at;
    const struct cx_point *newest;

    if (!cx_state_at_is_newest(at)) {
        return cx_earlier_find(context, at, plan->now_us, &restoring->ref, plan->error) == CX_OK
                   ? CX_PLAN_CHANGE
                   : CX_PLAN_FAILED;
    }
    if (context->life == CX_CONTEXT_DELETED) {
        restoring->ref = (struct cx_base_ref){CX_BASE_HEAD, context->version};
        return CX_PLAN_CHANGE;
    }
    newest = find_newest(restoring);
    if (newest == NULL) {
        (void)cx_error_set(plan->error, CX_REASON_NO_RECOVERY_POINTS,
                           "the context has no recovery points; name a version or a time");
        return CX_PLAN_FAILED;
    }
    restoring->ref = (struct cx_base_ref){CX_BASE_POINT, newest->sequence};
    return CX_PLAN_CHANGE;
}

/* Whether what was prepared is still true; else asks for it. */
static bool check_prepared(struct restoring *restoring)
{
    struct cx_prepared *prepared = restoring->prepared;
    uint64_t version = cx_earlier_version(restoring->context, &restoring->ref);

    if (prepared->is_set && prepared->target_version == restoring->context->version &&
        prepared->ref.kind == restoring->ref.kind &&
        prepared->ref.number == restoring->ref.number && prepared->state_version == version) {
        return true;
    }
    prepared->moved = true;
    prepared->ref = restoring->ref;
    prepared->state_version = version;
    return false;
}

/* The state that the item begins from, and its labels. */
static enum cx_plan_result set_base(struct restoring *restoring, struct cx_change_item *item)
{
    struct cx_plan *plan = restoring->plan;
    const struct cx_point *point;
    struct cx_kept_state state;
    struct cx_label *labels;
    struct cx_label_list kept;

    if (restoring->ref.kind == CX_BASE_HEAD) {
        return CX_PLAN_CHANGE;
    }
    item->base = restoring->ref;
    if (restoring->ref.kind == CX_BASE_POINT) {
        point = cx_recovery_find(restoring->context->recovery, restoring->ref.number);
        item->base_id = cx_point_id(point);
    }
    if (cx_earlier_take(restoring->context, &restoring->ref, &state) != CX_OK) {
        return cx_plan_out_of_memory(plan);
    }
    /* They may be held by nobody else: copied, but for their bytes, which the arena gets. */
    kept = cx_labels_list(state.labels);
    labels = cx_plan_copy_labels(plan, kept);
    cx_kept_state_done(&state);
    if (labels == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    item->labels_changed = true;
    item->labels = (struct cx_label_list){labels, kept.count};
    return CX_PLAN_CHANGE;
}

/* Finds the parent of one to be brought back. */
static enum cx_plan_result find_parent(struct restoring *restoring)
{
    struct cx_plan *plan = restoring->plan;
    struct cx_bytes parent_id = cx_context_parent_id(restoring->context);
    const struct cx_name_key *key;
    struct cx_context *parent;
    enum cx_plan_result result;

    if (parent_id.size == 0) {
        return CX_PLAN_CHANGE;
    }
    key = cx_plan_key(plan, restoring->request->name.namespace_id, parent_id);
    if (key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_look(plan, key, &parent);
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!cx_context_is_live(parent)) {
        (void)cx_error_set(plan->error, CX_REASON_PARENT_NOT_FOUND,
                           "the context's parent does not exist any more; bring that back first");
        cx_error_detail(plan->error, "parent_id", parent_id);
        return CX_PLAN_FAILED;
    }
    restoring->parent = parent;
    return CX_PLAN_CHANGE;
}

static enum cx_plan_result check_depth(const struct restoring *restoring)
{
    if (restoring->parent == NULL || restoring->parent->depth < CX_CONTEXT_DEPTH_MAX) {
        return CX_PLAN_CHANGE;
    }
    (void)cx_error_limit(restoring->plan->error, "context_depth_max", CX_CONTEXT_DEPTH_MAX);
    return CX_PLAN_FAILED;
}

static enum cx_plan_result plan_undelete(struct restoring *restoring)
{
    const struct cx_restore_request *request = restoring->request;
    struct cx_plan *plan = restoring->plan;
    struct cx_change_item item = cx_plan_touch(restoring->context);
    enum cx_plan_result result = check_depth(restoring);

    if (result == CX_PLAN_CHANGE && restoring->ref.kind != CX_BASE_HEAD &&
        !check_prepared(restoring)) {
        return CX_PLAN_NOTHING; /* The steps are counted, and not told. */
    }
    item.kind = CX_ITEM_UNDELETE;
    item.labels_changed = true;
    item.labels_before = (struct cx_label_list){0};
    item.untold = true;
    item.session_id = request->author.session_id;
    if (result == CX_PLAN_CHANGE) {
        result = set_base(restoring, &item);
    }
    if (result == CX_PLAN_CHANGE && request->safety_point) {
        result = cx_plan_add_own_point(plan, restoring->context, CX_ORIGIN_SAFETY, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_set_points(plan, restoring->context, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_change_begin(plan, request->name.namespace_id, 1);
    }
    return result == CX_PLAN_CHANGE ? cx_plan_add_item(plan, restoring->key, &item) : result;
}

static enum cx_plan_result plan_set_back(struct restoring *restoring)
{
    const struct cx_restore_request *request = restoring->request;
    const struct cx_prepared *prepared = restoring->prepared;
    struct cx_plan *plan = restoring->plan;
    struct cx_change_item item = cx_plan_touch(restoring->context);
    enum cx_plan_result result;

    if (restoring->ref.kind == CX_BASE_HEAD) {
        return CX_PLAN_NOTHING; /* It has that state. */
    }
    if (!check_prepared(restoring)) {
        return CX_PLAN_NOTHING;
    }
    item.kind = CX_ITEM_UPDATE;
    item.session_id = request->author.session_id;
    item.ops = prepared->ops;
    item.op_count = prepared->op_count;
    item.untold = prepared->untold;
    result = set_base(restoring, &item);
    if (result == CX_PLAN_CHANGE && request->safety_point) {
        result = cx_plan_add_own_point(plan, restoring->context, CX_ORIGIN_SAFETY, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_set_points(plan, restoring->context, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_change_begin(plan, request->name.namespace_id, 1);
    }
    return result == CX_PLAN_CHANGE ? cx_plan_add_item(plan, restoring->key, &item) : result;
}

/* Whether there is something that the request can be about. */
static enum cx_plan_result check_there(struct restoring *restoring)
{
    const struct cx_context *context = restoring->context;
    struct cx_plan *plan = restoring->plan;

    if (context == NULL || context->life == CX_CONTEXT_BARE ||
        (context->life == CX_CONTEXT_DELETED && !restoring->request->undelete)) {
        return cx_plan_not_found(plan, context);
    }
    if (context->life == CX_CONTEXT_LIVE && restoring->request->undelete) {
        (void)cx_error_set(plan->error, CX_REASON_CONTEXT_EXISTS,
                           "the context is not deleted, it has version %" PRIu64, context->version);
        cx_error_detail_number(plan->error, "version", context->version);
        return CX_PLAN_FAILED;
    }
    return CX_PLAN_CHANGE;
}

enum cx_plan_result cx_plan_restore(struct cx_plan *plan, const struct cx_restore_request *request,
                                    struct cx_prepared *prepared)
{
    struct restoring restoring = {
        .plan = plan,
        .request = request,
        .key = cx_plan_key(plan, request->name.namespace_id, request->name.id),
        .prepared = prepared,
    };
    struct cx_hash128 id = {0};
    uint64_t content_hash = 0;
    enum cx_plan_result result;

    prepared->moved = false;
    if (restoring.key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_need_shard(plan, restoring.key->shard);
    if (result == CX_PLAN_CHANGE && request->request_id.size > 0) {
        id = cx_request_id_hash(restoring.key, request->request_id);
        content_hash = cx_restore_request_hash(request);
        result = cx_plan_check_request(plan, restoring.key, id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, restoring.key, &restoring.context);
    }
    if (result == CX_PLAN_CHANGE) {
        result = check_there(&restoring);
    }
    if (result == CX_PLAN_CHANGE) {
        result = find_ref(&restoring);
    }
    if (result == CX_PLAN_CHANGE && !cx_context_is_live(restoring.context)) {
        result = find_parent(&restoring);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_check_author(plan, request->name.namespace_id, restoring.context,
                                      &request->author);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_check_preconditions(
            plan, cx_context_is_live(restoring.context) ? restoring.context : NULL,
            request->preconditions, request->precondition_count);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_context_is_live(restoring.context) ? plan_set_back(&restoring)
                                                       : plan_undelete(&restoring);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    cx_plan_mark(plan, id, content_hash, 0);
    return cx_plan_change_finish(plan);
}
