// The simulated disk does what the table in docs/testing.md says that disks do: it tears,
// loses and reorders what was not synced, fails, fills up, and is damaged.

extern "C" {
#include "tests/support/sim_disk.h"
}

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace {

cx_bytes BytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

// A choice of what survives.
struct Survival {
  using Piece = std::function<bool(size_t write, size_t piece)>;
  using Name = std::function<bool(size_t change)>;

  Survival(size_t piece_size, Piece of_piece, Name of_name = {})
      : piece(std::move(of_piece)), name(std::move(of_name)) {
    base.arg = this;
    base.piece_size = piece_size;
    base.piece = [](void *arg, size_t write, size_t, size_t index, size_t) {
      auto *self = static_cast<Survival *>(arg);
      return !self->piece || self->piece(write, index);
    };
    base.name = [](void *arg, size_t change, size_t) {
      auto *self = static_cast<Survival *>(arg);
      return !self->name || self->name(change);
    };
  }

  Piece piece;
  Name name;
  sim_survival base = {};
};

class SimDiskTest : public testing::Test {
 protected:
  ~SimDiskTest() override {
    for (cx_file *file : files_) file->ops->close(file);
    sim_disk_free(disk_);
  }

  cx_file *Open(const char *name, cx_disk_open how = CX_DISK_OPEN_LOCKED) {
    cx_file *file = nullptr;
    EXPECT_EQ(CX_OK, base()->ops->open(base(), name, how, &file));
    files_.push_back(file);
    return file;
  }

  // Creates a file that is there for good.
  cx_file *OpenDurably(const char *name) {
    cx_file *file = Open(name);
    EXPECT_EQ(CX_OK, base()->ops->sync_directory(base()));
    return file;
  }

  cx_disk *base() { return sim_disk_base(disk_); }

  static cx_status Write(cx_file *file, uint64_t offset, const std::string &text) {
    return file->ops->write(file, offset, BytesOf(text));
  }
  static void WriteSynced(cx_file *file, uint64_t offset, const std::string &text) {
    EXPECT_EQ(CX_OK, Write(file, offset, text));
    EXPECT_EQ(CX_OK, file->ops->sync(file));
  }

  std::string Content(const char *name) {
    size_t size = 0;
    const uint8_t *data = sim_disk_content(disk_, name, &size);
    return data != nullptr ? std::string(data, data + size) : "none";
  }

  // What a file would be after the power goes now.
  std::string After(const sim_survival &survival, const char *name) {
    sim_disk *copy = sim_disk_copy(disk_);
    sim_disk_restart(copy, &survival);
    std::swap(copy, disk_);
    std::string content = Content(name);
    std::swap(copy, disk_);
    sim_disk_free(copy);
    return content;
  }

  std::vector<std::string> History() {
    std::vector<std::string> history;
    for (size_t i = 0; i < sim_disk_durable(disk_); i++) {
      sim_durable durable = sim_disk_durable_at(disk_, i);
      history.push_back(std::string(durable.name) + " " + std::to_string(durable.offset) + "+" +
                        std::to_string(durable.size) + " " + std::to_string(durable.sync));
    }
    return history;
  }

  sim_disk *disk_ = sim_disk_new();
  std::vector<cx_file *> files_;
};

// ---- What was not synced. ---------------------------------------------------------

TEST_F(SimDiskTest, TearsAWriteIntoSectorsOrPages) {
  cx_file *file = OpenDurably("a");
  WriteSynced(file, 0, std::string(8192, '.'));
  ASSERT_EQ(CX_OK, Write(file, 100, std::string(8000, 'x')));
  Survival sectors(512, [](size_t, size_t piece) { return piece % 2 == 0; });
  Survival pages(4096, [](size_t, size_t piece) { return piece == 1; });
  std::string torn = After(sectors.base, "a");
  for (size_t i = 0; i < torn.size(); i++) {
    ASSERT_EQ(i >= 100 && i < 8100 && i / 512 % 2 == 0 ? 'x' : '.', torn[i]) << i;
  }
  torn = After(pages.base, "a");
  for (size_t i = 0; i < torn.size(); i++) {
    ASSERT_EQ(i >= 4096 && i < 8100 ? 'x' : '.', torn[i]) << i;
  }
}

TEST_F(SimDiskTest, LosesUnsyncedWritesInEverySubsetAndKeepsTheNewestOfTheSurvivors) {
  cx_file *file = OpenDurably("a");
  WriteSynced(file, 0, "....");
  ASSERT_EQ(CX_OK, Write(file, 0, "11"));
  ASSERT_EQ(CX_OK, Write(file, 1, "22"));
  ASSERT_EQ(CX_OK, Write(file, 2, "33"));
  std::vector<std::string> seen;
  for (size_t mask = 0; mask < 8; mask++) {
    Survival subset(512, [=](size_t write, size_t) { return (mask >> write & 1) != 0; });
    seen.push_back(After(subset.base, "a"));
  }
  EXPECT_EQ(
      (std::vector<std::string>{"....", "11..", ".22.", "122.", "..33", "1133", ".233", "1233"}),
      seen);
}

TEST_F(SimDiskTest, KeepsWhatWasSyncedWhateverBecomesOfTheRest) {
  cx_file *file = OpenDurably("a");
  WriteSynced(file, 0, "old");
  ASSERT_EQ(CX_OK, Write(file, 0, "new"));
  EXPECT_EQ("old", After(sim_survive_none, "a"));
  EXPECT_EQ("new", After(sim_survive_all, "a"));
}

TEST_F(SimDiskTest, SyncsOneFileAndNotAnother) {
  cx_file *one = OpenDurably("a");
  cx_file *other = OpenDurably("b");
  ASSERT_EQ(CX_OK, Write(other, 0, "x"));
  WriteSynced(one, 0, "x");
  EXPECT_EQ("x", After(sim_survive_none, "a"));
  EXPECT_EQ("", After(sim_survive_none, "b"));
}

TEST_F(SimDiskTest, EndsAFileWhereTheLastSurvivingPieceOrGrowthDoes) {
  cx_file *file = OpenDurably("a");
  ASSERT_EQ(CX_OK, Write(file, 0, std::string(1000, 'x')));
  ASSERT_EQ(CX_OK, file->ops->allocate(file, 2000));
  Survival second(512, [](size_t write, size_t piece) { return write == 0 && piece == 1; });
  Survival growth(512, [](size_t write, size_t) { return write == 1; });
  EXPECT_EQ(std::string(512, '\0') + std::string(488, 'x'), After(second.base, "a"));
  EXPECT_EQ(std::string(2000, '\0'), After(growth.base, "a"));
  EXPECT_EQ("", After(sim_survive_none, "a"));
}

TEST_F(SimDiskTest, LosesNamesInEverySubset) {
  std::set<std::string> seen;
  cx_file *file = Open("a");
  WriteSynced(file, 0, "x");
  ASSERT_EQ(CX_OK, base()->ops->rename(base(), "a", "b"));
  Open("c");
  ASSERT_EQ(CX_OK, base()->ops->remove(base(), "c"));
  ASSERT_EQ(4u, sim_disk_pending_names(disk_));
  for (size_t mask = 0; mask < 16; mask++) {
    sim_disk *copy = sim_disk_copy(disk_);
    Survival subset(512, {}, [=](size_t change) { return (mask >> change & 1) != 0; });
    sim_disk_restart(copy, &subset.base);
    std::string names;
    for (size_t i = 0; i < sim_disk_file_count(copy); i++) names += sim_disk_file_name(copy, i);
    seen.insert(names);
    sim_disk_free(copy);
  }
  EXPECT_EQ((std::set<std::string>{"", "a", "b", "c", "ac", "bc"}), seen);
}

TEST_F(SimDiskTest, LosesTheNameOfAFileThatWasSynced) {
  WriteSynced(Open("a"), 0, "x");
  EXPECT_EQ("none", After(sim_survive_none, "a"));
  ASSERT_EQ(CX_OK, base()->ops->sync_directory(base()));
  EXPECT_EQ("x", After(sim_survive_none, "a"));
}

TEST_F(SimDiskTest, BringsBackWhatWasRemovedOrReplacedWithoutASyncOfTheDirectory) {
  WriteSynced(Open("a"), 0, "1");
  WriteSynced(OpenDurably("b"), 0, "2");
  ASSERT_EQ(CX_OK, base()->ops->rename(base(), "a", "b"));
  EXPECT_EQ("2", After(sim_survive_none, "b"));
  EXPECT_EQ("1", After(sim_survive_all, "b"));
  ASSERT_EQ(CX_OK, base()->ops->remove(base(), "b"));
  EXPECT_EQ("2", After(sim_survive_none, "b"));
  EXPECT_EQ("none", After(sim_survive_all, "b"));
}

// ---- Power, and the end of a process. ----------------------------------------------

TEST_F(SimDiskTest, FailsEverythingWithoutPowerUntilTheRestart) {
  cx_file *file = OpenDurably("a");
  ASSERT_EQ(CX_OK, Write(file, 0, "x"));
  sim_disk_power_off(disk_);
  EXPECT_TRUE(sim_disk_crashed(disk_));
  EXPECT_EQ(CX_UNAVAILABLE, Write(file, 0, "y"));
  EXPECT_EQ(CX_UNAVAILABLE, file->ops->sync(file));
  EXPECT_EQ(CX_UNAVAILABLE, base()->ops->sync_directory(base()));
  EXPECT_EQ(CX_UNAVAILABLE, base()->ops->remove(base(), "a"));
  ASSERT_EQ(1u, sim_disk_pending(disk_)) << "what was in flight may survive";
  EXPECT_STREQ("a", sim_disk_pending_at(disk_, 0).name);
  sim_disk_restart(disk_, &sim_survive_none);
  EXPECT_EQ(CX_UNAVAILABLE, Write(file, 0, "y")) << "it was open when the power went";
  EXPECT_EQ(CX_OK, Write(Open("a", CX_DISK_OPEN_EXISTING), 0, "y"));
}

TEST_F(SimDiskTest, LetsThePowerGoInTheMiddleOfAWriteOrSync) {
  cx_file *file = OpenDurably("a");
  sim_disk_crash(disk_, 2);
  ASSERT_EQ(CX_OK, Write(file, 0, "1"));
  EXPECT_EQ(CX_UNAVAILABLE, Write(file, 1, "2"));
  EXPECT_EQ("12", After(sim_survive_all, "a"));
  sim_disk_restart(disk_, &sim_survive_none);
  file = Open("a");
  sim_disk_crash(disk_, 2);
  ASSERT_EQ(CX_OK, Write(file, 0, "1"));
  EXPECT_EQ(CX_UNAVAILABLE, file->ops->sync(file));
  EXPECT_EQ("", After(sim_survive_none, "a"));
}

TEST_F(SimDiskTest, KeepsWhatAKilledProcessWroteReadableAndUnsynced) {
  cx_file *file = OpenDurably("a");
  ASSERT_EQ(CX_OK, Write(file, 0, "x"));
  sim_disk_kill(disk_);
  EXPECT_EQ(CX_UNAVAILABLE, Write(file, 0, "y"));
  EXPECT_EQ("x", Content("a"));
  EXPECT_EQ("", After(sim_survive_none, "a"));
  cx_file *again = Open("a");
  EXPECT_EQ(CX_OK, again->ops->sync(again));
  EXPECT_EQ("x", After(sim_survive_none, "a"));
}

TEST_F(SimDiskTest, GivesALockToOneUntilItIsClosedOrItsProcessEnds) {
  Open("LOCK");
  cx_file *second;
  auto lock = [&] { return base()->ops->open(base(), "LOCK", CX_DISK_OPEN_LOCKED, &second); };
  EXPECT_EQ(CX_ALREADY_EXISTS, lock());
  sim_disk_kill(disk_);
  ASSERT_EQ(CX_OK, lock());
  second->ops->close(second);
  ASSERT_EQ(CX_OK, lock());
  second->ops->close(second);
}

// ---- Failing. ----------------------------------------------------------------------

TEST_F(SimDiskTest, FailsTheNthOperationOnce) {
  cx_file *file = OpenDurably("a");
  sim_disk_fail(disk_, 2, CX_UNAVAILABLE);
  EXPECT_EQ(CX_OK, Write(file, 0, "1"));
  EXPECT_EQ(CX_UNAVAILABLE, Write(file, 0, "2"));
  EXPECT_EQ(CX_OK, Write(file, 1, "3"));
  EXPECT_EQ("13", Content("a"));
}

TEST_F(SimDiskTest, WritesAgainWhatAFailedSyncLeft) {
  cx_file *file = OpenDurably("a");
  ASSERT_EQ(CX_OK, Write(file, 0, "x"));
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  EXPECT_EQ(CX_UNAVAILABLE, file->ops->sync(file));
  EXPECT_EQ(CX_OK, file->ops->sync(file));
  EXPECT_EQ("x", After(sim_survive_none, "a"));
}

class FailedSyncTest : public SimDiskTest {
 protected:
  // Writes two pages, and lets the sync fail.
  cx_file *LosePages(sim_sync_loss loss) {
    cx_file *file = OpenDurably("a");
    WriteSynced(file, 0, std::string(4096, '.'));
    EXPECT_EQ(CX_OK, Write(file, 0, std::string(8192, 'x')));
    sim_disk_set_sync_loss(disk_, loss);
    sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
    EXPECT_EQ(CX_UNAVAILABLE, file->ops->sync(file));
    return file;
  }

  // How many bytes of each page are x's.
  static std::vector<size_t> Count(const std::string &content) {
    std::vector<size_t> counts(content.size() / 4096);
    for (size_t i = 0; i < content.size(); i++) counts[i / 4096] += content[i] == 'x';
    return counts;
  }
};

TEST_F(FailedSyncTest, KeepsPagesThatAreReadAndThatNoLaterSyncWrites) {
  cx_file *file = LosePages(SIM_SYNC_KEPT);
  EXPECT_EQ((std::vector<size_t>{4096, 4096}), Count(Content("a")));
  EXPECT_TRUE(sim_disk_pending_at(disk_, 0).lost);
  EXPECT_EQ(CX_OK, file->ops->sync(file));
  EXPECT_EQ((std::vector<size_t>{4096, 4096}), Count(Content("a")));
  EXPECT_EQ((std::vector<size_t>{0, 0}), Count(After(sim_survive_none, "a")))
      << "the size is the file's, not the pages'";
  EXPECT_EQ((std::vector<size_t>{4096, 4096}), Count(After(sim_survive_all, "a")))
      << "they may have got there";
  sim_disk_kill(disk_);
  EXPECT_EQ((std::vector<size_t>{4096, 4096}), Count(Content("a"))) << "by the next process too";
}

TEST_F(FailedSyncTest, WritesAKeptPageAsAWholeWhenSomethingInItIsWritten) {
  cx_file *file = LosePages(SIM_SYNC_KEPT);
  WriteSynced(file, 10, "yy");
  EXPECT_EQ((std::vector<size_t>{4094, 0}), Count(After(sim_survive_none, "a")));
  EXPECT_EQ((std::vector<size_t>{4094, 4096}), Count(After(sim_survive_all, "a")))
      << "an older write does not come over a newer one";
}

TEST_F(FailedSyncTest, ReadsWhatTheDiskHoldsOnceTheCacheIsDropped) {
  cx_file *file = LosePages(SIM_SYNC_KEPT);
  ASSERT_EQ(CX_OK, Write(file, 8192, std::string(4096, 'x')));
  file->ops->drop_cache(file);
  EXPECT_EQ((std::vector<size_t>{0, 0, 4096}), Count(Content("a"))) << "but what is to be synced";
  EXPECT_EQ(CX_OK, file->ops->sync(file));
  EXPECT_EQ((std::vector<size_t>{0, 0, 4096}), Count(After(sim_survive_none, "a")));
}

TEST_F(FailedSyncTest, DropsPagesSoThatReadsGiveWhatWasThereBefore) {
  cx_file *file = LosePages(SIM_SYNC_DROPPED);
  EXPECT_EQ(std::string(4096, '.') + std::string(4096, '\0'), Content("a"));
  EXPECT_EQ(CX_OK, file->ops->sync(file));
  EXPECT_EQ(std::string(4096, '.') + std::string(4096, '\0'), After(sim_survive_none, "a"));
}

TEST_F(SimDiskTest, FillsUpAndWritesTheBeginning) {
  cx_file *file = OpenDurably("a");
  sim_disk_set_capacity(disk_, 10);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, file->ops->allocate(file, 11));
  EXPECT_EQ(CX_OK, file->ops->allocate(file, 5));
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, Write(file, 0, "hello, world"));
  EXPECT_EQ("hello, wor", Content("a"));
  EXPECT_EQ(CX_OK, Write(file, 0, "HELLO")) << "that room it has";
}

