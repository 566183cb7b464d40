// The parts of changes, made from an input. Names come from a few, so that changes meet.

#ifndef CX_TESTS_FUZZ_MADE_PARTS_H
#define CX_TESTS_FUZZ_MADE_PARTS_H

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/input.h"

extern "C" {
#include "core/base/limits.h"
#include "core/state/change.h"
}

// Makes parts whose form is right, and owns what they point at.
class MadeParts {
 public:
  explicit MadeParts(Input *input) : input_(input) {}

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

  const cx_activity_content *Activity() {
    cx_activity_content activity = {};
    cx_label_list labels = Labels();
    activity.type = Name(CX_ACTIVITY_TYPE_SIZE_MAX);
    activity.content_type = NameOrNone(CX_CONTENT_TYPE_SIZE_MAX);
    activity.data = Value();
    activity.labels = labels.items;
    activity.label_count = labels.count;
    activity.detail = Detail();
    return KeepActivity(activity);
  }

  // What a session that ends does with a resource.
  const cx_activity_content *Reclaim(cx_bytes name, cx_bytes type) {
    cx_activity_content activity = {};
    activity.type = Keep("resource");
    activity.detail.kind = CX_DETAIL_RESOURCE;
    activity.detail.resource = {Keep(FuzzText(name)), Keep(FuzzText(type)), CX_RESOURCE_RECLAIMED};
    return KeepActivity(activity);
  }

  // Rising runs, near each other for the most part.
  cx_run_list Runs() {
    uint64_t last = 0;
    runs_.emplace_back();
    for (size_t i = 0, count = input_->Below(4); i < count; i++) {
      uint64_t gap = 1 + SomeNumber() % UINT64_MAX, length = SomeNumber();
      if (gap > UINT64_MAX - last || length > UINT64_MAX - last - gap) break;
      runs_.back().push_back({last + gap, last + gap + length});
      last = runs_.back().back().last;
    }
    return {runs_.back().empty() ? nullptr : runs_.back().data(), runs_.back().size()};
  }

  // Of an item of that kind.
  cx_change_head Head(cx_item_kind kind) {
    cx_change_head head = {};
    head.told = kind == CX_ITEM_PURGE ? input_->Flag()
                                      : kind != CX_ITEM_DROP_STATES && kind != CX_ITEM_FORGET;
    if (!head.told) return head;
    head.parent_id = NameOrNone(CX_CONTEXT_ID_SIZE_MAX);
    head.create_time_us = static_cast<int64_t>(SomeNumber());
    head.update_time_us = static_cast<int64_t>(SomeNumber());
    head.expires_from_now = input_->Flag();
    head.expire_us = head.expires_from_now ? std::max<int64_t>(1, Duration())
                                           : static_cast<int64_t>(SomeNumber());
    head.entry_count = SomeNumber();
    head.size_bytes = SomeNumber();
    head.fence = SomeNumber();
    if (kind & 1) head.policy = Policy();
    head.forked_from_id = NameOrNone(CX_CONTEXT_ID_SIZE_MAX);
    if (head.forked_from_id.size > 0) head.forked_from_version = SomeNumber();
    return head;
  }

  cx_session_change Session(cx_bytes namespace_id) {
    cx_session_change session = {};
    session.step = static_cast<cx_session_step>(CX_SESSION_START + input_->Below(CX_SESSION_PART));
    session.start.name = {namespace_id, Name(CX_SESSION_ID_SIZE)};
    if (session.step == CX_SESSION_PART) return session;
    MakeTold(&session.start);
    if (session.step == CX_SESSION_START) {
      MakeStart(&session.start);
    } else {
      session.create_time_us = static_cast<int64_t>(SomeNumber());
    }
    if (session.step == CX_SESSION_SWITCH) session.current_id = Name(CX_CONTEXT_ID_SIZE_MAX);
    return session;
  }

  cx_recovery_policy Policy() {
    cx_recovery_policy policy = {};
    policy.is_set = true;
    policy.retention = {SomeNumber(), SomeNumber(), Duration()};
    policy.point_every_changes = SomeNumber();
    policy.point_every_us = Duration();
    return policy;
  }

  const cx_recovery_policy *KeepPolicy(const cx_recovery_policy &policy) {
    policies_.push_back(policy);
    return &policies_.back();
  }

  cx_point_step *KeepPoints(const std::vector<cx_point_step> &points) {
    points_.push_back(points);
    return points.empty() ? nullptr : points_.back().data();
  }

