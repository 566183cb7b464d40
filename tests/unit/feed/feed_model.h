// Changes in C++ words, and what docs/events.md says that subscribers get of them: the events
// of a change and what a filter selects, written down a second time and as simply as possible.

#ifndef CX_TESTS_UNIT_FEED_FEED_MODEL_H
#define CX_TESTS_UNIT_FEED_FEED_MODEL_H

extern "C" {
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/feed/event.h"
#include "core/feed/filter.h"
#include "core/state/recovery.h"
#include "core/state/settings.h"
#include "core/state/table.h"
}

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/requests.h"

using Strings = std::vector<std::string>;
using Labels = std::map<std::string, std::string>;

// ---- Changes. -----------------------------------------------------------------

struct Op {
  cx_mutation_kind kind;
  std::string key, value;  // Of an activity, the value is its data.
  std::string content_type;
  Labels labels;  // Of an activity.
};

inline Op Put(const std::string &key, const std::string &value = "") {
  return {CX_MUTATION_PUT, key, value, "", {}};
}
inline Op DeletePrefix(const std::string &key) {
  return {CX_MUTATION_DELETE_PREFIX, key, "", "", {}};
}
inline Op Says(const std::string &data = "") { return {CX_MUTATION_RECORD, "", data, "", {}}; }

struct Step {
  std::string session;
  bool active;
};

// A step on a recovery point.
struct PointStep {
  cx_point_step_kind kind;
  std::string id;
};

struct Item {
  cx_item_kind kind;
  std::string id;
  std::vector<Op> ops = {};
  std::string type = "";
  Labels labels = {};
  bool labels_changed = false;
  Labels before = {};
  std::vector<Step> steps = {};
  bool trims = false;
  bool tombstone = false;    // Of a purge: of what had ended already.
  bool set_back = false;     // To an earlier state,
  std::string from = "";     // that of this recovery point, or of a version.
  bool untold = false;       // And what that came to is not known.
  std::string source = "";   // Of a create: it is a fork of this.
  std::string merged = "";   // Of an update: this was merged into it.
  std::vector<PointStep> points = {};

  bool told() const { return kind != CX_ITEM_DROP_STATES && kind != CX_ITEM_FORGET && !tombstone; }
};

// The context was not there before.
inline bool IsNew(cx_item_kind kind) {
  return kind == CX_ITEM_CREATE || kind == CX_ITEM_UNDELETE;
}

struct Change {
  std::vector<Item> items = {};
  cx_session_step step = CX_SESSION_NONE;
  std::string session = "";
  std::string namespace_id = "n";
  cx_change_kind kind = CX_CHANGE_CONTEXTS;
  uint64_t floor = 1;
};

// A change of the core's kind that lives as long as this.
class RawChange {
 public:
  explicit RawChange(const Change &change) : change_(change) {
    raw_.kind = change_.kind;
    raw_.namespace_id = Bytes(change_.namespace_id);
    raw_.floor = change_.floor;
    settings_.version_retention = 1;
    raw_.settings = &settings_;
    raw_.session.step = change_.step;
    raw_.session.start.name = {raw_.namespace_id, Bytes(change_.session)};
    raw_.session.start.ttl_us = CX_SESSION_TTL_US_MIN;
    raw_.session.current_id = cx_bytes_of("current");
    for (const Item &item : change_.items) items_.push_back(Raw(item));
    raw_.items = items_.data();
    raw_.item_count = items_.size();
  }
  RawChange(const RawChange &) = delete;
  RawChange &operator=(const RawChange &) = delete;

  const cx_change *get() const { return &raw_; }

  std::string Encode() const {
    cx_buffer buffer = {};
    EXPECT_EQ(CX_OK, cx_change_encode(&raw_, &buffer));
    std::string text = Text(cx_buffer_bytes(&buffer));
    cx_buffer_done(&buffer);
    return text;
  }

