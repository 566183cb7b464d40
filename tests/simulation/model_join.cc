// Earlier states: found, brought back, forked and merged.

#include <algorithm>

#include "tests/simulation/model.h"

namespace simulation {

namespace {

// Limits that are not configured, from the documentation.
constexpr size_t kLabelsMax = 64;
constexpr int kDepthMax = 16;
constexpr size_t kMergedMax = 64;

Failure Limit(const std::string &name, uint64_t value) {
  return {"LIMIT_REACHED limit=" + name + " value=" + std::to_string(value)};
}

Failure NotRetained(const Context &context) {
  const State &oldest = context.earlier.empty() ? context.head : context.earlier[0];
  return {"STATE_NOT_RETAINED oldest_version=" + std::to_string(oldest.version) +
          " newest_version=" + std::to_string(context.head.version)};
}

bool Same(const Entry *a, const Entry *b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a->value == *b->value && a->content_type == b->content_type;
}

bool Same(const std::string *a, const std::string *b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

template <typename T>
const T *FindIn(const std::map<std::string, T> &map, const std::string &key) {
  auto found = map.find(key);
  return found != map.end() ? &found->second : nullptr;
}

const std::string &TextOf(const Entry &entry) { return *entry.value; }
const std::string &TextOf(const std::string &label) { return label; }

// What is told of the three sides of a conflict.
template <typename T>
std::string Sides(const T *ancestor, const T *target, const T *source) {
  std::string text;
  for (const T *side : {ancestor, target, source}) {
    text += side != nullptr ? "|" + TextOf(*side) : "|-";
  }
  return text;
}

// Brings what changed from the ancestor to the source into the target. Returns how many changes
// that are. *decided: a rule has resolved a conflict. *same: both made the same of something.
template <typename T, typename Rule>
uint64_t Join(const std::map<std::string, T> &ancestor, const std::map<std::string, T> &source,
              const std::string &prefix, const Rule &rule, std::map<std::string, T> *target,
              std::vector<std::string> *conflicts, bool *decided, bool *same) {
  std::set<std::string> keys;
  uint64_t count = 0;
  for (const auto &[key, value] : ancestor) keys.insert(key);
  for (const auto &[key, value] : source) keys.insert(key);
  for (const std::string &key : keys) {
    const T *was = FindIn(ancestor, key), *is = FindIn(source, key), *here = FindIn(*target, key);
    *same |= !Same(was, is) && Same(here, is);
    if (Same(was, is) || Same(here, is)) continue;
    if (!Same(here, was)) {
      OnConflict what = rule(key);
      if (what == OnConflict::kReport) conflicts->push_back(prefix + key + Sides(was, here, is));
      *decided |= what != OnConflict::kReport;
      if (what != OnConflict::kSource) continue;
    }
    count++;
    if (is != nullptr) {
      (*target)[key] = *is;
    } else {
      target->erase(key);
    }
  }
  return count;
}

}  // namespace

// ---- Finding. -----------------------------------------------------------------

State Model::HeadOf(const Context &context) const {
  State state = context.head;
  state.past = std::make_shared<Past>(Past{context.work, context.last_sequence});
  return state;
}

// The point whose state was the newest at a time: it was still when the point was made later, or
// the next version was.
const Point *Model::FindPointAt(const Context &context, int64_t time_us, int64_t now_us) const {
  const Recovery &recovery = context.points();
  const Point *before = nullptr;
  uint64_t after = 0;
  auto came_after = [&](uint64_t version) {
    after = after == 0 ? version : std::min(after, version);
  };
  const State &oldest = context.earlier.empty() ? context.head : context.earlier[0];
  if (context.head.update_time_us > time_us) came_after(context.head.version);
  if (oldest.update_time_us > time_us) came_after(oldest.version);
  for (const auto &[sequence, point] : recovery.points) {
    const State &state = point->state;
    if (point->aside || point->IsExpired(now_us)) continue;
    if (state.update_time_us > time_us) {
      came_after(state.version);
    } else if (before == nullptr || state.version > before->state.version ||
               (state.version == before->state.version &&
                point->create_time_us > before->create_time_us)) {
      before = point.get();
    }
  }
  if (before == nullptr || before->create_time_us > time_us) return before;
  bool is_next = after == before->state.version + 1 && before->revision >= context.birth_revision &&
                 before->revision >= recovery.revived_revision;
  return is_next ? before : nullptr;
}

Model::Ref Model::FindEarlier(const Context &context, const At &at, int64_t now_us) const {
  const Recovery &recovery = context.points();
  const Point *point = nullptr;
  if (!at.point_id.empty()) {
    point = recovery.Find(at.point_id);
    if (point == nullptr || point->IsExpired(now_us)) {
      throw Failure{recovery.points.empty() ? "RECOVERY_POINT_NOT_FOUND"
                                            : "RECOVERY_POINT_NOT_FOUND oldest_id=" +
                                                  recovery.points.begin()->second->id};
    }
    return {Ref::kPoint, point->sequence, point->state, point->revision};
  }
  bool is_head = at.version != 0 ? at.version == context.head.version
                                 : at.time_us == 0 || at.time_us >= context.head.update_time_us;
  if (is_head) return {Ref::kHead, context.head.version, HeadOf(context), UINT64_MAX};
  const State *found = nullptr;
  for (const State &state : context.earlier) {
    bool wanted =
        at.version != 0 ? state.version == at.version : state.update_time_us <= at.time_us;
    if (wanted) found = &state;
  }
  bool had_ended = found != nullptr && at.version == 0 && found->end_time_us != 0 &&
                   found->end_time_us <= at.time_us;
  if (found != nullptr && !had_ended) {
    return {Ref::kVersion, found->version, *found, found->revision};
  }
  for (const auto &[sequence, each] : recovery.points) {
    bool wanted = at.version != 0 && each->state.version == at.version;
    if (wanted && !each->IsExpired(now_us)) point = each.get();
  }
  if (at.version == 0) point = FindPointAt(context, at.time_us, now_us);
  if (point == nullptr) throw NotRetained(context);
  return {Ref::kPoint, point->sequence, point->state, point->revision};
}

State Model::GetAt(const Name &name, const At &at, int64_t now_us) const {
  const Context *context = Find(name);
  if (!IsLive(context) || IsExpired(*context, now_us)) throw NotFound(context);
  Ref ref = FindEarlier(*context, at, now_us);
  if (ref.kind == Ref::kPoint) {
    ref.state.type = context->head.type;
    ref.state.parent_id = context->head.parent_id;
    ref.state.expire_time_us = 0;
  }
  return ref.state;
}

State Model::Get(const Name &name, uint64_t version, int64_t time_us, int64_t now_us) const {
  return GetAt(name, {version, time_us, ""}, now_us);
}

// ---- Bringing back. -----------------------------------------------------------

// Gives a context that is there, or comes back, an earlier state as a new one.
void Model::SetBack(const Name &name, const Ref &ref, const Moment &moment) {
  BeginState(name, moment);
  Context &context = Change(name);
  context.head.entries = ref.state.entries;
  context.head.labels = ref.state.labels;
}

Answer Model::Restore(const Operation &operation, const Moment &moment) {
  const PointTask &task = operation.point;
  Name name = operation.name();
  const Context *found = Look(name, moment.now_us);
  bool live = IsLive(found);
  if (found == nullptr || found->life == Life::kBare || (!live && !task.undelete)) {
    throw NotFound(found);
  }
  const Context &context = *found;
  if (live && task.undelete) {
    throw Failure{"CONTEXT_EXISTS version=" + std::to_string(context.head.version)};
  }
  At at = task.at;
  if (live && at.IsNewest()) {
    at.point_id = GetPoint(name, "", moment.now_us).id;
  }
  Ref ref = FindEarlier(context, at, moment.now_us);
  Name parent = {name.namespace_id, context.head.parent_id};
  const Context *above = nullptr;
  if (!live && !parent.id.empty()) {
    above = Look(parent, moment.now_us);
    if (!IsLive(above)) throw Failure{"PARENT_NOT_FOUND parent_id=" + parent.id};
  }
  CheckAuthor(name, operation.parts[0], true, moment);
  Check(live ? &context : nullptr, operation.parts[0].preconditions);
  if (live && ref.kind == Ref::kHead) throw Nothing{};
  if (above != nullptr && above->depth >= kDepthMax) throw Limit("context_depth_max", kDepthMax);
  PointChange change =
      BeginPoints(live ? PointChange::kUpdate : PointChange::kUndelete, name, moment);
  Answer answer;
  if (ref.kind == Ref::kPoint) change.base_point = ref.number;
  if (ref.kind == Ref::kVersion) {
    change.base_version = ref.number;
    change.base_head_point = ref.state.head_point;
  }
  if (task.safety) {
    change.makings.push_back(OwnPoint(name, Origin::kSafety, &change, moment));
    answer.joined.safety_id = change.makings[0].point.id;
  }
  std::map<std::string, Entry> before = context.head.entries;
  SetBack(name, ref, moment);
  Context &changed = Change(name);
  for (const auto &[key, entry] : changed.head.entries) {
    auto old = before.find(key);
    answer.joined.changed_count += old == before.end() || *old->second.value != *entry.value ||
                                   old->second.content_type != entry.content_type;
    if (old != before.end()) before.erase(old);
  }
  answer.joined.changed_count += before.size();
  if (live) {
    Touch(name, moment);
  } else {
    changed.life = Life::kLive;
    changed.depth = parent.id.empty() ? 1 : Find(parent)->depth + 1;
    changed.ttl_us = 0;
    changed.sliding = false;
    changed.head.expire_time_us = 0;
    if (changed.recovery != nullptr) Own(&changed.recovery).revived_revision = moment.revision;
  }
  FinishPoints(name, &change, moment);
  answer.versions = {Find(name)->head.version};
  return answer;
}

// ---- Forks. -------------------------------------------------------------------

// The contexts that a state came through, newest first, each with its state that was left there: of
// the first one that is the state itself, NULL.
struct Model::Way {
  struct Step {
    Birth birth;
    const Base *left;
  };
  std::vector<Step> steps;
  bool is_known = true;  // Not of one that had the name before.