TEST_F(SimDiskTest, HasRoomForWhatWasSetAside) {
  cx_file *file = OpenDurably("a");
  ASSERT_EQ(CX_OK, file->ops->allocate(file, 5));
  sim_disk_set_capacity(disk_, 5);
  EXPECT_EQ(CX_OK, Write(file, 0, "hello"));
}

TEST_F(SimDiskTest, RefusesOneFile) {
  OpenDurably("a");
  cx_file *file;
  sim_disk_refuse(disk_, "a", CX_PERMISSION_DENIED);
  EXPECT_EQ(CX_PERMISSION_DENIED, base()->ops->open(base(), "a", CX_DISK_OPEN_EXISTING, &file));
  Open("b");
}

// ---- Damage. -----------------------------------------------------------------------

TEST_F(SimDiskTest, FlipsBitsForGood) {
  WriteSynced(OpenDurably("a"), 0, "abc");
  sim_disk_flip(disk_, "a", 1, 0x20);
  EXPECT_EQ("aBc", Content("a"));
  EXPECT_EQ("aBc", After(sim_survive_none, "a"));
}

class HistoryTest : public SimDiskTest {
 protected:
  HistoryTest() { sim_disk_keep_history(disk_); }
};

TEST_F(HistoryTest, KnowsWhichSyncMadeWhichBytesDurable) {
  cx_file *a = OpenDurably("a");
  cx_file *b = OpenDurably("b");
  WriteSynced(a, 0, "1111");
  ASSERT_EQ(CX_OK, Write(b, 0, "22"));
  EXPECT_EQ((std::vector<std::string>{"a 0+4 1"}), History()) << "that is not durable yet";
  ASSERT_EQ(CX_OK, b->ops->sync(b));
  WriteSynced(a, 4, "3333");
  EXPECT_EQ((std::vector<std::string>{"a 0+4 1", "b 0+2 2", "a 4+4 3"}), History());
  EXPECT_EQ(3u, sim_disk_syncs(disk_));
  ASSERT_EQ(CX_OK, Write(a, 8, "44"));
  sim_disk_restart(disk_, &sim_survive_all);
  EXPECT_EQ("a 8+2 4", History().back()) << "it survived";
}

