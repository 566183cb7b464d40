// Plans of which recovery points are made by themselves, and which are not kept any more: by
// changes, by the timer, by prunes, and by chance against a rule without hints.

#include "tests/unit/state/recovery_fixture.h"

#include <random>

namespace {

class PlanRetentionTest : public RecoveryFixture {
 protected:
  using Numbers = std::vector<uint64_t>;

  void Write(const std::string &context = "a") {
    Update(context, Mutations().Put("k", std::to_string(++value_)));
  }

  void MakePoints(size_t count) {
    for (size_t i = 0; i < count; i++) {
      ASSERT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p" + std::to_string(++made_)));
    }
  }

  // What the timer does until nothing is due; how often it made something.
  size_t RunTimer(const std::string &context = "a") {
    size_t count = 0;
    for (;; count++) {
      int64_t due_us = cx_state_due_time(&state_, Find(context));
      if (due_us == 0 || due_us > plan_.now_us) return count;
      if (Due(context) != CX_PLAN_CHANGE || count > 100) {
        ADD_FAILURE() << "it is due, and nothing is done";
        return count;
      }
    }
  }

  uint64_t value_ = 0;
  uint64_t made_ = 0;
};

TEST_F(PlanRetentionTest, KeepsTheNewestOfAContextWithoutAPolicy) {
  Create("a");
  plan_.recovery_points_max = 3;
  MakePoints(5);
  EXPECT_EQ((Numbers{3, 4, 5}), Sequences("a"));
  EXPECT_EQ(2u, items_[0].point_count) << "one is made, one is dropped";
}

TEST_F(PlanRetentionTest, KeepsTheLast) {
  CreateWith("a", Policy(2));
  MakePoints(4);
  EXPECT_EQ((Numbers{3, 4}), Sequences("a"));
}

TEST_F(PlanRetentionTest, KeepsOneOfEveryFew) {
  CreateWith("a", Policy(0, 3));
  MakePoints(8);
  EXPECT_EQ((Numbers{3, 6, 8}), Sequences("a")) << "and always the newest";
}

TEST_F(PlanRetentionTest, KeepsTheYoung) {
  CreateWith("a", Policy(0, 0, 100));
  MakePoints(2);
  plan_.now_us += 50;
  MakePoints(1);
  plan_.now_us += 50;
  MakePoints(1);
  EXPECT_EQ((Numbers{3, 4}), Sequences("a"));
  plan_.now_us += 1000;
  MakePoints(1);
  EXPECT_EQ((Numbers{5}), Sequences("a"));
}

TEST_F(PlanRetentionTest, KeepsWhatAnyRuleKeeps) {
  CreateWith("a", Policy(1, 4, 100));
  MakePoints(5);
  plan_.now_us += 100;
  MakePoints(1);
  EXPECT_EQ((Numbers{4, 6}), Sequences("a"));
}

TEST_F(PlanRetentionTest, KeepsWhatIsPinned) {
  CreateWith("a", Policy(1));
  MakePoint("a", "pinned", Pinned);
  MakePoints(2);
  EXPECT_EQ((Numbers{1, 3}), Sequences("a"));
  ChangePoint("a", "pinned", [](Change *request) { request->pin = CX_PIN_OFF; });
  MakePoints(1);
  EXPECT_EQ((Numbers{4}), Sequences("a")) << "until it is not any more";
}

TEST_F(PlanRetentionTest, DropsWhatItsOwnTimeEndsWhateverTheRules) {
  CreateWith("a", Policy(100, 1, 100000));
  MakePoint("a", "p", [](Make *request) {
    request->ttl_us = 10;
    request->pinned = true;
  });
  MakePoints(1);
  EXPECT_EQ(plan_.now_us + 10, cx_state_due_time(&state_, Find("a")));
  plan_.now_us += 10;
  EXPECT_EQ(1u, RunTimer());
  EXPECT_EQ((Numbers{2}), Sequences("a"));
  MakePoint("a", "last", Living(10));
  DropPoint("a", "p1");
  plan_.now_us += 10;
  EXPECT_EQ(1u, RunTimer());
  EXPECT_EQ(Numbers{}, Sequences("a")) << "the newest, too";
}

TEST_F(PlanRetentionTest, AnotherPolicyDropsWhatItDoesNotKeep) {
  Create("a");
  MakePoints(10);
  SetPolicy("a", Policy(4, 5));
  EXPECT_EQ((Numbers{5, 7, 8, 9, 10}), Sequences("a"));
  SetPolicy("a", Policy(0, 5));
  EXPECT_EQ((Numbers{5, 10}), Sequences("a"));
  SetPolicy("a", Policy(1));
  EXPECT_EQ((Numbers{10}), Sequences("a"));
}

TEST_F(PlanRetentionTest, APolicyThatIsNotSetAfterAllLeavesNoTrace) {
  Create("a");
  plan_.recovery_points_max = 5;
  MakePoints(5);
  for (uint64_t keep_every : {1, 2, 4}) {
    const cx_recovery_policy policy = Policy(0, keep_every);
    cx_mutation mutation = {};
    cx_update_request request = {};
    size_t index;
    mutation.kind = CX_MUTATION_SET_POLICY;
    mutation.policy = &policy;
    request.name = {cx_bytes_of("default"), cx_bytes_of("a")};
    request.mutations = &mutation;
    request.mutation_count = 1;
    cx_plan_begin(&plan_);
    EXPECT_EQ(CX_PLAN_CHANGE, cx_plan_update(&plan_, &request, 1, false, {}, &index));
    cx_plan_end(&plan_);
  }
  MakePoints(3);
  EXPECT_EQ((Numbers{4, 5, 6, 7, 8}), Sequences("a"));
}

TEST_F(PlanRetentionTest, TwoThatOneChangeMakesPushOutTwo) {
  CreateWith("a", Policy(3));
  MakePoints(3);
  Write();
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", ToPoint("p3", true)));
  EXPECT_EQ((Numbers{2, 3, 4}), Sequences("a"));
  SetPolicy("a", Policy(3, 0, 0, 1));
  Write();
  EXPECT_EQ((Numbers{4, 5, 6}), Sequences("a"));
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", [&](Restore *request) {
              request->at.version = Find("a")->version - 1;
              request->safety_point = true;
            }));
  EXPECT_EQ((Numbers{6, 7, 8}), Sequences("a"));
}

