// What the engine runs on: a clock, randomness and a disk, all of them virtual, and what may
// happen to them.
//
// Threads: those of the scheduler.

#ifndef CX_TESTS_SIMULATION_MACHINE_H
#define CX_TESTS_SIMULATION_MACHINE_H

extern "C" {
#include "core/base/clock.h"
#include "core/base/random.h"
#include "tests/support/sim_disk.h"
#include "tests/support/sim_posix.h"
}

#include "tests/simulation/scheduler.h"
#include "tests/simulation/swarm.h"
#include "tests/simulation/trace.h"

#include <functional>
#include <string>
#include <vector>

namespace simulation {

class Machine {
 public:
  Machine(Scheduler *scheduler, const Swarm *swarm, Trace *trace, Dice dice);
  ~Machine();

  // ---- What the engine is given.

  // Opens the disk as a process does that starts: through core/base/disk_posix.c and the
  // virtual system calls. Owned by the caller: cx_disk_posix_close().
  cx_disk *OpenDisk();
  const cx_clock *clock() const { return &clock_.base; }
  const cx_random *random() const { return &random_.base; }

  // Sees every look at the wall clock, and says what it shows.
  std::function<int64_t(int64_t now_us)> on_clock;

  int64_t wall_us() const;
  void JumpClock();

  // ---- What happens to the process.

  // Lets the process end in the nth change of the disk from now, or the power go. In the latter
  // case that change still counts as begun.
  void EndAtChange(uint64_t nth, bool power);

  // Ends it now.
  void Kill();
  void PowerOff();

  // Either has happened.
  bool ended() const { return ended_; }

  // The disk has told the process that it failed.
  bool has_failed() const { return has_failed_; }
  bool may_be_full() const;

  // The machine is there again. After a loss of power only a part is left of what was not
  // synced, and what was being synced may be damaged.
  void Restart();

  // Injects no faults while it is off.
  void SetFaults(bool on) { faults_ = on; }

  // Gives the disk room for everything.
  void LiftCapacity() { sim_disk_set_capacity(disk_, UINT64_MAX); }

  // ---- Damage.

  // Damages something that is proven durable, so that no crash explains it. Returns whether
  // there was anything; Repair() undoes it.
  bool Damage();
  void Repair();

  // Whether the record that begins there was hit by the last damage.
  bool HasDamaged(const std::string &name, uint64_t offset) const;

  uint64_t digest() const { return sim_disk_digest(disk_); }

 private:
  struct Clock {
    cx_clock base;
    Machine *machine;
  };
  struct Random {
    cx_random base;
    mutable Dice dice;
  };
  struct Place {
    std::string name;
    uint64_t offset;
    size_t size;
  };

  struct Writes {
    std::vector<size_t> proven, last;  // Indexes in the disk's history.
  };

  static int64_t ReadWall(const cx_clock *clock);
  static int64_t ReadMonotonic(const cx_clock *clock);
  static void Fill(const cx_random *random, void *memory, size_t size);
  static void OnCall(void *arg, const sim_call *call, sim_verdict *verdict);
  void BeforeCall(const sim_call &call, sim_verdict *verdict);
  void CountChange(const sim_call &call);
  void Take(const sim_call &call);
  void Fault(const sim_call &call, sim_verdict *verdict);
  Writes DurableRecords() const;
  bool HitsProof(const Writes &writes, const char *name, uint64_t offset, size_t size) const;
  uint64_t RecordsEnd(const char *name) const;
  std::vector<size_t> RecordWrites() const;
  void Flip(const sim_durable &write);
  bool Misdirect(const Writes &writes, size_t index);
  void DamageUnsynced();
  void Say(const std::string &what);

  Scheduler *scheduler_;
  const Swarm *swarm_;
  Trace *trace_;
  Dice dice_;
  sim_disk *disk_;
  Clock clock_;
  Random random_;
  int64_t clock_offset_us_ = 1'700'000'000'000'000;
  uint64_t end_in_ = 0;
  bool end_by_power_ = false;
  bool power_is_off_ = false;
  bool ended_ = false;
  bool has_failed_ = false;
  bool was_full_ = false;
  bool faults_ = true;
  uint64_t survived_sync_ = 0;  // What survived the last loss of power,
  std::vector<Place> torn_;     // of what was not synced then.
  std::vector<Place> damaged_;  // What the last damage has hit.
  sim_disk *undamaged_ = nullptr;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_MACHINE_H
