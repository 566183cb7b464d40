// Plans of what makes contexts active in sessions, and not any more.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class PlanActivationTest : public TrackerFixture {
 protected:
  PlanActivationTest() {
    for (const char *id : {"a", "b", "c", "d"}) Create(id);
    Begin("s");
    Begin("t", [](Start *start) { start->owner = cx_bytes_of("tess"); });
  }

  // A session that makes missing contexts.
  void BeginMaking(const std::string &id) {
    create_.type = cx_bytes_of("made");
    Begin(id, [this](Start *start) { start->create_if_missing = &create_; });
  }

  cx_new_context create_ = {};
};

TEST_F(PlanActivationTest, TheFirstActivationBecomesTheCurrentOne) {
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "a"));
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "b"));
  EXPECT_EQ((List{"a*", "b"}), Active("s"));
  EXPECT_EQ((List{"s"}), Sessions("b"));
  EXPECT_EQ(plan_.now_us, Session("s")->activation_oldest->time_us);
  EXPECT_EQ(revision_, Session("s")->revision);
  EXPECT_EQ(revision_, Find("b")->revision);
  EXPECT_EQ(1u, Find("b")->version);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanActivationTest, WhatIsSharedAlreadyStaysAsItIs) {
  Activate("s", "a");
  EXPECT_EQ(CX_PLAN_NOTHING, Activate("s", "a"));
  EXPECT_FALSE(replayed_);
  EXPECT_EQ(revision_, wait_for_);
}

TEST_F(PlanActivationTest, SharedOnesGoOnBesideAnExclusiveOne) {
  Activate("s", "a", Exclusive);
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("t", "a"));
  EXPECT_EQ((List{"s:1", "t"}), Sessions("a"));
  Activate("t", "b");
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "b", Exclusive));
  EXPECT_EQ((List{"t", "s:1"}), Sessions("b"));
}

TEST_F(PlanActivationTest, EveryExclusiveActivationRaisesTheFence) {
  for (uint64_t fence = 1; fence < 4; fence++) {
    EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "a", Exclusive));
    EXPECT_EQ(fence, Tracked("a").fence);
    EXPECT_EQ((List{"s:" + std::to_string(fence)}), Sessions("a"));
  }
  Deactivate("s", "a");
  EXPECT_EQ(3u, Tracked("a").fence);
  Activate("t", "a", Exclusive);
  EXPECT_EQ((List{"t:4"}), Sessions("a"));
  EXPECT_EQ(4u, cx_context_fence(Find("a")));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanActivationTest, ANewActivationMovesToTheEndAndStaysTheCurrentOne) {
  Activate("s", "a");
  Activate("s", "b");
  plan_.now_us += 5;
  Activate("s", "a", Exclusive);
  EXPECT_EQ((List{"b", "a:1*"}), Active("s"));
  EXPECT_EQ(plan_.now_us, Session("s")->activation_newest->time_us);
}

TEST_F(PlanActivationTest, WhatIsExclusiveGivesThatUpWhenItIsAskedForShared) {
  Activate("s", "a", Guarding);
  Activate("s", "b");
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "a"));
  EXPECT_EQ((List{"b", "a*"}), Active("s"));
  EXPECT_EQ((List{"s"}), Sessions("a"));
  EXPECT_EQ(nullptr, Tracked("a").exclusive);
  EXPECT_EQ(1u, Tracked("a").fence);
  EXPECT_FALSE(Session("s")->activation_newest->guard);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanActivationTest, RefusesASecondExclusiveOneAndTellsWhoHasIt) {
  Activate("t", "a", Exclusive);
  EXPECT_EQ(CX_PLAN_FAILED, Activate("s", "a", Exclusive));
  EXPECT_EQ("CONTEXT_BUSY", reason());
  EXPECT_EQ("t", detail("session_id"));
  EXPECT_EQ("tess", detail("owner"));
  EXPECT_EQ((List{"t:1"}), Sessions("a"));
}

TEST_F(PlanActivationTest, ATakeoverEndsTheOthersActivationInTheSameChange) {
  Activate("t", "b");
  Activate("t", "a", Exclusive);
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "a", Taking));
  EXPECT_EQ(1u, items_.size());
  EXPECT_EQ((List{"s:2"}), Sessions("a"));
  EXPECT_EQ((List{"b*"}), Active("t"));
  EXPECT_EQ(revision_, Session("t")->revision);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanActivationTest, ATakeoverOfOnesOwnOrOfNobodysIsAnActivation) {
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "a", Taking));
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "a", Taking));
  Activate("t", "b");
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "b", Taking));
  EXPECT_EQ((List{"t", "s:1"}), Sessions("b")) << "who shares it is in nobody's way";
}

