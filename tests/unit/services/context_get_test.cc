// GetContext: what the comments of context_manager.proto and resources.proto promise.

#include "tests/unit/services/service_fixture.h"

namespace {

class ContextGetTest : public ServiceFixture {
 protected:
  // What a get answers about the entries of `a`.
  std::string Entries(const std::string &request) {
    std::string text = Ask("GetContext", "state { context_id: 'a' } " + request);
    size_t begin = text.find("entries");
    size_t end = text.find(" version: ", text.rfind("entries"));
    // Behind the last entry's own version comes the context's.
    end = begin == std::string::npos ? begin : text.find(" }", end) + 2;
    return begin == std::string::npos ? "" : text.substr(begin, end - begin);
  }
};

TEST_F(ContextGetTest, AnswersTheWholeContext) {
  Ask("CreateContext", R"(
      context_id: 'a' properties { type: 'chat' metadata { key: 'l' value: 'v' } }
      mutations { put_entry { key: 'k' value: '1' content_type: 'text/plain' } }
      mutations { put_entry { key: 'b' value: '2' } })");
  EXPECT_EQ(
      "context { namespace: \"default\" id: \"a\" type: \"chat\" "
      "entries { key: \"b\" value: \"2\" version: 1 } "
      "entries { key: \"k\" value: \"1\" content_type: \"text/plain\" version: 1 } "
      "metadata { key: \"l\" value: \"v\" } version: 1 revision: 2 "
      "create_time { seconds: 1700000000 } update_time { seconds: 1700000000 } "
      "entry_count: 2 size_bytes: 4 }",
      Ask("GetContext", "state { context_id: 'a' }"));
}

TEST_F(ContextGetTest, AnswersNothingThatIsNotDurable) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  Call call = Begin("GetContext", "state { context_id: 'a' }");
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_NE(std::string::npos, Outcome(*call).find("value: \"1\""));
}

TEST_F(ContextGetTest, AnswersAtOnceWhenAllIsDurable) {
  Put("a", "k", "1");
  Call call = Begin("GetContext", "state { context_id: 'a' }");
  EXPECT_TRUE(call->ended());
  EXPECT_TRUE(call->ok());
}

TEST_F(ContextGetTest, SaysNoAbsenceBeforeTheDeleteIsDurable) {
  Put("a", "k", "1");
  ASSERT_EQ(CX_OK, Delete("a").status);
  Call call = Begin("GetContext", "state { context_id: 'a' }");
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_EQ("CONTEXT_NOT_FOUND deleted_version=1", Outcome(*call));
}

TEST_F(ContextGetTest, ReleasesTheStateWhenTheDiskFails) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  Call call = Begin("GetContext", "state { context_id: 'a' }");
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Settle();
  EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
}

TEST_F(ContextGetTest, ShowsWhatTheViewAsksFor) {
  Put("a", "k", "1");
  EXPECT_EQ("", Entries("view: CONTEXT_VIEW_BASIC"));
  EXPECT_EQ("entries { key: \"k\" version: 1 }", Entries("view: CONTEXT_VIEW_KEYS"));
  EXPECT_EQ("entries { key: \"k\" value: \"1\" version: 1 }", Entries("view: CONTEXT_VIEW_FULL"));
}

TEST_F(ContextGetTest, ReturnsJustTheseKeysAndThoseOfThePrefixInOrder) {
  Mutations mutations;
  for (const char *key : {"a", "b", "m/1", "m/2", "m/3", "x", "z"}) mutations.Put(key, "");
  ASSERT_EQ(CX_OK, Upsert("a", mutations).status);
  auto entry = [](const std::string &key) { return "entries { key: \"" + key + "\" version: 1 }"; };
  EXPECT_EQ(entry("b") + " " + entry("x"), Entries("keys: 'x' keys: 'b' keys: 'missing'"));
  EXPECT_EQ(entry("b"), Entries("keys: 'b' keys: 'b'"));
  EXPECT_EQ(entry("m/1") + " " + entry("m/2") + " " + entry("m/3"), Entries("key_prefix: 'm/'"));
  EXPECT_EQ(
      entry("a") + " " + entry("m/1") + " " + entry("m/2") + " " + entry("m/3") + " " + entry("z"),
      Entries("keys: 'z' keys: 'm/2' keys: 'a' keys: 'm/9' key_prefix: 'm/'"));
  EXPECT_EQ(entry("z"), Entries("keys: 'z' key_prefix: 'nothing'"));
  EXPECT_EQ("", Entries("keys: 'missing'"));
}

