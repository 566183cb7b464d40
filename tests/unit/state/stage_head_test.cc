// What stage_head.h promises: each change tells of its contexts what they become, or were before
// their end, and a replay refuses one that tells anything else. The fixture compares every head
// with the state besides.

#include "tests/unit/state/tracker_fixture.h"

namespace {

class StageHeadTest : public TrackerFixture {
 protected:
  // The heads of the last record, by item.
  List Told() {
    List told;
    ChangeLast([&](cx_change *change) {
      for (size_t i = 0; i < change->item_count; i++) {
        told.push_back(HeadText(change->items[i].head));
      }
    });
    return told;
  }

  // The status of a replay whose last record is changed.
  cx_status ChangeLast(const std::function<void(cx_change *)> &set) {
    cx_arena arena = {};
    cx_buffer encoded = {};
    cx_change change;
    std::vector<::Record> log = log_;
    uint64_t digest;
    EXPECT_EQ(CX_OK, cx_change_decode(Bytes(log_.back().payload), &arena, &change));
    set(&change);
    EXPECT_EQ(CX_OK, cx_change_encode(&change, &encoded));
    log.back().payload = Text(cx_buffer_bytes(&encoded));
    cx_buffer_done(&encoded);
    cx_arena_done(&arena);
    return Replay(log, &digest);
  }

  // Every part of the head of the last record's item is compared by a replay.
  void ExpectNoOther(bool but_for_the_parent = false) {
    using Head = cx_change_head;
    const std::vector<std::function<void(Head *)>> others = {
        [](Head *head) { head->create_time_us++; },
        [](Head *head) { head->update_time_us++; },
        [](Head *head) { head->expire_us++; },
        [](Head *head) { head->expires_from_now = !head->expires_from_now; },
        [](Head *head) { head->entry_count++; },
        [](Head *head) { head->size_bytes--; },
        [](Head *head) { head->fence++; },
        [](Head *head) { *head = {}; },
        [](Head *head) { head->parent_id = cx_bytes_of("q"); },
    };
    EXPECT_EQ(CX_OK, ChangeLast([](cx_change *) {}));
    for (size_t i = 0; i + but_for_the_parent < others.size(); i++) {
      EXPECT_EQ(CX_DATA_LOSS,
                ChangeLast([&](cx_change *change) { others[i](&change->items[0].head); }))
          << i;
    }
  }

