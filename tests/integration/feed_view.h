// What a consumer of events builds of them: the contexts of a namespace, with their entries
// and versions. See docs/events.md, "Mutations".
//
// What always holds:
//
//  (1) It knows only what it was told: a context whose beginning it has not seen is not in it.
//      (Of some keys, it is as good as empty until one of them is touched.)
//  (2) An entry that a restore has brought back has version 0: which one it has is not told.
//  (3) An event that does not fit what is there, or after which the counts of the event are
//      not those of the view, is a failure that Apply() names.
//
// Threads: one at a time.

#ifndef CX_TESTS_INTEGRATION_FEED_VIEW_H
#define CX_TESTS_INTEGRATION_FEED_VIEW_H

#include <map>
#include <set>
#include <string>

#include "contextd/v1/tracker.pb.h"

namespace api = contextd::v1;

// How much of the contexts the events tell.
enum class FeedScope {
  kWhole,
  kWithoutValues,
  kSomeKeys,  // Of a subscription with `key_prefix`: entries with other keys are left out.
};

class FeedView {
 public:
  struct Context {
    api::Context head;  // Without entries.
    std::map<std::string, api::Entry> entries;
    uint64_t held = 0;  // It was read as of this revision: what that holds is not applied.
    bool may_jump = false;  // A recovery point may have taken a version for itself since.
  };

  explicit FeedView(FeedScope scope = FeedScope::kWhole, const std::string &key_prefix = "")
      : scope_(scope), key_prefix_(key_prefix) {}

  // Takes an event, which is whole. Of one that says `reset`, what it does not tell is not
  // known until Replace(). Returns what is wrong; empty: nothing.
  std::string Apply(const api::Event &event);

  // Puts a context in place as it was read. What its revision holds is not applied again.
  void Replace(const api::Context &context);

  // Leaves a context out that is of no interest any more.
  void Drop(const std::string &id) { contexts_.erase(id), unknown_.erase(id); }

  // What is in a context is not known, up to its end or until Replace().
  void Forget(const std::string &id) { contexts_.erase(id), unknown_.insert(id); }

  // NULL: not there, or not known.
  const Context *Find(const std::string &id) const;

  // Whether it is there since an event that said `reset`, and was not read since.
  bool IsUnknown(const std::string &id) const { return unknown_.count(id) > 0; }
  const std::map<std::string, Context> &contexts() const { return contexts_; }
  const std::set<std::string> &sessions() const { return sessions_; }

 private:
  std::string ApplyMutations(const api::Event &event, Context *context);
  std::string ApplyMutation(const api::Mutation &mutation, uint64_t version, Context *context);
  std::string CheckVersion(const api::Event &event, const Context &before) const;
  std::string CheckHead(const api::Event &event, const Context *before) const;
  std::string CheckCounts(const Context &context) const;
  bool IsShown(const std::string &key) const {
    return key.compare(0, key_prefix_.size(), key_prefix_) == 0;
  }

  FeedScope scope_;
  std::string key_prefix_;
  std::map<std::string, Context> contexts_;
  std::set<std::string> unknown_;   // Contexts.
  std::set<std::string> sessions_;  // Those that have started and not ended.
};

#endif  // CX_TESTS_INTEGRATION_FEED_VIEW_H
