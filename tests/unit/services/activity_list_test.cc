// ListActivities: what the comments of tracker.proto and resources.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ActivityListTest : public TrackerFixture {
 protected:
  Strings List(const std::string &request = "", size_t max = 1000) {
    return ListAll("ListActivities", "context_id: 'a' " + request,
                   "activities \\{ sequence: ([0-9]+)", max);
  }

  static Strings Numbers(int first, int last) {
    Strings numbers;
    for (int i = first;; i += first < last ? 1 : -1) {
      numbers.push_back(std::to_string(i));
      if (i == last) return numbers;
    }
  }
};

TEST_F(ActivityListTest, ShowsEverythingThatWasRecorded) {
  Record("a",
         "activities { type: 'message' data: 'd\\000' content_type: 'text/plain' "
         "metadata { key: 'k' value: 'v' } } "
         "activities { file { path: '/x' operation: 'read' source: 's' } } "
         "activities { model { provider: 'p' model: 'm' mode: 'o' input_tokens: 1 "
         "output_tokens: 2 cached_tokens: 3 cost_micros: 4 latency { seconds: 5 nanos: 6000 } } }");
  EXPECT_EQ(
      "activities { sequence: 1 time { seconds: 1700000000 } type: \"message\" data: \"d\\000\" "
      "content_type: \"text/plain\" metadata { key: \"k\" value: \"v\" } } "
      "activities { sequence: 2 time { seconds: 1700000000 } type: \"file_operation\" "
      "file { path: \"/x\" operation: \"read\" source: \"s\" } } "
      "activities { sequence: 3 time { seconds: 1700000000 } type: \"model_usage\" "
      "model { provider: \"p\" model: \"m\" mode: \"o\" input_tokens: 1 output_tokens: 2 "
      "cached_tokens: 3 cost_micros: 4 currency: \"USD\" latency { seconds: 5 nanos: 6000 } } }",
      Ask("ListActivities", "context_id: 'a'"));
}

TEST_F(ActivityListTest, GoesOnWhereThePageBeforeEndedInBothDirections) {
  RecordMessages("a", 20);
  EXPECT_EQ(Numbers(1, 20), List("page_size: 7", 7));
  EXPECT_EQ(Numbers(1, 20), List("page_size: 1", 1));
  EXPECT_EQ(Numbers(20, 1), List("newest_first: true page_size: 7", 7));
  EXPECT_EQ(Numbers(20, 1), List("newest_first: true page_size: 1", 1));
}

TEST_F(ActivityListTest, BeginsWithASequenceInEitherDirection) {
  RecordMessages("a", 20);
  EXPECT_EQ(Numbers(7, 20), List("from_sequence: 7 page_size: 3", 3));
  EXPECT_EQ(Numbers(7, 1), List("from_sequence: 7 newest_first: true page_size: 3", 3));
  EXPECT_EQ(Strings{}, List("from_sequence: 21"));
  EXPECT_EQ(Numbers(20, 1), List("from_sequence: 21 newest_first: true"));
}

TEST_F(ActivityListTest, SelectsByType) {
  for (const char *type : {"a", "b", "c", "a"}) {
    Record("a", std::string("activities { type: '") + type + "' }");
  }
  EXPECT_EQ((Strings{"1", "4"}), List("types: 'a' page_size: 1"));
  EXPECT_EQ((Strings{"4", "3", "1"}), List("types: ['c', 'a'] newest_first: true"));
  EXPECT_EQ((Strings{}), List("types: 'none'"));
}

TEST_F(ActivityListTest, SelectsByTimeUpToAndWithoutTheEnd) {
  for (int i = 0; i < 5; i++) {
    RecordMessages("a", 1);
    clock_.now_us += CX_SECOND_US;
  }
  EXPECT_EQ((Strings{"3", "4", "5"}), List("start_time { seconds: 1700000002 }"));
  EXPECT_EQ((Strings{"3", "4"}),
            List("start_time { seconds: 1700000002 } end_time { seconds: 1700000004 }"));
  EXPECT_EQ((Strings{"4", "5"}), List("start_time { seconds: 1700000002 nanos: 1 }"));
  EXPECT_EQ((Strings{"1", "2", "3"}), List("end_time { seconds: 1700000002 nanos: 1 }"));
  EXPECT_EQ((Strings{"4", "3"}),
            List("start_time { seconds: 1700000002 } end_time { seconds: 1700000004 } "
                 "newest_first: true page_size: 1"));
}

