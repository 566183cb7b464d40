// What json_range.h promises, also beside another reader of JSON: jansson.

extern "C" {
#include "clients/ctxctl/json_range.h"
}

#include <gtest/gtest.h>
#include <jansson.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace {

bool Check(const std::string &text, ctl_json *value = nullptr,
           ctl_json_problem *problem = nullptr) {
  ctl_json ignored_value;
  ctl_json_problem ignored_problem;
  return ctl_json_check(text.data(), text.size(), value != nullptr ? value : &ignored_value,
                        problem != nullptr ? problem : &ignored_problem);
}

std::string Text(ctl_json range) { return std::string(range.start, range.size); }

TEST(JsonRangeTest, AcceptsJson) {
  for (const char *text : {"{}", "[]", "0", "-0", "1.5e-7", "10E+2", "true", "false", "null",
                           "\"\"", "\"a\\u00e9\\n\"", " [ 1 , { \"a\" : [ ] } ] ",
                           "\"\xE2\x82\xAC\"", "\"\\ud800\"", "\"\x7F\"", "[[[[]]]]"}) {
    SCOPED_TRACE(text);
    EXPECT_TRUE(Check(text));
  }
}

TEST(JsonRangeTest, RefusesWhatIsNot) {
  for (const char *text : {"",
                           " ",
                           "{",
                           "[",
                           "[1,]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{'a':1}",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "1e",
                           "--1",
                           "tru",
                           "nul",
                           "True",
                           "\"",
                           "\"\\\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u123g\"",
                           "\"\n\"",
                           "[1] 2",
                           "[1}",
                           "{]",
                           "NaN",
                           "\xEF\xBB\xBF[]",
                           "\"\xC0\x80\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xF4\x90\x80\x80\"",
                           "\"\xE2\x82\"",
                           "\"\xFF\"",
                           "/**/1",
                           "[,]"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(Check(text));
  }
  EXPECT_FALSE(Check(std::string("\0", 1)));
  EXPECT_FALSE(Check(std::string("[1\0]", 4)));
  EXPECT_FALSE(Check(std::string("\"\0\"", 3)));
}

TEST(JsonRangeTest, TellsWhereItIsBroken) {
  ctl_json_problem problem;
  EXPECT_FALSE(Check("{\"a\": tru}", nullptr, &problem));
  EXPECT_EQ(6u, problem.offset);
  EXPECT_FALSE(Check("[1, 2", nullptr, &problem));
  EXPECT_EQ(5u, problem.offset);
  EXPECT_STREQ("a comma or the closing bracket is missing", problem.rule);
}

TEST(JsonRangeTest, BoundsTheDepth) {
  std::string deep(CTL_JSON_DEPTH_MAX, '[');
  EXPECT_TRUE(Check(deep + std::string(CTL_JSON_DEPTH_MAX, ']')));
  EXPECT_FALSE(Check("[" + deep + "]" + std::string(CTL_JSON_DEPTH_MAX, ']')));
  EXPECT_FALSE(Check(std::string(1000000, '[')));
}

TEST(JsonRangeTest, GivesTheExactBytesOfMembers) {
  std::string text = "  {\"a\" : 1.50 ,\"b\\n\":  [1,  2] , \"a\": { } }\n";
  ctl_json value;
  ASSERT_TRUE(Check(text, &value));
  EXPECT_EQ(text.substr(2, text.size() - 3), Text(value));
  ctl_json_items items = ctl_json_items_of(value);
  std::vector<std::pair<std::string, std::string>> members;
  ctl_json name;
  ctl_json member;
  while (ctl_json_next(&items, &name, &member)) members.emplace_back(Text(name), Text(member));
  std::vector<std::pair<std::string, std::string>> expected = {
      {"\"a\"", "1.50"}, {"\"b\\n\"", "[1,  2]"}, {"\"a\"", "{ }"}};
  EXPECT_EQ(expected, members);
}

TEST(JsonRangeTest, GivesTheExactBytesOfItems) {
  std::string text = "[ \"a,]\" ,{\"b\": [1, 2]},-0.0 , null]";
  ctl_json value;
  ASSERT_TRUE(Check(text, &value));
  ctl_json_items items = ctl_json_items_of(value);
  std::vector<std::string> found;
  ctl_json item;
  while (ctl_json_next(&items, nullptr, &item)) found.push_back(Text(item));
  EXPECT_EQ((std::vector<std::string>{"\"a,]\"", "{\"b\": [1, 2]}", "-0.0", "null"}), found);
}

TEST(JsonRangeTest, HasNoItemsInWhatIsEmpty) {
  for (std::string text : {"[]", "{}", "[ ]", "{\t}"}) {
    ctl_json value;
    ASSERT_TRUE(Check(text, &value));
    ctl_json_items items = ctl_json_items_of(value);
    EXPECT_FALSE(ctl_json_next(&items, nullptr, &value));
  }
}

TEST(JsonRangeTest, NamesKindsByTheirFirstByte) {
  std::string kinds;
  std::string text = "[{},[],\"\",true,false,null,-1,7]";
  ctl_json value;
  ASSERT_TRUE(Check(text, &value));
  ctl_json_items items = ctl_json_items_of(value);
  while (ctl_json_next(&items, nullptr, &value)) kinds += ctl_json_kind(value);
  EXPECT_EQ("{[\"tfn00", kinds);
}

// ---- Beside jansson. ---------------------------------------------------------

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  unsigned Below(unsigned bound) { return engine_() % bound; }

  std::string Space() { return Below(4) == 0 ? std::string(1, " \t\n\r"[Below(4)]) : ""; }

  std::string String() {
    static const char *const pieces[] = {"a", "\\n", "\\\"", "\xC3\xA9", "\\\\",
                                         " ", "]",   "}",    ","};
    std::string text = "\"";
    for (unsigned i = Below(5); i > 0; i--) text += pieces[Below(9)];
    return text + "\"";
  }

  std::string Value(int depth) {
    static const char *const scalars[] = {"0", "-1.5", "12e3", "true", "false", "null", "7"};
    switch (depth > 0 ? Below(4) : Below(2)) {
      case 0:
        return scalars[Below(7)];
      case 1:
        return String();
      case 2:
        return Items('[', ']', depth);
      default:
        return Items('{', '}', depth);
    }
  }

 private:
  std::string Items(char open, char close, int depth) {
    std::string text(1, open);
    unsigned count = Below(4);
    for (unsigned i = 0; i < count; i++) {
      text += (i > 0 ? "," : "") + Space();
      if (open == '{') text += String() + Space() + ":" + Space();
      text += Value(depth - 1) + Space();
    }
    return text + close;
  }

  std::mt19937 engine_;
};

