#include "tests/support/text_message.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::DynamicMessageFactory;
using google::protobuf::FileDescriptorSet;
using google::protobuf::Message;
using google::protobuf::TextFormat;

[[noreturn]] void Die(const std::string &what, const std::string &text) {
  fprintf(stderr, "%s: %s\n", what.c_str(), text.c_str());
  abort();
}

const DescriptorPool *Pool() {
  static const DescriptorPool *pool = [] {
    const char *path = "tests/support/contextd.protoset";
    std::ifstream file(path, std::ios::binary);
    FileDescriptorSet set;
    auto *made = new DescriptorPool;
    if (!set.ParseFromIstream(&file)) Die("cannot read", path);
    for (const auto &each : set.file()) made->BuildFile(each);
    return made;
  }();
  return pool;
}

std::unique_ptr<Message> NewMessage(const std::string &type) {
  static auto *factory = new DynamicMessageFactory;
  const Descriptor *descriptor = Pool()->FindMessageTypeByName("contextd.v1." + type);
  if (descriptor == nullptr) Die("no such message", type);
  return std::unique_ptr<Message>(factory->GetPrototype(descriptor)->New());
}

}  // namespace

std::string TextEncode(const std::string &type, const std::string &text) {
  std::unique_ptr<Message> message = NewMessage(type);
  if (!TextFormat::ParseFromString(text, message.get())) Die("no " + type, text);
  return message->SerializeAsString();
}

std::string TextDecode(const std::string &type, const std::string &bytes) {
  std::unique_ptr<Message> message = NewMessage(type);
  TextFormat::Printer printer;
  std::string text;
  if (!message->ParseFromString(bytes)) return "(malformed)";
  printer.SetSingleLineMode(true);
  printer.PrintToString(*message, &text);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string TextQuote(const std::string &text) {
  std::string quoted = "\"";
  for (unsigned char c : text) {
    char escaped[8];
    snprintf(escaped, sizeof escaped, "\\%03o", c);
    quoted += escaped;
  }
  return quoted + "\"";
}
