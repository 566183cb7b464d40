// How values are written, read and bounded, for every type of setting.h.

#include "tests/unit/config/config_harness.h"

#include <thread>

namespace {

class ConfigValueTest : public ConfigTest {
 protected:
  // What is wrong with a value, or "".
  std::string Rule(const char *name, const std::string &text) {
    char rule[CX_SETTING_RULE_MAX] = "";
    bool fits = cx_setting_parse(cx_setting_find(name), text.c_str(), config_.get(), rule);
    EXPECT_EQ(fits, rule[0] == '\0');
    return rule;
  }

  std::string Formatted(const char *name) {
    char text[CX_SETTING_TEXT_MAX];
    cx_setting_format(cx_setting_find(name), config_.get(), text);
    return text;
  }
};

TEST_F(ConfigValueTest, SizesTakeBinaryUnits) {
  EXPECT_EQ("", Rule("value_size_max", "65536"));
  EXPECT_EQ(65536u, config_->value_size_max);
  EXPECT_EQ("", Rule("value_size_max", "65537B"));
  EXPECT_EQ(65537u, config_->value_size_max);
  EXPECT_EQ("", Rule("value_size_max", "64 KiB"));
  EXPECT_EQ(65536u, config_->value_size_max);
  EXPECT_EQ("", Rule("in_flight_bytes_max", "3GiB"));
  EXPECT_EQ(3ull << 30, config_->in_flight_bytes_max);
}

TEST_F(ConfigValueTest, TimesTakeUnitsFromMillisecondsToDays) {
  for (auto [text, us] : std::vector<std::pair<const char *, uint64_t>>{
           {"500ms", 500000}, {"2s", 2000000}, {"3m", 180000000}, {"1h", 3600000000}, {"0", 0}}) {
    SCOPED_TRACE(text);
    EXPECT_EQ("", Rule("shutdown_grace", text));
    EXPECT_EQ(us, config_->shutdown_grace_us);
  }
  EXPECT_EQ("", Rule("undelete_window", "2d"));
  EXPECT_EQ(2 * 86400 * 1000000ull, config_->undelete_window_us);
}

TEST_F(ConfigValueTest, RefusesWhatIsNoNumberOfItsUnit) {
  for (const char *text : {"", " ", "-1", "+1", "1.5GiB", "1MB", "1mib", "x", "1 MiB x", "0x10",
                           "99999999999999999999", "99999999999999999GiB"}) {
    SCOPED_TRACE(text);
    EXPECT_NE(std::string::npos, Rule("in_flight_bytes_max", text).find("is not a size"));
  }
  EXPECT_NE(std::string::npos, Rule("shutdown_grace", "10").find("is not a time"));
  EXPECT_NE(std::string::npos, Rule("connections_max", "10s").find("is not a whole number"));
}

TEST_F(ConfigValueTest, RefusesWhatIsOutOfBoundsAndNamesThem) {
  EXPECT_EQ("'1' is out of bounds: 1KiB to 64MiB", Rule("value_size_max", "1"));
  EXPECT_EQ("'65MiB' is out of bounds: 1KiB to 64MiB", Rule("value_size_max", "65MiB"));
  EXPECT_EQ("'2h' is out of bounds: 0 to 1h", Rule("shutdown_grace", "2h"));
  EXPECT_EQ("", Rule("value_size_max", "64MiB"));
  EXPECT_EQ("", Rule("value_size_max", "1KiB"));
}

TEST_F(ConfigValueTest, MemoryTakesAShareOfTheMachine) {
  ASSERT_EQ("", Rule("memory_limit", "100%"));
  uint64_t all = config_->memory_limit;
  ASSERT_EQ("", Rule("memory_limit", "50%"));
  EXPECT_NEAR(0.5, static_cast<double>(config_->memory_limit) / static_cast<double>(all), 0.01);
  ASSERT_EQ("", Rule("memory_limit", "512MiB"));
  EXPECT_EQ(512ull << 20, config_->memory_limit);
  for (const char *text : {"0%", "101%", "%", "50%%", "half"}) {
    EXPECT_NE("", Rule("memory_limit", text)) << text;
  }
}

TEST_F(ConfigValueTest, NoThreadsAreOneForEveryTwoCores) {
  ASSERT_EQ("", Rule("pollers", "0"));
  EXPECT_GE(config_->pollers, 1u);
  EXPECT_LE(config_->pollers, 1u + std::thread::hardware_concurrency() / 2);
  ASSERT_EQ("", Rule("pollers", "5"));
  EXPECT_EQ(5u, config_->pollers);
}

TEST_F(ConfigValueTest, WritesADefaultAsTheTableDoes) {
  for (const char *text : {"24h", "1d"}) {
    ASSERT_EQ("", Rule("undelete_window", text));
    EXPECT_EQ("24h", Formatted("undelete_window"));
  }
}

TEST_F(ConfigValueTest, AddressesAreAHostAndAPort) {
  for (const char *text : {"127.0.0.1:7420", "[::1]:0", "localhost:65535", "my-host.example:1"}) {
    EXPECT_EQ("", Rule("listen", text)) << text;
    EXPECT_STREQ(text, config_->listen);
  }
  for (const char *text :
       {"", "7420", ":7420", "localhost", "localhost:", "localhost:x", "localhost:65536",
        "localhost:-1", "::1:7420", "[::1:7420", "a b:1", "localhost:000000"}) {
    EXPECT_NE("", Rule("listen", text)) << text;
  }
  EXPECT_NE("", Rule("listen", std::string(400, 'a') + ":1"));
}

TEST_F(ConfigValueTest, KnowsWhichAddressesOtherMachinesCannotReach) {
  for (const char *text : {"127.0.0.1:1", "127.8.9.1:1", "localhost:1", "LocalHost:1", "[::1]:1",
                           "[0:0:0:0:0:0:0:1]:1", "[::ffff:127.8.0.1]:1"}) {
    EXPECT_TRUE(cx_address_is_loopback(text)) << text;
  }
  for (const char *text : {"0.0.0.0:1", "[::]:1", "127.0.0.1.example.com:1", "localhost.example:1",
                           "10.0.0.1:1", "[::12]:1", "[::ffff:10.0.0.1]:1", "[]:1", "[::1:1", "[",
                           "[::1%lo]:1", "[0000:0000:0000:0000:0000:0000:0000:0000:0001:0000]:1"}) {
    EXPECT_FALSE(cx_address_is_loopback(text)) << text;
  }
}

TEST_F(ConfigValueTest, PathsAreTexts) {
  EXPECT_EQ(CX_OK, Load({"--data-dir", "caf\xc3\xa9"})) << Problems();
  EXPECT_EQ(CX_INVALID_ARGUMENT, Load({"--data-dir", "caf\xe9"}));
  EXPECT_EQ("--data-dir: must be UTF-8\n", Problems());
}

TEST_F(ConfigValueTest, PathsMustFitAndTheDataDirectoryHasOne) {
  EXPECT_EQ("", Rule("port_file", ""));
  EXPECT_EQ("must not be empty", Rule("data_dir", ""));
  EXPECT_EQ("is too long for a path", Rule("data_dir", std::string(5000, 'x')));
}

TEST_F(ConfigValueTest, ChoicesAreTheWordsOfTheTable) {
  EXPECT_EQ("", Rule("durability", "unsynced"));
  EXPECT_EQ(uint64_t{CX_DURABILITY_UNSYNCED}, config_->durability);
  EXPECT_EQ("'Synced' is none of synced, unsynced", Rule("durability", "Synced"));
}

TEST_F(ConfigValueTest, FormatsInTheLargestUnitThatIsExact) {
  for (const char *text : {"1GiB", "1025MiB", "1048577B", "1536KiB"}) {
    ASSERT_EQ("", Rule("in_flight_bytes_max", text));
    EXPECT_EQ(text, Formatted("in_flight_bytes_max"));
  }
  for (const char *text : {"2d", "25h", "90m", "61s", "1500ms", "0"}) {
    ASSERT_EQ("", Rule("undelete_window", text));
    EXPECT_EQ(text, Formatted("undelete_window"));
  }
}

}  // namespace
