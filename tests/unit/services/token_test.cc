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
  for (size_t size = 0; size <= CX_TOKEN_KEY_SIZE_MAX; size++) {
    std::string key(size, 'k');
    ASSERT_TRUE(Decode(scope_, Encode(scope_, key)));
    EXPECT_EQ(key, Text(token_.key));
    EXPECT_EQ(3u, token_.epoch);
    EXPECT_EQ(7u, token_.position);
  }
}

TEST_F(TokenTest, FitsIntoAStringHoweverLongItsKey) {
  EXPECT_LE(Encode(scope_, std::string(CX_TOKEN_KEY_SIZE_MAX, 'k')).size(),
            size_t{CX_TOKEN_TEXT_SIZE_MAX});
  EXPECT_LE(size_t{CX_TOKEN_TEXT_SIZE_MAX}, size_t{CX_TEXT_SIZE_MAX});
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

// That no two of them are the same.
void ExpectDistinct(const std::vector<uint64_t> &hashes) {
  for (size_t i = 0; i < hashes.size(); i++) {
    for (size_t j = 0; j < i; j++) EXPECT_NE(hashes[i], hashes[j]) << i << " " << j;
  }
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
  ExpectDistinct(hashes);
}

TEST_F(TokenTest, TellsListsOfSessionsApart) {
  cx_bytes x = cx_bytes_of("x"), none = {};
  std::vector<uint64_t> hashes;
  for (cx_session_query query :
       {cx_session_query{none, none, 0, 0}, {x, none, 0, 0}, {none, x, 0, 0}}) {
    hashes.push_back(cx_token_session_filters(&query));
  }
  ExpectDistinct(hashes);
  cx_session_query later = {none, none, 7, 9};
  EXPECT_EQ(hashes[0], cx_token_session_filters(&later));
}

TEST_F(TokenTest, TellsListsOfActivitiesApart) {
  const cx_bytes x = cx_bytes_of("x"), types[] = {x, cx_bytes_of("y")};
  std::vector<cx_activity_query> queries(9);
  queries[1].name.namespace_id = x;
  queries[2].name.id = x;
  queries[3].newest_first = true;
  queries[4].start_time_us = 1;
  queries[5].end_time_us = 1;
  queries[6].from_sequence = 1;
  for (size_t count : {1, 2}) {
    queries[6 + count].types = types;
    queries[6 + count].type_count = count;
  }
  std::vector<uint64_t> hashes;
  for (const auto &query : queries) hashes.push_back(cx_token_activity_filters(&query));
  ExpectDistinct(hashes);
}

TEST_F(TokenTest, TellsListsOfFilesAndResourcesApart) {
  std::vector<cx_tracked_query> queries(4);
  queries[1].name.namespace_id = cx_bytes_of("x");
  queries[2].name.id = cx_bytes_of("x");
  queries[3].prefix = cx_bytes_of("x");
  std::vector<uint64_t> hashes;
  for (const auto &query : queries) hashes.push_back(cx_token_tracked_filters(&query));
  ExpectDistinct(hashes);
}

TEST_F(TokenTest, HasTheSameScopeAfterARestart) {
  cx_token_scope before = cx_token_scope_of(engine_, CX_TOKEN_CONTEXTS, 1);
  Reopen();
  cx_token_scope after = cx_token_scope_of(engine_, CX_TOKEN_CONTEXTS, 1);
  EXPECT_EQ(before.log, after.log);
  EXPECT_EQ(before.epoch, after.epoch);
}

TEST_F(TokenTest, KnowsListsOfPointsByAllThatSelectsTheirRows) {
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  cx_point_query queries[7] = {};
  for (auto &query : queries) query.namespace_id = cx_bytes_of("n");
  queries[1].namespace_id = cx_bytes_of("m");
  queries[2].context_id = cx_bytes_of("a");
  queries[3].id_prefix = cx_bytes_of("a");
  queries[4].before_id = cx_bytes_of("a");
  queries[5].ancestors_of = cx_bytes_of("a");
  queries[6].labels = &label;
  queries[6].label_count = 1;
  for (const auto &query : queries) {
    for (const auto &other : queries) {
      EXPECT_EQ(&query == &other, cx_token_point_filters(&query) == cx_token_point_filters(&other));
    }
    cx_point_query later = query;
    later.after_sequence = later.after_revision = later.count_max = 7;
    EXPECT_EQ(cx_token_point_filters(&query), cx_token_point_filters(&later));
  }
}

}  // namespace
