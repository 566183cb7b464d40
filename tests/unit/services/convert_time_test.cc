// What server/services/convert_time.h promises.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/convert_time.h"
}

namespace {

class ConvertTimeTest : public testing::Test {
 protected:
  ~ConvertTimeTest() override { cx_arena_done(&arena_); }

  // The microseconds of a duration, or the rule that it breaks.
  std::string Take(int64_t seconds, int32_t nanos, int64_t min_us, int64_t max_us) {
    Duration message = GOOGLE__PROTOBUF__DURATION__INIT;
    int64_t us;
    message.seconds = seconds;
    message.nanos = nanos;
    if (cx_convert_duration(&conversion_, nullptr, "d", &message, min_us, max_us, &us) == CX_OK) {
      return std::to_string(us);
    }
    return Rule();
  }

  std::string TakeTime(int64_t seconds, int32_t nanos, cx_time_rounding rounding) {
    Timestamp message = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    int64_t us;
    message.seconds = seconds;
    message.nanos = nanos;
    if (cx_convert_time(&conversion_, nullptr, "t", &message, rounding, &us) == CX_OK) {
      return std::to_string(us);
    }
    return Rule();
  }

  std::string Rule() const { return Text(cx_error_detail_get(&error_, "rule")); }

  cx_arena arena_ = {};
  cx_error error_ = {};
  cx_conversion conversion_ = {cx_allocator_of_arena(&arena_), &error_, 0};
};

TEST_F(ConvertTimeTest, CountsAPartOfAMicrosecondAsAWholeOne) {
  EXPECT_EQ("1", Take(0, 1, 0, CX_SECOND_US));
  EXPECT_EQ("1", Take(0, 1000, 0, CX_SECOND_US));
  EXPECT_EQ("2", Take(0, 1001, 0, CX_SECOND_US));
}

TEST_F(ConvertTimeTest, SaysWhichBoundIsBroken) {
  EXPECT_EQ("0", Take(0, 0, 0, CX_SECOND_US));
  EXPECT_EQ("must not be negative", Take(0, -1, 0, CX_SECOND_US));
  EXPECT_EQ("must not be negative", Take(-1, 0, 0, CX_SECOND_US));
  EXPECT_EQ("must be positive", Take(0, 0, 1, CX_SECOND_US));
  EXPECT_EQ("must be positive", Take(-5, -5, 1, CX_SECOND_US));
  EXPECT_EQ("must be at least 2 seconds", Take(0, 0, 2 * CX_SECOND_US, 3 * CX_SECOND_US));
  EXPECT_EQ("must be at least 2 seconds", Take(-2, 0, 2 * CX_SECOND_US, 3 * CX_SECOND_US));
  EXPECT_EQ("must be at least 2 seconds", Take(1, 999999000, 2 * CX_SECOND_US, 3 * CX_SECOND_US));
  EXPECT_EQ("2000000", Take(2, 0, 2 * CX_SECOND_US, 3 * CX_SECOND_US));
  EXPECT_EQ("3000000", Take(3, 0, 2 * CX_SECOND_US, 3 * CX_SECOND_US));
  EXPECT_EQ("must be at most 3 seconds", Take(3, 1, 2 * CX_SECOND_US, 3 * CX_SECOND_US));
  EXPECT_EQ("must be at most 3 seconds", Take(INT64_MAX, 0, 0, 3 * CX_SECOND_US));
  EXPECT_EQ("must not be negative", Take(INT64_MIN, 0, 0, 3 * CX_SECOND_US));
}

TEST_F(ConvertTimeTest, RefusesDurationsThatAreNone) {
  for (auto [seconds, nanos] : std::vector<std::pair<int64_t, int32_t>>{
           {1, -1}, {-1, 1}, {0, 1000000000}, {0, -1000000000}, {0, INT32_MIN}}) {
    EXPECT_EQ("must be a valid duration", Take(seconds, nanos, 0, CX_TTL_US_MAX));
  }
}

TEST_F(ConvertTimeTest, RoundsTimesAsItIsTold) {
  EXPECT_EQ("1000001", TakeTime(1, 1999, CX_TIME_DOWN));
  EXPECT_EQ("1000002", TakeTime(1, 1999, CX_TIME_UP));
  EXPECT_EQ("1000001", TakeTime(1, 1000, CX_TIME_UP));
  EXPECT_EQ("2000000", TakeTime(1, 999999999, CX_TIME_UP));
}

TEST_F(ConvertTimeTest, TakesATimeBeforeTheFirstForThat) {
  EXPECT_EQ("1", TakeTime(0, 0, CX_TIME_DOWN));
  EXPECT_EQ("1", TakeTime(-1, 999999999, CX_TIME_UP));
  EXPECT_EQ("1", TakeTime(-62135596800, 0, CX_TIME_DOWN));
}

TEST_F(ConvertTimeTest, RefusesTimesThatAreNone) {
  for (auto [seconds, nanos] : std::vector<std::pair<int64_t, int32_t>>{
           {-62135596801, 0}, {253402300800, 0}, {INT64_MAX, 0}, {0, -1}, {0, 1000000000}}) {
    EXPECT_EQ("must be a valid timestamp", TakeTime(seconds, nanos, CX_TIME_DOWN));
  }
}

TEST_F(ConvertTimeTest, ShowsNoTimeForZero) {
  Timestamp time;
  Duration duration;
  EXPECT_EQ(nullptr, cx_time_message(&time, 0));
  EXPECT_EQ(nullptr, cx_duration_message(&duration, 0));
  ASSERT_EQ(&time, cx_time_message(&time, 1234567));
  EXPECT_EQ(1, time.seconds);
  EXPECT_EQ(234567000, time.nanos);
  ASSERT_EQ(&duration, cx_duration_message(&duration, 7654321));
  EXPECT_EQ(7, duration.seconds);
  EXPECT_EQ(654321000, duration.nanos);
}

TEST_F(ConvertTimeTest, TellsNoDurationBeyondTheLongestThatThereIs) {
  Duration duration;
  for (uint64_t us : {uint64_t{UINT64_MAX}, uint64_t{315'576'000'000'000'001}}) {
    ASSERT_EQ(&duration, cx_duration_message(&duration, us));
    EXPECT_EQ(315'576'000'000, duration.seconds);
    EXPECT_EQ(0, duration.nanos);
  }
}

}  // namespace
