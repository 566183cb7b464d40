// What args.h promises: the command line, read without side effects.

extern "C" {
#include "clients/ctxctl/args.h"
}

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace {

const ctl_option kOptions[] = {
    {"put", "KEY=VALUE", "set"}, {"sliding", nullptr, "slide"}, {"version", "NUMBER", "at"}};

ctl_command Command(size_t operand_min, size_t operand_max) {
  ctl_command command = {};
  command.name = "test";
  command.operands = "ID [KEY]";
  command.operand_min = operand_min;
  command.operand_max = operand_max;
  command.summary = "for tests";
  command.description = "Tests.\n";
  command.examples = "  ctxctl test\n";
  command.options = kOptions;
  command.option_count = 3;
  return command;
}

class ArgsTest : public testing::Test {
 protected:
  ~ArgsTest() override { ctl_pool_done(&ctl_.pool); }

  void SetWords(std::vector<std::string> words) {
    words_ = std::move(words);
    argv_.clear();
    for (std::string &word : words_) argv_.push_back(&word[0]);
    argv_.push_back(nullptr);
  }

  ctl_parsed Parse(std::vector<std::string> words) {
    ctl_command command = Command(1, 2);
    SetWords(std::move(words));
    return ctl_args_parse(&ctl_, &command, static_cast<int>(words_.size()), argv_.data(), &args_,
                          problem_);
  }

  ctl_parsed ParseGlobal(std::vector<std::string> words) {
    SetWords(std::move(words));
    return ctl_args_parse_global(&ctl_, static_cast<int>(words_.size()), argv_.data(), &used_,
                                 problem_);
  }

  ctl ctl_ = {};
  ctl_args args_ = {};
  char problem_[CTL_PROBLEM_SIZE] = "";
  int used_ = 0;
  std::vector<std::string> words_;
  std::vector<char *> argv_;
};

TEST_F(ArgsTest, MixesOptionsAndOperands) {
  ASSERT_EQ(CTL_PARSED, Parse({"test", "a", "--put", "x=1", "b", "--sliding"}));
  ASSERT_EQ(2u, args_.operand_count);
  EXPECT_STREQ("a", args_.operands[0]);
  EXPECT_STREQ("b", args_.operands[1]);
  EXPECT_STREQ("x=1", ctl_args_value(&args_, 0));
  EXPECT_STREQ("", ctl_args_value(&args_, 1));
  EXPECT_EQ(nullptr, ctl_args_value(&args_, 2));
}

TEST_F(ArgsTest, KeepsTheOrderOfItsOptions) {
  ASSERT_EQ(CTL_PARSED, Parse({"test", "--put", "x=1", "--sliding", "--put=y=2", "a"}));
  ASSERT_EQ(3u, args_.setting_count);
  EXPECT_STREQ("x=1", args_.settings[0].value);
  EXPECT_EQ(1u, args_.settings[1].option);
  EXPECT_STREQ("y=2", args_.settings[2].value);
  EXPECT_STREQ("y=2", ctl_args_value(&args_, 0));  // The last one counts.
}

TEST_F(ArgsTest, TakesTheCommonOptionsAnywhere) {
  ASSERT_EQ(CTL_PARSED, Parse({"test", "a", "-o", "json", "--timeout=2m", "-n", "space", "-a",
                               "host:1", "--no-color"}));
  EXPECT_TRUE(ctl_.json);
  EXPECT_EQ(120000, ctl_.timeout_ms);
  EXPECT_STREQ("space", ctl_.namespace_);
  EXPECT_STREQ("host:1", ctl_.address);
  EXPECT_EQ(CTL_COLOR_NEVER, ctl_.coloring);
  EXPECT_EQ(0u, args_.setting_count);
}

TEST_F(ArgsTest, TakesWhatSecuresTheConnectionAnywhere) {
  char *words[] = {const_cast<char *>("ctxctl"), const_cast<char *>("--tls"),
                   const_cast<char *>("--ca=c"), const_cast<char *>("test"), nullptr};
  ASSERT_EQ(CTL_PARSED, ctl_args_parse_global(&ctl_, 4, words, &used_, problem_));
  ASSERT_EQ(CTL_PARSED, Parse({"test", "a", "--cert", "d", "--cert-key", "k", "--server-name=n",
                               "--token-file", "t"}));
  EXPECT_TRUE(ctl_.security.tls);
  EXPECT_STREQ("c", ctl_.security.ca);
  EXPECT_STREQ("d", ctl_.security.cert);
  EXPECT_STREQ("k", ctl_.security.cert_key);
  EXPECT_STREQ("n", ctl_.security.server_name);
  EXPECT_STREQ("t", ctl_.security.token_file);
}

TEST_F(ArgsTest, TakesTheColorThatIsSaidLast) {
  ASSERT_EQ(CTL_PARSED, Parse({"test", "a", "--no-color", "--color=always"}));
  EXPECT_EQ(CTL_COLOR_ALWAYS, ctl_.coloring);
  ASSERT_EQ(CTL_PARSED, Parse({"test", "a", "--color", "never", "--color", "auto"}));
  EXPECT_EQ(CTL_COLOR_AUTO, ctl_.coloring);
}

TEST_F(ArgsTest, EndsTheOptionsAtTwoDashes) {
  ASSERT_EQ(CTL_PARSED, Parse({"test", "a", "--", "--put"}));
  EXPECT_STREQ("--put", args_.operands[1]);
}

TEST_F(ArgsTest, LetsACommandHaveAVersionOptionOfItsOwn) {
  ASSERT_EQ(CTL_PARSED, Parse({"test", "a", "--version", "7"}));
  EXPECT_STREQ("7", ctl_args_value(&args_, 2));
  EXPECT_EQ(CTL_PARSED_VERSION, ParseGlobal({"ctxctl", "--version"}));
}

TEST_F(ArgsTest, NamesWhatIsWrong) {
  EXPECT_EQ(CTL_PARSED_WRONG, Parse({"test", "a", "--nonsense"}));
  EXPECT_STREQ("there is no option --nonsense", problem_);
  EXPECT_EQ(CTL_PARSED_WRONG, Parse({"test", "a", "-xh"}));
  EXPECT_STREQ("there is no option -x", problem_);
  EXPECT_EQ(CTL_PARSED_WRONG, Parse({"test", "a", "--put"}));
  EXPECT_STREQ("--put needs a value", problem_);
  EXPECT_EQ(CTL_PARSED_WRONG, Parse({"test", "a", "-n"}));
  EXPECT_STREQ("-n needs a value", problem_);
  EXPECT_EQ(CTL_PARSED_WRONG, Parse({"test"}));
  EXPECT_STREQ("something is missing: it takes ID [KEY]", problem_);
  EXPECT_EQ(CTL_PARSED_WRONG, Parse({"test", "a", "b", "c"}));
  EXPECT_STREQ("one too many: 'c'", problem_);
  EXPECT_EQ(CTL_PARSED_WRONG, Parse({"test", "a", "-o", "xml"}));
  EXPECT_STREQ("--output is text or json, not 'xml'", problem_);
  EXPECT_EQ(CTL_PARSED_WRONG, Parse({"test", "a", "--color", "red"}));
  EXPECT_STREQ("--color is always, never or auto, not 'red'", problem_);
  EXPECT_EQ(CTL_PARSED_WRONG, Parse({"test", "a", "--timeout", "soon"}));
  EXPECT_NE(nullptr, strstr(problem_, "not 'soon'"));
}

TEST_F(ArgsTest, AsksForHelpInsteadOfOperands) {
  EXPECT_EQ(CTL_PARSED_HELP, Parse({"test", "--help"}));
  EXPECT_EQ(CTL_PARSED_HELP, Parse({"test", "-h"}));
  EXPECT_EQ(CTL_PARSED_HELP, ParseGlobal({"ctxctl", "--help"}));
}

TEST_F(ArgsTest, LeavesTheCommandsWordsAlone) {
  ASSERT_EQ(CTL_PARSED, ParseGlobal({"ctxctl", "-n", "space", "get", "--put", "x"}));
  EXPECT_EQ(3, used_);
  EXPECT_STREQ("get", argv_[3]);
  EXPECT_STREQ("space", ctl_.namespace_);
}

TEST_F(ArgsTest, HelpsWithEveryOptionInColumns) {
  ctl_command command = Command(1, 2);
  char *text = nullptr;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  ctl_args_help(&command, file);
  fclose(file);
  std::string help(text, size);
  free(text);
  EXPECT_NE(std::string::npos, help.find("Usage: ctxctl test ID [KEY] [OPTION...]\n"));
  EXPECT_NE(std::string::npos, help.find("      --put KEY=VALUE       set\n"));
  EXPECT_NE(std::string::npos, help.find("      --sliding             slide\n"));
  EXPECT_NE(std::string::npos, help.find("      --timeout TIME        give up"));
  EXPECT_NE(std::string::npos, help.find("Examples:\n  ctxctl test\n"));
}

// ---- Commands of two words. --------------------------------------------------

class FindTest : public testing::Test {
 protected:
  FindTest() {
    const char *names[] = {"list", "history", "history truncate", "session start", "session end"};
    for (size_t i = 0; i < 5; i++) {
      table_[i] = Command(0, 0);
      table_[i].name = names[i];
      commands_[i] = &table_[i];
    }
  }

  // The name of the command that is found, and how many words of `words` it is.
  std::pair<std::string, int> Find(std::vector<std::string> words) {
    std::vector<char *> argv;
    for (std::string &word : words) argv.push_back(&word[0]);
    int used = 0;
    const ctl_command *found =
        ctl_args_find(commands_, 5, static_cast<int>(argv.size()), argv.data(), &used);
    return {found != nullptr ? found->name : "", used};
  }

  ctl_command table_[5];
  const ctl_command *commands_[5];
};

TEST_F(FindTest, TakesTwoWordsWhereTheyAreACommand) {
  using Found = std::pair<std::string, int>;
  EXPECT_EQ(Found("list", 1), Find({"list"}));
  EXPECT_EQ(Found("list", 1), Find({"list", "start"}));
  EXPECT_EQ(Found("session end", 2), Find({"session", "end", "x"}));
  EXPECT_EQ(Found("history", 1), Find({"history", "trip-42"}));
  EXPECT_EQ(Found("history", 1), Find({"history"}));
  EXPECT_EQ(Found("history truncate", 2), Find({"history", "truncate"}));
  EXPECT_EQ(Found("history", 1), Find({"history", "--", "truncate"}));
  EXPECT_EQ(Found("", 0), Find({"session", "nonsense"}));
  EXPECT_EQ(Found("", 0), Find({"session"}));
  EXPECT_EQ(Found("", 0), Find({"sess", "start"}));
  EXPECT_EQ(Found("", 0), Find({""}));
}

TEST_F(FindTest, KnowsTheFirstWordOfACommand) {
  EXPECT_TRUE(ctl_args_is_group(commands_, 5, "session"));
  EXPECT_TRUE(ctl_args_is_group(commands_, 5, "history"));
  EXPECT_FALSE(ctl_args_is_group(commands_, 5, "list"));
  EXPECT_FALSE(ctl_args_is_group(commands_, 5, "sess"));
}

TEST_F(FindTest, HelpsWithTheCommandsOfOneWord) {
  char *text = nullptr;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  ctl_args_group_help(commands_, 5, "session", file);
  fclose(file);
  std::string help(text, size);
  free(text);
  EXPECT_NE(std::string::npos, help.find("  session start      for tests\n"));
  EXPECT_NE(std::string::npos, help.find("  session end        for tests\n"));
  EXPECT_EQ(std::string::npos, help.find("history"));
}

// ---- Values. -----------------------------------------------------------------

TEST(DurationTest, AddsUpNumbersWithUnits) {
  const std::pair<const char *, int64_t> cases[] = {
      {"1ms", 1},         {"90s", 90000},         {"10m", 600000},
      {"1h30m", 5400000}, {"7d", 7 * 86400000LL}, {"1s500ms", 1500}};
  for (const auto &[text, expected] : cases) {
    SCOPED_TRACE(text);
    int64_t ms = 0;
    EXPECT_TRUE(ctl_parse_duration(text, &ms));
    EXPECT_EQ(expected, ms);
  }
}

TEST(DurationTest, RefusesAnythingElse) {
  for (const char *text : {"", "10", "s", "1x", "1 s", "-1s", "0s", "1.5s", "1sm", "s1", "1S",
                           "9999999999999999999s", "999999999d999999999d"}) {
    SCOPED_TRACE(text);
    int64_t ms = -7;
    if (ctl_parse_duration(text, &ms)) {
      EXPECT_GT(ms, 0);
      EXPECT_STREQ("999999999d999999999d", text);  // Large, and no overflow.
    }
  }
}

TEST(NumberTest, TakesWholeNumbersOnly) {
  uint64_t number = 0;
  EXPECT_TRUE(ctl_parse_number("0", &number));
  EXPECT_EQ(0u, number);
  EXPECT_TRUE(ctl_parse_number("18446744073709551615", &number));
  EXPECT_EQ(UINT64_MAX, number);
  for (const char *text : {"", "-1", "+1", " 1", "1 ", "1x", "0x10", "18446744073709551616"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(ctl_parse_number(text, &number));
  }
}

TEST(MicrosTest, TakesUpToSixDigitsBehindThePoint) {
  const std::pair<const char *, uint64_t> cases[] = {{"0", 0},
                                                     {"1", 1000000},
                                                     {"0.0125", 12500},
                                                     {"12.345678", 12345678},
                                                     {"3.5", 3500000},
                                                     {"0.000001", 1},
                                                     {"999999999999.999999", 999999999999999999}};
  for (const auto &[text, expected] : cases) {
    SCOPED_TRACE(text);
    uint64_t micros = 0;
    EXPECT_TRUE(ctl_parse_micros(text, &micros));
    EXPECT_EQ(expected, micros);
  }
  for (const char *text :
       {"", ".5", "1.", "-1", "1e3", "1,5", "0.1234567", "$1", "1 ", "1.2.3", "1000000000000000"}) {
    SCOPED_TRACE(text);
    uint64_t micros = 0;
    EXPECT_FALSE(ctl_parse_micros(text, &micros));
  }
}

TEST(TimeTest, TakesWhatIsShown) {
  const std::tuple<const char *, int64_t, int32_t> cases[] = {
      {"2025-11-21T10:53:18Z", 1763722398, 0},
      {"2025-11-21 10:53:18Z", 1763722398, 0},
      {"2025-11-21T10:53:18.059603Z", 1763722398, 59603000},
      {"2025-11-21T10:53:18.5Z", 1763722398, 500000000},
      {"2025-11-21T10:53:18.1234567899Z", 1763722398, 123456789},
      {"1970-01-01T00:00:00Z", 0, 0}};
  for (const auto &[text, expected_s, expected_ns] : cases) {
    SCOPED_TRACE(text);
    int64_t s = -1;
    int32_t ns = -1;
    EXPECT_TRUE(ctl_parse_time(text, &s, &ns));
    EXPECT_EQ(expected_s, s);
    EXPECT_EQ(expected_ns, ns);
  }
  for (const char *text :
       {"", "soon", "2025-11-21", "2025-11-21T10:53:18", "2025-13-21T10:53:18Z",
        "2025-11-21T10:53:18+01:00", "2025-11-21T10:53:18Zx", "10m", "2025-02-31T10:53:18Z"}) {
    SCOPED_TRACE(text);
    int64_t s;
    int32_t ns;
    EXPECT_FALSE(ctl_parse_time(text, &s, &ns));
  }
}

TEST(PairTest, IsSplitAtTheFirstEqualsSign) {
  ctl_pool pool = {};
  char *key;
  char *value;
  ASSERT_TRUE(ctl_parse_pair(&pool, "a=b=c", &key, &value));
  EXPECT_STREQ("a", key);
  EXPECT_STREQ("b=c", value);
  ASSERT_TRUE(ctl_parse_pair(&pool, "a=", &key, &value));
  EXPECT_STREQ("", value);
  EXPECT_FALSE(ctl_parse_pair(&pool, "a", &key, &value));
  EXPECT_FALSE(ctl_parse_pair(&pool, "=a", &key, &value));
  ctl_pool_done(&pool);
}

}  // namespace
