// The table of settings is consistent in itself.

#include "tests/unit/config/config_harness.h"

#include <set>

namespace {

class ConfigTableTest : public ConfigTest {};

TEST_F(ConfigTableTest, NoNameIsThereTwice) {
  std::set<std::string> names;
  for (size_t i = 0; i < cx_setting_count; i++) {
    EXPECT_TRUE(names.insert(cx_setting_table[i].name).second) << cx_setting_table[i].name;
  }
}

TEST_F(ConfigTableTest, EveryRowHelpsAndHasAPlaceOfItsOwn) {
  std::set<size_t> offsets;
  for (size_t i = 0; i < cx_setting_count; i++) {
    const cx_setting &setting = cx_setting_table[i];
    SCOPED_TRACE(setting.name);
    EXPECT_EQ('.', setting.help[strlen(setting.help) - 1]);
    EXPECT_TRUE(offsets.insert(setting.offset).second);
    EXPECT_EQ(setting.type == CX_SETTING_CHOICE, setting.choices != nullptr);
  }
}

TEST_F(ConfigTableTest, FlagAndVariableDeriveFromTheName) {
  char text[CX_SETTING_NAME_MAX];
  cx_setting_flag(cx_setting_find("request_id_window"), text);
  EXPECT_STREQ("--request-id-window", text);
  cx_setting_variable(cx_setting_find("request_id_window"), text);
  EXPECT_STREQ("CONTEXTD_REQUEST_ID_WINDOW", text);
}

TEST_F(ConfigTableTest, TheHighestChoiceIsTheLastWord) {
  for (size_t i = 0; i < cx_setting_count; i++) {
    const cx_setting &setting = cx_setting_table[i];
    if (setting.type != CX_SETTING_CHOICE) continue;
    uint64_t count = 0;
    while (setting.choices[count] != nullptr) count++;
    EXPECT_EQ(count, setting.max + 1) << setting.name;
  }
}

TEST_F(ConfigTableTest, TheWordsStandInTheOrderOfTheirEnums) {
  const cx_setting *level = cx_setting_find("log_level");
  EXPECT_STREQ("debug", level->choices[CX_LOGGING_DEBUG]);
  EXPECT_STREQ("error", level->choices[CX_LOGGING_ERROR]);
  EXPECT_STREQ("json", cx_setting_find("log_format")->choices[CX_LOGGING_JSON]);
  EXPECT_STREQ("unsynced", cx_setting_find("durability")->choices[CX_DURABILITY_UNSYNCED]);
}

TEST_F(ConfigTableTest, FindsWhatWasProbablyMeantAndNothingFarAway) {
  EXPECT_EQ(cx_setting_find("pollers"), cx_setting_nearest("poller"));
  EXPECT_EQ(cx_setting_find("data_dir"), cx_setting_nearest("datadir"));
  EXPECT_EQ(nullptr, cx_setting_nearest("colour_of_the_sky"));
}

}  // namespace
