// What the ordered map promises in tree.h, against std::map with random changes, with
// every allocation failing in turn, and with copies dropped on other threads.

extern "C" {
#include "core/tree/tree.h"
#include "core/base/memory.h"
#include "tests/support/fail_nth.h"
}

#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <thread>
#include <vector>

#include "tests/support/seed.h"
#include "tests/unit/tree/items.h"

namespace {

using namespace tree_items;

class TreeTest : public testing::Test {
 protected:
  TreeTest() : memory_before_(cx_memory_used()), seed_(TestSeed()), random_(seed_) {
    RecordProperty("seed", std::to_string(seed_));
  }

  ~TreeTest() override {
    cx_tree_done(&kKind, &tree_);
    EXPECT_EQ(0, live) << "items are left";
    EXPECT_EQ(memory_before_, cx_memory_used());
    if (HasFailure()) printf("CONTEXTD_SEED=%" PRIu64 "\n", seed_);
  }

  // Makes one random change of the tree and of the map.
  void Change(int range, int removals_in_ten, cx_tree *tree, Map *map) {
    std::string key = RandomKey(&random_, range);
    if (static_cast<int>(random_() % 10) < removals_in_ten) {
      auto behind = map->lower_bound(key);
      if (behind != map->end() && random_() % 8 != 0) key = behind->first;
      ASSERT_EQ(CX_OK, Remove(tree, key));
      map->erase(key);
    } else {
      int value = static_cast<int>(random_());
      ASSERT_EQ(CX_OK, Put(tree, key, value));
      (*map)[key] = value;
    }
  }

