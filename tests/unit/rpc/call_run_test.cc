// Waits, workers and other threads: in which order, and on which thread, a call goes on.

#include "tests/unit/rpc/echo_server.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

class CallRunTest : public EchoServer {};

TEST_F(CallRunTest, ResumesWithTheStatusOfTheWaiter) {
  cx_waiter *waiter = nullptr;
  Event waiting;
  on.unary = [&](cx_call *call, const EchoRequest *) {
    waiter = cx_call_wait(call, Resume);
    waiting.Set();
  };
  on.resume = [](cx_call *call, cx_status status) {
    EXPECT_EQ(CX_UNAVAILABLE, status);
    Fail(call, CX_REASON_STORAGE_FAILED, "the disk failed");
  };
  auto call = Client().Open(kUnary);
  call->Send(EchoPack(""));
  waiting.Wait();
  Complete(waiter, CX_UNAVAILABLE);
  EXPECT_EQ("STORAGE_FAILED", call->Finish().Reason());
}

TEST_F(CallRunTest, ResumesAListInItsOrderOnTheThreadOfTheCalls) {
  constexpr int kCalls = 50;
  std::vector<cx_waiter *> waiters;
  std::vector<cx_call *> calls, resumed;
  std::thread::id thread;
  Event waiting;
  on.unary = [&](cx_call *call, const EchoRequest *) {
    thread = std::this_thread::get_id();
    calls.push_back(call);
    waiters.push_back(cx_call_wait(call, Resume));
    waiting.Set();
  };
  on.resume = [&](cx_call *call, cx_status) {
    EXPECT_EQ(thread, std::this_thread::get_id());
    resumed.push_back(call);
    Reply(call, "");
  };
  std::vector<std::unique_ptr<GrpcCall>> open;
  for (int i = 0; i < kCalls; i++) {
    open.push_back(Client().Open(kUnary));
    open.back()->Send(EchoPack(""));
  }
  waiting.Wait(kCalls);
  for (int i = 0; i < kCalls; i++) {
    waiters[i]->status = CX_OK;
    waiters[i]->work.next = i + 1 < kCalls ? &waiters[i + 1]->work : nullptr;
  }
  cx_rpc_server_complete(server, &waiters[0]->work);
  for (auto &call : open) EXPECT_EQ(GRPC_STATUS_OK, call->Finish().code);
  Stop(0);
  EXPECT_EQ(calls, resumed);
}

TEST_F(CallRunTest, OffloadsWorkSoThatOtherCallsGoOn) {
  Event working, released;
  on.unary = [&](cx_call *call, const EchoRequest *request) {
    if (std::string(request->text) == "long") {
      cx_call_offload(call, RunJob);
    } else {
      Reply(call, "short");
    }
  };
  on.run = [&](cx_call *call) {
    working.Set();
    released.Wait();
    Reply(call, "long");
  };
  auto call = Client().Open(kUnary);
  call->Send(EchoPack("long"));
  working.Wait();
  EXPECT_EQ("short", EchoText(Unary("short").messages.at(0)));
  released.Set();
  EXPECT_EQ("long", EchoText(call->Finish().messages.at(0)));
}

TEST_F(CallRunTest, ResumesAnOffloadedCallOnlyWhenTheWorkerIsDoneWithIt) {
  std::atomic<bool> working{false};
  std::atomic<int> target{0};
  on.unary = [](cx_call *call, const EchoRequest *) { cx_call_offload(call, RunJob); };
  on.run = [&](cx_call *call) {
    working = true;
    Complete(cx_call_wait(call, Resume), CX_OK);
    // The poller has had its chance when it has answered somebody else.
    EXPECT_EQ(GRPC_STATUS_UNIMPLEMENTED, GrpcClient(target).Unary("/no/such", "").code);
    working = false;
  };
  on.resume = [&](cx_call *call, cx_status) {
    EXPECT_FALSE(working);
    Reply(call, "");
  };
  Start();
  target = port;
  EXPECT_EQ(GRPC_STATUS_OK, Unary("").code);
  Stop(0);
}

