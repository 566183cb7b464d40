// Parked calls: what server/rpc/call.h promises about cx_call_park().

#include "tests/unit/rpc/echo_server.h"

#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace {

class ParkTest : public EchoServer {
 protected:
  // Every stream is parked, and finished when its client leaves.
  ParkTest() {
    on.serve = [this](cx_call *call, const EchoRequest *) {
      kept = call;
      waiter = cx_call_park(call, Resume);
      parked.Set();
    };
    on.resume = [this](cx_call *call, cx_status) {
      resumed.Set();
      cx_call_finish(call);
    };
    on.left = [this](cx_call *call) {
      cx_call_finish(call);
      left.Set();
    };
  }

  std::unique_ptr<GrpcCall> Serve(int64_t timeout_ms = GrpcClient::kTimeoutMs) {
    auto call = Client().Open(kServe, timeout_ms);
    call->Send(EchoPack(""));
    return call;
  }

  // A stream whose client left while it was parked, and whose waiter is still out.
  void LeaveWhileParked() {
    auto call = Serve();
    parked.Wait();
    call->Cancel();
    EXPECT_EQ(GRPC_STATUS_CANCELLED, call->Finish().code);
    left.Wait();
  }

  cx_call *kept = nullptr;
  cx_waiter *waiter = nullptr;
  Event parked, resumed, left;
};

TEST_F(ParkTest, GoesOnWhenAnotherThreadCompletesTheWaiter) {
  std::thread::id thread;
  on.serve = [&](cx_call *call, const EchoRequest *) {
    thread = std::this_thread::get_id();
    waiter = cx_call_park(call, Resume);
    parked.Set();
  };
  on.resume = [&](cx_call *call, cx_status status) {
    EXPECT_EQ(thread, std::this_thread::get_id());
    EXPECT_EQ(CX_ABORTED, status);
    Send(call, "news");
  };
  on.sent = cx_call_finish;
  auto call = Serve();
  parked.Wait();
  Complete(waiter, CX_ABORTED);
  GrpcOutcome outcome = call->Finish();
  EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
  EXPECT_EQ("news", EchoText(outcome.messages.at(0)));
}

TEST_F(ParkTest, IsParkedAgainAndAgain) {
  const int kNews = 100;
  int count = 0;
  on.resume = [&](cx_call *call, cx_status) { Send(call, std::to_string(count++)); };
  on.sent = [&](cx_call *call) {
    if (count == kNews) {
      cx_call_finish(call);
    } else {
      waiter = cx_call_park(call, Resume);
      parked.Set();
    }
  };
  auto call = Serve();
  for (int i = 1; i <= kNews; i++) {
    parked.Wait(i);
    Complete(waiter, CX_OK);
  }
  GrpcOutcome outcome = call->Finish();
  EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
  ASSERT_EQ(100u, outcome.messages.size());
  EXPECT_EQ("99", EchoText(outcome.messages[99]));
}

TEST_F(ParkTest, GoesOnAtOnceWhenTheWaiterIsTakenBack) {
  on.serve = [](cx_call *call, const EchoRequest *) {
    cx_call_park(call, Resume);
    cx_call_unpark(call);
    Send(call, "at once");
    cx_call_park(call, Resume);
    cx_call_unpark(call);
  };
  on.sent = [this](cx_call *call) {
    waiter = cx_call_park(call, Resume);
    parked.Set();
  };
  auto call = Serve();
  parked.Wait();
  EXPECT_EQ(0, resumed.Count());
  Complete(waiter, CX_OK);
  GrpcOutcome outcome = call->Finish();
  EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
  EXPECT_EQ("at once", EchoText(outcome.messages.at(0)));
}

TEST_F(ParkTest, TellsWhatElseHappensMeanwhile) {
  on.serve = [&](cx_call *call, const EchoRequest *) {
    waiter = cx_call_park(call, Resume);
    Send(call, "1");
  };
  on.sent = [&](cx_call *) { parked.Set(); };
  auto call = Serve();
  parked.Wait();
  Complete(waiter, CX_OK);
  EXPECT_EQ(GRPC_STATUS_OK, call->Finish().code);
}

// ---- Calls that end while they are parked.

TEST_F(ParkTest, TellsThatTheClientLeftAndIgnoresALateCompletion) {
  LeaveWhileParked();
  Complete(waiter, CX_OK);
  Stop(0);
  EXPECT_EQ(0, resumed.Count());
  EXPECT_EQ(1, left.Count());
  EXPECT_EQ(0u, Statistics().calls_in_flight);
}

TEST_F(ParkTest, TellsThatTheDeadlinePassed) {
  auto call = Serve(50);
  EXPECT_EQ(GRPC_STATUS_DEADLINE_EXCEEDED, call->Finish().code);
  left.Wait();
  Complete(waiter, CX_OK);
  Stop(0);
  EXPECT_EQ(0, resumed.Count());
}