  cx_tree tree_ = {};
  int64_t memory_before_;
  uint64_t seed_;
  std::mt19937 random_;
};

TEST_F(TreeTest, HoldsWhatWasPutAndNotRemoved) {
  for (int range : {5, 40, 3000}) {
    Map map;
    for (int round = 0; round < 6; round++) {
      // Grows, stays, shrinks.
      for (int i = 0; i < 2 * range + 50; i++) Change(range, 1 + 3 * (round % 3), &tree_, &map);
      ASSERT_EQ(map, Content(tree_));
      for (int i = 0; i < 200; i++) {
        std::string key = RandomKey(&random_, range);
        cx_tree_item *item = cx_tree_get(&kKind, &tree_, Bytes(key));
        ASSERT_EQ(map.count(key) != 0, item != nullptr);
        if (item != nullptr) {
          ASSERT_EQ(map[key], ValueOf(item));
        }
      }
    }
    cx_tree_done(&kKind, &tree_);
  }
}

TEST_F(TreeTest, OrdersKeysByTheirBytesWhateverTheyBeginWith) {
  // Every string of up to 4 bytes of an alphabet with the extremes in it, behind
  // beginnings around the sizes of a prefix, put in a random order.
  std::vector<std::string> keys;
  for (size_t size : {0, 7, 8, 254, 255, 256}) {
    for (int i = 0; i < 5 * 5 * 5 * 5; i++) {
      std::string key(size, 'p');
      for (int rest = i; rest > 0; rest /= 5) key += "\0\1m\x7f\xff"[rest % 5];
      keys.push_back(key);
    }
  }
  std::shuffle(keys.begin(), keys.end(), random_);
  Map map;
  for (const std::string &key : keys) {
    ASSERT_EQ(CX_OK, Put(&tree_, key, 1));
    map[key] = 1;
  }
  EXPECT_EQ(map, Content(tree_));
}

TEST_F(TreeTest, HoldsShortKeysWithoutALookAtItsItems) {
  // Keys of 0 to 8 bytes, of an alphabet in which the shorter are filled up with what the longer
  // go on with; grown at the end, then anywhere, then taken out.
  Map map;
  auto change = [&](const std::string &key, bool put) {
    cx_tree_item *old = nullptr;
    if (put) {
      ASSERT_EQ(CX_OK, cx_tree_put(&kShort, &tree_, nullptr, NewItem(key, 1), &old));
      map[key] = 1;
    } else {
      ASSERT_EQ(CX_OK, cx_tree_remove(&kShort, &tree_, nullptr, Bytes(key), &old));
      ASSERT_EQ(map.erase(key) == 1, old != nullptr);
    }
    cx_tree_item_unref(&kShort, old);
  };
  for (uint64_t i = 0; i < 2000; i++) {
    std::string key(8, '\0');
    for (int byte = 0; byte < 8; byte++)
      key[7 - byte] = static_cast<char>((i * 40503) >> (8 * byte));
    change(key, true);
  }
  for (int i = 0; i < 20000; i++) {
    std::string key;
    for (size_t size = random_() % 9; key.size() < size;) key += "\0\1m\xff"[random_() % 4];
    change(key, random_() % 2 == 0);
  }
  for (const auto &[key, value] : Map(map)) {
    cx_tree_item *found = cx_tree_get(&kShort, &tree_, Bytes(key));
    ASSERT_NE(nullptr, found);
    if (random_() % 2 == 0) change(key, false);
  }
  EXPECT_EQ(map, Content(tree_));
}

TEST_F(TreeTest, GivesBackTheItemThatWasReplacedOrRemoved) {
  cx_tree_item *one = NewItem("key", 1);
  cx_tree_item *two = NewItem("key", 2);
  cx_tree_item *old = one;

  ASSERT_EQ(CX_OK, cx_tree_put(&kKind, &tree_, nullptr, one, &old));
  EXPECT_EQ(nullptr, old);
  ASSERT_EQ(CX_OK, cx_tree_put(&kKind, &tree_, nullptr, two, &old));
  EXPECT_EQ(one, old);
  cx_tree_item_unref(&kKind, old);
  ASSERT_EQ(CX_OK, cx_tree_remove(&kKind, &tree_, nullptr, Bytes("other"), &old));
  EXPECT_EQ(nullptr, old);
  ASSERT_EQ(CX_OK, cx_tree_remove(&kKind, &tree_, nullptr, Bytes("key"), &old));
  EXPECT_EQ(two, old);
  EXPECT_EQ(1u, old->refs);
  cx_tree_item_unref(&kKind, old);
  EXPECT_EQ(nullptr, tree_.root);
}

TEST_F(TreeTest, NeitherCopyEverSeesAChangeOfTheOther) {
  struct Version {
    cx_tree tree;
    Map map;
  };
  std::vector<Version> versions(1);

  // Any version may be copied, changed and dropped at any time.
  for (int i = 0; i < 3000; i++) {
    Version &version = versions[random_() % versions.size()];
    for (int n = static_cast<int>(random_() % 8); n > 0; n--) {
      Change(400, i % 1000 < 600 ? 2 : 8, &version.tree, &version.map);
    }
    if (versions.size() < 12) {
      versions.push_back({cx_tree_copy(&version.tree), version.map});
    } else if (random_() % 3 == 0) {
      cx_tree_done(&kKind, &version.tree);
      std::swap(version, versions.back());
      versions.pop_back();
    }
    if (i % 100 == 0) {
      for (const Version &each : versions) ASSERT_EQ(each.map, Content(each.tree));
    }
  }
  for (Version &each : versions) {
    EXPECT_EQ(each.map, Content(each.tree));
    cx_tree_done(&kKind, &each.tree);
  }
}

TEST_F(TreeTest, ChangesInPlaceWhatNobodyElseHolds) {
  for (int i = 0; i < 1000; i++) ASSERT_EQ(CX_OK, Put(&tree_, std::to_string(i), i));
  int64_t memory = cx_memory_used();
  fail_nth none;

  fail_nth_begin(&none, 1);
  for (int i = 0; i < 1000; i++) EXPECT_EQ(CX_OK, Put(&tree_, std::to_string(i), -i));
  EXPECT_FALSE(fail_nth_end(&none));
  EXPECT_EQ(memory, cx_memory_used());
}

TEST_F(TreeTest, IsAsItWasWhenMemoryRunsOut) {
  // Small leaves that grow, full ones that split, and a tree of three levels; alone
  // and shared with a copy.
  for (int count : {0, 1, 3, 7, 15, 31, 700}) {
    for (bool shared : {false, true}) {
      SCOPED_TRACE(testing::Message() << count << (shared ? " shared" : ""));
      cx_tree copy = {};
      Map map;
      for (int i = 0; i < count; i++) {
        std::string key = "key-" + std::to_string(1000 + i);
        ASSERT_EQ(CX_OK, Put(&tree_, key, i));
        map[key] = i;
      }
      if (shared) copy = cx_tree_copy(&tree_);

      for (int step = 0; step < 3; step++) {
        std::string key = step == 0 ? "key-1002x" : "key-1002";
        for (size_t nth = 1;; nth++) {
          fail_nth fail;
          fail_nth_begin(&fail, nth);
          cx_status status = step < 2 ? Put(&tree_, key, 7) : Remove(&tree_, key);
          if (!fail_nth_end(&fail)) {
            ASSERT_EQ(CX_OK, status);
            break;
          }
          ASSERT_EQ(CX_RESOURCE_EXHAUSTED, status);
          ASSERT_EQ(map, Content(tree_));
        }
        if (step < 2) {
          map[key] = 7;
        } else {
          map.erase(key);
        }
        ASSERT_EQ(map, Content(tree_));
      }
      cx_tree_done(&kKind, &copy);
      cx_tree_done(&kKind, &tree_);
      ASSERT_EQ(memory_before_, cx_memory_used());
    }
  }
}

TEST_F(TreeTest, OfFewItemsIsSmall) {
  const int64_t at_most[] = {0, 40, 72, 72, 136, 136, 136, 136, 264, 264, 264};

  for (int count = 0; count <= 10; count++) {
    EXPECT_LE(cx_memory_used() - memory_before_, at_most[count]) << count;
    ASSERT_EQ(CX_OK, Put(&tree_, std::to_string(count), 1));
  }
}

TEST_F(TreeTest, OfFewItemsStaysSmallWhereACopyOfItIsKept) {
  for (int count = 1; count < 15; count++) {
    ASSERT_EQ(CX_OK, Put(&tree_, std::to_string(count), count));
    cx_tree copy = cx_tree_copy(&tree_);
    int64_t memory = cx_memory_used();

    cx_memory_set_hook([](void *, size_t) { return false; }, nullptr);
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_tree_own_few(&kKind, &tree_));
    cx_memory_set_hook(nullptr, nullptr);
    EXPECT_EQ(copy.root, tree_.root);

    ASSERT_EQ(CX_OK, cx_tree_own_few(&kKind, &tree_));
    EXPECT_NE(copy.root, tree_.root);
    EXPECT_EQ(Content(copy), Content(tree_));
    EXPECT_LT(cx_memory_used() - memory, 300);

    cx_tree_pool none = {};  // Nothing is left to be copied.
    ASSERT_EQ(CX_OK, Put(&tree_, "1", -count, &none));
    EXPECT_EQ(-count, Content(tree_)["1"]);
    EXPECT_EQ(count == 1 ? 1 : 1 - count, Content(copy)["1"]);
    cx_tree_done(&kKind, &copy);
  }
}

