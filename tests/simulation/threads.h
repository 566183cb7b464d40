// What the linker puts in the place of pthread functions; see scheduler.h.

#ifndef CX_TESTS_SIMULATION_THREADS_H
#define CX_TESTS_SIMULATION_THREADS_H

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/dice.h"

namespace simulation {

// Names the threads that are created next, for those who read a trace.
void NameNextThreads(std::vector<std::string> names);

// What went wrong at the calls themselves (a mutex given back by another fiber than the one
// that holds it) stops the run. Nothing else is to be known of them here.
//
// Spurious wake-ups are a part of what pthread_cond_wait() may do; a run that wants them says
// how rarely: once in so many waits, 0 never.
void SetSpuriousWakeups(uint64_t one_in, Dice dice);

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_THREADS_H
