// The simulated system calls do what the kernel does, and what the hook asks for: seen
// through core/base/disk_posix.c, which runs on them as it is, and by themselves.

extern "C" {
#include "tests/support/sim_posix.h"
#include "core/base/disk.h"
#include "core/base/memory.h"
}

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace {

cx_bytes BytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

class SimPosixTest : public testing::Test {
 protected:
  SimPosixTest() {
    disk_ = sim_disk_new();
    sim_posix_mount("/sim", disk_);
    sim_posix_set_hook(OnCall, this);
    directory_ = openat(AT_FDCWD, "/sim", O_RDONLY | O_DIRECTORY);
    calls_.clear();
  }
  ~SimPosixTest() override {
    sim_posix_unmount();
    sim_disk_free(disk_);
  }

  static void OnCall(void *arg, const sim_call *call, sim_verdict *verdict) {
    auto *self = static_cast<SimPosixTest *>(arg);
    self->calls_.push_back(std::string(sim_call_name(call->kind)) + " " + call->name +
                           (call->to != nullptr ? std::string(" ") + call->to : "") + " " +
                           std::to_string(call->offset) + " " + std::to_string(call->size));
    if (self->answer_) self->answer_(call, verdict);
  }

  // From now on, calls of this kind end so.
  void Answer(sim_call_kind kind, sim_verdict with) {
    answer_ = [=](const sim_call *call, sim_verdict *verdict) {
      if (call->kind == kind) *verdict = with;
    };
  }

  int Create(const char *name) {
    int descriptor = openat(directory_, name, O_RDWR | O_CREAT, 0600);
    EXPECT_GE(descriptor, 1 << 20);
    return descriptor;
  }

  std::string Content(const char *name) {
    size_t size = 0;
    const uint8_t *data = sim_disk_content(disk_, name, &size);
    return data != nullptr ? std::string(data, data + size) : "none";
  }

  std::set<std::string> List() {
    std::set<std::string> names;
    DIR *listing = fdopendir(openat(directory_, ".", O_RDONLY | O_DIRECTORY));
    if (listing == nullptr) return {"refused"};
    while (const dirent *entry = readdir(listing)) names.insert(entry->d_name);
    EXPECT_EQ(0, closedir(listing));
    return names;
  }

  sim_disk *disk_;
  int directory_;
  std::vector<std::string> calls_;
  std::function<void(const sim_call *, sim_verdict *)> answer_;
};

#define EXPECT_FAILS(error, call) \
  do {                            \
    errno = 0;                    \
    EXPECT_EQ(-1, call);          \
    EXPECT_EQ(error, errno);      \
  } while (0)

TEST_F(SimPosixTest, ServesTheRootAndLeavesTheRestToTheKernel) {
  int real = openat(AT_FDCWD, testing::TempDir().c_str(), O_RDONLY | O_DIRECTORY);
  EXPECT_GE(real, 0);
  EXPECT_LT(real, 1 << 20);
  EXPECT_EQ(0, fsync(real));
  struct stat stat;
  EXPECT_EQ(0, fstat(real, &stat));
  EXPECT_TRUE(S_ISDIR(stat.st_mode));
  DIR *listing = fdopendir(real);
  ASSERT_NE(nullptr, listing);
  EXPECT_NE(nullptr, readdir(listing));
  EXPECT_EQ(0, closedir(listing));
  EXPECT_FAILS(ENOENT, openat(AT_FDCWD, "/simulated", O_RDONLY));
  EXPECT_FAILS(EEXIST, mkdir("/sim/", 0700));
  EXPECT_EQ(std::vector<std::string>{"create directory  0 0"}, calls_);
}

TEST_F(SimPosixTest, LetsTheDiskOfTheCoreRunOnIt) {
  int64_t before = cx_memory_used();
  cx_disk *disk;
  cx_file *file;
  ASSERT_EQ(CX_OK, cx_disk_posix_open("/sim", &disk));
  ASSERT_EQ(CX_OK, disk->ops->open(disk, "a", CX_DISK_OPEN_NEW, &file));
  EXPECT_EQ(CX_OK, file->ops->allocate(file, 8));
  EXPECT_EQ(CX_OK, file->ops->write(file, 2, BytesOf("hello")));
  char memory[8];
  size_t size;
  ASSERT_EQ(CX_OK, file->ops->read(file, 0, memory, 8, &size));
  EXPECT_EQ(std::string("\0\0hello\0", 8), std::string(memory, size));
  EXPECT_EQ(CX_OK, file->ops->sync(file));
  EXPECT_EQ(CX_OK, disk->ops->rename(disk, "a", "b"));
  EXPECT_EQ(CX_OK, disk->ops->sync_directory(disk));
  std::set<std::string> names;
  auto each = [](void *arg, const char *name) {
    static_cast<std::set<std::string> *>(arg)->insert(name);
  };
  EXPECT_EQ(CX_OK, disk->ops->list(disk, each, &names));
  EXPECT_EQ(std::set<std::string>{"b"}, names);
  uint64_t file_size;
  EXPECT_EQ(CX_OK, file->ops->size(file, &file_size));
  EXPECT_EQ(8u, file_size);
  file->ops->close(file);
  EXPECT_EQ(CX_OK, disk->ops->remove(disk, "b"));
  cx_disk_posix_close(disk);
  EXPECT_EQ(1u, sim_posix_open_count()) << "the test's own";
  EXPECT_EQ(before, cx_memory_used());
  EXPECT_EQ((std::vector<std::string>{
                "create directory  0 0", "open directory  0 0", "open a 0 0", "allocate a 0 8",
                "write a 2 5", "read a 0 8", "sync a 0 0", "rename a b 0 0", "sync directory  0 0",
                "open directory  0 0", "list  0 0", "list next  0 0", "list next  0 0",
                "size a 0 0", "close a 0 0", "remove b 0 0", "close  0 0"}),
            calls_);
}

TEST_F(SimPosixTest, FailsEachCallAsTheHookAsks) {
  int file = Create("a");
  char byte = 'x';
  Answer(SIM_CALL_OPEN, {EMFILE, 0, SIM_SYNC_RETRIED});
  EXPECT_FAILS(EMFILE, openat(directory_, "b", O_RDWR | O_CREAT, 0600));
  Answer(SIM_CALL_OPEN_DIRECTORY, {ENFILE, 0, SIM_SYNC_RETRIED});
  EXPECT_FAILS(ENFILE, openat(AT_FDCWD, "/sim", O_RDONLY | O_DIRECTORY));
  Answer(SIM_CALL_CREATE_DIRECTORY, {EROFS, 0, SIM_SYNC_RETRIED});
  EXPECT_FAILS(EROFS, mkdir("/sim", 0700));
  Answer(SIM_CALL_LOCK, {EINTR, 0, SIM_SYNC_RETRIED});
  EXPECT_FAILS(EINTR, flock(file, LOCK_EX | LOCK_NB));
  Answer(SIM_CALL_READ, {EIO, 0, SIM_SYNC_RETRIED});
  EXPECT_FAILS(EIO, pread(file, &byte, 1, 0));
  Answer(SIM_CALL_WRITE, {ENOSPC, 0, SIM_SYNC_RETRIED});
  EXPECT_FAILS(ENOSPC, pwrite(file, &byte, 1, 0));
  Answer(SIM_CALL_SYNC, {EIO, 0, SIM_SYNC_RETRIED});
  EXPECT_FAILS(EIO, fdatasync(file));
  EXPECT_FAILS(EIO, fsync(file));
  Answer(SIM_CALL_SYNC_DIRECTORY, {EIO, 0, SIM_SYNC_RETRIED});
  EXPECT_FAILS(EIO, fsync(directory_));
  Answer(SIM_CALL_ALLOCATE, {ENOSPC, 0, SIM_SYNC_RETRIED});
  EXPECT_EQ(ENOSPC, posix_fallocate(file, 0, 10));
  Answer(SIM_CALL_SIZE, {EIO, 0, SIM_SYNC_RETRIED});
  struct stat stat;
  EXPECT_FAILS(EIO, fstat(file, &stat));
  Answer(SIM_CALL_RENAME, {EIO, 0, SIM_SYNC_RETRIED});
  EXPECT_FAILS(EIO, renameat(directory_, "a", directory_, "b"));
  Answer(SIM_CALL_REMOVE, {EIO, 0, SIM_SYNC_RETRIED});
  EXPECT_FAILS(EIO, unlinkat(directory_, "a", 0));
  Answer(SIM_CALL_LIST, {ENOMEM, 0, SIM_SYNC_RETRIED});
  EXPECT_EQ(std::set<std::string>{"refused"}, List());
  Answer(SIM_CALL_LIST_NEXT, {EIO, 0, SIM_SYNC_RETRIED});
  EXPECT_EQ(std::set<std::string>{}, List());
  answer_ = nullptr;
  EXPECT_EQ(std::set<std::string>{"a"}, List()) << "nothing of it has happened";
  EXPECT_EQ("", Content("a"));
  EXPECT_EQ(1u, sim_disk_pending_names(disk_));
}

TEST_F(SimPosixTest, ReadsAndWritesNoMoreThanTheHookAllows) {
  int file = Create("a");
  Answer(SIM_CALL_WRITE, {0, 3, SIM_SYNC_RETRIED});
  EXPECT_EQ(3, pwrite(file, "hello", 5, 0));
  EXPECT_EQ("hel", Content("a"));
  Answer(SIM_CALL_READ, {0, 2, SIM_SYNC_RETRIED});
  char memory[8];
  EXPECT_EQ(2, pread(file, memory, sizeof memory, 0));
}

TEST_F(SimPosixTest, FailsAWriteThatHasWrittenAPart) {
  int file = Create("a");
  Answer(SIM_CALL_WRITE, {EIO, 3, SIM_SYNC_RETRIED});
  EXPECT_FAILS(EIO, pwrite(file, "hello", 5, 0));
  EXPECT_EQ("hel", Content("a"));
}

TEST_F(SimPosixTest, TellsOfAFullDiskOnlyWhenNothingFits) {
  int file = Create("a");
  sim_disk_set_capacity(disk_, 4);
  EXPECT_EQ(ENOSPC, posix_fallocate(file, 0, 5));
  EXPECT_EQ(4, pwrite(file, "hello", 5, 0));
  EXPECT_FAILS(ENOSPC, pwrite(file, "o", 1, 4));
}

TEST_F(SimPosixTest, LosesWhatAFailedSyncCouldNotWriteAsTheHookAsks) {
  int file = Create("a");
  ASSERT_EQ(0, fsync(directory_));
  ASSERT_EQ(1, pwrite(file, "x", 1, 0));
  Answer(SIM_CALL_SYNC, {EINTR, 0, SIM_SYNC_DROPPED});
  EXPECT_FAILS(EINTR, fdatasync(file));
  EXPECT_EQ("x", Content("a")) << "it only was interrupted";
  Answer(SIM_CALL_SYNC, {EIO, 0, SIM_SYNC_KEPT});
  EXPECT_FAILS(EIO, fdatasync(file));
  EXPECT_TRUE(sim_disk_pending_at(disk_, 0).lost);
  Answer(SIM_CALL_SYNC, {EIO, 0, SIM_SYNC_DROPPED});
  EXPECT_FAILS(EIO, fdatasync(file));
  EXPECT_EQ(std::string(1, '\0'), Content("a"));
}

TEST_F(SimPosixTest, ReadsFromTheDiskWhatIsNotNeededInTheCache) {
  int file = Create("a");
  ASSERT_EQ(0, fsync(directory_));
  ASSERT_EQ(1, pwrite(file, "x", 1, 0));
  Answer(SIM_CALL_SYNC, {EIO, 0, SIM_SYNC_KEPT});
  EXPECT_FAILS(EIO, fdatasync(file));
  EXPECT_EQ("x", Content("a"));
  EXPECT_EQ(0, posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED));
  EXPECT_EQ(std::string(1, '\0'), Content("a"));
  EXPECT_EQ(EBADF, posix_fadvise(1 << 20, 0, 0, POSIX_FADV_DONTNEED));
}

