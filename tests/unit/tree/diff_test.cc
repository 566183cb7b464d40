// What diff.h promises, against a comparison of all that the trees hold. What it costs is
// counted in steps, and held against the entries of the nodes that only one tree has.

extern "C" {
#include "core/tree/diff.h"
#include "core/base/memory.h"
#include "core/tree/tree.h"
#include "core/tree/tree_node.h"
#include "tests/support/fail_nth.h"
}

#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <set>
#include <vector>

#include "tests/support/seed.h"
#include "tests/unit/tree/items.h"

namespace {

using namespace tree_items;

// The items of one key: those of the tree before, and after.
using Difference = std::pair<cx_tree_item *, cx_tree_item *>;

using Items = std::map<std::string, cx_tree_item *>;

Items ItemsOf(const cx_tree &tree) {
  Items items;
  cx_tree_cursor cursor;

  for (cx_tree_item *item = cx_tree_seek(&kKind, &tree, {nullptr, 0}, &cursor); item != nullptr;
       item = cx_tree_next(&cursor)) {
    items.emplace_hint(items.end(), KeyOf(item), item);
  }
  return items;
}

std::vector<Difference> Naive(const cx_tree &before, const cx_tree &after,
                              const std::string &from = "") {
  std::map<std::string, Difference> joined;
  std::vector<Difference> differences;

  for (const auto &[key, item] : ItemsOf(before)) joined[key].first = item;
  for (const auto &[key, item] : ItemsOf(after)) joined[key].second = item;
  for (auto at = joined.lower_bound(from); at != joined.end(); ++at) {
    if (at->second.first != at->second.second) differences.push_back(at->second);
  }
  return differences;
}

cx_tree_item *AnyOf(const Difference &difference) {
  return difference.first != nullptr ? difference.first : difference.second;
}

void CollectNodes(const cx_tree_node *node, std::set<const cx_tree_node *> *nodes) {
  if (node == nullptr) return;
  nodes->insert(node);
  for (size_t i = 0; node->level > 0 && i < node->count; i++) {
    CollectNodes(cx_tree_node_child(node, i), nodes);
  }
}

uint64_t Height(const cx_tree &tree) { return tree.root != nullptr ? tree.root->level + 1u : 0; }

// What is in the nodes that only one of the trees has, each once, and the ways to the first key.
uint64_t StepsAtMost(const cx_tree &before, const cx_tree &after) {
  std::set<const cx_tree_node *> nodes[2];
  std::set<const void *> entries;

  CollectNodes(before.root, &nodes[0]);
  CollectNodes(after.root, &nodes[1]);
  for (int side = 0; side < 2; side++) {
    for (const cx_tree_node *node : nodes[side]) {
      for (size_t i = 0; nodes[1 - side].count(node) == 0 && i < node->count; i++) {
        if (node->level > 0) {
          entries.insert(cx_tree_node_child(node, i));
        } else {
          entries.insert(cx_tree_node_item(node, i));
        }
      }
    }
  }
  return entries.size() + Height(before) + Height(after);
}

class TreeDiffTest : public testing::Test {
 protected:
  TreeDiffTest() : memory_before_(cx_memory_used()), seed_(TestSeed()), random_(seed_) {
    RecordProperty("seed", std::to_string(seed_));
  }

  ~TreeDiffTest() override {
    cx_tree_done(kind_, &before_);
    cx_tree_done(kind_, &after_);
    EXPECT_EQ(0, live) << "items are left";
    EXPECT_EQ(memory_before_, cx_memory_used());
    if (HasFailure()) printf("CONTEXTD_SEED=%" PRIu64 "\n", seed_);
  }

  void Put(cx_tree *tree, const std::string &key) {
    cx_tree_item *old = nullptr;
    ASSERT_EQ(CX_OK, cx_tree_put(kind_, tree, nullptr, NewItem(key, 0), &old));
    cx_tree_item_unref(kind_, old);
  }

  void Remove(cx_tree *tree, const std::string &key) {
    cx_tree_item *old = nullptr;
    ASSERT_EQ(CX_OK, cx_tree_remove(kind_, tree, nullptr, Bytes(key), &old));
    cx_tree_item_unref(kind_, old);
  }

  // Keys in the order of their numbers.
  static std::string Key(int number) { return "key-" + std::to_string(1000000 + number); }

  // Both trees are the same then.
  void Grow(int count) {
    for (int i = 0; i < count; i++) Put(&before_, Key(i));
    after_ = cx_tree_copy(&before_);
  }

  cx_tree_item *Before(const std::string &key) { return cx_tree_get(kind_, &before_, Bytes(key)); }
  cx_tree_item *After(const std::string &key) { return cx_tree_get(kind_, &after_, Bytes(key)); }

