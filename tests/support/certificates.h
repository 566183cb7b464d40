// Certificates for tests, made on the spot: authorities and what they sign.

#ifndef CX_TESTS_SUPPORT_CERTIFICATES_H
#define CX_TESTS_SUPPORT_CERTIFICATES_H

#include <cstdint>
#include <memory>
#include <string>

// A certificate with its key, as PEM.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

class TestAuthority {
 public:
  static constexpr int64_t kDayS = 24 * 3600;

  explicit TestAuthority(const std::string &name);
  ~TestAuthority();

  // Its own certificate: what those have to trust who trust it.
  const std::string &pem() const { return pem_; }

  // Signs a new certificate for localhost and 127.0.0.1, in force from `begin_s` until
  // `expire_s`, counted from now.
  TestCertificate Issue(const std::string &name, int64_t begin_s = -kDayS,
                        int64_t expire_s = 30 * kDayS);

  // The same, with a key of another kind ("P-384", "RSA-1024", "ED25519", any curve's name)
  // and signed with another digest.
  TestCertificate IssueOf(const std::string &key_kind, const std::string &digest);

  // The same, with an extension (NID_ext_key_usage, "clientAuth"), and for other names; "" is
  // for none.
  TestCertificate IssueFor(int extension, const char *value,
                           const char *names = "DNS:localhost,IP:127.0.0.1");

  // Signs a certificate for another authority, likewise: what stands behind a server's own.
  std::string IssueAuthority(const std::string &name, int64_t begin_s = -kDayS,
                             int64_t expire_s = 30 * kDayS);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
  std::string pem_;
};

// The key of a PEM text, written with a passphrase.
std::string WithPassphrase(const std::string &key);

#endif  // CX_TESTS_SUPPORT_CERTIFICATES_H
