// What contextd.h promises of subscriptions, against a server that answers each stream
// by a script: the messages, and how it ends or stays open.

extern "C" {
#include "clients/c/contextd.h"
}

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/text_message.h"
#include "tests/unit/clients_c/fake_server.h"
#include "tests/unit/clients_c/wire.h"

namespace {

const char kPath[] = "/contextd.v1.Tracker/Subscribe";

using Answer = FakeServer::Answer;

// The messages of a stream, in the text format, and what it ends with.
Answer Ending(const std::vector<std::string> &messages, Answer end) {
  for (const std::string &message : messages) {
    end.messages.push_back(TextEncode("SubscribeResponse", message));
  }
  return end;
}

// A stream that stays open behind its messages.
Answer Open(const std::vector<std::string> &messages) {
  Answer answer;
  answer.silent = true;
  return Ending(messages, answer);
}

std::string Event(const std::string &cursor) {
  return "events { events { cursor: '" + cursor + "' } }";
}

// Answers streams by their number; the last answer goes for all after.
class Script {
 public:
  // What was answered before is forgotten.
  void Set(const std::vector<Answer> &answers) {
    std::lock_guard<std::mutex> lock(mutex_);
    answers_.assign(answers.begin(), answers.end());
    requests_.clear();
  }

  void Serve(FakeServer *server) {
    server->Method(kPath, [this](const std::string &packed) {
      std::lock_guard<std::mutex> lock(mutex_);
      requests_.push_back(TextDecode("SubscribeRequest", packed));
      Answer answer = answers_.front();
      if (answers_.size() > 1) answers_.pop_front();
      return answer;
    });
  }

  std::vector<std::string> Requests() {
    std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::deque<Answer> answers_;
  std::vector<std::string> requests_;
};

struct FreeSubscription {
  void operator()(cxc_subscription *it) const { cxc_subscription_free(it); }
};
struct FreeClient {
  void operator()(cxc_client *it) const { cxc_client_free(it); }
};

class SubscriptionTest : public testing::Test {
 protected:
  SubscriptionTest() {
    script_.Serve(&server_);
    request_.start_case = CONTEXTD__V1__SUBSCRIBE_REQUEST__START_FROM_OLDEST;
    request_.from_oldest = true;
  }

  void Connect(const std::string &address, int64_t timeout_ms, bool no_repeats = false) {
    cxc_options options = {};
    options.address = address.c_str();
    options.timeout_ms = timeout_ms;
    options.no_repeats = no_repeats;
    subscription_.reset();
    client_.reset(cxc_client_new(&options));
  }

  void Subscribe() {
    static const cxc_subscription_events events = {
        [](void *arg, const char *cursor, const cxc_error *error) {
          static_cast<SubscriptionTest *>(arg)->told_ +=
              std::string("lost behind '") + cursor + "' " + cxc_code_name(error->code) + "; ";
        },
        [](void *arg) { static_cast<SubscriptionTest *>(arg)->told_ += "resumed; "; }};
    if (client_ == nullptr) Connect(server_.address(), 30000);
    subscription_.reset(cxc_subscription_new(client_.get(), &request_, &events, this));
  }

  // The next message as text, "nothing" when the time was up, or the code and reason of the
  // error.
  std::string Next(int64_t timeout_ms = -1) {
    Contextd__V1__SubscribeResponse *message = nullptr;
    cxc_code code = cxc_subscription_next(subscription_.get(), timeout_ms, &message, &error_);
    if (code != CXC_OK) return std::string(cxc_code_name(code)) + " " + error_.reason;
    if (message == nullptr) return "nothing";
    std::string text = TextDecode("SubscribeResponse", Pack(&message->base));
    cxc_response_free(message);
    return text;
  }

  std::string Cursor() { return cxc_subscription_cursor(subscription_.get()); }

