#include "tests/integration/feed_view.h"

namespace {

using Metadata = std::map<std::string, std::string>;

Metadata MetadataOf(const api::Context &context) {
  return Metadata(context.metadata().begin(), context.metadata().end());
}

std::string Number(uint64_t number) { return std::to_string(number); }

bool IsEnd(const api::Event &event) {
  return event.type() == api::EVENT_TYPE_DELETED || event.type() == api::EVENT_TYPE_EXPIRED;
}

// Whether it tells what a context begins with.
bool IsBeginning(const api::Event &event) {
  return event.type() == api::EVENT_TYPE_CREATED || event.type() == api::EVENT_TYPE_FORKED;
}

// Whether it tells of a new version of a context that was there.
bool IsNewVersion(const api::Event &event) {
  return event.type() == api::EVENT_TYPE_UPDATED || event.type() == api::EVENT_TYPE_RESTORED ||
         event.type() == api::EVENT_TYPE_MERGED;
}

// The metadata and the expiry of an update follow from the mutations.
std::string CheckDerived(const api::Event &event, const api::Context &before) {
  Metadata metadata = MetadataOf(before);
  bool expires = before.has_expire_time();

  for (const api::Mutation &mutation : event.mutations()) {
    if (mutation.has_set_metadata()) {
      metadata[mutation.set_metadata().key()] = mutation.set_metadata().value();
    } else if (mutation.has_delete_metadata()) {
      metadata.erase(mutation.delete_metadata().key());
    } else if (mutation.has_set_expiry()) {
      expires = mutation.set_expiry().has_ttl();
    }
  }
  if (metadata != MetadataOf(event.context())) return "the metadata is not what the steps make";
  if (expires != event.context().has_expire_time()) return "the expiry is not what the steps make";
  return "";
}

}  // namespace

std::string FeedView::ApplyMutation(const api::Mutation &mutation, uint64_t version,
                                    Context *context) {
  auto &entries = context->entries;
  auto set = [&](const std::string &key) {
    api::Entry *entry = &entries[key];
    entry->set_key(key);
    entry->set_version(version);
    return entry;
  };

  switch (mutation.kind_case()) {
    case api::Mutation::kPutEntry: {
      const api::PutEntry &put = mutation.put_entry();
      if (!IsShown(put.key())) return "";
      api::Entry *entry = set(put.key());
      entry->set_value(put.value());
      entry->set_content_type(put.content_type());
      return "";
    }
    case api::Mutation::kAppendEntry: {
      const api::AppendEntry &append = mutation.append_entry();
      if (!IsShown(append.key())) return "";
      bool is_new = entries.count(append.key()) == 0;
      api::Entry *entry = set(append.key());
      entry->mutable_value()->append(append.value());
      if (is_new) entry->set_content_type(append.content_type());
      return "";
    }
    case api::Mutation::kSpliceEntry: {
      const api::SpliceEntry &splice = mutation.splice_entry();
      if (!IsShown(splice.key())) return "";
      if (entries.count(splice.key()) == 0) return "splices no entry: " + splice.key();
      api::Entry *entry = set(splice.key());
      if (scope_ != FeedScope::kWithoutValues) {
        if (splice.kept_size() > entry->value().size()) return "keeps more than there is";
        entry->mutable_value()->resize(splice.kept_size());
        entry->mutable_value()->append(splice.value());
      }
      entry->set_content_type(splice.content_type());
      return "";
    }
    case api::Mutation::kDeleteEntry:
      entries.erase(mutation.delete_entry().key());
      return "";
    case api::Mutation::kDeleteEntries: {
      const std::string &prefix = mutation.delete_entries().prefix();
      auto at = entries.lower_bound(prefix);
      while (at != entries.end() && at->first.compare(0, prefix.size(), prefix) == 0) {
        at = entries.erase(at);
      }
      return "";
    }
    case api::Mutation::KIND_NOT_SET:
      return "a step that events do not have";
    default:
      return "";
  }
}

