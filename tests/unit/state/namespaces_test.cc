// What namespaces.h promises: a namespace is there while somebody holds it.

#include <gtest/gtest.h>

extern "C" {
#include "core/base/memory.h"
#include "core/state/namespaces.h"
#include "tests/support/fail_nth.h"
}

#include "tests/support/requests.h"

namespace {

class NamespacesTest : public testing::Test {
 protected:
  NamespacesTest() : before_(cx_memory_used()) { cx_namespaces_init(&table_); }
  ~NamespacesTest() override {
    cx_namespaces_done(&table_);
    EXPECT_EQ(before_, cx_memory_used());
  }

  cx_namespace *Get(const std::string &name) {
    cx_namespace *totals = nullptr;
    EXPECT_EQ(CX_OK, cx_namespaces_get(&table_, Bytes(name), &totals));
    return totals;
  }

  // The names behind `after` that a walk shows, with their counts.
  std::vector<std::string> Walk(const std::string &after, size_t count_max = 100) {
    struct Seen {
      std::vector<std::string> rows;
      size_t count_max;
    } seen = {{}, count_max};
    cx_namespaces_walk(
        &table_, Bytes(after),
        [](void *arg, cx_bytes name, uint64_t contexts, uint64_t bytes) {
          auto *rows = static_cast<Seen *>(arg);
          rows->rows.push_back(Text(name) + " " + std::to_string(contexts) + " " +
                               std::to_string(bytes));
          return rows->rows.size() < rows->count_max;
        },
        &seen);
    return seen.rows;
  }

  int64_t before_;
  cx_namespaces table_;
};

TEST_F(NamespacesTest, AreThereWhileSomebodyHoldsThem) {
  cx_namespace *a = Get("a");
  EXPECT_EQ(a, Get("a"));
  cx_namespace_ref(a);
  cx_namespace_unref(a);
  cx_namespace_unref(a);
  cx_namespace_add(a, 1, 5);
  EXPECT_EQ(a, Get("a"));
  cx_namespace_unref(a);
  cx_namespace_unref(a);
  cx_namespace *again = Get("a");
  EXPECT_EQ(0u, again->context_count) << "begins anew";
  cx_namespace_unref(again);
  cx_namespace_unref(nullptr);
}

TEST_F(NamespacesTest, AreWalkedByNameWithoutTheEmptyOnes) {
  std::vector<cx_namespace *> held;
  for (const char *name : {"c", "a", "b", "empty", "ab"}) held.push_back(Get(name));
  for (cx_namespace *totals : held) {
    if (totals != held[3]) cx_namespace_add(totals, 2, 10);
  }
  cx_namespace_add(held[0], -1, -4);
  EXPECT_EQ((std::vector<std::string>{"a 2 10", "ab 2 10", "b 2 10", "c 1 6"}), Walk(""));
  EXPECT_EQ((std::vector<std::string>{"ab 2 10", "b 2 10"}), Walk("a", 2));
  EXPECT_EQ((std::vector<std::string>{"b 2 10", "c 1 6"}), Walk("abc"));
  EXPECT_EQ(std::vector<std::string>{}, Walk("c"));
  for (cx_namespace *totals : held) cx_namespace_unref(totals);
}

TEST_F(NamespacesTest, SayWhenThereIsNoMemory) {
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_namespace *totals = nullptr;
    fail_nth_begin(&fail, nth);
    cx_status status = cx_namespaces_get(&table_, cx_bytes_of("a"), &totals);
    if (!fail_nth_end(&fail)) {
      cx_namespace_unref(totals);
      break;
    }
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status);
    EXPECT_EQ(nullptr, totals);
  }
}

}  // namespace
