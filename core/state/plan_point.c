/* Plans of what makes, changes and drops single recovery points. */

#include <assert.h>
#include <inttypes.h>

#include "core/base/limits.h"
#include "core/state/earlier.h"
#include "core/state/plan_common.h"

static enum cx_plan_result not_found(struct cx_plan *plan, const struct cx_context *context)
{
    (void)cx_point_not_found(context, plan->error);
    return CX_PLAN_FAILED;
}

/* Finds a point by its id; NULL: there is none. One whose time is over must be dropped first; what
 * makes a context anew drops those that are left. */
static enum cx_plan_result find_point(struct cx_plan *plan, const struct cx_name_key *key,
                                      const struct cx_context *context, struct cx_bytes id,
                                      const struct cx_point **ret_point)
{
    const struct cx_point *point =
        context != NULL ? cx_recovery_find_id(context->recovery, id) : NULL;
    bool expired = point != NULL && cx_point_is_expired(point, plan->now_us);

    if (expired && context->life == CX_CONTEXT_LIVE) {
        plan->expired = *key;
        plan->expired_is_session = false;
        return CX_PLAN_NEEDS_EXPIRY;
    }
    *ret_point = expired ? NULL : point;
    return CX_PLAN_CHANGE;
}

/* Attachments as steps. */
static enum cx_plan_result add_puts(struct cx_plan *plan, const struct cx_attachment *attachments,
                                    size_t count, struct cx_point_step *step)
{
    for (size_t i = 0; i < count; i++) {
        if (attachments[i].value.size > plan->value_size_max) {
            (void)cx_error_limit(plan->error, "value_size_max", plan->value_size_max);
            return CX_PLAN_FAILED;
        }
        step->attachments[step->attachment_count++] = (struct cx_op){
            .kind = CX_MUTATION_PUT,
            .key = attachments[i].key,
            .content_type = attachments[i].content_type,
            .value = attachments[i].value,
        };
    }
    return CX_PLAN_CHANGE;
}

/* Gives an item its first step on a point. */
static enum cx_plan_result set_only_point(struct cx_plan *plan, const struct cx_point_step *step,
                                          struct cx_change_item *item)
{
    item->points = cx_arena_alloc(plan->arena, sizeof *item->points);
    if (item->points == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    item->points[0] = *step;
    item->point_count = 1;
    return CX_PLAN_CHANGE;
}

/* ---- Making one. ------------------------------------------------------------ */

/* A point on its way to being made. */
struct making {
    struct cx_plan *plan;
    const struct cx_create_point_request *request;
    const struct cx_name_key *key;
    const struct cx_context *context; /* NULL, or a tombstone: it is made too. */
    const struct cx_point *from;      /* NULL: the head. */
    struct cx_point_step step;
};

static const struct cx_recovery *recovery_of(const struct making *making)
{
    return making->context != NULL ? making->context->recovery : NULL;
}

static enum cx_plan_result check_id(struct making *making)
{
    struct cx_plan *plan = making->plan;
    const struct cx_point *there;
    enum cx_plan_result result =
        find_point(plan, making->key, making->context, making->request->point_id, &there);

    making->step.kind = CX_POINT_MAKE;
    making->step.sequence =
        recovery_of(making) != NULL ? recovery_of(making)->last_sequence + 1 : 1;
    if (result != CX_PLAN_CHANGE || there == NULL) {
        return result;
    }
    if (making->request->replace && there->pinned) {
        (void)cx_error_set(plan->error, CX_REASON_RECOVERY_POINT_PINNED,
                           "the recovery point is pinned, so that it cannot be replaced; take the "
                           "pin off first");
        return CX_PLAN_FAILED;
    }
    if (!making->request->replace) {
        (void)cx_error_set(plan->error, CX_REASON_RECOVERY_POINT_EXISTS,
                           "there is a recovery point of this id, with sequence %" PRIu64,
                           there->sequence);
        cx_error_detail_number(plan->error, "sequence", there->sequence);
        return CX_PLAN_FAILED;
    }
    making->step.kind = CX_POINT_REPLACE;
    making->step.sequence = there->sequence;
    return CX_PLAN_CHANGE;
}

static enum cx_plan_result find_from(struct making *making)
{
    const struct cx_create_point_request *request = making->request;
    enum cx_plan_result result;

