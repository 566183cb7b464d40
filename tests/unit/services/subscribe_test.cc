// Subscribe, over fake calls and a real engine: what is told, when, and how it ends.

#include "tests/unit/services/tracker_fixture.h"

#include <regex>

extern "C" {
#include "core/engine/subscription.h"
}

namespace {

class SubscribeTest : public TrackerFixture {
 protected:
  // Sends on until nothing is left to tell.
  void Read(Call call) {
    Settle();
    while (!call->ended() && call->sending) {
      call->Sent();
      Settle();
    }
  }

  std::string All(Call call) {
    std::string all;
    for (const std::string &text : Texts(*call)) all += text + "\n";
    return all;
  }

  // What the events say, one word each, in order: TYPE:id.
  Strings Story(Call call) {
    Strings story;
    std::string all = All(call);
    std::regex regex(
        "type: EVENT_TYPE_([A-Z_]+)|(caught_up|progress) \\{|context \\{ namespace: \"[^\"]*\" id: "
        "\"([^\"]*)\"");
    for (std::sregex_iterator i(all.begin(), all.end(), regex), end; i != end; ++i) {
      if ((*i)[1].matched) story.push_back((*i)[1]);
      if ((*i)[2].matched) story.push_back((*i)[2]);
      if ((*i)[3].matched && !story.empty()) story.back() += ":" + (*i)[3].str();
    }
    return story;
  }

  static Strings Cursors(const std::string &text) { return FindAll(text, "cursor: \"([^\"]*)\""); }

  void Create(const std::string &id, const std::string &more = "") {
    Manage("CreateContext", "context_id: '" + id + "' " + more);
  }

