// What change_check.h promises: each bound, from both sides.

#include "tests/unit/state/state_fixture.h"

extern "C" {
#include "core/state/change_check.h"
}

#include <map>
#include <vector>

namespace {

class ChangeCheckTest : public testing::Test {
 protected:
  ChangeCheckTest() {
    op_.kind = CX_MUTATION_PUT;
    op_.key = cx_bytes_of("k");
    item_.kind = CX_ITEM_UPDATE;
    item_.id = cx_bytes_of("a");
    item_.head.told = true;
    item_.ops = &op_;
    item_.op_count = 1;
    change_.kind = CX_CHANGE_CONTEXTS;
    change_.namespace_id = cx_bytes_of("n");
    change_.items = &item_;
    change_.item_count = 1;
  }

  bool Ok() const { return cx_change_is_well_formed(&change_); }

  // Whether a field may have up to so many bytes, and no NUL.
  void ExpectBound(cx_bytes *field, size_t size_max, bool nul_is_fine = false) {
    cx_bytes before = *field;
    std::string most(size_max, 'x'), more(size_max + 1, 'x'), nul("x\0y", 3);
    *field = Bytes(most);
    EXPECT_TRUE(Ok());
    *field = Bytes(more);
    EXPECT_FALSE(Ok());
    *field = Bytes(nul);
    EXPECT_EQ(nul_is_fine, Ok());
    *field = before;
    EXPECT_TRUE(Ok());
  }

