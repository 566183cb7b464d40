// Streams in both directions: what server/rpc/call.h and service.h promise about them.

#include "tests/unit/rpc/echo_server.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

// More than gRPC buffers for a client that does not read.
const size_t kLarge = 1 << 20;

// The pieces are gone on return.
void SendPieces(cx_call *call, const std::vector<std::string> &texts) {
  std::vector<cx_bytes> pieces;
  for (const std::string &text : texts) {
    pieces.push_back({reinterpret_cast<const uint8_t *>(text.data()), text.size()});
  }
  cx_call_send_bytes(call, pieces.data(), pieces.size());
}

class StreamTest : public EchoServer {
 protected:
  // Every stream is finished when its client leaves.
  StreamTest() {
    on.left = [this](cx_call *call) {
      left.Set();
      cx_call_finish(call);
    };
  }

  // A talk that answers each request before it receives the next.
  void EchoTalk() {
    on.talk = cx_call_receive;
    on.received = [](cx_call *call, const EchoRequest *request) {
      if (request != nullptr) {
        Send(call, request->text);
      } else {
        cx_call_finish(call);
      }
    };
    on.sent = cx_call_receive;
  }

  // A server stream that sends for ever.
  void FloodServe(size_t size) {
    on.serve = [this, size](cx_call *call, const EchoRequest *) {
      cx_call_set_stall_limit(call, stall_us);
      cx_call_set_progress(call, "cursor", cx_bytes_of("key 7"));
      Send(call, std::string(size, 'x'));
    };
    on.sent = [this, size](cx_call *call) {
      sent++;
      Send(call, std::string(size, 'x'));
    };
  }

  Event left;
  std::atomic<int> sent{0};
  int64_t stall_us = 0;
};

TEST_F(StreamTest, SendsTheNextMessageWhenTheLastIsOnItsWay) {
  on.serve = [](cx_call *call, const EchoRequest *request) {
    cx_call_set_state(call, reinterpret_cast<void *>(request->number));
    Send(call, "0");
  };
  on.sent = [this](cx_call *call) {
    int number = ++sent;
    if (number < static_cast<int>(reinterpret_cast<intptr_t>(cx_call_state(call)))) {
      Send(call, std::to_string(number));
    } else {
      cx_call_finish(call);
    }
  };
  GrpcOutcome outcome = Client().Unary(kServe, EchoPack("", 100));
  EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
  ASSERT_EQ(100u, outcome.messages.size());
  for (int i = 0; i < 100; i++) EXPECT_EQ(std::to_string(i), EchoText(outcome.messages[i]));
}

TEST_F(StreamTest, EndsWithoutAMessage) {
  on.serve = [](cx_call *call, const EchoRequest *) { cx_call_finish(call); };
  GrpcOutcome outcome = Client().Unary(kServe, EchoPack(""));
  EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
  EXPECT_TRUE(outcome.messages.empty());
}

TEST_F(StreamTest, LetsAMessageOnItsWayGoOutBeforeAnError) {
  on.serve = [](cx_call *call, const EchoRequest *) {
    Send(call, std::string(kLarge, 'x'));
    Fail(call, CX_REASON_DAMAGED, "damaged");
  };
  GrpcOutcome outcome = Client().Unary(kServe, EchoPack(""));
  EXPECT_EQ(GRPC_STATUS_DATA_LOSS, outcome.code);
  EXPECT_EQ("DAMAGED", outcome.Reason());
  EXPECT_EQ(1u, outcome.messages.size());
}

TEST_F(StreamTest, RefusesAMalformedRequestOfAServerStream) {
  EXPECT_EQ("MALFORMED_REQUEST", Client().Unary(kServe, "\xff").Reason());
}

