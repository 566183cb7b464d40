// What subscription.h promises, seen by somebody who builds a view as docs/events.md says:
// snapshots and events together give the state, however often it is interrupted; and how far
// back events are told.

#include "tests/support/engine_fixture.h"

extern "C" {
#include "core/engine/subscription.h"
#include "tests/support/fail_nth.h"
}

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <thread>

namespace {

struct Entry {
  std::string value;
  uint64_t version;
  bool operator==(const Entry &other) const {
    return value == other.value && version == other.version;
  }
};

void PrintTo(const Entry &entry, std::ostream *out) {
  *out << entry.value.substr(0, 20) << "@" << entry.version;
}

struct Seen {
  uint64_t version = 0, revision = 0;
  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> labels;
};

struct Wanted {
  std::set<std::string> ids;
  std::string prefix, type, key_prefix;
  std::map<std::string, std::string> labels;
};

// A cursor, kept.
struct Kept {
  bool there = false, in_snapshot = true;
  cx_feed_position position = {};
  uint32_t shard = 0;
  std::string id;
};

class EngineSubscriptionTest : public EngineFixture {
 protected:
  EngineSubscriptionTest() {
    options_.subscriptions_max = 10;
    options_.encode_event = {[](void *, const cx_event *, bool, cx_buffer *buffer) {
                               return cx_buffer_append(buffer, cx_bytes_of("event"));
                             },
                             nullptr};
  }
  ~EngineSubscriptionTest() override { Leave(); }
  void SetUp() override { ASSERT_EQ(CX_OK, Open()) << open_error_.message; }

  // ---- Subscribing. --------------------------------------------------------------

  cx_status Subscribe(bool with_snapshot, const cx_feed_position *from = nullptr) {
    cx_event_filter filter = {};
    std::vector<cx_bytes> ids;
    std::vector<cx_label> labels;
    cx_subscribe_request request = {};
    for (const std::string &id : wanted_.ids) ids.push_back(Bytes(id));
    for (const auto &[key, value] : wanted_.labels) labels.push_back({Bytes(key), Bytes(value)});
    filter.namespace_id = Bytes(namespace_);
    filter.context_ids = ids.data();
    filter.context_id_count = ids.size();
    filter.id_prefix = Bytes(wanted_.prefix);
    filter.type = Bytes(wanted_.type);
    filter.key_prefix = Bytes(wanted_.key_prefix);
    filter.labels = labels.data();
    filter.label_count = labels.size();
    request.feed.filter = &filter;
    request.feed.progress_interval_us = CX_PROGRESS_INTERVAL_US_DEFAULT;
    request.feed.has_position = from != nullptr;
    if (from != nullptr) request.feed.position = *from;
    request.with_snapshot = with_snapshot;
    request.place = {kept_.shard, Bytes(kept_.id)};
    error_ = {};
    return cx_engine_subscribe(engine_, &request, &subscription_, &error_);
  }
  void Begin() {
    Forget();
    ASSERT_EQ(CX_OK, Subscribe(true)) << error_.message;
  }

  // Goes on with the cursor that was kept last.
  void Resume() {
    Leave();
    resumed_++;
    ASSERT_EQ(CX_OK, kept_.there ? Subscribe(kept_.in_snapshot, &kept_.position) : Subscribe(true))
        << error_.message;
  }
  void Leave() {
    EXPECT_EQ(waiting_, cx_engine_unsubscribe(subscription_));
    subscription_ = nullptr;
    waiting_ = false;
  }
  void Forget() {
    Leave();
    kept_ = {};
    view_.clear();
    shown_.clear();
    caught_up_ = 0;
  }

  // ---- Reading. ------------------------------------------------------------------

  // Whether what it waits for was completed; then it does not wait any more.
  bool IsWoken() {
    auto found = std::find(completed_.begin(), completed_.end(), &waiter_);
    if (found == completed_.end()) return false;
    completed_.erase(found);
    waiting_ = false;
    return true;
  }