 private:
  cx_label_list Raw(const Labels &labels) {
    std::vector<cx_label> list;
    for (const auto &[key, value] : labels) list.push_back({Bytes(key), Bytes(value)});
    labels_.push_back(list);
    return {labels_.back().data(), labels_.back().size()};
  }
  cx_op Raw(const Op &op) {
    cx_op raw = {};
    raw.kind = op.kind;
    if (op.kind != CX_MUTATION_RECORD) {
      raw.key = Bytes(op.key);
      raw.value = Bytes(op.value);
      raw.content_type = Bytes(op.content_type);
      return raw;
    }
    cx_label_list labels = Raw(op.labels);
    activities_.push_back({});
    activities_.back().type = cx_bytes_of("t");
    activities_.back().data = Bytes(op.value);
    activities_.back().labels = labels.items;
    activities_.back().label_count = labels.count;
    raw.activity = &activities_.back();
    return raw;
  }
  void AddRecovery(const Item &item, cx_change_item *raw) {
    if (item.set_back) {
      raw->base = {item.from.empty() ? CX_BASE_VERSION : CX_BASE_POINT, 1};
      raw->base_id = Bytes(item.from);
    }
    raw->untold = item.untold;
    raw->source = {Bytes(item.source), {CX_BASE_HEAD, 1}};
    raw->merged = {Bytes(item.merged), {CX_BASE_HEAD, 1}};
    if (item.source.empty()) raw->source = {};
    if (item.merged.empty()) raw->merged = {};
    points_.push_back({});
    for (const PointStep &step : item.points) {
      cx_point_step each = {};
      each.kind = step.kind;
      each.id = Bytes(step.id);
      each.sequence = step.kind != CX_POINT_PENDING ? points_.back().size() + 1 : 0;
      if (step.kind <= CX_POINT_REPLACE) each.origin = CX_ORIGIN_CLIENT;
      points_.back().push_back(each);
    }
    raw->points = points_.back().data();
    raw->point_count = points_.back().size();
  }
  cx_change_item Raw(const Item &item) {
    cx_change_item raw = {};
    raw.kind = item.kind;
    raw.id = Bytes(item.id);
    raw.version = 1;
    raw.type = Bytes(item.type);
    raw.head.told = item.told();
    raw.labels = Raw(item.labels);
    raw.labels_changed = item.labels_changed || IsNew(item.kind);
    raw.labels_before = Raw(item.before);
    ops_.push_back({});
    for (const Op &op : item.ops) {
      ops_.back().push_back(Raw(op));
      if (op.kind == CX_MUTATION_RECORD) raw.first_sequence = 10;
    }
    raw.ops = ops_.back().data();
    raw.op_count = ops_.back().size();
    steps_.push_back({});
    for (const Step &step : item.steps) {
      steps_.back().push_back({Bytes(step.session), step.active, false, 0});
    }
    raw.activations = steps_.back().data();
    raw.activation_count = steps_.back().size();
    static const cx_run run = {1, 2};
    if (item.trims) raw.trimmed = {&run, 1};
    AddRecovery(item, &raw);
    return raw;
  }

  const Change change_;
  cx_settings settings_ = {};
  cx_change raw_ = {};
  std::vector<cx_change_item> items_;
  std::deque<std::vector<cx_label>> labels_;
  std::deque<std::vector<cx_op>> ops_;
  std::deque<std::vector<cx_activation_step>> steps_;
  std::deque<std::vector<cx_point_step>> points_;
  std::deque<cx_activity_content> activities_;
};

// ---- Events. ------------------------------------------------------------------

