// What server/tls/trial.h promises: what gRPC would not serve is refused, the rest is not.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/certificates.h"

extern "C" {
#include "server/tls/trial.h"
}

namespace {

// The reason why the certificate is refused, or "".
std::string Try(const TestCertificate &served, const std::string &behind = "") {
  char reason[CX_TRIAL_REASON_MAX] = "";
  bool ok = cx_trial_handshake((served.certificate + behind).c_str(), served.key.c_str(), reason);
  EXPECT_EQ(ok, reason[0] == '\0');
  return reason;
}

TEST(TrialTest, TakesWhatAuthoritiesSignNowadays) {
  TestAuthority authority("authority");
  for (const char *key : {"P-256", "P-384", "RSA-2048", "ED25519"}) {
    EXPECT_EQ("", Try(authority.IssueOf(key, "SHA256"))) << key;
  }
  EXPECT_EQ("", Try(authority.IssueOf("P-256", "SHA384")));
}

TEST(TrialTest, TakesOtherTimesAndLongChains) {
  TestAuthority authority("authority");
  TestCertificate served = authority.Issue("server", -2 * TestAuthority::kDayS, -1);
  std::string behind;
  for (int i = 0; i < 100; i++) behind += authority.pem();
  EXPECT_EQ("", Try(served));
  EXPECT_EQ("", Try(served, behind));
}

TEST(TrialTest, RefusesAKeyThatIsTooSmall) {
  TestAuthority authority("authority");
  EXPECT_EQ("ee key too small", Try(authority.IssueOf("RSA-1024", "SHA256")));
}

TEST(TrialTest, RefusesASignatureThatIsTooOld) {
  TestAuthority authority("authority");
  EXPECT_EQ("ca md too weak", Try(authority.IssueOf("P-256", "SHA1")));
}

TEST(TrialTest, RefusesACurveThatNoClientTakes) {
  TestAuthority authority("authority");
  EXPECT_NE("", Try(authority.IssueOf("secp256k1", "SHA256")));
}

TEST(TrialTest, RefusesAWeakCertificateBehindAGoodOne) {
  TestAuthority authority("authority");
  EXPECT_EQ("ca key too small",
            Try(authority.Issue("server"), authority.IssueOf("RSA-1024", "SHA256").certificate));
}

TEST(TrialTest, RefusesWhatIsNoCertificateOrNotItsKey) {
  TestAuthority authority("authority");
  TestCertificate one = authority.Issue("one"), other = authority.Issue("other");
  EXPECT_EQ("key values mismatch", Try({one.certificate, other.key}));
  EXPECT_EQ("no start line", Try({"nonsense", one.key}));
}

TEST(TrialTest, LeavesNothingBehindInTheQueueOfErrors) {
  TestAuthority authority("authority");
  EXPECT_NE("", Try(authority.IssueOf("RSA-1024", "SHA256")));
  EXPECT_EQ("", Try(authority.Issue("server")));
}

}  // namespace
