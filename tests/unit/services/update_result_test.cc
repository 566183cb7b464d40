// What server/services/update_result.h promises.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "core/base/memory.h"
#include "server/services/update_result.h"
}

namespace {

class UpdateResultTest : public ServiceFixture {
 protected:
  ~UpdateResultTest() override { cx_arena_done(&arena_); }

  bool Make(const std::string &text, cx_update_result *ret_result) {
    cx_field field = cx_field_at(nullptr, "requests", 4);
    cx_update_source source = {
        engine_, "", cx_allocator_of_arena(&arena_), cx_allocator_of_heap(), 0, &order_};
    std::string packed = TextEncode("UpdateContextRequest", text);
    UpdateContextRequest *message = contextd__v1__update_context_request__unpack(
        nullptr, packed.size(), reinterpret_cast<const uint8_t *>(packed.data()));
    bool made = cx_update_result_make(&source, &field, message, ret_result);
    contextd__v1__update_context_request__free_unpacked(message, nullptr);
    return made;
  }

  cx_arena arena_ = {};
  cx_write_order order_ = {};
};

const char kGood[] = "context_id: 'a' mutations { put_entry { key: 'k' } } create_if_missing {}";

TEST_F(UpdateResultTest, SaysWhatAnUpdateDidAndWhenItMayBeTold) {
  cx_update_result result;
  ASSERT_TRUE(Make(kGood, &result));
  EXPECT_EQ(nullptr, result.failure);
  EXPECT_EQ(1u, result.version);
  EXPECT_EQ(2u, result.revision);
  EXPECT_EQ(2u, result.wait_for);
  EXPECT_FALSE(result.replayed);
}

TEST_F(UpdateResultTest, HoldsAFailureThatOutlivesItsRequest) {
  cx_update_result result;
  ASSERT_TRUE(Make("context_id: 'missing' mutations { delete_entry { key: 'k' } }", &result));
  ASSERT_NE(nullptr, result.failure);
  EXPECT_STREQ("CONTEXT_NOT_FOUND", result.failure->reason);
  cx_free(result.failure);
}

TEST_F(UpdateResultTest, NamesTheFieldFromWhereTheUpdateStands) {
  cx_update_result result;
  ASSERT_TRUE(Make("", &result));
  EXPECT_EQ(0u, result.wait_for);
  EXPECT_STREQ("requests[4].context_id", result.failure->metadata[0]->value);
  cx_free(result.failure);
}

TEST_F(UpdateResultTest, RefusesAnotherNamespaceThanThatOfTheFirst) {
  cx_update_result result;
  ASSERT_TRUE(Make(std::string("namespace: 'other' ") + kGood, &result));
  EXPECT_STREQ("requests[4].namespace", result.failure->metadata[0]->value);
  cx_free(result.failure);
  ASSERT_TRUE(Make(std::string("namespace: 'default' ") + kGood, &result));
  EXPECT_EQ(nullptr, result.failure);
}

TEST_F(UpdateResultTest, TakesNoMoreOfAMessageThanItsBound) {
  cx_allocator allocator = cx_allocator_of_arena(&arena_);
  cx_update_result result = {};
  cx_update_result_block block;
  result.version = result.revision = UINT64_MAX;
  result.replayed = true;
  ASSERT_TRUE(cx_update_result_block_init(&block, &allocator, 1));
  cx_update_result_block_add(&block, &result);
  EXPECT_LT(protobuf_c_message_get_packed_size(&block.messages[0]->base) + 2,
            static_cast<size_t>(CX_UPDATE_RESULT_SIZE_MAX));
}

}  // namespace
