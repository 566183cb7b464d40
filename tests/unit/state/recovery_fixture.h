// A state with recovery points: what the requests about them are made of, and looks at what they
// left. Whatever a test does, in the end a replay gives the same state, and all trees of all
// contexts fit their points.

#ifndef CX_TESTS_UNIT_STATE_RECOVERY_FIXTURE_H
#define CX_TESTS_UNIT_STATE_RECOVERY_FIXTURE_H

#include "tests/unit/state/tracker_fixture.h"

extern "C" {
#include "core/state/ancestor.h"
#include "core/state/earlier.h"
#include "core/state/retention.h"
}

#include <algorithm>
#include <set>

inline cx_recovery_policy Policy(uint64_t keep_last, uint64_t keep_every = 0,
                                 int64_t keep_within_us = 0, uint64_t point_every_changes = 0,
                                 int64_t point_every_us = 0) {
  return {true, {keep_last, keep_every, keep_within_us}, point_every_changes, point_every_us};
}

class RecoveryFixture : public TrackerFixture {
 protected:
  using Make = cx_create_point_request;
  using Change = cx_update_point_request;
  using Prune = cx_prune_request;
  using Restore = cx_restore_request;
  using Fork = cx_fork_request;
  using Merge = cx_merge_request;

  RecoveryFixture() { plan_.recovery_points_max = 1000; }

  void TearDown() override {
    ExpectReplayGivesTheSame();
    ExpectAllFits();
  }

  // ---- Requests, planned. They live until the next one.

  cx_plan_result PlanMake(const std::string &context, const std::string &id,
                          const Mutations &mutations = {}, const Set<Make> &set = {}) {
    mutations_ = mutations;
    make_ = {};
    make_.name = {cx_bytes_of("default"), Keep(context)};
    make_.point_id = Keep(id);
    make_.mutations = mutations_.list().data();
    make_.mutation_count = mutations_.list().size();
    if (set) set(&make_);
    cx_plan_begin(&plan_);
    return cx_plan_create_point(&plan_, &make_);
  }

  cx_plan_result PlanChangePoint(const std::string &context, const std::string &id,
                                 const Set<Change> &set = {}) {
    change_ = {};
    change_.name = {cx_bytes_of("default"), Keep(context)};
    change_.point_id = Keep(id);
    if (set) set(&change_);
    cx_plan_begin(&plan_);
    return cx_plan_update_point(&plan_, &change_);
  }

  cx_plan_result PlanDrop(const std::string &context, const std::string &id,
                          const Set<cx_delete_point_request> &set = {}) {
    drop_ = {};
    drop_.name = {cx_bytes_of("default"), Keep(context)};
    drop_.point_id = Keep(id);
    if (set) set(&drop_);
    cx_plan_begin(&plan_);
    return cx_plan_delete_point(&plan_, &drop_);
  }

  cx_plan_result PlanPrune(const std::string &context, const cx_retention &policy,
                           const Set<Prune> &set = {}) {
    key_ = NameKey(context);
    prune_ = {};
    prune_.namespace_id = cx_bytes_of("default");
    prune_.context_id = Keep(context);
    prune_.policy = policy;
    if (set) set(&prune_);
    cx_plan_begin(&plan_);
    return cx_plan_prune(&plan_, &prune_, &key_);
  }

  // A restore that is prepared, as far as its target is concerned, where it says so.
  cx_plan_result PlanRestore(const std::string &context, const Set<Restore> &set = {}) {
    restore_ = {};
    restore_.name = {cx_bytes_of("default"), Keep(context)};
    if (set) set(&restore_);
    prepared_ = {};
    cx_plan_begin(&plan_);
    cx_plan_result result = cx_plan_restore(&plan_, &restore_, &prepared_);
    if (result == CX_PLAN_NOTHING && prepared_.moved) {
      cx_plan_end(&plan_);
      Prepare(context);
      cx_plan_begin(&plan_);
      result = cx_plan_restore(&plan_, &restore_, &prepared_);
    }
    return result;
  }

