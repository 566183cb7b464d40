// BatchUpdateContexts: what the comments of context_manager.proto promise. The first
// revision of a log is that of its settings, so that changes begin at 2.

#include "tests/unit/services/service_fixture.h"

namespace {

class ContextBatchUpdateTest : public ServiceFixture {
 protected:
  static std::string Part(const std::string &id, const std::string &more = "") {
    return " requests { context_id: '" + id +
           "' mutations { append_entry { key: 'k' value: '1' } } create_if_missing {} " + more +
           " }";
  }
};

TEST_F(ContextBatchUpdateTest, ChangesEachOnItsOwn) {
  EXPECT_EQ(
      "results { response { version: 1 write { revision: 2 } } } "
      "results { failure { code: 10 reason: \"VERSION_CONFLICT\" "
      "message: \"the context has version 1, not 9; read it again and repeat the change\" metadata "
      "{ key: \"current_version\" value: \"1\" } } } "
      "results { response { version: 2 write { revision: 3 } } }",
      Ask("BatchUpdateContexts",
          Part("a") + Part("a", "preconditions { context_version: 9 }") + Part("a")));
  EXPECT_EQ("11", Get("a").entries["k"]);
}

TEST_F(ContextBatchUpdateTest, ReportsAMalformedPartInItsPlace) {
  std::string text = Ask("BatchUpdateContexts", Part("a") + Part("b\\001") +
                                                    " requests { context_id: 'c' mutations { "
                                                    "put_entry { key: 'k' } } mutations { "
                                                    "put_entry { key: '' } } }" +
                                                    Part("d"));
  EXPECT_EQ(
      "results { response { version: 1 write { revision: 2 } } } "
      "results { failure { code: 3 reason: \"INVALID_FIELD\" message: \"requests[1].context_id "
      "must not contain control characters\" metadata { key: \"field\" value: "
      "\"requests[1].context_id\" } metadata { key: \"rule\" value: \"must not contain control "
      "characters\" } } } "
      "results { failure { code: 3 reason: \"INVALID_FIELD\" message: "
      "\"requests[2].mutations[1].put_entry.key must not be empty\" metadata { key: \"field\" "
      "value: \"requests[2].mutations[1].put_entry.key\" } metadata { key: \"rule\" value: \"must "
      "not be empty\" } } } "
      "results { response { version: 1 write { revision: 3 } } }",
      text);
}

TEST_F(ContextBatchUpdateTest, AnswersNothingBeforeAllIsDurable) {
  Call call = Begin("BatchUpdateContexts", Part("a") + Part("b"));
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_TRUE(call->ok());
}

TEST_F(ContextBatchUpdateTest, RepeatsTheRequestIdsOfItsParts) {
  std::string request =
      Part("a", "write { request_id: 'r1' }") + Part("b", "write { request_id: 'r2' }");
  Ask("BatchUpdateContexts", request);
  EXPECT_EQ(
      "results { response { version: 1 write { revision: 2 replayed: true } } } "
      "results { response { version: 1 write { revision: 3 replayed: true } } }",
      Ask("BatchUpdateContexts", request));
}

TEST_F(ContextBatchUpdateTest, RefusesPartsOfAnotherNamespaceThanTheFirst) {
  std::string text = Ask("BatchUpdateContexts", Part("a") + Part("b", "namespace: 'other'"));
  EXPECT_NE(std::string::npos, text.find("value: \"requests[1].namespace\"")) << text;
  EXPECT_EQ(
      "INVALID_FIELD field=requests[1].namespace rule=must be the one of the first part: a "
      "request concerns one index=1",
      Ask("BatchUpdateContexts", "atomic: true" + Part("c") + Part("d", "namespace: 'other'")));
}

TEST_F(ContextBatchUpdateTest, ChangesAllAsOneRevisionWhenAtomic) {
  EXPECT_EQ(
      "results { response { version: 1 write { revision: 2 } } } "
      "results { response { version: 1 write { revision: 2 } } }",
      Ask("BatchUpdateContexts", "atomic: true" + Part("a") + Part("b")));
}

TEST_F(ContextBatchUpdateTest, ChangesNothingWhenAPartOfAnAtomicOneFailsAndSaysWhich) {
  EXPECT_EQ("VERSION_CONFLICT current_version=0 index=1",
            Ask("BatchUpdateContexts",
                "atomic: true" + Part("a") + Part("b", "preconditions { context_version: 9 }")));
  EXPECT_EQ("INVALID_FIELD field=requests[1].context_id rule=must not be empty index=1",
            Ask("BatchUpdateContexts", "atomic: true" + Part("a") + Part("")));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("a").reason());
}

TEST_F(ContextBatchUpdateTest, RepeatsTheRequestIdOfAnAtomicWhole) {
  std::string request = "atomic: true write { request_id: 'r' }" + Part("a") + Part("b");
  Ask("BatchUpdateContexts", request);
  std::string text = Ask("BatchUpdateContexts", request);
  EXPECT_NE(std::string::npos, text.find("write { revision: 2 replayed: true }")) << text;
  EXPECT_EQ("1", Get("b").entries["k"]);
  EXPECT_EQ("REQUEST_ID_REUSED", Ask("BatchUpdateContexts", request + Part("c")).substr(0, 17));
}

TEST_F(ContextBatchUpdateTest, RefusesPartsOfAnAtomicOneWithRequestIds) {
  EXPECT_EQ(
      "INVALID_FIELD field=requests[0].write.request_id rule=must be empty where `atomic`: "
      "the whole has one index=0",
      Ask("BatchUpdateContexts", "atomic: true" + Part("a", "write { request_id: 'r' }")));
}

