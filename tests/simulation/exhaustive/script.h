// A script of 272 operations: every kind that the engine has, those that are refused
// included, over several segments, with stops, kills, settings that change, and time that
// passes. Each time it runs it does the same, as long as the disk lets it.

#ifndef CX_TESTS_SIMULATION_EXHAUSTIVE_SCRIPT_H
#define CX_TESTS_SIMULATION_EXHAUSTIVE_SCRIPT_H

#include "tests/unit/engine/tracking_fixture.h"

extern "C" {
#include "core/state/replay.h"
}

#include <algorithm>
#include <deque>
#include <functional>

class ExhaustiveScript : public TrackingFixture {
 protected:
  static constexpr size_t kRounds = 4;

  ExhaustiveScript() {
    options_.value_size_max = 6 * CX_KIB;
    options_.message_size_max = 3 * CX_KIB;  // Segments of 28 KiB.
    options_.settings.undelete_window_us = 60 * CX_SECOND_US;
    options_.settings.tombstone_window_us = 120 * CX_SECOND_US;
    options_.settings.request_id_window_us = 90 * CX_SECOND_US;
    options_.settings.request_ids_max = 40;
    options_.history_count_max = 6;
    settings_ = options_.settings;
    AddOperations();
  }

  // Everything as at first, on an empty disk.
  void BeginAnew() {
    Kill();
    sim_disk_free(disk_);
    disk_ = sim_disk_new();
    options_.disk = sim_disk_base(disk_);
    options_.settings = settings_;
    random_.next = 1;
    clock_.now_us = kBegin;
    sessions_.clear();
    told_ = 0;
    made_.clear();
    waiters_.clear();
    completed_.clear();
    failures_.clear();
    disk_full_.clear();
  }

  // Starts, and does one after the other until the disk has failed.
  void Run() {
    if (Open() != CX_OK) return;
    Note();
    for (size_t i = 0; i < operations_.size() && RunOne(i).status != CX_UNAVAILABLE; i++) {
      if (i % rhythm_ == rhythm_ - 1) StepAndNote();
      if (!failures_.empty()) break;
    }
    if (engine_ != nullptr) StepAndNote();
    if (engine_ != nullptr) StepAndNote();
  }

  // Does one, and what its caller would then do: wait.
  Outcome RunOne(size_t index) {
    clock_.now_us += CX_SECOND_US;
    Outcome outcome = operations_[index](index);
    if (engine_ == nullptr) return {CX_UNAVAILABLE, {}, open_error_};
    waiters_.emplace_back();
    if (cx_engine_wait(engine_, outcome.write.wait_for, &waiters_.back())) {
      told_ = std::max(told_, outcome.write.wait_for);
    }
    Note();
    return outcome;
  }

  void StepAndNote() {
    Step();
    NoteTold();
    Note();
  }

  void NoteTold() {
    for (const cx_waiter *waiter : completed_) {
      if (waiter->status == CX_OK) told_ = std::max(told_, waiter->revision);
    }
    completed_.clear();
  }

  // Remembers what this revision is.
  void Note() {
    if (notes_) made_[Statistics().revision] = Digest();
  }

  // Makes changes, each durable before the next, until all segments that were there are
  // full: so that what the start has left is used before anything else is prepared.
  void GoOn() {
    Outcome outcome = FillSome("0");
    if (outcome.reason() == "OVERLOADED") {
      Step();
      outcome = FillSome("0");
    }
    ASSERT_EQ(CX_OK, outcome.status) << outcome.error.message;
    for (size_t i = 1; outcome.status == CX_OK; i++) outcome = FillSome(std::to_string(i));
    ASSERT_EQ("OVERLOADED", outcome.reason());
    ASSERT_EQ(Statistics().revision, Statistics().durable_revision);
  }

  // What each revision is, by replaying a log that is whole.
  std::map<uint64_t, uint64_t> DigestsOfLog() {
    struct Replayed {
      cx_state state;
      std::map<uint64_t, uint64_t> digests;
    };
    auto replayed = std::make_unique<Replayed>();
    EXPECT_EQ(CX_OK, cx_state_init(&replayed->state));
    auto each = [](void *arg, const cx_log_record *record) {
      auto *to = static_cast<Replayed *>(arg);
      cx_replay *replay;
      EXPECT_EQ(CX_OK, cx_replay_new(&to->state, &replay));
      EXPECT_EQ(CX_OK, cx_replay_add(replay, record->payload, record->revision, record->time_us));
      EXPECT_EQ(CX_OK, cx_replay_finish(replay));
      cx_replay_free(replay);
      to->digests[record->revision] = cx_state_digest(&to->state);
      return CX_OK;
    };
    uint64_t last = engine_->log->ops->tail(engine_->log).revision;
    EXPECT_EQ(CX_OK, engine_->log->ops->read(engine_->log, 1, last, each, replayed.get()));
    cx_state_done(&replayed->state);
    return replayed->digests;
  }

