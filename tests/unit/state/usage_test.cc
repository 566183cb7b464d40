// What usage.h promises: sums by provider, model, mode and currency, which never overflow.

#include <gtest/gtest.h>

extern "C" {
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/usage.h"
#include "tests/support/fail_nth.h"
}

#include "tests/support/requests.h"

namespace {

cx_model_usage Call(const char *provider, const char *model, const char *mode,
                    const char *currency) {
  cx_model_usage call = {};
  call.provider = cx_bytes_of(provider);
  call.model = cx_bytes_of(model);
  call.mode = cx_bytes_of(mode);
  call.currency = cx_bytes_of(currency);
  return call;
}

cx_usage_key Key(const cx_model_usage &call) {
  cx_usage_key key;
  cx_usage_key_init(&key, &call);
  return key;
}

class UsageTest : public testing::Test {
 protected:
  UsageTest() : before_(cx_memory_used()) {}
  ~UsageTest() override {
    Clear();
    EXPECT_EQ(before_, cx_memory_used()) << "everything is given back";
  }

  void Clear() { cx_tree_done(&cx_usage_class, &rows_); }

  static cx_usage *New(const cx_model_usage &call, const cx_usage_sums &sums) {
    cx_usage_key key = Key(call);
    cx_usage *usage = nullptr;
    EXPECT_EQ(CX_OK, cx_usage_new(&key, &sums, &usage));
    return usage;
  }

  // Adds a row.
  void Add(const cx_model_usage &call, const cx_usage_sums &sums) {
    cx_tree_item *old;
    ASSERT_EQ(CX_OK, cx_tree_put(&cx_usage_class, &rows_, nullptr, &New(call, sums)->item, &old));
    ASSERT_EQ(nullptr, old) << "another key";
  }

