#include "core/state/stage.h"

#include <assert.h>

#include "core/base/limits.h"
#include "core/state/stage_entries.h"
#include "core/state/stage_head.h"
#include "core/state/stage_lists.h"
#include "core/state/stage_point.h"
#include "core/state/stage_point_rows.h"
#include "core/state/stage_tracking.h"

enum cx_status cx_stage_begin(struct cx_stage *stage, struct cx_state *state,
                              struct cx_arena *arena, struct cx_error *error, size_t item_count)
{
    *stage = (struct cx_stage){
        .state = state,
        .arena = arena,
        .error = error,
        .value_size_max = UINT64_MAX,
    };
    stage->edits_end = &stage->edits;
    stage->items = cx_arena_calloc(arena, (item_count + 1) * sizeof *stage->items);
    return stage->items != NULL ? CX_OK : CX_RESOURCE_EXHAUSTED;
}

struct cx_context *cx_stage_find(const struct cx_stage *stage, const struct cx_name_key *key)
{
    struct cx_context *context = cx_state_find(stage->state, key);

    if (cx_context_is_live(context)) {
        return context;
    }
    for (size_t i = 0; i < stage->item_count; i++) {
        const struct cx_staged_item *staged = &stage->items[i];

        if (staged->context->version == 0 && staged->key->hash == key->hash &&
            staged->key->size == key->size &&
            memcmp(staged->key->bytes, key->bytes, key->size) == 0) {
            return staged->context;
        }
    }
    return NULL;
}

/* ---- The items. ------------------------------------------------------------- */

static bool is_end(const struct cx_change_item *item)
{
    return item->kind >= CX_ITEM_DELETE && item->kind <= CX_ITEM_FORGET;
}

static enum cx_status stage_labels(struct cx_stage *stage, const struct cx_change_item *item,
                                   struct cx_staged_item *staged)
{
    struct cx_label_list before = cx_labels_list(staged->context->labels);
    struct cx_label_list after;
    enum cx_status status = cx_labels_new(item->labels, &staged->labels);

    if (status != CX_OK) {
        return status;
    }
    after = cx_labels_list(staged->labels);
    status = cx_stage_label_rows(stage, staged, before, after, false);
    return status == CX_OK ? cx_stage_label_rows(stage, staged, after, before, true) : status;
}

static void stage_settings(const struct cx_change_item *item, struct cx_staged_item *staged)
{
    for (size_t i = 0; i < item->op_count; i++) {
        if (item->ops[i].kind == CX_MUTATION_SET_EXPIRY) {
            staged->expiry_set = true;
            staged->sliding = item->ops[i].sliding;
            staged->ttl_us = item->ops[i].ttl_us;
        } else if (item->ops[i].kind == CX_MUTATION_SET_POLICY) {
            staged->policy_set = true;
            staged->policy = *item->ops[i].policy;
        }
    }
}

/* Makes the record that leads back from what is staged. */
static enum cx_status stage_undo(struct cx_staged_item *staged, struct cx_context *context,
                                 enum cx_undo_kind kind)
{
    enum cx_status status = cx_undo_new(context, &staged->undo);

    if (status == CX_OK) {
        staged->undo->kind = kind;
    }
    return status;
}

/* The same, back to a context that has ended and is created anew. */
static enum cx_status stage_undo_of_ended(struct cx_staged_item *staged, struct cx_context *ended)
{
    enum cx_status status = stage_undo(staged, ended, CX_UNDO_ROOT);

    if (status == CX_OK) {
        cx_tree_item_ref(&ended->item);
        staged->undo->ended = ended;
        staged->undo->end_time_us = ended->end_time_us;
    }
    return status;
}

static enum cx_status create_context(struct cx_stage *stage, struct cx_bytes namespace_id,
                                     const struct cx_change_item *item,
                                     struct cx_staged_item *staged)
{
    struct cx_namespace *totals;
    enum cx_status status = cx_namespaces_get(&stage->state->namespaces, namespace_id, &totals);

