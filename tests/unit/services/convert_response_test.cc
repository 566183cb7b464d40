// What server/services/convert_response.h promises.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/convert_response.h"
}

namespace {

class ConvertResponseTest : public ServiceFixture {
 protected:
  ConvertResponseTest() { allocator_ = cx_allocator_of_arena(&arena_); }
  ~ConvertResponseTest() override {
    cx_snapshot_done(&snapshot_);
    cx_arena_done(&arena_);
  }

  void Take() {
    cx_context_name name = {cx_bytes_of("default"), cx_bytes_of("a")};
    cx_state_at at = {};
    uint64_t wait_for;
    ASSERT_EQ(CX_OK, cx_engine_get(engine_, &name, &at, &snapshot_, &wait_for, &error_));
  }

  cx_status Full(uint64_t size_max, Context **ret_message, uint64_t *ret_size) {
    cx_get_query query = {};
    query.view = CX_VIEW_FULL;
    return cx_context_message_full(&allocator_, &snapshot_, &query, size_max, ret_message, ret_size,
                                   &error_);
  }

  cx_arena arena_ = {};
  cx_allocator allocator_;
  cx_snapshot snapshot_ = {};
  cx_error error_;
};

TEST_F(ConvertResponseTest, KnowsThePackedSizeOfAContext) {
  Ask("CreateContext",
      "context_id: 'a' properties { metadata { key: 'k' value: 'v' } expiry { "
      "ttl { seconds: 1 } } } mutations { put_entry { key: 'k' value: 'v' } }");
  Context *message;
  uint64_t size;
  Take();
  ASSERT_EQ(CX_OK, Full(1000, &message, &size));
  EXPECT_EQ(protobuf_c_message_get_packed_size(&message->base), size);
}

TEST_F(ConvertResponseTest, RefusesOneByteTooMuchBeforeItAllocatesIt) {
  Put("a", "k", std::string(60000, 'v'));
  Context *message;
  uint64_t size;
  Take();
  ASSERT_EQ(CX_OK, Full(100000, &message, &size));
  EXPECT_EQ(CX_OK, Full(size, &message, &size));
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, Full(size - 1, &message, &size));
  EXPECT_EQ(
      "RESPONSE_TOO_LARGE size=" + std::to_string(size) + " limit=" + std::to_string(size - 1),
      ErrorText(error_));
}

TEST_F(ConvertResponseTest, ShowsTimesAfterTheEpochWithTheirFraction) {
  clock_.now_us += 123456;
  std::string text = Ask("CreateContext", "context_id: 'a'");
  EXPECT_NE(std::string::npos, text.find("create_time { seconds: 1700000000 nanos: 123456000 }"))
      << text;
}

TEST_F(ConvertResponseTest, KnowsWhatAFieldOfAMessageAddsToIt) {
  EXPECT_EQ(2u, cx_message_field_size(0));
  EXPECT_EQ(129u, cx_message_field_size(127));
  EXPECT_EQ(131u, cx_message_field_size(128));
  EXPECT_EQ(16386u, cx_message_field_size(16383));
  EXPECT_EQ(16388u, cx_message_field_size(16384));
}

TEST_F(ConvertResponseTest, TellsAFailureWithAllThatAnErrorHas) {
  cx_error_set(&error_, CX_REASON_OVERLOADED, "busy");
  cx_error_detail(&error_, "one", cx_bytes_of("1"));
  cx_error_detail(&error_, "two", cx_bytes_of(""));
  error_.retry_delay_us = 1500000;
  size_t size;
  Failure *failure = cx_failure_message(&allocator_, &error_, &size);
  ASSERT_NE(nullptr, failure);
  memset(&error_, 0xff, sizeof error_);  // It borrows nothing.
  std::string packed(protobuf_c_message_get_packed_size(&failure->base), '\0');
  protobuf_c_message_pack(&failure->base, reinterpret_cast<uint8_t *>(&packed[0]));
  EXPECT_EQ(
      "code: 8 reason: \"OVERLOADED\" message: \"busy\" metadata { key: \"one\" value: \"1\" } "
      "metadata { key: \"two\" value: \"\" } retry_delay { seconds: 1 nanos: 500000000 }",
      TextDecode("Failure", packed));
  EXPECT_GE(size, packed.size());
}

