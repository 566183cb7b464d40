// Recovery points: which there are, and which are kept.

#include <algorithm>

#include "tests/simulation/model.h"

namespace simulation {

namespace {

// Limits that are not configured, from the documentation.
constexpr size_t kLabelsMax = 64;
constexpr size_t kPendingMax = 1000;

Failure Limit(const std::string &name, uint64_t value) {
  return {"LIMIT_REACHED limit=" + name + " value=" + std::to_string(value)};
}

Failure PointNotFound(const Context &context) {
  const auto &points = context.points().points;
  if (points.empty()) return {"RECOVERY_POINT_NOT_FOUND"};
  return {"RECOVERY_POINT_NOT_FOUND oldest_id=" + points.begin()->second->id};
}

bool HasAll(const std::map<std::string, std::string> &labels,
            const std::map<std::string, std::string> &wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto &each) {
    auto found = labels.find(each.first);
    return found != labels.end() && found->second == each.second;
  });
}

}  // namespace

const Point *Recovery::Find(const std::string &id) const {
  for (const auto &[sequence, point] : points) {
    if (point->id == id) return point.get();
  }
  return nullptr;
}

const Point *Recovery::At(uint64_t sequence) const {
  auto found = points.find(sequence);
  return found != points.end() ? found->second.get() : nullptr;
}

const Recovery &Context::points() const {
  static const Recovery none;
  return recovery != nullptr ? *recovery : none;
}

uint64_t Context::version_last() const { return std::max(head.version, points().version_last); }

// ---- Reads. -------------------------------------------------------------------

const Point &Model::GetPoint(const Name &name, const std::string &id, int64_t now_us) const {
  const Context *context = Find(name);
  if (context == nullptr || context->life == Life::kBare || IsExpired(*context, now_us)) {
    throw NotFound(context);
  }
  const auto &points = context->points().points;
  for (auto each = points.rbegin(); each != points.rend(); ++each) {
    bool wanted = id.empty() || each->second->id == id;
    if (wanted && !each->second->IsExpired(now_us)) return *each->second;
  }
  throw id.empty() ? Failure{"NO_RECOVERY_POINTS"} : PointNotFound(*context);
}

std::vector<const Point *> Model::ListPoints(const Name &name, const PointQuery &query,
                                             int64_t now_us, bool *ret_more) const {
  const Context *context = Find(name);
  if (context == nullptr || context->life == Life::kBare || IsExpired(*context, now_us)) {
    throw NotFound(context);
  }
  const Recovery &recovery = context->points();
  const std::string &named = query.before_id.empty() ? query.ancestors_of : query.before_id;
  const Point *from = recovery.Find(named);
  if (from != nullptr && from->IsExpired(now_us)) from = nullptr;
  /* Of a further page it may be gone: the last one before stands for it. */
  if (from == nullptr && !query.ancestors_of.empty()) from = recovery.At(query.after_sequence);
  bool may_be_gone = query.ancestors_of.empty() && query.after_sequence != 0;
  if (!named.empty() && from == nullptr && !may_be_gone) throw PointNotFound(*context);
  std::set<uint64_t> ancestors;
  for (const Point *each = from; each != nullptr; each = recovery.At(each->parent)) {
    ancestors.insert(each->parent);
  }
  std::vector<const Point *> rows;
  *ret_more = false;
  for (auto each = recovery.points.rbegin(); each != recovery.points.rend(); ++each) {
    const Point &point = *each->second;
    bool in_walk = (query.after_sequence == 0 || point.sequence < query.after_sequence) &&
                   (from == nullptr || point.sequence < from->sequence) &&
                   (query.ancestors_of.empty() || ancestors.count(point.sequence) > 0);
    if (!in_walk) continue;
    if (rows.size() >= query.count_max) {
      *ret_more = true;
      break;
    }
    if (!point.IsExpired(now_us) && HasAll(point.labels, query.labels)) rows.push_back(&point);
  }
  return rows;
}

// ---- Which are kept. ----------------------------------------------------------

// When `more` points will have been made.
bool Model::Keeps(const Recovery &recovery, const Retention &retention, const Point &point,
                  uint64_t more, int64_t now_us) const {
  uint64_t newer = static_cast<uint64_t>(
      std::distance(recovery.points.upper_bound(point.sequence), recovery.points.end()));
  return newer + more < retention.keep_last || (newer == 0 && more == 0) || point.pinned ||
         (retention.keep_every != 0 && point.sequence % retention.keep_every == 0) ||
         (retention.keep_within_us != 0 &&
          point.create_time_us > now_us - retention.keep_within_us);
}

