#include "tests/integration/feed_check.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <functional>

namespace {

constexpr size_t kShortSize = 32;
constexpr size_t kEventSizeMax = 1024 * 1024;
constexpr size_t kPartSize = 64 * 1024;
constexpr size_t kPartSlack = 4096;  // Of tags and lengths, which the server does not count.

bool BeginsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

void Shorten(std::string *value) {
  if (value->size() <= kShortSize) return;
  *value = std::to_string(value->size()) + " bytes, digest " +
           std::to_string(std::hash<std::string>()(*value));
}

// Calls `change` on each value of entries and activities.
void EachValue(api::Event *event, const std::function<void(std::string *)> &change) {
  for (api::Mutation &mutation : *event->mutable_mutations()) {
    if (mutation.has_put_entry()) change(mutation.mutable_put_entry()->mutable_value());
    if (mutation.has_append_entry()) change(mutation.mutable_append_entry()->mutable_value());
    if (mutation.has_splice_entry()) change(mutation.mutable_splice_entry()->mutable_value());
    if (mutation.has_record_activity()) change(mutation.mutable_record_activity()->mutable_data());
  }
  for (api::Entry &entry : *event->mutable_entries()) change(entry.mutable_value());
}

bool Includes(const google::protobuf::Map<std::string, std::string> &wanted,
              const std::map<std::string, std::string> &there) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto &pair) {
    auto found = there.find(pair.first);
    return found != there.end() && found->second == pair.second;
  });
}

bool IsEnd(const api::Event &event) {
  return event.type() == api::EVENT_TYPE_DELETED || event.type() == api::EVENT_TYPE_EXPIRED;
}

size_t ValueSize(const api::Mutation &mutation) {
  size_t size = mutation.put_entry().value().size() + mutation.append_entry().value().size() +
                mutation.splice_entry().value().size() + mutation.record_activity().data().size();
  return size;
}

}  // namespace

api::Event LoggedEvent::Told() const {
  size_t size = 0;
  api::Event told = event;

  for (const api::Mutation &mutation : event.mutations()) size += ValueSize(mutation);
  if (size > kEventSizeMax || event.reset()) {
    told.clear_mutations();
    told.set_reset(true);
  }
  return told;
}

const std::string &LoggedEvent::Text(bool without_values) const {
  std::string *text = &texts_[without_values ? 1 : 0];

  if (text->empty()) {
    api::Event told = Told();
    if (without_values) FeedDropValues(&told);
    *text = FeedCondense(told);
  }
  return *text;
}

// ---- Events as they are compared. ---------------------------------------------------------

void FeedDropValues(api::Event *event) {
  EachValue(event, [](std::string *value) { value->clear(); });
}

api::Event FeedSnapshotOf(const std::string &namespace_id, const FeedView::Context &context) {
  api::Event event;
  event.set_type(api::EVENT_TYPE_SNAPSHOT);
  event.set_namespace_(namespace_id);
  event.set_revision(context.head.revision());
  *event.mutable_context() = context.head;
  for (const auto &pair : context.entries) *event.add_entries() = pair.second;
  return event;
}

void FeedFillVersions(const api::Event &from, api::Event *to) {
  std::map<std::string, uint64_t> versions;

  for (const api::Entry &entry : from.entries()) versions[entry.key()] = entry.version();
  for (api::Entry &entry : *to->mutable_entries()) {
    if (entry.version() == 0) entry.set_version(versions[entry.key()]);
  }
}

std::string FeedCondense(api::Event event) {
  std::string text;
  google::protobuf::io::StringOutputStream stream(&text);
  google::protobuf::io::CodedOutputStream coded(&stream);

  event.clear_cursor();
  event.clear_more();
  EachValue(&event, Shorten);
  coded.SetSerializationDeterministic(true);
  event.SerializeToCodedStream(&coded);
  coded.Trim();
  return text;
}

std::string FeedText(const std::string &condensed) {
  api::Event event;
  return event.ParseFromString(condensed) ? event.ShortDebugString() : "(malformed)";
}

