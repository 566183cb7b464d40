#include "core/state/context.h"

#include <assert.h>
#include <stddef.h>

#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/namespaces.h"
#include "core/state/point.h"
#include "core/state/tracked.h"

static_assert(offsetof(struct cx_context, item) == 0, "cx_context_of() relies on it");
static_assert(CX_NAMESPACE_SIZE_MAX <= UINT8_MAX, "namespace_size");

static void context_free(struct cx_tree_item *item)
{
    struct cx_context *context = cx_context_of(item);

    cx_context_strip(context);
    cx_tracked_free(context->tracked);
    cx_recovery_free(context->recovery);
    cx_namespace_unref(context->totals);
    cx_free(context);
}

const struct cx_tree_class cx_context_class = {
    .key_offset = offsetof(struct cx_context, bytes),
    .free_item = context_free,
};

enum cx_status cx_context_new(struct cx_namespace *totals, struct cx_bytes namespace_name,
                              struct cx_bytes id, struct cx_bytes type, struct cx_bytes parent_id,
                              struct cx_context **ret_context)
{
    size_t key_size = namespace_name.size + 1 + id.size;
    struct cx_context *context = cx_calloc(sizeof *context + key_size + type.size + parent_id.size);
    uint8_t *at;

    if (context == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    context->item.refs = 1;
    context->item.key_size = (uint16_t)key_size;
    context->item.extra = (uint16_t)type.size;
    context->life = CX_CONTEXT_BARE;
    context->namespace_size = (uint8_t)namespace_name.size;
    context->parent_size = (uint16_t)parent_id.size;
    context->totals = cx_namespace_ref(totals);

    at = context->bytes;
    memcpy(at, namespace_name.data, namespace_name.size);
    at += namespace_name.size + 1;
    memcpy(at, id.data, id.size);
    at += id.size;
    if (type.size > 0) {
        memcpy(at, type.data, type.size);
        at += type.size;
    }
    if (parent_id.size > 0) {
        memcpy(at, parent_id.data, parent_id.size);
    }
    *ret_context = context;
    return CX_OK;
}

void cx_context_unref(struct cx_context *context)
{
    cx_tree_item_unref(&cx_context_class, context != NULL ? &context->item : NULL);
}

struct cx_bytes cx_context_namespace(const struct cx_context *context)
{
    return (struct cx_bytes){context->bytes, context->namespace_size};
}

struct cx_bytes cx_context_id(const struct cx_context *context)
{
    return (struct cx_bytes){context->bytes + context->namespace_size + 1,
                             context->item.key_size - context->namespace_size - 1u};
}

struct cx_bytes cx_context_type(const struct cx_context *context)
{
    return (struct cx_bytes){context->bytes + context->item.key_size, context->item.extra};
}

struct cx_bytes cx_context_parent_id(const struct cx_context *context)
{
    return (struct cx_bytes){context->bytes + context->item.key_size + context->item.extra,
                             context->parent_size};
}

enum cx_status cx_context_not_found(struct cx_error *error, const struct cx_context *tombstone)
{
    enum cx_status status =
        cx_error_set(error, CX_REASON_CONTEXT_NOT_FOUND, "%s",
                     tombstone != NULL ? "the context was deleted" : "there is no such context");

    if (tombstone != NULL) {
        cx_error_detail_number(error, "deleted_version", tombstone->version);
    }
    return status;
}

/* ---- States before the head. ------------------------------------------------ */

enum cx_status cx_undo_new(struct cx_context *context, struct cx_undo **ret_undo)
{
    struct cx_undo *undo = cx_alloc(sizeof *undo);
    struct cx_past *past;

    if (undo == NULL || cx_past_lean(context->tracked, &past) != CX_OK) {
        cx_free(undo);
        return CX_RESOURCE_EXHAUSTED;
    }
    *undo = (struct cx_undo){
        .refs = 1,
        .kind = CX_UNDO_NOTHING,
        .version = context->version,
        .revision = context->revision,
        .state_revision = context->state_revision,
        .birth_revision = context->birth_revision,
        .head_point = context->recovery != NULL ? context->recovery->head_point : 0,
        .entry_count = context->entry_count,
        .size_bytes = context->size_bytes,
        .create_time_us = context->create_time_us,
        .update_time_us = context->update_time_us,
        .expire_time_us = context->life == CX_CONTEXT_LIVE ? context->end_time_us : 0,
        .labels = cx_labels_ref(context->labels),
        .past = past,
    };
    *ret_undo = undo;
    return CX_OK;
}

enum cx_status cx_undo_new_carrier(struct cx_undo **ret_undo)
{
    struct cx_undo *undo = cx_calloc(sizeof *undo);

