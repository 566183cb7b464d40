// A small synchronous gRPC client for tests, over the C core.
//
//   GrpcClient client("127.0.0.1:7420");
//   GrpcOutcome outcome = client.Unary("/contextd.v1.ContextManager/GetContext", bytes);
//
//   std::unique_ptr<GrpcCall> call = client.Open("/grpc.health.v1.Health/Watch");
//   call->Send(bytes);
//   call->SendsDone();
//   while (call->Receive(&bytes)) ...
//   outcome = call->Finish();
//
// Messages are bytes; GrpcPack() makes them of protobuf-c's.
//
// Threads: a client may be shared. A call has one thread that sends and one that
// receives; Cancel() may come from any.

#ifndef CX_TESTS_SUPPORT_GRPC_CLIENT_H
#define CX_TESTS_SUPPORT_GRPC_CLIENT_H

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

// How a call ended, and what it gave.
struct GrpcOutcome {
  grpc_status_code code = GRPC_STATUS_UNKNOWN;
  std::string message;
  std::string details;                // Of `grpc-status-details-bin`; empty: none.
  std::vector<std::string> messages;  // Those that Finish() received.

  // What `details` says; empty when there are none or they do not parse.
  std::string Reason() const;
  std::map<std::string, std::string> Metadata() const;
  std::string Domain() const;
  int64_t RetryDelayUs() const;  // 0: none.
};

std::string GrpcPack(const ProtobufCMessage *message);

class GrpcCall {
 public:
  GrpcCall(grpc_channel *channel, const std::string &path, int64_t timeout_ms);
  ~GrpcCall();  // Cancels a call that was not finished.

  // Sends one message and waits until it went out. False: the call is over.
  bool Send(const std::string &message);

  // Says that nothing more is sent.
  bool SendsDone();

  // Receives one message. False: there is none any more.
  bool Receive(std::string *ret_message);

  void Cancel();

  // Receives what is left and waits for the status.
  GrpcOutcome Finish();

  // Waits for the status without reading anything.
  GrpcOutcome FinishUnread();

 private:
  bool Batch(const grpc_op *ops, size_t count, void *tag);

  grpc_completion_queue *queue_;
  grpc_call *call_;
  grpc_metadata_array initial_;
  bool opened_ = false;  // Initial metadata was asked for.
  bool finished_ = false;
};

// What a client takes TLS with: PEM. Without a certificate it shows none.
struct GrpcTls {
  std::string ca;
  std::string certificate = "";
  std::string key = "";
};

class GrpcClient {
 public:
  static constexpr int64_t kTimeoutMs = 60 * 1000;

  // Connects on the first call, over a connection that no other client uses.
  explicit GrpcClient(const std::string &target, const GrpcTls *tls = nullptr);
  explicit GrpcClient(int port) : GrpcClient("127.0.0.1:" + std::to_string(port)) {}
  ~GrpcClient();
  GrpcClient(const GrpcClient &) = delete;
  GrpcClient &operator=(const GrpcClient &) = delete;

  // Calls a method, "/package.Service/Method", with one request, and collects all that
  // it answers.
  GrpcOutcome Unary(const std::string &path, const std::string &request,
                    int64_t timeout_ms = kTimeoutMs);

  // Begins any call.
  std::unique_ptr<GrpcCall> Open(const std::string &path, int64_t timeout_ms = kTimeoutMs);

 private:
  grpc_channel *channel_;
};

#endif  // CX_TESTS_SUPPORT_GRPC_CLIENT_H
