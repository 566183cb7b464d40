// What a run is like: drawn once, from its seed, so that runs differ as much as they can
// ("swarm testing", Groce and others, 2012). A feature that is always on hides what only
// happens without it.

#ifndef CX_TESTS_SIMULATION_SWARM_H
#define CX_TESTS_SIMULATION_SWARM_H

#include "tests/simulation/dice.h"

#include <cstdint>
#include <string>

namespace simulation {

struct Swarm {
  explicit Swarm(Dice *dice);

  // All that is not 0, for those who read a trace.
  std::string Describe() const;

  // Turns: see scheduler.h.
  uint64_t pause_in;
  uint64_t spurious_in;

  // Who asks for what. Times are in microseconds, "one in" is once in so many, 0 never.
  uint64_t clients;
  uint64_t lives;       // How often the server is started.
  uint64_t operations;  // In each life.
  int64_t think_us;     // Between two requests of a client, at most.
  uint64_t rush_in;     // A client asks again at once, together with others.
  uint64_t namespaces, contexts, keys;
  uint64_t value_size;  // Of most values, at most.
  uint64_t wait_in;     // A client waits until its answer is durable once in so many.
  uint64_t request_id_in, retry_in, bad_input_in, parent_in, label_in, expiry_in;
  bool chain;  // The parent of each context is the one before it.
  uint64_t foresee_in;
  uint64_t many_in;  // Writes that put very many entries.
  int64_t ttl_us;    // At most.

  // How often each kind is chosen, of the sum of all.
  uint64_t weight_create, weight_update, weight_atomic, weight_delete;
  uint64_t weight_get, weight_list, weight_hold;

  // The same of what is about work on contexts: sessions that start, end and are renewed,
  // activations, records, their cuts, resources, and reads of all of it.
  uint64_t weight_session, weight_activation, weight_record, weight_cut, weight_resource;
  uint64_t weight_work;
  uint64_t sessions;                          // In a namespace, at most.
  uint64_t author_in, stale_in, activity_in;  // Writes of sessions; wrong fences; mutations.
  int64_t session_ttl_us;                     // At most; at least 1 s.

  // The same of recovery points: points, restores, forks and merges, reads of points; writes that
  // set a policy.
  uint64_t weight_point, weight_join, weight_read_points;
  uint64_t policy_in;
  uint64_t points_max;  // Of a context whose policy does not say.

  // The server's settings.
  uint64_t version_retention;
  int64_t undelete_window_us, tombstone_window_us, request_id_window_us;
  uint64_t request_ids_max;
  uint64_t value_size_max, message_size_max;
  uint64_t history_count_max, history_bytes_max;
  uint64_t memory_limit;  // 0: none; 1: always reached. A real one would be met at another
                          // moment with another allocator.
  bool sync;
  bool change_settings;  // Another value at some starts.

  // How lives end, of the sum of the three.
  uint64_t weight_stop, weight_kill, weight_power;

  // The disk.
  int64_t sync_us, write_us;  // At most.
  uint64_t stall_in;          // A call of the disk takes 10 s.
  uint64_t short_in, interrupt_in, error_in, full_in;
  uint64_t piece_size;     // 512 or 4096.
  uint64_t lose_in;        // A piece is lost once in so many; 1: all of them.
  uint64_t damage_in;      // Lives before which the disk is damaged.
  uint64_t capacity;       // Bytes; 0: no limit.
  uint64_t clock_jump_in;  // Requests before which the wall clock jumps.
  uint64_t no_memory_in;   // Requests in which an allocation fails.

  // Subscribers.
  uint64_t readers;            // 0: there are none.
  uint64_t read_rest_in;       // They rest between two readings once in so many,
  int64_t read_rest_us;        // so long, at most.
  uint64_t leave_in;           // They leave, and come back later.
  uint64_t new_filter_in;      // They want something else then,
  uint64_t go_back_in;         // or go on from an earlier position of theirs.
  uint64_t snapshot_in;        // They begin with a snapshot.
  uint64_t read_size;          // Bytes of events at once, at most.
  int64_t progress_interval_us;
  uint64_t left_out_in;        // Batches that are not handed over to them.
  uint64_t subscriptions_max;
  uint64_t feed_retention_bytes;  // 0: no bound. The same below.
  int64_t feed_retention_age_us;

 private:
  void DrawReaders(Dice *dice);
  void DrawRecovery(Dice *dice);
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_SWARM_H
