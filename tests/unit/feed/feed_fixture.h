// A feed over a log on a simulated disk, whose steps belong to the test, and readers that hold
// what they get against the model: every event that their filters select, in order, once,
// nothing before it is durable, and positions that never go back or skip one.

#ifndef CX_TESTS_UNIT_FEED_FEED_FIXTURE_H
#define CX_TESTS_UNIT_FEED_FEED_FIXTURE_H

#include "tests/unit/feed/feed_model.h"

extern "C" {
#include "core/feed/feed_internal.h"
#include "tests/support/fail_nth.h"
}

#include <utility>

#include "tests/support/fake_clock.h"
#include "tests/unit/log/wal_fixture.h"

inline bool operator<(const cx_feed_position &a, const cx_feed_position &b) {
  return a.revision != b.revision ? a.revision < b.revision : a.index < b.index;
}
inline bool operator==(const cx_feed_position &a, const cx_feed_position &b) {
  return a.revision == b.revision && a.index == b.index;
}
inline std::ostream &operator<<(std::ostream &out, const cx_feed_position &position) {
  return out << position.revision << "." << position.index;
}

class FeedFixture;

// Whoever has a subscription.
struct Reader {
  cx_waiter waiter = {};  // First: what is completed is found by it.
  cx_subscription *subscription = nullptr;
  bool waiting = false;
  bool without_values = false;
  Filter filter;
  bool (*also)(const cx_event *event) = nullptr;
  bool (*also_model)(const ModelEvent &event) = nullptr;
  cx_feed_position next = {};  // What it has had lies before.
  size_t unwanted = 0;  // The events from there up to this place are not for it.
  bool slow = false;
  Strings got;
  uint64_t tail_next = 0;  // Of the feed, when it asked.
  uint64_t begun = 0;      // What was durable when it began.
  int caught_up = 0, progress = 0, bound = 0, woken = 0;
  cx_reason ended = CX_REASON_NONE;
  cx_feed_batch held = {};  // A batch that it is slow to give back.
};

class FeedFixture : public testing::Test {
 protected:
  // A record takes up to a quarter of a segment.
  explicit FeedFixture(uint64_t segment_size = 64 * CX_KIB)
      : before_(cx_memory_used()), wal_(std::make_unique<Wal>(disk_, segment_size)) {}
  ~FeedFixture() override {
    CloseAll();
    cx_feed_free(feed_);
    cx_purges_done(&purges_);
    wal_->Close(false);
    EXPECT_EQ(before_, cx_memory_used()) << "everything is given back";
  }

  void Open(uint64_t floor = 0, uint64_t subscriptions_max = 1000) {
    cx_feed_options options = {};
    ASSERT_EQ(CX_OK, wal_->Open());
    cx_purges_init(&purges_);
    options.purges = &purges_;
    options.log = wal_->log;
    options.clock = &clock_.base;
    options.encoder = {Encode, this};
    options.subscriptions_max = subscriptions_max;
    options.durable = wal_->Tail().revision;
    options.floor = floor;
    ASSERT_EQ(CX_OK, cx_feed_new(&options, &feed_));
  }

  // ---- What comes in. ----------------------------------------------------------

  enum How { kHandOver, kLeaveOut, kKeepBack };

  // Makes changes durable as one batch, and hands it over, or has no memory for that, or does
  // not yet say that they are durable.
  void Append(const std::vector<Change> &changes, How how = kHandOver) {
    Records payloads;
    uint64_t first = durable() + 1;
    for (const Change &change : changes) {
      changes_.push_back(change);
      payloads.push_back(RawChange(change).Encode());
      std::vector<ModelEvent> events = Events::Of(changes_.back(), first + payloads.size() - 1);
      events_.insert(events_.end(), events.begin(), events.end());
    }
    ASSERT_EQ(CX_OK, wal_->Append(payloads)) << "first " << first;
    if (how != kKeepBack) HandOver(first, payloads, how);
  }
  void Append(const Change &change, How how = kHandOver) {
    Append(std::vector<Change>{change}, how);
  }

  void HandOver(uint64_t first, const Records &payloads, How how) {
    Batch batch(first, payloads);
    cx_buffer frames = {};
    ASSERT_EQ(CX_OK, cx_buffer_append(&frames, {batch.get()->data, batch.get()->size}));
    if (how == kLeaveOut) {
      cx_memory_set_hook([](void *, size_t) { return false; }, nullptr);
    }
    cx_feed_hand_over(feed_, &frames, first, payloads.size());
    cx_memory_set_hook(nullptr, nullptr);
    cx_buffer_done(&frames);
    handed_ = std::max(handed_, first + payloads.size() - 1);
  }

  // Changes of one event each, of the contexts in turn.
  void AppendSome(size_t count, const Strings &ids = {"a"}, How how = kHandOver) {
    std::vector<Change> changes;
    for (size_t i = 0; i < count; i++) {
      changes.push_back({{{CX_ITEM_UPDATE, ids[i % ids.size()], {Put("k", "v")}}}});
    }
    Append(changes, how);
  }

