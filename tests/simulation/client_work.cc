// Clients' renewals, and reads of sessions and of the work on contexts.

#include "tests/simulation/simulation_internal.h"

namespace simulation {

void Simulation::SayRead(const std::shared_ptr<Call> &call, const std::string &what, size_t rows) {
  if (!trace_.on()) return;
  const std::string &failure = call->answer.failure;
  Say(scheduler_.name(), what + " -> " + (failure.empty() ? std::to_string(rows) : failure));
}

static Operation OfSession(const Name &session) {
  Operation operation = Operation::Of({session.namespace_id, "(a session)"});
  operation.session_id = session.id;
  return operation;
}

// ---- Sessions. ----------------------------------------------------------------

void Simulation::DoRenew() {
  Name session = workload_.NextSession(checker_.model());
  auto call = checker_.BeginRenewal(OfSession(session));
  int64_t expire_time_us = server_.Renew(call.get(), NoMemoryAt());
  NoteWeather();
  SayRead(call, "renew " + session.text(), 1);
  checker_.EndRenewal(call, expire_time_us);
}

void Simulation::GetSession(const Name &session) {
  auto call = checker_.Begin(OfSession(session));
  ShownSession shown = server_.GetSession(call.get(), NoMemoryAt());
  SayRead(call, "get session " + session.text(), shown.session.activations.size());
  checker_.EndSession(call, shown);
}

// All pages of a list.
void Simulation::ListSessions(const std::string &namespace_id, const std::string &owner,
                              size_t count_max) {
  uint64_t after = 0;
  for (bool more = true; more;) {
    auto call = checker_.Begin(OfSession({namespace_id, ""}));
    ShownSessions page = server_.ListSessions(call.get(), owner, after, count_max, NoMemoryAt());
    SayRead(call, "list sessions of " + namespace_id + " after " + std::to_string(after),
            page.rows.size());
    more = page.more && call->answer.failure.empty();
    checker_.EndSessions(call, owner, after, count_max, page);
    after = page.last_start_revision;
  }
}

void Simulation::GetStatus(const Name &name) {
  auto call = checker_.Begin(Operation::Of(name));
  ShownStatus shown = server_.GetStatus(call.get(), NoMemoryAt());
  SayRead(call, "status of " + name.text(), shown.session_ids.size());
  checker_.EndStatus(call, shown);
}

// ---- Histories and tables. ----------------------------------------------------

// All pages of a list.
void Simulation::ListActivities(const Name &name, ActivityQuery query) {
  for (bool more = true; more;) {
    auto call = checker_.Begin(Operation::Of(name));
    ShownHistory page = server_.ListActivities(call.get(), query, NoMemoryAt());
    std::string what = query.Describe() + " of " + name.text();
    SayRead(call, what, page.rows.size());
    more = page.more && call->answer.failure.empty();
    checker_.EndWork(call, what,
                     [query, page](const Work &work) { return Difference(work, query, page); });
    query.from_sequence = page.next_sequence;
  }
}

void Simulation::ListFiles(const Name &name, RowQuery query) {
  for (bool more = true; more;) {
    auto call = checker_.Begin(Operation::Of(name));
    ShownFiles page = server_.ListFiles(call.get(), query, NoMemoryAt());
    SayRead(call, "files of " + name.text() + " behind '" + query.after + "'", page.rows.size());
    more = page.more && call->answer.failure.empty() && !page.rows.empty();
    checker_.EndWork(call, "the files of " + name.text(),
                     [query, page](const Work &work) { return Difference(work, query, page); });
    if (more) query.after = page.rows.back().last.path;
  }
}

void Simulation::ListResources(const Name &name, RowQuery query) {
  for (bool more = true; more;) {
    auto call = checker_.Begin(Operation::Of(name));
    ShownResources page = server_.ListResources(call.get(), query, NoMemoryAt());
    SayRead(call, "resources of " + name.text() + " behind '" + query.after + "'",
            page.rows.size());
    more = page.more && call->answer.failure.empty() && !page.rows.empty();
    checker_.EndResources(call, query, page);
    if (more) query.after = page.rows.back().first;
  }
}

void Simulation::SummarizeUsage(const Name &name) {
  auto call = checker_.Begin(Operation::Of(name));
  Usage usage = server_.SummarizeUsage(call.get(), NoMemoryAt());
  SayRead(call, "usage of " + name.text(), usage.size());
  checker_.EndWork(call, "the usage of " + name.text(), [usage](const Work &work) {
    return work.usage == usage ? "" : "it is another";
  });
}

void Simulation::SummarizeNamespace(const std::string &namespace_id) {
  auto call = checker_.Begin(Operation::Of({namespace_id, ""}));
  Usage usage = server_.SummarizeUsage(call.get(), NoMemoryAt());
  SayRead(call, "usage of " + namespace_id, usage.size());
  checker_.EndUsage(call, usage);
}

// One of these reads.
void Simulation::DoWork() {
  Name name = workload_.NextName();
  switch (dice_.Below(8)) {
    case 0:
      return GetSession(workload_.NextSession(checker_.model()));
    case 1:
      return ListSessions(name.namespace_id, dice_.OneIn(2) ? "" : "agent1", dice_.Between(1, 4));
    case 2:
      return GetStatus(name);
    case 3:
      return ListFiles(name, workload_.NextRowQuery("f/"));
    case 4:
      return ListResources(name, workload_.NextRowQuery("r"));
    case 5:
      return dice_.OneIn(2) ? SummarizeUsage(name) : SummarizeNamespace(name.namespace_id);
    default:
      return ListActivities(name, workload_.NextActivityQuery(checker_.model(), name));
  }
}

}  // namespace simulation
