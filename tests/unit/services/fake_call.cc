#include "tests/unit/services/fake_call.h"

#include <cstdio>
#include <cstdlib>

namespace {

void *Alloc(void *arena, size_t size) {
  return cx_arena_alloc(static_cast<cx_arena *>(arena), size);
}
void Free(void *, void *) {}

// What a call may not do is a bug of the test's subject: there is no way on.
void Require(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "call.h: %s\n", what);
  abort();
}

std::string Pack(const ProtobufCMessage *message) {
  std::string bytes(protobuf_c_message_get_packed_size(message), '\0');
  protobuf_c_message_pack(message, reinterpret_cast<uint8_t *>(&bytes[0]));
  return bytes;
}

void SendPacked(cx_call *call, const std::string &bytes) {
  Require(call->method->kind != CX_METHOD_UNARY, "a unary call cannot send");
  Require(!call->sending && !call->ended(), "two sends at a time");
  Require(bytes.size() <= call->message_size_max, "a message of a stream is too large");
  call->messages.push_back(bytes);
  call->sending = true;
}

cx_waiter *LendWaiter(cx_call *call, void (*resume)(cx_call *, cx_status)) {
  Require(!call->waiting && !call->parked && !call->ended(), "two waits at a time");
  call->resume = resume;
  call->waiter = {{}, call};
  return &call->waiter.base;
}

void SetTooLarge(cx_call *call, size_t size) {
  cx_error_set(&call->error, CX_REASON_RESPONSE_TOO_LARGE, "too large");
  cx_error_detail_number(&call->error, "size", size);
  cx_error_detail_number(&call->error, "limit", call->message_size_max);
}

}  // namespace

cx_call::cx_call(const cx_service &service, const std::string &name, void *app_) : app(app_) {
  const ProtobufCMethodDescriptor *declared =
      protobuf_c_service_descriptor_get_method_by_name(service.descriptor, name.c_str());
  Require(declared != nullptr, "no such method");
  for (size_t i = 0; i < service.method_count; i++) {
    if (name == service.methods[i].name) method = &service.methods[i];
  }
  Require(method != nullptr, "the method has no row");
  input = declared->input;
  output = declared->output;
}

cx_call::~cx_call() {
  Require(ended_, "never ended");
  Require(!parked, "the waiter is still out");
  cx_arena_done(&arena);
  cx_arena_done(&request);
}

ProtobufCMessage *cx_call::Unpack(const std::string &bytes, cx_arena *memory) {
  ProtobufCAllocator allocator = {Alloc, Free, memory};
  return protobuf_c_message_unpack(input, &allocator, bytes.size(),
                                   reinterpret_cast<const uint8_t *>(bytes.data()));
}

void cx_call::RunJobs() {
  while (run != nullptr) {
    auto job = run;
    run = nullptr;
    job(this);
  }
  if (left_) TellLeft();
}

void cx_call::Begin(const std::string &request) {
  bool bidi = method->kind == CX_METHOD_BIDI_STREAM;
  BeginWith(bidi ? nullptr : Unpack(request, &this->request));
}

void cx_call::BeginWith(const ProtobufCMessage *request) {
  if (before_handler) before_handler();
  method->handle(this, request);
  RunJobs();
}

void cx_call::Receive(const std::string &request) {
  cx_arena memory = {};
  ReceiveWith(Unpack(request, &memory));
  cx_arena_done(&memory);
}

void cx_call::ReceiveWith(const ProtobufCMessage *request) {
  Require(receiving, "nobody asked for a request");
  receiving = false;
  if (before_handler) before_handler();
  method->received(this, request);
  RunJobs();
}

void cx_call::ReceiveEnd() {
  Require(receiving, "nobody asked for a request");
  receiving = false;
  method->received(this, nullptr);
  RunJobs();
}

void cx_call::Sent() {
  Require(sending, "nothing is being sent");
  sending = false;
  method->sent(this);
  RunJobs();
}

void cx_call::Leave() {
  left_ = true;
  TellLeft();
}

void cx_call::TellLeft() {
  if (ended_ || waiting || left_told_ || method->left == nullptr) return;
  left_told_ = true;
  method->left(this);
  Require(ended_, "`left` did not end the call");
}

