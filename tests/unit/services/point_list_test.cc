// ListRecoveryPoints: what the comments of recovery.proto and resources.proto promise.

#include "tests/unit/services/recovery_fixture.h"

namespace {

class PointListTest : public RecoveryFixture {
 protected:
  // Points p1, p2, ... of a context.
  Strings Points(const std::string &context, int count, const std::string &more = "") {
    Strings newest_first;
    Change(context, Mutations().Put("k", "v"));
    for (int i = 1; i <= count; i++) {
      std::string id = context + std::to_string(i);
      Has(Point(context, id, more), "recovery_point {");
      newest_first.insert(newest_first.begin(), id);
    }
    return newest_first;
  }
};

TEST_F(PointListTest, ListsTheNewestFirstPageByPage) {
  Strings points = Points("a", 7);
  EXPECT_EQ(points, Ids("context_id: 'a'"));
  EXPECT_EQ(points, Ids("context_id: 'a' page_size: 3", 3));
  EXPECT_EQ(points, Ids("context_id: 'a' page_size: 1", 1));
}

TEST_F(PointListTest, ListsManyContextsInTheOrderOfTheirChanges) {
  Points("a", 2);
  Points("b", 2);
  Point("a", "a3");
  Points("c", 1);
  EXPECT_EQ((Strings{"c1", "a3", "b2", "b1", "a2", "a1"}), Ids(""));
  EXPECT_EQ((Strings{"c1", "a3", "b2", "b1", "a2", "a1"}), Ids("page_size: 1", 1));
  EXPECT_EQ((Strings{"b2", "b1"}), Ids("id_prefix: 'b' page_size: 1", 1));
  EXPECT_EQ((Strings{}), Ids("namespace: 'n'"));
}

TEST_F(PointListTest, ListsThoseThatAreSelected) {
  Points("a", 4);
  Point("a", "m", "metadata { key: 'k' value: 'v' }");
  EXPECT_EQ((Strings{"m"}), Ids("context_id: 'a' metadata { key: 'k' value: 'v' }"));
  EXPECT_EQ((Strings{"a2", "a1"}), Ids("context_id: 'a' before_recovery_point_id: 'a3'"));
  Point("a", "side", "from_recovery_point_id: 'a2'");
  EXPECT_EQ((Strings{"a2", "a1"}), Ids("context_id: 'a' ancestors_of: 'side'"));
  EXPECT_EQ((Strings{"a2", "a1"}), Ids("context_id: 'a' ancestors_of: 'side' page_size: 1", 1));
}

TEST_F(PointListTest, ShowsWhatIsAskedFor) {
  Points("a", 1, "attachments { key: 'at' value: 'tached' }");
  std::string text = Ask("ListRecoveryPoints", "context_id: 'a'");
  HasNot(text, "entries {");
  HasNot(text, "attachments {");
  text = Ask("ListRecoveryPoints", "context_id: 'a' with_entries: true with_attachments: true");
  Has(text, "attachments { key: \"at\" value: \"tached\" }");
  Has(text, "} entries { key: \"k\" value: \"v\" version: 1 } }");
  HasNot(Ask("ListRecoveryPoints", "context_id: 'a' with_entries: true keys: 'l'"), "entries {");
}

TEST_F(PointListTest, EndsAPageWhereItWouldOutgrowAMessage) {
  Change("a", Mutations().Put("large", std::string(60000, 'v')));
  Strings points = Points("a", 9);
  message_size_max_ = 200000;
  EXPECT_EQ(points, Ids("context_id: 'a' with_entries: true", 3));
  Change("b", Mutations().Put("large", std::string(60000, 'v')));
  Point("b", "b1");
  EXPECT_EQ(10u, Ids("with_entries: true", 3).size());
}

TEST_F(PointListTest, RefusesAPointThatFitsIntoNoMessage) {
  Change("a", Mutations().Put("k1", std::string(60000, 'v')).Put("k2", std::string(60000, 'v')));
  Points("a", 1);
  message_size_max_ = 100000;
  EXPECT_EQ(
      0u,
      Ask("ListRecoveryPoints", "context_id: 'a' with_entries: true").find("RESPONSE_TOO_LARGE"));
  Has(Ask("ListRecoveryPoints", "context_id: 'a'"), "id: \"a1\"");
}

TEST_F(PointListTest, RefusesATokenOfAnotherList) {
  Points("a", 2);
  std::string one = TokenOf(Ask("ListRecoveryPoints", "context_id: 'a' page_size: 1"));
  std::string many = TokenOf(Ask("ListRecoveryPoints", "page_size: 1"));
  ASSERT_FALSE(one.empty() || many.empty());
  std::string token = "page_token: '" + one + "' ";
  for (const char *other :
       {"", "id_prefix: 'a'", "context_id: 'b'", "context_id: 'a' namespace: 'n'",
        "context_id: 'a' metadata { key: 'k' value: 'v' }",
        "context_id: 'a' before_recovery_point_id: 'a1'", "context_id: 'a' ancestors_of: 'a1'"}) {
    EXPECT_EQ(kTokenRefused, Ask("ListRecoveryPoints", token + other)) << other;
  }
  EXPECT_EQ(kTokenRefused, Ask("ListRecoveryPoints", "context_id: 'a' page_token: '" + many + "'"));
  EXPECT_EQ(kTokenRefused, Manage("ListContexts", token));
  Has(Ask("ListRecoveryPoints", token + "context_id: 'a' with_entries: true page_size: 9"), "a1");
}

TEST_F(PointListTest, RefusesATokenWithAPlaceThatWasMadeUp) {
  Points("a", 2);
  cx_point_query query = {};
  cx_arena arena = {};
  cx_allocator allocator = cx_allocator_of_arena(&arena);
  query.namespace_id = cx_bytes_of("default");
  cx_token_scope scope =
      cx_token_scope_of(engine_, CX_TOKEN_POINTS, cx_token_point_filters(&query));
  for (size_t size : {0, 1, 8, 265, 2048}) {
    std::string key(size, 'k');
    cx_token token = {scope.epoch, 5, Bytes(key)};
    std::string text = cx_token_encode(&allocator, &scope, &token);
    EXPECT_EQ(kTokenRefused, Ask("ListRecoveryPoints", "page_token: '" + text + "'")) << size;
  }
  cx_arena_done(&arena);
}

TEST_F(PointListTest, SaysWhatIsMissing) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("ListRecoveryPoints", "context_id: 'a'"));
  Points("a", 1);
  EXPECT_EQ(0u, Ask("ListRecoveryPoints", "context_id: 'a' ancestors_of: 'none'")
                    .find("RECOVERY_POINT_NOT_FOUND"));
  EXPECT_EQ(0u, Ask("ListRecoveryPoints", "context_id: 'a' before_recovery_point_id: 'none'")
                    .find("RECOVERY_POINT_NOT_FOUND"));
}

TEST_F(PointListTest, ListsPointsOfADeletedContext) {
  Strings points = Points("a", 2);
  Manage("DeleteContext", "context_id: 'a'");
  EXPECT_EQ(points, Ids("context_id: 'a'"));
}

TEST_F(PointListTest, WalksToAncestorsOnAWorker) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p");
  Point("a", "q");
  Call call = Begin("ListRecoveryPoints", "context_id: 'a' ancestors_of: 'q'");
  EXPECT_EQ(1, call->offloads);
  Settle();
  EXPECT_TRUE(call->ok());
}

}  // namespace
