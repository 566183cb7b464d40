// Changes into bytes: everything that a change says is there again when it is decoded, and
// the bytes stay the same over releases.

#include "tests/unit/state/activity_fixture.h"
#include "tests/unit/state/state_fixture.h"

extern "C" {
#include "core/state/detail.h"
#include "tests/support/fail_nth.h"
}

namespace {

class ChangeEncodeTest : public testing::Test {
 protected:
  ChangeEncodeTest() {
    content_.type = cx_bytes_of("type");
    content_.content_type = cx_bytes_of("text/plain");
    content_.data = cx_bytes_of("data");
    content_.labels = &label_;
    content_.label_count = 1;
    op_.kind = CX_MUTATION_RECORD;
    op_.activity = &content_;
    item_.kind = CX_ITEM_TOUCH;
    item_.id = cx_bytes_of("a");
    item_.version = 3;
    item_.head.told = true;
    item_.ops = &op_;
    item_.op_count = 1;
    item_.first_sequence = 300;
    change_.kind = CX_CHANGE_CONTEXTS;
    change_.namespace_id = cx_bytes_of("n");
    change_.items = &item_;
    change_.item_count = 1;
  }
  ~ChangeEncodeTest() override { cx_arena_done(&arena_); }

  std::string Encode(const cx_change &change) {
    cx_buffer buffer = {};
    EXPECT_EQ(CX_OK, cx_change_encode(&change, &buffer));
    std::string text = Text(cx_buffer_bytes(&buffer));
    cx_buffer_done(&buffer);
    return text;
  }

  // A session that does not start.
  void SetToldSession() {
    cx_session_change &session = change_.session;
    session = {};
    session.start.name.id = cx_bytes_of("s");
    session.start.owner = cx_bytes_of("o");
    session.start.labels = &label_;
    session.start.label_count = 1;
    session.start.ttl_us = CX_SECOND_US;
    session.create_time_us = 77;
    session.current_id = cx_bytes_of("a");
  }

  // What is decoded of the change, whose bytes stay the same when it is encoded again.
  cx_change Again() {
    cx_change decoded = {};
    encoded_ = Encode(change_);
    EXPECT_EQ(CX_OK, cx_change_decode(Bytes(encoded_), &arena_, &decoded));
    EXPECT_EQ(encoded_, Encode(decoded));
    return decoded;
  }

  std::string Hex() {
    std::string hex;
    char digits[3];
    for (unsigned char byte : Encode(change_)) {
      snprintf(digits, sizeof digits, "%02x", byte);
      hex += digits;
    }
    return hex;
  }

