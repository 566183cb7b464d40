// What engine.h promises of activation, of the fences that come with it, and of resources.

#include "tests/unit/engine/tracking_fixture.h"

namespace {

class EngineActivationTest : public TrackingFixture {
 protected:
  void SetUp() override {
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    for (const char *id : {"a", "b", "c"}) ASSERT_EQ(CX_OK, Create(id).status);
    one_ = Session();
    two_ = Session();
  }

  std::string Creating(const cx_new_context *create) {
    cx_session_start_request start = Term();
    start.create_if_missing = create;
    return Session(start);
  }

  std::string one_, two_;
  const Mutations put_ = Mutations().Put("k", "v");
};

// ---- Activation. -------------------------------------------------------------

TEST_F(EngineActivationTest, ShowsActivationSessionAndContext) {
  clock_.now_us += 5;
  Activated activated = Activate(one_, "a", kExclusive);
  ASSERT_EQ(CX_OK, activated.status);
  EXPECT_TRUE(activated.activation.exclusive);
  EXPECT_EQ(1u, activated.activation.fence);
  EXPECT_EQ(clock_.now_us, activated.activation.time_us);
  EXPECT_EQ(Strings{"a#1"}, activated.session.active);
  EXPECT_EQ(one_, activated.session.id);
  EXPECT_TRUE(activated.context_there);
  EXPECT_EQ(1u, activated.context_version) << "it has no new one";
  EXPECT_EQ(1u, activated.write.version);
  EXPECT_EQ(activated.write.revision, Get("a").revision);
}

TEST_F(EngineActivationTest, KeepsTheOrderInWhichContextsWereActivated) {
  Activate(one_, "b");
  Activate(one_, "a", kExclusive);
  Activate(one_, "c");
  EXPECT_EQ((Strings{"b", "a#1", "c"}), GetSession(one_).session.active);
  EXPECT_EQ("b", GetSession(one_).session.current) << "the first";
  Activate(two_, "b");
  EXPECT_EQ((Strings{one_, two_}), GetStatus("b").sessions);
  ReopenTheSame();
  EXPECT_EQ((Strings{"b", "a#1", "c"}), GetSession(one_).session.active);
}

TEST_F(EngineActivationTest, ChangesNothingWhereASharedOneIsAskedForAgain) {
  Activate(one_, "a");
  uint64_t revision = Statistics().revision;
  Activated again = Activate(one_, "a", kShared, "r");
  EXPECT_EQ(CX_OK, again.status);
  EXPECT_EQ(0u, again.write.revision);
  EXPECT_FALSE(again.write.replayed);
  EXPECT_EQ(revision, again.write.wait_for);
  EXPECT_EQ(Strings{"a"}, again.session.active);
  EXPECT_EQ(1u, again.context_version);
  EXPECT_EQ(revision, Statistics().revision);
}

TEST_F(EngineActivationTest, GivesUpExclusivenessWhenAskedForShared) {
  Activate(one_, "a", kGuard);
  Activate(one_, "b");
  clock_.now_us += 7;
  Activated shared = Activate(one_, "a");
  EXPECT_EQ((Strings{"b", "a"}), shared.session.active) << "as the newest";
  EXPECT_EQ(clock_.now_us, shared.session.active_since_us[1]);
  EXPECT_EQ("a", shared.session.current);
  EXPECT_EQ(0u, shared.activation.fence);
  EXPECT_EQ("", GetStatus("a").exclusive);
  EXPECT_FALSE(GetStatus("a").guarded);
  EXPECT_EQ(1u, GetStatus("a").fence) << "the counter stays";
  EXPECT_EQ("STALE_FENCE", UpdateAs(Fenced(1), "a", put_).reason());
  EXPECT_EQ(CX_OK, Update("a", put_).status);
}

TEST_F(EngineActivationTest, MakesANewActivationWheneverAskedForExclusive) {
  Activate(one_, "a");
  Activate(one_, "b");
  EXPECT_EQ(1u, Activate(one_, "a", kExclusive).activation.fence);
  Activated again = Activate(one_, "a", kExclusive);
  EXPECT_EQ(2u, again.activation.fence);
  EXPECT_EQ((Strings{"b", "a#2"}), again.session.active);
  EXPECT_EQ("STALE_FENCE", UpdateAs(Fenced(1), "a", put_).reason());
  EXPECT_EQ(CX_OK, UpdateAs(Fenced(2), "a", put_).status);
}

TEST_F(EngineActivationTest, LetsOneSessionAtATimeHaveAContextExclusively) {
  cx_session_start_request start = Term();
  start.owner = cx_bytes_of("agent 3");
  std::string three = Session(start);
  Activated first = Activate(three, "a", kExclusive);
  Activated refused = Activate(one_, "a", kExclusive);
  EXPECT_EQ("CONTEXT_BUSY", refused.reason());
  EXPECT_EQ(three, refused.detail("session_id"));
  EXPECT_EQ("agent 3", refused.detail("owner"));
  EXPECT_EQ(first.write.revision, refused.write.wait_for);
  EXPECT_FALSE(refused.session.there);
  EXPECT_EQ(CX_OK, Activate(one_, "a").status) << "shared ones go on";
  Deactivate(three, "a");
  EXPECT_EQ(2u, Activate(one_, "a", kExclusive).activation.fence);
}

TEST_F(EngineActivationTest, TakesOverInOneChange) {
  Activate(one_, "a", kExclusive);
  Activate(one_, "b");
  Activated taken = Activate(two_, "a", kTakeoverGuard);
  ASSERT_EQ(CX_OK, taken.status);
  EXPECT_EQ(2u, taken.activation.fence);
  Shown loser = GetSession(one_);
  EXPECT_EQ(Strings{"b"}, loser.session.active);
  EXPECT_EQ("b", loser.session.current);
  EXPECT_EQ(taken.write.revision, loser.write.wait_for) << "the same change";
  Status status = GetStatus("a");
  EXPECT_EQ(Strings{two_}, status.sessions);
  EXPECT_EQ(two_, status.exclusive);
  EXPECT_TRUE(status.guarded);
  EXPECT_EQ(2u, status.fence);
  EXPECT_EQ("STALE_FENCE", UpdateAs(By(one_, 1), "a", put_).reason());
  EXPECT_EQ("2", UpdateAs(By(one_, 1), "a", put_).detail("current_fence"));
  EXPECT_EQ(CX_OK, Activate(one_, "c", kTakeover).status) << "also what nobody has";
  ReopenTheSame();
}

TEST_F(EngineActivationTest, BoundsTheActiveContextsOfASession) {
  cx_session_start_request start = Term();
  start.max_active_contexts = 2;
  std::string id = Session(start);
  Activate(id, "a", kExclusive);
  Activate(id, "b");
  for (Outcome refused : {Outcome(Activate(id, "c")), Outcome(Switch(id, "c"))}) {
    EXPECT_EQ("LIMIT_REACHED", refused.reason());
    EXPECT_EQ("max_active_contexts", refused.detail("limit"));
    EXPECT_EQ("2", refused.detail("value"));
  }
  EXPECT_EQ(CX_OK, Activate(id, "a", kExclusive).status) << "the same does not count twice";
  EXPECT_EQ(CX_OK, Switch(id, "b").status);
  Deactivate(id, "a");
  EXPECT_EQ(CX_OK, Activate(id, "c").status);
}

TEST_F(EngineActivationTest, CreatesMissingContextsAsTheSessionWasTold) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Activate(one_, "new").reason());
  EXPECT_EQ("CONTEXT_NOT_FOUND", Switch(one_, "new").reason());
  cx_new_context create = {};
  create.type = cx_bytes_of("chat");
  create.ttl_us = 10 * kSecond;
  std::string id = Creating(&create);
  Activated made = Activate(id, "new", kExclusive);
  ASSERT_EQ(CX_OK, made.status);
  EXPECT_EQ(1u, made.write.version);
  EXPECT_EQ("chat", Get("new").type);
  EXPECT_EQ(clock_.now_us + 10 * kSecond, Get("new").expire_time_us);
  EXPECT_EQ("newer", Switch(id, "newer").session.current);
  Delete("new");
  EXPECT_EQ(2u, Activate(id, "new", kExclusive).activation.fence) << "it goes on counting";
  EXPECT_EQ(2u, Get("new").version);
  ReopenTheSame();
}

