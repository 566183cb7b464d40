// What engine.h promises of lists: what they select, their pages, and what they wait for.

#include "tests/support/engine_fixture.h"

#include <algorithm>

namespace {

class EngineListTest : public EngineFixture {
 protected:
  void SetUp() override { ASSERT_EQ(CX_OK, Open()) << open_error_.message; }

  void CreateOf(const std::string &id, const char *type, const char *color,
                const char *parent_id = "") {
    cx_new_context properties = {};
    cx_label labels[] = {{cx_bytes_of("color"), cx_bytes_of(color)},
                         {cx_bytes_of("kind"), cx_bytes_of("x")}};
    properties.type = cx_bytes_of(type);
    properties.parent_id = cx_bytes_of(parent_id);
    properties.labels = labels;
    properties.label_count = 2;
    ASSERT_EQ(CX_OK, Create(id, properties).status);
  }

  cx_list_page Page(cx_list_query query) {
    cx_list_page page;
    cx_error error;
    query.namespace_id = Bytes(namespace_);
    EXPECT_EQ(CX_OK, cx_engine_list(engine_, &query, &page, &wait_for_, &error));
    return page;
  }

  using Ids = std::vector<std::string>;
  uint64_t wait_for_ = 0;
};

TEST_F(EngineListTest, GivesTheSameInPagesOfEverySize) {
  Ids all;
  for (int i = 0; i < 40; i++) {
    all.push_back("id" + std::to_string(i * 7919 % 100));
    ASSERT_EQ(CX_OK, Create(all.back()).status);
  }
  std::sort(all.begin(), all.end());
  for (size_t count = 1; count <= 41; count++) {
    cx_list_query query = {};
    query.count_max = count;
    EXPECT_EQ(all, List(query)) << count;
  }
}

TEST_F(EngineListTest, SelectsByEveryFilterAndByAllAtOnce) {
  Create("p");
  CreateOf("a1", "chat", "red");
  CreateOf("a2", "chat", "blue", "p");
  CreateOf("b1", "task", "red", "p");
  CreateOf("b2", "task", "redder");
  cx_label labels[] = {{cx_bytes_of("color"), cx_bytes_of("red")},
                       {cx_bytes_of("kind"), cx_bytes_of("x")}};
  cx_list_query query = {};
  query.type = cx_bytes_of("chat");
  EXPECT_EQ((Ids{"a1", "a2"}), List(query));
  query = {};
  query.parent_id = cx_bytes_of("p");
  EXPECT_EQ((Ids{"a2", "b1"}), List(query));
  query = {};
  query.labels = labels;
  query.label_count = 1;
  EXPECT_EQ((Ids{"a1", "b1"}), List(query));
  query.label_count = 2;
  EXPECT_EQ((Ids{"a1", "b1"}), List(query));
  labels[1].value = cx_bytes_of("y");
  EXPECT_EQ(Ids{}, List(query));
  query = {};
  query.id_prefix = cx_bytes_of("b");
  EXPECT_EQ((Ids{"b1", "b2"}), List(query));
  labels[1].value = cx_bytes_of("x");
  query.type = cx_bytes_of("task");
  query.parent_id = cx_bytes_of("p");
  query.labels = labels;
  query.label_count = 2;
  EXPECT_EQ((Ids{"b1"}), List(query));
  query.id_prefix = cx_bytes_of("b2");
  EXPECT_EQ(Ids{}, List(query));
}

TEST_F(EngineListTest, FollowsChangesOfLabels) {
  cx_label label = {cx_bytes_of("l"), cx_bytes_of("v")};
  cx_list_query query = {};
  query.labels = &label;
  query.label_count = 1;
  Upsert("c", Mutations().SetLabel("l", "v"));
  EXPECT_EQ((Ids{"c"}), List(query));
  Update("c", Mutations().SetLabel("l", "w"));
  EXPECT_EQ(Ids{}, List(query));
  Update("c", Mutations().SetLabel("l", "v"));
  Update("c", Mutations().DeleteLabel("l"));
  EXPECT_EQ(Ids{}, List(query));
}

TEST_F(EngineListTest, BeginsBehindTheIdExactly) {
  for (const char *id : {"a", "aa", "ab", "b"}) Create(id);
  cx_list_query query = {};
  query.count_max = 10;
  for (const auto &[after, first] : std::map<std::string, std::string>{
           {"a", "aa"}, {"a\x01", "aa"}, {"aa", "ab"}, {"ab", "b"}, {"0", "a"}}) {
    query.after_id = Bytes(after);
    cx_list_page page = Page(query);
    ASSERT_GT(page.count, 0u);
    EXPECT_EQ(first, Text(page.rows[0].id)) << after;
    cx_list_page_done(&page);
  }
  query.after_id = cx_bytes_of("b");
  cx_list_page page = Page(query);
  EXPECT_EQ(0u, page.count);
  EXPECT_FALSE(page.more);
  cx_list_page_done(&page);
}

TEST_F(EngineListTest, GoesOnBehindAnIdThatIsGone) {
  for (int i = 0; i < 6; i++) Create("c" + std::to_string(i));
  cx_list_query query = {};
  query.count_max = 3;
  cx_list_page page = Page(query);
  std::string last = Text(page.last_id);
  EXPECT_TRUE(page.more);
  EXPECT_EQ("c2", last);
  cx_list_page_done(&page);
  Delete("c2");
  query.after_id = Bytes(last);
  page = Page(query);
  ASSERT_EQ(3u, page.count);
  EXPECT_EQ("c3", Text(page.rows[0].id));
  cx_list_page_done(&page);
}

TEST_F(EngineListTest, HidesExpiredContextsBeforeTheTimersDeleteThem) {
  Upsert("a", Mutations().SetExpiry(CX_SECOND_US));
  Create("b");
  clock_.now_us += CX_SECOND_US;
  EXPECT_EQ((Ids{"b"}), List({}));
}

TEST_F(EngineListTest, ListsDeletedContextsWithTheirTimes) {
  CreateOf("a", "chat", "red");
  Create("b");
  clock_.now_us += 5;
  Delete("a");
  cx_list_query query = {};
  query.deleted = true;
  query.type = cx_bytes_of("chat");
  query.count_max = 10;
  cx_list_page page = Page(query);
  ASSERT_EQ(1u, page.count);
  EXPECT_EQ("a", Text(page.rows[0].id));
  EXPECT_EQ(clock_.now_us, page.rows[0].delete_time_us);
  EXPECT_EQ(2u, page.rows[0].label_count) << "it is kept whole";
  cx_list_page_done(&page);
  EXPECT_EQ((Ids{"b"}), List({}));
  Create("a");
  query.type = {};
  EXPECT_EQ(Ids{}, List(query));
}

TEST_F(EngineListTest, EndsAPageEarlyWhenTooManyRowsDoNotFit) {
  for (unsigned i = 0; i < CX_PAGE_ROWS_MAX + 10; i++) {
    char id[16];
    snprintf(id, sizeof id, "c%05u", i);
    ASSERT_EQ(CX_OK, Upsert(id, Mutations().SetLabel("l", "v")).status);
    if (i % 500 == 0) Step();
  }
  CreateOf("zzz", "chat", "red");
  cx_label labels[] = {{cx_bytes_of("l"), cx_bytes_of("v")}, {cx_bytes_of("m"), cx_bytes_of("w")}};
  cx_list_query query = {};
  query.labels = labels;
  query.label_count = 2;
  query.count_max = 10;
  cx_list_page page = Page(query);
  EXPECT_EQ(0u, page.count);
  EXPECT_TRUE(page.more);
  EXPECT_EQ("c09999", Text(page.last_id));
  std::string last = Text(page.last_id);
  cx_list_page_done(&page);
  query.after_id = Bytes(last);
  page = Page(query);
  EXPECT_FALSE(page.more);
  cx_list_page_done(&page);
}

TEST_F(EngineListTest, WaitsForTheTailAndKeepsThePositionBeforeIt) {
  Create("a");
  uint64_t tail = Create("b").write.revision;
  cx_list_query query = {};
  query.count_max = 1;
  cx_list_page page = Page(query);
  EXPECT_EQ(tail, wait_for_);
  EXPECT_EQ(tail, page.position);
  cx_list_page_done(&page);
}

TEST_F(EngineListTest, KeepsNamespacesApart) {
  namespace_ = "one";
  Create("a");
  namespace_ = "one.two";
  Create("b");
  EXPECT_EQ((Ids{"b"}), List({}));
  namespace_ = "one";
  EXPECT_EQ((Ids{"a"}), List({}));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("b").reason());
}

