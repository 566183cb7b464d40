// What feed.h promises of the life of a subscription: where it begins, what is refused, how it
// ends, and when it hears of progress.

#include "tests/unit/feed/feed_fixture.h"

#include <functional>

namespace {

class FeedTest : public FeedFixture {
 protected:
  void SetUp() override { Open(); }

  cx_feed_position Position(const Reader *reader) {
    return cx_subscription_position(reader->subscription);
  }

  // Selects nothing, and makes time go by where it is asked.
  static bool StepsTimers(void *arg, const cx_event *) {
    static_cast<FeedTest *>(arg)->StepTimers();
    return false;
  }
};

// ---- Beginning. -------------------------------------------------------------------

TEST_F(FeedTest, BeginsWithWhatHappensFromNowOn) {
  AppendSome(3);
  Reader *reader = Subscribe({});
  EXPECT_EQ((cx_feed_position{4, 0}), Position(reader));
  EXPECT_EQ(CX_FEED_CAUGHT_UP, Next(reader)) << "the first thing, with the cursor of this moment";
  EXPECT_EQ((cx_feed_position{4, 0}), reader->next);
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  AppendSome(1);
  Settle();
  EXPECT_EQ(Strings({"4.0 UPDATED a +1 last"}), reader->got);
}

TEST_F(FeedTest, BeginsAtAnyPositionThatIsRetained) {
  Item item = {CX_ITEM_UPDATE, "a"};
  item.steps = {{"s", true}, {"t", true}};
  Append({{item}});
  Append({{item}});
  for (cx_feed_position from : {cx_feed_position{0, 0},
                                {1, 0},
                                {1, 1},
                                {1, 2},
                                {1, 3},
                                {2, 0},
                                {2, 1},
                                {2, 2},
                                {2, 3},
                                {3, 0}}) {
    Reader *reader = SubscribeFrom(from);
    ASSERT_NE(nullptr, reader) << from;
    Settle();
    EXPECT_EQ(Expected(*reader, from), reader->got) << from;
    EXPECT_EQ(1, reader->caught_up);
    EXPECT_EQ((cx_feed_position{3, 0}), reader->next);
  }
}

TEST_F(FeedTest, RefusesAPositionOfTheFuture) {
  AppendSome(3);
  EXPECT_NE(nullptr, SubscribeFrom({4, 0}));
  for (cx_feed_position from : {cx_feed_position{4, 1}, {5, 0}, {UINT64_MAX, 0}}) {
    EXPECT_EQ(nullptr, SubscribeFrom(from)) << from;
    EXPECT_EQ("INVALID_FIELD", reason());
    EXPECT_EQ("cursor", Text(cx_error_detail_get(&error_, "field")));
  }
}

TEST_F(FeedTest, TakesWhatIsDurableThoughItWasNotHandedOverYet) {
  AppendSome(2);
  AppendSome(2, {"a"}, kKeepBack);
  EXPECT_EQ(nullptr, SubscribeFrom({5, 0}));
  cx_feed_set_durable(feed_, 4);
  cx_feed_set_durable(feed_, 3);
  EXPECT_NE(nullptr, SubscribeFrom({5, 0})) << "it never goes back";
}

TEST_F(FeedTest, RefusesWhatIsBelowTheFloor) {
  AppendSome(5);
  cx_feed_set_floor(feed_, 3);
  EXPECT_EQ(3u, cx_feed_floor(feed_));
  for (cx_feed_position from : {cx_feed_position{1, 0}, {3, 0}, {3, 7}}) {
    EXPECT_EQ(nullptr, SubscribeFrom(from)) << from;
    EXPECT_EQ("CURSOR_COMPACTED", reason());
  }
  EXPECT_NE(nullptr, SubscribeFrom({4, 0}));
  EXPECT_EQ((cx_feed_position{4, 0}), Position(SubscribeFrom({0, 0}))) << "the oldest";
  cx_feed_set_floor(feed_, 5);
  EXPECT_NE(nullptr, SubscribeFrom({6, 0})) << "where it goes on from is no matter of the floor";
  EXPECT_NE(nullptr, SubscribeFrom({0, 0}));
  EXPECT_EQ(nullptr, SubscribeFrom({5, 0}));
}

TEST_F(FeedTest, RefusesOneMoreThanTheLimit) {
  Close(Subscribe({}));
  cx_feed_free(feed_);
  Open(0, 2);
  ASSERT_NE(nullptr, Subscribe({}));
  ASSERT_NE(nullptr, Subscribe({}));
  EXPECT_EQ(nullptr, Subscribe({}));
  EXPECT_EQ("LIMIT_REACHED", reason());
  EXPECT_EQ("subscriptions_max", Text(cx_error_detail_get(&error_, "limit")));
  EXPECT_EQ(2u, SubscriptionCount());
  Close(readers_[0].get());
  EXPECT_NE(nullptr, Subscribe({}));
}

TEST_F(FeedTest, RefusesWithoutMemoryAndLeavesNoTrace) {
  Filter filter;
  for (int i = 0; i < 200; i++) filter.ids.insert("id-" + std::to_string(i));
  RawFilter raw(filter);
  cx_feed_request request = {};
  request.filter = raw.raw();
  request.progress_interval_us = CX_SECOND_US;
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_subscription *subscription;
    fail_nth_begin(&fail, nth);
    cx_status status = cx_feed_subscribe(feed_, &request, &subscription, &error_);
    if (!fail_nth_end(&fail)) {
      ASSERT_EQ(CX_OK, status);
      EXPECT_TRUE(cx_subscription_filter(subscription)->context_id_count == 200);
      cx_subscription_close(subscription, nullptr);
      break;
    }
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status);
    EXPECT_EQ("memory", Text(cx_error_detail_get(&error_, "limit")));
    EXPECT_EQ(0u, SubscriptionCount());
    EXPECT_FALSE(feed_->interested);
  }
}

