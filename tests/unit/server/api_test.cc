// What the server offers: api.h, on a server whose services are without an engine.

extern "C" {
#include "server/api.h"
#include "server/rpc/server.h"
#include "server/services/health.h"
}

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/grpc_client.h"

namespace {

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    const char *argv[] = {"contextd", "--value-size-max=64KiB", "--stream-stall-max=2s", nullptr};
    const char *environment[] = {nullptr};
    auto problems = std::make_unique<cx_config_problems>();
    EXPECT_EQ(CX_OK, cx_config_load(argv, environment, config_.get(), problems.get()));
    EXPECT_EQ(CX_OK, cx_api_init(api_.get(), config_.get(), nullptr));
    cx_rpc_options options{};
    options.listen = "127.0.0.1:0";
    options.message_size_max = 1 << 20;
    options.in_flight_bytes_max = 1 << 20;
    options.connections_max = 10;
    options.app = &api_->app;
    EXPECT_EQ(CX_OK, cx_rpc_server_new(&options, &server_));
  }
  ~ApiTest() override {
    cx_rpc_server_free(server_);
    cx_api_done(api_.get());
  }

  // The request has one field, the name.
  static GrpcOutcome Check(GrpcClient *client, const std::string &service) {
    std::string request = "\x0a" + std::string(1, static_cast<char>(service.size())) + service;
    return client->Unary("/grpc.health.v1.Health/Check", request);
  }

  std::unique_ptr<cx_config> config_ = std::make_unique<cx_config>();
  std::unique_ptr<cx_api> api_ = std::make_unique<cx_api>();
  cx_rpc_server *server_ = nullptr;
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
  EXPECT_EQ(CX_OK, cx_api_add(api_.get(), server_));
}

TEST_F(ApiTest, EveryServiceHasAHealth) {
  int port;
  cx_error error;
  ASSERT_EQ(CX_OK, cx_api_add(api_.get(), server_));
  ASSERT_EQ(CX_OK, cx_rpc_server_start(server_, &port, &error));
  cx_health_set(api_->health, true);
  {
    GrpcClient client(port);
    EXPECT_EQ(GRPC_STATUS_OK, Check(&client, "").code);
    EXPECT_EQ(GRPC_STATUS_OK, Check(&client, "contextd.v1.ContextManager").code);
    EXPECT_EQ(GRPC_STATUS_OK, Check(&client, "contextd.v1.Tracker").code);
    EXPECT_EQ(GRPC_STATUS_OK, Check(&client, "contextd.v1.Recovery").code);
    EXPECT_EQ(GRPC_STATUS_NOT_FOUND, Check(&client, "contextd.v1.Other").code);
  }
  cx_rpc_server_stop(server_, 0);
}

TEST_F(ApiTest, CanBeReleasedTwice) { cx_api_done(api_.get()); }

}  // namespace