TEST_F(ParkTest, IgnoresACompletionAfterLeftWasToldEvenIfTheCallHasNotEnded) {
  on.left = [this](cx_call *) { left.Set(); };
  on.unary = [this](cx_call *call, const EchoRequest *) {
    cx_call_finish(kept);
    Reply(call, "");
  };
  LeaveWhileParked();
  Complete(waiter, CX_OK);
  EXPECT_EQ(GRPC_STATUS_OK, Unary("").code);
  Stop(0);
  EXPECT_EQ(0, resumed.Count());
}

TEST_F(ParkTest, IsEndedByAnyThreadWhileItIsParked) {
  auto call = Serve();
  parked.Wait();
  cx_call_finish(kept);
  EXPECT_EQ(GRPC_STATUS_OK, call->Finish().code);
  Complete(waiter, CX_OK);
  Stop(0);
  EXPECT_EQ(0, resumed.Count());
  EXPECT_EQ(0, left.Count());
}

TEST_F(ParkTest, KeepsItsMemoryUntilTheWaiterIsBack) {
  char *memory = nullptr;
  on.serve = [&](cx_call *call, const EchoRequest *) {
    kept = call;
    memory = static_cast<char *>(cx_call_alloc(call, 100));
    memset(memory, 'x', 100);
    waiter = cx_call_park(call, Resume);
    parked.Set();
  };
  on.unary = [&](cx_call *call, const EchoRequest *) {
    EXPECT_NE(kept, call);
    memset(cx_call_alloc(call, 100), 'y', 100);
    Reply(call, "");
  };
  LeaveWhileParked();
  for (int i = 0; i < 100; i++) EXPECT_EQ(GRPC_STATUS_OK, Unary("").code);
  EXPECT_EQ(std::string(100, 'x'), std::string(memory, 100));
  Complete(waiter, CX_OK);
}

TEST_F(ParkTest, LetsGoOfAnEndedCallWhenItsWaiterIsTakenBack) {
  on.unary = [this](cx_call *call, const EchoRequest *) {
    cx_call_unpark(kept);
    Reply(call, "");
  };
  LeaveWhileParked();
  EXPECT_EQ(GRPC_STATUS_OK, Unary("").code);
  Stop(0);
  EXPECT_EQ(0u, Statistics().calls_in_flight);
}

TEST_F(ParkTest, EndsAReaderThatStallsWhileTheCallIsParked) {
  on.serve = [&](cx_call *call, const EchoRequest *) {
    cx_call_set_stall_limit(call, 10 * 1000);
    waiter = cx_call_park(call, Resume);
    Send(call, std::string(1 << 20, 'x'));
  };
  on.sent = [](cx_call *call) { Send(call, std::string(1 << 20, 'x')); };
  auto call = Serve();
  left.Wait();
  EXPECT_EQ(GRPC_STATUS_ABORTED, call->Finish().code);
  Complete(waiter, CX_OK);
}

// ---- Workers.

TEST_F(ParkTest, IsParkedByAWorkerAndResumedWhenThatIsDone) {
  std::atomic<bool> working{false};
  std::atomic<int> target{0};
  on.serve = [](cx_call *call, const EchoRequest *) { cx_call_offload(call, RunJob); };
  on.run = [&](cx_call *call) {
    working = true;
    cx_call_park(call, Resume);
    cx_call_unpark(call);
    Complete(cx_call_park(call, Resume), CX_OK);
    // The poller has had its chance when it has answered somebody else.
    EXPECT_EQ(GRPC_STATUS_UNIMPLEMENTED, GrpcClient(target).Unary("/no/such", "").code);
    working = false;
  };
  on.resume = [&](cx_call *call, cx_status) {
    EXPECT_FALSE(working);
    cx_call_finish(call);
  };
  Start();
  target = port;
  EXPECT_EQ(GRPC_STATUS_OK, Client().Unary(kServe, EchoPack("")).code);
  Stop(0);
}

TEST_F(ParkTest, IgnoresACompletionOfACallThatAWorkerEnded) {
  std::atomic<int> target{0};
  on.serve = [](cx_call *call, const EchoRequest *) { cx_call_offload(call, RunJob); };
  on.run = [&](cx_call *call) {
    Complete(cx_call_park(call, Resume), CX_OK);
    EXPECT_EQ(GRPC_STATUS_UNIMPLEMENTED, GrpcClient(target).Unary("/no/such", "").code);
    cx_call_finish(call);
  };
  Start();
  target = port;
  EXPECT_EQ(GRPC_STATUS_OK, Client().Unary(kServe, EchoPack("")).code);
  Stop(0);
  EXPECT_EQ(0, resumed.Count());
}

// ---- Stop.

TEST_F(ParkTest, TellsParkedCallsThatTheServerStopsAndWaitsForTheWaiter) {
  auto call = Serve();
  parked.Wait();
  std::thread stopper([this] { Stop(0); });
  left.Wait();
  EXPECT_NE(GRPC_STATUS_OK, call->Finish().code);
  EXPECT_EQ(1u, Statistics().calls_in_flight);
  Complete(waiter, CX_OK);
  stopper.join();
  EXPECT_EQ(0, resumed.Count());
  EXPECT_EQ(0u, Statistics().calls_in_flight);
}

