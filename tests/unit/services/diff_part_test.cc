// Differences in parts: what server/services/diff_part.h promises.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "core/base/arena.h"
#include "server/services/diff_part.h"
#include "tests/support/fail_nth.h"
}

namespace {

using Strings = std::vector<std::string>;

class DiffPartTest : public ServiceFixture {
 protected:
  DiffPartTest() {
    draft_.memory = cx_allocator_of_arena(&arena_);
    view_.rule = CX_DIFFERS_IN_VALUE;
    view_.before_values = view_.after_values = true;
  }

  ~DiffPartTest() override {
    cx_snapshot_done(&before_);
    cx_snapshot_done(&after_);
    cx_arena_done(&arena_);
  }

  void Take(cx_snapshot *snapshot) {
    cx_context_name name = {cx_bytes_of("default"), cx_bytes_of("a")};
    cx_state_at at = {};
    uint64_t wait_for;
    cx_error error;
    ASSERT_EQ(CX_OK, cx_engine_get(engine_, &name, &at, snapshot, &wait_for, &error));
  }

  void Change(const Mutations &mutations) {
    ASSERT_EQ(CX_OK, Upsert("a", mutations).status);
    Step();
    completed_.clear();
  }

  void Begin(uint64_t size_max = CX_MIB) {
    cx_diff_part_begin(&part_, &before_, &after_, &view_, size_max);
  }

  static std::string Pack(const ProtobufCMessage &message) {
    std::string bytes(protobuf_c_message_get_packed_size(&message), '\0');
    protobuf_c_message_pack(&message, reinterpret_cast<uint8_t *>(&bytes[0]));
    return bytes;
  }

  // The next part, as texts. What it is packed into must be what it says.
  Strings Next(uint64_t room = CX_MIB, bool one_at_least = true) {
    Strings told;
    size_t count;
    uint64_t size;
    DiffStatesResponse response = CONTEXTD__V1__DIFF_STATES_RESPONSE__INIT;
    EntryDiff **messages = cx_diff_part_make(&draft_, &part_, room, one_at_least, &count, &size);
    EXPECT_FALSE(draft_.failed);
    for (size_t i = 0; i < count; i++) {
      told.push_back(TextDecode("EntryDiff", Pack(messages[i]->base)));
    }
    response.entries = messages;
    response.n_entries = count;
    EXPECT_EQ(Pack(response.base).size(), size);
    return told;
  }