inline const char *EventName(int type) {
  static const std::map<int, const char *> names = {
      {CX_EVENT_CREATED, "CREATED"},
      {CX_EVENT_UPDATED, "UPDATED"},
      {CX_EVENT_DELETED, "DELETED"},
      {CX_EVENT_EXPIRED, "EXPIRED"},
      {CX_EVENT_RESTORED, "RESTORED"},
      {CX_EVENT_FORKED, "FORKED"},
      {CX_EVENT_MERGED, "MERGED"},
      {CX_EVENT_POINT_CREATED, "POINT_CREATED"},
      {CX_EVENT_POINT_DELETED, "POINT_DELETED"},
      {CX_EVENT_POINT_UPDATED, "POINT_UPDATED"},
      {CX_EVENT_ACTIVITY, "ACTIVITY"},
      {CX_EVENT_ACTIVATED, "ACTIVATED"},
      {CX_EVENT_DEACTIVATED, "DEACTIVATED"},
      {CX_EVENT_SESSION_STARTED, "SESSION_STARTED"},
      {CX_EVENT_SESSION_ENDED, "SESSION_ENDED"},
      {CX_EVENT_SESSION_LOST, "SESSION_LOST"},
      {CX_EVENT_HISTORY_TRIMMED, "HISTORY_TRIMMED"},
      {CX_EVENT_SESSION_SWITCHED, "SESSION_SWITCHED"},
  };
  return names.at(type);
}

// An event as a line: "7.0 UPDATED a +2 #10 more", where 7 is the revision, 0 the index, 2 the
// number of mutations and 10 the first sequence.
inline std::string Line(const cx_event &event) {
  std::string line = std::to_string(event.revision) + "." + std::to_string(event.index) + " " +
                     EventName(event.type);
  if (event.item != nullptr) line += " " + Text(event.item->id);
  if (event.session != nullptr) line += " " + Text(event.session->start.name.id);
  if (event.activation != nullptr) line += " " + Text(event.activation->session_id);
  if (event.point != nullptr) line += " " + Text(event.point->id);
  if (event.op_count > 0) line += " +" + std::to_string(event.op_count);
  if (event.first_sequence > 0) line += " #" + std::to_string(event.first_sequence);
  if (event.reset) line += " reset";
  if (event.more) line += " more";
  if (event.last) line += " last";
  return line;
}

// The same by the specification.
struct ModelEvent {
  uint64_t revision;
  uint32_t index;
  int type;
  const Change *change;
  const Item *item = nullptr;  // Else it is the change's session.
  std::string step = "";
  size_t op_count = 0;
  uint64_t first_sequence = 0;
  bool reset = false, more = false, last = false;

  std::string line() const {
    std::string text = std::to_string(revision) + "." + std::to_string(index) + " " +
                       EventName(type) + " " + (item != nullptr ? item->id : change->session);
    if (!step.empty()) text += " " + step;
    if (op_count > 0) text += " +" + std::to_string(op_count);
    if (first_sequence > 0) text += " #" + std::to_string(first_sequence);
    return text + (reset ? " reset" : "") + (more ? " more" : "") + (last ? " last" : "");
  }
};

class Events {
 public:
  // The events of a change, which outlives them.
  static std::vector<ModelEvent> Of(const Change &change, uint64_t revision) {
    Events events(&change, revision);
    if (change.kind != CX_CHANGE_CONTEXTS) return {};
    if (change.step == CX_SESSION_START) events.Add(CX_EVENT_SESSION_STARTED, nullptr);
    for (const Item &item : change.items) {
      if (item.told()) events.AddItem(item);
    }
    if (change.step == CX_SESSION_SWITCH) events.Add(CX_EVENT_SESSION_SWITCHED, nullptr);
    if (change.step == CX_SESSION_END) events.Add(CX_EVENT_SESSION_ENDED, nullptr);
    if (change.step == CX_SESSION_LOSE) events.Add(CX_EVENT_SESSION_LOST, nullptr);
    if (!events.list_.empty()) events.list_.back().last = true;
    return events.list_;
  }

 private:
  Events(const Change *change, uint64_t revision) : change_(change), revision_(revision) {}

