// The form of writes as a whole: names and options. The rules are those at the head of
// resources.proto and at its fields.

#include "tests/unit/services/service_fixture.h"

namespace {

class ConvertRequestTest : public ServiceFixture {
 protected:
  std::string Update(const std::string &fields) {
    return Ask("UpdateContext",
               fields + " mutations { put_entry { key: 'k' } } create_if_missing {}");
  }

  static std::string Invalid(const std::string &field, const std::string &rule) {
    return "INVALID_FIELD field=" + field + " rule=" + rule;
  }

  static bool Passes(const std::string &answer) { return answer.find("version: ") != answer.npos; }
};

TEST_F(ConvertRequestTest, TakesIdsOf1To256Bytes) {
  auto update = [&](const std::string &id) { return Update("context_id: " + TextQuote(id)); };
  EXPECT_TRUE(Passes(update("a")));
  EXPECT_TRUE(Passes(update(std::string(256, 'a'))));
  EXPECT_EQ(Invalid("context_id", "must not be empty"), update(""));
  EXPECT_EQ(Invalid("context_id", "must have at most 256 bytes"), update(std::string(257, 'a')));
  EXPECT_EQ(Invalid("context_id", "must not contain control characters"), update("a\tb"));
}

TEST_F(ConvertRequestTest, RefusesNamesThatAreNotUtf8) {
  std::string bad("\x12\x02\xc3\x28", 4);  // context_id, cut in the middle of a character.
  cx_call call(*service_, "DeleteContext", &app_);
  call.Begin(bad);
  EXPECT_EQ(Invalid("context_id", "must be UTF-8 without NUL"), Outcome(call));
}

TEST_F(ConvertRequestTest, TakesNamespacesOf1To63CharactersOfItsSet) {
  auto update = [&](const std::string &name) {
    return Update("context_id: 'a' namespace: " + TextQuote(name));
  };
  EXPECT_TRUE(Passes(update("a")));
  EXPECT_TRUE(Passes(update("0-_.z")));
  EXPECT_TRUE(Passes(update(std::string(63, 'a'))));
  EXPECT_EQ(Invalid("namespace", "must begin with one of a-z 0-9"), update("-a"));
  EXPECT_EQ(Invalid("namespace", "may hold only a-z 0-9 - _ ."), update("aB"));
  EXPECT_EQ(Invalid("namespace", "is longer than its limit"), update(std::string(64, 'a')));
}

TEST_F(ConvertRequestTest, TakesAnEmptyNamespaceForDefault) {
  EXPECT_EQ("version: 1 write { revision: 2 }", Update("context_id: 'a'"));
  EXPECT_EQ("version: 2 write { revision: 3 }", Update("namespace: 'default' context_id: 'a'"));
}

TEST_F(ConvertRequestTest, TakesRequestIdsOfUpTo128Bytes) {
  auto update = [&](const std::string &id) {
    return Update("context_id: 'a' write { request_id: '" + id + "' }");
  };
  EXPECT_TRUE(Passes(update(std::string(128, 'r'))));
  EXPECT_EQ(Invalid("write.request_id", "must have at most 128 bytes"),
            update(std::string(129, 'r')));
}

TEST_F(ConvertRequestTest, TellsTheFormBeforeAnythingElse) {
  EXPECT_EQ(Invalid("mutations[0].put_entry.key", "must not be empty"),
            Ask("UpdateContext", "context_id: 'missing' mutations { put_entry {} }"));
}

TEST_F(ConvertRequestTest, TellsTheFormWithoutWaitingForTheDisk) {
  ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "1")).status);
  EXPECT_TRUE(Begin("UpdateContext", "context_id: 'a'")->ended());
}

}  // namespace