TEST_F(HistoryTest, HoldsNoMoreThanTheFilesStillDo) {
  cx_file *a = OpenDurably("a");
  WriteSynced(a, 0, "1111111111");
  WriteSynced(a, 4, "22");
  EXPECT_EQ((std::vector<std::string>{"a 0+4 1", "a 6+4 1", "a 4+2 2"}), History());
  WriteSynced(a, 2, "333333");
  EXPECT_EQ((std::vector<std::string>{"a 0+2 1", "a 8+2 1", "a 2+6 3"}), History());
  WriteSynced(a, 0, "4444444444");
  EXPECT_EQ((std::vector<std::string>{"a 0+10 4"}), History());
  ASSERT_EQ(CX_OK, base()->ops->rename(base(), "a", "b"));
  EXPECT_EQ((std::vector<std::string>{"b 0+10 4"}), History());
  ASSERT_EQ(CX_OK, base()->ops->remove(base(), "b"));
  ASSERT_EQ(CX_OK, base()->ops->sync_directory(base()));
  EXPECT_EQ(std::vector<std::string>{}, History());
}

TEST_F(HistoryTest, LetsADurableWriteGoAstray) {
  cx_file *a = OpenDurably("a");
  OpenDurably("b");
  WriteSynced(a, 0, "1111111111");
  WriteSynced(a, 2, "22222");
  WriteSynced(a, 4, "3");
  ASSERT_EQ((std::vector<std::string>{"a 0+2 1", "a 7+3 1", "a 2+2 2", "a 5+2 2", "a 4+1 3"}),
            History());
  sim_disk_misdirect(disk_, 3, "a", 8);
  EXPECT_EQ("1122311122", Content("a")) << "what a later write replaced is not undone";
  sim_disk_misdirect(disk_, 0, "a", 9);
  EXPECT_EQ(std::string("\0\0", 2) +
                "223111"
                "21",
            Content("a"))
      << "as far as the file goes";
  EXPECT_EQ(Content("a"), After(sim_survive_none, "a"));
  EXPECT_EQ(3u, History().size());
}