  ModelEvent &Add(int type, const Item *item) {
    list_.push_back({revision_, static_cast<uint32_t>(list_.size()), type, change_, item});
    return list_.back();
  }
  static size_t Weight(const Op &op) {
    size_t weight = 16 + op.key.size() + op.value.size() + op.content_type.size();
    for (const auto &[key, value] : op.labels) weight += key.size() + value.size();
    return weight;
  }
  void AddMutations(int type, const Item &item) {
    size_t weight = 0;
    uint64_t sequence = 10;
    for (const Op &op : item.ops) weight += Weight(op);
    if (weight > (1 << 20) || item.untold || type == CX_EVENT_FORKED) {
      Add(type, &item).reset = true;
      return;
    }
    Add(type, &item);
    weight = 0;
    for (const Op &op : item.ops) {
      if (weight > 0 && weight + Weight(op) > (64 << 10)) {
        list_.back().more = true;
        Add(type, &item);
        weight = 0;
      }
      weight += Weight(op);
      list_.back().op_count++;
      if (op.kind == CX_MUTATION_RECORD) {
        if (list_.back().first_sequence == 0) list_.back().first_sequence = sequence;
        sequence++;
      }
    }
  }
  void AddSteps(const Item &item) {
    for (const Step &step : item.steps) {
      Add(step.active ? CX_EVENT_ACTIVATED : CX_EVENT_DEACTIVATED, &item).step = step.session;
    }
  }
  void AddPoints(const Item &item) {
    static const std::map<cx_point_step_kind, int> types = {
        {CX_POINT_MAKE, CX_EVENT_POINT_CREATED},
        {CX_POINT_REPLACE, CX_EVENT_POINT_CREATED},
        {CX_POINT_CHANGE, CX_EVENT_POINT_UPDATED},
        {CX_POINT_DROP, CX_EVENT_POINT_DELETED},
    };
    for (const PointStep &step : item.points) {
      auto type = types.find(step.kind);
      if (type != types.end()) Add(type->second, &item).step = step.id;
    }
  }
  static int StateType(const Item &item) {
    if (item.set_back || item.kind == CX_ITEM_UNDELETE) return CX_EVENT_RESTORED;
    if (!item.merged.empty()) return CX_EVENT_MERGED;
    if (item.kind == CX_ITEM_UPDATE) return CX_EVENT_UPDATED;
    return item.source.empty() ? CX_EVENT_CREATED : CX_EVENT_FORKED;
  }
  void AddItem(const Item &item) {
    bool ends = true;
    if (IsNew(item.kind) || item.kind == CX_ITEM_UPDATE) {
      AddMutations(StateType(item), item);
      ends = false;
    } else if (item.kind == CX_ITEM_TOUCH) {
      if (!item.ops.empty()) AddMutations(CX_EVENT_ACTIVITY, item);
      ends = false;
    }
    if (item.trims) Add(CX_EVENT_HISTORY_TRIMMED, &item);
    AddSteps(item);
    AddPoints(item);
    if (ends) Add(item.kind == CX_ITEM_EXPIRE ? CX_EVENT_EXPIRED : CX_EVENT_DELETED, &item);
  }

  const Change *change_;
  uint64_t revision_;
  std::vector<ModelEvent> list_;
};

// ---- Filters. -----------------------------------------------------------------

struct Filter {
  std::string namespace_id = "n";
  std::set<std::string> ids = {};
  std::string id_prefix = "", type = "";
  Labels labels = {};
  std::set<int> event_types = {};
  std::string key_prefix = "";

  static bool Begins(const std::string &text, const std::string &prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
  }
  bool SelectsLabels(const Labels &all) const {
    for (const auto &label : labels) {
      auto found = all.find(label.first);
      if (found == all.end() || found->second != label.second) return false;
    }
    return true;
  }
  bool SelectsKeys(const Item &item) const {
    bool touches = false;
    if (item.untold) return true;
    for (const Op &op : item.ops) {
      if (op.kind > CX_MUTATION_DELETE_PREFIX) continue;
      touches = true;
      if (Begins(op.key, key_prefix)) return true;
      if (op.kind == CX_MUTATION_DELETE_PREFIX && Begins(key_prefix, op.key)) return true;
    }
    return !touches;
  }
  bool Selects(const ModelEvent &event) const {
    if (event.change->namespace_id != namespace_id) return false;
    if (!event_types.empty() && event_types.count(event.type) == 0) return false;
    if (event.item == nullptr) {
      return ids.empty() && id_prefix.empty() && type.empty() && labels.empty();
    }
    const Item &item = *event.item;
    bool before = item.labels_changed || IsNew(item.kind);
    bool entries = event.type == CX_EVENT_CREATED || event.type == CX_EVENT_UPDATED ||
                   event.type == CX_EVENT_RESTORED || event.type == CX_EVENT_MERGED;
    return (ids.empty() || ids.count(item.id) == 1) && Begins(item.id, id_prefix) &&
           (type.empty() || type == item.type) &&
           (SelectsLabels(item.labels) || (before && SelectsLabels(item.before))) &&
           (!entries || key_prefix.empty() || SelectsKeys(item));
  }
};

