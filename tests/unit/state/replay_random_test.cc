// Requests of every kind on a few names, and what a server does between them: all promises
// are kept all the time, and a replay gives the same state.

#include "tests/unit/state/tracker_fixture.h"

#include <map>
#include <random>

namespace {

class ReplayRandomTest : public TrackerFixture {
 protected:
  uint64_t Below(uint64_t end) { return random_() % end; }
  bool OneIn(uint64_t count) { return Below(count) == 0; }
  std::string AnyContext() { return std::string(1, "abcdef"[Below(6)]); }
  std::string AnySession() { return std::string(1, "stuvw"[Below(5)]); }

  // Now and then the fence that the context has.
  uint64_t AnyFence(const std::string &context) {
    return OneIn(3) ? Tracked(context).fence : OneIn(8) ? Below(4) : 0;
  }

  Activity AnyActivity() {
    Activity activity(std::string(1, "xyz"[Below(3)]), std::string(Below(3) * 700, 'd'));
    if (OneIn(3)) activity.Label("k", "v");
    if (OneIn(4)) activity.File(std::string(1, "pq"[Below(2)]), "read");
    if (OneIn(4)) activity.Model(std::string(1, "mn"[Below(2)]), Below(10), 1);
    return activity;
  }

  cx_plan_result Begins() {
    return Begin(AnySession(), [&](Start *start) {
      if (OneIn(2)) start->create_if_missing = &create_;
      if (OneIn(2)) start->default_context_id = Keep(AnyContext());
      if (OneIn(4)) start->request_id = Keep(std::to_string(Below(20)));
      start->max_active_contexts = 1 + Below(5);
    });
  }

  cx_plan_result Activates() {
    const ActivationPlan plans[] = {cx_plan_activate, cx_plan_activate, cx_plan_switch,
                                    cx_plan_deactivate};
    ActivationPlan plan = plans[Below(4)];
    std::string context = AnyContext();
    return Finish(Plan(plan, AnySession(), context, [&](Activation *request) {
      request->exclusive = plan == cx_plan_activate && OneIn(2);
      request->takeover = request->exclusive && OneIn(2);
      request->guard = request->exclusive && OneIn(2);
      request->fence = OneIn(4) ? AnyFence(context) : 0;
      if (OneIn(4)) request->request_id = Keep(std::to_string(Below(20)));
    }));
  }

  cx_plan_result Takes() {
    std::string context = AnyContext();
    return Finish(Plan(OneIn(3) ? cx_plan_release : cx_plan_acquire, AnySession(), context,
                       std::string(1, "klm"[Below(3)]), [&](Resource *request) {
                         request->fence = AnyFence(context);
                         if (OneIn(4)) request->request_id = Keep(std::to_string(Below(20)));
                       }));
  }

  cx_plan_result Writes() {
    Mutations mutations;
    std::string context = AnyContext();
    for (uint64_t i = 1 + Below(3); i > 0; i--) mutations.Record(AnyActivity());
    if (OneIn(3)) mutations.Put("k", std::string(Below(3000), 'v'));
    if (OneIn(8)) mutations.SetExpiry(static_cast<int64_t>(Below(200)), OneIn(2));
    return WriteTo(context, mutations, [&](Write *write) {
      if (OneIn(2)) write->author.session_id = Keep(AnySession());
      write->author.fence = AnyFence(context);
      if (OneIn(4)) write->create_if_missing = &create_;
      if (OneIn(4)) write->request_id = Keep(std::to_string(Below(20)));
      write->wants_sequence = OneIn(2);
    });
  }

  cx_plan_result Shortens() {
    cx_plan_begin(&plan_);
    if (OneIn(2)) {
      cx_truncate_request request = {};
      uint64_t from_sequence = 0;
      request.name = {cx_bytes_of("default"), Keep(AnyContext())};
      request.from_sequence = OneIn(2) ? 1 + Below(40) : 0;
      request.from_time_us = plan_.now_us - static_cast<int64_t>(Below(100));
      return Finish(cx_plan_truncate(&plan_, &request, &from_sequence));
    }
    cx_optimize_request request = {};
    cx_optimizing optimizing = {};
    request.name = {cx_bytes_of("default"), Keep(AnyContext())};
    request.deduplicate = OneIn(2);
    request.max_count = Below(10);
    request.max_bytes = Below(4000);
    optimizing.request = &request;
    cx_plan_result result = Finish(cx_plan_optimize(&plan_, &optimizing));
    cx_history_cut_done(&optimizing.cut);
    return result;
  }

