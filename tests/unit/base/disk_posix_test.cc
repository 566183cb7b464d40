// What core/base/disk.h promises, in a real directory.

extern "C" {
#include "core/base/disk.h"
#include "tests/support/fail_nth.h"
}

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace {

cx_bytes BytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

class DiskPosixTest : public testing::Test {
 protected:
  DiskPosixTest() {
    std::string pattern = testing::TempDir() + "/disk-XXXXXX";
    root_ = mkdtemp(&pattern[0]);
  }
  ~DiskPosixTest() override {
    cx_disk_posix_close(disk_);
    std::filesystem::remove_all(root_);
  }

  void SetUp() override { ASSERT_EQ(CX_OK, cx_disk_posix_open(root_.c_str(), &disk_)); }

  cx_file *MustOpen(const char *name, cx_disk_open how) {
    cx_file *file = nullptr;
    EXPECT_EQ(CX_OK, disk_->ops->open(disk_, name, how, &file));
    return file;
  }

  std::set<std::string> List() {
    std::set<std::string> names;
    EXPECT_EQ(CX_OK, disk_->ops->list(
                         disk_,
                         [](void *arg, const char *name) {
                           auto *seen = static_cast<std::set<std::string> *>(arg);
                           EXPECT_TRUE(seen->insert(name).second);
                         },
                         &names));
    return names;
  }

  std::string root_;
  cx_disk *disk_ = nullptr;
};

TEST_F(DiskPosixTest, CreatesTheDirectoryAndItsParents) {
  std::string path = root_ + "/a//b/c/";
  for (int i = 0; i < 2; i++) {
    cx_disk *disk;
    ASSERT_EQ(CX_OK, cx_disk_posix_open(path.c_str(), &disk));
    cx_disk_posix_close(disk);
    EXPECT_TRUE(std::filesystem::is_directory(root_ + "/a/b/c"));
  }
}

TEST_F(DiskPosixTest, CreatesADirectoryBelowTheCurrentOne) {
  std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(root_);
  cx_disk *disk;
  ASSERT_EQ(CX_OK, cx_disk_posix_open("x/y", &disk));
  cx_disk_posix_close(disk);
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::is_directory(root_ + "/x/y"));
}

TEST_F(DiskPosixTest, SaysWhatIsWrongWithThePath) {
  std::ofstream(root_ + "/file") << "x";
  cx_disk *disk;
  std::filesystem::create_symlink("loop", root_ + "/loop");
  EXPECT_EQ(CX_FAILED_PRECONDITION, cx_disk_posix_open((root_ + "/file").c_str(), &disk));
  EXPECT_EQ(CX_FAILED_PRECONDITION, cx_disk_posix_open((root_ + "/file/below").c_str(), &disk));
  for (size_t size : {300, 5000}) {
    EXPECT_EQ(CX_INVALID_ARGUMENT, cx_disk_posix_open(std::string(size, 'x').c_str(), &disk));
  }
  EXPECT_EQ(CX_INVALID_ARGUMENT, cx_disk_posix_open((root_ + "/loop").c_str(), &disk));
  EXPECT_STREQ("something on its path is no directory", cx_disk_error_text(CX_FAILED_PRECONDITION));
}

TEST_F(DiskPosixTest, SaysWhatRightsDoNotAllow) {
  if (geteuid() == 0 && seteuid(65534) != 0) GTEST_SKIP() << "cannot give up root's rights";
  cx_disk *disk;
  cx_file *file;
  EXPECT_EQ(CX_PERMISSION_DENIED, cx_disk_posix_open("/nobody-may-create-this", &disk));
  if (geteuid() == 65534) {
    EXPECT_EQ(CX_PERMISSION_DENIED, disk_->ops->open(disk_, "new", CX_DISK_OPEN_NEW, &file));
    EXPECT_EQ(0, seteuid(0));
  }
}