// A filter of the core's kind, copied.
class RawFilter {
 public:
  explicit RawFilter(const Filter &filter)
      : RawFilter(filter, {filter.ids.begin(), filter.ids.end()}) {}

  // With the ids in this order.
  RawFilter(const Filter &filter, const Strings &ids) : filter_(filter), ids_(ids) {
    for (const std::string &id : ids_) raw_ids_.push_back(Bytes(id));
    for (const auto &[key, value] : filter_.labels) {
      raw_labels_.push_back({Bytes(key), Bytes(value)});
    }
    raw_.namespace_id = Bytes(filter_.namespace_id);
    raw_.context_ids = raw_ids_.data();
    raw_.context_id_count = raw_ids_.size();
    raw_.id_prefix = Bytes(filter_.id_prefix);
    raw_.type = Bytes(filter_.type);
    raw_.labels = raw_labels_.data();
    raw_.label_count = raw_labels_.size();
    raw_.key_prefix = Bytes(filter_.key_prefix);
    for (int type : filter_.event_types) raw_.event_types |= 1u << type;
    copy_ = cx_event_filter_copy(&raw_);
  }
  ~RawFilter() { cx_free(copy_); }
  RawFilter(const RawFilter &) = delete;
  RawFilter &operator=(const RawFilter &) = delete;

  const cx_event_filter *raw() const { return &raw_; }
  const cx_event_filter *get() const { return copy_; }

 private:
  const Filter filter_;
  const Strings ids_;
  std::vector<cx_bytes> raw_ids_;
  std::vector<cx_label> raw_labels_;
  cx_event_filter raw_ = {};
  cx_event_filter *copy_;
};

// ---- Chance. ------------------------------------------------------------------

// Changes and filters that a seed has chosen, of few names, so that they meet.
struct Chance {
  explicit Chance(unsigned seed) : random(seed) {}

  bool OneIn(unsigned n) { return random() % n == 0; }
  template <typename List>
  auto Of(const List &list) -> typename List::value_type {
    return list[random() % list.size()];
  }
  std::string Id() {
    return Of(Strings{"a", "ab", "abc", "abd", "b", "ba", "b/x", "c", "ca", "longer-id"});
  }
  std::string Key() { return Of(Strings{"k", "ka", "kab", "l", "la", "m"}); }
  std::string Type() { return Of(Strings{"", "chat", "task"}); }
  std::string Namespace() { return OneIn(6) ? "m" : "n"; }
  Labels SomeLabels() {
    Labels labels;
    for (const char *key : {"x", "y", "z"}) {
      if (OneIn(2)) labels[key] = Of(Strings{"1", "2"});
    }
    return labels;
  }

