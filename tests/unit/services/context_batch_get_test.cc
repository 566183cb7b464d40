// BatchGetContexts: what the comments of context_manager.proto promise.

#include "tests/unit/services/service_fixture.h"

namespace {

class ContextBatchGetTest : public ServiceFixture {
 protected:
  static std::string Part(const std::string &id, const std::string &more = "") {
    return " requests { state { context_id: '" + id + "' } view: CONTEXT_VIEW_KEYS " + more + " }";
  }
};

TEST_F(ContextBatchGetTest, AnswersInTheOrderOfTheRequestsWithFailuresInTheirPlace) {
  Put("a", "k", "1");
  Put("b", "k", "1");
  std::string text =
      Ask("BatchGetContexts", Part("b") + Part("missing") + Part("a") +
                                  Part("a", "if_newer_than: 1") + Part("a", "key_prefix: '\\001'"));
  size_t b = text.find("id: \"b\"");
  size_t missing = text.find("results { failure { code: 5 reason: \"CONTEXT_NOT_FOUND\"");
  size_t a = text.find("id: \"a\"");
  size_t unchanged = text.find("results { response { unchanged: true } }");
  size_t form = text.find("results { failure { code: 3 reason: \"INVALID_FIELD\"");
  EXPECT_TRUE(b < missing && missing < a && a < unchanged && unchanged < form &&
              form != std::string::npos)
      << text;
  EXPECT_NE(std::string::npos, text.find("value: \"requests[4].key_prefix\"")) << text;
}

TEST_F(ContextBatchGetTest, AnswersNothingThatIsNotDurable) {
  Put("a", "k", "1");
  ASSERT_EQ(CX_OK, Upsert("b", Mutations().Put("k", "1")).status);
  Call call = Begin("BatchGetContexts", Part("b") + Part("a"));
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_TRUE(call->ok());
}

TEST_F(ContextBatchGetTest, ReleasesEverythingWhenTheDiskFails) {
  ASSERT_EQ(CX_OK, Upsert("b", Mutations().Put("k", "1")).status);
  Call call = Begin("BatchGetContexts", Part("b") + Part("a") + Part("b"));
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Settle();
  EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
}

TEST_F(ContextBatchGetTest, RefusesPartsOfAnotherNamespaceThanTheFirst) {
  Put("a", "k", "1");
  std::string text = Ask("BatchGetContexts", Part("a") +
                                                 " requests { state { namespace: 'other' "
                                                 "context_id: 'a' } }");
  EXPECT_NE(std::string::npos, text.find("value: \"requests[1].state.namespace\"")) << text;
  text = Ask("BatchGetContexts", Part("a") +
                                     " requests { state { namespace: 'default' "
                                     "context_id: 'a' } }");
  EXPECT_EQ(std::string::npos, text.find("failure")) << text;
}

TEST_F(ContextBatchGetTest, SaysOfPartsThatDoNotFitAnyMoreThatTheyAreTooLarge) {
  Put("a", "k", std::string(40000, 'v'));
  message_size_max_ = 100000;
  std::string full = " requests { state { context_id: 'a' } }";
  std::string text = Ask("BatchGetContexts", full + full + full + Part("a"));
  size_t failure = text.find("reason: \"RESPONSE_TOO_LARGE\"");
  ASSERT_NE(std::string::npos, failure);
  EXPECT_EQ(std::string::npos, text.find("RESPONSE_TOO_LARGE", failure + 30));
  EXPECT_NE(std::string::npos, text.find("response", failure));  // The small one fits.
}

TEST_F(ContextBatchGetTest, TakesOneToAThousandParts) {
  EXPECT_EQ("INVALID_FIELD field=requests rule=must not be empty", Ask("BatchGetContexts"));
  std::string request;
  for (int i = 0; i < 1000; i++) request += Part("a");
  EXPECT_EQ(0u, Ask("BatchGetContexts", request).find("results"));
  EXPECT_EQ("INVALID_FIELD field=requests rule=must have at most 1000 elements",
            Ask("BatchGetContexts", request + Part("a")));
}

TEST_F(ContextBatchGetTest, LeavesThePollerForMoreThanAThousandEntries) {
  Mutations mutations;
  for (int i = 0; i < 600; i++) mutations.Put("k" + std::to_string(i), "v");
  ASSERT_EQ(CX_OK, Upsert("a", mutations).status);
  Call one = Begin("BatchGetContexts", Part("a"));
  Call two = Begin("BatchGetContexts", Part("a") + Part("a"));
  Settle();
  EXPECT_EQ(0, one->offloads);
  EXPECT_EQ(1, two->offloads);
}

}  // namespace