TEST_F(EngineActivationTest, ActivatesNothingNewAboveTheMemoryLimitButWhatIsThere) {
  cx_new_context create = {};
  std::string id = Creating(&create);
  Close();
  options_.memory_limit = 1;
  ASSERT_EQ(CX_OK, Open());
  Step();
  EXPECT_EQ("memory_limit", Activate(id, "new").detail("limit"));
  EXPECT_EQ("memory_limit", Switch(id, "new").detail("limit"));
  EXPECT_EQ("memory_limit", Acquire(id, "a", "tool").detail("limit"));
  EXPECT_EQ("memory_limit", Start(Term()).detail("limit"));
  EXPECT_EQ("memory_limit", Update("a", Mutations().Record(Activity())).detail("limit"));
  EXPECT_EQ(CX_OK, Activate(id, "a", kTakeover).status) << "who shrinks it may need the fence";
  EXPECT_EQ(CX_OK, Deactivate(id, "a").status);
  EXPECT_EQ(CX_OK, End(id).status);
}

// ---- The current context. ----------------------------------------------------

TEST_F(EngineActivationTest, SwitchesToWhatIsActiveWithoutActivatingItAgain) {
  Activate(one_, "a", kExclusive);
  Activate(one_, "b");
  uint64_t context_revision = Get("b").revision;
  Shown switched = Switch(one_, "b");
  EXPECT_EQ("b", switched.session.current);
  EXPECT_EQ((Strings{"a#1", "b"}), switched.session.active);
  EXPECT_EQ(context_revision, Get("b").revision) << "nothing happens to the context";
  EXPECT_EQ(0u, Switch(one_, "b").write.revision) << "it is so already";
  EXPECT_EQ("a", Switch(one_, "a").session.current);
  EXPECT_EQ("a#1", GetSession(one_).session.active[0]) << "it stays exclusive";
  EXPECT_EQ((Strings{"a#1", "b", "c"}), Switch(one_, "c").session.active);
  EXPECT_EQ("c", GetSession(one_).session.current);
  ReopenTheSame();
  EXPECT_EQ("c", GetSession(one_).session.current);
}

