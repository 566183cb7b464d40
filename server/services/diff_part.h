/* What differs between the entries of two states, in parts that fill a message each.
 *
 * What always holds:
 *
 *  (1) Each difference is told once, in the order of the keys. One whose two values do not
 *      fit into a message together is told as two: that the entry was removed, then that it
 *      was added. Either way, who does what is told comes to the same state.
 *  (2) A part looks at no more than CX_OFFLOAD_ITEMS differences, passes as many entries
 *      that were set again to what they were, and what is made of it borrows values that lie in one
 * piece, and copies all else.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_DIFF_PART_H
#define CX_SERVICES_DIFF_PART_H

#include "core/state/state_diff.h"
#include "server/services/draft.h"

/* Which differences, and what is told of them. Borrowed while the parts are made. */
struct cx_diff_view {
    enum cx_state_diff_rule rule;
    struct cx_bytes key_prefix; /* Empty: all. */
    bool before_values;         /* With the values of the entries before, */
    bool after_values;          /* and after. */
};

/* A place among the differences. May be copied, to look ahead. */
struct cx_diff_place {
    struct cx_state_diff_walk walk;
    bool has_rest; /* What is left of one that is told as two. */
    struct cx_state_difference rest;
};

struct cx_diff_part {
    const struct cx_diff_view *view;
    struct cx_diff_place place;
    uint64_t size_max; /* What a single one may be packed into. */
    bool ended;        /* There is nothing behind the part that was made last. */
};

/* Begins. The snapshots and the view are borrowed until the last part is made. */
void cx_diff_part_begin(struct cx_diff_part *part, const struct cx_snapshot *before,
                        const struct cx_snapshot *after, const struct cx_diff_view *view,
                        uint64_t size_max);

/* Makes the next part: as many differences as `room` bytes of a message hold in a field
 * below 16; one at least, if there is any, where `one_at_least`. An array of *ret_count
 * messages, packed into *ret_size bytes; of none where there is no room, at the end, and after
 * many entries that are equal: then unless `ended`, the next part goes on. NULL, with
 * draft->failed, when out of memory. */
EntryDiff **cx_diff_part_make(struct cx_draft *draft, struct cx_diff_part *part, uint64_t room,
                              bool one_at_least, size_t *ret_count, uint64_t *ret_size);

/* Whether comparing the states, and telling it, may keep others waiting. */
bool cx_diff_is_heavy(const struct cx_snapshot *before, const struct cx_snapshot *after);

#endif /* CX_SERVICES_DIFF_PART_H */
