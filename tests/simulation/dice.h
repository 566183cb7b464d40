// The randomness of a run: all of it comes from one seed, and is the same on every machine.

#ifndef CX_TESTS_SIMULATION_DICE_H
#define CX_TESTS_SIMULATION_DICE_H

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace simulation {

// SplitMix64, by Steele, Lea and Flood, "Fast splittable pseudorandom number generators"
// (2014). Copies go on independently with the same numbers.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // A number from 0 to `end` - 1.
  uint64_t Below(uint64_t end) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(Next()) * end >> 64);
  }

  // A number from `first` to `last`, both included.
  uint64_t Between(uint64_t first, uint64_t last) { return first + Below(last - first + 1); }

  // True once in `count` times; never if `count` is 0.
  bool OneIn(uint64_t count) { return count != 0 && Below(count) == 0; }

  // One of these.
  template <typename T>
  T Pick(std::initializer_list<T> list) {
    return list.begin()[Below(list.size())];
  }

  // Another one, whose numbers have nothing to do with these.
  Dice Split() { return Dice(Next()); }

 private:
  uint64_t state_;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_DICE_H
