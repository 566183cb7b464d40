// GetContextStatus: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ContextStatusTest : public TrackerFixture {
 protected:
  std::string Status(const std::string &context) {
    return Ask("GetContextStatus", "context_id: '" + context + "'");
  }
};

TEST_F(ContextStatusTest, TellsAContextThatIsThereFromOneThatIsNot) {
  EXPECT_EQ("status: STATUS_NON_EXISTENT", Status("a"));
  Put("a", "k", "v");
  EXPECT_EQ("status: STATUS_INACTIVE version: 1", Status("a"));
}

TEST_F(ContextStatusTest, TellsWhoHasItActiveAndWhoExclusively) {
  Put("a", "k", "v");
  std::string first = Start(), second = Start();
  Activate(first, "a");
  EXPECT_EQ("status: STATUS_ACTIVE version: 1 session_ids: \"" + first + "\"", Status("a"));
  Activate(second, "a", "exclusive: true guard: true");
  EXPECT_EQ("status: STATUS_ACTIVE version: 1 fence: 1 session_ids: \"" + first +
                "\" session_ids: \"" + second + "\" exclusive_session_id: \"" + second +
                "\" guarded: true",
            Status("a"));
}

TEST_F(ContextStatusTest, TellsNothingOfSessionsThatAreLost) {
  Put("a", "k", "v");
  std::string id = Start("ttl { seconds: 1 }");
  Activate(id, "a", "exclusive: true");
  clock_.now_us += CX_SECOND_US;
  EXPECT_EQ("status: STATUS_INACTIVE version: 1 fence: 1", Status("a"));
}

}  // namespace
