// Plans of recovery points: what makes, replaces, changes and drops single ones.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class PlanPointTest : public RecoveryFixture {
 protected:
  PlanPointTest() { Create("a", {}, Mutations().Put("k", "1")); }

  // A tree: p1 - p2 - p3 - p4, of the states of four versions.
  void MakeChain() {
    for (int i = 1; i <= 4; i++) {
      if (i > 1) Update("a", Mutations().Put("k", std::to_string(i)));
      MakePoint("a", "p" + std::to_string(i));
    }
  }

  std::string Attachments(const std::string &id) const {
    const cx_point *point = Point("a", id);
    EXPECT_NE(nullptr, point);
    return point != nullptr ? Entries(point->attachments) : "none";
  }

  // Attachments that live as long as the test.
  const cx_attachment *Attach(const char *key, const char *value) {
    attachments_.push_back({cx_bytes_of(key), cx_bytes_of("text/plain"), cx_bytes_of(value)});
    return &attachments_.back();
  }

  Set<Make> With(const char *key, const char *value, bool replace = false) {
    const cx_attachment *attachment = Attach(key, value);
    return [=](Make *request) {
      request->attachments = attachment;
      request->attachment_count = 1;
      request->replace = replace;
    };
  }

  Set<Change> Putting(const char *key, const char *value, bool allow_missing = false) {
    const cx_attachment *attachment = Attach(key, value);
    return [=](Change *request) {
      request->put_attachments = attachment;
      request->put_attachment_count = 1;
      request->allow_missing = allow_missing;
    };
  }

  cx_label label_ = {cx_bytes_of("l"), cx_bytes_of("v")};
  std::deque<cx_attachment> attachments_;
};

TEST_F(PlanPointTest, KeepsTheStateThatTheContextHas) {
  Update("a", Mutations().Put("k", "2").SetLabel("in", "state"));
  uint64_t version = Find("a")->version;
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p", [&](Make *request) {
              request->labels = &label_;
              request->label_count = 1;
              request->ttl_us = 500;
              request->pinned = true;
            }));
  EXPECT_EQ(version, Find("a")->version);
  Update("a", Mutations().Put("k", "3").SetLabel("in", "head"));
  const cx_point *point = Point("a", "p");
  ASSERT_NE(nullptr, point);
  EXPECT_EQ("k=2", Entries(point->state.entries));
  EXPECT_EQ("in=state", Labels(point->state.labels));
  EXPECT_EQ("l=v", Labels(point->labels));
  EXPECT_EQ(version, point->state.version);
  EXPECT_EQ(1u, point->state.entry_count);
  EXPECT_EQ(2u, point->state.size_bytes);
  EXPECT_EQ(plan_.now_us + 500, point->expire_time_us);
  EXPECT_EQ(plan_.now_us, point->create_time_us);
  EXPECT_EQ(revision_ - 1, point->revision);
  EXPECT_EQ(CX_ORIGIN_CLIENT, point->origin);
  EXPECT_TRUE(point->pinned);
}

TEST_F(PlanPointTest, HasTheOneBeforeItAsParent) {
  MakeChain();
  EXPECT_EQ((List{"1 p1 < v1", "2 p2 <p1 v2", "3 p3 <p2 v3", "4 p4 <p3 v4"}), Points("a"));
}

TEST_F(PlanPointTest, OneFromAnEarlierPointHasThatAsParentAndItsState) {
  MakeChain();
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "copy", From("p2")));
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "own", Mutations().Put("x", "y"), From("p2")));
  EXPECT_EQ("5 copy <p2 v2", Points("a")[4]) << "the same state";
  EXPECT_EQ("6 own <p2 v5", Points("a")[5]) << "a version of its own";
  EXPECT_EQ("k=2", Entries(Point("a", "copy")->state.entries));
  EXPECT_EQ("k=2 x=y", Entries(Point("a", "own")->state.entries));
  EXPECT_EQ("v4 k=4", Head("a"));
  MakePoint("a", "p5");
  EXPECT_EQ("7 p5 <p4 v4", Points("a")[6]) << "the head still comes from there";
}

