// What import_line.h promises of each line, and export_line.h of its inverse.

extern "C" {
#include "clients/ctxctl/import_line.h"
#include "clients/ctxctl/export_line.h"
}

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace {

class ImportLineTest : public testing::Test {
 protected:
  ~ImportLineTest() override { ctl_line_done(&line_); }

  bool Parse(const std::string &text) {
    ctl_line_done(&line_);
    problem_[0] = '\0';
    return ctl_line_parse(text.data(), text.size(), &line_, problem_);
  }

  std::string Key(size_t i) { return line_.puts[i].key; }
  std::string Type(size_t i) { return line_.puts[i].content_type; }
  std::string Value(size_t i) {
    return std::string(static_cast<const char *>(line_.puts[i].value.data),
                       line_.puts[i].value.size);
  }
  std::string Label(size_t i) {
    return std::string(line_.labels[i].key) + "=" + line_.labels[i].value;
  }

  ctl_line line_ = {};
  char problem_[CTL_PROBLEM_SIZE];
};

TEST_F(ImportLineTest, KeepsTheExactBytesOfEachMessage) {
  ASSERT_TRUE(Parse("{\"id\":\"a\",\"messages\": [ {\"b\" : 1.0} ,\"\\u00e9\" ,[ ]]}\n"))
      << problem_;
  ASSERT_EQ(3u, line_.put_count);
  EXPECT_EQ("messages/00000001", Key(0));
  EXPECT_EQ("{\"b\" : 1.0}", Value(0));
  EXPECT_EQ("\"\\u00e9\"", Value(1));
  EXPECT_EQ("messages/00000003", Key(2));
  EXPECT_EQ("[ ]", Value(2));
  EXPECT_EQ("application/json", Type(2));
  EXPECT_TRUE(line_.conversation);
}

TEST_F(ImportLineTest, MakesLabelsOfTheOtherScalars) {
  ASSERT_TRUE(
      Parse("{\"user\":\"a\\tb\",\"id\":\"x\",\"reward\":0.0,\"ok\":true,\"none\":null,"
            "\"metadata\":{\"k\":\"v\",\"n\":-1e3}}"))
      << problem_;
  ASSERT_EQ(6u, line_.label_count);
  EXPECT_EQ("k=v", Label(0));
  EXPECT_EQ("n=-1e3", Label(1));
  EXPECT_EQ("none=null", Label(2));
  EXPECT_EQ("ok=true", Label(3));
  EXPECT_EQ("reward=0.0", Label(4));
  EXPECT_EQ("user=a\tb", Label(5));
}

TEST_F(ImportLineTest, TakesTypeParentAndExpiry) {
  ASSERT_TRUE(
      Parse("{\"id\":\"x\",\"type\":\"chat\",\"parent_id\":\"p\","
            "\"expire_time\":\"2025-11-21T10:53:18.25Z\"}"));
  EXPECT_STREQ("chat", line_.type);
  EXPECT_STREQ("p", line_.parent_id);
  EXPECT_EQ(1763722398, line_.expire_s);
  EXPECT_EQ(0u, line_.put_count);
  EXPECT_EQ(0u, line_.label_count);
}

TEST_F(ImportLineTest, TakesEntriesInEveryForm) {
  ASSERT_TRUE(
      Parse("{\"id\":\"x\",\"entries\":{"
            "\"b\":{\"base64\":\"/wA=\"},\"c\":{\"base64\":\"\",\"content_type\":\"i/x\"},"
            "\"d\":{\"content_type\":\"t/p\",\"text\":\"hi\\u0000\"},\"a\":\"te\\nxt\","
            "\"e\":{ \"plain\" : [1, 2] },\"f\":7.0}}"))
      << problem_;
  ASSERT_EQ(6u, line_.put_count);
  EXPECT_EQ("a", Key(0));
  EXPECT_EQ("te\nxt", Value(0));
  EXPECT_EQ(std::string("\xFF\0", 2), Value(1));
  EXPECT_EQ("", Type(1));
  EXPECT_EQ("", Value(2));
  EXPECT_EQ("i/x", Type(2));
  EXPECT_EQ(std::string("hi\0", 3), Value(3));
  EXPECT_EQ("t/p", Type(3));
  EXPECT_EQ("{ \"plain\" : [1, 2] }", Value(4));
  EXPECT_EQ("7.0", Value(5));
}

TEST_F(ImportLineTest, TakesAnObjectThatOnlyLooksLikeBytesAsItIs) {
  for (std::string value : {"{\"text\":\"hi\"}", "{\"base64\":1}", "{\"base64\":\"\",\"x\":1}",
                            "{\"base64\":\"\",\"text\":\"\",\"content_type\":\"\"}", "{}",
                            "{\"content_type\":\"t\"}"}) {
    SCOPED_TRACE(value);
    ASSERT_TRUE(Parse("{\"id\":\"x\",\"entries\":{\"k\":" + value + "}}"));
    EXPECT_EQ(value, Value(0));
  }
}

TEST_F(ImportLineTest, SaysWhatIsWrong) {
  const std::pair<const char *, const char *> cases[] = {
      {"", "not JSON, at byte 1"},
      {"{\"id\":\"x\"} x", "not JSON, at byte 12"},
      {"[1]", "a line must be an object"},
      {"{}", "\"id\" is missing"},
      {"{\"id\":\"\"}", "\"id\" is missing"},
      {"{\"id\":7}", "\"id\" must be a text"},
      {"{\"id\":\"a\\u0000b\"}", "holds a NUL"},
      {"{\"id\":\"\\ud800\"}", "is no text"},
      {"{\"id\":\"x\",\"id\":\"y\"}", "\"id\" comes twice"},
      {"{\"id\":\"x\",\"other\":[1]}", "\"other\" is an array: only texts"},
      {"{\"id\":\"x\",\"other\":{}}", "\"other\" is an object: only texts"},
      {"{\"id\":\"x\",\"a\":1,\"metadata\":{\"a\":2}}", "the label \"a\" comes twice"},
      {"{\"id\":\"x\",\"metadata\":1}", "\"metadata\" must be an object"},
      {"{\"id\":\"x\",\"metadata\":{\"a\":[]}}", "\"a\" is an array"},
      {"{\"id\":\"x\",\"entries\":[]}", "\"entries\" must be an object"},
      {"{\"id\":\"x\",\"messages\":{}}", "\"messages\" must be an array"},
      {"{\"id\":\"x\",\"messages\":[],\"entries\":{}}", "do not go together"},
      {"{\"id\":\"x\",\"entries\":{\"k\":\"1\",\"k\":\"2\"}}", "the entry \"k\" comes twice"},
      {"{\"id\":\"x\",\"entries\":{\"k\":{\"base64\":\"A\"}}}", "\"k\" is not valid base64"},
      {"{\"id\":\"x\",\"type\":1}", "\"type\" must be a text"},
      {"{\"id\":\"x\",\"expire_time\":\"soon\"}", "\"expire_time\" must be a time"},
      {"{\"id\":\"x\",\"\":1}", "the name of a label has 1 to 63 bytes"},
  };
  for (const auto &[text, expected] : cases) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(Parse(text));
    EXPECT_NE(nullptr, strstr(problem_, expected)) << problem_;
  }
}

