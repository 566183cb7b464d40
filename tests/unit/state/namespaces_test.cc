// What namespaces.h promises: a namespace is there while somebody holds it, and what models
// cost in it for ever.

#include <gtest/gtest.h>

extern "C" {
#include "core/base/memory.h"
#include "core/state/namespaces.h"
#include "tests/support/fail_nth.h"
}

#include <thread>

#include "tests/support/requests.h"

namespace {

const cx_usage_sums kOneCall = {1, 10, 20, 30, 40, 50};

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

  static cx_usage_key Key(const std::string &provider) {
    cx_model_usage call = {};
    call.provider = Bytes(provider);
    call.currency = cx_bytes_of("USD");
    cx_usage_key key;
    cx_usage_key_init(&key, &call);
    return key;
  }

  // The row of a provider, which the caller uses. NULL: it failed as `wanted` says.
  static cx_namespace_usage *Use(cx_namespace *totals, const std::string &provider,
                                 size_t count_max = 1000, cx_status wanted = CX_OK) {
    cx_usage_key key = Key(provider);
    cx_namespace_usage *row = nullptr;
    EXPECT_EQ(wanted, cx_namespace_usage_get(totals, &key, count_max, &row));
    return row;
  }

  void AddCalls(cx_namespace *totals, const std::string &provider, const cx_usage_sums &sums) {
    cx_namespace_usage *row = Use(totals, provider);
    ASSERT_NE(nullptr, row);
    cx_namespace_usage_add(row, &sums);
    cx_namespace_usage_unref(row);
  }

