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
    return static_cast<cx_item_kind>(CX_ITEM_CREATE + kind % 8);
  }

  cx_change_item Item() {
    cx_change_item item = {};
    uint8_t kind = input_->Byte();
    item.kind = ItemKind(kind);
    item.id = parts_.Name(CX_CONTEXT_ID_SIZE_MAX);
    item.version = input_->Number(1);
    item.type = parts_.NameOrNone(CX_CONTEXT_TYPE_SIZE_MAX);
    item.labels = parts_.Labels();
    item.labels_changed =
        item.kind == CX_ITEM_CREATE || (item.kind != CX_ITEM_TOUCH && (kind & 1) != 0);
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
    return item;
  }

  static bool Lives(cx_item_kind kind) {
    return kind == CX_ITEM_CREATE || kind == CX_ITEM_UPDATE || kind == CX_ITEM_TOUCH;
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
    op.kind = static_cast<cx_mutation_kind>(CX_MUTATION_PUT + kind % 8);
    if (item_kind == CX_ITEM_TOUCH) op.kind = CX_MUTATION_RECORD;
    if (op.kind == CX_MUTATION_RECORD && !Lives(item_kind)) op.kind = CX_MUTATION_DELETE;
    if (op.kind == CX_MUTATION_RECORD) {
      op.activity = parts_.Activity();
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
