#include "tests/simulation/machine.h"

extern "C" {
#include "core/base/disk.h"
}

#include <endian.h>
#include <errno.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace simulation {

namespace {

constexpr char kRoot[] = "/sim";
constexpr int64_t kStallUs = 10'000'000;

// Of segments, from docs/disk-format.md.
constexpr uint64_t kSegmentHeaderSize = 64;
constexpr uint64_t kFrameHeaderSize = 40;
constexpr uint64_t kPayloadSizeAt = 8;

bool IsChange(sim_call_kind kind) {
  return kind == SIM_CALL_WRITE || kind == SIM_CALL_SYNC || kind == SIM_CALL_SYNC_DIRECTORY ||
         kind == SIM_CALL_ALLOCATE || kind == SIM_CALL_RENAME || kind == SIM_CALL_REMOVE;
}

bool CanBeFull(sim_call_kind kind) {
  return kind == SIM_CALL_ALLOCATE || kind == SIM_CALL_OPEN || kind == SIM_CALL_RENAME;
}

std::string DescribeCall(const sim_call &call, const sim_verdict &verdict) {
  std::string text = std::string(sim_call_name(call.kind)) + " " + call.name;
  if (call.to != nullptr) text += std::string(" to ") + call.to;
  if (call.size != 0) {
    text += " at " + std::to_string(call.offset) + ", " + std::to_string(call.size) + " bytes";
  }
  if (verdict.error != 0) text += std::string(": ") + strerror(verdict.error);
  return verdict.size_max != 0 ? text + ": short" : text;
}

// The size of the frame whose header this is.
uint64_t FrameSize(const uint8_t *header) {
  uint32_t payload_size;
  memcpy(&payload_size, header + kPayloadSizeAt, sizeof payload_size);
  return kFrameHeaderSize + (le32toh(payload_size) + 7) / 8 * 8;
}

}  // namespace

Machine::Machine(Scheduler *scheduler, const Swarm *swarm, Trace *trace, Dice dice)
    : scheduler_(scheduler),
      swarm_(swarm),
      trace_(trace),
      dice_(dice),
      disk_(sim_disk_new()),
      clock_{{ReadWall, ReadMonotonic}, this},
      random_{{Fill}, dice_.Split()} {
  if (swarm->damage_in != 0) sim_disk_keep_history(disk_);
  if (swarm->capacity != 0) sim_disk_set_capacity(disk_, swarm->capacity);
  sim_posix_mount(kRoot, disk_);
  sim_posix_set_hook(OnCall, this);
}

Machine::~Machine() {
  sim_posix_kill();
  sim_posix_unmount();
  sim_disk_free(disk_);
  if (undamaged_ != nullptr) sim_disk_free(undamaged_);
}

cx_disk *Machine::OpenDisk() {
  cx_disk *disk = nullptr;
  return cx_disk_posix_open(kRoot, &disk) == CX_OK ? disk : nullptr;
}

void Machine::Say(const std::string &what) {
  if (trace_->on()) trace_->Add(scheduler_->now_us(), "the machine", what);
}

// ---- Time and randomness. -----------------------------------------------------

int64_t Machine::wall_us() const { return clock_offset_us_ + scheduler_->now_us(); }

// Everybody finds it a little later, though no virtual time has passed.
int64_t Machine::ReadWall(const cx_clock *clock) {
  Machine *self = reinterpret_cast<const Clock *>(clock)->machine;
  self->clock_offset_us_ += static_cast<int64_t>(self->dice_.Below(3));
  return self->on_clock(self->wall_us());
}

int64_t Machine::ReadMonotonic(const cx_clock *clock) {
  return reinterpret_cast<const Clock *>(clock)->machine->scheduler_->now_us();
}

void Machine::JumpClock() {
  int64_t us = static_cast<int64_t>(dice_.Below(20'000'000)) - 10'000'000;
  clock_offset_us_ += us;
  Say("the wall clock jumps by " + std::to_string(us) + " us");
}