    if (undo == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    undo->refs = 1;
    *ret_undo = undo;
    return CX_OK;
}

void cx_undo_unref(struct cx_undo *undo)
{
    if (undo == NULL || __atomic_fetch_sub(&undo->refs, 1, __ATOMIC_ACQ_REL) > 1) {
        return;
    }
    cx_labels_unref(undo->labels);
    cx_context_unref(undo->ended);
    cx_entry_unref(undo->old_entry);
    cx_entry_unref(undo->new_entry);
    cx_tree_done(&cx_entry_class, &undo->entries);
    cx_past_unref(undo->past);
    cx_tracked_free(undo->dropped);
    cx_recovery_free(undo->dropped_recovery);
    cx_dropped_points_free(undo->dropped_points);
    cx_free(undo);
}

/* Takes the oldest record out of the chain. */
static struct cx_undo *context_pop_oldest(struct cx_context *context)
{
    struct cx_undo *oldest = context->undo_oldest;

    context->undo_oldest = oldest->newer;
    if (oldest->newer == NULL) {
        context->undo_newest = NULL;
    }
    context->undo_count--;
    return oldest;
}

void cx_undo_free_list(struct cx_undo *list)
{
    while (list != NULL) {
        struct cx_undo *next = list->newer;

        cx_undo_unref(list);
        list = next;
    }
}

void cx_context_push_undo(struct cx_context *context, struct cx_undo *undo, uint64_t count_max,
                          struct cx_undo **garbage)
{
    assert(undo->newer == NULL);
    if (context->undo_newest != NULL) {
        context->undo_newest->newer = undo;
    } else {
        context->undo_oldest = undo;
    }
    context->undo_newest = undo;
    context->undo_count++;
    cx_context_trim_undo(context, count_max, garbage);
}

void cx_context_trim_undo(struct cx_context *context, uint64_t count_max, struct cx_undo **garbage)
{
    while (context->undo_count > count_max) {
        struct cx_undo *oldest = context_pop_oldest(context);

        oldest->newer = *garbage;
        *garbage = oldest;
    }
}

/* One of some points, which come by sequence, or NULL. */
static const struct cx_point *find_sequence(struct cx_point *const *points, size_t count,
                                            uint64_t sequence)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (points[middle]->sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && points[low]->sequence == sequence ? points[low] : NULL;
}

void cx_context_note_drops(struct cx_context *context, struct cx_point *const *points, size_t count)
{
    for (struct cx_undo *undo = context->undo_oldest; undo != NULL; undo = undo->newer) {
        const struct cx_point *point = find_sequence(points, count, undo->head_point);

        while (point != NULL) { /* Parents are older than their children. */
            undo->head_point = point->parent_sequence;
            point = find_sequence(points, count, undo->head_point);
        }
    }
}

void cx_context_note_no_points(struct cx_context *context)
{
    for (struct cx_undo *undo = context->undo_oldest; undo != NULL; undo = undo->newer) {
        undo->head_point = 0;
    }
}

void cx_context_strip(struct cx_context *context)
{
    cx_undo_free_list(context->undo_oldest);
    context->undo_oldest = NULL;
    context->undo_newest = NULL;
    context->undo_count = 0;
    cx_tree_done(&cx_entry_class, &context->entries);
    cx_labels_unref(context->labels);
    context->labels = NULL;
    context->entry_count = 0;
    context->size_bytes = 0;
}

struct cx_tracked *cx_context_tracked(struct cx_context *context)
{
    if (context->tracked == NULL) {
        context->tracked = cx_tracked_new();
    }
    return context->tracked;
}

struct cx_recovery *cx_context_recovery(struct cx_context *context)
{
    if (context->recovery == NULL) {
        context->recovery = cx_recovery_new();
    }
    return context->recovery;
}

uint64_t cx_birth_of(uint64_t revision, struct cx_bytes id)
{
    return cx_hash_mix_number(cx_hash64(id, 0), revision);
}

uint64_t cx_context_birth(const struct cx_context *context)
{
    return cx_birth_of(context->birth_revision, cx_context_id(context));
}

uint64_t cx_context_version_last(const struct cx_context *context)
{
    uint64_t last = context->recovery != NULL ? context->recovery->version_last : 0;

    return last > context->version ? last : context->version;
}

uint64_t cx_context_fence(const struct cx_context *context)
{
    return context->tracked != NULL ? context->tracked->fence : 0;
}

static void snapshot_set_recovery(struct cx_snapshot *snapshot, const struct cx_recovery *recovery)
{
    if (recovery == NULL) {
        return;
    }
    snapshot->policy = recovery->policy;
    if (recovery->forked_from != NULL) {
        snapshot->origin = cx_base_ref(recovery->forked_from);
        snapshot->forked_from_id = cx_base_id(recovery->forked_from);
        snapshot->forked_from_version = recovery->forked_from->version;
    }
}

void cx_context_snapshot(struct cx_context *context, struct cx_snapshot *ret_snapshot)
{
    struct cx_label_list labels = cx_labels_list(context->labels);

    cx_tree_item_ref(&context->item);
    *ret_snapshot = (struct cx_snapshot){
        .namespace_id = cx_context_namespace(context),
        .id = cx_context_id(context),
        .type = cx_context_type(context),
        .parent_id = cx_context_parent_id(context),
        .labels = labels.items,
        .label_count = labels.count,
        .version = context->version,
        .revision = context->revision,
        .entry_count = context->entry_count,
        .size_bytes = context->size_bytes,
        .create_time_us = context->create_time_us,
        .update_time_us = context->update_time_us,
        .expire_time_us = context->life == CX_CONTEXT_LIVE ? context->end_time_us : 0,
        .delete_time_us = context->life == CX_CONTEXT_LIVE ? 0 : context->end_time_us,
        .fence = cx_context_fence(context),
        .context = context,
        .labels_held = cx_labels_ref(context->labels),
        .entries = cx_tree_copy(&context->entries),
    };
    snapshot_set_recovery(ret_snapshot, context->recovery);
}

void cx_snapshot_of_state(struct cx_context *context, const struct cx_kept_state *state,
                          struct cx_snapshot *ret_snapshot)
{
    struct cx_label_list labels = cx_labels_list(state->labels);

