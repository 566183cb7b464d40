// What an answer of the server has to look like, whatever was asked.

#ifndef CX_TESTS_FUZZ_ANSWERS_H
#define CX_TESTS_FUZZ_ANSWERS_H

#include <protobuf-c/protobuf-c.h>

#include <string>

extern "C" {
#include "core/base/error.h"
}

// A message of this type that every client can parse, of at most `size_max` bytes. What has
// failed in it says why.
void CheckAnswer(const ProtobufCMessageDescriptor &type, const std::string &bytes, size_t size_max);

// An error with a message, the details that its reason promises, and a form on the wire.
void CheckError(const cx_error &error);

// The field `next_page_token` of a message; empty when it has none.
std::string TokenOf(const std::string &type, const std::string &bytes);

// The id of the session that a StartSessionResponse shows; empty when it shows none.
std::string SessionOf(const std::string &bytes);

// The number of `results` of a message.
size_t CountResults(const std::string &type, const std::string &bytes);

#endif  // CX_TESTS_FUZZ_ANSWERS_H
