// Changes: what core/state/change.h promises of any bytes, and of every change.
//
//  - Any bytes are a change or refused; a change that was decoded is well-formed, and
//    encoded it decodes to the same. Bytes of the same length as its own are its own.
//  - Every well-formed change decodes from its encoding to the same.
//  - What seems to be hit can be told of any bytes.

#include "tests/fuzz/change_support.h"

extern "C" {
#include "core/state/change_check.h"
#include "core/state/detail.h"
}

namespace {

bool Same(cx_bytes a, cx_bytes b) { return cx_bytes_equal(a, b); }

bool Same(cx_label_list a, cx_label_list b) {
  if (a.count != b.count) return false;
  for (size_t i = 0; i < a.count; i++) {
    if (!Same(a.items[i].key, b.items[i].key) || !Same(a.items[i].value, b.items[i].value)) {
      return false;
    }
  }
  return true;
}

bool Same(const cx_activity_content *a, const cx_activity_content *b) {
  if (a == nullptr || b == nullptr) return a == b;
  return Same(a->type, b->type) && Same(a->content_type, b->content_type) &&
         Same(a->data, b->data) &&
         Same({a->labels, a->label_count}, cx_label_list{b->labels, b->label_count}) &&
         cx_detail_equal(&a->detail, &b->detail);
}

bool Same(const cx_recovery_policy &a, const cx_recovery_policy &b) {
  return a.is_set == b.is_set && a.retention.keep_last == b.retention.keep_last &&
         a.retention.keep_every == b.retention.keep_every &&
         a.retention.keep_within_us == b.retention.keep_within_us &&
         a.point_every_changes == b.point_every_changes && a.point_every_us == b.point_every_us;
}

bool Same(const cx_op &a, const cx_op &b) {
  if ((a.policy == nullptr) != (b.policy == nullptr)) return false;
  return (a.policy == nullptr || Same(*a.policy, *b.policy)) && Same(a.activity, b.activity) &&
         a.kind == b.kind && a.sliding == b.sliding && Same(a.key, b.key) &&
         Same(a.content_type, b.content_type) && a.kept == b.kept && Same(a.value, b.value) &&
         a.ttl_us == b.ttl_us;
}

bool Same(const cx_activation_step &a, const cx_activation_step &b) {
  return Same(a.session_id, b.session_id) && a.active == b.active && a.guard == b.guard &&
         a.fence == b.fence;
}

bool SameTracked(const cx_change_item &a, const cx_change_item &b) {
  if (!Same(a.session_id, b.session_id) || a.first_sequence != b.first_sequence ||
      a.trimmed.count != b.trimmed.count || a.activation_count != b.activation_count) {
    return false;
  }
  for (size_t i = 0; i < a.trimmed.count; i++) {
    const cx_run &run = a.trimmed.items[i], &other = b.trimmed.items[i];
    if (run.first != other.first || run.last != other.last) return false;
  }
  for (size_t i = 0; i < a.activation_count; i++) {
    if (!Same(a.activations[i], b.activations[i])) return false;
  }
  return true;
}

bool Same(const cx_op *a, size_t a_count, const cx_op *b, size_t b_count) {
  if (a_count != b_count) return false;
  for (size_t i = 0; i < a_count; i++) {
    if (!Same(a[i], b[i])) return false;
  }
  return true;
}

bool Same(const cx_base_ref &a, const cx_base_ref &b) {
  return a.kind == b.kind && a.number == b.number;
}

bool Same(const cx_source_ref &a, const cx_source_ref &b) {
  return Same(a.id, b.id) && Same(a.base, b.base);
}

bool Same(const cx_point_step &a, const cx_point_step &b) {
  return a.kind == b.kind && a.origin == b.origin && a.pinned == b.pinned && a.aside == b.aside &&
         a.expired == b.expired && Same(a.id, b.id) && a.sequence == b.sequence &&
         a.version == b.version && Same(a.base, b.base) &&
         Same(a.ops, a.op_count, b.ops, b.op_count) && Same(a.state_labels, b.state_labels) &&
         Same(a.labels, b.labels) &&
         Same(a.attachments, a.attachment_count, b.attachments, b.attachment_count) &&
         a.expire_time_us == b.expire_time_us;
}

bool SameRecovery(const cx_change_item &a, const cx_change_item &b) {
  if (!Same(a.base, b.base) || !Same(a.base_id, b.base_id) ||
      !Same(a.base_ops, a.base_op_count, b.base_ops, b.base_op_count) || a.untold != b.untold ||
      !Same(a.source, b.source) || a.with_history != b.with_history ||
      a.with_points != b.with_points || !Same(a.merged, b.merged) ||
      a.point_count != b.point_count) {
    return false;
  }
  for (size_t i = 0; i < a.point_count; i++) {
    if (!Same(a.points[i], b.points[i])) return false;
  }
  return true;
}

bool Same(const cx_change_head &a, const cx_change_head &b) {
  return a.told == b.told && Same(a.parent_id, b.parent_id) &&
         a.create_time_us == b.create_time_us && a.update_time_us == b.update_time_us &&
         a.expires_from_now == b.expires_from_now && a.expire_us == b.expire_us &&
         a.entry_count == b.entry_count && a.size_bytes == b.size_bytes && a.fence == b.fence &&
         Same(a.policy, b.policy) && Same(a.forked_from_id, b.forked_from_id) &&
         a.forked_from_version == b.forked_from_version;
}

bool Same(const cx_change_item &a, const cx_change_item &b) {
  if (a.kind != b.kind || a.labels_changed != b.labels_changed || a.sliding != b.sliding ||
      !Same(a.id, b.id) || a.version != b.version || !Same(a.type, b.type) ||
      !Same(a.head, b.head) || !Same(a.labels, b.labels) ||
      !Same(a.labels_before, b.labels_before) || a.ttl_us != b.ttl_us) {
    return false;
  }
  return Same(a.ops, a.op_count, b.ops, b.op_count) && SameTracked(a, b) && SameRecovery(a, b);
}

bool Same(const cx_new_context *a, const cx_new_context *b) {
  if (a == nullptr || b == nullptr) return a == b;
  return Same(a->type, b->type) && Same(a->parent_id, b->parent_id) &&
         a->create_parent == b->create_parent &&
         Same({a->labels, a->label_count}, cx_label_list{b->labels, b->label_count}) &&
         a->ttl_us == b->ttl_us && a->sliding == b->sliding;
}

bool Same(const cx_session_change &a, const cx_session_change &b) {
  const cx_session_start_request &start = a.start, &other = b.start;
  return a.step == b.step && Same(start.name.id, other.name.id) &&
         Same(a.current_id, b.current_id) && Same(start.owner, other.owner) &&
         Same({start.labels, start.label_count}, cx_label_list{other.labels, other.label_count}) &&
         start.ttl_us == other.ttl_us && a.create_time_us == b.create_time_us &&
         Same(start.default_context_id, other.default_context_id) &&
         start.max_active_contexts == other.max_active_contexts &&
         Same(start.create_if_missing, other.create_if_missing);
}

bool Same(const cx_request_mark &a, const cx_request_mark &b) {
  return a.id.low == b.id.low && a.id.high == b.id.high && a.content_hash == b.content_hash &&
         a.owner == b.owner && a.each == b.each && a.of_session == b.of_session &&
         a.has_answer == b.has_answer && a.answer == b.answer;
}

bool Same(const cx_change &a, const cx_change &b) {
  if (a.kind != b.kind) return false;
  if (a.kind == CX_CHANGE_SETTINGS) return cx_settings_equal(a.settings, b.settings);
  if (a.kind == CX_CHANGE_FLOOR) return a.floor == b.floor;
  if (!Same(a.namespace_id, b.namespace_id) || a.item_count != b.item_count ||
      !Same(a.request, b.request) || !Same(a.session, b.session)) {
    return false;
  }
  for (size_t i = 0; i < a.item_count; i++) {
    if (!Same(a.items[i], b.items[i])) return false;
  }
  return true;
}

struct Decoded {
  explicit Decoded(const std::string &bytes_) : bytes(bytes_) {
    status = cx_change_decode(FuzzBytes(bytes), &arena, &change);
  }
  ~Decoded() { cx_arena_done(&arena); }
  std::string bytes;
  cx_arena arena = {};
  cx_change change = {};
  cx_status status;
};

void DescribeAny(const std::string &bytes, size_t room) {
  std::vector<char> text(room, 'x');
  cx_change_describe(FuzzBytes(bytes), text.data(), room);
  FUZZ_REQUIRE(memchr(text.data(), '\0', room) != nullptr, "no end within %zu bytes", room);
}

void DecodeAny(const std::string &bytes) {
  Decoded decoded(bytes);
  if (decoded.status != CX_OK) {
    FUZZ_REQUIRE(decoded.status == CX_DATA_LOSS, "refused with status %d", decoded.status);
    return;
  }
  FUZZ_REQUIRE(cx_change_is_well_formed(&decoded.change), "a change without form");
  std::string encoded = EncodeChange(decoded.change);
  Decoded again(encoded);
  FUZZ_REQUIRE(again.status == CX_OK, "what was encoded is refused");
  FUZZ_REQUIRE(Same(decoded.change, again.change), "what was encoded decodes to another change");
  FUZZ_REQUIRE(encoded.size() <= bytes.size(), "a change of fewer bytes than its encoding");
  FUZZ_REQUIRE(encoded.size() < bytes.size() || encoded == bytes, "%s and %s are one change",
               FuzzHex(bytes).c_str(), FuzzHex(encoded).c_str());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input(data, size);
  NoLeaks no_leaks;
  uint8_t kind = input.Byte();
  if (kind & 1) {
    MadeChange made(&input);
    std::string bytes = EncodeChange(made.change());
    FUZZ_REQUIRE(cx_change_is_well_formed(&made.change()), "the change that was made has no form");
    Decoded decoded(bytes);
    FUZZ_REQUIRE(decoded.status == CX_OK, "a well-formed change is refused");
    FUZZ_REQUIRE(Same(made.change(), decoded.change), "a change decodes to another");
    if (!bytes.empty()) bytes[input.Number(2) % bytes.size()] = static_cast<char>(input.Byte());
    DescribeAny(bytes, 1 + kind);
    DecodeAny(bytes);
  } else {
    std::string bytes = input.Rest();
    DescribeAny(bytes, 1 + kind);
    DecodeAny(bytes);
  }
  return 0;
}
