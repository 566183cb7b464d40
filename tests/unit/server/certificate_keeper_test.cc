// What server/certificate_keeper.h promises.

#include <openssl/obj_mac.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "tests/unit/tls/tls_fixture.h"

extern "C" {
#include "server/certificate_keeper.h"
#include "server/config/config.h"
#include "server/logging.h"
}

namespace {

class CertificateKeeperTest : public TlsFixture {
 protected:
  CertificateKeeperTest() {
    EXPECT_EQ(0, pipe(pipe_));
    cx_logging_configure(CX_LOGGING_TEXT, CX_LOGGING_INFO, pipe_[1]);
    strcpy(config_->tls_cert, certificate_.c_str());
    strcpy(config_->tls_key, key_.c_str());
  }

  ~CertificateKeeperTest() override {
    cx_certificate_keeper_close(&keeper_);
    cx_logging_configure(CX_LOGGING_TEXT, CX_LOGGING_INFO, STDERR_FILENO);
    close(pipe_[0]);
    close(pipe_[1]);
  }

  std::string Open() {
    char problem[CX_CERTIFICATES_PROBLEM_MAX] = "";
    bool opened = cx_certificate_keeper_open(&keeper_, config_.get(), problem);
    EXPECT_EQ(opened, problem[0] == '\0');
    return Named(problem);
  }

  bool Look() { return cx_certificate_keeper_look(&keeper_, now_s_); }

  // What the log has said since it was asked last.
  std::string Log() {
    char text[16384];
    EXPECT_EQ(1, write(pipe_[1], ".", 1));  // So that there is something to read.
    ssize_t size = read(pipe_[0], text, sizeof text);
    return std::string(text, static_cast<size_t>(size));
  }

  static size_t Count(const std::string &text, const std::string &part) {
    size_t count = 0;
    for (size_t at = 0; (at = text.find(part, at)) != text.npos; at++) count++;
    return count;
  }

  // How often it has said `part`.
  size_t Told(const std::string &part) { return Count(Log(), part); }

