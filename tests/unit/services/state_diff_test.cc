// DiffStates: what the comments of recovery.proto promise.

#include "tests/unit/services/service_fixture.h"

namespace {

using Strings = std::vector<std::string>;

class StateDiffServiceTest : public ServiceFixture {
 protected:
  StateDiffServiceTest() { service_ = &cx_recovery_service; }

  std::string Manage(const std::string &method, const std::string &request) {
    service_ = &cx_context_manager_service;
    std::string answer = Ask(method, request);
    service_ = &cx_recovery_service;
    return answer;
  }

  // Version 1, and version 2 of a context.
  static std::string Versions(const std::string &more = "") {
    return "before { context_id: 'a' version: 1 } after { context_id: 'a' version: 2 } " + more;
  }

  void Change(const Mutations &mutations) { ASSERT_EQ(CX_OK, Upsert("a", mutations).status); }

  // Reads to the end.
  Call Diff(const std::string &request) {
    Call call = Begin("DiffStates", request);
    Settle();
    while (!call->ended() && call->sending) call->Sent();
    return call;
  }
};

TEST_F(StateDiffServiceTest, StreamsWhatDiffersInTheOrderOfKeys) {
  Change(Mutations().Put("b", "1").Put("c", "2").Put("same", "x"));
  Change(Mutations().Put("a", "0").Put("b", "2").Delete("c").Put("same", "x"));
  Call call = Diff(Versions());
  EXPECT_TRUE(call->ok());
  EXPECT_EQ((Strings{"entries { key: \"a\" after { key: \"a\" value: \"0\" version: 2 } } "
                     "entries { key: \"b\" before { key: \"b\" value: \"1\" version: 1 } after { "
                     "key: \"b\" value: \"2\" version: 2 } } "
                     "entries { key: \"c\" before { key: \"c\" value: \"2\" version: 1 } }"}),
            Texts(*call));
}

TEST_F(StateDiffServiceTest, EndsAtOnceWhereNothingDiffers) {
  Change(Mutations().Put("k", "v"));
  Change(Mutations().Put("k", "v"));
  Call call = Diff(Versions());
  EXPECT_TRUE(call->ok());
  EXPECT_EQ((Strings{}), Texts(*call));
}

TEST_F(StateDiffServiceTest, TellsLabelsBesideEntries) {
  Change(Mutations().Put("k", "v").SetLabel("b", "1").SetLabel("c", "2").SetLabel("d", "3"));
  Change(Mutations().SetLabel("a", "0").SetLabel("c", "two").DeleteLabel("d").Delete("k"));
  EXPECT_EQ((Strings{"entries { key: \"k\" before { key: \"k\" value: \"v\" version: 1 } } "
                     "metadata { key: \"a\" after { value: \"0\" } } "
                     "metadata { key: \"c\" before { value: \"2\" } after { value: \"two\" } } "
                     "metadata { key: \"d\" before { value: \"3\" } }"}),
            Texts(*Diff(Versions())));
}

TEST_F(StateDiffServiceTest, ComparesStatesOfDifferentContexts) {
  Change(Mutations().Put("k", "v"));
  ASSERT_EQ(CX_OK, Upsert("b", Mutations().Put("k", "w")).status);
  EXPECT_EQ((Strings{"entries { key: \"k\" before { key: \"k\" value: \"v\" version: 1 } after { "
                     "key: \"k\" value: \"w\" version: 1 } }"}),
            Texts(*Diff("before { context_id: 'a' } after { context_id: 'b' }")));
}

TEST_F(StateDiffServiceTest, KeepsToThePrefixAndLeavesOutValues) {
  Change(Mutations().Put("b/1", "v").Put("c", "v"));
  Change(Mutations().Put("b/1", "w").Put("b/2", "x").Put("c", "w").SetLabel("l", "1"));
  EXPECT_EQ((Strings{"entries { key: \"b/1\" before { key: \"b/1\" version: 1 } after { key: "
                     "\"b/1\" version: 2 } } "
                     "entries { key: \"b/2\" after { key: \"b/2\" version: 2 } } "
                     "metadata { key: \"l\" after { value: \"1\" } }"}),
            Texts(*Diff(Versions("key_prefix: 'b/' without_values: true"))));
}

TEST_F(StateDiffServiceTest, FillsMessagesButNeverAboveTheLimit) {
  message_size_max_ = 67 * CX_KIB;  // The least that a configuration may have.
  Mutations before, after;
  std::string large(1024, 'l');
  for (int i = 10; i < 74; i++) {
    before.SetLabel("k" + std::to_string(i), large);
    after.SetLabel("k" + std::to_string(i), large.substr(1) + "x");
  }
  before.Put("e", "1");
  Change(before);
  for (int i = 10; i < 20; i++) after.Put("k" + std::to_string(i), std::string(20000, 'v'));
  Change(after.Put("e", "2"));
  Call call = Diff(Versions());  // The fake call is strict about the limit.
  EXPECT_TRUE(call->ok());
  std::string all;
  for (const std::string &text : Texts(*call)) all += text + " ";
  size_t labels = 0, entries = 0;
  for (size_t at = 0; (at = all.find("metadata {", at)) != all.npos; at++) labels++;
  for (size_t at = 0; (at = all.find("entries {", at)) != all.npos; at++) entries++;
  EXPECT_EQ(64u, labels);
  EXPECT_EQ(11u, entries);
  EXPECT_LT(call->messages.size(), 8u);
}

TEST_F(StateDiffServiceTest, TellsAnEntryWhoseValuesDoNotFitTogetherInTwo) {
  message_size_max_ = 100 * CX_KIB;
  Change(Mutations().Put("k", std::string(60000, 'v')));
  Change(Mutations().Put("k", std::string(60000, 'w')));
  Strings texts = Texts(*Diff(Versions()));
  ASSERT_EQ(2u, texts.size());
  EXPECT_EQ(0u, texts[0].find("entries { key: \"k\" before {"));
  EXPECT_EQ(0u, texts[1].find("entries { key: \"k\" after {"));
}

TEST_F(StateDiffServiceTest, GoesToAWorkerWhereTheStatesAreLarge) {
  Mutations many;
  for (int i = 0; i < 1500; i++) many.Put("k" + std::to_string(10000 + i), "");
  Change(Mutations().Put("k", "v"));
  Change(many);
  Call call = Diff(Versions());
  EXPECT_EQ(2u, call->messages.size());
  EXPECT_EQ(2, call->offloads);
  Call small = Diff("before { context_id: 'a' version: 1 } after { context_id: 'a' version: 1 }");
  EXPECT_EQ(0, small->offloads);
}

TEST_F(StateDiffServiceTest, SendsEachMessageOnlyWhenTheOneBeforeHasGoneOut) {
  message_size_max_ = 100 * CX_KIB;
  Change(Mutations().Put("j", std::string(60000, 'v')));
  Change(Mutations().Put("k", std::string(60000, 'w')).Put("l", std::string(60000, 'x')));
  Call call = Begin("DiffStates", Versions());
  Settle();
  EXPECT_EQ(1u, call->messages.size());
  EXPECT_EQ(app_.stream_stall_max_us, call->stall_us);
  EXPECT_EQ("", call->progress_name);  // No request says where to go on.
  call->Sent();
  EXPECT_EQ(2u, call->messages.size());
}

TEST_F(StateDiffServiceTest, StreamsTheSameStatesWhateverHappensMeanwhile) {
  message_size_max_ = 100 * CX_KIB;
  Change(Mutations().Put("j", "v"));
  Change(Mutations().Put("k", std::string(60000, 'w')).Put("l", std::string(60000, 'x')));
  Call call = Begin("DiffStates", Versions());
  Settle();
  Manage("DeleteContext", "context_id: 'a' purge: true");
  while (call->sending) call->Sent();
  EXPECT_TRUE(call->ok());
  EXPECT_EQ(0u, Texts(*call).back().find("entries { key: \"l\""));
}

TEST_F(StateDiffServiceTest, SaysWhichStateIsNotThere) {
  Change(Mutations().Put("k", "v"));
  EXPECT_EQ("CONTEXT_NOT_FOUND",
            Outcome(*Diff("before { context_id: 'b' } after { context_id: 'a' }")));
  EXPECT_EQ("CONTEXT_NOT_FOUND",
            Outcome(*Diff("before { context_id: 'a' } after { context_id: 'b' }")));
  EXPECT_EQ("STATE_NOT_RETAINED oldest_version=1 newest_version=1",
            Outcome(*Diff("before { context_id: 'a' } after { context_id: 'a' version: 2 }")));
  EXPECT_EQ("INVALID_FIELD field=before rule=must be set", Outcome(*Diff("")));
}

TEST_F(StateDiffServiceTest, SendsNothingThatIsNotDurable) {
  Change(Mutations().Put("k", "v"));
  Change(Mutations().Put("k", "w"));
  Call call = Begin("DiffStates", Versions());
  Call failing = Begin("DiffStates", "before { context_id: 'a' } after { context_id: 'b' }");
  EXPECT_TRUE(call->messages.empty());
  EXPECT_FALSE(failing->ended());
  Settle();
  EXPECT_EQ(1u, call->messages.size());
  EXPECT_EQ("CONTEXT_NOT_FOUND", Outcome(*failing));
}

TEST_F(StateDiffServiceTest, SaysThatTheDiskFailedInsteadOfTheDifferences) {
  Change(Mutations().Put("k", "v"));
  Change(Mutations().Put("k", "w"));
  Call call = Begin("DiffStates", Versions());
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Settle();
  EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
}

TEST_F(StateDiffServiceTest, GoesOnWhereManyEntriesAreEqual) {
  Mutations many;
  for (int i = 0; i < 2500; i++) many.Put("k" + std::to_string(10000 + i), "");
  Change(many);
  Change(many.Put("z", "1"));
  EXPECT_EQ((Strings{"entries { key: \"z\" after { key: \"z\" value: \"1\" version: 2 } }"}),
            Texts(*Diff(Versions())));
}

TEST_F(StateDiffServiceTest, LooksNoFurtherForAClientThatLeft) {
  Change(Mutations().Put("k", "v"));
  Change(Mutations().Put("k", "w"));
  Call call = Begin("DiffStates", Versions());
  call->abandoned = true;
  Settle();
  EXPECT_TRUE(call->messages.empty());
  EXPECT_FALSE(call->ended());
  call->Leave();
  EXPECT_TRUE(call->ended());
}

TEST_F(StateDiffServiceTest, ReleasesTheStatesWhenTheClientLeaves) {
  Change(Mutations().Put("k", "v"));
  Change(Mutations().Put("k", "w"));
  Call early = Begin("DiffStates", Versions());
  early->Leave();
  Settle();
  EXPECT_TRUE(early->ended());
  Call later = Begin("DiffStates", Versions());
  Settle();
  later->Leave();
  EXPECT_TRUE(later->ended());
}

}  // namespace
