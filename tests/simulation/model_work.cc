// The record of the work on contexts: histories, files, usage and resources.

#include <algorithm>

#include "tests/simulation/model.h"

namespace simulation {

namespace {

// Limits that are not configured, from the documentation.
constexpr size_t kTotalsMax = 1000;
constexpr uint64_t kResourcesMax = 1000;  // Of a session.

Failure Limit(const std::string &name, uint64_t value) {
  return {"LIMIT_REACHED limit=" + name + " value=" + std::to_string(value)};
}

void AddUsage(Usage *usage, const Activity &activity) {
  (*usage)[activity.model].Add(activity.usage);
  if (usage->size() > kTotalsMax) throw Limit("usage_totals_max", kTotalsMax);
}

void AddFile(std::map<std::string, TrackedFile> *files, const FileOperation &operation,
             int64_t time_us) {
  TrackedFile &file = (*files)[operation.path];
  file.last = operation;
  file.time_us = time_us;
  file.operation_count++;
}

std::shared_ptr<const Activity> ResourceActivity(const std::string &name, const Held &held,
                                                 ResourceStep step) {
  auto activity = std::make_shared<Activity>();
  activity->type = "resource";
  activity->detail = DetailKind::kResource;
  activity->resource = name;
  activity->resource_type = held.type;
  activity->step = step;
  if (step == ResourceStep::kAcquired) activity->labels = held.labels;
  return activity;
}

}  // namespace

const Usage &Model::UsageOf(const std::string &namespace_id) const {
  static const Usage none;
  auto found = usage_.find(namespace_id);
  return found != usage_.end() ? *found->second : none;
}

const Work &Model::GetWork(const Name &name, int64_t now_us) const {
  try {
    return *LookLive(name, now_us).work;
  } catch (const Expired &expired) {
    throw Failure{"CONTEXT_NOT_FOUND deleted_version=" + std::to_string(Find(name)->head.version)};
  }
}

// ---- Histories. ---------------------------------------------------------------

void Model::Record(const Name &name, const std::string &session_id,
                   const std::shared_ptr<const Activity> &activity, const Moment &moment) {
  if (activity->data.size() > rules_.value_size_max) {
    throw Limit("value_size_max", rules_.value_size_max);
  }
  Context &context = Change(name);
  Work &work = Own(&context.work);
  auto recorded = std::make_shared<Recorded>();
  *recorded = {++context.last_sequence, moment.time_us, session_id, activity};
  work.history.push_back(recorded);
  work.history_bytes += activity->weight();
  if (activity->detail == DetailKind::kFile) AddFile(&work.files, activity->file, moment.time_us);
  if (activity->detail != DetailKind::kModel) return;
  AddUsage(&work.usage, *activity);
  auto &of_namespace = usage_[name.namespace_id];
  if (of_namespace == nullptr) of_namespace = std::make_shared<Usage>();
  AddUsage(&Own(&of_namespace), *activity);
}

// Drops the oldest of what is too much, and never the newest.
void Model::Bound(const Name &name) {
  const Work &now = *Find(name)->work;
  size_t count = 0;
  uint64_t bytes = now.history_bytes;
  while (count + 1 < now.history.size() && (now.history.size() - count > rules_.history_count_max ||
                                            bytes > rules_.history_bytes_max)) {
    bytes -= now.history[count++]->activity->weight();
  }
  if (count == 0) return;
  Work &work = Own(&Change(name).work);
  work.history.erase(work.history.begin(), work.history.begin() + static_cast<ptrdiff_t>(count));
  work.history_bytes = bytes;
}

Answer Model::Truncate(const Operation &operation, const Moment &moment) {
  const Cut &cut = operation.cut;
  Answer answer;
  LookLive(operation.name(), moment.now_us);
  CheckAuthor(operation.name(), operation.parts[0], true, moment);
  Work &work = Own(&Touch(operation.name(), moment).work);
  auto &history = work.history;
  for (; !history.empty(); answer.count++) {
    const Recorded &oldest = *history[0];
    bool goes = cut.from_sequence != 0 ? oldest.sequence < cut.from_sequence
                                       : oldest.time_us < cut.from_time_us;
    if (!goes) break;
    work.history_bytes -= oldest.activity->weight();
    history.erase(history.begin());
  }
  if (answer.count == 0) throw Nothing{};
  return answer;
}

Answer Model::Optimize(const Operation &operation, const Moment &moment) {
  const Cut &cut = operation.cut;
  Answer answer;
  Kept &kept = answer.kept;
  std::set<std::string> essences;
  bool fits = true;
  LookLive(operation.name(), moment.now_us);
  CheckAuthor(operation.name(), operation.parts[0], true, moment);
  Work &work = Own(&Touch(operation.name(), moment).work);
  std::vector<std::shared_ptr<const Recorded>> left;
  for (size_t i = work.history.size(); i > 0; i--) {
    const auto &recorded = work.history[i - 1];
    uint64_t bytes = recorded->activity->weight();
    bool repeats = cut.deduplicate && !essences.insert(recorded->activity->Essence()).second;
    if (!repeats && kept.kept_count > 0) {
      fits &= (cut.count_max == 0 || kept.kept_count < cut.count_max) &&
              (cut.bytes_max == 0 || kept.kept_bytes + bytes <= cut.bytes_max);
    }
    bool stays = !repeats && fits;
    (stays ? kept.kept_count : kept.removed_count)++;
    (stays ? kept.kept_bytes : kept.removed_bytes) += bytes;
    if (stays) left.insert(left.begin(), recorded);
  }
  if (kept.removed_count == 0 || cut.dry_run) throw Nothing{answer};
  work.history = left;
  work.history_bytes = kept.kept_bytes;
  return answer;
}

// ---- Resources. ---------------------------------------------------------------

uint64_t Model::CountHeld(const Name &session) const {
  uint64_t count = 0;
  for (const auto &[name, context] : contexts_) {
    for (const auto &[resource, held] : context->work->resources) {
      count += name.namespace_id == session.namespace_id && held.session_id == session.id;
    }
  }
  return count;
}

Answer Model::Acquire(const Operation &operation, const Moment &moment) {
  const Claim &claim = operation.claim;
  Meet(operation.session(), moment.clock_us);
  const Work &work = *LookLive(operation.name(), moment.now_us).work;
  CheckAuthor(operation.name(), operation.parts[0], true, moment);
  auto found = work.resources.find(claim.name);
  if (found != work.resources.end()) {
    const std::string &holder = found->second.session_id;
    if (holder == operation.session_id) throw Nothing{};
    Meet({operation.namespace_id, holder}, moment.clock_us);
    throw Failure{"RESOURCE_HELD session_id=" + holder};
  }
  if (CountHeld(operation.session()) >= kResourcesMax) {
    throw Limit("session_resources_max", kResourcesMax);
  }
  Context &context = Touch(operation.name(), moment);
  Held held = {operation.session_id, claim.type, claim.labels, moment.time_us,
               context.last_sequence + 1};
  Own(&context.work).resources[claim.name] = held;
  Record(operation.name(), operation.session_id,
         ResourceActivity(claim.name, held, ResourceStep::kAcquired), moment);
  Bound(operation.name());
  return {};
}

Answer Model::Release(const Operation &operation, const Moment &moment) {
  const std::string &resource = operation.claim.name;
  Meet(operation.session(), moment.clock_us);
  const Work &work = *LookLive(operation.name(), moment.now_us).work;
  CheckAuthor(operation.name(), operation.parts[0], false, moment);
  auto found = work.resources.find(resource);
  if (found == work.resources.end()) throw Failure{"RESOURCE_NOT_HELD"};
  const std::string &holder = found->second.session_id;
  if (holder != operation.session_id) {
    Meet({operation.namespace_id, holder}, moment.clock_us);
    throw Failure{"RESOURCE_NOT_HELD session_id=" + holder};
  }
  Touch(operation.name(), moment);
  GiveBack(operation.name(), resource, ResourceStep::kReleased, operation.session_id, moment);
  Bound(operation.name());
  return {};
}

void Model::GiveBack(const Name &name, const std::string &resource, ResourceStep step,
                     const std::string &session_id, const Moment &moment) {
  Work &work = Own(&Change(name).work);
  Held held = work.resources.at(resource);
  work.resources.erase(resource);
  Record(name, session_id, ResourceActivity(resource, held, step), moment);
}

}  // namespace simulation
