// Unary calls: what server/rpc/call.h promises about them, through a real port.

#include "tests/unit/rpc/echo_server.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

class CallTest : public EchoServer {};

TEST_F(CallTest, AnswersAUnaryCall) {
  on.unary = [](cx_call *call, const EchoRequest *request) { Reply(call, request->text); };
  GrpcOutcome outcome = Unary("hello");
  EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
  ASSERT_EQ(1u, outcome.messages.size());
  EXPECT_EQ("hello", EchoText(outcome.messages[0]));
}

TEST_F(CallTest, FailsWithTheReasonAndItsValues) {
  on.unary = [](cx_call *call, const EchoRequest *) {
    cx_error error;
    cx_error_set(&error, CX_REASON_VERSION_CONFLICT, "the version is %d", 7);
    cx_error_detail_number(&error, "current_version", 7);
    cx_call_fail(call, &error);
  };
  GrpcOutcome outcome = Unary("");
  EXPECT_EQ(GRPC_STATUS_ABORTED, outcome.code);
  EXPECT_EQ("the version is 7", outcome.message);
  EXPECT_EQ("contextd", outcome.Domain());
  EXPECT_EQ("VERSION_CONFLICT", outcome.Reason());
  EXPECT_EQ("7", outcome.Metadata()["current_version"]);
  EXPECT_EQ(0, outcome.RetryDelayUs());
  EXPECT_TRUE(outcome.messages.empty());
}

TEST_F(CallTest, SaysWhenToTryAgain) {
  on.unary = [](cx_call *call, const EchoRequest *) {
    cx_error error;
    cx_error_set(&error, CX_REASON_OVERLOADED, "busy");
    error.retry_delay_us = 1500000;
    cx_call_fail(call, &error);
  };
  EXPECT_EQ(1500000, Unary("").RetryDelayUs());
}

TEST_F(CallTest, RefusesAMalformedRequestWithoutTheHandler) {
  GrpcOutcome outcome = Client().Unary(kUnary, "\xff\xff\xff");
  EXPECT_EQ(GRPC_STATUS_INVALID_ARGUMENT, outcome.code);
  EXPECT_EQ("MALFORMED_REQUEST", outcome.Reason());
}

TEST_F(CallTest, RefusesARequestWithoutAMessage) {
  auto call = Client().Open(kUnary);
  call->SendsDone();
  GrpcOutcome outcome = call->Finish();
  EXPECT_EQ(GRPC_STATUS_INVALID_ARGUMENT, outcome.code);
  EXPECT_EQ("MALFORMED_REQUEST", outcome.Reason());
}

TEST_F(CallTest, DoesNotRunTheHandlerOfACallThatArrivesTooLate) {
  Event blocked, released;
  std::atomic<int> late{0};
  on.unary = [&](cx_call *call, const EchoRequest *request) {
    if (std::string(request->text) == "block") {
      blocked.Set();
      released.Wait();
    } else if (std::string(request->text) == "late") {
      late++;
    }
    Reply(call, "");
  };
  Client();
  std::thread blocker([&] { EXPECT_EQ(GRPC_STATUS_OK, Unary("block").code); });
  blocked.Wait();
  GrpcClient other(port);
  EXPECT_EQ(GRPC_STATUS_DEADLINE_EXCEEDED, other.Unary(kUnary, EchoPack("late"), 50).code);
  released.Set();
  blocker.join();
  // Calls of one connection arrive in their order.
  EXPECT_EQ(GRPC_STATUS_OK, other.Unary(kUnary, EchoPack("")).code);
  EXPECT_EQ(0, late);
}

TEST_F(CallTest, TellsThatAResponseIsTooLarge) {
  options.message_size_max = 1000;
  on.unary = [](cx_call *call, const EchoRequest *request) {
    EXPECT_EQ(1000u, cx_call_message_size_max(call));
    Reply(call, std::string(request->number, 'x'));
  };
  EXPECT_EQ(GRPC_STATUS_OK, Client().Unary(kUnary, EchoPack("", 997)).code);
  GrpcOutcome outcome = Client().Unary(kUnary, EchoPack("", 998));
  EXPECT_EQ(GRPC_STATUS_RESOURCE_EXHAUSTED, outcome.code);
  EXPECT_EQ("RESPONSE_TOO_LARGE", outcome.Reason());
  EXPECT_EQ("1001", outcome.Metadata()["size"]);
  EXPECT_EQ("1000", outcome.Metadata()["limit"]);
}

TEST_F(CallTest, RefusesARequestThatIsTooLarge) {
  options.message_size_max = 1000;
  on.unary = [](cx_call *call, const EchoRequest *) { Reply(call, ""); };
  EXPECT_EQ(GRPC_STATUS_OK, Unary(std::string(997, 'x')).code);
  EXPECT_EQ(GRPC_STATUS_RESOURCE_EXHAUSTED, Unary(std::string(998, 'x')).code);
  EXPECT_EQ(GRPC_STATUS_OK, Unary("still there").code);
}