  using Operation = std::function<Outcome(size_t index)>;

  std::vector<Operation> operations_;
  bool notes_ = true;
  bool new_settings_ = true;           // After the third round.
  size_t rhythm_ = 3;                  // Operations that become durable together.
  uint64_t told_ = 0;                  // The last revision that a client knows of.
  std::map<uint64_t, uint64_t> made_;  // Digests of the revisions of this run.

 private:
  Outcome FillSome(const std::string &key) {
    Outcome outcome = Upsert("after", Mutations().Put(key, std::string(5000, key.back())));
    cx_engine_step_writer(engine_);
    return outcome;
  }

  // The name of something of this operation's round.
  static std::string Own(const char *name, size_t index) {
    return name + std::to_string(index / (kOperationsPerRound));
  }

  static Outcome Of(const Found &found) {
    Outcome outcome = {found.status, {}, found.error};
    outcome.write.wait_for = found.wait_for;
    return outcome;
  }

  void Add(Operation operation) { round_.push_back(std::move(operation)); }

  void AddOperations() {
    AddCreations();
    AddUpdates();
    AddRefusals();
    AddReads();
    AddBatches();
    AddSessions();
    AddWork();
    AddSessionEnds();
    AddEnds();
    AddStarts();
    ASSERT_EQ(kOperationsPerRound, round_.size());
    for (size_t i = 0; i < kRounds; i++) {
      operations_.insert(operations_.end(), round_.begin(), round_.end());
    }
  }

  void AddCreations() {
    auto create = [this](size_t i) {
      static const cx_label labels[] = {{cx_bytes_of("l"), cx_bytes_of("v")},
                                        {cx_bytes_of("m"), cx_bytes_of("w")}};
      cx_new_context properties = {};
      std::string parent = Own("p", i);
      properties.type = cx_bytes_of("chat");
      properties.parent_id = Bytes(parent);
      properties.create_parent = true;
      properties.labels = labels;
      properties.label_count = 2;
      return Create(Own("a", i), properties, Mutations().Put("k", "v"), Own("create", i));
    };
    Add(create);
    Add(create);  // The same request again.
    Add([this](size_t i) { return CreateBelow(Own("b", i), Own("a", i)); });
    Add([this](size_t i) { return Create("", {}, Mutations().Put("k", "v"), Own("id", i)); });
    Add([this](size_t i) {
      cx_new_context properties = {};
      properties.ttl_us = 20 * CX_SECOND_US;
      properties.sliding = i % 2 == 0;
      return Create(Own("soon", i), properties, Mutations().Put("k", std::string(4500, 's')));
    });
    Add([this](size_t) { return Upsert("log", Mutations().Append("k", std::string(1500, 'l'))); });
  }

  void AddUpdates() {
    Add([this](size_t i) {
      return Update(Own("a", i), Mutations().Put("x/1", "1").Put("x/2", "2").Put("y", "3"));
    });
    Add([this](size_t i) { return Update(Own("a", i), Mutations().Append("y", "4")); });
    Add([this](size_t i) { return Update(Own("a", i), Mutations().AppendAt("y", "5", 2)); });
    Add([this](size_t i) { return Update(Own("a", i), Mutations().Delete("k")); });
    Add([this](size_t i) { return Update(Own("a", i), Mutations().DeletePrefix("x/")); });
    Add([this](size_t i) {
      return Update(Own("a", i), Mutations().SetLabel("n", "1").DeleteLabel("l"));
    });
    Add([this](size_t i) {
      return Update(Own("b", i), Mutations().SetExpiry(40 * CX_SECOND_US, true));
    });
    Add([this](size_t i) {
      return Update(Own("a", i), Mutations().Put("y", std::string(5000, 'y')), {}, nullptr,
                    Own("put", i));
    });
    Add([this](size_t i) {  // Most of it is there already.
      return Update(Own("a", i), Mutations().Put("y", std::string(5000, 'y') + "more"));
    });
    Add([this](size_t i) {
      cx_precondition version = {CX_PRECONDITION_CONTEXT_VERSION, {}, 1};
      return Update(Own("p", i), Mutations().Put("k", "v"), {version});
    });
    Add([this](size_t i) {
      namespace_ = "other";
      Outcome outcome = Upsert(Own("a", i), Mutations().Put("k", "v"));
      namespace_ = "default";
      return outcome;
    });
  }