TEST_F(PlanRetentionTest, MakesAPointAfterSoManyChanges) {
  CreateWith("a", Policy(100, 0, 0, 3));
  EXPECT_EQ(Numbers{}, Sequences("a")) << "its creation is one";
  Write();
  Record("a", Activity("no change"));
  EXPECT_EQ(Numbers{}, Sequences("a"));
  Write();
  EXPECT_EQ((Numbers{1}), Sequences("a"));
  EXPECT_EQ(CX_ORIGIN_POLICY, AllPoints(Recovery("a"))[0]->origin);
  EXPECT_EQ("k=2", Entries(AllPoints(Recovery("a"))[0]->state.entries));
  Write();
  MakePoint("a", "own");
  Write();
  Write();
  EXPECT_EQ((Numbers{1, 2}), Sequences("a")) << "since the last point";
  Write();
  EXPECT_EQ((Numbers{1, 2, 3}), Sequences("a"));
  MakePoint("a", "aside", Mutations().Put("x", "y"));
  Write();
  Write();
  MakePoint("a", "moved", Mutations().Put("k", "v"), MovingHead);
  EXPECT_EQ((Numbers{1, 2, 3, 4, 5}), Sequences("a")) << "that change has one already";
}

TEST_F(PlanRetentionTest, MakesAPointOfACreationToo) {
  CreateWith("a", Policy(100, 0, 0, 1), Mutations().Put("k", "v"));
  ASSERT_EQ((Numbers{1}), Sequences("a"));
  EXPECT_EQ("k=v", Entries(AllPoints(Recovery("a"))[0]->state.entries));
  Delete("a");
  CreateWith("a", Policy(100, 0, 0, 1), Mutations().Put("k", "w"));
  ASSERT_EQ((Numbers{1, 2}), Sequences("a"));
  EXPECT_EQ(0u, AllPoints(Recovery("a"))[1]->parent_sequence);
  Create("b");
  SetPolicy("b", Policy(100, 0, 0, 1));
  EXPECT_EQ((Numbers{1}), Sequences("b")) << "and of the change that sets it";
}

