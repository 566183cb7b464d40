/* Plans of what joins two contexts: forks and merges. */

#include <inttypes.h>

#include "core/base/limits.h"
#include "core/state/earlier.h"
#include "core/state/plan_common.h"

/* Finds the state of another context that a request is about. */
static enum cx_plan_result find_source(struct cx_plan *plan, const struct cx_context_name *name,
                                       const struct cx_state_at *at, struct cx_context **ret_source,
                                       struct cx_source_ref *ret_ref)
{
    const struct cx_name_key *key = cx_plan_key(plan, name->namespace_id, name->id);
    struct cx_context *source;
    enum cx_plan_result result;

    if (key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_look(plan, key, &source);
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!cx_context_is_live(source)) {
        return cx_plan_not_found(plan, source);
    }
    ret_ref->id = name->id;
    if (cx_earlier_find(source, at, plan->now_us, &ret_ref->base, plan->error) != CX_OK) {
        return CX_PLAN_FAILED;
    }
    *ret_source = source;
    return CX_PLAN_CHANGE;
}

/* ---- Forks. ----------------------------------------------------------------- */

/* How the fork begins: as the source, or as the request says. Its labels are set later. */
static struct cx_new_context properties_of(const struct cx_fork_request *request,
                                           const struct cx_context *source)
{
    struct cx_new_context properties = {
        .type = cx_context_type(source),
        .parent_id = cx_context_parent_id(source),
    };

    if (request->properties != NULL) {
        return *request->properties;
    }
    if (source->recovery != NULL) {
        properties.policy = source->recovery->policy;
    }
    return properties;
}

/* Those of the state, and those of the request beside them. */
static enum cx_plan_result set_labels(struct cx_plan *plan, const struct cx_fork_request *request,
                                      struct cx_context *source, const struct cx_base_ref *ref,
                                      struct cx_new_context *properties)
{
    const struct cx_new_context *given = request->properties;
    struct cx_kept_state state;
    struct cx_label *labels;
    size_t count;

    if (cx_earlier_take(source, ref, &state) != CX_OK) {
        return cx_plan_out_of_memory(plan);
    }
    labels = cx_plan_copy_labels(plan, cx_labels_list(state.labels));
    count = cx_labels_list(state.labels).count;
    cx_kept_state_done(&state);
    if (labels == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    for (size_t i = 0; given != NULL && i < given->label_count; i++) {
        cx_label_set(labels, &count, given->labels[i]);
    }
    if (count > CX_LABELS_MAX) {
        (void)cx_error_limit(plan->error, "labels_max", CX_LABELS_MAX);
        return CX_PLAN_FAILED;
    }
    properties->labels = labels;
    properties->label_count = count;
    return CX_PLAN_CHANGE;
}

static enum cx_plan_result fork_found(struct cx_plan *plan, const struct cx_fork_request *request,
                                      const struct cx_name_key *key,
                                      const struct cx_context *tombstone)
{
    struct cx_new_context properties;
    struct cx_plan_creation creation = {
        .key = key,
        .name = {request->source.namespace_id, request->id},
        .properties = &properties,
        .session_id = request->author.session_id,
        .with_history = request->with_history,
        .with_points = request->with_points,
    };
    struct cx_context *source = NULL;
    enum cx_plan_result result =
        find_source(plan, &request->source, &request->at, &source, &creation.source);

    if (result == CX_PLAN_CHANGE) {
        properties = properties_of(request, source);
        result = cx_plan_change_begin(plan, request->source.namespace_id, 2);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_check_missing(plan, &creation);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_check_author(plan, request->source.namespace_id, NULL, &request->author);
    }
    if (result == CX_PLAN_CHANGE) {
        result = set_labels(plan, request, source, &creation.source.base, &properties);
    }
    return result == CX_PLAN_CHANGE ? cx_plan_create_missing(plan, &creation, tombstone) : result;
}

enum cx_plan_result cx_plan_fork(struct cx_plan *plan, const struct cx_fork_request *request)
{
    const struct cx_name_key *key = cx_plan_key(plan, request->source.namespace_id, request->id);
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
        content_hash = cx_fork_request_hash(request);
        result = cx_plan_check_request(plan, key, id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, key, &context);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (cx_context_is_live(context)) {
        (void)cx_error_set(plan->error, CX_REASON_CONTEXT_EXISTS,
                           "the context exists already, with version %" PRIu64, context->version);
        cx_error_detail_number(plan->error, "version", context->version);
        return CX_PLAN_FAILED;
    }
    result = fork_found(plan, request, key, context);
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    cx_plan_mark(plan, id, content_hash, plan->change.item_count - 1);
    return cx_plan_change_finish(plan);
}

/* ---- Merges. ---------------------------------------------------------------- */

/* The labels that the steps come to. */
static enum cx_plan_result set_merged_labels(struct cx_plan *plan,
                                             const struct cx_prepared *prepared,
                                             struct cx_change_item *item)
{
    struct cx_label *labels =
        cx_arena_alloc(plan->arena, (item->labels.count + prepared->op_count + 1) * sizeof *labels);
    size_t count = item->labels.count;