  void AddRefusals() {
    Add([this](size_t i) { return Update(Own("a", i), Mutations().AppendAt("y", "6", 1)); });
    Add([this](size_t i) {
      cx_precondition version = {CX_PRECONDITION_CONTEXT_VERSION, {}, 1};
      return Update(Own("a", i), Mutations().Put("k", "v"), {version});
    });
    Add([this](size_t i) {
      cx_precondition absent = {CX_PRECONDITION_ENTRY_VERSION, cx_bytes_of("y"), 0};
      return Update(Own("a", i), Mutations().Put("y", "v"), {absent});
    });
    Add([this](size_t i) {  // Another request had this id.
      return Update(Own("a", i), Mutations().Put("y", "v"), {}, nullptr, Own("put", i));
    });
    Add([this](size_t i) { return Create(Own("a", i)); });
    Add([this](size_t i) { return Delete(Own("a", i)); });  // It has a child.
  }

  void AddReads() {
    Add([this](size_t i) { return Of(Get(Own("a", i))); });
    Add([this](size_t i) { return Of(GetVersion(Own("a", i), 8)); });
    Add([this](size_t i) {
      cx_state_at at = {};
      at.time_us = clock_.now_us - 5 * CX_SECOND_US;
      return Of(Get(Own("a", i), at));
    });
    Add([this](size_t i) {
      cx_list_query query = {};
      std::string parent = Own("p", i);
      query.parent_id = Bytes(parent);
      return ListOnce(query);
    });
    Add([this](size_t) {
      cx_list_query query = {};
      query.deleted = true;
      return ListOnce(query);
    });
    Add([this](size_t) {
      Outcome outcome = {};
      cx_namespace_row rows[2];
      size_t count;
      bool more;
      outcome.status =
          cx_engine_list_namespaces(engine_, {}, 2, rows, &count, &more, &outcome.write.wait_for);
      return outcome;
    });
  }

  void AddBatches() {
    auto batch = [this](size_t i) { return Atomic({"log", Own("c", i), Own("d", i)}, i); };
    Add(batch);
    Add(batch);  // The same request again.
    Add([this](size_t i) { return Atomic({"log", "none"}, i + 1, false); });
  }

  // Starts a session, which the others of this round name.
  Outcome StartOne(const std::string &name, const std::string &context, int64_t ttl_us,
                   uint64_t contexts_max) {
    cx_new_context properties = {};
    cx_session_start_request start = Term(ttl_us);
    start.owner = cx_bytes_of("agent");
    start.default_context_id = Bytes(context);
    start.create_if_missing = &properties;
    start.max_active_contexts = contexts_max;
    Shown shown = Start(start, name);
    if (shown.status == CX_OK) sessions_[name] = shown.session.id;
    return shown;
  }

  // The first of a round, which is ended, and the second, which is lost.
  std::string First(size_t index) { return sessions_[Own("first", index)]; }
  std::string Second(size_t index) { return sessions_[Own("second", index)]; }

  void AddSessions() {
    auto start = [this](size_t i) {
      return StartOne(Own("first", i), Own("w", i), 100 * CX_SECOND_US, 5);
    };
    Add(start);
    Add(start);  // The same request again.
    Add([this](size_t i) { return StartOne(Own("second", i), "", 40 * CX_SECOND_US, 2); });
    Add([this](size_t i) { return Renew(First(i)); });
    Add([this](size_t i) { return Activate(First(i), Own("d", i), kGuard, Own("on", i)); });
    Add([this](size_t i) { return Activate(First(i), Own("d", i), kGuard, Own("on", i)); });
    Add([this](size_t i) { return Activate(Second(i), Own("d", i), kExclusive); });  // Busy.
    Add([this](size_t i) { return Activate(Second(i), Own("d", i), kTakeoverGuard); });
    Add([this](size_t i) {  // It has been taken over.
      return UpdateAs(By(First(i), 1), Own("d", i), Mutations().Put("k", "stale"));
    });
    Add([this](size_t i) { return Switch(First(i), "log", Own("to", i)); });
    Add([this](size_t i) { return Switch(Second(i), Own("new", i)); });  // Is not there.
    Add([this](size_t i) -> Outcome { return GetSession(First(i)); });
    Add([this](size_t i) -> Outcome { return GetStatus(Own("d", i)); });
  }