TEST_F(ContextBatchUpdateTest, RefusesToNameAContextTwiceInAnAtomicOne) {
  EXPECT_EQ(
      "INVALID_FIELD field=requests[2].context_id rule=must not be named twice where "
      "`atomic`",
      Ask("BatchUpdateContexts", "atomic: true" + Part("b") + Part("a") + Part("b") + Part("a")));
}

TEST_F(ContextBatchUpdateTest, RefusesARequestIdOfTheWholeUnlessAtomic) {
  EXPECT_EQ(
      "INVALID_FIELD field=write.request_id rule=must be empty unless `atomic`: each part "
      "has its own",
      Ask("BatchUpdateContexts", "write { request_id: 'r' }" + Part("a")));
}

TEST_F(ContextBatchUpdateTest, AnswersNoErrorOfAnAtomicOneBeforeItIsDurable) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  Call call = Begin("BatchUpdateContexts",
                    "atomic: true" + Part("a", "preconditions { context_version: 9 }"));
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_EQ("VERSION_CONFLICT current_version=1 index=0", Outcome(*call));
}

TEST_F(ContextBatchUpdateTest, TakesOneToAThousandParts) {
  std::string request;
  EXPECT_EQ("INVALID_FIELD field=requests rule=must not be empty", Ask("BatchUpdateContexts"));
  for (int i = 0; i < 1001; i++) request += Part("a");
  EXPECT_EQ("INVALID_FIELD field=requests rule=must have at most 1000 elements",
            Ask("BatchUpdateContexts", request));
}

TEST_F(ContextBatchUpdateTest, TellsWhatItAppliedHoweverManyFailures) {
  message_size_max_ = 67 * CX_KIB;  // The least that a configuration may have.
  std::string parts =
      "requests { context_id: 'a' create_if_missing {} mutations { put_entry { key: 'k' } } }";
  for (int i = 1; i < 1000; i++) parts += " requests {}";
  std::string answer = Ask("BatchUpdateContexts", parts);
  EXPECT_EQ(0u, answer.find("results { response { version: 1 ")) << answer.substr(0, 200);
  size_t count = 0;
  for (size_t at = 0; (at = answer.find("reason: \"INVALID_FIELD\"", at)) != answer.npos; at++) {
    count++;
  }
  EXPECT_EQ(999u, count);
  EXPECT_NE(std::string::npos, answer.find("message:")) << "the first ones say all";
  std::string last = answer.substr(answer.rfind("results {"));
  EXPECT_EQ("results { failure { code: 3 reason: \"INVALID_FIELD\" } }", last);
}

TEST_F(ContextBatchUpdateTest, LeavesThePollerForMoreThanAThousandMutations) {
  std::string many;
  for (int i = 0; i < 501; i++) many += " mutations { delete_entry { key: 'k' } }";
  Call call = Begin("BatchUpdateContexts", Part("a", many) + Part("b", many));
  Settle();
  EXPECT_EQ(1, call->offloads);
  EXPECT_TRUE(call->ok());
}

TEST_F(ContextBatchUpdateTest, TakesSessionAndFenceOfEachPart) {
  Put("a", "k", "1");
  Put("b", "k", "1");
  const std::string parts =
      "requests { context_id: 'a' mutations { delete_entry { key: 'k' } } } "
      "requests { context_id: 'b' mutations { delete_entry { key: 'k' } } write { fence: 1 } }";
  EXPECT_EQ("STALE_FENCE current_fence=0 index=1",
            Ask("BatchUpdateContexts", "atomic: true " + parts));
  EXPECT_EQ("1", Get("a").entries["k"]);
  std::string text = Ask("BatchUpdateContexts", parts);
  EXPECT_NE(std::string::npos, text.find("failure { code: 9 reason: \"STALE_FENCE\"")) << text;
  EXPECT_EQ(0u, Get("a").entries.count("k"));
}

TEST_F(ContextBatchUpdateTest, TakesNoSessionAndFenceOfTheWhole) {
  for (const char *atomic : {"", "atomic: true "}) {
    const std::string request =
        std::string(atomic) +
        "requests { context_id: 'a' mutations { delete_entry { key: 'k' } } } ";
    EXPECT_EQ("INVALID_FIELD field=write.session_id rule=must be empty: each part has its own",
              Ask("BatchUpdateContexts", request + "write { session_id: 's' }"));
    EXPECT_EQ("INVALID_FIELD field=write.fence rule=must be 0: each part has its own",
              Ask("BatchUpdateContexts", request + "write { fence: 1 }"));
  }
}

TEST_F(ContextBatchUpdateTest, RefusesAllBehindAPartThatIsOverloaded) {
  FillLog();
  Call call = Begin("BatchUpdateContexts",
                    Part("a") + Part("", "") +
                        Part("a", "mutations { put_entry { key: 'l' value: '" + kLarge + "' } }") +
                        Part("a") + Part("b"));
  Settle();
  std::string text = Outcome(*call);
  EXPECT_EQ((std::vector<std::string>{"INVALID_FIELD", "OVERLOADED", "OVERLOADED", "OVERLOADED"}),
            Failures(text));
  EXPECT_EQ(3u, FindAll(text, "(retry_delay \\{ nanos: 100000000 \\})").size()) << text;
  EXPECT_EQ("1", Get("a").entries["k"]);
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("b").reason());
}

}  // namespace
