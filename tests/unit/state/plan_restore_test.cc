// Plans of what brings earlier states back: restores, undeletes.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class PlanRestoreTest : public RecoveryFixture {
 protected:
  PlanRestoreTest() { Create("a", {}, Mutations().Put("k", "1").SetLabel("l", "1")); }

  // A state with a value and a label, at a time of its own.
  void Write(const std::string &value) {
    plan_.now_us += 10;
    Update("a", Mutations().Put("k", value).SetLabel("l", value));
  }

  std::string State() const { return Head("a") + " l: " + Labels(Find("a")->labels); }
};

TEST_F(PlanRestoreTest, SetsAContextBackToAPoint) {
  MakePoint("a", "p1");
  Write("2");
  MakePoint("a", "p2");
  Write("3");
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", ToPoint("p1")));
  EXPECT_EQ("v4 k=1 l: l=1", State());
  EXPECT_EQ(plan_.now_us, Find("a")->update_time_us);
  MakePoint("a", "p3");
  EXPECT_EQ((List{"1 p1 < v1", "2 p2 <p1 v2", "3 p3 <p1 v4"}), Points("a"))
      << "the point after it comes from the one that was brought back";
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", ToVersion(3)));
  EXPECT_EQ("v5 k=3 l: l=3", State()) << "nothing between is lost";
}

TEST_F(PlanRestoreTest, TakesTheNewestPointWhenNothingIsNamed) {
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a"));
  EXPECT_EQ("NO_RECOVERY_POINTS", reason());
  MakePoint("a", "p1");
  Write("2");
  MakePoint("a", "p2", Living(5));
  Write("3");
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a")) << "the one whose time is over is none any more";
  EXPECT_EQ("v4 k=1 l: l=1", State());
  DropPoint("a", "p1");
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a"));
  EXPECT_EQ("NO_RECOVERY_POINTS", reason());
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a", ToPoint("p2")));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
}

TEST_F(PlanRestoreTest, SetsAContextBackToAVersion) {
  MakePoint("a", "p");
  for (const char *value : {"2", "3", "4", "5"}) Write(value);
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", ToVersion(4)));
  EXPECT_EQ("v6 k=4 l: l=4", State());
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", ToVersion(1))) << "a point has it";
  EXPECT_EQ("v7 k=1 l: l=1", State());
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a", ToVersion(3)));
  EXPECT_EQ("STATE_NOT_RETAINED", reason());
  EXPECT_EQ("5", detail("oldest_version"));
  EXPECT_EQ("7", detail("newest_version"));
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a", ToVersion(8)));
  EXPECT_EQ("STATE_NOT_RETAINED", reason());
  EXPECT_EQ(CX_PLAN_NOTHING, RestoreTo("a", ToVersion(7))) << "it has that state";
  EXPECT_FALSE(prepared_.moved);
}

TEST_F(PlanRestoreTest, SetsAContextBackToATime) {
  Write("2");
  Write("3");
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", ToTime(1019)));
  EXPECT_EQ("v4 k=2 l: l=2", State());
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a", ToTime(999)));
  EXPECT_EQ("STATE_NOT_RETAINED", reason());
}

TEST_F(PlanRestoreTest, SetsBackToTheStateThatAVersionHadWithThePointBeforeIt) {
  MakePoint("a", "p1");
  Write("2");
  MakePoint("a", "p2");
  Write("3");
  MakePoint("a", "p3");
  RestoreTo("a", ToVersion(2));
  MakePoint("a", "p4");
  EXPECT_EQ("4 p4 <p2 v4", Points("a")[3]);
}

TEST_F(PlanRestoreTest, KeepsTheStateBeforeAsAPoint) {
  MakePoint("a", "p1");
  Write("2");
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", ToPoint("p1", /*safety_point=*/true)));
  ASSERT_EQ(2u, Points("a").size());
  const cx_point *safety = AllPoints(Recovery("a"))[1];
  EXPECT_EQ(CX_ORIGIN_SAFETY, safety->origin);
  EXPECT_EQ("k=2", Entries(safety->state.entries));
  EXPECT_EQ("l=2", Labels(safety->state.labels));
  EXPECT_EQ(2u, safety->state.version);
  EXPECT_EQ(1u, safety->parent_sequence);
  EXPECT_EQ("v3 k=1 l: l=1", State());
  MakePoint("a", "p2");
  EXPECT_EQ("3 p2 <p1 v3", Points("a")[2]);
}

