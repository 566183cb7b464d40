// Where calls come in: unknown methods, queues, and what happens without memory.

#include "tests/unit/rpc/echo_server.h"

#include <atomic>
#include <thread>
#include <vector>

extern "C" {
#include "core/base/memory.h"
}

namespace {

class EndpointTest : public EchoServer {
 protected:
  EndpointTest() {
    on.unary = [](cx_call *call, const EchoRequest *) { Reply(call, ""); };
    on.left = cx_call_finish;
  }
};

// Refuses the n-th allocation and those behind it, once it is armed. Any thread.
struct Refusal {
  std::atomic<bool> armed{false};
  std::atomic<int> left{0};

  static bool Allow(void *arg, size_t) {
    Refusal *refusal = static_cast<Refusal *>(arg);
    return !refusal->armed || --refusal->left > 0;
  }
};

TEST_F(EndpointTest, AnswersAnUnknownMethodAtOnce) {
  GrpcOutcome outcome = Client().Unary("/cx.test.Echo/NoSuch", EchoPack(""));
  EXPECT_EQ(GRPC_STATUS_UNIMPLEMENTED, outcome.code);
  EXPECT_EQ("NOT_SUPPORTED", outcome.Reason());
  EXPECT_EQ("/cx.test.Echo/NoSuch", outcome.Metadata()["field"]);
  EXPECT_EQ(GRPC_STATUS_UNIMPLEMENTED, Client().Unary("/x", "").code);
  for (int i = 0; i < 100; i++) {
    EXPECT_EQ(GRPC_STATUS_UNIMPLEMENTED, Client().Unary("/no.such/Method", "").code);
  }
}

TEST_F(EndpointTest, HandlesACallOnTheThreadOfItsQueue) {
  options.pollers = 3;
  std::mutex mutex;
  std::map<cx_call *, std::thread::id> threads;
  std::map<std::thread::id, int> seen;
  on.unary = [&](cx_call *call, const EchoRequest *) {
    std::lock_guard<std::mutex> lock(mutex);
    threads[call] = std::this_thread::get_id();
    seen[std::this_thread::get_id()]++;
    Complete(cx_call_wait(call, Resume), CX_OK);
  };
  on.resume = [&](cx_call *call, cx_status) {
    std::unique_lock<std::mutex> lock(mutex);
    EXPECT_EQ(threads[call], std::this_thread::get_id());
    lock.unlock();
    Reply(call, "");
  };
  Start();
  std::vector<std::thread> clients;
  for (int t = 0; t < 6; t++) {
    clients.emplace_back([&] {
      GrpcClient client(port);
      for (int i = 0; i < 100; i++) {
        EXPECT_EQ(GRPC_STATUS_OK, client.Unary(kUnary, EchoPack("")).code);
      }
    });
  }
  for (auto &client : clients) client.join();
  Stop(0);
  EXPECT_GT(seen.size(), 1u);
}

TEST_F(EndpointTest, AnswersOrCancelsACallForWhichThereIsNoMemory) {
  Refusal refusal;
  cx_memory_set_hook(Refusal::Allow, &refusal);
  grpc_status_code code;
  int nth = 0;
  do {
    // A new server has no call objects that were used before.
    Start();
    GrpcClient client(port);
    client.Unary("/no/such", "");  // Connects.
    refusal.left = ++nth;
    refusal.armed = true;
    code = client.Unary(kUnary, EchoPack(std::string(10000, 'x'))).code;
    refusal.armed = false;
    EXPECT_TRUE(code == GRPC_STATUS_OK || code == GRPC_STATUS_RESOURCE_EXHAUSTED ||
                code == GRPC_STATUS_CANCELLED)
        << code;
    EXPECT_EQ(GRPC_STATUS_OK, client.Unary(kUnary, EchoPack("")).code);
    Stop(0);
    EXPECT_EQ(0u, Statistics().bytes_in_flight);
    cx_rpc_server_free(server);
    server = nullptr;
  } while (code != GRPC_STATUS_OK);
  cx_memory_set_hook(nullptr, nullptr);
  EXPECT_GT(nth, 2);
}

}  // namespace
