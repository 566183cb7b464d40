// What two contexts have in common: the promises of ancestor.h, of forks, of merges, and of
// states aside.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class AncestorTest : public RecoveryFixture {
 protected:
  AncestorTest() { Create("a", {}, Mutations().Put("k", "1").SetLabel("l", "1")); }

  void Write(const std::string &context, const std::string &value) {
    ASSERT_EQ(CX_PLAN_CHANGE, Update(context, Mutations().Put("k", value)));
  }

  static Set<Fork> At(uint64_t version) {
    return [=](Fork *request) { request->at.version = version; };
  }
  static Set<Fork> AtPoint(const char *id) {
    return [=](Fork *request) { request->at.point_id = cx_bytes_of(id); };
  }
  static void WithPoints(Fork *request) { request->with_points = true; }
  static Set<Merge> OfPoint(const char *id) {
    return [=](Merge *request) { request->source_at.point_id = cx_bytes_of(id); };
  }

  // What a state of one context (its head's, a version's or a point's) and the head of another
  // have in common: context, version and entries.
  std::string Common(const std::string &source, const std::string &target,
                     const cx_state_at &at = {}) {
    struct cx_base_ref ref = {};
    cx_kept_state state = {};
    cx_name_key key = NameKey(source);
    cx_context *context = cx_state_find(&state_, &key);
    EXPECT_EQ(CX_OK, cx_earlier_find(context, &at, plan_.now_us, &ref, &error_));
    EXPECT_EQ(CX_OK, cx_earlier_take(context, &ref, &state));
    cx_base *base = cx_ancestor_find(context, &state, Find(target));
    std::string text = Told(base);
    cx_base_unref(base);
    cx_kept_state_done(&state);
    return text;
  }
  std::string CommonAt(const std::string &source, uint64_t version, const std::string &target) {
    cx_state_at at = {};
    at.version = version;
    return Common(source, target, at);
  }
  std::string CommonAt(const std::string &source, const char *point, const std::string &target) {
    cx_state_at at = {};
    at.point_id = cx_bytes_of(point);
    return Common(source, target, at);
  }

  static std::string Told(const cx_base *base) {
    return base == nullptr ? "none"
                           : Text(cx_base_id(base)) + "@" + std::to_string(base->version) + " " +
                                 Entries(base->entries);
  }
};

TEST_F(AncestorTest, StrangersHaveNothingInCommon) {
  Create("b", {}, Mutations().Put("k", "1"));
  EXPECT_EQ("none", Common("a", "b"));
  EXPECT_EQ("none", Common("b", "a"));
}

TEST_F(AncestorTest, AForkAndItsSourceHaveTheStateThatWasForked) {
  Write("a", "2");
  ForkFrom("a", "b", At(1));
  Write("b", "own");
  EXPECT_EQ("a@1 k=1", Common("b", "a"));
  EXPECT_EQ("a@1 k=1", Common("a", "b"));
  EXPECT_EQ("l=1", Labels(Recovery("b").forked_from->labels));
}

TEST_F(AncestorTest, TwoForksHaveTheOlderOfTheStatesThatTheyLeft) {
  ForkFrom("a", "b");
  Write("a", "2");
  ForkFrom("a", "c");
  EXPECT_EQ("a@1 k=1", Common("b", "c"));
  EXPECT_EQ("a@1 k=1", Common("c", "b"));
  ForkFrom("a", "d");
  EXPECT_EQ("a@2 k=2", Common("c", "d"));
}

TEST_F(AncestorTest, WaysThroughForksOfForksMeetAtTheNearest) {
  ForkFrom("a", "b");
  Write("b", "2");
  ForkFrom("b", "c");
  ForkFrom("c", "d");
  Write("b", "3");
  ForkFrom("b", "e");
  EXPECT_EQ("b@3 k=2", Common("d", "e"));
  EXPECT_EQ("b@3 k=2", Common("e", "d"));
  EXPECT_EQ("a@1 k=1", Common("d", "a"));
  Delete("c", false, /*purge=*/true);
  Delete("b", false, /*purge=*/true);
  EXPECT_EQ("b@3 k=2", Common("d", "e")) << "whatever became of it";
}

TEST_F(AncestorTest, AStateFromBeforeAForkKnowsNothingOfIt) {
  Write("a", "2");
  Write("a", "3");
  ForkFrom("a", "b", At(2));
  EXPECT_EQ("none", CommonAt("a", 1, "b"));
  EXPECT_EQ("a@2 k=2", CommonAt("a", 2, "b"));
}

