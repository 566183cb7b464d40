#include "tests/support/grpc_client.h"

#include <google/protobuf/any.pb-c.h>
#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>

#include <cstdlib>

namespace {

constexpr int kMessageSizeMax = 1 << 30;

// A client that makes no call looks at its connections every five seconds, if not told
// otherwise, and a server that stops waits for it to do so. gRPC reads this when it starts.
const bool kLooksOften = setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "50", 1) == 0;

std::string Text(grpc_slice slice) {
  return std::string(reinterpret_cast<const char *>(GRPC_SLICE_START_PTR(slice)),
                     GRPC_SLICE_LENGTH(slice));
}

const uint8_t *Bytes(const std::string &text) {
  return reinterpret_cast<const uint8_t *>(text.data());
}

std::string TakeBuffer(grpc_byte_buffer *buffer) {
  grpc_byte_buffer_reader reader;
  grpc_byte_buffer_reader_init(&reader, buffer);
  grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
  std::string text = Text(slice);
  grpc_slice_unref(slice);
  grpc_byte_buffer_reader_destroy(&reader);
  grpc_byte_buffer_destroy(buffer);
  return text;
}

using Status = std::unique_ptr<Google__Rpc__Status, void (*)(Google__Rpc__Status *)>;

Status ParseStatus(const std::string &details) {
  return Status(
      google__rpc__status__unpack(nullptr, details.size(), Bytes(details)),
      [](Google__Rpc__Status *status) { google__rpc__status__free_unpacked(status, nullptr); });
}

// The packed detail of a type; empty when there is none.
std::string FindDetail(const std::string &details, const std::string &type) {
  Status status = ParseStatus(details);
  for (size_t i = 0; status != nullptr && i < status->n_details; i++) {
    const Google__Protobuf__Any *any = status->details[i];
    if (any->type_url == "type.googleapis.com/" + type) {
      return std::string(reinterpret_cast<const char *>(any->value.data), any->value.len);
    }
  }
  return "";
}

using ErrorInfo = std::unique_ptr<Google__Rpc__ErrorInfo, void (*)(Google__Rpc__ErrorInfo *)>;

// Never NULL: what is missing parses as an empty message.
ErrorInfo ParseErrorInfo(const std::string &details) {
  std::string info = FindDetail(details, "google.rpc.ErrorInfo");
  return ErrorInfo(
      google__rpc__error_info__unpack(nullptr, info.size(), Bytes(info)),
      [](Google__Rpc__ErrorInfo *each) { google__rpc__error_info__free_unpacked(each, nullptr); });
}

}  // namespace

std::string GrpcOutcome::Reason() const { return ParseErrorInfo(details)->reason; }

std::string GrpcOutcome::Domain() const { return ParseErrorInfo(details)->domain; }

std::map<std::string, std::string> GrpcOutcome::Metadata() const {
  ErrorInfo info = ParseErrorInfo(details);
  std::map<std::string, std::string> metadata;
  for (size_t i = 0; i < info->n_metadata; i++) {
    metadata[info->metadata[i]->key] = info->metadata[i]->value;
  }
  return metadata;
}

int64_t GrpcOutcome::RetryDelayUs() const {
  std::string bytes = FindDetail(details, "google.rpc.RetryInfo");
  Google__Rpc__RetryInfo *info =
      google__rpc__retry_info__unpack(nullptr, bytes.size(), Bytes(bytes));
  int64_t delay_us = 0;
  if (info->retry_delay != nullptr) {
    delay_us = info->retry_delay->seconds * 1000000 + info->retry_delay->nanos / 1000;
  }
  google__rpc__retry_info__free_unpacked(info, nullptr);
  return delay_us;
}

std::string GrpcPack(const ProtobufCMessage *message) {
  std::string bytes(protobuf_c_message_get_packed_size(message), '\0');
  protobuf_c_message_pack(message, reinterpret_cast<uint8_t *>(&bytes[0]));
  return bytes;
}

// ---- Calls.

GrpcCall::GrpcCall(grpc_channel *channel, const std::string &path, int64_t timeout_ms) {
  gpr_timespec deadline =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
  grpc_slice method = grpc_slice_from_copied_string(path.c_str());
  queue_ = grpc_completion_queue_create_for_pluck(nullptr);
  call_ = grpc_channel_create_call(channel, nullptr, GRPC_PROPAGATE_DEFAULTS, queue_, method,
                                   nullptr, deadline, nullptr);
  grpc_slice_unref(method);
  grpc_metadata_array_init(&initial_);

  grpc_op send = {};
  send.op = GRPC_OP_SEND_INITIAL_METADATA;
  Batch(&send, 1, &send);
}