TEST_F(DiskPosixTest, ReadsWhatWasWritten) {
  cx_file *file = MustOpen("file", CX_DISK_OPEN_NEW);
  ASSERT_EQ(CX_OK, file->ops->write(file, 3, BytesOf("hello")));
  ASSERT_EQ(CX_OK, file->ops->sync(file));
  char memory[16];
  size_t size;
  ASSERT_EQ(CX_OK, file->ops->read(file, 0, memory, sizeof memory, &size));
  EXPECT_EQ(std::string("\0\0\0hello", 8), std::string(memory, size));
  ASSERT_EQ(CX_OK, file->ops->read(file, 4, memory, 2, &size));
  EXPECT_EQ("el", std::string(memory, size));
  ASSERT_EQ(CX_OK, file->ops->read(file, 100, memory, 2, &size));
  EXPECT_EQ(0u, size);
  uint64_t file_size;
  ASSERT_EQ(CX_OK, file->ops->size(file, &file_size));
  EXPECT_EQ(8u, file_size);
  file->ops->close(file);
}

TEST_F(DiskPosixTest, SetsRoomAside) {
  cx_file *file = MustOpen("file", CX_DISK_OPEN_NEW);
  ASSERT_EQ(CX_OK, file->ops->allocate(file, 100000));
  struct stat stat;
  ASSERT_EQ(0, ::stat((root_ + "/file").c_str(), &stat));
  EXPECT_EQ(100000, stat.st_size);
  EXPECT_GE(stat.st_blocks * 512, 100000);
  file->ops->close(file);
}

TEST_F(DiskPosixTest, TellsAFullDisk) {
  cx_file *file = MustOpen("file", CX_DISK_OPEN_NEW);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, file->ops->allocate(file, uint64_t{1} << 60));
  file->ops->close(file);
}

TEST_F(DiskPosixTest, OpensOnlyWhatIsThere) {
  cx_file *file;
  EXPECT_EQ(CX_NOT_FOUND, disk_->ops->open(disk_, "file", CX_DISK_OPEN_EXISTING, &file));
  for (cx_disk_open how : {CX_DISK_OPEN_NEW, CX_DISK_OPEN_EXISTING}) {
    file = MustOpen("file", how);
    file->ops->close(file);
  }
  EXPECT_EQ(CX_ALREADY_EXISTS, disk_->ops->open(disk_, "file", CX_DISK_OPEN_NEW, &file));
}

TEST_F(DiskPosixTest, LocksAFileOnce) {
  cx_file *first = MustOpen("LOCK", CX_DISK_OPEN_LOCKED);
  cx_file *second;
  EXPECT_EQ(CX_ALREADY_EXISTS, disk_->ops->open(disk_, "LOCK", CX_DISK_OPEN_LOCKED, &second));
  first->ops->close(first);
  second = MustOpen("LOCK", CX_DISK_OPEN_LOCKED);
  second->ops->close(second);
}

TEST_F(DiskPosixTest, RenamesAndRemoves) {
  cx_file *file = MustOpen("one", CX_DISK_OPEN_NEW);
  file->ops->close(file);
  ASSERT_EQ(CX_OK, disk_->ops->rename(disk_, "one", "two"));
  ASSERT_EQ(CX_OK, disk_->ops->sync_directory(disk_));
  EXPECT_EQ(std::set<std::string>{"two"}, List());
  ASSERT_EQ(CX_OK, disk_->ops->remove(disk_, "two"));
  EXPECT_EQ(std::set<std::string>{}, List());
  EXPECT_EQ(CX_NOT_FOUND, disk_->ops->remove(disk_, "two"));
  EXPECT_EQ(CX_NOT_FOUND, disk_->ops->rename(disk_, "two", "three"));
}

TEST_F(DiskPosixTest, OpensNothingWithoutMemory) {
  fail_nth fail;
  cx_disk *disk;
  cx_file *file;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_disk_posix_open(root_.c_str(), &disk));
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, disk_->ops->open(disk_, "file", CX_DISK_OPEN_NEW, &file));
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(std::set<std::string>{}, List());
}

TEST_F(DiskPosixTest, HasWordsOfItsOwnForEveryStatus) {
  std::set<std::string> texts;
  for (cx_status status :
       {CX_OK, CX_RESOURCE_EXHAUSTED, CX_NOT_FOUND, CX_ALREADY_EXISTS, CX_PERMISSION_DENIED,
        CX_FAILED_PRECONDITION, CX_INVALID_ARGUMENT, CX_UNAVAILABLE}) {
    EXPECT_TRUE(texts.insert(cx_disk_error_text(status)).second) << status;
  }
}

TEST_F(DiskPosixTest, ClosesNothing) { cx_disk_posix_close(nullptr); }

}  // namespace
