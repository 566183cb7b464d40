// The lines that tell of start and stop, read back from a pipe.

extern "C" {
#include "server/notices.h"
#include "core/engine/engine.h"
#include "server/config/config.h"
#include "server/logging.h"
}

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace {

class NoticesTest : public testing::Test {
 protected:
  NoticesTest() {
    EXPECT_EQ(0, pipe(pipe_));
    cx_logging_configure(CX_LOGGING_TEXT, CX_LOGGING_INFO, pipe_[1]);
    strcpy(config_.data_dir, "d");
    strcpy(config_.listen, "127.0.0.1:0");
  }
  ~NoticesTest() override {
    cx_logging_configure(CX_LOGGING_TEXT, CX_LOGGING_INFO, STDERR_FILENO);
    close(pipe_[0]);
    close(pipe_[1]);
  }

  std::string Written() {
    char text[8192];
    EXPECT_EQ(1, write(pipe_[1], ".", 1));  // So that there is something to read.
    ssize_t size = read(pipe_[0], text, sizeof text);
    return std::string(text, static_cast<size_t>(size));
  }

  bool Tells(const std::string &what) {
    written_ = Written();
    return written_.find(what) != std::string::npos;
  }

  cx_config config_{};
  cx_engine_report report_{};
  std::string written_;

 private:
  int pipe_[2];
};

TEST_F(NoticesTest, WhyThereIsNoServerIsOneLine) {
  cx_notice_cannot_start(&config_, "the disk is odd", "very");
  EXPECT_TRUE(Tells("error   cannot start: the disk is odd: very data_dir=d\n.")) << written_;
}

TEST_F(NoticesTest, ARecoveryTellsWhatWasFound) {
  report_.revision = 7;
  report_.context_count = 3;
  report_.replay_us = 2500;
  report_.log_bytes = 100;
  cx_notice_opened(&config_, &report_);
  EXPECT_TRUE(Tells("recovered data_dir=d revision=7 contexts=3 replay_ms=2 last_stop=crash\n"));
  EXPECT_NE(std::string::npos, written_.find("log_bytes=100"));
  EXPECT_EQ(std::string::npos, written_.find("cut off"));
}

TEST_F(NoticesTest, TornAndLostBytesAreTold) {
  report_.torn_bytes = 12;
  report_.data_lost = true;
  strcpy(report_.data_loss, "file x");
  cx_notice_opened(&config_, &report_);
  EXPECT_TRUE(Tells("info    cut off writes that were never answered bytes=12\n"));
  EXPECT_NE(std::string::npos, written_.find("warning DATA WAS LOST"));
  EXPECT_NE(std::string::npos, written_.find("what=\"file x\""));
}

TEST_F(NoticesTest, RisksAreLoudAndTheirAbsenceIsSilent) {
  cx_notice_risks(&config_);
  EXPECT_EQ(".", Written());
  config_.durability = CX_DURABILITY_UNSYNCED;
  config_.insecure = true;
  cx_notice_risks(&config_);
  EXPECT_TRUE(Tells("warning NOTHING IS SYNCED"));
  EXPECT_NE(std::string::npos, written_.find("warning no TLS"));
}

TEST_F(NoticesTest, TLSWithoutCertificatesOfClientsIsARisk) {
  config_.insecure = true;
  strcpy(config_.tls_cert, "cert");
  cx_notice_risks(&config_);
  EXPECT_TRUE(Tells("warning TLS without tls_client_ca"));
  EXPECT_EQ(std::string::npos, written_.find("no TLS")) << "there is some";
  strcpy(config_.tls_client_ca, "ca");
  cx_notice_risks(&config_);
  EXPECT_EQ(".", Written());
}

TEST_F(NoticesTest, CertificatesTellTheirFilesAndUntilWhenTheyHold) {
  char pem[] = "pem";
  cx_certificate_life life = {};
  cx_certificates certificates = {};
  life.expire_s = 1700000000;
  strcpy(life.subject, "CN=us");
  strcpy(certificates.names, "DNS:us");
  certificates.lives = &life;
  certificates.life_count = 1;
  strcpy(config_.tls_cert, "cert");
  strcpy(config_.tls_client_ca, "ca");
  cx_notice_certificates(&config_, &certificates, false);
  EXPECT_TRUE(
      Tells("info    the port takes TLS tls_cert=cert subject=\"CN=us\" names=DNS:us "
            "expires=2023-11-14T22:13:20Z\n"));
  certificates.client_ca = pem;
  cx_notice_certificates(&config_, &certificates, true);
  EXPECT_TRUE(Tells(
      "info    new connections get other certificates tls_cert=cert subject=\"CN=us\" names=DNS:us "
      "expires=2023-11-14T22:13:20Z tls_client_ca=ca\n"));
}

TEST_F(NoticesTest, AKeyThatEverybodyMayReadIsNamed) {
  strcpy(config_.tls_key, "key");
  cx_notice_exposed_key(&config_);
  EXPECT_TRUE(Tells("warning every user of this machine may read"));
  EXPECT_NE(std::string::npos, written_.find("tls_key=key\n"));
}

TEST_F(NoticesTest, ACertificateWithoutNamesIsNamed) {
  strcpy(config_.tls_cert, "cert");
  cx_notice_nameless(&config_);
  EXPECT_TRUE(Tells("warning the server's certificate has no subjectAltName"));
  EXPECT_NE(std::string::npos, written_.find("tls_cert=cert\n"));
}

TEST_F(NoticesTest, OnlyAgesThatSomebodyMindsAreTold) {
  const char *const whose[] = {"the server's certificate", "a certificate behind the server's own",
                               "an authority of clients"};
  strcpy(config_.tls_cert, "cert");
  strcpy(config_.tls_client_ca, "ca");
  for (int role = CX_CERTIFICATE_OWN; role <= CX_CERTIFICATE_AUTHORITY; role++) {
    cx_certificate_life life = {};
    life.role = static_cast<cx_certificate_role>(role);
    strcpy(life.subject, "CN=it");
    cx_notice_certificate_age(&config_, &life, CX_CERTIFICATE_IN_FORCE);
    EXPECT_EQ(".", Written());
    cx_notice_certificate_age(&config_, &life, CX_CERTIFICATE_EXPIRES_SOON);
    EXPECT_TRUE(Tells(std::string("warning ") + whose[role] + " expires soon")) << written_;
    cx_notice_certificate_age(&config_, &life, CX_CERTIFICATE_NOT_YET);
    EXPECT_TRUE(Tells(std::string("warning ") + whose[role] + " is not valid yet")) << written_;
    cx_notice_certificate_age(&config_, &life, CX_CERTIFICATE_EXPIRED);
    EXPECT_TRUE(Tells(std::string("warning ") + whose[role] + " has expired")) << written_;
    std::string file = role == CX_CERTIFICATE_AUTHORITY ? "tls_client_ca=ca" : "tls_cert=cert";
    EXPECT_NE(std::string::npos, written_.find(file + " subject=\"CN=it\" expires=1970-01-01"));
  }
}

TEST_F(NoticesTest, WhoGetsNoConnectionIsAWarning) {
  cx_notice_handshakes_failed(3, "certificate verify failed");
  EXPECT_TRUE(
      Tells("warning clients got no connection, as their TLS handshakes failed handshakes=3 "
            "last_reason=\"certificate verify failed\"\n"))
      << written_;
}

TEST_F(NoticesTest, ServingTellsThePortThatWasTaken) {
  strcpy(config_.listen, "[::1]:0");
  cx_notice_serving(&config_, 4711);
  EXPECT_TRUE(Tells("serving address=[::1]:4711 version=")) << written_;
}

TEST_F(NoticesTest, AReloadTellsWhatItCannotChange) {
  cx_notice_reloaded("listen, pollers");
  EXPECT_TRUE(Tells("only_after_a_restart=\"listen, pollers\""));
  cx_notice_reload_failed("a: wrong\nb: wrong\n");
  EXPECT_TRUE(Tells("problem=\"a: wrong\"\n"));
  EXPECT_NE(std::string::npos, written_.find("problem=\"b: wrong\"\n."));
}

TEST_F(NoticesTest, AFullDiskIsAWarningAndRoomIsNone) {
  cx_notice_disk_full(true);
  EXPECT_TRUE(Tells("warning the disk is full: "));
  cx_notice_disk_full(false);
  EXPECT_TRUE(Tells("info    the disk has room again\n"));
}

TEST_F(NoticesTest, StoppingTellsWhy) {
  config_.shutdown_grace_us = 5000;
  cx_notice_stopping(&config_, SIGTERM);
  EXPECT_TRUE(Tells("signal=SIGTERM grace_ms=5"));
  cx_notice_disk_failed(&config_, "I/O error");
  EXPECT_TRUE(Tells("error   the disk failed"));
}

}  // namespace
