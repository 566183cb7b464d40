/* Plans of what makes or changes contexts: create, update, several updates at once. */

#include <assert.h>
#include <inttypes.h>

#include "core/base/limits.h"
#include "core/state/plan_common.h"

/* ---- Steps. ----------------------------------------------------------------- */

static bool is_label_mutation(const struct cx_mutation *mutation)
{
    return mutation->kind == CX_MUTATION_SET_LABEL || mutation->kind == CX_MUTATION_DELETE_LABEL;
}

enum cx_plan_result cx_plan_copy_ops(struct cx_plan *plan, const struct cx_mutation *mutations,
                                     size_t count, struct cx_op **ret_ops)
{
    struct cx_op *ops = cx_arena_alloc(plan->arena, (count + 1) * sizeof *ops);

    if (ops == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    for (size_t i = 0; i < count; i++) {
        const struct cx_mutation *mutation = &mutations[i];

        ops[i] = (struct cx_op){
            .kind = mutation->kind,
            .sliding = mutation->sliding,
            .key = mutation->key,
            .content_type = mutation->content_type,
            .value = mutation->value,
            .ttl_us = mutation->ttl_us,
            .has_expected_size = mutation->has_expected_size,
            .expected_size = mutation->expected_size,
            .activity = mutation->activity,
            .policy = mutation->policy,
        };
    }
    *ret_ops = ops;
    return CX_PLAN_CHANGE;
}

enum cx_plan_result cx_plan_set_labels(struct cx_plan *plan, const struct cx_mutation *mutations,
                                       size_t count, struct cx_label_list *list)
{
    struct cx_label *labels = cx_arena_alloc(plan->arena, (CX_LABELS_MAX + 1) * sizeof *labels);
    size_t label_count = list->count;

    if (labels == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    assert(label_count <= CX_LABELS_MAX);
    for (size_t i = 0; i < label_count; i++) {
        labels[i] = list->items[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (mutations[i].kind == CX_MUTATION_SET_LABEL) {
            cx_label_set(labels, &label_count,
                         (struct cx_label){mutations[i].key, mutations[i].value});
        } else if (mutations[i].kind == CX_MUTATION_DELETE_LABEL) {
            cx_label_remove(labels, &label_count, mutations[i].key);
        }
        if (label_count > CX_LABELS_MAX) {
            (void)cx_error_limit(plan->error, "labels_max", CX_LABELS_MAX);
            return CX_PLAN_FAILED;
        }
    }
    *list = (struct cx_label_list){labels, label_count};
    return CX_PLAN_CHANGE;
}

enum cx_plan_result cx_plan_set_mutations(struct cx_plan *plan, const struct cx_mutation *mutations,
                                          size_t count, const struct cx_tracked *before,
                                          struct cx_change_item *item)
{
    enum cx_plan_result result = CX_PLAN_CHANGE;
    bool labels = false;

    for (size_t i = 0; i < count; i++) {
        labels |= is_label_mutation(&mutations[i]);
    }
    if (labels) {
        result = cx_plan_set_labels(plan, mutations, count, &item->labels);
        item->labels_changed = true;
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_copy_ops(plan, mutations, count, &item->ops);
        item->op_count = count;
    }
    return result == CX_PLAN_CHANGE
               ? cx_plan_set_history(plan, plan->change.namespace_id, before, item)
               : result;
}

/* ---- A new context. --------------------------------------------------------- */

/* Several updates that become one change, or a single one. */
struct batch {
    const struct cx_update_request *requests;
    size_t count;
    const struct cx_name_key **keys;
    bool *begun;
    size_t *items; /* What each has become. */
    size_t index;  /* The one that is looked at. */
};

/* How a context is to begin. */
struct creation {
    struct batch *batch; /* That it is a part of. NULL: none. */
    const struct cx_name_key *key;
    struct cx_context_name name;
    const struct cx_new_context *properties;
    const struct cx_mutation *mutations;
    size_t mutation_count;
    struct cx_bytes session_id;         /* Who creates it. */
    const struct cx_context *tombstone; /* What is left of one of that name. NULL: nothing. */
    const struct cx_activation_step *activations;
    size_t activation_count;
    const struct cx_plan_creation *missing; /* What else there is of one. NULL: nothing. */
    const struct cx_name_key *parent_key;   /* Of one to be created. NULL: none. */
    const struct cx_context *parent;        /* One that is there. NULL: none. */
};

static enum cx_plan_result batch_plan_named(struct cx_plan *plan, struct batch *batch,
                                            struct cx_bytes id);

static enum cx_plan_result parent_not_found(struct cx_plan *plan, struct cx_bytes parent_id)
{
    (void)cx_error_set(plan->error, CX_REASON_PARENT_NOT_FOUND,
                       "the parent does not exist; create it first, or set create_parent");
    cx_error_detail(plan->error, "parent_id", parent_id);
    return CX_PLAN_FAILED;
}

/* Finds the parent, also among those that the change creates: a part of the batch that
 * names it goes first. *ret_parent is NULL when there is none. */
static enum cx_plan_result find_parent(struct cx_plan *plan, const struct creation *creation,
                                       const struct cx_name_key *key,
                                       struct cx_context **ret_parent)
{
    struct cx_context *found;
    enum cx_plan_result result = cx_plan_look(plan, key, &found);

    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    found = cx_stage_find(&plan->stage, key);
    if (found == NULL && creation->batch != NULL) {
        result = batch_plan_named(plan, creation->batch, creation->properties->parent_id);
        if (result != CX_PLAN_CHANGE) {
            return result;
        }
        found = cx_stage_find(&plan->stage, key);
    }
    *ret_parent = found;
    return CX_PLAN_CHANGE;
}

/* Makes sure of the parent: sets creation->parent, or creation->parent_key where it is
 * to be created. */
static enum cx_plan_result check_parent(struct cx_plan *plan, struct creation *creation)
{
    const struct cx_new_context *properties = creation->properties;
    const struct cx_name_key *key;
    struct cx_context *parent;
    enum cx_plan_result result;

    if (properties->parent_id.size == 0) {
        return CX_PLAN_CHANGE;
    }
    if (cx_bytes_equal(properties->parent_id, creation->name.id)) {
        return parent_not_found(plan, properties->parent_id);
    }
    key = cx_plan_key(plan, creation->name.namespace_id, properties->parent_id);
    if (key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = find_parent(plan, creation, key, &parent);
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    if ((parent == NULL && !properties->create_parent) ||
        cx_stage_find(&plan->stage, creation->key) != NULL) { /* It is its parent's parent. */
        return parent_not_found(plan, properties->parent_id);
    }
    creation->parent = parent;
    creation->parent_key = parent == NULL ? key : NULL;
    return CX_PLAN_CHANGE;
}

static enum cx_plan_result check_depth(struct cx_plan *plan, const struct creation *creation)
{
    if (creation->parent == NULL || creation->parent->depth < CX_CONTEXT_DEPTH_MAX) {
        return CX_PLAN_CHANGE;
    }
    (void)cx_error_limit(plan->error, "context_depth_max", CX_CONTEXT_DEPTH_MAX);
    return CX_PLAN_FAILED;
}

static enum cx_plan_result add_parent(struct cx_plan *plan, const struct creation *creation)
{
    const struct cx_change_item item = {
        .kind = CX_ITEM_CREATE,
        .labels_changed = true,
        .id = creation->properties->parent_id,
    };

    return creation->parent_key != NULL ? cx_plan_add_item(plan, creation->parent_key, &item)
                                        : CX_PLAN_CHANGE;
}

/* What one that is made is forked from, and its own points. */
static enum cx_plan_result set_source(struct cx_plan *plan, const struct cx_plan_creation *missing,
                                      struct cx_change_item *item)
{
    item->source = missing->source;
    item->with_history = missing->with_history;
    item->with_points = missing->with_points;
    item->points = cx_arena_alloc(plan->arena, (missing->point_count + 1) * sizeof *item->points);
    if (item->points == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    for (size_t i = 0; i < missing->point_count; i++) {
        item->points[item->point_count++] = missing->points[i];
    }
    return CX_PLAN_CHANGE;
}

/* Adds the creation, behind that of the parent where there is one to make. */
static enum cx_plan_result add_creation(struct cx_plan *plan, const struct creation *creation)
{
    const struct cx_new_context *properties = creation->properties;
    struct cx_change_item item = {
        .kind = CX_ITEM_CREATE,
        .labels_changed = true,
        .sliding = properties->sliding,
        .id = creation->name.id,
        .type = properties->type,
        .head.parent_id = properties->parent_id,
        .labels = {properties->labels, properties->label_count},
        .ttl_us = properties->ttl_us,
        .session_id = creation->session_id,
        .activations = creation->activations,
        .activation_count = creation->activation_count,
        .head.policy = properties->policy,
    };
    const struct cx_tracked *before =
        creation->tombstone != NULL ? creation->tombstone->tracked : NULL;
    enum cx_plan_result result = check_depth(plan, creation);

    if (result == CX_PLAN_CHANGE) {
        result = add_parent(plan, creation);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_set_mutations(plan, creation->mutations, creation->mutation_count, before,
                                       &item);
    }
    if (result == CX_PLAN_CHANGE && creation->missing != NULL) {
        result = set_source(plan, creation->missing, &item);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_set_points(plan, creation->tombstone, &item);
    }
    return result == CX_PLAN_CHANGE ? cx_plan_add_item(plan, creation->key, &item) : result;
}

static struct creation creation_of(const struct cx_plan_creation *missing,
                                   const struct cx_context *tombstone)
{
    return (struct creation){
        .key = missing->key,
        .name = missing->name,
        .properties = missing->properties,
        .session_id = missing->session_id,
        .tombstone = tombstone,
        .activations = missing->activations,
        .activation_count = missing->activation_count,
        .mutations = missing->mutations,
        .mutation_count = missing->mutation_count,
        .missing = missing,
    };
}

enum cx_plan_result cx_plan_check_missing(struct cx_plan *plan,
                                          const struct cx_plan_creation *missing)
{
    struct creation creation = creation_of(missing, NULL);

    return check_parent(plan, &creation);
}

enum cx_plan_result cx_plan_create_missing(struct cx_plan *plan,
                                           const struct cx_plan_creation *missing,
                                           const struct cx_context *tombstone)
{
    struct creation creation = creation_of(missing, tombstone);
    enum cx_plan_result result = check_parent(plan, &creation);

    return result == CX_PLAN_CHANGE ? add_creation(plan, &creation) : result;
}

enum cx_plan_result cx_plan_create(struct cx_plan *plan, const struct cx_create_request *request)
{
    struct creation creation = {
        .key = cx_plan_key(plan, request->name.namespace_id, request->name.id),
        .name = request->name,
        .properties = &request->properties,
        .mutations = request->mutations,
        .mutation_count = request->mutation_count,
        .session_id = request->author.session_id,
    };
    struct cx_hash128 id = {0};
    uint64_t content_hash = 0;
    struct cx_context *context;
    enum cx_plan_result result;

    assert(request->author.fence == 0);
    if (creation.key == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    result = cx_plan_need_shard(plan, creation.key->shard);
    if (result == CX_PLAN_CHANGE && request->request_id.size > 0) {
        id = cx_request_id_hash(creation.key, request->request_id);
        content_hash = cx_create_request_hash(request);
        result = cx_plan_check_request(plan, creation.key, id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_look(plan, creation.key, &context);
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
    creation.tombstone = context;
    result = cx_plan_change_begin(plan, request->name.namespace_id, 2);
    if (result == CX_PLAN_CHANGE) {
        result = check_parent(plan, &creation);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_check_author(plan, request->name.namespace_id, NULL, &request->author);
    }
    if (result == CX_PLAN_CHANGE) {
        result = add_creation(plan, &creation);
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    cx_plan_mark(plan, id, content_hash, plan->change.item_count - 1);
    return cx_plan_change_finish(plan);
}

/* ---- Updates. --------------------------------------------------------------- */

/* Whether an update leaves the state of its context as it is. */
static bool is_touch(const struct cx_update_request *request)
{
    for (size_t i = 0; i < request->mutation_count; i++) {
        if (request->mutations[i].kind != CX_MUTATION_RECORD) {
            return false;
        }
    }
    return true;
}

static enum cx_plan_result update_existing(struct cx_plan *plan,
                                           const struct cx_update_request *request,
                                           const struct cx_name_key *key,
                                           const struct cx_context *context)
{
    struct cx_change_item item = cx_plan_touch(context);
    enum cx_plan_result result =
        cx_plan_check_author(plan, request->name.namespace_id, context, &request->author);

    item.kind = is_touch(request) ? CX_ITEM_TOUCH : CX_ITEM_UPDATE;
    item.session_id = request->author.session_id;
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_check_preconditions(plan, context, request->preconditions,
                                             request->precondition_count);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_set_mutations(plan, request->mutations, request->mutation_count,
                                       context->tracked, &item);
    }
    if (result == CX_PLAN_CHANGE && item.kind == CX_ITEM_UPDATE) {
        result = cx_plan_set_points(plan, context, &item);
    }
    return result == CX_PLAN_CHANGE ? cx_plan_add_item(plan, key, &item) : result;
}

static enum cx_plan_result update_missing(struct cx_plan *plan, struct batch *batch,
                                          const struct cx_update_request *request,
                                          const struct cx_name_key *key,
                                          const struct cx_context *tombstone)
{
    struct creation creation = {
        .batch = batch,
        .key = key,
        .name = request->name,
        .properties = request->create_if_missing,
        .mutations = request->mutations,
        .mutation_count = request->mutation_count,
        .session_id = request->author.session_id,
        .tombstone = tombstone,
    };
    enum cx_plan_result result;

    if (request->create_if_missing == NULL) {
        return cx_plan_not_found(plan, tombstone);
    }
    result = check_parent(plan, &creation);
    if (result == CX_PLAN_CHANGE) {
        result =
            cx_plan_check_author(plan, request->name.namespace_id, tombstone, &request->author);
    }
    if (result == CX_PLAN_CHANGE) {
        result = cx_plan_check_preconditions(plan, NULL, request->preconditions,
                                             request->precondition_count);
    }
    return result == CX_PLAN_CHANGE ? add_creation(plan, &creation) : result;
}

/* Plans a part. Those that are already in the change are left alone. */
static enum cx_plan_result batch_plan_part(struct cx_plan *plan, struct batch *batch, size_t index)
{
    const struct cx_update_request *request = &batch->requests[index];
    const struct cx_name_key *key = batch->keys[index];
    size_t index_before = batch->index;
    struct cx_context *context;
    enum cx_plan_result result;

    if (batch->begun[index]) {
        return CX_PLAN_CHANGE;
    }
    batch->begun[index] = true;
    batch->index = index;
    result = cx_plan_look(plan, key, &context);
    if (result == CX_PLAN_CHANGE) {
        result = cx_context_is_live(context) ? update_existing(plan, request, key, context)
                                             : update_missing(plan, batch, request, key, context);
    }
    if (result == CX_PLAN_CHANGE) {
        batch->items[index] = plan->change.item_count - 1;
        batch->index = index_before;
    }
    return result;
}

/* Plans the part that names this context, if there is one. O(parts). */
static enum cx_plan_result batch_plan_named(struct cx_plan *plan, struct batch *batch,
                                            struct cx_bytes id)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (cx_bytes_equal(batch->requests[i].name.id, id)) {
            return batch_plan_part(plan, batch, i);
        }
    }
    return CX_PLAN_CHANGE;
}

/* Makes room for the parts. */
static enum cx_plan_result batch_begin(struct cx_plan *plan, struct batch *batch)
{
    batch->keys = cx_arena_calloc(plan->arena, batch->count * sizeof(struct cx_name_key *));
    batch->begun = cx_arena_calloc(plan->arena, batch->count * sizeof *batch->begun);
    batch->items = cx_arena_calloc(plan->arena, batch->count * sizeof *batch->items);
    batch->index = batch->count;
    if (batch->keys == NULL || batch->begun == NULL || batch->items == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    return CX_PLAN_CHANGE;
}

static enum cx_plan_result need_session_shard(struct cx_plan *plan,
                                              const struct cx_update_request *request)
{
    const struct cx_session_name name = {
        request->name.namespace_id,
        request->author.session_id,
    };
    struct cx_name_key key;

    return cx_session_key(&key, &name) ? cx_plan_need_shard(plan, key.shard) : CX_PLAN_CHANGE;
}

/* The keys of all parts. Asks for all their shards, and those of their sessions, at once. */
static enum cx_plan_result batch_set_keys(struct cx_plan *plan, struct batch *batch)
{
    enum cx_plan_result result = CX_PLAN_CHANGE;

    for (size_t i = 0; i < batch->count; i++) {
        const struct cx_context_name *name = &batch->requests[i].name;

        batch->keys[i] = cx_plan_key(plan, name->namespace_id, name->id);
        if (batch->keys[i] == NULL) {
            return cx_plan_out_of_memory(plan);
        }
        if (cx_plan_need_shard(plan, batch->keys[i]->shard) != CX_PLAN_CHANGE) {
            result = CX_PLAN_NEEDS_SHARDS;
        }
        if (need_session_shard(plan, &batch->requests[i]) != CX_PLAN_CHANGE) {
            result = CX_PLAN_NEEDS_SHARDS;
        }
    }
    return result;
}

static enum cx_plan_result batch_plan(struct cx_plan *plan, struct batch *batch)
{
    enum cx_plan_result result =
        cx_plan_change_begin(plan, batch->requests[0].name.namespace_id, 2 * batch->count);

    for (size_t i = 0; i < batch->count && result == CX_PLAN_CHANGE; i++) {
        result = batch_plan_part(plan, batch, i);
    }
    return result;
}

enum cx_plan_result cx_plan_update(struct cx_plan *plan, const struct cx_update_request *requests,
                                   size_t count, bool atomic, struct cx_bytes request_id,
                                   size_t *ret_index)
{
    struct batch batch = {.requests = requests, .count = count};
    struct cx_hash128 id = {0};
    uint64_t content_hash = 0;
    enum cx_plan_result result = batch_begin(plan, &batch);

    assert(count >= 1 && (atomic || count == 1));
    *ret_index = count;
    if (result == CX_PLAN_CHANGE) {
        result = batch_set_keys(plan, &batch);
    }
    if (result == CX_PLAN_CHANGE && request_id.size > 0) {
        id = cx_request_id_hash(batch.keys[0], request_id);
        content_hash = cx_update_request_hash(requests, count);
        result = cx_plan_check_request(plan, batch.keys[0], id, content_hash);
    }
    if (result == CX_PLAN_CHANGE) {
        result = batch_plan(plan, &batch);
        *ret_index = batch.index;
    }
    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    cx_plan_mark(plan, id, content_hash, batch.items[0]);
    plan->change.request.each = atomic && count > 1;
    if (requests[0].wants_sequence) {
        plan->change.request.has_answer = true;
        plan->change.request.answer =
            cx_change_item_last_sequence(&plan->change.items[batch.items[0]]);
    }
    plan->part_items = batch.items;
    return cx_plan_change_finish(plan);
}