  cx_plan_result Contexts() {
    switch (Below(4)) {
      case 0:
        return CreateBelow(AnyContext(), OneIn(2) ? "" : AnyContext());
      case 1:
        return Delete(AnyContext(), OneIn(2), OneIn(4));
      case 2:
        plan_.now_us += static_cast<int64_t>(Below(60));
        return Due(AnyContext());
      default:
        plan_.history_count_max = 1 + Below(12);
        plan_.history_bytes_max = 1 + Below(9000);
        return CX_PLAN_NOTHING;
    }
  }

  cx_plan_result Ends() {
    std::string id = AnySession();
    if (OneIn(2) && Session(id) != nullptr) LetLapse(id);
    return OneIn(2) ? End(id) : Lapse(id);
  }

  cx_plan_result Anything() {
    switch (Below(12)) {
      case 0:
        return Begins();
      case 1:
        return OneIn(3) ? Ends() : Begins();
      case 2:
      case 3:
        return Contexts();
      case 4:
        return Shortens();
      case 5:
      case 6:
        return Takes();
      case 7:
      case 8:
        return Writes();
      default:
        return Activates();
    }
  }

  // What has to end before it can be planned.
  void EndExpired() {
    cx_name_key key = plan_.expired;
    bool session = plan_.expired_is_session;
    cx_plan_begin(&plan_);
    EXPECT_EQ(CX_PLAN_CHANGE,
              Finish(session ? cx_plan_lapse(&plan_, &key) : cx_plan_due(&plan_, &key)));
  }

  // What session.h, tracked.h and context.h promise of whatever there is.
  void ExpectPromisesKept() {
    for (char c : std::string("abcdef")) {
      std::string id(1, c);
      const cx_context *context = Find(id);
      size_t held = Held(id).size(), active = Sessions(id).size();
      History(id);
      if (context == nullptr) fences_[id] = sequences_[id] = 0;
      EXPECT_GE(Tracked(id).fence, fences_[id]);
      EXPECT_GE(Tracked(id).last_sequence, sequences_[id]);
      fences_[id] = Tracked(id).fence;
      sequences_[id] = Tracked(id).last_sequence;
      EXPECT_TRUE(Tracked(id).exclusive == nullptr ||
                  Tracked(id).exclusive->fence == Tracked(id).fence);
      if (context == nullptr || context->life != CX_CONTEXT_LIVE) {
        EXPECT_EQ(0u, held + active);
      }
    }
    for (char c : std::string("stuvw")) {
      const cx_session *session = Session(std::string(1, c));
      if (session == nullptr) continue;
      List active = Active(std::string(1, c));
      size_t current = 0;
      for (const std::string &each : active) current += each.back() == '*';
      EXPECT_EQ(active.empty() ? 0u : 1u, current);
      EXPECT_LE(active.size(), session->max_active_contexts);
    }
  }

  std::mt19937_64 random_;
  cx_new_context create_ = {};
  std::map<std::string, uint64_t> fences_, sequences_;
};

TEST_F(ReplayRandomTest, GivesTheSameStateAgainWhateverTheTrackerDid) {
  const unsigned seed = 5;
  int changes = 0, failures = 0;
  random_.seed(seed);
  settings_.request_id_window_us = 300;
  WriteSettings();
  for (int round = 0; round < 6000; round++) {
    uint64_t digest = cx_state_digest(&state_);
    cx_plan_result result = Anything();
    if (result == CX_PLAN_NEEDS_EXPIRY) EndExpired();
    if (result == CX_PLAN_FAILED || result == CX_PLAN_NOTHING) {
      EXPECT_EQ(digest, cx_state_digest(&state_));
    }
    (result == CX_PLAN_CHANGE ? changes : failures)++;
    ExpectPromisesKept();
    if (round % 1000 == 999) ExpectReplayGivesTheSame();
    if (HasFailure()) FAIL() << "seed " << seed << ", round " << round;
  }
  EXPECT_GT(changes, 1500);
  EXPECT_GT(failures, 1500);
}

}  // namespace