TEST_F(PlanPointTest, VersionsAreHandedOutOnce) {
  MakePoint("a", "p1", Mutations().Put("k", "aside"));
  MakePoint("a", "p2", Mutations().Put("k", "aside too"));
  EXPECT_EQ((List{"1 p1 < v2", "2 p2 < v3"}), Points("a"));
  Update("a", Mutations().Put("k", "2"));
  EXPECT_EQ("v4 k=2", Head("a"));
  MakePoint("a", "p3", Mutations().Put("k", "last"));
  EXPECT_EQ("3 p3 < v5", Points("a")[2]);
  Delete("a");
  RestoreTo("a", Undeleting);
  EXPECT_EQ("v6 k=2", Head("a"));
  MakePoint("a", "p4", Mutations().Put("k", "again"));
  Delete("a");
  Create("a");
  EXPECT_EQ(8u, Find("a")->version);
  MakePoint("a", "p5", Mutations().Put("k", "again"));
  Delete("a", false, /*purge=*/true);
  Create("a");
  EXPECT_EQ(10u, Find("a")->version);
}

TEST_F(PlanPointTest, MovesTheHead) {
  MakeChain();
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "moved", Mutations().Put("x", "y").SetLabel("a", "b"),
                                      [](Make *request) {
                                        request->from_point_id = cx_bytes_of("p2");
                                        request->move_head = true;
                                      }));
  EXPECT_EQ("5 moved <p2 v5", Points("a")[4]);
  EXPECT_EQ("v5 k=2 x=y", Head("a"));
  EXPECT_EQ("a=b", Labels(Find("a")->labels));
  EXPECT_EQ("k=2 x=y", Entries(Point("a", "moved")->state.entries));
  EXPECT_EQ("a=b", Labels(Point("a", "moved")->state.labels));
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "next", Mutations().Put("x", "z"), MovingHead));
  EXPECT_EQ("6 next <moved v6", Points("a")[5]);
  EXPECT_EQ("v6 k=2 x=z", Head("a"));
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "same", MovingHead));
  EXPECT_EQ("7 same <next v6", Points("a")[6]) << "nothing to move";
}

TEST_F(PlanPointTest, MovesTheHeadWithActivitiesAndAnExpiry) {
  MakeChain();
  EXPECT_EQ(CX_PLAN_CHANGE,
            MakePoint("a", "moved", Mutations().Put("x", "y").Record(Activity("n")).SetExpiry(77),
                      From("p1", true)));
  EXPECT_EQ((List{"1 n  "}), History("a"));
  EXPECT_EQ(plan_.now_us + 77, Find("a")->end_time_us);
  EXPECT_EQ(1u, Point("a", "moved")->state.past->last_sequence);
  EXPECT_EQ(nullptr, Point("a", "p1")->state.past);
}

TEST_F(PlanPointTest, TheChildrenOfOneThatIsDroppedTakeItsParent) {
  MakeChain();
  MakePoint("a", "side", From("p2"));
  EXPECT_EQ(CX_PLAN_CHANGE, DropPoint("a", "p2"));
  EXPECT_EQ((List{"1 p1 < v1", "3 p3 <p1 v3", "4 p4 <p3 v4", "5 side <p1 v2"}), Points("a"));
  DropPoint("a", "p1");
  EXPECT_EQ((List{"3 p3 < v3", "4 p4 <p3 v4", "5 side < v2"}), Points("a"));
  DropPoint("a", "p4");
  MakePoint("a", "next");
  EXPECT_EQ("6 next <p3 v4", Points("a")[2]) << "so does the head";
  DropPoint("a", "p3");
  DropPoint("a", "side");
  DropPoint("a", "next");
  EXPECT_EQ(List{}, Points("a"));
  MakePoint("a", "last");
  EXPECT_EQ((List{"7 last < v4"}), Points("a")) << "sequences are handed out once";
}