  FakeServer server_;
  Script script_;
  Contextd__V1__SubscribeRequest request_ = CONTEXTD__V1__SUBSCRIBE_REQUEST__INIT;
  std::unique_ptr<cxc_client, FreeClient> client_;
  std::unique_ptr<cxc_subscription, FreeSubscription> subscription_;
  cxc_error error_ = {};
  std::string told_;
};

// ---- Messages. ---------------------------------------------------------------

TEST_F(SubscriptionTest, HandsOutTheMessagesInOrder) {
  std::vector<std::string> messages;
  for (int i = 0; i < 100; i++) messages.push_back(Event("c" + std::to_string(i)));
  script_.Set({Open(messages)});
  Subscribe();
  for (int i = 0; i < 100; i++) {
    ASSERT_EQ("events { events { cursor: \"c" + std::to_string(i) + "\" } }", Next());
  }
  EXPECT_EQ("", told_);
  EXPECT_EQ(std::vector<std::string>{"from_oldest: true"}, script_.Requests());
}

TEST_F(SubscriptionTest, KnowsThePositionBehindWhatItHandedOut) {
  script_.Set({Open({"progress { cursor: 'p' }", "caught_up { cursor: 'u' }",
                     "events { events { cursor: 'c1' } events { cursor: 'c2' more: true } }",
                     "events { }", "events { events { } }", ""})});
  Subscribe();
  EXPECT_EQ("", Cursor());
  for (std::string expected : {"p", "u", "c2", "c2", "c2", "c2"}) {
    Next();
    EXPECT_EQ(expected, Cursor());
  }
}

TEST_F(SubscriptionTest, ReturnsNothingWhenTheTimeIsUpAndThenGoesOn) {
  script_.Set({Open({Event("c1")})});
  Subscribe();
  EXPECT_EQ("events { events { cursor: \"c1\" } }", Next());
  EXPECT_EQ("nothing", Next(0));
  EXPECT_EQ("nothing", Next(1));
  EXPECT_EQ("c1", Cursor());
  EXPECT_EQ(1u, script_.Requests().size());
}

TEST_F(SubscriptionTest, FailsAsInternalWhenTheAnswerIsNotAMessage) {
  script_.Set({Answer{{"\xff\xff"}}});
  Subscribe();
  EXPECT_EQ("INTERNAL ", Next());
}

TEST_F(SubscriptionTest, MayBeFreedAtAnyTime) {
  script_.Set({Ending({Event("c1"), Event("c2")},
                      Refusal(CXC_UNAVAILABLE, "STOPPING", {}, /*retry_delay_ms=*/3600000))});
  for (int read = 0; read <= 2; read++) {
    Subscribe();
    for (int i = 0; i < read; i++) EXPECT_NE("nothing", Next());
    subscription_.reset();
  }
  Subscribe();
  while (told_.empty()) Next(1);
  subscription_.reset();  // While it waits.
  EXPECT_EQ("lost behind 'c2' UNAVAILABLE; ", told_);
}

// ---- Streams that break. -----------------------------------------------------

TEST_F(SubscriptionTest, GoesOnBehindTheLastMessageHoweverTheStreamEnded) {
  const Answer ends[] = {Answer{},
                         Answer{{}, CXC_UNAVAILABLE},
                         Answer{{}, CXC_CANCELLED},
                         Refusal(CXC_UNAVAILABLE, "STOPPING", {}),
                         Refusal(CXC_RESOURCE_EXHAUSTED, "OVERLOADED", {}, /*retry_delay_ms=*/1),
                         Refusal(CXC_ABORTED, "STREAM_STALLED", {{"cursor", "other"}})};
  request_.id_prefix = const_cast<char *>("trip-");
  for (const Answer &end : ends) {
    std::string code = end.code == 0 ? "UNAVAILABLE" : cxc_code_name(cxc_code(end.code));
    SCOPED_TRACE(code);
    script_.Set(
        {Ending({Event("c1"), "events { events { cursor: 'c2' } events { cursor: 'c3' } }"}, end),
         Open({Event("c4")})});
    told_ = "";
    Subscribe();
    Next();
    Next();
    EXPECT_EQ("events { events { cursor: \"c4\" } }", Next());
    EXPECT_EQ((std::vector<std::string>{"id_prefix: \"trip-\" from_oldest: true",
                                        "id_prefix: \"trip-\" cursor: \"c3\""}),
              script_.Requests());
    EXPECT_EQ("lost behind 'c3' " + code + "; resumed; ", told_);
  }
}

TEST_F(SubscriptionTest, BeginsAgainWhereItWasToldToWhileNothingHasCome) {
  const std::pair<Contextd__V1__SubscribeRequest__StartCase, std::string> starts[] = {
      {CONTEXTD__V1__SUBSCRIBE_REQUEST__START__NOT_SET, ""},
      {CONTEXTD__V1__SUBSCRIBE_REQUEST__START_CURSOR, "cursor: \"mine\""},
      {CONTEXTD__V1__SUBSCRIBE_REQUEST__START_FROM_OLDEST, "from_oldest: true"},
      {CONTEXTD__V1__SUBSCRIBE_REQUEST__START_WITH_SNAPSHOT, "with_snapshot: true"}};
  for (const auto &[start, expected] : starts) {
    SCOPED_TRACE(expected);
    std::string mine = "mine";
    contextd__v1__subscribe_request__init(&request_);
    request_.start_case = start;
    request_.with_snapshot = true;
    if (start == CONTEXTD__V1__SUBSCRIBE_REQUEST__START_CURSOR) request_.cursor = &mine[0];
    script_.Set({Answer{{}, CXC_UNAVAILABLE}, Open({Event("c1")})});
    Subscribe();
    mine = "gone";  // The request is the caller's again.
    EXPECT_EQ("events { events { cursor: \"c1\" } }", Next());
    EXPECT_EQ((std::vector<std::string>{expected, expected}), script_.Requests());
  }
  EXPECT_EQ("", told_);  // Nothing was lost that had been there.
}

TEST_F(SubscriptionTest, TellsALossOnceHoweverManyAttemptsItTakes) {
  const Answer gone = {{}, CXC_UNAVAILABLE};
  Connect(server_.address(), 1);  // Only the first contact is bounded.
  script_.Set({Ending({Event("c1")}, gone), gone, gone, gone, gone, Ending({Event("c2")}, gone),
               Open({Event("c3")})});
  Subscribe();
  for (std::string cursor : {"c1", "c2", "c3"}) {
    EXPECT_EQ("events { events { cursor: \"" + cursor + "\" } }", Next());
  }
  EXPECT_EQ(7u, script_.Requests().size());
  EXPECT_EQ(
      "lost behind 'c1' UNAVAILABLE; resumed; "
      "lost behind 'c2' UNAVAILABLE; resumed; ",
      told_);
}

TEST_F(SubscriptionTest, OutlivesTheServer) {
  auto server = std::make_unique<FakeServer>();
  std::string address = server->address();
  Connect(address, 30000);
  script_.Set({Open({Event("c1")}), Open({Event("c2")})});
  script_.Serve(server.get());
  Subscribe();
  EXPECT_EQ("events { events { cursor: \"c1\" } }", Next());
  server.reset();
  while (told_.empty()) EXPECT_EQ("nothing", Next(1));
  EXPECT_EQ("lost behind 'c1' UNAVAILABLE; ", told_);
  server = std::make_unique<FakeServer>(address, [this](FakeServer *it) { script_.Serve(it); });
  EXPECT_EQ("events { events { cursor: \"c2\" } }", Next());
  EXPECT_EQ("lost behind 'c1' UNAVAILABLE; resumed; ", told_);
  EXPECT_EQ((std::vector<std::string>{"from_oldest: true", "cursor: \"c1\""}), script_.Requests());
  subscription_.reset();
}

// ---- What is returned. -------------------------------------------------------

TEST_F(SubscriptionTest, ReturnsLastingErrorsWithAllTheySay) {
  const std::pair<cxc_code, std::string> refusals[] = {{CXC_OUT_OF_RANGE, "CURSOR_COMPACTED"},
                                                       {CXC_INVALID_ARGUMENT, "INVALID_FIELD"},
                                                       {CXC_UNIMPLEMENTED, "NOT_SUPPORTED"},
                                                       {CXC_RESOURCE_EXHAUSTED, "LIMIT_REACHED"},
                                                       {CXC_ABORTED, "HEAD_MOVED"},
                                                       {CXC_INTERNAL, ""}};
  for (const auto &[code, reason] : refusals) {
    for (bool resumed : {false, true}) {
      SCOPED_TRACE(reason + (resumed ? " of a stream that was opened again" : ""));
      Answer refusal = Refusal(code, reason, {{"key", "value"}});
      script_.Set(resumed ? std::vector<Answer>{Ending({Event("c1")}, {}), refusal, Open({})}
                          : std::vector<Answer>{refusal, Open({})});
      Subscribe();
      if (resumed) Next();
      EXPECT_EQ(std::string(cxc_code_name(code)) + " " + reason, Next());
      EXPECT_STREQ("value", cxc_error_value(&error_, "key"));
      EXPECT_EQ(resumed ? "c1" : "", Cursor());
      EXPECT_EQ(resumed ? 2u : 1u, script_.Requests().size());
    }
  }
}

TEST_F(SubscriptionTest, FailsWithTheLastErrorWhenNobodyAnswersInTime) {
  Connect("127.0.0.1:1", 30000);
  Subscribe();
  EXPECT_EQ("nothing", Next(0));
  Connect("127.0.0.1:1", 100);
  Subscribe();
  EXPECT_EQ("UNAVAILABLE ", Next());
  script_.Set({Refusal(CXC_UNAVAILABLE, "NOT_READY", {})});
  // One that was opened once may have been refused when its time was up: the next has more.
  for (int64_t timeout_ms = 100; script_.Requests().size() < 2; timeout_ms *= 2) {
    script_.Set({Refusal(CXC_UNAVAILABLE, "NOT_READY", {})});
    Connect(server_.address(), timeout_ms);
    Subscribe();
    EXPECT_EQ("UNAVAILABLE NOT_READY", Next());
  }
  EXPECT_EQ("", told_);
}

TEST_F(SubscriptionTest, ReachesAServerThatIsStarted) {
  std::string address = FakeServer().address();
  Connect(address, 30000);
  script_.Set({Open({Event("c1")})});
  Subscribe();
  EXPECT_EQ("nothing", Next(10));
  FakeServer server(address, [this](FakeServer *it) { script_.Serve(it); });
  EXPECT_EQ("events { events { cursor: \"c1\" } }", Next());
  subscription_.reset();
}

TEST_F(SubscriptionTest, DoesNotGoOnWhenItIsToldNotTo) {
  Connect(server_.address(), 30000, /*no_repeats=*/true);
  script_.Set({Ending({Event("c1")}, Refusal(CXC_UNAVAILABLE, "STOPPING", {}))});
  Subscribe();
  Next();
  EXPECT_EQ("UNAVAILABLE STOPPING", Next());
  EXPECT_EQ("c1", Cursor());
  EXPECT_EQ(1u, script_.Requests().size());
}

}  // namespace