std::string FeedView::ApplyMutations(const api::Event &event, Context *context) {
  uint64_t version = event.type() != api::EVENT_TYPE_RESTORED ? event.context().version() : 0;

  for (const api::Mutation &mutation : event.mutations()) {
    std::string wrong = ApplyMutation(mutation, version, context);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string FeedView::CheckCounts(const Context &context) const {
  uint64_t size = 0;

  if (scope_ == FeedScope::kSomeKeys) return "";
  if (context.entries.size() != context.head.entry_count()) {
    return "entry_count is " + Number(context.head.entry_count()) + ", but there are " +
           Number(context.entries.size());
  }
  for (const auto &pair : context.entries) size += pair.first.size() + pair.second.value().size();
  if (scope_ == FeedScope::kWhole && size != context.head.size_bytes()) {
    return "size_bytes is " + Number(context.head.size_bytes()) + ", but it is " + Number(size);
  }
  return "";
}

std::string FeedView::CheckVersion(const api::Event &event, const Context &before) const {
  uint64_t version = before.head.version() + (IsNewVersion(event) ? 1 : 0);
  uint64_t found = event.context().version();
  bool may_jump = (IsNewVersion(event) && before.may_jump) || IsEnd(event) ||
                  event.type() == api::EVENT_TYPE_DEACTIVATED;  // A purge hides what was before.

  if (found == version || (may_jump && found > version)) return "";
  return "has version " + Number(found) + ", not " + Number(version);
}

// `before`: as it is known. Where keys are left out, so are changes.
std::string FeedView::CheckHead(const api::Event &event, const Context *before) const {
  if (event.context().revision() != event.revision()) return "the context has another revision";
  if (before == nullptr || scope_ == FeedScope::kSomeKeys) return "";
  if (IsBeginning(event)) return "is there already";
  std::string wrong = CheckVersion(event, *before);
  if (!wrong.empty() || !IsNewVersion(event) || event.reset()) return wrong;
  return CheckDerived(event, before->head);
}

std::string FeedView::Apply(const api::Event &event) {
  const std::string &id = event.context().id();
  auto found = contexts_.find(id);
  std::string wrong;

  if (event.has_session()) {
    if (event.type() == api::EVENT_TYPE_SESSION_STARTED) sessions_.insert(event.session_id());
    if (event.type() == api::EVENT_TYPE_SESSION_ENDED) sessions_.erase(event.session_id());
    if (event.type() == api::EVENT_TYPE_SESSION_LOST) sessions_.erase(event.session_id());
    return "";
  }
  if (event.type() == api::EVENT_TYPE_SNAPSHOT) {
    Context *context = &contexts_[id];
    *context = {event.context(), {}, event.revision(), true};
    unknown_.erase(id);
    for (const api::Entry &entry : event.entries()) context->entries[entry.key()] = entry;
    return CheckCounts(*context);
  }
  if (found != contexts_.end() && event.revision() <= found->second.held) return "";
  // What was before a purge may be hidden, but not that it ends what is active.
  if (event.type() == api::EVENT_TYPE_DEACTIVATED && found != contexts_.end() &&
      event.context().version() > found->second.head.version()) {
    return "";
  }
  wrong = CheckHead(event, found != contexts_.end() ? &found->second : nullptr);
  if (!wrong.empty()) return wrong;
  if (IsEnd(event)) {
    Drop(id);
    return "";
  }
  if (event.reset()) {
    Forget(id);
    return "";
  }
  if (event.type() == api::EVENT_TYPE_CREATED) unknown_.erase(id);
  bool may_be_first = scope_ == FeedScope::kSomeKeys && !IsUnknown(id);
  if (event.type() == api::EVENT_TYPE_CREATED || may_be_first) {
    found = contexts_.insert({id, Context()}).first;
  }
  if (found == contexts_.end()) return "";
  if (IsNewVersion(event)) found->second.may_jump = false;
  if (event.type() == api::EVENT_TYPE_RECOVERY_POINT_CREATED) found->second.may_jump = true;
  found->second.head = event.context();
  wrong = ApplyMutations(event, &found->second);
  return wrong.empty() ? CheckCounts(found->second) : wrong;
}

void FeedView::Replace(const api::Context &context) {
  Context *place = &contexts_[context.id()];

  place->head = context;
  place->head.clear_entries();
  place->entries.clear();
  place->held = context.revision();
  place->may_jump = true;
  unknown_.erase(context.id());
  for (const api::Entry &entry : context.entries()) {
    if (!IsShown(entry.key())) continue;
    place->entries[entry.key()] = entry;
    if (scope_ == FeedScope::kWithoutValues) place->entries[entry.key()].clear_value();
  }
}

const FeedView::Context *FeedView::Find(const std::string &id) const {
  auto found = contexts_.find(id);
  return found != contexts_.end() ? &found->second : nullptr;
}
