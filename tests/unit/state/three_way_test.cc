// What three_way.h promises, with trees and lists that came from one, and against a naive
// merge of maps.

#include <gtest/gtest.h>

extern "C" {
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/three_way.h"
#include "tests/support/fail_nth.h"
}

#include <cinttypes>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/requests.h"
#include "tests/support/seed.h"

namespace {

using Map = std::map<std::string, std::string>;

// "key kind" for each step.
using Told = std::vector<std::string>;

const char *NameOf(cx_three_way_kind kind) {
  const char *const names[] = {"", "take", "same", "conflict"};
  return names[kind];
}

Told Naive(const Map &ancestor, const Map &target, const Map &source) {
  Told steps;
  Map keys = ancestor;
  auto at = [](const Map &map, const std::string &key) {
    auto found = map.find(key);
    return found != map.end() ? "=" + found->second : "";
  };

  keys.insert(source.begin(), source.end());
  for (const auto &[key, unused] : keys) {
    std::string a = at(ancestor, key), t = at(target, key), s = at(source, key);
    if (a == s) continue;
    steps.push_back(key + (t == s ? " same" : t == a ? " take" : " conflict"));
  }
  return steps;
}

// ---- Entries. -----------------------------------------------------------------------

class ThreeWayTest : public testing::Test {
 protected:
  ThreeWayTest() : before_(cx_memory_used()), seed_(TestSeed()), random_(seed_) {
    EXPECT_EQ(CX_OK, cx_chunk_table_new(&table_));
    RecordProperty("seed", std::to_string(seed_));
  }

  ~ThreeWayTest() override {
    for (cx_tree *tree : {&ancestor_, &target_, &source_}) cx_tree_done(&cx_entry_class, tree);
    cx_chunk_table_free(table_);
    EXPECT_EQ(before_, cx_memory_used()) << "everything is given back";
    if (HasFailure()) printf("CONTEXTD_SEED=%" PRIu64 "\n", seed_);
  }

  // Sets an entry to the first `kept` bytes of what it is and `value`. Every one is of a version
  // of its own.
  void Put(cx_tree *tree, const std::string &key, const std::string &value,
           const std::string &type = "", uint64_t kept = 0) {
    cx_tree_item *old = cx_tree_get(&cx_entry_class, tree, Bytes(key));
    cx_entry_parts parts = {Bytes(key), Bytes(type),
                            ++version_, kept > 0 ? cx_entry_of(old) : nullptr,
                            kept,       Bytes(value)};
    cx_entry *entry = nullptr;
    ASSERT_EQ(CX_OK, cx_entry_new(table_, &parts, &entry));
    ASSERT_EQ(CX_OK, cx_tree_put(&cx_entry_class, tree, nullptr, &entry->item, &old));
    cx_tree_item_unref(&cx_entry_class, old);
  }

  void Remove(cx_tree *tree, const std::string &key) {
    cx_tree_item *old = nullptr;
    ASSERT_EQ(CX_OK, cx_tree_remove(&cx_entry_class, tree, nullptr, Bytes(key), &old));
    cx_tree_item_unref(&cx_entry_class, old);
  }

  // Target and source come from the ancestor as it is.
  void Fork() {
    target_ = cx_tree_copy(&ancestor_);
    source_ = cx_tree_copy(&ancestor_);
  }

  static cx_entry *Get(const cx_tree &tree, cx_bytes key) {
    return cx_entry_of(cx_tree_get(&cx_entry_class, &tree, key));
  }

  // What a walk tells, which names what the trees have.
  Told Walk() {
    Told steps;
    cx_three_way walk;
    cx_three_way_step step;

    cx_three_way_begin(&walk, &ancestor_, &target_, &source_);
    while (cx_three_way_next(&walk, &step)) {
      steps.push_back(Text(step.key) + " " + NameOf(step.kind));
      EXPECT_EQ(Get(ancestor_, step.key), step.ancestor) << Text(step.key);
      EXPECT_EQ(Get(target_, step.key), step.target) << Text(step.key);
      EXPECT_EQ(Get(source_, step.key), step.source) << Text(step.key);
    }
    step_count_ = walk.changes.step_count;
    return steps;
  }

