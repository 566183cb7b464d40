// What holds of sessions, and of what the tracker knows of contexts, in every state
// (core/state/{session,tracked,context}.h).

#ifndef CX_TESTS_FUZZ_TRACKER_CHECK_H
#define CX_TESTS_FUZZ_TRACKER_CHECK_H

extern "C" {
#include "core/state/state.h"
}

// Requires it of all of them. `nothing_ended`: no context ever has, so that what models
// cost in a namespace is what they cost in its contexts.
void CheckTracker(const cx_state &state, bool nothing_ended);

#endif  // CX_TESTS_FUZZ_TRACKER_CHECK_H