TEST_F(PlanPointTest, TheChildrenTakeWhatIsLeftOfSeveralThatAreDroppedTogether) {
  MakeChain();
  MakePoint("a", "side", From("p3"));
  SetPolicy("a", Policy(1));
  EXPECT_EQ((List{"5 side < v3"}), Points("a"));
  MakePoint("a", "next");
  EXPECT_EQ((List{"6 next < v5"}), Points("a"));
  Update("a", Mutations().Put("k", "5"));
  MakePoint("a", "child", From("next"));
  EXPECT_EQ((List{"7 child < v5"}), Points("a")) << "its parent was dropped in the same change";
}

TEST_F(PlanPointTest, ReplacesWhatAPointHasButItsSequenceAndChildren) {
  MakeChain();
  MakePoint("a", "r", With("one", "1"));
  MakePoint("a", "child", From("r"));
  plan_.now_us += 10;
  Update("a", Mutations().Put("k", "new"));
  uint64_t revision = Point("a", "r")->revision;
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "r", [&](Make *request) {
              With("two", "2", true)(request);
              request->labels = &label_;
              request->label_count = 1;
              request->ttl_us = 50;
            }));
  const cx_point *point = Point("a", "r");
  EXPECT_EQ("5 r <p4 v5", Points("a")[4]);
  EXPECT_EQ("6 child <r v4", Points("a")[5]);
  EXPECT_EQ("one=1 two=2", Attachments("r")) << "those that are not given anew stay";
  EXPECT_EQ("l=v", Labels(point->labels));
  EXPECT_EQ("k=new", Entries(point->state.entries));
  EXPECT_EQ(plan_.now_us + 50, point->expire_time_us);
  EXPECT_EQ(revision, point->revision);
  EXPECT_EQ(plan_.now_us - 10, point->create_time_us);
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "r", With("one", "3", true)));
  EXPECT_EQ("one=3 two=2", Attachments("r"));
  EXPECT_EQ(0, Point("a", "r")->expire_time_us);
  EXPECT_EQ("", Labels(Point("a", "r")->labels));
}

TEST_F(PlanPointTest, ReplacesAPointByItsOwnStateWithChanges) {
  MakeChain();
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p2", Mutations().Put("x", "y"), [](Make *request) {
              request->from_point_id = cx_bytes_of("p2");
              request->replace = true;
            }));
  EXPECT_EQ("2 p2 <p1 v5", Points("a")[1]);
  EXPECT_EQ("k=2 x=y", Entries(Point("a", "p2")->state.entries));
  EXPECT_EQ("v4 k=4", Head("a"));
}

TEST_F(PlanPointTest, ReplacesOneThatIsNotThereByMakingIt) {
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p", Replacing));
  EXPECT_EQ((List{"1 p < v1"}), Points("a"));
}

TEST_F(PlanPointTest, RefusesAnIdThatIsThere) {
  MakePoint("a", "p", Pinned);
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "p"));
  EXPECT_EQ("RECOVERY_POINT_EXISTS", reason());
  EXPECT_EQ("1", detail("sequence"));
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "p", Replacing));
  EXPECT_EQ("RECOVERY_POINT_PINNED", reason());
  ChangePoint("a", "p", [](Change *request) { request->pin = CX_PIN_OFF; });
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p", Replacing));
}

TEST_F(PlanPointTest, RefusesWhatIsNotThere) {
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "p", From("missing")));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
  EXPECT_EQ("", detail("oldest_id"));
  MakePoint("a", "p");
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "q", From("missing")));
  EXPECT_EQ("p", detail("oldest_id"));
  EXPECT_EQ(CX_PLAN_FAILED, DropPoint("a", "missing"));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, ChangePoint("a", "missing"));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
  for (const char *context : {"missing", "deleted"}) {
    Create("deleted");
    MakePoint("deleted", "p");
    Delete("deleted");
    EXPECT_EQ(CX_PLAN_FAILED, MakePoint(context, "q"));
    EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
    EXPECT_EQ(CX_PLAN_FAILED, DropPoint(context, "p"));
    EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
    EXPECT_EQ(CX_PLAN_FAILED, ChangePoint(context, "p"));
    EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  }
}