  cx_arena arena_ = {};
  std::string encoded_;
  cx_label label_ = {cx_bytes_of("l"), cx_bytes_of("v")};
  cx_activity_content content_ = {};
  cx_op op_ = {};
  cx_change_item item_ = {};
  cx_change change_ = {};
};

TEST_F(ChangeEncodeTest, KeepsWhatAnActivitySays) {
  for (const cx_detail &detail :
       {cx_detail{}, FileDetail("path", "read", "agent"), ModelDetail("p", "m", "x", "USD", 1000),
        ResourceDetail("tool", "hammer", CX_RESOURCE_RECLAIMED)}) {
    content_.detail = detail;
    cx_change decoded = Again();
    ASSERT_EQ(1u, decoded.items[0].op_count);
    const cx_activity_content *said = decoded.items[0].ops[0].activity;
    EXPECT_EQ("type", Text(said->type));
    EXPECT_EQ("text/plain", Text(said->content_type));
    EXPECT_EQ("data", Text(said->data));
    ASSERT_EQ(1u, said->label_count);
    EXPECT_EQ("v", Text(said->labels[0].value));
    EXPECT_TRUE(cx_detail_equal(&detail, &said->detail));
    EXPECT_EQ(CX_ITEM_TOUCH, decoded.items[0].kind);
    EXPECT_EQ(300u, decoded.items[0].first_sequence);
  }
}

TEST_F(ChangeEncodeTest, KeepsTheAuthorAndTheRunsOfWhatIsDropped) {
  const cx_run runs[] = {{1, 1}, {2, 9}, {1000, UINT64_MAX}};
  item_.session_id = cx_bytes_of("s");
  item_.trimmed = {runs, 3};
  cx_change decoded = Again();
  EXPECT_EQ("s", Text(decoded.items[0].session_id));
  ASSERT_EQ(3u, decoded.items[0].trimmed.count);
  for (size_t i = 0; i < 3; i++) {
    EXPECT_EQ(runs[i].first, decoded.items[0].trimmed.items[i].first);
    EXPECT_EQ(runs[i].last, decoded.items[0].trimmed.items[i].last);
  }
}

TEST_F(ChangeEncodeTest, KeepsActivationsInTheirOrder) {
  const cx_activation_step steps[] = {{cx_bytes_of("t"), false, false, 0},
                                      {cx_bytes_of("u"), true, false, 0},
                                      {cx_bytes_of("s"), true, false, 7},
                                      {cx_bytes_of("s"), true, true, 8}};
  item_.activations = steps;
  item_.activation_count = 4;
  cx_change decoded = Again();
  ASSERT_EQ(4u, decoded.items[0].activation_count);
  for (size_t i = 0; i < 4; i++) {
    const cx_activation_step &step = decoded.items[0].activations[i];
    EXPECT_EQ(Text(steps[i].session_id), Text(step.session_id));
    EXPECT_EQ(steps[i].active, step.active);
    EXPECT_EQ(steps[i].guard, step.guard);
    EXPECT_EQ(steps[i].fence, step.fence);
  }
}

TEST_F(ChangeEncodeTest, KeepsWhatElseThereIsToTellOfAContext) {
  const cx_change_head heads[] = {
      {true, {}, 0, 0, false, 0, 0, 0, 0, {}, {}, 0},
      {true, cx_bytes_of("above"), 1, 2, false, 3, 4, 5, 6, {}, {}, 0},
      {true, {}, -1, INT64_MAX, false, INT64_MIN, UINT64_MAX, UINT64_MAX, UINT64_MAX, {}, {}, 0},
      {true, {}, 0, 0, true, CX_TTL_US_MAX, 0, 0, 0, {}, {}, 0},
      {true, {}, 0, 0, false, 0, 0, 0, 0, {true, {1, 2, 3}, 4, 5}, cx_bytes_of("from"), 6},
      {true, {}, 0, 0, false, 0, 0, 0, 0, {true, {}, 0, 0}, {}, 0},
      {false, {}, 0, 0, false, 0, 0, 0, 0, {}, {}, 0},
  };
  for (const cx_change_head &head : heads) {
    item_.kind = head.told ? CX_ITEM_TOUCH : CX_ITEM_FORGET;
    item_.op_count = head.told;
    item_.first_sequence = head.told ? 300 : 0;
    item_.head = head;
    cx_change_head got = Again().items[0].head;
    EXPECT_EQ(head.told, got.told);
    EXPECT_EQ(Text(head.parent_id), Text(got.parent_id));
    EXPECT_EQ(head.create_time_us, got.create_time_us);
    EXPECT_EQ(head.update_time_us, got.update_time_us);
    EXPECT_EQ(head.expires_from_now, got.expires_from_now);
    EXPECT_EQ(head.expire_us, got.expire_us);
    EXPECT_EQ(head.entry_count, got.entry_count);
    EXPECT_EQ(head.size_bytes, got.size_bytes);
    EXPECT_EQ(head.fence, got.fence);
    EXPECT_EQ(PolicyText(head.policy), PolicyText(got.policy));
    EXPECT_EQ(Text(head.forked_from_id), Text(got.forked_from_id));
    EXPECT_EQ(head.forked_from_version, got.forked_from_version);
  }
}

TEST_F(ChangeEncodeTest, KeepsWhatASessionIsStartedWith) {
  static cx_new_context create;  // The change borrows it for longer than this test lasts.
  cx_session_start_request &start = change_.session.start;
  create.type = cx_bytes_of("chat");
  create.parent_id = cx_bytes_of("above");
  create.labels = &label_;
  create.label_count = 1;
  create.ttl_us = 11;
  change_.item_count = 0;
  change_.session.step = CX_SESSION_START;
  start.name.id = cx_bytes_of("s");
  start.owner = cx_bytes_of("owner");
  start.labels = &label_;
  start.label_count = 1;
  start.ttl_us = 5 * CX_SECOND_US;
  start.default_context_id = cx_bytes_of("home");
  start.max_active_contexts = 9;
  EXPECT_EQ(nullptr, Again().session.start.create_if_missing);
  start.create_if_missing = &create;
  for (int flags = 0; flags < 4; flags++) {
    create.create_parent = (flags & 1) != 0;
    create.sliding = (flags & 2) != 0;
    cx_change decoded = Again();
    const cx_session_start_request &got = decoded.session.start;
    EXPECT_EQ(CX_SESSION_START, decoded.session.step);
    EXPECT_EQ("n", Text(got.name.namespace_id));
    EXPECT_EQ("s", Text(got.name.id));
    EXPECT_EQ("owner", Text(got.owner));
    EXPECT_EQ(1u, got.label_count);
    EXPECT_EQ(5 * CX_SECOND_US, got.ttl_us);
    EXPECT_EQ("home", Text(got.default_context_id));
    EXPECT_EQ(9u, got.max_active_contexts);
    ASSERT_NE(nullptr, got.create_if_missing);
    EXPECT_EQ("chat", Text(got.create_if_missing->type));
    EXPECT_EQ("above", Text(got.create_if_missing->parent_id));
    EXPECT_EQ(1u, got.create_if_missing->label_count);
    EXPECT_EQ(11, got.create_if_missing->ttl_us);
    EXPECT_EQ(create.create_parent, got.create_if_missing->create_parent);
    EXPECT_EQ(create.sliding, got.create_if_missing->sliding);
  }
}

TEST_F(ChangeEncodeTest, KeepsTheStepsOfASessionAndWhatTheyTellOfIt) {
  SetToldSession();
  for (cx_session_step step :
       {CX_SESSION_END, CX_SESSION_LOSE, CX_SESSION_SWITCH, CX_SESSION_PART}) {
    change_.session.step = step;
    cx_change decoded = Again();
    EXPECT_EQ(step, decoded.session.step);
    EXPECT_EQ("s", Text(decoded.session.start.name.id));
    EXPECT_EQ("n", Text(decoded.session.start.name.namespace_id));
    EXPECT_EQ(step == CX_SESSION_SWITCH ? "a" : "", Text(decoded.session.current_id));
    if (step == CX_SESSION_PART) {
      EXPECT_EQ(0u, decoded.session.start.owner.size) << "a part tells nothing";
      EXPECT_EQ(0, decoded.session.create_time_us);
      continue;
    }
    EXPECT_EQ("o", Text(decoded.session.start.owner));
    ASSERT_EQ(1u, decoded.session.start.label_count);
    EXPECT_EQ("l", Text(decoded.session.start.labels[0].key));
    EXPECT_EQ(CX_SECOND_US, decoded.session.start.ttl_us);
    EXPECT_EQ(77, decoded.session.create_time_us);
  }
}

TEST_F(ChangeEncodeTest, KeepsWhoRemembersTheRequestAndWhat) {
  SetToldSession();
  change_.session.step = CX_SESSION_END;
  change_.request = {{1, 2}, 3, 0, false, false, false, 0};
  EXPECT_FALSE(Again().request.of_session);
  change_.request.has_answer = true;
  change_.request.answer = 77;
  EXPECT_TRUE(Again().request.has_answer);
  EXPECT_EQ(77u, Again().request.answer);
  change_.request.has_answer = false;
  change_.request.of_session = true;
  EXPECT_TRUE(Again().request.of_session);
  EXPECT_EQ(0u, Again().request.owner);
}

TEST_F(ChangeEncodeTest, WritesTheSameBytesOverReleases) {
  const cx_run runs[] = {{2, 9}, {20, 20}};
  const cx_activation_step steps[] = {{cx_bytes_of("t"), false, false, 0},
                                      {cx_bytes_of("s"), true, true, 8}};
  content_.detail = FileDetail("p", "r");
  item_.session_id = cx_bytes_of("s");
  item_.trimmed = {runs, 2};
  item_.activations = steps;
  item_.activation_count = 2;
  item_.head = {true, cx_bytes_of("p"), 1000, 0, true, 9, 2, 300, 8, {}, {}, 0};
  SetToldSession();
  change_.session.step = CX_SESSION_SWITCH;
  change_.request = {{1, 2}, 3, 0, false, false, true, 300};
  EXPECT_EQ(
      "0115016e"                                                // Kind, flags, namespace.
      "01000000000000000200000000000000030000000000000000ac02"  // The request.
      "040173016f01016c0176c0843d4d0161"                        // The session.
      "0108fc0101610300000170e8070009"
      "02ac020801"  // The item, up to its op.
      "0804747970650a746578742f706c61696e01016c01760101700172000464617461"
      "0173ac020202070b00"  // Its author, its sequence and runs.
      "0200017407017308",   // Its activations.
      Hex());
}

TEST_F(ChangeEncodeTest, WritesTheSameBytesOfAFloorOverReleases) {
  change_ = {};
  change_.kind = CX_CHANGE_FLOOR;
  change_.floor = 300;
  EXPECT_EQ("03ac02", Hex());
  EXPECT_EQ(CX_CHANGE_FLOOR, Again().kind);
  EXPECT_EQ(300u, Again().floor);
}

TEST_F(ChangeEncodeTest, SaysWhenThereIsNoMemory) {
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_buffer buffer = {};
    std::string large(3000, 'x');
    content_.data = Bytes(large);
    fail_nth_begin(&fail, nth);
    cx_status status = cx_change_encode(&change_, &buffer);
    bool failed = fail_nth_end(&fail);
    cx_buffer_done(&buffer);
    EXPECT_EQ(failed ? CX_RESOURCE_EXHAUSTED : CX_OK, status);
    if (!failed) break;
  }
}

