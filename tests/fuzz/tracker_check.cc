// Each side of what two hold of each other is looked at, and then whether they agree.

#include "tests/fuzz/tracker_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "tests/fuzz/input.h"

extern "C" {
#include "core/state/activity.h"
#include "core/state/file.h"
#include "core/state/point.h"
#include "core/state/tracked.h"
#include "core/state/usage.h"
}

namespace {

// Sums of usage, by row.
class UsageSums {
 public:
  void Add(const std::string &row, const cx_usage_sums &more) { cx_usage_add(&rows_[row], &more); }

  // Whether each sum is at least that of the other; with `exactly`, the same.
  bool Covers(const UsageSums &other, bool exactly) const {
    if (exactly && rows_.size() != other.rows_.size()) return false;
    for (const auto &[row, sums] : other.rows_) {
      auto found = rows_.find(row);
      if (found == rows_.end() || !AtLeast(found->second, sums) ||
          (exactly && !AtLeast(sums, found->second))) {
        return false;
      }
    }
    return true;
  }

 private:
  static bool AtLeast(const cx_usage_sums &a, const cx_usage_sums &b) {
    return a.call_count >= b.call_count && a.input_tokens >= b.input_tokens &&
           a.output_tokens >= b.output_tokens && a.cached_tokens >= b.cached_tokens &&
           a.cost_micros >= b.cost_micros && a.latency_us >= b.latency_us;
  }

  std::map<std::string, cx_usage_sums> rows_;
};

class TrackerCheck {
 public:
  TrackerCheck(const cx_state &state, bool nothing_ended) : state_(state) {
    for (const cx_shard &shard : state.shards) {
      CheckSessions(shard);
      for (size_t place = 0; place < shard.contexts.capacity; place++) {
        const cx_context *context = cx_table_at(&shard.contexts, place);
        if (context != nullptr && context->tracked != nullptr) CheckContext(context);
      }
    }
    CheckBothSides(nothing_ended);
  }

 private:
  // ---- All of them. ----

  void CheckSessions(const cx_shard &shard) {
    cx_tree_cursor cursor;
    size_t count = 0, row_count = 0;
    for (cx_tree_item *item = cx_tree_seek(&cx_session_class, &shard.sessions, {}, &cursor);
         item != nullptr; item = cx_tree_next(&cursor)) {
      CheckSession(shard, cx_session_of(item));
      count++;
    }
    for (cx_tree_item *row = cx_tree_seek(&cx_row_class, &shard.sessions_by_start, {}, &cursor);
         row != nullptr; row = cx_tree_next(&cursor)) {
      row_count++;
    }
    FUZZ_REQUIRE(row_count == count && shard.leases.count == count,
                 "a list holds a session that is not there");
    session_count_ += count;
  }

  void CheckContext(const cx_context *context) {
    std::string id = FuzzText(cx_context_id(context));
    CheckActivations(context, id);
    CheckResources(context, id);
    CheckTables(context, id);
    CheckHistory(context, id);
  }

  void CheckSession(const cx_shard &shard, const cx_session *session) {
    std::string id = FuzzText(cx_session_id(session));
    uint32_t place = session->lease.place;
    FUZZ_REQUIRE(!session->ending, "%s is still being changed", id.c_str());
    FUZZ_REQUIRE(&state_.shards[session->shard] == &shard, "%s: in another shard", id.c_str());
    FUZZ_REQUIRE(place >= 1 && place <= shard.leases.count &&
                     shard.leases.slots[place - 1].mark == &session->lease,
                 "%s: no lease", id.c_str());
    FUZZ_REQUIRE(session->start_revision >= 1 && session->revision >= session->start_revision,
                 "%s: revisions", id.c_str());
    CheckRow(shard, session, id);
    CheckActive(session, id);
    CheckHeld(session, id);
  }

