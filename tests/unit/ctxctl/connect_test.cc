// What connect.h promises: options that do not go together, and files that cannot be
// used, are told before anything is sent.

extern "C" {
#include "clients/ctxctl/connect.h"
}

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace {

class ConnectTest : public testing::Test {
 protected:
  ConnectTest() {
    ctl_.address = "127.0.0.1:1";
    ctl_.timeout_ms = 1000;
  }

  ~ConnectTest() override { ctl_pool_done(&ctl_.pool); }

  ctl_exit Connect() {
    cxc_client *client = nullptr;
    testing::internal::CaptureStderr();
    ctl_exit exit = ctl_connect(&ctl_, true, &client);
    told_ = testing::internal::GetCapturedStderr();
    EXPECT_EQ(exit == CTL_OK, client != nullptr);
    cxc_client_free(client);
    return exit;
  }

  static std::string File(const std::string &name, const std::string &text) {
    std::string path = testing::TempDir() + name;
    std::ofstream(path) << text;
    return path;
  }

  bool Tells(const std::string &part) { return told_.find(part) != std::string::npos; }

  ctl ctl_ = {};
  std::string told_;
};

TEST_F(ConnectTest, TalksTLSWhereSomethingOfItIsGiven) {
  EXPECT_FALSE(ctl_is_tls(&ctl_));
  ctl_.security.token_file = "t";
  EXPECT_FALSE(ctl_is_tls(&ctl_));
  for (const char **each : {&ctl_.security.ca, &ctl_.security.cert, &ctl_.security.server_name}) {
    *each = "x";
    EXPECT_TRUE(ctl_is_tls(&ctl_));
    *each = nullptr;
  }
  ctl_.security.tls = true;
  EXPECT_TRUE(ctl_is_tls(&ctl_));
}

TEST_F(ConnectTest, WantsACertificateAndItsKeyTogether) {
  ctl_.security.cert = "c";
  EXPECT_EQ(CTL_USAGE, Connect());
  EXPECT_TRUE(Tells("--cert and --cert-key")) << told_;
  ctl_.security.cert = nullptr;
  ctl_.security.cert_key = "k";
  EXPECT_EQ(CTL_USAGE, Connect());
}

TEST_F(ConnectTest, SendsNoTokenToAnotherMachineInPlainText) {
  ctl_.security.token_file = "t";
  for (const char *address :
       {"db-3:7420", "10.0.0.1:7420", "[::2]:1", "1270.example:1", "127.example:1"}) {
    ctl_.address = address;
    EXPECT_EQ(CTL_USAGE, Connect()) << address;
    EXPECT_TRUE(Tells("in plain text: add --tls or --ca")) << told_;
  }
  for (const char *address :
       {"127.0.0.1:7420", "127.1.2.3:1", "localhost:1", "[::1]:1", "unix:/run/x"}) {
    ctl_.address = address;
    EXPECT_EQ(CTL_OK, Connect()) << address << told_;
  }
  ctl_.address = "db-3:7420";
  ctl_.security.tls = true;
  EXPECT_EQ(CTL_OK, Connect()) << told_;
}

TEST_F(ConnectTest, NamesAFileThatCannotBeUsed) {
  ctl_.security.ca = "/nowhere/ca.pem";
  EXPECT_EQ(CTL_INPUT, Connect());
  EXPECT_TRUE(Tells("cannot open /nowhere/ca.pem: No such file")) << told_;
  std::string none = File("none.pem", "nonsense");
  ctl_.security.ca = none.c_str();
  EXPECT_EQ(CTL_INPUT, Connect());
  EXPECT_TRUE(Tells("--ca " + none + " is no PEM file")) << told_;
}

}  // namespace
