// The promise of the product, against the real server: it is killed again and again in
// the middle of the work of several clients, and after each restart every acknowledged
// change is there, nothing else is, versions have no gap, and a repeat changes nothing
// twice.
//
// Each writer owns its contexts and keeps a copy of what they must hold. The change
// that was under way when the server died may have been made or not, as a whole. Agents
// do the same with sessions, fences, histories and resources, and keepers with recovery
// points, restores, forks and merges: see crash_agent.h and crash_keeper.h.
// Seed: CONTEXTD_SEED, printed.

extern "C" {
#include "clients/c/contextd.h"
}

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/crash_agent.h"
#include "tests/integration/crash_keeper.h"
#include "tests/support/seed.h"
#include "tests/support/server_process.h"

namespace {

constexpr int kKills = 60;
constexpr int kWriters = 4;
constexpr int kAgents = 2;
constexpr int kKeepers = 2;
constexpr int kContextsEach = 3;
constexpr int kKeys = 6;

// What a context must hold.
struct Model {
  uint64_t version = 0;
  std::map<std::string, std::string> entries;

  bool operator==(const Model &other) const {
    return version == other.version && entries == other.entries;
  }
};

// A change that is under way, and what it leads to.
struct Change {
  std::string request_id;
  std::string key;
  std::string value;
  bool append;
  Model after;
};

struct FreeClient {
  void operator()(cxc_client *client) const { cxc_client_free(client); }
};
using Client = std::unique_ptr<cxc_client, FreeClient>;

Client Connect(const std::string &address) {
  cxc_options options = {};
  options.address = address.c_str();
  options.no_repeats = true;
  return Client(cxc_client_new(&options));
}

// Counts acknowledged changes, and lets the test wait for so many.
class Counter {
 public:
  void Add() {
    std::lock_guard<std::mutex> lock(mutex_);
    count_++;
    changed_.notify_all();
  }
  void ClientEnded() {
    std::lock_guard<std::mutex> lock(mutex_);
    ended_++;
    changed_.notify_all();
  }
  void Await(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count || ended_ == kWriters + kAgents + kKeepers; });
  }
  int count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
  int ended_ = 0;
};

// One client with contexts of its own.
class Writer {
 public:
  Writer(int number, uint64_t seed) : random_(seed + number) {
    for (int i = 0; i < kContextsEach; i++) {
      ids_.push_back("writer-" + std::to_string(number) + "-" + std::to_string(i));
    }
    models_.resize(kContextsEach);
  }

  // Works until the server is gone.
  void Run(const std::string &address, Counter *counter) {
    Client client = Connect(address);
    for (;;) {
      if (!pending_) Decide();
      uint64_t version;
      bool replayed;
      if (!Send(client.get(), &version, &replayed)) break;
      ASSERT_EQ(pending_->after.version, version) << ids_[pending_at_];
      models_[pending_at_] = pending_->after;
      pending_.reset();
      counter->Add();
    }
  }

  // Compares what the server holds with what was acknowledged.
  void Check(const std::string &address) {
    Client client = Connect(address);
    for (int i = 0; i < kContextsEach; i++) {
      Model found = Read(client.get(), ids_[i]);
      bool may_be_made = pending_ && pending_at_ == i;
      if (may_be_made && found == pending_->after) continue;
      EXPECT_EQ(models_[i].version, found.version) << ids_[i];
      EXPECT_EQ(models_[i].entries, found.entries) << ids_[i];
    }
    if (pending_) Repeat(client.get());
  }

 private:
  uint64_t Random(uint64_t below) { return random_() % below; }

  void Decide() {
    pending_at_ = static_cast<int>(Random(kContextsEach));
    Change change;
    change.request_id = ids_[pending_at_] + "/" + std::to_string(random_());
    change.key = "key-" + std::to_string(Random(kKeys));
    change.append = Random(3) == 0;
    change.value = std::string(Random(10) == 0 ? Random(40000) : Random(300),
                               static_cast<char>('a' + Random(26)));
    change.after = models_[pending_at_];
    change.after.version++;
    std::string &value = change.after.entries[change.key];
    value = change.append && value.size() < 200000 ? value + change.value : change.value;
    change.append = value.size() > change.value.size();
    pending_ = std::make_unique<Change>(change);
  }

  // Sends the pending change. False: the server is gone.
  bool Send(cxc_client *client, uint64_t *ret_version, bool *ret_replayed) {
    Contextd__V1__UpdateContextRequest request = CONTEXTD__V1__UPDATE_CONTEXT_REQUEST__INIT;
    Contextd__V1__NewContext create = CONTEXTD__V1__NEW_CONTEXT__INIT;
    Contextd__V1__Mutation mutation = CONTEXTD__V1__MUTATION__INIT;
    Contextd__V1__Mutation *mutations[] = {&mutation};
    Contextd__V1__PutEntry put = CONTEXTD__V1__PUT_ENTRY__INIT;
    Contextd__V1__AppendEntry append = CONTEXTD__V1__APPEND_ENTRY__INIT;
    Contextd__V1__WriteOptions write = CONTEXTD__V1__WRITE_OPTIONS__INIT;
    ProtobufCBinaryData value = {pending_->value.size(),
                                 reinterpret_cast<uint8_t *>(&pending_->value[0])};
    put.key = append.key = &pending_->key[0];
    put.value = append.value = value;
    if (pending_->append) {
      mutation.kind_case = CONTEXTD__V1__MUTATION__KIND_APPEND_ENTRY;
      mutation.append_entry = &append;
    } else {
      mutation.kind_case = CONTEXTD__V1__MUTATION__KIND_PUT_ENTRY;
      mutation.put_entry = &put;
    }
    write.request_id = &pending_->request_id[0];
    request.context_id = &ids_[pending_at_][0];
    request.mutations = mutations;
    request.n_mutations = 1;
    request.create_if_missing = &create;
    request.write = &write;

    Contextd__V1__UpdateContextResponse *response;
    cxc_error error;
    cxc_code code = cxc_update_context(client, &request, &response, &error);
    if (code != CXC_OK) {
      EXPECT_EQ(CXC_UNAVAILABLE, code) << error.message;
      return false;
    }
    *ret_version = response->version;
    *ret_replayed = response->write->replayed;
    cxc_response_free(response);
    return true;
  }

