#include "core/state/snapshot.h"

#include <assert.h>

#include "core/state/context.h"
#include "core/state/point.h"

void cx_snapshot_done(struct cx_snapshot *snapshot)
{
    cx_tree_done(&cx_entry_class, &snapshot->entries);
    cx_labels_unref(snapshot->labels_held);
    cx_base_unref(snapshot->origin);
    cx_context_unref(snapshot->context);
    memset(snapshot, 0, sizeof *snapshot);
}

struct cx_entry_view cx_entry_view_of(const struct cx_entry *entry)
{
    return (struct cx_entry_view){
        .key = cx_entry_key(entry),
        .content_type = cx_entry_content_type(entry),
        .version = entry->version,
        .value_size = cx_entry_value_size(entry),
        .entry = entry,
    };
}

bool cx_snapshot_find(const struct cx_snapshot *snapshot, struct cx_bytes key,
                      struct cx_entry_view *ret_entry)
{
    struct cx_tree_item *item = cx_tree_get(&cx_entry_class, &snapshot->entries, key);

    if (item == NULL) {
        return false;
    }
    *ret_entry = cx_entry_view_of(cx_entry_of(item));
    return true;
}

void cx_snapshot_walk(const struct cx_snapshot *snapshot, struct cx_bytes key,
                      struct cx_entry_walk *ret_walk)
{
    ret_walk->reverse = false;
    ret_walk->next = cx_tree_seek(&cx_entry_class, &snapshot->entries, key, &ret_walk->cursor);
}

void cx_snapshot_walk_back(const struct cx_snapshot *snapshot, struct cx_bytes key,
                           struct cx_entry_walk *ret_walk)
{
    ret_walk->reverse = true;
    ret_walk->next = key.size > 0 ? cx_tree_seek_before(&cx_entry_class, &snapshot->entries, key,
                                                        &ret_walk->cursor)
                                  : cx_tree_last(&snapshot->entries, &ret_walk->cursor);
}

bool cx_entry_walk_next(struct cx_entry_walk *walk, struct cx_entry_view *ret_entry)
{
    if (walk->next == NULL) {
        return false;
    }
    *ret_entry = cx_entry_view_of(cx_entry_of(walk->next));
    walk->next = walk->reverse ? cx_tree_previous(&walk->cursor) : cx_tree_next(&walk->cursor);
    return true;
}

struct cx_bytes cx_entry_value(const struct cx_entry_view *entry)
{
    return cx_entry_inline_value(entry->entry);
}

void cx_entry_value_copy(const struct cx_entry_view *entry, uint8_t *memory)
{
    cx_entry_read(entry->entry, memory, entry->value_size);
}