TEST_F(CallRunTest, OffloadsAgainFromAWorker) {
  std::atomic<int> runs{0};
  on.unary = [](cx_call *call, const EchoRequest *) { cx_call_offload(call, RunJob); };
  on.run = [&](cx_call *call) {
    if (++runs < 5) {
      cx_call_offload(call, RunJob);
    } else {
      Reply(call, "");
    }
  };
  EXPECT_EQ(GRPC_STATUS_OK, Unary("").code);
  EXPECT_EQ(5, runs);
}

TEST_F(CallRunTest, KnowsThatNobodyWaitsForTheAnswerOfLongWork) {
  Event working, cancelled, seen;
  on.unary = [](cx_call *call, const EchoRequest *) { cx_call_offload(call, RunJob); };
  on.run = [&](cx_call *call) {
    EXPECT_FALSE(cx_call_abandoned(call));
    working.Set();
    while (!cx_call_abandoned(call)) std::this_thread::yield();
    Reply(call, "");
    seen.Set();
  };
  auto call = Client().Open(kUnary);
  call->Send(EchoPack(""));
  working.Wait();
  call->Cancel();
  EXPECT_EQ(GRPC_STATUS_CANCELLED, call->Finish().code);
  seen.Wait();
}

TEST_F(CallRunTest, IsAnsweredByAnyThread) {
  std::thread other;
  on.unary = [&](cx_call *call, const EchoRequest *request) {
    other = std::thread([call, text = std::string(request->text)] { Reply(call, text); });
  };
  EXPECT_EQ("hi", EchoText(Unary("hi").messages.at(0)));
  Stop(0);
  other.join();
}

TEST_F(CallRunTest, EndsQuietlyWhenTheClientHasLeft) {
  cx_waiter *waiter = nullptr;
  Event waiting, replied;
  on.unary = [&](cx_call *call, const EchoRequest *request) {
    if (std::string(request->text) == "wait") {
      waiter = cx_call_wait(call, Resume);
      waiting.Set();
    } else {
      Reply(call, "");
    }
  };
  on.resume = [&](cx_call *call, cx_status) {
    Reply(call, "");
    replied.Set();
  };
  auto call = Client().Open(kUnary);
  call->Send(EchoPack("wait"));
  waiting.Wait();
  call->Cancel();
  EXPECT_EQ(GRPC_STATUS_CANCELLED, call->Finish().code);
  EXPECT_EQ(GRPC_STATUS_OK, Unary("").code);
  Complete(waiter, CX_OK);
  replied.Wait();
  EXPECT_EQ(GRPC_STATUS_OK, Unary("").code);
}

TEST_F(CallRunTest, AnswersThousandsOfCallsFromManyThreads) {
  constexpr int kThreads = 8, kCalls = 500;
  on.unary = [](cx_call *call, const EchoRequest *request) {
    if (request->number % 3 == 0) {
      Reply(call, request->text);
    } else if (request->number % 3 == 1) {
      cx_call_set_state(call, request->text);
      cx_call_offload(call, RunJob);
    } else {
      Fail(call, CX_REASON_CONTEXT_NOT_FOUND, "no");
    }
  };
  on.run = [](cx_call *call) { Reply(call, static_cast<char *>(cx_call_state(call))); };
  Client();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&, t] {
      GrpcClient client(port);
      for (int i = 0; i < kCalls; i++) {
        std::string text = std::to_string(t) + "/" + std::to_string(i);
        GrpcOutcome outcome = client.Unary(kUnary, EchoPack(text, i));
        if (i % 3 == 2) {
          EXPECT_EQ(GRPC_STATUS_NOT_FOUND, outcome.code);
        } else {
          ASSERT_EQ(1u, outcome.messages.size()) << outcome.message;
          EXPECT_EQ(text, EchoText(outcome.messages[0]));
        }
      }
    });
  }
  for (auto &thread : threads) thread.join();
}

}  // namespace
