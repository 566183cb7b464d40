// ReadEntries: what the comments of context_manager.proto and resources.proto promise.

#include "tests/support/pattern.h"
#include "tests/unit/services/service_fixture.h"

namespace {

using Keys = std::vector<std::string>;

class ContextReadTest : public ServiceFixture {
 protected:
  // Reads to the end, message by message.
  Call Read(const std::string &request) {
    Call call = Begin("ReadEntries", "state { context_id: 'a' } " + request);
    Settle();
    while (!call->ended() && call->sending) call->Sent();
    return call;
  }

  static Keys KeysOf(const cx_call &call) {
    Keys keys;
    for (const std::string &text : Texts(call)) {
      for (const auto &key : FindAll(text, "entries \\{ key: \"([^\"]*)\"")) keys.push_back(key);
    }
    return keys;
  }

  Keys ReadKeys(const std::string &request) {
    Call call = Read(request);
    EXPECT_EQ("(finished)", call->messages.empty() ? Outcome(*call) : "(finished)");
    EXPECT_TRUE(call->ok());
    return KeysOf(*call);
  }

  // A context `a` of many large entries: more than one message.
  Keys PutMany(int count, size_t size) {
    Keys keys;
    for (int i = 0; i < count; i++) {
      keys.push_back("k" + std::to_string(1000 + i));
      Put("a", keys.back(), std::string(size, 'v'));
    }
    return keys;
  }
};

TEST_F(ContextReadTest, StreamsTheEntriesOfOneVersion) {
  Put("a", "k", "1");
  Put("a", "l", "2");
  Call call = Read("");
  EXPECT_EQ((Keys{"version: 2 entries { key: \"k\" value: \"1\" version: 1 } "
                  "entries { key: \"l\" value: \"2\" version: 2 }"}),
            Texts(*call));
  EXPECT_TRUE(call->ok());
}

TEST_F(ContextReadTest, StreamsTheSameVersionWhateverHappensMeanwhile) {
  Keys keys = PutMany(20, 60000);
  Call call = Begin("ReadEntries", "state { context_id: 'a' }");
  Settle();
  ASSERT_FALSE(call->ended());
  Put("a", "k1019", "changed");
  Ask("DeleteContext", "context_id: 'a'");
  while (call->sending) call->Sent();
  EXPECT_EQ(keys, KeysOf(*call));
  for (const std::string &text : Texts(*call)) {
    EXPECT_EQ(0u, text.find("version: 20 "));
    EXPECT_EQ(std::string::npos, text.find("changed"));
  }
}

TEST_F(ContextReadTest, SendsEachMessageOnlyWhenTheOneBeforeHasGoneOut) {
  PutMany(20, 60000);
  Call call = Begin("ReadEntries", "state { context_id: 'a' }");
  EXPECT_EQ(1u, call->messages.size());
  call->Sent();
  EXPECT_EQ(2u, call->messages.size());
}

TEST_F(ContextReadTest, FillsMessagesButNeverAboveTheLimit) {
  Keys keys = PutMany(20, 60000);
  message_size_max_ = 4 * CX_MIB;
  Call usual = Read("");
  for (const std::string &message : usual->messages) EXPECT_LE(message.size(), 256 * CX_KIB);
  EXPECT_EQ(5u, usual->messages.size());
  message_size_max_ = 70000;  // The fake call is strict about it.
  Call small = Read("");
  EXPECT_EQ(20u, small->messages.size());
  EXPECT_EQ(keys, KeysOf(*small));
}

TEST_F(ContextReadTest, SendsAtMostAThousandEntriesAtATime) {
  Mutations mutations;
  for (int i = 0; i < 2000; i++) mutations.Put("k" + std::to_string(10000 + i), "");
  ASSERT_EQ(CX_OK, Upsert("a", mutations).status);
  Call call = Read("");
  EXPECT_EQ(2u, call->messages.size());
  EXPECT_EQ(2000u, KeysOf(*call).size());
}

TEST_F(ContextReadTest, AnswersWithTheVersionAloneWhenThereAreNoEntries) {
  Put("a", "k", "1");
  EXPECT_EQ((Keys{"version: 1"}), Texts(*Read("key_prefix: 'x'")));
}

TEST_F(ContextReadTest, ReadsFromTheLastKeyToTheFirst) {
  Keys keys = PutMany(20, 60000);
  EXPECT_EQ(Keys(keys.rbegin(), keys.rend()), ReadKeys("reverse: true"));
}

TEST_F(ContextReadTest, KeepsToPrefixAndBounds) {
  for (const char *key : {"a", "b/1", "b/2", "b/3", "b/4", "c"}) Put("a", key, "");
  struct {
    const char *request;
    Keys forward;
  } rows[] = {
      {"key_prefix: 'b/'", {"b/1", "b/2", "b/3", "b/4"}},
      {"after_key: 'b/2'", {"b/3", "b/4", "c"}},
      {"after_key: 'b/'", {"b/1", "b/2", "b/3", "b/4", "c"}},
      {"before_key: 'b/2'", {"a", "b/1"}},
      {"after_key: 'a' before_key: 'b/3'", {"b/1", "b/2"}},
      {"key_prefix: 'b/' after_key: 'b/1' before_key: 'b/4'", {"b/2", "b/3"}},
      {"key_prefix: 'b/' after_key: 'a' before_key: 'c'", {"b/1", "b/2", "b/3", "b/4"}},
      {"key_prefix: 'b/' after_key: 'b/4'", {}},
      {"key_prefix: 'b/' before_key: 'a'", {}},
      {"key_prefix: 'b/' after_key: 'c'", {}},
      {"after_key: 'b/3' before_key: 'b/2'", {}},
  };
  for (const auto &row : rows) {
    SCOPED_TRACE(row.request);
    EXPECT_EQ(row.forward, ReadKeys(row.request));
    EXPECT_EQ(Keys(row.forward.rbegin(), row.forward.rend()),
              ReadKeys(std::string(row.request) + " reverse: true"));
  }
}

TEST_F(ContextReadTest, EndsAfterSoManyEntries) {
  for (const char *key : {"a", "b", "c"}) Put("a", key, "");
  EXPECT_EQ((Keys{"a", "b"}), ReadKeys("limit: 2"));
  EXPECT_EQ((Keys{"c"}), ReadKeys("limit: 1 reverse: true"));
  EXPECT_EQ((Keys{"a", "b", "c"}), ReadKeys("limit: 3"));
  EXPECT_EQ((Keys{"a", "b", "c"}), ReadKeys("limit: 9"));
}

TEST_F(ContextReadTest, LeavesOutTheValuesWhenAskedTo) {
  Put("a", "k", "1");
  EXPECT_EQ((Keys{"version: 1 entries { key: \"k\" version: 1 }"}),
            Texts(*Read("keys_only: true")));
}

TEST_F(ContextReadTest, ReadsAnEarlierVersion) {
  Put("a", "k", "1");
  Put("a", "k", "2");
  Call call = Begin("ReadEntries", "state { context_id: 'a' version: 1 }");
  Settle();
  EXPECT_EQ((Keys{"version: 1 entries { key: \"k\" value: \"1\" version: 1 }"}), Texts(*call));
}

TEST_F(ContextReadTest, SendsNothingThatIsNotDurable) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  Call call = Begin("ReadEntries", "state { context_id: 'a' }");
  EXPECT_TRUE(call->messages.empty());
  Settle();
  EXPECT_EQ(1u, call->messages.size());
}

