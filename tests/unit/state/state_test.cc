// What state.h promises: which lists a context is in, when a timer has to look at it, and
// what a digest tells apart.

#include "tests/unit/state/tracker_fixture.h"

#include <map>

namespace {

class StateTest : public TrackerFixture {
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

TEST_F(StateTest, TellsWhatTheTrackerDidApartByItsDigests) {
  std::vector<uint64_t> digests = {cx_state_digest(&state_)};
  auto note = [&] { digests.push_back(cx_state_digest(&state_)); };
  Create("a"), note();
  Begin("s"), note();
  Begin("t"), note();
  Activate("s", "a"), note();
  Activate("t", "a"), note();
  Activate("s", "a", Exclusive), note();
  Activate("s", "a", Guarding), note();
  Record("a", Activity("n"), By("s", 2)), note();
  Record("a", Activity().File("p", "read"), By("s", 2)), note();
  Record("a", Activity().Model("m", 1, 1), By("s", 2)), note();
  Deactivate("t", "a"), note();
  Deactivate("s", "a"), note();
  Acquire("s", "a", "tool"), note();
  Release("s", "a", "tool"), note();
  End("s"), note();
  Delete("a", false, true), note();
  for (size_t i = 0; i < digests.size(); i++) {
    for (size_t j = 0; j < i; j++) EXPECT_NE(digests[i], digests[j]) << i << " " << j;
  }
}

TEST_F(StateTest, CountsInTheDigestWhatIsInNoContextOrSession) {
  Begin("s");
  uint64_t digest = cx_state_digest(&state_);
  cx_shard *shard = &state_.shards[NameKey("s").shard];
  shard->session_end_revision++;
  EXPECT_NE(digest, cx_state_digest(&state_));
  shard->session_end_revision--;
  cx_tree rows = shard->sessions_by_start;
  shard->sessions_by_start = {};
  EXPECT_NE(digest, cx_state_digest(&state_));
  shard->sessions_by_start = rows;
  Session("s")->deadline_us = 77;
  EXPECT_EQ(digest, cx_state_digest(&state_)) << "but no lease";
}

TEST_F(StateTest, CountsInTheDigestHowFarBackEventsAreTold) {
  uint64_t digest = cx_state_digest(&state_);
  state_.feed_floor++;
  EXPECT_NE(digest, cx_state_digest(&state_));
  state_.feed_floor--;
  state_.feed_floor_revision++;
  EXPECT_NE(digest, cx_state_digest(&state_));
  state_.feed_floor_revision--;
  EXPECT_EQ(digest, cx_state_digest(&state_));
}

TEST_F(StateTest, ListsSessionsByNamespaceAndStart) {
  std::map<unsigned, List> by_shard;
  for (int i = 0; i < 300; i++) {
    std::string id = "s" + std::to_string(i * 7 % 300);
    ASSERT_EQ(CX_PLAN_CHANGE, Begin(id));
    by_shard[NameKey(id).shard].push_back(id);
  }
  for (auto &each : by_shard) {
    cx_tree_cursor cursor;
    const cx_tree *rows = &state_.shards[each.first].sessions_by_start;
    cx_tree_item *item = cx_tree_seek(&cx_row_class, rows, {}, &cursor);
    for (const std::string &id : each.second) {
      ASSERT_NE(nullptr, item);
      const auto *row = reinterpret_cast<const cx_row *>(item);
      EXPECT_EQ(id, Text(cx_session_row_session(row)));
      EXPECT_EQ(Session(id)->start_revision, cx_session_row_start(row));
      item = cx_tree_next(&cursor);
    }
    EXPECT_EQ(nullptr, item);
  }
}

TEST_F(StateTest, FindsASessionInTheShardOfItsName) {
  Begin("s");
  cx_name_key key;
  cx_session_name name = {cx_bytes_of("default"), cx_bytes_of("s")};
  ASSERT_TRUE(cx_session_key(&key, &name));
  EXPECT_EQ(Session("s"), cx_state_find_session(&state_, &key));
  name.namespace_id = cx_bytes_of("elsewhere");
  ASSERT_TRUE(cx_session_key(&key, &name));
  EXPECT_EQ(nullptr, cx_state_find_session(&state_, &key));
}

TEST_F(StateTest, KnowsNamesThatNoSessionCanHave) {
  cx_name_key key;
  const std::string longest(CX_SESSION_ID_SIZE, 'x'), longer = longest + "x";
  cx_session_name name = {cx_bytes_of("default"), Bytes(longest)};
  EXPECT_TRUE(cx_session_key(&key, &name));
  name.id = Bytes(longer);
  EXPECT_FALSE(cx_session_key(&key, &name));
  name.id = {};
  EXPECT_FALSE(cx_session_key(&key, &name));
}

TEST_F(StateTest, MakesRowsOfSessionsThatAreToldTheirStartLater) {
  cx_session_row_id id;
  cx_row *row;
  cx_session_row_id_init(&id, UINT64_MAX, cx_bytes_of("s"));
  const cx_row_names names = {{cx_bytes_of("n")}, 1, {id.bytes, id.size}};
  ASSERT_EQ(CX_OK, cx_row_new(&names, &row));
  EXPECT_EQ(UINT64_MAX, cx_session_row_start(row));
  cx_session_row_set_start(row, 0x0102030405060708);
  EXPECT_EQ(0x0102030405060708u, cx_session_row_start(row));
  EXPECT_EQ("s", Text(cx_session_row_session(row)));
  EXPECT_EQ(std::string("n\0\1\2\3\4\5\6\7\10s", 11),
            Text(cx_tree_item_key(&cx_row_class, &row->item)));
  cx_tree_item_unref(&cx_row_class, &row->item);
}

TEST_F(StateTest, ReleasesSessionsWithAllThatTheyHave) {
  Create("a");
  Create("b");
  for (const char *id : {"s", "t"}) {
    Begin(id);
    Activate(id, "a");
    Activate(id, "b");
    Acquire(id, "a", std::string("tool of ") + id);
  }
  Activate("s", "b", Exclusive);  // The fixture sees that all is given back.
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
