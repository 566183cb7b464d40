// DeleteRecoveryPoint: what the comments of recovery.proto promise.

#include "tests/unit/services/recovery_fixture.h"

namespace {

class PointDeleteTest : public RecoveryFixture {
 protected:
  std::string Delete(const std::string &request) {
    return Ask("DeleteRecoveryPoint", "context_id: 'a' " + request);
  }
};

TEST_F(PointDeleteTest, DropsAPointPinnedOrNot) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p", "pinned: true");
  EXPECT_EQ("write { revision: 4 }", Delete("recovery_point_id: 'p'"));
  EXPECT_EQ((Strings{}), Ids("context_id: 'a'"));
}

TEST_F(PointDeleteTest, LeavesTheChildrenToTheParent) {
  Change("a", Mutations().Put("k", "v"));
  for (const char *id : {"p", "q", "r"}) Point("a", id);
  Delete("recovery_point_id: 'q'");
  Has(Ask("GetRecoveryPoint", "context_id: 'a' recovery_point_id: 'r'"), "parent_id: \"p\"");
}

TEST_F(PointDeleteTest, IsAppliedOnceForARequestId) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p");
  const std::string request = "recovery_point_id: 'p' write { request_id: 'r' }";
  EXPECT_EQ("write { revision: 4 }", Delete(request));
  EXPECT_EQ("write { revision: 4 replayed: true }", Delete(request));
}

TEST_F(PointDeleteTest, SaysWhatIsMissing) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Delete("recovery_point_id: 'p'"));
  Change("a", Mutations().Put("k", "v"));
  EXPECT_EQ(0u, Delete("recovery_point_id: 'p'").find("RECOVERY_POINT_NOT_FOUND"));
}

TEST_F(PointDeleteTest, AnswersNothingBeforeItIsDurable) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p");
  Call call = Begin("DeleteRecoveryPoint", "context_id: 'a' recovery_point_id: 'p'");
  EXPECT_FALSE(call->ended());
  Settle();
  EXPECT_TRUE(call->ok());
}

}  // namespace
