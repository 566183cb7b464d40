// An import against a server that is busy, breaks off, says nothing or talks nonsense:
// what a real one does too rarely for a test.

extern "C" {
#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"
}

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/clients_c/fake_server.h"
#include "tests/unit/clients_c/wire.h"

namespace {

const char kStream[] = "/contextd.v1.ContextManager/StreamUpdates";
const char kGet[] = "/contextd.v1.ContextManager/GetContext";

// The contexts of a server: what the conditions of an import need of one.
class Store {
 public:
  // Applies an update, or refuses it. Remembers its request id.
  std::string Update(const UpdateContextRequest &request) {
    std::lock_guard<std::mutex> lock(mutex_);
    update_count_++;
    if (busy_.count(update_count_) > 0) return Failure(CXC_RESOURCE_EXHAUSTED, "OVERLOADED", 1);
    uint64_t &version = versions_[request.context_id];
    auto known = known_.find(request.write->request_id);
    if (known != known_.end()) return Success(known->second, true);
    if (request.preconditions[0]->context_version != version) {
      return Failure(CXC_ABORTED, "VERSION_CONFLICT", 0);
    }
    for (size_t i = 0; i < request.n_mutations; i++) {
      const Contextd__V1__PutEntry &put = *request.mutations[i]->put_entry;
      entries_[request.context_id][put.key] =
          std::string(reinterpret_cast<char *>(put.value.data), put.value.len);
    }
    known_[request.write->request_id] = ++version;
    return Success(version, false);
  }

  // The context with all its entries, which are messages.
  std::string Get(const std::string &id) {
    std::lock_guard<std::mutex> lock(mutex_);
    Context context = CONTEXTD__V1__CONTEXT__INIT;
    std::map<std::string, std::string> &entries = entries_[id];
    std::vector<Entry> messages(entries.size(), CONTEXTD__V1__ENTRY__INIT);
    std::vector<Entry *> pointers;
    for (auto &[key, value] : entries) {
      Entry *entry = &messages[pointers.size()];
      entry->key = const_cast<char *>(key.c_str());
      entry->value = {value.size(), reinterpret_cast<uint8_t *>(&value[0])};
      entry->content_type = const_cast<char *>("application/json");
      pointers.push_back(entry);
    }
    context.version = versions_[id];
    context.n_entries = pointers.size();
    context.entries = pointers.data();
    GetContextResponse response = CONTEXTD__V1__GET_CONTEXT_RESPONSE__INIT;
    response.context = &context;
    return Pack(&response.base);
  }

  uint64_t Version(const std::string &id) {
    std::lock_guard<std::mutex> lock(mutex_);
    return versions_[id];
  }

  // The updates that are refused as OVERLOADED, counted from 1.
  std::set<int> busy_;

 private:
  static std::string Success(uint64_t version, bool replayed) {
    Contextd__V1__WriteResult write = CONTEXTD__V1__WRITE_RESULT__INIT;
    UpdateContextResponse response = CONTEXTD__V1__UPDATE_CONTEXT_RESPONSE__INIT;
    UpdateResult result = CONTEXTD__V1__UPDATE_RESULT__INIT;
    write.replayed = replayed;
    response.version = version;
    response.write = &write;
    result.outcome_case = CONTEXTD__V1__UPDATE_RESULT__OUTCOME_RESPONSE;
    result.response = &response;
    return Pack(&result.base);
  }

  static std::string Failure(int code, const char *reason, int64_t delay_ms) {
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
    Contextd__V1__Failure failure = CONTEXTD__V1__FAILURE__INIT;
    UpdateResult result = CONTEXTD__V1__UPDATE_RESULT__INIT;
    delay.nanos = static_cast<int32_t>(delay_ms * 1000000);
    failure.code = code;
    failure.reason = const_cast<char *>(reason);
    failure.retry_delay = &delay;
    result.outcome_case = CONTEXTD__V1__UPDATE_RESULT__OUTCOME_FAILURE;
    result.failure = &failure;
    return Pack(&result.base);
  }

  std::mutex mutex_;
  int update_count_ = 0;
  std::map<std::string, uint64_t> versions_;
  std::map<std::string, std::map<std::string, std::string>> entries_;
  std::map<std::string, uint64_t> known_;
};

class ImportTest : public testing::Test {
 protected:
  ImportTest() {
    path_ = testing::TempDir() + "import_test.jsonl";
    FILE *file = fopen(path_.c_str(), "w");
    for (int i = 0; i < 20; i++) {
      fprintf(file, "{\"id\":\"c%d\",\"messages\":[0,1,2,3,4,5,6,7,8,9]}\n", i);
    }
    fclose(file);
    server_.Method(kGet, [this](const std::string &packed) {
      auto request =
          Unpack<GetContextRequest>(packed, &contextd__v1__get_context_request__descriptor);
      return FakeServer::Answer{{store_.Get(request->state->context_id)}};
    });
  }