    if (status != CX_OK) {
        return status;
    }
    status = cx_context_new(totals, namespace_id, item->id, item->type, item->head.parent_id,
                            &staged->context);
    cx_namespace_unref(totals);
    return status;
}

/* The lists that a new context comes into. */
static enum cx_status create_lists(struct cx_stage *stage, struct cx_staged_item *staged)
{
    struct cx_shard *shard = cx_stage_shard(stage, staged->key);
    struct cx_tree_item *item = &staged->context->item;
    enum cx_status status = CX_OK;

    if (staged->replaced != NULL && staged->replaced->life == CX_CONTEXT_DELETED) {
        status = cx_stage_list_remove(stage, &shard->deleted, &cx_context_class,
                                      cx_tree_item_key(&cx_context_class, item));
    }
    if (status == CX_OK) {
        status = cx_stage_list_add(stage, &shard->by_id, &cx_context_class, cx_tree_item_ref(item));
    }
    if (status == CX_OK) {
        status = cx_stage_type_row(stage, staged, true);
    }
    return status == CX_OK ? cx_stage_parent_row(stage, staged, true) : status;
}

/* What a context that is created again goes on with. */
static enum cx_status go_on_counting(struct cx_context *context, const struct cx_context *before)
{
    if (before == NULL || before->tracked == NULL) {
        return CX_OK;
    }
    context->tracked = cx_tracked_bare(before->tracked);
    return context->tracked != NULL ? CX_OK : CX_RESOURCE_EXHAUSTED;
}

static enum cx_status stage_create(struct cx_stage *stage, struct cx_bytes namespace_id,
                                   struct cx_change_item *item, struct cx_staged_item *staged)
{
    struct cx_context *found = cx_state_find(stage->state, staged->key);
    enum cx_status status;

    if (cx_stage_find(stage, staged->key) != NULL || (found != NULL && found->staged != 0)) {
        return CX_DATA_LOSS;
    }
    item->version = found != NULL ? cx_context_version_last(found) + 1 : 1;
    staged->replaced = found;
    staged->expiry_set = true;
    staged->sliding = item->sliding;
    staged->ttl_us = item->ttl_us;
    staged->policy_set = true;
    staged->policy = item->head.policy;
    stage_settings(item, staged);
    status = create_context(stage, namespace_id, item, staged);
    if (status == CX_OK) {
        status = go_on_counting(staged->context, found);
    }
    if (status == CX_OK) {
        status = cx_stage_fork(stage, namespace_id, item, staged);
    }
    if (status == CX_OK) {
        status = create_lists(stage, staged);
    }
    if (status == CX_OK && staged->parent != NULL &&
        staged->parent->depth >= CX_CONTEXT_DEPTH_MAX) {
        status = CX_DATA_LOSS;
    }
    if (status == CX_OK) {
        staged->context->depth = staged->parent != NULL ? staged->parent->depth + 1 : 1;
        status = stage_labels(stage, item, staged);
    }
    if (status == CX_OK && found != NULL && found->life == CX_CONTEXT_DELETED) {
        status = stage_undo_of_ended(staged, found);
    }
    if (status == CX_OK && item->source.id.size == 0) {
        status = cx_stage_entries(stage, &staged->context->entries, item, staged);
    }
    return status;
}

static enum cx_status stage_update(struct cx_stage *stage, struct cx_bytes namespace_id,
                                   struct cx_change_item *item, struct cx_staged_item *staged)
{
    enum cx_status status = CX_OK;

