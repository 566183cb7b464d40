// Which points a policy keeps: what retention.h promises of rules, walks and times.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class RetentionTest : public RecoveryFixture {
 protected:
  using Numbers = std::vector<uint64_t>;

  void MakePoints(size_t count) {
    for (size_t i = 0; i < count; i++) MakePoint("a", "p" + std::to_string(++made_));
  }

  // To be asked what it has, and to remember hints in.
  cx_recovery *Asked() { return Find("a")->recovery; }

  cx_keeping Keeping(const cx_recovery_policy &policy, uint64_t points_max = 1000) {
    cx_keeping keeping;
    cx_keeping_init(&keeping, &policy, points_max, plan_.now_us);
    keeping.other = true;
    return keeping;
  }

  // What these rules keep, asked of one point after the other.
  Numbers Kept(const cx_recovery_policy &policy, uint64_t more = 0, uint64_t points_max = 1000) {
    Numbers kept;
    cx_keeping keeping = Keeping(policy, points_max);
    cx_keeping_set_window(&keeping, Asked(), more);
    for (const cx_point *point : AllPoints(Recovery("a"))) {
      if (cx_keeping_keeps(&keeping, point)) kept.push_back(point->sequence);
    }
    return kept;
  }

  static Numbers Rest(cx_keep_walk *walk) {
    Numbers list;
    while (const cx_point *point = cx_keep_walk_next(walk)) list.push_back(point->sequence);
    return list;
  }

  // What a walk tells of those that go.
  Numbers Gone(const cx_keeping &keeping, uint64_t more = 0) {
    cx_keep_walk walk;
    cx_keep_walk_begin(&walk, Asked(), &keeping, more);
    return Rest(&walk);
  }

  uint64_t made_ = 0;
};

TEST_F(RetentionTest, WithoutAPolicyTheNewestStay) {
  Create("a");
  MakePoints(5);
  EXPECT_EQ((Numbers{3, 4, 5}), Kept({}, 0, 3));
  EXPECT_EQ((Numbers{4, 5}), Kept({}, 1, 3)) << "one more is to be made";
  EXPECT_EQ((Numbers{4, 5}), Kept(Policy(2), 0, 3)) << "a rule of its own comes first";
}

TEST_F(RetentionTest, AnyRuleKeepsAndSoDoesAPin) {
  Create("a");
  MakePoints(1);
  MakePoint("a", "pinned", Pinned);
  MakePoints(4);
  plan_.now_us += 100;
  MakePoints(3);
  EXPECT_EQ((Numbers{2, 3, 6, 9}), Kept(Policy(0, 3)));
  EXPECT_EQ((Numbers{2, 8, 9}), Kept(Policy(2)));
  EXPECT_EQ((Numbers{2, 7, 8, 9}), Kept(Policy(0, 0, 100))) << "younger than that";
  EXPECT_EQ((Numbers{2, 5, 7, 8, 9}), Kept(Policy(1, 5, 100)));
}

TEST_F(RetentionTest, TheNewestStaysUnlessOneIsStillToBeMade) {
  Create("a");
  MakePoints(3);
  EXPECT_EQ((Numbers{3}), Kept(Policy(0, 100)));
  EXPECT_EQ(Numbers{}, Kept(Policy(0, 100), 1));
}

TEST_F(RetentionTest, AnExpiryOfItsOwnIsNoRule) {
  Create("a");
  MakePoint("a", "short", Living(1));
  MakePoint("a", "long", Living(100000));
  MakePoints(1);
  plan_.now_us += 10;
  EXPECT_EQ((Numbers{1, 2, 3}), Kept(Policy(3)));
  EXPECT_EQ((Numbers{3}), Kept(Policy(1)));
  EXPECT_EQ((Numbers{1, 2}), Gone(Keeping(Policy(1))));
}

