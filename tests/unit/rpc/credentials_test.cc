// What server/rpc/credentials.h promises, over real connections.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/certificates.h"
#include "tests/unit/rpc/echo_server.h"

extern "C" {
#include "server/rpc/credentials.h"
#include "tests/support/fail_nth.h"
}

namespace {

class CredentialsTest : public EchoServer {
 protected:
  CredentialsTest() {
    on.unary = [](cx_call *call, const EchoRequest *) { Reply(call, "hello"); };
    options.certificates = &certificates_;
  }

  static cx_rpc_certificates Of(const TestCertificate &own, const TestAuthority *clients) {
    return {own.certificate.c_str(), own.key.c_str(),
            clients != nullptr ? clients->pem().c_str() : nullptr};
  }

  GrpcClient Connect(const TestAuthority &trusted, const TestCertificate &own = {}) {
    if (server == nullptr) Start();
    GrpcTls tls = {trusted.pem(), own.certificate, own.key};
    return GrpcClient("127.0.0.1:" + std::to_string(port), &tls);
  }

  static grpc_status_code Ask(GrpcClient *client) {
    return client->Unary(kUnary, EchoPack("")).code;
  }

  grpc_status_code AskAnew(const TestAuthority &trusted, const TestCertificate &own = {}) {
    GrpcClient client = Connect(trusted, own);
    return Ask(&client);
  }

  TestAuthority authority_{"authority"};
  TestAuthority other_{"other"};
  TestCertificate server_ = authority_.Issue("server");
  TestCertificate next_ = other_.Issue("server");
  cx_rpc_certificates certificates_ = Of(server_, nullptr);
};

TEST_F(CredentialsTest, ServeThoseWhoTrustTheAuthority) {
  EXPECT_EQ(GRPC_STATUS_OK, AskAnew(authority_));
  EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, AskAnew(other_));
}

TEST_F(CredentialsTest, ServeNobodyInPlainText) {
  Start();
  EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, GrpcClient(port).Unary(kUnary, EchoPack("")).code);
}

TEST_F(CredentialsTest, ServeOnlyClientsWithACertificateOfTheirAuthority) {
  certificates_ = Of(server_, &authority_);
  EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, AskAnew(authority_)) << "none";
  EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, AskAnew(authority_, other_.Issue("stranger")));
  EXPECT_EQ(GRPC_STATUS_OK, AskAnew(authority_, authority_.Issue("client")));
}

TEST_F(CredentialsTest, GiveNewConnectionsWhatWasSetLastAndLeaveOpenOnesAlone) {
  GrpcClient before = Connect(authority_);
  EXPECT_EQ(GRPC_STATUS_OK, Ask(&before));
  cx_rpc_certificates next = Of(next_, nullptr);
  ASSERT_EQ(CX_OK, cx_rpc_server_set_certificates(server, &next));
  EXPECT_EQ(GRPC_STATUS_OK, AskAnew(other_));
  EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, AskAnew(authority_));
  EXPECT_EQ(GRPC_STATUS_OK, Ask(&before));
}

TEST_F(CredentialsTest, TakeOtherAuthoritiesOfClientsToo) {
  certificates_ = Of(server_, &authority_);
  ASSERT_EQ(GRPC_STATUS_UNAVAILABLE, AskAnew(authority_, other_.Issue("client")));
  cx_rpc_certificates next = Of(server_, &other_);
  ASSERT_EQ(CX_OK, cx_rpc_server_set_certificates(server, &next));
  EXPECT_EQ(GRPC_STATUS_OK, AskAnew(authority_, other_.Issue("client")));
  EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, AskAnew(authority_, authority_.Issue("client")));
}

TEST_F(CredentialsTest, KeepWhatWasSetBeforeWhereGRPCDoesNotTakeTheNew) {
  EXPECT_EQ(GRPC_STATUS_OK, AskAnew(authority_));
  cx_rpc_certificates broken = {"nonsense", "nonsense", nullptr};
  ASSERT_EQ(CX_OK, cx_rpc_server_set_certificates(server, &broken));
  EXPECT_EQ(GRPC_STATUS_OK, AskAnew(authority_));
}

TEST_F(CredentialsTest, DoNotStartAServerThatGRPCTakesThemNotFor) {
  certificates_ = {"nonsense", "nonsense", nullptr};
  cx_error error;
  ASSERT_EQ(CX_OK, cx_rpc_server_new(&options, &server));
  EXPECT_EQ(CX_UNAVAILABLE, cx_rpc_server_start(server, &port, &error));
  EXPECT_NE(nullptr, strstr(error.message, "or gRPC does not take the certificates"));
}

TEST_F(CredentialsTest, AreCopied) {
  std::string certificate = server_.certificate, key = server_.key;
  certificates_ = {certificate.c_str(), key.c_str(), nullptr};
  Start();
  certificate.assign(certificate.size(), 'x');
  key.assign(key.size(), 'x');
  EXPECT_EQ(GRPC_STATUS_OK, AskAnew(authority_));
}

TEST_F(CredentialsTest, LeaveTheLimitOfConnectionsInForce) {
  options.connections_max = 1;
  GrpcClient first = Connect(authority_);
  EXPECT_EQ(GRPC_STATUS_OK, Ask(&first));
  EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, AskAnew(authority_));
  EXPECT_EQ(1u, Statistics().connections);
  EXPECT_EQ(GRPC_STATUS_OK, Ask(&first));
}

TEST_F(CredentialsTest, LeaveAWordOfWhomTheyRefuse) {
  certificates_ = Of(server_, &authority_);
  Start();
  uint64_t before = Statistics().handshakes_failed;
  // More than once, as the last to fail may be a connection of the client before.
  const auto told = [&](const char *reason, const TestCertificate &own) {
    for (int i = 0; i < 20; i++) {
      EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, AskAnew(authority_, own));
      if (std::string(Statistics().handshake_reason) == reason) return true;
    }
    return false;
  };
  EXPECT_TRUE(told("certificate verify failed", other_.Issue("stranger")));
  EXPECT_TRUE(told("peer did not return a certificate", {}));
  EXPECT_LE(before + 2, Statistics().handshakes_failed);
}

TEST_F(CredentialsTest, LetNobodyStayWhoDoesNotBegin) {
  options.handshake_ms = 50;
  Start();
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(0, connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address));
  const timeval patience = {60, 0};  // Less than gRPC has by itself.
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char byte;
  EXPECT_EQ(0, recv(fd, &byte, 1, 0)) << "closed, without a word";
  close(fd);
}

TEST(CredentialsMemoryTest, ChangeNothingWhereMemoryIsShort) {
  cx_rpc_certificates certificates = {"certificate", "key", "authorities"};
  cx_credentials *credentials = nullptr;
  fail_nth fail;
  for (size_t nth = 1;; nth++) {
    fail_nth_begin(&fail, nth);
    cx_status status = cx_credentials_new(&certificates, &credentials);
    if (!fail_nth_end(&fail)) break;
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status);
    EXPECT_EQ(nullptr, credentials);
  }
  for (size_t nth = 1;; nth++) {
    fail_nth_begin(&fail, nth);
    cx_status status = cx_credentials_set(credentials, &certificates);
    if (!fail_nth_end(&fail)) break;
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status);
  }
  cx_credentials_free(credentials);
  cx_credentials_free(nullptr);
}

}  // namespace
