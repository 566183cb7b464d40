// What context.h promises: names, and the chain of the states before the head.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class ContextTest : public TrackerFixture {
 protected:
  // The way back from the head.
  cx_status FindPath(const std::string &id, uint64_t version, cx_undo_path *ret_path) {
    cx_state_at at = {version, 0, {}};
    return cx_context_find_path(Find(id), &at, ret_path);
  }

  static std::string Value(const cx_snapshot &snapshot, const char *key) {
    cx_entry_view entry;
    if (!cx_snapshot_find(&snapshot, cx_bytes_of(key), &entry)) return "(none)";
    std::string value(entry.value_size, '\0');
    cx_entry_value_copy(&entry, reinterpret_cast<uint8_t *>(&value[0]));
    return value;
  }
};

TEST_F(ContextTest, HasTheNamesThatItWasMadeWith) {
  cx_namespace *totals;
  cx_context *context;
  ASSERT_EQ(CX_OK, cx_namespaces_get(&state_.namespaces, cx_bytes_of("space"), &totals));
  ASSERT_EQ(CX_OK, cx_context_new(totals, cx_bytes_of("space"), cx_bytes_of("id"),
                                  cx_bytes_of("type"), cx_bytes_of("parent"), &context));
  cx_namespace_unref(totals);
  EXPECT_EQ("space", Text(cx_context_namespace(context)));
  EXPECT_EQ("id", Text(cx_context_id(context)));
  EXPECT_EQ("type", Text(cx_context_type(context)));
  EXPECT_EQ("parent", Text(cx_context_parent_id(context)));
  EXPECT_EQ(CX_CONTEXT_BARE, context->life);
  EXPECT_EQ(0u, context->version);
  cx_context_unref(context);
  cx_context_unref(nullptr);
}

TEST_F(ContextTest, ExpiresAtItsTimeAndOnlyWhileItLives) {
  Create("a", {}, Mutations().SetExpiry(10));
  EXPECT_FALSE(cx_context_is_expired(Find("a"), plan_.now_us + 9));
  EXPECT_TRUE(cx_context_is_expired(Find("a"), plan_.now_us + 10));
  Delete("a");
  EXPECT_FALSE(cx_context_is_expired(Find("a"), plan_.now_us + 10));
  Create("b");
  EXPECT_FALSE(cx_context_is_expired(Find("b"), INT64_MAX));
}

TEST_F(ContextTest, KeepsTheNewestRecordsOldestFirst) {
  for (int i = 0; i < 10; i++) {
    i == 0 ? Create("a") : Update("a", Mutations().Put("k", std::to_string(i)));
  }
  const cx_context *context = Find("a");
  ASSERT_EQ(2u, context->undo_count);
  EXPECT_EQ(8u, context->undo_oldest->version);
  EXPECT_EQ(9u, context->undo_newest->version);
  EXPECT_EQ(context->undo_newest, context->undo_oldest->newer);
  EXPECT_EQ(nullptr, context->undo_newest->newer);
}

TEST_F(ContextTest, LeadsBackToEachStateThatIsKept) {
  Create("a", {}, Mutations().Put("k", "1").Put("l", "1"));
  Update("a", Mutations().Put("k", "2").DeletePrefix("l"));
  Update("a", Mutations().Delete("k"));
  const char *wanted[][2] = {{"1", "1"}, {"2", "(none)"}};
  cx_undo_path paths[2];
  cx_snapshot snapshots[2];
  for (uint64_t i = 0; i < 2; i++) {
    ASSERT_EQ(CX_OK, FindPath("a", i + 1, &paths[i]));
    cx_context_snapshot(const_cast<cx_context *>(Find("a")), &snapshots[i]);
  }
  Update("a", Mutations().Put("k", "later"));  // Going back needs no lock.
  for (uint64_t i = 0; i < 2; i++) {
    ASSERT_EQ(CX_OK, cx_snapshot_go_back(&snapshots[i], &paths[i]));
    EXPECT_EQ(i + 1, snapshots[i].version);
    EXPECT_EQ(wanted[i][0], Value(snapshots[i], "k"));
    EXPECT_EQ(wanted[i][1], Value(snapshots[i], "l"));
    cx_undo_path_done(&paths[i]);
    cx_snapshot_done(&snapshots[i]);
  }
  cx_undo_path path;
  EXPECT_EQ(CX_OUT_OF_RANGE, FindPath("a", 1, &path));
  EXPECT_EQ(CX_OUT_OF_RANGE, FindPath("a", 99, &path));
}

TEST_F(ContextTest, KnowsWhichVersionWasTheNewestAfterARevisionWhileItsStateIsKept) {
  std::vector<uint64_t> revisions;
  for (int i = 0; i < 5; i++) {
    i == 0 ? Create("a") : Update("a", Mutations().Put("k", std::to_string(i)));
    revisions.push_back(Find("a")->revision);
    Create("other" + std::to_string(i));
  }
  const uint64_t versions[] = {0, 0, 3, 4, 5};
  for (size_t i = 0; i < 5; i++) {
    EXPECT_EQ(versions[i], cx_context_version_of(Find("a"), revisions[i])) << i;
    EXPECT_EQ(versions[i], cx_context_version_of(Find("a"), revisions[i] + 1)) << i;
  }
}

