#include "tests/simulation/workload.h"

#include <algorithm>

namespace simulation {

namespace {

constexpr size_t kTextSize = 24000;
constexpr size_t kIssuedMax = 40;
constexpr uint64_t kManyLabels = 70;  // More than a context may have.

}  // namespace

Workload::Workload(const Swarm *swarm, Dice dice) : swarm_(swarm), dice_(dice) {
  Dice letters = dice_.Split();
  while (text_.size() < kTextSize) text_ += static_cast<char>('a' + letters.Below(26));
}

// ---- Names. -------------------------------------------------------------------

std::string Workload::NextId() { return "c" + std::to_string(dice_.Below(swarm_->contexts)); }

std::string Workload::ParentOf(const std::string &id) {
  if (!swarm_->chain || id == "c0") return NextId();
  return "c" + std::to_string(std::stoull(id.substr(1)) - 1);
}

std::string Workload::NextKey() {
  return std::string(dice_.OneIn(2) ? "a/" : "b/") + std::to_string(dice_.Below(swarm_->keys));
}

std::string Workload::NextLabel() { return "l" + std::to_string(dice_.Below(3)); }

Name Workload::NextName() {
  return {"n" + std::to_string(dice_.Below(swarm_->namespaces)), NextId()};
}

int64_t Workload::NextTtl() {
  return static_cast<int64_t>(dice_.Between(1, static_cast<uint64_t>(swarm_->ttl_us)));
}

// ---- Writes. ------------------------------------------------------------------

Operation Workload::NextWrite(const Model &model) {
  uint64_t contexts =
      swarm_->weight_create + swarm_->weight_update + swarm_->weight_atomic + swarm_->weight_delete;
  uint64_t work = swarm_->weight_session + swarm_->weight_activation + swarm_->weight_record +
                  swarm_->weight_cut + swarm_->weight_resource;
  uint64_t points = swarm_->weight_point + swarm_->weight_join;
  uint64_t place = dice_.Below(contexts + work + points);
  Operation operation = place < contexts          ? NextContextWrite(model)
                        : place < contexts + work ? NextWorkWrite(model)
                                                  : NextPointWrite(model);
  Issue(&operation);
  return operation;
}

// Gives it a request id, now and then, and remembers those.
void Workload::Issue(Operation *operation) {
  if (!dice_.OneIn(swarm_->request_id_in)) return;
  operation->request_id = "r" + std::to_string(next_request_++);
  issued_.push_back(*operation);
  if (issued_.size() > kIssuedMax) issued_.erase(issued_.begin());
}

Operation Workload::NextContextWrite(const Model &model) {
  Operation operation;
  uint64_t sum =
      swarm_->weight_create + swarm_->weight_update + swarm_->weight_atomic + swarm_->weight_delete;
  uint64_t place = dice_.Below(sum);
  uint64_t updates = swarm_->weight_create + swarm_->weight_update;
  operation.kind = place < swarm_->weight_create             ? Kind::kCreate
                   : place < updates                         ? Kind::kUpdate
                   : place < updates + swarm_->weight_atomic ? Kind::kAtomic
                                                             : Kind::kDelete;
  operation.namespace_id = NextName().namespace_id;
  size_t count = operation.kind == Kind::kAtomic ? dice_.Between(1, 4) : 1;
  count = std::min<size_t>(count, swarm_->contexts);
  while (operation.parts.size() < count) {
    std::string id = NextId();
    bool named = std::any_of(operation.parts.begin(), operation.parts.end(),
                             [&](const Part &part) { return part.id == id; });
    if (named) continue;
    operation.parts.push_back(NextPart(model, operation.kind, operation.namespace_id, id));
  }
  if (operation.kind == Kind::kCreate && dice_.OneIn(12)) operation.parts[0].id.clear();
  if (operation.kind == Kind::kDelete) {
    operation.recursive = dice_.OneIn(2);
    operation.purge = dice_.OneIn(4);
    operation.allow_missing = dice_.OneIn(3);
  }
  return operation;
}

namespace {

// Makes another request of it, which the same keeps.
void Alter(Operation *operation) {
  switch (operation->kind) {
    case Kind::kCreate:
      operation->parts[0].properties.type += "x";
      break;
    case Kind::kUpdate:
    case Kind::kAtomic:
    case Kind::kDelete:
      operation->parts[0].preconditions.push_back({false, "", 77});
      break;
    case Kind::kTruncate:
    case Kind::kOptimize:
      operation->cut.from_sequence++;
      operation->cut.count_max++;
      break;
    case Kind::kMakePoint:
    case Kind::kChangePoint:
    case Kind::kPrune:
      operation->point.labels["altered"] = "x";
      break;
    case Kind::kDropPoint:
      operation->point.id += "x";
      break;
    case Kind::kRestore:
    case Kind::kMerge:
      operation->point.safety = !operation->point.safety;
      break;
    case Kind::kFork:
      operation->point.with_history = !operation->point.with_history;
      break;
    case Kind::kStart:
      operation->terms.owner += "x";
      break;
    case Kind::kSwitch:
      operation->parts[0].id += "x";
      break;
    case Kind::kAcquire:
    case Kind::kRelease:
      operation->claim.name += "x";
      break;
    case Kind::kActivate:
    case Kind::kDeactivate:
      operation->session_id = "nobody";
      break;
    case Kind::kEnd:
      break;  // It says nothing but whose end it is.
  }
}

}  // namespace

bool Workload::NextRepeat(Operation *ret_operation) {
  if (issued_.empty()) return false;
  *ret_operation = issued_[dice_.Below(issued_.size())];
  if (dice_.OneIn(5)) Alter(ret_operation);
  return true;
}

Part Workload::NextPart(const Model &model, Kind kind, const std::string &namespace_id,
                        const std::string &id) {
  Part part;
  part.id = id;
  if (kind != Kind::kCreate) part.preconditions = NextPreconditions(model, {namespace_id, id});
  SetAuthor(model, {namespace_id, id}, &part);
  if (kind == Kind::kCreate) part.fence = 0;
  if (kind == Kind::kDelete) return part;
  part.may_create = kind == Kind::kCreate || !dice_.OneIn(3);
  if (part.may_create) part.properties = NextProperties(id);
  const Context *context = model.Find({namespace_id, id});
  size_t count = dice_.OneIn(2) ? 1 : dice_.Below(5);
  if (kind != Kind::kCreate) count = std::max<size_t>(count, 1);
  for (; count > 0; count--) part.mutations.push_back(NextMutation(context));
  if (dice_.OneIn(swarm_->many_in)) {
    Mutation put;
    put.value = "v";
    for (uint64_t i = dice_.Between(20, 60); i > 0; i--) {
      put.key = NextKey();
      part.mutations.push_back(put);
    }
  }
  if (dice_.OneIn(swarm_->bad_input_in) && dice_.OneIn(4)) {
    for (uint64_t i = 0; i < kManyLabels; i++) {
      Mutation label;
      label.step = Step::kSetLabel;
      label.key = "many" + std::to_string(i);
      part.mutations.push_back(label);
    }
  }
  return part;
}

Properties Workload::NextProperties(const std::string &id) {
  Properties properties;
  if (dice_.OneIn(2)) properties.type = dice_.OneIn(2) ? "chat" : "task";
  if (dice_.OneIn(swarm_->parent_in)) properties.parent_id = ParentOf(id);
  properties.create_parent = dice_.OneIn(2);
  if (dice_.OneIn(swarm_->label_in)) {
    for (uint64_t i = dice_.Between(1, 3); i > 0; i--) {
      properties.labels[NextLabel()] = "v" + std::to_string(dice_.Below(2));
    }
  }
  if (dice_.OneIn(swarm_->expiry_in)) properties.ttl_us = NextTtl();
  properties.sliding = dice_.OneIn(2);
  if (dice_.OneIn(swarm_->policy_in)) properties.policy = NextPolicy();
  return properties;
}

std::vector<Precondition> Workload::NextPreconditions(const Model &model, const Name &name) {
  std::vector<Precondition> list;
  const Context *context = model.Find(name);
  for (uint64_t i = dice_.OneIn(3) ? dice_.Between(1, 2) : 0; i > 0; i--) {
    Precondition each = {dice_.OneIn(2), "", dice_.Below(3)};
    if (each.of_entry) each.key = NextKey();
    if (context != nullptr && !dice_.OneIn(3)) {
      auto entry = context->head.entries.find(each.key);
      each.version = !each.of_entry                         ? context->head.version
                     : entry != context->head.entries.end() ? entry->second.version
                                                            : 0;
    }
    list.push_back(each);
  }
  return list;
}

Mutation Workload::NextMutation(const Context *context) {
  Mutation mutation;
  if (dice_.OneIn(swarm_->activity_in)) {
    mutation.step = Step::kRecord;
    mutation.activity = NextActivity();
    return mutation;
  }
  if (dice_.OneIn(swarm_->policy_in) && dice_.OneIn(6)) {
    mutation.step = Step::kSetPolicy;
    mutation.policy = NextPolicy();
    return mutation;
  }
  mutation.step = dice_.Pick({Step::kPut, Step::kPut, Step::kPut, Step::kPut, Step::kAppend,
                              Step::kAppend, Step::kDelete, Step::kDeletePrefix});
  if (dice_.OneIn(swarm_->label_in)) {
    mutation.step = dice_.OneIn(3) ? Step::kDeleteLabel : Step::kSetLabel;
  } else if (dice_.OneIn(swarm_->expiry_in) && dice_.OneIn(3)) {
    mutation.step = Step::kSetExpiry;
  }
  mutation.key = NextKey();
  switch (mutation.step) {
    case Step::kPut:
      SetValue(&mutation);
      break;
    case Step::kAppend:
      SetValue(&mutation);
      mutation.has_expected_size = dice_.OneIn(4);
      if (mutation.has_expected_size && context != nullptr && !dice_.OneIn(3)) {
        auto entry = context->head.entries.find(mutation.key);
        bool found = entry != context->head.entries.end();
        mutation.expected_size = found ? entry->second.value->size() : 0;
      }
      break;
    case Step::kDeletePrefix:
      if (!dice_.OneIn(3)) mutation.key = dice_.OneIn(6) ? "" : mutation.key.substr(0, 2);
      break;
    case Step::kSetLabel:
      mutation.key = NextLabel();
      mutation.value = "v" + std::to_string(dice_.Below(2));
      break;
    case Step::kDeleteLabel:
      mutation.key = NextLabel();
      break;
    case Step::kSetExpiry:
      mutation.key.clear();
      mutation.ttl_us = dice_.OneIn(3) ? 0 : NextTtl();
      mutation.sliding = dice_.OneIn(2);
      break;
    default:
      break;
  }
  return mutation;
}

void Workload::SetValue(Mutation *mutation) {
  mutation->value = NextValue();
  if (mutation->step == Step::kAppend) mutation->value.resize(mutation->value.size() / 4);
  if (dice_.OneIn(2)) mutation->content_type = "text/plain";
}

// Small, or the beginning of one long text with something else behind it; and the sizes
// around the limit.
std::string Workload::NextValue() {
  if (dice_.OneIn(swarm_->bad_input_in)) {
    return std::string(swarm_->value_size_max + dice_.Below(3) - 1, 'm');
  }
  if (dice_.OneIn(2)) return std::string(dice_.Below(40), static_cast<char>('a' + dice_.Below(26)));
  uint64_t size = dice_.OneIn(16) ? kTextSize / 2 : swarm_->value_size;
  size = std::min(size, swarm_->value_size_max);
  return text_.substr(0, dice_.Below(size)) + std::string(dice_.Below(2), 'z');
}

// ---- Reads. -------------------------------------------------------------------

uint64_t Workload::NextVersion(const Model &model, const Name &name) {
  if (dice_.OneIn(2)) return 0;
  const Context *context = model.Find(name);
  uint64_t newest = context != nullptr ? context->head.version : 1;
  uint64_t back = dice_.Below(swarm_->version_retention + 2);
  return newest + 1 > back ? newest + 1 - back : 1;
}

ListQuery Workload::NextQuery() {
  ListQuery query;
  Name name = NextName();
  query.namespace_id = name.namespace_id;
  if (dice_.OneIn(3)) query.type = dice_.OneIn(2) ? "chat" : "task";
  if (dice_.OneIn(4)) query.parent_id = NextId();
  if (dice_.OneIn(3)) query.id_prefix = dice_.OneIn(2) ? "c" : name.id;
  if (dice_.OneIn(3)) query.labels["l" + std::to_string(dice_.Below(2))] = "v1";
  if (dice_.OneIn(6)) query.labels["l2"] = "v0";
  query.deleted = dice_.OneIn(4);
  return query;
}

}  // namespace simulation
