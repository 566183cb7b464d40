// Those who are behind: blocks are read from the log for all who wait there, and what cannot be
// read is an error and no gap.

#include "tests/unit/feed/feed_fixture.h"

namespace {

class FeedLoadTest : public FeedFixture {
 protected:
  void SetUp() override { Open(); }

  static Filter Of(const std::string &id) {
    Filter filter;
    filter.ids = {id};
    return filter;
  }
  uint64_t BytesRead() { return sim_disk_counts(disk_).bytes_read; }
};

TEST_F(FeedLoadTest, HasNothingToDoWhileNobodyWaits) {
  AppendSome(10);
  EXPECT_FALSE(StepLoad());
  SubscribeFrom({1, 0});
  EXPECT_FALSE(StepLoad()) << "it has not asked";
}

TEST_F(FeedLoadTest, ReadsOnceForAllWhoWaitInTheSamePlace) {
  AppendSome(3 * CX_FEED_BLOCK_EVENTS, {"a", "b", "c"});
  Settle();
  uint64_t before = BytesRead();
  ReadAll(SubscribeFrom({1, 0}));
  Settle();
  uint64_t once = BytesRead() - before;
  CloseAll();
  StepTimers();
  EXPECT_EQ(0u, CachedBytes());
  before = BytesRead();
  for (int i = 0; i < 30; i++) SubscribeFrom({1, 0}, i % 2 == 0 ? Filter() : Of("b"));
  Settle();
  EXPECT_LE(BytesRead() - before, once);
  for (auto &reader : readers_) ExpectHasAll(*reader);
}

TEST_F(FeedLoadTest, WakesWhoWaitsOnlyWhereThereIsSomethingForIt) {
  AppendSome(5 * CX_FEED_BLOCK_EVENTS);
  AppendSome(1, {"b"});
  Reader *reader = SubscribeFrom({1, 0}, Of("b"));
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  while (StepLoad()) {
  }
  EXPECT_EQ(1, reader->woken);
  EXPECT_EQ(CX_FEED_EVENTS, Next(reader));
}

TEST_F(FeedLoadTest, GoesOnWhereItWasBeforeItGoesBack) {
  AppendSome(6 * CX_FEED_BLOCK_EVENTS);
  Reader *ahead = SubscribeFrom({3 * CX_FEED_BLOCK_EVENTS, 0}, Of("missing"));
  EXPECT_EQ(CX_FEED_WAIT, Next(ahead));
  StepLoad();
  Reader *late = SubscribeFrom({1, 0});
  EXPECT_EQ(CX_FEED_WAIT, Next(late));
  StepLoad();
  EXPECT_TRUE(late->waiting);
  while (late->waiting) ASSERT_TRUE(StepLoad());
  EXPECT_FALSE(ahead->waiting) << "the sweep went to its end first";
  Settle();
  ExpectHasAll(*late);
}

TEST_F(FeedLoadTest, LoadsAheadForWhoReads) {
  AppendSome(4 * CX_FEED_BLOCK_EVENTS);
  Reader *reader = SubscribeFrom({1, 0});
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  EXPECT_TRUE(StepLoad());
  EXPECT_EQ(CX_FEED_EVENTS, Next(reader));
  EXPECT_TRUE(StepLoad()) << "nobody waits, but somebody will";
  size_t blocks = feed_->block_count;
  EXPECT_FALSE(StepLoad());
  while (reader->got.size() <= CX_FEED_BLOCK_EVENTS) ASSERT_EQ(CX_FEED_EVENTS, Next(reader));
  EXPECT_EQ(2u, blocks);
  EXPECT_TRUE(StepLoad());
  Settle();
  ExpectHasAll(*reader);
}

TEST_F(FeedLoadTest, TellsEverythingFromTheMiddleOfALargeChange) {
  Item item = {CX_ITEM_UPDATE, "a"};
  for (int i = 0; i < 3 * static_cast<int>(CX_FEED_BLOCK_EVENTS); i++) {
    item.steps.push_back({"s", i % 2 == 0});
  }
  Append({{item}});
  AppendSome(1);
  Reader *reader = SubscribeFrom({1, 2000});
  Settle();
  EXPECT_EQ(3u * CX_FEED_BLOCK_EVENTS + 1 - 2000 + 1, reader->got.size());
}

// ---- Failing. ----------------------------------------------------------------------

TEST_F(FeedLoadTest, EndsWithAnErrorOrTellsEverythingWhateverMemoryThereIs) {
  AppendSome(50, {"a", "b"});
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    Reader *reader = SubscribeFrom({1, 0}), *other = SubscribeFrom({3, 0}, Of("b"));
    EXPECT_EQ(CX_FEED_WAIT, Next(reader));
    EXPECT_EQ(CX_FEED_WAIT, Next(other));
    fail_nth_begin(&fail, nth);
    StepLoad();
    bool failed = fail_nth_end(&fail);
    Settle();
    for (Reader *each : {reader, other}) {
      if (each->ended != CX_REASON_NONE) {
        EXPECT_TRUE(failed);
        EXPECT_EQ(CX_REASON_LIMIT_REACHED, each->ended);
        continue;
      }
      ExpectHasAll(*each);
    }
    CloseAll();
    StepTimers();
    if (!failed) break;
    ASSERT_FALSE(HasFailure()) << "allocation " << nth;
  }
}

TEST_F(FeedLoadTest, EndsWithAnErrorOrTellsEverythingWhicheverReadFails) {
  AppendSome(2 * CX_FEED_BLOCK_EVENTS, {"a", "b"});
  for (uint64_t nth = 1;; nth++) {
    Reader *reader = SubscribeFrom({1, 0}), *other = SubscribeFrom({300, 0}, Of("b"));
    sim_counts before = sim_disk_counts(disk_);
    sim_disk_fail(disk_, nth, CX_UNAVAILABLE);
    Settle();
    bool failed = sim_disk_counts(disk_).operations - before.operations >= nth;
    sim_disk_fail(disk_, 0, CX_OK);
    for (Reader *each : {reader, other}) {
      if (each->ended == CX_REASON_NONE) {
        ExpectHasAll(*each);
      } else {
        EXPECT_TRUE(failed);
        EXPECT_EQ(CX_REASON_NOT_READY, each->ended);
      }
    }
    CloseAll();
    StepTimers();
    if (!failed) break;
    ASSERT_FALSE(HasFailure()) << "operation " << nth;
  }
}

TEST_F(FeedLoadTest, EndsWhoReachesADamagedRecordAndNobodyBehindIt) {
  AppendSome(2000);  // Over several segments.
  sim_disk_flip(disk_, LogName(1).c_str(), 8000, 0x10);
  Reader *behind = SubscribeFrom({1, 0}), *past = SubscribeFrom({1990, 0});
  Settle();
  EXPECT_EQ(CX_REASON_DAMAGED, behind->ended);
  EXPECT_EQ(CX_REASON_NONE, past->ended);
  EXPECT_EQ(11u, past->got.size());
  AppendSome(1);
  Settle();
  EXPECT_EQ(12u, past->got.size());
}

TEST_F(FeedLoadTest, EndsWhoFallsBelowTheFloorWhileItWaits) {
  AppendSome(100);
  Reader *reader = SubscribeFrom({1, 0});
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  cx_feed_set_floor(feed_, 50);
  uint64_t before = BytesRead();
  EXPECT_TRUE(StepLoad());
  EXPECT_EQ(before, BytesRead());
  EXPECT_EQ(CX_FEED_ENDED, Next(reader));
  EXPECT_EQ(CX_REASON_CURSOR_COMPACTED, reader->ended);
}

}  // namespace
