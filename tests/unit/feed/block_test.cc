// What block.h promises: events that stay where they are, found by filter and by position, and
// encoded once for each form.

#include "tests/unit/feed/feed_model.h"

extern "C" {
#include "core/feed/block.h"
#include "tests/support/fail_nth.h"
}

namespace {

class BlockTest : public testing::Test {
 protected:
  BlockTest() : before_(cx_memory_used()) {
    encoder_ = {[](void *arg, const cx_event *event, bool without_values, cx_buffer *buffer) {
                  static_cast<BlockTest *>(arg)->encode_count_++;
                  std::string text = Line(*event) + (without_values ? "-" : "=");
                  return cx_buffer_append(buffer, Bytes(text));
                },
                this};
    block_ = cx_block_new(5);
  }
  ~BlockTest() override {
    cx_block_free(block_);
    EXPECT_EQ(before_, cx_memory_used());
  }

  cx_status Add(const Change &change) { return AddPayload(RawChange(change).Encode()); }
  cx_status AddPayload(const std::string &payload) {
    cx_log_record record = {block_->next, 1000, Bytes(payload)};
    return cx_block_add(block_, &record);
  }

  // An update of a context with so many activations: an event each, and one more.
  static Change Many(const std::string &id, size_t count) {
    Item item = {CX_ITEM_UPDATE, id};
    for (size_t i = 0; i < count; i++) item.steps.push_back({"s", true});
    return {{item}};
  }

  Strings Lines() {
    Strings lines;
    for (size_t i = 0; i < block_->event_count; i++) lines.push_back(Line(block_->events[i]));
    return lines;
  }

  int64_t before_;
  cx_block *block_;
  cx_event_encoder encoder_;
  int encode_count_ = 0;
};

TEST_F(BlockTest, HoldsTheEventsOfItsRecords) {
  EXPECT_EQ(CX_OK, Add({{{CX_ITEM_CREATE, "a"}, {CX_ITEM_DELETE, "b"}}}));
  EXPECT_EQ(CX_OK, Add({{{CX_ITEM_FORGET, "c"}}}));
  EXPECT_EQ(CX_OK, Add({{{CX_ITEM_UPDATE, "a", {Put("k", "v")}}}}));
  EXPECT_EQ(Strings({"5.0 CREATED a", "5.1 DELETED b last", "7.0 UPDATED a +1 last"}), Lines());
  EXPECT_EQ(8u, block_->next);
  EXPECT_EQ("v", Text(block_->events[2].ops[0].value)) << "it has bytes of its own";
}

TEST_F(BlockTest, IsFullByBytesAndByEventsButNeverWhileItIsEmpty) {
  std::string half(CX_FEED_BLOCK_BYTES / 2, 'x');
  EXPECT_EQ(CX_OK, Add({{{CX_ITEM_UPDATE, "a", {Put("k", half)}}}}));
  EXPECT_EQ(CX_OUT_OF_RANGE, Add({{{CX_ITEM_UPDATE, "a", {Put("k", half)}}}}));
  EXPECT_EQ(CX_OK, Add(Many("a", CX_FEED_BLOCK_EVENTS - 2)));
  EXPECT_EQ(CX_OUT_OF_RANGE, Add({{{CX_ITEM_UPDATE, "a"}}}));
  EXPECT_EQ(CX_OK, Add({{{CX_ITEM_FORGET, "a"}}})) << "what has no events still fits";
  EXPECT_EQ(size_t{CX_FEED_BLOCK_EVENTS}, block_->event_count);

  cx_block_free(block_);
  block_ = cx_block_new(5);
  EXPECT_EQ(CX_OK, Add(Many("a", 3 * CX_FEED_BLOCK_EVENTS))) << "whatever comes first";
  EXPECT_EQ(3 * CX_FEED_BLOCK_EVENTS + 1, block_->event_count);
  EXPECT_EQ(CX_OUT_OF_RANGE, Add({{{CX_ITEM_UPDATE, "a"}}}));
  cx_block_free(block_);
  block_ = cx_block_new(5);
  EXPECT_EQ(CX_OK, Add({{{CX_ITEM_UPDATE, "a", {Put("k", half + half + half)}}}}));
}

TEST_F(BlockTest, HoldsAsManyDropsAsOneChangeMakes) {
  Item item = {CX_ITEM_TOUCH, "a"};
  for (size_t i = 0; i < CX_CHANGE_ITEMS_MAX; i++) {
    item.points.push_back({CX_POINT_DROP, "p" + std::to_string(i)});
  }
  EXPECT_EQ(CX_OK, Add({{{CX_ITEM_CREATE, "b"}}}));
  EXPECT_EQ(CX_OUT_OF_RANGE, Add({{item}})) << "they do not fit behind others";
  cx_block_free(block_);
  block_ = cx_block_new(5);
  EXPECT_EQ(CX_OK, Add({{item}}));
  ASSERT_EQ(CX_CHANGE_ITEMS_MAX, block_->event_count);
  EXPECT_EQ("5.9999 POINT_DELETED a p9999 last", Lines().back());
  EXPECT_EQ(5000u, cx_block_seek(block_, block_->event_count, 5, 5000));
}

TEST_F(BlockTest, RefusesWhatIsNoChange) {
  EXPECT_EQ(CX_DATA_LOSS, AddPayload("nonsense"));
  EXPECT_EQ(CX_OK, Add({{{CX_ITEM_CREATE, "a"}}}));
  EXPECT_EQ(Strings({"5.0 CREATED a last"}), Lines());
}

TEST_F(BlockTest, IsAsItWasWithoutMemoryForARecord) {
  ASSERT_EQ(CX_OK, Add({{{CX_ITEM_CREATE, "a"}}}));
  std::string large(200000, 'x'),
      payload = RawChange({{{CX_ITEM_UPDATE, "b", {Put("k", large)}}}}).Encode();
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    fail_nth_begin(&fail, nth);
    cx_status status = AddPayload(payload);
    if (!fail_nth_end(&fail)) {
      EXPECT_EQ(CX_OK, status);
      break;
    }
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status);
    EXPECT_EQ(Strings({"5.0 CREATED a last"}), Lines());
    EXPECT_EQ(6u, block_->next);
  }
  EXPECT_EQ(2u, Lines().size());
}

