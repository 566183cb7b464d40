// GetSession: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class SessionGetTest : public TrackerFixture {
 protected:
  std::string Show(const std::string &id) { return Ask("GetSession", "session_id: '" + id + "'"); }
};

TEST_F(SessionGetTest, ShowsTheActivationsInTheirOrderAndTheCurrentOne) {
  for (const char *id : {"a", "b"}) Put(id, "k", "v");
  std::string id = Start("owner: 'o'");
  Activate(id, "b", "exclusive: true");
  clock_.now_us += CX_SECOND_US;
  Activate(id, "a");
  EXPECT_EQ("session { namespace: \"default\" id: \"" + id +
                "\" owner: \"o\" create_time { seconds: 1700000000 } "
                "expire_time { seconds: 1700000060 } "
                "activations { context_id: \"b\" fence: 1 exclusive: true "
                "time { seconds: 1700000000 } } "
                "activations { context_id: \"a\" time { seconds: 1700000001 } } "
                "current_context_id: \"b\" }",
            Show(id));
}

TEST_F(SessionGetTest, ShowsNoneThatHasEndedOrIsLost) {
  std::string ended = Start(), lost = Start();
  Ask("EndSession", "session_id: '" + ended + "'");
  EXPECT_EQ("SESSION_NOT_FOUND session_id=" + ended, Show(ended));
  clock_.now_us += 60 * CX_SECOND_US;
  EXPECT_EQ("SESSION_NOT_FOUND session_id=" + lost, Show(lost));
}

TEST_F(SessionGetTest, SaysThatASessionAloneOutgrowsAMessage) {
  std::string id = Start("create_if_missing {} max_active_contexts: 1000");
  for (int i = 0; i < 10; i++) Activate(id, std::string(250, 'c') + std::to_string(i));
  message_size_max_ = 2000;
  Has(Show(id), "RESPONSE_TOO_LARGE size=");
}

}  // namespace
