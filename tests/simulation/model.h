// What the service promises, in the plainest way there is: maps that copy everything. It
// shares nothing with the core: no code, no type, no constant.
//
// What always holds: a copy of a model stays as it is, whatever happens to the original.

#ifndef CX_TESTS_SIMULATION_MODEL_H
#define CX_TESTS_SIMULATION_MODEL_H

#include "tests/simulation/operation.h"

#include <memory>
#include <set>

namespace simulation {

struct Entry {
  std::shared_ptr<const std::string> value;
  std::string content_type;
  uint64_t version = 0;
};

// One state of a context: what a read shows.
struct State {
  uint64_t version = 0;
  int64_t create_time_us = 0, update_time_us = 0;
  int64_t expire_time_us = 0;  // 0: never.
  int64_t end_time_us = 0;  // When it was deleted, if nothing was made of it since. 0: it was not.
  std::string type, parent_id;
  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> labels;

  uint64_t size_bytes() const;
};

// What became of an activity: its content, and what the server said of it.
struct Recorded {
  uint64_t sequence = 0;
  int64_t time_us = 0;
  std::string session_id;
  std::shared_ptr<const Activity> activity;
};

struct TrackedFile {
  FileOperation last;
  int64_t time_us = 0;
  uint64_t operation_count = 0;
};

// A resource that a session holds.
struct Held {
  std::string session_id, type;
  std::map<std::string, std::string> labels;
  int64_t time_us = 0;
  uint64_t sequence = 0;  // Of the activity that says so.
};

// The record of the work on a context.
struct Work {
  std::vector<std::shared_ptr<const Recorded>> history;  // Oldest first.
  uint64_t history_bytes = 0;
  std::map<std::string, TrackedFile> files;
  Usage usage;
  std::map<std::string, Held> resources;
};

// kDeleted can be brought back; of kBare only the version is known.
enum class Life { kLive, kDeleted, kBare };

struct Context {
  Life life = Life::kBare;
  int depth = 1;
  uint64_t revision = 0;
  int64_t delete_time_us = 0, ttl_us = 0;
  bool sliding = false;
  State head;
  std::vector<State> earlier;  // Oldest first.
  uint64_t fence = 0;          // These two go on when it is created again.
  uint64_t last_sequence = 0;
  std::shared_ptr<const Work> work = std::make_shared<Work>();
};

struct Activation {
  std::string context_id;
  bool exclusive = false, guard = false;
  uint64_t fence = 0;
  int64_t time_us = 0;
  uint64_t revision = 0;
};

// The term of a session, on the clock that never jumps.
struct Lease {
  int64_t over_us = 0;
  int64_t renew_time_us = 0, over_before_us = 0;  // Of the last moment with renewals.

  void Renew(int64_t clock_us, int64_t ttl_us);
};

struct Session {
  Terms terms;
  std::string default_context_id;
  bool may_create = false;  // What is missing when it is activated, like this:
  Properties properties;
  int64_t create_time_us = 0;
  uint64_t start_revision = 0;
  std::vector<Activation> activations;  // Oldest first.
  std::string current;

  // Renewals are no changes: all copies of the session share it.
  std::shared_ptr<Lease> lease = std::make_shared<Lease>();

