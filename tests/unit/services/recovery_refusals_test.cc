// What the methods of contextd.v1.Recovery say to what cannot be: the reason, and what there is
// instead. One test for each kind, over every method that can be asked for it.

#include "tests/unit/services/recovery_fixture.h"

extern "C" {
#include "core/base/limits.h"
}

namespace {

class RecoveryRefusalsTest : public RecoveryFixture {
 protected:
  // Context a with the points q and r, of versions that are not kept otherwise, but for one
  // between them.
  void SetUp() override {
    RecoveryFixture::SetUp();
    for (int i = 1; i <= 10; i++) {
      Change("a", Mutations().Put("k", std::to_string(i)));
      if (i == 2) Point("a", "q");
      if (i == 5) Point("a", "r");
    }
  }

  // What every method that takes a state of `a` says of one.
  Strings AskForState(const std::string &at) {
    const std::string state = "{ context_id: 'a' " + at + " } ", head = "{ context_id: 'a' } ";
    return {Ask("RestoreContext", "context_id: 'a' " + at),
            Ask("ForkContext", "source " + state),
            Ask("DiffStates", "before " + state + "after " + head),
            Ask("DiffStates", "before " + head + "after " + state),
            Ask("MergeContext", "source " + state + "target_context_id: 'a'"),
            Ask("MergeContext", "source " + head + "target_context_id: 'a' ancestor " + state),
            Manage("GetContext", "state " + state)};
  }

  std::string Create(const std::string &id, const std::string &more) {
    return Point("a", id, more);
  }
};

TEST_F(RecoveryRefusalsTest, APointThatIsNotThereIsToldWithTheOldestThatIs) {
  const std::string named = "context_id: 'a' recovery_point_id: 'p' ";
  Strings answers = AskForState("recovery_point_id: 'p'");
  for (const std::string &answer :
       {Ask("GetRecoveryPoint", named), Ask("DeleteRecoveryPoint", named),
        Ask("UpdateRecoveryPoint", named + "pin: PIN_ON"),
        Create("new", "from_recovery_point_id: 'p'"),
        Ask("ListRecoveryPoints", "context_id: 'a' before_recovery_point_id: 'p'"),
        Ask("ListRecoveryPoints", "context_id: 'a' ancestors_of: 'p'")}) {
    answers.push_back(answer);
  }
  for (const std::string &answer : answers) {
    EXPECT_EQ("RECOVERY_POINT_NOT_FOUND oldest_id=q", answer);
  }
  Ask("DeleteRecoveryPoint", "context_id: 'a' recovery_point_id: 'q'");
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND oldest_id=r", Ask("GetRecoveryPoint", named));
  Ask("DeleteRecoveryPoint", "context_id: 'a' recovery_point_id: 'r'");
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", Ask("DeleteRecoveryPoint", named)) << "there are none";
}

TEST_F(RecoveryRefusalsTest, AVersionOrTimeThatIsNotRetainedIsToldWithTheOldestThatIs) {
  for (const char *at : {"version: 4", "version: 11", "time { seconds: 1 }"}) {
    for (const std::string &answer : AskForState(at)) {
      EXPECT_EQ("STATE_NOT_RETAINED oldest_version=7 newest_version=10", answer) << at;
    }
  }
  for (const char *kept : {"version: 2", "version: 5", "version: 7"}) {
    Has(Manage("GetContext", "state { context_id: 'a' " + std::string(kept) + " }"), "context {");
  }
}

TEST_F(RecoveryRefusalsTest, AnIdThatExistsIsToldWithItsSequence) {
  EXPECT_EQ("RECOVERY_POINT_EXISTS sequence=1", Create("q", ""));
  EXPECT_EQ("RECOVERY_POINT_EXISTS sequence=2", Create("r", "from_recovery_point_id: 'q'"));
  Create("s", "pinned: true");
  EXPECT_EQ("RECOVERY_POINT_PINNED", Create("s", "replace: true"));
}

TEST_F(RecoveryRefusalsTest, AMergeNeedsACommonAncestor) {
  Change("b", Mutations().Put("k", "other"));
  const std::string merge = "source { context_id: 'b' } target_context_id: 'a' ";
  EXPECT_EQ("NO_COMMON_ANCESTOR", Ask("MergeContext", merge));
  EXPECT_EQ("NO_COMMON_ANCESTOR", Ask("MergeContext", merge + "dry_run: true"));
  Has(Ask("MergeContext", merge + "on_conflict: ON_CONFLICT_SOURCE ancestor { context_id: 'a' "
                                  "version: 9 }"),
      "applied: true");
}

TEST_F(RecoveryRefusalsTest, AForkNeedsAnIdThatNoContextHas) {
  Change("b", Mutations().Put("k", "other"));
  const std::string fork = "source { context_id: 'a' } context_id: 'b' ";
  EXPECT_EQ("CONTEXT_EXISTS version=1", Ask("ForkContext", fork));
  EXPECT_EQ("CONTEXT_EXISTS version=1", Ask("ForkContext", fork + "with_recovery_points: true"));
  EXPECT_EQ("CONTEXT_EXISTS version=10", Ask("ForkContext",
                                             "source { context_id: 'a' } "
                                             "context_id: 'a'"));
}

TEST_F(RecoveryRefusalsTest, APruneSaysWhatToDropAndAPolicyAlwaysKeepsTheNewest) {
  for (const char *nothing : {"", "policy {}", "policy { keep_last: 0 }"}) {
    EXPECT_EQ(0u, Ask("PruneRecoveryPoints", "context_id: 'a' " + std::string(nothing))
                      .find("INVALID_FIELD field=policy"))
        << nothing;
  }
  EXPECT_EQ((Strings{"r", "q"}), Ids("context_id: 'a'"));
  Ask("PruneRecoveryPoints", "context_id: 'a' policy { keep_every: 1000 }");
  EXPECT_EQ((Strings{"r"}), Ids("context_id: 'a'"));
}

TEST_F(RecoveryRefusalsTest, APointBesideTheHeadTakesEntriesAndMetadataAlone) {
  for (const char *other : {"set_expiry {}", "record_activity { type: 't' }",
                            "set_recovery_policy { policy { point_every_changes: 1 } }"}) {
    const std::string mutations = "mutations { " + std::string(other) + " } ";
    EXPECT_EQ(
        "INVALID_FIELD field=mutations[0] rule=must be about entries or metadata, without "
        "`move_head`",
        Create("new", mutations));
  }
  EXPECT_EQ((Strings{"r", "q"}), Ids("context_id: 'a'")) << "nothing was made";
}

TEST_F(RecoveryRefusalsTest, AttachmentsOfPointsThatAreStillToBeMadeAreBounded) {
  auto put = [&](size_t i) {
    return Ask("UpdateRecoveryPoint", "context_id: 'a' recovery_point_id: 'later-" +
                                          std::to_string(i) +
                                          "' allow_missing: true put_attachments { key: 'k' }");
  };
  for (size_t i = 0; i < CX_PENDING_POINTS_MAX; i++) put(i);
  EXPECT_EQ("LIMIT_REACHED limit=pending_points_max value=1000", put(CX_PENDING_POINTS_MAX));
  Create("later-0", "");
  Has(put(CX_PENDING_POINTS_MAX), "write {");
}

}  // namespace
