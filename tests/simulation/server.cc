#include "tests/simulation/server.h"

extern "C" {
#include "core/base/disk.h"
#include "core/base/memory.h"
#include "core/engine/engine_internal.h"
#include "core/state/apply.h"
}

#include <cstdlib>
#include <cstring>

#include "tests/simulation/event_view.h"
#include "tests/simulation/request.h"
#include "tests/simulation/scope.h"
#include "tests/simulation/threads.h"

namespace simulation {

namespace {

// ---- The call of the fiber that runs. -------------------------------------------

// Those of the engine's own threads.
std::vector<std::shared_ptr<Call>> background;

Call *CurrentCall() {
  Scheduler *scheduler = Scheduler::Running();
  void *&tag = scheduler->tag();
  if (tag == nullptr) {
    background.push_back(std::make_shared<Call>());
    background.back()->operation = Operation::Of({"", "(the timers)"});
    tag = background.back().get();
  }
  return static_cast<Call *>(tag);
}

Checker *listening = nullptr;  // Whom cx_apply() tells.

}  // namespace

namespace {

// Whether a change drops or makes points whose time has come, for whoever meets them.
bool IsPointsDue(const cx_change &change, const Call &call) {
  const cx_change_item &item = change.items[0];
  bool is_timer = call.operation.parts[0].id == "(the timers)";
  bool has_expired = false;
  for (size_t i = 0; i < item.point_count; i++) {
    const cx_point_step &step = item.points[i];
    bool by_itself = step.kind == CX_POINT_DROP ||
                     (step.kind == CX_POINT_MAKE && step.origin == CX_ORIGIN_POLICY);
    if (!by_itself) return false;
    has_expired |= step.expired;
  }
  return item.kind == CX_ITEM_TOUCH && item.point_count > 0 && (is_timer || has_expired);
}

Change::Kind KindOf(const cx_change &change, const Call &call) {
  if (change.kind == CX_CHANGE_FLOOR) return Change::kFloor;
  if (change.session.step == CX_SESSION_LOSE) return Change::kLoss;
  if (change.session.step == CX_SESSION_PART) return Change::kPart;
  if (change.item_count == 1 && IsPointsDue(change, call)) return Change::kPointsDue;
  switch (change.item_count > 0 ? change.items[0].kind : CX_ITEM_TOUCH) {
    case CX_ITEM_DELETE:
    case CX_ITEM_PURGE:
      return Change::kDelete;
    case CX_ITEM_EXPIRE:
    case CX_ITEM_DROP_STATES:
    case CX_ITEM_FORGET:
      return Change::kDue;
    default:
      return Change::kWrite;
  }
}

// What points are called that the server makes by itself; and the one that a client makes.
void NotePoints(const cx_change &change, Change *seen) {
  auto ids = std::make_shared<Moment::PointIds>();
  for (size_t i = 0; i < change.item_count; i++) {
    for (size_t j = 0; j < change.items[i].point_count; j++) {
      const cx_point_step &step = change.items[i].points[j];
      bool is_made = step.kind == CX_POINT_MAKE || step.kind == CX_POINT_REPLACE;
      if (is_made && step.origin == CX_ORIGIN_CLIENT) {
        seen->point_id = Text(step.id);
      } else if (is_made) {
        (*ids)[{Text(change.items[i].id), step.sequence}] = Text(step.id);
      }
    }
  }
  seen->moment.point_ids = ids;
}

// The resources that a part of an end gives back.
std::set<Name> ReclaimedBy(const cx_change &change) {
  std::set<Name> names;
  for (size_t i = 0; i < change.item_count; i++) {
    const cx_change_item &item = change.items[i];
    for (size_t j = 0; j < item.op_count; j++) {
      names.insert({Text(item.id), Text(item.ops[j].activity->detail.resource.name)});
    }
  }
  return names;
}

}  // namespace

// ---- The engine's changes, as they happen. --------------------------------------

// The linker puts this in front of cx_apply(): it learns the order of changes and which request
// made each, and nothing else.
extern "C" void __real_cx_apply(cx_stage *stage, const cx_change *change, uint64_t revision,
                                int64_t time_us, cx_undo **garbage);

extern "C" void __wrap_cx_apply(cx_stage *stage, const cx_change *change, uint64_t revision,
                                int64_t time_us, cx_undo **garbage) {
  Call *call = listening != nullptr ? CurrentCall() : nullptr;
  if (call == nullptr || call->starts_engine) {
    return __real_cx_apply(stage, change, revision, time_us, garbage);
  }
  Change seen;
  seen.call = std::shared_ptr<Call>(std::shared_ptr<Call>(), call);
  seen.namespace_id = Text(change->namespace_id);
  seen.session_id = Text(change->session.start.name.id);
  seen.moment = {revision, call->now_us, time_us, Scheduler::Running()->now_us(), nullptr};
  NotePoints(*change, &seen);
  for (size_t i = 0; i < change->item_count; i++) seen.ids.push_back(Text(change->items[i].id));
  seen.kind = KindOf(*change, *call);
  if (seen.kind == Change::kPart) seen.reclaimed = ReclaimedBy(*change);
  if (listening->keeps_events()) seen.happened = HappenedIn(*change, revision, time_us);
  seen.happened.log_bytes = call->log_bytes;
  __real_cx_apply(stage, change, revision, time_us, garbage);
  listening->Applied(std::move(seen));
}

// And this in front of cx_commit_append(): it learns whether the log takes a change.
extern "C" cx_reason __real_cx_commit_append(cx_commit *commit, cx_bytes change, int64_t now_us,
                                             uint64_t *ret_revision, int64_t *ret_time_us);

extern "C" cx_reason __wrap_cx_commit_append(cx_commit *commit, cx_bytes change, int64_t now_us,
                                             uint64_t *ret_revision, int64_t *ret_time_us) {
  cx_reason reason = __real_cx_commit_append(commit, change, now_us, ret_revision, ret_time_us);
  if (listening != nullptr && reason != CX_REASON_NONE) CurrentCall()->refused = true;
  if (listening != nullptr) CurrentCall()->log_bytes = cx_log_frame_size(change.size);
  return reason;
}

// ---- Starting and ending. -----------------------------------------------------

static constexpr uint64_t kUnread = UINT64_MAX;

Server::Server(Scheduler *scheduler, Machine *machine, Checker *checker, Trace *trace, Dice dice)
    : scheduler_(scheduler), machine_(machine), trace_(trace), hand_over_dice_(dice) {
  // Whoever looks again at the same moment sees the same.
  machine->on_clock = [scheduler](int64_t now_us) {
    Call *call = CurrentCall();
    if (call->now_us == 0 || call->clock_us != scheduler->now_us()) {
      call->now_us = now_us;
      call->clock_us = scheduler->now_us();
    }
    return call->now_us;
  };
  listening = checker;
  Serve(this);
  background.clear();
}

Server::~Server() {
  listening = nullptr;
  Serve(nullptr);
  background.clear();
}

Start Server::Open(uint64_t no_memory_at) {
  Start start;
  cx_error error = {};
  Call call;
  call.starts_engine = true;
  failed_ = false;
  disk_ = machine_->OpenDisk();
  if (disk_ == nullptr) {
    start.failure = "the directory does not open";
    return start;
  }
  options.disk = disk_;
  options.clock = machine_->clock();
  options.random = machine_->random();
  start.report.revision = kUnread;
  {
    Scope scope(&call, no_memory_at);
    start.ok = cx_engine_open(&options, &engine_, &start.report, &error) == CX_OK;
  }
  start.was_read = start.report.revision != kUnread;
  if (!start.ok) {
    start.failure = ErrorText(error) + " (" + error.message + ")";
    start.damaged = error.reason == CX_REASON_DAMAGED;
    start.damaged_file = Text(cx_error_detail_get(&error, "file"));
    start.damaged_offset =
        strtoull(Text(cx_error_detail_get(&error, "offset")).c_str(), nullptr, 10);
    cx_disk_posix_close(disk_);
    disk_ = nullptr;
    return start;
  }
  uint8_t log_id[16];
  cx_engine_identity(engine_, log_id, &start.epoch);
  start.log_id.assign(log_id, log_id + sizeof log_id);
  start.revision = statistics().revision;
  start.digest = cx_state_digest(&engine_->state);
  foresight_ = {};
  NameNextThreads({"the writer", "the preparer", "the timers", "the tail", "the loader"});
  cx_engine_events events = {OnComplete, OnFailed, OnDiskFull, this};
  if (cx_engine_start(engine_, &events) != CX_OK) abort();
  return start;
}

bool Server::SecondCanOpen() {
  cx_engine *second = nullptr;
  cx_engine_report report;
  cx_error error = {};
  cx_engine_options others = options;
  Call call;
  call.starts_engine = true;
  others.disk = machine_->OpenDisk();
  if (others.disk == nullptr) return false;
  Scope scope(&call, 0);
  bool opened = cx_engine_open(&others, &second, &report, &error) == CX_OK;
  if (opened) cx_engine_close(second);
  cx_disk_posix_close(others.disk);
  return opened;
}

uint64_t Server::Stop() {
  cx_engine_stop(engine_);
  for (const auto &waiter : given_back_) {
    if (waiter->done) scheduler_->Stop("a waiter is completed that was given back");
  }
  given_back_.clear();
  uint64_t digest = cx_state_digest(&engine_->state);
  cx_engine_close(engine_);
  cx_disk_posix_close(disk_);
  engine_ = nullptr;
  disk_ = nullptr;
  return digest;
}

struct cx_engine_statistics Server::statistics() {
  struct cx_engine_statistics found;
  cx_engine_statistics(engine_, &found);
  return found;
}

void Server::Foresee(const Name &name, const std::string &key) {
  cx_context_name asked = {Bytes(name.namespace_id), Bytes(name.id)};
  std::string &kept = foreseen_keys_[foreseen_count_++ % CX_FORESIGHT_PLACES];
  kept = key;
  cx_engine_foresee(engine_, &foresight_, &asked, Bytes(kept));
}

// ---- Waiting. -----------------------------------------------------------------

bool Server::WaitFor(uint64_t revision) {
  Waiter waiter;
  if (cx_engine_wait(engine_, revision, &waiter.base)) return true;
  while (!waiter.done) scheduler_->Wait(&waiter, 0);
  return waiter.base.status == CX_OK;
}

void Server::OnComplete(void *arg, cx_work *list) {
  auto *self = static_cast<Server *>(arg);
  while (list != nullptr) {
    cx_work *next = list->next;
    auto *waiter = reinterpret_cast<Waiter *>(list);
    waiter->done = true;
    self->scheduler_->WakeAll(waiter);
    list = next;
  }
}

void Server::OnFailed(void *arg, const char *message) {
  auto *self = static_cast<Server *>(arg);
  self->failed_ = true;
  self->failure_ = message;
  if (self->trace_->on()) {
    self->trace_->Add(self->scheduler_->now_us(), "the engine", std::string("fails: ") + message);
  }
  self->scheduler_->WakeAll(self);
}

void Server::OnDiskFull(void *arg, bool full) {
  auto *self = static_cast<Server *>(arg);
  if (self->trace_->on()) {
    self->trace_->Add(self->scheduler_->now_us(), "the engine",
                      full ? "has no room for the next segment" : "has room again");
  }
}

}  // namespace simulation