  std::unique_ptr<cx_config> config_ = std::make_unique<cx_config>();
  cx_certificate_keeper keeper_ = {};
  int64_t now_s_ = time(nullptr);
  int pipe_[2];
};

TEST_F(CertificateKeeperTest, DoesNothingWithoutTLS) {
  config_->tls_cert[0] = config_->tls_key[0] = '\0';
  EXPECT_EQ("", Open());
  EXPECT_EQ(nullptr, cx_certificate_keeper_get(&keeper_));
  EXPECT_EQ(-1, cx_certificate_keeper_look_ms(&keeper_));
  cx_certificate_keeper_tell(&keeper_, now_s_);
  EXPECT_FALSE(Look());
  EXPECT_EQ(0u, Told("\n"));
}

TEST_F(CertificateKeeperTest, GivesWhatTheConfigurationNames) {
  strcpy(config_->tls_client_ca, authority_file_.c_str());
  Write(authority_file_, authority_.pem());
  EXPECT_EQ("", Open());
  const cx_rpc_certificates *given = cx_certificate_keeper_get(&keeper_);
  ASSERT_NE(nullptr, given);
  EXPECT_EQ(server_.certificate, given->certificate);
  EXPECT_EQ(server_.key, given->key);
  EXPECT_EQ(authority_.pem(), given->client_ca);
  EXPECT_EQ(CX_CERTIFICATE_LOOK_MS, cx_certificate_keeper_look_ms(&keeper_));
  cx_certificate_keeper_tell(&keeper_, now_s_);
  EXPECT_EQ(1u, Told("the port takes TLS"));
}

TEST_F(CertificateKeeperTest, SaysWhatIsWrongWithAFile) {
  Write(key_, "nonsense");
  EXPECT_EQ(0u, Open().find("tls_key KEY holds no private key"));
}

TEST_F(CertificateKeeperTest, GivesWhatTheFilesHoldNow) {
  ASSERT_EQ("", Open());
  TestCertificate next = authority_.Issue("next");
  Put(next);
  EXPECT_FALSE(Look());
  EXPECT_TRUE(Look());
  EXPECT_EQ(next.certificate, cx_certificate_keeper_get(&keeper_)->certificate);
  EXPECT_EQ(next.key, cx_certificate_keeper_get(&keeper_)->key);
}

TEST_F(CertificateKeeperTest, TellsOfOthersOnceTheyAreServedAndNotBefore) {
  ASSERT_EQ("", Open());
  cx_certificate_keeper_tell(&keeper_, now_s_);
  EXPECT_EQ(1u, Told("the port takes TLS"));
  Put(authority_.Issue("next"));
  Look();
  for (int i = 0; i < 2; i++) EXPECT_TRUE(Look()) << "as it was not served yet";
  EXPECT_EQ(0u, Told("\n"));
  cx_certificate_keeper_tell(&keeper_, now_s_);
  EXPECT_FALSE(Look());
  std::string told = Log();
  EXPECT_EQ(1u, Count(told, "new connections get other certificates"));
  EXPECT_EQ(0u, Count(told, "the port takes TLS"));
}

TEST_F(CertificateKeeperTest, TellsOnceThatTheFilesAreBroken) {
  ASSERT_EQ("", Open());
  Write(key_, "nonsense");
  for (int i = 0; i < 4; i++) EXPECT_FALSE(Look());
  EXPECT_EQ(server_.key, cx_certificate_keeper_get(&keeper_)->key);
  EXPECT_EQ(1u, Told("the certificates stay as they were"));
}

TEST_F(CertificateKeeperTest, KeepsWhatItHasWhereTheNextWouldBeServedToNobody) {
  ASSERT_EQ("", Open());
  Put(authority_.IssueOf("RSA-1024", "SHA256"));
  for (int i = 0; i < 4; i++) EXPECT_FALSE(Look());
  EXPECT_EQ(server_.key, cx_certificate_keeper_get(&keeper_)->key);
  EXPECT_EQ(1u, Told("would be served to nobody (OpenSSL: ee key too small)"));
}

TEST_F(CertificateKeeperTest, TellsEachAgeOnceAndThatOfTheNextAgain) {
  ASSERT_EQ("", Open());
  cx_certificate_keeper_tell(&keeper_, now_s_);
  EXPECT_EQ(0u, Told("warning"));
  now_s_ += 25 * TestAuthority::kDayS;
  for (int i = 0; i < 3; i++) Look();
  EXPECT_EQ(1u, Told("expires soon"));
  now_s_ += 25 * TestAuthority::kDayS;
  for (int i = 0; i < 3; i++) Look();
  EXPECT_EQ(1u, Told("has expired"));
  Put(authority_.Issue("next"));
  for (int i = 0; i < 2; i++) Look();
  cx_certificate_keeper_tell(&keeper_, now_s_);
  for (int i = 0; i < 3; i++) Look();
  EXPECT_EQ(1u, Told("has expired"));
}

TEST_F(CertificateKeeperTest, TellsTheAgesOfAllThatPlayAPart) {
  strcpy(config_->tls_client_ca, authority_file_.c_str());
  Write(authority_file_, authority_.pem() + authority_.IssueAuthority("old", -7200, -3600));
  Write(certificate_, server_.certificate + authority_.IssueAuthority("between", -7200, -3600));
  ASSERT_EQ("", Open());
  for (int i = 0; i < 2; i++) cx_certificate_keeper_warn(&keeper_, now_s_);
  std::string told = Log();
  EXPECT_EQ(1u, Count(told, "a certificate behind the server's own has expired")) << told;
  EXPECT_EQ(1u, Count(told, "an authority of clients has expired")) << told;
  EXPECT_EQ(2u, Count(told, "warning")) << told;
}

TEST_F(CertificateKeeperTest, TellsThatTheKeyOfTheNextIsReadableByEverybody) {
  ASSERT_EQ("", Open());
  cx_certificate_keeper_tell(&keeper_, now_s_);
  EXPECT_EQ(0u, Told("every user of this machine"));
  Put(authority_.Issue("next"));
  chmod(key_.c_str(), 0644);
  for (int i = 0; i < 2; i++) Look();
  cx_certificate_keeper_tell(&keeper_, now_s_);
  EXPECT_EQ(1u, Told("every user of this machine"));
}

TEST_F(CertificateKeeperTest, WarnsOfACertificateWithoutNamesAndOfNoneWithoutTLS) {
  cx_certificate_keeper_warn(&keeper_, now_s_);
  EXPECT_EQ(0u, Told("\n"));
  Put(authority_.IssueFor(NID_key_usage, "digitalSignature", ""));
  ASSERT_EQ("", Open());
  cx_certificate_keeper_warn(&keeper_, now_s_);
  EXPECT_EQ(1u, Told("has no subjectAltName"));
}

TEST_F(CertificateKeeperTest, TellsOfThoseWhoWereRefusedAtOnceAndThenOnceAMinute) {
  const auto told = [&](uint64_t count, const char *what) {
    cx_certificate_keeper_refused(&keeper_, count, "why", now_s_);
    return Told(what);
  };
  EXPECT_EQ(0u, told(0, "handshakes="));
  EXPECT_EQ(1u, told(2, "handshakes=2 last_reason=why"));
  now_s_ += CX_REFUSED_TOLD_S - 1;
  EXPECT_EQ(0u, told(5, "handshakes="));
  now_s_ += 1;
  EXPECT_EQ(1u, told(7, "handshakes=5 last_reason=why"));
  now_s_ += 2 * CX_REFUSED_TOLD_S;
  EXPECT_EQ(0u, told(7, "handshakes="));
  EXPECT_EQ(1u, told(8, "handshakes=1 last_reason=why"));
  now_s_ -= 10 * CX_REFUSED_TOLD_S;
  EXPECT_EQ(1u, told(9, "handshakes=1 last_reason=why")) << "the clock was put back";
}

}  // namespace