std::set<uint64_t> Model::FindDrops(const PointChange &change, const Policy &policy,
                                    const Moment &moment) const {
  Retention retention = policy.retention;
  std::set<uint64_t> drops;
  auto more = std::count_if(change.makings.begin(), change.makings.end(),
                            [](const Making &each) { return !each.replaces; });
  if (!retention.IsSet()) retention.keep_last = rules_.points_max;
  for (const auto &[sequence, point] : change.before->points) {
    if (change.busy.count(sequence) > 0 || sequence == change.base_point) continue;
    if (point->IsExpired(moment.now_us) ||
        !Keeps(*change.before, retention, *point, static_cast<uint64_t>(more), moment.now_us)) {
      drops.insert(sequence);
    }
  }
  return drops;
}

int64_t Model::PointsDueTime(const Context &context) const {
  const Recovery &recovery = context.points();
  Retention retention = recovery.policy.retention;
  int64_t within_us = retention.keep_within_us;
  int64_t due_us = INT64_MAX;
  bool has_rules = retention.IsSet();
  retention.keep_within_us = 0;
  if (recovery.policy.every_us != 0 && context.change_count > 0) {
    int64_t since_us = recovery.last_point_time_us != 0 ? recovery.last_point_time_us
                                                        : context.head.create_time_us;
    due_us = since_us + recovery.policy.every_us;
  }
  for (const auto &[sequence, point] : recovery.points) {
    if (point->expire_time_us != 0) due_us = std::min(due_us, point->expire_time_us);
    if (has_rules && !Keeps(recovery, retention, *point, 0, 0)) {
      due_us = std::min(due_us, point->create_time_us + within_us);
    }
  }
  return due_us != INT64_MAX ? due_us : 0;
}

void Model::RunPointsDue(const Name &name, const Moment &moment) {
  const Context *context = Find(name);
  if (!IsLive(context)) throw Failure{name.text() + " is not there, and its points are due"};
  Stamp(moment);
  PointChange change = BeginPoints(PointChange::kTouch, name, moment);
  const Recovery &recovery = context->points();
  if (recovery.policy.every_us != 0 && context->change_count > 0 &&
      change.since_us + recovery.policy.every_us <= moment.now_us) {
    change.makings.push_back(OwnPoint(name, Origin::kPolicy, &change, moment));
  }
  size_t before = recovery.points.size();
  size_t made = change.makings.size();
  Change(name);  // Nobody asked for it: an expiry that slides stays.
  FinishPoints(name, &change, moment);
  if (made == 0 && Find(name)->points().points.size() == before) {
    throw Failure{"no point of " + name.text() + " is due"};
  }
}

// ---- Changes. -----------------------------------------------------------------

Model::PointChange Model::BeginPoints(PointChange::Kind kind, const Name &name,
                                      const Moment &moment) const {
  const Context *context = Find(name);
  PointChange change;
  change.kind = kind;
  change.since_us = moment.now_us;
  if (context == nullptr) return change;
  change.before = context->recovery;
  if (kind == PointChange::kCreate) return change;
  int64_t last_us = context->points().last_point_time_us;
  change.since_us = last_us != 0 ? last_us : context->head.create_time_us;
  return change;
}

// One that the server makes by itself: it has told how it calls that.
Model::Making Model::OwnPoint(const Name &name, Origin origin, PointChange *change,
                              const Moment &moment) const {
  Making making;
  uint64_t sequence = change->before != nullptr ? change->before->last_sequence + 1 : 1;
  for (const Making &each : change->makings) sequence += !each.replaces;
  making.point.origin = origin;
  making.point.aside = origin == Origin::kSafety;
  if (making.point.aside) making.point.state = HeadOf(*Find(name));
  if (moment.point_ids == nullptr) return making;
  auto found = moment.point_ids->find({name.id, sequence});
  if (found == moment.point_ids->end()) {
    throw Failure{name.text() + " lacks a point that the server is to make"};
  }
  making.point.id = found->second;
  return making;
}