  cx_arena arena_ = {};
  cx_draft draft_ = {};
  cx_snapshot before_ = {};
  cx_snapshot after_ = {};
  cx_diff_view view_ = {};
  cx_diff_part part_ = {};
};

TEST_F(DiffPartTest, TellsWhatWasAddedChangedAndRemoved) {
  Change(Mutations().Put("b", "1", "t").Put("c", "2").Put("same", "x"));
  Take(&before_);
  Change(Mutations().Put("a", "0").Put("b", "2").Delete("c").Put("same", "x"));
  Take(&after_);
  Begin();
  EXPECT_EQ((Strings{"key: \"a\" after { key: \"a\" value: \"0\" version: 2 }",
                     "key: \"b\" before { key: \"b\" value: \"1\" content_type: \"t\" version: 1 } "
                     "after { key: \"b\" value: \"2\" version: 2 }",
                     "key: \"c\" before { key: \"c\" value: \"2\" version: 1 }"}),
            Next());
  EXPECT_TRUE(part_.ended);
}

TEST_F(DiffPartTest, TellsWhatWasSetAgainWhereThatIsTheRule) {
  Change(Mutations().Put("k", "v"));
  Take(&before_);
  Change(Mutations().Put("k", "v"));
  Take(&after_);
  view_.rule = CX_DIFFERS_WHEN_SET;
  view_.before_values = false;
  Begin();
  EXPECT_EQ((Strings{"key: \"k\" before { key: \"k\" version: 1 } after { key: \"k\" value: \"v\" "
                     "version: 2 }"}),
            Next());
}

TEST_F(DiffPartTest, KeepsToThePrefix) {
  Change(Mutations().Put("a", "").Put("b/1", "").Put("b/2", "").Put("c", ""));
  Take(&after_);
  view_.key_prefix = cx_bytes_of("b/");
  Begin();
  EXPECT_EQ(2u, Next().size());
  EXPECT_TRUE(part_.ended);
  view_.key_prefix = cx_bytes_of("d");
  Begin();
  EXPECT_EQ((Strings{}), Next());
  EXPECT_TRUE(part_.ended);
}

TEST_F(DiffPartTest, LeavesOutTheValuesWhereNobodyWantsThem) {
  Change(Mutations().Put("k", "v"));
  Take(&before_);
  Change(Mutations().Put("k", "w"));
  Take(&after_);
  view_.before_values = view_.after_values = false;
  Begin();
  EXPECT_EQ(
      (Strings{"key: \"k\" before { key: \"k\" version: 1 } after { key: \"k\" version: 2 }"}),
      Next());
}

TEST_F(DiffPartTest, FillsTheRoomButNotMore) {
  Mutations many;
  for (int i = 10; i < 20; i++) many.Put("k" + std::to_string(i), std::string(2000, 'v'));
  Change(many);
  Take(&after_);
  Begin();
  EXPECT_EQ((Strings{}), Next(2000, false));
  EXPECT_FALSE(part_.ended);
  EXPECT_EQ(1u, Next(2000).size());
  EXPECT_EQ(3u, Next(8000).size());
  EXPECT_FALSE(part_.ended);
  EXPECT_EQ(6u, Next().size());
  EXPECT_TRUE(part_.ended);
}

TEST_F(DiffPartTest, LooksAtNoMoreThanAThousandAtATime) {
  Mutations many;
  for (int i = 0; i < 1500; i++) many.Put("k" + std::to_string(10000 + i), "");
  Change(many);
  Take(&after_);
  Begin();
  EXPECT_EQ(1000u, Next().size());
  EXPECT_FALSE(part_.ended);
  EXPECT_EQ(500u, Next().size());
}

TEST_F(DiffPartTest, ReturnsNowAndThenFromManyThatAreEqual) {
  Mutations many;
  for (int i = 0; i < 1500; i++) many.Put("k" + std::to_string(10000 + i), "");
  Change(many);
  Take(&before_);
  Change(many.Put("z", "1"));
  Take(&after_);
  Begin();
  EXPECT_EQ((Strings{}), Next());
  EXPECT_FALSE(part_.ended);
  EXPECT_EQ(1u, Next().size());
  EXPECT_TRUE(part_.ended);
}

TEST_F(DiffPartTest, TellsOneThatDoesNotFitAsRemovedAndAdded) {
  Change(Mutations().Put("a", "1").Put("k", std::string(50000, 'v')).Put("z", "1"));
  Take(&before_);
  Change(Mutations().Put("a", "2").Put("k", std::string(60000, 'w')).Put("z", "2"));
  Take(&after_);
  Begin(100000);
  Strings told = Next(100000);
  ASSERT_EQ(2u, told.size());
  EXPECT_NE(std::string::npos, told[1].find("before"));
  EXPECT_EQ(std::string::npos, told[1].find("after"));
  EXPECT_FALSE(part_.ended);
  told = Next(100000);
  ASSERT_EQ(2u, told.size());
  EXPECT_EQ(0u, told[0].find("key: \"k\" after"));
  EXPECT_EQ(0u, told[1].find("key: \"z\" before"));
  EXPECT_TRUE(part_.ended);
}

TEST_F(DiffPartTest, TellsOneThatFitsExactlyInOnePiece) {
  Change(Mutations().Put("k", std::string(50000, 'v')));
  Take(&before_);
  Change(Mutations().Put("k", std::string(60000, 'w')));
  Take(&after_);
  Begin();
  size_t count;
  uint64_t size;
  ASSERT_NE(nullptr, cx_diff_part_make(&draft_, &part_, CX_MIB, true, &count, &size));
  Begin(size);
  EXPECT_EQ(1u, Next().size());
  Begin(size - 1);
  EXPECT_EQ(2u, Next().size());
}

TEST_F(DiffPartTest, SaysThatThereWasNoMemory) {
  Change(Mutations().Put("a", "1").Put("k", std::string(50000, 'v')));
  Take(&before_);
  Change(Mutations().Put("a", "2").Put("k", std::string(60000, 'w')));
  Take(&after_);
  for (size_t nth = 1;; nth++) {
    fail_nth fail;
    size_t count;
    uint64_t size;
    cx_arena_done(&arena_);
    draft_.failed = false;
    Begin();
    fail_nth_begin(&fail, nth);
    EntryDiff **messages = cx_diff_part_make(&draft_, &part_, CX_MIB, true, &count, &size);
    bool failed = fail_nth_end(&fail);
    EXPECT_EQ(failed, draft_.failed);
    EXPECT_EQ(failed, messages == nullptr);
    if (!failed) break;
  }
}

TEST_F(DiffPartTest, KnowsWhenComparingIsHeavy) {
  cx_snapshot before = {}, after = {};
  before.entry_count = after.entry_count = CX_OFFLOAD_ITEMS / 2;
  EXPECT_FALSE(cx_diff_is_heavy(&before, &after));
  after.entry_count++;
  EXPECT_TRUE(cx_diff_is_heavy(&before, &after));
  after.entry_count = 1;
  after.size_bytes = CX_OFFLOAD_BYTES + 1;
  EXPECT_TRUE(cx_diff_is_heavy(&before, &after));
}

}  // namespace