TEST_F(StreamTest, AnswersOneRequestAfterTheOther) {
  EchoTalk();
  auto call = Client().Open(kTalk);
  std::string message;
  for (int i = 0; i < 500; i++) {
    std::string text(i, 'x');
    ASSERT_TRUE(call->Send(EchoPack(text)));
    ASSERT_TRUE(call->Receive(&message));
    EXPECT_EQ(text, EchoText(message));
  }
  call->SendsDone();
  EXPECT_EQ(GRPC_STATUS_OK, call->Finish().code);
  EXPECT_EQ(0, left.Count());
}

TEST_F(StreamTest, ReceivesAndSendsAtTheSameTime) {
  std::atomic<int> received{0};
  on.talk = [](cx_call *call) {
    cx_call_receive(call);
    Send(call, "greeting");
  };
  on.received = [&](cx_call *call, const EchoRequest *request) {
    if (request == nullptr) {
      EXPECT_EQ(1000, received);
      cx_call_finish(call);
      return;
    }
    received++;
    cx_call_receive(call);
  };
  on.sent = [](cx_call *) {};
  auto call = Client().Open(kTalk);
  for (int i = 0; i < 1000; i++) ASSERT_TRUE(call->Send(EchoPack("x")));
  call->SendsDone();
  GrpcOutcome outcome = call->Finish();
  EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
  EXPECT_EQ(1u, outcome.messages.size());
}

TEST_F(StreamTest, EndsATalkWithAMalformedMessage) {
  EchoTalk();
  auto call = Client().Open(kTalk);
  std::string message;
  call->Send(EchoPack("good"));
  ASSERT_TRUE(call->Receive(&message));
  call->Send("\xff\xff");
  GrpcOutcome outcome = call->Finish();
  EXPECT_EQ(GRPC_STATUS_INVALID_ARGUMENT, outcome.code);
  EXPECT_EQ("MALFORMED_REQUEST", outcome.Reason());
  EXPECT_EQ(1, left.Count());
}

TEST_F(StreamTest, EndsATalkWhoseMessageIsAboveTheBytesInFlight) {
  options.in_flight_bytes_max = 1000;
  EchoTalk();
  auto call = Client().Open(kTalk);
  call->Send(EchoPack(std::string(1000, 'x')));
  GrpcOutcome outcome = call->Finish();
  EXPECT_EQ("OVERLOADED", outcome.Reason());
  EXPECT_EQ(CX_OVERLOADED_RETRY_US, outcome.RetryDelayUs());
}

TEST_F(StreamTest, CountsTheMessageOfATalkUntilReceivedReturns) {
  std::atomic<uint64_t> inside{0};
  EchoTalk();
  on.received = [&](cx_call *call, const EchoRequest *request) {
    if (request == nullptr) {
      cx_call_finish(call);
      return;
    }
    inside = Statistics().bytes_in_flight;
    Send(call, "");
  };
  auto call = Client().Open(kTalk);
  std::string request = EchoPack(std::string(500, 'x'));
  std::string message;
  call->Send(request);
  ASSERT_TRUE(call->Receive(&message));
  EXPECT_EQ(request.size(), inside);
  call->SendsDone();
  EXPECT_EQ(GRPC_STATUS_OK, call->Finish().code);
  EXPECT_EQ(0u, Statistics().bytes_in_flight);
}

TEST_F(StreamTest, TellsAMessageThatIsTooLarge) {
  options.message_size_max = 1000;
  on.serve = [](cx_call *call, const EchoRequest *) { Send(call, std::string(1000, 'x')); };
  GrpcOutcome outcome = Client().Unary(kServe, EchoPack(""));
  EXPECT_EQ(GRPC_STATUS_RESOURCE_EXHAUSTED, outcome.code);
  EXPECT_EQ("RESPONSE_TOO_LARGE", outcome.Reason());
  EXPECT_EQ(1, left.Count());
}

