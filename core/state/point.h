/* Recovery points, and what else a context has that leads back to earlier states.
 *
 * What always holds:
 *
 *  (1) A point never changes once it is applied: what seems to change one puts another in its
 *      place. So whoever has a reference, or a copy of a tree of points, may read without a
 *      lock.
 *  (2) `points`, `ids`, `children` and `expiring` of a context name the same points; a parent
 *      is one of them, and older than its children.
 *  (3) Sequences are handed out once, rising; `head_point` is 0 or one of the points: the one
 *      that the head came from last.
 *
 * Threads: points and pasts are shared by any number of threads; a struct cx_recovery belongs
 * to the lock of its context's shard. */

#ifndef CX_STATE_POINT_H
#define CX_STATE_POINT_H

#include "core/base/limits.h"
#include "core/state/labels.h"
#include "core/state/past.h"
#include "core/state/recovery.h"
#include "core/tree/tree.h"

struct cx_context;
struct cx_tracked;

/* A whole state that is kept. */
struct cx_kept_state {
    struct cx_tree entries;
    struct cx_labels *labels; /* A reference. */
    struct cx_past *past;     /* A reference, whole. NULL: nothing had happened. */
    uint64_t version;
    uint64_t head_version;  /* Of the head that it was; of one aside, that it was made from. */
    uint64_t head_revision; /* Of the change that made that head. */
    uint64_t birth;         /* Of the context that it is a state of: see cx_context_birth(). */
    uint64_t entry_count;
    uint64_t size_bytes;
    int64_t create_time_us; /* Of the context, */
    int64_t update_time_us; /* and when this state was made. */
};

void cx_kept_state_done(struct cx_kept_state *state);

/* Shares all of it. */
struct cx_kept_state cx_kept_state_copy(const struct cx_kept_state *state);

struct cx_point {
    struct cx_tree_item item; /* The key: the sequence. `extra`: the id's size. */
    uint64_t sequence;
    uint64_t parent_sequence; /* 0: none. */
    uint64_t revision;        /* Of its creation. */
    int64_t create_time_us;
    int64_t expire_time_us; /* 0: never. */
    bool pinned;
    bool aside;     /* Its state was never the head's. */
    uint8_t origin; /* enum cx_point_origin */
    struct cx_labels *labels;
    struct cx_kept_state state;
    struct cx_tree attachments; /* Entries of version 0. */
    uint64_t attachment_count;
    uint8_t bytes[]; /* The key, the id. */
};

/* The class of trees of points by sequence. */
extern const struct cx_tree_class cx_point_class;

static inline struct cx_point *cx_point_of(struct cx_tree_item *item)
{
    return (struct cx_point *)item; /* Its first member. */
}

/* A point of this sequence and id; all else is zeroed. The caller owns a reference.
 * CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_point_new(uint64_t sequence, struct cx_bytes id,
                                          struct cx_point **ret_point);

/* A second one that shares all of the first. */
CX_MUST_CHECK enum cx_status cx_point_copy(const struct cx_point *point,
                                           struct cx_point **ret_point);
void cx_point_unref(struct cx_point *point); /* NULL is fine. */

struct cx_bytes cx_point_id(const struct cx_point *point);

/* Points that are dropped, or replaced, together. */
struct cx_dropped_points {
    size_t count;
    struct cx_point *points[]; /* A reference each. */
};

void cx_dropped_points_free(struct cx_dropped_points *dropped); /* NULL is fine. */

/* A row that leads to a point by something else than its sequence: the id; the parent's
 * sequence and its own; when it expires and its sequence. */
struct cx_point_row {
    struct cx_tree_item item;
    uint64_t sequence;
    uint8_t bytes[];
};

extern const struct cx_tree_class cx_point_row_class;

CX_MUST_CHECK enum cx_status cx_point_row_new(struct cx_bytes key, uint64_t sequence,
                                              struct cx_point_row **ret_row);

/* Two numbers as a key, that orders like them. */
struct cx_number_pair_key {
    uint8_t bytes[16];
};

struct cx_bytes cx_number_pair_key(struct cx_number_pair_key *key, uint64_t first, uint64_t second);

/* Attachments that came before their point. An item by the point's id. */
struct cx_pending_point {
    struct cx_tree_item item;
    struct cx_tree attachments;
    uint64_t attachment_count;
    uint8_t bytes[];
};

extern const struct cx_tree_class cx_pending_class;

CX_MUST_CHECK enum cx_status cx_pending_new(struct cx_bytes id,
                                            struct cx_pending_point **ret_pending);

static inline struct cx_pending_point *cx_pending_of(struct cx_tree_item *item)
{
    return (struct cx_pending_point *)item;
}

/* A state of another context that this one has all of: where it was forked from, or what was
 * merged into it last. Immutable, counted. */