bool Model::WantsPoint(const Context &context, const PointChange &change,
                       const Moment &moment) const {
  const Policy &policy = context.points().policy;
  bool is_new = change.kind == PointChange::kCreate;
  uint64_t changes = (is_new ? 0 : context.change_count) + 1;
  bool is_there = std::any_of(change.makings.begin(), change.makings.end(),
                              [](const Making &each) { return !each.point.aside; });
  if (!policy.is_set || change.is_fork || is_there) return false;
  if (!is_new && change.kind != PointChange::kUpdate) return false;
  return (policy.every_changes != 0 && changes >= policy.every_changes) ||
         (policy.every_us != 0 && moment.now_us - change.since_us >= policy.every_us);
}

// Makes what the policy wants besides, and drops what nothing keeps.
void Model::FinishPoints(const Name &name, PointChange *change, const Moment &moment) {
  const Context &context = *Find(name);
  std::set<uint64_t> drops;
  if (change->retains && WantsPoint(context, *change, moment)) {
    change->makings.push_back(OwnPoint(name, Origin::kPolicy, change, moment));
  }
  if (change->retains && change->before != nullptr) {
    drops = FindDrops(*change, context.points().policy, moment);
  }
  ApplyPoints(name, *change, drops, moment);
}

void Model::ApplyPoints(const Name &name, const PointChange &change,
                        const std::set<uint64_t> &drops, const Moment &moment) {
  Context &context = Change(name);
  if (change.kind != PointChange::kTouch) context.change_count++;
  if (context.recovery == nullptr && change.makings.empty()) return;
  if (context.recovery == nullptr) context.recovery = std::make_shared<Recovery>();
  Recovery &recovery = Own(&context.recovery);
  std::map<uint64_t, std::shared_ptr<const Point>> before = recovery.points;
  auto stays = [&](uint64_t sequence) {
    while (drops.count(sequence) > 0) sequence = before.at(sequence)->parent;
    return sequence;
  };
  uint64_t head_before = recovery.head_point;
  if (change.base_point != 0) recovery.head_point = change.base_point;
  if (change.base_version != 0) recovery.head_point = change.base_head_point;
  while (change.base_version != 0 && recovery.head_point != 0 &&
         recovery.At(recovery.head_point)->state.version > change.base_version) {
    recovery.head_point = recovery.At(recovery.head_point)->parent;
  }
  for (uint64_t sequence : drops) recovery.points.erase(sequence);
  for (auto &[sequence, point] : recovery.points) {
    if (stays(point->parent) != point->parent) Own(&point).parent = stays(point->parent);
  }
  for (const Making &making : change.makings) {
    Point point = making.point;
    auto given = point.attachments;
    if (making.replaces) {
      const Point &old = *before.at(point.sequence);
      point.revision = old.revision;
      point.create_time_us = old.create_time_us;
      point.parent = stays(old.parent);
      point.attachments = old.attachments;
    } else {
      point.sequence = ++recovery.last_sequence;
      point.revision = moment.revision;
      point.create_time_us = moment.time_us;
      point.parent = stays(!point.aside       ? recovery.head_point
                           : making.from != 0 ? making.from
                                              : head_before);
      point.attachments = recovery.pending[point.id];
      recovery.pending.erase(point.id);
    }
    for (const auto &[key, entry] : given) point.attachments[key] = entry;
    if (!point.aside) {
      point.state = HeadOf(context);
      recovery.head_point = point.sequence;
      context.change_count = 0;
      recovery.last_point_time_us = moment.time_us;
    } else {
      recovery.version_last = std::max(recovery.version_last, point.state.version);
    }
    recovery.points[point.sequence] = std::make_shared<Point>(point);
  }
  recovery.head_point = stays(recovery.head_point);
  for (State &state : context.earlier) state.head_point = stays(state.head_point);
}

// ---- Points that clients make. ------------------------------------------------

// A point that a request names. One whose time is over is dropped first.
const Point *Model::MeetPoint(const Name &name, const std::string &id, const Moment &moment) const {
  const Context *context = Find(name);
  const Point *point = context != nullptr ? context->points().Find(id) : nullptr;
  bool is_over = point != nullptr && point->IsExpired(moment.now_us);
  if (is_over && IsLive(context)) throw Expired{name};
  return is_over ? nullptr : point;
}

