// ListContexts: what the comments of context_manager.proto and resources.proto promise.

#include "tests/support/pattern.h"
#include "tests/unit/services/service_fixture.h"

namespace {

using Ids = std::vector<std::string>;

// What one page said.
struct Page {
  Ids ids;
  std::string token;
  std::string cursor;
  std::string text;
};

class ContextListTest : public ServiceFixture {
 protected:
  static Page Parse(const std::string &text) {
    Page page;
    page.text = text;
    page.ids = FindAll(text, "contexts \\{ namespace: \"[^\"]*\" id: \"([^\"]*)\"");
    page.token = FindFirst(text, "next_page_token: \"([^\"]*)\"");
    page.cursor = FindFirst(text, "cursor: \"([^\"]*)\"");
    return page;
  }

  Page List(const std::string &request, const std::string &token = "") {
    return Parse(Ask("ListContexts", request + " page_token: '" + token + "'"));
  }

  // All pages in a row; none may be longer than `page_size_max`.
  Ids ListAll(const std::string &request, size_t page_size_max = 100) {
    Ids all;
    std::string token;
    do {
      Page page = List(request, token);
      EXPECT_LE(page.ids.size(), page_size_max);
      all.insert(all.end(), page.ids.begin(), page.ids.end());
      token = page.token;
    } while (!token.empty());
    return all;
  }

