#include "tests/simulation/swarm.h"

#include <utility>

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
  operations = dice->Pick<uint64_t>({30, 200, 400, 700});
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
  memory_limit = dice->OneIn(40) ? 1 : 0;
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

  bool has_sessions = !dice->OneIn(3);
  weight_session = has_sessions ? dice->Pick<uint64_t>({1, 2, 4}) : 0;
  weight_activation = has_sessions ? dice->Pick<uint64_t>({0, 2, 4}) : 0;
  weight_resource = has_sessions ? Maybe(dice, {1, 3}) : 0;
  weight_record = Maybe(dice, {1, 4});
  weight_cut = weight_record != 0 ? Maybe(dice, {1, 2}) : 0;
  weight_work = dice->Pick<uint64_t>({0, 1, 3});
  sessions = dice->Pick<uint64_t>({1, 3, 3, 10});
  author_in = has_sessions ? dice->Pick<uint64_t>({0, 2, 5}) : 0;
  stale_in = dice->Pick<uint64_t>({0, 3, 10});
  activity_in = Maybe(dice, {3, 10});
  session_ttl_us = dice->Pick({kSecond, 3 * kSecond, 60 * kSecond});
  history_count_max = dice->Pick<uint64_t>({2, 10, 100, 900});
  history_bytes_max = dice->Pick<uint64_t>({200, 5000, 1000000});

  Dice same = *dice;
  Dice own(~same.Next());
  DrawReaders(&own);
  Dice third(~(~same.Next() << 1));
  DrawRecovery(&third);
}

// From dice of their own, which leaves all others as they would be.
void Swarm::DrawReaders(Dice *dice) {
  readers = Maybe(dice, {1, 2, 4, 8});
  read_rest_in = dice->Pick<uint64_t>({0, 1, 3, 20});
  read_rest_us = dice->Pick({kMillisecond, 50 * kMillisecond, kSecond, 60 * kSecond});
  leave_in = dice->Pick<uint64_t>({2, 10, 10, 100});
  new_filter_in = dice->Pick<uint64_t>({2, 5, 20});
  go_back_in = dice->Pick<uint64_t>({0, 2, 5});
  snapshot_in = dice->Pick<uint64_t>({0, 2, 2, 1});
  read_size = dice->Pick<uint64_t>({1, 300, 4000, 32768});
  progress_interval_us = dice->Pick({200 * kMillisecond, 2 * kSecond, 30 * kSecond});
  subscriptions_max = dice->Pick<uint64_t>({1, 4, 1000, 1000});
  left_out_in = Maybe(dice, {2, 10});
  feed_retention_bytes = Maybe(dice, {3000, 30000, 300000});
  feed_retention_age_us = dice->OneIn(2) ? dice->Pick({kSecond, 10 * kSecond, 200 * kSecond}) : 0;
}

// The same.
void Swarm::DrawRecovery(Dice *dice) {
  weight_point = Maybe(dice, {2, 6, 12});
  weight_join = weight_point != 0 ? dice->Pick<uint64_t>({0, 2, 6}) : 0;
  weight_read_points = weight_point != 0 ? dice->Between(1, 4) : 0;
  policy_in = weight_point != 0 ? dice->Pick<uint64_t>({0, 2, 4}) : 0;
  points_max = dice->Pick<uint64_t>({3, 10, 1000});
}

