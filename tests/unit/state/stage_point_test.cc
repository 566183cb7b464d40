// What stage_point.h promises of steps on points that nobody planned: what does not fit the state
// is refused, and leaves nothing.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class StagePointTest : public RecoveryFixture {
 protected:
  StagePointTest() {
    Create("a", {}, Mutations().Put("k", "1"));
    MakePoint("a", "p1");
    MakePoint("a", "p2");
    MakePoint("a", "p3");
  }

  static cx_point_step Step(cx_point_step_kind kind, const char *id, uint64_t sequence) {
    cx_point_step step = {};
    step.kind = kind;
    step.id = cx_bytes_of(id);
    step.sequence = sequence;
    step.version = 1;
    step.origin = CX_ORIGIN_CLIENT;
    return step;
  }

  static cx_point_step Aside(uint64_t sequence, struct cx_base_ref base) {
    cx_point_step step = Step(CX_POINT_MAKE, "new", sequence);
    step.aside = true;
    step.base = base;
    return step;
  }

  cx_status Points(std::vector<cx_point_step> steps) {
    cx_change_item item = Touch("a");
    item.points = steps.data();
    item.point_count = steps.size();
    cx_status status = StageItems({item});
    versions_.clear();
    for (const cx_point_step &step : steps) versions_.push_back(step.version);
    return status;
  }

  cx_status StageItems(const std::vector<cx_change_item> &items) {
    return TrackerFixture::Stage(items);
  }

  static constexpr cx_point_step_kind kMake = CX_POINT_MAKE, kReplace = CX_POINT_REPLACE,
                                      kChange = CX_POINT_CHANGE, kDrop = CX_POINT_DROP,
                                      kPending = CX_POINT_PENDING;
  std::vector<uint64_t> versions_;  // That the steps were given.
};

TEST_F(StagePointTest, WantsSequencesThatFollowTheLastAndIdsThatAreNew) {
  EXPECT_EQ(CX_OK, Points({Step(kMake, "new", 4)}));
  EXPECT_EQ(CX_OK, Points({Step(kMake, "new", 4), Step(kMake, "newer", 5)}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Step(kMake, "new", 3)}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Step(kMake, "new", 5)}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Step(kMake, "new", 4), Step(kMake, "newer", 4)}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Step(kMake, "p1", 4)}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Step(kMake, "p1", 4), Step(kDrop, "p2", 2)}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Step(kMake, "new", 4), Step(kMake, "new", 5)}));
  EXPECT_EQ(CX_OK, Points({Step(kMake, "p1", 4), Step(kDrop, "p1", 1)})) << "it is free by then";
}

TEST_F(StagePointTest, WantsWhatIsReplacedChangedOrDroppedToBeThere) {
  for (cx_point_step_kind kind : {kReplace, kChange, kDrop}) {
    EXPECT_EQ(CX_OK, Points({Step(kind, "p2", 2)}));
    EXPECT_EQ(CX_DATA_LOSS, Points({Step(kind, "p2", 1)}));
    EXPECT_EQ(CX_DATA_LOSS, Points({Step(kind, "missing", 2)}));
    EXPECT_EQ(CX_DATA_LOSS, Points({Step(kind, "p4", 4)}));
  }
  for (cx_point_step_kind kind : {kReplace, kChange}) {
    EXPECT_EQ(CX_DATA_LOSS, Points({Step(kind, "p2", 2), Step(kDrop, "p2", 2)}));
    EXPECT_EQ(CX_DATA_LOSS, Points({Step(kind, "p2", 2), Step(kChange, "p2", 2)}));
    EXPECT_EQ(CX_OK, Points({Step(kind, "p2", 2), Step(kDrop, "p1", 1)}));
  }
  EXPECT_EQ(CX_DATA_LOSS, Points({Step(kPending, "p2", 0)})) << "it is there";
  EXPECT_EQ(CX_OK, Points({Step(kPending, "new", 0)}));
  EXPECT_EQ(CX_OK, Points({Step(kPending, "new", 0), Step(kPending, "other", 0)}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Step(kPending, "new", 0), Step(kPending, "new", 0)}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Step(kMake, "new", 4), Step(kPending, "new", 0)}));
}

TEST_F(StagePointTest, WantsBasesThatAreThereAndGivesVersionsOnce) {
  EXPECT_EQ(CX_OK, Points({Aside(4, {CX_BASE_POINT, 2})}));
  EXPECT_EQ(CX_OK, Points({Aside(4, {CX_BASE_HEAD, 1})}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Aside(4, {CX_BASE_POINT, 7})}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Aside(4, {CX_BASE_HEAD, 2})}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Aside(4, {CX_BASE_VERSION, 1})}));
  EXPECT_EQ(CX_DATA_LOSS, Points({Aside(4, {CX_BASE_NONE, 0})}));
  cx_op put = {};
  put.kind = CX_MUTATION_PUT;
  put.key = cx_bytes_of("x");
  cx_point_step own = Aside(4, {CX_BASE_HEAD, 1});
  own.ops = &put;
  own.op_count = 1;
  own.version = 2;
  cx_point_step other = own;
  other.id = cx_bytes_of("other");
  other.sequence = 5;
  other.version = 3;
  EXPECT_EQ(CX_OK, Points({own, other}));
  EXPECT_EQ((std::vector<uint64_t>{2, 3}), versions_) << "each has one of its own";
}

TEST_F(StagePointTest, RefusesAStateToBeginFromThatIsNotThere) {
  cx_change_item item = Touch("a");
  item.kind = CX_ITEM_UPDATE;
  item.labels_changed = true;
  const struct cx_base_ref bases[] = {{CX_BASE_POINT, 9}, {CX_BASE_VERSION, 7}, {CX_BASE_POINT, 2}};
  for (const auto &base : bases) {
    item.base = base;
    item.base_id = cx_bytes_of("p1");
    EXPECT_EQ(CX_DATA_LOSS, StageItems({item}));
  }
}

TEST_F(StagePointTest, RefusesAForkOrMergeOfWhatIsNotThere) {
  Create("deleted");
  Delete("deleted");
  for (const char *source : {"missing", "deleted", "a"}) {
    cx_change_item fork = Touch("fork");
    fork.kind = CX_ITEM_CREATE;
    fork.labels_changed = true;
    fork.source = {cx_bytes_of(source), {CX_BASE_VERSION, 7}};
    EXPECT_EQ(CX_DATA_LOSS, StageItems({fork}));
    cx_change_item merge = Touch("a");
    merge.kind = CX_ITEM_UPDATE;
    merge.merged = {cx_bytes_of(source), {CX_BASE_POINT, 1}};
    EXPECT_EQ(CX_DATA_LOSS, StageItems({merge}));
  }
}

}  // namespace
