// The feed under threads: the real steps on threads of their own, a writer, and subscribers that
// come and go. What the thread sanitizer would see, and that each gets everything once.

#include "tests/unit/feed/feed_fixture.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

// Waits to be completed by whichever thread.
struct Sleeper {
  cx_waiter waiter = {};  // First: what is completed is found by it.
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;

  void Wake() {
    std::lock_guard<std::mutex> guard(mutex);
    woken = true;
    changed.notify_all();  // Under the lock: the sleeper may be gone behind it.
  }
  void Await() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return woken; });
    woken = false;
  }
};

void WakeAll(cx_work *done) {
  while (done != nullptr) {
    auto *sleeper = reinterpret_cast<Sleeper *>(done);
    done = done->next;
    sleeper->Wake();
  }
}

class FeedThreadsTest : public FeedFixture {
 protected:
  static constexpr int kChanges = 1500;

  void SetUp() override {
    Chance chance(1);
    Open();
    for (int i = 0; i < kChanges; i++) {
      Change change = chance.AChange();
      // The last one concerns everybody.
      if (i + 1 == kChanges) change = {{{CX_ITEM_DELETE, "a"}, {CX_ITEM_DELETE, "b"}}};
      changes_.push_back(change);
      for (const ModelEvent &event : Events::Of(changes_.back(), changes_.size())) {
        events_.push_back(event);
      }
    }
    steps_.emplace_back([this] {
      while (cx_feed_await_tail(feed_)) Steps(cx_feed_step_tail);
    });
    steps_.emplace_back([this] {
      while (cx_feed_await_load(feed_)) Steps(cx_feed_step_load);
    });
  }

  void Steps(bool (*step)(cx_feed *, cx_work **)) {
    for (bool more = true; more;) {
      cx_work *done = nullptr;
      more = step(feed_, &done);
      WakeAll(done);
    }
  }

  // Makes all changes durable, in batches, and hands them over; time goes on.
  void Write() {
    std::mt19937 random(7);
    for (size_t i = 0; i < changes_.size();) {
      Records payloads;
      uint64_t first = i + 1;
      for (size_t end = std::min(changes_.size(), i + 1 + random() % 10); i < end; i++) {
        payloads.push_back(RawChange(changes_[i]).Encode());
      }
      ASSERT_EQ(CX_OK, wal_->Append(payloads));
      Batch batch(first, payloads);
      cx_buffer frames = {};
      ASSERT_EQ(CX_OK, cx_buffer_append(&frames, {batch.get()->data, batch.get()->size}));
      cx_feed_hand_over(feed_, &frames, first, payloads.size());
      cx_buffer_done(&frames);
      cx_work *done = nullptr;
      clock_.now_us += CX_PROGRESS_INTERVAL_US_DEFAULT / 4;
      cx_feed_step_timers(feed_, &done);
      WakeAll(done);
    }
  }

  // Subscribes at the position and reads until some batches are had or all changes are through,
  // and leaves, sometimes while it waits. Returns where to go on.
  cx_feed_position ReadSome(const RawFilter &filter, cx_feed_position from, std::mt19937 *random,
                            Strings *got) {
    Sleeper sleeper;
    cx_error error;
    cx_subscription *subscription;
    cx_feed_request request = {};
    request.filter = filter.raw();
    request.has_position = true;
    request.position = from;
    request.progress_interval_us = CX_PROGRESS_INTERVAL_US_DEFAULT;
    EXPECT_EQ(CX_OK, cx_feed_subscribe(feed_, &request, &subscription, &error));
    cx_subscription_set_also(
        subscription, [](void *, const cx_event *) { return true; }, nullptr);
    bool waiting = false;
    for (unsigned left = 1 + (*random)() % 20; left > 0 && from.revision <= kChanges; left--) {
      cx_feed_batch batch;
      cx_feed_outcome outcome =
          cx_subscription_next(subscription, 500, &sleeper.waiter, &batch, &error);
      waiting = outcome == CX_FEED_WAIT;
      if (waiting && left == 1) break;  // Leaves while it waits.
      if (waiting) {
        sleeper.Await();
        continue;
      }
      EXPECT_NE(CX_FEED_ENDED, outcome) << error.message;
      for (size_t i = 0; i < batch.count; i++) {
        got->push_back(Line(*batch.pieces[i].event));
        EXPECT_EQ(got->back() + "=",
                  Text(batch.pieces[i].encoded).substr(0, got->back().size() + 1));
      }
      from = batch.next;
      if (outcome == CX_FEED_EVENTS) cx_feed_batch_done(&batch);
    }
    if (!cx_subscription_close(subscription, nullptr) && waiting) sleeper.Await();
    return from;
  }

  void Stop() {
    cx_feed_stop(feed_);
    for (std::thread &thread : steps_) thread.join();
  }

  std::vector<std::thread> steps_;
};

TEST_F(FeedThreadsTest, TellsEverybodyEverythingOnce) {
  std::vector<std::thread> threads;
  std::vector<Filter> filters(8);
  std::vector<Strings> got(filters.size());
  std::vector<size_t> times(filters.size());
  filters[1].ids = {"a"};
  filters[2].ids = {"a", "b", "c"};
  filters[3].id_prefix = "b";
  filters[4].event_types = {CX_EVENT_DELETED};
  filters[5].ids = {"b"};
  threads.emplace_back([&] { Write(); });
  for (size_t i = 0; i < filters.size(); i++) {
    threads.emplace_back([&, i] {
      RawFilter raw(filters[i]);
      std::mt19937 random(static_cast<unsigned>(i));
      cx_feed_position from = {1, 0};
      while (from.revision <= kChanges) {
        from = ReadSome(raw, from, &random, &got[i]);
        times[i]++;
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  Stop();
  for (size_t i = 0; i < filters.size(); i++) {
    Reader reader;
    reader.filter = filters[i];
    EXPECT_EQ(Expected(reader, {1, 0}), got[i]) << "filter " << i;
    EXPECT_GT(times[i], 1u);
  }
  EXPECT_EQ(0u, SubscriptionCount());
}

TEST_F(FeedThreadsTest, EndsEverybodyWhereverTheyAre) {
  std::vector<std::thread> threads;
  std::atomic<int> ended{0};
  threads.emplace_back([&] { Write(); });
  for (int i = 0; i < 6; i++) {
    threads.emplace_back([&, i] {
      Sleeper sleeper;
      cx_error error;
      cx_subscription *subscription;
      cx_feed_batch batch;
      RawFilter filter({});
      cx_feed_request request = {};
      request.filter = filter.raw();
      request.has_position = i % 2 == 0;
      request.progress_interval_us = CX_PROGRESS_INTERVAL_US_DEFAULT;
      if (cx_feed_subscribe(feed_, &request, &subscription, &error) == CX_OK) {
        cx_feed_outcome outcome;
        while ((outcome = cx_subscription_next(subscription, 500, &sleeper.waiter, &batch,
                                               &error)) != CX_FEED_ENDED) {
          if (outcome == CX_FEED_WAIT) sleeper.Await();
          if (outcome == CX_FEED_EVENTS) cx_feed_batch_done(&batch);
        }
        cx_subscription_close(subscription, nullptr);
      }
      EXPECT_EQ(CX_REASON_STOPPING, error.reason);
      ended++;
    });
  }
  threads[0].join();
  cx_work *done = nullptr;
  cx_feed_end(feed_, CX_REASON_STOPPING, &done);
  WakeAll(done);
  for (size_t i = 1; i < threads.size(); i++) threads[i].join();
  Stop();
  EXPECT_EQ(6, ended);
}

}  // namespace
