// Recovery points one by one, as clients meet them: what is kept, what it is made from, what may
// be changed of it, and what a repeat is told.

#include "tests/unit/engine/recovery_fixture.h"

namespace {

class EnginePointTest : public RecoveryFixture {
 protected:
  EnginePointTest() { EXPECT_EQ(CX_OK, Open()); }
};

TEST_F(EnginePointTest, KeepsTheStateOfItsMomentWhateverComesLater) {
  Upsert("c", Mutations().Put("k", "1").SetLabel("phase", "early"));
  Pointed made = MakePoint("c", NewPoint("p").Label("by", "me").Attach("a", "beside"));
  ASSERT_EQ(CX_OK, made.status) << made.error.message;
  EXPECT_EQ(1u, made.write.version) << "of the context: a point of the head makes no version";
  Update("c", Mutations().Put("k", "2").Put("l", "2").DeleteLabel("phase"));
  Pointed got = GetPoint("c", "p");
  ASSERT_EQ(CX_OK, got.status);
  EXPECT_EQ((Texts{{"k", "1"}}), got.point.state.entries);
  EXPECT_EQ((Texts{{"phase", "early"}}), got.point.state.labels);
  EXPECT_EQ(1u, got.point.state.version);
  EXPECT_EQ(1u, got.point.sequence);
  EXPECT_EQ("", got.point.parent_id);
  EXPECT_EQ(made.write.revision, got.point.revision);
  EXPECT_EQ((Texts{{"by", "me"}}), got.point.labels);
  EXPECT_EQ((Texts{{"a", "beside"}}), got.point.attachments);
  ReopenTheSame();
  EXPECT_EQ((Texts{{"k", "1"}}), GetPoint("c", "p").point.state.entries);
}

TEST_F(EnginePointTest, MakesUpAnIdThatIsTheSameForTheSameRequest) {
  Upsert("c", Mutations().Put("k", "1"));
  Pointed made = MakePoint("c", NewPoint().Request("r1"));
  ASSERT_EQ(CX_OK, made.status);
  EXPECT_EQ(32u, made.point.id.size());
  Pointed again = MakePoint("c", NewPoint().Request("r1"));
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(made.point.id, again.point.id);
  EXPECT_EQ(made.write.revision, again.write.revision);
  EXPECT_NE(made.point.id, MakePoint("c", NewPoint()).point.id);
  EXPECT_EQ(2u, PointsOf("c").size());
}

TEST_F(EnginePointTest, ARepeatIsKnownAfterARestartAndToldWithoutAPointThatIsGone) {
  Upsert("c", Mutations().Put("k", "1"));
  Pointed made = MakePoint("c", NewPoint("p").Request("r1"));
  Reopen();
  Pointed again = MakePoint("c", NewPoint("p").Request("r1"));
  ASSERT_EQ(CX_OK, again.status) << again.error.message;
  EXPECT_TRUE(again.write.replayed);
  EXPECT_EQ(made.write.revision, again.write.revision);
  EXPECT_TRUE(again.there);
  EXPECT_EQ("REQUEST_ID_REUSED", MakePoint("c", NewPoint("q").Request("r1")).reason());
  ASSERT_EQ(CX_OK, DropPoint("c", "p", "r2").status);
  EXPECT_TRUE(DropPoint("c", "p", "r2").write.replayed);
  again = MakePoint("c", NewPoint("p").Request("r1"));
  EXPECT_EQ(CX_OK, again.status);
  EXPECT_TRUE(again.write.replayed);
  EXPECT_FALSE(again.there) << "it is not made anew";
  EXPECT_GE(again.write.wait_for, Get("c").revision) << "that it is gone must be durable too";
}

TEST_F(EnginePointTest, ARepeatIsToldOfItsOwnPointAndNotOfAnotherOneOfItsId) {
  Upsert("c", Mutations().Put("k", "1"));
  MakePoint("c", NewPoint("p").Request("r1"));
  MakePoint("c", NewPoint("p").Replace().Request("r2"));
  EXPECT_TRUE(MakePoint("c", NewPoint("p").Request("r1")).there)
      << "replaced, it is still the same";
  EXPECT_TRUE(MakePoint("c", NewPoint("p").Replace().Request("r2")).there);
  ASSERT_EQ(CX_OK, DropPoint("c", "p").status);
  MakePoint("c", "p");
  for (int i = 0; i < 2; i++) {
    Pointed again = MakePoint("c", NewPoint("p").Request("r1"));
    EXPECT_TRUE(again.write.replayed);
    EXPECT_FALSE(again.there) << "what it made is gone";
    EXPECT_FALSE(MakePoint("c", NewPoint("p").Replace().Request("r2")).there);
    ReopenTheSame();
  }
}

TEST_F(EnginePointTest, ARepeatIsToldThatItsContextIsForgottenOnceThatIsDurable) {
  options_.settings.tombstone_window_us = options_.settings.undelete_window_us = kSecond;
  Reopen();
  Upsert("c", Mutations().Put("k", "1"));
  MakePoint("c", NewPoint("p").Request("r1"));
  PointUpdate update;
  update.set_labels = {{"l", "v"}};
  UpdatePoint("c", "p", update, "r2");
  uint64_t forgotten = Lose("c");
  for (const Pointed &again :
       {MakePoint("c", NewPoint("p").Request("r1")), UpdatePoint("c", "p", update, "r2")}) {
    EXPECT_TRUE(again.write.replayed);
    EXPECT_FALSE(again.there);
    EXPECT_EQ(forgotten, again.write.wait_for);
  }
}

TEST_F(EnginePointTest, BeginsFromAPointWhichBecomesItsParent) {
  Upsert("c", Mutations().Put("k", "1"));
  MakePoint("c", "a");
  Update("c", Mutations().Put("k", "2"));
  MakePoint("c", "b");
  Pointed beside = MakePoint("c", NewPoint("a2").From("a").With(Mutations().Put("l", "x")));
  ASSERT_EQ(CX_OK, beside.status) << beside.error.message;
  EXPECT_EQ("a", beside.point.parent_id);
  EXPECT_EQ((Texts{{"k", "1"}, {"l", "x"}}), beside.point.state.entries);
  EXPECT_EQ(3u, beside.point.state.version) << "one of its own";
  EXPECT_EQ(2u, beside.write.version) << "the head stays";
  EXPECT_EQ((Texts{{"k", "2"}}), Get("c").entries);
  EXPECT_EQ("b", MakePoint("c", "c").point.parent_id);
  Update("c", Mutations().Put("k", "3"));
  EXPECT_EQ(4u, Get("c").version) << "no other state has the point's version";
  ReopenTheSame();
}

TEST_F(EnginePointTest, MovesTheHeadToThePointInTheSameChange) {
  Upsert("c", Mutations().Put("k", "1").SetLabel("x", "1"));
  MakePoint("c", "a");
  Update("c", Mutations().Put("k", "2").Put("m", "2").SetLabel("x", "2"));
  Pointed moved = MakePoint(
      "c", NewPoint("b").From("a").With(Mutations().Put("l", "y").SetLabel("z", "1")).MoveHead());
  ASSERT_EQ(CX_OK, moved.status) << moved.error.message;
  Found head = Get("c");
  EXPECT_EQ((Texts{{"k", "1"}, {"l", "y"}}), head.entries);
  EXPECT_EQ((Texts{{"x", "1"}, {"z", "1"}}), head.labels);
  EXPECT_EQ(3u, head.version);
  EXPECT_EQ(head.version, moved.point.state.version);
  EXPECT_EQ(head.entries, moved.point.state.entries);
  EXPECT_EQ("a", moved.point.parent_id);
  EXPECT_EQ((Texts{{"k", "2"}, {"m", "2"}}), GetVersion("c", 2).entries);
  ReopenTheSame();
}

TEST_F(EnginePointTest, WithoutMoveHeadTheMutationsAreThePointsAlone) {
  Upsert("c", Mutations().Put("k", "1"));
  Pointed made = MakePoint("c", NewPoint("p").With(Mutations().Put("k", "2").Delete("none")));
  ASSERT_EQ(CX_OK, made.status) << made.error.message;
  EXPECT_EQ((Texts{{"k", "2"}}), made.point.state.entries);
  EXPECT_EQ((Texts{{"k", "1"}}), Get("c").entries);
}

TEST_F(EnginePointTest, CreatesTheContextWhereThatIsAsked) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", MakePoint("c", "p").reason());
  Pointed made = MakePoint("c", NewPoint("p").Create().With(Mutations().Put("k", "1")).MoveHead());
  ASSERT_EQ(CX_OK, made.status) << made.error.message;
  EXPECT_EQ((Texts{{"k", "1"}}), Get("c").entries);
  EXPECT_EQ(1u, made.write.version);
  EXPECT_EQ((Texts{{"k", "1"}}), GetPoint("c", "p").point.state.entries);
  made = MakePoint("d", NewPoint("p").Create().With(Mutations().Put("k", "1")));
  ASSERT_EQ(CX_OK, made.status) << made.error.message;
  EXPECT_EQ((Texts{}), Get("d").entries) << "without move_head the head stays";
  EXPECT_EQ((Texts{{"k", "1"}}), GetPoint("d", "p").point.state.entries);
  ReopenTheSame();
}

