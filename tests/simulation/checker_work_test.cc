// The checker and its model refuse wrong sessions, activations, fences, histories and resources.

#include "tests/simulation/checker_fixture.h"

namespace simulation {
namespace {

constexpr int64_t kTtl = 10'000'000;

class CheckerWorkTest : public CheckerTest {
 protected:
  // There is a context, and two sessions: s3 and s4.
  CheckerWorkTest() {
    Answer1(Change1(Put("c", "a"), 2), 2, 1, 2);
    Start(3);
    Start(4);
  }

  static Operation Of(Kind kind, const std::string &session_id) {
    Operation operation = Operation::Of({"n", "c"});
    operation.kind = kind;
    operation.session_id = session_id;
    return operation;
  }

  // The engine answers that it has made this change.
  void Done(const std::shared_ptr<Call> &call, uint64_t revision, const Returned &returned = {}) {
    call->answer.revision = revision;
    call->wait_for = revision;
    checker_.EndWrite(call, returned);
  }

  ShownSession Show(uint64_t started, std::vector<Activation> activations = {},
                    const std::string &current = "") const {
    ShownSession shown;
    shown.is_there = true;
    shown.name = {"n", "s" + std::to_string(started)};
    shown.session.terms.owner = "agent";
    shown.session.create_time_us = kNow;
    shown.session.start_revision = started;
    shown.session.activations = std::move(activations);
    shown.session.current = current;
    shown.expire_time_us = kNow + kTtl - clock_us_;
    return shown;
  }

  void Start(uint64_t revision) {
    Operation operation = Operation::Of({"n", ""});
    Returned returned;
    operation.kind = Kind::kStart;
    operation.terms.owner = "agent";
    operation.terms.ttl_us = kTtl;
    operation.terms.contexts_max = 5;
    returned.session = Show(revision);
    Done(Change1(operation, revision), revision, returned);
  }

  void Activate(const std::string &session_id, uint64_t revision, bool guard = false) {
    Operation operation = Of(Kind::kActivate, session_id);
    operation.exclusive = operation.takeover = true;
    operation.guard = guard;
    Change1(operation, revision);
  }

  static Operation WriteBy(const std::string &session_id, uint64_t fence) {
    Operation operation = Put("c", "b");
    operation.parts[0].session_id = session_id;
    operation.parts[0].fence = fence;
    return operation;
  }

  static Operation RecordOne(const Activity &activity) {
    Operation operation = Operation::Of({"n", "c"});
    operation.wants_sequence = true;
    operation.parts[0].mutations.resize(1);
    operation.parts[0].mutations[0].step = Step::kRecord;
    operation.parts[0].mutations[0].activity = std::make_shared<Activity>(activity);
    return operation;
  }

  static Activity Message() {
    Activity activity;
    activity.type = "message";
    return activity;
  }