TEST_F(BlockTest, IsNotMadeWithoutMemory) {
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    fail_nth_begin(&fail, nth);
    cx_block *block = cx_block_new(1);
    if (!fail_nth_end(&fail)) {
      cx_block_free(block);
      break;
    }
    EXPECT_EQ(nullptr, block);
  }
  cx_block_free(nullptr);
}

// ---- Looking. --------------------------------------------------------------------

TEST_F(BlockTest, FindsWhatAFilterSelectsSealedOrNot) {
  for (unsigned seed = 1; seed <= 60; seed++) {
    Chance chance(seed);
    cx_block_free(block_);
    block_ = cx_block_new(1);
    std::deque<Change> changes;
    std::vector<ModelEvent> events;
    for (int i = 0; i < 100; i++) {
      changes.push_back(chance.AChange());
      ASSERT_EQ(CX_OK, Add(changes.back()));
      for (const ModelEvent &event : Events::Of(changes.back(), block_->next - 1)) {
        events.push_back(event);
      }
    }
    ASSERT_EQ(events.size(), block_->event_count);
    struct fail_nth fail;
    for (int sealed = 0; sealed < 3; sealed++) {
      if (sealed == 1) fail_nth_begin(&fail, 1);
      if (sealed > 0) cx_block_seal(block_);
      if (sealed == 1) fail_nth_end(&fail);
      EXPECT_EQ(sealed == 2, block_->places != nullptr);
      for (int i = 0; i < 30; i++) {
        Filter filter = chance.AFilter();
        if (i % 2 == 0) filter.ids = {chance.Id()};
        RawFilter raw(filter);
        size_t from = chance.random() % (events.size() + 1);
        size_t count = from + chance.random() % (events.size() + 1 - from);
        size_t expected = from;
        while (expected < count && !filter.Selects(events[expected])) expected++;
        EXPECT_EQ(expected, cx_block_find(block_, raw.get(), from, count)) << "seed " << seed;
      }
    }
  }
}

TEST_F(BlockTest, SeeksTheFirstEventAtOrBehindAPosition) {
  ASSERT_EQ(CX_OK, Add(Many("a", 2)));               // 5.0 to 5.2
  ASSERT_EQ(CX_OK, Add({{{CX_ITEM_FORGET, "a"}}}));  // Nothing of 6.
  ASSERT_EQ(CX_OK, Add(Many("a", 1)));               // 7.0, 7.1
  const size_t places[][3] = {{1, 0, 0}, {5, 0, 0}, {5, 1, 1}, {5, 2, 2}, {5, 3, 3}, {6, 0, 3},
                              {6, 9, 3}, {7, 0, 3}, {7, 1, 4}, {7, 2, 5}, {8, 0, 5}};
  for (const auto &place : places) {
    EXPECT_EQ(place[2], cx_block_seek(block_, 5, place[0], static_cast<uint32_t>(place[1])))
        << place[0] << "." << place[1];
  }
  EXPECT_EQ(2u, cx_block_seek(block_, 2, 7, 0)) << "of the first two";
}

// ---- Encoding. -------------------------------------------------------------------

TEST_F(BlockTest, EncodesAnEventOnceForEachForm) {
  ASSERT_EQ(CX_OK, Add({{{CX_ITEM_CREATE, "a"}, {CX_ITEM_CREATE, "b"}}}));
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ("5.1 CREATED b last=", Text(cx_block_encoded(block_, &encoder_, 1, false)));
    EXPECT_EQ("5.1 CREATED b last-", Text(cx_block_encoded(block_, &encoder_, 1, true)));
    EXPECT_EQ("5.0 CREATED a=", Text(cx_block_encoded(block_, &encoder_, 0, false)));
  }
  EXPECT_EQ(3, encode_count_);
}

TEST_F(BlockTest, SaysWhenThereIsNoMemoryToEncodeAndTriesAgain) {
  ASSERT_EQ(CX_OK, Add({{{CX_ITEM_CREATE, "a"}}}));
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    fail_nth_begin(&fail, nth);
    cx_bytes encoded = cx_block_encoded(block_, &encoder_, 0, false);
    if (!fail_nth_end(&fail)) {
      EXPECT_EQ("5.0 CREATED a last=", Text(encoded));
      EXPECT_GT(nth, 1u);
      break;
    }
    EXPECT_EQ(nullptr, encoded.data);
  }
}

}  // namespace
