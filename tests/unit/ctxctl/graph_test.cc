// What graph.h promises: trees drawn as `git log --graph` draws them.

extern "C" {
#include "clients/ctxctl/graph.h"
}

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

class GraphTest : public testing::Test {
 protected:
  ~GraphTest() override { ctl_pool_done(&pool_); }

  // Draws nodes that are given with their parents, newest first: a line each.
  std::string Draw(const std::vector<std::pair<std::string, std::string>> &tree) {
    std::vector<ctl_graph_node> nodes;
    for (const auto &[id, parent] : tree) nodes.push_back({id.c_str(), parent.c_str()});
    ctl_graph_row *rows = nullptr;
    size_t count = 0;
    ctl_graph_draw(&pool_, nodes.data(), nodes.size(), &rows, &count);
    std::string text = "\n";
    for (size_t i = 0; i < count; i++) {
      text += rows[i].lanes;
      if (rows[i].node != SIZE_MAX) text += " " + tree[rows[i].node].first;
      text += "\n";
    }
    return text;
  }

  ctl_pool pool_ = {};
};

TEST_F(GraphTest, DrawsNothingOfNothing) { EXPECT_EQ("\n", Draw({})); }

TEST_F(GraphTest, DrawsAChainInOneLane) {
  EXPECT_EQ(R"(
* c
* b
* a
)",
            Draw({{"c", "b"}, {"b", "a"}, {"a", ""}}));
}

TEST_F(GraphTest, LeadsABranchIntoTheLaneOfItsParent) {
  EXPECT_EQ(
      R"(
* five
| * four
| * three
|/
* two
* one
)",
      Draw({{"five", "two"}, {"four", "three"}, {"three", "two"}, {"two", "one"}, {"one", ""}}));
}

TEST_F(GraphTest, LeadsANewBranchIntoAnOlderOne) {
  EXPECT_EQ(R"(
* c1
| * c2
|/
| * c3
|/
* p
)",
            Draw({{"c1", "p"}, {"c2", "p"}, {"c3", "p"}, {"p", ""}}));
}

TEST_F(GraphTest, CrossesTheLanesBetween) {
  EXPECT_EQ(R"(
* a2
| * b2
| | * c2
| | | * a1x
| |_|/
|/| |
* | | a1
| * | b1
|/ /
* | root
 /
* c1
)",
            Draw({{"a2", "a1"},
                  {"b2", "b1"},
                  {"c2", "c1"},
                  {"a1x", "a1"},
                  {"a1", "root"},
                  {"b1", "root"},
                  {"root", ""},
                  {"c1", ""}}));
}

TEST_F(GraphTest, MovesTheLanesBehindOneThatEnds) {
  EXPECT_EQ(R"(
* a2
| * b2
| | * c2
* | | a1
 / /
* | b1
 /
* c1
)",
            Draw({{"a2", "a1"}, {"b2", "b1"}, {"c2", "c1"}, {"a1", ""}, {"b1", ""}, {"c1", ""}}));
}

TEST_F(GraphTest, MovesTheLanesBehindOneThatTurns) {
  EXPECT_EQ(R"(
* a2
| * b2
| | * c2
| * | b1
|/ /
* | a1
 /
* c1
)",
            Draw({{"a2", "a1"}, {"b2", "b1"}, {"c2", "c1"}, {"b1", "a1"}, {"a1", ""}, {"c1", ""}}));
}

TEST_F(GraphTest, TurnsTheRightOfTwoLanesThoughItWasThereFirst) {
  EXPECT_EQ(R"(
* a2
| * b2
* | a1
|/
* p
)",
            Draw({{"a2", "a1"}, {"b2", "p"}, {"a1", "p"}, {"p", ""}}));
}

TEST_F(GraphTest, LeadsOnToParentsThatAreNotThere) {
  EXPECT_EQ(R"(
* c
| * b
* | a
)",
            Draw({{"c", "a"}, {"b", "gone"}, {"a", "gone too"}}));
}

TEST_F(GraphTest, PutsParentsBehindTheirChildrenWhateverTheOrder) {
  EXPECT_EQ(R"(
* other
* child
* parent
* root
)",
            Draw({{"parent", "root"}, {"other", ""}, {"child", "parent"}, {"root", ""}}));
}

TEST_F(GraphTest, DrawsEveryNodeOfARing) {
  std::string drawn = Draw({{"a", "b"}, {"b", "a"}, {"c", "c"}});
  for (const char *id : {" a\n", " b\n", " c\n"}) EXPECT_NE(std::string::npos, drawn.find(id));
}

TEST_F(GraphTest, DrawsEveryNodeOfALargeTreeOnceAndInOrder) {
  std::vector<std::pair<std::string, std::string>> tree;
  unsigned random = 7;
  for (int i = 3000; i > 0; i--) {
    random = random * 1103515245 + 12345;
    int parent = i - 1 - static_cast<int>(random / 65536 % 40);
    tree.push_back({std::to_string(i), parent > 0 ? std::to_string(parent) : ""});
  }
  std::string drawn = Draw(tree);
  size_t at = 0;
  for (const auto &node : tree) {
    size_t found = drawn.find(" " + node.first + "\n", at);
    ASSERT_NE(std::string::npos, found) << node.first;
    at = found;
  }
}

}  // namespace
