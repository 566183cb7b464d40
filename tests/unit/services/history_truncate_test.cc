// TruncateHistory: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class HistoryTruncateTest : public TrackerFixture {
 protected:
  std::string Truncate(const std::string &request) {
    return Ask("TruncateHistory", "context_id: 'a' " + request);
  }

  Strings Sequences() {
    return ListAll("ListActivities", "context_id: 'a'", "activities \\{ sequence: ([0-9]+)");
  }
};

TEST_F(HistoryTruncateTest, DropsWhatIsBeforeASequence) {
  RecordMessages("a", 5);
  EXPECT_EQ("removed_count: 3 write { revision: 7 }", Truncate("from_sequence: 4"));
  EXPECT_EQ((Strings{"4", "5"}), Sequences());
  EXPECT_EQ("write { }", Truncate("from_sequence: 4"));
}

TEST_F(HistoryTruncateTest, DropsWhatIsBeforeATime) {
  for (int i = 0; i < 4; i++) {
    RecordMessages("a", 1);
    clock_.now_us += CX_SECOND_US;
  }
  Has(Truncate("from_time { seconds: 1700000001 }"), "removed_count: 1 ");
  Has(Truncate("from_time { seconds: 1700000001 nanos: 1 }"), "removed_count: 1 ");
  EXPECT_EQ((Strings{"3", "4"}), Sequences());
}

TEST_F(HistoryTruncateTest, MayDropThemAllAndGoesOnCounting) {
  RecordMessages("a", 3);
  Has(Truncate("from_sequence: 100"), "removed_count: 3 ");
  EXPECT_EQ(Strings{}, Sequences());
  Has(Record("a", "activities { type: 't' }"), "first_sequence: 4 ");
}

TEST_F(HistoryTruncateTest, KeepsFilesAndUsage) {
  Record("a", "activities { file { path: 'f' } } activities { model { model: 'm' } }");
  Truncate("from_sequence: 100");
  Has(Ask("ListFiles", "context_id: 'a'"), "path: \"f\"");
  Has(Ask("SummarizeUsage", "context_id: 'a'"), "model: \"m\"");
}

TEST_F(HistoryTruncateTest, SaysNothingRemovedToARepeat) {
  RecordMessages("a", 5);
  Truncate("from_sequence: 4 write { request_id: 'r' }");
  EXPECT_EQ("write { revision: 7 replayed: true }",
            Truncate("from_sequence: 4 write { request_id: 'r' }"));
}

TEST_F(HistoryTruncateTest, ChecksSessionAndFence) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Truncate("from_sequence: 1"));
  RecordMessages("a", 2);
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s",
            Truncate("from_sequence: 2 write { session_id: 's' }"));
  EXPECT_EQ("STALE_FENCE current_fence=0", Truncate("from_sequence: 2 write { fence: 1 }"));
}

TEST_F(HistoryTruncateTest, LeavesThePoller) {
  Call call = Begin("TruncateHistory", "context_id: 'a' from_sequence: 1");
  Settle();
  EXPECT_EQ(1, call->offloads);
}

}  // namespace