TEST_F(SimPosixTest, LocksAFileOnceAndGivesTheLockBack) {
  int first = Create("LOCK");
  int second = Create("LOCK");
  EXPECT_EQ(0, flock(first, LOCK_EX | LOCK_NB));
  EXPECT_FAILS(EWOULDBLOCK, flock(second, LOCK_EX | LOCK_NB));
  EXPECT_EQ(0, close(first));
  EXPECT_EQ(0, flock(second, LOCK_EX | LOCK_NB));
}

TEST_F(SimPosixTest, KnowsWhatThereIsAndWhatNot) {
  EXPECT_FAILS(ENOENT, openat(directory_, "a", O_RDWR));
  EXPECT_FAILS(ENOENT, unlinkat(directory_, "a", 0));
  EXPECT_FAILS(ENOENT, renameat(directory_, "a", directory_, "b"));
  Create("a");
  EXPECT_FAILS(EEXIST, openat(directory_, "a", O_RDWR | O_CREAT | O_EXCL, 0600));
}

TEST_F(SimPosixTest, FailsEverythingWithoutPower) {
  int file = Create("a");
  char byte = 'x';
  sim_disk_power_off(disk_);
  EXPECT_FAILS(EIO, openat(directory_, "a", O_RDWR));
  EXPECT_FAILS(EIO, openat(AT_FDCWD, "/sim", O_RDONLY | O_DIRECTORY));
  EXPECT_FAILS(EIO, pread(file, &byte, 1, 0));
  EXPECT_FAILS(EIO, pwrite(file, &byte, 1, 0));
  EXPECT_FAILS(EIO, fdatasync(file));
  EXPECT_FAILS(EIO, fsync(directory_));
  EXPECT_EQ(EIO, posix_fallocate(file, 0, 1));
  EXPECT_FAILS(EIO, unlinkat(directory_, "a", 0));
}

