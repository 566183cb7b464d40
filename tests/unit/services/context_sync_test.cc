// SyncContext: what the comments of recovery.proto promise.

#include "tests/unit/services/service_fixture.h"

#include <map>
#include <regex>

namespace {

using Strings = std::vector<std::string>;

class ContextSyncTest : public ServiceFixture {
 protected:
  ContextSyncTest() { service_ = &cx_recovery_service; }

  void Change(const Mutations &mutations) {
    ASSERT_EQ(CX_OK, Upsert("a", mutations).status);
    Settle();
  }

  // Reads to the end.
  Call Sync(const std::string &request) {
    Call call = Begin("SyncContext", "context_id: 'a' " + request);
    Settle();
    while (!call->ended() && call->sending) call->Sent();
    return call;
  }

  static bool Has(const std::string &text, const std::string &part) {
    return text.find(part) != text.npos;
  }
};

TEST_F(ContextSyncTest, BeginsFromNothingWhereTheClientHasNothing) {
  Change(Mutations().Put("k", "v").Put("l", "w"));
  Strings texts = Texts(*Sync(""));
  ASSERT_EQ(1u, texts.size());
  EXPECT_EQ(0u, texts[0].find("to_version: 1 full: true "
                              "entries { key: \"k\" after { key: \"k\" value: \"v\" version: 1 } } "
                              "entries { key: \"l\" after { key: \"l\" value: \"w\" version: 1 } } "
                              "context { namespace: \"default\" id: \"a\" version: 1 "))
      << texts[0];
  EXPECT_FALSE(Has(texts[0], "from_version"));
}

TEST_F(ContextSyncTest, TellsWhatWasSetSinceWithoutTheValuesBefore) {
  Change(Mutations().Put("b", "1").Put("c", "2").Put("d", "3").Put("same", "x"));
  Change(Mutations().Put("a", "0").Put("b", "2").Delete("c").Put("d", "3"));
  Strings texts = Texts(*Sync("have_version: 1"));
  ASSERT_EQ(1u, texts.size());
  EXPECT_EQ(0u,
            texts[0].find(
                "from_version: 1 to_version: 2 "
                "entries { key: \"a\" after { key: \"a\" value: \"0\" version: 2 } } "
                "entries { key: \"b\" before { key: \"b\" version: 1 } after { key: \"b\" value: "
                "\"2\" version: 2 } } "
                "entries { key: \"c\" before { key: \"c\" version: 1 } } "
                "entries { key: \"d\" before { key: \"d\" version: 1 } after { key: \"d\" value: "
                "\"3\" version: 2 } } "
                "context { namespace: \"default\" id: \"a\" version: 2 "))
      << texts[0];
}

TEST_F(ContextSyncTest, TellsAClientThatHasTheNewestItsContextAlone) {
  Change(Mutations().Put("k", "v").SetLabel("l", "m"));
  Strings texts = Texts(*Sync("have_version: 1"));
  ASSERT_EQ(1u, texts.size());
  EXPECT_EQ(0u, texts[0].find("from_version: 1 to_version: 1 context {")) << texts[0];
  EXPECT_TRUE(Has(texts[0], "metadata { key: \"l\" value: \"m\" }"));
  EXPECT_TRUE(Has(texts[0], "entry_count: 1"));
}

TEST_F(ContextSyncTest, BeginsFromNothingWhereTheVersionIsNotRetained) {
  for (int i = 0; i < 10; i++) Change(Mutations().Put("k", std::to_string(i)));
  Strings texts = Texts(*Sync("have_version: 1"));
  ASSERT_EQ(1u, texts.size());
  EXPECT_EQ(0u, texts[0].find("to_version: 10 full: true entries { key: \"k\" after {"))
      << texts[0];
}

TEST_F(ContextSyncTest, EndsWithTheContextHoweverManyMessagesThereAre) {
  for (size_t size : {60000, 90000, 100000}) {
    message_size_max_ = 100 * CX_KIB + 10000;
    for (int i = 10; i < 15; i++) {
      Change(Mutations().Put("k" + std::to_string(i), std::string(size / 2, 'v')));
    }
    Change(Mutations().SetLabel("l", std::string(1000, 'm')));
    Call call = Sync("");
    EXPECT_TRUE(call->ok());
    Strings texts = Texts(*call);
    std::map<std::string, int> seen;
    for (size_t i = 0; i < texts.size(); i++) {
      EXPECT_EQ(i + 1 == texts.size(), Has(texts[i], "context {")) << i;
      EXPECT_EQ(0u, texts[i].find("to_version: ")) << i;
      EXPECT_TRUE(Has(texts[i], "full: true")) << i;
      std::regex key("entries \\{ key: \"([^\"]*)\"");
      for (std::sregex_iterator at(texts[i].begin(), texts[i].end(), key), end; at != end; ++at) {
        seen[(*at)[1]]++;
      }
    }
    EXPECT_EQ(5u, seen.size());
    for (const auto &each : seen) EXPECT_EQ(1, each.second) << each.first;
  }
}

TEST_F(ContextSyncTest, SendsTheContextByItselfWhereItDoesNotFitBesideTheEntries) {
  message_size_max_ = 67 * CX_KIB;
  Mutations mutations;
  for (int i = 10; i < 50; i++) mutations.SetLabel("l" + std::to_string(i), std::string(1000, 'm'));
  Change(mutations.Put("k", std::string(60000, 'v')));
  Strings texts = Texts(*Sync(""));  // The fake call is strict about the limit.
  ASSERT_EQ(2u, texts.size());
  EXPECT_FALSE(Has(texts[0], "context {"));
  EXPECT_EQ(0u, texts[1].find("to_version: 1 full: true context {"));
}

TEST_F(ContextSyncTest, GoesToAWorkerWhereTheStateIsLarge) {
  Mutations many;
  for (int i = 0; i < 1500; i++) many.Put("k" + std::to_string(10000 + i), "");
  Change(many);
  Call call = Sync("");
  EXPECT_EQ(2u, call->messages.size());
  EXPECT_EQ(2, call->offloads);
}

TEST_F(ContextSyncTest, SendsEachMessageOnlyWhenTheOneBeforeHasGoneOut) {
  message_size_max_ = 100 * CX_KIB;
  Change(Mutations().Put("k", std::string(60000, 'v')).Put("l", std::string(60000, 'w')));
  Call call = Begin("SyncContext", "context_id: 'a'");
  Settle();
  EXPECT_EQ(app_.stream_stall_max_us, call->stall_us);
  EXPECT_EQ("", call->progress_name);  // No request says where to go on.
  EXPECT_EQ(1u, call->messages.size());
  call->Sent();
  EXPECT_EQ(2u, call->messages.size());
}

TEST_F(ContextSyncTest, SaysThatAContextIsMissing) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Outcome(*Sync("")));
  Call call = Begin("SyncContext");
  EXPECT_EQ("INVALID_FIELD field=context_id rule=must not be empty", Outcome(*call));
}

TEST_F(ContextSyncTest, SendsNothingThatIsNotDurable) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  Call call = Begin("SyncContext", "context_id: 'a'");
  EXPECT_TRUE(call->messages.empty());
  Settle();
  EXPECT_EQ(1u, call->messages.size());
}

TEST_F(ContextSyncTest, ReleasesTheStatesWhenTheClientLeaves) {
  message_size_max_ = 100 * CX_KIB;
  Change(Mutations().Put("k", std::string(60000, 'v')).Put("l", std::string(60000, 'w')));
  Call call = Begin("SyncContext", "context_id: 'a'");
  Settle();
  ASSERT_TRUE(call->sending);
  call->Leave();
  EXPECT_TRUE(call->ended());
}

}  // namespace
