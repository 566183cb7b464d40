// Plans of what joins two contexts: forks and merges.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class PlanForkTest : public RecoveryFixture {
 protected:
  PlanForkTest() { Create("a", {}, Mutations().Put("k", "1").SetLabel("l", "1")); }

  static Set<Fork> At(uint64_t version, bool with_points = false, bool with_history = false) {
    return [=](Fork *request) {
      request->at.version = version;
      request->with_points = with_points;
      request->with_history = with_history;
    };
  }
  static void WithPoints(Fork *request) { request->with_points = true; }
  static void WithHistory(Fork *request) { request->with_history = true; }
  static Set<Fork> AtPoint(const char *id, bool with_points = false) {
    return [=](Fork *request) {
      request->at.point_id = cx_bytes_of(id);
      request->with_points = with_points;
    };
  }

  // Where a context was forked from, and that from, ...
  List Lineage(const std::string &context) const {
    List list;
    for (const cx_base *base = Recovery(context).forked_from; base != nullptr; base = base->older) {
      list.push_back(Text(cx_base_id(base)) + "@" + std::to_string(base->version));
    }
    return list;
  }

  // What was merged into a context, newest first.
  List Merged(const std::string &context) const {
    List list;
    for (const cx_merged *each = Recovery(context).merged; each != nullptr; each = each->next) {
      list.push_back(Text(cx_base_id(each->base)) + "@" + std::to_string(each->base->version));
    }
    return list;
  }
};

TEST_F(PlanForkTest, SharesAllOfAState) {
  Update("a", Mutations().Put("k", "2").SetLabel("l", "2"));
  EXPECT_EQ(CX_PLAN_CHANGE, ForkFrom("a", "head"));
  EXPECT_EQ("v3 k=2", Head("head"));
  EXPECT_EQ(Find("a")->entries.root, Find("head")->entries.root);
  EXPECT_EQ("l=2", Labels(Find("head")->labels));
  EXPECT_EQ(CX_PLAN_CHANGE, ForkFrom("a", "earlier", At(1)));
  EXPECT_EQ("v2 k=1", Head("earlier"));
  EXPECT_EQ("l=1", Labels(Find("earlier")->labels));
  EXPECT_EQ((List{"a@1"}), Lineage("earlier"));
  EXPECT_EQ(plan_.now_us, Find("earlier")->create_time_us);
  Update("earlier", Mutations().Put("k", "own"));
  Update("a", Mutations().Put("k", "3"));
  EXPECT_EQ("v3 k=own", Head("earlier"));
  EXPECT_EQ("v3 k=2", Head("head"));
}

TEST_F(PlanForkTest, TakesTypeParentAndPolicyOfItsSource) {
  cx_new_context properties = {};
  properties.type = cx_bytes_of("t");
  properties.parent_id = cx_bytes_of("a");
  properties.ttl_us = 1000;
  properties.policy = Policy(3, 0, 0, 2);
  Create("b", properties);
  ForkFrom("b", "c");
  EXPECT_EQ("t", Text(cx_context_type(Find("c"))));
  EXPECT_EQ("a", Text(cx_context_parent_id(Find("c"))));
  EXPECT_EQ(0, Find("c")->end_time_us) << "no expiry";
  EXPECT_EQ(3u, Recovery("c").policy.retention.keep_last);
  const cx_label label = {cx_bytes_of("l"), cx_bytes_of("own")};
  cx_new_context own = {};
  own.ttl_us = 500;
  own.labels = &label;
  own.label_count = 1;
  Update("b", Mutations().SetLabel("other", "x"));
  ForkFrom("b", "d", [&](Fork *request) { request->properties = &own; });
  EXPECT_EQ("", Text(cx_context_type(Find("d"))));
  EXPECT_EQ("l=own other=x", Labels(Find("d")->labels)) << "beside those of the source";
  EXPECT_EQ(plan_.now_us + 500, Find("d")->end_time_us);
  EXPECT_FALSE(Recovery("d").policy.is_set);
}

