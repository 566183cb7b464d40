// What probe.h promises about an address, with sockets that are in its way.

extern "C" {
#include "server/probe.h"
}

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace {

std::string Problem(const std::string &listen) {
  char problem[CX_PROBE_TEXT_MAX] = "none";
  return cx_probe_address(listen.c_str(), problem) ? "" : problem;
}

// Somebody who listens on a port of loopback.
class Listener {
 public:
  Listener() {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;  // As gRPC does.
    EXPECT_EQ(0, setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    EXPECT_EQ(0, bind(fd_, reinterpret_cast<sockaddr *>(&address), size));
    EXPECT_EQ(0, listen(fd_, 1));
    EXPECT_EQ(0, getsockname(fd_, reinterpret_cast<sockaddr *>(&address), &size));
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Listener() { close(fd_); }

  std::string address_;

 private:
  int fd_;
};

TEST(ProbeTest, LetsGoOfAnAddressThatCanBeHad) {
  std::string address;
  {
    Listener listener;
    address = listener.address_;
  }
  EXPECT_EQ("", Problem(address));
  EXPECT_EQ("", Problem(address));
}

TEST(ProbeTest, TakesAnyPortAndNames) {
  EXPECT_EQ("", Problem("127.0.0.1:0"));
  EXPECT_EQ("", Problem("localhost:0"));
}

TEST(ProbeTest, TakesBracketsFromAnAddress) {
  EXPECT_EQ(std::string::npos, Problem("[::1]:0").find("Name or service"));
}

TEST(ProbeTest, NamesAPortThatSomebodyListensOn) {
  Listener listener;
  EXPECT_EQ(
      "cannot listen on " + listener.address_ + ": the port is in use, perhaps by another server",
      Problem(listener.address_));
}

TEST(ProbeTest, NamesAnAddressOfAnotherMachine) {
  EXPECT_EQ("cannot listen on 192.0.2.1:7420: Cannot assign requested address",
            Problem("192.0.2.1:7420"));
}

TEST(ProbeTest, NamesAHostThatThereIsNot) {
  EXPECT_EQ(0u, Problem("a..b:7420").find("cannot listen on a..b:7420: "));
}

}  // namespace