TEST_F(EngineActivationTest, FallsBackToTheDefaultThenToTheNewestThenToNone) {
  cx_session_start_request start = Term();
  start.default_context_id = cx_bytes_of("a");
  std::string id = Session(start);
  Activate(id, "b");
  Activate(id, "c");
  Switch(id, "b");
  EXPECT_EQ("a", Deactivate(id, "b").session.current) << "the default";
  EXPECT_EQ("c", Deactivate(id, "a").session.current) << "what is left";
  Activate(id, "b");
  EXPECT_EQ("b", Deactivate(id, "c").session.current) << "the newest";
  EXPECT_EQ("", Deactivate(id, "b").session.current);
  EXPECT_EQ("c", Activate(id, "c").session.current) << "the first again";
}

TEST_F(EngineActivationTest, FallsBackHoweverTheCurrentContextGoes) {
  Activate(one_, "b");
  Activate(one_, "a", kExclusive);
  for (int way = 0; way < 3; way++) {
    ASSERT_EQ(CX_OK, Upsert("x", Mutations().SetExpiry(way == 0 ? 10 * kSecond : 0)).status);
    Activate(one_, "x", kExclusive);
    ASSERT_EQ("x", Switch(one_, "x").session.current);
    if (way == 0) clock_.now_us += 10 * kSecond;
    if (way == 1) Delete("x");
    if (way == 2) Activate(two_, "x", kTakeover);
    Step();
    EXPECT_EQ("a", GetSession(one_).session.current) << way;
    EXPECT_EQ((Strings{"b", "a#1"}), GetSession(one_).session.active) << way;
  }
  ReopenTheSame();
}