TEST_F(PlanForkTest, TakesHistoryFilesAndUsageAsTheyStood) {
  Record("a", Activity("one").File("path", "read"));
  Update("a", Mutations().Put("k", "2"));
  Record("a", Activity("two").Model("m", 7, 1));
  Update("a", Mutations().Put("k", "3"));
  Record("a", Activity("three").File("path", "write"));
  ForkFrom("a", "none");
  EXPECT_EQ(List{}, History("none"));
  ForkFrom("a", "first", At(1, false, true));
  EXPECT_EQ(1u, History("first").size());
  EXPECT_EQ((List{"path read 1000 1"}), Files("first"));
  EXPECT_EQ(List{}, Usage("first"));
  ForkFrom("a", "second", At(2, false, true));
  EXPECT_EQ(2u, History("second").size());
  EXPECT_EQ((List{"m 1 7"}), Usage("second"));
  ForkFrom("a", "third", WithHistory);
  EXPECT_EQ((List{"path write 1000 2"}), Files("third"));
  EXPECT_EQ((List{"m 1 7"}), Usage("")) << "it does not count again for the namespace";
  Record("first", Activity("own"));
  EXPECT_EQ("2 own  ", History("first")[1]) << "sequences go on";
  EXPECT_EQ(3u, History("a").size());
}

TEST_F(PlanForkTest, TakesThePointsUpToThatState) {
  MakePoint("a", "p1");
  Update("a", Mutations().Put("k", "2"));
  MakePoint("a", "p2", Living(50));
  Update("a", Mutations().Put("k", "3"));
  MakePoint("a", "p3");
  ForkFrom("a", "none");
  EXPECT_EQ(List{}, Points("none"));
  ForkFrom("a", "all", WithPoints);
  EXPECT_EQ(Points("a"), Points("all"));
  ForkFrom("a", "two", At(2, true));
  EXPECT_EQ((List{"1 p1 < v1", "2 p2 <p1 v2"}), Points("two"));
  ForkFrom("a", "one", AtPoint("p1", true));
  EXPECT_EQ((List{"1 p1 < v1"}), Points("one"));
  MakePoint("one", "own");
  EXPECT_EQ("4 own <p1 v2", Points("one")[1]);
  MakePoint("two", "own");
  EXPECT_EQ("4 own <p2 v3", Points("two")[2]);
  EXPECT_EQ(3u, Points("a").size());
}

TEST_F(PlanForkTest, TakesTheChangesSinceTheLastPointAlongWithThePoints) {
  Update("a", Mutations().Put("k", "2"));
  ASSERT_EQ(nullptr, Find("a")->recovery);
  ForkFrom("a", "b", WithPoints);
  EXPECT_EQ(3u, Find("b")->change_count) << "two, and the fork itself";
  SetPolicy("a", Policy(10));
  SetPolicy("a", {});
  ASSERT_NE(nullptr, Find("a")->recovery);
  ForkFrom("a", "c", WithPoints);
  EXPECT_EQ(5u, Find("c")->change_count) << "whatever else there ever was";
  ForkFrom("a", "d");
  EXPECT_EQ(1u, Find("d")->change_count);
}

TEST_F(PlanForkTest, SharedPointsAreDroppedAndChangedInOneContextAlone) {
  MakePoint("a", "p1");
  MakePoint("a", "p2", Living(50));
  ForkFrom("a", "b", WithPoints);
  DropPoint("a", "p1");
  ChangePoint("b", "p2", [](Change *request) { request->pin = CX_PIN_ON; });
  EXPECT_EQ((List{"2 p2 < v1"}), Points("a"));
  EXPECT_EQ((List{"1 p1 < v1", "2 p2 <p1 v1"}), Points("b"));
  EXPECT_FALSE(Point("a", "p2")->pinned);
  plan_.now_us += 50;
  EXPECT_EQ(CX_PLAN_CHANGE, Due("a"));
  EXPECT_EQ(List{}, Points("a"));
  EXPECT_EQ(CX_PLAN_CHANGE, Due("b"));
  EXPECT_EQ((List{"1 p1 < v1"}), Points("b"));
  Delete("a", false, /*purge=*/true);
  EXPECT_EQ("k=1", Entries(Point("b", "p1")->state.entries));
}

TEST_F(PlanForkTest, AForkHasAVersionThatNoneOfItsPointsHas) {
  MakePoint("a", "p1", Mutations().Put("k", "aside"));
  MakePoint("a", "p2", Mutations().Put("k", "aside too"));
  ForkFrom("a", "b", WithPoints);
  EXPECT_EQ("v4 k=1", Head("b"));
  ForkFrom("a", "c");
  EXPECT_EQ("v2 k=1", Head("c"));
}