    if (request->from_point_id.size == 0) {
        return CX_PLAN_CHANGE;
    }
    if (!cx_context_is_live(making->context)) { /* The points of a tombstone are none of it. */
        return cx_plan_not_found(making->plan, making->context);
    }
    result = find_point(making->plan, making->key, making->context, request->from_point_id,
                        &making->from);
    if (result == CX_PLAN_CHANGE && making->from == NULL) {
        return not_found(making->plan, making->context);
    }
    return result;
}

/* What the point says of itself. */
static enum cx_plan_result set_step(struct making *making)
{
    const struct cx_create_point_request *request = making->request;
    struct cx_plan *plan = making->plan;
    struct cx_point_step *step = &making->step;

    step->origin = CX_ORIGIN_CLIENT;
    step->pinned = request->pinned;
    step->id = request->point_id;
    step->labels = (struct cx_label_list){request->labels, request->label_count};
    step->expire_time_us = request->ttl_us != 0 ? plan->now_us + request->ttl_us : 0;
    step->attachments =
        cx_arena_calloc(plan->arena, (request->attachment_count + 1) * sizeof *step->attachments);
    if (step->attachments == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    return add_puts(plan, request->attachments, request->attachment_count, step);
}

/* Its state lies beside the head: that of another point, or with changes of its own. */
static enum cx_plan_result set_aside(struct making *making, struct cx_label_list head_labels)
{
    const struct cx_create_point_request *request = making->request;
    struct cx_point_step *step = &making->step;
    uint64_t version = cx_context_is_live(making->context) ? making->context->version : 0;

    step->aside = true;
    step->base = making->from != NULL ? (struct cx_base_ref){CX_BASE_POINT, making->from->sequence}
                                      : (struct cx_base_ref){CX_BASE_HEAD, version};
    step->state_labels =
        making->from != NULL ? cx_labels_list(making->from->state.labels) : head_labels;
    step->op_count = request->mutation_count;
    if (cx_plan_copy_ops(making->plan, request->mutations, request->mutation_count, &step->ops) !=
        CX_PLAN_CHANGE) {
        return CX_PLAN_FAILED;
    }
    return cx_plan_set_labels(making->plan, request->mutations, request->mutation_count,
                              &step->state_labels);
}

/* Splits the mutations on top of a point's state: entries go to the base, the rest stays. */
static enum cx_plan_result set_base(struct making *making, struct cx_change_item *item)
{
    const struct cx_create_point_request *request = making->request;
    struct cx_plan *plan = making->plan;
    size_t kept = 0;
    enum cx_plan_result result;

    item->base = (struct cx_base_ref){CX_BASE_POINT, making->from->sequence};
    item->base_id = cx_point_id(making->from);
    item->labels_changed = true;
    item->labels = cx_labels_list(making->from->state.labels);
    item->untold = true;
    result = cx_plan_set_mutations(plan, request->mutations, request->mutation_count,
                                   making->context->tracked, item);
    if (result == CX_PLAN_CHANGE) {
        result =
            cx_plan_copy_ops(plan, request->mutations, request->mutation_count, &item->base_ops);
    }
    for (size_t i = 0; i < item->op_count && result == CX_PLAN_CHANGE; i++) {
        if (item->ops[i].kind <= CX_MUTATION_DELETE_PREFIX) {
            item->base_ops[item->base_op_count++] = item->ops[i];
        } else if (item->ops[i].kind > CX_MUTATION_DELETE_LABEL) {
            item->ops[kept++] = item->ops[i];
        }
    }
    item->op_count = kept;
    return result;
}

/* Makes what the point keeps the head too. Activities alone make no state. */
static enum cx_plan_result set_head(struct making *making, struct cx_change_item *item)
{
    const struct cx_create_point_request *request = making->request;

    for (size_t i = 0; i < request->mutation_count; i++) {
        if (request->mutations[i].kind != CX_MUTATION_RECORD) {
            item->kind = CX_ITEM_UPDATE;
        }
    }
    if (making->from != NULL) {
        item->kind = CX_ITEM_UPDATE;
        return set_base(making, item);
    }
    return cx_plan_set_mutations(making->plan, request->mutations, request->mutation_count,
                                 making->context->tracked, item);
}

static enum cx_plan_result make_existing(struct making *making)
{
    const struct cx_create_point_request *request = making->request;
    const struct cx_context *context = making->context;
    struct cx_plan *plan = making->plan;
    struct cx_change_item item = cx_plan_touch(context);
    bool moves = request->move_head && (request->mutation_count > 0 || making->from != NULL);
    enum cx_plan_result result = cx_plan_change_begin(plan, request->name.namespace_id, 1);

