// What reach.h promises: the texts are those that gRPC 1.51 gives for each case.

extern "C" {
#include "clients/c/reach.h"
#include "clients/c/error.h"
}

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace {

const std::string kFailed = "failed to connect to all addresses; last error: ";
const std::string kThere = "ipv4:127.0.0.1:1: ";

class ReachTest : public testing::Test {
 protected:
  void Explain(const std::string &text, bool tls, cxc_code code = CXC_UNAVAILABLE,
               const char *reason = "") {
    error_ = {};
    error_.code = code;
    snprintf(error_.reason, sizeof error_.reason, "%s", reason);
    snprintf(error_.message, sizeof error_.message, "%s", text.c_str());
    cxc_error_explain(&error_, tls);
  }

  void Means(const std::string &meaning, const std::string &reason) {
    EXPECT_EQ(0u, std::string(error_.message).find(meaning)) << error_.message;
    EXPECT_EQ(reason, error_.reason);
    EXPECT_EQ(reason.empty(), cxc_error_is_transient(&error_));
  }

  cxc_error error_;
};

TEST_F(ReachTest, SaysThatACertificateIsNotAccepted) {
  Explain(kFailed + "UNKNOWN: " + kThere +
              "Ssl handshake failed: SSL_ERROR_SSL: error:0A000086:SSL routines::certificate "
              "verify failed",
          true);
  Means("the server's certificate is not accepted", "CERTIFICATE_REJECTED");
  Explain(kFailed + "UNKNOWN: " + kThere + "Peer name a.b is not in peer certificate", true);
  Means("the server's certificate is for another name (UNKNOWN: ipv4:127.0.0.1:1: Peer name a.b",
        "CERTIFICATE_REJECTED");
  Explain(kFailed + "UNKNOWN: " + kThere +
              "Ssl handshake failed: SSL_ERROR_SSL: error:0A00042E:SSL routines::tlsv1 alert "
              "protocol version",
          true);
  Means("what listens there refused the TLS of this client", "CERTIFICATE_REJECTED");
  Explain("empty address list: ", true);
  Means("the certificates or the key of this client cannot be used", "CERTIFICATE_REJECTED");
}

TEST_F(ReachTest, SaysThatOnlyOneSideSpeaksTLS) {
  Explain(kFailed + "UNKNOWN: " + kThere +
              "Ssl handshake failed: SSL_ERROR_SSL: error:0A00010B:SSL routines::wrong version "
              "number",
          true);
  Means("what listens there does not speak TLS", "CERTIFICATE_REJECTED");
  Explain(kFailed + "UNAVAILABLE: " + kThere + "Socket closed", false);
  Means("the connection was closed at once: what listens there takes TLS only", "");
}

TEST_F(ReachTest, SaysThatACertificateOfTheClientMayBeWanted) {
  Explain(kFailed + "UNAVAILABLE: " + kThere + "Socket closed", true);
  Means("the connection was closed at once: what listens there wants a certificate", "");
}

TEST_F(ReachTest, SaysThatSomethingElseListens) {
  Explain(kFailed + "UNAVAILABLE: " + kThere + "Failed parsing HTTP/2", false);
  Means("what listens there is no gRPC server", "WRONG_SERVER");
  Explain(kFailed + "UNKNOWN: " + kThere + "Cannot check peer: missing selected ALPN property.",
          true);
  Means("what listens there takes TLS, but is no gRPC server", "WRONG_SERVER");
  Explain("Received http2 header with status: 404", false, CXC_UNIMPLEMENTED);
  Means("what answers there is no contextd", "WRONG_SERVER");
}

TEST_F(ReachTest, SaysThatNobodyListens) {
  Explain(kFailed + "UNKNOWN: " + kThere + "Failed to connect to remote host: Connection refused",
          false);
  EXPECT_STREQ(
      "nobody listens there (UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to remote host: "
      "Connection refused)",
      error_.message);
  Explain("DNS resolution failed for a:1: no", true);
  Means("the host has no address", "");
}

TEST_F(ReachTest, SaysWhyThereIsNoToken) {
  Explain("Getting metadata from plugin failed with error: the file is gone", true);
  EXPECT_EQ(CXC_UNAUTHENTICATED, error_.code);
  EXPECT_STREQ("the file is gone", error_.message);
}

TEST_F(ReachTest, LeavesAloneWhatTheServerSays) {
  Explain("Connection refused", false, CXC_UNAVAILABLE, "STOPPING");
  EXPECT_STREQ("Connection refused", error_.message);
  Explain("no such field", false, CXC_UNIMPLEMENTED, "NOT_SUPPORTED");
  EXPECT_STREQ("NOT_SUPPORTED", error_.reason);
  Explain("something else", false);
  EXPECT_STREQ("something else", error_.message);
  EXPECT_TRUE(cxc_error_is_transient(&error_));
}

TEST_F(ReachTest, CutsATextThatDoesNotFit) {
  Explain("Connection refused" + std::string(5000, 'x'), false);
  Means("nobody listens there (Connection refusedxxx", "");
  EXPECT_EQ(')', error_.message[strlen(error_.message) - 1]);
}

}  // namespace
