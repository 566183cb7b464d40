// The services through a port: server/rpc and the engine with its threads, over a disk in
// memory. Time belongs to the test.

#ifndef CX_TESTS_INTEGRATION_PORT_FIXTURE_H
#define CX_TESTS_INTEGRATION_PORT_FIXTURE_H

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/engine_fixture.h"
#include "tests/support/grpc_client.h"
#include "tests/support/text_message.h"

extern "C" {
#include "server/rpc/server.h"
#include "server/rpc/service.h"
#include "server/services/services.h"
}

class PortFixture : public EngineFixture {
 protected:
  PortFixture() {
    options_.message_size_max = 4 * CX_MIB;
    options_.value_size_max = CX_MIB;
  }

  void SetUp() override { Start(); }
  void TearDown() override { Stop(); }

  void Start() {
    cx_rpc_options options = {};
    cx_engine_events events = {};
    cx_error error;
    int port = 0;
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    app_.engine = engine_;
    options.listen = "127.0.0.1:0";
    options.pollers = 1;
    options.message_size_max = options_.message_size_max;
    options.in_flight_bytes_max = 64 * CX_MIB;
    options.connections_max = 100;
    options.app = &app_;
    ASSERT_EQ(CX_OK, cx_rpc_server_new(&options, &server_));
    for (const cx_service *each : kServices) {
      ASSERT_EQ(CX_OK, cx_rpc_server_add(server_, each));
    }
    events.complete = cx_rpc_server_complete;
    events.failed = [](void *, const char *) {};
    events.arg = server_;
    ASSERT_EQ(CX_OK, cx_engine_start(engine_, &events));
    ASSERT_EQ(CX_OK, cx_rpc_server_start(server_, &port, &error)) << error.message;
    client_ = std::make_unique<GrpcClient>(port);
  }

  void Stop() {
    client_.reset();
    cx_rpc_server_stop(server_, 10 * CX_SECOND_US);
    Close();
    cx_rpc_server_free(server_);
    server_ = nullptr;
  }

  void Restart() {
    Stop();
    Start();
  }

  // Of the service that has such a method.
  static std::string Path(const std::string &method) {
    for (const cx_service *each : kServices) {
      const ProtobufCServiceDescriptor *type = each->descriptor;
      if (protobuf_c_service_descriptor_get_method_by_name(type, method.c_str()) != nullptr) {
        return std::string("/") + type->name + "/" + method;
      }
    }
    return "/" + method;
  }

  // An outcome as text: the responses, or "REASON key=value ...".
  static std::string Text(const std::string &method, const GrpcOutcome &outcome) {
    if (outcome.code != GRPC_STATUS_OK) {
      std::string text = outcome.Reason();
      for (const auto &pair : outcome.Metadata()) text += " " + pair.first + "=" + pair.second;
      return text.empty() ? outcome.message : text;
    }
    std::string text;
    for (const std::string &each : outcome.messages) {
      text += (text.empty() ? "" : " | ") + TextDecode(method + "Response", each);
    }
    return text;
  }

  GrpcOutcome Send(const std::string &method, const std::string &packed) {
    return client_->Unary(Path(method), packed);
  }

  std::string Ask(const std::string &method, const std::string &request = "") {
    return Text(method, Send(method, TextEncode(method + "Request", request)));
  }

  static constexpr const cx_service *kServices[] = {&cx_context_manager_service,
                                                    &cx_tracker_service, &cx_recovery_service};

  cx_app app_ = {nullptr, "test", 60 * CX_SECOND_US, 0, nullptr, 0};
  cx_rpc_server *server_ = nullptr;
  std::unique_ptr<GrpcClient> client_;
};

#endif  // CX_TESTS_INTEGRATION_PORT_FIXTURE_H