  // Sends the pending change again: made once, whether or not it was made before.
  void Repeat(cxc_client *client) {
    bool made = Read(client, ids_[pending_at_]) == pending_->after;
    uint64_t version = 0;
    bool replayed = false;
    ASSERT_TRUE(Send(client, &version, &replayed));
    EXPECT_EQ(made, replayed);
    EXPECT_EQ(pending_->after.version, version);
    EXPECT_EQ(pending_->after.entries, Read(client, ids_[pending_at_]).entries);
    models_[pending_at_] = pending_->after;
    pending_.reset();
  }

  static Model Read(cxc_client *client, const std::string &id) {
    Contextd__V1__GetContextRequest request = CONTEXTD__V1__GET_CONTEXT_REQUEST__INIT;
    Contextd__V1__StateRef state = CONTEXTD__V1__STATE_REF__INIT;
    Contextd__V1__GetContextResponse *response;
    cxc_error error;
    Model model;
    state.context_id = const_cast<char *>(id.c_str());
    request.state = &state;
    cxc_code code = cxc_get_context(client, &request, &response, &error);
    if (code != CXC_OK) {
      EXPECT_EQ(CXC_NOT_FOUND, code) << error.message;
      return model;
    }
    model.version = response->context->version;
    for (size_t i = 0; i < response->context->n_entries; i++) {
      const Contextd__V1__Entry *entry = response->context->entries[i];
      model.entries[entry->key] =
          std::string(reinterpret_cast<char *>(entry->value.data), entry->value.len);
    }
    cxc_response_free(response);
    return model;
  }

  std::mt19937_64 random_;
  std::vector<std::string> ids_;
  std::vector<Model> models_;
  std::unique_ptr<Change> pending_;
  int pending_at_ = 0;
};

// All of them.
class Clients {
 public:
  explicit Clients(uint64_t seed) {
    for (int i = 0; i < kWriters; i++) writers_.push_back(std::make_unique<Writer>(i, seed));
    for (int i = 0; i < kAgents; i++) agents_.push_back(std::make_unique<CrashAgent>(i, seed));
    for (int i = 0; i < kKeepers; i++) keepers_.push_back(std::make_unique<CrashKeeper>(i, seed));
  }

  void Check(const std::string &address, int64_t started_s) {
    for (auto &writer : writers_) writer->Check(address);
    for (auto &agent : agents_) agent->Check(address, started_s);
    for (auto &keeper : keepers_) keeper->Check(address);
  }

  // Each works until the server is gone.
  std::vector<std::thread> Run(const std::string &address, Counter *counter) {
    std::vector<std::thread> threads;
    for (auto &writer : writers_) {
      threads.emplace_back([=, &writer] {
        writer->Run(address, counter);
        counter->ClientEnded();
      });
    }
    for (auto &agent : agents_) {
      threads.emplace_back([=, &agent] {
        agent->Run(address, [counter] { counter->Add(); });
        counter->ClientEnded();
      });
    }
    for (auto &keeper : keepers_) {
      threads.emplace_back([=, &keeper] {
        keeper->Run(address, [counter] { counter->Add(); });
        counter->ClientEnded();
      });
    }
    return threads;
  }

 private:
  std::vector<std::unique_ptr<Writer>> writers_;
  std::vector<std::unique_ptr<CrashAgent>> agents_;
  std::vector<std::unique_ptr<CrashKeeper>> keepers_;
};

TEST(CrashLoopTest, LosesNothingThatWasAcknowledgedOverManyKills) {
  uint64_t seed = TestSeed();
  printf("CONTEXTD_SEED=%llu\n", static_cast<unsigned long long>(seed));

  std::mt19937_64 random(seed);
  std::string directory = TestDirectory();
  Clients clients(seed);
  int acknowledged = 0;

  for (int kill = 0; kill < kKills && !testing::Test::HasFailure(); kill++) {
    SCOPED_TRACE(kill);
    int64_t started_s = time(nullptr);
    ServerProcess server;
    ASSERT_TRUE(server.Start({"--data-dir", directory})) << server.output();
    clients.Check(server.address(), started_s);

    Counter counter;
    std::vector<std::thread> threads = clients.Run(server.address(), &counter);
    counter.Await(static_cast<int>(random() % 200));
    server.Kill();
    for (std::thread &thread : threads) thread.join();
    acknowledged += counter.count();
  }
  int64_t started_s = time(nullptr);
  ServerProcess server;
  ASSERT_TRUE(server.Start({"--data-dir", directory})) << server.output();
  clients.Check(server.address(), started_s);
  EXPECT_EQ(0, server.Stop()) << server.output();
  printf("%d kills, %d changes acknowledged, all there\n", kKills, acknowledged);
}

}  // namespace
