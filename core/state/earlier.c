#include "core/state/earlier.h"

#include <assert.h>
#include <inttypes.h>

/* ---- Finding. --------------------------------------------------------------- */

enum cx_status cx_point_not_found(const struct cx_context *context, struct cx_error *error)
{
    const struct cx_point *oldest = cx_recovery_oldest(context->recovery);
    enum cx_status status;

    if (oldest == NULL) {
        return cx_error_set(error, CX_REASON_RECOVERY_POINT_NOT_FOUND,
                            "there is no such recovery point; the context has none");
    }
    status = cx_error_set(error, CX_REASON_RECOVERY_POINT_NOT_FOUND,
                          "there is no such recovery point; the oldest one is %.*s",
                          (int)cx_point_id(oldest).size, (const char *)cx_point_id(oldest).data);
    cx_error_detail(error, "oldest_id", cx_point_id(oldest));
    return status;
}

static enum cx_status not_retained(const struct cx_context *context, struct cx_error *error)
{
    const struct cx_point *point = cx_recovery_oldest(context->recovery);
    uint64_t oldest =
        context->undo_oldest != NULL ? context->undo_oldest->version : context->version;
    enum cx_status status =
        cx_error_set(error, CX_REASON_STATE_NOT_RETAINED,
                     "that state is not kept; versions %" PRIu64 " to %" PRIu64 " are%s", oldest,
                     context->version, point != NULL ? ", and those of the recovery points" : "");

    cx_error_detail_number(error, "oldest_version", oldest);
    cx_error_detail_number(error, "newest_version", context->version);
    return status;
}

/* What is known of the states of the head around a time. */
struct moment_search {
    int64_t time_us;
    const struct cx_point *before; /* The last state made until then. */
    uint64_t after_version;        /* The first one known that was made later; 0: none. */
};

static void search_see(struct moment_search *search, const struct cx_point *point)
{
    uint64_t version = point->state.version;

    if (point->aside) {
        return;
    }
    if (point->state.update_time_us > search->time_us) {
        search->after_version = search->after_version == 0 || version < search->after_version
                                    ? version
                                    : search->after_version;
    } else if (search->before == NULL || version > search->before->state.version ||
               (version == search->before->state.version &&
                point->create_time_us > search->before->create_time_us)) {
        search->before = point;
    }
}

/* Whether the context was not there for a while between a state that a point was made of, or what
 * it was forked from, and the one that it has now. */
static bool is_from_before(const struct cx_context *context, const struct cx_point *point)
{
    return point->revision < context->birth_revision ||
           point->revision < context->recovery->revived_revision;
}

/* The point whose state was the newest at a time: it was still when the point was made later,
 * or the next version was. Several changes may have one time. */
static const struct cx_point *find_point_at(const struct cx_context *context, int64_t time_us,
                                            int64_t now_us)
{
    struct moment_search search = {.time_us = time_us};
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&cx_point_class, &context->recovery->points, (struct cx_bytes){0}, &cursor);

    if (context->update_time_us > time_us) {
        search.after_version = context->version;
    }
    if (context->undo_oldest != NULL && context->undo_oldest->update_time_us > time_us) {
        search.after_version = context->undo_oldest->version;
    }
    for (; item != NULL; item = cx_tree_next(&cursor)) {
        if (!cx_point_is_expired(cx_point_of(item), now_us)) {
            search_see(&search, cx_point_of(item));
        }
    }
    if (search.before == NULL) {
        return NULL;
    }
    if (search.before->create_time_us > time_us) {
        return search.before;
    }
    return search.after_version == search.before->state.version + 1 &&
                   !is_from_before(context, search.before)
               ? search.before
               : NULL;
}

static const struct cx_point *find_point_of_version(const struct cx_context *context,
                                                    uint64_t version, int64_t now_us)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = cx_tree_last(&context->recovery->points, &cursor);

    while (item != NULL && (cx_point_of(item)->state.version != version ||
                            cx_point_is_expired(cx_point_of(item), now_us))) {
        item = cx_tree_previous(&cursor);
    }
    return item != NULL ? cx_point_of(item) : NULL;
}

static bool is_head(const struct cx_context *context, const struct cx_state_at *at)
{
    if (at->version != 0) {
        return at->version == context->version;
    }
    return at->time_us == 0 || at->time_us >= context->update_time_us;
}

