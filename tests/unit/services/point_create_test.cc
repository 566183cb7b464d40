// CreateRecoveryPoint: what the comments of recovery.proto promise.

#include "tests/unit/services/recovery_fixture.h"

namespace {

class PointCreateTest : public RecoveryFixture {};

TEST_F(PointCreateTest, MakesAPointOfTheContextsState) {
  Change("a", Mutations().Put("k", "v"));
  std::string text = Point("a", "p", "metadata { key: 'm' value: '1' } pinned: true");
  Has(text,
      "recovery_point { namespace: \"default\" context_id: \"a\" id: \"p\" sequence: 1 "
      "version: 1 create_time {");
  Has(text,
      "pinned: true origin: ORIGIN_CLIENT metadata { key: \"m\" value: \"1\" } entry_count: "
      "1 size_bytes: 2 revision: 3 } version: 1 write { revision: 3 }");
}

TEST_F(PointCreateTest, AnswersWithoutTheAttachments) {
  Change("a", Mutations().Put("k", "v"));
  HasNot(Point("a", "p", "attachments { key: 'at' value: 'tached' }"), "attachments");
  Has(Ask("GetRecoveryPoint", "context_id: 'a' with_attachments: true"),
      "attachments { key: \"at\" value: \"tached\" }");
}

TEST_F(PointCreateTest, MakesUpAnIdTheSameForTheSameRequestId) {
  Change("a", Mutations().Put("k", "v"));
  const std::string request = "context_id: 'a' write { request_id: 'r' }";
  Strings first =
      FindAll(Ask("CreateRecoveryPoint", request), "context_id: \"a\" id: \"([^\"]+)\"");
  std::string again = Ask("CreateRecoveryPoint", request);
  ASSERT_EQ(1u, first.size());
  EXPECT_EQ(first, FindAll(again, "context_id: \"a\" id: \"([^\"]+)\""));
  Has(again, "write { revision: 3 replayed: true }");
}

TEST_F(PointCreateTest, TellsNoPointOfAReplayWhoseIsGone) {
  Change("a", Mutations().Put("k", "v"));
  Has(Point("a", "p", "write { request_id: 'r' }"), "recovery_point {");
  Ask("DeleteRecoveryPoint", "context_id: 'a' recovery_point_id: 'p'");
  EXPECT_EQ("version: 1 write { revision: 3 replayed: true }",
            Point("a", "p", "write { request_id: 'r' }"));
}

TEST_F(PointCreateTest, PutsChangesOnTopForThePointAlone) {
  Change("a", Mutations().Put("k", "v"));
  Has(Point("a", "p", "mutations { put_entry { key: 'l' value: 'w' } }"), "version: 2 create_time");
  EXPECT_EQ((std::map<std::string, std::string>{{"k", "v"}}), Get("a").entries);
  std::string text = Ask("GetRecoveryPoint", "context_id: 'a' with_entries: true");
  Has(text,
      "entries { key: \"k\" value: \"v\" version: 1 } "
      "entries { key: \"l\" value: \"w\" version: 2 }");
}

TEST_F(PointCreateTest, MovesTheHeadWhereItIsAskedTo) {
  Change("a", Mutations().Put("k", "v"));
  Has(Point("a", "p", "move_head: true mutations { put_entry { key: 'l' value: 'w' } }"),
      "} version: 2 write {");
  EXPECT_EQ("w", Get("a").entries["l"]);
}

TEST_F(PointCreateTest, CreatesTheContextWhereItIsAskedTo) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Point("a", "p"));
  Has(Point("a", "p", "create_if_missing { type: 't' }"), "} version: 1 write { revision: 2 }");
}

TEST_F(PointCreateTest, RefusesAnIdThatIsThere) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p");
  Has(Point("a", "p"), "RECOVERY_POINT_EXISTS");
  Has(Point("a", "p", "replace: true"), "sequence: 1");
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND",
            Point("a", "q", "from_recovery_point_id: 'none'").substr(0, 24));
}

TEST_F(PointCreateTest, RefusesAnAttachmentAboveTheLimitOfAValue) {
  Change("a", Mutations().Put("k", "v"));
  Has(Point("a", "p", "attachments { key: 'k' value: '" + std::string(64 * CX_KIB, 'v') + "' }"),
      "recovery_point {");
  EXPECT_EQ("LIMIT_REACHED limit=value_size_max value=65536",
            Point("a", "q",
                  "attachments { key: 'k' value: '" + std::string(64 * CX_KIB + 1, 'v') + "' }"));
}

TEST_F(PointCreateTest, GoesToAWorkerWhereItBringsMuch) {
  Change("a", Mutations().Put("k", "v"));
  std::string attachments;
  for (int i = 0; i < 1001; i++)
    attachments += "attachments { key: 'k" + std::to_string(i) + "' } ";
  Call call = Begin("CreateRecoveryPoint", "context_id: 'a' " + attachments);
  EXPECT_EQ(1, call->offloads);
}

TEST_F(PointCreateTest, AnswersNothingBeforeItIsDurable) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "v")).status);
  Call made = Begin("CreateRecoveryPoint", "context_id: 'a' recovery_point_id: 'p'");
  Call refused = Begin("CreateRecoveryPoint", "context_id: 'a' recovery_point_id: 'p'");
  EXPECT_FALSE(made->ended() || refused->ended());
  Settle();
  EXPECT_TRUE(made->ok());
  EXPECT_EQ("RECOVERY_POINT_EXISTS sequence=1", Outcome(*refused));
}

TEST_F(PointCreateTest, SaysThatTheDiskFailed) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "v")).status);
  Call call = Begin("CreateRecoveryPoint", "context_id: 'a'");
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Settle();
  EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
}

}  // namespace
