// Which of the states that are kept is the one that is meant.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class EarlierTest : public RecoveryFixture {
 protected:
  EarlierTest() { settings_.version_retention = 1; }

  void SetUp() override {
    WriteSettings();
    Create("a", {}, Mutations().Put("k", "1"));
  }

  // The version at a time, or nothing.
  std::string At(int64_t time_us) {
    cx_state_at at = {};
    struct cx_base_ref ref;
    at.time_us = time_us;
    if (cx_earlier_find(Find("a"), &at, plan_.now_us, &ref, &error_) != CX_OK) return reason();
    return "v" + std::to_string(cx_earlier_version(Find("a"), &ref));
  }

  void Write(int64_t time_us) {
    plan_.now_us = time_us;
    Update("a", Mutations().Put("k", std::to_string(time_us)));
  }
  void Point(const char *id, int64_t time_us) {
    plan_.now_us = time_us;
    MakePoint("a", id);
  }
};

TEST_F(EarlierTest, FindsByTimeWhatAPointProves) {
  Write(2000);
  Point("p", 2010);
  Write(2020);
  Write(2030);
  EXPECT_EQ("STATE_NOT_RETAINED", At(1500));
  EXPECT_EQ("v2", At(2000));
  EXPECT_EQ("v2", At(2009));
  EXPECT_EQ("STATE_NOT_RETAINED", At(2015)) << "the next state may have come at any time";
  EXPECT_EQ("v4", At(2030));
}

TEST_F(EarlierTest, FindsByTimeWhatTheNextVersionProves) {
  Write(2000);
  Point("p", 2000);
  Write(2020);
  EXPECT_EQ("v2", At(2000));
  EXPECT_EQ("v2", At(2019));
  EXPECT_EQ("v3", At(2020));
}

TEST_F(EarlierTest, APointProvesNothingOfTheTimeThatItWasMadeAt) {
  Write(2000);
  Point("p", 2010);
  Write(2010);
  Write(2020);
  EXPECT_EQ("STATE_NOT_RETAINED", At(2010)) << "version 3 was the newest then";
  EXPECT_EQ("v2", At(2009));
}

TEST_F(EarlierTest, FindsNothingOfATimeWhenTheContextWasNotThere) {
  Point("p", 2000);
  plan_.now_us = 2010;
  Delete("a");
  plan_.now_us = 2050;
  RestoreTo("a", Undeleting);
  EXPECT_EQ("STATE_NOT_RETAINED", At(2030));
  EXPECT_EQ("v1", At(1999));
}

TEST_F(EarlierTest, AForkKnowsNothingOfTheTimeBetweenItsStateAndItself) {
  Point("p", 2000);
  Write(2010);
  plan_.now_us = 2050;
  ForkFrom("a", "b", [](Fork *request) {
    request->at.point_id = cx_bytes_of("p");
    request->with_points = true;
  });
  cx_state_at at = {};
  struct cx_base_ref ref;
  at.time_us = 2030;
  EXPECT_NE(CX_OK, cx_earlier_find(Find("b"), &at, plan_.now_us, &ref, &error_));
}

TEST_F(EarlierTest, APointAsideSaysNothingOfTheHead) {
  Write(2000);
  plan_.now_us = 2010;
  MakePoint("a", "aside", Mutations().Put("x", "y"));
  Write(2020);
  EXPECT_EQ("STATE_NOT_RETAINED", At(2012));
}

}  // namespace