enum cx_status cx_earlier_find(const struct cx_context *context, const struct cx_state_at *at,
                               int64_t now_us, struct cx_base_ref *ret_ref, struct cx_error *error)
{
    const struct cx_point *point = NULL;
    const struct cx_undo *undo;

    if (at->point_id.size > 0) {
        point = cx_recovery_find_id(context->recovery, at->point_id);
        if (point == NULL || cx_point_is_expired(point, now_us)) {
            return cx_point_not_found(context, error);
        }
        *ret_ref = (struct cx_base_ref){CX_BASE_POINT, point->sequence};
        return CX_OK;
    }
    if (is_head(context, at)) {
        *ret_ref = (struct cx_base_ref){CX_BASE_HEAD, context->version};
        return CX_OK;
    }
    undo = cx_context_find_undo(context, at);
    if (undo != NULL) {
        *ret_ref = (struct cx_base_ref){CX_BASE_VERSION, undo->version};
        return CX_OK;
    }
    if (context->recovery != NULL && context->recovery->point_count > 0) {
        point = at->version != 0 ? find_point_of_version(context, at->version, now_us)
                                 : find_point_at(context, at->time_us, now_us);
    }
    if (point == NULL) {
        return not_retained(context, error);
    }
    *ret_ref = (struct cx_base_ref){CX_BASE_POINT, point->sequence};
    return CX_OK;
}

/* ---- Taking. ---------------------------------------------------------------- */

static enum cx_status take_head(struct cx_context *context, struct cx_kept_state *ret_state)
{
    struct cx_past *past;

    if (cx_past_take(context->tracked, &past) != CX_OK) {
        return CX_RESOURCE_EXHAUSTED;
    }
    *ret_state = (struct cx_kept_state){
        .entries = cx_tree_copy(&context->entries),
        .labels = cx_labels_ref(context->labels),
        .past = past,
        .version = context->version,
        .head_version = context->version,
        .head_revision = context->state_revision,
        .birth = cx_context_birth(context),
        .entry_count = context->entry_count,
        .size_bytes = context->size_bytes,
        .create_time_us = context->create_time_us,
        .update_time_us = context->update_time_us,
    };
    return CX_OK;
}

static enum cx_status take_version(struct cx_context *context, uint64_t version,
                                   struct cx_kept_state *ret_state)
{
    const struct cx_state_at at = {.version = version};
    struct cx_undo_path path;
    struct cx_snapshot snapshot;
    struct cx_past *past;
    uint64_t state_revision;
    uint64_t birth;
    enum cx_status status = cx_context_find_path(context, &at, &path);

    if (status != CX_OK) {
        return status == CX_OUT_OF_RANGE ? CX_DATA_LOSS : status;
    }
    status = cx_past_whole(path.records[0]->past, context->tracked, &past);
    if (status != CX_OK) {
        cx_undo_path_done(&path);
        return status;
    }
    state_revision = path.records[0]->state_revision;
    birth = cx_birth_of(path.records[0]->birth_revision, cx_context_id(context));
    cx_context_snapshot(context, &snapshot);
    status = cx_snapshot_go_back(&snapshot, &path);
    cx_undo_path_done(&path);
    if (status != CX_OK) {
        cx_past_unref(past);
        return status;
    }
    *ret_state = (struct cx_kept_state){
        .entries = cx_tree_copy(&snapshot.entries),
        .labels = cx_labels_ref(snapshot.labels_held),
        .past = past,
        .version = snapshot.version,
        .head_version = snapshot.version,
        .head_revision = state_revision,
        .birth = birth,
        .entry_count = snapshot.entry_count,
        .size_bytes = snapshot.size_bytes,
        .create_time_us = snapshot.create_time_us,
        .update_time_us = snapshot.update_time_us,
    };
    cx_snapshot_done(&snapshot);
    return CX_OK;
}

enum cx_status cx_earlier_take(struct cx_context *context, const struct cx_base_ref *ref,
                               struct cx_kept_state *ret_state)
{
    const struct cx_point *point;

    switch (ref->kind) {
    case CX_BASE_POINT:
        point = cx_recovery_find(context->recovery, ref->number);
        if (point == NULL) {
            return CX_DATA_LOSS;
        }
        *ret_state = cx_kept_state_copy(&point->state);
        return CX_OK;
    case CX_BASE_VERSION:
        return take_version(context, ref->number, ret_state);
    case CX_BASE_HEAD:
        return ref->number == context->version ? take_head(context, ret_state) : CX_DATA_LOSS;
    case CX_BASE_NONE:
        break;
    }
    return CX_DATA_LOSS;
}

uint64_t cx_earlier_version(const struct cx_context *context, const struct cx_base_ref *ref)
{
    const struct cx_point *point;

    if (ref->kind != CX_BASE_POINT) {
        return ref->number;
    }
    point = cx_recovery_find(context->recovery, ref->number);
    return point != NULL ? point->state.version : 0;
}

uint64_t cx_earlier_end_revision(const struct cx_context *context, const struct cx_base_ref *ref)
{
    const struct cx_state_at at = {.version = ref->number};
    const struct cx_undo *undo;
    const struct cx_point *point;

    if (ref->kind == CX_BASE_HEAD) {
        return UINT64_MAX;
    }
    if (ref->kind == CX_BASE_POINT) {
        point = cx_recovery_find(context->recovery, ref->number);
        return point != NULL ? point->revision : 0;
    }
    undo = cx_context_find_undo(context, &at);
    return undo != NULL ? undo->revision : 0;
}
