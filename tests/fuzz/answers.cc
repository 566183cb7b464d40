#include "tests/fuzz/answers.h"

#include <google/protobuf/descriptor.h>
#include <google/rpc/status.pb-c.h>

#include <cstring>
#include <vector>

#include "tests/fuzz/input.h"
#include "tests/fuzz/messages.h"

extern "C" {
#include "core/base/text.h"
#include "server/rpc/status_details.h"
}

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

// The details that proto/contextd/v1/resources.proto and tracker.proto promise of each reason.
std::vector<const char *> DetailsOf(cx_reason reason) {
  switch (reason) {
    case CX_REASON_INVALID_FIELD:
      return {"field", "rule"};
    case CX_REASON_CONTEXT_EXISTS:
      return {"version"};
    case CX_REASON_VERSION_CONFLICT:
    case CX_REASON_HEAD_MOVED:
      return {"current_version"};
    case CX_REASON_ENTRY_CONFLICT:
      return {"key", "current_version"};
    case CX_REASON_SIZE_MISMATCH:
      return {"key", "current_size"};
    case CX_REASON_HAS_CHILDREN:
      return {"child_count"};
    case CX_REASON_PARENT_NOT_FOUND:
      return {"parent_id"};
    case CX_REASON_SESSION_NOT_FOUND:
    case CX_REASON_RESOURCE_HELD:
      return {"session_id"};
    case CX_REASON_STALE_FENCE:
      return {"current_fence"};
    case CX_REASON_CONTEXT_BUSY:
      return {"session_id", "owner"};
    case CX_REASON_LIMIT_REACHED:
      return {"limit"};
    case CX_REASON_RESPONSE_TOO_LARGE:
      return {"size", "limit"};
    case CX_REASON_STATE_NOT_RETAINED:
      return {"oldest_version", "newest_version"};
    case CX_REASON_NOT_SUPPORTED:
      return {"field"};
    default:
      return {};
  }
}

bool HasDetail(const cx_error &error, const char *key) {
  for (size_t i = 0; i < error.detail_count; i++) {
    if (strcmp(error.details[i].key, key) == 0) return true;
  }
  return false;
}

const FieldDescriptor *FieldOf(const Message &message, const char *name) {
  return message.GetDescriptor()->FindFieldByName(name);
}

// Every Failure that a message holds has a reason and a status.
void CheckFailures(const Message &message) {
  const auto *reflection = message.GetReflection();
  if (message.GetDescriptor()->name() == "Failure") {
    FUZZ_REQUIRE(!reflection->GetString(message, FieldOf(message, "reason")).empty() &&
                     reflection->GetInt32(message, FieldOf(message, "code")) != 0,
                 "a failure without a reason");
  }
  std::vector<const FieldDescriptor *> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor *field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) CheckFailures(reflection->GetMessage(message, field));
    for (int i = 0; field->is_repeated() && i < reflection->FieldSize(message, field); i++) {
      CheckFailures(reflection->GetRepeatedMessage(message, field, i));
    }
  }
}

}  // namespace

void CheckAnswer(const ProtobufCMessageDescriptor &type, const std::string &bytes,
                 size_t size_max) {
  std::unique_ptr<Message> message = NewMessage(type.name);
  FUZZ_REQUIRE(bytes.size() <= size_max, "a message of %zu bytes", bytes.size());
  FUZZ_REQUIRE(message->ParseFromString(bytes), "no %s: %s", type.name, FuzzHex(bytes).c_str());
  CheckFailures(*message);
}

void CheckError(const cx_error &error) {
  uint8_t packed[CX_STATUS_DETAILS_SIZE_MAX];
  FUZZ_REQUIRE(error.reason > CX_REASON_NONE && error.reason < CX_REASON_COUNT, "reason %d",
               static_cast<int>(error.reason));
  FUZZ_REQUIRE(error.message[0] != '\0', "%s without a word", cx_reason_name(error.reason));
  for (const char *key : DetailsOf(error.reason)) {
    FUZZ_REQUIRE(HasDetail(error, key), "%s without %s", cx_reason_name(error.reason), key);
  }
  size_t size = cx_status_details_pack(&error, packed);
  FUZZ_REQUIRE(size > 0 && size <= sizeof packed, "%zu bytes on the wire", size);
  Google__Rpc__Status *status = google__rpc__status__unpack(nullptr, size, packed);
  FUZZ_REQUIRE(
      status != nullptr && status->code == static_cast<int>(cx_reason_status(error.reason)),
      "another status on the wire");
  FUZZ_REQUIRE(status->n_details >= 1, "no details on the wire");
  FUZZ_REQUIRE(cx_text_is_utf8(cx_bytes_of(status->message)), "a message that is no text");
  google__rpc__status__free_unpacked(status, nullptr);
}

std::string TokenOf(const std::string &type, const std::string &bytes) {
  std::unique_ptr<Message> message = NewMessage(type);
  const FieldDescriptor *token = FieldOf(*message, "next_page_token");
  if (token == nullptr || !message->ParseFromString(bytes)) return "";
  return message->GetReflection()->GetString(*message, token);
}

std::string SessionOf(const std::string &bytes) {
  std::unique_ptr<Message> message = NewMessage("contextd.v1.StartSessionResponse");
  const FieldDescriptor *field = FieldOf(*message, "session");
  if (!message->ParseFromString(bytes)) return "";
  const Message &session = message->GetReflection()->GetMessage(*message, field);
  return session.GetReflection()->GetString(session, FieldOf(session, "id"));
}

size_t CountResults(const std::string &type, const std::string &bytes) {
  std::unique_ptr<Message> message = NewMessage(type);
  const FieldDescriptor *results = FieldOf(*message, "results");
  if (results == nullptr || !message->ParseFromString(bytes)) return 0;
  return static_cast<size_t>(message->GetReflection()->FieldSize(*message, results));
}
