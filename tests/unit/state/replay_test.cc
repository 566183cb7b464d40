// What replay.h promises: the same state again, and a refusal of whatever no planning made.

#include "tests/unit/state/tracker_fixture.h"

extern "C" {
#include "core/state/change_check.h"
}

#include <random>

namespace {

class ReplayTest : public TrackerFixture {
 protected:
  // Changes of every kind.
  void WriteEverything() {
    cx_new_context properties = {};
    cx_label labels[] = {{cx_bytes_of("l"), cx_bytes_of("v")},
                         {cx_bytes_of("m"), cx_bytes_of("w")}};
    properties.type = cx_bytes_of("chat");
    properties.parent_id = cx_bytes_of("parent");
    properties.create_parent = true;
    properties.labels = labels;
    properties.label_count = 2;
    Create("a", properties, Mutations().Put("k", std::string(6000, 'x'), "text/plain"), "r1");
    Update("a", Mutations().Put("k", std::string(6000, 'x') + "more"), "r2");
    Update("a", Mutations().Append("k", "tail").SetLabel("n", "1").DeleteLabel("l"), "r3");
    Update("a", Mutations().Delete("k").DeletePrefix("").Put("j", "1").SetExpiry(50, true));
    CreateBelow("b", "a");
    Delete("a", true);
    Create("a");
    Delete("a", false, true);
    Create("c", {}, Mutations().SetExpiry(5));
    plan_.now_us += 10;
    Due("c");
    plan_.now_us += 100;
    Due("b");
    plan_.now_us += 100;
    Due("b");
    WriteTracker();
    settings_.version_retention = 2;
    WriteSettings();
  }

