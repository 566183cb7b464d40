// Recovery points, restores, forks, merges and syncs of an engine, in C++ words, over what
// engine_fixture.h has.

#ifndef CX_TESTS_UNIT_ENGINE_RECOVERY_FIXTURE_H
#define CX_TESTS_UNIT_ENGINE_RECOVERY_FIXTURE_H

extern "C" {
#include "core/base/memory.h"
#include "core/engine/recovery.h"
}

#include "tests/unit/engine/tracking_fixture.h"

#include <functional>
#include <utility>

using Texts = std::map<std::string, std::string>;

// A recovery point as it was told.
struct Point {
  std::string id, parent_id, context_id;
  uint64_t sequence = 0, revision = 0, attachment_count = 0;
  int64_t create_time_us = 0, expire_time_us = 0;
  bool pinned = false;
  cx_point_origin origin = CX_ORIGIN_CLIENT;
  Texts labels, attachments;
  Found state = {};
};

// What came of a write or a read of a point.
struct Pointed : Outcome {
  bool there = false;
  Point point;
};

struct PointPage : Outcome {
  std::vector<Point> rows;
  bool more = false;
  uint64_t last_sequence = 0, last_revision = 0;
  std::string last_context_id;

  std::vector<std::string> ids() const {
    std::vector<std::string> list;
    for (const Point &row : rows) list.push_back(row.id);
    return list;
  }
};

struct Pruned : Outcome {
  uint64_t removed = 0, kept = 0;
};

// What came of a restore or a fork: the context afterwards.
struct Restored : Outcome {
  Found state = {};
  std::string id, safety_id;
  uint64_t changed = 0;
};

struct Conflict {
  std::string key;
  bool in_labels;
  std::string ancestor, target, source;  // "-" where there is none.
};

struct Merged : Outcome {
  bool applied = false;
  uint64_t changed = 0, conflict_count = 0;
  std::vector<Conflict> conflicts;
  std::string safety_id;
};

struct Synced : Outcome {
  bool full = false;
  Found before = {}, after = {};
};

// A point that is asked for.
struct NewPoint {
  explicit NewPoint(const std::string &point_id = "") : id(point_id) {}
  NewPoint &From(const std::string &value) { return from = value, *this; }
  NewPoint &With(const Mutations &value) { return mutations = value, *this; }
  NewPoint &MoveHead() { return move_head = true, *this; }
  NewPoint &Pinned() { return pinned = true, *this; }
  NewPoint &Replace() { return replace = true, *this; }
  NewPoint &Create() { return create = true, *this; }
  NewPoint &Label(const std::string &key, const std::string &value) {
    return labels[key] = value, *this;
  }
  NewPoint &Attach(const std::string &key, const std::string &value) {
    return attachments[key] = value, *this;
  }
  NewPoint &Ttl(int64_t value_us) { return ttl_us = value_us, *this; }
  NewPoint &Request(const std::string &value) { return request_id = value, *this; }
  NewPoint &If(uint64_t value) { return if_version = static_cast<int64_t>(value), *this; }

  std::string id, from, request_id;
  Mutations mutations;
  bool move_head = false, pinned = false, replace = false, create = false;
  Texts labels, attachments;
  int64_t ttl_us = 0;
  int64_t if_version = -1;
};

// What is to be changed of a point.
struct PointUpdate {
  Texts set_labels, put, add;
  std::vector<std::string> delete_labels, delete_attachments;
  int64_t ttl_us = 0;
  bool clear_expiry = false, allow_missing = false;
  cx_pin pin = CX_PIN_AS_IT_IS;
};

// Which state of a context.
struct At {
  static At Version(uint64_t version) { return {version, 0, ""}; }
  static At Time(int64_t time_us) { return {0, time_us, ""}; }
  static At Point(const std::string &id) { return {0, 0, id}; }
  cx_state_at get() const { return {version, time_us, Bytes(point)}; }

  uint64_t version = 0;
  int64_t time_us = 0;
  std::string point;
};

struct RestoreOptions {
  bool safety = false, undelete = false;
  std::string request_id;
  int64_t if_version = -1;
};