  void CheckBothSides(bool nothing_ended) {
    FUZZ_REQUIRE(session_count_ == static_cast<size_t>(state_.session_count),
                 "sessions are miscounted");
    FUZZ_REQUIRE(of_contexts_ == of_sessions_, "activations of one side alone");
    FUZZ_REQUIRE(held_of_contexts_ == held_by_sessions_, "resources of one side alone");
    for (const auto &[name, usage] : usage_) {
      FUZZ_REQUIRE(
          UsageOfNamespace(name).Covers(usage, nothing_ended && usage_of_forks_.count(name) == 0),
          "%s: usage is missing", name.c_str());
    }
    for (const auto &[name, usage] : usage_of_forks_) {
      FUZZ_REQUIRE(UsageOfNamespace(name).Covers(usage, false), "%s: usage of a fork is missing",
                   name.c_str());
    }
  }

  // ---- Sessions. ----

  static void CheckRow(const cx_shard &shard, const cx_session *session, const std::string &id) {
    cx_session_row_id row;
    cx_session_row_id_init(&row, session->start_revision, cx_session_id(session));
    std::string key = FuzzText(cx_session_namespace(session)) + '\0' +
                      std::string(reinterpret_cast<char *>(row.bytes), row.size);
    FUZZ_REQUIRE(cx_tree_get(&cx_row_class, &shard.sessions_by_start, FuzzBytes(key)) != nullptr,
                 "%s: no row by start", id.c_str());
  }

  void CheckActive(const cx_session *session, const std::string &id) {
    const cx_activation *previous = nullptr;
    size_t count = 0;
    bool current = session->current == nullptr;
    for (const cx_activation *each = session->activation_oldest; each != nullptr;
         each = each->session_next) {
      FUZZ_REQUIRE(each->session == session && each->session_previous == previous && !each->staged,
                   "%s: its list of activations", id.c_str());
      FUZZ_REQUIRE(cx_session_find(session, each->context) == each, "%s: active twice", id.c_str());
      current = current || each == session->current;
      of_sessions_.insert(each);
      previous = each;
      count++;
    }
    FUZZ_REQUIRE(previous == session->activation_newest && count == session->activation_count,
                 "%s: activations are miscounted", id.c_str());
    FUZZ_REQUIRE(current && (session->current == nullptr) == (count == 0),
                 "%s: its current context", id.c_str());
  }

  void CheckHeld(const cx_session *session, const std::string &id) {
    const cx_resource *previous = nullptr;
    size_t count = 0;
    for (const cx_resource *each = session->resource_newest; each != nullptr; each = each->next) {
      FUZZ_REQUIRE(each->session == session && each->previous == previous && !each->staged,
                   "%s: its list of resources", id.c_str());
      held_by_sessions_.insert(each);
      previous = each;
      count++;
    }
    FUZZ_REQUIRE(count == session->resource_count, "%s: resources are miscounted", id.c_str());
  }

  // ---- Contexts. ----

  // Its history may begin with another's, whose usage counts once, and who holds what.
  static bool IsFork(const cx_context *context) {
    return context->recovery != nullptr && context->recovery->forked_from != nullptr;
  }

  // One that has ended and is there again holds nothing of before, which no activity tells.
  static bool IsRevived(const cx_context *context) {
    return context->recovery != nullptr && context->recovery->revived_revision != 0;
  }

  void CheckActivations(const cx_context *context, const std::string &id) {
    const cx_tracked *tracked = context->tracked;
    const cx_activation *previous = nullptr;
    const cx_activation *exclusive = nullptr;
    size_t count = 0;
    for (const cx_activation *each = tracked->activation_oldest; each != nullptr;
         each = each->context_next) {
      FUZZ_REQUIRE(each->context == context && each->context_previous == previous,
                   "%s: its list of activations", id.c_str());
      FUZZ_REQUIRE(
          each->fence != 0 ? exclusive == nullptr && each->fence == tracked->fence : !each->guard,
          "%s: a fence that is not in force", id.c_str());
      if (each->fence != 0) exclusive = each;
      of_contexts_.insert(each);
      previous = each;
      count++;
    }
    FUZZ_REQUIRE(previous == tracked->activation_newest && count == tracked->activation_count,
                 "%s: activations are miscounted", id.c_str());
    FUZZ_REQUIRE(exclusive == tracked->exclusive, "%s: who has it exclusively", id.c_str());
    FUZZ_REQUIRE(count == 0 || context->life == CX_CONTEXT_LIVE, "%s: active and gone", id.c_str());
  }

