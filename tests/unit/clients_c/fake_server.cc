#include "tests/unit/clients_c/fake_server.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>

#include <cstdlib>
#include <utility>

namespace {

const gpr_timespec kForEver = gpr_inf_future(GPR_CLOCK_REALTIME);

std::string Text(grpc_slice slice) {
  return std::string(reinterpret_cast<const char *>(GRPC_SLICE_START_PTR(slice)),
                     GRPC_SLICE_LENGTH(slice));
}

grpc_slice Slice(const std::string &text) {
  return grpc_slice_from_copied_buffer(text.data(), text.size());
}

}  // namespace

// One call, served by blocking on a queue of its own.
struct FakeServer::Call {
  grpc_call *call = nullptr;
  grpc_call_details details;
  grpc_metadata_array metadata;
  grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck(nullptr);
  int cancelled = 0;

  Call() {
    grpc_call_details_init(&details);
    grpc_metadata_array_init(&metadata);
  }

  ~Call() {
    if (call != nullptr) grpc_call_unref(call);
    grpc_call_details_destroy(&details);
    grpc_metadata_array_destroy(&metadata);
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_destroy(queue);
  }

  bool Wait(const grpc_op *ops, size_t count) {
    void *tag = &queue;
    if (grpc_call_start_batch(call, ops, count, tag, nullptr) != GRPC_CALL_OK) abort();
    return grpc_completion_queue_pluck(queue, tag, kForEver, nullptr).success != 0;
  }

  // Returns false when the client has finished or left.
  bool Receive(std::string *message) {
    grpc_byte_buffer *buffer = nullptr;
    grpc_op op = {};
    op.op = GRPC_OP_RECV_MESSAGE;
    op.data.recv_message.recv_message = &buffer;
    if (!Wait(&op, 1) || buffer == nullptr) return false;

    grpc_byte_buffer_reader reader;
    grpc_byte_buffer_reader_init(&reader, buffer);
    grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
    *message = Text(slice);
    grpc_slice_unref(slice);
    grpc_byte_buffer_reader_destroy(&reader);
    grpc_byte_buffer_destroy(buffer);
    return true;
  }

  void Open() {
    grpc_op ops[1] = {};
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    Wait(ops, 1);

    grpc_op close = {};
    close.op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    close.data.recv_close_on_server.cancelled = &cancelled;
    if (grpc_call_start_batch(call, &close, 1, &cancelled, nullptr) != GRPC_CALL_OK) abort();
  }

  void WaitClosed() { grpc_completion_queue_pluck(queue, &cancelled, kForEver, nullptr); }

  void Send(const std::string &message) {
    grpc_slice slice = Slice(message);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op op = {};
    op.op = GRPC_OP_SEND_MESSAGE;
    op.data.send_message.send_message = buffer;
    Wait(&op, 1);
    grpc_byte_buffer_destroy(buffer);
    grpc_slice_unref(slice);
  }

  void End(const Answer &answer) {
    grpc_slice text = Slice(answer.text);
    grpc_metadata trailing = {};
    trailing.key = grpc_slice_from_static_string("grpc-status-details-bin");
    trailing.value = Slice(answer.details);
    grpc_op op = {};
    op.op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    op.data.send_status_from_server.status = static_cast<grpc_status_code>(answer.code);
    op.data.send_status_from_server.status_details = &text;
    op.data.send_status_from_server.trailing_metadata = &trailing;
    op.data.send_status_from_server.trailing_metadata_count = answer.details.empty() ? 0 : 1;
    Wait(&op, 1);
    WaitClosed();
    grpc_slice_unref(trailing.value);
    grpc_slice_unref(text);
  }
};

FakeServer::FakeServer(const std::string &address,
                       const std::function<void(FakeServer *)> &prepare) {
  grpc_init();
  server_ = grpc_server_create(nullptr, nullptr);
  queue_ = grpc_completion_queue_create_for_next(nullptr);
  grpc_server_register_completion_queue(server_, queue_, nullptr);
  grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
  int port = grpc_server_add_http2_port(server_, address.c_str(), credentials);
  grpc_server_credentials_release(credentials);
  address_ = "127.0.0.1:" + std::to_string(port);
  if (prepare) prepare(this);
  grpc_server_start(server_);
  acceptor_ = std::thread([this] { Accept(); });
}

FakeServer::~FakeServer() {
  grpc_server_shutdown_and_notify(server_, queue_, nullptr);
  grpc_server_cancel_all_calls(server_);
  acceptor_.join();
  for (std::thread &call : calls_) call.join();
  grpc_completion_queue_shutdown(queue_);
  while (grpc_completion_queue_next(queue_, kForEver, nullptr).type != GRPC_QUEUE_SHUTDOWN) {
  }
  grpc_server_destroy(server_);
  grpc_completion_queue_destroy(queue_);
  grpc_shutdown();
}

void FakeServer::Method(const std::string &path, Handler handler) {
  std::lock_guard<std::mutex> lock(mutex_);
  methods_[path] = {std::move(handler), false};
}

void FakeServer::Stream(const std::string &path, Handler handler) {
  std::lock_guard<std::mutex> lock(mutex_);
  methods_[path] = {std::move(handler), true};
}

// A method that is not there refuses what it is called with.
FakeServer::Method_ FakeServer::Find(const std::string &path) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto method = methods_.find(path);
  if (method != methods_.end()) return method->second;
  return {[](const std::string &) { return Answer{{}, GRPC_STATUS_UNIMPLEMENTED}; }, false};
}

std::vector<std::string> FakeServer::authorizations() {
  std::lock_guard<std::mutex> lock(mutex_);
  return authorizations_;
}

void FakeServer::NoteAuthorization(const Call &call) {
  std::string value;
  for (size_t i = 0; i < call.metadata.count; i++) {
    const grpc_metadata &each = call.metadata.metadata[i];
    if (Text(each.key) == "authorization") value = Text(each.value);
  }
  std::lock_guard<std::mutex> lock(mutex_);
  authorizations_.push_back(value);
}

// Runs until the server is shut down, which comes back with no tag.
void FakeServer::Accept() {
  auto call = std::make_unique<Call>();
  for (;;) {
    grpc_server_request_call(server_, &call->call, &call->details, &call->metadata, call->queue,
                             queue_, call.get());
    grpc_event event = grpc_completion_queue_next(queue_, kForEver, nullptr);
    if (event.tag == nullptr || !event.success) return;
    NoteAuthorization(*call);
    Call *arrived = call.release();
    calls_.emplace_back([this, arrived] { Serve(arrived); });
    call = std::make_unique<Call>();
  }
}

void FakeServer::Serve(Call *arrived) {
  std::unique_ptr<Call> call(arrived);
  Method_ method = Find(Text(call->details.method));
  std::string message;

  call->Open();
  Answer answer;
  while (answer.code == 0 && call->Receive(&message)) {
    answer = method.handler(message);
    for (const std::string &part : answer.messages) call->Send(part);
    if (answer.silent) {
      call->WaitClosed();
      return;
    }
    if (!method.stream) break;
  }
  call->End(answer);
}