TEST_F(PlanActivationTest, AsksForTheShardOfWhomItTakesFrom) {
  Activate("t", "a", Exclusive);
  plan_.held = 1ull << NameKey("s").shard | 1ull << NameKey("a").shard;
  ASSERT_NE(NameKey("s").shard, NameKey("t").shard);
  ASSERT_NE(NameKey("a").shard, NameKey("t").shard);
  EXPECT_EQ(CX_PLAN_FAILED, Activate("s", "a", Exclusive)) << "who is just in the way is seen";
  EXPECT_EQ(CX_PLAN_NEEDS_SHARDS, Activate("s", "a", Taking));
  EXPECT_EQ(1ull << NameKey("t").shard, plan_.needed);
}

TEST_F(PlanActivationTest, CountsContextsAgainstTheLimitOfTheSession) {
  Begin("u", [](Start *start) { start->max_active_contexts = 2; });
  Activate("u", "a");
  Activate("u", "b");
  for (ActivationPlan plan : {cx_plan_activate, cx_plan_switch}) {
    EXPECT_EQ(CX_PLAN_FAILED, Finish(Plan(plan, "u", "c")));
    EXPECT_EQ("LIMIT_REACHED", reason());
    EXPECT_EQ("max_active_contexts", detail("limit"));
    EXPECT_EQ("2", detail("value"));
  }
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("u", "a", Exclusive)) << "one that is active counts once";
  EXPECT_EQ(CX_PLAN_CHANGE, Switch("u", "b"));
  Deactivate("u", "a");
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("u", "c"));
}

TEST_F(PlanActivationTest, BoundsTheSessionsOfAContextSoThatItsEndFitsIntoAChange) {
  plan_.change_size_max = 4 * 40 * 3;
  Begin("u");
  for (const char *id : {"s", "t", "u"}) EXPECT_EQ(CX_PLAN_CHANGE, Activate(id, "a"));
  Begin("v");
  EXPECT_EQ(CX_PLAN_FAILED, Activate("v", "a"));
  EXPECT_EQ("context_sessions_max", detail("limit"));
  EXPECT_EQ("3", detail("value"));
  EXPECT_EQ(CX_PLAN_FAILED, Switch("v", "a"));
  EXPECT_EQ("context_sessions_max", detail("limit"));
  EXPECT_EQ(CX_PLAN_FAILED,
            Begin("w", [](Start *start) { start->default_context_id = cx_bytes_of("a"); }));
  EXPECT_EQ("context_sessions_max", detail("limit"));
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("u", "a", Exclusive)) << "who has it active has it once";
}

TEST_F(PlanActivationTest, RefusesAContextThatIsMissing) {
  Delete("b");
  for (ActivationPlan plan : {cx_plan_activate, cx_plan_switch}) {
    EXPECT_EQ(CX_PLAN_FAILED, Finish(Plan(plan, "s", "missing")));
    EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
    EXPECT_EQ(CX_PLAN_FAILED, Finish(Plan(plan, "s", "b")));
    EXPECT_EQ("1", detail("deleted_version"));
  }
}

TEST_F(PlanActivationTest, MakesAMissingContextAsTheSessionSays) {
  BeginMaking("m");
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("m", "new", Guarding));
  ASSERT_NE(nullptr, Find("new"));
  EXPECT_EQ("made", Text(cx_context_type(Find("new"))));
  EXPECT_EQ((List{"m:1"}), Sessions("new"));
  EXPECT_EQ(CX_PLAN_CHANGE, Switch("m", "newer"));
  EXPECT_EQ((List{"new:1", "newer*"}), Active("m"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanActivationTest, AContextThatIsMadeAgainGoesOnCountingItsFence) {
  BeginMaking("m");
  Activate("s", "a", Exclusive);
  Activate("s", "a", Exclusive);
  for (bool purge : {false, true}) {
    uint64_t fence = Tracked("a").fence;
    Delete("a", false, purge);
    EXPECT_EQ(fence, Tracked("a").fence);
    EXPECT_EQ(CX_PLAN_CHANGE, Activate("m", "a", Exclusive));
    EXPECT_EQ((List{"m:" + std::to_string(fence + 1)}), Sessions("a"));
    EXPECT_EQ(CX_CONTEXT_LIVE, Find("a")->life);
    ExpectReplayGivesTheSame();
  }
}

TEST_F(PlanActivationTest, TellsWhatIsWrongWithTheSessionFirst) {
  End("t");
  for (ActivationPlan plan : {cx_plan_activate, cx_plan_switch, cx_plan_deactivate}) {
    for (const char *session : {"t", "nobody", "", "an id that is longer than any session has"}) {
      EXPECT_EQ(CX_PLAN_FAILED, Finish(Plan(plan, session, "missing"))) << session;
      EXPECT_EQ("SESSION_NOT_FOUND", reason());
      EXPECT_EQ(session, detail("session_id"));
      EXPECT_EQ(CX_PLAN_FAILED, Finish(Plan(plan, session, "missing", [](Activation *activation) {
                  activation->request_id = cx_bytes_of("id");
                })));
      EXPECT_EQ("SESSION_NOT_FOUND", reason());
    }
  }
}

TEST_F(PlanActivationTest, FindsNoSessionOfAnotherNamespace) {
  EXPECT_EQ(CX_PLAN_FAILED, Activate("s", "a", [](Activation *activation) {
              activation->name.namespace_id = cx_bytes_of("elsewhere");
            }));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
}

TEST_F(PlanActivationTest, HasASessionEndedFirstWhoseTermIsOver) {
  Activate("t", "a", Exclusive);
  LetLapse("t");
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Activate("t", "b")) << "the one that asks";
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Activate("s", "a", Exclusive)) << "the one that has it";
  EXPECT_TRUE(plan_.expired_is_session);
  EXPECT_EQ(NameKey("t").hash, plan_.expired.hash);
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Activate("s", "a", Taking));
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "a")) << "one that shares it does not mind";
  Lapse("t");
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "a", Exclusive));
}

