#include "tests/support/pattern.h"

#include <regex>

std::vector<std::string> FindAll(const std::string &text, const std::string &pattern) {
  std::vector<std::string> found;
  std::regex regex(pattern);
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i) {
    found.push_back((*i)[1]);
  }
  return found;
}

std::string FindFirst(const std::string &text, const std::string &pattern) {
  std::smatch match;
  return std::regex_search(text, match, std::regex(pattern)) ? match[1].str() : "";
}

std::string ReplaceAll(const std::string &text, const std::string &pattern, const std::string &by) {
  return std::regex_replace(text, std::regex(pattern), by);
}