TEST_F(PlanPointTest, MakesTheContextThatIsMissing) {
  cx_new_context properties = {};
  properties.labels = &label_;
  properties.label_count = 1;
  auto creating = [&](Make *request) { request->create_if_missing = &properties; };
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("b", "p", creating));
  EXPECT_EQ((List{"1 p < v1"}), Points("b"));
  EXPECT_EQ("l=v", Labels(Point("b", "p")->state.labels));
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("c", "p", Mutations().Put("x", "y"), [&](Make *request) {
              creating(request);
              request->move_head = true;
            }));
  EXPECT_EQ("v1 x=y", Head("c"));
  EXPECT_EQ((List{"1 p < v1"}), Points("c"));
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("d", "p", Mutations().Put("x", "y"), creating));
  EXPECT_EQ("v1 ", Head("d"));
  EXPECT_EQ((List{"1 p < v2"}), Points("d"));
  EXPECT_EQ("x=y", Entries(Point("d", "p")->state.entries));
  EXPECT_EQ("l=v", Labels(Point("d", "p")->state.labels));
  EXPECT_EQ(plan_.now_us, Point("d", "p")->state.create_time_us);
  EXPECT_EQ(plan_.now_us, Point("d", "p")->state.update_time_us);
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("b", "q", creating)) << "it is there";
}

TEST_F(PlanPointTest, MakesAContextAnewThatStillHasPoints) {
  const cx_new_context properties = {};
  auto creating = [&](Make *request) { request->create_if_missing = &properties; };
  MakeChain();
  Delete("a");
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "aside", Mutations().Put("x", "y"), creating));
  EXPECT_EQ("v5 ", Head("a"));
  EXPECT_EQ(5u, Points("a").size());
  EXPECT_EQ("5 aside < v6", Points("a")[4]) << "it comes from none of those before";
  EXPECT_EQ("x=y", Entries(Point("a", "aside")->state.entries));
  Delete("a");
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "p1", creating));
  EXPECT_EQ("RECOVERY_POINT_EXISTS", reason());
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p1", [&](Make *request) {
              creating(request);
              request->replace = true;
            }));
  EXPECT_EQ("1 p1 < v7", Points("a")[0]);
  EXPECT_EQ("v7 ", Head("a"));
}

TEST_F(PlanPointTest, MakesAPointAgainWhoseTimeIsOverWithItsContext) {
  const cx_new_context properties = {};
  auto creating = [&](Make *request) { request->create_if_missing = &properties; };
  MakePoint("a", "p", Living(10));
  ChangePoint("a", "p", Putting("old", "x"));
  MakePoint("a", "q", Living(5));
  MakePoint("a", "r");
  Delete("a");
  plan_.now_us += 10;
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p", creating));
  EXPECT_EQ((List{"3 r < v1", "4 p < v2"}), Points("a"));
  EXPECT_EQ("", Attachments("p"));
}

TEST_F(PlanPointTest, BeginsFromNoPointOfAContextThatIsNotThere) {
  const cx_new_context properties = {};
  MakeChain();
  Delete("a");
  for (bool move_head : {false, true}) {
    for (const Mutations &mutations : {Mutations(), Mutations().Put("x", "y")}) {
      for (const char *context : {"a", "missing"}) {
        EXPECT_EQ(CX_PLAN_FAILED, MakePoint(context, "new", mutations, [&](Make *request) {
                    From("p2", move_head)(request);
                    request->create_if_missing = &properties;
                  }));
        EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
      }
    }
  }
}

TEST_F(PlanPointTest, NamesWhatItMakesByItselfLikeNothingThatIsThere) {
  cx_new_context properties = {};
  properties.policy = Policy(100, 0, 0, 1);
  auto creating = [&](Make *request) { request->create_if_missing = &properties; };
  const Mutations aside = Mutations().Put("x", "y");
  ASSERT_EQ(CX_PLAN_CHANGE, MakePoint("b", "client's", aside, creating));
  ASSERT_EQ(2u, Points("b").size()) << "the client's, and the policy's";
  std::string taken = Text(cx_point_id(AllPoints(Recovery("b"))[1]));
  ASSERT_EQ(CX_PLAN_CHANGE, MakePoint("c", taken, aside, creating));
  EXPECT_EQ(2u, Points("c").size());
}

