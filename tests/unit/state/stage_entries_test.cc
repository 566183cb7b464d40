// What stage_entries.h promises: steps on entries, one in place or several on a copy, come to
// the same.

#include "tests/unit/state/state_fixture.h"

#include <map>
#include <random>

namespace {

class StageEntriesTest : public StateFixture {
 protected:
  using Entries = std::map<std::string, std::string>;

  Entries EntriesOf(const std::string &id) {
    Entries entries;
    cx_tree_cursor cursor;
    const cx_context *context = Find(id);
    cx_tree_item *item = cx_tree_seek(&cx_entry_class, &context->entries, {}, &cursor);
    uint64_t size_bytes = 0;
    for (; item != nullptr; item = cx_tree_next(&cursor)) {
      const cx_entry *entry = cx_entry_of(item);
      std::string value(cx_entry_value_size(entry), '\0');
      cx_entry_read(entry, reinterpret_cast<uint8_t *>(&value[0]), value.size());
      entries[Text(cx_entry_key(entry))] = value;
      size_bytes += cx_entry_weight(entry);
    }
    EXPECT_EQ(entries.size(), context->entry_count);
    EXPECT_EQ(size_bytes, context->size_bytes);
    return entries;
  }
};

TEST_F(StageEntriesTest, ComesToTheSameOneByOneAndAllAtOnce) {
  const unsigned seed = 9;
  std::mt19937 random(seed);
  std::string text(12000, ' ');
  for (char &c : text) c = static_cast<char>('a' + random() % 26);
  for (int round = 0; round < 200; round++) {
    Mutations together;
    Create("single"), Create("together");
    for (unsigned i = 2 + random() % 8; i > 0; i--) {
      Mutations one;
      std::string key = (random() % 2 == 0 ? "a" : "b") + std::to_string(random() % 3);
      std::string value = text.substr(0, random() % text.size());
      for (Mutations *list : {&one, &together}) {
        switch (round % 2 == 0 ? i % 3 : i % 4) {
          case 0:
            list->Put(key, value);
            break;
          case 1:
            list->Append(key, value.substr(0, 2000));
            break;
          case 2:
            list->Delete(key);
            break;
          default:
            list->DeletePrefix(key.substr(0, 1));
            break;
        }
      }
      ASSERT_EQ(CX_PLAN_CHANGE, Update("single", one));
    }
    ASSERT_EQ(CX_PLAN_CHANGE, Update("together", together));
    ASSERT_EQ(EntriesOf("single"), EntriesOf("together")) << "seed " << seed;
    if (round % 20 == 0) ExpectReplayGivesTheSame();
    Delete("single", false, true), Delete("together", false, true);
  }
}

TEST_F(StageEntriesTest, LogsOfAPutWhatFollowsTheValueBeforeIt) {
  std::string value(CX_PUT_KEPT_MIN, 'x');
  Create("a", {}, Mutations().Put("k", value));
  Update("a", Mutations().Put("k", value + "tail"));
  EXPECT_LT(log_.back().payload.size(), 100u);
  Update("a", Mutations().Put("k", value.substr(1) + "y"));
  EXPECT_GT(log_.back().payload.size(), value.size()) << "too little is the same";
  EXPECT_EQ(value.substr(1) + "y", EntriesOf("a")["k"]);
  ExpectReplayGivesTheSame();
}

TEST_F(StageEntriesTest, RefusesInAReplayToKeepMoreThanThereWas) {
  Create("a", {}, Mutations().Put("k", "short"));
  cx_op op = {};
  cx_change_item item = {};
  cx_change change = {};
  cx_buffer encoded = {};
  uint64_t digest;
  op.kind = CX_MUTATION_PUT;
  op.key = cx_bytes_of("k");
  op.kept = 6;
  item.kind = CX_ITEM_UPDATE;
  item.id = cx_bytes_of("a");
  item.version = 2;
  item.ops = &op;
  item.op_count = 1;
  change.kind = CX_CHANGE_CONTEXTS;
  change.namespace_id = cx_bytes_of("default");
  change.items = &item;
  change.item_count = 1;
  item.head = items_[0].head;  // As long as all is kept, its numbers stay.
  item.head.create_time_us = plan_.now_us;
  for (uint64_t kept : {uint64_t{6}, UINT64_MAX, uint64_t{5}}) {
    op.kept = kept;
    encoded.size = 0;
    ASSERT_EQ(CX_OK, cx_change_encode(&change, &encoded));
    std::vector<Record> log = log_;
    log.push_back({Text(cx_buffer_bytes(&encoded)), revision_ + 1, plan_.now_us});
    EXPECT_EQ(kept == 5 ? CX_OK : CX_DATA_LOSS, Replay(log, &digest)) << kept;
  }
  cx_buffer_done(&encoded);
}

TEST_F(StageEntriesTest, FailsAsAWholeWhenAStepFails) {
  Create("a", {}, Mutations().Put("k", "v"));
  std::string large(plan_.value_size_max + 1, 'x');
  for (const Mutations &mutations :
       {Mutations().Put("x", "y").Put("k", large), Mutations().Put("k", large),
        Mutations().Delete("k").AppendAt("k", "w", 1), Mutations().AppendAt("k", "w", 2)}) {
    EXPECT_EQ(CX_PLAN_FAILED, Update("a", mutations));
    EXPECT_EQ((Entries{{"k", "v"}}), EntriesOf("a"));
  }
}

}  // namespace
