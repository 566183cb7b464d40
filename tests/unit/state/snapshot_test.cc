// A snapshot is one state, to be read at leisure: it never changes, and it walks both
// ways.

#include "tests/unit/state/state_fixture.h"

namespace {

class SnapshotTest : public StateFixture {
 protected:
  cx_snapshot Take(const std::string &id) {
    cx_snapshot snapshot;
    cx_context_snapshot(const_cast<cx_context *>(Find(id)), &snapshot);
    return snapshot;
  }

  static std::vector<std::string> Walk(cx_entry_walk walk) {
    std::vector<std::string> keys;
    cx_entry_view entry;
    while (cx_entry_walk_next(&walk, &entry)) keys.push_back(Text(entry.key));
    return keys;
  }

  static std::string Value(const cx_snapshot &snapshot, const char *key) {
    cx_entry_view entry;
    if (!cx_snapshot_find(&snapshot, cx_bytes_of(key), &entry)) return "(none)";
    std::string value(entry.value_size, '\0');
    cx_entry_value_copy(&entry, reinterpret_cast<uint8_t *>(&value[0]));
    return value;
  }
};

TEST_F(SnapshotTest, NeverChanges) {
  Create("a", {}, Mutations().Put("k", "old").SetLabel("l", "1"));
  cx_snapshot snapshot = Take("a");
  Update("a", Mutations().Put("k", "new").Put("more", "x").SetLabel("l", "2"));

  EXPECT_EQ("old", Value(snapshot, "k"));
  EXPECT_EQ("(none)", Value(snapshot, "more"));
  EXPECT_EQ(1u, snapshot.version);
  ASSERT_EQ(1u, snapshot.label_count);
  EXPECT_EQ("1", Text(snapshot.labels[0].value));
  cx_snapshot_done(&snapshot);
}

TEST_F(SnapshotTest, OutlivesItsContext) {
  settings_.tombstone_window_us = settings_.undelete_window_us = 0;
  WriteSettings();
  Create("a", {}, Mutations().Put("k", std::string(5000, 'x')));
  cx_snapshot snapshot = Take("a");
  Delete("a");
  Due("a");
  Due("a");
  ASSERT_EQ(nullptr, Find("a"));

  EXPECT_EQ("a", Text(snapshot.id));
  EXPECT_EQ(std::string(5000, 'x'), Value(snapshot, "k"));
  cx_snapshot_done(&snapshot);
}

TEST_F(SnapshotTest, WalksFromAnyKeyBothWays) {
  Create("a", {}, Mutations().Put("b", "1").Put("d", "2").Put("f", "3"));
  cx_snapshot snapshot = Take("a");
  cx_entry_walk walk;

  cx_snapshot_walk(&snapshot, cx_bytes_of(""), &walk);
  EXPECT_EQ((std::vector<std::string>{"b", "d", "f"}), Walk(walk));
  cx_snapshot_walk(&snapshot, cx_bytes_of("d"), &walk);
  EXPECT_EQ((std::vector<std::string>{"d", "f"}), Walk(walk));
  cx_snapshot_walk(&snapshot, cx_bytes_of("g"), &walk);
  EXPECT_EQ((std::vector<std::string>{}), Walk(walk));
  cx_snapshot_walk_back(&snapshot, cx_bytes_of(""), &walk);
  EXPECT_EQ((std::vector<std::string>{"f", "d", "b"}), Walk(walk));
  cx_snapshot_walk_back(&snapshot, cx_bytes_of("d"), &walk);
  EXPECT_EQ((std::vector<std::string>{"b"}), Walk(walk));
  cx_snapshot_done(&snapshot);
}

TEST_F(SnapshotTest, GivesSmallValuesInOnePieceAndLargeOnesByCopy) {
  std::string large(CX_VALUE_INLINE_MAX + 1, 'x');
  Create("a", {}, Mutations().Put("small", "s").Put("large", large));
  cx_snapshot snapshot = Take("a");
  cx_entry_view entry;

  ASSERT_TRUE(cx_snapshot_find(&snapshot, cx_bytes_of("small"), &entry));
  EXPECT_EQ("s", Text(cx_entry_value(&entry)));
  ASSERT_TRUE(cx_snapshot_find(&snapshot, cx_bytes_of("large"), &entry));
  EXPECT_EQ(nullptr, cx_entry_value(&entry).data);
  EXPECT_EQ(large, Value(snapshot, "large"));
  cx_snapshot_done(&snapshot);
}

TEST_F(SnapshotTest, OfAStateBeforeADeleteHasTheTypeOfThatTime) {
  cx_new_context properties = {};
  cx_state_at at = {};
  cx_undo_path path;
  properties.type = cx_bytes_of("chat");
  Create("a", properties, Mutations().Put("k", "v"));
  Delete("a");
  properties.type = cx_bytes_of("task");
  Create("a", properties);

  at.version = 1;
  ASSERT_EQ(CX_OK, cx_context_find_path(Find("a"), &at, &path));
  cx_snapshot snapshot = Take("a");
  ASSERT_EQ(CX_OK, cx_snapshot_go_back(&snapshot, &path));
  cx_undo_path_done(&path);
  EXPECT_EQ("chat", Text(snapshot.type));
  EXPECT_EQ("v", Value(snapshot, "k"));
  cx_snapshot_done(&snapshot);
}

TEST_F(SnapshotTest, ShowsNothingFromATimeWhenThereWasNothing) {
  cx_state_at at = {};
  cx_undo_path path;
  Create("a");
  plan_.now_us += 10;
  Delete("a");
  plan_.now_us += 10;
  Create("a");

  at.time_us = plan_.now_us - 5;
  EXPECT_EQ(CX_OUT_OF_RANGE, cx_context_find_path(Find("a"), &at, &path));
  at.time_us = plan_.now_us - 15;
  EXPECT_EQ(CX_OK, cx_context_find_path(Find("a"), &at, &path));
  cx_undo_path_done(&path);
}

TEST_F(SnapshotTest, MayBeReleasedTwice) {
  Create("a");
  cx_snapshot snapshot = Take("a");
  cx_snapshot_done(&snapshot);
  cx_snapshot_done(&snapshot);
}

}  // namespace
