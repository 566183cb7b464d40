// What server/tls/certificate_watch.h promises.

#include "tests/unit/tls/tls_fixture.h"

extern "C" {
#include "server/tls/certificate_watch.h"
}

namespace {

class CertificateWatchTest : public TlsFixture {
 protected:
  CertificateWatchTest() {
    char problem[CX_CERTIFICATES_PROBLEM_MAX] = "";
    EXPECT_TRUE(cx_certificate_watch_init(&watch_, &files_, problem)) << problem;
  }

  ~CertificateWatchTest() override { cx_certificate_watch_done(&watch_); }

  cx_certificate_news Look() {
    char problem[CX_CERTIFICATES_PROBLEM_MAX] = "";
    cx_certificate_news news = cx_certificate_watch_look(&watch_, problem);
    EXPECT_EQ(news == CX_CERTIFICATES_BROKEN, problem[0] != '\0');
    problem_ = Named(problem);
    return news;
  }

  cx_certificate_watch watch_;
  std::string problem_;
  TestCertificate next_ = authority_.Issue("next");
};

TEST_F(CertificateWatchTest, SaysNothingWhileNothingChanges) {
  for (int i = 0; i < 3; i++) EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
}

TEST_F(CertificateWatchTest, TakesOverWhatTwoLooksHaveSeen) {
  Put(next_);
  EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
  EXPECT_EQ(server_.certificate, watch_.in_force.certificate);
  EXPECT_EQ(CX_CERTIFICATES_CHANGED, Look());
  EXPECT_EQ(next_.certificate, watch_.in_force.certificate);
  EXPECT_EQ(next_.key, watch_.in_force.key);
  EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
}

TEST_F(CertificateWatchTest, SaysNothingWhenItLooksBetweenTwoFiles) {
  Write(certificate_, next_.certificate);
  EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
  Write(key_, next_.key);
  EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
  EXPECT_EQ(CX_CERTIFICATES_CHANGED, Look());
}

TEST_F(CertificateWatchTest, KeepsWhatIsInForceWhereTheFilesAreBrokenAndSaysSoOnce) {
  Write(key_, next_.key);
  EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
  EXPECT_EQ(CX_CERTIFICATES_BROKEN, Look());
  EXPECT_EQ(0u, problem_.find("tls_key KEY is not the key of")) << problem_;
  for (int i = 0; i < 3; i++) EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
  EXPECT_EQ(server_.key, watch_.in_force.key);
}

TEST_F(CertificateWatchTest, SaysThatAFileIsGoneAndGoesOnWhenItIsBack) {
  remove(certificate_.c_str());
  EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
  EXPECT_EQ(CX_CERTIFICATES_BROKEN, Look());
  EXPECT_EQ(0u, problem_.find("tls_cert CERT cannot be read")) << problem_;
  EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
  Put(next_);
  EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
  EXPECT_EQ(CX_CERTIFICATES_CHANGED, Look());
}

TEST_F(CertificateWatchTest, SaysAnotherBreakageToo) {
  Write(key_, "nonsense");
  Look();
  EXPECT_EQ(CX_CERTIFICATES_BROKEN, Look());
  Write(certificate_, "nonsense");
  Look();
  EXPECT_EQ(CX_CERTIFICATES_BROKEN, Look());
  EXPECT_EQ(0u, problem_.find("tls_cert CERT")) << problem_;
}

TEST_F(CertificateWatchTest, SaysTheSameBreakageAgainWhenItWasMendedInBetween) {
  for (int i = 0; i < 2; i++) {
    Write(key_, "nonsense");
    Look();
    EXPECT_EQ(CX_CERTIFICATES_BROKEN, Look());
    Put(server_);
    EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
    EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
  }
}

TEST_F(CertificateWatchTest, SeesOtherAuthorities) {
  AskClients();
  char problem[CX_CERTIFICATES_PROBLEM_MAX] = "";
  cx_certificate_watch_done(&watch_);
  ASSERT_TRUE(cx_certificate_watch_init(&watch_, &files_, problem)) << problem;
  TestAuthority other("other");
  Write(authority_file_, authority_.pem() + other.pem());
  Look();
  EXPECT_EQ(CX_CERTIFICATES_CHANGED, Look());
  EXPECT_EQ(authority_.pem() + other.pem(), watch_.in_force.client_ca);
}

TEST_F(CertificateWatchTest, BeginsOnlyWithWhatCanBeServed) {
  char problem[CX_CERTIFICATES_PROBLEM_MAX] = "";
  Write(key_, "nonsense");
  cx_certificate_watch watch;
  EXPECT_FALSE(cx_certificate_watch_init(&watch, &files_, problem));
  EXPECT_NE('\0', problem[0]);
}

}  // namespace