void cx_call::Complete(cx_waiter *waiter) {
  cx_call *call = reinterpret_cast<FakeWaiter *>(waiter)->call;
  Require(call->waiting || call->parked, "resumed, but not waiting");
  bool ignored = call->parked && (call->ended_ || call->left_told_);
  call->waiting = false;
  call->Unpark();
  if (ignored) return;
  call->resume(call, waiter->status);
  call->RunJobs();
}

void cx_call::Unpark() {
  parked = false;
  if (ended_) cx_arena_done(&arena);
}

void cx_call::End() {
  Require(!ended_, "ended twice");
  ended_ = true;
  waiting = false;
  state = nullptr;
  cx_arena_done(&request);
  if (!parked) cx_arena_done(&arena);
}

extern "C" {

void *cx_call_app(const cx_call *call) { return call->app; }

void *cx_call_alloc(cx_call *call, size_t size) { return cx_arena_alloc(&call->arena, size); }

void *cx_call_state(const cx_call *call) { return call->state; }

void cx_call_set_state(cx_call *call, void *state) { call->state = state; }

size_t cx_call_message_size_max(const cx_call *call) { return call->message_size_max; }

bool cx_call_abandoned(const cx_call *call) { return call->abandoned; }

void cx_call_send(cx_call *call, const ProtobufCMessage *message) {
  SendPacked(call, Pack(message));
}

void cx_call_send_bytes(cx_call *call, const cx_bytes *pieces, size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; i++) {
    bytes.append(reinterpret_cast<const char *>(pieces[i].data), pieces[i].size);
  }
  SendPacked(call, bytes);
}

void cx_call_receive(cx_call *call) {
  Require(call->method->kind == CX_METHOD_BIDI_STREAM, "no bidi stream");
  Require(!call->receiving && !call->ended(), "two receives at a time");
  call->receiving = true;
}

void cx_call_reply(cx_call *call, const ProtobufCMessage *response) {
  Require(call->method->kind == CX_METHOD_UNARY, "only unary calls reply");
  std::string bytes = Pack(response);
  if (bytes.size() > call->message_size_max) {
    SetTooLarge(call, bytes.size());
  } else {
    call->messages.push_back(bytes);
  }
  call->End();
}

void cx_call_finish(cx_call *call) {
  Require(call->method->kind != CX_METHOD_UNARY, "a unary call replies");
  call->End();
}

void cx_call_fail(cx_call *call, const cx_error *error) {
  Require(error->reason != CX_REASON_NONE, "no reason");
  call->error = *error;
  call->End();
}

void cx_call_fail_plain(cx_call *call, cx_status status, const char *) {
  Require(status != CX_OK, "no failure");
  call->plain = status;
  call->End();
}

cx_waiter *cx_call_wait(cx_call *call, void (*resume)(cx_call *, cx_status)) {
  cx_waiter *waiter = LendWaiter(call, resume);
  call->waiting = true;
  return waiter;
}

void cx_call_unwait(cx_call *call) { call->waiting = false; }

cx_waiter *cx_call_park(cx_call *call, void (*resume)(cx_call *, cx_status)) {
  Require(call->method->kind != CX_METHOD_UNARY, "only streams are parked");
  cx_waiter *waiter = LendWaiter(call, resume);
  call->parked = true;
  return waiter;
}

void cx_call_request_done(cx_call *call) {
  Require(call->method->kind == CX_METHOD_SERVER_STREAM, "only the request of such a stream goes");
  cx_arena_done(&call->request);
}

void cx_call_unpark(cx_call *call) {
  Require(call->parked, "not parked");
  call->Unpark();
}

void cx_call_offload(cx_call *call, void (*run)(cx_call *)) {
  Require(call->run == nullptr, "offloaded twice");
  call->run = run;
  call->offloads++;
}

void cx_call_set_stall_limit(cx_call *call, int64_t stall_us) { call->stall_us = stall_us; }

void cx_call_set_progress(cx_call *call, const char *name, cx_bytes position) {
  call->progress_name = name;
  call->progress.assign(reinterpret_cast<const char *>(position.data), position.size);
}

}  // extern "C"
