// What clients ask for and are told, in words of the simulation's own: nothing here knows the
// core.

#ifndef CX_TESTS_SIMULATION_OPERATION_H
#define CX_TESTS_SIMULATION_OPERATION_H

#include "tests/simulation/activity.h"

#include <memory>
#include <set>
#include <vector>

namespace simulation {

struct Name {
  std::string namespace_id, id;

  bool operator<(const Name &other) const {
    int order = namespace_id.compare(other.namespace_id);
    return order != 0 ? order < 0 : id < other.id;
  }
  bool operator==(const Name &other) const {
    return id == other.id && namespace_id == other.namespace_id;
  }
  std::string text() const { return namespace_id + "/" + id; }
};

enum class Step {
  kPut,
  kAppend,
  kDelete,
  kDeletePrefix,
  kSetLabel,
  kDeleteLabel,
  kSetExpiry,
  kSetPolicy,
  kRecord
};

// Which recovery points are kept; 0: no such rule.
struct Retention {
  uint64_t keep_last = 0, keep_every = 0;
  int64_t keep_within_us = 0;

  bool IsSet() const { return keep_last != 0 || keep_every != 0 || keep_within_us != 0; }
};

// Which ones a context gets by itself, and keeps.
struct Policy {
  bool is_set = false;
  Retention retention;
  uint64_t every_changes = 0;
  int64_t every_us = 0;
};

struct Mutation {
  Step step = Step::kPut;
  std::string key, value, content_type;
  bool has_expected_size = false;
  uint64_t expected_size = 0;
  int64_t ttl_us = 0;
  bool sliding = false;
  Policy policy;                             // Of kSetPolicy.
  std::shared_ptr<const Activity> activity;  // Of kRecord.
};

// An empty key: the version of the context.
struct Precondition {
  bool of_entry;
  std::string key;
  uint64_t version;
};

// How a context begins.
struct Properties {
  std::string type, parent_id;
  bool create_parent = false;
  std::map<std::string, std::string> labels;
  int64_t ttl_us = 0;
  bool sliding = false;
  Policy policy;
};

// What one request does to one context.
struct Part {
  std::string id;          // Empty: the server makes one up, or there is none.
  std::string session_id;  // Who writes. Empty: nobody says.
  uint64_t fence = 0;
  std::vector<Mutation> mutations;
  std::vector<Precondition> preconditions;
  bool may_create = false;
  Properties properties;
};

enum class Kind {
  kCreate,
  kUpdate,
  kAtomic,
  kDelete,
  kTruncate,
  kOptimize,
  kMakePoint,  // From here on, of recovery points and earlier states.
  kChangePoint,
  kDropPoint,
  kPrune,
  kRestore,
  kFork,
  kMerge,
  kStart,  // From here on, of sessions.
  kEnd,
  kActivate,
  kSwitch,
  kDeactivate,
  kAcquire,
  kRelease
};

// How a session begins.
struct Terms {
  std::string owner;
  std::map<std::string, std::string> labels;
  int64_t ttl_us = 0;
  uint64_t contexts_max = 0;
  bool point_on_loss = false;
};

// What is to be left of a history.
struct Cut {
  uint64_t from_sequence = 0;  // Of kTruncate; 0: the time says it.
  int64_t from_time_us = 0;
  uint64_t bytes_max = 0, count_max = 0;  // Of kOptimize, as the next; 0: no bound.
  bool deduplicate = false, dry_run = false;
};

// What is taken or given back.
struct Claim {
  std::string name, type;
  std::map<std::string, std::string> labels;
};

// Which state; nothing: the newest.
struct At {
  uint64_t version = 0;
  int64_t time_us = 0;
  std::string point_id;

  bool IsNewest() const { return version == 0 && time_us == 0 && point_id.empty(); }
};

enum class OnConflict { kReport, kTarget, kSource };
enum class Pin { kAsItIs, kOn, kOff };

// What is asked of points and earlier states.
struct PointTask {
  std::string id, from_id;
  bool move_head = false, pinned = false, replace = false;
  std::map<std::string, std::string> labels, attachments, add_attachments;
  std::set<std::string> delete_labels, delete_attachments;
  int64_t ttl_us = 0;
  bool clear_expiry = false;
  Pin pin = Pin::kAsItIs;
  Retention retention;  // Of kPrune.
  At at;                // Of kRestore, kFork and kMerge.
  bool safety = false, undelete = false;
  std::string source_id;  // Of kFork and kMerge.
  bool with_history = false, with_points = false;
  std::string ancestor_id;  // Empty: to be found.
  At ancestor_at;
  OnConflict on_conflict = OnConflict::kReport;
  std::map<std::string, OnConflict> rules;
  bool dry_run = false;

  std::string Content() const;
};

struct Operation {
  Kind kind = Kind::kUpdate;
  std::string namespace_id;
  std::vector<Part> parts;  // One, but for kAtomic. Of kStart, the default context.
  bool recursive = false, purge = false, allow_missing = false;
  bool wants_sequence = false;
  std::string session_id;  // Of what is about a session. Of kStart empty: the server makes it up.
  Terms terms;             // Of kStart.
  bool exclusive = false, takeover = false, guard = false;  // Of kActivate.
  Cut cut;
  Claim claim;      // Of kAcquire and kRelease.
  PointTask point;  // Of kMakePoint to kMerge.
  std::string request_id;

  // One that names a context, and nothing else yet.
  static Operation Of(const Name &name);

  Name name() const { return {namespace_id, parts[0].id}; }
  Name session() const { return {namespace_id, session_id}; }
  bool IsOfSession() const { return kind >= Kind::kStart; }
  bool IsOfPoint() const { return kind >= Kind::kMakePoint && kind <= Kind::kMerge; }

  // Everything but the request id: what a repeat must say again.
  std::string Content() const;

  // For those who read a trace.
  std::string Describe() const;

 private:
  std::string DescribeBeside() const;
};

// What an optimize drops and keeps.
struct Kept {
  uint64_t removed_count = 0, removed_bytes = 0, kept_count = 0, kept_bytes = 0;

  auto tie() const { return std::tie(removed_count, removed_bytes, kept_count, kept_bytes); }
  bool operator==(const Kept &other) const { return tie() == other.tie(); }
};

// What a restore or merge has come to.
struct Joined {
  bool applied = false;
  uint64_t changed_count = 0;
  std::vector<std::string> conflicts;
  std::string safety_id;

  auto tie() const { return std::tie(applied, changed_count, conflicts, safety_id); }
  bool operator==(const Joined &other) const { return tie() == other.tie(); }
};

// What a client is told.
struct Answer {
  std::string failure;  // The reason and its details, or empty.
  uint64_t revision = 0;
  std::vector<uint64_t> versions;  // Of the parts.
  bool replayed = false;
  uint64_t count = 0;     // Contexts that a delete removed, activities that a truncate did.
  uint64_t sequence = 0;  // Of the last activity, if it was wanted.
  Kept kept;              // Of kOptimize and kPrune.
  Joined joined;          // Of kRestore and kMerge.

  std::string Describe() const;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_OPERATION_H