TEST_F(StreamTest, SendsAMessageThatWasPackedBeforeInPieces) {
  const std::string packed = EchoPack(std::string(kLarge, 'x'));
  on.serve = [&](cx_call *call, const EchoRequest *) {
    SendPieces(call, {packed.substr(0, 1), "", packed.substr(1, 9), packed.substr(10)});
  };
  on.sent = [this](cx_call *call) {
    if (sent++ == 0) {
      SendPieces(call, {});
    } else {
      cx_call_finish(call);
    }
  };
  GrpcOutcome outcome = Client().Unary(kServe, EchoPack(""));
  EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
  EXPECT_EQ((std::vector<std::string>{packed, ""}), outcome.messages);
  Stop(0);
}

TEST_F(StreamTest, TellsAMessageInPiecesThatIsTooLarge) {
  options.message_size_max = 1000;
  on.serve = [](cx_call *call, const EchoRequest *) {
    SendPieces(call, {std::string(400, 'x'), std::string(600, 'x')});
  };
  on.sent = [](cx_call *call) { SendPieces(call, {std::string(400, 'x'), std::string(601, 'x')}); };
  GrpcOutcome outcome = Client().Unary(kServe, EchoPack(""));
  EXPECT_EQ("RESPONSE_TOO_LARGE", outcome.Reason());
  EXPECT_EQ("1001", outcome.Metadata()["size"]);
  EXPECT_EQ("1000", outcome.Metadata()["limit"]);
  EXPECT_EQ(1u, outcome.messages.size());
  EXPECT_EQ(1, left.Count());
}

TEST_F(StreamTest, EndsATalkWhoseMessageIsTooLargeToReceive) {
  options.message_size_max = 1000;
  EchoTalk();
  auto call = Client().Open(kTalk);
  call->Send(EchoPack(std::string(1000, 'x')));
  EXPECT_EQ(GRPC_STATUS_RESOURCE_EXHAUSTED, call->Finish().code);
  left.Wait();
}

TEST_F(StreamTest, TellsOnceThatTheClientLeft) {
  FloodServe(10);
  for (int i = 1; i <= 50; i++) {
    auto call = Client().Open(kServe);
    std::string message;
    call->Send(EchoPack(""));
    call->SendsDone();
    for (int j = 0; j < i; j++) ASSERT_TRUE(call->Receive(&message));
    call->Cancel();
    EXPECT_EQ(GRPC_STATUS_CANCELLED, call->Finish().code);
    left.Wait(i);
    EXPECT_EQ(i, left.Count());
  }
}

TEST_F(StreamTest, TellsThatTheClientOfATalkLeft) {
  EchoTalk();
  auto call = Client().Open(kTalk);
  std::string message;
  call->Send(EchoPack(""));
  ASSERT_TRUE(call->Receive(&message));
  call->Cancel();
  EXPECT_EQ(GRPC_STATUS_CANCELLED, call->Finish().code);
  left.Wait();
}

TEST_F(StreamTest, TellsThatTheDeadlinePassed) {
  Event arrived;  // In time: else the next call has more.
  on.serve = [&](cx_call *, const EchoRequest *) { arrived.Set(); };
  for (int64_t timeout_ms = 50; arrived.Count() == 0; timeout_ms *= 2) {
    EXPECT_EQ(GRPC_STATUS_DEADLINE_EXCEEDED, Client().Unary(kServe, EchoPack(""), timeout_ms).code);
  }
  left.Wait();
  Stop(0);
}

TEST_F(StreamTest, TellsThatTheClientLeftOnlyAfterTheWait) {
  cx_waiter *waiter = nullptr;
  std::atomic<bool> resumed{false};
  Event waiting;
  on.serve = [&](cx_call *call, const EchoRequest *) {
    waiter = cx_call_wait(call, Resume);
    waiting.Set();
  };
  on.resume = [&](cx_call *, cx_status) { resumed = true; };
  on.left = [&](cx_call *call) {
    EXPECT_TRUE(resumed);
    cx_call_finish(call);
    left.Set();
  };
  auto call = Client().Open(kServe);
  call->Send(EchoPack(""));
  waiting.Wait();
  call->Cancel();
  EXPECT_EQ(GRPC_STATUS_CANCELLED, call->Finish().code);
  EXPECT_EQ(GRPC_STATUS_UNIMPLEMENTED, Client().Unary("/no/such", "").code);
  EXPECT_EQ(0, left.Count());
  Complete(waiter, CX_OK);
  left.Wait();
}