TEST_F(PlanPointTest, ChangesWhatLiesBesideTheState) {
  MakeChain();
  const cx_label labels[] = {{cx_bytes_of("x"), cx_bytes_of("1")},
                             {cx_bytes_of("y"), cx_bytes_of("2")}};
  ChangePoint("a", "p2", [&](Change *request) {
    request->set_labels = labels;
    request->set_label_count = 2;
    request->ttl_us = 40;
    request->pin = CX_PIN_ON;
  });
  const cx_point *point = Point("a", "p2");
  EXPECT_EQ("x=1 y=2", Labels(point->labels));
  EXPECT_EQ(plan_.now_us + 40, point->expire_time_us);
  EXPECT_TRUE(point->pinned);
  plan_.now_us += 1;
  const cx_bytes gone[] = {cx_bytes_of("x"), cx_bytes_of("missing")};
  ChangePoint("a", "p2", [&](Change *request) {
    request->set_labels = &label_;
    request->set_label_count = 1;
    request->delete_labels = gone;
    request->delete_label_count = 2;
  });
  point = Point("a", "p2");
  EXPECT_EQ("l=v y=2", Labels(point->labels));
  EXPECT_EQ(plan_.now_us + 39, point->expire_time_us) << "as it is";
  EXPECT_TRUE(point->pinned);
  EXPECT_EQ("2 p2 <p1 v2", Points("a")[1]);
  EXPECT_EQ("k=2", Entries(point->state.entries));
  ChangePoint("a", "p2", [](Change *request) { request->clear_expiry = true; });
  EXPECT_EQ(0, Point("a", "p2")->expire_time_us);
}

TEST_F(PlanPointTest, ChangesAttachments) {
  MakePoint("a", "p", With("one", "1"));
  const cx_attachment added[] = {*Attach("one", "not taken"), *Attach("two", "2")};
  ChangePoint("a", "p", [&](Change *request) {
    request->add_attachments = added;
    request->add_attachment_count = 2;
  });
  EXPECT_EQ("one=1 two=2", Attachments("p"));
  EXPECT_EQ(2u, Point("a", "p")->attachment_count);
  const cx_bytes gone[] = {cx_bytes_of("one"), cx_bytes_of("missing")};
  ChangePoint("a", "p", [&](Change *request) {
    Putting("two", "3")(request);
    request->delete_attachments = gone;
    request->delete_attachment_count = 2;
  });
  EXPECT_EQ("two=3", Attachments("p"));
  EXPECT_EQ(1u, Point("a", "p")->attachment_count);
}

TEST_F(PlanPointTest, KeepsAttachmentsForAPointThatIsStillToBeMade) {
  EXPECT_EQ(CX_PLAN_FAILED, ChangePoint("a", "p", Putting("one", "1")));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_CHANGE, ChangePoint("a", "p", Putting("one", "1", true)));
  EXPECT_EQ(CX_PLAN_CHANGE, ChangePoint("a", "p", Putting("two", "2", true)));
  EXPECT_EQ(1u, Recovery("a").pending_count);
  EXPECT_EQ(List{}, Points("a"));
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "other"));
  EXPECT_EQ("", Attachments("other"));
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p", With("two", "3")));
  EXPECT_EQ("one=1 two=3", Attachments("p"));
  EXPECT_EQ(2u, Point("a", "p")->attachment_count);
  EXPECT_EQ(0u, Recovery("a").pending_count);
  EXPECT_EQ(CX_PLAN_CHANGE, ChangePoint("a", "p", Putting("one", "5", true)));
  EXPECT_EQ("one=5 two=3", Attachments("p")) << "it is there";
  EXPECT_EQ(CX_PLAN_FAILED, ChangePoint("a", "q", [&](Change *request) {
              Putting("one", "1", true)(request);
              request->pin = CX_PIN_ON;
            }));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason()) << "nothing else is kept";
}