TEST_F(ContextTest, ReleasesASnapshotThatCannotGoBackForWantOfMemory) {
  Mutations many;
  for (int i = 0; i < 200; i++) many.Put("k" + std::to_string(i), "v");
  Create("a", {}, many);
  Update("a", Mutations().Put("k7", "w"));
  Update("a", Mutations().Delete("k9"));
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_undo_path path = {};
    cx_snapshot snapshot = {};
    fail_nth_begin(&fail, nth);
    cx_status status = FindPath("a", 1, &path);
    cx_context_snapshot(const_cast<cx_context *>(Find("a")), &snapshot);
    if (status == CX_OK) status = cx_snapshot_go_back(&snapshot, &path);
    bool failed = fail_nth_end(&fail);
    EXPECT_EQ(failed ? CX_RESOURCE_EXHAUSTED : CX_OK, status);
    cx_undo_path_done(&path);
    cx_snapshot_done(&snapshot);
    if (!failed) break;
  }
}

TEST_F(ContextTest, HasNothingButItsVersionOnceItIsPurged) {
  Create("a", {}, Mutations().Put("k", "v").SetLabel("l", "v"));
  Update("a", Mutations().Put("k", "w"));
  Delete("a", false, true);
  const cx_context *context = Find("a");
  EXPECT_EQ(CX_CONTEXT_BARE, context->life);
  EXPECT_EQ(2u, context->version);
  EXPECT_EQ(nullptr, context->entries.root);
  EXPECT_EQ(nullptr, context->labels);
  EXPECT_EQ(nullptr, context->undo_oldest);
  EXPECT_EQ(nullptr, context->undo_newest);
  EXPECT_EQ(0u, context->size_bytes);
}

TEST_F(ContextTest, TellsTheVersionOfARevisionThatATouchDoesNotMove) {
  Create("a");
  uint64_t created = revision_;
  Record("a", Activity());
  EXPECT_EQ(created, Find("a")->state_revision);
  EXPECT_EQ(revision_, Find("a")->revision);
  uint64_t touched = revision_;
  Update("a", Mutations().Put("k", "v"));
  EXPECT_EQ(revision_, Find("a")->state_revision);
  EXPECT_EQ(1u, cx_context_version_of(Find("a"), created));
  EXPECT_EQ(1u, cx_context_version_of(Find("a"), touched));
  EXPECT_EQ(2u, cx_context_version_of(Find("a"), revision_));
  EXPECT_EQ(touched, Find("a")->undo_newest->revision) << "the last while it was the newest";
  EXPECT_EQ(created, Find("a")->undo_newest->state_revision);
}

TEST_F(ContextTest, KnowsNothingOfTheTrackerUntilItIsWrittenTo) {
  Create("a");
  cx_context *context = const_cast<cx_context *>(Find("a"));
  EXPECT_EQ(nullptr, context->tracked);
  EXPECT_EQ(0u, cx_context_fence(context));
  struct fail_nth fail;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(nullptr, cx_context_tracked(context));
  fail_nth_end(&fail);
  cx_tracked *tracked = cx_context_tracked(context);
  ASSERT_NE(nullptr, tracked);
  EXPECT_EQ(tracked, cx_context_tracked(context)) << "once";
  tracked->fence = 7;
  EXPECT_EQ(7u, cx_context_fence(context));
}

TEST_F(ContextTest, TakesASnapshotWithTheFenceOfThen) {
  cx_snapshot snapshot;
  Create("a");
  Begin("s");
  Activate("s", "a", Exclusive);
  cx_context_snapshot(const_cast<cx_context *>(Find("a")), &snapshot);
  Activate("s", "a", Exclusive);
  EXPECT_EQ(1u, snapshot.fence);
  cx_snapshot_done(&snapshot);
}

TEST_F(ContextTest, HasOnlyFenceAndSequenceLeftOnceItIsPurged) {
  Create("a");
  Begin("s");
  Activate("s", "a", Exclusive);
  Acquire("s", "a", "tool");
  WriteTo("a",
          Mutations().Record(Activity().File("p", "read")).Record(Activity().Model("m", 1, 1)));
  Delete("a", false, true);
  const cx_tracked &tracked = Tracked("a");
  EXPECT_EQ(1u, tracked.fence);
  EXPECT_EQ(3u, tracked.last_sequence);
  EXPECT_EQ(0u, tracked.history_count + tracked.history_bytes + tracked.usage_count);
  EXPECT_EQ(nullptr, tracked.history.root);
  EXPECT_EQ(nullptr, tracked.files.root);
  EXPECT_EQ(nullptr, tracked.usage.root);
  EXPECT_EQ(nullptr, tracked.resources.root);
  EXPECT_EQ(nullptr, tracked.activation_oldest);
  EXPECT_EQ(nullptr, tracked.exclusive);
}

}  // namespace
