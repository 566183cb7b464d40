// Compares what the engine does and says with the model.
//
// The engine tells the order of changes itself: each has a revision. So the model makes every
// change at its revision, with what its request asked for, and must come to the same answer.
// An answer that changed nothing must be true of the model at some revision between the call
// and the return, and at the revision that it is to wait for (rule R1).
//
// What always holds:
//
//  (1) The models of all revisions from `oldest()` to `newest()` are known.
//  (2) Whoever finds the engine wrong stops the run and says why.
//
// Threads: those of the scheduler.

#ifndef CX_TESTS_SIMULATION_CHECKER_H
#define CX_TESTS_SIMULATION_CHECKER_H

#include "tests/simulation/events.h"

#include <functional>

namespace simulation {

// What one engine call of a client is about. Lives until the checker has looked at it.
struct Call {
  Operation operation;
  int64_t now_us = 0;          // What the engine read from the wall clock, and when
  int64_t clock_us = 0;        // by the one that never jumps, which stands still meanwhile.
  uint64_t first = 0;          // The newest revision that the model knew at the call,
  uint64_t last = 0;           // and the newest that was applied at the return.
  uint64_t told = 0;           // What was known to be durable at the return.
  bool starts_engine = false;  // No request: the log is replayed, and nobody is told.
  bool starved = false;        // An allocation was made to fail.
  bool refused = false;        // The log took no change of it.
  uint64_t log_bytes = 0;      // Of its last change.
  uint64_t wait_for = 0;
  Answer answer;

  // What the model says of the changes that it made.
  uint64_t changes = 0;
  std::string id;         // Of the context or session that it named, or that the server made up.
  std::string point_id;   // The same of a point.
  bool complete = false;  // The last round of a delete.
  Answer expected;

  // What it saw on the clocks.
  Moment now() const { return {0, now_us, 0, clock_us, nullptr}; }
};

// One change of the engine, in the order of revisions.
struct Change {
  std::shared_ptr<Call> call;  // Of the fiber that made it.
  enum Kind { kWrite, kDelete, kDue, kPointsDue, kLoss, kPart, kFloor };
  Kind kind = kWrite;
  std::string namespace_id;
  std::vector<std::string> ids;  // Of its items, in their order.
  std::string session_id;        // Of the one that it begins or ends.
  std::set<Name> reclaimed;      // Of kPart: resources, by context and name.
  Moment moment;
  std::string point_id;  // Of the point that a client makes.
  Happened happened;
};

// What may go wrong around the engine in this run, so that answers may say so.
struct Weather {
  bool disk_may_be_full = false;
  bool disk_has_failed = false;
  uint64_t memory_limit = 0;
  uint64_t change_size_max = 0;
  int64_t request_id_window_us = 0;
  uint64_t request_ids_max = 0;
};

class Checker {
 public:
  // `fail` is told what is wrong, and does not return.
  explicit Checker(std::function<void(const std::string &)> fail);

  Weather weather;

  uint64_t oldest() const { return oldest_; }
  uint64_t newest() const { return oldest_ + models_.size() - 1; }
  const Model &model() const { return models_.back(); }

  // ---- While the engine runs.

  // A change is applied now. Changes come in any order; the model makes them in theirs.
  void Applied(Change change);

  // Begins and ends a client's call. Whoever ends it has filled in `answer` and `wait_for`.
  std::shared_ptr<Call> Begin(Operation operation);
  void EndWrite(const std::shared_ptr<Call> &call, const Returned &returned = {});

  using Compare = std::function<std::string(const Model &)>;

  // Ends a read of anything: what it shows must be true at one moment, and a failure is shown too.
  void EndRead(const std::shared_ptr<Call> &call, const std::string &what,
               const Compare &difference);
  void EndGet(const std::shared_ptr<Call> &call, uint64_t version, int64_t time_us,
              const Shown &shown);
  void EndWork(const std::shared_ptr<Call> &call, const std::string &what,
               const std::function<std::string(const Work &)> &difference);
  void EndList(const std::shared_ptr<Call> &call, const ListQuery &query,
               const std::string &after_id, size_t count_max, const ShownPage &page);
  void EndSessions(const std::shared_ptr<Call> &call, const std::string &owner,
                   uint64_t after_start_revision, size_t count_max, const ShownSessions &page);

  // Of who has a context active.
  void EndStatus(const std::shared_ptr<Call> &call, const ShownStatus &shown);

  // Of the resources of a context.
  void EndResources(const std::shared_ptr<Call> &call, const RowQuery &query,
                    const ShownResources &shown);

  void EndPoint(const std::shared_ptr<Call> &call, const std::string &id, const ShownPoint &shown);
  void EndPoints(const std::shared_ptr<Call> &call, const PointQuery &query,
                 const ShownPoints &page);
  void EndAllPoints(const std::shared_ptr<Call> &call, const PointQuery &query,
                    const ShownPoints &before, const ShownPoints &page);

  // Of a session as it is now.
  void EndSession(const std::shared_ptr<Call> &call, const ShownSession &shown);

  // A renewal, which says when the session ends.
  std::shared_ptr<Call> BeginRenewal(Operation operation);
  void EndRenewal(const std::shared_ptr<Call> &call, int64_t expire_time_us);

  // Of what was used in a namespace: its rows need not be of one moment.
  void EndUsage(const std::shared_ptr<Call> &call, const Usage &shown);

  // A client was told that everything up to this revision is durable.
  void Told(uint64_t revision);

