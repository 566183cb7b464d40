// What the commands about recovery points, restores, forks, merges and policies promise: the
// request that the words of a command line become, and what is shown of the answer. The
// server is made of answers; tests/integration/ctxctl_recovery_test.py has a real one.

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/ctxctl/command_fixture.h"

namespace {

using Words = std::vector<std::string>;

class RecoveryCommandsTest : public CommandFixture {
 protected:
  RecoveryCommandsTest() : CommandFixture("Recovery") {}

  // Runs words that are wrong, and expects them to be refused here with these among others.
  void ExpectWrong(const ctl_command &command, const Words &words, const std::string &why) {
    EXPECT_EQ(CTL_USAGE, Run(command, words)) << words.back();
    EXPECT_NE(std::string::npos, err_.find(why)) << err_;
  }
};

const char kPoint[] =
    "recovery_point { namespace: 'space' context_id: 'a' id: 'p2' parent_id: 'p1' sequence: 2"
    " version: 7 create_time { seconds: 1763722398 } expire_time { seconds: 1763722458 }"
    " pinned: true origin: ORIGIN_SAFETY metadata { key: 'k' value: 'v' } entry_count: 3"
    " size_bytes: 2048 revision: 12 attachments { key: 'w' value: 'x' content_type: 'text/plain' }"
    " } ";

const char kPointJson[] =
    R"({"namespace": "space", "context_id": "a", "id": "p2", "parent_id": "p1", "sequence": 2,
        "version": 7, "create_time": "2025-11-21T10:53:18.000000Z",
        "expire_time": "2025-11-21T10:54:18.000000Z", "pinned": true, "origin": "safety",
        "metadata": {"k": "v"}, "entry_count": 3, "size_bytes": 2048, "revision": 12)";

// ---- point create. -----------------------------------------------------------

TEST_F(RecoveryCommandsTest, PointCreateKeepsAContextAsItIs) {
  Answer("CreateRecoveryPoint", std::string(kPoint) + "version: 7 write { revision: 12 }");
  ASSERT_EQ(CTL_OK, Run(ctl_point_create, {"a"}));
  EXPECT_EQ("a has point p2 of version 7\n", out_);
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" write { }", Request());
  ASSERT_EQ(CTL_OK, Run(ctl_point_create, {"a", "p2", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"recovery_point": )" + std::string(kPointJson) +
                   R"(}, "version": 7, "replayed": false})"),
            Normal(out_));
}

TEST_F(RecoveryCommandsTest, PointCreateSaysWhatItsOptionsSay) {
  std::string path = testing::TempDir() + "/attachment";
  FILE *file = fopen(path.c_str(), "w");
  fputs("from a file", file);
  fclose(file);
  Answer("CreateRecoveryPoint", kPoint);
  ASSERT_EQ(CTL_OK, Run(ctl_point_create, {"a",
                                           "p2",
                                           "--from",
                                           "p1",
                                           "--set-label",
                                           "k=v=w",
                                           "--attach",
                                           "x=1",
                                           "--attach",
                                           "y=@" + path,
                                           "--attach",
                                           "z=@@home",
                                           "--ttl",
                                           "1h",
                                           "--pin",
                                           "--replace",
                                           "--put",
                                           "e=f",
                                           "--delete",
                                           "g",
                                           "--put-file",
                                           "h=" + path,
                                           "--delete-prefix",
                                           "i/",
                                           "--move-head",
                                           "--if-version",
                                           "0",
                                           "--create",
                                           "--session",
                                           "s",
                                           "--fence",
                                           "9"}))
      << err_;
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" recovery_point_id: \"p2\" "
      "from_recovery_point_id: \"p1\" mutations { put_entry { key: \"e\" value: \"f\" } } "
      "mutations { delete_entry { key: \"g\" } } "
      "mutations { put_entry { key: \"h\" value: \"from a file\" } } "
      "mutations { delete_entries { prefix: \"i/\" } } move_head: true "
      "metadata { key: \"k\" value: \"v=w\" } attachments { key: \"x\" value: \"1\" } "
      "attachments { key: \"y\" value: \"from a file\" } "
      "attachments { key: \"z\" value: \"@home\" } ttl { seconds: 3600 } pinned: true "
      "create_if_missing { } replace: true preconditions { context_version: 0 } "
      "write { session_id: \"s\" fence: 9 }",
      Request());
}