  // Takes one message, at most `events_max` events of it, and keeps the cursor behind that.
  cx_told_kind Next(size_t events_max = SIZE_MAX) {
    cx_told told;
    cx_engine_next(subscription_, 1000, &waiter_, &told, &error_);
    switch (told.kind) {
      case CX_TOLD_NOTHING:
        waiting_ = true;
        break;
      case CX_TOLD_END:
      case CX_TOLD_LATER:
        break;
      case CX_TOLD_SNAPSHOT:
        TakeContext(told);
        Keep(told, told.next);
        break;
      case CX_TOLD_EVENTS:
        for (size_t i = 0; i < std::min(events_max, told.batch.count); i++) {
          TakeEvent(*told.batch.pieces[i].event);
          Keep(told, cx_feed_behind(told.batch.pieces[i].event));
        }
        if (events_max >= told.batch.count) Keep(told, told.next);
        cx_feed_batch_done(&told.batch);
        break;
      case CX_TOLD_CAUGHT_UP:
        EXPECT_FALSE(told.in_snapshot);
        caught_up_++;
        Keep(told, told.next);
        break;
      case CX_TOLD_PROGRESS:
        Keep(told, told.next);
        break;
    }
    return told.kind;
  }

  // Reads until it waits for what is still to happen.
  void ReadAll() {
    for (;;) {
      cx_told_kind kind = Next();
      ASSERT_NE(CX_TOLD_END, kind) << error_.message;
      if (kind != CX_TOLD_NOTHING) continue;
      Step();
      if (!IsWoken()) return;
    }
  }

  void Keep(const cx_told &told, cx_feed_position position) {
    EXPECT_FALSE(position.revision < kept_.position.revision) << "a cursor went back";
    kept_ = {true, told.in_snapshot, position, told.place.shard, Text(told.place.id)};
    EXPECT_LE(position.revision, Statistics().durable_revision + 1);
  }

  void TakeContext(const cx_told &told) {
    const std::string id = Text(told.context->id);
    Found found = {};
    EXPECT_TRUE(told.in_snapshot);
    EXPECT_LE(told.context->revision, Statistics().durable_revision) << "it is not durable";
    EXPECT_TRUE(shown_.insert(id).second) << id << " is shown twice";
    EXPECT_EQ(0u, view_.count(id)) << id << " was created and is shown too";
    Read(*told.context, &found);
    Seen seen = {found.version, told.next.revision - 1, {}, found.labels};
    for (const auto &[key, value] : found.entries) {
      seen.entries[key] = {value, found.entry_versions[key]};
    }
    view_[id] = seen;
  }

  void TakeEvent(const cx_event &event) {
    if (event.item == nullptr) return;
    const std::string id = Text(event.item->id);
    auto found = view_.find(id);
    if (found != view_.end()) {
      EXPECT_GT(event.revision, found->second.revision) << id << " holds that already";
    }
    switch (event.type) {
      case CX_EVENT_CREATED:
        if (event.ops == event.item->ops || event.op_count == 0) {
          EXPECT_TRUE(found == view_.end()) << id << " is there already";
          view_[id] = {};
        }
        Apply(event, &view_[id]);
        break;
      case CX_EVENT_UPDATED:
        // Its creation is not told where that touches other keys alone.
        EXPECT_TRUE(found != view_.end() || !wanted_.key_prefix.empty()) << id << " is unknown";
        Apply(event, &view_[id]);
        break;
      case CX_EVENT_DELETED:
      case CX_EVENT_EXPIRED:
        view_.erase(id);
        break;
      default:
        break;
    }
  }

  static void Apply(const cx_event &event, Seen *seen) {
    seen->version = event.item->version;
    seen->revision = event.more ? seen->revision : event.revision;
    seen->labels.clear();
    for (size_t i = 0; i < event.item->labels.count; i++) {
      const cx_label &label = event.item->labels.items[i];
      seen->labels[Text(label.key)] = Text(label.value);
    }
    for (size_t i = 0; i < event.op_count; i++) {
      const cx_op &op = event.ops[i];
      const std::string key = Text(op.key);
      if (op.kind == CX_MUTATION_PUT) {
        std::string kept = seen->entries[key].value.substr(0, op.kept);
        seen->entries[key] = {kept + Text(op.value), event.item->version};
      } else if (op.kind == CX_MUTATION_APPEND) {
        seen->entries[key] = {seen->entries[key].value + Text(op.value), event.item->version};
      } else if (op.kind == CX_MUTATION_DELETE) {
        seen->entries.erase(key);
      } else if (op.kind == CX_MUTATION_DELETE_PREFIX) {
        for (auto each = seen->entries.begin(); each != seen->entries.end();) {
          each = each->first.compare(0, key.size(), key) == 0 ? seen->entries.erase(each)
                                                              : std::next(each);
        }
      }
    }
  }

