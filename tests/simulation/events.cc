#include "tests/simulation/events.h"

#include <algorithm>
#include <functional>

namespace simulation {

namespace {

bool BeginsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

bool Include(const Labels &labels, const Labels &wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto &each) {
    auto found = labels.find(each.first);
    return found != labels.end() && found->second == each.second;
  });
}

}  // namespace

// ---- Filters. -----------------------------------------------------------------

bool Filter::SelectsContext(const std::string &id, const std::string &type_found,
                            const Labels &labels_found) const {
  return (ids.empty() || ids.count(id) > 0) && BeginsWith(id, id_prefix) &&
         (type.empty() || type == type_found) && Include(labels_found, labels);
}

// Whether it touches an entry whose key begins so, or none at all, or nobody knows which.
bool Filter::Touches(const Subject &subject) const {
  return subject.steps.empty() || subject.untold ||
         std::any_of(subject.steps.begin(), subject.steps.end(), [&](const EntryStep &each) {
           return BeginsWith(each.key, key_prefix) ||
                  (each.step == Step::kDeletePrefix && BeginsWith(key_prefix, each.key));
         });
}

bool Filter::Selects(const Event &event) const {
  if (event.namespace_id != namespace_id) return false;
  if (!event_types.empty() && event_types.count(event.type) == 0) return false;
  if (event.subject == nullptr) {
    return ids.empty() && id_prefix.empty() && type.empty() && labels.empty();
  }
  const Subject &subject = *event.subject;
  const State &state = subject.shown.state;
  const std::string &id = subject.shown.name.id;
  bool has_mutations = event.type == event_type::kCreated || event.type == event_type::kUpdated ||
                       event.type == event_type::kRestored || event.type == event_type::kMerged;
  bool selects =
      SelectsContext(id, state.type, state.labels) ||
      (subject.labels_before.has_value() && SelectsContext(id, state.type, *subject.labels_before));
  return selects && (!has_mutations || Touches(subject));
}

std::string Filter::Describe() const {
  std::string text = "of " + namespace_id;
  for (const std::string &id : ids) text += ", " + id;
  if (!id_prefix.empty()) text += ", ids " + id_prefix + "...";
  if (!type.empty()) text += ", type " + type;
  for (const auto &[key, value] : labels) text += ", " + key + "=" + value;
  for (int each : event_types) text += ", event " + std::to_string(each);
  if (!key_prefix.empty()) text += ", keys " + key_prefix + "...";
  return text;
}

// ---- Contexts. ----------------------------------------------------------------

uint64_t DigestOf(const State &state, uint64_t revision, uint64_t fence) {
  std::hash<std::string> hash;
  uint64_t digest = 0;
  auto add_number = [&](uint64_t number) {
    digest = (digest ^ number) * 0x9e3779b97f4a7c15;
    digest ^= digest >> 29;
  };
  auto add = [&](const std::string &text) { add_number(hash(text)); };
  for (uint64_t number :
       {revision, fence, state.version, static_cast<uint64_t>(state.create_time_us),
        static_cast<uint64_t>(state.update_time_us), static_cast<uint64_t>(state.expire_time_us)}) {
    add_number(number);
  }
  add(state.type);
  add(state.parent_id);
  for (const auto &[key, value] : state.labels) {
    add(key);
    add(value);
  }
  for (const auto &[key, entry] : state.entries) {
    add(key);
    add(*entry.value);
    add(entry.content_type);
    add_number(entry.version);
  }
  return digest;
}

const Standing &EventLog::StandingAt(const Standings &standings, uint64_t revision) {
  static const Standing none;
  auto next = standings.upper_bound(revision);
  return next != standings.begin() ? std::prev(next)->second : none;
}

void EventLog::Note(const Name &name, unsigned shard, const Model &model) {
  const Context *context = model.Find(name);
  Standing standing;
  if (IsLive(context)) {
    standing = {true,
                context->head.expire_time_us != 0,
                context->head.type,
                context->head.labels,
                context->revision,
                DigestOf(context->head, context->revision, context->fence)};
  }
  Known &known = contexts_[name];
  known.shard = shard;
  known.standings[model.revision()] = standing;
}

// ---- Changes. -----------------------------------------------------------------

void EventLog::MakeStep(const EntryStep &step, uint64_t version, Entries *entries) const {
  auto old = entries->find(step.key);
  std::string before = old != entries->end() ? *old->second.value : "";
  std::string content_type = step.content_type;
  switch (step.step) {
    case Step::kDelete:
      entries->erase(step.key);
      return;
    case Step::kDeletePrefix:
      for (auto at = entries->lower_bound(step.key);
           at != entries->end() && BeginsWith(at->first, step.key);) {
        at = entries->erase(at);
      }
      return;
    case Step::kAppend:
      if (old != entries->end()) content_type = old->second.content_type;
      break;
    default:
      before.resize(std::min<size_t>(before.size(), step.kept));
      break;
  }
  (*entries)[step.key] = {std::make_shared<std::string>(before + step.value), content_type,
                          version};
}