    if (labels == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    for (size_t i = 0; i < count; i++) {
        labels[i] = item->labels.items[i];
    }
    for (size_t i = 0; i < prepared->op_count; i++) {
        const struct cx_op *op = &prepared->ops[i];

        if (op->kind == CX_MUTATION_SET_LABEL) {
            cx_label_set(labels, &count, (struct cx_label){op->key, op->value});
            item->labels_changed = true;
        } else if (op->kind == CX_MUTATION_DELETE_LABEL) {
            cx_label_remove(labels, &count, op->key);
            item->labels_changed = true;
        }
    }
    if (count > CX_LABELS_MAX) {
        (void)cx_error_limit(plan->error, "labels_max", CX_LABELS_MAX);
        return CX_PLAN_FAILED;
    }
    item->labels = (struct cx_label_list){labels, count};
    return CX_PLAN_CHANGE;
}

static enum cx_plan_result merge_found(struct cx_plan *plan, const struct cx_merge_request *request,
                                       const struct cx_name_key *key,
                                       const struct cx_context *target,
                                       const struct cx_source_ref *source,
                                       const struct cx_prepared *prepared)
{
    struct cx_change_item item = cx_plan_touch(target);
    enum cx_plan_result result;

    item.kind = CX_ITEM_UPDATE;
    item.session_id = request->author.session_id;
    if (!cx_bytes_equal(source->id, item.id)) { /* Of another one: remembered. */
        item.merged = *source;
    }
    item.ops = prepared->ops;
    item.op_count = prepared->op_count;
    result = set_merged_labels(plan, prepared, &item);
    if (result == CX_PLAN_CHANGE && request->safety_point) {
        result = cx_plan_add_own_point(plan, target, CX_ORIGIN_SAFETY, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_set_points(plan, target, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_change_begin(plan, request->target.namespace_id, 1);
    }
    return result == CX_PLAN_CHANGE ? cx_plan_add_item(plan, key, &item) : result;
}

enum cx_plan_result cx_plan_merge(struct cx_plan *plan, const struct cx_merge_request *request,
                                  struct cx_prepared *prepared)
{
    const struct cx_name_key *key =
        cx_plan_key(plan, request->target.namespace_id, request->target.id);
    struct cx_source_ref source = {0};
    struct cx_context *context;
    struct cx_context *from;
    struct cx_hash128 id = {0};
    uint64_t content_hash = 0;
    enum cx_plan_result result;

    prepared->moved = false;
    if (key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_need_shard(plan, key->shard);
    if (result == CX_PLAN_CHANGE && request->request_id.size > 0 && !request->dry_run) {
        id = cx_request_id_hash(key, request->request_id);
        content_hash = cx_merge_request_hash(request);
        result = cx_plan_check_request(plan, key, id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, key, &context);
    }
    if (result == CX_PLAN_CHANGE && !cx_context_is_live(context)) {
        return cx_plan_not_found(plan, context);
    }
    if (result == CX_PLAN_CHANGE) {
        result = find_source(plan, &request->source, &request->source_at, &from, &source);
    }
    if (result == CX_PLAN_CHANGE) {
        result =
            cx_plan_check_author(plan, request->target.namespace_id, context, &request->author);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_check_preconditions(plan, context, request->preconditions,
                                             request->precondition_count);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if (!prepared->is_set || prepared->target_version != context->version ||
        prepared->ref.kind != source.base.kind || prepared->ref.number != source.base.number ||
        prepared->state_version != cx_earlier_version(from, &source.base)) {
        prepared->moved = true;
        prepared->ref = source.base;
        prepared->state_version = cx_earlier_version(from, &source.base);
        return CX_PLAN_NOTHING;
    }
    if ((prepared->op_count == 0 && !prepared->decided) || request->dry_run) {
        return CX_PLAN_NOTHING;
    }
    result = merge_found(plan, request, key, context, &source, prepared);
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    cx_plan_mark(plan, id, content_hash, 0);
    return cx_plan_change_finish(plan);
}
