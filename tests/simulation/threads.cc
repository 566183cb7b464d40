#include "tests/simulation/threads.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <cstring>

#include "tests/simulation/scheduler.h"

using simulation::Fiber;
using simulation::Scheduler;

namespace {

// What a pthread_mutex_t holds during a run. Zeroed: free, as for pthread itself, so that a
// mutex may be used in a run and outside of it.
struct SimulatedMutex {
  uint32_t held;
  uint32_t waiting;
};

static_assert(sizeof(SimulatedMutex) <= sizeof(pthread_mutex_t));

SimulatedMutex *Of(pthread_mutex_t *mutex) { return reinterpret_cast<SimulatedMutex *>(mutex); }

std::vector<std::string> next_names;  // The next one last.

std::string NextName() {
  if (next_names.empty()) return "a thread";
  std::string name = next_names.back();
  next_names.pop_back();
  return name;
}

uint64_t spurious_in = 0;
simulation::Dice spurious_dice(1);

void Take(Scheduler *scheduler, pthread_mutex_t *mutex) {
  SimulatedMutex *simulated = Of(mutex);
  while (simulated->held != 0) {
    simulated->waiting++;
    scheduler->Wait(mutex, 0);
    simulated->waiting--;
  }
  simulated->held = 1;
}

void GiveBack(Scheduler *scheduler, pthread_mutex_t *mutex) {
  SimulatedMutex *simulated = Of(mutex);
  if (simulated->held == 0) scheduler->Stop("a mutex is given back that nobody holds");
  simulated->held = 0;
  if (simulated->waiting > 0) scheduler->WakeAll(mutex);
}

}  // namespace

namespace simulation {

void NameNextThreads(std::vector<std::string> names) {
  next_names.assign(names.rbegin(), names.rend());
}

void SetSpuriousWakeups(uint64_t one_in, Dice dice) {
  spurious_in = one_in;
  spurious_dice = dice;
}

}  // namespace simulation

extern "C" {

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __real_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const timespec *deadline);
int __real_pthread_cond_signal(pthread_cond_t *condition);
int __real_pthread_cond_broadcast(pthread_cond_t *condition);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg);
int __real_pthread_join(pthread_t thread, void **result);
int __real_clock_gettime(clockid_t clock, timespec *time);

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
  Scheduler *scheduler = Scheduler::Running();
  if (scheduler == nullptr) return __real_pthread_mutex_lock(mutex);
  scheduler->Pause();
  Take(scheduler, mutex);
  return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex) {
  Scheduler *scheduler = Scheduler::Running();
  if (scheduler == nullptr) return __real_pthread_mutex_unlock(mutex);
  GiveBack(scheduler, mutex);
  scheduler->Pause();
  return 0;
}

static int Await(Scheduler *scheduler, pthread_cond_t *condition, pthread_mutex_t *mutex,
                 int64_t deadline_us) {
  GiveBack(scheduler, mutex);
  bool woken = true;
  if (spurious_dice.OneIn(spurious_in)) {
    scheduler->Pause();
  } else {
    woken = scheduler->Wait(condition, deadline_us);
  }
  Take(scheduler, mutex);
  return woken ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
  Scheduler *scheduler = Scheduler::Running();
  if (scheduler == nullptr) return __real_pthread_cond_wait(condition, mutex);
  return Await(scheduler, condition, mutex, 0);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const timespec *deadline) {
  Scheduler *scheduler = Scheduler::Running();
  if (scheduler == nullptr) return __real_pthread_cond_timedwait(condition, mutex, deadline);
  int64_t deadline_us = deadline->tv_sec * 1000000 + deadline->tv_nsec / 1000;
  if (deadline_us <= scheduler->now_us()) return ETIMEDOUT;
  return Await(scheduler, condition, mutex, deadline_us);
}

int __wrap_pthread_cond_signal(pthread_cond_t *condition) {
  Scheduler *scheduler = Scheduler::Running();
  if (scheduler == nullptr) return __real_pthread_cond_signal(condition);
  scheduler->WakeOne(condition);
  return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition) {
  Scheduler *scheduler = Scheduler::Running();
  if (scheduler == nullptr) return __real_pthread_cond_broadcast(condition);
  scheduler->WakeAll(condition);
  return 0;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg) {
  Scheduler *scheduler = Scheduler::Running();
  if (scheduler == nullptr) return __real_pthread_create(thread, attributes, run, arg);
  Fiber *fiber = scheduler->Create(NextName(), [run, arg] { run(arg); });
  static_assert(sizeof *thread == sizeof fiber);
  memcpy(thread, &fiber, sizeof fiber);
  return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result) {
  Scheduler *scheduler = Scheduler::Running();
  if (scheduler == nullptr) return __real_pthread_join(thread, result);
  Fiber *fiber;
  memcpy(&fiber, &thread, sizeof fiber);
  scheduler->Join(fiber);
  return 0;
}

int __wrap_clock_gettime(clockid_t clock, timespec *time) {
  Scheduler *scheduler = Scheduler::Running();
  if (scheduler == nullptr) return __real_clock_gettime(clock, time);
  time->tv_sec = scheduler->now_us() / 1000000;
  time->tv_nsec = scheduler->now_us() % 1000000 * 1000;
  return 0;
}

}  // extern "C"