  void WriteTracker() {
    cx_new_context create = {};
    Create("d", {}, Mutations().Record(Activity("x", std::string(3000, 'y')).Label("k", "v")));
    Begin("s", [&](Start *start) { start->create_if_missing = &create; });
    Begin("t", [&](Start *start) {
      start->default_context_id = cx_bytes_of("d");
      start->request_id = Keep("r4 " + std::to_string(revision_));
    });
    Activate("s", "d", Guarding);
    Activate("t", "d", Taking);
    Switch("s", "e", [&](Activation *request) {
      request->request_id = Keep("r5 " + std::to_string(revision_));
    });
    Record("d", Activity().Model("m", 1, 2), By("t"));
    Acquire("s", "e", "tool");
    Acquire("t", "e", "key");
    Release("t", "e", "key");
    plan_.history_count_max = 2;
    WriteTo("d", Mutations().Put("k", "v").Record(Activity().File("path", "read")), By("t", 2));
    Deactivate("t", "d");
    End("s");
    LetLapse("t");
    Lapse("t");
    Delete("d");
    Delete("e", false, true);
  }
};

TEST_F(ReplayTest, GivesTheSameStateAgainAfterEveryChange) {
  for (int i = 0; i < 3; i++) WriteEverything();
  ExpectReplayGivesTheSame();
}

TEST_F(ReplayTest, FollowsAContextThatIsReplacedAFewRecordsBefore) {
  for (int distance = 0; distance < 14; distance++) {
    Create("a", {}, Mutations().Put("k", "v"));
    Delete("a");
    Create("a", {}, Mutations().Put("k", "w"));
    for (int i = 0; i < distance; i++) Create("x" + std::to_string(revision_));
    Update("a", Mutations().Put("k", "x"));
    Delete("a", false, true);
  }
  ExpectReplayGivesTheSame();
}

TEST_F(ReplayTest, RefusesARecordThatDoesNotFit) {
  Create("a");
  Update("a", Mutations().Put("k", "v"));
  uint64_t digest;
  std::vector<::Record> without_create = {log_[0], log_[2]};
  std::vector<::Record> twice = {log_[0], log_[1], log_[1]};
  std::vector<::Record> again = {log_[0], log_[1], log_[2], log_[2]};
  EXPECT_EQ(CX_DATA_LOSS, Replay(without_create, &digest));
  EXPECT_EQ(CX_DATA_LOSS, Replay(twice, &digest));
  EXPECT_EQ(CX_DATA_LOSS, Replay(again, &digest)) << "its version does not follow";
}

TEST_F(ReplayTest, MovesTheFloorOfTheFeedUpAndNeverToOrBeyondItsOwnRecord) {
  auto floor = [&](uint64_t revision) {
    cx_change change = {};
    cx_stage stage = {};
    change.kind = CX_CHANGE_FLOOR;
    change.floor = revision;
    stage.state = &state_;
    Log(&stage, change);
  };
  uint64_t digest;
  Create("a");
  floor(1);
  Create("b");
  floor(3);
  EXPECT_EQ(3u, state_.feed_floor);
  EXPECT_EQ(revision_, state_.feed_floor_revision);
  ExpectReplayGivesTheSame();

  for (uint64_t revision : {uint64_t{2}, uint64_t{3}, revision_ + 1, revision_ + 2, UINT64_MAX}) {
    std::vector<::Record> log = log_;
    floor(revision);
    EXPECT_EQ(CX_DATA_LOSS, Replay(log_, &digest)) << "a floor of " << revision;
    log_ = log;
    revision_--;
  }
}

TEST_F(ReplayTest, NamesTheRecordThatItRefuses) {
  cx_state state;
  cx_replay *replay;
  Create("a");
  ASSERT_EQ(CX_OK, cx_state_init(&state));
  ASSERT_EQ(CX_OK, cx_replay_new(&state, &replay));
  ASSERT_EQ(CX_OK, cx_replay_add(replay, Bytes(log_[0].payload), 1, 1000));
  EXPECT_EQ(CX_DATA_LOSS, cx_replay_add(replay, cx_bytes_of("nonsense"), 2, 1000));
  EXPECT_EQ(2u, cx_replay_failed_revision(replay));
  cx_replay_free(replay);
  cx_replay_free(nullptr);
  cx_state_done(&state);
}

// The bytes of real changes, changed a little: each is applied or refused, and nothing
// crashes, whichever was applied before.
TEST_F(ReplayTest, AppliesOrRefusesWhateverBytesThereAre) {
  const unsigned seed = 42;
  std::mt19937 random(seed);
  int refused = 0;
  WriteEverything();
  for (int round = 0; round < 4000; round++) {
    std::vector<::Record> log;
    uint64_t digest;
    for (const ::Record &record : log_) {
      ::Record changed = record;
      for (unsigned i = random() % 8 == 0 ? 1 + random() % 3 : 0; i > 0; i--) {
        size_t at = random() % changed.payload.size();
        switch (random() % 3) {
          case 0:
            changed.payload[at] = static_cast<char>(random());
            break;
          case 1:
            changed.payload.erase(at, 1 + random() % 4);
            break;
          default:
            changed.payload.insert(at, 1, static_cast<char>(random()));
            break;
        }
        if (changed.payload.empty()) break;
      }
      log.push_back(changed);
      if (random() % 16 == 0) log.push_back(log_[random() % log_.size()]);
    }
    for (size_t i = 0; i < log.size(); i++) log[i].revision = i + 1;
    cx_status status = Replay(log, &digest);
    ASSERT_TRUE(status == CX_OK || status == CX_DATA_LOSS) << "seed " << seed;
    refused += status != CX_OK;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 4000);
}

// Changes that are well formed but that nobody planned: names twice, parents that end before
// their children, keys of every size, versions that fit and that do not.
class Nonsense {
 public:
  explicit Nonsense(unsigned seed) : random_(seed) {}

  std::string Next(cx_state *state) {
    cx_change change = {};
    cx_buffer encoded = {};
    cx_change_item items[3] = {};
    kept_.clear();
    ops_.clear();
    steps_.clear();
    runs_.clear();
    activities_.clear();
    change.kind = CX_CHANGE_CONTEXTS;
    change.namespace_id = OneIn(50) ? Name(70) : cx_bytes_of("n");
    change.items = items;
    change.item_count = OneIn(2) ? 1 : 1 + Below(3);
    if (OneIn(3)) change.request.id.low = 1 + Below(3);
    change.request.owner = Below(change.item_count);
    change.request.each = OneIn(2);
    if (OneIn(3)) FillSession(&change);
    for (size_t i = 0; i < change.item_count; i++) FillItem(state, &items[i]);
    Tell(state, &change);
    EXPECT_EQ(CX_OK, cx_change_encode(&change, &encoded));
    std::string payload = Text(cx_buffer_bytes(&encoded));
    cx_buffer_done(&encoded);
    return payload;
  }

  uint64_t Below(uint64_t end) { return random_() % end; }
  bool OneIn(uint64_t count) { return Below(count) == 0; }

 private:
  // Says mostly what would have been planned.
  void Tell(cx_state *state, cx_change *change) {
    for (size_t i = 0; i < change->item_count; i++) {
      cx_item_kind kind = change->items[i].kind;
      change->items[i].head.told = kind != CX_ITEM_DROP_STATES && kind != CX_ITEM_FORGET;
    }
    if (!OneIn(20) && cx_change_is_well_formed(change)) TellChange(state, change);
  }