TEST_F(EnginePointTest, RefusesInTheOrderOfTheRules) {
  Upsert("c", Mutations().Put("k", "1"));
  MakePoint("c", NewPoint("p").Pinned());
  EXPECT_EQ("RECOVERY_POINT_EXISTS", MakePoint("c", NewPoint("p").If(9)).reason());
  EXPECT_EQ("1", MakePoint("c", "p").detail("sequence"));
  EXPECT_EQ("RECOVERY_POINT_PINNED", MakePoint("c", NewPoint("p").Replace()).reason());
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", MakePoint("c", NewPoint("q").From("x")).reason());
  EXPECT_EQ("p", MakePoint("c", NewPoint("q").From("x")).detail("oldest_id"));
  EXPECT_EQ("VERSION_CONFLICT", MakePoint("c", NewPoint("q").If(9)).reason());
  EXPECT_EQ(Ids{"p"}, PointsOf("c"));
}

TEST_F(EnginePointTest, AReplacedPointKeepsSequenceChildrenAndAttachmentsThatAreNotGivenAnew) {
  Upsert("c", Mutations().Put("k", "1"));
  MakePoint("c", NewPoint("a").Attach("x", "1").Attach("y", "1").Label("old", "1").Ttl(kSecond));
  Update("c", Mutations().Put("k", "2"));
  MakePoint("c", "b");
  Pointed replaced = MakePoint("c", NewPoint("a").Replace().Attach("y", "2").Label("new", "1"));
  ASSERT_EQ(CX_OK, replaced.status) << replaced.error.message;
  EXPECT_EQ(1u, replaced.point.sequence);
  EXPECT_EQ((Texts{{"k", "2"}}), replaced.point.state.entries);
  EXPECT_EQ((Texts{{"x", "1"}, {"y", "2"}}), replaced.point.attachments);
  EXPECT_EQ((Texts{{"new", "1"}}), replaced.point.labels);
  EXPECT_EQ(0, replaced.point.expire_time_us);
  EXPECT_EQ("a", GetPoint("c", "b").point.parent_id);
  EXPECT_EQ((Ids{"b", "a"}), PointsOf("c"));
  ReopenTheSame();
}

