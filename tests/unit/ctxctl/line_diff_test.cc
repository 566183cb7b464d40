// What line_diff.h promises: changes that lead from one text to the other, as few as can be
// while they are few.

extern "C" {
#include "clients/ctxctl/line_diff.h"
}

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace {

class LineDiffTest : public testing::Test {
 protected:
  ~LineDiffTest() override { ctl_pool_done(&pool_); }

  void Compare(const std::string &before, const std::string &after) {
    before_ = before;
    after_ = after;
    ctl_lines_compare(&pool_, {before_.data(), before_.size()}, {after_.data(), after_.size()},
                      &diff_);
  }

  std::string Line(const ctl_lines &lines, size_t i) {
    return std::string(static_cast<const char *>(lines.items[i].data), lines.items[i].size);
  }

  // Both texts as one, with what went and what came marked. Fails where the lines between the
  // changes are not the same.
  std::string Script() {
    std::string text;
    size_t before = 0;
    size_t after = 0;
    for (size_t i = 0; i <= diff_.change_count; i++) {
      ctl_line_change end = {{diff_.before.count, 0}, {diff_.after.count, 0}};
      ctl_line_change change = i < diff_.change_count ? diff_.changes[i] : end;
      while (before < change.before.first) {
        EXPECT_EQ(Line(diff_.before, before), Line(diff_.after, after));
        text += " " + Line(diff_.before, before++) + "\n";
        after++;
      }
      EXPECT_EQ(change.after.first, after);
      for (size_t n = 0; n < change.before.count; n++) {
        text += "-" + Line(diff_.before, before++) + "\n";
      }
      for (size_t n = 0; n < change.after.count; n++) {
        text += "+" + Line(diff_.after, after++) + "\n";
      }
    }
    return text;
  }

  size_t Edits() {
    size_t edits = 0;
    for (size_t i = 0; i < diff_.change_count; i++) {
      edits += diff_.changes[i].before.count + diff_.changes[i].after.count;
    }
    return edits;
  }

  ctl_pool pool_ = {};
  std::string before_;
  std::string after_;
  ctl_line_diff diff_ = {};
};

TEST_F(LineDiffTest, FindsNothingInEqualTexts) {
  for (const char *text : {"", "a", "a\n", "a\nb\n\n"}) {
    Compare(text, text);
    EXPECT_EQ(0u, diff_.change_count);
  }
}

TEST_F(LineDiffTest, SplitsTextsIntoLines) {
  Compare("a\n\nb", "");
  EXPECT_EQ(3u, diff_.before.count);
  EXPECT_FALSE(diff_.before.ends);
  EXPECT_EQ(0u, diff_.after.count);
  EXPECT_EQ("-a\n-\n-b\n", Script());
  Compare("", "a\n");
  EXPECT_EQ(1u, diff_.after.count);
  EXPECT_TRUE(diff_.after.ends);
  EXPECT_EQ("+a\n", Script());
}

TEST_F(LineDiffTest, TellsAnEndOfLineThatIsMissingApart) {
  Compare("a\nb", "a\nb\n");
  EXPECT_EQ(0u, diff_.change_count);
  EXPECT_NE(diff_.before.ends, diff_.after.ends);
}

TEST_F(LineDiffTest, FindsChangesInTheMiddle) {
  Compare("one\ntwo\nthree\nfour\n", "one\n2\nthree\nfour\n");
  EXPECT_EQ(" one\n-two\n+2\n three\n four\n", Script());
  ASSERT_EQ(1u, diff_.change_count);
  Compare("a\nb\nc\nd\ne\n", "b\nc\nx\ne\nf\n");
  EXPECT_EQ("-a\n b\n c\n-d\n+x\n e\n+f\n", Script());
  EXPECT_EQ(3u, diff_.change_count);
}

TEST_F(LineDiffTest, FindsTheShortestScriptOfThePaper) {
  Compare("A\nB\nC\nA\nB\nB\nA\n", "C\nB\nA\nB\nA\nC\n");
  Script();
  EXPECT_EQ(5u, Edits());
}

TEST_F(LineDiffTest, ComparesBytesAndNotOnlySizes) {
  Compare(std::string("a\0b\n", 4), std::string("a\0c\n", 4));
  EXPECT_EQ(1u, diff_.change_count);
}

TEST_F(LineDiffTest, IsRightAndShortestForRandomTexts) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("CONTEXTD_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; round++) {
    std::vector<std::string> a(random() % 12);
    std::vector<std::string> b(random() % 12);
    std::string texts[2];
    for (std::string &line : a) texts[0] += (line = std::string(1, 'a' + random() % 3)) + "\n";
    for (std::string &line : b) texts[1] += (line = std::string(1, 'a' + random() % 3)) + "\n";
    std::vector<std::vector<size_t>> common(a.size() + 1, std::vector<size_t>(b.size() + 1));
    for (size_t i = 1; i <= a.size(); i++) {
      for (size_t j = 1; j <= b.size(); j++) {
        common[i][j] = a[i - 1] == b[j - 1] ? common[i - 1][j - 1] + 1
                                            : std::max(common[i - 1][j], common[i][j - 1]);
      }
    }
    Compare(texts[0], texts[1]);
    Script();
    ASSERT_EQ(a.size() + b.size() - 2 * common[a.size()][b.size()], Edits()) << texts[0] << "---\n"
                                                                             << texts[1];
  }
}

TEST_F(LineDiffTest, TellsTextsThatHaveLittleInCommonAsOneChange) {
  std::string before = "first\n";
  std::string after = "first\n";
  for (int i = 0; i < CTL_DIFF_LINES_MAX; i++) {
    before += "b" + std::to_string(i) + "\nsame\n";
    after += "a" + std::to_string(i) + "\nsame\n";
  }
  Compare(before, after);
  ASSERT_EQ(1u, diff_.change_count);
  EXPECT_EQ(1u, diff_.changes[0].before.first);
  EXPECT_EQ(2 * CTL_DIFF_LINES_MAX - 1u, diff_.changes[0].before.count);
  Script();
}

TEST_F(LineDiffTest, GivesUpWhereTheComparisonsAreTooMany) {
  std::string texts[2];
  for (int side = 0; side < 2; side++) {
    for (int i = 0; i < 400; i++) texts[side] += std::to_string(2 * i + side) + "\n";
    for (int i = 0; i < 400000; i++) texts[side] += "\n";
    for (int i = 0; i < 400; i++) texts[side] += std::to_string(2 * i + side) + "\n";
  }
  Compare(texts[0], texts[1]);
  EXPECT_EQ(1u, diff_.change_count);
  EXPECT_EQ(2 * 400800u, Edits());
}

TEST_F(LineDiffTest, ComparesLargeTextsWithFewChanges) {
  std::string before;
  for (int i = 0; i < 200000; i++) before += std::to_string(i) + "\n";
  std::string after = before;
  after.replace(after.find("\n100000\n") + 1, 6, "x");
  after.insert(0, "new\n");
  Compare(before, after);
  EXPECT_EQ(2u, diff_.change_count);
  EXPECT_EQ(3u, Edits());
}

}  // namespace
