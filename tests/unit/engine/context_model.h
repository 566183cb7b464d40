// What the engine should answer, in the plainest way there is: maps that copy
// everything. It knows no shards, no trees, no log; only what the headers promise.

#ifndef CX_TESTS_UNIT_ENGINE_CONTEXT_MODEL_H
#define CX_TESTS_UNIT_ENGINE_CONTEXT_MODEL_H

extern "C" {
#include "core/base/limits.h"
#include "core/state/request.h"
}

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace model {

struct Mutation {
  cx_mutation_kind kind;
  std::string key, value, type;
  bool has_expected_size = false;
  uint64_t expected_size = 0;
  int64_t ttl_us = 0;
  bool sliding = false;
};

struct Precondition {
  bool of_entry;
  std::string key;
  uint64_t version;
};

struct Properties {
  bool set = false;
  std::string type, parent_id;
  bool create_parent = false;
  std::map<std::string, std::string> labels;
  int64_t ttl_us = 0;
  bool sliding = false;
};

// What one request does to one context.
struct Part {
  std::string id;
  std::vector<Mutation> mutations;
  std::vector<Precondition> preconditions;
  Properties create;
};

enum class Kind { kCreate, kUpdate, kAtomic, kDelete };

struct Operation {
  Kind kind = Kind::kUpdate;
  std::vector<Part> parts;  // One, but for kAtomic.
  bool recursive = false, purge = false, allow_missing = false;
  std::string request_id;
};

struct Answer {
  std::string failure;  // The reason and its details, or empty.
  uint64_t revision = 0;
  std::vector<uint64_t> versions;
  bool replayed = false;
  uint64_t count = 0;  // Of a delete.
};

struct Entry {
  std::shared_ptr<const std::string> value;
  std::string type;
  uint64_t version;
};

struct State {
  uint64_t version = 0;
  int64_t create_time_us = 0, update_time_us = 0, expire_time_us = 0;
  int64_t end_time_us = 0;      // When it was deleted, with nothing made since. 0: it was not.
  std::string type, parent_id;  // Of the context, then.
  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> labels;

  uint64_t size_bytes() const {
    uint64_t sum = 0;
    for (const auto &[key, entry] : entries) sum += key.size() + entry.value->size();
    return sum;
  }
};

enum class Life { kLive, kDeleted, kBare };

struct Context {
  Life life = Life::kBare;
  int depth = 1;
  uint64_t revision = 0;
  int64_t delete_time_us = 0, ttl_us = 0;
  bool sliding = false;
  State head;
  std::vector<State> earlier;  // Oldest first.
};

struct Rules {
  uint64_t version_retention;
  int64_t undelete_window_us, tombstone_window_us;
  uint64_t value_size_max;
};

class Failure {
 public:
  explicit Failure(std::string text) : text(std::move(text)) {}
  std::string text;
};

struct Expired {
  std::string id;
};

// All contexts of one namespace after a certain revision. Cheap to copy.
class Model {
 public:
  explicit Model(const Rules &rules) : rules_(rules) {}

  uint64_t revision() const { return revision_; }
  void set_revision(uint64_t revision) { revision_ = revision; }
  void set_rules(const Rules &rules) {
    rules_ = rules;
    for (auto &[id, context] : contexts_) {
      auto copy = std::make_shared<Context>(*context);
      Trim(copy.get());
      context = copy;
    }
  }

  const Context *Find(const std::string &id) const {
    auto found = contexts_.find(id);
    return found != contexts_.end() ? found->second.get() : nullptr;
  }
  const std::map<std::string, std::shared_ptr<const Context>> &all() const { return contexts_; }

  // Does what a request asks for, or nothing. Whoever is met expired is deleted first;
  // `each` sees the model after every such delete.
  Answer Run(const Operation &operation, int64_t now_us,
             const std::function<void(const Model &)> &each = [](const Model &) {}) {
    for (;;) {
      Model next = *this;
      try {
        Answer answer = next.Try(operation, now_us);
        *this = next;
        return answer;
      } catch (const Failure &failure) {
        return {failure.text, 0, {}, false, 0};
      } catch (const Expired &expired) {
        RunDue(expired.id, now_us);
        each(*this);
      }
    }
  }

  // The context that is due first, by id; empty: none.
  std::string FirstDue(int64_t now_us) const {
    for (const auto &[id, context] : contexts_) {
      int64_t due = DueTime(*context);
      if (due != 0 && due <= now_us) return id;
    }
    return "";
  }

  // What a timer does to a context that is due.
  void RunDue(const std::string &id, int64_t now_us) {
    Life life = Find(id)->life;
    revision_++;
    if (life == Life::kLive) {
      EndTree(id, false, now_us);
    } else if (life == Life::kDeleted) {
      MakeBare(&Change(id));
    } else {
      contexts_.erase(id);
    }
  }

  // The ids that a list shows, in order.
  std::vector<std::string> List(const std::string &prefix, const std::string &type,
                                const std::string &parent_id,
                                const std::map<std::string, std::string> &labels, bool deleted,
                                int64_t now_us) const {
    std::vector<std::string> ids;
    for (const auto &[id, context] : contexts_) {
      bool wanted = context->life == (deleted ? Life::kDeleted : Life::kLive) &&
                    !IsExpired(*context, now_us) && id.compare(0, prefix.size(), prefix) == 0 &&
                    (type.empty() || context->head.type == type) &&
                    (parent_id.empty() || context->head.parent_id == parent_id);
      for (const auto &[key, value] : labels) {
        auto found = context->head.labels.find(key);
        wanted = wanted && found != context->head.labels.end() && found->second == value;
      }
      if (wanted) ids.push_back(id);
    }
    return ids;
  }

  // The state of a context that a get shows, or throws what it fails with.
  const State &Get(const std::string &id, uint64_t version, int64_t time_us,
                   int64_t now_us) const {
    const Context *context = Find(id);
    const State *found = nullptr;
    if (context == nullptr || context->life != Life::kLive || IsExpired(*context, now_us)) {
      throw NotFound(context);
    }
    std::vector<const State *> states;
    for (const State &state : context->earlier) states.push_back(&state);
    states.push_back(&context->head);
    for (const State *state : states) {
      if (version != 0 ? state->version == version
                       : time_us == 0 || state->update_time_us <= time_us) {
        found = state;
      }
    }
    bool had_ended = found != nullptr && version == 0 && time_us != 0 &&
                     found->end_time_us != 0 && found->end_time_us <= time_us;
    if (found == nullptr || had_ended) {
      throw Failure("STATE_NOT_RETAINED oldest_version=" + std::to_string(states[0]->version) +
                    " newest_version=" + std::to_string(context->head.version));
    }
    return *found;
  }

  static bool IsExpired(const Context &context, int64_t now_us) {
    return context.life == Life::kLive && context.head.expire_time_us != 0 &&
           context.head.expire_time_us <= now_us;
  }

  int ChildCount(const std::string &id) const {
    int count = 0;
    for (const auto &[child, context] : contexts_) {
      count += context->life == Life::kLive && context->head.parent_id == id;
    }
    return count;
  }

 private:
  static Failure NotFound(const Context *context) {
    return Failure("CONTEXT_NOT_FOUND" +
                   (context != nullptr
                        ? " deleted_version=" + std::to_string(context->head.version)
                        : std::string()));
  }

  static Failure Limit(const std::string &name, uint64_t value) {
    return Failure("LIMIT_REACHED limit=" + name + " value=" + std::to_string(value));
  }

  int64_t DueTime(const Context &context) const {
    switch (context.life) {
      case Life::kLive: return context.head.expire_time_us;
      case Life::kDeleted: return context.delete_time_us + rules_.undelete_window_us;
      default: return context.delete_time_us + rules_.tombstone_window_us;
    }
  }

  // A context that may be changed, without changing any copy of this model.
  Context &Change(const std::string &id) {
    auto copy = std::make_shared<Context>(*contexts_.at(id));
    copy->revision = revision_;
    contexts_[id] = copy;
    return *copy;
  }

  const Context *Look(const std::string &id, int64_t now_us) const {
    const Context *context = Find(id);
    if (context != nullptr && IsExpired(*context, now_us)) throw Expired{id};
    return context;
  }

  static bool IsLive(const Context *context) {
    return context != nullptr && context->life == Life::kLive;
  }

  Answer Try(const Operation &operation, int64_t now_us) {
    Answer answer;
    revision_++;
    answer.revision = revision_;
    if (operation.kind == Kind::kDelete) return TryDelete(operation, now_us);
    std::set<std::string> begun;
    for (const Part &part : operation.parts) TryPart(operation, part, now_us, &begun);
    for (const Part &part : operation.parts) {
      answer.versions.push_back(Find(part.id)->head.version);
    }
    return answer;
  }

  void TryPart(const Operation &operation, const Part &part, int64_t now_us,
               std::set<std::string> *begun) {
    if (!begun->insert(part.id).second) return;
    const Context *context = Look(part.id, now_us);
    if (!IsLive(context)) {
      if (operation.kind != Kind::kCreate && !part.create.set) throw NotFound(context);
      return CreateContext(operation, part, now_us, begun);
    }
    if (operation.kind == Kind::kCreate) {
      throw Failure("CONTEXT_EXISTS version=" + std::to_string(context->head.version));
    }
    Check(context, part.preconditions);
    UpdateContext(part, now_us);
  }

  void Check(const Context *context, const std::vector<Precondition> &preconditions) const {
    for (const Precondition &each : preconditions) {
      State none;
      const State &head = context != nullptr ? context->head : none;
      auto entry = head.entries.find(each.key);
      uint64_t current = !each.of_entry                ? head.version
                         : entry != head.entries.end() ? entry->second.version
                                                       : 0;
      if (current == each.version) continue;
      throw Failure(each.of_entry ? "ENTRY_CONFLICT key=" + each.key + " current_version=" +
                                        std::to_string(current)
                                  : "VERSION_CONFLICT current_version=" + std::to_string(current));
    }
  }

  // A parent that another part names is that part's to create.
  void CreateContext(const Operation &operation, const Part &part, int64_t now_us,
                     std::set<std::string> *begun) {
    const std::string &parent_id = part.create.parent_id;
    int depth = 1;
    if (!parent_id.empty()) {
      if (parent_id == part.id) throw Failure("PARENT_NOT_FOUND parent_id=" + parent_id);
      for (const Part &other : operation.parts) {
        if (other.id == parent_id && !IsLive(Look(parent_id, now_us))) {
          TryPart(operation, other, now_us, begun);
        }
      }
      if (IsLive(Find(part.id))) throw Failure("PARENT_NOT_FOUND parent_id=" + parent_id);
      if (!IsLive(Look(parent_id, now_us))) {
        if (!part.create.create_parent) throw Failure("PARENT_NOT_FOUND parent_id=" + parent_id);
        Check(nullptr, part.preconditions);
        Begin(parent_id, Properties(), 1, now_us);
      }
      depth = Find(parent_id)->depth + 1;
    }
    Check(nullptr, part.preconditions);
    if (depth > static_cast<int>(CX_CONTEXT_DEPTH_MAX)) {
      throw Limit("context_depth_max", CX_CONTEXT_DEPTH_MAX);
    }
    Begin(part.id, part.create, depth, now_us);
    Mutate(&Change(part.id), part.mutations, now_us);
  }

  void Begin(const std::string &id, const Properties &properties, int depth, int64_t now_us) {
    const Context *old = Find(id);
    auto context = std::make_shared<Context>();
    if (old != nullptr && old->life == Life::kDeleted) {
      context->earlier = old->earlier;
      context->earlier.push_back(old->head);
      context->earlier.back().end_time_us = old->delete_time_us;
      Trim(context.get());
    }
    context->life = Life::kLive;
    context->head.type = properties.type;
    context->head.parent_id = properties.parent_id;
    context->depth = depth;
    context->revision = revision_;
    context->ttl_us = properties.ttl_us;
    context->sliding = properties.sliding;
    context->head.version = old != nullptr ? old->head.version + 1 : 1;
    context->head.create_time_us = now_us;
    context->head.update_time_us = now_us;
    SetExpireTime(context.get(), now_us);
    context->head.labels = properties.labels;
    contexts_[id] = context;
  }

  static void SetExpireTime(Context *context, int64_t now_us) {
    context->head.expire_time_us = context->ttl_us != 0 ? now_us + context->ttl_us : 0;
  }

  void Trim(Context *context) const {
    while (context->earlier.size() > rules_.version_retention - 1) {
      context->earlier.erase(context->earlier.begin());
    }
  }

  void UpdateContext(const Part &part, int64_t now_us) {
    Context &context = Change(part.id);
    context.earlier.push_back(context.head);
    Trim(&context);
    context.head.version++;
    context.head.update_time_us = now_us;
    if (context.sliding) SetExpireTime(&context, now_us);
    Mutate(&context, part.mutations, now_us);
  }

  void Mutate(Context *context, const std::vector<Mutation> &mutations, int64_t now_us) {
    MutateLabels(context, mutations);
    for (const Mutation &each : mutations) {
      auto &entries = context->head.entries;
      auto old = entries.find(each.key);
      std::string value = each.value, type = each.type;
      switch (each.kind) {
        case CX_MUTATION_APPEND: {
          std::string before = old != entries.end() ? *old->second.value : "";
          if (each.has_expected_size && before.size() != each.expected_size) {
            throw Failure("SIZE_MISMATCH key=" + each.key +
                          " current_size=" + std::to_string(before.size()));
          }
          value = before + value;
          type = old != entries.end() ? old->second.type : type;
          [[fallthrough]];
        }
        case CX_MUTATION_PUT:
          if (value.size() > rules_.value_size_max) {
            throw Limit("value_size_max", rules_.value_size_max);
          }
          entries[each.key] = {std::make_shared<std::string>(value), type, context->head.version};
          break;
        case CX_MUTATION_DELETE:
          entries.erase(each.key);
          break;
        case CX_MUTATION_DELETE_PREFIX:
          for (auto at = entries.begin(); at != entries.end();) {
            at = at->first.compare(0, each.key.size(), each.key) == 0 ? entries.erase(at)
                                                                      : std::next(at);
          }
          break;
        case CX_MUTATION_SET_EXPIRY:
          context->ttl_us = each.ttl_us;
          context->sliding = each.sliding;
          SetExpireTime(context, now_us);
          break;
        default:
          break;
      }
    }
  }

  static void MutateLabels(Context *context, const std::vector<Mutation> &mutations) {
    for (const Mutation &each : mutations) {
      if (each.kind == CX_MUTATION_SET_LABEL) context->head.labels[each.key] = each.value;
      if (each.kind == CX_MUTATION_DELETE_LABEL) context->head.labels.erase(each.key);
      if (context->head.labels.size() > CX_LABELS_MAX) throw Limit("labels_max", CX_LABELS_MAX);
    }
  }

  Answer TryDelete(const Operation &operation, int64_t now_us) {
    const Part &part = operation.parts[0];
    const Context *context = Look(part.id, now_us);
    Answer answer;
    if (context == nullptr || context->life == Life::kBare ||
        (context->life == Life::kDeleted && !operation.purge)) {
      if (!operation.allow_missing) throw NotFound(context);
      revision_--;
      return answer;
    }
    answer.revision = revision_;
    answer.versions.push_back(context->head.version);
    if (context->life == Life::kDeleted) {
      Check(nullptr, part.preconditions);
      MakeBare(&Change(part.id));
      answer.count = 1;
      return answer;
    }
    Check(context, part.preconditions);
    int child_count = ChildCount(part.id);
    if (child_count > 0 && !operation.recursive) {
      throw Failure("HAS_CHILDREN child_count=" + std::to_string(child_count));
    }
    answer.count = EndTree(part.id, operation.purge, now_us);
    return answer;
  }

  static void MakeBare(Context *context) {
    uint64_t version = context->head.version;
    context->life = Life::kBare;
    context->head = State();
    context->head.version = version;
    context->earlier.clear();
  }

  uint64_t EndTree(const std::string &id, bool purge, int64_t now_us) {
    std::vector<std::string> children;
    uint64_t count = 1;
    for (const auto &[child, context] : contexts_) {
      if (context->life == Life::kLive && context->head.parent_id == id) children.push_back(child);
    }
    for (const std::string &child : children) count += EndTree(child, purge, now_us);
    Context &context = Change(id);
    context.life = Life::kDeleted;
    context.delete_time_us = now_us;
    context.ttl_us = 0;
    context.sliding = false;
    context.head.expire_time_us = 0;
    if (purge) MakeBare(&context);
    return count;
  }

  Rules rules_;
  uint64_t revision_ = 0;
  std::map<std::string, std::shared_ptr<const Context>> contexts_;
};

}  // namespace model

#endif  // CX_TESTS_UNIT_ENGINE_CONTEXT_MODEL_H
