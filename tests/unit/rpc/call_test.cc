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

// The server reads a request while it is in time, and comes to it when that has passed:
// behind one that keeps the poller, and was read together with it.
TEST_F(CallTest, DoesNotRunTheHandlerOfACallThatIsTooLate) {
  Event blocked, released[2];
  std::atomic<int> blocks{0}, late{0};
  on.unary = [&](cx_call *call, const EchoRequest *request) {
    std::string text = request->text;
    if (text == "block") {
      blocked.Set();
      released[blocks++].Wait();
    } else if (text == "late") {
      late++;
    }
    Reply(call, "");
  };
  auto first = Client().Open(kUnary);
  first->Send(EchoPack("block"));
  blocked.Wait();
  auto second = Client().Open(kUnary);
  second->Send(EchoPack("block"));
  auto late_call = Client().Open(kUnary, 100);
  late_call->Send(EchoPack("late"));
  late_call->SendsDone();
  released[0].Set();
  blocked.Wait(2);
  // A call that nobody answers takes just as long as its deadline.
  EXPECT_EQ(GRPC_STATUS_DEADLINE_EXCEEDED, Client().Unary(kUnary, EchoPack(""), 150).code);
  released[1].Set();
  EXPECT_EQ(GRPC_STATUS_DEADLINE_EXCEEDED, late_call->Finish().code);
  EXPECT_EQ(GRPC_STATUS_OK, first->Finish().code);
  EXPECT_EQ(GRPC_STATUS_OK, second->Finish().code);
  Stop(0);
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

}  // namespace
