// EndSession: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class SessionEndTest : public TrackerFixture {
 protected:
  std::string End(const std::string &id, const std::string &more = "") {
    return Ask("EndSession", "session_id: '" + id + "' " + more);
  }
};

TEST_F(SessionEndTest, DeactivatesItsContextsAndReclaimsItsResources) {
  Put("a", "k", "v");
  std::string id = Start();
  Activate(id, "a", "exclusive: true");
  Ask("AcquireResource", On(id, "a", "name: 'gpu'"));
  EXPECT_EQ("write { revision: 6 }", End(id));
  EXPECT_EQ("status: STATUS_INACTIVE version: 1 fence: 1",
            Ask("GetContextStatus", "context_id: 'a'"));
  EXPECT_EQ("", Ask("ListResources", "context_id: 'a'"));
  Has(Ask("ListActivities", "context_id: 'a' newest_first: true"),
      "session_id: \"" + id + "\" resource { name: \"gpu\" kind: KIND_RECLAIMED }");
}

TEST_F(SessionEndTest, IsNoErrorWhenItHasEndedOrNeverWas) {
  std::string id = Start();
  EXPECT_EQ("write { revision: 3 }", End(id));
  EXPECT_EQ("write { }", End(id));
  EXPECT_EQ("write { }", End("none"));
}

TEST_F(SessionEndTest, TakesNothingThatTheSessionSendsAfter) {
  Put("a", "k", "v");
  std::string id = Start();
  Activate(id, "a", "exclusive: true");
  End(id);
  EXPECT_EQ("SESSION_NOT_FOUND session_id=" + id, Activate(id, "a"));
  EXPECT_EQ("SESSION_NOT_FOUND session_id=" + id,
            Record("a", "activities { type: 't' }", "write { session_id: '" + id + "' }"));
  EXPECT_EQ("STALE_FENCE current_fence=1",
            Record("a", "activities { type: 't' }", "write { fence: 1 }"));
}

TEST_F(SessionEndTest, RepeatsARequestIdOnce) {
  std::string id = Start();
  EXPECT_EQ("write { revision: 3 }", End(id, "write { request_id: 'r' }"));
  EXPECT_EQ("write { revision: 3 replayed: true }", End(id, "write { request_id: 'r' }"));
}

TEST_F(SessionEndTest, LeavesThePoller) {
  Call call = Begin("EndSession", "session_id: 's'");
  Settle();
  EXPECT_EQ(1, call->offloads);
}

}  // namespace
