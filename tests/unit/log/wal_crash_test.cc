// The log over a disk that loses power: at every change, with whatever may survive of
// what was not synced. Whenever it is opened again, it holds all acknowledged records
// and perhaps some of the batch in flight, each whole and in order, and nothing else;
// it takes new records, and survives the next crash.

#include "tests/unit/log/wal_fixture.h"

#include <functional>

namespace {

constexpr uint64_t kSegment = 1024;
constexpr size_t kSector = 512;

// What was told to a client, and what was tried.
struct Ledger {
  Records appended;  // In order; the last `in_flight` of them without an answer.
  size_t in_flight = 0;
  size_t acknowledged() const { return appended.size() - in_flight; }
};

std::string Payload(size_t number, size_t size) {
  std::string text = std::to_string(number) + " ";
  while (text.size() < size) text += static_cast<char>('a' + (number + text.size()) % 26);
  return text;
}

bool Append(Wal *wal, Ledger *ledger, size_t count, size_t size) {
  Records batch;
  for (size_t i = 0; i < count; i++) {
    batch.push_back(Payload(ledger->appended.size() + i, size));
    if (wal->Admit(batch.back()) != CX_REASON_NONE) return false;
  }
  ledger->appended.insert(ledger->appended.end(), batch.begin(), batch.end());
  ledger->in_flight = count;
  cx_log_position prev = wal->Tail();
  Batch frames(prev.revision + 1, batch);
  cx_log_position tail;
  if (wal->log->ops->append(wal->log, prev, frames.get(), &tail) != CX_OK) return false;
  ledger->in_flight = 0;
  return true;
}

// Opens, fills some segments, stops cleanly and otherwise, and goes on. Ends at the
// first failure.
bool RunScript(Wal *wal, Ledger *ledger) {
  if (wal->Open() != CX_OK) return false;
  if (wal->Prepare() != CX_OK) return false;
  if (!Append(wal, ledger, 1, 20) || !Append(wal, ledger, 3, 150)) return false;
  if (!Append(wal, ledger, 2, 200)) return false;  // Crosses into the second segment.
  wal->Close(true);
  if (wal->Open() != CX_OK) return false;
  if (!Append(wal, ledger, 1, 0) || !Append(wal, ledger, 2, 61)) return false;
  if (wal->Prepare() != CX_OK) return false;
  if (!Append(wal, ledger, 9, 180)) return false;  // Over three segments.
  wal->Close(false);
  if (wal->Open() != CX_OK) return false;
  return Append(wal, ledger, 1, 33) && Append(wal, ledger, 5, 99);
}

// ---- Ways to survive. ------------------------------------------------------------

using Piece = std::function<bool(size_t write, size_t count, size_t piece, size_t pieces)>;

struct Survival {
  Survival(size_t piece_size, Piece keep, bool names) : piece(std::move(keep)) {
    base.arg = this;
    base.piece_size = piece_size;
    base.piece = [](void *arg, size_t write, size_t count, size_t index, size_t pieces) {
      return static_cast<Survival *>(arg)->piece(write, count, index, pieces);
    };
    base.name = names ? sim_survive_all.name : nullptr;
  }
  Piece piece;
  sim_survival base = {};
};

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t Roll() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return state_;
  }
  bool Coin() { return (Roll() >> 20) % 2 == 0; }

 private:
  uint64_t state_;
};

void ForEachTear(const sim_disk *disk, const std::function<void(const sim_survival &)> &check) {
  size_t pending = sim_disk_pending(disk);
  if (pending == 0) return;
  size_t size = sim_disk_pending_size(disk, pending - 1);
  // Preparations write nothing but a header and zeros: not every byte is worth a look.
  size_t step = size >= kSegment - CX_SEGMENT_HEADER_SIZE ? 61 : 1;
  for (size_t kept = 0; kept <= size; kept += step) {
    SCOPED_TRACE("torn at byte " + std::to_string(kept));
    Survival head(
        1,
        [&](size_t write, size_t count, size_t piece, size_t) {
          return write + 1 < count || piece < kept;
        },
        true);
    check(head.base);
    Survival tail(
        1,
        [&](size_t write, size_t count, size_t piece, size_t) {
          return write + 1 < count || piece >= kept;
        },
        true);
    check(tail.base);
  }
}

