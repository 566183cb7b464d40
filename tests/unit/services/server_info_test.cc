// GetServerInfo: what the comments of context_manager.proto promise.

#include "tests/unit/services/service_fixture.h"

namespace {

class ServerInfoTest : public ServiceFixture {};

TEST_F(ServerInfoTest, TellsTheVersionTheLogAndTheSettings) {
  const cx_app_setting settings[] = {{"message_size_max", "4194304"},
                                     {"value_size_max", "1048576"}};
  uint8_t log_id[16];
  uint64_t epoch;
  char text[33];
  app_.settings = settings;
  app_.setting_count = 2;
  cx_engine_identity(engine_, log_id, &epoch);
  for (int i = 0; i < 16; i++) snprintf(text + 2 * i, 3, "%02x", log_id[i]);
  EXPECT_EQ("version: \"1.2.3\" log_id: \"" + std::string(text) +
                "\" settings { key: \"message_size_max\" value: \"4194304\" } "
                "settings { key: \"value_size_max\" value: \"1048576\" }",
            Ask("GetServerInfo"));
}

TEST_F(ServerInfoTest, NamesTheLogTheSameAfterARestart) {
  std::string before = Ask("GetServerInfo");
  Reopen();
  app_.engine = engine_;
  EXPECT_EQ(before, Ask("GetServerInfo"));
}

}  // namespace