TEST_F(EngineActivationTest, DeactivatesOnlyWhatIsActive) {
  Activate(two_, "a");
  EXPECT_EQ("NOT_ACTIVE", Deactivate(one_, "a").reason());
  EXPECT_EQ("NOT_ACTIVE", Deactivate(one_, "missing").reason());
  EXPECT_EQ("SESSION_NOT_FOUND", Deactivate(std::string(32, '0'), "missing").reason());
  Acquire(two_, "a", "tool");
  Shown deactivated = Deactivate(two_, "a");
  EXPECT_EQ(Strings{}, deactivated.session.active);
  EXPECT_EQ(1u, Resources("a").rows.size()) << "what it holds stays";
  EXPECT_EQ("NOT_ACTIVE", Deactivate(two_, "a").reason());
}

TEST_F(EngineActivationTest, TellsOfTheSessionBeforeTheContextAndOfThatBeforeTheFence) {
  EXPECT_EQ("SESSION_NOT_FOUND", Activate("nobody", "missing", kShared, "", 9).reason());
  EXPECT_EQ("CONTEXT_NOT_FOUND", Activate(one_, "missing", kShared, "", 9).reason());
  EXPECT_EQ("STALE_FENCE", Activate(one_, "a", kShared, "", 9).reason());
  Activate(two_, "a", kGuard);
  EXPECT_EQ("STALE_FENCE", Activate(one_, "a", kExclusive, "", 9).reason()) << "before busy";
  EXPECT_EQ("STALE_FENCE", Switch(one_, "a", "", 9).reason());
  EXPECT_EQ("STALE_FENCE", Deactivate(one_, "a", "", 9).reason()) << "before not active";
  EXPECT_EQ(CX_OK, Activate(one_, "a").status) << "the guard is for writes";
  EXPECT_EQ(CX_OK, Deactivate(two_, "a", "", 1).status) << "the fence that is in force";
}

// ---- Repeats. ----------------------------------------------------------------

TEST_F(EngineActivationTest, KnowsRepeatsAlsoAfterARestart) {
  Outcome activated = Activate(one_, "a", kShared, "r1");
  Outcome switched = Switch(one_, "b", "r2");
  Outcome deactivated = Deactivate(one_, "a", "r3");
  for (int round = 0; round < 2; round++) {
    uint64_t revision = Statistics().revision;
    Activated again = Activate(one_, "a", kShared, "r1");
    EXPECT_TRUE(again.write.replayed);
    EXPECT_EQ(activated.write.revision, again.write.revision);
    EXPECT_EQ(Strings{"b"}, again.session.active) << "what is there now";
    EXPECT_TRUE(again.context_there);
    Shown repeated = Switch(one_, "b", "r2");
    EXPECT_TRUE(repeated.write.replayed);
    EXPECT_EQ(switched.write.revision, repeated.write.revision);
    repeated = Deactivate(one_, "a", "r3");
    EXPECT_TRUE(repeated.write.replayed);
    EXPECT_EQ(deactivated.write.revision, repeated.write.revision);
    EXPECT_EQ("REQUEST_ID_REUSED", Activate(one_, "a", kExclusive, "r1").reason());
    EXPECT_EQ("REQUEST_ID_REUSED", Activate(one_, "a", kShared, "r3").reason());
    EXPECT_EQ("REQUEST_ID_REUSED", Switch(one_, "c", "r2").reason());
    EXPECT_EQ(revision, Statistics().revision);
    Reopen();
  }
}