TEST_F(RecoveryCommandsTest, PointCreateRefusesWhatIsWrong) {
  ExpectWrong(ctl_point_create, {"a", "--from", ""}, "--from is empty");
  ExpectWrong(ctl_point_create, {"a", "--set-label", "k"}, "--set-label takes KEY=VALUE, not 'k'");
  ExpectWrong(ctl_point_create, {"a", "--attach", "k"}, "--attach takes KEY=VALUE, not 'k'");
  ExpectWrong(ctl_point_create, {"a", "--ttl", "soon"}, "--ttl takes a time");
  ExpectWrong(ctl_point_create, {"a", "--if-version", "x"}, "--if-version takes a number");
  EXPECT_EQ(CTL_INPUT, Run(ctl_point_create, {"a", "--attach", "k=@/no/such/file"}));
  EXPECT_TRUE(requests_.empty());
}

TEST_F(RecoveryCommandsTest, PointCreateTellsOfARepeatWhosePointIsGone) {
  Answer("CreateRecoveryPoint", "version: 7 write { replayed: true }");
  ASSERT_EQ(CTL_OK, Run(ctl_point_create, {"a", "p"}));
  EXPECT_EQ("the point of a was made, and is gone\n", out_);
  ASSERT_EQ(CTL_OK, Run(ctl_point_create, {"a", "p", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"version": 7, "replayed": true})"), Normal(out_));
}

TEST_F(RecoveryCommandsTest, FailuresComeWithWhatToDo) {
  const std::pair<const char *, const char *> cases[] = {
      {"RECOVERY_POINT_EXISTS", "--replace gives it the new state"},
      {"RECOVERY_POINT_PINNED", "`ctxctl point update --unpin`"},
      {"RECOVERY_POINT_NOT_FOUND", "`ctxctl points` shows those there are"},
      {"NO_RECOVERY_POINTS", "`ctxctl point create` makes one"},
  };
  for (const auto &[reason, advice] : cases) {
    Refuse("CreateRecoveryPoint", CXC_FAILED_PRECONDITION, reason);
    EXPECT_EQ(CTL_REFUSED, Run(ctl_point_create, {"a", "p"}));
    EXPECT_NE(std::string::npos, err_.find("cannot make a recovery point of a: ")) << err_;
    EXPECT_NE(std::string::npos, err_.find(advice)) << err_;
  }
}

// ---- point show. -------------------------------------------------------------

TEST_F(RecoveryCommandsTest, PointShowTellsTheNewestUnlessOneIsNamed) {
  Answer("GetRecoveryPoint",
         std::string(kPoint) + "entries { key: 'goal' value: 'hotel' version: 3 }");
  ASSERT_EQ(CTL_OK, Run(ctl_point_show, {"a"}));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\"", Request());
  EXPECT_EQ(
      "id        p2\n"
      "context   a\n"
      "namespace space\n"
      "parent    p1\n"
      "sequence  2\n"
      "version   7\n"
      "created   2025-11-21 10:53:18Z\n"
      "expires   2025-11-21 10:54:18Z\n"
      "pinned    yes\n"
      "origin    safety\n"
      "labels    k=v\n"
      "entries   3, 2.0 KiB\n",
      out_);
  ASSERT_EQ(CTL_OK, Run(ctl_point_show, {"a", "p2", "-o", "json"}));
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" recovery_point_id: \"p2\"", Request());
  EXPECT_EQ(Normal(std::string(kPointJson) + "}"), Normal(out_));
  ExpectWrong(ctl_point_show, {"a", ""}, "POINT is empty");
}

TEST_F(RecoveryCommandsTest, PointShowTellsEntriesAndAttachmentsWhereAskedFor) {
  Answer("GetRecoveryPoint",
         std::string(kPoint) + "entries { key: 'goal' value: 'hotel' version: 3 }");
  ASSERT_EQ(CTL_OK, Run(ctl_point_show, {"a", "--entries", "--attachments", "--key", "w"}));
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" with_entries: true with_attachments: true "
      "keys: \"w\"",
      Request());
  EXPECT_NE(std::string::npos,
            out_.find("\nKEY   VERSION  SIZE  TYPE  VALUE\ngoal        3   5 B        hotel\n"))
      << out_;
  EXPECT_NE(std::string::npos,
            out_.find("\nATTACHMENT  SIZE  TYPE        VALUE\nw            1 B  text/plain  x\n"))
      << out_;
  ASSERT_EQ(CTL_OK, Run(ctl_point_show, {"a", "--entries", "--attachments", "-o", "json"}));
  EXPECT_EQ(Normal(std::string(kPointJson) +
                   R"(, "entries": [{"key": "goal", "value": "hotel", "version": 3}],
                       "attachments": [{"key": "w", "value": "x", "content_type": "text/plain"}]})"),
            Normal(out_));
  ExpectWrong(ctl_point_show, {"a", "--key", "w"}, "--key needs --entries or --attachments");
}

// ---- point update, delete, prune. --------------------------------------------