TEST_F(PlanActivationTest, HasAContextEndedFirstThatHasExpired) {
  Update("a", Mutations().SetExpiry(10));
  plan_.now_us += 10;
  for (ActivationPlan plan : {cx_plan_activate, cx_plan_switch, cx_plan_deactivate}) {
    EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Finish(Plan(plan, "s", "a")));
    EXPECT_FALSE(plan_.expired_is_session);
    EXPECT_EQ(NameKey("a").hash, plan_.expired.hash);
  }
}

TEST_F(PlanActivationTest, ChecksAFenceButMindsNoGuard) {
  Activate("t", "a", Guarding);
  Activate("t", "b");
  auto fence = [](uint64_t number) {
    return [=](Activation *activation) { activation->fence = number; };
  };
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "a"));
  EXPECT_EQ(CX_PLAN_CHANGE, Deactivate("s", "a"));
  EXPECT_EQ(CX_PLAN_CHANGE, Switch("s", "a"));
  for (ActivationPlan plan : {cx_plan_activate, cx_plan_switch, cx_plan_deactivate}) {
    EXPECT_EQ(CX_PLAN_FAILED, Finish(Plan(plan, "s", "a", fence(2))));
    EXPECT_EQ("STALE_FENCE", reason());
    EXPECT_EQ("1", detail("current_fence"));
  }
  EXPECT_EQ(CX_PLAN_FAILED, Activate("t", "b", fence(1))) << "nobody has it exclusively";
  EXPECT_EQ("0", detail("current_fence"));
  EXPECT_EQ(CX_PLAN_CHANGE, Deactivate("t", "a", fence(1)));
}

