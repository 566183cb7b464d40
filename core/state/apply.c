#include "core/state/apply.h"

#include <assert.h>

#include "core/base/limits.h"
#include "core/state/apply_point.h"
#include "core/state/apply_tracking.h"

/* Nodes that stay with a shard for its next change. */
enum { POOL_KEPT = 16 };

static void entries_apply(struct cx_stage *stage, struct cx_staged_item *staged,
                          struct cx_context *context)
{
    struct cx_tree_item *old = NULL;
    enum cx_status status = CX_OK;

    if (staged->edit == CX_UNDO_ENTRY && staged->new_entry != NULL) {
        status = cx_tree_put(&cx_entry_class, &context->entries, stage->pool,
                             cx_tree_item_ref(&staged->new_entry->item), &old);
    } else if (staged->edit == CX_UNDO_ENTRY) {
        status =
            cx_tree_remove(&cx_entry_class, &context->entries, stage->pool, staged->edit_key, &old);
    } else if (staged->edit == CX_UNDO_ROOT) {
        struct cx_tree before = context->entries;

        context->entries = staged->entries;
        staged->entries = before; /* Goes to the undo record, or is dropped. */
    }
    assert(status == CX_OK);
    (void)status;

    if (staged->undo != NULL && staged->edit == CX_UNDO_ENTRY) {
        staged->undo->old_entry = old != NULL ? cx_entry_of(old) : NULL;
        staged->undo->new_entry = staged->new_entry;
        staged->new_entry = NULL;
    } else {
        cx_tree_item_unref(&cx_entry_class, old);
    }
    if (staged->undo != NULL && staged->edit == CX_UNDO_ROOT) {
        staged->undo->entries = staged->entries;
        staged->entries = (struct cx_tree){0};
    }
    context->entry_count = staged->entry_count;
    context->size_bytes = staged->size_bytes;
}

static void labels_apply(struct cx_staged_item *staged, struct cx_context *context)
{
    struct cx_labels *before = context->labels;

    context->labels = staged->labels;
    staged->labels = before; /* Released with the stage. */
}

static void expiry_apply(const struct cx_staged_item *staged, const struct cx_change_head *head,
                         struct cx_context *context, int64_t time_us)
{
    if (staged->expiry_set) {
        context->ttl_us = staged->ttl_us;
        context->sliding = staged->sliding;
    }
    context->end_time_us = head->expire_us + (head->expires_from_now ? time_us : 0);
}

/* Hands a staged undo record to the context's chain. */
static void undo_apply(struct cx_stage *stage, struct cx_staged_item *staged,
                       struct cx_context *context, struct cx_undo **garbage)
{
    if (staged->undo != NULL) {
        cx_context_push_undo(context, staged->undo, stage->state->settings.version_retention - 1,
                             garbage);
        staged->undo = NULL;
    }
}

/* A tombstone gives way to the context that is created anew. */
static void tombstone_replace(struct cx_stage *stage, struct cx_staged_item *staged,
                              struct cx_undo **garbage)
{
    struct cx_shard *shard = &stage->state->shards[staged->key->shard];
    struct cx_context *old = staged->replaced;
    struct cx_context *context = staged->context;

    context->undo_oldest = old->undo_oldest;
    context->undo_newest = old->undo_newest;
    context->undo_count = old->undo_count;
    old->undo_oldest = NULL;
    old->undo_newest = NULL;
    old->undo_count = 0;
    if (staged->undo != NULL) {
        staged->undo->entries = old->entries;
        old->entries = (struct cx_tree){0};
        undo_apply(stage, staged, context, garbage);
    }
    cx_past_settle(old->tracked); /* For the undo records. */
    if (staged->recovery != NULL) {
        context->recovery = staged->recovery;
        old->recovery = NULL;
    } else {
        cx_context_note_no_points(context); /* Others may have taken their place. */
    }
    cx_due_set(&shard->due, &old->due, 0);
    cx_table_remove(&shard->contexts, old, staged->key->hash);
    cx_context_unref(old);
    staged->replaced = NULL;
}

static void create_apply(struct cx_stage *stage, struct cx_staged_item *staged,
                         const struct cx_change_item *item, struct cx_moment moment,
                         struct cx_undo **garbage)
{
    struct cx_shard *shard = &stage->state->shards[staged->key->shard];
    struct cx_context *context = staged->context;