  cx_bytes Keep(const std::string &text) {
    kept_.push_back(std::make_shared<std::string>(text));
    return Bytes(*kept_.back());
  }

  cx_bytes Name(size_t size_max) {
    std::string name(OneIn(3) ? size_max : Below(4), 'x');
    if (!name.empty() && OneIn(5)) name[Below(name.size())] = '\0';
    return Keep(name);
  }

  cx_bytes Id() { return OneIn(40) ? Name(257) : Keep(std::string(1, "abcd"[Below(4)])); }

  cx_label_list Labels() {
    auto labels = std::make_shared<std::vector<cx_label>>();
    for (size_t i = OneIn(40) ? 66 : Below(3); i > 0; i--) {
      labels->push_back({OneIn(20) ? Name(64) : Keep(std::string(1, "nmlkj"[i % 5])),
                         OneIn(20) ? Name(1025) : Keep("v")});
    }
    labels_.push_back(labels);
    return {labels->data(), labels->size()};
  }

  cx_bytes SessionId() { return OneIn(40) ? Name(33) : Keep(std::string(1, "stuv"[Below(4)])); }

  void FillSession(cx_change *change) {
    cx_session_change *session = &change->session;
    cx_label_list labels = Labels();
    session->step = static_cast<cx_session_step>(1 + Below(5));
    session->start.name = {change->namespace_id, SessionId()};
    session->current_id = Id();
    session->start.owner = OneIn(20) ? Name(257) : Keep("o");
    session->start.labels = labels.items;
    session->start.label_count = labels.count;
    session->start.ttl_us = OneIn(40) ? static_cast<int64_t>(random_()) : CX_SECOND_US;
    session->start.default_context_id = OneIn(2) ? Id() : cx_bytes{};
    if (OneIn(2)) session->start.create_if_missing = &create_;
    change->request.of_session = OneIn(2);
    if (change->request.of_session && !OneIn(9)) {
      change->request.owner = 0;
      change->request.each = false;
    }
    if (OneIn(3)) change->item_count = 0;
  }

  // What the tracker is to know, mostly such that it fits.
  void FillTracked(const cx_context *found, cx_change_item *item) {
    static const cx_tracked nothing = {};
    const cx_tracked *tracked =
        found != nullptr && found->tracked != nullptr ? found->tracked : &nothing;
    auto steps = std::make_shared<std::vector<cx_activation_step>>();
    auto runs = std::make_shared<std::vector<cx_run>>();
    bool records = false;
    for (size_t i = 0; i < item->op_count; i++) {
      records |= item->ops[i].kind == CX_MUTATION_RECORD;
    }
    if (records || OneIn(40)) item->first_sequence = tracked->last_sequence + !OneIn(40);
    if (OneIn(2)) item->session_id = SessionId();
    const cx_activation *each = tracked->activation_oldest;
    for (; each != nullptr && !OneIn(9); each = each->context_next) {
      if (item->kind == CX_ITEM_CREATE) break;
      steps->push_back({Keep(Text(cx_session_id(each->session))), false, false, 0});
    }
    if (OneIn(3)) {
      steps->push_back({SessionId(), !OneIn(9), OneIn(9), OneIn(2) ? tracked->fence + 1 : 0});
    }
    for (uint64_t i = OneIn(4) ? Below(3) : 0, next = 0; i > 0; i--) {
      next += 1 + Below(5);
      runs->push_back({next, next + Below(9)});
      next = runs->back().last;
    }
    steps_.push_back(steps);
    runs_.push_back(runs);
    item->activations = steps->data();
    item->activation_count = steps->size();
    item->trimmed = {runs->data(), runs->size()};
  }

  void FillActivity(cx_op *op) {
    auto activity = std::make_shared<cx_activity_content>();
    cx_label_list labels = Labels();
    activity->type = OneIn(20) ? Name(65) : Keep("t");
    activity->content_type = OneIn(20) ? Name(129) : cx_bytes{};
    activity->data = Keep(std::string(Below(1500), 'z'));
    activity->labels = labels.items;
    activity->label_count = labels.count;
    switch (Below(5)) {
      case 0:
        activity->detail = FileDetail("path", "read");
        break;
      case 1:
        activity->detail = ModelDetail("p", "m", "", "USD", OneIn(9) ? UINT64_MAX / 4 : 1);
        break;
      case 2:
        activity->detail = ResourceDetail(OneIn(2) ? "key" : "tool", "",
                                          static_cast<cx_resource_step>(1 + Below(3)));
        break;
    }
    activities_.push_back(activity);
    op->activity = activity.get();
  }