  std::vector<Difference> Diff(const cx_tree &before, const cx_tree &after,
                               const std::string &from = "") {
    std::vector<Difference> differences;
    cx_tree_item *item_before = nullptr;
    cx_tree_item *item_after = nullptr;
    cx_tree_diff diff;

    cx_tree_diff_begin(&diff, kind_, &before, &after, Bytes(from));
    while (cx_tree_diff_next(&diff, &item_before, &item_after)) {
      differences.push_back({item_before, item_after});
    }
    step_count_ = diff.step_count;
    return differences;
  }

  std::vector<Difference> Diff(const std::string &from = "") { return Diff(before_, after_, from); }

  // Makes a random change, which may be one of many keys in a row.
  void Change(cx_tree *tree, bool growing) {
    std::string key = NewKey();
    switch (random_() % (growing ? 400 : 60)) {
      case 0:
        return RemoveRun(tree, key, random_() % 200);
      case 1:
        return RemoveRun(tree, "", random_() % 60);
      default:
        return random_() % 10 < (growing ? 2 : 6) ? RemoveRun(tree, key, 1) : Put(tree, key);
    }
  }

  std::string NewKey() {
    if (!kind_->keys_are_short) return RandomKey(&random_, 3000);
    std::string key;
    for (size_t size = random_() % 9; key.size() < size;) key += "\0\1m\xff"[random_() % 4];
    return key;
  }

  void RemoveRun(cx_tree *tree, const std::string &from, size_t count) {
    std::vector<std::string> keys;
    cx_tree_cursor cursor;
    for (cx_tree_item *item = cx_tree_seek(kind_, tree, Bytes(from), &cursor);
         item != nullptr && keys.size() < count; item = cx_tree_next(&cursor)) {
      keys.push_back(KeyOf(item));
    }
    for (const std::string &key : keys) Remove(tree, key);
  }

  // Compares versions that came from one in the end, copied and changed at random.
  void CompareForks(const cx_tree_class *kind);

