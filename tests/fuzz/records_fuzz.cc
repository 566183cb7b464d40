// Records: what core/log/record.h promises of any bytes, and of any damage.
//
//  - A header or frame that nobody sealed is read without a slip.
//  - What was encoded and sealed is found, whole, and decodes to the same.
//  - A frame is accepted as whole only as it was written, where it was written. The damage
//    is of the kinds that a CRC-32C finds for sure: up to three bits, or a run of 32.

#include <cstring>
#include <vector>

#include "tests/fuzz/input.h"

extern "C" {
#include "core/log/record.h"
}

namespace {

constexpr uint64_t kOffsetStep = CX_LOG_ALIGNMENT;

bool IsWhole(const std::vector<uint8_t> &frame, uint32_t seed, uint64_t offset) {
  cx_record record;
  if (!cx_record_find(frame.data(), seed, offset, &record)) return false;
  if (cx_log_frame_size(record.payload_size) != frame.size()) return false;
  return cx_record_verify(frame.data(), seed, offset);
}

// Bytes as they come, where a frame could lie.
void ReadAny(Input input) {
  uint32_t seed = static_cast<uint32_t>(input.Number(4));
  uint64_t offset = input.Number();
  std::string text = input.Rest();
  if (text.size() < CX_LOG_HEADER_SIZE) return;
  std::vector<uint8_t> bytes(text.begin(), text.end());
  cx_record record, again;
  cx_record_decode(bytes.data(), &record);
  bool found = cx_record_find(bytes.data(), seed, offset, &record);
  if (found && cx_log_frame_size(record.payload_size) <= bytes.size()) {
    bytes.resize(cx_log_frame_size(record.payload_size));
    (void)cx_record_verify(bytes.data(), seed, offset);
  }
  uint8_t header[CX_LOG_HEADER_SIZE];
  cx_record_encode(&record, header);
  cx_record_decode(header, &again);
  FUZZ_REQUIRE(again.payload_size == record.payload_size && again.kind == record.kind &&
                   again.revision == record.revision && again.time_us == record.time_us,
               "a header decodes to something else");
}

struct Sealed {
  uint32_t seed;
  uint64_t offset;
  std::vector<uint8_t> frame;
};

// A frame as the log would write it, found and whole.
Sealed Seal(Input *input) {
  cx_record wanted = {};
  Sealed sealed;
  sealed.seed = static_cast<uint32_t>(input->Number(4));
  sealed.offset = input->Number(4) * kOffsetStep;
  wanted.kind = static_cast<cx_record_kind>(CX_RECORD_DATA + input->Below(3));
  wanted.prev_crc = static_cast<uint32_t>(input->Number(4));
  wanted.revision = 1 + input->Number(7);
  wanted.time_us = static_cast<int64_t>(input->Number());
  wanted.durable_upto = input->Number();
  std::string payload = wanted.kind == CX_RECORD_DATA ? input->Run() : "";
  wanted.payload_size = static_cast<uint32_t>(payload.size());

  std::vector<uint8_t> &frame = sealed.frame;
  frame.assign(cx_log_frame_size(payload.size()), 0xee);
  if (!payload.empty()) memcpy(&frame[CX_LOG_HEADER_SIZE], payload.data(), payload.size());
  if (wanted.kind == CX_RECORD_DATA) {
    cx_log_frame_begin(frame.data(), wanted.revision, wanted.time_us, payload.size());
  } else {
    cx_record_encode(&wanted, frame.data());
  }
  wanted.crc = cx_record_seal(frame.data(), sealed.seed, sealed.offset, wanted.prev_crc,
                              wanted.durable_upto);

  cx_record found;
  FUZZ_REQUIRE(cx_record_find(frame.data(), sealed.seed, sealed.offset, &found), "not found");
  FUZZ_REQUIRE(cx_record_verify(frame.data(), sealed.seed, sealed.offset), "not whole");
  FUZZ_REQUIRE(found.crc == wanted.crc && found.prev_crc == wanted.prev_crc &&
                   found.payload_size == wanted.payload_size && found.kind == wanted.kind &&
                   found.revision == wanted.revision && found.time_us == wanted.time_us &&
                   found.durable_upto == wanted.durable_upto,
               "a sealed record decodes to something else");
  FUZZ_REQUIRE(memcmp(&frame[CX_LOG_HEADER_SIZE], payload.data(), payload.size()) == 0,
               "the payload changed");
  return sealed;
}

// Flips up to three bits, or up to 32 in a row.
void Damage(Input *input, std::vector<uint8_t> *frame) {
  if (input->Flag()) {
    for (uint64_t i = 0, count = 1 + input->Below(3); i < count; i++) {
      uint64_t bit = input->Below(8 * frame->size());
      (*frame)[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
  } else {
    uint64_t at = input->Below(frame->size());
    for (size_t i = at; i < at + 4 && i < frame->size(); i++) (*frame)[i] ^= input->Byte();
  }
}

void TryDamaged(Input *input) {
  Sealed sealed = Seal(input);
  std::vector<uint8_t> damaged = sealed.frame;
  Damage(input, &damaged);
  FUZZ_REQUIRE(damaged == sealed.frame || !IsWhole(damaged, sealed.seed, sealed.offset),
               "a damaged frame is accepted");

  uint64_t elsewhere = sealed.offset ^ (input->Number(3) * kOffsetStep & 0xffffffff);
  FUZZ_REQUIRE(elsewhere == sealed.offset || !IsWhole(sealed.frame, sealed.seed, elsewhere),
               "a frame is accepted in another place");
  uint32_t other = sealed.seed ^ static_cast<uint32_t>(input->Number(4));
  FUZZ_REQUIRE(other == sealed.seed || !IsWhole(sealed.frame, other, sealed.offset),
               "a frame is accepted in another segment");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input(data, size);
  if (input.Flag()) {
    ReadAny(input);
  } else {
    TryDamaged(&input);
  }
  return 0;
}
