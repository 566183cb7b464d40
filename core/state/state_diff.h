/* The entries in which two states differ, in the order of their keys.
 *
 * What always holds:
 *
 *  (1) Each key is told once: with both entries, or with the one that there is.
 *  (2) Entries that the states share are not looked at, so that states of one context,
 *      or of forks, are compared in O(changes * log n).
 *  (3) What lies behind the prefix that was asked for is not looked at.
 *  (4) Nothing is allocated, and nothing is held but what the snapshots hold.
 *
 * Threads: a walk is used by one thread at a time, which has both snapshots. */

#ifndef CX_STATE_STATE_DIFF_H
#define CX_STATE_STATE_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/state/snapshot.h"
#include "core/tree/diff.h"

/* When an entry that both states have differs. */
enum cx_state_diff_rule {
    CX_DIFFERS_WHEN_SET, /* It was set again, perhaps to what it was. */
    CX_DIFFERS_IN_VALUE, /* Its value or its content type is another one. */
};

/* A place in both. May be copied, to look ahead. Nothing to release. */
struct cx_state_diff_walk {
    struct cx_tree_diff diff;
    enum cx_state_diff_rule rule;
    struct cx_bytes key_prefix;

    /* Entries set again to what they were that it passes before it pauses. May be set anew at
     * any time, by who does not want to wait for the next difference. */
    uint64_t equal_left;
};

/* One that differs. Borrowed from the snapshots. */
struct cx_state_difference {
    bool has_before;
    bool has_after;
    struct cx_entry_view before;
    struct cx_entry_view after;
};

/* Begins at the first key that has the prefix; empty: at the first of all. It does not pause.
 * The prefix and the snapshots, of one engine, are borrowed; a zeroed one has no entries.
 * O(log n). */
void cx_state_diff_walk_begin(struct cx_state_diff_walk *walk, const struct cx_snapshot *before,
                              const struct cx_snapshot *after, struct cx_bytes key_prefix,
                              enum cx_state_diff_rule rule);

/* The next entry that differs. False, with nothing written, at the end, or where `equal_left`
 * is 0: then it goes on from there once that was set anew. O(1) for every
 * entry that only one of the states holds, all in all: values are not read, but small
 * ones. */
bool cx_state_diff_walk_next(struct cx_state_diff_walk *walk,
                             struct cx_state_difference *ret_difference);

#endif /* CX_STATE_STATE_DIFF_H */
