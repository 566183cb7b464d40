#include "tests/simulation/checker.h"

#include <algorithm>

namespace simulation {

namespace {

// Over how many parts the server's bound on known requests is split.
constexpr uint64_t kRequestShards = 64;

bool BeginsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

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
      case Change::kWrite:
        MakeWrite(change, &model);
        break;
      case Change::kDelete:
        MakeDelete(change, &model);
        break;
    }
  } catch (const Failure &failure) {
    Fail(call, revision + "changes what must be refused: " + failure.text);
  } catch (const Expired &expired) {
    Fail(call, revision + "meets the expired " + expired.name.text());
  }
  if (model.time_us() < newest_time_us) Fail(call, revision + "is older than the one before it");
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

void Checker::MakeWrite(const Change &change, Model *model) {
  Call &call = *change.call;
  CheckNew(call, *model);
  Operation named = call.operation;
  if (named.parts[0].id.empty()) named.parts[0].id = change.ids.back();
  call.id = named.parts[0].id;
  if (!named.request_id.empty()) made_up_[RequestKey(call.operation)] = call.id;
  call.expected.versions = model->Write(named, change.moment);
  call.expected.revision = change.moment.revision;
  call.complete = true;
  call.changes++;
  Remember(call, change, call.expected.versions);
}

void Checker::MakeDelete(const Change &change, Model *model) {
  Call &call = *change.call;
  CheckNew(call, *model);
  call.complete = model->Delete(call.operation, change.ids, call.changes == 0, change.moment);
  call.changes++;
  call.expected.count += change.ids.size();
  call.expected.revision = change.moment.revision;
  if (!call.complete) return;
  call.expected.versions = {model->Find(call.operation.name())->head.version};
  Remember(call, change, call.expected.versions);
}

// ---- Requests that may come again. --------------------------------------------

std::string Checker::RequestKey(const Operation &operation) const {
  return operation.namespace_id + "/" + operation.parts[0].id + "/" + operation.request_id;
}

// The operation, with the id that the server made up for a request of this id before.
Operation Checker::WithId(const Operation &operation) const {
  Operation named = operation;
  auto found = made_up_.find(RequestKey(operation));
  if (named.parts[0].id.empty() && found != made_up_.end()) named.parts[0].id = found->second;
  return named;
}

void Checker::Remember(const Call &call, const Change &change, std::vector<uint64_t> versions) {
  if (call.operation.request_id.empty()) return;
  request_count_ += call.operation.parts.size();
  requests_[RequestKey(call.operation)].push_back({change.moment.revision, change.moment.time_us,
                                                   call.operation.Content(), std::move(versions),
                                                   request_count_});
}