  const cx_activity_content *KeepActivity(const cx_activity_content &activity) {
    activities_.push_back(activity);
    return &activities_.back();
  }

  cx_op *KeepOps(const std::vector<cx_op> &ops) {
    ops_.push_back(ops);
    return ops.empty() ? nullptr : ops_.back().data();
  }

  const cx_activation_step *KeepSteps(const std::vector<cx_activation_step> &steps) {
    steps_.push_back(steps);
    return steps.empty() ? nullptr : steps_.back().data();
  }

 private:
  // Small, or any.
  uint64_t SomeNumber() {
    uint8_t size = input_->Byte();
    return size < 0xe0 ? size % 8 : input_->Number();
  }

  cx_detail Detail() {
    cx_detail detail = {};
    uint8_t pick = input_->Byte();
    detail.kind = static_cast<cx_detail_kind>(pick % 4);
    if (detail.kind == CX_DETAIL_FILE) {
      detail.file.path = Name(CX_FILE_PATH_SIZE_MAX);
      detail.file.operation = NameOrNone(CX_FILE_OPERATION_SIZE_MAX);
      detail.file.source = NameOrNone(CX_FILE_SOURCE_SIZE_MAX);
    } else if (detail.kind == CX_DETAIL_MODEL) {
      detail.model = Model();
    } else if (detail.kind == CX_DETAIL_RESOURCE) {
      detail.resource.name = Name(CX_RESOURCE_NAME_SIZE_MAX);
      detail.resource.type = NameOrNone(CX_RESOURCE_TYPE_SIZE_MAX);
      detail.resource.step = static_cast<cx_resource_step>(CX_RESOURCE_ACQUIRED + pick / 4 % 3);
    }
    return detail;
  }

  cx_model_usage Model() {
    cx_model_usage model = {};
    model.provider = NameOrNone(CX_MODEL_NAME_SIZE_MAX);
    model.model = NameOrNone(CX_MODEL_NAME_SIZE_MAX);
    model.mode = NameOrNone(CX_MODEL_NAME_SIZE_MAX);
    model.currency = Keep(input_->Flag() ? "USD" : "EUR");
    model.input_tokens = SomeNumber();
    model.output_tokens = SomeNumber();
    model.cached_tokens = SomeNumber();
    model.cost_micros = SomeNumber();
    model.latency_us = static_cast<int64_t>(SomeNumber() & INT64_MAX);
    return model;
  }

  // What is told of a session whatever happens to it.
  void MakeTold(cx_session_start_request *start) {
    cx_label_list labels = Labels();
    start->owner = NameOrNone(CX_OWNER_SIZE_MAX);
    start->labels = labels.items;
    start->label_count = labels.count;
    start->ttl_us =
        std::clamp(static_cast<int64_t>(Duration()), static_cast<int64_t>(CX_SESSION_TTL_US_MIN),
                   static_cast<int64_t>(CX_SESSION_TTL_US_MAX));
  }

  void MakeStart(cx_session_start_request *start) {
    start->default_context_id = NameOrNone(CX_CONTEXT_ID_SIZE_MAX);
    start->max_active_contexts = SomeNumber();
    uint8_t creates = input_->Byte();
    if (creates & 1) start->create_if_missing = NewContext(creates);
  }

  const cx_new_context *NewContext(uint8_t flags) {
    cx_new_context created = {};
    cx_label_list labels = Labels();
    created.type = NameOrNone(CX_CONTEXT_TYPE_SIZE_MAX);
    created.parent_id = NameOrNone(CX_CONTEXT_ID_SIZE_MAX);
    created.create_parent = (flags & 2) != 0;
    created.labels = labels.items;
    created.label_count = labels.count;
    created.ttl_us = Duration();
    created.sliding = (flags & 4) != 0;
    new_contexts_.push_back(created);
    return &new_contexts_.back();
  }

  Input *input_;
  std::deque<std::vector<cx_op>> ops_;
  std::deque<std::vector<cx_label>> labels_;
  std::deque<std::vector<cx_run>> runs_;
  std::deque<std::vector<cx_activation_step>> steps_;
  std::deque<std::vector<cx_point_step>> points_;
  std::deque<cx_recovery_policy> policies_;
  std::deque<cx_activity_content> activities_;
  std::deque<cx_new_context> new_contexts_;
  std::deque<std::string> texts_;
};

#endif  // CX_TESTS_FUZZ_MADE_PARTS_H
