// A run on its way: the operator is in simulation.cc, its clients in client.cc.

#ifndef CX_TESTS_SIMULATION_SIMULATION_INTERNAL_H
#define CX_TESTS_SIMULATION_SIMULATION_INTERNAL_H

#include "tests/simulation/simulation.h"
#include "tests/simulation/threads.h"

namespace simulation {

constexpr uint64_t kNoRevision = UINT64_MAX;

// A reader, and its subscription in this life.
struct Subscriber {
  Reader reader;
  Subscription subscription;
  Fiber *fiber = nullptr;
  bool caught_up = false;
  uint64_t durable = 0;         // What was durable when it asked last,
  int64_t noted_us = 0;         // which was then,
  uint64_t durable_before = 0;  // and at an earlier time.
  uint64_t begun = 0;   // What was durable when it was asked for.
  Place page;           // Where the next contexts of its snapshot come from, and
  uint64_t page_upto = 0;  // the last revision that they can be of. 0: that is not known.
  int64_t told_us = 0;  // When it was told something last.
};

class Simulation {
 public:
  Simulation(uint64_t seed, Trace::Mode mode)
      : dice_(seed),
        swarm_(&dice_),
        trace_(mode),
        scheduler_(dice_.Split(), swarm_.pause_in),
        machine_(&scheduler_, &swarm_, &trace_, dice_.Split()),
        checker_([this](const std::string &failure) { scheduler_.Stop(failure); }),
        server_(&scheduler_, &machine_, &checker_, &trace_, Dice(seed ^ (~seed << 1))),
        workload_(&swarm_, dice_.Split()),
        reader_dice_(~seed) {
    SetSpuriousWakeups(swarm_.spurious_in, dice_.Split());
    SetOptions();
    if (swarm_.damage_in != 0) checker_.KeepAll();
    if (swarm_.readers != 0) {
      checker_.KeepEvents(swarm_.feed_retention_bytes, swarm_.feed_retention_age_us);
    }
  }

  Result Run() {
    if (trace_.on()) Say("operator", swarm_.Describe());
    scheduler_.Run([this] { Operate(); });
    result_.failure = scheduler_.failure();
    result_.virtual_us = scheduler_.now_us();
    result_.turns = scheduler_.turns();
    result_.changes = checker_.changes();
    result_.trace_hash = trace_.hash();
    return result_;
  }

 private:
  void Say(const std::string &who, const std::string &what) {
    trace_.Add(scheduler_.now_us(), who, what);
  }

  void SetOptions();
  void ChangeSettings();
  Rules rules() const;

  // ---- The operator.
  void Operate();
  void OpenServer();
  bool OpenOnce(uint64_t no_memory_at, bool lost);
  void MeetDamage();
  void CheckIdentity(const Start &start, bool lost);
  void Recover(const Start &start, bool lost);
  void EndAtChange(uint64_t nth_max);
  void LiveOnce(bool last);
  void TryASecond();
  void EndLife(bool last);
  void CheckProgress();
  void CompareAll();
  void CompareWork();
  void CheckDue();

  // ---- A client, in client.cc.
  void RunClient();
  void DoSomething();
  void DoWrite();
  std::string Write(const Operation &operation);
  void DoGet();
  void DoList(const ListQuery &query, size_t count_max);
  void DoHold();
  void NoteWeather();
  void WaitNowAndThen(uint64_t wait_for);
  void GetAndCheck(const Name &name, uint64_t version, int64_t time_us);

  // ---- The same, in client_work.cc.
  void DoRenew();
  void DoWork();
  void SayRead(const std::shared_ptr<Call> &call, const std::string &what, size_t rows);
  void GetSession(const Name &session);
  void ListSessions(const std::string &namespace_id, const std::string &owner, size_t count_max);
  void GetStatus(const Name &name);
  void ListActivities(const Name &name, ActivityQuery query);
  void ListFiles(const Name &name, RowQuery query);
  void ListResources(const Name &name, RowQuery query);
  void SummarizeUsage(const Name &name);
  void SummarizeNamespace(const std::string &namespace_id);
  uint64_t NoMemoryAt();

  // ---- Reads of recovery points, in client_point.cc.
  void DoReadPoints();
  void GetPoint(const Name &name, const std::string &id);
  void ListPoints(const Name &name, PointQuery query);
  void ListAllPoints(const std::string &namespace_id, const PointQuery &query);
  void ComparePoints();

  // ---- Subscribers, in client_subscribe.cc.

  // What there was when a subscription was asked for.
  struct Asked {
    uint64_t durable, floor, maybe_open, comings;
  };

  bool Reading() const;
  void StartReaders();
  void StopReaders();
  void WakeReaders();
  void ForgetReaders();
  void RunReader(Subscriber *subscriber);
  void Rest(int64_t us);
  void RestNowAndThen();
  void NoteDurable(Subscriber *subscriber);
  void Choose(Subscriber *subscriber);
  void CheckFloor();
  bool Enter(Subscriber *subscriber);
  void CheckRefused(const Subscriber &subscriber, const Asked &asked, bool starved,
                    const std::string &failure);
  void CheckEntered(Subscriber *subscriber, const Asked &asked);
  void Leave(Subscriber *subscriber);
  void ReadOn(Subscriber *subscriber);
  void Hear(Subscriber *subscriber, uint64_t floor, const Told &told);
  void CheckPage(Subscriber *subscriber, const Told &told, const std::string &what);
  void CheckEnd(Subscriber *subscriber, bool starved, const std::string &failure);
  bool AwaitMore(Subscriber *subscriber);
  void CheckNotForgotten(const Subscriber &subscriber, uint64_t asked_at, uint64_t durable);
  void CheckReaders();

  Dice dice_;
  Swarm swarm_;
  Trace trace_;
  Scheduler scheduler_;
  Machine machine_;
  Checker checker_;
  Server server_;
  Workload workload_;
  Result result_;
  Dice reader_dice_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  bool reading_ = false;
  bool hurry_ = false;     // Nobody rests or leaves.
  bool stopping_ = false;  // Subscriptions have been ended.
  uint64_t reader_count_ = 0;
  uint64_t open_ = 0;        // Subscriptions that are there,
  uint64_t maybe_open_ = 0;  // and those that come or go besides.
  uint64_t comings_ = 0;     // Counts all that come and go.
  uint64_t floor_seen_ = 0;
  std::string log_id_;  // Of the last start.
  uint64_t epoch_ = 0;  // 0: there was none.
  uint64_t operations_left_ = 0;
  uint64_t digest_ = 0;  // Of the state of that revision, when the last life ended.
  uint64_t digest_revision_ = kNoRevision;
  uint64_t found_ = 0;              // The last change that the last start found.
  uint64_t started_with_ = 0;       // The revision of the last start.
  bool ended_cleanly_ = false;      // The last life, and no start was tried since.
  bool changed_uncleanly_ = false;  // It has told of changes and then just ended.
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_SIMULATION_INTERNAL_H