const Checker::Request *Checker::FindRequest(const Operation &operation, uint64_t upto) const {
  auto found = requests_.find(RequestKey(operation));
  if (operation.request_id.empty() || found == requests_.end()) return nullptr;
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
  call->last = applied_;
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

void Checker::EndWrite(const std::shared_ptr<Call> &call) {
  Later(call, [this, call] { CheckWrite(call); });
}

void Checker::CheckWrite(const std::shared_ptr<Call> &call) {
  const Answer &answer = call->answer;
  const Answer &expected = call->expected;
  if (answer.replayed) return CheckReplay(call);
  if (!answer.failure.empty() || answer.revision == 0) return CheckUnchanged(call);
  if (call->changes == 0 || !call->complete) return Fail(*call, "nothing was changed");
  if (answer.revision != expected.revision || answer.versions != expected.versions) {
    Fail(*call, "the model says " + expected.Describe());
  }
  if (call->operation.kind == Kind::kDelete && answer.count != expected.count) {
    Fail(*call, "the model says " + expected.Describe());
  }
  if (call->wait_for < answer.revision) Fail(*call, "told before it is durable");
}

void Checker::CheckReplay(const std::shared_ptr<Call> &call) {
  const Request *request = FindRequest(call->operation, call->last);
  const Answer &answer = call->answer;
  if (call->changes > 0) Fail(*call, "a repeat has changed something");
  if (request == nullptr) return Fail(*call, "there was no such request");
  if (request->content != call->operation.Content()) Fail(*call, "another request had this id");
  if (answer.revision != request->revision || answer.versions[0] != request->versions[0]) {
    Fail(*call, "the request was answered with revision " + Number(request->revision) +
                    ", version " + Number(request->versions[0]));
  }
  for (size_t i = 1; i < answer.versions.size(); i++) {
    if (answer.versions[i] != request->versions[i] && answer.versions[i] != 0) {
      Fail(*call,
           "part " + Number(i) + " was answered with version " + Number(request->versions[i]));
    }
  }
  if (call->wait_for < request->revision) Fail(*call, "told before it is durable");
}

// ---- Answers that changed nothing. --------------------------------------------

// What a request may weigh in the log, generously.
bool Checker::MayWeigh(const Operation &operation) const {
  uint64_t weight = 1000;
  for (const Part &part : operation.parts) {
    weight += 8000; /* Labels, before and after. */
    for (const Mutation &each : part.mutations) {
      weight += 100 + each.key.size() + each.value.size() + each.content_type.size();
    }
  }
  return weight > weather.change_size_max;
}

// Whether a request may take more memory than it gives back.
bool Checker::MayGrow(const Operation &operation) {
  if (operation.kind != Kind::kUpdate) return operation.kind != Kind::kDelete;
  const Part &part = operation.parts[0];
  return part.may_create ||
         std::any_of(part.mutations.begin(), part.mutations.end(), [](const Mutation &each) {
           return each.step == Step::kPut || each.step == Step::kAppend ||
                  each.step == Step::kSetLabel;
         });
}

// Whether it is not about the contexts, but about what goes on around the engine.
bool Checker::IsExcused(const Call &call) const {
  const std::string &failure = call.answer.failure;
  return failure == "OVERLOADED" || (failure == "STORAGE_FULL" && weather.disk_may_be_full) ||
         (failure == "STORAGE_FAILED" && weather.disk_has_failed) ||
         (failure == "LIMIT_REACHED limit=memory" && call.starved) ||
         (BeginsWith(failure, "LIMIT_REACHED limit=memory_limit") && weather.memory_limit != 0 &&
          MayGrow(call.operation)) ||
         (BeginsWith(failure, "LIMIT_REACHED limit=change_size_max") && MayWeigh(call.operation));
}

// Whether the answer to a write that changed nothing is right for a model.
bool Checker::IsTrue(const Call &call, const Model &model) const {
  const Request *request = nullptr;
  int64_t time_us = At(call.last).time_us();
  Known known = Knows(call.operation, model.revision(), time_us, &request);
  if (call.answer.failure == "REQUEST_ID_REUSED") {
    return known != Known::kNo && request->content != call.operation.Content();
  }
  if (known == Known::kMust) return false;
  std::string failure;
  switch (model.Try(WithId(call.operation), call.now_us, &failure)) {
    case Model::Outcome::kFailure:
      return failure == call.answer.failure;
    case Model::Outcome::kNothing:
      return call.answer.failure.empty();
    default:
      return false;
  }
}

// Whether an answer is true at some moment of its call. It must then also be true of what is
// durable when it is told: at such a moment, or at the revision that it waits for.
bool Checker::CheckExplained(const Call &call,
                             const std::function<bool(const Model &)> &is_true) const {
  uint64_t durable = std::max(call.wait_for, call.told);
  bool explained = false;
  for (uint64_t revision = call.last + 1; revision > call.first; revision--) {
    if (!is_true(At(revision - 1))) continue;
    if (revision - 1 <= durable) return true;
    explained = true;
  }
  if (!explained) return false;
  for (uint64_t revision : {call.wait_for, durable}) {
    if (revision > newest()) Fail(call, "waits for what nobody has made");
    if (revision >= oldest_ ? is_true(At(revision)) : revision == durable) return true;
  }
  Fail(call, "told before it is durable");
  return true;
}

void Checker::CheckUnchanged(const std::shared_ptr<Call> &call) {
  if (call->changes > 0 && !(call->operation.recursive && !call->complete)) {
    Fail(*call, "it has failed and changed something");
  }
  if (IsExcused(*call)) return;
  /* Between two rounds of a delete somebody else may have deleted the rest. */
  if (call->changes > 0 && BeginsWith(call->answer.failure, "CONTEXT_NOT_FOUND")) return;
  if (CheckExplained(*call, [&](const Model &model) { return IsTrue(*call, model); })) return;
  std::string failure;
  Model::Outcome outcome = At(call->last).Try(WithId(call->operation), call->now_us, &failure);
  Fail(*call, "the model says " + (outcome == Model::Outcome::kFailure   ? failure
                                   : outcome == Model::Outcome::kNothing ? "nothing to do"
                                                                         : "it is a change"));
}

// ---- Reads. -------------------------------------------------------------------

std::string Difference(const State &expected, const Shown &shown, bool with_entries) {
  const State &found = shown.state;
  auto number = [](const char *what, int64_t a, int64_t b) {
    return std::string(what) + " " + std::to_string(b) + " instead of " + std::to_string(a);
  };
  if (found.version != expected.version) return number("version", expected.version, found.version);
  if (found.labels != expected.labels) return "other labels";
  if (found.type != expected.type) return "type " + found.type;
  if (found.parent_id != expected.parent_id) return "parent " + found.parent_id;
  if (found.create_time_us != expected.create_time_us) return "another time of creation";
  if (found.update_time_us != expected.update_time_us) return "another time of change";
  if (found.expire_time_us != expected.expire_time_us) {
    return number("expiry", expected.expire_time_us, found.expire_time_us);
  }
  if (shown.entry_count != expected.entries.size()) {
    return number("entries", expected.entries.size(), shown.entry_count);
  }
  if (shown.size_bytes != expected.size_bytes()) {
    return number("bytes", expected.size_bytes(), shown.size_bytes);
  }
  if (!with_entries) return "";
  if (found.entries.size() != expected.entries.size()) return "entries are missing";
  for (const auto &[key, entry] : expected.entries) {
    auto other = found.entries.find(key);
    if (other == found.entries.end()) return "no entry " + key;
    if (*other->second.value != *entry.value) return "another value of " + key;
    if (other->second.content_type != entry.content_type) return "another type of " + key;
    if (other->second.version != entry.version) return "another version of " + key;
  }
  return "";
}

void Checker::EndGet(const std::shared_ptr<Call> &call, uint64_t version, int64_t time_us,
                     const Shown &shown) {
  Later(call, [this, call, version, time_us, shown] {
    std::string last;
    Name name = call->operation.name();
    auto is_true = [&](const Model &model) {
      try {
        const State &state = model.Get(name, version, time_us, call->now_us);
        const Context *context = model.Find(name);
        bool is_head = &state == &context->head;
        last = shown.failure.empty() ? Difference(state, shown, true) : "it is there";
        if (last.empty() && is_head && shown.revision != context->revision) last = "revision";
      } catch (const Failure &failure) {
        last = failure.text == shown.failure ? "" : failure.text;
      }
      return last.empty();
    };
    if (shown.failure == "LIMIT_REACHED limit=memory" && call->starved) return;
    if (!CheckExplained(*call, is_true)) {
      Fail(*call, "a read of version " + Number(version) + ", time " + Number(time_us) +
                      " shows version " + Number(shown.state.version) + " " + shown.failure + ": " +
                      last);
    }
  });
}

void Checker::CheckCreated(const std::shared_ptr<Call> &call, const Shown &shown) {
  Later(call, [this, call, shown] {
    std::string last;
    auto is_true = [&](const Model &model) {
      const Context *context = model.Find(shown.name);
      bool is_there = context != nullptr && context->life == Life::kLive &&
                      !Model::IsExpired(*context, call->now_us);
      if (!is_there) {
        last = shown.state.create_time_us == 0 ? "" : "it is not there";
      } else {
        last = Difference(context->head, shown, true);
      }
      return last.empty();
    };
    CheckWrite(call);
    if (!call->answer.failure.empty()) return;
    if (!call->answer.replayed && shown.name.id != call->id) {
      Fail(*call, "it is called " + shown.name.id);
    }
    if (!CheckExplained(*call, is_true)) Fail(*call, "what it shows is wrong: " + last);
  });
}

void Checker::EndList(const std::shared_ptr<Call> &call, const ListQuery &query,
                      const std::string &after_id, size_t count_max, const ShownPage &page) {
  Later(call, [this, call, query, after_id, count_max, page] {
    CheckPage(call, query, after_id, count_max, page);
  });
}

void Checker::CheckRow(const Call &call, const ListQuery &query, const Shown &row) {
  uint64_t last = std::min(call.last, call.wait_for);
  std::string difference = "it is in no list";
  for (uint64_t revision = last + 1; revision > call.first; revision--) {
    const Model &model = At(revision - 1);
    const Context *context = model.Find(row.name);
    if (context == nullptr || !model.Lists(*context, row.name, query, call.now_us)) continue;
    difference = Difference(context->head, row, false);
    if (difference.empty() && row.revision != context->revision) difference = "revision";
    if (difference.empty()) return;
  }
  Fail(call, "the row of " + row.name.text() + " is wrong: " + difference);
}

void Checker::CheckPage(const std::shared_ptr<Call> &call, const ListQuery &query,
                        const std::string &after_id, size_t count_max, const ShownPage &page) {
  std::string before = after_id;
  std::set<std::string> ids;
  if (call->answer.failure == "LIMIT_REACHED limit=memory" && call->starved) return;
  if (page.rows.size() > count_max) Fail(*call, "a page holds too many rows");
  if (page.position < call->first) Fail(*call, "a list's position is in the past");
  for (const Shown &row : page.rows) {
    if (row.name.id <= before) Fail(*call, "rows are not in order: " + row.name.id);
    before = row.name.id;
    ids.insert(before);
    CheckRow(*call, query, row);
  }
  if (page.more && page.last_id < before) Fail(*call, "a list goes back");
  for (const auto &[name, context] : At(call->last).contexts()) {
    bool in_page = name.id > after_id && (!page.more || name.id <= page.last_id);
    if (!in_page || ids.count(name.id) > 0) continue;
    bool always = true;
    for (uint64_t revision = call->first; revision <= call->last && always; revision++) {
      const Context *then = At(revision).Find(name);
      always = then != nullptr && At(revision).Lists(*then, name, query, call->now_us);
    }
    if (always) Fail(*call, "a list lacks " + name.text());
  }
}

void Checker::CheckNamespaces(const std::map<std::string, Totals> &found, uint64_t context_count) {
  std::map<std::string, Totals> expected;
  uint64_t sum = 0;
  for (const auto &[name, context] : model().contexts()) {
    if (context->life != Life::kLive) continue;
    sum++;
    expected[name.namespace_id].context_count++;
    expected[name.namespace_id].size_bytes += context->head.size_bytes();
  }
  if (found != expected || context_count != sum) fail_("the totals of the namespaces are wrong");
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
  models_.push_back(std::move(model));
}

void Checker::StartFailed(uint64_t found, const Rules &rules) {
  EndWith(found);
  if (!HasSettings(rules)) AddSettings(rules);
}

void Checker::Recovered(uint64_t found, uint64_t now, const Rules &rules, bool lost) {
  if (found < told_ && !lost) {
    fail_("acknowledged changes are lost: up to revision " + Number(told_) +
          " all were, and the log ends with " + Number(found));
  }
  EndWith(found);
  Rules before = models_.back().rules();
  before.value_size_max = rules.value_size_max; /* No part of the log. */
  models_.back().SetRules(before, found);
  if (now == found && !HasSettings(rules)) fail_("the start has not written the new settings");
  if (now != found) AddSettings(rules);
  if (now != newest()) fail_("the start has made several changes");
  applied_ = now;
  told_ = now;
  Forget();
}

}  // namespace simulation
