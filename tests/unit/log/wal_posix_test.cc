// The log in a real directory.

#include "tests/unit/log/wal_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace {

class WalPosixTest : public testing::Test {
 protected:
  WalPosixTest() {
    std::string pattern = testing::TempDir() + "/wal-XXXXXX";
    root_ = mkdtemp(&pattern[0]);
    EXPECT_EQ(CX_OK, cx_disk_posix_open(root_.c_str(), &disk_));
    wal_ = Make();
  }
  ~WalPosixTest() override {
    wal_.reset();
    cx_disk_posix_close(disk_);
    std::filesystem::remove_all(root_);
  }

  std::unique_ptr<Wal> Make() {
    SimDisk unused;
    auto wal = std::make_unique<Wal>(unused, 65536);
    wal->options.disk = disk_;
    return wal;
  }

  std::string root_;
  cx_disk *disk_ = nullptr;
  std::unique_ptr<Wal> wal_;
};

TEST_F(WalPosixTest, KeepsManySegments) {
  Records appended;
  ASSERT_EQ(CX_OK, wal_->Open()) << wal_->error.message;
  for (int i = 0; i < 40; i++) {
    std::string payload(static_cast<size_t>(i * 29 % 1500), static_cast<char>('a' + i % 26));
    Records batch(10, payload);
    ASSERT_EQ(CX_OK, wal_->Append(batch));
    appended.insert(appended.end(), batch.begin(), batch.end());
  }
  EXPECT_EQ(appended, wal_->ReadAll());
  wal_->Close(true);
  ASSERT_EQ(CX_OK, wal_->Open()) << wal_->error.message;
  EXPECT_TRUE(wal_->report.clean);
  EXPECT_GT(wal_->report.segment_count, 3u);
  EXPECT_EQ(appended, wal_->ReadAll());
}

TEST_F(WalPosixTest, LosesNothingWhenTheProcessEndsAtOnce) {
  pid_t child = fork();
  if (child == 0) {
    bool good = wal_->Open() == CX_OK && wal_->Append({"one", "two"}) == CX_OK &&
                wal_->Append({std::string(10000, 'x')}) == CX_OK;
    _exit(good ? 0 : 1);
  }
  int ended;
  ASSERT_EQ(child, waitpid(child, &ended, 0));
  ASSERT_EQ(0, ended);
  ASSERT_EQ(CX_OK, wal_->Open()) << wal_->error.message;
  EXPECT_FALSE(wal_->report.clean);
  EXPECT_EQ((Records{"one", "two", std::string(10000, 'x')}), wal_->ReadAll());
}

TEST_F(WalPosixTest, RefusesADirectoryInUse) {
  ASSERT_EQ(CX_OK, wal_->Open());
  auto second = Make();
  EXPECT_EQ(CX_FAILED_PRECONDITION, second->Open());
  EXPECT_NE(nullptr, std::strstr(second->error.message, "in use by another contextd"));
}

TEST_F(WalPosixTest, RefusesADirectoryWithoutRights) {
  if (geteuid() == 0 && seteuid(65534) != 0) GTEST_SKIP() << "cannot give up root's rights";
  if (geteuid() != 65534) std::filesystem::permissions(root_, std::filesystem::perms::none);
  EXPECT_EQ(CX_PERMISSION_DENIED, wal_->Open());
  EXPECT_EQ(CX_REASON_NOT_READY, wal_->error.reason);
  if (geteuid() != 65534) {
    std::filesystem::permissions(root_, std::filesystem::perms::owner_all);
  } else {
    EXPECT_EQ(0, seteuid(0));
  }
}

TEST_F(WalPosixTest, RefusesAFileWithoutRights) {
  ASSERT_EQ(CX_OK, wal_->Open());
  wal_->Close(true);
  std::filesystem::permissions(root_ + "/" + LogName(1), std::filesystem::perms::none);
  std::filesystem::permissions(root_, std::filesystem::perms::all);
  std::filesystem::permissions(root_ + "/LOCK", std::filesystem::perms(0666));
  bool root = geteuid() == 0;
  if (root && seteuid(65534) != 0) GTEST_SKIP() << "cannot give up root's rights";
  EXPECT_EQ(CX_PERMISSION_DENIED, wal_->Open());
  EXPECT_NE(nullptr, std::strstr(wal_->error.message, LogName(1).c_str()));
  if (root) {
    EXPECT_EQ(0, seteuid(0));
  }
}

}  // namespace
