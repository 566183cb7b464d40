// The committed corpus of one fuzz target, input by input: what once broke stays mended,
// with any compiler. The target is linked in, and the corpus is the test's argument.

#include <dirent.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/input.h"

namespace {

std::string corpus;

std::vector<std::string> Names() {
  std::vector<std::string> names;
  DIR *folder = opendir(corpus.c_str());
  if (folder == nullptr) return names;
  while (const dirent *entry = readdir(folder)) {
    if (entry->d_name[0] != '.') names.push_back(entry->d_name);
  }
  closedir(folder);
  std::sort(names.begin(), names.end());
  return names;
}

TEST(CorpusTest, EveryInputKeepsThePromises) {
  std::vector<std::string> names = Names();
  ASSERT_FALSE(names.empty()) << corpus << " holds nothing";
  for (const std::string &name : names) {
    std::ifstream file(corpus + "/" + name, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    SCOPED_TRACE(name);
    printf("%s\n", name.c_str());  // Before it ends the process, if it does.
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size());
  }
}

TEST(CorpusTest, NothingIsAnInputToo) {
  const uint8_t none = 0;
  LLVMFuzzerTestOneInput(&none, 0);
}

}  // namespace

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  corpus = argc > 1 ? argv[1] : "";
  return RUN_ALL_TESTS();
}