TEST_F(ActivityListTest, EndsAPageWhereItWouldOutgrowAMessage) {
  for (int i = 0; i < 9; i++) {
    Record("a", "activities { type: 't' data: '" + std::string(10000, 'd') + "' }");
  }
  message_size_max_ = CX_TOKEN_TEXT_SIZE_MAX + 31000;
  EXPECT_EQ(3u, FindAll(Ask("ListActivities", "context_id: 'a'"), "(activities) \\{").size());
  EXPECT_EQ(Numbers(1, 9), List("", 3));
  EXPECT_EQ(Numbers(9, 1), List("newest_first: true", 3));
}

TEST_F(ActivityListTest, ShowsAnyActivityThatWasTaken) {
  std::string labels;
  for (int i = 10; i < 40; i++) {
    labels +=
        " metadata { key: 'k" + std::to_string(i) + "' value: '" + std::string(1000, 'v') + "' }";
  }
  std::string id = Start();
  Has(Record("a",
             "activities { data: '" + std::string(64 * CX_KIB, 'd') + "' file { path: '" +
                 std::string(2048, 'p') + "' }" + labels + " }",
             "write { session_id: '" + id + "' }"),
      "last_sequence: 1");
  // 64 KiB of data, 30 KiB of labels and the rest, with 4 KiB to spare.
  size_t packed =
      TextEncode("ListActivitiesResponse", Ask("ListActivities", "context_id: 'a'")).size();
  message_size_max_ = packed + 4 * CX_KIB;
  EXPECT_EQ((Strings{"1"}), List("page_size: 1", 1));
}

TEST_F(ActivityListTest, RefusesATokenOfAnotherList) {
  RecordMessages("a", 2);
  std::string token =
      "page_token: '" + TokenOf(Ask("ListActivities", "context_id: 'a' page_size: 1")) + "' ";
  for (const char *other :
       {"types: 'message'", "start_time { seconds: 1 }", "end_time { seconds: 1800000000 }",
        "newest_first: true", "from_sequence: 1", "namespace: 'n'"}) {
    EXPECT_EQ(kTokenRefused, Ask("ListActivities", token + "context_id: 'a' " + other)) << other;
  }
  EXPECT_EQ(kTokenRefused, Ask("ListActivities", token + "context_id: 'b'"));
  EXPECT_EQ(kTokenRefused, Ask("ListFiles", token + "context_id: 'a'"));
  EXPECT_EQ(kTokenRefused, Ask("ListActivities", "context_id: 'a' page_token: 'x'"));
  Has(Ask("ListActivities", token + "context_id: 'a' page_size: 9"), "sequence: 2");
}

TEST_F(ActivityListTest, TakesATokenAfterARestart) {
  RecordMessages("a", 2);
  std::string token = TokenOf(Ask("ListActivities", "context_id: 'a' page_size: 1"));
  Reopen();
  app_.engine = engine_;
  Has(Ask("ListActivities", "context_id: 'a' page_token: '" + token + "'"), "sequence: 2");
}

TEST_F(ActivityListTest, LeavesThePollerWithMuchData) {
  for (int i = 0; i < 6; i++) {
    Record("a", "activities { type: 't' data: '" + std::string(60000, 'd') + "' }");
  }
  message_size_max_ = CX_MIB;
  Call large = Begin("ListActivities", "context_id: 'a'");
  Call small = Begin("ListActivities", "context_id: 'a' page_size: 1");
  Call types = Begin("ListActivities", "context_id: 'a' types: 'none'");
  Settle();
  EXPECT_EQ(1, large->offloads);
  EXPECT_EQ(0, small->offloads);
  EXPECT_EQ(1, types->offloads);
}

TEST_F(ActivityListTest, SaysThatThereIsNoSuchContext) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("ListActivities", "context_id: 'a'"));
}

}  // namespace