// A stop that waited for the grace period would outlast the test.
TEST_F(ParkTest, LetsAStopEndEarlyWhenParkedCallsAreTold) {
  const int kCalls = 20;
  std::vector<cx_waiter *> waiters;
  on.serve = [&](cx_call *call, const EchoRequest *) {
    waiters.push_back(cx_call_park(call, Resume));
    parked.Set();
  };
  on.resume = [](cx_call *call, cx_status status) {
    EXPECT_EQ(CX_UNAVAILABLE, status);
    Fail(call, CX_REASON_STOPPING, "the server is stopping");
  };
  std::vector<std::unique_ptr<GrpcCall>> calls;
  for (int i = 0; i < kCalls; i++) calls.push_back(Serve());
  parked.Wait(kCalls);
  std::thread stopper([this] { Stop(3600 * CX_SECOND_US); });
  for (cx_waiter *each : waiters) Complete(each, CX_UNAVAILABLE);
  for (auto &call : calls) {
    GrpcOutcome outcome = call->Finish();
    EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, outcome.code);
    EXPECT_EQ("STOPPING", outcome.Reason());
  }
  stopper.join();
  EXPECT_EQ(0, left.Count());
}

// ---- Everything at once.

// Who waits for news: what the engine's feed is to a subscription.
class Feed {
 public:
  void Add(cx_call *call, cx_waiter *waiter) {
    std::lock_guard<std::mutex> lock(mutex_);
    parked_.push_back({call, waiter});
    changed_.notify_one();
  }

  // False: its completion is on its way.
  bool Remove(cx_call *call) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto each = parked_.begin(); each != parked_.end(); ++each) {
      if (each->first == call) {
        parked_.erase(each);
        return true;
      }
    }
    return false;
  }

  // NULL when it is closed.
  cx_waiter *Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !parked_.empty(); });
    if (parked_.empty()) return nullptr;
    cx_waiter *waiter = parked_.back().second;
    parked_.pop_back();
    return waiter;
  }

  void Close() {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<cx_call *, cx_waiter *>> parked_;
  bool closed_ = false;
};

// What a call remembers in the test below.
struct Subscription {
  int news;  // That it waits for.
  bool on_worker;
  bool left;
};

TEST_F(ParkTest, SurvivesClientsThatLeaveWhileTheyAreWokenUp) {
  constexpr int kThreads = 4, kRounds = 250;
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::atomic<int> begun{0}, ended{0};
  Feed feed;
  auto subscription = [](cx_call *call) {
    return static_cast<Subscription *>(cx_call_state(call));
  };
  auto park = [&](cx_call *call) {
    feed.Add(call, cx_call_park(call, Resume));
    if (subscription(call)->news % 2 == 0 && feed.Remove(call)) {
      cx_call_unpark(call);
      feed.Add(call, cx_call_park(call, Resume));
    }
  };
  auto go_on = [&](cx_call *call) {
    if (subscription(call)->on_worker) {
      cx_call_offload(call, RunJob);
    } else {
      park(call);
    }
  };
  auto end = [&](cx_call *call) {
    ended++;
    cx_call_finish(call);
  };
  options.pollers = 2;
  options.workers = 2;
  on.serve = [&](cx_call *call, const EchoRequest *request) {
    begun++;
    auto *state = static_cast<Subscription *>(cx_call_alloc(call, sizeof(Subscription)));
    *state = {static_cast<int>(request->number), request->number % 3 == 0, false};
    cx_call_set_state(call, state);
    go_on(call);
  };
  on.run = park;
  on.resume = [&](cx_call *call, cx_status) {
    EXPECT_FALSE(subscription(call)->left);
    if (--subscription(call)->news > 0) {
      go_on(call);
    } else {
      end(call);
    }
  };
  on.left = [&](cx_call *call) {
    subscription(call)->left = true;
    if (feed.Remove(call)) cx_call_unpark(call);
    end(call);
  };
  Start();
  std::vector<std::thread> clients, wakers;
  for (int t = 0; t < 2; t++) {
    wakers.emplace_back([&] {
      while (cx_waiter *each = feed.Take()) Complete(each, CX_OK);
    });
  }
  for (int t = 0; t < kThreads; t++) {
    clients.emplace_back([&, t] {
      std::mt19937 random(seed + t);
      GrpcClient client(port);
      for (int i = 0; i < kRounds; i++) {
        auto call = client.Open(kServe);
        call->Send(EchoPack("", random() % 20 + 1));
        for (unsigned pause = random() % 100; pause > 0; pause--) std::this_thread::yield();
        if (random() % 8 != 0) call->Cancel();
        grpc_status_code code = call->Finish().code;
        EXPECT_TRUE(code == GRPC_STATUS_OK || code == GRPC_STATUS_CANCELLED) << code;
      }
    });
  }
  for (auto &thread : clients) thread.join();
  Stop(0);
  feed.Close();
  for (auto &thread : wakers) thread.join();
  EXPECT_EQ(begun, ended);
  EXPECT_EQ(0u, Statistics().calls_in_flight);
}

}  // namespace
