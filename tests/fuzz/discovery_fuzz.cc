// What strangers ask a server first: grpc.health.v1 and grpc.reflection.
//
//  - A call ends when the client or the health ends it, whatever was asked.
//  - Every message has its form, and an answer to reflection repeats its question.

#include <memory>

#include "tests/fuzz/input.h"
#include "tests/unit/services/fake_call.h"

extern "C" {
#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "server/services/health.h"
#include "server/services/reflection.h"
#include "server/services/services.h"
}

namespace {

using Message = std::unique_ptr<ProtobufCMessage, void (*)(ProtobufCMessage *)>;

Message Unpack(const ProtobufCMessageDescriptor *type, const std::string &bytes) {
  auto free_message = [](ProtobufCMessage *each) {
    if (each != nullptr) protobuf_c_message_free_unpacked(each, nullptr);
  };
  auto *data = reinterpret_cast<const uint8_t *>(bytes.data());
  return Message(protobuf_c_message_unpack(type, nullptr, bytes.size(), data), free_message);
}

void CheckMessages(const cx_call &call) {
  for (const std::string &each : call.messages) {
    FUZZ_REQUIRE(Unpack(call.output, each) != nullptr, "no %s", call.output->name);
  }
}

void AskHealth(Input *input) {
  const cx_service *services[] = {&cx_context_manager_service};
  cx_health *health;
  FUZZ_REQUIRE(cx_health_new(services, 1, &health) == CX_OK, "no health");
  const cx_service *service = cx_health_service(health);
  uint8_t kind = input->Byte();
  {
    cx_call call(*service, service->methods[kind % service->method_count].name, service->app);
    cx_health_set(health, (kind & 0x40) != 0);
    Message request = Unpack(call.input, input->Run());
    if (request == nullptr) {
      call.End();
    } else {
      call.BeginWith(request.get());
    }
    for (int i = 0; !call.ended() && i < 8; i++) {
      uint8_t step = input->Byte();
      if (step < 0x80 && call.sending) call.Sent();
      if (step >= 0x80) cx_health_set(health, (step & 1) != 0);
    }
    if (!call.ended() && (kind & 0x80) != 0) call.Leave();
    cx_health_stop(health);
    while (!call.ended() && call.sending) call.Sent();
    FUZZ_REQUIRE(call.ended(), "a watch outlives its health");
    CheckMessages(call);
  }
  cx_health_free(health);
}

// What the server speaks does not change: made once, and left to the process's end.
const cx_reflection *Reflection() {
  static const cx_reflection *reflection = [] {
    const cx_service *services[] = {&cx_context_manager_service, &cx_tracker_service};
    cx_reflection *made;
    FUZZ_REQUIRE(cx_reflection_new(services, 2, &made) == CX_OK, "no reflection");
    return made;
  }();
  return reflection;
}

void AskReflection(Input *input) {
  const cx_service *service =
      cx_reflection_service(Reflection(), input->Below(CX_REFLECTION_SERVICES));
  cx_call call(*service, service->methods[0].name, service->app);
  call.BeginWith(nullptr);
  while (!input->empty()) {
    Message request = Unpack(call.input, input->Run());
    // An answer repeats what nobody knows, too, be it a field that cannot be.
    if (request == nullptr || request->n_unknown_fields > 0) continue;
    size_t before = call.messages.size();
    // Sized for the descriptors of every file.
    call.message_size_max = 4 << 20;
    call.ReceiveWith(request.get());
    FUZZ_REQUIRE(call.messages.size() == before + 1, "a question without an answer");
    Message answer = Unpack(call.output, call.messages.back());
    auto *response =
        reinterpret_cast<Grpc__Reflection__V1__ServerReflectionResponse *>(answer.get());
    FUZZ_REQUIRE(response != nullptr && response->original_request != nullptr &&
                     response->message_response_case != 0,
                 "an answer without its question: %s", FuzzHex(call.messages.back()).c_str());
    call.Sent();
  }
  if (call.receiving) call.ReceiveEnd();
  CheckMessages(call);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input(data, size);
  (void)Reflection();
  NoLeaks no_leaks;
  if (input.Flag()) {
    AskHealth(&input);
  } else {
    AskReflection(&input);
  }
  return 0;
}
