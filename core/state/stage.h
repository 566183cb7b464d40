/* A change being made ready: everything new that it needs is built beside the state,
 * unseen, so that applying it cannot fail.
 *
 * What always holds:
 *
 *  (1) Staging changes nothing that anybody can see, and cx_stage_done() undoes it.
 *  (2) What it builds depends on the change and the state alone.
 *
 * Planning stages what it decides, and replay what it decodes: the same code.
 * Threads: under the locks of all shards that the change touches. */

#ifndef CX_STATE_STAGE_H
#define CX_STATE_STAGE_H

#include "core/base/error.h"
#include "core/state/change.h"
#include "core/state/state.h"

/* What one item of the change needs. */
struct cx_staged_item {
    const struct cx_name_key *key;
    struct cx_context *context;  /* The one that it changes; a create: the new one. */
    struct cx_context *replaced; /* A create: the tombstone of that name, or NULL. */
    struct cx_context *parent;   /* Of a create or an end of a live one, or NULL. */
    struct cx_labels *labels;    /* A reference, if they change. */
    size_t ended_children;       /* Of an end: the items before it that are below it. */
    struct cx_undo *undo;        /* Leads back to the state before. NULL: there is none. */
    struct cx_undo *carrier;     /* Takes other states to the garbage. A reference; NULL: none. */
    struct cx_tracked *bare;     /* What stays of a context whose states are dropped. Its own. */

    /* How the entries change. */
    enum cx_undo_kind edit;
    struct cx_entry *new_entry; /* CX_UNDO_ENTRY: a reference, or NULL for a removal. */
    struct cx_bytes edit_key;   /* CX_UNDO_ENTRY: of what is removed. */
    struct cx_tree entries;     /* CX_UNDO_ROOT. */
    uint64_t entry_count;
    uint64_t size_bytes;

    bool expiry_set;
    bool sliding;
    int64_t ttl_us;

    struct cx_staged_tracking *tracking; /* NULL: nothing changes there. In the arena. */
    struct cx_staged_points *points;     /* The same. */

    struct cx_recovery *recovery; /* Of a create: what the context begins with. Its own. */
    struct cx_base *forked_from;  /* Of a fork. A reference. */
    struct cx_merged *merged;     /* Of a merge. Its own. */
    bool policy_set;
    struct cx_recovery_policy policy;
};

/* What the session of the change needs. */
struct cx_staged_session {
    struct cx_session *session; /* A reference. NULL: there is none. */
    struct cx_name_key key;
    struct cx_row *row;            /* Of one that starts: in the list by start. Borrowed. */
    struct cx_activation *current; /* Of a switch. Borrowed. */
    bool parts;                    /* Ends, or begins to: its contexts' lives go on as they are. */
    size_t ended_activations;      /* Of one that ends: what the items end. */
    size_t ended_resources;
};

/* Something new that is to be told the time of the change. */
struct cx_stamp {
    struct cx_stamp *next;
    int64_t *time_us;
    const struct cx_tree_class *kind;
    struct cx_tree_item *item; /* Holds *time_us: a reference. */
};

/* A row, or a context, that goes into or out of a list. */
struct cx_list_edit {
    struct cx_list_edit *next;
    const struct cx_tree_class *kind;
    struct cx_tree *tree;
    struct cx_tree_item *added; /* A reference; NULL: `removed` goes. */
    struct cx_bytes removed;
};

struct cx_stage {
    struct cx_state *state;  /* Borrowed, like the next three. */
    struct cx_arena *arena;  /* For what lives as long as the stage. */
    struct cx_error *error;  /* NULL in a replay: what was logged is right. */
    uint64_t value_size_max; /* For planning. */
    struct cx_staged_item *items;
    size_t item_count;
    struct cx_list_edit *edits; /* First to last. */
    struct cx_list_edit **edits_end;
    struct cx_stamp *stamps;
    struct cx_staged_session session;
    struct cx_tree_need need;
    struct cx_tree_pool *pool; /* Of the first shard that is touched. */
};

/* Begins the stage of a change of up to `item_count` items. CX_RESOURCE_EXHAUSTED when
 * out of memory; the stage can be released all the same. */
CX_MUST_CHECK enum cx_status cx_stage_begin(struct cx_stage *stage, struct cx_state *state,
                                            struct cx_arena *arena, struct cx_error *error,
                                            size_t item_count);

/* Stages the next item, whose name is `key`; both outlive the stage. Its version and head, and of
 * a put `kept` and `value`, are set to what is to be logged while planning. Fails with
 * CX_RESOURCE_EXHAUSTED out of memory (with an error while planning), with what planning finds
 * wrong (SIZE_MISMATCH, LIMIT_REACHED), and in a replay with CX_DATA_LOSS when the item does not
 * fit the state. */
CX_MUST_CHECK enum cx_status cx_stage_item(struct cx_stage *stage, struct cx_bytes namespace_id,
                                           const struct cx_name_key *key,
                                           struct cx_change_item *item);

/* Stages what happens to the session of the change, if anything: before the first item. What
 * it tells of a session that is there is set while planning. Fails like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_session(struct cx_stage *stage,
                                              struct cx_session_change *change);

/* Sets aside what applying takes: after the last item. Fails like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_finish(struct cx_stage *stage,
                                             const struct cx_change *change);

/* Looks a live context up, also among those that this stage creates. */
struct cx_context *cx_stage_find(const struct cx_stage *stage, const struct cx_name_key *key);

/* Releases what was not applied. Safe on a stage that was applied. */
void cx_stage_done(struct cx_stage *stage);

#endif /* CX_STATE_STAGE_H */
