/* Plans of which recovery points are made by themselves, and which are not kept any more. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/state/plan_common.h"
#include "core/state/retention.h"

/* ---- What is dropped. ------------------------------------------------------- */

/* The steps on points of an item, with room for more. */
struct steps {
    struct cx_plan *plan;
    struct cx_point_step *items;
    size_t count;
    size_t room;
};

static struct cx_point_step *steps_add(struct steps *steps)
{
    struct cx_point_step *items;

    if (steps->count == steps->room) {
        size_t room = steps->room > 0 ? 2 * steps->room : 4;

        items = cx_arena_calloc(steps->plan->arena, room * sizeof *items);
        if (items == NULL) {
            return NULL;
        }
        for (size_t i = 0; i < steps->count; i++) {
            items[i] = steps->items[i];
        }
        steps->items = items;
        steps->room = room;
    }
    return &steps->items[steps->count++];
}

/* What a step that drops a point takes in the log, at most and apart from its id; and how many
 * quarters of a change those have that come with something else, and those of a prune. */
enum { DROP_WEIGHT = 24, RIDING_PART = 1, PRUNE_PART = 3 };

/* Whether the change may drop one more: what stays now goes with a later one. */
static bool has_room(const struct cx_plan *plan, unsigned part)
{
    return plan->dropped_count < CX_CHANGE_ITEMS_MAX &&
           plan->dropped_weight < plan->change_size_max / 4 * part;
}

static bool add_drop(struct steps *steps, const struct cx_point *point, bool expired)
{
    struct cx_point_step *step = steps_add(steps);

    if (step == NULL) {
        return false;
    }
    *step = (struct cx_point_step){
        .kind = CX_POINT_DROP,
        .expired = expired,
        .id = cx_point_id(point),
        .sequence = point->sequence,
    };
    steps->plan->dropped_count++;
    steps->plan->dropped_weight += DROP_WEIGHT + step->id.size;
    return true;
}

/* How many points the item makes. */
static uint64_t count_made(const struct cx_change_item *item)
{
    uint64_t count = 0;

    for (size_t i = 0; i < item->point_count; i++) {
        count += item->points[i].kind == CX_POINT_MAKE;
    }
    return count;
}

/* Whether the item does something else to the point: the timer drops it right after. */
static bool is_busy(const struct cx_change_item *item, const struct cx_point *point)
{
    for (size_t i = 0; i < item->point_count; i++) {
        if (item->points[i].sequence == point->sequence) {
            return true;
        }
    }
    return item->base.kind == CX_BASE_POINT && item->base.number == point->sequence;
}

/* Whether the item makes another point of this id. */
static bool is_made_again(const struct cx_change_item *item, const struct cx_point *point)
{
    for (size_t i = 0; i < item->point_count; i++) {
        if (item->points[i].kind == CX_POINT_MAKE &&
            cx_bytes_equal(item->points[i].id, cx_point_id(point))) {
            return true;
        }
    }
    return false;
}

/* Those of a deleted context whose ids others take: their time is over. There is always room. */
static bool add_replaced(struct steps *steps, const struct cx_recovery *recovery,
                         const struct cx_change_item *item)
{
    for (size_t i = 0; i < item->point_count; i++) {
        const struct cx_point *point = item->points[i].kind == CX_POINT_MAKE
                                           ? cx_recovery_find_id(recovery, item->points[i].id)
                                           : NULL;

        if (point != NULL && !add_drop(steps, point, true)) {
            return false;
        }
    }
    return true;
}

/* Those whose own time is over. */
static bool add_expired(struct steps *steps, const struct cx_recovery *recovery,
                        const struct cx_change_item *item)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *row =
        cx_tree_seek(&cx_point_row_class, &recovery->expiring, (struct cx_bytes){0}, &cursor);

    for (; row != NULL && has_room(steps->plan, RIDING_PART); row = cx_tree_next(&cursor)) {
        const struct cx_point *point =
            cx_recovery_find(recovery, ((struct cx_point_row *)row)->sequence);

        if (!cx_point_is_expired(point, steps->plan->now_us)) {
            break;
        }
        if (!is_busy(item, point) && !is_made_again(item, point) && !add_drop(steps, point, true)) {
            return false;
        }
    }
    return true;
}

