// A subscriber: what it asked for, how far it has come, and whether what it is told is what it
// must be told.
//
// All that is told names where it goes on. So between two positions that follow one another,
// whatever happened between them, the events must be exactly those that the filter selects;
// and of a snapshot, between two places, the contexts exactly those that were there.
//
// What always holds: a reader goes on from where it is, or from an earlier moment of its own,
// as if nothing had been in between.

#ifndef CX_TESTS_SIMULATION_READER_H
#define CX_TESTS_SIMULATION_READER_H

#include "tests/simulation/events.h"

namespace simulation {

// How far a snapshot has come: by shard, and in it by id.
struct Place {
  unsigned shard = 0;
  std::string id;

  bool operator<(const Place &other) const {
    return shard != other.shard ? shard < other.shard : id < other.id;
  }
  std::string text() const { return std::to_string(shard) + "/" + id; }
};

// What a subscription is told.
struct Told {
  enum Kind { kEvents, kSnapshot, kCaughtUp, kProgress, kNothing, kLater, kEnd };
  struct Heard {
    Position at, behind;
    uint64_t digest = 0;
  };

  Kind kind = kNothing;
  int64_t at_us = 0;    // When, on the clock that never jumps,
  uint64_t newest = 0;  // and what the last change was then.
  uint64_t purged_surely = 0;  // Up to here purges hide what was before them; beyond this they
  uint64_t purged_maybe = 0;   // do not.
  bool in_snapshot = false;
  Position next;
  Place place, before;  // The latter of kSnapshot.
  std::vector<Heard> events;
  Shown context;        // Of kSnapshot.
  std::string failure;  // Of kEnd.

  std::string Describe() const;
};

class Reader {
 public:
  // Where a subscription can be taken up again.
  struct Mark {
    Position position;
    bool in_snapshot = false;
    Place place;
  };

  Filter filter;
  bool without_values = false;

  const Mark &now() const { return now_; }
  bool has_begun() const { return has_begun_; }

  // Begins behind a mark. What happened before `sure_from` it may be told or not.
  void Begin(const Mark &mark, Position sure_from);

  // Has never asked for anything.
  void Forget();

  // Takes in what was told. Returns what is wrong with it.
  std::string Hear(const EventLog &log, const Told &told);

  // Marks to go on from: the newest one, or others that it has passed.
  const std::vector<Mark> &marks() const { return marks_; }

  // The first event up to this revision that it has not been told of, where there is one.
  const Event *FindUntold(const EventLog &log, uint64_t upto) const;

 private:
  bool Passed(const Place &place, const Event &event) const;
  std::string HearEvents(const EventLog &log, const Told &told);
  std::string HearOne(const EventLog &log, const Event &event, const Told &told, size_t *heard);
  std::string HearContext(const EventLog &log, const Told &told) const;
  std::string CheckPassed(const EventLog &log, const Told &told) const;
  void Keep(const Told &told);

  struct Span {
    uint64_t untold = 0;         // The last revision with events that were left out,
    uint64_t told = UINT64_MAX;  // and the first with events that were told.
  };

  Mark now_;
  bool has_begun_ = false;
  Position sure_from_;
  std::vector<Mark> marks_;
  std::map<std::string, Span> spans_;  // Of contexts that were passed just now.
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_READER_H
