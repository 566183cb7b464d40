// The API's messages by way of protobuf's own C++ library, which is stricter than
// protobuf-c and shares nothing with it.

#ifndef CX_TESTS_FUZZ_MESSAGES_H
#define CX_TESTS_FUZZ_MESSAGES_H

#include <google/protobuf/message.h>

#include <memory>
#include <string>

// An empty message of a type such as "contextd.v1.Context".
std::unique_ptr<google::protobuf::Message> NewMessage(const std::string &type);

#endif  // CX_TESTS_FUZZ_MESSAGES_H
