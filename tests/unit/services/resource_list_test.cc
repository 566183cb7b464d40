// ListResources: what the comments of tracker.proto and resources.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ResourceListTest : public TrackerFixture {
 protected:
  void SetUp() override {
    TrackerFixture::SetUp();
    Put("a", "k", "v");
    session_ = Start();
  }

  void Acquire(const std::string &name, const std::string &more = "") {
    Has(Ask("AcquireResource", On(session_, "a", "name: '" + name + "' " + more)), "resource {");
  }

  Strings List(const std::string &request = "", size_t max = 1000) {
    return ListAll("ListResources", "context_id: 'a' " + request,
                   "resources \\{ name: \"([^\"]*)\"", max);
  }

  std::string session_;
};

TEST_F(ResourceListTest, ListsByNameAndGoesOnWhereThePageBeforeEnded) {
  Strings names;
  for (int i = 29; i >= 10; i--) {
    names.insert(names.begin(), "r" + std::to_string(i));
    Acquire(names.front());
  }
  EXPECT_EQ(names, List());
  EXPECT_EQ(names, List("page_size: 7", 7));
  EXPECT_EQ(names, List("page_size: 1", 1));
}

TEST_F(ResourceListTest, EndsAPageWhereItWouldOutgrowAMessage) {
  for (int i = 0; i < 9; i++) {
    Acquire(std::to_string(i), "metadata { key: 'k' value: '" + std::string(1000, 'v') + "' }");
  }
  message_size_max_ = CX_TOKEN_TEXT_SIZE_MAX + 3500;
  EXPECT_EQ(3u, FindAll(Ask("ListResources", "context_id: 'a'"), "(resources) \\{").size());
  EXPECT_EQ(9u, List("", 3).size());
}

TEST_F(ResourceListTest, RefusesATokenOfAnotherList) {
  for (const char *name : {"x", "y"}) Acquire(name);
  std::string token =
      "page_token: '" + TokenOf(Ask("ListResources", "context_id: 'a' page_size: 1")) + "' ";
  EXPECT_EQ(kTokenRefused, Ask("ListResources", token + "context_id: 'b'"));
  EXPECT_EQ(kTokenRefused, Ask("ListResources", token + "context_id: 'a' namespace: 'n'"));
  EXPECT_EQ(kTokenRefused, Ask("ListFiles", token + "context_id: 'a'"));
}

TEST_F(ResourceListTest, SaysThatThereIsNoSuchContext) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("ListResources", "context_id: 'none'"));
}

TEST_F(ResourceListTest, LeavesThePollerWithManyRows) {
  Call few = Begin("ListResources", "context_id: 'a'");
  Call many = Begin("ListResources", "context_id: 'a' page_size: 1000");
  Settle();
  EXPECT_EQ(0, few->offloads);
  EXPECT_EQ(1, many->offloads);
}

}  // namespace