TEST_F(AncestorTest, AMergeIsNewerThanTheForkFromTheStateThatItWasOfOn) {
  ForkFrom("a", "b");
  Write("b", "2");
  Write("b", "3");
  MergeInto("b", "a", "x");
  EXPECT_EQ("b@4 k=3", Common("b", "a"));
  EXPECT_EQ("b@4 k=3", Common("a", "b")) << "in both directions";
  EXPECT_EQ("a@1 k=1", CommonAt("b", 3, "a")) << "a state from before it has the fork alone";
  EXPECT_EQ("a@1 k=1", CommonAt("a", 1, "b"));
  Write("b", "4");
  EXPECT_EQ("b@4 k=3", Common("b", "a"));
  MergeInto("b", "a", "y");
  EXPECT_EQ("b@5 k=4", Common("b", "a")) << "the last one";
}

TEST_F(AncestorTest, TheNewerOfTwoMergesCounts) {
  Create("b", {}, Mutations().Put("k", "b"));
  MergeInto("a", "b", "x");
  EXPECT_EQ("a@1 k=1", Common("a", "b"));
  MergeInto("b", "a", "y");
  EXPECT_EQ("b@2 k=b x=merged", Common("a", "b"));
  EXPECT_EQ("b@2 k=b x=merged", Common("b", "a"));
  MergeInto("a", "b", "z");
  EXPECT_EQ("a@2 k=1 y=merged", Common("b", "a"));
}

TEST_F(AncestorTest, AStateAsideIsCommonToItsOwnForksAlone) {
  MakePoint("a", "aside", Mutations().Put("k", "aside"));
  ForkFrom("a", "b", AtPoint("aside"));
  ForkFrom("a", "c", AtPoint("aside"));
  Write("a", "3");
  ForkFrom("a", "d");
  ForkFrom("a", "e", At(1));
  EXPECT_EQ("a@2 k=aside", Common("b", "c"));
  EXPECT_EQ("a@1 k=1", Common("b", "e")) << "the head that it was made from";
  EXPECT_EQ("a@1 k=1", Common("e", "b"));
  EXPECT_EQ("none", Common("a", "b")) << "the head never went through it";
  EXPECT_EQ("none", Common("b", "a"));
  EXPECT_EQ("none", Common("b", "d")) << "what it was made from is not kept";
  EXPECT_EQ("none", Common("d", "b"));
}

TEST_F(AncestorTest, AStateAsideKnowsWhatTheHeadKnewThatItWasMadeFrom) {
  MakePoint("a", "early", Mutations().Put("k", "early"));
  Write("a", "3");
  ForkFrom("a", "b");
  MakePoint("a", "late", Mutations().Put("k", "late"));
  EXPECT_EQ("none", CommonAt("a", "early", "b"));
  EXPECT_EQ("a@3 k=3", CommonAt("a", "late", "b"));
}

TEST_F(AncestorTest, OneThatTakesThePlaceOfAnotherIsAStranger) {
  Create("b");
  MergeInto("a", "b", "x");
  ForkFrom("a", "c");
  EXPECT_NE(nullptr, cx_merged_find(Find("b"), Find("a")));
  Delete("a");
  Create("a", {}, Mutations().Put("k", "1"));
  EXPECT_EQ(nullptr, cx_merged_find(Find("b"), Find("a")));
  EXPECT_EQ("none", Common("a", "b"));
  EXPECT_EQ("none", Common("c", "a"));
}

TEST_F(AncestorTest, AStateOfAnEarlierLifeIsNoneOfTheForkThatTookTheName) {
  Create("b");
  Write("b", "2");
  Write("b", "3");
  MakePoint("b", "old");
  Delete("b");
  ForkFrom("a", "b");
  EXPECT_EQ("none", CommonAt("b", "old", "a"));
  EXPECT_EQ("none", CommonAt("b", 3, "a")) << "nor is one that is kept before the head";
  EXPECT_EQ("a@1 k=1", Common("b", "a"));
  ForkFrom("b", "c", AtPoint("old"));
  ForkFrom("b", "d", AtPoint("old"));
  EXPECT_EQ("none", Common("c", "b"));
  EXPECT_EQ("none", Common("b", "c"));
  EXPECT_EQ("none", Common("c", "a"));
  EXPECT_EQ("b@3 k=3", Common("c", "d")) << "but theirs";
  EXPECT_EQ("b@3 k=3", CommonAt("b", "old", "c"));
}

TEST_F(AncestorTest, AnEarlierLifeIsNotTakenForTheParentThatOneChangeMadeWithIt) {
  cx_new_context properties = {};
  properties.parent_id = cx_bytes_of("parent");
  properties.create_parent = true;
  Create("b", properties);
  Write("b", "2");
  MakePoint("b", "old");
  Delete("b");
  ForkFrom("parent", "b");
  ForkFrom("parent", "c");
  EXPECT_EQ("none", CommonAt("b", "old", "c"));
  EXPECT_EQ("none", CommonAt("b", 2, "c"));
  EXPECT_EQ("parent@1 ", Common("b", "c"));
}

