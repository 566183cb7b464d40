// Clients' reads of recovery points.

#include "tests/simulation/simulation_internal.h"

namespace simulation {

void Simulation::GetPoint(const Name &name, const std::string &id) {
  auto call = checker_.Begin(Operation::Of(name));
  ShownPoint shown = server_.GetPoint(call.get(), id, NoMemoryAt());
  SayRead(call, "get point '" + id + "' of " + name.text(), shown.point.sequence);
  checker_.EndPoint(call, id, shown);
}

// All pages of a list.
void Simulation::ListPoints(const Name &name, PointQuery query) {
  for (bool more = true; more;) {
    auto call = checker_.Begin(Operation::Of(name));
    ShownPoints page = server_.ListPoints(call.get(), query, NoMemoryAt());
    SayRead(call, "list points of " + name.text(), page.rows.size());
    more = page.more && call->answer.failure.empty();
    checker_.EndPoints(call, query, page);
    query.after_sequence = page.last_sequence;
  }
}

void Simulation::ListAllPoints(const std::string &namespace_id, const PointQuery &query) {
  ShownPoints before;
  for (bool more = true; more;) {
    auto call = checker_.Begin(Operation::Of({namespace_id, "(all points)"}));
    ShownPoints page = server_.ListAllPoints(call.get(), query, before, NoMemoryAt());
    SayRead(call, "list points of " + namespace_id, page.rows.size());
    more = page.more && call->answer.failure.empty();
    checker_.EndAllPoints(call, query, before, page);
    before = page;
  }
}

void Simulation::DoReadPoints() {
  Name name = workload_.NextName();
  if (dice_.OneIn(3)) return GetPoint(name, workload_.NextPointId(checker_.model(), name));
  if (dice_.OneIn(4)) return ListAllPoints(name.namespace_id, workload_.NextPointQuery());
  PointQuery query = workload_.NextPointQuery();
  std::string &named = dice_.OneIn(2) ? query.before_id : query.ancestors_of;
  if (dice_.OneIn(2)) named = workload_.NextPointId(checker_.model(), name);
  ListPoints(name, query);
}

// Reads all points there are.
void Simulation::ComparePoints() {
  if (swarm_.weight_point == 0) return;
  Model model = checker_.model();
  PointQuery all;
  all.count_max = 5;
  for (const auto &[name, context] : model.contexts()) {
    if (context->recovery != nullptr && context->life != Life::kBare) ListPoints(name, all);
  }
  for (uint64_t i = 0; i < swarm_.namespaces; i++) {
    ListAllPoints("n" + std::to_string(i), all);
  }
}

}  // namespace simulation
