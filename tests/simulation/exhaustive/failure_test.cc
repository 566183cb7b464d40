// Every call of the disk that the script makes fails once, in every way that a kernel
// fails it; and every allocation. Nothing is left half done, and whatever was told is
// there after the next start, and after the power went.

#include "tests/simulation/exhaustive/script.h"

extern "C" {
#include "tests/support/fail_nth.h"
#include "tests/support/sim_posix.h"
}

#include <cerrno>
#include <cinttypes>
#include <cstdio>

namespace {

// Everything takes longer under a sanitizer: there, one call in so many is looked at.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStride = 10;
#else
constexpr size_t kStride = 1;
#endif

constexpr uint32_t Bit(sim_call_kind kind) { return uint32_t{1} << kind; }

constexpr uint32_t kMoves = Bit(SIM_CALL_READ) | Bit(SIM_CALL_WRITE);
constexpr uint32_t kSyncs = Bit(SIM_CALL_SYNC) | Bit(SIM_CALL_SYNC_DIRECTORY);
constexpr uint32_t kOpens = Bit(SIM_CALL_OPEN) | Bit(SIM_CALL_OPEN_DIRECTORY);
constexpr uint32_t kRoom = kSyncs | Bit(SIM_CALL_WRITE) | Bit(SIM_CALL_ALLOCATE) |
                           Bit(SIM_CALL_OPEN) | Bit(SIM_CALL_RENAME);
constexpr uint32_t kInterruptible =
    kMoves | kSyncs | kOpens | Bit(SIM_CALL_LOCK) | Bit(SIM_CALL_ALLOCATE);
constexpr uint32_t kAll = Bit(SIM_CALL_CLOSE) - 1;

// A way to fail.
struct Fault {
  const char *name;
  uint32_t kinds;  // Of the calls that it can happen to.
  bool seen;       // By the core.
  sim_verdict verdict;
};

constexpr Fault kFaults[] = {
    {"EIO, pages kept", kAll, true, {EIO, 0, SIM_SYNC_KEPT}},
    {"EIO, pages dropped", Bit(SIM_CALL_SYNC), true, {EIO, 0, SIM_SYNC_DROPPED}},
    {"EIO, a part written", Bit(SIM_CALL_WRITE), true, {EIO, 100, SIM_SYNC_KEPT}},
    {"ENOSPC", kRoom, true, {ENOSPC, 0, SIM_SYNC_KEPT}},
    {"EMFILE", kOpens, true, {EMFILE, 0, SIM_SYNC_KEPT}},
    {"EINTR", kInterruptible, false, {EINTR, 0, SIM_SYNC_KEPT}},
    {"a byte at a time", kMoves, false, {0, 1, SIM_SYNC_KEPT}},
};

class ExhaustiveFailureTest : public ExhaustiveScript {
 protected:
  ExhaustiveFailureTest() : before_(cx_memory_used()) { rhythm_ = 10; }

  ~ExhaustiveFailureTest() override {
    EndProcess();
    sim_posix_unmount();
    EXPECT_EQ(before_, cx_memory_used()) << "everything is given back";
  }

  // An empty disk, and a process on it whose nth call fails. 0: none.
  void BeginProcess(size_t nth, const Fault *fault) {
    EndProcess();
    sim_posix_unmount();
    BeginAnew();
    sim_posix_mount("/sim", disk_);
    nth_ = nth;
    fault_ = fault;
    calls_.clear();
    sim_posix_set_hook(OnCall, this);
    OpenDisk();
  }

  void OpenDisk() {
    if (cx_disk_posix_open("/sim", &posix_) != CX_OK) posix_ = nullptr;
    options_.disk = posix_;
  }

  // Ends the process, if there is one, and not its machine.
  void EndProcess() {
    Kill();
    cx_disk_posix_close(posix_);
    posix_ = nullptr;
    if (sim_posix_open_count() > 0) sim_posix_kill();
  }

  static void OnCall(void *arg, const sim_call *call, sim_verdict *verdict) {
    auto *self = static_cast<ExhaustiveFailureTest *>(arg);
    self->calls_.push_back(call->kind);
    if (self->calls_.size() == self->nth_) *verdict = self->fault_->verdict;
  }

