// The scheduler: turns, time and locks are those that its header promises.

#include "tests/simulation/scheduler.h"

#include <pthread.h>
#include <time.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/simulation/threads.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace simulation {
namespace {

// A run that is stopped leaves its fibers where they are, and what they hold.
Scheduler *RunToItsFailure(std::function<void(Scheduler *)> body) {
#if defined(__SANITIZE_ADDRESS__)
  __lsan::ScopedDisabler leaks_are_no_failures;
#endif
  auto scheduler = new Scheduler(Dice(1), 0);
  scheduler->Run([&] { body(scheduler); });
  return scheduler;
}

// What three fibers that pause again and again write down.
std::string Turns(uint64_t seed, uint64_t pause_in) {
  std::string order;
  Scheduler scheduler(Dice(seed), pause_in);
  scheduler.Run([&] {
    std::vector<Fiber *> fibers;
    for (char name : {'a', 'b', 'c'}) {
      fibers.push_back(scheduler.Create(std::string(1, name), [&, name] {
        for (int i = 0; i < 20; i++) {
          order += name;
          scheduler.Pause();
        }
      }));
    }
    for (Fiber *fiber : fibers) scheduler.Join(fiber);
  });
  EXPECT_EQ("", scheduler.failure());
  return order;
}

TEST(SchedulerTest, TakesTheSameTurnsFromTheSameSeedAndOthersFromOthers) {
  EXPECT_EQ(Turns(1, 1), Turns(1, 1));
  EXPECT_NE(Turns(1, 1), Turns(2, 1));
}

TEST(SchedulerTest, GoesOnWithAFiberThatDoesNotMakeWay) {
  std::string order = Turns(1, 0);
  EXPECT_EQ(60u, order.size());
  EXPECT_EQ(2, std::unique(order.begin(), order.end()) - order.begin() - 1);
}

TEST(SchedulerTest, LetsTimePassOnlyWhenAllWait) {
  std::vector<int64_t> times;
  Scheduler scheduler(Dice(1), 1);
  scheduler.Run([&] {
    Fiber *late = scheduler.Create("late", [&] {
      scheduler.Sleep(5000);
      times.push_back(scheduler.now_us());
    });
    for (int i = 0; i < 100; i++) scheduler.Pause();
    times.push_back(scheduler.now_us());
    scheduler.Sleep(10);
    times.push_back(scheduler.now_us());
    scheduler.Join(late);
  });
  EXPECT_EQ((std::vector<int64_t>{0, 10, 5000}), times);
}

TEST(SchedulerTest, TellsWhoWaitsForOneAnother) {
  pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
  auto take = [](Scheduler *scheduler, pthread_mutex_t *a, pthread_mutex_t *b) {
    pthread_mutex_lock(a);
    scheduler->Sleep(1);
    pthread_mutex_lock(b);
  };
  Scheduler *stopped = RunToItsFailure([&](Scheduler *scheduler) {
    Fiber *other = scheduler->Create("other", [&] { take(scheduler, &second, &first); });
    take(scheduler, &first, &second);
    scheduler->Join(other);
  });
  EXPECT_EQ("deadlock: these wait: operator, other", stopped->failure());
}

TEST(SchedulerTest, StopsWhoGivesBackAMutexThatNobodyHolds) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  Scheduler *stopped = RunToItsFailure([&](Scheduler *) { pthread_mutex_unlock(&mutex); });
  EXPECT_EQ("a mutex is given back that nobody holds", stopped->failure());
}

// ---- The pthread functions that a program calls. ----------------------------------

struct Counter {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
  int value = 0;
};

void *CountUp(void *arg) {
  auto *counter = static_cast<Counter *>(arg);
  for (int i = 0; i < 100; i++) {
    pthread_mutex_lock(&counter->mutex);
    int value = counter->value;
    Scheduler::Running()->Pause();
    counter->value = value + 1;
    pthread_cond_signal(&counter->changed);
    pthread_mutex_unlock(&counter->mutex);
  }
  return nullptr;
}

TEST(ThreadsTest, ExcludeOneAnotherByAMutexAndWakeByACondition) {
  for (uint64_t spurious_in : {0, 2}) {
    Counter counter;
    Scheduler scheduler(Dice(7), 1);
    SetSpuriousWakeups(spurious_in, Dice(1));
    scheduler.Run([&] {
      pthread_t threads[3];
      for (pthread_t &thread : threads) {
        ASSERT_EQ(0, pthread_create(&thread, nullptr, CountUp, &counter));
      }
      pthread_mutex_lock(&counter.mutex);
      while (counter.value < 300) pthread_cond_wait(&counter.changed, &counter.mutex);
      pthread_mutex_unlock(&counter.mutex);
      for (pthread_t thread : threads) pthread_join(thread, nullptr);
    });
    EXPECT_EQ("", scheduler.failure());
    EXPECT_EQ(300, counter.value);
  }
  SetSpuriousWakeups(0, Dice(1));
}

TEST(ThreadsTest, ShowTheVirtualTimeAndGiveUpAWaitAtIt) {
  Counter counter;
  timespec now = {};
  int error = 0;
  Scheduler scheduler(Dice(1), 1);
  scheduler.Run([&] {
    timespec deadline = {3600, 5000};
    pthread_mutex_lock(&counter.mutex);
    error = pthread_cond_timedwait(&counter.changed, &counter.mutex, &deadline);
    pthread_mutex_unlock(&counter.mutex);
    clock_gettime(CLOCK_MONOTONIC, &now);
  });
  EXPECT_EQ(ETIMEDOUT, error);
  EXPECT_EQ(3600, now.tv_sec);
  EXPECT_EQ(5000, now.tv_nsec);
}

}  // namespace
}  // namespace simulation
