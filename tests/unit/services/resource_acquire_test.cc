// AcquireResource: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ResourceAcquireTest : public TrackerFixture {
 protected:
  std::string Acquire(const std::string &session, const std::string &name,
                      const std::string &more = "") {
    return Ask("AcquireResource", On(session, "a", "name: '" + name + "' " + more));
  }
};

TEST_F(ResourceAcquireTest, AnswersTheResource) {
  Put("a", "k", "v");
  std::string id = Start();
  EXPECT_EQ("resource { name: \"gpu\" type: \"device\" session_id: \"" + id +
                "\" metadata { key: \"k\" value: \"v\" } time { seconds: 1700000000 } } "
                "write { revision: 4 }",
            Acquire(id, "gpu", "type: 'device' metadata { key: 'k' value: 'v' }"));
}

TEST_F(ResourceAcquireTest, ChangesNothingWhereOneHoldsIt) {
  Put("a", "k", "v");
  std::string id = Start();
  Acquire(id, "gpu", "type: 'device'");
  std::string again = Acquire(id, "gpu", "type: 'other'");
  Has(again, "type: \"device\"");
  Has(again, "write { }");
}

TEST_F(ResourceAcquireTest, SaysWhoHoldsIt) {
  Put("a", "k", "v");
  std::string first = Start(), second = Start();
  Acquire(first, "gpu");
  EXPECT_EQ("RESOURCE_HELD session_id=" + first, Acquire(second, "gpu"));
  Ask("EndSession", "session_id: '" + first + "'");
  Has(Acquire(second, "gpu"), "session_id: \"" + second + "\"");
}

TEST_F(ResourceAcquireTest, IsInTheHistory) {
  Put("a", "k", "v");
  std::string id = Start();
  Acquire(id, "gpu", "type: 'device' metadata { key: 'k' value: 'v' }");
  EXPECT_EQ(
      "activities { sequence: 1 time { seconds: 1700000000 } type: \"resource\" "
      "metadata { key: \"k\" value: \"v\" } session_id: \"" +
          id + "\" resource { name: \"gpu\" type: \"device\" kind: KIND_ACQUIRED } }",
      Ask("ListActivities", "context_id: 'a'"));
}

TEST_F(ResourceAcquireTest, TellsTheSessionsAbsenceBeforeTheContexts) {
  std::string id = Start();
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s", Acquire("s", "gpu"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Acquire(id, "gpu"));
}

TEST_F(ResourceAcquireTest, NamesTheLimitOfResources) {
  Put("a", "k", "v");
  std::string id = Start();
  for (unsigned i = 0; i < CX_SESSION_RESOURCES_MAX; i++) Acquire(id, std::to_string(i));
  EXPECT_EQ("LIMIT_REACHED limit=session_resources_max value=1000", Acquire(id, "more"));
}

TEST_F(ResourceAcquireTest, ShowsARepeatWhatIsThereNow) {
  Put("a", "k", "v");
  std::string id = Start();
  Acquire(id, "gpu", "write { request_id: 'r' }");
  std::string again = Acquire(id, "gpu", "write { request_id: 'r' }");
  Has(again, "resource { name: \"gpu\"");
  Has(again, "write { revision: 4 replayed: true }");
  Ask("ReleaseResource", On(id, "a", "name: 'gpu'"));
  EXPECT_EQ("write { revision: 4 replayed: true }",
            Acquire(id, "gpu", "write { request_id: 'r' }"));
}

}  // namespace
