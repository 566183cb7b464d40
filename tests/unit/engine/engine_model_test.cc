// The engine against the plainest model of it, over random operations, restarts, kills and
// power failures: it answers as the model does, and after every start it is what the model
// was after the last change that survived.

#include "tests/unit/engine/model_fixture.h"

namespace {

using model::Generator;
using model::Operation;

class EngineModelTest : public ModelFixture, public testing::WithParamInterface<uint64_t> {
 protected:
  EngineModelTest() : generator_(GetParam()) { RecordProperty("seed", std::to_string(GetParam())); }

  void OneRound() {
    uint64_t kind = generator_.Below(100);
    if (kind < 80) {
      RunOperation();
    } else if (kind < 90) {
      clock_.now_us += static_cast<int64_t>(generator_.Below(15)) * CX_SECOND_US;
      if (generator_.OneIn(2)) RunDue();
    } else if (kind < 98) {
      ReadSomething();
    } else {
      RunDue();
      Step();
    }
  }

  // A new one, or one that was there before, sometimes changed.
  void RunOperation() {
    Operation operation;
    if (!issued_operations_.empty() && generator_.OneIn(6)) {
      operation = issued_operations_[generator_.Below(issued_operations_.size())];
      if (generator_.OneIn(4)) ChangeSlightly(&operation.parts.back(), operation.kind);
    } else {
      operation = generator_.Next(model_);
      if (!operation.request_id.empty()) issued_operations_.push_back(operation);
      if (issued_operations_.size() > 20) issued_operations_.erase(issued_operations_.begin());
    }
    Run(operation);
    AskToWait();
  }

  static void ChangeSlightly(model::Part *part, model::Kind kind) {
    if (kind == model::Kind::kCreate) {
      part->create.type += "x";
    } else {
      part->preconditions.push_back({false, "", 77});
    }
  }

  // Asks to be told when the last answer is durable, now and then.
  void AskToWait() {
    if (!generator_.OneIn(2) || !failures_.empty()) return;
    auto waiter = std::make_unique<cx_waiter>();
    *waiter = {};
    if (cx_engine_wait(engine_, last_wait_for_, waiter.get())) return;
    waiter->revision = last_wait_for_;
    waiters_.push_back(std::move(waiter));
  }

  // Everybody was told once; whoever was told that it is durable is counted on from now on.
  void TakeCompleted() {
    for (cx_waiter *waiter : completed_) {
      if (waiter->status == CX_OK) told_ = std::max(told_, waiter->revision);
    }
    EXPECT_EQ(waiters_.size(), completed_.size());
    completed_.clear();
    waiters_.clear();
  }

  void ReadSomething() {
    std::string id = generator_.Id(), parent_id = generator_.Id();
    const model::Context *context = model_.Find(id);
    uint64_t version = 1 + generator_.Below(context != nullptr ? context->head.version + 2 : 3);
    CompareState(id, version, 0);
    CompareState(id, 0, clock_.now_us - static_cast<int64_t>(generator_.Below(40 * CX_SECOND_US)));
    cx_label labels[2] = {{cx_bytes_of("l0"), cx_bytes_of("v1")},
                          {cx_bytes_of("l1"), cx_bytes_of("v0")}};
    cx_list_query query = {};
    query.count_max = 1 + generator_.Below(5);
    if (generator_.OneIn(3)) query.type = cx_bytes_of("chat");
    if (generator_.OneIn(3)) query.parent_id = Bytes(parent_id);
    if (generator_.OneIn(3)) query.id_prefix = generator_.OneIn(2) ? cx_bytes_of("c") : Bytes(id);
    query.labels = labels;
    query.label_count = generator_.OneIn(3) ? 1 + generator_.Below(2) : 0;
    query.deleted = generator_.OneIn(4);
    CompareList(query);
  }

  // The power goes at some operation of the disk; any of what was not synced survives.
  void LosePower() {
    sim_disk_crash(disk_, 1 + generator_.Below(4));
    for (int i = 0; i < 200 && failures_.empty(); i++) {
      if (generator_.OneIn(3)) {
        RunDue();
        Step();
      } else {
        RunOperation();
      }
    }
    if (failures_.empty()) return FinishWithoutCrash();
    TakeCompleted();
    failures_.clear();
    Kill();
    sim_survival survival = {};
    survival.arg = &generator_;
    survival.piece_size = 512;
    survival.piece = [](void *arg, size_t, size_t, size_t, size_t) {
      return !static_cast<Generator *>(arg)->OneIn(3);
    };
    survival.name = [](void *arg, size_t, size_t) {
      return static_cast<Generator *>(arg)->OneIn(2);
    };
    sim_disk_restart(disk_, &survival);
    OpenAndCompare(told_);
  }

  void FinishWithoutCrash() {
    sim_disk_crash(disk_, 0);
    Settle();
  }

  void Settle() {
    RunDue();
    Step();
    TakeCompleted();
    told_ = model_.revision();
  }

  // A process that is killed: what was written stays, what was not is gone.
  void KillProcess() {
    Settle();
    for (uint64_t i = generator_.Below(5); i > 0; i--) {
      Run(generator_.Next(model_));
    }
    Kill();
    OpenAndCompare(told_);
    EXPECT_EQ(told_, report_.revision);
  }

  void StopAndStart() {
    Settle();
    Close();
    if (generator_.OneIn(2)) {
      const uint64_t retentions[] = {1, 2, 4};
      options_.settings.version_retention = retentions[generator_.Below(3)];
    }
    OpenAndCompare(told_);
    EXPECT_TRUE(report_.clean);
    EXPECT_EQ(told_, report_.revision);
    Settle();
  }

  Generator generator_;
  std::vector<Operation> issued_operations_;
  std::vector<std::unique_ptr<cx_waiter>> waiters_;
  uint64_t told_ = 0;
};

TEST_P(EngineModelTest, AnswersAsTheModelDoesAndKeepsWhatItTold) {
  model_.set_revision(1);  // The first settings.
  history_.insert_or_assign(0, model::Model(Rules()));
  ASSERT_EQ(CX_OK, Open());
  Remember();
  for (int i = 0; i < 2500 && !HasFailure(); i++) {
    OneRound();
    if (generator_.OneIn(10)) CompareAll();
    if (generator_.OneIn(60)) LosePower();
    if (generator_.OneIn(200)) KillProcess();
    if (generator_.OneIn(200)) StopAndStart();
  }
  if (engine_ != nullptr) Settle();
  EXPECT_FALSE(HasFailure()) << "seed " << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Seeds, EngineModelTest, testing::Range<uint64_t>(1, 5));

}  // namespace