TEST_F(CallTest, CountsARequestUntilTheCallHasEnded) {
  cx_call *kept = nullptr;
  Event arrived;
  on.unary = [&](cx_call *call, const EchoRequest *) {
    kept = call;
    arrived.Set();
  };
  auto call = Client().Open(kUnary);
  std::string request = EchoPack(std::string(1000, 'x'));
  call->Send(request);
  call->SendsDone();
  arrived.Wait();
  EXPECT_EQ(request.size(), Statistics().bytes_in_flight);
  EXPECT_EQ(1u, Statistics().calls_in_flight);
  Reply(kept, "");
  EXPECT_EQ(GRPC_STATUS_OK, call->Finish().code);
  Stop(0);  // All that is left of the call is gone then.
  EXPECT_EQ(0u, Statistics().bytes_in_flight);
  EXPECT_EQ(0u, Statistics().calls_in_flight);
}

TEST_F(CallTest, RefusesWhatIsAboveTheBytesInFlightAndSaysWhenToTryAgain) {
  options.in_flight_bytes_max = 10000;
  cx_call *kept = nullptr;
  Event arrived;
  on.unary = [&](cx_call *call, const EchoRequest *request) {
    if (std::string(request->text).size() > 100) {
      kept = call;
      arrived.Set();
    } else {
      Reply(call, "");
    }
  };
  auto first = Client().Open(kUnary);
  first->Send(EchoPack(std::string(3000, 'x')));
  arrived.Wait();

  GrpcOutcome outcome = Unary(std::string(7000, 'x'));
  EXPECT_EQ(GRPC_STATUS_RESOURCE_EXHAUSTED, outcome.code);
  EXPECT_EQ("OVERLOADED", outcome.Reason());
  EXPECT_EQ(CX_OVERLOADED_RETRY_US, outcome.RetryDelayUs());
  EXPECT_EQ(GRPC_STATUS_OK, Unary("small").code);

  Reply(kept, "");
  EXPECT_EQ(GRPC_STATUS_OK, first->Finish().code);
}

TEST_F(CallTest, RefusesASmallMessageThatUnfoldsToALargeOne) {
  options.in_flight_bytes_max = 1 << 20;
  on.unary = [](cx_call *call, const EchoRequest *) { Reply(call, ""); };
  std::string bomb;  // Empty parts of 2 bytes each, over 40 bytes in memory.
  for (int i = 0; i < 100000; i++) bomb += std::string("\x22\x00", 2);
  GrpcOutcome outcome = Client().Unary(kUnary, bomb);
  EXPECT_EQ(GRPC_STATUS_RESOURCE_EXHAUSTED, outcome.code);
  EXPECT_EQ("OVERLOADED", outcome.Reason());
  EXPECT_EQ(GRPC_STATUS_OK, Client().Unary(kUnary, bomb.substr(0, 2000)).code);
}

TEST_F(CallTest, GivesMemoryThatLivesAsLongAsTheCall) {
  cx_waiter *waiter = nullptr;
  Event waiting;
  on.unary = [&](cx_call *call, const EchoRequest *request) {
    std::string text = request->text;
    char *copy = static_cast<char *>(cx_call_alloc(call, text.size() + 1));
    text.copy(copy, text.size());
    copy[text.size()] = '\0';
    EXPECT_EQ(nullptr, cx_call_state(call));
    cx_call_set_state(call, copy);
    waiter = cx_call_wait(call, Resume);
    waiting.Set();
  };
  on.resume = [](cx_call *call, cx_status status) {
    EXPECT_EQ(CX_OK, status);
    Reply(call, static_cast<const char *>(cx_call_state(call)));
  };
  auto call = Client().Open(kUnary);
  call->Send(EchoPack(std::string(10000, 'x')));
  waiting.Wait();
  Complete(waiter, CX_OK);
  EXPECT_EQ(std::string(10000, 'x'), EchoText(call->Finish().messages.at(0)));
}

TEST_F(CallTest, ResumesWithTheStatusOfTheWaiter) {
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

TEST_F(CallTest, ResumesAListInItsOrderOnTheThreadOfTheCalls) {
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

TEST_F(CallTest, OffloadsWorkSoThatOtherCallsGoOn) {
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

TEST_F(CallTest, ResumesAnOffloadedCallOnlyWhenTheWorkerIsDoneWithIt) {
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

TEST_F(CallTest, OffloadsAgainFromAWorker) {
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

TEST_F(CallTest, KnowsThatNobodyWaitsForTheAnswerOfLongWork) {
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

TEST_F(CallTest, IsAnsweredByAnyThread) {
  std::thread other;
  on.unary = [&](cx_call *call, const EchoRequest *request) {
    other = std::thread([call, text = std::string(request->text)] { Reply(call, text); });
  };
  EXPECT_EQ("hi", EchoText(Unary("hi").messages.at(0)));
  Stop(0);
  other.join();
}

TEST_F(CallTest, EndsQuietlyWhenTheClientHasLeft) {
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

TEST_F(CallTest, AnswersThousandsOfCallsFromManyThreads) {
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
