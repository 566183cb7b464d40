// The engine as a process on the machine: starts, answers, and ends in one way or another.
// What it is asked and what it says is translated here, and nothing is judged.
//
// Threads: those of the scheduler.

#ifndef CX_TESTS_SIMULATION_SERVER_H
#define CX_TESTS_SIMULATION_SERVER_H

extern "C" {
#include "core/engine/engine.h"
}

#include "tests/simulation/checker.h"
#include "tests/simulation/machine.h"

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

class Server {
 public:
  Server(Scheduler *scheduler, Machine *machine, Checker *checker, Trace *trace);
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
  ShownStatus GetStatus(Call *call, uint64_t no_memory_at);
  ShownHistory ListActivities(Call *call, const ActivityQuery &query, uint64_t no_memory_at);
  ShownFiles ListFiles(Call *call, const RowQuery &query, uint64_t no_memory_at);
  ShownResources ListResources(Call *call, const RowQuery &query, uint64_t no_memory_at);

  // Of the context, or where it has no id, of the namespace.
  Usage SummarizeUsage(Call *call, uint64_t no_memory_at);

  // Waits until a revision is durable. False: it will never be.
  bool WaitFor(uint64_t revision);

  struct cx_engine_statistics statistics();

  // Tells the engine which context comes soon, or does not.
  void Foresee(const Name &name, const std::string &key);

 private:
  cx_status WriteContext(const Operation &operation, std::vector<cx_write_outcome> *outcomes,
                         Call *call, Returned *ret_returned, cx_error *error);
  cx_status WriteSession(const Operation &operation, cx_write_outcome *outcome,
                         Returned *ret_returned, cx_error *error);
  static void OnComplete(void *arg, cx_work *list);
  static void OnFailed(void *arg, const char *message);
  static void OnDiskFull(void *arg, bool full);

  Scheduler *scheduler_;
  Machine *machine_;
  Trace *trace_;
  cx_engine *engine_ = nullptr;
  cx_disk *disk_ = nullptr;
  bool failed_ = false;
  std::string failure_;
  cx_foresight foresight_ = {};
  std::string foreseen_keys_[CX_FORESIGHT_PLACES];  // Which the foresight borrows.
  size_t foreseen_count_ = 0;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_SERVER_H
