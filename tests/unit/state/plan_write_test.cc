// Plans of create and update: what becomes of parents, labels, activities, and repeats.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class PlanWriteTest : public TrackerFixture {
 protected:
  // An atomic batch.
  cx_plan_result Batch(const std::vector<Write> &requests, const std::string &request_id = "") {
    cx_plan_begin(&plan_);
    return Finish(
        cx_plan_update(&plan_, requests.data(), requests.size(), true, Bytes(request_id), &index_));
  }

  Write Part(const char *id, const Mutations &mutations, const char *session = "",
             uint64_t fence = 0) {
    Write request = {};
    request.name = {cx_bytes_of("default"), cx_bytes_of(id)};
    request.mutations = mutations.list().data();
    request.mutation_count = mutations.list().size();
    request.author = {cx_bytes_of(session), fence};
    return request;
  }

  size_t index_ = 0;
};

TEST_F(PlanWriteTest, MakesAMissingParentInTheSameChange) {
  cx_new_context properties = {};
  properties.parent_id = cx_bytes_of("parent");
  properties.create_parent = true;

  EXPECT_EQ(CX_PLAN_CHANGE, Create("child", properties));
  ASSERT_EQ(2u, items_.size());
  ASSERT_NE(nullptr, Find("parent"));
  EXPECT_EQ(1u, Find("parent")->child_count);
  EXPECT_EQ(2u, Find("child")->depth);
  EXPECT_EQ(Find("parent")->revision, Find("child")->revision);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanWriteTest, RefusesAContextBelowTheDeepestLevel) {
  EXPECT_EQ(CX_PLAN_CHANGE, Create("level-1"));
  for (unsigned level = 2; level <= CX_CONTEXT_DEPTH_MAX; level++) {
    ASSERT_EQ(CX_PLAN_CHANGE,
              CreateBelow("level-" + std::to_string(level), "level-" + std::to_string(level - 1)));
  }
  EXPECT_EQ(CX_PLAN_FAILED, CreateBelow("deeper", "level-" + std::to_string(CX_CONTEXT_DEPTH_MAX)));
  EXPECT_EQ("LIMIT_REACHED", reason());
}

TEST_F(PlanWriteTest, RefusesMoreLabelsThanAllowed) {
  Mutations mutations;
  for (unsigned i = 0; i < CX_LABELS_MAX; i++) mutations.SetLabel("l" + std::to_string(i), "v");
  EXPECT_EQ(CX_PLAN_CHANGE, Create("a", {}, mutations));
  EXPECT_EQ(CX_PLAN_FAILED, Update("a", Mutations().SetLabel("one more", "v")));
  EXPECT_EQ("LIMIT_REACHED", reason());
  EXPECT_EQ(CX_PLAN_CHANGE, Update("a", Mutations().DeleteLabel("l0").SetLabel("another", "v")));
}

TEST_F(PlanWriteTest, KnowsARepeatAndRefusesAnotherRequestOfTheSameId) {
  EXPECT_EQ(CX_PLAN_CHANGE, Create("a", {}, Mutations().Put("k", "v"), "id"));
  EXPECT_EQ(CX_PLAN_NOTHING, Create("a", {}, Mutations().Put("k", "v"), "id"));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(1u, plan_.record.version);
  EXPECT_EQ(CX_PLAN_FAILED, Create("a", {}, Mutations().Put("k", "w"), "id"));
  EXPECT_EQ("REQUEST_ID_REUSED", reason());
}

TEST_F(PlanWriteTest, KnowsARepeatAfterTheDelete) {
  Create("a");
  Update("a", Mutations().Put("k", "v"), "id");
  Delete("a");
  EXPECT_EQ(CX_PLAN_NOTHING, Update("a", Mutations().Put("k", "v"), "id"));
  EXPECT_EQ(2u, plan_.record.version);
}

TEST_F(PlanWriteTest, MakesAVersionEvenWhereNothingDiffers) {
  Create("a");
  EXPECT_EQ(CX_PLAN_CHANGE, Update("a", Mutations().Delete("missing")));
  EXPECT_EQ(2u, Find("a")->version);
}

TEST_F(PlanWriteTest, ActivitiesAloneMakeNoVersion) {
  Create("a", {}, Mutations().Put("k", "v").SetExpiry(500, /*sliding=*/true));
  int64_t update_us = Find("a")->update_time_us;
  uint64_t state_revision = Find("a")->state_revision;
  plan_.now_us += 100;
  EXPECT_EQ(CX_PLAN_CHANGE, WriteTo("a", Mutations().Record(Activity()).Record(Activity())));
  EXPECT_EQ(CX_ITEM_TOUCH, items_[0].kind);
  EXPECT_EQ(1u, items_[0].version);
  EXPECT_EQ(1u, Find("a")->version);
  EXPECT_EQ(0u, Find("a")->undo_count);
  EXPECT_EQ(state_revision, Find("a")->state_revision);
  EXPECT_EQ(update_us, Find("a")->update_time_us);
  EXPECT_EQ(revision_, Find("a")->revision) << "but the revision moves,";
  EXPECT_EQ(plan_.now_us + 500, Find("a")->end_time_us) << "and a sliding expiry";
  ExpectReplayGivesTheSame();
}

