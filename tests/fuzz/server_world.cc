#include "tests/fuzz/server_world.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

#include <cstring>

#include "tests/fuzz/answers.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/state_check.h"

extern "C" {
#include "core/base/limits.h"
#include "core/engine/engine_internal.h"
#include "server/rpc/message.h"
#include "server/services/messages.h"
}

namespace {

// Small, so that limits are near and a log is quickly made.
constexpr uint64_t kValueSizeMax = 6 * CX_KIB;
constexpr uint64_t kMessageSizeMax = 7 * CX_KIB;
constexpr uint64_t kWriteAnswerMax = 67 * CX_KIB;  // The least that a configuration may have.
constexpr uint64_t kHistoryCountMax = 12;
constexpr uint64_t kHistoryBytesMax = 4 * CX_KIB;
constexpr uint64_t kRecoveryPointsMax = 4;
constexpr int kRoundsMax = 10000;

bool Is(const ScriptMethod &method, const char *name) {
  return strcmp(method.method->name, name) == 0;
}

// Whether the method may change something.
bool Writes(const ScriptMethod &method) {
  static const char *const kNames[] = {
      "CreateContext",       "UpdateContext",       "DeleteContext",       "BatchUpdateContexts",
      "StartSession",        "EndSession",          "ActivateContext",     "SwitchContext",
      "DeactivateContext",   "RecordActivities",    "OptimizeHistory",     "TruncateHistory",
      "AcquireResource",     "ReleaseResource",     "CreateRecoveryPoint", "UpdateRecoveryPoint",
      "DeleteRecoveryPoint", "PruneRecoveryPoints", "BatchRecoveryPoints", "RestoreContext",
      "ForkContext",         "MergeContext",
  };
  for (const char *name : kNames) {
    if (Is(method, name)) return true;
  }
  return false;
}

}  // namespace

