/* One context in memory: its head, the states before it that can still be read, and,
 * once deleted, its tombstone.
 *
 * What always holds:
 *
 *  (1) The names never change: whoever holds a reference may read them without a lock.
 *  (2) The states before the head are a chain of undo records, oldest first; undoing
 *      them from the newest down to one gives the state that it leads back to.
 *  (3) A deleted context has no expiry, is active in no session, and nothing of it is
 *      held. A bare one has no entries, labels, history, files, usage or undo records
 *      either: only its version, revision, fence and last sequence are left.
 *
 * Threads: everything but the names and `item.refs` belongs to the lock of the
 * context's shard. */

#ifndef CX_STATE_CONTEXT_H
#define CX_STATE_CONTEXT_H

#include "core/base/error.h"
#include "core/state/due.h"
#include "core/state/entry.h"
#include "core/state/labels.h"
#include "core/state/snapshot.h"

struct cx_dropped_points;
struct cx_kept_state;
struct cx_namespace;
struct cx_past;
struct cx_point;
struct cx_recovery;
struct cx_tracked;

enum cx_undo_kind { CX_UNDO_NOTHING, CX_UNDO_ENTRY, CX_UNDO_ROOT };

/* What leads from one state back to the one before it. Immutable but for `newer`
 * and `head_point`, which belong to the shard's lock. */
struct cx_undo {
    uint32_t refs; /* Atomic. */
    enum cx_undo_kind kind;
    struct cx_undo *newer;

    /* Of the state that it leads back to. */
    uint64_t version;
    uint64_t revision;       /* Of the last change while it was the newest. */
    uint64_t state_revision; /* Of the change that made it, */
    uint64_t birth_revision; /* and of the one that had made the context. */
    uint64_t head_point;     /* As of struct cx_recovery, when it ended. */
    uint64_t entry_count;
    uint64_t size_bytes;
    int64_t create_time_us;
    int64_t update_time_us;
    int64_t expire_time_us;
    struct cx_labels *labels; /* A reference. */

    /* Where that state had ended, and the context was created anew: the one that it was,
     * with its type and parent (a reference), and when it ended. Else NULL and 0. */
    struct cx_context *ended;
    int64_t end_time_us;

    /* CX_UNDO_ENTRY: the entry that was there, or NULL, and the one that is there
     * now, or NULL. CX_UNDO_ROOT: all entries. References. */
    struct cx_entry *old_entry;
    struct cx_entry *new_entry;
    struct cx_tree entries;

    struct cx_past *past; /* Where history, files and usage stood. A reference, or NULL. */

    /* Its own, of one that is garbage. Else NULL. */
    struct cx_tracked *dropped;
    struct cx_recovery *dropped_recovery;
    struct cx_dropped_points *dropped_points;
};

enum cx_context_life {
    CX_CONTEXT_LIVE,
    CX_CONTEXT_DELETED, /* Can be brought back. */
    CX_CONTEXT_BARE,    /* Only its last version is known. */
};

struct cx_context {
    struct cx_tree_item item; /* The key: namespace, NUL, id. `extra`: the type's size. */
    uint8_t life;             /* enum cx_context_life */
    uint8_t depth;            /* 1 without a parent. */
    bool sliding;
    uint8_t namespace_size;
    uint16_t parent_size;
    struct cx_due_mark due;      /* In the shard's heap. */
    uint32_t staged;             /* 1 + the item of the stage that changes it; 0: none does. */
    struct cx_namespace *totals; /* A reference of its totals. */
    struct cx_tracked *tracked;  /* NULL: nothing yet. Its own, like the next. */
    struct cx_recovery *recovery;
    struct cx_tree entries;
    struct cx_labels *labels;
    uint64_t version;
    uint64_t revision;       /* Of its last change of any kind. */
    uint64_t state_revision; /* Of the change that made this version. */
    uint64_t birth_revision; /* Of the change that made the context. */
    uint64_t change_count;   /* States of the head since its last recovery point. */
    uint64_t entry_count;
    uint64_t size_bytes;
    int64_t create_time_us;
    int64_t update_time_us;
    int64_t end_time_us; /* Live: when it expires, 0 never. Else: when it was deleted. */
    int64_t ttl_us;      /* 0: lives for ever. */
    struct cx_undo *undo_oldest;
    struct cx_undo *undo_newest;
    uint32_t undo_count;
    uint32_t child_count; /* Live contexts that name it as their parent. */
    uint8_t bytes[];      /* Namespace, NUL, id, type, parent id. */
};

/* The class of trees whose items are contexts. */
extern const struct cx_tree_class cx_context_class;

static inline struct cx_context *cx_context_of(struct cx_tree_item *item)
{
    return (struct cx_context *)item; /* Its first member. */
}

/* Makes a context that has never been written: version 0, bare. The caller owns a
 * reference. Takes a reference of `totals`. CX_RESOURCE_EXHAUSTED when out of
 * memory. */
CX_MUST_CHECK enum cx_status cx_context_new(struct cx_namespace *totals,
                                            struct cx_bytes namespace_name, struct cx_bytes id,
                                            struct cx_bytes type, struct cx_bytes parent_id,
                                            struct cx_context **ret_context);