  void FillItem(const cx_state *state, cx_change_item *item) {
    const cx_context *found = nullptr;
    item->kind = static_cast<cx_item_kind>(OneIn(3) ? 1 : 1 + Below(8));
    item->labels_changed = !OneIn(9);
    item->sliding = OneIn(2);
    item->id = Id();
    item->type = OneIn(20) ? Name(65) : Keep("t");
    item->labels = Labels();
    if (item->kind == CX_ITEM_CREATE && OneIn(2)) item->head.parent_id = Id();
    item->ttl_us = OneIn(40) ? INT64_MAX - static_cast<int64_t>(Below(3)) : 0;
    if (item->id.size > 0 && item->id.size <= CX_CONTEXT_ID_SIZE_MAX) {
      cx_name_key key;
      cx_name_key_init(&key, cx_bytes_of("n"), item->id);
      found = cx_state_find(state, &key);
      item->version = found != nullptr ? found->version : 0;
      if (item->kind <= CX_ITEM_UPDATE) item->version++;
    }
    if (OneIn(30)) item->version++;
    auto ops = std::make_shared<std::vector<cx_op>>(Below(4));
    for (cx_op &op : *ops) FillOp(&op);
    ops_.push_back(ops);
    item->ops = ops->data();
    item->op_count = ops->size();
    if (item->kind == CX_ITEM_TOUCH) item->labels_changed = OneIn(20);
    if (item->kind > CX_ITEM_UPDATE && item->kind < CX_ITEM_TOUCH && !OneIn(9)) item->op_count = 0;
    for (size_t i = 0; i < item->op_count && item->kind == CX_ITEM_TOUCH; i++) {
      if (OneIn(20)) continue;
      (*ops)[i].kind = CX_MUTATION_RECORD;
      FillActivity(&(*ops)[i]);
    }
    FillTracked(found, item);
  }

  void FillOp(cx_op *op) {
    *op = {};
    op->kind = static_cast<cx_mutation_kind>(1 + Below(8));
    if (op->kind == CX_MUTATION_RECORD) FillActivity(op);
    op->key = OneIn(20) ? Name(513) : Keep(std::string(1, "jk"[Below(2)]));
    op->content_type = OneIn(20) ? Name(129) : cx_bytes{};
    op->kept = OneIn(8) ? (OneIn(4) ? UINT64_MAX : Below(1500)) : 0;
    op->value = Keep(std::string(Below(1500), 'y'));
    op->ttl_us = OneIn(30) ? static_cast<int64_t>(random_()) : 5;
    op->sliding = OneIn(2);
  }

  std::mt19937_64 random_;
  cx_new_context create_ = {};
  std::vector<std::shared_ptr<std::string>> kept_;
  std::vector<std::shared_ptr<std::vector<cx_label>>> labels_;
  std::vector<std::shared_ptr<std::vector<cx_op>>> ops_;
  std::vector<std::shared_ptr<std::vector<cx_activation_step>>> steps_;
  std::vector<std::shared_ptr<std::vector<cx_run>>> runs_;
  std::vector<std::shared_ptr<cx_activity_content>> activities_;
};

TEST_F(ReplayTest, AppliesOrRefusesChangesThatNobodyPlanned) {
  for (unsigned seed = 1; seed <= 60; seed++) {
    Nonsense nonsense(seed);
    cx_state state;
    int applied = 0, refused = 0;
    ASSERT_EQ(CX_OK, cx_state_init(&state));
    for (uint64_t revision = 1; revision < 400; revision++) {
      std::string payload = revision == 1 ? log_[0].payload : nonsense.Next(&state);
      uint64_t digest = cx_state_digest(&state);
      cx_replay *replay;
      ASSERT_EQ(CX_OK, cx_replay_new(&state, &replay));
      cx_status status =
          cx_replay_add(replay, Bytes(payload), revision, static_cast<int64_t>(revision));
      if (status == CX_OK) status = cx_replay_finish(replay);
      ASSERT_TRUE(status == CX_OK || status == CX_DATA_LOSS) << "seed " << seed;
      if (status != CX_OK) {
        EXPECT_EQ(digest, cx_state_digest(&state)) << "seed " << seed;
      }
      (status == CX_OK ? applied : refused)++;
      cx_replay_free(replay);
    }
    cx_state_done(&state);
    EXPECT_GT(applied, 20) << "seed " << seed;
    EXPECT_GT(refused, 20) << "seed " << seed;
  }
}

}  // namespace
