// What clients ask for that is about recovery points and earlier states.

#include <algorithm>

#include "tests/simulation/workload.h"

namespace simulation {

namespace {

constexpr int64_t kSecond = 1'000'000;

}  // namespace

// ---- Names. -------------------------------------------------------------------

// Mostly one that is there.
std::string Workload::NextPointId(const Model &model, const Name &name) {
  const Context *context = model.Find(name);
  if (dice_.OneIn(6) || context == nullptr || context->points().points.empty()) {
    return dice_.OneIn(4) ? "" : "p" + std::to_string(dice_.Below(8));
  }
  const auto &points = context->points().points;
  auto at = points.begin();
  std::advance(at, dice_.Below(points.size()));
  return at->second->id;
}

At Workload::NextAt(const Model &model, const Name &name) {
  At at;
  switch (dice_.Below(6)) {
    case 0:
    case 1:
      at.point_id = NextPointId(model, name);
      break;
    case 2:
    case 3:
      at.version = NextVersion(model, name);
      break;
    case 4:
      at.time_us = model.time_us() + 1 - static_cast<int64_t>(dice_.Below(20 * kSecond));
      break;
    default:
      break;
  }
  return at;
}

// A context that is there, or another where there is none.
std::string Workload::NextLive(const Model &model, const std::string &namespace_id) {
  std::string id = NextId();
  for (int i = 0; i < 3 && !IsLive(model.Find({namespace_id, id})); i++) id = NextId();
  return id;
}

Retention Workload::NextRetention() {
  Retention retention;
  if (dice_.OneIn(2)) retention.keep_last = dice_.Between(1, 4);
  if (dice_.OneIn(3)) retention.keep_every = dice_.Between(2, 4);
  if (dice_.OneIn(3)) {
    retention.keep_within_us = dice_.OneIn(2) ? 2 * kSecond : 30 * kSecond;
  }
  return retention;
}

Policy Workload::NextPolicy() {
  Policy policy;
  policy.is_set = !dice_.OneIn(6);
  if (!policy.is_set) return policy;
  policy.retention = NextRetention();
  if (dice_.OneIn(2)) policy.every_changes = dice_.Between(1, 5);
  if (dice_.OneIn(3)) policy.every_us = dice_.OneIn(2) ? kSecond : 10 * kSecond;
  return policy;
}

// ---- Writes. ------------------------------------------------------------------

Operation Workload::NextPointWrite(const Model &model) {
  bool joins = dice_.Below(swarm_->weight_point + swarm_->weight_join) >= swarm_->weight_point;
  if (joins) return dice_.OneIn(2) ? NextFork(model) : NextMerge(model);
  switch (dice_.Below(10)) {
    case 0:
    case 1:
      return NextPointChange(model);
    case 2:
    case 3:
    case 4:
      return NextRestore(model);
    default:
      return NextPoint(model);
  }
}

Operation Workload::NextPoint(const Model &model) {
  Name name = NextName();
  Operation operation = Operation::Of(name);
  PointTask &task = operation.point;
  operation.kind = Kind::kMakePoint;
  operation.parts[0] = NextPart(model, Kind::kUpdate, name.namespace_id, name.id);
  Part &part = operation.parts[0];
  task.move_head = dice_.OneIn(3);
  if (dice_.OneIn(2)) part.mutations.clear();
  if (!task.move_head) {
    part.mutations.erase(
        std::remove_if(part.mutations.begin(), part.mutations.end(),
                       [](const Mutation &each) { return each.step >= Step::kSetExpiry; }),
        part.mutations.end());
  }
  if (dice_.OneIn(3)) task.from_id = NextPointId(model, name);
  if (!dice_.OneIn(8)) task.id = "p" + std::to_string(dice_.Below(8));
  task.replace = dice_.OneIn(3);
  if (task.replace && dice_.OneIn(2)) task.id = NextPointId(model, name);
  task.pinned = dice_.OneIn(8);
  if (dice_.OneIn(3)) task.labels[NextLabel()] = "v" + std::to_string(dice_.Below(2));
  if (dice_.OneIn(3)) task.attachments["t" + std::to_string(dice_.Below(3))] = NextValue();
  if (dice_.OneIn(4)) task.ttl_us = NextTtl();
  return operation;
}

Operation Workload::NextPointChange(const Model &model) {
  Name name = NextName();
  Operation operation = Operation::Of(name);
  PointTask &task = operation.point;
  SetAuthor(model, name, &operation.parts[0]);
  task.id = NextPointId(model, name);
  if (task.id.empty()) task.id = "p0";
  switch (dice_.Below(6)) {
    case 0:
    case 1:
      operation.kind = Kind::kDropPoint;
      return operation;
    case 2:
      operation.kind = Kind::kPrune;
      task.id.clear();
      if (dice_.OneIn(2)) task.labels[NextLabel()] = "v" + std::to_string(dice_.Below(2));
      task.retention = NextRetention();
      if (task.labels.empty() && !task.retention.IsSet()) task.retention.keep_last = 2;
      task.dry_run = dice_.OneIn(4);
      return operation;
    default:
      break;
  }
  operation.kind = Kind::kChangePoint;
  operation.allow_missing = dice_.OneIn(2);
  if (dice_.OneIn(3)) task.labels["l0"] = "v" + std::to_string(dice_.Below(2));
  if (dice_.OneIn(4)) task.delete_labels.insert("l1");
  if (dice_.OneIn(3)) task.attachments["t0"] = NextValue();
  if (dice_.OneIn(3)) task.add_attachments["t1"] = NextValue();
  if (dice_.OneIn(3)) task.delete_attachments.insert("t2");
  if (dice_.OneIn(4)) task.ttl_us = NextTtl();
  task.clear_expiry = task.ttl_us == 0 && dice_.OneIn(5);
  task.pin = dice_.Pick({Pin::kAsItIs, Pin::kAsItIs, Pin::kAsItIs, Pin::kOn, Pin::kOff});
  return operation;
}

Operation Workload::NextRestore(const Model &model) {
  Name name = NextName();
  Operation operation = Operation::Of(name);
  PointTask &task = operation.point;
  const Context *context = model.Find(name);
  operation.kind = Kind::kRestore;
  SetAuthor(model, name, &operation.parts[0]);
  operation.parts[0].preconditions = NextPreconditions(model, name);
  task.at = NextAt(model, name);
  task.safety = dice_.OneIn(3);
  bool deleted = context != nullptr && context->life == Life::kDeleted;
  task.undelete = deleted ? !dice_.OneIn(6) : dice_.OneIn(20);
  return operation;
}

Operation Workload::NextFork(const Model &model) {
  Name name = NextName();
  Operation operation = Operation::Of(name);
  Part &part = operation.parts[0];
  PointTask &task = operation.point;
  operation.kind = Kind::kFork;
  for (int i = 0; i < 3 && IsLive(model.Find(operation.name())); i++) part.id = NextId();
  task.source_id = NextLive(model, name.namespace_id);
  task.at = NextAt(model, {name.namespace_id, task.source_id});
  if (dice_.OneIn(12)) part.id.clear();
  task.with_history = dice_.OneIn(2);
  task.with_points = dice_.OneIn(2);
  part.may_create = dice_.OneIn(3);
  if (part.may_create) part.properties = NextProperties(part.id.empty() ? "c0" : part.id);
  if (dice_.OneIn(8)) part.session_id = NextSessionId(model, name.namespace_id);
  return operation;
}

// Into a context, from one that was forked from it or from which it was, mostly.
Operation Workload::NextMerge(const Model &model) {
  Name name = {NextName().namespace_id, ""};
  name.id = NextLive(model, name.namespace_id);
  Operation operation = Operation::Of(name);
  PointTask &task = operation.point;
  operation.kind = Kind::kMerge;
  SetAuthor(model, name, &operation.parts[0]);
  operation.parts[0].preconditions = NextPreconditions(model, name);
  std::vector<std::string> related;
  for (const auto &[other, context] : model.contexts()) {
    const Context *target = model.Find(name);
    const Base *of_other = context->points().forked_from.get();
    const Base *own = target != nullptr ? target->points().forked_from.get() : nullptr;
    bool is_related = (of_other != nullptr && of_other->id == name.id) ||
                      (own != nullptr && own->id == other.id) ||
                      (own != nullptr && of_other != nullptr && own->id == of_other->id);
    if (other.namespace_id == name.namespace_id && other.id != name.id && is_related) {
      related.push_back(other.id);
    }
  }
  task.source_id =
      related.empty() || dice_.OneIn(6) ? NextId() : related[dice_.Below(related.size())];
  if (task.source_id == name.id) task.source_id = "c" + std::to_string(swarm_->contexts);
  if (dice_.OneIn(3)) task.at = NextAt(model, {name.namespace_id, task.source_id});
  if (dice_.OneIn(6)) {
    task.ancestor_id = dice_.OneIn(2) ? task.source_id : name.id;
    task.ancestor_at = NextAt(model, {name.namespace_id, task.ancestor_id});
  }
  task.on_conflict = dice_.Pick({OnConflict::kReport, OnConflict::kTarget, OnConflict::kSource});
  if (dice_.OneIn(4)) {
    task.rules[NextKey()] = dice_.Pick({OnConflict::kReport, OnConflict::kSource});
  }
  task.dry_run = dice_.OneIn(6);
  task.safety = dice_.OneIn(3);
  return operation;
}

// ---- Reads. -------------------------------------------------------------------

PointQuery Workload::NextPointQuery() {
  PointQuery query;
  if (dice_.OneIn(4)) query.labels[NextLabel()] = "v" + std::to_string(dice_.Below(2));
  query.count_max = dice_.OneIn(2) ? 100 : dice_.Between(1, 4);
  return query;
}

}  // namespace simulation
