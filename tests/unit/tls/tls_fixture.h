// Files of TLS in a directory of the test's own.

#ifndef CX_TESTS_UNIT_TLS_TLS_FIXTURE_H
#define CX_TESTS_UNIT_TLS_TLS_FIXTURE_H

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/support/certificates.h"

extern "C" {
#include "server/tls/certificates.h"
}

class TlsFixture : public testing::Test {
 protected:
  TlsFixture() {
    std::string name = testing::TempDir() + "tls-XXXXXX";
    folder_ = mkdtemp(&name[0]);
    certificate_ = folder_ + "/server.pem";
    key_ = folder_ + "/server.key";
    authority_file_ = folder_ + "/ca.pem";
    files_ = {certificate_.c_str(), key_.c_str(), ""};
    Put(server_);
  }

  // Writes a file that only its owner may read.
  static void Write(const std::string &path, const std::string &text) {
    std::ofstream(path) << text;
    chmod(path.c_str(), 0600);
  }

  void Put(const TestCertificate &server) {
    Write(certificate_, server.certificate);
    Write(key_, server.key);
  }

  void AskClients() {
    Write(authority_file_, authority_.pem());
    files_.client_ca = authority_file_.c_str();
  }

  // `text` with the names of the files as CERT, KEY and CA.
  std::string Named(std::string text) const {
    const std::pair<std::string, const char *> names[] = {
        {certificate_, "CERT"}, {key_, "KEY"}, {authority_file_, "CA"}};
    for (const auto &[path, name] : names) {
      for (size_t at; (at = text.find(path)) != text.npos;) text.replace(at, path.size(), name);
    }
    return text;
  }

  TestAuthority authority_{"authority"};
  TestCertificate server_ = authority_.Issue("server");
  std::string folder_, certificate_, key_, authority_file_;
  cx_certificate_files files_;
};

#endif  // CX_TESTS_UNIT_TLS_TLS_FIXTURE_H
