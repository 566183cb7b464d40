// Commands against a server that is made of answers: the request that the words of a command
// line become, and what is shown of the answer.

#ifndef CX_TESTS_COMMAND_FIXTURE_H
#define CX_TESTS_COMMAND_FIXTURE_H

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/text_message.h"
#include "tests/unit/clients_c/fake_server.h"
#include "tests/unit/clients_c/wire.h"
#include "tests/unit/ctxctl/command_runner.h"

class CommandFixture : public testing::Test {
 protected:
  // `service` is where the methods are that are answered, unless another is named.
  explicit CommandFixture(const std::string &service) : service_(service) {}

  // Answers the next call of a method; the last answer goes for all calls after.
  void Answer(const std::string &method, const std::string &response,
              const std::string &service = "") {
    std::deque<std::string> &answers = answers_[method];
    answers.push_back(TextEncode(method + "Response", response));
    if (answers.size() > 1) return;
    server_.Method(Path(method, service), [this, method, &answers](const std::string &packed) {
      requests_.push_back(TextDecode(method + "Request", packed));
      FakeServer::Answer answer{{answers.front()}};
      if (answers.size() > 1) answers.pop_front();
      return answer;
    });
  }

  // Answers each call of a method with all of these messages.
  void AnswerStream(const std::string &method, const std::vector<std::string> &responses) {
    FakeServer::Answer answer;
    for (const std::string &response : responses) {
      answer.messages.push_back(TextEncode(method + "Response", response));
    }
    server_.Method(Path(method, ""), [this, method, answer](const std::string &packed) {
      requests_.push_back(TextDecode(method + "Request", packed));
      return answer;
    });
  }

  void Refuse(const std::string &method, int code, const std::string &reason,
              const std::map<std::string, std::string> &values = {}) {
    server_.Method(Path(method, ""), [=](const std::string &packed) {
      requests_.push_back(TextDecode(method + "Request", packed));
      return Refusal(code, reason, values);
    });
  }

  // Runs a command with the words behind its name. `out_` and `err_` are what it printed.
  ctl_exit Run(const ctl_command &command, const std::vector<std::string> &words) {
    ctl_exit exit = runner_.Run(command, server_.address(), words);
    out_ = runner_.out();
    err_ = runner_.err();
    return exit;
  }

  // The last request, without its id.
  std::string Request() {
    if (requests_.empty()) return "none";
    static const std::regex id("request_id: \"[0-9a-f-]{36}\" ?");
    return std::regex_replace(requests_.back(), id, "");
  }

  FakeServer server_;
  std::map<std::string, std::deque<std::string>> answers_;
  std::vector<std::string> requests_;
  CommandRunner runner_;
  std::string out_;
  std::string err_;

 private:
  std::string Path(const std::string &method, const std::string &service) {
    return "/contextd.v1." + (service.empty() ? service_ : service) + "/" + method;
  }

  const std::string service_;
};

#endif  // CX_TESTS_COMMAND_FIXTURE_H
