// One run: a server, its clients and its operator on a simulated machine, from one seed.

#ifndef CX_TESTS_SIMULATION_SIMULATION_H
#define CX_TESTS_SIMULATION_SIMULATION_H

#include "tests/simulation/checker.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/server.h"
#include "tests/simulation/workload.h"

namespace simulation {

struct Result {
  std::string failure;  // Empty: the run went through.
  int64_t virtual_us = 0;
  uint64_t calls = 0;    // Requests of clients.
  uint64_t changes = 0;  // Revisions.
  uint64_t starts = 0;   // Of the server.
  uint64_t turns = 0;
  uint64_t trace_hash = 0;
};

// Runs a seed. The same seed gives the same run.
Result RunSeed(uint64_t seed, Trace::Mode mode);

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_SIMULATION_H
