// What server/rpc/handshakes.h promises of lines. That gRPC writes such is shown by
// credentials_test.

#include <gtest/gtest.h>

#include <string>
#include <thread>

extern "C" {
#include "server/rpc/handshakes.h"
}

namespace {

class HandshakesTest : public testing::Test {
 protected:
  // How many more have failed since it was asked last.
  uint64_t More() {
    uint64_t now = cx_handshakes_failed(reason_);
    uint64_t more = now - before_;
    before_ = now;
    return more;
  }

  char reason_[CX_RPC_REASON_MAX];
  uint64_t before_ = cx_handshakes_failed(reason_);
};

TEST_F(HandshakesTest, AreCountedWithTheReasonOfTheLast) {
  cx_handshakes_note(
      "Handshake failed with fatal error SSL_ERROR_SSL: error:0A0000C7:SSL "
      "routines::peer did not return a certificate.");
  EXPECT_EQ(1u, More());
  EXPECT_STREQ("peer did not return a certificate", reason_);
  cx_handshakes_note("Handshake failed with fatal error SSL_ERROR_SYSCALL: odd.");
  EXPECT_EQ(1u, More());
  EXPECT_STREQ("odd", reason_);
}

TEST_F(HandshakesTest, AreNothingElseThatIsWritten) {
  cx_handshakes_note("");
  cx_handshakes_note("Handshaker creation failed with error x: y.");
  cx_handshakes_note("No address added out of total 1 resolved");
  EXPECT_EQ(0u, More());
}

TEST_F(HandshakesTest, HaveReasonsOfAnyForm) {
  for (const std::string &rest :
       {std::string(), std::string(":"), std::string("."), std::string(300, 'x')}) {
    cx_handshakes_note(("Handshake failed with fatal error " + rest).c_str());
    EXPECT_EQ(1u, More());
    EXPECT_LT(std::string(reason_).size(), sizeof reason_);
  }
}

TEST_F(HandshakesTest, AreCountedByAnyThread) {
  auto note = [] {
    for (int i = 0; i < 1000; i++) cx_handshakes_note("Handshake failed with fatal error x");
  };
  std::thread other(note);
  note();
  other.join();
  EXPECT_EQ(2000u, More());
}

}  // namespace