    item.session_id = request->author.session_id;
    if (result == CX_PLAN_CHANGE && moves) {
        result = set_head(making, &item);
    } else if (result == CX_PLAN_CHANGE && (making->from != NULL || request->mutation_count > 0)) {
        result = set_aside(making, cx_labels_list(context->labels));
    }
    if (result == CX_PLAN_CHANGE) {
        result = set_only_point(plan, &making->step, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_set_points(plan, context, &item);
    }
    return result == CX_PLAN_CHANGE ? cx_plan_add_item(plan, making->key, &item) : result;
}

static struct cx_plan_creation creation_of(const struct making *making)
{
    const struct cx_create_point_request *request = making->request;

    return (struct cx_plan_creation){
        .key = making->key,
        .name = request->name,
        .properties = request->create_if_missing,
        .session_id = request->author.session_id,
        .points = &making->step,
        .point_count = 1,
    };
}

static enum cx_plan_result make_missing(struct making *making)
{
    const struct cx_create_point_request *request = making->request;
    struct cx_plan_creation creation = creation_of(making);
    enum cx_plan_result result = CX_PLAN_CHANGE;

    if (request->move_head) {
        creation.mutations = request->mutations;
        creation.mutation_count = request->mutation_count;
    } else if (request->mutation_count > 0) {
        result = set_aside(making, (struct cx_label_list){request->create_if_missing->labels,
                                                          request->create_if_missing->label_count});
    }
    return result == CX_PLAN_CHANGE
               ? cx_plan_create_missing(making->plan, &creation, making->context)
               : result;
}

/* What one that is missing needs to be made. */
static enum cx_plan_result begin_missing(struct making *making)
{
    const struct cx_create_point_request *request = making->request;
    const struct cx_plan_creation creation = creation_of(making);
    enum cx_plan_result result;

    if (request->create_if_missing == NULL) {
        return cx_plan_not_found(making->plan, making->context);
    }
    result = cx_plan_change_begin(making->plan, request->name.namespace_id, 2);
    return result == CX_PLAN_CHANGE ? cx_plan_check_missing(making->plan, &creation) : result;
}

/* What is there, and what is not. */
static enum cx_plan_result check_existence(struct making *making)
{
    enum cx_plan_result result =
        cx_context_is_live(making->context) ? CX_PLAN_CHANGE : begin_missing(making);

    if (result == CX_PLAN_CHANGE) {
        result = find_from(making);
    }
    return result == CX_PLAN_CHANGE ? check_id(making) : result;
}

/* Session, fence and preconditions, in their order. */
static enum cx_plan_result check_point_write(struct making *making)
{
    const struct cx_create_point_request *request = making->request;
    const struct cx_context *live = cx_context_is_live(making->context) ? making->context : NULL;
    enum cx_plan_result result = cx_plan_check_author(making->plan, request->name.namespace_id,
                                                      making->context, &request->author);

