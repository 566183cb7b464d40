// Runs a command as the command line would, and keeps what it printed.

#ifndef CX_TESTS_COMMAND_RUNNER_H
#define CX_TESTS_COMMAND_RUNNER_H

extern "C" {
#include "clients/ctxctl/args.h"
}

#include <gtest/gtest.h>
#include <jansson.h>

#include <string>
#include <vector>

// The same JSON, whatever the order of its members and its blanks.
inline std::string Normal(const std::string &text) {
  json_t *value = json_loads(text.c_str(), 0, nullptr);
  char *dumped = value != nullptr ? json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT) : nullptr;
  std::string normal = dumped != nullptr ? dumped : "not JSON: " + text;
  free(dumped);
  json_decref(value);
  return normal;
}

class CommandRunner {
 public:
  // Runs a command with the words behind its name, in the namespace `space`.
  ctl_exit Run(const ctl_command &command, const std::string &address,
               std::vector<std::string> words) {
    ctl ctl = {};
    ctl_args args = {};
    cxc_options options = {};
    char problem[CTL_PROBLEM_SIZE] = "";
    std::vector<char *> argv;
    words.insert(words.begin(), command.name);
    for (std::string &word : words) argv.push_back(&word[0]);
    argv.push_back(nullptr);
    ctl.address = address.c_str();
    ctl.timeout_ms = 60000;
    ctl.namespace_ = "space";
    ctl_parsed parsed =
        ctl_args_parse(&ctl, &command, static_cast<int>(words.size()), argv.data(), &args, problem);
    EXPECT_EQ(CTL_PARSED, parsed) << problem;
    if (parsed != CTL_PARSED) return CTL_USAGE;
    options.address = ctl.address;
    options.timeout_ms = ctl.timeout_ms;
    ctl.client = cxc_client_new(&options);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    ctl_exit exit = command.run(&ctl, &args);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    cxc_client_free(ctl.client);
    ctl_pool_done(&ctl.pool);
    return exit;
  }

  const std::string &out() const { return out_; }
  const std::string &err() const { return err_; }

 private:
  std::string out_;
  std::string err_;
};

#endif  // CX_TESTS_COMMAND_RUNNER_H