static void AddAttachments(const std::map<std::string, std::string> &attachments,
                           uint64_t value_size_max, std::map<std::string, Entry> *list) {
  for (const auto &[key, value] : attachments) {
    if (value.size() > value_size_max) throw Limit("value_size_max", value_size_max);
    (*list)[key] = {std::make_shared<std::string>(value), "", 0};
  }
}

// Gives a point a state beside the head: `base`, or what the mutations make of it.
void Model::SetAside(const Operation &operation, const State &base, uint64_t head_version,
                     uint64_t version_last, Making *making, const Moment &moment) const {
  Context context;
  const auto &mutations = operation.parts[0].mutations;
  context.head = base;
  MutateLabels(&context.head.labels, mutations);
  if (!mutations.empty()) {
    context.head.version = std::max(head_version, version_last) + 1;
    context.head.update_time_us = moment.time_us;
  }
  for (const Mutation &each : mutations) MutateEntry(&context, each);
  making->point.aside = true;
  making->point.state = context.head;
}

Answer Model::MakePoint(const Operation &operation, const Moment &moment) {
  const Part &part = operation.parts[0];
  const PointTask &task = operation.point;
  Name name = operation.name();
  const Context *context = Look(name, moment.now_us);
  Making making;
  std::set<std::string> begun;
  if (!IsLive(context)) {
    if (!part.may_create) throw NotFound(context);
    CheckParent(operation, part, moment, &begun);
  }
  if (!task.from_id.empty()) {
    const Point *from = IsLive(context) ? MeetPoint(name, task.from_id, moment) : nullptr;
    if (from == nullptr) throw IsLive(context) ? PointNotFound(*context) : NotFound(context);
    making.from = from->sequence;
  }
  const Point *there = MeetPoint(name, task.id, moment);
  if (there != nullptr && task.replace && there->pinned) throw Failure{"RECOVERY_POINT_PINNED"};
  if (there != nullptr && !task.replace) {
    throw Failure{"RECOVERY_POINT_EXISTS sequence=" + std::to_string(there->sequence)};
  }
  CheckAuthor(name, part, true, moment);
  Check(IsLive(context) ? context : nullptr, part.preconditions);
  making.replaces = there != nullptr;
  making.point.sequence = there != nullptr ? there->sequence : 0;
  making.point.id = task.id;
  making.point.pinned = task.pinned;
  making.point.labels = task.labels;
  making.point.expire_time_us = task.ttl_us != 0 ? moment.now_us + task.ttl_us : 0;
  AddAttachments(task.attachments, rules_.value_size_max, &making.point.attachments);
  Answer answer;
  if (IsLive(context)) {
    MakeOfExisting(operation, making, moment);
  } else {
    Part begins = part;
    if (!task.move_head) begins.mutations.clear();
    PointChange change = BeginPoints(PointChange::kCreate, name, moment);
    if (making.replaces) change.busy.insert(making.point.sequence);
    BeginBelow(name, part.properties, moment);
    if (!task.move_head && !part.mutations.empty()) {
      const Context &created = *Find(name);
      SetAside(operation, HeadOf(created), created.head.version, 0, &making, moment);
    }
    Mutate(name, begins, moment);
    change.makings.push_back(making);
    FinishPoints(name, &change, moment);
  }
  answer.versions = {Find(name)->head.version};
  return answer;
}

void Model::MakeOfExisting(const Operation &operation, Making making, const Moment &moment) {
  const Part &part = operation.parts[0];
  const PointTask &task = operation.point;
  Name name = operation.name();
  PointChange change = BeginPoints(PointChange::kTouch, name, moment);
  if (making.replaces) change.busy.insert(making.point.sequence);
  State from = HeadOf(*Find(name));
  if (making.from != 0) from = Find(name)->points().At(making.from)->state;
  bool makes_state =
      making.from != 0 || std::any_of(part.mutations.begin(), part.mutations.end(), MakesState);
  if (task.move_head && makes_state) {
    change.kind = PointChange::kUpdate;
    change.base_point = making.from;
    BeginState(name, moment);
    Context &context = Change(name);
    context.head.entries = from.entries;
    context.head.labels = from.labels;
    Touch(name, moment);
    Mutate(name, part, moment);
  } else {
    Touch(name, moment);
    const Context &context = *Find(name);
    if (task.move_head) {
      Mutate(name, part, moment);  // Activities alone make no state.
    } else if (making.from != 0 || !part.mutations.empty()) {
      SetAside(operation, from, context.head.version, context.version_last(), &making, moment);
    }
  }
  change.makings.push_back(making);
  FinishPoints(name, &change, moment);
}

