// RestoreContext: what the comments of recovery.proto promise.

#include "tests/unit/services/recovery_fixture.h"

namespace {

class ContextRestoreTest : public RecoveryFixture {
 protected:
  std::string Restore(const std::string &request) {
    return Ask("RestoreContext", "context_id: 'a' " + request);
  }
};

TEST_F(ContextRestoreTest, SetsAContextBackAsANewVersion) {
  Change("a", Mutations().Put("k", "old").Put("l", "same"));
  Point("a", "p");
  Change("a", Mutations().Put("k", "new").Put("m", "more"));
  std::string text = Restore("recovery_point_id: 'p'");
  Has(text, "context { namespace: \"default\" id: \"a\" version: 3 ");
  Has(text, "} changed_entry_count: 2 write { revision: 5 }");
  HasNot(text, "entries {");
  HasNot(text, "safety_point_id");
  EXPECT_EQ((std::map<std::string, std::string>{{"k", "old"}, {"l", "same"}}), Get("a").entries);
}

TEST_F(ContextRestoreTest, TakesTheNewestPointOrAnyState) {
  Change("a", Mutations().Put("k", "1"));
  Change("a", Mutations().Put("k", "2"));
  Point("a", "p");
  Change("a", Mutations().Put("k", "3"));
  Restore("");
  EXPECT_EQ("2", Get("a").entries["k"]);
  Restore("version: 1");
  EXPECT_EQ("1", Get("a").entries["k"]);
}

TEST_F(ContextRestoreTest, KeepsTheStateBeforeWhereItIsAskedTo) {
  Change("a", Mutations().Put("k", "old"));
  Point("a", "p");
  Change("a", Mutations().Put("k", "new"));
  Strings ids = FindAll(Restore("recovery_point_id: 'p' safety_point: true"),
                        "safety_point_id: \"([^\"]+)\"");
  ASSERT_EQ(1u, ids.size());
  std::string text = Ask("GetRecoveryPoint",
                         "context_id: 'a' with_entries: true "
                         "recovery_point_id: '" +
                             ids[0] + "'");
  Has(text, "origin: ORIGIN_SAFETY");
  Has(text, "value: \"new\"");
}

TEST_F(ContextRestoreTest, BringsBackADeletedContext) {
  Change("a", Mutations().Put("k", "v"));
  Manage("DeleteContext", "context_id: 'a'");
  EXPECT_EQ(0u, Restore("").find("CONTEXT_NOT_FOUND"));
  Has(Restore("undelete: true"), "context { namespace: \"default\" id: \"a\" ");
  EXPECT_EQ("v", Get("a").entries["k"]);
  EXPECT_EQ(0u, Restore("undelete: true").find("CONTEXT_EXISTS"));
}

TEST_F(ContextRestoreTest, TellsTheVersionOfItsChangeAgain) {
  Change("a", Mutations().Put("k", "old"));
  Point("a", "p");
  Change("a", Mutations().Put("k", "new"));
  const std::string request = "recovery_point_id: 'p' write { request_id: 'r' }";
  Has(Restore(request), "version: 3 ");
  Change("a", Mutations().Put("k", "newer"));
  std::string text = Restore(request);
  Has(text, "version: 3 revision: 5 ");
  Has(text, "write { revision: 5 replayed: true }");
}

TEST_F(ContextRestoreTest, TellsNoContextOnceWhatARepeatRestoredIsGone) {
  Change("a", Mutations().Put("k", "old"));
  Point("a", "p");
  Change("a", Mutations().Put("k", "new"));
  const std::string request = "recovery_point_id: 'p' write { request_id: 'r' }";
  Restore(request);
  Manage("DeleteContext", "context_id: 'a'");
  EXPECT_EQ("write { revision: 5 replayed: true }", Restore(request));
}

TEST_F(ContextRestoreTest, SaysWhatIsMissing) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Restore(""));
  Change("a", Mutations().Put("k", "v"));
  EXPECT_EQ("NO_RECOVERY_POINTS", Restore(""));
  EXPECT_EQ(0u, Restore("recovery_point_id: 'p'").find("RECOVERY_POINT_NOT_FOUND"));
  EXPECT_EQ(0u, Restore("version: 9").find("STATE_NOT_RETAINED"));
}

TEST_F(ContextRestoreTest, GoesToAWorkerAndWaitsForTheDisk) {
  Change("a", Mutations().Put("k", "old"));
  Point("a", "p");
  Change("a", Mutations().Put("k", "new"));
  Call call = Begin("RestoreContext", "context_id: 'a'");
  EXPECT_EQ(1, call->offloads);
  EXPECT_FALSE(call->ended());
  Settle();
  EXPECT_TRUE(call->ok());
}

}  // namespace
