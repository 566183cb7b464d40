// Conversions by themselves: messages from texts, and what they come to, without an engine
// behind.

#ifndef CX_TESTS_UNIT_SERVICES_CONVERT_FIXTURE_H
#define CX_TESTS_UNIT_SERVICES_CONVERT_FIXTURE_H

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "core/base/arena.h"
#include "server/services/convert_request.h"
}

class ConvertFixture : public testing::Test {
 protected:
  ConvertFixture() {
    conversion_.memory = cx_allocator_of_arena(&arena_);
    conversion_.error = &error_;
  }
  ~ConvertFixture() override { cx_arena_done(&arena_); }

  // A message of the type that `descriptor` is of, which must be `Message`.
  template <typename Message>
  const Message *Make(const ProtobufCMessageDescriptor &descriptor, const std::string &text) {
    return MakeOf<Message>(descriptor, TextEncode(descriptor.short_name, text));
  }

  // The same from what it is packed into: for what the text format does not say.
  template <typename Message>
  const Message *MakeOf(const ProtobufCMessageDescriptor &descriptor, const std::string &bytes) {
    ProtobufCAllocator allocator = {Alloc, [](void *, void *) {}, &arena_};
    EXPECT_EQ(sizeof(Message), descriptor.sizeof_message);
    return reinterpret_cast<const Message *>(
        protobuf_c_message_unpack(&descriptor, &allocator, bytes.size(),
                                  reinterpret_cast<const uint8_t *>(bytes.data())));
  }

  // What a conversion came to: nothing, or its error.
  std::string Came(cx_status status) {
    if (status == CX_OK) return "";
    std::string text = cx_reason_name(error_.reason);
    for (size_t i = 0; i < error_.detail_count; i++) {
      text += std::string(" ") + error_.details[i].key + "=" +
              std::string(error_.text + error_.details[i].start, error_.details[i].size);
    }
    return text;
  }

  static std::string Invalid(const std::string &field, const std::string &rule) {
    return "INVALID_FIELD field=" + field + " rule=" + rule;
  }

  cx_arena arena_ = {};
  cx_error error_ = {};
  cx_conversion conversion_ = {};

 private:
  static void *Alloc(void *arena, size_t size) {
    return cx_arena_alloc(static_cast<cx_arena *>(arena), size);
  }
};

#endif  // CX_TESTS_UNIT_SERVICES_CONVERT_FIXTURE_H