  // ---- The state. ----------------------------------------------------------------

  static bool Begins(const std::string &text, const std::string &prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
  }

  // The view is the state, as far as it is wanted.
  void ExpectViewIsTheState() {
    cx_list_query query = {};
    query.count_max = 100;
    std::set<std::string> expected;
    for (const std::string &id : List(query)) {
      Found found = Get(id);
      bool wanted = (wanted_.ids.empty() || wanted_.ids.count(id) == 1) &&
                    Begins(id, wanted_.prefix) &&
                    (wanted_.type.empty() || found.type == wanted_.type);
      for (const auto &[key, value] : wanted_.labels) {
        wanted = wanted && found.labels.count(key) == 1 && found.labels[key] == value;
      }
      if (!wanted) continue;
      expected.insert(id);
      EXPECT_TRUE(view_.count(id) == 1 || !wanted_.key_prefix.empty()) << id << " is missing";
      std::map<std::string, Entry> entries, seen;
      for (const auto &[key, value] : found.entries) {
        if (Begins(key, wanted_.key_prefix)) entries[key] = {value, found.entry_versions[key]};
      }
      for (const auto &[key, entry] : view_[id].entries) {
        if (Begins(key, wanted_.key_prefix)) seen[key] = entry;
      }
      EXPECT_EQ(entries, seen) << id;
      if (!wanted_.key_prefix.empty()) continue;  // Not every change was told.
      EXPECT_EQ(found.version, view_[id].version) << id;
      EXPECT_EQ(found.labels, view_[id].labels) << id;
    }
    for (const auto &each : view_) EXPECT_EQ(1u, expected.count(each.first)) << each.first;
  }

  // Ids of contexts that lie in one shard.
  static std::vector<std::string> IdsOfShard(unsigned shard, size_t count) {
    std::vector<std::string> ids;
    for (int i = 0; ids.size() < count; i++) {
      cx_name_key key;
      std::string id = "id-" + std::to_string(i);
      cx_name_key_init(&key, cx_bytes_of("default"), Bytes(id));
      if (key.shard == shard) ids.push_back(id);
    }
    return ids;
  }

  // A change that chance chooses.
  void WriteRandomly(std::mt19937 *random, int id_count) {
    auto below = [&](unsigned bound) { return (*random)() % bound; };
    std::string id = (below(2) == 0 ? "a" : "b") + std::to_string(below(id_count));
    std::string key = std::string(1, "kl"[below(2)]) + std::to_string(below(3));
    cx_new_context create = {};
    cx_label label = {cx_bytes_of("color"), cx_bytes_of(below(2) == 0 ? "red" : "blue")};
    Mutations mutations;
    create.type = cx_bytes_of(below(2) == 0 ? "chat" : "task");
    create.labels = &label;
    create.label_count = 1;
    switch (below(12)) {
      case 0:
        Delete(id, false, below(3) == 0);
        return;
      case 1:
        clock_.now_us += 1000;
        return;
      case 2:
        mutations.SetExpiry(1 + below(20000));
        break;
      case 3:
        mutations.DeletePrefix(below(2) == 0 ? "k" : "");
        break;
      case 4:
        mutations.Delete(key).Append("k0", "and");
        break;
      case 5:  // A value that begins like the one before.
        mutations.Put(key, std::string(5000 + below(3000), 'x') + std::to_string(below(100)));
        break;
      case 6:  // Parts.
        mutations.Put(key, std::string(50000, 'y')).Put("k9", std::string(50000, 'z'));
        break;
      case 7:
        mutations.SetLabel("other", std::to_string(below(3)));
        break;
      default:
        mutations.Put(key, std::to_string(below(1000)));
    }
    Update(id, mutations, {}, &create);
  }