TEST_F(FeedTest, HasNotCaughtUpBeforeWhatIsKnownToBeDurable) {
  Filter other;
  other.ids = {"other"};
  Reader *early = Subscribe({});
  Settle();
  AppendSome(3, {"a"}, kKeepBack);
  cx_feed_set_durable(feed_, 3);
  cx_feed_set_durable(feed_, 2);  // Nothing goes back.
  handed_ = 3;
  Reader *reader = SubscribeFrom({1, 0}), *idle = SubscribeFrom({1, 0}, other);
  Reader *live = Subscribe({});
  EXPECT_EQ((cx_feed_position{4, 0}), Position(live));
  for (Reader *each : {reader, idle}) EXPECT_EQ(CX_FEED_WAIT, Next(each));
  AppendSome(1);  // What was kept back is read from the log.
  Settle();
  for (Reader *each : {early, reader, idle, live}) {
    EXPECT_EQ(1, each->caught_up);
    ExpectHasAll(*each);
  }
  EXPECT_EQ(4u, reader->got.size());
}

// ---- Ending. ----------------------------------------------------------------------

TEST_F(FeedTest, EndsAllForTheSameReasonNowAndFromNowOn) {
  AppendSome(3);
  Reader *parked = Subscribe({}), *waiting = SubscribeFrom({1, 0}), *active = Subscribe({});
  ReadAll(parked);
  EXPECT_EQ(CX_FEED_WAIT, Next(waiting));
  End(CX_REASON_STOPPING);
  End(CX_REASON_STORAGE_FAILED);
  for (Reader *reader : {parked, waiting, active}) {
    EXPECT_FALSE(reader->waiting);
    EXPECT_EQ(CX_FEED_ENDED, Next(reader));
    EXPECT_EQ(CX_REASON_STOPPING, reader->ended) << "the first reason stays";
  }
  EXPECT_EQ(nullptr, Subscribe({}));
  EXPECT_EQ("STOPPING", reason());
  AppendSome(1);
  EXPECT_FALSE(StepTail());
  EXPECT_FALSE(StepLoad());
}