  // What the script does, and the calls that it makes, when nothing fails.
  void Reference() {
    BeginProcess(0, nullptr);
    Run();
    ASSERT_NE(nullptr, engine_);
    digests_ = DigestsOfLog();
    EndProcess();
    kinds_ = calls_;
    ASSERT_GT(kinds_.size(), 200u);
  }

  void ExpectRevision(uint64_t revision) {
    if (revision == 0) return;  // The start creates the log anew.
    auto made = made_.find(revision);
    if (made == made_.end()) {
      made = digests_.find(revision);
      ASSERT_NE(digests_.end(), made) << revision;
    }
    EXPECT_EQ(made->second, Digest()) << revision;
  }

  // The next process finds what was told, and tells it; so the power may go then.
  void CheckStarts() {
    sim_posix_set_hook(nullptr, nullptr);
    OpenDisk();
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    ASSERT_GE(report_.revision, told_);
    if (Statistics().revision == report_.revision) ExpectRevision(report_.revision);
    ASSERT_NO_FATAL_FAILURE(GoOn());
    uint64_t revision = Statistics().revision;
    uint64_t digest = Digest();
    EndProcess();

    sim_disk_restart(disk_, &sim_survive_none);
    OpenDisk();
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    ASSERT_EQ(revision, report_.revision);
    ASSERT_EQ(digest, Digest());
    EndProcess();
  }

  void CheckFailure(size_t nth, const Fault &fault) {
    notes_ = fault.verdict.error == ENOSPC;  // Else nothing happens that did not before.
    BeginProcess(nth, &fault);
    if (posix_ != nullptr) Run();
    if (!failures_.empty() && engine_ != nullptr) {
      ASSERT_EQ(1u, failures_.size()) << "told once";
      ASSERT_EQ("STORAGE_FAILED", Upsert("x", Mutations().Put("k", "v")).reason());
    }
    if (posix_ != nullptr && engine_ == nullptr && failures_.empty()) {
      ASSERT_NE(CX_REASON_NONE, open_error_.reason);
    }
    EndProcess();
    ASSERT_NO_FATAL_FAILURE(CheckStarts());
  }

  // The core goes on as if nothing were.
  void CheckHidden(size_t nth, const Fault &fault) {
    notes_ = false;
    BeginProcess(nth, &fault);
    Run();
    ASSERT_NE(nullptr, engine_) << open_error_.message;
    ASSERT_EQ(digests_.rbegin()->first, Statistics().revision);
    ASSERT_EQ(digests_.rbegin()->second, Digest());
    EndProcess();
  }

  // An empty disk and a process on it, until the power goes in the nth change of the disk.
  // Of what was not synced, every second sector survives, and every name.
  void BeginOnTornDisk(uint64_t nth) {
    static const sim_survival torn = {
        nullptr, 512, [](void *, size_t, size_t, size_t piece, size_t) { return piece % 2 == 0; },
        sim_survive_all.name};
    BeginProcess(0, nullptr);
    sim_disk_crash(disk_, nth);
    Run();
    EndProcess();
    sim_disk_restart(disk_, &torn);
    failures_.clear();
  }

  // Starts on a copy of the disk, lets the nth sync of that fail, and ends the process.
  // Returns false when it makes fewer syncs.
  bool FailStart(const sim_disk *disk, size_t nth, const Fault *fault) {
    sim_posix_unmount();
    sim_disk_free(disk_);
    disk_ = sim_disk_copy(disk);
    sim_posix_mount("/sim", disk_);
    OpenDisk();
    syncs_ = 0;
    nth_ = nth;
    fault_ = fault;
    sim_posix_set_hook(OnSync, this);
    cx_status status = Open();
    bool failed = syncs_ >= nth;
    EXPECT_EQ(!failed, status == CX_OK);
    EndProcess();
    return failed;
  }

  static void OnSync(void *arg, const sim_call *call, sim_verdict *verdict) {
    auto *self = static_cast<ExhaustiveFailureTest *>(arg);
    if (call->kind == SIM_CALL_SYNC && ++self->syncs_ == self->nth_) {
      *verdict = self->fault_->verdict;
    }
  }

