#include "tests/simulation/reader.h"

#include <algorithm>

namespace simulation {

namespace {

constexpr size_t kMarksMax = 12;
const Place kEndOfAll = {UINT32_MAX, ""};

Place PlaceOf(const Told &told) { return told.in_snapshot ? told.place : kEndOfAll; }

}  // namespace

std::string Told::Describe() const {
  static const char *const names[] = {"events",  "a snapshot", "caught up", "progress",
                                      "nothing", "to ask",     "the end"};
  std::string text = std::string(names[kind]) + " " + failure;
  for (const Heard &each : events) text += each.at.text() + " ";
  if (kind == kSnapshot) text += context.name.text() + " at " + std::to_string(context.revision);
  if (in_snapshot) text += ", place " + place.text();
  return kind >= kNothing ? text : text + ", next " + next.text();
}

void Reader::Begin(const Mark &mark, Position sure_from) {
  now_ = mark;
  sure_from_ = sure_from;
  has_begun_ = true;
}

void Reader::Forget() {
  has_begun_ = false;
  marks_.clear();
}

void Reader::Keep(const Told &told) {
  marks_.push_back({told.next, told.in_snapshot, told.place});
  if (told.kind == Told::kSnapshot && told.in_snapshot) {
    marks_.push_back({told.next, true, told.before});
  }
  if (told.kind == Told::kEvents && told.events.size() > 1) {
    const Told::Heard &middle = told.events[told.events.size() / 2 - 1];
    marks_.push_back({middle.behind, told.in_snapshot, told.place});
  }
  while (marks_.size() > kMarksMax) marks_.erase(marks_.begin());
}

bool Reader::Passed(const Place &place, const Event &event) const {
  return event.subject == nullptr ||
         !(place < Place{event.subject->shard, event.subject->shown.name.id});
}

std::string Reader::Hear(const EventLog &log, const Told &told) {
  if (told.next < now_.position) return "it goes back from " + now_.position.text();
  if (told.in_snapshot && !now_.in_snapshot) return "it goes back into a snapshot";
  if (told.in_snapshot && told.place < now_.place) return "it goes back to an earlier place";
  spans_.clear();
  std::string wrong = HearEvents(log, told);
  if (wrong.empty() && told.kind == Told::kSnapshot) wrong = HearContext(log, told);
  if (wrong.empty() && now_.in_snapshot) wrong = CheckPassed(log, told);
  if (!wrong.empty()) return wrong;
  now_ = {told.next, told.in_snapshot, told.place};
  sure_from_ = {};
  Keep(told);
  return "";
}

// ---- Events. ------------------------------------------------------------------

std::string Reader::HearEvents(const EventLog &log, const Told &told) {
  size_t heard = 0;
  for (uint64_t revision = now_.position.revision; revision <= log.newest(); revision++) {
    for (const Event &event : log.At(revision)) {
      if (event.at < now_.position) continue;
      if (!(event.at < told.next)) revision = log.newest();
      if (!(event.at < told.next)) break;
      std::string wrong = HearOne(log, event, told, &heard);
      if (!wrong.empty()) return wrong;
    }
  }
  if (heard == told.events.size()) return "";
  return "event " + told.events[heard].at.text() + " is not there, or not in its order";
}

std::string Reader::HearOne(const EventLog &log, const Event &event, const Told &told,
                            size_t *heard) {
  bool is_told = *heard < told.events.size() && told.events[*heard].at == event.at;
  if (is_told) {
    const Told::Heard &each = told.events[(*heard)++];
    if (!(each.behind == event.behind())) return "event " + event.at.text() + " ends wrongly";
    uint64_t digest = without_values ? event.digest_without : event.digest;
    if (each.digest != digest) return "event " + event.at.text() + " is told wrongly";
  }
  if (!filter.Selects(event)) {
    return is_told ? "event " + event.at.text() + " is none of its own" : "";
  }
  if (is_told && log.IsHidden(event, told.purged_surely)) {
    return "event " + event.at.text() + " is told, and its context was purged";
  }
  if (!is_told && log.IsHidden(event, told.purged_maybe)) return "";
  if (!now_.in_snapshot || Passed(now_.place, event)) {
    bool must = !(event.at < sure_from_);
    return is_told || !must ? "" : "event " + event.at.text() + " is left out";
  }
  if (!Passed(PlaceOf(told), event)) {
    return is_told ? "event " + event.at.text() + " comes before its context" : "";
  }
  Span &span = spans_[event.subject->shown.name.id];
  if (is_told) {
    span.told = std::min(span.told, event.at.revision);
  } else {
    span.untold = event.at.revision;
  }
  return "";
}

const Event *Reader::FindUntold(const EventLog &log, uint64_t upto) const {
  Position from = std::max(now_.position, sure_from_);
  for (uint64_t revision = from.revision; revision <= upto; revision++) {
    for (const Event &event : log.At(revision)) {
      bool counts = !now_.in_snapshot || Passed(now_.place, event);
      if (event.at < from || !counts || log.IsHidden(event, log.newest())) continue;
      if (filter.Selects(event)) return &event;
    }
  }
  return nullptr;
}

// ---- Snapshots. ---------------------------------------------------------------

// The context must be as it was where the events stand.
std::string Reader::HearContext(const EventLog &log, const Told &told) const {
  const Shown &shown = told.context;
  const std::string &id = shown.name.id;
  auto known = log.contexts().find(shown.name);
  if (!now_.in_snapshot) return "there is no snapshot any more";
  if (known == log.contexts().end()) return shown.name.text() + " is not there";
  Place own = {known->second.shard, id};
  if (own < told.place || told.place < own) return "the place of " + id + " is another";
  if (!(told.before < own) || told.before < now_.place) return "the place before is wrong";
  if (told.next.index != 0) return "a snapshot in the middle of a change";
  uint64_t revision = told.next.revision - 1;
  const Standing &standing = EventLog::StandingAt(known->second.standings, revision);
  if (!standing.live) return shown.name.text() + " has ended";
  if (shown.name.namespace_id != filter.namespace_id ||
      !filter.SelectsContext(id, standing.type, standing.labels)) {
    return shown.name.text() + " is none of its own";
  }
  if (standing.revision != shown.revision) {
    return shown.name.text() + " is of revision " + std::to_string(shown.revision) +
           " instead of " + std::to_string(standing.revision);
  }
  if (standing.digest != DigestOf(shown.state, shown.revision, shown.fence)) {
    return shown.name.text() + " is not as it was";
  }
  auto span = spans_.find(id);
  bool again = span != spans_.end() && span->second.told != UINT64_MAX;
  return again ? "events of " + id + " are told that it holds already" : "";
}

// Contexts that were passed, and not shown: each was not to be shown when its turn came. That
// was at some moment behind the events that were left out of it, before those that were told.
std::string Reader::CheckPassed(const EventLog &log, const Told &told) const {
  Place end = PlaceOf(told);
  for (auto at = log.contexts().lower_bound({filter.namespace_id, ""});
       at != log.contexts().end() && at->first.namespace_id == filter.namespace_id; ++at) {
    const std::string &id = at->first.id;
    Place place = {at->second.shard, id};
    if (!(now_.place < place) || end < place) continue;
    if (told.kind == Told::kSnapshot && id == told.context.name.id) continue;
    auto span = spans_.find(id);
    Span found = span != spans_.end() ? span->second : Span();
    uint64_t begin = std::max(now_.position.revision - 1, found.untold);
    uint64_t last = std::min(told.next.revision, found.told) - 1;
    bool could_be = false;
    for (uint64_t revision = begin; revision <= last && !could_be; revision++) {
      const Standing &standing = EventLog::StandingAt(at->second.standings, revision);
      could_be = !standing.live || standing.expires ||
                 !filter.SelectsContext(id, standing.type, standing.labels);
    }
    if (!could_be) return id + " is left out of the snapshot";
  }
  return "";
}

}  // namespace simulation