TEST_F(RecoveryCommandsTest, PointUpdateSaysWhatItsOptionsSay) {
  Answer("UpdateRecoveryPoint", kPoint);
  ASSERT_EQ(CTL_OK, Run(ctl_point_update, {"a",
                                           "p2",
                                           "--set-label",
                                           "k=v",
                                           "--unset-label",
                                           "l",
                                           "--attach",
                                           "m=1",
                                           "--attach-new",
                                           "n=2",
                                           "--detach",
                                           "o",
                                           "--ttl",
                                           "1m",
                                           "--pin",
                                           "--allow-missing",
                                           "--session",
                                           "s",
                                           "--fence",
                                           "9"}));
  EXPECT_EQ("point p2 of a is updated\n", out_);
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" recovery_point_id: \"p2\" "
      "set_metadata { key: \"k\" value: \"v\" } delete_metadata: \"l\" "
      "put_attachments { key: \"m\" value: \"1\" } add_attachments { key: \"n\" value: \"2\" } "
      "delete_attachments: \"o\" ttl { seconds: 60 } pin: PIN_ON allow_missing: true "
      "write { session_id: \"s\" fence: 9 }",
      Request());
  ASSERT_EQ(CTL_OK, Run(ctl_point_update, {"a", "p2", "--unpin", "--no-expiry", "-o", "json"}));
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" recovery_point_id: \"p2\" clear_expiry: true "
      "pin: PIN_OFF write { }",
      Request());
  EXPECT_EQ(Normal(R"({"recovery_point": )" + std::string(kPointJson) + R"(}, "replayed": false})"),
            Normal(out_));
}

TEST_F(RecoveryCommandsTest, PointUpdateTellsOfAPointThatIsStillToBeMade) {
  Answer("UpdateRecoveryPoint", "");
  ASSERT_EQ(CTL_OK, Run(ctl_point_update, {"a", "p", "--attach", "k=v", "--allow-missing"}));
  EXPECT_EQ("a has no point p yet: the attachments are kept for it\n", out_);
}

TEST_F(RecoveryCommandsTest, PointUpdateRefusesWhatIsWrong) {
  ExpectWrong(ctl_point_update, {"a", "p"}, "there is nothing to change");
  ExpectWrong(ctl_point_update, {"a", "p", "--allow-missing"}, "there is nothing to change");
  ExpectWrong(ctl_point_update, {"a", "p", "--pin", "--unpin"}, "--pin or --unpin: not both");
  ExpectWrong(ctl_point_update, {"a", "p", "--ttl", "1m", "--no-expiry"},
              "--ttl or --no-expiry: not both");
  EXPECT_TRUE(requests_.empty());
}

TEST_F(RecoveryCommandsTest, PointDeleteDropsOneAfterTheOther) {
  Answer("DeleteRecoveryPoint", "");
  ASSERT_EQ(CTL_OK, Run(ctl_point_delete, {"a", "p1", "p2"}));
  EXPECT_EQ("point p1 of a is deleted\npoint p2 of a is deleted\n", out_);
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" recovery_point_id: \"p2\" write { }",
            Request());
  Refuse("DeleteRecoveryPoint", CXC_NOT_FOUND, "RECOVERY_POINT_NOT_FOUND");
  EXPECT_EQ(CTL_NOT_FOUND, Run(ctl_point_delete, {"a", "p1", "p2"}));
  EXPECT_EQ(3u, requests_.size());
}

TEST_F(RecoveryCommandsTest, ARepeatSaysThatItWasMadeBefore) {
  Answer("PruneRecoveryPoints", "write { revision: 9 replayed: true }");
  Answer("RestoreContext", "context { id: 'a' version: 7 } write { revision: 9 replayed: true }");
  Answer("MergeContext", "applied: true version: 7 write { revision: 9 replayed: true }");
  ASSERT_EQ(CTL_OK, Run(ctl_point_prune, {"a", "--keep-last", "3"}));
  EXPECT_EQ("the points were dropped before\n", out_);
  ASSERT_EQ(CTL_OK, Run(ctl_restore, {"a"}));
  EXPECT_EQ("a is at version 7, restored before\n", out_);
  ASSERT_EQ(CTL_OK, Run(ctl_merge, {"b", "a"}));
  EXPECT_EQ("a is at version 7, merged before\n", out_);
}