TEST_F(PlanForkTest, TakesThePlaceOfADeletedContext) {
  Create("b", {}, Mutations().Put("x", "1"));
  MakePoint("b", "old");
  Update("b", Mutations().Put("x", "2"));
  MakePoint("b", "older", Mutations().Put("x", "3"));
  MakePoint("a", "p1");
  for (bool with_points : {false, true, true}) {
    uint64_t version = cx_context_version_last(Find("b"));
    Delete("b");
    EXPECT_EQ(CX_PLAN_CHANGE,
              ForkFrom("a", "b", [=](Fork *request) { request->with_points = with_points; }));
    EXPECT_EQ("v" + std::to_string(version + 1) + " k=1", Head("b")) << "above all that it had";
    EXPECT_EQ(with_points ? 1u : 2u, Points("b").size());
    EXPECT_EQ((List{"a@1"}), Lineage("b"));
    EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("b", "new"));
    EXPECT_EQ(with_points ? "1" : "0", std::to_string(Point("b", "new")->parent_sequence))
        << "it comes from none of those that it did not bring along";
    DropPoint("b", "new");
  }
  Delete("b");
  plan_.now_us += settings_.undelete_window_us;
  Due("b");
  EXPECT_EQ(CX_PLAN_CHANGE, ForkFrom("a", "b", WithPoints)) << "nor does a bare one keep it";
  EXPECT_EQ(1u, Points("b").size());
}

TEST_F(PlanForkTest, RemembersForksOfForks) {
  std::string last = "a";
  List lineage;
  for (size_t i = 0; i < CX_LINEAGE_MAX; i++) {
    std::string next = "f" + std::to_string(i);
    lineage.insert(lineage.begin(), last + "@" + std::to_string(Find(last)->version));
    ASSERT_EQ(CX_PLAN_CHANGE, ForkFrom(last, next));
    last = next;
  }
  EXPECT_EQ(lineage, Lineage(last));
  EXPECT_EQ(CX_LINEAGE_MAX, Recovery(last).forked_from->depth);
  EXPECT_EQ(CX_PLAN_CHANGE, ForkFrom(last, "more"));
  lineage.insert(lineage.begin(), last + "@65");
  lineage.pop_back();
  EXPECT_EQ(lineage, Lineage("more")) << "all but the oldest";
  EXPECT_EQ(CX_LINEAGE_MAX, Recovery("more").forked_from->depth);
  Delete("a", false, true);
  EXPECT_EQ(CX_LINEAGE_MAX, Lineage(last).size()) << "whatever becomes of them";
}

