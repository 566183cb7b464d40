// What Tracker.Subscribe promises (docs/events.md), against the real server: it is killed
// again and again while writers do whatever there is to do, and subscribers leave, come back
// with the cursor of any event, or hardly read at all. In the end each has been told exactly
// what the log has under its filter, and what it built of that is what the server holds.
//
//   writers --> server (killed) --> subscribers --> FeedRecord --> StreamCheck <-- the log
//
// Seed: CONTEXTD_SEED, printed. Length of the load: CONTEXTD_SECONDS.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "tests/integration/feed_log.h"
#include "tests/integration/feed_subscriber.h"
#include "tests/integration/feed_writer.h"
#include "tests/support/seed.h"
#include "tests/support/server_process.h"

namespace {

using Clock = std::chrono::steady_clock;
using Phase = FeedWorld::Phase;

constexpr int kWriters = 10;
constexpr uint64_t kSeconds = 60;
const char *const kNamespaces[] = {"alpha", "beta"};

uint64_t FromEnvironment(const char *name, uint64_t otherwise) {
  const char *given = getenv(name);
  return given != nullptr ? strtoull(given, nullptr, 10) : otherwise;
}

// ---- Who subscribes. ----------------------------------------------------------------------

FeedPlan Plan(
    const std::string &name, const std::string &namespace_id, bool with_snapshot,
    const std::function<void(FeedPlan *)> &more = [](FeedPlan *) {}) {
  FeedPlan plan;
  plan.name = name;
  plan.late = with_snapshot;
  plan.request.set_namespace_(namespace_id);
  if (with_snapshot) {
    plan.request.set_with_snapshot(true);
  } else {
    plan.request.set_from_oldest(true);
  }
  more(&plan);
  return plan;
}

void OfTeam(FeedPlan *plan) { (*plan->request.mutable_metadata())["team"] = "red"; }
void OfSomeIds(FeedPlan *plan) {
  for (const char *id : {"c-1", "c-2", "own-0", "own-1", "none"}) plan->request.add_context_ids(id);
}
void OfBusyIdsAnew(FeedPlan *plan) {
  for (int i = 0; i < 10; i++) plan->request.add_context_ids("c-" + std::to_string(i));
  plan->anew = true;
}
void OfTrees(FeedPlan *plan) { plan->request.set_id_prefix("tree-"); }
void OfChats(FeedPlan *plan) { plan->request.set_type("chat"); }
void OfKeys(FeedPlan *plan) { plan->request.set_key_prefix("k-"); }
void OfDocuments(FeedPlan *plan) { plan->request.set_key_prefix("doc"); }
void WithoutValues(FeedPlan *plan) { plan->request.set_without_values(true); }
void Slow(FeedPlan *plan) { plan->slow = true; }
void Anew(FeedPlan *plan) { plan->anew = true; }
void Quiet(FeedPlan *plan) { plan->quiet = true; }
void FromNow(FeedPlan *plan) {
  plan->request.clear_start();
  plan->late = true;
}
void FromList(FeedPlan *plan) {
  FromNow(plan);
  plan->from_list = true;
}
void OfEnds(FeedPlan *plan) {
  for (api::EventType type : {api::EVENT_TYPE_DELETED, api::EVENT_TYPE_EXPIRED}) {
    plan->request.add_event_types(type);
  }
}
void OfSessions(FeedPlan *plan) {
  for (api::EventType type :
       {api::EVENT_TYPE_SESSION_STARTED, api::EVENT_TYPE_SESSION_SWITCHED,
        api::EVENT_TYPE_SESSION_ENDED, api::EVENT_TYPE_SESSION_LOST, api::EVENT_TYPE_ACTIVATED,
        api::EVENT_TYPE_DEACTIVATED, api::EVENT_TYPE_HISTORY_TRIMMED}) {
    plan->request.add_event_types(type);
  }
}
void OfMuch(FeedPlan *plan) {
  for (int i = 0; i < 10; i++) plan->request.add_context_ids("c-" + std::to_string(i));
  plan->request.add_context_ids("own-0");
  OfTeam(plan);
  plan->request.set_id_prefix("c");
  plan->request.set_type("chat");
}

std::vector<FeedPlan> Plans() {
  return {
      Plan("all", "alpha", false),
      Plan("all-b", "beta", false),
      Plan("all-slow", "alpha", false, Slow),
      Plan("all-anew", "beta", false, Anew),
      Plan("all-without-values", "alpha", false, WithoutValues),
      Plan("ids", "alpha", false, OfSomeIds),
      Plan("prefix", "beta", false, OfTrees),
      Plan("type", "beta", false, OfChats),
      Plan("metadata", "alpha", false, OfTeam),
      Plan("keys", "alpha", false, OfKeys),
      Plan("ends", "alpha", false, OfEnds),
      Plan("sessions", "beta", false, OfSessions),
      Plan("much", "alpha", false, OfMuch),
      Plan("now", "alpha", false, FromNow),
      Plan("list", "beta", false, FromList),
      Plan("snapshot", "alpha", true),
      Plan("snapshot-slow", "beta", true, Slow),
      Plan("snapshot-anew", "alpha", true, Anew),
      Plan("snapshot-ids", "beta", true, OfBusyIdsAnew),
      Plan("snapshot-metadata", "beta", true, OfTeam),
      Plan("snapshot-keys", "alpha", true, OfDocuments),
      Plan("snapshot-without-values", "beta", true, WithoutValues),
  };
}

// ---- The load. ----------------------------------------------------------------------------

class SubscribeLoopTest : public testing::Test {
 protected:
  void SetUp() override {
    seed_ = TestSeed();
    seconds_ = FromEnvironment("CONTEXTD_SECONDS", kSeconds);
    printf("CONTEXTD_SEED=%llu CONTEXTD_SECONDS=%llu\n", static_cast<unsigned long long>(seed_),
           static_cast<unsigned long long>(seconds_));
    random_.seed(seed_);
    for (int i = 0; i < kWriters; i++) {
      writers_.push_back(std::make_unique<FeedWriter>(i, seed_, kNamespaces[i % 2], &world_));
    }
    for (const FeedPlan &plan : Plans()) {
      subscribers_.push_back(std::make_unique<FeedSubscriber>(plan, random_(), &world_, &texts_));
    }
  }

