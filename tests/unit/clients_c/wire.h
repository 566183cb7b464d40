// Packed messages for tests.

#ifndef CX_TESTS_WIRE_H
#define CX_TESTS_WIRE_H

extern "C" {
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
}

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/clients_c/fake_server.h"

inline std::string Pack(const ProtobufCMessage *message) {
  std::string packed(protobuf_c_message_get_packed_size(message), '\0');
  protobuf_c_message_pack(message, reinterpret_cast<uint8_t *>(&packed[0]));
  return packed;
}

struct FreeMessage {
  template <typename Message>
  void operator()(Message *message) const {
    protobuf_c_message_free_unpacked(&message->base, nullptr);
  }
};

template <typename Message>
std::unique_ptr<Message, FreeMessage> Unpack(const std::string &packed,
                                             const ProtobufCMessageDescriptor *type) {
  return std::unique_ptr<Message, FreeMessage>(reinterpret_cast<Message *>(
      protobuf_c_message_unpack(type, nullptr, packed.size(),
                                reinterpret_cast<const uint8_t *>(packed.data()))));
}

// A google.rpc.Status whose details are an ErrorInfo of `domain` and, when there is a
// delay, a RetryInfo.
inline std::string StatusDetails(const std::string &domain, const std::string &reason,
                                 const std::map<std::string, std::string> &values,
                                 int64_t retry_delay_ms) {
  Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
  std::vector<Google__Rpc__ErrorInfo__MetadataEntry> entries(
      values.size(), GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT);
  std::vector<Google__Rpc__ErrorInfo__MetadataEntry *> pointers;
  for (const auto &[key, value] : values) {
    Google__Rpc__ErrorInfo__MetadataEntry *entry = &entries[pointers.size()];
    entry->key = const_cast<char *>(key.c_str());
    entry->value = const_cast<char *>(value.c_str());
    pointers.push_back(entry);
  }
  info.domain = const_cast<char *>(domain.c_str());
  info.reason = const_cast<char *>(reason.c_str());
  info.n_metadata = pointers.size();
  info.metadata = pointers.data();

  Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
  delay.seconds = retry_delay_ms / 1000;
  delay.nanos = static_cast<int32_t>(retry_delay_ms % 1000) * 1000000;
  Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
  retry.retry_delay = &delay;

  std::string packed[] = {Pack(&info.base), Pack(&retry.base)};
  const char *types[] = {"type.googleapis.com/google.rpc.ErrorInfo",
                         "type.googleapis.com/google.rpc.RetryInfo"};
  Google__Protobuf__Any any[] = {GOOGLE__PROTOBUF__ANY__INIT, GOOGLE__PROTOBUF__ANY__INIT};
  Google__Protobuf__Any *details[] = {&any[0], &any[1]};
  for (int i = 0; i < 2; i++) {
    any[i].type_url = const_cast<char *>(types[i]);
    any[i].value.len = packed[i].size();
    any[i].value.data = reinterpret_cast<uint8_t *>(&packed[i][0]);
  }
  Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
  status.n_details = retry_delay_ms > 0 ? 2 : 1;
  status.details = details;
  return Pack(&status.base);
}

// What contextd answers when it refuses something.
inline FakeServer::Answer Refusal(int code, const std::string &reason,
                                  const std::map<std::string, std::string> &values,
                                  int64_t retry_delay_ms = 0) {
  FakeServer::Answer answer;
  answer.code = code;
  answer.text = "refused";
  answer.details = code != 0 ? StatusDetails("contextd", reason, values, retry_delay_ms) : "";
  return answer;
}

#endif  // CX_TESTS_WIRE_H
