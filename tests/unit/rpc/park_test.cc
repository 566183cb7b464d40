// Parked calls: what server/rpc/call.h promises about cx_call_park(), and server.h about
// those that are parked when the server stops.

#include "tests/unit/rpc/echo_server.h"

#include <string.h>

#include <atomic>
#include <new>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/seed.h"

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
  Stop(0);
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
  Stop(0);
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

// A call that is late already when it arrives is not parked: the next has more time.
TEST_F(ParkTest, TellsThatTheDeadlinePassed) {
  on.serve = [this](cx_call *call, const EchoRequest *) {
    cx_call_set_state(call, cx_call_park(call, Resume));
    parked.Set();
  };
  on.left = [this](cx_call *call) {
    auto *late = static_cast<cx_waiter *>(cx_call_state(call));
    cx_call_finish(call);
    Complete(late, CX_OK);
    left.Set();
  };
  for (int64_t timeout_ms = 50; parked.Count() == 0; timeout_ms *= 2) {
    EXPECT_EQ(GRPC_STATUS_DEADLINE_EXCEEDED, Serve(timeout_ms)->Finish().code);
  }
  left.Wait();
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
  Stop(0);
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

// A stop that lasted as long as the grace period would outlast the test.
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
  AwaitStop();
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

// Whom to wake when there is news: what the engine's feed is to subscriptions.
class Feed {
 public:
  void Add(cx_call *call, cx_waiter *waiter) {
    std::lock_guard<std::mutex> lock(mutex_);
    parked_.push_back({call, waiter});
    changed_.notify_all();
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

  void AddNews(unsigned count) {
    std::lock_guard<std::mutex> lock(mutex_);
    news_ += count;
    changed_.notify_all();
  }

  // Takes one that is parked for each piece of news. NULL: the feed is closed.
  cx_waiter *Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || (news_ > 0 && !parked_.empty()); });
    if (closed_) return nullptr;
    cx_waiter *waiter = parked_.back().second;
    parked_.pop_back();
    news_--;
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
  unsigned news_ = 0;
  bool closed_ = false;
};

// Streams that are parked with a feed as their number says: by the poller or a worker,
// after one that was taken back, once or until their client leaves.
class FeedTest : public ParkTest {
 protected:
  // In the call's memory, which must outlast the waiter.
  struct Subscription {
    uint64_t number;
    bool left;
  };

  FeedTest() {
    on.serve = [this](cx_call *call, const EchoRequest *request) {
      void *memory = cx_call_alloc(call, sizeof(Subscription));
      cx_call_set_state(call, new (memory) Subscription{request->number, false});
      begun++;
      Send(call, "");
    };
    on.sent = [this](cx_call *call) { Wait(call); };
    on.run = [this](cx_call *call) { Park(call); };
    on.resume = [this](cx_call *call, cx_status) {
      EXPECT_FALSE(Of(call)->left);
      if (Of(call)->number % 5 == 0) {
        End(call);
      } else {
        Wait(call);
      }
    };
    on.left = [this](cx_call *call) {
      Of(call)->left = true;
      if (feed.Remove(call)) cx_call_unpark(call);
      End(call);
    };
  }

  static Subscription *Of(cx_call *call) {
    return static_cast<Subscription *>(cx_call_state(call));
  }

  void Wait(cx_call *call) {
    if (Of(call)->number % 3 == 0) {
      cx_call_offload(call, RunJob);
    } else {
      Park(call);
    }
  }

  void Park(cx_call *call) {
    feed.Add(call, cx_call_park(call, Resume));
    if (Of(call)->number % 2 == 0 && feed.Remove(call)) {
      cx_call_unpark(call);
      feed.Add(call, cx_call_park(call, Resume));
    }
  }

  void End(cx_call *call) {
    ended++;
    cx_call_finish(call);
  }

  // A client that leaves while there is news.
  void Subscribe(GrpcClient &client, std::mt19937 &random) {
    auto call = client.Open(kServe);
    std::string message;
    call->Send(EchoPack("", random() % 30));
    EXPECT_TRUE(call->Receive(&message));
    feed.AddNews(random() % 3);
    call->Cancel();
    feed.AddNews(random() % 3);
    grpc_status_code code = call->Finish().code;
    EXPECT_TRUE(code == GRPC_STATUS_CANCELLED || code == GRPC_STATUS_OK) << code;
  }

  Feed feed;
  std::atomic<int> begun{0}, ended{0};
};

TEST_F(FeedTest, EndsEveryStreamOnceHoweverNewsAndItsClientMeet) {
  constexpr int kThreads = 4, kRounds = 250;
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("CONTEXTD_SEED=" + std::to_string(seed));
  options.pollers = 2;
  options.workers = 2;
  Start();
  std::vector<std::thread> clients;
  std::thread waker([this] {
    while (cx_waiter *each = feed.Take()) Complete(each, CX_OK);
  });
  for (int t = 0; t < kThreads; t++) {
    clients.emplace_back([this, seed, t] {
      std::mt19937 random(seed + static_cast<uint64_t>(t));
      GrpcClient client(port);
      for (int i = 0; i < kRounds; i++) Subscribe(client, random);
    });
  }
  for (auto &thread : clients) thread.join();
  Stop(0);
  feed.Close();
  waker.join();
  EXPECT_EQ(kThreads * kRounds, begun);
  EXPECT_EQ(kThreads * kRounds, ended);
  EXPECT_EQ(0u, Statistics().calls_in_flight);
}

}  // namespace
