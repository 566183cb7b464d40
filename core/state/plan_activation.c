/* Plans of what makes contexts active in sessions, and not any more. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/state/plan_common.h"

/* A request on its way. */
struct activating {
    const struct cx_activation_request *request;
    enum cx_activation_way way;
    struct cx_bytes namespace_id;
    const struct cx_name_key *key; /* Of the context. */
    struct cx_session *session;
    struct cx_context *context;     /* In whatever life, or NULL. */
    struct cx_activation *existing; /* Of the context in the session. NULL: none. */
    struct cx_activation_step steps[2];
    size_t step_count;
    struct cx_hash128 id;
    uint64_t content_hash;
};

/* ---- Looking. --------------------------------------------------------------- */

/* Knows a repeat by the context, or, of a switch, by the session. */
static enum cx_plan_result check_request(struct cx_plan *plan, struct activating *activating)
{
    const struct cx_activation_request *request = activating->request;
    const struct cx_session_name session = {activating->namespace_id, request->session_id};
    const struct cx_name_key *key = activating->key;
    enum cx_plan_result result;
    struct cx_name_key session_key;

    if (request->request_id.size == 0) {
        return CX_PLAN_CHANGE;
    }
    if (activating->way == CX_WAY_SWITCH) {
        if (!cx_session_key(&session_key, &session)) {
            return CX_PLAN_CHANGE; /* No session keeps it. */
        }
        key = &session_key;
    }
    result = cx_plan_need_shard(plan, key->shard);
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    activating->id = cx_request_id_hash(key, request->request_id);
    activating->content_hash = cx_activation_request_hash(request, activating->way);
    return cx_plan_check_request(plan, key, activating->id, activating->content_hash);
}

/* Finds session and context, and checks the fence. */
static enum cx_plan_result activating_begin(struct cx_plan *plan, struct activating *activating,
                                            const struct cx_activation_request *request,
                                            enum cx_activation_way way)
{
    enum cx_plan_result result;

    *activating = (struct activating){
        .request = request,
        .way = way,
        .namespace_id = request->name.namespace_id,
        .key = cx_plan_key(plan, request->name.namespace_id, request->name.id),
    };
    if (activating->key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = check_request(plan, activating);
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_session(plan, activating->namespace_id, request->session_id,
                                 &activating->session);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, activating->key, &activating->context);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (cx_context_is_live(activating->context)) {
        activating->existing = cx_session_find(activating->session, activating->context);
    } else if (way != CX_WAY_DEACTIVATE && !activating->session->may_create) {
        return cx_plan_not_found(plan, activating->context);
    }
    return cx_plan_check_fence(plan, activating->context, request->fence, false);
}

/* ---- Steps. ----------------------------------------------------------------- */

static void add_step(struct activating *activating, const struct cx_session *session, bool active,
                     uint64_t fence, bool guard)
{
    activating->steps[activating->step_count++] = (struct cx_activation_step){
        .session_id = cx_session_id(session),
        .active = active,
        .fence = fence,
        .guard = guard,
    };
}

/* Another session that has the context exclusively is in the way, or has to go. */
static enum cx_plan_result check_others(struct cx_plan *plan, struct activating *activating)
{
    const struct cx_tracked *tracked =
        cx_context_is_live(activating->context) ? activating->context->tracked : NULL;
    const struct cx_activation *exclusive = tracked != NULL ? tracked->exclusive : NULL;
    enum cx_plan_result result;

    if (exclusive == NULL || exclusive->session == activating->session) {
        return CX_PLAN_CHANGE;
    }
    result = cx_plan_check_lease(plan, exclusive->session);
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!activating->request->takeover) {
        return cx_plan_busy(plan, exclusive->session);
    }
    add_step(activating, exclusive->session, false, 0, false);
    return cx_plan_need_shard(plan, exclusive->session->shard);
}

static enum cx_plan_result check_limit(struct cx_plan *plan, const struct activating *activating)
{
    const struct cx_session *session = activating->session;

    bool takes_over = activating->step_count > 1;

    if (activating->existing != NULL) {
        return CX_PLAN_CHANGE;
    }
    if (session->activation_count < session->max_active_contexts) {
        return takes_over ? CX_PLAN_CHANGE : cx_plan_check_sessions(plan, activating->context);
    }
    (void)cx_error_limit(plan->error, "max_active_contexts", session->max_active_contexts);
    return CX_PLAN_FAILED;
}

/* Adds the item of the context, which may have to be made. */
static enum cx_plan_result add_item(struct cx_plan *plan, const struct activating *activating)
{
    const struct cx_plan_creation creation = {
        .key = activating->key,
        .name = activating->request->name,
        .properties = &activating->session->new_context,
        .session_id = cx_session_id(activating->session),
        .activations = activating->steps,
        .activation_count = activating->step_count,
    };
    struct cx_change_item item;

    if (!cx_context_is_live(activating->context)) {
        return cx_plan_create_missing(plan, &creation, activating->context);
    }
    item = cx_plan_touch(activating->context);
    item.session_id = creation.session_id;
    item.activations = activating->steps;
    item.activation_count = activating->step_count;
    return cx_plan_add_item(plan, activating->key, &item);
}

