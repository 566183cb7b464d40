// An engine on a disk in memory, whose time, randomness and steps belong to the test.

#ifndef CX_TESTS_SUPPORT_ENGINE_FIXTURE_H
#define CX_TESTS_SUPPORT_ENGINE_FIXTURE_H

extern "C" {
#include "core/base/limits.h"
#include "core/base/random.h"
#include "core/engine/engine.h"
#include "core/engine/engine_internal.h"
#include "tests/support/sim_disk.h"
}

#include "tests/support/fake_clock.h"
#include "tests/support/requests.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

// Randomness that is the same each time, from whatever thread it is asked for.
struct FakeRandom {
  cx_random base = {Fill};
  mutable std::atomic<uint64_t> next{1};

  static void Fill(const cx_random *random, void *memory, size_t size) {
    auto *self = reinterpret_cast<const FakeRandom *>(random);
    auto *bytes = static_cast<uint8_t *>(memory);
    for (size_t i = 0; i < size; i++) {
      uint64_t mixed = self->next.fetch_add(1) * 0x9e3779b97f4a7c15;
      bytes[i] = static_cast<uint8_t>((mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9 >> 56);
    }
  }
};

// What came of a write.
struct Outcome {
  cx_status status;
  cx_write_outcome write;
  cx_error error;

  std::string reason() const { return status == CX_OK ? "" : cx_reason_name(error.reason); }
  std::string detail(const char *key) const { return Text(cx_error_detail_get(&error, key)); }
};

// What a read found.
struct Found {
  cx_status status;
  uint64_t wait_for;
  cx_error error;
  std::map<std::string, std::string> entries;
  std::map<std::string, uint64_t> entry_versions;
  std::map<std::string, std::string> labels;
  uint64_t version = 0;
  uint64_t revision = 0;
  uint64_t entry_count = 0;
  uint64_t size_bytes = 0;
  int64_t create_time_us = 0;
  int64_t expire_time_us = 0;
  std::string type;
  std::string parent_id;

  std::string reason() const { return status == CX_OK ? "" : cx_reason_name(error.reason); }
  std::string detail(const char *key) const { return Text(cx_error_detail_get(&error, key)); }
};

class EngineFixture : public testing::Test {
 protected:
  EngineFixture() {
    disk_ = sim_disk_new();
    options_.disk = sim_disk_base(disk_);
    options_.clock = &clock_.base;
    options_.random = &random_.base;
    options_.settings.version_retention = 4;
    options_.settings.undelete_window_us = 3600 * CX_SECOND_US;
    options_.settings.tombstone_window_us = 7200 * CX_SECOND_US;
    options_.settings.request_id_window_us = 600 * CX_SECOND_US;
    options_.settings.request_ids_max = 64000;
    options_.value_size_max = 64 * CX_KIB;
    options_.message_size_max = 256 * CX_KIB;
    options_.history_count_max = 100000;
    options_.history_bytes_max = 64 * CX_MIB;
    options_.recovery_points_max = 1000;
    options_.segment_size = 1;  // The smallest that holds the largest change.
    options_.sync = true;
    events_.complete = OnComplete;
    events_.failed = OnFailed;
    events_.disk_full = OnDiskFull;
    events_.arg = this;
  }

  ~EngineFixture() override {
    Close();
    sim_disk_free(disk_);
  }

  // Opens the engine; on failure the error is in `open_error_`.
  cx_status Open() {
    open_error_.reason = CX_REASON_NONE;
    return cx_engine_open(&options_, &engine_, &report_, &open_error_);
  }

  void Step() { cx_engine_step(engine_, &events_); }

  struct cx_engine_statistics Statistics() {
    struct cx_engine_statistics statistics;
    cx_engine_statistics(engine_, &statistics);
    return statistics;
  }

  // A hash of everything that the engine knows.
  uint64_t Digest() const { return cx_state_digest(&engine_->state); }

  // Stops cleanly.
  void Close() {
    if (engine_ == nullptr) return;
    cx_engine_stop(engine_);
    cx_engine_close(engine_);
    engine_ = nullptr;
  }

  // Ends without a word, as a killed process does: what was written stays.
  void Kill() {
    cx_engine_close(engine_);
    engine_ = nullptr;
  }

  void Reopen() {
    Close();
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
  }

  Outcome Update(const std::string &id, const Mutations &mutations,
                 std::vector<cx_precondition> preconditions = {},
                 const cx_new_context *create = nullptr, const std::string &request_id = "") {
    return UpdateAs({}, id, mutations, preconditions, create, request_id);
  }

  Outcome UpdateAs(const cx_author &author, const std::string &id, const Mutations &mutations,
                   std::vector<cx_precondition> preconditions = {},
                   const cx_new_context *create = nullptr, const std::string &request_id = "") {
    Outcome outcome = {};
    cx_update_request request = {};
    request.author = author;
    request.name = {Bytes(namespace_), Bytes(id)};
    request.mutations = mutations.list().data();
    request.mutation_count = mutations.list().size();
    request.preconditions = preconditions.data();
    request.precondition_count = preconditions.size();
    request.create_if_missing = create;
    request.request_id = Bytes(request_id);
    outcome.status = cx_engine_update(engine_, &request, &outcome.write, &outcome.error);
    return outcome;
  }

  // Updates a context, creating it on the way.
  Outcome Upsert(const std::string &id, const Mutations &mutations,
                 const std::string &request_id = "") {
    cx_new_context create = {};
    return Update(id, mutations, {}, &create, request_id);
  }