bool FeedJoiner::Add(const api::Event &part, api::Event *ret_event) {
  if (part.mutations_size() > 1 && part.more() && part.ByteSizeLong() > kPartSize + kPartSlack) {
    wrong_ = "a part of " + std::to_string(part.ByteSizeLong()) + " bytes";
  }
  if (!open_) {
    event_ = part;
  } else {
    api::Event head = event_, next = part;
    for (api::Event *each : {&head, &next}) {
      each->clear_mutations();
      each->clear_entries();
    }
    if (FeedCondense(head) != FeedCondense(next)) {
      wrong_ = "after a part of " + FeedText(FeedCondense(head)) + "\ncomes " +
               FeedText(FeedCondense(next));
    }
    event_.mutable_mutations()->MergeFrom(part.mutations());
    event_.mutable_entries()->MergeFrom(part.entries());
    event_.set_more(part.more());
    event_.set_cursor(part.cursor());
  }
  open_ = part.more();
  if (open_) return false;
  event_.Swap(ret_event);
  return true;
}

// ---- What a subscription is about. --------------------------------------------------------

bool FeedFilter::SelectsSomeContexts() const {
  return request_.context_ids_size() > 0 || !request_.id_prefix().empty() ||
         !request_.type().empty() || request_.metadata_size() > 0;
}

bool FeedFilter::SelectsName(const api::Context &context) const {
  const auto &ids = request_.context_ids();
  return (ids.empty() || std::find(ids.begin(), ids.end(), context.id()) != ids.end()) &&
         BeginsWith(context.id(), request_.id_prefix()) &&
         (request_.type().empty() || request_.type() == context.type());
}

bool FeedFilter::SelectsContext(const api::Context &context) const {
  return SelectsName(context) &&
         Includes(request_.metadata(), {context.metadata().begin(), context.metadata().end()});
}

bool FeedFilter::SelectsKeys(const api::Event &event) const {
  const std::string &prefix = request_.key_prefix();
  bool touches = false;

  for (const api::Mutation &mutation : event.mutations()) {
    std::string key = mutation.put_entry().key() + mutation.append_entry().key() +
                      mutation.splice_entry().key() + mutation.delete_entry().key();
    if (mutation.has_delete_entries()) {
      const std::string &deleted = mutation.delete_entries().prefix();
      if (BeginsWith(deleted, prefix) || BeginsWith(prefix, deleted)) return true;
      touches = true;
    } else if (!key.empty()) {
      if (BeginsWith(key, prefix)) return true;
      touches = true;
    }
  }
  return !touches;
}

bool FeedFilter::Selects(const LoggedEvent &logged) const {
  const api::Event &event = logged.event;
  const auto &types = request_.event_types();

  if (event.namespace_() != request_.namespace_()) return false;
  if (!types.empty() && std::find(types.begin(), types.end(), event.type()) == types.end()) {
    return false;
  }
  if (event.has_session()) return !SelectsSomeContexts();
  return SelectsName(event.context()) && SelectsKeys(event) &&
         (SelectsContext(event.context()) || Includes(request_.metadata(), logged.metadata_before));
}

void FeedFilter::Cut(api::Event *event) const {
  auto *entries = event->mutable_entries();

  entries->erase(std::remove_if(entries->begin(), entries->end(),
                                [&](const api::Entry &entry) {
                                  return !BeginsWith(entry.key(), request_.key_prefix());
                                }),
                 entries->end());
  if (request_.without_values()) FeedDropValues(event);
}

FeedScope FeedFilter::scope() const {
  if (!request_.key_prefix().empty()) return FeedScope::kSomeKeys;
  return request_.without_values() ? FeedScope::kWithoutValues : FeedScope::kWhole;
}

// ---- Comparing. ---------------------------------------------------------------------------

StreamCheck::StreamCheck(FeedRecord record) : record_(std::move(record)), filter_(record_.request) {
  for (const FeedRecord::Shown &shown : record_.shown) {
    auto *of = &shown_of_[shown.id];
    if (!of->empty()) Differ("is shown " + shown.id + " twice");
    of->push_back(&shown);
    shown_at_[shown.revision].push_back(&shown);
  }
}

void StreamCheck::Differ(const std::string &what) {
  if (!difference_.empty()) return;
  difference_ = record_.name + " (" + record_.request.ShortDebugString() + "), event " +
                std::to_string(at_) + " of " + std::to_string(record_.told.size()) + ", " + what;
}

// How the context was shown before the next event that was told.
const FeedRecord::Shown *StreamCheck::ShownBefore(const std::string &id) const {
  auto found = shown_of_.find(id);
  if (found == shown_of_.end() || found->second.front()->before > at_) return nullptr;
  return found->second.front();
}

