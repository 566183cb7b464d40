/* Plans of what starts and ends sessions. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/state/plan_common.h"

/* ---- Starts. ---------------------------------------------------------------- */

/* Activates the default context, which may have to be made. */
static enum cx_plan_result add_default(struct cx_plan *plan,
                                       const struct cx_session_start_request *request,
                                       const struct cx_name_key *key, struct cx_context *context)
{
    struct cx_activation_step *step = cx_arena_calloc(plan->arena, sizeof *step);
    const struct cx_plan_creation creation = {
        .key = key,
        .name = {request->name.namespace_id, request->default_context_id},
        .properties = request->create_if_missing,
        .session_id = request->name.id,
        .activations = step,
        .activation_count = 1,
    };
    enum cx_plan_result result;
    struct cx_change_item item;

    if (step == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    step->session_id = request->name.id;
    step->active = true;
    if (!cx_context_is_live(context)) {
        return cx_plan_create_missing(plan, &creation, context);
    }
    item = cx_plan_touch(context);
    item.session_id = request->name.id;
    item.activations = step;
    item.activation_count = 1;
    result = cx_plan_add_item(plan, key, &item);
    return result == CX_PLAN_CHANGE ? cx_plan_check_sessions(plan, context) : result;
}

/* Looks whether the default context is there, or may be made. */
static enum cx_plan_result find_default(struct cx_plan *plan,
                                        const struct cx_session_start_request *request,
                                        const struct cx_name_key **ret_key,
                                        struct cx_context **ret_context)
{
    enum cx_plan_result result;

    *ret_key = cx_plan_key(plan, request->name.namespace_id, request->default_context_id);
    if (*ret_key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_look(plan, *ret_key, ret_context);
    if (result == CX_PLAN_CHANGE && request->create_if_missing == NULL &&
        !cx_context_is_live(*ret_context)) {
        return cx_plan_not_found(plan, *ret_context);
    }
    return result;
}

/* A session may be there longer than the request that started it is remembered. */
static enum cx_plan_result check_new(struct cx_plan *plan, const struct cx_name_key *key)
{
    const struct cx_session *session = cx_state_find_session(plan->state, key);
    enum cx_plan_result result;

    if (session == NULL) {
        return CX_PLAN_CHANGE;
    }
    cx_plan_note(plan, session->revision);
    result = cx_plan_check_lease(plan, session);
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    (void)cx_error_set(plan->error, CX_REASON_REQUEST_ID_REUSED,
                       "the request id started a session that is still there; use a new one");
    return CX_PLAN_FAILED;
}

/* Notes that the session keeps the request. */
static void mark_session(struct cx_plan *plan, struct cx_hash128 id, uint64_t content_hash)
{
    cx_plan_mark(plan, id, content_hash, 0);
    plan->change.request.of_session = cx_request_mark_is_set(&plan->change.request);
}

enum cx_plan_result cx_plan_start_session(struct cx_plan *plan,
                                          const struct cx_session_start_request *request)
{
    const struct cx_name_key *key = cx_plan_key(plan, request->name.namespace_id, request->name.id);
    const struct cx_session_change change = {.step = CX_SESSION_START, .start = *request};
    const struct cx_name_key *default_key = NULL;
    struct cx_context *context = NULL;
    struct cx_hash128 id = {0};
    uint64_t content_hash = 0;
    enum cx_plan_result result;

    if (key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_need_shard(plan, key->shard);
    if (result == CX_PLAN_CHANGE && request->request_id.size > 0) {
        id = cx_request_id_hash(key, request->request_id);
        content_hash = cx_session_start_request_hash(request);
        result = cx_plan_check_request(plan, key, id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = check_new(plan, key);
    }
    if (result == CX_PLAN_CHANGE && request->default_context_id.size > 0) {
        result = find_default(plan, request, &default_key, &context);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_change_begin(plan, request->name.namespace_id, 2);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_add_session(plan, &change);
    }
    if (result == CX_PLAN_CHANGE && default_key != NULL) {
        result = add_default(plan, request, default_key, context);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    mark_session(plan, id, content_hash);
    return cx_plan_change_finish(plan);
}

/* ---- Ends. ------------------------------------------------------------------ */

/* What the activity that a resource was reclaimed takes in the log, at most. */
enum { HELD_WEIGHT_MAX = CX_RESOURCE_NAME_SIZE_MAX + CX_RESOURCE_TYPE_SIZE_MAX + 32 };

/* What becomes of one context when its session ends. */
struct parting {
    struct cx_context *context;
    const struct cx_name_key *key;
    struct cx_activation_step step; /* If it was active. */
    bool was_active;
    size_t held; /* Resources of it that the session holds. */
};

/* All contexts of a session, no context twice. */
struct partings {
    struct parting *items;
    size_t count;
};

static enum cx_plan_result add_parting(struct cx_plan *plan, struct partings *partings,
                                       struct cx_context *context, struct parting **ret_parting)
{
    struct parting *parting = &partings->items[partings->count];

    *parting = (struct parting){
        .context = context,
        .key = cx_plan_key(plan, cx_context_namespace(context), cx_context_id(context)),
    };
    if (parting->key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    partings->count++;
    *ret_parting = parting;
    return CX_PLAN_CHANGE;
}

static struct parting *find_parting(const struct partings *partings,
                                    const struct cx_context *context)
{
    for (size_t i = 0; i < partings->count; i++) {
        if (partings->items[i].context == context) {
            return &partings->items[i];
        }
    }
    return NULL;
}

/* Collects the contexts of a session, and asks for all their shards at once. */
static enum cx_plan_result collect(struct cx_plan *plan, const struct cx_session *session,
                                   struct partings *partings)
{
    size_t room = session->activation_count + session->resource_count;
    enum cx_plan_result result = CX_PLAN_CHANGE;
    struct parting *parting;

    partings->items = cx_arena_alloc(plan->arena, (room + 1) * sizeof *partings->items);
    if (partings->items == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    for (const struct cx_activation *each = session->activation_oldest;
         each != NULL && result == CX_PLAN_CHANGE; each = each->session_next) {
        result = add_parting(plan, partings, each->context, &parting);
        if (result == CX_PLAN_CHANGE) {
            parting->step.session_id = cx_session_id(session);
            parting->was_active = true;
        }
    }
    for (const struct cx_resource *each = session->resource_newest;
         each != NULL && result == CX_PLAN_CHANGE; each = each->next) {
        parting = find_parting(partings, each->context);
        if (parting == NULL) {
            result = add_parting(plan, partings, each->context, &parting);
        }
        if (result == CX_PLAN_CHANGE) {
            parting->held++;
        }
    }
    for (size_t i = 0; i < partings->count && result != CX_PLAN_FAILED; i++) {
        if (cx_plan_need_shard(plan, partings->items[i].key->shard) != CX_PLAN_CHANGE) {
            result = CX_PLAN_NEEDS_SHARDS;
        }
    }
    return result;
}

/* The activities that say that what was held of a context is held no more. */
static enum cx_plan_result set_reclaimed(struct cx_plan *plan, const struct cx_session *session,
                                         const struct parting *parting, struct cx_change_item *item)
{
    enum cx_plan_result result = CX_PLAN_CHANGE;

    item->ops = cx_arena_alloc(plan->arena, (parting->held + 1) * sizeof *item->ops);
    if (item->ops == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    for (const struct cx_resource *each = session->resource_newest;
         each != NULL && result == CX_PLAN_CHANGE && item->op_count < parting->held;
         each = each->next) {
        struct cx_resource_view view;
        struct cx_resource_event event = {.step = CX_RESOURCE_RECLAIMED};

        if (each->context != parting->context) {
            continue;
        }
        cx_resource_view(each, &view);
        event.name = view.name;
        event.type = view.type;
        result = cx_plan_add_resource_step(plan, &event, (struct cx_label_list){0},
                                           &item->ops[item->op_count++]);
    }
    return result == CX_PLAN_CHANGE ? cx_plan_set_history(plan, cx_session_namespace(session),
                                                          parting->context->tracked, item)
                                    : result;
}

/* Whether the context gets a point: its session is lost that worked on it alone. */
static bool wants_point(const struct cx_session *session, const struct parting *parting,
                        enum cx_session_step step)
{
    const struct cx_activation *exclusive =
        parting->context->tracked != NULL ? parting->context->tracked->exclusive : NULL;

    const struct cx_recovery *recovery = parting->context->recovery;

    return step == CX_SESSION_LOSE && session->point_on_loss &&
           (recovery == NULL || recovery->point_count < CX_POINTS_MAX) && exclusive != NULL &&
           exclusive->session == session;
}

static enum cx_plan_result part(struct cx_plan *plan, const struct cx_session *session,
                                const struct parting *parting, enum cx_session_step step)
{
    struct cx_change_item item = cx_plan_touch(parting->context);
    enum cx_plan_result result = CX_PLAN_CHANGE;

    item.session_id = cx_session_id(session);
    item.activations = &parting->step;
    item.activation_count = parting->was_active;
    if (parting->held > 0) {
        result = set_reclaimed(plan, session, parting, &item);
    }
    if (result == CX_PLAN_CHANGE && wants_point(session, parting, step)) {
        result = cx_plan_add_own_point(plan, parting->context, CX_ORIGIN_SESSION_LOSS, &item);
        if (result == CX_PLAN_CHANGE) {
            result = cx_plan_set_points(plan, parting->context, &item);
        }
    }
    return result == CX_PLAN_CHANGE ? cx_plan_add_item(plan, parting->key, &item) : result;
}

/* What the end of a session weighs in the log apart from its items, at most. */
static uint64_t end_weight(const struct cx_session *session)
{
    return 256 + cx_session_owner(session).size +
           cx_plan_labels_weight(cx_labels_list(session->labels));
}

/* Keeps as many of the contexts, and of what is held of the last of them, as one change has room
 * for; something at least. Returns whether that is all. */
static bool keep_fitting(const struct cx_plan *plan, const struct cx_session *session,
                         struct partings *partings)
{
    uint64_t weight_of_end = end_weight(session);
    uint64_t size_left =
        plan->change_size_max > weight_of_end ? plan->change_size_max - weight_of_end : 0;

    for (size_t i = 0; i < partings->count; i++) {
        struct parting *parting = &partings->items[i];
        uint64_t weight = cx_plan_item_weight(parting->context, parting->was_active);
        uint64_t room = size_left > weight ? (size_left - weight) / HELD_WEIGHT_MAX : 0;

        if (i > 0 && (weight > size_left || room < parting->held)) {
            partings->count = i;
            return false;
        }
        if (room < parting->held) {
            parting->held = room > 0 ? room : 1;
            partings->count = 1;
            return false;
        }
        weight += parting->held * HELD_WEIGHT_MAX;
        size_left -= weight < size_left ? weight : size_left;
    }
    return true;
}

/* Plans the end of a session, all of it but the request that it answers: or, where that is
 * too large for one change, a first part, with plan->more. */
static enum cx_plan_result end_session(struct cx_plan *plan, struct cx_session *session,
                                       enum cx_session_step step)
{
    struct cx_session_change change = {
        .step = step,
        .start.name = {cx_session_namespace(session), cx_session_id(session)},
    };
    struct partings partings = {0};
    enum cx_plan_result result = collect(plan, session, &partings);

    plan->more = result == CX_PLAN_CHANGE && !keep_fitting(plan, session, &partings);
    if (plan->more) {
        change.step = CX_SESSION_PART;
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_change_begin(plan, change.start.name.namespace_id, partings.count);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_add_session(plan, &change);
    }
    for (size_t i = 0; i < partings.count && result == CX_PLAN_CHANGE; i++) {
        result = part(plan, session, &partings.items[i], step);
    }
    return result;
}

enum cx_plan_result cx_plan_end_session(struct cx_plan *plan,
                                        const struct cx_session_end_request *request)
{
    const struct cx_session_name *name = &request->name;
    struct cx_name_key key;
    struct cx_session *session;
    struct cx_hash128 id = {0};
    uint64_t content_hash = 0;
    enum cx_plan_result result;

    if (!cx_session_key(&key, name)) {
        return CX_PLAN_NOTHING; /* There never was one. */
    }
    result = cx_plan_need_shard(plan, key.shard);
    if (result == CX_PLAN_CHANGE && request->request_id.size > 0) {
        id = cx_request_id_hash(&key, request->request_id);
        content_hash = cx_session_end_request_hash(request);
        result = cx_plan_check_request(plan, &key, id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_session(plan, name->namespace_id, name->id, &session);
    }
    if (result == CX_PLAN_FAILED && plan->error->reason == CX_REASON_SESSION_NOT_FOUND) {
        return CX_PLAN_NOTHING;
    }
    if (result == CX_PLAN_CHANGE) {
        result = end_session(plan, session, CX_SESSION_END);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!plan->more) {
        mark_session(plan, id, content_hash);
    }
    return cx_plan_change_finish(plan);
}

enum cx_plan_result cx_plan_lapse(struct cx_plan *plan, const struct cx_name_key *key)
{
    enum cx_plan_result result = cx_plan_need_shard(plan, key->shard);
    struct cx_session *session;

    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    session = cx_state_find_session(plan->state, key);
    if (session == NULL || !cx_session_has_lapsed(session, plan->lease_now_us)) {
        return CX_PLAN_NOTHING;
    }
    result = end_session(plan, session, CX_SESSION_LOSE);
    return result == CX_PLAN_CHANGE ? cx_plan_change_finish(plan) : result;
}