TEST_F(PlanRetentionTest, MakesAPointWhenThereWasAChangeAndTheLastIsOlder) {
  CreateWith("a", Policy(100, 0, 0, 0, 50));
  EXPECT_EQ(plan_.now_us + 50, cx_state_due_time(&state_, Find("a")));
  plan_.now_us += 50;
  EXPECT_EQ(1u, RunTimer());
  EXPECT_EQ((Numbers{1}), Sequences("a"));
  EXPECT_EQ(CX_ORIGIN_POLICY, AllPoints(Recovery("a"))[0]->origin);
  EXPECT_EQ(0, cx_state_due_time(&state_, Find("a"))) << "nothing changed since";
  plan_.now_us += 20;
  Write();
  EXPECT_EQ((Numbers{1}), Sequences("a"));
  EXPECT_EQ(plan_.now_us + 30, cx_state_due_time(&state_, Find("a")));
  plan_.now_us += 1000;
  Write();
  EXPECT_EQ((Numbers{1, 2}), Sequences("a")) << "the change itself is late";
  EXPECT_EQ("k=2", Entries(AllPoints(Recovery("a"))[1]->state.entries));
  EXPECT_EQ(0u, RunTimer());
}

TEST_F(PlanRetentionTest, TheTimerDropsWhatGetsTooOld) {
  CreateWith("a", Policy(0, 4, 100));
  MakePoints(3);
  plan_.now_us += 10;
  MakePoints(3);
  EXPECT_EQ(1100, cx_state_due_time(&state_, Find("a")));
  plan_.now_us = 1100;
  EXPECT_EQ(1u, RunTimer());
  EXPECT_EQ((Numbers{4, 5, 6}), Sequences("a"));
  plan_.now_us = 1110;
  EXPECT_EQ(1u, RunTimer());
  EXPECT_EQ((Numbers{4, 6}), Sequences("a")) << "the newest stays";
  EXPECT_EQ(0, cx_state_due_time(&state_, Find("a")));
}

TEST_F(PlanRetentionTest, ADeletedContextIsLeftAloneUntilItsStatesGo) {
  CreateWith("a", Policy(1, 0, 10, 0, 10));
  MakePoint("a", "p", Living(10));
  Delete("a");
  EXPECT_EQ(1000 + settings_.undelete_window_us, cx_state_due_time(&state_, Find("a")));
}

TEST_F(PlanRetentionTest, TheTimerDropsWhatAChangeCouldNotAtOnce) {
  CreateWith("a", Policy(1));
  MakePoint("a", "pinned", Pinned);
  MakePoints(2);
  EXPECT_EQ((Numbers{1, 3}), Sequences("a"));
  EXPECT_EQ(0u, RunTimer()) << "all is as the policy wants it";
  ChangePoint("a", "pinned", [](Change *request) { request->pin = CX_PIN_OFF; });
  EXPECT_EQ((Numbers{1, 3}), Sequences("a")) << "the change is about that point";
  EXPECT_EQ(1u, RunTimer());
  EXPECT_EQ((Numbers{3}), Sequences("a"));
  EXPECT_TRUE(items_[0].by_timer);
}

TEST_F(PlanRetentionTest, TheTimerDropsInSeveralChangesWhatOneHasNoRoomFor) {
  Create("a");
  MakePoints(100);
  plan_.change_size_max = 4000;
  SetPolicy("a", Policy(2));
  EXPECT_GT(Points("a").size(), 50u);
  EXPECT_GT(RunTimer(), 1u);
  EXPECT_EQ((Numbers{99, 100}), Sequences("a"));
}

TEST_F(PlanRetentionTest, ASessionThatIsLostInSeveralChangesLeavesAPointOfAll) {
  Begin("s", [](Start *request) {
    request->point_on_loss = true;
    request->max_active_contexts = 50;
  });
  for (int i = 0; i < 20; i++) {
    std::string id = "c" + std::to_string(i);
    Create(id);
    Activate("s", id, Exclusive);
    for (int j = 0; j < i % 7; j++) Acquire("s", id, "tool" + std::to_string(j));
  }
  plan_.change_size_max = 3000;
  LetLapse("s");
  size_t changes = 0;
  do {
    ASSERT_EQ(CX_PLAN_CHANGE, Lapse("s"));
    changes++;
  } while (more_);
  EXPECT_GT(changes, 3u);
  EXPECT_EQ(nullptr, Session("s"));
  for (int i = 0; i < 20; i++) {
    EXPECT_EQ((Numbers{1}), Sequences("c" + std::to_string(i))) << i;
  }
}

