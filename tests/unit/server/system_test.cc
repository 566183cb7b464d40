// What system.h promises about signals and files. Signals go to this process itself.

extern "C" {
#include "server/system.h"
#include "server/logging.h"
}

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

namespace {

bool IsReadable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return poll(&poll_fd, 1, 0) == 1;
}

TEST(SystemTest, SignalsComeThroughTheFileOneByOne) {
  int fd = cx_signals_open();
  ASSERT_GE(fd, 0);
  EXPECT_FALSE(IsReadable(fd));
  for (int signal_number : {SIGHUP, SIGTERM, SIGINT}) {
    ASSERT_EQ(0, kill(getpid(), signal_number));
    ASSERT_TRUE(IsReadable(fd));
    EXPECT_EQ(signal_number, cx_signals_next(fd));
  }
  EXPECT_FALSE(IsReadable(fd));
  close(fd);
}

TEST(SystemTest, AfterLetKillASignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        cx_signals_open();
        kill(getpid(), SIGTERM);
        cx_signals_let_kill();
      },
      testing::KilledBySignal(SIGTERM), "");
}

// Raises a soft limit of 64 under a hard one of 128; ends with what went wrong.
[[noreturn]] void RaiseTwice() {
  rlimit limit{64, 128};
  setrlimit(RLIMIT_NOFILE, &limit);
  cx_files_raise_limit(100);
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur != 100) exit(1);
  cx_files_raise_limit(1ull << 40);  // More than even root can have.
  getrlimit(RLIMIT_NOFILE, &limit);
  exit(limit.rlim_cur == 128 ? 0 : 2);
}

TEST(SystemTest, RaisesTheLimitOfFilesAsFarAsItGoesAndWarns) {
  EXPECT_EXIT(RaiseTwice(), testing::ExitedWithCode(0),
              "fewer open files.* allowed=128 needed=1099511627776");
}

}  // namespace
