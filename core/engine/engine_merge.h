/* Lists that lie in pieces, one per shard, walked as one. For core/engine alone.
 *
 * A walk takes copies of the pieces under the shards' locks, one after the other, and merges
 * them outside: no lock is held for long, and what was in the list all the time is shown
 * once.
 *
 * Threads: a walk belongs to whoever made it. */

#ifndef CX_ENGINE_ENGINE_MERGE_H
#define CX_ENGINE_ENGINE_MERGE_H

#include "core/engine/engine_internal.h"

/* The piece of one shard, and where the walk is in it. */
struct cx_merge_source {
    struct cx_tree tree;
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item; /* NULL: at the end. */
    struct cx_bytes id;        /* Of the item. */
};

/* The fields down to `prefix` are set by the caller; the rest is zeroed. */
struct cx_merge {
    const struct cx_tree_class *kind;
    struct cx_bytes (*id_of)(const struct cx_tree_item *item); /* What the merge orders by. */
    struct cx_bytes prefix; /* What the keys that are asked for begin with. */
    struct cx_merge_source sources[CX_SHARDS];
    size_t source_count;
};

/* Adds a shard's piece of the list, from the key `start` on, but without the item of the id
 * `after`, if that is there. */
void cx_merge_open(struct cx_merge *merge, struct cx_engine *engine, unsigned shard,
                   const struct cx_tree *piece, struct cx_bytes start, struct cx_bytes after);

/* Begins, when all pieces are there. */
void cx_merge_begin(struct cx_merge *merge);

/* The item that comes next, borrowed from the walk, and its id; NULL at the end. O(1). */
struct cx_tree_item *cx_merge_first(const struct cx_merge *merge, struct cx_bytes *ret_id);

/* Goes on to the one behind. O(log pieces). */
void cx_merge_advance(struct cx_merge *merge);

void cx_merge_done(struct cx_merge *merge);

#endif /* CX_ENGINE_ENGINE_MERGE_H */