ServerWorld::ServerWorld() : disk_(sim_disk_new()) {
  clock_ = {{}, 1'700'000'000'000'000};
  clock_.base.wall_us = [](const cx_clock *clock) {
    return reinterpret_cast<const Clock *>(clock)->now_us;
  };
  clock_.base.monotonic_us = clock_.base.wall_us;
  random_ = {{}, 1};
  random_.base.fill = [](const cx_random *random, void *memory, size_t size) {
    auto *self = const_cast<Random *>(reinterpret_cast<const Random *>(random));
    for (size_t i = 0; i < size; i++) {
      static_cast<uint8_t *>(memory)[i] = static_cast<uint8_t>(self->next++ * 37);
    }
  };
  options_.disk = sim_disk_base(disk_);
  options_.clock = &clock_.base;
  options_.random = &random_.base;
  options_.settings = {3, 60 * CX_SECOND_US, 120 * CX_SECOND_US, 30 * CX_SECOND_US, 64};
  options_.value_size_max = kValueSizeMax;
  options_.message_size_max = kMessageSizeMax;
  options_.history_count_max = kHistoryCountMax;
  options_.history_bytes_max = kHistoryBytesMax;
  options_.recovery_points_max = kRecoveryPointsMax;
  options_.segment_size = 1;  // The smallest that holds the largest change.
  options_.sync = true;
  events_.complete = [](void *arg, cx_work *list) {
    for (cx_work *next; list != nullptr; list = next) {
      next = list->next;
      static_cast<ServerWorld *>(arg)->completed_.push_back(reinterpret_cast<cx_waiter *>(list));
    }
  };
  events_.failed = [](void *, const char *message) {
    FUZZ_REQUIRE(false, "the disk failed: %s", message);
  };
  events_.arg = this;
  quota_.max = 64 * kMessageSizeMax;
  app_.version = "1.2.3";
  app_.stream_stall_max_us = 60 * CX_SECOND_US;
  Open();
}

ServerWorld::~ServerWorld() {
  StreamEnd(true);
  cx_engine_stop(engine_);
  cx_engine_close(engine_);
  sim_disk_free(disk_);
  FUZZ_REQUIRE(cx_quota_used(&quota_) == 0, "requests are still counted");
}

void ServerWorld::Open() {
  cx_engine_report report;
  cx_error error = {};
  FUZZ_REQUIRE(cx_engine_open(&options_, &engine_, &report, &error) == CX_OK, "not opened: %s",
               error.message);
  app_.engine = engine_;
}

uint64_t ServerWorld::Revision() {
  struct cx_engine_statistics statistics;
  cx_engine_statistics(engine_, &statistics);
  return statistics.revision;
}

uint64_t ServerWorld::Digest() const { return cx_state_digest(&engine_->state); }

void ServerWorld::Step() { cx_engine_step(engine_, &events_); }

// Makes everything durable and goes on with the calls that waited for it.
void ServerWorld::Settle() {
  Step();
  for (int round = 0; !completed_.empty(); round++) {
    FUZZ_REQUIRE(round < kRoundsMax, "calls wait without end");
    std::vector<cx_waiter *> done;
    done.swap(completed_);
    for (cx_waiter *waiter : done) cx_call::Complete(waiter);
    Step();
  }
}

// Lets the timers do all that is due.
void ServerWorld::Quiet() {
  for (uint64_t before = 0, round = 0; before != Revision(); round++) {
    FUZZ_REQUIRE(round < kRoundsMax, "the timers never rest");
    before = Revision();
    Settle();
  }
}

void ServerWorld::Restart() {
  StreamEnd(true);
  Quiet();
  StateCheck check(engine_->state);
  uint64_t revision = Revision(), digest = Digest();
  cx_engine_stop(engine_);
  cx_engine_close(engine_);
  engine_ = nullptr;
  Open();
  FUZZ_REQUIRE(Revision() == revision && Digest() == digest, "another state after a restart");
}

// ---- Calls. ---------------------------------------------------------------------------

std::unique_ptr<cx_call> ServerWorld::NewCall(const ScriptMethod &method) {
  std::unique_ptr<cx_call> call(new cx_call(*method.service, method.method->name, &app_));
  // No server has a limit that an entry, or the answer to a write, does not fit into.
  bool may_be_small = method.method->kind == CX_METHOD_UNARY;
  call->message_size_max = Writes(method)               ? kWriteAnswerMax
                           : small_ > 0 && may_be_small ? small_
                                                        : kMessageSizeMax;
  small_ = 0;
  return call;
}

// Unpacks as server/rpc does.
cx_reason ServerWorld::Unpack(const cx_call &call, const std::string &bytes, cx_arena *arena,
                              cx_charge *charge, ProtobufCMessage **ret_message) {
  size_t cut = split_ ? bytes.size() / 2 : bytes.size();
  grpc_slice slices[] = {
      grpc_slice_from_copied_buffer(bytes.data(), cut),
      grpc_slice_from_copied_buffer(bytes.data() + cut, bytes.size() - cut),
  };
  grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(slices, split_ ? 2 : 1);
  cx_reason reason = cx_message_unpack(buffer, call.input, arena, &quota_, charge, ret_message);
  grpc_byte_buffer_destroy(buffer);
  for (grpc_slice slice : slices) grpc_slice_unref(slice);
  split_ = false;
  return reason;
}

// Lets the client read to the end, or leave after the first message.
void ServerWorld::Finish(cx_call *call) {
  Settle();
  if (leaves_ && !call->ended()) {
    call->Leave();
    Settle();
  }
  leaves_ = false;
  for (int round = 0; !call->ended(); round++) {
    FUZZ_REQUIRE(round < kRoundsMax && call->sending, "%s does not end", call->method->name);
    call->Sent();
    Settle();
  }
}

void ServerWorld::CheckMessages(const cx_call &call) {
  for (const std::string &each : call.messages) {
    CheckAnswer(*call.output, each, call.message_size_max);
  }
  if (!call.ok()) CheckError(call.error);
}

void ServerWorld::Call(const ScriptMethod &method, const std::string &bytes) {
  if (bytes.size() > kMessageSizeMax) return;  // gRPC refuses it.
  Quiet();
  uint64_t revision = Revision();
  uint64_t digest = Writes(method) ? Digest() : 0;
  std::unique_ptr<cx_call> call = NewCall(method);
  cx_charge charge = {};
  ProtobufCMessage *request = nullptr;
  cx_reason reason = Unpack(*call, bytes, &call->arena, &charge, &request);
  if (reason == CX_REASON_NONE) {
    call->BeginWith(request);
    Finish(call.get());
    CheckMessages(*call);
    bool unary = call->method->kind == CX_METHOD_UNARY;
    FUZZ_REQUIRE(!unary || call->messages.size() == (call->ok() ? 1 : 0), "%s: %zu answers",
                 call->method->name, call->messages.size());
    bool may_change = Writes(method) && call->ok();
    FUZZ_REQUIRE(may_change || Revision() == revision, "%s made a change, and said %s",
                 call->method->name, cx_reason_name(call->error.reason));
    FUZZ_REQUIRE(may_change || !Writes(method) || Digest() == digest,
                 "%s changed something, and said %s", call->method->name,
                 cx_reason_name(call->error.reason));
    FUZZ_REQUIRE(Revision() >= revision, "the revision went back");
    if (call->ok() && unary) last_page_ = call->messages[0];
    if (call->ok() && Is(method, "StartSession")) {
      std::string id = SessionOf(call->messages[0]);
      if (!id.empty()) sessions_.push_back(id);
    }
  } else {
    FUZZ_REQUIRE(reason == CX_REASON_MALFORMED_REQUEST || reason == CX_REASON_OVERLOADED,
                 "not unpacked: %s", cx_reason_name(reason));
    call->End();
  }
  cx_quota_return(&quota_, &charge);
}

// A list goes on where the last answer ended, if that was a page of such a list.
void ServerWorld::NextPage(const ScriptList &list, const std::string &bytes) {
  const cx_service &service = *list.service;
  for (size_t i = 0; i < service.method_count; i++) {
    ScriptMethod method = ScriptMethodAt(service, i);
    if (!Is(method, list.name)) continue;
    std::string token = TokenOf(method.declared->output->name, last_page_);
    std::string request = bytes;
    if (!token.empty()) {  // The last of a field counts.
      request += static_cast<char>(list.token_field << 3 | 2);
      for (size_t size = token.size();; size >>= 7) {
        request += static_cast<char>((size & 0x7f) | (size >= 0x80 ? 0x80 : 0));
        if (size < 0x80) break;
      }
      request += token;
    }
    Call(method, request);
  }
}

// ---- The stream of updates. -----------------------------------------------------------

void ServerWorld::StreamReceive(const ScriptMethod &method, const std::string &bytes) {
  if (stream_ == nullptr) {
    stream_ = NewCall(method);
    stream_updates_ = 0;
    stream_left_ = false;
    stream_->BeginWith(nullptr);
    StreamGoOn();
  }
  if (stream_ == nullptr || !stream_->receiving || bytes.size() > kMessageSizeMax) return;
  cx_arena arena = {};
  cx_charge charge = {};
  ProtobufCMessage *request = nullptr;
  if (Unpack(*stream_, bytes, &arena, &charge, &request) == CX_REASON_NONE) {
    size_t count = reinterpret_cast<const StreamUpdatesRequest *>(request)->n_updates;
    stream_updates_ += count <= CX_BATCH_MAX ? count : 0;
    stream_->ReceiveWith(request);
    cx_arena_done(&arena);
    cx_quota_return(&quota_, &charge);
    StreamGoOn();
    return;
  }
  cx_arena_done(&arena);
  cx_quota_return(&quota_, &charge);
  StreamEnd(true);  // As server/rpc does with a stream that breaks.
}

// Lets the client read all that it is told, and looks at it when the stream is over.
void ServerWorld::StreamGoOn() {
  Settle();
  while (!stream_->ended() && stream_->sending) {
    stream_->Sent();
    Settle();
  }
  if (stream_->ended()) {
    CheckMessages(*stream_);
    size_t results = 0;
    for (const std::string &each : stream_->messages) {
      results += CountResults(stream_->output->name, each);
    }
    FUZZ_REQUIRE(stream_left_ || results == stream_updates_, "%zu results of %zu updates", results,
                 stream_updates_);
    stream_.reset();
  }
}

void ServerWorld::StreamEnd(bool leave) {
  if (stream_ == nullptr) return;
  if (leave) {
    stream_left_ = true;
    stream_->Leave();
  } else if (stream_->receiving) {
    stream_->ReceiveEnd();
  }
  StreamGoOn();
  FUZZ_REQUIRE(stream_ == nullptr, "a stream does not end");
}

// Puts the sessions of the script into the request that names them.
void ServerWorld::NameSessions(const ScriptMethod &method, const std::string &bytes) {
  std::string named = WithSessions(method.declared->input->name, bytes, sessions_);
  if (method.method->kind == CX_METHOD_BIDI_STREAM) {
    StreamReceive(method, named);
  } else {
    Call(method, named);
  }
}

void ServerWorld::Do(const ScriptStep &step) {
  ScriptMeaning meaning = ScriptMeaningOf(step.name);
  Input input(reinterpret_cast<const uint8_t *>(step.bytes.data()), step.bytes.size());
  switch (meaning.kind) {
    case ScriptKind::kCall:
      NameSessions(meaning.method, step.bytes);
      break;
    case ScriptKind::kAdvance:
      clock_.now_us += static_cast<int64_t>(1000 * input.Number(3));
      Quiet();
      break;
    case ScriptKind::kHalfClose:
      StreamEnd(false);
      break;
    case ScriptKind::kLeave:
      leaves_ = stream_ == nullptr;
      StreamEnd(true);
      break;
    case ScriptKind::kRestart:
      Restart();
      break;
    case ScriptKind::kNextPage:
    case ScriptKind::kNextNames:
    case ScriptKind::kNextSessions:
    case ScriptKind::kNextActivities:
    case ScriptKind::kNextFiles:
    case ScriptKind::kNextResources:
    case ScriptKind::kNextPoints:
      NextPage(ScriptListOf(meaning.kind), step.bytes);
      break;
    case ScriptKind::kSplit:
      split_ = true;
      break;
    case ScriptKind::kSmall:
      small_ = 64 + input.Number(2);
      break;
    case ScriptKind::kEnd:
      FUZZ_REQUIRE(false, "no step");
  }
}
