// The nodes of trees: what a pool holds, how large nodes are, and how they are searched.

extern "C" {
#include "core/tree/tree_node.h"
#include "core/base/memory.h"
#include "tests/support/fail_nth.h"
}

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/tree/items.h"

namespace {

using namespace tree_items;

TEST(TreePoolTest, HoldsWhatItWasFilledWithUntilItIsTrimmed) {
  int64_t before = cx_memory_used();
  cx_tree_pool pool = {};

  ASSERT_EQ(CX_OK, cx_tree_pool_fill(&pool, 5));
  EXPECT_EQ(5u, pool.count);
  ASSERT_EQ(CX_OK, cx_tree_pool_fill(&pool, 3));
  EXPECT_EQ(5u, pool.count);
  cx_tree_pool_trim(&pool, 9);
  EXPECT_EQ(5u, pool.count);
  cx_tree_pool_trim(&pool, 2);
  EXPECT_EQ(2u, pool.count);
  cx_tree_pool_done(&pool);
  EXPECT_EQ(before, cx_memory_used());
}

TEST(TreePoolTest, KeepsWhatItHasWhenMemoryRunsOut) {
  cx_tree_pool pool = {};
  fail_nth fail;

  fail_nth_begin(&fail, 4);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_tree_pool_fill(&pool, 5));
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(3u, pool.count);
  EXPECT_EQ(CX_OK, cx_tree_pool_fill(&pool, 5));
  cx_tree_pool_done(&pool);
}

class TreeNodeTest : public testing::Test {
 protected:
  TreeNodeTest() {
    if (cx_tree_pool_fill(&pool_, 2) != CX_OK) abort();
    node_ = cx_tree_pool_take(&pool_, 0);
  }
  ~TreeNodeTest() override {
    cx_tree_node_unref(&kKind, node_);
    cx_tree_pool_done(&pool_);
    EXPECT_EQ(0, live);
  }

  void Insert(const std::string &key) {
    bool found;
    size_t index = cx_tree_node_search(&kKind, node_, Bytes(key), &found);
    ASSERT_FALSE(found);
    ASSERT_EQ(nullptr, cx_tree_node_insert(&kKind, node_, &pool_, index, NewItem(key, 0), nullptr));
  }

  cx_tree_pool pool_ = {};
  cx_tree_node *node_;
};

TEST_F(TreeNodeTest, FillsABlockOfTheAllocator) {
  EXPECT_EQ(504u, sizeof(cx_tree_node) + CX_TREE_SLOTS * sizeof(cx_tree_slot));
}

TEST_F(TreeNodeTest, GuessesWhereTheSearchEnds) {
  EXPECT_EQ(0u, cx_tree_node_guess(node_, Bytes("a")));
  for (int i = 10; i < 40; i++) Insert("key-" + std::to_string(i));
  for (const char *key : {"key-10", "key-25", "key-39", "key-255"}) {
    bool found;
    EXPECT_EQ(cx_tree_node_search(&kKind, node_, Bytes(key), &found),
              cx_tree_node_guess(node_, Bytes(key)))
        << key;
  }
}

TEST_F(TreeNodeTest, SkipsWhatItsKeysBeginWith) {
  Insert("default/ctx-1");
  Insert("default/ctx-22");
  EXPECT_EQ(strlen("default/ctx-"), node_->skip);
  EXPECT_EQ(uint64_t{'1'} << 56, node_->slots[0].prefix);
  Insert("defiant");
  EXPECT_EQ(strlen("def"), node_->skip);
}

TEST_F(TreeNodeTest, FindsThePlaceOfEveryKeyWhateverIsSkipped) {
  const std::vector<std::string> keys = {
      "ab", "abcdefgh", "abcdefgh12345678", "abcdefgh12345678x", "abcdefgh12345679", "abd"};
  for (const std::string &key : keys) Insert(key);
  for (size_t i = 0; i < keys.size(); i++) {
    bool found;
    EXPECT_EQ(i, cx_tree_node_search(&kKind, node_, Bytes(keys[i]), &found));
    EXPECT_TRUE(found);
    EXPECT_EQ(i + 1, cx_tree_node_search(&kKind, node_, Bytes(keys[i] + '\0'), &found));
    EXPECT_FALSE(found);
  }
  for (const char *before : {"", "a", "aa", "aazzzzzzzzzzzzzz"}) {
    bool found;
    EXPECT_EQ(0u, cx_tree_node_search(&kKind, node_, Bytes(before), &found)) << before;
    EXPECT_FALSE(found);
  }
  for (const char *behind : {"abe", "ac", "b"}) {
    bool found;
    EXPECT_EQ(keys.size(), cx_tree_node_search(&kKind, node_, Bytes(behind), &found)) << behind;
  }
}

TEST_F(TreeNodeTest, SplitsWhereItsNextItemsAreExpected) {
  for (int i = 0; i < CX_TREE_LEAF_MAX; i++) Insert("key-" + std::to_string(100 + i));
  cx_tree_node *right =
      cx_tree_node_insert(&kKind, node_, &pool_, CX_TREE_LEAF_MAX, NewItem("key-200", 0), nullptr);
  ASSERT_NE(nullptr, right);
  EXPECT_EQ(CX_TREE_LEAF_MAX - 3, node_->count);
  EXPECT_EQ(4, right->count);
  cx_tree_node_unref(&kKind, right);
}

}  // namespace