TEST_F(PlanRestoreTest, KeepsThePointThatItBringsBackWhateverThePolicy) {
  for (int i = 1; i <= 4; i++) {
    MakePoint("a", "p" + std::to_string(i));
    Write(std::to_string(i + 1));
  }
  SetPolicy("a", Policy(2, 0, 0, 1));
  RestoreTo("a", ToVersion(Find("a")->version - 1));
  EXPECT_EQ(2u, Points("a").size());
  std::string oldest = Text(cx_point_id(AllPoints(Recovery("a"))[0]));
  EXPECT_EQ(CX_PLAN_CHANGE,
            RestoreTo("a", ToPoint(Keep(oldest).size ? kept_.back().c_str() : "", true)));
  MakePoint("a", "next");
  EXPECT_EQ(2u, Points("a").size());
}

TEST_F(PlanRestoreTest, IsPreparedForTheStatesThatItIsMadeOf) {
  MakePoint("a", "p1");
  Write("2");
  cx_restore_request request = {};
  request.name = {cx_bytes_of("default"), cx_bytes_of("a")};
  request.at.point_id = cx_bytes_of("p1");
  auto plan = [&] {
    cx_plan_begin(&plan_);
    return Finish(cx_plan_restore(&plan_, &request, &prepared_));
  };
  EXPECT_EQ(CX_PLAN_NOTHING, plan());
  EXPECT_TRUE(prepared_.moved);
  EXPECT_EQ(CX_BASE_POINT, prepared_.ref.kind);
  EXPECT_EQ(1u, prepared_.ref.number);
  Prepare("a");
  Write("3");
  EXPECT_EQ(CX_PLAN_NOTHING, plan());
  EXPECT_TRUE(prepared_.moved) << "the head moved";
  Prepare("a");
  MakePoint("a", "p1", Mutations().Put("k", "other"), Replacing);
  EXPECT_EQ(CX_PLAN_NOTHING, plan());
  EXPECT_TRUE(prepared_.moved) << "the point has another state";
  Prepare("a");
  EXPECT_EQ(CX_PLAN_CHANGE, plan());
  EXPECT_FALSE(prepared_.moved);
  EXPECT_EQ("v5 k=other l: l=3", State());
}

TEST_F(PlanRestoreTest, BringsADeletedContextBackWithAllItHad) {
  Begin("s");
  Record("a", Activity("one"));
  MakePoint("a", "p1");
  Write("2");
  Acquire("s", "a", "tool");
  Update("a", Mutations().SetExpiry(50));
  plan_.now_us += 50;
  Due("a");
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a")) << "not without being told to";
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", Undeleting));
  EXPECT_EQ("v4 k=2 l: l=2", State());
  EXPECT_EQ(0, Find("a")->end_time_us) << "without expiry";
  EXPECT_EQ(List{}, Held("a")) << "and resources";
  EXPECT_EQ("1 one  ", History("a")[0]);
  EXPECT_EQ((List{"1 p1 < v1"}), Points("a"));
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a", Undeleting));
  EXPECT_EQ("CONTEXT_EXISTS", reason());
  MakePoint("a", "p2");
  EXPECT_EQ("2 p2 <p1 v4", Points("a")[1]);
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", ToVersion(2))) << "the states before it are still there";
}

TEST_F(PlanRestoreTest, BringsADeletedContextBackAtAnEarlierState) {
  for (int way = 0; way < 3; way++) {
    std::string context = "b" + std::to_string(way);
    Create(context, {}, Mutations().Put("k", "1"));
    int64_t time_us = plan_.now_us;
    MakePoint(context, "p1");
    plan_.now_us += 10;
    Update(context, Mutations().Put("k", "2"));
    Delete(context);
    EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo(context, [&](Restore *request) {
                request->undelete = true;
                request->safety_point = true;
                if (way == 0) request->at.point_id = cx_bytes_of("p1");
                if (way == 1) request->at.version = 1;
                if (way == 2) request->at.time_us = time_us + 5;
              }));
    EXPECT_EQ("v3 k=1", Head(context));
    ASSERT_EQ(2u, Points(context).size());
    EXPECT_EQ("k=2", Entries(AllPoints(Recovery(context))[1]->state.entries));
  }
}

TEST_F(PlanRestoreTest, BringsAContextBackOnlyBelowAParentThatIsThere) {
  CreateBelow("b", "a");
  MakePoint("b", "p");
  Delete("b");
  Delete("a");
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("b", [](Restore *request) {
              Undeleting(request);
              request->author.session_id = cx_bytes_of("nobody");
            }));
  EXPECT_EQ("PARENT_NOT_FOUND", reason()) << "existence is told before the session's";
  EXPECT_EQ("a", detail("parent_id"));
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", Undeleting));
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("b", Undeleting));
  EXPECT_EQ(2u, Find("b")->depth);
  EXPECT_EQ(1u, Find("a")->child_count);
  EXPECT_EQ(CX_PLAN_FAILED, Delete("a"));
  EXPECT_EQ("HAS_CHILDREN", reason());
}

