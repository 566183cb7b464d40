// What engine.h promises of every change: its revision, that it leaves no trace where it fails,
// retries, what has to be durable before a client hears of it, and limits.

#include "tests/unit/engine/tracking_fixture.h"

namespace {

class EngineChangeTest : public TrackingFixture {
 protected:
  void SetUp() override { ASSERT_EQ(CX_OK, Open()) << open_error_.message; }

  static cx_precondition AtVersion(uint64_t version) {
    return {CX_PRECONDITION_CONTEXT_VERSION, {}, version};
  }

  const Mutations put_ = Mutations().Put("k", "v");
};

TEST_F(EngineChangeTest, GivesEveryChangeTheNextRevision) {
  uint64_t first = Create("a").write.revision;
  EXPECT_EQ(first + 1, Create("b").write.revision);
  EXPECT_EQ("CONTEXT_EXISTS", Create("b").reason());
  EXPECT_EQ(first + 2, Delete("a").write.revision);
}

TEST_F(EngineChangeTest, LeavesNoTraceOfAFailure) {
  Upsert("c", Mutations().Put("k", "v"));
  uint64_t digest = Digest();
  uint64_t revision = Statistics().revision;
  std::string large(options_.value_size_max + 1, 'x');

  EXPECT_NE(CX_OK, Update("c", Mutations().Put("a", "b").AppendAt("k", "w", 9)).status);
  EXPECT_NE(CX_OK, Update("c", Mutations().SetLabel("l", "x").Put("k", large)).status);
  EXPECT_NE(CX_OK, CreateBelow("d", "missing").status);
  EXPECT_NE(CX_OK, Delete("missing").status);

  EXPECT_EQ(digest, Digest());
  EXPECT_EQ(revision, Statistics().revision);
}

// ---- Retries. ----------------------------------------------------------------

TEST_F(EngineChangeTest, KnowsARepeatAlsoAfterADeleteAndARestart) {
  cx_new_context create = {};
  Outcome first = Update("c", put_, {}, &create, "r1");
  ASSERT_EQ(CX_OK, first.status);
  EXPECT_FALSE(first.write.replayed);
  Update("c", put_);
  Outcome again = Update("c", put_, {}, &create, "r1");
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(first.write.version, again.write.version);
  EXPECT_EQ(first.write.revision, again.write.revision);

  ASSERT_EQ(CX_OK, Delete("c", false, false, "r2").status);
  EXPECT_TRUE(Update("c", put_, {}, &create, "r1").write.replayed);
  Reopen();
  EXPECT_TRUE(Update("c", put_, {}, &create, "r1").write.replayed);
  EXPECT_TRUE(Delete("c", false, false, "r2").write.replayed);
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("c").reason());
}

TEST_F(EngineChangeTest, RefusesARequestIdForAnotherRequest) {
  Upsert("c", put_, "r");
  uint64_t digest = Digest();
  EXPECT_EQ("REQUEST_ID_REUSED", Upsert("c", Mutations().Put("k", "other"), "r").reason());
  EXPECT_EQ("REQUEST_ID_REUSED", Delete("c", false, false, "r").reason());
  EXPECT_EQ("REQUEST_ID_REUSED", Create("c", {}, {}, "r").reason());
  EXPECT_EQ(CX_OK, Upsert("other", put_, "r").status) << "the id belongs to the context";
  EXPECT_NE(digest, Digest());
}

TEST_F(EngineChangeTest, DoesNotRememberAFailure) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Update("c", put_, {}, nullptr, "r").reason());
  Create("c");
  Outcome later = Update("c", put_, {}, nullptr, "r");
  EXPECT_EQ(CX_OK, later.status);
  EXPECT_FALSE(later.write.replayed);
}

TEST_F(EngineChangeTest, MakesUpTheSameIdForTheSameRequest) {
  std::string first, again, other, third;
  ASSERT_EQ(CX_OK, Create("", {}, put_, "r", &first).status);
  Outcome repeat = Create("", {}, put_, "r", &again);
  EXPECT_TRUE(repeat.write.replayed);
  EXPECT_EQ(first, again);
  ASSERT_EQ(CX_OK, Create("", {}, put_, "s", &other).status);
  ASSERT_EQ(CX_OK, Create("", {}, put_, "", &third).status);
  EXPECT_NE(first, other);
  EXPECT_NE(other, third);
  ASSERT_EQ(CX_OK, Delete(first).status);
  Reopen();
  Outcome late = Create("", {}, put_, "r", &again);
  EXPECT_TRUE(late.write.replayed);
  EXPECT_EQ(1u, late.write.version);
  EXPECT_EQ(first, again) << "its names are set though it is gone";
}

