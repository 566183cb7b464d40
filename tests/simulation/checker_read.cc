// Reads of one moment, and lists, whose rows need not be of one.

#include <algorithm>

#include "tests/simulation/checker.h"

namespace simulation {

namespace {

std::string Number(uint64_t number) { return std::to_string(number); }

// Whether no sum is larger than that of another row.
bool IsWithin(const UsageSums &sums, const UsageSums &most) {
  return sums.call_count <= most.call_count && sums.input_tokens <= most.input_tokens &&
         sums.output_tokens <= most.output_tokens && sums.cached_tokens <= most.cached_tokens &&
         sums.cost_micros <= most.cost_micros && sums.latency_us <= most.latency_us;
}

}  // namespace

// ---- Reads of one moment. -----------------------------------------------------

void Checker::EndRead(const std::shared_ptr<Call> &call, const std::string &what,
                      const Compare &difference) {
  Later(call, [this, call, what, difference] {
    std::string last;
    auto is_true = [&](const Model &model) {
      last = difference(model);
      return last.empty();
    };
    if (IsStarved(*call, call->answer.failure)) return;
    if (!CheckExplained(*call, is_true)) Fail(*call, what + ": " + last);
  });
}

void Checker::EndGet(const std::shared_ptr<Call> &call, uint64_t version, int64_t time_us,
                     const Shown &shown) {
  Name name = call->operation.name();
  call->answer.failure = shown.failure;
  EndRead(call,
          "a read of version " + Number(version) + ", time " + std::to_string(time_us) +
              " shows version " + Number(shown.state.version) + " " + shown.failure,
          [=](const Model &model) -> std::string {
            try {
              const State &state = model.Get(name, version, time_us, call->now_us);
              const Context *context = model.Find(name);
              if (!shown.failure.empty()) return "it is there";
              return &state == &context->head ? Difference(*context, shown, true)
                                              : Difference(state, shown, true);
            } catch (const Failure &failure) {
              return failure.text == shown.failure ? "" : failure.text;
            }
          });
}

void Checker::EndWork(const std::shared_ptr<Call> &call, const std::string &what,
                      const std::function<std::string(const Work &)> &difference) {
  Name name = call->operation.name();
  EndRead(call, what, [=](const Model &model) -> std::string {
    try {
      const Work &work = model.GetWork(name, call->now_us);
      return call->answer.failure.empty() ? difference(work) : "it is there";
    } catch (const Failure &failure) {
      return failure.text == call->answer.failure ? "" : failure.text;
    }
  });
}

void Checker::EndResources(const std::shared_ptr<Call> &call, const RowQuery &query,
                           const ShownResources &shown) {
  Name name = call->operation.name();
  for (const auto &[resource, held] : shown.rows) {
    CheckAlive(*call, {name.namespace_id, held.session_id});
  }
  EndWork(call, "the resources of " + name.text(),
          [query, shown](const Work &work) { return Difference(work, query, shown); });
}

void Checker::EndStatus(const std::shared_ptr<Call> &call, const ShownStatus &shown) {
  Name name = call->operation.name();
  for (const std::string &id : shown.session_ids) CheckAlive(*call, {name.namespace_id, id});
  EndRead(call, "the status of " + name.text(),
          [=](const Model &model) { return Difference(model, call->now_us, name, shown); });
}

// ---- Sessions. ----------------------------------------------------------------

// A session whose term is over is not shown: whoever comes upon it ends it first, if the log lets
// him.
void Checker::CheckAlive(const Call &call, const Name &name) const {
  const Session *session = FindSession(call, name);
  bool may_be_shown = call.refused || call.starved;
  if (session != nullptr && session->IsOver(call.clock_us) && !may_be_shown) {
    Fail(call, name.text() + " is shown, and its term is over");
  }
}

// A session as it was at some moment of a call, the last one if possible.
const Session *Checker::FindSession(const Call &call, const Name &name) const {
  const Session *session = nullptr;
  for (uint64_t at = newest() + 1; at > call.first && session == nullptr; at--) {
    session = At(at - 1).FindSession(name);
  }
  return session;
}

// When a session ends, as it is told in a call.
void Checker::CheckTerm(const Call &call, const Name &name, int64_t expire_time_us) const {
  const Session *session = FindSession(call, name);
  if (session == nullptr) return;
  const Lease &lease = *session->lease;
  int64_t left_us = expire_time_us - call.now_us;
  /* A renewal of this very moment may have come before this or after. */
  bool was_renewed = lease.renew_time_us == call.clock_us;
  if (left_us == lease.over_us - call.clock_us ||
      (was_renewed && left_us == lease.over_before_us - call.clock_us) ||
      (renewed_.count(name) > 0 && left_us == session->terms.ttl_us)) {
    return CheckAlive(call, name);
  }
  Fail(call, name.text() + " ends in " + std::to_string(left_us) + " us, not in " +
                 std::to_string(lease.over_us - call.clock_us));
}

void Checker::EndSession(const std::shared_ptr<Call> &call, const ShownSession &shown) {
  Later(call, [this, call, shown] {
    std::string last;
    bool not_found = call->answer.failure == "SESSION_NOT_FOUND session_id=" + shown.name.id;
    auto is_true = [&](const Model &model) {
      last = Difference(model, shown);
      return last.empty();
    };
    if (IsStarved(*call, call->answer.failure)) return;
    if (not_found == shown.is_there) Fail(*call, "no failure, and no session");
    if (!CheckExplained(*call, is_true)) Fail(*call, "session " + shown.name.text() + ": " + last);
    if (shown.is_there) CheckTerm(*call, shown.name, shown.expire_time_us);
  });
}

std::shared_ptr<Call> Checker::BeginRenewal(Operation operation) {
  renewed_.insert(operation.session());
  return Begin(std::move(operation));
}

// The term begins now: whoever comes at this very moment finds the session alive in any case.
void Checker::EndRenewal(const std::shared_ptr<Call> &call, int64_t expire_time_us) {
  Name name = call->operation.session();
  renewed_.erase(renewed_.find(name));
  const Session *session = FindSession(*call, name);
  if (call->answer.failure.empty() && session != nullptr) {
    if (session->IsOver(call->clock_us)) Fail(*call, "its term is over");
    session->lease->Renew(call->clock_us, session->terms.ttl_us);
  }
  ShownSession shown;
  shown.name = name;
  Later(call, [this, call, shown, expire_time_us] {
    bool renewed = call->answer.failure.empty();
    auto is_true = [&](const Model &model) {
      return (model.FindSession(shown.name) != nullptr) == renewed;
    };
    if (IsExcused(*call)) return; /* One whose term is over could not be ended. */
    if (!CheckExplained(*call, is_true)) {
      Fail(*call, renewed ? "there is no such session" : "the session is there");
    }
    if (renewed) CheckTerm(*call, shown.name, expire_time_us);
  });
}

void Checker::EndSessions(const std::shared_ptr<Call> &call, const std::string &owner,
                          uint64_t after_start_revision, size_t count_max,
                          const ShownSessions &page) {
  Later(call, [=] { CheckSessions(call, owner, after_start_revision, count_max, page); });
}

void Checker::CheckSession(const Call &call, const std::string &owner, const ShownSession &row) {
  uint64_t last = std::min(call.last, call.wait_for);
  std::string difference = "it is in no list";
  for (uint64_t revision = last + 1; revision > call.first; revision--) {
    difference = Difference(At(revision - 1), row);
    if (!owner.empty() && row.session.terms.owner != owner) difference = "another owner";
    if (difference.empty()) return CheckTerm(call, row.name, row.expire_time_us);
  }
  Fail(call, "the row of " + row.name.text() + " is wrong: " + difference);
}

void Checker::CheckSessions(const std::shared_ptr<Call> &call, const std::string &owner,
                            uint64_t after_start_revision, size_t count_max,
                            const ShownSessions &page) {
  uint64_t before = after_start_revision;
  std::set<std::string> ids;
  if (IsStarved(*call, call->answer.failure)) return;
  if (page.rows.size() > count_max) Fail(*call, "a page holds too many rows");
  for (const ShownSession &row : page.rows) {
    if (row.session.start_revision <= before) Fail(*call, "sessions are not in order");
    before = row.session.start_revision;
    ids.insert(row.name.id);
    CheckSession(*call, owner, row);
  }
  if (page.more && page.last_start_revision < before) Fail(*call, "a list goes back");
  for (const auto &[name, session] : At(call->last).sessions()) {
    uint64_t start = session->start_revision;
    bool in_page = start > after_start_revision &&
                   (!page.more || start <= page.last_start_revision) &&
                   name.namespace_id == call->operation.namespace_id &&
                   (owner.empty() || session->terms.owner == owner);
    bool always = At(call->first).FindSession(name) != nullptr;
    if (in_page && always && ids.count(name.id) == 0) Fail(*call, "a list lacks " + name.text());
  }
}

// ---- Usage of a namespace. ------------------------------------------------------

void Checker::EndUsage(const std::shared_ptr<Call> &call, const Usage &shown) {
  Later(call, [this, call, shown] { CheckUsage(*call, shown); });
}

// Sums only grow, so each lies between those at the call and at the return.
void Checker::CheckUsage(const Call &call, const Usage &shown) {
  const Usage &before = At(call.first).UsageOf(call.operation.namespace_id);
  const Usage &after = At(std::min(call.last, call.wait_for)).UsageOf(call.operation.namespace_id);
  if (IsStarved(call, call.answer.failure)) return;
  for (const auto &[key, sums] : shown) {
    auto most = after.find(key);
    if (most == after.end() || !IsWithin(sums, most->second)) {
      Fail(call, "the usage of " + key.model + " is too much");
    }
  }
  for (const auto &[key, sums] : before) {
    auto found = shown.find(key);
    if (found == shown.end() || !IsWithin(sums, found->second)) {
      Fail(call, "the usage of " + key.model + " is too little");
    }
  }
}

// ---- Lists of contexts. ---------------------------------------------------------

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
    difference = Difference(*context, row, false);
    if (difference.empty()) return;
  }
  Fail(call, "the row of " + row.name.text() + " is wrong: " + difference);
}

void Checker::CheckPage(const std::shared_ptr<Call> &call, const ListQuery &query,
                        const std::string &after_id, size_t count_max, const ShownPage &page) {
  std::string before = after_id;
  std::set<std::string> ids;
  if (IsStarved(*call, call->answer.failure)) return;
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

void Checker::CheckNamespaces(const std::map<std::string, Totals> &found, uint64_t context_count,
                              uint64_t session_count) {
  std::map<std::string, Totals> expected;
  uint64_t sum = 0;
  for (const auto &[name, context] : model().contexts()) {
    if (context->life != Life::kLive) continue;
    sum++;
    expected[name.namespace_id].context_count++;
    expected[name.namespace_id].size_bytes += context->head.size_bytes();
  }
  if (found != expected || context_count != sum) fail_("the totals of the namespaces are wrong");
  if (session_count != model().sessions().size()) fail_("the number of sessions is wrong");
}

}  // namespace simulation