// ---- And change and drop. -----------------------------------------------------

Answer Model::ChangePoint(const Operation &operation, const Moment &moment) {
  const PointTask &task = operation.point;
  Name name = operation.name();
  const Context &context = LookLive(name, moment.now_us);
  const Point *there = MeetPoint(name, task.id, moment);
  PointChange change = BeginPoints(PointChange::kTouch, name, moment);
  bool only_attachments = task.labels.empty() && task.delete_labels.empty() && task.ttl_us == 0 &&
                          !task.clear_expiry && task.pin == Pin::kAsItIs;
  if (there == nullptr && (!operation.allow_missing || !only_attachments)) {
    throw PointNotFound(context);
  }
  CheckAuthor(name, operation.parts[0], true, moment);
  Point point = there != nullptr ? *there : Point();
  const auto &pending = context.points().pending;
  auto kept = pending.find(task.id);
  if (there == nullptr && kept == pending.end() && pending.size() >= kPendingMax) {
    throw Limit("pending_points_max", kPendingMax);
  }
  if (there == nullptr && kept != pending.end()) point.attachments = kept->second;
  for (const std::string &key : task.delete_labels) point.labels.erase(key);
  for (const auto &[key, value] : task.labels) point.labels[key] = value;
  if (point.labels.size() > kLabelsMax) throw Limit("labels_max", kLabelsMax);
  auto added = task.add_attachments;
  for (const auto &[key, entry] : point.attachments) added.erase(key);
  for (const std::string &key : task.delete_attachments) point.attachments.erase(key);
  AddAttachments(task.attachments, rules_.value_size_max, &point.attachments);
  AddAttachments(added, rules_.value_size_max, &point.attachments);
  if (task.pin != Pin::kAsItIs) point.pinned = task.pin == Pin::kOn;
  if (task.clear_expiry) point.expire_time_us = 0;
  if (task.ttl_us != 0) point.expire_time_us = moment.now_us + task.ttl_us;
  Context &changed = Touch(name, moment);
  if (changed.recovery == nullptr) changed.recovery = std::make_shared<Recovery>();
  if (there == nullptr) {
    auto &changed_pending = Own(&changed.recovery).pending;
    changed_pending[task.id] = point.attachments;
    if (point.attachments.empty()) changed_pending.erase(task.id);
  } else {
    change.busy.insert(point.sequence);
    Own(&changed.recovery).points[point.sequence] = std::make_shared<Point>(point);
  }
  FinishPoints(name, &change, moment);
  return {};
}

Answer Model::DropPoint(const Operation &operation, const Moment &moment) {
  Name name = operation.name();
  const Context &context = LookLive(name, moment.now_us);
  const Point *there = MeetPoint(name, operation.point.id, moment);
  if (there == nullptr) throw PointNotFound(context);
  CheckAuthor(name, operation.parts[0], true, moment);
  uint64_t sequence = there->sequence;
  Touch(name, moment);
  ApplyPoints(name, BeginPoints(PointChange::kTouch, name, moment), {sequence}, moment);
  return {};
}

Answer Model::Prune(const Operation &operation, const Moment &moment) {
  const PointTask &task = operation.point;
  Name name = operation.name();
  const Recovery &recovery = LookLive(name, moment.now_us).points();
  std::set<uint64_t> drops;
  Answer answer;
  if (!task.dry_run) CheckAuthor(name, operation.parts[0], true, moment);
  for (const auto &[sequence, point] : recovery.points) {
    bool goes =
        !point->pinned &&
        ((!task.labels.empty() && HasAll(point->labels, task.labels)) ||
         (task.retention.IsSet() && !Keeps(recovery, task.retention, *point, 0, moment.now_us)));
    if (goes) drops.insert(sequence);
  }
  answer.kept.removed_count = drops.size();
  answer.kept.kept_count = recovery.points.size() - drops.size();
  if (drops.empty() || task.dry_run) throw Nothing{answer};
  Touch(name, moment);
  ApplyPoints(name, BeginPoints(PointChange::kTouch, name, moment), drops, moment);
  return answer;
}

}  // namespace simulation