  ~ImportTest() override { remove(path_.c_str()); }

  // Answers a message as the store does.
  FakeServer::Answer Serve(const std::string &packed) {
    auto request =
        Unpack<StreamUpdatesRequest>(packed, &contextd__v1__stream_updates_request__descriptor);
    std::string response;
    for (size_t i = 0; i < request->n_updates; i++) {
      std::string result = store_.Update(*request->updates[i]);
      response += '\x0A';  // Field 1, a message of less than 128 bytes.
      response += static_cast<char>(result.size());
      response += result;
      EXPECT_LT(result.size(), 128u);
    }
    return FakeServer::Answer{{response}};
  }

  ctl_exit Import(int64_t timeout_ms) {
    ctl ctl = {};
    cxc_options options = {};
    char *operands[] = {&path_[0], nullptr};
    ctl_args args = {operands, 1, nullptr, 0};
    options.address = server_.address().c_str();
    options.timeout_ms = timeout_ms;
    ctl.address = server_.address().c_str();
    ctl.namespace_ = "";
    ctl.timeout_ms = timeout_ms;
    ctl.client = cxc_client_new(&options);
    ctl_exit exit = ctl_import.run(&ctl, &args);
    cxc_client_free(ctl.client);
    ctl_pool_done(&ctl.pool);
    return exit;
  }

  // Every context has its ten messages, each set by a change of its own.
  void ExpectAllThere() {
    for (int i = 0; i < 20; i++) EXPECT_EQ(10u, store_.Version("c" + std::to_string(i)));
  }

  Store store_;
  FakeServer server_;
  std::string path_;
};

TEST_F(ImportTest, SendsWhatTheServerWasTooBusyForAgain) {
  server_.Stream(kStream, [this](const std::string &packed) { return Serve(packed); });
  for (int i = 3; i < 150; i += 7) store_.busy_.insert(i);
  EXPECT_EQ(CTL_OK, Import(60000));
  ExpectAllThere();
}

TEST_F(ImportTest, GoesOnWhenTheStreamBreaksAfterTheAnswer) {
  std::atomic<int> messages{0};
  server_.Stream(kStream, [&](const std::string &packed) {
    FakeServer::Answer answer = Serve(packed);
    if (++messages % 2 == 0 && messages < 8) answer.code = CXC_UNAVAILABLE;
    return answer;
  });
  EXPECT_EQ(CTL_OK, Import(60000));
  ExpectAllThere();
}

TEST_F(ImportTest, GoesOnWhenTheStreamBreaksBeforeTheAnswer) {
  std::atomic<int> messages{0};
  server_.Stream(kStream, [&](const std::string &packed) {
    FakeServer::Answer answer = Serve(packed);
    if (++messages % 2 == 0 && messages < 8) answer = Refusal(CXC_UNAVAILABLE, "STOPPING", {});
    return answer;
  });
  EXPECT_EQ(CTL_OK, Import(60000));
  ExpectAllThere();
}

TEST_F(ImportTest, GivesUpWhenTheServerSaysNothing) {
  server_.Stream(kStream, [](const std::string &) { return FakeServer::Answer(); });
  EXPECT_EQ(CTL_UNAVAILABLE, Import(100));
}

TEST_F(ImportTest, GivesUpWhenTheServerStaysBusy) {
  server_.Stream(kStream, [this](const std::string &packed) { return Serve(packed); });
  for (int i = 1; i < 100000; i++) store_.busy_.insert(i);
  EXPECT_EQ(CTL_UNAVAILABLE, Import(100));
}

TEST_F(ImportTest, GivesUpWhenTheServerTalksNonsense) {
  server_.Stream(kStream, [](const std::string &) { return FakeServer::Answer{{"\xff"}}; });
  EXPECT_EQ(CTL_FAILED, Import(60000));
}

TEST_F(ImportTest, GivesUpWhenThereAreMoreAnswersThanUpdates) {
  server_.Stream(kStream, [this](const std::string &packed) {
    FakeServer::Answer answer = Serve(packed);
    answer.messages.push_back(answer.messages[0]);
    return answer;
  });
  EXPECT_EQ(CTL_FAILED, Import(60000));
}

TEST_F(ImportTest, StopsWhenTheServerDoesNotKnowTheMethod) { EXPECT_EQ(CTL_FAILED, Import(60000)); }

}  // namespace