  // Does what the steps say that is to be taken.
  void Merge() {
    cx_tree merged = cx_tree_copy(&target_);
    cx_three_way walk;
    cx_three_way_step step;
    cx_tree_item *old = nullptr;

    cx_three_way_begin(&walk, &ancestor_, &target_, &source_);
    while (cx_three_way_next(&walk, &step)) {
      if (step.kind != CX_THREE_WAY_TAKE) continue;
      if (step.source == nullptr) {
        Remove(&merged, Text(step.key));
        continue;
      }
      cx_tree_item_ref(&step.source->item);
      ASSERT_EQ(CX_OK, cx_tree_put(&cx_entry_class, &merged, nullptr, &step.source->item, &old));
      cx_tree_item_unref(&cx_entry_class, old);
    }
    cx_tree_done(&cx_entry_class, &target_);
    target_ = merged;
  }

  // Content types and values, by key.
  static Map Content(const cx_tree &tree) {
    Map content;
    cx_tree_cursor cursor;
    for (cx_tree_item *item = cx_tree_seek(&cx_entry_class, &tree, {}, &cursor); item != nullptr;
         item = cx_tree_next(&cursor)) {
      cx_entry *entry = cx_entry_of(item);
      std::string value(cx_entry_value_size(entry), '\0');
      cx_entry_read(entry, reinterpret_cast<uint8_t *>(&value[0]), value.size());
      content[Text(cx_entry_key(entry))] = Text(cx_entry_content_type(entry)) + ":" + value;
    }
    return content;
  }

  // Of few values, so that two often come to the same; some of them are made of chunks.
  void ChangeAtRandom(cx_tree *tree, int keys) {
    std::string key = std::to_string(random_() % static_cast<unsigned>(keys));
    cx_tree_item *item = cx_tree_get(&cx_entry_class, tree, Bytes(key));
    uint64_t size = item != nullptr ? cx_entry_value_size(cx_entry_of(item)) : 0;

    switch (random_() % 6) {
      case 0:
        return Remove(tree, key);
      case 1:
        return Put(tree, key, std::string(1500, 'a'));
      case 2:  // The same as above, where 1000 bytes of that are kept.
        return Put(tree, key, std::string(500, 'a'), "", size >= 1000 ? 1000 : 0);
      default:
        return Put(tree, key, std::string(random_() % 3, 'v'), random_() % 4 == 0 ? "type" : "");
    }
  }