TEST_F(HistoryTest, LetsAWriteGoAstrayIntoAnotherFile) {
  WriteSynced(OpenDurably("a"), 0, "aaaa");
  WriteSynced(OpenDurably("b"), 0, "bbbb");
  sim_disk_misdirect(disk_, 0, "b", 1);
  EXPECT_EQ(std::string(4, '\0'), Content("a"));
  EXPECT_EQ("baaa", Content("b"));
}

TEST_F(HistoryTest, LosesAWriteThatGoesAstrayBehindTheEndOfAFile) {
  WriteSynced(OpenDurably("a"), 0, "aaaa");
  WriteSynced(OpenDurably("b"), 0, "bbbb");
  sim_disk_misdirect(disk_, 0, "b", 9);
  EXPECT_EQ(std::string(4, '\0'), Content("a"));
  EXPECT_EQ("bbbb", Content("b"));
}

// ---- Copies, and sameness. ----------------------------------------------------------

TEST_F(SimDiskTest, IsCopiedWithWhatIsNotSyncedAndApartFromThenOn) {
  cx_file *file = OpenDurably("a");
  WriteSynced(file, 0, "old");
  ASSERT_EQ(CX_OK, Write(file, 0, "new"));
  sim_disk *copy = sim_disk_copy(disk_);
  EXPECT_EQ(sim_disk_digest(disk_), sim_disk_digest(copy));
  WriteSynced(file, 0, "NEW");
  EXPECT_NE(sim_disk_digest(disk_), sim_disk_digest(copy));
  std::swap(copy, disk_);
  EXPECT_EQ("new", Content("a"));
  EXPECT_EQ("old", After(sim_survive_none, "a"));
  std::swap(copy, disk_);
  EXPECT_EQ("NEW", Content("a"));
  sim_disk_free(copy);
}

