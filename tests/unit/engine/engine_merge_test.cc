// What engine_merge.h promises: pieces of one list, walked as one, while the list goes on.

#include "tests/support/engine_fixture.h"

extern "C" {
#include "core/base/memory.h"
#include "core/engine/engine_merge.h"
}

namespace {

class EngineMergeTest : public EngineFixture {
 protected:
  using Ids = std::vector<std::string>;

  void SetUp() override {
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    merge_.kind = &cx_row_class;
    merge_.id_of = [](const cx_tree_item *item) {
      return cx_row_id(reinterpret_cast<const cx_row *>(item));
    };
  }

  void TearDown() override {
    cx_merge_done(&merge_);
    for (cx_tree &piece : pieces_) cx_tree_done(&cx_row_class, &piece);
    cx_arena_done(&arena_);
  }

  static cx_row_names Names(const char *list, const std::string &id) {
    return {{cx_bytes_of(list)}, 1, Bytes(id)};
  }

  void Add(unsigned shard, const std::string &id, const char *list = "list") {
    cx_row_names names = Names(list, id);
    cx_row *row;
    cx_tree_item *old;
    ASSERT_EQ(CX_OK, cx_row_new(&names, &row));
    ASSERT_EQ(CX_OK, cx_tree_put(&cx_row_class, &pieces_[shard], nullptr, &row->item, &old));
  }

  cx_bytes Key(const std::string &id) {
    cx_row_names names = Names("list", id);
    cx_bytes key = {};
    EXPECT_EQ(CX_OK, cx_row_key(&arena_, &names, &key));
    return key;
  }

  void Begin(const std::string &start = "", const std::string &after = "") {
    merge_.prefix = Key("");
    cx_bytes key = Key(start);
    for (unsigned shard = 0; shard < CX_SHARDS; shard++) {
      cx_merge_open(&merge_, engine_, shard, &pieces_[shard], key, Bytes(after));
    }
    cx_merge_begin(&merge_);
  }

  // The rest of the walk.
  Ids Walk() {
    Ids ids;
    cx_bytes id;
    while (cx_merge_first(&merge_, &id) != nullptr) {
      ids.push_back(Text(id));
      cx_merge_advance(&merge_);
    }
    return ids;
  }

  cx_arena arena_ = {};
  cx_tree pieces_[CX_SHARDS] = {};
  cx_merge merge_ = {};
};

TEST_F(EngineMergeTest, WalksAllPiecesInTheOrderOfIds) {
  Ids all;
  for (unsigned i = 100; i < 700; i++) {
    all.push_back("id" + std::to_string(i));
    Add(i * 7919 % 97 % CX_SHARDS, all.back());
  }
  Begin();
  EXPECT_EQ(all, Walk());
}

TEST_F(EngineMergeTest, EndsWhereThePrefixDoes) {
  Add(3, "x", "lis");
  Add(3, "a");
  Add(4, "b");
  Add(4, "x", "list2");
  Begin();
  EXPECT_EQ((Ids{"a", "b"}), Walk());
}

TEST_F(EngineMergeTest, BeginsWithTheStartAndWithoutTheIdThatItGoesOnBehind) {
  for (unsigned i = 0; i < 10; i++) Add(i, "id" + std::to_string(i));
  Begin("id4", "id4");
  EXPECT_EQ((Ids{"id5", "id6", "id7", "id8", "id9"}), Walk());
  cx_merge_done(&merge_);
  merge_.source_count = 0;
  Begin("id4x", "id4x");
  EXPECT_EQ("id5", Walk()[0]) << "also where that is gone";
}

TEST_F(EngineMergeTest, ShowsWhatWasThereWhenItBegan) {
  for (unsigned i = 0; i < 10; i++) Add(i % 3, "id" + std::to_string(i));
  Begin();
  cx_bytes id;
  ASSERT_NE(nullptr, cx_merge_first(&merge_, &id));
  for (cx_tree &piece : pieces_) cx_tree_done(&cx_row_class, &piece);
  Add(5, "id55");
  EXPECT_EQ(10u, Walk().size());
}

TEST_F(EngineMergeTest, EndsAtOnceWhereThereIsNothing) {
  Begin();
  cx_bytes id;
  EXPECT_EQ(nullptr, cx_merge_first(&merge_, &id));
  cx_merge_advance(&merge_);
  EXPECT_EQ(nullptr, cx_merge_first(&merge_, &id));
}

}  // namespace