// An update, with what there is to say of earlier states.
class ChangeEncodeRecoveryTest : public ChangeEncodeTest {
 protected:
  ChangeEncodeRecoveryTest() {
    put_.kind = CX_MUTATION_PUT;
    put_.key = cx_bytes_of("k");
    put_.kept = 3;
    put_.value = cx_bytes_of("value");
    delete_.kind = CX_MUTATION_DELETE;
    delete_.key = cx_bytes_of("gone");
    ops_[0] = put_;
    ops_[1] = delete_;
    item_.kind = CX_ITEM_UPDATE;
    item_.op_count = 0;
    item_.first_sequence = 0;
  }

  static void ExpectOps(const cx_op *got, size_t count) {
    ASSERT_EQ(2u, count);
    EXPECT_EQ(CX_MUTATION_PUT, got[0].kind);
    EXPECT_EQ("k", Text(got[0].key));
    EXPECT_EQ(3u, got[0].kept);
    EXPECT_EQ("value", Text(got[0].value));
    EXPECT_EQ(CX_MUTATION_DELETE, got[1].kind);
    EXPECT_EQ("gone", Text(got[1].key));
  }
  static void ExpectBase(const struct cx_base_ref &expected, const struct cx_base_ref &got) {
    EXPECT_EQ(expected.kind, got.kind);
    EXPECT_EQ(expected.number, got.number);
  }
  static void ExpectLabel(const cx_label_list &got) {
    ASSERT_EQ(1u, got.count);
    EXPECT_EQ("l", Text(got.items[0].key));
    EXPECT_EQ("v", Text(got.items[0].value));
  }