TEST_F(PlanActivationTest, SwitchesToAContextThatIsActiveAlready) {
  Activate("s", "a", Exclusive);
  Activate("s", "b");
  EXPECT_EQ(CX_PLAN_CHANGE, Switch("s", "b"));
  EXPECT_EQ(0u, items_.size()) << "the context does not notice";
  EXPECT_EQ((List{"a:1", "b*"}), Active("s"));
  EXPECT_EQ(revision_, Session("s")->revision);
  EXPECT_LT(Find("b")->revision, revision_);
  EXPECT_EQ(CX_PLAN_CHANGE, Switch("s", "a"));
  EXPECT_EQ((List{"a:1*", "b"}), Active("s")) << "exclusive as before";
  EXPECT_EQ(CX_PLAN_NOTHING, Switch("s", "a"));
  EXPECT_FALSE(replayed_);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanActivationTest, SwitchesToAContextThatItActivatesFirst) {
  Activate("s", "a");
  EXPECT_EQ(CX_PLAN_CHANGE, Switch("s", "b"));
  EXPECT_EQ(1u, items_.size());
  EXPECT_EQ((List{"a", "b*"}), Active("s"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanActivationTest, FallsBackToTheDefaultContextThenToTheNewest) {
  Begin("u", [](Start *start) { start->default_context_id = cx_bytes_of("a"); });
  for (const char *id : {"b", "c", "d"}) Activate("u", id);
  Switch("u", "c");
  EXPECT_EQ(CX_PLAN_CHANGE, Deactivate("u", "c"));
  EXPECT_EQ((List{"a*", "b", "d"}), Active("u"));
  Deactivate("u", "a");
  EXPECT_EQ((List{"b", "d*"}), Active("u"));
  Deactivate("u", "b");
  EXPECT_EQ((List{"d*"}), Active("u")) << "which was not the current one";
  Deactivate("u", "d");
  EXPECT_EQ(List{}, Active("u"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanActivationTest, DeactivatesOnlyWhatIsActive) {
  Activate("t", "a");
  Delete("b");
  for (const char *id : {"a", "b", "missing"}) {
    EXPECT_EQ(CX_PLAN_FAILED, Deactivate("s", id));
    EXPECT_EQ("NOT_ACTIVE", reason());
  }
  BeginMaking("m");
  EXPECT_EQ(CX_PLAN_FAILED, Deactivate("m", "missing"));
  EXPECT_EQ("NOT_ACTIVE", reason());
  EXPECT_EQ(nullptr, Find("missing"));
}

TEST_F(PlanActivationTest, KeepsWhatIsHeldWhenItDeactivates) {
  Activate("s", "a");
  Acquire("s", "a", "tool");
  Deactivate("s", "a");
  EXPECT_EQ((List{"tool s"}), Held("a"));
}

TEST_F(PlanActivationTest, ContextsThatEndAreActiveNoMore) {
  Begin("u", [](Start *start) { start->default_context_id = cx_bytes_of("b"); });
  Activate("u", "a", Exclusive);
  Switch("u", "a");
  Delete("a");
  EXPECT_EQ((List{"b*"}), Active("u"));
  Update("b", Mutations().SetExpiry(10));
  plan_.now_us += 10;
  EXPECT_EQ(CX_PLAN_CHANGE, Due("b"));
  EXPECT_EQ(List{}, Active("u"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanActivationTest, KnowsARepeatByTheContextAndOfASwitchByTheSession) {
  auto with_id = [](Activation *activation) { activation->request_id = cx_bytes_of("id"); };
  auto exclusive_with_id = [](Activation *activation) {
    activation->request_id = cx_bytes_of("id");
    activation->exclusive = true;
  };
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "a", exclusive_with_id));
  uint64_t revision = revision_;
  EXPECT_EQ(CX_PLAN_NOTHING, Activate("s", "a", exclusive_with_id));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(revision, plan_.record.revision);
  Activate("t", "a", Taking);
  EXPECT_EQ(CX_PLAN_FAILED, Activate("s", "a", exclusive_with_id)) << "it is not in force";
  EXPECT_EQ("STALE_FENCE", reason());
  for (ActivationPlan plan : {cx_plan_activate, cx_plan_deactivate}) {
    EXPECT_EQ(CX_PLAN_FAILED, Finish(Plan(plan, "s", "a", with_id)));
    EXPECT_EQ("REQUEST_ID_REUSED", reason());
  }
  EXPECT_EQ(CX_PLAN_CHANGE, Activate("s", "b", with_id)) << "another context's";

  EXPECT_EQ(CX_PLAN_CHANGE, Switch("s", "a", with_id));
  Switch("s", "b");
  EXPECT_EQ(CX_PLAN_NOTHING, Switch("s", "a", with_id));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ((List{"b*", "a"}), Active("s"));
  EXPECT_EQ(CX_PLAN_FAILED, Switch("s", "c", with_id));
  EXPECT_EQ("REQUEST_ID_REUSED", reason());
  EXPECT_EQ(CX_PLAN_CHANGE, Deactivate("s", "b", [](Activation *activation) {
              activation->request_id = cx_bytes_of("another id");
            }));
  End("s");
  EXPECT_EQ(CX_PLAN_NOTHING, Switch("s", "a", with_id)) << "it outlives the session";
  ExpectReplayGivesTheSame();
}

TEST_F(PlanActivationTest, AnErrorLeavesNoTrace) {
  Activate("t", "a", Guarding);
  Delete("b");
  Activate("s", "c");
  uint64_t digest = cx_state_digest(&state_);
  EXPECT_EQ(CX_PLAN_FAILED, Activate("s", "a", Exclusive));
  EXPECT_EQ(CX_PLAN_FAILED, Activate("s", "b"));
  EXPECT_EQ(CX_PLAN_FAILED, Deactivate("s", "a"));
  EXPECT_EQ(CX_PLAN_FAILED, Switch("nobody", "a"));
  EXPECT_EQ(CX_PLAN_NOTHING, Activate("s", "c"));
  EXPECT_EQ(digest, cx_state_digest(&state_));
}

TEST_F(PlanActivationTest, LeavesNoTraceWithoutMemory) {
  BeginMaking("m");
  Activate("t", "a", Exclusive);
  auto with_id = [](Activation *activation) {
    activation->request_id = cx_bytes_of("id");
    activation->exclusive = activation->takeover = true;
  };
  ExpectNoTraceWithoutMemory([&] { return Plan(cx_plan_activate, "s", "a", with_id); });
  ExpectNoTraceWithoutMemory([&] { return Plan(cx_plan_activate, "m", "new"); });
  ExpectNoTraceWithoutMemory([&] { return Plan(cx_plan_switch, "s", "b"); });
  ExpectNoTraceWithoutMemory([&] { return Plan(cx_plan_deactivate, "t", "a"); });
}

}  // namespace
