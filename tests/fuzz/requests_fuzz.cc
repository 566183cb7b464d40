// Every method of the API with any bytes as its request, unpacked as the server does and
// handed to the real services over a real engine, whose time and steps are the input's.
//
//  - A call ends, with messages that are well-formed and no larger than a message may be,
//    or with an error that has its reason, its details, and a form on the wire.
//  - A call that failed, or that only reads, leaves the state as it was.
//  - A stream tells as many results as it got updates.
//  - After a restart the state is the same, and in the end no memory is left over.

#include "tests/fuzz/server_world.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  constexpr size_t kStepsMax = 48;
  NoLeaks no_leaks;
  ServerWorld world;
  std::vector<ScriptStep> steps = ScriptRead(data, size);
  for (size_t i = 0; i < steps.size() && i < kStepsMax; i++) world.Do(steps[i]);
  world.Restart();
  return 0;
}
