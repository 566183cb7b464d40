// What server/services/page.h promises. That lists keep to it is shown by their own tests.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/convert_response.h"
#include "server/services/page.h"
}

namespace {

class PageTest : public ServiceFixture {
 protected:
  // How many rows of a size go into a page of messages of another.
  size_t Fill(size_t message_size_max, uint64_t row_size) {
    cx_call call(*service_, "ListContexts", &app_);
    cx_page page;
    call.message_size_max = message_size_max;
    cx_page_init(&page, &call);
    while (page.count < 1000 && cx_page_take(&page, row_size)) continue;
    call.End();
    return page.count;
  }
};

TEST_F(PageTest, LeavesRoomForTheNextToken) {
  for (size_t row_size : {1, 100, 127, 128, 20000}) {
    for (size_t size_max : {5000, 64 * 1024}) {
      size_t rows = Fill(size_max, row_size);
      if (rows == 1) continue;  // One that is too large.
      EXPECT_LE(
          rows * cx_message_field_size(row_size) + cx_message_field_size(CX_TOKEN_TEXT_SIZE_MAX),
          rows < 1000 ? size_max : SIZE_MAX);
    }
  }
}

TEST_F(PageTest, TakesOneRowHoweverLarge) {
  EXPECT_EQ(1u, Fill(5000, 1 << 30));
  EXPECT_EQ(1u, Fill(10, 20));
}

TEST_F(PageTest, BeginsAnewWithoutAToken) {
  cx_error error;
  cx_arena arena = {};
  cx_conversion conversion = {cx_allocator_of_arena(&arena), &error, 0};
  cx_token_scope scope = cx_token_scope_of(engine_, CX_TOKEN_FILES, 1);
  cx_token token = {1, 2, cx_bytes_of("key")};
  EXPECT_EQ(CX_OK, cx_page_resume(&conversion, &scope, "", &token));
  EXPECT_EQ(0u, token.key.size + token.position + token.epoch);
  EXPECT_EQ(CX_INVALID_ARGUMENT, cx_page_resume(&conversion, &scope, "x", &token));
  EXPECT_EQ("INVALID_FIELD field=page_token rule=must be the next_page_token of the same list",
            ErrorText(error));
  cx_arena_done(&arena);
}

TEST_F(PageTest, SendsMuchFromAWorker) {
  for (auto [count, size, offloads] : std::vector<std::tuple<size_t, uint64_t, int>>{
           {500, 256 * CX_KIB, 0}, {501, 0, 1}, {1, 256 * CX_KIB + 1, 1}}) {
    static size_t count_now;
    static uint64_t size_now;
    count_now = count;
    size_now = size;
    static const cx_method method = {"ListContexts",
                                     CX_METHOD_UNARY,
                                     [](cx_call *call, const ProtobufCMessage *) {
                                       cx_page_send(call, count_now, size_now, [](cx_call *sent) {
                                         ListContextsResponse response =
                                             CONTEXTD__V1__LIST_CONTEXTS_RESPONSE__INIT;
                                         cx_call_reply(sent, &response.base);
                                       });
                                     },
                                     nullptr,
                                     nullptr,
                                     nullptr};
    static const cx_service service = {&contextd__v1__context_manager__descriptor, &method, 1,
                                       nullptr};
    cx_call call(service, "ListContexts", &app_);
    call.Begin("");
    EXPECT_TRUE(call.ok());
    EXPECT_EQ(offloads, call.offloads);
  }
}

}  // namespace