TEST_F(RecoveryCommandsTest, PointPruneTellsHowManyItDropped) {
  Answer("PruneRecoveryPoints", "removed_count: 5 kept_count: 10");
  Answer("PruneRecoveryPoints", "removed_count: 1 kept_count: 0");
  ASSERT_EQ(CTL_OK, Run(ctl_point_prune, {"a", "--keep-last", "3", "--keep-every", "10",
                                          "--keep-within", "24h", "--label", "k=v", "--dry-run"}));
  EXPECT_EQ("5 points would be dropped, and 10 kept\n", out_);
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" metadata { key: \"k\" value: \"v\" } "
      "policy { keep_last: 3 keep_every: 10 keep_within { seconds: 86400 } } dry_run: true "
      "write { }",
      Request());
  ASSERT_EQ(CTL_OK, Run(ctl_point_prune, {"--prefix", "trip-", "--label", "k=v"}));
  EXPECT_EQ("1 point is dropped, and 0 kept\n", out_);
  EXPECT_EQ(
      "namespace: \"space\" id_prefix: \"trip-\" metadata { key: \"k\" value: \"v\" } write { }",
      Request());
  ASSERT_EQ(CTL_OK, Run(ctl_point_prune, {"--keep-last", "3", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"removed_count": 1, "kept_count": 0, "dry_run": false})"), Normal(out_));
}

TEST_F(RecoveryCommandsTest, PointPruneNeedsToKnowWhatAndWhere) {
  ExpectWrong(ctl_point_prune, {"a"}, "say what to keep");
  ExpectWrong(ctl_point_prune, {"", "--keep-last", "3"}, "CONTEXT is empty");
  ExpectWrong(ctl_point_prune, {"--prefix", "", "--keep-last", "3"}, "--prefix is empty");
  ExpectWrong(ctl_point_prune, {"a", "--prefix", "b", "--keep-last", "3"},
              "CONTEXT or --prefix: not both");
  ExpectWrong(ctl_point_prune, {"a", "--keep-last", "0"}, "--keep-last is above 0");
  EXPECT_TRUE(requests_.empty());
}

// ---- points, log. ------------------------------------------------------------

TEST_F(RecoveryCommandsTest, PointsListsThoseOfAContext) {
  Answer("ListRecoveryPoints",
         "recovery_points { " + std::string(kPoint) +
             " } recovery_points { recovery_point { id: 'p1' version: 3 origin: ORIGIN_CLIENT } }");
  ASSERT_EQ(CTL_OK, Run(ctl_points, {"a", "--label", "k=v", "--before", "p9", "--limit", "10"}));
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" page_size: 10 metadata { key: \"k\" value: \"v\" } "
      "before_recovery_point_id: \"p9\"",
      Request());
  EXPECT_EQ(
      "POINT  VERSION  CREATED               ORIGIN  PINNED  ENTRIES     SIZE  LABELS\n"
      "p2           7  2025-11-21 10:53:18Z  safety  yes           3  2.0 KiB  k=v\n"
      "p1           3                        client                0      0 B\n",
      out_);
}

TEST_F(RecoveryCommandsTest, PointsNamesTheContextsOfMany) {
  Answer("ListRecoveryPoints",
         "recovery_points { " + std::string(kPoint) + " } next_page_token: 'more'");
  ASSERT_EQ(CTL_OK, Run(ctl_points, {"--prefix", "a", "--limit", "1"}));
  EXPECT_EQ("namespace: \"space\" id_prefix: \"a\" page_size: 1", Request());
  EXPECT_EQ(0u, out_.find("CONTEXT  POINT  VERSION")) << out_;
  EXPECT_EQ("There are more: --all shows them, --limit so many.\n", err_);
  ASSERT_EQ(CTL_OK, Run(ctl_points, {"--limit", "1", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"recovery_points": [)" + std::string(kPointJson) + R"(}], "more": true})"),
            Normal(out_));
}

TEST_F(RecoveryCommandsTest, PointsRefusesWhatIsWrong) {
  ExpectWrong(ctl_points, {""}, "CONTEXT is empty");
  ExpectWrong(ctl_points, {"a", "--prefix", "b"}, "CONTEXT or --prefix: not both");
  ExpectWrong(ctl_points, {"--ancestors-of", "p"}, "--before and --ancestors-of need a CONTEXT");
  ExpectWrong(ctl_points, {"a", "--ancestors-of", ""}, "--ancestors-of is empty");
}

const char kTree[] =
    "recovery_points { recovery_point { id: 'p4' parent_id: 'p2' version: 9 origin: ORIGIN_CLIENT"
    " create_time { seconds: 1763722398 } } }"
    "recovery_points { recovery_point { id: 'p3' parent_id: 'p1' version: 8 origin: ORIGIN_POLICY"
    " create_time { seconds: 1763722397 } pinned: true } }"
    "recovery_points { recovery_point { id: 'p2' parent_id: 'p1' version: 7 origin: ORIGIN_SAFETY"
    " create_time { seconds: 1763722396 } metadata { key: 'k' value: 'v' } } }"
    "recovery_points { recovery_point { id: 'p1' version: 3 create_time { seconds: 1763722395 } } "
    "}";

