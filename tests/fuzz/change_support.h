// Changes made from an input, and what they are compared by.

#ifndef CX_TESTS_FUZZ_CHANGE_SUPPORT_H
#define CX_TESTS_FUZZ_CHANGE_SUPPORT_H

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/fuzz/made_parts.h"

extern "C" {
#include "core/base/arena.h"
#include "core/state/recovery.h"
#include "core/state/settings.h"
}

// A change and everything that it points at. Its form is right; whether it fits a state is
// up to the input, or to FitChange.
class MadeChange {
 public:
  explicit MadeChange(Input *input) : input_(input), parts_(input) {
    uint8_t kind = input->Byte();
    if (kind < 0x10) {
      MakeSettings();
    } else {
      MakeContexts(kind);
    }
  }

  const cx_change &change() const { return change_; }

  // For those who change it further.
  cx_change *mutable_change() { return &change_; }
  MadeParts *parts() { return &parts_; }
  void SetItems(std::vector<cx_change_item> items) {
    items_ = std::move(items);
    change_.items = items_.empty() ? nullptr : items_.data();
    change_.item_count = items_.size();
  }

 private:
  void MakeSettings() {
    settings_.version_retention = 1 + input_->Below(4);
    settings_.undelete_window_us = parts_.Duration();
    settings_.tombstone_window_us = parts_.Duration();
    if (settings_.tombstone_window_us < settings_.undelete_window_us) {
      std::swap(settings_.tombstone_window_us, settings_.undelete_window_us);
    }
    settings_.request_id_window_us = parts_.Duration();
    settings_.request_ids_max = input_->Number(2);
    change_.kind = CX_CHANGE_SETTINGS;
    change_.settings = &settings_;
  }

  void MakeContexts(uint8_t kind) {
    bool has_session = (kind & 8) != 0;
    size_t count = (has_session ? 0 : 1) + (kind < 0xc0 ? 0 : input_->Below(5));
    change_.kind = CX_CHANGE_CONTEXTS;
    change_.namespace_id = kind & 1 ? parts_.Name(CX_NAMESPACE_SIZE_MAX) : parts_.Keep("n");
    if (has_session) change_.session = parts_.Session(change_.namespace_id);
    if (kind & 2) MakeRequest(kind, count);
    std::vector<cx_change_item> items;
    for (size_t i = 0; i < count; i++) items.push_back(Item());
    SetItems(items);
  }

  void MakeRequest(uint8_t kind, size_t item_count) {
    cx_request_mark *mark = &change_.request;
    mark->id = {1 + input_->Number(1), input_->Number(1)};
    mark->content_hash = input_->Number(1);
    mark->has_answer = (kind & 16) != 0;
    if (mark->has_answer) mark->answer = input_->Number(1);
    mark->of_session = item_count == 0;
    if (mark->of_session) return;
    mark->owner = input_->Below(item_count);
    mark->each = (kind & 4) != 0;
  }

  static cx_item_kind ItemKind(uint8_t kind) {
    if (kind < 0x40) return CX_ITEM_CREATE;
    if (kind < 0x80) return CX_ITEM_UPDATE;
    if (kind < 0xb0) return CX_ITEM_TOUCH;
    return static_cast<cx_item_kind>(CX_ITEM_CREATE + kind % CX_ITEM_UNDELETE);
  }

  cx_change_item Item() {
    cx_change_item item = {};
    uint8_t kind = input_->Byte();
    item.kind = ItemKind(kind);
    item.id = parts_.Name(CX_CONTEXT_ID_SIZE_MAX);
    item.version = input_->Number(1);
    item.type = parts_.NameOrNone(CX_CONTEXT_TYPE_SIZE_MAX);
    item.labels = parts_.Labels();
    item.labels_changed = item.kind == CX_ITEM_CREATE || item.kind == CX_ITEM_UNDELETE ||
                          (item.kind != CX_ITEM_TOUCH && (kind & 1) != 0);
    if (item.labels_changed) item.labels_before = parts_.Labels();
    item.sliding = (kind & 2) != 0;
    item.head = parts_.Head(item.kind);
    if (item.kind == CX_ITEM_CREATE) item.ttl_us = parts_.Duration();
    std::vector<cx_op> ops;
    for (size_t i = 0, count = input_->Below(6); i < count; i++) ops.push_back(Op(item.kind));
    item.ops = parts_.KeepOps(ops);
    item.op_count = ops.size();
    bool records = std::any_of(ops.begin(), ops.end(),
                               [](const cx_op &op) { return op.kind == CX_MUTATION_RECORD; });
    if (records) item.first_sequence = 1 + input_->Number(1);
    if (kind & 4) MakeTracked(&item);
    if (kind & 8) MakeRecovery(&item);
    return item;
  }