struct cx_base {
    uint32_t refs;         /* Atomic. */
    struct cx_base *older; /* Of a fork: where its source was forked from. A reference. */
    uint32_t depth;        /* How many `older` there are, and itself. */
    uint64_t birth;        /* Of the other context: see cx_context_birth(); */
    uint64_t state_birth;  /* and of the one that the state is of: as of struct cx_kept_state. */
    uint64_t revision;     /* When it became common. */
    uint64_t version;
    uint64_t head_version; /* As of struct cx_kept_state. */
    struct cx_tree entries;
    uint64_t entry_count;
    struct cx_labels *labels;
    uint16_t id_size;
    uint8_t id[]; /* Of the other context, in the same namespace. */
};

CX_MUST_CHECK enum cx_status cx_base_new(struct cx_bytes id, struct cx_base **ret_base);

/* A second one that shares all of the first, but leads to none that is older. */
CX_MUST_CHECK enum cx_status cx_base_copy(const struct cx_base *base, struct cx_base **ret_base);
struct cx_base *cx_base_ref(struct cx_base *base); /* NULL is fine. */
void cx_base_unref(struct cx_base *base);          /* NULL is fine. */

static inline struct cx_bytes cx_base_id(const struct cx_base *base)
{
    return (struct cx_bytes){base->id, base->id_size};
}

/* What was merged into a context, a list. */
struct cx_merged {
    struct cx_merged *next;
    struct cx_base *base; /* A reference. */
};

void cx_merged_free(struct cx_merged *list); /* NULL is fine. */

/* What a context has beside its head and the states right before it. */
struct cx_recovery {
    struct cx_recovery_policy policy;
    uint64_t version_last; /* The last one handed out, where that is above the head's. */
    struct cx_tree points;
    struct cx_tree ids;
    struct cx_tree children;
    struct cx_tree expiring; /* Those that expire. */
    struct cx_tree pending;
    uint64_t point_count;
    uint64_t pending_count;
    uint64_t last_sequence;
    uint64_t head_point;
    uint64_t revived_revision;   /* When it was made anew, or undeleted, last; 0: never. */
    int64_t last_point_time_us;  /* 0: there was none. */
    struct cx_base *forked_from; /* A reference. NULL: it was created. */
    struct cx_merged *merged;    /* Newest first; at most CX_MERGE_BASES_MAX, no context twice. */

    /* Hints for plans, that say nothing of what there is. */
    uint64_t settled;       /* Points up to this sequence stay whatever is made. */
    uint64_t window_start;  /* Where the newest so many began last: a sequence, */
    uint64_t window_before; /* and how many points are before it. */
};

/* Nothing yet. NULL when out of memory. */
struct cx_recovery *cx_recovery_new(void);
void cx_recovery_free(struct cx_recovery *recovery); /* NULL is fine. */

/* The point of this sequence, or of this id; NULL: there is none. NULL has none. O(log n). */
struct cx_point *cx_recovery_find(const struct cx_recovery *recovery, uint64_t sequence);
struct cx_point *cx_recovery_find_id(const struct cx_recovery *recovery, struct cx_bytes id);

/* The newest, or the oldest, or NULL. O(log n). */
struct cx_point *cx_recovery_newest(const struct cx_recovery *recovery);
struct cx_point *cx_recovery_oldest(const struct cx_recovery *recovery);

/* The one right before a sequence, or NULL. O(log n). */
struct cx_point *cx_recovery_before(const struct cx_recovery *recovery, uint64_t sequence);

static inline bool cx_point_is_expired(const struct cx_point *point, int64_t now_us)
{
    return point->expire_time_us != 0 && point->expire_time_us <= now_us;
}

/* The sequence of the newest point but `keep_last - 1`: those before it are no more among the
 * newest `keep_last`, when `more` points will have been added. 0: all are. Remembers where that
 * was: O(points that came or went since + log n). */
uint64_t cx_recovery_window(struct cx_recovery *recovery, uint64_t keep_last, uint64_t more);

/* Says that a point has been taken out, so that what is remembered stays right. */
void cx_recovery_note_drop(struct cx_recovery *recovery, uint64_t sequence);

/* Continues a digest over all of it. NULL counts like one that is new. */
uint64_t cx_recovery_mix(uint64_t digest, const struct cx_recovery *recovery);

/* A view of a point of a context, as it is. Takes references. */
void cx_point_view_init(struct cx_point_view *view, struct cx_context *context,
                        struct cx_point *point, struct cx_point *parent);

/* The ids of rows of the list of points by revision. The revision of one that is still to come is
 * UINT64_MAX. */
struct cx_point_list_id {
    size_t size;
    uint8_t bytes[8 + CX_CONTEXT_ID_SIZE_MAX + 8];
};

void cx_point_list_id_init(struct cx_point_list_id *id, uint64_t revision,
                           struct cx_bytes context_id, uint64_t sequence);

/* Sets the revision, now that it is known. `row` is the id within its row. */
void cx_point_list_id_stamp(uint8_t *row, uint64_t revision);

/* What a row of that list, by its id, says. */
void cx_point_list_id_read(struct cx_bytes id, uint64_t *ret_revision,
                           struct cx_bytes *ret_context_id, uint64_t *ret_sequence);

#endif /* CX_STATE_POINT_H */