TEST_F(ContextReadTest, SaysThatTheDiskFailedInsteadOfTheEntries) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  Call call = Begin("ReadEntries", "state { context_id: 'a' }");
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Settle();
  EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
}

TEST_F(ContextReadTest, SaysThatAContextIsMissing) {
  Call call = Begin("ReadEntries", "state { context_id: 'a' }");
  Settle();
  EXPECT_EQ("CONTEXT_NOT_FOUND", Outcome(*call));
}

TEST_F(ContextReadTest, TellsAStalledReaderWhereToGoOn) {
  Keys keys = PutMany(20, 60000);
  Call call = Begin("ReadEntries", "state { context_id: 'a' }");
  EXPECT_EQ(app_.stream_stall_max_us, call->stall_us);
  EXPECT_EQ("after_key", call->progress_name);
  EXPECT_EQ("", call->progress);
  call->Sent();
  EXPECT_EQ(keys[3], call->progress);
  Keys seen = KeysOf(*call);
  call->Sent();
  EXPECT_EQ(seen.back(), call->progress);
}

TEST_F(ContextReadTest, ReleasesTheStateWhenTheClientLeaves) {
  PutMany(20, 60000);
  Call early = Begin("ReadEntries", "state { context_id: 'a' }");
  early->Leave();
  EXPECT_TRUE(early->ended());
  Call later = Begin("ReadEntries", "state { context_id: 'a' }");
  later->Sent();
  later->Leave();
  EXPECT_TRUE(later->ended());
}

TEST_F(ContextReadTest, ReleasesTheStateWhenTheClientLeavesBeforeItIsDurable) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  Call call = Begin("ReadEntries", "state { context_id: 'a' }");
  call->Leave();
  EXPECT_FALSE(call->ended());
  Settle();
  EXPECT_TRUE(call->ended());
}

TEST_F(ContextReadTest, ChecksItsForm) {
  struct {
    const char *request;
    const char *error;
  } rows[] = {
      {"", "INVALID_FIELD field=state rule=must be set"},
      {"state {}", "INVALID_FIELD field=state.context_id rule=must not be empty"},
      {"state { context_id: 'a' } key_prefix: '\\001'",
       "INVALID_FIELD field=key_prefix rule=must not contain control characters"},
      {"state { context_id: 'a' } after_key: '\\001'",
       "INVALID_FIELD field=after_key rule=must not contain control characters"},
      {"state { context_id: 'a' } before_key: '\\001'",
       "INVALID_FIELD field=before_key rule=must not contain control characters"},
      {"state { context_id: 'a' recovery_point_id: '\\001' }",
       "INVALID_FIELD field=state.recovery_point_id rule=must not contain control characters"},
  };
  for (const auto &row : rows) EXPECT_EQ(row.error, Outcome(*Begin("ReadEntries", row.request)));
}

}  // namespace