    cx_tree_item_ref(&context->item);
    *ret_snapshot = (struct cx_snapshot){
        .namespace_id = cx_context_namespace(context),
        .id = cx_context_id(context),
        .type = cx_context_type(context),
        .parent_id = cx_context_parent_id(context),
        .labels = labels.items,
        .label_count = labels.count,
        .version = state->version,
        .revision = context->revision,
        .entry_count = state->entry_count,
        .size_bytes = state->size_bytes,
        .create_time_us = state->create_time_us,
        .update_time_us = state->update_time_us,
        .fence = cx_context_fence(context),
        .context = context,
        .labels_held = cx_labels_ref(state->labels),
        .entries = cx_tree_copy(&state->entries),
    };
    snapshot_set_recovery(ret_snapshot, context->recovery);
}

/* Whether the state that `undo` leads back to is the one that is asked for: the newest
 * one that fits is. */
static bool undo_fits(const struct cx_undo *undo, const struct cx_state_at *at)
{
    return at->version != 0 ? undo->version == at->version : undo->update_time_us <= at->time_us;
}

/* Whether nothing was there at that time: the state had ended before. */
static bool undo_had_ended(const struct cx_undo *undo, const struct cx_state_at *at)
{
    return at->version == 0 && undo->end_time_us != 0 && undo->end_time_us <= at->time_us;
}

uint64_t cx_context_version_of(const struct cx_context *context, uint64_t revision)
{
    uint64_t version = 0;

    if (revision >= context->state_revision) {
        return context->version;
    }
    for (const struct cx_undo *undo = context->undo_oldest; undo != NULL; undo = undo->newer) {
        if (undo->state_revision <= revision) {
            version = undo->version;
        }
    }
    return version;
}

struct cx_undo *cx_context_find_undo(const struct cx_context *context, const struct cx_state_at *at)
{
    struct cx_undo *found = NULL;