    item->version = cx_context_version_last(staged->context) + 1;
    staged->entry_count = staged->context->entry_count;
    staged->size_bytes = staged->context->size_bytes;
    stage_settings(item, staged);
    if (staged->policy_set && cx_context_recovery(staged->context) == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    status = item->base.kind != CX_BASE_NONE
                 ? cx_stage_base(stage, item, staged)
                 : cx_stage_entries(stage, &staged->context->entries, item, staged);
    if (status == CX_OK && item->labels_changed) {
        status = stage_labels(stage, item, staged);
    }
    if (status == CX_OK) {
        status = cx_stage_merged(stage, namespace_id, item, staged);
    }
    if (status == CX_OK && stage->state->settings.version_retention > 1) {
        status = stage_undo(staged, staged->context, staged->edit);
    }
    return status;
}

/* The lists that a deleted context comes back into. */
static enum cx_status undelete_lists(struct cx_stage *stage, const struct cx_change_item *item,
                                     struct cx_staged_item *staged)
{
    struct cx_shard *shard = cx_stage_shard(stage, staged->key);
    struct cx_tree_item *context = &staged->context->item;
    enum cx_status status = cx_stage_list_remove(stage, &shard->deleted, &cx_context_class,
                                                 cx_tree_item_key(&cx_context_class, context));

    if (status == CX_OK) {
        status =
            cx_stage_list_add(stage, &shard->by_id, &cx_context_class, cx_tree_item_ref(context));
    }
    if (status == CX_OK) {
        status = cx_stage_type_row(stage, staged, true);
    }
    if (status == CX_OK) {
        status = cx_stage_parent_row(stage, staged, true);
    }
    if (status == CX_OK && staged->parent != NULL &&
        staged->parent->depth >= CX_CONTEXT_DEPTH_MAX) {
        return CX_DATA_LOSS;
    }
    if (status == CX_OK) {
        status = cx_labels_new(item->labels, &staged->labels);
    }
    return status == CX_OK ? cx_stage_label_rows(stage, staged, cx_labels_list(staged->labels),
                                                 (struct cx_label_list){NULL, 0}, true)
                           : status;
}

static enum cx_status stage_undelete(struct cx_stage *stage, struct cx_change_item *item,
                                     struct cx_staged_item *staged)
{
    enum cx_status status;

    if (staged->context->life != CX_CONTEXT_DELETED) {
        return CX_DATA_LOSS;
    }
    item->version = cx_context_version_last(staged->context) + 1;
    staged->entry_count = staged->context->entry_count;
    staged->size_bytes = staged->context->size_bytes;
    staged->expiry_set = true; /* It has none. */
    status = undelete_lists(stage, item, staged);
    if (status == CX_OK && item->base.kind != CX_BASE_NONE) {
        status = cx_stage_base(stage, item, staged);
    }
    if (status == CX_OK && stage->state->settings.version_retention > 1) {
        status = stage_undo(staged, staged->context, staged->edit);
    }
    if (status == CX_OK && staged->undo != NULL) {
        staged->undo->end_time_us = staged->context->end_time_us;
    }
    return status;
}

/* The lists that a context leaves, and the one that it may come into. */
static enum cx_status end_lists(struct cx_stage *stage, struct cx_staged_item *staged,
                                bool keeps_states)
{
    struct cx_shard *shard = cx_stage_shard(stage, staged->key);
    struct cx_tree_item *item = &staged->context->item;
    struct cx_bytes key = cx_tree_item_key(&cx_context_class, item);
    enum cx_status status;

    if (!keeps_states && staged->context->recovery != NULL) {
        status = cx_stage_point_rows(stage, staged, staged->context->recovery, false);
        if (status != CX_OK) {
            return status;
        }
    }
    if (staged->context->life != CX_CONTEXT_LIVE) {
        return cx_stage_list_remove(stage, &shard->deleted, &cx_context_class, key);
    }
    status = cx_stage_list_remove(stage, &shard->by_id, &cx_context_class, key);
    if (status == CX_OK) {
        status = cx_stage_type_row(stage, staged, false);
    }
    if (status == CX_OK) {
        status = cx_stage_label_rows(stage, staged, cx_labels_list(staged->context->labels),
                                     (struct cx_label_list){NULL, 0}, false);
    }
    if (status == CX_OK) {
        status = cx_stage_parent_row(stage, staged, false);
    }
    if (status == CX_OK && keeps_states) {
        status =
            cx_stage_list_add(stage, &shard->deleted, &cx_context_class, cx_tree_item_ref(item));
    }
    return status;
}

static enum cx_status stage_end(struct cx_stage *stage, struct cx_change_item *item,
                                struct cx_staged_item *staged)
{
    enum cx_context_life life = (enum cx_context_life)staged->context->life;
    bool fits = item->kind == CX_ITEM_FORGET        ? life == CX_CONTEXT_BARE
                : item->kind == CX_ITEM_DROP_STATES ? life == CX_CONTEXT_DELETED
                : item->kind == CX_ITEM_PURGE       ? life != CX_CONTEXT_BARE
                                                    : life == CX_CONTEXT_LIVE;
    bool keeps_states = item->kind == CX_ITEM_DELETE || item->kind == CX_ITEM_EXPIRE;
    enum cx_status status = CX_OK;

