// Loads a configuration the way the process does, without one.

#ifndef TESTS_UNIT_CONFIG_CONFIG_HARNESS_H_
#define TESTS_UNIT_CONFIG_CONFIG_HARNESS_H_

extern "C" {
#include "server/config/setting.h"
}

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

using Texts = std::vector<std::string>;

class ConfigTest : public testing::Test {
 protected:
  cx_status Load(const Texts &flags, const Texts &environment = {}) {
    Texts all{"contextd"};
    all.insert(all.end(), flags.begin(), flags.end());
    return cx_config_load(Pointers(all).data(), Pointers(environment).data(), config_.get(),
                          problems_.get());
  }

  // Every problem, a line each.
  std::string Problems() const { return problems_->text; }

  // Writes a file and returns its name.
  std::string File(const std::string &text) {
    std::string path = testing::TempDir() + "contextd.yaml";
    std::ofstream(path) << text;
    return path;
  }

  std::string Printed() const {
    return Captured([this](FILE *out) { cx_config_print(config_.get(), out); });
  }

  template <typename Print>
  static std::string Captured(Print print) {
    char *text = nullptr;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print(out);
    fclose(out);
    std::string captured(text, size);
    free(text);
    return captured;
  }

  std::unique_ptr<cx_config> config_ = std::make_unique<cx_config>();
  std::unique_ptr<cx_config_problems> problems_ = std::make_unique<cx_config_problems>();

 private:
  static std::vector<const char *> Pointers(const Texts &texts) {
    std::vector<const char *> pointers;
    for (const std::string &text : texts) pointers.push_back(text.c_str());
    pointers.push_back(nullptr);
    return pointers;
  }
};

#endif  // TESTS_UNIT_CONFIG_CONFIG_HARNESS_H_