  // One step on a point, as it is decoded.
  cx_point_step StepAgain(cx_point_step step) {
    item_.points = &step;
    item_.point_count = 1;
    cx_change decoded = Again();
    EXPECT_EQ(1u, decoded.items[0].point_count);
    return decoded.items[0].points[0];
  }

  // One that is made beside the head, with everything that there is to say of it.
  cx_point_step Aside() {
    cx_point_step step = {};
    step.kind = CX_POINT_MAKE;
    step.origin = CX_ORIGIN_SAFETY;
    step.pinned = true;
    step.aside = true;
    step.id = cx_bytes_of("p");
    step.sequence = 300;
    step.version = 301;
    step.base = {CX_BASE_POINT, 299};
    step.ops = ops_;
    step.op_count = 2;
    step.state_labels = {&label_, 1};
    step.labels = {&label_, 1};
    step.attachments = ops_;
    step.attachment_count = 2;
    step.expire_time_us = 77;
    return step;
  }

  cx_op put_ = {}, delete_ = {};
  cx_op ops_[2] = {};
};

TEST_F(ChangeEncodeRecoveryTest, KeepsTheStateThatANewOneIsMadeFrom) {
  const struct cx_base_ref bases[] = {{CX_BASE_POINT, 300}, {CX_BASE_VERSION, 1}};
  item_.base_ops = ops_;
  item_.base_op_count = 2;
  for (bool untold : {false, true}) {
    for (cx_item_kind kind : {CX_ITEM_UPDATE, CX_ITEM_UNDELETE}) {
      for (const struct cx_base_ref &base : bases) {
        item_.kind = kind;
        item_.labels_changed = kind == CX_ITEM_UNDELETE;
        item_.base = base;
        item_.base_id = cx_bytes_of(base.kind == CX_BASE_POINT ? "p" : "");
        item_.untold = untold;
        cx_change decoded = Again();
        const cx_change_item &got = decoded.items[0];
        EXPECT_EQ(kind, got.kind);
        EXPECT_EQ(untold, got.untold);
        ExpectBase(base, got.base);
        EXPECT_EQ(Text(item_.base_id), Text(got.base_id));
        ExpectOps(got.base_ops, got.base_op_count);
      }
    }
  }
}

