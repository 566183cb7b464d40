#include "tests/simulation/checker.h"

#include <algorithm>

namespace simulation {

namespace {

// Over how many parts the server's bound on known requests is split.
constexpr uint64_t kRequestShards = 64;

// What a change of settings takes up in the log, at most.
constexpr uint64_t kSettingsBytesMax = 200;

std::string Number(uint64_t number) { return std::to_string(number); }

}  // namespace

Checker::Checker(std::function<void(const std::string &)> fail)
    : fail_(std::move(fail)), models_(1) {}

void Checker::Fail(const Call &call, const std::string &what) const {
  fail_(call.operation.Describe() + ": " + what + " [told " + call.answer.Describe() +
        ", to wait for " + Number(call.wait_for) + ", between revisions " + Number(call.first) +
        " and " + Number(call.last) + "]");
}

// ---- Changes. -----------------------------------------------------------------

void Checker::Applied(Change change) {
  uint64_t revision = change.moment.revision;
  applied_ = std::max(applied_, revision);
  if (revision <= newest() || early_.count(revision) > 0) {
    fail_("revision " + Number(revision) + " is used twice");
  }
  early_.emplace(revision, std::move(change));
  while (!early_.empty() && early_.begin()->first == newest() + 1) {
    Change next = std::move(early_.begin()->second);
    early_.erase(early_.begin());
    Make(next);
  }
  RunReady();
  Forget();
}

void Checker::Make(const Change &change) {
  Model model = models_.back();
  int64_t newest_time_us = model.time_us();
  const Call &call = *change.call;
  std::string revision = "revision " + Number(change.moment.revision) + " ";
  try {
    switch (change.kind) {
      case Change::kDue:
        model.RunDue(change.namespace_id, change.ids, change.moment);
        break;
      case Change::kPointsDue:
        model.RunPointsDue({change.namespace_id, change.ids.at(0)}, change.moment);
        break;
      case Change::kWrite:
        MakeWrite(change, &model);
        break;
      case Change::kDelete:
        MakeDelete(change, &model);
        break;
      case Change::kLoss:
        model.Lose({change.namespace_id, change.session_id}, change.moment);
        break;
      case Change::kPart:
        MakePart(change, &model);
        break;
      case Change::kFloor:
        MakeFloor(change, &model);
        break;
    }
  } catch (const Failure &failure) {
    Fail(call, revision + "changes what must be refused: " + failure.text);
  } catch (const Expired &expired) {
    Fail(call, revision + "meets the expired " + expired.name.text());
  } catch (const Lapsed &lapsed) {
    Fail(call, revision + "meets the session " + lapsed.session.text() + ", whose term is over");
  } catch (const Nothing &nothing) {
    Fail(call, revision + "changes something, and there was nothing to do");
  }
  if (model.time_us() < newest_time_us) Fail(call, revision + "is older than the one before it");
  AddEvents(change.happened, model);
  models_.push_back(std::move(model));
  changes_++;
}

// A change must not answer a request that is known.
void Checker::CheckNew(const Call &call, const Model &model) const {
  const Request *known = nullptr;
  if (Knows(call.operation, newest(), model.time_us(), &known) == Known::kMust) {
    Fail(call,
         "a known request is carried out again, first as revision " + Number(known->revision));
  }
}

// Fills in the id that the server made up: always the same for a request of the same id.
void Checker::LearnId(const Change &change, Operation *operation) {
  bool is_start = operation->kind == Kind::kStart;
  std::string &id = is_start ? operation->session_id : operation->parts[0].id;
  std::string key = RequestKey(*operation);
  bool is_new = operation->kind == Kind::kCreate || operation->kind == Kind::kFork;
  if (operation->kind == Kind::kMakePoint && operation->point.id.empty()) {
    operation->point.id = change.point_id;
    if (!operation->request_id.empty()) made_up_points_[key] = change.point_id;
    change.call->point_id = change.point_id;
  }
  if (is_start || (is_new && id.empty())) {
    id = is_start ? change.session_id : change.ids.back();
    auto known = made_up_.find(key);
    if (known != made_up_.end() && known->second != id) {
      Fail(*change.call, "the same request is about " + id + " and about " + known->second);
    }
    if (!operation->request_id.empty()) made_up_[key] = id;
  }
  change.call->id = id;
}

void Checker::MakeWrite(const Change &change, Model *model) {
  Call &call = *change.call;
  CheckNew(call, *model);
  Operation named = call.operation;
  LearnId(change, &named);
  call.expected = model->Write(named, change.moment);
  call.expected.revision = change.moment.revision;
  call.complete = true;
  call.changes++;
  Remember(call, change);
}

void Checker::MakeDelete(const Change &change, Model *model) {
  Call &call = *change.call;
  CheckNew(call, *model);
  const Context *before = model->Find(call.operation.name());
  uint64_t version = before != nullptr ? before->head.version : 0;
  call.complete = model->Delete(call.operation, change.ids, call.changes == 0, change.moment);
  call.changes++;
  call.expected.count += change.ids.size();
  call.expected.revision = change.moment.revision;
  if (!call.complete) return;
  call.expected.versions = {version};
  Remember(call, change);
}

// Of an end that a client asks for, or of a loss that somebody meets.
void Checker::MakePart(const Change &change, Model *model) {
  Call &call = *change.call;
  Name name = {change.namespace_id, change.session_id};
  const Session *session = model->FindSession(name);
  bool is_asked = call.operation.kind == Kind::kEnd && call.operation.session() == name &&
                  session != nullptr && !session->IsOver(change.moment.clock_us);
  if (is_asked) CheckNew(call, *model);
  model->PartSession(name, is_asked, change.ids, change.reclaimed, change.moment);
  call.changes += is_asked;
}

// ---- What changes tell. ---------------------------------------------------------

void Checker::KeepEvents(uint64_t retention_bytes, int64_t retention_age_us) {
  keeps_events_ = true;
  events_.retention_bytes = retention_bytes;
  events_.retention_age_us = retention_age_us;
}

void Checker::AddEvents(const Happened &happened, const Model &after) {
  if (!keeps_events_) return;
  std::string wrong = events_.Add(happened, models_.back(), after);
  if (!wrong.empty()) fail_("revision " + Number(after.revision()) + ": " + wrong);
}

void Checker::MakeFloor(const Change &change, Model *model) {
  model->SetFloor(change.moment);
  if (!keeps_events_) return;
  std::string wrong = events_.CheckFloor(change.happened.floor, change.moment.now_us);
  if (!wrong.empty())
    Fail(*change.call, "revision " + Number(change.moment.revision) + ": " + wrong);
}

// ---- Requests that may come again. --------------------------------------------

// What keeps it: the session of one that starts, ends or switches, else the context.
std::string Checker::RequestKey(const Operation &operation) const {
  bool of_session = operation.kind == Kind::kStart || operation.kind == Kind::kEnd ||
                    operation.kind == Kind::kSwitch;
  const std::string &id = of_session ? operation.session_id : operation.parts[0].id;
  return operation.namespace_id + (of_session ? "/session/" : "/") + id + "/" +
         operation.request_id;
}

// The operation, with the id that the server made up for a request of this id before.
Operation Checker::WithId(const Operation &operation) const {
  Operation named = operation;
  auto point = made_up_points_.find(RequestKey(operation));
  if (point != made_up_points_.end() && operation.kind == Kind::kMakePoint &&
      !operation.request_id.empty() && operation.point.id.empty()) {
    named.point.id = point->second;
  }
  auto found = made_up_.find(RequestKey(operation));
  if (found == made_up_.end()) return named;
  (operation.kind == Kind::kStart ? named.session_id : named.parts[0].id) = found->second;
  return named;
}

void Checker::Remember(const Call &call, const Change &change) {
  if (call.operation.request_id.empty()) return;
  request_count_ += call.operation.parts.size();
  requests_[RequestKey(call.operation)].push_back({change.moment.revision, change.moment.time_us,
                                                   call.operation.Content(), call.expected,
                                                   request_count_});
}

const Checker::Request *Checker::FindRequest(const Operation &operation, uint64_t upto) const {
  auto found = requests_.find(RequestKey(operation));
  bool is_kept =
      !operation.request_id.empty() && !operation.cut.dry_run && !operation.point.dry_run;
  if (!is_kept || found == requests_.end()) return nullptr;
  const Request *last = nullptr;
  for (const Request &each : found->second) {
    if (each.revision <= upto) last = &each;
  }
  return last;
}

// Up to a revision, when the last change was made at `time_us`.
Checker::Known Checker::Knows(const Operation &operation, uint64_t upto, int64_t time_us,
                              const Request **ret_request) const {
  const Request *request = FindRequest(operation, upto);
  *ret_request = request;
  if (request == nullptr) return Known::kNo;
  bool is_old = request->time_us < time_us - weather.request_id_window_us;
  uint64_t bound = std::max<uint64_t>(weather.request_ids_max / kRequestShards, 1);
  bool is_many = request_count_ - request->number + operation.parts.size() >= bound;
  return is_old || is_many ? Known::kMay : Known::kMust;
}

// ---- Calls. -------------------------------------------------------------------

std::shared_ptr<Call> Checker::Begin(Operation operation) {
  auto call = std::make_shared<Call>();
  call->operation = std::move(operation);
  call->first = newest();
  open_calls_.insert(call->first);
  return call;
}

// Checks a call when the model knows all that it may have seen.
void Checker::Later(const std::shared_ptr<Call> &call, std::function<void()> check) {
  /* What it waits for may be applied just now, by somebody who has not come to say so. */
  call->last = std::max(applied_, call->wait_for);
  call->told = told_;
  if (newest() >= call->last) {
    check();
    open_calls_.erase(open_calls_.find(call->first));
  } else {
    waiting_.emplace_back(call, std::move(check));
  }
}

void Checker::RunReady() {
  for (size_t i = 0; i < waiting_.size();) {
    if (waiting_[i].first->last > newest()) {
      i++;
      continue;
    }
    Waiting ready = std::move(waiting_[i]);
    waiting_.erase(waiting_.begin() + static_cast<ptrdiff_t>(i));
    ready.second();
    open_calls_.erase(open_calls_.find(ready.first->first));
  }
}

// Drops the models that nobody can ask for any more.
void Checker::Forget() {
  if (keep_all_) return;
  uint64_t keep = std::min(told_, open_calls_.empty() ? newest() : *open_calls_.begin());
  while (oldest_ < keep && models_.size() > 1) {
    models_.pop_front();
    oldest_++;
  }
}

// ---- Durability. --------------------------------------------------------------

void Checker::Told(uint64_t revision) {
  told_ = std::max(told_, revision);
  Forget();
}

void Checker::Ended() {
  if (!early_.empty()) {
    fail_("revision " + Number(newest() + 1) + " was given out, and never made");
  }
  if (!open_calls_.empty()) fail_("a call has not been looked at");
}

// Forgets what came after the revision with which the log ends.
void Checker::EndWith(uint64_t found) {
  if (found > newest()) fail_("the log ends with " + Number(found) + ", which nobody made");
  if (found < oldest_) fail_("the log ends long ago, with " + Number(found));
  while (newest() > found) models_.pop_back();
  if (keeps_events_) events_.EndWith(found, models_.back());
  for (auto &[key, list] : requests_) {
    while (!list.empty() && list.back().revision > found) list.pop_back();
  }
}

// The settings that are part of the log.
bool Checker::HasSettings(const Rules &rules) const {
  const Rules &now = models_.back().rules();
  return now.version_retention == rules.version_retention &&
         now.undelete_window_us == rules.undelete_window_us &&
         now.tombstone_window_us == rules.tombstone_window_us;
}

void Checker::AddSettings(const Rules &rules) {
  Model model = models_.back();
  model.SetRules(rules, newest() + 1);
  Happened happened;
  happened.log_bytes = kSettingsBytesMax;
  AddEvents(happened, model);
  models_.push_back(std::move(model));
}

void Checker::StartFailed(uint64_t found, const Rules &rules) {
  EndWith(found);
  if (!HasSettings(rules)) AddSettings(rules);
}

void Checker::Recovered(uint64_t found, uint64_t now, const Rules &rules, bool lost,
                        int64_t clock_us) {
  if (found < told_ && !lost) {
    fail_("acknowledged changes are lost: up to revision " + Number(told_) +
          " all were, and the log ends with " + Number(found));
  }
  EndWith(found);
  Rules before = models_.back().rules();
  before.value_size_max = rules.value_size_max; /* These are no part of the log. */
  before.history_count_max = rules.history_count_max;
  before.history_bytes_max = rules.history_bytes_max;
  before.points_max = rules.points_max;
  models_.back().SetRules(before, found);
  if (now == found && !HasSettings(rules)) fail_("the start has not written the new settings");
  if (now != found) AddSettings(rules);
  if (now != newest()) fail_("the start has made several changes");
  for (const auto &[name, session] : model().sessions()) {
    *session->lease = Lease();
    session->lease->Renew(clock_us, session->terms.ttl_us);
  }
  applied_ = now;
  told_ = now;
  Forget();
}

}  // namespace simulation
