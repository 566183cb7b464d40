// Ports, connections, unknown methods, start and stop: what server/rpc/server.h
// promises.

#include "tests/unit/rpc/echo_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

extern "C" {
#include "tests/support/fail_nth.h"
}

namespace {

class ServerTest : public EchoServer {
 protected:
  ServerTest() {
    on.unary = [](cx_call *call, const EchoRequest *) { Reply(call, ""); };
    on.left = [this](cx_call *call) {
      left.Set();
      cx_call_finish(call);
    };
  }

  Event left;
};

// A plain connection to the server; it counts as soon as it is accepted.
int Connect(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(0, connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address));
  return fd;
}

// Whether the server greets (with its HTTP/2 settings), rather than closing.
bool IsServed(int fd) {
  char byte;
  return recv(fd, &byte, 1, 0) == 1;
}

TEST_F(ServerTest, RefusesToShareAPort) {
  Start();
  std::string taken = "127.0.0.1:" + std::to_string(port);
  cx_rpc_options second = options;
  second.listen = taken.c_str();
  cx_rpc_server *other;
  cx_error error;
  int other_port;
  ASSERT_EQ(CX_OK, cx_rpc_server_new(&second, &other));
  EXPECT_EQ(CX_UNAVAILABLE, cx_rpc_server_start(other, &other_port, &error));
  EXPECT_EQ(CX_REASON_NOT_READY, error.reason);
  EXPECT_NE(nullptr, strstr(error.message, taken.c_str())) << error.message;
  cx_rpc_server_free(other);
  EXPECT_EQ(GRPC_STATUS_OK, Unary("").code);
}

TEST_F(ServerTest, RefusesAnAddressThatIsNone) {
  options.listen = "no-such-host.invalid:1";
  cx_error error;
  ASSERT_EQ(CX_OK, cx_rpc_server_new(&options, &server));
  ASSERT_EQ(CX_OK, cx_rpc_server_add(server, EchoService()));
  EXPECT_EQ(CX_UNAVAILABLE, cx_rpc_server_start(server, &port, &error));
}

TEST_F(ServerTest, IsFreedWithoutAStart) {
  ASSERT_EQ(CX_OK, cx_rpc_server_new(&options, &server));
  ASSERT_EQ(CX_OK, cx_rpc_server_add(server, EchoService()));
}

TEST_F(ServerTest, IsMadeAndStartedOrFailsCleanlyWithoutMemory) {
  fail_nth fail;
  cx_status status;
  for (size_t nth = 1;; nth++) {
    cx_error error;
    fail_nth_begin(&fail, nth);
    status = cx_rpc_server_new(&options, &server);
    if (status == CX_OK) status = cx_rpc_server_add(server, EchoService());
    if (status == CX_OK) status = cx_rpc_server_start(server, &port, &error);
    if (!fail_nth_end(&fail)) break;
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status) << nth;
    cx_rpc_server_free(server);
    server = nullptr;
  }
  EXPECT_EQ(CX_OK, status);
  Stop(0);
}

// ---- Connections.

// Whether the server ends a connection, whatever it says before, sooner than gRPC would by
// itself.
bool IsClosed(int fd) {
  const timeval patience = {60, 0};
  char bytes[256];
  ssize_t size;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  while ((size = recv(fd, bytes, sizeof bytes, 0)) > 0) {
  }
  return size == 0;
}

TEST_F(ServerTest, ClosesAConnectionThatSaysNothing) {
  options.handshake_ms = 50;
  Start();
  int fd = Connect(port);
  EXPECT_TRUE(IsClosed(fd));
  close(fd);
}

TEST_F(ServerTest, ClosesConnectionsAboveTheLimit) {
  options.connections_max = 3;
  Start();
  std::vector<int> fds;
  for (int i = 0; i < 3; i++) {
    fds.push_back(Connect(port));
    EXPECT_TRUE(IsServed(fds.back()));
  }
  EXPECT_EQ(3u, Statistics().connections);
  EXPECT_EQ(0u, Statistics().connections_refused);

  int excess = Connect(port);
  EXPECT_FALSE(IsServed(excess));
  EXPECT_EQ(3u, Statistics().connections);
  EXPECT_EQ(1u, Statistics().connections_refused);
  close(excess);

  close(fds[0]);
  while (Statistics().connections > 2) std::this_thread::yield();
  fds[0] = Connect(port);
  EXPECT_TRUE(IsServed(fds[0]));
  for (int fd : fds) close(fd);
}

TEST_F(ServerTest, LimitsEachServerOfAProcessAlone) {
  options.connections_max = 1;
  Start();
  int fd = Connect(port);
  EXPECT_TRUE(IsServed(fd));

  cx_rpc_server *other;
  cx_error error;
  int other_port;
  ASSERT_EQ(CX_OK, cx_rpc_server_new(&options, &other));
  ASSERT_EQ(CX_OK, cx_rpc_server_start(other, &other_port, &error));
  int other_fd = Connect(other_port);
  EXPECT_TRUE(IsServed(other_fd));
  close(other_fd);
  close(fd);
  cx_rpc_server_stop(other, 0);
  cx_rpc_server_free(other);
}

