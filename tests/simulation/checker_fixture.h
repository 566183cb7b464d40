// A checker, and an engine that is only played: what it does and says, right or wrong.

#ifndef CX_TESTS_SIMULATION_CHECKER_FIXTURE_H
#define CX_TESTS_SIMULATION_CHECKER_FIXTURE_H

#include "tests/simulation/checker.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace simulation {

class CheckerTest : public testing::Test {
 protected:
  static constexpr int64_t kNow = 1'000'000;

  CheckerTest() {
    checker_.weather.request_id_window_us = 1'000'000'000;
    checker_.weather.request_ids_max = 1'000'000;
    checker_.weather.change_size_max = 1'000'000;
    checker_.Recovered(0, 1, Settings(), false, 0);
  }

  static Rules Settings() {
    Rules rules;
    rules.version_retention = 3;
    rules.undelete_window_us = rules.tombstone_window_us = 1'000'000;
    rules.value_size_max = 100;
    return rules;
  }

  static Operation Put(const std::string &id, const std::string &value) {
    Operation operation;
    operation.namespace_id = "n";
    operation.parts.resize(1);
    operation.parts[0].id = id;
    operation.parts[0].may_create = true;
    operation.parts[0].mutations.resize(1);
    operation.parts[0].mutations[0].key = "k";
    operation.parts[0].mutations[0].value = value;
    return operation;
  }

  // When it is, on the clock that never jumps.
  int64_t clock_us_ = 0;

  std::shared_ptr<Call> Begin(const Operation &operation) {
    auto call = checker_.Begin(operation);
    call->now_us = kNow;
    call->clock_us = clock_us_;
    return call;
  }

  // A change as an engine makes it, which has yet to answer.
  std::shared_ptr<Call> Change1(const Operation &operation, uint64_t revision,
                                Change::Kind kind = Change::kWrite) {
    auto call = Begin(operation);
    Change change;
    change.call = call;
    change.kind = kind;
    change.namespace_id = operation.namespace_id;
    for (const Part &part : operation.parts) change.ids.push_back(part.id);
    change.session_id =
        operation.kind == Kind::kStart ? "s" + std::to_string(revision) : operation.session_id;
    change.moment = {revision, kNow, kNow, clock_us_};
    checker_.Applied(change);
    return call;
  }

  void Answer1(const std::shared_ptr<Call> &call, uint64_t revision, uint64_t version,
               uint64_t wait_for) {
    call->answer.revision = revision;
    call->answer.versions = {version};
    call->wait_for = wait_for;
    checker_.EndWrite(call);
  }

  void PutAndAnswer(const std::string &value, uint64_t revision, uint64_t version) {
    Answer1(Change1(Put("c", value), revision), revision, version, revision);
  }

  // A get of the newest state, which shows this.
  void Get(const std::string &value, uint64_t version, uint64_t revision, uint64_t wait_for) {
    Shown shown;
    shown.name = {"n", "c"};
    shown.revision = revision;
    shown.state.version = version;
    shown.state.create_time_us = shown.state.update_time_us = kNow;
    shown.state.entries["k"] = {std::make_shared<std::string>(value), "", version};
    shown.entry_count = 1;
    shown.size_bytes = 1 + value.size();
    auto call = checker_.Begin(Put("c", ""));
    call->now_us = kNow;
    call->wait_for = wait_for;
    checker_.EndGet(call, 0, 0, shown);
  }

  void Fails(const std::shared_ptr<Call> &call, const std::string &failure, uint64_t wait_for) {
    call->now_us = kNow;
    call->answer.failure = failure;
    call->wait_for = wait_for;
    checker_.EndWrite(call);
  }

  // Runs the last step of a history, and expects the checker to say this about it.
  static void ExpectRefused(const std::string &part, const std::function<void()> &step) {
    try {
      step();
      ADD_FAILURE() << "accepted";
    } catch (const std::runtime_error &error) {
      EXPECT_NE(std::string::npos, std::string(error.what()).find(part)) << error.what();
    }
  }

  Checker checker_{[](const std::string &failure) { throw std::runtime_error(failure); }};
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_CHECKER_FIXTURE_H