  void Lose(const std::string &session_id, uint64_t revision) {
    Change1(Of(Kind::kUpdate, session_id), revision, Change::kLoss);
  }
};

TEST_F(CheckerWorkTest, AcceptsWhatTheServicePromises) {
  Operation activate = Of(Kind::kActivate, "s3");
  Returned returned;
  activate.exclusive = true;
  returned.activation.context_id = "c";
  returned.activation.exclusive = true;
  returned.activation.fence = 1;
  returned.activation.time_us = kNow;
  returned.session = Show(3, {returned.activation}, "c");
  returned.context.name = {"n", "c"};
  returned.context.revision = 5;
  returned.context.fence = 1;
  returned.context.state.version = 1;
  returned.context.state.create_time_us = returned.context.state.update_time_us = kNow;
  returned.context.state.entries["k"] = {std::make_shared<std::string>("a"), "", 1};
  returned.context.entry_count = 1;
  returned.context.size_bytes = 2;
  Done(Change1(activate, 5), 5, returned);
  Answer1(Change1(WriteBy("s3", 1), 6), 6, 2, 6);
  clock_us_ = kTtl;
  Lose("s3", 7);
  Fails(Begin(WriteBy("s3", 1)), "SESSION_NOT_FOUND session_id=s3", 7);
}

TEST_F(CheckerWorkTest, RefusesAWriteWithTheFenceOfAnActivationThatWasTakenOver) {
  Activate("s3", 5);
  Activate("s4", 6);
  ExpectRefused("STALE_FENCE current_fence=2", [&] { Change1(WriteBy("s3", 1), 7); });
}

TEST_F(CheckerWorkTest, RefusesAWriteWithTheNewestFenceAfterItsActivationHasEnded) {
  Activate("s3", 5);
  Change1(Of(Kind::kDeactivate, "s3"), 6);
  ExpectRefused("STALE_FENCE current_fence=1", [&] { Change1(WriteBy("s3", 1), 7); });
}

TEST_F(CheckerWorkTest, RefusesAWriteWithoutAFenceWhereThereIsAGuard) {
  Activate("s3", 5, true);
  ExpectRefused("STALE_FENCE current_fence=1", [&] { Change1(WriteBy("s4", 0), 6); });
}

TEST_F(CheckerWorkTest, RefusesAWriteOfASessionThatHasEnded) {
  Change1(Of(Kind::kEnd, "s3"), 5);
  ExpectRefused("SESSION_NOT_FOUND session_id=s3", [&] { Change1(WriteBy("s3", 0), 6); });
}

TEST_F(CheckerWorkTest, RefusesAWriteOfASessionWhoseTermIsOver) {
  clock_us_ = kTtl;
  ExpectRefused("whose term is over", [&] { Change1(WriteBy("s3", 0), 5); });
}

TEST_F(CheckerWorkTest, RefusesAnExclusiveActivationOfWhatAnotherHas) {
  Operation second = Of(Kind::kActivate, "s4");
  second.exclusive = true;
  Activate("s3", 5);
  ExpectRefused("CONTEXT_BUSY session_id=s3 owner=agent", [&] { Change1(second, 6); });
}

TEST_F(CheckerWorkTest, RefusesALossBeforeTheTermIsOver) {
  clock_us_ = kTtl - 1;
  ExpectRefused("n/s3 is lost before its time", [&] { Lose("s3", 5); });
}

TEST_F(CheckerWorkTest, RefusesALossAfterARenewal) {
  clock_us_ = kTtl - 1;
  auto call = checker_.BeginRenewal(Of(Kind::kUpdate, "s3"));
  call->now_us = kNow;
  call->clock_us = clock_us_;
  call->wait_for = 4;
  checker_.EndRenewal(call, kNow + kTtl);
  clock_us_ = kTtl;
  ExpectRefused("n/s3 is lost before its time", [&] { Lose("s3", 5); });
}

TEST_F(CheckerWorkTest, RefusesARenewalOfASessionWhoseTermIsOver) {
  clock_us_ = kTtl;
  auto call = checker_.BeginRenewal(Of(Kind::kUpdate, "s3"));
  call->clock_us = clock_us_;
  ExpectRefused("its term is over", [&] { checker_.EndRenewal(call, kNow + kTtl); });
}

TEST_F(CheckerWorkTest, RefusesASessionThatIsShownAfterItsTerm) {
  clock_us_ = kTtl;
  auto call = Begin(Of(Kind::kUpdate, "s3"));
  call->wait_for = 4;
  ExpectRefused("is shown, and its term is over", [&] { checker_.EndSession(call, Show(3)); });
}

TEST_F(CheckerWorkTest, RefusesATermThatIsNotFullAfterARestart) {
  checker_.Ended();
  checker_.Recovered(4, 4, Settings(), false, 5);
  clock_us_ = 5;
  auto call = Begin(Of(Kind::kUpdate, "s3"));
  call->wait_for = 4;
  ExpectRefused("ends in 9999995 us, not in 10000000", [&] { checker_.EndSession(call, Show(3)); });
}

TEST_F(CheckerWorkTest, RefusesAnotherCurrentContext) {
  Change1(Of(Kind::kActivate, "s3"), 5);
  Activation activation;
  activation.context_id = "c";
  activation.time_us = kNow;
  auto call = Begin(Of(Kind::kUpdate, "s3"));
  call->wait_for = 5;
  ExpectRefused("current", [&] { checker_.EndSession(call, Show(3, {activation}, "")); });
}

TEST_F(CheckerWorkTest, RefusesASequenceThatIsUsedTwice) {
  auto call = Change1(RecordOne(Message()), 5);
  call->answer.sequence = 1;
  Done(call, 5);
  call = Change1(RecordOne(Message()), 6);
  call->answer.sequence = 1;
  ExpectRefused("the model says revision 6, sequence 2", [&] { Done(call, 6); });
}

TEST_F(CheckerWorkTest, RefusesAHistoryThatLacksAnActivity) {
  Change1(RecordOne(Message()), 5);
  ActivityQuery query;
  auto call = Begin(Of(Kind::kUpdate, ""));
  call->wait_for = 5;
  ExpectRefused("rows 0 instead of 1", [&] {
    checker_.EndWork(call, "a list",
                     [&](const Work &work) { return Difference(work, query, ShownHistory()); });
  });
}

TEST_F(CheckerWorkTest, RefusesAnOptimizeThatKeepsAnOlderRepeat) {
  Operation optimize = Of(Kind::kOptimize, "");
  optimize.cut.deduplicate = true;
  Change1(RecordOne(Message()), 5);
  Change1(RecordOne(Message()), 6);
  auto call = Change1(optimize, 7);
  call->answer.kept = {0, 0, 2, 0};
  ExpectRefused("1 dropped (0 bytes), 1 kept (0)", [&] { Done(call, 7); });
}

TEST_F(CheckerWorkTest, RefusesAResourceThatTwoHold) {
  Operation acquire = Of(Kind::kAcquire, "s3");
  acquire.claim.name = "r";
  Change1(acquire, 5);
  acquire.session_id = "s4";
  ExpectRefused("RESOURCE_HELD session_id=s3", [&] { Change1(acquire, 6); });
}

TEST_F(CheckerWorkTest, RefusesUsageThatIsCountedTwice) {
  Activity activity = Message();
  activity.detail = DetailKind::kModel;
  activity.model.model = "m";
  activity.usage.call_count = 1;
  Change1(RecordOne(activity), 5);
  auto call = Begin(Of(Kind::kUpdate, ""));
  call->wait_for = 5;
  Usage usage;
  usage[activity.model].call_count = 2;
  ExpectRefused("the usage of m is too much", [&] { checker_.EndUsage(call, usage); });
}

}  // namespace
}  // namespace simulation
