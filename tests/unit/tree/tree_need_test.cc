// With the nodes in the pool that were asked for, no change fails or allocates:
// whatever the order, whatever is shared, whatever the changes make of the tree.

extern "C" {
#include "core/base/memory.h"
#include "core/tree/tree_node.h"
#include "tests/support/fail_nth.h"
}

#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <vector>

#include "tests/support/seed.h"
#include "tests/unit/tree/items.h"

namespace {

using namespace tree_items;

struct ChangeOf {
  size_t tree;
  bool remove;
  std::string key;
  int value;
};

class TreeNeedTest : public testing::Test {
 protected:
  TreeNeedTest() : memory_before_(cx_memory_used()), seed_(TestSeed()), random_(seed_) {}

  ~TreeNeedTest() override {
    for (cx_tree &tree : trees_) cx_tree_done(&kKind, &tree);
    cx_tree_pool_done(&pool_);
    EXPECT_EQ(0, live);
    EXPECT_EQ(memory_before_, cx_memory_used());
    if (HasFailure()) printf("CONTEXTD_SEED=%" PRIu64 "\n", seed_);
  }

  static std::string Key(int number) { return "default-key-" + std::to_string(100000 + number); }

  cx_status Need(cx_tree_need *need, const ChangeOf &change) {
    return (change.remove ? cx_tree_need_remove : cx_tree_need_put)(
        need, &kKind, &trees_[change.tree], Bytes(change.key));
  }

  // Makes all changes with exactly the nodes that they need.
  void Make(std::vector<ChangeOf> changes, bool shuffled = true) {
    cx_tree_need need = {};
    for (const ChangeOf &change : changes) ASSERT_EQ(CX_OK, Need(&need, change));
    ASSERT_EQ(CX_OK, cx_tree_pool_fill(&pool_, need.count));
    cx_tree_pool_trim(&pool_, need.count);
    cx_tree_need_done(&need);

    if (shuffled) std::shuffle(changes.begin(), changes.end(), random_);
    fail_nth none;
    fail_nth_begin(&none, 1);
    for (const ChangeOf &change : changes) {
      cx_tree *tree = &trees_[change.tree];
      if (change.remove) {
        EXPECT_EQ(CX_OK, Remove(tree, change.key, &pool_));
        maps_[change.tree].erase(change.key);
      } else {
        EXPECT_EQ(CX_OK, Put(tree, change.key, change.value, &pool_));
        maps_[change.tree][change.key] = change.value;
      }
    }
    EXPECT_FALSE(fail_nth_end(&none));
    for (size_t i = 0; i < 3; i++) ASSERT_EQ(maps_[i], Content(trees_[i]));
  }