TEST_F(PlanPointTest, NothingIsPendingWhereNoAttachmentIsLeft) {
  const cx_bytes gone[] = {cx_bytes_of("one"), cx_bytes_of("two")};
  auto deleting = [&](Change *request) {
    request->allow_missing = true;
    request->delete_attachments = gone;
    request->delete_attachment_count = 2;
  };
  ASSERT_EQ(CX_PLAN_CHANGE, ChangePoint("a", "p", deleting));
  EXPECT_EQ(0u, Recovery("a").pending_count) << "there was nothing";
  ChangePoint("a", "p", Putting("one", "1", true));
  ChangePoint("a", "p", Putting("two", "2", true));
  EXPECT_EQ(1u, Recovery("a").pending_count);
  ASSERT_EQ(CX_PLAN_CHANGE, ChangePoint("a", "p", deleting));
  EXPECT_EQ(0u, Recovery("a").pending_count);
  EXPECT_EQ(nullptr, cx_tree_get(&cx_pending_class, &Recovery("a").pending, cx_bytes_of("p")));
  MakePoint("a", "p");
  EXPECT_EQ("", Attachments("p"));
}

TEST_F(PlanPointTest, PendingAttachmentsOutliveADelete) {
  ChangePoint("a", "p", Putting("one", "1", true));
  Delete("a");
  RestoreTo("a", Undeleting);
  MakePoint("a", "p");
  EXPECT_EQ("one=1", Attachments("p"));
  ChangePoint("a", "q", Putting("two", "2", true));
  Delete("a");
  Create("a");
  MakePoint("a", "q");
  EXPECT_EQ("two=2", Attachments("q"));
}

TEST_F(PlanPointTest, BoundsWhatIsPendingAndAttached) {
  for (size_t i = 0; i < CX_PENDING_POINTS_MAX; i++) {
    ASSERT_EQ(CX_PLAN_CHANGE, ChangePoint("a", std::to_string(i), Putting("k", "v", true)));
  }
  EXPECT_EQ(CX_PLAN_FAILED, ChangePoint("a", "more", Putting("k", "v", true)));
  EXPECT_EQ("pending_points_max", detail("limit"));
  auto deletes_only = [](Change *request) {
    static const cx_bytes key = cx_bytes_of("k");
    request->delete_attachments = &key;
    request->delete_attachment_count = 1;
    request->allow_missing = true;
  };
  EXPECT_EQ(CX_PLAN_CHANGE, ChangePoint("a", "more", deletes_only)) << "keeps nothing";
  EXPECT_EQ(CX_PLAN_CHANGE, ChangePoint("a", "7", Putting("l", "v", true)));
  std::vector<cx_attachment> many;
  for (size_t i = 0; i <= CX_ATTACHMENTS_MAX; i++) {
    many.push_back({Keep("key" + std::to_string(i)), {}, {}});
  }
  auto with_many = [&](Make *request) {
    request->attachments = many.data();
    request->attachment_count = many.size();
  };
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "p", with_many));
  EXPECT_EQ("attachments_max", detail("limit"));
  many.pop_back();
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p", with_many));
  EXPECT_EQ(CX_PLAN_FAILED, ChangePoint("a", "p", Putting("k", "v")));
  EXPECT_EQ("attachments_max", detail("limit"));
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "7", with_many)) << "with those that came before";
  plan_.value_size_max = 3;
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "q", With("k", "four")));
  EXPECT_EQ("value_size_max", detail("limit"));
}

TEST_F(PlanPointTest, KnowsARepeat) {
  auto make = [](Make *request) { request->request_id = cx_bytes_of("make"); };
  auto change = [](Change *request) {
    request->request_id = cx_bytes_of("change");
    request->pin = CX_PIN_ON;
  };
  auto drop = [](cx_delete_point_request *request) { request->request_id = cx_bytes_of("drop"); };
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p", make));
  EXPECT_EQ(CX_PLAN_NOTHING, MakePoint("a", "p", make));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "q", make));
  EXPECT_EQ("REQUEST_ID_REUSED", reason());
  EXPECT_EQ(CX_PLAN_CHANGE, ChangePoint("a", "p", change));
  EXPECT_EQ(CX_PLAN_NOTHING, ChangePoint("a", "p", change));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(CX_PLAN_CHANGE, Finish(PlanDrop("a", "p", drop)));
  EXPECT_EQ(CX_PLAN_NOTHING, Finish(PlanDrop("a", "p", drop)));
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(CX_PLAN_NOTHING, MakePoint("a", "p", make));
  EXPECT_TRUE(replayed_) << "also when it is gone";
}

