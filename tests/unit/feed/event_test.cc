// What docs/events.md says of the events of one change: which there are, in which order, what
// they hold, and where the large ones are cut.

#include "tests/unit/feed/feed_model.h"

namespace {

class EventTest : public testing::Test {
 protected:
  // Events as lines, without the revision.
  static Strings Told(const Change &change) {
    Strings lines;
    ForEachEvent(change, 7, [&](const cx_event &event) {
      std::string line = Line(event);
      EXPECT_EQ("7.", line.substr(0, 2));
      EXPECT_EQ(1000, event.time_us);
      EXPECT_EQ(change.namespace_id, Text(event.namespace_id));
      lines.push_back(line.substr(2));
    });
    return lines;
  }

  static Strings Expected(const Change &change) {
    Strings lines;
    for (const ModelEvent &event : Events::Of(change, 7)) lines.push_back(event.line().substr(2));
    return lines;
  }

  static Item Of(cx_item_kind kind, const std::vector<Op> &ops = {}) { return {kind, "a", ops}; }

  // The weight of a mutation without anything in it.
  static constexpr size_t kBare = CX_EVENT_OP_WEIGHT;
};

TEST_F(EventTest, TellsWhatBecameOfAContext) {
  EXPECT_EQ(Strings({"0 CREATED a last"}), Told({{Of(CX_ITEM_CREATE)}}));
  EXPECT_EQ(Strings({"0 CREATED a +1 last"}), Told({{Of(CX_ITEM_CREATE, {Put("k", "v")})}}));
  EXPECT_EQ(Strings({"0 UPDATED a +2 #10 last"}),
            Told({{Of(CX_ITEM_UPDATE, {Put("k", "v"), Says()})}}));
  EXPECT_EQ(Strings({"0 UPDATED a last"}), Told({{Of(CX_ITEM_UPDATE)}}));
  EXPECT_EQ(Strings({"0 ACTIVITY a +2 #10 last"}), Told({{Of(CX_ITEM_TOUCH, {Says(), Says()})}}));
  EXPECT_EQ(Strings({"0 DELETED a last"}), Told({{Of(CX_ITEM_DELETE)}}));
  EXPECT_EQ(Strings({"0 DELETED a last"}), Told({{Of(CX_ITEM_PURGE)}}));
  EXPECT_EQ(Strings({"0 EXPIRED a last"}), Told({{Of(CX_ITEM_EXPIRE)}}));
}

TEST_F(EventTest, TellsNothingOfWhatTheServerForgets) {
  Item tombstone = Of(CX_ITEM_PURGE);
  tombstone.tombstone = true;
  EXPECT_EQ(Strings(), Told({{tombstone}}));
  EXPECT_EQ(Strings(), Told({{Of(CX_ITEM_DROP_STATES)}}));
  EXPECT_EQ(Strings(), Told({{Of(CX_ITEM_FORGET)}}));
  EXPECT_EQ(Strings(), Told({{Of(CX_ITEM_TOUCH)}}));

  Change other;
  other.kind = CX_CHANGE_SETTINGS;
  EXPECT_EQ(Strings(), Told(other));
  other.kind = CX_CHANGE_FLOOR;
  EXPECT_EQ(Strings(), Told(other));
}

TEST_F(EventTest, TellsTheTrimmedAndTheActivationsBehindWhatHappened) {
  Item item = Of(CX_ITEM_UPDATE, {Says()});
  item.trims = true;
  item.steps = {{"s", false}, {"t", true}, {"s", true}};
  EXPECT_EQ(Strings({"0 UPDATED a +1 #10", "1 HISTORY_TRIMMED a", "2 DEACTIVATED a s",
                     "3 ACTIVATED a t", "4 ACTIVATED a s last"}),
            Told({{item}}));
  item.kind = CX_ITEM_TOUCH;
  item.ops.clear();
  EXPECT_EQ(Strings({"0 HISTORY_TRIMMED a", "1 DEACTIVATED a s", "2 ACTIVATED a t",
                     "3 ACTIVATED a s last"}),
            Told({{item}}));
}

TEST_F(EventTest, TellsTheActivationsBeforeTheEndOfTheirContext) {
  for (cx_item_kind kind : {CX_ITEM_DELETE, CX_ITEM_EXPIRE, CX_ITEM_PURGE}) {
    Item item = Of(kind);
    item.steps = {{"s", false}, {"t", false}};
    EXPECT_EQ(Strings({"0 DEACTIVATED a s", "1 DEACTIVATED a t",
                       kind == CX_ITEM_EXPIRE ? "2 EXPIRED a last" : "2 DELETED a last"}),
              Told({{item}}));
  }
}

TEST_F(EventTest, TellsASessionBeforeOrBehindItsContexts) {
  Item touched = Of(CX_ITEM_TOUCH);
  touched.steps = {{"s", true}};
  EXPECT_EQ(Strings({"0 SESSION_STARTED s", "1 ACTIVATED a s last"}),
            Told({{touched}, CX_SESSION_START, "s"}));
  EXPECT_EQ(Strings({"0 ACTIVATED a s", "1 SESSION_SWITCHED s last"}),
            Told({{touched}, CX_SESSION_SWITCH, "s"}));
  touched.steps = {{"s", false}};
  EXPECT_EQ(Strings({"0 DEACTIVATED a s", "1 SESSION_ENDED s last"}),
            Told({{touched}, CX_SESSION_END, "s"}));
  EXPECT_EQ(Strings({"0 DEACTIVATED a s", "1 SESSION_LOST s last"}),
            Told({{touched}, CX_SESSION_LOSE, "s"}));
  EXPECT_EQ(Strings({"0 DEACTIVATED a s last"}), Told({{touched}, CX_SESSION_PART, "s"}));
  EXPECT_EQ(Strings({"0 SESSION_ENDED s last"}), Told({{}, CX_SESSION_END, "s"}));
}

TEST_F(EventTest, TellsContextsInTheOrderOfTheChangeAndSkipsThoseThatAreNotTold) {
  Change change = {{{CX_ITEM_DELETE, "child"},
                    {CX_ITEM_FORGET, "gone"},
                    {CX_ITEM_DELETE, "a-parent"},
                    {CX_ITEM_DROP_STATES, "old"}}};
  EXPECT_EQ(Strings({"0 DELETED child", "1 DELETED a-parent last"}), Told(change));
}

TEST_F(EventTest, KnowsTheNameOfAContextByItsHash) {
  cx_name_key key;
  cx_name_key_init(&key, cx_bytes_of("n"), cx_bytes_of("a"));
  ForEachEvent({{Of(CX_ITEM_UPDATE)}, CX_SESSION_END, "s"}, 1, [&](const cx_event &event) {
    EXPECT_EQ(event.item != nullptr ? key.hash : 0, event.hash);
    EXPECT_EQ(event.item == nullptr, event.session != nullptr);
  });
}

// ---- Earlier states. ------------------------------------------------------------

TEST_F(EventTest, TellsThatAContextWasSetBackWithWhatDiffers) {
  Item item = Of(CX_ITEM_UPDATE, {Put("k", "v"), {CX_MUTATION_DELETE, "l", "", "", {}}});
  item.set_back = true;
  item.from = "p";
  EXPECT_EQ(Strings({"0 RESTORED a +2 last"}), Told({{item}}));
  item.from = "";
  EXPECT_EQ(Strings({"0 RESTORED a +2 last"}), Told({{item}})) << "to a version";
  item.ops = {};
  EXPECT_EQ(Strings({"0 RESTORED a last"}), Told({{item}})) << "nothing differs";
}

TEST_F(EventTest, TellsAResetWhereWhatDiffersIsNotKnown) {
  Item item = Of(CX_ITEM_UPDATE, {Says()});
  item.set_back = true;
  item.untold = true;
  EXPECT_EQ(Strings({"0 RESTORED a reset last"}), Told({{item}}));
  item = Of(CX_ITEM_UPDATE, {Put("k", std::string(CX_EVENT_SIZE_MAX, 'x'))});
  item.set_back = true;
  EXPECT_EQ(Strings({"0 RESTORED a reset last"}), Told({{item}})) << "it is too large";
}

TEST_F(EventTest, TellsThatADeletedContextIsThereAgainNotThatItEnds) {
  Item item = Of(CX_ITEM_UNDELETE);
  item.untold = true;
  item.steps = {{"s", true}};
  EXPECT_EQ(Strings({"0 RESTORED a reset", "1 ACTIVATED a s last"}), Told({{item}}));
}

TEST_F(EventTest, TellsAForkWithoutWhatItBeginsWith) {
  Item item = Of(CX_ITEM_CREATE, {{CX_MUTATION_SET_LABEL, "l", "1", "", {}}});
  item.source = "other";
  EXPECT_EQ(Strings({"0 FORKED a reset last"}), Told({{item}}));
}

TEST_F(EventTest, TellsAMergeWithItsMutations) {
  Item item = Of(CX_ITEM_UPDATE, {Put("k", "v"), Put("l", "w")});
  item.merged = "other";
  EXPECT_EQ(Strings({"0 MERGED a +2 last"}), Told({{item}}));
  item.ops = {Put("k", std::string(CX_EVENT_SIZE_MAX, 'x'))};
  EXPECT_EQ(Strings({"0 MERGED a reset last"}), Told({{item}}));
}

TEST_F(EventTest, CutsRestoresAndMergesIntoPartsAsUpdates) {
  std::string half(CX_EVENT_PART_SIZE / 2, 'x');
  Item item = Of(CX_ITEM_UPDATE, {Put("k", half), Put("l", half)});
  item.set_back = true;
  EXPECT_EQ(Strings({"0 RESTORED a +1 more", "1 RESTORED a +1 last"}), Told({{item}}));
  item.set_back = false;
  item.merged = "other";
  EXPECT_EQ(Strings({"0 MERGED a +1 more", "1 MERGED a +1 last"}), Told({{item}}));
}

TEST_F(EventTest, TellsASetBackThatMakesAPointAsARestoreAndThenThePoint) {
  Item item = Of(CX_ITEM_UPDATE);
  item.set_back = true;
  item.from = "p";
  item.untold = true;
  item.points = {{CX_POINT_MAKE, "q"}};
  EXPECT_EQ(Strings({"0 RESTORED a reset", "1 POINT_CREATED a q last"}), Told({{item}}));
}

// ---- Recovery points. -------------------------------------------------------------

TEST_F(EventTest, TellsEachStepOnAPointInItsOrder) {
  Item item = Of(CX_ITEM_TOUCH);
  item.points = {{CX_POINT_MAKE, "new"},
                 {CX_POINT_REPLACE, "anew"},
                 {CX_POINT_CHANGE, "other"},
                 {CX_POINT_DROP, "x"},
                 {CX_POINT_DROP, "y"}};
  EXPECT_EQ(Strings({"0 POINT_CREATED a new", "1 POINT_CREATED a anew", "2 POINT_UPDATED a other",
                     "3 POINT_DELETED a x", "4 POINT_DELETED a y last"}),
            Told({{item}}));
}

TEST_F(EventTest, TellsPointsBehindAllElseThatHappenedToTheirContext) {
  Item item = Of(CX_ITEM_UPDATE, {Says()});
  item.trims = true;
  item.steps = {{"s", false}};
  item.points = {{CX_POINT_MAKE, "p"}};
  EXPECT_EQ(Strings({"0 UPDATED a +1 #10", "1 HISTORY_TRIMMED a", "2 DEACTIVATED a s",
                     "3 POINT_CREATED a p", "4 UPDATED b", "5 SESSION_LOST s last"}),
            Told({{item, {CX_ITEM_UPDATE, "b"}}, CX_SESSION_LOSE, "s"}));
}

TEST_F(EventTest, TellsNothingOfAttachmentsForAPointThatIsStillToBeMade) {
  Item item = Of(CX_ITEM_TOUCH);
  item.points = {{CX_POINT_PENDING, "p"}};
  EXPECT_EQ(Strings(), Told({{item}}));
  item.points = {{CX_POINT_PENDING, "p"}, {CX_POINT_DROP, "x"}};
  EXPECT_EQ(Strings({"0 POINT_DELETED a x last"}), Told({{item}}));
}

TEST_F(EventTest, TellsOnlyTheNewOneOfTwoPointsOfOneId) {
  Item item = Of(CX_ITEM_CREATE);
  item.points = {{CX_POINT_MAKE, "p"}, {CX_POINT_DROP, "p"}, {CX_POINT_DROP, "x"}};
  EXPECT_EQ(Strings({"0 CREATED a", "1 POINT_CREATED a p", "2 POINT_DELETED a x last"}),
            Told({{item}}));
}

TEST_F(EventTest, TellsEveryPointThatOneChangeDrops) {
  Item item = Of(CX_ITEM_TOUCH);
  for (size_t i = 0; i < CX_CHANGE_ITEMS_MAX; i++) {
    item.points.push_back({CX_POINT_DROP, "p" + std::to_string(i)});
  }
  Strings told = Told({{item}});
  ASSERT_EQ(CX_CHANGE_ITEMS_MAX, told.size());
  EXPECT_EQ("0 POINT_DELETED a p0", told.front());
  EXPECT_EQ("9999 POINT_DELETED a p9999 last", told.back());
}

// ---- Parts. --------------------------------------------------------------------

TEST_F(EventTest, CutsAnEventWhereItsMutationsWouldWeighMoreThanAPart) {
  // Two that fill a part to the byte, then two that are one byte too many for it.
  std::string half(CX_EVENT_PART_SIZE / 2 - kBare - 1, 'x');
  EXPECT_EQ(Strings({"0 UPDATED a +2 last"}),
            Told({{Of(CX_ITEM_UPDATE, {Put("k", half), Put("l", half)})}}));
  EXPECT_EQ(Strings({"0 UPDATED a +1 more", "1 UPDATED a +1 last"}),
            Told({{Of(CX_ITEM_UPDATE, {Put("k", half), Put("l", half + "y")})}}));
}

TEST_F(EventTest, DoesNotSplitAMutation) {
  std::string large(3 * CX_EVENT_PART_SIZE, 'x');
  EXPECT_EQ(Strings({"0 CREATED a +1 last"}), Told({{Of(CX_ITEM_CREATE, {Put("k", large)})}}));
  EXPECT_EQ(Strings({"0 CREATED a +1 more", "1 CREATED a +1 more", "2 CREATED a +2 last"}),
            Told({{Of(CX_ITEM_CREATE, {Put("a"), Put("k", large), Put("l"), Put("m")})}}));
}

TEST_F(EventTest, NumbersActivitiesOverAllParts) {
  std::string half(CX_EVENT_PART_SIZE / 2, 'x');
  EXPECT_EQ(
      Strings({"0 ACTIVITY a +1 #10 more", "1 ACTIVITY a +1 #11 more", "2 ACTIVITY a +2 #12 last"}),
      Told({{Of(CX_ITEM_TOUCH, {Says(half), Says(half), Says(half), Says()})}}));
  // A part without activities says no sequence, and takes none.
  EXPECT_EQ(Strings({"0 UPDATED a +1 more", "1 UPDATED a +2 #10 more", "2 UPDATED a +1 more",
                     "3 UPDATED a +1 #11", "4 HISTORY_TRIMMED a last"}),
            Told({{[&] {
              Item item = Of(CX_ITEM_UPDATE, {Put("k", half), Says(half), Put("l"),
                                              Put("m", half + half), Says(half)});
              item.trims = true;
              return item;
            }()}}));
}

TEST_F(EventTest, WeighsNamesLabelsAndContentTypesToo) {
  // What is left of a part when there is only this beside one mutation that fills the rest.
  Op full = Put("k", std::string(CX_EVENT_PART_SIZE - 2 * kBare - 1 - 8, 'x'));
  for (Op op :
       {Op{CX_MUTATION_DELETE, "12345678", "", "", {}}, Op{CX_MUTATION_PUT, "1234", "", "5678", {}},
        Op{CX_MUTATION_SET_LABEL, "1234", "5678", "", {}},
        Op{CX_MUTATION_RECORD, "", "1234", "", {{"12", "34"}}}}) {
    EXPECT_EQ(1u, Told({{Of(CX_ITEM_UPDATE, {full, op})}}).size());
    (op.kind == CX_MUTATION_DELETE ? op.key : op.value) += "9";
    EXPECT_EQ(2u, Told({{Of(CX_ITEM_UPDATE, {full, op})}}).size());
  }
}

TEST_F(EventTest, DoesNotTellMutationsOfMoreThanAMebibyte) {
  std::string most(CX_EVENT_SIZE_MAX - 2 * kBare - 2, 'x');
  EXPECT_EQ(Strings({"0 UPDATED a +1 more", "1 UPDATED a +1 last"}),
            Told({{Of(CX_ITEM_UPDATE, {Put("k", most), Put("l")})}}));
  EXPECT_EQ(Strings({"0 UPDATED a reset", "1 DEACTIVATED a s last"}), Told({{[&] {
              Item item = Of(CX_ITEM_UPDATE, {Put("k", most), Put("l", "y"), Says()});
              item.steps = {{"s", false}};
              return item;
            }()}}));
}

TEST_F(EventTest, HoldsEveryMutationOnceAndInOrder) {
  std::vector<Op> ops;
  std::mt19937 random(1);
  for (size_t i = 0; i < 300; i++) {
    ops.push_back(Put("k" + std::to_string(i), std::string(random() % 6000, 'x')));
  }
  size_t next = 0;
  uint32_t index = 0;
  bool more = true;
  ForEachEvent({{Of(CX_ITEM_UPDATE, ops)}}, 1, [&](const cx_event &event) {
    EXPECT_EQ(index++, event.index);
    EXPECT_TRUE(more);
    more = event.more;
    EXPECT_EQ(!more, event.last);
    for (size_t i = 0; i < event.op_count; i++) {
      ASSERT_LT(next, ops.size());
      EXPECT_EQ(ops[next++].key, Text(event.ops[i].key));
    }
  });
  EXPECT_EQ(ops.size(), next);
  EXPECT_FALSE(more);
  EXPECT_GT(index, 5u);
}

// ---- All together. --------------------------------------------------------------

TEST_F(EventTest, TellsWhatTheSpecificationSaysOfRandomChanges) {
  for (unsigned seed = 1; seed <= 3000; seed++) {
    Chance chance(seed);
    chance.value_size_max = seed % 10 == 0 ? 400000 : 50;
    Change change = chance.AChange();
    EXPECT_EQ(Expected(change), Told(change)) << "seed " << seed;
    if (HasFailure()) return;
  }
}

TEST_F(EventTest, TellsTheSameOfAChangeThatWasReadBack) {
  for (unsigned seed = 1; seed <= 1000; seed++) {
    Change change = Chance(seed).AChange();
    std::string encoded = RawChange(change).Encode();
    cx_arena arena = {};
    cx_change decoded;
    ASSERT_EQ(CX_OK, cx_change_decode(Bytes(encoded), &arena, &decoded)) << "seed " << seed;
    std::vector<cx_event> events(cx_event_count(&decoded));
    cx_event_make(&decoded, 7, 1000, events.data());
    Strings lines;
    for (const cx_event &event : events) lines.push_back(Line(event).substr(2));
    EXPECT_EQ(Expected(change), lines) << "seed " << seed;
    cx_arena_done(&arena);
  }
}

}  // namespace
