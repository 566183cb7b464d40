// What subscribers are to be told: the events of all changes, and which of them a filter
// selects, in the plainest way there is. Like the model it shares nothing with the core.

#ifndef CX_TESTS_SIMULATION_EVENTS_H
#define CX_TESTS_SIMULATION_EVENTS_H

#include "tests/simulation/shown.h"

#include <deque>
#include <optional>

namespace simulation {

using Labels = std::map<std::string, std::string>;

// Of docs/events.md, with the numbers of the API.
namespace event_type {
constexpr int kCreated = 1, kUpdated = 2, kDeleted = 3, kExpired = 4, kActivity = 8;
constexpr int kRestored = 5, kForked = 6, kMerged = 7;
constexpr int kActivated = 9, kDeactivated = 10, kSessionStarted = 14, kSessionEnded = 15;
constexpr int kSessionLost = 16, kHistoryTrimmed = 17, kSessionSwitched = 19;
constexpr int kPointCreated = 11, kPointDeleted = 12, kPointUpdated = 18;
}  // namespace event_type

// Before the event of this index in the change of this revision.
struct Position {
  uint64_t revision = 0;
  uint32_t index = 0;

  bool operator<(const Position &other) const {
    return revision != other.revision ? revision < other.revision : index < other.index;
  }
  bool operator==(const Position &other) const {
    return revision == other.revision && index == other.index;
  }
  std::string text() const { return std::to_string(revision) + "." + std::to_string(index); }
};

// A step on the entries of a context, as an event tells it.
struct EntryStep {
  Step step = Step::kPut;
  std::string key, value, content_type;
  uint64_t kept = 0;  // Of the value before it.
};

// The context of an event, as it is told, and what was done to it.
struct Subject {
  enum Kind { kBegins, kChanges, kIsTouched, kEnds };
  Kind kind = kChanges;
  unsigned shard = 0;
  Shown shown;  // Without entries.
  std::optional<Labels> labels_before;
  std::vector<EntryStep> steps;  // Without values once they were made.
  bool untold = false;           // What was done is not in the steps,
  bool set_back = false;         // or brings entries back with versions that they do not tell.
};

struct Event {
  Position at;
  int type = 0;
  bool last = false;                        // Of its change.
  std::string namespace_id;
  std::shared_ptr<const Subject> subject;   // nullptr: of a session.
  uint64_t digest = 0, digest_without = 0;  // Of all of it; without values.

  Position behind() const {
    return last ? Position{at.revision + 1, 0} : Position{at.revision, at.index + 1};
  }
};

// What a change tells.
struct Happened {
  std::vector<Event> events;
  std::vector<std::shared_ptr<Subject>> subjects;
  std::vector<Name> purged;
  uint64_t log_bytes = 0;  // That it takes up in the log.
  uint64_t floor = 0;      // Up to here nothing is told any more. 0: that stays as it was.
};

// What a subscriber asks for.
struct Filter {
  std::string namespace_id;
  std::set<std::string> ids;
  std::string id_prefix, type;
  Labels labels;
  std::set<int> event_types;
  std::string key_prefix;

  bool SelectsContext(const std::string &id, const std::string &type, const Labels &labels) const;
  bool Selects(const Event &event) const;
  std::string Describe() const;

 private:
  bool Touches(const Subject &subject) const;
};

// A context as a snapshot shows it, in one number.
uint64_t DigestOf(const State &state, uint64_t revision, uint64_t fence);

// A context from one revision on.
struct Standing {
  bool live = false;
  bool expires = false;
  std::string type;
  Labels labels;
  uint64_t revision = 0;  // Of its last change.
  uint64_t digest = 0;
};

// The events of all changes, in order. All of it is known from the first change on.
//
// What always holds: whoever makes the steps of the events has the contexts of the model.
class EventLog {
 public:
  using Standings = std::map<uint64_t, Standing>;  // By the revision that they begin with.
  struct Known {
    unsigned shard = 0;
    Standings standings;
  };

  uint64_t newest() const { return changes_.size() - 1; }
  const std::vector<Event> &At(uint64_t revision) const { return changes_[revision].events; }

  // Adds the next change, which has made `after` of `before`. Returns what is wrong with it.
  std::string Add(Happened happened, const Model &before, const Model &after);

  // Forgets what came after this revision, when there was this model.
  void EndWith(uint64_t revision, const Model &model);

  const std::map<Name, Known> &contexts() const { return contexts_; }
  static const Standing &StandingAt(const Standings &standings, uint64_t revision);

  // Whether the event's context was purged later, by a change up to this revision: then nothing
  // is told of it but its ends.
  bool IsHidden(const Event &event, uint64_t upto) const;

  // The floor that is in force when everything up to this revision is durable.
  uint64_t FloorAt(uint64_t revision) const;
  bool HasFloor(uint64_t floor, uint64_t upto) const;

  // What has to be retained. 0: no such bound.
  uint64_t retention_bytes = 0;
  int64_t retention_age_us = 0;

  // Whether a floor that is set by the change behind `newest` keeps what is to be kept.
  std::string CheckFloor(uint64_t floor, int64_t now_us) const;

 private:
  struct Changed {
    std::vector<Event> events;
    uint64_t log_bytes = 0;
    int64_t time_us = 0;
    uint64_t floor = 0;
  };
  using Entries = std::map<std::string, Entry>;

  std::string Make(const Subject &subject, const Model &before, const Model &after);
  void MakeStep(const EntryStep &step, uint64_t version, Entries *entries) const;
  void Note(const Name &name, unsigned shard, const Model &model);

  std::deque<Changed> changes_ = std::deque<Changed>(1);
  std::map<Name, Known> contexts_;
  std::map<Name, std::set<uint64_t>> purges_;  // Their revisions.
  std::map<Name, Entries> rebuilt_;  // From the steps alone.
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_EVENTS_H