  uint64_t durable() { return wal_->Tail().revision; }

  // ---- Readers. ----------------------------------------------------------------

  // Subscribes; NULL when that is refused: error_ says why.
  Reader *Subscribe(const Filter &filter, const cx_feed_position *from = nullptr,
                    bool without_values = false) {
    auto reader = std::make_unique<Reader>();
    RawFilter raw(filter);
    cx_feed_request request = {};
    request.filter = raw.raw();
    request.without_values = without_values;
    request.progress_interval_us = CX_PROGRESS_INTERVAL_US_DEFAULT;
    request.has_position = from != nullptr;
    if (from != nullptr) request.position = *from;
    error_ = {};
    if (cx_feed_subscribe(feed_, &request, &reader->subscription, &error_) != CX_OK) {
      return nullptr;
    }
    reader->begun = handed_;
    reader->filter = filter;
    reader->without_values = without_values;
    reader->next = cx_subscription_position(reader->subscription);
    reader->waiter.work.run = nullptr;
    readers_.push_back(std::move(reader));
    return readers_.back().get();
  }
  Reader *SubscribeFrom(cx_feed_position from, const Filter &filter = {}) {
    return Subscribe(filter, &from);
  }

  // Asks for what comes next and checks it. What the reader gets is in `got`.
  cx_feed_outcome Next(Reader *reader, uint64_t size_max = CX_FEED_MESSAGE_SIZE) {
    cx_feed_batch batch;
    EXPECT_FALSE(reader->waiting);
    cx_feed_batch_done(&reader->held);
    error_ = {};
    uint64_t tail_next = std::exchange(reader->tail_next, feed_->tail_next);
    cx_feed_outcome outcome =
        cx_subscription_next(reader->subscription, size_max, &reader->waiter, &batch, &error_);
    switch (outcome) {
      case CX_FEED_WAIT:
        reader->waiting = true;
        return outcome;
      case CX_FEED_ENDED:
        reader->ended = error_.reason;
        return outcome;
      case CX_FEED_EVENTS:
        EXPECT_GT(batch.count, 0u);
        EXPECT_LE(batch.count, size_t{CX_FEED_BATCH_MAX});
        EXPECT_TRUE(batch.count == 1 || batch.size <= size_max);
        for (size_t i = 0; i < batch.count; i++) Take(reader, batch.pieces[i]);
        break;
      case CX_FEED_CAUGHT_UP:
        reader->caught_up++;
        EXPECT_GT(batch.next.revision, reader->begun);
        EXPECT_GE(batch.next.revision, tail_next) << "as it was when it was asked before";
        break;
      case CX_FEED_PROGRESS:
        reader->progress++;
        break;
      case CX_FEED_BOUND:
        reader->bound++;
        break;
    }
    EXPECT_EQ(outcome == CX_FEED_EVENTS, batch.block != nullptr);
    MoveTo(reader, batch.next);
    EXPECT_EQ(batch.next, cx_subscription_position(reader->subscription));
    reader->held = batch;
    return outcome;
  }

  // Reads until it waits or is over.
  void ReadAll(Reader *reader, uint64_t size_max = CX_FEED_MESSAGE_SIZE) {
    while (!reader->waiting && reader->ended == CX_REASON_NONE) {
      if (Next(reader, size_max) == CX_FEED_BOUND) break;
    }
  }

  // Makes all steps and reads everything, until nobody has anything to do.
  void Settle() {
    for (bool busy = true; busy;) {
      busy = StepTail() || StepLoad();
      for (auto &reader : readers_) {
        bool reads = !reader->waiting && reader->ended == CX_REASON_NONE &&
                     !cx_subscription_is_bound(reader->subscription);
        busy = busy || reads;
        if (reads) Next(reader.get());
      }
    }
  }

  // Closes a subscription, which may be with the loader.
  void Close(Reader *reader) {
    cx_feed_batch_done(&reader->held);
    bool had_waiter = cx_subscription_close(reader->subscription, nullptr);
    EXPECT_EQ(reader->waiting, had_waiter);
    for (size_t i = 0; i < readers_.size(); i++) {
      if (readers_[i].get() == reader) {
        readers_.erase(readers_.begin() + static_cast<long>(i));
        return;
      }
    }
  }
  void CloseAll() {
    while (!readers_.empty()) Close(readers_.back().get());
  }

  // ---- Steps. ------------------------------------------------------------------

  bool StepTail() { return Complete(cx_feed_step_tail); }
  bool StepLoad() { return Complete(cx_feed_step_load); }
  void StepTimers() {
    Complete([](cx_feed *feed, cx_work **done) {
      cx_feed_step_timers(feed, done);
      return true;
    });
  }
  void End(cx_reason reason) {
    cx_work *done = nullptr;
    cx_feed_end(feed_, reason, &done);
    Complete(done);
  }
  void StepTailToTheEnd() {
    while (StepTail()) {
    }
  }