struct ForkOptions {
  bool history = false, points = false;
  std::string request_id;
  const cx_new_context *properties = nullptr;
};

struct MergeOptions {
  At source_at;
  std::string ancestor;
  At ancestor_at;
  cx_on_conflict on_conflict = CX_CONFLICT_REPORT;
  std::map<std::string, cx_on_conflict> rules;
  bool dry_run = false, safety = false;
  std::string request_id;
};

class RecoveryFixture : public TrackingFixture {
 protected:
  using Ids = std::vector<std::string>;

  static constexpr int64_t kSecond = CX_SECOND_US;

  // ---- Points. -----------------------------------------------------------------

  Pointed MakePoint(const std::string &context, const NewPoint &made) {
    Pointed pointed = {};
    cx_point_view view = {};
    cx_new_context create = {};
    cx_precondition condition = {CX_PRECONDITION_CONTEXT_VERSION, {}, 0};
    std::vector<cx_label> labels = Labels(made.labels);
    std::vector<cx_attachment> attachments = Attachments(made.attachments);
    cx_create_point_request request = {};
    request.name = Name(context);
    request.point_id = Bytes(made.id);
    request.from_point_id = Bytes(made.from);
    request.mutations = made.mutations.list().data();
    request.mutation_count = made.mutations.list().size();
    request.move_head = made.move_head;
    request.pinned = made.pinned;
    request.replace = made.replace;
    request.labels = labels.data();
    request.label_count = labels.size();
    request.attachments = attachments.data();
    request.attachment_count = attachments.size();
    request.ttl_us = made.ttl_us;
    request.create_if_missing = made.create ? &create : nullptr;
    request.request_id = Bytes(made.request_id);
    if (made.if_version >= 0) {
      condition.version = static_cast<uint64_t>(made.if_version);
      request.preconditions = &condition;
      request.precondition_count = 1;
    }
    pointed.status =
        cx_engine_create_point(engine_, &request, &pointed.write, &view, &pointed.error);
    return Take(pointed, &view);
  }
  Pointed MakePoint(const std::string &context, const std::string &id) {
    return MakePoint(context, NewPoint(id));
  }

  Pointed GetPoint(const std::string &context, const std::string &id = "") {
    Pointed pointed = {};
    cx_point_view view = {};
    cx_context_name name = Name(context);
    pointed.status = cx_engine_get_point(engine_, &name, Bytes(id), &view,
                                         &pointed.write.wait_for, &pointed.error);
    return Take(pointed, &view);
  }

  Pointed UpdatePoint(const std::string &context, const std::string &id, const PointUpdate &update,
                      const std::string &request_id = "") {
    Pointed pointed = {};
    cx_point_view view = {};
    std::vector<cx_label> labels = Labels(update.set_labels);
    std::vector<cx_attachment> put = Attachments(update.put), add = Attachments(update.add);
    std::vector<cx_bytes> no_labels = Keys(update.delete_labels),
                          removed = Keys(update.delete_attachments);
    cx_update_point_request request = {};
    request.name = Name(context);
    request.point_id = Bytes(id);
    request.set_labels = labels.data();
    request.set_label_count = labels.size();
    request.delete_labels = no_labels.data();
    request.delete_label_count = no_labels.size();
    request.put_attachments = put.data();
    request.put_attachment_count = put.size();
    request.add_attachments = add.data();
    request.add_attachment_count = add.size();
    request.delete_attachments = removed.data();
    request.delete_attachment_count = removed.size();
    request.ttl_us = update.ttl_us;
    request.clear_expiry = update.clear_expiry;
    request.pin = update.pin;
    request.allow_missing = update.allow_missing;
    request.request_id = Bytes(request_id);
    pointed.status =
        cx_engine_update_point(engine_, &request, &pointed.write, &view, &pointed.error);
    return Take(pointed, &view);
  }

  Outcome DropPoint(const std::string &context, const std::string &id,
                    const std::string &request_id = "") {
    Outcome outcome = {};
    cx_delete_point_request request = {};
    request.name = Name(context);
    request.point_id = Bytes(id);
    request.request_id = Bytes(request_id);
    outcome.status = cx_engine_delete_point(engine_, &request, &outcome.write, &outcome.error);
    return outcome;
  }

