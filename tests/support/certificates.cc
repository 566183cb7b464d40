#include "tests/support/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>

struct TestAuthority::Parts {
  X509 *certificate;
  EVP_PKEY *key;
};

namespace {

// What `write` writes.
template <typename Write>
std::string Written(Write write) {
  BIO *bio = BIO_new(BIO_s_mem());
  write(bio);
  char *data;
  long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string PemOf(X509 *certificate) {
  return Written([&](BIO *bio) { PEM_write_bio_X509(bio, certificate); });
}

std::string PemOf(EVP_PKEY *key) {
  return Written(
      [&](BIO *bio) { PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

void Extend(X509 *certificate, int kind, const char *value) {
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// A certificate for `key` that nobody has signed yet.
X509 *Unsigned(const std::string &name, EVP_PKEY *key, int64_t begin_s, int64_t expire_s) {
  static std::atomic<int> serial{1};
  X509 *certificate = X509_new();
  X509_set_version(certificate, 2);  // Version 3.
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), begin_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), expire_s);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char *>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate, key);
  return certificate;
}

void Sign(X509 *certificate, X509 *issuer, EVP_PKEY *issuer_key,
          const EVP_MD *digest = EVP_sha256()) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  X509_sign(certificate, issuer_key, digest);
}

// "RSA-2048", "ED25519", or the name of a curve.
EVP_PKEY *KeyOf(const std::string &kind) {
  if (kind.rfind("RSA-", 0) == 0) return EVP_RSA_gen(std::stoul(kind.substr(4)));
  if (kind == "ED25519") return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  return EVP_EC_gen(kind.c_str());
}

// A certificate as PEM, which is given up.
std::string Given(X509 *certificate) {
  std::string pem = PemOf(certificate);
  X509_free(certificate);
  return pem;
}

}  // namespace

TestAuthority::TestAuthority(const std::string &name) : parts_(std::make_unique<Parts>()) {
  parts_->key = EVP_EC_gen("P-256");
  parts_->certificate = Unsigned(name, parts_->key, -kDayS, 30 * kDayS);
  Extend(parts_->certificate, NID_basic_constraints, "critical,CA:TRUE");
  Sign(parts_->certificate, parts_->certificate, parts_->key);
  pem_ = PemOf(parts_->certificate);
}

TestAuthority::~TestAuthority() {
  X509_free(parts_->certificate);
  EVP_PKEY_free(parts_->key);
}

TestCertificate TestAuthority::Issue(const std::string &name, int64_t begin_s, int64_t expire_s) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = Unsigned(name, key, begin_s, expire_s);
  Extend(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  Sign(certificate, parts_->certificate, parts_->key);
  TestCertificate made = {Given(certificate), PemOf(key)};
  EVP_PKEY_free(key);
  return made;
}

TestCertificate TestAuthority::IssueOf(const std::string &key_kind, const std::string &digest) {
  EVP_PKEY *key = KeyOf(key_kind);
  X509 *certificate = Unsigned("server", key, -kDayS, 30 * kDayS);
  Extend(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  Sign(certificate, parts_->certificate, parts_->key, EVP_get_digestbyname(digest.c_str()));
  TestCertificate made = {Given(certificate), PemOf(key)};
  EVP_PKEY_free(key);
  return made;
}

TestCertificate TestAuthority::IssueFor(int extension, const char *value, const char *names) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = Unsigned("server", key, -kDayS, 30 * kDayS);
  if (names[0] != '\0') Extend(certificate, NID_subject_alt_name, names);
  Extend(certificate, extension, value);
  Sign(certificate, parts_->certificate, parts_->key);
  TestCertificate made = {Given(certificate), PemOf(key)};
  EVP_PKEY_free(key);
  return made;
}

std::string TestAuthority::IssueAuthority(const std::string &name, int64_t begin_s,
                                          int64_t expire_s) {
  X509 *certificate = Unsigned(name, parts_->key, begin_s, expire_s);
  Extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
  Sign(certificate, parts_->certificate, parts_->key);
  return Given(certificate);
}

std::string WithPassphrase(const std::string &key) {
  BIO *bio = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
  EVP_PKEY *parsed = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  std::string text = Written([&](BIO *out) {
    unsigned char phrase[] = "secret";
    PEM_write_bio_PrivateKey(out, parsed, EVP_aes_128_cbc(), phrase, 6, nullptr, nullptr);
  });
  EVP_PKEY_free(parsed);
  return text;
}