  // ---- Between two lives.

  // The engine that ran is gone.
  void Ended();

  // It has been started again, with these rules, and says that `found` was the last change in
  // the log, and `now` is, after those of the start itself. `lost`: damage was accepted.
  // At `clock_us` the term of every session begins anew.
  void Recovered(uint64_t found, uint64_t now, const Rules &rules, bool lost, int64_t clock_us);

  // A start has failed after it had read the log, which ended with `found`. It may have written
  // its settings.
  void StartFailed(uint64_t found, const Rules &rules);

  // What every namespace holds, while nothing changes.
  struct Totals {
    uint64_t context_count = 0, size_bytes = 0;
    bool operator==(const Totals &other) const {
      return context_count == other.context_count && size_bytes == other.size_bytes;
    }
  };
  void CheckNamespaces(const std::map<std::string, Totals> &found, uint64_t context_count,
                       uint64_t session_count);

  uint64_t told() const { return told_; }
  uint64_t changes() const { return changes_; }  // That the model has made.

  // What the changes tell. Known only if it is kept, from the first change on.
  const EventLog &events() const { return events_; }
  bool keeps_events() const { return keeps_events_; }
  void KeepEvents(uint64_t retention_bytes, int64_t retention_age_us);

  // All models are kept, not only those that a restart may find.
  void KeepAll() { keep_all_ = true; }

 private:
  struct Request {
    uint64_t revision;
    int64_t time_us;
    std::string content;
    Answer answer;
    uint64_t number;  // Counts the records of all requests, those of parts included.
  };

  // Whether a request that came again must, may, or cannot be known.
  enum class Known { kNo, kMay, kMust };

  using Waiting = std::pair<std::shared_ptr<Call>, std::function<void()>>;

  const Model &At(uint64_t revision) const { return models_[revision - oldest_]; }
  void Make(const Change &change);
  void CheckNew(const Call &call, const Model &model) const;
  void MakeWrite(const Change &change, Model *model);
  void MakeDelete(const Change &change, Model *model);
  void MakePart(const Change &change, Model *model);
  void AddEvents(const Happened &happened, const Model &after);
  void MakeFloor(const Change &change, Model *model);
  void LearnId(const Change &change, Operation *operation);
  void Remember(const Call &call, const Change &change);
  void RunReady();
  void Later(const std::shared_ptr<Call> &call, std::function<void()> check);
  void CheckWrite(const std::shared_ptr<Call> &call);
  void CheckReplay(const std::shared_ptr<Call> &call);
  void CheckUnchanged(const std::shared_ptr<Call> &call);
  static bool IsStarved(const Call &call, const std::string &failure);
  bool IsExcused(const Call &call) const;
  bool MayWeigh(const Operation &operation) const;
  static bool MayGrow(const Operation &operation);
  bool IsStaleRepeat(const Call &call, const Model &model, const Request &request) const;
  bool IsTrue(const Call &call, const Model &model) const;
  bool CheckExplained(const Call &call, const std::function<bool(const Model &)> &is_true) const;
  void CheckReturned(const Call &call, const Returned &returned);
  std::string DifferenceOf(const Call &call, const Model &model, const Returned &returned) const;
  void CheckTerm(const Call &call, const Name &name, int64_t expire_time_us) const;
  void CheckAlive(const Call &call, const Name &session) const;
  const Session *FindSession(const Call &call, const Name &name) const;
  void CheckSession(const Call &call, const std::string &owner, const ShownSession &row);
  void CheckSessions(const std::shared_ptr<Call> &call, const std::string &owner,
                     uint64_t after_start_revision, size_t count_max, const ShownSessions &page);
  void CheckAllPoints(const Call &call, const PointQuery &query, const ShownPoints &before,
                      const ShownPoints &page);
  void CheckUsage(const Call &call, const Usage &shown);
  void CheckPage(const std::shared_ptr<Call> &call, const ListQuery &query,
                 const std::string &after_id, size_t count_max, const ShownPage &page);
  void CheckRow(const Call &call, const ListQuery &query, const Shown &row);
  Operation WithId(const Operation &operation) const;
  std::string RequestKey(const Operation &operation) const;
  const Request *FindRequest(const Operation &operation, uint64_t upto) const;
  Known Knows(const Operation &operation, uint64_t upto, int64_t time_us,
              const Request **ret_request) const;
  void Forget();
  void EndWith(uint64_t found);
  bool HasSettings(const Rules &rules) const;
  void AddSettings(const Rules &rules);
  void Fail(const Call &call, const std::string &what) const;

  std::function<void(const std::string &)> fail_;
  uint64_t oldest_ = 0;
  std::deque<Model> models_;
  std::map<uint64_t, Change> early_;  // Applied, and one before them is not.
  uint64_t applied_ = 0;              // The newest of all.
  std::vector<Waiting> waiting_;      // Checks of calls whose revisions the model does not know.
  std::multiset<uint64_t> open_calls_;
  std::multiset<Name> renewed_;  // Sessions that are being renewed.
  std::map<std::string, std::vector<Request>> requests_;
  std::map<std::string, std::string> made_up_;  // Ids, by request.
  std::map<std::string, std::string> made_up_points_;
  uint64_t request_count_ = 0;
  uint64_t told_ = 0;
  uint64_t changes_ = 0;
  bool keep_all_ = false;
  bool keeps_events_ = false;
  EventLog events_;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_CHECKER_H