    for (struct cx_undo *undo = context->undo_oldest; undo != NULL; undo = undo->newer) {
        if (undo_fits(undo, at)) {
            found = undo;
        }
    }
    return found != NULL && !undo_had_ended(found, at) ? found : NULL;
}

enum cx_status cx_context_find_path(const struct cx_context *context, const struct cx_state_at *at,
                                    struct cx_undo_path *ret_path)
{
    struct cx_undo *first = cx_context_find_undo(context, at);
    size_t count = 0;
    struct cx_undo_path path;

    if (first == NULL) {
        return CX_OUT_OF_RANGE;
    }
    for (const struct cx_undo *undo = first; undo != NULL; undo = undo->newer) {
        count++;
    }
    path.records = cx_alloc(count * sizeof(struct cx_undo *));
    if (path.records == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    path.count = 0;
    for (struct cx_undo *undo = first; undo != NULL; undo = undo->newer) {
        __atomic_fetch_add(&undo->refs, 1, __ATOMIC_RELAXED);
        path.records[path.count++] = undo;
    }
    assert(path.count == count);
    *ret_path = path;
    return CX_OK;
}

void cx_undo_path_done(struct cx_undo_path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        cx_undo_unref(path->records[i]);
    }
    cx_free(path->records);
    *path = (struct cx_undo_path){0};
}

/* Undoes one change of the entries. */
static enum cx_status entries_undo(struct cx_tree *entries, const struct cx_undo *undo)
{
    struct cx_tree_item *replaced = NULL;
    enum cx_status status = CX_OK;

    if (undo->kind == CX_UNDO_ROOT) {
        cx_tree_done(&cx_entry_class, entries);
        *entries = cx_tree_copy(&undo->entries);
    } else if (undo->kind == CX_UNDO_ENTRY && undo->old_entry != NULL) {
        status = cx_tree_put(&cx_entry_class, entries, NULL,
                             cx_tree_item_ref(&undo->old_entry->item), &replaced);
        if (status != CX_OK) {
            cx_entry_unref(undo->old_entry);
        }
    } else if (undo->kind == CX_UNDO_ENTRY && undo->new_entry != NULL) {
        status = cx_tree_remove(&cx_entry_class, entries, NULL, cx_entry_key(undo->new_entry),
                                &replaced);
    }
    cx_tree_item_unref(&cx_entry_class, replaced);
    return status;
}

/* A state from before the context was created anew has the names of what it was then. */
static void snapshot_set_incarnation(struct cx_snapshot *snapshot, const struct cx_undo_path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        struct cx_context *ended = path->records[i]->ended;

        if (ended != NULL) {
            cx_tree_item_ref(&ended->item);
            cx_context_unref(snapshot->context);
            snapshot->context = ended;
            snapshot->namespace_id = cx_context_namespace(ended);
            snapshot->id = cx_context_id(ended);
            snapshot->type = cx_context_type(ended);
            snapshot->parent_id = cx_context_parent_id(ended);
            return;
        }
    }
}

enum cx_status cx_snapshot_go_back(struct cx_snapshot *snapshot, const struct cx_undo_path *path)
{
    const struct cx_undo *goal = path->records[0];
    struct cx_label_list labels = cx_labels_list(goal->labels);

    for (size_t i = path->count; i > 0; i--) {
        enum cx_status status = entries_undo(&snapshot->entries, path->records[i - 1]);

        if (status != CX_OK) {
            cx_snapshot_done(snapshot);
            return status;
        }
    }
    cx_labels_unref(snapshot->labels_held);
    snapshot->labels_held = cx_labels_ref(goal->labels);
    snapshot->labels = labels.items;
    snapshot->label_count = labels.count;
    snapshot->version = goal->version;
    snapshot->revision = goal->revision;
    snapshot->entry_count = goal->entry_count;
    snapshot->size_bytes = goal->size_bytes;
    snapshot->create_time_us = goal->create_time_us;
    snapshot->update_time_us = goal->update_time_us;
    snapshot->expire_time_us = goal->expire_time_us;
    snapshot_set_incarnation(snapshot, path);
    return CX_OK;
}
