// A server with the Echo service, whose methods do what a test says.

#ifndef CX_TESTS_UNIT_RPC_ECHO_SERVER_H
#define CX_TESTS_UNIT_RPC_ECHO_SERVER_H

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "tests/support/grpc_client.h"

extern "C" {
#include "core/base/limits.h"
#include "server/rpc/call.h"
#include "server/rpc/server.h"
#include "server/rpc/service.h"
#include "tests/unit/rpc/echo.pb-c.h"
}

typedef Cx__Test__EchoRequest EchoRequest;
typedef Cx__Test__EchoResponse EchoResponse;

const char kUnary[] = "/cx.test.Echo/Unary";
const char kServe[] = "/cx.test.Echo/Serve";
const char kTalk[] = "/cx.test.Echo/Talk";

// Something that happens, and can be waited for.
class Event {
 public:
  void Set() {
    std::lock_guard<std::mutex> lock(mutex_);
    count_++;
    changed_.notify_all();
  }

  // Waits until it has happened `count` times.
  void Wait(int count = 1) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }

  int Count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

// What the methods of the service do. Those that a test does not set fail it.
struct EchoHandlers {
  std::function<void(cx_call *, const EchoRequest *)> unary;
  std::function<void(cx_call *, const EchoRequest *)> serve;
  std::function<void(cx_call *)> talk;
  std::function<void(cx_call *, const EchoRequest *)> received;
  std::function<void(cx_call *)> sent;
  std::function<void(cx_call *)> left;

  // What cx_call_wait(), _park() and _offload() are given: they take no closures.
  std::function<void(cx_call *, cx_status)> resume;
  std::function<void(cx_call *)> run;
};

inline const EchoHandlers &Handlers(const cx_call *call) {
  return *static_cast<const EchoHandlers *>(cx_call_app(call));
}

inline void Resume(cx_call *call, cx_status status) { Handlers(call).resume(call, status); }
inline void RunJob(cx_call *call) { Handlers(call).run(call); }

inline const cx_service *EchoService() {
  static const cx_method methods[] = {
      {"Unary", CX_METHOD_UNARY,
       [](cx_call *call, const ProtobufCMessage *request) {
         Handlers(call).unary(call, reinterpret_cast<const EchoRequest *>(request));
       },
       nullptr, nullptr, nullptr},
      {"Serve", CX_METHOD_SERVER_STREAM,
       [](cx_call *call, const ProtobufCMessage *request) {
         Handlers(call).serve(call, reinterpret_cast<const EchoRequest *>(request));
       },
       nullptr, [](cx_call *call) { Handlers(call).sent(call); },
       [](cx_call *call) { Handlers(call).left(call); }},
      {"Talk", CX_METHOD_BIDI_STREAM,
       [](cx_call *call, const ProtobufCMessage *request) {
         EXPECT_EQ(nullptr, request);
         Handlers(call).talk(call);
       },
       [](cx_call *call, const ProtobufCMessage *request) {
         Handlers(call).received(call, reinterpret_cast<const EchoRequest *>(request));
       },
       [](cx_call *call) { Handlers(call).sent(call); },
       [](cx_call *call) { Handlers(call).left(call); }},
  };
  static const cx_service service = {&cx__test__echo__descriptor, methods, 3, nullptr};
  return &service;
}

inline std::string EchoPack(const std::string &text, uint64_t number = 0) {
  EchoRequest request = CX__TEST__ECHO_REQUEST__INIT;
  request.text = const_cast<char *>(text.c_str());
  request.number = number;
  return GrpcPack(&request.base);
}

inline std::string EchoText(const std::string &bytes) {
  EchoResponse *response = cx__test__echo_response__unpack(
      nullptr, bytes.size(), reinterpret_cast<const uint8_t *>(bytes.data()));
  std::string text = response != nullptr ? response->text : "(malformed)";
  if (response != nullptr) cx__test__echo_response__free_unpacked(response, nullptr);
  return text;
}

// Calls `answer` with a response that says `text`.
inline void WithResponse(const std::string &text,
                         const std::function<void(const ProtobufCMessage *)> &answer) {
  EchoResponse response = CX__TEST__ECHO_RESPONSE__INIT;
  response.text = const_cast<char *>(text.c_str());
  answer(&response.base);
}

inline void Reply(cx_call *call, const std::string &text) {
  WithResponse(text, [&](const ProtobufCMessage *response) { cx_call_reply(call, response); });
}

inline void Send(cx_call *call, const std::string &text) {
  WithResponse(text, [&](const ProtobufCMessage *response) { cx_call_send(call, response); });
}

inline void Fail(cx_call *call, cx_reason reason, const char *message) {
  cx_error error;
  cx_error_set(&error, reason, "%s", message);
  cx_call_fail(call, &error);
}

// Starts with the first Client(), so that a test can set handlers and options before. A
// test whose handlers write to what it looks at stops the server first: only then has
// it seen all they wrote.
class EchoServer : public testing::Test {
 protected:
  EchoServer() {
    options.listen = "127.0.0.1:0";
    options.pollers = 1;
    options.workers = 1;
    options.message_size_max = 4 << 20;
    options.in_flight_bytes_max = 64 << 20;
    options.connections_max = 100;
    options.app = &on;
  }

  void TearDown() override {
    client_.reset();
    if (started_) Stop(0);
    cx_rpc_server_free(server);
  }

  void Start() {
    cx_error error;
    ASSERT_EQ(CX_OK, cx_rpc_server_new(&options, &server));
    ASSERT_EQ(CX_OK, cx_rpc_server_add(server, EchoService()));
    ASSERT_EQ(CX_OK, cx_rpc_server_start(server, &port, &error));
    started_ = true;
  }

  void Stop(int64_t grace_us) {
    cx_rpc_server_stop(server, grace_us);
    started_ = false;
  }

  GrpcClient &Client() {
    if (server == nullptr) Start();
    if (client_ == nullptr) client_ = std::make_unique<GrpcClient>(port);
    return *client_;
  }

  GrpcOutcome Unary(const std::string &text) { return Client().Unary(kUnary, EchoPack(text)); }

  // Waits for a stop that another thread has begun: until new calls are refused.
  void AwaitStop() {
    grpc_status_code code;
    do {
      GrpcClient late(port);
      code = late.Open("/no/such", 1000)->Finish().code;
    } while (code != GRPC_STATUS_UNAVAILABLE);
  }

  // Completes a call's waiter, as the log's thread does.
  void Complete(cx_waiter *waiter, cx_status status) {
    waiter->status = status;
    waiter->work.next = nullptr;
    cx_rpc_server_complete(server, &waiter->work);
  }

  cx_rpc_statistics Statistics() {
    cx_rpc_statistics statistics;
    cx_rpc_server_statistics(server, &statistics);
    return statistics;
  }

  EchoHandlers on;
  cx_rpc_options options = {};
  cx_rpc_server *server = nullptr;
  int port = 0;

 private:
  bool started_ = false;
  std::unique_ptr<GrpcClient> client_;
};

#endif  // CX_TESTS_UNIT_RPC_ECHO_SERVER_H
