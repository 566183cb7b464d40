#include "tests/fuzz/messages.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>

#include <fstream>

#include "tests/fuzz/input.h"

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::DynamicMessageFactory;
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
