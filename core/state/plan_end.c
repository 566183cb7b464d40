/* Plans of what ends contexts: deletes, and what is due by time. */

#include <assert.h>
#include <inttypes.h>

#include "core/base/limits.h"
#include "core/state/plan_common.h"

/* A part of a tree of contexts that ends in one change, those below others first. */
struct ending {
    enum cx_item_kind kind;
    const struct cx_author *author; /* NULL: nobody is asked. */
    const struct cx_context *named; /* By the request: its guard was looked at. */
    uint64_t size_left;             /* Of what the change may still weigh. */
    uint64_t points_left;           /* That it may still purge. */
    bool full;                      /* There is more than one change can take. */
};

/* A child that another session guards is not ended with its parent. */
static enum cx_plan_result check_guard(struct cx_plan *plan, const struct ending *ending,
                                       const struct cx_context *context)
{
    const struct cx_activation *exclusive =
        context->tracked != NULL ? context->tracked->exclusive : NULL;
    enum cx_plan_result result;

    if (ending->author == NULL || context == ending->named || exclusive == NULL ||
        !exclusive->guard) {
        return CX_PLAN_CHANGE;
    }
    plan->wait_for = CX_PLAN_WAIT_FOR_ALL; /* Those before it may have come last. */
    result = cx_plan_check_lease(plan, exclusive->session);
    if (result != CX_PLAN_CHANGE ||
        cx_bytes_equal(cx_session_id(exclusive->session), ending->author->session_id)) {
        return result;
    }
    return cx_plan_busy(plan, exclusive->session);
}

/* Ends the activations of a context, and makes sure of the sessions of all that is active or
 * held. */
static enum cx_plan_result set_parted(struct cx_plan *plan, const struct cx_tracked *tracked,
                                      struct cx_change_item *item)
{
    struct cx_activation_step *steps;
    enum cx_plan_result result = CX_PLAN_CHANGE;
    struct cx_tree_cursor cursor;
    struct cx_tree_item *held;

