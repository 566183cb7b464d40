#include "tests/simulation/server.h"

extern "C" {
#include "core/base/disk.h"
#include "core/base/memory.h"
#include "core/engine/engine_internal.h"
#include "core/state/apply.h"
}

#include <cstdlib>
#include <cstring>

#include "tests/simulation/request.h"
#include "tests/simulation/threads.h"

namespace simulation {

namespace {

std::string ErrorText(const cx_error &error) {
  std::string text = cx_reason_name(error.reason);
  for (size_t i = 0; i < error.detail_count; i++) {
    const char *key = error.details[i].key;
    text += std::string(" ") + key + "=" + Text(cx_error_detail_get(&error, key));
  }
  return text;
}

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

class Scope;
Scope *hooked = nullptr;  // Whose allocation fails: one at a time.

// Makes `call` that of the fiber while it lives, and an allocation of it fail.
class Scope {
 public:
  Scope(Call *call, uint64_t no_memory_at)
      : call_(call),
        before_(Scheduler::Running()->tag()),
        began_us_(Scheduler::Running()->now_us()),
        hooked_(no_memory_at != 0 && hooked == nullptr),
        left_(hooked_ ? no_memory_at : 0) {
    Scheduler::Running()->tag() = call;
    if (!hooked_) return;
    hooked = this;
    cx_memory_set_hook(Hook, this);
  }
  ~Scope() {
    if (!call_->starts_engine && Scheduler::Running()->now_us() != began_us_) {
      Scheduler::Running()->Stop("a request has waited for more than a lock");
    }
    Scheduler::Running()->tag() = before_;
    if (!hooked_) return;
    hooked = nullptr;
    cx_memory_set_hook(nullptr, nullptr);
  }

 private:
  static bool Hook(void *arg, size_t size) {
    auto *self = static_cast<Scope *>(arg);
    (void)size;
    if (Scheduler::Running()->tag() != self->call_ || self->left_ == 0 || --self->left_ > 0) {
      return true;
    }
    self->call_->starved = true;
    return false;
  }