TEST_F(ImportLineTest, NamesALabelThatIsTooLong) {
  EXPECT_TRUE(Parse("{\"id\":\"x\",\"l\":\"" + std::string(1024, 'y') + "\"}"));
  EXPECT_FALSE(Parse("{\"id\":\"x\",\"l\":\"" + std::string(1025, 'y') + "\"}"));
  EXPECT_STREQ("\"l\": a label holds at most 1024 bytes, not 1025", problem_);
  EXPECT_FALSE(Parse("{\"id\":\"x\",\"" + std::string(64, 'y') + "\":1}"));
  std::string many;
  for (int i = 0; i < 65; i++) many += ",\"l" + std::to_string(i) + "\":1";
  EXPECT_FALSE(Parse("{\"id\":\"x\"" + many + "}"));
  EXPECT_STREQ("a context has at most 64 labels, not 65", problem_);
}

// ---- Export. -----------------------------------------------------------------

struct TestEntry {
  std::string key;
  std::string value;
  std::string content_type;

  bool operator==(const TestEntry &other) const {
    return key == other.key && value == other.value && content_type == other.content_type;
  }
};

std::ostream &operator<<(std::ostream &out, const TestEntry &entry) {
  return out << entry.key << ": " << entry.value << " (" << entry.content_type << ")";
}

class ExportLineTest : public ImportLineTest {
 protected:
  std::string Export(std::vector<TestEntry> entries) {
    Contextd__V1__Context context = CONTEXTD__V1__CONTEXT__INIT;
    std::vector<Contextd__V1__Entry> messages(entries.size());
    std::vector<Contextd__V1__Entry *> pointers;
    for (size_t i = 0; i < entries.size(); i++) {
      contextd__v1__entry__init(&messages[i]);
      messages[i].key = &entries[i].key[0];
      messages[i].value.len = entries[i].value.size();
      messages[i].value.data = reinterpret_cast<uint8_t *>(&entries[i].value[0]);
      messages[i].content_type = &entries[i].content_type[0];
      pointers.push_back(&messages[i]);
    }
    Contextd__V1__Context__MetadataEntry label = CONTEXTD__V1__CONTEXT__METADATA_ENTRY__INIT;
    Contextd__V1__Context__MetadataEntry *labels[] = {&label};
    label.key = const_cast<char *>("id");  // The name of a member, too.
    label.value = const_cast<char *>("caf\xC3\xA9 \"x\"");
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    time.seconds = 1763722397;
    time.nanos = 999000000;
    context.id = const_cast<char *>("an \"id\"");
    context.type = const_cast<char *>("chat");
    context.parent_id = const_cast<char *>("p");
    context.expire_time = &time;
    context.n_metadata = 1;
    context.metadata = labels;
    context.n_entries = pointers.size();
    context.entries = pointers.data();

    char *text = nullptr;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    ctl_export_line(&context, file);
    fclose(file);
    std::string line(text, size);
    free(text);
    return line;
  }

