// What clients do, and the reads that the operator makes like them.

#include "tests/simulation/simulation_internal.h"

namespace simulation {

namespace {

constexpr uint64_t kAllocationsMax = 40;  // Which of a call's allocations fails, at most.

}  // namespace

void Simulation::RunClient() {
  while (operations_left_ > 0 && !machine_.ended() && !server_.failed()) {
    operations_left_--;
    if (!dice_.OneIn(swarm_.rush_in)) {
      scheduler_.Sleep(static_cast<int64_t>(dice_.Below(static_cast<uint64_t>(swarm_.think_us))));
    }
    if (machine_.ended() || server_.failed()) return;
    if (dice_.OneIn(swarm_.clock_jump_in)) machine_.JumpClock();
    DoSomething();
  }
}

void Simulation::DoSomething() {
  uint64_t writes = swarm_.weight_create + swarm_.weight_update + swarm_.weight_atomic +
                    swarm_.weight_delete + swarm_.weight_session + swarm_.weight_activation +
                    swarm_.weight_record + swarm_.weight_cut + swarm_.weight_resource +
                    swarm_.weight_point + swarm_.weight_join;
  uint64_t gets = writes + swarm_.weight_get;
  uint64_t lists = gets + swarm_.weight_list;
  uint64_t holds = lists + swarm_.weight_hold;
  uint64_t renewals = holds + swarm_.weight_session;
  uint64_t points = renewals + swarm_.weight_read_points;
  uint64_t place = dice_.Below(points + swarm_.weight_work);
  result_.calls++;
  if (place < writes) {
    DoWrite();
  } else if (place < gets) {
    DoGet();
  } else if (place < lists) {
    DoList(workload_.NextQuery(), dice_.Between(1, 5));
  } else if (place < holds) {
    DoHold();
  } else if (place < renewals) {
    DoRenew();
  } else if (place < points) {
    DoReadPoints();
  } else {
    DoWork();
  }
}

uint64_t Simulation::NoMemoryAt() {
  return dice_.OneIn(swarm_.no_memory_in) ? dice_.Between(1, kAllocationsMax) : 0;
}

void Simulation::DoWrite() {
  Operation operation;
  if (!dice_.OneIn(swarm_.retry_in) || !workload_.NextRepeat(&operation)) {
    operation = workload_.NextWrite(checker_.model());
  }
  if (dice_.OneIn(swarm_.foresee_in)) {
    const Part &part = operation.parts[0];
    server_.Foresee(operation.name(), part.mutations.empty() ? "" : part.mutations[0].key);
  }
  Write(operation);
}

std::string Simulation::Write(const Operation &operation) {
  Returned returned;
  auto call = checker_.Begin(operation);
  server_.Write(call.get(), NoMemoryAt(), &returned);
  NoteWeather();
  if (trace_.on()) Say(scheduler_.name(), operation.Describe() + " -> " + call->answer.Describe());
  uint64_t wait_for = call->wait_for;
  std::string failure = call->answer.failure;
  checker_.EndWrite(call, returned);
  WaitNowAndThen(wait_for);
  return failure;
}

void Simulation::NoteWeather() {
  checker_.weather.disk_may_be_full |= machine_.may_be_full();
  checker_.weather.disk_has_failed |= machine_.ended() || server_.failed() || machine_.has_failed();
}

// Most clients wait until their answer is durable; some never do.
void Simulation::WaitNowAndThen(uint64_t wait_for) {
  if (!dice_.OneIn(swarm_.wait_in)) return;
  if (server_.WaitFor(wait_for)) {
    if (machine_.ended()) return; /* Nobody heard it any more. */
    checker_.Told(wait_for);
    if (trace_.on()) Say(scheduler_.name(), "is told " + std::to_string(wait_for));
  } else if (!machine_.ended() && !machine_.has_failed()) {
    scheduler_.Stop("a wait ends without success, and nothing has failed");
  }
}

void Simulation::GetAndCheck(const Name &name, uint64_t version, int64_t time_us) {
  auto call = checker_.Begin(Operation::Of(name));
  Shown shown;
  auto snapshot = server_.Get(call.get(), version, time_us, NoMemoryAt(), &shown.failure);
  if (snapshot != nullptr) shown = Server::Show(*snapshot, true);
  if (trace_.on()) {
    Say(scheduler_.name(),
        "get " + name.text() + " at version " + std::to_string(version) + ", time " +
            std::to_string(time_us) + " -> " +
            (shown.failure.empty() ? std::to_string(shown.state.version) : shown.failure));
  }
  checker_.EndGet(call, version, time_us, shown);
}

void Simulation::DoGet() {
  Name name = workload_.NextName();
  uint64_t version = workload_.NextVersion(checker_.model(), name);
  int64_t time_us = 0;
  if (version == 0 && dice_.OneIn(3)) {
    time_us = machine_.wall_us() - static_cast<int64_t>(dice_.Below(40'000'000));
  }
  GetAndCheck(name, version, time_us);
}

// All pages of a list.
void Simulation::DoList(const ListQuery &query, size_t count_max) {
  std::string after_id;
  for (bool more = true; more;) {
    auto call = checker_.Begin(Operation::Of({query.namespace_id, "(a list)"}));
    ShownPage page = server_.List(call.get(), query, after_id, count_max, NoMemoryAt());
    if (trace_.on()) {
      Say(scheduler_.name(),
          query.Describe() + " behind '" + after_id + "' -> " +
              (call->answer.failure.empty() ? std::to_string(page.rows.size()) + " rows"
                                            : call->answer.failure));
    }
    more = page.more && call->answer.failure.empty();
    checker_.EndList(call, query, after_id, count_max, page);
    after_id = page.last_id;
  }
}

// A snapshot that is kept for a while shows the same at its end.
void Simulation::DoHold() {
  Name name = workload_.NextName();
  auto call = checker_.Begin(Operation::Of(name));
  std::string failure;
  auto snapshot = server_.Get(call.get(), 0, 0, 0, &failure);
  Shown before;
  before.failure = failure;
  if (snapshot != nullptr) before = Server::Show(*snapshot, true);
  checker_.EndGet(call, 0, 0, before);
  if (snapshot == nullptr) return;
  scheduler_.Sleep(static_cast<int64_t>(dice_.Below(5 * static_cast<uint64_t>(swarm_.think_us))));
  std::string difference = Difference(before.state, Server::Show(*snapshot, true), true);
  if (!difference.empty()) {
    scheduler_.Stop("a snapshot of " + name.text() + " has changed: " + difference);
  }
}

}  // namespace simulation