  void BuildWhileItIsWritten(unsigned seed, const Wanted &wanted) {
    std::mt19937 random(seed);
    wanted_ = wanted;
    for (int i = 0; i < 150; i++) WriteRandomly(&random, 60);
    if (seed % 2 == 0) Step();
    Begin();
    for (int i = 0; i < 700 && !HasFailure(); i++) {
      unsigned what = random() % 10;
      if (what < 3) {
        WriteRandomly(&random, 60);
      } else if (what < 4) {
        Step();
        if (waiting_) IsWoken();
      } else if (waiting_) {
        Step();
        if (!IsWoken()) WriteRandomly(&random, 60);
      } else {
        bool breaks = random() % 4 == 0;
        cx_told_kind kind = Next(breaks ? random() % 3 : SIZE_MAX);
        ASSERT_NE(CX_TOLD_END, kind) << error_.message;
        if (breaks && random() % 2 == 0 && !waiting_) Resume();
        if (breaks && waiting_ && random() % 4 == 0) {
          Resume();
          waiting_ = false;
        }
        if (breaks && !waiting_) Resume();
      }
    }
    Step();
    if (waiting_) IsWoken();
    if (waiting_) Resume();
    ReadAll();
    ExpectViewIsTheState();
  }

  Wanted wanted_;
  cx_engine_subscription *subscription_ = nullptr;
  cx_waiter waiter_ = {};
  cx_error error_ = {};
  bool waiting_ = false;
  Kept kept_;
  std::map<std::string, Seen> view_;
  std::set<std::string> shown_;
  int caught_up_ = 0, resumed_ = 0;
};

// ---- Snapshots. -------------------------------------------------------------------

TEST_F(EngineSubscriptionTest, ShowsEachContextAndIsCaughtUp) {
  for (int i = 0; i < 200; i++) Upsert("c" + std::to_string(i), Mutations().Put("k", "v"));
  Delete("c7");
  for (const char *other : {"defaul", "default2"}) {
    namespace_ = other;
    Upsert("c0", Mutations().Put("k", "another"));
  }
  namespace_ = "default";
  Step();
  Begin();
  ReadAll();
  EXPECT_EQ(199u, shown_.size());
  EXPECT_EQ(1, caught_up_);
  ExpectViewIsTheState();
  Upsert("c8", Mutations().Put("k", "w"));
  Delete("c9");
  Upsert("new", Mutations().Put("k", "w"));
  Step();
  EXPECT_TRUE(IsWoken());
  ReadAll();
  ExpectViewIsTheState();
  EXPECT_EQ(1, caught_up_);
}

TEST_F(EngineSubscriptionTest, ShowsNothingThatIsNotDurable) {
  Upsert(IdsOfShard(0, 1)[0], Mutations().Put("k", "v"));  // In the first page.
  Begin();
  EXPECT_EQ(CX_TOLD_NOTHING, Next());
  EXPECT_TRUE(shown_.empty());
  EXPECT_FALSE(cx_engine_has_context(subscription_));
  Step();
  EXPECT_TRUE(IsWoken());
  ReadAll();
  ExpectViewIsTheState();
}

TEST_F(EngineSubscriptionTest, GoesOnBehindEveryMessage) {
  for (int i = 0; i < 150; i++) Upsert("c" + std::to_string(i), Mutations().Put("k", "v"));
  Step();
  Begin();
  for (int i = 0; caught_up_ == 0; i++) {
    ASSERT_LT(i, 1000);
    std::string id = "c" + std::to_string(i * 7 % 160);
    if (i % 3 == 0) Upsert(id, Mutations().Put("k", std::to_string(i)));
    if (i % 10 == 0) Delete(id);
    Step();
    cx_told_kind kind = Next(1);
    ASSERT_NE(CX_TOLD_END, kind) << error_.message;
    if (kind == CX_TOLD_NOTHING) {
      Step();
      ASSERT_TRUE(IsWoken());
    }
    Resume();
  }
  ReadAll();
  ExpectViewIsTheState();
}

TEST_F(EngineSubscriptionTest, ShowsAShardOfManyContextsInPages) {
  std::vector<std::string> ids = IdsOfShard(5, 3 * CX_SNAPSHOT_ROWS + 1);
  for (const std::string &id : ids) Upsert(id, Mutations().Put("k", "v"));
  Step();
  // By name or not, and interrupted in the middle of each page or never.
  for (int how = 0; how < 4; how++) {
    const size_t resumes = how % 2 == 0 ? 37 : 3000;
    if (how == 2) wanted_.ids.insert(ids.begin(), ids.end() - 1);
    Begin();
    for (size_t i = 0; caught_up_ == 0; i++) {
      ASSERT_LT(i, 3000u);
      if (i % 50 == 0) {
        Upsert(ids[i % ids.size()], Mutations().Put("k", std::to_string(i)));
        Delete(ids[(i * 7 + 1) % ids.size()]);
        Upsert(ids[(i * 3 + 2) % ids.size()], Mutations().Put("l", "x"));
      }
      Step();
      if (waiting_ && !IsWoken()) continue;
      ASSERT_NE(CX_TOLD_END, Next());
      if (i % resumes == resumes - 1 && !waiting_) Resume();
    }
    ReadAll();
    ExpectViewIsTheState();
  }
}

TEST_F(EngineSubscriptionTest, TellsWhetherAnotherContextCanBeToldRightAway) {
  std::vector<std::string> ids = IdsOfShard(5, 3);
  for (const std::string &id : ids) Upsert(id, Mutations().Put("k", "v"));
  Step();
  Begin();
  EXPECT_FALSE(cx_engine_has_context(subscription_)) << "events come first";
  EXPECT_EQ(CX_TOLD_SNAPSHOT, Next());
  EXPECT_TRUE(cx_engine_has_context(subscription_));
  EXPECT_EQ(CX_TOLD_SNAPSHOT, Next());
  EXPECT_TRUE(cx_engine_has_context(subscription_));
  EXPECT_EQ(CX_TOLD_SNAPSHOT, Next());
  EXPECT_FALSE(cx_engine_has_context(subscription_));
  cx_told_kind kind = Next();
  while (kind == CX_TOLD_LATER) kind = Next();
  EXPECT_EQ(CX_TOLD_CAUGHT_UP, kind);
  EXPECT_FALSE(cx_engine_has_context(subscription_));
}

TEST_F(EngineSubscriptionTest, NamesThePlaceThatLeadsToAContext) {
  std::vector<std::string> ids = IdsOfShard(5, 4);
  std::sort(ids.begin(), ids.end());
  for (const std::string &id : ids) Upsert(id, Mutations().Put("k", "v"));
  Step();
  Begin();
  for (const std::string &id : ids) {
    cx_told told;
    cx_engine_next(subscription_, 1000, &waiter_, &told, &error_);
    ASSERT_EQ(CX_TOLD_SNAPSHOT, told.kind);
    EXPECT_EQ(id, Text(told.context->id));
    EXPECT_EQ(id, Text(told.place.id));
    kept_ = {true, true, told.next, told.before.shard, Text(told.before.id)};
    Resume();  // With the cursor before it, it comes again.
    cx_engine_next(subscription_, 1000, &waiter_, &told, &error_);
    ASSERT_EQ(CX_TOLD_SNAPSHOT, told.kind);
    EXPECT_EQ(id, Text(told.context->id));
  }
}

TEST_F(EngineSubscriptionTest, LetsOthersHaveTheThreadWhereThereIsNothingToTell) {
  Begin();
  size_t later = 0;
  for (cx_told_kind kind = Next(); kind != CX_TOLD_CAUGHT_UP; kind = Next()) {
    ASSERT_EQ(CX_TOLD_LATER, kind);
    later++;
  }
  EXPECT_EQ(CX_SHARDS / 16u, later) << "a page for each shard, 16 at a time";
}

TEST_F(EngineSubscriptionTest, HidesWhatIsExpiredAndTellsItsEnd) {
  Upsert("a", Mutations().Put("k", "v").SetExpiry(1000));
  Upsert("b", Mutations().Put("k", "v"));
  Step();
  clock_.now_us += 1000;  // No timer has looked yet.
  Begin();
  ReadAll();
  EXPECT_EQ(std::set<std::string>({"b"}), shown_);
  Step();
  EXPECT_TRUE(IsWoken());
  ReadAll();
  ExpectViewIsTheState();
}

TEST_F(EngineSubscriptionTest, TellsTheChangeThatTakesAContextOutOfTheSelection) {
  cx_new_context create = {};
  cx_label label = {cx_bytes_of("color"), cx_bytes_of("red")};
  create.labels = &label;
  create.label_count = 1;
  Update("a", Mutations().Put("k", "v"), {}, &create);
  Step();
  wanted_.labels = {{"color", "red"}};
  Begin();
  ReadAll();
  ASSERT_EQ(1u, view_.size());
  Update("a", Mutations().SetLabel("color", "blue"));
  Update("a", Mutations().Put("k", "w"));
  Step();
  EXPECT_TRUE(IsWoken());
  ReadAll();
  EXPECT_EQ("blue", view_["a"].labels["color"]);
  EXPECT_EQ("v", view_["a"].entries["k"].value) << "what comes later is not selected";
}

class EngineSubscriptionRandomTest : public EngineSubscriptionTest {
 protected:
  void SetUp() override {}

