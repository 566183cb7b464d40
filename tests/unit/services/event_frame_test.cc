// What goes around events that are packed: together it is a message of the API.

#include "gtest/gtest.h"

#include <string>
#include <vector>

extern "C" {
#include "contextd/v1/tracker.pb-c.h"
#include "server/services/event_frame.h"
}

namespace {

using Response = Contextd__V1__SubscribeResponse;

std::string Event(const std::string &cursor, size_t size) {
  Contextd__V1__Event event = CONTEXTD__V1__EVENT__INIT;
  std::string session_id(size, 's');
  event.cursor = const_cast<char *>(cursor.c_str());
  event.session_id = const_cast<char *>(session_id.c_str());
  std::string bytes(contextd__v1__event__get_packed_size(&event), '\0');
  contextd__v1__event__pack(&event, reinterpret_cast<uint8_t *>(&bytes[0]));
  return bytes;
}

class EventFrameTest : public ::testing::Test {
 protected:
  ~EventFrameTest() override {
    contextd__v1__subscribe_response__free_unpacked(response_, nullptr);
  }

  void Add(const std::string &event, const char *cursor = nullptr) {
    cx_event_frame_add(&frame_, {reinterpret_cast<const uint8_t *>(event.data()), event.size()},
                       cursor);
  }

  const Contextd__V1__EventBatch *Unpack() {
    std::string message;
    cx_event_frame_end(&frame_);
    for (size_t i = 0; i < frame_.count; i++) {
      message.append(reinterpret_cast<const char *>(frame_.pieces[i].data), frame_.pieces[i].size);
    }
    response_ = contextd__v1__subscribe_response__unpack(
        nullptr, message.size(), reinterpret_cast<const uint8_t *>(message.data()));
    EXPECT_NE(nullptr, response_);
    EXPECT_EQ(CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_EVENTS, response_->kind_case);
    return response_->events;
  }

  void SetUp() override { cx_event_frame_begin(&frame_); }

  cx_event_frame frame_;
  Response *response_ = nullptr;
};

TEST_F(EventFrameTest, MakesAMessageOfEventsOfAnySize) {
  std::vector<size_t> sizes = {0, 1, 100, 127, 128, 20000, 3000000};
  std::vector<std::string> events;
  for (size_t size : sizes) events.push_back(Event("cursor", size));
  for (const std::string &event : events) Add(event);
  const auto *batch = Unpack();
  ASSERT_EQ(sizes.size(), batch->n_events);
  for (size_t i = 0; i < sizes.size(); i++) {
    EXPECT_EQ(sizes[i], strlen(batch->events[i]->session_id));
    EXPECT_STREQ("cursor", batch->events[i]->cursor);
  }
}

TEST_F(EventFrameTest, HasRoomForAFullBatch) {
  std::string event = Event("cursor", 10);
  for (int i = 0; i < CX_FEED_BATCH_MAX; i++) Add(event, i % 2 == 0 ? "other" : nullptr);
  EXPECT_EQ(size_t{CX_FEED_BATCH_MAX}, Unpack()->n_events);
}

TEST_F(EventFrameTest, PutsAnotherCursorInThePlaceOfAnEventsOwn) {
  std::string event = Event("own", 300);
  Add(event, "another");
  Add(event);
  const auto *batch = Unpack();
  EXPECT_STREQ("another", batch->events[0]->cursor);
  EXPECT_EQ(300u, strlen(batch->events[0]->session_id));
  EXPECT_STREQ("own", batch->events[1]->cursor);
}

}  // namespace
