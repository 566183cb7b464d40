// The whole feed against the model, in one thread: whatever comes in, in whatever order the steps
// are made, each subscription gets exactly what it is to have, or a clear error where memory or
// the disk fails. Each world follows from its seed.

#include "tests/unit/feed/feed_fixture.h"

namespace {

struct Trouble {
  bool memory = false, disk = false, damage = false;
};

class World : public FeedFixture {
 public:
  World(unsigned seed, Trouble trouble)
      : FeedFixture(16 * CX_KIB), chance_(seed), trouble_(trouble) {
    Open();
  }
  ~World() override { cx_memory_set_hook(nullptr, nullptr); }
  void TestBody() override {}

  void Run(int rounds) {
    for (int round = 0; round < rounds && !HasFailure(); round++) Act();
    CalmDown();
    FlushKept();
    AppendSome(40);  // Beyond all bounds.
    Settle();
    for (auto &reader : readers_) {
      if (!reader->waiting) cx_subscription_set_bound(reader->subscription, 0);
    }
    Settle();
    for (auto &reader : readers_) {
      if (reader->ended != CX_REASON_NONE) {
        ExpectReason(*reader);
        continue;
      }
      ExpectHasAll(*reader);
      told_ += reader->got.size();
      EXPECT_EQ(1, reader->caught_up);
      served_++;
    }
    CloseAll();
    StepTail();
    StepTimers();
    EXPECT_EQ(0u, CachedBytes());
    EXPECT_EQ(0u, feed_->handed_bytes);
  }

  size_t served_ = 0, ended_ = 0, told_ = 0;

 private:
  static cx_feed_position Position(const Reader &reader) {
    return cx_subscription_position(reader.subscription);
  }

  // ---- Trouble. ----------------------------------------------------------------

  // Lets some of what follows fail.
  void MakeTrouble() {
    if (trouble_.memory && chance_.OneIn(4)) {
      fail_in_ = 1 + chance_.random() % 8;
      cx_memory_set_hook(
          [](void *arg, size_t) {
            size_t *left = static_cast<size_t *>(arg);
            return *left == 0 || --*left > 0;
          },
          &fail_in_);
    }
    if (trouble_.disk && chance_.OneIn(4)) {
      sim_disk_fail(disk_, 1 + chance_.random() % 4, CX_UNAVAILABLE);
    }
  }
  void CalmDown() {
    cx_memory_set_hook(nullptr, nullptr);
    sim_disk_fail(disk_, 0, CX_OK);
  }
  void Damage() {
    std::string name = sim_disk_file_name(disk_, chance_.random() % sim_disk_file_count(disk_));
    size_t size;
    const uint8_t *content = sim_disk_content(disk_, name.c_str(), &size);
    if (content != nullptr && size > 0 && name == LogName(1)) {
      sim_disk_flip(disk_, name.c_str(), chance_.random() % size, 1);
    }
  }

  void ExpectReason(const Reader &reader) {
    ended_++;
    switch (reader.ended) {
      case CX_REASON_CURSOR_COMPACTED:
        EXPECT_LE(Position(reader).revision, cx_feed_floor(feed_));
        break;
      case CX_REASON_LIMIT_REACHED:
        EXPECT_TRUE(trouble_.memory);
        break;
      case CX_REASON_NOT_READY:
        EXPECT_TRUE(trouble_.disk);
        break;
      default:
        EXPECT_EQ(CX_REASON_DAMAGED, reader.ended);
        EXPECT_TRUE(trouble_.damage);
    }
  }

  // ---- What happens. -------------------------------------------------------------

  void Act() {
    unsigned what = chance_.random() % 100;
    if (what < 15) {
      AppendRandomly();
    } else if (what < 18) {
      FlushKept();
    } else if (what < 24) {
      SubscribeRandomly();
    } else if (what < 26) {
      if (!readers_.empty()) Close(Any());
    } else if (what < 27) {
      MoveFloor();
    } else if (what < 30) {
      BindRandomly();
    } else if (what < 31 && trouble_.damage) {
      Damage();
    } else {
      MakeTrouble();
      Step(what);
      CalmDown();
    }
  }

  void Step(unsigned what) {
    if (what < 45) {
      StepTail();
    } else if (what < 60) {
      StepLoad();
    } else if (what < 64) {
      clock_.now_us += static_cast<int64_t>(chance_.random() % CX_PROGRESS_INTERVAL_US_DEFAULT);
      StepTimers();
    } else if (!readers_.empty()) {
      Read(Any());
    }
  }

  Reader *Any() { return readers_[chance_.random() % readers_.size()].get(); }

