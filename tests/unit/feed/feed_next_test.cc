// What cx_subscription_next() promises: batches, bounds, what else is selected, the end.

#include "tests/unit/feed/feed_fixture.h"

namespace {

class FeedNextTest : public FeedFixture {
 protected:
  void SetUp() override { Open(); }

  static Filter Of(const std::string &id) {
    Filter filter;
    filter.ids = {id};
    return filter;
  }
};

TEST_F(FeedNextTest, FillsABatchUpToItsSizeAndTellsAtLeastOneEvent) {
  Reader *reader = SubscribeFrom({1, 0});
  ReadAll(reader);
  AppendSome(20);
  StepTailToTheEnd();
  size_t size = std::string("1.0 UPDATED a +1 last=v").size();
  EXPECT_EQ(CX_FEED_EVENTS, Next(reader, 1));
  EXPECT_EQ(1u, reader->got.size());
  EXPECT_EQ(CX_FEED_EVENTS, Next(reader, 3 * size));
  EXPECT_EQ(4u, reader->got.size());
  EXPECT_EQ(CX_FEED_EVENTS, Next(reader, 3 * size + size - 1));
  EXPECT_EQ(7u, reader->got.size());
  EXPECT_EQ(CX_FEED_EVENTS, Next(reader, 1 << 20));
  EXPECT_EQ(20u, reader->got.size());
}

TEST_F(FeedNextTest, TellsNoMoreThanABatchHasRoomFor) {
  Reader *reader = Subscribe({});
  ReadAll(reader);
  AppendSome(CX_FEED_BATCH_MAX + 10);
  StepTailToTheEnd();
  EXPECT_EQ(CX_FEED_EVENTS, Next(reader, UINT64_MAX));
  EXPECT_EQ(size_t{CX_FEED_BATCH_MAX}, reader->got.size());
  EXPECT_EQ(CX_FEED_EVENTS, Next(reader, UINT64_MAX));
  EXPECT_EQ(size_t{CX_FEED_BATCH_MAX} + 10, reader->got.size());
}

TEST_F(FeedNextTest, TellsBothFormsOfAnEventEncodedOnceEach) {
  for (int i = 0; i < 5; i++) {
    Subscribe({});
    Subscribe({}, nullptr, true);
  }
  Settle();
  AppendSome(3);
  Settle();
  for (auto &reader : readers_) EXPECT_EQ(3u, reader->got.size());
  EXPECT_EQ(6u, encode_count_);
}

TEST_F(FeedNextTest, IsCaughtUpOnceWhenWhatWasThereIsTold) {
  AppendSome(3);
  Reader *reader = SubscribeFrom({1, 0});
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  StepLoad();
  EXPECT_EQ(CX_FEED_EVENTS, Next(reader));
  EXPECT_EQ(CX_FEED_CAUGHT_UP, Next(reader));
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  AppendSome(3);
  Settle();
  EXPECT_EQ(6u, reader->got.size());
  EXPECT_EQ(1, reader->caught_up);
}

TEST_F(FeedNextTest, IsCaughtUpAlsoWhileMoreAndMoreHappens) {
  AppendSome(3);
  Reader *reader = SubscribeFrom({1, 0});
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  for (int i = 0; i < 10 && reader->caught_up == 0; i++) {
    AppendSome(1);
    StepTail();
    StepLoad();
    if (!reader->waiting) Next(reader);
  }
  EXPECT_EQ(1, reader->caught_up);
}

// The tail is behind what is durable: what was answered by then is not news.
TEST_F(FeedNextTest, IsCaughtUpOnlyWithWhatWasDurableWhenItBegan) {
  for (const char *id : {"a", "b"}) {
    Reader *other = Subscribe({});
    AppendSome(2);
    Reader *reader = Subscribe(Of(id), &other->next);
    EXPECT_EQ(CX_FEED_WAIT, Next(reader)) << "nothing was published";
    EXPECT_TRUE(StepTail());
    EXPECT_FALSE(reader->waiting);
    ReadAll(reader);
    ExpectHasAll(*reader);
    EXPECT_EQ(1, reader->caught_up);
    CloseAll();
  }
}

TEST_F(FeedNextTest, LeavesToTheLoaderALongWayOnWhichThereIsNothing) {
  Reader *everything = Subscribe({});
  ReadAll(everything);
  for (int i = 0; i < 40; i++) {
    AppendSome(CX_FEED_BLOCK_EVENTS);
    Settle();
  }
  AppendSome(1, {"b"});
  Settle();
  Reader *reader = SubscribeFrom({1, 0}, Of("b"));
  EXPECT_EQ(CX_FEED_WAIT, Next(reader)) << "it has looked through some, and waits for the others";
  EXPECT_GT(cx_subscription_position(reader->subscription).revision, 10u * CX_FEED_BLOCK_EVENTS);
  uint64_t reads = sim_disk_counts(disk_).reads;
  Settle();
  EXPECT_EQ(reads, sim_disk_counts(disk_).reads) << "they are in memory";
  EXPECT_EQ(1u, reader->got.size());
}

// ---- Bounds. ------------------------------------------------------------------------

TEST_F(FeedNextTest, StopsAtItsBoundAndIsNotCaughtUpThere) {
  AppendSome(10);
  Reader *reader = SubscribeFrom({1, 0});
  for (uint64_t bound : {uint64_t{4}, uint64_t{4}, uint64_t{9}, uint64_t{10}}) {
    cx_subscription_set_bound(reader->subscription, bound);
    while (!cx_subscription_is_bound(reader->subscription)) {
      if (!reader->waiting) Next(reader);
      StepLoad();
    }
    EXPECT_EQ(CX_FEED_BOUND, Next(reader));
    EXPECT_EQ(bound, reader->got.size());
    EXPECT_EQ((cx_feed_position{bound + 1, 0}), reader->next);
  }
  EXPECT_EQ(0, reader->caught_up);
  cx_subscription_set_bound(reader->subscription, 0);
  EXPECT_EQ(CX_FEED_CAUGHT_UP, Next(reader));
}

TEST_F(FeedNextTest, WaitsForItsBoundToBecomeDurable) {
  Reader *wants = Subscribe({}), *does_not = Subscribe(Of("b"));
  for (Reader *reader : {wants, does_not}) {
    cx_subscription_set_bound(reader->subscription, 3);
    EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  }
  AppendSome(2);
  StepTailToTheEnd();
  EXPECT_TRUE(does_not->waiting);
  EXPECT_EQ(CX_FEED_EVENTS, Next(wants));
  EXPECT_EQ(CX_FEED_WAIT, Next(wants));
  AppendSome(3);
  StepTailToTheEnd();
  EXPECT_FALSE(does_not->waiting) << "also where nothing of it was wanted";
  EXPECT_EQ(CX_FEED_BOUND, Next(does_not));
  EXPECT_EQ((cx_feed_position{4, 0}), does_not->next);
  EXPECT_EQ(CX_FEED_EVENTS, Next(wants));
  EXPECT_EQ(CX_FEED_BOUND, Next(wants));
  EXPECT_EQ(3u, wants->got.size());
}

TEST_F(FeedNextTest, IsFoundToBeBoundByTheLoaderWhereNothingIsWanted) {
  AppendSome(3 * CX_FEED_BLOCK_EVENTS);
  Reader *reader = SubscribeFrom({1, 0}, Of("b"));
  cx_subscription_set_bound(reader->subscription, 10);
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  EXPECT_TRUE(StepLoad());
  ASSERT_FALSE(reader->waiting);
  EXPECT_EQ(CX_FEED_BOUND, Next(reader));
  EXPECT_EQ((cx_feed_position{11, 0}), reader->next);
}

TEST_F(FeedNextTest, IsBoundAtOnceWhereEverythingWasTold) {
  AppendSome(5);
  Reader *reader = Subscribe({});
  cx_subscription_set_bound(reader->subscription, 5);
  EXPECT_EQ(CX_FEED_BOUND, Next(reader));
  EXPECT_EQ((cx_feed_position{6, 0}), reader->next);
}

TEST_F(FeedNextTest, TellsJustWhatElseSelectsToo) {
  Reader *live = Subscribe({}), *behind = SubscribeFrom({1, 0});
  for (Reader *reader : {live, behind}) {
    reader->also_model = [](const ModelEvent &event) {
      return event.item == nullptr || event.item->id != "a";
    };
    cx_subscription_set_also(
        reader->subscription,
        [](void *, const cx_event *event) {
          return event->item == nullptr || Text(event->item->id) != "a";
        },
        nullptr);
  }
  Settle();
  AppendSome(10, {"a", "b"});
  Settle();
  Append({{{CX_ITEM_UPDATE, "a"}}});
  StepTailToTheEnd();
  EXPECT_TRUE(live->waiting) << "it is not even woken";
  EXPECT_EQ(5u, live->got.size());
  EXPECT_EQ(5u, behind->got.size());
  for (Reader *reader : {live, behind}) {
    Close(reader);
  }
}

// ---- Memory. ------------------------------------------------------------------------

TEST_F(FeedNextTest, EndsWithAnErrorWhereAnEventCannotBeEncoded) {
  Reader *reader = Subscribe({});
  ReadAll(reader);
  AppendSome(3);
  StepTailToTheEnd();
  struct fail_nth fail;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_FEED_ENDED, Next(reader));
  fail_nth_end(&fail);
  EXPECT_EQ(CX_REASON_LIMIT_REACHED, reader->ended);
  EXPECT_EQ("memory", Text(cx_error_detail_get(&error_, "limit")));
}

TEST_F(FeedNextTest, TellsWhatWasEncodedBeforeTheMemoryWasShort) {
  Reader *reader = Subscribe({});
  ReadAll(reader);
  AppendSome(2);
  Append({{{CX_ITEM_UPDATE, "a", {Put("k", std::string(9000, 'x'))}}}});
  Reader *other = SubscribeFrom({1, 0});
  StepTailToTheEnd();
  EXPECT_EQ(CX_FEED_EVENTS, Next(other, 1)) << "the first two are encoded";
  struct fail_nth fail;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_FEED_EVENTS, Next(reader, UINT64_MAX));
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(2u, reader->got.size());
  Settle();
  EXPECT_EQ(3u, reader->got.size());
}

}  // namespace
