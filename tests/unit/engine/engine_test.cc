// What engine.h promises of opening, closing and waiting, on a disk in memory and a clock
// of the test's own.

#include "tests/unit/engine/tracking_fixture.h"

namespace {

class EngineTest : public TrackingFixture {
 protected:
  void SetUp() override { ASSERT_EQ(CX_OK, Open()) << open_error_.message; }

  // A waiter that nobody waits for any more.
  bool Wait(uint64_t revision, cx_waiter *waiter) {
    return cx_engine_wait(engine_, revision, waiter);
  }

  const Mutations put_ = Mutations().Put("k", "v");
};

TEST_F(EngineTest, ShowsWhatWasWritten) {
  EXPECT_EQ(CX_OK, Create("a").status);
  Outcome update = Update("a", Mutations().Put("k", "v", "text/plain").SetLabel("x", "1"));

  ASSERT_EQ(CX_OK, update.status);
  EXPECT_EQ(2u, update.write.version);
  Found found = Get("a");
  EXPECT_EQ((std::map<std::string, std::string>{{"k", "v"}}), found.entries);
  EXPECT_EQ((std::map<std::string, std::string>{{"x", "1"}}), found.labels);
  EXPECT_EQ(2u, found.version);
  EXPECT_EQ(update.write.revision, found.revision);
  EXPECT_EQ(1u, found.entry_count);
  EXPECT_EQ(2u, found.size_bytes);
}

TEST_F(EngineTest, FindsEverythingAgainAfterARestart) {
  std::string large(20000, 'x');
  for (int i = 0; i < 50; i++) {
    ASSERT_EQ(CX_OK, Upsert("c" + std::to_string(i % 5),
                            Mutations().Put("k" + std::to_string(i), large + std::to_string(i)))
                         .status);
    large += "more";
  }
  ASSERT_EQ(CX_OK, Delete("c3").status);
  std::vector<Found> before;
  for (int i = 0; i < 5; i++) before.push_back(Get("c" + std::to_string(i)));
  uint64_t digest = Digest();

  Reopen();

  EXPECT_EQ(digest, Digest());
  for (int i = 0; i < 5; i++) {
    Found after = Get("c" + std::to_string(i));
    EXPECT_EQ(before[i].status, after.status);
    EXPECT_EQ(before[i].entries, after.entries);
    EXPECT_EQ(before[i].version, after.version);
    EXPECT_EQ(before[i].revision, after.revision);
  }
  EXPECT_EQ("10", Get("c3").detail("deleted_version"));
}

TEST_F(EngineTest, FindsEverySessionAndAllThatWasTrackedAfterARestart) {
  cx_label label = {cx_bytes_of("team"), cx_bytes_of("blue")};
  cx_new_context create = {};
  cx_session_start_request start = Term(100 * kSecond);
  start.owner = cx_bytes_of("agent");
  start.labels = &label;
  start.label_count = 1;
  start.default_context_id = cx_bytes_of("home");
  start.create_if_missing = &create;
  start.max_active_contexts = 3;
  create.type = cx_bytes_of("chat");
  create.labels = &label;
  create.label_count = 1;
  std::string one = Start(start, "r").session.id;
  std::string two = Session();
  std::string lapsing = Session(kSecond);
  Activate(one, "a", kGuard);
  Switch(one, "b");
  Activate(two, "home", kExclusive);
  Activate(lapsing, "a");
  Acquire(two, "home", "tool");
  Acquire(lapsing, "home", "other");
  Record("home",
         {Activity("f").File("path", "write"), Activity("u").Model("model", 3, 4),
          Activity("m", std::string(5000, 'x')).Label("k", "v")},
         By(two));
  Upsert("home", Mutations().Put("k", "v").Record(Activity("late")));
  Truncate("home", 2);
  Optimize("home", Keep(3));
  clock_.now_us += kSecond;
  Step();
  Presence before = GetSession(one).session;
  History history = Activities("home");
  ReopenTheSame();
  Presence after = GetSession(one).session;
  EXPECT_EQ(2u, Statistics().session_count);
  EXPECT_EQ(before.active, after.active);
  EXPECT_EQ((Strings{"home", "a#1", "b"}), after.active);
  EXPECT_EQ("b", after.current);
  EXPECT_EQ(before.owner, after.owner);
  EXPECT_EQ(before.labels, after.labels);
  EXPECT_EQ(before.create_time_us, after.create_time_us);
  EXPECT_EQ(before.start_revision, after.start_revision);
  EXPECT_EQ(before.active_since_us, after.active_since_us);
  EXPECT_EQ(history.sequences(), Activities("home").sequences());
  EXPECT_EQ("LIMIT_REACHED", Activate(one, "c").reason()) << "as it was started";
  Deactivate(one, "a", "", 1);
  EXPECT_EQ(CX_OK, Activate(one, "c").status);
  EXPECT_EQ("chat", Get("c").type) << "as it was started";
  EXPECT_EQ("home", Deactivate(one, "b").session.current) << "as it was started";
}

// ---- Starting and stopping. --------------------------------------------------

TEST_F(EngineTest, ReportsWhatTheStartFound) {
  EXPECT_TRUE(report_.created);
  EXPECT_EQ(1u, Statistics().revision) << "its settings";
  Upsert("a", put_);
  Upsert("b", put_);
  Delete("b");
  Reopen();
  EXPECT_FALSE(report_.created);
  EXPECT_TRUE(report_.clean);
  EXPECT_FALSE(report_.data_lost);
  EXPECT_EQ(4u, report_.revision);
  EXPECT_EQ(1u, report_.context_count);
  EXPECT_GT(report_.log_bytes, 0u);
}

TEST_F(EngineTest, KnowsThatItWasNotStopped) {
  Upsert("a", put_);
  Step();
  Upsert("b", put_);
  Kill();
  ASSERT_EQ(CX_OK, Open());
  EXPECT_FALSE(report_.clean);
  EXPECT_EQ(CX_OK, Get("a").status);
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("b").reason()) << "nobody was told of it";
}