  // The providers of a namespace, with how many calls there were.
  std::vector<std::string> Usage(const std::string &name) {
    cx_usage_summary summary;
    std::vector<std::string> rows;
    EXPECT_EQ(CX_OK, cx_namespaces_summarize_usage(&table_, Bytes(name), &summary));
    for (size_t i = 0; i < summary.count; i++) {
      const cx_usage_total &total = summary.totals[i];
      EXPECT_EQ(10 * total.call_count, total.input_tokens);
      rows.push_back(Text(total.provider) + " " + std::to_string(total.call_count));
    }
    cx_usage_summary_done(&summary);
    return rows;
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

// ---- What models cost. -------------------------------------------------------

TEST_F(NamespacesTest, AddUpCallsByRow) {
  cx_namespace *a = Get("a"), *b = Get("b");
  AddCalls(a, "y", kOneCall);
  AddCalls(a, "x", kOneCall);
  AddCalls(a, "y", kOneCall);
  AddCalls(b, "y", kOneCall);
  EXPECT_EQ((std::vector<std::string>{"x 1", "y 2"}), Usage("a"));
  EXPECT_EQ(std::vector<std::string>{"y 1"}, Usage("b"));
  EXPECT_EQ(std::vector<std::string>{}, Usage("none"));
  cx_namespace_unref(a);
  cx_namespace_unref(b);
}

TEST_F(NamespacesTest, KeepWhatModelsCostWhenNobodyHoldsThemAnyMore) {
  cx_namespace *a = Get("a");
  cx_namespace_add(a, 1, 5);
  AddCalls(a, "x", kOneCall);
  cx_namespace_add(a, -1, -5);
  cx_namespace_unref(a);
  EXPECT_EQ(std::vector<std::string>{"x 1"}, Usage("a"));
  EXPECT_EQ(std::vector<std::string>{}, Walk("")) << "lists show those with contexts alone";
  EXPECT_EQ(a, Get("a"));
  AddCalls(a, "x", kOneCall);
  cx_namespace_unref(a);
  EXPECT_EQ(std::vector<std::string>{"x 2"}, Usage("a"));
}

TEST_F(NamespacesTest, DropARowWithoutCallsWithItsLastUse) {
  int64_t used = cx_memory_used();
  cx_namespace *a = Get("a");
  cx_namespace_usage *one = Use(a, "x"), *other = Use(a, "x");
  EXPECT_EQ(one, other);
  EXPECT_EQ(std::vector<std::string>{}, Usage("a")) << "without calls it is not told";
  cx_namespace_usage_unref(one);
  cx_namespace_unref(a);
  EXPECT_EQ(a, Get("a")) << "a use holds the namespace";
  cx_namespace_unref(a);
  cx_namespace_usage_unref(other);
  cx_namespace_usage_unref(nullptr);
  EXPECT_EQ(used, cx_memory_used());
}

TEST_F(NamespacesTest, RefuseANewRowBeyondTheBound) {
  cx_namespace *a = Get("a");
  AddCalls(a, "x", kOneCall);
  cx_namespace_usage *tried = Use(a, "y", 2);
  ASSERT_NE(nullptr, tried);
  EXPECT_EQ(nullptr, Use(a, "z", 2, CX_OUT_OF_RANGE)) << "one that is only tried counts too";
  for (const char *known : {"x", "y"}) {
    cx_namespace_usage *row = Use(a, known, 0);
    EXPECT_NE(nullptr, row) << "what is there is no new one";
    cx_namespace_usage_unref(row);
  }
  cx_namespace_usage_unref(tried);
  tried = Use(a, "z", 2);
  EXPECT_NE(nullptr, tried) << "there is room again";
  cx_namespace_usage_unref(tried);
  cx_namespace_unref(a);
}

TEST_F(NamespacesTest, MixIntoADigestWhatModelsCost) {
  uint64_t digest = cx_namespaces_mix_usage(&table_, 7);
  EXPECT_EQ(7u, digest);
  cx_namespace *a = Get("a"), *b = Get("b");
  cx_namespace_usage *tried = Use(a, "tried");
  EXPECT_EQ(digest, cx_namespaces_mix_usage(&table_, 7)) << "rows without calls are not there";
  cx_namespace_usage_unref(tried);
  AddCalls(a, "x", kOneCall);
  uint64_t one = cx_namespaces_mix_usage(&table_, 7);
  EXPECT_NE(digest, one);
  AddCalls(a, "x", kOneCall);
  EXPECT_NE(one, cx_namespaces_mix_usage(&table_, 7));

  cx_namespaces other;
  cx_namespaces_init(&other);
  cx_namespace *c = nullptr;
  ASSERT_EQ(CX_OK, cx_namespaces_get(&other, Bytes("c"), &c));
  AddCalls(c, "x", kOneCall);
  EXPECT_NE(one, cx_namespaces_mix_usage(&other, 7)) << "the same in another namespace";
  cx_namespace_unref(c);
  cx_namespaces_done(&other);
  cx_namespace_unref(a);
  cx_namespace_unref(b);
}

TEST_F(NamespacesTest, AreUsedByManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([this] {
      for (int round = 0; round < 500; round++) {
        cx_namespace *totals = Get(round % 2 == 0 ? "a" : "b");
        AddCalls(totals, "x", kOneCall);
        cx_namespace_usage_unref(Use(totals, "tried"));
        cx_namespace_unref(totals);
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(std::vector<std::string>{"x 1000"}, Usage("a"));
  EXPECT_EQ(std::vector<std::string>{"x 1000"}, Usage("b"));
}

TEST_F(NamespacesTest, AreAsTheyWereWhenThereIsNoMemoryForARow) {
  cx_namespace *a = Get("a");
  cx_usage_key key = Key("x");
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    int64_t used = cx_memory_used();
    cx_namespace_usage *row = nullptr;
    fail_nth_begin(&fail, nth);
    cx_status status = cx_namespace_usage_get(a, &key, 1000, &row);
    if (!fail_nth_end(&fail)) {
      cx_namespace_usage_add(row, &kOneCall);
      cx_namespace_usage_unref(row);
      break;
    }
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status);
    EXPECT_EQ(nullptr, row);
    EXPECT_EQ(used, cx_memory_used());
  }
  cx_namespace_unref(a);
  cx_usage_summary summary = {};
  struct fail_nth fail;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED,
            cx_namespaces_summarize_usage(&table_, cx_bytes_of("a"), &summary));
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(nullptr, summary.totals);
}

}  // namespace
