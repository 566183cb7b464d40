// A few threads for long work: what server/rpc/workers.h promises.

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

extern "C" {
#include "server/rpc/workers.h"
#include "tests/support/fail_nth.h"
}

namespace {

std::atomic<int> ran;
std::vector<const cx_work *> order;

void Count(cx_work *) { ran++; }
void Note(cx_work *work) { order.push_back(work); }

// Where two jobs wait for each other, so that both must be running.
struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  int present = 0;
} meeting;

void Meet(cx_work *) {
  std::unique_lock<std::mutex> lock(meeting.mutex);
  meeting.present++;
  meeting.changed.notify_all();
  meeting.changed.wait(lock, [] { return meeting.present == 2; });
}

TEST(Workers, FinishAllThatWaitsBeforeTheyStop) {
  cx_workers workers;
  cx_work work[500];
  ran = 0;
  ASSERT_EQ(CX_OK, cx_workers_start(&workers, 3));
  for (cx_work &each : work) {
    each = {nullptr, Count};
    cx_workers_add(&workers, &each);
  }
  cx_workers_stop(&workers);
  EXPECT_EQ(500, ran);
}

TEST(Workers, ServeInTheOrderOfArrival) {
  cx_workers workers;
  cx_work work[100];
  std::vector<const cx_work *> expected;
  order.clear();
  ASSERT_EQ(CX_OK, cx_workers_start(&workers, 1));
  for (cx_work &each : work) {
    each = {nullptr, Note};
    expected.push_back(&each);
    cx_workers_add(&workers, &each);
  }
  cx_workers_stop(&workers);
  EXPECT_EQ(expected, order);
}

TEST(Workers, WorkAtTheSameTime) {
  cx_workers workers;
  cx_work work[2] = {{nullptr, Meet}, {nullptr, Meet}};
  ASSERT_EQ(CX_OK, cx_workers_start(&workers, 2));
  cx_workers_add(&workers, &work[0]);
  cx_workers_add(&workers, &work[1]);
  cx_workers_stop(&workers);
  EXPECT_EQ(2, meeting.present);
}

TEST(Workers, DoNotStartWithoutMemory) {
  cx_workers workers;
  fail_nth fail;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_workers_start(&workers, 2));
  EXPECT_TRUE(fail_nth_end(&fail));
  cx_workers_stop(&workers);
}

TEST(Workers, StopWithoutAStart) {
  cx_workers workers = {};
  cx_workers_stop(&workers);
}

}  // namespace
