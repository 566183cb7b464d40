// Tracker.Subscribe of the real binary: what becomes of bad input, of positions that are no
// longer there, of readers that stop, and of subscribers when the server does. What is told
// is shown by subscribe_loop_test.cc.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/feed_world.h"
#include "tests/support/server_process.h"

namespace {

using Request = api::SubscribeRequest;
using Fill = std::function<void(Request *)>;

// "REASON key=value ...", but for what a cursor says; or the code, where there is none.
std::string Text(const GrpcOutcome &outcome) {
  std::string text = outcome.Reason();
  if (text.empty()) return std::to_string(outcome.code) + " " + outcome.message;
  for (const auto &pair : outcome.Metadata()) {
    bool is_cursor = pair.first == "cursor" || pair.first == "oldest_cursor";
    text += " " + pair.first + "=" + (is_cursor && !pair.second.empty() ? "..." : pair.second);
  }
  return text;
}

std::string Invalid(const std::string &field, const std::string &rule) {
  return "INVALID_FIELD field=" + field + " rule=" + rule;
}

const char kCursorRule[] =
    "must be a cursor of this server's log, and one of a snapshot comes with the filter that it "
    "was made with";

// One subscription.
class Stream {
 public:
  Stream(GrpcClient *client, const Fill &fill)
      : call_(client->Open("/contextd.v1.Tracker/Subscribe")) {
    Request request;
    fill(&request);
    call_->Send(request.SerializeAsString());
    call_->SendsDone();
  }

  // False: it has ended.
  bool Next(api::SubscribeResponse *ret_response) {
    std::string bytes;
    if (!call_->Receive(&bytes)) return false;
    EXPECT_TRUE(ret_response->ParseFromString(bytes));
    return true;
  }

  // All events up to the end, or to where it has caught up. Sets cursor().
  std::vector<api::Event> Events() {
    std::vector<api::Event> events;
    api::SubscribeResponse response;
    while (Next(&response)) {
      for (const api::Event &event : response.events().events()) events.push_back(event);
      if (response.has_progress()) cursor_ = response.progress().cursor();
      if (!response.has_caught_up()) continue;
      cursor_ = response.caught_up().cursor();
      break;
    }
    return events;
  }

  const std::string &cursor() const { return cursor_; }

  // Of a stream that has ended.
  GrpcOutcome End() { return call_->FinishUnread(); }

 private:
  std::unique_ptr<GrpcCall> call_;
  std::string cursor_;
};

void FromNow(Request *) {}
void FromOldest(Request *request) { request->set_from_oldest(true); }
void WithSnapshot(Request *request) { request->set_with_snapshot(true); }
Fill From(const std::string &cursor) {
  return [cursor](Request *request) { request->set_cursor(cursor); };
}

class SubscribeTest : public testing::Test {
 protected:
  void SetUp() override {
    Start(Flags());
    for (const char *id : {"a", "b", "c"}) Put(id, "v");
  }

  virtual std::vector<std::string> Flags() { return {}; }

  void Start(std::vector<std::string> flags, const std::string &data = "data") {
    flags.insert(flags.end(), {"--data-dir", directory_ + "/" + data});
    ASSERT_TRUE(server_.Start(flags)) << server_.output();
    client_ = std::make_unique<GrpcClient>(server_.address());
  }

  uint64_t Put(const std::string &id, const std::string &value) {
    api::UpdateContextRequest request;
    api::UpdateContextResponse response;
    request.set_context_id(id);
    request.mutable_create_if_missing();
    request.add_mutations()->mutable_put_entry()->set_key("k");
    request.mutable_mutations(0)->mutable_put_entry()->set_value(value);
    GrpcOutcome outcome =
        FeedCall(client_.get(), "ContextManager/UpdateContext", request, &response);
    EXPECT_EQ(GRPC_STATUS_OK, outcome.code) << outcome.message;
    return response.write().revision();
  }

  // Large enough to fill what lies between the server and a reader that does not read.
  void PutMuch() {
    for (int i = 0; i < 24; i++) Put("much", std::string(900000, static_cast<char>('a' + i)));
  }

  // What a subscription that is refused is told.
  std::string Refusal(const Fill &fill) {
    Stream stream(client_.get(), fill);
    api::SubscribeResponse response;
    if (stream.Next(&response)) return "begins with " + response.ShortDebugString();
    return Text(stream.End());
  }

  std::vector<api::Event> Events(const Fill &fill) { return Stream(client_.get(), fill).Events(); }

