// Calls without a network: server/rpc/call.h over memory, on one thread, strict about
// what that header forbids.
//
// An ended call loses its memory at once, or, if it is parked, with its waiter, so that
// whoever touches it afterwards is found by the address sanitizer, if not by chance.

#ifndef CX_TESTS_UNIT_SERVICES_FAKE_CALL_H
#define CX_TESTS_UNIT_SERVICES_FAKE_CALL_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

extern "C" {
#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/work.h"
#include "server/rpc/call.h"
#include "server/rpc/service.h"
}

// A waiter that knows its call.
struct FakeWaiter {
  cx_waiter base;  // First, so that one can be had from the other.
  cx_call *call;
};

struct cx_call {
  cx_call(const cx_service &service, const std::string &method, void *app);
  ~cx_call();
  cx_call(const cx_call &) = delete;
  cx_call &operator=(const cx_call &) = delete;

  // What the network does. Each returns when there is nothing left to do but wait.
  void Begin(const std::string &request);           // Packed; nothing for a bidi stream.
  void BeginWith(const ProtobufCMessage *request);  // Unpacked by somebody else.
  void Receive(const std::string &request);
  void ReceiveWith(const ProtobufCMessage *request);
  void ReceiveEnd();
  void Sent();
  void Leave();                             // Told when the call does not wait any more.
  static void Complete(cx_waiter *waiter);  // Resumes the call that waited, or is parked.

  bool ended() const { return ended_; }
  bool ok() const { return error.reason == CX_REASON_NONE && plain == CX_OK; }

  const cx_method *method = nullptr;
  const ProtobufCMessageDescriptor *input = nullptr;
  const ProtobufCMessageDescriptor *output = nullptr;

  // What came of it.
  std::vector<std::string> messages;  // Packed.
  cx_error error = {};
  cx_status plain = CX_OK;  // A failure without an error.
  bool receiving = false;
  bool sending = false;
  bool waiting = false;
  bool parked = false;
  int offloads = 0;
  bool abandoned = false;
  int64_t stall_us = 0;
  std::string progress_name;
  std::string progress;

  // Runs when a request is unpacked, before its handler does.
  std::function<void()> before_handler;

  // What the call has to work with.
  void *app = nullptr;
  size_t message_size_max = 256 * 1024;
  cx_arena arena = {};
  cx_arena request = {};  // Of the message that it began with.
  void *state = nullptr;
  FakeWaiter waiter = {};
  void (*resume)(cx_call *, cx_status) = nullptr;
  void (*run)(cx_call *) = nullptr;

  void End();
  void Unpark();

 private:
  void RunJobs();
  void TellLeft();
  ProtobufCMessage *Unpack(const std::string &bytes, cx_arena *memory);

  bool ended_ = false;
  bool left_ = false;
  bool left_told_ = false;
};

#endif  // CX_TESTS_UNIT_SERVICES_FAKE_CALL_H
