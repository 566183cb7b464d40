// The YAML file: what it may hold, and that everything else is refused with its line.

#include "tests/unit/config/config_harness.h"

namespace {

class ConfigFileTest : public ConfigTest {
 protected:
  // What is wrong with a file of this text, without the file's name. "": nothing.
  std::string Problem(const std::string &text) {
    std::string file = File(text);
    (void)(Load({"--config", file}) == CX_OK);
    std::string problems = Problems();
    size_t at = problems.find(file);
    return at == std::string::npos ? problems : problems.substr(at + file.size());
  }
};

TEST_F(ConfigFileTest, IsAMappingOfNamesToPlainValues) {
  EXPECT_EQ("", Problem("# Ours.\n"
                        "listen: '[::1]:7421'\n"
                        "data_dir: \"a dir\"   # quoted\n"
                        "request_id_window: 5m\n"
                        "connections_max: 100\n"
                        "port_file:\n"));
  EXPECT_STREQ("[::1]:7421", config_->listen);
  EXPECT_STREQ("a dir", config_->data_dir);
  EXPECT_EQ(300 * 1000000ull, config_->request_id_window_us);
  EXPECT_EQ(100u, config_->connections_max);
  EXPECT_STREQ("", config_->port_file);
}

TEST_F(ConfigFileTest, MayBeEmpty) {
  EXPECT_EQ("", Problem(""));
  EXPECT_EQ("", Problem("# nothing\n"));
}

TEST_F(ConfigFileTest, RemembersTheLineOfEachValue) {
  EXPECT_EQ("", Problem("\n\nconnections_max: 100\n"));
  cx_origin origin = config_->origins[cx_setting_find("connections_max") - cx_setting_table];
  EXPECT_EQ(CX_ORIGIN_FILE, origin.kind);
  EXPECT_EQ(3u, origin.line);
}

TEST_F(ConfigFileTest, RefusesAnythingElseWithItsLine) {
  EXPECT_EQ(": must hold lines of the form `name: value`\n", Problem("- a\n- b\n"));
  EXPECT_EQ(":2: listen: a plain value is expected here\n",
            Problem("pollers: 1\nlisten: [a, b]\n"));
  EXPECT_EQ(":1: a name is expected here\n", Problem("[a]: b\n"));
  EXPECT_EQ(":2: pollers: given twice\n", Problem("pollers: 1\npollers: 2\n"));
  EXPECT_EQ(": holds more than one document\n", Problem("pollers: 1\n---\npollers: 2\n"));
  EXPECT_EQ(0u, Problem("pollers: 1\n\tlisten: x\n").find(":2: this is no YAML: "));
  EXPECT_EQ(0u, Problem("listen: \"unfinished\n").find(":2: this is no YAML: "));
  EXPECT_EQ(":1: data_dir: a plain value is expected here\n", Problem("data_dir: \"a\\0b\"\n"));
}

TEST_F(ConfigFileTest, RefusesAFileThatCannotBeRead) {
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--config", testing::TempDir() + "missing.yaml"}));
  EXPECT_NE(std::string::npos,
            Problems().find("missing.yaml: cannot be read: No such file or directory"));
  ASSERT_EQ(CX_INVALID_ARGUMENT, Load({"--config", testing::TempDir()}));
  EXPECT_EQ(testing::TempDir() + ": cannot be read: Is a directory\n", Problems());
}

TEST_F(ConfigFileTest, DoesNotTakeFlagsThatStandForThemselves) {
  EXPECT_EQ(0u, Problem("insecure: true\n").find(":1: insecure: is no setting; give the flag"));
}

}  // namespace