TEST_F(ConvertResponseTest, GivesNullWhenOutOfMemory) {
  cx_allocator none = {[](void *, size_t) -> void * { return nullptr; }, nullptr};
  size_t size;
  cx_error_set(&error_, CX_REASON_OVERLOADED, "busy");
  EXPECT_EQ(nullptr, cx_failure_message(&none, &error_, &size));
  EXPECT_EQ(nullptr, cx_context_message(&none, &snapshot_));
}

TEST_F(ConvertResponseTest, ShowsTheFenceOfAContext) {
  Put("a", "k", "v");
  Take();
  snapshot_.fence = 7;
  EXPECT_EQ(7u, cx_context_message(&allocator_, &snapshot_)->fence);
}

TEST_F(ConvertResponseTest, ShowsWhatAWriteCameTo) {
  cx_write_outcome outcome = {};
  WriteResult message;
  outcome.revision = 7;
  outcome.replayed = true;
  cx_write_result_init(&message, &outcome);
  EXPECT_EQ(7u, message.revision);
  EXPECT_TRUE(message.replayed);
}

TEST_F(ConvertResponseTest, TellsWhereAForkCameFromAndWhatPolicyAContextHas) {
  cx_snapshot snapshot = {};
  snapshot.namespace_id = cx_bytes_of("n");
  snapshot.id = cx_bytes_of("fork");
  auto told = [&] {
    const Context *message = cx_context_message(&allocator_, &snapshot);
    std::string bytes(protobuf_c_message_get_packed_size(&message->base), '\0');
    protobuf_c_message_pack(&message->base, reinterpret_cast<uint8_t *>(&bytes[0]));
    return TextDecode("Context", bytes);
  };
  EXPECT_EQ("namespace: \"n\" id: \"fork\"", told());
  snapshot.forked_from_id = cx_bytes_of("source");
  snapshot.forked_from_version = 7;
  snapshot.policy.is_set = true;
  snapshot.policy.retention.keep_last = 3;
  EXPECT_EQ(
      "namespace: \"n\" id: \"fork\" forked_from { namespace: \"n\" context_id: \"source\" "
      "version: "
      "7 } recovery_policy { retention { keep_last: 3 } }",
      told());
}

TEST_F(ConvertResponseTest, TellsOfAWriteTheVersionAndRevisionOfItsChange) {
  cx_snapshot snapshot = {};
  cx_write_outcome outcome = {};
  snapshot.version = 9;
  snapshot.revision = 90;
  outcome.version = 8;
  EXPECT_EQ(8u, cx_context_written_message(&allocator_, &snapshot, &outcome)->version);
  EXPECT_EQ(90u, cx_context_written_message(&allocator_, &snapshot, &outcome)->revision);
  outcome.revision = 80;
  EXPECT_EQ(80u, cx_context_written_message(&allocator_, &snapshot, &outcome)->revision);
}

TEST_F(ConvertResponseTest, LeavesOfAFailureOnlyItsCodeAndReasonWhenItIsShortened) {
  size_t size;
  (void)cx_error_limit(&error_, "memory", 7);
  Failure *failure = cx_failure_message(&allocator_, &error_, &size);
  size_t before = protobuf_c_message_get_packed_size(&failure->base);
  size_t dropped = cx_failure_shorten(failure);
  EXPECT_EQ(before - dropped, protobuf_c_message_get_packed_size(&failure->base));
  EXPECT_EQ(8, failure->code);
  EXPECT_STREQ("LIMIT_REACHED", failure->reason);
  EXPECT_EQ(0u, failure->n_metadata);
  EXPECT_STREQ("", failure->message);
}

}  // namespace
