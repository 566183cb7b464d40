// What the server offers: api.h, on a server that never starts.

extern "C" {
#include "server/api.h"
#include "server/rpc/server.h"
}

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace {

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    const char *argv[] = {"contextd", "--value-size-max=64KiB", "--stream-stall-max=2s", nullptr};
    const char *environment[] = {nullptr};
    auto problems = std::make_unique<cx_config_problems>();
    EXPECT_EQ(CX_OK, cx_config_load(argv, environment, config_.get(), problems.get()));
    EXPECT_EQ(CX_OK, cx_api_init(api_.get(), config_.get(), nullptr));
  }
  ~ApiTest() override { cx_api_done(api_.get()); }

  std::unique_ptr<cx_config> config_ = std::make_unique<cx_config>();
  std::unique_ptr<cx_api> api_ = std::make_unique<cx_api>();
};

TEST_F(ApiTest, TellsTheServicesWhatIsInForce) {
  EXPECT_STREQ(CX_VERSION, api_->app.version);
  EXPECT_EQ(2000000, api_->app.stream_stall_max_us);
  std::string settings;
  for (size_t i = 0; i < api_->app.setting_count; i++) {
    settings += std::string(api_->app.settings[i].name) + "=" + api_->app.settings[i].value + " ";
  }
  EXPECT_NE(std::string::npos, settings.find("value_size_max=64KiB "));
}

TEST_F(ApiTest, EveryServiceImplementsItsDescriptor) {
  cx_rpc_options options{};
  options.listen = "127.0.0.1:0";
  options.message_size_max = 1 << 20;
  options.in_flight_bytes_max = 1 << 20;
  options.connections_max = 1;
  options.app = &api_->app;
  cx_rpc_server *server = nullptr;
  ASSERT_EQ(CX_OK, cx_rpc_server_new(&options, &server));
  EXPECT_EQ(CX_OK, cx_api_add(api_.get(), server));
  cx_rpc_server_free(server);
}

TEST_F(ApiTest, CanBeReleasedTwice) { cx_api_done(api_.get()); }

}  // namespace