  cx_op op_ = {};
  cx_change_item item_ = {};
  cx_change change_ = {};
};

TEST_F(ChangeCheckTest, BoundsNames) {
  ExpectBound(&change_.namespace_id, CX_NAMESPACE_SIZE_MAX);
  ExpectBound(&item_.id, CX_CONTEXT_ID_SIZE_MAX);
  ExpectBound(&item_.type, CX_CONTEXT_TYPE_SIZE_MAX);
  ExpectBound(&item_.head.parent_id, CX_CONTEXT_ID_SIZE_MAX);
  ExpectBound(&op_.key, CX_ENTRY_KEY_SIZE_MAX, true);
  ExpectBound(&op_.content_type, CX_CONTENT_TYPE_SIZE_MAX, true);
  op_.key = {};
  EXPECT_FALSE(Ok());
  op_.kind = CX_MUTATION_DELETE_PREFIX;
  EXPECT_TRUE(Ok()) << "the empty prefix is one";
  item_.id = {};
  EXPECT_FALSE(Ok());
}

TEST_F(ChangeCheckTest, WantsLabelsInTheirOrder) {
  cx_label labels[CX_LABELS_MAX + 1];
  std::string keys[CX_LABELS_MAX + 1];
  for (size_t i = 0; i <= CX_LABELS_MAX; i++) {
    keys[i] = std::string(1, static_cast<char>('A' + i));
    labels[i] = {Bytes(keys[i]), cx_bytes_of("v")};
  }
  item_.labels = {labels, CX_LABELS_MAX};
  EXPECT_TRUE(Ok());
  ExpectBound(&labels[63].value, CX_LABEL_VALUE_SIZE_MAX);
  item_.labels.count = 1;
  ExpectBound(&labels[0].key, CX_LABEL_KEY_SIZE_MAX);
  item_.labels.count = CX_LABELS_MAX;
  item_.labels.count++;
  EXPECT_FALSE(Ok());
  item_.labels.count = 2;
  labels[1].key = labels[0].key;
  EXPECT_FALSE(Ok());
}

TEST_F(ChangeCheckTest, BoundsTimes) {
  op_.kind = CX_MUTATION_SET_EXPIRY;
  for (int64_t *field : {&op_.ttl_us, &item_.ttl_us}) {
    *field = CX_TTL_US_MAX;
    EXPECT_TRUE(Ok());
    *field = CX_TTL_US_MAX + 1;
    EXPECT_FALSE(Ok());
    *field = -1;
    EXPECT_FALSE(Ok());
    *field = 0;
  }
}

// Whether an item that is told may be, and one that is not.
struct Telling {
  bool told, untold;
};

TEST_F(ChangeCheckTest, IsToldUnlessItsContextHasEndedBefore) {
  const std::map<cx_item_kind, Telling> kinds = {
      {CX_ITEM_CREATE, {true, false}}, {CX_ITEM_UPDATE, {true, false}},
      {CX_ITEM_DELETE, {true, false}}, {CX_ITEM_EXPIRE, {true, false}},
      {CX_ITEM_PURGE, {true, true}},   {CX_ITEM_DROP_STATES, {false, true}},
      {CX_ITEM_FORGET, {false, true}},
  };
  for (const auto &[kind, telling] : kinds) {
    item_.kind = kind;
    item_.labels_changed = kind == CX_ITEM_CREATE;
    item_.head.told = true;
    EXPECT_EQ(telling.told, Ok()) << kind;
    item_.head.told = false;
    EXPECT_EQ(telling.untold, Ok()) << kind;
  }
}

TEST_F(ChangeCheckTest, BoundsAnExpiryThatCountsFromNow) {
  for (int64_t expire_us : {int64_t{0}, int64_t{-1}, int64_t{CX_TTL_US_MAX} + 1}) {
    item_.head.expire_us = expire_us;
    item_.head.expires_from_now = false;
    EXPECT_TRUE(Ok()) << "a time";
    item_.head.expires_from_now = true;
    EXPECT_FALSE(Ok()) << expire_us;
  }
  for (int64_t expire_us : {int64_t{1}, int64_t{CX_TTL_US_MAX}}) {
    item_.head.expire_us = expire_us;
    EXPECT_TRUE(Ok()) << expire_us;
  }
  item_.kind = CX_ITEM_PURGE;
  item_.head.told = false;
  EXPECT_FALSE(Ok()) << "nothing is told";
}

TEST_F(ChangeCheckTest, BoundsTheItems) {
  std::vector<cx_change_item> items(CX_CHANGE_ITEMS_MAX + 1, item_);
  change_.items = items.data();
  change_.item_count = CX_CHANGE_ITEMS_MAX;
  EXPECT_TRUE(Ok());
  change_.request.owner = CX_CHANGE_ITEMS_MAX;
  EXPECT_FALSE(Ok());
  change_.request.owner = 0;
  change_.item_count++;
  EXPECT_FALSE(Ok());
  change_.item_count = 0;
  EXPECT_FALSE(Ok());
  change_.item_count = 1;
  items[0].kind = CX_ITEM_CREATE;
  EXPECT_FALSE(Ok()) << "a create says its labels";
}

TEST_F(ChangeCheckTest, WantsSettingsThatMakeSense) {
  cx_settings settings = {1, 5, 5, 0, 1};
  cx_change change = {};
  change.kind = CX_CHANGE_SETTINGS;
  change.settings = &settings;
  EXPECT_TRUE(cx_change_is_well_formed(&change));
  settings.version_retention = 0;
  EXPECT_FALSE(cx_change_is_well_formed(&change));
  settings.version_retention = 1;
  settings.tombstone_window_us = 4;
  EXPECT_FALSE(cx_change_is_well_formed(&change));
  settings.tombstone_window_us = CX_TTL_US_MAX + 1;
  EXPECT_FALSE(cx_change_is_well_formed(&change));
}

TEST_F(ChangeCheckTest, WantsAFloorThatDropsSomething) {
  cx_change change = {};
  change.kind = CX_CHANGE_FLOOR;
  EXPECT_FALSE(cx_change_is_well_formed(&change));
  change.floor = 1;
  EXPECT_TRUE(cx_change_is_well_formed(&change));
}

// What the tracker is told: a touch with one activity.
class ChangeCheckTrackedTest : public ChangeCheckTest {
 protected:
  ChangeCheckTrackedTest() {
    content_.type = cx_bytes_of("t");
    op_ = {};
    op_.kind = CX_MUTATION_RECORD;
    op_.activity = &content_;
    item_.kind = CX_ITEM_TOUCH;
    item_.first_sequence = 1;
  }

  void SetStep(const cx_activation_step &step) {
    step_ = step;
    item_.activations = &step_;
    item_.activation_count = 1;
  }