    if (!fits) {
        return CX_DATA_LOSS;
    }
    item->version = staged->context->version;
    if (item->kind != CX_ITEM_FORGET) {
        status = end_lists(stage, staged, keeps_states);
    }
    if (status == CX_OK && item->kind != CX_ITEM_FORGET && !keeps_states) {
        status = stage_undo(staged, staged->context, CX_UNDO_ROOT); /* Takes what is dropped. */
        if (status == CX_OK && staged->context->tracked != NULL) {
            staged->bare = cx_tracked_bare(staged->context->tracked);
            status = staged->bare != NULL ? CX_OK : CX_RESOURCE_EXHAUSTED;
        }
    }
    return status;
}

/* What an item of its kind does to the state. */
static enum cx_status stage_kind(struct cx_stage *stage, struct cx_bytes namespace_id,
                                 struct cx_change_item *item, struct cx_staged_item *staged)
{
    if (item->kind == CX_ITEM_CREATE) {
        return stage_create(stage, namespace_id, item, staged);
    }
    if (is_end(item)) {
        return stage_end(stage, item, staged);
    }
    if (item->kind == CX_ITEM_UNDELETE) {
        return stage_undelete(stage, item, staged);
    }
    if (staged->context->life != CX_CONTEXT_LIVE) {
        return CX_DATA_LOSS;
    }
    if (item->kind == CX_ITEM_UPDATE) {
        return stage_update(stage, namespace_id, item, staged);
    }
    item->version = staged->context->version;
    return CX_OK;
}

enum cx_status cx_stage_item(struct cx_stage *stage, struct cx_bytes namespace_id,
                             const struct cx_name_key *key, struct cx_change_item *item)
{
    struct cx_staged_item *staged = &stage->items[stage->item_count];
    uint64_t logged_version = item->version;
    enum cx_status status;

    staged->key = key;
    if (item->kind != CX_ITEM_CREATE) {
        staged->context = cx_state_find(stage->state, key);
        if (staged->context == NULL || staged->context->staged != 0) {
            staged->context = NULL;
            return CX_DATA_LOSS;
        }
    }
    status = stage_kind(stage, namespace_id, item, staged);
    if (status == CX_OK) {
        status = cx_stage_tracking(stage, item, staged, is_end(item));
    }
    if (status == CX_OK && !is_end(item)) {
        status = cx_stage_points(stage, item, staged);
    }
    if (status == CX_OK) {
        status = cx_stage_head(stage, staged, item);
    }
    stage->item_count++; /* Also of a failure, so that its parts are released. */
    if (staged->context != NULL) {
        staged->context->staged = (uint32_t)stage->item_count;
    }
    if (staged->replaced != NULL) {
        staged->replaced->staged = (uint32_t)stage->item_count;
    }
    if (status == CX_OK && stage->error == NULL && item->version != logged_version) {
        status = CX_DATA_LOSS;
    }
    if (status == CX_RESOURCE_EXHAUSTED && stage->error != NULL &&
        stage->error->reason == CX_REASON_NONE) {
        status = cx_error_out_of_memory(stage->error);
    }
    return status;
}

/* ---- Room for what cannot fail. --------------------------------------------- */

static enum cx_status shard_reserve(struct cx_shard *shard, size_t count, bool request_ids)
{
    enum cx_status status = cx_table_reserve(&shard->contexts, count);

