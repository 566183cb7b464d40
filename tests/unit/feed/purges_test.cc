// What is remembered of purges: which events they hide, and from when.

#include "gtest/gtest.h"

#include <map>
#include <random>

extern "C" {
#include "core/base/memory.h"
#include "core/feed/purges.h"
#include "tests/support/fail_nth.h"
}

namespace {

class PurgesTest : public ::testing::Test {
 protected:
  PurgesTest() { cx_purges_init(&purges_); }
  ~PurgesTest() override { cx_purges_done(&purges_); }

  void Add(uint64_t hash, uint64_t revision, uint64_t durable = 0) {
    ASSERT_TRUE(cx_purges_reserve(&purges_, 1));
    cx_purges_add(&purges_, hash, revision, durable);
  }

  bool Hides(uint64_t hash, uint64_t revision, uint64_t durable = UINT64_MAX) {
    return cx_purges_hide(&purges_, hash, revision, durable);
  }

  cx_purges purges_;
};

TEST_F(PurgesTest, HideWhatWasBeforeAndNothingElse) {
  EXPECT_FALSE(Hides(7, 1));
  Add(7, 10);
  EXPECT_TRUE(Hides(7, 9));
  EXPECT_FALSE(Hides(7, 10)) << "the purge itself";
  EXPECT_FALSE(Hides(7, 11));
  EXPECT_FALSE(Hides(8, 9)) << "another context";
}

TEST_F(PurgesTest, HideNothingBeforeTheyAreDurable) {
  Add(7, 10);
  EXPECT_FALSE(Hides(7, 9, 9));
  EXPECT_TRUE(Hides(7, 9, 10));
}

TEST_F(PurgesTest, HideWhatAnEarlierOneHidesUntilALaterOneIsDurable) {
  Add(7, 10);
  Add(7, 20, 10);
  Add(7, 30, 10);
  EXPECT_TRUE(Hides(7, 9, 10));
  EXPECT_FALSE(Hides(7, 10, 19));
  EXPECT_TRUE(Hides(7, 19, 20));
  EXPECT_FALSE(Hides(7, 20, 29));
  EXPECT_TRUE(Hides(7, 29, 30));
}

TEST_F(PurgesTest, TakeUpNoMoreRoomWhenTheSameIsPurgedAgainAndAgain) {
  for (uint64_t revision = 1; revision < 1000; revision++) Add(7, revision, revision - 1);
  EXPECT_LE(purges_.count, 2u);
  EXPECT_TRUE(Hides(7, 998));
  EXPECT_TRUE(Hides(7, 997, 998));
}

TEST_F(PurgesTest, AreForgottenUpToTheFloor) {
  Add(7, 10);
  Add(8, 20);
  cx_purges_forget(&purges_, 10);
  EXPECT_FALSE(Hides(7, 9));
  EXPECT_TRUE(Hides(8, 19));
}

TEST_F(PurgesTest, AreTheSameAsInAMap) {
  const unsigned seed = 20261121;
  std::mt19937_64 random(seed);
  std::map<uint64_t, uint64_t> model;
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (uint64_t revision = 1; revision < 5000; revision++) {
    uint64_t hash = random() % 700 * 64;  // Neighbours in the table.
    model[hash] = revision;
    Add(hash, revision, revision - 1);
    if (random() % 500 == 0) {
      uint64_t floor = revision - random() % (revision < 900 ? revision : 900);
      cx_purges_forget(&purges_, floor);
      for (auto i = model.begin(); i != model.end();) {
        i = i->second <= floor ? model.erase(i) : std::next(i);
      }
    }
    uint64_t asked = random() % 700 * 64, at = random() % revision;
    auto found = model.find(asked);
    ASSERT_EQ(found != model.end() && found->second > at, Hides(asked, at)) << revision;
  }
}

TEST_F(PurgesTest, SayWhenThereIsNoMemory) {
  fail_nth fail;
  fail_nth_begin(&fail, 1);
  bool reserved = cx_purges_reserve(&purges_, 1);
  fail_nth_end(&fail);
  EXPECT_FALSE(reserved);
  EXPECT_TRUE(cx_purges_reserve(&purges_, 100));
  fail_nth_begin(&fail, 1);
  for (uint64_t i = 0; i < 60; i++) cx_purges_add(&purges_, i * 64, 10, 0);
  EXPECT_FALSE(fail_nth_end(&fail)) << "places were kept";
  cx_purges_release(&purges_, 40);
}

}  // namespace