  // Checks that the line is read back as what was written, and is one line.
  void ExpectRoundTrip(const std::vector<TestEntry> &entries) {
    std::string line = Export(entries);
    EXPECT_EQ(line.size() - 1, line.find('\n'));
    ASSERT_TRUE(Parse(line)) << problem_ << line;
    EXPECT_STREQ("an \"id\"", line_.id);
    EXPECT_STREQ("chat", line_.type);
    EXPECT_STREQ("p", line_.parent_id);
    EXPECT_EQ(1763722398, line_.expire_s);
    ASSERT_EQ(1u, line_.label_count);
    EXPECT_EQ("id=caf\xC3\xA9 \"x\"", Label(0));
    std::vector<TestEntry> read;
    for (size_t i = 0; i < line_.put_count; i++) read.push_back({Key(i), Value(i), Type(i)});
    EXPECT_EQ(entries, read);
  }
};

const char kJson[] = "application/json";

TEST_F(ExportLineTest, IsReadBackAsItWas) {
  ExpectRoundTrip({});
  ExpectRoundTrip({{"a", "text", ""}, {"b", "", ""}, {"c", "{\"base64\":\"AA==\"}", ""}});
  ExpectRoundTrip({{"a", "text", "text/plain"}, {"b", "", "x"}});
  ExpectRoundTrip({{"a", std::string("\xFF\0", 2), ""}, {"b", "\xC3", "image/x"}});
  ExpectRoundTrip({{"a", std::string("nul\0", 4), ""}, {"key \"\xC3\xA9\"", "\n\r\x01", ""}});
}

TEST_F(ExportLineTest, WritesAConversationAsOne) {
  std::string line =
      Export({{"messages/00000001", "{\"b\" : 1.0}", kJson}, {"messages/00000002", "7", kJson}});
  EXPECT_NE(std::string::npos, line.find("\"messages\":[{\"b\" : 1.0},7]}"));
  ExpectRoundTrip(
      {{"messages/00000001", "{\"b\" : 1.0}", kJson}, {"messages/00000002", "7", kJson}});
}

TEST_F(ExportLineTest, WritesWhatIsAlmostAConversationAsEntries) {
  const std::vector<TestEntry> cases[] = {
      {{"messages/00000002", "1", kJson}},
      {{"messages/00000001", "1", ""}},
      {{"messages/00000001", " 1", kJson}},
      {{"messages/00000001", "1 ", kJson}},
      {{"messages/00000001", "", kJson}},
      {{"messages/00000001", "[1,\n2]", kJson}},
      {{"messages/00000001", "[1,\r2]", kJson}},
      {{"messages/00000001", "\"\xFF\"", kJson}},
      {{"messages/00000001", "1", kJson}, {"messages/00000003", "1", kJson}},
      {{"goal", "x", ""}, {"messages/00000001", "1", kJson}},
  };
  for (const std::vector<TestEntry> &entries : cases) {
    SCOPED_TRACE(entries[0]);
    EXPECT_NE(std::string::npos, Export(entries).find("\"entries\":{"));
    ExpectRoundTrip(entries);
  }
}

TEST_F(ExportLineTest, IsReadBackWhateverTheBytesAre) {
  uint64_t seed = TestSeed();
  std::mt19937 random(seed);
  SCOPED_TRACE("CONTEXTD_SEED=" + std::to_string(seed));
  static const char *const pieces[] = {"{",      "}",  "\"",   "\\",     "text",
                                       "base64", "\n", "\xFF", "\xC3",   "\xC3\xA9",
                                       ":",      "1",  ",",    "\\u0000"};
  for (int i = 0; i < 500; i++) {
    std::vector<TestEntry> entries;
    for (char key = 'a'; key < 'a' + static_cast<char>(random() % 4); key++) {
      std::string value;
      for (unsigned size = random() % 8; size > 0; size--) value += pieces[random() % 14];
      entries.push_back({std::string(1, key), value, random() % 2 ? "t" : ""});
    }
    ExpectRoundTrip(entries);
    if (HasFailure()) return;
  }
}

}  // namespace