void Machine::Fill(const cx_random *random, void *memory, size_t size) {
  const auto *self = reinterpret_cast<const Random *>(random);
  auto *bytes = static_cast<uint8_t *>(memory);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(self->dice.Next());
}

// ---- The calls of the disk. ---------------------------------------------------

void Machine::OnCall(void *arg, const sim_call *call, sim_verdict *verdict) {
  static_cast<Machine *>(arg)->BeforeCall(*call, verdict);
}

void Machine::BeforeCall(const sim_call &call, sim_verdict *verdict) {
  if (call.kind == SIM_CALL_CLOSE || ended_) return;
  Take(call);
  if (faults_ && !ended_) Fault(call, verdict);
  if (trace_->on()) {
    trace_->Add(scheduler_->now_us(), scheduler_->name(), DescribeCall(call, *verdict));
  }
  if (!ended_) CountChange(call);
}

// The time that a call takes.
void Machine::Take(const sim_call &call) {
  int64_t us = 0;
  if (call.kind == SIM_CALL_SYNC || call.kind == SIM_CALL_SYNC_DIRECTORY) {
    us = 1 + static_cast<int64_t>(dice_.Below(static_cast<uint64_t>(swarm_->sync_us)));
  } else if (call.kind == SIM_CALL_WRITE || call.kind == SIM_CALL_ALLOCATE) {
    us = static_cast<int64_t>(dice_.Below(static_cast<uint64_t>(swarm_->write_us)));
  }
  if (faults_ && dice_.OneIn(swarm_->stall_in)) us += kStallUs;
  scheduler_->Sleep(us);
}

void Machine::Fault(const sim_call &call, sim_verdict *verdict) {
  bool moves = call.kind == SIM_CALL_READ || call.kind == SIM_CALL_WRITE;
  if (moves && call.size > 1 && dice_.OneIn(swarm_->short_in)) {
    verdict->size_max = static_cast<size_t>(dice_.Between(1, call.size - 1));
  }
  if (dice_.OneIn(swarm_->interrupt_in) && call.kind != SIM_CALL_LIST_NEXT &&
      call.kind != SIM_CALL_SIZE && call.kind != SIM_CALL_RENAME && call.kind != SIM_CALL_REMOVE) {
    verdict->error = EINTR;
    verdict->size_max = 0;
  } else if (dice_.OneIn(swarm_->error_in)) {
    verdict->error = EIO;
    verdict->loss = dice_.Pick({SIM_SYNC_RETRIED, SIM_SYNC_KEPT, SIM_SYNC_DROPPED});
    has_failed_ = true;
  } else if (CanBeFull(call.kind) && dice_.OneIn(swarm_->full_in)) {
    verdict->error = ENOSPC;
    was_full_ = true;
  }
}

void Machine::CountChange(const sim_call &call) {
  if (end_in_ == 0 || !IsChange(call.kind) || --end_in_ > 0) return;
  if (!end_by_power_) return Kill();
  Say("the power goes in this call");
  sim_disk_crash(disk_, 1);
  power_is_off_ = true;
  ended_ = true;
}

bool Machine::may_be_full() const { return swarm_->capacity != 0 || was_full_; }

// ---- Ends. --------------------------------------------------------------------

void Machine::EndAtChange(uint64_t nth, bool power) {
  end_in_ = nth;
  end_by_power_ = power;
}

void Machine::Kill() {
  Say("the process is killed");
  sim_posix_kill();
  ended_ = true;
}

void Machine::PowerOff() {
  Say("the power goes");
  sim_disk_power_off(disk_);
  power_is_off_ = true;
  ended_ = true;
}

