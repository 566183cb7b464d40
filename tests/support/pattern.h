// Regular expressions over what was told, behind a door: <regex> costs each file that includes
// it as much time to build as everything else in it.

#ifndef CX_TESTS_SUPPORT_PATTERN_H
#define CX_TESTS_SUPPORT_PATTERN_H

#include <string>
#include <vector>

// What the first group of `pattern` is, wherever it is found.
std::vector<std::string> FindAll(const std::string &text, const std::string &pattern);

// The first of them, or "".
std::string FindFirst(const std::string &text, const std::string &pattern);

// `text` with `by` wherever `pattern` is found.
std::string ReplaceAll(const std::string &text, const std::string &pattern, const std::string &by);

#endif  // CX_TESTS_SUPPORT_PATTERN_H
