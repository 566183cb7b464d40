#include "tests/fuzz/messages.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>

#include <fstream>

#include "tests/fuzz/input.h"

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::DynamicMessageFactory;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptorSet;
using google::protobuf::Message;

static const DescriptorPool *Pool() {
  static const DescriptorPool *pool = [] {
    std::ifstream file("tests/support/contextd.protoset", std::ios::binary);
    FileDescriptorSet set;
    auto *made = new DescriptorPool;
    google::protobuf::SetLogHandler(nullptr);  // Bad UTF-8 is no news here.
    FUZZ_REQUIRE(set.ParseFromIstream(&file), "no tests/support/contextd.protoset here");
    for (const auto &each : set.file()) made->BuildFile(each);
    return made;
  }();
  return pool;
}

std::unique_ptr<Message> NewMessage(const std::string &type) {
  static auto *factory = new DynamicMessageFactory;
  const Descriptor *descriptor = Pool()->FindMessageTypeByName(type);
  FUZZ_REQUIRE(descriptor != nullptr, "no message %s", type.c_str());
  return std::unique_ptr<Message>(factory->GetPrototype(descriptor)->New());
}

// Returns whether something was replaced.
static bool NameSessions(Message *message, const std::vector<std::string> &sessions) {
  const auto *reflection = message->GetReflection();
  std::vector<const FieldDescriptor *> fields;
  bool replaced = false;
  reflection->ListFields(*message, &fields);
  for (const FieldDescriptor *field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!field->is_repeated()) {
        replaced |= NameSessions(reflection->MutableMessage(message, field), sessions);
      }
      for (int i = 0; field->is_repeated() && i < reflection->FieldSize(*message, field); i++) {
        replaced |= NameSessions(reflection->MutableRepeatedMessage(message, field, i), sessions);
      }
    } else if (field->name() == "session_id") {
      std::string name = reflection->GetString(*message, field);
      for (size_t i = 0; i < sessions.size(); i++) {
        if (name != "s" + std::to_string(i + 1)) continue;
        reflection->SetString(message, field, sessions[i]);
        replaced = true;
      }
    }
  }
  return replaced;
}

std::string WithSessions(const std::string &type, const std::string &bytes,
                         const std::vector<std::string> &sessions) {
  if (sessions.empty()) return bytes;
  std::unique_ptr<Message> message = NewMessage(type);
  if (!message->ParseFromString(bytes) || !NameSessions(message.get(), sessions)) return bytes;
  return message->SerializeAsString();
}
