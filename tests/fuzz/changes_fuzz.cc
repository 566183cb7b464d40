// Changes: what core/state/change.h promises of any bytes, and of every change.
//
//  - Any bytes are a change or refused; a change that was decoded is well-formed, and
//    encoded it decodes to the same. Bytes of the same length as its own are its own.
//  - Every well-formed change decodes from its encoding to the same.
//  - What seems to be hit can be told of any bytes.

#include "tests/fuzz/change_support.h"

extern "C" {
#include "core/state/change_check.h"
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

bool Same(const cx_op &a, const cx_op &b) {
  return a.kind == b.kind && a.sliding == b.sliding && Same(a.key, b.key) &&
         Same(a.content_type, b.content_type) && a.kept == b.kept && Same(a.value, b.value) &&
         a.ttl_us == b.ttl_us;
}

bool Same(const cx_change_item &a, const cx_change_item &b) {
  if (a.kind != b.kind || a.labels_changed != b.labels_changed || a.sliding != b.sliding ||
      !Same(a.id, b.id) || a.version != b.version || !Same(a.type, b.type) ||
      !Same(a.parent_id, b.parent_id) || !Same(a.labels, b.labels) ||
      !Same(a.labels_before, b.labels_before) || a.ttl_us != b.ttl_us || a.op_count != b.op_count) {
    return false;
  }
  for (size_t i = 0; i < a.op_count; i++) {
    if (!Same(a.ops[i], b.ops[i])) return false;
  }
  return true;
}

bool Same(const cx_change &a, const cx_change &b) {
  if (a.kind != b.kind) return false;
  if (a.kind == CX_CHANGE_SETTINGS) return cx_settings_equal(a.settings, b.settings);
  if (!Same(a.namespace_id, b.namespace_id) || a.item_count != b.item_count ||
      a.request.id.low != b.request.id.low || a.request.id.high != b.request.id.high ||
      a.request.content_hash != b.request.content_hash || a.request.owner != b.request.owner ||
      a.request.each != b.request.each) {
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
