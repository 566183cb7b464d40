/* Staging what a change does to the entries of one context. Part of stage.c's work.
 *
 * Threads: as stage.h says. */

#ifndef CX_STATE_STAGE_ENTRIES_H
#define CX_STATE_STAGE_ENTRIES_H

#include "core/state/stage.h"

/* Stages the steps on entries. `base` is the entries before, whose numbers are in
 * `staged` and become those after. A single step is staged as an edit in place,
 * several as a changed copy. Fails like cx_stage_item(). */
CX_MUST_CHECK enum cx_status cx_stage_entries(struct cx_stage *stage, struct cx_tree *base,
                                              struct cx_change_item *item,
                                              struct cx_staged_item *staged);

/* Makes a changed copy of a tree of entries: `copy->entries`, with what counts them, which is
 * that of `base` before. Steps that are not about entries are left out. Fails like
 * cx_stage_item(), with copy->entries empty. */
struct cx_entries_copy {
    struct cx_tree entries;
    uint64_t entry_count;
    uint64_t size_bytes;
};

CX_MUST_CHECK enum cx_status cx_stage_entries_copy(struct cx_stage *stage,
                                                   const struct cx_tree *base, struct cx_op *ops,
                                                   size_t op_count, uint64_t version,
                                                   struct cx_entries_copy *copy);

#endif /* CX_STATE_STAGE_ENTRIES_H */
