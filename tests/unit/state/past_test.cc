// What past.h promises: what states remember of history and files, how they lean on a history that
// goes on, and when that is taken for them.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class PastTest : public RecoveryFixture {
 protected:
  PastTest() { settings_.version_retention = 8; }

  void SetUp() override {
    WriteSettings();
    Create("a", {}, Mutations().Put("k", "0").Record(Activity("first")));
  }

  void RecordMany(int count) {
    Mutations mutations;
    for (int i = 0; i < count; i++) mutations.Record(Activity("more"));
    WriteTo("a", mutations);
  }
  void Write() { Update("a", Mutations().Put("k", "1")); }

  // How many activities a fork from this version has, and the last one's sequence.
  std::pair<uint64_t, uint64_t> Forked(uint64_t version, const std::string &id) {
    ForkFrom("a", id, [=](Fork *request) {
      request->at.version = version;
      request->with_history = true;
    });
    const cx_tracked &tracked = Tracked(id);
    cx_tree_cursor cursor;
    cx_tree_item *last = cx_tree_last(&tracked.history, &cursor);
    uint64_t sequence = last != nullptr ? cx_activity_sequence(cx_activity_of(last)) : 0;
    uint64_t count = 0;
    for (; last != nullptr; last = cx_tree_previous(&cursor)) count++;
    EXPECT_EQ(tracked.history_count, count);
    EXPECT_EQ(tracked.last_sequence, sequence);
    return {count, sequence};
  }

  const cx_past *Past(uint64_t version) {
    for (cx_undo *undo = Find("a")->undo_oldest; undo != nullptr; undo = undo->newer) {
      if (undo->version == version) return undo->past;
    }
    return nullptr;
  }
};

using Found = std::pair<uint64_t, uint64_t>;

TEST_F(PastTest, AHistoryThatIsAddedToIsChangedInPlace) {
  RecordMany(1);
  Write();
  const cx_tree_node *root = Tracked("a").history.root;
  RecordMany(3);
  EXPECT_EQ(Tracked("a").later, Past(1)->later);
  EXPECT_EQ(root, Tracked("a").history.root) << "nobody else holds it";
}

TEST_F(PastTest, TellsWhatWasThereAndNotWhatCameLater) {
  Write();
  RecordMany(1);
  Write();
  RecordMany(5);
  EXPECT_EQ((Found{1, 1}), Forked(1, "b"));
  EXPECT_EQ((Found{2, 2}), Forked(2, "c"));
  EXPECT_EQ((Found{7, 7}), Forked(3, "d"));
}

TEST_F(PastTest, OfAHistoryThatWentFarTheWayThereIsTaken) {
  Write();
  for (unsigned i = 0; i < CX_LEAN_MAX; i++) RecordMany(1);
  EXPECT_FALSE(Past(1)->later->taken);
  RecordMany(1);
  EXPECT_TRUE(Past(1)->later->taken);
  EXPECT_EQ(nullptr, Tracked("a").later);
  EXPECT_EQ((Found{1, 1}), Forked(1, "b"));
}

TEST_F(PastTest, WhatIsDroppedOfTheHistoryIsStillThereForThem) {
  Write();
  plan_.history_count_max = 2;
  for (int i = 0; i < 3; i++) RecordMany(1);
  EXPECT_EQ(2u, Tracked("a").history_count);
  EXPECT_EQ((Found{1, 1}), Forked(1, "b"));
}

TEST_F(PastTest, OutlivesTheContextThatItLeansOn) {
  Write();
  RecordMany(2);
  Write();
  Delete("a");
  Create("a", {}, Mutations().Put("k", "2").Record(Activity("anew")));
  EXPECT_EQ((Found{1, 1}), Forked(1, "b"));
  EXPECT_EQ((Found{3, 3}), Forked(Find("a")->version - 1, "c"));
}

TEST_F(PastTest, IsWholeOrNothingWhereMemoryRunsOut) {
  Write();
  RecordMany(CX_LEAN_MAX);
  const struct cx_base_ref ref = {CX_BASE_VERSION, 1};
  size_t nth = 0;
  for (bool failed = true; failed;) {
    cx_kept_state state;
    struct fail_nth fail;
    fail_nth_begin(&fail, ++nth);
    cx_status status = cx_earlier_take(const_cast<cx_context *>(Find("a")), &ref, &state);
    failed = fail_nth_end(&fail);
    ASSERT_EQ(failed ? CX_RESOURCE_EXHAUSTED : CX_OK, status);
    if (failed) continue;
    EXPECT_EQ(nullptr, state.past->later);
    EXPECT_EQ(1u, state.past->history_count);
    cx_kept_state_done(&state);
  }
  EXPECT_LT(2u, nth);
}

}  // namespace
