// OptimizeHistory: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class HistoryOptimizeTest : public TrackerFixture {
 protected:
  std::string Optimize(const std::string &request) {
    return Ask("OptimizeHistory", "context_id: 'a' " + request);
  }

  Strings Sequences() {
    return ListAll("ListActivities", "context_id: 'a'", "activities \\{ sequence: ([0-9]+)");
  }

  void RecordData(const std::string &data) {
    Record("a", "activities { type: 't' data: '" + data + "' }");
  }
};

TEST_F(HistoryOptimizeTest, KeepsTheNewestThatFit) {
  for (const char *data : {"1234", "12345", "123", "12"}) RecordData(data);
  EXPECT_EQ("removed_count: 2 removed_bytes: 9 kept_count: 2 kept_bytes: 5 write { revision: 6 }",
            Optimize("max_bytes: 9"));
  EXPECT_EQ((Strings{"3", "4"}), Sequences());
}

TEST_F(HistoryOptimizeTest, KeepsAtMostSoMany) {
  RecordMessages("a", 5);
  EXPECT_EQ("removed_count: 3 removed_bytes: 3 kept_count: 2 kept_bytes: 2 write { revision: 7 }",
            Optimize("max_count: 2"));
  EXPECT_EQ((Strings{"4", "5"}), Sequences());
}

TEST_F(HistoryOptimizeTest, DropsRepeatsFirst) {
  for (const char *data : {"x", "y", "x", "z", "y"}) RecordData(data);
  EXPECT_EQ("removed_count: 2 removed_bytes: 2 kept_count: 3 kept_bytes: 3 write { revision: 7 }",
            Optimize("deduplicate: true max_count: 3"));
  EXPECT_EQ((Strings{"3", "4", "5"}), Sequences());
}

TEST_F(HistoryOptimizeTest, AlwaysKeepsTheNewest) {
  RecordData("0123456789");
  EXPECT_EQ("kept_count: 1 kept_bytes: 10 write { }", Optimize("max_bytes: 1"));
}

TEST_F(HistoryOptimizeTest, SaysWhatItWouldDropAndDropsNothing) {
  RecordMessages("a", 5);
  EXPECT_EQ("removed_count: 4 removed_bytes: 4 kept_count: 1 kept_bytes: 1 write { }",
            Optimize("max_count: 1 dry_run: true"));
  EXPECT_EQ(5u, Sequences().size());
}

TEST_F(HistoryOptimizeTest, SaysToARepeatWhatIsKeptNow) {
  RecordMessages("a", 5);
  Optimize("max_count: 2 write { request_id: 'r' }");
  RecordMessages("a", 1);
  EXPECT_EQ("kept_count: 3 kept_bytes: 3 write { revision: 7 replayed: true }",
            Optimize("max_count: 2 write { request_id: 'r' }"));
}

TEST_F(HistoryOptimizeTest, ChecksSessionAndFence) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Optimize(""));
  RecordMessages("a", 1);
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s", Optimize("write { session_id: 's' }"));
  EXPECT_EQ("STALE_FENCE current_fence=0", Optimize("write { fence: 1 }"));
}

TEST_F(HistoryOptimizeTest, LeavesThePoller) {
  Call call = Begin("OptimizeHistory", "context_id: 'a'");
  Settle();
  EXPECT_EQ(1, call->offloads);
}

}  // namespace