  cx_activity_content content_ = {};
  cx_activation_step step_ = {};
};

TEST_F(ChangeCheckTrackedTest, BoundsWhatAnActivitySays) {
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  ExpectBound(&content_.type, CX_ACTIVITY_TYPE_SIZE_MAX);
  ExpectBound(&content_.content_type, CX_CONTENT_TYPE_SIZE_MAX, true);
  content_.labels = &label;
  content_.label_count = 1;
  ExpectBound(&label.key, CX_LABEL_KEY_SIZE_MAX);
  ExpectBound(&label.value, CX_LABEL_VALUE_SIZE_MAX);
  content_.label_count = 0;
  content_.type = {};
  EXPECT_FALSE(Ok());
}

TEST_F(ChangeCheckTrackedTest, WantsASequenceWhereThereAreActivitiesAndOnlyThere) {
  EXPECT_TRUE(Ok());
  item_.first_sequence = 0;
  EXPECT_FALSE(Ok());
  item_.op_count = 0;
  EXPECT_TRUE(Ok());
  item_.first_sequence = 1;
  EXPECT_FALSE(Ok());
  item_.op_count = 1;
  item_.first_sequence = UINT64_MAX - 1;
  EXPECT_TRUE(Ok());
  item_.first_sequence = UINT64_MAX;
  EXPECT_FALSE(Ok()) << "none could follow";
}

TEST_F(ChangeCheckTrackedTest, ATouchChangesNoState) {
  item_.labels_changed = true;
  EXPECT_FALSE(Ok());
  item_.labels_changed = false;
  cx_op ops[] = {op_, op_};
  item_.ops = ops;
  item_.op_count = 2;
  EXPECT_TRUE(Ok());
  ops[1] = {};
  ops[1].kind = CX_MUTATION_PUT;
  ops[1].key = cx_bytes_of("k");
  EXPECT_FALSE(Ok());
  item_.kind = CX_ITEM_UPDATE;
  EXPECT_TRUE(Ok());
}

TEST_F(ChangeCheckTrackedTest, OnlyWhatLivesHasActivitiesOrLosesThem) {
  const cx_run run = {1, 2};
  for (int kind = CX_ITEM_CREATE; kind <= CX_ITEM_TOUCH; kind++) {
    bool lives = kind <= CX_ITEM_UPDATE || kind == CX_ITEM_TOUCH;
    item_.kind = static_cast<cx_item_kind>(kind);
    item_.labels_changed = kind == CX_ITEM_CREATE;
    item_.head.told = kind != CX_ITEM_DROP_STATES && kind != CX_ITEM_FORGET;
    EXPECT_EQ(lives, Ok()) << kind;
    item_.op_count = 0;
    item_.first_sequence = 0;
    EXPECT_TRUE(Ok()) << kind;
    item_.trimmed = {&run, 1};
    EXPECT_EQ(lives, Ok()) << kind;
    item_.trimmed = {};
    SetStep({cx_bytes_of("s"), true, false, 0});
    EXPECT_EQ(lives, Ok()) << kind;
    SetStep({cx_bytes_of("s"), false, false, 0});
    EXPECT_TRUE(Ok()) << kind;
    item_.activation_count = 0;
    item_.op_count = 1;
    item_.first_sequence = 1;
  }
}

TEST_F(ChangeCheckTrackedTest, AnActivationMakesSense) {
  SetStep({cx_bytes_of("s"), true, true, 7});
  EXPECT_TRUE(Ok());
  ExpectBound(&step_.session_id, CX_SESSION_ID_SIZE);
  SetStep({{}, true, false, 0});
  EXPECT_FALSE(Ok());
  SetStep({cx_bytes_of("s"), false, false, 7});
  EXPECT_FALSE(Ok()) << "an end has no fence";
  SetStep({cx_bytes_of("s"), true, true, 0});
  EXPECT_FALSE(Ok()) << "nor a shared one a guard";
}

TEST_F(ChangeCheckTrackedTest, BoundsTheAuthor) {
  item_.session_id = cx_bytes_of("s");
  ExpectBound(&item_.session_id, CX_SESSION_ID_SIZE);
  item_.session_id = {};
  EXPECT_TRUE(Ok());
}

TEST_F(ChangeCheckTrackedTest, BoundsWhatASessionIsStartedWith) {
  cx_session_start_request &start = change_.session.start;
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  cx_new_context create = {};
  change_.session.step = CX_SESSION_START;
  change_.item_count = 0;
  start.name.id = cx_bytes_of("s");
  start.ttl_us = CX_SESSION_TTL_US_MIN;
  ExpectBound(&start.name.id, CX_SESSION_ID_SIZE);
  ExpectBound(&start.owner, CX_OWNER_SIZE_MAX);
  ExpectBound(&start.default_context_id, CX_CONTEXT_ID_SIZE_MAX);
  start.labels = &label;
  start.label_count = 1;
  ExpectBound(&label.key, CX_LABEL_KEY_SIZE_MAX);
  start.label_count = 0;
  start.create_if_missing = &create;
  ExpectBound(&create.type, CX_CONTEXT_TYPE_SIZE_MAX);
  ExpectBound(&create.parent_id, CX_CONTEXT_ID_SIZE_MAX);
  create.labels = &label;
  create.label_count = 1;
  ExpectBound(&label.value, CX_LABEL_VALUE_SIZE_MAX);
  for (int64_t ttl_us : {-1LL, CX_TTL_US_MAX + 1}) {
    create.ttl_us = ttl_us;
    EXPECT_FALSE(Ok());
  }
  create.ttl_us = CX_TTL_US_MAX;
  EXPECT_TRUE(Ok());
  for (int64_t ttl_us : {-1LL, 0LL, CX_SESSION_TTL_US_MIN - 1, CX_SESSION_TTL_US_MAX + 1}) {
    start.ttl_us = ttl_us;
    EXPECT_FALSE(Ok()) << ttl_us;
  }
  start.ttl_us = CX_SESSION_TTL_US_MAX;
  EXPECT_TRUE(Ok());
  start.name.id = {};
  EXPECT_FALSE(Ok());
}

TEST_F(ChangeCheckTrackedTest, BoundsWhatIsToldOfASession) {
  cx_session_start_request &start = change_.session.start;
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  start.name.id = cx_bytes_of("s");
  start.labels = &label;
  start.label_count = 1;
  change_.session.current_id = cx_bytes_of("a");
  for (cx_session_step step : {CX_SESSION_END, CX_SESSION_LOSE, CX_SESSION_SWITCH}) {
    change_.session.step = step;
    for (int64_t ttl_us : {0LL, CX_SESSION_TTL_US_MIN - 1, CX_SESSION_TTL_US_MAX + 1}) {
      start.ttl_us = ttl_us;
      EXPECT_FALSE(Ok()) << ttl_us;
    }
    start.ttl_us = CX_SESSION_TTL_US_MIN;
    ExpectBound(&start.owner, CX_OWNER_SIZE_MAX);
    ExpectBound(&label.value, CX_LABEL_VALUE_SIZE_MAX);
  }
  change_.session.step = CX_SESSION_PART;
  start.ttl_us = 0;
  EXPECT_TRUE(Ok()) << "nothing is told";
}

TEST_F(ChangeCheckTrackedTest, NamesTheSessionAndWhereItSwitchesTo) {
  change_.item_count = 0;
  change_.session.start.ttl_us = CX_SESSION_TTL_US_MIN;
  for (cx_session_step step :
       {CX_SESSION_END, CX_SESSION_LOSE, CX_SESSION_SWITCH, CX_SESSION_PART}) {
    change_.session.step = step;
    change_.session.start.name.id = {};
    EXPECT_FALSE(Ok());
    change_.session.start.name.id = cx_bytes_of("s");
    change_.session.current_id = cx_bytes_of("a");
    ExpectBound(&change_.session.start.name.id, CX_SESSION_ID_SIZE);
  }
  change_.session.step = CX_SESSION_SWITCH;
  ExpectBound(&change_.session.current_id, CX_CONTEXT_ID_SIZE_MAX);
  change_.session.current_id = {};
  EXPECT_FALSE(Ok());
}

TEST_F(ChangeCheckTrackedTest, HasNoItemsOnlyWithASession) {
  change_.item_count = 0;
  EXPECT_FALSE(Ok());
  change_.session.step = CX_SESSION_END;
  change_.session.start.name.id = cx_bytes_of("s");
  change_.session.start.ttl_us = CX_SESSION_TTL_US_MIN;
  EXPECT_TRUE(Ok());
}

TEST_F(ChangeCheckTrackedTest, SomebodyKeepsTheMarkOfARequest) {
  change_.request.id = {1, 2};
  EXPECT_TRUE(Ok());
  change_.request.of_session = true;
  EXPECT_FALSE(Ok()) << "which session?";
  change_.session.step = CX_SESSION_END;
  change_.session.start.name.id = cx_bytes_of("s");
  change_.session.start.ttl_us = CX_SESSION_TTL_US_MIN;
  EXPECT_TRUE(Ok());
  change_.item_count = 0;
  EXPECT_TRUE(Ok());
  change_.request.of_session = false;
  EXPECT_FALSE(Ok()) << "which context?";
  change_.request.of_session = true;
  change_.request.owner = 1;
  EXPECT_FALSE(Ok());
  change_.request.owner = 0;
  change_.request.each = true;
  EXPECT_FALSE(Ok());
}

// What there is to say of earlier states: an update with a point.
class ChangeCheckRecoveryTest : public ChangeCheckTest {
 protected:
  ChangeCheckRecoveryTest() {
    step_.kind = CX_POINT_MAKE;
    step_.origin = CX_ORIGIN_CLIENT;
    step_.id = cx_bytes_of("p");
    step_.sequence = 7;
    item_.points = &step_;
    item_.point_count = 1;
  }

