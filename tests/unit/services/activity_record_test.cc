// RecordActivities: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ActivityRecordTest : public TrackerFixture {};

TEST_F(ActivityRecordTest, AnswersTheSequencesOfAllOfThem) {
  Put("a", "k", "v");
  EXPECT_EQ("first_sequence: 1 last_sequence: 2 write { revision: 3 }",
            Record("a", "activities { type: 't' } activities { type: 'u' }"));
  EXPECT_EQ("first_sequence: 3 last_sequence: 3 write { revision: 4 }",
            Record("a", "activities { type: 't' }"));
}

TEST_F(ActivityRecordTest, RecordsAllOrNone) {
  Put("a", "k", "v");
  EXPECT_EQ("LIMIT_REACHED limit=value_size_max value=65536",
            Record("a", "activities { type: 't' } activities { type: 't' data: '" +
                            std::string(64 * CX_KIB + 1, 'd') + "' }"));
  EXPECT_EQ("", Ask("ListActivities", "context_id: 'a'"));
}

TEST_F(ActivityRecordTest, CreatesTheContextOnlyWhereItMay) {
  EXPECT_EQ("CONTEXT_NOT_FOUND",
            Ask("RecordActivities", "context_id: 'a' activities { type: 't' }"));
  EXPECT_EQ("first_sequence: 1 last_sequence: 1 write { revision: 2 }",
            Record("a", "activities { type: 't' }"));
  Has(Manage("GetContext", "state { context_id: 'a' }"), "version: 1 ");
}

TEST_F(ActivityRecordTest, AnswersTheSameSequencesToARepeat) {
  const std::string more = "write { request_id: 'r' }";
  EXPECT_EQ("first_sequence: 1 last_sequence: 2 write { revision: 2 }",
            Record("a", "activities { type: 't' } activities { type: 'u' }", more));
  Record("a", "activities { type: 't' }");
  EXPECT_EQ("first_sequence: 1 last_sequence: 2 write { revision: 2 replayed: true }",
            Record("a", "activities { type: 't' } activities { type: 'u' }", more));
}

TEST_F(ActivityRecordTest, TakesTheSessionOfTheWriteForTheAuthor) {
  Put("a", "k", "v");
  std::string id = Start();
  Record("a", "activities { type: 't' session_id: 'ignored' }",
         "write { session_id: '" + id + "' }");
  Has(Ask("ListActivities", "context_id: 'a'"), "type: \"t\" session_id: \"" + id + "\"");
  EXPECT_EQ("SESSION_NOT_FOUND session_id=s",
            Record("a", "activities { type: 't' }", "write { session_id: 's' }"));
}

TEST_F(ActivityRecordTest, MakesNoVersion) {
  Put("a", "k", "v");
  Record("a", "activities { type: 't' }");
  Has(Manage("GetContext", "state { context_id: 'a' }"), "version: 1 revision: 3");
}

TEST_F(ActivityRecordTest, LeavesThePollerWithManyOfThem) {
  std::string few, many;
  for (int i = 0; i < 300; i++) (i < 10 ? few : many) += "activities { type: 't' } ";
  Call small = Begin("RecordActivities", "context_id: 'a' " + few);
  Call large = Begin("RecordActivities", "context_id: 'a' " + many);
  Settle();
  EXPECT_EQ(0, small->offloads);
  EXPECT_EQ(1, large->offloads);
}

}  // namespace
