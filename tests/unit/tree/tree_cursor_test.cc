// Walking a tree both ways, from every place: before, at, between and behind its keys.

extern "C" {
#include "core/base/memory.h"
#include "core/tree/tree.h"
}

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/tree/items.h"

namespace {

using namespace tree_items;

class TreeCursorTest : public testing::TestWithParam<int> {
 protected:
  TreeCursorTest() {
    for (int i = 0; i < GetParam(); i++) {
      if (Put(&tree_, Key(2 * i), 2 * i) != CX_OK) abort();
    }
  }
  ~TreeCursorTest() override { cx_tree_done(&kKind, &tree_); }

  static std::string Key(int number) { return "key-" + std::to_string(100001 + number); }

  // The even numbers below this are in the tree.
  int End() const { return 2 * GetParam(); }

  cx_tree tree_ = {};
  cx_tree_cursor cursor_;
};

TEST_P(TreeCursorTest, SeeksTheFirstThatIsNotBeforeAKeyAndGoesOnToTheEnd) {
  for (int from = -1; from <= End() + 1; from++) {
    cx_tree_item *item = cx_tree_seek(&kKind, &tree_, Bytes(Key(from)), &cursor_);
    int expected = from < 0 ? 0 : from + from % 2;
    for (int steps = 0; expected < End() && steps < 70; steps++, expected += 2) {
      ASSERT_NE(nullptr, item);
      ASSERT_EQ(expected, ValueOf(item));
      item = cx_tree_next(&cursor_);
    }
    ASSERT_EQ(expected < End(), item != nullptr);
  }
}

TEST_P(TreeCursorTest, SeeksTheLastBeforeAKeyAndGoesBackToTheBeginning) {
  for (int from = -1; from <= End() + 1; from++) {
    cx_tree_item *item = cx_tree_seek_before(&kKind, &tree_, Bytes(Key(from)), &cursor_);
    int expected = std::min((from + 1) / 2 * 2, End()) - 2;
    for (int steps = 0; expected >= 0 && steps < 70; steps++, expected -= 2) {
      ASSERT_NE(nullptr, item);
      ASSERT_EQ(expected, ValueOf(item));
      item = cx_tree_previous(&cursor_);
    }
    ASSERT_EQ(expected >= 0, item != nullptr);
  }
}

TEST_P(TreeCursorTest, GoesFromTheLastToTheFirst) {
  int expected = End() - 2;
  for (cx_tree_item *item = cx_tree_last(&tree_, &cursor_); item != nullptr;
       item = cx_tree_previous(&cursor_), expected -= 2) {
    ASSERT_EQ(expected, ValueOf(item));
  }
  EXPECT_EQ(-2, expected);
}

TEST_P(TreeCursorTest, TurnsAroundAnywhere) {
  for (int at = 0; at + 2 < End(); at += 2) {
    cx_tree_seek(&kKind, &tree_, Bytes(Key(at)), &cursor_);
    ASSERT_EQ(at + 2, ValueOf(cx_tree_next(&cursor_)));
    ASSERT_EQ(at, ValueOf(cx_tree_previous(&cursor_)));
  }
}

INSTANTIATE_TEST_SUITE_P(OfSize, TreeCursorTest, testing::Values(0, 1, 2, 31, 32, 600, 3000));

}  // namespace