TEST_F(EngineActivationTest, RepeatsAnExclusiveActivationOnlyWhileItIsInForce) {
  Activated first = Activate(one_, "a", kExclusive, "r");
  Reopen();
  Activated again = Activate(one_, "a", kExclusive, "r");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(first.write.revision, again.write.revision);
  EXPECT_EQ(1u, again.activation.fence);
  uint64_t taken = Activate(two_, "a", kTakeover).write.revision;
  Activated stale = Activate(one_, "a", kExclusive, "r");
  EXPECT_EQ("STALE_FENCE", stale.reason()) << "nobody goes on without a fence";
  EXPECT_EQ("2", stale.detail("current_fence"));
  EXPECT_EQ(taken, stale.write.wait_for);
  EXPECT_FALSE(stale.write.replayed);
  End(two_);
  EXPECT_EQ("STALE_FENCE", Activate(one_, "a", kExclusive, "r").reason()) << "nor of none";
}

TEST_F(EngineActivationTest, WaitsForTheEndOfTheContextThatARepeatIsToldOf) {
  options_.settings.undelete_window_us = CX_SECOND_US;
  options_.settings.tombstone_window_us = CX_SECOND_US;
  Reopen();
  Activate(one_, "a", kExclusive, "r");
  uint64_t deleted = Delete("a").write.revision;
  clock_.now_us += 10 * CX_SECOND_US;
  Step();
  uint64_t forgotten = Statistics().revision;
  ASSERT_LT(deleted, forgotten);
  Activated stale = Activate(one_, "a", kExclusive, "r");
  EXPECT_EQ("STALE_FENCE", stale.reason());
  EXPECT_EQ("0", stale.detail("current_fence"));
  EXPECT_EQ(forgotten, stale.write.wait_for);
}

TEST_F(EngineActivationTest, ShowsARepeatOnlyWhatIsLeft) {
  Activate(one_, "a", kShared, "r");
  uint64_t switched = Switch(one_, "b", "s").write.revision;
  EXPECT_EQ(switched, Activate(one_, "a", kShared, "r").write.wait_for) << "it shows the session";
  uint64_t deleted = Delete("a").write.revision;
  Activated again = Activate(one_, "a", kShared, "r");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_FALSE(again.context_there);
  EXPECT_EQ(Strings{"b"}, again.session.active);
  EXPECT_EQ(deleted, again.write.wait_for);
  uint64_t ended = End(one_).write.revision;
  for (Shown repeated : {Shown(Activate(one_, "a", kShared, "r")), Switch(one_, "b", "s")}) {
    EXPECT_TRUE(repeated.write.replayed);
    EXPECT_FALSE(repeated.session.there);
    EXPECT_EQ(ended, repeated.write.wait_for) << "it is told that the session is gone";
  }
}

// ---- Status. -----------------------------------------------------------------

TEST_F(EngineActivationTest, TellsWhoHasAContextActiveAlsoOfNone) {
  Status none = GetStatus("missing");
  EXPECT_EQ(CX_OK, none.status);
  EXPECT_FALSE(none.exists);
  Status idle = GetStatus("a");
  EXPECT_TRUE(idle.exists);
  EXPECT_EQ(1u, idle.version);
  EXPECT_EQ(0u, idle.fence);
  EXPECT_EQ(Strings{}, idle.sessions);
  Activate(two_, "a");
  uint64_t revision = Activate(one_, "a", kExclusive).write.revision;
  Status status = GetStatus("a");
  EXPECT_EQ((Strings{two_, one_}), status.sessions) << "oldest activation first";
  EXPECT_EQ(one_, status.exclusive);
  EXPECT_FALSE(status.guarded);
  EXPECT_EQ(1u, status.fence);
  EXPECT_EQ(revision, status.write.wait_for);
  uint64_t deleted = Delete("a").write.revision;
  EXPECT_FALSE(GetStatus("a").exists);
  EXPECT_EQ(deleted, GetStatus("a").write.wait_for);
}

// ---- Resources. --------------------------------------------------------------