TEST_F(RecoveryCommandsTest, LogDrawsTheTreeAndMarksTheHead) {
  Answer("ListRecoveryPoints", kTree);
  Answer("GetContext", "context { id: 'a' version: 9 }", "ContextManager");
  ASSERT_EQ(CTL_OK, Run(ctl_log, {"a"}));
  EXPECT_EQ(
      "* p4 (head)  v9  2025-11-21 10:53:18Z  client\n"
      "| * p3  v8  2025-11-21 10:53:17Z  policy  pinned\n"
      "* | p2  v7  2025-11-21 10:53:16Z  safety  k=v\n"
      "|/\n"
      "* p1  v3  2025-11-21 10:53:15Z\n",
      out_);
  EXPECT_EQ("namespace: \"space\" context_id: \"a\" page_size: 100", requests_[0]);
}

TEST_F(RecoveryCommandsTest, LogGivesTheHeadALineWhereNoPointKeepsIt) {
  Answer("ListRecoveryPoints",
         "recovery_points { recovery_point { id: 'p1' version: 3 } } next_page_token: 'more'");
  Answer("GetContext", "context { id: 'a' version: 12 }", "ContextManager");
  ASSERT_EQ(CTL_OK, Run(ctl_log, {"a", "--limit", "1"}));
  EXPECT_EQ("o (head)  v12\n* p1  v3  \n", out_);
  EXPECT_EQ("There are more: --all shows them, --limit so many.\n", err_);
}

TEST_F(RecoveryCommandsTest, LogDrawsTheTreeOfADeletedContext) {
  Answer("ListRecoveryPoints", "recovery_points { recovery_point { id: 'p1' version: 3 } }");
  server_.Method("/contextd.v1.ContextManager/GetContext", [](const std::string &) {
    return Refusal(CXC_NOT_FOUND, "CONTEXT_NOT_FOUND", {});
  });
  ASSERT_EQ(CTL_OK, Run(ctl_log, {"a"}));
  EXPECT_EQ("* p1  v3  \n", out_);
}

TEST_F(RecoveryCommandsTest, LogGivesScriptsThePoints) {
  Answer("ListRecoveryPoints", "recovery_points { " + std::string(kPoint) + " }");
  ASSERT_EQ(CTL_OK, Run(ctl_log, {"a", "--all", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"recovery_points": [)" + std::string(kPointJson) + R"(}], "more": false})"),
            Normal(out_));
  ExpectWrong(ctl_log, {""}, "CONTEXT is empty");
}

// ---- restore. ----------------------------------------------------------------

TEST_F(RecoveryCommandsTest, RestoreSaysWhichState) {
  Answer("RestoreContext",
         "context { id: 'a' version: 9 } changed_entry_count: 2 safety_point_id: 's1'");
  const std::pair<Words, const char *> cases[] = {
      {{}, ""},
      {{"--to", "p1"}, "recovery_point_id: \"p1\" "},
      {{"--version", "7"}, "version: 7 "},
      {{"--time", "2025-11-21T10:53:18Z"}, "time { seconds: 1763722398 } "},
  };
  for (const auto &[options, said] : cases) {
    Words words = {"a"};
    words.insert(words.end(), options.begin(), options.end());
    ASSERT_EQ(CTL_OK, Run(ctl_restore, words)) << err_;
    EXPECT_EQ("namespace: \"space\" context_id: \"a\" " + std::string(said) + "write { }",
              Request());
  }
  EXPECT_EQ("a is at version 9, with 2 entries changed\npoint s1 keeps the state before\n", out_);
  ASSERT_EQ(CTL_OK, Run(ctl_restore, {"a", "--safety-point", "--undelete", "--if-version", "8",
                                      "--session", "s", "--fence", "9", "-o", "json"}));
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" safety_point: true undelete: true "
      "preconditions { context_version: 8 } write { session_id: \"s\" fence: 9 }",
      Request());
  EXPECT_EQ(Normal(R"({"context": {"id": "a", "metadata": {}, "version": 9, "revision": 0,
                       "entry_count": 0, "size_bytes": 0}, "changed_entry_count": 2,
                       "safety_point_id": "s1", "replayed": false})"),
            Normal(out_));
}

TEST_F(RecoveryCommandsTest, RestoreRefusesWhatIsWrong) {
  ExpectWrong(ctl_restore, {"a", "--to", "p", "--version", "3"}, "only one of them");
  ExpectWrong(ctl_restore, {"a", "--to", ""}, "--to is empty");
  ExpectWrong(ctl_restore, {"a", "--version", "0"}, "versions begin with 1");
  ExpectWrong(ctl_restore, {"a", "--time", "soon"}, "--time takes how long ago");
  EXPECT_TRUE(requests_.empty());
}

// ---- fork. -------------------------------------------------------------------