TEST_F(ServerTest, LeavesTheSocketsOfOthersAlone) {
  options.connections_max = 0;
  Start();
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(0, bind(listener, reinterpret_cast<sockaddr *>(&address), size));
  ASSERT_EQ(0, listen(listener, 1));
  ASSERT_EQ(0, getsockname(listener, reinterpret_cast<sockaddr *>(&address), &size));
  int fd = Connect(ntohs(address.sin_port));
  int accepted = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_GE(accepted, 0);
  EXPECT_EQ(1, write(accepted, "x", 1));
  EXPECT_TRUE(IsServed(fd));
  EXPECT_EQ(0u, Statistics().connections);
  EXPECT_EQ(0, close(accepted));
  EXPECT_EQ(-1, close(accepted));
  EXPECT_EQ(EBADF, errno);
  close(fd);
  close(listener);
}

// ---- Stop.

TEST_F(ServerTest, LetsCallsFinishWithinTheGracePeriod) {
  Event arrived;
  cx_waiter *waiter = nullptr;
  on.unary = [&](cx_call *call, const EchoRequest *) {
    waiter = cx_call_wait(call, Resume);
    arrived.Set();
  };
  on.resume = [](cx_call *call, cx_status) { Reply(call, "done"); };
  auto call = Client().Open(kUnary);
  call->Send(EchoPack(""));
  arrived.Wait();
  std::thread stopper([this] { Stop(60 * CX_SECOND_US); });
  AwaitStop();
  Complete(waiter, CX_OK);
  GrpcOutcome outcome = call->Finish();
  EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
  EXPECT_EQ("done", EchoText(outcome.messages.at(0)));
  stopper.join();
}

TEST_F(ServerTest, CancelsWhatIsLeftAfterTheGracePeriod) {
  Event started;
  on.serve = [&](cx_call *, const EchoRequest *) { started.Set(); };
  auto call = Client().Open(kServe);
  call->Send(EchoPack(""));
  started.Wait();
  Stop(1000);
  EXPECT_EQ(1, left.Count());
  EXPECT_EQ(0u, Statistics().calls_in_flight);
  EXPECT_NE(GRPC_STATUS_OK, call->Finish().code);
}

TEST_F(ServerTest, WaitsForHandlersThatAreLate) {
  Event arrived, working, released;
  std::atomic<bool> resumed{false}, ran{false};
  cx_waiter *waiter = nullptr;
  on.unary = [&](cx_call *call, const EchoRequest *request) {
    if (std::string(request->text) == "run") {
      cx_call_offload(call, RunJob);
    } else {
      waiter = cx_call_wait(call, Resume);
      arrived.Set();
    }
  };
  on.run = [&](cx_call *call) {
    working.Set();
    released.Wait();
    ran = true;
    Reply(call, "");
  };
  on.resume = [&](cx_call *call, cx_status) {
    resumed = true;
    Reply(call, "");
  };
  auto waits = Client().Open(kUnary);
  auto runs = Client().Open(kUnary);
  waits->Send(EchoPack(""));
  runs->Send(EchoPack("run"));
  arrived.Wait();
  working.Wait();
  std::thread stopper([this] { Stop(0); });
  EXPECT_NE(GRPC_STATUS_OK, waits->Finish().code);  // Cancelled.
  Complete(waiter, CX_OK);
  released.Set();
  stopper.join();
  EXPECT_TRUE(resumed);
  EXPECT_TRUE(ran);
}

TEST_F(ServerTest, TellsEveryCallThatItStops) {
  for (int round = 0; round < 5; round++) {
    on.unary = [](cx_call *call, const EchoRequest *request) {
      if (request->number % 2 == 0) {
        cx_call_offload(call, RunJob);
      } else {
        Reply(call, "");
      }
    };
    on.run = [](cx_call *call) { Reply(call, ""); };
    Start();
    std::vector<std::thread> threads;
    std::atomic<int> answered{0};
    for (int t = 0; t < 4; t++) {
      threads.emplace_back([&] {
        GrpcClient client(port);
        for (int i = 0;; i++) {
          grpc_status_code code = client.Unary(kUnary, EchoPack("", i)).code;
          if (code != GRPC_STATUS_OK) {
            // Cancelled: it came just when gRPC shut down, long after the others.
            EXPECT_TRUE(code == GRPC_STATUS_UNAVAILABLE || code == GRPC_STATUS_CANCELLED) << code;
            return;
          }
          answered++;
        }
      });
    }
    while (answered < 200) std::this_thread::yield();
    Stop(CX_SECOND_US);
    for (auto &thread : threads) thread.join();
    cx_rpc_server_free(server);
    server = nullptr;
  }
}

}  // namespace