TEST_F(ChangeEncodeRecoveryTest, KeepsWhatAForkComesFromAndTakesAlong) {
  item_.kind = CX_ITEM_CREATE;
  item_.labels_changed = true;
  for (int flags = 0; flags < 4; flags++) {
    item_.source = {cx_bytes_of("from"), {static_cast<cx_base_kind>(CX_BASE_POINT + flags % 3), 9}};
    item_.with_history = (flags & 1) != 0;
    item_.with_points = (flags & 2) != 0;
    cx_change decoded = Again();
    EXPECT_EQ("from", Text(decoded.items[0].source.id));
    ExpectBase(item_.source.base, decoded.items[0].source.base);
    EXPECT_EQ(item_.with_history, decoded.items[0].with_history);
    EXPECT_EQ(item_.with_points, decoded.items[0].with_points);
  }
}

TEST_F(ChangeEncodeRecoveryTest, KeepsWhatWasMerged) {
  item_.merged = {cx_bytes_of("other"), {CX_BASE_VERSION, 12}};
  cx_change decoded = Again();
  EXPECT_EQ("other", Text(decoded.items[0].merged.id));
  ExpectBase({CX_BASE_VERSION, 12}, decoded.items[0].merged.base);
  EXPECT_EQ(0u, decoded.items[0].source.id.size);
}

TEST_F(ChangeEncodeRecoveryTest, KeepsThatATimerMadeIt) {
  item_.kind = CX_ITEM_TOUCH;
  EXPECT_FALSE(Again().items[0].by_timer);
  item_.by_timer = true;
  EXPECT_TRUE(Again().items[0].by_timer);
}

TEST_F(ChangeEncodeRecoveryTest, KeepsAPointMadeBesideTheHead) {
  for (cx_point_step_kind kind : {CX_POINT_MAKE, CX_POINT_REPLACE}) {
    cx_point_step step = Aside();
    step.kind = kind;
    cx_point_step got = StepAgain(step);
    EXPECT_EQ(kind, got.kind);
    EXPECT_EQ(CX_ORIGIN_SAFETY, got.origin);
    EXPECT_TRUE(got.pinned);
    EXPECT_TRUE(got.aside);
    EXPECT_EQ("p", Text(got.id));
    EXPECT_EQ(300u, got.sequence);
    EXPECT_EQ(301u, got.version);
    ExpectBase({CX_BASE_POINT, 299}, got.base);
    ExpectOps(got.ops, got.op_count);
    ExpectLabel(got.state_labels);
    ExpectLabel(got.labels);
    ExpectOps(got.attachments, got.attachment_count);
    EXPECT_EQ(77, got.expire_time_us);
  }
}

TEST_F(ChangeEncodeRecoveryTest, KeepsAPointOfTheHeadWhoeverWantedIt) {
  for (int origin = CX_ORIGIN_CLIENT; origin <= CX_ORIGIN_SESSION_LOSS; origin++) {
    cx_point_step step = {};
    step.kind = CX_POINT_MAKE;
    step.origin = static_cast<uint8_t>(origin);
    step.id = cx_bytes_of("p");
    step.sequence = 1;
    step.version = 2;
    cx_point_step got = StepAgain(step);
    EXPECT_EQ(origin, got.origin);
    EXPECT_FALSE(got.aside);
    EXPECT_FALSE(got.pinned);
    EXPECT_EQ(2u, got.version);
    EXPECT_EQ(CX_BASE_NONE, got.base.kind);
    EXPECT_EQ(0, got.expire_time_us);
  }
}

TEST_F(ChangeEncodeRecoveryTest, KeepsWhatChangesBesideTheStateOfAPoint) {
  cx_point_step step = Aside();
  step.kind = CX_POINT_CHANGE;
  step.aside = false;
  step.base = {};
  step.op_count = 0;
  step.state_labels = {};
  cx_point_step got = StepAgain(step);
  EXPECT_EQ(CX_POINT_CHANGE, got.kind);
  EXPECT_TRUE(got.pinned);
  EXPECT_EQ(300u, got.sequence);
  EXPECT_EQ(0u, got.version) << "its state stays";
  ExpectLabel(got.labels);
  ExpectOps(got.attachments, got.attachment_count);
  EXPECT_EQ(77, got.expire_time_us);
}