static int compare_steps(const void *a, const void *b)
{
    uint64_t first = ((const struct cx_point_step *)a)->sequence;
    uint64_t second = ((const struct cx_point_step *)b)->sequence;

    return (first > second) - (first < second);
}

static enum cx_plan_result add_drops(struct cx_plan *plan, struct cx_recovery *recovery,
                                     const struct cx_recovery_policy *policy,
                                     struct cx_change_item *item)
{
    struct cx_keeping keeping;
    struct cx_keep_walk walk;
    struct steps steps = {plan, item->points, item->point_count, item->point_count};
    const struct cx_point *point;
    size_t made = steps.count;

    if (!add_replaced(&steps, recovery, item) || !add_expired(&steps, recovery, item)) {
        return cx_plan_out_of_memory(plan);
    }
    cx_keeping_init(&keeping, policy, plan->recovery_points_max, plan->now_us);
    keeping.other = policy != &recovery->policy;
    cx_keep_walk_begin(&walk, recovery, &keeping, count_made(item));
    if (policy != &recovery->policy) {
        cx_keep_walk_from_oldest(&walk);
    }
    while (has_room(plan, RIDING_PART) && (point = cx_keep_walk_next(&walk)) != NULL) {
        if (!is_busy(item, point) && !cx_point_is_expired(point, plan->now_us) &&
            !add_drop(&steps, point, false)) {
            return cx_plan_out_of_memory(plan);
        }
    }
    if (steps.count > made) {
        qsort(steps.items + made, steps.count - made, sizeof *steps.items, compare_steps);
    }
    item->points = steps.items;
    item->point_count = steps.count;
    return CX_PLAN_CHANGE;
}

/* ---- What is made. ---------------------------------------------------------- */

/* Whether a point of the context, or one that the item makes, is called so. */
static bool is_taken(const struct cx_context *context, const struct cx_change_item *item,
                     struct cx_bytes id)
{
    for (size_t i = 0; i < item->point_count; i++) {
        if (cx_bytes_equal(item->points[i].id, id)) {
            return true;
        }
    }
    return context != NULL && cx_recovery_find_id(context->recovery, id) != NULL;
}

/* The id of a point that nobody named, in the arena. */
static enum cx_plan_result make_id(struct cx_plan *plan, const struct cx_context *context,
                                   const struct cx_change_item *item, uint64_t sequence,
                                   struct cx_bytes *ret_id)
{
    enum { ID_SIZE = 32 };
    struct cx_bytes name = context != NULL ? cx_context_id(context) : plan->change.namespace_id;
    uint64_t seed = sequence;
    char *id = cx_arena_alloc(plan->arena, ID_SIZE + 1);