    if (status == CX_OK) {
        status = cx_due_reserve(&shard->due, count);
    }
    return status == CX_OK && request_ids ? cx_request_ids_reserve(&shard->request_ids, count)
                                          : status;
}

/* Whether those that end have no children left, nor get any. */
static bool ends_fit(struct cx_stage *stage, const struct cx_change *change)
{
    for (size_t i = 0; i < stage->item_count; i++) {
        const struct cx_context *parent = stage->items[i].parent;
        size_t at = parent != NULL ? parent->staged : 0;

        if (at == 0 || !is_end(&change->items[at - 1])) {
            continue;
        }
        if (!is_end(&change->items[i]) || at - 1 < i) {
            return false;
        }
        stage->items[at - 1].ended_children++;
    }
    for (size_t i = 0; i < stage->item_count; i++) {
        const struct cx_staged_item *staged = &stage->items[i];

        if (is_end(&change->items[i]) && staged->context->child_count != staged->ended_children) {
            return false;
        }
    }
    return true;
}

enum cx_status cx_stage_finish(struct cx_stage *stage, const struct cx_change *change)
{
    bool request_ids = cx_request_mark_is_set(&change->request);
    const struct cx_name_key *first =
        stage->item_count > 0 ? stage->items[0].key : &stage->session.key;
    size_t counts[CX_SHARDS] = {0};
    enum cx_status status;

    assert(stage->item_count == change->item_count);
    if (!ends_fit(stage, change)) {
        return CX_DATA_LOSS;
    }
    stage->pool = &cx_stage_shard(stage, first)->pool;
    status = cx_stage_session_finish(stage, change);
    if (status == CX_OK && change->request.of_session) {
        request_ids = false;
        status =
            cx_request_ids_reserve(&cx_stage_shard(stage, &stage->session.key)->request_ids, 1);
    }
    if (status == CX_OK) {
        status = cx_tree_pool_fill(stage->pool, stage->need.count);
    }
    for (size_t i = 0; i < stage->item_count; i++) {
        counts[stage->items[i].key->shard]++;
    }
    for (size_t i = 0; i < stage->item_count && status == CX_OK; i++) {
        unsigned shard = stage->items[i].key->shard;

        if (counts[shard] > 0) {
            status = shard_reserve(&stage->state->shards[shard], counts[shard], request_ids);
            counts[shard] = 0;
        }
    }
    return status == CX_RESOURCE_EXHAUSTED && stage->error != NULL
               ? cx_error_out_of_memory(stage->error)
               : status;
}

static void staged_item_done(struct cx_staged_item *staged)
{
    cx_labels_unref(staged->labels);
    cx_undo_unref(staged->undo);
    cx_undo_unref(staged->carrier);
    cx_tracked_free(staged->bare);
    cx_entry_unref(staged->new_entry);
    cx_tree_done(&cx_entry_class, &staged->entries);
    cx_staged_tracking_done(staged->tracking);
    cx_staged_points_done(staged->points);
    cx_base_unref(staged->forked_from);
    cx_merged_free(staged->merged);
    if (staged->replaced != NULL) {
        staged->replaced->staged = 0;
    }
    if (staged->context != NULL) {
        staged->context->staged = 0;
    }
    if (staged->context != NULL && staged->context->version == 0) {
        cx_context_unref(staged->context); /* A create that was not applied. */
    }
}

void cx_stage_done(struct cx_stage *stage)
{
    for (struct cx_list_edit *edit = stage->edits; edit != NULL; edit = edit->next) {
        cx_tree_item_unref(edit->kind, edit->added);
    }
    for (size_t i = 0; i < stage->item_count; i++) {
        staged_item_done(&stage->items[i]);
    }
    for (struct cx_stamp *stamp = stage->stamps; stamp != NULL; stamp = stamp->next) {
        cx_tree_item_unref(stamp->kind, stamp->item);
    }
    stage->stamps = NULL;
    cx_staged_session_done(&stage->session);
    cx_tree_need_done(&stage->need);
    stage->edits = NULL;
    stage->item_count = 0;
}
