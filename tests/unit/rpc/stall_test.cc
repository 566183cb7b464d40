// Which sends are late: what server/rpc/stall.h promises.

#include <gtest/gtest.h>

extern "C" {
#include "server/rpc/stall.h"
}

namespace {

TEST(Stalls, TakesWhatIsLateAndNothingElse) {
  cx_stalls stalls = {};
  cx_stall a = {}, b = {}, c = {};
  cx_stalls_add(&stalls, &a, 100, 50);
  cx_stalls_add(&stalls, &b, 100, 20);
  cx_stalls_add(&stalls, &c, 110, 10);
  EXPECT_EQ(120, stalls.check_at_us);
  EXPECT_EQ(nullptr, cx_stalls_take_late(&stalls, 119));
  cx_stall *first = cx_stalls_take_late(&stalls, 120);
  cx_stall *second = cx_stalls_take_late(&stalls, 120);
  EXPECT_TRUE((first == &b && second == &c) || (first == &c && second == &b));
  EXPECT_EQ(nullptr, cx_stalls_take_late(&stalls, 120));
  EXPECT_EQ(150, stalls.check_at_us);
  EXPECT_EQ(&a, cx_stalls_take_late(&stalls, 150));
  EXPECT_EQ(nullptr, cx_stalls_take_late(&stalls, 1000));
}

TEST(Stalls, ForgetsWhatIsRemoved) {
  cx_stalls stalls = {};
  cx_stall each[3] = {};
  for (cx_stall &stall : each) cx_stalls_add(&stalls, &stall, 0, 10);
  cx_stalls_remove(&stalls, &each[1]);
  cx_stalls_remove(&stalls, &each[1]);
  cx_stalls_remove(&stalls, &each[0]);
  EXPECT_EQ(&each[2], cx_stalls_take_late(&stalls, 10));
  EXPECT_EQ(nullptr, cx_stalls_take_late(&stalls, 10));
  EXPECT_EQ(nullptr, stalls.first);
}

TEST(Stalls, WatchesAgain) {
  cx_stalls stalls = {};
  cx_stall stall = {};
  cx_stalls_add(&stalls, &stall, 0, 10);
  ASSERT_EQ(&stall, cx_stalls_take_late(&stalls, 10));
  cx_stalls_add(&stalls, &stall, 10, stall.limit_us);
  EXPECT_EQ(nullptr, cx_stalls_take_late(&stalls, 19));
  EXPECT_EQ(&stall, cx_stalls_take_late(&stalls, 20));
}

}  // namespace