TEST_F(EngineActivationTest, LetsOneSessionAtATimeHoldAResource) {
  clock_.now_us += 3;
  Holdings taken = Acquire(one_, "a", "tool");
  ASSERT_EQ(CX_OK, taken.status);
  ASSERT_EQ(1u, taken.rows.size());
  EXPECT_EQ("tool", taken.rows[0].name);
  EXPECT_EQ("lock", taken.rows[0].type);
  EXPECT_EQ(one_, taken.rows[0].session);
  EXPECT_EQ("test", taken.rows[0].labels["why"]);
  EXPECT_EQ(clock_.now_us, taken.rows[0].time_us);
  Holdings refused = Acquire(two_, "a", "tool");
  EXPECT_EQ("RESOURCE_HELD", refused.reason());
  EXPECT_EQ(one_, refused.detail("session_id"));
  EXPECT_EQ(0u, refused.rows.size());
  EXPECT_EQ(CX_OK, Acquire(two_, "b", "tool").status) << "of another context";
  EXPECT_EQ(one_, Release(two_, "a", "tool").detail("session_id"));
  EXPECT_EQ(CX_OK, Release(one_, "a", "tool").status);
  EXPECT_EQ("RESOURCE_NOT_HELD", Release(one_, "a", "tool").reason());
  EXPECT_EQ("", Release(one_, "a", "tool").detail("session_id"));
  EXPECT_EQ(CX_OK, Acquire(two_, "a", "tool").status);
}

TEST_F(EngineActivationTest, ChangesNothingWhereAResourceIsHeldAlready) {
  Holdings first = Acquire(one_, "a", "tool");
  clock_.now_us += 10;
  Holdings again = Acquire(one_, "a", "tool", "r");
  EXPECT_EQ(CX_OK, again.status);
  EXPECT_EQ(0u, again.write.revision);
  EXPECT_EQ(first.write.revision, again.write.wait_for);
  ASSERT_EQ(1u, again.rows.size());
  EXPECT_EQ(first.rows[0].time_us, again.rows[0].time_us) << "as it is";
  EXPECT_EQ(first.write.revision, Statistics().revision);
}

TEST_F(EngineActivationTest, WritesEachStepOfAResourceIntoTheHistory) {
  Holdings taken = Acquire(one_, "a", "tool");
  Outcome given = Release(one_, "a", "tool");
  History history = Activities("a");
  ASSERT_EQ((Sequences{1, 2}), history.sequences());
  EXPECT_EQ("tool/lock/1", history.rows[0].resource);
  EXPECT_EQ("tool/lock/2", history.rows[1].resource);
  EXPECT_EQ("test", history.rows[0].labels["why"]);
  for (const Recorded &row : history.rows) {
    EXPECT_EQ("resource", row.type);
    EXPECT_EQ(one_, row.session);
  }
  EXPECT_EQ(1u, given.write.version) << "no new one";
  EXPECT_EQ(given.write.revision, Get("a").revision);
  EXPECT_EQ(1u, taken.write.version);
}

TEST_F(EngineActivationTest, HoldsAndGivesBackOnlyWithTheRightFence) {
  uint64_t fence = Activate(one_, "a", kGuard).activation.fence;
  EXPECT_EQ("STALE_FENCE", Acquire(one_, "a", "tool").reason()) << "the guard";
  EXPECT_EQ("STALE_FENCE", Acquire(one_, "a", "tool", "", fence + 1).reason());
  EXPECT_EQ(CX_OK, Acquire(one_, "a", "tool", "", fence).status);
  EXPECT_EQ("STALE_FENCE", Release(one_, "a", "tool", "", fence + 1).reason());
  EXPECT_EQ(CX_OK, Release(one_, "a", "tool").status) << "whoever gives back needs none";
  EXPECT_EQ("CONTEXT_NOT_FOUND", Acquire(one_, "missing", "tool").reason());
  EXPECT_EQ("CONTEXT_NOT_FOUND", Release(one_, "missing", "tool").reason());
  EXPECT_EQ("SESSION_NOT_FOUND", Acquire("nobody", "missing", "tool").reason());
  EXPECT_EQ("SESSION_NOT_FOUND", Release("nobody", "missing", "tool").reason());
}