TEST_F(EnginePointTest, WithoutAnIdTheNewestIsGot) {
  Upsert("c", Mutations().Put("k", "1"));
  EXPECT_EQ("NO_RECOVERY_POINTS", GetPoint("c").reason());
  MakePoint("c", "a");
  MakePoint("c", NewPoint("b").Ttl(kSecond));
  EXPECT_EQ("b", GetPoint("c").point.id);
  clock_.now_us += kSecond;
  EXPECT_EQ("a", GetPoint("c").point.id) << "the newest whose time is not over";
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", GetPoint("c", "b").reason());
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", GetPoint("c", "none").reason());
  EXPECT_EQ("CONTEXT_NOT_FOUND", GetPoint("none").reason());
}

TEST_F(EnginePointTest, ReadsAreToldWithTheRevisionTheyWereDerivedFrom) {
  Upsert("c", Mutations().Put("k", "1"));
  Pointed made = MakePoint("c", "p");
  EXPECT_EQ(made.write.revision, GetPoint("c", "p").write.wait_for);
  Outcome dropped = DropPoint("c", "p");
  EXPECT_EQ(dropped.write.revision, GetPoint("c", "p").write.wait_for) << "absences too";
  Outcome deleted = Delete("c");
  EXPECT_GE(GetPoint("c", "p").write.wait_for, deleted.write.revision);
  EXPECT_GE(GetPoint("none", "p").write.wait_for, 0u);
}

