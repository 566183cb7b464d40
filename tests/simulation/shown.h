// What the engine shows, and how it differs from the model.

#ifndef CX_TESTS_SIMULATION_SHOWN_H
#define CX_TESTS_SIMULATION_SHOWN_H

#include "tests/simulation/model.h"

namespace simulation {

// A state of a context as the engine shows it.
struct Shown {
  std::string failure;  // Or:
  Name name;
  State state;
  uint64_t revision = 0;
  uint64_t fence = 0;
  uint64_t entry_count = 0;
  uint64_t size_bytes = 0;
};

// One page of a list, as the engine shows it.
struct ShownPage {
  std::vector<Shown> rows;  // Without entries.
  bool more = false;
  std::string last_id;
  uint64_t position = 0;
};

// A session. The activations have no guard and no revision.
struct ShownSession {
  bool is_there = false;
  Name name;
  Session session;
  int64_t expire_time_us = 0;
};

struct ShownSessions {
  std::vector<ShownSession> rows;
  bool more = false;
  uint64_t last_start_revision = 0;
};

// Who has a context active.
struct ShownStatus {
  bool exists = false, guarded = false;
  uint64_t version = 0, fence = 0;
  std::vector<std::string> session_ids;
  std::string exclusive_session_id;
};

// A recovery point, with its attachments.
struct ShownPoint {
  bool is_there = false;
  Point point;  // But for the state; `parent` is not told.
  std::string parent_id;
  uint64_t attachment_count = 0;
  Shown state;
};

struct ShownPoints {
  std::vector<ShownPoint> rows;
  bool more = false;
  uint64_t last_sequence = 0;
  uint64_t last_revision = 0;  // These two: of those of all contexts.
  std::string last_context_id;
};

struct ActivityQuery {
  std::set<std::string> types;                 // None: all.
  int64_t start_time_us = 0, end_time_us = 0;  // 0: no bound.
  bool newest_first = false;
  uint64_t from_sequence = 0;
  size_t count_max = 1;

  std::string Describe() const;
};

struct ShownHistory {
  std::vector<Recorded> rows;
  bool more = false;
  uint64_t next_sequence = 0;
};

// Which rows of a table, by name.
struct RowQuery {
  std::string prefix, after;
  size_t count_max = 1;
};

struct ShownFiles {
  std::vector<TrackedFile> rows;
  bool more = false;
};

struct ShownResources {
  std::vector<std::pair<std::string, Held>> rows;
  bool more = false;
};

// What a write returns beside its answer.
struct Returned {
  Shown context;            // Of a create, a fork, a restore, and of one that activates.
  ShownPoint point;         // Of one that makes or changes a point.
  ShownSession session;     // Of one that starts, activates, switches or deactivates.
  Activation activation;    // Of one that activates.
  ShownResources resource;  // Of one that acquires.
};

// ---- Why what is shown is not that of the model; empty: it is.

std::string Difference(const State &expected, const Shown &shown, bool with_entries);

// The same of the newest state, with what the context is besides.
std::string Difference(const Context &expected, const Shown &shown, bool with_entries);
std::string Difference(const Recovery &recovery, const Point &expected, const ShownPoint &shown);
std::string Difference(const Model &model, const ShownSession &shown);
std::string Difference(const Activation &expected, const Activation &shown);
std::string Difference(const Model &model, int64_t now_us, const Name &context,
                       const ShownStatus &shown);
std::string Difference(const Work &work, const ActivityQuery &query, const ShownHistory &shown);
std::string Difference(const Work &work, const RowQuery &query, const ShownFiles &shown);
std::string Difference(const Work &work, const RowQuery &query, const ShownResources &shown);

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_SHOWN_H