void ForEachSubset(const sim_disk *disk, const std::function<void(const sim_survival &)> &check) {
  std::vector<size_t> pieces;  // At most, of each write, so that every one has its bits.
  size_t bits = 0;
  for (size_t i = 0; i < sim_disk_pending(disk); i++) {
    pieces.push_back(bits);
    bits += sim_disk_pending_size(disk, i) / kSector + 2;
  }
  if (bits > 8) return;  // The random choices below have to do.
  for (size_t mask = 0; mask < size_t{1} << bits; mask++) {
    SCOPED_TRACE("sectors " + std::to_string(mask));
    Survival subset(
        kSector,
        [&](size_t write, size_t, size_t piece, size_t) {
          return (mask >> (pieces[write] + piece) & 1) != 0;
        },
        true);
    check(subset.base);
  }
}

// Nothing, all, and some choices by seed.
void ForSomeSurvivals(int seeds, const std::function<void(const sim_survival &)> &check) {
  check(sim_survive_none);
  check(sim_survive_all);
  for (int seed = 1; seed <= seeds; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Dice dice(static_cast<uint64_t>(seed) * 7919);
    Survival random(
        seed % 2 == 0 ? 64 : 8, [&](size_t, size_t, size_t, size_t) { return dice.Coin(); }, false);
    random.base.name = [](void *arg, size_t change, size_t) {
      return static_cast<Survival *>(arg)->piece(change, 0, 0, 0);
    };
    check(random.base);
  }
}

// What a disk can make of a crash: every single choice where there are few, and some of
// the others.
void ForEachSurvival(const sim_disk *disk, int seeds,
                     const std::function<void(const sim_survival &)> &check) {
  ForSomeSurvivals(seeds, check);
  ForEachTear(disk, check);
  ForEachSubset(disk, check);
}

// ---- What must hold. -------------------------------------------------------------

void ExpectPrefix(const Ledger &ledger, const Records &read) {
  ASSERT_GE(read.size(), ledger.acknowledged());
  ASSERT_LE(read.size(), ledger.appended.size());
  ASSERT_EQ(Records(ledger.appended.begin(), ledger.appended.begin() + read.size()), read);
}

// The log opens, is right, and goes on.
void ExpectWhole(sim_disk *disk, Ledger ledger) {
  Wal wal(disk, kSegment);
  ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
  Records read = wal.ReadAll();
  ASSERT_NO_FATAL_FAILURE(ExpectPrefix(ledger, read));

  // What was read is durable now, and what is appended too.
  ledger.appended = read;
  ledger.in_flight = 0;
  ASSERT_TRUE(Append(&wal, &ledger, 2, 120));
  ASSERT_EQ(ledger.appended, wal.ReadAll());
  sim_disk_restart(disk, &sim_survive_none);
  ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
  ASSERT_EQ(ledger.appended, wal.ReadAll());
}

