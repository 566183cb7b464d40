// What server/tls/certificate_watch.h promises.

#include "tests/unit/tls/tls_fixture.h"

#include <unistd.h>

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

// Kubernetes mounts a secret as links to files below `..data`, a link itself to a folder for
// each state of the secret, and replaces that one by renaming.
TEST_F(CertificateWatchTest, FollowsLinksThatAreReplacedAsKubernetesDoes) {
  const std::string mount = folder_ + "/mount", link = mount + "/..data";
  const auto mount_state = [&](const char *name, const TestCertificate &state) {
    ASSERT_EQ(0, mkdir((mount + "/" + name).c_str(), 0700));
    Write(mount + "/" + name + "/tls.crt", state.certificate);
    Write(mount + "/" + name + "/tls.key", state.key);
    ASSERT_EQ(0, symlink(name, (link + "_tmp").c_str()));
    ASSERT_EQ(0, rename((link + "_tmp").c_str(), link.c_str()));
  };
  certificate_ = mount + "/tls.crt";
  key_ = mount + "/tls.key";
  ASSERT_EQ(0, mkdir(mount.c_str(), 0700));
  ASSERT_EQ(0, symlink("..data/tls.crt", certificate_.c_str()));
  ASSERT_EQ(0, symlink("..data/tls.key", key_.c_str()));
  mount_state("..1", server_);
  files_.certificate = certificate_.c_str();
  files_.key = key_.c_str();
  char problem[CX_CERTIFICATES_PROBLEM_MAX] = "";
  cx_certificate_watch_done(&watch_);
  ASSERT_TRUE(cx_certificate_watch_init(&watch_, &files_, problem)) << problem;

  mount_state("..2", next_);
  EXPECT_EQ(CX_CERTIFICATES_SAME, Look());
  EXPECT_EQ(CX_CERTIFICATES_CHANGED, Look());
  EXPECT_EQ(next_.certificate, watch_.in_force.certificate);
  EXPECT_EQ(next_.key, watch_.in_force.key);
}

TEST_F(CertificateWatchTest, BeginsOnlyWithWhatCanBeServed) {
  char problem[CX_CERTIFICATES_PROBLEM_MAX] = "";
  Write(key_, "nonsense");
  cx_certificate_watch watch;
  EXPECT_FALSE(cx_certificate_watch_init(&watch, &files_, problem));
  EXPECT_NE('\0', problem[0]);
}

}  // namespace
