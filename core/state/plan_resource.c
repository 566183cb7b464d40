/* Plans of what takes resources and gives them back. */

#include "core/base/limits.h"
#include "core/state/plan_common.h"

/* A request on its way. */
struct taking {
    const struct cx_resource_request *request;
    const struct cx_name_key *key; /* Of the context. */
    struct cx_session *session;
    struct cx_context *context;
    const struct cx_resource *held; /* The resource, if somebody holds it. */
    struct cx_hash128 id;
    uint64_t content_hash;
};

static const struct cx_resource *find_resource(const struct cx_context *context,
                                               struct cx_bytes name)
{
    struct cx_tree_item *found =
        context->tracked != NULL
            ? cx_tree_get(&cx_resource_class, &context->tracked->resources, name)
            : NULL;

    return found != NULL ? cx_resource_of(found) : NULL;
}

/* Knows a repeat, finds session, context and resource, and checks the fence. */
static enum cx_plan_result taking_begin(struct cx_plan *plan, struct taking *taking,
                                        const struct cx_resource_request *request,
                                        enum cx_resource_way way)
{
    const struct cx_context_name *name = &request->name;
    enum cx_plan_result result;

    *taking = (struct taking){
        .request = request,
        .key = cx_plan_key(plan, name->namespace_id, name->id),
        .content_hash = cx_resource_request_hash(request, way),
    };
    if (taking->key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_need_shard(plan, taking->key->shard);
    if (result == CX_PLAN_CHANGE && request->request_id.size > 0) {
        taking->id = cx_request_id_hash(taking->key, request->request_id);
        result = cx_plan_check_request(plan, taking->key, taking->id, taking->content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_session(plan, name->namespace_id, request->session_id, &taking->session);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, taking->key, &taking->context);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!cx_context_is_live(taking->context)) {
        return cx_plan_not_found(plan, taking->context);
    }
    taking->held = find_resource(taking->context, request->resource);
    return cx_plan_check_fence(plan, taking->context, request->fence, way == CX_WAY_ACQUIRE);
}

enum cx_plan_result cx_plan_add_resource_step(struct cx_plan *plan,
                                              const struct cx_resource_event *event,
                                              struct cx_label_list labels, struct cx_op *ret_op)
{
    struct cx_activity_content *content = cx_arena_alloc(plan->arena, sizeof *content);

    if (content == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    *content = (struct cx_activity_content){
        .type = cx_bytes_of("resource"),
        .labels = labels.items,
        .label_count = labels.count,
        .detail = {.kind = CX_DETAIL_RESOURCE, .resource = *event},
    };
    *ret_op = (struct cx_op){.kind = CX_MUTATION_RECORD, .activity = content};
    return CX_PLAN_CHANGE;
}

/* Makes the change: one activity. */
static enum cx_plan_result taking_finish(struct cx_plan *plan, const struct taking *taking,
                                         const struct cx_resource_event *event,
                                         struct cx_label_list labels)
{
    struct cx_change_item item = cx_plan_touch(taking->context);
    struct cx_op *op = cx_arena_alloc(plan->arena, sizeof *op);
    enum cx_plan_result result = cx_plan_change_begin(plan, taking->request->name.namespace_id, 1);

    if (op == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    item.session_id = cx_session_id(taking->session);
    item.ops = op;
    item.op_count = 1;
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_add_resource_step(plan, event, labels, op);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_set_history(plan, taking->request->name.namespace_id,
                                     taking->context->tracked, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_add_item(plan, taking->key, &item);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    cx_plan_mark(plan, taking->id, taking->content_hash, 0);
    return cx_plan_change_finish(plan);
}

static enum cx_plan_result held_by_another(struct cx_plan *plan, const struct cx_resource *held)
{
    (void)cx_error_set(plan->error, CX_REASON_RESOURCE_HELD,
                       "another session holds the resource; wait until it gives it back");
    cx_error_detail(plan->error, "session_id", cx_session_id(held->session));
    return CX_PLAN_FAILED;
}

enum cx_plan_result cx_plan_acquire(struct cx_plan *plan, const struct cx_resource_request *request)
{
    const struct cx_resource_event event = {
        .name = request->resource,
        .type = request->type,
        .step = CX_RESOURCE_ACQUIRED,
    };
    struct taking taking;
    enum cx_plan_result result = taking_begin(plan, &taking, request, CX_WAY_ACQUIRE);

    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (taking.held != NULL && taking.held->session == taking.session) {
        return CX_PLAN_NOTHING;
    }
    if (taking.held != NULL) {
        result = cx_plan_check_lease(plan, taking.held->session);
        return result == CX_PLAN_CHANGE ? held_by_another(plan, taking.held) : result;
    }
    if (taking.session->resource_count >= CX_SESSION_RESOURCES_MAX) {
        (void)cx_error_limit(plan->error, "session_resources_max", CX_SESSION_RESOURCES_MAX);
        return CX_PLAN_FAILED;
    }
    return taking_finish(plan, &taking, &event,
                         (struct cx_label_list){request->labels, request->label_count});
}

static enum cx_plan_result not_held(struct cx_plan *plan, const struct cx_resource *held)
{
    (void)cx_error_set(plan->error, CX_REASON_RESOURCE_NOT_HELD, "%s",
                       held != NULL ? "another session holds the resource"
                                    : "nobody holds the resource");
    if (held != NULL) {
        cx_error_detail(plan->error, "session_id", cx_session_id(held->session));
    }
    return CX_PLAN_FAILED;
}

enum cx_plan_result cx_plan_release(struct cx_plan *plan, const struct cx_resource_request *request)
{
    struct cx_resource_event event = {
        .name = request->resource,
        .step = CX_RESOURCE_RELEASED,
    };
    struct cx_resource_view view;
    struct taking taking;
    enum cx_plan_result result = taking_begin(plan, &taking, request, CX_WAY_RELEASE);

    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (taking.held != NULL && taking.held->session != taking.session) {
        result = cx_plan_check_lease(plan, taking.held->session);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (taking.held == NULL || taking.held->session != taking.session) {
        return not_held(plan, taking.held);
    }
    cx_resource_view(taking.held, &view);
    event.type = view.type;
    return taking_finish(plan, &taking, &event, (struct cx_label_list){0});
}
