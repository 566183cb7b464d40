// SummarizeUsage: what the comments of tracker.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class UsageSummarizeTest : public TrackerFixture {
 protected:
  void Use(const std::string &context, const std::string &model) {
    Has(Record(context, "activities { model { " + model + " } }"), "last_sequence");
  }
};

TEST_F(UsageSummarizeTest, AddsUpByProviderModelModeAndCurrency) {
  for (int i = 0; i < 2; i++) {
    Use("a",
        "provider: 'p' model: 'm' mode: 'o' input_tokens: 1 output_tokens: 2 cached_tokens: 3 "
        "cost_micros: 4 latency { nanos: 500000000 }");
  }
  Use("a", "provider: 'p' model: 'm' mode: 'o' currency: 'EUR' cost_micros: 7");
  Use("a", "");
  EXPECT_EQ(
      "totals { currency: \"USD\" call_count: 1 } "
      "totals { provider: \"p\" model: \"m\" mode: \"o\" currency: \"EUR\" call_count: 1 "
      "cost_micros: 7 } "
      "totals { provider: \"p\" model: \"m\" mode: \"o\" currency: \"USD\" call_count: 2 "
      "input_tokens: 2 output_tokens: 4 cached_tokens: 6 cost_micros: 8 latency { seconds: 1 } }",
      Ask("SummarizeUsage", "context_id: 'a'"));
}

TEST_F(UsageSummarizeTest, StopsAtTheLargestNumberThereIs) {
  const std::string largest = std::to_string(UINT64_MAX);
  for (int i = 0; i < 2; i++) Use("a", "cost_micros: " + largest);
  Has(Ask("SummarizeUsage", "context_id: 'a'"), "cost_micros: " + largest);
}

TEST_F(UsageSummarizeTest, SumsUpANamespaceWhetherOrNotItsContextsAreStillThere) {
  Use("a", "model: 'm'");
  Use("b", "model: 'm'");
  Has(Ask("RecordActivities",
          "namespace: 'n' context_id: 'a' create_if_missing {} activities { model {} }"),
      "last_sequence");
  Manage("DeleteContext", "context_id: 'a' purge: true");
  EXPECT_EQ("totals { model: \"m\" currency: \"USD\" call_count: 2 }", Ask("SummarizeUsage"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("SummarizeUsage", "context_id: 'a'").substr(0, 17));
  EXPECT_EQ("", Ask("SummarizeUsage", "namespace: 'none'"));
}

TEST_F(UsageSummarizeTest, SaysThatItOutgrowsAMessage) {
  for (int i = 10; i < 30; i++)
    Use("a", "model: '" + std::string(200, 'm') + std::to_string(i) + "'");
  message_size_max_ = 4000;
  Has(Ask("SummarizeUsage", "context_id: 'a'"), "RESPONSE_TOO_LARGE size=");
}

TEST_F(UsageSummarizeTest, LeavesThePollerForANamespace) {
  Call one = Begin("SummarizeUsage", "context_id: 'a'"), all = Begin("SummarizeUsage");
  Settle();
  EXPECT_EQ(0, one->offloads);
  EXPECT_EQ(1, all->offloads);
}

}  // namespace
