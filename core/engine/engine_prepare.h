/* What restores and merges work out of whole states, outside of the locks. For core/engine
 * alone.
 *
 * Threads: belongs to whoever made it. */

#ifndef CX_ENGINE_ENGINE_PREPARE_H
#define CX_ENGINE_ENGINE_PREPARE_H

#include "core/engine/engine_internal.h"
#include "core/engine/recovery.h"
#include "core/state/point.h"

/* Steps being collected, in an arena. Zeroed at first. */
struct cx_step_list {
    struct cx_arena arena;
    struct cx_op *ops;
    size_t count;
    size_t capacity;
    uint64_t weight;     /* As events count it. */
    uint64_t weight_max; /* More is left out: 0: all is taken. */
    bool too_large;
    uint64_t changed_count; /* Entries, also of those left out. */
};

/* Adds that an entry is put as it is there, or deleted where `entry` is NULL; that a label is
 * set, or deleted. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_steps_add_entry(struct cx_step_list *steps, struct cx_bytes key,
                                                const struct cx_entry *entry);
CX_MUST_CHECK enum cx_status cx_steps_add_label(struct cx_step_list *steps, struct cx_bytes key,
                                                const struct cx_label *label);
void cx_steps_reset(struct cx_step_list *steps);
void cx_steps_done(struct cx_step_list *steps);

/* The steps from one state to another. An entry that was only set again is a step, but counts as
 * no change. */
CX_MUST_CHECK enum cx_status cx_steps_between(struct cx_step_list *steps,
                                              const struct cx_snapshot *before,
                                              const struct cx_kept_state *after);

#endif /* CX_ENGINE_ENGINE_PREPARE_H */
