// What contextd_async.h promises, against a server made of lambdas.

extern "C" {
#include "clients/c/contextd_async.h"
}

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/clients_c/fake_server.h"
#include "tests/unit/clients_c/wire.h"

namespace {

std::string Text(cxc_bytes bytes) {
  return std::string(reinterpret_cast<const char *>(bytes.data), bytes.size);
}

cxc_bytes Bytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

class AsyncTest : public testing::Test {
 protected:
  AsyncTest() {
    cxc_options options = {};
    options.address = server_.address().c_str();
    client_ = cxc_client_new(&options);
    loop_ = cxc_loop_new();
  }

  ~AsyncTest() override {
    cxc_loop_free(loop_);
    cxc_client_free(client_);
  }

  void Drain() {
    while (cxc_loop_poll(loop_, -1)) {
    }
  }

  FakeServer server_;
  cxc_client *client_;
  cxc_loop *loop_;
};

// ---- Unary calls. ------------------------------------------------------------

struct Calls {
  cxc_loop *loop;
  cxc_method *method;
  int left;  // To start from the callback.
  std::vector<std::string> answers;
  std::vector<cxc_code> failures;
};

void OnDone(void *arg, cxc_bytes response, const cxc_error *error) {
  Calls *calls = static_cast<Calls *>(arg);
  if (error != nullptr) {
    calls->failures.push_back(error->code);
  } else {
    calls->answers.push_back(Text(response));
  }
  if (calls->left > 0) {
    calls->left--;
    cxc_start(calls->loop, calls->method, Bytes("again"), 30000, OnDone, arg);
  }
}

TEST_F(AsyncTest, EndsEachOfManyCallsOnce) {
  server_.Method("/test/Echo",
                 [](const std::string &message) { return FakeServer::Answer{{message}}; });
  Calls calls = {loop_, cxc_method_get(client_, "/test/Echo"), 0, {}, {}};
  for (int i = 0; i < 200; i++) {
    std::string request = std::to_string(i);
    cxc_start(loop_, calls.method, Bytes(request), 30000, OnDone, &calls);
  }
  Drain();
  std::sort(calls.answers.begin(), calls.answers.end());
  EXPECT_EQ(200u, calls.answers.size());
  EXPECT_EQ(calls.answers.end(), std::unique(calls.answers.begin(), calls.answers.end()));
}

TEST_F(AsyncTest, StartsTheNextCallFromACallback) {
  server_.Method("/test/Echo",
                 [](const std::string &message) { return FakeServer::Answer{{message}}; });
  Calls calls = {loop_, cxc_method_get(client_, "/test/Echo"), 20, {}, {}};
  cxc_start(loop_, calls.method, Bytes("first"), 30000, OnDone, &calls);
  Drain();
  EXPECT_EQ(21u, calls.answers.size());
}

TEST_F(AsyncTest, TellsTheErrorOfACallAndRepeatsNothing) {
  int served = 0;
  server_.Method("/test/Busy", [&served](const std::string &) {
    served++;
    return Refusal(CXC_UNAVAILABLE, "NOT_READY", {});
  });
  Calls calls = {loop_, cxc_method_get(client_, "/test/Busy"), 0, {}, {}};
  cxc_start(loop_, calls.method, Bytes(""), 30000, OnDone, &calls);
  Drain();
  EXPECT_EQ(std::vector<cxc_code>{CXC_UNAVAILABLE}, calls.failures);
  EXPECT_EQ(1, served);
}

TEST_F(AsyncTest, EndsACallAtItsDeadline) {
  server_.Method("/test/Silent", [](const std::string &) {
    FakeServer::Answer answer;
    answer.silent = true;
    return answer;
  });
  Calls calls = {loop_, cxc_method_get(client_, "/test/Silent"), 0, {}, {}};
  cxc_start(loop_, calls.method, Bytes(""), 20, OnDone, &calls);
  Drain();
  EXPECT_EQ(std::vector<cxc_code>{CXC_DEADLINE_EXCEEDED}, calls.failures);
}

TEST_F(AsyncTest, PollsWithoutWaitingWhenNothingIsInFlight) {
  EXPECT_FALSE(cxc_loop_poll(loop_, -1));
}

TEST_F(AsyncTest, ReturnsFromAPollWhenItsTimeIsUp) {
  std::promise<void> polled;
  server_.Method("/test/Late", [&polled](const std::string &) {
    polled.get_future().wait();
    return FakeServer::Answer{{"late"}};
  });
  Calls calls = {loop_, cxc_method_get(client_, "/test/Late"), 0, {}, {}};
  cxc_start(loop_, calls.method, Bytes(""), 30000, OnDone, &calls);
  EXPECT_TRUE(cxc_loop_poll(loop_, 0));
  EXPECT_TRUE(calls.answers.empty() && calls.failures.empty());
  polled.set_value();
  Drain();
  EXPECT_EQ(std::vector<std::string>{"late"}, calls.answers);
}

TEST_F(AsyncTest, GivesTheSameMethodAgainForTheSamePath) {
  EXPECT_EQ(cxc_method_get(client_, "/test/Echo"), cxc_method_get(client_, "/test/Echo"));
}

// ---- Streams. ----------------------------------------------------------------

struct Conversation {
  std::vector<std::string> received;
  int ended = 0;
  cxc_code code = CXC_OK;
  std::function<void()> on_received;
};

void OnReceived(void *arg, cxc_bytes message) {
  Conversation *conversation = static_cast<Conversation *>(arg);
  EXPECT_EQ(0, conversation->ended);
  conversation->received.push_back(Text(message));
  if (conversation->on_received) conversation->on_received();
}

void OnEnded(void *arg, const cxc_error *error) {
  Conversation *conversation = static_cast<Conversation *>(arg);
  conversation->ended++;
  conversation->code = error != nullptr ? error->code : CXC_OK;
}

const cxc_stream_events kEvents = {OnReceived, OnEnded, false};
const cxc_stream_events kWaitingEvents = {OnReceived, OnEnded, true};

class StreamTest : public AsyncTest {
 protected:
  cxc_stream *Open(FakeServer::Handler handler) {
    server_.Stream("/test/Stream", std::move(handler));
    return cxc_stream_new(loop_, cxc_method_get(client_, "/test/Stream"), &kEvents, &conversation_);
  }