  Call *call_;
  void *before_;
  int64_t began_us_;
  bool hooked_;
  uint64_t left_;  // Allocations until one fails; 0: none does any more.
};

Checker *listening = nullptr;  // Whom cx_apply() tells.

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
  seen.moment = {revision, call->now_us, time_us};
  for (size_t i = 0; i < change->item_count; i++) seen.ids.push_back(Text(change->items[i].id));
  switch (change->items[0].kind) {
    case CX_ITEM_CREATE:
    case CX_ITEM_UPDATE:
      seen.kind = Change::kWrite;
      break;
    case CX_ITEM_DELETE:
    case CX_ITEM_PURGE:
      seen.kind = Change::kDelete;
      break;
    default:
      seen.kind = Change::kDue;
      break;
  }
  __real_cx_apply(stage, change, revision, time_us, garbage);
  listening->Applied(std::move(seen));
}

// ---- Starting and ending. -----------------------------------------------------

static constexpr uint64_t kUnread = UINT64_MAX;

Server::Server(Scheduler *scheduler, Machine *machine, Checker *checker, Trace *trace)
    : scheduler_(scheduler), machine_(machine), trace_(trace) {
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
  background.clear();
}

Server::~Server() {
  listening = nullptr;
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
  start.revision = revision();
  start.digest = cx_state_digest(&engine_->state);
  foresight_ = {};
  NameNextThreads({"the writer", "the preparer", "the timers"});
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
  uint64_t digest = cx_state_digest(&engine_->state);
  cx_engine_close(engine_);
  cx_disk_posix_close(disk_);
  engine_ = nullptr;
  disk_ = nullptr;
  return digest;
}

uint64_t Server::revision() {
  struct cx_engine_statistics statistics;
  cx_engine_statistics(engine_, &statistics);
  return statistics.revision;
}

uint64_t Server::context_count() {
  struct cx_engine_statistics statistics;
  cx_engine_statistics(engine_, &statistics);
  return statistics.context_count;
}

void Server::Foresee(const Name &name, const std::string &key) {
  cx_context_name asked = {Bytes(name.namespace_id), Bytes(name.id)};
  std::string &kept = foreseen_keys_[foreseen_count_++ % CX_FORESIGHT_PLACES];
  kept = key;
  cx_engine_foresee(engine_, &foresight_, &asked, Bytes(kept));
}

// ---- Writing. -----------------------------------------------------------------

void Server::Write(Call *call, uint64_t no_memory_at, Shown *ret_shown) {
  Operation operation = call->operation;  // The call's may learn the id that was made up.
  Request request(operation);
  std::vector<cx_write_outcome> outcomes(operation.parts.size());
  cx_error error = {};
  cx_snapshot snapshot = {};
  cx_status status = CX_OK;
  size_t index;
  {
    Scope scope(call, no_memory_at);
    switch (operation.kind) {
      case Kind::kCreate: {
        cx_create_request create = request.create();
        status = cx_engine_create(engine_, &create, &outcomes[0], &snapshot, &error);
        break;
      }
      case Kind::kUpdate:
        status = cx_engine_update(engine_, &request.updates()[0], &outcomes[0], &error);
        break;
      case Kind::kAtomic:
        status =
            cx_engine_update_atomic(engine_, request.updates().data(), outcomes.size(),
                                    Bytes(operation.request_id), outcomes.data(), &index, &error);
        break;
      case Kind::kDelete: {
        cx_delete_request end = request.end();
        status = cx_engine_delete(engine_, &end, &outcomes[0], &error);
        break;
      }
    }
  }
  call->wait_for = outcomes[0].wait_for;
  if (status != CX_OK) {
    call->answer.failure = ErrorText(error);
    if (status != cx_reason_status(error.reason)) call->answer.failure += " with another status";
    return;
  }
  call->answer.revision = outcomes[0].revision;
  call->answer.replayed = outcomes[0].replayed;
  call->answer.count = outcomes[0].count;
  for (const cx_write_outcome &outcome : outcomes) {
    if (outcome.revision != 0) call->answer.versions.push_back(outcome.version);
  }
  if (operation.kind == Kind::kCreate) {
    *ret_shown = Show(snapshot, true);
    cx_snapshot_done(&snapshot);
  }
}

// ---- Reading. -----------------------------------------------------------------

Shown Server::Show(const cx_snapshot &snapshot, bool with_entries) {
  Shown shown;
  shown.name = {Text(snapshot.namespace_id), Text(snapshot.id)};
  shown.revision = snapshot.revision;
  shown.entry_count = snapshot.entry_count;
  shown.size_bytes = snapshot.size_bytes;
  shown.state.version = snapshot.version;
  shown.state.create_time_us = snapshot.create_time_us;
  shown.state.update_time_us = snapshot.update_time_us;
  shown.state.expire_time_us = snapshot.expire_time_us;
  shown.state.type = Text(snapshot.type);
  shown.state.parent_id = Text(snapshot.parent_id);
  for (size_t i = 0; i < snapshot.label_count; i++) {
    shown.state.labels[Text(snapshot.labels[i].key)] = Text(snapshot.labels[i].value);
  }
  if (!with_entries || snapshot.entry_count == 0) return shown;
  cx_entry_walk walk;
  cx_entry_view entry;
  cx_snapshot_walk(&snapshot, {}, &walk);
  while (cx_entry_walk_next(&walk, &entry)) {
    auto value = std::make_shared<std::string>(entry.value_size, '\0');
    cx_entry_value_copy(&entry, reinterpret_cast<uint8_t *>(&(*value)[0]));
    shown.state.entries[Text(entry.key)] = {value, Text(entry.content_type), entry.version};
  }
  return shown;
}

std::unique_ptr<cx_snapshot, void (*)(cx_snapshot *)> Server::Get(Call *call, uint64_t version,
                                                                  int64_t time_us,
                                                                  uint64_t no_memory_at,
                                                                  std::string *ret_failure) {
  auto release = [](cx_snapshot *snapshot) {
    cx_snapshot_done(snapshot);
    delete snapshot;
  };
  Name name = call->operation.name();
  cx_context_name asked = {Bytes(name.namespace_id), Bytes(name.id)};
  cx_state_at at = {version, time_us};
  cx_error error = {};
  std::unique_ptr<cx_snapshot, void (*)(cx_snapshot *)> snapshot(new cx_snapshot(), release);
  Scope scope(call, no_memory_at);
  cx_status status = cx_engine_get(engine_, &asked, &at, snapshot.get(), &call->wait_for, &error);
  if (status == CX_OK) return snapshot;
  *ret_failure = ErrorText(error);
  delete snapshot.release();
  return snapshot;
}

ShownPage Server::List(Call *call, const ListQuery &query, const std::string &after_id,
                       size_t count_max, uint64_t no_memory_at) {
  ShownPage shown;
  cx_list_page page;
  cx_error error = {};
  cx_list_query asked = {};
  std::vector<cx_label> labels;
  for (const auto &[key, value] : query.labels) labels.push_back({Bytes(key), Bytes(value)});
  asked.namespace_id = Bytes(query.namespace_id);
  asked.id_prefix = Bytes(query.id_prefix);
  asked.type = Bytes(query.type);
  asked.parent_id = Bytes(query.parent_id);
  asked.labels = labels.data();
  asked.label_count = labels.size();
  asked.deleted = query.deleted;
  asked.after_id = Bytes(after_id);
  asked.count_max = count_max;
  Scope scope(call, no_memory_at);
  if (cx_engine_list(engine_, &asked, &page, &call->wait_for, &error) != CX_OK) {
    call->answer.failure = ErrorText(error);
    return shown;
  }
  for (size_t i = 0; i < page.count; i++) shown.rows.push_back(Show(page.rows[i], false));
  shown.more = page.more;
  shown.last_id = Text(page.last_id);
  shown.position = page.position;
  cx_list_page_done(&page);
  return shown;
}

std::map<std::string, Checker::Totals> Server::ListNamespaces() {
  std::map<std::string, Checker::Totals> found;
  std::string after;
  for (bool more = true; more;) {
    cx_namespace_row rows[2];
    size_t count = 0;
    uint64_t wait_for;
    if (cx_engine_list_namespaces(engine_, Bytes(after), 2, rows, &count, &more, &wait_for) !=
        CX_OK) {
      abort();  // It has no reason to fail.
    }
    for (size_t i = 0; i < count; i++) {
      after = rows[i].name;
      found[after] = {rows[i].context_count, rows[i].size_bytes};
    }
  }
  return found;
}

// ---- Waiting. -----------------------------------------------------------------

namespace {

struct Waiter {
  cx_waiter base;
  bool done;
};

}  // namespace

bool Server::WaitFor(uint64_t revision) {
  Waiter waiter = {};
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