  // Starts, though every allocation fails once, with those behind it.
  void OpenForWantOfMemory() {
    for (size_t nth = 1;; nth++) {
      struct fail_nth fail;
      int64_t used = cx_memory_used();
      fail_nth_begin(&fail, nth);
      cx_status status = Open();
      if (!fail_nth_end(&fail)) {
        ASSERT_EQ(CX_OK, status) << open_error_.message;
        ASSERT_GT(nth, 1u) << "asked for no memory at all";
        return;
      }
      ASSERT_NE(CX_OK, status) << nth;
      ASSERT_NE(CX_REASON_NONE, open_error_.reason) << nth;
      ASSERT_EQ(used, cx_memory_used()) << nth;
    }
  }

  // Does one of the script's, though every allocation fails once, with those behind it.
  // Returns how many did.
  size_t RunForWantOfMemory(size_t index) {
    for (size_t nth = 1;; nth++) {
      struct fail_nth fail;
      uint64_t digest = engine_ != nullptr ? Digest() : 0;
      fail_nth_begin(&fail, nth);
      Outcome outcome = operations_[index](index);
      if (!fail_nth_end(&fail)) return nth - 1;
      EXPECT_NE(CX_OK, outcome.status) << nth;
      if (engine_ != nullptr) {
        EXPECT_EQ(digest, Digest()) << nth;
      }
      if (HasFailure()) return 0;
    }
  }

  // The same with what the threads do. Nothing of it fails: it is done later.
  size_t StepForWantOfMemory() {
    for (size_t nth = 1;; nth++) {
      struct fail_nth fail;
      fail_nth_begin(&fail, nth);
      Step();
      bool failed = fail_nth_end(&fail);
      EXPECT_EQ(std::vector<std::string>{}, failures_) << nth;
      if (!failed || HasFailure()) return nth - 1;
    }
  }

  // Kills the process before its nth call takes effect.
  void KillInCall(size_t nth) {
    BeginProcess(0, nullptr);
    nth_ = nth;
    sim_posix_set_hook(OnCallToKill, this);
    Run();
    EndProcess();
    failures_.clear();
  }

  static void OnCallToKill(void *arg, const sim_call *, sim_verdict *) {
    auto *self = static_cast<ExhaustiveFailureTest *>(arg);
    if (self->nth_ > 0 && --self->nth_ == 0) sim_posix_kill();
  }

  // Starts on a copy of the disk, and lets the power go in the nth change of that. Returns
  // false when it makes fewer changes.
  bool CrashStart(const sim_disk *disk, uint64_t nth, const sim_survival &survival) {
    sim_posix_unmount();
    sim_disk_free(disk_);
    disk_ = sim_disk_copy(disk);
    sim_posix_mount("/sim", disk_);
    OpenDisk();
    sim_disk_crash(disk_, nth);
    cx_status status = Open();
    bool crashed = sim_disk_crashed(disk_);
    EXPECT_EQ(!crashed, status == CX_OK);
    EndProcess();
    sim_disk_restart(disk_, &survival);
    return crashed;
  }