  bool StartServer() {
    std::vector<std::string> flags = {"--data-dir",
                                      directory_ + "/data",
                                      "--port-file",
                                      directory_ + "/port",
                                      "--feed-retention-bytes",
                                      "1024GiB",
                                      "--history-count-max",
                                      "40"};
    bool serves = server_.Start(flags);
    EXPECT_TRUE(serves) << server_.output();
    if (serves) world_.ServerStarted(server_.address());
    return serves;
  }

  // Kills the server again and again, and now and then stops it.
  void Load() {
    Clock::time_point end = Clock::now() + std::chrono::seconds(seconds_);
    while (StartServer() && Clock::now() < end) {
      world_.AwaitAcks(20 + random_() % 800, end);
      if (random_() % 6 == 0) {
        EXPECT_EQ(0, server_.Stop()) << server_.output();
        stops_++;
      } else {
        server_.Kill();
        kills_++;
      }
    }
    world_.AwaitAcks(200, end + std::chrono::seconds(1));
    world_.SetPhase(Phase::kQuiet);
  }

  // What ends by itself does; then one more change, behind which there is nothing.
  void Quieten(const std::string &namespace_id) {
    FeedSubscriber quiet(Plan("quiet", namespace_id, false, Quiet), random_(), &world_, &texts_);
    quiet.Run();
    EXPECT_EQ("", quiet.wrong());
    api::UpdateContextRequest request;
    api::UpdateContextResponse response;
    request.set_namespace_(namespace_id);
    request.set_context_id("end");
    request.mutable_create_if_missing();
    request.add_mutations()->mutable_put_entry()->set_key("k");
    GrpcClient client(server_.address());
    EXPECT_EQ(GRPC_STATUS_OK,
              FeedCall(&client, "ContextManager/UpdateContext", request, &response).code);
    world_.Acknowledge(namespace_id, "end", response.write().revision());
  }

  // ---- Afterwards. ------------------------------------------------------------------------

