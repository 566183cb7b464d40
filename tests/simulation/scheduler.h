// Threads of a simulated machine: all of them take turns on one real thread, and a seed
// decides whose turn it is.
//
// What always holds:
//
//  (1) Exactly one fiber runs at a time, and another one goes on only at a scheduling point:
//      Pause(), Sleep(), a mutex that is taken or given back, a condition that is waited for,
//      a thread that is created or joined.
//  (2) Time passes only when every fiber waits: then it jumps to the moment when the first of
//      them goes on. A machine whose fibers all wait for one another has a deadlock, which is
//      a failure.
//  (3) The same seed and the same fibers give the same turns.
//
// The code under test is not changed: threads.cc takes the place of the pthread functions that
// it calls (the linker's --wrap), and hands them to the scheduler that is running. Outside of a
// run they do what they always do.
//
// Threads: one scheduler runs at a time in a process, on one thread.

#ifndef CX_TESTS_SIMULATION_SCHEDULER_H
#define CX_TESTS_SIMULATION_SCHEDULER_H

#include "tests/simulation/dice.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace simulation {

struct Fiber;  // scheduler.cc

class Scheduler {
 public:
  // `pause_in`: a fiber that could go on at a scheduling point makes way once in so many
  // times; 0: never.
  Scheduler(Dice dice, uint64_t pause_in);
  ~Scheduler();

  // The one that is running, or nullptr.
  static Scheduler *Running();

  // Runs `body` as the first fiber, and all others that it creates, until it returns or Stop()
  // is called. Those that have not ended then never go on.
  void Run(std::function<void()> body);

  // Adds a fiber, which may be joined. Its name is for those who read a trace.
  Fiber *Create(std::string name, std::function<void()> body);

  // Waits until a fiber has ended, and releases it.
  void Join(Fiber *fiber);

  // A scheduling point.
  void Pause();

  // Waits until `us` microseconds have passed.
  void Sleep(int64_t us);

  // Waits until somebody calls WakeAll() with the same object, or until `deadline_us` (0:
  // without end). Returns false when it was the time. May also return for no reason.
  bool Wait(const void *object, int64_t deadline_us);

  // Lets all those go on that wait for an object, or one of them.
  void WakeAll(const void *object);
  void WakeOne(const void *object);

  // Ends the run at once: the calling fiber never goes on.
  [[noreturn]] void Stop(const std::string &failure);

  // Why the run was stopped; empty: it was not.
  const std::string &failure() const { return failure_; }

  // Virtual microseconds since the run began.
  int64_t now_us() const { return now_us_; }

  // Of the fiber that runs: its name, and a place for what others want to know of it.
  const std::string &name() const;
  void *&tag();

  // The number of turns so far.
  uint64_t turns() const { return turns_; }

 private:
  Fiber *Choose();
  void SwitchTo(Fiber *fiber);
  void SwitchAway();
  void AdvanceTime();
  std::string DescribeAll() const;
  static void Trampoline();

  Dice dice_;
  uint64_t pause_in_;
  int64_t now_us_ = 0;
  uint64_t turns_ = 0;
  Fiber *current_ = nullptr;
  std::unique_ptr<Fiber> root_;  // Whoever called Run().
  std::vector<Fiber *> fibers_;  // All that have not been joined.
  std::vector<Fiber *> ready_;
  std::vector<Fiber *> finished_;  // Stacks to be used again.
  std::string failure_;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_SCHEDULER_H