TEST_F(RecoveryCommandsTest, ForkSaysWhichState) {
  Answer("ForkContext",
         "context { id: 'b' version: 8 forked_from { context_id: 'a' version: 7 } }");
  const std::pair<Words, const char *> cases[] = {
      {{"a"}, "context_id: \"a\""},
      {{"a@7"}, "context_id: \"a\" version: 7"},
      {{"a#p1"}, "context_id: \"a\" recovery_point_id: \"p1\""},
      {{"a@x#y", "--at-version", "0"}, "context_id: \"a@x#y\""},
      {{"a@x", "--at-version", "7"}, "context_id: \"a@x\" version: 7"},
      {{"a", "--at-point", "p1"}, "context_id: \"a\" recovery_point_id: \"p1\""},
      {{"a", "--at-time", "2025-11-21T10:53:18Z"},
       "context_id: \"a\" time { seconds: 1763722398 }"},
  };
  for (const auto &[words, said] : cases) {
    ASSERT_EQ(CTL_OK, Run(ctl_fork, words)) << err_;
    EXPECT_EQ("source { namespace: \"space\" " + std::string(said) + " } write { }", Request());
    EXPECT_EQ("b is at version 8, forked from a@7\n", out_);
  }
  ASSERT_EQ(CTL_OK, Run(ctl_fork, {"a", "b", "--with-history", "--with-points", "--session", "s",
                                   "-o", "json"}));
  EXPECT_EQ(
      "source { namespace: \"space\" context_id: \"a\" } context_id: \"b\" with_history: true "
      "with_recovery_points: true write { session_id: \"s\" }",
      Request());
  EXPECT_EQ(Normal(R"({"id": "b", "metadata": {}, "version": 8, "revision": 0, "entry_count": 0,
                       "size_bytes": 0, "forked_from": {"context_id": "a", "version": 7}})"),
            Normal(out_));
}

TEST_F(RecoveryCommandsTest, ForkKeepsOfItsSourceWhatItsPropertiesDoNotSay) {
  Answer("ForkContext", "context { id: 'b' version: 8 }");
  Answer("GetContext",
         "context { id: 'a' version: 9 type: 'chat' parent_id: 'top'"
         " recovery_policy { point_every_changes: 5 } metadata { key: 'x' value: 'y' } }",
         "ContextManager");
  ASSERT_EQ(CTL_OK, Run(ctl_fork, {"a", "--label", "k=v", "--ttl", "1h", "--sliding"}));
  EXPECT_EQ(
      "source { namespace: \"space\" context_id: \"a\" } properties { type: \"chat\" "
      "parent_id: \"top\" metadata { key: \"k\" value: \"v\" } "
      "expiry { ttl { seconds: 3600 } sliding: true } "
      "recovery_policy { point_every_changes: 5 } } write { }",
      Request());
  ASSERT_EQ(CTL_OK,
            Run(ctl_fork, {"a", "--type", "plan", "--parent", "", "--set-policy", "keep-last=3"}));
  EXPECT_EQ(
      "source { namespace: \"space\" context_id: \"a\" } properties { type: \"plan\" "
      "recovery_policy { retention { keep_last: 3 } } } write { }",
      Request());
}

TEST_F(RecoveryCommandsTest, ForkRefusesWhatIsWrong) {
  ExpectWrong(ctl_fork, {"a", ""}, "NEW is empty");
  ExpectWrong(ctl_fork, {"a@home"}, "An @ of the id is written \\@");
  ExpectWrong(ctl_fork, {"a", "--at-point", "p", "--at-version", "3"},
              "--at-point or --at-version: not both");
  ExpectWrong(ctl_fork, {"a", "--sliding"}, "--sliding needs --ttl");
  EXPECT_TRUE(requests_.empty());
}

// ---- merge. ------------------------------------------------------------------

TEST_F(RecoveryCommandsTest, MergeSaysWhatIntoWhatAndHow) {
  Answer("MergeContext",
         "applied: true version: 9 changed_entry_count: 1 safety_point_id: 's1' "
         "write { revision: 12 }");
  ASSERT_EQ(CTL_OK, Run(ctl_merge, {"b", "a"}));
  EXPECT_EQ(
      "source { namespace: \"space\" context_id: \"b\" } namespace: \"space\" "
      "target_context_id: \"a\" write { }",
      Request());
  EXPECT_EQ("a is at version 9, with 1 entry changed\npoint s1 keeps the state before\n", out_);
  ASSERT_EQ(CTL_OK, Run(ctl_merge, {"b@7", "a@x", "--ancestor", "a#p1", "--ours", "--key",
                                    "k=theirs", "--key", "x=y=ours", "--dry-run", "--safety-point",
                                    "--if-version", "8", "--session", "s", "--fence", "9"}));
  EXPECT_EQ(
      "source { namespace: \"space\" context_id: \"b\" version: 7 } namespace: \"space\" "
      "target_context_id: \"a@x\" "
      "ancestor { namespace: \"space\" context_id: \"a\" recovery_point_id: \"p1\" } "
      "on_conflict: ON_CONFLICT_TARGET on_conflict_by_key { key: \"k\" value: ON_CONFLICT_SOURCE } "
      "on_conflict_by_key { key: \"x=y\" value: ON_CONFLICT_TARGET } dry_run: true "
      "safety_point: true preconditions { context_version: 8 } "
      "write { session_id: \"s\" fence: 9 }",
      Request());
  EXPECT_EQ(0u, out_.find("1 entry of a@x would change, without a conflict\n")) << out_;
}