  void RunSeeds(unsigned first, const Wanted &wanted) {
    for (unsigned seed = first; seed < first + 12; seed++) {
      sim_disk_free(disk_);
      disk_ = sim_disk_new();
      options_.disk = sim_disk_base(disk_);
      ASSERT_EQ(CX_OK, Open());
      BuildWhileItIsWritten(seed, wanted);
      Forget();
      completed_.clear();
      Close();
      ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
    EXPECT_GT(resumed_, 20);
  }
};

TEST_F(EngineSubscriptionRandomTest, BuildsExactlyTheState) { RunSeeds(1, {}); }

TEST_F(EngineSubscriptionRandomTest, BuildsTheStateOfNamedContexts) {
  Wanted wanted;
  for (int i = 0; i < 70; i += 3) wanted.ids.insert("a" + std::to_string(i));
  RunSeeds(101, wanted);
  wanted.prefix = "a1";
  RunSeeds(201, wanted);
}

TEST_F(EngineSubscriptionRandomTest, BuildsTheStateOfAPrefix) {
  Wanted wanted;
  wanted.prefix = "b";
  RunSeeds(301, wanted);
}

TEST_F(EngineSubscriptionRandomTest, BuildsTheStateOfATypeWithALabel) {
  Wanted wanted;
  wanted.type = "chat";
  wanted.labels = {{"color", "red"}};
  RunSeeds(401, wanted);
}

TEST_F(EngineSubscriptionRandomTest, BuildsTheStateOfSomeKeys) {
  Wanted wanted;
  wanted.key_prefix = "l";
  RunSeeds(501, wanted);
}

// ---- Ending. ------------------------------------------------------------------------

TEST_F(EngineSubscriptionTest, EndsWithAnErrorOrShowsAllWhateverMemoryThereIs) {
  for (int i = 0; i < 20; i++) Upsert("c" + std::to_string(i), Mutations().Put("k", "v"));
  Step();
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    Forget();
    fail_nth_begin(&fail, nth);
    cx_status status = Subscribe(true);
    cx_told_kind kind = CX_TOLD_NOTHING;
    while (status == CX_OK && caught_up_ == 0 && (kind = Next()) != CX_TOLD_END) {
    }
    bool failed = fail_nth_end(&fail);
    if (status != CX_OK || kind == CX_TOLD_END) {
      EXPECT_TRUE(failed);
      EXPECT_EQ(CX_REASON_LIMIT_REACHED, error_.reason);
      EXPECT_LE(shown_.size(), 20u);
    } else {
      ExpectViewIsTheState();
    }
    if (!failed) break;
    ASSERT_FALSE(HasFailure()) << "allocation " << nth;
  }
  EXPECT_EQ(1, caught_up_);
}

TEST_F(EngineSubscriptionTest, EndsAllWhenTheServerStops) {
  Begin();
  ReadAll();
  cx_engine_end_subscriptions(engine_);
  EXPECT_TRUE(IsWoken());
  EXPECT_EQ(CX_TOLD_END, Next());
  EXPECT_EQ(CX_REASON_STOPPING, error_.reason);
  Leave();
  EXPECT_EQ(CX_UNAVAILABLE, Subscribe(false));
}

TEST_F(EngineSubscriptionTest, EndsAllWhenTheDiskFails) {
  Begin();
  ReadAll();
  Upsert("a", Mutations().Put("k", "v"));
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Step();
  EXPECT_TRUE(IsWoken());
  EXPECT_EQ(CX_TOLD_END, Next());
  EXPECT_EQ(CX_REASON_STORAGE_FAILED, error_.reason);
}

// ---- How far back. -------------------------------------------------------------------

class EngineRetentionTest : public EngineSubscriptionTest {
 protected:
  void SetUp() override {}

