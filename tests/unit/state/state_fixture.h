// A state, its changes, and a second state that replays them: no disk, no threads.

#ifndef CX_TESTS_UNIT_STATE_STATE_FIXTURE_H
#define CX_TESTS_UNIT_STATE_STATE_FIXTURE_H

extern "C" {
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/apply.h"
#include "core/state/plan.h"
#include "core/state/point.h"
#include "core/state/replay.h"
}

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/requests.h"
#include "tests/support/told.h"

// One record of the log that there is not.
struct Record {
  std::string payload;
  uint64_t revision;
  int64_t time_us;
};

inline cx_name_key NameKey(const std::string &id, const std::string &namespace_id = "default") {
  cx_name_key key;
  cx_name_key_init(&key, Bytes(namespace_id), Bytes(id));
  return key;
}

inline std::string PolicyText(const cx_recovery_policy &policy) {
  if (!policy.is_set) return "";
  return ", keeps " + std::to_string(policy.retention.keep_last) + "/" +
         std::to_string(policy.retention.keep_every) + "/" +
         std::to_string(policy.retention.keep_within_us) + ", points every " +
         std::to_string(policy.point_every_changes) + "/" + std::to_string(policy.point_every_us);
}

inline std::string HeadText(const cx_change_head &head) {
  if (!head.told) return "not told";
  return "in " + Text(head.parent_id) + ", created " + std::to_string(head.create_time_us) +
         ", updated " + std::to_string(head.update_time_us) + ", expires " +
         (head.expires_from_now ? "+" : "") + std::to_string(head.expire_us) + ", entries " +
         std::to_string(head.entry_count) + ", bytes " + std::to_string(head.size_bytes) +
         ", fence " + std::to_string(head.fence) + PolicyText(head.policy) +
         (head.forked_from_id.size > 0 ? ", from " + Text(head.forked_from_id) + "@" +
                                             std::to_string(head.forked_from_version)
                                       : "");
}

// The same of a context as it is.
inline std::string HeadText(const cx_context *context) {
  if (!cx_context_is_live(context)) return "not told";
  const cx_recovery *recovery = context->recovery;
  const cx_base *origin = recovery != nullptr ? recovery->forked_from : nullptr;
  return HeadText({true, cx_context_parent_id(context), context->create_time_us,
                   context->update_time_us, false, context->end_time_us, context->entry_count,
                   context->size_bytes, cx_context_fence(context),
                   recovery != nullptr ? recovery->policy : cx_recovery_policy{},
                   origin != nullptr ? cx_base_id(origin) : cx_bytes{},
                   origin != nullptr ? origin->version : 0});
}

class StateFixture : public testing::Test {
 protected:
  StateFixture() {
    settings_.version_retention = 3;
    settings_.undelete_window_us = 100;
    settings_.tombstone_window_us = 200;
    settings_.request_id_window_us = 1000;
    settings_.request_ids_max = 6400;
    before_ = cx_memory_used();
    EXPECT_EQ(CX_OK, cx_state_init(&state_));
    plan_.state = &state_;
    plan_.arena = &arena_;
    plan_.error = &error_;
    plan_.value_size_max = 100000;
    plan_.change_size_max = 1000000;
    plan_.history_count_max = 1000000;
    plan_.history_bytes_max = 1000000;
    plan_.held = UINT64_MAX;
    plan_.now_us = 1000;
    WriteSettings();
  }

  ~StateFixture() override {
    cx_state_done(&state_);
    cx_arena_done(&arena_);
    EXPECT_EQ(before_, cx_memory_used()) << "everything is given back";
  }

  void WriteSettings() {
    cx_change change = {};
    cx_stage stage = {};
    change.kind = CX_CHANGE_SETTINGS;
    change.settings = &settings_;
    stage.state = &state_;
    Log(&stage, change);
  }

  // Logs and applies a change, which tells of each context what it is afterwards, or was before
  // its end.
  void Log(cx_stage *stage, const cx_change &change) {
    cx_buffer encoded = {};
    cx_undo *garbage = nullptr;
    std::vector<std::string> ids, told, before;
    for (size_t i = 0; i < change.item_count; i++) {
      ids.push_back(Text(change.items[i].id));
      told.push_back(HeadText(AtTime(change.items[i].head, plan_.now_us)));
      bool ends = change.items[i].kind >= CX_ITEM_DELETE && change.items[i].kind <= CX_ITEM_FORGET;
      before.push_back(ends ? HeadText(Find(ids[i])) : "");
    }
    ASSERT_EQ(CX_OK, cx_change_encode(&change, &encoded));
    log_.push_back({Text(cx_buffer_bytes(&encoded)), ++revision_, plan_.now_us});
    cx_buffer_done(&encoded);
    cx_apply(stage, &change, revision_, plan_.now_us, &garbage);
    cx_undo_free_list(garbage);
    for (size_t i = 0; i < ids.size(); i++) {
      EXPECT_EQ(before[i].empty() ? HeadText(Find(ids[i])) : before[i], told[i]) << ids[i];
    }
  }