  const cx_tree_class *kind_ = &kKind;
  cx_tree before_ = {};
  cx_tree after_ = {};
  uint64_t step_count_ = 0;
  int64_t memory_before_;
  uint64_t seed_;
  std::mt19937 random_;
};

TEST_F(TreeDiffTest, TellsEachKeyWithDifferentItemsInOrder) {
  for (const char *key : {"a", "b", "c", "d"}) Put(&before_, key);
  after_ = cx_tree_copy(&before_);
  Remove(&after_, "c");
  Put(&after_, "aa");
  Put(&after_, "e");
  Put(&after_, "b");

  std::vector<Difference> expected = {{nullptr, After("aa")},
                                      {Before("b"), After("b")},
                                      {Before("c"), nullptr},
                                      {nullptr, After("e")}};
  EXPECT_EQ(expected, Diff());
}

TEST_F(TreeDiffTest, ItemsDifferAsObjectsWhateverIsInThem) {
  Grow(200);
  Put(&after_, Key(7));
  cx_tree_item *moved = nullptr;
  cx_tree_item *none = nullptr;
  ASSERT_EQ(CX_OK, cx_tree_remove(kind_, &after_, nullptr, Bytes(Key(99)), &moved));
  ASSERT_EQ(CX_OK, cx_tree_put(kind_, &after_, nullptr, moved, &none));

  std::vector<Difference> expected = {{Before(Key(7)), After(Key(7))}};
  EXPECT_EQ(expected, Diff()) << "an equal one is told, the very same one is not";
}

TEST_F(TreeDiffTest, AllOfATreeDiffersFromAnEmptyOne) {
  EXPECT_EQ(0u, Diff().size());
  for (int i = 0; i < 700; i++) Put(&after_, Key(i));
  std::vector<Difference> added = Diff();
  ASSERT_EQ(700u, added.size());
  EXPECT_EQ(Difference(nullptr, After(Key(0))), added.front());
  EXPECT_EQ(Naive(before_, after_), added);
  EXPECT_EQ(Naive(after_, before_), Diff(after_, before_));
  EXPECT_EQ(20u, Diff(before_, after_, Key(680)).size());
}

TEST_F(TreeDiffTest, BeginsAtTheFirstKeyThatIsNotBeforeAnother) {
  Grow(900);
  for (int i = 0; i < 900; i += 100) Put(&after_, Key(i));
  for (int i = 150; i < 250; i++) Remove(&after_, Key(i));
  for (int i = 0; i < 900; i += 50) Put(&after_, Key(i) + "x");

  std::vector<Difference> expected = Naive(before_, after_);
  ASSERT_EQ(126u, expected.size());
  for (int i = 0; i <= 900; i++) {
    for (const char *end : {"", "w", "x", "y"}) {
      std::string from = Key(i) + end;
      while (!expected.empty() && KeyOf(AnyOf(expected.front())) < from) {
        expected.erase(expected.begin());
      }
      ASSERT_EQ(expected, Diff(from)) << from;
    }
  }
}

TEST_F(TreeDiffTest, WritesNothingAtTheEnd) {
  Grow(3);
  cx_tree_diff diff;
  cx_tree_item *one = Before(Key(1));
  cx_tree_item *two = Before(Key(2));

  cx_tree_diff_begin(&diff, kind_, &before_, &after_, {nullptr, 0});
  for (int i = 0; i < 2; i++) EXPECT_FALSE(cx_tree_diff_next(&diff, &one, &two));
  EXPECT_EQ(Before(Key(1)), one);
  EXPECT_EQ(Before(Key(2)), two);
}

TEST_F(TreeDiffTest, AllocatesNothingAndTakesNoReference) {
  Grow(500);
  Put(&after_, Key(300));
  uint32_t refs = Before(Key(300))->refs;
  fail_nth none;
  cx_tree_diff diff;
  cx_tree_item *one, *two;

  fail_nth_begin(&none, 1);
  cx_tree_diff_begin(&diff, kind_, &before_, &after_, {nullptr, 0});
  EXPECT_TRUE(cx_tree_diff_next(&diff, &one, &two));
  EXPECT_FALSE(fail_nth_end(&none));
  EXPECT_EQ(refs, one->refs);
}

TEST_F(TreeDiffTest, LooksIntoNothingThatBothShare) {
  Grow(100000);
  EXPECT_EQ(0u, Diff().size());
  EXPECT_LE(step_count_, Height(before_));
  for (int i = 0; i < 1000; i++) {
    EXPECT_EQ(0u, Diff(Key(static_cast<int>(random_() % 100100))).size());
    ASSERT_LE(step_count_, Height(before_));
  }
}

TEST_F(TreeDiffTest, CostsWhatWasChangedNotWhatThereIs) {
  Grow(100000);
  for (int i = 0; i < 10; i++) {
    std::string key = Key(static_cast<int>(random_() % 100000));
    if (i % 3 == 0) {
      Remove(&after_, key);
    } else {
      Put(&after_, i % 3 == 1 ? key : key + "x");
    }
  }
  EXPECT_EQ(Naive(before_, after_), Diff());
  EXPECT_LE(step_count_, 1000u);
  EXPECT_LE(step_count_, StepsAtMost(before_, after_));
}

TEST_F(TreeDiffTest, SkipsWhatMovedToOtherPlaces) {
  // What goes or comes at the front moves all behind it, up to another height of the tree.
  for (int count : {1, 35, 1000, 20000, 99000}) {
    SCOPED_TRACE(count);
    Grow(100000);
    for (int i = 0; i < count; i++) Remove(&after_, Key(i));
    EXPECT_EQ(static_cast<size_t>(count), Diff().size());
    EXPECT_LE(step_count_, static_cast<uint64_t>(count + count / 8 + 300));
    EXPECT_EQ(static_cast<size_t>(count), Diff(after_, before_).size());
    EXPECT_LE(step_count_, static_cast<uint64_t>(count + count / 8 + 300));

    for (int i = 0; i < count; i++) Put(&before_, "before-" + Key(i));
    EXPECT_EQ(2 * static_cast<size_t>(count), Diff().size());
    EXPECT_LE(step_count_, static_cast<uint64_t>(2 * (count + count / 8) + 600));
    cx_tree_done(kind_, &before_);
    cx_tree_done(kind_, &after_);
  }
}

void TreeDiffTest::CompareForks(const cx_tree_class *kind) {
  kind_ = kind;
  std::vector<cx_tree> versions(1);
  uint64_t told = 0;

  for (int i = 0; i < 1200; i++) {
    size_t at = random_() % versions.size();
    bool growing = i % 600 < 450;
    int changes = static_cast<int>(random_() % (i < 2 ? 3000 : random_() % 10 == 0 ? 300 : 6));
    for (; changes > 0; changes--) Change(&versions[at], growing);
    if (versions.size() < 10) {
      versions.push_back(cx_tree_copy(&versions[at]));
    } else if (random_() % 5 == 0) {
      // A copy of it takes the place of another; sometimes of all that are left.
      for (size_t n = random_() % 10 == 0 ? versions.size() : 1; n > 0; n--) {
        cx_tree copy = cx_tree_copy(&versions[at]);
        size_t dropped = random_() % versions.size();
        cx_tree_done(kind_, &versions[dropped]);
        versions[dropped] = copy;
      }
    }
    const cx_tree &before = versions[random_() % versions.size()];
    const cx_tree &after = versions[random_() % versions.size()];
    std::string from = random_() % 2 == 0 ? "" : NewKey();
    std::vector<Difference> expected = Naive(before, after, from);
    ASSERT_EQ(expected, Diff(before, after, from)) << i;
    ASSERT_LE(step_count_, StepsAtMost(before, after)) << i;
    told += expected.size();
  }
  EXPECT_GT(told, 10000u);
  for (cx_tree &version : versions) cx_tree_done(kind_, &version);
}

TEST_F(TreeDiffTest, TellsWhatANaiveComparisonTellsOfForksOfForks) { CompareForks(&kKind); }

TEST_F(TreeDiffTest, TellsTheSameOfShortKeys) { CompareForks(&kShort); }

}  // namespace
