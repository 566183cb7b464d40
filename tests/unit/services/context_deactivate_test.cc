// DeactivateContext: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ContextDeactivateTest : public TrackerFixture {
 protected:
  std::string Deactivate(const std::string &session, const std::string &context,
                         const std::string &more = "") {
    return Ask("DeactivateContext", On(session, context, more));
  }
};

TEST_F(ContextDeactivateTest, AnswersWhatTheSessionStillHas) {
  std::string id = Start("create_if_missing {}");
  for (const char *context : {"a", "b"}) Activate(id, context);
  std::string text = Deactivate(id, "b");
  EXPECT_EQ((Strings{"a"}), FindAll(text, "activations \\{ context_id: \"([^\"]*)\""));
  Has(text, "write { revision: 5 }");
}

TEST_F(ContextDeactivateTest, FallsBackToTheDefaultContext) {
  std::string id = Start("default_context_id: 'home' create_if_missing {}");
  for (const char *context : {"a", "b"}) Activate(id, context);
  Ask("SwitchContext", On(id, "b"));
  Has(Deactivate(id, "b"), "current_context_id: \"home\"");
}

TEST_F(ContextDeactivateTest, FallsBackToTheOneActivatedLastElseToNone) {
  std::string id = Start("create_if_missing {}");
  for (const char *context : {"a", "b", "c"}) Activate(id, context);
  Has(Deactivate(id, "a"), "current_context_id: \"c\"");
  Has(Deactivate(id, "c"), "current_context_id: \"b\"");
  EXPECT_EQ((Strings{}), FindAll(Deactivate(id, "b"), "(current_context_id)"));
}

TEST_F(ContextDeactivateTest, SaysThatItIsNotActive) {
  Put("a", "k", "v");
  std::string id = Start();
  EXPECT_EQ("NOT_ACTIVE", Deactivate(id, "a"));
  EXPECT_EQ("NOT_ACTIVE", Deactivate(id, "none"));
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s", Deactivate("s", "a"));
}

TEST_F(ContextDeactivateTest, LeavesTheSessionItsResources) {
  Put("a", "k", "v");
  std::string id = Start();
  Activate(id, "a");
  Ask("AcquireResource", On(id, "a", "name: 'gpu'"));
  Deactivate(id, "a");
  Has(Ask("ListResources", "context_id: 'a'"), "session_id: \"" + id + "\"");
}

TEST_F(ContextDeactivateTest, RepeatsARequestIdOnce) {
  std::string id = Start("create_if_missing {}");
  Activate(id, "a");
  Has(Deactivate(id, "a", "write { request_id: 'r' }"), "write { revision: 4 }");
  Has(Deactivate(id, "a", "write { request_id: 'r' }"), "write { revision: 4 replayed: true }");
}

}  // namespace
