// What recovery comes to, in the plainest words: every state is a copy of its own, what is kept is
// worked out anew each time, and so is what a merge changes. For the random test.

#ifndef CX_TESTS_UNIT_ENGINE_RECOVERY_MODEL_H
#define CX_TESTS_UNIT_ENGINE_RECOVERY_MODEL_H

#include "tests/unit/engine/recovery_fixture.h"

#include <set>

namespace model {

struct State {
  Texts entries, labels;
  std::vector<std::string> history;  // Types of activities, as it stood when the state ended.
  uint64_t version = 0;
  uint64_t head_version = 0, head_revision = 0;  // Of the head that it was, or was made from,
  uint64_t birth = 0;                            // and of the context that this was.
  uint64_t head_point = 0;  // That it came from last, once it has ended.
};

// Whether no head ever had the state.
inline bool IsAside(const State &state) { return state.version != state.head_version; }

// A state that two contexts have in common.
struct Base {
  uint64_t birth = 0, revision = 0;
  State state;
};

struct KeptPoint {
  std::string id;  // Empty until it is known.
  uint64_t parent = 0, revision = 0;
  int64_t create_time_us = 0, expire_time_us = 0;
  bool pinned = false;
  cx_point_origin origin = CX_ORIGIN_CLIENT;
  Texts labels, attachments;
  State state;
};

enum class Life { kNone, kLive, kDeleted };

struct Context {
  Life life = Life::kNone;
  State head;
  uint64_t birth = 0, last_sequence = 0, head_point = 0, changes = 0;
  int64_t create_time_us = 0, end_time_us = 0;
  int64_t point_time_us = 0;  // Of the last point of the head; 0: there was none.
  int64_t alone_until_us = 0;  // A session has it exclusively, and is lost then; 0: none has.
  bool foreign = false;  // Points came along with a fork, of this life or one before.
  cx_recovery_policy policy = {};
  std::map<uint64_t, KeptPoint> points;
  std::set<uint64_t> lingering;    // Kept by no rule, but what the last change was about,
  std::set<uint64_t> made;         // or made itself.
  std::vector<State> recent;       // Of the head since it was made or brought back, oldest first.
  std::map<int64_t, State> times;  // By when each began; version 0: there was none.
  std::vector<Base> forked_from;   // Nearest first.
  std::vector<Base> merged;        // Newest first.
};

// The sequences that the rules keep, of a context's points and at a time.
inline std::set<uint64_t> Kept(const Context &context, uint64_t points_max, int64_t now_us) {
  cx_retention rules = context.policy.retention;
  std::set<uint64_t> kept;
  uint64_t newer = 0;
  if (!cx_retention_is_set(&rules)) rules.keep_last = points_max;
  for (auto each = context.points.rbegin(); each != context.points.rend(); ++each, ++newer) {
    const KeptPoint &point = each->second;
    if (newer == 0 || newer < rules.keep_last || point.pinned ||
        (rules.keep_every != 0 && each->first % rules.keep_every == 0) ||
        (rules.keep_within_us != 0 && now_us - point.create_time_us < rules.keep_within_us)) {
      kept.insert(each->first);
    }
  }
  return kept;
}

// Drops a point: its children take its parent.
inline void Drop(Context *context, uint64_t sequence) {
  uint64_t parent = context->points[sequence].parent;
  context->points.erase(sequence);
  for (auto &[other, point] : context->points) {
    if (point.parent == sequence) point.parent = parent;
  }
  if (context->head_point == sequence) context->head_point = parent;
  for (State &state : context->recent) {
    if (state.head_point == sequence) state.head_point = parent;
  }
}

inline const Base *Merged(const Context &context, uint64_t birth) {
  for (const Base &base : context.merged) {
    if (base.birth == birth) return &base;
  }
  return nullptr;
}

// The state of one context that two ways from it have in common, where that is kept.
inline const Base *CommonOf(const Base *a, const Base *b) {
  if (a == nullptr && b == nullptr) return nullptr;
  if (a != nullptr && b != nullptr && a->state.version == b->state.version) return a;
  const Base *older = a == nullptr || (b != nullptr && b->state.head_version < a->state.head_version)
                          ? b
                          : a;
  bool same = a != nullptr && b != nullptr && a->state.head_version == b->state.head_version;
  if (same && IsAside(a->state)) older = b;
  return IsAside(older->state) ? nullptr : older;
}

// A context that a state came through, and the state of it that was left.
struct Step {
  uint64_t birth = 0;
  const Base *left = nullptr;
};

// Whether a state that a context keeps was made by it, or by one that it was forked from.
inline bool IsOf(const Context &context, const State &state) {
  bool is_of = context.birth == state.birth;
  for (const Base &base : context.forked_from) is_of |= base.birth == state.birth;
  return is_of;
}

// Those that a state which a context keeps came through, newest first. Begins with the one that the
// state was made in, under whatever name it was kept, and ends with one that nothing leads to.
inline std::vector<Step> WayOf(const Context &context, const State &state) {
  std::vector<Step> way = {{state.birth, nullptr}};
  bool is_there = context.birth == state.birth;
  for (const Base &base : context.forked_from) {
    if (is_there) way.push_back({base.state.birth, &base});
    is_there = base.birth == way.back().birth;
  }
  return way;
}

// Where two ways began to differ.
inline const Base *ForkOf(const std::vector<Step> &source, const std::vector<Step> &target) {
  for (const Step &t : target) {
    for (const Step &s : source) {
      if (t.birth == s.birth) return CommonOf(s.left, t.left);
    }
  }
  return nullptr;
}

// What a state of the source and the target both come from.
inline const Base *Ancestor(const Context &source, const State &state, const Context &target) {
  const std::vector<Step> way = WayOf(source, state);
  const Base *found = ForkOf(way, WayOf(target, target.head));
  const Base *merged = Merged(target, way[0].birth);
  const Base *taken = IsOf(source, state) ? Merged(source, target.birth) : nullptr;
  auto newer = [&](const Base *base) {
    if (found == nullptr || base->revision >= found->revision) found = base;
  };
  if (found != nullptr && found->state.head_version > state.head_version) found = nullptr;
  if (merged != nullptr && merged->state.version <= state.head_version) newer(merged);
  if (taken != nullptr && taken->revision <= state.head_revision) newer(taken);
  return found;
}

// A merge of entries, or of labels: what the target comes to.
struct Joined {
  Texts result;
  std::vector<std::string> conflicts;
  uint64_t changed = 0;
  bool decided = false;
  bool same = false;  // Both sides made the same of something.
};

inline Joined Join(const Texts &ancestor, const Texts &target, const Texts &source,
                   const std::function<cx_on_conflict(const std::string &)> &rule) {
  Joined joined;
  std::set<std::string> keys;
  auto value = [](const Texts &texts, const std::string &key) {
    auto found = texts.find(key);
    return found != texts.end() ? "=" + found->second : std::string();
  };
  joined.result = target;
  for (const Texts *texts : {&ancestor, &source}) {
    for (const auto &[key, text] : *texts) keys.insert(key);
  }
  for (const std::string &key : keys) {
    const std::string a = value(ancestor, key), t = value(target, key), s = value(source, key);
    joined.same |= s != a && s == t;
    if (s == a || s == t) continue;
    if (t != a) {
      cx_on_conflict decision = rule(key);
      joined.decided = true;
      if (decision == CX_CONFLICT_REPORT) joined.conflicts.push_back(key);
      if (decision != CX_CONFLICT_TAKE_SOURCE) continue;
    }
    joined.changed++;
    joined.result.erase(key);
    if (!s.empty()) joined.result[key] = s.substr(1);
  }
  return joined;
}

// How many entries differ.
inline uint64_t Differences(const Texts &a, const Texts &b) {
  uint64_t count = 0;
  for (const auto &[key, value] : a) count += b.count(key) == 0 || b.at(key) != value;
  for (const auto &[key, value] : b) count += a.count(key) == 0;
  return count;
}

}  // namespace model

#endif  // CX_TESTS_UNIT_ENGINE_RECOVERY_MODEL_H
