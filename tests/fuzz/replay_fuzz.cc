// Changes onto a state, as a start replays them: made ones, some with a byte changed, and
// plain bytes.
//
//  - Each is applied or refused.
//  - What was applied gives a state in which what always holds does, and the same one when
//    it is replayed again.
//  - Nothing of a state is left when it is gone.

#include "tests/fuzz/change_support.h"
#include "tests/fuzz/state_check.h"

extern "C" {
#include "core/state/replay.h"
#include "core/state/state.h"
}

namespace {

constexpr size_t kChangesMax = 64;

struct Payload {
  std::string bytes;
  int64_t time_us;
};

std::vector<Payload> Payloads(Input *input) {
  std::vector<Payload> payloads;
  int64_t time_us = 1;
  while (!input->empty() && payloads.size() < kChangesMax) {
    uint8_t kind = input->Byte();
    std::string bytes = kind < 8 ? input->Run() : EncodeChange(MadeChange(input).change());
    if (kind < 16 && !bytes.empty()) {
      bytes[input->Below(bytes.size())] = static_cast<char>(input->Byte());
    }
    time_us += kind & 0x80 ? static_cast<int64_t>(input->Number(4)) : 1;
    payloads.push_back({bytes, time_us});
  }
  return payloads;
}

struct Replayed {
  size_t applied;  // Before the first that was refused.
  bool refused;
  uint64_t digest;  // Of what was not.
};

// Replays the first `count` payloads.
Replayed Replay(const std::vector<Payload> &payloads, size_t count) {
  cx_state state;
  cx_replay *replay = nullptr;
  FUZZ_REQUIRE(cx_state_init(&state) == CX_OK, "no state");
  FUZZ_REQUIRE(cx_replay_new(&state, &replay) == CX_OK, "no replay");
  cx_status status = CX_OK;
  for (size_t i = 0; i < count && status == CX_OK; i++) {
    status = cx_replay_add(replay, FuzzBytes(payloads[i].bytes), i + 1, payloads[i].time_us);
  }
  if (status == CX_OK) status = cx_replay_finish(replay);
  FUZZ_REQUIRE(status == CX_OK || status == CX_DATA_LOSS, "refused with status %d", status);
  Replayed replayed = {count, status != CX_OK, 0};
  if (replayed.refused) {
    uint64_t failed = cx_replay_failed_revision(replay);
    FUZZ_REQUIRE(failed >= 1 && failed <= count, "it does not say which change");
    replayed.applied = failed - 1;
  } else {
    StateCheck check(state);
    replayed.digest = cx_state_digest(&state);
  }
  cx_replay_free(replay);
  cx_state_done(&state);
  return replayed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input(data, size);
  NoLeaks no_leaks;
  std::vector<Payload> payloads = Payloads(&input);
  Replayed first = Replay(payloads, payloads.size());
  Replayed good = Replay(payloads, first.applied);
  if (good.refused) return 0;  // A change that does not decode is found early.
  FUZZ_REQUIRE(first.refused || first.digest == good.digest, "the same changes, another state");
  Replayed again = Replay(payloads, first.applied);
  FUZZ_REQUIRE(again.digest == good.digest, "the same changes, another state");
  return 0;
}