// Makes the steps of a subject. Returns how what is told of it, or comes of it, is wrong.
std::string EventLog::Make(const Subject &subject, const Model &before, const Model &after) {
  const Name &name = subject.shown.name;
  const Context *context = (subject.kind == Subject::kEnds ? before : after).Find(name);
  if (!IsLive(context)) return name.text() + " is told of, and is not there";
  std::string wrong = Difference(context->head, subject.shown, false);
  if (wrong.empty() && subject.shown.fence != context->fence) wrong = "another fence";
  if (!wrong.empty()) return name.text() + " is told of wrongly: " + wrong;
  if (subject.kind == Subject::kEnds) {
    rebuilt_.erase(name);
    return "";
  }
  Entries &entries = rebuilt_[name];
  if (subject.untold) {
    entries = context->head.entries;  // Whoever makes the steps has read it anew.
    return "";
  }
  if (subject.kind == Subject::kBegins) entries.clear();
  for (const EntryStep &step : subject.steps) MakeStep(step, context->head.version, &entries);
  if (entries.size() != context->head.entries.size()) {
    return "the steps on " + name.text() + " leave other entries";
  }
  for (const EntryStep &step : subject.steps) {
    auto found = entries.find(step.key);
    auto expected = context->head.entries.find(step.key);
    if (found == entries.end() || expected == context->head.entries.end()) continue;
    if (subject.set_back) found->second.version = expected->second.version;
    if (*found->second.value != *expected->second.value ||
        found->second.content_type != expected->second.content_type ||
        found->second.version != expected->second.version) {
      return "the steps on " + name.text() + " make another entry " + step.key;
    }
  }
  return "";
}

std::string EventLog::Add(Happened happened, const Model &before, const Model &after) {
  std::string wrong;
  for (const auto &subject : happened.subjects) {
    wrong = Make(*subject, before, after);
    if (!wrong.empty()) return wrong;
    for (EntryStep &step : subject->steps) std::string().swap(step.value);
    Note(subject->shown.name, subject->shard, after);
  }
  for (const Name &name : happened.purged) purges_[name].insert(after.revision());
  changes_.push_back(
      {std::move(happened.events), happened.log_bytes, after.time_us(), happened.floor});
  return "";
}

void EventLog::EndWith(uint64_t revision, const Model &model) {
  if (newest() <= revision) return;
  changes_.resize(revision + 1);
  for (auto &[name, known] : contexts_) {
    known.standings.erase(known.standings.upper_bound(revision), known.standings.end());
  }
  for (auto &[name, revisions] : purges_) {
    revisions.erase(revisions.upper_bound(revision), revisions.end());
  }
  rebuilt_.clear();
  for (const auto &[name, context] : model.contexts()) {
    if (IsLive(context.get())) rebuilt_[name] = context->head.entries;
  }
}

// ---- Purges. --------------------------------------------------------------------

bool EventLog::IsHidden(const Event &event, uint64_t upto) const {
  if (event.subject == nullptr || event.type == event_type::kDeleted ||
      event.type == event_type::kExpired) {
    return false;
  }
  auto found = purges_.find(event.subject->shown.name);
  if (found == purges_.end()) return false;
  auto next = found->second.upper_bound(event.at.revision);
  return next != found->second.end() && *next <= upto;
}

// ---- The floor. ---------------------------------------------------------------

uint64_t EventLog::FloorAt(uint64_t revision) const {
  for (uint64_t i = std::min(revision, newest()); i > 0; i--) {
    if (changes_[i].floor != 0) return changes_[i].floor;
  }
  return 0;
}

bool EventLog::HasFloor(uint64_t floor, uint64_t upto) const {
  if (floor == 0) return true;
  return std::any_of(changes_.begin(), changes_.begin() + static_cast<ptrdiff_t>(upto) + 1,
                     [&](const Changed &each) { return each.floor == floor; });
}

std::string EventLog::CheckFloor(uint64_t floor, int64_t now_us) const {
  if (floor > newest()) return "the floor is in the future";
  if (floor <= FloorAt(newest())) return "the floor does not rise";
  bool is_old = retention_age_us != 0 && changes_[floor].time_us < now_us - retention_age_us;
  uint64_t bytes = 0;
  for (uint64_t i = floor + 1; i <= newest(); i++) bytes += changes_[i].log_bytes;
  bool is_much = retention_bytes != 0 && bytes > retention_bytes;
  if (is_old || is_much) return "";
  return "the floor rises to " + std::to_string(floor) + ", and behind it are " +
         std::to_string(bytes) + " bytes, the oldest " +
         std::to_string(now_us - changes_[floor].time_us) + " us old";
}

}  // namespace simulation
