// What engine.h promises of who may write: sessions, fences, guards, whatever the write is.

#include "tests/unit/engine/tracking_fixture.h"

namespace {

class EngineAuthorTest : public TrackingFixture {
 protected:
  void SetUp() override {
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    Upsert("c", put_);
    session_ = Session();
    other_ = Session();
  }

  Outcome CreateAs(const std::string &session, const std::string &id,
                   const Mutations &mutations = {}) {
    Outcome outcome = {};
    cx_create_request request = {};
    cx_snapshot snapshot = {};
    request.name = {Bytes(namespace_), Bytes(id)};
    request.author = By(session);
    request.mutations = mutations.list().data();
    request.mutation_count = mutations.list().size();
    outcome.status = cx_engine_create(engine_, &request, &outcome.write, &snapshot, &outcome.error);
    if (outcome.status == CX_OK) cx_snapshot_done(&snapshot);
    return outcome;
  }

  // Updates "c" and "d" in one change.
  Outcome Both(const cx_author &c, const cx_author &d, size_t *ret_index,
               const std::string &request_id = "") {
    Outcome outcome = {};
    cx_update_request requests[2] = {};
    cx_write_outcome outcomes[2];
    cx_new_context create = {};
    const char *ids[] = {"c", "d"};
    for (int i = 0; i < 2; i++) {
      requests[i].name = {Bytes(namespace_), cx_bytes_of(ids[i])};
      requests[i].mutations = put_.list().data();
      requests[i].mutation_count = put_.list().size();
      requests[i].create_if_missing = &create;
      requests[i].author = i == 0 ? c : d;
    }
    outcome.status = cx_engine_update_atomic(engine_, requests, 2, Bytes(request_id), outcomes,
                                             ret_index, &outcome.error);
    outcome.write = outcomes[0];
    return outcome;
  }

  static cx_precondition AtVersion(uint64_t version) {
    return {CX_PRECONDITION_CONTEXT_VERSION, {}, version};
  }

