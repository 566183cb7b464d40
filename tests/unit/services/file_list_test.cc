// ListFiles: what the comments of tracker.proto and resources.proto promise.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class FileListTest : public TrackerFixture {
 protected:
  void Touch(const std::string &path, const std::string &operation = "read") {
    Has(Record("a", "activities { file { path: " + TextQuote(path) + " operation: '" + operation +
                        "' source: 's' } }"),
        "last_sequence");
  }

  Strings List(const std::string &request = "", size_t max = 1000) {
    return ListAll("ListFiles", "context_id: 'a' " + request, "path: \"([^\"]*)\"", max);
  }
};

TEST_F(FileListTest, ShowsTheLastOperationAndHowManyThereWere) {
  Touch("f");
  clock_.now_us += CX_SECOND_US;
  Touch("f", "write");
  EXPECT_EQ(
      "files { last_operation { path: \"f\" operation: \"write\" source: \"s\" } "
      "time { seconds: 1700000001 } operation_count: 2 }",
      Ask("ListFiles", "context_id: 'a'"));
}

TEST_F(FileListTest, ListsByPathAndGoesOnWhereThePageBeforeEnded) {
  Strings paths;
  for (int i = 39; i >= 10; i--) {
    paths.insert(paths.begin(), "f" + std::to_string(i));
    Touch(paths.front());
  }
  EXPECT_EQ(paths, List());
  EXPECT_EQ(paths, List("page_size: 7", 7));
  EXPECT_EQ(paths, List("page_size: 1", 1));
}

TEST_F(FileListTest, SelectsByPrefix) {
  for (const char *path : {"a/x", "a/y", "a", "b/x"}) Touch(path);
  EXPECT_EQ((Strings{"a/x", "a/y"}), List("path_prefix: 'a/' page_size: 1"));
  EXPECT_EQ((Strings{}), List("path_prefix: 'none'"));
}

TEST_F(FileListTest, GoesOnBehindTheLongestPath) {
  const std::string longest(2048, 'p');
  for (const std::string &path : {longest, std::string("q")}) Touch(path);
  std::string token = TokenOf(Ask("ListFiles", "context_id: 'a' page_size: 1"));
  EXPECT_LT(token.size(), 4096u);
  EXPECT_EQ((Strings{longest, "q"}), List("page_size: 1"));
}

TEST_F(FileListTest, EndsAPageWhereItWouldOutgrowAMessage) {
  for (int i = 0; i < 9; i++) Touch(std::to_string(i) + std::string(2000, 'p'));
  message_size_max_ = CX_TOKEN_TEXT_SIZE_MAX + 6500;
  EXPECT_EQ(3u, FindAll(Ask("ListFiles", "context_id: 'a'"), "(files) \\{").size());
  EXPECT_EQ(9u, List("", 3).size());
}

TEST_F(FileListTest, RefusesATokenOfAnotherList) {
  for (const char *path : {"a1", "a2"}) Touch(path);
  std::string token =
      "page_token: '" + TokenOf(Ask("ListFiles", "context_id: 'a' page_size: 1")) + "' ";
  EXPECT_EQ(kTokenRefused, Ask("ListFiles", token + "context_id: 'a' path_prefix: 'a'"));
  EXPECT_EQ(kTokenRefused, Ask("ListFiles", token + "context_id: 'b'"));
  EXPECT_EQ(kTokenRefused, Ask("ListFiles", token + "context_id: 'a' namespace: 'n'"));
  EXPECT_EQ(kTokenRefused, Ask("ListResources", token + "context_id: 'a'"));
}

TEST_F(FileListTest, SaysThatThereIsNoSuchContext) {
  EXPECT_EQ("CONTEXT_NOT_FOUND", Ask("ListFiles", "context_id: 'a'"));
}

TEST_F(FileListTest, LeavesThePollerWithManyRows) {
  Call few = Begin("ListFiles", "context_id: 'a'");
  Call many = Begin("ListFiles", "context_id: 'a' page_size: 1000");
  Settle();
  EXPECT_EQ(0, few->offloads);
  EXPECT_EQ(1, many->offloads);
}

}  // namespace