  static bool Lives(cx_item_kind kind) {
    return kind == CX_ITEM_CREATE || kind == CX_ITEM_UPDATE || kind == CX_ITEM_TOUCH ||
           kind == CX_ITEM_UNDELETE;
  }

  // Steps of contexts that are live, and those that end activations of any.
  void MakeTracked(cx_change_item *item) {
    bool lives = Lives(item->kind);
    if (input_->Flag()) item->session_id = parts_.Name(CX_SESSION_ID_SIZE);
    if (lives) item->trimmed = parts_.Runs();
    std::vector<cx_activation_step> steps;
    for (size_t i = 0, count = input_->Below(4); i < count; i++) steps.push_back(Step(lives));
    item->activations = parts_.KeepSteps(steps);
    item->activation_count = steps.size();
  }

  cx_activation_step Step(bool may_begin) {
    cx_activation_step step = {};
    uint8_t kind = input_->Byte();
    step.session_id = parts_.Name(CX_SESSION_ID_SIZE);
    step.active = may_begin && (kind & 1) != 0;
    if (step.active && (kind & 2) != 0) step.fence = 1 + input_->Number(1);
    step.guard = step.fence != 0 && (kind & 4) != 0;
    return step;
  }

  cx_op Op(cx_item_kind item_kind) {
    cx_op op = {};
    uint8_t kind = input_->Byte();
    op.kind = static_cast<cx_mutation_kind>(CX_MUTATION_PUT + kind % CX_MUTATION_SET_POLICY);
    if (item_kind == CX_ITEM_TOUCH) op.kind = CX_MUTATION_RECORD;
    if (op.kind == CX_MUTATION_RECORD && !Lives(item_kind)) op.kind = CX_MUTATION_DELETE;
    if (op.kind == CX_MUTATION_RECORD) {
      op.activity = parts_.Activity();
      return op;
    }
    if (op.kind == CX_MUTATION_SET_POLICY) {
      op.policy = parts_.KeepPolicy(input_->Flag() ? parts_.Policy() : cx_recovery_policy{});
      return op;
    }
    if (op.kind == CX_MUTATION_SET_EXPIRY) {
      op.ttl_us = parts_.Duration();
      op.sliding = (kind & 0x80) != 0;
      return op;
    }
    op.key = parts_.Name(CX_ENTRY_KEY_SIZE_MAX);
    if (op.kind == CX_MUTATION_PUT || op.kind == CX_MUTATION_APPEND) {
      op.content_type = parts_.NameOrNone(CX_CONTENT_TYPE_SIZE_MAX);
      op.value = parts_.Value();
    }
    if (op.kind == CX_MUTATION_PUT && (kind & 0x80) != 0) op.kept = input_->Number(2);
    if (op.kind == CX_MUTATION_SET_LABEL) op.value = parts_.NameOrNone(CX_LABEL_VALUE_SIZE_MAX);
    return op;
  }

  // ---- What comes from earlier states, and recovery points. ----

  void MakeRecovery(cx_change_item *item) {
    bool revives = item->kind == CX_ITEM_UPDATE || item->kind == CX_ITEM_UNDELETE;
    if (revives && input_->Flag()) {
      item->base = Base(CX_BASE_VERSION);
      if (item->base.kind == CX_BASE_POINT) item->base_id = parts_.Name(CX_POINT_ID_SIZE_MAX);
      item->base_ops = EntryOps(&item->base_op_count);
    }
    item->untold = revives && input_->Flag();
    if (item->kind == CX_ITEM_CREATE && input_->Flag()) {
      item->source = {parts_.Name(CX_CONTEXT_ID_SIZE_MAX), Base(CX_BASE_HEAD)};
      item->with_history = input_->Flag();
      item->with_points = input_->Flag();
      item->op_count = 0;
      item->first_sequence = 0;
    }
    if (item->kind == CX_ITEM_UPDATE && input_->Flag()) {
      item->merged = {parts_.Name(CX_CONTEXT_ID_SIZE_MAX), Base(CX_BASE_HEAD)};
    }
    if (Lives(item->kind)) MakePoints(item);
  }

