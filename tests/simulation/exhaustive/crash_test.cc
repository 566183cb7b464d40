// The power goes at every change of the disk that the script makes, and of what was not
// synced every part survives or not. Whatever survives, the next start finds a whole
// number of changes, among them every one that a client knows of, and goes on.

#include "tests/simulation/exhaustive/script.h"

#include <cinttypes>
#include <cstdio>
#include <random>
#include <set>

namespace {

// Everything takes longer under a sanitizer: there, one crash in so many is looked at.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kStride = 10;
#else
constexpr uint64_t kStride = 1;
#endif

// Parts that survive in every combination: up to 2^10 of them. Where there are more parts,
// none, all, beginnings, and this many combinations by seed.
constexpr size_t kPartsMax = 10;
constexpr size_t kBeginnings = 8;
constexpr size_t kSeeds = 64;

// Disks on which the start is cut short, of each crash.
constexpr uint64_t kStartSeeds = 2;

// What is not synced, as a row of parts, oldest first: the pieces of the writes, then the
// names. Each survives or not.
class Parts {
 public:
  Parts(const sim_disk *disk, size_t piece_size) {
    survival_.arg = this;
    survival_.piece_size = piece_size;
    survival_.piece = [](void *arg, size_t write, size_t, size_t piece, size_t) {
      auto *self = static_cast<Parts *>(arg);
      return static_cast<bool>(self->kept_[self->firsts_[write] + piece]);
    };
    survival_.name = [](void *arg, size_t change, size_t) {
      auto *self = static_cast<Parts *>(arg);
      return static_cast<bool>(self->kept_[self->firsts_.back() + change]);
    };
    size_t count = 0;
    for (size_t i = 0; i < sim_disk_pending(disk); i++) {
      sim_pending pending = sim_disk_pending_at(disk, i);
      uint64_t last = pending.offset + std::max(pending.size, size_t{1}) - 1;
      firsts_.push_back(count);
      count += last / piece_size - pending.offset / piece_size + 1;
    }
    firsts_.push_back(count);
    kept_.resize(count + sim_disk_pending_names(disk));
  }

  size_t count() const { return kept_.size(); }

  // Calls `check` with one choice after the other.
  void ForEach(uint64_t seed, const std::function<void(const sim_survival &survival)> &check) {
    if (count() <= kPartsMax) {
      for (size_t mask = 0; mask < size_t{1} << count(); mask++) {
        Choose(check, [=](size_t part) { return (mask >> part & 1) != 0; });
      }
      return;
    }
    for (size_t i = 0; i <= kBeginnings; i++) {
      size_t end = count() * i / kBeginnings;
      Choose(check, [=](size_t part) { return part < end; });
    }
    for (size_t i = 0; i < kSeeds; i++) Draw(seed * kSeeds + i, check);
  }

  // Calls `check` with a choice by seed.
  void Draw(uint64_t seed, const std::function<void(const sim_survival &survival)> &check) {
    std::mt19937_64 random(seed);
    Choose(check, [&](size_t) { return random() % 2 == 0; });
  }

 private:
  void Choose(const std::function<void(const sim_survival &)> &check,
              const std::function<bool(size_t part)> &keep) {
    for (size_t i = 0; i < kept_.size(); i++) kept_[i] = keep(i);
    check(survival_);
  }

  std::vector<size_t> firsts_;  // Of each write, and of the names.
  std::vector<bool> kept_;
  sim_survival survival_ = {};
};

class ExhaustiveCrashTest : public ExhaustiveScript, public testing::WithParamInterface<size_t> {
 protected:
  // What the script does when nothing happens.
  void SetUp() override {
    rhythm_ = GetParam();
    BeginAnew();
    Run();
    ASSERT_NE(nullptr, engine_);
    digests_ = DigestsOfLog();
    changes_ = sim_disk_counts(disk_).changes;
    ASSERT_EQ(272u, operations_.size());
    ASSERT_GT(told_, 100u);
    ASSERT_GE(sim_disk_file_count(disk_), 6u) << "several segments";
    for (const auto &made : made_) {
      ASSERT_EQ(digests_[made.first], made.second) << "replayed, and as it was made";
    }
    notes_ = false;
  }

  bool IsRevision(uint64_t revision, uint64_t digest) const {
    auto found = digests_.find(revision);
    return (found != digests_.end() && found->second == digest) ||
           settled_ == std::make_pair(revision, digest);
  }

  // A small change, and a start behind it: what was torn there before is not met again.
  void ChangeALittle(sim_disk *disk) {
    Outcome outcome = Upsert("after", Mutations().Put("small", "v"));
    if (outcome.reason() == "OVERLOADED") {
      Step();
      outcome = Upsert("after", Mutations().Put("small", "v"));
    }
    ASSERT_EQ(CX_OK, outcome.status) << outcome.error.message;
    cx_engine_step_writer(engine_);
    Kill();

    sim_disk_restart(disk, &sim_survive_none);
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    ASSERT_EQ(outcome.write.revision, report_.revision);
  }

