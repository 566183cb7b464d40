// ForkContext: what the comments of recovery.proto and resources.proto promise.

#include "tests/unit/services/recovery_fixture.h"

namespace {

class ContextForkTest : public RecoveryFixture {
 protected:
  std::string Fork(const std::string &request) {
    return Ask("ForkContext", "source { context_id: 'a' } " + request);
  }
};

TEST_F(ContextForkTest, MakesAContextThatTellsWhereItCameFrom) {
  Manage("CreateContext",
         "context_id: 'a' properties { type: 't' metadata { key: 'l' value: 'm' } "
         "recovery_policy { point_every_changes: 9 } } "
         "mutations { put_entry { key: 'k' value: 'v' } }");
  std::string text = Fork("context_id: 'b'");
  Has(text,
      "context { namespace: \"default\" id: \"b\" type: \"t\" metadata { key: \"l\" value: "
      "\"m\" } version: 2 revision: 3 ");
  Has(text, "forked_from { namespace: \"default\" context_id: \"a\" version: 1 }");
  Has(text, "recovery_policy { point_every_changes: 9 }");
  Has(text, "write { revision: 3 }");
  HasNot(text, "entries {");
  EXPECT_EQ("v", Get("b").entries["k"]);
}

TEST_F(ContextForkTest, TakesOtherPropertiesWhereTheyAreGiven) {
  Manage("CreateContext", "context_id: 'a' properties { type: 't' }");
  std::string text = Fork("context_id: 'b' properties { type: 'u' }");
  Has(text, "type: \"u\"");
}

TEST_F(ContextForkTest, MakesUpAnIdTheSameForTheSameRequestId) {
  Change("a", Mutations().Put("k", "v"));
  Strings first =
      FindAll(Fork("write { request_id: 'r' }"), "namespace: \"default\" id: \"([^\"]+)\"");
  std::string again = Fork("write { request_id: 'r' }");
  ASSERT_EQ(1u, first.size());
  EXPECT_EQ(first, FindAll(again, "namespace: \"default\" id: \"([^\"]+)\""));
  Has(again, "replayed: true");
}

TEST_F(ContextForkTest, SaysWhatIsMissingOrThere) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Fork(""));
  Change("a", Mutations().Put("k", "v"));
  Change("b", Mutations().Put("k", "v"));
  EXPECT_EQ(0u, Fork("context_id: 'b'").find("CONTEXT_EXISTS"));
  EXPECT_EQ(0u, Ask("ForkContext", "source { context_id: 'a' recovery_point_id: 'p' }")
                    .find("RECOVERY_POINT_NOT_FOUND"));
}

TEST_F(ContextForkTest, TellsNoContextOnceWhatARepeatMadeIsGone) {
  Change("a", Mutations().Put("k", "v"));
  Fork("context_id: 'b' write { request_id: 'r' }");
  Manage("DeleteContext", "context_id: 'b'");
  EXPECT_EQ("write { revision: 3 replayed: true }",
            Fork("context_id: 'b' write { request_id: 'r' }"));
}

TEST_F(ContextForkTest, GoesToAWorkerWithItsPoints) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p");
  Call call = Begin("ForkContext",
                    "source { context_id: 'a' } context_id: 'b' "
                    "with_recovery_points: true");
  EXPECT_EQ(1, call->offloads);
  EXPECT_FALSE(call->ended());
  Settle();
  EXPECT_TRUE(call->ok());
  EXPECT_EQ((Strings{"p"}), Ids("context_id: 'b'"));
}

}  // namespace