    if (staged->replaced != NULL) {
        tombstone_replace(stage, staged, garbage);
    }
    cx_apply_origin(staged, moment);
    entries_apply(stage, staged, context);
    labels_apply(staged, context);
    context->life = CX_CONTEXT_LIVE;
    context->version = item->version;
    context->state_revision = moment.revision;
    context->birth_revision = moment.revision;
    context->create_time_us = moment.time_us;
    context->update_time_us = moment.time_us;
    expiry_apply(staged, &item->head, context, moment.time_us);
    if (staged->parent != NULL) {
        staged->parent->child_count++;
    }
    cx_table_add(&shard->contexts, context, staged->key->hash);
    cx_namespace_add(context->totals, 1, (int64_t)context->size_bytes);
}

static void update_apply(struct cx_stage *stage, struct cx_staged_item *staged,
                         const struct cx_change_item *item, struct cx_moment moment,
                         struct cx_undo **garbage)
{
    struct cx_context *context = staged->context;
    uint64_t size_before = context->size_bytes;

    entries_apply(stage, staged, context);
    if (item->labels_changed) {
        labels_apply(staged, context);
    }
    undo_apply(stage, staged, context, garbage);
    context->version = item->version;
    context->state_revision = moment.revision;
    context->update_time_us = moment.time_us;
    expiry_apply(staged, &item->head, context, moment.time_us);
    cx_namespace_add(context->totals, 0, (int64_t)(context->size_bytes - size_before));
}

static void undelete_apply(struct cx_stage *stage, struct cx_staged_item *staged,
                           const struct cx_change_item *item, struct cx_moment moment,
                           struct cx_undo **garbage)
{
    struct cx_context *context = staged->context;

    if (staged->edit != CX_UNDO_NOTHING) {
        entries_apply(stage, staged, context);
    }
    labels_apply(staged, context);
    undo_apply(stage, staged, context, garbage);
    context->life = CX_CONTEXT_LIVE;
    context->depth = staged->parent != NULL ? staged->parent->depth + 1 : 1;
    context->version = item->version;
    context->state_revision = moment.revision;
    context->update_time_us = moment.time_us;
    expiry_apply(staged, &item->head, context, moment.time_us);
    if (staged->parent != NULL) {
        staged->parent->child_count++;
    }
    cx_namespace_add(context->totals, 1, (int64_t)context->size_bytes);
}

/* Moves entries and undo records of a context to the garbage. */
static void states_drop(struct cx_staged_item *staged, struct cx_undo **garbage)
{
    struct cx_context *context = staged->context;

    staged->undo->entries = context->entries;
    context->entries = (struct cx_tree){0};
    staged->undo->dropped = context->tracked;
    context->tracked = staged->bare;
    staged->bare = NULL;
    context->version = cx_context_version_last(context);
    staged->undo->dropped_recovery = context->recovery;
    context->recovery = NULL;
    cx_context_push_undo(context, staged->undo, 0, garbage);
    staged->undo = NULL;
    cx_context_strip(context);
}

static void end_apply(struct cx_stage *stage, struct cx_staged_item *staged,
                      const struct cx_change_item *item, struct cx_moment moment,
                      struct cx_undo **garbage)
{
    struct cx_context *context = staged->context;

    (void)stage;
    if (context->life == CX_CONTEXT_LIVE) {
        assert(context->child_count == 0);
        cx_namespace_add(context->totals, -1, -(int64_t)context->size_bytes);
        if (staged->parent != NULL) {
            staged->parent->child_count--;
        }
        context->end_time_us = moment.time_us;
        context->ttl_us = 0;
        context->sliding = false;
    }
    if (item->kind == CX_ITEM_DELETE || item->kind == CX_ITEM_EXPIRE) {
        context->life = CX_CONTEXT_DELETED;
    } else {
        states_drop(staged, garbage);
        context->life = CX_CONTEXT_BARE;
    }
}

static void forget_apply(struct cx_stage *stage, struct cx_staged_item *staged,
                         struct cx_moment moment)
{
    struct cx_shard *shard = &stage->state->shards[staged->key->shard];

    cx_due_set(&shard->due, &staged->context->due, 0);
    cx_table_remove(&shard->contexts, staged->context, staged->key->hash);
    shard->forgotten_revision = moment.revision;
    cx_context_unref(staged->context);
    staged->context = NULL;
}

static void item_apply(struct cx_stage *stage, struct cx_staged_item *staged,
                       const struct cx_change_item *item, struct cx_moment moment,
                       struct cx_undo **garbage)
{
    struct cx_shard *shard = &stage->state->shards[staged->key->shard];