  bool IsOver(int64_t clock_us) const { return lease->over_us <= clock_us; }
  const Activation *Find(const std::string &context_id) const;
};

// What is configured.
struct Rules {
  uint64_t version_retention = 1;
  int64_t undelete_window_us = 0, tombstone_window_us = 0;
  uint64_t value_size_max = 0;  // These are no part of the log.
  uint64_t history_count_max = UINT64_MAX, history_bytes_max = UINT64_MAX;
};

// What a request is refused with.
struct Failure {
  std::string text;
};

// Of a context, or of none: nullptr.
bool IsLive(const Context *context);
Failure NotFound(const Context *context);

// An expired context is met, and is to be deleted first.
struct Expired {
  Name name;
};

// A session is met whose term is over, and is to be ended first.
struct Lapsed {
  Name session;
};

// There is nothing to change, and this is the answer.
struct Nothing {
  Answer answer;
};

// When a change happens: `now_us` is what its request saw on the wall clock, `clock_us` on the
// one that never jumps, `time_us` what the change is stamped with.
struct Moment {
  uint64_t revision = 0;
  int64_t now_us = 0;
  int64_t time_us = 0;
  int64_t clock_us = 0;
};

struct ListQuery {
  std::string namespace_id, id_prefix, type, parent_id;
  std::map<std::string, std::string> labels;
  bool deleted = false;

  std::string Describe() const;
};

// What nobody else holds, so that it may be changed: itself, or else a copy in its place.
template <typename T>
T &Own(std::shared_ptr<const T> *place) {
  if (place->use_count() > 1) *place = std::make_shared<T>(**place);
  return const_cast<T &>(**place);
}

// What is there after a certain revision.
class Model {
 public:
  using Contexts = std::map<Name, std::shared_ptr<const Context>>;
  using Sessions = std::map<Name, std::shared_ptr<const Session>>;

  uint64_t revision() const { return revision_; }
  int64_t time_us() const { return time_us_; }  // Of the last change.
  const Rules &rules() const { return rules_; }
  const Contexts &contexts() const { return contexts_; }
  const Context *Find(const Name &name) const;

  // Those whose term is over are among them until that is a change.
  const Sessions &sessions() const { return sessions_; }
  const Session *FindSession(const Name &name) const;

  // Of all that was ever recorded in a namespace.
  const Usage &UsageOf(const std::string &namespace_id) const;

  // ---- Changes. Each fails with Failure, Expired, Lapsed or Nothing where the service must not
  // ---- make it, and has then changed nothing that counts: the model is to be thrown away.

  // New settings: the first change of a log, and later ones.
  void SetRules(const Rules &rules, uint64_t revision);

  // All but deletes. Returns what is answered.
  Answer Write(const Operation &operation, const Moment &moment);

  // A round of a delete that ended these contexts, in this order. `first`: no round came before.
  // Returns whether it was the last.
  bool Delete(const Operation &operation, const std::vector<std::string> &ended, bool first,
              const Moment &moment);

  // What is due by its time: contexts of one namespace, in this order.
  void RunDue(const std::string &namespace_id, const std::vector<std::string> &ended,
              const Moment &moment);

  // The end of a session whose term is over.
  void Lose(const Name &session, const Moment &moment);

  // What only says how far back is told.
  void SetFloor(const Moment &moment) { Stamp(moment); }

  // A part of an end that is too large for one change: the session leaves these contexts, and
  // gives these resources back (the name of each behind that of its context). `is_asked`: by a
  // client, else its term is over.
  void PartSession(const Name &session, bool is_asked, const std::vector<std::string> &ids,
                   const std::set<Name> &resources, const Moment &moment);

  // ---- Answers that change nothing.

  // The answer to a write that would change nothing: a failure, or what is told where there is
  // nothing to do. kChange: it would be carried out. kExpired: something whose time is over is
  // to be ended first. `first`: it is no further round of a delete.
  enum class Outcome { kFailure, kNothing, kChange, kExpired };
  Outcome Try(const Operation &operation, bool first, const Moment &now, Answer *ret_answer) const;

  // The state that a read shows; throws Failure.
  const State &Get(const Name &name, uint64_t version, int64_t time_us, int64_t now_us) const;

  // The record of the work on a context; throws Failure.
  const Work &GetWork(const Name &name, int64_t now_us) const;

  // Whether a list shows a context.
  bool Lists(const Context &context, const Name &name, const ListQuery &query,
             int64_t now_us) const;

  static bool IsExpired(const Context &context, int64_t now_us);
  std::vector<Name> ChildrenOf(const Name &name) const;

