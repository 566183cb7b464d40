// MergeContext: what the comments of recovery.proto promise.

#include "tests/unit/services/recovery_fixture.h"

namespace {

class ContextMergeTest : public RecoveryFixture {
 protected:
  // A context `a`, and a fork `b` of it.
  void Fork(const Mutations &mutations) {
    Change("a", mutations);
    Has(Ask("ForkContext", "source { context_id: 'a' } context_id: 'b'"), "context {");
  }

  // Merges the fork back.
  std::string Merge(const std::string &request = "") {
    return Ask("MergeContext", "source { context_id: 'b' } target_context_id: 'a' " + request);
  }
};

TEST_F(ContextMergeTest, BringsWhatChangedIntoTheTarget) {
  Fork(Mutations().Put("k", "1").Put("l", "2"));
  Change("b", Mutations().Put("k", "one"));
  Change("a", Mutations().Put("l", "two"));
  std::string text = Merge();
  Has(text, "applied: true version: 3 changed_entry_count: 1 write { revision: ");
  HasNot(text, "conflict");
  EXPECT_EQ((std::map<std::string, std::string>{{"k", "one"}, {"l", "two"}}), Get("a").entries);
}

TEST_F(ContextMergeTest, ChangesNothingAndTellsTheConflicts) {
  Fork(Mutations().Put("k", "1", "t").SetLabel("l", "1"));
  Change("b", Mutations().Put("k", "2").SetLabel("l", "2"));
  Change("a", Mutations().Delete("k").SetLabel("l", "3"));
  std::string text = Merge();
  HasNot(text, "applied");
  Has(text,
      "conflicts { key: \"k\" ancestor { key: \"k\" value: \"1\" content_type: \"t\" "
      "version: 1 } source { key: \"k\" value: \"2\" version: 3 } }");
  Has(text,
      "conflicts { key: \"l\" in_metadata: true ancestor { key: \"l\" value: \"1\" } target "
      "{ key: \"l\" value: \"3\" } source { key: \"l\" value: \"2\" } }");
  Has(text, "conflict_count: 2");
  EXPECT_EQ(0u, Get("a").entries.size());
}

TEST_F(ContextMergeTest, ResolvesConflictsAsItIsTold) {
  Fork(Mutations().Put("k", "1").Put("l", "1"));
  Change("b", Mutations().Put("k", "2").Put("l", "2"));
  Change("a", Mutations().Put("k", "3").Put("l", "3"));
  Has(Merge("on_conflict: ON_CONFLICT_SOURCE "
            "on_conflict_by_key { key: 'l' value: ON_CONFLICT_TARGET } safety_point: true"),
      "safety_point_id: \"");
  EXPECT_EQ((std::map<std::string, std::string>{{"k", "2"}, {"l", "3"}}), Get("a").entries);
}

TEST_F(ContextMergeTest, TellsAsManyConflictsAsFitAndOneAtLeast) {
  Fork(Mutations().Put("k1", std::string(60000, '1')).Put("k2", "1").Put("k3", "1"));
  Change("b", Mutations().Put("k1", std::string(60000, '2')).Put("k2", std::string(60000, '2')));
  Change("a", Mutations().Put("k1", std::string(60000, '3')).Put("k2", std::string(60000, '3')));
  message_size_max_ = 256 * CX_KIB;
  std::string text = Merge();
  EXPECT_EQ(1u, FindAll(text, "(conflicts) \\{").size());
  Has(text, "conflict_count: 2");
}

TEST_F(ContextMergeTest, TellsAConflictThatFitsIntoNoMessageWithoutItsValues) {
  Fork(Mutations().Put("k1", std::string(60000, '1')).Put("k2", "1"));
  Change("b", Mutations().Put("k1", std::string(60000, '2'), "t").Put("k2", "2"));
  Change("a", Mutations().Put("k1", std::string(60000, '3')).Put("k2", "3"));
  message_size_max_ = 100 * CX_KIB;
  std::string text = Merge();
  Has(text,
      "conflicts { key: \"k1\" ancestor { key: \"k1\" version: 1 } target { key: \"k1\" "
      "version: 2 } source { key: \"k1\" content_type: \"t\" version: 3 } }");
  Has(text, "source { key: \"k2\" value: \"2\"");
  Has(text, "conflict_count: 2");
}

TEST_F(ContextMergeTest, SaysWhatIsMissing) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Merge());
  Change("a", Mutations().Put("k", "1"));
  Change("b", Mutations().Put("k", "2"));
  EXPECT_EQ("NO_COMMON_ANCESTOR", Merge().substr(0, 18));
}

TEST_F(ContextMergeTest, GoesToAWorkerAndWaitsForTheDisk) {
  Fork(Mutations().Put("k", "1"));
  Change("b", Mutations().Put("k", "2"));
  Call call = Begin("MergeContext", "source { context_id: 'b' } target_context_id: 'a'");
  EXPECT_EQ(1, call->offloads);
  EXPECT_FALSE(call->ended());
  Settle();
  EXPECT_TRUE(call->ok());
}

}  // namespace
