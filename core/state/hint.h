/* Hints: asking for the memory that a change is going to need, some changes ahead.
 *
 * A change touches a dozen places of a context that may all have to come from main
 * memory, one after the other: together that takes longer than all the rest. Whoever
 * knows the next changes asks for these places in steps, each for what the step before
 * has made known, while other changes are made in between.
 *
 * What always holds:
 *
 *  (1) A hint changes nothing. It may be about nothing or about something else, and
 *      costs time alone then.
 *
 * Threads: the lock of the context's shard, for each step anew. */

#ifndef CX_STATE_HINT_H
#define CX_STATE_HINT_H

#include "core/state/state.h"

struct cx_hint {
    uint64_t hash;       /* Of the context's name: see cx_name_key_init(). */
    struct cx_bytes key; /* Of the entry that changes first. Borrowed; may be empty. */
};

/* The steps, in their order: the context's place in the table, the context, what it
 * points at, and the entries that lie behind that. */
void cx_hint_place(const struct cx_state *state, const struct cx_hint *hint);
void cx_hint_context(const struct cx_state *state, const struct cx_hint *hint);
void cx_hint_parts(const struct cx_state *state, const struct cx_hint *hint);
void cx_hint_entry(const struct cx_state *state, const struct cx_hint *hint);

#endif /* CX_STATE_HINT_H */
