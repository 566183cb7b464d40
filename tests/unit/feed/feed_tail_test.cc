// What becomes durable: it is published, whoever it concerns is woken and nobody else, and what
// was not handed over is read from the log.

#include "tests/unit/feed/feed_fixture.h"

#include <functional>

namespace {

class FeedTailTest : public FeedFixture {
 protected:
  void SetUp() override { Open(); }

  static Filter Of(const std::string &id) {
    Filter filter;
    filter.ids = {id};
    return filter;
  }
  uint64_t Reads() { return sim_disk_counts(disk_).reads; }
};

TEST_F(FeedTailTest, WakesThoseWhomItConcernsAndNobodyElse) {
  Reader *a = Subscribe(Of("a")), *b = Subscribe(Of("b")), *all = Subscribe({});
  Settle();
  AppendSome(1, {"a"});
  StepTailToTheEnd();
  EXPECT_FALSE(a->waiting);
  EXPECT_TRUE(b->waiting);
  EXPECT_FALSE(all->waiting);
  EXPECT_EQ(CX_FEED_EVENTS, Next(a));
  EXPECT_EQ(CX_FEED_EVENTS, Next(all));
  AppendSome(1, {"b"});
  StepTailToTheEnd();
  EXPECT_EQ(CX_FEED_EVENTS, Next(a) == CX_FEED_WAIT ? Next(b) : CX_FEED_ENDED);
}

TEST_F(FeedTailTest, TakesTheHandOverWithoutAReadOrACopy) {
  Subscribe({});
  Settle();
  uint64_t reads = Reads();
  Batch batch(1, {RawChange({{{CX_ITEM_CREATE, "a"}}}).Encode()});
  cx_buffer frames = {};
  ASSERT_EQ(CX_OK, cx_buffer_append(&frames, {batch.get()->data, batch.get()->size}));
  ASSERT_EQ(CX_OK, wal_->Append({RawChange({{{CX_ITEM_CREATE, "a"}}}).Encode()}));
  cx_feed_hand_over(feed_, &frames, 1, 1);
  EXPECT_EQ(nullptr, frames.data) << "the memory is the feed's";
  EXPECT_EQ(0u, frames.capacity);
  changes_.push_back({{{CX_ITEM_CREATE, "a"}}});
  events_ = Events::Of(changes_.back(), 1);
  handed_ = 1;
  Settle();
  EXPECT_EQ(1u, readers_[0]->got.size());
  EXPECT_EQ(reads, Reads());
}

TEST_F(FeedTailTest, LeavesTheBufferToTheWriterWhereNobodySubscribes) {
  cx_buffer frames = {};
  ASSERT_EQ(CX_OK, cx_buffer_append(&frames, cx_bytes_of("frames")));
  uint8_t *data = frames.data;
  cx_feed_hand_over(feed_, &frames, 1, 1);
  EXPECT_EQ(data, frames.data);
  EXPECT_EQ(6u, frames.size);
  cx_buffer_done(&frames);
}

TEST_F(FeedTailTest, ReadsWhatWasLeftOutFromTheLog) {
  Reader *reader = Subscribe({});
  Settle();
  for (How how : {kLeaveOut, kHandOver, kLeaveOut, kLeaveOut, kHandOver, kHandOver, kLeaveOut}) {
    AppendSome(7, {"a"}, how);
  }
  uint64_t reads = Reads();
  Settle();
  EXPECT_LT(reads, Reads());
  EXPECT_EQ(49u, reader->got.size());
  ExpectHasAll(*reader);
}

class FeedTailLargeTest : public FeedFixture {
 protected:
  FeedTailLargeTest() : FeedFixture(8 * CX_MIB) {}
  void SetUp() override { Open(); }
};

TEST_F(FeedTailLargeTest, KeepsNoMoreThanItsShareOfWhatIsHandedOver) {
  const Change large = {{{CX_ITEM_UPDATE, "a", {Put("k", std::string(CX_MIB, 'x'))}}}};
  Reader *reader = Subscribe({});
  Settle();
  for (int i = 0; i < 20; i++) Append(large);
  EXPECT_LE(feed_->handed_bytes, uint64_t{CX_FEED_HANDED_BYTES_MAX});
  EXPECT_GT(feed_->handed_bytes, uint64_t{CX_FEED_HANDED_BYTES_MAX} / 2);
  Settle();
  EXPECT_EQ(20u, reader->got.size());
  EXPECT_EQ(0u, feed_->handed_bytes);
}

TEST_F(FeedTailTest, GoesOnWithANewBlockWhenOneIsFull) {
  Reader *reader = Subscribe({});
  Settle();
  uint64_t reads = Reads();
  for (int i = 0; i < 30; i++) AppendSome(CX_FEED_BLOCK_EVENTS / 10);
  Settle();
  EXPECT_EQ(30u * (CX_FEED_BLOCK_EVENTS / 10), reader->got.size());
  EXPECT_EQ(3u, feed_->block_count);
  EXPECT_NE(nullptr, feed_->blocks[0]->places);
  EXPECT_EQ(nullptr, feed_->blocks[2]->places) << "it still grows";
  EXPECT_EQ(reads, Reads());
}

TEST_F(FeedTailTest, DropsWhatNobodyWants) {
  Reader *reader = Subscribe({});
  AppendSome(5);
  Close(reader);
  EXPECT_GT(feed_->handed_bytes, 0u);
  EXPECT_FALSE(StepTail());
  EXPECT_EQ(0u, feed_->handed_bytes);
  EXPECT_EQ(nullptr, feed_->current);
}

TEST_F(FeedTailTest, BeginsAnewWithWhoComesAfterTheLastHasLeft) {
  Close(Subscribe({}));
  AppendSome(5);
  Reader *reader = Subscribe({});
  Settle();
  AppendSome(5);
  Settle();
  Close(reader);
  AppendSome(5);
  uint64_t reads = Reads();
  Reader *late = Subscribe({});
  Settle();
  EXPECT_EQ(reads, Reads()) << "what nobody wanted is not read";
  Reader *oldest = SubscribeFrom({0, 0});
  Settle();
  AppendSome(5);
  Settle();
  EXPECT_EQ(5u, late->got.size());
  EXPECT_EQ(20u, oldest->got.size());
}

// ---- Without memory, and with a disk that fails. --------------------------------------

TEST_F(FeedTailTest, EndsItsStepAndTellsAllOrAnErrorWhateverMemoryThereIs) {
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_feed_free(feed_);
    Open();  // A new one, which has no memory of its own yet.
    Reader *reader = Subscribe({}), *other = Subscribe(Of("b"));
    Settle();
    AppendSome(20, {"a", "b"});
    fail_nth_begin(&fail, nth);
    int steps = 0;
    while (StepTail() && steps < 1000) steps++;
    bool failed = fail_nth_end(&fail);
    EXPECT_LT(steps, 1000) << "it goes round and round for want of memory";
    AppendSome(20, {"a", "b"});
    Settle();
    for (Reader *each : {reader, other}) {
      ASSERT_EQ(CX_REASON_NONE, each->ended);
      ExpectHasAll(*each);
    }
    CloseAll();
    StepTimers();
    if (!failed) break;
    ASSERT_FALSE(HasFailure()) << "allocation " << nth;
  }
}