  void CheckResources(const cx_context *context, const std::string &id) {
    cx_tree_cursor cursor;
    for (cx_tree_item *item =
             cx_tree_seek(&cx_resource_class, &context->tracked->resources, {}, &cursor);
         item != nullptr; item = cx_tree_next(&cursor)) {
      const cx_resource *resource = cx_resource_of(item);
      FUZZ_REQUIRE(resource->context == context && context->life == CX_CONTEXT_LIVE,
                   "%s: a resource of another, or held and gone", id.c_str());
      held_of_contexts_.insert(resource);
    }
  }

  void CheckTables(const cx_context *context, const std::string &id) {
    const cx_tracked *tracked = context->tracked;
    const std::string name = FuzzText(cx_context_namespace(context));
    UsageSums usage_of_fork;
    cx_tree_cursor cursor;
    size_t count = 0;
    for (cx_tree_item *item = cx_tree_seek(&cx_usage_class, &tracked->usage, {}, &cursor);
         item != nullptr; item = cx_tree_next(&cursor)) {
      const cx_usage *usage = cx_usage_of(item);
      FUZZ_REQUIRE(usage->sums.call_count > 0, "%s: usage without calls", id.c_str());
      UsageSums *sums = IsFork(context) ? &usage_of_fork : &usage_[name];
      sums->Add(FuzzText(cx_tree_item_key(&cx_usage_class, item)), usage->sums);
      count++;
    }
    if (IsFork(context)) usage_of_forks_.emplace(name, usage_of_fork);
    FUZZ_REQUIRE(count == tracked->usage_count, "%s: rows of usage are miscounted", id.c_str());
    FUZZ_REQUIRE(Files(tracked->files).size() == tracked->file_count, "%s: files are miscounted",
                 id.c_str());
    FUZZ_REQUIRE(context->life != CX_CONTEXT_BARE ||
                     (count == 0 && Files(tracked->files).empty() && tracked->history_count == 0),
                 "%s: bare, and there is more than numbers", id.c_str());
  }

  // ---- The history, and what follows from a whole one. ----

  struct File {
    std::string operation, source;
    int64_t time_us = 0;
    uint64_t count = 0;
    bool operator==(const File &other) const {
      return operation == other.operation && source == other.source && time_us == other.time_us &&
             count == other.count;
    }
  };
  using FileRows = std::map<std::string, File>;

  static FileRows Files(const cx_tree &files) {
    FileRows rows;
    cx_tree_cursor cursor;
    for (cx_tree_item *item = cx_tree_seek(&cx_file_class, &files, {}, &cursor); item != nullptr;
         item = cx_tree_next(&cursor)) {
      struct cx_file_view view;
      cx_file_view(cx_file_of(item), &view);
      rows[FuzzText(view.last.path)] = {FuzzText(view.last.operation), FuzzText(view.last.source),
                                        view.time_us, view.operation_count};
    }
    return rows;
  }

  // What a history says was done.
  struct Told {
    FileRows files;
    UsageSums usage;
    std::map<std::string, std::string> holders;

    void Add(const struct cx_activity_view &activity) {
      if (activity.detail.kind == CX_DETAIL_FILE) {
        const cx_file_operation &operation = activity.detail.file;
        File *file = &files[FuzzText(operation.path)];
        *file = {FuzzText(operation.operation), FuzzText(operation.source), activity.time_us,
                 file->count + 1};
      } else if (activity.detail.kind == CX_DETAIL_MODEL) {
        cx_usage_key key;
        cx_usage_key_init(&key, &activity.detail.model);
        usage.Add(std::string(reinterpret_cast<char *>(key.bytes), key.size),
                  cx_usage_sums_of(&activity.detail.model));
      } else if (activity.detail.kind == CX_DETAIL_RESOURCE) {
        const cx_resource_event &event = activity.detail.resource;
        if (event.step == CX_RESOURCE_ACQUIRED) {
          holders[FuzzText(event.name)] = FuzzText(activity.session_id);
        } else {
          holders.erase(FuzzText(event.name));
        }
      }
    }
  };