  PointPage PageOfPoints(cx_point_query query) {
    PointPage list = {};
    cx_point_page page;
    query.namespace_id = Bytes(namespace_);
    list.status = cx_engine_list_points(engine_, &query, &page, &list.write.wait_for, &list.error);
    if (list.status != CX_OK) return list;
    for (size_t i = 0; i < page.count; i++) list.rows.push_back(Read(page.rows[i]));
    list.more = page.more;
    list.last_sequence = page.last_sequence;
    list.last_revision = page.last_revision;
    list.last_context_id = Text(page.last_context_id);
    cx_point_page_done(&page);
    return list;
  }

  // All pages of a list, each of `count` rows; `between` runs before every further page.
  Ids AllPoints(cx_point_query query, size_t count = 3,
                const std::function<void()> &between = {}) {
    Ids ids;
    std::string after;
    query.count_max = count;
    for (;;) {
      PointPage page = PageOfPoints(query);
      EXPECT_EQ(CX_OK, page.status) << page.error.message;
      for (const Point &row : page.rows) ids.push_back(row.id);
      if (page.status != CX_OK || !page.more) return ids;
      after = page.last_context_id;
      query.after_sequence = page.last_sequence;
      query.after_revision = page.last_revision;
      query.after_context_id = Bytes(after);
      if (between) between();
    }
  }
  Ids PointsOf(const std::string &context, size_t count = 3) {
    cx_point_query query = {};
    query.context_id = Bytes(context);
    return AllPoints(query, count);
  }

  Pruned Prune(const std::string &context, const cx_retention &policy, const Texts &labels = {},
               bool dry_run = false, const std::string &request_id = "",
               const std::string &prefix = "") {
    Pruned pruned = {};
    std::vector<cx_label> wanted = Labels(labels);
    cx_prune_request request = {};
    request.namespace_id = Bytes(namespace_);
    request.context_id = Bytes(context);
    request.id_prefix = Bytes(prefix);
    request.labels = wanted.data();
    request.label_count = wanted.size();
    request.policy = policy;
    request.dry_run = dry_run;
    request.request_id = Bytes(request_id);
    pruned.status = cx_engine_prune_points(engine_, &request, &pruned.write, &pruned.removed,
                                           &pruned.kept, &pruned.error);
    return pruned;
  }

  // Deletes a context and has it forgotten: the revision that left no trace of it.
  uint64_t Lose(const std::string &context) {
    uint64_t deleted = Delete(context).write.revision;
    clock_.now_us += options_.settings.tombstone_window_us;
    Step();
    uint64_t forgotten = Statistics().revision;
    EXPECT_LT(deleted, forgotten);
    return forgotten;
  }

  // ---- Earlier states. -----------------------------------------------------------

  Restored Restore(const std::string &context, const At &at = {},
                   const RestoreOptions &options = {}) {
    Restored restored = {};
    cx_snapshot snapshot = {};
    char safety_id[CX_POINT_ID_ROOM] = "";
    cx_precondition condition = {CX_PRECONDITION_CONTEXT_VERSION, {}, 0};
    cx_restore_request request = {};
    request.name = Name(context);
    request.at = at.get();
    request.safety_point = options.safety;
    request.undelete = options.undelete;
    request.request_id = Bytes(options.request_id);
    if (options.if_version >= 0) {
      condition.version = static_cast<uint64_t>(options.if_version);
      request.preconditions = &condition;
      request.precondition_count = 1;
    }
    restored.status = cx_engine_restore(engine_, &request, &restored.write, &snapshot,
                                        &restored.changed, safety_id, &restored.error);
    if (restored.status == CX_OK) {
      EngineFixture::Read(snapshot, &restored.state);
      restored.id = Text(snapshot.id);
      restored.safety_id = safety_id;
    }
    cx_snapshot_done(&snapshot);
    return restored;
  }

