// The limit on connections, without gRPC: what server/rpc/connections.h promises.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

extern "C" {
#include "server/rpc/connections.h"
}

namespace {

class ConnectionsTest : public testing::Test {
 protected:
  void SetUp() override { listener_ = Listen(&port_); }

  void TearDown() override {
    cx_connections_unlimit(limit_);
    close(listener_);
  }

  static int Listen(int *ret_port) {
    sockaddr_in address = {};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(0, bind(fd, reinterpret_cast<sockaddr *>(&address), size));
    EXPECT_EQ(0, listen(fd, 100));
    EXPECT_EQ(0, getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size));
    *ret_port = ntohs(address.sin_port);
    return fd;
  }

  static int Connect(int port) {
    sockaddr_in address = {};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(0, connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address));
    return fd;
  }

  int Accept() { return accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); }

  int port_ = 0;
  int listener_ = -1;
  cx_connections *limit_ = nullptr;
};

TEST_F(ConnectionsTest, ClosesWhatIsOneTooManyAndCountsIt) {
  limit_ = cx_connections_limit(port_, 2);
  int clients[4], accepted[2];
  for (int &client : clients) client = Connect(port_);
  for (int &fd : accepted) fd = Accept();
  EXPECT_GE(accepted[0], 0);
  EXPECT_GE(accepted[1], 0);
  EXPECT_EQ(-1, Accept());  // Both that were left have been closed.
  EXPECT_EQ(EAGAIN, errno);
  EXPECT_EQ(2u, cx_connections_open(limit_));
  EXPECT_EQ(2u, cx_connections_refused(limit_));
  char byte;
  EXPECT_GE(0, recv(clients[3], &byte, 1, 0));
  for (int fd : accepted) close(fd);
  for (int client : clients) close(client);
  EXPECT_EQ(0u, cx_connections_open(limit_));
}

TEST_F(ConnectionsTest, HasRoomAgainAfterAClose) {
  limit_ = cx_connections_limit(port_, 1);
  for (int i = 0; i < 10; i++) {
    int client = Connect(port_);
    int fd = Accept();
    EXPECT_GE(fd, 0);
    EXPECT_EQ(1u, cx_connections_open(limit_));
    EXPECT_EQ(0, close(fd));
    EXPECT_EQ(0u, cx_connections_open(limit_));
    close(client);
  }
  EXPECT_EQ(0u, cx_connections_refused(limit_));
}

TEST_F(ConnectionsTest, TellsWhoConnected) {
  limit_ = cx_connections_limit(port_, 1);
  int client = Connect(port_);
  sockaddr_in peer = {}, own = {};
  socklen_t peer_size = sizeof peer, own_size = sizeof own;
  int fd = accept4(listener_, reinterpret_cast<sockaddr *>(&peer), &peer_size, 0);
  EXPECT_EQ(0, getsockname(client, reinterpret_cast<sockaddr *>(&own), &own_size));
  EXPECT_EQ(own.sin_port, peer.sin_port);
  close(fd);
  close(client);
}

TEST_F(ConnectionsTest, LeavesOtherPortsAndFilesAlone) {
  int other_port;
  int other = Listen(&other_port);
  limit_ = cx_connections_limit(other_port, 0);
  int client = Connect(port_);
  int fd = Accept();
  EXPECT_GE(fd, 0);
  EXPECT_EQ(0u, cx_connections_open(limit_));
  close(fd);
  close(client);
  close(other);
  int file = open("/dev/null", O_RDONLY);
  EXPECT_EQ(0, close(file));
  EXPECT_EQ(-1, close(file));
  EXPECT_EQ(EBADF, errno);
  EXPECT_EQ(-1, close(-1));
}

TEST_F(ConnectionsTest, OutlivesTheLimit) {
  limit_ = cx_connections_limit(port_, 1);
  int client = Connect(port_);
  int fd = Accept();
  cx_connections_unlimit(limit_);
  int second = Connect(port_);
  int unlimited = Accept();
  EXPECT_GE(unlimited, 0);
  close(unlimited);
  close(second);
  close(fd);
  EXPECT_EQ(0u, cx_connections_open(limit_));
  close(client);
}

TEST_F(ConnectionsTest, LimitsSoManyPortsAndNoMore) {
  cx_connections *limits[17];
  size_t count = 0;
  while (count < 17 && (limits[count] = cx_connections_limit(1 + static_cast<int>(count), 1))) {
    count++;
  }
  EXPECT_EQ(16u, count);
  while (count > 0) cx_connections_unlimit(limits[--count]);
  limit_ = cx_connections_limit(port_, 1);
  EXPECT_NE(nullptr, limit_);
}

}  // namespace