TEST_F(SimPosixTest, NeverGivesADescriptorTwice) {
  int first = Create("a");
  EXPECT_EQ(0, close(first));
  EXPECT_FAILS(EBADF, close(first));
  EXPECT_NE(first, Create("a"));
}

TEST_F(SimPosixTest, ClosesEverythingWhenTheProcessIsKilled) {
  int file = Create("LOCK");
  EXPECT_EQ(0, flock(file, LOCK_EX | LOCK_NB));
  ASSERT_EQ(1, pwrite(file, "x", 1, 0));
  sim_posix_kill();
  EXPECT_EQ(0u, sim_posix_open_count());
  EXPECT_FAILS(EBADF, pwrite(file, "y", 1, 0));
  directory_ = openat(AT_FDCWD, "/sim", O_RDONLY | O_DIRECTORY);
  EXPECT_EQ("x", Content("LOCK")) << "the kernel has it";
  EXPECT_EQ(1u, sim_disk_pending(disk_)) << "but not the disk";
  EXPECT_EQ(0, flock(Create("LOCK"), LOCK_EX | LOCK_NB));
}

TEST_F(SimPosixTest, HasNoEffectWhenTheProcessIsKilledMeanwhile) {
  auto killed_in = [&](sim_call_kind kind, const std::function<int(int file)> &call) {
    sim_posix_kill();
    answer_ = nullptr;
    directory_ = openat(AT_FDCWD, "/sim", O_RDONLY | O_DIRECTORY);
    int file = Create("a");
    answer_ = [=](const sim_call *asked, sim_verdict *) {
      if (asked->kind == kind) sim_posix_kill();
    };
    SCOPED_TRACE(sim_call_name(kind));
    EXPECT_FAILS(EBADF, call(file));
    EXPECT_EQ("", Content("a"));
    EXPECT_EQ(0u, sim_posix_open_count());
  };
  char byte = 'x';
  struct stat stat;
  killed_in(SIM_CALL_WRITE, [&](int file) { return pwrite(file, &byte, 1, 0); });
  killed_in(SIM_CALL_READ, [&](int file) { return pread(file, &byte, 1, 0); });
  killed_in(SIM_CALL_SYNC, [&](int file) { return fdatasync(file); });
  killed_in(SIM_CALL_SIZE, [&](int file) { return fstat(file, &stat); });
  killed_in(SIM_CALL_CLOSE, [&](int file) { return close(file); });
  killed_in(SIM_CALL_LOCK, [&](int file) { return flock(file, LOCK_EX | LOCK_NB); });
  killed_in(SIM_CALL_REMOVE, [&](int) { return unlinkat(directory_, "a", 0); });
  killed_in(SIM_CALL_OPEN, [&](int) { return openat(directory_, "b", O_RDWR | O_CREAT, 0600); });
  killed_in(SIM_CALL_SYNC_DIRECTORY, [&](int) { return fsync(directory_); });
}

TEST_F(SimPosixTest, EndsAListingWhoseProcessIsKilled) {
  Create("a");
  DIR *listing = fdopendir(openat(directory_, ".", O_RDONLY | O_DIRECTORY));
  sim_posix_kill();
  EXPECT_EQ(nullptr, readdir(listing));
  EXPECT_FAILS(EBADF, closedir(listing));
}

}  // namespace
