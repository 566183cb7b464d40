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
};

// What is configured.
struct Rules {
  uint64_t version_retention = 1;
  int64_t undelete_window_us = 0, tombstone_window_us = 0;
  uint64_t value_size_max = 0;
};

// What a request is refused with.
struct Failure {
  std::string text;
};

// An expired context is met, and is to be deleted first.
struct Expired {
  Name name;
};

// When a change happens: `now_us` is what its request saw on the clock, `time_us` what the
// change is stamped with.
struct Moment {
  uint64_t revision = 0;
  int64_t now_us = 0;
  int64_t time_us = 0;
};

struct ListQuery {
  std::string namespace_id, id_prefix, type, parent_id;
  std::map<std::string, std::string> labels;
  bool deleted = false;

  std::string Describe() const;
};

// What is there after a certain revision.
class Model {
 public:
  using Contexts = std::map<Name, std::shared_ptr<const Context>>;

  uint64_t revision() const { return revision_; }
  int64_t time_us() const { return time_us_; }  // Of the last change.
  const Rules &rules() const { return rules_; }
  const Contexts &contexts() const { return contexts_; }
  const Context *Find(const Name &name) const;

  // ---- Changes. Each fails with Failure or Expired where the service must not make it, and
  // ---- has then changed nothing that counts: the model is to be thrown away.

  // New settings: the first change of a log, and later ones.
  void SetRules(const Rules &rules, uint64_t revision);

  // A create or an update. Returns the versions of the parts.
  std::vector<uint64_t> Write(const Operation &operation, const Moment &moment);

  // A round of a delete that ended these contexts, in this order. `first`: no round came before.
  // Returns whether it was the last.
  bool Delete(const Operation &operation, const std::vector<std::string> &ended, bool first,
              const Moment &moment);

  // What is due by its time: contexts of one namespace, in this order.
  void RunDue(const std::string &namespace_id, const std::vector<std::string> &ended,
              const Moment &moment);

  // ---- Answers that change nothing.

  // The answer to a write that would change nothing, as a failure or, for a delete of what may be
  // missing, an empty one. kChange: it would be carried out. kExpired: something expired is to be
  // deleted first.
  enum class Outcome { kFailure, kNothing, kChange, kExpired };
  Outcome Try(const Operation &operation, int64_t now_us, std::string *ret_failure) const;

  // The state that a read shows; throws Failure.
  const State &Get(const Name &name, uint64_t version, int64_t time_us, int64_t now_us) const;

  // Whether a list shows a context.
  bool Lists(const Context &context, const Name &name, const ListQuery &query,
             int64_t now_us) const;

  static bool IsExpired(const Context &context, int64_t now_us);
  int ChildCount(const Name &name) const;

  // When a timer has to look at a context; 0: never.
  int64_t DueTime(const Context &context) const;

 private:
  void Stamp(const Moment &moment);
  Context &Change(const Name &name);
  const Context *Look(const Name &name, int64_t now_us) const;
  void TryPart(const Operation &operation, const Part &part, const Moment &moment,
               std::set<std::string> *begun);
  void Check(const Context *context, const std::vector<Precondition> &preconditions) const;
  void CreateContext(const Operation &operation, const Part &part, const Moment &moment,
                     std::set<std::string> *begun);
  void Begin(const Name &name, const Properties &properties, int depth, const Moment &moment);
  void UpdateContext(const Name &name, const Part &part, const Moment &moment);
  void Mutate(Context *context, const std::vector<Mutation> &mutations, const Moment &moment) const;
  void MutateEntry(Context *context, const Mutation &mutation) const;
  void Trim(Context *context) const;
  void CheckDelete(const Operation &operation, int64_t now_us, bool first) const;
  void EndOne(const Name &name, bool purge, const Moment &moment);

  Rules rules_;
  uint64_t revision_ = 0;
  int64_t time_us_ = 0;
  Contexts contexts_;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_MODEL_H