  // What the server holds is what the events make.
  void CompareServer(const std::string &namespace_id, const FeedView &view) {
    GrpcClient client(server_.address());
    api::ListContextsRequest list;
    list.set_namespace_(namespace_id);
    list.set_page_size(70);
    list.set_view(api::CONTEXT_VIEW_FULL);
    auto at = view.contexts().begin();
    do {
      api::ListContextsResponse page;
      GrpcOutcome outcome = FeedCall(&client, "ContextManager/ListContexts", list, &page);
      ASSERT_EQ(GRPC_STATUS_OK, outcome.code) << outcome.message;
      for (const api::Context &listed : page.contexts()) {
        ASSERT_NE(at, view.contexts().end()) << listed.id() << " is not built";
        std::string text = Text(namespace_id, listed);
        ASSERT_EQ(TextOfBuilt(namespace_id, at->second, listed), text);
        bool is_of_many = listed.id().compare(0, 2, "m-") == 0;
        if (!is_of_many) CompareContext(&client, namespace_id, at->second.head, text);
        ++at;
      }
      list.set_page_token(page.next_page_token());
    } while (!list.page_token().empty());
    EXPECT_EQ(at, view.contexts().end()) << at->first << " is not there";
  }

  static api::Event SnapshotOf(const std::string &namespace_id, const api::Context &context) {
    FeedView view;
    view.Replace(context);
    return FeedSnapshotOf(namespace_id, *view.Find(context.id()));
  }

  static std::string Text(const std::string &namespace_id, const api::Context &context) {
    return FeedText(FeedCondense(SnapshotOf(namespace_id, context)));
  }

  // What a restore brings back has versions that no event tells: they are those of `listed`.
  static std::string TextOfBuilt(const std::string &namespace_id, const FeedView::Context &built,
                                 const api::Context &listed) {
    api::Event event = FeedSnapshotOf(namespace_id, built);
    FeedFillVersions(SnapshotOf(namespace_id, listed), &event);
    return FeedText(FeedCondense(event));
  }

  // However the context is read, it is the same.
  static void CompareContext(GrpcClient *client, const std::string &namespace_id,
                             const api::Context &head, const std::string &text) {
    const std::string &id = head.id();
    api::GetContextRequest get;
    api::GetContextResponse got;
    get.mutable_state()->set_namespace_(namespace_id);
    get.mutable_state()->set_context_id(id);
    EXPECT_EQ(GRPC_STATUS_OK, FeedCall(client, "ContextManager/GetContext", get, &got).code) << id;
    EXPECT_EQ(text, Text(namespace_id, got.context()));

    api::ReadEntriesRequest read;
    api::Context all = head;
    *read.mutable_state() = get.state();
    GrpcOutcome outcome =
        client->Unary("/contextd.v1.ContextManager/ReadEntries", read.SerializeAsString());
    EXPECT_EQ(GRPC_STATUS_OK, outcome.code) << outcome.message;
    for (const std::string &bytes : outcome.messages) {
      api::ReadEntriesResponse response;
      EXPECT_TRUE(response.ParseFromString(bytes));
      all.mutable_entries()->MergeFrom(response.entries());
    }
    EXPECT_EQ(text, Text(namespace_id, all));
  }

  void CompareLog() {
    std::map<std::string, FeedView> views;
    std::unordered_set<std::string> told;  // What was acknowledged must be here.
    FeedPurges purges;
    EXPECT_EQ(
        "", FeedReadLog(
                directory_ + "/data", [](uint64_t, const std::vector<LoggedEvent> &) {}, &purges));
    for (StreamCheck &check : checks_) check.MayHide(&purges);
    std::string wrong = FeedReadLog(
        directory_ + "/data", [&](uint64_t revision, const std::vector<LoggedEvent> &events) {
          for (const LoggedEvent &logged : events) {
            const api::Event &event = logged.event;
            std::string problem = views[event.namespace_()].Apply(event);
            EXPECT_EQ("", problem) << event.ShortDebugString();
            for (StreamCheck &check : checks_) check.Expect(logged);
            Count(event);
            for (const std::string &name : {event.context().id(), event.session_id()}) {
              told.insert(event.namespace_() + "/" + name + "/" + std::to_string(revision));
            }
          }
          if (events.empty()) return;
          const std::string &namespace_id = events[0].event.namespace_();
          for (StreamCheck &check : checks_) {
            check.ExpectStates(revision, namespace_id, views[namespace_id]);
          }
        });
    EXPECT_EQ("", wrong);
    for (StreamCheck &check : checks_) {
      check.End();
      EXPECT_EQ("", check.difference());
    }
    for (const FeedAck &ack : world_.acks()) {
      EXPECT_EQ(1u,
                told.count(ack.namespace_id + "/" + ack.name + "/" + std::to_string(ack.revision)))
          << ack.name << " at " << ack.revision << " was acknowledged";
    }
  }