TEST_F(EngineListTest, ListsNamespacesThatHoldContextsByName) {
  for (const char *name : {"b", "a", "c", "d"}) {
    namespace_ = name;
    Upsert("x", Mutations().Put("key", "value"));
  }
  Create("y");
  namespace_ = "c";
  Delete("x");
  cx_namespace_row rows[2];
  size_t count;
  bool more;
  uint64_t wait_for;
  ASSERT_EQ(CX_OK, cx_engine_list_namespaces(engine_, {}, 2, rows, &count, &more, &wait_for));
  ASSERT_EQ(2u, count);
  EXPECT_TRUE(more);
  EXPECT_STREQ("a", rows[0].name);
  EXPECT_STREQ("b", rows[1].name);
  EXPECT_EQ(1u, rows[0].context_count);
  EXPECT_EQ(8u, rows[0].size_bytes);
  EXPECT_EQ(Statistics().revision, wait_for);
  ASSERT_EQ(CX_OK, cx_engine_list_namespaces(engine_, cx_bytes_of("b"), 2, rows, &count, &more,
                                             &wait_for));
  ASSERT_EQ(1u, count) << "the empty one is left out";
  EXPECT_FALSE(more);
  EXPECT_STREQ("d", rows[0].name);
  EXPECT_EQ(2u, rows[0].context_count);
}

TEST_F(EngineListTest, CountsTheSizesOfANamespaceOverEveryChange) {
  cx_namespace_row row;
  size_t count;
  bool more;
  uint64_t wait_for;
  Upsert("a", Mutations().Put("k", "12345"));
  Upsert("b", Mutations().Put("k", "1").Append("k", "2"));
  Update("a", Mutations().Append("k", "6").Put("l", ""));
  Delete("b");
  Reopen();
  ASSERT_EQ(CX_OK, cx_engine_list_namespaces(engine_, {}, 1, &row, &count, &more, &wait_for));
  EXPECT_EQ(1u, row.context_count);
  EXPECT_EQ(8u, row.size_bytes);
  Delete("a", false, true);
  ASSERT_EQ(CX_OK, cx_engine_list_namespaces(engine_, {}, 1, &row, &count, &more, &wait_for));
  EXPECT_EQ(0u, count);
}

}  // namespace