    cx_apply_tracking(staged, moment); /* While what the context had is still there. */
    switch (item->kind) {
    case CX_ITEM_CREATE:
        create_apply(stage, staged, item, moment, garbage);
        break;
    case CX_ITEM_UPDATE:
        update_apply(stage, staged, item, moment, garbage);
        break;
    case CX_ITEM_UNDELETE:
        undelete_apply(stage, staged, item, moment, garbage);
        break;
    case CX_ITEM_TOUCH:
        expiry_apply(staged, &item->head, staged->context, moment.time_us);
        break;
    case CX_ITEM_FORGET:
        forget_apply(stage, staged, moment);
        return;
    default:
        end_apply(stage, staged, item, moment, garbage);
        break;
    }
    cx_apply_points(staged, item, moment, garbage);
    staged->context->revision = moment.revision;
    cx_due_set(&shard->due, &staged->context->due,
               cx_state_due_time(stage->state, staged->context));
}

static void lists_apply(struct cx_stage *stage)
{
    for (struct cx_list_edit *edit = stage->edits; edit != NULL; edit = edit->next) {
        struct cx_tree_item *old = NULL;
        enum cx_status status =
            edit->added != NULL
                ? cx_tree_put(edit->kind, edit->tree, stage->pool, edit->added, &old)
                : cx_tree_remove(edit->kind, edit->tree, stage->pool, edit->removed, &old);

        assert(status == CX_OK);
        (void)status;
        edit->added = NULL; /* The tree's now. */
        cx_tree_item_unref(edit->kind, old);
    }
}

static void request_apply(struct cx_stage *stage, struct cx_hash128 id, uint64_t content_hash,
                          unsigned shard, uint64_t version, struct cx_moment moment)
{
    const struct cx_settings *settings = &stage->state->settings;
    uint64_t count_max = settings->request_ids_max / CX_SHARDS;
    const struct cx_request_record record = {
        .id = id,
        .content_hash = content_hash,
        .version = version,
        .revision = moment.revision,
        .time_us = moment.time_us,
    };
    int64_t more = cx_request_ids_add(&stage->state->shards[shard].request_ids, &record,
                                      moment.time_us - settings->request_id_window_us,
                                      count_max > 0 ? count_max : 1);

    __atomic_fetch_add(&stage->state->request_id_count, more, __ATOMIC_RELAXED);
}

static void requests_apply(struct cx_stage *stage, const struct cx_change *change,
                           struct cx_moment moment)
{
    const struct cx_request_mark *mark = &change->request;

    if (mark->of_session) {
        request_apply(stage, mark->id, mark->content_hash, stage->session.key.shard, mark->answer,
                      moment);
        return;
    }
    request_apply(stage, mark->id, mark->content_hash, stage->items[mark->owner].key->shard,
                  mark->has_answer ? mark->answer : change->items[mark->owner].version, moment);
    for (size_t i = 0; i < stage->item_count && mark->each; i++) {
        const struct cx_name_key *key = stage->items[i].key;
        struct cx_hash128 id =
            cx_request_mark_id_of(mark, (struct cx_bytes){key->bytes, key->size});

        if (i != mark->owner) {
            request_apply(stage, id, mark->content_hash, key->shard, change->items[i].version,
                          moment);
        }
    }
}

void cx_apply(struct cx_stage *stage, const struct cx_change *change, uint64_t revision,
              int64_t time_us, struct cx_undo **garbage)
{
    struct cx_moment moment = {revision, time_us};

    if (change->kind == CX_CHANGE_SETTINGS) {
        stage->state->settings = *change->settings;
        cx_state_settle(stage->state, garbage);
        return;
    }
    if (change->kind == CX_CHANGE_FLOOR) {
        stage->state->feed_floor = change->floor;
        stage->state->feed_floor_revision = revision;
        return;
    }
    cx_apply_stamps(stage, moment);
    cx_apply_point_stamps(stage, moment);
    /* The lists before the items: their keys may lie in contexts that are forgotten. */
    lists_apply(stage);
    for (size_t i = 0; i < stage->item_count; i++) {
        item_apply(stage, &stage->items[i], &change->items[i], moment, garbage);
    }
    cx_apply_session(stage, change->session.step, moment);
    if (cx_request_mark_is_set(&change->request)) {
        requests_apply(stage, change, moment);
    }
    cx_tree_pool_trim(stage->pool, POOL_KEPT);
}
