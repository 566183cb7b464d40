// StartSession: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class SessionStartTest : public TrackerFixture {};

TEST_F(SessionStartTest, StartsOneThatLivesForAMinute) {
  std::string text = Ask("StartSession");
  std::string id = FindAll(text, "id: \"([0-9a-f]{32})\"").at(0);
  EXPECT_EQ("session { namespace: \"default\" id: \"" + id +
                "\" create_time { seconds: 1700000000 } expire_time { seconds: 1700000060 } } "
                "write { revision: 2 }",
            text);
}

TEST_F(SessionStartTest, KeepsOwnerMetadataAndTimeToLive) {
  std::string text = Ask("StartSession",
                         "namespace: 'n' owner: 'ann' metadata { key: 'l' value: '2' } "
                         "metadata { key: 'k' value: '1' } ttl { seconds: 1 nanos: 500 }");
  Has(text, "namespace: \"n\"");
  Has(text,
      "owner: \"ann\" metadata { key: \"k\" value: \"1\" } metadata { key: \"l\" value: \"2\" }");
  Has(text, "expire_time { seconds: 1700000001 nanos: 1000 }");
}

TEST_F(SessionStartTest, AnswersNothingBeforeTheChangeIsDurable) {
  Call call = Begin("StartSession");
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_TRUE(call->ok());
}

TEST_F(SessionStartTest, ActivatesTheDefaultContextShared) {
  Put("a", "k", "v");
  std::string text = Ask("StartSession", "default_context_id: 'a'");
  Has(text,
      "activations { context_id: \"a\" time { seconds: 1700000000 } } "
      "current_context_id: \"a\"");
}

TEST_F(SessionStartTest, CreatesTheDefaultContextWhereItMay) {
  Start("default_context_id: 'a' create_if_missing { type: 'chat' }");
  Has(Manage("GetContext", "state { context_id: 'a' }"), "type: \"chat\"");
}

TEST_F(SessionStartTest, StartsNoneWithoutItsDefaultContext) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("StartSession", "default_context_id: 'a'"));
  EXPECT_EQ("PARENT_NOT_FOUND parent_id=p",
            Ask("StartSession", "default_context_id: 'a' create_if_missing { parent_id: 'p' }"));
  EXPECT_EQ("", Ask("ListSessions"));
}

TEST_F(SessionStartTest, StartsOneForARequestIdHoweverOftenItIsSent) {
  std::string first = Start("owner: 'o' write { request_id: 'r' }");
  std::string again = Ask("StartSession", "owner: 'o' write { request_id: 'r' }");
  Has(again, "id: \"" + first + "\"");
  Has(again, "write { revision: 2 replayed: true }");
  EXPECT_EQ("REQUEST_ID_REUSED", Ask("StartSession", "owner: 'p' write { request_id: 'r' }"));
}

TEST_F(SessionStartTest, ShowsNoSessionToARepeatWhenItHasEnded) {
  std::string id = Start("write { request_id: 'r' }");
  Ask("EndSession", "session_id: '" + id + "'");
  EXPECT_EQ("write { revision: 2 replayed: true }",
            Ask("StartSession", "write { request_id: 'r' }"));
}

}  // namespace