  static FakeServer::Answer Echo(const std::string &message) { return {{message}}; }

  Conversation conversation_;
};

TEST_F(StreamTest, SendsAllThatWasGivenInOrderBeforeItFinishes) {
  cxc_stream *stream = Open(Echo);
  std::vector<std::string> sent;
  for (int i = 0; i < 500; i++) {
    sent.push_back("message " + std::to_string(i) + std::string(i * 10, 'x'));
    cxc_stream_send(stream, Bytes(sent.back()));
  }
  cxc_stream_finish(stream);
  Drain();
  EXPECT_EQ(sent, conversation_.received);
  EXPECT_EQ(1, conversation_.ended);
  EXPECT_EQ(CXC_OK, conversation_.code);
}

TEST_F(StreamTest, SendsFromItsOwnCallback) {
  cxc_stream *stream = Open(Echo);
  conversation_.on_received = [&] {
    if (conversation_.received.size() < 10) {
      cxc_stream_send(stream, Bytes("more"));
    } else {
      cxc_stream_finish(stream);
    }
  };
  cxc_stream_send(stream, Bytes("first"));
  Drain();
  EXPECT_EQ(10u, conversation_.received.size());
  EXPECT_EQ(1, conversation_.ended);
}

TEST_F(StreamTest, HandsOverWhatCameBeforeItTellsTheError) {
  cxc_stream *stream = Open([](const std::string &message) {
    FakeServer::Answer answer =
        message == "last" ? Refusal(CXC_UNAVAILABLE, "STOPPING", {}) : FakeServer::Answer();
    answer.messages.push_back(message);
    return answer;
  });
  for (const char *message : {"one", "two", "last", "ignored", "ignored"}) {
    cxc_stream_send(stream, Bytes(message));
  }
  Drain();
  EXPECT_EQ((std::vector<std::string>{"one", "two", "last"}), conversation_.received);
  EXPECT_EQ(1, conversation_.ended);
  EXPECT_EQ(CXC_UNAVAILABLE, conversation_.code);
}

TEST_F(StreamTest, EndsWhenItIsCancelled) {
  cxc_stream *stream = Open(Echo);
  conversation_.on_received = [&] { cxc_stream_cancel(stream); };
  cxc_stream_send(stream, Bytes("one"));
  Drain();
  EXPECT_EQ(1, conversation_.ended);
  EXPECT_EQ(CXC_CANCELLED, conversation_.code);
}

TEST_F(StreamTest, EndsWhenNobodyListens) {
  std::string address = FakeServer().address();
  cxc_options options = {};
  options.address = address.c_str();
  cxc_client *client = cxc_client_new(&options);
  cxc_stream_new(loop_, cxc_method_get(client, "/test/Stream"), &kEvents, &conversation_);
  Drain();
  EXPECT_EQ(CXC_UNAVAILABLE, conversation_.code);
  cxc_client_free(client);
}

TEST_F(StreamTest, WaitsForTheServerWhenItIsToldTo) {
  std::string address = FakeServer().address();
  cxc_options options = {};
  options.address = address.c_str();
  cxc_client *client = cxc_client_new(&options);
  cxc_stream *stream = cxc_stream_new(loop_, cxc_method_get(client, "/test/Stream"),
                                      &kWaitingEvents, &conversation_);
  cxc_stream_send(stream, Bytes("one"));
  cxc_stream_finish(stream);
  cxc_loop_poll(loop_, 50);  // Nobody is there.
  EXPECT_EQ(0, conversation_.ended);

  FakeServer server(address, [](FakeServer *it) { it->Stream("/test/Stream", Echo); });
  Drain();
  EXPECT_EQ(CXC_OK, conversation_.code);
  EXPECT_EQ(std::vector<std::string>{"one"}, conversation_.received);
  cxc_client_free(client);
}

TEST_F(StreamTest, EndsWhenTheMethodIsNotThere) {
  cxc_stream *stream =
      cxc_stream_new(loop_, cxc_method_get(client_, "/test/None"), &kEvents, &conversation_);
  cxc_stream_send(stream, Bytes("one"));
  cxc_stream_finish(stream);
  Drain();
  EXPECT_EQ(1, conversation_.ended);
  EXPECT_EQ(CXC_UNIMPLEMENTED, conversation_.code);
}

}  // namespace