    steps = cx_arena_calloc(plan->arena, (tracked->activation_count + 1) * sizeof *steps);
    if (steps == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    for (const struct cx_activation *each = tracked->activation_oldest; each != NULL;
         each = each->context_next) {
        steps[item->activation_count++].session_id = cx_session_id(each->session);
        if (cx_plan_need_shard(plan, each->session->shard) != CX_PLAN_CHANGE) {
            result = CX_PLAN_NEEDS_SHARDS;
        }
    }
    held = cx_tree_seek(&cx_resource_class, &tracked->resources, (struct cx_bytes){0}, &cursor);
    for (; held != NULL; held = cx_tree_next(&cursor)) {
        if (cx_plan_need_shard(plan, cx_resource_of(held)->session->shard) != CX_PLAN_CHANGE) {
            result = CX_PLAN_NEEDS_SHARDS;
        }
    }
    item->activations = steps;
    return result;
}

static enum cx_plan_result end_one(struct cx_plan *plan, struct ending *ending,
                                   const struct cx_name_key *key, const struct cx_context *context)
{
    struct cx_change_item item = {
        .kind = ending->kind,
        .id = cx_context_id(context),
        .type = cx_context_type(context),
        .labels = cx_labels_list(context->labels),
        .session_id = ending->author != NULL ? ending->author->session_id : (struct cx_bytes){0},
    };
    uint64_t weight = cx_plan_item_weight(
        context, context->tracked != NULL ? context->tracked->activation_count : 0);
    uint64_t points = ending->kind == CX_ITEM_PURGE && context->recovery != NULL
                          ? context->recovery->point_count
                          : 0;
    enum cx_plan_result result = check_guard(plan, ending, context);

    if (result == CX_PLAN_CHANGE && context->tracked != NULL) {
        result = set_parted(plan, context->tracked, &item);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }

    if (plan->change.item_count == CX_CHANGE_ITEMS_MAX ||
        ((weight > ending->size_left || points > ending->points_left) &&
         plan->change.item_count > 0)) {
        ending->full = true;
        return CX_PLAN_CHANGE;
    }
    ending->size_left -= weight < ending->size_left ? weight : ending->size_left;
    ending->points_left -= points < ending->points_left ? points : ending->points_left;
    plan->count++;
    return cx_plan_add_item(plan, key, &item);
}

/* Ends what is below a context, then the context itself, until the change is full. At
 * most CX_CONTEXT_DEPTH_MAX calls deep. */
static enum cx_plan_result end_tree(struct cx_plan *plan, struct ending *ending,
                                    const struct cx_name_key *key, const struct cx_context *context)
{
    const struct cx_row_names names = {
        .names = {cx_context_namespace(context), cx_context_id(context)},
        .count = 2,
    };
    enum cx_plan_result result = CX_PLAN_CHANGE;
    struct cx_tree_cursor cursor;
    struct cx_tree_item *row = NULL;
    struct cx_bytes prefix;

    if (context->child_count > 0) {
        const struct cx_tree *children = &plan->state->shards[key->shard].children;

        if (cx_row_key(plan->arena, &names, &prefix) != CX_OK) {
            return cx_plan_out_of_memory(plan);
        }
        row = cx_tree_seek(&cx_row_class, children, prefix, &cursor);
    }
    while (row != NULL && result == CX_PLAN_CHANGE && !ending->full &&
           cx_bytes_has_prefix(cx_tree_item_key(&cx_row_class, row), prefix)) {
        const struct cx_name_key *child_key =
            cx_plan_key(plan, names.names[0], cx_row_id((const struct cx_row *)row));

        if (child_key == NULL) {
            return cx_plan_out_of_memory(plan);
        }
        result = end_tree(plan, ending, child_key, cx_state_find(plan->state, child_key));
        row = cx_tree_next(&cursor);
    }
    if (result != CX_PLAN_CHANGE || ending->full) {
        return result;
    }
    return end_one(plan, ending, key, context);
}

/* Plans the end of a context, with what is below it. */
static enum cx_plan_result plan_ending(struct cx_plan *plan, enum cx_item_kind kind,
                                       const struct cx_author *author,
                                       const struct cx_name_key *key,
                                       const struct cx_context *context)
{
    struct ending ending = {
        .kind = kind,
        .author = author,
        .named = context,
        .size_left = plan->change_size_max,
        .points_left = CX_PURGED_POINTS_MAX,
    };
    struct cx_bytes parent_id = cx_context_parent_id(context);
    bool live = context->life == CX_CONTEXT_LIVE;
    enum cx_plan_result result = CX_PLAN_CHANGE;

    if (live && context->child_count > 0 && plan->held != UINT64_MAX) {
        plan->needed = UINT64_MAX; /* They may be anywhere. */
        return CX_PLAN_NEEDS_SHARDS;
    }
    if (live && parent_id.size > 0) {
        const struct cx_name_key *parent_key =
            cx_plan_key(plan, cx_context_namespace(context), parent_id);

        if (parent_key == NULL) {
            return cx_plan_out_of_memory(plan);
        }
        result = cx_plan_need_shard(plan, parent_key->shard);
    }
    if (result == CX_PLAN_CHANGE) {
        size_t room = live && context->child_count > 0 ? CX_CHANGE_ITEMS_MAX : 1;

        result = cx_plan_change_begin(plan, cx_context_namespace(context), room);
    }
    if (result == CX_PLAN_CHANGE) {
        result =
            live ? end_tree(plan, &ending, key, context) : end_one(plan, &ending, key, context);
    }
    plan->more = ending.full;
    return result;
}

static enum cx_plan_result check_children(struct cx_plan *plan,
                                          const struct cx_delete_request *request,
                                          const struct cx_context *context)
{
    if (request->recursive || context->child_count == 0) {
        return CX_PLAN_CHANGE;
    }
    (void)cx_error_set(plan->error, CX_REASON_HAS_CHILDREN,
                       "%" PRIu32 " contexts are below it; delete them first, or set recursive",
                       context->child_count);
    cx_error_detail_number(plan->error, "child_count", context->child_count);
    plan->wait_for = CX_PLAN_WAIT_FOR_ALL; /* The children may have come last. */
    return CX_PLAN_FAILED;
}

static enum cx_plan_result delete_found(struct cx_plan *plan,
                                        const struct cx_delete_request *request,
                                        const struct cx_name_key *key,
                                        const struct cx_context *context, bool again)
{
    enum cx_plan_result result = CX_PLAN_CHANGE;

    result = cx_plan_check_author(plan, request->name.namespace_id, context, &request->author);
    if (!again && result == CX_PLAN_CHANGE) {
        result =
            cx_plan_check_preconditions(plan, context->life == CX_CONTEXT_LIVE ? context : NULL,
                                        request->preconditions, request->precondition_count);
    }
    if (result == CX_PLAN_CHANGE) {
        result = check_children(plan, request, context);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    return plan_ending(plan, request->purge ? CX_ITEM_PURGE : CX_ITEM_DELETE, &request->author, key,
                       context);
}

enum cx_plan_result cx_plan_delete(struct cx_plan *plan, const struct cx_delete_request *request,
                                   bool again)
{
    const struct cx_name_key *key = cx_plan_key(plan, request->name.namespace_id, request->name.id);
    struct cx_hash128 id = {0};
    uint64_t content_hash = 0;
    struct cx_context *context;
    enum cx_plan_result result;

    if (key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_need_shard(plan, key->shard);
    if (result == CX_PLAN_CHANGE && request->request_id.size > 0) {
        id = cx_request_id_hash(key, request->request_id);
        content_hash = cx_delete_request_hash(request);
        result = cx_plan_check_request(plan, key, id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, key, &context);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (context == NULL || context->life == CX_CONTEXT_BARE ||
        (context->life == CX_CONTEXT_DELETED && !request->purge)) {
        return request->allow_missing ? CX_PLAN_NOTHING : cx_plan_not_found(plan, context);
    }
    result = delete_found(plan, request, key, context, again);
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!plan->more) { /* The context itself comes last: its change answers the request. */
        plan->change.request.id = id;
        plan->change.request.content_hash = content_hash;
        plan->change.request.owner = plan->change.item_count - 1;
    }
    return cx_plan_change_finish(plan);
}

enum cx_plan_result cx_plan_due(struct cx_plan *plan, const struct cx_name_key *key)
{
    enum cx_plan_result result = cx_plan_need_shard(plan, key->shard);
    const struct cx_context *context;
    int64_t due_us;

    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    context = cx_state_find(plan->state, key);
    due_us = context != NULL ? cx_state_due_time(plan->state, context) : 0;
    if (due_us == 0 || due_us > plan->now_us) {
        return CX_PLAN_NOTHING;
    }
    if (context->life == CX_CONTEXT_LIVE && !cx_context_is_expired(context, plan->now_us)) {
        result = cx_plan_recovery_due(plan, key, context);
        return result == CX_PLAN_CHANGE ? cx_plan_change_finish(plan) : result;
    }
    result = plan_ending(plan,
                         context->life == CX_CONTEXT_LIVE      ? CX_ITEM_EXPIRE
                         : context->life == CX_CONTEXT_DELETED ? CX_ITEM_DROP_STATES
                                                               : CX_ITEM_FORGET,
                         NULL, key, context);
    return result == CX_PLAN_CHANGE ? cx_plan_change_finish(plan) : result;
}
