// What subscribers ask for.

#include "tests/simulation/workload.h"

namespace simulation {

Filter NextFilter(const Swarm &swarm, Dice *dice) {
  Filter filter;
  auto id = [&] { return "c" + std::to_string(dice->Below(swarm.contexts)); };
  filter.namespace_id = "n" + std::to_string(dice->Below(swarm.namespaces));
  if (dice->OneIn(3)) {
    for (uint64_t i = dice->OneIn(2) ? 1 : dice->Between(2, 6); i > 0; i--) filter.ids.insert(id());
  }
  if (dice->OneIn(6)) filter.id_prefix = dice->OneIn(2) ? "c" : "c1";
  if (dice->OneIn(5)) filter.type = dice->OneIn(2) ? "chat" : "task";
  if (dice->OneIn(4)) {
    filter.labels["l" + std::to_string(dice->Below(3))] = "v" + std::to_string(dice->Below(2));
  }
  if (dice->OneIn(5)) {
    for (uint64_t i = dice->Between(1, 3); i > 0; i--) {
      filter.event_types.insert(dice->Pick(
          {event_type::kCreated, event_type::kUpdated, event_type::kDeleted, event_type::kExpired,
           event_type::kActivity, event_type::kActivated, event_type::kDeactivated,
           event_type::kSessionStarted, event_type::kSessionLost, event_type::kHistoryTrimmed}));
    }
  }
  if (dice->OneIn(5)) filter.key_prefix = dice->Pick({"a/", "b/", "b/1", "c"});
  return filter;
}

}  // namespace simulation