  Way(const std::string &id, const Context &context, Birth state_birth) {
    Birth birth = {context.birth_revision, id};
    const Base *left = nullptr, *older = context.points().forked_from.get();
    for (;;) {
      // A state counts as one of the context that it was made in.
      while (birth != state_birth && older != nullptr) {
        birth = {older->birth, older->id}, older = older->older.get();
      }
      bool is_found = birth == state_birth;
      if (left == nullptr) is_known = is_found;
      steps.push_back({state_birth, left});
      if (!is_found || older == nullptr) return;
      left = older;
      birth = {left->birth, left->id}, older = left->older.get();
      state_birth = left->state.birth;
    }
  }

  const Step *Find(const Step &step) const {
    auto found = std::find_if(steps.begin(), steps.end(),
                              [&](const Step &each) { return each.birth == step.birth; });
    return found != steps.end() ? &*found : nullptr;
  }
};

Answer Model::Fork(const Operation &operation, const Moment &moment) {
  const PointTask &task = operation.point;
  Name name = operation.name();
  const Context *old = Look(name, moment.now_us);
  if (IsLive(old)) throw Failure{"CONTEXT_EXISTS version=" + std::to_string(old->head.version)};
  Context source = LookLive({name.namespace_id, task.source_id}, moment.now_us);
  Ref ref = FindEarlier(source, task.at, moment.now_us);
  Part part = operation.parts[0];
  Properties &properties = part.properties;
  if (!part.may_create) {
    properties = Properties();
    properties.type = source.head.type;
    properties.parent_id = source.head.parent_id;
    properties.policy = source.points().policy;
  }
  std::set<std::string> begun;
  CheckParent(operation, part, moment, &begun);
  CheckAuthor(name, operation.parts[0], false, moment);
  std::map<std::string, std::string> labels = ref.state.labels;
  for (const auto &[key, value] : properties.labels) labels[key] = value;
  if (labels.size() > kLabelsMax) throw Limit("labels_max", kLabelsMax);
  properties.labels = labels;
  PointChange change = BeginPoints(PointChange::kCreate, name, moment);
  change.is_fork = true;
  uint64_t used = old != nullptr ? old->version_last() : 0;
  BeginBelow(name, properties, moment);
  Context &fork = Change(name);
  fork.head.version = std::max(used, ref.state.version) + 1;
  fork.head.entries = ref.state.entries;
  if (task.with_history) {
    auto work = std::make_shared<Work>(*ref.state.past->work);
    work->resources.clear();
    fork.work = work;
    fork.last_sequence = std::max(fork.last_sequence, ref.state.past->last_sequence);
  }
  if (fork.recovery == nullptr || task.with_points) {
    fork.recovery = std::make_shared<Recovery>();
    change.before = task.with_points ? nullptr : change.before;
  }
  const Recovery &from = source.points();
  Recovery &recovery = Own(&fork.recovery);
  recovery.policy = properties.policy;
  auto base = std::make_shared<Base>();
  *base = {task.source_id, source.birth_revision, moment.revision, ref.state, from.forked_from};
  recovery.forked_from = base;
  const bool is_known = Way(task.source_id, source, ref.state.birth).is_known;
  for (const auto &merged : from.merged) {
    bool was_there = is_known && merged->revision <= ref.state.head_revision;
    if (was_there) recovery.merged.push_back(merged);
  }
  if (task.with_points) {
    for (const auto &[sequence, point] : from.points) {
      bool was_there =
          ref.kind == Ref::kPoint ? sequence <= ref.number : point->revision <= ref.end_revision;
      if (!was_there) continue;
      recovery.points[sequence] = point;
      fork.head.version = std::max(fork.head.version, point->state.version + 1);
    }
    recovery.last_sequence = from.last_sequence;
    recovery.last_point_time_us = from.last_point_time_us;
    fork.change_count = source.change_count;
    for (State &state : fork.earlier) state.head_point = 0;  // They had other points.
    uint64_t head_point = ref.kind == Ref::kPoint     ? ref.number
                          : ref.kind == Ref::kVersion ? ref.state.head_point
                                                      : from.head_point;
    while (head_point != 0 && recovery.At(head_point) == nullptr) {
      head_point = from.At(head_point)->parent;
    }
    recovery.head_point = head_point;
  }
  fork.head.MakeHead(fork.head.version, moment.revision);
  FinishPoints(name, &change, moment);
  Answer answer;
  answer.versions = {Find(name)->head.version};
  return answer;
}

// ---- Merges. ------------------------------------------------------------------

// The state of one context that two ways, which left it at these, both come from: NULL, it is not
// kept. One aside is common only to those that were forked from it.
static const Base *CommonOf(const Base *a, const Base *b) {
  if (a == nullptr && b == nullptr) return nullptr;
  if (a != nullptr && b != nullptr && a->state.version == b->state.version) return a;
  const Base *older =
      a == nullptr || (b != nullptr && b->state.head_version < a->state.head_version) ? b : a;
  bool same = a != nullptr && b != nullptr && a->state.head_version == b->state.head_version;
  if (same && a->state.version != a->state.head_version) older = b;
  return older->state.version == older->state.head_version ? older : nullptr;
}

// The newest state that both have all of: NULL, there is none.
const Base *Model::FindAncestor(const std::string &source_id, const Context &source, const Ref &ref,
                                const std::string &target_id, const Context &target) {
  const Base *found = nullptr;
  const Way way(source_id, source, ref.state.birth);
  const Way::Step &of = way.steps[0];
  for (const Way::Step &step : Way(target_id, target, {target.birth_revision, target_id}).steps) {
    const Way::Step *met = way.Find(step);
    if (met == nullptr) continue;
    found = CommonOf(met->left, step.left);
    break;
  }
  if (found != nullptr && found->state.head_version > ref.state.head_version) {
    found = nullptr;  // A state from before a fork knows nothing of it.
  }
  for (const auto &merged : target.points().merged) {
    bool knows = Birth(merged->birth, merged->id) == of.birth &&
                 merged->state.version <= ref.state.head_version;
    if (knows && (found == nullptr || merged->revision >= found->revision)) found = merged.get();
  }
  for (const auto &taken : source.points().merged) {
    bool knows = way.is_known && taken->birth == target.birth_revision && taken->id == target_id &&
                 taken->revision <= ref.state.head_revision;
    if (knows && (found == nullptr || taken->revision >= found->revision)) found = taken.get();
  }
  return found;
}

// What a context merged of one that was born then, or the end.
static auto FindMerged(const Recovery &recovery, const std::string &id, uint64_t birth) {
  return std::find_if(recovery.merged.begin(), recovery.merged.end(),
                      [&](const auto &each) { return each->birth == birth && each->id == id; });
}

// Whether a context has to remember that this state of another was merged into it.
static bool SaysMore(const Context &target, const std::string &source_id, const Context &source,
                     const State &state) {
  auto known = FindMerged(target.points(), source_id, source.birth_revision);
  return state.version == state.head_version &&
         state.birth == Birth(source.birth_revision, source_id) &&
         (known == target.points().merged.end() || state.version > (*known)->state.version);
}

Answer Model::Merge(const Operation &operation, const Moment &moment) {
  const PointTask &task = operation.point;
  Name name = operation.name();
  const Context &target = LookLive(name, moment.now_us);
  const Context &source = LookLive({name.namespace_id, task.source_id}, moment.now_us);
  Ref ref = FindEarlier(source, task.at, moment.now_us);
  CheckAuthor(name, operation.parts[0], true, moment);
  Check(&target, operation.parts[0].preconditions);
  State ancestor;
  if (task.ancestor_id.empty()) {
    const Base *base = FindAncestor(task.source_id, source, ref, name.id, target);
    if (base == nullptr) throw Failure{"NO_COMMON_ANCESTOR"};
    ancestor = base->state;
  } else {
    ancestor = GetAt({name.namespace_id, task.ancestor_id}, task.ancestor_at, moment.now_us);
  }
  auto rule = [&](const std::string &key) {
    auto found = task.rules.find(key);
    return found != task.rules.end() ? found->second : task.on_conflict;
  };
  auto label_rule = [&](const std::string &) { return task.on_conflict; };
  std::map<std::string, Entry> entries = target.head.entries;
  std::map<std::string, std::string> labels = target.head.labels;
  Answer answer;
  Joined &joined = answer.joined;
  bool decided = false, same = false;
  joined.changed_count = Join(ancestor.entries, ref.state.entries, "entry ", rule, &entries,
                              &joined.conflicts, &decided, &same);
  uint64_t steps =
      joined.changed_count + Join(ancestor.labels, ref.state.labels, "label ", label_rule, &labels,
                                  &joined.conflicts, &decided, &same);
  joined.applied = joined.conflicts.empty() && !task.dry_run;
  if (!joined.conflicts.empty()) joined.changed_count = 0;
  bool says_more = task.source_id != name.id && SaysMore(target, task.source_id, source, ref.state);
  bool remembered = same && says_more;
  if (!joined.applied || (steps == 0 && !decided && !remembered)) throw Nothing{answer};
  if (labels.size() > kLabelsMax) throw Limit("labels_max", kLabelsMax);
  PointChange change = BeginPoints(PointChange::kUpdate, name, moment);
  if (task.safety) {
    change.makings.push_back(OwnPoint(name, Origin::kSafety, &change, moment));
    joined.safety_id = change.makings[0].point.id;
  }
  auto base = std::make_shared<Base>();
  *base = {task.source_id, source.birth_revision, moment.revision, ref.state, nullptr};
  BeginState(name, moment);
  Context &context = Change(name);
  for (auto &[key, entry] : entries) {
    const Entry *before = FindIn(context.head.entries, key);
    if (before == nullptr || before->value != entry.value ||
        before->content_type != entry.content_type) {
      entry.version = context.head.version;
    }
  }
  context.head.entries = entries;
  context.head.labels = labels;
  if (context.recovery == nullptr) context.recovery = std::make_shared<Recovery>();
  auto &merged = Own(&context.recovery).merged;
  if (says_more) {
    auto known = FindMerged(*context.recovery, base->id, base->birth);
    if (known != merged.end()) merged.erase(known);
    merged.insert(merged.begin(), base);
    if (merged.size() > kMergedMax) merged.pop_back();
  }
  Touch(name, moment);
  FinishPoints(name, &change, moment);
  answer.versions = {Find(name)->head.version};
  return answer;
}

}  // namespace simulation
