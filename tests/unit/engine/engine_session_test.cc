// What engine.h promises of sessions: starts, renewals, ends, and the leases that tell which
// are lost, on a clock of the test's own.

#include "tests/unit/engine/tracking_fixture.h"

namespace {

class EngineSessionTest : public TrackingFixture {
 protected:
  void SetUp() override { ASSERT_EQ(CX_OK, Open()) << open_error_.message; }

  static std::string Named(int i) { return "r" + std::to_string(i); }

  const Mutations put_ = Mutations().Put("k", "v");
};

// ---- Starts. -----------------------------------------------------------------

TEST_F(EngineSessionTest, ShowsWhatASessionWasStartedWith) {
  cx_label label = {cx_bytes_of("team"), cx_bytes_of("blue")};
  cx_session_start_request start = Term(7 * kSecond);
  start.owner = cx_bytes_of("agent");
  start.labels = &label;
  start.label_count = 1;
  clock_.wall_shift_us = 5 * kSecond;
  Shown started = Start(start);
  ASSERT_EQ(CX_OK, started.status);
  for (const Presence &session : {started.session, GetSession(started.session.id).session}) {
    EXPECT_EQ(started.session.id, session.id);
    EXPECT_EQ(32u, session.id.size());
    EXPECT_EQ("agent", session.owner);
    EXPECT_EQ((std::map<std::string, std::string>{{"team", "blue"}}), session.labels);
    EXPECT_EQ(clock_.now_us + 5 * kSecond, session.create_time_us) << "by the clock on the wall";
    EXPECT_EQ(clock_.now_us + 12 * kSecond, session.expire_time_us) << "the same";
    EXPECT_EQ(started.write.revision, session.start_revision);
    EXPECT_EQ(Strings{}, session.active);
    EXPECT_EQ("", session.current);
  }
  EXPECT_EQ(1u, Statistics().session_count);
  EXPECT_EQ(started.write.revision, started.write.wait_for);
}

TEST_F(EngineSessionTest, ActivatesTheDefaultContextAtOnce) {
  cx_session_start_request start = Term();
  start.default_context_id = cx_bytes_of("home");
  EXPECT_EQ("CONTEXT_NOT_FOUND", Start(start).reason());
  EXPECT_EQ(0u, Statistics().session_count);
  Create("home");
  Shown started = Start(start);
  EXPECT_EQ(Strings{"home"}, started.session.active);
  EXPECT_EQ("home", started.session.current);
  EXPECT_EQ(1u, Get("home").version) << "its state is as it was";
  EXPECT_EQ(Strings{started.session.id}, GetStatus("home").sessions);
}

TEST_F(EngineSessionTest, CreatesTheDefaultContextAsItWasTold) {
  cx_new_context create = {};
  cx_session_start_request start = Term();
  start.default_context_id = cx_bytes_of("home");
  start.create_if_missing = &create;
  create.type = cx_bytes_of("chat");
  create.parent_id = cx_bytes_of("house");
  Shown refused = Start(start);
  EXPECT_EQ("PARENT_NOT_FOUND", refused.reason());
  EXPECT_EQ(0u, Statistics().session_count);
  create.create_parent = true;
  Shown started = Start(start);
  ASSERT_EQ(CX_OK, started.status);
  EXPECT_EQ("chat", Get("home").type);
  EXPECT_EQ("house", Get("home").parent_id);
  EXPECT_EQ(started.write.revision, Get("house").revision) << "all in one change";
  EXPECT_EQ("home", started.session.current);
}

TEST_F(EngineSessionTest, KnowsARepeatedStartAlsoAfterARestart) {
  Shown first = Start(Term(), "r");
  EXPECT_FALSE(first.write.replayed);
  ASSERT_EQ(CX_OK, Create("c").status);
  Activate(first.session.id, "c");
  clock_.now_us += kSecond;
  Shown again = Start(Term(), "r");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(first.session.id, again.session.id);
  EXPECT_EQ(first.write.revision, again.write.revision);
  EXPECT_EQ(Strings{"c"}, again.session.active) << "as it is now";
  EXPECT_EQ(first.session.expire_time_us, again.session.expire_time_us)
      << "a repeat renews nothing";
  Reopen();
  EXPECT_TRUE(Start(Term(), "r").write.replayed);
  EXPECT_EQ("REQUEST_ID_REUSED", Start(Term(kTtl + 1), "r").reason());
  EXPECT_NE(first.session.id, Start(Term(), "s").session.id);
  EXPECT_EQ(2u, Statistics().session_count);
}

TEST_F(EngineSessionTest, AnswersARepeatedStartOfASessionThatIsGoneWithoutOne) {
  Shown first = Start(Term(), "r");
  Shown lapsing = Start(Term(kSecond), "s");
  uint64_t ended = End(first.session.id).write.revision;
  clock_.now_us += kSecond;
  Shown again = Start(Term(), "r");
  EXPECT_EQ(CX_OK, again.status);
  EXPECT_TRUE(again.write.replayed);
  EXPECT_FALSE(again.session.there);
  EXPECT_EQ(ended, again.write.wait_for);
  again = Start(Term(kSecond), "s");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_FALSE(again.session.there) << "its term is over";
  EXPECT_EQ(lapsing.write.revision, again.write.revision);
}

TEST_F(EngineSessionTest, RefusesAForgottenRequestIdWhoseSessionIsStillThere) {
  options_.settings.request_ids_max = 64;
  Reopen();
  Shown first = Start(Term(), "r");
  for (int i = 0; i < 1000 && Start(Term(), "r").write.replayed; i++) Start(Term(), Named(i));
  Shown again = Start(Term(), "r");
  EXPECT_EQ("REQUEST_ID_REUSED", again.reason());
  EXPECT_GE(again.write.wait_for, first.write.revision) << "it tells of the session";
  clock_.now_us += kTtl;
  again = Start(Term(), "r");
  EXPECT_EQ(CX_OK, again.status) << "it ends the one whose term is over first";
  EXPECT_FALSE(again.write.replayed);
  EXPECT_EQ(first.session.id, again.session.id);
  ReopenTheSame();
}

// ---- Leases. -----------------------------------------------------------------

TEST_F(EngineSessionTest, LapsesExactlyAtTheDeadline) {
  std::string id = Session(10 * kSecond);
  clock_.now_us += 10 * kSecond - 1;
  Step();
  EXPECT_EQ(CX_OK, GetSession(id).status);
  EXPECT_EQ(CX_OK, Renew(id).status);
  clock_.now_us += 10 * kSecond;
  EXPECT_EQ("SESSION_NOT_FOUND", GetSession(id).reason());
  EXPECT_EQ(id, GetSession(id).detail("session_id"));
  EXPECT_EQ("SESSION_NOT_FOUND", Renew(id).reason()) << "too late";
}

TEST_F(EngineSessionTest, TakesNothingFromATermWhenTheWallClockIsSet) {
  std::string id = Session(10 * kSecond);
  clock_.wall_shift_us = 3600 * kSecond;
  Step();
  EXPECT_EQ(CX_OK, GetSession(id).status);
  EXPECT_EQ(clock_.now_us + 3610 * kSecond, GetSession(id).session.expire_time_us);
  clock_.wall_shift_us = -3600 * kSecond;
  clock_.now_us += 10 * kSecond;
  EXPECT_EQ("SESSION_NOT_FOUND", GetSession(id).reason());
}

TEST_F(EngineSessionTest, RenewsWithoutWritingAnything) {
  Shown started = Start(Term(10 * kSecond));
  Step();
  uint64_t digest = Digest();
  struct sim_counts before = sim_disk_counts(disk_);
  for (int i = 0; i < 100; i++) {
    int64_t expire_us;
    clock_.now_us += 9 * kSecond;
    Outcome renewed = Renew(started.session.id, &expire_us);
    ASSERT_EQ(CX_OK, renewed.status);
    EXPECT_EQ(clock_.now_us + 10 * kSecond, expire_us) << "a full term";
    EXPECT_EQ(started.write.revision, renewed.write.wait_for);
    Step();
  }
  EXPECT_EQ(started.write.revision, Statistics().revision);
  EXPECT_EQ(before.changes, sim_disk_counts(disk_).changes);
  EXPECT_EQ(digest, Digest());
}

TEST_F(EngineSessionTest, GivesAFullTermAfterARestart) {
  std::string id = Session(10 * kSecond);
  clock_.now_us += 9 * kSecond;
  Close();
  clock_.now_us += 3600 * kSecond;
  ASSERT_EQ(CX_OK, Open());
  EXPECT_EQ(clock_.now_us + 10 * kSecond, GetSession(id).session.expire_time_us);
  clock_.now_us += 10 * kSecond - 1;
  Step();
  EXPECT_EQ(CX_OK, GetSession(id).status);
  clock_.now_us += 1;
  uint64_t revision = Statistics().revision;
  Step();
  EXPECT_EQ(revision + 1, Statistics().revision) << "the timer ends it";
  EXPECT_EQ(0u, Statistics().session_count);
}

TEST_F(EngineSessionTest, EndsALapsedSessionBeforeAReadTellsOfIt) {
  const std::vector<std::pair<const char *, std::function<uint64_t(const std::string &)>>> reads = {
      {"of the session",
       [&](const std::string &id) {
         Shown shown = GetSession(id);
         EXPECT_EQ("SESSION_NOT_FOUND", shown.reason());
         return shown.write.wait_for;
       }},
      {"that renews",
       [&](const std::string &id) {
         Outcome renewed = Renew(id);
         EXPECT_EQ("SESSION_NOT_FOUND", renewed.reason());
         return renewed.write.wait_for;
       }},
      {"of its context",
       [&](const std::string &) {
         Status status = GetStatus("c");
         EXPECT_EQ(1u, status.sessions.size());
         EXPECT_EQ("", status.exclusive);
         EXPECT_FALSE(status.guarded);
         return status.write.wait_for;
       }},
      {"of its resources",
       [&](const std::string &) {
         Holdings holdings = Resources("c");
         EXPECT_EQ(0u, holdings.rows.size());
         return holdings.write.wait_for;
       }},
  };
  Create("c");
  Activate(Session(3600 * kSecond), "c");
  for (const auto &[which, read] : reads) {
    SCOPED_TRACE(which);
    std::string lapsing = Session(10 * kSecond);
    uint64_t fence = Activate(lapsing, "c", kGuard).activation.fence;
    ASSERT_EQ(CX_OK, Acquire(lapsing, "c", "tool", "", fence).status);
    uint64_t revision = Statistics().revision;
    clock_.now_us += 10 * kSecond;
    EXPECT_EQ(revision + 1, read(lapsing)) << "it waits for the loss";
    EXPECT_EQ(revision + 1, Statistics().revision);
    EXPECT_EQ(1u, Statistics().session_count);
  }
  ReopenTheSame();
}

TEST_F(EngineSessionTest, LosesASessionInOneChangeWithAllThatItHad) {
  for (const char *id : {"a", "b", "c"}) Create(id);
  std::string id = Session(10 * kSecond);
  Activate(id, "a", kGuard);
  Activate(id, "b");
  Acquire(id, "b", "one");
  Acquire(id, "b", "two");
  Acquire(id, "c", "three");
  uint64_t revision = Statistics().revision;
  clock_.now_us += 10 * kSecond;
  Step();
  EXPECT_EQ(revision + 1, Statistics().revision);
  for (const char *context : {"a", "b", "c"}) {
    EXPECT_EQ(revision + 1, Get(context).revision) << context;
    EXPECT_EQ(1u, Get(context).version) << context;
    EXPECT_EQ(0u, Resources(context).rows.size()) << context;
    EXPECT_EQ(Strings{}, GetStatus(context).sessions) << context;
  }
  std::set<std::string> steps;
  for (const Recorded &row : Activities("b").rows) {
    steps.insert(row.resource);
    EXPECT_EQ(id, row.session);
    EXPECT_EQ("resource", row.type);
  }
  EXPECT_EQ((std::set<std::string>{"one/lock/1", "two/lock/1", "one/lock/3", "two/lock/3"}), steps);
  EXPECT_EQ("three/lock/3", Activities("c").rows.back().resource);
  EXPECT_EQ(0u, Activities("a").rows.size()) << "who was not there did nothing";
  ReopenTheSame();
}

TEST_F(EngineSessionTest, EndsEveryLapsedSessionInOneRoundOfTheTimers) {
  for (int i = 0; i < 500; i++) Session(kSecond + i % 3);
  std::string renewed = Session(kSecond);
  clock_.now_us += kSecond - 1;
  ASSERT_EQ(CX_OK, Renew(renewed).status);
  clock_.now_us += 1;
  Step();
  EXPECT_EQ(1u + 333u, Statistics().session_count) << "those whose deadline has come";
  clock_.now_us += 2;
  Step();
  EXPECT_EQ(1u, Statistics().session_count);
  EXPECT_EQ(CX_OK, GetSession(renewed).status);
  clock_.now_us += kSecond;
  Step();
  EXPECT_EQ(0u, Statistics().session_count) << "the lease of one that was renewed is kept";
}

TEST_F(EngineSessionTest, EndsALapsedSessionWhoeverComesUponIt) {
  struct Meeting {
    const char *who;
    std::function<std::string(const std::string &lapsed, const std::string &other)> meet;
    std::string reason;
  };
  const std::vector<Meeting> meetings = {
      {"a write of its own",
       [&](const std::string &lapsed, const std::string &) {
         return UpdateAs(By(lapsed), "c", put_).reason();
       },
       "SESSION_NOT_FOUND"},
      {"a write with its fence",
       [&](const std::string &, const std::string &) {
         return UpdateAs(Fenced(GetStatus("c").fence), "c", put_).reason();
       },
       "STALE_FENCE"},
      {"a write without a fence, by its guard",
       [&](const std::string &, const std::string &) { return Update("c", put_).reason(); }, ""},
      {"an exclusive activation",
       [&](const std::string &, const std::string &other) {
         return Activate(other, "c", kExclusive).reason();
       },
       ""},
      {"a takeover",
       [&](const std::string &, const std::string &other) {
         return Activate(other, "c", kTakeover).reason();
       },
       ""},
      {"an acquisition",
       [&](const std::string &, const std::string &other) {
         return Acquire(other, "c", "tool", "", 0).reason();
       },
       ""},
      {"a release by another",
       [&](const std::string &, const std::string &other) {
         return Release(other, "c", "tool").reason();
       },
       "RESOURCE_NOT_HELD"},
      {"its own activation",
       [&](const std::string &lapsed, const std::string &) {
         return Activate(lapsed, "d").reason();
       },
       "SESSION_NOT_FOUND"},
      {"its own switch",
       [&](const std::string &lapsed, const std::string &) { return Switch(lapsed, "c").reason(); },
       "SESSION_NOT_FOUND"},
      {"its own deactivation",
       [&](const std::string &lapsed, const std::string &) {
         return Deactivate(lapsed, "c").reason();
       },
       "SESSION_NOT_FOUND"},
      {"its own end",
       [&](const std::string &lapsed, const std::string &) { return End(lapsed).reason(); }, ""},
      {"a truncate",
       [&](const std::string &lapsed, const std::string &) {
         return Truncate("c", 1, 0, By(lapsed)).reason();
       },
       "SESSION_NOT_FOUND"},
      {"a recursive delete, by the guard of a child",
       [&](const std::string &, const std::string &) { return Delete("p", true).reason(); }, ""},
  };
  Create("d");
  for (const Meeting &meeting : meetings) {
    SCOPED_TRACE(meeting.who);
    ASSERT_EQ(CX_OK, CreateBelow("c", "p", true).status);
    std::string lapsed = Session(10 * kSecond);
    std::string other = Session(20 * kSecond);
    ASSERT_EQ(CX_OK, Activate(lapsed, "c", kGuard).status);
    ASSERT_EQ(CX_OK, Acquire(lapsed, "c", "tool", "", GetStatus("c").fence).status);
    ASSERT_EQ(2u, Statistics().session_count);
    clock_.now_us += 10 * kSecond;
    EXPECT_EQ(meeting.reason, meeting.meet(lapsed, other));
    EXPECT_EQ(1u, Statistics().session_count);
    End(other);
    Delete("p", true, true);
    Step();
  }
  ReopenTheSame();
}

TEST_F(EngineSessionTest, RefusesALapsedSessionWhileAFullDiskKeepsItFromEnding) {
  Create("c");
  std::string id = Session(10 * kSecond);
  std::string other = Session(3600 * kSecond);
  uint64_t fence = Activate(id, "c", kGuard).activation.fence;
  ASSERT_EQ(CX_OK, Acquire(id, "c", "tool", "", fence).status);
  FillDisk();
  clock_.now_us += 10 * kSecond;
  uint64_t digest = Digest();
  Step();
  EXPECT_EQ("STORAGE_FULL", Renew(id).reason()) << "it does not come back";
  EXPECT_EQ("STORAGE_FULL", UpdateAs(By(id, fence), "c", put_).reason());
  EXPECT_EQ("STORAGE_FULL", Activate(other, "c", kTakeover).reason());
  EXPECT_EQ("STORAGE_FULL", End(id).reason());
  EXPECT_EQ(CX_OK, GetSession(id).status) << "reads show what is in the log";
  EXPECT_EQ((Strings{id}), GetStatus("c").sessions);
  EXPECT_EQ(1u, Resources("c").rows.size());
  EXPECT_EQ(2u, Statistics().session_count);
  EXPECT_EQ(digest, Digest());
  EmptyDisk();
  clock_.now_us += 10 * kSecond;
  Step();
  EXPECT_EQ(1u, Statistics().session_count) << "the timer tries again";
  EXPECT_EQ("STALE_FENCE", UpdateAs(Fenced(fence), "c", put_).reason());
}

TEST_F(EngineSessionTest, EndsOthersWhileOneCannotEnd) {
  for (int i = 0; i < 200; i++) Session(kSecond);
  FillDisk();
  clock_.now_us += kSecond;
  Step();
  Step();
  EXPECT_EQ(200u, Statistics().session_count);
  EmptyDisk();
  clock_.now_us += kSecond;
  Step();
  EXPECT_EQ(0u, Statistics().session_count);
}

// ---- Ends. -------------------------------------------------------------------

TEST_F(EngineSessionTest, EndsASessionInOneChangeWithAllThatItHad) {
  Create("a");
  Create("b");
  std::string id = Session();
  Activate(id, "a", kExclusive);
  Acquire(id, "b", "tool");
  Outcome ended = End(id);
  EXPECT_EQ(ended.write.revision, Get("a").revision);
  EXPECT_EQ(ended.write.revision, Get("b").revision);
  EXPECT_EQ("tool/lock/3", Activities("b").rows.back().resource);
  EXPECT_EQ("SESSION_NOT_FOUND", GetSession(id).reason());
  EXPECT_EQ(ended.write.revision, GetSession(id).write.wait_for);
  EXPECT_EQ(ended.write.revision, Renew(id).write.wait_for);
  EXPECT_EQ(0u, Statistics().session_count);
  ReopenTheSame();
}

TEST_F(EngineSessionTest, ChangesNothingWhenThereIsNothingToEnd) {
  std::string id = Session();
  uint64_t ended = End(id).write.revision;
  for (const std::string &each :
       {id, std::string(32, '0'), std::string("no id at all"), std::string()}) {
    Outcome outcome = End(each);
    EXPECT_EQ(CX_OK, outcome.status) << each;
    EXPECT_EQ(0u, outcome.write.revision) << each;
  }
  EXPECT_EQ(ended, End(id).write.wait_for) << "it is told that it has ended";
  EXPECT_EQ(ended, Statistics().revision);
}

TEST_F(EngineSessionTest, KnowsARepeatedEndAlsoAfterARestart) {
  std::string id = Session();
  Outcome first = End(id, "r");
  Reopen();
  Outcome again = End(id, "r");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(first.write.revision, again.write.revision);
  EXPECT_EQ(first.write.revision, again.write.wait_for);
}

TEST_F(EngineSessionTest, EndsASessionHoweverMuchItsContextsWeigh) {
  const int count = 12;
  cx_session_start_request start = Term(10 * kSecond);
  start.max_active_contexts = 1000;
  Mutations heavy;
  for (unsigned i = 0; i < CX_LABELS_MAX; i++) {
    heavy.SetLabel("l" + std::to_string(i), std::string(CX_LABEL_VALUE_SIZE_MAX, 'x'));
  }
  for (bool lost : {false, true}) {
    std::string id = Session(start);
    for (int i = 0; i < count; i++) {
      std::string context = "c" + std::to_string(i);
      ASSERT_EQ(CX_OK, Upsert(context, heavy).status);
      ASSERT_EQ(CX_OK, Activate(id, context, kGuard).status);
      Step();
    }
    if (lost) {
      clock_.now_us += 10 * kSecond;
      Step();
    } else {
      EXPECT_EQ("", End(id, "r").reason());
      EXPECT_TRUE(End(id, "r").write.replayed);
    }
    EXPECT_EQ(0u, Statistics().session_count) << (lost ? "lost" : "ended");
    for (int i = 0; i < count; i++) {
      EXPECT_EQ(CX_OK, Update("c" + std::to_string(i), put_).status);
    }
    Step();
  }
  ReopenTheSame();
}

TEST_F(EngineSessionTest, KeepsNamespacesApart) {
  std::string id = Session();
  Create("c");
  namespace_ = "other";
  Create("c");
  EXPECT_EQ("SESSION_NOT_FOUND", GetSession(id).reason());
  EXPECT_EQ("SESSION_NOT_FOUND", Renew(id).reason());
  EXPECT_EQ("SESSION_NOT_FOUND", Activate(id, "c").reason());
  EXPECT_EQ("SESSION_NOT_FOUND", UpdateAs(By(id), "c", put_).reason());
  EXPECT_EQ("SESSION_NOT_FOUND", Acquire(id, "c", "tool").reason());
  EXPECT_EQ(0u, End(id).write.revision);
  namespace_ = "default";
  EXPECT_EQ(CX_OK, GetSession(id).status);
}

}  // namespace
