// What state.h promises: which lists a context is in, when a timer has to look at it, and
// what a digest tells apart.

#include "tests/unit/state/state_fixture.h"

namespace {

class StateTest : public StateFixture {
 protected:
  // The keys of one kind of list over all shards, NULs as slashes.
  std::vector<std::string> Keys(cx_tree cx_shard::*list, const cx_tree_class *kind) {
    std::vector<std::string> keys;
    for (cx_shard &shard : state_.shards) {
      cx_tree_cursor cursor;
      cx_tree_item *item = cx_tree_seek(kind, &(shard.*list), {}, &cursor);
      for (; item != nullptr; item = cx_tree_next(&cursor)) {
        std::string key = Text(cx_tree_item_key(kind, item));
        for (char &c : key) c = c == '\0' ? '/' : c;
        keys.push_back(key);
      }
    }
    return keys;
  }

  using List = std::vector<std::string>;
};

TEST_F(StateTest, ListsAContextUnderAllThatFindsIt) {
  cx_new_context properties = {};
  cx_label label = {cx_bytes_of("l"), cx_bytes_of("v")};
  properties.type = cx_bytes_of("chat");
  properties.parent_id = cx_bytes_of("p");
  properties.labels = &label;
  properties.label_count = 1;
  Create("p");
  Create("a", properties);
  EXPECT_EQ(2u, Keys(&cx_shard::by_id, &cx_context_class).size());
  EXPECT_EQ((List{"default/chat/a"}), Keys(&cx_shard::by_type, &cx_row_class));
  EXPECT_EQ((List{"default/l/v/a"}), Keys(&cx_shard::by_label, &cx_row_class));
  EXPECT_EQ((List{"default/p/a"}), Keys(&cx_shard::children, &cx_row_class));
  EXPECT_NE(nullptr, state_.shards[NameKey("p").shard].children.root) << "in the parent's shard";

  Update("a", Mutations().SetLabel("l", "w").SetLabel("m", "x"));
  EXPECT_EQ((List{"default/l/w/a", "default/m/x/a"}), Keys(&cx_shard::by_label, &cx_row_class));

  Delete("a");
  EXPECT_EQ((List{"default/a"}), Keys(&cx_shard::deleted, &cx_context_class));
  EXPECT_EQ((List{"default/p"}), Keys(&cx_shard::by_id, &cx_context_class));
  EXPECT_EQ(List{}, Keys(&cx_shard::by_type, &cx_row_class));
  EXPECT_EQ(List{}, Keys(&cx_shard::by_label, &cx_row_class));
  EXPECT_EQ(List{}, Keys(&cx_shard::children, &cx_row_class));

  Delete("a", false, true);
  EXPECT_EQ(List{}, Keys(&cx_shard::deleted, &cx_context_class));
  EXPECT_NE(nullptr, Find("a"));
}

TEST_F(StateTest, SaysWhenATimerHasToLook) {
  Create("a");
  EXPECT_EQ(0, cx_state_due_time(&state_, Find("a")));
  Update("a", Mutations().SetExpiry(7));
  EXPECT_EQ(plan_.now_us + 7, cx_state_due_time(&state_, Find("a")));
  Delete("a");
  EXPECT_EQ(plan_.now_us + settings_.undelete_window_us, cx_state_due_time(&state_, Find("a")));
  Delete("a", false, true);
  EXPECT_EQ(plan_.now_us + settings_.tombstone_window_us, cx_state_due_time(&state_, Find("a")));
}

TEST_F(StateTest, BringsAllContextsInLineWithNewSettings) {
  Create("a");
  for (int i = 0; i < 5; i++) Update("a", Mutations().Put("k", std::to_string(i)));
  Create("b");
  Delete("b");
  settings_.version_retention = 2;
  settings_.undelete_window_us = 30;
  WriteSettings();
  EXPECT_EQ(1u, Find("a")->undo_count);
  EXPECT_EQ(5u, Find("a")->undo_oldest->version);
  int64_t due_us = 0;
  EXPECT_EQ(&Find("b")->due, cx_due_first(&state_.shards[NameKey("b").shard].due, &due_us));
  EXPECT_EQ(plan_.now_us + 30, due_us);
  settings_.version_retention = 1;
  WriteSettings();
  EXPECT_EQ(0u, Find("a")->undo_count);
  EXPECT_EQ(nullptr, Find("a")->undo_newest);
  ExpectReplayGivesTheSame();
}

TEST_F(StateTest, TellsStatesApartByTheirDigests) {
  std::vector<uint64_t> digests = {cx_state_digest(&state_)};
  auto note = [&] { digests.push_back(cx_state_digest(&state_)); };
  Create("a"), note();
  Update("a", Mutations().Put("k", "v")), note();
  Update("a", Mutations().SetLabel("l", "v")), note();
  Update("a", Mutations().SetExpiry(50)), note();
  Update("a", Mutations().Put("k", std::string(5000, 'x')), "request"), note();
  Delete("a"), note();
  plan_.now_us += 1000;
  Due("a"), note();
  Due("a"), note();
  settings_.request_ids_max++;
  WriteSettings(), note();
  for (size_t i = 0; i < digests.size(); i++) {
    for (size_t j = 0; j < i; j++) EXPECT_NE(digests[i], digests[j]) << i << " " << j;
  }
}

TEST_F(StateTest, MakesRowsThatTellTheirIds) {
  cx_row_names names = {{cx_bytes_of("n"), cx_bytes_of("type")}, 2, cx_bytes_of("id")};
  cx_row *row;
  cx_bytes key;
  ASSERT_EQ(CX_OK, cx_row_new(&names, &row));
  ASSERT_EQ(CX_OK, cx_row_key(&arena_, &names, &key));
  EXPECT_EQ(std::string("n\0type\0id", 9), Text(key));
  EXPECT_EQ(Text(key), Text(cx_tree_item_key(&cx_row_class, &row->item)));
  EXPECT_EQ("id", Text(cx_row_id(row)));
  cx_tree_item_unref(&cx_row_class, &row->item);
  names.id = {};
  ASSERT_EQ(CX_OK, cx_row_key(&arena_, &names, &key));
  EXPECT_EQ(std::string("n\0type\0", 7), Text(key)) << "the prefix of many";
}

}  // namespace
