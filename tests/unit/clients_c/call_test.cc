// What contextd.h promises of blocking calls, against a server made of lambdas.

extern "C" {
#include "clients/c/contextd.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
}

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/clients_c/fake_server.h"
#include "tests/unit/clients_c/wire.h"

namespace {

const char kGet[] = "/contextd.v1.ContextManager/GetContext";
const char kUpdate[] = "/contextd.v1.ContextManager/UpdateContext";
const char kBatch[] = "/contextd.v1.ContextManager/BatchUpdateContexts";
const char kRead[] = "/contextd.v1.ContextManager/ReadEntries";

struct FreeClient {
  void operator()(cxc_client *client) const { cxc_client_free(client); }
};
using Client = std::unique_ptr<cxc_client, FreeClient>;

Client NewClient(const std::string &address, int64_t timeout_ms, bool no_repeats = false) {
  cxc_options options = {};
  options.address = address.c_str();
  options.timeout_ms = timeout_ms;
  options.no_repeats = no_repeats;
  return Client(cxc_client_new(&options));
}

class CallTest : public testing::Test {
 protected:
  CallTest() : client_(NewClient(server_.address(), 30000)) {}

  cxc_code Get(cxc_client *client) {
    Contextd__V1__GetContextRequest request = CONTEXTD__V1__GET_CONTEXT_REQUEST__INIT;
    Contextd__V1__GetContextResponse *response = nullptr;
    cxc_code code = cxc_get_context(client, &request, &response, &error_);
    cxc_response_free(response);
    return code;
  }

  cxc_code Update(Contextd__V1__WriteOptions *write) {
    Contextd__V1__UpdateContextRequest request = CONTEXTD__V1__UPDATE_CONTEXT_REQUEST__INIT;
    Contextd__V1__UpdateContextResponse *response = nullptr;
    request.write = write;
    cxc_code code = cxc_update_context(client_.get(), &request, &response, &error_);
    EXPECT_EQ(write, request.write);
    cxc_response_free(response);
    return code;
  }

  // Remembers the request id of each update and answers as `answer_` says.
  void RecordUpdates() {
    server_.Method(kUpdate, [this](const std::string &packed) {
      auto request = Unpack<Contextd__V1__UpdateContextRequest>(
          packed, &contextd__v1__update_context_request__descriptor);
      ids_.push_back(request->write != nullptr ? request->write->request_id : "");
      return ids_.size() <= failures_ ? failure_ : FakeServer::Answer{{""}};
    });
  }

