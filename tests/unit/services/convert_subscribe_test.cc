// Requests for subscriptions: what is taken, and what is refused with which words.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/convert_subscribe.h"
}

namespace {

class ConvertSubscribeTest : public ServiceFixture {
 protected:
  ~ConvertSubscribeTest() override { cx_arena_done(&arena_); }

  // The error's text; empty: it was taken.
  std::string Convert(const std::string &text) {
    cx_error error = {};
    cx_conversion conversion = {cx_allocator_of_arena(&arena_), &error, 0};
    cx_token_scope cursors = cx_cursor_scope(engine_);
    ProtobufCAllocator allocator = {Alloc, Free, &arena_};
    std::string bytes = TextEncode("SubscribeRequest", text);
    auto *message = contextd__v1__subscribe_request__unpack(
        &allocator, bytes.size(), reinterpret_cast<const uint8_t *>(bytes.data()));
    if (message == nullptr) return "(malformed)";
    return cx_convert_subscribe(&conversion, message, &cursors, &filter_, &request_) == CX_OK
               ? ""
               : ErrorText(error);
  }

  static void *Alloc(void *arena, size_t size) {
    return cx_arena_alloc(static_cast<cx_arena *>(arena), size);
  }
  static void Free(void *, void *) {}

  static std::string Invalid(const std::string &field, const std::string &rule) {
    return "INVALID_FIELD field=" + field + " rule=" + rule;
  }

  cx_arena arena_ = {};
  cx_event_filter filter_;
  cx_subscribe_request request_;
};

TEST_F(ConvertSubscribeTest, TakesEverythingThatSelects) {
  ASSERT_EQ("", Convert("namespace: 'n' context_ids: 'a' context_ids: 'b' id_prefix: 'p' type: 't' "
                        "metadata { key: 'k' value: 'v' } event_types: EVENT_TYPE_CREATED "
                        "event_types: EVENT_TYPE_SESSION_SWITCHED key_prefix: 'x' "
                        "without_values: true progress_interval { nanos: 100000000 }"));
  EXPECT_EQ("n", Text(filter_.namespace_id));
  ASSERT_EQ(2u, filter_.context_id_count);
  EXPECT_EQ("b", Text(filter_.context_ids[1]));
  EXPECT_EQ("p", Text(filter_.id_prefix));
  EXPECT_EQ("t", Text(filter_.type));
  ASSERT_EQ(1u, filter_.label_count);
  EXPECT_EQ("v", Text(filter_.labels[0].value));
  EXPECT_EQ(1u << 1 | 1u << 19, filter_.event_types);
  EXPECT_EQ("x", Text(filter_.key_prefix));
  EXPECT_TRUE(request_.feed.without_values);
  EXPECT_EQ(100000, request_.feed.progress_interval_us);
}

TEST_F(ConvertSubscribeTest, FillsInWhatIsLeftOut) {
  ASSERT_EQ("", Convert(""));
  EXPECT_EQ("default", Text(filter_.namespace_id));
  EXPECT_EQ(10 * CX_SECOND_US, request_.feed.progress_interval_us);
  EXPECT_FALSE(request_.feed.has_position);
  EXPECT_FALSE(request_.with_snapshot);
}

TEST_F(ConvertSubscribeTest, TakesOneBeginning) {
  ASSERT_EQ("", Convert("from_oldest: true"));
  EXPECT_TRUE(request_.feed.has_position);
  EXPECT_EQ(0u, request_.feed.position.revision);
  ASSERT_EQ("", Convert("with_snapshot: true"));
  EXPECT_TRUE(request_.with_snapshot);
  EXPECT_FALSE(request_.feed.has_position);
  for (const char *none : {"from_oldest: false", "with_snapshot: false"}) {
    ASSERT_EQ("", Convert(none));
    EXPECT_FALSE(request_.feed.has_position);
    EXPECT_FALSE(request_.with_snapshot);
  }
}

TEST_F(ConvertSubscribeTest, RefusesWhatCannotBe) {
  std::string ids;
  for (int i = 0; i < 1001; i++) ids += " context_ids: 'a" + std::to_string(i) + "'";
  EXPECT_EQ(0u, Convert(ids).find("INVALID_FIELD field=context_ids rule="));
  EXPECT_EQ(0u, Convert("context_ids: ''").find("INVALID_FIELD field=context_ids[0] rule="));
  EXPECT_EQ(0u, Convert("context_ids: 'a' context_ids: '\\n'")
                    .find("INVALID_FIELD field=context_ids[1] rule="));
  for (const char *field : {"namespace", "id_prefix", "type", "key_prefix"}) {
    EXPECT_EQ(0u, Convert(std::string(field) + ": '\\n'")
                      .find("INVALID_FIELD field=" + std::string(field) + " rule="))
        << field;
  }
  EXPECT_EQ(0u, Convert("metadata { key: '' value: 'v' }").find("INVALID_FIELD field=metadata"));
}

TEST_F(ConvertSubscribeTest, RefusesEventTypesThatItDoesNotKnow) {
  EXPECT_EQ(Invalid("event_types[1]", "must be a type of events that this server knows, not 0"),
            Convert("event_types: EVENT_TYPE_CREATED event_types: EVENT_TYPE_UNSPECIFIED"));
  EXPECT_EQ(Invalid("event_types[0]", "must be a type of events that this server knows, not 77"),
            Convert("event_types: 77"));
}

TEST_F(ConvertSubscribeTest, RefusesIntervalsOutOfBounds) {
  EXPECT_EQ(Invalid("progress_interval", "must be at least 100 milliseconds"),
            Convert("progress_interval { nanos: 99999000 }"));
  EXPECT_EQ(Invalid("progress_interval", "must be at most 3600 seconds"),
            Convert("progress_interval { seconds: 3601 }"));
}

TEST_F(ConvertSubscribeTest, RefusesAnEmptyCursor) {
  EXPECT_EQ(0u, Convert("cursor: ''").find("INVALID_FIELD field=cursor rule=must not be empty"));
}

}  // namespace