  void CreateSliding(const std::string &id) {
    Create(id, {}, Mutations().SetExpiry(500, /*sliding=*/true));
  }
};

TEST_F(StageHeadTest, OfACreateItIsHowItBegins) {
  cx_new_context properties = {};
  Create("p");
  properties.parent_id = cx_bytes_of("p");
  properties.ttl_us = 70;
  Create("a", properties, Mutations().Put("k", "v").Put("key", "value"));
  EXPECT_EQ(List{"in p, created 0, updated 0, expires +70, entries 2, bytes 10, fence 0"}, Told());
  ExpectNoOther(/*but_for_the_parent=*/true);
  Create("b", properties, Mutations().SetExpiry(40));
  EXPECT_EQ(List{"in p, created 0, updated 0, expires +40, entries 0, bytes 0, fence 0"}, Told());
}

TEST_F(StageHeadTest, OfACreateInThePlaceOfATombstoneTheFenceGoesOn) {
  Begin("s");
  Create("a", {}, Mutations().Put("k", "v"));
  Activate("s", "a", Exclusive);
  Delete("a");
  Create("a");
  EXPECT_EQ(List{"in , created 0, updated 0, expires 0, entries 0, bytes 0, fence 1"}, Told());
  ExpectNoOther(/*but_for_the_parent=*/true);
}

TEST_F(StageHeadTest, OfAnUpdateItIsTheStateThatItMakes) {
  Create("p");
  CreateBelow("a", "p");
  plan_.now_us += 5;
  Update("a", Mutations().Put("k", "v"));
  EXPECT_EQ(List{"in p, created 1000, updated 0, expires 0, entries 1, bytes 2, fence 0"}, Told());
  ExpectNoOther();
  Update("a", Mutations().Put("l", "w").Delete("k").SetExpiry(100));
  EXPECT_EQ(List{"in p, created 1000, updated 0, expires +100, entries 1, bytes 2, fence 0"},
            Told());
  plan_.now_us += 5;
  Update("a", Mutations().Append("l", "more"));
  EXPECT_EQ(List{"in p, created 1000, updated 0, expires 1105, entries 1, bytes 6, fence 0"},
            Told())
      << "which does not slide";
  ExpectNoOther();
  Update("a", Mutations().SetExpiry(0));
  EXPECT_EQ(List{"in p, created 1000, updated 0, expires 0, entries 1, bytes 6, fence 0"}, Told());
}

TEST_F(StageHeadTest, OfATouchItIsTheStateAsItWasButForExpiryAndFence) {
  Begin("s");
  Create("a", {}, Mutations().Put("k", "v").SetExpiry(500, /*sliding=*/true));
  plan_.now_us += 7;
  Record("a", Activity());
  EXPECT_EQ(List{"in , created 1000, updated 1000, expires +500, entries 1, bytes 2, fence 0"},
            Told());
  ExpectNoOther();
  Activate("s", "a", Exclusive);
  EXPECT_EQ(List{"in , created 1000, updated 1000, expires +500, entries 1, bytes 2, fence 1"},
            Told());
  ExpectNoOther();
  Begin("t");
  Activate("t", "a");
  Activate("t", "a", Taking);
  EXPECT_EQ(List{"in , created 1000, updated 1000, expires +500, entries 1, bytes 2, fence 2"},
            Told());
  Deactivate("t", "a");
  EXPECT_EQ(List{"in , created 1000, updated 1000, expires +500, entries 1, bytes 2, fence 2"},
            Told());
}

TEST_F(StageHeadTest, TheEndOfASessionLeavesAnExpiryWhereItIs) {
  Begin("s");
  CreateSliding("a");
  Activate("s", "a");
  Acquire("s", "a", "tool");
  Acquire("s", "a", "other");
  plan_.now_us += 7;
  plan_.change_size_max = 1;
  ASSERT_EQ(CX_PLAN_CHANGE, End("s"));
  ASSERT_TRUE(more_) << "a part";
  const List kept = {"in , created 1000, updated 1000, expires 1500, entries 0, bytes 0, fence 0"};
  EXPECT_EQ(kept, Told());
  ExpectNoOther();
  plan_.change_size_max = 1000000;
  End("s");
  EXPECT_EQ(kept, Told());
  ExpectNoOther();
  Begin("t");
  Activate("t", "a");
  plan_.now_us += 7;
  LetLapse("t");
  Lapse("t");
  EXPECT_EQ(List{"in , created 1000, updated 1000, expires 1507, entries 0, bytes 0, fence 0"},
            Told());
  ExpectNoOther();
}

TEST_F(StageHeadTest, TheStartAndTheSwitchOfASessionMoveOneThatSlides) {
  CreateSliding("a");
  CreateSliding("b");
  plan_.now_us += 7;
  const List moved = {"in , created 1000, updated 1000, expires +500, entries 0, bytes 0, fence 0"};
  Begin("s", [](Start *start) { start->default_context_id = cx_bytes_of("a"); });
  EXPECT_EQ(moved, Told());
  Switch("s", "b");
  EXPECT_EQ(moved, Told());
  ExpectNoOther();
}

TEST_F(StageHeadTest, OfAnEndItIsTheContextAsItWasBefore) {
  const List was = {"in p, created 1000, updated 1000, expires 1500, entries 1, bytes 2, fence 1"};
  Begin("s");
  Create("p");
  for (cx_item_kind kind : {CX_ITEM_DELETE, CX_ITEM_EXPIRE, CX_ITEM_PURGE}) {
    cx_new_context properties = {};
    std::string id = "a" + std::to_string(kind);
    plan_.now_us = 1000;
    properties.parent_id = cx_bytes_of("p");
    properties.ttl_us = 500;
    Create(id, properties, Mutations().Put("k", "v"));
    Activate("s", id, Exclusive);
    plan_.now_us = kind == CX_ITEM_EXPIRE ? 1500 : 1010;
    kind == CX_ITEM_EXPIRE ? Due(id) : Delete(id, false, kind == CX_ITEM_PURGE);
    ASSERT_EQ(kind, items_[0].kind);
    EXPECT_EQ(was, Told());
    ExpectNoOther();
  }
}

TEST_F(StageHeadTest, NothingIsToldOfAContextThatHadEnded) {
  Create("a", {}, Mutations().Put("k", "v"));
  Create("b");
  Delete("a");
  Delete("b");
  Delete("b", false, /*purge=*/true);
  EXPECT_EQ(List{"not told"}, Told());
  EXPECT_EQ(CX_DATA_LOSS, ChangeLast([](cx_change *change) { change->items[0].head.told = true; }));
  plan_.now_us += settings_.undelete_window_us;
  Due("a");
  ASSERT_EQ(CX_ITEM_DROP_STATES, items_[0].kind);
  EXPECT_EQ(List{"not told"}, Told());
  plan_.now_us += settings_.tombstone_window_us;
  Due("a");
  ASSERT_EQ(CX_ITEM_FORGET, items_[0].kind);
  EXPECT_EQ(List{"not told"}, Told());
}

TEST_F(StageHeadTest, EachContextOfAChangeHasItsOwn) {
  cx_new_context properties = {};
  properties.parent_id = cx_bytes_of("p");
  properties.create_parent = true;
  Create("a", properties, Mutations().Put("k", "v"));
  EXPECT_EQ((List{"in , created 0, updated 0, expires 0, entries 0, bytes 0, fence 0",
                  "in p, created 0, updated 0, expires 0, entries 1, bytes 2, fence 0"}),
            Told());
  plan_.now_us += 5;
  Delete("p", /*recursive=*/true);
  EXPECT_EQ((List{"in p, created 1000, updated 1000, expires 0, entries 1, bytes 2, fence 0",
                  "in , created 1000, updated 1000, expires 0, entries 0, bytes 0, fence 0"}),
            Told());
}

}  // namespace
