// The engine under many threads at once: what TSan would see, that everybody is completed,
// and that what they left is what a restart finds.

#include "tests/support/engine_fixture.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

namespace {

// Waits for a number of completions.
class Completions {
 public:
  void Add(cx_status status) {
    std::lock_guard<std::mutex> guard(mutex_);
    count_++;
    if (status == CX_OK) ok_count_++;
    changed_.notify_all();
  }
  void Await(uint64_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }
  uint64_t count() {
    std::lock_guard<std::mutex> guard(mutex_);
    return count_;
  }
  uint64_t ok_count() {
    std::lock_guard<std::mutex> guard(mutex_);
    return ok_count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t count_ = 0, ok_count_ = 0;
};

struct Waiter {
  cx_waiter base = {};
  Completions *completions;
};

class EngineThreadsTest : public EngineFixture {
 protected:
  EngineThreadsTest() {
    options_.clock = &cx_clock_system;
    events_.complete = [](void *, cx_work *list) {
      while (list != nullptr) {
        auto *waiter = reinterpret_cast<Waiter *>(list);
        list = list->next;
        waiter->completions->Add(waiter->base.status);
        delete waiter;
      }
    };
    events_.failed = [](void *arg, const char *) {
      static_cast<EngineThreadsTest *>(arg)->failed_count_++;
    };
    events_.disk_full = nullptr;
  }

  void Start() {
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    ASSERT_EQ(CX_OK, cx_engine_start(engine_, &events_));
  }

  // Asks to be completed; counts whoever will be.
  void WaitFor(uint64_t revision) {
    auto *waiter = new Waiter;
    waiter->completions = &completions_;
    asked_++;
    if (cx_engine_wait(engine_, revision, &waiter->base)) {
      completions_.Add(CX_OK);
      delete waiter;
    }
  }

  // One thread's share of everything, on few contexts.
  void Work(uint64_t seed, int count, const std::atomic<bool> *ended = nullptr) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < count && (ended == nullptr || !*ended); i++) {
      std::string id = "c" + std::to_string(random() % 8);
      std::string value(random() % 3000, static_cast<char>('a' + random() % 26));
      cx_new_context create = {};
      if (random() % 4 == 0) create.parent_id = cx_bytes_of("c0"), create.create_parent = true;
      if (random() % 8 == 0) create.ttl_us = 1;
      switch (random() % 8) {
        case 0:
          WaitFor(Delete(id, true, random() % 2 == 0).write.wait_for);
          break;
        case 1:
          WaitFor(Get(id).wait_for);
          break;
        case 2:
          WaitFor(GetVersion(id, 1 + random() % 20).wait_for);
          break;
        case 3: {
          cx_list_query query = {};
          query.deleted = random() % 2 == 0;
          List(query);
          break;
        }
        case 4:
          WaitFor(Batch(random(), value));
          break;
        default:
          WaitFor(Update(id, Mutations().Put("k", value).SetLabel("l", "v"), {}, &create,
                         std::to_string(random() % 50))
                      .write.wait_for);
      }
      if (i % 64 == 0) Statistics();
    }
  }

  uint64_t Batch(uint64_t random, const std::string &value) {
    Mutations put = Mutations().Append("b", value.substr(0, 10));
    cx_new_context create = {};
    cx_update_request requests[2] = {};
    cx_write_outcome outcomes[2];
    cx_error error;
    size_t index;
    std::string ids[] = {"c" + std::to_string(random % 8), "c" + std::to_string((random + 3) % 8)};
    for (int i = 0; i < 2; i++) {
      requests[i].name = {Bytes(namespace_), Bytes(ids[i])};
      requests[i].mutations = put.list().data();
      requests[i].mutation_count = put.list().size();
      requests[i].create_if_missing = &create;
    }
    cx_status status = cx_engine_update_atomic(engine_, requests, 2, {}, outcomes, &index, &error);
    (void)status;
    return outcomes[0].wait_for;
  }

  Completions completions_;
  std::atomic<uint64_t> asked_{0};
  std::atomic<int> failed_count_{0};
};

TEST_F(EngineThreadsTest, CompletesEverybodyAndLeavesWhatARestartFinds) {
  Start();
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 8; i++) threads.emplace_back([this, i] { Work(i, 400); });
  for (std::thread &thread : threads) thread.join();
  completions_.Await(asked_);
  EXPECT_EQ(asked_, completions_.ok_count());
  cx_engine_stop(engine_);
  uint64_t digest = Digest();
  Close();
  options_.clock = &clock_.base;  // Nothing is due any more.
  ASSERT_EQ(CX_OK, Open());
  EXPECT_TRUE(report_.clean);
  EXPECT_EQ(digest, Digest());
}

TEST_F(EngineThreadsTest, StopsUnderLoadWithEverybodyCompleted) {
  std::atomic<bool> ended{false};
  Start();
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 4; i++) {
    threads.emplace_back([this, i, &ended] { Work(i, 1 << 30, &ended); });
  }
  completions_.Await(200);
  ended = true;  // Each thread is still within its last call.
  cx_engine_stop(engine_);
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(asked_, completions_.count());
  EXPECT_EQ(asked_, completions_.ok_count());
}

TEST_F(EngineThreadsTest, TellsEverybodyOnceWhenTheDiskFails) {
  Start();
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 4; i++) threads.emplace_back([this, i] { Work(i, 300); });
  completions_.Await(100);
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  for (std::thread &thread : threads) thread.join();
  completions_.Await(asked_);
  EXPECT_EQ(asked_, completions_.count());
  EXPECT_LE(failed_count_, 1);
}

TEST_F(EngineThreadsTest, DeletesWhatExpiresWithoutBeingAsked) {
  Start();
  uint64_t revision = Upsert("c", Mutations().SetExpiry(1000)).write.revision;
  while (Statistics().context_count > 0) std::this_thread::yield();
  EXPECT_EQ(revision + 1, Statistics().revision);
}

}  // namespace