TEST_F(PlanForkTest, RefusesWhatIsNotThereOrThereAlready) {
  EXPECT_EQ(CX_PLAN_FAILED, ForkFrom("missing", "b"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, ForkFrom("a", "a"));
  EXPECT_EQ("CONTEXT_EXISTS", reason());
  EXPECT_EQ(CX_PLAN_FAILED, ForkFrom("a", "b", At(7)));
  EXPECT_EQ("STATE_NOT_RETAINED", reason());
  EXPECT_EQ(CX_PLAN_FAILED, ForkFrom("a", "b", AtPoint("p")));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, ForkFrom("a", "b", [](Fork *request) {
              request->author.session_id = cx_bytes_of("nobody");
            }));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
  CreateBelow("child", "a");
  ForkFrom("child", "x");
  Delete("x");
  Delete("child");
  EXPECT_EQ(CX_PLAN_FAILED, ForkFrom("child", "b"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  cx_new_context properties = {};
  properties.parent_id = cx_bytes_of("missing");
  EXPECT_EQ(CX_PLAN_FAILED, ForkFrom("a", "b", [&](Fork *request) {
              request->properties = &properties;
              request->author.session_id = cx_bytes_of("nobody");
            }));
  EXPECT_EQ("PARENT_NOT_FOUND", reason()) << "existence is told before the session's";
  properties.create_parent = true;
  EXPECT_EQ(CX_PLAN_CHANGE,
            ForkFrom("a", "b", [&](Fork *request) { request->properties = &properties; }));
  EXPECT_NE(nullptr, Find("missing"));
}

TEST_F(PlanForkTest, KnowsARepeatOfAFork) {
  auto with_id = [](Fork *request) { request->request_id = cx_bytes_of("id"); };
  EXPECT_EQ(CX_PLAN_CHANGE, ForkFrom("a", "b", with_id));
  Delete("a");
  EXPECT_EQ(CX_PLAN_NOTHING, ForkFrom("a", "b", with_id));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(CX_PLAN_FAILED, ForkFrom("c", "b", with_id));
  EXPECT_EQ("REQUEST_ID_REUSED", reason());
}

TEST_F(PlanForkTest, MergesAndRemembersWhat) {
  ForkFrom("a", "b");
  Update("b", Mutations().Put("x", "1"));
  MakePoint("a", "p1");
  EXPECT_EQ(CX_PLAN_CHANGE,
            MergeInto("b", "a", "x", [](Merge *request) { request->safety_point = true; }));
  EXPECT_EQ("v2 k=1 x=merged", Head("a"));
  EXPECT_EQ((List{"b@3"}), Merged("a"));
  EXPECT_EQ(revision_, Recovery("a").merged->base->revision);
  ASSERT_EQ(2u, Points("a").size());
  EXPECT_EQ(CX_ORIGIN_SAFETY, AllPoints(Recovery("a"))[1]->origin);
  EXPECT_EQ("k=1", Entries(AllPoints(Recovery("a"))[1]->state.entries));
  Update("b", Mutations().Put("x", "2"));
  ForkFrom("a", "c");
  EXPECT_EQ((List{"b@3"}), Merged("c")) << "a fork has all of it, too";
  MergeInto("b", "a", "x");
  EXPECT_EQ((List{"b@4"}), Merged("a")) << "no context twice";
  MergeInto("c", "a", "y");
  EXPECT_EQ((List{"c@3", "b@4"}), Merged("a"));
  ForkFrom("a", "d", At(2));
  EXPECT_EQ((List{"b@3"}), Merged("c"));
  EXPECT_EQ(List{}, Merged("d")) << "what was merged since that state is not remembered of it";
}

TEST_F(PlanForkTest, RemembersSoManyMergesAndNoMore) {
  for (size_t i = 0; i < CX_MERGE_BASES_MAX + 3; i++) {
    std::string context = "m" + std::to_string(i);
    Create(context);
    ASSERT_EQ(CX_PLAN_CHANGE, MergeInto(context, "a", context));
  }
  EXPECT_EQ(CX_MERGE_BASES_MAX, Merged("a").size());
  EXPECT_EQ("m66@1", Merged("a")[0]);
  ForkFrom("a", "b");
  EXPECT_EQ(Merged("a"), Merged("b"));
}

TEST_F(PlanForkTest, AMergeIsPreparedForTheStatesThatItIsMadeOf) {
  ForkFrom("a", "b");
  MakePoint("b", "p");
  cx_merge_request request = {};
  request.source = {cx_bytes_of("default"), cx_bytes_of("b")};
  request.target = {cx_bytes_of("default"), cx_bytes_of("a")};
  request.source_at.point_id = cx_bytes_of("p");
  merged_op_.kind = CX_MUTATION_PUT;
  merged_op_.key = cx_bytes_of("x");
  auto plan = [&] {
    cx_plan_begin(&plan_);
    return Finish(cx_plan_merge(&plan_, &request, &prepared_));
  };
  EXPECT_EQ(CX_PLAN_NOTHING, plan());
  EXPECT_TRUE(prepared_.moved);
  Prepare("a", &merged_op_, 1);
  Update("a", Mutations().Put("y", "1"));
  EXPECT_EQ(CX_PLAN_NOTHING, plan());
  EXPECT_TRUE(prepared_.moved) << "the target moved";
  Prepare("a", &merged_op_, 1);
  MakePoint("b", "p", Mutations().Put("z", "1"), Replacing);
  EXPECT_EQ(CX_PLAN_NOTHING, plan());
  EXPECT_TRUE(prepared_.moved) << "the point has another state";
  Prepare("a", &merged_op_, 0);
  EXPECT_EQ(CX_PLAN_NOTHING, plan()) << "nothing to do";
  EXPECT_FALSE(prepared_.moved);
  Prepare("a", &merged_op_, 1);
  request.dry_run = true;
  EXPECT_EQ(CX_PLAN_NOTHING, plan());
  EXPECT_FALSE(prepared_.moved);
  request.dry_run = false;
  EXPECT_EQ(CX_PLAN_CHANGE, plan());
}

TEST_F(PlanForkTest, MergesLabels) {
  ForkFrom("a", "b");
  cx_merge_request request = {};
  request.source = {cx_bytes_of("default"), cx_bytes_of("b")};
  request.target = {cx_bytes_of("default"), cx_bytes_of("a")};
  cx_op ops[2] = {};
  ops[0].kind = CX_MUTATION_DELETE_LABEL;
  ops[0].key = cx_bytes_of("l");
  ops[1].kind = CX_MUTATION_SET_LABEL;
  ops[1].key = cx_bytes_of("m");
  ops[1].value = cx_bytes_of("2");
  cx_plan_begin(&plan_);
  Finish(cx_plan_merge(&plan_, &request, &prepared_));
  Prepare("a", ops, 2);
  cx_plan_begin(&plan_);
  EXPECT_EQ(CX_PLAN_CHANGE, Finish(cx_plan_merge(&plan_, &request, &prepared_)));
  EXPECT_EQ("m=2", Labels(Find("a")->labels));
}

TEST_F(PlanForkTest, MergesWithinAContext) {
  MakePoint("a", "p", Mutations().Put("x", "1"));
  EXPECT_EQ(CX_PLAN_CHANGE, MergeInto("a", "a", "x", [](Merge *request) {
              request->source_at.point_id = cx_bytes_of("p");
            }));
  EXPECT_EQ(List{}, Merged("a"));
}

TEST_F(PlanForkTest, LooksAtTheAuthorAndPreconditionsOfAMerge) {
  cx_precondition wrong = {CX_PRECONDITION_CONTEXT_VERSION, {}, 77};
  ForkFrom("a", "b");
  Begin("s");
  Activate("s", "a", Guarding);
  auto by = [&](const char *source, const char *session, uint64_t fence) {
    return MergeInto(source, "a", "x", [=, &wrong](Merge *request) {
      request->author = {cx_bytes_of(session), fence};
      request->preconditions = &wrong;
      request->precondition_count = 1;
      request->request_id = cx_bytes_of("id");
    });
  };
  EXPECT_EQ(CX_PLAN_FAILED, by("missing", "nobody", 0));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, by("b", "nobody", 0));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, by("b", "", 0));
  EXPECT_EQ("STALE_FENCE", reason());
  EXPECT_EQ(CX_PLAN_FAILED, by("b", "s", 1));
  EXPECT_EQ("VERSION_CONFLICT", reason());
  wrong.version = 1;
  EXPECT_EQ(CX_PLAN_CHANGE, by("b", "s", 1));
  EXPECT_EQ(CX_PLAN_NOTHING, by("b", "s", 1));
  EXPECT_TRUE(replayed_);
}