  // What a head says in a change of that time.
  static cx_change_head AtTime(cx_change_head head, int64_t time_us) {
    if (head.create_time_us == 0) head.create_time_us = time_us;
    if (head.update_time_us == 0) head.update_time_us = time_us;
    if (head.expires_from_now) head.expire_us += time_us;
    head.expires_from_now = false;
    return head;
  }

  // Ends a plan: a change is logged and applied.
  cx_plan_result Finish(cx_plan_result result) {
    wait_for_ = plan_.wait_for;
    if (result == CX_PLAN_CHANGE) {
      items_.assign(plan_.change.items, plan_.change.items + plan_.change.item_count);
      Log(&plan_.stage, plan_.change);
    }
    more_ = plan_.more;
    replayed_ = plan_.replayed;
    cx_plan_end(&plan_);
    return result;
  }

  cx_plan_result Create(const std::string &id, const cx_new_context &properties = {},
                        const Mutations &mutations = {}, const std::string &request_id = "") {
    cx_create_request request = {};
    request.name = {cx_bytes_of("default"), Bytes(id)};
    request.properties = properties;
    request.mutations = mutations.list().data();
    request.mutation_count = mutations.list().size();
    request.request_id = Bytes(request_id);
    cx_plan_begin(&plan_);
    return Finish(cx_plan_create(&plan_, &request));
  }

  cx_plan_result CreateBelow(const std::string &id, const std::string &parent_id) {
    cx_new_context properties = {};
    properties.parent_id = Bytes(parent_id);
    return Create(id, properties);
  }

  cx_plan_result Update(const std::string &id, const Mutations &mutations,
                        const std::string &request_id = "") {
    cx_update_request request = {};
    size_t index;
    request.name = {cx_bytes_of("default"), Bytes(id)};
    request.mutations = mutations.list().data();
    request.mutation_count = mutations.list().size();
    cx_plan_begin(&plan_);
    return Finish(cx_plan_update(&plan_, &request, 1, false, Bytes(request_id), &index));
  }

  cx_plan_result Delete(const std::string &id, bool recursive = false, bool purge = false,
                        bool again = false) {
    cx_delete_request request = {};
    request.name = {cx_bytes_of("default"), Bytes(id)};
    request.recursive = recursive;
    request.purge = purge;
    cx_plan_begin(&plan_);
    return Finish(cx_plan_delete(&plan_, &request, again));
  }

  cx_plan_result Due(const std::string &id) {
    cx_name_key key = NameKey(id);
    cx_plan_begin(&plan_);
    return Finish(cx_plan_due(&plan_, &key));
  }

  const cx_context *Find(const std::string &id) const {
    cx_name_key key = NameKey(id);
    return cx_state_find(&state_, &key);
  }

  std::string reason() const { return cx_reason_name(error_.reason); }

  // Replays records into an empty state; its digest in *ret_digest.
  static cx_status Replay(const std::vector<Record> &log, uint64_t *ret_digest) {
    cx_replay *replay = nullptr;
    cx_state state;
    cx_status status = cx_state_init(&state);
    if (status == CX_OK) status = cx_replay_new(&state, &replay);
    for (const Record &record : log) {
      if (status != CX_OK) break;
      status = cx_replay_add(replay, Bytes(record.payload), record.revision, record.time_us);
    }
    if (status == CX_OK) status = cx_replay_finish(replay);
    if (status == CX_OK) *ret_digest = cx_state_digest(&state);
    cx_replay_free(replay);
    cx_state_done(&state);
    return status;
  }

  void ExpectReplayGivesTheSame() {
    uint64_t digest = 0;
    ASSERT_EQ(CX_OK, Replay(log_, &digest));
    EXPECT_EQ(cx_state_digest(&state_), digest);
  }

  cx_settings settings_ = {};
  cx_state state_;
  cx_arena arena_ = {};
  cx_error error_ = {};
  cx_plan plan_ = {};
  std::vector<Record> log_;
  std::vector<cx_change_item> items_;  // Of the last change; what they point at may be gone.
  uint64_t revision_ = 0;
  uint64_t wait_for_ = 0;
  bool more_ = false;
  bool replayed_ = false;
  int64_t before_;
};

#endif  // CX_TESTS_UNIT_STATE_STATE_FIXTURE_H
