// The engine as a process on the machine: starts, answers, and ends in one way or another.
// What it is asked and what it says is translated here, and nothing is judged.
//
// Threads: those of the scheduler.

#ifndef CX_TESTS_SIMULATION_SERVER_H
#define CX_TESTS_SIMULATION_SERVER_H

extern "C" {
#include "core/engine/engine.h"
#include "core/engine/subscription.h"
}

#include "tests/simulation/checker.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/reader.h"

namespace simulation {

// What a start came to.
struct Start {
  bool ok = false;
  bool damaged = false;
  std::string damaged_file;     // Where, then:
  uint64_t damaged_offset = 0;  // the first record that is not whole.
  std::string failure;
  bool was_read = false;  // The log was, and so the report is set, also on failure.
  cx_engine_report report = {};
  uint64_t revision = 0;
  std::string log_id;
  uint64_t epoch = 0;
  uint64_t digest = 0;
};

// What waits for the engine to complete it.
struct Waiter {
  cx_waiter base = {};
  bool done = false;
};

// A subscription, and how it is asked for.
struct Subscription {
  enum Start { kNow, kPosition };
  Start start = kNow;
  Reader::Mark mark;  // Where it begins, of kPosition; revision 0: with the oldest.
  int64_t progress_interval_us = 0;

  cx_engine_subscription *base = nullptr;
  std::unique_ptr<Waiter> waiter;  // Of the last question, where it is with the engine.
};

class Server {
 public:
  Server(Scheduler *scheduler, Machine *machine, Checker *checker, Trace *trace, Dice dice);
  ~Server();

  // Of the next start.
  cx_engine_options options = {};

  // Opens the engine and starts its threads. `no_memory_at`: that allocation fails; 0: none.
  Start Open(uint64_t no_memory_at);

  // Whether a second process could start beside this one.
  bool SecondCanOpen();

  // Ends the threads and releases everything. The digest is that of the last state.
  uint64_t Stop();

  // The disk has failed: the process must end.
  bool failed() const { return failed_; }
  const std::string &failure() const { return failure_; }

  // ---- Requests. Each fills in call->answer and call->wait_for.

  // `no_memory_at` as above, for this call.
  void Write(Call *call, uint64_t no_memory_at, Returned *ret_returned);

  // Returns when the session is to end.
  int64_t Renew(Call *call, uint64_t no_memory_at);

  // Takes a snapshot; the caller shows it as often as it likes, and releases it. NULL: it
  // failed, and *ret_failure says why.
  std::unique_ptr<cx_snapshot, void (*)(cx_snapshot *)> Get(Call *call, uint64_t version,
                                                            int64_t time_us, uint64_t no_memory_at,
                                                            std::string *ret_failure);
  static Shown Show(const cx_snapshot &snapshot, bool with_entries);

  ShownPage List(Call *call, const ListQuery &query, const std::string &after_id, size_t count_max,
                 uint64_t no_memory_at);
  std::map<std::string, Checker::Totals> ListNamespaces();

  ShownSession GetSession(Call *call, uint64_t no_memory_at);
  ShownSessions ListSessions(Call *call, const std::string &owner, uint64_t after_start_revision,
                             size_t count_max, uint64_t no_memory_at);
  ShownPoint GetPoint(Call *call, const std::string &id, uint64_t no_memory_at);
  ShownPoints ListPoints(Call *call, const PointQuery &query, uint64_t no_memory_at);

  // Of all contexts of a namespace, behind the last one of the page before.
  ShownPoints ListAllPoints(Call *call, PointQuery query, const ShownPoints &before,
                            uint64_t no_memory_at);
  ShownStatus GetStatus(Call *call, uint64_t no_memory_at);
  ShownHistory ListActivities(Call *call, const ActivityQuery &query, uint64_t no_memory_at);
  ShownFiles ListFiles(Call *call, const RowQuery &query, uint64_t no_memory_at);
  ShownResources ListResources(Call *call, const RowQuery &query, uint64_t no_memory_at);

  // Of the context, or where it has no id, of the namespace.
  Usage SummarizeUsage(Call *call, uint64_t no_memory_at);

  // ---- Subscriptions, in server_subscribe.cc.

  // Returns why there is none; empty: there is.
  std::string Subscribe(Call *call, const Reader &reader, uint64_t no_memory_at,
                        Subscription *subscription);

  // What comes next. Where that is nothing, there is a waiter. `while_held` runs before the
  // events are released.
  Told Next(Call *call, uint64_t size_max, uint64_t no_memory_at, Subscription *subscription,
            const std::function<void()> &while_held);

  // Waits for its waiter, until `deadline_us` or WakeAll() of it. False: it is not completed.
  bool Await(Subscription *subscription, int64_t deadline_us);
  void Unsubscribe(Subscription *subscription);
  void EndSubscriptions() { cx_engine_end_subscriptions(engine_); }

  // Of what becomes durable, one batch in so many does not get to the subscriptions directly.
  uint64_t left_out_in = 0;
  static bool LeavesOut();

  // Up to where nothing is told any more.
  uint64_t floor() const { return cx_engine_oldest(engine_).revision - 1; }

  // The last change that is durable, and the last one of all.
  uint64_t durable() const;
  uint64_t revision() const;

  // Waits until a revision is durable. False: it will never be.
  bool WaitFor(uint64_t revision);

  struct cx_engine_statistics statistics();

  // Tells the engine which context comes soon, or does not.
  void Foresee(const Name &name, const std::string &key);

 private:
  cx_status WriteContext(const Operation &operation, std::vector<cx_write_outcome> *outcomes,
                         Call *call, Returned *ret_returned, cx_error *error);
  cx_status WritePoint(const Operation &operation, cx_write_outcome *outcome, Call *call,
                       Returned *ret_returned, cx_error *error);
  cx_status WriteSession(const Operation &operation, cx_write_outcome *outcome,
                         Returned *ret_returned, cx_error *error);
  static void Serve(Server *server);
  static void OnComplete(void *arg, cx_work *list);
  static void OnFailed(void *arg, const char *message);
  static void OnDiskFull(void *arg, bool full);

  Scheduler *scheduler_;
  Machine *machine_;
  Trace *trace_;
  cx_engine *engine_ = nullptr;
  cx_disk *disk_ = nullptr;
  Dice hand_over_dice_;
  bool failed_ = false;
  std::string failure_;
  cx_foresight foresight_ = {};
  std::string foreseen_keys_[CX_FORESIGHT_PLACES];  // Which the foresight borrows.
  size_t foreseen_count_ = 0;
  std::vector<std::unique_ptr<Waiter>> given_back_;  // Which nobody may complete any more.
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_SERVER_H
