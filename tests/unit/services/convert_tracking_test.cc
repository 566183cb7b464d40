// What server/services/convert_tracking.h promises.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/convert_tracking.h"
}

namespace {

class ConvertTrackingTest : public testing::Test {
 protected:
  ~ConvertTrackingTest() override { cx_arena_done(&arena_); }

  static std::string Show(const char *type, const ProtobufCMessage *message) {
    std::string bytes(protobuf_c_message_get_packed_size(message), '\0');
    protobuf_c_message_pack(message, reinterpret_cast<uint8_t *>(&bytes[0]));
    return TextDecode(type, bytes);
  }

  cx_arena arena_ = {};
  cx_draft draft_ = {cx_allocator_of_arena(&arena_), false};
};

TEST_F(ConvertTrackingTest, ShowsAllOfASession) {
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  cx_activation_view activations[2] = {};
  activations[0] = {cx_bytes_of("a"), 7, true, 3};
  activations[1] = {cx_bytes_of("b"), 0, false, 1000000};
  cx_session_view view = {};
  view.namespace_id = cx_bytes_of("n");
  view.id = cx_bytes_of("i");
  view.owner = cx_bytes_of("o");
  view.labels = &label;
  view.label_count = 1;
  view.create_time_us = 1000000;
  view.expire_time_us = 2000000;
  view.activations = activations;
  view.activation_count = 2;
  view.current_context_id = cx_bytes_of("b");
  EXPECT_EQ(
      "namespace: \"n\" id: \"i\" owner: \"o\" metadata { key: \"k\" value: \"v\" } "
      "create_time { seconds: 1 } expire_time { seconds: 2 } "
      "activations { context_id: \"a\" fence: 7 exclusive: true time { nanos: 3000 } } "
      "activations { context_id: \"b\" time { seconds: 1 } } current_context_id: \"b\"",
      Show("Session", &cx_session_message(&draft_, &view)->base));
  EXPECT_FALSE(draft_.failed);
}

TEST_F(ConvertTrackingTest, ShowsAllOfAResource) {
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  struct cx_resource_view view = {cx_bytes_of("r"), cx_bytes_of("t"), cx_bytes_of("s"), &label, 1,
                                  1000000};
  EXPECT_EQ(
      "name: \"r\" type: \"t\" session_id: \"s\" metadata { key: \"k\" value: \"v\" } "
      "time { seconds: 1 }",
      Show("Resource", &cx_resource_message(&draft_, &view)->base));
}

TEST_F(ConvertTrackingTest, ShowsNothingForNone) {
  cx_activation_view none = {};
  EXPECT_EQ(nullptr, cx_session_message(&draft_, nullptr));
  EXPECT_EQ(nullptr, cx_activation_message(&draft_, &none));
  EXPECT_FALSE(draft_.failed);
}

}  // namespace