// Runs something in the middle of a step, when it asks for memory, and may refuse that.
struct InTheMiddle {
  InTheMiddle(const std::function<void()> &what, bool gives) : run(what), gives_memory(gives) {
    cx_memory_set_hook(
        [](void *arg, size_t) {
          auto *self = static_cast<InTheMiddle *>(arg);
          cx_memory_set_hook(nullptr, nullptr);
          self->run();
          return self->gives_memory;
        },
        this);
  }
  ~InTheMiddle() { cx_memory_set_hook(nullptr, nullptr); }
  std::function<void()> run;
  bool gives_memory;
};

TEST_F(FeedTailTest, NeverGoesBackWhereAllLeaveAndOthersComeMeanwhile) {
  for (bool gives_memory : {false, true}) {
    Reader *reader = Subscribe({});
    Settle();
    AppendSome(3);
    bool done = false;
    {
      InTheMiddle middle(
          [&] {
            Close(reader);
            AppendSome(20);
            reader = Subscribe({});
            ReadAll(reader);
            done = true;
          },
          gives_memory);
      EXPECT_TRUE(StepTail());
    }
    EXPECT_TRUE(done);
    EXPECT_EQ(durable() + 1, feed_->tail_next);
    AppendSome(5);
    Settle();
    EXPECT_EQ(5u, reader->got.size());
    CloseAll();
    StepTimers();
    EXPECT_EQ(0u, CachedBytes());
  }
}

TEST_F(FeedTailTest, LeavesTheBlockAloneThatWasDroppedMeanwhile) {
  Reader *reader = Subscribe({});
  Settle();
  AppendSome(3);
  Settle();
  Append({{{CX_ITEM_UPDATE, "a", {Put("k", std::string(12000, 'x'))}}}});
  AppendSome(200);  // More than the memory that the block has.
  bool done = false;
  {
    InTheMiddle middle(
        [&] {
          Close(reader);
          StepTimers();
          done = true;
        },
        true);
    StepTailToTheEnd();
  }
  EXPECT_TRUE(done);
  EXPECT_LE(feed_->block_count, 1u);
  StepTimers();
  EXPECT_EQ(0u, CachedBytes());
}

TEST_F(FeedTailTest, LeavesToTheLoaderWhatItCannotRead) {
  Reader *reader = Subscribe({}), *other = Subscribe(Of("b"));
  Settle();
  AppendSome(10, {"a"}, kLeaveOut);
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  EXPECT_TRUE(StepTail());
  EXPECT_FALSE(reader->waiting);
  Settle();
  EXPECT_EQ(10u, reader->got.size()) << "the disk was well again";
  AppendSome(3, {"b"});
  Settle();
  ExpectHasAll(*reader);
  EXPECT_EQ(3u, other->got.size());
}

}  // namespace
