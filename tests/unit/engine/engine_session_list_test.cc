// What engine.h promises of lists of sessions: over all shards, oldest first, in pages.

#include "tests/unit/engine/tracking_fixture.h"

namespace {

class EngineSessionListTest : public TrackingFixture {
 protected:
  void SetUp() override { ASSERT_EQ(CX_OK, Open()) << open_error_.message; }

  std::string SessionOf(const std::string &owner, int64_t ttl_us = kTtl) {
    cx_session_start_request start = Term(ttl_us);
    start.owner = Bytes(owner);
    return Session(start);
  }

  struct Page : Outcome {
    Strings ids;
    std::vector<Presence> rows;
    bool more;
    uint64_t last;
  };

  Page ListPage(uint64_t after, size_t count_max, const std::string &owner = "") {
    Page result = {};
    cx_session_page page;
    cx_session_query query = {Bytes(namespace_), Bytes(owner), after, count_max};
    result.status =
        cx_engine_list_sessions(engine_, &query, &page, &result.write.wait_for, &result.error);
    for (size_t i = 0; i < page.count; i++) result.ids.push_back(Text(page.rows[i]->id));
    result.more = page.more;
    result.last = page.last_start_revision;
    cx_session_page_done(&page);
    return result;
  }

  // All pages of a list.
  Strings ListAll(size_t count_max = 1000, const std::string &owner = "") {
    Strings all;
    Page page = {};
    do {
      page = ListPage(page.last, count_max, owner);
      EXPECT_EQ(CX_OK, page.status);
      EXPECT_LE(page.ids.size(), count_max);
      all.insert(all.end(), page.ids.begin(), page.ids.end());
    } while (page.more);
    return all;
  }
};

TEST_F(EngineSessionListTest, ListsOverAllShardsInTheOrderOfStartInPagesOfEverySize) {
  Strings all;
  for (int i = 0; i < 300; i++) all.push_back(Session());
  for (size_t count : {1, 2, 7, 100, 299, 300, 301, 1000}) EXPECT_EQ(all, ListAll(count)) << count;
  Reopen();
  EXPECT_EQ(all, ListAll(7));
}

TEST_F(EngineSessionListTest, ListsTheSessionsOfAnOwner) {
  std::string one = SessionOf("ann");
  SessionOf("anna");
  SessionOf("");
  std::string two = SessionOf("ann");
  EXPECT_EQ((Strings{one, two}), ListAll(1, "ann"));
  EXPECT_EQ(Strings{}, ListAll(10, "an"));
}

TEST_F(EngineSessionListTest, ShowsASessionAsItIs) {
  Create("c");
  std::string id = SessionOf("ann");
  Activate(id, "c", kExclusive);
  cx_session_page page;
  cx_session_query query = {Bytes(namespace_), {}, 0, 10};
  cx_error error;
  uint64_t wait_for;
  ASSERT_EQ(CX_OK, cx_engine_list_sessions(engine_, &query, &page, &wait_for, &error));
  ASSERT_EQ(1u, page.count);
  const cx_session_view &row = *page.rows[0];
  EXPECT_EQ("ann", Text(row.owner));
  EXPECT_EQ(clock_.now_us + kTtl, row.expire_time_us);
  ASSERT_EQ(1u, row.activation_count);
  EXPECT_EQ("c", Text(row.activations[0].context_id));
  EXPECT_EQ("c", Text(row.current_context_id));
  EXPECT_EQ(Statistics().revision, wait_for);
  End(id);
  EXPECT_EQ(1u, row.activation_count) << "a page never changes";
  cx_session_page_done(&page);
}

TEST_F(EngineSessionListTest, LeavesOutWhatHasEndedAndWhatHasLapsed) {
  std::string first = Session(20 * kSecond);
  std::string ending = Session();
  std::string lapsing = Session(10 * kSecond);
  std::string last = Session();
  EXPECT_EQ((Strings{first, ending, lapsing, last}), ListAll(1));
  uint64_t ended = End(ending).write.revision;
  EXPECT_EQ(ended, ListPage(0, 10).write.wait_for) << "it tells that one is gone";
  clock_.now_us += 10 * kSecond;
  EXPECT_EQ((Strings{first, last}), ListAll(1));
  EXPECT_EQ(ended + 1, Statistics().revision) << "whoever comes upon it ends it";
  EXPECT_EQ(ended + 1, ListPage(0, 10).write.wait_for);
}

TEST_F(EngineSessionListTest, GoesOnBehindASessionThatIsGone) {
  Strings all;
  for (int i = 0; i < 6; i++) all.push_back(Session());
  Page page = ListPage(0, 3);
  EXPECT_TRUE(page.more);
  End(all[2]);
  End(all[3]);
  EXPECT_EQ((Strings{all[4], all[5]}), ListPage(page.last, 3).ids);
}

TEST_F(EngineSessionListTest, EndsAPageEarlyWhenTooManySessionsDoNotFit) {
  for (unsigned i = 0; i < CX_PAGE_ROWS_MAX + 10; i++) {
    ASSERT_EQ(CX_OK, Start(Term()).status);
    if (i % 500 == 0) Step();
  }
  std::string wanted = SessionOf("ann");
  Page page = ListPage(0, 10, "ann");
  EXPECT_EQ(Strings{}, page.ids);
  EXPECT_TRUE(page.more);
  page = ListPage(page.last, 10, "ann");
  EXPECT_EQ(Strings{wanted}, page.ids);
  EXPECT_FALSE(page.more);
}

TEST_F(EngineSessionListTest, KeepsNamespacesApart) {
  namespace_ = "one";
  std::string one = Session();
  namespace_ = "one.two";
  std::string two = Session();
  EXPECT_EQ(Strings{two}, ListAll());
  namespace_ = "one";
  EXPECT_EQ(Strings{one}, ListAll());
  namespace_ = "on";
  EXPECT_EQ(Strings{}, ListAll());
}

}  // namespace
