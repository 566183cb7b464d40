// ListSessions: what the comments of tracker.proto and resources.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class SessionListTest : public TrackerFixture {
 protected:
  Strings List(const std::string &request = "", size_t max = 1000) {
    return ListAll("ListSessions", request, "sessions \\{ namespace: \"[^\"]*\" id: \"([^\"]*)\"",
                   max);
  }
};

TEST_F(SessionListTest, ListsTheOldestFirst) {
  Strings ids;
  for (int i = 0; i < 20; i++) ids.push_back(Start());
  EXPECT_EQ(ids, List());
  EXPECT_EQ(ids, List("page_size: 7", 7));
  EXPECT_EQ(ids, List("page_size: 1", 1));
}

TEST_F(SessionListTest, ListsTheLiveOnesOfANamespaceAndOwner) {
  std::string ann = Start("owner: 'ann'"), ben = Start("owner: 'ben'");
  std::string other = Start("namespace: 'n'"), ended = Start(), lost = Start("ttl { seconds: 1 }");
  Ask("EndSession", "session_id: '" + ended + "'");
  clock_.now_us += CX_SECOND_US;
  EXPECT_EQ((Strings{ann, ben}), List());
  EXPECT_EQ((Strings{ben}), List("owner: 'ben'"));
  EXPECT_EQ((Strings{other}), List("namespace: 'n'"));
  EXPECT_EQ((Strings{}), List("namespace: 'none'"));
}

TEST_F(SessionListTest, EndsAPageWhereItWouldOutgrowAMessage) {
  Strings ids;
  for (int i = 0; i < 9; i++) {
    ids.push_back(Start("metadata { key: 'k' value: '" + std::string(1000, 'v') + "' }"));
  }
  message_size_max_ = CX_TOKEN_TEXT_SIZE_MAX + 3500;
  EXPECT_EQ(3u, FindAll(Ask("ListSessions"), "(sessions) \\{").size());
  EXPECT_EQ(ids, List("", 3));
}

TEST_F(SessionListTest, RefusesATokenOfAnotherList) {
  for (int i = 0; i < 2; i++) Start("owner: 'o'");
  std::string token = " page_token: '" + TokenOf(Ask("ListSessions", "page_size: 1")) + "'";
  EXPECT_EQ(kTokenRefused, Ask("ListSessions", "owner: 'o'" + token));
  EXPECT_EQ(kTokenRefused, Ask("ListSessions", "namespace: 'n'" + token));
  EXPECT_EQ(kTokenRefused, Ask("ListActivities", "context_id: 'a'" + token));
}

TEST_F(SessionListTest, TakesATokenAfterARestart) {
  Start();
  std::string second = Start();
  std::string token = TokenOf(Ask("ListSessions", "page_size: 1"));
  Reopen();
  app_.engine = engine_;
  Has(Ask("ListSessions", "page_token: '" + token + "'"), "id: \"" + second + "\"");
}

TEST_F(SessionListTest, LeavesThePollerWhenItMayLookAtMuch) {
  Call plain = Begin("ListSessions"), owner = Begin("ListSessions", "owner: 'o'");
  Settle();
  EXPECT_EQ(0, plain->offloads);
  EXPECT_EQ(1, owner->offloads);
}

}  // namespace