// Runs the script up to each change of the disk, and hands over what is there then.
void ForEachCrash(const std::function<void(sim_disk *disk, const Ledger &ledger)> &check) {
  for (uint64_t nth = 1;; nth++) {
    SCOPED_TRACE("crash in change " + std::to_string(nth));
    SimDisk disk;
    Ledger ledger;
    bool ended;
    sim_disk_crash(disk, nth);
    {
      Wal wal(disk, kSegment);
      ended = RunScript(&wal, &ledger);
    }
    ASSERT_EQ(!ended, sim_disk_crashed(disk));
    if (ended) {
      ASSERT_GT(nth, 40u);
      return;
    }
    check(disk, ledger);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(WalCrashTest, KeepsEveryAcknowledgedRecordWhateverSurvives) {
  ForEachCrash([](sim_disk *crashed, const Ledger &ledger) {
    ForEachSurvival(crashed, 20, [&](const sim_survival &survival) {
      if (testing::Test::HasFatalFailure()) return;
      SimDisk disk(sim_disk_copy(crashed));
      sim_disk_restart(disk, &survival);
      ExpectWhole(disk, ledger);
    });
  });
}

TEST(WalCrashTest, SurvivesACrashOfItsRecovery) {
  ForEachCrash([](sim_disk *crashed, const Ledger &ledger) {
    for (int seed = 1; seed <= 3; seed++) {
      Dice dice(static_cast<uint64_t>(seed) * 104729);
      Survival first(
          8, [&](size_t, size_t, size_t, size_t) { return dice.Coin(); }, true);
      SimDisk torn(sim_disk_copy(crashed));
      sim_disk_restart(torn, &first.base);
      for (uint64_t nth = 1;; nth++) {
        SCOPED_TRACE("second crash in change " + std::to_string(nth));
        SimDisk disk(sim_disk_copy(torn));
        Ledger second = ledger;
        sim_disk_crash(disk, nth);
        {
          Wal wal(disk, kSegment);
          if (wal.Open() == CX_OK) {
            second.appended = wal.ReadAll();
            second.in_flight = 0;
            Append(&wal, &second, 2, 120);
          }
        }
        if (!sim_disk_crashed(disk)) break;
        ForSomeSurvivals(6, [&](const sim_survival &survival) {
          if (testing::Test::HasFatalFailure()) return;
          SimDisk copy(sim_disk_copy(disk));
          sim_disk_restart(copy, &survival);
          ExpectWhole(copy, second);
        });
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

TEST(WalCrashTest, LosesNothingAcknowledgedWhenOnlyTheProcessEnds) {
  for (bool sync : {true, false}) {
    for (uint64_t nth = 1;; nth++) {
      SCOPED_TRACE(nth);
      SimDisk disk;
      Ledger ledger;
      bool ended;
      sim_disk_crash(disk, nth);
      {
        Wal wal(disk, kSegment);
        wal.options.sync = sync;
        ended = RunScript(&wal, &ledger);
      }
      if (ended) break;
      sim_disk_restart(disk, &sim_survive_all);
      ASSERT_NO_FATAL_FAILURE(ExpectWhole(disk, ledger));
    }
  }
}

TEST(WalCrashTest, KeepsWhatItHasReadAfterTheProcessEnded) {
  for (uint64_t nth = 1;; nth++) {
    SCOPED_TRACE("the process ends with operation " + std::to_string(nth));
    SimDisk disk;
    Ledger ledger;
    Wal wal(disk, kSegment);
    sim_disk_fail(disk, nth, CX_UNAVAILABLE);
    if (RunScript(&wal, &ledger)) break;
    wal.Close(false);

    // Nothing survives a loss of power but what is durable: that must be all it told.
    ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
    Records read = wal.ReadAll();
    ASSERT_NO_FATAL_FAILURE(ExpectPrefix(ledger, read));
    sim_disk_restart(disk, &sim_survive_none);
    ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
    ASSERT_EQ(read, wal.ReadAll());
  }
}

TEST(WalCrashTest, WithoutSyncsTellsDamageOrGivesAPrefix) {
  size_t whole = 0, refused = 0;
  for (uint64_t nth = 1;; nth++) {
    SimDisk crashed;
    Ledger ledger;
    bool ended;
    sim_disk_crash(crashed, nth);
    {
      Wal wal(crashed, kSegment);
      wal.options.sync = false;
      ended = RunScript(&wal, &ledger);
    }
    if (ended) break;
    ledger.in_flight = ledger.appended.size();  // Nothing is sure.
    ForSomeSurvivals(100, [&](const sim_survival &survival) {
      if (testing::Test::HasFatalFailure()) return;
      SimDisk disk(sim_disk_copy(crashed));
      sim_disk_restart(disk, &survival);
      Wal wal(disk, kSegment);
      cx_status status = wal.Open();
      if (status != CX_OK) {
        ASSERT_EQ(CX_DATA_LOSS, status) << wal.error.message;
        refused++;
        wal.options.accept_data_loss = true;
        ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
      }
      Records read = wal.ReadAll();
      ASSERT_NO_FATAL_FAILURE(ExpectPrefix(ledger, read));
      whole++;
    });
    ASSERT_FALSE(testing::Test::HasFatalFailure());
  }
  EXPECT_GT(whole, 1000u);
  EXPECT_GT(refused, 100u);
}

// ---- A loss that is accepted. -----------------------------------------------------

// Four segments, with damage in the second. Returns the records in front of it.
Records MakeDamaged(sim_disk *disk) {
  Wal wal(disk, kSegment);
  Ledger ledger;
  EXPECT_EQ(CX_OK, wal.Open());
  for (int i = 0; i < 14; i++) EXPECT_TRUE(Append(&wal, &ledger, 1, 160));
  wal.Close(true);
  sim_disk_damage(disk, LogName(2).c_str(), 64 + 200 + 50, BytesOf("damage"));
  return Records(ledger.appended.begin(), ledger.appended.begin() + 5);
}

// Everything that the damaged log held is still there, under some name.
void ExpectNothingDeleted(sim_disk *before, sim_disk *after) {
  for (uint64_t number = 1; number <= 4; number++) {
    char lost[64];
    snprintf(lost, sizeof lost, "lost-%016x-%016x", 2, static_cast<unsigned>(number));
    size_t size, kept_size, lost_size;
    const uint8_t *data = sim_disk_content(before, LogName(number).c_str(), &size);
    const uint8_t *kept = sim_disk_content(after, LogName(number).c_str(), &kept_size);
    const uint8_t *aside = sim_disk_content(after, lost, &lost_size);
    bool same = kept != nullptr && kept_size == size && std::memcmp(kept, data, size) == 0;
    bool moved = aside != nullptr && lost_size == size && std::memcmp(aside, data, size) == 0;
    ASSERT_TRUE(same || moved) << LogName(number);
  }
}

TEST(WalCrashTest, AcceptsALossWhollyOrNotAtAll) {
  SimDisk damaged;
  Records whole = MakeDamaged(damaged);
  size_t decided = 0, undecided = 0;
  for (uint64_t nth = 1;; nth++) {
    SCOPED_TRACE("crash in change " + std::to_string(nth));
    SimDisk crashed(sim_disk_copy(damaged));
    sim_disk_crash(crashed, nth);
    {
      Wal wal(crashed, kSegment);
      wal.options.accept_data_loss = true;
      (void)!(wal.Open() == CX_OK);
    }
    if (!sim_disk_crashed(crashed)) break;
    ForSomeSurvivals(50, [&](const sim_survival &survival) {
      if (testing::Test::HasFatalFailure()) return;
      SimDisk disk(sim_disk_copy(crashed));
      sim_disk_restart(disk, &survival);
      Wal wal(disk, kSegment);
      cx_status status = wal.Open();
      ASSERT_NO_FATAL_FAILURE(ExpectNothingDeleted(damaged, disk));
      if (status == CX_OK) {
        decided++;
      } else {
        ASSERT_EQ(CX_DATA_LOSS, status) << wal.error.message;
        undecided++;
        wal.options.accept_data_loss = true;
        ASSERT_EQ(CX_OK, wal.Open()) << wal.error.message;
        ASSERT_NO_FATAL_FAILURE(ExpectNothingDeleted(damaged, disk));
      }
      ASSERT_EQ(whole, wal.ReadAll());
      ASSERT_EQ(2u, wal.report.identity.epoch) << "never the old epoch without the old records";
    });
    ASSERT_FALSE(testing::Test::HasFatalFailure());
  }
  EXPECT_GT(decided, 100u);
  EXPECT_GT(undecided, 100u);
}

}  // namespace