  // Starts on a disk whose power went, looks, goes on, and starts again.
  void ExpectWhole(sim_disk *disk) {
    options_.disk = sim_disk_base(disk);
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    ASSERT_GE(report_.revision, told_);
    if (Statistics().revision == report_.revision) {
      ASSERT_TRUE(IsRevision(report_.revision, Digest())) << report_.revision;
    }
    ASSERT_NO_FATAL_FAILURE(ChangeALittle(disk));
    ASSERT_NO_FATAL_FAILURE(GoOn());
    uint64_t revision = Statistics().revision;
    uint64_t digest = Digest();
    Kill();

    sim_disk_restart(disk, &sim_survive_none);
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    ASSERT_EQ(revision, report_.revision);
    ASSERT_EQ(digest, Digest());
    Kill();
  }

  // Looks at everything that can become of a disk without power.
  void CheckSurvivals(uint64_t seed, size_t piece_size) {
    Parts(disk_, piece_size).ForEach(seed, [&](const sim_survival &survival) {
      if (HasFatalFailure()) return;
      sim_disk *disk = sim_disk_copy(disk_);
      sim_disk_restart(disk, &survival);
      choices_++;
      if (looked_at_.insert({sim_disk_digest(disk), told_}).second) ExpectWhole(disk);
      Kill();
      sim_disk_free(disk);
    });
  }

  // Notes the change that a start makes whose settings are new.
  void NoteSettings(const sim_disk *disk) {
    sim_disk *copy = sim_disk_copy(disk);
    options_.disk = sim_disk_base(copy);
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    settled_ = {Statistics().revision, Digest()};
    Kill();
    sim_disk_free(copy);
  }

  // Starts on a disk, and lets the power go again in every change of that.
  void CheckStarts(const sim_disk *disk) {
    ASSERT_NO_FATAL_FAILURE(NoteSettings(disk));
    bool crashed = true;
    for (uint64_t nth = 1; crashed && !HasFatalFailure(); nth++) {
      SCOPED_TRACE("and again in change " + std::to_string(nth));
      sim_disk *first = sim_disk_copy(disk);
      options_.disk = sim_disk_base(first);
      sim_disk_crash(first, nth);
      if (Open() == CX_OK) Kill();
      crashed = sim_disk_crashed(first);
      for (const sim_survival *survival : {&sim_survive_none, &sim_survive_all}) {
        sim_disk *second = sim_disk_copy(first);
        sim_disk_restart(second, survival);
        choices_++;
        if (!HasFatalFailure()) ExpectWhole(second);
        Kill();
        sim_disk_free(second);
      }
      sim_disk_free(first);
    }
  }

  std::map<uint64_t, uint64_t> digests_;
  std::pair<uint64_t, uint64_t> settled_;  // The revision that a start makes, and its digest.
  uint64_t changes_;
  uint64_t choices_ = 0;
  std::set<std::pair<uint64_t, uint64_t>> looked_at_;  // Disks, and what was told.
};

TEST_P(ExhaustiveCrashTest, KeepsWhatItToldWheneverThePowerGoesAndWhateverSurvives) {
  for (uint64_t nth = 1; nth <= changes_; nth += kStride) {
    SCOPED_TRACE("the power goes in change " + std::to_string(nth));
    BeginAnew();
    sim_disk_crash(disk_, nth);
    Run();
    Kill();
    ASSERT_TRUE(sim_disk_crashed(disk_));
    for (size_t piece_size : {512, 4096}) {
      SCOPED_TRACE("in pieces of " + std::to_string(piece_size));
      ASSERT_NO_FATAL_FAILURE(CheckSurvivals(nth, piece_size));
    }
  }
  printf("%" PRIu64 " crashes, %" PRIu64 " choices, %zu different disks\n", changes_, choices_,
         looked_at_.size());
}

TEST_P(ExhaustiveCrashTest, SurvivesALossOfPowerInEveryChangeOfTheNextStart) {
  for (uint64_t nth = 1; nth <= changes_; nth += kStride) {
    SCOPED_TRACE("the power goes in change " + std::to_string(nth));
    BeginAnew();
    sim_disk_crash(disk_, nth);
    Run();
    Kill();
    Parts parts(disk_, 512);
    for (uint64_t seed = 0; seed < kStartSeeds; seed++) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      parts.Draw(nth * kStartSeeds + seed, [&](const sim_survival &survival) {
        sim_disk *disk = sim_disk_copy(disk_);
        sim_disk_restart(disk, &survival);
        CheckStarts(disk);
        sim_disk_free(disk);
      });
      if (HasFatalFailure()) return;
    }
  }
  printf("%" PRIu64 " crashes of %" PRIu64 " starts\n", choices_, changes_ * kStartSeeds);
}

INSTANTIATE_TEST_SUITE_P(OperationsInABatch, ExhaustiveCrashTest, testing::Values(1, 10));

}  // namespace
