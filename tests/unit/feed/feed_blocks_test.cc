// Which blocks are in memory: no more than the cache may take, the ones that are looked at, and
// none when nobody is there.

#include "tests/unit/feed/feed_fixture.h"

namespace {

class FeedBlocksTest : public FeedFixture {
 protected:
  void SetUp() override { Open(); }

  // A change that fills a block.
  static Change Full() {
    Item item = {CX_ITEM_TOUCH, "a"};
    for (size_t i = 0; i < CX_FEED_BLOCK_EVENTS; i++) item.steps.push_back({"s", true});
    return {{item}};
  }

  // A filter that selects nothing of that.
  static Filter Others() {
    Filter filter;
    filter.ids = {"b"};
    return filter;
  }
};

TEST_F(FeedBlocksTest, StayWithinTheCacheWithOneFarBehindAndOthersAtTheTail) {
  const int count = 120;
  Reader *live = Subscribe(Others());
  Settle();
  for (int i = 0; i < count; i++) {
    Append(Full());
    Settle();
    EXPECT_LE(CachedBytes(), uint64_t{CX_FEED_CACHE_BYTES_MAX});
  }
  EXPECT_GT(CachedBytes(), uint64_t{CX_FEED_CACHE_BYTES_MAX} / 2);
  Reader *behind = SubscribeFrom({1, 0});
  while (behind->caught_up == 0) {
    if (!behind->waiting) Next(behind, 1 << 20);
    if (behind->waiting) StepLoad();
    StepTimers();  // What was encoded since a block came counts from then on.
    ASSERT_LE(CachedBytes(), uint64_t{CX_FEED_CACHE_BYTES_MAX});
  }
  EXPECT_EQ(size_t{count} * CX_FEED_BLOCK_EVENTS, behind->got.size());
  AppendSome(1, {"b"});
  Settle();
  EXPECT_EQ(1u, live->got.size());
}

TEST_F(FeedBlocksTest, ThatABatchHoldsOutliveTheCacheAndTheSubscription) {
  Append({{{CX_ITEM_UPDATE, "a", {Put("k", "the value")}}}});
  Reader *reader = SubscribeFrom({1, 0});
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  StepLoad();
  cx_feed_batch batch;
  ASSERT_EQ(CX_FEED_EVENTS,
            cx_subscription_next(reader->subscription, 1, &reader->waiter, &batch, &error_));
  Close(reader);
  StepTimers();
  EXPECT_GT(CachedBytes(), 0u) << "it is held";
  Subscribe({});
  for (int i = 0; i < 80; i++) {
    Settle();
    Append(Full());
  }
  CloseAll();
  EXPECT_EQ("the value", Text(batch.pieces[0].event->ops[0].value));
  EXPECT_EQ("1.0 UPDATED a +1 last=the value", Text(batch.pieces[0].encoded));
  cx_feed_batch_done(&batch);
  cx_feed_batch_done(&batch);
  StepTimers();
  EXPECT_EQ(0u, CachedBytes());
}

TEST_F(FeedBlocksTest, WeighWhatIsEncodedOnce) {
  const cx_feed_position oldest = {0, 0};
  Append({{{CX_ITEM_UPDATE, "a", {Put("k", std::string(5000, 'x'))}}}});
  EXPECT_EQ(CX_FEED_WAIT, Next(Subscribe({}, &oldest)));
  EXPECT_TRUE(StepLoad());
  for (int i = 0; i < 4; i++) {  // With values, without, and both again.
    Reader *reader = Subscribe({}, &oldest, i % 2 == 1);
    uint64_t before = CachedBytes();
    ASSERT_EQ(CX_FEED_EVENTS, Next(reader));
    uint64_t size = reader->held.size;
    cx_feed_batch_done(&reader->held);
    EXPECT_EQ(before + (i < 2 ? size : 0), CachedBytes());
    EXPECT_EQ(i % 2 == 0, size > 5000);
  }
}

TEST_F(FeedBlocksTest, StayWhereTheyAreLookedAtNowAndThen) {
  Append(Full());
  Subscribe({});
  for (int i = 0; i < 120; i++) {
    Append(Full());
    Settle();
    if (i % 10 != 0) continue;
    uint64_t reads = sim_disk_counts(disk_).reads;
    Reader *again = SubscribeFrom({1, 0});
    EXPECT_EQ(i == 0, Next(again) == CX_FEED_WAIT);
    while (again->waiting) ASSERT_TRUE(StepLoad());
    EXPECT_EQ(i == 0, sim_disk_counts(disk_).reads > reads) << "read once, in round " << i;
    Close(again);
  }
}

TEST_F(FeedBlocksTest, AreDroppedWhenNobodyIsThere) {
  AppendSome(2 * CX_FEED_BLOCK_EVENTS);
  Reader *behind = SubscribeFrom({1, 0});
  Settle();
  AppendSome(3 * CX_FEED_BLOCK_EVENTS);
  Settle();
  EXPECT_GT(CachedBytes(), 0u);
  StepTimers();
  EXPECT_GT(CachedBytes(), 0u) << "somebody is there";
  Close(behind);
  StepTimers();
  EXPECT_EQ(0u, CachedBytes());
  EXPECT_EQ(0u, feed_->block_count);
  Reader *reader = SubscribeFrom({1, 0});
  AppendSome(1);
  Settle();
  EXPECT_EQ(5u * CX_FEED_BLOCK_EVENTS + 1, reader->got.size());
}

TEST_F(FeedBlocksTest, AreFoundByARevisionAndTheNextOneBehindIt) {
  AppendSome(3 * CX_FEED_BLOCK_EVENTS);
  Reader *last = SubscribeFrom({2 * CX_FEED_BLOCK_EVENTS + 1, 0}), *first = SubscribeFrom({10, 0});
  Settle();
  ExpectHasAll(*last);
  ExpectHasAll(*first);
  uint64_t end = 0;
  for (size_t i = 0; i < feed_->block_count; i++) {
    EXPECT_GE(feed_->blocks[i]->first, end) << "no two hold the same";
    end = feed_->blocks[i]->shown_next;
  }
  EXPECT_EQ(nullptr, cx_feed_hold_locked(feed_, 9));
  EXPECT_EQ(10u, cx_feed_next_block_locked(feed_, 9, 77));
  EXPECT_EQ(77u, cx_feed_next_block_locked(feed_, 4 * CX_FEED_BLOCK_EVENTS, 77));
  cx_block *block = cx_feed_hold_locked(feed_, 10);
  ASSERT_NE(nullptr, block);
  EXPECT_EQ(10u, block->first);
  cx_feed_let_go_locked(feed_, block);
}

}  // namespace
