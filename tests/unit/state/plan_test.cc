// What all plans have in common: what they look at, what they tell, and that an error
// leaves no trace.

#include "tests/unit/state/tracker_fixture.h"

extern "C" {
#include "core/state/plan_common.h"
}

namespace {

class PlanTest : public StateFixture {
 protected:
  cx_plan_result UpdateIf(const std::string &id, const cx_precondition &precondition) {
    Mutations mutations = Mutations().Put("k", "v");
    cx_update_request request = {};
    size_t index;
    request.name = {cx_bytes_of("default"), Bytes(id)};
    request.mutations = mutations.list().data();
    request.mutation_count = 1;
    request.preconditions = &precondition;
    request.precondition_count = 1;
    cx_plan_begin(&plan_);
    return Finish(cx_plan_update(&plan_, &request, 1, false, {}, &index));
  }

  std::string detail(const char *key) { return Text(cx_error_detail_get(&error_, key)); }
};

TEST_F(PlanTest, LooksOnlyAtShardsThatAreHeld) {
  plan_.held = 0;
  EXPECT_EQ(CX_PLAN_NEEDS_SHARDS, Create("a"));
  EXPECT_EQ(1ull << NameKey("a").shard, plan_.needed);
  plan_.held = plan_.needed;
  EXPECT_EQ(CX_PLAN_CHANGE, Create("a"));
}

TEST_F(PlanTest, AnErrorLeavesNoTrace) {
  Create("a", {}, Mutations().Put("k", "v"));
  uint64_t digest = cx_state_digest(&state_);

  EXPECT_EQ(CX_PLAN_FAILED, Create("a"));
  EXPECT_EQ(CX_PLAN_FAILED, Update("b", Mutations().Put("k", "v")));
  EXPECT_EQ(CX_PLAN_FAILED, Update("a", Mutations().Put("x", "y").AppendAt("k", "v", 9)));
  EXPECT_EQ(CX_PLAN_FAILED, CreateBelow("c", "nobody"));
  EXPECT_EQ(CX_PLAN_FAILED, Delete("b"));
  EXPECT_EQ(digest, cx_state_digest(&state_));
}

TEST_F(PlanTest, TellsWhatTheAnswerIsDerivedFrom) {
  Create("a");
  uint64_t created = revision_;
  Create("b");
  EXPECT_EQ(CX_PLAN_FAILED, Create("a"));
  EXPECT_EQ(created, wait_for_);

  Delete("a");
  EXPECT_EQ(CX_PLAN_FAILED, Update("a", Mutations().Put("k", "v")));
  EXPECT_EQ(revision_, wait_for_);
}

TEST_F(PlanTest, WaitsForTheChangeThatForgotAContext) {
  Create("a");
  Delete("a");
  plan_.now_us += 1000;
  EXPECT_EQ(CX_PLAN_CHANGE, Due("a"));
  EXPECT_EQ(CX_PLAN_CHANGE, Due("a"));
  ASSERT_EQ(nullptr, Find("a"));
  EXPECT_EQ(CX_PLAN_FAILED, Update("a", Mutations().Put("k", "v")));
  EXPECT_EQ(revision_, wait_for_);
  EXPECT_EQ("", detail("deleted_version"));
}

TEST_F(PlanTest, ChecksTheVersionOfTheContext) {
  Create("a");
  EXPECT_EQ(CX_PLAN_FAILED, UpdateIf("a", {CX_PRECONDITION_CONTEXT_VERSION, {}, 7}));
  EXPECT_EQ("VERSION_CONFLICT", reason());
  EXPECT_EQ("1", detail("current_version"));
  EXPECT_EQ(CX_PLAN_CHANGE, UpdateIf("a", {CX_PRECONDITION_CONTEXT_VERSION, {}, 1}));
}

TEST_F(PlanTest, ChecksTheVersionOfAnEntry) {
  Create("a", {}, Mutations().Put("k", "v"));
  EXPECT_EQ(CX_PLAN_FAILED, UpdateIf("a", {CX_PRECONDITION_ENTRY_VERSION, cx_bytes_of("k"), 0}));
  EXPECT_EQ("ENTRY_CONFLICT", reason());
  EXPECT_EQ("k", detail("key"));
  EXPECT_EQ("1", detail("current_version"));
  EXPECT_EQ(CX_PLAN_CHANGE, UpdateIf("a", {CX_PRECONDITION_ENTRY_VERSION, cx_bytes_of("none"), 0}));
}

TEST_F(PlanTest, AsksForTheEndOfAnExpiredContextFirst) {
  cx_new_context properties = {};
  properties.ttl_us = 10;
  Create("a", properties);
  plan_.now_us += 10;
  EXPECT_EQ(CX_PLAN_NEEDS_EXPIRY, Update("a", Mutations().Put("k", "v")));
  EXPECT_EQ(NameKey("a").hash, plan_.expired.hash);
}

// Contexts whose names are as long, and whose numbers as large, as they may be.
class PlanWeightTest : public TrackerFixture {
 protected:
  PlanWeightTest() {
    std::string large(CX_LABEL_VALUE_SIZE_MAX, 'x'), wide(CX_LABEL_KEY_SIZE_MAX - 1, 'x');
    cx_label labels[CX_LABELS_MAX];
    for (size_t i = 0; i < CX_LABELS_MAX; i++) {
      labels[i] = {Keep(wide + static_cast<char>('A' + i)), Keep(large)};
    }
    cx_new_context properties = {};
    properties.type = Keep(std::string(CX_CONTEXT_TYPE_SIZE_MAX, 't'));
    properties.parent_id = Keep(std::string(CX_CONTEXT_ID_SIZE_MAX, 'p'));
    properties.create_parent = true;
    properties.labels = labels;
    properties.label_count = CX_LABELS_MAX;
    Create(id_, properties);
  }