  cx_base_ref Base(cx_base_kind last) {
    return {static_cast<cx_base_kind>(CX_BASE_POINT + input_->Below(last)), input_->Number(1)};
  }

  cx_op *EntryOps(size_t *ret_count) {
    std::vector<cx_op> ops;
    for (size_t i = 0, count = input_->Below(4); i < count; i++) {
      cx_op op = Op(CX_ITEM_DELETE);
      bool of_context = op.kind == CX_MUTATION_SET_EXPIRY || op.kind == CX_MUTATION_SET_POLICY;
      if (!of_context) ops.push_back(op);
    }
    *ret_count = ops.size();
    return parts_.KeepOps(ops);
  }

  // Some that stay, then those that are dropped, by their sequence.
  void MakePoints(cx_change_item *item) {
    std::vector<cx_point_step> points;
    for (size_t i = 0, count = input_->Below(5); i < count; i++) points.push_back(Point());
    uint64_t sequence = 0;
    for (size_t i = 0, count = input_->Below(3); i < count; i++) {
      cx_point_step step = {};
      step.kind = CX_POINT_DROP;
      step.expired = input_->Flag();
      step.id = parts_.Name(CX_POINT_ID_SIZE_MAX);
      step.sequence = sequence += 1 + input_->Number(1);
      points.push_back(step);
    }
    item->points = parts_.KeepPoints(points);
    item->point_count = points.size();
  }

  cx_point_step Point() {
    cx_point_step step = {};
    uint8_t kind = input_->Byte();
    static const cx_point_step_kind kKinds[] = {CX_POINT_MAKE, CX_POINT_REPLACE, CX_POINT_CHANGE,
                                                CX_POINT_PENDING};
    step.kind = kKinds[kind % 4];
    step.id = parts_.Name(CX_POINT_ID_SIZE_MAX);
    step.attachments = Attachments(&step.attachment_count);
    if (step.kind == CX_POINT_PENDING) return step;
    step.sequence = 1 + input_->Number(1);
    step.pinned = (kind & 4) != 0;
    step.labels = parts_.Labels();
    if (kind & 8) step.expire_time_us = parts_.Duration();
    if (step.kind == CX_POINT_CHANGE) return step;
    step.origin = static_cast<uint8_t>(CX_ORIGIN_CLIENT + kind / 16 % CX_ORIGIN_SESSION_LOSS);
    step.version = input_->Number(1);
    step.aside = (kind & 128) != 0;
    if (!step.aside) return step;
    step.base = Base(CX_BASE_HEAD);
    if (step.base.kind == CX_BASE_VERSION) step.base.kind = CX_BASE_HEAD;
    step.ops = EntryOps(&step.op_count);
    step.state_labels = parts_.Labels();
    return step;
  }

  cx_op *Attachments(size_t *ret_count) {
    std::vector<cx_op> ops;
    for (size_t i = 0, count = input_->Below(3); i < count; i++) {
      cx_op op = {};
      op.kind = input_->Flag() ? CX_MUTATION_DELETE : CX_MUTATION_PUT;
      op.key = parts_.Name(CX_ENTRY_KEY_SIZE_MAX);
      if (op.kind == CX_MUTATION_PUT) op.value = parts_.Value();
      ops.push_back(op);
    }
    *ret_count = ops.size();
    return parts_.KeepOps(ops);
  }

  Input *input_;
  MadeParts parts_;
  cx_change change_ = {};
  cx_settings settings_ = {};
  std::vector<cx_change_item> items_;
};

inline std::string EncodeChange(const cx_change &change) {
  cx_buffer buffer = {};
  FUZZ_REQUIRE(cx_change_encode(&change, &buffer) == CX_OK, "a change cannot be encoded");
  std::string bytes = FuzzText(cx_buffer_bytes(&buffer));
  cx_buffer_done(&buffer);
  return bytes;
}

#endif  // CX_TESTS_FUZZ_CHANGE_SUPPORT_H
