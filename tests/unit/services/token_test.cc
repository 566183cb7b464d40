// What server/services/token.h promises.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/token.h"
}

namespace {

class TokenTest : public ServiceFixture {
 protected:
  TokenTest() { allocator_ = cx_allocator_of_arena(&arena_); }
  ~TokenTest() override { cx_arena_done(&arena_); }

  std::string Encode(const cx_token_scope &scope, const std::string &key) {
    cx_token token = {3, 7, Bytes(key)};
    return cx_token_encode(&allocator_, &scope, &token);
  }

  bool Decode(const cx_token_scope &scope, const std::string &text) {
    return cx_token_decode(&allocator_, &scope, Bytes(text), &token_);
  }

  const cx_token_scope scope_ = {CX_TOKEN_CONTEXTS, 11, 12, 13};
  cx_arena arena_ = {};
  cx_allocator allocator_;
  cx_token token_ = {};
};

TEST_F(TokenTest, GivesBackWhatItWasMadeOf) {
  for (size_t size = 0; size <= CX_CONTEXT_ID_SIZE_MAX; size++) {
    std::string key(size, 'k');
    ASSERT_TRUE(Decode(scope_, Encode(scope_, key)));
    EXPECT_EQ(key, Text(token_.key));
    EXPECT_EQ(3u, token_.epoch);
    EXPECT_EQ(7u, token_.position);
  }
}

TEST_F(TokenTest, HoldsOnlyCharactersThatNeedNoEscapingInAUrl) {
  for (char c : Encode(scope_, "\xc3\xbc\n")) EXPECT_TRUE(isalnum(c) || c == '-' || c == '_') << c;
}

TEST_F(TokenTest, IsTakenBackOnlyByTheListThatItWasMadeFor) {
  std::string text = Encode(scope_, "key");
  cx_token_scope other = scope_;
  other.kind = CX_TOKEN_NAMESPACES;
  EXPECT_FALSE(Decode(other, text));
  other = scope_;
  other.filters++;
  EXPECT_FALSE(Decode(other, text));
  other = scope_;
  other.log++;
  EXPECT_FALSE(Decode(other, text));
}

TEST_F(TokenTest, IsTakenBackInALaterEpochOfItsLog) {
  cx_token_scope later = scope_;
  later.epoch++;
  EXPECT_TRUE(Decode(later, Encode(scope_, "key")));
}

TEST_F(TokenTest, IsNotMadeUp) {
  std::string text = Encode(scope_, "key");
  for (size_t i = 0; i < text.size(); i++) {
    for (char c : {'A', 'b', '-', '+', '=', ' '}) {
      std::string changed = text;
      changed[i] = c;
      EXPECT_EQ(changed == text, Decode(scope_, changed)) << changed;
    }
    EXPECT_FALSE(Decode(scope_, text.substr(0, i)));
  }
  EXPECT_FALSE(Decode(scope_, text + "A"));
  EXPECT_FALSE(Decode(scope_, ""));
  EXPECT_FALSE(Decode(scope_, std::string(100000, 'A')));
}

TEST_F(TokenTest, TellsListsApartByEverythingThatDecidesWhatTheyShow) {
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  cx_list_query query = {};
  std::vector<uint64_t> hashes = {cx_token_filters(&query)};
  for (cx_bytes cx_list_query::*part : {&cx_list_query::namespace_id, &cx_list_query::id_prefix,
                                        &cx_list_query::type, &cx_list_query::parent_id}) {
    cx_list_query changed = query;
    changed.*part = cx_bytes_of("x");
    hashes.push_back(cx_token_filters(&changed));
  }
  query.deleted = true;
  hashes.push_back(cx_token_filters(&query));
  query.labels = &label;
  query.label_count = 1;
  hashes.push_back(cx_token_filters(&query));
  for (size_t i = 0; i < hashes.size(); i++) {
    for (size_t j = 0; j < i; j++) EXPECT_NE(hashes[i], hashes[j]) << i << " " << j;
  }
}

TEST_F(TokenTest, HasTheSameScopeAfterARestart) {
  cx_token_scope before = cx_token_scope_of(engine_, CX_TOKEN_CONTEXTS, 1);
  Reopen();
  cx_token_scope after = cx_token_scope_of(engine_, CX_TOKEN_CONTEXTS, 1);
  EXPECT_EQ(before.log, after.log);
  EXPECT_EQ(before.epoch, after.epoch);
}

}  // namespace
