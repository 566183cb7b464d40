// ReleaseResource: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ResourceReleaseTest : public TrackerFixture {
 protected:
  void SetUp() override {
    TrackerFixture::SetUp();
    Put("a", "k", "v");
    first_ = Start();
    second_ = Start();
    Ask("AcquireResource", On(first_, "a", "name: 'gpu' type: 'device'"));
  }

  std::string Release(const std::string &session, const std::string &more = "") {
    return Ask("ReleaseResource", On(session, "a", "name: 'gpu' " + more));
  }

  std::string first_, second_;
};

TEST_F(ResourceReleaseTest, GivesItBackAndSaysSoInTheHistory) {
  EXPECT_EQ("write { revision: 6 }", Release(first_));
  EXPECT_EQ("", Ask("ListResources", "context_id: 'a'"));
  Has(Ask("ListActivities", "context_id: 'a' from_sequence: 2"),
      "resource { name: \"gpu\" type: \"device\" kind: KIND_RELEASED }");
}

TEST_F(ResourceReleaseTest, SaysWhoElseHoldsIt) {
  EXPECT_EQ("RESOURCE_NOT_HELD session_id=" + first_, Release(second_));
  Release(first_);
  EXPECT_EQ("RESOURCE_NOT_HELD", Release(first_));
}

TEST_F(ResourceReleaseTest, KnowsTheSessionAndTheContext) {
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s", Release("s"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("ReleaseResource", On(first_, "none", "name: 'gpu'")));
}

TEST_F(ResourceReleaseTest, RepeatsARequestIdOnce) {
  EXPECT_EQ("write { revision: 6 }", Release(first_, "write { request_id: 'r' }"));
  EXPECT_EQ("write { revision: 6 replayed: true }", Release(first_, "write { request_id: 'r' }"));
}

}  // namespace
