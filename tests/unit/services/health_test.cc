// grpc.health.v1: what server/services/health.h promises, over a real port.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "tests/support/grpc_client.h"

extern "C" {
#include "core/base/limits.h"
#include "grpc/health/v1/health.pb-c.h"
#include "server/rpc/server.h"
#include "server/rpc/service.h"
#include "server/services/health.h"
}

namespace {

const char kCheck[] = "/grpc.health.v1.Health/Check";
const char kList[] = "/grpc.health.v1.Health/List";
const char kWatch[] = "/grpc.health.v1.Health/Watch";

constexpr int kServing = 1, kNotServing = 2, kServiceUnknown = 3;

std::string Request(const std::string &service) {
  Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
  request.service = const_cast<char *>(service.c_str());
  return GrpcPack(&request.base);
}

int Status(const std::string &bytes) {
  auto *response = grpc__health__v1__health_check_response__unpack(
      nullptr, bytes.size(), reinterpret_cast<const uint8_t *>(bytes.data()));
  int status = response->status;
  grpc__health__v1__health_check_response__free_unpacked(response, nullptr);
  return status;
}

class HealthTest : public testing::Test {
 protected:
  void SetUp() override {
    // Its own descriptor stands for any service.
    named_.descriptor = &grpc__health__v1__health__descriptor;
    const cx_service *services[] = {&named_};
    cx_rpc_options options = {};
    cx_error error;
    int port;
    options.listen = "127.0.0.1:0";
    options.pollers = 2;
    options.message_size_max = 1 << 20;
    options.in_flight_bytes_max = 1 << 20;
    options.connections_max = 100;
    ASSERT_EQ(CX_OK, cx_health_new(services, 1, &health_));
    ASSERT_EQ(CX_OK, cx_rpc_server_new(&options, &server_));
    ASSERT_EQ(CX_OK, cx_rpc_server_add(server_, cx_health_service(health_)));
    ASSERT_EQ(CX_OK, cx_rpc_server_start(server_, &port, &error));
    client_ = std::make_unique<GrpcClient>(port);
  }

  void TearDown() override {
    client_.reset();
    cx_rpc_server_stop(server_, 0);
    cx_rpc_server_free(server_);
    cx_health_free(health_);
  }

  int Check(const std::string &service) {
    GrpcOutcome outcome = client_->Unary(kCheck, Request(service));
    EXPECT_EQ(GRPC_STATUS_OK, outcome.code);
    return Status(outcome.messages.at(0));
  }

  std::unique_ptr<GrpcCall> Watch(const std::string &service) {
    auto call = client_->Open(kWatch);
    call->Send(Request(service));
    call->SendsDone();
    return call;
  }

  // The next status that a watcher is told; 0 at the end.
  int Next(GrpcCall *call) {
    std::string message;
    return call->Receive(&message) ? Status(message) : 0;
  }

  cx_service named_ = {};
  cx_health *health_ = nullptr;
  cx_rpc_server *server_ = nullptr;
  std::unique_ptr<GrpcClient> client_;
};

TEST_F(HealthTest, ServesOnlyOnceItIsSaid) {
  EXPECT_EQ(kNotServing, Check(""));
  cx_health_set(health_, true);
  EXPECT_EQ(kServing, Check(""));
  cx_health_set(health_, false);
  EXPECT_EQ(kNotServing, Check(""));
}

TEST_F(HealthTest, KnowsEachServiceByItsName) {
  cx_health_set(health_, true);
  EXPECT_EQ(kServing, Check("grpc.health.v1.Health"));
}

TEST_F(HealthTest, RefusesAnUnknownService) {
  GrpcOutcome outcome = client_->Unary(kCheck, Request("no.such.Service"));
  EXPECT_EQ(GRPC_STATUS_NOT_FOUND, outcome.code);
}

TEST_F(HealthTest, ListsTheServerAndItsServices) {
  cx_health_set(health_, true);
  GrpcOutcome outcome = client_->Unary(kList, "");
  ASSERT_EQ(1u, outcome.messages.size());
  auto *response = grpc__health__v1__health_list_response__unpack(
      nullptr, outcome.messages[0].size(),
      reinterpret_cast<const uint8_t *>(outcome.messages[0].data()));
  ASSERT_EQ(2u, response->n_statuses);
  EXPECT_STREQ("", response->statuses[0]->key);
  EXPECT_STREQ("grpc.health.v1.Health", response->statuses[1]->key);
  EXPECT_EQ(kServing, static_cast<int>(response->statuses[1]->value->status));
  grpc__health__v1__health_list_response__free_unpacked(response, nullptr);
}

TEST_F(HealthTest, TellsAWatcherEveryChangeThatLasts) {
  auto call = Watch("");
  EXPECT_EQ(kNotServing, Next(call.get()));
  for (int i = 0; i < 20; i++) {
    cx_health_set(health_, true);
    EXPECT_EQ(kServing, Next(call.get()));
    cx_health_set(health_, true);  // No change.
    cx_health_set(health_, false);
    EXPECT_EQ(kNotServing, Next(call.get()));
  }
  call->Cancel();
  EXPECT_EQ(GRPC_STATUS_CANCELLED, call->Finish().code);
}

TEST_F(HealthTest, TellsAWatcherThatAServiceIsUnknownAndGoesOn) {
  auto call = Watch("no.such.Service");
  EXPECT_EQ(kServiceUnknown, Next(call.get()));
  cx_health_set(health_, true);
  auto known = Watch("");
  EXPECT_EQ(kServing, Next(known.get()));
}

TEST_F(HealthTest, EndsTheWatchersWhenItStops) {
  cx_health_set(health_, true);
  auto first = Watch("");
  auto second = Watch("no.such.Service");
  EXPECT_EQ(kServing, Next(first.get()));
  EXPECT_EQ(kServiceUnknown, Next(second.get()));
  cx_health_stop(health_);
  EXPECT_EQ(kNotServing, Next(first.get()));
  EXPECT_EQ(GRPC_STATUS_OK, first->Finish().code);
  EXPECT_EQ(GRPC_STATUS_OK, second->Finish().code);
  cx_health_set(health_, true);
  EXPECT_EQ(kNotServing, Check(""));
}

TEST_F(HealthTest, OutlivesWatchersThatComeAndGo) {
  std::thread watchers[4];
  for (std::thread &watcher : watchers) {
    watcher = std::thread([this] {
      for (int i = 0; i < 50; i++) {
        auto call = Watch("");
        EXPECT_NE(0, Next(call.get()));
      }
    });
  }
  for (int i = 0; i < 500; i++) cx_health_set(health_, i % 2 == 0);
  for (std::thread &watcher : watchers) watcher.join();
  cx_health_stop(health_);
}

}  // namespace
