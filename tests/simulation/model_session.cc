// Sessions, what they have active, and fences.

#include <algorithm>

#include "tests/simulation/model.h"

namespace simulation {

namespace {

Failure SessionNotFound(const Name &name) { return {"SESSION_NOT_FOUND session_id=" + name.id}; }

Failure Busy(const Model::Holder &holder) {
  return {"CONTEXT_BUSY session_id=" + holder.name.id + " owner=" + holder.session->terms.owner};
}

}  // namespace

// ---- Looking. -----------------------------------------------------------------

void Lease::Renew(int64_t clock_us, int64_t ttl_us) {
  if (renew_time_us != clock_us) over_before_us = over_us;
  renew_time_us = clock_us;
  over_us = clock_us + ttl_us;
}

const Activation *Session::Find(const std::string &context_id) const {
  auto found = std::find_if(activations.begin(), activations.end(),
                            [&](const Activation &each) { return each.context_id == context_id; });
  return found != activations.end() ? &*found : nullptr;
}

const Session *Model::FindSession(const Name &name) const {
  auto found = sessions_.find(name);
  return found != sessions_.end() ? found->second.get() : nullptr;
}

std::vector<Model::Holder> Model::HoldersOf(const Name &context) const {
  std::vector<Holder> holders;
  for (auto at = sessions_.lower_bound({context.namespace_id, ""});
       at != sessions_.end() && at->first.namespace_id == context.namespace_id; ++at) {
    const Activation *activation = at->second->Find(context.id);
    if (activation != nullptr) holders.push_back({at->first, at->second.get(), activation});
  }
  std::sort(holders.begin(), holders.end(), [](const Holder &a, const Holder &b) {
    return a.activation->revision < b.activation->revision;
  });
  return holders;
}

const Model::Holder *Model::FindExclusive(const std::vector<Holder> &holders) const {
  auto found = std::find_if(holders.begin(), holders.end(),
                            [](const Holder &each) { return each.activation->exclusive; });
  return found != holders.end() ? &*found : nullptr;
}

// A session that a request names.
const Session &Model::Meet(const Name &name, int64_t clock_us) const {
  const Session *session = FindSession(name);
  if (session == nullptr) throw SessionNotFound(name);
  if (session->IsOver(clock_us)) throw Lapsed{name};
  return *session;
}

Session &Model::ChangeSession(const Name &name) { return Own(&sessions_.at(name)); }

// Whether a write may be made by this session, with this fence. `minds_guard`: it needs one where
// the context is guarded.
void Model::CheckAuthor(const Name &name, const Part &part, bool minds_guard,
                        const Moment &now) const {
  if (!part.session_id.empty()) Meet({name.namespace_id, part.session_id}, now.clock_us);
  std::vector<Holder> holders = HoldersOf(name);
  const Holder *exclusive = FindExclusive(holders);
  bool guarded = exclusive != nullptr && exclusive->activation->guard && minds_guard;
  if (part.fence == 0 && !guarded) return;
  if (exclusive != nullptr && exclusive->session->IsOver(now.clock_us)) {
    throw Lapsed{exclusive->name};
  }
  if (exclusive != nullptr && exclusive->activation->fence == part.fence) return;
  const Context *context = Find(name);
  throw Failure{"STALE_FENCE current_fence=" +
                std::to_string(context != nullptr ? context->fence : 0)};
}

// A delete ends nothing below that another session guards.
void Model::CheckGuard(const Name &name, const Operation &operation, const Moment &now) const {
  std::vector<Holder> holders = HoldersOf(name);
  const Holder *exclusive = FindExclusive(holders);
  if (name == operation.name() || exclusive == nullptr || !exclusive->activation->guard) return;
  if (exclusive->session->IsOver(now.clock_us)) throw Lapsed{exclusive->name};
  if (exclusive->name.id != operation.parts[0].session_id) throw Busy(*exclusive);
}

// Those below others come first.
void Model::CheckGuardsBelow(const Name &name, const Operation &operation,
                             const Moment &now) const {
  for (const Name &child : ChildrenOf(name)) CheckGuardsBelow(child, operation, now);
  CheckGuard(name, operation, now);
}

// ---- Starts and ends. ---------------------------------------------------------

Answer Model::Start(const Operation &operation, const Moment &moment) {
  if (FindSession(operation.session()) != nullptr) throw Failure{"REQUEST_ID_REUSED"};
  auto session = std::make_shared<Session>();
  const Part &part = operation.parts[0];
  session->terms = operation.terms;
  session->default_context_id = part.id;
  session->may_create = part.may_create;
  session->properties = part.properties;
  session->create_time_us = moment.time_us;
  session->start_revision = moment.revision;
  session->lease->Renew(moment.clock_us, operation.terms.ttl_us);
  sessions_[operation.session()] = session;
  if (!part.id.empty()) {
    AddActivation(operation, moment);
  }
  return {};
}

Answer Model::End(const Operation &operation, const Moment &moment) {
  const Session *session = FindSession(operation.session());
  if (session == nullptr) throw Nothing{};
  if (session->IsOver(moment.clock_us)) throw Lapsed{operation.session()};
  EndSession(operation.session(), false, moment);
  return {};
}

void Model::Lose(const Name &name, const Moment &moment) {
  CheckLost(name, moment);
  Stamp(moment);
  EndSession(name, true, moment);
}

void Model::CheckLost(const Name &name, const Moment &moment) const {
  const Session *session = FindSession(name);
  if (session == nullptr) throw Failure{name.text() + " is lost and does not exist"};
  if (!session->IsOver(moment.clock_us)) throw Failure{name.text() + " is lost before its time"};
}

void Model::PartSession(const Name &name, bool is_asked, const std::vector<std::string> &ids,
                        const std::set<Name> &resources, const Moment &moment) {
  if (!is_asked) CheckLost(name, moment);
  Stamp(moment);
  for (const std::string &id : ids) {
    bool makes_point = !is_asked && IsExclusive(name, id);
    if (FindSession(name)->Find(id) != nullptr) RemoveActivation(name, id);
    GiveAllBack({name.namespace_id, id}, name.id, &resources, moment);
    if (makes_point) MakeLossPoint({name.namespace_id, id}, moment);
  }
}

// Whether a loss of the session makes a point of a context: it worked there alone.
bool Model::IsExclusive(const Name &session, const std::string &context_id) const {
  const Session *found = FindSession(session);
  const Activation *activation = found->Find(context_id);
  return found->terms.point_on_loss && activation != nullptr && activation->exclusive;
}

void Model::MakeLossPoint(const Name &name, const Moment &moment) {
  PointChange change = BeginPoints(PointChange::kTouch, name, moment);
  change.makings.push_back(OwnPoint(name, Origin::kSessionLoss, &change, moment));
  FinishPoints(name, &change, moment);
}

// Deactivates and gives back all that a session has. That is no work on a context: it lives no
// longer for it.
void Model::EndSession(const Name &name, bool is_loss, const Moment &moment) {
  std::set<std::string> ids, exclusive;
  for (const Activation &each : FindSession(name)->activations) {
    ids.insert(each.context_id);
    if (is_loss && IsExclusive(name, each.context_id)) exclusive.insert(each.context_id);
  }
  for (const auto &[context_name, context] : contexts_) {
    if (context_name.namespace_id != name.namespace_id) continue;
    for (const auto &[resource, held] : context->work->resources) {
      if (held.session_id == name.id) ids.insert(context_name.id);
    }
  }
  sessions_.erase(name);
  for (const std::string &id : ids) {
    GiveAllBack({name.namespace_id, id}, name.id, nullptr, moment);
    if (exclusive.count(id) > 0) MakeLossPoint({name.namespace_id, id}, moment);
  }
}

// All that it holds of a context, or those of these; the newest first.
void Model::GiveAllBack(const Name &name, const std::string &session_id,
                        const std::set<Name> *resources, const Moment &moment) {
  std::map<uint64_t, std::string> held;
  for (const auto &[resource, each] : Change(name).work->resources) {
    bool wanted = resources == nullptr || resources->count({name.id, resource}) > 0;
    if (each.session_id == session_id && wanted) held[each.sequence] = resource;
  }
  for (auto each = held.rbegin(); each != held.rend(); ++each) {
    GiveBack(name, each->second, ResourceStep::kReclaimed, session_id, moment);
  }
  if (!held.empty()) Bound(name);
}

// ---- Activation. --------------------------------------------------------------

// Finds session and context, and checks the fence.
const Session &Model::MeetBoth(const Operation &operation, const Moment &moment) const {
  const Session &session = Meet(operation.session(), moment.clock_us);
  const Context *context = Look(operation.name(), moment.now_us);
  bool must_exist = operation.kind != Kind::kDeactivate && !session.may_create;
  if (must_exist && !IsLive(context)) throw NotFound(context);
  CheckAuthor(operation.name(), operation.parts[0], false, moment);
  return session;
}

// Ends the exclusive activation of another session, or refuses to.
void Model::TakeExclusive(const Operation &operation, const Moment &moment) {
  std::vector<Holder> holders = HoldersOf(operation.name());
  const Holder *exclusive = FindExclusive(holders);
  if (exclusive == nullptr || exclusive->name == operation.session()) return;
  if (exclusive->session->IsOver(moment.clock_us)) throw Lapsed{exclusive->name};
  if (!operation.takeover) throw Busy(*exclusive);
  RemoveActivation(exclusive->name, operation.name().id);
}

void Model::CreateMissing(const Name &name, const Session &session, const Moment &moment) {
  std::set<std::string> begun;
  Operation creation = Operation::Of(name);
  if (!session.may_create) throw NotFound(Find(name));
  creation.parts[0].may_create = true;
  creation.parts[0].properties = session.properties;
  CreateContext(creation, creation.parts[0], moment, &begun);
}

// Activates, as the session's newest activation.
void Model::AddActivation(const Operation &operation, const Moment &moment) {
  Session &session = ChangeSession(operation.session());
  const std::string &id = operation.name().id;
  auto &list = session.activations;
  list.erase(std::remove_if(list.begin(), list.end(),
                            [&](const Activation &each) { return each.context_id == id; }),
             list.end());
  if (!IsLive(Look(operation.name(), moment.now_us))) {
    CreateMissing(operation.name(), session, moment);
  }
  if (list.size() >= session.terms.contexts_max) {
    throw Failure{"LIMIT_REACHED limit=max_active_contexts value=" +
                  std::to_string(session.terms.contexts_max)};
  }
  Context &context = Touch(operation.name(), moment);
  Activation activation;
  activation.context_id = id;
  activation.exclusive = operation.exclusive;
  activation.guard = operation.guard;
  activation.fence = operation.exclusive ? ++context.fence : 0;
  activation.time_us = moment.time_us;
  activation.revision = moment.revision;
  list.push_back(activation);
  if (session.current.empty()) session.current = id;
}

void Model::RemoveActivation(const Name &name, const std::string &context_id) {
  Session &session = ChangeSession(name);
  auto &list = session.activations;
  list.erase(list.begin() + (session.Find(context_id) - list.data()));
  if (session.current != context_id) return;
  session.current = list.empty() ? "" : list.back().context_id;
  if (session.Find(session.default_context_id) != nullptr) {
    session.current = session.default_context_id;
  }
}

Answer Model::Activate(const Operation &operation, const Moment &moment) {
  const Activation *own = MeetBoth(operation, moment).Find(operation.name().id);
  if (own != nullptr && !own->exclusive && !operation.exclusive) throw Nothing{};
  if (operation.exclusive) TakeExclusive(operation, moment);
  AddActivation(operation, moment);
  return {};
}

Answer Model::Switch(const Operation &operation, const Moment &moment) {
  const Session &session = MeetBoth(operation, moment);
  if (session.current == operation.name().id) throw Nothing{};
  if (session.Find(operation.name().id) == nullptr) AddActivation(operation, moment);
  ChangeSession(operation.session()).current = operation.name().id;
  return {};
}

Answer Model::Deactivate(const Operation &operation, const Moment &moment) {
  const Session &session = MeetBoth(operation, moment);
  if (session.Find(operation.name().id) == nullptr) throw Failure{"NOT_ACTIVE"};
  RemoveActivation(operation.session(), operation.name().id);
  Touch(operation.name(), moment);
  return {};
}

}  // namespace simulation