  static void CheckHistory(const cx_context *context, const std::string &id) {
    const cx_tracked *tracked = context->tracked;
    cx_tree_cursor cursor;
    uint64_t count = 0, bytes = 0, sequence = 0;
    int64_t time_us = 0;
    Told told;
    for (cx_tree_item *item = cx_tree_seek(&cx_activity_class, &tracked->history, {}, &cursor);
         item != nullptr; item = cx_tree_next(&cursor)) {
      const cx_activity *activity = cx_activity_of(item);
      FUZZ_REQUIRE(cx_activity_sequence(activity) > sequence && activity->time_us >= time_us &&
                       activity->time_us > 0,
                   "%s: its history goes back", id.c_str());
      sequence = cx_activity_sequence(activity);
      time_us = activity->time_us;
      count++;
      bytes += cx_activity_weight(activity);
      struct cx_activity_view view;
      cx_activity_view(activity, &view);
      told.Add(view);
    }
    FUZZ_REQUIRE(count == tracked->history_count && bytes == tracked->history_bytes,
                 "%s: the history is miscounted", id.c_str());
    FUZZ_REQUIRE(sequence <= tracked->last_sequence, "%s: sequences go back", id.c_str());
    if (count == tracked->last_sequence) CheckTold(context, told, id);
  }

  // Nothing was ever dropped: the tables are what the history tells.
  static void CheckTold(const cx_context *context, const Told &told, const std::string &id) {
    const cx_tracked *tracked = context->tracked;
    cx_tree_cursor cursor;
    UsageSums usage;
    for (cx_tree_item *item = cx_tree_seek(&cx_usage_class, &tracked->usage, {}, &cursor);
         item != nullptr; item = cx_tree_next(&cursor)) {
      usage.Add(FuzzText(cx_tree_item_key(&cx_usage_class, item)), cx_usage_of(item)->sums);
    }
    FUZZ_REQUIRE(told.usage.Covers(usage, true), "%s: usage is not what happened", id.c_str());
    FUZZ_REQUIRE(told.files == Files(tracked->files), "%s: files are not what happened",
                 id.c_str());
    if (context->life != CX_CONTEXT_LIVE) return;
    std::map<std::string, std::string> holders;
    for (cx_tree_item *item = cx_tree_seek(&cx_resource_class, &tracked->resources, {}, &cursor);
         item != nullptr; item = cx_tree_next(&cursor)) {
      holders[FuzzText(cx_tree_item_key(&cx_resource_class, item))] =
          FuzzText(cx_session_id(cx_resource_of(item)->session));
    }
    bool may_lack = IsFork(context) || IsRevived(context);
    FUZZ_REQUIRE(may_lack ? std::includes(told.holders.begin(), told.holders.end(), holders.begin(),
                                          holders.end())
                          : told.holders == holders,
                 "%s: what is held is not what happened", id.c_str());
  }

  UsageSums UsageOfNamespace(const std::string &name) const {
    cx_usage_summary summary = {};
    auto *namespaces = const_cast<cx_namespaces *>(&state_.namespaces);
    FUZZ_REQUIRE(cx_namespaces_summarize_usage(namespaces, FuzzBytes(name), &summary) == CX_OK,
                 "no memory");
    UsageSums sums;
    for (size_t i = 0; i < summary.count; i++) {
      const cx_usage_total &total = summary.totals[i];
      std::string row = FuzzText(total.provider) + '\0' + FuzzText(total.model) + '\0' +
                        FuzzText(total.mode) + '\0' + FuzzText(total.currency);
      sums.Add(row, {total.call_count, total.input_tokens, total.output_tokens, total.cached_tokens,
                     total.cost_micros, total.latency_us});
    }
    cx_usage_summary_done(&summary);
    return sums;
  }

  const cx_state &state_;
  size_t session_count_ = 0;
  std::set<const cx_activation *> of_contexts_, of_sessions_;
  std::set<const cx_resource *> held_of_contexts_, held_by_sessions_;
  std::map<std::string, UsageSums> usage_;  // Of the contexts of each namespace, but of its forks:
  std::multimap<std::string, UsageSums> usage_of_forks_;  // each of them alone.
};

}  // namespace

void CheckTracker(const cx_state &state, bool nothing_ended) {
  TrackerCheck check(state, nothing_ended);
}