void Machine::Restart() {
  end_in_ = 0;
  sim_posix_kill();
  if (power_is_off_) {
    torn_.clear();
    for (size_t i = 0; i < sim_disk_pending(disk_); i++) {
      sim_pending pending = sim_disk_pending_at(disk_, i);
      torn_.push_back({pending.name, pending.offset, pending.size});
    }
    struct Choice {
      Dice *dice;
      uint64_t lost_in;
    } choice = {&dice_, swarm_->lose_in};
    sim_survival survival = {};
    survival.arg = &choice;
    survival.piece_size = swarm_->piece_size;
    survival.piece = [](void *arg, size_t, size_t, size_t, size_t) {
      auto *choice = static_cast<Choice *>(arg);
      return !choice->dice->OneIn(choice->lost_in);
    };
    survival.name = [](void *arg, size_t, size_t) {
      auto *choice = static_cast<Choice *>(arg);
      return !choice->dice->OneIn(choice->lost_in);
    };
    sim_disk_restart(disk_, &survival);
    survived_sync_ = sim_disk_syncs(disk_);
    DamageUnsynced();
    Say("the power is back");
  }
  if (!power_is_off_) torn_.clear();
  power_is_off_ = false;
  ended_ = false;
  has_failed_ = false;
  was_full_ = false;
}

// ---- Damage. ------------------------------------------------------------------

// What was being synced when the power went may be anything: here a bit of it flips.
void Machine::DamageUnsynced() {
  if (swarm_->damage_in == 0 || torn_.empty() || !dice_.OneIn(2)) return;
  const Place &place = torn_[dice_.Below(torn_.size())];
  size_t size = 0;
  if (place.name.compare(0, 4, "log-") != 0 || place.offset < kSegmentHeaderSize ||
      place.size == 0 || sim_disk_content(disk_, place.name.c_str(), &size) == nullptr) {
    return;
  }
  uint64_t offset = place.offset + dice_.Below(place.size);
  if (offset >= size) return;
  sim_disk_flip(disk_, place.name.c_str(), offset, static_cast<uint8_t>(1u << dice_.Below(8)));
  Say("a bit flips in what was being synced: " + place.name + " at " + std::to_string(offset));
}

// Where the records of a segment end that were synced: frames follow one another, then zeros, or
// what was being written when the power went.
uint64_t Machine::RecordsEnd(const char *name) const {
  size_t size = 0;
  uint64_t end = UINT64_MAX;
  for (const Place &place : torn_) {
    if (place.name == name) end = std::min(end, place.offset);
  }
  const uint8_t *content = sim_disk_content(disk_, name, &size);
  uint64_t at = kSegmentHeaderSize;
  while (at + kFrameHeaderSize <= size) {
    const uint8_t *header = content + at;
    if (std::all_of(header, header + kFrameHeaderSize, [](uint8_t byte) { return byte == 0; })) {
      break;
    }
    at += FrameSize(header);
  }
  return std::min(at, end);
}

