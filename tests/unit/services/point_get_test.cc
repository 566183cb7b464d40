// GetRecoveryPoint: what the comments of recovery.proto promise.

#include "tests/unit/services/recovery_fixture.h"

namespace {

class PointGetTest : public RecoveryFixture {};

TEST_F(PointGetTest, TakesTheNewestWhereNoneIsNamed) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p");
  Point("a", "q");
  Has(Ask("GetRecoveryPoint", "context_id: 'a'"), "id: \"q\" parent_id: \"p\" sequence: 2");
  Has(Ask("GetRecoveryPoint", "context_id: 'a' recovery_point_id: 'p'"), "id: \"p\" sequence: 1");
}

TEST_F(PointGetTest, ShowsTheStateOfThatTime) {
  Change("a", Mutations().Put("k", "old"));
  Point("a", "p", "attachments { key: 'at' value: 'tached' }");
  Change("a", Mutations().Put("k", "new"));
  std::string text = Ask("GetRecoveryPoint",
                         "context_id: 'a' recovery_point_id: 'p' "
                         "with_entries: true with_attachments: true");
  Has(text, "entries { key: \"k\" value: \"old\" version: 1 }");
  Has(text, "attachments { key: \"at\" value: \"tached\" }");
  text = Ask("GetRecoveryPoint", "context_id: 'a' with_entries: true keys: 'at'");
  HasNot(text, "entries {");
  HasNot(text, "attachments {");
}

TEST_F(PointGetTest, IsReadByAStateToo) {
  Change("a", Mutations().Put("k", "old"));
  Point("a", "p");
  Change("a", Mutations().Put("k", "new"));
  Has(Manage("GetContext", "state { context_id: 'a' recovery_point_id: 'p' }"), "value: \"old\"");
  EXPECT_EQ(0u, Manage("GetContext", "state { context_id: 'a' recovery_point_id: 'q' }")
                    .find("RECOVERY_POINT_NOT_FOUND"));
}

TEST_F(PointGetTest, SaysWhatIsMissing) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("GetRecoveryPoint", "context_id: 'a'"));
  Change("a", Mutations().Put("k", "v"));
  EXPECT_EQ("NO_RECOVERY_POINTS", Ask("GetRecoveryPoint", "context_id: 'a'"));
  Point("a", "p");
  EXPECT_EQ(0u, Ask("GetRecoveryPoint", "context_id: 'a' recovery_point_id: 'q'")
                    .find("RECOVERY_POINT_NOT_FOUND"));
}

TEST_F(PointGetTest, RefusesAnAnswerThatDoesNotFit) {
  for (int i = 0; i < 5; i++) {
    Change("a", Mutations().Put("k" + std::to_string(i), std::string(60000, 'v')));
  }
  Point("a", "p");
  Call call = Begin("GetRecoveryPoint", "context_id: 'a' with_entries: true");
  Settle();
  EXPECT_EQ(0u, Outcome(*call).find("RESPONSE_TOO_LARGE"));
  EXPECT_EQ(1, call->offloads);
  Has(Ask("GetRecoveryPoint", "context_id: 'a' with_entries: true keys: 'k3'"),
      "entries { key: \"k3\"");
}

TEST_F(PointGetTest, AnswersNothingBeforeItIsDurable) {
  Change("a", Mutations().Put("k", "v"));
  Call made = Begin("CreateRecoveryPoint", "context_id: 'a' recovery_point_id: 'p'");
  Call got = Begin("GetRecoveryPoint", "context_id: 'a'");
  EXPECT_FALSE(made->ended() || got->ended());
  Settle();
  EXPECT_TRUE(got->ok());
}

}  // namespace