  int64_t before_;
  uint64_t seed_;
  std::mt19937 random_;
  cx_chunk_table *table_ = nullptr;
  cx_tree ancestor_ = {};
  cx_tree target_ = {};
  cx_tree source_ = {};
  uint64_t version_ = 0;
  uint64_t step_count_ = 0;
};

TEST_F(ThreeWayTest, WhatOnlyTheSourceChangedIsToBeTaken) {
  for (const char *key : {"a", "b", "c", "d"}) Put(&ancestor_, key, "old");
  Fork();
  Put(&source_, "b", "new");
  Remove(&source_, "c");
  Put(&source_, "e", "");
  EXPECT_EQ((Told{"b take", "c take", "e take"}), Walk());
}

TEST_F(ThreeWayTest, NothingIsToldOfWhatOnlyTheTargetChanged) {
  for (const char *key : {"a", "b", "c"}) Put(&ancestor_, key, "old");
  Fork();
  Put(&target_, "a", "new");
  Remove(&target_, "b");
  Put(&target_, "d", "new");
  EXPECT_EQ(Told{}, Walk());
}

TEST_F(ThreeWayTest, WhereBothCameToTheSameThereIsNothingToDo) {
  std::string large(5000, 'x');
  for (const char *key : {"a", "b", "c"}) Put(&ancestor_, key, "old");
  Put(&ancestor_, "large", large);
  Fork();
  for (cx_tree *tree : {&target_, &source_}) {
    Put(tree, "a", "new");
    Remove(tree, "b");
    Put(tree, "d", "new");
  }
  Put(&target_, "large", large + "more");
  Put(&source_, "large", "more", "", large.size());
  EXPECT_EQ((Told{"a same", "b same", "d same", "large same"}), Walk());
}

TEST_F(ThreeWayTest, WhereBothChangedItDifferentlyIsAConflict) {
  for (const char *key : {"changed", "removed", "stays"}) Put(&ancestor_, key, "old");
  Put(&ancestor_, "removed by source", "old");
  Put(&ancestor_, "removed by target", "old");
  Fork();
  for (cx_tree *tree : {&target_, &source_}) {
    std::string value = tree == &target_ ? "target's" : "source's";
    Put(tree, "added", value);
    Put(tree, "changed", value);
  }
  Put(&target_, "removed by source", "new");
  Remove(&source_, "removed by source");
  Remove(&target_, "removed by target");
  Put(&source_, "removed by target", "new");
  EXPECT_EQ((Told{"added conflict", "changed conflict", "removed by source conflict",
                  "removed by target conflict"}),
            Walk());
}

TEST_F(ThreeWayTest, WhatWasPutAnewAsItWasIsUnchanged) {
  std::string large(5000, 'x');
  for (const char *key : {"source", "target", "removed"}) Put(&ancestor_, key, large, "type");
  Fork();
  Put(&source_, "source", large, "type");
  Put(&target_, "source", "new", "type");
  Put(&target_, "target", large, "type");
  Put(&source_, "target", "new", "type");
  Put(&target_, "removed", large, "type");
  Remove(&source_, "removed");
  EXPECT_EQ((Told{"removed take", "target take"}), Walk());
}

TEST_F(ThreeWayTest, AnotherContentTypeIsAChange) {
  for (const char *key : {"conflict", "same", "take"}) Put(&ancestor_, key, "value", "old");
  Fork();
  for (const char *key : {"conflict", "same", "take"}) Put(&source_, key, "value", "new");
  Put(&target_, "same", "value", "new");
  Put(&target_, "conflict", "value", "other");
  EXPECT_EQ((Told{"conflict conflict", "same same", "take take"}), Walk());
}

TEST_F(ThreeWayTest, WorksWithoutAnAncestorAndWithEmptySides) {
  EXPECT_EQ(Told{}, Walk());
  Put(&source_, "a", "1");
  Put(&source_, "b", "2");
  Put(&source_, "c", "3");
  EXPECT_EQ((Told{"a take", "b take", "c take"}), Walk());
  Put(&target_, "b", "2");
  Put(&target_, "c", "4");
  EXPECT_EQ((Told{"a take", "b same", "c conflict"}), Walk());
}

TEST_F(ThreeWayTest, WritesNothingAtTheEnd) {
  cx_three_way walk;
  cx_three_way_step step = {CX_THREE_WAY_SAME, {}, nullptr, nullptr, nullptr};
  cx_three_way_begin(&walk, &ancestor_, &target_, &source_);
  EXPECT_FALSE(cx_three_way_next(&walk, &step));
  EXPECT_EQ(CX_THREE_WAY_SAME, step.kind);
}

TEST_F(ThreeWayTest, AllocatesNothingAndTakesNoReference) {
  Put(&ancestor_, "a", "old");
  Fork();
  Put(&source_, "a", "new");
  cx_three_way walk;
  cx_three_way_step step;
  fail_nth none;
  fail_nth_begin(&none, 1);
  cx_three_way_begin(&walk, &ancestor_, &target_, &source_);
  EXPECT_TRUE(cx_three_way_next(&walk, &step));
  EXPECT_FALSE(fail_nth_end(&none));
  EXPECT_EQ(1u, step.source->item.refs);
}

TEST_F(ThreeWayTest, CostsWhatTheSourceChangedWhateverTheTargetDid) {
  auto key = [](int number) { return "key-" + std::to_string(1000000 + number); };
  for (int i = 0; i < 100000; i++) Put(&ancestor_, key(i), "old");
  Fork();
  for (int i = 0; i < 100000; i += 2) Put(&target_, key(i), "new");
  for (int i = 0; i < 10; i++) Put(&source_, key(10007 * i), "other");
  EXPECT_EQ(10u, Walk().size());
  EXPECT_LE(step_count_, 1000u);
}

TEST_F(ThreeWayTest, MergesLikeMaps) {
  size_t told[4] = {};
  for (int round = 0; round < 120; round++) {
    int keys = round % 2 == 0 ? 30 : 1500;
    for (int i = 0; i < keys; i++) ChangeAtRandom(&ancestor_, keys);
    Fork();
    for (unsigned n = random_() % 300; n > 0; n--) ChangeAtRandom(&target_, keys);
    for (unsigned n = random_() % 300; n > 0; n--) ChangeAtRandom(&source_, keys);

    Map ancestor = Content(ancestor_), target = Content(target_), source = Content(source_);
    Told expected = Naive(ancestor, target, source), left, same;
    ASSERT_EQ(expected, Walk()) << round;
    for (const std::string &step : expected) {
      std::string name = step.substr(0, step.find(' '));
      std::string kind = step.substr(name.size() + 1);
      told[kind == "take" ? 1 : kind == "same" ? 2 : 3]++;
      left.push_back(kind == "take" ? name + " same" : step);
      if (kind != "take") continue;
      target.erase(name);
      if (source.count(name) != 0) target[name] = source[name];
    }
    Merge();
    ASSERT_EQ(target, Content(target_)) << round;
    ASSERT_EQ(left, Walk()) << "there is nothing left to take";
    for (cx_tree *tree : {&ancestor_, &target_, &source_}) cx_tree_done(&cx_entry_class, tree);
  }
  for (int kind = 1; kind <= 3; kind++) EXPECT_GT(told[kind], 100u) << kind;
}

// ---- Labels. ------------------------------------------------------------------------

// Borrows from the maps.
std::vector<cx_label> ListOf(const Map &map) {
  std::vector<cx_label> list;
  for (const auto &[key, value] : map) list.push_back({Bytes(key), Bytes(value)});
  return list;
}

Told WalkLabels(const Map &ancestor, const Map &target, const Map &source) {
  std::vector<cx_label> lists[] = {ListOf(ancestor), ListOf(target), ListOf(source)};
  Told steps;
  cx_three_way_labels walk;
  cx_three_way_label_step step;
  auto list = [&](int side) { return cx_label_list{lists[side].data(), lists[side].size()}; };
  auto find = [&](int side, cx_bytes key) { return cx_label_find(list(side), key); };

  cx_three_way_labels_begin(&walk, list(0), list(1), list(2));
  while (cx_three_way_labels_next(&walk, &step)) {
    steps.push_back(Text(step.key) + " " + NameOf(step.kind));
    EXPECT_EQ(find(0, step.key), step.ancestor) << Text(step.key);
    EXPECT_EQ(find(1, step.key), step.target) << Text(step.key);
    EXPECT_EQ(find(2, step.key), step.source) << Text(step.key);
  }
  return steps;
}

TEST(ThreeWayLabelsTest, WhatOnlyTheSourceChangedIsToBeTaken) {
  Map old = {{"a", "1"}, {"b", "1"}, {"c", "1"}};
  Map target = {{"a", "1"}, {"b", "1"}, {"c", "2"}, {"d", "1"}};
  EXPECT_EQ((Told{"a take", "b take", "e take"}),
            WalkLabels(old, target, {{"b", "2"}, {"c", "1"}, {"e", ""}}));
  EXPECT_EQ(Told{}, WalkLabels(old, target, old)) << "nothing of what only the target changed";
}

TEST(ThreeWayLabelsTest, WhereBothCameToTheSameThereIsNothingToDo) {
  Map changed = {{"b", "2"}, {"c", "1"}};
  EXPECT_EQ((Told{"a same", "b same", "c same"}),
            WalkLabels({{"a", "1"}, {"b", "1"}}, changed, changed));
}

TEST(ThreeWayLabelsTest, WhereBothChangedItDifferentlyIsAConflict) {
  EXPECT_EQ((Told{"a conflict", "b conflict", "c conflict", "d conflict"}),
            WalkLabels({{"a", "1"}, {"b", "1"}, {"c", "1"}}, {{"a", "2"}, {"c", "2"}, {"d", "2"}},
                       {{"a", "3"}, {"b", "3"}, {"d", "3"}}));
}

TEST(ThreeWayLabelsTest, WorksWithoutLabels) {
  EXPECT_EQ(Told{}, WalkLabels({}, {}, {}));
  EXPECT_EQ(Told{"a take"}, WalkLabels({}, {}, {{"a", ""}}));
  EXPECT_EQ(Told{"a take"}, WalkLabels({{"a", ""}}, {{"a", ""}}, {}));
  EXPECT_EQ(Told{"a conflict"}, WalkLabels({{"a", ""}}, {}, {{"a", "1"}}));
}

TEST(ThreeWayLabelsTest, MergeLikeMaps) {
  uint64_t seed = TestSeed();
  std::mt19937 random(seed);
  auto change = [&](Map *map) {
    std::string key = std::to_string(random() % 40);
    if (random() % 3 == 0) {
      map->erase(key);
    } else {
      (*map)[key] = std::string(random() % 3, 'v');
    }
  };
  for (int round = 0; round < 3000; round++) {
    Map ancestor;
    for (unsigned n = random() % 60; n > 0; n--) change(&ancestor);
    Map target = ancestor, source = ancestor;
    for (unsigned n = random() % 30; n > 0; n--) change(&target);
    for (unsigned n = random() % 30; n > 0; n--) change(&source);
    ASSERT_EQ(Naive(ancestor, target, source), WalkLabels(ancestor, target, source))
        << "CONTEXTD_SEED=" << seed << " round " << round;
  }
}

}  // namespace
