// What the service promises, in the plainest way there is: maps that copy everything. It
// shares nothing with the core: no code, no type, no constant.
//
// What always holds: a copy of a model stays as it is, whatever happens to the original.

#ifndef CX_TESTS_SIMULATION_MODEL_H
#define CX_TESTS_SIMULATION_MODEL_H

#include "tests/simulation/operation.h"

#include <memory>
#include <set>
#include <utility>

namespace simulation {

struct Entry {
  std::shared_ptr<const std::string> value;
  std::string content_type;
  uint64_t version = 0;
};

// Whether a mutation makes a state: activities do not.
inline bool MakesState(const Mutation &mutation) { return mutation.step != Step::kRecord; }

// The revision that made a context, and its id: one change may make several.
using Birth = std::pair<uint64_t, std::string>;

// One state of a context: what a read shows.
struct State {
  uint64_t version = 0;
  uint64_t head_version = 0;   // Of the head that it was, or was made from beside it,
  uint64_t head_revision = 0;  // and of the change that made that one.
  Birth birth;                 // Of the context that it is a state of.
  uint64_t revision = 0;  // Of the last change while it was the newest, once it is not.
  int64_t create_time_us = 0, update_time_us = 0;
  int64_t expire_time_us = 0;  // 0: never.
  int64_t end_time_us = 0;  // When it was deleted, if nothing was made of it since. 0: it was not.
  std::string type, parent_id;
  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> labels;
  std::shared_ptr<const struct Past> past;  // Once it is not the newest.
  uint64_t head_point = 0;  // The point that it came from last, likewise.

  uint64_t size_bytes() const;

  void MakeHead(uint64_t its_version, uint64_t its_revision) {
    version = head_version = its_version;
    head_revision = its_revision;
  }
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

// The record of the work as it stood when a state ended.
struct Past {
  std::shared_ptr<const Work> work;
  uint64_t last_sequence = 0;
};

enum class Origin { kClient = 1, kPolicy = 2, kSafety = 3, kSessionLoss = 4 };

struct Point {
  std::string id;
  uint64_t sequence = 0, parent = 0;  // 0: none.
  uint64_t revision = 0;              // Of its creation.
  int64_t create_time_us = 0, expire_time_us = 0;
  bool pinned = false;
  bool aside = false;  // It was not made of what the head has then.
  Origin origin = Origin::kClient;
  std::map<std::string, std::string> labels;
  State state;
  std::map<std::string, Entry> attachments;

  bool IsExpired(int64_t now_us) const { return expire_time_us != 0 && expire_time_us <= now_us; }
};

// A state of another context that this one has all of.
struct Base {
  std::string id;
  uint64_t birth = 0;     // The revision that made the other context.
  uint64_t revision = 0;  // When it became common.
  State state;
  std::shared_ptr<const Base> older;  // Of a fork: where its source was forked from.
};

// What a context has beside its head and the states right before it.
struct Recovery {
  Policy policy;
  uint64_t version_last = 0;  // Of a point that has a version of its own.
  std::map<uint64_t, std::shared_ptr<const Point>> points;  // By sequence.
  std::map<std::string, std::map<std::string, Entry>> pending;
  uint64_t last_sequence = 0;
  uint64_t head_point = 0;  // The one that the head came from last.
  uint64_t revived_revision = 0;
  int64_t last_point_time_us = 0;
  std::shared_ptr<const Base> forked_from;
  std::vector<std::shared_ptr<const Base>> merged;  // Newest first.

  const Point *Find(const std::string &id) const;
  const Point *At(uint64_t sequence) const;
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
  uint64_t birth_revision = 0;
  uint64_t change_count = 0;  // States since the last point of the head.
  std::shared_ptr<const Recovery> recovery;  // Null: there never was anything to keep.

  const Recovery &points() const;
  uint64_t version_last() const;
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
  uint64_t points_max = UINT64_MAX;  // Where a policy does not say.
};

// What a request is refused with.
struct Failure {
  std::string text;
};

void MutateLabels(std::map<std::string, std::string> *labels,
                  const std::vector<Mutation> &mutations);

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

  // What the server calls the points that it makes by itself, by context and sequence.
  using PointIds = std::map<std::pair<std::string, uint64_t>, std::string>;
  std::shared_ptr<const PointIds> point_ids = nullptr;
};

// Some of the points of one context, newest first, or all ancestors of one.
struct PointQuery {
  std::map<std::string, std::string> labels;
  std::string before_id, ancestors_of;
  uint64_t after_sequence = 0;
  size_t count_max = 1;
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