TEST_F(EngineTest, KeepsItsNameOverRestarts) {
  uint8_t log_id[16], again[16];
  uint64_t epoch, epoch_again;
  cx_engine_identity(engine_, log_id, &epoch);
  Reopen();
  cx_engine_identity(engine_, again, &epoch_again);
  EXPECT_EQ(0, memcmp(log_id, again, sizeof log_id));
  EXPECT_EQ(epoch, epoch_again);
}

TEST_F(EngineTest, IsOnlyOpenedOnce) {
  cx_engine *second = nullptr;
  cx_engine_report report;
  cx_error error;
  EXPECT_EQ(CX_FAILED_PRECONDITION, cx_engine_open(&options_, &second, &report, &error));
  EXPECT_EQ(nullptr, second);
}

TEST_F(EngineTest, RefusesARecordThatFitsNothing) {
  cx_name_key key;
  cx_context *context;
  Upsert("a", put_);
  cx_name_key_init(&key, Bytes(namespace_), cx_bytes_of("a"));
  context = cx_state_find(&engine_->state, &key);
  context->version++;  // So that the next record does not follow from those before.
  Update("a", put_);
  Close();
  EXPECT_EQ(CX_DATA_LOSS, Open());
  EXPECT_EQ(CX_REASON_DAMAGED, open_error_.reason);
  EXPECT_NE(std::string::npos, std::string(open_error_.message).find("record 3")) << "names it";
}

TEST_F(EngineTest, SaysWhichContextsDamageHits) {
  std::vector<uint64_t> ends;
  for (const char *id : {"a", "b", "c"}) {
    Upsert(id, put_);
    Step();
    size_t size;
    const uint8_t *log = sim_disk_content(disk_, "log-0000000000000001", &size);
    while (size > 0 && log[size - 1] == 0) size--;
    ends.push_back(size);
  }
  Kill();
  sim_disk_flip(disk_, "log-0000000000000001", ends[1] - 1, 0x10);  // Of the record of `b`.
  ASSERT_EQ(CX_DATA_LOSS, Open());
  EXPECT_EQ(CX_REASON_DAMAGED, open_error_.reason);
  EXPECT_EQ("default/b, default/c", Text(cx_error_detail_get(&open_error_, "contexts")));
}