TEST_F(AncestorTest, WhatIsMergedOfAnEarlierLifeIsNotRemembered) {
  Create("b", {}, Mutations().Put("k", "b"));
  MakePoint("b", "old");
  Delete("b");
  Create("b", {}, Mutations().Put("k", "new"));
  MergeInto("b", "a", "x", OfPoint("old"));
  EXPECT_EQ(nullptr, cx_merged_find(Find("a"), Find("b")));
  EXPECT_EQ("none", Common("b", "a"));
}

TEST_F(AncestorTest, AForkOfAnEarlierLifeHasNoneOfTheMergesThatTheNameTookOver) {
  Create("c", {}, Mutations().Put("k", "c"));
  MergeInto("c", "a", "x");
  Create("b");
  Write("b", "2");
  MakePoint("b", "old");
  Delete("b");
  ForkFrom("a", "b");
  EXPECT_EQ("c@1 k=c", Common("b", "c"));
  EXPECT_EQ("none", CommonAt("b", "old", "c"));
  ForkFrom("b", "d", AtPoint("old"));
  EXPECT_EQ("none", Common("d", "c"));
}

TEST_F(AncestorTest, APointThatCameAlongWithAForkIsAStateOfTheSource) {
  MakePoint("a", "p1");
  Write("a", "2");
  ForkFrom("a", "c");
  Write("a", "3");
  ForkFrom("a", "b", WithPoints);
  EXPECT_EQ("none", CommonAt("b", "p1", "c")) << "it knows nothing of that fork";
  ForkFrom("b", "d", AtPoint("p1"));
  Write("d", "own");
  EXPECT_EQ("b@1 k=1", Common("d", "b"));
  EXPECT_EQ("b@1 k=1", Common("d", "a"));
  EXPECT_EQ("b@1 k=1", Common("a", "d"));
  EXPECT_EQ("b@1 k=1", Common("c", "d"));
  EXPECT_EQ("a@3 k=3", Common("a", "b"));
}

TEST_F(AncestorTest, WhatAnEarlierLifeHadFromAnotherContextIsStillAStateOfThatOne) {
  ForkFrom("a", "b");
  MakePoint("b", "p1");
  Write("b", "2");
  ForkFrom("b", "c", WithPoints);
  Delete("c");
  Create("other");
  ForkFrom("other", "c");
  ForkFrom("c", "d", AtPoint("p1"));
  Write("d", "own");
  EXPECT_EQ("c@2 k=1", Common("d", "b")) << "both had it, whoever kept it in between";
  EXPECT_EQ("c@2 k=1", Common("b", "d"));
  EXPECT_EQ("none", Common("d", "c"));
  EXPECT_EQ("none", Common("d", "other"));
  EXPECT_EQ("none", Common("d", "a")) << "where that one came from is not known any more";
  EXPECT_EQ("none", Common("a", "d"));
}

TEST_F(AncestorTest, AStateAsideThatWasMadeWithItsContextComesFromItsFirstHead) {
  const cx_new_context properties = {};
  MakePoint("b", "aside", Mutations().Put("k", "aside"),
            [&](cx_create_point_request *request) { request->create_if_missing = &properties; });
  ForkFrom("b", "c");
  EXPECT_EQ("b@1 ", CommonAt("b", "aside", "c"));
}

TEST_F(AncestorTest, ContextsThatOneChangeMakesAreNotTakenForEachOther) {
  cx_new_context properties = {};
  properties.parent_id = cx_bytes_of("parent");
  properties.create_parent = true;
  Create("child", properties);
  ASSERT_EQ(Find("parent")->birth_revision, Find("child")->birth_revision);
  ForkFrom("child", "b");
  EXPECT_EQ("child@1 ", Common("b", "child"));
  EXPECT_EQ("none", Common("b", "parent"));
  MergeInto("child", "a", "x");
  EXPECT_EQ(nullptr, cx_merged_find(Find("a"), Find("parent")));
}

TEST_F(AncestorTest, WhatWasMergedLastIsFoundAndOnlyThat) {
  Create("b");
  EXPECT_EQ(nullptr, cx_merged_find(Find("a"), Find("b")));
  MergeInto("b", "a", "x");
  EXPECT_EQ("b@1 ", Told(cx_merged_find(Find("a"), Find("b"))));
  EXPECT_EQ(nullptr, cx_merged_find(Find("b"), Find("a"))) << "not the other way round";
  Write("b", "2");
  MergeInto("b", "a", "y");
  EXPECT_EQ("b@2 k=2", Told(cx_merged_find(Find("a"), Find("b"))));
  MakePoint("b", "aside", Mutations().Put("k", "3"));
  MergeInto("b", "a", "z", OfPoint("aside"));
  EXPECT_EQ("b@2 k=2", Told(cx_merged_find(Find("a"), Find("b"))));
}

}  // namespace