GrpcCall::~GrpcCall() {
  if (!finished_) {
    Cancel();
    Finish();
  }
  grpc_call_unref(call_);
  grpc_completion_queue_shutdown(queue_);
  grpc_completion_queue_destroy(queue_);
  grpc_metadata_array_destroy(&initial_);
}

bool GrpcCall::Batch(const grpc_op *ops, size_t count, void *tag) {
  if (grpc_call_start_batch(call_, ops, count, tag, nullptr) != GRPC_CALL_OK) {
    abort();  // The test is wrong.
  }
  return grpc_completion_queue_pluck(queue_, tag, gpr_inf_future(GPR_CLOCK_REALTIME), nullptr)
             .success != 0;
}

bool GrpcCall::Send(const std::string &message) {
  grpc_slice slice = grpc_slice_from_copied_buffer(message.data(), message.size());
  grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_op send = {};
  send.op = GRPC_OP_SEND_MESSAGE;
  send.data.send_message.send_message = buffer;
  bool sent = Batch(&send, 1, &send);
  grpc_byte_buffer_destroy(buffer);
  grpc_slice_unref(slice);
  return sent;
}

bool GrpcCall::SendsDone() {
  grpc_op close = {};
  close.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
  return Batch(&close, 1, &close);
}

bool GrpcCall::Receive(std::string *ret_message) {
  grpc_byte_buffer *message = nullptr;
  grpc_op ops[2] = {};
  size_t count = 0;
  ops[count].op = GRPC_OP_RECV_MESSAGE;
  ops[count++].data.recv_message.recv_message = &message;
  if (!opened_) {
    opened_ = true;
    ops[count].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[count++].data.recv_initial_metadata.recv_initial_metadata = &initial_;
  }
  Batch(ops, count, ops);
  if (message == nullptr) {
    return false;
  }
  *ret_message = TakeBuffer(message);
  return true;
}

void GrpcCall::Cancel() { grpc_call_cancel(call_, nullptr); }

GrpcOutcome GrpcCall::Finish() {
  std::vector<std::string> messages;
  std::string message;
  while (Receive(&message)) {
    messages.push_back(std::move(message));
  }
  GrpcOutcome outcome = FinishUnread();
  outcome.messages = std::move(messages);
  return outcome;
}

GrpcOutcome GrpcCall::FinishUnread() {
  GrpcOutcome outcome;
  grpc_metadata_array trailing;
  grpc_slice message;
  grpc_metadata_array_init(&trailing);
  grpc_op status = {};
  status.op = GRPC_OP_RECV_STATUS_ON_CLIENT;
  status.data.recv_status_on_client.trailing_metadata = &trailing;
  status.data.recv_status_on_client.status = &outcome.code;
  status.data.recv_status_on_client.status_details = &message;
  Batch(&status, 1, &status);
  finished_ = true;

  outcome.message = Text(message);
  for (size_t i = 0; i < trailing.count; i++) {
    if (Text(trailing.metadata[i].key) == "grpc-status-details-bin") {
      outcome.details = Text(trailing.metadata[i].value);
    }
  }
  grpc_slice_unref(message);
  grpc_metadata_array_destroy(&trailing);
  return outcome;
}

// ---- Clients.

static grpc_channel_credentials *CredentialsOf(const GrpcTls *tls) {
  if (tls == nullptr) return grpc_insecure_credentials_create();
  grpc_ssl_pem_key_cert_pair own = {tls->key.c_str(), tls->certificate.c_str()};
  return grpc_ssl_credentials_create(tls->ca.c_str(), tls->key.empty() ? nullptr : &own, nullptr,
                                     nullptr);
}

GrpcClient::GrpcClient(const std::string &target, const GrpcTls *tls) {
  grpc_init();
  grpc_arg args[2] = {};
  args[0].type = GRPC_ARG_INTEGER;
  args[0].key = const_cast<char *>(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL);
  args[0].value.integer = 1;
  args[1].type = GRPC_ARG_INTEGER;
  args[1].key = const_cast<char *>(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH);
  args[1].value.integer = kMessageSizeMax;
  const grpc_channel_args channel_args = {2, args};
  grpc_channel_credentials *credentials = CredentialsOf(tls);
  channel_ = grpc_channel_create(target.c_str(), credentials, &channel_args);
  grpc_channel_credentials_release(credentials);
}

GrpcClient::~GrpcClient() {
  grpc_channel_destroy(channel_);
  grpc_shutdown();
}

GrpcOutcome GrpcClient::Unary(const std::string &path, const std::string &request,
                              int64_t timeout_ms) {
  std::unique_ptr<GrpcCall> call = Open(path, timeout_ms);
  call->Send(request);
  call->SendsDone();
  return call->Finish();
}

std::unique_ptr<GrpcCall> GrpcClient::Open(const std::string &path, int64_t timeout_ms) {
  return std::make_unique<GrpcCall>(channel_, path, timeout_ms);
}
