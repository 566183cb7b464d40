// What stage.h promises: nobody sees what is staged, applying it takes no memory, and what
// does not fit is refused.

#include "tests/unit/state/state_fixture.h"

extern "C" {
#include "tests/support/fail_nth.h"
}

namespace {

class StageTest : public StateFixture {
 protected:
  // Plans without applying, then releases.
  cx_plan_result PlanCreate(const std::string &id, const cx_new_context &properties,
                            const Mutations &mutations) {
    cx_create_request request = {};
    request.name = {cx_bytes_of("default"), Bytes(id)};
    request.properties = properties;
    request.mutations = mutations.list().data();
    request.mutation_count = mutations.list().size();
    cx_plan_begin(&plan_);
    return cx_plan_create(&plan_, &request);
  }

  // Stages items as a replay does, told as a plan would.
  cx_status Stage(std::vector<cx_change_item> items) {
    cx_change change = {};
    cx_stage stage;
    std::vector<cx_name_key> keys(items.size());
    cx_status status = cx_stage_begin(&stage, &state_, &arena_, nullptr, items.size());
    change.kind = CX_CHANGE_CONTEXTS;
    change.namespace_id = cx_bytes_of("default");
    change.items = items.data();
    change.item_count = items.size();
    TellChange(&state_, &change);
    for (size_t i = 0; i < items.size() && status == CX_OK; i++) {
      keys[i] = NameKey(Text(items[i].id));
      status = cx_stage_item(&stage, cx_bytes_of("default"), &keys[i], &items[i]);
    }
    if (status == CX_OK) status = cx_stage_finish(&stage, &change);
    cx_stage_done(&stage);
    cx_arena_reset(&arena_);
    return status;
  }

  static cx_change_item Item(cx_item_kind kind, const char *id, uint64_t version,
                             const char *parent_id = "") {
    cx_change_item item = {};
    item.kind = kind;
    item.id = cx_bytes_of(id);
    item.version = version;
    item.head.parent_id = cx_bytes_of(parent_id);
    item.labels_changed = kind == CX_ITEM_CREATE;
    return item;
  }
};

TEST_F(StageTest, ChangesNothingThatAnybodySees) {
  cx_new_context properties = {};
  properties.parent_id = cx_bytes_of("p");
  properties.create_parent = true;
  Create("a", {}, Mutations().Put("k", "v"));
  uint64_t digest = cx_state_digest(&state_);
  ASSERT_EQ(CX_PLAN_CHANGE,
            PlanCreate("b", properties, Mutations().Put("k", "v").SetLabel("l", "v")));
  EXPECT_EQ(digest, cx_state_digest(&state_));
  cx_name_key key = NameKey("p");
  EXPECT_NE(nullptr, cx_stage_find(&plan_.stage, &key)) << "but the stage finds it";
  cx_plan_end(&plan_);
  EXPECT_EQ(digest, cx_state_digest(&state_));
  EXPECT_EQ(nullptr, Find("b"));
}

TEST_F(StageTest, SetsAsideAllThatApplyingTakes) {
  Mutations many;
  for (int i = 0; i < 300; i++) many.Put("k" + std::to_string(i), std::string(100, 'x'));
  for (int i = 0; i < 60; i++) many.SetLabel("l" + std::to_string(i), "v");
  for (int round = 0; round < 3; round++) {
    struct fail_nth fail;
    cx_undo *garbage = nullptr;
    ASSERT_EQ(CX_PLAN_CHANGE, PlanCreate("a" + std::to_string(round), {}, many));
    fail_nth_begin(&fail, 1);
    cx_apply(&plan_.stage, &plan_.change, 100 + round, plan_.now_us, &garbage);
    EXPECT_FALSE(fail_nth_end(&fail)) << "it asked for memory";
    cx_plan_end(&plan_);
    cx_undo_free_list(garbage);
  }
}

TEST_F(StageTest, RefusesWhatDoesNotFitTheState) {
  Create("a");
  Create("p");
  CreateBelow("c", "p");
  uint64_t digest = cx_state_digest(&state_);
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_CREATE, "a", 2)})) << "it is there";
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_CREATE, "b", 2)})) << "another version";
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_CREATE, "b", 1, "none")})) << "no parent";
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_CREATE, "b", 1, "b")})) << "its own parent";
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_UPDATE, "b", 1)})) << "it is not there";
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_UPDATE, "a", 3)})) << "another version";
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_DROP_STATES, "a", 1)})) << "it lives";
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_FORGET, "a", 1)})) << "it lives";
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_DELETE, "p", 1)})) << "a child is left";
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_DELETE, "p", 1), Item(CX_ITEM_DELETE, "c", 1)}))
      << "the parent first";
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_DELETE, "c", 1), Item(CX_ITEM_CREATE, "d", 1, "p"),
                                 Item(CX_ITEM_DELETE, "p", 1)}))
      << "a child comes";
  EXPECT_EQ(CX_OK, Stage({Item(CX_ITEM_DELETE, "c", 1), Item(CX_ITEM_DELETE, "p", 1)}));
  EXPECT_EQ(digest, cx_state_digest(&state_));
}

TEST_F(StageTest, RefusesAContextThatIsNamedTwice) {
  Create("a");
  Create("gone");
  Delete("gone");
  for (cx_item_kind first : {CX_ITEM_UPDATE, CX_ITEM_DELETE}) {
    for (cx_item_kind second : {CX_ITEM_UPDATE, CX_ITEM_DELETE, CX_ITEM_PURGE}) {
      uint64_t one = first == CX_ITEM_UPDATE ? 2 : 1, two = second == CX_ITEM_UPDATE ? 2 : 1;
      EXPECT_EQ(CX_DATA_LOSS, Stage({Item(first, "a", one), Item(second, "a", two)}));
    }
  }
  EXPECT_EQ(CX_DATA_LOSS, Stage({Item(CX_ITEM_CREATE, "b", 1), Item(CX_ITEM_CREATE, "b", 1)}));
  EXPECT_EQ(CX_DATA_LOSS,
            Stage({Item(CX_ITEM_CREATE, "gone", 2), Item(CX_ITEM_DROP_STATES, "gone", 1)}));
  EXPECT_EQ(CX_DATA_LOSS,
            Stage({Item(CX_ITEM_DROP_STATES, "gone", 1), Item(CX_ITEM_CREATE, "gone", 2)}));
  EXPECT_EQ(0u, Find("a")->staged);
  EXPECT_EQ(0u, Find("gone")->staged);
  EXPECT_EQ(CX_PLAN_CHANGE, Update("a", Mutations().Put("k", "v"))) << "and is free again";
}

TEST_F(StageTest, GivesEverythingBackWhenThereIsNoMemory) {
  cx_new_context properties = {};
  properties.parent_id = cx_bytes_of("p");
  properties.create_parent = true;
  uint64_t digest = cx_state_digest(&state_);
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    fail_nth_begin(&fail, nth);
    cx_plan_result result =
        PlanCreate("a", properties, Mutations().Put("k", std::string(9000, 'x')).Put("l", "v"));
    cx_plan_end(&plan_);
    bool failed = fail_nth_end(&fail);
    EXPECT_EQ(digest, cx_state_digest(&state_));
    if (!failed) {
      EXPECT_EQ(CX_PLAN_CHANGE, result);
      break;
    }
    EXPECT_EQ(CX_PLAN_FAILED, result);
    EXPECT_EQ("LIMIT_REACHED", reason());
  }
}

}  // namespace