TEST_F(PlanPointTest, LooksAtExistenceThenTheAuthorThenPreconditions) {
  cx_precondition wrong = {CX_PRECONDITION_CONTEXT_VERSION, {}, 77};
  auto all_wrong = [&](Make *request) {
    request->from_point_id = cx_bytes_of("missing");
    request->author = {cx_bytes_of("nobody"), 9};
    request->preconditions = &wrong;
    request->precondition_count = 1;
  };
  MakePoint("a", "p");
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("missing", "q", all_wrong));
  EXPECT_EQ("CONTEXT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "q", all_wrong));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
  auto found = [&](Make *request) {
    all_wrong(request);
    request->from_point_id = cx_bytes_of("p");
  };
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "p", found));
  EXPECT_EQ("RECOVERY_POINT_EXISTS", reason());
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "q", found));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
  Begin("nobody");
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "q", found));
  EXPECT_EQ("STALE_FENCE", reason());
  Activate("nobody", "a", Guarding);
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "q"));
  EXPECT_EQ("STALE_FENCE", reason()) << "guarded";
  EXPECT_EQ(CX_PLAN_FAILED, DropPoint("a", "p"));
  EXPECT_EQ("STALE_FENCE", reason());
  EXPECT_EQ(CX_PLAN_FAILED, ChangePoint("a", "p"));
  EXPECT_EQ("STALE_FENCE", reason());
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("a", "q", [&](Make *request) {
              found(request);
              request->author.fence = 1;
            }));
  EXPECT_EQ("VERSION_CONFLICT", reason());
  wrong.version = 1;
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "q", [&](Make *request) {
              found(request);
              request->author.fence = 1;
            }));
  EXPECT_EQ("nobody", Text(items_[0].session_id));
}

TEST_F(PlanPointTest, LooksForThePointThatIsChangedBeforeTheAuthor) {
  auto by_nobody = [](auto *request) { request->author.session_id = cx_bytes_of("nobody"); };
  MakePoint("a", "p");
  EXPECT_EQ(CX_PLAN_FAILED, ChangePoint("a", "missing", by_nobody));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, ChangePoint("a", "p", by_nobody));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, ChangePoint("a", "missing", [&](Change *request) {
              by_nobody(request);
              request->allow_missing = true;
            }));
  EXPECT_EQ("SESSION_NOT_FOUND", reason()) << "it may be missing";
  EXPECT_EQ(CX_PLAN_FAILED, PlanDrop("a", "missing", by_nobody));
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, PlanDrop("a", "p", by_nobody));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
}

TEST_F(PlanPointTest, LooksForTheParentOfAMissingContextBeforeTheAuthorAndLimits) {
  Mutations many;
  std::deque<std::string> keys;
  for (size_t i = 0; i <= CX_LABELS_MAX; i++) {
    many.SetLabel(keys.emplace_back("l" + std::to_string(i)).c_str(), "v");
  }
  cx_new_context properties = {};
  properties.parent_id = cx_bytes_of("parent");
  auto creating = [&](Make *request) { request->create_if_missing = &properties; };
  auto by_nobody = [&](Make *request) {
    creating(request);
    request->author.session_id = cx_bytes_of("nobody");
  };
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("b", "p", many, by_nobody));
  EXPECT_EQ("PARENT_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("b", "p", many, creating));
  EXPECT_EQ("PARENT_NOT_FOUND", reason());
  Create("parent");
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("b", "p", many, by_nobody));
  EXPECT_EQ("SESSION_NOT_FOUND", reason());
  EXPECT_EQ(CX_PLAN_FAILED, MakePoint("b", "p", many, creating));
  EXPECT_EQ("LIMIT_REACHED", reason());
}

