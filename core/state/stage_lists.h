/* The part of staging that edits lists: what comes into a tree when the change is applied,
 * and what goes. For stage*.c alone.
 *
 * All of these fail with CX_RESOURCE_EXHAUSTED when out of memory.
 *
 * What always holds: see stage.h. Threads: as there. */

#ifndef CX_STATE_STAGE_LISTS_H
#define CX_STATE_STAGE_LISTS_H

#include "core/state/stage.h"

static inline struct cx_shard *cx_stage_shard(const struct cx_stage *stage,
                                              const struct cx_name_key *key)
{
    return &stage->state->shards[key->shard];
}

/* Takes over the reference of `item`, also on failure. */
CX_MUST_CHECK enum cx_status cx_stage_list_add(struct cx_stage *stage, struct cx_tree *tree,
                                               const struct cx_tree_class *kind,
                                               struct cx_tree_item *item);

/* `key` outlives the stage. */
CX_MUST_CHECK enum cx_status cx_stage_list_remove(struct cx_stage *stage, struct cx_tree *tree,
                                                  const struct cx_tree_class *kind,
                                                  struct cx_bytes key);

/* Adds or removes a row. */
CX_MUST_CHECK enum cx_status cx_stage_row(struct cx_stage *stage, struct cx_tree *tree,
                                          const struct cx_row_names *names, bool add);

/* The rows of those labels of `list` that `other` does not have. */
CX_MUST_CHECK enum cx_status cx_stage_label_rows(struct cx_stage *stage,
                                                 const struct cx_staged_item *staged,
                                                 struct cx_label_list list,
                                                 struct cx_label_list other, bool add);

/* The row of the type, if there is one. */
CX_MUST_CHECK enum cx_status cx_stage_type_row(struct cx_stage *stage,
                                               const struct cx_staged_item *staged, bool add);

/* Finds the parent, if there is one, and edits its list of children. CX_DATA_LOSS when it is
 * not there, which planning has made sure of. */
CX_MUST_CHECK enum cx_status cx_stage_parent_row(struct cx_stage *stage,
                                                 struct cx_staged_item *staged, bool add);

#endif /* CX_STATE_STAGE_LISTS_H */
