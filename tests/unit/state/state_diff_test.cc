// What differs between two states: told once, in order, and only what one of them alone
// holds is looked at.

#include "tests/unit/state/state_fixture.h"

extern "C" {
#include "core/state/state_diff.h"
}

namespace {

using Strings = std::vector<std::string>;

class StateDiffTest : public StateFixture {
 protected:
  ~StateDiffTest() override {
    for (cx_snapshot &snapshot : taken_) cx_snapshot_done(&snapshot);
  }

  // The state of a context now.
  size_t Take(const std::string &id) {
    taken_.emplace_back();
    cx_context_snapshot(const_cast<cx_context *>(Find(id)), &taken_.back());
    return taken_.size() - 1;
  }

  static std::string Value(const cx_entry_view &entry) {
    std::string value(entry.value_size, '\0');
    cx_entry_value_copy(&entry, reinterpret_cast<uint8_t *>(&value[0]));
    return value;
  }

  // What differs, as "key: before -> after", with nothing for an entry that is not there.
  Strings Diff(size_t before, size_t after, cx_state_diff_rule rule = CX_DIFFERS_IN_VALUE,
               const std::string &key_prefix = "") {
    Strings told;
    cx_state_difference each;
    cx_state_diff_walk_begin(&walk_, &taken_[before], &taken_[after], Bytes(key_prefix), rule);
    while (cx_state_diff_walk_next(&walk_, &each)) {
      EXPECT_TRUE(each.has_before || each.has_after);
      if (each.has_before && each.has_after) {
        EXPECT_EQ(Text(each.before.key), Text(each.after.key));
      }
      told.push_back(Text(each.has_before ? each.before.key : each.after.key) + ": " +
                     (each.has_before ? Value(each.before) : "") + " -> " +
                     (each.has_after ? Value(each.after) : ""));
    }
    return told;
  }