  std::string CursorNow() {
    Stream stream(client_.get(), FromNow);
    stream.Events();
    return stream.cursor();
  }

  std::string directory_ = TestDirectory();
  ServerProcess server_;
  std::unique_ptr<GrpcClient> client_;
};

// ---- Cursors. -----------------------------------------------------------------------------

TEST_F(SubscribeTest, RefusesCursorsThatAreMadeUp) {
  std::string cursor = Events(FromOldest).front().cursor();
  EXPECT_EQ(2u, Events(From(cursor)).size());
  for (const std::string &made : {std::string("x"), std::string("AAAA"), std::string(4096, 'A'),
                                  std::string("\xc3\xa9"), cursor + "A", cursor + cursor}) {
    EXPECT_EQ(Invalid("cursor", kCursorRule), Refusal(From(made))) << made;
  }
  for (size_t i = 0; i < cursor.size(); i++) {
    std::string made = cursor;
    made[i] = made[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(Invalid("cursor", kCursorRule), Refusal(From(made))) << made;
    EXPECT_NE(0u, Refusal(From(cursor.substr(0, i))).find("begins")) << i;
  }
}

TEST_F(SubscribeTest, RefusesAnEmptyCursorAndOneThatIsTooLong) {
  EXPECT_EQ(Invalid("cursor",
                    "must not be empty; leave `start` out to begin with what happens from now on"),
            Refusal(From("")));
  EXPECT_EQ(0u, Refusal(From(std::string(1 << 20, 'A'))).find("INVALID_FIELD field=cursor "));
  EXPECT_EQ(0u, Refusal(From(std::string("a\0b", 3))).find("INVALID_FIELD field=cursor "));
}

TEST_F(SubscribeTest, RefusesTheTokenOfAPage) {
  api::ListContextsRequest request;
  api::ListContextsResponse response;
  request.set_page_size(1);
  FeedCall(client_.get(), "ContextManager/ListContexts", request, &response);
  ASSERT_NE("", response.next_page_token());
  EXPECT_EQ(Invalid("cursor", kCursorRule), Refusal(From(response.next_page_token())));
  request.set_page_token(response.cursor());
  EXPECT_EQ("INVALID_FIELD",
            FeedCall(client_.get(), "ContextManager/ListContexts", request, &response).Reason());
  EXPECT_EQ(0u, Events(From(response.cursor())).size());
}

TEST_F(SubscribeTest, RefusesACursorOfAnotherServersLog) {
  std::string cursor = CursorNow();
  ServerProcess other;
  ASSERT_TRUE(other.Start({"--data-dir", directory_ + "/other"})) << other.output();
  client_ = std::make_unique<GrpcClient>(other.address());
  EXPECT_EQ(Invalid("cursor", kCursorRule), Refusal(From(cursor)));
}

TEST_F(SubscribeTest, RefusesACursorOfTheFuture) {
  std::string before = CursorNow();
  ASSERT_EQ(0, server_.Stop());
  std::filesystem::copy(directory_ + "/data", directory_ + "/copy",
                        std::filesystem::copy_options::recursive);
  Start({});
  for (int i = 0; i < 3; i++) Put("a", "later");
  std::string after = CursorNow();
  ASSERT_EQ(0, server_.Stop());
  Start({}, "copy");
  EXPECT_EQ(0u, Refusal(From(after)).find("INVALID_FIELD field=cursor rule="));
  EXPECT_EQ(0u, Events(From(before)).size());
}

TEST_F(SubscribeTest, RefusesACursorFromBeforeAnAcceptedLossOfData) {
  std::string first = Events(FromOldest).front().cursor(), last = CursorNow();
  std::string mark(2000, 'm');
  Put("a", mark);
  Put("b", "behind it");
  server_.Kill();
  for (const auto &file : std::filesystem::directory_iterator(directory_ + "/data")) {
    std::string bytes(file.file_size(), '\0');
    std::ifstream(file.path(), std::ios::binary).read(&bytes[0], bytes.size());
    size_t at = bytes.find(mark);
    if (at == std::string::npos) continue;
    std::fstream out(file.path(), std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at)).put('x');
  }
  Start({"--accept-data-loss"});
  for (const std::string &cursor : {first, last}) {
    EXPECT_EQ("CURSOR_COMPACTED oldest_cursor=...", Refusal(From(cursor)));
  }
  Stream stream(client_.get(), From(last));
  stream.Events();
  std::string oldest = stream.End().Metadata()["oldest_cursor"];
  EXPECT_EQ(3u, Events(From(oldest)).size());
}

TEST_F(SubscribeTest, TakesTheCursorOfASnapshotOnlyWithItsFilter) {
  auto ids = [](const Fill &start, std::vector<std::string> wanted) {
    return [=](Request *request) {
      for (const std::string &id : wanted) request->add_context_ids(id);
      start(request);
    };
  };
  std::vector<api::Event> shown = Events(ids(WithSnapshot, {"a", "b", "c"}));
  ASSERT_EQ(3u, shown.size());
  Fill from = From(shown[0].cursor());
  EXPECT_EQ(2u, Events(ids(from, {"a", "b", "c"})).size());
  EXPECT_EQ(2u, Events(ids(from, {"c", "a", "b"})).size()) << "in any order";
  const std::string refused = Invalid("cursor", kCursorRule);
  EXPECT_EQ(refused, Refusal(from));
  EXPECT_EQ(refused, Refusal(ids(from, {"a", "b"})));
  for (const Fill &other :
       std::vector<Fill>{[](Request *request) { request->set_id_prefix("a"); },
                         [](Request *request) { request->set_type("t"); },
                         [](Request *request) { request->set_key_prefix("k"); },
                         [](Request *request) { request->set_namespace_("other"); },
                         [](Request *request) { (*request->mutable_metadata())["k"] = "v"; }}) {
    EXPECT_EQ(refused, Refusal([&](Request *request) {
                ids(from, {"a", "b", "c"})(request);
                other(request);
              }));
  }
}

// While another subscription is there, and the feed is still busy with what was written.
TEST_F(SubscribeTest, HasNotCaughtUpBeforeWhatWasAcknowledgedIsTold) {
  std::string cursor = CursorNow();
  Stream other(client_.get(), FromOldest);
  other.Events();
  for (int i = 0; i < 200; i++) {
    uint64_t revision = Put("a", "new");
    api::ListContextsRequest request;
    api::ListContextsResponse response;
    FeedCall(client_.get(), "ContextManager/ListContexts", request, &response);
    Stream stream(client_.get(), From(cursor));
    std::vector<api::Event> events = stream.Events();
    ASSERT_EQ(1u, events.size());
    ASSERT_EQ(revision, events[0].revision());
    ASSERT_EQ(0u, Events(From(response.cursor())).size());
    cursor = stream.cursor();
  }
}

// ---- Fields. ------------------------------------------------------------------------------

TEST_F(SubscribeTest, RefusesEventTypesThatItDoesNotKnow) {
  for (int type : {0, 20, 99, -1, INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(Invalid("event_types[1]", "must be a type of events that this server knows, not " +
                                            std::to_string(type)),
              Refusal([=](Request *request) {
                request->add_event_types(api::EVENT_TYPE_CREATED);
                request->add_event_types(static_cast<api::EventType>(type));
              }));
  }
}

TEST_F(SubscribeTest, TakesUpTo1000Ids) {
  auto ids = [](int count) {
    return [=](Request *request) {
      request->set_from_oldest(true);
      for (int i = 1; i < count; i++) request->add_context_ids("x" + std::to_string(i));
      request->add_context_ids("a");
    };
  };
  EXPECT_EQ(1u, Events(ids(1000)).size());
  EXPECT_EQ(0u, Refusal(ids(1001)).find("INVALID_FIELD field=context_ids rule="));
}

TEST_F(SubscribeTest, RefusesNamesThatCannotBe) {
  const struct {
    const char *field;
    Fill fill;
  } kRows[] = {
      {"namespace", [](Request *request) { request->set_namespace_("Not/One"); }},
      {"context_ids[0]", [](Request *request) { request->add_context_ids(""); }},
      {"context_ids[0]", [](Request *request) { request->add_context_ids("a\nb"); }},
      {"context_ids[0]", [](Request *request) { request->add_context_ids(std::string(257, 'x')); }},
      {"context_ids[0]", [](Request *request) { request->add_context_ids(std::string(2, '\0')); }},
      {"id_prefix", [](Request *request) { request->set_id_prefix(std::string(257, 'x')); }},
      {"id_prefix", [](Request *request) { request->set_id_prefix("\x01"); }},
      {"type", [](Request *request) { request->set_type(std::string(65, 'x')); }},
      {"key_prefix", [](Request *request) { request->set_key_prefix(std::string(513, 'x')); }},
      {"metadata.key", [](Request *request) { (*request->mutable_metadata())[""] = "v"; }},
      {"metadata.value",
       [](Request *request) { (*request->mutable_metadata())["k"] = std::string(1025, 'x'); }},
  };
  for (const auto &row : kRows) {
    std::string refusal = Refusal(row.fill);
    EXPECT_EQ(0u, refusal.find(std::string("INVALID_FIELD field=") + row.field + " rule="))
        << row.field << ": " << refusal;
  }
}

TEST_F(SubscribeTest, RefusesIntervalsOutOfBounds) {
  auto interval = [&](int64_t seconds, int32_t nanos) {
    return Refusal([=](Request *request) {
      request->set_from_oldest(true);
      request->mutable_progress_interval()->set_seconds(seconds);
      request->mutable_progress_interval()->set_nanos(nanos);
    });
  };
  const std::string too_short = Invalid("progress_interval", "must be at least 100 milliseconds");
  for (int32_t nanos : {0, 1, 99000000, -1}) EXPECT_EQ(too_short, interval(0, nanos)) << nanos;
  EXPECT_EQ(too_short, interval(-5, 0));
  EXPECT_EQ(Invalid("progress_interval", "must be at most 3600 seconds"), interval(3600, 1));
  EXPECT_EQ(Invalid("progress_interval", "must be a valid duration"), interval(1, -1));
  EXPECT_EQ(0u, interval(3600, 0).find("begins with events"));
  EXPECT_EQ(0u, interval(0, 100000000).find("begins with events"));
}

TEST_F(SubscribeTest, RefusesBytesThatAreNoRequest) {
  GrpcOutcome outcome = client_->Unary("/contextd.v1.Tracker/Subscribe", "\x0a\xff");
  EXPECT_EQ("MALFORMED_REQUEST", outcome.Reason());
}

TEST_F(SubscribeTest, RefusesASpliceInARequest) {
  api::UpdateContextRequest request;
  api::UpdateContextResponse response;
  request.set_context_id("a");
  request.add_mutations()->mutable_splice_entry()->set_key("k");
  EXPECT_EQ(Invalid("mutations[0].splice_entry", "only events have it"),
            Text(FeedCall(client_.get(), "ContextManager/UpdateContext", request, &response)));
}

// ---- Limits. ------------------------------------------------------------------------------

class SubscribeFewTest : public SubscribeTest {
  std::vector<std::string> Flags() override { return {"--subscriptions-max", "2"}; }
};

TEST_F(SubscribeFewTest, RefusesMoreThanThereMayBeUntilOneLeaves) {
  auto first = std::make_unique<Stream>(client_.get(), FromOldest);
  Stream second(client_.get(), WithSnapshot);
  first->Events();
  second.Events();
  const std::string refused = "LIMIT_REACHED limit=subscriptions_max value=2";
  EXPECT_EQ(refused, Refusal(FromOldest));
  EXPECT_EQ(refused, Refusal(WithSnapshot));
  first.reset();
  std::string answer;
  while ((answer = Refusal(FromOldest)) == refused) std::this_thread::yield();
  EXPECT_EQ(0u, answer.find("begins with events")) << answer;
}

// ---- What is no longer retained. ------------------------------------------------------------

class SubscribeBrieflyTest : public SubscribeTest {
  std::vector<std::string> Flags() override { return {"--feed-retention-age", "1s"}; }
};

TEST_F(SubscribeBrieflyTest, NamesTheOldestCursorThatWorks) {
  std::string first = CursorNow(), refusal;
  Put("a", "old");
  while ((refusal = Refusal(From(first))).find("begins") == 0) std::this_thread::yield();
  EXPECT_EQ("CURSOR_COMPACTED oldest_cursor=...", refusal);
  // What is named may be gone too before one goes there: then another is.
  std::vector<api::Event> events;
  while (events.empty()) {
    Stream stream(client_.get(), From(first));
    stream.Events();
    GrpcOutcome outcome = stream.End();
    ASSERT_EQ(GRPC_STATUS_OUT_OF_RANGE, outcome.code);
    uint64_t revision = Put("a", "new");
    Stream oldest(client_.get(), From(outcome.Metadata()["oldest_cursor"]));
    events = oldest.Events();
    if (events.empty()) {
      ASSERT_EQ("CURSOR_COMPACTED oldest_cursor=...", Text(oldest.End()));
    } else {
      EXPECT_EQ(revision, events.back().revision());
    }
  }
}

// One who sleeps for too long is told so, at a place where nothing was left out.
TEST_F(SubscribeBrieflyTest, EndsASubscriptionThatFallsBehind) {
  Stream sleeper(client_.get(), FromNow);
  sleeper.Events();
  PutMuch();
  std::string cursor = CursorNow(), refusal;
  while ((refusal = Refusal(From(cursor))).find("CURSOR_COMPACTED") != 0) {
    Put("a", "new");
  }
  uint64_t version = 0;
  for (const api::Event &event : sleeper.Events()) {
    if (event.context().id() != "much") continue;
    EXPECT_TRUE(version == 0 || version + 1 == event.context().version()) << "there is a gap";
    version = event.context().version();
  }
  EXPECT_EQ("CURSOR_COMPACTED oldest_cursor=...", Text(sleeper.End()));
  EXPECT_GT(24u, version) << "it was not behind";
}

// ---- Readers that stop. -------------------------------------------------------------------

class SubscribeImpatientTest : public SubscribeTest {
 protected:
  std::vector<std::string> Flags() override {
    return {"--subscription-stall-max", "100ms", "--stream-stall-max", "100ms",
            "--subscriptions-max",      "1"};
  }

  // What a reader gets to know that stops until the server has given it up, which is when
  // another one may come; and reads again then.
  void ExpectStalls(const Fill &start) {
    Stream stream(client_.get(), start);
    api::SubscribeResponse response;
    ASSERT_TRUE(stream.Next(&response));
    std::string cursor = response.events().events().rbegin()->cursor();
    while (Refusal(From(cursor)).find("LIMIT_REACHED") == 0) std::this_thread::yield();
    size_t rest = stream.Events().size();
    GrpcOutcome outcome = stream.End();
    EXPECT_EQ(GRPC_STATUS_ABORTED, outcome.code);
    if (!outcome.details.empty()) {  // It reads again in time for them, or not.
      EXPECT_EQ("STREAM_STALLED cursor=...", Text(outcome));
      ExpectGoesOn(outcome.Metadata()["cursor"]);
    }
    EXPECT_GT(24u, rest);
    ExpectGoesOn(cursor);
  }

  void ExpectGoesOn(const std::string &cursor) {
    std::string refusal;
    do {
      refusal = Refusal(From(cursor));
    } while (refusal.find("LIMIT_REACHED") == 0);
    EXPECT_EQ(0u, refusal.find("begins with events")) << refusal;
  }
};

TEST_F(SubscribeImpatientTest, EndsASubscriptionWhoseReaderStops) {
  PutMuch();
  ExpectStalls(FromOldest);
}

TEST_F(SubscribeImpatientTest, EndsASnapshotThatNobodyReads) {
  for (int i = 0; i < 24; i++) Put("x" + std::to_string(i), std::string(1 << 20, 'x'));
  ExpectStalls(WithSnapshot);
}

TEST_F(SubscribeImpatientTest, LetsAQuietSubscriptionBe) {
  Stream stream(client_.get(), [](Request *request) {
    request->mutable_progress_interval()->set_nanos(300000000);
  });
  stream.Events();
  api::SubscribeResponse response;
  ASSERT_TRUE(stream.Next(&response)) << Text(stream.End());
  EXPECT_TRUE(response.has_progress());
}

// ---- The server stops. --------------------------------------------------------------------

class SubscribeStopTest : public SubscribeTest {
  // Whoever waited for it would wait for longer than a test may take.
  std::vector<std::string> Flags() override { return {"--shutdown-grace", "1h"}; }
};

TEST_F(SubscribeStopTest, TellsAllAtOnceThatItStops) {
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 20; i++) {
    streams.push_back(std::make_unique<Stream>(client_.get(), i % 2 ? FromOldest : WithSnapshot));
    EXPECT_EQ(3u, streams.back()->Events().size());
  }
  std::string cursor = streams[0]->cursor();
  EXPECT_EQ(0, server_.Stop());
  for (auto &stream : streams) {
    api::SubscribeResponse response;
    EXPECT_FALSE(stream->Next(&response)) << response.ShortDebugString();
    GrpcOutcome outcome = stream->End();
    EXPECT_EQ(GRPC_STATUS_UNAVAILABLE, outcome.code);
    EXPECT_EQ("STOPPING", Text(outcome));
  }
  Start({});
  Put("d", "v");
  EXPECT_EQ(1u, Events(From(cursor)).size());
}

TEST_F(SubscribeTest, StopsThoughAReaderDoesNotRead) {
  ASSERT_EQ(0, server_.Stop());
  Start({"--shutdown-grace", "100ms"});
  PutMuch();
  Stream stream(client_.get(), FromOldest);
  api::SubscribeResponse response;
  ASSERT_TRUE(stream.Next(&response));
  EXPECT_EQ(0, server_.Stop());
}

}  // namespace