  Op AnOp() {
    switch (random() % 6) {
      case 0:
        return DeletePrefix(OneIn(4) ? "" : Key());
      case 1:
        return {CX_MUTATION_DELETE, Key(), "", "", {}};
      case 2:
        return {CX_MUTATION_SET_LABEL, "x", "1", "", {}};
      case 3:
        return Says("said");
      case 4:
        return {CX_MUTATION_APPEND, Key(), "more", "", {}};
      default:
        return Put(Key(), std::string(random() % value_size_max, 'v'));
    }
  }
  // What an item of a context that is there afterwards does to its points.
  std::vector<PointStep> SomePoints() {
    std::vector<PointStep> points;
    if (OneIn(2)) points.push_back({CX_POINT_MAKE, "made"});
    if (OneIn(3)) points.push_back({CX_POINT_REPLACE, "replaced"});
    if (OneIn(3)) points.push_back({CX_POINT_CHANGE, "changed"});
    if (OneIn(3)) points.push_back({CX_POINT_PENDING, "to-be-made"});
    for (unsigned i = random() % 4; i > 0; i--) points.push_back({CX_POINT_DROP, "dropped"});
    return points;
  }
  void AddRecovery(Item *item) {
    if (item->kind == CX_ITEM_UNDELETE || (item->kind == CX_ITEM_UPDATE && OneIn(3))) {
      item->set_back = OneIn(2);
      item->from = item->set_back && OneIn(2) ? "point" : "";
      item->untold = OneIn(3);
    }
    if (item->kind == CX_ITEM_CREATE && OneIn(3)) {
      item->source = Id();
      item->ops.clear();
    }
    if (item->kind == CX_ITEM_UPDATE && OneIn(4)) item->merged = Id();
    if (OneIn(3)) item->points = SomePoints();
  }
  Item AnItem(const std::string &id) {
    Item item = {static_cast<cx_item_kind>(1 + random() % 9), id};
    bool lives = IsNew(item.kind) || item.kind == CX_ITEM_UPDATE;
    item.type = Type();
    item.labels = SomeLabels();
    if (item.kind == CX_ITEM_UPDATE && OneIn(3)) {
      item.labels_changed = true;
      item.before = SomeLabels();
    }
    for (unsigned i = random() % 4; i > 0 && lives; i--) item.ops.push_back(AnOp());
    if (item.kind == CX_ITEM_TOUCH) {
      lives = true;
      for (unsigned i = random() % 3; i > 0; i--) item.ops.push_back(Says("touch"));
    }
    if (lives) AddRecovery(&item);
    item.tombstone = item.kind == CX_ITEM_PURGE && OneIn(2);
    item.trims = lives && OneIn(5);
    if (item.told() && OneIn(3)) {
      item.steps.push_back({"s1", lives && OneIn(2)});
      if (OneIn(2)) item.steps.push_back({"s2", lives});
    }
    return item;
  }
  Change AChange() {
    Change change;
    std::set<std::string> ids;
    change.namespace_id = Namespace();
    if (OneIn(15)) {
      change.kind = OneIn(2) ? CX_CHANGE_SETTINGS : CX_CHANGE_FLOOR;
      return change;
    }
    if (OneIn(4)) {
      change.step = static_cast<cx_session_step>(1 + random() % 5);
      change.session = Of(Strings{"s1", "s2"});
    }
    for (unsigned i = random() % 4; i > 0; i--) ids.insert(Id());
    if (ids.empty() && change.step == CX_SESSION_NONE) ids.insert(Id());
    for (const std::string &id : ids) change.items.push_back(AnItem(id));
    return change;
  }
  Filter AFilter() {
    Filter filter;
    filter.namespace_id = Namespace();
    for (unsigned i = OneIn(3) ? 1 + random() % 3 : 0; i > 0; i--) filter.ids.insert(Id());
    if (OneIn(4)) filter.id_prefix = Id().substr(0, 1 + random() % 2);
    if (OneIn(4)) filter.type = Of(Strings{"chat", "task"});
    if (OneIn(4)) filter.labels = SomeLabels();
    if (OneIn(4)) filter.key_prefix = Key();
    for (int type : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 17, 18}) {
      if (type_filters && OneIn(2)) filter.event_types.insert(type);
    }
    type_filters = OneIn(4);
    return filter;
  }

  std::mt19937 random;
  size_t value_size_max = 50;
  bool type_filters = false;
};

// Calls `each` with every event of a change, as the core makes them.
template <typename Each>
void ForEachEvent(const Change &change, uint64_t revision, const Each &each) {
  RawChange raw(change);
  std::vector<cx_event> events(cx_event_count(raw.get()));
  cx_event_make(raw.get(), revision, 1000, events.data());
  for (const cx_event &event : events) each(event);
}

#endif  // CX_TESTS_UNIT_FEED_FEED_MODEL_H
