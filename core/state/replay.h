/* What was logged, applied again: the state after a restart.
 *
 * Threads: alone with the state. */

#ifndef CX_STATE_REPLAY_H
#define CX_STATE_REPLAY_H

#include "core/state/state.h"

/* Applies one record's change. The arena is for its own use and is reset. Fails with
 * CX_DATA_LOSS when the payload is no change or does not fit the state, which a log
 * that is whole never shows, CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_replay(struct cx_state *state, struct cx_arena *arena,
                                       struct cx_bytes payload, uint64_t revision, int64_t time_us);

#endif /* CX_STATE_REPLAY_H */
