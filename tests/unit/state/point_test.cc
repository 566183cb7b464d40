// Points by themselves and in their context: what point.h promises of keys, copies and trees.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class PointTest : public RecoveryFixture {
 protected:
  PointTest() { Create("a", {}, Mutations().Put("k", "1").SetLabel("l", "1")); }

  void MakePoints(size_t count) {
    for (size_t i = 1; i <= count; i++) MakePoint("a", "p" + std::to_string(i));
  }
};

TEST_F(PointTest, ChangesPutAnotherPointInItsPlace) {
  MakePoints(1);
  cx_point *before = AllPoints(Recovery("a"))[0];
  cx_tree_item_ref(&before->item);
  ChangePoint("a", "p1", [](Change *request) { request->pin = CX_PIN_ON; });
  EXPECT_NE(before, Point("a", "p1"));
  EXPECT_TRUE(Point("a", "p1")->pinned);
  EXPECT_FALSE(before->pinned) << "whoever has it reads on";
  MakePoint("a", "p1", Mutations().Put("k", "2"), Replacing);
  DropPoint("a", "p1");
  EXPECT_EQ("p1", Text(cx_point_id(before)));
  EXPECT_EQ("k=1", Entries(before->state.entries));
  cx_point_unref(before);
}

TEST_F(PointTest, ParentsAreAmongThePointsWhicheverAreDropped) {
  MakePoints(4);
  DropPoint("a", "p2");
  EXPECT_EQ((List{"1 p1 < v1", "3 p3 <p1 v1", "4 p4 <p3 v1"}), Points("a"));
  DropPoint("a", "p4");
  EXPECT_EQ(3u, Recovery("a").head_point) << "the head came from there, then";
  DropPoint("a", "p1");
  EXPECT_EQ((List{"3 p3 < v1"}), Points("a"));
  DropPoint("a", "p3");
  EXPECT_EQ(0u, Recovery("a").head_point);
}

TEST_F(PointTest, SequencesAreHandedOutOnce) {
  MakePoints(2);
  DropPoint("a", "p2");
  DropPoint("a", "p1");
  MakePoint("a", "p1");
  EXPECT_EQ((List{"3 p1 < v1"}), Points("a"));
}

TEST_F(PointTest, FindsBySequenceIdAndPlace) {
  MakePoints(3);
  DropPoint("a", "p2");
  const cx_recovery *recovery = &Recovery("a");
  EXPECT_EQ(Point("a", "p3"), cx_recovery_find(recovery, 3));
  EXPECT_EQ(nullptr, cx_recovery_find(recovery, 2));
  EXPECT_EQ(nullptr, cx_recovery_find_id(recovery, cx_bytes_of("p")));
  EXPECT_EQ(Point("a", "p3"), cx_recovery_newest(recovery));
  EXPECT_EQ(Point("a", "p1"), cx_recovery_oldest(recovery));
  EXPECT_EQ(Point("a", "p1"), cx_recovery_before(recovery, 3));
  EXPECT_EQ(nullptr, cx_recovery_before(recovery, 1));
  EXPECT_EQ(nullptr, cx_recovery_find(nullptr, 1)) << "nothing has none";
  EXPECT_EQ(nullptr, cx_recovery_find_id(nullptr, cx_bytes_of("p1")));
  EXPECT_EQ(nullptr, cx_recovery_newest(nullptr));
  EXPECT_EQ(nullptr, cx_recovery_oldest(nullptr));
}

TEST_F(PointTest, ACopySharesAllOfThePoint) {
  Record("a", Activity("one"));
  MakePoint("a", "p", Living(50));
  const cx_point *point = Point("a", "p");
  cx_point *copy;
  ASSERT_EQ(CX_OK, cx_point_copy(point, &copy));
  EXPECT_EQ("p", Text(cx_point_id(copy)));
  EXPECT_EQ(1u, copy->sequence);
  EXPECT_EQ(point->revision, copy->revision);
  EXPECT_EQ(point->expire_time_us, copy->expire_time_us);
  EXPECT_EQ(point->state.entries.root, copy->state.entries.root);
  EXPECT_EQ(point->state.labels, copy->state.labels);
  ASSERT_NE(nullptr, copy->state.past);
  EXPECT_EQ(point->state.past, copy->state.past);
  DropPoint("a", "p");
  EXPECT_EQ("k=1", Entries(copy->state.entries)) << "it has references of its own";
  EXPECT_EQ(1u, copy->state.past->history_count);
  cx_point_unref(copy);
  struct fail_nth fail;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_point_new(1, {}, &copy));
  EXPECT_TRUE(fail_nth_end(&fail));
}

