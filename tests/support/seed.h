// The seed that a test draws from, which it prints when it fails: CONTEXTD_SEED where that is given,
// else a fresh one. tools/run-tests gives one that follows from the commit.

#ifndef CX_TESTS_SUPPORT_SEED_H
#define CX_TESTS_SUPPORT_SEED_H

#include <cstdint>
#include <cstdlib>
#include <random>

inline uint64_t TestSeed() {
  const char *given = std::getenv("CONTEXTD_SEED");
  bool is_given = given != nullptr && *given != '\0';
  return is_given ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

#endif  // CX_TESTS_SUPPORT_SEED_H