  void Count(const api::Event &event) {
    counts_[api::EventType_Name(event.type())]++;
    size_t size = event.ByteSizeLong();
    if (size > 70000 && size < 900000) counts_["in parts"]++;
    if (size > 1100000) counts_["too large"]++;
    for (const api::Mutation &mutation : event.mutations()) {
      if (mutation.has_splice_entry()) counts_["spliced"]++;
      if (mutation.has_delete_entries()) counts_["deleted by prefix"]++;
    }
  }

  void PrintCounts() {
    printf("%d kills, %d stops, %zu acknowledged, %llu resumes, %llu events received\n", kills_,
           stops_, world_.acks().size(), static_cast<unsigned long long>(world_.resumes),
           static_cast<unsigned long long>(world_.received));
    for (const auto &pair : counts_) printf("  %-28s %8d\n", pair.first.c_str(), pair.second);
    for (const StreamCheck &check : checks_) {
      printf("  %-28s %8zu told, %zu shown\n", check.record().name.c_str(),
             check.record().told.size(), check.record().shown.size());
    }
  }

  uint64_t seed_ = 0, seconds_ = 0;
  std::mt19937_64 random_;
  std::string directory_ = TestDirectory();
  ServerProcess server_;
  FeedWorld world_;
  FeedTexts texts_;
  std::vector<std::unique_ptr<FeedWriter>> writers_;
  std::vector<std::unique_ptr<FeedSubscriber>> subscribers_;
  std::deque<StreamCheck> checks_;
  std::map<std::string, int> counts_;  // Of what the log has.
  int kills_ = 0, stops_ = 0;
};

TEST_F(SubscribeLoopTest, TellsEverybodyEverythingOnceInOrderOverManyKills) {
  std::vector<std::thread> writing, reading;
  for (auto &writer : writers_) writing.emplace_back([&writer] { writer->Run(); });
  for (auto &each : subscribers_) reading.emplace_back([&each] { each->Run(); });
  Load();
  for (std::thread &thread : writing) thread.join();
  for (const char *each : kNamespaces) {
    if (!HasFailure()) Quieten(each);
  }
  world_.SetPhase(Phase::kFinish);
  for (std::thread &thread : reading) thread.join();
  if (HasFailure()) return;

  std::vector<std::unique_ptr<FeedSubscriber>> fresh;
  for (const char *each : kNamespaces) {
    fresh.push_back(
        std::make_unique<FeedSubscriber>(Plan("fresh", each, false), random_(), &world_, &texts_));
    fresh.back()->Run();
    CompareServer(each, fresh.back()->view());
  }
  EXPECT_EQ(0, server_.Stop()) << server_.output();

  std::vector<FeedPlan> plans = Plans();
  for (size_t i = 0; i < subscribers_.size(); i++) {
    size_t of = plans[i].request.namespace_() == kNamespaces[0] ? 0 : 1;
    EXPECT_EQ("", subscribers_[i]->wrong());
    EXPECT_EQ("", subscribers_[i]->CompareView(fresh[of]->view()));
    for (FeedRecord &record : subscribers_[i]->TakeRecords()) checks_.emplace_back(record);
  }
  for (auto &each : fresh) {
    EXPECT_EQ("", each->wrong());
    for (FeedRecord &record : each->TakeRecords()) checks_.emplace_back(record);
  }
  for (auto &writer : writers_) EXPECT_EQ("", writer->wrong());
  CompareLog();
  PrintCounts();
}

}  // namespace