  void AddWork() {
    Add([this](size_t i) {
      return UpdateAs(By(Second(i), 2), Own("d", i),
                      Mutations().Put("k", "v").Record(Activity("note").File("f", "read")));
    });
    auto record = [this](size_t i) {
      Activity large("message", std::string(1500, 'm'));
      return Record(Own("d", i), {large.Label("l", "v"), Activity("call").Model("m", 10, 5)},
                    By(Second(i), 2), Own("record", i));
    };
    Add(record);
    Add(record);  // The same request again.
    Add([this](size_t) { return Record("log", {Activity(), Activity(), Activity("error")}); });
    Add([this](size_t i) -> Outcome { return Acquire(First(i), "log", "r", Own("take", i)); });
    Add([this](size_t i) -> Outcome { return Acquire(Second(i), "log", "r"); });  // Is held.
    Add([this](size_t i) -> Outcome { return Acquire(Second(i), Own("d", i), "r", "", 2); });
    Add([this](size_t i) { return Release(First(i), "log", "r"); });
    Add([this](size_t i) -> Outcome { return Acquire(First(i), Own("w", i), "s"); });
    Add([this](size_t) -> Outcome { return Activities("log"); });
    Add([this](size_t) -> Outcome { return Optimize("log", NoRepeats(), "optimize"); });
    Add([this](size_t) { return Truncate("log", 0, clock_.now_us - 6 * CX_SECOND_US); });
  }

  void AddSessionEnds() {
    Add([this](size_t i) -> Outcome { return Deactivate(First(i), "log"); });
    Add([this](size_t i) { return End(First(i), Own("end", i)); });
    Add([this](size_t i) { return UpdateAs(By(First(i)), "log", Mutations().Put("k", "late")); });
  }

  void AddEnds() {
    Add([this](size_t i) { return Delete(Own("b", i), false, false, Own("delete", i)); });
    Add([this](size_t i) { return Create(Own("b", i), {}, Mutations().Put("k", "again")); });
    Add([this](size_t i) { return Delete(Own("none", i), false, false, "", true); });
    Add([this](size_t i) { return Delete(Own("c", i), false, true); });
    Add([this](size_t i) { return Delete(Own("p", i), true); });
    Add([this](size_t i) {  // What was deleted is there again.
      return Upsert(Own("a", i), Mutations().Put("k", std::string(5000, 'u')));
    });
    Add([this](size_t) {
      clock_.now_us += 25 * CX_SECOND_US;  // Much is due.
      return Outcome{CX_OK, {}, {}};
    });
  }

  void AddStarts() {
    Add([this](size_t i) {
      size_t round = i / kOperationsPerRound;
      if (engine_ != nullptr && round % 2 != 0) {
        StepAndNote();
        Kill();  // No mark says that this was the end.
      }
      Close();
      NoteTold();
      if (!failures_.empty()) return Outcome{CX_UNAVAILABLE, {}, {}};
      if (round == 2 && new_settings_) options_.settings.version_retention = 3;
      Outcome outcome = {};
      outcome.status = Open();
      if (outcome.status == CX_OK) { /* What nobody had written yet is gone. */
        made_.erase(made_.upper_bound(report_.revision), made_.end());
      }
      return outcome;
    });
  }

  Outcome ListOnce(cx_list_query query) {
    Outcome outcome = {};
    cx_list_page page;
    query.namespace_id = Bytes(namespace_);
    query.count_max = 10;
    outcome.status =
        cx_engine_list(engine_, &query, &page, &outcome.write.wait_for, &outcome.error);
    if (outcome.status == CX_OK) cx_list_page_done(&page);
    return outcome;
  }

  Outcome Atomic(const std::vector<std::string> &ids, size_t index, bool create = true) {
    cx_new_context properties = {};
    Mutations put = Mutations().Put("k", std::string(300, 'b')).SetLabel("x", "y");
    Outcome outcome = {};
    std::vector<cx_update_request> requests(ids.size());
    std::vector<cx_write_outcome> outcomes(ids.size());
    std::string request_id = Own("batch", index) + (create ? "" : "refused");
    size_t failed;
    for (size_t i = 0; i < ids.size(); i++) {
      requests[i].name = {Bytes(namespace_), Bytes(ids[i])};
      requests[i].mutations = put.list().data();
      requests[i].mutation_count = put.list().size();
      requests[i].create_if_missing = create ? &properties : nullptr;
    }
    outcome.status =
        cx_engine_update_atomic(engine_, requests.data(), requests.size(), Bytes(request_id),
                                outcomes.data(), &failed, &outcome.error);
    outcome.write = outcomes[0];
    return outcome;
  }

  static constexpr size_t kOperationsPerRound = 68;
  static constexpr int64_t kBegin = 1'700'000'000'000'000;

  cx_settings settings_;
  std::map<std::string, std::string> sessions_;  // Ids, by the requests that started them.
  std::vector<Operation> round_;
  std::deque<cx_waiter> waiters_;  // Stay where they are until they are completed.
};

#endif  // CX_TESTS_SIMULATION_EXHAUSTIVE_SCRIPT_H