TEST_F(EnginePointTest, PointsOfADeletedContextAreReadUntilItCannotBeBroughtBack) {
  Upsert("c", Mutations().Put("k", "1"));
  MakePoint("c", "p");
  Delete("c");
  EXPECT_EQ((Texts{{"k", "1"}}), GetPoint("c", "p").point.state.entries);
  EXPECT_EQ("p", GetPoint("c").point.id);
  EXPECT_EQ(Ids{"p"}, PointsOf("c"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", MakePoint("c", "q").reason());
  EXPECT_EQ("CONTEXT_NOT_FOUND", DropPoint("c", "p").reason());
  clock_.now_us += options_.settings.undelete_window_us + 1;
  Step();
  EXPECT_EQ("CONTEXT_NOT_FOUND", GetPoint("c", "p").reason());
}

TEST_F(EnginePointTest, AnUpdateChangesWhatLiesBesideAndNeverTheState) {
  Upsert("c", Mutations().Put("k", "1"));
  MakePoint("c", NewPoint("p").Label("a", "1").Label("b", "1").Attach("x", "1").Attach("y", "1"));
  Update("c", Mutations().Put("k", "2"));
  PointUpdate update;
  update.set_labels = {{"a", "2"}, {"c", "3"}};
  update.delete_labels = {"b"};
  update.put = {{"x", "2"}};
  update.add = {{"z", "3"}};
  update.delete_attachments = {"y"};
  update.ttl_us = 5 * kSecond;
  update.pin = CX_PIN_ON;
  Pointed changed = UpdatePoint("c", "p", update, "r");
  ASSERT_EQ(CX_OK, changed.status) << changed.error.message;
  EXPECT_EQ((Texts{{"a", "2"}, {"c", "3"}}), changed.point.labels);
  EXPECT_EQ((Texts{{"x", "2"}, {"z", "3"}}), changed.point.attachments);
  EXPECT_EQ(2u, changed.point.attachment_count);
  EXPECT_EQ(clock_.now_us + 5 * kSecond, changed.point.expire_time_us);
  EXPECT_TRUE(changed.point.pinned);
  EXPECT_EQ((Texts{{"k", "1"}}), changed.point.state.entries);
  EXPECT_TRUE(UpdatePoint("c", "p", update, "r").write.replayed);
  PointUpdate clear;
  clear.add = {{"z", "9"}};
  clear.clear_expiry = true;
  clear.pin = CX_PIN_OFF;
  changed = UpdatePoint("c", "p", clear);
  EXPECT_EQ("3", changed.point.attachments["z"]) << "one that exists stays";
  EXPECT_EQ(0, changed.point.expire_time_us);
  EXPECT_FALSE(changed.point.pinned);
  ReopenTheSame();
}

TEST_F(EnginePointTest, KeepsAttachmentsForAPointThatIsStillToBeMade) {
  Upsert("c", Mutations().Put("k", "1"));
  PointUpdate update;
  update.put = {{"x", "1"}};
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", UpdatePoint("c", "p", update).reason());
  update.allow_missing = true;
  Pointed kept = UpdatePoint("c", "p", update);
  ASSERT_EQ(CX_OK, kept.status) << kept.error.message;
  EXPECT_FALSE(kept.there);
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", GetPoint("c", "p").reason());
  ReopenTheSame();
  Pointed made = MakePoint("c", NewPoint("p").Attach("y", "2"));
  EXPECT_EQ((Texts{{"x", "1"}, {"y", "2"}}), made.point.attachments);
  EXPECT_EQ((Texts{}), MakePoint("c", "q").point.attachments);
  ReopenTheSame();
}

TEST_F(EnginePointTest, ChildrenOfADroppedPointTakeItsParent) {
  Upsert("c", Mutations().Put("k", "1"));
  for (const char *id : {"a", "b", "c", "d"}) MakePoint("c", NewPoint(id).Pinned());
  MakePoint("c", NewPoint("b2").From("b"));
  EXPECT_EQ(CX_OK, DropPoint("c", "b").status) << "pinned or not";
  EXPECT_EQ("a", GetPoint("c", "c").point.parent_id);
  EXPECT_EQ("a", GetPoint("c", "b2").point.parent_id);
  EXPECT_EQ(CX_OK, DropPoint("c", "a").status);
  EXPECT_EQ("", GetPoint("c", "c").point.parent_id);
  EXPECT_EQ("RECOVERY_POINT_NOT_FOUND", DropPoint("c", "a").reason());
  EXPECT_EQ(6u, MakePoint("c", "e").point.sequence) << "sequences are never handed out again";
  ReopenTheSame();
}

TEST_F(EnginePointTest, KeepsTheNewestTenInOrderOfFifteenWithinOneSecond) {
  cx_new_context properties = {};
  properties.policy.is_set = true;
  properties.policy.retention.keep_last = 10;
  Create("c", properties);
  Ids expected;
  for (int i = 1; i <= 15; i++) {
    clock_.now_us += kSecond / 20;
    Update("c", Mutations().Put("k", std::to_string(i)));
    ASSERT_EQ(CX_OK, MakePoint("c", "p" + std::to_string(i)).status);
    if (i > 5) expected.insert(expected.begin(), "p" + std::to_string(i));
  }
  EXPECT_EQ(expected, PointsOf("c"));
  for (int i = 6; i <= 15; i++) {
    Point point = GetPoint("c", "p" + std::to_string(i)).point;
    EXPECT_EQ(std::to_string(i), point.state.entries["k"]);
    EXPECT_EQ(static_cast<uint64_t>(i), point.sequence);
  }
  ReopenTheSame();
  EXPECT_EQ(expected, PointsOf("c"));
}

}  // namespace
