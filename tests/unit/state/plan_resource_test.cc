// Plans of what takes resources and gives them back.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class PlanResourceTest : public TrackerFixture {
 protected:
  PlanResourceTest() {
    for (const char *id : {"a", "b"}) Create(id);
    for (const char *id : {"s", "t"}) Begin(id);
  }

  struct cx_resource_view View(const std::string &context, const char *name) {
    struct cx_resource_view view = {};
    cx_tree_item *item =
        cx_tree_get(&cx_resource_class, &Tracked(context).resources, cx_bytes_of(name));
    EXPECT_NE(nullptr, item);
    if (item != nullptr) cx_resource_view(cx_resource_of(item), &view);
    return view;
  }
};

TEST_F(PlanResourceTest, TakesAResourceWithAnActivityOfIt) {
  cx_label label = {cx_bytes_of("use"), cx_bytes_of("test")};
  plan_.now_us = 5000;
  EXPECT_EQ(CX_PLAN_CHANGE, Acquire("s", "a", "tool", [&](Resource *resource) {
              resource->type = cx_bytes_of("hammer");
              resource->labels = &label;
              resource->label_count = 1;
            }));
  struct cx_resource_view view = View("a", "tool");
  EXPECT_EQ("hammer", Text(view.type));
  EXPECT_EQ("s", Text(view.session_id));
  ASSERT_EQ(1u, view.label_count);
  EXPECT_EQ("test", Text(view.labels[0].value));
  EXPECT_EQ(5000, view.time_us);
  EXPECT_EQ((List{"1 resource s tool acquired"}), History("a"));
  EXPECT_EQ(1u, Session("s")->resource_count);
  EXPECT_EQ(revision_, Session("s")->revision);
  EXPECT_EQ(1u, Find("a")->version);
  EXPECT_EQ(revision_, Find("a")->revision);
  ExpectReplayGivesTheSame();
}

TEST_F(PlanResourceTest, TakingWhatOneHoldsChangesNothing) {
  Acquire("s", "a", "tool");
  EXPECT_EQ(CX_PLAN_NOTHING, Acquire("s", "a", "tool"));
  EXPECT_FALSE(replayed_);
  EXPECT_EQ(revision_, wait_for_);
  EXPECT_EQ(1u, History("a").size());
}

TEST_F(PlanResourceTest, AResourceHasOneHolder) {
  Acquire("s", "a", "tool");
  EXPECT_EQ(CX_PLAN_FAILED, Acquire("t", "a", "tool"));
  EXPECT_EQ("RESOURCE_HELD", reason());
  EXPECT_EQ("s", detail("session_id"));
  EXPECT_EQ(CX_PLAN_CHANGE, Acquire("t", "b", "tool")) << "another context's is another one";
  EXPECT_EQ(CX_PLAN_CHANGE, Acquire("t", "a", "tools"));
}

TEST_F(PlanResourceTest, GivesBackWithAnActivityThatRepeatsTheType) {
  Acquire("s", "a", "tool", [](Resource *resource) { resource->type = cx_bytes_of("hammer"); });
  ASSERT_EQ(CX_PLAN_CHANGE, Plan(cx_plan_release, "s", "a", "tool"));
  const cx_activity_content *said = plan_.change.items[0].ops[0].activity;
  EXPECT_EQ("hammer", Text(said->detail.resource.type));
  EXPECT_EQ(CX_RESOURCE_RELEASED, said->detail.resource.step);
  Finish(CX_PLAN_CHANGE);
  EXPECT_EQ(List{}, Held("a"));
  EXPECT_EQ("2 resource s tool released", History("a").back());
  EXPECT_EQ(0u, Session("s")->resource_count);
  EXPECT_EQ(CX_PLAN_CHANGE, Acquire("t", "a", "tool"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanResourceTest, GivesBackOnlyWhatItHolds) {
  EXPECT_EQ(CX_PLAN_FAILED, Release("s", "a", "tool"));
  EXPECT_EQ("RESOURCE_NOT_HELD", reason());
  EXPECT_EQ("", detail("session_id"));
  Acquire("t", "a", "tool");
  EXPECT_EQ(CX_PLAN_FAILED, Release("s", "a", "tool"));
  EXPECT_EQ("RESOURCE_NOT_HELD", reason());
  EXPECT_EQ("t", detail("session_id"));
  EXPECT_EQ((List{"tool t"}), Held("a"));
}

TEST_F(PlanResourceTest, TellsWhatIsWrongWithTheSessionFirstAndThenOfTheContext) {
  for (ResourcePlan plan : {cx_plan_acquire, cx_plan_release}) {
    EXPECT_EQ(CX_PLAN_FAILED, Finish(Plan(plan, "nobody", "missing", "tool")));
    EXPECT_EQ("SESSION_NOT_FOUND", reason());
    EXPECT_EQ(CX_PLAN_FAILED, Finish(Plan(plan, "s", "missing", "tool")));
    EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  }
  Delete("a");
  EXPECT_EQ(CX_PLAN_FAILED, Acquire("s", "a", "tool"));
  EXPECT_EQ("1", detail("deleted_version"));
}

TEST_F(PlanResourceTest, MindsAGuardToTakeButNotToGiveBack) {
  Acquire("s", "a", "tool");
  Activate("t", "a", Guarding);
  auto fence = [](uint64_t number) {
    return [=](Resource *resource) { resource->fence = number; };
  };
  EXPECT_EQ(CX_PLAN_FAILED, Acquire("s", "a", "another"));
  EXPECT_EQ("STALE_FENCE", reason());
  EXPECT_EQ(CX_PLAN_FAILED, Release("s", "a", "tool", fence(2)));
  EXPECT_EQ("STALE_FENCE", reason());
  EXPECT_EQ("1", detail("current_fence"));
  EXPECT_EQ(CX_PLAN_CHANGE, Release("s", "a", "tool"));
  EXPECT_EQ(CX_PLAN_CHANGE, Acquire("t", "a", "another", fence(1)));
  EXPECT_EQ(CX_PLAN_CHANGE, Release("t", "a", "another", fence(1)));
}

TEST_F(PlanResourceTest, HasAHolderEndedFirstWhoseTermIsOver) {
  Acquire("t", "a", "tool");
  LetLapse("t");
  for (ResourcePlan plan : {cx_plan_acquire, cx_plan_release}) {
    EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Finish(Plan(plan, "s", "a", "tool")));
    EXPECT_TRUE(plan_.expired_is_session);
    EXPECT_EQ(NameKey("t").hash, plan_.expired.hash);
    EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Finish(Plan(plan, "t", "a", "tool"))) << "and who asks";
  }
  Lapse("t");
  EXPECT_EQ(CX_PLAN_CHANGE, Acquire("s", "a", "tool"));
}