  // An item of the kind, with nothing but what every one of that kind has.
  void SetKind(int kind) {
    item_.kind = static_cast<cx_item_kind>(kind);
    item_.labels_changed = kind == CX_ITEM_CREATE || kind == CX_ITEM_UNDELETE;
    item_.head.told = kind != CX_ITEM_DROP_STATES && kind != CX_ITEM_FORGET;
    item_.op_count = 0;
    item_.point_count = 0;
  }

  // A step of the kind, with nothing but what every one of that kind has.
  void SetStep(cx_point_step_kind kind) {
    step_ = {};
    step_.kind = kind;
    step_.id = cx_bytes_of("p");
    step_.sequence = kind == CX_POINT_PENDING ? 0 : 7;
  }

  // Steps on entries: only those that a state beside the head can take are fine.
  void ExpectEntrySteps(cx_op **ops, size_t *count) {
    cx_activity_content content = {};
    cx_recovery_policy policy = {};
    cx_op op = {};
    content.type = cx_bytes_of("t");
    op.key = cx_bytes_of("k");
    op.activity = &content;
    op.policy = &policy;
    *ops = &op;
    *count = 1;
    for (int kind = CX_MUTATION_PUT; kind <= CX_MUTATION_SET_POLICY; kind++) {
      op.kind = static_cast<cx_mutation_kind>(kind);
      EXPECT_EQ(kind != CX_MUTATION_RECORD && kind != CX_MUTATION_SET_EXPIRY &&
                    kind != CX_MUTATION_SET_POLICY,
                Ok())
          << kind;
    }
    op.kind = CX_MUTATION_PUT;
    ExpectBound(&op.key, CX_ENTRY_KEY_SIZE_MAX, true);
    ExpectBound(&op.content_type, CX_CONTENT_TYPE_SIZE_MAX, true);
    *ops = nullptr;
    *count = 0;
  }