void StreamCheck::Expect(const LoggedEvent &logged) {
  if (!difference_.empty() || (IsOver() && !record_.complete) || !filter_.Selects(logged)) return;
  const std::string &text = logged.Text(record_.request.without_values());
  if (!IsOver() && record_.told[at_].revision == logged.event.revision() &&
      *record_.told[at_].text == text) {
    Tell(logged);
  } else if (!MayBeHidden(logged.event)) {
    LeaveOut(logged, text);
  }
}

bool StreamCheck::MayBeHidden(const api::Event &event) const {
  if (purges_ == nullptr || !event.has_context()) return false;
  auto found = purges_->find({event.namespace_(), event.context().id()});
  return found != purges_->end() && found->second > event.revision();
}

void StreamCheck::Tell(const LoggedEvent &logged) {
  const api::Event &event = logged.event;
  Course *course = &courses_[HasSnapshot() ? event.context().id() : ""];
  const FeedRecord::Shown *shown = ShownBefore(event.context().id());

  if (event.revision() <= record_.not_before) {
    Differ("is told what was there before it began: " + FeedText(*record_.told[at_].text));
  } else if (shown != nullptr && event.revision() <= shown->revision) {
    Differ("is told what the snapshot at revision " + std::to_string(shown->revision) +
           " holds: " + FeedText(*record_.told[at_].text));
  } else if (HasSnapshot() && shown == nullptr && !course->told && course->left_out &&
             course->was_there) {
    Differ("is told of a context that was there and was not shown: " +
           FeedText(*record_.told[at_].text));
  }
  course->told = true;
  at_++;
}

// The event is not the next one that was told. That is right only before the subscription began
// or, in a snapshot, before its context was shown.
void StreamCheck::LeaveOut(const LoggedEvent &logged, const std::string &text) {
  const api::Event &event = logged.event;
  Course *course = &courses_[HasSnapshot() ? event.context().id() : ""];
  const FeedRecord::Shown *shown = ShownBefore(event.context().id());

  if (event.revision() > record_.all_behind || course->told ||
      (shown != nullptr && event.revision() > shown->revision)) {
    Differ("is not told\n  " + FeedText(text) + "\nbut " +
           (IsOver() ? "nothing more" : "\n  " + FeedText(*record_.told[at_].text)));
    return;
  }
  course->left_out = true;
  course->left_out_revision = event.revision();
  // One whose time is over is not shown, though it ends a moment later.
  course->was_there = record_.request.event_types_size() == 0 && !event.has_session() &&
                      !IsEnd(event) && filter_.SelectsContext(event.context()) &&
                      !event.context().has_expire_time();
}

void StreamCheck::ExpectStates(uint64_t revision, const std::string &namespace_id,
                               const FeedView &view) {
  auto found = shown_at_.find(revision);
  if (found == shown_at_.end() || namespace_id != record_.request.namespace_()) return;
  for (const FeedRecord::Shown *shown : found->second) {
    const FeedView::Context *context = view.Find(shown->id);
    if (view.IsUnknown(shown->id)) continue;
    if (context == nullptr) {
      Differ("is shown " + shown->id + ", which was not there: " + FeedText(*shown->text));
      return;
    }
    api::Event event = FeedSnapshotOf(namespace_id, *context), told;
    filter_.Cut(&event);
    if (told.ParseFromString(*shown->text)) FeedFillVersions(told, &event);
    if (FeedCondense(event) != *shown->text) {
      Differ("is shown\n  " + FeedText(*shown->text) + "\nbut the log makes\n  " +
             FeedText(FeedCondense(event)));
    }
    if (!filter_.SelectsContext(context->head)) Differ("is shown " + shown->id + ", unasked");
  }
  shown_at_.erase(found);
}

void StreamCheck::End() {
  if (!IsOver()) {
    Differ("is told what the log does not have, or not there: " +
           FeedText(*record_.told[at_].text));
  }
  for (const auto &pair : shown_at_) {
    Differ("is shown " + pair.second.front()->id + " at revision " + std::to_string(pair.first) +
           ", which did not touch it");
  }
  for (const auto &pair : courses_) {
    auto shown = shown_of_.find(pair.first);
    if (shown != shown_of_.end() &&
        shown->second.front()->revision < pair.second.left_out_revision) {
      Differ("is not told what happened to " + pair.first + " at revision " +
             std::to_string(pair.second.left_out_revision));
    } else if (shown == shown_of_.end() && HasSnapshot() && record_.complete && !pair.second.told &&
               pair.second.was_there) {
      Differ("is not shown " + pair.first);
    }
  }
}