TEST_F(PlanWriteTest, ActivitiesAmongOthersComeWithTheirOneVersion) {
  Create("a");
  EXPECT_EQ(CX_PLAN_CHANGE,
            WriteTo("a", Mutations().Record(Activity("x")).Put("k", "v").Record(Activity("y"))));
  EXPECT_EQ(CX_ITEM_UPDATE, items_[0].kind);
  EXPECT_EQ(2u, Find("a")->version);
  EXPECT_EQ((List{"1 x  ", "2 y  "}), History("a"));
  EXPECT_EQ(CX_PLAN_CHANGE, WriteTo("a", Mutations().Record(Activity()).SetLabel("l", "v")));
  EXPECT_EQ(3u, Find("a")->version);
  EXPECT_EQ(CX_PLAN_CHANGE, WriteTo("a", Mutations().SetExpiry(50).Record(Activity())));
  EXPECT_EQ(4u, Find("a")->version);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanWriteTest, ActivitiesHaveTheirAuthorAndTheTimeOfTheChange) {
  Create("a");
  Begin("s");
  plan_.now_us = 9000;
  Record("a", Activity("x"), By("s"));
  EXPECT_EQ((List{"1 x s "}), History("a"));
  cx_tree_cursor cursor;
  cx_tree_item *item = cx_tree_last(&Tracked("a").history, &cursor);
  EXPECT_EQ(9000, cx_activity_of(item)->time_us);
}

TEST_F(PlanWriteTest, AMissingContextBeginsWithItsActivities) {
  cx_new_context create = {};
  EXPECT_EQ(CX_PLAN_FAILED, Record("a", Activity("x")));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_CHANGE,
            Record("a", Activity("x"), [&](Write *write) { write->create_if_missing = &create; }));
  EXPECT_EQ(1u, Find("a")->version);
  EXPECT_EQ((List{"1 x  "}), History("a"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanWriteTest, ARepeatThatWantsTheSequenceIsToldTheLastOne) {
  Create("a");
  auto with_id = [](Write *write) {
    write->request_id = cx_bytes_of("id");
    write->wants_sequence = true;
  };
  Mutations three = Mutations().Record(Activity()).Record(Activity()).Record(Activity());
  Record("a", Activity());
  EXPECT_EQ(CX_PLAN_CHANGE, WriteTo("a", three, with_id));
  Record("a", Activity());
  EXPECT_EQ(CX_PLAN_NOTHING, WriteTo("a", three, with_id));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(4u, plan_.record.version);
  EXPECT_EQ(CX_PLAN_FAILED,
            WriteTo("a", three, [](Write *write) { write->request_id = cx_bytes_of("id"); }));
  EXPECT_EQ("REQUEST_ID_REUSED", reason());
  ExpectReplayGivesTheSame();
}

TEST_F(PlanWriteTest, EachPartOfABatchHasItsOwnAuthor) {
  Create("a");
  Create("b");
  Begin("s");
  Begin("t");
  Activate("s", "a", Guarding);
  Mutations note = Mutations().Record(Activity("x"));
  EXPECT_EQ(CX_PLAN_CHANGE, Batch({Part("a", note, "s", 1), Part("b", note, "t")}));
  EXPECT_EQ((List{"1 x s "}), History("a"));
  EXPECT_EQ((List{"1 x t "}), History("b"));

  uint64_t digest = cx_state_digest(&state_);
  EXPECT_EQ(CX_PLAN_FAILED, Batch({Part("b", note, "t"), Part("a", note, "t")}));
  EXPECT_EQ("STALE_FENCE", reason());
  EXPECT_EQ(1u, index_);
  EXPECT_EQ(CX_PLAN_FAILED, Batch({Part("b", note, "nobody"), Part("a", note, "s", 1)}));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
  EXPECT_EQ(0u, index_);
  LetLapse("t");
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Batch({Part("a", note, "s", 1), Part("b", note, "t")}));
  EXPECT_EQ(digest, cx_state_digest(&state_));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanWriteTest, ABatchAsksForTheShardsOfAllContextsAndSessionsAtOnce) {
  Create("a");
  Create("b");
  Begin("s");
  Begin("t");
  Mutations note = Mutations().Record(Activity("x"));
  plan_.held = 0;
  EXPECT_EQ(CX_PLAN_NEEDS_SHARDS, Batch({Part("a", note, "s"), Part("b", note, "t")}));
  uint64_t shards = 0;
  for (const char *id : {"a", "b", "s", "t"}) shards |= 1ull << NameKey(id).shard;
  EXPECT_EQ(shards, plan_.needed);
}

TEST_F(PlanWriteTest, BoundsTheTotalsOfContextsAndNamespaces) {
  Create("a");
  Mutations many;
  for (unsigned i = 0; i < CX_USAGE_TOTALS_MAX; i++) {
    many.Record(Activity().Model(std::to_string(i), 1, 1));
  }
  EXPECT_EQ(CX_PLAN_CHANGE, WriteTo("a", many));
  EXPECT_EQ(CX_PLAN_CHANGE, Record("a", Activity().Model("7", 1, 1)));
  uint64_t digest = cx_state_digest(&state_);
  EXPECT_EQ(CX_PLAN_FAILED, Record("a", Activity().Model("one more", 1, 1)));
  EXPECT_EQ("usage_totals_max", detail("limit"));
  EXPECT_EQ("1000", detail("value"));
  EXPECT_EQ(digest, cx_state_digest(&state_));
  Delete("a");
  Create("a");
  EXPECT_EQ(CX_PLAN_FAILED, Record("a", Activity().Model("one more", 1, 1)))
      << "the namespace's stay";
  EXPECT_EQ("usage_totals_max", detail("limit"));
  EXPECT_EQ(CX_PLAN_CHANGE, Record("a", Activity().Model("7", 1, 1)));
  ExpectReplayGivesTheSame();
}

}  // namespace