  Outcome Create(const std::string &id, const cx_new_context &properties = {},
                 const Mutations &mutations = {}, const std::string &request_id = "",
                 std::string *ret_id = nullptr) {
    Outcome outcome = {};
    cx_create_request request = {};
    cx_snapshot snapshot = {};
    request.name = {Bytes(namespace_), Bytes(id)};
    request.properties = properties;
    request.mutations = mutations.list().data();
    request.mutation_count = mutations.list().size();
    request.request_id = Bytes(request_id);
    outcome.status = cx_engine_create(engine_, &request, &outcome.write, &snapshot, &outcome.error);
    if (outcome.status == CX_OK) {
      if (ret_id != nullptr) *ret_id = Text(snapshot.id);
      cx_snapshot_done(&snapshot);
    }
    return outcome;
  }

  Outcome CreateBelow(const std::string &id, const std::string &parent_id,
                      bool create_parent = false) {
    cx_new_context properties = {};
    properties.parent_id = Bytes(parent_id);
    properties.create_parent = create_parent;
    return Create(id, properties);
  }

  Outcome Delete(const std::string &id, bool recursive = false, bool purge = false,
                 const std::string &request_id = "", bool allow_missing = false) {
    return DeleteAs({}, id, recursive, purge, request_id, allow_missing);
  }

  Outcome DeleteAs(const cx_author &author, const std::string &id, bool recursive = false,
                   bool purge = false, const std::string &request_id = "",
                   bool allow_missing = false) {
    Outcome outcome = {};
    cx_delete_request request = {};
    request.author = author;
    request.name = {Bytes(namespace_), Bytes(id)};
    request.recursive = recursive;
    request.purge = purge;
    request.allow_missing = allow_missing;
    request.request_id = Bytes(request_id);
    outcome.status = cx_engine_delete(engine_, &request, &outcome.write, &outcome.error);
    return outcome;
  }

  Found Get(const std::string &id, cx_state_at at = {}) {
    Found found = {};
    cx_context_name name = {Bytes(namespace_), Bytes(id)};
    cx_snapshot snapshot = {};
    found.status = cx_engine_get(engine_, &name, &at, &snapshot, &found.wait_for, &found.error);
    if (found.status != CX_OK) return found;
    Read(snapshot, &found);
    cx_snapshot_done(&snapshot);
    return found;
  }

  Found GetVersion(const std::string &id, uint64_t version) {
    cx_state_at at = {};
    at.version = version;
    return Get(id, at);
  }

  // The ids of a list, page by page.
  std::vector<std::string> List(cx_list_query query) {
    std::vector<std::string> ids;
    std::string after;
    query.namespace_id = Bytes(namespace_);
    query.count_max = query.count_max == 0 ? 3 : query.count_max;
    for (bool more = true; more;) {
      cx_list_page page;
      cx_error error;
      uint64_t wait_for;
      query.after_id = Bytes(after);
      EXPECT_EQ(CX_OK, cx_engine_list(engine_, &query, &page, &wait_for, &error));
      for (size_t i = 0; i < page.count; i++) ids.push_back(Text(page.rows[i].id));
      more = page.more;
      if (more) after = Text(page.last_id);
      cx_list_page_done(&page);
    }
    return ids;
  }

  static void Read(const cx_snapshot &snapshot, Found *found) {
    cx_entry_walk walk;
    cx_entry_view entry;
    cx_snapshot_walk(&snapshot, {}, &walk);
    while (cx_entry_walk_next(&walk, &entry)) {
      std::string value(entry.value_size, '\0');
      cx_entry_value_copy(&entry, reinterpret_cast<uint8_t *>(&value[0]));
      found->entries[Text(entry.key)] = value;
      found->entry_versions[Text(entry.key)] = entry.version;
    }
    for (size_t i = 0; i < snapshot.label_count; i++) {
      found->labels[Text(snapshot.labels[i].key)] = Text(snapshot.labels[i].value);
    }
    found->version = snapshot.version;
    found->revision = snapshot.revision;
    found->entry_count = snapshot.entry_count;
    found->size_bytes = snapshot.size_bytes;
    found->create_time_us = snapshot.create_time_us;
    found->expire_time_us = snapshot.expire_time_us;
    found->type = Text(snapshot.type);
    found->parent_id = Text(snapshot.parent_id);
  }

  static void OnComplete(void *arg, cx_work *list) {
    auto *self = static_cast<EngineFixture *>(arg);
    while (list != nullptr) {
      cx_work *next = list->next;
      self->completed_.push_back(reinterpret_cast<cx_waiter *>(list));
      list = next;
    }
  }

  static void OnFailed(void *arg, const char *message) {
    static_cast<EngineFixture *>(arg)->failures_.push_back(message);
  }

  static void OnDiskFull(void *arg, bool full) {
    static_cast<EngineFixture *>(arg)->disk_full_.push_back(full);
  }

  std::string namespace_ = "default";
  FakeClock clock_;
  FakeRandom random_;
  sim_disk *disk_;
  cx_engine_options options_ = {};
  cx_engine_events events_ = {};
  cx_engine *engine_ = nullptr;
  cx_engine_report report_ = {};
  cx_error open_error_;
  std::vector<cx_waiter *> completed_;
  std::vector<std::string> failures_;
  std::vector<bool> disk_full_;
};

#endif  // CX_TESTS_SUPPORT_ENGINE_FIXTURE_H
