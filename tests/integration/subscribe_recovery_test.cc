// Tracker.Subscribe of the real binary: what is told of restores, forks, merges and recovery
// points, live and later, and that the log says the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "contextd/v1/recovery.pb.h"
#include "tests/integration/feed_log.h"
#include "tests/integration/feed_world.h"
#include "tests/support/server_process.h"

namespace {

using Strings = std::vector<std::string>;
using Request = api::SubscribeRequest;

// "RESTORED a v3 point=p +2 reset".
std::string Line(const api::Event &event) {
  std::string line = api::EventType_Name(event.type()).substr(std::string("EVENT_TYPE_").size());
  if (event.has_context()) {
    line += " " + event.context().id() + " v" + std::to_string(event.context().version());
  }
  if (!event.recovery_point_id().empty()) line += " point=" + event.recovery_point_id();
  if (event.mutations_size() > 0) line += " +" + std::to_string(event.mutations_size());
  return line + (event.reset() ? " reset" : "") + (event.more() ? " more" : "");
}

Strings Lines(const std::vector<api::Event> &events) {
  Strings lines;
  for (const api::Event &event : events) lines.push_back(Line(event));
  return lines;
}

class Stream {
 public:
  Stream(GrpcClient *client, const Request &request)
      : call_(client->Open("/contextd.v1.Tracker/Subscribe")) {
    call_->Send(request.SerializeAsString());
    call_->SendsDone();
  }

  // All events up to this number, or to where it has caught up.
  std::vector<api::Event> Events(size_t count = SIZE_MAX) {
    std::vector<api::Event> events;
    api::SubscribeResponse response;
    std::string bytes;
    while (events.size() < count && call_->Receive(&bytes)) {
      EXPECT_TRUE(response.ParseFromString(bytes));
      for (const api::Event &event : response.events().events()) events.push_back(event);
      if (!response.has_caught_up()) continue;
      cursor_ = response.caught_up().cursor();
      break;
    }
    return events;
  }
  const std::string &cursor() const { return cursor_; }

 private:
  std::unique_ptr<GrpcCall> call_;
  std::string cursor_;
};

class SubscribeRecoveryTest : public testing::Test {
 protected:
  // a: k=1 as version 1, of which p is kept, then k=2 and l=1 as version 2.
  void SetUp() override {
    ASSERT_TRUE(server_.Start({"--data-dir", directory_ + "/data"})) << server_.output();
    client_ = std::make_unique<GrpcClient>(server_.address());
    Put("a", {{"k", "1"}});
    MakePoint("a", "p");
    Put("a", {{"k", "2"}, {"l", "1"}});
    MarkNow();
  }

  // What follows is told from here.
  void MarkNow() {
    Stream stream(client_.get(), Request());
    stream.Events();
    cursor_ = stream.cursor();
  }

  template <typename Response = api::WriteResult, typename Message>
  Response Call(const std::string &method, const Message &request) {
    Response response;
    GrpcOutcome outcome = client_->Unary("/contextd.v1." + method, request.SerializeAsString());
    EXPECT_EQ(GRPC_STATUS_OK, outcome.code) << method << ": " << outcome.message;
    if (outcome.code == GRPC_STATUS_OK) response.ParseFromString(outcome.messages.at(0));
    return response;
  }

  void Put(const std::string &id, const std::vector<std::pair<std::string, std::string>> &entries,
           const std::string &label = "") {
    api::UpdateContextRequest request;
    request.set_context_id(id);
    request.mutable_create_if_missing();
    for (const auto &[key, value] : entries) {
      api::PutEntry *put = request.add_mutations()->mutable_put_entry();
      put->set_key(key);
      put->set_value(value);
    }
    if (!label.empty()) {
      request.add_mutations()->mutable_set_metadata()->set_key("label");
      request.mutable_mutations()->rbegin()->mutable_set_metadata()->set_value(label);
    }
    Call<api::UpdateContextResponse>("ContextManager/UpdateContext", request);
  }

  void Delete(const std::string &id, bool purge = false) {
    api::DeleteContextRequest request;
    request.set_context_id(id);
    request.set_purge(purge);
    Call<api::DeleteContextResponse>("ContextManager/DeleteContext", request);
  }

  void MakePoint(
      const std::string &id, const std::string &point,
      const std::function<void(api::CreateRecoveryPointRequest *)> &more = [](auto *) {}) {
    api::CreateRecoveryPointRequest request;
    request.set_context_id(id);
    request.set_recovery_point_id(point);
    more(&request);
    Call<api::CreateRecoveryPointResponse>("Recovery/CreateRecoveryPoint", request);
  }

  api::RestoreContextResponse Restore(
      const std::string &id, const std::function<void(api::RestoreContextRequest *)> &more) {
    api::RestoreContextRequest request;
    request.set_context_id(id);
    more(&request);
    return Call<api::RestoreContextResponse>("Recovery/RestoreContext", request);
  }