TEST_F(ChangeEncodeRecoveryTest, KeepsAttachmentsOfAPointThatIsStillToBeMade) {
  cx_point_step step = {};
  step.kind = CX_POINT_PENDING;
  step.id = cx_bytes_of("later");
  step.attachments = ops_;
  step.attachment_count = 2;
  cx_point_step got = StepAgain(step);
  EXPECT_EQ(CX_POINT_PENDING, got.kind);
  EXPECT_EQ("later", Text(got.id));
  EXPECT_EQ(0u, got.sequence);
  ExpectOps(got.attachments, got.attachment_count);
}

TEST_F(ChangeEncodeRecoveryTest, KeepsTheDropsInTheirOrderAndWhichExpired) {
  cx_point_step steps[3] = {Aside(), {}, {}};
  for (int i = 1; i < 3; i++) {
    steps[i].kind = CX_POINT_DROP;
    steps[i].id = cx_bytes_of(i == 1 ? "d1" : "d2");
    steps[i].sequence = static_cast<uint64_t>(i);
    steps[i].expired = i == 2;
  }
  item_.points = steps;
  item_.point_count = 3;
  cx_change decoded = Again();
  ASSERT_EQ(3u, decoded.items[0].point_count);
  const cx_point_step *got = decoded.items[0].points;
  EXPECT_EQ(CX_POINT_MAKE, got[0].kind);
  for (int i = 1; i < 3; i++) {
    EXPECT_EQ(CX_POINT_DROP, got[i].kind);
    EXPECT_EQ(Text(steps[i].id), Text(got[i].id));
    EXPECT_EQ(steps[i].sequence, got[i].sequence);
    EXPECT_EQ(steps[i].expired, got[i].expired);
  }
}

TEST_F(ChangeEncodeRecoveryTest, KeepsAPolicyThatIsSetAndWhatASessionLeavesWhenItIsLost) {
  static cx_new_context create;  // The change borrows it for longer than this test lasts.
  const cx_recovery_policy policy = {true, {1, 2, 3}, 4, 5};
  cx_op op = {};
  op.kind = CX_MUTATION_SET_POLICY;
  op.policy = &policy;
  item_.ops = &op;
  item_.op_count = 1;
  change_.session.step = CX_SESSION_START;
  change_.session.start.name.id = cx_bytes_of("s");
  change_.session.start.ttl_us = CX_SECOND_US;
  change_.session.start.point_on_loss = true;
  EXPECT_TRUE(Again().session.start.point_on_loss);
  create.policy = policy;
  change_.session.start.create_if_missing = &create;
  cx_change decoded = Again();
  ASSERT_EQ(1u, decoded.items[0].op_count);
  EXPECT_EQ(PolicyText(policy), PolicyText(*decoded.items[0].ops[0].policy));
  EXPECT_TRUE(decoded.session.start.point_on_loss);
  ASSERT_NE(nullptr, decoded.session.start.create_if_missing);
  EXPECT_EQ(PolicyText(policy), PolicyText(decoded.session.start.create_if_missing->policy));
}

TEST_F(ChangeEncodeRecoveryTest, WritesTheSameBytesOverReleases) {
  cx_point_step steps[2] = {Aside(), {}};
  steps[1].kind = CX_POINT_DROP;
  steps[1].expired = true;
  steps[1].id = cx_bytes_of("d");
  steps[1].sequence = 9;
  item_.head = {true, {}, 1000, 0, false, 0, 2, 300, 0, {true, {1, 2, 3}, 4, 5}, cx_bytes_of("f"),
                6};
  item_.base = {CX_BASE_POINT, 299};
  item_.base_id = cx_bytes_of("p");
  item_.base_ops = ops_;
  item_.base_op_count = 2;
  item_.merged = {cx_bytes_of("m"), {CX_BASE_VERSION, 12}};
  item_.untold = true;
  item_.points = steps;
  item_.point_count = 2;
  EXPECT_EQ(
      "0100016e0102c09e06016103000000e807000002ac020000"  // The item, up to its head.
      "010102030405016606"                              // Its policy, and what it was forked from.
      "01ab0201700201016b00030576616c75650304676f6e65"  // What it is made from, with steps on top.
      "016d020c"                                        // What was merged.
      "0201030170ac0203ad02"                            // Two steps: a point is made
      "01ab020201016b00030576616c75650304676f6e6501016c0176"  // beside the head,
      "0201016b00030576616c75650304676f6e6501016c01764d"      // with what lies beside its state,
      "0404016409",                                           // and one is dropped.
      Hex());
}

}  // namespace