  Restored Undelete(const std::string &context, const At &at = {}, bool safety = false) {
    RestoreOptions options;
    options.undelete = true;
    options.safety = safety;
    return Restore(context, at, options);
  }

  Restored Fork(const std::string &source, const std::string &id, const At &at = {},
                const ForkOptions &options = {}) {
    Restored forked = {};
    cx_snapshot snapshot = {};
    cx_fork_request request = {};
    request.source = Name(source);
    request.at = at.get();
    request.id = Bytes(id);
    request.with_history = options.history;
    request.with_points = options.points;
    request.properties = options.properties;
    request.request_id = Bytes(options.request_id);
    forked.status =
        cx_engine_fork(engine_, &request, &forked.write, &snapshot, &forked.error);
    if (forked.status == CX_OK) {
      EngineFixture::Read(snapshot, &forked.state);
      forked.id = Text(snapshot.id);
      cx_snapshot_done(&snapshot);
    }
    return forked;
  }

  Merged Merge(const std::string &source, const std::string &target,
               const MergeOptions &options = {}) {
    Merged merged = {};
    cx_merge_result result = {};
    char safety_id[CX_POINT_ID_ROOM] = "";
    std::vector<cx_conflict_rule> rules;
    cx_merge_request request = {};
    for (const auto &[key, rule] : options.rules) rules.push_back({Bytes(key), rule});
    request.source = Name(source);
    request.source_at = options.source_at.get();
    request.target = Name(target);
    request.ancestor = Name(options.ancestor);
    request.ancestor_at = options.ancestor_at.get();
    request.on_conflict = options.on_conflict;
    request.rules = rules.data();
    request.rule_count = rules.size();
    request.dry_run = options.dry_run;
    request.safety_point = options.safety;
    request.request_id = Bytes(options.request_id);
    merged.status =
        cx_engine_merge(engine_, &request, &merged.write, &result, safety_id, &merged.error);
    if (merged.status != CX_OK) return merged;
    merged.applied = result.applied;
    merged.changed = result.changed_count;
    merged.conflict_count = result.conflict_count;
    merged.safety_id = safety_id;
    for (size_t i = 0; i < result.told_count; i++) {
      merged.conflicts.push_back(Read(result.conflicts[i]));
    }
    cx_merge_result_done(&result);
    return merged;
  }

  Synced Sync(const std::string &context, uint64_t have_version) {
    Synced synced = {};
    cx_snapshot before = {}, after = {};
    cx_context_name name = Name(context);
    synced.status = cx_engine_sync(engine_, &name, have_version, &before, &after, &synced.full,
                                   &synced.write.wait_for, &synced.error);
    if (synced.status == CX_OK) {
      EngineFixture::Read(before, &synced.before);
      EngineFixture::Read(after, &synced.after);
      cx_snapshot_done(&before);
      cx_snapshot_done(&after);
    }
    return synced;
  }

  // ---- Around them. -----------------------------------------------------------------

  // Lets `meddle` run in the middle of `operation`, whenever that allocates memory and holds no
  // lock of the context.
  template <typename Operation>
  auto Interrupt(const std::string &context, std::function<void()> meddle, Operation operation) {
    cx_name_key key;
    cx_name_key_init(&key, Bytes(namespace_), Bytes(context));
    meddle_ = std::move(meddle);
    lock_ = &engine_->locks[key.shard];
    cx_memory_set_hook(OnAllocation, this);
    auto outcome = operation();
    cx_memory_set_hook(nullptr, nullptr);
    return outcome;
  }

  // The same, whenever the operation asks what time it is.
  template <typename Operation>
  auto InterruptClock(const std::string &context, std::function<void()> meddle,
                      Operation operation) {
    cx_name_key key;
    cx_name_key_init(&key, Bytes(namespace_), Bytes(context));
    meddle_ = std::move(meddle);
    lock_ = &engine_->locks[key.shard];
    interrupted_ = this;
    clock_.base.wall_us = OnClock;
    auto outcome = operation();
    clock_.base.wall_us = FakeClock::Wall;
    return outcome;
  }

  void ReopenTheSame() {
    uint64_t digest = Digest();
    Reopen();
    EXPECT_EQ(digest, Digest()) << "a restart finds what was left";
  }

