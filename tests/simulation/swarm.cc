#include "tests/simulation/swarm.h"

namespace simulation {

namespace {

constexpr int64_t kMillisecond = 1000;
constexpr int64_t kSecond = 1000 * kMillisecond;
constexpr int64_t kDay = 86400 * kSecond;

// A feature is off in every other run.
uint64_t Maybe(Dice *dice, std::initializer_list<uint64_t> list) {
  return dice->OneIn(2) ? dice->Pick(list) : 0;
}

}  // namespace

Swarm::Swarm(Dice *dice) {
  pause_in = dice->Pick<uint64_t>({0, 1, 2, 4, 16, 64});
  spurious_in = Maybe(dice, {4, 100});

  clients = dice->Pick<uint64_t>({1, 2, 3, 4, 8, 12});
  lives = dice->Between(2, 8);
  operations = dice->Pick<uint64_t>({30, 200, 500, 900});
  think_us = dice->Pick({kMillisecond, 50 * kMillisecond, 500 * kMillisecond, 5 * kSecond});
  rush_in = dice->Pick<uint64_t>({0, 1, 2, 4});
  namespaces = dice->Pick<uint64_t>({1, 1, 2, 3});
  contexts = dice->Pick<uint64_t>({1, 4, 10, 10, 30, 120});
  keys = dice->Pick<uint64_t>({1, 4, 8, 40});
  value_size = dice->Pick<uint64_t>({10, 100, 1200, 5000, 16000});
  wait_in = dice->Pick<uint64_t>({1, 2, 2, 8, 0});
  request_id_in = dice->Pick<uint64_t>({0, 1, 2, 2});
  retry_in = dice->Pick<uint64_t>({0, 4, 10});
  bad_input_in = dice->Pick<uint64_t>({0, 10, 40});
  parent_in = dice->Pick<uint64_t>({0, 2, 4});
  label_in = dice->Pick<uint64_t>({0, 2, 5});
  many_in = Maybe(dice, {3, 20});
  expiry_in = dice->Pick<uint64_t>({0, 3, 6});
  chain = dice->OneIn(3);
  foresee_in = Maybe(dice, {2, 10});
  ttl_us = dice->Pick({100 * kMillisecond, 2 * kSecond, 30 * kSecond});

  weight_create = dice->Between(1, 4);
  weight_update = dice->Between(2, 16);
  weight_atomic = Maybe(dice, {1, 4, 8});
  weight_delete = Maybe(dice, {1, 3, 8});
  weight_get = dice->Pick<uint64_t>({1, 3, 10});
  weight_list = Maybe(dice, {1, 3});
  weight_hold = Maybe(dice, {1, 2});

  version_retention = dice->Pick<uint64_t>({1, 2, 4, 4, 10});
  undelete_window_us = dice->Pick({kSecond, 50 * kSecond, kDay});
  tombstone_window_us = undelete_window_us * dice->Pick({1, 2, 5});
  request_id_window_us = dice->Pick({10 * kSecond, kDay, kDay});
  request_ids_max = dice->Pick<uint64_t>({64 * 4, 1000000, 1000000});
  value_size_max = dice->Pick<uint64_t>({value_size, 20000, 20000});
  message_size_max = dice->Pick<uint64_t>({2, 4, 16, 64, 160}) * 1024;
  if (value_size_max > message_size_max) value_size_max = message_size_max;
  memory_limit = dice->OneIn(12) ? 1 : 0;
  sync = !dice->OneIn(16);
  change_settings = dice->OneIn(3);

  weight_stop = dice->Pick<uint64_t>({0, 1, 2});
  weight_kill = dice->Pick<uint64_t>({0, 1, 2});
  weight_power = sync ? dice->Pick<uint64_t>({1, 2, 6}) : 0;
  if (weight_stop + weight_kill + weight_power == 0) weight_kill = 1;

  sync_us = dice->Pick({50 * int64_t{1}, kMillisecond, 5 * kMillisecond, 50 * kMillisecond});
  write_us = dice->Pick({int64_t{1}, 100 * int64_t{1}, kMillisecond});
  stall_in = Maybe(dice, {500});
  short_in = Maybe(dice, {3, 50});
  interrupt_in = Maybe(dice, {3, 50});
  error_in = Maybe(dice, {100, 1000});
  full_in = Maybe(dice, {5, 50});
  piece_size = dice->Pick<uint64_t>({512, 4096});
  lose_in = dice->Pick<uint64_t>({1, 2, 3, 10, 0});
  damage_in = sync ? Maybe(dice, {2, 4}) : 0;
  capacity = dice->OneIn(4) ? dice->Between(3, 8) * 10 * message_size_max : 0;
  clock_jump_in = Maybe(dice, {20, 100});
  no_memory_in = Maybe(dice, {5, 30});
}

std::string Swarm::Describe() const {
  auto text = [](const char *name, uint64_t value) {
    return std::string(name) + " " + std::to_string(value);
  };
  return text("clients", clients) + text(", lives", lives) + text(", operations", operations) +
         text(", contexts", contexts) + text(", chain", chain) + text(", namespaces", namespaces) +
         text(", keys", keys) + text(", value_size", value_size) + text(", think_us", think_us) +
         text(", pause_in", pause_in) + text(", sync_us", sync_us) +
         text(", version_retention", version_retention) + text(", error_in", error_in) +
         text(", full_in", full_in) + text(", capacity", capacity) +
         text(", damage_in", damage_in) + text(", no_memory_in", no_memory_in) +
         text(", sync", sync);
}

}  // namespace simulation
