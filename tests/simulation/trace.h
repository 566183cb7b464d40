// What happens in a run, a line each, for people: printed as it comes, or only hashed, so that
// two runs can be compared.

#ifndef CX_TESTS_SIMULATION_TRACE_H
#define CX_TESTS_SIMULATION_TRACE_H

#include <cstdint>
#include <cstdio>
#include <string>

namespace simulation {

class Trace {
 public:
  enum Mode { kOff, kHash, kPrint };
  explicit Trace(Mode mode) : mode_(mode) {}

  // Whoever has to put a line together asks first.
  bool on() const { return mode_ != kOff; }

  void Add(int64_t now_us, const std::string &who, const std::string &what) {
    char time[32];
    snprintf(time, sizeof time, "%12.6f  ", static_cast<double>(now_us) / 1e6);
    std::string line = time + who + ": " + what + "\n";
    for (unsigned char c : line) hash_ = (hash_ ^ c) * 0x100000001b3;  // FNV-1a
    if (mode_ == kPrint) fputs(line.c_str(), stdout);
  }

  uint64_t hash() const { return hash_; }

 private:
  Mode mode_;
  uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_TRACE_H