  static cx_retention KeepLast(uint64_t count) { return {count, 0, 0}; }

  cx_context_name Name(const std::string &id) const { return {Bytes(namespace_), Bytes(id)}; }

 private:
  static bool OnAllocation(void *arg, size_t) {
    auto *self = static_cast<RecoveryFixture *>(arg);
    if (pthread_mutex_trylock(self->lock_) != 0) return true;
    pthread_mutex_unlock(self->lock_);
    cx_memory_set_hook(nullptr, nullptr);
    self->meddle_();
    cx_memory_set_hook(OnAllocation, self);
    return true;
  }

  static int64_t OnClock(const cx_clock *clock) {
    RecoveryFixture *self = interrupted_;
    if (pthread_mutex_trylock(self->lock_) == 0) {
      pthread_mutex_unlock(self->lock_);
      self->clock_.base.wall_us = FakeClock::Wall;
      self->meddle_();
      self->clock_.base.wall_us = OnClock;
    }
    return FakeClock::Wall(clock);
  }

  static std::vector<cx_label> Labels(const Texts &texts) {
    std::vector<cx_label> labels;
    for (const auto &[key, value] : texts) labels.push_back({Bytes(key), Bytes(value)});
    return labels;
  }
  static std::vector<cx_attachment> Attachments(const Texts &texts) {
    std::vector<cx_attachment> list;
    for (const auto &[key, value] : texts) list.push_back({Bytes(key), {}, Bytes(value)});
    return list;
  }
  static std::vector<cx_bytes> Keys(const std::vector<std::string> &texts) {
    std::vector<cx_bytes> keys;
    for (const std::string &text : texts) keys.push_back(Bytes(text));
    return keys;
  }

  static std::string Value(const cx_entry_view &entry) {
    std::string value(entry.value_size, '\0');
    cx_entry_value_copy(&entry, reinterpret_cast<uint8_t *>(&value[0]));
    return value;
  }

  static Point Read(const cx_point_view &view) {
    Point point;
    cx_entry_walk walk;
    cx_entry_view entry;
    point.id = Text(view.id);
    point.parent_id = Text(view.parent_id);
    point.context_id = Text(view.state.id);
    point.sequence = view.sequence;
    point.revision = view.revision;
    point.attachment_count = view.attachment_count;
    point.create_time_us = view.create_time_us;
    point.expire_time_us = view.expire_time_us;
    point.pinned = view.pinned;
    point.origin = view.origin;
    for (size_t i = 0; i < view.label_count; i++) {
      point.labels[Text(view.labels[i].key)] = Text(view.labels[i].value);
    }
    cx_point_walk_attachments(&view, {}, &walk);
    while (cx_entry_walk_next(&walk, &entry)) point.attachments[Text(entry.key)] = Value(entry);
    EngineFixture::Read(view.state, &point.state);
    return point;
  }

  static Pointed &Take(Pointed &pointed, cx_point_view *view) {
    if (pointed.status == CX_OK) {
      pointed.there = view->point != nullptr;
      if (pointed.there) pointed.point = Read(*view);
    }
    cx_point_view_done(view);
    return pointed;
  }

  static Conflict Read(const cx_merge_conflict &told) {
    Conflict conflict = {Text(told.key), told.in_labels, "-", "-", "-"};
    if (told.in_labels) {
      if (told.has_ancestor) conflict.ancestor = Text(told.ancestor_label);
      if (told.has_target) conflict.target = Text(told.target_label);
      if (told.has_source) conflict.source = Text(told.source_label);
      return conflict;
    }
    if (told.has_ancestor) conflict.ancestor = Value(told.ancestor);
    if (told.has_target) conflict.target = Value(told.target);
    if (told.has_source) conflict.source = Value(told.source);
    return conflict;
  }

  inline static RecoveryFixture *interrupted_ = nullptr;
  std::function<void()> meddle_;
  pthread_mutex_t *lock_ = nullptr;
};

#endif  // CX_TESTS_UNIT_ENGINE_RECOVERY_FIXTURE_H
