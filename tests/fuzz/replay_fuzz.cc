// Changes onto a state, as a start replays them: made ones, some with a byte changed, and
// plain bytes.
//
//  - Each is applied or refused.
//  - What was applied gives a state in which what always holds does, and the same one when
//    it is replayed again, or change by change.
//  - Nothing of a state is left when it is gone.

#include "tests/fuzz/change_fit.h"
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

// A state that changes are applied to one by one.
class Guide {
 public:
  Guide() {
    FUZZ_REQUIRE(cx_state_init(&state_) == CX_OK, "no state");
    FUZZ_REQUIRE(cx_replay_new(&state_, &replay_) == CX_OK, "no replay");
  }
  ~Guide() {
    cx_replay_free(replay_);
    cx_state_done(&state_);
  }
  Guide(const Guide &) = delete;
  Guide &operator=(const Guide &) = delete;

  cx_state *state() { return &state_; }

  // False: it was refused, and there is nothing to go on from.
  bool Add(const Payload &payload) {
    cx_status status =
        cx_replay_add(replay_, FuzzBytes(payload.bytes), ++revision_, payload.time_us);
    return status == CX_OK && cx_replay_finish(replay_) == CX_OK;
  }

 private:
  cx_state state_;
  cx_replay *replay_ = nullptr;
  uint64_t revision_ = 0;
};

std::string MakePayload(Input *input, uint8_t kind, cx_state *state) {
  if (kind < 8) return input->Run();
  MadeChange made(input);
  if (kind >= 32) FitChange fit(state, &made);
  std::string bytes = EncodeChange(made.change());
  if (kind < 16 && !bytes.empty()) {
    bytes[input->Below(bytes.size())] = static_cast<char>(input->Byte());
  }
  return bytes;
}

// What an input says, up to the first that is refused. Sets *digest to that of all before.
std::vector<Payload> Payloads(Input *input, uint64_t *digest) {
  std::vector<Payload> payloads;
  int64_t time_us = 1;
  Guide guide;
  while (!input->empty() && payloads.size() < kChangesMax) {
    uint8_t kind = input->Byte();
    std::string bytes = MakePayload(input, kind, guide.state());
    time_us += kind & 0x80 ? static_cast<int64_t>(input->Number(4)) : 1;
    payloads.push_back({bytes, time_us});
    *digest = cx_state_digest(guide.state());
    if (!guide.Add(payloads.back())) return payloads;
  }
  *digest = cx_state_digest(guide.state());
  return payloads;
}

// Whether one of the first `count` changes ends a context.
bool OneEnds(const std::vector<Payload> &payloads, size_t count) {
  bool ends = false;
  for (size_t i = 0; i < count; i++) {
    cx_arena arena = {};
    cx_change change = {};
    FUZZ_REQUIRE(cx_change_decode(FuzzBytes(payloads[i].bytes), &arena, &change) == CX_OK,
                 "what was applied is no change");
    for (size_t item = 0; item < change.item_count; item++) {
      cx_item_kind kind = change.items[item].kind;
      ends = ends || (kind >= CX_ITEM_DELETE && kind <= CX_ITEM_FORGET);
    }
    cx_arena_done(&arena);
  }
  return ends;
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
    StateCheck check(state, !OneEnds(payloads, count));
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
  uint64_t digest = 0;
  std::vector<Payload> payloads = Payloads(&input, &digest);
  Replayed first = Replay(payloads, payloads.size());
  Replayed good = Replay(payloads, first.applied);
  FUZZ_REQUIRE(!good.refused && good.digest == digest, "change by change, another state");
  FUZZ_REQUIRE(first.refused || first.digest == digest, "the same changes, another state");
  return 0;
}
