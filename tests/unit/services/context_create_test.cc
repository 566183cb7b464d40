// CreateContext: what the comments of context_manager.proto and resources.proto promise.
// The first revision of a log is that of its settings, so that changes begin at 2.

#include "tests/unit/services/service_fixture.h"

namespace {

class ContextCreateTest : public ServiceFixture {};

TEST_F(ContextCreateTest, AnswersTheContextWithoutItsEntries) {
  EXPECT_EQ(
      "context { namespace: \"default\" id: \"a\" type: \"chat\" parent_id: \"p\" "
      "metadata { key: \"k\" value: \"v\" } metadata { key: \"l\" value: \"w\" } "
      "version: 1 revision: 2 create_time { seconds: 1700000000 } "
      "update_time { seconds: 1700000000 } "
      "expire_time { seconds: 1700000001 nanos: 500000000 } entry_count: 1 size_bytes: 4 } "
      "write { revision: 2 }",
      Ask("CreateContext", R"(
      context_id: 'a'
      properties {
        type: 'chat' parent_id: 'p' create_parent: true
        metadata { key: 'l' value: 'w' } metadata { key: 'k' value: 'v' }
        expiry { ttl { seconds: 1 nanos: 500000000 } }
      }
      mutations { put_entry { key: 'e' value: '123' } })"));
  EXPECT_EQ("123", Get("a").entries["e"]);
}

TEST_F(ContextCreateTest, AnswersNothingBeforeTheChangeIsDurable) {
  Call call = Begin("CreateContext", "context_id: 'a'");
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_TRUE(call->ok());
}

TEST_F(ContextCreateTest, ReleasesTheStateWhenTheDiskFails) {
  Call call = Begin("CreateContext", "context_id: 'a'");
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Settle();
  EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
}

TEST_F(ContextCreateTest, FailsWhenThereIsOne) {
  Put("a", "k", "1");
  EXPECT_EQ("CONTEXT_EXISTS version=1", Ask("CreateContext", "context_id: 'a'"));
}

TEST_F(ContextCreateTest, FailsWhenTheParentIsMissing) {
  EXPECT_EQ("PARENT_NOT_FOUND parent_id=p",
            Ask("CreateContext", "context_id: 'a' properties { parent_id: 'p' }"));
}

TEST_F(ContextCreateTest, MakesUpAnIdTheSameAgainForTheSameRequestId) {
  const char *request = "write { request_id: 'r' }";
  std::string first = Ask("CreateContext", request);
  std::string second = Ask("CreateContext", request);
  EXPECT_NE(first, Ask("CreateContext", ""));
  EXPECT_EQ(first.substr(0, first.find("version")), second.substr(0, second.find("version")));
  EXPECT_NE(std::string::npos, second.find("write { revision: 2 replayed: true }")) << second;
}

TEST_F(ContextCreateTest, AnswersARepeatWithItsOwnVersionAndTheRestAsOfNow) {
  const char *request = "context_id: 'a' write { request_id: 'r' }";
  Ask("CreateContext", request);
  Put("a", "k", "123");
  EXPECT_EQ(
      "context { namespace: \"default\" id: \"a\" version: 1 revision: 2 create_time { "
      "seconds: 1700000000 } update_time { seconds: 1700000000 } entry_count: 1 size_bytes: "
      "4 } write { revision: 2 replayed: true }",
      Ask("CreateContext", request));
}

TEST_F(ContextCreateTest, AnswersARepeatAfterADelete) {
  const char *request = "context_id: 'a' write { request_id: 'r' }";
  Ask("CreateContext", request);
  Ask("DeleteContext", "context_id: 'a'");
  std::string answer = Ask("CreateContext", request);
  EXPECT_EQ(0u, answer.find("context { namespace: \"default\" id: \"a\" version: 1 revision: 2"))
      << answer;
  EXPECT_NE(std::string::npos, answer.find("write { revision: 2 replayed: true }")) << answer;
}

TEST_F(ContextCreateTest, GoesOnCountingAfterADelete) {
  Put("a", "k", "1");
  Ask("DeleteContext", "context_id: 'a'");
  std::string answer = Ask("CreateContext", "context_id: 'a'");
  EXPECT_NE(std::string::npos, answer.find(" version: 2 ")) << answer;
  EXPECT_EQ(0u, Get("a").entry_count);
}

TEST_F(ContextCreateTest, NamesTheLimitOfLabelsThatAddUp) {
  std::string request = "context_id: 'a'";
  for (int i = 0; i < 65; i++) {
    request += " mutations { set_metadata { key: 'k" + std::to_string(i) + "' } }";
  }
  EXPECT_EQ("LIMIT_REACHED limit=labels_max value=64", Ask("CreateContext", request));
}

TEST_F(ContextCreateTest, LeavesThePollerForMoreThanAThousandMutations) {
  std::string request = "context_id: 'a'";
  for (int i = 0; i < 1001; i++) request += " mutations { delete_entry { key: 'k' } }";
  Call call = Begin("CreateContext", request);
  Settle();
  EXPECT_EQ(1, call->offloads);
  EXPECT_TRUE(call->ok());
}

TEST_F(ContextCreateTest, TakesASessionButNoFence) {
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s",
            Ask("CreateContext", "context_id: 'a' write { session_id: 's' }"));
  EXPECT_EQ("INVALID_FIELD field=write.fence rule=must be 0: this call changes no existing context",
            Ask("CreateContext", "context_id: 'a' write { fence: 1 }"));
}

}  // namespace
