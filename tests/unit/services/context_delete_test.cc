// DeleteContext: what the comments of context_manager.proto and resources.proto promise.
// The first revision of a log is that of its settings, so that changes begin at 2.

#include "tests/unit/services/service_fixture.h"

namespace {

class ContextDeleteTest : public ServiceFixture {};

TEST_F(ContextDeleteTest, AnswersHowManyAreGone) {
  Put("a", "k", "1");
  EXPECT_EQ("deleted_count: 1 write { revision: 3 }", Ask("DeleteContext", "context_id: 'a'"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("a").reason());
}

TEST_F(ContextDeleteTest, AnswersNothingBeforeTheChangeIsDurable) {
  Put("a", "k", "1");
  Call call = Begin("DeleteContext", "context_id: 'a'");
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_TRUE(call->ok());
}

TEST_F(ContextDeleteTest, SaysThatAContextIsMissingUnlessThatIsAllowed) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("DeleteContext", "context_id: 'a'"));
  EXPECT_EQ("write { }", Ask("DeleteContext", "context_id: 'a' allow_missing: true"));
}

TEST_F(ContextDeleteTest, AnswersNoAbsenceBeforeItIsDurable) {
  Put("a", "k", "1");
  ASSERT_EQ(CX_OK, Delete("a").status);
  Call call = Begin("DeleteContext", "context_id: 'a' allow_missing: true");
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_EQ("write { }", Outcome(*call));
}

TEST_F(ContextDeleteTest, ChecksPreconditions) {
  Put("a", "k", "1");
  EXPECT_EQ("VERSION_CONFLICT current_version=1",
            Ask("DeleteContext", "context_id: 'a' preconditions { context_version: 2 }"));
  EXPECT_EQ(
      "ENTRY_CONFLICT key=x current_version=0",
      Ask("DeleteContext", "context_id: 'a' preconditions { entry { key: 'x' version: 1 } }"));
}

TEST_F(ContextDeleteTest, KeepsAContextWithChildrenUnlessRecursive) {
  Put("a", "k", "1");
  ASSERT_EQ(CX_OK, CreateBelow("b", "a").status);
  ASSERT_EQ(CX_OK, CreateBelow("c", "b").status);
  EXPECT_EQ("HAS_CHILDREN child_count=1", Ask("DeleteContext", "context_id: 'a'"));
  EXPECT_EQ("deleted_count: 3 write { revision: 5 }",
            Ask("DeleteContext", "context_id: 'a' recursive: true"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("c").reason());
}

TEST_F(ContextDeleteTest, LeavesThePollerWhenRecursive) {
  Put("a", "k", "1");
  Call call = Begin("DeleteContext", "context_id: 'a' recursive: true");
  Settle();
  EXPECT_EQ(1, call->offloads);
}

TEST_F(ContextDeleteTest, PurgesWhatWasDeleted) {
  Put("a", "k", "1");
  Ask("DeleteContext", "context_id: 'a'");
  std::string answer = Ask("DeleteContext", "context_id: 'a' purge: true");
  EXPECT_NE(std::string::npos, answer.find("write { revision: 4 }")) << answer;
  EXPECT_EQ(std::string::npos, Ask("ListContexts", "deleted: true").find("contexts"));
}

TEST_F(ContextDeleteTest, RepeatsARequestIdOnce) {
  const char *request = "context_id: 'a' write { request_id: 'r' }";
  Put("a", "k", "1");
  Ask("DeleteContext", request);
  Put("a", "k", "2");
  std::string answer = Ask("DeleteContext", request);
  EXPECT_NE(std::string::npos, answer.find("write { revision: 3 replayed: true }")) << answer;
  EXPECT_EQ("2", Get("a").entries["k"]);
}

TEST_F(ContextDeleteTest, ChecksItsForm) {
  EXPECT_EQ("INVALID_FIELD field=context_id rule=must not be empty", Ask("DeleteContext", ""));
  EXPECT_EQ("INVALID_FIELD field=preconditions[1] rule=must be set to a known kind",
            Ask("DeleteContext",
                "context_id: 'a' preconditions { context_version: 1 } preconditions {}"));
}

TEST_F(ContextDeleteTest, ChecksSessionAndFence) {
  Put("a", "k", "1");
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s",
            Ask("DeleteContext", "context_id: 'a' write { session_id: 's' }"));
  EXPECT_EQ("STALE_FENCE current_fence=0",
            Ask("DeleteContext", "context_id: 'a' write { fence: 1 }"));
}

}  // namespace
