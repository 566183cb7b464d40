// The API's messages as text, by way of protobuf's own C++ library: what tests send is
// not made, and what they receive not read, by the code that they test.
//
//   std::string bytes = TextEncode("GetContextRequest", "state { context_id: 'a' }");
//   std::string text = TextDecode("GetContextResponse", bytes);
//
// Texts are in protobuf's text format, on one line, maps in the order of their keys.

#ifndef CX_TESTS_SUPPORT_TEXT_MESSAGE_H
#define CX_TESTS_SUPPORT_TEXT_MESSAGE_H

#include <string>

// Packs a message of the package contextd.v1. A text that is none is a bug: it aborts.
std::string TextEncode(const std::string &type, const std::string &text);

// "(malformed)" for bytes that are no such message.
std::string TextDecode(const std::string &type, const std::string &bytes);

// `text` as a string of the text format, in quotes.
std::string TextQuote(const std::string &text);

#endif  // CX_TESTS_SUPPORT_TEXT_MESSAGE_H