TEST_F(PlanPointTest, HasOneDroppedFirstWhoseTimeIsOver) {
  cx_name_key key = NameKey("a");
  MakePoint("a", "p", Living(10));
  MakePoint("a", "q");
  plan_.now_us += 10;
  for (int i = 0; i < 4; i++) {
    cx_plan_result result = i == 0   ? MakePoint("a", "p")
                            : i == 1 ? MakePoint("a", "r", From("p"))
                            : i == 2 ? DropPoint("a", "p")
                                     : ChangePoint("a", "p");
    EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, result);
    EXPECT_EQ(key.hash, plan_.expired.hash);
    EXPECT_FALSE(plan_.expired_is_session);
  }
  EXPECT_EQ(CX_PLAN_CHANGE, Due("a"));
  EXPECT_EQ((List{"2 q < v1"}), Points("a"));
  EXPECT_TRUE(items_[0].point_count == 1);
  EXPECT_EQ(CX_PLAN_CHANGE, MakePoint("a", "p"));
  EXPECT_EQ((List{"2 q < v1", "3 p <q v1"}), Points("a"));
}

TEST_F(PlanPointTest, KeepsWhereTheHistoryStood) {
  Record("a", Activity("one"));
  MakePoint("a", "p1");
  Record("a", Activity("two"));
  MakePoint("a", "p2");
  EXPECT_EQ(1u, Point("a", "p1")->state.past->history_count);
  EXPECT_EQ(2u, Point("a", "p2")->state.past->history_count);
}

TEST_F(PlanPointTest, LeavesNoTraceWithoutMemory) {
  const cx_new_context properties = {};
  auto creating = [&](Make *request) { request->create_if_missing = &properties; };
  MakeChain();
  Record("a", Activity("one"));
  ChangePoint("a", "q", Putting("one", "1", true));
  SetPolicy("a", Policy(4));
  auto full = [&](Make *request) {
    With("two", "2")(request);
    request->labels = &label_;
    request->label_count = 1;
    request->ttl_us = 5;
    request->request_id = cx_bytes_of("id");
  };
  const Mutations mutations = Mutations().Put("x", std::string(5000, 'x')).SetLabel("a", "b");
  ExpectNoTraceWithoutMemory([&] { return PlanMake("a", "q", {}, full); });
  ExpectNoTraceWithoutMemory([&] { return PlanMake("a", "q", mutations, full); });
  ExpectNoTraceWithoutMemory([&] {
    return PlanMake("a", "q", mutations, [&](Make *request) {
      full(request);
      From("p2", true)(request);
    });
  });
  ExpectNoTraceWithoutMemory([&] {
    return PlanMake("a", "p2", mutations, [&](Make *request) {
      full(request);
      request->replace = true;
    });
  });
  ExpectNoTraceWithoutMemory([&] { return PlanMake("a", "p2", {}, Replacing); });
  ExpectNoTraceWithoutMemory([&] { return PlanMake("b", "p", mutations, creating); });
  ExpectNoTraceWithoutMemory([&] { return PlanDrop("a", "p2"); });
  ExpectNoTraceWithoutMemory([&] {
    return PlanChangePoint("a", "p2", [&](Change *request) {
      Putting("x", "y")(request);
      request->set_labels = &label_;
      request->set_label_count = 1;
      request->ttl_us = 7;
    });
  });
  ExpectNoTraceWithoutMemory([&] { return PlanChangePoint("a", "r", Putting("x", "y", true)); });
  ExpectNoTraceWithoutMemory([&] { return PlanChangePoint("a", "q", Putting("x", "y", true)); });
  Delete("a");
  ExpectNoTraceWithoutMemory([&] { return PlanMake("a", "new", mutations, creating); });
}

TEST_F(PlanPointTest, AppliesWithoutMemory) {
  MakeChain();
  ChangePoint("a", "q", Putting("one", "1", true));
  SetPolicy("a", Policy(4));
  ApplyWithoutMemory(PlanMake("a", "q", Mutations().Put("x", "y"), From("p2", true)));
  ApplyWithoutMemory(PlanMake("a", "r", Mutations().Put("x", "y"), Living(5)));
  ApplyWithoutMemory(PlanMake("a", "r", Mutations().Put("x", "y"), Replacing));
  ApplyWithoutMemory(PlanChangePoint("a", "p4", Putting("x", "y")));
  ApplyWithoutMemory(PlanDrop("a", "p4"));
}

}  // namespace