  FakeServer server_;
  Client client_;
  cxc_error error_ = {};
  std::vector<std::string> ids_;
  size_t failures_ = 0;
  FakeServer::Answer failure_;
};

TEST_F(CallTest, ReturnsTheResponse) {
  server_.Method(kGet, [](const std::string &packed) {
    auto request = Unpack<Contextd__V1__GetContextRequest>(
        packed, &contextd__v1__get_context_request__descriptor);
    EXPECT_STREQ("trip", request->state->context_id);
    Contextd__V1__Context context = CONTEXTD__V1__CONTEXT__INIT;
    context.version = 7;
    Contextd__V1__GetContextResponse response = CONTEXTD__V1__GET_CONTEXT_RESPONSE__INIT;
    response.context = &context;
    return FakeServer::Answer{{Pack(&response.base)}};
  });
  Contextd__V1__StateRef state = CONTEXTD__V1__STATE_REF__INIT;
  state.context_id = const_cast<char *>("trip");
  Contextd__V1__GetContextRequest request = CONTEXTD__V1__GET_CONTEXT_REQUEST__INIT;
  request.state = &state;
  Contextd__V1__GetContextResponse *response = nullptr;

  ASSERT_EQ(CXC_OK, cxc_get_context(client_.get(), &request, &response, &error_));
  EXPECT_EQ(7u, response->context->version);
  cxc_response_free(response);
}

TEST_F(CallTest, ReturnsTheErrorWithItsReasonAndValues) {
  server_.Method(kGet, [](const std::string &) {
    return Refusal(CXC_ABORTED, "VERSION_CONFLICT", {{"current_version", "7"}});
  });
  ASSERT_EQ(CXC_ABORTED, Get(client_.get()));
  EXPECT_EQ(CXC_ABORTED, error_.code);
  EXPECT_STREQ("VERSION_CONFLICT", error_.reason);
  EXPECT_STREQ("7", cxc_error_value(&error_, "current_version"));
  EXPECT_STREQ("refused", error_.message);
}

TEST_F(CallTest, FailsAsInternalWhenTheAnswerIsNotAMessage) {
  server_.Method(kGet, [](const std::string &) { return FakeServer::Answer{{"\xff\xff"}}; });
  EXPECT_EQ(CXC_INTERNAL, Get(client_.get()));
}

TEST_F(CallTest, EndsAtItsDeadline) {
  Client client = NewClient(server_.address(), 50);
  server_.Method(kGet, [](const std::string &) {
    FakeServer::Answer answer;
    answer.silent = true;
    return answer;
  });
  EXPECT_EQ(CXC_DEADLINE_EXCEEDED, Get(client.get()));
}

TEST_F(CallTest, FailsAsUnavailableWhenNobodyListens) {
  cxc_code code = CXC_DEADLINE_EXCEEDED;  // No refusal was in time: the next has more.
  for (int64_t timeout_ms = 100; code == CXC_DEADLINE_EXCEEDED; timeout_ms *= 2) {
    code = Get(NewClient("127.0.0.1:1", timeout_ms).get());
  }
  EXPECT_EQ(CXC_UNAVAILABLE, code);
  EXPECT_STREQ("", error_.reason);
}

TEST_F(CallTest, ReachesAServerThatComesBack) {
  std::string address = FakeServer().address();
  Client client = NewClient(address, 30000);
  cxc_code code = CXC_UNKNOWN;
  std::thread caller([&] { code = Get(client.get()); });
  FakeServer server(address, [](FakeServer *it) {
    it->Method(kGet, [](const std::string &) { return FakeServer::Answer{{""}}; });
  });
  caller.join();
  EXPECT_EQ(CXC_OK, code);
}

TEST_F(CallTest, RepeatsAWriteUnderTheSameRequestIdUntilItIsAnswered) {
  RecordUpdates();
  failures_ = 3;
  failure_ = FakeServer::Answer{{}, CXC_UNAVAILABLE};
  ASSERT_EQ(CXC_OK, Update(nullptr));
  ASSERT_EQ(4u, ids_.size());
  EXPECT_EQ(36u, ids_[0].size());
  EXPECT_EQ(1u, std::set<std::string>(ids_.begin(), ids_.end()).size());
}

TEST_F(CallTest, RepeatsWhatTheServerWasTooBusyFor) {
  RecordUpdates();
  failures_ = 1;
  failure_ = Refusal(CXC_RESOURCE_EXHAUSTED, "OVERLOADED", {}, /*retry_delay_ms=*/1);
  EXPECT_EQ(CXC_OK, Update(nullptr));
  EXPECT_EQ(2u, ids_.size());
}

TEST_F(CallTest, DoesNotRepeatOtherErrors) {
  RecordUpdates();
  failures_ = 1;
  failure_ = Refusal(CXC_RESOURCE_EXHAUSTED, "STORAGE_FULL", {});
  EXPECT_EQ(CXC_RESOURCE_EXHAUSTED, Update(nullptr));
  EXPECT_EQ(1u, ids_.size());
}

TEST_F(CallTest, DoesNotRepeatWhenItIsToldNotTo) {
  RecordUpdates();
  client_ = NewClient(server_.address(), 30000, /*no_repeats=*/true);
  failures_ = 1;
  failure_ = FakeServer::Answer{{}, CXC_UNAVAILABLE};
  EXPECT_EQ(CXC_UNAVAILABLE, Update(nullptr));
  EXPECT_EQ(1u, ids_.size());
}

TEST_F(CallTest, FailsWithTheLastErrorWhenItsTimeIsUp) {
  server_.Method(kGet,
                 [](const std::string &) { return Refusal(CXC_UNAVAILABLE, "STOPPING", {}); });
  cxc_code code = CXC_DEADLINE_EXCEEDED;  // No answer was in time: the next call has more.
  for (int64_t timeout_ms = 100; code == CXC_DEADLINE_EXCEEDED; timeout_ms *= 2) {
    code = Get(NewClient(server_.address(), timeout_ms).get());
  }
  EXPECT_EQ(CXC_UNAVAILABLE, code);
  EXPECT_STREQ("STOPPING", error_.reason);
}

TEST_F(CallTest, GivesEachWriteAnIdOfItsOwn) {
  RecordUpdates();
  ASSERT_EQ(CXC_OK, Update(nullptr));
  ASSERT_EQ(CXC_OK, Update(nullptr));
  EXPECT_NE(ids_[0], ids_[1]);
}

TEST_F(CallTest, KeepsTheRequestIdOfTheCaller) {
  RecordUpdates();
  Contextd__V1__WriteOptions write = CONTEXTD__V1__WRITE_OPTIONS__INIT;
  write.request_id = const_cast<char *>("mine");
  ASSERT_EQ(CXC_OK, Update(&write));
  EXPECT_EQ("mine", ids_[0]);
}

TEST_F(CallTest, KeepsWhatElseTheCallerSaysAboutTheWrite) {
  server_.Method(kUpdate, [](const std::string &packed) {
    auto request = Unpack<Contextd__V1__UpdateContextRequest>(
        packed, &contextd__v1__update_context_request__descriptor);
    EXPECT_EQ(9u, request->write->fence);
    EXPECT_EQ(36u, strlen(request->write->request_id));
    return FakeServer::Answer{{""}};
  });
  Contextd__V1__WriteOptions write = CONTEXTD__V1__WRITE_OPTIONS__INIT;
  write.fence = 9;
  ASSERT_EQ(CXC_OK, Update(&write));
  EXPECT_STREQ("", write.request_id);
}

TEST_F(CallTest, GivesAnIdToEachPartOfABatchOrToAnAtomicOneAsAWhole) {
  std::vector<std::string> whole;
  server_.Method(kBatch, [this, &whole](const std::string &packed) {
    auto request = Unpack<Contextd__V1__BatchUpdateContextsRequest>(
        packed, &contextd__v1__batch_update_contexts_request__descriptor);
    whole.push_back(request->write != nullptr ? request->write->request_id : "");
    for (size_t i = 0; i < request->n_requests; i++) {
      const Contextd__V1__WriteOptions *write = request->requests[i]->write;
      ids_.push_back(write != nullptr ? write->request_id : "");
    }
    return FakeServer::Answer{{""}};
  });
  Contextd__V1__WriteOptions write = CONTEXTD__V1__WRITE_OPTIONS__INIT;
  write.request_id = const_cast<char *>("mine");
  Contextd__V1__UpdateContextRequest parts[] = {CONTEXTD__V1__UPDATE_CONTEXT_REQUEST__INIT,
                                                CONTEXTD__V1__UPDATE_CONTEXT_REQUEST__INIT};
  parts[1].write = &write;
  Contextd__V1__UpdateContextRequest *pointers[] = {&parts[0], &parts[1]};
  Contextd__V1__BatchUpdateContextsRequest request =
      CONTEXTD__V1__BATCH_UPDATE_CONTEXTS_REQUEST__INIT;
  request.n_requests = 2;
  request.requests = pointers;
  Contextd__V1__BatchUpdateContextsResponse *response = nullptr;

  ASSERT_EQ(CXC_OK, cxc_batch_update_contexts(client_.get(), &request, &response, &error_));
  cxc_response_free(response);
  request.atomic = true;
  request.n_requests = 1;
  ASSERT_EQ(CXC_OK, cxc_batch_update_contexts(client_.get(), &request, &response, &error_));
  cxc_response_free(response);

  ASSERT_EQ(3u, ids_.size());
  EXPECT_EQ(36u, ids_[0].size());
  EXPECT_EQ("mine", ids_[1]);
  EXPECT_EQ("", ids_[2]);
  EXPECT_EQ("", whole[0]);
  EXPECT_EQ(36u, whole[1].size());
}

TEST_F(CallTest, ServesManyThreadsAtOnce) {
  std::atomic<int> served{0};
  server_.Method(kGet, [&served](const std::string &) {
    served++;
    return FakeServer::Answer{{""}};
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; i++) {
    threads.emplace_back([this] {
      Contextd__V1__GetContextRequest request = CONTEXTD__V1__GET_CONTEXT_REQUEST__INIT;
      for (int j = 0; j < 20; j++) {
        Contextd__V1__GetContextResponse *response = nullptr;
        EXPECT_EQ(CXC_OK, cxc_get_context(client_.get(), &request, &response, nullptr));
        cxc_response_free(response);
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(160, served.load());
}

// ---- Readers. ----------------------------------------------------------------

class ReaderTest : public CallTest {
 protected:
  // Answers with `count` parts, numbered by their version, and then `code`.
  void Serve(size_t count, int code) {
    server_.Method(kRead, [count, code](const std::string &) {
      FakeServer::Answer answer = Refusal(code, code != 0 ? "STREAM_STALLED" : "", {});
      for (size_t i = 1; i <= count; i++) {
        Contextd__V1__ReadEntriesResponse part = CONTEXTD__V1__READ_ENTRIES_RESPONSE__INIT;
        part.version = i;
        answer.messages.push_back(Pack(&part.base));
      }
      return answer;
    });
  }

  // Reads `count` parts.
  void Read(cxc_reader *reader, size_t count) {
    for (size_t i = 1; i <= count; i++) {
      Contextd__V1__ReadEntriesResponse *part = nullptr;
      ASSERT_EQ(CXC_OK, cxc_reader_next(reader, &part, &error_));
      ASSERT_NE(nullptr, part);
      EXPECT_EQ(i, part->version);
      cxc_response_free(part);
    }
  }

  Contextd__V1__ReadEntriesRequest request_ = CONTEXTD__V1__READ_ENTRIES_REQUEST__INIT;
};

TEST_F(ReaderTest, ReturnsThePartsInOrderAndThenNull) {
  Serve(100, 0);
  cxc_reader *reader = cxc_reader_new(client_.get(), &request_);
  Read(reader, 100);
  Contextd__V1__ReadEntriesResponse *part = nullptr;
  EXPECT_EQ(CXC_OK, cxc_reader_next(reader, &part, &error_));
  EXPECT_EQ(nullptr, part);
  cxc_reader_free(reader);
}

TEST_F(ReaderTest, FailsAfterThePartsThatCame) {
  Serve(3, CXC_ABORTED);
  cxc_reader *reader = cxc_reader_new(client_.get(), &request_);
  Read(reader, 3);
  Contextd__V1__ReadEntriesResponse *part = nullptr;
  EXPECT_EQ(CXC_ABORTED, cxc_reader_next(reader, &part, &error_));
  EXPECT_STREQ("STREAM_STALLED", error_.reason);
  cxc_reader_free(reader);
}

TEST_F(ReaderTest, MayBeFreedInTheMiddle) {
  Serve(100, 0);
  cxc_reader *reader = cxc_reader_new(client_.get(), &request_);
  Read(reader, 2);
  cxc_reader_free(reader);
}

// Gives `tokens` one after the other; an empty one is none.
struct Tokens {
  std::vector<std::string> tokens;
  size_t count = 0;

  static bool Give(void *arg, char text[CXC_TOKEN_SIZE]) {
    auto *self = static_cast<Tokens *>(arg);
    std::string token = self->tokens.at(self->count++);
    snprintf(text, CXC_TOKEN_SIZE, "%s", token.empty() ? "the token is gone" : token.c_str());
    return !token.empty();
  }
};

TEST_F(CallTest, SendsTheTokenThatItIsGivenForEachAttempt) {
  Tokens tokens{{"one", "two", "three"}};
  int calls = 0;
  server_.Method(kGet, [&](const std::string &) {
    return calls++ == 0 ? Refusal(CXC_UNAVAILABLE, "STOPPING", {}, 1) : FakeServer::Answer{{""}};
  });
  cxc_options options = {};
  options.address = server_.address().c_str();
  options.token = Tokens::Give;
  options.token_arg = &tokens;
  Client client(cxc_client_new(&options));
  EXPECT_EQ(CXC_OK, Get(client.get()));
  EXPECT_EQ(CXC_OK, Get(client.get()));
  EXPECT_EQ((std::vector<std::string>{"Bearer one", "Bearer two", "Bearer three"}),
            server_.authorizations());
}

TEST_F(CallTest, FailsAtOnceWithTheReasonForWhichThereIsNoToken) {
  Tokens tokens{{""}};
  cxc_options options = {};
  options.address = server_.address().c_str();
  options.token = Tokens::Give;
  options.token_arg = &tokens;
  Client client(cxc_client_new(&options));
  EXPECT_EQ(CXC_UNAUTHENTICATED, Get(client.get()));
  EXPECT_STREQ("the token is gone", error_.message);
  EXPECT_EQ(1u, tokens.count);
  EXPECT_TRUE(server_.authorizations().empty());
}

TEST_F(CallTest, SendsNothingWhereThereIsNoToken) {
  server_.Method(kGet, [](const std::string &) { return FakeServer::Answer{{""}}; });
  EXPECT_EQ(CXC_OK, Get(client_.get()));
  EXPECT_EQ((std::vector<std::string>{""}), server_.authorizations());
}

}  // namespace