TEST_F(TreeTest, StaysDenseWhenItGrowsAtItsEndAndWhenItShrinks) {
  const int count = 20000;
  for (int i = 0; i < count; i++) ASSERT_EQ(CX_OK, Put(&tree_, std::to_string(1000000 + i), i));
  EXPECT_LT((cx_memory_used() - memory_before_) / count, 24);

  for (int i = 0; i < count; i++) {
    if (i % 20 == 0) continue;
    ASSERT_EQ(CX_OK, Remove(&tree_, std::to_string(1000000 + i)));
  }
  EXPECT_LT((cx_memory_used() - memory_before_) / (count / 20), 80);
}

TEST_F(TreeTest, CopiesMayBeDroppedOnOtherThreadsWhileOneChanges) {
  Map map;
  for (int i = 0; i < 500; i++) Change(300, 0, &tree_, &map);

  for (int round = 0; round < 20; round++) {
    cx_tree copies[2] = {cx_tree_copy(&tree_), cx_tree_copy(&tree_)};
    Map before = map;
    std::vector<std::thread> threads;
    for (cx_tree &copy : copies) {
      threads.emplace_back([&copy, &before] {
        EXPECT_EQ(before, Content(copy));
        ASSERT_EQ(CX_OK, Put(&copy, "its own", 1));
        cx_tree_done(&kKind, &copy);
      });
    }
    for (int i = 0; i < 200; i++) Change(300, 5, &tree_, &map);
    for (std::thread &thread : threads) thread.join();
  }
  EXPECT_EQ(map, Content(tree_));
}

}  // namespace