TEST_F(PlanForkTest, LeavesNoTraceWithoutMemory) {
  Record("a", Activity("one").File("path", "read"));
  for (int i = 0; i < 40; i++) {
    Update("a", Mutations().Put("k", std::to_string(i)));
    MakePoint("a", "p" + std::to_string(i), Living(1000));
  }
  Create("b");
  MakePoint("b", "old");
  for (bool deleted : {false, true}) {
    if (deleted) Delete("b");
    for (bool with : {false, true}) {
      ExpectNoTraceWithoutMemory([&] {
        return PlanFork("a", deleted ? "b" : "c", [&](Fork *request) {
          request->at.point_id = cx_bytes_of("p20");
          request->with_points = with;
          request->with_history = with;
          request->request_id = cx_bytes_of("id");
        });
      });
    }
  }
  ForkFrom("a", "c");
  MergeInto("c", "a", "x");
  (void)PlanMerge("c", "a", "x", [](Merge *request) { request->safety_point = true; });
  cx_plan_end(&plan_);
  ExpectNoTraceWithoutMemory([&] {
    cx_plan_begin(&plan_);
    return cx_plan_merge(&plan_, &merge_, &prepared_);
  });
  ApplyWithoutMemory(PlanMerge("c", "a", "x"));
  ApplyWithoutMemory(PlanFork("a", "b", [](Fork *request) {
    request->at.point_id = cx_bytes_of("p20");
    request->with_points = true;
    request->with_history = true;
  }));
}

}  // namespace
