// The services over fake calls and a real engine on a disk in memory, whose every step
// belongs to the test.

#ifndef CX_TESTS_UNIT_SERVICES_SERVICE_FIXTURE_H
#define CX_TESTS_UNIT_SERVICES_SERVICE_FIXTURE_H

#include <memory>
#include <string>
#include <vector>

#include "tests/support/engine_fixture.h"
#include "tests/support/pattern.h"
#include "tests/support/text_message.h"
#include "tests/unit/services/fake_call.h"

extern "C" {
#include "server/services/event_message.h"
#include "server/services/services.h"
}

using Call = cx_call *;  // The fixture's.

class ServiceFixture : public EngineFixture {
 protected:
  ServiceFixture() {
    app_.version = "1.2.3";
    app_.stream_stall_max_us = 60 * CX_SECOND_US;
    options_.subscriptions_max = 8;
    options_.encode_event = cx_event_encoder_of(&coding_);
  }

  void SetUp() override {
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    app_.engine = engine_;
    cx_event_coding_init(&coding_, engine_, message_size_max_);
  }

  void TearDown() override {
    for (auto &call : calls_) call->Leave();
    Settle();
    for (auto &call : calls_) EXPECT_TRUE(call->ended());
    calls_.clear();
  }

  // Begins a call; the request is a text (tests/support/text_message.h).
  Call Begin(const std::string &method, const std::string &request = "") {
    calls_.emplace_back(new cx_call(*service_, method, &app_));
    Call call = calls_.back().get();
    call->message_size_max = message_size_max_;
    call->Begin(TextEncode(call->input->short_name, request));
    return call;
  }

  // What came of a call: its response, or its error as "REASON key=value ...".
  static std::string Outcome(const cx_call &call) {
    if (!call.ended()) return "(waiting)";
    if (!call.ok()) return ErrorText(call.error);
    return call.messages.empty() ? "(finished)"
                                 : TextDecode(call.output->short_name, call.messages.back());
  }

  static std::string ErrorText(const cx_error &error) {
    std::string text = cx_reason_name(error.reason);
    for (size_t i = 0; i < error.detail_count; i++) {
      text += std::string(" ") + error.details[i].key + "=" +
              std::string(error.text + error.details[i].start, error.details[i].size);
    }
    return text;
  }

  // Makes everything durable and goes on with the calls that waited for it.
  void Settle() {
    Step();
    while (!completed_.empty()) {
      std::vector<cx_waiter *> done;
      done.swap(completed_);
      for (cx_waiter *waiter : done) cx_call::Complete(waiter);
      Step();
    }
  }

  // A unary call from its beginning to its end.
  std::string Ask(const std::string &method, const std::string &request = "") {
    Call call = Begin(method, request);
    Settle();
    return Outcome(*call);
  }

  // Messages of a stream, as texts.
  static std::vector<std::string> Texts(const cx_call &call) {
    std::vector<std::string> texts;
    for (const std::string &each : call.messages) {
      texts.push_back(TextDecode(call.output->short_name, each));
    }
    return texts;
  }

  // Sets an entry, creating the context.
  void Put(const std::string &id, const std::string &key, const std::string &value) {
    ASSERT_EQ(CX_OK, Upsert(id, Mutations().Put(key, value)).status);
    Step();
    completed_.clear();
  }

  // Fills the log until a change with kLarge is OVERLOADED; small ones still fit.
  void FillLog() {
    struct Outcome outcome = {};
    for (int i = 0; i < 10000 && outcome.status == CX_OK; i++) {
      outcome = Upsert("filler" + std::to_string(i), Mutations().Put("k", kLarge));
    }
    ASSERT_EQ("OVERLOADED", outcome.reason());
  }

  // The reasons of a batch's failures, in order.
  static std::vector<std::string> Failures(const std::string &text) {
    return FindAll(text, "failure \\{ [^}]*reason: \"(\\w+)\"");
  }

  const std::string kLarge = std::string(60000, 'x');
  const cx_service *service_ = &cx_context_manager_service;
  cx_app app_ = {};
  cx_event_coding coding_ = {};
  size_t message_size_max_ = 256 * CX_KIB;

 private:
  std::vector<std::unique_ptr<cx_call>> calls_;
};

#endif  // CX_TESTS_UNIT_SERVICES_SERVICE_FIXTURE_H
