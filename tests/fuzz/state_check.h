// What holds in every state (core/state/state.h), whatever changes have made it.

#ifndef CX_TESTS_FUZZ_STATE_CHECK_H
#define CX_TESTS_FUZZ_STATE_CHECK_H

#include <string>

#include "tests/fuzz/input.h"
#include "tests/fuzz/tracker_check.h"

extern "C" {
#include "core/state/state.h"
}

// Requires that the lists hold each context once, where it belongs, and nothing else, and
// that what is counted adds up. `nothing_ended`: no context ever has.
class StateCheck {
 public:
  explicit StateCheck(const cx_state &state, bool nothing_ended = false) {
    Rows listed;
    for (const cx_shard &shard : state.shards) {
      listed.by_id += Count(cx_context_class, shard.by_id);
      listed.deleted += Count(cx_context_class, shard.deleted);
      listed.by_type += Count(cx_row_class, shard.by_type);
      listed.by_label += Count(cx_row_class, shard.by_label);
      listed.children += Count(cx_row_class, shard.children);
      for (size_t place = 0; place < shard.contexts.capacity; place++) {
        cx_context *context = cx_table_at(&shard.contexts, place);
        if (context != nullptr) CheckContext(shard, context);
      }
    }
    CheckTracker(state, nothing_ended);
    FUZZ_REQUIRE(listed.by_id == found_.by_id && listed.deleted == found_.deleted &&
                     listed.by_type == found_.by_type && listed.by_label == found_.by_label,
                 "a list holds something that is not there");
    FUZZ_REQUIRE(listed.children == found_.children && child_count_ == found_.children,
                 "children are miscounted");
    cx_namespaces_walk(const_cast<cx_namespaces *>(&state.namespaces), {}, AddTotals, this);
    FUZZ_REQUIRE(total_count_ == found_.by_id && total_size_ == size_, "totals are miscounted");
  }

 private:
  struct Rows {
    size_t by_id = 0, deleted = 0, by_type = 0, by_label = 0, children = 0;
  };

  static size_t Count(const cx_tree_class &kind, const cx_tree &tree) {
    cx_tree_cursor cursor;
    size_t count = 0;
    for (cx_tree_item *item = cx_tree_seek(&kind, &tree, {}, &cursor); item != nullptr;
         item = cx_tree_next(&cursor)) {
      count++;
    }
    return count;
  }

  static bool AddTotals(void *arg, cx_bytes, uint64_t context_count, uint64_t size_bytes) {
    auto *self = static_cast<StateCheck *>(arg);
    self->total_count_ += context_count;
    self->total_size_ += size_bytes;
    return true;
  }

  static bool Holds(const cx_tree &tree, cx_context *context) {
    cx_bytes key = cx_tree_item_key(&cx_context_class, &context->item);
    return cx_tree_get(&cx_context_class, &tree, key) == &context->item;
  }

  void CheckContext(const cx_shard &shard, cx_context *context) {
    bool live = context->life == CX_CONTEXT_LIVE;
    std::string id = FuzzText(cx_context_id(context));
    FUZZ_REQUIRE(context->staged == 0, "%s is still being changed", id.c_str());
    FUZZ_REQUIRE(Holds(shard.by_id, context) == live, "%s: by id", id.c_str());
    FUZZ_REQUIRE(Holds(shard.deleted, context) == (context->life == CX_CONTEXT_DELETED),
                 "%s: among the deleted", id.c_str());
    found_.deleted += context->life == CX_CONTEXT_DELETED ? 1 : 0;
    CheckEntries(context, id);
    if (!live) return;
    found_.by_id++;
    found_.by_type += cx_context_type(context).size > 0 ? 1 : 0;
    found_.by_label += cx_labels_list(context->labels).count;
    found_.children += cx_context_parent_id(context).size > 0 ? 1 : 0;
    child_count_ += context->child_count;
    size_ += context->size_bytes;
  }

  static void CheckEntries(const cx_context *context, const std::string &id) {
    cx_tree_cursor cursor;
    uint64_t count = 0, size = 0;
    for (cx_tree_item *item = cx_tree_seek(&cx_entry_class, &context->entries, {}, &cursor);
         item != nullptr; item = cx_tree_next(&cursor)) {
      count++;
      size += cx_entry_weight(cx_entry_of(item));
    }
    bool bare = context->life == CX_CONTEXT_BARE;
    FUZZ_REQUIRE(bare || (count == context->entry_count && size == context->size_bytes),
                 "%s: entries are miscounted", id.c_str());
  }

  Rows found_;  // As the contexts have it.
  size_t child_count_ = 0;
  uint64_t size_ = 0;
  uint64_t total_count_ = 0;
  uint64_t total_size_ = 0;
};

#endif  // CX_TESTS_FUZZ_STATE_CHECK_H
