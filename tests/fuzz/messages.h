// The API's messages by way of protobuf's own C++ library, which is stricter than
// protobuf-c and shares nothing with it.

#ifndef CX_TESTS_FUZZ_MESSAGES_H
#define CX_TESTS_FUZZ_MESSAGES_H

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

// An empty message of a type such as "contextd.v1.Context".
std::unique_ptr<google::protobuf::Message> NewMessage(const std::string &type);

// A request in which the texts `s1`, `s2` and so on in fields called `session_id` are replaced
// by those of `sessions`. What is no such message, or names none, stays as it is.
std::string WithSessions(const std::string &type, const std::string &bytes,
                         const std::vector<std::string> &sessions);

#endif  // CX_TESTS_FUZZ_MESSAGES_H