TEST_F(ContextGetTest, SaysOnlyThatNothingIsNewer) {
  Put("a", "k", "1");
  Put("a", "k", "2");
  EXPECT_EQ("unchanged: true", Ask("GetContext", "state { context_id: 'a' } if_newer_than: 2"));
  EXPECT_EQ("unchanged: true", Ask("GetContext", "state { context_id: 'a' } if_newer_than: 9"));
  EXPECT_EQ("entries { key: \"k\" value: \"2\" version: 2 }", Entries("if_newer_than: 1"));
}

TEST_F(ContextGetTest, AnswersAnEarlierVersionWhileItIsRetained) {
  for (int i = 1; i <= 6; i++) Put("a", "k", std::to_string(i));
  std::string text = Ask("GetContext", "state { context_id: 'a' version: 4 }");
  EXPECT_NE(std::string::npos, text.find("value: \"4\"")) << text;
  EXPECT_NE(std::string::npos, text.find(" version: 4 revision: 5")) << text;
  EXPECT_EQ("STATE_NOT_RETAINED oldest_version=3 newest_version=6",
            Ask("GetContext", "state { context_id: 'a' version: 2 }"));
  EXPECT_EQ("STATE_NOT_RETAINED oldest_version=3 newest_version=6",
            Ask("GetContext", "state { context_id: 'a' version: 7 }"));
}

TEST_F(ContextGetTest, AnswersTheStateThatWasTheNewestAtATime) {
  Put("a", "k", "1");
  clock_.now_us += 10 * CX_SECOND_US;
  Put("a", "k", "2");
  EXPECT_NE(std::string::npos,
            Ask("GetContext", "state { context_id: 'a' time { seconds: 1700000009 } }")
                .find("value: \"1\""));
  EXPECT_NE(std::string::npos,
            Ask("GetContext", "state { context_id: 'a' time { seconds: 1700000010 } }")
                .find("value: \"2\""));
  for (const char *early : {"seconds: 1699999999", "", "seconds: -1"}) {
    EXPECT_EQ("STATE_NOT_RETAINED oldest_version=1 newest_version=2",
              Ask("GetContext", std::string("state { context_id: 'a' time { ") + early + " } }"));
  }
}

TEST_F(ContextGetTest, TakesVersionZeroForTheNewest) {
  Put("a", "k", "1");
  EXPECT_NE(std::string::npos,
            Ask("GetContext", "state { context_id: 'a' version: 0 }").find("value: \"1\""));
}

TEST_F(ContextGetTest, RefusesAnAnswerThatNoMessageHoldsAndSaysItsSize) {
  ASSERT_EQ(
      CX_OK,
      Upsert("a", Mutations().Put("1", std::string(60000, 'x')).Put("2", std::string(60000, 'y')))
          .status);
  message_size_max_ = 100000;
  std::string text = Ask("GetContext", "state { context_id: 'a' }");
  EXPECT_EQ(0u, text.find("RESPONSE_TOO_LARGE size=1200")) << text;
  EXPECT_NE(std::string::npos, text.find("limit=100000")) << text;
  EXPECT_NE(std::string::npos,
            Ask("GetContext", "state { context_id: 'a' } keys: '1'").find("xxx"));
}

TEST_F(ContextGetTest, CopiesValuesThatAreMadeOfChunks) {
  std::string value;
  for (int i = 0; i < 5000; i++) value += std::to_string(i);
  Put("a", "k", value);
  EXPECT_NE(std::string::npos, Ask("GetContext", "state { context_id: 'a' }").find(value));
}

TEST_F(ContextGetTest, LeavesThePollerForMoreThanAThousandEntries) {
  Mutations mutations;
  for (int i = 0; i < 1001; i++) mutations.Put("k" + std::to_string(i), "v");
  ASSERT_EQ(CX_OK, Upsert("a", mutations).status);
  Call whole = Begin("GetContext", "state { context_id: 'a' }");
  Call basic = Begin("GetContext", "state { context_id: 'a' } view: CONTEXT_VIEW_BASIC");
  Call named = Begin("GetContext", "state { context_id: 'a' } keys: 'k1'");
  Settle();
  EXPECT_TRUE(whole->ok());
  EXPECT_EQ(1, whole->offloads);
  EXPECT_EQ(0, basic->offloads);
  EXPECT_EQ(0, named->offloads);
}

TEST_F(ContextGetTest, TakesAnotherNamespaceForAnotherContext) {
  Put("a", "k", "1");
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("GetContext", "state { namespace: 'other' context_id: 'a' }"));
  EXPECT_NE(
      std::string::npos,
      Ask("GetContext", "state { namespace: 'default' context_id: 'a' }").find("value: \"1\""));
}

}  // namespace