TEST_F(StreamTest, TellsThatTheClientLeftWhenAWaiterIsTakenBack) {
  Event waiting;
  on.serve = [&](cx_call *call, const EchoRequest *) {
    cx_call_wait(call, Resume);
    cx_call_unwait(call);
    waiting.Set();
  };
  auto call = Client().Open(kServe);
  call->Send(EchoPack(""));
  waiting.Wait();
  call->Cancel();
  left.Wait();
}

TEST_F(StreamTest, TellsNothingWhileTheCallIsOnAWorker) {
  std::atomic<bool> working{false};
  Event started, released;
  on.serve = [](cx_call *call, const EchoRequest *) { cx_call_offload(call, RunJob); };
  on.run = [&](cx_call *call) {
    working = true;
    started.Set();
    released.Wait();
    EXPECT_TRUE(cx_call_abandoned(call));
    Send(call, "nobody reads this");
    working = false;
  };
  on.sent = [&](cx_call *) { EXPECT_FALSE(working); };
  on.left = [&](cx_call *call) {
    EXPECT_FALSE(working);
    cx_call_finish(call);
    left.Set();
  };
  auto call = Client().Open(kServe);
  call->Send(EchoPack(""));
  started.Wait();
  call->Cancel();
  EXPECT_EQ(GRPC_STATUS_CANCELLED, call->Finish().code);
  EXPECT_EQ(GRPC_STATUS_UNIMPLEMENTED, Client().Unary("/no/such", "").code);
  released.Set();
  left.Wait();
}

TEST_F(StreamTest, StreamsFromAWorker) {
  on.serve = [](cx_call *call, const EchoRequest *) { cx_call_offload(call, RunJob); };
  on.run = [this](cx_call *call) {
    if (sent == 200) {
      cx_call_finish(call);
    } else {
      Send(call, std::to_string(sent));
    }
  };
  on.sent = [this](cx_call *call) {
    sent++;
    cx_call_offload(call, RunJob);
  };
  GrpcOutcome outcome = Client().Unary(kServe, EchoPack(""));
  EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
  ASSERT_EQ(200u, outcome.messages.size());
  EXPECT_EQ("199", EchoText(outcome.messages[199]));
}

TEST_F(StreamTest, SendsFromAnyThread) {
  cx_call *kept = nullptr;
  Event started, went;
  on.serve = [&](cx_call *call, const EchoRequest *) {
    kept = call;
    started.Set();
  };
  on.sent = [&](cx_call *) { went.Set(); };
  auto call = Client().Open(kServe);
  call->Send(EchoPack(""));
  call->SendsDone();
  started.Wait();
  std::string message;
  for (int i = 1; i <= 100; i++) {
    Send(kept, std::to_string(i));
    ASSERT_TRUE(call->Receive(&message));
    EXPECT_EQ(std::to_string(i), EchoText(message));
    went.Wait(i);
  }
  cx_call_finish(kept);
  EXPECT_EQ(GRPC_STATUS_OK, call->Finish().code);
}

// ---- Readers that stop.

TEST_F(StreamTest, EndsAStreamThatNobodyReadsAndSaysWhereToGoOn) {
  stall_us = 50 * 1000;
  FloodServe(kLarge);
  on.left = [&](cx_call *call) {
    cx_call_finish(call);  // What the handler says does not count.
    left.Set();
  };
  auto call = Client().Open(kServe);
  call->Send(EchoPack(""));
  call->SendsDone();
  left.Wait();
  GrpcOutcome outcome = call->Finish();  // Reads again, in time for the details or not.
  EXPECT_EQ(GRPC_STATUS_ABORTED, outcome.code);
  if (!outcome.details.empty()) {
    EXPECT_EQ("STREAM_STALLED", outcome.Reason());
    EXPECT_EQ("key 7", outcome.Metadata()["cursor"]);
    EXPECT_NE(std::string::npos, outcome.message.find("behind `cursor`")) << outcome.message;
  }
}

