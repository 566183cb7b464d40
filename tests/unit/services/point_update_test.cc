// UpdateRecoveryPoint: what the comments of recovery.proto promise.

#include "tests/unit/services/recovery_fixture.h"

namespace {

class PointUpdateTest : public RecoveryFixture {
 protected:
  std::string Update(const std::string &request) {
    return Ask("UpdateRecoveryPoint", "context_id: 'a' recovery_point_id: 'p' " + request);
  }
};

TEST_F(PointUpdateTest, ChangesWhatLiesBesideTheState) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p",
        "metadata { key: 'm' value: '1' } attachments { key: 'x' value: '1' } "
        "attachments { key: 'y' value: '2' }");
  std::string text = Update(
      "set_metadata { key: 'n' value: '2' } delete_metadata: 'm' "
      "put_attachments { key: 'x' value: '3' } add_attachments { key: 'z' value: '4' } "
      "delete_attachments: 'y' pin: PIN_ON ttl { seconds: 60 }");
  Has(text, "expire_time {");
  Has(text, "pinned: true");
  Has(text, "metadata { key: \"n\" value: \"2\" } entry_count: 1");
  Has(text, "write { revision: 4 }");
  HasNot(text, "attachments");
  Has(Ask("GetRecoveryPoint", "context_id: 'a' with_attachments: true"),
      "attachments { key: \"x\" value: \"3\" } attachments { key: \"z\" value: \"4\" } "
      "entry_count");
}

TEST_F(PointUpdateTest, AddsAnAttachmentOnlyWhereThereIsNone) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p", "attachments { key: 'x' value: '1' }");
  Update("add_attachments { key: 'x' value: '2' }");
  Has(Ask("GetRecoveryPoint", "context_id: 'a' with_attachments: true"),
      "attachments { key: \"x\" value: \"1\" }");
}

TEST_F(PointUpdateTest, KeepsAttachmentsForAPointThatIsStillToBeMade) {
  Change("a", Mutations().Put("k", "v"));
  EXPECT_EQ(0u, Update("put_attachments { key: 'x' }").find("RECOVERY_POINT_NOT_FOUND"));
  std::string text = Update("put_attachments { key: 'x' value: '1' } allow_missing: true");
  HasNot(text, "recovery_point");
  Has(text, "write { revision: ");
  Point("a", "p");
  Has(Ask("GetRecoveryPoint", "context_id: 'a' with_attachments: true"),
      "attachments { key: \"x\" value: \"1\" }");
}

TEST_F(PointUpdateTest, SaysThatThereIsNoContext) { EXPECT_EQ("CONTEXT_NOT_FOUND", Update("")); }

TEST_F(PointUpdateTest, GoesToAWorkerWhereItBringsMuch) {
  std::string keys;
  for (int i = 0; i < 1001; i++) keys += "delete_attachments: 'k" + std::to_string(i) + "' ";
  Call call = Begin("UpdateRecoveryPoint", "context_id: 'a' recovery_point_id: 'p' " + keys);
  EXPECT_EQ(1, call->offloads);
}

TEST_F(PointUpdateTest, AnswersNothingBeforeItIsDurable) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p");
  Call call = Begin("UpdateRecoveryPoint", "context_id: 'a' recovery_point_id: 'p' pin: PIN_ON");
  EXPECT_FALSE(call->ended());
  Settle();
  EXPECT_TRUE(call->ok());
}

}  // namespace