  void Prepare(const std::string &target, cx_op *ops = nullptr, size_t op_count = 0) {
    prepared_.is_set = true;
    prepared_.target_version = Find(target)->version;
    prepared_.ops = ops;
    prepared_.op_count = op_count;
    prepared_.untold = ops == nullptr;
  }

  cx_plan_result PlanFork(const std::string &source, const std::string &id,
                          const Set<Fork> &set = {}) {
    fork_ = {};
    fork_.source = {cx_bytes_of("default"), Keep(source)};
    fork_.id = Keep(id);
    if (set) set(&fork_);
    cx_plan_begin(&plan_);
    return cx_plan_fork(&plan_, &fork_);
  }

  // A merge that comes to a put of `key`.
  cx_plan_result PlanMerge(const std::string &source, const std::string &target,
                           const std::string &key, const Set<Merge> &set = {}) {
    merge_ = {};
    merge_.source = {cx_bytes_of("default"), Keep(source)};
    merge_.target = {cx_bytes_of("default"), Keep(target)};
    if (set) set(&merge_);
    prepared_ = {};
    cx_plan_begin(&plan_);
    cx_plan_result result = cx_plan_merge(&plan_, &merge_, &prepared_);
    if (result == CX_PLAN_NOTHING && prepared_.moved) {
      cx_plan_end(&plan_);
      merged_op_ = {};
      merged_op_.kind = CX_MUTATION_PUT;
      merged_op_.key = Keep(key);
      merged_op_.value = cx_bytes_of("merged");
      Prepare(target, &merged_op_, 1);
      cx_plan_begin(&plan_);
      result = cx_plan_merge(&plan_, &merge_, &prepared_);
    }
    return result;
  }

  // ---- The same, logged and applied.

  cx_plan_result MakePoint(const std::string &context, const std::string &id,
                           const Mutations &mutations = {}, const Set<Make> &set = {}) {
    return Finish(PlanMake(context, id, mutations, set));
  }
  cx_plan_result MakePoint(const std::string &context, const std::string &id,
                           const Set<Make> &set) {
    return Finish(PlanMake(context, id, {}, set));
  }
  cx_plan_result ChangePoint(const std::string &context, const std::string &id,
                             const Set<Change> &set = {}) {
    return Finish(PlanChangePoint(context, id, set));
  }
  cx_plan_result DropPoint(const std::string &context, const std::string &id) {
    return Finish(PlanDrop(context, id));
  }
  cx_plan_result PrunePoints(const std::string &context, const cx_retention &policy,
                             const Set<Prune> &set = {}) {
    cx_plan_result result = PlanPrune(context, policy, set);
    count_ = plan_.count;
    kept_count_ = plan_.kept;
    return Finish(result);
  }
  cx_plan_result RestoreTo(const std::string &context, const Set<Restore> &set = {}) {
    return Finish(PlanRestore(context, set));
  }
  cx_plan_result ForkFrom(const std::string &source, const std::string &id,
                          const Set<Fork> &set = {}) {
    return Finish(PlanFork(source, id, set));
  }
  cx_plan_result MergeInto(const std::string &source, const std::string &target,
                           const std::string &key, const Set<Merge> &set = {}) {
    return Finish(PlanMerge(source, target, key, set));
  }
  cx_plan_result SetPolicy(const std::string &context, const cx_recovery_policy &policy) {
    cx_mutation mutation = {};
    cx_update_request request = {};
    size_t index;
    mutation.kind = CX_MUTATION_SET_POLICY;
    mutation.policy = &policy;
    request.name = {cx_bytes_of("default"), Bytes(context)};
    request.mutations = &mutation;
    request.mutation_count = 1;
    cx_plan_begin(&plan_);
    return Finish(cx_plan_update(&plan_, &request, 1, false, {}, &index));
  }
  cx_plan_result CreateWith(const std::string &id, const cx_recovery_policy &policy,
                            const Mutations &mutations = {}) {
    cx_new_context properties = {};
    properties.policy = policy;
    return Create(id, properties, mutations);
  }

  // ---- What makes a request another one.