bool JanssonAccepts(const std::string &text) {
  json_error_t error;
  json_t *value = json_loadb(text.data(), text.size(), JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
  json_decref(value);
  return value != nullptr;
}

// Where both may differ: jansson also refuses numbers that it cannot hold.
bool HasLargeNumber(const std::string &text) {
  return text.find_first_of("eE") != std::string::npos || text.find("\\u") != std::string::npos;
}

TEST(JsonRangeFuzz, AgreesWithJanssonOnWhatIsJson) {
  uint64_t seed = TestSeed();
  Random random(seed);
  SCOPED_TRACE("CONTEXTD_SEED=" + std::to_string(seed));
  int refused = 0;
  for (int i = 0; i < 20000; i++) {
    std::string text = random.Value(4);
    ASSERT_TRUE(Check(text)) << text;
    for (unsigned changes = random.Below(3); changes > 0 && !text.empty(); changes--) {
      size_t at = random.Below(static_cast<unsigned>(text.size()));
      static const char bytes[] = "{}[],:\"\\0-.etn \n\x80";
      switch (random.Below(3)) {
        case 0:
          text.erase(at, 1);
          break;
        case 1:
          text.insert(at, 1, bytes[random.Below(sizeof bytes - 1)]);
          break;
        default:
          text[at] = bytes[random.Below(sizeof bytes - 1)];
          break;
      }
    }
    bool accepted = Check(text);
    refused += !accepted;
    if (accepted != JanssonAccepts(text)) {
      ASSERT_TRUE(accepted && HasLargeNumber(text)) << text;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(JsonRangeFuzz, PutsItemsTogetherToTheSameText) {
  uint64_t seed = TestSeed();
  Random random(seed);
  SCOPED_TRACE("CONTEXTD_SEED=" + std::to_string(seed));
  for (int i = 0; i < 2000; i++) {
    std::vector<std::string> parts;
    std::string text = "[";
    for (unsigned count = random.Below(6); count > 0; count--) {
      parts.push_back(random.Value(3));
      text += (parts.size() > 1 ? "," : "") + random.Space() + parts.back() + random.Space();
    }
    text += "]";
    ctl_json value;
    ASSERT_TRUE(Check(text, &value));
    ctl_json_items items = ctl_json_items_of(value);
    std::vector<std::string> found;
    ctl_json item;
    while (ctl_json_next(&items, nullptr, &item)) found.push_back(Text(item));
    ASSERT_EQ(parts, found) << text;
  }
}

}  // namespace
