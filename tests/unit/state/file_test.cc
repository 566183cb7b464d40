// What file.h promises: a row is the last operation and how many there were; pages go
// through the rows by path.

#include <gtest/gtest.h>

extern "C" {
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/file.h"
#include "tests/support/fail_nth.h"
}

#include <random>
#include <set>

#include "tests/support/requests.h"
#include "tests/support/seed.h"

namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() : before_(cx_memory_used()) {}
  ~FileTest() override {
    cx_tree_done(&cx_file_class, &files_);
    EXPECT_EQ(before_, cx_memory_used()) << "everything is given back";
  }

  static cx_file_row *New(const std::string &path, const std::string &operation = "",
                          const std::string &source = "", const cx_file_row *before = nullptr) {
    cx_file_operation parts = {Bytes(path), Bytes(operation), Bytes(source)};
    cx_file_row *file = nullptr;
    EXPECT_EQ(CX_OK, cx_file_new(&parts, before, &file));
    return file;
  }

  static void Unref(cx_file_row *file) { cx_tree_item_unref(&cx_file_class, &file->item); }

  void Add(const std::string &path) {
    cx_tree_item *old;
    ASSERT_EQ(CX_OK, cx_tree_put(&cx_file_class, &files_, nullptr, &New(path)->item, &old));
    ASSERT_EQ(nullptr, old);
  }

  cx_file_page List(const std::string &prefix, const std::string &after, size_t count_max) {
    cx_tracked_query query = {};
    query.prefix = Bytes(prefix);
    query.after = Bytes(after);
    query.count_max = count_max;
    cx_file_page page = {};
    page.files = cx_tree_copy(&files_);
    EXPECT_EQ(CX_OK, cx_file_list(&query, &page));
    return page;
  }

  int64_t before_;
  cx_tree files_ = {};
};

TEST_F(FileTest, TellsTheLastOperationAndHowManyThereWere) {
  cx_file_row *first = New("path", "read", "tool");
  struct cx_file_view view;
  cx_file_view(first, &view);
  EXPECT_EQ(1u, view.operation_count);
  EXPECT_EQ(0, view.time_us) << "that of its change is set later";

  cx_file_row *second = New("path", "write", "", first);
  second->time_us = 9;
  Unref(first);
  cx_file_view(second, &view);
  EXPECT_EQ("path", Text(view.last.path));
  EXPECT_EQ("write", Text(view.last.operation));
  EXPECT_EQ("", Text(view.last.source)) << "nothing of the operation before";
  EXPECT_EQ(9, view.time_us);
  EXPECT_EQ(2u, view.operation_count);
  Unref(second);
}

TEST_F(FileTest, HoldsTheLongestNames) {
  std::string path(CX_FILE_PATH_SIZE_MAX, 'p'), operation(CX_FILE_OPERATION_SIZE_MAX, 'o'),
      source(CX_FILE_SOURCE_SIZE_MAX, 's');
  cx_file_row *file = New(path, operation, source);
  struct cx_file_view view;
  cx_file_view(file, &view);
  EXPECT_EQ(path, Text(view.last.path));
  EXPECT_EQ(operation, Text(view.last.operation));
  EXPECT_EQ(source, Text(view.last.source));
  Unref(file);
}

TEST_F(FileTest, ListsByPathWhatHasThePrefixAndIsBehindTheLastPage) {
  uint64_t seed = TestSeed();
  SCOPED_TRACE("CONTEXTD_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  auto path = [&random](size_t size_min) {
    std::string text;
    for (size_t i = size_min + random() % 5; i > 0; i--) text += "ab/"[random() % 3];
    return text;
  };
  std::set<std::string> paths;
  for (int i = 0; i < 200; i++) {
    std::string one = path(1);
    if (paths.insert(one).second) Add(one);
  }
  for (int round = 0; round < 2000; round++) {
    std::string prefix = path(0), after = path(0);
    size_t count_max = 1 + random() % 20;
    std::vector<std::string> wanted;
    bool more = false;
    for (const std::string &one : paths) {
      if (one <= after || one.compare(0, prefix.size(), prefix) != 0) continue;
      more = wanted.size() == count_max;
      if (more) break;
      wanted.push_back(one);
    }
    cx_file_page page = List(prefix, after, count_max);
    std::vector<std::string> listed;
    for (size_t i = 0; i < page.count; i++) listed.push_back(Text(page.rows[i].last.path));
    EXPECT_EQ(wanted, listed) << "prefix " << prefix << " after " << after;
    EXPECT_EQ(more, page.more);
    cx_file_page_done(&page);
  }
}

TEST_F(FileTest, ListsNothingOfNoFiles) {
  cx_file_page page = List("", "", CX_PAGE_SIZE_MAX);
  EXPECT_EQ(0u, page.count);
  EXPECT_FALSE(page.more);
  cx_file_page_done(&page);
}

TEST_F(FileTest, MixesAllOfItIntoADigest) {
  cx_file_row *first = New("p", "o", "s");
  uint64_t digest = cx_file_mix(9, first);
  cx_file_row *others[] = {New("p", "o", "s"), New("x", "o", "s"),        New("p", "x", "s"),
                           New("p", "o", "x"), New("p", "o", "s", first), New("p", "o", "s")};
  others[5]->time_us = 1;
  for (cx_file_row *other : others) {
    EXPECT_EQ(other == others[0], digest == cx_file_mix(9, other)) << &other - others;
    Unref(other);
  }
  EXPECT_NE(digest, cx_file_mix(8, first));
  Unref(first);
}

TEST_F(FileTest, SaysWhenThereIsNoMemory) {
  struct fail_nth fail;
  cx_file_operation parts = {cx_bytes_of("p"), {}, {}};
  cx_file_row *file = nullptr;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_file_new(&parts, nullptr, &file));
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(nullptr, file);

  Add("p");
  cx_tracked_query query = {};
  query.count_max = 1;
  cx_file_page page = {};
  page.files = cx_tree_copy(&files_);
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_file_list(&query, &page));
  EXPECT_TRUE(fail_nth_end(&fail));
  cx_file_page_done(&page);
}

}  // namespace
