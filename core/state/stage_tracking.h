/* The part of staging that concerns the tracker: activities and what they feed,
 * activations, resources, sessions. For stage*.c and apply*.c alone.
 *
 * What always holds: see stage.h. Threads: as there. */

#ifndef CX_STATE_STAGE_TRACKING_H
#define CX_STATE_STAGE_TRACKING_H

#include "core/state/stage.h"
#include "core/state/tracked.h"
#include "core/state/usage.h"

/* An activation that begins or ends. */
struct cx_staged_activation {
    struct cx_staged_activation *next;
    struct cx_activation *activation; /* One that begins is the stage's until it is applied. */
    bool begins;
};

/* A resource that is taken or given back. */
struct cx_staged_hold {
    struct cx_staged_hold *next;
    struct cx_resource *resource; /* A reference. */
    bool begins;
};

/* What a namespace's usage grows by. */
struct cx_staged_usage {
    struct cx_staged_usage *next;
    struct cx_namespace_usage *row; /* A use of it. */
    struct cx_usage_sums sums;
};

/* What becomes of a context's struct cx_tracked, apart from the edits of its trees. */
struct cx_staged_tracking {
    bool history_changes;
    bool history_shrinks;
    uint64_t last_sequence; /* These three: afterwards. */
    uint64_t history_count;
    uint64_t history_bytes;

    bool files_change;
    bool usage_changes;
    struct cx_tree files; /* Those that change: as they will be. */
    size_t file_count;
    struct cx_tree usage;
    size_t usage_count;

    struct cx_staged_usage *usages;
    struct cx_staged_activation *activations; /* First to last. */
    struct cx_staged_activation **activations_end;
    struct cx_staged_hold *holds;
    bool ends; /* The context does, and so do all activations and holds. */
};

/* Replay has no limits: what was logged is right. */
static inline bool cx_stage_is_planning(const struct cx_stage *stage)
{
    return stage->error != NULL;
}

/* Has the change's time written into something new, of which it takes one more reference.
 * CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_stage_stamp(struct cx_stage *stage,
                                            const struct cx_tree_class *kind,
                                            struct cx_tree_item *item, int64_t *time_us);

/* Stages what one activity adds to the files, or to the usage of context and namespace.
 * Fail like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_file(struct cx_stage *stage, const struct cx_tracked *tracked,
                                           struct cx_staged_tracking *result,
                                           const struct cx_file_operation *operation);
CX_MUST_CHECK enum cx_status cx_stage_usage(struct cx_stage *stage,
                                            const struct cx_context *context,
                                            struct cx_staged_tracking *result,
                                            const struct cx_model_usage *call);

/* Stages what an item says of the tracker, after the rest of it. `ends`: the context does.
 * Fails like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_tracking(struct cx_stage *stage, struct cx_change_item *item,
                                               struct cx_staged_item *staged, bool ends);

/* Whether the session and the items fit each other; to be asked after the last item. Sets
 * aside what the session takes. Fails like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_session_finish(struct cx_stage *stage,
                                                     const struct cx_change *change);

/* Releases what was not applied. */
void cx_staged_tracking_done(struct cx_staged_tracking *tracking); /* NULL is fine. */
void cx_staged_session_done(struct cx_staged_session *session);

#endif /* CX_STATE_STAGE_TRACKING_H */