TEST_F(EngineChangeTest, MakesUpTheSameSessionForTheSameRequestAndNeverAContextsId) {
  std::string context;
  ASSERT_EQ(CX_OK, Create("", {}, {}, "r", &context).status);
  std::string session = Start(Term(), "r").session.id;
  EXPECT_EQ(32u, session.size());
  EXPECT_NE(context, session);
  namespace_ = "other";
  EXPECT_NE(session, Start(Term(), "r").session.id);
  EXPECT_NE(Session(), Session());
}

TEST_F(EngineChangeTest, RefusesARequestIdForAnotherKindOfRequest) {
  Create("c");
  std::string session = Session();
  ASSERT_EQ(CX_OK, Record("c", {Activity()}, {}, "r").status);
  uint64_t digest = Digest();
  EXPECT_EQ("REQUEST_ID_REUSED",
            Update("c", Mutations().Record(Activity()), {}, nullptr, "r").reason());
  EXPECT_EQ("REQUEST_ID_REUSED", Activate(session, "c", kShared, "r").reason());
  EXPECT_EQ("REQUEST_ID_REUSED", Deactivate(session, "c", "r").reason());
  EXPECT_EQ("REQUEST_ID_REUSED", Acquire(session, "c", "tool", "r").reason());
  EXPECT_EQ("REQUEST_ID_REUSED", Release(session, "c", "tool", "r").reason());
  EXPECT_EQ("REQUEST_ID_REUSED", Truncate("c", 1, 0, {}, "r").reason());
  EXPECT_EQ("REQUEST_ID_REUSED", Optimize("c", Keep(1), "r").reason());
  EXPECT_EQ(digest, Digest());
  EXPECT_EQ(CX_OK, Switch(session, "c", "r").status) << "its ids belong to the session";
  EXPECT_EQ("REQUEST_ID_REUSED", End(session, "r").reason());
}

TEST_F(EngineChangeTest, ForgetsRequestsBehindTheWindowWhenOthersCome) {
  options_.settings.request_ids_max = 64 * 1000;
  Upsert("c", put_, "r");
  clock_.now_us += options_.settings.request_id_window_us;
  Upsert("c", put_, "s");
  EXPECT_TRUE(Upsert("c", put_, "r").write.replayed) << "just within the window";
  clock_.now_us += 1;
  Upsert("c", put_, "t");
  EXPECT_FALSE(Upsert("c", put_, "r").write.replayed);
}

TEST_F(EngineChangeTest, KeepsNoMoreRequestsThanItsBound) {
  Close();
  options_.settings.request_ids_max = 64 * 3;
  ASSERT_EQ(CX_OK, Open());
  for (int i = 0; i < 10; i++) Upsert("c", put_, "r" + std::to_string(i));
  EXPECT_EQ(3u, Statistics().request_id_count);
  EXPECT_TRUE(Upsert("c", put_, "r7").write.replayed);
  EXPECT_FALSE(Upsert("c", put_, "r6").write.replayed);
  uint64_t digest = Digest();
  Reopen();
  EXPECT_EQ(digest, Digest());
  EXPECT_EQ(3u, Statistics().request_id_count);
}

// ---- What must be durable first. ---------------------------------------------

TEST_F(EngineChangeTest, WaitsForWhatItsAnswerIsDerivedFrom) {
  uint64_t created = Create("c").write.revision;
  EXPECT_EQ(created, Create("c").write.wait_for);
  EXPECT_EQ(created, Update("c", put_, {AtVersion(5)}).write.wait_for);
  uint64_t written = Upsert("c", put_, "r").write.revision;
  Upsert("d", put_);
  EXPECT_EQ(written, Upsert("c", put_, "r").write.wait_for);
  uint64_t deleted = Delete("c").write.revision;
  EXPECT_EQ(deleted, Update("c", put_).write.wait_for);
  EXPECT_EQ(deleted, Delete("c", false, false, "", true).write.wait_for);
  EXPECT_EQ(deleted, CreateBelow("x", "c").write.wait_for);
  EXPECT_EQ(0u, Update("never", put_).write.wait_for);
}

