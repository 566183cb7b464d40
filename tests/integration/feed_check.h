// Whether what subscribers were told is what the log says: in its order, no gap, no repeat.
//
//   log --> LoggedEvent --> StreamCheck of each subscriber <-- FeedRecord <-- its events
//
// Events are compared whole (parts put together), without cursors, and with a digest in the
// place of each value that is not short: as bytes, and for people as text.
//
// Threads: a FeedTexts may be shared; all else one at a time.

#ifndef CX_TESTS_INTEGRATION_FEED_CHECK_H
#define CX_TESTS_INTEGRATION_FEED_CHECK_H

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tests/integration/feed_view.h"

// An event of the log, whole, with all its mutations also where they are too large to be told.
struct LoggedEvent {
  api::Event event;
  std::map<std::string, std::string> metadata_before;  // Of the change.

  // The event as it is told, condensed. Made once.
  const std::string &Text(bool without_values) const;

 private:
  api::Event Told() const;

  mutable std::string texts_[2];
};

// ---- Events as they are compared. ---------------------------------------------------------

// Leaves out the values, as `without_values` does.
void FeedDropValues(api::Event *event);

// A context as the event of a snapshot, but for its time.
api::Event FeedSnapshotOf(const std::string &namespace_id, const FeedView::Context &context);

// Gives the entries of a snapshot whose versions are not known those that another one has.
void FeedFillVersions(const api::Event &from, api::Event *to);

// The bytes that an event is compared by.
std::string FeedCondense(api::Event event);

// Such bytes for people.
std::string FeedText(const std::string &condensed);

// Keeps each text once.
class FeedTexts {
 public:
  const std::string *Keep(const std::string &text) {
    std::lock_guard<std::mutex> lock(mutex_);
    return &*texts_.insert(text).first;
  }

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> texts_;
};

// Puts the parts of events together.
class FeedJoiner {
 public:
  // Takes an event or a part of one. True: *ret_event is whole now. What does not go on as
  // it should is said in wrong().
  bool Add(const api::Event &part, api::Event *ret_event);

  // The stream broke off in the middle of a context of a snapshot, which begins anew.
  void DropSnapshot() {
    if (open_ && event_.type() == api::EVENT_TYPE_SNAPSHOT) open_ = false;
  }

  const std::string &wrong() const { return wrong_; }

 private:
  api::Event event_;
  bool open_ = false;
  std::string wrong_;
};

// ---- What a subscription is about. --------------------------------------------------------

// The request's filter, looked at by other code than the server's.
class FeedFilter {
 public:
  explicit FeedFilter(const api::SubscribeRequest &request) : request_(request) {}

  bool Selects(const LoggedEvent &event) const;

  // Whether it selects a context that is like this.
  bool SelectsContext(const api::Context &context) const;
  bool SelectsSomeContexts() const;

  // What a snapshot shows of an event, or of a context.
  void Cut(api::Event *event) const;
  FeedScope scope() const;
  const api::SubscribeRequest &request() const { return request_; }

 private:
  bool SelectsName(const api::Context &context) const;
  bool SelectsKeys(const api::Event &event) const;

  api::SubscribeRequest request_;
};

// ---- What a subscriber was told. ----------------------------------------------------------

struct FeedRecord {
  struct Told {
    const std::string *text;  // Condensed.
    uint64_t revision;
  };

  // A context that was shown, between two events.
  struct Shown {
    size_t before;  // So many events came before.
    std::string id;
    uint64_t revision;
    const std::string *text;
  };

  std::string name;  // Of the subscriber, for people.
  api::SubscribeRequest request;

  // It was told nothing up to here, and of what comes behind there it missed nothing. From
  // the oldest: 0 and 0. UINT64_MAX where it may have missed anything before its first.
  uint64_t not_before = 0;
  uint64_t all_behind = 0;
  bool complete = true;  // It was told everything up to the end of the log.
  std::vector<Told> told;
  std::vector<Shown> shown;
};

// Of each context that was purged, by namespace and id, the last time.
using FeedPurges = std::map<std::pair<std::string, std::string>, uint64_t>;

// Compares a record with the log. The first difference is kept.
class StreamCheck {
 public:
  explicit StreamCheck(FeedRecord record);
  StreamCheck(const StreamCheck &) = delete;
  StreamCheck &operator=(const StreamCheck &) = delete;

  // What was before a purge may be left out by those who come to it afterwards. Borrowed.
  void MayHide(const FeedPurges *purges) { purges_ = purges; }

  // The next event of the log.
  void Expect(const LoggedEvent &event);

  // All events up to `revision` were expected, and made of these contexts what they are.
  void ExpectStates(uint64_t revision, const std::string &namespace_id, const FeedView &view);

  // The log ends.
  void End();

  // Empty: there is none.
  const std::string &difference() const { return difference_; }
  const FeedRecord &record() const { return record_; }

 private:
  // What became of the events of one context, in a subscription with a snapshot.
  struct Course {
    bool told = false;
    bool left_out = false;
    uint64_t left_out_revision = 0;
    bool was_there = false;  // After what was left out it was there, and selected.
  };

  void Tell(const LoggedEvent &event);
  void LeaveOut(const LoggedEvent &event, const std::string &text);
  const FeedRecord::Shown *ShownBefore(const std::string &id) const;
  void Differ(const std::string &what);
  bool HasSnapshot() const { return record_.request.with_snapshot(); }
  bool IsOver() const { return at_ == record_.told.size(); }

  bool MayBeHidden(const api::Event &event) const;

  FeedRecord record_;
  FeedFilter filter_;
  const FeedPurges *purges_ = nullptr;
  size_t at_ = 0;                         // In `told`.
  std::map<std::string, Course> courses_;  // By context. Empty id: the sessions.
  std::map<std::string, std::vector<const FeedRecord::Shown *>> shown_of_;
  std::map<uint64_t, std::vector<const FeedRecord::Shown *>> shown_at_;  // By revision.
  std::string difference_;
};

#endif  // CX_TESTS_INTEGRATION_FEED_CHECK_H