TEST_F(FeedTest, TakesBackTheWaiterOfWhoIsClosedWhereverItWaits) {
  AppendSome(3);
  Reader *parked = Subscribe({}), *waiting = SubscribeFrom({1, 0}), *active = Subscribe({});
  ReadAll(parked);
  EXPECT_EQ(CX_FEED_WAIT, Next(waiting));
  for (Reader *reader : {parked, waiting, active}) Close(reader);
  EXPECT_EQ(0u, SubscriptionCount());
  AppendSome(1);
  EXPECT_FALSE(StepTail()) << "nobody is there";
  EXPECT_FALSE(StepLoad());
}

// The one place without a lock: the loader looks for what a subscription wants.
TEST_F(FeedTest, LetsTheLoaderFinishWithWhoIsClosedMeanwhile) {
  struct Owned {
    cx_subscription *subscription;
    int looks;
  };
  AppendSome(3 * CX_FEED_BLOCK_EVENTS);
  Reader *reader = SubscribeFrom({1, 0});
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  auto *owned = static_cast<Owned *>(cx_calloc(sizeof(Owned)));
  owned->subscription = reader->subscription;
  cx_subscription_set_also(
      reader->subscription,
      [](void *arg, const cx_event *) {
        auto *owned = static_cast<Owned *>(arg);
        if (owned->looks++ == 0) {
          EXPECT_FALSE(cx_subscription_close(owned->subscription, owned));
        }
        return false;  // It is still there for the next one, and wants none.
      },
      owned);
  EXPECT_TRUE(StepLoad());
  EXPECT_EQ(1, reader->woken) << "its waiter is completed all the same";
  EXPECT_EQ(0u, SubscriptionCount());
  readers_.clear();
}

TEST_F(FeedTest, EndsWhoFallsBelowTheFloorAndNobodyElse) {
  AppendSome(20);
  Reader *slow = SubscribeFrom({1, 0}), *waiting = SubscribeFrom({2, 0});
  Reader *near = SubscribeFrom({16, 0}), *parked = Subscribe({});
  ReadAll(parked);
  EXPECT_EQ(CX_FEED_WAIT, Next(waiting));
  cx_feed_set_floor(feed_, 15);
  EXPECT_EQ(CX_FEED_ENDED, Next(slow));
  EXPECT_EQ(CX_REASON_CURSOR_COMPACTED, slow->ended);
  EXPECT_EQ(CX_FEED_ENDED, Next(slow)) << "for good";
  Settle();
  EXPECT_EQ(CX_REASON_CURSOR_COMPACTED, waiting->ended);
  EXPECT_EQ(5u, near->got.size());
  ExpectHasAll(*parked);
}

TEST_F(FeedTest, LetsWhoIsAtTheEndBeHoweverMuchIsDroppedMeanwhile) {
  Filter nothing;
  nothing.ids = {"nothing"};
  Reader *parked = Subscribe(nothing);
  Settle();
  AppendSome(1000);
  StepTailToTheEnd();
  cx_feed_set_floor(feed_, 1000);
  clock_.now_us += CX_PROGRESS_INTERVAL_US_DEFAULT;
  StepTimers();
  Settle();
  EXPECT_EQ(CX_REASON_NONE, parked->ended);
  EXPECT_EQ((cx_feed_position{1001, 0}), parked->next);
}

// ---- Progress. ---------------------------------------------------------------------

TEST_F(FeedTest, TellsProgressWhenItWasQuietForTheInterval) {
  Filter other;
  other.ids = {"other"};
  Reader *reader = Subscribe(other);
  Settle();
  for (uint64_t round = 1; round <= 3; round++) {
    AppendSome(10);
    StepTailToTheEnd();
    clock_.now_us += CX_PROGRESS_INTERVAL_US_DEFAULT - 1;
    StepTimers();
    EXPECT_TRUE(reader->waiting);
    clock_.now_us += 1;
    StepTimers();
    ASSERT_FALSE(reader->waiting);
    EXPECT_EQ(CX_FEED_PROGRESS, Next(reader));
    EXPECT_EQ((cx_feed_position{10 * round + 1, 0}), reader->next) << "it moved on";
    EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  }
}