  // What the item of a planned change weighs besides its ops, and much of what is around it.
  size_t Weight() {
    cx_change *change = &plan_.change;
    cx_change_item *item = &change->items[0];
    EXPECT_EQ(1u, change->item_count);
    const cx_run run = {UINT64_MAX / 2, UINT64_MAX - 1};
    cx_buffer encoded = {};
    change->request = {};
    change->session = {};
    change->namespace_id = {};
    item->version = UINT64_MAX;
    item->session_id = Keep(std::string(CX_SESSION_ID_SIZE, 's'));
    item->first_sequence = UINT64_MAX;
    item->trimmed = {&run, 1};
    item->head.create_time_us = item->head.update_time_us = item->head.expire_us = -1;
    item->head.expires_from_now = true;
    item->head.entry_count = item->head.size_bytes = item->head.fence = UINT64_MAX;
    EXPECT_EQ(CX_OK, cx_change_encode(change, &encoded));
    size_t size = encoded.size;
    cx_buffer_done(&encoded);
    cx_plan_end(&plan_);
    return size;
  }

  static std::string SessionId(int number) {
    return std::to_string(number) + std::string(CX_SESSION_ID_SIZE - 1, 's');
  }

  const std::string id_ = std::string(CX_CONTEXT_ID_SIZE_MAX, 'a');
};

TEST_F(PlanWeightTest, AnItemThatEndsWeighsNoMoreThanIsReckoned) {
  for (int i = 0; i < 3; i++) {
    Begin(SessionId(i));
    ASSERT_EQ(CX_PLAN_CHANGE, Activate(SessionId(i), id_));
  }
  cx_delete_request request = {};
  request.name = {cx_bytes_of("default"), Bytes(id_)};
  cx_plan_begin(&plan_);
  ASSERT_EQ(CX_PLAN_CHANGE, cx_plan_delete(&plan_, &request, false));
  EXPECT_LE(Weight(), cx_plan_item_weight(Find(id_), 3));
}

TEST_F(PlanWeightTest, AnItemOfASessionThatEndsWeighsNoMoreThanIsReckoned) {
  Begin(SessionId(0));
  Activate(SessionId(0), id_);
  ASSERT_EQ(CX_PLAN_CHANGE, PlanEnd(SessionId(0)));
  EXPECT_LE(Weight(), cx_plan_item_weight(Find(id_), 1));
}

}  // namespace