  void OpenWith(uint64_t bytes, int64_t age_us) {
    options_.feed_retention_bytes = bytes;
    options_.feed_retention_age_us = age_us;
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
  }
  void WriteSome(uint64_t count, size_t size = 1000) {
    for (uint64_t i = 0; i < count; i++) {
      Upsert("a", Mutations().Put("k", std::string(size, static_cast<char>('a' + i % 26))));
      Step();
    }
  }
  uint64_t Floor() { return cx_engine_oldest(engine_).revision - 1; }
  uint64_t Revision() { return Statistics().revision; }
};

TEST_F(EngineRetentionTest, TellsEverythingWithoutABound) {
  OpenWith(0, 0);
  WriteSome(500);
  clock_.now_us += 1000 * 24 * 3600 * CX_SECOND_US;
  Step();
  EXPECT_EQ(0u, Floor());
}

TEST_F(EngineRetentionTest, MovesTheFloorByBytesAndKeepsAtLeastThose) {
  OpenWith(200 * CX_KIB, 0);
  WriteSome(100);
  EXPECT_EQ(0u, Floor());
  WriteSome(600);
  EXPECT_GT(Floor(), 300u);
  EXPECT_LT(Floor(), Revision() - 190) << "about a KiB each";
}

TEST_F(EngineRetentionTest, MovesTheFloorByAgeAndKeepsWhatIsYounger) {
  OpenWith(0, 100 * CX_SECOND_US);
  for (int i = 0; i < 300; i++) {
    clock_.now_us += CX_SECOND_US;
    WriteSome(1);
  }
  EXPECT_GT(Floor(), 150u);
  EXPECT_LT(Floor(), Revision() - 99);
}

TEST_F(EngineRetentionTest, StillHasItsFloorAfterARestart) {
  OpenWith(200 * CX_KIB, 0);
  WriteSome(700);
  uint64_t floor = Floor();
  ASSERT_GT(floor, 0u);
  options_.feed_retention_bytes = 0;
  Reopen();
  EXPECT_EQ(floor, Floor()) << "what was dropped is not told again";
  cx_feed_position from = {floor, 0};
  EXPECT_EQ(CX_OUT_OF_RANGE, Subscribe(false, &from));
  EXPECT_EQ(CX_REASON_CURSOR_COMPACTED, error_.reason);
  from.revision++;
  EXPECT_EQ(CX_OK, Subscribe(false, &from));
}

TEST_F(EngineRetentionTest, LetsAFloorTakeEffectOnceItIsDurable) {
  OpenWith(200 * CX_KIB, 0);
  for (int i = 0; i < 700; i++) {
    Upsert("a", Mutations().Put("k", std::string(1000, static_cast<char>('a' + i % 26))));
    cx_engine_step_writer(engine_);
    cx_engine_step_preparer(engine_);
  }
  cx_engine_step_timers(engine_);
  EXPECT_GT(engine_->state.feed_floor, 0u) << "it was written";
  EXPECT_EQ(0u, Floor());
  cx_engine_step_timers(engine_);
  EXPECT_EQ(0u, Floor()) << "and is not durable yet";
  uint64_t revision = Revision();
  cx_engine_step_writer(engine_);
  cx_engine_step_timers(engine_);
  EXPECT_EQ(engine_->state.feed_floor, Floor());
  EXPECT_EQ(revision, Revision()) << "once is enough";
}

TEST_F(EngineRetentionTest, EndsWhoFallsBehindIt) {
  OpenWith(200 * CX_KIB, 0);
  WriteSome(10);
  cx_feed_position from = {2, 0};
  ASSERT_EQ(CX_OK, Subscribe(false, &from));
  WriteSome(700);
  EXPECT_EQ(CX_TOLD_END, Next());
  EXPECT_EQ(CX_REASON_CURSOR_COMPACTED, error_.reason);
  Forget();
  from = {0, 0};
  ASSERT_EQ(CX_OK, Subscribe(false, &from)) << "the oldest";
}

TEST_F(EngineRetentionTest, WritesNothingForEverWhereNothingHappens) {
  for (int64_t age_us : {int64_t{0}, int64_t{100 * CX_SECOND_US}}) {
    for (uint64_t bytes : {uint64_t{1}, uint64_t{200 * CX_KIB}}) {
      OpenWith(bytes, age_us);
      WriteSome(300);
      for (int i = 0; i < 5; i++) {
        clock_.now_us += 1000 * CX_SECOND_US;
        Step();
      }
      uint64_t revision = Revision();
      for (int i = 0; i < 100; i++) {
        clock_.now_us += 1000 * CX_SECOND_US;
        Step();
      }
      EXPECT_EQ(revision, Revision()) << "age " << age_us << " bytes " << bytes;
      Close();
    }
  }
}

TEST_F(EngineRetentionTest, WritesFewFloorsWhileMuchHappens) {
  const uint64_t size = 60000, count = 300;
  OpenWith(16 * CX_MIB, 0);
  WriteSome(count, size);
  uint64_t revision = Revision();
  WriteSome(count, size);
  uint64_t floors = Revision() - revision - count;
  EXPECT_GT(floors, 20u);
  EXPECT_LT(floors, 100u) << "one for about each 64th part of what is kept";
}

// ---- Threads. ------------------------------------------------------------------------

// Whoever leaves in the middle of a snapshot leaves nothing behind that the feed's threads use.
TEST_F(EngineSubscriptionTest, IsLeftAtAnyTimeAlsoInTheMiddleOfASnapshot) {
  struct Sleeper {
    cx_waiter waiter = {};
    std::atomic<bool> woken{false};
  };
  for (int i = 0; i < 300; i++) {
    Upsert("c" + std::to_string(i), Mutations().Put("k", "v"));
    Step();
  }
  events_.complete = [](void *, cx_work *list) {
    while (list != nullptr) {
      auto *sleeper = reinterpret_cast<Sleeper *>(list);
      list = list->next;
      sleeper->woken = true;
    }
  };
  ASSERT_EQ(CX_OK, cx_engine_start(engine_, &events_));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; thread++) {
    threads.emplace_back([this, thread] {
      cx_event_filter filter = {};
      cx_error error;
      filter.namespace_id = cx_bytes_of("default");
      for (int i = 0; i < 150; i++) {
        Sleeper sleeper;
        cx_engine_subscription *subscription;
        cx_subscribe_request request = {};
        cx_told told;
        request.feed.filter = &filter;
        request.feed.progress_interval_us = CX_PROGRESS_INTERVAL_US_DEFAULT;
        request.feed.has_position = true;
        request.feed.position = {static_cast<uint64_t>(1 + i % 200), 0};
        request.with_snapshot = true;
        request.place.shard = static_cast<uint32_t>(i % CX_SHARDS);
        ASSERT_EQ(CX_OK, cx_engine_subscribe(engine_, &request, &subscription, &error));
        bool waits = false;
        for (int j = 0; j < i % 4 + thread && !waits; j++) {
          cx_engine_next(subscription, 100, &sleeper.waiter, &told, &error);
          waits = told.kind == CX_TOLD_NOTHING;
          if (told.kind == CX_TOLD_EVENTS) cx_feed_batch_done(&told.batch);
        }
        if (!cx_engine_unsubscribe(subscription) && waits) {
          while (!sleeper.woken) std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  cx_engine_stop(engine_);
  cx_engine_close(engine_);
  engine_ = nullptr;
}

}  // namespace