  std::string session_, other_;
  const Mutations put_ = Mutations().Put("k", "v");
};

// ---- Sessions. ---------------------------------------------------------------

TEST_F(EngineAuthorTest, WritesInTheNameOfALiveSession) {
  Mutations record = Mutations().Put("k", "w").Record(Activity());
  EXPECT_EQ(CX_OK, UpdateAs(By(session_), "c", record).status);
  EXPECT_EQ(session_, Activities("c").rows[0].session);
  EXPECT_EQ(CX_OK, CreateAs(session_, "d", record).status);
  EXPECT_EQ(session_, Activities("d").rows[0].session);
  EXPECT_EQ(CX_OK, DeleteAs(By(session_), "d").status);
}

TEST_F(EngineAuthorTest, RefusesEveryWriteOfASessionThatHasEnded) {
  uint64_t ended = End(session_).write.revision;
  size_t index;
  uint64_t digest = Digest();
  for (Outcome refused : {UpdateAs(By(session_), "c", put_), DeleteAs(By(session_), "c"),
                          CreateAs(session_, "new"), Record("c", {Activity()}, By(session_)),
                          Truncate("c", 5, 0, By(session_)), Both({}, By(session_), &index)}) {
    EXPECT_EQ("SESSION_NOT_FOUND", refused.reason());
    EXPECT_EQ(session_, refused.detail("session_id"));
    EXPECT_EQ(ended, refused.write.wait_for);
  }
  EXPECT_EQ(1u, index) << "names the part";
  EXPECT_EQ("SESSION_NOT_FOUND", UpdateAs(By("no such thing"), "c", put_).reason());
  EXPECT_EQ(digest, Digest());
}

TEST_F(EngineAuthorTest, TellsExistenceBeforeTheSessionThenTheFenceThenPreconditions) {
  std::string large(options_.value_size_max + 1, 'x');
  EXPECT_EQ("CONTEXT_NOT_FOUND", UpdateAs(By("nobody", 9), "missing", put_).reason());
  EXPECT_EQ("CONTEXT_NOT_FOUND", DeleteAs(By("nobody", 9), "missing").reason());
  EXPECT_EQ("SESSION_NOT_FOUND", UpdateAs(By("nobody", 9), "c", put_, {AtVersion(9)}).reason());
  EXPECT_EQ("STALE_FENCE", UpdateAs(By(session_, 9), "c", put_, {AtVersion(9)}).reason());
  EXPECT_EQ("VERSION_CONFLICT",
            UpdateAs(By(session_), "c", Mutations().Put("k", large), {AtVersion(9)}).reason());
  CreateBelow("below", "c");
  EXPECT_EQ("SESSION_NOT_FOUND", DeleteAs(By("nobody"), "c").reason());
  EXPECT_EQ("STALE_FENCE", DeleteAs(Fenced(9), "c").reason()) << "before its children";
  EXPECT_EQ("HAS_CHILDREN", DeleteAs(By(session_), "c").reason());
}

TEST_F(EngineAuthorTest, KnowsARepeatWhoeverMayWriteByNow) {
  uint64_t fence = Activate(session_, "c", kGuard).activation.fence;
  Outcome first = UpdateAs(By(session_, fence), "c", put_, {}, nullptr, "r");
  ASSERT_EQ(CX_OK, first.status);
  Activate(other_, "c", kTakeoverGuard);
  End(session_);
  Outcome again = UpdateAs(By(session_, fence), "c", put_, {}, nullptr, "r");
  EXPECT_TRUE(again.write.replayed) << "it was written, and is not written again";
  EXPECT_EQ(first.write.revision, again.write.revision);
}

// ---- Fences. -----------------------------------------------------------------

TEST_F(EngineAuthorTest, TakesAFenceOnlyWhileItsActivationIsInForce) {
  const std::vector<std::pair<const char *, std::function<void()>>> ends = {
      {"deactivated", [&] { Deactivate(session_, "c"); }},
      {"taken over", [&] { Activate(other_, "c", kTakeover); }},
      {"ended", [&] { End(session_); }},
      {"lost", [&] { clock_.now_us += kTtl; }},
      {"activated anew", [&] { Activate(session_, "c", kExclusive); }},
      {"made shared", [&] { Activate(session_, "c"); }},
      {"deleted and created anew", [&] { Delete("c"), Create("c"); }},
      {"purged and created anew", [&] { Delete("c", false, true), Create("c"); }},
  };
  for (const auto &[how, end] : ends) {
    SCOPED_TRACE(how);
    session_ = Session();
    other_ = Session();
    uint64_t fence = Activate(session_, "c", kTakeover).activation.fence;
    EXPECT_EQ("STALE_FENCE", UpdateAs(Fenced(fence + 1), "c", put_).reason());
    EXPECT_EQ(fence == 1 ? "" : "STALE_FENCE", UpdateAs(Fenced(fence - 1), "c", put_).reason());
    EXPECT_EQ(CX_OK, UpdateAs(By(session_, fence), "c", put_).status);
    EXPECT_EQ(CX_OK, UpdateAs(Fenced(fence), "c", put_).status) << "whoever carries it";
    end();
    Outcome refused = UpdateAs(Fenced(fence), "c", put_);
    EXPECT_EQ("STALE_FENCE", refused.reason());
    EXPECT_EQ(std::to_string(GetStatus("c").fence), refused.detail("current_fence"));
    EXPECT_EQ("STALE_FENCE", Record("c", {Activity()}, Fenced(fence)).reason());
    EXPECT_EQ("STALE_FENCE", DeleteAs(Fenced(fence), "c").reason());
    EXPECT_EQ("STALE_FENCE", Truncate("c", 1, 0, Fenced(fence)).reason());
    EXPECT_EQ(CX_OK, Update("c", put_).status) << "nothing guards it";
  }
  ReopenTheSame();
}

TEST_F(EngineAuthorTest, KnowsTheFenceOfAContextThatIsGone) {
  cx_new_context create = {};
  EXPECT_EQ("0", UpdateAs(Fenced(1), "never", put_, {}, &create).detail("current_fence"));
  Activate(session_, "c", kExclusive);
  Delete("c");
  Outcome refused = UpdateAs(Fenced(1), "c", put_, {}, &create);
  EXPECT_EQ("STALE_FENCE", refused.reason());
  EXPECT_EQ("1", refused.detail("current_fence"));
  Reopen();
  EXPECT_EQ("1", UpdateAs(Fenced(1), "c", put_, {}, &create).detail("current_fence"));
}

TEST_F(EngineAuthorTest, TellsAStaleFenceOnlyOnceWhatMadeItStaleIsDurable) {
  Activate(session_, "c", kExclusive);
  uint64_t taken = Activate(other_, "c", kTakeover).write.revision;
  EXPECT_EQ(taken, UpdateAs(Fenced(1), "c", put_).write.wait_for);
  clock_.now_us += kTtl;
  Outcome refused = UpdateAs(Fenced(2), "c", put_);
  EXPECT_EQ("STALE_FENCE", refused.reason());
  EXPECT_EQ(Statistics().revision, refused.write.wait_for) << "the loss";
}

TEST_F(EngineAuthorTest, GuardsAgainstWritesWithoutAFence) {
  uint64_t fence = Activate(session_, "c", kGuard).activation.fence;
  size_t index;
  uint64_t digest = Digest();
  for (Outcome refused : {Update("c", put_), UpdateAs(By(session_), "c", put_), Delete("c"),
                          Record("c", {Activity()}), Truncate("c", 1), Both({}, {}, &index)}) {
    EXPECT_EQ("STALE_FENCE", refused.reason());
    EXPECT_EQ(std::to_string(fence), refused.detail("current_fence"));
  }
  EXPECT_EQ(0u, index) << "names the part";
  EXPECT_EQ(digest, Digest());
  EXPECT_EQ(CX_OK, Activate(other_, "c").status);
  EXPECT_EQ(CX_OK, Switch(other_, "c").status);
  EXPECT_EQ(CX_OK, Deactivate(other_, "c").status);
  EXPECT_EQ(CX_OK, UpdateAs(Fenced(fence), "c", put_).status);
  Deactivate(session_, "c");
  EXPECT_EQ(CX_OK, Update("c", put_).status);
}

TEST_F(EngineAuthorTest, ChecksTheAuthorOfEachPartOfABatch) {
  size_t index;
  Create("d");
  uint64_t c = Activate(session_, "c", kGuard).activation.fence;
  Activate(other_, "d", kExclusive);
  uint64_t d = Activate(other_, "d", kGuard).activation.fence;
  EXPECT_EQ("STALE_FENCE", Both(By(session_, c), By(session_, c), &index).reason());
  EXPECT_EQ(1u, index);
  uint64_t version = Get("c").version;
  EXPECT_EQ(CX_OK, Both(By(session_, c), By(other_, d), &index, "r").status);
  EXPECT_EQ(version + 1, Get("c").version);
  EXPECT_TRUE(Both(By(session_, c), By(other_, d), &index, "r").write.replayed);
  clock_.now_us += kTtl;
  EXPECT_EQ("SESSION_NOT_FOUND", Both(By(session_, c), By(other_, d), &index).reason());
  EXPECT_EQ(0u, index);
}

TEST_F(EngineAuthorTest, DeletesNoTreeWithAChildThatAnotherSessionGuards) {
  cx_session_start_request start = Term();
  start.owner = cx_bytes_of("agent");
  std::string guarding = Session(start);
  CreateBelow("child", "c");
  Activate(guarding, "child", kGuard);
  uint64_t digest = Digest();
  for (Outcome refused : {Delete("c", true), DeleteAs(By(session_), "c", true)}) {
    EXPECT_EQ("CONTEXT_BUSY", refused.reason());
    EXPECT_EQ(guarding, refused.detail("session_id"));
    EXPECT_EQ("agent", refused.detail("owner"));
  }
  EXPECT_EQ(digest, Digest());
  Outcome deleted = DeleteAs(By(guarding), "c", true);
  EXPECT_EQ(CX_OK, deleted.status) << "its own";
  EXPECT_EQ(2u, deleted.write.count);
  EXPECT_EQ(Strings{}, GetSession(guarding).session.active);
  ReopenTheSame();
}

TEST_F(EngineAuthorTest, ExpiresWhateverIsActive) {
  Upsert("e", Mutations().SetExpiry(10 * kSecond));
  Activate(session_, "e", kGuard);
  Acquire(session_, "e", "tool", "", 1);
  clock_.now_us += 10 * kSecond;
  Step();
  EXPECT_EQ(CX_NOT_FOUND, Get("e").status);
  EXPECT_EQ(Strings{}, GetSession(session_).session.active);
  EXPECT_EQ(CX_OK, End(session_).status);
  ReopenTheSame();
}

}  // namespace