TEST_F(RecoveryCommandsTest, MergeSaysThatThereIsNothingToMerge) {
  Answer("MergeContext", "applied: true version: 9 write { }");
  ASSERT_EQ(CTL_OK, Run(ctl_merge, {"b", "a"}));
  EXPECT_EQ("nothing to merge, a stays at version 9\n", out_);
}

const char kConflicts[] =
    "version: 8 conflict_count: 5"
    " conflicts { key: 'goal' ancestor { key: 'goal' value: 'hotel' version: 1 }"
    "   target { key: 'goal' value: 'quiet\\nhotel' version: 4 } }"
    " conflicts { key: 'stage' in_metadata: true target { value: 'draft' }"
    "   source { value: 'final' } }";

TEST_F(RecoveryCommandsTest, MergeShowsConflictsAndEndsWithOne) {
  Answer("MergeContext", kConflicts);
  EXPECT_EQ(CTL_REFUSED, Run(ctl_merge, {"b", "a"}));
  EXPECT_EQ(
      "conflict goal\n"
      "  ancestor  hotel (5 B)\n"
      "  ours      quiet\\nhotel (11 B)\n"
      "  theirs    (not there)\n"
      "conflict label stage\n"
      "  ancestor  (not there)\n"
      "  ours      draft\n"
      "  theirs    final\n"
      "and 3 more\n",
      out_);
  EXPECT_EQ(
      "5 conflicts are left, nothing was changed. --ours, --theirs or --key KEY=ours|theirs "
      "settle them.\n",
      err_);
  EXPECT_EQ(CTL_REFUSED, Run(ctl_merge, {"b", "a", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"id": "a", "applied": false, "dry_run": false, "version": 8,
      "changed_entry_count": 0, "conflict_count": 5, "replayed": false, "conflicts": [
        {"key": "goal", "in_metadata": false,
         "ancestor": {"key": "goal", "value": "hotel", "version": 1},
         "target": {"key": "goal", "value": "quiet\nhotel", "version": 4}},
        {"key": "stage", "in_metadata": true, "target": "draft", "source": "final"}]})"),
            Normal(out_));
}

TEST_F(RecoveryCommandsTest, MergeRefusesWhatIsWrong) {
  ExpectWrong(ctl_merge, {"b", "a", "--ours", "--theirs"}, "--ours or --theirs: not both");
  for (const char *rule : {"k", "k=", "k=mine", "=ours"}) {
    ExpectWrong(ctl_merge, {"b", "a", "--key", rule}, "--key takes KEY=ours or KEY=theirs");
  }
  ExpectWrong(ctl_merge, {"b", "a", "--ancestor", "c@x"}, "behind the @ is a version");
  EXPECT_TRUE(requests_.empty());
}

// ---- Policies. ---------------------------------------------------------------

TEST_F(RecoveryCommandsTest, CreateAndUpdateSetThePolicy) {
  Answer("CreateContext", "context { id: 'a' version: 1 }", "ContextManager");
  Answer("UpdateContext", "version: 2", "ContextManager");
  ASSERT_EQ(CTL_OK, Run(ctl_create, {"a", "--set-policy", "keep-within=7d,point-every=10m"}));
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" properties { recovery_policy { "
      "retention { keep_within { seconds: 604800 } } point_every { seconds: 600 } } } write { }",
      Request());
  ASSERT_EQ(CTL_OK, Run(ctl_update, {"a", "--set-policy", "keep-last=3"}));
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" mutations { set_recovery_policy { "
      "policy { retention { keep_last: 3 } } } } write { }",
      Request());
  ASSERT_EQ(CTL_OK, Run(ctl_update, {"a", "--clear-policy"}));
  EXPECT_EQ(
      "namespace: \"space\" context_id: \"a\" mutations { set_recovery_policy { } } write { }",
      Request());
}