  void Fork(const std::string &from, const std::string &id, bool with_points = false) {
    api::ForkContextRequest request;
    request.mutable_source()->set_context_id(from);
    request.set_context_id(id);
    request.set_with_recovery_points(with_points);
    Call<api::ForkContextResponse>("Recovery/ForkContext", request);
  }

  void Merge(const std::string &from, const std::string &id) {
    api::MergeContextRequest request;
    request.mutable_source()->set_context_id(from);
    request.set_target_context_id(id);
    auto response = Call<api::MergeContextResponse>("Recovery/MergeContext", request);
    EXPECT_TRUE(response.applied());
  }

  std::vector<api::Event> Events(const std::function<void(Request *)> &more = [](Request *) {}) {
    Request request;
    request.set_cursor(cursor_);
    more(&request);
    return Stream(client_.get(), request).Events();
  }
  Strings Told(const std::function<void(Request *)> &more = [](Request *) {}) {
    return Lines(Events(more));
  }

  std::string directory_ = TestDirectory();
  ServerProcess server_;
  std::unique_ptr<GrpcClient> client_;
  std::string cursor_;
};

// ---- Earlier states. ----------------------------------------------------------------------

TEST_F(SubscribeRecoveryTest, TellsARestoreWithWhatDiffersAndThePointThatItCameFrom) {
  Restore("a", [](auto *request) { request->set_recovery_point_id("p"); });
  std::vector<api::Event> events = Events();
  ASSERT_EQ(Strings({"RESTORED a v3 point=p +2"}), Lines(events));
  EXPECT_EQ("k", events[0].mutations(0).put_entry().key());
  EXPECT_EQ("1", events[0].mutations(0).put_entry().value());
  EXPECT_EQ("l", events[0].mutations(1).delete_entry().key());
  EXPECT_EQ(1u, events[0].context().entry_count());
}

TEST_F(SubscribeRecoveryTest, TellsARestoreToAVersionWithoutAPoint) {
  Restore("a", [](auto *request) { request->set_version(1); });
  EXPECT_EQ(Strings({"RESTORED a v3 +2"}), Told());
}

TEST_F(SubscribeRecoveryTest, TellsASafetyPointBehindTheRestoreThatItWasMadeFor) {
  api::RestoreContextResponse response = Restore("a", [](auto *request) {
    request->set_recovery_point_id("p");
    request->set_safety_point(true);
  });
  ASSERT_NE("", response.safety_point_id());
  EXPECT_EQ(Strings({"RESTORED a v3 point=p +2",
                     "RECOVERY_POINT_CREATED a v3 point=" + response.safety_point_id()}),
            Told());
}

TEST_F(SubscribeRecoveryTest, TellsAnUndeleteAsARestoreToBeReadAnew) {
  Put("a", {}, "blue");
  Delete("a");
  MarkNow();
  Restore("a", [](auto *request) { request->set_undelete(true); });
  EXPECT_EQ(Strings({"RESTORED a v4 reset"}), Told());
  auto labelled = [](const std::string &value) {
    return [value](Request *request) { (*request->mutable_metadata())["label"] = value; };
  };
  EXPECT_EQ(1u, Told(labelled("blue")).size());
  EXPECT_EQ(0u, Told(labelled("red")).size());
}

TEST_F(SubscribeRecoveryTest, TellsAPointMadeFromAnotherOneThatMovesTheHeadAsARestore) {
  MakePoint("a", "q", [](auto *request) {
    request->set_from_recovery_point_id("p");
    request->set_move_head(true);
    request->add_mutations()->mutable_put_entry()->set_key("m");
  });
  EXPECT_EQ(Strings({"RESTORED a v3 point=p reset", "RECOVERY_POINT_CREATED a v3 point=q"}),
            Told());
}

TEST_F(SubscribeRecoveryTest, TellsAForkToBeReadAnewWithoutThePointsThatItTakesAlong) {
  Fork("a", "b", true);
  std::vector<api::Event> events = Events();
  ASSERT_EQ(Strings({"FORKED b v3 reset"}), Lines(events));
  EXPECT_EQ("a", events[0].context().forked_from().context_id());
  EXPECT_EQ(2u, events[0].context().forked_from().version());
  EXPECT_EQ(2u, events[0].context().entry_count());
}

TEST_F(SubscribeRecoveryTest, TellsAMergeWithWhatItCameTo) {
  Fork("a", "b");
  Put("b", {{"m", "1"}});
  MarkNow();
  Merge("b", "a");
  std::vector<api::Event> events = Events();
  ASSERT_EQ(Strings({"MERGED a v3 +1"}), Lines(events));
  EXPECT_EQ("m", events[0].mutations(0).put_entry().key());
  EXPECT_EQ("1", events[0].mutations(0).put_entry().value());
}

TEST_F(SubscribeRecoveryTest, LeavesValuesOutOfRestoresAndMerges) {
  Fork("a", "b");
  Put("b", {{"m", "1"}});
  MarkNow();
  Restore("a", [](auto *request) { request->set_recovery_point_id("p"); });
  Merge("b", "a");
  std::vector<api::Event> events =
      Events([](Request *request) { request->set_without_values(true); });
  ASSERT_EQ(2u, events.size());
  for (const api::Event &event : events) {
    EXPECT_NE("", event.mutations(0).put_entry().key()) << event.ShortDebugString();
    EXPECT_EQ("", event.mutations(0).put_entry().value()) << event.ShortDebugString();
  }
}

TEST_F(SubscribeRecoveryTest, SelectsRestoresAndMergesByKeyAndForksWhateverTheKey) {
  Fork("a", "b");
  Put("b", {{"m", "1"}});
  MarkNow();
  Restore("a", [](auto *request) { request->set_recovery_point_id("p"); });
  Merge("b", "a");
  Fork("a", "c");
  auto keys = [](const char *prefix) {
    return [=](Request *request) { request->set_key_prefix(prefix); };
  };
  EXPECT_EQ(Strings({"RESTORED a v3 point=p +2", "FORKED c v5 reset"}), Told(keys("l")));
  EXPECT_EQ(Strings({"MERGED a v4 +1", "FORKED c v5 reset"}), Told(keys("m")));
}

TEST_F(SubscribeRecoveryTest, TellsNothingOfWhatWasPurgedSinceButItsEnds) {
  Restore("a", [](auto *request) { request->set_recovery_point_id("p"); });
  Fork("a", "b");
  MakePoint("b", "q");
  Delete("b");
  Restore("b", [](auto *request) { request->set_undelete(true); });
  Delete("b", true);
  EXPECT_EQ(Strings({"RESTORED a v3 point=p +2", "DELETED b v4", "DELETED b v5"}), Told());
}

TEST_F(SubscribeRecoveryTest, ShowsWhatWasForkedOrUndeletedInASnapshot) {
  Fork("a", "b");
  Delete("a");
  Restore("a", [](auto *request) { request->set_undelete(true); });
  Request request;
  request.set_with_snapshot(true);
  Strings lines = Lines(Stream(client_.get(), request).Events());
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(Strings({"SNAPSHOT a v3", "SNAPSHOT b v3"}), lines);
}

// ---- Recovery points. ---------------------------------------------------------------------

TEST_F(SubscribeRecoveryTest, TellsAPointThatIsMadeReplacedChangedAndDropped) {
  MakePoint("a", "q");
  MakePoint("a", "q", [](auto *request) { request->set_replace(true); });
  api::UpdateRecoveryPointRequest update;
  update.set_context_id("a");
  update.set_recovery_point_id("q");
  update.set_pin(api::UpdateRecoveryPointRequest::PIN_ON);
  Call<api::UpdateRecoveryPointResponse>("Recovery/UpdateRecoveryPoint", update);
  api::DeleteRecoveryPointRequest drop;
  drop.set_context_id("a");
  drop.set_recovery_point_id("q");
  Call<api::DeleteRecoveryPointResponse>("Recovery/DeleteRecoveryPoint", drop);
  EXPECT_EQ(Strings({"RECOVERY_POINT_CREATED a v2 point=q", "RECOVERY_POINT_CREATED a v2 point=q",
                     "RECOVERY_POINT_UPDATED a v2 point=q", "RECOVERY_POINT_DELETED a v2 point=q"}),
            Told());
}

TEST_F(SubscribeRecoveryTest, TellsAPointThatExpires) {
  MakePoint("a", "brief", [](auto *request) { request->mutable_ttl()->set_nanos(1000000); });
  Request request;
  request.set_cursor(cursor_);
  request.add_event_types(api::EVENT_TYPE_RECOVERY_POINT_DELETED);
  Stream stream(client_.get(), request);
  std::vector<api::Event> events = stream.Events(1);
  if (events.empty()) events = stream.Events(1);  // It had caught up before.
  EXPECT_EQ(Strings({"RECOVERY_POINT_DELETED a v2 point=brief"}), Lines(events));
}

TEST_F(SubscribeRecoveryTest, TellsAttachmentsForAPointOnlyOnceThePointIsMade) {
  api::UpdateRecoveryPointRequest update;
  update.set_context_id("a");
  update.set_recovery_point_id("later");
  update.set_allow_missing(true);
  update.add_put_attachments()->set_key("x");
  Call<api::UpdateRecoveryPointResponse>("Recovery/UpdateRecoveryPoint", update);
  EXPECT_EQ(Strings(), Told());
  MakePoint("a", "later");
  EXPECT_EQ(Strings({"RECOVERY_POINT_CREATED a v2 point=later"}), Told());
}

TEST_F(SubscribeRecoveryTest, GoesOnInTheMiddleOfTheManyDropsOfOneChange) {
  constexpr int kPoints = 1500;
  for (int first = 0; first < kPoints; first += 500) {
    api::BatchRecoveryPointsRequest batch;
    for (int i = first; i < first + 500; i++) {
      api::CreateRecoveryPointRequest *create = batch.add_operations()->mutable_create();
      create->set_context_id("a");
      create->set_recovery_point_id("many-" + std::to_string(i));
      (*create->mutable_metadata())["kind"] = "many";
    }
    Call<api::BatchRecoveryPointsResponse>("Recovery/BatchRecoveryPoints", batch);
  }
  MarkNow();
  api::PruneRecoveryPointsRequest prune;
  prune.set_context_id("a");
  (*prune.mutable_metadata())["kind"] = "many";
  auto pruned = Call<api::PruneRecoveryPointsResponse>("Recovery/PruneRecoveryPoints", prune);
  size_t count = pruned.removed_count();
  EXPECT_GT(count, 900u) << "at least those that the server's policy has left";
  std::vector<api::Event> events = Events();
  ASSERT_EQ(count, events.size());
  cursor_ = events[700].cursor();
  std::vector<api::Event> rest = Events();
  ASSERT_EQ(count - 701, rest.size());
  for (size_t i = 0; i < rest.size(); i++) {
    ASSERT_EQ(events[701 + i].ShortDebugString(), rest[i].ShortDebugString());
  }
}

// ---- Who waits. ---------------------------------------------------------------------------

TEST_F(SubscribeRecoveryTest, WakesThoseWhoWaitForJustOneOfTheTypes) {
  const std::pair<api::EventType, std::function<void()>> cases[] = {
      {api::EVENT_TYPE_RECOVERY_POINT_CREATED, [&] { MakePoint("a", "q"); }},
      {api::EVENT_TYPE_RESTORED,
       [&] { Restore("a", [](auto *request) { request->set_recovery_point_id("p"); }); }},
      {api::EVENT_TYPE_FORKED, [&] { Fork("a", "b"); }},
      {api::EVENT_TYPE_MERGED,
       [&] {
         Put("b", {{"m", "1"}});
         Merge("b", "a");
       }},
  };
  for (const auto &[type, act] : cases) {
    Request request;
    request.add_event_types(type);
    Stream stream(client_.get(), request);
    EXPECT_EQ(0u, stream.Events().size());
    act();
    std::vector<api::Event> events = stream.Events(1);
    ASSERT_EQ(1u, events.size());
    EXPECT_EQ(type, events[0].type());
  }
}

// ---- The log. -----------------------------------------------------------------------------

TEST_F(SubscribeRecoveryTest, TellsWhatTheLogSays) {
  Restore("a", [](auto *request) {
    request->set_recovery_point_id("p");
    request->set_safety_point(true);
  });
  Fork("a", "b", true);
  Put("b", {{"m", std::string(100000, 'x')}, {"n", std::string(100000, 'y')}}, "blue");
  Merge("b", "a");
  MakePoint("a", "q",
            [](auto *request) { request->add_mutations()->mutable_put_entry()->set_key("z"); });
  Put("a", {{"k", "5"}});
  Delete("b");
  Restore("b", [](auto *request) { request->set_undelete(true); });
  MakePoint("a", "r", [](auto *request) {
    request->set_from_recovery_point_id("q");
    request->set_move_head(true);
  });
  Put("a", {{"k", "6"}});

  Request request;
  request.set_namespace_("default");
  request.set_from_oldest(true);
  std::vector<std::string> told, logged;
  FeedJoiner joiner;
  for (const api::Event &part : Stream(client_.get(), request).Events()) {
    api::Event event;
    if (joiner.Add(part, &event)) told.push_back(FeedText(FeedCondense(event)));
  }
  EXPECT_EQ("", joiner.wrong());
  ASSERT_EQ(0, server_.Stop());
  FeedView view;
  EXPECT_EQ(
      "", FeedReadLog(directory_ + "/data", [&](uint64_t, const std::vector<LoggedEvent> &events) {
        for (const LoggedEvent &each : events) {
          logged.push_back(FeedText(each.Text(false)));
          EXPECT_EQ("", view.Apply(each.event)) << logged.back();
        }
      }));
  ASSERT_EQ(logged.size(), told.size());
  for (size_t i = 0; i < told.size(); i++) EXPECT_EQ(logged[i], told[i]);
  EXPECT_TRUE(view.IsUnknown("b"));
}

}  // namespace
