// What clients ask for that is about work on contexts: sessions, activation, histories, resources.

#include <algorithm>

#include "tests/simulation/workload.h"

namespace simulation {

namespace {

constexpr size_t kKnownSessionsMax = 20;
constexpr int64_t kSecond = 1'000'000;
constexpr uint64_t kVeryMuch = UINT64_MAX / 2;  // Added up, more than there is.

}  // namespace

// ---- Names. -------------------------------------------------------------------

std::string Workload::NextSessionId(const Model &model, const std::string &namespace_id) {
  std::vector<std::string> ids;
  for (auto at = model.sessions().lower_bound({namespace_id, ""});
       at != model.sessions().end() && at->first.namespace_id == namespace_id; ++at) {
    ids.push_back(at->first.id);
  }
  bool is_there = !ids.empty() && !dice_.OneIn(10);
  if (!is_there && (known_sessions_.empty() || dice_.OneIn(10))) return "nobody";
  if (!is_there) return known_sessions_[dice_.Below(known_sessions_.size())].id;
  std::string id = ids[dice_.Below(ids.size())];
  known_sessions_.push_back({namespace_id, id});
  if (known_sessions_.size() > kKnownSessionsMax) known_sessions_.erase(known_sessions_.begin());
  return id;
}

Name Workload::NextSession(const Model &model) {
  std::string namespace_id = NextName().namespace_id;
  return {namespace_id, NextSessionId(model, namespace_id)};
}

// A context, half of the time one that the session has active.
std::string Workload::NextContextOf(const Model &model, const Name &name) {
  const Session *session = model.FindSession(name);
  if (session == nullptr || session->activations.empty() || dice_.OneIn(2)) return NextId();
  return session->activations[dice_.Below(session->activations.size())].context_id;
}

// ---- Who writes. --------------------------------------------------------------

// The fence of the activation in force where there is one, or now and then an old or wrong one.
uint64_t Workload::NextFence(const Model &model, const Name &name, const std::string &session_id) {
  const Context *context = model.Find(name);
  uint64_t newest = context != nullptr ? context->fence : 0;
  if (dice_.OneIn(swarm_->stale_in)) return newest + 1 - std::min(newest + 1, dice_.Below(4));
  for (const Model::Holder &holder : model.HoldersOf(name)) {
    bool is_own = holder.name.id == session_id;
    if (holder.activation->exclusive && (is_own || dice_.OneIn(2))) return newest;
  }
  return 0;
}

void Workload::SetAuthor(const Model &model, const Name &name, Part *part) {
  if (!dice_.OneIn(swarm_->author_in)) return;
  if (!dice_.OneIn(4)) part->session_id = NextSessionId(model, name.namespace_id);
  part->fence = NextFence(model, name, part->session_id);
}

// ---- Writes. ------------------------------------------------------------------

Operation Workload::NextWorkWrite(const Model &model) {
  uint64_t sessions = swarm_->weight_session;
  uint64_t activations = sessions + swarm_->weight_activation;
  uint64_t records = activations + swarm_->weight_record;
  uint64_t cuts = records + swarm_->weight_cut;
  uint64_t place = dice_.Below(cuts + swarm_->weight_resource);
  return place < sessions      ? NextStart(model)
         : place < activations ? NextActivation(model)
         : place < records     ? NextRecord(model)
         : place < cuts        ? NextCut(model)
                               : NextClaim(model);
}

// Starts a session, or ends one where there are enough.
Operation Workload::NextStart(const Model &model) {
  Operation operation = Operation::Of({NextName().namespace_id, ""});
  Part &part = operation.parts[0];
  auto count = std::count_if(
      model.sessions().begin(), model.sessions().end(),
      [&](const auto &each) { return each.first.namespace_id == operation.namespace_id; });
  if (static_cast<uint64_t>(count) >= swarm_->sessions || dice_.OneIn(6)) {
    operation.kind = Kind::kEnd;
    operation.session_id = NextSessionId(model, operation.namespace_id);
    return operation;
  }
  operation.kind = Kind::kStart;
  operation.terms.owner = dice_.OneIn(3) ? "" : "agent" + std::to_string(dice_.Below(3));
  if (dice_.OneIn(3)) operation.terms.labels[NextLabel()] = "v";
  operation.terms.ttl_us =
      kSecond + static_cast<int64_t>(dice_.Below(static_cast<uint64_t>(swarm_->session_ttl_us)));
  operation.terms.contexts_max = dice_.Pick<uint64_t>({1, 2, 5, 1000});
  operation.terms.point_on_loss = dice_.OneIn(swarm_->policy_in);
  if (dice_.OneIn(2)) part.id = NextId();
  part.may_create = dice_.OneIn(2);
  if (part.may_create) part.properties = NextProperties(part.id.empty() ? "c0" : part.id);
  return operation;
}

Operation Workload::NextActivation(const Model &model) {
  Name session = NextSession(model);
  Operation operation = Operation::Of({session.namespace_id, NextContextOf(model, session)});
  operation.kind = dice_.Pick({Kind::kActivate, Kind::kActivate, Kind::kActivate, Kind::kSwitch,
                               Kind::kDeactivate, Kind::kDeactivate});
  operation.session_id = session.id;
  if (operation.kind == Kind::kActivate) {
    operation.exclusive = dice_.OneIn(2);
    operation.takeover = operation.exclusive && dice_.OneIn(3);
    operation.guard = operation.exclusive && dice_.OneIn(3);
  }
  if (dice_.OneIn(4)) operation.parts[0].fence = NextFence(model, operation.name(), session.id);
  return operation;
}

Operation Workload::NextRecord(const Model &model) {
  Operation operation = Operation::Of(NextName());
  Part &part = operation.parts[0];
  operation.wants_sequence = true;
  part.may_create = dice_.OneIn(3);
  if (part.may_create) part.properties = NextProperties(part.id);
  SetAuthor(model, operation.name(), &part);
  uint64_t count = dice_.OneIn(3) ? dice_.Between(1, 4) : 1;
  if (dice_.OneIn(swarm_->many_in)) count = dice_.Between(100, 400);
  Mutation mutation;
  mutation.step = Step::kRecord;
  for (; count > 0; count--) {
    mutation.activity = NextActivity();
    part.mutations.push_back(mutation);
  }
  return operation;
}

Operation Workload::NextCut(const Model &model) {
  Operation operation = Operation::Of(NextName());
  Cut &cut = operation.cut;
  SetAuthor(model, operation.name(), &operation.parts[0]);
  operation.kind = dice_.OneIn(3) ? Kind::kTruncate : Kind::kOptimize;
  if (operation.kind == Kind::kOptimize) {
    cut.bytes_max = dice_.Pick<uint64_t>({0, 0, 30, 300, 3000});
    cut.count_max = dice_.Pick<uint64_t>({0, 0, 1, 5, 50});
    cut.deduplicate = dice_.OneIn(2);
    cut.dry_run = dice_.OneIn(4);
    return operation;
  }
  const Context *context = model.Find(operation.name());
  uint64_t last = context != nullptr ? context->last_sequence : 0;
  if (dice_.OneIn(3)) {
    cut.from_time_us = model.time_us() + 1 - static_cast<int64_t>(dice_.Below(10 * kSecond));
  } else {
    cut.from_sequence = last + 2 - std::min(last + 1, dice_.Below(dice_.OneIn(2) ? 5 : 50));
  }
  return operation;
}

Operation Workload::NextClaim(const Model &model) {
  Name session = NextSession(model);
  Operation operation = Operation::Of({session.namespace_id, NextContextOf(model, session)});
  operation.kind = dice_.OneIn(3) ? Kind::kRelease : Kind::kAcquire;
  operation.session_id = session.id;
  operation.claim.name = "r" + std::to_string(dice_.Below(3));
  operation.parts[0].fence = NextFence(model, operation.name(), session.id);
  if (operation.kind == Kind::kRelease) return operation;
  if (dice_.OneIn(2)) operation.claim.type = "browser";
  if (dice_.OneIn(3)) operation.claim.labels[NextLabel()] = "v";
  return operation;
}

std::shared_ptr<const Activity> Workload::NextActivity() {
  auto activity = std::make_shared<Activity>();
  activity->type = dice_.OneIn(2) ? "message" : dice_.OneIn(2) ? "error" : "note";
  if (dice_.OneIn(3)) activity->content_type = "text/plain";
  if (dice_.OneIn(4)) activity->labels[NextLabel()] = std::string(dice_.Below(10), 'v');
  activity->data = dice_.OneIn(2) ? std::string(dice_.Below(3), 'd') : NextValue();
  if (dice_.OneIn(4)) {
    activity->detail = DetailKind::kFile;
    activity->file.path = "f/" + std::to_string(dice_.Below(6));
    activity->file.operation = dice_.OneIn(2) ? "read" : "write";
    if (dice_.OneIn(2)) activity->file.source = "tool";
  } else if (dice_.OneIn(4)) {
    activity->detail = DetailKind::kModel;
    activity->model.provider = dice_.OneIn(2) ? "p" : "q";
    activity->model.model = "m" + std::to_string(dice_.Below(3));
    if (dice_.OneIn(2)) activity->model.mode = "fast";
    activity->model.currency = dice_.OneIn(4) ? "EUR" : "USD";
    bool very_much = dice_.OneIn(swarm_->bad_input_in);
    activity->usage = {1,
                       dice_.Below(1000),
                       dice_.Below(100),
                       dice_.Below(10),
                       very_much ? kVeryMuch : dice_.Below(100000),
                       dice_.Below(5000000)};
  }
  return activity;
}

// ---- Reads. -------------------------------------------------------------------

ActivityQuery Workload::NextActivityQuery(const Model &model, const Name &name) {
  ActivityQuery query;
  const Context *context = model.Find(name);
  uint64_t last = context != nullptr ? context->last_sequence : 0;
  if (dice_.OneIn(3)) query.types.insert("message");
  if (dice_.OneIn(6)) query.types.insert("resource");
  query.newest_first = dice_.OneIn(2);
  if (dice_.OneIn(3)) query.from_sequence = last + 2 - std::min(last + 1, dice_.Below(20));
  if (dice_.OneIn(4)) {
    query.start_time_us = model.time_us() - static_cast<int64_t>(dice_.Below(20 * kSecond));
  }
  if (dice_.OneIn(4)) {
    query.end_time_us = std::max(query.start_time_us, model.time_us() - 30 * kSecond) +
                        static_cast<int64_t>(dice_.Below(20 * kSecond)) + 1;
  }
  query.count_max = dice_.OneIn(2) ? 1000 : dice_.Between(1, 6);
  return query;
}

RowQuery Workload::NextRowQuery(const std::string &prefix) {
  RowQuery query;
  if (dice_.OneIn(3)) query.prefix = prefix;
  if (dice_.OneIn(3)) query.after = prefix + std::to_string(dice_.Below(6));
  query.count_max = dice_.OneIn(2) ? 1000 : dice_.Between(1, 3);
  return query;
}

}  // namespace simulation