  // When a timer has to look at a context; 0: never.
  int64_t DueTime(const Context &context) const;

  // The sessions that have a context active, oldest activation first.
  struct Holder {
    Name name;
    const Session *session;
    const Activation *activation;
  };
  std::vector<Holder> HoldersOf(const Name &context) const;

 private:
  void Stamp(const Moment &moment);
  Context &Change(const Name &name);
  Context &Touch(const Name &name, const Moment &moment);
  const Context *Look(const Name &name, int64_t now_us) const;
  const Context &LookLive(const Name &name, int64_t now_us) const;

  // ---- Creates and updates.
  Answer WriteParts(const Operation &operation, const Moment &moment);
  void TryPart(const Operation &operation, const Part &part, const Moment &moment,
               std::set<std::string> *begun);
  void Check(const Context *context, const std::vector<Precondition> &preconditions) const;
  void CreateContext(const Operation &operation, const Part &part, const Moment &moment,
                     std::set<std::string> *begun);
  void Begin(const Name &name, const Properties &properties, int depth, const Moment &moment);
  void UpdateContext(const Name &name, const Part &part, const Moment &moment);
  void Mutate(const Name &name, const Part &part, const Moment &moment);
  void MutateEntry(Context *context, const Mutation &mutation) const;
  void Trim(Context *context) const;

  // ---- Ends.
  void CheckDelete(const Operation &operation, const Moment &now, bool first) const;
  void CheckGuard(const Name &name, const Operation &operation, const Moment &now) const;
  void CheckGuardsBelow(const Name &name, const Operation &operation, const Moment &now) const;
  void EndOne(const Name &name, bool purge, const Moment &moment);

  // ---- Sessions, in model_session.cc.
  const Session &Meet(const Name &name, int64_t clock_us) const;
  Session &ChangeSession(const Name &name);
  void CheckAuthor(const Name &name, const Part &part, bool minds_guard, const Moment &now) const;
  const Holder *FindExclusive(const std::vector<Holder> &holders) const;
  Answer Start(const Operation &operation, const Moment &moment);
  Answer End(const Operation &operation, const Moment &moment);
  Answer Activate(const Operation &operation, const Moment &moment);
  Answer Switch(const Operation &operation, const Moment &moment);
  Answer Deactivate(const Operation &operation, const Moment &moment);
  const Session &MeetBoth(const Operation &operation, const Moment &moment) const;
  void CreateMissing(const Name &name, const Session &session, const Moment &moment);
  void TakeExclusive(const Operation &operation, const Moment &moment);
  void AddActivation(const Operation &operation, const Moment &moment);
  void RemoveActivation(const Name &session, const std::string &context_id);
  void CheckLost(const Name &name, const Moment &moment) const;
  void EndSession(const Name &name, const Moment &moment);
  void GiveAllBack(const Name &name, const std::string &session_id, const std::set<Name> *resources,
                   const Moment &moment);

  // ---- The record of work, in model_work.cc.
  void Record(const Name &name, const std::string &session_id,
              const std::shared_ptr<const Activity> &activity, const Moment &moment);
  void Bound(const Name &name);
  Answer Truncate(const Operation &operation, const Moment &moment);
  Answer Optimize(const Operation &operation, const Moment &moment);
  Answer Acquire(const Operation &operation, const Moment &moment);
  Answer Release(const Operation &operation, const Moment &moment);
  uint64_t CountHeld(const Name &session) const;
  void GiveBack(const Name &name, const std::string &resource, ResourceStep step,
                const std::string &session_id, const Moment &moment);

  Rules rules_;
  uint64_t revision_ = 0;
  int64_t time_us_ = 0;
  Contexts contexts_;
  Sessions sessions_;
  std::map<std::string, std::shared_ptr<const Usage>> usage_;  // By namespace.
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_MODEL_H