TEST_F(SimDiskTest, TellsDisksOfOtherNamesOrContentsApart) {
  sim_disk_put(disk_, "a", BytesOf("1"));
  uint64_t before = sim_disk_digest(disk_);
  sim_disk_put(disk_, "b", BytesOf("2"));
  EXPECT_NE(before, sim_disk_digest(disk_));
  sim_disk_remove(disk_, "b");
  EXPECT_EQ(before, sim_disk_digest(disk_));
  sim_disk_rename(disk_, "a", "c");
  EXPECT_NE(before, sim_disk_digest(disk_));
}

TEST_F(SimDiskTest, CountsItsOperations) {
  cx_file *file = OpenDurably("a");
  WriteSynced(file, 0, "abc");
  char memory[2];
  size_t size;
  ASSERT_EQ(CX_OK, file->ops->read(file, 0, memory, 2, &size));
  sim_counts counts = sim_disk_counts(disk_);
  EXPECT_EQ(5u, counts.operations);
  EXPECT_EQ(4u, counts.changes);
  EXPECT_EQ(1u, counts.writes);
  EXPECT_EQ(1u, counts.syncs);
  EXPECT_EQ(1u, counts.directory_syncs);
  EXPECT_EQ(3u, counts.bytes_written);
  EXPECT_EQ(2u, counts.bytes_read);
}

}  // namespace