TEST_F(PointTest, APastIsWorthKeepingOnceSomethingHasHappened) {
  EXPECT_FALSE(cx_past_is_worth(nullptr));
  MakePoint("a", "before");
  EXPECT_EQ(nullptr, Point("a", "before")->state.past);
  Record("a", Activity("one").File("path", "read"));
  EXPECT_TRUE(cx_past_is_worth(&Tracked("a")));
  MakePoint("a", "after");
  const cx_past *past = Point("a", "after")->state.past;
  ASSERT_NE(nullptr, past);
  Record("a", Activity("two"));
  EXPECT_EQ(1u, past->last_sequence) << "as it stood then";
  EXPECT_EQ(1u, past->history_count);
  EXPECT_EQ(1u, past->file_count);
}

TEST_F(PointTest, PairsOfNumbersOrderLikeThem) {
  const std::vector<std::pair<uint64_t, uint64_t>> pairs = {
      {0, 0}, {0, UINT64_MAX}, {1, 255}, {1, 256}, {256, 0}, {UINT64_MAX, 1}};
  std::string last;
  for (const auto &pair : pairs) {
    struct cx_number_pair_key key;
    std::string text = Text(cx_number_pair_key(&key, pair.first, pair.second));
    EXPECT_LT(last, text);
    last = text;
  }
}

TEST_F(PointTest, TheListByRevisionHasTheNewestFirst) {
  cx_point_list_id older, newer, coming;
  cx_point_list_id_init(&older, 5, cx_bytes_of("a"), 7);
  cx_point_list_id_init(&newer, 5, cx_bytes_of("a"), 8);
  cx_point_list_id_init(&coming, UINT64_MAX, cx_bytes_of("b"), 1);
  EXPECT_LT(Text({newer.bytes, newer.size}), Text({older.bytes, older.size}));
  EXPECT_LT(Text({coming.bytes, coming.size}), Text({newer.bytes, newer.size}));
  cx_point_list_id_stamp(coming.bytes, 4);
  EXPECT_LT(Text({older.bytes, older.size}), Text({coming.bytes, coming.size}));
  uint64_t revision, sequence;
  cx_bytes context_id;
  cx_point_list_id_read({coming.bytes, coming.size}, &revision, &context_id, &sequence);
  EXPECT_EQ(4u, revision);
  EXPECT_EQ("b", Text(context_id));
  EXPECT_EQ(1u, sequence);
}

TEST_F(PointTest, TheDigestOfNothingIsThatOfANewOne) {
  cx_recovery *recovery = cx_recovery_new();
  EXPECT_EQ(cx_recovery_mix(1, nullptr), cx_recovery_mix(1, recovery));
  EXPECT_NE(cx_recovery_mix(2, nullptr), cx_recovery_mix(1, nullptr));
  recovery->settled = recovery->window_start = recovery->window_before = 3;
  EXPECT_EQ(cx_recovery_mix(1, nullptr), cx_recovery_mix(1, recovery)) << "hints say nothing";
  recovery->head_point = 3;
  EXPECT_NE(cx_recovery_mix(1, nullptr), cx_recovery_mix(1, recovery));
  cx_recovery_free(recovery);
}

TEST_F(PointTest, ABaseGoesWithTheLastThatLeadsToIt) {
  cx_base *oldest, *newest;
  cx_base_unref(nullptr);
  ASSERT_EQ(CX_OK, cx_base_new(cx_bytes_of("oldest"), &oldest));
  ASSERT_EQ(CX_OK, cx_base_new(cx_bytes_of("newest"), &newest));
  newest->older = cx_base_ref(oldest);
  cx_base_unref(oldest);
  EXPECT_EQ("oldest", Text(cx_base_id(newest->older)));
  cx_base *kept = cx_base_ref(newest->older);
  cx_base_unref(newest);
  EXPECT_EQ("oldest", Text(cx_base_id(kept)));
  cx_base_unref(kept);
}

TEST_F(PointTest, IsExpiredFromItsTimeOn) {
  MakePoint("a", "p", Living(50));
  MakePoint("a", "for ever");
  EXPECT_FALSE(cx_point_is_expired(Point("a", "p"), plan_.now_us + 49));
  EXPECT_TRUE(cx_point_is_expired(Point("a", "p"), plan_.now_us + 50));
  EXPECT_FALSE(cx_point_is_expired(Point("a", "for ever"), INT64_MAX));
}

}  // namespace
