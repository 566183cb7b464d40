// SwitchContext: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ContextSwitchTest : public TrackerFixture {
 protected:
  std::string Switch(const std::string &session, const std::string &context,
                     const std::string &more = "") {
    return Ask("SwitchContext", On(session, context, more));
  }
};

TEST_F(ContextSwitchTest, MakesAnActiveContextTheCurrentOne) {
  std::string id = Start("create_if_missing {}");
  for (const char *context : {"a", "b"}) Activate(id, context);
  Has(Ask("GetSession", "session_id: '" + id + "'"), "current_context_id: \"a\"");
  std::string text = Switch(id, "b");
  Has(text, "current_context_id: \"b\"");
  Has(text, "write { revision: 5 }");
  Has(Switch(id, "a"), "current_context_id: \"a\"");
}

TEST_F(ContextSwitchTest, ActivatesOneThatIsNotActive) {
  Put("a", "k", "v");
  std::string id = Start();
  std::string text = Switch(id, "a");
  Has(text, "activations { context_id: \"a\" time");
  Has(text, "current_context_id: \"a\"");
}

TEST_F(ContextSwitchTest, KeepsAnExclusiveActivation) {
  Put("a", "k", "v");
  std::string id = Start();
  Activate(id, "a", "exclusive: true");
  Has(Switch(id, "a"), "activations { context_id: \"a\" fence: 1 exclusive: true");
}

TEST_F(ContextSwitchTest, FailsLikeAnActivation) {
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s", Switch("s", "a"));
  std::string id = Start("max_active_contexts: 1");
  EXPECT_EQ("CONTEXT_NOT_FOUND", Switch(id, "a"));
  for (const char *context : {"a", "b"}) Put(context, "k", "v");
  Activate(id, "a");
  EXPECT_EQ("LIMIT_REACHED limit=max_active_contexts value=1", Switch(id, "b"));
}

TEST_F(ContextSwitchTest, ShowsARepeatTheSessionAsItIsNow) {
  std::string id = Start("create_if_missing {}");
  Switch(id, "a", "write { request_id: 'r' }");
  Switch(id, "b");
  std::string again = Switch(id, "a", "write { request_id: 'r' }");
  Has(again, "current_context_id: \"b\"");
  Has(again, "write { revision: 3 replayed: true }");
}

}  // namespace