TEST_F(RecoveryCommandsTest, GetShowsThePolicyAndTheSource) {
  Answer("GetContext",
         "context { id: 'b' version: 8 forked_from { namespace: 'space' context_id: 'a@x'"
         " recovery_point_id: 'p1' } recovery_policy { retention { keep_last: 3 }"
         " point_every { seconds: 600 } } }",
         "ContextManager");
  ASSERT_EQ(CTL_OK, Run(ctl_get, {"b"}));
  EXPECT_NE(std::string::npos, out_.find("forked    a\\@x#p1\n")) << out_;
  EXPECT_NE(std::string::npos, out_.find("policy    keep-last=3,point-every=10m\n")) << out_;
  ASSERT_EQ(CTL_OK, Run(ctl_get, {"b", "-o", "json"}));
  EXPECT_EQ(Normal(R"({"id": "b", "metadata": {}, "version": 8, "revision": 0, "entry_count": 0,
      "size_bytes": 0, "entries": [],
      "forked_from": {"context_id": "a@x", "recovery_point_id": "p1"},
      "recovery_policy": {"retention": {"keep_last": 3}, "point_every_us": 600000000}})"),
            Normal(out_));
}

TEST_F(RecoveryCommandsTest, GetShowsTheStateThatItsOptionsSay) {
  Answer("GetContext", "context { id: 'a@x' entries { key: 'k' value: 'v' } }", "ContextManager");
  const std::pair<Words, const char *> cases[] = {
      {{"a@x"}, ""},
      {{"a@x", "--version", "0"}, ""},
      {{"a@x", "--version", "7"}, "version: 7 "},
      {{"a@x", "--point", "p"}, "recovery_point_id: \"p\" "},
      {{"a@x", "--time", "2025-11-21T10:53:18Z"}, "time { seconds: 1763722398 } "},
  };
  for (const auto &[words, said] : cases) {
    std::string state = "state { namespace: \"space\" context_id: \"a@x\" " + std::string(said) +
                        "} view: CONTEXT_VIEW_FULL";
    ASSERT_EQ(CTL_OK, Run(ctl_get, words)) << err_;
    EXPECT_EQ(state, Request());
    Words entry = words;
    entry.insert(entry.begin() + 1, "k");
    ASSERT_EQ(CTL_OK, Run(ctl_get, entry)) << err_;
    EXPECT_EQ(state + " keys: \"k\"", Request());
    EXPECT_EQ("v", out_);
  }
  ExpectWrong(ctl_get, {"a", "--point", "p", "--version", "7"}, "--point or --version: not both");
}

TEST_F(RecoveryCommandsTest, GetReadsTheRestOfALargeStateFromTheSame) {
  for (const auto &[option, said] :
       {std::pair<const char *, const char *>{"--point=p", "recovery_point_id: \"p\""},
        {"--time=2025-11-21T10:53:18Z", "version: 7"}}) {
    int calls = 0;
    server_.Method("/contextd.v1.ContextManager/GetContext", [&calls](const std::string &) {
      FakeServer::Answer basic{
          {TextEncode("GetContextResponse", "context { id: 'a' version: 7 }")}};
      return calls++ == 0 ? Refusal(CXC_RESOURCE_EXHAUSTED, "RESPONSE_TOO_LARGE", {}) : basic;
    });
    server_.Method("/contextd.v1.ContextManager/ReadEntries", [this](const std::string &packed) {
      requests_.push_back(TextDecode("ReadEntriesRequest", packed));
      return FakeServer::Answer{{TextEncode("ReadEntriesResponse", "entries { key: 'k' }")}};
    });
    ASSERT_EQ(CTL_OK, Run(ctl_get, {"a", option})) << err_;
    EXPECT_EQ("state { namespace: \"space\" context_id: \"a\" " + std::string(said) + " }",
              Request());
  }
}

// ---- Who writes. -------------------------------------------------------------

TEST_F(RecoveryCommandsTest, AVariableThatWasNeverSetIsNoSessionAndNoFence) {
  const std::pair<const ctl_command *, Words> cases[] = {
      {&ctl_point_create, {"a"}},      {&ctl_point_update, {"a", "p", "--pin"}},
      {&ctl_point_delete, {"a", "p"}}, {&ctl_point_prune, {"a", "--keep-last", "3"}},
      {&ctl_restore, {"a"}},           {&ctl_merge, {"b", "a"}},
  };
  for (const auto &[command, plain] : cases) {
    for (const Words &option :
         {Words{"--session", ""}, Words{"--fence", ""}, Words{"--fence", "0"}}) {
      Words words = plain;
      words.insert(words.end(), option.begin(), option.end());
      EXPECT_EQ(CTL_USAGE, Run(*command, words)) << command->name;
    }
  }
  EXPECT_EQ(CTL_USAGE, Run(ctl_fork, {"a", "--session", ""}));
  EXPECT_TRUE(requests_.empty());
}

}  // namespace