  int64_t before_;
  size_t syncs_ = 0;
  cx_disk *posix_ = nullptr;
  size_t nth_ = 0;
  const Fault *fault_ = nullptr;
  std::vector<sim_call_kind> calls_;
  std::vector<sim_call_kind> kinds_;  // Of the calls, when nothing fails.
  std::map<uint64_t, uint64_t> digests_;
};

class ExhaustiveCallTest : public ExhaustiveFailureTest,
                           public testing::WithParamInterface<Fault> {};

TEST_P(ExhaustiveCallTest, KeepsWhatItToldWhicheverCallFails) {
  const Fault &fault = GetParam();
  size_t count = 0;
  ASSERT_NO_FATAL_FAILURE(Reference());
  for (size_t nth = 1; nth <= kinds_.size(); nth += kStride) {
    sim_call_kind kind = kinds_[nth - 1];
    if ((fault.kinds & Bit(kind)) == 0) continue;
    SCOPED_TRACE("call " + std::to_string(nth) + ", " + sim_call_name(kind));
    count++;
    if (fault.seen) {
      CheckFailure(nth, fault);
    } else {
      CheckHidden(nth, fault);
    }
    if (HasFailure()) return;
  }
  printf("%zu calls failed\n", count);
}

INSTANTIATE_TEST_SUITE_P(Faults, ExhaustiveCallTest, testing::ValuesIn(kFaults),
                         [](const testing::TestParamInfo<Fault> &info) {
                           std::string name;
                           for (char c : std::string(info.param.name)) {
                             if (isalnum(c) != 0) name += c;
                           }
                           return name;
                         });

TEST_F(ExhaustiveFailureTest, SurvivesAFailingSyncOfAStartOnATornDisk) {
  size_t count = 0;
  ASSERT_NO_FATAL_FAILURE(Reference());
  notes_ = false;
  BeginProcess(0, nullptr);
  Run();
  uint64_t changes = sim_disk_counts(disk_).changes;
  for (uint64_t nth = 1; nth <= changes; nth += kStride) {
    SCOPED_TRACE("the power goes in change " + std::to_string(nth));
    BeginOnTornDisk(nth);
    sim_disk *torn = sim_disk_copy(disk_);
    for (const Fault *fault : {&kFaults[0], &kFaults[1]}) {
      for (size_t sync = 1; !HasFailure() && FailStart(torn, sync, fault); sync++) {
        SCOPED_TRACE(std::string(fault->name) + " in sync " + std::to_string(sync));
        CheckStarts();
        count++;
      }
    }
    sim_disk_free(torn);
    if (HasFailure()) return;
  }
  printf("%zu starts failed\n", count);
}

TEST_F(ExhaustiveFailureTest, SurvivesAKillAndALossOfPowerInEveryChangeOfTheNextStart) {
  const sim_survival torn = {
      nullptr, 512, [](void *, size_t, size_t, size_t piece, size_t) { return piece % 2 != 0; },
      sim_survive_all.name};
  size_t count = 0;
  new_settings_ = false;
  ASSERT_NO_FATAL_FAILURE(Reference());
  notes_ = false;
  for (size_t nth = 1; nth <= kinds_.size(); nth += kStride) {
    SCOPED_TRACE("killed in call " + std::to_string(nth) + ", " + sim_call_name(kinds_[nth - 1]));
    KillInCall(nth);
    sim_disk *killed = sim_disk_copy(disk_);
    CheckStarts();
    for (const sim_survival *survival : {&sim_survive_none, &torn}) {
      for (uint64_t change = 1; !HasFailure() && CrashStart(killed, change, *survival); change++) {
        SCOPED_TRACE("the power goes in change " + std::to_string(change) + " of the start");
        CheckStarts();
        count++;
      }
    }
    sim_disk_free(killed);
    if (HasFailure()) return;
  }
  printf("%zu starts without power\n", count);
}

TEST_F(ExhaustiveFailureTest, LeavesNoTraceOfWhatRanOutOfMemoryAndDoesItWhenThereIsSome) {
  size_t count = 0;
  BeginProcess(0, nullptr);
  ASSERT_EQ(CX_OK, Open());
  for (size_t i = 0; i < operations_.size(); i++) {
    SCOPED_TRACE("operation " + std::to_string(i));
    clock_.now_us += CX_SECOND_US;
    count += RunForWantOfMemory(i);
    count += StepForWantOfMemory();
    if (HasFailure()) return;
  }
  EXPECT_EQ(DigestsOfLog().rbegin()->second, Digest()) << "replayed, and as it was made";
  printf("%zu allocations failed\n", count);
}

TEST_F(ExhaustiveFailureTest, StartsWholeOrNotAtAllForWantOfMemory) {
  ASSERT_NO_FATAL_FAILURE(Reference());
  notes_ = false;
  OpenDisk();
  ASSERT_NO_FATAL_FAILURE(OpenForWantOfMemory());
  EXPECT_EQ(digests_.rbegin()->second, Digest());
  uint64_t changes = sim_disk_counts(disk_).changes;
  for (uint64_t nth : {changes / 4, changes / 2}) {
    SCOPED_TRACE("the power goes in change " + std::to_string(nth));
    BeginOnTornDisk(nth);
    OpenDisk();
    ASSERT_NO_FATAL_FAILURE(OpenForWantOfMemory());
    if (Statistics().revision == report_.revision) ExpectRevision(report_.revision);
    ASSERT_GE(report_.revision, told_);
  }
}

}  // namespace