TEST_F(FeedTest, TellsNoProgressToWhoIsTold) {
  Reader *reader = Subscribe({});
  Settle();
  for (int round = 0; round < 10; round++) {
    clock_.now_us += CX_PROGRESS_INTERVAL_US_DEFAULT / 2 + 1;
    StepTimers();
    AppendSome(1);
    Settle();
  }
  EXPECT_EQ(10u, reader->got.size());
  EXPECT_EQ(0, reader->progress);
}

TEST_F(FeedTest, TellsNoProgressToWhoDoesNotAsk) {
  Reader *reader = Subscribe({});
  for (int round = 0; round < 3; round++) {
    clock_.now_us += CX_PROGRESS_INTERVAL_US_DEFAULT;
    StepTimers();
  }
  Settle();
  EXPECT_EQ(1, reader->caught_up);
  EXPECT_EQ(0, reader->progress);
}

TEST_F(FeedTest, TellsNoProgressRightBehindSomethingElse) {
  AppendSome(3);
  Reader *reader = SubscribeFrom({1, 0});
  std::function<void()> with_the_loader = [this] {
    clock_.now_us += CX_PROGRESS_INTERVAL_US_DEFAULT;
    StepTimers();
  };
  cx_subscription_set_bound(reader->subscription, 3);
  reader->also_model = [](const ModelEvent &) { return false; };
  cx_subscription_set_also(
      reader->subscription,
      [](void *arg, const cx_event *) {
        (*static_cast<std::function<void()> *>(arg))();
        return false;
      },
      &with_the_loader);
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  EXPECT_TRUE(StepLoad());
  EXPECT_EQ(CX_FEED_BOUND, Next(reader));
  cx_subscription_set_also(reader->subscription, nullptr, nullptr);
  cx_subscription_set_bound(reader->subscription, 0);
  EXPECT_EQ(CX_FEED_CAUGHT_UP, Next(reader));
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
}

TEST_F(FeedTest, TellsProgressAlsoWhileItReadsThroughWhatDoesNotMatch) {
  Filter other;
  other.ids = {"other"};
  AppendSome(5000);
  Reader *reader = Subscribe(other, std::make_unique<cx_feed_position>().get());
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  EXPECT_TRUE(StepLoad());
  EXPECT_TRUE(reader->waiting) << "nothing for it in the first block";
  clock_.now_us += CX_PROGRESS_INTERVAL_US_DEFAULT;
  StepTimers();
  ASSERT_FALSE(reader->waiting);
  EXPECT_EQ(CX_FEED_PROGRESS, Next(reader));
  EXPECT_GT(reader->next.revision, 1u);
  EXPECT_LT(reader->next.revision, 5001u);
}

TEST_F(FeedTest, TellsProgressThatIsDueWhileTheLoaderLooks) {
  AppendSome(3 * CX_FEED_BLOCK_EVENTS);
  Reader *reader = SubscribeFrom({1, 0});
  reader->also_model = [](const ModelEvent &) { return false; };
  EXPECT_EQ(CX_FEED_WAIT, Next(reader));
  clock_.now_us += CX_PROGRESS_INTERVAL_US_DEFAULT;
  cx_subscription_set_also(reader->subscription, StepsTimers, this);
  EXPECT_TRUE(StepLoad());
  ASSERT_FALSE(reader->waiting) << "after one block of three";
  EXPECT_EQ(CX_FEED_PROGRESS, Next(reader));
  EXPECT_GT(reader->next.revision, 1u);
}

// ---- Many ids. ---------------------------------------------------------------------

TEST_F(FeedTest, ServesWhoNamesAThousandContexts) {
  Filter filter;
  Strings ids;
  for (int i = 0; i < 2000; i++) {
    ids.push_back("id-" + std::to_string(i));
    if (i % 2 == 0) filter.ids.insert(ids.back());
  }
  AppendSome(2000, ids);
  Reader *behind = SubscribeFrom({1, 0}, filter), *live = Subscribe(filter);
  Settle();
  AppendSome(2000, ids);
  Settle();
  EXPECT_EQ(2000u, behind->got.size());
  EXPECT_EQ(1000u, live->got.size());
  Close(behind);
  Close(live);
  EXPECT_EQ(0u, feed_->selectors.counts[CX_SELECTOR_ID]);
}

}  // namespace
