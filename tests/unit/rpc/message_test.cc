// Messages in gRPC's buffers: what server/rpc/message.h and quota.h promise.

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/grpc_client.h"

extern "C" {
#include "core/base/arena.h"
#include "server/rpc/message.h"
#include "tests/support/fail_nth.h"
#include "tests/unit/rpc/echo.pb-c.h"
}

namespace {

std::string BytesOf(grpc_byte_buffer *buffer) {
  grpc_byte_buffer_reader reader;
  EXPECT_TRUE(grpc_byte_buffer_reader_init(&reader, buffer));
  grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
  std::string bytes(reinterpret_cast<const char *>(GRPC_SLICE_START_PTR(slice)),
                    GRPC_SLICE_LENGTH(slice));
  grpc_slice_unref(slice);
  grpc_byte_buffer_reader_destroy(&reader);
  return bytes;
}

class MessageTest : public testing::Test {
 protected:
  void SetUp() override { quota_.max = 1 << 20; }
  void TearDown() override { cx_arena_done(&arena_); }

  // Unpacks `bytes` cut into `slices` pieces.
  cx_reason Unpack(const std::string &bytes, size_t slices = 1) {
    std::vector<grpc_slice> pieces;
    for (size_t i = 0; i < slices; i++) {
      size_t from = bytes.size() * i / slices, to = bytes.size() * (i + 1) / slices;
      pieces.push_back(grpc_slice_from_copied_buffer(bytes.data() + from, to - from));
    }
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(pieces.data(), pieces.size());
    for (grpc_slice piece : pieces) grpc_slice_unref(piece);
    ProtobufCMessage *message = nullptr;
    cx_reason reason = cx_message_unpack(buffer, &cx__test__echo_request__descriptor, &arena_,
                                         &quota_, &charge_, &message);
    grpc_byte_buffer_destroy(buffer);
    request_ = reinterpret_cast<Cx__Test__EchoRequest *>(message);
    return reason;
  }

  std::string Pack(const std::string &text) {
    Cx__Test__EchoRequest request = CX__TEST__ECHO_REQUEST__INIT;
    request.text = const_cast<char *>(text.c_str());
    return GrpcPack(&request.base);
  }

  cx_arena arena_ = {};
  cx_quota quota_ = {};
  cx_charge charge_ = {};
  Cx__Test__EchoRequest *request_ = nullptr;
};

TEST_F(MessageTest, UnpacksHoweverManySlicesItLiesIn) {
  std::string text(1000, 'x');
  for (size_t slices : {1, 2, 7, 1000}) {
    ASSERT_EQ(CX_REASON_NONE, Unpack(Pack(text), slices)) << slices;
    EXPECT_EQ(text, request_->text);
  }
  ASSERT_EQ(CX_REASON_NONE, Unpack(""));
  EXPECT_STREQ("", request_->text);
}

TEST_F(MessageTest, RefusesWhatIsNoMessage) {
  EXPECT_EQ(CX_REASON_MALFORMED_REQUEST, Unpack("\xff\xff"));
  EXPECT_EQ(CX_REASON_MALFORMED_REQUEST, Unpack(Pack("hello").substr(0, 4)));
  EXPECT_EQ(nullptr, request_);
}

TEST_F(MessageTest, ChargesTheSizeOfASmallMessage) {
  std::string bytes = Pack(std::string(1000, 'x'));
  ASSERT_EQ(CX_REASON_NONE, Unpack(bytes));
  EXPECT_EQ(bytes.size(), quota_.used);
  cx_quota_return(&quota_, &charge_);
  EXPECT_EQ(0u, quota_.used);
  cx_quota_return(&quota_, &charge_);
  EXPECT_EQ(0u, quota_.used);
}

TEST_F(MessageTest, ChargesWhatALargeMessageUnfoldsTo) {
  std::string bytes;
  for (int i = 0; i < 1000; i++) bytes += std::string("\x22\x00", 2);
  ASSERT_EQ(CX_REASON_NONE, Unpack(bytes));
  EXPECT_GT(quota_.used, 1000 * sizeof(Cx__Test__EchoPart));
}

TEST_F(MessageTest, StopsWhereTheQuotaEnds) {
  std::string bytes;
  for (int i = 0; i < 100000; i++) bytes += std::string("\x22\x00", 2);
  EXPECT_EQ(CX_REASON_OVERLOADED, Unpack(bytes));
  EXPECT_LE(quota_.used, quota_.max);
  cx_quota_return(&quota_, &charge_);
  EXPECT_EQ(0u, quota_.used);
  EXPECT_EQ(CX_REASON_OVERLOADED, Unpack(std::string((1 << 20) + 1, 'x')));
  EXPECT_EQ(0u, quota_.used);
}

TEST_F(MessageTest, SaysThatThereIsNoMemory) {
  std::string bytes = Pack(std::string(10000, 'x'));
  fail_nth fail;
  for (size_t nth = 1;; nth++) {
    fail_nth_begin(&fail, nth);
    cx_reason reason = Unpack(bytes);
    if (!fail_nth_end(&fail)) break;
    EXPECT_EQ(CX_REASON_LIMIT_REACHED, reason) << nth;
    cx_quota_return(&quota_, &charge_);
    cx_arena_done(&arena_);
  }
  EXPECT_NE(nullptr, request_);
}

TEST_F(MessageTest, PacksWhatItUnpacks) {
  Cx__Test__EchoRequest request = CX__TEST__ECHO_REQUEST__INIT;
  request.text = const_cast<char *>("hello");
  request.number = 7;
  grpc_byte_buffer *buffer =
      cx_message_pack(&request.base, protobuf_c_message_get_packed_size(&request.base));
  ProtobufCMessage *message = nullptr;
  ASSERT_EQ(CX_REASON_NONE, cx_message_unpack(buffer, &cx__test__echo_request__descriptor, &arena_,
                                              &quota_, &charge_, &message));
  EXPECT_STREQ("hello", reinterpret_cast<Cx__Test__EchoRequest *>(message)->text);
  EXPECT_EQ(7u, reinterpret_cast<Cx__Test__EchoRequest *>(message)->number);
  grpc_byte_buffer_destroy(buffer);
}

TEST_F(MessageTest, JoinsPiecesToOneMessage) {
  std::vector<std::string> texts = {"a", "", std::string(1000, 'b'), "c"};
  std::vector<cx_bytes> pieces;
  for (const std::string &text : texts) {
    pieces.push_back({reinterpret_cast<const uint8_t *>(text.data()), text.size()});
  }
  for (size_t count = 0; count <= pieces.size(); count++) {
    std::string expected;
    for (size_t i = 0; i < count; i++) expected += texts[i];
    grpc_byte_buffer *buffer = cx_message_join(pieces.data(), count, expected.size());
    EXPECT_EQ(expected, BytesOf(buffer)) << count;
    grpc_byte_buffer_destroy(buffer);
  }
}

}  // namespace
