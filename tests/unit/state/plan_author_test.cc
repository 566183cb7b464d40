// Who may write: sessions, leases, fences, guards.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class PlanAuthorTest : public TrackerFixture {
 protected:
  PlanAuthorTest() {
    Create("a");
    Begin("s");
    Begin("t");
  }

  cx_plan_result Put(const Set<Write> &set = {}) {
    return WriteTo("a", Mutations().Put("k", "v"), set);
  }

  cx_plan_result DeleteBy(const std::string &id, const char *session, uint64_t fence,
                          bool recursive = false, bool purge = false) {
    cx_delete_request request = {};
    request.name = {cx_bytes_of("default"), Bytes(id)};
    request.recursive = recursive;
    request.purge = purge;
    request.author = {cx_bytes_of(session), fence};
    cx_plan_begin(&plan_);
    return Finish(cx_plan_delete(&plan_, &request, false));
  }

  void ExpectStale(const char *current_fence) {
    EXPECT_EQ("STALE_FENCE", reason());
    EXPECT_EQ(current_fence, detail("current_fence"));
  }
};

TEST_F(PlanAuthorTest, TakesTheWriteOfALiveSession) {
  ASSERT_EQ(CX_PLAN_CHANGE, PlanWrite("a", Mutations().Put("k", "v"), By("s")));
  EXPECT_EQ("s", Text(plan_.change.items[0].session_id));
  Finish(CX_PLAN_CHANGE);
  EXPECT_EQ(CX_PLAN_CHANGE, Put()) << "nobody has to say";
}

TEST_F(PlanAuthorTest, RefusesTheWriteOfASessionThatHasEndedOrNeverWas) {
  End("s");
  for (const char *id : {"s", "nobody", "an id that is longer than any session has"}) {
    EXPECT_EQ(CX_PLAN_FAILED, Put(By(id)));
    EXPECT_EQ("SESSION_NOT_FOUND", reason());
    EXPECT_EQ(id, detail("session_id"));
  }
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("s")));
  EXPECT_EQ(revision_, wait_for_) << "its end must be durable";
}

TEST_F(PlanAuthorTest, HasASessionEndedFirstWhoseTermIsOver) {
  LetLapse("s");
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Put(By("s")));
  EXPECT_TRUE(plan_.expired_is_session);
  EXPECT_EQ(NameKey("s").hash, plan_.expired.hash);
  Lapse("s");
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("s")));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
}

TEST_F(PlanAuthorTest, TakesAFenceOnlyWhileThatActivationIsInForce) {
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("s", 1)));
  ExpectStale("0");
  Activate("s", "a", Exclusive);
  EXPECT_EQ(CX_PLAN_CHANGE, Put(By("s", 1)));
  EXPECT_EQ(CX_PLAN_CHANGE, Put(By("", 1))) << "the fence says enough";
  EXPECT_EQ(CX_PLAN_CHANGE, Put(By("t"))) << "no guard";
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("s", 2)));
  ExpectStale("1");

  Activate("s", "a", Exclusive);
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("s", 1)));
  ExpectStale("2");
  EXPECT_EQ(CX_PLAN_CHANGE, Put(By("s", 2)));

  Activate("t", "a", Taking);
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("s", 2)));
  ExpectStale("3");

  Deactivate("t", "a");
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("t", 3)));
  ExpectStale("3");
  Activate("t", "a", Exclusive);
  Activate("t", "a");
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("t", 4))) << "it is shared now";
  ExpectStale("4");
  Activate("t", "a", Exclusive);
  End("t");
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("", 5)));
  ExpectStale("5");
}

TEST_F(PlanAuthorTest, TakesNoFenceOfASessionWhoseTermIsOver) {
  Activate("s", "a", Exclusive);
  LetLapse("s");
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Put(By("", 1)));
  EXPECT_EQ(NameKey("s").hash, plan_.expired.hash);
  Lapse("s");
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("", 1)));
  ExpectStale("1");
}

TEST_F(PlanAuthorTest, AGuardKeepsOutWhoeverCarriesNoFence) {
  Activate("s", "a", Guarding);
  EXPECT_EQ(CX_PLAN_FAILED, Put());
  ExpectStale("1");
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("t")));
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("s"))) << "its own session too";
  EXPECT_EQ(CX_PLAN_FAILED, Record("a", Activity("note")));
  EXPECT_EQ(CX_PLAN_FAILED, Delete("a"));
  EXPECT_EQ(CX_PLAN_CHANGE, Put(By("s", 1)));
  LetLapse("s");
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Put());
  Lapse("s");
  EXPECT_EQ(CX_PLAN_CHANGE, Put());
}

TEST_F(PlanAuthorTest, AFenceOfAContextThatIsMissingIsStale) {
  cx_new_context create = {};
  auto fence = [&](Write *write) {
    write->create_if_missing = &create;
    write->author.fence = 1;
  };
  EXPECT_EQ(CX_PLAN_FAILED, WriteTo("missing", Mutations().Put("k", "v"), fence));
  ExpectStale("0");
  Activate("s", "a", Exclusive);
  Delete("a");
  EXPECT_EQ(CX_PLAN_FAILED, Put(fence));
  ExpectStale("1");
  EXPECT_EQ(nullptr, Find("missing"));
}

TEST_F(PlanAuthorTest, DeletesAreWritesToo) {
  Activate("s", "a", Guarding);
  EXPECT_EQ(CX_PLAN_FAILED, DeleteBy("a", "t", 0));
  ExpectStale("1");
  EXPECT_EQ(CX_PLAN_FAILED, DeleteBy("a", "s", 2));
  EXPECT_EQ(CX_PLAN_FAILED, DeleteBy("a", "nobody", 1));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_CHANGE, DeleteBy("a", "", 1)) << "the fence says enough";
  EXPECT_EQ(CX_PLAN_FAILED, DeleteBy("a", "s", 1, false, /*purge=*/true));
  ExpectStale("1");
  EXPECT_EQ(CX_PLAN_CHANGE, DeleteBy("a", "s", 0, false, true));
}

TEST_F(PlanAuthorTest, ACreateIsOfALiveSession) {
  cx_create_request request = {};
  request.name = {cx_bytes_of("default"), cx_bytes_of("new")};
  request.author.session_id = cx_bytes_of("nobody");
  cx_plan_begin(&plan_);
  EXPECT_EQ(CX_PLAN_FAILED, Finish(cx_plan_create(&plan_, &request)));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
  request.author.session_id = cx_bytes_of("s");
  cx_plan_begin(&plan_);
  ASSERT_EQ(CX_PLAN_CHANGE, cx_plan_create(&plan_, &request));
  EXPECT_EQ("s", Text(plan_.change.items[0].session_id));
  Finish(CX_PLAN_CHANGE);
}

TEST_F(PlanAuthorTest, LooksAtTheSessionBeforeTheFence) {
  Activate("s", "a", Guarding);
  EXPECT_EQ(CX_PLAN_FAILED, Put(By("nobody", 7)));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
}

TEST_F(PlanAuthorTest, AsksForTheShardOfTheSession) {
  ASSERT_NE(NameKey("s").shard, NameKey("a").shard);
  plan_.held = 0;
  EXPECT_EQ(CX_PLAN_NEEDS_SHARDS, Put(By("s")));
  EXPECT_EQ(1ull << NameKey("s").shard | 1ull << NameKey("a").shard, plan_.needed);
  plan_.held = plan_.needed;
  EXPECT_EQ(CX_PLAN_CHANGE, Put(By("s")));
}

}  // namespace