  std::vector<cx_snapshot> taken_;
  cx_state_diff_walk walk_;
};

TEST_F(StateDiffTest, TellsWhatWasAddedSetAndRemovedInTheOrderOfKeys) {
  Create("a", {}, Mutations().Put("b", "1").Put("c", "2").Put("d", "3"));
  size_t before = Take("a");
  Update("a", Mutations().Put("e", "4").Put("a", "0").Delete("c").Put("d", "three"));
  size_t after = Take("a");

  EXPECT_EQ((Strings{"a:  -> 0", "c: 2 -> ", "d: 3 -> three", "e:  -> 4"}), Diff(before, after));
  EXPECT_EQ((Strings{"a: 0 -> ", "c:  -> 2", "d: three -> 3", "e: 4 -> "}), Diff(after, before));
  EXPECT_EQ((Strings{}), Diff(after, after));
}

TEST_F(StateDiffTest, TellsEntriesThatWereSetAgainOnlyWhereTheySetIsTheRule) {
  std::string large(CX_VALUE_INLINE_MAX + 1, 'x');
  Create("a", {}, Mutations().Put("empty", "").Put("large", large).Put("small", "1"));
  size_t before = Take("a");
  Update("a", Mutations().Put("empty", "").Put("large", large).Put("small", "1"));
  size_t after = Take("a");

  EXPECT_EQ((Strings{}), Diff(before, after));
  EXPECT_EQ((Strings{"empty:  -> ", "large: " + large + " -> " + large, "small: 1 -> 1"}),
            Diff(before, after, CX_DIFFERS_WHEN_SET));
}

TEST_F(StateDiffTest, SeesAnyOtherValueWhereverItLies) {
  std::string large(CX_VALUE_INLINE_MAX + 1, 'x');
  std::string inner(CX_VALUE_INLINE_MAX, 'x');
  Create("a", {}, Mutations().Put("grows", inner).Put("large", large).Put("shrinks", large));
  size_t before = Take("a");
  Update("a", Mutations().Put("grows", large).Put("large", large + "y").Put("shrinks", inner));
  size_t after = Take("a");

  EXPECT_EQ((Strings{"grows: " + inner + " -> " + large, "large: " + large + " -> " + large + "y",
                     "shrinks: " + large + " -> " + inner}),
            Diff(before, after));
}

TEST_F(StateDiffTest, CountsAnotherContentTypeAsADifference) {
  Create("a", {}, Mutations().Put("k", "v", "text/plain"));
  size_t before = Take("a");
  Update("a", Mutations().Put("k", "v", "text/html"));
  size_t after = Take("a");

  EXPECT_EQ((Strings{"k: v -> v"}), Diff(before, after));
}

TEST_F(StateDiffTest, KeepsToThePrefix) {
  Create("a", {}, Mutations().Put("b", "1").Put("d/1", "2").Put("d/3", "2"));
  size_t before = Take("a");
  Update("a", Mutations().Put("a", "0").Delete("b").Put("d/2", "1").Put("d/1", "3").Put("e", "4"));
  size_t after = Take("a");

  EXPECT_EQ((Strings{"d/1: 2 -> 3", "d/2:  -> 1"}), Diff(before, after, CX_DIFFERS_IN_VALUE, "d/"));
  EXPECT_EQ((Strings{"e:  -> 4"}), Diff(before, after, CX_DIFFERS_IN_VALUE, "e"));
  EXPECT_EQ((Strings{}), Diff(before, after, CX_DIFFERS_IN_VALUE, "f"));
}

TEST_F(StateDiffTest, DoesNotLookBehindThePrefix) {
  Mutations many;
  for (int i = 0; i < 10000; i++) many.Put("k" + std::to_string(10000 + i), "v");
  Create("a", {}, many);
  size_t before = Take("a");
  Update("a", many);
  size_t after = Take("a");

  EXPECT_EQ((Strings{}), Diff(before, after, CX_DIFFERS_IN_VALUE, "k100"));
  EXPECT_LT(walk_.diff.step_count, 1000u);
}

TEST_F(StateDiffTest, PausesAfterAsManyEqualEntriesAsItIsTold) {
  Create("a", {}, Mutations().Put("a", "1").Put("b", "1").Put("c", "1"));
  size_t before = Take("a");
  Update("a", Mutations().Put("a", "1").Put("b", "1").Put("c", "2"));
  size_t after = Take("a");
  cx_state_difference each;

  cx_state_diff_walk_begin(&walk_, &taken_[before], &taken_[after], {}, CX_DIFFERS_IN_VALUE);
  walk_.equal_left = 2;
  EXPECT_FALSE(cx_state_diff_walk_next(&walk_, &each));
  EXPECT_EQ(0u, walk_.equal_left);
  walk_.equal_left = 1;
  ASSERT_TRUE(cx_state_diff_walk_next(&walk_, &each));
  EXPECT_EQ("c", Text(each.after.key));
  EXPECT_FALSE(cx_state_diff_walk_next(&walk_, &each));
  EXPECT_EQ(1u, walk_.equal_left);
}

TEST_F(StateDiffTest, ComparesWithNothing) {
  Create("a", {}, Mutations().Put("b", "1").Put("d", "2"));
  size_t state = Take("a");
  taken_.emplace_back();
  taken_.back() = {};

  EXPECT_EQ((Strings{"b:  -> 1", "d:  -> 2"}), Diff(1, state));
  EXPECT_EQ((Strings{"b: 1 -> ", "d: 2 -> "}), Diff(state, 1));
  EXPECT_EQ((Strings{}), Diff(1, 1));
}

TEST_F(StateDiffTest, LooksOnlyAtWhatOneStateAloneHolds) {
  Mutations many;
  for (int i = 0; i < 10000; i++) many.Put("k" + std::to_string(10000 + i), "v");
  Create("a", {}, many);
  size_t before = Take("a");
  Update("a", Mutations().Put("k15000", "changed"));
  size_t after = Take("a");

  EXPECT_EQ((Strings{"k15000: v -> changed"}), Diff(before, after));
  EXPECT_LT(walk_.diff.step_count, 1000u);
}

}  // namespace