TEST_F(EngineTest, LeavesALargeStateToTheTimers) {
  Mutations many;
  for (int i = 0; i < 2000; i++) many.Put("k" + std::to_string(i), "v");
  Upsert("few", put_);
  Upsert("many", many);
  ASSERT_EQ(CX_OK, Delete("few", false, true).status);
  EXPECT_EQ(nullptr, engine_->garbage);
  ASSERT_EQ(CX_OK, Delete("many", false, true).status);
  EXPECT_NE(nullptr, engine_->garbage);
  int64_t before = Statistics().memory_bytes;
  Step();
  EXPECT_EQ(nullptr, engine_->garbage);
  EXPECT_LT(Statistics().memory_bytes, before - 2000 * 32);
}

TEST_F(EngineTest, ClosesNothing) { cx_engine_close(nullptr); }

TEST_F(EngineTest, MakesSegmentsOfTheUsualSizeUnlessItWasToldAnother) {
  Kill();
  sim_disk_remove(disk_, "log-0000000000000001");
  options_.segment_size = 0;
  ASSERT_EQ(CX_OK, Open()) << open_error_.message;
  size_t size;
  ASSERT_NE(nullptr, sim_disk_content(disk_, "log-0000000000000001", &size));
  EXPECT_EQ(CX_SEGMENT_SIZE_MIN, size);
}

// ---- Settings. ---------------------------------------------------------------

TEST_F(EngineTest, WritesItsSettingsOnlyWhenTheyChange) {
  Reopen();
  EXPECT_EQ(1u, Statistics().revision);
  Close();
  options_.settings.version_retention = 7;
  ASSERT_EQ(CX_OK, Open());
  EXPECT_EQ(2u, Statistics().revision);
  EXPECT_EQ(2u, Statistics().durable_revision);
  Reopen();
  EXPECT_EQ(2u, Statistics().revision);
}

TEST_F(EngineTest, KeepsNoMoreStatesThanItsNewRetentionAllows) {
  for (int i = 0; i < 4; i++) Upsert("c", Mutations().Put("k", std::to_string(i)));
  ASSERT_EQ(CX_OK, GetVersion("c", 1).status);
  Close();
  options_.settings.version_retention = 1;
  ASSERT_EQ(CX_OK, Open());
  EXPECT_EQ("4", GetVersion("c", 3).detail("oldest_version"));
  Upsert("c", Mutations().Put("k", "x"));
  EXPECT_EQ("STATE_NOT_RETAINED", GetVersion("c", 4).reason());
  Close();
  options_.settings.version_retention = 3;
  ASSERT_EQ(CX_OK, Open());
  for (int i = 0; i < 4; i++) Upsert("c", Mutations().Put("k", std::to_string(i)));
  EXPECT_EQ("1", GetVersion("c", 7).entries["k"]);
  EXPECT_EQ("7", GetVersion("c", 6).detail("oldest_version"));
}

TEST_F(EngineTest, CountsNewWindowsFromWhatWasDeletedBefore) {
  Upsert("c", put_);
  Delete("c");
  clock_.now_us += 10 * CX_SECOND_US;
  Step();
  Close();
  options_.settings.undelete_window_us = 5 * CX_SECOND_US;
  ASSERT_EQ(CX_OK, Open());
  cx_list_query deleted = {};
  deleted.deleted = true;
  EXPECT_EQ(1u, List(deleted).size());
  Step();
  EXPECT_TRUE(List(deleted).empty());
}

TEST_F(EngineTest, WritesNewSettingsAlsoIntoALogWhoseSegmentIsFull) {
  std::string value(60000, 'x');
  Outcome outcome = {};
  for (int i = 0; i < 1000 && outcome.reason() != "OVERLOADED"; i++) {
    value[0] = static_cast<char>('a' + i % 26);
    outcome = Upsert("c" + std::to_string(i), Mutations().Put("k", value));
  }
  for (size_t size = 60000; size > 0; size /= 2) {
    while (Upsert("c", Mutations().Put("k", value.substr(0, size))).status == CX_OK) {
      value[0] ^= 1;
    }
  }
  cx_engine_step_writer(engine_);
  Kill();
  options_.settings.version_retention++;
  EXPECT_EQ(CX_OK, Open()) << open_error_.message;
}

// ---- Waiting. ----------------------------------------------------------------