TEST_F(PlanResourceTest, BoundsWhatASessionHolds) {
  for (unsigned i = 0; i < CX_SESSION_RESOURCES_MAX; i++) {
    ASSERT_EQ(CX_PLAN_CHANGE, Acquire("s", i % 2 == 0 ? "a" : "b", std::to_string(i)));
  }
  EXPECT_EQ(CX_PLAN_FAILED, Acquire("s", "a", "one more"));
  EXPECT_EQ("LIMIT_REACHED", reason());
  EXPECT_EQ("session_resources_max", detail("limit"));
  EXPECT_EQ("1000", detail("value"));
  EXPECT_EQ(CX_PLAN_NOTHING, Acquire("s", "a", "0")) << "what it holds it holds";
  Release("s", "a", "0");
  EXPECT_EQ(CX_PLAN_CHANGE, Acquire("s", "a", "one more"));
  EXPECT_EQ(CX_PLAN_CHANGE, End("s"));
  EXPECT_EQ(List{}, Held("b"));
  ExpectReplayGivesTheSame();
}

TEST_F(PlanResourceTest, ContextsThatEndGiveBackWithoutAnActivity) {
  Acquire("s", "a", "tool");
  Acquire("s", "b", "tool");
  Acquire("t", "a", "another");
  Delete("a");
  EXPECT_EQ(1u, Session("s")->resource_count);
  EXPECT_EQ(0u, Session("t")->resource_count);
  EXPECT_EQ(List{}, Held("a"));
  EXPECT_EQ(2u, Tracked("a").last_sequence);
  Create("a");
  EXPECT_EQ(CX_PLAN_FAILED, Release("s", "a", "tool"));
  EXPECT_EQ("RESOURCE_NOT_HELD", reason());
  ExpectReplayGivesTheSame();
}

TEST_F(PlanResourceTest, KnowsARepeat) {
  auto with_id = [](Resource *resource) { resource->request_id = cx_bytes_of("id"); };
  EXPECT_EQ(CX_PLAN_CHANGE, Acquire("s", "a", "tool", with_id));
  uint64_t revision = revision_;
  Release("s", "a", "tool");
  EXPECT_EQ(CX_PLAN_NOTHING, Acquire("s", "a", "tool", with_id));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(revision, plan_.record.revision);
  EXPECT_EQ(List{}, Held("a"));
  EXPECT_EQ(CX_PLAN_FAILED, Release("s", "a", "tool", with_id));
  EXPECT_EQ("REQUEST_ID_REUSED", reason());
}

TEST_F(PlanResourceTest, AsksForTheShardsOfContextAndSession) {
  ASSERT_NE(NameKey("s").shard, NameKey("a").shard);
  plan_.held = 0;
  EXPECT_EQ(CX_PLAN_NEEDS_SHARDS, Acquire("s", "a", "tool"));
  plan_.held = plan_.needed;
  EXPECT_EQ(CX_PLAN_NEEDS_SHARDS, Acquire("s", "a", "tool"));
  plan_.held |= plan_.needed;
  EXPECT_EQ(1ull << NameKey("s").shard | 1ull << NameKey("a").shard, plan_.held);
  EXPECT_EQ(CX_PLAN_CHANGE, Acquire("s", "a", "tool"));
}

TEST_F(PlanResourceTest, IsTrimmedLikeAnyActivity) {
  plan_.history_count_max = 2;
  Acquire("s", "a", "one");
  Acquire("s", "a", "two");
  Acquire("s", "a", "three");
  EXPECT_EQ((List{"2 resource s two acquired", "3 resource s three acquired"}), History("a"));
  EXPECT_EQ(3u, Held("a").size());
}

TEST_F(PlanResourceTest, LeavesNoTraceWithoutMemory) {
  cx_label label = {cx_bytes_of("use"), cx_bytes_of("test")};
  auto with_all = [&](Resource *resource) {
    resource->labels = &label;
    resource->label_count = 1;
    resource->request_id = cx_bytes_of("id");
  };
  ExpectNoTraceWithoutMemory([&] { return Plan(cx_plan_acquire, "s", "a", "tool", with_all); });
  Acquire("s", "a", "tool");
  ExpectNoTraceWithoutMemory([&] { return Plan(cx_plan_release, "s", "a", "tool", with_all); });
}

}  // namespace
