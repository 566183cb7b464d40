// What stage_point_drops.h promises: who takes the children of what is dropped. That the trees fit
// their points after whole changes is looked at by the fixture.

#include "tests/unit/state/recovery_fixture.h"

extern "C" {
#include "core/state/stage_point.h"
#include "core/state/stage_point_drops.h"
}

namespace {

class StagePointDropsTest : public RecoveryFixture {
 protected:
  // A line of five: each is the parent of the next.
  StagePointDropsTest() {
    Create("a");
    for (const char *id : {"p1", "p2", "p3", "p4", "p5"}) MakePoint("a", id);
    key_ = NameKey("a");
    staged_.key = &key_;
    staged_.context = const_cast<cx_context *>(Find("a"));
    staged_.points = &result_;
    result_.point_count = 5;
    EXPECT_EQ(CX_OK, cx_stage_begin(&stage_, &state_, &arena_, nullptr, 1));
  }
  ~StagePointDropsTest() override {
    cx_stage_done(&stage_);
    cx_undo_unref(staged_.carrier);
  }

  cx_status Drop(const std::vector<std::pair<uint64_t, const char *>> &points) {
    std::vector<cx_point_step> steps(1);  // Others are left out.
    steps[0].kind = CX_POINT_CHANGE;
    for (const auto &point : points) {
      cx_point_step step = {};
      step.kind = CX_POINT_DROP;
      step.sequence = point.first;
      step.id = cx_bytes_of(point.second);
      steps.push_back(step);
    }
    cx_change_item item = {};
    item.points = steps.data();
    item.point_count = steps.size();
    return cx_stage_point_drops(&stage_, &item, &staged_, staged_.context->recovery, &drops_);
  }

  std::vector<uint64_t> ThatStay() const {
    std::vector<uint64_t> list;
    for (uint64_t i = 1; i <= 5; i++) list.push_back(cx_point_drops_that_stays(&drops_, i));
    return list;
  }

  cx_stage stage_;
  cx_name_key key_;
  cx_staged_item staged_ = {};
  cx_staged_points result_ = {};
  cx_point_drops drops_ = {};
};

TEST_F(StagePointDropsTest, TheNearestAncestorThatStaysTakesTheChildren) {
  ASSERT_EQ(CX_OK, Drop({{2, "p2"}, {3, "p3"}, {5, "p5"}}));
  EXPECT_EQ((std::vector<uint64_t>{1, 1, 1, 4, 4}), ThatStay());
  EXPECT_EQ(nullptr, cx_point_drops_find(&drops_, 4));
  ASSERT_NE(nullptr, cx_point_drops_find(&drops_, 3));
  EXPECT_EQ(Point("a", "p3"), cx_point_drops_find(&drops_, 3)->point);
}

TEST_F(StagePointDropsTest, NobodyTakesThemWhereNoneStays) {
  ASSERT_EQ(CX_OK, Drop({{1, "p1"}, {2, "p2"}}));
  EXPECT_EQ((std::vector<uint64_t>{0, 0, 3, 4, 5}), ThatStay());
}

TEST_F(StagePointDropsTest, TheCarrierHasWhatIsDropped) {
  ASSERT_EQ(CX_OK, Drop({{2, "p2"}, {4, "p4"}}));
  EXPECT_EQ(3u, result_.point_count);
  EXPECT_EQ(2u, result_.drop_count);
  ASSERT_NE(nullptr, staged_.carrier);
  const cx_dropped_points *dropped = staged_.carrier->dropped_points;
  ASSERT_NE(nullptr, dropped);
  ASSERT_EQ(2u, dropped->count);
  EXPECT_EQ(Point("a", "p2"), dropped->points[0]);
  EXPECT_EQ(Point("a", "p4"), dropped->points[1]);
}

TEST_F(StagePointDropsTest, HasNothingWhereNothingIsDropped) {
  ASSERT_EQ(CX_OK, Drop({}));
  EXPECT_EQ((std::vector<uint64_t>{1, 2, 3, 4, 5}), ThatStay());
  EXPECT_EQ(5u, result_.point_count);
  EXPECT_EQ(nullptr, staged_.carrier);
}

TEST_F(StagePointDropsTest, RefusesWhatIsNotThere) { EXPECT_EQ(CX_DATA_LOSS, Drop({{2, "p3"}})); }

}  // namespace
