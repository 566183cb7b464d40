// The form of requests about histories: the rules of tracker.proto and resources.proto.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ConvertHistoryTest : public TrackerFixture {};

TEST_F(ConvertHistoryTest, NeedsAContextIdEverywhere) {
  for (const char *method : {"RecordActivities", "ListActivities", "OptimizeHistory",
                             "TruncateHistory", "ListFiles", "ListResources"}) {
    EXPECT_EQ(Invalid("context_id", "must not be empty"), Ask(method)) << method;
    Has(Ask(method, "namespace: '_' context_id: 'a'"), "INVALID_FIELD field=namespace");
  }
}

TEST_F(ConvertHistoryTest, Records1To1000Activities) {
  std::string activities;
  EXPECT_EQ(Invalid("activities", "must not be empty"), Ask("RecordActivities", "context_id: 'a'"));
  for (int i = 0; i < 1000; i++) activities += " activities { type: 't' }";
  Has(Record("a", activities), "first_sequence: 1 last_sequence: 1000");
  EXPECT_EQ(Invalid("activities", "must have at most 1000 elements"),
            Record("a", activities + " activities { type: 't' }"));
}

TEST_F(ConvertHistoryTest, NamesTheActivityThatIsWrong) {
  Has(Record("a", "activities { type: 't' } activities {}"),
      "INVALID_FIELD field=activities[1].type");
}

TEST_F(ConvertHistoryTest, TakesUpTo100TypesOf1To64Bytes) {
  std::string types;
  for (int i = 0; i < 100; i++) types += " types: 't'";
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("ListActivities", "context_id: 'a'" + types));
  EXPECT_EQ(Invalid("types", "must have at most 100 elements"),
            Ask("ListActivities", "context_id: 'a' types: 't'" + types));
  EXPECT_EQ(Invalid("types[1]", "must not be empty"),
            Ask("ListActivities", "context_id: 'a' types: ['t', '']"));
  EXPECT_EQ(Invalid("types[0]", "must have at most 64 bytes"),
            Ask("ListActivities", "context_id: 'a' types: '" + std::string(65, 't') + "'"));
}

TEST_F(ConvertHistoryTest, TakesTimesInTheirOrder) {
  auto list = [&](const std::string &times) {
    return Ask("ListActivities", "context_id: 'a' " + times);
  };
  EXPECT_EQ(Invalid("end_time", "must not be before start_time"),
            list("start_time { seconds: 2 } end_time { seconds: 1 }"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", list("start_time { seconds: 2 } end_time { seconds: 2 }"));
  EXPECT_EQ(Invalid("start_time", "must be a valid timestamp"), list("start_time { nanos: -1 }"));
  EXPECT_EQ(Invalid("end_time", "must be a valid timestamp"),
            list("end_time { seconds: 253402300800 }"));
}

TEST_F(ConvertHistoryTest, TakesPagesOf1To1000Rows) {
  for (const char *method : {"ListActivities", "ListFiles", "ListResources"}) {
    EXPECT_EQ(Invalid("page_size", "must be 1 to 1000, or 0 for 100"),
              Ask(method, "context_id: 'a' page_size: 1001"));
    EXPECT_EQ(Invalid("page_size", "must be 1 to 1000, or 0 for 100"),
              Ask(method, "context_id: 'a' page_size: -1"));
    EXPECT_EQ("CONTEXT_NOT_FOUND", Ask(method, "context_id: 'a' page_size: 1000"));
  }
}

TEST_F(ConvertHistoryTest, TakesPathPrefixesAsLongAsPaths) {
  auto list = [&](size_t size) {
    return Ask("ListFiles", "context_id: 'a' path_prefix: '" + std::string(size, 'p') + "'");
  };
  EXPECT_EQ("CONTEXT_NOT_FOUND", list(2048));
  EXPECT_EQ(Invalid("path_prefix", "must have at most 2048 bytes"), list(2049));
}

TEST_F(ConvertHistoryTest, TruncatesOnlyWithSomethingToKeep) {
  EXPECT_EQ(Invalid("keep", "must be set: from_sequence or from_time"),
            Ask("TruncateHistory", "context_id: 'a'"));
  EXPECT_EQ(Invalid("from_sequence", "must be positive"),
            Ask("TruncateHistory", "context_id: 'a' from_sequence: 0"));
  EXPECT_EQ(Invalid("from_time", "must be a valid timestamp"),
            Ask("TruncateHistory", "context_id: 'a' from_time { nanos: 1000000000 }"));
}

TEST_F(ConvertHistoryTest, TakesWriteOptionsOfUpToTheirSize) {
  for (const char *request : {"RecordActivities", "OptimizeHistory", "TruncateHistory"}) {
    std::string rest = "context_id: 'a' ";
    if (std::string(request) == "RecordActivities") rest += "activities { type: 't' } ";
    if (std::string(request) == "TruncateHistory") rest += "from_sequence: 1 ";
    EXPECT_EQ(Invalid("write.request_id", "must have at most 128 bytes"),
              Ask(request, rest + "write { request_id: '" + std::string(129, 'r') + "' }"));
    EXPECT_EQ(Invalid("write.session_id", "must have at most 256 bytes"),
              Ask(request, rest + "write { session_id: '" + std::string(257, 's') + "' }"));
  }
}

}  // namespace