std::string Swarm::Describe() const {
  const std::pair<const char *, int64_t> drawn[] = {
      {"pause_in", static_cast<int64_t>(pause_in)},
      {"spurious_in", static_cast<int64_t>(spurious_in)},
      {"clients", static_cast<int64_t>(clients)},
      {"lives", static_cast<int64_t>(lives)},
      {"operations", static_cast<int64_t>(operations)},
      {"think_us", static_cast<int64_t>(think_us)},
      {"rush_in", static_cast<int64_t>(rush_in)},
      {"namespaces", static_cast<int64_t>(namespaces)},
      {"contexts", static_cast<int64_t>(contexts)},
      {"keys", static_cast<int64_t>(keys)},
      {"value_size", static_cast<int64_t>(value_size)},
      {"wait_in", static_cast<int64_t>(wait_in)},
      {"request_id_in", static_cast<int64_t>(request_id_in)},
      {"retry_in", static_cast<int64_t>(retry_in)},
      {"bad_input_in", static_cast<int64_t>(bad_input_in)},
      {"parent_in", static_cast<int64_t>(parent_in)},
      {"label_in", static_cast<int64_t>(label_in)},
      {"expiry_in", static_cast<int64_t>(expiry_in)},
      {"chain", static_cast<int64_t>(chain)},
      {"foresee_in", static_cast<int64_t>(foresee_in)},
      {"many_in", static_cast<int64_t>(many_in)},
      {"ttl_us", static_cast<int64_t>(ttl_us)},
      {"weight_create", static_cast<int64_t>(weight_create)},
      {"weight_update", static_cast<int64_t>(weight_update)},
      {"weight_atomic", static_cast<int64_t>(weight_atomic)},
      {"weight_delete", static_cast<int64_t>(weight_delete)},
      {"weight_get", static_cast<int64_t>(weight_get)},
      {"weight_list", static_cast<int64_t>(weight_list)},
      {"weight_hold", static_cast<int64_t>(weight_hold)},
      {"version_retention", static_cast<int64_t>(version_retention)},
      {"undelete_window_us", static_cast<int64_t>(undelete_window_us)},
      {"tombstone_window_us", static_cast<int64_t>(tombstone_window_us)},
      {"request_id_window_us", static_cast<int64_t>(request_id_window_us)},
      {"request_ids_max", static_cast<int64_t>(request_ids_max)},
      {"value_size_max", static_cast<int64_t>(value_size_max)},
      {"message_size_max", static_cast<int64_t>(message_size_max)},
      {"memory_limit", static_cast<int64_t>(memory_limit)},
      {"sync", static_cast<int64_t>(sync)},
      {"change_settings", static_cast<int64_t>(change_settings)},
      {"weight_stop", static_cast<int64_t>(weight_stop)},
      {"weight_kill", static_cast<int64_t>(weight_kill)},
      {"weight_power", static_cast<int64_t>(weight_power)},
      {"sync_us", static_cast<int64_t>(sync_us)},
      {"write_us", static_cast<int64_t>(write_us)},
      {"stall_in", static_cast<int64_t>(stall_in)},
      {"short_in", static_cast<int64_t>(short_in)},
      {"interrupt_in", static_cast<int64_t>(interrupt_in)},
      {"error_in", static_cast<int64_t>(error_in)},
      {"full_in", static_cast<int64_t>(full_in)},
      {"piece_size", static_cast<int64_t>(piece_size)},
      {"lose_in", static_cast<int64_t>(lose_in)},
      {"damage_in", static_cast<int64_t>(damage_in)},
      {"capacity", static_cast<int64_t>(capacity)},
      {"clock_jump_in", static_cast<int64_t>(clock_jump_in)},
      {"no_memory_in", static_cast<int64_t>(no_memory_in)},
      {"weight_session", static_cast<int64_t>(weight_session)},
      {"weight_activation", static_cast<int64_t>(weight_activation)},
      {"weight_record", static_cast<int64_t>(weight_record)},
      {"weight_cut", static_cast<int64_t>(weight_cut)},
      {"weight_resource", static_cast<int64_t>(weight_resource)},
      {"weight_work", static_cast<int64_t>(weight_work)},
      {"sessions", static_cast<int64_t>(sessions)},
      {"author_in", static_cast<int64_t>(author_in)},
      {"stale_in", static_cast<int64_t>(stale_in)},
      {"activity_in", static_cast<int64_t>(activity_in)},
      {"session_ttl_us", static_cast<int64_t>(session_ttl_us)},
      {"history_count_max", static_cast<int64_t>(history_count_max)},
      {"history_bytes_max", static_cast<int64_t>(history_bytes_max)},
      {"readers", static_cast<int64_t>(readers)},
      {"read_rest_in", static_cast<int64_t>(read_rest_in)},
      {"read_rest_us", static_cast<int64_t>(read_rest_us)},
      {"leave_in", static_cast<int64_t>(leave_in)},
      {"new_filter_in", static_cast<int64_t>(new_filter_in)},
      {"go_back_in", static_cast<int64_t>(go_back_in)},
      {"snapshot_in", static_cast<int64_t>(snapshot_in)},
      {"read_size", static_cast<int64_t>(read_size)},
      {"progress_interval_us", static_cast<int64_t>(progress_interval_us)},
      {"subscriptions_max", static_cast<int64_t>(subscriptions_max)},
      {"weight_point", static_cast<int64_t>(weight_point)},
      {"weight_join", static_cast<int64_t>(weight_join)},
      {"weight_read_points", static_cast<int64_t>(weight_read_points)},
      {"policy_in", static_cast<int64_t>(policy_in)},
      {"points_max", static_cast<int64_t>(points_max)},
      {"left_out_in", static_cast<int64_t>(left_out_in)},
      {"feed_retention_bytes", static_cast<int64_t>(feed_retention_bytes)},
      {"feed_retention_age_us", static_cast<int64_t>(feed_retention_age_us)},
  };
  std::string text;
  for (const auto &[name, value] : drawn) {
    if (value != 0) text += (text.empty() ? "" : ", ") + (name + (" " + std::to_string(value)));
  }
  return text;
}

}  // namespace simulation