TEST_F(RetentionTest, AWalkTellsAllThatAreNotKeptOldestFirst) {
  Create("a");
  for (size_t i = 0; i < 30; i++) {
    plan_.now_us += 10;
    MakePoint("a", "p" + std::to_string(i), i % 7 == 0 ? Set<Make>(Pinned) : nullptr);
  }
  for (uint64_t keep_last : {1, 5, 40}) {
    for (uint64_t keep_every : {0, 1, 4}) {
      for (int64_t keep_within_us : {0, 95}) {
        for (uint64_t more : {0, 1, 2}) {
          cx_recovery_policy policy = Policy(keep_last, keep_every, keep_within_us);
          Numbers all = Kept(policy, more), gone = Gone(Keeping(policy), more);
          EXPECT_TRUE(std::is_sorted(gone.begin(), gone.end()));
          all.insert(all.end(), gone.begin(), gone.end());
          std::sort(all.begin(), all.end());
          EXPECT_EQ(Sequences("a"), all) << keep_last << " " << keep_every << " " << more;
        }
      }
    }
  }
}

TEST_F(RetentionTest, AWalkRemembersUpToWhereAllStayForGood) {
  CreateWith("a", Policy(2, 1));
  MakePoints(6);
  cx_keeping keeping = Keeping(Policy(2, 1));
  Asked()->settled = 0;
  keeping.other = false;
  EXPECT_EQ(Numbers{}, Gone(keeping));
  EXPECT_EQ(4u, Asked()->settled) << "but not of those that are the newest alone";
  keeping.rules.keep_every = 3;
  EXPECT_EQ(Numbers{}, Gone(keeping)) << "they are not looked at again";
  Asked()->settled = 0;
  EXPECT_EQ((Numbers{1, 2, 4}), Gone(keeping));
  EXPECT_EQ(0u, Asked()->settled) << "not behind the first one that goes";
}

TEST_F(RetentionTest, RulesThatTheContextDoesNotHaveLeaveNothingBehind) {
  Create("a");
  MakePoints(6);
  Asked()->settled = 0;
  EXPECT_EQ(Numbers{}, Gone(Keeping(Policy(2, 1))));
  EXPECT_EQ(0u, Asked()->settled);
  cx_keep_walk walk;
  cx_keeping keeping = Keeping(Policy(1));
  keeping.other = false;
  Asked()->settled = 3;
  cx_keep_walk_begin(&walk, Asked(), &keeping, 0);
  walk.keeping.rules.keep_every = 2;
  cx_keep_walk_from_oldest(&walk);
  EXPECT_EQ((Numbers{1, 3, 5}), Rest(&walk)) << "all of them are looked at";
  EXPECT_EQ(3u, Asked()->settled);
  Asked()->settled = 0;
}

TEST_F(RetentionTest, CountsFromTheLastPointOfTheHeadOrTheCreation) {
  Create("a");
  int64_t created_us = plan_.now_us;
  plan_.now_us += 10;
  EXPECT_EQ(created_us, cx_recovery_point_since(Find("a")));
  MakePoint("a", "aside", Mutations().Put("k", "1"));
  EXPECT_EQ(created_us, cx_recovery_point_since(Find("a"))) << "not one beside the head";
  MakePoint("a", "p");
  plan_.now_us += 10;
  DropPoint("a", "p");
  EXPECT_EQ(created_us + 10, cx_recovery_point_since(Find("a")));
}

TEST_F(RetentionTest, NothingIsDueWithoutTimes) {
  Create("a");
  EXPECT_EQ(0, cx_recovery_due_time(Find("a")));
  MakePoints(3);
  EXPECT_EQ(0, cx_recovery_due_time(Find("a")));
  SetPolicy("a", Policy(2, 0, 0, 5));
  EXPECT_EQ(0, cx_recovery_due_time(Find("a")));
}

TEST_F(RetentionTest, TheFirstOfItsTimesIsDue) {
  CreateWith("a", Policy(0, 0, 100, 0, 30));
  int64_t start_us = plan_.now_us;
  EXPECT_EQ(start_us + 30, cx_recovery_due_time(Find("a"))) << "a point of what it was made with";
  MakePoint("a", "old");
  EXPECT_EQ(0, cx_recovery_due_time(Find("a"))) << "the newest stays, and nothing has changed";
  plan_.now_us += 10;
  MakePoint("a", "p", Living(200));
  EXPECT_EQ(start_us + 100, cx_recovery_due_time(Find("a"))) << "the oldest is too old";
  Update("a", Mutations().Put("k", "1"));
  EXPECT_EQ(start_us + 40, cx_recovery_due_time(Find("a"))) << "since its last point";
  MakePoint("a", "short", Living(5));
  EXPECT_EQ(start_us + 15, cx_recovery_due_time(Find("a"))) << "one expires";
}

}  // namespace