// The durable writes that put records into segments, and are still all there.
std::vector<size_t> Machine::RecordWrites() const {
  std::vector<size_t> found;
  std::vector<sim_durable> later;
  std::map<std::string, uint64_t> ends;
  for (size_t i = sim_disk_durable(disk_); i > 0; i--) {
    sim_durable write = sim_disk_durable_at(disk_, i - 1);
    if (strncmp(write.name, "log-", 4) != 0 || write.offset < kSegmentHeaderSize) continue;
    auto [end, is_new] = ends.emplace(write.name, 0);
    if (is_new) end->second = RecordsEnd(write.name);
    bool replaced = std::any_of(later.begin(), later.end(), [&](const sim_durable &other) {
      return other.offset < write.offset + write.size && write.offset < other.offset + other.size &&
             strcmp(write.name, other.name) == 0;
    });
    later.push_back(write);
    if (!replaced && write.offset + write.size <= end->second) found.push_back(i - 1);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

// The durable writes of records, those of the last sync apart: nothing later proves these. What
// only happened to survive a loss of power may be torn, and proves nothing.
Machine::Writes Machine::DurableRecords() const {
  Writes writes;
  uint64_t last = 0;
  for (size_t i : RecordWrites()) {
    sim_durable write = sim_disk_durable_at(disk_, i);
    if (write.sync == survived_sync_) continue;
    if (write.sync > last) {
      writes.proven.insert(writes.proven.end(), writes.last.begin(), writes.last.end());
      writes.last.clear();
      last = write.sync;
    }
    writes.last.push_back(i);
  }
  return writes;
}

// Whether a write of `size` bytes would hit what proves that others were durable: nobody could
// tell then that anything is missing.
bool Machine::HitsProof(const Writes &writes, const char *name, uint64_t offset,
                        size_t size) const {
  return std::any_of(writes.last.begin(), writes.last.end(), [&](size_t i) {
    sim_durable write = sim_disk_durable_at(disk_, i);
    return strcmp(write.name, name) == 0 && offset < write.offset + write.size &&
           write.offset < offset + size;
  });
}

void Machine::Flip(const sim_durable &write) {
  uint64_t offset = write.offset + dice_.Below(write.size);
  sim_disk_flip(disk_, write.name, offset, static_cast<uint8_t>(1u << dice_.Below(8)));
  damaged_.push_back({write.name, offset, 1});
  Say("a bit flips: " + std::string(write.name) + " at " + std::to_string(offset));
}

// Lets a write have gone somewhere else. Returns whether it is missing where it belongs: it is
// not, if it only repeated what was there.
bool Machine::Misdirect(const Writes &writes, size_t index) {
  sim_durable write = sim_disk_durable_at(disk_, index);
  sim_durable other = sim_disk_durable_at(disk_, writes.proven[dice_.Below(writes.proven.size())]);
  uint64_t offset = other.offset + 8 * dice_.Below(512);
  size_t size;
  if (HitsProof(writes, other.name, offset, write.size)) return false;
  const uint8_t *content = sim_disk_content(disk_, write.name, &size) + write.offset;
  std::string before(reinterpret_cast<const char *>(content), write.size);
  sim_disk_misdirect(disk_, index, other.name, offset);
  damaged_.push_back({write.name, write.offset, write.size});
  damaged_.push_back({other.name, offset, write.size});
  Say("the write to " + std::string(write.name) + " at " + std::to_string(write.offset) +
      " went to " + other.name + " at " + std::to_string(offset));
  content = sim_disk_content(disk_, write.name, &size) + write.offset;
  return memcmp(before.data(), content, write.size) != 0;
}

bool Machine::Damage() {
  Writes writes = DurableRecords();
  if (writes.proven.empty() || sim_disk_pending(disk_) > 0) return false;
  size_t index = writes.proven[dice_.Below(writes.proven.size())];
  const std::vector<size_t> &proven = writes.proven;
  bool at_end = dice_.OneIn(3);
  for (size_t i = 1; i < proven.size() && at_end; i++) {
    // The end of a segment is proven by the next one alone.
    std::string name = sim_disk_durable_at(disk_, proven[i]).name;
    if (name != sim_disk_durable_at(disk_, proven[i - 1]).name) index = proven[i - 1];
  }
  sim_durable write = sim_disk_durable_at(disk_, index);
  if (undamaged_ != nullptr) sim_disk_free(undamaged_);
  undamaged_ = sim_disk_copy(disk_);
  damaged_.clear();
  if (dice_.OneIn(2) || !Misdirect(writes, index)) Flip(write);
  return true;
}

bool Machine::HasDamaged(const std::string &name, uint64_t offset) const {
  size_t size = 0;
  const uint8_t *content = sim_disk_content(undamaged_, name.c_str(), &size);
  if (content == nullptr || offset + kFrameHeaderSize > size) return false;
  uint64_t end = offset + FrameSize(content + offset);
  return std::any_of(damaged_.begin(), damaged_.end(), [&](const Place &place) {
    return place.name == name && place.offset < end && offset < place.offset + place.size;
  });
}

void Machine::Repair() {
  sim_posix_unmount();
  sim_disk_free(disk_);
  disk_ = undamaged_;
  undamaged_ = nullptr;
  sim_posix_mount(kRoot, disk_);
  sim_posix_set_hook(OnCall, this);
  Say("the disk is restored from a copy");
}

}  // namespace simulation
