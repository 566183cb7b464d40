#include "tests/simulation/shown.h"

#include <algorithm>

namespace simulation {

namespace {

std::string Number(uint64_t number) { return std::to_string(number); }

std::string Instead(const char *what, int64_t expected, int64_t found) {
  return std::string(what) + " " + std::to_string(found) + " instead of " +
         std::to_string(expected);
}

bool BeginsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

std::string Rows(size_t expected, size_t found) {
  return expected != found
             ? Instead("rows", static_cast<int64_t>(expected), static_cast<int64_t>(found))
             : "";
}

}  // namespace

std::string Difference(const State &expected, const Shown &shown, bool with_entries) {
  const State &found = shown.state;
  if (found.version != expected.version) return Instead("version", expected.version, found.version);
  if (found.labels != expected.labels) return "other labels";
  if (found.type != expected.type) return "type " + found.type;
  if (found.parent_id != expected.parent_id) return "parent " + found.parent_id;
  if (found.create_time_us != expected.create_time_us) return "another time of creation";
  if (found.update_time_us != expected.update_time_us) return "another time of change";
  if (found.expire_time_us != expected.expire_time_us) {
    return Instead("expiry", expected.expire_time_us, found.expire_time_us);
  }
  if (shown.entry_count != expected.entries.size()) {
    return Instead("entries", expected.entries.size(), shown.entry_count);
  }
  if (shown.size_bytes != expected.size_bytes()) {
    return Instead("bytes", expected.size_bytes(), shown.size_bytes);
  }
  if (!with_entries) return "";
  if (found.entries.size() != expected.entries.size()) return "entries are missing";
  for (const auto &[key, entry] : expected.entries) {
    auto other = found.entries.find(key);
    if (other == found.entries.end()) return "no entry " + key;
    if (*other->second.value != *entry.value) return "another value of " + key;
    if (other->second.content_type != entry.content_type) return "another type of " + key;
    if (other->second.version != entry.version) return "another version of " + key;
  }
  return "";
}

std::string Difference(const Context &expected, const Shown &shown, bool with_entries) {
  std::string difference = Difference(expected.head, shown, with_entries);
  if (!difference.empty()) return difference;
  if (shown.fence != expected.fence) {
    return Instead("fence", static_cast<int64_t>(expected.fence),
                   static_cast<int64_t>(shown.fence));
  }
  return shown.revision != expected.revision ? "another revision" : "";
}

// ---- Recovery points. -----------------------------------------------------------

static std::string DifferenceOfKept(const State &expected, const Shown &shown) {
  const State &found = shown.state;
  if (found.version != expected.version) return Instead("version", expected.version, found.version);
  if (found.labels != expected.labels) return "other labels of the state";
  if (found.create_time_us != expected.create_time_us) return "another time of creation";
  if (found.update_time_us != expected.update_time_us) return "another time of change";
  if (shown.entry_count != expected.entries.size()) {
    return Instead("entries", expected.entries.size(), shown.entry_count);
  }
  if (shown.size_bytes != expected.size_bytes()) return "other bytes";
  for (const auto &[key, entry] : expected.entries) {
    auto other = found.entries.find(key);
    if (other == found.entries.end()) return "no entry " + key;
    if (*other->second.value != *entry.value) return "another value of " + key;
    if (other->second.content_type != entry.content_type) return "another type of " + key;
    if (other->second.version != entry.version) return "another version of " + key;
  }
  return "";
}

std::string Difference(const Recovery &recovery, const Point &expected, const ShownPoint &shown) {
  const Point &found = shown.point;
  const Point *parent = recovery.At(expected.parent);
  std::string parent_id = parent != nullptr ? parent->id : "";
  if (!shown.is_there) return "there is point " + expected.id;
  if (found.id != expected.id) return "point " + found.id + " instead of " + expected.id;
  if (found.sequence != expected.sequence) return "sequence " + Number(found.sequence);
  if (shown.parent_id != parent_id) {
    return "parent '" + shown.parent_id + "' instead of '" + parent_id + "'";
  }
  if (found.revision != expected.revision) return "another revision of the point";
  if (found.create_time_us != expected.create_time_us) return "another time of the point";
  if (found.expire_time_us != expected.expire_time_us) {
    return Instead("expiry", expected.expire_time_us, found.expire_time_us);
  }
  if (found.pinned != expected.pinned) return "another pin";
  if (found.origin != expected.origin) return "another origin";
  if (found.labels != expected.labels) return "other labels";
  if (shown.attachment_count != expected.attachments.size() ||
      found.attachments.size() != expected.attachments.size()) {
    return Instead("attachments", expected.attachments.size(), shown.attachment_count);
  }
  for (const auto &[key, entry] : expected.attachments) {
    auto other = found.attachments.find(key);
    if (other == found.attachments.end()) return "no attachment " + key;
    if (*other->second.value != *entry.value) return "another attachment " + key;
  }
  return DifferenceOfKept(expected.state, shown.state);
}

// ---- Sessions. ----------------------------------------------------------------

std::string Difference(const Activation &expected, const Activation &shown) {
  const std::string &id = expected.context_id;
  if (shown.context_id != id) return shown.context_id + " is active instead of " + id;
  if (shown.exclusive != expected.exclusive) return "another activation of " + id;
  if (shown.fence != expected.fence) return "fence " + Number(shown.fence) + " of " + id;
  return shown.time_us != expected.time_us ? "another time of " + id : "";
}

std::string Difference(const Model &model, const ShownSession &shown) {
  const Session *expected = model.FindSession(shown.name);
  const Session &found = shown.session;
  if (!shown.is_there) return expected != nullptr ? "the session is there" : "";
  if (expected == nullptr) return "the session has ended";
  if (found.terms.owner != expected->terms.owner) return "another owner";
  if (found.terms.labels != expected->terms.labels) return "other labels";
  if (found.create_time_us != expected->create_time_us) return "another time of creation";
  if (found.start_revision != expected->start_revision) return "another revision of its start";
  if (found.current != expected->current) return "current " + found.current;
  if (found.activations.size() != expected->activations.size()) {
    return Number(found.activations.size()) + " active instead of " +
           Number(expected->activations.size());
  }
  std::string difference;
  for (size_t i = 0; i < found.activations.size() && difference.empty(); i++) {
    difference = Difference(expected->activations[i], found.activations[i]);
  }
  return difference;
}

std::string Difference(const Model &model, int64_t now_us, const Name &context_name,
                       const ShownStatus &shown) {
  const Context *context = model.Find(context_name);
  bool is_there = IsLive(context) && !Model::IsExpired(*context, now_us);
  if (shown.exists != is_there) return is_there ? "it is there" : "it is not there";
  if (is_there && shown.version != context->head.version) return "version";
  if (is_there && shown.fence != context->fence) {
    return Instead("fence", static_cast<int64_t>(context->fence),
                   static_cast<int64_t>(shown.fence));
  }
  ShownStatus expected;
  for (const Model::Holder &holder : model.HoldersOf(context_name)) {
    expected.session_ids.push_back(holder.name.id);
    if (!holder.activation->exclusive) continue;
    expected.exclusive_session_id = holder.name.id;
    expected.guarded = holder.activation->guard;
  }
  if (!shown.exists) expected = ShownStatus();
  if (shown.session_ids != expected.session_ids) return "it is active elsewhere";
  if (shown.exclusive_session_id != expected.exclusive_session_id) return "another has it";
  return shown.guarded != expected.guarded ? "its guard" : "";
}

// ---- Histories. ---------------------------------------------------------------

std::string ActivityQuery::Describe() const {
  std::string text = "list " + Number(count_max) + " activities";
  for (const std::string &type : types) text += ", " + type;
  if (start_time_us != 0) text += ", from time " + std::to_string(start_time_us);
  if (end_time_us != 0) text += ", before time " + std::to_string(end_time_us);
  if (from_sequence != 0) text += ", from " + Number(from_sequence);
  return newest_first ? text + ", newest first" : text;
}

namespace {

bool IsWanted(const ActivityQuery &query, const Recorded &recorded) {
  uint64_t from = query.from_sequence;
  return (query.types.empty() || query.types.count(recorded.activity->type) > 0) &&
         recorded.time_us >= query.start_time_us &&
         (query.end_time_us == 0 || recorded.time_us < query.end_time_us) &&
         (from == 0 ||
          (query.newest_first ? recorded.sequence <= from : recorded.sequence >= from));
}

std::string DifferenceOf(const Recorded &expected, const Recorded &found) {
  std::string which = " of activity " + Number(expected.sequence);
  if (found.sequence != expected.sequence) return Number(found.sequence) + " instead" + which;
  if (found.time_us != expected.time_us) return "another time" + which;
  if (found.session_id != expected.session_id) return "another session" + which;
  return found.activity->Content() != expected.activity->Content() ? "another content" + which : "";
}

}  // namespace

std::string Difference(const Work &work, const ActivityQuery &query, const ShownHistory &shown) {
  std::vector<Recorded> wanted;
  for (const auto &recorded : work.history) {
    if (IsWanted(query, *recorded)) wanted.push_back(*recorded);
  }
  if (query.newest_first) std::reverse(wanted.begin(), wanted.end());
  size_t count = std::min(query.count_max, wanted.size());
  std::string difference = Rows(count, shown.rows.size());
  for (size_t i = 0; i < count && difference.empty(); i++) {
    difference = DifferenceOf(wanted[i], shown.rows[i]);
  }
  if (!difference.empty() || wanted.size() == count) return difference;
  if (!shown.more) return "there are more";
  uint64_t next = wanted[count].sequence;
  bool is_behind = query.newest_first ? shown.next_sequence >= next : shown.next_sequence <= next;
  return is_behind ? "" : "the next page begins with " + Number(shown.next_sequence);
}

// ---- Tables. ------------------------------------------------------------------

std::string Difference(const Work &work, const RowQuery &query, const ShownFiles &shown) {
  std::vector<TrackedFile> wanted;
  for (const auto &[path, file] : work.files) {
    if (path > query.after && BeginsWith(path, query.prefix)) wanted.push_back(file);
  }
  size_t count = std::min(query.count_max, wanted.size());
  std::string difference = Rows(count, shown.rows.size());
  for (size_t i = 0; i < count && difference.empty(); i++) {
    const TrackedFile &expected = wanted[i], &found = shown.rows[i];
    bool same = found.last == expected.last && found.time_us == expected.time_us &&
                found.operation_count == expected.operation_count;
    if (!same) difference = "the row of " + expected.last.path;
  }
  bool more = wanted.size() > count;
  return difference.empty() && shown.more != more ? "whether there are more" : difference;
}

std::string Difference(const Work &work, const RowQuery &query, const ShownResources &shown) {
  std::vector<std::pair<std::string, Held>> wanted;
  for (const auto &[name, held] : work.resources) {
    bool asked = name > query.after && BeginsWith(name, query.prefix);
    if (asked) wanted.emplace_back(name, held);
  }
  size_t count = std::min(query.count_max, wanted.size());
  std::string difference = Rows(count, shown.rows.size());
  for (size_t i = 0; i < count && difference.empty(); i++) {
    const auto &[name, expected] = wanted[i];
    const Held &found = shown.rows[i].second;
    bool same = shown.rows[i].first == name && found.session_id == expected.session_id &&
                found.type == expected.type && found.labels == expected.labels &&
                found.time_us == expected.time_us;
    if (!same) difference = "the row of " + name;
  }
  bool more = wanted.size() > count;
  return difference.empty() && shown.more != more ? "whether there are more" : difference;
}

}  // namespace simulation
