// What server/tls/certificates.h promises.

#include "tests/unit/tls/tls_fixture.h"

#include <openssl/obj_mac.h>

#include <cstring>
#include <ctime>

extern "C" {
#include "tests/support/fail_nth.h"
}

namespace {

class CertificatesTest : public TlsFixture {
 protected:
  ~CertificatesTest() override { cx_certificates_done(&certificates_); }

  // The problem with the files, or "".
  std::string Load() {
    char problem[CX_CERTIFICATES_PROBLEM_MAX] = "";
    cx_certificates_done(&certificates_);
    bool loaded = cx_certificates_load(&files_, &certificates_, problem);
    EXPECT_EQ(loaded, problem[0] == '\0');
    return Named(problem);
  }

  void Has(const std::string &text, const std::string &part) {
    EXPECT_NE(std::string::npos, text.find(part)) << text << "\nwithout\n" << part;
  }

  cx_certificates certificates_ = {};
};

TEST_F(CertificatesTest, LoadsWhatBelongsTogether) {
  AskClients();
  EXPECT_EQ("", Load());
  EXPECT_EQ(server_.certificate, certificates_.certificate);
  EXPECT_EQ(server_.key, certificates_.key);
  EXPECT_EQ(authority_.pem(), certificates_.client_ca);
}

TEST_F(CertificatesTest, KnowsTheLifeOfEachCertificate) {
  TestAuthority other("other");
  Write(certificate_, server_.certificate + authority_.IssueAuthority("between", -60, 3600));
  files_.client_ca = authority_file_.c_str();
  Write(authority_file_, authority_.pem() + other.pem());
  ASSERT_EQ("", Load());
  const struct {
    cx_certificate_role role;
    const char *subject;
    int64_t begin_s, expire_s;
  } expected[] = {
      {CX_CERTIFICATE_OWN, "CN=server", -TestAuthority::kDayS, 30 * TestAuthority::kDayS},
      {CX_CERTIFICATE_SIGNER, "CN=between", -60, 3600},
      {CX_CERTIFICATE_AUTHORITY, "CN=authority", -TestAuthority::kDayS, 30 * TestAuthority::kDayS},
      {CX_CERTIFICATE_AUTHORITY, "CN=other", -TestAuthority::kDayS, 30 * TestAuthority::kDayS},
  };
  ASSERT_EQ(4u, certificates_.life_count);
  for (size_t i = 0; i < 4; i++) {
    const cx_certificate_life &life = certificates_.lives[i];
    EXPECT_EQ(expected[i].role, life.role);
    EXPECT_STREQ(expected[i].subject, life.subject);
    EXPECT_NEAR(time(nullptr) + expected[i].begin_s, life.begin_s, 600);
    EXPECT_NEAR(time(nullptr) + expected[i].expire_s, life.expire_s, 600);
    EXPECT_EQ(CX_CERTIFICATE_IN_FORCE, life.told);
  }
}

TEST_F(CertificatesTest, KnowsWhomTheServersOwnStandsFor) {
  const auto names = [&](const char *given) {
    Put(authority_.IssueFor(NID_key_usage, "digitalSignature", given));
    EXPECT_EQ("", Load());
    return std::string(certificates_.names);
  };
  EXPECT_EQ("DNS:localhost, IP Address:127.0.0.1, URI:spiffe://a/b",
            names("DNS:localhost,IP:127.0.0.1,URI:spiffe://a/b"));
  EXPECT_EQ("", names(""));
  std::string many = "DNS:a";
  for (int i = 0; i < 200; i++) many += ",DNS:a";
  EXPECT_EQ(CX_CERTIFICATE_NAMES_MAX - 1u, names(many.c_str()).size());
}

TEST_F(CertificatesTest, WritesNamesWithoutAnythingThatIsNoText) {
  Put(authority_.Issue("a\n\xc3\xa9"));
  ASSERT_EQ("", Load());
  EXPECT_STREQ("CN=a\\0A\\C3\\A9", certificates_.lives[0].subject);
  Put(authority_.Issue(std::string(64, 'x')));
  ASSERT_EQ("", Load());
  EXPECT_EQ("CN=" + std::string(64, 'x'), certificates_.lives[0].subject);
}

TEST_F(CertificatesTest, LoadsNoAuthoritiesWhereClientsNeedNone) {
  EXPECT_EQ("", Load());
  EXPECT_EQ(nullptr, certificates_.client_ca);
}

TEST_F(CertificatesTest, TakesCertificatesBehindTheFirst) {
  Write(certificate_, server_.certificate + authority_.pem());
  EXPECT_EQ("", Load());
}

TEST_F(CertificatesTest, NamesAFileThatIsMissingOrNone) {
  remove(key_.c_str());
  Has(Load(), "tls_key KEY cannot be read: No such file or directory");
  mkdir(key_.c_str(), 0700);
  Has(Load(), "tls_key KEY is no file");
  AskClients();
  Write(key_, server_.key);
  remove(authority_file_.c_str());
  rmdir(key_.c_str());
  Write(key_, server_.key);
  Has(Load(), "tls_client_ca CA cannot be read");
}

TEST_F(CertificatesTest, NamesAFileThatIsFarTooLarge) {
  Write(certificate_, std::string(CX_CERTIFICATE_FILE_MAX + 1, 'x'));
  Has(Load(), "tls_cert CERT has more than 1048576 bytes");
}

TEST_F(CertificatesTest, NamesAFileWithoutACertificate) {
  for (const std::string &text : {std::string(), std::string("nonsense"), server_.key}) {
    Write(certificate_, text);
    Has(Load(), "tls_cert CERT holds no certificate, or a broken one: it must be PEM");
  }
  Put(server_);
  AskClients();
  Write(authority_file_, "nonsense");
  Has(Load(), "tls_client_ca CA holds no certificate");
}

TEST_F(CertificatesTest, NamesAFileWithABrokenCertificateBehindAGoodOne) {
  std::string broken = authority_.pem();
  broken[broken.size() / 2] = '!';
  Write(certificate_, server_.certificate + broken);
  Has(Load(), "tls_cert CERT holds no certificate, or a broken one");
}

// A file that is being written has every length once. Where whole certificates are there it
// looks like a whole file: that is why it is judged when it was the same for two looks.
TEST_F(CertificatesTest, TakesNoFileThatIsCutWithinACertificate) {
  const size_t first = server_.certificate.size(), begin = strlen("-----BEGIN CERTIFICATE-----");
  const std::string whole = server_.certificate + authority_.pem();
  for (size_t size = 0; size < whole.size() - 1; size += 11) {
    Write(certificate_, whole.substr(0, size));
    EXPECT_EQ(size >= first - 1 && size < first + begin, Load().empty()) << size;
  }
}

TEST_F(CertificatesTest, NamesAFileWithoutAKey) {
  Write(key_, server_.certificate);
  Has(Load(), "tls_key KEY holds no private key: it must be PEM");
}

TEST_F(CertificatesTest, SaysThatAKeyHasAPassphrase) {
  Write(key_, WithPassphrase(server_.key));
  Has(Load(), "tls_key KEY has a passphrase");
}

TEST_F(CertificatesTest, SaysThatAKeyIsNotThatOfTheCertificate) {
  Write(key_, authority_.Issue("server").key);
  Has(Load(), "tls_key KEY is not the key of the certificate in tls_cert CERT");
  Put(server_);
  Write(certificate_, authority_.pem() + server_.certificate);
  Has(Load(), "the server's own certificate comes first");
}

TEST_F(CertificatesTest, SaysThatACertificateWouldBeServedToNobody) {
  Put(authority_.IssueOf("RSA-1024", "SHA256"));
  Has(Load(), "tls_cert CERT would be served to nobody (OpenSSL: ee key too small): take keys of");
}

TEST_F(CertificatesTest, SaysThatACertificateIsNotForServers) {
  for (const char *usage : {"serverAuth", "clientAuth,serverAuth"}) {
    Put(authority_.IssueFor(NID_ext_key_usage, usage));
    EXPECT_EQ("", Load()) << usage;
  }
  Put(authority_.IssueFor(NID_key_usage, "digitalSignature"));
  EXPECT_EQ("", Load());
  Put(authority_.IssueFor(NID_ext_key_usage, "clientAuth"));
  Has(Load(), "tls_cert CERT is no certificate of a server, so that clients refuse it");
  Put(authority_.IssueFor(NID_key_usage, "keyCertSign"));
  Has(Load(), "tls_cert CERT is no certificate of a server, so that clients refuse it");
}

TEST_F(CertificatesTest, KnowsAKeyThatEverybodyMayRead) {
  ASSERT_EQ("", Load());
  EXPECT_FALSE(certificates_.key_exposed);
  chmod(key_.c_str(), 0640);
  ASSERT_EQ("", Load());
  EXPECT_FALSE(certificates_.key_exposed) << "a group is meant";
  chmod(key_.c_str(), 0644);
  ASSERT_EQ("", Load());
  EXPECT_TRUE(certificates_.key_exposed);
}

TEST_F(CertificatesTest, AreEqualWhereTheirBytesAre) {
  AskClients();
  ASSERT_EQ("", Load());
  cx_certificates other = certificates_;
  std::string changed = server_.key + "\n";
  EXPECT_TRUE(cx_certificates_equal(&certificates_, &other));
  other.key = &changed[0];
  EXPECT_FALSE(cx_certificates_equal(&certificates_, &other));
  other = certificates_;
  other.client_ca = nullptr;
  EXPECT_FALSE(cx_certificates_equal(&certificates_, &other));
  EXPECT_FALSE(cx_certificates_equal(&other, &certificates_));
}

TEST(CertificateAgeTest, IsSoonOverWhereAQuarterOfItsTimeIsLeft) {
  cx_certificate_life life = {};
  life.begin_s = 1000;
  life.expire_s = 1400;
  EXPECT_EQ(CX_CERTIFICATE_NOT_YET, cx_certificate_age(&life, 999));
  EXPECT_EQ(CX_CERTIFICATE_IN_FORCE, cx_certificate_age(&life, 1000));
  EXPECT_EQ(CX_CERTIFICATE_IN_FORCE, cx_certificate_age(&life, 1299));
  EXPECT_EQ(CX_CERTIFICATE_EXPIRES_SOON, cx_certificate_age(&life, 1300));
  EXPECT_EQ(CX_CERTIFICATE_EXPIRES_SOON, cx_certificate_age(&life, 1399));
  EXPECT_EQ(CX_CERTIFICATE_EXPIRED, cx_certificate_age(&life, 1400));
}

TEST(CertificateAgeTest, IsSoonOverSevenDaysBeforeAtMost) {
  const int64_t days_7 = 7 * 24 * 3600;
  cx_certificate_life life = {};
  life.expire_s = 100 * days_7;
  EXPECT_EQ(CX_CERTIFICATE_IN_FORCE, cx_certificate_age(&life, 99 * days_7 - 1));
  EXPECT_EQ(CX_CERTIFICATE_EXPIRES_SOON, cx_certificate_age(&life, 99 * days_7));
}

TEST_F(CertificatesTest, LosesNothingWhereMemoryIsShort) {
  AskClients();
  fail_nth fail;
  for (size_t nth = 1;; nth++) {
    fail_nth_begin(&fail, nth);
    std::string problem = Load();
    if (!fail_nth_end(&fail)) break;
    Has(problem, "out of memory");
  }
}

}  // namespace
