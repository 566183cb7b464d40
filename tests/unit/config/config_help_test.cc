// --help, --print-config, and the table of docs/operations.md: all of them say what the
// table of settings says.

#include "tests/unit/config/config_harness.h"

#include <sstream>

namespace {

class ConfigHelpTest : public ConfigTest {};

TEST_F(ConfigHelpTest, TheHelpNamesEverySettingAndSwitch) {
  std::string help = Captured(cx_config_print_help);
  for (size_t i = 0; i < cx_setting_count; i++) {
    char flag[CX_SETTING_NAME_MAX];
    cx_setting_flag(&cx_setting_table[i], flag);
    EXPECT_NE(std::string::npos, help.find("\n  " + std::string(flag) + " ")) << flag;
  }
  for (size_t i = 0; i < cx_switch_count; i++) {
    EXPECT_NE(std::string::npos, help.find(cx_switch_table[i].name)) << cx_switch_table[i].name;
  }
}

TEST_F(ConfigHelpTest, TheHelpFitsATerminal) {
  std::istringstream help(Captured(cx_config_print_help));
  for (std::string line; std::getline(help, line);) {
    EXPECT_LE(line.size(), 96u) << line;
    EXPECT_TRUE(line.empty() || line.back() != ' ') << line;
  }
}

TEST_F(ConfigHelpTest, TellsWhatIsInForceAndWhereItComesFrom) {
  std::string file = File("version_retention: 4\n");
  ASSERT_EQ(CX_OK, Load({"--config", file, "--pollers", "3"}, {"CONTEXTD_LOG_FORMAT=json"}));
  std::string printed = Printed();
  EXPECT_NE(std::string::npos, printed.find("# " + file + ":1\n"));
  EXPECT_NE(std::string::npos, printed.find("# --pollers\n"));
  EXPECT_NE(std::string::npos, printed.find("# CONTEXTD_LOG_FORMAT\n"));
  EXPECT_NE(std::string::npos, printed.find("\nrequest_id_window: 10m  "));
  EXPECT_NE(std::string::npos, printed.find("  # default\n"));
  EXPECT_NE(std::string::npos, printed.find("\nstream_stall_max: 60s  "));
}

TEST_F(ConfigHelpTest, TellsHowManyPollersThereAreAndWhy) {
  ASSERT_EQ(CX_OK, Load({}));
  std::string line = "\npollers: " + std::to_string(config_->pollers) + "  ";
  EXPECT_NE(0u, config_->pollers);
  EXPECT_NE(std::string::npos, Printed().find(line));
  EXPECT_NE(std::string::npos, Printed().find("# default: one for every two cores\n"));
}

TEST_F(ConfigHelpTest, WhatItPrintsIsAFileThatSaysTheSame) {
  ASSERT_EQ(CX_OK, Load({"--data-dir", "it's: #1", "--listen", "[::1]:0", "--memory-limit", "50%",
                         "--undelete-window", "0", "--log-level", "error"}));
  cx_config before = *config_;
  ASSERT_EQ(CX_OK, Load({"--config", File(Printed())})) << Problems();
  char different[1024];
  cx_config_reload(config_.get(), &before, different, sizeof different);
  EXPECT_STREQ("", different);
  EXPECT_EQ(before.log_level, config_->log_level);
  EXPECT_EQ(before.shutdown_grace_us, config_->shutdown_grace_us);
}

TEST_F(ConfigHelpTest, WhatItPrintsSaysTheSameWhateverAPathHolds) {
  const std::string kPaths[] = {"it's",
                                "a # b: c",
                                "\"\\",
                                "tab\tand\nline",
                                "caf\xc3\xa9",
                                "\xe2\x80\xa8 and \xef\xbb\xbf",
                                "\xf0\x9f\x99\x82"};
  for (const std::string &path : kPaths) {
    ASSERT_EQ(CX_OK, Load({"--data-dir", path})) << Problems();
    ASSERT_EQ(CX_OK, Load({"--config", File(Printed())})) << Problems();
    EXPECT_EQ(path, config_->data_dir);
  }
}

TEST_F(ConfigHelpTest, NamesOnlyFilesThatFitIntoAComment) {
  std::string path = testing::TempDir() + "two\nlisten: lines.yaml";
  std::ofstream(path) << "log_level: debug\n";
  ASSERT_EQ(CX_OK, Load({"--config", path})) << Problems();
  EXPECT_NE(std::string::npos, Printed().find("# the file:1\n"));
  ASSERT_EQ(CX_OK, Load({"--config", File(Printed())})) << Problems();
}

TEST_F(ConfigHelpTest, TellsClientsTheLimitsAndNoPaths) {
  ASSERT_EQ(CX_OK, Load({"--value-size-max", "64KiB"}));
  cx_config_value values[CX_CONFIG_SETTINGS_MAX];
  std::string all;
  for (size_t i = 0; i < cx_config_values(config_.get(), values); i++) {
    all += std::string(values[i].name) + "=" + values[i].text + " ";
  }
  EXPECT_NE(std::string::npos, all.find("value_size_max=64KiB "));
  EXPECT_NE(std::string::npos, all.find("durability=synced "));
  EXPECT_EQ(std::string::npos, all.find("data_dir"));
  EXPECT_EQ(std::string::npos, all.find("listen"));
  EXPECT_EQ(std::string::npos, all.find("log_level"));
}

// The rows that docs/operations.md holds between its two marks.
std::string DocumentedTable() {
  std::ifstream file("docs/operations.md");
  std::string rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "<!-- settings end -->") inside = false;
    if (inside) rows += line + "\n";
    if (line == "<!-- settings begin -->") inside = true;
  }
  return rows;
}

TEST_F(ConfigHelpTest, TheDocumentedTableIsTheTable) {
  std::string rows = "| setting | default | bounds | reload | |\n| --- | --- | --- | --- | --- |\n";
  for (size_t i = 0; i < cx_setting_count; i++) {
    const cx_setting &setting = cx_setting_table[i];
    std::string bounds;
    if (setting.type == CX_SETTING_CHOICE) {
      for (size_t j = 0; setting.choices[j] != nullptr; j++) {
        bounds += (j > 0 ? ", " : "") + std::string(setting.choices[j]);
      }
    } else if (setting.type != CX_SETTING_PATH && setting.type != CX_SETTING_ADDRESS) {
      char min[CX_SETTING_TEXT_MAX], max[CX_SETTING_TEXT_MAX];
      cx_setting_format_number(&setting, setting.min, min);
      cx_setting_format_number(&setting, setting.max, max);
      bounds = std::string(min) + " to " + max;
    }
    rows += "| `" + std::string(setting.name) + "` | " + setting.default_text + " | " + bounds +
            " | " + (setting.live ? "yes" : "") + " | " + setting.help + " |\n";
  }
  EXPECT_EQ(rows, DocumentedTable()) << "Put this between the marks of docs/operations.md:\n"
                                     << rows;
}

}  // namespace
