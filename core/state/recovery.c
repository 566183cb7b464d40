#include "core/state/recovery.h"

#include <string.h>

#include "core/base/memory.h"
#include "core/state/context.h"
#include "core/state/entry.h"
#include "core/state/point.h"

void cx_point_view_init(struct cx_point_view *view, struct cx_context *context,
                        struct cx_point *point, struct cx_point *parent)
{
    struct cx_label_list labels = cx_labels_list(point->labels);

    cx_tree_item_ref(&point->item);
    if (parent != NULL) {
        cx_tree_item_ref(&parent->item);
    }
    *view = (struct cx_point_view){
        .id = cx_point_id(point),
        .parent_id = parent != NULL ? cx_point_id(parent) : (struct cx_bytes){0},
        .sequence = point->sequence,
        .revision = point->revision,
        .create_time_us = point->create_time_us,
        .expire_time_us = point->expire_time_us,
        .pinned = point->pinned,
        .origin = (enum cx_point_origin)point->origin,
        .labels = labels.items,
        .label_count = labels.count,
        .attachment_count = point->attachment_count,
        .attachments = cx_tree_copy(&point->attachments),
        .point = point,
        .parent = parent,
    };
    cx_snapshot_of_state(context, &point->state, &view->state);
}

void cx_point_view_done(struct cx_point_view *view)
{
    cx_snapshot_done(&view->state);
    cx_tree_done(&cx_entry_class, &view->attachments);
    cx_point_unref(view->point);
    cx_point_unref(view->parent);
    memset(view, 0, sizeof *view);
}

void cx_point_walk_attachments(const struct cx_point_view *view, struct cx_bytes key,
                               struct cx_entry_walk *ret_walk)
{
    /* They are read like the entries of a state. */
    const struct cx_snapshot attachments = {.entries = view->attachments};

    cx_snapshot_walk(&attachments, key, ret_walk);
}

void cx_point_page_done(struct cx_point_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        cx_point_view_done(&page->rows[i]);
    }
    cx_free(page->rows);
    memset(page, 0, sizeof *page);
}

void cx_merge_result_done(struct cx_merge_result *result)
{
    for (size_t i = 0; i < 3; i++) {
        cx_snapshot_done(&result->states[i]);
    }
    cx_free(result->memory);
    memset(result, 0, sizeof *result);
}