    return result == CX_PLAN_CHANGE
               ? cx_plan_check_preconditions(making->plan, live, request->preconditions,
                                             request->precondition_count)
               : result;
}

enum cx_plan_result cx_plan_create_point(struct cx_plan *plan,
                                         const struct cx_create_point_request *request)
{
    struct making making = {
        .plan = plan,
        .request = request,
        .key = cx_plan_key(plan, request->name.namespace_id, request->name.id),
    };
    struct cx_context *context = NULL;
    struct cx_hash128 id = {0};
    uint64_t content_hash = 0;
    enum cx_plan_result result;

    assert(request->point_id.size > 0);
    if (making.key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_need_shard(plan, making.key->shard);
    if (result == CX_PLAN_CHANGE && request->request_id.size > 0) {
        id = cx_request_id_hash(making.key, request->request_id);
        content_hash = cx_create_point_request_hash(request);
        result = cx_plan_check_request(plan, making.key, id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, making.key, &context);
    }
    making.context = context;
    if (result == CX_PLAN_CHANGE) {
        result = check_existence(&making);
    }
    if (result == CX_PLAN_CHANGE) {
        result = check_point_write(&making);
    }
    if (result == CX_PLAN_CHANGE) {
        result = set_step(&making);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_context_is_live(context) ? make_existing(&making) : make_missing(&making);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    cx_plan_mark(plan, id, content_hash, plan->change.item_count - 1);
    return cx_plan_change_finish(plan);
}

/* ---- What lies beside the state. -------------------------------------------- */

/* Finds a context that is there, for a request about one of its points that names itself. */
static enum cx_plan_result look_live(struct cx_plan *plan, const struct cx_context_name *name,
                                     struct cx_bytes request_id, uint64_t content_hash,
                                     const struct cx_name_key **ret_key, struct cx_hash128 *ret_id,
                                     struct cx_context **ret_context)
{
    const struct cx_name_key *key = cx_plan_key(plan, name->namespace_id, name->id);
    enum cx_plan_result result;

    if (key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    *ret_key = key;
    result = cx_plan_need_shard(plan, key->shard);
    if (result == CX_PLAN_CHANGE && request_id.size > 0) {
        *ret_id = cx_request_id_hash(key, request_id);
        result = cx_plan_check_request(plan, key, *ret_id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, key, ret_context);
    }
    if (result == CX_PLAN_CHANGE && !cx_context_is_live(*ret_context)) {
        return cx_plan_not_found(plan, *ret_context);
    }
    return result;
}

static enum cx_plan_result changed_labels(struct cx_plan *plan,
                                          const struct cx_update_point_request *request,
                                          const struct cx_point *point, struct cx_label_list *list)
{
    struct cx_label_list before = cx_labels_list(point->labels);
    struct cx_label *labels;
    size_t count = before.count;

    labels =
        cx_arena_alloc(plan->arena, (before.count + request->set_label_count + 1) * sizeof *labels);
    if (labels == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    for (size_t i = 0; i < before.count; i++) {
        labels[i] = before.items[i];
    }
    for (size_t i = 0; i < request->delete_label_count; i++) {
        cx_label_remove(labels, &count, request->delete_labels[i]);
    }
    for (size_t i = 0; i < request->set_label_count; i++) {
        cx_label_set(labels, &count, request->set_labels[i]);
    }
    if (count > CX_LABELS_MAX) {
        (void)cx_error_limit(plan->error, "labels_max", CX_LABELS_MAX);
        return CX_PLAN_FAILED;
    }
    *list = (struct cx_label_list){labels, count};
    return CX_PLAN_CHANGE;
}

/* Deletes, puts, and those that are only added where there is none. */
static enum cx_plan_result changed_attachments(struct cx_plan *plan,
                                               const struct cx_update_point_request *request,
                                               const struct cx_tree *before,
                                               struct cx_point_step *step)
{
    size_t room = request->delete_attachment_count + request->put_attachment_count +
                  request->add_attachment_count;
    enum cx_plan_result result;

    step->attachments = cx_arena_calloc(plan->arena, (room + 1) * sizeof *step->attachments);
    if (step->attachments == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    for (size_t i = 0; i < request->delete_attachment_count; i++) {
        step->attachments[step->attachment_count++] = (struct cx_op){
            .kind = CX_MUTATION_DELETE,
            .key = request->delete_attachments[i],
        };
    }
    result = add_puts(plan, request->put_attachments, request->put_attachment_count, step);
    for (size_t i = 0; i < request->add_attachment_count && result == CX_PLAN_CHANGE; i++) {
        if (cx_tree_get(&cx_entry_class, before, request->add_attachments[i].key) == NULL) {
            result = add_puts(plan, &request->add_attachments[i], 1, step);
        }
    }
    return result;
}

static enum cx_plan_result change_point(struct cx_plan *plan,
                                        const struct cx_update_point_request *request,
                                        const struct cx_point *point, struct cx_point_step *step)
{
    enum cx_plan_result result = changed_labels(plan, request, point, &step->labels);

    step->kind = CX_POINT_CHANGE;
    step->id = request->point_id;
    step->sequence = point->sequence;
    step->pinned = request->pin == CX_PIN_AS_IT_IS ? point->pinned : request->pin == CX_PIN_ON;
    step->expire_time_us = request->clear_expiry  ? 0
                           : request->ttl_us != 0 ? plan->now_us + request->ttl_us
                                                  : point->expire_time_us;
    return result == CX_PLAN_CHANGE ? changed_attachments(plan, request, &point->attachments, step)
                                    : result;
}

/* Whether the request may be about a point that is still to be made. */
static bool may_be_pending(const struct cx_update_point_request *request)
{
    return request->allow_missing && request->set_label_count == 0 &&
           request->delete_label_count == 0 && request->ttl_us == 0 && !request->clear_expiry &&
           request->pin == CX_PIN_AS_IT_IS;
}

/* Keeps attachments for a point that is still to be made. */
static enum cx_plan_result keep_pending(struct cx_plan *plan,
                                        const struct cx_update_point_request *request,
                                        const struct cx_context *context,
                                        struct cx_point_step *step)
{
    static const struct cx_tree none;
    struct cx_tree_item *there =
        context->recovery != NULL
            ? cx_tree_get(&cx_pending_class, &context->recovery->pending, request->point_id)
            : NULL;
    bool keeps = request->put_attachment_count > 0 || request->add_attachment_count > 0;

    if (keeps && there == NULL && context->recovery != NULL &&
        context->recovery->pending_count >= CX_PENDING_POINTS_MAX) {
        (void)cx_error_limit(plan->error, "pending_points_max", CX_PENDING_POINTS_MAX);
        return CX_PLAN_FAILED;
    }
    step->kind = CX_POINT_PENDING;
    step->id = request->point_id;
    return changed_attachments(plan, request,
                               there != NULL ? &cx_pending_of(there)->attachments : &none, step);
}

enum cx_plan_result cx_plan_update_point(struct cx_plan *plan,
                                         const struct cx_update_point_request *request)
{
    uint64_t content_hash = cx_update_point_request_hash(request);
    struct cx_point_step step = {0};
    const struct cx_name_key *key = NULL;
    struct cx_context *context = NULL;
    struct cx_hash128 id = {0};
    const struct cx_point *point;
    struct cx_change_item item;
    enum cx_plan_result result;

    result =
        look_live(plan, &request->name, request->request_id, content_hash, &key, &id, &context);
    if (result == CX_PLAN_CHANGE) {
        result = find_point(plan, key, context, request->point_id, &point);
    }
    if (result == CX_PLAN_CHANGE && point == NULL && !may_be_pending(request)) {
        return not_found(plan, context);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_check_author(plan, request->name.namespace_id, context, &request->author);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    result = point != NULL ? change_point(plan, request, point, &step)
                           : keep_pending(plan, request, context, &step);
    item = cx_plan_touch(context);
    item.session_id = request->author.session_id;
    if (result == CX_PLAN_CHANGE) {
        result = set_only_point(plan, &step, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_set_points(plan, context, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_change_begin(plan, request->name.namespace_id, 1);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_add_item(plan, key, &item);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    cx_plan_mark(plan, id, content_hash, 0);
    return cx_plan_change_finish(plan);
}

enum cx_plan_result cx_plan_delete_point(struct cx_plan *plan,
                                         const struct cx_delete_point_request *request)
{
    uint64_t content_hash = cx_delete_point_request_hash(request);
    struct cx_point_step step = {.kind = CX_POINT_DROP, .id = request->point_id};
    const struct cx_name_key *key = NULL;
    struct cx_context *context = NULL;
    struct cx_hash128 id = {0};
    const struct cx_point *point;
    struct cx_change_item item;
    enum cx_plan_result result =
        look_live(plan, &request->name, request->request_id, content_hash, &key, &id, &context);

    if (result == CX_PLAN_CHANGE) {
        result = find_point(plan, key, context, request->point_id, &point);
    }
    if (result == CX_PLAN_CHANGE && point == NULL) {
        return not_found(plan, context);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_check_author(plan, request->name.namespace_id, context, &request->author);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    step.sequence = point->sequence;
    item = cx_plan_touch(context);
    item.session_id = request->author.session_id;
    result = set_only_point(plan, &step, &item);
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_change_begin(plan, request->name.namespace_id, 1);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_add_item(plan, key, &item);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    cx_plan_mark(plan, id, content_hash, 0);
    return cx_plan_change_finish(plan);
}