  void Read(Reader *reader) {
    if (reader->slow && !chance_.OneIn(8)) return;
    for (unsigned i = 1 + chance_.random() % 5; i > 0 && !reader->waiting; i--) {
      cx_feed_outcome outcome = Next(reader, chance_.random() % 2000);
      if (outcome == CX_FEED_BOUND) return;
      if (outcome == CX_FEED_ENDED) {
        ExpectReason(*reader);
        Close(reader);
        return;
      }
    }
  }

  void AppendRandomly() {
    std::vector<Change> changes;
    for (unsigned i = 1 + chance_.random() % 5; i > 0; i--) {
      changes.push_back(chance_.AChange());
      if (chance_.OneIn(20)) changes.push_back(Many());
    }
    unsigned how = chance_.random() % 6;
    if (how == 0 || !kept_.empty()) {
      kept_.push_back({durable() + 1, {}});
      for (const Change &change : changes)
        kept_.back().second.push_back(RawChange(change).Encode());
      Append(changes, kKeepBack);
      if (chance_.OneIn(2)) {
        cx_feed_set_durable(feed_, durable());
        handed_ = durable();
      }
    } else {
      Append(changes, how == 1 ? kLeaveOut : kHandOver);
    }
  }
  void FlushKept() {
    for (const auto &[first, payloads] : kept_) {
      HandOver(first, payloads, chance_.OneIn(4) ? kLeaveOut : kHandOver);
    }
    kept_.clear();
  }
  Change Many() {
    Item item = {CX_ITEM_TOUCH, chance_.Id()};
    for (unsigned i = 100 + chance_.random() % 200; i > 0; i--) item.steps.push_back({"s", true});
    return {{item}};
  }

  void SubscribeRandomly() {
    if (readers_.size() >= 20) return;
    cx_feed_position from = {0, 0};
    unsigned where = chance_.random() % 4;
    if (where == 0) {
      Subscribe(chance_.AFilter(), nullptr, chance_.OneIn(3))->slow = chance_.OneIn(3);
      return;
    }
    if (where == 1 && !readers_.empty()) {
      from = Position(*Any());  // As a cursor that somebody was told.
    } else if (where == 2 && !events_.empty()) {
      const ModelEvent &event = events_[chance_.random() % events_.size()];
      from = {event.revision, event.index + chance_.OneIn(2)};
    }
    bool refused = from.revision != 0 &&
                   (from.revision <= cx_feed_floor(feed_) || handed_ + 1 < from.revision ||
                    (handed_ + 1 == from.revision && from.index > 0));
    Reader *reader = SubscribeFrom(from, chance_.AFilter());
    EXPECT_EQ(refused, reader == nullptr) << from;
    if (reader != nullptr) reader->slow = chance_.OneIn(3);
  }

  void MoveFloor() {
    uint64_t floor = cx_feed_floor(feed_);
    if (handed_ <= floor || chance_.OneIn(2)) return;
    floor += chance_.random() % (handed_ - floor + 1);
    cx_feed_set_floor(feed_, floor);
  }

  void BindRandomly() {
    if (readers_.empty()) return;
    Reader *reader = Any();
    uint64_t bound = chance_.OneIn(3) ? 0 : Position(*reader).revision + chance_.random() % 30;
    if (!reader->waiting) cx_subscription_set_bound(reader->subscription, bound);
  }

  Chance chance_;
  const Trouble trouble_;
  size_t fail_in_ = 0;
  std::vector<std::pair<uint64_t, Records>> kept_;  // Durable, and not handed over yet.
};

void RunWorlds(Trouble trouble, unsigned first_seed) {
  size_t served = 0, ended = 0, told = 0;
  for (unsigned seed = first_seed; seed < first_seed + 40; seed++) {
    World world(seed, trouble);
    world.Run(600);
    served += world.served_;
    ended += world.ended_;
    told += world.told_;
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(served, 100u);
  EXPECT_GT(ended, 10u);
  EXPECT_GT(told, 10000u);
}

TEST(FeedRandomTest, TellsEverybodyExactlyWhatTheModelSays) { RunWorlds({}, 1); }

TEST(FeedRandomTest, TellsThatOrAnErrorWhereMemoryIsShort) {
  RunWorlds({true, false, false}, 1001);
}

TEST(FeedRandomTest, TellsThatOrAnErrorWhereTheDiskFails) { RunWorlds({false, true, false}, 2001); }

TEST(FeedRandomTest, TellsThatOrAnErrorWhereTheLogIsDamaged) {
  RunWorlds({true, true, true}, 3001);
}

}  // namespace
