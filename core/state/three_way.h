/* What a merge makes of each entry, and of each label, that its source changed. There are
 * three sides: the ancestor, which the other two came from, the target, which the merge
 * changes, and the source, whose changes it takes. This only judges; what follows from it
 * is the caller's.
 *
 * What always holds:
 *
 *  (1) Each key that the source changed since the ancestor is told once, in order, and no
 *      other. Two entries are the same when their values and their content types are
 *      equal, whichever versions they have: one that was put anew as it was is unchanged.
 *      Two labels are the same when their values are equal.
 *  (2) What only the source changed is to be taken. Where both came to the same, also to
 *      nothing, there is nothing to do. All else is a conflict: also where one removed
 *      what the other changed.
 *  (3) Every key is judged by itself alone: a target that has taken all that is to be
 *      taken is the same as the source at each key that was told and is no conflict, and
 *      as it was at all others. A second walk has nothing to take then.
 *  (4) Nothing is allocated, and no reference is taken.
 *
 * Threads: a walk is used by one thread at a time, which holds all that it walks over. */

#ifndef CX_STATE_THREE_WAY_H
#define CX_STATE_THREE_WAY_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/state/entry.h"
#include "core/state/labels.h"
#include "core/tree/diff.h"
#include "core/tree/tree.h"

enum cx_three_way_kind {
    CX_THREE_WAY_TAKE = 1, /* Only the source changed it: the target is to have the same. */
    CX_THREE_WAY_SAME,     /* Both came to the same. */
    CX_THREE_WAY_CONFLICT, /* Both changed it, and not to the same. */
};

/* ---- Entries. -------------------------------------------------------------- */

/* One key that the source changed. Borrowed from the trees. */
struct cx_three_way_step {
    enum cx_three_way_kind kind;
    struct cx_bytes key;
    struct cx_entry *ancestor; /* NULL: it has none. Not all three have none. */
    struct cx_entry *target;
    struct cx_entry *source;
};

/* Nothing to release. */
struct cx_three_way {
    const struct cx_tree *target;
    struct cx_tree_diff changes; /* From the ancestor to the source. */
};

/* Begins a walk over three trees of entries, whose values are of one table of chunks. They
 * neither change nor are dropped while it is in use. O(log n). */
void cx_three_way_begin(struct cx_three_way *walk, const struct cx_tree *ancestor,
                        const struct cx_tree *target, const struct cx_tree *source);

/* The next step. False, with nothing written, at the end. In all it costs what finding the
 * changes of the source costs (core/tree/diff.h), and O(log n) for each, whatever the
 * target changed. */
bool cx_three_way_next(struct cx_three_way *walk, struct cx_three_way_step *ret_step);

/* ---- Labels. --------------------------------------------------------------- */

/* One label that the source changed. Borrowed from the lists. */
struct cx_three_way_label_step {
    enum cx_three_way_kind kind;
    struct cx_bytes key;
    const struct cx_label *ancestor; /* NULL: it has none. Not all three have none. */
    const struct cx_label *target;
    const struct cx_label *source;
};

/* Nothing to release. */
struct cx_three_way_labels {
    struct cx_label_list ancestor; /* What is left of it. */
    struct cx_label_list target;
    struct cx_label_list source; /* What is left of it. */
};

/* Begins a walk over three lists, which stay while it is in use. O(1). */
void cx_three_way_labels_begin(struct cx_three_way_labels *walk, struct cx_label_list ancestor,
                               struct cx_label_list target, struct cx_label_list source);

/* The next step. False, with nothing written, at the end. In all O(labels of ancestor and
 * source), and O(log labels) for each that the source changed. */
bool cx_three_way_labels_next(struct cx_three_way_labels *walk,
                              struct cx_three_way_label_step *ret_step);

#endif /* CX_STATE_THREE_WAY_H */
