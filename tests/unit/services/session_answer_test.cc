// What session_answer.h promises: the session as it is afterwards, and what came of the call.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class SessionAnswerTest : public TrackerFixture {};

TEST_F(SessionAnswerTest, ShowsTheSessionAndTheWrite) {
  std::string id = Start("create_if_missing {}");
  for (const char *method : {"SwitchContext", "DeactivateContext"}) {
    std::string text = Ask(method, On(id, "a", ""));
    Has(text, "session {");
    Has(text, "id: \"" + id + "\"");
    Has(text, "write { revision: ");
  }
}

TEST_F(SessionAnswerTest, ShowsNoSessionToARepeatWhenItIsGone) {
  std::string id = Start("create_if_missing {}");
  Ask("SwitchContext", On(id, "a", "write { request_id: 'r' }"));
  Ask("EndSession", "session_id: '" + id + "'");
  std::string text = Ask("SwitchContext", On(id, "a", "write { request_id: 'r' }"));
  EXPECT_EQ(std::string::npos, text.find("session {")) << text;
  Has(text, "replayed: true");
}

TEST_F(SessionAnswerTest, TellsWhatIsWrong) {
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s", Ask("SwitchContext", On("s", "a", "")));
}

}  // namespace