TEST_F(EngineChangeTest, WaitsForWhatItsAnswerAboutASessionIsDerivedFrom) {
  EXPECT_EQ(0u, GetSession(std::string(32, '0')).write.wait_for);
  Create("c");
  std::string one = Session();
  std::string two = Session();
  uint64_t activated = Activate(one, "c", kGuard).write.revision;
  EXPECT_EQ(activated, GetSession(one).write.wait_for);
  EXPECT_EQ(activated, Renew(one).write.wait_for);
  EXPECT_EQ(activated, GetStatus("c").write.wait_for);
  EXPECT_EQ(activated, Activate(two, "c", kExclusive).write.wait_for) << "busy";
  EXPECT_EQ(activated, Update("c", put_).write.wait_for) << "guarded";
  EXPECT_EQ(activated, Deactivate(two, "c").write.wait_for) << "not active";
  EXPECT_EQ(activated, Switch(one, "c").write.wait_for) << "nothing to do";
  uint64_t taken = Acquire(one, "c", "tool", "", 1).write.revision;
  EXPECT_EQ(taken, Acquire(two, "c", "tool", "", 1).write.wait_for) << "held";
  EXPECT_EQ(taken, Release(two, "c", "tool").write.wait_for) << "not held";
  EXPECT_EQ(taken, Resources("c").write.wait_for);
  EXPECT_EQ(taken, Activities("c").write.wait_for);
  Create("d");
  uint64_t switched = Switch(one, "d").write.revision;
  uint64_t back = Switch(one, "c").write.revision;
  EXPECT_EQ(back, GetSession(one).write.wait_for);
  EXPECT_EQ(switched, GetStatus("d").write.wait_for);
  uint64_t ended = End(one).write.revision;
  EXPECT_EQ(ended, UpdateAs(By(one), "c", put_).write.wait_for);
  EXPECT_EQ(ended, Acquire(one, "c", "tool").write.wait_for);
  EXPECT_EQ(ended, Switch(one, "c").write.wait_for);
  EXPECT_EQ(ended, GetStatus("c").write.wait_for);
}

// ---- Limits. -----------------------------------------------------------------

TEST_F(EngineChangeTest, BoundsWhatOneChangeWeighs) {
  uint64_t change_size_max = 2 * options_.message_size_max;
  std::string value(options_.value_size_max, 'x');
  Mutations mutations;
  for (uint64_t i = 0; i <= change_size_max / value.size(); i++) {
    mutations.Put("k" + std::to_string(i), value);
  }
  uint64_t digest = Digest();
  Outcome outcome = Upsert("c", mutations);
  EXPECT_EQ("LIMIT_REACHED", outcome.reason());
  EXPECT_EQ("change_size_max", outcome.detail("limit"));
  EXPECT_EQ(digest, Digest());
}

TEST_F(EngineChangeTest, RefusesToGrowAboveTheMemoryLimitButDeletes) {
  Upsert("c", put_);
  Close();
  options_.memory_limit = 1;
  ASSERT_EQ(CX_OK, Open());
  Step();
  Outcome outcome = Update("c", put_);
  EXPECT_EQ("LIMIT_REACHED", outcome.reason());
  EXPECT_EQ("memory_limit", outcome.detail("limit"));
  EXPECT_EQ(CX_OK, Get("c").status);
  EXPECT_EQ(CX_OK, Delete("c").status);
}

TEST_F(EngineChangeTest, IsOverloadedWhileTheNextSegmentIsNotReady) {
  std::string value(60000, 'x');
  Outcome outcome = {};
  for (int i = 0; i < 1000; i++) {
    value[0] = static_cast<char>('a' + i % 26);
    outcome = Upsert("c" + std::to_string(i), Mutations().Put("k", value));
    if (outcome.status != CX_OK) break;
  }
  EXPECT_EQ("OVERLOADED", outcome.reason());
  EXPECT_EQ(CX_OVERLOADED_RETRY_US, outcome.error.retry_delay_us);
  Step();
  EXPECT_EQ(CX_OK, Upsert("c", put_).status);
}

TEST_F(EngineChangeTest, ReadsOnAFullDiskAndWritesAgainWhenThereIsRoom) {
  std::string value(60000, 'x');
  Outcome outcome = {};
  sim_disk_set_capacity(disk_, 1);
  for (int i = 0; i < 1000 && outcome.reason() != "STORAGE_FULL"; i++) {
    value[0] = static_cast<char>('a' + i % 26);
    outcome = Upsert("c", Mutations().Put("k", value));
    Step();
  }
  ASSERT_EQ("STORAGE_FULL", outcome.reason());
  EXPECT_EQ(CX_OK, Get("c").status);
  uint64_t digest = Digest();
  EXPECT_EQ("STORAGE_FULL", Upsert("c", Mutations().Put("k", value)).reason());
  EXPECT_EQ(digest, Digest());
  sim_disk_set_capacity(disk_, UINT64_MAX);
  Step();
  EXPECT_EQ(CX_OK, Upsert("c", Mutations().Put("k", value)).status);
  EXPECT_EQ((std::vector<bool>{true, false}), disk_full_) << "full, and room again";
  digest = Digest();
  Reopen();
  EXPECT_EQ(digest, Digest());
}

}  // namespace