void cx_context_unref(struct cx_context *context); /* NULL is fine. */

/* The names, borrowed for as long as the context lives. */
struct cx_bytes cx_context_namespace(const struct cx_context *context);
struct cx_bytes cx_context_id(const struct cx_context *context);
struct cx_bytes cx_context_type(const struct cx_context *context);
struct cx_bytes cx_context_parent_id(const struct cx_context *context);

/* What the tracker knows of it, to be written to. NULL when out of memory. */
struct cx_tracked *cx_context_tracked(struct cx_context *context);

/* What it has of earlier states, to be written to. NULL when out of memory. */
struct cx_recovery *cx_context_recovery(struct cx_context *context);

/* Tells a context from those that had its name before, and from others that the same change made:
 * by the revision that made it and its id. */
uint64_t cx_birth_of(uint64_t revision, struct cx_bytes id);

/* The same, of one that is there. */
uint64_t cx_context_birth(const struct cx_context *context);

/* The last version that was handed out: that of the head, or of a point beside it. */
uint64_t cx_context_version_last(const struct cx_context *context);

/* Its fence: that of the last exclusive activation. */
uint64_t cx_context_fence(const struct cx_context *context);

/* Whether it is there, as far as changes say. NULL is not. */
static inline bool cx_context_is_live(const struct cx_context *context)
{
    return context != NULL && context->life == CX_CONTEXT_LIVE;
}

/* Whether it is there for those who look at it at `now_us`. */
static inline bool cx_context_is_expired(const struct cx_context *context, int64_t now_us)
{
    return context->life == CX_CONTEXT_LIVE && context->end_time_us != 0 &&
           context->end_time_us <= now_us;
}

/* CONTEXT_NOT_FOUND, with the last version of a tombstone (NULL: there is none). */
enum cx_status cx_context_not_found(struct cx_error *error, const struct cx_context *tombstone);

/* Makes an undo record that leads back to the context's present state, its entries
 * left to the caller. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_undo_new(struct cx_context *context, struct cx_undo **ret_undo);

/* Makes one that leads nowhere, and only takes something to the garbage. */
CX_MUST_CHECK enum cx_status cx_undo_new_carrier(struct cx_undo **ret_undo);

void cx_undo_unref(struct cx_undo *undo); /* NULL is fine. */

/* Appends a record to the chain, which takes over the reference, and moves the oldest
 * to *garbage, linked by `newer`, until at most `count_max` are left. */
void cx_context_push_undo(struct cx_context *context, struct cx_undo *undo, uint64_t count_max,
                          struct cx_undo **garbage);

/* The latter alone. */
void cx_context_trim_undo(struct cx_context *context, uint64_t count_max, struct cx_undo **garbage);

/* Says that points have been dropped, which come by sequence: the states before the head come from
 * the nearest ancestors that stay. O(undo records * log points). */
void cx_context_note_drops(struct cx_context *context, struct cx_point *const *points,
                           size_t count);

/* The same of all points. */
void cx_context_note_no_points(struct cx_context *context);

/* Frees a list that is linked by `newer`. NULL is fine. O(what nobody else holds). */
void cx_undo_free_list(struct cx_undo *list);

/* Drops entries, labels and undo records. */
void cx_context_strip(struct cx_context *context);

/* The version that was the newest after the change of this revision, or 0 when that is
 * not known any more. O(undo records). */
uint64_t cx_context_version_of(const struct cx_context *context, uint64_t revision);

/* Takes a snapshot of the head. O(1). */
void cx_context_snapshot(struct cx_context *context, struct cx_snapshot *ret_snapshot);

/* Makes a snapshot of a state that is kept of it. O(1). */
void cx_snapshot_of_state(struct cx_context *context, const struct cx_kept_state *state,
                          struct cx_snapshot *ret_snapshot);

/* The undo record that leads back to a version, or to the newest state at a time, that is not the
 * head. NULL when that state is not retained. O(undo records). */
struct cx_undo *cx_context_find_undo(const struct cx_context *context,
                                     const struct cx_state_at *at);

/* The undo records from the state wanted to the newest, each with a reference. */
struct cx_undo_path {
    struct cx_undo **records;
    size_t count;
};

/* Finds the way back to what cx_context_find_undo() finds. `ret_path->records` is the caller's:
 * cx_undo_path_done(). CX_OUT_OF_RANGE when that state is not retained. O(undo records). */
CX_MUST_CHECK enum cx_status cx_context_find_path(const struct cx_context *context,
                                                  const struct cx_state_at *at,
                                                  struct cx_undo_path *ret_path);
void cx_undo_path_done(struct cx_undo_path *path);

/* Takes a snapshot of the head back along a path. On failure, for want of memory, the
 * snapshot is done. Needs no lock. O(entries undone). */
CX_MUST_CHECK enum cx_status cx_snapshot_go_back(struct cx_snapshot *snapshot,
                                                 const struct cx_undo_path *path);

#endif /* CX_STATE_CONTEXT_H */