TEST_F(EngineActivationTest, BoundsWhatASessionHolds) {
  for (unsigned i = 0; i < CX_SESSION_RESOURCES_MAX; i++) {
    ASSERT_EQ(CX_OK, Acquire(one_, "a", "tool" + std::to_string(i)).status);
  }
  Holdings more = Acquire(one_, "b", "tool");
  EXPECT_EQ("session_resources_max", more.detail("limit"));
  EXPECT_EQ(CX_OK, Acquire(two_, "b", "tool").status);
  Release(one_, "a", "tool0");
  EXPECT_EQ(CX_OK, Acquire(one_, "b", "other").status);
  EXPECT_EQ(CX_OK, End(one_).status) << "however many changes that takes";
  EXPECT_EQ(0u, Resources("a").rows.size());
  EXPECT_EQ("RESOURCE_NOT_HELD", Release(two_, "b", "other").reason());
  ReopenTheSame();
}

TEST_F(EngineActivationTest, KnowsARepeatedStepOfAResourceAlsoAfterARestart) {
  Holdings taken = Acquire(one_, "a", "tool", "r1");
  Holdings again = Acquire(one_, "a", "tool", "r1");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(1u, again.rows.size());
  Outcome given = Release(one_, "a", "tool", "r2");
  Reopen();
  again = Acquire(one_, "a", "tool", "r1");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(taken.write.revision, again.write.revision);
  EXPECT_EQ(0u, again.rows.size()) << "it has been given back since";
  EXPECT_EQ(given.write.revision, again.write.wait_for);
  Outcome repeated = Release(one_, "a", "tool", "r2");
  EXPECT_TRUE(repeated.write.replayed);
  EXPECT_EQ(given.write.revision, repeated.write.revision);
  Acquire(two_, "a", "tool");
  EXPECT_EQ(0u, Acquire(one_, "a", "tool", "r1").rows.size()) << "another holds it";
  uint64_t purged = Delete("a", false, true).write.revision;
  EXPECT_EQ(purged, Acquire(one_, "a", "tool", "r1").write.wait_for);
}

TEST_F(EngineActivationTest, GivesBackWhatIsHeldOfAContextThatEnds) {
  Acquire(one_, "a", "tool");
  Acquire(one_, "b", "tool");
  Activate(two_, "a");
  Outcome deleted = Delete("a");
  EXPECT_EQ(deleted.write.revision, GetSession(one_).write.wait_for);
  EXPECT_EQ(Strings{}, GetSession(two_).session.active);
  Create("a");
  EXPECT_EQ(0u, Resources("a").rows.size());
  EXPECT_EQ(Sequences{}, Activities("a").sequences()) << "it begins empty";
  EXPECT_EQ(CX_OK, Acquire(two_, "a", "tool").status);
  EXPECT_EQ(Sequences{2}, Activities("a").sequences()) << "and goes on counting";
  EXPECT_EQ(CX_OK, End(one_).status);
  ReopenTheSame();
}

TEST_F(EngineActivationTest, ListsResourcesByNameInPages) {
  for (const char *name : {"b2", "a", "b1", "c", "b3"}) Acquire(one_, "a", name);
  std::string lapsing = Session(kSecond);
  for (const char *name : {"b0", "b21", "b4"}) Acquire(lapsing, "a", name);
  clock_.now_us += kSecond;
  Strings all;
  std::string after;
  for (bool more = true; more;) {
    Holdings page = Resources("a", after, 2);
    ASSERT_EQ(CX_OK, page.status);
    ASSERT_GT(page.rows.size(), 0u);
    for (const Holding &row : page.rows) all.push_back(row.name);
    after = all.back();
    more = page.more;
  }
  EXPECT_EQ((Strings{"a", "b1", "b2", "b3", "c"}), all);
  EXPECT_EQ("CONTEXT_NOT_FOUND", Resources("missing").reason());
}

}  // namespace