/* Steps are in the change from here on: they outlive the request's look at them. */
static enum cx_plan_result steps_keep(struct cx_plan *plan, struct activating *activating,
                                      struct activating **ret_kept)
{
    struct activating *kept = cx_arena_alloc(plan->arena, sizeof *kept);

    if (kept == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    *kept = *activating;
    *ret_kept = kept;
    return cx_plan_change_begin(plan, activating->namespace_id, 2);
}

static enum cx_plan_result finish(struct cx_plan *plan, const struct activating *activating)
{
    bool of_session = activating->way == CX_WAY_SWITCH;

    cx_plan_mark(plan, activating->id, activating->content_hash,
                 of_session ? 0 : plan->change.item_count - 1);
    plan->change.request.of_session = of_session && cx_request_mark_is_set(&plan->change.request);
    return cx_plan_change_finish(plan);
}

/* ---- The requests. ---------------------------------------------------------- */

/* The repeat of an exclusive activation must not pass for one that is in force: whoever gets no
 * fence from it would write without one. */
static enum cx_plan_result check_repeat(struct cx_plan *plan, const struct activating *activating)
{
    const struct cx_activation_request *request = activating->request;
    const struct cx_context *context = cx_state_find(plan->state, activating->key);
    const struct cx_activation *exclusive =
        context != NULL && context->tracked != NULL ? context->tracked->exclusive : NULL;

    cx_plan_note(plan, cx_state_derived_from(plan->state, activating->key, context));
    if (exclusive != NULL &&
        cx_bytes_equal(cx_session_id(exclusive->session), request->session_id)) {
        return cx_plan_check_lease(plan, exclusive->session) == CX_PLAN_CHANGE
                   ? CX_PLAN_NOTHING
                   : CX_PLAN_NEEDS_EXPIRY;
    }
    plan->replayed = false;
    return cx_plan_stale(
        plan, context,
        "the activation that this request made is no longer in force; activate the "
        "context again, with another request id");
}

enum cx_plan_result cx_plan_activate(struct cx_plan *plan,
                                     const struct cx_activation_request *request)
{
    struct activating looked;
    struct activating *activating;
    enum cx_plan_result result = activating_begin(plan, &looked, request, CX_WAY_ACTIVATE);
    uint64_t fence = 0;

    assert(request->exclusive || (!request->guard && !request->takeover));
    if (result == CX_PLAN_NOTHING && request->exclusive) {
        return check_repeat(plan, &looked);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!request->exclusive && looked.existing != NULL && looked.existing->fence == 0) {
        return CX_PLAN_NOTHING;
    }
    if (request->exclusive) {
        result = check_others(plan, &looked);
        fence = looked.context != NULL ? cx_context_fence(looked.context) + 1 : 1;
    }
    if (result == CX_PLAN_CHANGE) {
        add_step(&looked, looked.session, true, fence, request->guard);
        result = steps_keep(plan, &looked, &activating);
    }
    if (result == CX_PLAN_CHANGE) {
        result = add_item(plan, activating);
    }
    if (result == CX_PLAN_CHANGE) {
        result = check_limit(plan, activating);
    }
    return result == CX_PLAN_CHANGE ? finish(plan, activating) : result;
}

enum cx_plan_result cx_plan_switch(struct cx_plan *plan,
                                   const struct cx_activation_request *request)
{
    struct activating looked;
    struct activating *activating;
    enum cx_plan_result result = activating_begin(plan, &looked, request, CX_WAY_SWITCH);
    struct cx_session_change change = {.step = CX_SESSION_SWITCH, .current_id = request->name.id};

    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (looked.existing != NULL && looked.existing == looked.session->current) {
        return CX_PLAN_NOTHING;
    }
    add_step(&looked, looked.session, true, 0, false);
    result = steps_keep(plan, &looked, &activating);
    if (result == CX_PLAN_CHANGE) {
        change.start.name = (struct cx_session_name){looked.namespace_id, request->session_id};
        result = cx_plan_add_session(plan, &change);
    }
    if (result == CX_PLAN_CHANGE && activating->existing == NULL) {
        result = add_item(plan, activating);
    }
    if (result == CX_PLAN_CHANGE) {
        result = check_limit(plan, activating);
    }
    return result == CX_PLAN_CHANGE ? finish(plan, activating) : result;
}

static enum cx_plan_result not_active(struct cx_plan *plan)
{
    (void)cx_error_set(plan->error, CX_REASON_NOT_ACTIVE,
                       "the context is not active in this session");
    return CX_PLAN_FAILED;
}

enum cx_plan_result cx_plan_deactivate(struct cx_plan *plan,
                                       const struct cx_activation_request *request)
{
    struct activating looked;
    struct activating *activating;
    enum cx_plan_result result = activating_begin(plan, &looked, request, CX_WAY_DEACTIVATE);

    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (looked.existing == NULL) {
        return not_active(plan);
    }
    add_step(&looked, looked.session, false, 0, false);
    result = steps_keep(plan, &looked, &activating);
    if (result == CX_PLAN_CHANGE) {
        result = add_item(plan, activating);
    }
    return result == CX_PLAN_CHANGE ? finish(plan, activating) : result;
}