  // Recovery points of a context that are due by their time, or by its policy.
  void RunPointsDue(const Name &name, const Moment &moment);

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
  State Get(const Name &name, uint64_t version, int64_t time_us, int64_t now_us) const;

  // A point, by its id or, without one, the newest; throws Failure.
  const Point &GetPoint(const Name &name, const std::string &id, int64_t now_us) const;

  // A page of a list; throws Failure. *ret_more: others may follow.
  std::vector<const Point *> ListPoints(const Name &name, const PointQuery &query, int64_t now_us,
                                        bool *ret_more) const;

  // When a timer has to look at the points of a context that is there; 0: never.
  int64_t PointsDueTime(const Context &context) const;

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
  void CheckParent(const Operation &operation, const Part &part, const Moment &moment,
                   std::set<std::string> *begun);
  void BeginBelow(const Name &name, const Properties &properties, const Moment &moment);
  void BeginState(const Name &name, const Moment &moment);
  void PushHead(Context *context, uint64_t revision) const;
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
  void EndSession(const Name &name, bool is_loss, const Moment &moment);
  bool IsExclusive(const Name &session, const std::string &context_id) const;
  void MakeLossPoint(const Name &name, const Moment &moment);
  void GiveAllBack(const Name &name, const std::string &session_id, const std::set<Name> *resources,
                   const Moment &moment);

  // ---- Recovery points, in model_point.cc.

  // What a change does to one context, as far as its points go.
  struct Making {
    Point point;
    uint64_t from = 0;  // The point whose state it begins from. 0: the head.
    bool replaces = false;
  };
  struct PointChange {
    enum Kind { kCreate, kUpdate, kUndelete, kTouch };
    Kind kind = kTouch;
    std::shared_ptr<const Recovery> before;  // What the context, or its tombstone, had.
    int64_t since_us = 0;                    // When its last point was made, or it.
    std::vector<Making> makings;
    uint64_t base_point = 0, base_version = 0;  // What the new state was made from, if that,
    uint64_t base_head_point = 0;  // and the point that this version came from.
    std::set<uint64_t> busy;  // Points that something else is done to.
    bool is_fork = false, retains = true;
  };
  PointChange BeginPoints(PointChange::Kind kind, const Name &name, const Moment &moment) const;
  Making OwnPoint(const Name &name, Origin origin, PointChange *change, const Moment &moment) const;
  bool WantsPoint(const Context &context, const PointChange &change, const Moment &moment) const;
  std::set<uint64_t> FindDrops(const PointChange &change, const Policy &policy,
                               const Moment &moment) const;
  bool Keeps(const Recovery &recovery, const Retention &retention, const Point &point,
             uint64_t more, int64_t now_us) const;
  void FinishPoints(const Name &name, PointChange *change, const Moment &moment);
  void ApplyPoints(const Name &name, const PointChange &change, const std::set<uint64_t> &drops,
                   const Moment &moment);
  const Point *MeetPoint(const Name &name, const std::string &id, const Moment &moment) const;
  Answer MakePoint(const Operation &operation, const Moment &moment);
  void MakeOfExisting(const Operation &operation, Making making, const Moment &moment);
  void SetAside(const Operation &operation, const State &base, uint64_t head_version,
                uint64_t version_last, Making *making, const Moment &moment) const;
  Answer ChangePoint(const Operation &operation, const Moment &moment);
  Answer DropPoint(const Operation &operation, const Moment &moment);
  Answer Prune(const Operation &operation, const Moment &moment);

  // ---- Earlier states, in model_join.cc.

  // Where a state is: the head, one right before it, or a point.
  struct Ref {
    enum Kind { kHead, kVersion, kPoint };
    Kind kind = kHead;
    uint64_t number = 0;
    State state = {};
    uint64_t end_revision = UINT64_MAX;
  };
  Ref FindEarlier(const Context &context, const At &at, int64_t now_us) const;
  const Point *FindPointAt(const Context &context, int64_t time_us, int64_t now_us) const;
  State HeadOf(const Context &context) const;
  Answer Restore(const Operation &operation, const Moment &moment);
  void SetBack(const Name &name, const Ref &ref, const Moment &moment);
  Answer Fork(const Operation &operation, const Moment &moment);
  Answer Merge(const Operation &operation, const Moment &moment);
  struct Way;
  static const Base *FindAncestor(const std::string &source_id, const Context &source,
                                  const Ref &ref, const std::string &target_id,
                                  const Context &target);
  State GetAt(const Name &name, const At &at, int64_t now_us) const;

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
