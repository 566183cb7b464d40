#include "tests/simulation/event_view.h"
#include "tests/simulation/simulation_internal.h"

extern "C" {
#include "core/base/memory.h"
}

#include <algorithm>

namespace simulation {

namespace {

constexpr int kOpenAttempts = 20;
constexpr int kProgressWrites = 20;
constexpr size_t kProgressValueSize = 8000;
constexpr int64_t kProgressUs = 15'000'000;  // More than any stall of the disk.
constexpr int64_t kLateUs = 1'000'000;       // So late may the timers be.
constexpr int64_t kLateEndUs = 3'000'000;  // The same for a session: an end that fails is put off.

}  // namespace

// ---- Settings. ----------------------------------------------------------------

void Simulation::SetOptions() {
  cx_engine_options &options = server_.options;
  options.settings.version_retention = swarm_.version_retention;
  options.settings.undelete_window_us = swarm_.undelete_window_us;
  options.settings.tombstone_window_us = swarm_.tombstone_window_us;
  options.settings.request_id_window_us = swarm_.request_id_window_us;
  options.settings.request_ids_max = swarm_.request_ids_max;
  options.value_size_max = swarm_.value_size_max;
  options.message_size_max = swarm_.message_size_max;
  options.memory_limit = swarm_.memory_limit;
  options.history_count_max = swarm_.history_count_max;
  options.history_bytes_max = swarm_.history_bytes_max;
  options.segment_size = 1; /* The smallest that holds the largest change. */
  options.sync = swarm_.sync;
  options.encode_event = EventEncoder();
  options.subscriptions_max = swarm_.subscriptions_max;
  server_.left_out_in = swarm_.left_out_in;
  options.recovery_points_max = swarm_.points_max;
  if (swarm_.readers == 0) return;
  options.feed_retention_bytes = swarm_.feed_retention_bytes;
  options.feed_retention_age_us = swarm_.feed_retention_age_us;
}

void Simulation::ChangeSettings() {
  if (!swarm_.change_settings || !dice_.OneIn(2)) return;
  cx_settings &settings = server_.options.settings;
  settings.version_retention = dice_.Pick<uint64_t>({1, 2, 4});
  settings.undelete_window_us = swarm_.undelete_window_us / dice_.Pick({1, 2, 10});
  server_.options.history_count_max = swarm_.history_count_max / dice_.Pick<uint64_t>({1, 2});
}

Rules Simulation::rules() const {
  const cx_engine_options &options = server_.options;
  return {options.settings.version_retention,
          options.settings.undelete_window_us,
          options.settings.tombstone_window_us,
          options.value_size_max,
          options.history_count_max,
          options.history_bytes_max,
          options.recovery_points_max};
}

// ---- The operator: starts and ends. --------------------------------------------

void Simulation::Operate() {
  for (uint64_t life = 1; life <= swarm_.lives; life++) {
    OpenServer();
    LiveOnce(life == swarm_.lives);
    machine_.Restart();
    ChangeSettings();
  }
  OpenServer();
  EndLife(true);
}

// Starts the server, again and again where the disk fails.
void Simulation::OpenServer() {
  if (result_.starts > 0 && dice_.OneIn(swarm_.damage_in)) MeetDamage();
  for (int i = 0; i < kOpenAttempts; i++) {
    bool hopeless = i > kOpenAttempts / 2;
    machine_.SetFaults(!hopeless);
    if (hopeless) machine_.LiftCapacity();
    if (dice_.OneIn(10)) EndAtChange(6);
    if (OpenOnce(hopeless ? 0 : NoMemoryAt(), false)) return machine_.SetFaults(true);
    machine_.Restart();
  }
  scheduler_.Stop("the server does not start");
}

bool Simulation::OpenOnce(uint64_t no_memory_at, bool lost) {
  Start start = server_.Open(no_memory_at);
  result_.starts++;
  if (trace_.on()) {
    Say("operator",
        start.ok ? "the server has started with revision " + std::to_string(start.report.revision)
                 : "the server does not start: " + start.failure);
  }
  if (start.ok) {
    Recover(start, lost);
  } else if (start.damaged) {
    scheduler_.Stop("a whole log is called damaged: " + start.failure);
  } else {
    ended_cleanly_ = false; /* The start may have gone far enough to write. */
    if (start.was_read) {
      checker_.StartFailed(start.report.revision, rules());
      if (start.report.revision < digest_revision_) digest_revision_ = kNoRevision;
    }
  }
  return start.ok;
}

// Something that was durable is damaged: the server must say so and leave everything as it is.
// Then the disk is restored, or the loss accepted.
void Simulation::MeetDamage() {
  machine_.SetFaults(false);
  machine_.LiftCapacity();
  if (!machine_.Damage()) return machine_.SetFaults(true);
  uint64_t before = machine_.digest();
  Start start = server_.Open(0);
  if (start.ok) scheduler_.Stop("the server starts with a damaged log");
  if (!start.damaged) scheduler_.Stop("the damage is called " + start.failure);
  if (!machine_.HasDamaged(start.damaged_file, start.damaged_offset)) {
    scheduler_.Stop("the damage is somewhere else: " + start.failure);
  }
  if (machine_.digest() != before) scheduler_.Stop("the refused start has changed something");
  if (trace_.on()) Say("operator", start.failure);
  if (dice_.OneIn(2)) {
    machine_.Repair();
    return machine_.SetFaults(true);
  }
  server_.options.accept_data_loss = true;
  if (!OpenOnce(0, true)) scheduler_.Stop("the loss is not accepted");
  server_.options.accept_data_loss = false;
  std::string whole = "the log is whole up to revision " + std::to_string(found_);
  if (start.failure.find(whole + ";") == std::string::npos) {
    scheduler_.Stop("accepting the loss has lost more, or less, than was said");
  }
  EndLife(false);
  machine_.Restart();
  machine_.SetFaults(true);
}

// A log goes on under its name and epoch; after a loss in a later epoch, or, where no header was
// left to name it, as another log.
void Simulation::CheckIdentity(const Start &start, bool lost) {
  bool same_log = start.log_id == log_id_ || epoch_ == 0;
  bool same = same_log && (start.epoch == epoch_ || epoch_ == 0);
  if (lost ? same_log && start.epoch <= epoch_ : !same) {
    scheduler_.Stop("the log goes on in epoch " + std::to_string(start.epoch));
  }
  if (!same) ForgetReaders();
  log_id_ = start.log_id;
  epoch_ = start.epoch;
}

void Simulation::Recover(const Start &start, bool lost) {
  CheckIdentity(start, lost);
  if (lost && !start.report.data_lost) scheduler_.Stop("the loss is not reported");
  if (!lost && start.report.data_lost) scheduler_.Stop("a loss is reported that was none");
  bool same = start.revision == digest_revision_ && start.report.revision == digest_revision_;
  if (same && !lost && start.digest != digest_) {
    scheduler_.Stop("the log gives another state than the one that was there");
  }
  bool clean = ended_cleanly_ && !lost && !start.report.created;
  if (clean && !start.report.clean) scheduler_.Stop("a clean stop has left no mark");
  if (clean && start.report.revision != checker_.newest()) {
    scheduler_.Stop("a clean stop has lost what nobody had waited for");
  }
  if (changed_uncleanly_ && !lost && start.report.clean) {
    scheduler_.Stop("a crash is called a clean stop");
  }
  ended_cleanly_ = false;
  changed_uncleanly_ = false;
  found_ = start.report.revision;
  started_with_ = start.revision;
  checker_.Recovered(start.report.revision, start.revision, rules(), lost, scheduler_.now_us());
  checker_.weather = {};
  checker_.weather.memory_limit = swarm_.memory_limit;
  checker_.weather.change_size_max = 2 * swarm_.message_size_max;
  checker_.weather.request_id_window_us = swarm_.request_id_window_us;
  checker_.weather.request_ids_max = swarm_.request_ids_max;
  if (checker_.keeps_events() && server_.floor() != checker_.events().FloorAt(found_)) {
    scheduler_.Stop("the start comes to another floor, " + std::to_string(server_.floor()));
  }
  if (!machine_.ended()) CompareWork();
}

// Lets the process or the machine end at one of the next changes of the disk.
void Simulation::EndAtChange(uint64_t nth_max) {
  machine_.EndAtChange(dice_.Between(1, nth_max), swarm_.weight_power > 0 && dice_.OneIn(2));
}

// ---- The operator: a life. ------------------------------------------------------

void Simulation::LiveOnce(bool last) {
  std::vector<Fiber *> clients;
  operations_left_ = dice_.Between(1, dice_.OneIn(3) ? 4 : swarm_.operations);
  if (machine_.ended()) operations_left_ = 0;
  if (!last && dice_.OneIn(2)) EndAtChange(200);
  if (!machine_.ended() && dice_.OneIn(4)) CompareAll();
  for (uint64_t i = 1; i <= swarm_.clients; i++) {
    clients.push_back(scheduler_.Create("client " + std::to_string(i), [this] { RunClient(); }));
  }
  if (!machine_.ended() && dice_.OneIn(4)) TryASecond();
  StartReaders();
  for (Fiber *client : clients) scheduler_.Join(client);
  if (last) CheckProgress();
  if (last && !machine_.ended()) CheckReaders();
  StopReaders();
  EndLife(last);
}

// A second process is refused, whatever the first one does meanwhile.
void Simulation::TryASecond() {
  machine_.SetFaults(false);
  bool opened = server_.SecondCanOpen();
  machine_.SetFaults(true);
  if (opened && !machine_.ended()) {
    scheduler_.Stop("two processes have the directory open");
  }
}

// Ends the server in one of its ways, unless it has ended already.
void Simulation::EndLife(bool last) {
  if (server_.failed() && !machine_.ended() && !machine_.has_failed()) {
    scheduler_.Stop("the server gives up a disk that has not failed: " + server_.failure());
  }
  uint64_t sum = swarm_.weight_stop + swarm_.weight_kill + swarm_.weight_power;
  uint64_t place = dice_.Below(sum);
  bool stop = last || place < swarm_.weight_stop;
  if (!machine_.ended() && !server_.failed()) {
    CompareAll();
  }
  if (!machine_.ended() && !server_.failed() && !stop) {
    if (place < swarm_.weight_stop + swarm_.weight_kill || swarm_.weight_power == 0) {
      machine_.Kill();
    } else {
      machine_.PowerOff();
    }
  }
  bool ended = machine_.ended();
  if (trace_.on()) Say("operator", ended ? "the server is gone" : "the server stops");
  bool failed = server_.failed();
  digest_ = server_.Stop();
  ended_cleanly_ = !ended && !failed && !machine_.ended() && !machine_.has_failed();
  changed_uncleanly_ = (ended || failed) && checker_.told() > started_with_;
  checker_.Ended();
  digest_revision_ = checker_.newest();
}

// When nothing goes wrong any more, everything goes on: what is due ends, and there is room
// for changes.
void Simulation::CheckProgress() {
  machine_.SetFaults(false);
  machine_.LiftCapacity();
  for (int i = 0; i < kProgressWrites && !machine_.ended() && !server_.failed(); i++) {
    scheduler_.Sleep(kProgressUs);
    CheckDue();
    Operation operation = Operation::Of({"n0", "c0"});
    Mutation put;
    operation.parts[0].may_create = true;
    put.key = "progress";
    put.value.assign(std::min(kProgressValueSize, swarm_.value_size_max), 'a' + i);
    operation.parts[0].mutations.push_back(put);
    std::string failure = Write(operation);
    if (failure == "STORAGE_FULL" || failure == "OVERLOADED") {
      scheduler_.Stop("there is room again, and a write is answered with " + failure);
    }
  }
  if (machine_.ended() || server_.failed()) return;
  uint64_t last = server_.statistics().revision;
  if (server_.WaitFor(last) && !machine_.ended()) checker_.Told(last);
}

// The timers have met everything whose time is over.
void Simulation::CheckDue() {
  if (machine_.ended() || server_.failed()) return;
  for (const auto &[name, context] : checker_.model().contexts()) {
    int64_t due_us = checker_.model().DueTime(*context);
    if (due_us != 0 && due_us < machine_.wall_us() - kLateUs) {
      scheduler_.Stop(name.text() + " is due and has not ended");
    }
    due_us = IsLive(context.get()) ? checker_.model().PointsDueTime(*context) : 0;
    if (due_us != 0 && due_us < machine_.wall_us() - kLateUs) {
      scheduler_.Stop("points of " + name.text() + " are due");
    }
  }
  for (const auto &[name, session] : checker_.model().sessions()) {
    if (session->IsOver(scheduler_.now_us() - kLateEndUs)) {
      scheduler_.Stop("session " + name.text() + " is over and has not ended");
    }
  }
}

// Reads everything there is.
void Simulation::CompareAll() {
  for (uint64_t i = 0; i < swarm_.namespaces; i++) {
    ListQuery query;
    query.namespace_id = "n" + std::to_string(i);
    DoList(query, 7);
    query.deleted = true;
    DoList(query, 7);
  }
  Model model = checker_.model();
  for (const auto &[name, context] : model.contexts()) {
    GetAndCheck(name, 0, 0);
    for (const State &state : context->earlier) GetAndCheck(name, state.version, 0);
  }
  uint64_t before = checker_.newest();
  auto found = server_.ListNamespaces();
  auto statistics = server_.statistics();
  if (checker_.newest() == before) {
    checker_.CheckNamespaces(found, statistics.context_count, statistics.session_count);
  }
  CompareWork();
}

// Reads all that is known of the work on contexts.
void Simulation::CompareWork() {
  Model model = checker_.model();
  ActivityQuery all;
  RowQuery every;
  all.count_max = every.count_max = 1000;
  for (uint64_t i = 0; i < swarm_.namespaces; i++) {
    std::string namespace_id = "n" + std::to_string(i);
    ListSessions(namespace_id, "", 4);
    SummarizeNamespace(namespace_id);
  }
  for (const auto &[name, session] : model.sessions()) GetSession(name);
  ComparePoints();
  for (const auto &[name, context] : model.contexts()) {
    if (!IsLive(context.get())) continue;
    GetStatus(name);
    if (context->last_sequence == 0) continue;
    ListActivities(name, all);
    ListFiles(name, every);
    ListResources(name, every);
    SummarizeUsage(name);
  }
}

Result RunSeed(uint64_t seed, Trace::Mode mode) {
  int64_t before = cx_memory_used();
  Result result;
  {
    // A failed run leaves its fibers where they are, and all that they hold.
    auto simulation = std::make_unique<Simulation>(seed, mode);
    result = simulation->Run();
    if (!result.failure.empty()) (void)simulation.release();
  }
  if (result.failure.empty() && cx_memory_used() != before) {
    result.failure = std::to_string(cx_memory_used() - before) + " bytes are not given back";
  }
  return result;
}

}  // namespace simulation
