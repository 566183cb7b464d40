// What server/services/entry_block.h promises: sizes to the byte, and what is picked.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/entry_block.h"
}

namespace {

class EntryBlockTest : public ServiceFixture {
 protected:
  ~EntryBlockTest() override {
    cx_snapshot_done(&snapshot_);
    cx_arena_done(&arena_);
  }

  void Take() {
    cx_context_name name = {cx_bytes_of("default"), cx_bytes_of("a")};
    cx_state_at at = {};
    uint64_t wait_for;
    cx_error error;
    ASSERT_EQ(CX_OK, cx_engine_get(engine_, &name, &at, &snapshot_, &wait_for, &error));
  }

  cx_entry_measure Measure(bool with_values) {
    cx_entry_measure measure = {};
    cx_entry_walk walk;
    cx_entry_view entry;
    cx_snapshot_walk(&snapshot_, {}, &walk);
    while (cx_entry_walk_next(&walk, &entry)) cx_entry_measure_add(&measure, &entry, with_values);
    return measure;
  }

  // The packed size of the entries in a message, as protobuf-c has it.
  size_t PackedSize(bool with_values) {
    cx_allocator allocator = cx_allocator_of_arena(&arena_);
    cx_entry_measure measure = Measure(with_values);
    ReadEntriesResponse response = CONTEXTD__V1__READ_ENTRIES_RESPONSE__INIT;
    cx_entry_block block;
    cx_entry_walk walk;
    cx_entry_view entry;
    EXPECT_TRUE(cx_entry_block_init(&block, &allocator, &measure, with_values));
    cx_snapshot_walk(&snapshot_, {}, &walk);
    while (cx_entry_walk_next(&walk, &entry)) cx_entry_block_add(&block, &entry);
    response.entries = block.messages;
    response.n_entries = block.count;
    return protobuf_c_message_get_packed_size(&response.base);
  }

  cx_snapshot snapshot_ = {};
  cx_arena arena_ = {};
};

TEST_F(EntryBlockTest, MeasuresWhatThePackedMessageHas) {
  Mutations mutations;
  for (size_t size : {0, 1, 100, 113, 127, 128, 129, 1024, 1025, 16383, 16384, 60000}) {
    mutations.Put("k" + std::to_string(size), std::string(size, 'v'), std::string(size % 128, 'c'));
  }
  for (int i = 0; i < 200; i++) Put("a", "first", "");
  ASSERT_EQ(CX_OK, Update("a", mutations).status);  // At version 201: two bytes.
  Take();
  EXPECT_EQ(PackedSize(true), Measure(true).packed_size);
  EXPECT_EQ(PackedSize(false), Measure(false).packed_size);
  EXPECT_EQ(13u, Measure(true).count);
}

TEST_F(EntryBlockTest, SaysWhenThereIsNoMemory) {
  cx_allocator none = {[](void *, size_t) -> void * { return nullptr; }, nullptr};
  cx_entry_measure measure = {};
  cx_entry_block block;
  EXPECT_FALSE(cx_entry_block_init(&block, &none, &measure, true));
}

TEST_F(EntryBlockTest, PicksEachEntryOnceInTheOrderOfTheKeys) {
  const std::string alphabet[] = {"a", "b", "b/", "b/1", "b/2", "c"};
  Mutations mutations;
  for (const std::string &key : alphabet) mutations.Put(key, "");
  ASSERT_EQ(CX_OK, Upsert("a", mutations).status);
  Take();
  for (const std::string prefix : {"", "a", "b", "b/", "b/2", "x"}) {
    for (unsigned set = 0; set < 64; set++) {
      std::vector<cx_bytes> keys;
      std::vector<std::string> expected, picked;
      for (unsigned i = 0; i < 6; i++) {
        bool named = (set >> i & 1) != 0;
        bool all = prefix.empty() && set == 0;
        if (named) keys.push_back(Bytes(alphabet[i]));
        if (named || all || (!prefix.empty() && alphabet[i].rfind(prefix, 0) == 0)) {
          expected.push_back(alphabet[i]);
        }
      }
      cx_get_query query = {};
      cx_entry_picker picker;
      cx_entry_view entry;
      query.keys = keys.data();
      query.key_count = keys.size();
      query.key_prefix = Bytes(prefix);
      cx_entry_picker_init(&picker, &snapshot_, &query);
      while (cx_entry_picker_next(&picker, &entry)) picked.push_back(Text(entry.key));
      EXPECT_EQ(expected, picked) << prefix << " " << set;
    }
  }
}

}  // namespace