    if (id == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    do { /* Somebody may have called one of his own so. */
        struct cx_hash128 hash = cx_hash128(name, seed);

        snprintf(id, ID_SIZE + 1, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
        *ret_id = (struct cx_bytes){(const uint8_t *)id, ID_SIZE};
        seed += UINT64_C(0x9e3779b97f4a7c15);
    } while (is_taken(context, item, *ret_id));
    return CX_PLAN_CHANGE;
}

static enum cx_plan_result add_made(struct cx_plan *plan, const struct cx_context *context,
                                    const struct cx_point_step *made, struct cx_change_item *item)
{
    const struct cx_recovery *recovery = context != NULL ? context->recovery : NULL;
    struct steps steps = {plan, item->points, item->point_count, item->point_count};
    struct cx_point_step *step = steps_add(&steps);
    enum cx_plan_result result;

    if (step == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    *step = *made;
    step->kind = CX_POINT_MAKE;
    step->sequence = (recovery != NULL ? recovery->last_sequence : 0) + count_made(item) + 1;
    item->points = steps.items;
    result = make_id(plan, context, item, step->sequence, &step->id);
    item->point_count = steps.count;
    return result;
}

enum cx_plan_result cx_plan_add_own_point(struct cx_plan *plan, const struct cx_context *context,
                                          enum cx_point_origin origin, struct cx_change_item *item)
{
    bool before = item->kind != CX_ITEM_TOUCH; /* The item makes another state. */
    const struct cx_point_step step = {
        .origin = (uint8_t)origin,
        .aside = before,
        .base = {before ? CX_BASE_HEAD : CX_BASE_NONE, before ? context->version : 0},
    };

    return add_made(plan, context, &step, item);
}

/* Whether the policy wants a point of what the item makes. */
static bool wants_point(const struct cx_plan *plan, const struct cx_context *context,
                        const struct cx_recovery_policy *policy, const struct cx_change_item *item)
{
    bool goes_on = item->kind != CX_ITEM_CREATE && context != NULL;
    const struct cx_recovery *recovery = goes_on ? context->recovery : NULL;
    uint64_t changes = (goes_on ? context->change_count : 0) + 1;
    int64_t since_us = goes_on ? cx_recovery_point_since(context) : plan->now_us;

    if ((item->kind != CX_ITEM_CREATE && item->kind != CX_ITEM_UPDATE) ||
        (recovery != NULL && recovery->point_count >= CX_POINTS_MAX)) {
        return false; /* A change is not refused for that. */
    }
    for (size_t i = 0; i < item->point_count; i++) {
        if (item->points[i].kind != CX_POINT_DROP && !item->points[i].aside) {
            return false; /* There is one of it. */
        }
    }
    return (policy->point_every_changes != 0 && changes >= policy->point_every_changes) ||
           (policy->point_every_us != 0 && plan->now_us - since_us >= policy->point_every_us);
}

/* The policy after the item. */
static const struct cx_recovery_policy *policy_after(const struct cx_context *context,
                                                     const struct cx_change_item *item)
{
    static const struct cx_recovery_policy none;
    const struct cx_recovery_policy *policy = &none;

    if (item->kind == CX_ITEM_CREATE) {
        policy = &item->head.policy;
    } else if (context != NULL && context->recovery != NULL) {
        policy = &context->recovery->policy;
    }
    for (size_t i = 0; i < item->op_count; i++) {
        policy = item->ops[i].kind == CX_MUTATION_SET_POLICY ? item->ops[i].policy : policy;
    }
    return policy;
}

/* Whether there is room for what the item makes, once it has dropped what it drops. */
static enum cx_plan_result check_count(struct cx_plan *plan, const struct cx_recovery *recovery,
                                       const struct cx_change_item *item)
{
    uint64_t made = count_made(item);
    uint64_t dropped = 0;

    for (size_t i = 0; i < item->point_count; i++) {
        dropped += item->points[i].kind == CX_POINT_DROP;
    }
    if (made == 0 || recovery->point_count + made - dropped <= CX_POINTS_MAX) {
        return CX_PLAN_CHANGE;
    }
    (void)cx_error_limit(plan->error, "points_max", CX_POINTS_MAX);
    return CX_PLAN_FAILED;
}

enum cx_plan_result cx_plan_set_points(struct cx_plan *plan, const struct cx_context *context,
                                       struct cx_change_item *item)
{
    const struct cx_recovery_policy *policy = policy_after(context, item);
    struct cx_recovery *recovery = context != NULL && !item->with_points ? context->recovery : NULL;
    enum cx_plan_result result = CX_PLAN_CHANGE;

    if (policy->is_set && item->source.id.size == 0 && wants_point(plan, context, policy, item)) {
        const struct cx_point_step step = {.origin = CX_ORIGIN_POLICY};

        result = add_made(plan, context, &step, item);
    }
    if (result != CX_PLAN_CHANGE || recovery == NULL || recovery->point_count == 0) {
        return result;
    }
    result = add_drops(plan, recovery, policy, item);
    return result == CX_PLAN_CHANGE ? check_count(plan, recovery, item) : result;
}

/* ---- By the timer. ---------------------------------------------------------- */

enum cx_plan_result cx_plan_recovery_due(struct cx_plan *plan, const struct cx_name_key *key,
                                         const struct cx_context *context)
{
    const struct cx_recovery_policy *policy = &context->recovery->policy;
    struct cx_change_item item = cx_plan_touch(context);
    enum cx_plan_result result = CX_PLAN_CHANGE;

    item.by_timer = true;
    if (policy->point_every_us != 0 && context->change_count > 0 &&
        context->recovery->point_count < CX_POINTS_MAX &&
        cx_recovery_point_since(context) + policy->point_every_us <= plan->now_us) {
        result = cx_plan_add_own_point(plan, context, CX_ORIGIN_POLICY, &item);
    }
    if (result == CX_PLAN_CHANGE && context->recovery->point_count > 0) {
        result = add_drops(plan, context->recovery, policy, &item);
    }
    if (result == CX_PLAN_CHANGE && item.point_count == 0) {
        return CX_PLAN_NOTHING;
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_change_begin(plan, cx_context_namespace(context), 1);
    }
    return result == CX_PLAN_CHANGE ? cx_plan_add_item(plan, key, &item) : result;
}

/* ---- Prunes. ---------------------------------------------------------------- */

/* Whether the request says that a point is to go. */
static bool is_pruned(const struct cx_prune_request *request, const struct cx_keeping *keeping,
                      const struct cx_point *point)
{
    const struct cx_label_list wanted = {request->labels, request->label_count};

    if (point->pinned) {
        return false;
    }
    return (wanted.count > 0 && cx_labels_include(cx_labels_list(point->labels), wanted)) ||
           (cx_retention_is_set(&request->policy) && !cx_keeping_keeps(keeping, point));
}

static enum cx_plan_result find_pruned(struct cx_plan *plan, const struct cx_prune_request *request,
                                       struct cx_recovery *recovery, struct cx_change_item *item)
{
    const struct cx_recovery_policy policy = {.is_set = true, .retention = request->policy};
    struct steps steps = {.plan = plan};
    struct cx_keeping keeping;
    struct cx_tree_cursor cursor;
    struct cx_tree_item *each =
        cx_tree_seek(&cx_point_class, &recovery->points, (struct cx_bytes){0}, &cursor);

    cx_keeping_init(&keeping, &policy, plan->recovery_points_max, plan->now_us);
    cx_keeping_set_window(&keeping, recovery, 0);
    for (; each != NULL; each = cx_tree_next(&cursor)) {
        const struct cx_point *point = cx_point_of(each);

        if (!is_pruned(request, &keeping, point)) {
            plan->kept++;
        } else if (!has_room(plan, PRUNE_PART) && !request->dry_run) {
            plan->more = true;
            break;
        } else if (plan->count++, !request->dry_run && !add_drop(&steps, point, false)) {
            return cx_plan_out_of_memory(plan);
        }
    }
    item->points = steps.items;
    item->point_count = steps.count;
    return CX_PLAN_CHANGE;
}

enum cx_plan_result cx_plan_prune(struct cx_plan *plan, const struct cx_prune_request *request,
                                  const struct cx_name_key *key)
{
    bool named = request->context_id.size > 0;
    struct cx_context *context;
    struct cx_hash128 id = {0};
    uint64_t content_hash = 0;
    struct cx_change_item item;
    enum cx_plan_result result = cx_plan_need_shard(plan, key->shard);

    if (result == CX_PLAN_CHANGE && named && request->request_id.size > 0 && !request->dry_run) {
        id = cx_request_id_hash(key, request->request_id);
        content_hash = cx_prune_request_hash(request);
        result = cx_plan_check_request(plan, key, id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, key, &context);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!cx_context_is_live(context)) {
        return named ? cx_plan_not_found(plan, context) : CX_PLAN_NOTHING;
    }
    if (!request->dry_run) {
        result = cx_plan_check_author(plan, request->namespace_id, context, &request->author);
    }
    item = cx_plan_touch(context);
    item.session_id = request->author.session_id;
    if (result == CX_PLAN_CHANGE && context->recovery != NULL) {
        result = find_pruned(plan, request, context->recovery, &item);
    }
    if (result == CX_PLAN_CHANGE && item.point_count == 0) {
        return CX_PLAN_NOTHING;
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_change_begin(plan, request->namespace_id, 1);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_add_item(plan, key, &item);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!plan->more) {
        cx_plan_mark(plan, id, content_hash, 0);
    }
    return cx_plan_change_finish(plan);
}
