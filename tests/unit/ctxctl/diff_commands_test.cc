// What diff and sync promise: which states are compared, what is shown of the differences, and
// how they end.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/ctxctl/command_fixture.h"

namespace {

using Words = std::vector<std::string>;

class DiffCommandsTest : public CommandFixture {
 protected:
  DiffCommandsTest() : CommandFixture("Recovery") {}

  // What is printed for one entry that went from one value to another.
  std::string Changed(const std::string &before, const std::string &after, const Words &more = {}) {
    server_.Method("/contextd.v1.Recovery/DiffStates", [=](const std::string &) {
      return FakeServer::Answer{{TextEncode(
          "DiffStatesResponse",
          "entries { key: 'k' before { key: 'k' version: 1 value: " + TextQuote(before) +
              " } after { key: 'k' version: 2 value: " + TextQuote(after) + " } }")}};
    });
    Words words = {"a@1", "@2"};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_EQ(CTL_OK, Run(ctl_diff, words)) << err_;
    return out_;
  }
};

// ---- Which states. -----------------------------------------------------------

TEST_F(DiffCommandsTest, ComparesTheStatesThatAreWritten) {
  AnswerStream("DiffStates", {});
  const std::pair<Words, const char *> cases[] = {
      {{"a@3", "b#p"},
       "before { namespace: \"space\" context_id: \"a\" version: 3 } "
       "after { namespace: \"space\" context_id: \"b\" recovery_point_id: \"p\" }"},
      {{"a@3"},
       "before { namespace: \"space\" context_id: \"a\" version: 3 } "
       "after { namespace: \"space\" context_id: \"a\" }"},
      {{"x\\@y@3", "#p"},
       "before { namespace: \"space\" context_id: \"x@y\" version: 3 } "
       "after { namespace: \"space\" context_id: \"x@y\" recovery_point_id: \"p\" }"},
      {{"x@y", "x#z", "--before-version", "3", "--after-point", "p"},
       "before { namespace: \"space\" context_id: \"x@y\" version: 3 } "
       "after { namespace: \"space\" context_id: \"x#z\" recovery_point_id: \"p\" }"},
      {{"x@y", "--before-time", "2025-11-21T10:53:18Z", "--after-version", "7"},
       "before { namespace: \"space\" context_id: \"x@y\" time { seconds: 1763722398 } } "
       "after { namespace: \"space\" context_id: \"x@y\" version: 7 }"},
      {{"a", "b", "--prefix", "p/", "--keys-only"},
       "before { namespace: \"space\" context_id: \"a\" } "
       "after { namespace: \"space\" context_id: \"b\" } key_prefix: \"p/\" without_values: true"},
  };
  for (const auto &[words, said] : cases) {
    ASSERT_EQ(CTL_OK, Run(ctl_diff, words)) << err_;
    EXPECT_EQ(said, Request());
    EXPECT_EQ("", out_);
  }
}

TEST_F(DiffCommandsTest, RefusesStatesThatAreNone) {
  const std::pair<Words, const char *> cases[] = {
      {{"a"}, "'a' is the newest state already: say which other, such as a@7"},
      {{"a@x", "b"}, "behind the @ is a version"},
      {{"a@1", ""}, "names no context"},
      {{"a", "b", "--before-version", "x"}, "--before-version takes a number"},
      {{"a", "b", "--after-point", ""}, "--after-point is empty"},
      {{"a", "b", "--after-point", "p", "--after-time", "1h"},
       "--after-point or --after-time: not both"},
  };
  for (const auto &[words, why] : cases) {
    EXPECT_EQ(CTL_USAGE, Run(ctl_diff, words));
    EXPECT_NE(std::string::npos, err_.find(why)) << err_;
  }
  EXPECT_TRUE(requests_.empty());
}

// ---- What is shown. ----------------------------------------------------------

TEST_F(DiffCommandsTest, ShowsEntriesAndThenLabels) {
  AnswerStream("DiffStates",
               {"metadata { key: 'stage' before { value: 'draft' } after { value: 'final' } }"
                " metadata { key: 'new' after { value: 'x' } } metadata { key: 'old' before { } }"
                " entries { key: 'goal' before { key: 'goal' value: 'a hotel' version: 2 }"
                "   after { key: 'goal' value: 'a quiet hotel' version: 5 } }",
                "entries { key: 'plan' after { key: 'plan' value: 'fly\\nsleep' version: 4 } }"
                " entries { key: 'tmp' before { key: 'tmp' version: 1 } }"});
  ASSERT_EQ(CTL_OK, Run(ctl_diff, {"a@3", "b#p"}));
  EXPECT_EQ(
      "--- a@3\n"
      "+++ b#p\n"
      "changed goal (v2, 7 B to v5, 13 B)\n"
      "-a hotel\n"
      "+a quiet hotel\n"
      "added plan (v4, 9 B)\n"
      "+fly\n"
      "+sleep\n"
      "removed tmp (v1, 0 B)\n"
      "empty\n"
      "changed label stage\n"
      "-draft\n"
      "+final\n"
      "added label new\n"
      "+x\n"
      "removed label old\n"
      "-\n",
      out_);
}

TEST_F(DiffCommandsTest, LeavesOutLinesThatAreFarFromAChange) {
  std::string before;
  std::string after;
  for (int i = 1; i <= 30; i++) {
    std::string line = "line " + std::to_string(i) + "\n";
    before += line;
    after += i == 5 ? "five\n" : i == 12 ? "" : i == 27 ? line + "more\n" : line;
  }
  EXPECT_EQ(
      "--- a@1\n"
      "+++ a@2\n"
      "changed k (v1, 231 B to v2, 226 B)\n"
      "@@ -2,14 +2,13 @@\n"
      " line 2\n line 3\n line 4\n-line 5\n+five\n line 6\n line 7\n line 8\n line 9\n line 10\n"
      " line 11\n-line 12\n line 13\n line 14\n line 15\n"
      "@@ -25,6 +24,7 @@\n"
      " line 25\n line 26\n line 27\n+more\n line 28\n line 29\n line 30\n",
      Changed(before, after));
}

TEST_F(DiffCommandsTest, SaysWhatNoLineSays) {
  const std::pair<std::pair<std::string, std::string>, const char *> cases[] = {
      {{"x", "x"}, "set again, to the same value\n"},
      {{"x", "x\n"}, "the last line has an end now\n"},
      {{"x\ny\n", "x\ny"}, "the last line has lost its end\n"},
      {{"\xFF", "x"}, "not text\n"},
      {{"x", std::string("\0", 1)}, "not text\n"},
      {{"", "x\n"}, "+x\n"},
      {{"\033[2J", ""}, "-\\x1b[2J\n"},
  };
  for (const auto &[values, expected] : cases) {
    std::string shown = Changed(values.first, values.second);
    EXPECT_EQ(expected, shown.substr(shown.find(")\n") + 2));
  }
}

TEST_F(DiffCommandsTest, TellsTypesThatDiffer) {
  AnswerStream("DiffStates", {"entries { key: 'k' before { value: 'x' }"
                              " after { value: 'x' content_type: 'text/plain' } }"});
  ASSERT_EQ(CTL_OK, Run(ctl_diff, {"a@1"}));
  EXPECT_NE(std::string::npos, out_.find("type none to text/plain\n")) << out_;
}

TEST_F(DiffCommandsTest, ShowsKeysAloneWhereAskedFor) {
  EXPECT_EQ("--- a@1\n+++ a@2\nchanged k (v1 to v2)\n", Changed("", "", {"--keys-only"}));
}

TEST_F(DiffCommandsTest, HasColoursWhereTheyAreWanted) {
  EXPECT_EQ(
      "\033[1m--- a@1\n+++ a@2\033[0m\n"
      "\033[1mchanged k (v1, 4 B to v2, 4 B)\033[0m\n"
      " x\n\033[31m-y\033[0m\n\033[32m+z\033[0m\n",
      Changed("x\ny\n", "x\nz\n", {"--color=always"}));
  EXPECT_EQ(std::string::npos, Changed("y", "z", {"--color=never"}).find('\033'));
}

TEST_F(DiffCommandsTest, GivesScriptsEverything) {
  AnswerStream("DiffStates",
               {"entries { key: 'goal' before { key: 'goal' value: 'x' version: 2 }"
                "   after { key: 'goal' value: '\\377' version: 5 content_type: 'image/x' } }"
                " metadata { key: 'stage' before { value: 'draft' } }",
                "entries { key: 'plan' after { key: 'plan' version: 4 } }"});
  ASSERT_EQ(CTL_OK, Run(ctl_diff, {"a@3", "b#p", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"before": {"context_id": "a", "version": 3},
      "after": {"context_id": "b", "recovery_point_id": "p"},
      "entries": [
        {"key": "goal", "before": {"key": "goal", "value": "x", "version": 2},
         "after": {"key": "goal", "value": {"base64": "/w=="}, "version": 5,
                   "content_type": "image/x"}},
        {"key": "plan", "after": {"key": "plan", "value": "", "version": 4}}],
      "metadata": [{"key": "stage", "before": "draft"}]})"),
            Normal(out_));
  ASSERT_EQ(CTL_OK, Run(ctl_diff, {"a@3", "b", "--keys-only", "-o", "json"}));
  EXPECT_EQ(std::string::npos, out_.find("value"));
}

// ---- How it ends. ------------------------------------------------------------

TEST_F(DiffCommandsTest, EndsWithOneForDifferencesWhereAskedTo) {
  AnswerStream("DiffStates", {});
  EXPECT_EQ(CTL_OK, Run(ctl_diff, {"a@1", "--exit-code"}));
  AnswerStream("DiffStates", {"", "metadata { key: 'k' }"});
  EXPECT_EQ(CTL_REFUSED, Run(ctl_diff, {"a@1", "--exit-code"}));
  EXPECT_EQ(CTL_REFUSED, Run(ctl_diff, {"a@1", "--exit-code", "-o", "json"}));
  EXPECT_EQ(CTL_OK, Run(ctl_diff, {"a@1"}));
}

TEST_F(DiffCommandsTest, TellsWhyItCannotCompare) {
  Refuse("DiffStates", CXC_OUT_OF_RANGE, "STATE_NOT_RETAINED",
         {{"oldest_version", "5"}, {"newest_version", "9"}});
  EXPECT_EQ(CTL_NOT_FOUND, Run(ctl_diff, {"a@1", "@2"}));
  EXPECT_NE(std::string::npos, err_.find("cannot compare a@1 and a@2: ")) << err_;
  EXPECT_NE(std::string::npos, err_.find("`ctxctl points` shows")) << err_;
}

TEST_F(DiffCommandsTest, BeginsAnewWhereTheStreamBreaks) {
  int calls = 0;
  server_.Method("/contextd.v1.Recovery/DiffStates", [&calls](const std::string &) {
    FakeServer::Answer answer = Refusal(calls++ < 2 ? CXC_UNAVAILABLE : CXC_OK, "STOPPING", {});
    answer.messages.push_back(
        TextEncode("DiffStatesResponse", "entries { key: 'k' after { key: 'k' version: 2 } }"));
    return answer;
  });
  Answer("GetServerInfo", "", "ContextManager");
  ASSERT_EQ(CTL_OK, Run(ctl_diff, {"a@1", "--keys-only"})) << err_;
  EXPECT_EQ("--- a@1\n+++ a\nadded k (v2)\n", out_);
  EXPECT_EQ(3, calls);
}

// ---- sync. -------------------------------------------------------------------

TEST_F(DiffCommandsTest, SyncTellsWhatChangedSince) {
  AnswerStream("SyncContext",
               {"from_version: 3 to_version: 7 entries { key: 'k' before { key: 'k' version: 2 }"
                " after { key: 'k' value: 'y' version: 5 } } entries { key: 'old' before {"
                " key: 'old' version: 1 } }",
                "from_version: 3 to_version: 7 context { id: 'a' version: 7"
                " metadata { key: 'l' value: 'v' } }"});
  ASSERT_EQ(CTL_OK, Run(ctl_sync, {"a", "--have", "3"}));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" have_version: 3", Request());
  EXPECT_EQ(
      "a is at version 7\n"
      "labels    l=v\n"
      "set k=y (1 B)\n"
      "removed old\n",
      out_);
  ASSERT_EQ(CTL_OK, Run(ctl_sync, {"a", "--have", "3", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"id": "a", "from_version": 3, "to_version": 7, "full": false,
      "entries": [{"key": "k", "before": {"key": "k", "version": 2},
                   "after": {"key": "k", "value": "y", "version": 5}},
                  {"key": "old", "before": {"key": "old", "version": 1}}],
      "context": {"id": "a", "metadata": {"l": "v"}, "version": 7, "revision": 0,
                  "entry_count": 0, "size_bytes": 0}})"),
            Normal(out_));
}

TEST_F(DiffCommandsTest, SyncTellsWhatIsNotThereAnyMoreAndWhatIsTheSame) {
  AnswerStream("SyncContext", {"to_version: 7 full: true context { id: 'a' version: 7 }"});
  ASSERT_EQ(CTL_OK, Run(ctl_sync, {"a", "--have", "3"}));
  EXPECT_EQ("a is at version 7; version 3 is not retained: this is all of it\n", out_);
  ASSERT_EQ(CTL_OK, Run(ctl_sync, {"a", "--have", "0"}));
  EXPECT_EQ("a is at version 7\n", out_);
  AnswerStream("SyncContext", {"from_version: 7 to_version: 7 context { id: 'a' version: 7 }"});
  ASSERT_EQ(CTL_OK, Run(ctl_sync, {"a", "--have", "7"}));
  EXPECT_EQ("a is at version 7; nothing has changed\n", out_);
  EXPECT_EQ(CTL_USAGE, Run(ctl_sync, {"a"}));
  EXPECT_EQ("ctxctl: --have is missing: the version that is there already\n", err_);
}

}  // namespace
