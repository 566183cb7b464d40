// PruneRecoveryPoints: what the comments of recovery.proto promise.

#include "tests/unit/services/recovery_fixture.h"

namespace {

class PointPruneTest : public RecoveryFixture {
 protected:
  void Points(const std::string &context, int count) {
    Change(context, Mutations().Put("k", "v"));
    for (int i = 1; i <= count; i++) Point(context, context + std::to_string(i));
  }

  std::string Prune(const std::string &request) { return Ask("PruneRecoveryPoints", request); }
};

TEST_F(PointPruneTest, DropsWhatNoRuleKeeps) {
  Points("a", 5);
  Has(Prune("context_id: 'a' policy { keep_last: 2 }"), "removed_count: 3 kept_count: 2 write {");
  EXPECT_EQ((Strings{"a5", "a4"}), Ids("context_id: 'a'"));
}

TEST_F(PointPruneTest, DropsThoseWithMetadataUnlessTheyArePinned) {
  Points("a", 1);
  Point("a", "m", "metadata { key: 'k' value: 'v' }");
  Point("a", "n", "metadata { key: 'k' value: 'v' } pinned: true");
  Point("a", "o");
  Has(Prune("context_id: 'a' metadata { key: 'k' value: 'v' }"), "removed_count: 1 kept_count: 3");
  EXPECT_EQ((Strings{"o", "n", "a1"}), Ids("context_id: 'a'"));
}

TEST_F(PointPruneTest, OnlyCountsWhereItIsDry) {
  Points("a", 5);
  EXPECT_EQ("removed_count: 4 kept_count: 1 write { }",
            Prune("context_id: 'a' policy { keep_last: 1 } dry_run: true"));
  EXPECT_EQ(5u, Ids("context_id: 'a'").size());
}

TEST_F(PointPruneTest, GoesOverManyContexts) {
  Points("a", 3);
  Points("ab", 3);
  Points("b", 3);
  Has(Prune("id_prefix: 'a' policy { keep_last: 1 }"), "removed_count: 4 kept_count: 2");
  Has(Prune("policy { keep_last: 1 }"), "removed_count: 2 kept_count: 3");
  Has(Prune("namespace: 'n' policy { keep_last: 1 }"), "write {");
}

TEST_F(PointPruneTest, SaysThatAContextIsMissing) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Prune("context_id: 'a' policy { keep_last: 1 }"));
}

TEST_F(PointPruneTest, GoesToAWorker) {
  Call call = Begin("PruneRecoveryPoints", "policy { keep_last: 1 }");
  EXPECT_EQ(1, call->offloads);
  Settle();
  EXPECT_TRUE(call->ok());
}

TEST_F(PointPruneTest, AnswersNothingBeforeItIsDurable) {
  Points("a", 3);
  Call call = Begin("PruneRecoveryPoints", "context_id: 'a' policy { keep_last: 1 }");
  EXPECT_FALSE(call->ended());
  Settle();
  EXPECT_TRUE(call->ok());
}

}  // namespace