  cx_point_step step_ = {};
};

TEST_F(ChangeCheckRecoveryTest, BoundsAPolicy) {
  cx_recovery_policy policy = {true, {1, 2, CX_TTL_US_MAX}, 3, CX_TTL_US_MAX};
  op_.kind = CX_MUTATION_SET_POLICY;
  op_.policy = &policy;
  for (cx_recovery_policy *each : {&policy, &item_.head.policy}) {
    *each = policy;
    for (int64_t *time_us : {&each->retention.keep_within_us, &each->point_every_us}) {
      for (int64_t wrong : {int64_t{CX_TTL_US_MAX} + 1, int64_t{-1}, int64_t{INT64_MIN}}) {
        *time_us = wrong;
        EXPECT_FALSE(Ok()) << wrong;
      }
      *time_us = 0;
      EXPECT_TRUE(Ok());
    }
  }
}

TEST_F(ChangeCheckRecoveryTest, OnlyAnUpdateAndAnUndeleteAreMadeFromAnEarlierState) {
  for (int kind = CX_ITEM_CREATE; kind <= CX_ITEM_UNDELETE; kind++) {
    bool revives = kind == CX_ITEM_UPDATE || kind == CX_ITEM_UNDELETE;
    SetKind(kind);
    EXPECT_TRUE(Ok()) << kind;
    item_.base = {CX_BASE_VERSION, 3};
    EXPECT_EQ(revives, Ok()) << kind;
    item_.base = {};
    item_.untold = true;
    EXPECT_EQ(revives, Ok()) << kind;
    item_.untold = false;
  }
}

TEST_F(ChangeCheckRecoveryTest, TheEarlierStateIsAPointWithItsIdOrAVersionWithout) {
  item_.base = {CX_BASE_POINT, 3};
  EXPECT_FALSE(Ok()) << "which point?";
  item_.base_id = cx_bytes_of("p");
  EXPECT_TRUE(Ok());
  ExpectBound(&item_.base_id, CX_POINT_ID_SIZE_MAX);
  for (cx_base_kind kind : {CX_BASE_NONE, CX_BASE_VERSION, CX_BASE_HEAD}) {
    item_.base = {kind, 3};
    item_.base_id = cx_bytes_of("p");
    EXPECT_FALSE(Ok()) << kind;
    item_.base_id = {};
    EXPECT_EQ(kind != CX_BASE_HEAD, Ok()) << kind;
  }
  item_.base = {CX_BASE_VERSION, 3};
  ExpectEntrySteps(&item_.base_ops, &item_.base_op_count);
}

TEST_F(ChangeCheckRecoveryTest, OnlyWhatIsCreatedIsAForkAndTakesSomethingAlong) {
  for (int kind = CX_ITEM_CREATE; kind <= CX_ITEM_UNDELETE; kind++) {
    SetKind(kind);
    item_.source = {cx_bytes_of("from"), {CX_BASE_HEAD, 3}};
    EXPECT_EQ(kind == CX_ITEM_CREATE, Ok()) << kind;
    item_.source = {};
  }
  SetKind(CX_ITEM_CREATE);
  for (bool *flag : {&item_.with_history, &item_.with_points}) {
    *flag = true;
    EXPECT_FALSE(Ok()) << "of what?";
    item_.source.id = cx_bytes_of("from");
    EXPECT_TRUE(Ok());
    *flag = false;
    item_.source = {};
  }
  item_.source.id = cx_bytes_of("from");
  EXPECT_TRUE(Ok());
  cx_op put = {};
  put.kind = CX_MUTATION_PUT;
  put.key = cx_bytes_of("k");
  item_.ops = &put;
  item_.op_count = 1;
  EXPECT_FALSE(Ok()) << "it begins with what it was forked from, and nothing else";
  item_.op_count = 0;
  ExpectBound(&item_.source.id, CX_CONTEXT_ID_SIZE_MAX);
  ExpectBound(&item_.head.forked_from_id, CX_CONTEXT_ID_SIZE_MAX);
}

TEST_F(ChangeCheckRecoveryTest, OnlyAnUpdateHasMerged) {
  for (int kind = CX_ITEM_CREATE; kind <= CX_ITEM_UNDELETE; kind++) {
    SetKind(kind);
    item_.merged = {cx_bytes_of("from"), {CX_BASE_HEAD, 3}};
    EXPECT_EQ(kind == CX_ITEM_UPDATE, Ok()) << kind;
  }
  SetKind(CX_ITEM_UPDATE);
  ExpectBound(&item_.merged.id, CX_CONTEXT_ID_SIZE_MAX);
}

TEST_F(ChangeCheckRecoveryTest, OnlyATouchIsATimers) {
  for (int kind = CX_ITEM_CREATE; kind <= CX_ITEM_UNDELETE; kind++) {
    SetKind(kind);
    item_.by_timer = true;
    EXPECT_EQ(kind == CX_ITEM_TOUCH, Ok()) << kind;
  }
}

TEST_F(ChangeCheckRecoveryTest, WhatEndsTakesNoStepsOnPoints) {
  for (int kind = CX_ITEM_CREATE; kind <= CX_ITEM_UNDELETE; kind++) {
    bool ends = kind >= CX_ITEM_DELETE && kind <= CX_ITEM_FORGET;
    SetKind(kind);
    item_.point_count = 1;
    EXPECT_EQ(!ends, Ok()) << kind;
  }
}

TEST_F(ChangeCheckRecoveryTest, BoundsWhatAPointSays) {
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  ExpectBound(&step_.id, CX_POINT_ID_SIZE_MAX);
  step_.aside = true;
  step_.base = {CX_BASE_HEAD, 1};
  for (cx_label_list *labels : {&step_.labels, &step_.state_labels}) {
    *labels = {&label, 1};
    ExpectBound(&label.key, CX_LABEL_KEY_SIZE_MAX);
    ExpectBound(&label.value, CX_LABEL_VALUE_SIZE_MAX);
    *labels = {};
  }
  step_.expire_time_us = INT64_MAX;
  EXPECT_TRUE(Ok());
  step_.expire_time_us = -1;
  EXPECT_FALSE(Ok());
  step_.expire_time_us = 0;
  step_.id = {};
  EXPECT_FALSE(Ok());
}

TEST_F(ChangeCheckRecoveryTest, OnlyAPointThatIsStillToBeMadeHasNoSequence) {
  for (int kind = CX_POINT_MAKE; kind <= CX_POINT_PENDING; kind++) {
    SetStep(static_cast<cx_point_step_kind>(kind));
    EXPECT_TRUE(Ok()) << kind;
    step_.sequence = 7 - step_.sequence;
    EXPECT_FALSE(Ok()) << kind;
  }
}

TEST_F(ChangeCheckRecoveryTest, FlagsOfAPointFitWhatIsDoneWithIt) {
  for (int kind = CX_POINT_MAKE; kind <= CX_POINT_PENDING; kind++) {
    bool makes = kind == CX_POINT_MAKE || kind == CX_POINT_REPLACE;
    SetStep(static_cast<cx_point_step_kind>(kind));
    step_.pinned = true;
    EXPECT_EQ(makes || kind == CX_POINT_CHANGE, Ok()) << kind;
    step_.pinned = false;
    step_.expired = true;
    EXPECT_EQ(kind == CX_POINT_DROP, Ok()) << kind;
    step_.expired = false;
    step_.aside = true;
    step_.base = {CX_BASE_HEAD, 1};
    EXPECT_EQ(makes, Ok()) << kind;
  }
}

TEST_F(ChangeCheckRecoveryTest, APointBesideTheHeadIsMadeFromAPointOrTheHead) {
  step_.aside = true;
  for (cx_base_kind kind : {CX_BASE_NONE, CX_BASE_POINT, CX_BASE_VERSION, CX_BASE_HEAD}) {
    step_.base = {kind, 1};
    EXPECT_EQ(kind == CX_BASE_POINT || kind == CX_BASE_HEAD, Ok()) << kind;
  }
  ExpectEntrySteps(&step_.ops, &step_.op_count);
}

TEST_F(ChangeCheckRecoveryTest, AttachmentsArePutOrDeleted) {
  cx_op op = {};
  op.key = cx_bytes_of("k");
  step_.attachments = &op;
  step_.attachment_count = 1;
  for (int kind = CX_MUTATION_PUT; kind <= CX_MUTATION_SET_LABEL; kind++) {
    op.kind = static_cast<cx_mutation_kind>(kind);
    EXPECT_EQ(kind == CX_MUTATION_PUT || kind == CX_MUTATION_DELETE, Ok()) << kind;
  }
  op.kind = CX_MUTATION_PUT;
  ExpectBound(&op.key, CX_ENTRY_KEY_SIZE_MAX, true);
  ExpectBound(&op.content_type, CX_CONTENT_TYPE_SIZE_MAX, true);
}

TEST_F(ChangeCheckRecoveryTest, DropsComeLastByTheirSequencesEachOnce) {
  cx_point_step steps[3] = {step_, step_, step_};
  auto drop = [&](int at, uint64_t sequence) {
    steps[at].kind = CX_POINT_DROP;
    steps[at].sequence = sequence;
  };
  item_.points = steps;
  item_.point_count = 3;
  drop(1, 3);
  drop(2, 4);
  EXPECT_TRUE(Ok());
  drop(2, 3);
  EXPECT_FALSE(Ok()) << "twice";
  drop(2, 2);
  EXPECT_FALSE(Ok()) << "backwards";
  steps[2] = step_;
  EXPECT_FALSE(Ok()) << "one is made behind a drop";
}

TEST_F(ChangeCheckRecoveryTest, BoundsTheStepsOnPoints) {
  const size_t made_max = 4;
  std::vector<cx_point_step> steps(made_max + 1, step_);
  item_.points = steps.data();
  item_.point_count = made_max;
  EXPECT_TRUE(Ok());
  item_.point_count = made_max + 1;
  EXPECT_FALSE(Ok());
  steps.resize(made_max + CX_CHANGE_ITEMS_MAX + 1);
  for (size_t i = made_max; i < steps.size(); i++) {
    steps[i] = step_;
    steps[i].kind = CX_POINT_DROP;
    steps[i].sequence = i;
  }
  item_.points = steps.data();
  item_.point_count = steps.size() - 1;
  EXPECT_TRUE(Ok());
  item_.point_count = steps.size();
  EXPECT_FALSE(Ok());
}

}  // namespace
