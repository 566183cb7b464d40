// The form of activities: the rules of resources.proto at Activity and its details.

#include "tests/unit/services/tracker_fixture.h"

namespace {

class ConvertActivityTest : public TrackerFixture {
 protected:
  // The rule that the only activity of a request breaks, as "field: rule", or "".
  std::string Broken(const std::string &activity) {
    std::string text = Record("a", "activities { " + activity + " }");
    Strings found = FindAll(text, "INVALID_FIELD field=activities\\[0\\]\\.(.*)$");
    if (found.empty()) return text.find("last_sequence: ") != text.npos ? "" : text;
    return ReplaceAll(found[0], " rule=", ": ");
  }
};

TEST_F(ConvertActivityTest, HasATypeOf1To64BytesOrOneAfterItsDetail) {
  EXPECT_EQ("type: must not be empty without a detail", Broken(""));
  EXPECT_EQ("type: must not be empty without a detail", Broken("data: 'd'"));
  EXPECT_EQ("", Broken("type: '" + std::string(64, 't') + "'"));
  EXPECT_EQ("type: must have at most 64 bytes", Broken("type: '" + std::string(65, 't') + "'"));
  EXPECT_EQ("type: must not contain control characters", Broken("type: 'a\\nb'"));
  EXPECT_EQ("type: must be UTF-8 without NUL", Broken("type: '\\377'"));
  EXPECT_EQ("", Broken("type: 'own' file { path: 'f' }"));
  Has(Ask("ListActivities", "context_id: 'a' newest_first: true page_size: 1"), "type: \"own\"");
}

TEST_F(ConvertActivityTest, HasContentTypeAndMetadataLikeOthers) {
  EXPECT_EQ("", Broken("type: 't' content_type: '" + std::string(128, 'c') + "'"));
  EXPECT_EQ("content_type: must have at most 128 bytes",
            Broken("type: 't' content_type: '" + std::string(129, 'c') + "'"));
  EXPECT_EQ("metadata.key: must not be empty", Broken("type: 't' metadata { key: '' }"));
  EXPECT_EQ("metadata.value: must have at most 1024 bytes",
            Broken("type: 't' metadata { key: 'k' value: '" + std::string(1025, 'v') + "' }"));
  std::string labels;
  for (int i = 0; i < 65; i++) labels += " metadata { key: 'k" + std::to_string(i) + "' }";
  EXPECT_EQ("metadata: must have at most 64 elements", Broken("type: 't'" + labels));
}

TEST_F(ConvertActivityTest, HasAFileWithAPath) {
  EXPECT_EQ("file.path: must not be empty", Broken("file {}"));
  EXPECT_EQ("", Broken("file { path: '" + std::string(2048, 'p') + "' }"));
  EXPECT_EQ("file.path: must have at most 2048 bytes",
            Broken("file { path: '" + std::string(2049, 'p') + "' }"));
  EXPECT_EQ("", Broken("file { path: 'a\\nb' operation: '" + std::string(64, 'o') + "' source: '" +
                       std::string(256, 's') + "' }"));
  EXPECT_EQ("file.operation: must have at most 64 bytes",
            Broken("file { path: 'p' operation: '" + std::string(65, 'o') + "' }"));
  EXPECT_EQ("file.source: must have at most 256 bytes",
            Broken("file { path: 'p' source: '" + std::string(257, 's') + "' }"));
}

TEST_F(ConvertActivityTest, HasAModelOfAnyNames) {
  for (const char *name : {"provider", "model", "mode"}) {
    EXPECT_EQ(std::string("model.") + name + ": must have at most 256 bytes",
              Broken(std::string("model { ") + name + ": '" + std::string(257, 'n') + "' }"));
  }
  EXPECT_EQ("", Broken("model {}"));
}

TEST_F(ConvertActivityTest, HasACurrencyOfThreeCapitalLetters) {
  EXPECT_EQ("", Broken("model { currency: 'EUR' }"));
  for (const char *currency : {"EU", "EURO", "eur", "E1R", "\xc3\x84U"}) {
    EXPECT_EQ("model.currency: must be three capital letters, such as EUR",
              Broken("model { currency: " + TextQuote(currency) + " }"));
  }
}

TEST_F(ConvertActivityTest, HasALatencyFrom0To100Years) {
  EXPECT_EQ("", Broken("model { latency {} }"));
  EXPECT_EQ("", Broken("model { latency { seconds: 3153600000 } }"));
  EXPECT_EQ("model.latency: must not be negative", Broken("model { latency { seconds: -1 } }"));
  EXPECT_EQ("model.latency: must be at most 3153600000 seconds",
            Broken("model { latency { seconds: 3153600000 nanos: 1 } }"));
  EXPECT_EQ("model.latency: must be a valid duration",
            Broken("model { latency { seconds: 1 nanos: -1 } }"));
}

TEST_F(ConvertActivityTest, HasNoResourceOfAClient) {
  EXPECT_EQ("resource: must not be set: only the server writes it",
            Broken("type: 't' resource { name: 'r' kind: KIND_RELEASED }"));
}

TEST_F(ConvertActivityTest, FitsIntoAnAnswerWith4KiBToSpare) {
  constexpr size_t kLargest = 16 * CX_KIB;
  auto activity = [](size_t size) { return "type: 't' data: '" + std::string(size, 'd') + "'"; };
  size_t size = 16000;
  size += kLargest - TextEncode("Activity", activity(size)).size();
  ASSERT_EQ(kLargest, TextEncode("Activity", activity(size)).size());
  message_size_max_ = kLargest + 4 * CX_KIB;
  EXPECT_EQ("LIMIT_REACHED limit=message_size_max value=20480", Broken(activity(size + 1)));
  EXPECT_EQ("", Broken(activity(size)));
  Has(Ask("ListActivities", "context_id: 'a'"), "sequence: 1 ");
}

TEST_F(ConvertActivityTest, IgnoresWhatTheServerSets) {
  EXPECT_EQ("", Broken("type: 't' sequence: 99 time { seconds: 5 } session_id: 'x'"));
  EXPECT_EQ("activities { sequence: 1 time { seconds: 1700000000 } type: \"t\" }",
            Ask("ListActivities", "context_id: 'a'"));
}

TEST_F(ConvertActivityTest, IsThatOfAMutationToo) {
  EXPECT_EQ(Invalid("mutations[1].record_activity.type", "must not be empty without a detail"),
            Manage("UpdateContext",
                   "context_id: 'a' mutations { put_entry { key: 'k' } } "
                   "mutations { record_activity {} }"));
  EXPECT_EQ("version: 1 write { revision: 2 }",
            Manage("UpdateContext",
                   "context_id: 'a' create_if_missing {} mutations { put_entry { key: 'k' } } "
                   "mutations { record_activity { type: 't' } }"));
  Has(Ask("ListActivities", "context_id: 'a'"), "sequence: 1 ");
}

}  // namespace
