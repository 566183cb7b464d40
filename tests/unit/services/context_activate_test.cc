// ActivateContext: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ContextActivateTest : public TrackerFixture {};

TEST_F(ContextActivateTest, AnswersTheActivationAndTheContextWithoutItsEntries) {
  Put("a", "k", "v");
  std::string id = Start();
  EXPECT_EQ(
      "activation { context_id: \"a\" fence: 1 exclusive: true time { seconds: 1700000000 } } "
      "context { namespace: \"default\" id: \"a\" version: 1 revision: 4 "
      "create_time { seconds: 1700000000 } update_time { seconds: 1700000000 } entry_count: 1 "
      "size_bytes: 2 fence: 1 } write { revision: 4 }",
      Activate(id, "a", "exclusive: true"));
}

TEST_F(ContextActivateTest, ChangesNothingWhereItIsSharedAlready) {
  Put("a", "k", "v");
  std::string id = Start();
  Has(Activate(id, "a"), "write { revision: 4 }");
  std::string again = Activate(id, "a");
  Has(again, "activation { context_id: \"a\" time { seconds: 1700000000 } }");
  Has(again, "write { }");
}

TEST_F(ContextActivateTest, GivesANewFenceForEachExclusiveActivation) {
  Put("a", "k", "v");
  std::string id = Start();
  for (int fence = 1; fence < 4; fence++) {
    Has(Activate(id, "a", "exclusive: true"), "fence: " + std::to_string(fence) + " exclusive");
  }
}

TEST_F(ContextActivateTest, SaysWhoHasItExclusively) {
  Put("a", "k", "v");
  std::string first = Start("owner: 'ann'"), second = Start();
  Activate(first, "a", "exclusive: true");
  EXPECT_EQ("CONTEXT_BUSY session_id=" + first + " owner=ann",
            Activate(second, "a", "exclusive: true"));
  Has(Activate(second, "a"), "activation { context_id: \"a\" time");
}

TEST_F(ContextActivateTest, TakesItOver) {
  Put("a", "k", "v");
  std::string first = Start(), second = Start();
  Activate(first, "a", "exclusive: true");
  Has(Activate(second, "a", "exclusive: true takeover: true"), "fence: 2 exclusive: true");
  EXPECT_EQ((Strings{}),
            FindAll(Ask("GetSession", "session_id: '" + first + "'"), "(activations) \\{"));
}

TEST_F(ContextActivateTest, GuardsIt) {
  Put("a", "k", "v");
  std::string id = Start();
  Activate(id, "a", "exclusive: true guard: true");
  EXPECT_EQ("STALE_FENCE current_fence=1", Record("a", "activities { type: 't' }"));
  Has(Record("a", "activities { type: 't' }", "write { fence: 1 }"), "first_sequence: 1");
}

TEST_F(ContextActivateTest, CreatesAContextOnlyWhereTheSessionSaysSo) {
  std::string plain = Start(), creates = Start("create_if_missing { type: 'chat' }");
  EXPECT_EQ("CONTEXT_NOT_FOUND", Activate(plain, "a"));
  Has(Activate(creates, "a"), "context { namespace: \"default\" id: \"a\" type: \"chat\"");
}

TEST_F(ContextActivateTest, NamesTheLimitOfActiveContexts) {
  std::string id = Start("create_if_missing {} max_active_contexts: 2");
  for (const char *context : {"a", "b"}) Activate(id, context);
  EXPECT_EQ("LIMIT_REACHED limit=max_active_contexts value=2", Activate(id, "c"));
  Has(Activate(id, "a", "exclusive: true"), "exclusive: true");
}

TEST_F(ContextActivateTest, HasFiveActiveContextsUnlessTold) {
  std::string id = Start("create_if_missing {}");
  for (const char *context : {"a", "b", "c", "d", "e"}) Activate(id, context);
  EXPECT_EQ("LIMIT_REACHED limit=max_active_contexts value=5", Activate(id, "f"));
}

TEST_F(ContextActivateTest, FailsARepeatWhoseExclusiveActivationIsNotInForce) {
  Put("a", "k", "v");
  std::string id = Start();
  const std::string request = "exclusive: true write { request_id: 'r' }";
  Activate(id, "a", request);
  std::string again = Activate(id, "a", request);
  Has(again, "fence: 1 exclusive: true");
  Has(again, "write { revision: 4 replayed: true }");
  Ask("DeactivateContext", On(id, "a"));
  EXPECT_EQ("STALE_FENCE current_fence=1", Activate(id, "a", request));
}

TEST_F(ContextActivateTest, ShowsARepeatWhatIsThereNow) {
  Put("a", "k", "v");
  std::string id = Start();
  const std::string request = "write { request_id: 'r' }";
  Activate(id, "a", request);
  Ask("DeactivateContext", On(id, "a"));
  std::string again = Activate(id, "a", request);
  EXPECT_EQ(0u, again.find("context {")) << again;
  Ask("EndSession", "session_id: '" + id + "'");
  Manage("DeleteContext", "context_id: 'a'");
  Has(Activate(id, "a", request), "write { revision: 4 replayed: true }");
}

TEST_F(ContextActivateTest, TellsTheSessionsAbsenceBeforeTheContexts) {
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s", Activate("s", "none"));
}

}  // namespace
