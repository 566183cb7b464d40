/* What was logged, applied again: the state after a restart.
 *
 * What always holds: records are applied in their order, a few behind the one that was
 * added last, so that what the next ones will touch comes from memory meanwhile. A
 * restart is bound by those cache misses, not by its instructions.
 *
 * Threads: alone with the state. */

#ifndef CX_STATE_REPLAY_H
#define CX_STATE_REPLAY_H

#include "core/state/state.h"

struct cx_replay;

/* The caller owns *ret_replay. Borrows the state. CX_RESOURCE_EXHAUSTED when out of
 * memory. */
CX_MUST_CHECK enum cx_status cx_replay_new(struct cx_state *state, struct cx_replay **ret_replay);

/* Tells of each context that is purged, by the hash of its name and the change's revision. To be
 * set before the first record; none at first. */
typedef void (*cx_replay_purged_fn)(void *arg, uint64_t hash, uint64_t revision);
void cx_replay_on_purge(struct cx_replay *replay, cx_replay_purged_fn purged, void *arg);

/* Adds a record; its payload is copied. Applies the one that was added a few before.
 * Fails with CX_DATA_LOSS when a payload is no change or does not fit the state, which a
 * log that is whole never shows, and CX_RESOURCE_EXHAUSTED when out of memory. After a
 * failure, only cx_replay_free() may follow. */
CX_MUST_CHECK enum cx_status cx_replay_add(struct cx_replay *replay, struct cx_bytes payload,
                                           uint64_t revision, int64_t time_us);

/* Applies what was added and is not applied yet. Fails like cx_replay_add(). */
CX_MUST_CHECK enum cx_status cx_replay_finish(struct cx_replay *replay);

/* The record that the last failure is about. */
uint64_t cx_replay_failed_revision(const struct cx_replay *replay);

/* NULL is fine. */
void cx_replay_free(struct cx_replay *replay);

#endif /* CX_STATE_REPLAY_H */
