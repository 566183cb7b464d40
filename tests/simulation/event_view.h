// Events in the simulation's own words: as the engine tells them, and as its changes ask for
// them, which is worked out here once more.

#ifndef CX_TESTS_SIMULATION_EVENT_VIEW_H
#define CX_TESTS_SIMULATION_EVENT_VIEW_H

extern "C" {
#include "core/feed/event.h"
}

#include "tests/simulation/events.h"

namespace simulation {

// What the engine encodes events with: no two different events have the same bytes.
cx_event_encoder EventEncoder();

// Of bytes of it.
uint64_t DigestOfEncoded(cx_bytes encoded);

// What a change tells, as it is applied.
Happened HappenedIn(const cx_change &change, uint64_t revision, int64_t time_us);

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_EVENT_VIEW_H