  void Put(const std::string &id, const std::string &key, const std::string &value) {
    Manage("UpdateContext", "context_id: '" + id + "' mutations { put_entry { key: '" + key +
                                "' value: '" + value + "' } }");
  }
};

TEST_F(SubscribeTest, SaysAtOnceThatItHasBegun) {
  Call call = Begin("Subscribe");
  Settle();
  EXPECT_EQ((Strings{"caught_up"}), Story(call));
  EXPECT_FALSE(call->ended());
}

TEST_F(SubscribeTest, TellsWhatHappensFromThenOn) {
  Create("before");
  Call call = Begin("Subscribe");
  Read(call);
  Create("a");
  Read(call);
  Put("a", "k", "v");
  Read(call);
  EXPECT_EQ((Strings{"caught_up", "CREATED:a", "UPDATED:a"}), Story(call));
}

TEST_F(SubscribeTest, TellsNothingBeforeItIsDurable) {
  Call call = Begin("Subscribe");
  Read(call);
  service_ = &cx_context_manager_service;
  Begin("CreateContext", "context_id: 'a'");
  EXPECT_EQ(1u, call->messages.size());
  EXPECT_TRUE(call->parked);
  Read(call);
  EXPECT_EQ((Strings{"caught_up", "CREATED:a"}), Story(call));
}

TEST_F(SubscribeTest, HasOneMessageOnItsWayAndPutsWhatComesMeanwhileIntoTheNext) {
  Call call = Begin("Subscribe");
  Read(call);
  for (const char *id : {"a", "b", "c"}) {
    Create(id);
    Settle();
  }
  EXPECT_EQ(2u, call->messages.size());
  Read(call);
  EXPECT_EQ(3u, call->messages.size());
  EXPECT_EQ((Strings{"caught_up", "CREATED:a", "CREATED:b", "CREATED:c"}), Story(call));
}

TEST_F(SubscribeTest, GoesOnBehindEachCursorThatItGave) {
  Create("a", "mutations { put_entry { key: 'k' value: 'v' } }");
  Start("default_context_id: 'a'");
  Put("a", "k", "w");
  Call whole = Begin("Subscribe", "from_oldest: true");
  Read(whole);
  Strings cursors = Cursors(All(whole));
  Strings story = Story(whole);
  ASSERT_EQ((Strings{"CREATED:a", "SESSION_STARTED", "ACTIVATED:a", "UPDATED:a", "caught_up"}),
            story);
  for (size_t i = 0; i < cursors.size(); i++) {
    Call rest = Begin("Subscribe", "cursor: '" + cursors[i] + "'");
    Read(rest);
    Strings expected(story.begin() + static_cast<long>(std::min(i + 1, size_t{4})), story.end());
    EXPECT_EQ(expected, Story(rest)) << i;
    rest->Leave();
  }
}

TEST_F(SubscribeTest, FitsOnToAList) {
  Create("a");
  std::string list = Manage("ListContexts", "");
  Create("b");
  Call call = Begin("Subscribe", "cursor: '" + Cursors(list).at(0) + "'");
  Read(call);
  EXPECT_EQ((Strings{"CREATED:b", "caught_up"}), Story(call));
}

TEST_F(SubscribeTest, TellsContextsAsTheyAreAndThenWhatHappensToThem) {
  for (const char *id : {"a", "b", "c"}) Create(id);
  Put("b", "k", "v");
  Call call = Begin("Subscribe", "with_snapshot: true");
  Read(call);
  Put("a", "k", "w");
  Read(call);
  Strings story = Story(call);
  ASSERT_EQ(5u, story.size());
  std::sort(story.begin(), story.begin() + 3);
  EXPECT_EQ((Strings{"SNAPSHOT:a", "SNAPSHOT:b", "SNAPSHOT:c", "caught_up", "UPDATED:a"}), story);
  EXPECT_TRUE(Has(All(call), "entries { key: \"k\" value: \"v\" version: 2 }"));
}

TEST_F(SubscribeTest, TellsALargeContextInPartsWhoseCursorsLeadToItsBeginning) {
  std::string mutations;
  for (int i = 0; i < 20; i++) {
    mutations += " mutations { put_entry { key: 'k" + std::to_string(i) + "' value: '" +
                 std::string(5000, 'v') + "' } }";
  }
  Create("large", mutations);
  Call call = Begin("Subscribe", "with_snapshot: true");
  Read(call);
  EXPECT_LT(3u, call->messages.size());
  std::string all = All(call);
  EXPECT_EQ(20u, FindAll(all, "(entries \\{ key)").size());
  Strings cursors = Cursors(all);
  size_t parts = FindAll(all, "(more: true)").size();
  ASSERT_EQ(parts + 2, cursors.size());
  for (size_t i = 1; i < parts; i++) EXPECT_EQ(cursors[0], cursors[i]);
  Call again = Begin("Subscribe", "cursor: '" + cursors[0] + "'");
  Read(again);
  EXPECT_EQ(20u, FindAll(All(again), "(entries \\{ key)").size());
  Call behind = Begin("Subscribe", "cursor: '" + cursors[parts] + "'");
  Read(behind);
  EXPECT_EQ((Strings{"caught_up"}), Story(behind));
}

TEST_F(SubscribeTest, GoesOnWithASnapshotBehindEachOfItsCursors) {
  for (char c = 'a'; c < 'k'; c++) Create(std::string(1, c));
  Call call = Begin("Subscribe", "with_snapshot: true");
  Read(call);
  Strings cursors = Cursors(All(call));
  Strings story = Story(call);
  for (size_t i = 0; i + 1 < cursors.size(); i++) {
    Call rest = Begin("Subscribe", "cursor: '" + cursors[i] + "'");
    Read(rest);
    EXPECT_EQ(Strings(story.begin() + static_cast<long>(i) + 1, story.end()), Story(rest)) << i;
    rest->Leave();
  }
  EXPECT_TRUE(Has(Ask("Subscribe", "type: 'other' cursor: '" + cursors[0] + "'"),
                  "INVALID_FIELD field=cursor"));
}

TEST_F(SubscribeTest, LeavesValuesOut) {
  Create("a", "mutations { put_entry { key: 'k' value: 'secret' } }");
  Call events = Begin("Subscribe", "from_oldest: true without_values: true");
  Read(events);
  Call snapshot = Begin("Subscribe", "with_snapshot: true without_values: true");
  Read(snapshot);
  for (Call call : {events, snapshot}) {
    EXPECT_EQ(std::string::npos, All(call).find("secret"));
    EXPECT_TRUE(Has(All(call), "key: \"k\""));
  }
}

TEST_F(SubscribeTest, ShowsJustTheEntriesOfAKeyPrefix) {
  Create("a",
         "mutations { put_entry { key: 'x1' value: '1' } } "
         "mutations { put_entry { key: 'y1' value: '2' } }");
  Call call = Begin("Subscribe", "with_snapshot: true key_prefix: 'y'");
  Read(call);
  EXPECT_EQ((Strings{"y1"}), FindAll(All(call), "entries \\{ key: \"([^\"]*)\""));
}

TEST_F(SubscribeTest, MovesOnWhenThereIsNothingToTell) {
  Call call = Begin("Subscribe", "context_ids: 'none' progress_interval { seconds: 1 }");
  Read(call);
  Create("other");
  clock_.now_us += 1100 * 1000;
  Read(call);
  ASSERT_EQ((Strings{"caught_up", "progress"}), Story(call));
  Strings cursors = Cursors(All(call));
  Call rest = Begin("Subscribe", "cursor: '" + cursors[1] + "'");
  Read(rest);
  EXPECT_EQ((Strings{"caught_up"}), Story(rest));
}

TEST_F(SubscribeTest, LimitsTheReadersOfSnapshotsAndThoseOfEventsWhereThatIsSet) {
  app_.subscription_stall_max_us = 5 * CX_SECOND_US;
  Create("a");
  Call call = Begin("Subscribe", "with_snapshot: true");
  Settle();
  EXPECT_EQ(60 * CX_SECOND_US, call->stall_us);
  EXPECT_EQ("", call->progress_name) << "there was no cursor before";
  std::string first = Cursors(All(call)).at(0);
  Read(call);
  EXPECT_EQ(5 * CX_SECOND_US, call->stall_us);
  EXPECT_EQ("cursor", call->progress_name);
  EXPECT_EQ(first, call->progress);
}

TEST_F(SubscribeTest, EndsWithItsClientWhereverItIs) {
  Call parked = Begin("Subscribe");
  Read(parked);
  EXPECT_TRUE(parked->parked);
  Call sending = Begin("Subscribe");
  Settle();
  for (Call call : {parked, sending}) {
    call->Leave();
    EXPECT_TRUE(call->ended());
  }
  EXPECT_EQ(0u, Statistics().subscription_count);
}

TEST_F(SubscribeTest, EndsWithTheServer) {
  Call parked = Begin("Subscribe");
  Read(parked);
  Call sending = Begin("Subscribe");
  Settle();
  cx_engine_end_subscriptions(engine_);
  Read(sending);
  for (Call call : {parked, sending}) EXPECT_EQ("STOPPING", Outcome(*call));
  EXPECT_EQ("STOPPING", Ask("Subscribe"));
}

TEST_F(SubscribeTest, EndsInTheMiddleOfASnapshotToo) {
  for (int i = 0; i < 300; i++) {
    Create("c" + std::to_string(i),
           "mutations { put_entry { key: 'k' value: '" + std::string(20000, 'v') + "' } }");
  }
  for (int sent = 1; sent < 20; sent += 3) {
    Call call = Begin("Subscribe", "with_snapshot: true");
    for (int i = 0; i < sent; i++) {
      Settle();
      ASSERT_TRUE(call->sending);
      if (i + 1 < sent) call->Sent();
    }
    if (sent == 19) cx_engine_end_subscriptions(engine_);
    call->Leave();
    EXPECT_TRUE(call->ended());
  }
}

TEST_F(SubscribeTest, TellsWhyASnapshotEnds) {
  std::string large =
      "mutations { put_entry { key: 'k' value: '" + std::string(20000, 'v') + "' } }";
  for (int i = 0; i < 300; i++) Create("c" + std::to_string(i), large);
  std::vector<Call> calls;
  for (int sent = 0; sent < 8; sent++) {
    Call call = Begin("Subscribe", "with_snapshot: true");
    Settle();
    for (int i = 0; i < sent; i++) {
      call->Sent();
      Settle();
    }
    calls.push_back(call);
  }
  cx_engine_end_subscriptions(engine_);
  for (Call call : calls) {
    Read(call);
    EXPECT_EQ("STOPPING", Outcome(*call));
  }
}

TEST_F(SubscribeTest, IsRefusedBeyondTheLimit) {
  for (int i = 0; i < 8; i++) Begin("Subscribe");
  EXPECT_EQ("LIMIT_REACHED limit=subscriptions_max value=8", Ask("Subscribe"));
}

TEST_F(SubscribeTest, TellsNothingOfWhatWasPurgedButThatItIsGone) {
  Create("kept");
  Create("a",
         "properties { metadata { key: 'k' value: 'secret' } } "
         "mutations { put_entry { key: 'k' value: 'secret' } }");
  Put("a", "k", "secret");
  Manage("DeleteContext", "context_id: 'a' purge: true");
  Create("b", "mutations { put_entry { key: 'k' value: 'secret' } }");
  Manage("DeleteContext", "context_id: 'b'");
  Manage("DeleteContext", "context_id: 'b' purge: true");
  Create("a");
  for (int restarts = 0; restarts < 2; restarts++) {
    Call call = Begin("Subscribe", "from_oldest: true");
    Read(call);
    EXPECT_EQ((Strings{"CREATED:kept", "DELETED:a", "DELETED:b", "CREATED:a", "caught_up"}),
              Story(call));
    EXPECT_EQ(std::string::npos, All(call).find("secret"));
    call->Leave();
    Reopen();
    app_.engine = engine_;
  }
}

TEST_F(SubscribeTest, IsRefusedWhereTheCursorIsNotRetainedAnyMore) {
  Create("a");
  Call call = Begin("Subscribe", "from_oldest: true");
  Read(call);
  std::string old = Cursors(All(call)).at(0);
  Create("b");
  call->Leave();
  options_.feed_retention_age_us = CX_SECOND_US;
  Reopen();
  app_.engine = engine_;
  clock_.now_us += 10 * CX_SECOND_US;
  Settle();
  Settle();
  std::string refused = Ask("Subscribe", "cursor: '" + old + "'");
  ASSERT_TRUE(Has(refused, "CURSOR_COMPACTED oldest_cursor="));
  Create("c");
  Call oldest = Begin("Subscribe", "cursor: '" + refused.substr(refused.find('=') + 1) + "'");
  Read(oldest);
  EXPECT_EQ((Strings{"CREATED:c", "caught_up"}), Story(oldest));
}

}  // namespace