  int64_t before_;
  cx_tree rows_ = {};
};

TEST_F(UsageTest, AddsUpCalls) {
  cx_model_usage call = Call("p", "m", "", "USD");
  call.input_tokens = 1;
  call.output_tokens = 20;
  call.cached_tokens = 300;
  call.cost_micros = 4000;
  call.latency_us = 50000;
  cx_usage_sums sums = {}, one = cx_usage_sums_of(&call);
  for (int i = 0; i < 3; i++) cx_usage_add(&sums, &one);
  EXPECT_EQ(3u, sums.call_count);
  EXPECT_EQ(3u, sums.input_tokens);
  EXPECT_EQ(60u, sums.output_tokens);
  EXPECT_EQ(900u, sums.cached_tokens);
  EXPECT_EQ(12000u, sums.cost_micros);
  EXPECT_EQ(150000u, sums.latency_us);
}

TEST_F(UsageTest, StopsAtTheLargestNumberThereIs) {
  cx_usage_sums top = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
  cx_usage_sums one = {1, 1, 1, 1, 1, 1}, sums = top;
  cx_usage_add(&sums, &one);
  EXPECT_EQ(0, memcmp(&top, &sums, sizeof sums));
  sums = top;
  cx_usage_add(&sums, &top);
  EXPECT_EQ(0, memcmp(&top, &sums, sizeof sums));
  sums = {UINT64_MAX - 1, 0, 0, 0, 0, 0};
  cx_usage_add(&sums, &one);
  EXPECT_EQ(UINT64_MAX, sums.call_count);
}

TEST_F(UsageTest, HasOneRowForEachProviderModelModeAndCurrencyInTheirOrder) {
  std::string longest(CX_MODEL_NAME_SIZE_MAX, 'z');
  std::vector<std::vector<std::string>> rows = {{"", "", "", "EUR"},
                                                {"", "", "", "USD"},
                                                {"", "", "b", "USD"},
                                                {"", "a", "", "USD"},
                                                {"", "ab", "", "USD"},
                                                {"a", "", "", "USD"},
                                                {"a", "", "\x01", "AAA"},
                                                {"a", "b", "", "USD"},
                                                {"ab", "", "", "USD"},
                                                {"b", "", "", "USD"},
                                                {longest, longest, longest, "ZZZ"}};
  for (size_t i = rows.size(); i-- > 0;) {
    cx_usage_sums sums = {i + 1, 2 * i, 3 * i, 4 * i, 5 * i, 6 * i};
    Add(Call(rows[i][0].c_str(), rows[i][1].c_str(), rows[i][2].c_str(), rows[i][3].c_str()), sums);
  }
  cx_usage_summary summary;
  ASSERT_EQ(CX_OK, cx_usage_summarize(&rows_, &summary));
  Clear();
  ASSERT_EQ(rows.size(), summary.count);
  for (size_t i = 0; i < summary.count; i++) {
    const cx_usage_total &total = summary.totals[i];
    std::vector<std::string> names = {Text(total.provider), Text(total.model), Text(total.mode),
                                      Text(total.currency)};
    EXPECT_EQ(rows[i], names) << i;
    EXPECT_EQ(i + 1, total.call_count);
    EXPECT_EQ(2 * i, total.input_tokens);
    EXPECT_EQ(3 * i, total.output_tokens);
    EXPECT_EQ(4 * i, total.cached_tokens);
    EXPECT_EQ(5 * i, total.cost_micros);
    EXPECT_EQ(6 * i, total.latency_us);
  }
  cx_usage_summary_done(&summary);
}

TEST_F(UsageTest, LeavesOutRowsWithoutCalls) {
  cx_usage_summary summary;
  ASSERT_EQ(CX_OK, cx_usage_summarize(&rows_, &summary));
  EXPECT_EQ(0u, summary.count);
  cx_usage_summary_done(&summary);
  Add(Call("a", "", "", "USD"), {});
  ASSERT_EQ(CX_OK, cx_usage_summarize(&rows_, &summary));
  EXPECT_EQ(0u, summary.count);
  cx_usage_summary_done(&summary);
  Add(Call("b", "", "", "USD"), {1, 0, 0, 0, 0, 0});
  ASSERT_EQ(CX_OK, cx_usage_summarize(&rows_, &summary));
  ASSERT_EQ(1u, summary.count);
  EXPECT_EQ("b", Text(summary.totals[0].provider));
  cx_usage_summary_done(&summary);
}

TEST_F(UsageTest, MixesAllOfItIntoADigest) {
  auto mix = [](const cx_model_usage &call, const cx_usage_sums &sums) {
    cx_usage *usage = New(call, sums);
    uint64_t digest = cx_usage_mix(9, usage);
    cx_tree_item_unref(&cx_usage_class, &usage->item);
    return digest;
  };
  cx_model_usage call = Call("p", "", "", "USD"), other = Call("", "p", "", "USD");
  uint64_t digest = mix(call, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(digest, mix(call, {1, 2, 3, 4, 5, 6}));
  EXPECT_NE(digest, mix(other, {1, 2, 3, 4, 5, 6}));
  EXPECT_NE(digest, mix(call, {0, 2, 3, 4, 5, 6}));
  EXPECT_NE(digest, mix(call, {1, 0, 3, 4, 5, 6}));
  EXPECT_NE(digest, mix(call, {1, 2, 0, 4, 5, 6}));
  EXPECT_NE(digest, mix(call, {1, 2, 3, 0, 5, 6}));
  EXPECT_NE(digest, mix(call, {1, 2, 3, 4, 0, 6}));
  EXPECT_NE(digest, mix(call, {1, 2, 3, 4, 5, 0}));
}

TEST_F(UsageTest, SaysWhenThereIsNoMemory) {
  struct fail_nth fail;
  cx_usage_key key = Key(Call("p", "", "", "USD"));
  cx_usage_sums sums = {1, 0, 0, 0, 0, 0};
  cx_usage *usage = nullptr;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_usage_new(&key, &sums, &usage));
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(nullptr, usage);

  Add(Call("p", "", "", "USD"), sums);
  cx_usage_summary summary = {};
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_usage_summarize(&rows_, &summary));
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(nullptr, summary.totals);
}

}  // namespace