  void Create(const std::string &id, const std::string &properties = "") {
    std::string text =
        Ask("CreateContext", "context_id: '" + id + "' properties { " + properties +
                                 " } mutations { put_entry { key: 'k' value: 'v' } }");
    ASSERT_EQ(0u, text.find("context {")) << text;
  }
};

TEST_F(ContextListTest, ListsInTheOrderOfTheIds) {
  for (const char *id : {"c", "a", "b"}) Create(id);
  Page page = List("");
  EXPECT_EQ((Ids{"a", "b", "c"}), page.ids);
  EXPECT_EQ("", page.token);
  EXPECT_NE("", page.cursor);
}

TEST_F(ContextListTest, GoesOnWhereThePageBeforeEnded) {
  Ids ids;
  for (int i = 10; i < 30; i++) {
    ids.push_back("c" + std::to_string(i));
    Create(ids.back());
  }
  EXPECT_EQ(ids, ListAll("page_size: 7", 7));
  EXPECT_EQ(ids, ListAll("page_size: 1", 1));
}

TEST_F(ContextListTest, SaysTheSameCursorOnAllPages) {
  for (const char *id : {"a", "b", "c"}) Create(id);
  Page first = List("page_size: 1");
  Create("d");
  Page second = List("page_size: 1", first.token);
  EXPECT_EQ(first.cursor, second.cursor);
  EXPECT_NE(first.cursor, List("page_size: 1").cursor);
}

TEST_F(ContextListTest, SelectsByPrefixTypeParentAndMetadata) {
  Create("a1", "type: 'chat' metadata { key: 'x' value: '1' } metadata { key: 'y' value: '2' }");
  Create("a2", "type: 'task' metadata { key: 'x' value: '1' }");
  Create("b1", "type: 'chat' parent_id: 'a1' metadata { key: 'x' value: '2' }");
  EXPECT_EQ((Ids{"a1", "a2"}), ListAll("id_prefix: 'a'"));
  EXPECT_EQ((Ids{"a1", "b1"}), ListAll("type: 'chat'"));
  EXPECT_EQ((Ids{"b1"}), ListAll("parent_id: 'a1'"));
  EXPECT_EQ((Ids{"a1", "a2"}), ListAll("metadata { key: 'x' value: '1' }"));
  EXPECT_EQ((Ids{"a1"}),
            ListAll("metadata { key: 'y' value: '2' } metadata { key: 'x' value: '1' }"));
  EXPECT_EQ((Ids{}), ListAll("namespace: 'other'"));
}

TEST_F(ContextListTest, ListsTheDeletedOnesInstead) {
  Create("a");
  Create("b");
  Ask("DeleteContext", "context_id: 'a'");
  EXPECT_EQ((Ids{"b"}), ListAll(""));
  Page page = List("deleted: true");
  EXPECT_EQ((Ids{"a"}), page.ids);
  EXPECT_NE(std::string::npos, page.text.find("delete_time { seconds: 1700000000 }")) << page.text;
}

TEST_F(ContextListTest, ShowsEntriesOnlyWhereTheViewAsksForThem) {
  Create("a");
  EXPECT_EQ(std::string::npos, List("").text.find("entries"));
  EXPECT_NE(std::string::npos, List("view: CONTEXT_VIEW_KEYS").text.find("entries { key: \"k\" v"));
  EXPECT_NE(std::string::npos, List("view: CONTEXT_VIEW_FULL").text.find("value: \"v\""));
}

TEST_F(ContextListTest, EndsAPageWhereItWouldOutgrowAMessage) {
  Ids ids;
  for (int i = 0; i < 9; i++) {
    ids.push_back("c" + std::to_string(i));
    Put(ids.back(), "k", std::string(30000, 'v'));
  }
  message_size_max_ = 100000;
  Page page = List("view: CONTEXT_VIEW_FULL");
  EXPECT_EQ((Ids{"c0", "c1", "c2"}), page.ids);
  EXPECT_EQ(ids, ListAll("view: CONTEXT_VIEW_FULL", 3));
}

TEST_F(ContextListTest, SaysThatOneContextAloneOutgrowsAMessage) {
  Put("a", "k", std::string(60000, 'v'));
  Put("a", "l", std::string(60000, 'v'));
  message_size_max_ = 100000;
  std::string text = Ask("ListContexts", "view: CONTEXT_VIEW_FULL");
  EXPECT_EQ(0u, text.find("RESPONSE_TOO_LARGE size=1200")) << text;
}

TEST_F(ContextListTest, TakesATokenAfterARestart) {
  for (const char *id : {"a", "b"}) Create(id);
  std::string token = List("page_size: 1").token;
  Reopen();
  app_.engine = engine_;
  EXPECT_EQ((Ids{"b"}), List("page_size: 1", token).ids);
}

TEST_F(ContextListTest, RefusesATokenOfAnotherListOrMadeUp) {
  for (const char *id : {"a", "b"}) Create(id, "type: 'chat'");
  Page page = List("page_size: 1");
  std::string refused =
      "INVALID_FIELD field=page_token rule=must be the next_page_token of the same list";
  for (const char *other : {"type: 'chat'", "id_prefix: 'a'", "deleted: true", "parent_id: 'a'",
                            "namespace: 'other'", "metadata { key: 'a' value: 'b' }"}) {
    EXPECT_EQ(refused, List(other, page.token).text) << other;
  }
  for (size_t i = 0; i < page.token.size(); i++) {
    std::string changed = page.token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(refused, List("page_size: 1", changed).text) << i;
  }
  EXPECT_EQ(refused, List("", page.cursor).text);
  EXPECT_EQ(refused, List("", "x").text);
  EXPECT_EQ(refused, List("", std::string(5000, 'A')).text);
  EXPECT_EQ(refused, Ask("ListNamespaces", "page_token: '" + page.token + "'"));
}

TEST_F(ContextListTest, TakesAnotherPageSizeAndViewForTheSameList) {
  for (const char *id : {"a", "b", "c"}) Create(id);
  std::string token = List("page_size: 1").token;
  EXPECT_EQ((Ids{"b", "c"}), List("page_size: 5 view: CONTEXT_VIEW_FULL", token).ids);
}

TEST_F(ContextListTest, AnswersNothingThatIsNotDurable) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  Call call = Begin("ListContexts");
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_EQ((Ids{"a"}), Parse(Outcome(*call)).ids);
}

TEST_F(ContextListTest, ReleasesThePageWhenTheDiskFails) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  Call call = Begin("ListContexts");
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Settle();
  EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
}

TEST_F(ContextListTest, HasAHundredContextsToAPageUnlessTold) {
  for (int i = 0; i < 101; i++) Put("c" + std::to_string(1000 + i), "k", "v");
  EXPECT_EQ(100u, List("").ids.size());
  EXPECT_EQ(101u, List("page_size: 1000").ids.size());
}

TEST_F(ContextListTest, LeavesThePollerWhenItMayLookAtMuch) {
  Call plain = Begin("ListContexts");
  Call labels = Begin("ListContexts", "metadata { key: 'a' value: 'b' }");
  Settle();
  EXPECT_EQ(0, plain->offloads);
  EXPECT_EQ(1, labels->offloads);
}

}  // namespace