TEST_F(StreamTest, EndsAStreamThatNobodyReadsAndThatHasNoPlaceToGoOn) {
  stall_us = 50 * 1000;
  FloodServe(kLarge);
  on.serve = [this](cx_call *call, const EchoRequest *) {
    cx_call_set_stall_limit(call, stall_us);
    Send(call, std::string(kLarge, 'x'));
  };
  auto call = Client().Open(kServe);
  call->Send(EchoPack(""));
  call->SendsDone();
  left.Wait();
  GrpcOutcome outcome = call->Finish();  // In time for the details or not.
  EXPECT_EQ(GRPC_STATUS_ABORTED, outcome.code);
  if (!outcome.details.empty()) {
    EXPECT_EQ("STREAM_STALLED", outcome.Reason());
    EXPECT_TRUE(outcome.Metadata().empty());
  }
}

TEST_F(StreamTest, FreesAStreamThatNobodyReadsAtAll) {
  stall_us = 10 * 1000;
  FloodServe(kLarge);
  auto call = Client().Open(kServe);
  call->Send(EchoPack(""));
  call->SendsDone();
  left.Wait();
  while (Statistics().calls_in_flight > 0) std::this_thread::yield();
  EXPECT_EQ(GRPC_STATUS_ABORTED, call->Finish().code);
  EXPECT_EQ(1, left.Count());
}

TEST_F(StreamTest, LeavesAReaderThatIsSlowButReadsAlone) {
  stall_us = 60 * 1000 * 1000;
  FloodServe(kLarge);
  auto call = Client().Open(kServe);
  std::string message;
  call->Send(EchoPack(""));
  for (int i = 0; i < 20; i++) ASSERT_TRUE(call->Receive(&message));
  EXPECT_EQ(0, left.Count());
}

TEST_F(StreamTest, DoesNotLetAStalledStreamHoldUpOthers) {
  FloodServe(kLarge);
  on.unary = [](cx_call *call, const EchoRequest *) { Reply(call, ""); };
  auto stalled = Client().Open(kServe);
  stalled->Send(EchoPack(""));
  for (int i = 0; i < 100; i++) EXPECT_EQ(GRPC_STATUS_OK, Unary("").code);
}

// ---- Many at once.

TEST_F(StreamTest, ServesManyStreamsThatComeAndGo) {
  constexpr int kThreads = 8, kStreams = 50;
  EchoTalk();
  // Both kinds of streams share `sent`: a talk has no state, a flood has.
  on.serve = [](cx_call *call, const EchoRequest *) {
    cx_call_set_state(call, call);
    Send(call, "flood");
  };
  on.sent = [](cx_call *call) {
    if (cx_call_state(call) != nullptr) {
      Send(call, "flood");
    } else {
      cx_call_receive(call);
    }
  };
  Start();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&, t] {
      GrpcClient client(port);
      std::string message;
      for (int i = 0; i < kStreams; i++) {
        auto call = client.Open(t % 2 == 0 ? kServe : kTalk);
        for (int j = 0; j < i % 7 + 1; j++) {
          call->Send(EchoPack(std::to_string(j)));
          EXPECT_TRUE(call->Receive(&message));
          if (t % 2 == 0) break;
          EXPECT_EQ(std::to_string(j), EchoText(message));
        }
        if (i % 2 == 0) {
          call->SendsDone();
          if (t % 2 != 0) {
            EXPECT_EQ(GRPC_STATUS_OK, call->Finish().code);
          }
        }
      }
    });
  }
  for (auto &thread : threads) thread.join();
}

}  // namespace