TEST_F(PlanRestoreTest, FindsNothingOfWhatIsPurged) {
  MakePoint("a", "p");
  Delete("a", false, /*purge=*/true);
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a", Undeleting));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("missing", Undeleting));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  Create("b");
  MakePoint("b", "p");
  Delete("b");
  plan_.now_us += settings_.undelete_window_us;
  Due("b");
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("b", Undeleting));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
}

TEST_F(PlanRestoreTest, PointsOfADeletedContextExpireForThoseWhoAsk) {
  MakePoint("a", "p", Living(5));
  Write("2");
  Delete("a");
  EXPECT_EQ(CX_PLAN_FAILED, RestoreTo("a", [](Restore *request) {
              request->undelete = true;
              request->at.point_id = cx_bytes_of("p");
            }));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", Undeleting));
  EXPECT_EQ(List{}, Points("a")) << "dropped by now";
}

TEST_F(PlanRestoreTest, PointsGoOnWithAContextThatIsCreatedAgain) {
  MakePoint("a", "p1");
  Write("2");
  Delete("a");
  Create("a", {}, Mutations().Put("k", "new"));
  EXPECT_EQ((List{"1 p1 < v1"}), Points("a"));
  EXPECT_EQ("v3 k=new", Head("a"));
  MakePoint("a", "p2");
  EXPECT_EQ("2 p2 < v3", Points("a")[1]) << "it comes from none of them";
  EXPECT_EQ(CX_PLAN_CHANGE, RestoreTo("a", ToPoint("p1")));
  EXPECT_EQ("v4 k=1 l: l=1", State());
}

TEST_F(PlanRestoreTest, KnowsARepeatAndLooksAtTheAuthorAndPreconditions) {
  cx_precondition wrong = {CX_PRECONDITION_CONTEXT_VERSION, {}, 77};
  MakePoint("a", "p");
  Write("2");
  Begin("s");
  Activate("s", "a", Guarding);
  auto by = [&](const char *session, uint64_t fence, const char *point = "p") {
    return RestoreTo("a", [=, &wrong](Restore *request) {
      request->at.point_id = cx_bytes_of(point);
      request->author = {cx_bytes_of(session), fence};
      request->preconditions = &wrong;
      request->precondition_count = 1;
      request->request_id = cx_bytes_of("id");
    });
  };
  EXPECT_EQ(CX_PLAN_FAILED, by("nobody", 1, "missing"));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, by("nobody", 1));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, by("", 0));
  EXPECT_EQ("STALE_FENCE", reason());
  EXPECT_EQ(CX_PLAN_FAILED, by("s", 1));
  EXPECT_EQ("VERSION_CONFLICT", reason());
  wrong.version = 2;
  EXPECT_EQ(CX_PLAN_CHANGE, by("s", 1));
  EXPECT_EQ("s", Text(items_[0].session_id));
  EXPECT_EQ(CX_PLAN_NOTHING, by("s", 1));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(CX_PLAN_FAILED, by("s", 1, "other"));
  EXPECT_EQ("REQUEST_ID_REUSED", reason());
}

TEST_F(PlanRestoreTest, LeavesNoTraceWithoutMemory) {
  Record("a", Activity("one"));
  MakePoint("a", "p1");
  Update("a", Mutations().Put("k", std::string(5000, '2')).SetLabel("l", "2"));
  MakePoint("a", "p2");
  SetPolicy("a", Policy(3, 0, 0, 1));
  for (const Set<Restore> &set : {ToPoint("p2", true), ToVersion(2)}) {
    (void)PlanRestore("a", set);  // Finds out what to prepare for.
    cx_plan_end(&plan_);
    ExpectNoTraceWithoutMemory([&] {
      cx_plan_begin(&plan_);
      return cx_plan_restore(&plan_, &restore_, &prepared_);
    });
  }
  Delete("a");
  ExpectNoTraceWithoutMemory([&] { return PlanRestore("a", Undeleting); });
  ExpectNoTraceWithoutMemory([&] {
    return PlanRestore("a", [](Restore *request) {
      request->undelete = true;
      request->safety_point = true;
      request->at.version = 2;
    });
  });
  ApplyWithoutMemory(PlanRestore("a", [](Restore *request) {
    request->undelete = true;
    request->safety_point = true;
    request->at.version = 2;
  }));
  Write("3");
  ApplyWithoutMemory(PlanRestore("a", ToVersion(Find("a")->version - 1)));
}

}  // namespace
