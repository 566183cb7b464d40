// Changes made from an input, and what they are compared by.

#ifndef CX_TESTS_FUZZ_CHANGE_SUPPORT_H
#define CX_TESTS_FUZZ_CHANGE_SUPPORT_H

#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/input.h"

extern "C" {
#include "core/base/arena.h"
#include "core/base/limits.h"
#include "core/state/change.h"
#include "core/state/settings.h"
}

// A change and everything that it points at. Its form is right; whether it fits a state is
// up to the input. Names come from a few, so that changes meet.
class MadeChange {
 public:
  explicit MadeChange(Input *input) : input_(input) {
    uint8_t kind = input->Byte();
    if (kind < 0x10) {
      MakeSettings();
    } else {
      MakeContexts(kind);
    }
  }

  const cx_change &change() const { return change_; }

 private:
  cx_bytes Keep(const std::string &text) {
    texts_.push_back(text);
    return FuzzBytes(texts_.back());
  }

  // One of a few names, or one of the input's own without NUL.
  cx_bytes Name(size_t size_max) {
    uint8_t pick = input_->Byte();
    if (pick < 0xc0) return Keep(std::string(1 + pick % 2, static_cast<char>('a' + pick / 2 % 3)));
    std::string name = input_->Run().substr(0, size_max);
    for (char &c : name) c = c == '\0' ? '0' : c;
    return Keep(name.empty() ? "z" : name);
  }

  cx_bytes NameOrNone(size_t size_max) {
    return input_->Byte() < 0xa0 ? cx_bytes{} : Name(size_max);
  }

  int64_t Duration() {
    uint8_t size = input_->Byte() % 8;
    return static_cast<int64_t>(input_->Number(size) % (CX_TTL_US_MAX + 1));
  }

  void MakeSettings() {
    settings_.version_retention = 1 + input_->Below(4);
    settings_.undelete_window_us = Duration();
    settings_.tombstone_window_us = Duration();
    if (settings_.tombstone_window_us < settings_.undelete_window_us) {
      std::swap(settings_.tombstone_window_us, settings_.undelete_window_us);
    }
    settings_.request_id_window_us = Duration();
    settings_.request_ids_max = input_->Number(2);
    change_.kind = CX_CHANGE_SETTINGS;
    change_.settings = &settings_;
  }

  void MakeContexts(uint8_t kind) {
    size_t count = 1 + (kind < 0xc0 ? 0 : input_->Below(5));
    change_.kind = CX_CHANGE_CONTEXTS;
    change_.namespace_id = kind & 1 ? Name(CX_NAMESPACE_SIZE_MAX) : Keep("n");
    if (kind & 2) {
      change_.request.id = {1 + input_->Number(1), input_->Number(1)};
      change_.request.content_hash = input_->Number(1);
      change_.request.owner = input_->Below(count);
      change_.request.each = (kind & 4) != 0;
    }
    for (size_t i = 0; i < count; i++) items_.push_back(Item());
    change_.items = items_.data();
    change_.item_count = items_.size();
  }

  cx_change_item Item() {
    cx_change_item item = {};
    uint8_t kind = input_->Byte();
    item.kind = static_cast<cx_item_kind>(kind < 0x40   ? CX_ITEM_CREATE
                                          : kind < 0x80 ? CX_ITEM_UPDATE
                                                        : CX_ITEM_CREATE + kind % 7);
    item.id = Name(CX_CONTEXT_ID_SIZE_MAX);
    item.version = input_->Number(1);
    item.type = NameOrNone(CX_CONTEXT_TYPE_SIZE_MAX);
    item.labels = Labels();
    item.labels_changed = item.kind == CX_ITEM_CREATE || (kind & 1) != 0;
    if (item.labels_changed) item.labels_before = Labels();
    item.sliding = (kind & 2) != 0;
    if (item.kind == CX_ITEM_CREATE) {
      item.parent_id = NameOrNone(CX_CONTEXT_ID_SIZE_MAX);
      item.ttl_us = Duration();
    }
    ops_.emplace_back();
    for (size_t i = 0, count = input_->Below(6); i < count; i++) ops_.back().push_back(Op());
    item.ops = ops_.back().data();
    item.op_count = ops_.back().size();
    if (item.op_count == 0) item.ops = nullptr;
    return item;
  }

  cx_label_list Labels() {
    std::map<std::string, cx_label> labels;
    for (size_t i = 0, count = input_->Byte() / 64; i < count; i++) {
      cx_bytes key = Name(CX_LABEL_KEY_SIZE_MAX);
      labels[FuzzText(key)] = {key, NameOrNone(CX_LABEL_VALUE_SIZE_MAX)};
    }
    labels_.emplace_back();
    for (const auto &label : labels) labels_.back().push_back(label.second);
    return {labels_.back().data(), labels_.back().size()};
  }

  // A few bytes, or so many that they are kept in chunks.
  cx_bytes Value() {
    std::string value = input_->Run();
    if (value.size() > 3 && value[0] == '*') {
      size_t size = 64 * static_cast<uint8_t>(value[1]);
      while (value.size() < size) value += value.substr(0, size - value.size());
    }
    return Keep(value);
  }

  cx_op Op() {
    cx_op op = {};
    uint8_t kind = input_->Byte();
    op.kind = static_cast<cx_mutation_kind>(CX_MUTATION_PUT + kind % 7);
    if (op.kind == CX_MUTATION_SET_EXPIRY) {
      op.ttl_us = Duration();
      op.sliding = (kind & 0x80) != 0;
      return op;
    }
    op.key = Name(CX_ENTRY_KEY_SIZE_MAX);
    if (op.kind == CX_MUTATION_PUT || op.kind == CX_MUTATION_APPEND) {
      op.content_type = NameOrNone(CX_CONTENT_TYPE_SIZE_MAX);
      op.value = Value();
    }
    if (op.kind == CX_MUTATION_PUT && (kind & 0x80) != 0) op.kept = input_->Number(2);
    if (op.kind == CX_MUTATION_SET_LABEL) op.value = NameOrNone(CX_LABEL_VALUE_SIZE_MAX);
    return op;
  }

  Input *input_;
  cx_change change_ = {};
  cx_settings settings_ = {};
  std::vector<cx_change_item> items_;
  std::deque<std::vector<cx_op>> ops_;
  std::deque<std::vector<cx_label>> labels_;
  std::deque<std::string> texts_;
};

inline std::string EncodeChange(const cx_change &change) {
  cx_buffer buffer = {};
  FUZZ_REQUIRE(cx_change_encode(&change, &buffer) == CX_OK, "a change cannot be encoded");
  std::string bytes = FuzzText(cx_buffer_bytes(&buffer));
  cx_buffer_done(&buffer);
  return bytes;
}

#endif  // CX_TESTS_FUZZ_CHANGE_SUPPORT_H