  static Set<Make> From(const char *id, bool move_head = false) {
    return [=](Make *request) {
      request->from_point_id = cx_bytes_of(id);
      request->move_head = move_head;
    };
  }
  static void MovingHead(Make *request) { request->move_head = true; }
  static void Replacing(Make *request) { request->replace = true; }
  static void Pinned(Make *request) { request->pinned = true; }
  static Set<Make> Living(int64_t ttl_us) {
    return [=](Make *request) { request->ttl_us = ttl_us; };
  }
  static Set<Restore> ToPoint(const char *id, bool safety_point = false) {
    return [=](Restore *request) {
      request->at.point_id = cx_bytes_of(id);
      request->safety_point = safety_point;
    };
  }
  static Set<Restore> ToVersion(uint64_t version) {
    return [=](Restore *request) { request->at.version = version; };
  }
  static Set<Restore> ToTime(int64_t time_us) {
    return [=](Restore *request) { request->at.time_us = time_us; };
  }
  static void Undeleting(Restore *request) { request->undelete = true; }

  // ---- Looks.

  const cx_recovery &Recovery(const std::string &context) const {
    static const cx_recovery none = {};
    const cx_context *found = Find(context);
    return found != nullptr && found->recovery != nullptr ? *found->recovery : none;
  }

  const cx_point *Point(const std::string &context, const std::string &id) const {
    return cx_recovery_find_id(&Recovery(context), Bytes(id));
  }

  static std::string Entries(const cx_tree &tree) {
    std::string text;
    cx_tree_cursor cursor;
    cx_tree_item *item = cx_tree_seek(&cx_entry_class, &tree, {}, &cursor);
    for (; item != nullptr; item = cx_tree_next(&cursor)) {
      const cx_entry *entry = cx_entry_of(item);
      std::string value(cx_entry_value_size(entry), '\0');
      cx_entry_read(entry, reinterpret_cast<uint8_t *>(&value[0]), value.size());
      text += (text.empty() ? "" : " ") + Text(cx_entry_key(entry)) + "=" + value;
    }
    return text;
  }

  static std::string Labels(const cx_labels *labels) {
    std::string text;
    cx_label_list list = cx_labels_list(labels);
    for (size_t i = 0; i < list.count; i++) {
      text += (i > 0 ? " " : "") + Text(list.items[i].key) + "=" + Text(list.items[i].value);
    }
    return text;
  }

  std::string Head(const std::string &context) const {
    const cx_context *found = Find(context);
    return found == nullptr ? "none"
                            : "v" + std::to_string(found->version) + " " + Entries(found->entries);
  }

  // The points of a context, oldest first: sequence, id, parent, version.
  List Points(const std::string &context) const {
    List list;
    const cx_recovery &recovery = Recovery(context);
    for (const cx_point *point : AllPoints(recovery)) {
      const cx_point *parent = cx_recovery_find(&recovery, point->parent_sequence);
      list.push_back(std::to_string(point->sequence) + " " + Text(cx_point_id(point)) + " <" +
                     (parent != nullptr ? Text(cx_point_id(parent)) : "") + " v" +
                     std::to_string(point->state.version));
    }
    return list;
  }

  std::vector<uint64_t> Sequences(const std::string &context) const {
    std::vector<uint64_t> list;
    for (const cx_point *point : AllPoints(Recovery(context))) list.push_back(point->sequence);
    return list;
  }

  static std::vector<cx_point *> AllPoints(const cx_recovery &recovery) {
    std::vector<cx_point *> list;
    cx_tree_cursor cursor;
    cx_tree_item *item = cx_tree_seek(&cx_point_class, &recovery.points, {}, &cursor);
    for (; item != nullptr; item = cx_tree_next(&cursor)) list.push_back(cx_point_of(item));
    return list;
  }

