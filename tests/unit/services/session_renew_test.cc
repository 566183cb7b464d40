// RenewSession: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class SessionRenewTest : public TrackerFixture {
 protected:
  std::string Renew(const std::string &id) {
    return Ask("RenewSession", "session_id: '" + id + "'");
  }
};

TEST_F(SessionRenewTest, GivesAFullTermFromNowOn) {
  std::string id = Start("ttl { seconds: 10 }");
  for (int i = 0; i < 5; i++) {
    clock_.now_us += 9 * CX_SECOND_US;
    EXPECT_EQ("expire_time { seconds: " + std::to_string(1700000019 + 9 * i) + " }", Renew(id));
  }
}

TEST_F(SessionRenewTest, WritesNothing) {
  std::string id = Start();
  uint64_t before = Statistics().revision;
  Renew(id);
  EXPECT_EQ(before, Statistics().revision);
}

TEST_F(SessionRenewTest, IsTooLateForOneThatWasLostOrEnded) {
  std::string lost = Start("ttl { seconds: 10 }"), ended = Start();
  Ask("EndSession", "session_id: '" + ended + "'");
  EXPECT_EQ("SESSION_NOT_FOUND session_id=" + ended, Renew(ended));
  clock_.now_us += 10 * CX_SECOND_US;
  EXPECT_EQ("SESSION_NOT_FOUND session_id=" + lost, Renew(lost));
}

TEST_F(SessionRenewTest, KnowsNoSessionOfAnotherNamespace) {
  std::string id = Start("namespace: 'n'");
  EXPECT_EQ("SESSION_NOT_FOUND session_id=" + id, Renew(id));
  EXPECT_EQ("SESSION_NOT_FOUND session_id=no id at all", Renew("no id at all"));
}

}  // namespace