  // ---- The model. --------------------------------------------------------------

  bool Wants(const Reader &reader, const ModelEvent &event) {
    return reader.filter.Selects(event) &&
           (reader.also_model == nullptr || reader.also_model(event));
  }

  // The place of the first event at or behind a position.
  size_t PlaceOf(cx_feed_position from) {
    auto found = std::lower_bound(
        events_.begin(), events_.end(), from,
        [](const ModelEvent &event, const cx_feed_position &position) {
          return cx_feed_position{event.revision, event.index} < position;
        });
    return static_cast<size_t>(found - events_.begin());
  }

  // The first event from a place on that the reader wants, or NULL.
  const ModelEvent *FirstWanted(const Reader &reader, size_t place) {
    while (place < events_.size() && !Wants(reader, events_[place])) place++;
    return place < events_.size() ? &events_[place] : nullptr;
  }

  // The one that the reader is to have next.
  const ModelEvent *NextWanted(Reader *reader) {
    const ModelEvent *wanted =
        FirstWanted(*reader, std::max(reader->unwanted, PlaceOf(reader->next)));
    reader->unwanted = wanted != nullptr ? wanted - events_.data() : events_.size();
    return wanted;
  }

  // All that the reader is to have from a position on.
  Strings Expected(const Reader &reader, cx_feed_position from) {
    Strings lines;
    for (size_t place = PlaceOf(from); place < events_.size(); place++) {
      if (Wants(reader, events_[place])) lines.push_back(events_[place].line());
    }
    return lines;
  }

  // Nothing more is to come.
  void ExpectHasAll(const Reader &reader) {
    const ModelEvent *event = FirstWanted(reader, PlaceOf(reader.next));
    EXPECT_EQ(nullptr, event) << "it misses " << event->line();
  }

  uint64_t CachedBytes() {
    struct cx_feed_statistics statistics;
    cx_feed_statistics(feed_, &statistics);
    return statistics.cached_bytes;
  }
  uint64_t SubscriptionCount() {
    struct cx_feed_statistics statistics;
    cx_feed_statistics(feed_, &statistics);
    return statistics.subscriptions;
  }

  std::string reason() const {
    return error_.reason == CX_REASON_NONE ? "" : cx_reason_name(error_.reason);
  }

  int64_t before_;
  SimDisk disk_;
  std::unique_ptr<Wal> wal_;
  FakeClock clock_;
  cx_purges purges_ = {};
  cx_feed *feed_ = nullptr;
  std::deque<Change> changes_;  // Of the revisions from 1 on, and their events.
  std::vector<ModelEvent> events_;
  uint64_t handed_ = 0;  // The feed knows that this is durable.
  std::vector<std::unique_ptr<Reader>> readers_;
  cx_error error_ = {};
  std::atomic<size_t> encode_count_{0};

 private:
  // An event as its line; with values, those of its mutations behind it.
  static cx_status Encode(void *arg, const cx_event *event, bool without_values,
                          cx_buffer *buffer) {
    std::string line = Line(*event) + (without_values ? "-" : "=");
    for (size_t i = 0; i < event->op_count && !without_values; i++) {
      line += Text(event->ops[i].value);
    }
    static_cast<FeedFixture *>(arg)->encode_count_++;
    return cx_buffer_append(buffer, Bytes(line));
  }

  void Take(Reader *reader, const cx_feed_piece &piece) {
    const ModelEvent *expected = NextWanted(reader);
    std::string line = Line(*piece.event);
    ASSERT_NE(nullptr, expected) << "nothing is left to tell, but there comes " << line;
    EXPECT_EQ(expected->line(), line);
    EXPECT_EQ(line + (reader->without_values ? "-" : "="),
              Text(piece.encoded).substr(0, line.size() + 1));
    EXPECT_LE(piece.event->revision, handed_) << "it is not durable";
    reader->got.push_back(line);
    reader->next = cx_feed_behind(piece.event);
  }

  void MoveTo(Reader *reader, cx_feed_position next) {
    const ModelEvent *wanted = NextWanted(reader);
    EXPECT_FALSE(next < reader->next) << next << " is before " << reader->next;
    EXPECT_LE(next.revision, handed_ + 1);
    if (wanted != nullptr) {
      EXPECT_FALSE((cx_feed_position{wanted->revision, wanted->index}) < next)
          << next << " skips " << wanted->line();
    }
    reader->next = next;
  }

  bool Complete(bool (*step)(cx_feed *, cx_work **)) {
    cx_work *done = nullptr;
    bool more = step(feed_, &done);
    Complete(done);
    return more;
  }
  void Complete(cx_work *done) {
    while (done != nullptr) {
      auto *reader = reinterpret_cast<Reader *>(done);
      done = done->next;
      EXPECT_TRUE(reader->waiting) << "completed twice";
      reader->waiting = false;
      reader->woken++;
    }
  }
};

#endif  // CX_TESTS_UNIT_FEED_FEED_FIXTURE_H