  // What point.h says of the trees of a context, and that versions are handed out once.
  static void ExpectFits(const cx_context *context) {
    using Row = std::pair<std::string, uint64_t>;
    const cx_recovery &recovery = *context->recovery;
    std::set<Row> ids, children, expiring;
    std::map<uint64_t, std::string> states = {
        {context->version, context->life == CX_CONTEXT_BARE ? "" : Entries(context->entries)}};
    uint64_t last = 0;
    for (const cx_point *point : AllPoints(recovery)) {
      EXPECT_GT(point->sequence, last);
      last = point->sequence;
      ids.insert({Text(cx_point_id(point)), last});
      EXPECT_LT(point->parent_sequence, last);
      if (point->parent_sequence != 0) {
        EXPECT_NE(nullptr, cx_recovery_find(&recovery, point->parent_sequence));
        children.insert({Pair(point->parent_sequence, last), last});
      }
      if (point->expire_time_us != 0) expiring.insert({Pair(point->expire_time_us, last), last});
      EXPECT_LE(point->state.version, cx_context_version_last(context));
      auto state = states.insert({point->state.version, Entries(point->state.entries)}).first;
      EXPECT_EQ(state->second, Entries(point->state.entries)) << "of v" << state->first;
    }
    EXPECT_EQ(ids.size(), recovery.point_count);
    EXPECT_LE(last, recovery.last_sequence);
    EXPECT_EQ(ids, Rows(recovery.ids));
    EXPECT_EQ(children, Rows(recovery.children));
    EXPECT_EQ(expiring, Rows(recovery.expiring));
    if (recovery.head_point != 0) {
      EXPECT_NE(nullptr, cx_recovery_find(&recovery, recovery.head_point));
    }
    size_t merged = 0;
    for (const cx_merged *each = recovery.merged; each != nullptr; each = each->next) merged++;
    EXPECT_LE(merged, CX_MERGE_BASES_MAX);
  }

  // The same of all contexts, and that the lists by revision have their points and no others.
  void ExpectAllFits() {
    for (const cx_shard &shard : state_.shards) {
      std::set<std::string> expected, found;
      for (size_t place = 0; place < shard.contexts.capacity; place++) {
        const cx_context *context = cx_table_at(&shard.contexts, place);
        if (context == nullptr || context->recovery == nullptr) continue;
        ExpectFits(context);
        for (const cx_point *point : AllPoints(*context->recovery)) {
          cx_point_list_id id;
          cx_point_list_id_init(&id, point->revision, cx_context_id(context), point->sequence);
          expected.insert(Text(cx_context_namespace(context)) + '\0' + Text({id.bytes, id.size}));
        }
      }
      cx_tree_cursor cursor;
      cx_tree_item *item = cx_tree_seek(&cx_row_class, &shard.points, {}, &cursor);
      for (; item != nullptr; item = cx_tree_next(&cursor)) {
        found.insert(Text(cx_tree_item_key(&cx_row_class, item)));
      }
      EXPECT_EQ(expected, found);
    }
  }

  Make make_ = {};
  Change change_ = {};
  cx_delete_point_request drop_ = {};
  Prune prune_ = {};
  Restore restore_ = {};
  Fork fork_ = {};
  Merge merge_ = {};
  cx_prepared prepared_ = {};
  cx_op merged_op_ = {};
  cx_name_key key_;  // Of the context whose points are pruned.
  uint64_t count_ = 0;
  uint64_t kept_count_ = 0;

 private:
  static std::string Pair(uint64_t first, uint64_t second) {
    struct cx_number_pair_key key;
    return Text(cx_number_pair_key(&key, first, second));
  }

  static std::set<std::pair<std::string, uint64_t>> Rows(const cx_tree &tree) {
    std::set<std::pair<std::string, uint64_t>> rows;
    cx_tree_cursor cursor;
    cx_tree_item *item = cx_tree_seek(&cx_point_row_class, &tree, {}, &cursor);
    for (; item != nullptr; item = cx_tree_next(&cursor)) {
      rows.insert({Text(cx_tree_item_key(&cx_point_row_class, item)),
                   reinterpret_cast<cx_point_row *>(item)->sequence});
    }
    return rows;
  }
};

#endif  // CX_TESTS_UNIT_STATE_RECOVERY_FIXTURE_H