TEST_F(PlanRetentionTest, ASessionThatIsLostLeavesAPointOfWhatItHadForItself) {
  Create("a", {}, Mutations().Put("k", "v"));
  Create("b");
  Begin("s", [](Start *request) { request->point_on_loss = true; });
  Begin("t");
  Activate("s", "a", Exclusive);
  Activate("s", "b");
  Create("c");
  Activate("t", "c", Exclusive);
  LetLapse("s");
  LetLapse("t");
  EXPECT_EQ(CX_PLAN_CHANGE, Lapse("s"));
  EXPECT_EQ(CX_PLAN_CHANGE, Lapse("t"));
  ASSERT_EQ((Numbers{1}), Sequences("a"));
  EXPECT_EQ(CX_ORIGIN_SESSION_LOSS, AllPoints(Recovery("a"))[0]->origin);
  EXPECT_EQ("k=v", Entries(AllPoints(Recovery("a"))[0]->state.entries));
  EXPECT_EQ(Numbers{}, Sequences("b")) << "it shared that one";
  EXPECT_EQ(Numbers{}, Sequences("c")) << "nobody asked for it";
  Begin("u", [](Start *request) { request->point_on_loss = true; });
  Activate("u", "a", Exclusive);
  End("u");
  EXPECT_EQ((Numbers{1}), Sequences("a")) << "an end is no loss";
}

TEST_F(PlanRetentionTest, PrunesWhatNoRuleKeepsAndWhatHasAllLabels) {
  const cx_label labels[] = {{cx_bytes_of("x"), cx_bytes_of("1")},
                             {cx_bytes_of("y"), cx_bytes_of("2")}};
  Create("a");
  MakePoints(4);
  MakePoint("a", "pinned", Pinned);
  MakePoint("a", "labelled", [&](Make *request) {
    request->labels = labels;
    request->label_count = 2;
  });
  MakePoints(2);
  EXPECT_EQ(CX_PLAN_NOTHING,
            PrunePoints("a", {3, 0, 0}, [](Prune *request) { request->dry_run = true; }));
  EXPECT_EQ(4u, count_);
  EXPECT_EQ(4u, kept_count_);
  EXPECT_EQ(8u, Points("a").size());
  EXPECT_EQ(CX_PLAN_CHANGE, PrunePoints("a", {3, 0, 0}));
  EXPECT_EQ((Numbers{5, 6, 7, 8}), Sequences("a"));
  EXPECT_EQ(4u, count_);
  EXPECT_EQ(4u, kept_count_);
  EXPECT_EQ(CX_PLAN_CHANGE, PrunePoints("a", {}, [&](Prune *request) {
              request->labels = labels + 1;
              request->label_count = 1;
            }));
  EXPECT_EQ((Numbers{5, 7, 8}), Sequences("a"));
  EXPECT_EQ(CX_PLAN_NOTHING, PrunePoints("a", {3, 0, 0}));
  EXPECT_EQ(CX_PLAN_FAILED, PrunePoints("missing", {3, 0, 0}));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  auto with_id = [](Prune *request) { request->request_id = cx_bytes_of("id"); };
  EXPECT_EQ(CX_PLAN_CHANGE, PrunePoints("a", {1, 0, 0}, with_id));
  EXPECT_EQ((Numbers{5, 8}), Sequences("a"));
  MakePoints(3);
  EXPECT_EQ(CX_PLAN_NOTHING, PrunePoints("a", {1, 0, 0}, with_id));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(5u, Points("a").size());
}

// The context has as many points as any may have: they are counted, and not there.
TEST_F(PlanRetentionTest, NoPolicyKeepsMoreThanSoManyAndOneThatGoesMakesRoom) {
  auto pretend = [&](uint64_t count) { Find("a")->recovery->point_count = count; };
  CreateWith("a", Policy(UINT64_MAX, 0, 0, 2));
  MakePoints(3);
  pretend(CX_POINTS_MAX - 1);
  MakePoints(1);
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "more"));
  EXPECT_EQ("points_max", detail("limit"));
  EXPECT_EQ(std::to_string(CX_POINTS_MAX), detail("value"));
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a", ToPoint("p1", true))) << "with a safety point";
  EXPECT_EQ("points_max", detail("limit"));
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p2", Replacing)) << "it was counted before";
  for (int i = 0; i < 5; i++) Write();
  EXPECT_EQ(CX_POINTS_MAX, Recovery("a").point_count) << "none of the policy's, and no failure";
  EXPECT_EQ(CX_PLAN_CHANGE, DropPoint("a", "p1"));
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "more"));
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "and more"));
  pretend(4);
}

TEST_F(PlanRetentionTest, DropsSoManyInOneChangeAndNoMore) {
  plan_.recovery_points_max = 1000000;
  Create("a");
  MakePoints(CX_CHANGE_ITEMS_MAX + 50);
  EXPECT_EQ(CX_PLAN_CHANGE, PrunePoints("a", {10, 0, 0}));
  EXPECT_TRUE(more_);
  EXPECT_EQ(CX_CHANGE_ITEMS_MAX, count_);
  EXPECT_EQ(50u, Points("a").size());
  EXPECT_EQ(CX_PLAN_CHANGE, PrunePoints("a", {10, 0, 0}));
  EXPECT_FALSE(more_);
  EXPECT_EQ(10u, Points("a").size());
}

