/* One state of one context, to be read at leisure.
 *
 * What always holds:
 *
 *  (1) A snapshot never changes, whatever happens to its context.
 *  (2) It holds no lock; it holds memory until cx_snapshot_done().
 *
 * Threads: a snapshot is used by one thread at a time, any. */

#ifndef CX_STATE_SNAPSHOT_H
#define CX_STATE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/state/request.h"
#include "core/tree/tree.h"

struct cx_base;
struct cx_context;
struct cx_entry;
struct cx_labels;

struct cx_snapshot {
    /* Borrowed from the snapshot. */
    struct cx_bytes namespace_id;
    struct cx_bytes id;
    struct cx_bytes type;
    struct cx_bytes parent_id;
    const struct cx_label *labels; /* By key. */
    size_t label_count;

    uint64_t version;
    uint64_t revision;
    uint64_t entry_count;
    uint64_t size_bytes;
    int64_t create_time_us;
    int64_t update_time_us;
    int64_t expire_time_us; /* 0: never. */
    int64_t delete_time_us; /* 0: not deleted. */
    uint64_t fence;         /* Of the context, when the snapshot was taken; so the next. */
    struct cx_recovery_policy policy;
    struct cx_bytes forked_from_id; /* Empty: it was created. */
    uint64_t forked_from_version;

    /* The state's own. */
    struct cx_context *context;
    struct cx_base *origin;
    struct cx_labels *labels_held;
    struct cx_tree entries;
};

/* One entry of a snapshot. Borrowed from it. */
struct cx_entry_view {
    struct cx_bytes key;
    struct cx_bytes content_type;
    uint64_t version;
    uint64_t value_size;
    const struct cx_entry *entry;
};

/* What there is to see of an entry, borrowed from it. */
struct cx_entry_view cx_entry_view_of(const struct cx_entry *entry);

/* Releases what the snapshot holds. Safe on a zeroed one, and twice. */
void cx_snapshot_done(struct cx_snapshot *snapshot);

/* Finds an entry. False when there is none. O(log n). */
bool cx_snapshot_find(const struct cx_snapshot *snapshot, struct cx_bytes key,
                      struct cx_entry_view *ret_entry);

/* Walks the entries in the order of their keys, or backwards. */
struct cx_entry_walk {
    struct cx_tree_cursor cursor;
    struct cx_tree_item *next; /* NULL: at the end. */
    bool reverse;
};

/* Begins at the first entry whose key is `key` or behind it. */
void cx_snapshot_walk(const struct cx_snapshot *snapshot, struct cx_bytes key,
                      struct cx_entry_walk *ret_walk);

/* Begins at the last entry whose key is before `key`; empty: at the last of all. */
void cx_snapshot_walk_back(const struct cx_snapshot *snapshot, struct cx_bytes key,
                           struct cx_entry_walk *ret_walk);

/* The next entry. False at the end. Amortized O(1). */
bool cx_entry_walk_next(struct cx_entry_walk *walk, struct cx_entry_view *ret_entry);

/* The value in one piece if it is one: small values are. Empty `data` otherwise. */
struct cx_bytes cx_entry_value(const struct cx_entry_view *entry);

/* Copies the value into `memory`, which has room for `value_size` bytes. */
void cx_entry_value_copy(const struct cx_entry_view *entry, uint8_t *memory);

#endif /* CX_STATE_SNAPSHOT_H */
