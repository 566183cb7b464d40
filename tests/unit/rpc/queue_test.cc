// A poller and what is posted to it: what server/rpc/queue.h promises.

#include <grpc/grpc.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

extern "C" {
#include "server/rpc/queue.h"
}

namespace {

class QueueTest : public testing::Test {
 protected:
  // Work that notes that it ran.
  struct Note {
    cx_work work;
    QueueTest *test;
    int number;
  };

  void SetUp() override {
    grpc_init();
    ASSERT_EQ(CX_OK, cx_queue_init(&queue_));
  }

  void TearDown() override {
    cx_queue_done(&queue_);
    grpc_shutdown();
  }

  Note *Make(int number) {
    notes_.push_back(std::make_unique<Note>());
    *notes_.back() = {{nullptr, OnRun}, this, number};
    return notes_.back().get();
  }

  void Post(Note *note) {
    cx_work_list list = {&note->work, &note->work};
    cx_queue_post(&queue_, &list);
  }

  // Ends the poller, which runs all that was posted before.
  void End() {
    cx_queue_drain(&queue_);
    cx_queue_join(&queue_);
  }

  static void OnRun(cx_work *work) {
    Note *note = reinterpret_cast<Note *>(work);
    EXPECT_EQ(&note->test->queue_, cx_queue_current());
    note->test->ran_.push_back(note->number);
  }

  cx_queue queue_;
  std::vector<std::unique_ptr<Note>> notes_;
  std::vector<int> ran_;
};

TEST(WorkList, AppendsInOrder) {
  cx_work a = {}, b = {}, c = {};
  cx_work_list list = {};
  cx_work_list_append(&list, &a, &a);
  b.next = &c;
  cx_work_list_append(&list, &b, &c);
  EXPECT_EQ(&a, list.first);
  EXPECT_EQ(&b, a.next);
  EXPECT_EQ(&c, b.next);
  EXPECT_EQ(nullptr, c.next);
}

TEST_F(QueueTest, IsDoneWithoutAPoller) {}

TEST_F(QueueTest, RunsWhatIsPostedInOrderOnItsThread) {
  std::vector<int> expected;
  EXPECT_EQ(nullptr, cx_queue_current());
  for (int i = 0; i < 10; i++) Post(Make(i));  // Before there is a poller: it waits.
  ASSERT_EQ(CX_OK, cx_queue_start(&queue_));
  for (int i = 10; i < 1000; i++) Post(Make(i));
  cx_work_list empty = {};
  cx_queue_post(&queue_, &empty);
  for (int i = 0; i < 1000; i++) expected.push_back(i);
  End();
  EXPECT_EQ(expected, ran_);
}

TEST_F(QueueTest, IsPostedToByManyThreads) {
  for (int i = 0; i < 4000; i++) Make(i);
  ASSERT_EQ(CX_OK, cx_queue_start(&queue_));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 1000; i++) Post(notes_[t * 1000 + i].get());
    });
  }
  for (auto &thread : threads) thread.join();
  End();
  EXPECT_EQ(4000u, ran_.size());
}

TEST_F(QueueTest, LetsAStreamGoOnAtOnceButNowAndThen) {
  int paused = 0;
  for (int i = 0; i < 3200; i++) paused += cx_queue_send_went(&queue_) ? 1 : 0;
  EXPECT_EQ(100, paused);
}

}  // namespace