TEST_F(PlanRetentionTest, LeavesNoTraceWithoutMemory) {
  CreateWith("a", Policy(5, 0, 0, 2, 100));
  for (int i = 0; i < 12; i++) Write();
  MakePoint("a", "p", Living(20));
  const Mutations put = Mutations().Put("k", "last");
  Write();
  ExpectNoTraceWithoutMemory([&] { return PlanWrite("a", put); });
  ExpectNoTraceWithoutMemory([&] { return PlanPrune("a", {1, 0, 0}); });
  plan_.now_us += 100;
  ExpectNoTraceWithoutMemory([&] {
    key_ = NameKey("a");
    cx_plan_begin(&plan_);
    return cx_plan_due(&plan_, &key_);
  });
  ApplyWithoutMemory(PlanWrite("a", put));
}

// Whatever is done, what is kept is what the rules say of all points, looked at one by one.
TEST_F(PlanRetentionTest, KeepsWhatTheRulesSayByChance) {
  for (unsigned seed = 1; seed <= 20; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    auto below = [&](uint64_t bound) { return random() % bound; };
    std::string context = "c" + std::to_string(seed);
    plan_.recovery_points_max = 4;
    Create(context);
    std::set<uint64_t> expected, pinned;
    std::map<uint64_t, int64_t> times;
    for (int step = 0; step < 200; step++) {
      const cx_recovery_policy before = Recovery(context).policy;
      uint64_t last = Recovery(context).last_sequence;
      plan_.now_us += below(20);
      uint64_t busy = 0;  // What a change is about is looked at by the next one.
      bool looks = true;
      switch (below(8)) {
        case 0:
          SetPolicy(context, Policy(below(4), below(4), below(3) * 40, below(4), below(2) * 60));
          break;
        case 1:
        case 2:
          MakePoint(context, "p" + std::to_string(step),
                    [&](Make *request) { request->pinned = below(6) == 0; });
          break;
        case 3:
        case 4: {
          Numbers all = Sequences(context);
          looks = !all.empty();
          if (all.empty()) break;
          busy = all[below(all.size())];
          std::string id = Text(cx_point_id(cx_recovery_find(&Recovery(context), busy)));
          ChangePoint(context, id, [&](Change *request) {
            request->pin = below(2) == 0 ? CX_PIN_ON : CX_PIN_OFF;
          });
          break;
        }
        case 5:
          if (cx_state_due_time(&state_, Find(context)) != 0) RunTimer(context);
          looks = false;
          break;
        default:
          Write(context);
      }
      const cx_recovery &recovery = Recovery(context);
      for (uint64_t made = last + 1; made <= recovery.last_sequence; made++) expected.insert(made);
      for (const cx_point *point : AllPoints(recovery))
        times[point->sequence] = point->create_time_us;
      std::set<uint64_t> kept;
      const cx_retention &rules = recovery.policy.retention;
      uint64_t keep_last = cx_retention_is_set(&rules) ? rules.keep_last : 4;
      size_t index = 0;
      for (auto at = expected.rbegin(); at != expected.rend(); ++at, index++) {
        const cx_point *point = cx_recovery_find(&recovery, *at);
        bool keeps =
            index == 0 || index < keep_last ||
            (rules.keep_every != 0 && *at % rules.keep_every == 0) ||
            (rules.keep_within_us != 0 && times[*at] > plan_.now_us - rules.keep_within_us) ||
            (point != nullptr ? point->pinned : pinned.count(*at) > 0);
        if (keeps || *at == busy) kept.insert(*at);
      }
      Numbers found = Sequences(context);
      std::set<uint64_t> there(found.begin(), found.end());
      if (looks) {
        ASSERT_EQ(kept, there) << "step " << step << PolicyText(before) << " then"
                               << PolicyText(recovery.policy);
      } else {
        for (uint64_t each : kept) ASSERT_TRUE(there.count(each)) << "step " << step;
      }
      expected = there;
      pinned.clear();
      for (const cx_point *point : AllPoints(recovery)) {
        if (point->pinned) pinned.insert(point->sequence);
      }
    }
    Delete(context, false, /*purge=*/true);
  }
}

}  // namespace
