#include "tests/simulation/model.h"

#include <algorithm>

namespace simulation {

bool IsLive(const Context *context) { return context != nullptr && context->life == Life::kLive; }

Failure NotFound(const Context *context) {
  if (context == nullptr) return {"CONTEXT_NOT_FOUND"};
  return {"CONTEXT_NOT_FOUND deleted_version=" + std::to_string(context->head.version)};
}

namespace {

// Limits that are not configured, from the documentation.
constexpr size_t kLabelsMax = 64;
constexpr int kDepthMax = 16;

Failure Limit(const std::string &name, uint64_t value) {
  return {"LIMIT_REACHED limit=" + name + " value=" + std::to_string(value)};
}

Failure ParentNotFound(const std::string &parent_id) {
  return {"PARENT_NOT_FOUND parent_id=" + parent_id};
}

void SetExpireTime(Context *context, int64_t time_us) {
  context->head.expire_time_us = context->ttl_us != 0 ? time_us + context->ttl_us : 0;
}

}  // namespace

void MutateLabels(std::map<std::string, std::string> *labels,
                  const std::vector<Mutation> &mutations) {
  for (const Mutation &each : mutations) {
    if (each.step == Step::kSetLabel) (*labels)[each.key] = each.value;
    if (each.step == Step::kDeleteLabel) labels->erase(each.key);
    if (labels->size() > kLabelsMax) throw Limit("labels_max", kLabelsMax);
  }
}

namespace {

void DeletePrefix(std::map<std::string, Entry> *entries, const std::string &prefix) {
  auto at = entries->lower_bound(prefix);
  while (at != entries->end() && at->first.compare(0, prefix.size(), prefix) == 0) {
    at = entries->erase(at);
  }
}

// Keeps only the version.
void MakeBare(Context *context) {
  uint64_t version = context->version_last();
  context->life = Life::kBare;
  context->head = State();
  context->head.version = version;
  context->earlier.clear();
  context->recovery = nullptr;
  context->work = std::make_shared<Work>();
}

}  // namespace

uint64_t State::size_bytes() const {
  uint64_t sum = 0;
  for (const auto &[key, entry] : entries) sum += key.size() + entry.value->size();
  return sum;
}

std::string ListQuery::Describe() const {
  std::string text = std::string("list ") + (deleted ? "deleted ones of " : "") + namespace_id;
  if (!id_prefix.empty()) text += ", ids " + id_prefix + "...";
  if (!type.empty()) text += ", type " + type;
  if (!parent_id.empty()) text += ", below " + parent_id;
  for (const auto &[key, value] : labels) text += ", " + key + "=" + value;
  return text;
}

// ---- Looking. -----------------------------------------------------------------

const Context *Model::Find(const Name &name) const {
  auto found = contexts_.find(name);
  return found != contexts_.end() ? found->second.get() : nullptr;
}

bool Model::IsExpired(const Context &context, int64_t now_us) {
  return context.life == Life::kLive && context.head.expire_time_us != 0 &&
         context.head.expire_time_us <= now_us;
}

std::vector<Name> Model::ChildrenOf(const Name &name) const {
  std::vector<Name> children;
  for (auto at = contexts_.lower_bound({name.namespace_id, ""});
       at != contexts_.end() && at->first.namespace_id == name.namespace_id; ++at) {
    bool is_child = IsLive(at->second.get()) && at->second->head.parent_id == name.id;
    if (is_child) children.push_back(at->first);
  }
  return children;
}

int64_t Model::DueTime(const Context &context) const {
  switch (context.life) {
    case Life::kLive:
      return context.head.expire_time_us;
    case Life::kDeleted:
      return context.delete_time_us + rules_.undelete_window_us;
    default:
      return context.delete_time_us + rules_.tombstone_window_us;
  }
}

const Context *Model::Look(const Name &name, int64_t now_us) const {
  const Context *context = Find(name);
  if (context != nullptr && IsExpired(*context, now_us)) throw Expired{name};
  return context;
}

const Context &Model::LookLive(const Name &name, int64_t now_us) const {
  const Context *context = Look(name, now_us);
  if (!IsLive(context)) throw NotFound(context);
  return *context;
}

// ---- Settings. ----------------------------------------------------------------

void Model::SetRules(const Rules &rules, uint64_t revision) {
  rules_ = rules;
  revision_ = revision;
  for (auto &[name, context] : contexts_) {
    auto copy = std::make_shared<Context>(*context);
    Trim(copy.get());
    context = copy;
  }
}

void Model::Trim(Context *context) const {
  while (context->earlier.size() > rules_.version_retention - 1) {
    context->earlier.erase(context->earlier.begin());
  }
}

// ---- Creates and updates. -----------------------------------------------------

void Model::Stamp(const Moment &moment) {
  revision_ = moment.revision;
  time_us_ = moment.time_us;
}

// A context that may be changed, without changing any copy of this model.
Context &Model::Change(const Name &name) {
  Context &context = Own(&contexts_.at(name));
  context.revision = revision_;
  return context;
}

// The same, for a change that is nothing but work on it.
Context &Model::Touch(const Name &name, const Moment &moment) {
  Context &context = Change(name);
  if (context.sliding) SetExpireTime(&context, moment.time_us);
  return context;
}

Answer Model::Write(const Operation &operation, const Moment &moment) {
  Stamp(moment);
  switch (operation.kind) {
    case Kind::kTruncate:
      return Truncate(operation, moment);
    case Kind::kOptimize:
      return Optimize(operation, moment);
    case Kind::kMakePoint:
      return MakePoint(operation, moment);
    case Kind::kChangePoint:
      return ChangePoint(operation, moment);
    case Kind::kDropPoint:
      return DropPoint(operation, moment);
    case Kind::kPrune:
      return Prune(operation, moment);
    case Kind::kRestore:
      return Restore(operation, moment);
    case Kind::kFork:
      return Fork(operation, moment);
    case Kind::kMerge:
      return Merge(operation, moment);
    case Kind::kStart:
      return Start(operation, moment);
    case Kind::kEnd:
      return End(operation, moment);
    case Kind::kActivate:
      return Activate(operation, moment);
    case Kind::kSwitch:
      return Switch(operation, moment);
    case Kind::kDeactivate:
      return Deactivate(operation, moment);
    case Kind::kAcquire:
      return Acquire(operation, moment);
    case Kind::kRelease:
      return Release(operation, moment);
    default:
      return WriteParts(operation, moment);
  }
}

Answer Model::WriteParts(const Operation &operation, const Moment &moment) {
  Answer answer;
  std::set<std::string> begun;
  for (const Part &part : operation.parts) TryPart(operation, part, moment, &begun);
  for (const Part &part : operation.parts) {
    const Context *context = Find({operation.namespace_id, part.id});
    answer.versions.push_back(context->head.version);
    if (operation.wants_sequence) answer.sequence = context->last_sequence;
  }
  if (operation.wants_sequence) answer.versions.clear();
  return answer;
}

void Model::TryPart(const Operation &operation, const Part &part, const Moment &moment,
                    std::set<std::string> *begun) {
  if (!begun->insert(part.id).second) return;
  Name name = {operation.namespace_id, part.id};
  const Context *context = Look(name, moment.now_us);
  if (!IsLive(context)) {
    if (operation.kind != Kind::kCreate && !part.may_create) throw NotFound(context);
    return CreateContext(operation, part, moment, begun);
  }
  if (operation.kind == Kind::kCreate) {
    throw Failure{"CONTEXT_EXISTS version=" + std::to_string(context->head.version)};
  }
  CheckAuthor(name, part, true, moment);
  Check(context, part.preconditions);
  UpdateContext(name, part, moment);
}

void Model::Check(const Context *context, const std::vector<Precondition> &preconditions) const {
  for (const Precondition &each : preconditions) {
    uint64_t current = 0;
    if (context != nullptr && each.of_entry) {
      auto entry = context->head.entries.find(each.key);
      current = entry != context->head.entries.end() ? entry->second.version : 0;
    } else if (context != nullptr) {
      current = context->head.version;
    }
    if (current == each.version) continue;
    std::string version = "current_version=" + std::to_string(current);
    throw Failure{each.of_entry ? "ENTRY_CONFLICT key=" + each.key + " " + version
                                : "VERSION_CONFLICT " + version};
  }
}

// A parent that another part names is that part's to create.
void Model::CheckParent(const Operation &operation, const Part &part, const Moment &moment,
                        std::set<std::string> *begun) {
  Name name = {operation.namespace_id, part.id};
  Name parent = {operation.namespace_id, part.properties.parent_id};
  if (parent.id.empty()) return;
  if (parent.id == part.id) throw ParentNotFound(parent.id);
  for (const Part &other : operation.parts) {
    if (operation.kind == Kind::kAtomic && other.id == parent.id &&
        !IsLive(Look(parent, moment.now_us))) {
      TryPart(operation, other, moment, begun);
    }
  }
  if (IsLive(Find(name))) throw ParentNotFound(parent.id);
  if (!IsLive(Look(parent, moment.now_us)) && !part.properties.create_parent) {
    throw ParentNotFound(parent.id);
  }
}

void Model::BeginBelow(const Name &name, const Properties &properties, const Moment &moment) {
  Name parent = {name.namespace_id, properties.parent_id};
  int depth = 1;
  if (!parent.id.empty()) {
    if (!IsLive(Find(parent))) {
      PointChange change = BeginPoints(PointChange::kCreate, parent, moment);
      change.retains = false;
      Begin(parent, Properties(), 1, moment);
      FinishPoints(parent, &change, moment);
    }
    depth = Find(parent)->depth + 1;
  }
  if (depth > kDepthMax) throw Limit("context_depth_max", kDepthMax);
  Begin(name, properties, depth, moment);
}

void Model::CreateContext(const Operation &operation, const Part &part, const Moment &moment,
                          std::set<std::string> *begun) {
  Name name = {operation.namespace_id, part.id};
  CheckParent(operation, part, moment, begun);
  CheckAuthor(name, part, true, moment);
  Check(nullptr, part.preconditions);
  PointChange change = BeginPoints(PointChange::kCreate, name, moment);
  BeginBelow(name, part.properties, moment);
  Mutate(name, part, moment);
  FinishPoints(name, &change, moment);
}

// Makes the head the newest of those before it.
void Model::PushHead(Context *context, uint64_t revision) const {
  context->earlier.push_back(context->head);
  context->earlier.back().revision = revision;
  context->earlier.back().head_point = context->points().head_point;
  context->earlier.back().past =
      std::make_shared<Past>(Past{context->work, context->last_sequence});
  if (context->life == Life::kDeleted) {
    context->earlier.back().end_time_us = context->delete_time_us;
  }
  Trim(context);
}

void Model::Begin(const Name &name, const Properties &properties, int depth, const Moment &moment) {
  const Context *old = Find(name);
  auto context = std::make_shared<Context>();
  if (old != nullptr && old->life == Life::kDeleted) {
    Context before = *old;
    PushHead(&before, old->revision);
    context->earlier = before.earlier;
    context->recovery = old->recovery;
  }
  if (context->recovery != nullptr || properties.policy.is_set) {
    auto recovery = std::make_shared<Recovery>(context->points());
    if (context->recovery != nullptr) recovery->revived_revision = moment.revision;
    recovery->policy = properties.policy;
    recovery->head_point = 0;
    recovery->last_point_time_us = 0;
    recovery->forked_from = nullptr;
    recovery->merged.clear();
    context->recovery = recovery;
  }
  context->birth_revision = moment.revision;
  context->life = Life::kLive;
  context->head.type = properties.type;
  context->head.parent_id = properties.parent_id;
  context->depth = depth;
  context->revision = moment.revision;
  context->ttl_us = properties.ttl_us;
  context->sliding = properties.sliding;
  context->head.MakeHead(old != nullptr ? old->version_last() + 1 : 1, moment.revision);
  context->head.birth = {moment.revision, name.id};
  context->fence = old != nullptr ? old->fence : 0;
  context->last_sequence = old != nullptr ? old->last_sequence : 0;
  context->head.create_time_us = moment.time_us;
  context->head.update_time_us = moment.time_us;
  SetExpireTime(context.get(), moment.time_us);
  context->head.labels = properties.labels;
  contexts_[name] = context;
}

// Activities alone make no new state.
void Model::UpdateContext(const Name &name, const Part &part, const Moment &moment) {
  bool makes_state = std::any_of(part.mutations.begin(), part.mutations.end(), MakesState);
  PointChange change = BeginPoints(PointChange::kUpdate, name, moment);
  if (makes_state) BeginState(name, moment);
  Touch(name, moment);
  Mutate(name, part, moment);
  if (makes_state) FinishPoints(name, &change, moment);
}

// A new state of a context that is there, or comes back, like the one before so far.
void Model::BeginState(const Name &name, const Moment &moment) {
  uint64_t revision = Find(name)->revision;
  Context &context = Change(name);
  uint64_t version = context.version_last() + 1;
  PushHead(&context, revision);
  context.head.MakeHead(version, moment.revision);
  context.head.update_time_us = moment.time_us;
}

void Model::Mutate(const Name &name, const Part &part, const Moment &moment) {
  Context &context = Change(name);
  MutateLabels(&context.head.labels, part.mutations);
  for (const Mutation &each : part.mutations) {
    if (each.step == Step::kSetExpiry) {
      context.ttl_us = each.ttl_us;
      context.sliding = each.sliding;
      SetExpireTime(&context, moment.time_us);
    } else if (each.step == Step::kSetPolicy) {
      if (context.recovery == nullptr) context.recovery = std::make_shared<Recovery>();
      Own(&context.recovery).policy = each.policy;
    } else {
      MutateEntry(&context, each);
    }
  }
  for (const Mutation &each : part.mutations) {
    if (each.step == Step::kRecord) Record(name, part.session_id, each.activity, moment);
  }
  if (!std::all_of(part.mutations.begin(), part.mutations.end(), MakesState)) Bound(name);
}

void Model::MutateEntry(Context *context, const Mutation &mutation) const {
  auto &entries = context->head.entries;
  auto old = entries.find(mutation.key);
  std::string value = mutation.value, content_type = mutation.content_type;
  switch (mutation.step) {
    case Step::kAppend: {
      std::string before = old != entries.end() ? *old->second.value : "";
      if (mutation.has_expected_size && before.size() != mutation.expected_size) {
        throw Failure{"SIZE_MISMATCH key=" + mutation.key +
                      " current_size=" + std::to_string(before.size())};
      }
      value = before + value;
      content_type = old != entries.end() ? old->second.content_type : content_type;
      [[fallthrough]];
    }
    case Step::kPut:
      if (value.size() > rules_.value_size_max) {
        throw Limit("value_size_max", rules_.value_size_max);
      }
      entries[mutation.key] = {std::make_shared<std::string>(value), content_type,
                               context->head.version};
      break;
    case Step::kDelete:
      entries.erase(mutation.key);
      break;
    case Step::kDeletePrefix:
      DeletePrefix(&entries, mutation.key);
      break;
    default:
      break;
  }
}

// ---- Ends. --------------------------------------------------------------------

// Throws where a delete would end nothing.
void Model::CheckDelete(const Operation &operation, const Moment &now, bool first) const {
  const Context *context = Look(operation.name(), now.now_us);
  bool live = IsLive(context);
  if (context == nullptr || context->life == Life::kBare ||
      (context->life == Life::kDeleted && !operation.purge)) {
    throw NotFound(context);
  }
  CheckAuthor(operation.name(), operation.parts[0], true, now);
  if (first) Check(live ? context : nullptr, operation.parts[0].preconditions);
  size_t child_count = live ? ChildrenOf(operation.name()).size() : 0;
  if (child_count > 0 && !operation.recursive) {
    throw Failure{"HAS_CHILDREN child_count=" + std::to_string(child_count)};
  }
}

void Model::EndOne(const Name &name, bool purge, const Moment &moment) {
  if (IsLive(Find(name)) && !ChildrenOf(name).empty()) {
    throw Failure{name.text() + " is ended before what is below it"};
  }
  for (const Holder &holder : HoldersOf(name)) RemoveActivation(holder.name, name.id);
  Context &context = Change(name);
  if (!context.work->resources.empty()) Own(&context.work).resources.clear();
  if (context.life == Life::kLive) {
    context.delete_time_us = moment.time_us;
    context.ttl_us = 0;
    context.sliding = false;
    context.head.expire_time_us = 0;
    context.life = Life::kDeleted;
  }
  if (purge) MakeBare(&context);
}

bool Model::Delete(const Operation &operation, const std::vector<std::string> &ended, bool first,
                   const Moment &moment) {
  CheckDelete(operation, moment, first);
  Stamp(moment);
  for (const std::string &id : ended) {
    Name name = {operation.namespace_id, id};
    std::string above = id;
    while (above != operation.parts[0].id) {
      const Context *context = Find({operation.namespace_id, above});
      if (!IsLive(context) || context->head.parent_id.empty()) {
        throw Failure{name.text() + " is not below what is deleted"};
      }
      above = context->head.parent_id;
    }
    CheckGuard(name, operation, moment);
    EndOne(name, operation.purge, moment);
  }
  return ended.back() == operation.parts[0].id;
}

void Model::RunDue(const std::string &namespace_id, const std::vector<std::string> &ended,
                   const Moment &moment) {
  Stamp(moment);
  for (const std::string &id : ended) {
    Name name = {namespace_id, id};
    Name above = name;
    const Context *context = Find(name);
    if (context == nullptr) throw Failure{name.text() + " is due and does not exist"};
    while (DueTime(*context) == 0 || DueTime(*context) > moment.now_us) {
      above.id = context->head.parent_id;
      context = IsLive(context) && !above.id.empty() ? Find(above) : nullptr;
      if (!IsLive(context)) throw Failure{name.text() + " is ended before its time"};
    }
    Life life = Find(name)->life;
    if (life == Life::kLive) {
      EndOne(name, false, moment);
    } else if (life == Life::kDeleted) {
      EndOne(name, true, moment);
    } else {
      contexts_.erase(name);
    }
  }
}

// ---- Answers that change nothing. ---------------------------------------------

Model::Outcome Model::Try(const Operation &operation, bool first, const Moment &now,
                          Answer *ret_answer) const {
  Model copy = *this;
  *ret_answer = Answer();
  try {
    if (operation.kind != Kind::kDelete) {
      copy.Write(operation, {revision_ + 1, now.now_us, now.now_us, now.clock_us, nullptr});
      return Outcome::kChange;
    }
    const Context *context = Look(operation.name(), now.now_us);
    bool missing = context == nullptr || context->life == Life::kBare ||
                   (context->life == Life::kDeleted && !operation.purge);
    if (missing && operation.allow_missing) return Outcome::kNothing;
    CheckDelete(operation, now, first);
    if (IsLive(context)) CheckGuardsBelow(operation.name(), operation, now);
    return Outcome::kChange;
  } catch (const Failure &failure) {
    ret_answer->failure = failure.text;
    return Outcome::kFailure;
  } catch (const Nothing &nothing) {
    *ret_answer = nothing.answer;
    return Outcome::kNothing;
  } catch (const Expired &expired) {
    return Outcome::kExpired;
  } catch (const Lapsed &lapsed) {
    return Outcome::kExpired;
  }
}

bool Model::Lists(const Context &context, const Name &name, const ListQuery &query,
                  int64_t now_us) const {
  bool wanted = name.namespace_id == query.namespace_id &&
                context.life == (query.deleted ? Life::kDeleted : Life::kLive) &&
                !IsExpired(context, now_us) &&
                name.id.compare(0, query.id_prefix.size(), query.id_prefix) == 0 &&
                (query.type.empty() || context.head.type == query.type) &&
                (query.parent_id.empty() || context.head.parent_id == query.parent_id);
  for (const auto &[key, value] : query.labels) {
    auto found = context.head.labels.find(key);
    wanted = wanted && found != context.head.labels.end() && found->second == value;
  }
  return wanted;
}

}  // namespace simulation
