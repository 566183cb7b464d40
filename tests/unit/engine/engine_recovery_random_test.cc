// Random work on a few contexts, held against a model that copies everything: whatever is created,
// changed, kept, dropped, forked, merged, restored, deleted and brought back, through restarts and
// kills and losses of power, both tell the same. In the end everything goes, and with it the
// memory.
//
// For longer: --test_env=CONTEXTD_STEPS=200000 --test_env=CONTEXTD_SEED=7 --test_timeout=3600.

#include "tests/unit/engine/recovery_model.h"

#include <cstdlib>
#include <random>

#include "tests/support/seed.h"

namespace {

using model::Base;
using model::Context;
using model::KeptPoint;
using model::Life;
using model::State;

uint64_t Parameter(const char *name, uint64_t otherwise) {
  const char *text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class EngineRecoveryRandomTest : public RecoveryFixture {
 protected:
  static constexpr uint64_t kPointsMax = 8;
  static constexpr int64_t kUndeleteWindow = 100 * kSecond;
  static constexpr int64_t kSessionTtl = 7 * kSecond;

  EngineRecoveryRandomTest() {
    options_.recovery_points_max = kPointsMax;
    options_.settings.undelete_window_us = kUndeleteWindow;
    options_.settings.tombstone_window_us = 2 * kUndeleteWindow;
  }

  void Run(uint64_t seed, uint64_t steps);

 private:
  uint64_t Below(uint64_t bound) { return rng_() % bound; }
  bool Chance(uint64_t percent) { return Below(100) < percent; }
  std::string AnyName() { return "c" + std::to_string(Below(6)); }
  std::string AnyValue() {
    return std::string(Chance(5) ? 1500 : 1, static_cast<char>('a' + Below(6))) +
           std::to_string(Below(4));
  }

  cx_recovery_policy AnyPolicy() {
    cx_recovery_policy policy = {};
    policy.is_set = Chance(70);
    if (!policy.is_set) return policy;
    if (Chance(50)) policy.retention.keep_last = 1 + Below(4);
    if (Chance(30)) policy.retention.keep_every = 2 + Below(3);
    if (Chance(30)) policy.retention.keep_within_us = (5 + Below(20)) * kSecond;
    if (Chance(30)) policy.point_every_changes = 2 + Below(4);
    if (Chance(30)) policy.point_every_us = (3 + Below(20)) * kSecond;
    return policy;
  }

  // A name of a context that is there, or "".
  std::string Live() {
    for (int i = 0; i < 10; i++) {
      std::string name = AnyName();
      if (contexts_[name].life == Life::kLive) return name;
    }
    return "";
  }

  // One of the points of a context; 0: it has none.
  uint64_t AnyPoint(const Context &context) {
    if (context.points.empty()) return 0;
    auto at = context.points.begin();
    std::advance(at, static_cast<long>(Below(context.points.size())));
    return at->first;
  }

  Mutations Change(State *state, bool labels = true) {
    Mutations mutations;
    for (uint64_t i = 0, count = 1 + Below(3); i < count; i++) {
      const std::string key = "k" + std::to_string(Below(8)), value = AnyValue();
      if (Chance(70)) {
        mutations.Put(key, value);
        state->entries[key] = value;
      } else if (labels && Chance(50)) {
        mutations.SetLabel(key, value.substr(0, 8));
        state->labels[key] = value.substr(0, 8);
      } else {
        mutations.Delete(key);
        state->entries.erase(key);
      }
    }
    return mutations;
  }

  // Of one of few files, of a model, or of neither; its type says which.
  Activity AnyActivity(std::vector<std::string> *types) {
    const std::string number = std::to_string(Below(3));
    types->push_back(std::string(1, "fcm"[Below(3)]) + number);
    Activity activity(types->back());
    if (types->back()[0] == 'f') activity.File(number, "write");
    if (types->back()[0] == 'c') activity.Model(number, 1, 1);
    return activity;
  }

  // ---- What a change of the head brings with it. -----------------------------------------

  void NewState(Context *context, const State &state, uint64_t version, uint64_t revision) {
    if (context->life == Life::kLive) {
      EXPECT_GT(version, context->head.version);
      for (const auto &[sequence, point] : context->points) {
        EXPECT_GT(version, point.state.version) << "no other state has it";
      }
    } else {
      context->recent.clear();
    }
    if (!context->recent.empty()) {
      context->recent.back().history = context->head.history;
      context->recent.back().head_point = context->head_point;
    }
    const std::vector<std::string> history = context->head.history;
    context->life = Life::kLive;
    context->head = state;
    context->head.history = history;
    context->head.version = context->head.head_version = version;
    context->head.head_revision = revision;
    context->head.birth = context->birth;
    context->recent.push_back(context->head);
    context->times[clock_.now_us] = context->head;
    context->changes++;
  }

  KeptPoint *AddPoint(Context *context, const State &state, cx_point_origin origin, uint64_t parent,
                      uint64_t revision) {
    KeptPoint point;
    point.parent = parent;
    point.revision = revision;
    point.create_time_us = clock_.now_us;
    point.origin = origin;
    point.state = state;
    context->made.insert(++context->last_sequence);
    return &(context->points[context->last_sequence] = point);
  }

  // All may stay at the next change, whatever the rules say.
  static void LetLinger(Context *context) {
    for (const auto &[sequence, point] : context->points) context->made.insert(sequence);
  }

  // The policy's own point of the head.
  void AddPolicyPoint(Context *context, uint64_t revision) {
    const cx_recovery_policy &policy = context->policy;
    const int64_t since_us =
        context->point_time_us != 0 ? context->point_time_us : context->create_time_us;
    if ((policy.point_every_changes != 0 && context->changes >= policy.point_every_changes) ||
        (policy.point_every_us != 0 && clock_.now_us - since_us >= policy.point_every_us)) {
      AddPoint(context, context->head, CX_ORIGIN_POLICY, context->head_point, revision);
      KeptByPoint(context);
    }
  }
  void KeptByPoint(Context *context) {
    context->head_point = context->last_sequence;
    context->changes = 0;
    context->point_time_us = clock_.now_us;
  }

  // ---- Holding both against each other. --------------------------------------------------

  void Reconcile(const std::string &name);
  void CompareHead(const std::string &name);
  void CompareHistory(const std::string &name);
  void CompareEarlier(const std::string &name);
  void ExpectState(const State &expected, const Found &found, const std::string &what) {
    EXPECT_EQ(expected.entries, found.entries) << what;
    EXPECT_EQ(expected.labels, found.labels) << what;
    EXPECT_EQ(expected.version, found.version) << what;
    EXPECT_EQ(expected.entries.size(), found.entry_count) << what;
  }
  // After a change that lets the policy drop points; `busy`: one that it was about.
  void Changed(const std::string &name, uint64_t busy = 0) {
    contexts_[name].lingering = std::exchange(contexts_[name].made, {});
    if (busy != 0) contexts_[name].lingering.insert(busy);
    Reconcile(name);
  }

  // ---- Steps. ----------------------------------------------------------------------------

  void PassTime(int64_t us);
  void TakeTimersPoints(const std::string &name);
  void DoSession();
  void DoCreate();
  void DoUpdate();
  void DoPoint();
  void DoPointUpdate();
  void DoDrop();
  void DoPrune();
  void DoFork();
  void DoMerge();
  void DoRestore();
  void RestoreByTime(const std::string &name);
  void DoUndelete();
  void DoDelete();
  void DoRestart();
  void DoPowerLoss();
  void SessionsBeginAnew();

  std::mt19937_64 rng_;
  std::map<std::string, Context> contexts_;
  uint64_t births_ = 0, point_ids_ = 0, done_ = 0;
};

void EngineRecoveryRandomTest::Reconcile(const std::string &name) {
  Context &context = contexts_[name];
  const int64_t now_us = clock_.now_us;
  std::map<uint64_t, Point> told;
  std::string after;
  cx_point_query query = {};
  query.context_id = Bytes(name);
  query.count_max = 1 + Below(5);
  for (bool more = true; more;) {
    PointPage page = PageOfPoints(query);
    if (context.life == Life::kNone) {
      EXPECT_EQ("CONTEXT_NOT_FOUND", page.reason()) << name;
      return;
    }
    ASSERT_EQ(CX_OK, page.status) << name << ": " << page.error.message;
    for (const Point &row : page.rows) {
      EXPECT_TRUE(told.empty() || row.sequence < told.begin()->first) << "newest first";
      told[row.sequence] = row;
    }
    more = page.more;
    query.after_sequence = page.last_sequence;
  }
  const bool live = context.life == Life::kLive;
  const std::set<uint64_t> kept = Kept(context, kPointsMax, now_us);
  std::vector<uint64_t> gone;
  for (const auto &[sequence, point] : context.points) {
    bool expired = point.expire_time_us != 0 && point.expire_time_us <= now_us;
    if (told.count(sequence) != 0) {
      EXPECT_FALSE(expired) << name << " " << sequence;
      EXPECT_TRUE(!live || kept.count(sequence) != 0 || context.lingering.count(sequence) != 0)
          << name << ": no rule keeps " << sequence;
    } else {
      EXPECT_TRUE(expired || (live && kept.count(sequence) == 0)) << name << " " << sequence;
      if (live) gone.push_back(sequence);
    }
  }
  for (uint64_t sequence : gone) Drop(&context, sequence);
  for (auto &[sequence, row] : told) {
    ASSERT_EQ(1u, context.points.count(sequence)) << name << " " << sequence;
    KeptPoint &point = context.points[sequence];
    const std::string what = name + " point " + std::to_string(sequence);
    if (point.id.empty()) point.id = row.id;
    if (point.revision == 0) point.revision = row.revision;
    EXPECT_EQ(point.id, row.id) << what;
    auto parent = context.points.find(point.parent);
    bool hidden = parent != context.points.end() && told.count(point.parent) == 0;
    if (!hidden) {
      EXPECT_EQ(point.parent != 0 ? parent->second.id : "", row.parent_id) << what;
    }
    EXPECT_EQ(point.revision, row.revision) << what;
    EXPECT_EQ(point.create_time_us, row.create_time_us) << what;
    EXPECT_EQ(point.expire_time_us, row.expire_time_us) << what;
    EXPECT_EQ(point.pinned, row.pinned) << what;
    EXPECT_EQ(point.origin, row.origin) << what;
    EXPECT_EQ(point.labels, row.labels) << what;
    EXPECT_EQ(point.attachments, row.attachments) << what;
    ExpectState(point.state, row.state, what);
  }
}

void EngineRecoveryRandomTest::CompareHead(const std::string &name) {
  const Context &context = contexts_[name];
  Found found = Get(name);
  if (context.life != Life::kLive) {
    EXPECT_EQ("CONTEXT_NOT_FOUND", found.reason()) << name;
    return;
  }
  ASSERT_EQ(CX_OK, found.status) << name;
  ExpectState(context.head, found, name);
  CompareHistory(name);
}

// Activities, files and usage: restores leave them alone, forks may take them along.
void EngineRecoveryRandomTest::CompareHistory(const std::string &name) {
  const std::vector<std::string> &expected = contexts_[name].head.history;
  std::vector<std::string> told;
  std::map<std::string, uint64_t> files, calls, told_files, told_calls;
  cx_tracked_query query = {};
  cx_context_name context_name = Name(name);
  cx_file_page page;
  cx_usage_summary usage;
  cx_error error;
  uint64_t wait_for;
  for (const std::string &type : expected) {
    if (type[0] == 'f') files[type.substr(1)]++;
    if (type[0] == 'c') calls[type.substr(1)]++;
  }
  for (const Recorded &row : Activities(name).rows) told.push_back(row.type);
  EXPECT_EQ(expected, told) << name;
  query.name = context_name;
  query.count_max = 10;
  ASSERT_EQ(CX_OK, cx_engine_list_files(engine_, &query, &page, &wait_for, &error));
  for (size_t i = 0; i < page.count; i++) {
    told_files[Text(page.rows[i].last.path)] = page.rows[i].operation_count;
  }
  cx_file_page_done(&page);
  EXPECT_EQ(files, told_files) << name;
  ASSERT_EQ(CX_OK, cx_engine_summarize_usage(engine_, &context_name, &usage, &wait_for, &error));
  for (size_t i = 0; i < usage.count; i++) {
    told_calls[Text(usage.totals[i].model)] = usage.totals[i].input_tokens;
  }
  cx_usage_summary_done(&usage);
  EXPECT_EQ(calls, told_calls) << name;
}

// What is certain to be kept is there, and whatever is there is right.
void EngineRecoveryRandomTest::CompareEarlier(const std::string &name) {
  const Context &context = contexts_[name];
  if (context.life != Life::kLive) return;
  const size_t count = context.recent.size(), back = Below(4);
  if (back < count) {
    ExpectState(context.recent[count - 1 - back],
                GetVersion(name, context.recent[count - 1 - back].version), name + " before");
  }
  // Versions of points from elsewhere may be those of states that the context itself had.
  const uint64_t sequence = context.foreign && count < 4 ? 0 : AnyPoint(context);
  if (sequence != 0) {
    const State &state = context.points.at(sequence).state;
    ExpectState(state, GetVersion(name, state.version), name + " of a point");
  }
  auto moment = context.times.begin();
  std::advance(moment, static_cast<long>(Below(context.times.size())));
  const auto next = std::next(moment);
  const int64_t end_us = next != context.times.end() ? next->first : clock_.now_us + 1;
  const int64_t at_us =
      moment->first + static_cast<int64_t>(Below(static_cast<uint64_t>(end_us - moment->first)));
  Found found = Get(name, At::Time(at_us).get());
  if (found.status == CX_OK) {
    ExpectState(moment->second, found, name + " at " + std::to_string(at_us));
  } else {
    EXPECT_EQ("STATE_NOT_RETAINED", found.reason());
  }
}

// The points that timers have made: of the policy, and of a session that was lost. Where both were
// due, the policy may have its point with the other one, and the second may push the first out.
void EngineRecoveryRandomTest::TakeTimersPoints(const std::string &name) {
  Context &context = contexts_[name];
  const int64_t since_us =
      context.point_time_us != 0 ? context.point_time_us : context.create_time_us;
  const int64_t every_us = context.policy.point_every_us;
  const bool live = context.life == Life::kLive;
  const bool lost = live && context.alone_until_us != 0 && context.alone_until_us <= clock_.now_us;
  const bool due =
      live && every_us != 0 && context.changes > 0 && since_us + every_us <= clock_.now_us;
  std::vector<cx_point_origin> made;
  cx_point_query query = {};
  if (!lost && !due) return;
  query.context_id = Bytes(name);
  query.count_max = 2;
  for (const Point &row : PageOfPoints(query).rows) {
    if (row.sequence <= context.last_sequence) break;
    bool hides_one = made.empty() && row.sequence == context.last_sequence + 2;
    if (hides_one)
      made = {row.origin == CX_ORIGIN_POLICY ? CX_ORIGIN_SESSION_LOSS : CX_ORIGIN_POLICY};
    if (made.size() < 2) made.push_back(row.origin);
  }
  EXPECT_EQ(lost ? 1 : 0, std::count(made.begin(), made.end(), CX_ORIGIN_SESSION_LOSS)) << name;
  EXPECT_GE(std::count(made.begin(), made.end(), CX_ORIGIN_POLICY), due && !lost ? 1 : 0) << name;
  EXPECT_LE(std::count(made.begin(), made.end(), CX_ORIGIN_POLICY), due ? 1 : 0) << name;
  for (const auto &[sequence, point] : context.points) {
    // Which was first, that one expired or that one was made, shows in how many more are kept.
    bool expired = point.expire_time_us != 0 && point.expire_time_us <= clock_.now_us;
    if (expired) LetLinger(&context);
  }
  for (cx_point_origin origin : made) {
    AddPoint(&context, context.head, origin, context.head_point, 0);
    KeptByPoint(&context);
  }
  if (lost) context.alone_until_us = 0;
  Changed(name);
}

void EngineRecoveryRandomTest::PassTime(int64_t us) {
  clock_.now_us += us;
  for (int i = 0; i < 4; i++) Step();
  for (auto &[name, context] : contexts_) TakeTimersPoints(name);
  for (auto &[name, context] : contexts_) {
    if (context.life == Life::kDeleted && context.end_time_us + kUndeleteWindow <= clock_.now_us) {
      uint64_t last = context.last_sequence;
      context = Context();
      context.last_sequence = last;
    }
    Reconcile(name);
  }
}

void EngineRecoveryRandomTest::DoCreate() {
  const std::string name = AnyName();
  Context &context = contexts_[name];
  State state;
  cx_new_context properties = {};
  properties.policy = AnyPolicy();
  Outcome created = Create(name, properties, Change(&state));
  if (context.life == Life::kLive) {
    EXPECT_EQ("CONTEXT_EXISTS", created.reason());
    return;
  }
  ASSERT_EQ(CX_OK, created.status) << created.error.message;
  context.birth = ++births_;
  if (context.points.empty()) context.foreign = false;
  context.head_point = 0;
  context.changes = 0;
  context.policy = properties.policy;
  context.create_time_us = clock_.now_us;
  context.point_time_us = 0;
  context.head.history.clear();
  context.forked_from.clear();
  context.merged.clear();
  if (context.points.empty() && context.life == Life::kNone) context.last_sequence = 0;
  NewState(&context, state, created.write.version, created.write.revision);
  Changed(name);
}

void EngineRecoveryRandomTest::DoUpdate() {
  const std::string name = Live();
  if (name.empty()) return;
  Context &context = contexts_[name];
  State state = context.head;
  Mutations mutations = Change(&state);
  std::vector<std::string> recorded;
  if (Chance(30)) mutations.Record(AnyActivity(&recorded));
  if (Chance(5)) mutations.SetPolicy(context.policy = AnyPolicy());
  Outcome updated = Update(name, mutations);
  ASSERT_EQ(CX_OK, updated.status) << updated.error.message;
  NewState(&context, state, updated.write.version, updated.write.revision);
  for (const std::string &type : recorded) context.head.history.push_back(type);
  AddPolicyPoint(&context, updated.write.revision);
  Changed(name);
}

void EngineRecoveryRandomTest::DoPoint() {
  const std::string name = Live();
  if (name.empty()) return;
  Context &context = contexts_[name];
  const uint64_t from = Chance(30) ? AnyPoint(context) : 0;
  const uint64_t replaced = Chance(15) ? AnyPoint(context) : 0;
  const bool mutates = Chance(30), moves = Chance(40);
  State state = from != 0 ? context.points[from].state : context.head;
  const State from_state = state;
  NewPoint made("p" + std::to_string(++point_ids_));
  KeptPoint point;
  if (replaced != 0) made.Replace().id = context.points[replaced].id;
  if (from != 0) made.From(context.points[from].id);
  if (mutates) made.With(Change(&state));
  made.move_head = moves;
  made.pinned = Chance(10);
  if (Chance(20)) made.Label("l", std::to_string(Below(2)));
  if (Chance(20)) made.Attach("a" + std::to_string(Below(3)), AnyValue());
  if (Chance(20)) made.Ttl(static_cast<int64_t>(1 + Below(20)) * kSecond);
  if (Chance(50)) made.Request("r" + std::to_string(point_ids_));
  Pointed pointed = MakePoint(name, made);
  if (replaced != 0 && context.points[replaced].pinned) {
    EXPECT_EQ("RECOVERY_POINT_PINNED", pointed.reason());
    return;
  }
  ASSERT_EQ(CX_OK, pointed.status) << pointed.error.message;
  const bool aside = !moves && (from != 0 || mutates);
  if (moves && (from != 0 || mutates)) {
    NewState(&context, state, pointed.write.version, pointed.write.revision);
    if (from != 0) context.head_point = from;
  } else {
    EXPECT_EQ(context.head.version, pointed.write.version) << "the head stays";
  }
  if (aside) {
    state.version = pointed.point.state.version;
    EXPECT_TRUE(mutates ? state.version > context.head.version
                        : state.version == from_state.version);
  } else {
    state = context.head;
  }
  KeptPoint *kept;
  uint64_t sequence = replaced;
  if (replaced != 0) {
    kept = &context.points[replaced];
    kept->state = state;
    kept->expire_time_us = 0;
    kept->labels.clear();
    kept->origin = CX_ORIGIN_CLIENT;
  } else {
    kept = AddPoint(&context, state, CX_ORIGIN_CLIENT,
                    aside && from != 0 ? from : context.head_point, pointed.write.revision);
    sequence = context.last_sequence;
  }
  kept->id = made.id;
  kept->pinned = made.pinned;
  for (const auto &[key, value] : made.labels) kept->labels[key] = value;
  for (const auto &[key, value] : made.attachments) kept->attachments[key] = value;
  if (made.ttl_us != 0) kept->expire_time_us = clock_.now_us + made.ttl_us;
  if (!aside) {
    context.head_point = sequence;
    context.changes = 0;
    context.point_time_us = clock_.now_us;
  }
  context.lingering = std::exchange(context.made, {});
  if (replaced != 0) context.lingering.insert(replaced);
  if (from != 0 && moves) context.lingering.insert(from);
  Reconcile(name);
  if (!made.request_id.empty()) {
    const uint64_t before = Digest();
    Pointed again = MakePoint(name, made);
    EXPECT_TRUE(again.write.replayed);
    EXPECT_EQ(pointed.write.revision, again.write.revision);
    EXPECT_EQ(before, Digest());
  }
}

void EngineRecoveryRandomTest::DoPointUpdate() {
  const std::string name = Live();
  const uint64_t sequence = name.empty() ? 0 : AnyPoint(contexts_[name]);
  if (sequence == 0) return;
  KeptPoint &point = contexts_[name].points[sequence];
  PointUpdate update;
  if (Chance(50)) update.set_labels["l"] = point.labels["l"] = std::to_string(Below(3));
  if (Chance(50)) update.put["a0"] = point.attachments["a0"] = AnyValue();
  if (Chance(30)) update.pin = Chance(30) ? CX_PIN_ON : CX_PIN_OFF;
  if (Chance(20)) update.clear_expiry = true;
  if (update.pin != CX_PIN_AS_IT_IS) point.pinned = update.pin == CX_PIN_ON;
  if (update.clear_expiry) point.expire_time_us = 0;
  if (point.labels["l"].empty()) point.labels.erase("l");
  Pointed updated = UpdatePoint(name, point.id, update);
  ASSERT_EQ(CX_OK, updated.status) << updated.error.message;
  Changed(name, sequence);
}

void EngineRecoveryRandomTest::DoDrop() {
  const std::string name = Live();
  const uint64_t sequence = name.empty() ? 0 : AnyPoint(contexts_[name]);
  if (sequence == 0) return;
  ASSERT_EQ(CX_OK, DropPoint(name, contexts_[name].points[sequence].id).status);
  Drop(&contexts_[name], sequence);
  Reconcile(name);
}

void EngineRecoveryRandomTest::DoPrune() {
  const std::string name = Live();
  if (name.empty()) return;
  Context &context = contexts_[name];
  Context pruned = context;
  pruned.policy.retention = {Below(3), Below(2) * 3, 0};
  if (!cx_retention_is_set(&pruned.policy.retention)) return;
  const std::set<uint64_t> kept = Kept(pruned, kPointsMax, clock_.now_us);
  const bool dry = Chance(30);
  Pruned told = Prune(name, pruned.policy.retention, {}, dry);
  ASSERT_EQ(CX_OK, told.status) << told.error.message;
  EXPECT_EQ(kept.size(), told.kept);
  EXPECT_EQ(context.points.size() - kept.size(), told.removed);
  for (const auto &[sequence, point] : pruned.points) {
    if (!dry && kept.count(sequence) == 0) Drop(&context, sequence);
  }
  Reconcile(name);
}

// A session that works on a context alone, until it is lost.
void EngineRecoveryRandomTest::DoSession() {
  const std::string name = Live();
  if (name.empty()) return;
  Context &context = contexts_[name];
  cx_session_start_request start = Term(kSessionTtl);
  start.point_on_loss = true;
  const std::string session = Session(start);
  Activated activated = Activate(session, name, kExclusive);
  if (context.alone_until_us != 0) {
    EXPECT_EQ("CONTEXT_BUSY", activated.reason());
    return;
  }
  ASSERT_EQ(CX_OK, activated.status) << activated.error.message;
  context.alone_until_us = clock_.now_us + kSessionTtl;
}

void EngineRecoveryRandomTest::DoFork() {
  const std::string source = Live(), name = AnyName();
  if (source.empty()) return;
  Context &from = contexts_[source], &context = contexts_[name];
  const uint64_t sequence = Chance(40) ? AnyPoint(from) : 0;
  ForkOptions options;
  options.points = Chance(40);
  options.history = Chance(40);
  Restored forked =
      Fork(source, name, sequence != 0 ? At::Point(from.points[sequence].id) : At(), options);
  if (context.life == Life::kLive) {
    EXPECT_EQ("CONTEXT_EXISTS", forked.reason());
    return;
  }
  ASSERT_EQ(CX_OK, forked.status) << forked.error.message;
  const State state = sequence != 0 ? from.points[sequence].state : from.head;
  context.birth = ++births_;
  if (context.points.empty()) context.foreign = false;
  context.policy = from.policy;
  context.create_time_us = clock_.now_us;
  context.point_time_us = 0;
  context.head.history.clear();
  if (options.history) context.head.history = state.history;
  context.forked_from = from.forked_from;
  context.forked_from.insert(context.forked_from.begin(),
                             Base{from.birth, forked.write.revision, state});
  context.merged.clear();
  for (const Base &base : from.merged) {
    bool was_there = model::IsOf(from, state) && base.revision <= state.head_revision;
    if (was_there) context.merged.push_back(base);
  }
  context.head_point = 0;
  context.changes = 0;
  if (options.points) {
    context.points.clear();
    context.foreign = true;
    context.times.clear();  // What was before is that of the source.
    for (const auto &[number, point] : from.points) {
      if (sequence == 0 || number <= sequence) context.points[number] = point;
    }
    context.last_sequence = from.last_sequence;
    context.head_point = sequence != 0 ? sequence : from.head_point;
    context.changes = from.changes;
    context.point_time_us = from.point_time_us;
  } else if (context.life == Life::kNone) {
    context.last_sequence = 0;
  }
  NewState(&context, state, forked.write.version, forked.write.revision);
  context.lingering.clear();
  if (options.points) {
    for (const auto &[number, point] : context.points) context.lingering.insert(number);
  }
  Reconcile(name);
}

void EngineRecoveryRandomTest::DoMerge() {
  const std::string source = Live(), target = Live();
  if (source.empty() || target.empty() || source == target) return;
  Context &from = contexts_[source], &context = contexts_[target];
  const uint64_t sequence = Chance(20) ? AnyPoint(from) : 0;
  const State state = sequence != 0 ? from.points[sequence].state : from.head;
  MergeOptions options;
  if (sequence != 0) options.source_at = At::Point(from.points[sequence].id);
  options.on_conflict = static_cast<cx_on_conflict>(Below(3));
  options.dry_run = Chance(15);
  options.safety = Chance(30);
  if (Chance(40)) options.rules["k1"] = static_cast<cx_on_conflict>(Below(3));
  const std::string named = Chance(15) ? Live() : "";
  options.ancestor = named;
  Merged merged = Merge(source, target, options);
  const Base *base = model::Ancestor(from, state, context);
  if (named.empty() && base == nullptr) {
    EXPECT_EQ("NO_COMMON_ANCESTOR", merged.reason());
    return;
  }
  ASSERT_EQ(CX_OK, merged.status) << merged.error.message;
  const State ancestor = named.empty() ? base->state : contexts_[named].head;
  auto rule = [&](const std::string &key) {
    return options.rules.count(key) != 0 ? options.rules[key] : options.on_conflict;
  };
  auto label_rule = [&](const std::string &) { return options.on_conflict; };
  model::Joined entries = model::Join(ancestor.entries, context.head.entries, state.entries, rule);
  model::Joined labels =
      model::Join(ancestor.labels, context.head.labels, state.labels, label_rule);
  const size_t conflicts = entries.conflicts.size() + labels.conflicts.size();
  EXPECT_EQ(conflicts, merged.conflict_count);
  EXPECT_EQ(conflicts == 0 && !options.dry_run, merged.applied);
  EXPECT_EQ(conflicts == 0 ? entries.changed : 0, merged.changed);
  const Base *known = model::Merged(context, from.birth);
  const bool goes_on = !model::IsAside(state) && state.birth == from.birth;
  const bool says_more = goes_on && (known == nullptr || state.version > known->state.version);
  const bool decided = entries.decided || labels.decided;
  const bool remembered = says_more && (entries.same || labels.same);
  if (!merged.applied || (entries.changed + labels.changed == 0 && !decided && !remembered)) {
    EXPECT_EQ(0u, merged.write.revision);
    return;
  }
  State result = context.head;
  const State before = context.head;
  result.entries = entries.result;
  result.labels = labels.result;
  if (options.safety) {
    AddPoint(&context, before, CX_ORIGIN_SAFETY, context.head_point, merged.write.revision)->id =
        merged.safety_id;
  }
  NewState(&context, result, merged.write.version, merged.write.revision);
  if (says_more) {
    for (size_t i = 0; i < context.merged.size(); i++) {
      if (context.merged[i].birth == from.birth) context.merged.erase(context.merged.begin() + i--);
    }
    context.merged.insert(context.merged.begin(), Base{from.birth, merged.write.revision, state});
  }
  AddPolicyPoint(&context, merged.write.revision);
  Changed(target);
}

void EngineRecoveryRandomTest::DoRestore() {
  const std::string name = Live();
  if (name.empty()) return;
  Context &context = contexts_[name];
  const uint64_t sequence = Chance(70) ? AnyPoint(context) : 0;
  const size_t back = 1 + Below(3);
  RestoreOptions options;
  options.safety = Chance(40);
  if (sequence == 0 && back >= context.recent.size()) return;
  if (Chance(15)) return RestoreByTime(name);
  State state = sequence != 0 ? context.points[sequence].state
                              : context.recent[context.recent.size() - 1 - back];
  const uint64_t version = state.version;
  Restored restored = Restore(
      name, sequence != 0 ? At::Point(context.points[sequence].id) : At::Version(version), options);
  ASSERT_EQ(CX_OK, restored.status) << restored.error.message;
  EXPECT_EQ(model::Differences(context.head.entries, state.entries), restored.changed);
  if (options.safety) {
    AddPoint(&context, context.head, CX_ORIGIN_SAFETY, context.head_point, restored.write.revision)
        ->id = restored.safety_id;
  }
  NewState(&context, state, restored.write.version, restored.write.revision);
  context.head_point = sequence != 0 ? sequence : state.head_point;
  while (sequence == 0 && context.head_point != 0 &&
         context.points[context.head_point].state.version > version) {  // One that was replaced.
    context.head_point = context.points[context.head_point].parent;
  }
  AddPolicyPoint(&context, restored.write.revision);
  Changed(name, sequence);
}

// To a time at which the head's state is known, if the context still knows it. Whether that is a
// version or a point, and so what the head comes from now, a point that is made of it tells.
void EngineRecoveryRandomTest::RestoreByTime(const std::string &name) {
  Context &context = contexts_[name];
  auto moment = context.times.begin();
  std::advance(moment, static_cast<long>(Below(context.times.size())));
  const State state = moment->second;
  Restored restored = Restore(name, At::Time(moment->first));
  if (restored.status != CX_OK) {
    EXPECT_EQ("STATE_NOT_RETAINED", restored.reason());
    return;
  }
  ASSERT_NE(0u, state.version) << "there was none then";
  if (state.version == context.head.version) {
    EXPECT_EQ(0u, restored.write.revision) << "it has that state";
    return;
  }
  EXPECT_EQ(model::Differences(context.head.entries, state.entries), restored.changed);
  NewState(&context, state, restored.write.version, restored.write.revision);
  const uint64_t own = context.last_sequence;
  AddPolicyPoint(&context, restored.write.revision);
  const Point first = own != context.last_sequence
                          ? GetPoint(name).point
                          : MakePoint(name, "p" + std::to_string(++point_ids_)).point;
  if (own == context.last_sequence) {
    AddPoint(&context, context.head, CX_ORIGIN_CLIENT, 0, first.revision);
    KeptByPoint(&context);
  }
  KeptPoint &made = context.points[context.last_sequence];
  made.parent = 0;
  for (const auto &[sequence, point] : context.points) {
    if (point.id != first.parent_id || point.id.empty()) continue;
    made.parent = sequence;
    EXPECT_LE(point.state.head_version, state.version) << name << ": made of a later state";
  }
  context.lingering = std::exchange(context.made, {});
  for (const auto &[sequence, point] : context.points) {  // It may be one of these.
    if (point.state.version == state.version) context.lingering.insert(sequence);
  }
  Reconcile(name);
}

void EngineRecoveryRandomTest::DoUndelete() {
  const std::string name = AnyName();
  Context &context = contexts_[name];
  if (context.life != Life::kDeleted) return;
  Restored back = Undelete(name);
  ASSERT_EQ(CX_OK, back.status) << back.error.message;
  const State state = context.head;
  NewState(&context, state, back.write.version, back.write.revision);
  Changed(name);
}

void EngineRecoveryRandomTest::DoDelete() {
  const std::string name = AnyName();
  Context &context = contexts_[name];
  const bool purge = Chance(30);
  if (context.life == Life::kNone) return;
  Outcome deleted = Delete(name, false, purge);
  if (context.life == Life::kDeleted && !purge) {
    EXPECT_EQ("CONTEXT_NOT_FOUND", deleted.reason());
    return;
  }
  if (deleted.status != CX_OK) return;
  if (purge) {
    context = Context();
    return;
  }
  context.life = Life::kDeleted;
  context.alone_until_us = 0;
  context.end_time_us = clock_.now_us;
  context.times[clock_.now_us] = State();
}

// Each has a full term after a restart.
void EngineRecoveryRandomTest::SessionsBeginAnew() {
  for (auto &[name, context] : contexts_) {
    if (context.alone_until_us != 0) context.alone_until_us = clock_.now_us + kSessionTtl;
  }
}

void EngineRecoveryRandomTest::DoRestart() {
  const uint64_t digest = Digest();
  if (Chance(50)) {
    Close();
  } else {
    Step();
    Kill();
  }
  ASSERT_EQ(CX_OK, Open()) << open_error_.message;
  ASSERT_EQ(digest, Digest()) << "a restart finds what was left";
  SessionsBeginAnew();
}

// What was durable is there when the power comes back; a change that was not is there or is gone.
void EngineRecoveryRandomTest::DoPowerLoss() {
  Step();
  const uint64_t before = Digest();
  const std::map<std::string, Context> durable = contexts_;
  DoUpdate();
  const uint64_t after = Digest();
  const bool synced = Chance(50);
  if (synced) Step();
  sim_disk_power_off(disk_);
  Kill();
  sim_disk_restart(disk_, Chance(50) ? &sim_survive_all : &sim_survive_none);
  ASSERT_EQ(CX_OK, Open()) << open_error_.message;
  ASSERT_TRUE(Digest() == after || (!synced && Digest() == before)) << "all of it, or nothing";
  if (Digest() != after) contexts_ = durable;
  SessionsBeginAnew();
}

void EngineRecoveryRandomTest::Run(uint64_t seed, uint64_t steps) {
  using Step = void (EngineRecoveryRandomTest::*)();
  static const std::pair<unsigned, Step> kSteps[] = {
      {4, &EngineRecoveryRandomTest::DoCreate},   {25, &EngineRecoveryRandomTest::DoUpdate},
      {22, &EngineRecoveryRandomTest::DoPoint},   {5, &EngineRecoveryRandomTest::DoPointUpdate},
      {5, &EngineRecoveryRandomTest::DoDrop},     {2, &EngineRecoveryRandomTest::DoPrune},
      {8, &EngineRecoveryRandomTest::DoFork},     {12, &EngineRecoveryRandomTest::DoMerge},
      {10, &EngineRecoveryRandomTest::DoRestore}, {2, &EngineRecoveryRandomTest::DoUndelete},
      {1, &EngineRecoveryRandomTest::DoDelete},   {1, &EngineRecoveryRandomTest::DoRestart},
      {2, &EngineRecoveryRandomTest::DoSession},  {1, &EngineRecoveryRandomTest::DoPowerLoss},
  };
  rng_.seed(seed);
  const int64_t used = cx_memory_used();
  ASSERT_EQ(CX_OK, Open());
  for (done_ = 0; done_ < steps && !HasFailure(); done_++) {
    PassTime(1 + static_cast<int64_t>(Below(2 * kSecond)));
    unsigned lot = static_cast<unsigned>(Below(100));
    for (const auto &[weight, step] : kSteps) {
      if (lot < weight) {
        (this->*step)();
        break;
      }
      lot -= weight;
    }
    const std::string name = AnyName();
    Reconcile(name);
    CompareHead(name);
    CompareEarlier(name);
  }
  if (HasFailure()) {
    FAIL() << "CONTEXTD_SEED=" << seed << ", step " << done_;
  }
  for (auto &[name, context] : contexts_) {
    if (context.life != Life::kNone) {
      Outcome purged = Delete(name, false, true);
      EXPECT_TRUE(purged.status == CX_OK || purged.status == CX_NOT_FOUND);
    }
  }
  contexts_.clear();
  PassTime(1000 * kSecond);
  PassTime(1000 * kSecond);
  EXPECT_EQ(0u, Statistics().context_count);
  EXPECT_EQ(Ids{}, AllPoints({}));
  Close();
  EXPECT_EQ(used, cx_memory_used()) << "CONTEXTD_SEED=" << seed << ": nothing is left";
}

TEST_F(EngineRecoveryRandomTest, TellsWhatAModelTellsThatCopiesEverything) {
  const uint64_t seed = TestSeed();
  printf("CONTEXTD_SEED=%llu\n", static_cast<unsigned long long>(seed));
  Run(seed, Parameter("CONTEXTD_STEPS", 3000));
}

}  // namespace
