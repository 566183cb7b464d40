// Plans of what starts and ends sessions.

#include <algorithm>
#include <set>

#include "tests/unit/state/tracker_fixture.h"

namespace {

class PlanSessionTest : public TrackerFixture {
 protected:
  static void WithDefault(Start *start) { start->default_context_id = cx_bytes_of("home"); }
};

TEST_F(PlanSessionTest, StartsASessionInOneChange) {
  plan_.now_us = 7000;
  EXPECT_EQ(CX_PLAN_CHANGE, Begin("s"));
  EXPECT_EQ(0u, items_.size());
  const cx_session *session = Session("s");
  ASSERT_NE(nullptr, session);
  EXPECT_EQ("owner", Text(cx_session_owner(session)));
  EXPECT_EQ(revision_, session->start_revision);
  EXPECT_EQ(revision_, session->revision);
  EXPECT_EQ(7000, session->create_time_us);
  EXPECT_EQ(NameKey("s").shard, session->shard);
  EXPECT_EQ(1, state_.session_count);
  EXPECT_EQ(List{}, Active("s"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanSessionTest, ActivatesTheDefaultContextSharedAsTheCurrentOne) {
  Create("home");
  uint64_t version = Find("home")->version;
  EXPECT_EQ(CX_PLAN_CHANGE, Begin("s", WithDefault));
  EXPECT_EQ((List{"home*"}), Active("s"));
  EXPECT_EQ((List{"s"}), Sessions("home"));
  EXPECT_EQ(version, Find("home")->version);
  EXPECT_EQ(revision_, Find("home")->revision);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanSessionTest, RefusesADefaultContextThatIsMissing) {
  EXPECT_EQ(CX_PLAN_FAILED, Begin("s", WithDefault));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  Create("home");
  Delete("home");
  EXPECT_EQ(CX_PLAN_FAILED, Begin("s", WithDefault));
  EXPECT_EQ("1", detail("deleted_version"));
  EXPECT_EQ(nullptr, Session("s"));
  EXPECT_EQ(0, state_.session_count);
}

TEST_F(PlanSessionTest, MakesAMissingDefaultContextAndItsParentInTheSameChange) {
  cx_new_context create = {};
  create.type = cx_bytes_of("chat");
  create.parent_id = cx_bytes_of("above");
  create.create_parent = true;
  EXPECT_EQ(CX_PLAN_CHANGE, Begin("s", [&](Start *start) {
              WithDefault(start);
              start->create_if_missing = &create;
            }));
  ASSERT_EQ(2u, items_.size());
  ASSERT_NE(nullptr, Find("home"));
  EXPECT_EQ("chat", Text(cx_context_type(Find("home"))));
  EXPECT_EQ(1u, Find("above")->child_count);
  EXPECT_EQ((List{"home*"}), Active("s"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanSessionTest, KnowsARepeatedStartAlsoAfterTheEnd) {
  auto with_id = [](Start *start) { start->request_id = cx_bytes_of("id"); };
  EXPECT_EQ(CX_PLAN_CHANGE, Begin("s", with_id));
  for (int i = 0; i < 2; i++) {
    EXPECT_EQ(CX_PLAN_NOTHING, Begin("s", with_id));
    EXPECT_TRUE(replayed_);
    EXPECT_EQ(2u, plan_.record.revision);
    EXPECT_EQ(CX_PLAN_FAILED, Begin("s", [&](Start *start) {
                with_id(start);
                start->owner = cx_bytes_of("another");
              }));
    EXPECT_EQ("REQUEST_ID_REUSED", reason());
    End("s");
  }
  EXPECT_EQ(nullptr, Session("s"));
}

TEST_F(PlanSessionTest, StartsNoSessionTwice) {
  Begin("s");
  EXPECT_EQ(CX_PLAN_FAILED, Begin("s"));
  EXPECT_EQ("REQUEST_ID_REUSED", reason());
  EXPECT_EQ(revision_, wait_for_);
  LetLapse("s");
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Begin("s"));
  EXPECT_TRUE(plan_.expired_is_session);
  Lapse("s");
  EXPECT_EQ(CX_PLAN_CHANGE, Begin("s"));
}

TEST_F(PlanSessionTest, EndsASessionWithAllItsActivationsAndResourcesInOneChange) {
  for (const char *id : {"a", "b", "c", "d"}) Create(id);
  Begin("s");
  Begin("other");
  Activate("s", "a", Exclusive);
  Activate("s", "b");
  Activate("other", "b");
  Acquire("s", "b", "door");
  Acquire("s", "c", "file");
  Acquire("s", "c", "tool");
  Acquire("other", "c", "lamp");
  EXPECT_EQ(CX_PLAN_CHANGE, End("s"));
  EXPECT_EQ(3u, items_.size()) << "no context twice, and none that it had nothing to do with";
  EXPECT_FALSE(more_);
  EXPECT_EQ(nullptr, Session("s"));
  EXPECT_EQ(1, state_.session_count);
  EXPECT_EQ(List{}, Sessions("a"));
  EXPECT_EQ(1u, Tracked("a").fence) << "which stays";
  EXPECT_EQ((List{"other"}), Sessions("b"));
  EXPECT_EQ(List{}, Held("b"));
  EXPECT_EQ((List{"lamp other"}), Held("c"));
  List history = History("c");
  ASSERT_EQ(5u, history.size());
  EXPECT_EQ((std::set<std::string>{"4 resource s tool reclaimed", "5 resource s file reclaimed"}),
            (std::set<std::string>{history[3], history[4]}));
  EXPECT_EQ("2 resource s door reclaimed", History("b").back());
  EXPECT_EQ(List{}, History("a")) << "an activation that ends is no activity";
  ExpectReplayGivesTheSame();
}

TEST_F(PlanSessionTest, DoesNothingForASessionThatHasEndedOrNeverWas) {
  Begin("s");
  EXPECT_EQ(CX_PLAN_CHANGE, End("s"));
  EXPECT_EQ(CX_PLAN_NOTHING, End("s"));
  EXPECT_FALSE(replayed_);
  EXPECT_EQ(revision_, wait_for_) << "that it is gone must be durable";
  EXPECT_EQ(CX_PLAN_NOTHING, End("nobody"));
  EXPECT_EQ(CX_PLAN_NOTHING, End(""));
  EXPECT_EQ(CX_PLAN_NOTHING, End(std::string(CX_SESSION_ID_SIZE + 1, 'x')));
}

TEST_F(PlanSessionTest, KnowsARepeatedEnd) {
  Begin("s");
  EXPECT_EQ(CX_PLAN_CHANGE, End("s", "id"));
  EXPECT_EQ(CX_PLAN_NOTHING, End("s", "id"));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(revision_, plan_.record.revision);
}

TEST_F(PlanSessionTest, LosesASessionOnceItsTermIsOver) {
  Create("a");
  Begin("s");
  Activate("s", "a", Exclusive);
  Session("s")->deadline_us = plan_.lease_now_us + 1;
  EXPECT_EQ(CX_PLAN_NOTHING, Lapse("s"));
  LetLapse("s");
  EXPECT_EQ(CX_PLAN_CHANGE, Lapse("s"));
  EXPECT_EQ(nullptr, Session("s"));
  EXPECT_EQ(List{}, Sessions("a"));
  EXPECT_EQ(CX_PLAN_NOTHING, Lapse("s"));
  EXPECT_EQ(CX_PLAN_NOTHING, Lapse("nobody"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanSessionTest, LosesASessionBeforeItEndsOneWhoseTermIsOver) {
  Begin("s");
  LetLapse("s");
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, End("s"));
  EXPECT_TRUE(plan_.expired_is_session);
  EXPECT_EQ(NameKey("s").hash, plan_.expired.hash);
}

TEST_F(PlanSessionTest, SaysWhetherASessionEndedOrWasLost) {
  for (cx_session_step step : {CX_SESSION_END, CX_SESSION_LOSE}) {
    Begin("s");
    LetLapse("s");
    if (step == CX_SESSION_END) Session("s")->deadline_us = INT64_MAX;
    ASSERT_EQ(CX_PLAN_CHANGE, step == CX_SESSION_END ? PlanEnd("s") : PlanLapse("s"));
    EXPECT_EQ(step, plan_.change.session.step);
    Finish(CX_PLAN_CHANGE);
  }
}

TEST_F(PlanSessionTest, MakesSeveralChangesOfAnEndThatOneCannotTake) {
  Begin("s", [](Start *start) { start->max_active_contexts = 50; });
  for (int i = 0; i < 40; i++) {
    std::string id = "c" + std::to_string(i);
    Create(id);
    Activate("s", id);
    Acquire("s", id, "tool");
  }
  plan_.change_size_max = 3000;
  int changes = 1;
  EXPECT_EQ(CX_PLAN_CHANGE, End("s", "id"));
  EXPECT_TRUE(more_);
  for (; more_; changes++) {
    ASSERT_NE(nullptr, Session("s"));
    EXPECT_EQ(Session("s")->activation_count, Session("s")->resource_count);
    ASSERT_EQ(CX_PLAN_CHANGE, End("s", "id")) << "no repeat before the last one";
  }
  EXPECT_GT(changes, 3);
  EXPECT_LE(changes, 40);
  EXPECT_EQ(nullptr, Session("s"));
  for (int i = 0; i < 40; i++) EXPECT_EQ(List{}, Held("c" + std::to_string(i)));
  EXPECT_EQ(CX_PLAN_NOTHING, End("s", "id"));
  EXPECT_TRUE(replayed_);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanSessionTest, MakesNoChangeOfAnEndThatIsLargerThanItMayBe) {
  std::string large(1000, 'x');
  cx_label labels[4];
  for (int i = 0; i < 4; i++) labels[i] = {Keep(std::string(1, "klmn"[i])), Bytes(large)};
  cx_new_context properties = {};
  properties.labels = labels;
  properties.label_count = 1;
  Begin("s", [&](Start *start) {
    start->max_active_contexts = 50;
    start->labels = labels;
    start->label_count = 4;
  });
  for (int i = 0; i < 12; i++) {
    Create("c" + std::to_string(i), properties);
    Activate("s", "c" + std::to_string(i));
  }
  plan_.change_size_max = 9000;
  size_t most = 0;
  do {
    ASSERT_EQ(CX_PLAN_CHANGE, End("s"));
    most = std::max(most, log_.back().payload.size());
  } while (more_);
  EXPECT_LE(most, plan_.change_size_max);
  EXPECT_GT(most, 3 * plan_.change_size_max / 4) << "nor much smaller";
  EXPECT_EQ(nullptr, Session("s"));
}

TEST_F(PlanSessionTest, TakesAtLeastOneContextHoweverSmallAChangeIs) {
  Create("a");
  Create("b");
  Begin("s");
  Activate("s", "a");
  Activate("s", "b");
  plan_.change_size_max = 1;
  EXPECT_EQ(CX_PLAN_CHANGE, End("s"));
  EXPECT_EQ(1u, items_.size());
  EXPECT_TRUE(more_);
  EXPECT_EQ(CX_PLAN_CHANGE, End("s"));
  EXPECT_FALSE(more_);
  EXPECT_EQ(nullptr, Session("s"));
}

TEST_F(PlanSessionTest, DoesNotMakeContextsLiveLongerByAnEnd) {
  Create("a", {}, Mutations().SetExpiry(500, /*sliding=*/true));
  Begin("s");
  Activate("s", "a");
  Acquire("s", "a", "tool");
  int64_t end_us = Find("a")->end_time_us;
  EXPECT_EQ(plan_.now_us + 500, end_us);
  plan_.now_us += 100;
  End("s");
  EXPECT_EQ(end_us, Find("a")->end_time_us);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanSessionTest, AsksForTheShardsOfAllThatEndsAtOnce) {
  Begin("s", [](Start *start) { start->max_active_contexts = 50; });
  uint64_t shards = 0;
  for (int i = 0; i < 20; i++) {
    std::string id = "c" + std::to_string(i);
    Create(id);
    shards |= 1ull << NameKey(id).shard;
    i % 2 == 0 ? Activate("s", id) : Acquire("s", id, "tool");
  }
  plan_.held = 0;
  EXPECT_EQ(CX_PLAN_NEEDS_SHARDS, End("s"));
  plan_.held = plan_.needed;
  EXPECT_EQ(1ull << NameKey("s").shard, plan_.held);
  EXPECT_EQ(CX_PLAN_NEEDS_SHARDS, End("s"));
  plan_.held |= plan_.needed;
  EXPECT_EQ(shards | 1ull << NameKey("s").shard, plan_.held);
  EXPECT_EQ(CX_PLAN_CHANGE, End("s"));
}

TEST_F(PlanSessionTest, LeavesNoTraceWithoutMemory) {
  cx_new_context create = {};
  create.parent_id = cx_bytes_of("above");
  create.create_parent = true;
  cx_label label = {cx_bytes_of("l"), cx_bytes_of("v")};
  create.labels = &label;
  create.label_count = 1;
  ExpectNoTraceWithoutMemory([&] {
    return PlanStart("s", [&](Start *start) {
      WithDefault(start);
      start->create_if_missing = &create;
      start->labels = &label;
      start->label_count = 1;
      start->request_id = cx_bytes_of("id");
    });
  });
  Create("a");
  Begin("s");
  Activate("s", "a", Exclusive);
  Acquire("s", "a", "tool");
  ExpectNoTraceWithoutMemory([&] { return PlanEnd("s", "id"); });
  LetLapse("s");
  ExpectNoTraceWithoutMemory([&] { return PlanLapse("s"); });
}

}  // namespace