  cx_tree trees_[3] = {};
  Map maps_[3];
  cx_tree_pool pool_ = {};
  int64_t memory_before_;
  uint64_t seed_;
  std::mt19937 random_;
};

TEST_F(TreeNeedTest, ChangesNeverRunOutOfNodesThatTheyNeed) {
  for (int round = 0; round < 400; round++) {
    // Sometimes the trees share everything, sometimes a little, sometimes nothing.
    if (random_() % 4 == 0) {
      size_t to = random_() % 3;
      size_t from = random_() % 3;
      if (to != from) {
        cx_tree_done(&kKind, &trees_[to]);
        trees_[to] = cx_tree_copy(&trees_[from]);
        maps_[to] = maps_[from];
      }
    }
    // One place of the tree or all of it; growing or shrinking.
    int range = random_() % 2 ? 3000 : 60;
    int start = static_cast<int>(random_() % 3000);
    unsigned removals = random_() % 11;
    size_t count = random_() % 5 == 0 ? random_() % 800 : random_() % 12;
    std::vector<ChangeOf> changes;
    for (size_t i = 0; i < count; i++) {
      changes.push_back({random_() % 3, random_() % 10 < removals,
                         Key(start + static_cast<int>(random_() % range)), round});
    }
    Make(changes);
    if (HasFatalFailure() || HasFailure()) return;
  }
}

TEST_F(TreeNeedTest, CountsTheNeighbourToWhichAKeyMovesWhenTheItemBeforeItGoes) {
  // Nothing is left over here: the neighbour is another child of a full root, it and
  // its last leaf are full, and all of it is shared.
  cx_tree *tree = &trees_[0];
  for (int i = 0;
       tree->root == nullptr || tree->root->level < 2 || tree->root->count < CX_TREE_INNER_MAX;
       i++) {
    ASSERT_EQ(CX_OK, Put(tree, Key(i), i));
  }
  const cx_tree_node *neighbour = cx_tree_node_child(tree->root, 9);
  const std::string first = KeyOf(cx_tree_node_item(neighbour, 0));
  for (int i = 0; neighbour->count < CX_TREE_INNER_MAX; i++) {
    ASSERT_EQ(CX_OK, Put(tree, first + Key(i), i));
  }
  const cx_tree_node *leaf = cx_tree_node_child(neighbour, CX_TREE_INNER_MAX - 1);
  const std::string last = KeyOf(cx_tree_node_item(leaf, leaf->count - 1));
  for (int i = 0; leaf->count < CX_TREE_LEAF_MAX; i++) {
    ASSERT_EQ(CX_OK, Put(tree, last + Key(i), i));
  }
  ASSERT_EQ(CX_TREE_INNER_MAX, tree->root->count);
  const std::string moves = KeyOf(cx_tree_node_item(cx_tree_node_child(tree->root, 10), 0));
  trees_[1] = cx_tree_copy(tree);
  maps_[0] = maps_[1] = Content(*tree);

  Make({{0, true, moves, 0}, {0, false, moves + "x", 1}}, /*shuffled=*/false);
  EXPECT_EQ(3, tree->root->level);
  EXPECT_EQ(CX_TREE_INNER_MAX, trees_[1].root->count);
}

TEST_F(TreeNeedTest, CountsANodeOncePerTree) {
  for (int i = 0; i < 100; i++) ASSERT_EQ(CX_OK, Put(&trees_[0], Key(i), i));
  trees_[1] = cx_tree_copy(&trees_[0]);
  cx_tree_need need = {};

  ASSERT_EQ(CX_OK, Need(&need, {0, false, Key(50), 0}));
  size_t first = need.count;
  EXPECT_EQ(2u * 2 + 2, first);  // Root and leaf, each copied and split; a new root, and one more.
  ASSERT_EQ(CX_OK, Need(&need, {1, false, Key(50), 0}));
  EXPECT_EQ(2 * first, need.count);
  ASSERT_EQ(CX_OK, Need(&need, {0, false, Key(50), 0}));
  EXPECT_EQ(2 * first + 2, need.count);
  cx_tree_need_done(&need);
}

TEST_F(TreeNeedTest, ReplacingAndRemovingInAnUnsharedTreeTakesNothing) {
  for (int i = 0; i < 1000; i++) ASSERT_EQ(CX_OK, Put(&trees_[0], Key(i), i));
  cx_tree_pool empty = {};

  for (int i = 0; i < 1000; i++) {
    if (i % 3 == 0) {
      ASSERT_EQ(CX_OK, Remove(&trees_[0], Key(i), &empty));
    } else {
      ASSERT_EQ(CX_OK, Put(&trees_[0], Key(i), -i, &empty));
    }
  }
}

TEST_F(TreeNeedTest, OneChangeCountsWithoutAllocating) {
  for (int i = 0; i < 20000; i++) ASSERT_EQ(CX_OK, Put(&trees_[0], Key(i), i));
  fail_nth none;
  cx_tree_need need = {};

  fail_nth_begin(&none, 1);
  EXPECT_EQ(CX_OK, Need(&need, {0, false, Key(77), 0}));
  EXPECT_EQ(CX_OK, Need(&need, {0, true, Key(7777), 0}));
  EXPECT_FALSE(fail_nth_end(&none));
  EXPECT_LE(need.count, 20u);
  cx_tree_need_done(&need);
}

TEST_F(TreeNeedTest, SaysSoWhenThereIsNoMemoryToCountIn) {
  for (int i = 0; i < 20000; i++) ASSERT_EQ(CX_OK, Put(&trees_[0], Key(i), i));
  fail_nth fail;
  cx_tree_need need = {};
  cx_status status = CX_OK;

  fail_nth_begin(&fail, 1);
  for (int i = 0; i < 20000 && status == CX_OK; i += 100) {
    status = Need(&need, {0, false, Key(i), 0});
  }
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status);
  cx_tree_need_done(&need);
}

}  // namespace
