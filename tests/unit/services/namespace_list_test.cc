// ListNamespaces: what the comments of context_manager.proto promise.

#include "tests/unit/services/service_fixture.h"

namespace {

class NamespaceListTest : public ServiceFixture {
 protected:
  void PutIn(const std::string &name, const std::string &id) {
    namespace_ = name;
    Put(id, "k", "123");
  }
};

TEST_F(NamespaceListTest, ListsThoseThatHoldAnythingByName) {
  PutIn("b", "1");
  PutIn("a", "1");
  PutIn("a", "2");
  EXPECT_EQ(
      "namespaces { name: \"a\" context_count: 2 size_bytes: 8 } "
      "namespaces { name: \"b\" context_count: 1 size_bytes: 4 }",
      Ask("ListNamespaces"));
}

TEST_F(NamespaceListTest, GoesOnWhereThePageBeforeEnded) {
  PutIn("b", "1");
  PutIn("a", "1");
  std::string first = Ask("ListNamespaces", "page_size: 1");
  size_t token = first.find("next_page_token: \"");
  ASSERT_NE(std::string::npos, token) << first;
  EXPECT_EQ("namespaces { name: \"b\" context_count: 1 size_bytes: 4 }",
            Ask("ListNamespaces", "page_size: 1 page_token: " + first.substr(token + 17)));
}

TEST_F(NamespaceListTest, AnswersNothingThatIsNotDurable) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  Call call = Begin("ListNamespaces");
  EXPECT_EQ("(waiting)", Outcome(*call));
  Settle();
  EXPECT_TRUE(call->ok());
}

TEST_F(NamespaceListTest, ChecksItsForm) {
  EXPECT_EQ("INVALID_FIELD field=page_size rule=must be 1 to 1000, or 0 for 100",
            Ask("ListNamespaces", "page_size: 1001"));
  EXPECT_EQ("INVALID_FIELD field=page_token rule=must be the next_page_token of the same list",
            Ask("ListNamespaces", "page_token: 'x'"));
}

}  // namespace