TEST_F(EngineTest, CompletesEverybodyOnceInOrderWhenTheirRevisionIsDurable) {
  cx_waiter waiters[3] = {};
  uint64_t first = Upsert("a", put_).write.revision;
  uint64_t second = Upsert("b", put_).write.revision;
  EXPECT_FALSE(Wait(second, &waiters[0]));
  EXPECT_FALSE(Wait(first, &waiters[1]));
  EXPECT_FALSE(Wait(second, &waiters[2]));
  EXPECT_TRUE(completed_.empty());
  Step();
  ASSERT_EQ(3u, completed_.size());
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ(&waiters[i], completed_[i]);
    EXPECT_EQ(CX_OK, completed_[i]->status);
  }
  EXPECT_TRUE(Wait(second, &waiters[0]));
  EXPECT_TRUE(Wait(0, &waiters[0]));
  Step();
  EXPECT_EQ(3u, completed_.size());
}

TEST_F(EngineTest, CompletesWhoStillWaitsWhenItStops) {
  cx_waiter waiter = {};
  Step();
  EXPECT_FALSE(Wait(Upsert("a", put_).write.revision, &waiter));
  Reopen();
  ASSERT_EQ(1u, completed_.size());
  EXPECT_EQ(CX_OK, waiter.status);
  EXPECT_EQ(CX_OK, Get("a").status);
}

TEST_F(EngineTest, AcceptsNothingAfterAFailedSyncAndTellsEverybody) {
  cx_waiter before = {}, pending[2] = {}, late = {};
  EXPECT_FALSE(Wait(Upsert("a", put_).write.revision, &before));
  Step();
  ASSERT_EQ(CX_OK, before.status);
  completed_.clear();

  uint64_t revision = Upsert("b", put_).write.revision;
  EXPECT_FALSE(Wait(revision, &pending[0]));
  EXPECT_FALSE(Wait(revision, &pending[1]));
  sim_disk_fail(disk_, 2, CX_UNAVAILABLE);  // The write first, then the sync.
  Step();

  ASSERT_EQ(2u, completed_.size());
  EXPECT_EQ(CX_UNAVAILABLE, pending[0].status);
  EXPECT_EQ(CX_UNAVAILABLE, pending[1].status);
  EXPECT_EQ(1u, failures_.size());
  Outcome refused = Upsert("c", put_);
  EXPECT_EQ(CX_UNAVAILABLE, refused.status);
  EXPECT_EQ("STORAGE_FAILED", refused.reason());
  EXPECT_FALSE(Wait(revision, &late));
  EXPECT_EQ(CX_UNAVAILABLE, late.status);
  EXPECT_EQ(3u, completed_.size());
  EXPECT_EQ(CX_OK, Get("a").status) << "reads go on";

  sim_counts counts = sim_disk_counts(disk_);
  Step();
  Step();
  EXPECT_EQ(counts.syncs, sim_disk_counts(disk_).syncs) << "it never syncs again";
  EXPECT_EQ(1u, failures_.size());
  Close();
  ASSERT_EQ(CX_OK, Open());
  EXPECT_FALSE(report_.clean);
}

TEST_F(EngineTest, NeverSyncsWhenItWasToldNotTo) {
  Close();
  options_.sync = false;
  ASSERT_EQ(CX_OK, Open());
  uint64_t syncs = sim_disk_counts(disk_).syncs;
  cx_waiter waiter = {};
  EXPECT_FALSE(Wait(Upsert("a", put_).write.revision, &waiter));
  Step();
  EXPECT_EQ(1u, completed_.size());
  EXPECT_EQ(syncs, sim_disk_counts(disk_).syncs);
}

TEST_F(EngineTest, CountsWhatItHolds) {
  Upsert("a", put_, "r");
  Upsert("b", put_);
  EXPECT_EQ(2u, Statistics().context_count);
  EXPECT_EQ(1u, Statistics().request_id_count);
  EXPECT_EQ(3u, Statistics().revision);
  EXPECT_EQ(1u, Statistics().durable_revision);
  EXPECT_GT(Statistics().log_pending_bytes, 0u);
  EXPECT_GT(Statistics().memory_bytes, 0);
  Step();
  EXPECT_EQ(3u, Statistics().durable_revision);
  EXPECT_EQ(0u, Statistics().log_pending_bytes);
}

}  // namespace
